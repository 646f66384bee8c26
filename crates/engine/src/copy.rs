//! COPY: from and to the client, as text, CSV or binary.

use crate::backend::Backend;
use crate::planned::{Body, Planned};
use analyze::names::quote_identifier;
use base::{Error, Oid, Result, err};
use catalog::relation::{Column, Relation};
use memory::Bump;
use parse::{CopyStmt, DefElem, DefValue};
use session::engine::{
    Completion, Destination, ParameterList, ParameterLists, ParameterMode, Parameters,
};
use session::{Client, CopyOut, copy_in};
use std::sync::Arc;
use types::Datum;
use wire::copy::{Fields, Records, TextFormat, write_csv_field, write_csv_null, write_text_field};
use wire::frontend::Format;

/// The options of a COPY.
struct Options {
    format: TextFormat,
    header: bool,
}

/// Reads the options of WITH.
fn options(list: &[DefElem<'_>]) -> Result<Options> {
    let text = |option: &DefElem<'_>| -> Result<String> {
        let word = option.value.as_ref().and_then(DefValue::as_word);
        word.map(str::to_string)
            .ok_or_else(|| err!(SYNTAX_ERROR, "{} requires a parameter", option.name))
    };
    let truth = |option: &DefElem<'_>| match &option.value {
        None | Some(DefValue::Boolean(true)) => true,
        Some(DefValue::Integer(number)) => *number != 0,
        Some(value) => matches!(value.as_word(), Some("true" | "on" | "match")),
    };
    let mut csv = false;
    for option in list.iter().filter(|option| option.name == "format") {
        match text(option)?.as_str() {
            "text" => csv = false,
            "csv" => csv = true,
            "binary" => {
                return Err(Error::unsupported("COPY in binary format is not supported yet"));
            }
            other => {
                return Err(err!(
                    INVALID_PARAMETER_VALUE,
                    "COPY format \"{other}\" not recognized"
                ));
            }
        }
    }
    let mut format = if csv { TextFormat::csv() } else { TextFormat::text() };
    let mut header = false;
    for option in list {
        let one_byte = |text: &str| match text.as_bytes() {
            [byte] => Ok(*byte),
            _ => Err(err!(
                FEATURE_NOT_SUPPORTED,
                "COPY {} must be a single one-byte character",
                option.name
            )),
        };
        match option.name {
            "format" | "freeze" | "encoding" => {}
            "delimiter" => format.delimiter = one_byte(&text(option)?)?,
            "null" => format.null = text(option)?.into_bytes(),
            "header" => header = truth(option),
            "quote" | "escape" => {
                let byte = one_byte(&text(option)?)?;
                match &mut format.csv {
                    Some(csv) if option.name == "quote" => csv.quote = byte,
                    Some(csv) => csv.escape = byte,
                    None => {
                        return Err(err!(
                            FEATURE_NOT_SUPPORTED,
                            "COPY {} requires CSV mode",
                            option.name.to_uppercase()
                        ));
                    }
                }
            }
            other => {
                return Err(Error::unsupported(format!(
                    "option \"{other}\" of COPY is not supported yet"
                )));
            }
        }
    }
    Ok(Options { format, header })
}

fn qualified(backend: &Backend, relation: &Relation) -> Result<String> {
    let schema = backend.catalog.namespace(relation.namespace)?;
    Ok(format!("{}.{}", quote_identifier(&schema.name), quote_identifier(&relation.name)))
}

/// The columns that a COPY names, or all that are not generated.
fn columns<'r>(relation: &'r Relation, names: &[&str]) -> Result<Vec<&'r Column>> {
    if names.is_empty() {
        return Ok(relation.live_columns().filter(|column| column.generated.is_none()).collect());
    }
    names
        .iter()
        .map(|name| {
            relation.column(name).ok_or_else(|| {
                err!(
                    UNDEFINED_COLUMN,
                    "column \"{name}\" of relation \"{}\" does not exist",
                    relation.name
                )
            })
        })
        .collect()
}

impl Backend {
    /// Runs COPY; returns the number of rows.
    pub(crate) fn copy(
        &self,
        copy: &CopyStmt<'_>,
        source: &str,
        destination: &mut dyn Destination,
    ) -> Result<u64> {
        if copy.filename.is_some() || copy.program {
            return Err(Error::unsupported("COPY with files of the server is not supported yet")
                .hint("Use STDIN or STDOUT, or psql's \\copy."));
        }
        let options = options(copy.options)?;
        let relation = match copy.relation {
            None => None,
            Some(name) => {
                let oid = self.catalog.relation_named(name.schema, name.name)?;
                let oid = oid.ok_or_else(|| {
                    err!(UNDEFINED_TABLE, "relation \"{}\" does not exist", name.name)
                })?;
                Some(self.catalog.relation(oid)?)
            }
        };
        let client = destination.client().ok_or_else(|| {
            err!(FEATURE_NOT_SUPPORTED, "COPY needs a client that speaks the protocol")
        })?;
        match (relation, copy.from) {
            (Some(relation), true) => {
                let columns = columns(&relation, copy.columns)?;
                self.copy_from(&relation, &columns, &options, client)
            }
            (Some(relation), false) => {
                let columns = columns(&relation, copy.columns)?;
                let names: Vec<String> =
                    columns.iter().map(|column| quote_identifier(&column.name)).collect();
                let sql =
                    format!("SELECT {} FROM {}", names.join(", "), qualified(self, &relation)?);
                let planned = self.plan_text(&sql, &[])?;
                self.copy_to(&planned, &options, client)
            }
            (None, _) => {
                let query = copy.query.ok_or_else(|| Error::internal("COPY of nothing"))?;
                let planned = self.plan_statement(source, query, &[], ParameterMode::None)?;
                self.copy_to(&planned, &options, client)
            }
        }
    }

