//! Reading one row.

use crate::leaf::{Cell, Leaf, LongRef};
use crate::record::CellImages;
use crate::tree::Tree;
use crate::{Table, overflow};
use base::{Error, Result, RowId, Xid};
use txn::{Mark, Resolved, StampSeen, Step, Transaction, VersionRows, View, XidStatus};

/// The columns of one row. Reused from row to row, so that reading allocates nothing.
#[derive(Default)]
pub struct RowBuffer {
    bytes: Vec<u8>,
    places: Vec<Place>,
    path: Vec<Step>,
}

#[derive(Clone, Copy)]
enum Place {
    Null,
    At(u32, u32),
    Packed(u32, u32),
    Long(LongRef),
}

impl RowBuffer {
    /// An empty buffer.
    pub fn new() -> RowBuffer {
        RowBuffer::default()
    }

    /// The stored bytes of the `i`-th of the columns that were asked for; none: NULL.
    ///
    /// # Panics
    /// When there is no such column.
    #[inline]
    pub fn get(&self, i: usize) -> Option<&[u8]> {
        match self.places[i] {
            Place::At(start, len) => Some(&self.bytes[start as usize..(start + len) as usize]),
            _ => None,
        }
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
        self.path.clear();
    }

    fn put(&mut self, cell: Cell<'_>) -> Place {
        let start = self.bytes.len() as u32;
        match cell {
            Cell::Null => Place::Null,
            Cell::Long(long) => Place::Long(long),
            Cell::Bytes(bytes) => {
                self.bytes.extend_from_slice(bytes);
                Place::At(start, bytes.len() as u32)
            }
            Cell::Packed(bytes) => {
                self.bytes.extend_from_slice(bytes);
                Place::Packed(start, bytes.len() as u32)
            }
        }
    }

    /// Brings compressed and long values into place. May wait; no latch is held.
    fn complete(&mut self, tree: &Tree) -> Result<()> {
        for i in 0..self.places.len() {
            let start = self.bytes.len();
            match self.places[i] {
                Place::Null | Place::At(..) => continue,
                Place::Packed(at, len) => {
                    let packed = self.bytes[at as usize..(at + len) as usize].to_vec();
                    overflow::unpack(&packed, &mut self.bytes)?;
                }
                Place::Long(long) => tree.read_long(long, &mut self.bytes)?,
            }
            let fits = u32::try_from(self.bytes.len()).is_ok();
            if !fits {
                return Err(base::err!(PROGRAM_LIMIT_EXCEEDED, "a row has more than 4 GB"));
            }
            self.places[i] = Place::At(start as u32, (self.bytes.len() - start) as u32);
        }
        Ok(())
    }
}

/// The latest state of a row, whoever sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Latest {
    /// The row is there, written by this transaction, which has committed or is the caller's own.
    Found(Xid),
    /// A running transaction has changed it: wait for it and look again.
    BeingModified(Xid),
    /// It was deleted by a transaction that has committed or is the caller's own.
    Deleted,
    /// There is no such row.
    Missing,
}

impl Table {
    /// Reads the row that `view` sees: the given columns, by their places in the description. False
    /// when it sees none. May wait for I/O.
    ///
    /// # Errors
    /// XX001 when the tree is damaged.
    pub fn fetch(
        &self,
        view: &View,
        row: RowId,
        columns: &[usize],
        out: &mut RowBuffer,
    ) -> Result<bool> {
        out.clear();
        let resolved = self.tree.read_leaf(row, |leaf, page| {
            out.clear();
            let Ok(slot) = leaf.find(row) else { return Ok(Resolved::Absent) };
            let (stamp, mark) = (leaf.stamp(slot), Mark(leaf.mark(slot)));
            let resolved =
                if stamp < view.all_visible_below() || view.judge(stamp) == StampSeen::Visible {
                    if mark.is_deleted() { Resolved::Absent } else { Resolved::Current }
                } else if stamp != view.own() && mark.is_inserted() {
                    Resolved::Absent
                } else {
                    let chain = self.tree.tables.transactions.versions().chain(self.file(), page);
                    chain.resolve(view, row, stamp, mark, &mut out.path)?
                };
            if resolved != Resolved::Absent {
                self.copy_row(leaf, slot, columns, out)?;
            }
            Ok(resolved)
        })?;
        match resolved {
            Resolved::Absent => return Ok(false),
            Resolved::Current => {}
            Resolved::Older => self.apply_path(row, columns, out)?,
        }
        out.complete(&self.tree)?;
        Ok(true)
    }

