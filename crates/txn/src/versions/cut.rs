//! Cutting versions out of a chain's middle that no registered snapshot can see (storage rule 12).
//!
//! ```text
//! newest ── T9 ── T8 ── T7 ── T5      an old snapshot sees T5, every other sees T9
//! newest ── T9 ─────────────── T5      T9's record has the before-images of T9, T8 and T7
//! ```

use super::{ChangedRows, RowBefore, Version, VersionHead, VersionKind, VersionRows};
use base::{RowId, Xid};
use std::collections::HashMap;
use std::sync::Arc;

/// What is known about transactions and bodies while a chain is cut.
pub(crate) trait Cutter {
    /// Whether the XID is committed, and no registered snapshot sees `older` but not `newer`, nor
    /// will one.
    fn same_for_all(&self, older: Xid, newer: Xid) -> bool;
    /// The undo body that does what `newer`'s and then `older`'s do, and where its image lies.
    fn merge(&self, manager: u8, newer: &[u8], older: &[u8]) -> Option<(Vec<u8>, (u32, u32))>;
}

/// Joins neighbours in the chains of single rows where nobody sees what is between them. The
/// list is oldest first.
pub(super) fn cut(list: &mut Vec<Arc<Version>>, cutter: &impl Cutter) {
    // For each row, the newest record so far that concerns it alone.
    let mut last: HashMap<RowId, usize, foldhash::fast::FixedState> = HashMap::default();
    let mut gone = vec![false; list.len()];
    for at in 0..list.len() {
        let record = list[at].clone();
        let Some(row) = single_row(&record) else {
            forget(&mut last, &record);
            continue;
        };
        if let Some(&older_at) = last.get(&row)
            && let Some(joined) = join(&list[older_at], &record, row, cutter)
        {
            gone[older_at] = true;
            list[at] = joined;
        }
        last.insert(row, at);
    }
    let mut at = 0;
    list.retain(|_| {
        at += 1;
        !gone[at - 1]
    });
}

/// The row of a record that concerns just one.
fn single_row(record: &Version) -> Option<RowId> {
    match &record.rows {
        VersionRows::Run(first, 1) => Some(*first),
        VersionRows::Rows(rows) if rows.len() == 1 => rows.get(0).map(|before| before.row),
        _ => None,
    }
}

/// A record of several rows stands between their older and newer ones.
fn forget<S: std::hash::BuildHasher>(last: &mut HashMap<RowId, usize, S>, record: &Version) {
    match &record.rows {
        VersionRows::None => {}
        VersionRows::Run(first, count) => {
            last.retain(|row, _| row.0 < first.0 || row.0 - first.0 >= *count);
        }
        VersionRows::Rows(rows) => {
            for before in rows.iter() {
                last.remove(&before.row);
            }
        }
    }
}

fn join(
    older: &Version,
    newer: &Version,
    row: RowId,
    cutter: &impl Cutter,
) -> Option<Arc<Version>> {
    let VersionRows::Rows(newer_rows) = &newer.rows else { return None };
    if older.manager != newer.manager || older.is_undone() || newer.is_undone() {
        return None;
    }
    // The newer one is really on top of the older one.
    if newer_rows.get(0)?.stamp != older.xid || !cutter.same_for_all(older.xid, newer.xid) {
        return None;
    }
    let head = |kind, rows| VersionHead {
        xid: newer.xid,
        command: newer.command,
        kind,
        key_changed: newer.key_changed || older.key_changed,
        manager: newer.manager,
        undo_next: newer.undo_next,
        rows,
    };
    let joined = match &older.rows {
        VersionRows::Run(..) => {
            Version::joined(head(VersionKind::Inserts, VersionRows::Run(row, 1)), &[])
        }
        VersionRows::Rows(older_rows) => {
            let (newer_body, older_body) = (newer.resident_body()?, older.resident_body()?);
            let (body, image) = cutter.merge(newer.manager, &newer_body, &older_body)?;
            let before = RowBefore { image, ..older_rows.get(0)? };
            let rows = VersionRows::Rows(ChangedRows::new(&[before]));
            Version::joined(head(newer.kind, rows), &body)
        }
        VersionRows::None => return None,
    };
    joined.set_lsn(newer.lsn());
    Some(Arc::new(joined))
}
