//! SQL/JSON.

use super::{Converter, map_enum, unexpected};
use crate::location::Location;
use crate::raw::untyped;
use crate::tree::*;
use base::Result;
use base::stack::check_stack_depth;
use pg_raw_parse::list::NodeList;
use pg_raw_parse::{Node, nodes};

impl<'a> Converter<'a> {
    /// An expression of SQL/JSON; none if it is another node.
    pub(super) fn json(&self, node: Node<'_>) -> Result<Option<Expression<'a>>> {
        let (kind, output, location) = match node {
            Node::JsonObjectConstructor(raw) => (
                JsonKind::Object {
                    pairs: self.list(untyped(raw.exprs()), |node| match node {
                        Node::JsonKeyValue(pair) => self.json_pair(pair),
                        _ => Err(unexpected("JsonKeyValue")),
                    })?,
                    absent_on_null: raw.absent_on_null,
                    unique: raw.unique,
                },
                raw.output(),
                raw.location,
            ),
            Node::JsonArrayConstructor(raw) => (
                JsonKind::Array {
                    elements: self.list(untyped(raw.exprs()), |node| match node {
                        Node::JsonValueExpr(value) => self.json_value(Some(value)),
                        _ => Err(unexpected("JsonValueExpr")),
                    })?,
                    absent_on_null: raw.absent_on_null,
                },
                raw.output(),
                raw.location,
            ),
            Node::JsonArrayQueryConstructor(raw) => (
                JsonKind::ArrayQuery {
                    query: self.select_node(raw.query())?,
                    format: json_format(raw.format())?,
                    absent_on_null: raw.absent_on_null,
                },
                raw.output(),
                raw.location,
            ),
            Node::JsonObjectAgg(raw) => {
                let call = raw.constructor().ok_or_else(|| unexpected("JsonAggConstructor"))?;
                let pair = raw.arg().ok_or_else(|| unexpected("JsonKeyValue"))?;
                let kind = JsonKind::ObjectAgg {
                    pair: self.alloc(self.json_pair(pair)?)?,
                    absent_on_null: raw.absent_on_null,
                    unique: raw.unique,
                    call: self.json_aggregate(call)?,
                };
                (kind, call.output(), call.location)
            }
            Node::JsonArrayAgg(raw) => {
                let call = raw.constructor().ok_or_else(|| unexpected("JsonAggConstructor"))?;
                let kind = JsonKind::ArrayAgg {
                    value: self.json_value_ref(raw.arg())?,
                    absent_on_null: raw.absent_on_null,
                    call: self.json_aggregate(call)?,
                };
                (kind, call.output(), call.location)
            }
            Node::JsonParseExpr(raw) => {
                let value = self.json_value_ref(raw.expr())?;
                (JsonKind::Parse { value, unique: raw.unique_keys }, raw.output(), raw.location)
            }
            Node::JsonScalarExpr(raw) => {
                let value = self.expression_ref(raw.expr())?;
                (JsonKind::Scalar { value }, raw.output(), raw.location)
            }
            Node::JsonSerializeExpr(raw) => {
                let value = self.json_value_ref(raw.expr())?;
                (JsonKind::Serialize { value }, raw.output(), raw.location)
            }
            Node::JsonIsPredicate(raw) => (self.json_is(raw)?, None, raw.location),
            Node::JsonFuncExpr(raw) => {
                (JsonKind::Function(self.json_function(raw)?), raw.output(), raw.location)
            }
            _ => return Ok(None),
        };
        let output = output.map(|output| self.json_output(output)).transpose()?;
        let json = JsonExpression { kind, output, location: Location::from_raw(location) };
        Ok(Some(Expression::Json(self.alloc(json)?)))
    }

    fn json_value(&self, raw: Option<&nodes::JsonValueExpr>) -> Result<JsonValue<'a>> {
        let raw = raw.ok_or_else(|| unexpected("JsonValueExpr"))?;
        Ok(JsonValue {
            value: self.expression_ref(raw.raw_expr())?,
            format: json_format(raw.format())?,
        })
    }

