//! Taking dead entries away that nobody needs (storage rule 18).
//!
//! Whoever marks an entry dead notes its leaf; a cursor that meets many dead entries does, too.
//! [`purge`] takes the leaves from that queue: it removes settled dead entries, and joins what has
//! become sparse with its neighbours, level by level.

use crate::page::{Page, delta};
use crate::record::op;
use crate::tree::{Index, Target};
use crate::{Bound, KeyRow};
use base::{PageNo, Result, RowId, SqlState, Xid};
use std::collections::BTreeMap;
use std::sync::Arc;
use txn::Transactions;
use wal::{Purpose, rm};

/// What became of the dead entries of a leaf.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Purged {
    /// How many went.
    pub(crate) gone: usize,
    /// The stamp of one that somebody may still need.
    pub(crate) left: Option<Xid>,
}

impl Index {
    /// Takes all settled dead entries of the leaf of `at` away. May wait.
    pub(crate) fn purge_leaf(&self, at: Bound<'_>) -> Result<Purged> {
        let target = Target::At(at);
        loop {
            let _descent = self.pool.descend();
            let pin = self.descend(target, 0, None)?;
            let bytes = self.page_bytes();
            // Three bytes a slot number suffice.
            let mut change =
                self.pool.change_for(Purpose::Undo, rm::BTREE, op::PURGE, &[bytes], bytes)?;
            let page = pin.write();
            let Some(view) = self.still(&page, target, 0)? else { continue };
            let (mut slots, mut highest, mut left) = (Vec::new(), Xid::INVALID, None);
            let mut last = (Xid::INVALID, false);
            for slot in 0..view.count() {
                let entry = view.leaf_entry(slot)?;
                if !entry.dead {
                    continue;
                }
                if last.0 != entry.stamp {
                    last = (entry.stamp, self.transactions.settled(entry.stamp));
                }
                if last.1 {
                    slots.push(slot);
                    highest = highest.max(entry.stamp);
                } else {
                    left = Some(entry.stamp);
                }
            }
            if slots.is_empty() {
                return Ok(Purged { gone: 0, left });
            }
            change.data(&highest.0.to_le_bytes());
            change.block(&page, &delta::remove(&slots));
            change.commit()?;
            return Ok(Purged { gone: slots.len(), left });
        }
    }

    /// Takes the entry away if it is dead and settled, with its settled dead neighbours; joins the
    /// leaf with its neighbours when it has become sparse. Says whether the entry is gone or live:
    /// whether nothing is left to do. May wait.
    ///
    /// # Errors
    /// Those of disk and log.
    pub fn purge(&self, key: &[u8], row: RowId) -> Result<bool> {
        let at = Bound { key, row };
        self.purge_leaf(at)?;
        self.join_sparse(at)?;
        loop {
            let _descent = self.pool.descend();
            let pin = self.descend(Target::At(at), 0, None)?;
            let page = pin.read();
            let Some(view) = self.still(&page, Target::At(at), 0)? else { continue };
            let (slot, found) = view.search(at)?;
            return Ok(!found || !view.leaf_entry(slot)?.dead);
        }
    }

    /// Joins the leaf of `at`, and what is above it, with neighbours as long as that is worth it.
    fn join_sparse(&self, at: Bound<'_>) -> Result<()> {
        let mut level = 0;
        loop {
            let mut low: Option<KeyRow> = None;
            {
                let _descent = self.pool.descend();
                let Some(pin) = self.descend_to(Target::At(at), level, Some(&mut low))? else {
                    return Ok(());
                };
                let page = pin.read();
                match self.still(&page, Target::At(at), level)? {
                    Some(view) if self.is_sparse(&view) => {}
                    _ => return Ok(()),
                }
            }
            let joined = self.merge(Target::At(at), level)?
                || match &low {
                    Some(low) => self.merge(Target::Below(low.bound()), level)?,
                    None => false,
                };
            if !joined {
                return Ok(());
            }
            while self.lower_root()? {}
            level += 1;
        }
    }

    /// Gives free pages at the end of the file back, if there are at least `least`. Returns how many
    /// went. May wait.
    ///
    /// # Errors
    /// Those of the disk and the log.
    pub fn shrink(&self, least: u64) -> Result<u64> {
        self.pool.shrink_file(&self.file, (rm::BTREE, op::SHRINK), least)
    }

    /// Gives free pages at the end of the file back when that is worth it. May wait.
    fn shrink_if_worth(&self) -> Result<u64> {
        self.pool.shrink_if_worth(&self.file, (rm::BTREE, op::SHRINK))
    }

    /// A place on a leaf by its number, if it is one that has dead entries or is sparse.
    fn place_on(&self, number: PageNo) -> Result<Option<KeyRow>> {
        let pin = self.pool.pin(&self.file, number)?;
        let page = pin.read();
        if buffer::page::kind(&page) == buffer::page::kind::NONE {
            // It has left the file since it was noted.
            return Ok(None);
        }
        let Some(view) = Page::open(&page)?.filter(|view| view.is_leaf() && view.count() > 0)
        else {
            return Ok(None);
        };
        let mut dead = false;
        for slot in 0..view.count() {
            dead |= view.leaf_entry(slot)?.dead;
        }
        if !dead && !self.is_sparse(&view) {
            return Ok(None);
        }
        let mut key = Vec::new();
        let row = view.key_into(0, &mut key)?;
        Ok(Some(KeyRow { key, row }))
    }
}

/// Tidies up to `pages` leaves on which entries were marked dead. Returns how many it looked at. May
/// wait.
///
/// # Errors
/// Those of disk and log.
pub fn purge(transactions: &Arc<Transactions>, pages: usize) -> Result<usize> {
    let queue = transactions.dead_entries();
    let taken = queue.take(pages, |stamp| transactions.settled(stamp));
    let mut indexes = BTreeMap::new();
    for (file, page) in &taken {
        let tree = match transactions.pool().files().open(*file) {
            // It was dropped.
            Err(error) if error.sqlstate() == SqlState::UNDEFINED_FILE => continue,
            other => other?,
        };
        let index = Index::open(transactions, tree, &crate::undo::label(*file))?;
        let Some(place) = index.place_on(*page)? else { continue };
        let purged = index.purge_leaf(place.bound())?;
        if let Some(stamp) = purged.left {
            queue.put_back(*file, *page, stamp);
        }
        index.join_sparse(place.bound())?;
        indexes.insert(*file, index);
    }
    for index in indexes.values() {
        index.shrink_if_worth()?;
    }
    Ok(taken.len())
}
