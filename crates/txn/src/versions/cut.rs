//! Cutting versions out of a chain's middle that no registered snapshot can see (storage rule 12).
//!
//! ```text
//! newest ── T9 ── T8 ── T7 ── T5      an old snapshot sees T5, every other sees T9
//! newest ── T9 ─────────────── T5      T9's record has the before-images of T9, T8 and T7
//! ```
//!
//! Rules
//! 1. What is joined are the before-images of one row in two records of which the newer lies right on
//!    top of the older: the newer gets both, the older loses the row, and goes when it has none left.
//! 2. A record of several rows is cut row by row, so that a chain has as many as the snapshots can
//!    tell apart, however many rows a statement changes.
//! 3. Packed records stay as they are, and nothing is joined over them. Runs of several inserted rows stay,
//!    too.

use super::chain::Link;
use super::{ChangedRows, RowBefore, Version, VersionHead, VersionKind, VersionRows};
use base::{RowId, Xid};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

type RowMap = HashMap<RowId, usize, foldhash::fast::FixedState>;

/// What is known about transactions and images while a chain is cut.
pub(crate) trait Cutter {
    /// Whether both are committed, no registered snapshot sees `older` but not `newer`, nor will one,
    /// and nobody who reads past both has to meet `older`.
    fn same_for_all(&self, older: Xid, newer: Xid) -> bool;
    /// The before-image that does what `newer` and then `older` do.
    fn merge(&self, manager: u8, newer: &[u8], older: &[u8]) -> Option<Vec<u8>>;
}

/// Joins neighbours in the chains of rows where nobody sees what is between them. The list is oldest
/// first.
pub(super) fn cut(list: &mut Vec<Link>, cutter: &dyn Cutter) {
    // For each row the newest record so far.
    let mut last = RowMap::default();
    let mut taken: Vec<HashSet<RowId, foldhash::fast::FixedState>> = Vec::new();
    taken.resize_with(list.len(), HashSet::default);
    for at in 0..list.len() {
        let record = match &list[at] {
            Link::One(record) => record.clone(),
            Link::Run(..) => continue,
            Link::Packed(_) => {
                last.clear();
                continue;
            }
        };
        match &record.rows {
            VersionRows::None => {}
            VersionRows::Run(first, 1) => {
                last.insert(*first, at);
            }
            VersionRows::Run(..) => {}
            VersionRows::Rows(rows) => {
                if let Some(joined) = join(list, &last, &record, rows, cutter) {
                    joined.from.iter().for_each(|(older, row)| {
                        taken[*older].insert(*row);
                    });
                    list[at] = Link::One(Arc::new(joined.version));
                }
                rows.iter().for_each(|before| {
                    last.insert(before.row, at);
                });
            }
        }
    }
    let mut at = 0;
    list.retain_mut(|link| {
        let taken = &taken[at];
        at += 1;
        let Link::One(record) = link else { return true };
        let rows = match &record.rows {
            VersionRows::Rows(rows) => rows.len(),
            VersionRows::Run(..) => 1,
            VersionRows::None => return true,
        };
        if !taken.is_empty()
            && let Some(rest) = without(record, taken)
        {
            *record = Arc::new(rest);
        }
        taken.len() < rows
    });
}

/// A record that has taken over images of older ones.
struct Joined {
    version: Version,
    /// From which ones, and of which rows.
    from: Vec<(usize, RowId)>,
}

/// The older records that may be joined with a newer one.
struct Olders<'l> {
    list: &'l [Link],
    newer: &'l Version,
    cutter: &'l dyn Cutter,
    asked: HashMap<usize, Option<Arc<[u8]>>, foldhash::fast::FixedState>,
}

impl Olders<'_> {
    /// The body of one of them.
    fn body(&mut self, at: usize) -> Option<Arc<[u8]>> {
        let (newer, cutter) = (self.newer, self.cutter);
        let older = self.list[at].one()?;
        let ask = || {
            let fits = older.manager == newer.manager
                && !older.is_undone()
                && !newer.is_undone()
                && cutter.same_for_all(older.xid, newer.xid);
            fits.then(|| older.resident_body()).flatten()
        };
        self.asked.entry(at).or_insert_with(ask).clone()
    }
}

