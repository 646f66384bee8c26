//! Some of the scenarios that the storage rules want to be tested first, numbered as there: 3,
//! prepared transactions, 4, a rollback without room, 9, idle holders over many transaction ids, and
//! 10, a large update that dies.
//!
//! `TRANSACTIONS=n` and `ROWS=n` make them larger.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

use base::{ColumnId, CommandId, FileId, Oid, RowId, SessionId, Xid};
use batch::{Layout, Shape};
use disk::{Disk, SimDisk};
use recovery::{Background, Pace, Settings, Storage};
use std::sync::Arc;
use std::time::Duration;
use table::{Basis, ColumnLayout, Outcome, RowBuffer, RowChange, Table, TableDescription};
use txn::{
    Acquired, CommitOptions, Isolation, LockMode, LockTag, Met, Owner, RowLockMode, Transaction,
    View, WaitPolicy,
};
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

/// A table of byte strings.
fn byte_table(server: &Server, file: FileId) -> Table {
    let layout = Layout { shape: Shape::Bytes };
    let columns = vec![ColumnLayout { id: ColumnId(1), layout, missing: None }];
    let description = TableDescription { columns, relation: Oid(1), database: Oid(5) };
    Table::open(server.storage.tables(), file, Arc::new(description)).unwrap()
}

fn bytes_of(table: &Table, view: &View, row: RowId) -> Vec<u8> {
    let mut buffer = RowBuffer::new();
    assert!(table.fetch(view, row, &[0], &mut buffer).unwrap(), "row {row} is missing");
    buffer.get(0).unwrap().to_vec()
}

fn set_bytes(table: &Table, txn: &Transaction, row: RowId, value: &[u8]) {
    txn.xid_or_draw().unwrap();
    let columns = [(0, Some(value))];
    let outcome = table.update(txn, Basis::Seen(&txn.view()), row, &columns, false).unwrap();
    assert_eq!(outcome, Outcome::Done);
    txn.next_command().unwrap();
}

fn assert_whole(server: &Server, file: FileId) {
    let checked = server.storage.tables().tree(file).unwrap().check().unwrap();
    assert_eq!((checked.lost, checked.problems), (0, Vec::new()));
}

/// Scenario 4 (storage rules 13 and 14): a value shrinks, its neighbours take the room, the disk is
/// full, and the value comes back: by rollback, or by recovery, which dies twice on the way.
#[test]
fn a_rollback_finds_room_for_what_others_have_taken_on_a_full_disk() {
    for part in 0..8 {
        let disk = SimDisk::new(400 + part);
        let server = Server::create(&disk);
        let txn = server.begin(0);
        let file = server.storage.tables().create(&txn, PAGE_BYTES).unwrap().file();
        let table = byte_table(&server, file);
        let mut random = disk::Random::new(part);
        let mut text = |len: usize| (0..len).map(|_| random.below(256) as u8).collect::<Vec<u8>>();
        let before: Vec<Vec<u8>> = (0..8).map(|_| text(950)).collect();
        for value in &before {
            table.insert_row(&txn, &[Some(value)]).unwrap();
        }
        commit(&txn);
        let shrinks = server.begin(1);
        for row in 1..=4 {
            set_bytes(&table, &shrinks, RowId(row), b"x");
        }
        let fills = server.begin(2);
        let mut filled: Vec<Vec<u8>> = (0..4).map(|_| text(1020)).collect();
        for (value, row) in filled.iter().zip(5..) {
            set_bytes(&table, &fills, RowId(row), value);
        }
        for _ in 0..3 {
            filled.push(text(1020));
            table.insert_row(&fills, &[filled.last().map(|value| &value[..])]).unwrap();
        }
        commit(&fills);
        let pages = server.storage.tables().tree(file).unwrap().pages().unwrap();
        assert_eq!(pages, (2, 0), "all of it is on one leaf");
        disk.set_capacity(Some(disk.used()));
        let mut server = server;
        if part == 0 {
            shrinks.rollback().unwrap();
            drop((table, txn, shrinks, fills));
        } else {
            server.storage.wal().flush(server.storage.wal().inserted()).unwrap();
            disk.cut_power_at(disk.changes() + part);
            // Perhaps it is over before the power goes.
            let rolled_back = shrinks.rollback();
            disk.cut_power();
            drop((rolled_back, table, txn, shrinks, fills, server));
            let mut disk = disk.reboot();
            for attempt in 0..2 {
                disk.cut_power_at(disk.changes() + 1 + attempt * 9 + part);
                drop(Server::open(&disk));
                disk.cut_power();
                disk = disk.reboot();
            }
            server = Server::open(&disk).unwrap();
        }
        let table = byte_table(&server, file);
        for (row, value) in (1..).zip(before[..4].iter().chain(&filled)) {
            assert_eq!(bytes_of(&table, &server.now(), RowId(row)), *value, "part {part}, {row}");
        }
        assert_whole(&server, file);
    }
}

