//! Whether two bound expressions mean the same.

use analyze::tree::{Expr, ExprKind, SubLinkKind};

fn all(a: &[Expr<'_>], b: &[Expr<'_>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn option(a: Option<&Expr<'_>>, b: Option<&Expr<'_>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Whether two expressions of one query level have the same value in every row. Expressions that
/// it does not know are different.
pub(crate) fn same(a: &Expr<'_>, b: &Expr<'_>) -> bool {
    use ExprKind as K;
    if std::ptr::addr_eq(a, b) {
        return true;
    }
    if a.ty != b.ty {
        return false;
    }
    match (&a.kind, &b.kind) {
        (K::Const(a), K::Const(b)) => a.is_identical(b),
        (K::Column(a), K::Column(b)) => a == b,
        (K::Param(a), K::Param(b)) => a == b,
        (
            K::Function { function: f, args: a, variadic: v, .. },
            K::Function { function: g, args: b, variadic: w, .. },
        ) => f == g && v == w && all(a, b),
        (K::Operator { operator: f, args: a, .. }, K::Operator { operator: g, args: b, .. }) => {
            f == g && all(a, b)
        }
        (
            K::ScalarArray { operator: f, any: i, left: a, right: x, .. },
            K::ScalarArray { operator: g, any: j, left: b, right: y, .. },
        ) => f == g && i == j && same(a, b) && same(x, y),
        (
            K::Distinct { operator: f, args: a, negated: i, .. },
            K::Distinct { operator: g, args: b, negated: j, .. },
        ) => f == g && i == j && all(&a[..], &b[..]),
        (K::NullIf { operator: f, args: a, .. }, K::NullIf { operator: g, args: b, .. }) => {
            f == g && all(&a[..], &b[..])
        }
        (K::And(a), K::And(b)) | (K::Or(a), K::Or(b)) | (K::Coalesce(a), K::Coalesce(b)) => {
            all(a, b)
        }
        (K::Not(a), K::Not(b)) | (K::Collate(a), K::Collate(b)) => same(a, b),
        (K::IsNull { arg: a, negated: i, .. }, K::IsNull { arg: b, negated: j, .. }) => {
            i == j && same(a, b)
        }
        (K::Boolean { arg: a, test: i }, K::Boolean { arg: b, test: j }) => i == j && same(a, b),
        (
            K::Case { operand: o, arms: a, otherwise: x },
            K::Case { operand: p, arms: b, otherwise: y },
        ) => {
            option(*o, *p)
                && option(*x, *y)
                && a.len() == b.len()
                && a.iter().zip(*b).all(|(a, b)| same(&a.when, &b.when) && same(&a.then, &b.then))
        }
        (K::CaseOperand, K::CaseOperand) => true,
        (K::MinMax { greatest: i, args: a }, K::MinMax { greatest: j, args: b }) => {
            i == j && all(a, b)
        }
        (K::Row { fields: a, .. }, K::Row { fields: b, .. })
        | (K::Array { elements: a, .. }, K::Array { elements: b, .. }) => all(a, b),
        (K::Field { arg: a, field: i }, K::Field { arg: b, field: j }) => i == j && same(a, b),
        (K::Relabel { arg: a, .. }, K::Relabel { arg: b, .. })
        | (K::ViaText { arg: a, .. }, K::ViaText { arg: b, .. })
        | (K::Domain { arg: a, .. }, K::Domain { arg: b, .. }) => same(a, b),
        (K::ArrayCast { arg: a, element: x, .. }, K::ArrayCast { arg: b, element: y, .. }) => {
            same(a, b) && same(x, y)
        }
        (K::SqlValue(a), K::SqlValue(b)) => a == b,
        (K::Json(a), K::Json(b)) => {
            crate::json::same_kind(&a.kind, &b.kind)
                && all(a.args, b.args)
                && option(a.cast, b.cast)
        }
        (K::Aggregate(a), K::Aggregate(b)) => {
            a.function == b.function
                && a.star == b.star
                && a.levels_up == b.levels_up
                && a.distinct == b.distinct
                && a.order_by == b.order_by
                && all(a.args, b.args)
                && all(a.direct_args, b.direct_args)
                && option(a.filter, b.filter)
        }
        (K::SubLink(a), K::SubLink(b)) => {
            std::ptr::eq(a.query, b.query)
                && matches!(
                    (&a.kind, &b.kind),
                    (SubLinkKind::Scalar, SubLinkKind::Scalar)
                        | (SubLinkKind::Exists, SubLinkKind::Exists)
                        | (SubLinkKind::Row, SubLinkKind::Row)
                )
        }
        _ => false,
    }
}
