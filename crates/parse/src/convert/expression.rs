//! Expressions.

use super::{Converter, map_enum, unexpected};
use crate::location::Location;
use crate::raw::untyped;
use crate::tree::*;
use base::Result;
use base::stack::check_stack_depth;
use pg_raw_parse::list::NodeList;
use pg_raw_parse::nodes::A_Expr_Kind as Kind;
use pg_raw_parse::{ConstValue, Node, nodes};

impl<'a> Converter<'a> {
    pub(super) fn expression_ref(&self, node: Node<'_>) -> Result<&'a Expression<'a>> {
        self.alloc(self.expression(node)?)
    }

    pub(super) fn opt_expression(&self, node: Node<'_>) -> Result<Option<&'a Expression<'a>>> {
        if matches!(node, Node::None) { Ok(None) } else { self.expression_ref(node).map(Some) }
    }

    pub(super) fn expressions(&self, list: &NodeList) -> Result<&'a [Expression<'a>]> {
        self.list(list, |node| self.expression(node))
    }

    /// A list where one is expected, whatever the raw node is.
    fn expression_list(&self, node: Node<'_>) -> Result<&'a [Expression<'a>]> {
        match node {
            Node::NodeList(list) => self.expressions(list),
            Node::None => Ok(&[]),
            _ => Err(unexpected("an expression for a list")),
        }
    }

    pub(super) fn expression(&self, node: Node<'_>) -> Result<Expression<'a>> {
        check_stack_depth()?;
        match node {
            Node::ColumnRef(raw) => self.column_ref(raw),
            Node::A_Const(raw) => self.constant(raw),
            Node::A_Expr(raw) => self.operation(raw),
            Node::BoolExpr(raw) => self.boolean(raw),
            Node::FuncCall(raw) => Ok(Expression::FuncCall(self.func_call(raw)?)),
            Node::SubLink(raw) => self.sub_link(raw),
            Node::CaseExpr(raw) => self.case(raw),
            Node::A_Indirection(raw) => Ok(Expression::Indirection {
                arg: self.expression_ref(raw.arg())?,
                steps: self.indirection(raw.indirection())?,
            }),
            Node::TypeCast(raw) => Ok(Expression::TypeCast {
                arg: self.expression_ref(raw.arg())?,
                type_name: self.alloc(self.need_type_name(raw.type_name())?)?,
                location: Location::from_raw(raw.location),
            }),
            Node::ParamRef(raw) => Ok(Expression::ParamRef {
                number: raw.number,
                location: Location::from_raw(raw.location),
            }),
            other => self.special(other),
        }
    }

    /// The expressions that have syntax of their own.
    fn special(&self, node: Node<'_>) -> Result<Expression<'a>> {
        let at = Location::from_raw;
        Ok(match node {
            Node::CollateClause(raw) => Expression::Collate {
                arg: self.expression_ref(raw.arg())?,
                collation: self.names(raw.collname())?,
                location: at(raw.location),
            },
            Node::A_ArrayExpr(raw) => Expression::Array {
                elements: self.expressions(raw.elements())?,
                location: at(raw.location),
            },
            Node::RowExpr(raw) => Expression::Row {
                args: self.expressions(raw.args())?,
                explicit: raw.row_format == nodes::CoercionForm::COERCE_EXPLICIT_CALL,
                location: at(raw.location),
            },
            Node::CoalesceExpr(raw) => Expression::Coalesce {
                args: self.expressions(raw.args())?,
                location: at(raw.location),
            },
            Node::MinMaxExpr(raw) => Expression::MinMax {
                greatest: raw.op == nodes::MinMaxOp::IS_GREATEST,
                args: self.expressions(raw.args())?,
                location: at(raw.location),
            },
            Node::SQLValueFunction(raw) => self.value_function(raw)?,
            Node::NullTest(raw) => Expression::NullTest {
                arg: self.expression_ref(raw.arg())?,
                negated: raw.nulltesttype == nodes::NullTestType::IS_NOT_NULL,
                location: at(raw.location),
            },
            Node::BooleanTest(raw) => Expression::BooleanTest {
                arg: self.expression_ref(raw.arg())?,
                test: map_enum!(raw.booltesttype, BoolTestType {
                    IS_TRUE => BooleanTest::IsTrue,
                    IS_NOT_TRUE => BooleanTest::IsNotTrue,
                    IS_FALSE => BooleanTest::IsFalse,
                    IS_NOT_FALSE => BooleanTest::IsNotFalse,
                    IS_UNKNOWN => BooleanTest::IsUnknown,
                    IS_NOT_UNKNOWN => BooleanTest::IsNotUnknown,
                }),
                location: at(raw.location),
            },
            Node::NamedArgExpr(raw) => Expression::NamedArg {
                name: self.need(raw.name())?,
                arg: self.expression_ref(raw.arg())?,
                location: at(raw.location),
            },
            Node::GroupingFunc(raw) => Expression::Grouping {
                args: self.expressions(raw.args())?,
                location: at(raw.location),
            },
            Node::MergeSupportFunc(raw) => Expression::MergeAction { location: at(raw.location) },
            Node::SetToDefault(raw) => Expression::Default { location: at(raw.location) },
            Node::CurrentOfExpr(raw) => {
                Expression::CurrentOf { cursor: self.need(raw.cursor_name())? }
            }
            other => match self.json(other)? {
                Some(json) => json,
                None => unsupported_expression(other)?,
            },
        })
    }

    fn column_ref(&self, raw: &nodes::ColumnRef) -> Result<Expression<'a>> {
        let fields = self.list(raw.fields(), |node| match node {
            Node::String(name) => Ok(Field::Name(self.need(name.sval())?)),
            Node::A_Star(_) => Ok(Field::Star),
            _ => Err(unexpected("a field")),
        })?;
        Ok(Expression::ColumnRef { fields, location: Location::from_raw(raw.location) })
    }

    fn constant(&self, raw: &nodes::A_Const) -> Result<Expression<'a>> {
        let value = match raw.val() {
            None => Constant::Null,
            Some(ConstValue::Integer(value)) => Constant::Integer(value),
            Some(ConstValue::Float(text)) => Constant::Float(self.text(text)?),
            Some(ConstValue::Boolean(value)) => Constant::Boolean(value),
            Some(ConstValue::String(text)) => Constant::String(self.text(text)?),
            Some(ConstValue::BitString(text)) => Constant::BitString(self.text(text)?),
            Some(_) => return Err(unexpected("a constant")),
        };
        Ok(Expression::Const { value, location: Location::from_raw(raw.location) })
    }

    fn boolean(&self, raw: &nodes::BoolExpr) -> Result<Expression<'a>> {
        let location = Location::from_raw(raw.location);
        let args = self.expressions(raw.args())?;
        Ok(map_enum!(raw.boolop, BoolExprType {
            AND_EXPR => Expression::And { args, location },
            OR_EXPR => Expression::Or { args, location },
            NOT_EXPR => match args {
                [arg] => Expression::Not { arg, location },
                _ => return Err(unexpected("NOT")),
            },
        }))
    }

    /// A chain of binary operators that leans to the left, as `a + b + c`, is walked down once.
    fn operation(&self, raw: &nodes::A_Expr) -> Result<Expression<'a>> {
        if raw.kind != Kind::AEXPR_OP {
            return self.other_operation(raw);
        }
        let mut chain = vec![raw];
        let mut left = raw.lexpr();
        while let Node::A_Expr(inner) = left
            && inner.kind == Kind::AEXPR_OP
        {
            chain.push(inner);
            left = inner.lexpr();
        }
        let mut left = self.opt_expression(left)?;
        loop {
            let Some(raw) = chain.pop() else { return Err(unexpected("an operator")) };
            let expression = Expression::Operator {
                name: self.names(raw.name())?,
                left,
                right: self.expression_ref(raw.rexpr())?,
                location: Location::from_raw(raw.location),
            };
            if chain.is_empty() {
                return Ok(expression);
            }
            left = Some(self.alloc(expression)?);
        }
    }

    fn other_operation(&self, raw: &nodes::A_Expr) -> Result<Expression<'a>> {
        let location = Location::from_raw(raw.location);
        let left = self.expression_ref(raw.lexpr())?;
        let name = self.names(raw.name())?;
        Ok(match raw.kind {
            Kind::AEXPR_IN => Expression::In {
                negated: name == ["<>"],
                left,
                list: self.expression_list(raw.rexpr())?,
                location,
            },
            Kind::AEXPR_BETWEEN
            | Kind::AEXPR_NOT_BETWEEN
            | Kind::AEXPR_BETWEEN_SYM
            | Kind::AEXPR_NOT_BETWEEN_SYM => {
                let [low, high] = self.expression_list(raw.rexpr())? else {
                    return Err(unexpected("BETWEEN"));
                };
                Expression::Between {
                    negated: matches!(
                        raw.kind,
                        Kind::AEXPR_NOT_BETWEEN | Kind::AEXPR_NOT_BETWEEN_SYM
                    ),
                    symmetric: matches!(
                        raw.kind,
                        Kind::AEXPR_BETWEEN_SYM | Kind::AEXPR_NOT_BETWEEN_SYM
                    ),
                    left,
                    low,
                    high,
                    location,
                }
            }
            _ => self.pair_operation(raw.kind, name, left, raw.rexpr(), location)?,
        })
    }

    fn pair_operation(
        &self,
        kind: Kind::Type,
        name: Name<'a>,
        left: &'a Expression<'a>,
        right: Node<'_>,
        location: Location,
    ) -> Result<Expression<'a>> {
        let right = self.expression_ref(right)?;
        let like = |kind| Expression::Like { kind, name, left, right, location };
        Ok(map_enum!(kind, A_Expr_Kind {
            AEXPR_OP_ANY => Expression::OperatorAny { name, all: false, left, right, location },
            AEXPR_OP_ALL => Expression::OperatorAny { name, all: true, left, right, location },
            AEXPR_DISTINCT => Expression::Distinct { negated: false, left, right, location },
            AEXPR_NOT_DISTINCT => Expression::Distinct { negated: true, left, right, location },
            AEXPR_NULLIF => Expression::NullIf { left, right, location },
            AEXPR_LIKE => like(LikeKind::Like),
            AEXPR_ILIKE => like(LikeKind::ILike),
            AEXPR_SIMILAR => like(LikeKind::Similar),
        }))
    }

    pub(super) fn func_call(&self, raw: &nodes::FuncCall) -> Result<&'a FuncCall<'a>> {
        self.alloc(FuncCall {
            name: self.names(raw.funcname())?,
            args: self.expressions(raw.args())?,
            order: self.sort_list(untyped(raw.agg_order()))?,
            filter: self.opt_expression(raw.agg_filter())?,
            over: match raw.over() {
                Some(window) => Some(self.alloc(self.window(window)?)?),
                None => None,
            },
            within_group: raw.agg_within_group,
            star: raw.agg_star,
            distinct: raw.agg_distinct,
            variadic: raw.func_variadic,
            sql_syntax: raw.funcformat == nodes::CoercionForm::COERCE_SQL_SYNTAX,
            location: Location::from_raw(raw.location),
        })
    }

    pub(super) fn indirection(&self, list: &NodeList) -> Result<&'a [Indirection<'a>]> {
        self.list(list, |node| {
            Ok(match node {
                Node::String(name) => Indirection::Field(self.need(name.sval())?),
                Node::A_Star(_) => Indirection::Star,
                Node::A_Indices(raw) if raw.is_slice => Indirection::Slice(
                    self.opt_expression(raw.lidx())?,
                    self.opt_expression(raw.uidx())?,
                ),
                Node::A_Indices(raw) => Indirection::Index(self.expression_ref(raw.uidx())?),
                _ => return Err(unexpected("an indirection")),
            })
        })
    }

    fn sub_link(&self, raw: &nodes::SubLink) -> Result<Expression<'a>> {
        let kind = map_enum!(raw.sub_link_type, SubLinkType {
            EXISTS_SUBLINK => SubLinkKind::Exists,
            ALL_SUBLINK => SubLinkKind::All,
            ANY_SUBLINK => SubLinkKind::Any,
            EXPR_SUBLINK => SubLinkKind::Scalar,
            ARRAY_SUBLINK => SubLinkKind::Array,
        });
        let link = self.alloc(SubLink {
            kind,
            test: self.opt_expression(raw.testexpr())?,
            operator: self.names(raw.oper_name())?,
            query: self.select_node(raw.subselect())?,
            location: Location::from_raw(raw.location),
        })?;
        Ok(Expression::SubLink(link))
    }

    fn case(&self, raw: &nodes::CaseExpr) -> Result<Expression<'a>> {
        Ok(Expression::Case {
            arg: self.opt_expression(raw.arg())?,
            whens: self.list(raw.args(), |node| match node {
                Node::CaseWhen(when) => Ok(CaseWhen {
                    condition: self.expression_ref(when.expr())?,
                    result: self.expression_ref(when.result())?,
                    location: Location::from_raw(when.location),
                }),
                _ => Err(unexpected("CaseWhen")),
            })?,
            default: self.opt_expression(raw.defresult())?,
            location: Location::from_raw(raw.location),
        })
    }

    fn value_function(&self, raw: &nodes::SQLValueFunction) -> Result<Expression<'a>> {
        use SqlValueFunction as F;
        let function = map_enum!(raw.op, SQLValueFunctionOp {
            SVFOP_CURRENT_DATE => F::CurrentDate,
            SVFOP_CURRENT_TIME => F::CurrentTime,
            SVFOP_CURRENT_TIME_N => F::CurrentTime,
            SVFOP_CURRENT_TIMESTAMP => F::CurrentTimestamp,
            SVFOP_CURRENT_TIMESTAMP_N => F::CurrentTimestamp,
            SVFOP_LOCALTIME => F::LocalTime,
            SVFOP_LOCALTIME_N => F::LocalTime,
            SVFOP_LOCALTIMESTAMP => F::LocalTimestamp,
            SVFOP_LOCALTIMESTAMP_N => F::LocalTimestamp,
            SVFOP_CURRENT_ROLE => F::CurrentRole,
            SVFOP_CURRENT_USER => F::CurrentUser,
            SVFOP_USER => F::User,
            SVFOP_SESSION_USER => F::SessionUser,
            SVFOP_CURRENT_CATALOG => F::CurrentCatalog,
            SVFOP_CURRENT_SCHEMA => F::CurrentSchema,
        });
        Ok(Expression::SqlValueFunction {
            function,
            typmod: raw.typmod,
            location: Location::from_raw(raw.location),
        })
    }
}

/// Names the XML expressions, which have no node of their own.
fn unsupported_expression<'a>(node: Node<'_>) -> Result<Expression<'a>> {
    let (what, location) = match node {
        Node::XmlExpr(raw) => ("XML expressions", raw.location),
        Node::XmlSerialize(raw) => ("XMLSERIALIZE", raw.location),
        _ => return Err(unexpected("an expression")),
    };
    Ok(Expression::Other { what, location: Location::from_raw(location) })
}
