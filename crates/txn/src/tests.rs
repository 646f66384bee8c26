//! Transactions over a toy table: rows in memory under one mutex, which stands for the latch.

use crate::*;
use base::{CommandId, Csn, FileId, Lsn, Oid, PageNo, Result, RowId, SessionId, Xid};
use buffer::{Pool, PoolConfig};
use disk::{Random, SimDisk};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use wal::{RecordBuilder, Wal, WalConfig, rm};

const FILE: FileId = FileId(77);
const PAGE: PageNo = PageNo(3);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Row {
    stamp: Xid,
    mark: Mark,
    value: u64,
}

/// The table. Its undo bodies: row id, stamp, mark, value before; mark 255: nothing before.
struct Table {
    rows: Mutex<BTreeMap<RowId, Row>>,
    wal: Arc<Wal>,
}

fn body(row: RowId, before: Option<Row>) -> Vec<u8> {
    let before = before.unwrap_or(Row { stamp: Xid(0), mark: Mark(255), value: 0 });
    let mut out = row.0.to_le_bytes().to_vec();
    out.extend_from_slice(&before.stamp.0.to_le_bytes());
    out.extend_from_slice(&before.value.to_le_bytes());
    out.push(before.mark.0);
    out
}

fn parse(body: &[u8]) -> (RowId, Option<Row>) {
    let number = |at: usize| u64::from_le_bytes(body[at..at + 8].try_into().unwrap());
    let row = Row { stamp: Xid(number(8)), value: number(16), mark: Mark(body[24]) };
    (RowId(number(0)), (row.mark.0 != 255).then_some(row))
}

impl Undo for Table {
    fn undo(&self, xid: Xid, body: &[u8], undo_next: Lsn) -> Result<()> {
        let (row, before) = parse(body);
        let mut rows = self.rows.lock();
        assert_eq!(rows.get(&row).map(|row| row.stamp), Some(xid), "undo finds its own stamp");
        match before {
            Some(before) => rows.insert(row, before),
            None => rows.remove(&row),
        };
        let mut record = RecordBuilder::new(rm::TABLE, 9);
        record.transaction(xid, undo_next).compensation();
        let room = self.wal.ensure_room(record.size())?;
        self.wal.append(room, &mut record);
        Ok(())
    }

    fn merge(&self, newer: &[u8], older: &[u8]) -> Option<Vec<u8>> {
        // The value is all there is: the older one is what counts.
        assert_eq!((newer.len(), older.len()), (8, 8));
        Some(older.to_vec())
    }

    fn columns(&self, image: &[u8]) -> Option<u64> {
        assert_eq!(image.len(), 8);
        Some(1)
    }
}

struct Server {
    transactions: Arc<Transactions>,
    table: Arc<Table>,
}

impl Server {
    fn new(options: Options) -> Server {
        let wal = Wal::create(
            Arc::new(SimDisk::new(1)),
            WalConfig { segment_bytes: 1 << 20, buffer_bytes: 1 << 19, ..WalConfig::default() },
        );
        let wal = wal.unwrap();
        let config = PoolConfig {
            bytes: 16 * 8192,
            open_files_max: 4,
            account: None,
            huge_pages: false,
            managers: Vec::new(),
        };
        let pool = Pool::new(wal.clone(), config).unwrap();
        let transactions = Transactions::new(pool, options);
        let table = Arc::new(Table { rows: Mutex::default(), wal });
        transactions.register_undo(rm::TABLE, table.clone());
        Server { transactions, table }
    }

    fn owner(&self, pid: u32) -> Arc<Owner> {
        let owner = self.transactions.register(SessionId(pid), Oid(5));
        owner.set_deadlock_timeout_ms(20);
        owner
    }

    fn begin(&self, owner: &Arc<Owner>) -> Transaction {
        self.transactions.begin(owner, Isolation::ReadCommitted)
    }

    fn log(&self, txn: &Transaction, body: &[u8]) -> Lsn {
        let mut record = RecordBuilder::new(rm::TABLE, 1);
        record.transaction(txn.xid(), txn.last_undo()).undo_body(body);
        let room = self.table.wal.ensure_room(record.size()).unwrap();
        self.table.wal.append(room, &mut record)
    }

