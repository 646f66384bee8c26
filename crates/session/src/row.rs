//! Rows on their way to the client, and rows that are kept.

use crate::client::{Client, SEND_BYTES};
use crate::engine::{Destination, ResultColumn};
use crate::state::State;
use base::{Result, check_for_interrupts};
use types::{Datum, Io, oids};
use wire::backend::{self, Column, DataRow};
use wire::frontend::{Format, Formats};

/// The formats of a result's columns, most often one for all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ColumnFormats {
    All(Format),
    Each(Box<[Format]>),
}

impl ColumnFormats {
    pub(crate) const TEXT: ColumnFormats = ColumnFormats::All(Format::Text);

    /// What a Bind message asks for, for so many columns.
    pub(crate) fn read(formats: &Formats<'_>, columns: usize) -> Result<ColumnFormats> {
        if !formats.fits(columns) {
            base::bail!(
                PROTOCOL_VIOLATION,
                "bind message has {} result formats but query has {columns} columns",
                formats.len()
            );
        }
        if formats.len() <= 1 {
            return Ok(ColumnFormats::All(formats.get(0)?));
        }
        let each: Result<Box<[Format]>> = (0..columns).map(|at| formats.get(at)).collect();
        Ok(ColumnFormats::Each(each?))
    }

    pub(crate) fn get(&self, at: usize) -> Format {
        match self {
            ColumnFormats::All(format) => *format,
            ColumnFormats::Each(each) => each.get(at).copied().unwrap_or_default(),
        }
    }
}

/// Writes RowDescription.
pub(crate) fn describe(out: &mut Vec<u8>, columns: &[ResultColumn], formats: &ColumnFormats) {
    backend::row_description(
        out,
        columns.iter().enumerate().map(|(at, column)| Column {
            name: &column.name,
            table: column.table,
            number: column.number,
            type_oid: column.type_oid,
            type_bytes: column.type_bytes,
            type_modifier: column.type_modifier,
            format: formats.get(at),
        }),
    );
}

