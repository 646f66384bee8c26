//! COPY FROM: records to rows of the table.

use super::file::Source;
use super::options::{Header, Names, Options, Verbosity};
use super::{encoding, listed};
use crate::backend::Backend;
use base::{Error, Oid, Result, SqlState, err};
use catalog::relation::{Column, Relation};
use execute::Feed;
use expr::{Inputs, Program, Runner, Value};
use memory::Bump;
use memory::collections::Toll;
use types::Datum;
use wire::backend::NoticeSeverity;
use wire::copy::{BinaryRows, Field, Fields, Records};

/// The most bytes of data that a context line shows.
const SHOWN_BYTES_MAX: usize = 100;

/// A column that is read.
pub(super) struct Target<'p> {
    pub(super) name: String,
    pub(super) type_oid: Oid,
    pub(super) typmod: i32,
    pub(super) force_not_null: bool,
    pub(super) force_null: bool,
    /// What the DEFAULT marker stands for.
    pub(super) default: Option<Program<'p>>,
}

/// The records as they come.
enum Data {
    Text(Records),
    Binary(BinaryRows),
}

/// Reads rows from a source.
pub(super) struct Reader<'a, 'p> {
    backend: &'a Backend,
    table: &'a str,
    options: &'a Options<'a>,
    source: Source<'a>,
    columns: &'a [Target<'p>],
    data: Data,
    fields: Fields,
    record: Vec<u8>,
    /// Pays for the data that were read, the record and its fields.
    toll: Toll,
    line: u64,
    /// Whether `record` is the line that is being worked on.
    record_valid: bool,
    /// The column that is being read, and the beginning of its text.
    column: Option<(usize, Option<Box<[u8]>>)>,
    skipped: i64,
}