    /// Plans SQL of our own.
    pub(crate) fn plan_text(&self, sql: &str, types: &[Oid]) -> Result<Planned> {
        let bump = Bump::new("internal statement", self.state.account().clone());
        let statements = base::wait::on_thread_stack(|| parse::parse(&bump, sql))?;
        let [only] = statements else { return Err(Error::internal("not one statement")) };
        self.plan_statement(sql, &only.statement, types, ParameterMode::Inferred)
    }

    fn copy_from(
        &self,
        relation: &Arc<Relation>,
        columns: &[&Column],
        options: &Options,
        client: &mut dyn Client,
    ) -> Result<u64> {
        let names: Vec<String> =
            columns.iter().map(|column| quote_identifier(&column.name)).collect();
        let marks: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            qualified(self, relation)?,
            names.join(", "),
            marks.join(", ")
        );
        let types: Vec<Oid> = columns.iter().map(|column| column.type_oid).collect();
        let planned = self.plan_text(&sql, &types)?;
        let mut records = Records::new(options.format.clone());
        let mut line = 0u64;
        let mut rows = 0u64;
        let mut fields = Fields::new();
        let mut take = |records: &mut Records| -> Result<()> {
            while let Some(record) = records.next_record()? {
                line += 1;
                if line == 1 && options.header {
                    continue;
                }
                fields.split(record, &options.format)?;
                self.copy_row(columns, &planned, &fields).map_err(|error| {
                    error.context(format!("COPY {}, line {line}", relation.name))
                })?;
                rows += 1;
            }
            Ok(())
        };
        copy_in(client, Format::Text, columns.len(), &mut |bytes| {
            records.push(bytes);
            take(&mut records)
        })?;
        records.end();
        take(&mut records)?;
        Ok(rows)
    }

    fn copy_row(&self, columns: &[&Column], planned: &Planned, fields: &Fields) -> Result<()> {
        if fields.len() > columns.len() {
            return Err(err!(BAD_COPY_FILE_FORMAT, "extra data after last expected column"));
        }
        let io = self.value_io();
        let frozen = memory::Frozen::<ParameterLists>::new("COPY", self.state.account(), |bump| {
            let values = columns.iter().enumerate().map(|(at, column)| {
                let field = fields.get(at).ok_or_else(|| {
                    err!(BAD_COPY_FILE_FORMAT, "missing data for column \"{}\"", column.name)
                })?;
                let Some(bytes) = field else { return Ok(Datum::Null) };
                let text = std::str::from_utf8(bytes).map_err(|_| {
                    err!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"")
                })?;
                io.input(column.type_oid.0, -1, text, &bump)
            });
            Ok(ParameterList(bump.try_alloc_slice(values)?))
        })?;
        let parameters = Parameters::new(frozen);
        let Body::Query { plan, descriptions } = &planned.body else {
            return Err(Error::internal("COPY without a plan"));
        };
        self.run_silently(plan.get(), descriptions, parameters.values())
    }

    fn copy_to(
        &self,
        planned: &Planned,
        options: &Options,
        client: &mut dyn Client,
    ) -> Result<u64> {
        let columns = session::engine::Plan::columns(planned).unwrap_or(&[]).to_vec();
        let io = self.value_io();
        let mut out = CopyOut::begin(client, Format::Text, columns.len());
        if options.header {
            let mut line = Vec::new();
            for (at, column) in columns.iter().enumerate() {
                put(&mut line, at, Some(&column.name), options);
            }
            line.push(b'\n');
            out.piece(|bytes| bytes.extend_from_slice(&line))?;
        }
        let mut rows = 0;
        let mut line = Vec::new();
        let mut sink = Sink(&mut |values: &[Datum<'_>]| {
            line.clear();
            for (at, (value, column)) in values.iter().zip(&columns).enumerate() {
                let text = match value {
                    Datum::Null => None,
                    value => Some(io.output_string(column.type_oid.0, value)?),
                };
                put(&mut line, at, text.as_deref(), options);
            }
            line.push(b'\n');
            rows += 1;
            out.piece(|bytes| bytes.extend_from_slice(&line))
        });
        let _: Completion = self.run_planned(planned, &Parameters::none(), &mut sink)?;
        out.end();
        Ok(rows)
    }
}

fn put(line: &mut Vec<u8>, at: usize, text: Option<&str>, options: &Options) {
    let format = &options.format;
    if at > 0 {
        line.push(format.delimiter);
    }
    match (text, format.csv) {
        (None, None) => line.extend_from_slice(&format.null),
        (None, Some(_)) => write_csv_null(line, format),
        (Some(text), None) => write_text_field(line, text.as_bytes(), format),
        (Some(text), Some(csv)) => {
            write_csv_field(line, text.as_bytes(), format, csv, false, false);
        }
    }
}

/// A destination that hands rows to a function.
pub(crate) struct Sink<'f>(pub(crate) &'f mut dyn FnMut(&[Datum<'_>]) -> Result<()>);

impl Destination for Sink<'_> {
    fn demand(&mut self) -> Result<u64> {
        Ok(u64::MAX)
    }

    fn row(&mut self, values: &[Datum<'_>]) -> Result<()> {
        (self.0)(values)
    }

    fn client(&mut self) -> Option<&mut dyn Client> {
        None
    }
}
