//! JSON_TABLE.
//!
//! A scan finds items by its path; each item gives its columns and is joined with the rows of the
//! scans nested in it, one after the other. An item without such rows gives one row in which their
//! columns are NULL.

use super::query::{Given, JsonFunction, passed_values};
use crate::jsonpath::{Found, Manner, Passed, Status, Variables, evaluate};
use crate::write::text_of;
use base::{Error, Result};
use expr::{Call, Datum, SetOperation, SetRows, SqlType};
use memory::collections::{Buffer, Charged, Toll};
use memory::{Account, Heap};
use types::Jsonb;
use types::jsonpath::Path;

/// JSON_TABLE: the arguments are the document, the values of PASSING, those of DEFAULT.
#[derive(Clone, Copy, Debug)]
pub struct JsonTable<'p> {
    /// The rows.
    pub scan: JsonScan<'p>,
    /// The names of PASSING.
    pub passing: &'p [&'p str],
    /// An error of a path that finds rows is one.
    pub error_on_error: bool,
    /// The number of columns.
    pub width: usize,
}

/// A path that finds items, and the columns of each.
#[derive(Clone, Copy, Debug)]
pub struct JsonScan<'p> {
    /// The path, as a datum keeps it.
    pub path: &'p str,
    /// The place of the first column in the row.
    pub first: usize,
    /// The columns.
    pub columns: &'p [JsonColumn<'p>],
    /// NESTED.
    pub nested: &'p [JsonScan<'p>],
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct JsonColumn<'p> {
    /// The type.
    pub ty: SqlType,
    /// The function and its path; none for FOR ORDINALITY.
    pub function: Option<(JsonFunction<'p>, &'p str)>,
}

/// A scan with its paths parsed.
struct Parsed<'s, 'p> {
    scan: &'s JsonScan<'p>,
    path: Path,
    columns: Vec<Option<Path>>,
    nested: Vec<Parsed<'s, 'p>>,
    _tolls: Vec<Toll>,
}

impl<'s, 'p> Parsed<'s, 'p> {
    fn of(scan: &'s JsonScan<'p>, account: &Account) -> Result<Parsed<'s, 'p>> {
        let mut tolls = Vec::new();
        let mut parse = |text| {
            tolls.extend(Path::toll(text, account)?);
            Path::parse(text)
        };
        let path = parse(scan.path)?;
        let columns = scan
            .columns
            .iter()
            .map(|column| column.function.map(|(_, path)| parse(path)).transpose())
            .collect::<Result<_>>()?;
        let nested = scan.nested.iter().map(|scan| Parsed::of(scan, account));
        Ok(Parsed { scan, path, columns, nested: nested.collect::<Result<_>>()?, _tolls: tolls })
    }
}

/// A value that the set keeps; texts and bytes by their places.
#[derive(Clone, Copy)]
enum Kept {
    Plain(Datum<'static>),
    Text(usize, usize),
    Bytes(usize, usize),
}

/// The rows, one behind the other.
struct Rows {
    values: Buffer<Kept>,
    bytes: Buffer<u8>,
    width: usize,
    next: usize,
}

impl Rows {
    fn of(heap: &Heap, width: usize, rows: &[Datum<'_>]) -> Result<Rows> {
        let (values, bytes) = (Buffer::new(heap), Buffer::new(heap));
        let mut kept = Rows { values, bytes, width: width.max(1), next: 0 };
        for value in rows {
            let from = kept.bytes.len();
            let value = match value {
                Datum::Text(text) => {
                    kept.bytes.extend_from_slice(text.as_bytes())?;
                    Kept::Text(from, kept.bytes.len())
                }
                Datum::Bytes(bytes) => {
                    kept.bytes.extend_from_slice(bytes)?;
                    Kept::Bytes(from, kept.bytes.len())
                }
                plain => Kept::Plain(plain.copy_to(&types::LeakArena)?),
            };
            kept.values.push(value)?;
        }
        Ok(kept)
    }
}

impl SetRows for Rows {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some(row) = self.values.get(self.next..self.next + self.width) else {
            return Ok(false);
        };
        self.next += self.width;
        for (slot, value) in out.iter_mut().zip(row) {
            *slot = match value {
                Kept::Plain(datum) => *datum,
                Kept::Text(from, to) => cx.text(text_of(&self.bytes[*from..*to])?)?,
                Kept::Bytes(from, to) => cx.bytes(&self.bytes[*from..*to])?,
            };
        }
        Ok(true)
    }
}

/// What all scans share.
struct Run<'r> {
    passed: &'r [Passed<'r>],
    types: &'r [SqlType],
    throw: bool,
    width: usize,
}

