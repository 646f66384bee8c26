//! The WAL records of tables, and what they do to pages.
//!
//! A block's delta begins with a byte that says what is done to that page; the record's operation
//! says why. So one function applies every block of every record, in the forward path and in
//! recovery (contract 6).

use crate::leaf::{self, Cell, Decoder, put_cell, put_varint};
use crate::{inner, overflow};
use base::{ColumnId, Error, FileId, PageNo, Result, RowId, Xid};
use txn::Mark;

/// The resource manager of tables (contract 5).
pub const MANAGER: u8 = wal::rm::TABLE;

/// The operations of the resource manager.
pub mod op {
    /// A table's first leaf was made.
    pub const CREATE: u8 = 1;
    /// A run of rows was inserted. Undoable.
    pub const INSERT: u8 = 2;
    /// Columns of rows were changed. Undoable.
    pub const UPDATE: u8 = 3;
    /// Rows were marked deleted. Undoable.
    pub const DELETE: u8 = 4;
    /// Compensation of one of the three above.
    pub const UNDO: u8 = 5;
    /// A leaf was laid out anew.
    pub const REBUILD: u8 = 6;
    /// A page was split.
    pub const SPLIT: u8 = 7;
    /// The root got another level.
    pub const GROW: u8 = 8;
    /// Two leaves became one.
    pub const MERGE: u8 = 9;
    /// Settled dead rows were taken away. The data is the highest XID among their stamps, and their
    /// long values, which are freed next.
    pub const PURGE: u8 = 10;
    /// A part of a long value was stored; the first part is undoable.
    pub const LONG: u8 = 11;
    /// Pages of a long value were freed.
    pub const FREE_LONG: u8 = 12;
    /// Row ids below a limit may be given out.
    pub const ROW_LIMIT: u8 = 13;
    /// Rows were put in by a bulk load of a new file.
    pub const LOAD: u8 = 14;
    /// Long values that wait to be freed. Changes no page.
    pub const REPLACED: u8 = 15;
    /// Free pages left the end of the file.
    pub const SHRINK: u8 = 16;
    /// The root took the contents of its only child.
    pub const LOWER: u8 = 17;
}

/// What a block's delta does: its first byte.
pub(crate) mod act {
    pub(crate) const INIT: u8 = 1;
    pub(crate) const INSERT: u8 = 2;
    pub(crate) const SET: u8 = 3;
    pub(crate) const REMOVE: u8 = 4;
    pub(crate) const REBUILD: u8 = 5;
    pub(crate) const LINKS: u8 = 6;
    pub(crate) const IMAGE: u8 = 7;
    pub(crate) const INNER_INIT: u8 = 16;
    pub(crate) const INNER_INSERT: u8 = 17;
    pub(crate) const INNER_REMOVE: u8 = 18;
    pub(crate) const INNER_CUT: u8 = 19;
    pub(crate) const OVERFLOW: u8 = 24;
    pub(crate) const ROW_LIMIT: u8 = 25;
}

/// Applies one block of a table record: a pure function of its arguments (contract 6).
///
/// # Errors
/// XX001 on damaged input.
pub fn apply(_op: u8, _block: usize, page: &mut [u8], delta: &[u8], _data: &[u8]) -> Result<()> {
    let (&action, rest) =
        delta.split_first().ok_or_else(|| Error::corrupted("a table record has no delta"))?;
    match action {
        act::INIT => leaf::init(page, rest),
        act::INSERT => leaf::insert_run(page, rest),
        act::SET => leaf::set_rows(page, rest),
        act::REMOVE => leaf::remove_rows(page, rest),
        act::REBUILD => leaf::rebuild(page, rest),
        act::LINKS => leaf::set_links(page, rest),
        act::IMAGE => leaf::image(page, rest),
        act::INNER_INIT => inner::init(page, rest),
        act::INNER_INSERT => inner::insert(page, rest),
        act::INNER_REMOVE => inner::remove(page, rest),
        act::INNER_CUT => inner::cut(page, rest),
        act::OVERFLOW => overflow::init(page, rest),
        act::ROW_LIMIT => crate::tree::apply_row_limit(page, rest),
        _ => Err(Error::corrupted(format!("a table record has the action {action}"))),
    }
}

/// The data of an UPDATE that changed columns of a key; there is none otherwise.
pub(crate) const KEY_CHANGED: u8 = 1;

const UNDO_INSERT: u8 = 1;
const UNDO_SET: u8 = 2;
const UNDO_LONG: u8 = 3;

