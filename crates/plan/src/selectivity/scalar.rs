//! Comparisons with one value.

use super::variable::Variable;
use super::{EQUALITY, PATTERN};
use crate::access::{like_prefix, regex_prefix};
use crate::planner::Planner;
use analyze::tree::{Expr, ExprKind, Type};
use base::Oid;
use std::cmp::Ordering;
use types::Datum;

/// A value in the form in which a column has its values; none if it has no such form.
pub(super) fn of_type<'m>(value: &Datum<'m>, like: &Datum<'_>) -> Option<Datum<'m>> {
    let wide = match *value {
        Datum::Int2(v) => i64::from(v),
        Datum::Int4(v) => i64::from(v),
        Datum::Int8(v) => v,
        other => {
            return (std::mem::discriminant(&other) == std::mem::discriminant(like)
                || matches!(
                    (&other, like),
                    (Datum::Decimal { .. }, Datum::Bytes(_))
                        | (Datum::Bytes(_), Datum::Decimal { .. })
                ))
            .then_some(other);
        }
    };
    match like {
        Datum::Int2(_) => i16::try_from(wide).ok().map(Datum::Int2),
        Datum::Int4(_) => i32::try_from(wide).ok().map(Datum::Int4),
        Datum::Int8(_) => Some(Datum::Int8(wide)),
        _ => None,
    }
}

impl<'q> Planner<'_, 'q, '_> {
    /// The order of two values of a column.
    pub(super) fn order_of(
        &self,
        variable: &Variable,
        a: &Datum<'_>,
        b: &Datum<'_>,
    ) -> Option<Ordering> {
        let host = self.env.io().host;
        types::compare::compare(host, variable.type_oid.0, a, b).ok()
    }

    /// `column = value`; without a value for one that is not known.
    pub(super) fn equal_part(&self, variable: &Variable, value: Option<Datum<'_>>) -> f64 {
        let (distinct, guessed) = variable.distinct();
        if variable.unique && variable.rows >= 1.0 {
            return 1.0 / variable.rows;
        }
        let Some(_) = variable.statistics() else {
            return if guessed && variable.var.is_none() {
                EQUALITY.max(1.0 / distinct)
            } else {
                1.0 / distinct
            };
        };
        let common = variable.common();
        let nulls = variable.null_fraction();
        let Some(value) = value else {
            let part = (1.0 - nulls) / distinct.max(1.0);
            return common.first().map_or(part, |first| part.min(first.1));
        };
        let sum: f64 = common.iter().map(|(_, part)| part).sum();
        for (known, part) in &common {
            if let Some(value) = of_type(&value, known)
                && self.order_of(variable, known, &value) == Some(Ordering::Equal)
            {
                return *part;
            }
        }
        let mut part = (1.0 - sum - nulls).clamp(0.0, 1.0);
        let others = distinct - common.len() as f64;
        if others > 1.0 {
            part /= others;
        }
        // No other value is more common than the least of the most common ones.
        common.last().map_or(part, |last| part.min(last.1))
    }

    /// Whether an operator's function says that it holds.
    fn holds(&self, function: Oid, ty: Type, a: Datum<'_>, b: Datum<'_>) -> Option<bool> {
        let keep = |value: Datum<'_>| {
            let kind = ExprKind::Const(value.copy_to(&self.trees).ok()?);
            Some(Expr { kind, ty, at: None })
        };
        let args = self.trees.alloc_slice_copy(&[keep(a)?, keep(b)?]).ok()?;
        let kind = ExprKind::Operator { operator: Oid::INVALID, function, args };
        let ty = Type::plain(Oid(types::oids::BOOL));
        let call = self.trees.alloc(Expr { kind, ty, at: None }).ok()?;
        match self.constant_value(call).ok()?? {
            Datum::Bool(value) => Some(value),
            _ => Some(false),
        }
    }

    /// `column LIKE value` and its like.
    pub(super) fn pattern_part(
        &self,
        variable: &Variable,
        (name, function): (&str, Oid),
        value: Datum<'_>,
        ty: Type,
    ) -> f64 {
        let Datum::Text(pattern) = value else { return PATTERN };
        let (prefix, exact) = match name.trim_start_matches('!') {
            "~~" => like_prefix(pattern),
            "~" => regex_prefix(pattern),
            "^@" => (pattern.to_owned(), false),
            _ => (String::new(), false),
        };
        if exact {
            return self.equal_part(variable, Some(Datum::Text(&prefix)));
        }
        if variable.statistics().is_none() {
            return PATTERN;
        }
        // A negated operator is asked for what it negates by its caller.
        let negated = name.starts_with('!');
        let matches = |value: &Datum<'_>| {
            let found = self.holds(function, ty, *value, Datum::Text(pattern));
            found.is_some_and(|found| found != negated)
        };
        let bounds = variable.histogram();
        let inner = bounds.get(1..bounds.len().saturating_sub(1)).unwrap_or_default();
        let heuristic = || {
            let from = match prefix.is_empty() {
                true => 1.0,
                false => self.prefix_part(variable, &prefix),
            };
            from * rest_part(pattern.len().saturating_sub(prefix.len()), pattern)
        };
        let mut part = if bounds.len() < 10 {
            heuristic()
        } else {
            let met = inner.iter().filter(|bound| matches(bound)).count() as f64;
            let seen = met / inner.len().max(1) as f64;
            let weight = bounds.len() as f64 / 100.0;
            if weight < 1.0 { seen * weight + heuristic() * (1.0 - weight) } else { seen }
        };
        part = part.clamp(0.0001, 0.9999);
        let (mut met, mut sum) = (0.0, 0.0);
        for (value, frequency) in variable.common() {
            sum += frequency;
            if matches(&value) {
                met += frequency;
            }
        }
        (part * (1.0 - variable.null_fraction() - sum).max(0.0) + met).clamp(0.0, 1.0)
    }

    /// The part of the values that begin with a text.
    fn prefix_part(&self, variable: &Variable, prefix: &str) -> f64 {
        let from = self.below_part(variable, &Datum::Text(prefix), true, true);
        let mut above = prefix.to_owned();
        above.push(char::MAX);
        let to = self.below_part(variable, &Datum::Text(&above), false, false);
        let (Some(from), Some(to)) = (from, to) else { return PATTERN };
        let equal = self.equal_part(variable, Some(Datum::Text(prefix)));
        (from + to - 1.0).max(equal).max(1e-10)
    }
}

/// How selective the rest of a pattern is.
fn rest_part(bytes: usize, pattern: &str) -> f64 {
    let wild = pattern.chars().filter(|c| matches!(c, '%' | '*' | '.')).count();
    let fixed = bytes.saturating_sub(wild).min(12) as i32;
    (0.2f64.powi(fixed) * 5f64.powi(wild.min(4) as i32)).clamp(0.0001, 1.0)
}
