//! Packed records answer as the records do.

use super::packed::{Entry, EntryRows, Left, Packed};
use super::{Mark, RowBefore, VersionKind};
use crate::retained::Retained;
use base::{CommandId, Lsn, RowId, Xid};
use disk::{Random, SimDisk};
use std::sync::Arc;
use wal::{Wal, WalConfig};

fn retained() -> Arc<Retained> {
    let wal = Wal::create(
        Arc::new(SimDisk::new(1)),
        WalConfig { segment_bytes: 1 << 20, buffer_bytes: 1 << 19, ..WalConfig::default() },
    );
    Arc::new(Retained::new(&wal.unwrap()))
}

fn change(row: u64, xid: u64, lsn: u64, stamp: u64) -> Entry {
    let image = (lsn as u32 % 70, row as u32 % 9);
    let before = RowBefore { row: RowId(row), stamp: Xid(stamp), mark: Mark(lsn as u8 & 3), image };
    let kind = if lsn.is_multiple_of(7) { VersionKind::Delete } else { VersionKind::Update };
    let rows = EntryRows::Change(before);
    let command = CommandId(lsn as u32 / 3);
    Entry {
        xid: Xid(xid),
        command,
        kind,
        key_changed: row.is_multiple_of(2),
        lsn: Lsn(lsn),
        columns: lsn % 5,
        rows,
    }
}

fn run(row: u64, count: u64, xid: u64, lsn: u64, command: u32) -> Entry {
    let (rows, command) = (EntryRows::Run(RowId(row), count), CommandId(command));
    let kind = VersionKind::Inserts;
    Entry { xid: Xid(xid), command, kind, key_changed: false, lsn: Lsn(lsn), columns: 0, rows }
}

/// Records in the order of the log: rows are inserted in small runs, and changed afterwards.
fn random_entries(random: &mut Random, base: u64) -> Vec<Entry> {
    let (mut entries, mut next, mut lsn) = (Vec::new(), base, 1 << 40);
    for _ in 0..random.below(120) + 1 {
        lsn += random.below(300) + 1;
        let xid = 900 + random.below(4);
        if random.one_in(3) {
            let count = random.below(3) + 1;
            entries.push(run(next, count, xid, lsn, random.below(2) as u32));
            next += count + random.below(2);
        } else {
            let row = base.saturating_sub(5) + random.below(next - base + 5);
            entries.push(change(row, xid, lsn, 890 + random.below(12)));
        }
    }
    entries
}

fn about(entry: &Entry, row: u64) -> bool {
    match entry.rows {
        EntryRows::Run(first, count) => first.0 <= row && row - first.0 < count,
        EntryRows::Change(before) => before.row.0 == row,
    }
}

/// What is told of an inserted row, whose neighbours may have joined its run, or of a change.
fn told(entry: &Entry) -> (Xid, CommandId, VersionKind, bool, Option<(Lsn, RowBefore)>) {
    let before = match entry.rows {
        EntryRows::Run(..) => None,
        EntryRows::Change(before) => Some((entry.lsn, before)),
    };
    (entry.xid, entry.command, entry.kind, entry.key_changed, before)
}

/// Every way back through the records of a row, from the newest on.
fn answers_alike(packed: &Packed, entries: &[Entry], seed: u64) {
    let rows = entries.iter().map(|entry| match entry.rows {
        EntryRows::Run(row, count) => row.0 + count - 1,
        EntryRows::Change(before) => before.row.0,
    });
    for row in rows.flat_map(|row| row.saturating_sub(1)..=row.saturating_add(1)) {
        for xid in (900..905).map(Xid) {
            let wanted = entries.iter().filter(|entry| entry.xid == xid && about(entry, row));
            let mut limit = usize::MAX;
            for entry in wanted.rev() {
                let at = packed.find(RowId(row), xid, limit);
                let found = packed.entry(at.expect("a record"));
                assert_eq!(told(&found), told(entry), "seed {seed}, row {row}");
                limit = at.unwrap();
            }
            assert_eq!(packed.find(RowId(row), xid, limit), None, "seed {seed}, row {row}");
        }
    }
}

#[test]
fn packed_records_answer_as_the_records_do() {
    for seed in 0..200 {
        let (mut random, retained) = (Random::new(seed), retained());
        let base = [10, 1 << 33, u64::MAX - 1000][seed as usize % 3];
        let entries = random_entries(&mut random, base);
        let packed = Packed::new(&retained, 7, entries.clone());
        answers_alike(&packed, &entries, seed);
        let middle = RowId(base + random.below(40));
        for (from, to) in [(RowId(0), Some(middle)), (middle, None)] {
            let inside = |row: RowId| row >= from && to.is_none_or(|to| row < to);
            let clipped = entries.iter().flat_map(|entry| match entry.rows {
                EntryRows::Change(before) => {
                    inside(before.row).then_some(*entry).into_iter().collect::<Vec<_>>()
                }
                EntryRows::Run(row, count) => (row.0..row.0 + count)
                    .filter(|row| inside(RowId(*row)))
                    .map(|row| Entry { rows: EntryRows::Run(RowId(row), 1), ..*entry })
                    .collect(),
            });
            let clipped: Vec<Entry> = clipped.collect();
            match packed.part(from, to) {
                Left::All => answers_alike(&packed, &clipped, seed),
                Left::Some(part) => answers_alike(&part, &clipped, seed),
                Left::Nothing => assert!(clipped.is_empty(), "seed {seed}"),
            }
        }
        assert!(retained.has_packed());
        drop(packed);
        assert!(!retained.has_packed() && retained.bytes() == 0, "seed {seed}: all is forgotten");
    }
}

#[test]
fn records_of_single_rows_take_a_few_bytes_each() {
    let retained = retained();
    let bytes = |entries: Vec<Entry>| {
        let count = entries.len();
        Packed::new(&retained, 7, entries).bytes() as f64 / count as f64
    };
    // A statement a row: each is a command.
    let inserts = (0..1000).map(|n| run(50 + n, 1, 900, (1 << 40) + 310 * n, n as u32));
    assert!(bytes(inserts.collect()) < 2.0);
    let one_command: Vec<Entry> =
        (0..1000).map(|n| run(50 + n, 1, 900, (1 << 40) + 310 * n, 3)).collect();
    assert_eq!(Packed::new(&retained, 7, one_command).len(), 1);
    // Rows at random, one transaction each.
    let updates =
        (0..1000).map(|n| change(50 + n * 7919 % 1000, 900 + n * 3000, 1 << 40 | n << 20, 9));
    assert!(bytes(updates.collect()) < 20.0);
}
