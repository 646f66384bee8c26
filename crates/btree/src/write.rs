//! Inserting entries and marking them dead.

use crate::Bound;
use crate::page::delta::{self, Mark};
use crate::page::{LEAF_HEAD, Page};
use crate::record::{Before, UndoBody, op};
use crate::tree::{Index, Target};
use base::{Result, RowId, Xid};
use txn::{Transaction, VersionKind, VersionRows};
use wal::rm;

/// What a change record of one entry takes besides twice its key and payload.
pub(crate) const ENTRY_RECORD_BYTES: usize = 160;

/// What is to be done to an entry.
pub(crate) struct Plan<'a> {
    pub(crate) delta: Vec<u8>,
    pub(crate) before: Before<'a>,
}

/// How an entry is put on a latched leaf; nothing when there is no room.
pub(crate) fn plan_put<'a>(
    view: &Page<'a>,
    at: Bound<'_>,
    mark: Mark,
    payload: &[u8],
) -> Result<Option<Plan<'a>>> {
    let (slot, found) = view.search(at)?;
    let suffix = &at.key[view.prefix().len().min(at.key.len())..];
    let bytes = LEAF_HEAD + suffix.len() + payload.len();
    if !found {
        let fits = view.free() >= bytes + 2;
        let delta = || delta::insert(slot, suffix, at.row, mark, payload);
        return Ok(fits.then(|| Plan { delta: delta(), before: Before::Nothing }));
    }
    let old = view.leaf_entry(slot)?;
    let before = Mark { stamp: old.stamp, dead: old.dead };
    if old.payload == payload {
        let delta = delta::set(slot, mark);
        return Ok(Some(Plan { delta, before: Before::Mark(before) }));
    }
    let fits = view.free() + old.payload.len() >= payload.len();
    let delta = || delta::replace(slot, suffix, at.row, mark, payload);
    Ok(fits.then(|| Plan { delta: delta(), before: Before::Entry(before, old.payload) }))
}

impl Index {
    /// Inserts an entry, stamped by the transaction. An equal entry that is there, dead or not, is
    /// revived: live, stamped anew, with the new payload. Uniqueness is not looked at. May wait.
    ///
    /// # Errors
    /// 54000 when the entry is too large; those of disk and log.
    pub fn insert(&self, txn: &Transaction, key: &[u8], row: RowId, payload: &[u8]) -> Result<()> {
        self.check_size(key, payload, row)?;
        let at = Bound { key, row };
        let xid = txn.xid_or_draw()?;
        let mark = Mark { stamp: xid, dead: false };
        let room = 2 * (key.len() + payload.len()) + self.entry_bytes_max() + ENTRY_RECORD_BYTES;
        loop {
            let _descent = self.pool.descend();
            let pin = self.descend(Target::At(at), 0, None)?;
            let mut change = self.pool.change(rm::BTREE, op::INSERT, &[self.page_bytes()], room)?;
            let page = pin.write();
            let Some(view) = self.still(&page, Target::At(at), 0)? else { continue };
            let Some(plan) = plan_put(&view, at, mark, payload)? else {
                drop(page);
                drop(change);
                self.make_room(at)?;
                continue;
            };
            let body = UndoBody { file: self.file.id(), row, key, before: plan.before }.encode();
            let version =
                txn.version(rm::BTREE, VersionKind::Other, false, VersionRows::None, &body)?;
            change.transaction(xid, txn.last_undo());
            change.undo_body(&body);
            change.block(&page, &plan.delta);
            let lsn = change.commit()?;
            txn.push(None, version, lsn);
            return Ok(());
        }
    }

    /// Marks an entry dead, stamped by the transaction. False when it is not there. May wait.
    ///
    /// # Errors
    /// Those of disk and log.
    pub fn mark_dead(&self, txn: &Transaction, key: &[u8], row: RowId) -> Result<bool> {
        let at = Bound { key, row };
        let xid = txn.xid_or_draw()?;
        loop {
            let _descent = self.pool.descend();
            let pin = self.descend(Target::At(at), 0, None)?;
            let room = key.len() + ENTRY_RECORD_BYTES;
            let mut change =
                self.pool.change(rm::BTREE, op::MARK_DEAD, &[self.page_bytes()], room)?;
            let page = pin.write();
            let Some(view) = self.still(&page, Target::At(at), 0)? else { continue };
            let (slot, found) = view.search(at)?;
            if !found {
                return Ok(false);
            }
            let old = view.leaf_entry(slot)?;
            let before = Before::Mark(Mark { stamp: old.stamp, dead: old.dead });
            let body = UndoBody { file: self.file.id(), row, key, before }.encode();
            let version =
                txn.version(rm::BTREE, VersionKind::Other, false, VersionRows::None, &body)?;
            change.transaction(xid, txn.last_undo());
            change.undo_body(&body);
            change.block(&page, &delta::set(slot, Mark { stamp: xid, dead: true }));
            let lsn = change.commit()?;
            txn.push(None, version, lsn);
            self.transactions.dead_entries().note(self.file.id(), pin.page());
            return Ok(true);
        }
    }

    /// Inserts an entry with a given stamp unless it is there, redo-only: what a writer does before
    /// it marks dead an entry that a concurrent build has not reached, with the row's previous
    /// stamp, and what the build does (storage rule 20). Says whether it inserted. May wait.
    ///
    /// # Errors
    /// 54000 when the entry is too large; those of disk and log.
    pub fn backfill(&self, key: &[u8], row: RowId, stamp: Xid, payload: &[u8]) -> Result<bool> {
        self.check_size(key, payload, row)?;
        let at = Bound { key, row };
        let room = key.len() + payload.len() + ENTRY_RECORD_BYTES;
        loop {
            let _descent = self.pool.descend();
            let pin = self.descend(Target::At(at), 0, None)?;
            let mut change =
                self.pool.change(rm::BTREE, op::BACKFILL, &[self.page_bytes()], room)?;
            let page = pin.write();
            let Some(view) = self.still(&page, Target::At(at), 0)? else { continue };
            if view.search(at)?.1 {
                return Ok(false);
            }
            let Some(plan) = plan_put(&view, at, Mark { stamp, dead: false }, payload)? else {
                drop(page);
                drop(change);
                self.make_room(at)?;
                continue;
            };
            change.block(&page, &plan.delta);
            change.commit()?;
            return Ok(true);
        }
    }

    /// Makes room on the leaf of `at`: takes settled dead entries away, else splits it.
    pub(crate) fn make_room(&self, at: Bound<'_>) -> Result<()> {
        if self.purge_leaf(at)?.gone > 0 {
            return Ok(());
        }
        self.split(at, 0)
    }
}
