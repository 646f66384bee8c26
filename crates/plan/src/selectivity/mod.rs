//! Which part of the rows conditions leave, from what ANALYZE found.
//!
//! # How it works
//! A condition about a column is looked up in the column's statistics: a value among the most
//! common ones has its frequency; other values share the rest of the rows evenly; the histogram
//! says which part lies below a value, by linear interpolation between two bounds. Without
//! statistics the constants of PostgreSQL stand in. AND multiplies, but a lower and an upper bound
//! of one value are taken together; OR and NOT follow from AND. Joins by equality compare the most
//! common values of both sides and spread the rest over the larger number of different values.
//!
//! # Rules
//! 1. The estimates are those of PostgreSQL's selectivity functions, so that plans can be compared.
//! 2. Conditions are taken as independent, except range pairs and equalities that cover a unique
//!    key: no row has more than one partner by a key.
//! 3. What statistics hold is read, never a row of the table.
//! 4. Every result is between 0 and 1.
//!
//! # Limits
//! Elements of arrays, ranges and extended statistics have no estimates of their own.
//!
//! # Sources
//! PostgreSQL's manual, chapter "Row Estimation Examples".

mod groups;
mod histogram;
mod join;
mod scalar;
mod variable;

use crate::planner::{Cond, Level, Planner};
use crate::same::same;
use analyze::tree::{BooleanTest, Expr, ExprKind};
use base::Oid;
use types::Datum;
use variable::Variable;

/// What PostgreSQL takes for a comparison that it knows nothing about.
pub(crate) const INEQUALITY: f64 = 1.0 / 3.0;
/// For a range of which it knows nothing.
const RANGE: f64 = 0.005;
/// For an equality that it knows nothing about.
const EQUALITY: f64 = 0.005;
/// For a pattern.
const PATTERN: f64 = 0.005;
/// For IS NULL.
const UNKNOWN: f64 = 0.005;

/// What kind of estimate an operator has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Estimator {
    Equal,
    Unequal,
    /// `<`, `<=`, `>`, `>=`: whether it is "greater" and whether it includes equality.
    Inequality {
        greater: bool,
        equal: bool,
    },
    /// A pattern, and whether it is negated.
    Pattern {
        negated: bool,
    },
    /// A constant.
    Fixed(u16),
}

/// The kind of a `pg_operator.oprrest`; parts of 1,000 for what has no better estimate.
fn estimator(restriction: Oid) -> Estimator {
    let inequality = |greater, equal| Estimator::Inequality { greater, equal };
    match restriction.0 {
        101 => Estimator::Equal,
        102 => Estimator::Unequal,
        103 => inequality(false, false),
        104 => inequality(true, false),
        336 => inequality(false, true),
        337 => inequality(true, true),
        1814 | 1818 | 1819 | 1820 | 1821 | 3437 => Estimator::Pattern { negated: false },
        1815 | 1822..=1825 => Estimator::Pattern { negated: true },
        139 => Estimator::Fixed(5),
        1300 => Estimator::Fixed(100),
        1302 => Estimator::Fixed(1),
        3817 | 3169 => Estimator::Fixed(5),
        0 => Estimator::Fixed(500),
        _ => Estimator::Fixed(10),
    }
}

/// One end of a range of a value.
struct RangeEnd<'q> {
    value: &'q Expr<'q>,
    lower: Option<f64>,
    upper: Option<f64>,
}

impl<'q> Planner<'_, 'q, '_> {
    /// The part of the rows that conditions leave together.
    pub(crate) fn selectivity(&self, level: &Level<'_, 'q>, conds: &[Cond<'_, 'q>]) -> f64 {
        let exprs = conds.iter().map(|cond| cond.expr);
        let own = conds.iter().all(|cond| cond.level.id == level.id);
        if own {
            return self.all_of(level, exprs);
        }
        conds.iter().map(|cond| self.all_of(cond.level, [cond.expr])).product()
    }

    /// The part of the rows in which all of some conditions hold.
    fn all_of(&self, level: &Level<'_, 'q>, exprs: impl IntoIterator<Item = &'q Expr<'q>>) -> f64 {
        let mut product = 1.0;
        let mut ends: Vec<RangeEnd<'q>> = Vec::new();
        for expr in exprs {
            let found = self.clause(level, expr);
            match self.range_end(level, expr) {
                Some((value, is_lower)) => {
                    let place = ends.iter().position(|end| same(end.value, value));
                    let at = place.unwrap_or_else(|| {
                        ends.push(RangeEnd { value, lower: None, upper: None });
                        ends.len() - 1
                    });
                    let end = if is_lower { &mut ends[at].lower } else { &mut ends[at].upper };
                    // Of two bounds on one side the narrower one counts.
                    *end = Some(end.map_or(found, |other: f64| other.min(found)));
                }
                None => product *= found,
            }
        }
        for end in ends {
            product *= match (end.lower, end.upper) {
                (Some(lower), Some(upper)) => self.between(level, end.value, lower, upper),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => 1.0,
            };
        }
        product.clamp(0.0, 1.0)
    }

