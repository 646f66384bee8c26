//! Rows that come at one end and go at the other: inner pages join, the root gets lower.

use super::crash::recover;
use super::*;
use crate::inner::Inner;
use std::sync::atomic::{AtomicBool, Ordering};

const PAGE: usize = 8192;

fn rows(from: u64, count: u64) -> Vec<Row> {
    let row = |i: u64| vec![Some(i.to_le_bytes().to_vec()), Some(vec![b'a' + (i % 26) as u8; 800])];
    (from..from + count).map(row).collect()
}

/// The first of the rows is a row id of its own number: they are given out one after the other.
fn push(server: &Server, table: &Table, from: u64, count: u64) -> base::Result<()> {
    let txn = server.begin(&server.owner(1));
    for at in (from..from + count).step_by(500) {
        let first = table.insert(&txn, &batch_of(table, &rows(at, 500.min(from + count - at))))?;
        assert_eq!(first, RowId(at));
    }
    txn.commit(CommitOptions::default(), |_| {}).map(drop)
}

fn delete(server: &Server, table: &Table, rows: std::ops::Range<u64>) -> base::Result<()> {
    let txn = server.begin(&server.owner(2));
    let view = txn.view();
    for row in rows {
        assert_eq!(table.delete(&txn, Basis::Seen(&view), RowId(row))?, Outcome::Done);
    }
    drop(view);
    txn.commit(CommitOptions::default(), |_| {}).map(drop)
}

fn tidy(server: &Server) -> base::Result<()> {
    server.transactions.housekeeping(1 << 20);
    while server.tables.purge(1000)? > 0 {
        server.transactions.housekeeping(1 << 20);
    }
    Ok(())
}

fn numbers(table: &Table, view: &View) -> Vec<u64> {
    scan_all(table, view, &[], 1024).iter().map(|(row, _)| row.0).collect()
}

fn root_level(table: &Table) -> u16 {
    let pin = table.tree().pin(crate::tree::ROOT).unwrap();
    let page = pin.read();
    Inner::open(&page).unwrap().level()
}

fn whole(table: &Table) {
    let checked = table.tree().check().unwrap();
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    assert_eq!(checked.lost, 0);
}

/// Storage rule 9.
#[test]
fn a_queue_of_rows_needs_room_for_what_is_in_it() {
    let server = Server::new(21, 8 << 20);
    let table = server.table(PAGE, &[Shape::Int8, Shape::Text]);
    push(&server, &table, 1, 12_000).unwrap();
    assert_eq!(root_level(&table), 2);
    let (mut low, mut high) = (1, 12_001);
    for round in 0..4 {
        delete(&server, &table, low..high - 200).unwrap();
        low = high - 200;
        tidy(&server).unwrap();
        whole(&table);
        let (pages, free) = table.tree().pages().unwrap();
        assert!(pages - free < 60, "round {round}: {pages} pages, {free} free");
        assert_eq!(root_level(&table), 1, "round {round}");
        assert_eq!(numbers(&table, &server.view()), (low..high).collect::<Vec<_>>());
        push(&server, &table, high, 6000).unwrap();
        high += 6000;
        assert_eq!(root_level(&table), 2, "round {round}");
        whole(&table);
    }
    delete(&server, &table, low..high).unwrap();
    tidy(&server).unwrap();
    let tree = table.tree();
    tree.shrink(1).unwrap();
    let (pages, free) = tree.pages().unwrap();
    assert!(pages < 20, "{pages} pages, {free} free");
    assert_eq!(tree.file.len().unwrap(), pages * PAGE as u64);
    whole(&table);
}

#[test]
fn scans_see_the_whole_queue_while_pages_join_and_the_file_is_cut() {
    let server = Server::new(22, 96 * PAGE as u64);
    let table = server.table(PAGE, &[Shape::Int8, Shape::Text]);
    let stop = AtomicBool::new(false);
    push(&server, &table, 1, 6000).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let found = numbers(&table, &server.view());
                    let gap = found.windows(2).find(|pair| pair[0] + 1 != pair[1]);
                    assert!(found.len() >= 300 && gap.is_none(), "{} {gap:?}", found.len());
                }
            });
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                tidy(&server).unwrap();
                table.tree().shrink(1).unwrap();
            }
        });
        let (mut low, mut high) = (1, 6001);
        for round in 0..24 {
            delete(&server, &table, low..high - 300).unwrap();
            low = high - 300;
            let more = [700, 6000][usize::from(round % 4 == 3)];
            push(&server, &table, high, more).unwrap();
            high += more;
        }
        stop.store(true, Ordering::Relaxed);
    });
    tidy(&server).unwrap();
    whole(&table);
}

#[test]
fn after_a_power_cut_the_joined_tree_is_whole() {
    for seed in first_seed()..first_seed() + seeds(6) {
        let mut random = Random::new(seed);
        let server = Server::new(seed, 256 * PAGE as u64);
        let table = server.table(PAGE, &[Shape::Int8, Shape::Text]);
        push(&server, &table, 1, 6000).unwrap();
        server.disk.cut_power_at(server.disk.changes() + 200 + random.below(2500));
        let (mut low, mut high) = (1, 6001);
        let mut attempt = || -> base::Result<()> {
            loop {
                delete(&server, &table, low..high - 300)?;
                low = high - 300;
                tidy(&server)?;
                table.tree().shrink(1)?;
                push(&server, &table, high, 6000)?;
                high += 6000;
            }
        };
        attempt().unwrap_err();
        let (file, disk) = (table.file(), server.disk.clone());
        drop((table, server));
        let server = recover(&disk, 256 * PAGE as u64);
        let table = describe(&[Shape::Int8, Shape::Text]);
        let table = Table::open(&server.tables, file, table).unwrap();
        whole(&table);
        // What was under way when the power went is there or is not.
        let found = numbers(&table, &server.view());
        let lows = [low, high - 300];
        let highs = [high, high + 6000];
        let right =
            lows.iter().any(|low| highs.iter().any(|high| found.iter().copied().eq(*low..*high)));
        let ends = (found.first(), found.last(), found.len());
        assert!(right, "seed {seed}: {low} {high}: {ends:?}");
    }
}
