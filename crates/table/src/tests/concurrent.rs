//! Threads on one table with a pool of few frames.

use super::*;

/// The sum over a column of bigints.
fn sum(table: &Table, view: &View) -> i64 {
    let rows = scan_all(table, view, &[], 1024);
    rows.iter()
        .map(|(_, row)| i64::from_le_bytes(row[0].as_deref().unwrap().try_into().unwrap()))
        .sum()
}

/// Adds to a row under READ COMMITTED, as an UPDATE does: waits, looks at the latest version, tries
/// again.
fn add(table: &Table, txn: &Transaction, row: RowId, amount: i64, filler: &[u8]) {
    let mut out = RowBuffer::new();
    let view = txn.view();
    assert!(table.fetch(&view, row, &[0], &mut out).unwrap());
    let mut latest = None;
    loop {
        let old = i64::from_le_bytes(out.get(0).unwrap().try_into().unwrap());
        let new = (old + amount).to_le_bytes();
        let basis = match latest {
            None => Basis::Seen(&view),
            Some(stamp) => Basis::Latest(&view, stamp),
        };
        let columns: [(usize, Option<&[u8]>); 2] = [(0, Some(&new)), (1, Some(filler))];
        let outcome = table.update(txn, basis, row, &columns, false).unwrap();
        if outcome == Outcome::Done {
            return;
        }
        assert!(outcome.must_wait() || outcome == Outcome::Updated, "{outcome:?}");
        loop {
            match table.fetch_latest(txn, row, &[0], &mut out).unwrap() {
                Latest::Found(stamp) => {
                    latest = Some(stamp);
                    break;
                }
                Latest::BeingModified(xid) => txn.wait_for_xid(xid).unwrap(),
                other => panic!("{other:?}"),
            }
        }
        table.wait(txn, row, txn::RowLockMode::NoKeyUpdate, outcome, None).unwrap();
    }
}

fn move_money(server: &Server, table: &Table, thread: u64, rows: u64, rounds: u64) {
    let mut random = Random::new(thread * 77 + 5);
    let owner = server.owner(thread as u32 + 1);
    for round in 0..rounds {
        let txn = server.begin(&owner);
        let (mut a, mut b) = (1 + random.below(rows), 1 + random.below(rows));
        if a == b {
            b = a % rows + 1;
        }
        // In one order, so that no deadlock ends a transaction.
        (a, b) = (a.min(b), a.max(b));
        let filler = vec![b'f'; random.below(200) as usize];
        add(table, &txn, RowId(a), -7, &filler);
        txn.next_command().unwrap();
        add(table, &txn, RowId(b), 7, &filler);
        if round % 3 == 0 {
            let row: Row = vec![Some(0i64.to_le_bytes().to_vec()), Some(filler)];
            table.insert(&txn, &batch_of(table, &vec![row; 30])).unwrap();
        }
        if random.one_in(4) {
            txn.rollback().unwrap();
        } else {
            commit(&txn);
        }
        if random.one_in(20) {
            server.tables.purge(10).unwrap();
        }
    }
}

#[test]
fn sums_stay_while_threads_update_insert_roll_back_and_split_with_few_frames() {
    let server = Server::new(11, 24 * 8192);
    let table = server.table(8192, &[Shape::Int8, Shape::Text]);
    let owner = server.owner(1);
    let txn = server.begin(&owner);
    let rows: Vec<Row> =
        (0..400).map(|_| vec![Some(1000i64.to_le_bytes().to_vec()), Some(vec![])]).collect();
    table.insert(&txn, &batch_of(&table, &rows)).unwrap();
    commit(&txn);
    std::thread::scope(|scope| {
        for thread in 1..4 {
            let (server, table) = (&server, &table);
            scope.spawn(move || move_money(server, table, thread, 400, 400));
        }
        for _ in 0..30 {
            assert_eq!(sum(&table, &server.view()), 400_000);
        }
    });
    assert_eq!(sum(&table, &server.view()), 400_000);
}