    fn between(&self, level: &Level<'_, 'q>, value: &'q Expr<'q>, lower: f64, upper: f64) -> f64 {
        let unknown = |part: f64| (part - INEQUALITY).abs() < f64::EPSILON;
        if unknown(lower) && unknown(upper) {
            return RANGE;
        }
        let nulls = match self.variable(level, value) {
            Some(variable) if variable.statistics().is_some() => variable.null_fraction(),
            _ => 0.0,
        };
        let both = upper + lower - 1.0 + nulls;
        match both {
            both if both > 0.0 => both,
            both if both < -0.01 => RANGE,
            _ => 1e-10,
        }
    }

    /// The value that a comparison bounds by a constant, and whether from below.
    fn range_end(&self, level: &Level<'_, 'q>, expr: &'q Expr<'q>) -> Option<(&'q Expr<'q>, bool)> {
        let ExprKind::Operator { operator, args: [a, b], .. } = expr.kind else { return None };
        let row = self.catalog().operator(operator).ok()?;
        let Estimator::Inequality { greater, .. } = estimator(row.restriction) else {
            return None;
        };
        match (self.variable(level, a).is_some(), self.variable(level, b).is_some()) {
            (true, false) => Some((a, greater)),
            (false, true) => Some((b, !greater)),
            _ => None,
        }
    }

    /// The part of the rows in which a condition holds.
    pub(crate) fn clause(&self, level: &Level<'_, 'q>, expr: &'q Expr<'q>) -> f64 {
        self.clause_unclamped(level, expr).clamp(0.0, 1.0)
    }

    fn clause_unclamped(&self, level: &Level<'_, 'q>, expr: &'q Expr<'q>) -> f64 {
        if let Ok(Some(value)) = self.constant_value(expr) {
            return if matches!(value, Datum::Bool(true)) { 1.0 } else { 0.0 };
        }
        match expr.kind {
            ExprKind::Operator { operator, args: [a, b], .. } => {
                self.comparison_part(level, operator, a, b)
            }
            ExprKind::And(args) => self.all_of(level, args),
            ExprKind::Or(args) => args.iter().fold(0.0, |sum, arg| {
                let part = self.clause(level, arg);
                sum + part - sum * part
            }),
            ExprKind::Not(arg) => match self.variable(level, arg) {
                Some(variable) => self.boolean_part(&variable, false),
                None => 1.0 - self.clause(level, arg),
            },
            ExprKind::IsNull { arg, negated, .. } => self.null_part(level, arg, negated),
            ExprKind::Boolean { arg, test } => self.boolean_test(level, arg, test),
            ExprKind::ScalarArray { operator, any, left, right, .. } => {
                self.list_part(level, operator, any, left, right)
            }
            ExprKind::RowCompare {
                operators: [operator, ..],
                left: [a, ..],
                right: [b, ..],
                ..
            } => self.comparison_part(level, *operator, a, b),
            ExprKind::Distinct { operator, args, negated, .. } => {
                let equal = self.comparison_part(level, operator, &args[0], &args[1]);
                if negated { equal } else { 1.0 - equal }
            }
            ExprKind::Function { .. } => INEQUALITY,
            ExprKind::Relabel { arg, .. } => self.clause(level, arg),
            _ => match self.variable(level, expr) {
                Some(variable) => self.boolean_part(&variable, true),
                None => 0.5,
            },
        }
    }

