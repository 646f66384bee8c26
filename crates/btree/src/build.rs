//! Building a tree from sorted entries.
//!
//! Pages are filled one after another, the leaves from left to right, each level above as its
//! children are done. A page's number is drawn before it is written, so that its left neighbour can
//! name it; the numbers come from the tree's meta page in chunks.

use crate::page::delta::{Contents, Mark};
use crate::page::{INNER_HEAD, LEAF_HEAD, SLOTS, common_prefix};
use crate::record::op;
use crate::tree::Index;
use crate::{Bound, KeyRow};
use base::{Error, PageNo, Result, RowId, Xid};
use std::collections::VecDeque;
use wal::rm;

/// The per cent of a page that a build fills.
const FILL_PERCENT: usize = 90;
/// The pages that are allocated at once.
const CHUNK: usize = 16;

/// An entry of a build.
#[derive(Clone, Copy, Debug)]
pub struct BuildEntry<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The row.
    pub row: RowId,
    /// The stamp: that of the row's version.
    pub stamp: Xid,
    /// Whether it is the entry of a version that the stamp's transaction has replaced.
    pub dead: bool,
    /// The columns of INCLUDE.
    pub payload: &'a [u8],
}

/// An entry that waits in an open page.
struct Item {
    place: KeyRow,
    body: Body,
}

enum Body {
    Leaf(Mark, Vec<u8>),
    Child(PageNo),
}

/// The page of a level that is being filled.
struct Open {
    number: PageNo,
    low: KeyRow,
    items: Vec<Item>,
}

/// A build under way.
///
/// Entries come in strictly ascending order of (key, row id). Redo-only: the creation of the file is
/// undone as a whole.
pub struct Build<'i> {
    index: &'i Index,
    levels: Vec<Open>,
    numbers: VecDeque<PageNo>,
    entries: u64,
}

impl Index {
    /// Begins to fill an empty tree of which nobody else knows.
    pub fn bulk_build(&self) -> Build<'_> {
        // The first leaf is the page that the empty tree has.
        let numbers = VecDeque::from([PageNo(1)]);
        Build { index: self, levels: Vec::new(), numbers, entries: 0 }
    }

    fn write_built(&self, number: PageNo, contents: &[u8]) -> Result<()> {
        let pin = self.pool.pin(&self.file, number)?;
        let bytes = self.page_bytes();
        let mut change = self.pool.change(rm::BTREE, op::BUILD, &[bytes], 2 * bytes)?;
        let page = pin.write();
        change.init(&page, contents);
        change.commit()?;
        Ok(())
    }
}

