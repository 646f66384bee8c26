//! Rows from JSON objects: json_to_record, json_populate_record, their sets and jsonb twins.
//!
//! # How it works
//! jsonb is read in its text form, so that one reader serves both. A value becomes a column's by
//! the column's type: arrays from arrays, rows from objects, json as it is, anything else by the
//! type's text input, to which strings go for arrays and rows too.

use crate::parts::{Parts, Whole};
use base::{Error, Result, err};
use expr::{Call, Datum, Entry, SetRows, SqlType};
use memory::collections::{Charged, GivenOrMade};
use std::borrow::Cow;
use types::array::{self, Dimension};
use types::json::{self, Node, NodeKind, Scalar};
use types::row_columns::{self, RowColumn};
use types::{Jsonb, Record, TypeClass, oids, record};

use crate::read::node_text;

/// The columns of a row type; the type of a dropped one is 0.
fn columns(cx: &Call<'_, '_>, type_oid: u32, typmod: i32) -> Result<Option<Vec<RowColumn>>> {
    if type_oid == oids::RECORD {
        return Ok(row_columns::of_typmod(typmod).map(|columns| columns.to_vec()));
    }
    let host = cx.io().host;
    if !matches!(host.class(type_oid)?, TypeClass::Composite) {
        return Ok(None);
    }
    let names = host.column_names(type_oid, typmod)?;
    let types = host.columns(type_oid)?;
    let columns = names.into_iter().zip(types);
    Ok(Some(
        columns.map(|(name, (type_oid, typmod))| RowColumn { name, type_oid, typmod }).collect(),
    ))
}

/// The text of a json or jsonb argument.
fn text_of<'m>(cx: &Call<'_, '_>, datum: &Datum<'m>) -> Result<GivenOrMade<'m>> {
    match datum {
        Datum::Text(text) => Ok(GivenOrMade::Given(text)),
        _ => cx.io().text(oids::JSONB, datum, cx.bump.account()).map(GivenOrMade::Made),
    }
}

fn pairs<'n, 't>(node: &'n Node<'t>) -> Result<&'n [(Cow<'t, str>, Node<'t>)]> {
    match &node.kind {
        NodeKind::Object(pairs) => Ok(pairs),
        NodeKind::Array(_) => {
            Err(err!(INVALID_PARAMETER_VALUE, "cannot call populate_composite on an array"))
        }
        NodeKind::Scalar(_) => {
            Err(err!(INVALID_PARAMETER_VALUE, "cannot call populate_composite on a scalar"))
        }
    }
}

/// The values of the columns: an object's, else those of the row that is the base.
fn fields<'m>(
    cx: &Call<'_, 'm>,
    node: &Node<'_>,
    columns: &[RowColumn],
    base: Option<&Record<'_>>,
) -> Result<Vec<Datum<'m>>> {
    base::stack::check_stack_depth()?;
    let pairs = pairs(node)?;
    let mut values = Vec::with_capacity(columns.len());
    for (i, column) in columns.iter().enumerate() {
        if column.type_oid == 0 {
            values.push(Datum::Null);
            continue;
        }
        let found = pairs.iter().rev().find(|(key, _)| *key == column.name);
        values.push(match (found, base) {
            (Some((key, node)), base) => {
                let own = base.map(|base| base.get(i)).transpose()?;
                field(cx, node, column, own, key)?
            }
            (None, Some(base)) => base.get(i)?.copy_to(&cx.bump)?,
            (None, None) => {
                cx.io().host.check_domain(column.type_oid, &Datum::Null)?;
                Datum::Null
            }
        });
    }
    Ok(values)
}

/// The value of a column. A row keeps the fields of `own` that the object has not.
fn field<'m>(
    cx: &Call<'_, 'm>,
    node: &Node<'_>,
    column: &RowColumn,
    own: Option<Datum<'_>>,
    key: &str,
) -> Result<Datum<'m>> {
    if let (Some(own), NodeKind::Object(_)) = (own.filter(|own| !own.is_null()), &node.kind)
        && let Some(columns) = columns(cx, column.type_oid, column.typmod)?
    {
        let own = Record::from_datum(&own)?;
        let values = fields(cx, node, &columns, Some(&own))?;
        return row_of(cx, (column.type_oid, column.typmod), &columns, &values);
    }
    value(cx, node, column.type_oid, column.typmod, Some(key))
}

fn row<'m>(cx: &Call<'_, 'm>, columns: &[RowColumn], values: &[Datum<'m>]) -> Result<Datum<'m>> {
    let result = cx.site.result;
    let host = cx.io().host;
    let over = host.domain(result.oid.0)?.map_or(result.oid.0, |(over, _)| over);
    let row = row_of(cx, (over, result.typmod), columns, values)?;
    host.check_domain(result.oid.0, &row)?;
    Ok(row)
}

