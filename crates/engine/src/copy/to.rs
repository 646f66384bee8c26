//! COPY TO: rows to records.

use super::file::Target;
use super::options::{Header, Names, Options};
use super::{Sink, listed};
use crate::backend::Backend;
use crate::planned::Planned;
use base::{Oid, Result, err};
use catalog::relation::Relation;
use memory::collections::{Charged, Output};
use session::engine::{Completion, Parameters, ResultColumn};
use types::{Datum, Io, oids};
use wire::copy::{
    BINARY_HEADER, BINARY_TRAILER, write_csv_field, write_csv_null, write_text_field,
};

/// Writes records in the format of the options.
struct Writer<'a> {
    options: &'a Options<'a>,
    /// The types of the columns.
    types: Vec<Oid>,
    force_quote: Vec<bool>,
}

impl Writer<'_> {
    /// Appends a field of text or CSV; none is NULL.
    fn field(&self, line: &mut Output<'_>, at: usize, text: Option<&[u8]>) -> Result<()> {
        let format = &self.options.format;
        let line = line.room(self.field_bytes(text))?;
        if at > 0 {
            line.push(format.delimiter);
        }
        match (text, format.csv) {
            (None, _) => write_csv_null(line, format),
            (Some(text), None) => write_text_field(line, text, format),
            (Some(text), Some(csv)) => {
                let force = self.force_quote.get(at).copied().unwrap_or(false);
                write_csv_field(line, text, format, csv, force, self.types.len() == 1);
            }
        }
        Ok(())
    }

    /// A field has no more bytes, its delimiter included.
    fn field_bytes(&self, text: Option<&[u8]>) -> usize {
        let format = &self.options.format;
        let Some(text) = text else { return format.null.len() + 1 };
        let escaped = |byte: &&u8| match format.csv {
            None => **byte < b' ' || **byte == b'\\' || **byte == format.delimiter,
            Some(csv) => **byte == csv.quote || **byte == csv.escape,
        };
        text.len() + text.iter().filter(escaped).count() + 3
    }

    fn row(
        &self,
        io: &Io<'_>,
        text: &mut Charged<u8>,
        line: &mut Output<'_>,
        values: &[Datum<'_>],
    ) -> Result<()> {
        for (at, (value, type_oid)) in values.iter().zip(&self.types).enumerate() {
            if value.is_null() {
                self.field(line, at, None)?;
                continue;
            }
            text.clear();
            if let Datum::Text(text) = value
                && type_oid.0 == oids::TEXT
            {
                self.field(line, at, Some(text.as_bytes()))?;
                continue;
            }
            io.write(type_oid.0, value, &mut text.output())?;
            self.field(line, at, Some(text))?;
        }
        line.push(b'\n')
    }

    fn binary_row(&self, io: &Io<'_>, line: &mut Output<'_>, values: &[Datum<'_>]) -> Result<()> {
        let count = i16::try_from(self.types.len()).unwrap_or(i16::MAX);
        line.extend_from_slice(&count.to_be_bytes())?;
        for (value, type_oid) in values.iter().zip(&self.types) {
            let at = line.len();
            line.extend_from_slice(&(-1i32).to_be_bytes())?;
            if !value.is_null() {
                io.send(type_oid.0, value, line)?;
                let length = i32::try_from(line.len() - at - 4).unwrap_or(i32::MAX);
                line.room(0)?[at..at + 4].copy_from_slice(&length.to_be_bytes());
            }
        }
        Ok(())
    }
}

/// Which result columns FORCE_QUOTE names.
pub(super) fn forced(
    relation: Option<&Relation>,
    columns: &[ResultColumn],
    names: &Names<'_>,
) -> Result<Vec<bool>> {
    let names = match names {
        Names::None => return Ok(vec![false; columns.len()]),
        Names::All => return Ok(vec![true; columns.len()]),
        Names::Some(names) => names,
    };
    let mut forced = vec![false; columns.len()];
    if let Some(relation) = relation {
        listed(relation, names)?;
    }
    for name in names {
        let at = columns.iter().position(|column| *column.name == **name);
        let at = at.ok_or_else(|| match relation {
            Some(_) => err!(
                INVALID_COLUMN_REFERENCE,
                "FORCE_QUOTE column \"{name}\" not referenced by COPY"
            ),
            None => err!(UNDEFINED_COLUMN, "column \"{name}\" does not exist"),
        })?;
        if std::mem::replace(&mut forced[at], true) {
            return Err(err!(DUPLICATE_COLUMN, "column \"{name}\" specified more than once"));
        }
    }
    Ok(forced)
}

impl Backend {
    /// Bytes on their way out.
    fn copied(&self) -> Charged<u8> {
        Charged::new(self.state.account().clone(), "COPY")
    }

    /// Runs the query of a COPY TO; returns the number of rows.
    pub(super) fn copy_to(
        &self,
        planned: &Planned,
        options: &Options<'_>,
        force_quote: Vec<bool>,
        mut target: Target<'_>,
    ) -> Result<u64> {
        let columns = session::engine::Plan::columns(planned).unwrap_or(&[]).to_vec();
        let types = columns.iter().map(|column| column.type_oid).collect();
        let writer = Writer { options, types, force_quote };
        let io = self.value_io();
        let mut line = self.copied();
        let mut text = self.copied();
        if options.binary {
            target.write(BINARY_HEADER)?;
        } else if options.header != Header::No {
            let unforced = Writer { force_quote: Vec::new(), types: writer.types.clone(), options };
            for (at, column) in columns.iter().enumerate() {
                unforced.field(&mut line.output(), at, Some(column.name.as_bytes()))?;
            }
            line.push(b'\n')?;
            options.encoding.encode(&mut line)?;
            target.write(&line)?;
        }
        let mut rows = 0;
        let mut sink = Sink(&mut |values: &[Datum<'_>]| {
            line.clear();
            rows += 1;
            if options.binary {
                writer.binary_row(&io, &mut line.output(), values)?;
                return target.write(&line);
            }
            writer.row(&io, &mut text, &mut line.output(), values)?;
            options.encoding.encode(&mut line)?;
            target.write(&line)
        });
        let _: Completion = self.run_planned(planned, &Parameters::none(), &mut sink)?;
        if options.binary {
            target.write(&BINARY_TRAILER)?;
        }
        target.finish()?;
        Ok(rows)
    }
}