impl Build<'_> {
    /// Adds the next entry. May wait.
    ///
    /// # Errors
    /// 54000 when the entry is too large; XX000 when it is not above the one before; those of disk
    /// and log.
    pub fn add(&mut self, entry: BuildEntry<'_>) -> Result<()> {
        self.index.check_size(entry.key, entry.payload, entry.row)?;
        let place = Bound { key: entry.key, row: entry.row };
        let last = self.levels.first().and_then(|open| open.items.last());
        if last.is_some_and(|last| last.place.bound() >= place) {
            return Err(Error::internal("entries of an index build are out of order"));
        }
        self.entries += 1;
        let mark = Mark { stamp: entry.stamp, dead: entry.dead };
        let body = Body::Leaf(mark, entry.payload.to_vec());
        self.add_item(0, Item { place: place.to_owned(), body })
    }

    /// Writes what is left, and makes the tree whole. Returns the number of entries. May wait.
    ///
    /// # Errors
    /// Those of disk and log.
    pub fn finish(mut self) -> Result<u64> {
        let mut level = 0;
        while level < self.levels.len() {
            // The last page has no high key, and so no common prefix: it may have become too large.
            while self.size(level, 0, 0) > self.index.page_bytes() {
                let items = &mut self.levels[level].items;
                let tail = items.split_off(items.len() / 2);
                self.close(level, &tail[0].place.clone())?;
                self.levels[level].items.extend(tail);
            }
            let contents = self.contents(level, 0, None, PageNo(0));
            let Open { number, low, .. } = &self.levels[level];
            let (number, low) = (*number, low.clone());
            self.index.write_built(number, &contents)?;
            if level + 1 < self.levels.len() {
                self.add_item(level + 1, Item { place: low, body: Body::Child(number) })?;
            } else {
                self.set_root(number, level as u32)?;
            }
            level += 1;
        }
        self.give_back()?;
        Ok(self.entries)
    }

    fn add_item(&mut self, level: usize, item: Item) -> Result<()> {
        if level == self.levels.len() {
            let low = KeyRow { key: Vec::new(), row: RowId(0) };
            let number = self.draw()?;
            self.levels.push(Open { number, low, items: Vec::new() });
        }
        let open = &self.levels[level];
        if !open.items.is_empty() {
            let prefix = common_prefix(&open.low.key, &item.place.key);
            let more = item.bytes(prefix) + item.place.key.len();
            if self.size(level, prefix, more) > self.index.page_bytes() * FILL_PERCENT / 100 {
                self.close(level, &item.place)?;
            }
        }
        self.levels[level].items.push(item);
        Ok(())
    }

    /// The bytes of a level's open page with that common prefix and so much more.
    fn size(&self, level: usize, prefix: usize, more: usize) -> usize {
        SLOTS + more + self.levels[level].items.iter().map(|item| item.bytes(prefix)).sum::<usize>()
    }

    /// Writes the open page of a level, which ends before `next`, and opens its right neighbour.
    fn close(&mut self, level: usize, next: &KeyRow) -> Result<()> {
        let mut carried: Vec<Item> = Vec::new();
        let (separator, prefix) = loop {
            let open = &self.levels[level];
            let Some(last) = open.items.last() else {
                return Err(Error::internal("a page of an index build is empty"));
            };
            let next = carried.last().map_or(next, |item| &item.place);
            let separator = separator(level, &last.place, next);
            let prefix = common_prefix(&open.low.key, &separator.key);
            let size = self.size(level, prefix, separator.key.len());
            if size <= self.index.page_bytes() || open.items.len() == 1 {
                break (separator, prefix);
            }
            // With this end the page shares a shorter prefix than it did while it was filled.
            carried.extend(self.levels[level].items.pop());
        };
        let right = self.draw()?;
        let contents = self.contents(level, prefix, Some(separator.bound()), right);
        carried.reverse();
        let open = Open { number: right, low: separator, items: carried };
        let Open { number, low, .. } = std::mem::replace(&mut self.levels[level], open);
        self.index.write_built(number, &contents)?;
        self.add_item(level + 1, Item { place: low, body: Body::Child(number) })
    }

    fn contents(
        &self,
        level: usize,
        prefix: usize,
        high: Option<Bound<'_>>,
        right: PageNo,
    ) -> Vec<u8> {
        let mut contents = Contents::new(level as u16, prefix, high, right, false);
        for Item { place, body } in &self.levels[level].items {
            match body {
                Body::Leaf(mark, payload) => {
                    contents.leaf(&place.key, place.row, *mark, payload);
                }
                Body::Child(number) => contents.inner(&place.key, place.row, *number),
            }
        }
        contents.finish()
    }

    fn draw(&mut self) -> Result<PageNo> {
        loop {
            if let Some(number) = self.numbers.pop_front() {
                return Ok(number);
            }
            let Index { pool, file, .. } = self.index;
            let reservation = pool.reserve_pages(file, CHUNK)?;
            let meta_pin = pool.pin(file, PageNo(0))?;
            let bytes = self.index.page_bytes();
            let mut change = pool.change(rm::BTREE, op::BUILD, &[bytes], 0)?;
            let meta = meta_pin.write();
            if change.allocate(&meta, &reservation)? {
                change.commit()?;
                self.numbers.extend(reservation.pages().iter().map(buffer::Pin::page));
            }
        }
    }

    fn set_root(&self, root: PageNo, height: u32) -> Result<()> {
        let Index { pool, file, .. } = self.index;
        let meta_pin = pool.pin(file, PageNo(0))?;
        let bytes = self.index.page_bytes();
        let mut change = pool.change(rm::BTREE, op::BUILD, &[bytes], 0)?;
        {
            let meta = meta_pin.write();
            let state = change.meta(&meta)?;
            state.root = root;
            state.height = height;
            change.commit()?;
            file.set_hint(root);
        }
        Ok(())
    }

    /// Frees the pages that were allocated and not used.
    fn give_back(&mut self) -> Result<()> {
        let Index { pool, file, .. } = self.index;
        if self.levels.is_empty() {
            return Ok(());
        }
        for number in self.numbers.drain(..) {
            let page_pin = pool.pin(file, number)?;
            let meta_pin = pool.pin(file, PageNo(0))?;
            let bytes = self.index.page_bytes();
            let mut change = pool.change(rm::BTREE, op::BUILD, &[bytes; 2], 64)?;
            let (page, meta) = (page_pin.write(), meta_pin.write());
            change.free(&meta, &page)?;
            change.commit()?;
        }
        Ok(())
    }
}

impl Item {
    /// The bytes of the entry and its slot with that common prefix.
    fn bytes(&self, prefix: usize) -> usize {
        let key = self.place.key.len().saturating_sub(prefix);
        match &self.body {
            Body::Leaf(_, payload) => LEAF_HEAD + 2 + key + payload.len(),
            Body::Child(_) => INNER_HEAD + 2 + key,
        }
    }
}

/// What separates two neighbours on a level: for leaves the shortest key that does.
fn separator(level: usize, before: &KeyRow, next: &KeyRow) -> KeyRow {
    let mut separator = next.clone();
    if level == 0 && before.key != next.key {
        separator.key.truncate(common_prefix(&before.key, &next.key) + 1);
        separator.row = RowId(0);
    }
    separator
}
