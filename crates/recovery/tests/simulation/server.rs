//! A server's storage on the simulated disk, and what is checked after each crash.

use crate::model::{IndexShape, Model, Row, Rows, Shape};
use base::clock::Clock;
use base::{ColumnId, CommandId, FileId, Oid, Result, RowId, Xid};
use batch::{Layout, Shape as Form};
use btree::{Belief, Cursor, Direction, Index, Range};
use disk::{Disk, SimDisk};
use memory::{Account, Heap};
use recovery::{Settings, Storage};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use table::{ColumnLayout, RowBuffer, Table, TableDescription};
use txn::{LockTag, Met, Snapshot, Tracked, View};
use wal::WalConfig;

pub(crate) const PAGE_BYTES: usize = 8192;

/// Time passes by being asked for: the same seed gives the same run.
#[derive(Default)]
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now_us(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.now_us().unsigned_abs())
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        pool_bytes: 72 * PAGE_BYTES as u64,
        spare_bytes: 2 << 20,
        // Fewer than there are trees.
        open_files_max: 5,
        wal: WalConfig {
            segment_bytes: 1 << 21,
            buffer_bytes: 1 << 20,
            timeline: 1,
            spare_segments: 2,
            reserve_bytes: 1 << 20,
            archive: false,
        },
        clock: Arc::new(Ticks::default()),
        // Tables of a few hundred rows have inner pages that split and join.
        children_max: 5,
        ..Settings::default()
    }
}

/// Who watches what a serializable transaction reads of a relation.
pub(crate) type Watch<'w> = Option<(&'w Tracked, Oid)>;

/// An index as serializable transactions know it.
pub(crate) fn index_oid(file: FileId) -> Oid {
    Oid(1_000_000 + file.0 as u32)
}

/// A table as they know it, and as its lock is called.
pub(crate) fn table_oid(table: u32) -> Oid {
    Oid(10_000 + table)
}

/// The lock tag of a table.
pub(crate) fn relation_of(table: u32) -> LockTag {
    LockTag::Relation { database: Oid(5), relation: table_oid(table) }
}

/// The open storage.
pub(crate) struct Server {
    pub(crate) disk: SimDisk,
    pub(crate) storage: Arc<Storage>,
    indexes: RefCell<HashMap<FileId, Arc<Index>>>,
}

impl Server {
    pub(crate) fn create(seed: u64, next_xid: Option<Xid>) -> Server {
        let disk = SimDisk::new(seed);
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let storage = Storage::create(shared, &settings(), next_xid, FileId(100), seed).unwrap();
        storage.checkpoint().unwrap();
        Server::over(disk, storage)
    }

    fn over(disk: SimDisk, storage: Arc<Storage>) -> Server {
        // Every second server reads each undo body that is durable from the log.
        let starts = storage.control().checkpoint.0.count_ones() % 2;
        let memory_bytes = if starts == 0 { 0 } else { usize::MAX };
        storage.transactions().versions().set_memory_bytes_max(memory_bytes);
        Server { disk, storage, indexes: RefCell::default() }
    }

    pub(crate) fn open(disk: &SimDisk) -> Result<Server> {
        let (storage, _) = Storage::open(Arc::new(disk.clone()), &settings())?;
        Ok(Server::over(disk.clone(), storage))
    }