impl<'a, 'p> Reader<'a, 'p> {
    pub(super) fn new(
        backend: &'a Backend,
        relation: &'a Relation,
        options: &'a Options<'a>,
        source: Source<'a>,
        columns: &'a [Target<'p>],
    ) -> Reader<'a, 'p> {
        let data = match options.binary {
            true => Data::Binary(BinaryRows::new()),
            false => Data::Text(Records::new(options.format.clone())),
        };
        Reader {
            backend,
            table: &relation.name,
            options,
            source,
            columns,
            data,
            fields: Fields::new(columns.len()),
            record: Vec::new(),
            toll: Toll::new(backend.state.account().clone(), "COPY"),
            line: 0,
            record_valid: false,
            column: None,
            skipped: 0,
        }
    }

    /// Tells how many rows were skipped.
    pub(super) fn tell_skipped(&self) {
        if self.skipped == 0 || self.options.verbosity < Verbosity::Default {
            return;
        }
        let rows = if self.skipped == 1 { "row was" } else { "rows were" };
        let text = format!("{} {rows} skipped due to data type incompatibility", self.skipped);
        self.notice(text);
    }

    fn notice(&self, text: String) {
        let notice = Error::new(SqlState::SUCCESSFUL_COMPLETION, text);
        self.backend.state.notice(NoticeSeverity::Notice, notice);
    }

    /// Takes the next piece of the source. False at its end.
    fn fill(&mut self) -> Result<bool> {
        let encoding = self.options.encoding;
        let (data, toll) = (&mut self.data, &mut self.toll);
        let more = self.source.read(&mut |bytes| match data {
            Data::Text(records) => encoding.decode(bytes, &mut |bytes| {
                toll.room(records.buffer(), bytes.len())?;
                records.push(bytes);
                Ok(())
            }),
            Data::Binary(rows) => {
                toll.room(rows.buffer(), bytes.len())?;
                rows.push(bytes)
            }
        })?;
        if !more {
            match data {
                Data::Text(records) => records.end(),
                Data::Binary(rows) => rows.end(),
            }
        }
        Ok(more)
    }

    /// Reads the next line into `record`. False at the end.
    fn next_record(&mut self) -> Result<bool> {
        self.line += 1;
        self.record_valid = false;
        let mut ended = false;
        loop {
            let Data::Text(records) = &mut self.data else { return Ok(false) };
            if let Some(record) = records.next_record()? {
                self.record.clear();
                self.toll.room(&mut self.record, record.len())?;
                self.record.extend_from_slice(record);
                self.line += records.lines_within();
                encoding::checked(&self.record)?;
                self.record_valid = true;
                return Ok(true);
            }
            if ended || records.is_finished() {
                return self.drain().map(|()| false);
            }
            ended = !self.fill()?;
        }
    }

    /// Reads what the client sends after the end of the data.
    fn drain(&mut self) -> Result<()> {
        while matches!(self.source, Source::Client(_)) && self.source.read(&mut |_| Ok(()))? {}
        Ok(())
    }

    fn read_header(&mut self) -> Result<bool> {
        if !self.next_record()? {
            return Ok(false);
        }
        if self.options.header != Header::Match {
            return Ok(true);
        }
        self.split_record()?;
        let (got, expected) = (self.fields.len(), self.columns.len());
        if got != expected {
            return Err(err!(
                BAD_COPY_FILE_FORMAT,
                "wrong number of fields in header line: got {got}, expected {expected}"
            ));
        }
        for (at, column) in self.columns.iter().enumerate() {
            let text = match self.fields.get(at) {
                Some(Field::Value(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
                _ => {
                    return Err(err!(
                        BAD_COPY_FILE_FORMAT,
                        "column name mismatch in header line field {}: got null value (\"{}\"), \
                         expected \"{}\"",
                        at + 1,
                        String::from_utf8_lossy(&self.options.format.null),
                        column.name
                    ));
                }
            };
            if text != column.name {
                return Err(err!(
                    BAD_COPY_FILE_FORMAT,
                    "column name mismatch in header line field {}: got \"{text}\", expected \"{}\"",
                    at + 1,
                    column.name
                ));
            }
        }
        Ok(true)
    }

    fn next_text<'m>(&mut self, bump: &'m Bump, values: &mut Vec<Datum<'m>>) -> Result<bool> {
        if self.line == 0 && self.options.header != Header::No && !self.read_header()? {
            return Ok(false);
        }
        'records: while self.next_record()? {
            values.clear();
            self.split()?;
            for at in 0..self.columns.len() {
                match self.text_value(at, bump) {
                    Ok(value) => values.push(value),
                    Err(error) if self.options.ignore_errors && is_soft(&error) => {
                        self.skip_row()?;
                        continue 'records;
                    }
                    Err(error) => return Err(error),
                }
                self.column = None;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn split_record(&mut self) -> Result<()> {
        self.toll.room(self.fields.buffer(), self.record.len())?;
        self.fields.split(&self.record, &self.options.format)
    }

    /// Splits the record into fields and checks what can be told without their types.
    fn split(&mut self) -> Result<()> {
        let count = self.columns.len();
        if count == 0 && !self.record.is_empty() {
            return Err(err!(BAD_COPY_FILE_FORMAT, "extra data after last expected column"));
        }
        self.split_record()?;
        for (at, column) in self.columns.iter().enumerate() {
            if column.default.is_none() && matches!(self.fields.get(at), Some(Field::Default)) {
                return Err(err!(BAD_COPY_FILE_FORMAT, "unexpected default marker in COPY data")
                    .detail(format!("Column \"{}\" has no default value.", column.name)));
            }
        }
        if count > 0 && self.fields.len() > count {
            return Err(err!(BAD_COPY_FILE_FORMAT, "extra data after last expected column"));
        }
        Ok(())
    }

    fn text_value<'m>(&mut self, at: usize, bump: &'m Bump) -> Result<Datum<'m>> {
        let column = &self.columns[at];
        let Some(field) = self.fields.get(at) else {
            return Err(err!(BAD_COPY_FILE_FORMAT, "missing data for column \"{}\"", column.name));
        };
        let format = &self.options.format;
        let bytes = match field {
            Field::Default => return self.default_value(at, bump),
            Field::Null if column.force_not_null => Some(&format.null[..]),
            Field::Null => None,
            Field::Value(bytes) if column.force_null && bytes == format.null => None,
            Field::Value(bytes) => Some(bytes),
        };
        let Some(bytes) = bytes else {
            self.column = Some((at, None));
            self.backend.check_domain(column.type_oid, &Datum::Null)?;
            return Ok(Datum::Null);
        };
        let read = encoding::checked(bytes).and_then(|text| {
            self.backend.value_io().input(column.type_oid.0, column.typmod, text, &bump)
        });
        if read.is_err() {
            // A little more than is shown.
            let shown = &bytes[..bytes.len().min(2 * SHOWN_BYTES_MAX)];
            self.column = Some((at, Some(shown.into())));
        }
        read
    }

    fn default_value<'m>(&self, at: usize, bump: &'m Bump) -> Result<Datum<'m>> {
        let Some(program) = self.columns[at].default else { return Ok(Datum::Null) };
        let scratch = Bump::new("default value", self.backend.state.account().clone());
        let cx = Value { bump: &scratch, host: self.backend, params: &[], subplans: None };
        program.eval_one(&mut Runner::new(), &cx, Inputs::Row(&[]))?.copy_to(&bump)
    }

    /// Leaves out the row whose column could not be read.
    fn skip_row(&mut self) -> Result<()> {
        self.skipped += 1;
        if self.options.verbosity == Verbosity::Verbose
            && let Some((at, text)) = &self.column
        {
            let shown = match text {
                Some(bytes) => format!("\"{}\"", limited(bytes)),
                None => "null input".into(),
            };
            let text = format!(
                "skipping row due to data type incompatibility at line {} for column \"{}\": \
                 {shown}",
                self.line, self.columns[*at].name
            );
            let notice = Error::new(SqlState::SUCCESSFUL_COMPLETION, text);
            let notice = notice.context(format!("COPY {}", self.table));
            self.backend.state.notice(NoticeSeverity::Notice, notice);
        }
        match self.options.reject_limit {
            Some(limit) if self.skipped > limit => Err(err!(
                INVALID_TEXT_REPRESENTATION,
                "skipped more than REJECT_LIMIT ({limit}) rows due to data type incompatibility"
            )),
            _ => Ok(()),
        }
    }

    fn next_binary<'m>(&mut self, bump: &'m Bump, values: &mut Vec<Datum<'m>>) -> Result<bool> {
        self.line += 1;
        let mut ended = false;
        loop {
            let Data::Binary(rows) = &mut self.data else { return Ok(false) };
            match rows.next_row(self.columns.len()) {
                Ok(true) => break,
                Ok(false) if ended => return Ok(false),
                Ok(false) => {}
                Err(error) => {
                    self.column = rows.broken_field().map(|at| (at, None));
                    return Err(error);
                }
            }
            ended = !self.fill()?;
        }
        let Data::Binary(rows) = &self.data else { return Ok(false) };
        let io = self.backend.value_io();
        for (at, column) in self.columns.iter().enumerate() {
            let read = match rows.field(at) {
                None => {
                    self.backend.check_domain(column.type_oid, &Datum::Null).map(|()| Datum::Null)
                }
                Some(bytes) => io.recv(column.type_oid.0, column.typmod, bytes, &bump),
            };
            match read {
                Ok(value) => values.push(value),
                Err(error) => {
                    self.column = Some((at, None));
                    return Err(error);
                }
            }
        }
        Ok(true)
    }
}

