//! Rows on their way to the client, and rows that are kept.

use crate::client::{Client, SEND_BYTES};
use crate::engine::{Destination, ResultColumn};
use crate::state::State;
use base::{Result, check_for_interrupts};
use memory::Account;
use memory::collections::{Output, Toll};
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

/// Appends one value in its text or binary form, which may be much larger than the value.
fn value(
    io: &Io<'_>,
    column: &ResultColumn,
    format: Format,
    datum: &Datum<'_>,
    (account, toll): (&Account, &mut Option<Toll>),
    out: &mut Vec<u8>,
) -> Result<()> {
    match (format, datum) {
        (Format::Text, Datum::Text(text)) if column.type_oid.0 == oids::TEXT => {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
        (Format::Text, Datum::Bytes(bytes)) if bytes.len() > SEND_BYTES => {
            let toll = toll.get_or_insert_with(|| Toll::new(account.clone(), "answer"));
            io.write(column.type_oid.0, datum, &mut Output::paid(out, toll))
        }
        (Format::Text, _) => io.output(column.type_oid.0, datum, out),
        (Format::Binary, Datum::Bytes(bytes)) if bytes.len() > SEND_BYTES => {
            let toll = toll.get_or_insert_with(|| Toll::new(account.clone(), "answer"));
            io.send(column.type_oid.0, datum, &mut Output::paid(out, toll))
        }
        (Format::Binary, _) => io.send(column.type_oid.0, datum, &mut Output::plain(out)),
    }
}

/// Appends one DataRow; on an error the output is as before. `account` pays for what large values
/// need until the row is written.
pub(crate) fn write_row(
    out: &mut Vec<u8>,
    account: &Account,
    io: &Io<'_>,
    columns: &[ResultColumn],
    formats: &ColumnFormats,
    values: &[Datum<'_>],
) -> Result<()> {
    let mut toll = None;
    let mut row = DataRow::begin(out, columns.len());
    for (at, (column, datum)) in columns.iter().zip(values).enumerate() {
        if datum.is_null() {
            row.null();
            continue;
        }
        let format = formats.get(at);
        if let Err(error) =
            row.value(|out| value(io, column, format, datum, (account, &mut toll), out))
        {
            row.abandon();
            return Err(error);
        }
    }
    row.finish();
    Ok(())
}

/// Makes room for a row that is larger than what is sent at once.
pub(crate) fn make_room(client: &mut dyn Client, values: &[Datum<'_>]) -> Result<()> {
    let bytes = values.iter().map(|datum| match datum {
        Datum::Text(text) => text.len(),
        // As text it is two digits a byte.
        Datum::Bytes(bytes) => 2 * bytes.len(),
        _ => 0,
    });
    match bytes.sum() {
        0..=SEND_BYTES => Ok(()),
        bytes => client.room(bytes),
    }
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
        make_room(self.client, values)?;
        let out = self.client.out();
        self.state.flush_notices(out);
        write_row(out, self.state.account(), &self.io, self.columns, self.formats, values)?;
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
