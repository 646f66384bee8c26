//! Checking a cluster that no server runs on.
//!
//! # How it works
//! The storage is opened as a server opens it, recovery included. Every page of every tree is read;
//! trees are walked level by level ([`table::Tree::check`], [`btree::Index::check`]); the entries of
//! each index are compared with those that the rows that are seen must have, for which expressions
//! and predicates are computed again and columns of INCLUDE read; catalogs are compared with each
//! other and with the files that are there. What prepared transactions have changed is not yet seen,
//! and neither missed nor in the way.

mod rows;

use crate::backend::Backend;
use crate::cluster::ClusterEngine;
use base::{Error, FileId, Oid, Result};
use buffer::{MetaState, Pool};
use catalog::columns::{hidden, pg_attribute, pg_class, pg_constraint, pg_database, pg_index};
use catalog::relation::Relation;
use catalog::store::{Row, Store, TreeStore, Trees};
use catalog::{CacheMemory, Catalog, SharedCache, builtin, files};
use disk::RealDisk;
use memory::{Account, Ledger};
use recovery::{Settings, Storage};
use session::settings::Base;
use session::{Cluster, State};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// What a check has looked at.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Databases.
    pub databases: u64,
    /// Trees of tables, catalogs and sequences.
    pub tables: u64,
    /// Trees of indexes.
    pub indexes: u64,
    /// Pages.
    pub pages: u64,
    /// Rows that are seen.
    pub rows: u64,
    /// What is wrong.
    pub problems: u64,
}

/// Checks the cluster in a directory; `report` hears of each problem.
///
/// # Errors
/// Those of opening the storage; what is found afterwards is reported.
pub fn check(dir: &Path, report: &mut dyn FnMut(&str)) -> Result<Checked> {
    let disk = Arc::new(RealDisk::new(dir)?);
    let (storage, _) = Storage::open(disk.clone(), &Settings::default())?;
    let trees = Trees::new(storage.tables().clone());
    let ledger = Ledger::new(memory::ledger::UNLIMITED);
    let caches = CacheMemory::new(ledger.shared("catalog cache", memory::ledger::UNLIMITED));
    let memory = (caches, ledger);
    let engine = Arc::new(ClusterEngine::over(disk, storage.clone(), trees.clone(), memory, None)?);
    let cluster =
        Cluster::open(dir.to_path_buf(), Base::new(), |_| {}, |_, _, _| Ok(engine.handle()))?;
    let mut checker = Checker {
        engine,
        cluster,
        trees,
        report,
        found: Checked::default(),
        place: String::new(),
        known: BTreeMap::new(),
    };
    let result = checker.cluster();
    let found = checker.found;
    result?;
    storage.close()?;
    Ok(found)
}

struct Checker<'r> {
    engine: Arc<ClusterEngine>,
    cluster: Arc<Cluster>,
    trees: Arc<Trees>,
    report: &'r mut dyn FnMut(&str),
    found: Checked,
    /// What problems are reported of.
    place: String,
    /// The files that catalogs name, with what they are.
    known: BTreeMap<FileId, String>,
}

