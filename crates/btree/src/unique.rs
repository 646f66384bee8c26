//! Unique checks (storage rule 19).

use crate::page::Page;
use crate::tree::{Index, Target};
use crate::{Bound, KeyRow};
use base::{Error, Result, RowId, SqlState, Xid};
use txn::{Transaction, XidStatus};

/// The outcome of a unique insertion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placed {
    /// The entry is in the index.
    Inserted,
    /// Another row has the key: live, and committed or of the own transaction.
    Conflict {
        /// The row.
        row: RowId,
        /// The stamp of its entry.
        stamp: Xid,
    },
}

enum Probe {
    Free,
    Conflict(RowId, Xid),
    /// The row whose entry is in the way, and who made it so.
    Wait(RowId, Xid),
}

/// What an error of a wait says in its CONTEXT; `name` is the index's, or the table's where the row
/// is one that is there.
fn inserting(row: RowId, name: &str) -> String {
    let (block, offset) = txn::ctid(row);
    format!("while inserting index tuple ({block},{offset}) in relation \"{name}\"")
}

impl Index {
    /// Inserts an entry unless another live entry has the same key. Waits for transactions that
    /// have inserted or marked dead such an entry and still run, without holding anything. An error
    /// of the wait calls the index `name`. May wait.
    ///
    /// # Errors
    /// 40P01 (deadlock), 55P03 (`lock_timeout`), 57014; 54000 when the entry is too large; those of
    /// disk and log.
    pub fn insert_unique(
        &self,
        txn: &Transaction,
        key: &[u8],
        row: RowId,
        payload: &[u8],
        name: &str,
    ) -> Result<Placed> {
        loop {
            let wait_for = {
                let locks = self.transactions.key_locks();
                let _held = locks.lock(self.file.id(), txn::key_hash(key))?;
                match self.probe(txn, key, row)? {
                    Probe::Free => {
                        self.insert(txn, key, row, payload)?;
                        return Ok(Placed::Inserted);
                    }
                    Probe::Conflict(row, stamp) => return Ok(Placed::Conflict { row, stamp }),
                    Probe::Wait(_, xid) => xid,
                }
            };
            txn.wait_for_xid(wait_for).map_err(|error| error.context(inserting(row, name)))?;
            base::check_for_interrupts()?;
        }
    }

    /// Looks, in the latest state, for another row than `row` with this key: conflicts that a
    /// deferred constraint has to report, and without a row arbiters of ON CONFLICT. Waits as
    /// [`insert_unique`](Self::insert_unique) does; `name` is the index's for a row, else the table's.
    ///
    /// # Errors
    /// Those of [`insert_unique`](Self::insert_unique).
    pub fn find_conflict(
        &self,
        txn: &Transaction,
        key: &[u8],
        row: Option<RowId>,
        name: &str,
    ) -> Result<Option<(RowId, Xid)>> {
        loop {
            match self.probe(txn, key, row.unwrap_or(RowId(u64::MAX)))? {
                Probe::Free => return Ok(None),
                Probe::Conflict(row, stamp) => return Ok(Some((row, stamp))),
                Probe::Wait(other, xid) => txn
                    .wait_for_xid(xid)
                    .map_err(|error| error.context(inserting(row.unwrap_or(other), name)))?,
            }
        }
    }

    /// Inserts an entry of a constraint that may wait. Returns whether another row has the key, or
    /// may come to have it when a running transaction ends: then the constraint has to be checked
    /// ([`find_conflict`](Self::find_conflict)). Of two inserters of one key one is told.
    ///
    /// # Errors
    /// 54000 when the entry is too large; those of disk and log.
    pub fn insert_deferred(
        &self,
        txn: &Transaction,
        key: &[u8],
        row: RowId,
        payload: &[u8],
    ) -> Result<bool> {
        let locks = self.transactions.key_locks();
        let _held = locks.lock(self.file.id(), txn::key_hash(key))?;
        let free = matches!(self.probe(txn, key, row)?, Probe::Free);
        self.insert(txn, key, row, payload)?;
        Ok(!free)
    }

    /// Whether a row has a live entry with this key, in the latest state.
    ///
    /// # Errors
    /// Those of disk.
    pub fn has_entry(&self, key: &[u8], row: RowId) -> Result<bool> {
        let wanted = KeyRow { key: key.to_vec(), row };
        loop {
            let target = Target::At(wanted.bound());
            let _descent = self.pool.descend();
            let pin = self.descend(target, 0, None)?;
            let page = pin.read();
            let Some(view) = self.still(&page, target, 0)? else { continue };
            let slot = view.below(wanted.bound())?;
            if slot >= view.count() {
                return Ok(false);
            }
            let prefix = view.prefix().len();
            let entry = view.leaf_entry(slot)?;
            let same = key.len() == prefix + entry.suffix.len() && key.ends_with(entry.suffix);
            return Ok(same && entry.row == row && !entry.dead);
        }
    }

    fn probe(&self, txn: &Transaction, key: &[u8], own_row: RowId) -> Result<Probe> {
        let mut from = KeyRow { key: key.to_vec(), row: RowId(0) };
        loop {
            let target = Target::At(from.bound());
            let _descent = self.pool.descend();
            let pin = self.descend(target, 0, None)?;
            let page = pin.read();
            let Some(view) = self.still(&page, target, 0)? else { continue };
            match probe_leaf(&view, txn, from.bound(), own_row)? {
                Some(found) => return Ok(found),
                None => match view.high() {
                    Some(high) if high.key == key => from.row = high.row,
                    _ => return Ok(Probe::Free),
                },
            }
        }
    }
}

/// Looks at a latched leaf's entries with the key, from `from` on. The stamps are judged under the
/// latch.
fn probe_leaf(
    view: &Page<'_>,
    txn: &Transaction,
    from: Bound<'_>,
    own_row: RowId,
) -> Result<Option<Probe>> {
    let prefix = view.prefix().len();
    for slot in view.below(from)?..view.count() {
        let entry = view.leaf_entry(slot)?;
        if from.key.len() != prefix + entry.suffix.len() || !from.key.ends_with(entry.suffix) {
            return Ok(Some(Probe::Free));
        }
        if entry.row == own_row {
            continue;
        }
        let ended = entry.stamp == txn.xid()
            || matches!(txn.status(entry.stamp), XidStatus::Committed { .. } | XidStatus::Absent);
        if !ended {
            return Ok(Some(Probe::Wait(entry.row, entry.stamp)));
        }
        if !entry.dead {
            return Ok(Some(Probe::Conflict(entry.row, entry.stamp)));
        }
    }
    Ok(None)
}

/// 23505. The caller adds DETAIL (`Key (a)=(1) already exists.`), schema, table and constraint.
pub fn unique_violation(index: &str) -> Error {
    let text = format!("duplicate key value violates unique constraint \"{index}\"");
    Error::new(SqlState::UNIQUE_VIOLATION, text)
}