    /// Writes a row: insert, update, or delete (no value). The error is 40P01.
    fn write(&self, txn: &Transaction, row: RowId, value: Option<u64>) -> Result<()> {
        let xid = txn.xid_or_draw()?;
        loop {
            let mut rows = self.table.rows.lock();
            let old = rows.get(&row).copied();
            if let Some(old) = old.filter(|old| old.stamp != xid)
                && matches!(txn.status(old.stamp), XidStatus::Running | XidStatus::Aborting)
            {
                drop(rows);
                txn.wait_for_xid(old.stamp)?;
                continue;
            }
            let gone = old.is_none_or(|old| old.mark.is_deleted());
            if gone && (old.is_some() || value.is_none()) {
                return Ok(());
            }
            let body = body(row, old);
            let (kind, records, new) = match (old, value) {
                (None, Some(value)) => (
                    VersionKind::Inserts,
                    VersionRows::Run(row, 1),
                    Row { stamp: xid, mark: Mark::INSERTED, value },
                ),
                (Some(old), value) => {
                    let before =
                        RowBefore { row, stamp: old.stamp, mark: old.mark, image: (16, 8) };
                    let mark = if value.is_some() { Mark::CHANGED } else { Mark::DELETED };
                    let kind =
                        if value.is_some() { VersionKind::Update } else { VersionKind::Delete };
                    let new = Row { stamp: xid, mark, value: value.unwrap_or(old.value) };
                    (kind, VersionRows::Rows(ChangedRows::new(&[before])), new)
                }
                (None, None) => unreachable!("a row that is not there is not deleted"),
            };
            let version = txn.version(rm::TABLE, kind, false, records, &body)?;
            let lsn = self.log(txn, &body);
            rows.insert(row, new);
            txn.push(Some((FILE, PAGE)), version, lsn);
            return Ok(());
        }
    }

    /// What a view sees.
    fn read(&self, view: &View) -> BTreeMap<u64, u64> {
        let (rows, chain) = {
            let rows = self.table.rows.lock();
            (rows.clone(), self.transactions.versions().chain(FILE, PAGE))
        };
        thread::yield_now();
        let (mut seen, mut path) = (BTreeMap::new(), Vec::new());
        for (id, row) in rows {
            match chain.resolve(view, id, row.stamp, row.mark, &mut path).unwrap() {
                Resolved::Absent => {}
                Resolved::Current => {
                    seen.insert(id.0, row.value);
                }
                Resolved::Older => {
                    let (version, index) = path.last().unwrap();
                    let VersionRows::Rows(rows) = &version.rows else { panic!("{version:?}") };
                    let at = rows.get(*index).unwrap().image.0 as usize;
                    let value = version
                        .with_body(|body| u64::from_le_bytes(body[at..at + 8].try_into().unwrap()))
                        .unwrap();
                    seen.insert(id.0, value);
                }
            }
        }
        seen
    }
}

fn commit(txn: &Transaction) -> Csn {
    txn.commit(CommitOptions::default(), |_| {}).unwrap().unwrap_or_default()
}

type State = BTreeMap<u64, u64>;
/// What each commit did.
type Log = Vec<(Csn, Vec<(u64, Option<u64>)>)>;

