//! Version records of prepared transactions, rebuilt from the log (storage rule 16).

use crate::leaf::Cell;
use crate::record::{KEY_CHANGED, UndoBody, op, undo_file};
use crate::tables::Tables;
use crate::tree::Tree;
use base::{Error, FileId, PageNo, Result, RowId, Xid};
use std::sync::Arc;
use txn::{ChangedRows, RowBefore, VersionKind, VersionRows};

/// What a version record is about.
pub struct Restored {
    /// What was done.
    pub kind: VersionKind,
    /// Whether columns of a key changed.
    pub key_changed: bool,
    /// The rows.
    pub rows: VersionRows,
    /// The leaves on which they are now.
    pub places: Vec<(FileId, PageNo)>,
}

impl Tables {
    /// What the version record of a table's record was, by operation, undo body and data of the
    /// record; the rows are as the record left them. May wait.
    ///
    /// # Errors
    /// XX001 when the body or the tree is damaged; those of the disk.
    pub fn restore(
        self: &Arc<Tables>,
        xid: Xid,
        operation: u8,
        body: &[u8],
        data: &[u8],
    ) -> Result<Restored> {
        let tree = self.tree(undo_file(body)?)?;
        match UndoBody::decode(body)? {
            UndoBody::Insert { first, count, .. } => Ok(Restored {
                kind: VersionKind::Inserts,
                key_changed: false,
                rows: VersionRows::Run(first, count),
                places: tree.places(first, RowId(first.0 + count))?,
            }),
            UndoBody::Set { mut rows, .. } => {
                let (mut befores, mut places) = (Vec::new(), Vec::new());
                while let Some(image) = rows.next()? {
                    let end = offset_of(body, image.encoded)? + image.encoded.len();
                    let range = ((end - image.image_bytes) as u32, image.image_bytes as u32);
                    let (row, stamp, mark) = (image.row, image.stamp, image.mark);
                    befores.push(RowBefore { row, stamp, mark, image: range });
                    places.extend(tree.places(row, RowId(row.0 + 1))?);
                    let mut cells = image.cells;
                    while let Some((_, cell)) = cells.next()? {
                        if let Cell::Long(long) = cell {
                            self.shared.replaced.lock().put(tree.file(), xid, long);
                        }
                    }
                }
                places.dedup();
                let deletes = operation == op::DELETE;
                let key_changed = deletes || data.first() == Some(&KEY_CHANGED);
                let kind = if deletes { VersionKind::Delete } else { VersionKind::Update };
                let rows = VersionRows::Rows(ChangedRows::new(&befores));
                Ok(Restored { kind, key_changed, rows, places })
            }
            UndoBody::Long { .. } => Ok(Restored {
                kind: VersionKind::Other,
                key_changed: false,
                rows: VersionRows::None,
                places: Vec::new(),
            }),
        }
    }
}

/// Where a part of a slice begins in it.
fn offset_of(whole: &[u8], part: &[u8]) -> Result<usize> {
    let from = part.as_ptr().addr().checked_sub(whole.as_ptr().addr());
    from.filter(|from| from + part.len() <= whole.len())
        .ok_or_else(|| Error::internal("an image outside of its undo body"))
}

impl Tree {
    /// The leaves of the rows `first..end`.
    fn places(&self, first: RowId, end: RowId) -> Result<Vec<(FileId, PageNo)>> {
        let (mut places, mut row) = (Vec::new(), first);
        while row < end {
            let (page, high) = self.read_leaf(row, |leaf, page| {
                let last = leaf.right() == 0;
                Ok((page, if last { end } else { RowId(leaf.high()) }))
            })?;
            places.push((self.file(), page));
            row = high;
        }
        Ok(places)
    }
}