fn join(
    list: &[Link],
    last: &RowMap,
    newer: &Version,
    rows: &ChangedRows,
    cutter: &dyn Cutter,
) -> Option<Joined> {
    let mut olders = Olders { list, newer, cutter, asked: HashMap::default() };
    let mut body = None;
    let (mut image, mut befores, mut from) = (Vec::new(), Vec::new(), Vec::new());
    let mut key_changed = newer.key_changed;
    for before in rows.iter() {
        let at = last.get(&before.row).copied();
        let below = at.and_then(|at| Some((at, list[at].one()?)));
        let below = below.filter(|(_, older)| older.xid == before.stamp);
        let older_body = below.and_then(|(at, older)| Some((at, older, olders.body(at)?)));
        let newest = match &body {
            Some(body) => body,
            None if older_body.is_none() && rows.len() == 1 => return None,
            None => body.insert(newer.resident_body()?),
        };
        let own = part(newest, before.image)?;
        let mut merged = None;
        if let Some((at, older_record, older_body)) = older_body {
            match &older_record.rows {
                VersionRows::Run(..) if rows.len() == 1 => {
                    return Some(inserted(newer, before.row, at, older_record));
                }
                VersionRows::Rows(older_rows) => {
                    if let Some((_, older)) = older_rows.find(before.row)
                        && let Some(older_image) = part(&older_body, older.image)
                        && let Some(both) = cutter.merge(newer.manager, own, older_image)
                    {
                        merged = Some((older, both));
                        from.push((at, before.row));
                        key_changed |= older_record.key_changed;
                    }
                }
                VersionRows::Run(..) | VersionRows::None => {}
            }
        }
        match merged {
            Some((older, both)) => put(&mut image, &mut befores, older, &both),
            None => put(&mut image, &mut befores, before, own),
        }
    }
    let rows = VersionRows::Rows(ChangedRows::new(&befores));
    let head = VersionHead { key_changed, rows, ..head_of(newer) };
    (!from.is_empty()).then(|| Joined { version: made_of(newer, head, &image), from })
}

/// The record of a row that is as if it had been inserted in its newer form.
fn inserted(newer: &Version, row: RowId, at: usize, older: &Version) -> Joined {
    let head = VersionHead {
        kind: VersionKind::Inserts,
        key_changed: newer.key_changed || older.key_changed,
        rows: VersionRows::Run(row, 1),
        ..head_of(newer)
    };
    Joined { version: made_of(newer, head, &[]), from: vec![(at, row)] }
}

/// A record without some of its rows; nothing when none are left. One whose images are not at hand
/// stays whole: nobody asks it for the rows.
fn without(
    record: &Version,
    taken: &HashSet<RowId, foldhash::fast::FixedState>,
) -> Option<Version> {
    let VersionRows::Rows(rows) = &record.rows else { return None };
    let body = record.resident_body().filter(|_| taken.len() < rows.len())?;
    let (mut image, mut befores) = (Vec::new(), Vec::new());
    for before in rows.iter().filter(|before| !taken.contains(&before.row)) {
        put(&mut image, &mut befores, before, part(&body, before.image)?);
    }
    let rows = VersionRows::Rows(ChangedRows::new(&befores));
    Some(made_of(record, VersionHead { rows, ..head_of(record) }, &image))
}

fn head_of(record: &Version) -> VersionHead {
    VersionHead {
        xid: record.xid,
        command: record.command,
        kind: record.kind,
        key_changed: record.key_changed,
        manager: record.manager,
        undo_next: record.undo_next,
        rows: VersionRows::None,
    }
}

fn made_of(record: &Version, head: VersionHead, images: &[u8]) -> Version {
    let made = Version::joined(head, images);
    made.set_lsn(record.lsn());
    made
}

pub(super) fn part(body: &[u8], (from, bytes): (u32, u32)) -> Option<&[u8]> {
    body.get(from as usize..from as usize + bytes as usize)
}

fn put(body: &mut Vec<u8>, befores: &mut Vec<RowBefore>, before: RowBefore, image: &[u8]) {
    befores.push(RowBefore { image: (body.len() as u32, image.len() as u32), ..before });
    body.extend_from_slice(image);
}