    fn json_value_ref(&self, raw: Option<&nodes::JsonValueExpr>) -> Result<&'a JsonValue<'a>> {
        self.alloc(self.json_value(raw)?)
    }

    fn json_pair(&self, raw: &nodes::JsonKeyValue) -> Result<JsonPair<'a>> {
        Ok(JsonPair { key: self.expression_ref(raw.key())?, value: self.json_value(raw.value())? })
    }

    fn json_is(&self, raw: &nodes::JsonIsPredicate) -> Result<JsonKind<'a>> {
        Ok(JsonKind::Is {
            value: self.alloc(JsonValue {
                value: self.expression_ref(raw.expr())?,
                format: json_format(raw.format())?,
            })?,
            item: map_enum!(raw.item_type, JsonValueType {
                JS_TYPE_ANY => JsonItem::Value,
                JS_TYPE_OBJECT => JsonItem::Object,
                JS_TYPE_ARRAY => JsonItem::Array,
                JS_TYPE_SCALAR => JsonItem::Scalar,
            }),
            unique: raw.unique_keys,
        })
    }

    fn json_output(&self, raw: &nodes::JsonOutput) -> Result<JsonOutput<'a>> {
        Ok(JsonOutput {
            type_name: raw.type_name().map(|name| self.type_name(name)).transpose()?,
            format: json_format(raw.returning().and_then(|returning| returning.format()))?,
        })
    }

    fn json_aggregate(&self, raw: &nodes::JsonAggConstructor) -> Result<JsonAggregate<'a>> {
        Ok(JsonAggregate {
            order: self.sort_list(raw.agg_order())?,
            filter: self.opt_expression(raw.agg_filter())?,
            over: match raw.over() {
                Some(window) => Some(self.alloc(self.window(window)?)?),
                None => None,
            },
        })
    }

    fn json_function(&self, raw: &nodes::JsonFuncExpr) -> Result<&'a JsonFunction<'a>> {
        self.alloc(JsonFunction {
            op: map_enum!(raw.op, JsonExprOp {
                JSON_EXISTS_OP => JsonOp::Exists,
                JSON_QUERY_OP => JsonOp::Query,
                JSON_VALUE_OP => JsonOp::Value,
            }),
            column: self.opt_text(raw.column_name())?,
            context: self.json_value(raw.context_item())?,
            path: self.expression_ref(raw.pathspec())?,
            passing: self.json_passing(raw.passing())?,
            on_empty: self.json_behavior(raw.on_empty())?,
            on_error: self.json_behavior(raw.on_error())?,
            wrapper: json_wrapper(raw.wrapper)?,
            quotes: json_quotes(raw.quotes)?,
        })
    }

    fn json_passing(&self, list: &NodeList) -> Result<&'a [JsonArgument<'a>]> {
        self.list(list, |node| match node {
            Node::JsonArgument(raw) => Ok(JsonArgument {
                value: self.json_value(raw.val())?,
                name: self.need(raw.name())?,
            }),
            _ => Err(unexpected("JsonArgument")),
        })
    }

    fn json_behavior(&self, raw: Option<&nodes::JsonBehavior>) -> Result<Option<JsonBehavior<'a>>> {
        let Some(raw) = raw else { return Ok(None) };
        use JsonBehaviorKind as K;
        Ok(Some(JsonBehavior {
            kind: map_enum!(raw.btype, JsonBehaviorType {
                JSON_BEHAVIOR_NULL => K::Null,
                JSON_BEHAVIOR_ERROR => K::Error,
                JSON_BEHAVIOR_EMPTY => K::Empty,
                JSON_BEHAVIOR_TRUE => K::True,
                JSON_BEHAVIOR_FALSE => K::False,
                JSON_BEHAVIOR_UNKNOWN => K::Unknown,
                JSON_BEHAVIOR_EMPTY_ARRAY => K::EmptyArray,
                JSON_BEHAVIOR_EMPTY_OBJECT => K::EmptyObject,
                JSON_BEHAVIOR_DEFAULT => K::Default,
            }),
            value: self.opt_expression(raw.expr())?,
            location: Location::from_raw(raw.location),
        }))
    }

    pub(super) fn json_table(&self, raw: &nodes::JsonTable) -> Result<&'a JsonTable<'a>> {
        let path = raw.pathspec().ok_or_else(|| unexpected("JsonTablePathSpec"))?;
        self.alloc(JsonTable {
            context: self.json_value(raw.context_item())?,
            path: self.json_path(path)?,
            passing: self.json_passing(raw.passing())?,
            columns: self.json_columns(untyped(raw.columns()))?,
            on_error: self.json_behavior(raw.on_error())?,
            alias: self.alias(raw.alias())?,
            lateral: raw.lateral,
            location: Location::from_raw(raw.location),
        })
    }

    fn json_path(&self, raw: &nodes::JsonTablePathSpec) -> Result<JsonPath<'a>> {
        Ok(JsonPath {
            path: self.expression_ref(raw.string())?,
            name: self.opt_text(raw.name())?,
            name_location: Location::from_raw(raw.name_location),
        })
    }

    fn json_columns(&self, list: &NodeList) -> Result<&'a [JsonColumn<'a>]> {
        check_stack_depth()?;
        self.list(list, |node| {
            let Node::JsonTableColumn(raw) = node else {
                return Err(unexpected("JsonTableColumn"));
            };
            Ok(JsonColumn {
                kind: map_enum!(raw.coltype, JsonTableColumnType {
                    JTC_FOR_ORDINALITY => JsonColumnKind::Ordinality,
                    JTC_REGULAR => JsonColumnKind::Regular,
                    JTC_EXISTS => JsonColumnKind::Exists,
                    JTC_FORMATTED => JsonColumnKind::Formatted,
                    JTC_NESTED => JsonColumnKind::Nested,
                }),
                name: self.opt_text(raw.name())?,
                type_name: raw.type_name().map(|name| self.type_name(name)).transpose()?,
                path: raw.pathspec().map(|path| self.json_path(path)).transpose()?,
                format: json_format(raw.format())?,
                wrapper: json_wrapper(raw.wrapper)?,
                quotes: json_quotes(raw.quotes)?,
                columns: self.json_columns(raw.columns())?,
                on_empty: self.json_behavior(raw.on_empty())?,
                on_error: self.json_behavior(raw.on_error())?,
                location: Location::from_raw(raw.location),
            })
        })
    }
}