/// Appends one value in its text or binary form.
fn value(
    io: &Io<'_>,
    column: &ResultColumn,
    format: Format,
    datum: &Datum<'_>,
    out: &mut Vec<u8>,
) -> Result<()> {
    match (format, datum) {
        (Format::Text, Datum::Text(text)) if column.type_oid.0 == oids::TEXT => {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
        (Format::Text, _) => io.output(column.type_oid.0, datum, out),
        (Format::Binary, _) => io.send(column.type_oid.0, datum, out),
    }
}

/// Appends one DataRow; on an error the output is as before.
pub(crate) fn write_row(
    out: &mut Vec<u8>,
    io: &Io<'_>,
    columns: &[ResultColumn],
    formats: &ColumnFormats,
    values: &[Datum<'_>],
) -> Result<()> {
    let mut row = DataRow::begin(out, columns.len());
    for (at, (column, datum)) in columns.iter().zip(values).enumerate() {
        if datum.is_null() {
            row.null();
            continue;
        }
        let format = formats.get(at);
        if let Err(error) = row.value(|out| value(io, column, format, datum, out)) {
            row.abandon();
            return Err(error);
        }
    }
    row.finish();
    Ok(())
}

/// Sends rows to the client as they come.
pub(crate) struct ToClient<'a> {
    pub(crate) client: &'a mut dyn Client,
    pub(crate) state: &'a State,
    pub(crate) io: Io<'a>,
    pub(crate) columns: &'a [ResultColumn],
    pub(crate) formats: &'a ColumnFormats,
}

impl Destination for ToClient<'_> {
    fn demand(&mut self) -> Result<u64> {
        Ok(u64::MAX)
    }

    fn row(&mut self, values: &[Datum<'_>]) -> Result<()> {
        let out = self.client.out();
        self.state.flush_notices(out);
        write_row(out, &self.io, self.columns, self.formats, values)?;
        if out.len() >= SEND_BYTES {
            check_for_interrupts()?;
            self.client.send()?;
        }
        Ok(())
    }

    fn client(&mut self) -> Option<&mut dyn Client> {
        Some(self.client)
    }
}

/// Rows that are kept, packed one behind the other.
#[derive(Debug, Default)]
pub(crate) struct StoredRows {
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<usize>,
}

impl StoredRows {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub(crate) fn push(&mut self, values: &[Datum<'_>]) {
        for datum in values {
            pack(&mut self.bytes, datum);
        }
        self.ends.push(self.bytes.len());
    }

    /// Calls `take` with the row at `index`.
    pub(crate) fn with<R>(
        &self,
        index: usize,
        take: impl FnOnce(&[Datum<'_>]) -> Result<R>,
    ) -> Result<R> {
        let missing = || base::Error::internal("a kept row is missing");
        let end = *self.ends.get(index).ok_or_else(missing)?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before).ok_or_else(missing)?,
            None => 0,
        };
        let mut rest = self.bytes.get(start..end).ok_or_else(missing)?;
        let mut values = Vec::new();
        while !rest.is_empty() {
            values.push(unpack(&mut rest).ok_or_else(missing)?);
        }
        take(&values)
    }
}

fn pack(out: &mut Vec<u8>, datum: &Datum<'_>) {
    let mut fixed = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(bytes);
    };
    match datum {
        Datum::Null => fixed(0, &[]),
        Datum::Bool(value) => fixed(1, &[u8::from(*value)]),
        Datum::Char(value) => fixed(2, &[*value]),
        Datum::Int2(value) => fixed(3, &value.to_le_bytes()),
        Datum::Int4(value) => fixed(4, &value.to_le_bytes()),
        Datum::Int8(value) => fixed(5, &value.to_le_bytes()),
        Datum::Oid(value) => fixed(6, &value.to_le_bytes()),
        Datum::Float4(value) => fixed(7, &value.to_le_bytes()),
        Datum::Float8(value) => fixed(8, &value.to_le_bytes()),
        Datum::Decimal { mantissa, scale } => {
            fixed(9, &mantissa.to_le_bytes());
            out.extend_from_slice(&scale.to_le_bytes());
        }
        Datum::Fixed16(value) => fixed(10, value),
        Datum::Text(text) => pack_bytes(out, 11, text.as_bytes()),
        Datum::Bytes(bytes) => pack_bytes(out, 12, bytes),
    }
}

fn pack_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    // No value is larger than 1 GB.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
}

fn unpack<'b>(rest: &mut &'b [u8]) -> Option<Datum<'b>> {
    fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
        let (head, tail) = rest.split_first_chunk::<N>()?;
        *rest = tail;
        Some(*head)
    }
    let [tag] = array::<1>(rest)?;
    Some(match tag {
        0 => Datum::Null,
        1 => Datum::Bool(array::<1>(rest)? == [1]),
        2 => Datum::Char(array::<1>(rest)?[0]),
        3 => Datum::Int2(i16::from_le_bytes(array(rest)?)),
        4 => Datum::Int4(i32::from_le_bytes(array(rest)?)),
        5 => Datum::Int8(i64::from_le_bytes(array(rest)?)),
        6 => Datum::Oid(u32::from_le_bytes(array(rest)?)),
        7 => Datum::Float4(f32::from_le_bytes(array(rest)?)),
        8 => Datum::Float8(f64::from_le_bytes(array(rest)?)),
        9 => Datum::Decimal {
            mantissa: i64::from_le_bytes(array(rest)?),
            scale: u16::from_le_bytes(array(rest)?),
        },
        10 => Datum::Fixed16(array(rest)?),
        tag => {
            let length = usize::try_from(u32::from_le_bytes(array(rest)?)).ok()?;
            let (bytes, tail) = rest.split_at_checked(length)?;
            *rest = tail;
            if tag == 11 {
                Datum::Text(std::str::from_utf8(bytes).ok()?)
            } else {
                Datum::Bytes(bytes)
            }
        }
    })
}