fn row_of<'m>(
    cx: &Call<'_, 'm>,
    (type_oid, typmod): (u32, i32),
    columns: &[RowColumn],
    values: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let types = columns.iter().map(|column| match column.type_oid {
        0 => oids::INT4,
        type_oid => type_oid,
    });
    let fields: Vec<(u32, Datum<'m>)> = types.zip(values.iter().copied()).collect();
    record::to_datum(type_oid, typmod, &fields, &cx.bump)
}

/// A value as one of a type.
fn value<'m>(
    cx: &Call<'_, 'm>,
    node: &Node<'_>,
    type_oid: u32,
    typmod: i32,
    key: Option<&str>,
) -> Result<Datum<'m>> {
    let io = cx.io();
    if let Some((base, typmod)) = io.host.domain(type_oid)? {
        let value = value(cx, node, base, typmod, key)?;
        io.host.check_domain(type_oid, &value)?;
        return Ok(value);
    }
    if matches!(node.kind, NodeKind::Scalar(Scalar::Null)) {
        return Ok(Datum::Null);
    }
    if matches!(type_oid, oids::JSON | oids::JSONB) {
        return io.input(type_oid, typmod, node.raw, &cx.bump);
    }
    if !matches!(node.kind, NodeKind::Scalar(Scalar::String(_))) {
        match io.host.class(type_oid)? {
            TypeClass::Array { element, .. } => return array(cx, node, element, typmod, key),
            TypeClass::Composite => {
                let Some(columns) = columns(cx, type_oid, typmod)? else {
                    return Err(Error::internal("a row type without columns"));
                };
                let values = fields(cx, node, &columns, None)?;
                return row_of(cx, (type_oid, typmod), &columns, &values);
            }
            _ => {}
        }
    }
    io.input(type_oid, typmod, node_text(node).unwrap_or_default(), &cx.bump)
}

/// A jsonb value as one of a type, as the query functions of SQL/JSON give it. Strings lose their
/// quotes with `omit_quotes` only.
///
/// # Errors
/// Those of the type's text input and of a domain.
pub(crate) fn populate_type<'m>(
    cx: &Call<'_, 'm>,
    json: Jsonb<'_>,
    target: SqlType,
    omit_quotes: bool,
) -> Result<Datum<'m>> {
    let io = cx.io();
    let (type_oid, typmod) = (target.oid.0, target.typmod);
    if let Some((base, typmod)) = io.host.domain(type_oid)? {
        let base = SqlType { oid: base::Oid(base), typmod };
        let value = populate_type(cx, json, base, omit_quotes)?;
        io.host.check_domain(type_oid, &value)?;
        return Ok(value);
    }
    if omit_quotes {
        let text = json.as_text(cx.bump.account())?;
        return io.input(type_oid, typmod, text.as_deref().unwrap_or("null"), &cx.bump);
    }
    if type_oid == oids::JSONB {
        return json.to_datum().copy_to(&cx.bump);
    }
    let text = io.text(oids::JSONB, &json.to_datum(), cx.bump.account())?;
    let text = &*text;
    match io.host.class(type_oid)? {
        TypeClass::Array { element, .. } => {
            array(cx, json::tree(text, cx.bump.account())?.root(), element, typmod, None)
        }
        TypeClass::Composite => {
            let columns = columns(cx, type_oid, typmod)?.unwrap_or_default();
            let values = fields(cx, json::tree(text, cx.bump.account())?.root(), &columns, None)?;
            row_of(cx, (type_oid, typmod), &columns, &values)
        }
        _ => io.input(type_oid, typmod, text, &cx.bump),
    }
}

/// The elements of an array that is being read, and the lengths of its dimensions.
struct Elements<'m> {
    values: Charged<Datum<'m>>,
    lengths: Vec<usize>,
    /// Whether the number of dimensions is known: that of the first element that is no array.
    closed: bool,
}

fn array<'m>(
    cx: &Call<'_, 'm>,
    node: &Node<'_>,
    element: u32,
    typmod: i32,
    key: Option<&str>,
) -> Result<Datum<'m>> {
    let NodeKind::Array(items) = &node.kind else {
        let error = err!(INVALID_TEXT_REPRESENTATION, "expected JSON array");
        return Err(match key {
            Some(key) => error.hint(format!("See the value of key \"{key}\".")),
            None => error,
        });
    };
    let values = Charged::new(cx.bump.account().clone(), "JsonElements");
    let mut elements = Elements { values, lengths: Vec::new(), closed: false };
    level(cx, items, 0, (element, typmod), &mut elements, key)?;
    let dims: Vec<Dimension> = if elements.values.is_empty() {
        Vec::new()
    } else {
        elements.lengths.iter().map(|length| Dimension::from_one(*length)).collect()
    };
    array::to_datum(element, &dims, &elements.values, &cx.bump)
}