fn json_format(raw: Option<&nodes::JsonFormat>) -> Result<JsonFormat> {
    let Some(raw) = raw else {
        let encoding = JsonEncoding::Default;
        return Ok(JsonFormat { json: false, encoding, location: Location::NONE });
    };
    Ok(JsonFormat {
        json: map_enum!(raw.format_type, JsonFormatType {
            JS_FORMAT_DEFAULT => false,
            JS_FORMAT_JSON => true,
        }),
        encoding: map_enum!(raw.encoding, JsonEncoding {
            JS_ENC_DEFAULT => JsonEncoding::Default,
            JS_ENC_UTF8 => JsonEncoding::Utf8,
            JS_ENC_UTF16 => JsonEncoding::Utf16,
            JS_ENC_UTF32 => JsonEncoding::Utf32,
        }),
        location: Location::from_raw(raw.location),
    })
}

fn json_wrapper(raw: nodes::JsonWrapper::Type) -> Result<JsonWrapper> {
    Ok(map_enum!(raw, JsonWrapper {
        JSW_UNSPEC => JsonWrapper::Unspecified,
        JSW_NONE => JsonWrapper::Without,
        JSW_CONDITIONAL => JsonWrapper::Conditional,
        JSW_UNCONDITIONAL => JsonWrapper::Unconditional,
    }))
}

fn json_quotes(raw: nodes::JsonQuotes::Type) -> Result<JsonQuotes> {
    Ok(map_enum!(raw, JsonQuotes {
        JS_QUOTES_UNSPEC => JsonQuotes::Unspecified,
        JS_QUOTES_KEEP => JsonQuotes::Keep,
        JS_QUOTES_OMIT => JsonQuotes::Omit,
    }))
}
