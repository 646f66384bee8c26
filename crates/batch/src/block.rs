//! Rows of columns as bytes, column by column: what temporary files hold.
//!
//! A block begins with the number of its rows (u32). Of each column follow a byte that says whether
//! some row is NULL, if so one bit a row, and the values: fixed ones one behind the other, of
//! variable ones first the lengths (u32), then the bytes. Numbers are little-endian. A block says
//! nothing about its columns' layouts: who reads it knows them.

use crate::bits::Bits;
use crate::column::{Column, Data, Span};
use base::{Error, Result};
use memory::{Buffer, Heap};
use std::rc::Rc;
use types::layout::{Kind, Layout};

/// Appends some rows of some columns to `out`.
///
/// # Errors
/// 53200.
pub fn encode<'c>(
    mut columns: impl Iterator<Item = &'c Column>,
    rows: &[u32],
    out: &mut Buffer<u8>,
) -> Result<()> {
    out.extend_from_slice(&(rows.len() as u32).to_le_bytes())?;
    columns.try_for_each(|column| encode_column(column, rows, out))
}

fn encode_column(column: &Column, rows: &[u32], out: &mut Buffer<u8>) -> Result<()> {
    let nulls = column.has_nulls();
    out.push(u8::from(nulls))?;
    if nulls {
        for eight in rows.chunks(8) {
            let bit = |(i, row): (usize, &u32)| u8::from(column.is_null(*row as usize)) << i;
            out.push(eight.iter().enumerate().map(bit).sum())?;
        }
    }
    macro_rules! fixed {
        ($values:ident) => {
            for &row in rows {
                out.extend_from_slice(&$values[column.slot(row as usize)].to_le_bytes())?;
            }
        };
    }
    match column.data() {
        Data::I8(values) => fixed!(values),
        Data::I16(values) => fixed!(values),
        Data::I32(values) => fixed!(values),
        Data::I64(values) => fixed!(values),
        Data::F32(values) => fixed!(values),
        Data::F64(values) => fixed!(values),
        Data::Fixed16(values) => {
            for &row in rows {
                out.extend_from_slice(&values[column.slot(row as usize)])?;
            }
        }
        Data::Var { bytes, spans } => {
            for &row in rows {
                out.extend_from_slice(&spans[column.slot(row as usize)].len.to_le_bytes())?;
            }
            for &row in rows {
                let Span { start, len } = spans[column.slot(row as usize)];
                out.extend_from_slice(&bytes[start as usize..][..len as usize])?;
            }
        }
    }
    Ok(())
}

/// The columns of a block, which has them in these layouts, and the number of its rows.
///
/// The caller vouches for the bytes: they are what [`encode`] made (batch rule 3).
///
/// # Errors
/// XX001 if the block is shorter than it says; 53200.
pub fn decode(
    layouts: impl Iterator<Item = Layout>,
    block: &[u8],
    heap: &Heap,
) -> Result<(Vec<Rc<Column>>, usize)> {
    let mut rest = block;
    let rows = u32::from_le_bytes(*take(&mut rest)?) as usize;
    let columns = layouts.map(|layout| decode_column(layout, &mut rest, rows, heap).map(Rc::new));
    Ok((columns.collect::<Result<_>>()?, rows))
}

fn truncated() -> Error {
    Error::corrupted("a block of a temporary file is shorter than it says")
}

fn take<'b, const N: usize>(rest: &mut &'b [u8]) -> Result<&'b [u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or_else(truncated)?;
    *rest = tail;
    Ok(head)
}

fn take_slice<'b>(rest: &mut &'b [u8], len: usize) -> Result<&'b [u8]> {
    let (head, tail) = rest.split_at_checked(len).ok_or_else(truncated)?;
    *rest = tail;
    Ok(head)
}

fn decode_column(layout: Layout, rest: &mut &[u8], rows: usize, heap: &Heap) -> Result<Column> {
    let mut nulls = Bits::new(heap);
    if *take::<1>(rest)? == [0] {
        nulls.push_zeros(rows);
    } else {
        let mask = take_slice(rest, rows.div_ceil(8))?;
        for row in 0..rows {
            nulls.push(mask[row / 8] >> (row % 8) & 1 == 1)?;
        }
    }
    macro_rules! fixed {
        ($data:ident, $kind:ty) => {{
            let mut values: Buffer<$kind> = Buffer::new(heap);
            let bytes = take_slice(rest, rows * size_of::<$kind>())?;
            let (chunks, _) = bytes.as_chunks::<{ size_of::<$kind>() }>();
            values.extend(chunks.iter().map(|bytes| <$kind>::from_le_bytes(*bytes)))?;
            Data::$data(values)
        }};
    }
    let data = match layout.kind() {
        Kind::Bool | Kind::I8 => fixed!(I8, u8),
        Kind::I16 => fixed!(I16, i16),
        Kind::I32 => fixed!(I32, i32),
        Kind::I64 => fixed!(I64, i64),
        Kind::F32 => fixed!(F32, f32),
        Kind::F64 => fixed!(F64, f64),
        Kind::Fixed16 => {
            let mut values = Buffer::new(heap);
            values.extend_from_slice(take_slice(rest, rows * 16)?.as_chunks::<16>().0)?;
            Data::Fixed16(values)
        }
        Kind::Var => {
            let (lengths, _) = take_slice(rest, rows * 4)?.as_chunks::<4>();
            let (mut spans, mut bytes) = (Buffer::new(heap), Buffer::new(heap));
            let mut start = 0u32;
            spans.extend(lengths.iter().map(|len| {
                let span = Span { start, len: u32::from_le_bytes(*len) };
                start = start.saturating_add(span.len);
                span
            }))?;
            bytes.extend_from_slice(take_slice(rest, start as usize)?)?;
            Data::Var { bytes, spans }
        }
    };
    Ok(Column::from_parts(layout, data, nulls))
}
