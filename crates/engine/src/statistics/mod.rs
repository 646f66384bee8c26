//! ANALYZE and VACUUM: what is known of tables.
//!
//! # How it works
//! [`sample`] reads some rows of a table, chosen by chance among its row ids (all rows of a small
//! one); [`compute`] makes each column's statistics of them: how many NULLs, how wide, how many
//! different values, the most common ones, a histogram, and how far the order of the rows follows
//! the values. They become rows of `pg_statistic`, and the size of the table and of its indexes goes
//! to `pg_class`: in the transaction of the command, so that they go with it. [`activity`] counts
//! what is changed in tables, [`database`] what happens in databases.
//!
//! # Rules
//! 1. The sample has 300 rows for each unit of the statistics target, as PostgreSQL's; it is bound
//!    whatever the table's size is, and charged to the session.
//! 2. A column with target 0 is left out; its old statistics stay.
//! 3. Tables that the user may not maintain are passed over with a warning.
//! 4. A table is locked against other commands of this kind, not against readers and writers.
//!
//! # Limits
//! Without a list of tables the system's catalogs are left out. Elements of arrays and bounds of
//! ranges have no statistics of their own; nor do expressions of indexes and extended statistics.
//! Dead rows are removed in the background: VACUUM hurries that up, gives free pages at the end of
//! the files back (unless TRUNCATE is off), and counts rows and pages.
//!
//! # Sources
//! P. Haas and L. Stokes, "Estimating the number of classes in a finite population", 1998.

mod activity;
mod compute;
mod database;
mod options;
mod sample;

use crate::backend::Backend;
use crate::storage::place;
use base::{Error, Oid, Result, err};
use catalog::relation::{Column, Relation};
use catalog::rows::{Generated, RelationKind};
use catalog::statistics::RelationSize;
use compute::{Described, Sampled};
use options::Work;
use parse::VacuumStmt;
use std::sync::Arc;
use txn::{Acquired, LockMode, WaitPolicy};
use wire::backend::NoticeSeverity;

pub(crate) use activity::{Changes, TableActivity};
pub(crate) use database::{Counters, DatabaseActivity};

/// `pg_am.oid` of btree.
const BTREE: Oid = Oid(403);
/// The rows of a sample for each unit of the statistics target.
const ROWS_PER_TARGET: u64 = 300;

/// The leaves of all tables, and of all indexes, that VACUUM tidies at most.
const LEAVES_A_VACUUM: usize = 1 << 16;

impl Backend {
    /// VACUUM and ANALYZE.
    pub(crate) fn vacuum(&self, statement: &VacuumStmt<'_>, source: &str) -> Result<()> {
        let work = Work::of(statement, source)?;
        if work.only_database {
            return Ok(());
        }
        if statement.relations.is_empty() {
            for oid in self.own_tables()? {
                let Some(relation) = self.catalog.find_relation(oid)? else { continue };
                if self.may_maintain(&relation, work.verb(), false)? {
                    self.maintain(&relation, &[], work)?;
                }
            }
            return Ok(());
        }
        for target in statement.relations {
            let name = &target.relation;
            if let Some(schema) = name.schema {
                self.catalog.require_namespace(schema)?;
            }
            let oid = self.catalog.relation_named(name.schema, name.name)?.ok_or_else(|| {
                let shown = match name.schema {
                    Some(schema) => format!("{schema}.{}", name.name),
                    None => name.name.to_owned(),
                };
                err!(UNDEFINED_TABLE, "relation \"{shown}\" does not exist")
            })?;
            let relation = self.catalog.relation(oid)?;
            if self.may_maintain(&relation, work.verb(), true)? {
                self.maintain(&relation, target.columns, work)?;
            }
        }
        Ok(())
    }

    /// The tables that a command without a list is about.
    fn own_tables(&self) -> Result<Vec<Oid>> {
        use catalog::columns::pg_class;
        let mut found = Vec::new();
        for (_, row) in self.catalog.all_rows(pg_class::RELATION)? {
            let oid = row.oid(pg_class::OID)?;
            if oid >= Oid::FIRST_NORMAL && matches!(row.char(pg_class::RELKIND)?, b'r' | b'm') {
                found.push(oid);
            }
        }
        found.sort();
        Ok(found)
    }

