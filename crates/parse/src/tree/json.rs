//! SQL/JSON: constructors, predicates, query functions, JSON_TABLE.

use super::{Alias, Expression, SelectStmt, SortBy, TypeName, WindowDef};
use crate::Location;

/// An expression of SQL/JSON.
#[derive(Clone, Copy, Debug)]
pub struct JsonExpression<'a> {
    /// Which one.
    pub kind: JsonKind<'a>,
    /// RETURNING.
    pub output: Option<JsonOutput<'a>>,
    /// Where its first word stands.
    pub location: Location,
}

/// The expressions of SQL/JSON.
#[derive(Clone, Copy, Debug)]
pub enum JsonKind<'a> {
    /// `JSON_OBJECT(k : v, …)`.
    Object {
        /// The members.
        pairs: &'a [JsonPair<'a>],
        /// ABSENT ON NULL.
        absent_on_null: bool,
        /// WITH UNIQUE KEYS.
        unique: bool,
    },
    /// `JSON_ARRAY(v, …)`.
    Array {
        /// The elements.
        elements: &'a [JsonValue<'a>],
        /// ABSENT ON NULL, the default.
        absent_on_null: bool,
    },
    /// `JSON_ARRAY(SELECT …)`.
    ArrayQuery {
        /// The subquery.
        query: &'a SelectStmt<'a>,
        /// FORMAT of its column.
        format: JsonFormat,
        /// ABSENT ON NULL, the default.
        absent_on_null: bool,
    },
    /// `JSON_OBJECTAGG(k : v)`.
    ObjectAgg {
        /// The member.
        pair: &'a JsonPair<'a>,
        /// ABSENT ON NULL.
        absent_on_null: bool,
        /// WITH UNIQUE KEYS.
        unique: bool,
        /// FILTER, OVER.
        call: JsonAggregate<'a>,
    },
    /// `JSON_ARRAYAGG(v)`.
    ArrayAgg {
        /// The element.
        value: &'a JsonValue<'a>,
        /// ABSENT ON NULL, the default.
        absent_on_null: bool,
        /// ORDER BY, FILTER, OVER.
        call: JsonAggregate<'a>,
    },
    /// `JSON(v)`.
    Parse {
        /// The text.
        value: &'a JsonValue<'a>,
        /// WITH UNIQUE KEYS.
        unique: bool,
    },
    /// `JSON_SCALAR(v)`.
    Scalar {
        /// The value.
        value: &'a Expression<'a>,
    },
    /// `JSON_SERIALIZE(v)`.
    Serialize {
        /// The value.
        value: &'a JsonValue<'a>,
    },
    /// `v IS JSON`.
    Is {
        /// The value and its FORMAT.
        value: &'a JsonValue<'a>,
        /// What it has to be.
        item: JsonItem,
        /// WITH UNIQUE KEYS.
        unique: bool,
    },
    /// JSON_EXISTS, JSON_QUERY, JSON_VALUE.
    Function(&'a JsonFunction<'a>),
    /// A value with its FORMAT alone; the grammar makes none.
    Value(&'a JsonValue<'a>),
}

/// A value and how it is to be read.
#[derive(Clone, Copy, Debug)]
pub struct JsonValue<'a> {
    /// The value.
    pub value: &'a Expression<'a>,
    /// FORMAT.
    pub format: JsonFormat,
}

/// `k : v`, `k VALUE v`.
#[derive(Clone, Copy, Debug)]
pub struct JsonPair<'a> {
    /// The key.
    pub key: &'a Expression<'a>,
    /// The value.
    pub value: JsonValue<'a>,
}

/// FORMAT JSON [ENCODING e].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonFormat {
    /// FORMAT JSON was written.
    pub json: bool,
    /// ENCODING.
    pub encoding: JsonEncoding,
    /// Where it stands.
    pub location: Location,
}

/// The encodings of FORMAT JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum JsonEncoding {
    #[default]
    Default,
    Utf8,
    Utf16,
    Utf32,
}

/// RETURNING.
#[derive(Clone, Copy, Debug)]
pub struct JsonOutput<'a> {
    /// The type; only a column of JSON_TABLE may have none.
    pub type_name: Option<TypeName<'a>>,
    /// FORMAT.
    pub format: JsonFormat,
}

/// What stands behind JSON_OBJECTAGG and JSON_ARRAYAGG.
#[derive(Clone, Copy, Debug)]
pub struct JsonAggregate<'a> {
    /// ORDER BY.
    pub order: &'a [SortBy<'a>],
    /// FILTER.
    pub filter: Option<&'a Expression<'a>>,
    /// OVER.
    pub over: Option<&'a WindowDef<'a>>,
}

/// What IS JSON asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum JsonItem {
    Value,
    Object,
    Array,
    Scalar,
}

/// A query function, or a column of JSON_TABLE that is one.
#[derive(Clone, Copy, Debug)]
pub struct JsonFunction<'a> {
    /// Which one.
    pub op: JsonOp,
    /// The column of JSON_TABLE, for messages.
    pub column: Option<&'a str>,
    /// The document.
    pub context: JsonValue<'a>,
    /// The path.
    pub path: &'a Expression<'a>,
    /// PASSING.
    pub passing: &'a [JsonArgument<'a>],
    /// ON EMPTY.
    pub on_empty: Option<JsonBehavior<'a>>,
    /// ON ERROR.
    pub on_error: Option<JsonBehavior<'a>>,
    /// WRAPPER.
    pub wrapper: JsonWrapper,
    /// QUOTES.
    pub quotes: JsonQuotes,
}

/// The query functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum JsonOp {
    Exists,
    Query,
    Value,
    Table,
}