/// Storage rule 9: what waits to be tidied up waits also across a shutdown.
#[test]
fn a_shutdown_forgets_no_long_value_that_waits_to_be_freed() {
    let disk = SimDisk::new(4);
    let server = Server::create(&disk);
    let txn = server.begin(0);
    let file = server.storage.tables().create(&txn, PAGE_BYTES).unwrap().file();
    let table = byte_table(&server, file);
    let mut random = disk::Random::new(4);
    let mut long = || (0..40_000).map(|_| random.below(256) as u8).collect::<Vec<u8>>();
    let row = table.insert_row(&txn, &[Some(&long())]).unwrap();
    commit(&txn);
    let txn = server.begin(0);
    set_bytes(&table, &txn, row, &long());
    commit(&txn);
    drop((txn, table));
    server.storage.close().unwrap();
    drop(server);
    let server = Server::open(&disk.reboot()).unwrap();
    for _ in 0..3 {
        server.storage.transactions().housekeeping(100);
        server.storage.purge(100).unwrap();
    }
    assert_whole(&server, file);
    let (pages, free) = server.storage.tables().tree(file).unwrap().pages().unwrap();
    assert!(free >= 4, "{free} of {pages} pages are free");
}

/// Scenario 3 (storage rule 16): a prepared transaction over two crashes, with what it changed, its
/// row lock, its lock on the table and what it has read; then it commits, or rolls back, and a third
/// crash changes nothing.
#[test]
fn a_prepared_transaction_keeps_versions_and_locks_over_crashes() {
    for commits in [true, false] {
        let mut disk = SimDisk::new(16);
        let server = Server::create(&disk);
        let table = server.make_table(5);
        let file = table.file();
        let relation = LockTag::Relation { database: Oid(5), relation: Oid(1) };
        let txn = server.storage.transactions().begin(&server.owners[1], Isolation::Serializable);
        let view = txn.view();
        txn.tracked().unwrap().read_relation(Oid(1));
        txn.lock(relation, LockMode::RowExclusive, WaitPolicy::Try).unwrap();
        set(&table, &txn, RowId(1), 7);
        let mode = RowLockMode::KeyShare;
        let shared = table.lock_row(&txn, Basis::Seen(&view), RowId(2), mode).unwrap();
        assert_eq!(shared, Outcome::Done);
        txn.prepare("p", Oid(10), 5).unwrap();
        drop((table, view, txn, server));
        for crash in 0..2 {
            disk.cut_power();
            disk = disk.reboot();
            let server = Server::open(&disk).unwrap();
            check_prepared(&server, file, relation);
            if crash == 0 {
                server.storage.checkpoint().unwrap();
            }
        }
        disk.cut_power();
        disk = disk.reboot();
        let server = Server::open(&disk).unwrap();
        let claimed = server.storage.transactions().prepared().claim("p", |_| Ok(())).unwrap();
        match commits {
            true => drop(claimed.transaction().commit(CommitOptions::default(), |_| {}).unwrap()),
            false => claimed.transaction().rollback().unwrap(),
        }
        claimed.done();
        server.storage.wal().flush(server.storage.wal().inserted()).unwrap();
        drop(server);
        disk.cut_power();
        let server = Server::open(&disk.reboot()).unwrap();
        assert!(server.storage.transactions().prepared().rows().is_empty());
        let expected = if commits { 7 } else { 0 };
        assert_eq!(value(&server.table(file), &server.now(), RowId(1)), expected);
        let txn = server.begin(0);
        let free = txn.lock(relation, LockMode::AccessExclusive, WaitPolicy::Try).unwrap();
        assert_eq!(free, Acquired::Granted);
    }
}