    fn maintain(&self, relation: &Arc<Relation>, columns: &[&str], work: Work) -> Result<()> {
        let other_temporary = relation.persistence == catalog::rows::Persistence::Temporary
            && relation.namespace != self.catalog.temporary_namespace();
        if other_temporary {
            return Ok(());
        }
        if !matches!(
            relation.kind,
            RelationKind::Table | RelationKind::MaterializedView | RelationKind::PartitionedTable
        ) {
            let name = &relation.name;
            self.state.warning(match work.vacuum {
                true => err!(
                    WARNING,
                    "skipping \"{name}\" --- cannot vacuum non-tables or special system tables"
                ),
                false => err!(
                    WARNING,
                    "skipping \"{name}\" --- cannot analyze non-tables or special system tables"
                ),
            });
            return Ok(());
        }
        let attributes = attributes(relation, columns)?;
        if !self.lock_to_maintain(relation, work)? {
            return Ok(());
        }
        // While it was waited for, it may have gone or changed.
        let Some(relation) = self.catalog.find_relation(relation.oid)? else { return Ok(()) };
        if relation.file.0 == 0 {
            return Ok(());
        }
        if work.vacuum && !work.keeps_pages {
            self.give_back_pages(&relation)?;
        }
        if work.analyze {
            self.analyze_table(&relation, &attributes, work)?;
        } else {
            self.count_table(&relation)?;
        }
        self.catalog.next_command()
    }

    /// Locks a table, unless SKIP_LOCKED has it passed over with a warning.
    fn lock_to_maintain(&self, relation: &Relation, work: Work) -> Result<bool> {
        let policy = if work.skip_locked { WaitPolicy::Try } else { WaitPolicy::Block };
        let tag = self.relation_tag(relation.oid);
        let mode = LockMode::ShareUpdateExclusive;
        if self.transaction()?.lock(tag, mode, policy)? != Acquired::NotAvailable {
            return Ok(true);
        }
        self.state.warning(err!(
            LOCK_NOT_AVAILABLE,
            "skipping {} of \"{}\" --- lock not available",
            work.verb(),
            relation.name
        ));
        Ok(false)
    }

    fn analyze_table(
        &self,
        relation: &Arc<Relation>,
        attributes: &[i16],
        work: Work,
    ) -> Result<()> {
        if work.verbose {
            let schema = self.catalog.namespace(relation.namespace)?;
            let text = format!("analyzing \"{}.{}\"", schema.name, relation.name);
            self.state.notice(NoticeSeverity::Info, err!(SUCCESSFUL_COMPLETION, "{text}"));
        }
        let default = self.state.settings().integer("default_statistics_target");
        let mut wanted = Vec::new();
        let mut most = 1;
        for column in relation.live_columns() {
            let target = column.statistics.map_or(default, i32::from);
            let listed = attributes.is_empty() || attributes.contains(&column.attribute);
            if target > 0 && listed && column.generated != Some(Generated::Virtual) {
                let target = usize::try_from(target).unwrap_or(0);
                most = most.max(target);
                wanted.push((column, self.described(column, target)?));
            }
        }
        let table = self.open_table(relation)?;
        let places: Vec<usize> = wanted.iter().map(|(column, _)| place(column.attribute)).collect();
        let sample = self.sample(&table, &places, most as u64 * ROWS_PER_TARGET)?;
        if work.verbose {
            self.tell_sample(relation, &sample);
        }
        for ((column, described), sampled) in wanted.iter().zip(&sample.columns) {
            base::check_for_interrupts()?;
            self.put_statistics(relation, column, described, sampled, sample.total)?;
        }
        let now_us = self.state.transaction_start_us();
        let key = (self.database_of(relation), relation.oid);
        self.put_sizes(relation, sample.pages, sample.total)?;
        self.engine.activity.analyzed(key, sample.total, now_us, false);
        if work.vacuum {
            self.engine.activity.vacuumed(key, sample.total, now_us);
        }
        Ok(())
    }

