//! The catalogs on real trees over the simulated disk.

use super::*;
use crate::bootstrap::{self, structure};
use crate::columns::{index, pg_class, pg_namespace};
use crate::{Catalog, SharedCache};
use base::SessionId;
use buffer::{Pool, PoolConfig};
use disk::SimDisk;
use std::rc::Rc;
use txn::{CommitOptions, Isolation, Options};
use wal::{Wal, WalConfig};

struct Server {
    trees: Arc<Trees>,
    database: Arc<SharedCache>,
    cluster: Arc<SharedCache>,
}

impl Server {
    fn new() -> Server {
        let wal = Wal::create(Arc::new(SimDisk::new(1)), WalConfig::default()).unwrap();
        let managers = vec![btree::MANAGER, table::RESOURCE_MANAGER];
        let config = PoolConfig {
            bytes: 64 << 20,
            open_files_max: 4,
            account: None,
            huge_pages: false,
            managers,
        };
        let pool = Pool::new(wal, config).unwrap();
        let options = Options { next_file: FileId(files::FIRST_NORMAL), ..Options::default() };
        let transactions = Transactions::new(Arc::clone(&pool), options);
        btree::register(&transactions);
        let trees = Trees::new(Tables::new(transactions));
        let start = std::time::Instant::now();
        bootstrap::build(&trees, Account::unlimited()).unwrap();
        println!("bootstrap: {:?}", start.elapsed());
        let cache = || Arc::new(SharedCache::new());
        Server { trees, database: cache(), cluster: cache() }
    }

    fn session(&self, number: u32) -> Session {
        let (database, first) = bootstrap::database_files()[2];
        let account = Account::unlimited();
        let store = Rc::new(TreeStore::new(Arc::clone(&self.trees), database, first, account));
        let (cache, cluster) = (Arc::clone(&self.database), Arc::clone(&self.cluster));
        let door: Rc<dyn Store> = store.clone();
        let catalog = Catalog::new(door, cache, cluster, database, first, Oid(10));
        catalog.set_search_path(vec!["public".into()]);
        let owner = self.trees.transactions().register(SessionId(number), database);
        Session { store, catalog, owner }
    }
}

struct Session {
    store: Rc<TreeStore>,
    catalog: Catalog,
    owner: Arc<txn::Owner>,
}

impl Session {
    fn begin(&self) -> Arc<Transaction> {
        let transactions = self.store.trees.transactions();
        let txn = Arc::new(transactions.begin(&self.owner, Isolation::ReadCommitted));
        self.store.set_transaction(Some(Arc::clone(&txn)));
        txn
    }

    fn commit(&self, txn: &Transaction) {
        txn.commit(CommitOptions::default(), |_| self.catalog.published()).unwrap();
        self.store.set_transaction(None);
    }

    fn rollback(&self, txn: &Transaction) {
        txn.rollback().unwrap();
        self.catalog.aborted();
        self.store.set_transaction(None);
    }

    fn create_schema(&self, name: &str) -> Result<Oid> {
        use pg_namespace::*;
        let oid = self.catalog.new_oid(RELATION)?;
        let row = Row::new(RELATION).with(OID, oid).with(NSPNAME, name).with(NSPOWNER, Oid(10));
        self.catalog.insert(&row)?;
        Ok(oid)
    }

    fn rename_schema(&self, oid: Oid, name: &str) -> Result<()> {
        let key = [Value::Oid(oid)];
        let change = |row: &mut Row| {
            row.set(pg_namespace::NSPNAME, name);
            Ok(())
        };
        self.catalog.update_rows(index::PG_NAMESPACE_OID_INDEX, &key, change).map(drop)
    }

    fn schema(&self, name: &str) -> Option<Oid> {
        self.catalog.namespace_named(name).unwrap().map(|row| row.oid)
    }
}

