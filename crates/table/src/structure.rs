//! Structure changes: splits, a taller root, merges. Redo-only, each one record (tree rule 3).

use crate::inner::{self, Inner};
use crate::join::inner_now;
use crate::leaf::{self, Demand, Frame, Leaf, NO_HIGH_KEY, Room, encode_links, image_of};
use crate::record::{MANAGER, act, op};
use crate::tree::{META, Place, ROOT, Tree, place_of};
use base::{Error, PageNo, Result, RowId};
use buffer::page::kind;
use wal::Purpose;

/// Where a leaf is divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cut {
    /// Behind its last row: the new leaf is empty and begins with the row that is wanted.
    End,
    /// In the middle of its rows.
    Middle,
}

/// What the two halves of a divided leaf look like.
struct Halves {
    /// The first row id of the right half.
    key: u64,
    /// The delta of the left half on its own page.
    left: Vec<u8>,
    /// The delta that builds the left half on a new page.
    left_anew: Vec<u8>,
    /// The delta that builds the right half.
    right: Vec<u8>,
}

impl Tree {
    /// Divides the leaf that covers `row`, if it still must be: `needed` looks at it under its
    /// latch. May wait.
    pub(crate) fn split_leaf(
        &self,
        row: RowId,
        cut: Cut,
        purpose: Purpose,
        needed: impl Fn(&Leaf<'_>) -> Result<bool>,
    ) -> Result<()> {
        loop {
            if self.is_leaf(ROOT)? {
                if self.split_root_leaf(row, cut, purpose, &needed)? {
                    return Ok(());
                }
            } else if self.make_room_above(row, 0, purpose)?
                && self.split_low_leaf(row, cut, purpose, &needed)?
            {
                return Ok(());
            }
            base::wait::yield_now();
        }
    }

    fn is_leaf(&self, page: PageNo) -> Result<bool> {
        Ok(buffer::page::kind(&self.pin(page)?.read()) != kind::INNER)
    }

    /// Divides a leaf that has a parent. False: look again.
    fn split_low_leaf(
        &self,
        row: RowId,
        cut: Cut,
        purpose: Purpose,
        needed: &impl Fn(&Leaf<'_>) -> Result<bool>,
    ) -> Result<bool> {
        let size = self.page_bytes();
        let parent_pin = self.descend_to(row, 1)?;
        let leaf_pin = self.descend(row)?;
        let reserved = self.pool().reserve_pages_for(purpose, &self.file, 1)?;
        let meta_pin = self.pin(META)?;
        let right_pin = &reserved.pages()[0];
        let (page, right, parent, meta);
        let mut change =
            self.pool().change_for(purpose, MANAGER, op::SPLIT, &[size; 4], 3 * size)?;
        page = leaf_pin.write();
        if place_of(&page, row)? != Place::Here {
            return Ok(false);
        }
        if !needed(&Leaf::open(&page)?)? {
            return Ok(true);
        }
        let Some(halves) = self.halves(&page, row, cut, right_pin.page(), 0)? else {
            return Err(self.row_too_big());
        };
        parent = parent_pin.write();
        if !self.has_room_for(&parent, 1, halves.key, leaf_pin.page())? {
            return Ok(false);
        }
        let Some(latched) = right_pin.try_write() else { return Ok(false) };
        right = latched;
        meta = meta_pin.write();
        if !change.allocate(&meta, &reserved)? {
            return Ok(false);
        }
        change.block(&page, &halves.left);
        change.init(&right, &halves.right);
        let mut entry = vec![act::INNER_INSERT];
        inner::encode_insert(&mut entry, halves.key, right_pin.page());
        change.block(&parent, &entry);
        let was_last = Leaf::open(&page)?.high() == NO_HIGH_KEY;
        change.commit()?;
        let (file, key) = (self.file(), RowId(halves.key));
        let versions = self.tables.transactions.versions();
        versions.split(file, leaf_pin.page(), right_pin.page(), key);
        if was_last {
            self.note_last_leaf(right_pin.page());
        }
        Ok(true)
    }

    /// Divides the root while it is a leaf: its rows move to two new leaves. False: look again.
    fn split_root_leaf(
        &self,
        row: RowId,
        cut: Cut,
        purpose: Purpose,
        needed: &impl Fn(&Leaf<'_>) -> Result<bool>,
    ) -> Result<bool> {
        let size = self.page_bytes();
        let root_pin = self.pin(ROOT)?;
        let reserved = self.pool().reserve_pages_for(purpose, &self.file, 2)?;
        let meta_pin = self.pin(META)?;
        let (left_pin, right_pin) = (&reserved.pages()[0], &reserved.pages()[1]);
        let (root, left, right, meta);
        let mut change =
            self.pool().change_for(purpose, MANAGER, op::GROW, &[size; 4], 3 * size)?;
        root = root_pin.write();
        if place_of(&root, row)? != Place::Here {
            return Ok(false);
        }
        if !needed(&Leaf::open(&root)?)? {
            return Ok(true);
        }
        let numbers = (left_pin.page(), right_pin.page());
        let Some(halves) = self.halves(&root, row, cut, numbers.1, numbers.0.0)? else {
            return Err(self.row_too_big());
        };
        let Some(latched) = left_pin.try_write() else { return Ok(false) };
        left = latched;
        let Some(latched) = right_pin.try_write() else { return Ok(false) };
        right = latched;
        meta = meta_pin.write();
        if !change.allocate(&meta, &reserved)? {
            return Ok(false);
        }
        change.init(&left, &halves.left_anew);
        change.init(&right, &halves.right);
        let mut above = vec![act::INNER_INIT];
        let entries = [(0, numbers.0), (halves.key, numbers.1)];
        inner::encode_init(&mut above, 1, NO_HIGH_KEY, 0, &entries);
        change.init(&root, &above);
        change.commit()?;
        let (file, key) = (self.file(), RowId(halves.key));
        let versions = self.tables.transactions.versions();
        versions.merge(file, numbers.0, ROOT);
        versions.split(file, numbers.0, numbers.1, key);
        self.note_last_leaf(numbers.1);
        Ok(true)
    }

    /// Plans the halves of a leaf; nothing if it cannot be divided there.
    fn halves(
        &self,
        page: &[u8],
        row: RowId,
        cut: Cut,
        right: PageNo,
        new_left: u64,
    ) -> Result<Option<Halves>> {
        let leaf = Leaf::open(page)?;
        let at_end = leaf.last_row_id().is_none_or(|last| last < row);
        let (key, slot) = match cut {
            // What an empty leaf cannot take, a new one cannot either.
            Cut::End if at_end && leaf.rows() > 0 => (row.0, leaf.rows()),
            _ if leaf.rows() >= 2 => {
                let slot = middle_of(&leaf)?;
                (leaf.row_id(slot).0, slot)
            }
            _ if leaf.rows() == 1 && row < leaf.row_id(0) => (leaf.row_id(0).0, 0),
            _ if leaf.rows() == 1 && row > leaf.row_id(0) => (row.0, 1),
            _ => return Ok(None),
        };
        let frame = Frame::of(&leaf);
        let whole = slot == leaf.rows();
        let right_room = if leaf.high() == NO_HIGH_KEY { Room::Append } else { Room::Update };
        let right_frame = Frame { low: key, room: right_room, ..frame };
        let nothing = Demand::default();
        let sources = [(leaf, slot, leaf.rows())];
        let new_row = whole.then_some(row);
        let Some(layout) = leaf::plan(right_frame, &sources, new_row, &nothing, Some(&leaf))?
        else {
            return Ok(None);
        };
        let right_delta = build(page.len(), &layout, &[(leaf, slot, leaf.rows())])?;
        let left_frame = Frame { high: key, right: right.0, room: Room::Update, ..frame };
        let kept = [(leaf, 0, slot)];
        let mut left = Vec::new();
        let mut left_anew = Vec::new();
        if whole && new_left == 0 {
            left.push(act::LINKS);
            encode_links(&mut left, leaf.flags(), key, right.0);
        } else {
            let planned = leaf::plan(left_frame, &kept, None, &nothing, Some(&leaf))?;
            let Some(layout) = planned else { return Ok(None) };
            if new_left == 0 {
                left.push(act::REBUILD);
                leaf::encode_rebuild(&mut left, Some(RowId(key)), &layout);
            } else {
                left_anew = build(page.len(), &layout, &kept)?;
            }
        }
        Ok(Some(Halves { key, left, left_anew, right: right_delta }))
    }

    /// Sees to it that the inner pages on the way to `row` above `level` have room for an entry.
    /// False: something was split; look again.
    fn make_room_above(&self, row: RowId, level: u16, purpose: Purpose) -> Result<bool> {
        let root_level = {
            let pin = self.pin(ROOT)?;
            let page = pin.read();
            let inner = Inner::open(&page)?;
            if inner.is_full(self.children_max()) { None } else { Some(inner.level()) }
        };
        let Some(root_level) = root_level else {
            self.grow_inner_root(purpose)?;
            return Ok(false);
        };
        for level in (level + 1..root_level).rev() {
            let pin = self.descend_to(row, level)?;
            let full = inner_now(&pin.read())?.map(|inner| inner.is_full(self.children_max()));
            let Some(full) = full else { return Ok(false) };
            if full {
                self.split_inner(row, level, purpose)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Moves the entries of the full root to two new pages.
    fn grow_inner_root(&self, purpose: Purpose) -> Result<()> {
        let size = self.page_bytes();
        let root_pin = self.pin(ROOT)?;
        let reserved = self.pool().reserve_pages_for(purpose, &self.file, 2)?;
        let meta_pin = self.pin(META)?;
        let (left_pin, right_pin) = (&reserved.pages()[0], &reserved.pages()[1]);
        let (root, left, right, meta);
        let mut change =
            self.pool().change_for(purpose, MANAGER, op::GROW, &[size; 4], 3 * size)?;
        root = root_pin.write();
        let inner = Inner::open(&root)?;
        if !inner.is_full(self.children_max()) {
            return Ok(());
        }
        let Some(latched) = left_pin.try_write() else { return Ok(()) };
        left = latched;
        let Some(latched) = right_pin.try_write() else { return Ok(()) };
        right = latched;
        meta = meta_pin.write();
        if !change.allocate(&meta, &reserved)? {
            return Ok(());
        }
        let (level, half) = (inner.level(), inner.count() / 2);
        let key = inner.key(half);
        let entries: Vec<_> = (0..inner.count()).map(|i| (inner.key(i), inner.child(i))).collect();
        let (low, high) = entries.split_at(half);
        let mut delta = vec![act::INNER_INIT];
        inner::encode_init(&mut delta, level, key, right_pin.page().0, low);
        change.init(&left, &delta);
        let mut delta = vec![act::INNER_INIT];
        inner::encode_init(&mut delta, level, NO_HIGH_KEY, 0, high);
        change.init(&right, &delta);
        let mut delta = vec![act::INNER_INIT];
        let entries = [(0, left_pin.page()), (key, right_pin.page())];
        inner::encode_init(&mut delta, level + 1, NO_HIGH_KEY, 0, &entries);
        change.init(&root, &delta);
        change.commit()?;
        Ok(())
    }

    /// Divides the full inner page of a level on the way to `row`, whose parent has room.
    fn split_inner(&self, row: RowId, level: u16, purpose: Purpose) -> Result<()> {
        let size = self.page_bytes();
        let parent_pin = self.descend_to(row, level + 1)?;
        let pin = self.descend_to(row, level)?;
        let reserved = self.pool().reserve_pages_for(purpose, &self.file, 1)?;
        let meta_pin = self.pin(META)?;
        let right_pin = &reserved.pages()[0];
        let (page, right, parent, meta);
        let mut change =
            self.pool().change_for(purpose, MANAGER, op::SPLIT, &[size; 4], 2 * size)?;
        page = pin.write();
        let Some(inner) = inner_now(&page)? else { return Ok(()) };
        if pin.page() == ROOT || !inner.is_full(self.children_max()) || inner.level() != level {
            return Ok(());
        }
        let half = inner.count() / 2;
        let key = inner.key(half);
        parent = parent_pin.write();
        if !self.has_room_for(&parent, level + 1, key, pin.page())? {
            return Ok(());
        }
        let Some(latched) = right_pin.try_write() else { return Ok(()) };
        right = latched;
        meta = meta_pin.write();
        if !change.allocate(&meta, &reserved)? {
            return Ok(());
        }
        let entries: Vec<_> =
            (half..inner.count()).map(|i| (inner.key(i), inner.child(i))).collect();
        let mut delta = vec![act::INNER_CUT];
        inner::encode_cut(&mut delta, key, right_pin.page());
        change.block(&page, &delta);
        let mut delta = vec![act::INNER_INIT];
        inner::encode_init(&mut delta, level, inner.high(), inner.right(), &entries);
        change.init(&right, &delta);
        let mut delta = vec![act::INNER_INSERT];
        inner::encode_insert(&mut delta, key, right_pin.page());
        change.block(&parent, &delta);
        change.commit()?;
        Ok(())
    }

    /// Joins the leaf that covers `row` with its right neighbour if both have the same parent and
    /// fit in 80 % of a page (storage rule 9). Says whether it did. May wait.
    pub(crate) fn merge_leaf(&self, row: RowId) -> Result<bool> {
        if self.is_leaf(ROOT)? {
            return Ok(false);
        }
        let size = self.page_bytes();
        let parent_pin = self.descend_to(row, 1)?;
        let left_pin = self.descend(row)?;
        let right_no = {
            let page = left_pin.read();
            if place_of(&page, row)? != Place::Here || Leaf::open(&page)?.right() == 0 {
                return Ok(false);
            }
            PageNo(Leaf::open(&page)?.right())
        };
        let right_pin = self.pin(right_no)?;
        let meta_pin = self.pin(META)?;
        let (left, right, parent, meta);
        let mut change = self.pool().change(MANAGER, op::MERGE, &[size; 4], 2 * size)?;
        left = left_pin.write();
        right = right_pin.write();
        if place_of(&left, row)? != Place::Here || Leaf::open(&left)?.right() != right_no.0 {
            return Ok(false);
        }
        let (l, r) = (Leaf::open(&left)?, Leaf::open(&right)?);
        if !same_columns(&l, &r)? {
            // What rows of the other side have in such a column, only the catalog knows.
            return Ok(false);
        }
        let frame = Frame { page_bytes: size / 10 * 8, low: l.low(), ..Frame::of(&r) };
        let frame = Frame { room: Room::Tight, ..frame };
        let sources = [(l, 0, l.rows()), (r, 0, r.rows())];
        let none = Demand::default();
        if leaf::plan(frame, &sources, None, &none, Some(&l))?.is_none() {
            return Ok(false);
        }
        let room = Frame::of(&r).room;
        let frame = Frame { page_bytes: size, room, ..frame };
        let Some(layout) = leaf::plan(frame, &sources, None, &none, Some(&l))? else {
            return Ok(false);
        };
        parent = parent_pin.write();
        if buffer::page::kind(&parent) != kind::INNER {
            return Ok(false);
        }
        let key = r.low();
        let siblings = {
            let inner = Inner::open(&parent)?;
            inner.level() == 1 && inner.are_siblings(key, left_pin.page(), right_no)
        };
        if !siblings {
            return Ok(false);
        }
        let merged = build(size, &layout, &sources)?;
        let was_last = r.high() == NO_HIGH_KEY;
        let mut entry = vec![act::INNER_REMOVE];
        leaf::put_varint(&mut entry, key);
        meta = meta_pin.write();
        change.block(&left, &merged);
        change.free(&meta, &right)?;
        change.block(&parent, &entry);
        change.commit()?;
        let file = self.file();
        self.tables.transactions.versions().merge(file, left_pin.page(), right_no);
        if was_last {
            self.note_last_leaf(left_pin.page());
        }
        Ok(true)
    }

    /// Whether `parent` can take an entry for a new right sibling of `child` at `key`.
    fn has_room_for(&self, parent: &[u8], level: u16, key: u64, child: PageNo) -> Result<bool> {
        if buffer::page::kind(parent) != kind::INNER {
            return Ok(false);
        }
        let inner = Inner::open(parent)?;
        Ok(inner.level() == level
            && !inner.is_full(self.children_max())
            && inner.low() <= key
            && key < inner.high()
            && inner.child(inner.entry_for(RowId(key))) == child
            && inner.entry_at(key).is_none())
    }

    #[cold]
    pub(crate) fn row_too_big(&self) -> Error {
        base::err!(
            PROGRAM_LIMIT_EXCEEDED,
            "row is too big: it does not fit a page of {} bytes",
            self.page_bytes()
        )
    }
}

fn same_columns(left: &Leaf<'_>, right: &Leaf<'_>) -> Result<bool> {
    if left.columns() != right.columns() {
        return Ok(false);
    }
    for index in 0..left.columns() {
        if right.column(left.column_at(index)?.id, index)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The delta that builds a leaf with the given rows on a new page.
fn build(
    page_bytes: usize,
    layout: &leaf::Layout<'_>,
    sources: &[(Leaf<'_>, usize, usize)],
) -> Result<Vec<u8>> {
    let mut encoded = Vec::new();
    layout.encode(&mut encoded);
    let rows: usize = sources.iter().map(|(_, from, to)| to - from).sum();
    if rows == 0 {
        let mut delta = vec![act::INIT];
        delta.extend_from_slice(&encoded);
        return Ok(delta);
    }
    let mut page = vec![0; page_bytes];
    leaf::init(&mut page, &encoded)?;
    for (source, from, to) in sources {
        leaf::append_rows(&mut page, source, *from, *to, &encoded)?;
    }
    let mut delta = vec![act::IMAGE];
    image_of(&page, &mut delta)?;
    Ok(delta)
}

/// The slot at which a leaf has about as many bytes before as behind; never the first.
fn middle_of(leaf: &Leaf<'_>) -> Result<usize> {
    let mut heap = vec![0usize; leaf.rows()];
    for index in 0..leaf.columns() {
        let column = leaf.column_at(index)?;
        if column.width.is_variable() {
            for (slot, bytes) in heap.iter_mut().enumerate() {
                *bytes += leaf::heap_bytes(column.width, &leaf.cell(&column, slot)?);
            }
        }
    }
    let fixed = (leaf.page().len() - leaf.heap_live()) / leaf.rows().max(1);
    let total: usize = heap.iter().map(|bytes| bytes + fixed).sum();
    let mut before = 0;
    for (slot, bytes) in heap.iter().enumerate() {
        if before * 2 >= total && slot > 0 {
            return Ok(slot);
        }
        before += bytes + fixed;
    }
    Ok(leaf.rows() - 1)
}