fn level<'m>(
    cx: &Call<'_, 'm>,
    items: &[Node<'_>],
    depth: usize,
    (element, typmod): (u32, i32),
    out: &mut Elements<'m>,
    key: Option<&str>,
) -> Result<()> {
    base::stack::check_stack_depth()?;
    match out.lengths.get(depth) {
        None => out.lengths.push(items.len()),
        Some(length) if *length == items.len() => {}
        Some(_) => {
            return Err(err!(INVALID_TEXT_REPRESENTATION, "malformed JSON array")
                .detail("Multidimensional arrays must have sub-arrays with matching dimensions."));
        }
    }
    for (i, item) in items.iter().enumerate() {
        let innermost = out.closed && depth + 1 == out.lengths.len();
        match &item.kind {
            NodeKind::Array(inner) if !innermost => {
                level(cx, inner, depth + 1, (element, typmod), out, key)?;
            }
            _ if out.closed && !innermost => {
                let error = err!(INVALID_TEXT_REPRESENTATION, "expected JSON array");
                return Err(error.hint(match key {
                    Some(key) => format!("See the array element [{i}] of key \"{key}\"."),
                    None => format!("See the array element [{i}]."),
                }));
            }
            _ => {
                out.closed = true;
                out.values.push(value(cx, item, element, typmod, key)?)?;
            }
        }
    }
    Ok(())
}

/// `json_to_record`
fn to_record<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let result = cx.site.result;
    let Some(columns) = columns(cx, result.oid.0, result.typmod)? else {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "function returning record called in context that cannot accept type record"
        ));
    };
    let text = text_of(cx, &args[0])?;
    let values = fields(cx, json::tree(&text, cx.bump.account())?.root(), &columns, None)?;
    row(cx, &columns, &values)
}

/// 42804 if a row has other columns than the query wants.
fn check_columns(cx: &Call<'_, '_>, own: &[RowColumn], expected: &[RowColumn]) -> Result<()> {
    let mismatch = |detail: String| {
        err!(DATATYPE_MISMATCH, "function return row and query-specified return row do not match")
            .detail(detail)
    };
    if own.len() != expected.len() {
        return Err(mismatch(format!(
            "Returned row contains {} attribute{}, but query expects {}.",
            own.len(),
            if own.len() == 1 { "" } else { "s" },
            expected.len()
        )));
    }
    let host = cx.io().host;
    for (i, (own, expected)) in own.iter().zip(expected).enumerate() {
        if own.type_oid != expected.type_oid {
            return Err(mismatch(format!(
                "Returned type {} at ordinal position {}, but query expects {}.",
                host.type_name(own.type_oid),
                i + 1,
                host.type_name(expected.type_oid)
            )));
        }
    }
    Ok(())
}

/// The columns of the row type that a base decides; domains over row types count.
fn base_columns(cx: &Call<'_, '_>, base: &Datum<'_>, function: &str) -> Result<Vec<RowColumn>> {
    let declared = cx.arg_type(0).oid.0;
    let mut typmod = cx.site.result.typmod;
    if declared == oids::RECORD && !base.is_null() {
        let record = Record::from_datum(base)?;
        typmod = record.typmod();
        if row_columns::of_typmod(typmod).is_none() {
            let column = |i: usize| RowColumn {
                name: format!("f{}", i + 1),
                type_oid: record.column_type(i),
                typmod: -1,
            };
            let own: Vec<RowColumn> = (0..record.len()).map(column).collect();
            if let Some(expected) = row_columns::of_typmod(cx.site.result.typmod) {
                check_columns(cx, &own, &expected)?;
            }
            return Ok(own);
        }
    }
    let over = cx.io().host.domain(declared)?.map_or(declared, |(over, _)| over);
    match columns(cx, over, typmod)? {
        Some(columns) => Ok(columns),
        None if declared == oids::RECORD => Err(err!(
            INVALID_PARAMETER_VALUE,
            "could not determine row type for result of {function}"
        )
        .hint(
            "Provide a non-null record argument, or call the function in the FROM clause using a \
             column definition list.",
        )),
        None => Err(err!(DATATYPE_MISMATCH, "first argument of {function} must be a row type")),
    }
}

