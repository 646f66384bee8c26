//! Many rows changed at a time.

use super::*;

fn insert_numbers(server: &Server, table: &Table, rows: i64) {
    let owner = server.owner(1);
    let txn = server.begin(&owner);
    let rows: Vec<Row> = (0..rows).map(|_| vec![Some(0_i64.to_le_bytes().to_vec())]).collect();
    for rows in rows.chunks(1000) {
        table.insert(&txn, &batch_of(table, rows)).unwrap();
    }
    commit(&txn);
}

/// One command: sets rows, which must all be there and free; none: deletes them.
fn set_all(table: &Table, txn: &Transaction, rows: &[u64], value: Option<i64>) {
    txn.xid_or_draw().unwrap();
    let view = txn.view();
    let bytes = value.unwrap_or(0).to_le_bytes();
    let columns: [(usize, Option<&[u8]>); 1] = [(0, Some(&bytes))];
    for rows in rows.chunks(256) {
        let changes: Vec<(RowId, RowChange<'_>)> = rows
            .iter()
            .map(|row| match value {
                Some(_) => {
                    (RowId(*row), RowChange::Update { columns: &columns, key_changed: false })
                }
                None => (RowId(*row), RowChange::Delete),
            })
            .collect();
        let outcomes = table.change_rows(txn, &view, &changes).unwrap();
        assert_eq!(outcomes, vec![Outcome::Done; rows.len()]);
        // Memory lets go of what is durable.
        let wal = txn.transactions().wal();
        wal.flush(wal.inserted()).unwrap();
    }
    txn.next_command().unwrap();
}

fn numbers(table: &Table, view: &View) -> Vec<i64> {
    let rows = scan_all(table, view, &[], 1024);
    rows.iter()
        .map(|(_, row)| i64::from_le_bytes(row[0].as_deref().unwrap().try_into().unwrap()))
        .collect()
}

/// Storage rule 10: 60 bytes a row would be too much for 100 million rows.
#[test]
fn the_versions_of_changes_of_all_rows_take_a_few_bytes_a_row() {
    let server = Server::new(1, 200 * 32768);
    let table = server.table(32768, &[Shape::Int8]);
    let count = 30_000;
    insert_numbers(&server, &table, count as i64);
    server.transactions.housekeeping(10_000);
    let versions = server.transactions.versions();
    assert_eq!(versions.bytes(), 0);
    versions.set_memory_bytes_max(1 << 16);
    let owner = server.owner(2);
    let all: Vec<u64> = (1..=count).collect();
    for end in [false, true] {
        let old = server.view();
        let txn = server.begin(&owner);
        set_all(&table, &txn, &all, Some(1));
        set_all(&table, &txn, &all, Some(2));
        set_all(&table, &txn, &all, None);
        let bytes = versions.bytes();
        assert!(bytes < 3 * 3 * count as usize, "{bytes} bytes of versions of three changes");
        assert_eq!(numbers(&table, &old), vec![0; count as usize]);
        assert_eq!(numbers(&table, &txn.view()), vec![0; 0]);
        if end {
            commit(&txn);
        } else {
            txn.rollback().unwrap();
            assert_eq!(numbers(&table, &server.view()), vec![0; count as usize]);
        }
    }
    assert_eq!(numbers(&table, &server.view()), vec![0; 0]);
}

/// Storage rule 12.
#[test]
fn changes_of_many_rows_do_not_pile_up_behind_an_old_snapshot() {
    let server = Server::new(2, 40 * 8192);
    let table = server.table(8192, &[Shape::Int8]);
    insert_numbers(&server, &table, 50);
    let versions = server.transactions.versions();
    let owner = server.owner(2);
    let mut random = Random::new(2);
    let (mut kept, mut bytes_max) = (Vec::new(), 0);
    for n in 1..=2000_i64 {
        if n == 1 || n == 700 {
            let view = server.view();
            kept.push((numbers(&table, &view), view));
        }
        let from = random.below(40);
        let rows: Vec<u64> = match random.below(3) {
            0 => (1..=50).collect(),
            1 => vec![1 + from],
            _ => (1 + from..=1 + from + random.below(10)).collect(),
        };
        let txn = server.begin(&owner);
        set_all(&table, &txn, &rows, Some(n));
        if random.one_in(8) {
            txn.rollback().unwrap();
        } else {
            commit(&txn);
        }
        bytes_max = bytes_max.max(versions.bytes());
        for (seen, view) in kept.iter().filter(|_| n % 50 == 0) {
            assert_eq!(&numbers(&table, view), seen, "change {n}");
        }
    }
    assert!(bytes_max < 60_000, "{bytes_max} bytes of versions");
}

/// The table stops at the first row that another transaction has changed, and touches none after it.
#[test]
fn a_batch_stops_at_a_row_of_another_transaction() {
    let server = Server::new(3, 40 * 8192);
    let table = server.table(8192, &[Shape::Int8]);
    insert_numbers(&server, &table, 9);
    let (one, other) = (server.owner(1), server.owner(2));
    let ours = server.begin(&one);
    ours.xid_or_draw().unwrap();
    let view = ours.view();
    let theirs = server.begin(&other);
    set_all(&table, &theirs, &[5], Some(7));
    let columns: [(usize, Option<&[u8]>); 1] = [(0, Some(&[1, 0, 0, 0, 0, 0, 0, 0]))];
    let change = RowChange::Update { columns: &columns, key_changed: false };
    let changes: Vec<(RowId, RowChange<'_>)> = (1..10).map(|row| (RowId(row), change)).collect();
    let outcomes = table.change_rows(&ours, &view, &changes).unwrap();
    let mut expected = vec![Outcome::Done; 4];
    expected.push(Outcome::BeingModified(theirs.xid()));
    assert_eq!(outcomes, expected);
    commit(&theirs);
    let outcomes = table.change_rows(&ours, &view, &changes[4..]).unwrap();
    assert_eq!(outcomes, [Outcome::Updated]);
    let theirs = server.begin(&other);
    set_all(&table, &theirs, &[6, 7, 8, 9], Some(8));
    commit(&theirs);
    commit(&ours);
    assert_eq!(numbers(&table, &server.view()), [1, 1, 1, 1, 7, 8, 8, 8, 8]);
}

/// Rule 3 of the space of versions.
#[test]
fn a_writer_with_most_of_the_versions_fails_at_the_limit_of_memory_and_can_go_back() {
    let server = Server::new(4, 200 * 8192);
    let table = server.table(8192, &[Shape::Int8]);
    insert_numbers(&server, &table, 20_000);
    let versions = server.transactions.versions();
    versions.set_memory_bytes_max(1 << 16);
    let limit = 1 << 18;
    versions.set_memory_bytes_limit(limit);
    let (owner, small) = (server.owner(2), server.owner(3));
    let txn = server.begin(&owner);
    set_all(&table, &txn, &[1], Some(1));
    let mark = txn.savepoint();
    let bytes = 5_i64.to_le_bytes();
    let columns: [(usize, Option<&[u8]>); 1] = [(0, Some(&bytes))];
    // In an order in which no two rows are one record.
    let error = (0..20_000).find_map(|n: u64| {
        let row = RowId(2 + n * 7919 % 19_999);
        table.update(&txn, Basis::Seen(&txn.view()), row, &columns, false).err()
    });
    let error = error.unwrap();
    assert_eq!(error.sqlstate(), base::SqlState::OUT_OF_MEMORY, "{error:?}");
    assert!(versions.bytes() < limit + limit / 4, "{} bytes of versions", versions.bytes());
    let other = server.begin(&small);
    set_all(&table, &other, &[20_000], Some(9));
    other.rollback().unwrap();
    txn.rollback_to(mark).unwrap();
    assert!(versions.bytes() < limit / 2, "{} bytes of versions", versions.bytes());
    set_all(&table, &txn, &[2, 3], Some(3));
    commit(&txn);
    assert_eq!(numbers(&table, &server.view())[..4], [1, 3, 3, 0]);
    assert_eq!(numbers(&table, &server.view()).iter().sum::<i64>(), 7);
}

/// Sets one row.
fn set_one(table: &Table, txn: &Transaction, row: u64, number: i64) {
    let bytes = number.to_le_bytes();
    let columns: [(usize, Option<&[u8]>); 1] = [(0, Some(&bytes))];
    let done = table.update(txn, Basis::Seen(&txn.view()), RowId(row), &columns, false).unwrap();
    assert_eq!(done, Outcome::Done);
}

/// Storage rule 10: what a statement a row leaves behind in memory.
#[test]
fn the_versions_of_changes_of_single_rows_take_a_few_bytes_a_row() {
    let server = Server::new(5, 200 * 32768);
    let table = server.table(32768, &[Shape::Int8]);
    let count = 20_000;
    insert_numbers(&server, &table, count as i64);
    server.transactions.housekeeping(10_000);
    let versions = server.transactions.versions();
    versions.set_memory_bytes_max(1 << 16);
    let owner = server.owner(2);
    let (old, txn) = (server.view(), server.begin(&owner));
    let row_of = |n: u64| 1 + n * 7919 % count;
    let set_each = |number| {
        for n in 0..count {
            set_one(&table, &txn, row_of(n), number);
            txn.next_command().unwrap();
            if n % 256 == 0 {
                // Memory lets go of what is durable.
                let wal = txn.transactions().wal();
                wal.flush(wal.inserted()).unwrap();
            }
        }
    };
    set_each(1);
    let (cursor, mark) = (txn.view(), txn.savepoint());
    set_each(2);
    let bytes = versions.bytes();
    assert!(bytes < 2 * 20 * count as usize, "{bytes} bytes of versions of two changes");
    assert_eq!(numbers(&table, &old), vec![0; count as usize]);
    assert_eq!(numbers(&table, &cursor), vec![1; count as usize]);
    assert_eq!(numbers(&table, &txn.view()), vec![2; count as usize]);
    txn.rollback_to(mark).unwrap();
    assert!(versions.bytes() < bytes, "what is undone is forgotten");
    txn.next_command().unwrap();
    assert_eq!(numbers(&table, &txn.view()), vec![1; count as usize]);
    assert_eq!(numbers(&table, &old), vec![0; count as usize]);
    set_one(&table, &txn, 7, 3);
    commit(&txn);
    assert_eq!(numbers(&table, &old), vec![0; count as usize]);
    assert_eq!(numbers(&table, &server.view()).iter().sum::<i64>(), count as i64 + 2);
    drop((old, cursor));
    let last = server.begin(&owner);
    set_one(&table, &last, 1, 4);
    commit(&last);
    server.transactions.housekeeping(10_000);
    assert_eq!(versions.bytes(), 0);
    assert_eq!(versions.log_bytes(), 0);
}

/// Storage rule 12: other rows each time, by transactions of their own.
#[test]
fn the_versions_that_an_old_snapshot_needs_take_a_few_bytes_a_row() {
    let server = Server::new(6, 200 * 32768);
    let table = server.table(32768, &[Shape::Int8]);
    let count = 10_000;
    insert_numbers(&server, &table, count as i64);
    server.transactions.housekeeping(10_000);
    let versions = server.transactions.versions();
    versions.set_memory_bytes_max(1 << 16);
    let owner = server.owner(2);
    let old = server.view();
    for round in 1..=4_i64 {
        for n in 0..count {
            let txn = server.begin(&owner);
            set_one(&table, &txn, 1 + n * 7919 % count, round);
            commit(&txn);
        }
        let bytes = versions.bytes();
        assert!(bytes < 60 * count as usize, "{bytes} bytes of versions in round {round}");
        assert_eq!(numbers(&table, &old), vec![0; count as usize]);
        assert_eq!(numbers(&table, &server.view()), vec![round; count as usize]);
    }
    drop(old);
    let last = server.begin(&owner);
    set_one(&table, &last, 1, 5);
    commit(&last);
    server.transactions.housekeeping(10_000);
    server.transactions.housekeeping(10_000);
    assert_eq!(versions.bytes(), 0);
    assert_eq!(versions.log_bytes(), 0);
}

/// Storage rule 10: what the rows of one statement leave behind in memory that are written one by one.
#[test]
fn the_versions_of_rows_that_are_inserted_one_by_one_take_next_to_nothing() {
    let server = Server::new(7, 200 * 32768);
    let table = server.table(32768, &[Shape::Int8]);
    let versions = server.transactions.versions();
    let most = 1 << 16;
    versions.set_memory_bytes_max(most);
    let (owner, old) = (server.owner(1), server.view());
    let txn = server.begin(&owner);
    let insert = |rows: std::ops::Range<i64>| {
        for number in rows {
            table.insert_row(&txn, &[Some(&number.to_le_bytes())]).unwrap();
            if number % 64 == 0 {
                // Memory lets go of what is durable.
                let wal = txn.transactions().wal();
                wal.flush(wal.inserted()).unwrap();
            }
        }
    };
    insert(0..12_000);
    let mark = txn.savepoint();
    insert(12_000..20_000);
    let bytes = versions.bytes();
    assert!(bytes < most + 20_000, "{bytes} bytes of versions of 20,000 rows");
    assert_eq!(numbers(&table, &txn.view()), vec![0; 0]);
    txn.rollback_to(mark).unwrap();
    insert(12_000..16_000);
    txn.next_command().unwrap();
    insert(16_000..17_000);
    assert_eq!(numbers(&table, &txn.view()), (0..16_000).collect::<Vec<_>>());
    let bytes = versions.bytes();
    assert!(bytes < most + 20_000, "{bytes} bytes of versions of 17,000 rows");
    commit(&txn);
    assert_eq!(numbers(&table, &old), vec![0; 0]);
    assert_eq!(numbers(&table, &server.view()), (0..17_000).collect::<Vec<_>>());
    drop(old);
    let last = server.begin(&owner);
    set_one(&table, &last, 1, 4);
    commit(&last);
    server.transactions.housekeeping(10_000);
    assert_eq!(versions.bytes(), 0);
    assert_eq!(versions.log_bytes(), 0);
}
