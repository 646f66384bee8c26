//! Long values that no row has: their pages come back.

use super::*;

/// A value that does not shrink, of some pages.
fn long_text(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..bytes).map(|_| random.below(256) as u8).collect()
}

fn row_of(value: Vec<u8>) -> Row {
    vec![Some(1_i32.to_le_bytes().to_vec()), Some(value)]
}

fn update(table: &Table, txn: &Transaction, row: RowId, value: &[u8]) -> Outcome {
    txn.xid_or_draw().unwrap();
    let columns: [(usize, Option<&[u8]>); 1] = [(1, Some(value))];
    let outcome = table.update(txn, Basis::Seen(&txn.view()), row, &columns, false).unwrap();
    txn.next_command().unwrap();
    outcome
}

fn tidy(server: &Server) {
    for _ in 0..4 {
        server.transactions.housekeeping(100);
        server.tables.purge(100).unwrap();
    }
}

fn assert_whole(table: &Table) {
    let checked = table.tree().check().unwrap();
    assert_eq!((checked.lost, checked.problems), (0, Vec::new()));
}

#[test]
fn a_change_that_does_not_come_about_keeps_no_pages() {
    let server = Server::new(1, 2 << 20);
    let table = server.table(8192, &[Shape::Int4, Shape::Bytes]);
    let (first, second) = (server.owner(1), server.owner(2));
    let txn = server.begin(&first);
    let row = table.insert_row(&txn, &slices(&row_of(long_text(1, 20_000)))).unwrap();
    commit(&txn);
    let writer = server.begin(&first);
    assert_eq!(update(&table, &writer, row, &long_text(2, 20_000)), Outcome::Done);
    // It has to wait, and does something else instead.
    let other = server.begin(&second);
    let outcome = update(&table, &other, row, &long_text(3, 60_000));
    assert!(outcome.must_wait(), "{outcome:?}");
    commit(&other);
    commit(&writer);
    // A row that is not there.
    let txn = server.begin(&second);
    assert_eq!(update(&table, &txn, RowId(99), &long_text(4, 60_000)), Outcome::Invisible);
    commit(&txn);
    tidy(&server);
    assert_whole(&table);
    assert_eq!(fetch(&table, &server.view(), row), Some(row_of(long_text(2, 20_000))));
}

#[test]
fn what_a_rollback_frees_is_not_freed_again_when_another_has_its_pages() {
    let server = Server::new(2, 2 << 20);
    let table = server.table(8192, &[Shape::Int4, Shape::Bytes]);
    let owner = server.owner(1);
    let txn = server.begin(&owner);
    let row = table.insert_row(&txn, &slices(&row_of(long_text(1, 20_000)))).unwrap();
    commit(&txn);
    // The transaction replaces what it has written itself.
    let txn = server.begin(&owner);
    for seed in 2..6 {
        assert_eq!(update(&table, &txn, row, &long_text(seed, 20_000)), Outcome::Done);
    }
    txn.rollback().unwrap();
    drop(txn);
    let txn = server.begin(&owner);
    let others: Vec<RowId> = (10..16)
        .map(|seed| table.insert_row(&txn, &slices(&row_of(long_text(seed, 20_000)))).unwrap())
        .collect();
    commit(&txn);
    tidy(&server);
    assert_whole(&table);
    let view = server.view();
    assert_eq!(fetch(&table, &view, row), Some(row_of(long_text(1, 20_000))));
    for (row, seed) in others.into_iter().zip(10..) {
        assert_eq!(fetch(&table, &view, row), Some(row_of(long_text(seed, 20_000))));
    }
}

#[test]
fn an_old_snapshot_keeps_one_value_and_not_those_behind_it() {
    let server = Server::new(3, 2 << 20);
    let table = server.table(8192, &[Shape::Int4, Shape::Bytes]);
    let (idle, owner) = (server.owner(1), server.owner(2));
    let txn = server.begin(&owner);
    let rows: Vec<RowId> = (0..2)
        .map(|seed| table.insert_row(&txn, &slices(&row_of(long_text(seed, 40_000)))).unwrap())
        .collect();
    commit(&txn);
    // This one never ends; the value that it replaced comes first in the queue.
    let held = server.begin(&idle);
    assert_eq!(update(&table, &held, rows[0], &long_text(7, 40_000)), Outcome::Done);
    for seed in 10..40 {
        let txn = server.begin(&owner);
        assert_eq!(update(&table, &txn, rows[1], &long_text(seed, 40_000)), Outcome::Done);
        commit(&txn);
        tidy(&server);
    }
    let (pages, _) = table.tree().pages().unwrap();
    assert!(pages < 40, "{pages} pages for three values of five");
    held.rollback().unwrap();
    drop(held);
    tidy(&server);
    assert_whole(&table);
}
