//! The leaf of a table, as bytes: reading it, and every change as a pure function of the page and
//! a delta.
//!
//! # How a column-wise leaf lies on its page
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 32 | the header of every page (contract 2) |
//! | 32 | 8 | high key: row ids here are below it; all ones without one |
//! | 40 | 8 | right neighbour's page number; 0 without one |
//! | 48 | 8 | base: row ids are stored as their distance from it |
//! | 56 | 8 | the largest stamp of any row |
//! | 64 | 2 | rows |
//! | 66 | 2 | capacity: rows that the mini-pages have room for |
//! | 68 | 2 | columns |
//! | 70 | 2 | rows with a delete mark |
//! | 72 | 4 | end of the mini-pages |
//! | 76 | 4 | start of the heap, which grows downwards from the page's end |
//! | 80 | 4 | heap bytes that belong to no value |
//! | 84 | 1 | flags: 1 the split of this page has no entry in the parent yet |
//! | 88 | 8 | low key: row ids here are at or above it |
//! | 96 | 16 a column | directory: id (4), width and shape (1), free (1), slots of a sparse mini-page (2), where its values begin (2), where its bitmap begins (2), sparse slots in use (2), free (2) |
//! | then | 2 a row | row ids, rising |
//! | then | 8 a row | stamps |
//! | then | 1 a row | marks |
//! | then | | mini-pages: values of 1, 2, 4, 8 or 16 bytes, or 4-byte slots (offset, length); a bitmap in which a set bit is a NULL |
//!
//! A variable-length slot's length word has bit 15 set when the heap holds a [`LongRef`] and bit 14
//! when it holds a compressed value; a value of up to 2 bytes stands in the slot itself.
//!
//! # Rules
//! 1. Slots move; row ids do not. Records name rows by id, never by slot.
//! 2. Bits of a bitmap at and beyond the number of rows are zero.
//! 3. A change that may not fit is preceded by a rebuild or a split, each a record of its own; the
//!    functions of `plan` decide before anything is latched for good.
//! 4. A rebuild never drops a column: a rollback may still need it (storage rule 7).
//!
//! # Limits
//! Row ids of one leaf are less than 65,536 apart; values in line have at most
//! [`INLINE_BYTES_MAX`] bytes.

mod apply;
mod codec;
mod layout;
mod plan;
mod run;
mod slots;
mod view;

#[cfg(test)]
mod tests;

pub use apply::{append_rows, image, init, insert_run, rebuild, remove_rows, set_links, set_rows};
pub use codec::{Cell, Decoder, LONG_REF_BYTES, LongRef, put_cell, put_varint};
pub use layout::{
    ColumnPlan, FLAG_INCOMPLETE_SPLIT, INLINE_BYTES_MAX, KIND_COLUMN_WISE, LEAF_VERSION, Layout,
    MARK_DELETED, MARK_INSERTED, NO_HIGH_KEY, ROW_ID_SPAN_MAX, Shape, Width,
};
pub use plan::{ColumnDemand, Demand, Frame, Room, cell_fits, encode_rebuild, fits, plan};
pub use run::{ColumnValues, Run, RunCells, RunColumn, RunColumns, Values, encode_run};
pub(crate) use view::heap_bytes;
pub use view::{Column, Leaf};

use base::Result;

/// The delta that makes another page equal to `page` behind its header.
///
/// # Errors
/// XX001 if the page is no leaf.
pub fn image_of(page: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let leaf = Leaf::open(page)?;
    let (front, back) = (leaf.fixed_end(), leaf.heap_start());
    let mut raw = Vec::with_capacity(front - 32 + page.len() - back);
    raw.extend_from_slice(&page[32..front]);
    raw.extend_from_slice(&page[back..]);
    let packed = lz4_flex::block::compress(&raw);
    let smaller = packed.len() < raw.len();
    out.extend_from_slice(&[page[layout::AT_KIND], page[layout::AT_VERSION], u8::from(smaller)]);
    out.extend_from_slice(&(front as u32).to_le_bytes());
    out.extend_from_slice(&(back as u32).to_le_bytes());
    out.extend_from_slice(if smaller { &packed } else { &raw });
    Ok(())
}

/// The delta of [`set_links`].
pub fn encode_links(out: &mut Vec<u8>, flags: u8, high: u64, right: u64) {
    out.push(flags);
    out.extend_from_slice(&high.to_le_bytes());
    out.extend_from_slice(&right.to_le_bytes());
}
