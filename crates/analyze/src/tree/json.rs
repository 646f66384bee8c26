//! Bound expressions of SQL/JSON.

use super::expr::{Expr, Type};
pub use parse::{JsonBehaviorKind, JsonEncoding, JsonItem, JsonOp, JsonWrapper};

/// An expression of SQL/JSON.
#[derive(Clone, Copy, Debug)]
pub struct Json<'q> {
    /// Which one.
    pub kind: JsonKind<'q>,
    /// Its parts, in the order that the kind says.
    pub args: &'q [Expr<'q>],
    /// The way into the type of RETURNING, in which the value is a
    /// [`super::ExprKind::CaseOperand`].
    pub cast: Option<&'q Expr<'q>>,
}

/// The expressions of SQL/JSON.
#[derive(Clone, Copy, Debug)]
pub enum JsonKind<'q> {
    /// A value with FORMAT: the value as it was written, and as it is used.
    Value(JsonFormat),
    /// `JSON_OBJECT`: keys and values in turn.
    Object {
        /// ABSENT ON NULL.
        absent_on_null: bool,
        /// WITH UNIQUE KEYS.
        unique: bool,
        /// The format of the result.
        format: JsonFormat,
    },
    /// `JSON_ARRAY`: the elements.
    Array {
        /// ABSENT ON NULL.
        absent_on_null: bool,
        /// The format of the result.
        format: JsonFormat,
    },
    /// `JSON_OBJECTAGG`: the aggregate or window call behind it.
    ObjectAgg {
        /// ABSENT ON NULL.
        absent_on_null: bool,
        /// WITH UNIQUE KEYS.
        unique: bool,
        /// The format of the result.
        format: JsonFormat,
    },
    /// `JSON_ARRAYAGG`: the aggregate or window call behind it.
    ArrayAgg {
        /// ABSENT ON NULL.
        absent_on_null: bool,
        /// The format of the result.
        format: JsonFormat,
    },
    /// `JSON()`: a json or jsonb; with `unique` a text.
    Parse {
        /// WITH UNIQUE KEYS.
        unique: bool,
        /// The format of the result.
        format: JsonFormat,
    },
    /// `JSON_SCALAR`: the value.
    Scalar(JsonFormat),
    /// `JSON_SERIALIZE`: a json or jsonb.
    Serialize(JsonFormat),
    /// `IS JSON`: the value.
    Is {
        /// What it has to be.
        item: JsonItem,
        /// WITH UNIQUE KEYS.
        unique: bool,
    },
    /// A query function: the document, the path, the values of PASSING, those of DEFAULT.
    Function(&'q JsonFunction<'q>),
    /// `JSON_TABLE`: the document, the values of PASSING, those of DEFAULT.
    Table(&'q JsonTable<'q>),
}

/// FORMAT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JsonFormat {
    /// JSON or JSONB.
    pub kind: JsonFormatKind,
    /// ENCODING.
    pub encoding: JsonEncoding,
}

/// The kinds of FORMAT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum JsonFormatKind {
    Default,
    Json,
    Jsonb,
}

impl JsonFormat {
    /// No FORMAT.
    pub const DEFAULT: JsonFormat =
        JsonFormat { kind: JsonFormatKind::Default, encoding: JsonEncoding::Default };

    /// Whether values are jsonb.
    pub fn is_binary(self) -> bool {
        self.kind == JsonFormatKind::Jsonb
    }
}

/// What ON EMPTY and ON ERROR give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JsonBehavior {
    /// Which behavior.
    pub kind: JsonBehaviorKind,
    /// The argument with DEFAULT's value.
    pub value: Option<u32>,
    /// The value is brought into the result's type when it is needed.
    pub coerce: bool,
}

/// A query function.
#[derive(Clone, Copy, Debug)]
pub struct JsonFunction<'q> {
    /// Which one.
    pub op: JsonOp,
    /// The column of JSON_TABLE.
    pub column: Option<&'q str>,
    /// The names of PASSING.
    pub passing: &'q [&'q str],
    /// WRAPPER.
    pub wrapper: JsonWrapper,
    /// OMIT QUOTES.
    pub omit_quotes: bool,
    /// The format of the result.
    pub format: JsonFormat,
    /// ON EMPTY.
    pub on_empty: Option<JsonBehavior>,
    /// ON ERROR.
    pub on_error: JsonBehavior,
}

/// JSON_TABLE.
#[derive(Clone, Copy, Debug)]
pub struct JsonTable<'q> {
    /// The rows.
    pub scan: JsonScan<'q>,
    /// The names of PASSING.
    pub passing: &'q [&'q str],
    /// ON ERROR.
    pub on_error: JsonBehaviorKind,
}

/// A path that finds items, and the columns of each.
#[derive(Clone, Copy, Debug)]
pub struct JsonScan<'q> {
    /// The path, as a datum keeps it.
    pub path: &'q str,
    /// The path's name.
    pub name: &'q str,
    /// The number of the first column in the row.
    pub first: u32,
    /// The columns.
    pub columns: &'q [JsonColumn<'q>],
    /// NESTED.
    pub nested: &'q [JsonScan<'q>],
}

/// A column of JSON_TABLE.
#[derive(Clone, Copy, Debug)]
pub struct JsonColumn<'q> {
    /// The name.
    pub name: &'q str,
    /// The type.
    pub ty: Type,
    /// The function; none for FOR ORDINALITY.
    pub function: Option<&'q JsonFunction<'q>>,
    /// The path, as a datum keeps it.
    pub path: &'q str,
}

impl JsonScan<'_> {
    /// The number of its columns and of those nested in it.
    pub fn width(&self) -> usize {
        self.columns.len() + self.nested.iter().map(JsonScan::width).sum::<usize>()
    }
}