/// Sessions write at random; afterwards every snapshot that was read must equal the model's state
/// at its CSN.
fn histories(seed: u64, memory_bytes: usize) {
    let server = Arc::new(Server::new(Options::default()));
    server.transactions.versions().set_memory_bytes_max(memory_bytes);
    let log: Arc<Mutex<Log>> = Arc::default();
    let reads: Arc<Mutex<Vec<(Csn, State)>>> = Arc::default();
    let threads: Vec<_> = (0..4_u64)
        .map(|n| {
            let (server, log, reads) = (server.clone(), log.clone(), reads.clone());
            thread::spawn(move || {
                let owner = server.owner(n as u32 + 1);
                let mut random = Random::new(seed * 100 + n);
                let mut next_row = 1000 * (n + 1);
                let mut held = None;
                for _ in 0..60 {
                    if random.one_in(4) {
                        let snapshot = server.transactions.snapshot();
                        let view = View::new(snapshot, Xid(0), CommandId(0), Arc::default());
                        held = Some(view);
                    }
                    if let Some(view) = &held {
                        let seen = server.read(view);
                        reads.lock().push((view.snapshot().csn(), seen));
                    }
                    session(&server, &owner, &mut random, &mut next_row, &log);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let mut log = std::mem::take(&mut *log.lock());
    log.sort_by_key(|(csn, _)| *csn);
    let reads = std::mem::take(&mut *reads.lock());
    assert!(reads.len() > 50 && log.len() > 50);
    for (csn, seen) in reads {
        let mut expected = State::new();
        for (_, changes) in log.iter().take_while(|(at, _)| *at <= csn) {
            for (row, value) in changes {
                match value {
                    Some(value) => expected.insert(*row, *value),
                    None => expected.remove(row),
                };
            }
        }
        assert_eq!(seen, expected, "seed {seed}, csn {csn}");
    }
    let owner = server.owner(99);
    let txn = server.begin(&owner);
    server.write(&txn, RowId(5), Some(5)).unwrap();
    commit(&txn);
    for _ in 0..3 {
        server.transactions.housekeeping(1000);
    }
    assert_eq!(server.transactions.map_len(), 0, "seed {seed}");
    assert!(!server.transactions.versions().has_chain(FILE, PAGE), "seed {seed}");
}

/// One transaction of a session, with savepoints, own reads, and its end.
fn session(
    server: &Server,
    owner: &Arc<Owner>,
    random: &mut Random,
    next_row: &mut u64,
    log: &Mutex<Log>,
) {
    let txn = server.begin(owner);
    let mut changes: Vec<(u64, Option<u64>)> = Vec::new();
    let mut marks = Vec::new();
    for _ in 0..random.below(8) {
        if random.one_in(4) {
            marks.push((txn.savepoint(), changes.len()));
        }
        if random.one_in(6)
            && let Some((mark, len)) = marks.pop()
        {
            txn.rollback_to(mark).unwrap();
            txn.release_savepoint(mark);
            changes.truncate(len);
        }
        let row = if random.one_in(3) {
            *next_row += 1;
            *next_row
        } else {
            random.below(6) + 1
        };
        let value = (!random.one_in(5)).then(|| random.next_u64() >> 8);
        let before = txn.last_undo();
        if server.write(&txn, RowId(row), value).is_err() {
            // A deadlock.
            txn.rollback().unwrap();
            return;
        }
        if txn.last_undo() != before {
            changes.push((row, value));
        }
        if random.one_in(3) {
            own_reads(server, &txn, &changes);
        }
    }
    if random.one_in(3) {
        txn.rollback().unwrap();
    } else {
        let csn = commit(&txn);
        if csn != Csn::INVALID {
            log.lock().push((csn, changes));
        }
    }
}

/// Own changes are visible to the next command, not to the running one.
fn own_reads(server: &Server, txn: &Transaction, changes: &[(u64, Option<u64>)]) {
    txn.next_command().unwrap();
    let next_command = server.read(&txn.view());
    let last: BTreeMap<u64, Option<u64>> = changes.iter().copied().collect();
    for (row, value) in &last {
        assert_eq!(next_command.get(row), value.as_ref(), "row {row}");
    }
}

#[test]
fn every_snapshot_equals_the_state_at_its_csn() {
    for seed in 0..8 {
        histories(seed, usize::MAX);
    }
}

/// The same when memory lets go of all that is durable, and packs the rest.
#[test]
fn every_snapshot_equals_the_state_at_its_csn_when_memory_is_short() {
    for seed in 0..8 {
        histories(seed, 0);
    }
}

/// Rule 7 of the version store: an XID that is absent counts as committed.
#[test]
fn what_is_undone_leaves_no_record_behind_when_memory_is_short() {
    let server = Server::new(Options::default());
    let (owner, versions) = (server.owner(1), server.transactions.versions());
    versions.set_memory_bytes_max(0);
    let setup = server.begin(&owner);
    (1..=40).for_each(|row| server.write(&setup, RowId(row), Some(0)).unwrap());
    commit(&setup);
    let old = View::new(server.transactions.snapshot(), Xid(0), CommandId(0), Arc::default());
    for to_savepoint in [true, false] {
        let txn = server.begin(&owner);
        let mark = txn.savepoint();
        for row in (1..=40).chain(1..=40) {
            server.write(&txn, RowId(row), Some(row)).unwrap();
            server.table.wal.flush(server.table.wal.inserted()).unwrap();
        }
        let records = |row| versions.chain(FILE, PAGE).last_command(RowId(row), txn.xid());
        assert!((1..=40).all(|row| records(row).is_some()));
        if to_savepoint {
            txn.rollback_to(mark).unwrap();
        } else {
            txn.rollback().unwrap();
        }
        assert!((1..=40).all(|row| records(row).is_none()), "to savepoint: {to_savepoint}");
        if to_savepoint {
            commit(&txn);
        }
    }
    assert_eq!(server.read(&old), (1..=40).map(|row| (row, 0)).collect());
}

/// Rule 9 of the version store.
#[test]
fn a_run_of_rows_inserted_one_by_one_may_be_taken_back_from_a_savepoint_in_its_middle() {
    for memory_bytes in [usize::MAX, 0] {
        let server = Server::new(Options::default());
        let (owner, versions) = (server.owner(1), server.transactions.versions());
        versions.set_memory_bytes_max(memory_bytes);
        let old = View::new(server.transactions.snapshot(), Xid(0), CommandId(0), Arc::default());
        let txn = server.begin(&owner);
        let insert = |rows: std::ops::RangeInclusive<u64>| {
            for row in rows {
                server.write(&txn, RowId(row), Some(row)).unwrap();
                // Memory lets go of what is durable.
                server.table.wal.flush(server.table.wal.inserted()).unwrap();
            }
        };
        let state = |rows: &[u64]| rows.iter().map(|row| (*row, *row)).collect::<State>();
        let records = || versions.chain(FILE, PAGE).len();
        insert(1..=30);
        let mark = txn.savepoint();
        insert(31..=50);
        assert_eq!(records(), 1, "one command, one run");
        txn.rollback_to(mark).unwrap();
        // The same command goes on, and the next.
        insert(51..=52);
        assert_eq!(records(), 2, "a run that lost rows does not go on");
        txn.next_command().unwrap();
        let (cursor, mark) = (txn.view(), txn.savepoint());
        insert(53..=54);
        server.write(&txn, RowId(7), None).unwrap();
        let first: Vec<u64> = (1..=30).chain(51..=52).collect();
        assert_eq!(server.read(&cursor), state(&first), "{memory_bytes}");
        txn.next_command().unwrap();
        let all = first.iter().copied().chain(53..=54).filter(|row| *row != 7);
        assert_eq!(server.read(&txn.view()), state(&all.collect::<Vec<_>>()));
        assert_eq!(server.read(&old), State::new());
        txn.rollback_to(mark).unwrap();
        txn.next_command().unwrap();
        assert_eq!(server.read(&txn.view()), state(&first), "{memory_bytes}");
        commit(&txn);
        assert_eq!(server.read(&old), State::new());
        drop((old, cursor));
        let last = server.begin(&owner);
        server.write(&last, RowId(1), Some(1)).unwrap();
        commit(&last);
        assert_eq!(server.read(&server.begin(&owner).view()), state(&first));
        server.transactions.housekeeping(1000);
        server.transactions.housekeeping(1000);
        assert!(!versions.has_chain(FILE, PAGE));
        assert_eq!(versions.bytes(), 0, "all memory is accounted for");
    }
}

/// Rule 9 of the version store: each of the chains that a split makes may have the run go on.
#[test]
fn a_run_that_a_split_divides_is_one_again_after_a_merge() {
    let server = Server::new(Options::default());
    let (owner, store) = (server.owner(1), server.transactions.versions());
    let (txn, other) = (server.begin(&owner), PageNo(9));
    let insert = |page: PageNo, row: u64, count: u64| {
        let rows = VersionRows::Run(RowId(row), count);
        let version = txn.version(rm::TABLE, VersionKind::Inserts, false, rows, &[0; 25]).unwrap();
        let lsn = server.log(&txn, &[0; 25]);
        txn.push(Some((FILE, page)), version, lsn);
    };
    let finds = |page: PageNo, row: u64| {
        let mut path = Vec::new();
        let chain = store.chain(FILE, page);
        chain.resolve(&txn.view(), RowId(row), txn.xid(), Mark::INSERTED, &mut path).is_ok()
    };
    (10..15).for_each(|row| insert(PAGE, row, 1));
    insert(PAGE, 15, 5);
    let before = store.chain(FILE, PAGE);
    store.split(FILE, PAGE, other, RowId(15));
    (20..25).for_each(|row| insert(other, row, 1));
    assert!((10..15).all(|row| finds(PAGE, row)) && (15..25).all(|row| finds(other, row)));
    assert!(!finds(PAGE, 9) && !finds(other, 25) && !finds(PAGE, 20));
    let error = before.resolve(&txn.view(), RowId(20), txn.xid(), Mark::INSERTED, &mut Vec::new());
    assert!(error.is_err(), "what a reader holds does not change");
    store.merge(FILE, PAGE, other);
    assert!((10..25).all(|row| finds(PAGE, row)));
    assert_eq!(store.chain(FILE, PAGE).len(), 1, "one run, not two");
    // Not a neighbour, another command.
    insert(PAGE, 27, 1);
    txn.next_command().unwrap();
    insert(PAGE, 28, 1);
    assert_eq!(store.chain(FILE, PAGE).len(), 3);
    let command = |row| store.chain(FILE, PAGE).last_command(RowId(row), txn.xid());
    assert_eq!(
        [24, 26, 27, 28].map(command),
        [Some(CommandId(0)), None, Some(CommandId(0)), Some(CommandId(1))]
    );
}

/// Storage rule 10.
#[test]
fn a_command_does_not_see_its_own_changes_and_a_cursor_keeps_its_view() {
    let server = Server::new(Options::default());
    let owner = server.owner(1);
    let txn = server.begin(&owner);
    let before_all = txn.view();
    server.write(&txn, RowId(1), Some(10)).unwrap();
    assert_eq!(server.read(&txn.view()), State::new());
    assert_eq!(server.read(&before_all), State::new());
    txn.next_command().unwrap();
    let cursor = txn.view();
    assert_eq!(server.read(&cursor), State::from([(1, 10)]));
    server.write(&txn, RowId(1), Some(11)).unwrap();
    server.write(&txn, RowId(1), Some(12)).unwrap();
    txn.next_command().unwrap();
    server.write(&txn, RowId(1), None).unwrap();
    assert_eq!(server.read(&cursor), State::from([(1, 10)]));
    assert_eq!(server.read(&txn.view()), State::from([(1, 12)]));
    txn.next_command().unwrap();
    assert_eq!(server.read(&txn.view()), State::new());
    commit(&txn);
    assert_eq!(server.read(&before_all), State::new());
}

#[test]
fn repeatable_read_keeps_its_snapshot_and_read_committed_does_not() {
    let server = Server::new(Options::default());
    let (a, b) = (server.owner(1), server.owner(2));
    let repeatable = server.transactions.begin(&a, Isolation::RepeatableRead);
    assert_eq!(server.read(&repeatable.view()), State::new());
    let committed = server.transactions.begin(&b, Isolation::ReadCommitted);
    let writer = server.begin(&server.owner(3));
    server.write(&writer, RowId(1), Some(1)).unwrap();
    assert_eq!(server.read(&committed.view()), State::new());
    commit(&writer);
    assert_eq!(server.read(&committed.view()), State::from([(1, 1)]));
    assert_eq!(server.read(&repeatable.view()), State::new());
}

/// Storage rule 21.
#[test]
fn rollback_to_a_savepoint_wakes_who_waits_for_a_row_it_restores() {
    let server = Arc::new(Server::new(Options::default()));
    let (a, b) = (server.owner(1), server.owner(2));
    let setup = server.begin(&a);
    server.write(&setup, RowId(1), Some(1)).unwrap();
    commit(&setup);
    let holder = server.begin(&a);
    let mark = holder.savepoint();
    server.write(&holder, RowId(1), Some(2)).unwrap();
    let (on, owner) = (server.clone(), b.clone());
    let waiter = thread::spawn(move || {
        let txn = on.begin(&owner);
        on.write(&txn, RowId(1), Some(3)).unwrap();
        commit(&txn);
    });
    while !b.is_waiting() {
        thread::yield_now();
    }
    holder.rollback_to(mark).unwrap();
    waiter.join().unwrap();
    commit(&holder);
    let view = View::new(server.transactions.snapshot(), Xid(0), CommandId(0), Arc::default());
    assert_eq!(server.read(&view), State::from([(1, 3)]));
}

/// Storage rule 11.
#[test]
fn a_missing_version_record_is_corruption_and_never_an_absent_row() {
    let server = Server::new(Options::default());
    let owner = server.owner(1);
    let snapshot = server.transactions.snapshot();
    let txn = server.begin(&owner);
    let xid = txn.xid_or_draw().unwrap();
    let view = View::new(snapshot, Xid(0), CommandId(0), Arc::default());
    let mut path = Vec::new();
    let chain = Chain::default();
    let chain_error =
        |mark| chain.resolve(&view, RowId(1), xid, mark, &mut Vec::new()).unwrap_err();
    assert_eq!(chain_error(Mark::DELETED).sqlstate().as_str(), "XX001");
    let error = chain.resolve(&view, RowId(1), xid, Mark::CHANGED, &mut path).unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "XX001");
    let inserted = chain.resolve(&view, RowId(1), xid, Mark::INSERTED, &mut path).unwrap();
    assert_eq!(inserted, Resolved::Absent);
    let own = txn.view();
    assert!(chain.resolve(&own, RowId(1), xid, Mark::INSERTED, &mut path).is_err());
    txn.rollback().unwrap();
}

/// Storage rule 11.
#[test]
fn splits_and_merges_take_runs_along() {
    let server = Server::new(Options::default());
    let (owner, store) = (server.owner(1), server.transactions.versions());
    let txn = server.begin(&owner);
    let version = txn
        .version(rm::TABLE, VersionKind::Inserts, false, VersionRows::Run(RowId(10), 20), &[0; 25])
        .unwrap();
    let lsn = server.log(&txn, &[0; 25]);
    txn.push(Some((FILE, PAGE)), version, lsn);
    let other = PageNo(9);
    let finds = |page: PageNo, row: u64| {
        let mut path = Vec::new();
        let chain = store.chain(FILE, page);
        chain.resolve(&txn.view(), RowId(row), txn.xid(), Mark::INSERTED, &mut path).is_ok()
    };
    store.split(FILE, PAGE, other, RowId(15));
    assert!(finds(PAGE, 14) && finds(other, 15));
    store.split(FILE, other, PageNo(10), RowId(40));
    assert!(!finds(PageNo(10), 29));
    store.merge(FILE, PAGE, other);
    assert!(finds(PAGE, 29));
    assert_eq!(store.chain(FILE, PAGE).len(), 1, "one record, not two");
    assert!(!store.has_chain(FILE, other) || store.chain(FILE, other).is_empty());
}

#[test]
fn xids_run_across_every_edge_and_end_with_an_error() {
    for next in [(1 << 31) - 3, (1 << 32) - 3, (1 << 33) - 3, (1 << 48) - 3] {
        let server = Server::new(Options { next_xid: Xid(next), ..Options::default() });
        let owner = server.owner(1);
        for n in 0..6 {
            let txn = server.begin(&owner);
            server.write(&txn, RowId(1), Some(n)).unwrap();
            assert_eq!(txn.xid(), Xid(next + n));
            commit(&txn);
        }
        let view = server.begin(&owner).view();
        assert_eq!(server.read(&view), State::from([(1, 5)]));
    }
    let server = Server::new(Options { next_xid: Xid((1 << 63) - 5000), ..Options::default() });
    let owner = server.owner(1);
    let mut drawn = 0;
    let error = loop {
        let txn = server.begin(&owner);
        match txn.xid_or_draw() {
            Ok(_) => drawn += 1,
            Err(error) => break error,
        }
        txn.rollback().unwrap();
    };
    assert_eq!(error.sqlstate().as_str(), "54000");
    assert!(drawn >= 4096, "{drawn}");
    server.read(&server.begin(&owner).view());
}

/// Storage rule 12.
#[test]
fn an_idle_writer_and_an_old_snapshot_do_not_make_the_map_or_the_chain_grow() {
    let server = Server::new(Options::default());
    let (idle, owner) = (server.owner(1), server.owner(2));
    let setup = server.begin(&owner);
    server.write(&setup, RowId(1), Some(0)).unwrap();
    commit(&setup);
    let idle = server.begin(&idle);
    idle.xid_or_draw().unwrap();
    for n in 0..500 {
        let txn = server.begin(&owner);
        server.write(&txn, RowId(1), Some(n)).unwrap();
        commit(&txn);
    }
    assert!(server.transactions.map_len() < 10, "{}", server.transactions.map_len());
    let chain = server.transactions.versions().chain(FILE, PAGE);
    assert!(chain.len() < 20);
    let old = View::new(server.transactions.snapshot(), Xid(0), CommandId(0), Arc::default());
    for n in 500..1000 {
        let txn = server.begin(&owner);
        server.write(&txn, RowId(1), Some(n)).unwrap();
        commit(&txn);
    }
    assert!(server.transactions.map_len() < 10, "{}", server.transactions.map_len());
    let records = server.transactions.versions().chain(FILE, PAGE).len();
    assert!(records < 40, "{records} records behind an old snapshot");
    assert_eq!(server.read(&old), State::from([(1, 499)]));
    idle.rollback().unwrap();
}

#[test]
fn who_waited_for_a_lock_has_met_the_commit_that_released_it() {
    let server = Arc::new(Server::new(Options::default()));
    let (a, b) = (server.owner(1), server.owner(2));
    let tag = LockTag::Relation { database: Oid(5), relation: Oid(1) };
    let holder = server.begin(&a);
    holder.lock(tag, LockMode::AccessExclusive, WaitPolicy::Block).unwrap();
    holder.xid_or_draw().unwrap();
    let (on, owner) = (server.clone(), b.clone());
    let waiter = thread::spawn(move || {
        let txn = on.begin(&owner);
        txn.lock(tag, LockMode::AccessShare, WaitPolicy::Block).unwrap();
        let met = txn.met().highest();
        on.transactions.wait_met(txn.met()).unwrap();
        (met, on.table.wal.flushed())
    });
    while !b.is_waiting() {
        thread::yield_now();
    }
    let csn = commit(&holder);
    let (met, flushed) = waiter.join().unwrap();
    assert_eq!(met, csn);
    assert!(flushed.0 >= csn.0);
}

#[test]
fn a_checkpoint_learns_of_unresolved_transactions() {
    let server = Server::new(Options::default());
    let owner = server.owner(1);
    let txn = server.begin(&owner);
    assert_eq!(server.transactions.active(), []);
    server.write(&txn, RowId(1), Some(1)).unwrap();
    let first = txn.last_undo();
    txn.next_command().unwrap();
    server.write(&txn, RowId(1), Some(2)).unwrap();
    let expected = ActiveTransaction {
        xid: txn.xid(),
        first_undo: first,
        last_undo: txn.last_undo(),
        in_flight: Lsn(0),
    };
    assert_eq!(server.transactions.active(), [expected]);
    let body = body(RowId(1), None);
    txn.version(rm::TABLE, VersionKind::Other, false, VersionRows::None, &body).unwrap();
    assert_eq!(server.transactions.active()[0].in_flight, server.table.wal.inserted());
    commit(&txn);
    assert_eq!(server.transactions.active(), []);
}

/// Storage rule 22.
#[test]
fn counters_are_logged_ahead_and_file_ids_never_come_twice() {
    let server = Server::new(Options::default());
    let files: Vec<_> = (0..200).map(|_| server.transactions.draw_file().unwrap()).collect();
    assert!(files.windows(2).all(|pair| pair[0] < pair[1]));
    let (xid, oid, file) = server.transactions.counters();
    assert!(file > files[199] && xid >= server.transactions.next_xid());
    let first = server.transactions.draw_oid().unwrap();
    assert_eq!(first, Oid::FIRST_NORMAL);
    assert!(oid >= u64::from(first.0));
    server.transactions.restore_counters(xid, (1 << 32) - 1, file);
    assert_eq!(server.transactions.draw_oid().unwrap(), Oid(u32::MAX));
    assert_eq!(server.transactions.draw_oid().unwrap(), Oid::FIRST_NORMAL, "wraps");
    assert!(server.transactions.draw_file().unwrap() >= file);
}