/// `v AS name` in PASSING.
#[derive(Clone, Copy, Debug)]
pub struct JsonArgument<'a> {
    /// The value.
    pub value: JsonValue<'a>,
    /// The name.
    pub name: &'a str,
}

/// What ON EMPTY and ON ERROR want.
#[derive(Clone, Copy, Debug)]
pub struct JsonBehavior<'a> {
    /// Which one.
    pub kind: JsonBehaviorKind,
    /// The value of DEFAULT.
    pub value: Option<&'a Expression<'a>>,
    /// Where it stands.
    pub location: Location,
}

/// The behaviors of ON EMPTY and ON ERROR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum JsonBehaviorKind {
    Null,
    Error,
    Empty,
    True,
    False,
    Unknown,
    EmptyArray,
    EmptyObject,
    Default,
}

/// WRAPPER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum JsonWrapper {
    Unspecified,
    Without,
    Conditional,
    Unconditional,
}

/// QUOTES.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum JsonQuotes {
    Unspecified,
    Keep,
    Omit,
}

/// JSON_TABLE.
#[derive(Clone, Copy, Debug)]
pub struct JsonTable<'a> {
    /// The document.
    pub context: JsonValue<'a>,
    /// The path of the rows.
    pub path: JsonPath<'a>,
    /// PASSING.
    pub passing: &'a [JsonArgument<'a>],
    /// COLUMNS.
    pub columns: &'a [JsonColumn<'a>],
    /// ON ERROR.
    pub on_error: Option<JsonBehavior<'a>>,
    /// AS.
    pub alias: Option<Alias<'a>>,
    /// LATERAL.
    pub lateral: bool,
    /// Where it stands.
    pub location: Location,
}

/// A path of JSON_TABLE.
#[derive(Clone, Copy, Debug)]
pub struct JsonPath<'a> {
    /// The path, a literal.
    pub path: &'a Expression<'a>,
    /// AS.
    pub name: Option<&'a str>,
    /// Where the name stands.
    pub name_location: Location,
}

/// A column of JSON_TABLE.
#[derive(Clone, Copy, Debug)]
pub struct JsonColumn<'a> {
    /// Which kind.
    pub kind: JsonColumnKind,
    /// The name; none for NESTED.
    pub name: Option<&'a str>,
    /// The type.
    pub type_name: Option<TypeName<'a>>,
    /// PATH.
    pub path: Option<JsonPath<'a>>,
    /// FORMAT.
    pub format: JsonFormat,
    /// WRAPPER.
    pub wrapper: JsonWrapper,
    /// QUOTES.
    pub quotes: JsonQuotes,
    /// The columns of NESTED.
    pub columns: &'a [JsonColumn<'a>],
    /// ON EMPTY.
    pub on_empty: Option<JsonBehavior<'a>>,
    /// ON ERROR.
    pub on_error: Option<JsonBehavior<'a>>,
    /// Where it stands.
    pub location: Location,
}

/// The kinds of columns of JSON_TABLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonColumnKind {
    /// FOR ORDINALITY.
    Ordinality,
    /// A type and perhaps a path.
    Regular,
    /// EXISTS.
    Exists,
    /// FORMAT JSON.
    Formatted,
    /// NESTED.
    Nested,
}

impl<'a> JsonKind<'a> {
    /// Calls `f` for each expression in it; the subquery of JSON_ARRAY is left out.
    pub fn parts(&self, f: &mut dyn FnMut(&'a Expression<'a>)) {
        match *self {
            JsonKind::Object { pairs, .. } => {
                for pair in pairs {
                    f(pair.key);
                    f(pair.value.value);
                }
            }
            JsonKind::Array { elements, .. } => {
                elements.iter().for_each(|element| f(element.value));
            }
            JsonKind::ArrayQuery { .. } => {}
            JsonKind::ObjectAgg { pair, call, .. } => {
                f(pair.key);
                f(pair.value.value);
                call.parts(f);
            }
            JsonKind::ArrayAgg { value, call, .. } => {
                f(value.value);
                call.parts(f);
            }
            JsonKind::Parse { value, .. }
            | JsonKind::Serialize { value }
            | JsonKind::Value(value)
            | JsonKind::Is { value, .. } => f(value.value),
            JsonKind::Scalar { value } => f(value),
            JsonKind::Function(function) => {
                f(function.context.value);
                f(function.path);
                function.passing.iter().for_each(|argument| f(argument.value.value));
                for behavior in [function.on_empty, function.on_error].into_iter().flatten() {
                    behavior.value.into_iter().for_each(&mut *f);
                }
            }
        }
    }
}

impl<'a> JsonAggregate<'a> {
    fn parts(&self, f: &mut dyn FnMut(&'a Expression<'a>)) {
        self.order.iter().for_each(|sort| f(&sort.value));
        self.filter.into_iter().for_each(&mut *f);
        if let Some(window) = self.over {
            window.partition.iter().for_each(&mut *f);
            window.order.iter().for_each(|sort| f(&sort.value));
        }
    }
}

impl<'a> JsonTable<'a> {
    /// Calls `f` for each expression in it.
    pub fn parts(&self, f: &mut dyn FnMut(&'a Expression<'a>)) {
        f(self.context.value);
        self.passing.iter().for_each(|argument| f(argument.value.value));
        columns_parts(self.columns, f);
    }
}

fn columns_parts<'a>(columns: &'a [JsonColumn<'a>], f: &mut dyn FnMut(&'a Expression<'a>)) {
    for column in columns {
        for behavior in [column.on_empty, column.on_error].into_iter().flatten() {
            behavior.value.into_iter().for_each(&mut *f);
        }
        columns_parts(column.columns, f);
    }
}
