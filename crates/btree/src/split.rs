//! Splitting pages, and completing splits.

use crate::page::delta::{self, Contents};
use crate::page::{INNER_HEAD, LEAF_HEAD, Page, common_prefix, damaged};
use crate::record::op;
use crate::tree::{Index, Target};
use crate::{Bound, KeyRow};
use base::{PageNo, Result, RowId};
use wal::{Purpose, rm};

/// The per cent of a page that a split leaves on the left when the tree grows at its right end.
const RIGHTMOST_FILL_PERCENT: usize = 90;

/// Where a page is cut: the first entry that moves, and the separator.
struct CutPoint {
    at: usize,
    separator: KeyRow,
}

impl Index {
    /// Splits the page of `level` to which `at` belongs. Returns also when another did: the caller
    /// looks again. May wait.
    pub(crate) fn split(&self, at: Bound<'_>, level: u16) -> Result<()> {
        let target = Target::At(at);
        loop {
            let _descent = self.pool.descend();
            let mut low = None;
            let Some(pin) = self.descend_to(target, level, Some(&mut low))? else {
                // The tree got lower.
                return Ok(());
            };
            let number = pin.page();
            if self.is_incomplete(number)? {
                self.complete_split(number, level)?;
                continue;
            }
            let is_root = self.refresh_root()? == number;
            let reservation = self.pool.reserve_pages(&self.file, if is_root { 2 } else { 1 })?;
            let meta_pin = self.pool.pin(&self.file, PageNo(0))?;
            let bytes = self.page_bytes();
            // Structure changes of rollbacks come here, too: they may use the reserve.
            let sizes = [bytes; 4];
            let mut change =
                self.pool.change_for(Purpose::Undo, rm::BTREE, op::SPLIT, &sizes, 3 * bytes)?;
            let page = pin.write();
            let Some(view) = self.still(&page, target, level)? else { continue };
            if view.is_incomplete() {
                continue;
            }
            let Some(cut) = cut_point(&view, at)? else { return Ok(()) };
            let pages = reservation.pages();
            // They are ours only if nobody took them since: whoever has one latched may want ours.
            let Some(right) = pages[0].try_write() else { continue };
            let new_root = match pages.get(1).map(buffer::Pin::try_write) {
                Some(None) => continue,
                other => other.flatten(),
            };
            let meta = meta_pin.write();
            let is_root_now = change.meta(&meta)?.root == number;
            if is_root_now != is_root || !change.allocate(&meta, &reservation)? {
                continue;
            }
            let separator = cut.separator.bound();
            let low_key = low.as_ref().map_or(&[][..], |low| &low.key);
            let prefix = common_prefix(low_key, separator.key).max(view.prefix().len());
            let right_number = pages[0].page();
            let left = delta::cut(cut.at, prefix, separator, right_number, !is_root);
            change.block(&page, &left);
            change.init(&right, &right_half(&view, &cut)?);
            if let Some(new_root) = &new_root {
                let mut contents = Contents::new(level + 1, 0, None, PageNo(0), false);
                contents.inner(&[], RowId(0), number);
                contents.inner(separator.key, separator.row, right_number);
                change.init(new_root, &contents.finish());
                let root_number = new_root.pin().page();
                let state = change.meta(&meta)?;
                state.root = root_number;
                state.height = u32::from(level) + 1;
            }
            change.commit()?;
            let new_root = new_root.as_ref().map(|root| root.pin().page());
            if let Some(root) = new_root {
                self.file.set_hint(root);
                return Ok(());
            }
            drop((page, right, meta));
            return self.complete_split(number, level);
        }
    }

    fn is_incomplete(&self, number: PageNo) -> Result<bool> {
        let pin = self.pool.pin(&self.file, number)?;
        let page = pin.read();
        Ok(Page::open(&page)?.is_some_and(|view| view.is_incomplete()))
    }

    /// Puts the separator of an incomplete split of page `left` into the parent. May wait.
    pub(crate) fn complete_split(&self, left: PageNo, level: u16) -> Result<()> {
        let left_pin = self.pool.pin(&self.file, left)?;
        loop {
            let (separator, right) = {
                let page = left_pin.read();
                let Some(view) = Page::open(&page)?.filter(Page::is_incomplete) else {
                    return Ok(());
                };
                let high =
                    view.high().ok_or_else(|| damaged("has a right neighbour but no end"))?;
                (high.to_owned(), view.right())
            };
            let target = Target::At(separator.bound());
            let _descent = self.pool.descend();
            let Some(parent_pin) = self.descend_to(target, level + 1, None)? else {
                // There is a level above as long as the split is incomplete.
                match self.is_incomplete(left)? {
                    true => return Err(self.no_level(level + 1)),
                    false => return Ok(()),
                }
            };
            let sizes = [self.page_bytes(); 2];
            let room = separator.key.len() + 128;
            let mut change =
                self.pool.change_for(Purpose::Undo, rm::BTREE, op::PLACE, &sizes, room)?;
            let page = left_pin.write();
            let unchanged = Page::open(&page)?.is_some_and(|view| {
                view.is_incomplete()
                    && view.right() == right
                    && view.high() == Some(separator.bound())
            });
            if !unchanged {
                continue;
            }
            let parent = parent_pin.write();
            let Some(view) = self.still(&parent, target, level + 1)? else { continue };
            let suffix = separator.key.get(view.prefix().len()..).unwrap_or_default();
            if view.free() < INNER_HEAD + suffix.len() + 2 {
                drop((page, parent));
                drop(change);
                self.split(separator.bound(), level + 1)?;
                continue;
            }
            let slot = view.child_for(separator.bound())? + 1;
            change.block(&page, &delta::placed());
            change.block(&parent, &delta::child(slot, suffix, separator.row, right));
            change.commit()?;
            return Ok(());
        }
    }
}

/// What the new right neighbour gets.
fn right_half(view: &Page<'_>, cut: &CutPoint) -> Result<Vec<u8>> {
    let high = view.high();
    let prefix = high.map_or(0, |high| common_prefix(&cut.separator.key, high.key));
    let mut contents = Contents::new(view.level(), prefix, high, view.right(), false);
    contents.copy(view, cut.at, view.count())?;
    Ok(contents.finish())
}

/// Chooses where to cut a page into which an entry at `at` does not fit; nothing when the page has
/// fewer than two entries, which always leaves room.
fn cut_point(view: &Page<'_>, at: Bound<'_>) -> Result<Option<CutPoint>> {
    if view.count() < 2 {
        return Ok(None);
    }
    let used = view.used();
    let grows_right = view.high().is_none() && view.below(at)? == view.count();
    let percent = if grows_right { RIGHTMOST_FILL_PERCENT } else { 50 };
    let goal = used * percent / 100;
    let (mut left, mut index) = (0, 0);
    while index < view.count() - 1 {
        left += if view.is_leaf() {
            let entry = view.leaf_entry(index)?;
            LEAF_HEAD + 2 + entry.suffix.len() + entry.payload.len()
        } else {
            INNER_HEAD + 2 + view.inner_entry(index)?.suffix.len()
        };
        index += 1;
        if left >= goal {
            break;
        }
    }
    let mut key = Vec::new();
    let row = view.key_into(index, &mut key)?;
    let mut separator = KeyRow { key, row };
    if view.is_leaf() {
        let mut before = Vec::new();
        view.key_into(index - 1, &mut before)?;
        if before != separator.key {
            // The shortest key above the left half.
            let shared = common_prefix(&before, &separator.key);
            separator.key.truncate(shared + 1);
            separator.row = RowId(0);
        }
    }
    Ok(Some(CutPoint { at: index, separator }))
}