    pub(crate) fn table(&self, file: FileId) -> Result<Table> {
        let column =
            |id, shape| ColumnLayout { id: ColumnId(id), layout: Layout { shape }, missing: None };
        let columns = vec![column(1, Form::Int8), column(2, Form::Bytes)];
        let description = TableDescription { columns, relation: Oid(1), database: Oid(5) };
        Table::open(self.storage.tables(), file, Arc::new(description))
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

    /// Forgets the trees of files that are gone.
    pub(crate) fn forget(&self, files: impl IntoIterator<Item = FileId>) {
        for file in files {
            self.storage.tables().forget(file);
            self.indexes.borrow_mut().remove(&file);
        }
    }

    pub(crate) fn view_of(&self, snapshot: Arc<Snapshot>) -> View {
        View::new(snapshot, Xid::INVALID, CommandId(0), Arc::new(Met::default()))
    }

    /// The rows of a table that a view sees.
    pub(crate) fn rows(&self, file: FileId, view: &View) -> Result<Rows> {
        let table = self.table(file)?;
        let mut rows = Rows::new();
        let mut scan = table.scan(&[0, 1], &[], table.all_rows());
        while next_rows(&mut scan, view, 256, &mut rows)? {}
        Ok(rows)
    }

    /// One row by its id.
    pub(crate) fn row(&self, file: FileId, view: &View, row: RowId) -> Result<Option<Row>> {
        let mut buffer = RowBuffer::new();
        if !self.table(file)?.fetch(view, row, &[0, 1], &mut buffer)? {
            return Ok(None);
        }
        let key = buffer.get(0).and_then(|bytes| bytes.try_into().ok()).map(i64::from_le_bytes);
        Ok(Some(Row { key: key.expect("a key"), value: buffer.get(1).map(<[u8]>::to_vec) }))
    }

    /// The entries of an index that count for a view, as far as `entries` of the cursor.
    pub(crate) fn next_entries(
        &self,
        table: FileId,
        shape: &IndexShape,
        view: &View,
        cursor: &mut Cursor,
        entries: usize,
        watch: Watch<'_>,
        found: &mut BTreeSet<(Vec<u8>, RowId)>,
    ) -> Result<bool> {
        for _ in 0..entries {
            let Some(entry) = cursor.next()? else { return Ok(false) };
            let place = (entry.key.to_vec(), entry.row);
            if let Some((tracked, relation)) = watch {
                tracked.read_row(relation, entry.row);
            }
            let counts = match entry.belief(view) {
                Belief::Live => true,
                Belief::Dead => false,
                Belief::Unsure => {
                    let row = self.row(table, view, entry.row)?;
                    row.is_some_and(|row| shape.key_of(&row) == place.0)
                }
            };
            if counts {
                assert!(found.insert(place), "an entry counts twice");
            }
        }
        Ok(true)
    }

    /// The entries of a range of an index that count for a view.
    pub(crate) fn entries(
        &self,
        table: FileId,
        shape: &IndexShape,
        view: &View,
        (range, direction): (Range, Direction),
        watch: Watch<'_>,
    ) -> Result<BTreeSet<(Vec<u8>, RowId)>> {
        if let Some((tracked, relation)) = watch {
            let (from, to) = range.keys();
            tracked.read_range((index_oid(shape.file), relation), from, to);
        }
        let mut cursor = Cursor::new(self.index(shape.file)?, range, direction);
        let mut found = BTreeSet::new();
        while self.next_entries(table, shape, view, &mut cursor, 256, watch, &mut found)? {}
        Ok(found)
    }

    /// What differs from the model; nobody runs.
    pub(crate) fn differs(&self, model: &Model) -> Result<Option<String>> {
        let files: BTreeSet<FileId> = self.storage.pool().files().list()?.into_iter().collect();
        let known = model.files();
        if files != known {
            return Ok(Some(format!("the files are {files:?} instead of {known:?}")));
        }
        if let Some(problem) = self.prepared_differ(model)? {
            return Ok(Some(problem));
        }
        for (number, (shape, expected)) in &model.tables {
            let view = self.view_of(self.storage.transactions().snapshot());
            let found = self.rows(shape.file, &view)?;
            if found != **expected {
                return Ok(Some(format!("table {number}: {}", compare(&found, expected))));
            }
            let raw = model.rows_with_prepared(*number);
            if let Some(problem) = self.trees_differ(shape, (expected, raw.as_ref()), &view)? {
                return Ok(Some(format!("table {number}: {problem}")));
            }
        }
        Ok(None)
    }

    fn trees_differ(
        &self,
        shape: &Shape,
        (rows, raw): (&Rows, Option<&Rows>),
        view: &View,
    ) -> Result<Option<String>> {
        let checked = self.storage.tables().tree(shape.file)?.check()?;
        if !checked.problems.is_empty() {
            return Ok(Some(format!("{:?}", checked.problems)));
        }
        if checked.lost > 0 {
            return Ok(Some(format!("{} of {} pages are lost", checked.lost, checked.pages)));
        }
        for index in &shape.indexes {
            let expected = entries_of(index, rows);
            if let Some(raw) = raw
                && let Some(problem) = self.index_differs(index.file, &entries_of(index, raw))?
            {
                return Ok(Some(format!("index {}: {problem}", index.file)));
            }
            let all = (Range::all(), Direction::Backward);
            let read = self.entries(shape.file, index, view, all, None)?;
            if read != expected {
                return Ok(Some(format!("index {} is read otherwise", index.file)));
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
        if checked.lost > 0 {
            return Ok(Some(format!("{} of {} pages are lost", checked.lost, checked.pages)));
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

/// The entries that rows have in an index.
pub(crate) fn entries_of(index: &IndexShape, rows: &Rows) -> BTreeSet<(Vec<u8>, RowId)> {
    rows.iter().map(|(id, row)| (index.key_of(row), *id)).collect()
}

/// The next rows of a scan; false at its end.
pub(crate) fn next_rows(
    scan: &mut table::Scan,
    view: &View,
    demand: usize,
    rows: &mut Rows,
) -> Result<bool> {
    let heap = Heap::new("simulation", Account::unlimited());
    let Some(found) = scan.next_batch(view, &heap, demand)? else { return Ok(false) };
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
        let before = rows.insert(found.rows[at], Arc::new(Row { key, value }));
        assert!(before.is_none(), "row {} is met twice", found.rows[at]);
    }
    Ok(true)
}

pub(crate) fn compare(found: &Rows, expected: &Rows) -> String {
    let lost: Vec<_> = expected.keys().filter(|row| !found.contains_key(row)).take(5).collect();
    let gained: Vec<_> = found.keys().filter(|row| !expected.contains_key(row)).take(5).collect();
    let other = |row: &&RowId| found.get(row).is_some_and(|value| *value != expected[row]);
    let changed: Vec<_> = expected.keys().filter(other).take(5).collect();
    format!("lost {lost:?}, gained {gained:?}, changed {changed:?}")
}
