//! A server's storage on the simulated disk, and what is checked after each crash.

use crate::model::{Model, Row, Rows, Trees, key_bytes, value_bytes};
use base::{ColumnId, CommandId, FileId, Oid, Result, RowId, Xid};
use batch::{Layout, Shape};
use btree::Index;
use disk::SimDisk;
use memory::{Account, Heap};
use recovery::{Settings, Storage};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use table::{ColumnLayout, Table, TableDescription};
use txn::{Met, Snapshot, View};
use wal::WalConfig;

pub(crate) const PAGE_BYTES: usize = 8192;

pub(crate) fn settings() -> Settings {
    Settings {
        pool_bytes: 72 * PAGE_BYTES as u64,
        spare_bytes: 2 << 20,
        wal: WalConfig {
            segment_bytes: 1 << 21,
            buffer_bytes: 1 << 20,
            timeline: 1,
            spare_segments: 2,
            reserve_bytes: 1 << 20,
        },
        ..Settings::default()
    }
}

/// The open storage.
pub(crate) struct Server {
    pub(crate) disk: SimDisk,
    pub(crate) storage: Arc<Storage>,
    indexes: RefCell<HashMap<FileId, Arc<Index>>>,
}

impl Server {
    pub(crate) fn create(seed: u64) -> Server {
        let disk = SimDisk::new(seed);
        let storage =
            Storage::create(Arc::new(disk.clone()), &settings(), None, FileId(100), seed).unwrap();
        storage.checkpoint().unwrap();
        Server::over(disk, storage)
    }

    fn over(disk: SimDisk, storage: Arc<Storage>) -> Server {
        Server { disk, storage, indexes: RefCell::default() }
    }

    pub(crate) fn open(disk: &SimDisk) -> Result<Server> {
        let (storage, _) = Storage::open(Arc::new(disk.clone()), &settings())?;
        Ok(Server::over(disk.clone(), storage))
    }

    pub(crate) fn table(&self, trees: &Trees) -> Result<Table> {
        let column =
            |id, shape| ColumnLayout { id: ColumnId(id), layout: Layout { shape }, missing: None };
        let columns = vec![column(1, Shape::Int8), column(2, Shape::Bytes)];
        let description = TableDescription { columns, relation: Oid(1), database: Oid(5) };
        Table::open(self.storage.tables(), trees.table, Arc::new(description))
    }

    pub(crate) fn index(&self, file: FileId) -> Result<Arc<Index>> {
        if let Some(index) = self.indexes.borrow().get(&file) {
            return Ok(index.clone());
        }
        let tree = self.storage.pool().files().open(file)?;
        let index = Arc::new(Index::open(self.storage.transactions(), tree, "index")?);
        self.indexes.borrow_mut().insert(file, index.clone());
        Ok(index)
    }

    /// Forgets the trees that are gone.
    pub(crate) fn forget(&self, trees: &Trees) {
        self.storage.tables().forget(trees.table);
        self.indexes.borrow_mut().remove(&trees.unique);
        self.indexes.borrow_mut().remove(&trees.values);
    }

    pub(crate) fn view_of(&self, snapshot: Arc<Snapshot>) -> View {
        View::new(snapshot, Xid::INVALID, CommandId(0), Arc::new(Met::default()))
    }

    /// The rows of a table that a view sees.
    pub(crate) fn rows(&self, trees: &Trees, view: &View) -> Result<Rows> {
        let table = self.table(trees)?;
        let heap = Heap::new("simulation", Account::unlimited());
        let mut rows = Rows::new();
        let mut scan = table.scan(&[0, 1], &[], table.all_rows());
        while let Some(found) = scan.next_batch(view, &heap, 256)? {
            for at in found.batch.rows() {
                let key = match found.batch.column(0).get(at) {
                    types::Datum::Int8(key) => key,
                    other => panic!("the key {other:?}"),
                };
                let value = match found.batch.column(1).get(at) {
                    types::Datum::Null => None,
                    types::Datum::Bytes(bytes) => Some(bytes.to_vec()),
                    other => panic!("the value {other:?}"),
                };
                assert!(rows.insert(found.rows[at], Row { key, value }).is_none());
            }
        }
        Ok(rows)
    }

    /// What differs from the model; nobody runs.
    pub(crate) fn differs(&self, model: &Model) -> Result<Option<String>> {
        let files: BTreeSet<FileId> = self.storage.pool().files().list()?.into_iter().collect();
        let known: BTreeSet<FileId> =
            model.tables.values().flat_map(|t| [t.table, t.unique, t.values]).collect();
        if files != known {
            return Ok(Some(format!("the files are {files:?} instead of {known:?}")));
        }
        for (number, trees) in &model.tables {
            let view = self.view_of(self.storage.transactions().snapshot());
            let (found, expected) = (self.rows(trees, &view)?, model.rows(*number));
            if found != expected {
                return Ok(Some(format!("table {number}: {}", compare(&found, &expected))));
            }
            let checked = self.storage.tables().tree(trees.table)?.check()?;
            if !checked.problems.is_empty() {
                return Ok(Some(format!("table {number}: {:?}", checked.problems)));
            }
            let unique = expected.iter().map(|(row, value)| (key_bytes(value.key), *row));
            let values =
                expected.iter().map(|(row, value)| (value_bytes(value.value.as_deref()), *row));
            for (file, entries) in
                [(trees.unique, unique.collect()), (trees.values, values.collect())]
            {
                if let Some(problem) = self.index_differs(file, &entries)? {
                    return Ok(Some(format!("index {file} of table {number}: {problem}")));
                }
            }
        }
        Ok(None)
    }

    fn index_differs(
        &self,
        file: FileId,
        expected: &BTreeSet<(Vec<u8>, RowId)>,
    ) -> Result<Option<String>> {
        let mut live: BTreeMap<(Vec<u8>, RowId), u32> = BTreeMap::new();
        let checked = self.index(file)?.check(|key, row, _, dead, _| {
            if !dead {
                *live.entry((key.to_vec(), row)).or_default() += 1;
            }
        })?;
        if !checked.problems.is_empty() {
            return Ok(Some(format!("{:?}", checked.problems)));
        }
        let found: BTreeSet<(Vec<u8>, RowId)> = live.into_keys().collect();
        if found == *expected {
            return Ok(None);
        }
        let missing: Vec<_> = expected.difference(&found).take(3).collect();
        let strange: Vec<_> = found.difference(expected).take(3).collect();
        Ok(Some(format!("missing {missing:?}, too many {strange:?}")))
    }
}

fn compare(found: &Rows, expected: &Rows) -> String {
    let lost: Vec<_> = expected.keys().filter(|row| !found.contains_key(row)).take(5).collect();
    let gained: Vec<_> = found.keys().filter(|row| !expected.contains_key(row)).take(5).collect();
    let other = |row: &&RowId| found.get(row).is_some_and(|value| *value != expected[row]);
    let changed: Vec<_> = expected.keys().filter(other).take(5).collect();
    format!("lost {lost:?}, gained {gained:?}, changed {changed:?}")
}