impl Checker<'_> {
    fn problem(&mut self, what: &str) {
        self.found.problems += 1;
        (self.report)(&format!("{}: {what}", self.place));
    }

    /// An error is a problem of the place.
    fn noting(&mut self, result: Result<()>) {
        if let Err(error) = result {
            self.problem(&text_of(&error));
        }
    }

    fn pool(&self) -> Arc<Pool> {
        self.trees.tables().pool().clone()
    }

    fn cluster(&mut self) -> Result<()> {
        self.place = "shared catalogs".into();
        let store = TreeStore::new(self.trees.clone(), Oid::INVALID, 0, Account::unlimited());
        let mut databases: Vec<(Oid, String, u64)> = Vec::new();
        let listed = store.scan(pg_database::RELATION, &mut |_, row| {
            let first = row.int8(hidden::PG_DATABASE_FIRST_FILE)?.cast_unsigned();
            databases.push((row.oid(pg_database::OID)?, row.text(pg_database::DATNAME)?, first));
            Ok(())
        });
        self.noting(listed);
        for (number, (oid, name, first)) in databases.iter().enumerate() {
            self.found.databases += 1;
            let catalog = self.catalog(*oid, *first);
            self.place = format!("database \"{name}\"");
            let backend = self.backend(name, *oid, *first);
            let result = self.database(name, (&catalog, &backend), number == 0);
            self.place = format!("database \"{name}\"");
            self.noting(result);
        }
        self.place = "data directory".into();
        let prepared = self.files_of_prepared(&databases);
        self.noting(prepared);
        let there: BTreeSet<FileId> = self.pool().files().list()?.into_iter().collect();
        let known = std::mem::take(&mut self.known);
        for (file, what) in known.iter().filter(|(file, _)| !there.contains(file)) {
            self.problem(&format!("file {file} of {what} is missing"));
        }
        for file in there.iter().filter(|file| !known.contains_key(file)) {
            self.problem(&format!("file {file} belongs to no relation"));
        }
        Ok(())
    }

    /// Notes the files that prepared transactions have made, or are going to delete.
    fn files_of_prepared(&mut self, databases: &[(Oid, String, u64)]) -> Result<()> {
        let prepared = self.trees.transactions().prepared();
        let mut files = prepared.unlinks();
        for row in prepared.rows() {
            let Some((oid, _, first)) = databases.iter().find(|known| known.0 == row.database)
            else {
                continue;
            };
            let store = TreeStore::new(self.trees.clone(), *oid, *first, Account::unlimited());
            store.read_as(row.xid);
            store.scan(pg_class::RELATION, &mut |_, row| {
                files.push(FileId(row.int8(hidden::PG_CLASS_FILE)?.cast_unsigned()));
                Ok(())
            })?;
        }
        for file in files.into_iter().filter(|file| file.0 != 0) {
            self.known.entry(file).or_insert_with(|| "a prepared transaction".to_owned());
        }
        Ok(())
    }

    /// Somebody who computes the expressions of a database's indexes.
    fn backend(&self, name: &str, database: Oid, first: u64) -> Rc<Backend> {
        let identity = session::Identity {
            user: "postgres".into(),
            superuser: true,
            database: name.into(),
            options: Vec::new(),
        };
        self.engine.lone_backend(State::alone(&self.cluster, identity), database, first)
    }

    fn catalog(&self, database: Oid, first: u64) -> Catalog {
        let store = TreeStore::new(self.trees.clone(), database, first, Account::unlimited());
        let cache = || Arc::new(SharedCache::new());
        Catalog::new(Rc::new(store), cache(), cache(), database, first, Oid(10))
    }

    /// The catalogs of a database, then its tables; with the shared catalogs if asked.
    fn database(
        &mut self,
        name: &str,
        (catalog, backend): (&Catalog, &Backend),
        shared: bool,
    ) -> Result<()> {
        let own = files::database_relations().iter();
        let all = own.chain(files::shared_relations().iter().filter(|_| shared));
        for oid in all.filter(|oid| builtin::index(**oid).is_none()) {
            let relation = catalog.relation(*oid)?;
            self.relation(name, (catalog, backend), &relation);
        }
        if self.found.problems > 0 {
            // Damaged catalogs say nothing about what they describe.
            self.place = format!("database \"{name}\"");
            self.problem("its tables are not checked, because its catalogs are damaged");
            return Ok(());
        }
        let mut users: Vec<Oid> = Vec::new();
        for (_, row) in catalog.all_rows(pg_class::RELATION)? {
            let oid = row.oid(pg_class::OID)?;
            let kind = row.char(pg_class::RELKIND)?;
            if oid >= builtin::FIRST_USER && kind != b'i' && kind != b'I' {
                users.push(oid);
            }
        }
        for oid in users {
            match catalog.relation(oid) {
                Ok(relation) if relation.file.0 != 0 => {
                    self.relation(name, (catalog, backend), &relation);
                }
                Ok(_) => {}
                Err(error) => {
                    self.place = format!("database \"{name}\", relation {oid}");
                    self.problem(&text_of(&error));
                }
            }
        }
        self.place = format!("database \"{name}\", catalogs");
        self.catalogs(catalog)
    }

    fn relation(
        &mut self,
        database: &str,
        (catalog, backend): (&Catalog, &Backend),
        relation: &Relation,
    ) {
        let name = format!("database \"{database}\", table \"{}\"", relation.name);
        self.place.clone_from(&name);
        self.found.tables += 1;
        self.know(relation.file, &name);
        let before = self.found.problems;
        let result = self.table(relation);
        self.noting(result);
        let whole = before == self.found.problems;
        for index in &relation.indexes {
            self.place = format!("database \"{database}\", index \"{}\"", index.name);
            self.found.indexes += 1;
            let place = self.place.clone();
            self.know(index.file, &place);
            let result = self.index(catalog, backend, relation, index, whole);
            self.noting(result);
        }
    }

    fn know(&mut self, file: FileId, what: &str) {
        if let Some(other) = self.known.insert(file, what.to_owned()) {
            self.problem(&format!("its file {file} is also that of {other}"));
        }
    }

    /// The tree of a table.
    fn table(&mut self, relation: &Relation) -> Result<()> {
        let tree = self.trees.tables().tree(relation.file)?;
        let checked = tree.check()?;
        self.found.pages += checked.pages;
        for problem in checked.problems {
            self.problem(&problem);
        }
        Ok(())
    }

    /// Reads every page of a file; false when one is damaged.
    fn pages(&mut self, file: FileId) -> Result<bool> {
        let pool = self.pool();
        let file = pool.files().open(file)?;
        let meta = MetaState::read(&pool.pin(&file, base::PageNo(0))?.read())?;
        self.found.pages += meta.page_count;
        let before = self.found.problems;
        for page in 0..meta.page_count {
            let pinned = pool.pin(&file, base::PageNo(page)).map(drop);
            self.noting(pinned);
        }
        Ok(before == self.found.problems)
    }

    /// What the catalogs say of each other.
    fn catalogs(&mut self, catalog: &Catalog) -> Result<()> {
        let mut classes: BTreeMap<Oid, (i16, String)> = BTreeMap::new();
        for (_, row) in catalog.all_rows(pg_class::RELATION)? {
            let (count, name) = (row.int2(pg_class::RELNATTS)?, row.text(pg_class::RELNAME)?);
            classes.insert(row.oid(pg_class::OID)?, (count, name));
        }
        let mut counts: BTreeMap<Oid, i16> = BTreeMap::new();
        for (_, row) in catalog.all_rows(pg_attribute::RELATION)? {
            if row.int2(pg_attribute::ATTNUM)? > 0 {
                *counts.entry(row.oid(pg_attribute::ATTRELID)?).or_default() += 1;
            }
        }
        for (oid, (count, name)) in &classes {
            let found = counts.remove(oid).unwrap_or(0);
            if found != *count {
                self.problem(&format!(
                    "relation \"{name}\" has {count} columns, and {found} rows in pg_attribute"
                ));
            }
        }
        for oid in counts.keys() {
            self.problem(&format!(
                "pg_attribute has columns of relation {oid}, which is not there"
            ));
        }
        let there = |oid: Oid| !oid.is_valid() || classes.contains_key(&oid);
        let mut dangling = Vec::new();
        let mut refers = |row: &Row, what: &str, columns: &[i16]| {
            for column in columns {
                let oid = row.oid(*column)?;
                if !there(oid) {
                    dangling.push(format!("{what} names relation {oid}, which is not there"));
                }
            }
            Ok::<_, Error>(())
        };
        for (_, row) in catalog.all_rows(pg_index::RELATION)? {
            refers(&row, "pg_index", &[pg_index::INDEXRELID, pg_index::INDRELID])?;
        }
        for (_, row) in catalog.all_rows(pg_constraint::RELATION)? {
            use pg_constraint::{CONFRELID, CONINDID, CONRELID};
            refers(&row, "pg_constraint", &[CONRELID, CONINDID, CONFRELID])?;
        }
        for problem in dangling {
            self.problem(&problem);
        }
        Ok(())
    }
}

fn text_of(error: &Error) -> String {
    match &error.fields().detail {
        Some(detail) => format!("{} ({detail})", error.message()),
        None => error.message().to_owned(),
    }
}