    /// `a op b`
    fn comparison_part(
        &self,
        level: &Level<'_, 'q>,
        operator: Oid,
        a: &'q Expr<'q>,
        b: &'q Expr<'q>,
    ) -> f64 {
        let Ok(row) = self.catalog().operator(operator) else { return 0.5 };
        let (left, right) = (self.variable(level, a), self.variable(level, b));
        let (variable, other, swapped) = match (left, right) {
            (Some(left), None) => (Some(left), b, false),
            (None, Some(right)) => (Some(right), a, true),
            (Some(left), Some(_)) => (Some(left), b, false),
            (None, None) => (None, b, false),
        };
        let constant = self.constant_value(other).ok().flatten();
        let estimator = match (estimator(row.restriction), swapped) {
            (Estimator::Inequality { greater, equal }, true) => {
                Estimator::Inequality { greater: !greater, equal }
            }
            (estimator, _) => estimator,
        };
        if constant.is_some_and(|value| value.is_null()) {
            return 0.0;
        }
        let Some(variable) = variable else {
            return match estimator {
                Estimator::Equal => EQUALITY,
                Estimator::Unequal => 1.0 - EQUALITY,
                Estimator::Inequality { .. } => INEQUALITY,
                Estimator::Pattern { negated: false } => PATTERN,
                Estimator::Pattern { negated: true } => 1.0 - PATTERN,
                Estimator::Fixed(part) => f64::from(part) / 1000.0,
            };
        };
        match estimator {
            Estimator::Equal => self.equal_part(&variable, constant),
            Estimator::Unequal => {
                let equal = self.equal_part(&variable, constant);
                1.0 - equal - variable.null_fraction()
            }
            Estimator::Inequality { greater, equal } => match constant {
                Some(value) => self.inequality_part(&variable, &value, greater, equal),
                None => INEQUALITY,
            },
            Estimator::Pattern { negated } => {
                let part = match constant {
                    Some(value) => self.pattern_part(&variable, (&row.name, row.code), value, b.ty),
                    None => PATTERN,
                };
                if negated { 1.0 - part - variable.null_fraction() } else { part }
            }
            Estimator::Fixed(part) => f64::from(part) / 1000.0,
        }
    }

    fn null_part(&self, level: &Level<'_, 'q>, arg: &'q Expr<'q>, negated: bool) -> f64 {
        let nulls = match self.variable(level, arg) {
            Some(variable) if variable.not_null() => 0.0,
            Some(variable) if variable.statistics().is_some() => variable.null_fraction(),
            _ => UNKNOWN,
        };
        if negated { 1.0 - nulls } else { nulls }
    }

    fn boolean_test(&self, level: &Level<'_, 'q>, arg: &'q Expr<'q>, test: BooleanTest) -> f64 {
        let Some(variable) = self.variable(level, arg) else {
            let is = self.clause(level, arg);
            return match test {
                BooleanTest::IsTrue | BooleanTest::IsNotFalse => is,
                BooleanTest::IsFalse | BooleanTest::IsNotTrue => 1.0 - is,
                BooleanTest::IsUnknown => UNKNOWN,
                BooleanTest::IsNotUnknown => 1.0 - UNKNOWN,
            };
        };
        let known = variable.statistics().is_some();
        let nulls = if known { variable.null_fraction() } else { UNKNOWN };
        match test {
            BooleanTest::IsTrue => self.boolean_part(&variable, true),
            BooleanTest::IsFalse => self.boolean_part(&variable, false),
            BooleanTest::IsNotTrue => 1.0 - self.boolean_part(&variable, true),
            BooleanTest::IsNotFalse => 1.0 - self.boolean_part(&variable, false),
            BooleanTest::IsUnknown => nulls,
            BooleanTest::IsNotUnknown => 1.0 - nulls,
        }
    }

    fn boolean_part(&self, variable: &Variable, value: bool) -> f64 {
        match variable.statistics() {
            Some(_) => self.equal_part(variable, Some(Datum::Bool(value))),
            None => 0.5,
        }
    }

    /// `left op ANY (right)` and `left op ALL (right)`
    fn list_part(
        &self,
        level: &Level<'_, 'q>,
        operator: Oid,
        any: bool,
        left: &'q Expr<'q>,
        right: &'q Expr<'q>,
    ) -> f64 {
        let Ok(row) = self.catalog().operator(operator) else { return 0.5 };
        let equality = estimator(row.restriction) == Estimator::Equal;
        let element = self.element_type(right.ty.oid).unwrap_or(right.ty.oid);
        let ty = analyze::tree::Type { oid: element, ..right.ty };
        let mut parts = Vec::new();
        match self.constant_elements(right) {
            Ok(Some(values)) => {
                for value in values {
                    let constant = Expr { kind: ExprKind::Const(value), ty, at: None };
                    let Ok(constant) = self.trees.alloc(constant) else { return 0.5 };
                    parts.push(self.comparison_part(level, operator, left, constant));
                }
            }
            _ => {
                let kind = ExprKind::CaseOperand;
                let Ok(unknown) = self.trees.alloc(Expr { kind, ty, at: None }) else {
                    return 0.5;
                };
                let one = self.comparison_part(level, operator, left, unknown);
                parts = vec![one; self.list_length(right) as usize];
            }
        }
        if !any {
            return parts.iter().product();
        }
        let disjoint: f64 = parts.iter().sum();
        if equality && (0.0..=1.0).contains(&disjoint) {
            return disjoint;
        }
        parts.iter().fold(0.0, |sum, part| sum + part - sum * part)
    }
}
