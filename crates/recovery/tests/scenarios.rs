//! Two of the scenarios that the storage rules want to be tested first, numbered as there: 9, idle
//! holders over many transaction ids, and 10, a large update that dies.
//!
//! `TRANSACTIONS=n` and `ROWS=n` make them larger.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

use base::{ColumnId, CommandId, FileId, Oid, RowId, SessionId, Xid};
use batch::{Layout, Shape};
use disk::{Disk, SimDisk};
use recovery::{Settings, Storage};
use std::sync::Arc;
use table::{Basis, ColumnLayout, Outcome, RowBuffer, RowChange, Table, TableDescription};
use txn::{CommitOptions, Isolation, Met, Owner, Transaction, View};
use wal::WalConfig;

const PAGE_BYTES: usize = 8192;
const SEGMENT_BYTES: u64 = 1 << 20;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn settings() -> Settings {
    Settings {
        pool_bytes: 256 * PAGE_BYTES as u64,
        spare_bytes: 1 << 20,
        wal: WalConfig {
            segment_bytes: SEGMENT_BYTES,
            buffer_bytes: 1 << 20,
            timeline: 1,
            spare_segments: 2,
            reserve_bytes: 1 << 19,
            archive: false,
        },
        ..Settings::default()
    }
}

struct Server {
    storage: Arc<Storage>,
    owners: Vec<Arc<Owner>>,
}

impl Server {
    fn create(disk: &SimDisk) -> Server {
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let storage = Storage::create(shared, &settings(), None, FileId(100), 1).unwrap();
        storage.checkpoint().unwrap();
        Server::over(storage)
    }

    fn over(storage: Arc<Storage>) -> Server {
        let owner = |pid| storage.transactions().register(SessionId(pid), Oid(5));
        Server { owners: (1..=3).map(owner).collect(), storage }
    }

    fn open(disk: &SimDisk) -> base::Result<Server> {
        Ok(Server::over(Storage::open(Arc::new(disk.clone()), &settings())?.0))
    }

    fn begin(&self, session: usize) -> Transaction {
        self.storage.transactions().begin(&self.owners[session], Isolation::ReadCommitted)
    }

    fn table(&self, file: FileId) -> Table {
        let layout = Layout { shape: Shape::Int8 };
        let columns = vec![ColumnLayout { id: ColumnId(1), layout, missing: None }];
        let description = TableDescription { columns, relation: Oid(1), database: Oid(5) };
        Table::open(self.storage.tables(), file, Arc::new(description)).unwrap()
    }

    /// A table with so many rows, all of the value 0.
    fn make_table(&self, rows: u64) -> Table {
        let txn = self.begin(0);
        let file = self.storage.tables().create(&txn, PAGE_BYTES).unwrap().file();
        let table = self.table(file);
        for _ in 0..rows {
            table.insert_row(&txn, &[Some(&0_i64.to_le_bytes())]).unwrap();
        }
        commit(&txn);
        table
    }

    fn now(&self) -> View {
        let snapshot = self.storage.transactions().snapshot();
        View::new(snapshot, Xid::INVALID, CommandId(0), Arc::new(Met::default()))
    }
}

fn commit(txn: &Transaction) {
    txn.commit(CommitOptions::default(), |_| {}).unwrap();
}

fn value(table: &Table, view: &View, row: RowId) -> i64 {
    let mut buffer = RowBuffer::new();
    assert!(table.fetch(view, row, &[0], &mut buffer).unwrap(), "row {row} is missing");
    i64::from_le_bytes(buffer.get(0).unwrap().try_into().unwrap())
}

fn set(table: &Table, txn: &Transaction, row: RowId, value: i64) {
    txn.xid_or_draw().unwrap();
    let columns = [(0, Some(&value.to_le_bytes()[..]))];
    let outcome = table.update(txn, Basis::Seen(&txn.view()), row, &columns, false).unwrap();
    assert_eq!(outcome, Outcome::Done);
    txn.next_command().unwrap();
}

/// Scenario 9 (storage rules 2, 12 and 15): an idle writer and an idle snapshot while 10^9
/// transaction ids go by.
#[test]
fn idle_holders_keep_neither_map_nor_log_nor_chains_over_a_thousand_million_ids() {
    let disk = SimDisk::new(9);
    let server = Server::create(&disk);
    let table = server.make_table(50);
    let transactions = server.storage.transactions();
    let idle = server.begin(0);
    set(&table, &idle, RowId(50), 7);
    let old = server.now();
    let count = number("TRANSACTIONS", 6000);
    let (mut map_max, mut bytes_max, mut segments_max) = (0, 0, 0);
    for n in 1..=count {
        // Nobody has to live through the ids in between: they were drawn and have ended.
        let next = Xid(transactions.next_xid().0 + 1_000_000_000 / count);
        transactions.restore_counters(next, 0, FileId(0));
        let txn = server.begin(1);
        set(&table, &txn, RowId(1 + n % 10), n as i64);
        txn.commit(CommitOptions { sync: n % 50 == 0, ..CommitOptions::default() }, |_| {})
            .unwrap();
        map_max = map_max.max(transactions.map_len());
        bytes_max = bytes_max.max(transactions.versions().bytes());
        if n % 500 == 0 {
            server.storage.checkpoint().unwrap();
            segments_max = segments_max.max(disk.list("pg_wal").unwrap().len());
        }
    }
    assert!(transactions.next_xid() > Xid(1_000_000_000));
    // Fifty commits wait for their flush; the writer itself; nothing else.
    assert!(map_max < 100, "{map_max} ids in the map");
    assert!(bytes_max < 200_000, "{bytes_max} bytes of versions");
    assert!(segments_max < 8, "{segments_max} segments of the log");
    for row in 1..=50 {
        assert_eq!(value(&table, &old, RowId(row)), 0, "what the old snapshot sees of row {row}");
    }
    idle.rollback().unwrap();
    assert_eq!(value(&table, &server.now(), RowId(50)), 0);
    let last = value(&table, &server.now(), RowId(1 + count % 10));
    assert_eq!(last, count as i64);
}