    /// Reads the latest version of a row: the recheck of READ COMMITTED. [`Latest::Found`] says
    /// the stamp for [`crate::Basis::Latest`]. May wait for I/O.
    ///
    /// # Errors
    /// XX001 when the tree is damaged.
    pub fn fetch_latest(
        &self,
        txn: &Transaction,
        row: RowId,
        columns: &[usize],
        out: &mut RowBuffer,
    ) -> Result<Latest> {
        out.clear();
        let latest = self.tree.read_leaf(row, |leaf, _| {
            out.clear();
            let Ok(slot) = leaf.find(row) else { return Ok(Latest::Missing) };
            let (stamp, mark) = (leaf.stamp(slot), Mark(leaf.mark(slot)));
            if stamp != txn.xid() {
                match txn.status(stamp) {
                    XidStatus::Running | XidStatus::Aborting | XidStatus::Aborted => {
                        return Ok(Latest::BeingModified(stamp));
                    }
                    _ => {}
                }
            }
            if mark.is_deleted() {
                if stamp != txn.xid() {
                    self.let_go(txn, row);
                }
                return Ok(Latest::Deleted);
            }
            self.copy_row(leaf, slot, columns, out)?;
            Ok(Latest::Found(stamp))
        })?;
        if matches!(latest, Latest::Found(_)) {
            out.complete(&self.tree)?;
        }
        Ok(latest)
    }

    /// Copies columns of a row on a latched leaf.
    fn copy_row(
        &self,
        leaf: &Leaf<'_>,
        slot: usize,
        columns: &[usize],
        out: &mut RowBuffer,
    ) -> Result<()> {
        for &index in columns {
            let layout = &self.columns()[index];
            let cell = match leaf.column(layout.id, index)? {
                Some(column) => leaf.cell(&column, slot)?,
                None => Cell::of(layout.missing.as_deref()),
            };
            let place = out.put(cell);
            out.places.push(place);
        }
        Ok(())
    }

    /// Brings a copied row back to what it was: the before-images of the path, in its order. May
    /// wait; no latch is held.
    fn apply_path(&self, row: RowId, columns: &[usize], out: &mut RowBuffer) -> Result<()> {
        let path = std::mem::take(&mut out.path);
        for step in &path {
            with_images(step, |id, cell| {
                for (i, &index) in columns.iter().enumerate() {
                    if self.columns()[index].id == id {
                        out.places[i] = out.put(cell);
                    }
                }
                Ok(())
            })
            .map_err(|error| error.context(format!("while reading an old version of row {row}")))?;
        }
        out.path = path;
        Ok(())
    }

    /// The XID that wrote the version of the row that `view` sees: `xmin`. None when it sees no
    /// row. May wait for I/O.
    ///
    /// # Errors
    /// XX001 when the tree is damaged.
    pub fn fetch_stamp(&self, view: &View, row: RowId) -> Result<Option<Xid>> {
        self.tree.read_leaf(row, |leaf, page| {
            let Ok(slot) = leaf.find(row) else { return Ok(None) };
            let (stamp, mark) = (leaf.stamp(slot), Mark(leaf.mark(slot)));
            let chain = self.tree.tables.transactions.versions().chain(self.file(), page);
            let mut path = Vec::new();
            Ok(match chain.resolve(view, row, stamp, mark, &mut path)? {
                Resolved::Absent => None,
                Resolved::Current => Some(stamp),
                Resolved::Older => path.last().and_then(stamp_before),
            })
        })
    }
}

/// The stamp that a row had before a step.
pub(crate) fn stamp_before((version, index): &Step) -> Option<Xid> {
    match &version.rows {
        VersionRows::Rows(rows) => rows.get(*index).map(|before| before.stamp),
        _ => None,
    }
}

/// Calls `with` for each column of a step's before-image. May wait; no latch is held.
pub(crate) fn with_images(
    (version, index): &Step,
    mut with: impl FnMut(base::ColumnId, Cell<'_>) -> Result<()>,
) -> Result<()> {
    let VersionRows::Rows(rows) = &version.rows else {
        return Err(Error::corrupted("a version record without rows"));
    };
    let before =
        rows.get(*index).ok_or_else(|| Error::corrupted("a version record lacks a row"))?;
    version.with_body(|body| {
        let mut images = CellImages::of(body, before.image)?;
        while let Some((id, cell)) = images.next()? {
            with(id, cell)?;
        }
        Ok(())
    })?
}
