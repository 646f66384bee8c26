//! Joining inner pages, and a lower root. Redo-only, each one record (tree rule 3).
//!
//! When leaves below it were joined, an inner page may have few children left. It is joined with a
//! neighbour that has the same parent; the two children at the seam then have the same parent, too,
//! and are joined if they fit. A root with one inner child takes that child's contents.
//!
//! # Rules
//! 1. Latches are taken from below and from the left: page, right neighbour, parent, meta page (tree
//!    rule 2).
//! 2. Under its latch a page is looked at anew: inner pages come and go, and only the root stays an
//!    inner page once it is one.
//! 3. A page takes its right neighbour in, so that its low key stays (tree rule 1); the first page of
//!    a level goes only when the root becomes that level.

use crate::inner::{self, Inner};
use crate::leaf;
use crate::record::{MANAGER, act, op};
use crate::tree::{META, ROOT, Tree};
use base::{PageNo, Result, RowId};
use buffer::page::kind;

/// An inner page with fewer per cent of the children that it has room for is joined with another.
const SPARSE_PERCENT: usize = 35;
/// The per cent that two may have together to become one.
const JOINED_PERCENT_MAX: usize = 80;

/// A page as an inner page, if it is one now.
pub(crate) fn inner_now(page: &[u8]) -> Result<Option<Inner<'_>>> {
    match buffer::page::kind(page) {
        kind::INNER => Inner::open(page).map(Some),
        _ => Ok(None),
    }
}

fn entries<'a>(inner: &'a Inner<'_>) -> impl Iterator<Item = (u64, PageNo)> + 'a {
    (0..inner.count()).map(|entry| (inner.key(entry), inner.child(entry)))
}

impl Tree {
    /// The most children of an inner page.
    pub(crate) fn children_max(&self) -> usize {
        self.tables.children_max(self.page_bytes())
    }

    /// Joins the inner pages above `row` with neighbours as long as that is worth it, and lowers the
    /// root. Leaves below were joined. May wait.
    pub(crate) fn join_above(&self, row: RowId) -> Result<()> {
        let mut level = 1;
        while let Some(low) = self.sparse_inner(row, level)? {
            let mut seam = self.merge_inner(row, level)?;
            if seam.is_none() && low > 0 {
                seam = self.merge_inner(RowId(low - 1), level)?;
            }
            let Some(seam) = seam else { break };
            self.join_seam(seam, level)?;
            level += 1;
        }
        while self.lower_root()? {}
        Ok(())
    }

    /// Joins what is on both sides of `seam` below `level`.
    fn join_seam(&self, seam: u64, level: u16) -> Result<()> {
        let before = RowId(seam.saturating_sub(1));
        match level {
            1 => self.merge_leaf(before).map(drop),
            _ => match self.merge_inner(before, level - 1)? {
                Some(seam) => self.join_seam(seam, level - 1),
                None => Ok(()),
            },
        }
    }

    /// The low key of the inner page of a level that covers `row`, if it is sparse and not the root.
    fn sparse_inner(&self, row: RowId, level: u16) -> Result<Option<u64>> {
        let pin = self.descend_to(row, level)?;
        let page = pin.read();
        let Some(inner) = inner_now(&page)? else { return Ok(None) };
        let sparse = inner.count() * 100 < self.children_max() * SPARSE_PERCENT;
        let here = pin.page() != ROOT && inner.level() == level && row.0 < inner.high();
        Ok((here && sparse).then(|| inner.low()))
    }

    /// Joins the inner page of a level that covers `row` with its right neighbour if both have the
    /// same parent and fit one page together. Returns the first row id that was the neighbour's. May
    /// wait.
    fn merge_inner(&self, row: RowId, level: u16) -> Result<Option<u64>> {
        let size = self.page_bytes();
        let parent_pin = self.descend_to(row, level + 1)?;
        let left_pin = self.descend_to(row, level)?;
        let covers = |inner: &Inner<'_>| {
            inner.level() == level && (inner.low()..inner.high()).contains(&row.0)
        };
        let right_no = {
            let page = left_pin.read();
            match inner_now(&page)?.filter(covers) {
                Some(inner) if inner.right() != 0 => PageNo(inner.right()),
                _ => return Ok(None),
            }
        };
        let right_pin = self.pin(right_no)?;
        let meta_pin = self.pin(META)?;
        let (left, right, parent, meta);
        let mut change = self.pool().change(MANAGER, op::MERGE, &[size; 4], 2 * size)?;
        left = left_pin.write();
        right = right_pin.write();
        parent = parent_pin.write();
        let Some(l) = inner_now(&left)?.filter(covers) else { return Ok(None) };
        let (Some(r), Some(above)) = (inner_now(&right)?, inner_now(&parent)?) else {
            return Ok(None);
        };
        let key = r.low();
        let neighbours = l.right() == right_no.0 && r.level() == level && l.high() == key;
        let siblings =
            above.level() == level + 1 && above.are_siblings(key, left_pin.page(), right_no);
        let fit = (l.count() + r.count()) * 100 <= self.children_max() * JOINED_PERCENT_MAX;
        if !neighbours || !siblings || !fit {
            return Ok(None);
        }
        let joined: Vec<_> = entries(&l).chain(entries(&r)).collect();
        let mut delta = vec![act::INNER_INIT];
        inner::encode_init(&mut delta, level, r.high(), r.right(), &joined);
        let mut entry = vec![act::INNER_REMOVE];
        leaf::put_varint(&mut entry, key);
        meta = meta_pin.write();
        change.init(&left, &delta);
        change.free(&meta, &right)?;
        change.block(&parent, &entry);
        change.commit()?;
        Ok(Some(key))
    }

    /// Gives the root the contents of its only child if that is an inner page. Says whether it did.
    /// May wait.
    fn lower_root(&self) -> Result<bool> {
        let size = self.page_bytes();
        let root_pin = self.pin(ROOT)?;
        let only =
            |root: &Inner<'_>| (root.count() == 1 && root.level() > 1).then(|| root.child(0));
        let Some(number) = inner_now(&root_pin.read())?.and_then(|root| only(&root)) else {
            return Ok(false);
        };
        let child_pin = self.pin(number)?;
        let meta_pin = self.pin(META)?;
        let (child, root, meta);
        let mut change = self.pool().change(MANAGER, op::LOWER, &[size; 3], 2 * size)?;
        child = child_pin.write();
        root = root_pin.write();
        let (Some(below), Some(above)) = (inner_now(&child)?, inner_now(&root)?) else {
            return Ok(false);
        };
        let whole = below.low() == above.low() && below.right() == 0;
        if only(&above) != Some(number) || below.level() + 1 != above.level() || !whole {
            return Ok(false);
        }
        let contents: Vec<_> = entries(&below).collect();
        let mut delta = vec![act::INNER_INIT];
        inner::encode_init(&mut delta, below.level(), below.high(), 0, &contents);
        meta = meta_pin.write();
        change.init(&root, &delta);
        change.free(&meta, &child)?;
        change.commit()?;
        Ok(true)
    }
}
