//! Power cuts: the log is redone, losers are undone, and what is there is what was committed.

use super::*;
use std::collections::BTreeMap;
use wal::{Reader, flags, rm};

/// Starts a server from what a power cut left, by the log alone: redo of everything from its
/// beginning, then the losers' undo. The crate `recovery` does it properly.
pub(super) fn recover(disk: &SimDisk, pool_bytes: u64) -> Server {
    let disk = disk.reboot();
    let start = wal::FIRST_LSN.0.next_multiple_of(CONFIG.segment_bytes);
    let mut reader = Reader::new(Arc::new(disk.clone()), CONFIG, base::Lsn(start));
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        records.push(record);
    }
    let (end, prev) = reader.end();
    let wal = Wal::open(Arc::new(disk.clone()), CONFIG, wal::FIRST_LSN, (end, prev)).unwrap();
    let highest = records.iter().map(|record| record.xid.0).max().unwrap_or(0);
    let files = records.iter().flat_map(|r| &r.blocks).map(|block| block.file.0).max();
    let options = Options {
        next_xid: Xid(highest + 10_000),
        next_file: FileId(files.unwrap_or(0) + 100),
        ..Options::default()
    };
    let server = Server::over(disk, wal, pool_bytes, options);
    // By transaction: the record to undo next.
    let mut losers: BTreeMap<u64, base::Lsn> = BTreeMap::new();
    let pool = server.transactions.pool();
    for record in &records {
        for (number, block) in record.blocks.iter().enumerate() {
            let size = 1usize << block.log2_size;
            let file = match pool.files().open_sized(block.file, size).unwrap() {
                Some(file) => file,
                None => pool.files().create_now(block.file, size).unwrap(),
            };
            pool.redo_block(record, number, &file).unwrap();
        }
        if record.kind.manager == rm::TRANSACTION {
            losers.remove(&record.xid.0);
        } else if record.flags & flags::UNDO != 0 {
            losers.insert(record.xid.0, record.lsn);
        } else if record.is_compensation() {
            losers.insert(record.xid.0, record.undo);
        }
    }
    let by_lsn: BTreeMap<u64, &wal::Record> =
        records.iter().map(|record| (record.lsn.0, record)).collect();
    for (xid, mut next) in losers {
        while next.0 != 0 {
            let record = by_lsn[&next.0];
            if record.kind.manager == rm::TABLE {
                let body = record.undo_body().unwrap();
                server.tables.undo(Xid(xid), body, record.undo).unwrap();
            }
            next = record.undo;
        }
    }
    server
}

struct Committed {
    rows: BTreeMap<RowId, Row>,
    /// What a transaction whose commit may or may not have reached the disk would leave.
    maybe: Option<BTreeMap<RowId, Row>>,
}

/// Works until the power goes; says what must be there then.
fn work(server: &Server, table: &Table, random: &mut Random) -> Committed {
    let owner = server.owner(1);
    let mut now: BTreeMap<RowId, Row> = BTreeMap::new();
    loop {
        let before = now.clone();
        let txn = server.begin(&owner);
        let mut attempt = || -> base::Result<bool> {
            for _ in 0..1 + random.below(6) {
                step(table, &txn, random, &mut now)?;
                txn.next_command()?;
            }
            Ok(!random.one_in(4))
        };
        let outcome = match attempt() {
            Ok(true) => txn.commit(CommitOptions::default(), |_| {}).map(|_| ()),
            Ok(false) => {
                now = before.clone();
                txn.rollback()
            }
            Err(error) => {
                now = before.clone();
                Err(error)
            }
        };
        if outcome.is_err() || server.disk.is_dead() {
            let maybe = Some(now).filter(|now| *now != before);
            return Committed { rows: before, maybe };
        }
        if random.one_in(10) && server.tables.purge(20).is_err() {
            return Committed { rows: now, maybe: None };
        }
    }
}

fn step(
    table: &Table,
    txn: &Transaction,
    random: &mut Random,
    now: &mut BTreeMap<RowId, Row>,
) -> base::Result<()> {
    let number = |random: &mut Random| Some((random.below(1000) as i32).to_le_bytes().to_vec());
    if now.is_empty() || random.one_in(3) {
        let rows: Vec<Row> = (0..1 + random.below(60))
            .map(|_| vec![number(random), (!random.one_in(5)).then(|| random_text(random))])
            .collect();
        let first = table.insert(txn, &batch_of(table, &rows))?;
        now.extend(rows.into_iter().enumerate().map(|(i, row)| (RowId(first.0 + i as u64), row)));
        return Ok(());
    }
    for _ in 0..1 + random.below(20) {
        let at = RowId(random.below(now.keys().next_back().map_or(1, |row| row.0 + 1)));
        let Some((&row, _)) = now.range(at..).next() else { continue };
        let view = txn.view();
        if random.one_in(4) {
            let outcome = table.delete(txn, Basis::Seen(&view), row)?;
            assert_eq!(outcome, Outcome::Done);
            now.remove(&row);
        } else {
            let text = random_text(random);
            let columns: [(usize, Option<&[u8]>); 1] = [(1, Some(&text))];
            let outcome = table.update(txn, Basis::Seen(&view), row, &columns, false)?;
            assert_eq!(outcome, Outcome::Done);
            now.get_mut(&row).unwrap()[1] = Some(text);
        }
        drop(view);
        txn.next_command()?;
    }
    Ok(())
}

#[test]
fn after_a_power_cut_there_is_just_what_was_committed() {
    for seed in first_seed()..=first_seed().max(seeds(40)) {
        let outcome = std::panic::catch_unwind(|| {
            let mut random = Random::new(seed);
            let server = Server::new(seed, 24 * 8192);
            let table = server.table(8192, &[Shape::Int4, Shape::Text]);
            let file = table.file();
            server.disk.cut_power_at(server.disk.changes() + 20 + random.below(600));
            let committed = work(&server, &table, &mut random);
            server.disk.cut_power();
            let mut disk = server.disk.clone();
            for _ in 0..1 + random.below(2) {
                let recovered = recover(&disk, 40 * 8192);
                let table =
                    Table::open(&recovered.tables, file, table.description().clone()).unwrap();
                let found: BTreeMap<RowId, Row> =
                    scan_all(&table, &recovered.view(), &[], 1024).into_iter().collect();
                assert!(
                    found == committed.rows || Some(&found) == committed.maybe.as_ref(),
                    "{} rows are there, {} were committed; lost {:?}, gained {:?}",
                    found.len(),
                    committed.rows.len(),
                    committed
                        .rows
                        .keys()
                        .filter(|row| !found.contains_key(row))
                        .collect::<Vec<_>>(),
                    found
                        .keys()
                        .filter(|row| !committed.rows.contains_key(row))
                        .collect::<Vec<_>>(),
                );
                recovered.wal.flush(recovered.wal.inserted()).unwrap();
                recovered.disk.cut_power();
                disk = recovered.disk.clone();
            }
        });
        if let Err(panic) = outcome {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
