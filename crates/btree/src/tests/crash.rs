//! Power cuts: after redo of the log and undo of the losers the tree has what was committed.

use super::*;
use base::{Lsn, Result};
use std::collections::HashMap;
use wal::Record;

const SEGMENT: u64 = 1 << 20;

fn config() -> WalConfig {
    WalConfig { segment_bytes: SEGMENT, buffer_bytes: 1 << 17, ..WalConfig::default() }
}

fn server_on(wal: Arc<Wal>, frames: u64) -> Result<Server> {
    let config = PoolConfig {
        open_files_max: 4,
        bytes: frames * 8192,
        account: None,
        huge_pages: false,
        managers: vec![MANAGER],
    };
    let pool = Pool::new(wal, config)?;
    let transactions =
        Transactions::new(pool, Options { next_xid: Xid(1000), ..Options::default() });
    register(&transactions);
    Ok(Server { transactions })
}

/// Works until the power goes. Leaves in `committed` the state after each acknowledged commit, and
/// after the one under way.
fn work(disk: &SimDisk, seed: u64, kind: u64, states: &mut [Model; 2]) -> Result<()> {
    let wal = Wal::create(Arc::new(disk.clone()), config())?;
    let config = PoolConfig {
        bytes: 16 * 8192,
        open_files_max: 4,
        account: None,
        huge_pages: false,
        managers: vec![MANAGER],
    };
    let pool = Pool::new(wal, config)?;
    let transactions = Transactions::new(pool, Options::default());
    register(&transactions);
    let server = Server { transactions };
    let owner = server.owner(1);
    let txn = server.begin(&owner);
    let file = txn.create_file(8192)?;
    let index = Arc::new(Index::create(&server.transactions, file, "i")?);
    txn.commit(CommitOptions::default(), |_| {})?;
    let mut random = Random::new(seed);
    let mut row = 1;
    loop {
        let txn = server.begin(&owner);
        let mut model = states[0].clone();
        let mut mark = None;
        let steps = if random.one_in(3) { 600 } else { 40 };
        for _ in 0..random.below(steps) {
            if random.one_in(10) {
                mark = Some((txn.savepoint(), model.clone()));
            }
            if let (true, Some((mark, then))) = (random.one_in(10), &mark) {
                txn.rollback_to(*mark)?;
                model = then.clone();
            }
            let xid = txn.xid_or_draw()?;
            if random.one_in(3) && !model.is_empty() {
                let at = random.below(model.len() as u64) as usize;
                let key = model.keys().nth(at).cloned().unwrap_or_default();
                index.mark_dead(&txn, &key.0, RowId(key.1))?;
                // Only live entries are compared: purges come at any time.
                model.remove(&key);
            } else {
                let key = random_key(&mut random, kind);
                index.insert(&txn, &key, RowId(row), b"pay")?;
                model.insert((key, row), (xid, false, b"pay".to_vec()));
                row += 1;
            }
        }
        if random.one_in(4) {
            txn.rollback()?;
            continue;
        }
        states[1] = model.clone();
        txn.commit(CommitOptions::default(), |_| {})?;
        states[0] = model;
        for (key, row) in dead_entries(&index)? {
            index.purge(&key, RowId(row))?;
        }
    }
}

fn dead_entries(index: &Arc<Index>) -> Result<Vec<Key>> {
    let mut cursor = Cursor::new(index.clone(), Range::all(), Direction::Forward);
    let mut dead = Vec::new();
    while let Some(entry) = cursor.next()? {
        if entry.dead {
            dead.push((entry.key.to_vec(), entry.row.0));
        }
    }
    Ok(dead)
}

/// What recoveries had to do, and how far the work had come.
#[derive(Default, Debug)]
struct Seen {
    losers: u64,
    undone: u64,
    cut_again: u64,
    entries: usize,
}