#[test]
fn bootstrapped_trees_hold_what_bootstrap_makes() {
    let server = Server::new();
    let session = server.session(1);
    let memory = Catalog::in_memory().unwrap();
    for catalog in builtin::relations() {
        if catalog.kind != crate::rows::RelationKind::Table {
            continue;
        }
        let rows = |catalog: Vec<(RowId, Row)>| -> Vec<Row> {
            catalog.into_iter().map(|(_, row)| row).collect()
        };
        let expected = rows(memory.all_rows(catalog.oid).unwrap());
        let found = rows(session.catalog.all_rows(catalog.oid).unwrap());
        assert!(expected == found, "{} differs", catalog.name);
        for index in builtin::indexes_of(catalog.oid) {
            for row in expected.iter().take(40) {
                let key: Vec<Value> =
                    index.key.iter().map(|attribute| row.get(*attribute).clone()).collect();
                let found = session.catalog.find_rows(index.oid, &key).unwrap();
                assert!(found.iter().any(|(_, found)| found == row), "{} of {row:?}", index.name);
            }
        }
    }
}

#[test]
fn ddl_is_transactional_and_seen_by_others_after_commit() {
    let server = Server::new();
    let (one, two) = (server.session(1), server.session(2));
    assert_eq!(two.schema("s"), None);
    let txn = one.begin();
    let oid = one.create_schema("s").unwrap();
    assert_eq!(one.schema("s"), Some(oid), "own change, same command");
    assert_eq!(two.schema("s"), None, "not committed");
    one.commit(&txn);
    assert_eq!(two.schema("s"), Some(oid));

    let txn = one.begin();
    one.rename_schema(oid, "other").unwrap();
    assert_eq!((one.schema("s"), one.schema("other")), (None, Some(oid)));
    assert_eq!((two.schema("s"), two.schema("other")), (Some(oid), None));
    one.rollback(&txn);
    assert_eq!((one.schema("s"), one.schema("other")), (Some(oid), None));

    // There and back again, twice in one transaction.
    let txn = one.begin();
    for name in ["a", "s", "b", "s", "c"] {
        one.rename_schema(oid, name).unwrap();
        assert_eq!(one.schema(name), Some(oid));
    }
    one.commit(&txn);
    assert_eq!((two.schema("s"), two.schema("c")), (None, Some(oid)));

    let txn = one.begin();
    let key = [Value::Oid(oid)];
    assert_eq!(one.catalog.delete_rows(index::PG_NAMESPACE_OID_INDEX, &key).unwrap(), 1);
    assert_eq!(one.schema("c"), None);
    one.commit(&txn);
    assert_eq!(two.schema("c"), None);
    let again = one.begin();
    assert!(one.create_schema("c").is_ok(), "the name is free again");
    one.commit(&again);
}

#[test]
fn a_savepoint_takes_catalog_changes_back() {
    let server = Server::new();
    let session = server.session(1);
    let txn = session.begin();
    let kept = session.create_schema("kept").unwrap();
    txn.next_command().unwrap();
    let mark = txn.savepoint();
    session.rename_schema(kept, "renamed").unwrap();
    session.create_schema("gone").unwrap();
    txn.rollback_to(mark).unwrap();
    session.catalog.rolled_back_to_savepoint();
    assert_eq!(session.schema("kept"), Some(kept));
    assert_eq!((session.schema("renamed"), session.schema("gone")), (None, None));
    session.commit(&txn);
    assert_eq!(session.schema("kept"), Some(kept));
}

#[test]
fn a_duplicate_key_names_the_index_and_the_key() {
    let server = Server::new();
    let session = server.session(1);
    let txn = session.begin();
    let mut row = structure::class_defaults();
    row.set(pg_class::OID, Oid(20000)).set(pg_class::RELNAME, "pg_class");
    row.set(pg_class::RELNAMESPACE, Oid(11)).set(pg_class::RELKIND, b'r');
    row.set(pg_class::RELOWNER, Oid(10)).set(pg_class::RELNATTS, 0i16);
    let error = session.catalog.insert(&row).unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "23505");
    assert_eq!(
        error.message(),
        "duplicate key value violates unique constraint \"pg_class_relname_nsp_index\""
    );
    let detail = "Key (relname, relnamespace)=(pg_class, 11) already exists.";
    assert_eq!(error.fields().detail.as_deref(), Some(detail));
    session.rollback(&txn);
}