/// Scenario 10 (storage rules 13 and 14): an update of everything is cancelled near its end and
/// dies while it rolls back, and again while recovery does.
#[test]
fn a_large_update_that_dies_while_it_is_rolled_back_leaves_nothing() {
    let rows = number("ROWS", 3000);
    for part in 0..6 {
        let disk = SimDisk::new(10 + part);
        let server = Server::create(&disk);
        let table = server.make_table(rows);
        let txn = server.begin(1);
        txn.xid_or_draw().unwrap();
        let value_bytes = 99_i64.to_le_bytes();
        let columns = [(0, Some(&value_bytes[..]))];
        let change = RowChange::Update { columns: &columns, key_changed: false };
        let view = txn.view();
        // At 99 %.
        for row in 1..=rows * 99 / 100 {
            table.change_rows(&txn, &view, &[(RowId(row), change)]).unwrap();
        }
        if part % 2 == 0 {
            server.storage.checkpoint().unwrap();
        }
        disk.cut_power_at(disk.changes() + 1 + part * 3);
        // Perhaps it is over before the power goes.
        let rolled_back = txn.rollback();
        let file = table.file();
        disk.cut_power();
        drop(rolled_back);
        drop((table, view, txn, server));
        // Recovery dies as well, later each time.
        let mut disk = disk.reboot();
        for attempt in 0..4 {
            disk.cut_power_at(disk.changes() + 1 + attempt * 9);
            drop(Server::open(&disk));
            disk = disk.reboot();
        }
        let server = Server::open(&disk).unwrap();
        let table = server.table(file);
        let view = server.now();
        for row in 1..=rows {
            assert_eq!(value(&table, &view, RowId(row)), 0, "part {part}, row {row}");
        }
        let checked = server.storage.tables().tree(file).unwrap().check().unwrap();
        assert_eq!(checked.problems, Vec::<String>::new());
    }
}

/// Scenario 10, second half (storage rule 3): a commit whose record the crash takes away was told
/// to nobody, and whoever has met it waits.
#[test]
fn a_commit_that_is_not_flushed_at_the_crash_was_told_to_nobody() {
    let disk = SimDisk::new(3);
    let server = Server::create(&disk);
    let table = server.make_table(2);
    let txn = server.begin(1);
    set(&table, &txn, RowId(1), 5);
    disk.cut_power_at(disk.changes() + 1);
    let told = txn.commit(CommitOptions::default(), |_| {});
    assert!(told.is_err_and(|error| error.fields().severity == base::Severity::Panic));
    // Published, and so seen, but not durable: the reader cannot tell anybody either.
    let view = server.now();
    let met = Arc::new(Met::default());
    let view = View::new(view.snapshot().clone(), Xid::INVALID, CommandId(0), met.clone());
    assert_eq!(value(&table, &view, RowId(1)), 5);
    assert!(met.highest().0 > server.storage.wal().flushed().0);
    assert!(server.storage.transactions().wait_met(&met).is_err());
    let file = table.file();
    drop((table, view, txn, server));
    // Nothing of the log's last write arrives with this seed.
    let server = Server::open(&disk.reboot()).unwrap();
    let found = value(&server.table(file), &server.now(), RowId(1));
    assert!(found == 0 || found == 5, "{found}");
}

/// Storage rule 9: what waits to be tidied up waits also across a shutdown.
#[test]
fn a_shutdown_forgets_no_long_value_that_waits_to_be_freed() {
    let disk = SimDisk::new(4);
    let server = Server::create(&disk);
    let layout = Layout { shape: Shape::Bytes };
    let columns = vec![ColumnLayout { id: ColumnId(1), layout, missing: None }];
    let description = Arc::new(TableDescription { columns, relation: Oid(1), database: Oid(5) });
    let txn = server.begin(0);
    let file = server.storage.tables().create(&txn, PAGE_BYTES).unwrap().file();
    let table = Table::open(server.storage.tables(), file, description).unwrap();
    let mut random = disk::Random::new(4);
    let mut long = || (0..40_000).map(|_| random.below(256) as u8).collect::<Vec<u8>>();
    let row = table.insert_row(&txn, &[Some(&long())]).unwrap();
    commit(&txn);
    let txn = server.begin(0);
    txn.xid_or_draw().unwrap();
    let value = long();
    let columns = [(0, Some(&value[..]))];
    let outcome = table.update(&txn, Basis::Seen(&txn.view()), row, &columns, false).unwrap();
    assert_eq!(outcome, Outcome::Done);
    commit(&txn);
    drop((txn, table));
    server.storage.close().unwrap();
    drop(server);
    let server = Server::open(&disk.reboot()).unwrap();
    for _ in 0..3 {
        server.storage.transactions().housekeeping(100);
        server.storage.purge(100).unwrap();
    }
    let checked = server.storage.tables().tree(file).unwrap().check().unwrap();
    assert_eq!((checked.lost, checked.problems), (0, Vec::new()));
    let (pages, free) = server.storage.tables().tree(file).unwrap().pages().unwrap();
    assert!(free >= 4, "{free} of {pages} pages are free");
}