/// Whether ON_ERROR IGNORE may go on after an error: the value is not one of its type.
fn is_soft(error: &Error) -> bool {
    let state = error.sqlstate();
    let class = &state.as_str()[..2];
    matches!(class, "22" | "23" | "42") && state != SqlState::BAD_COPY_FILE_FORMAT
}

fn limited(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.len() <= SHOWN_BYTES_MAX {
        return text.into_owned();
    }
    let mut end = SHOWN_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}

impl Feed for Reader<'_, '_> {
    fn next<'m>(&mut self, bump: &'m Bump, values: &mut Vec<Datum<'m>>) -> Result<bool> {
        let found = match self.options.binary {
            true => self.next_binary(bump, values),
            false => self.next_text(bump, values),
        };
        found.map_err(|error| match &self.data {
            // PostgreSQL reads the header before there are lines.
            Data::Binary(rows) if !rows.is_begun() => error,
            _ => self.at_row(error),
        })
    }

    fn line(&self) -> u64 {
        self.line
    }

    fn bytes(&self) -> usize {
        self.record.len()
    }

    fn at_row(&self, error: Error) -> Error {
        let (table, line) = (self.table, self.line);
        let place = format!("COPY {table}, line {line}");
        error.context(match &self.column {
            Some((at, _)) if self.options.binary => {
                format!("{place}, column {}", self.columns[*at].name)
            }
            Some((at, Some(text))) => {
                format!("{place}, column {}: \"{}\"", self.columns[*at].name, limited(text))
            }
            Some((at, None)) => format!("{place}, column {}: null input", self.columns[*at].name),
            None if self.record_valid && !self.options.binary => {
                format!("{place}: \"{}\"", limited(&self.record))
            }
            None => place,
        })
    }

    fn at_line(&self, error: Error, line: u64) -> Error {
        error.context(format!("COPY {}, line {line}", self.table))
    }
}

/// Which of the columns an option of COPY FROM names.
pub(super) fn forced(
    relation: &Relation,
    columns: &[&Column],
    names: &Names<'_>,
    option: &str,
) -> Result<Vec<bool>> {
    let chosen = match names {
        Names::None => return Ok(vec![false; columns.len()]),
        Names::All => return Ok(vec![true; columns.len()]),
        Names::Some(names) => listed(relation, names)?,
    };
    for column in &chosen {
        if columns.iter().all(|other| other.attribute != column.attribute) {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "{option} column \"{}\" not referenced by COPY",
                column.name
            ));
        }
    }
    let is_chosen = |column: &&Column| chosen.iter().any(|c| c.attribute == column.attribute);
    Ok(columns.iter().map(is_chosen).collect())
}