/// What others meet while it is prepared.
fn check_prepared(server: &Server, file: FileId, relation: LockTag) {
    let table = server.table(file);
    let transactions = server.storage.transactions();
    assert_eq!(value(&table, &server.now(), RowId(1)), 0, "others see the old value");
    let other = server.begin(0);
    other.xid_or_draw().unwrap();
    let view = other.view();
    let update = |row, key_changed| {
        let columns = [(0, Some(&9_i64.to_le_bytes()[..]))];
        table.update(&other, Basis::Seen(&view), row, &columns, key_changed).unwrap()
    };
    assert!(matches!(update(RowId(1), false), Outcome::BeingModified(_)));
    assert_eq!(update(RowId(2), true), Outcome::Locked, "KEY SHARE keeps the key");
    assert_eq!(table.delete(&other, Basis::Seen(&view), RowId(2)).unwrap(), Outcome::Locked);
    assert_eq!(update(RowId(2), false), Outcome::Done, "and only the key");
    let all = other.lock(relation, LockMode::AccessExclusive, WaitPolicy::Try).unwrap();
    assert_eq!(all, Acquired::NotAvailable);
    drop(view);
    other.rollback().unwrap();
    // With whom it had conflicts, nobody knows any more: it counts as having one out to somebody who
    // had committed before, and so nobody may come before it.
    let third = transactions.begin(&server.owners[2], Isolation::Serializable);
    set(&table, &third, RowId(3), 1);
    let tracked = third.tracked().unwrap().clone();
    tracked.read_row(Oid(1), RowId(1));
    assert_eq!(value(&table, &third.view().tracked_by(Some(&tracked)), RowId(1)), 0);
    let ended = tracked.check().and_then(|()| third.commit(CommitOptions::default(), |_| {}));
    assert_eq!(ended.unwrap_err().sqlstate().as_str(), "40001");
    third.rollback().unwrap();
}

/// Storage rule 14: a rollback that needs more room than the log keeps for it waits on a full disk,
/// and checkpoints give it room.
#[test]
fn a_long_rollback_waits_on_a_full_disk_and_ends_well() {
    let disk = SimDisk::new(77);
    let server = Server::create(&disk);
    let mut random = disk::Random::new(77);
    let mut text = |len: usize| (0..len).map(|_| random.below(256) as u8).collect::<Vec<u8>>();
    let txn = server.begin(0);
    let file = server.storage.tables().create(&txn, PAGE_BYTES).unwrap().file();
    let table = byte_table(&server, file);
    let before: Vec<Vec<u8>> = (0..8000).map(|_| text(900)).collect();
    for value in &before {
        table.insert_row(&txn, &[Some(value)]).unwrap();
    }
    commit(&txn);
    let changes = server.begin(1);
    for row in (1..=before.len() as u64).step_by(8) {
        set_bytes(&table, &changes, RowId(row), b"x");
    }
    // Each page that the rollback comes to needs its image again.
    server.storage.checkpoint().unwrap();
    let wal = server.storage.wal();
    let left = wal.undo_reserved() + settings().wal.reserve_bytes;
    disk.set_capacity(Some(disk.used()));
    let from = wal.inserted().0;
    let pace = Pace { every: Duration::from_secs(3600), ..Default::default() };
    let background = Background::start(&server.storage, pace, |error| panic!("{error:?}")).unwrap();
    changes.rollback().unwrap();
    let written = wal.inserted().0 - from;
    assert!(written > left + SEGMENT_BYTES, "{written} bytes of log are no more than {left}");
    drop(background);
    for (row, value) in (1..).zip(&before) {
        assert_eq!(bytes_of(&table, &server.now(), RowId(row)), *value, "row {row}");
    }
    assert_whole(&server, file);
}