/// `json_populate_record`
fn populate<'m, const BINARY: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let function = if BINARY { "jsonb_populate_record" } else { "json_populate_record" };
    let columns = base_columns(cx, &args[0], function)?;
    if args[1].is_null() {
        return Ok(args[0]);
    }
    let base = if args[0].is_null() { None } else { Some(Record::from_datum(&args[0])?) };
    let text = text_of(cx, &args[1])?;
    let values = fields(cx, json::tree(&text, cx.bump.account())?.root(), &columns, base.as_ref())?;
    row(cx, &columns, &values)
}

/// `jsonb_populate_record_valid`: whether the object could be read.
fn populates<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let columns = base_columns(cx, &args[0], "jsonb_populate_record_valid")?;
    if args[1].is_null() {
        return Ok(Datum::Bool(true));
    }
    let base = if args[0].is_null() { None } else { Some(Record::from_datum(&args[0])?) };
    let text = text_of(cx, &args[1])?;
    match fields(cx, json::tree(&text, cx.bump.account())?.root(), &columns, base.as_ref()) {
        Ok(_) => Ok(Datum::Bool(true)),
        Err(error) if is_soft(&error) => Ok(Datum::Bool(false)),
        Err(error) => Err(error),
    }
}

/// Whether an error is one of the value, which may be silenced, and not of the server.
pub(crate) fn is_soft(error: &Error) -> bool {
    !matches!(error.sqlstate().class(), "53" | "54" | "57" | "58" | "XX")
}

/// A set of rows whose objects are read one by one.
struct Objects {
    /// None for NULL.
    parts: Option<Parts>,
    next: usize,
    columns: Vec<RowColumn>,
    base: Option<Charged<u8>>,
}

impl SetRows for Objects {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some((_, text)) = self.parts.as_ref().and_then(|parts| parts.get(self.next)) else {
            return Ok(false);
        };
        self.next += 1;
        let base = self.base.as_deref().map(Record::new).transpose()?;
        let values =
            fields(cx, json::tree(text, cx.bump.account())?.root(), &self.columns, base.as_ref())?;
        match out {
            // Among the targets a row is one value.
            [whole] if values.len() != 1 => *whole = row(cx, &self.columns, &values)?,
            _ => {
                for (place, value) in out.iter_mut().zip(values) {
                    *place = value;
                }
            }
        }
        Ok(true)
    }
}

fn objects(
    cx: &Call<'_, '_>,
    json: &Datum<'_>,
    columns: Vec<RowColumn>,
    base: Option<Charged<u8>>,
    function: &str,
) -> Result<Box<dyn SetRows>> {
    if json.is_null() {
        return Ok(Box::new(Objects { parts: None, next: 0, columns, base }));
    }
    let parts = Parts::of(cx, &text_of(cx, json)?)?;
    if parts.whole() != Whole::Array {
        let what = if parts.whole() == Whole::Object { "an object" } else { "a scalar" };
        return Err(err!(INVALID_PARAMETER_VALUE, "cannot call {function} on {what}"));
    }
    if parts.values().any(|value| !value.starts_with('{')) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "argument of {function} must be an array of objects"
        ));
    }
    Ok(Box::new(Objects { parts: Some(parts), next: 0, columns, base }))
}

/// `json_to_recordset`
fn to_recordset<'m, const BINARY: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    let function = if BINARY { "jsonb_to_recordset" } else { "json_to_recordset" };
    let result = cx.site.result;
    let columns = columns(cx, result.oid.0, result.typmod)?.unwrap_or_default();
    objects(cx, &args[0], columns, None, function)
}

/// `json_populate_recordset`
fn populate_set<'m, const BINARY: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    let function = if BINARY { "jsonb_populate_recordset" } else { "json_populate_recordset" };
    let columns = base_columns(cx, &args[0], function)?;
    let base = if args[0].is_null() {
        None
    } else {
        let mut base = Charged::new(cx.bump.account().clone(), "RowsBase");
        base.extend_from_slice(args[0].bytes()?)?;
        Some(base)
    };
    objects(cx, &args[1], columns, base, function)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("json_to_record", to_record),
    Entry::scalar("jsonb_to_record", to_record),
    Entry::scalar("json_populate_record", populate::<false>),
    Entry::scalar("jsonb_populate_record", populate::<true>),
    Entry::scalar("jsonb_populate_record_valid", populates),
    Entry::set("json_to_recordset", to_recordset::<false>),
    Entry::set("jsonb_to_recordset", to_recordset::<true>),
    Entry::set("json_populate_recordset", populate_set::<false>),
    Entry::set("jsonb_populate_recordset", populate_set::<true>),
];