/// A small recovery: redo of everything from the beginning, then undo of the losers.
fn recover(disk: &SimDisk) -> Result<(Server, Seen)> {
    let shared: Arc<dyn disk::Disk> = Arc::new(disk.clone());
    let mut reader = wal::Reader::new(shared.clone(), config(), wal::FIRST_LSN);
    let mut records: Vec<Record> = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push(record);
    }
    let (end, prev) = reader.end();
    let wal = Wal::open(shared, config(), wal::FIRST_LSN, (end, prev))?;
    let server = server_on(wal, 16)?;
    let mut seen = Seen::default();
    let pool = server.transactions.pool().clone();
    let mut last: HashMap<Xid, Lsn> = HashMap::new();
    for record in &records {
        if record.kind.manager == wal::rm::FILE && record.undo_body().is_some() {
            let (file, bytes) = buffer::files::decode_create(record.undo_body().unwrap())?;
            pool.files().create_now(file, bytes)?;
        }
        for (number, block) in record.blocks.iter().enumerate() {
            let file = pool.files().open_sized(block.file, 8192)?.unwrap();
            pool.redo_block(record, number, &file)?;
        }
        if !record.xid.is_valid() {
            continue;
        }
        if record.kind.manager == wal::rm::TRANSACTION {
            last.remove(&record.xid);
        } else if record.is_compensation() {
            last.insert(record.xid, record.undo);
        } else if record.undo_body().is_some() {
            last.insert(record.xid, record.lsn);
        }
    }
    let by_lsn: HashMap<Lsn, &Record> = records.iter().map(|r| (r.lsn, r)).collect();
    for (xid, mut lsn) in last {
        seen.losers += 1;
        server.transactions.adopt_loser(xid);
        while lsn != Lsn(0) {
            let record = by_lsn[&lsn];
            let body = record.undo_body().unwrap();
            server.transactions.undo_one(record.kind.manager, xid, body, record.undo)?;
            lsn = record.undo;
            seen.undone += 1;
        }
        server.transactions.loser_undone(xid);
    }
    server.transactions.wal().flush(server.transactions.wal().inserted())?;
    Ok((server, seen))
}

fn live(server: &Server) -> Option<Model> {
    let file = server.transactions.pool().files().open(base::FileId(1)).ok()?;
    let index = Arc::new(Index::open(&server.transactions, file, "i").unwrap());
    let mut found = Model::new();
    let checked = index
        .check(|key, row, stamp, dead, payload| {
            if !dead {
                found.insert((key.to_vec(), row.0), (stamp, dead, payload.to_vec()));
            }
        })
        .unwrap();
    assert_eq!(checked.problems, Vec::<String>::new());
    Some(found)
}

fn run(seed: u64, kind: u64, cut: u64, total: &mut Seen) {
    let disk = SimDisk::new(seed);
    disk.cut_power_at(cut);
    let mut states = [Model::new(), Model::new()];
    let error = work(&disk, seed, kind, &mut states).unwrap_err();
    assert!(disk.is_dead(), "seed {seed}, cut {cut}: {error}");
    let mut disk = disk.reboot();
    // Cut recovery once as well, then let it finish.
    let mut random = Random::new(seed ^ cut);
    disk.cut_power_at(random.below(500) + 1);
    if let Err(error) = recover(&disk).map(|_| ()) {
        assert!(disk.is_dead(), "seed {seed}, cut {cut}: {error}");
        total.cut_again += 1;
    }
    if !disk.is_dead() {
        disk.cut_power();
    }
    disk = disk.reboot();
    let (server, seen) = recover(&disk).unwrap();
    total.losers += seen.losers;
    total.undone += seen.undone;
    total.entries = total.entries.max(states[0].len());
    let found = live(&server).unwrap_or_default();
    let acknowledged = found == states[0];
    // The commit that was under way may have become durable.
    assert!(acknowledged || found == states[1], "seed {seed}, cut {cut}");
}

#[test]
fn after_a_power_cut_the_tree_has_what_was_committed() {
    let mut total = Seen::default();
    for seed in 0..seeds(12) {
        let mut random = Random::new(seed);
        let cut = random.below(1500) + 1;
        run(seed, seed % 4, cut, &mut total);
    }
    println!("{total:?}");
    assert!(total.losers > 0 && total.undone > 10 && total.cut_again > 0, "{total:?}");
    assert!(total.entries > 300, "{total:?}");
}