/// The undo body of a table record (contract 7).
#[derive(Clone, Copy, Debug)]
pub(crate) enum UndoBody<'a> {
    /// Take the rows of a run away.
    Insert { file: FileId, first: RowId, count: u64 },
    /// Give rows their earlier stamp, mark and columns.
    Set { file: FileId, rows: RowImages<'a> },
    /// Free pages of a long value.
    Long { file: FileId, pages: Pages<'a> },
}

impl<'a> UndoBody<'a> {
    pub(crate) fn decode(body: &'a [u8]) -> Result<UndoBody<'a>> {
        let mut from = Decoder::new(body);
        let kind = from.u8()?;
        let file = FileId(from.varint()?);
        match kind {
            UNDO_INSERT => {
                let (first, count) = (from.row_id()?, from.varint()?);
                from.end()?;
                Ok(UndoBody::Insert { file, first, count })
            }
            UNDO_SET => {
                let left = from.count()?;
                let rows = RowImages { left, from };
                Ok(UndoBody::Set { file, rows })
            }
            UNDO_LONG => {
                let left = from.count()?;
                Ok(UndoBody::Long { file, pages: Pages { left, from } })
            }
            _ => Err(Error::corrupted(format!("a table record has the undo kind {kind}"))),
        }
    }
}

impl UndoBody<'_> {
    /// In words, for people who read the log.
    pub(crate) fn describe(&self) -> String {
        match self {
            UndoBody::Insert { file, first, count } => {
                format!("file {file} rows {first}..{}", first.0 + count)
            }
            UndoBody::Set { file, rows } => format!("file {file} rows {}", rows.left),
            UndoBody::Long { file, pages } => format!("file {file} pages {}", pages.left),
        }
    }
}

pub(crate) fn encode_undo_insert(out: &mut Vec<u8>, file: FileId, first: RowId, count: u64) {
    out.push(UNDO_INSERT);
    put_varint(out, file.0);
    put_varint(out, first.0);
    put_varint(out, count);
}

pub(crate) fn encode_undo_long(out: &mut Vec<u8>, file: FileId, pages: &[PageNo]) {
    out.push(UNDO_LONG);
    put_varint(out, file.0);
    put_varint(out, pages.len() as u64);
    pages.iter().for_each(|page| put_varint(out, page.0));
}

/// The file that an undo body is about.
pub(crate) fn undo_file(body: &[u8]) -> Result<FileId> {
    let mut from = Decoder::new(body);
    from.u8()?;
    Ok(FileId(from.varint()?))
}

/// Page numbers of an undo body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages<'a> {
    left: usize,
    from: Decoder<'a>,
}

impl Pages<'_> {
    pub(crate) fn next(&mut self) -> Result<Option<PageNo>> {
        if self.left == 0 {
            self.from.end()?;
            return Ok(None);
        }
        self.left -= 1;
        Ok(Some(PageNo(self.from.varint()?)))
    }
}

/// Begins the undo body of changed rows; `rows` images follow.
pub(crate) fn begin_undo_set(out: &mut Vec<u8>, file: FileId, rows: usize) {
    out.push(UNDO_SET);
    put_varint(out, file.0);
    put_varint(out, rows as u64);
}

/// Begins the image of a row in an undo body or a SET delta; its cells follow.
pub(crate) fn begin_row(out: &mut Vec<u8>, row: RowId, stamp: Xid, mark: Mark) {
    put_varint(out, row.0);
    out.extend_from_slice(&stamp.0.to_le_bytes());
    out.push(mark.0);
}

pub(crate) fn put_column(out: &mut Vec<u8>, id: ColumnId, cell: Cell<'_>) {
    put_varint(out, u64::from(id.0));
    put_cell(out, cell);
}

/// The image that takes a row back over `newer` and then `older` (`txn::Undo::merge`).
pub(crate) fn merge_images(newer: &[u8], older: &[u8]) -> Result<Vec<u8>> {
    let mut cells: Vec<(ColumnId, Cell<'_>)> = Vec::new();
    // What the older change had replaced counts where both had.
    for image in [older, newer] {
        let mut images = CellImages::of(image, (0, image.len() as u32))?;
        while let Some((id, cell)) = images.next()? {
            if !cells.iter().any(|(known, _)| *known == id) {
                cells.push((id, cell));
            }
        }
    }
    let mut image = Vec::new();
    put_varint(&mut image, cells.len() as u64);
    for (id, cell) in cells {
        put_column(&mut image, id, cell);
    }
    Ok(image)
}

/// Which columns an image has (`txn::Undo::columns`).
pub(crate) fn image_columns(image: &[u8]) -> Option<u64> {
    let mut images = CellImages::of(image, (0, image.len() as u32)).ok()?;
    let mut columns = 0;
    while let Some((id, _)) = images.next().ok()? {
        columns |= 1_u64.checked_shl(id.0)?;
    }
    Some(columns)
}

/// Begins a SET delta whose rows share a stamp and a mark.
pub(crate) fn begin_set_shared(out: &mut Vec<u8>, rows: usize, stamp: Xid, mark: Mark) {
    out.push(act::SET);
    put_varint(out, rows as u64);
    out.push(1);
    out.extend_from_slice(&stamp.0.to_le_bytes());
    out.push(mark.0);
}

/// The delta that takes runs of rows away.
pub(crate) fn encode_remove(out: &mut Vec<u8>, runs: &[(RowId, u64)]) {
    out.push(act::REMOVE);
    put_varint(out, runs.len() as u64);
    for (first, count) in runs {
        put_varint(out, first.0);
        put_varint(out, *count);
    }
}

/// One row of an undo body: what it was before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowImage<'a> {
    pub(crate) row: RowId,
    pub(crate) stamp: Xid,
    pub(crate) mark: Mark,
    /// The bytes of its cells and their number, which end the encoded image.
    pub(crate) image_bytes: usize,
    pub(crate) cells: CellImages<'a>,
    /// The whole image, stamp and mark included, encoded as a SET delta has it.
    pub(crate) encoded: &'a [u8],
}