    fn tell_sample(&self, relation: &Relation, sample: &sample::Sample) {
        let (name, pages) = (&relation.name, sample.pages);
        let text = format!(
            "\"{name}\": scanned {pages} of {pages} pages, containing {:.0} live rows and 0 dead \
             rows; {} rows in sample, {:.0} estimated total rows",
            if sample.whole { sample.rows as f64 } else { sample.total },
            sample.rows,
            sample.total
        );
        self.state.notice(NoticeSeverity::Info, err!(SUCCESSFUL_COMPLETION, "{text}"));
    }

    /// What a column's statistics are made by.
    fn described(&self, column: &Column, target: usize) -> Result<Described> {
        let (type_oid, _) = self.catalog.base_type(column.type_oid, column.typmod)?;
        let mut described = Described {
            type_oid,
            layout: crate::storage::layout(&self.catalog, column)?,
            len: column.len,
            collation: column.collation,
            equal: Oid::INVALID,
            less: Oid::INVALID,
            target,
        };
        if let Some(class) = self.catalog.opclass_for(BTREE, type_oid)? {
            let operator = |strategy| {
                let input = class.input_type;
                self.catalog.family_operator(class.family, input, input, strategy)
            };
            described.equal = operator(3)?.unwrap_or(Oid::INVALID);
            described.less = operator(1)?.unwrap_or(Oid::INVALID);
        }
        Ok(described)
    }

    fn put_statistics(
        &self,
        relation: &Relation,
        column: &Column,
        described: &Described,
        sampled: &Sampled,
        rows: f64,
    ) -> Result<()> {
        let host = self.value_io().host;
        let Some(mut found) = compute::column(host, described, sampled, rows)? else {
            return Ok(());
        };
        // What the owner knows better.
        let given = column.options.iter().find_map(|option| option.strip_prefix("n_distinct="));
        if let Some(distinct) = given.and_then(|text| text.parse().ok()) {
            found.distinct = distinct;
        }
        self.catalog.put_column_statistics(relation.oid, column.attribute, &found)
    }

    /// Tidies up what is due and gives free pages at the end of a table's files back to the file
    /// system.
    fn give_back_pages(&self, relation: &Relation) -> Result<()> {
        self.engine.storage.purge(LEAVES_A_VACUUM)?;
        self.engine.storage.tables().tree(relation.file)?.shrink(1)?;
        for index in &relation.indexes {
            self.engine.trees.index(index.file, &index.name)?.shrink(1)?;
        }
        Ok(())
    }

    /// Counts the rows of a table: VACUUM.
    fn count_table(&self, relation: &Arc<Relation>) -> Result<()> {
        let table = self.open_table(relation)?;
        let sample = self.sample(&table, &[], ROWS_PER_TARGET * 100)?;
        self.put_sizes(relation, sample.pages, sample.total)?;
        let key = (self.database_of(relation), relation.oid);
        self.engine.activity.vacuumed(key, sample.total, self.state.transaction_start_us());
        Ok(())
    }

    /// The database whose counters a relation has.
    pub(crate) fn database_of(&self, relation: &Relation) -> Oid {
        if relation.shared { Oid::INVALID } else { self.catalog.database() }
    }

    fn put_sizes(&self, relation: &Relation, pages: u64, rows: f64) -> Result<()> {
        let size = |pages: u64| RelationSize {
            pages: i32::try_from(pages).unwrap_or(i32::MAX),
            rows: rows as f32,
        };
        self.catalog.put_relation_size(relation.oid, size(pages))?;
        for index in relation.indexes.iter().filter(|index| index.predicate.is_none()) {
            let bytes = expr::server::Server::file_bytes(self, index.file.0)?;
            let pages = bytes / base::limits::BLOCK_BYTES as u64;
            self.catalog.put_relation_size(index.oid, size(pages))?;
        }
        Ok(())
    }
}

/// The attributes of a list of columns.
fn attributes(relation: &Relation, columns: &[&str]) -> Result<Vec<i16>> {
    let mut found = Vec::new();
    for name in columns {
        let column = relation.column(name).ok_or_else(|| -> Error {
            err!(
                UNDEFINED_COLUMN,
                "column \"{name}\" of relation \"{}\" does not exist",
                relation.name
            )
        })?;
        if found.contains(&column.attribute) {
            return Err(err!(
                DUPLICATE_COLUMN,
                "column \"{name}\" of relation \"{}\" appears more than once",
                relation.name
            ));
        }
        found.push(column.attribute);
    }
    Ok(found)
}
