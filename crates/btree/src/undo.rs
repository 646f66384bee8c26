//! Undoing changes of entries, through the tree (storage rule 13).

use crate::page::damaged;
use crate::page::delta::{self, Mark};
use crate::record::{Before, UndoBody, op};
use crate::tree::{Index, Target};
use crate::write::{ENTRY_RECORD_BYTES, plan_put};
use base::{FileId, Lsn, Result, Xid};
use std::sync::{Arc, Weak};
use txn::{Transactions, Undo};
use wal::{Purpose, rm};

/// The undo function of indexes.
pub struct IndexUndo(Weak<Transactions>);

/// Makes rollback and recovery know the undo function of indexes. Once a server, at start.
pub fn register(transactions: &Arc<Transactions>) {
    transactions.register_undo(rm::BTREE, Arc::new(IndexUndo(Arc::downgrade(transactions))));
}

impl Undo for IndexUndo {
    fn undo(&self, xid: Xid, body: &[u8], undo_next: Lsn) -> Result<()> {
        let transactions = self.0.upgrade();
        let transactions = transactions.ok_or_else(|| damaged("undo comes after the end"))?;
        let body = UndoBody::decode(body)?;
        let file = transactions.pool().files().open(body.file)?;
        let index = Index::open(&transactions, file, &label(body.file))?;
        index.undo(xid, &body, undo_next)
    }
}

pub(crate) fn label(file: FileId) -> String {
    format!("file {file}")
}

impl Index {
    /// Puts an entry back as it was before a change of `xid`. May wait, may split.
    fn undo(&self, xid: Xid, body: &UndoBody<'_>, undo_next: Lsn) -> Result<()> {
        let at = body.place();
        let payload = if let Before::Entry(_, payload) = body.before { payload.len() } else { 0 };
        let room = at.key.len() + payload + ENTRY_RECORD_BYTES;
        loop {
            let _descent = self.pool.descend();
            let pin = self.descend(Target::At(at), 0, None)?;
            let pages = [self.page_bytes()];
            let mut change =
                self.pool.change_for(Purpose::Undo, rm::BTREE, op::UNDO, &pages, room)?;
            let page = pin.write();
            let Some(view) = self.still(&page, Target::At(at), 0)? else { continue };
            let (slot, found) = view.search(at)?;
            let entry = if found { Some(view.leaf_entry(slot)?) } else { None };
            if entry.is_none_or(|entry| entry.stamp != xid) {
                let text = format!("entry of transaction {xid} for row {} is missing", body.row);
                return Err(damaged(&text).detail(crate::page::place(&page)));
            }
            let delta = match body.before {
                Before::Nothing => delta::remove(&[slot]),
                Before::Mark(mark) => delta::set(slot, mark),
                Before::Entry(mark, payload) => {
                    let Some(plan) = plan_put(&view, at, Mark { ..mark }, payload)? else {
                        drop(page);
                        drop(change);
                        self.make_room(at)?;
                        continue;
                    };
                    plan.delta
                }
            };
            change.compensation();
            change.transaction(xid, undo_next);
            change.block(&page, &delta);
            change.commit()?;
            return Ok(());
        }
    }
}