/// The rows of an undo body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowImages<'a> {
    left: usize,
    from: Decoder<'a>,
}

impl<'a> RowImages<'a> {
    pub(crate) fn next(&mut self) -> Result<Option<RowImage<'a>>> {
        if self.left == 0 {
            self.from.end()?;
            return Ok(None);
        }
        self.left -= 1;
        let from = &mut self.from;
        let start = from.rest();
        let row = from.row_id()?;
        let (stamp, mark) = (Xid(from.u64()?), Mark(from.u8()?));
        let image = from.rest();
        let left = from.count()?;
        let cells = CellImages { left, from: *from };
        for _ in 0..left {
            from.column_id()?;
            from.cell()?;
        }
        let encoded = &start[..start.len() - from.rest().len()];
        let image_bytes = image.len() - from.rest().len();
        Ok(Some(RowImage { row, stamp, mark, cells, encoded, image_bytes }))
    }
}

/// The columns of one row image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CellImages<'a> {
    left: usize,
    from: Decoder<'a>,
}

impl<'a> CellImages<'a> {
    /// Those of the image that stands at `at` of an undo body.
    pub(crate) fn of(body: &'a [u8], at: (u32, u32)) -> Result<CellImages<'a>> {
        let bytes = body
            .get(at.0 as usize..at.0 as usize + at.1 as usize)
            .ok_or_else(|| Error::corrupted("a version record is cut short"))?;
        let mut from = Decoder::new(bytes);
        let left = from.count()?;
        Ok(CellImages { left, from })
    }

    pub(crate) fn next(&mut self) -> Result<Option<(ColumnId, Cell<'a>)>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let id = self.from.column_id()?;
        Ok(Some((id, self.from.cell()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image_of(cells: &[(u32, &[u8])]) -> Vec<u8> {
        let mut image = Vec::new();
        put_varint(&mut image, cells.len() as u64);
        for (id, bytes) in cells {
            put_column(&mut image, ColumnId(*id), Cell::Bytes(bytes));
        }
        image
    }

    /// Storage rule 12.
    #[test]
    fn two_changes_of_a_row_are_taken_back_in_one_step() {
        let newer = image_of(&[(1, b"b1"), (2, b"b2")]);
        let older = image_of(&[(1, b"a1"), (3, b"a3")]);
        let both = merge_images(&newer, &older).unwrap();
        assert_eq!(both, image_of(&[(1, b"a1"), (3, b"a3"), (2, b"b2")]));
        assert_eq!(merge_images(&image_of(&[]), &older).unwrap(), older);
        assert!(merge_images(&newer, &older[..3]).is_err());
    }

    #[test]
    fn undo_bodies_come_back() {
        let mut body = Vec::new();
        begin_undo_set(&mut body, FileId(9), 2);
        for row in [5, 700] {
            begin_row(&mut body, RowId(row), Xid(row * 3), Mark(2));
            put_varint(&mut body, 2);
            put_column(&mut body, ColumnId(1), Cell::Bytes(b"abc"));
            put_column(&mut body, ColumnId(4), Cell::Null);
        }
        let UndoBody::Set { file, mut rows } = UndoBody::decode(&body).unwrap() else { panic!() };
        assert_eq!(file, FileId(9));
        for expected in [5, 700] {
            let row = rows.next().unwrap().unwrap();
            assert_eq!(row.row, RowId(expected));
            let mut cells = row.cells;
            assert_eq!(cells.next().unwrap(), Some((ColumnId(1), Cell::Bytes(&b"abc"[..]))));
            assert_eq!(cells.next().unwrap(), Some((ColumnId(4), Cell::Null)));
            assert!(cells.next().unwrap().is_none());
        }
        assert!(rows.next().unwrap().is_none());
    }
}