/// Rows of which some columns are filled, one behind the other.
type Filled<'m> = Charged<Datum<'m>>;

impl Run<'_> {
    /// The rows of a scan over a document.
    fn rows<'m>(
        &self,
        cx: &mut Call<'_, 'm>,
        parsed: &Parsed<'_, '_>,
        document: Jsonb<'_>,
        args: &[Datum<'m>],
    ) -> Result<Filled<'m>> {
        base::stack::check_stack_depth()?;
        let bump = cx.bump;
        let mut rows = Charged::new(bump.account().clone(), "JsonTable");
        let variables = Variables::Passed(self.passed);
        let manner = Manner { variables, throw: self.throw, zoned: true };
        let mut found = Found::all(bump.account());
        let status = evaluate(cx.host, bump, &parsed.path, document, manner, &mut found)?;
        let Found::Kept(items) = found else { return Ok(rows) };
        if status == Status::Error {
            return Ok(rows);
        }
        for (i, item) in items.iter().enumerate() {
            let json = item.to_jsonb(&bump)?;
            let json = Jsonb::new(json.bytes()?);
            let row = self.row(cx, parsed, json, i + 1, args)?;
            let before = rows.len();
            for nested in &parsed.nested {
                let inner = self.rows(cx, nested, json, args)?;
                // An outer row with what an inner one has filled.
                for (value, outer) in inner.iter().zip(row.iter().cycle()) {
                    rows.push(if value.is_null() { *outer } else { *value })?;
                }
            }
            if rows.len() == before {
                rows.extend_from_slice(&row)?;
            }
        }
        Ok(rows)
    }

    fn row<'m>(
        &self,
        cx: &mut Call<'_, 'm>,
        parsed: &Parsed<'_, '_>,
        item: Jsonb<'_>,
        ordinal: usize,
        args: &[Datum<'m>],
    ) -> Result<Vec<Datum<'m>>> {
        let mut row = vec![Datum::Null; self.width];
        let columns = parsed.scan.columns.iter().zip(&parsed.columns).enumerate();
        for (i, (column, path)) in columns {
            let value = match (column.function, path) {
                (Some((function, _)), Some(path)) => {
                    let given = Given { path, passed: self.passed, args, types: self.types };
                    function.run(cx, column.ty, item, given)?
                }
                _ => Datum::Int4(i32::try_from(ordinal).unwrap_or(i32::MAX)),
            };
            if let Some(slot) = row.get_mut(parsed.scan.first + i) {
                *slot = value;
            }
        }
        Ok(row)
    }
}

impl SetOperation for JsonTable<'_> {
    fn begin<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
        let Some((document, rest)) = args.split_first() else {
            return Err(Error::internal("JSON_TABLE without a document"));
        };
        if document.is_null() {
            return Ok(Box::new(Rows::of(&cx.scratch(), self.width, &[])?));
        }
        let types = cx.site.args;
        let passed = passed_values(cx, self.passing, rest, types.get(1..).unwrap_or(&[]))?;
        let run = Run { passed: &passed, types, throw: self.error_on_error, width: self.width };
        let parsed = Parsed::of(&self.scan, cx.bump.account())?;
        let rows = run.rows(cx, &parsed, Jsonb::new(document.bytes()?), args)?;
        Ok(Box::new(Rows::of(&cx.scratch(), self.width, &rows)?))
    }
}
