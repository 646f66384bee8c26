//! Whether conditions of a query imply the predicate of a partial index.
//!
//! # How it works
//! A predicate is implied when each of its conjuncts is implied by some condition. Between two
//! plain conditions that means: they are the same; the predicate is `x IS NOT NULL` and the
//! condition cannot be true for a NULL x; both test one boolean value; or both compare the same
//! expression with constants by operators of one btree family, and comparing the constants shows
//! that every value that meets the condition meets the predicate. AND, OR and lists of constants
//! are taken apart on both sides.
//!
//! # Rules
//! 1. "Implied" means: where the condition is true, the predicate is true. Where the condition is
//!    NULL or false nothing is said.
//! 2. Constants are compared by the family's own immutable operators while planning.
//!
//! # Limits
//! Lists of more than 100 constants are one condition that implies only itself.

use crate::planner::Planner;
use crate::same::same;
use analyze::tree::{BooleanTest, Expr, ExprKind, Type};
use base::{Oid, Result};
use types::{Datum, oids};

/// Lists that are longer are not taken apart.
const LIST_MAX: usize = 100;

const LESS: i16 = 1;
const LESS_EQUAL: i16 = 2;
const EQUAL: i16 = 3;
const GREATER_EQUAL: i16 = 4;
const GREATER: i16 = 5;

/// The comparison of the condition's constant with the predicate's that shows that
/// `x condition constant` implies `x predicate constant`.
fn test_of(condition: i16, predicate: i16) -> Option<i16> {
    match (condition, predicate) {
        (LESS, LESS | LESS_EQUAL) | (LESS_EQUAL, LESS_EQUAL) => Some(LESS_EQUAL),
        (LESS_EQUAL, LESS) => Some(LESS),
        (GREATER, GREATER | GREATER_EQUAL) | (GREATER_EQUAL, GREATER_EQUAL) => Some(GREATER_EQUAL),
        (GREATER_EQUAL, GREATER) => Some(GREATER),
        (EQUAL, strategy) => Some(strategy),
        _ => None,
    }
}

/// An expression compared with a constant.
struct Comparison<'q> {
    operator: Oid,
    value: &'q Expr<'q>,
    constant: Datum<'q>,
    constant_type: Type,
}

impl<'q> Planner<'_, 'q, '_> {
    /// Whether conditions that all hold imply a predicate.
    pub(crate) fn is_implied(
        &self,
        predicate: &'q Expr<'q>,
        conditions: &[&'q Expr<'q>],
    ) -> Result<bool> {
        base::stack::check_stack_depth()?;
        if let ExprKind::And(parts) = predicate.kind {
            for part in parts {
                if !self.is_implied(part, conditions)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        for condition in conditions {
            if self.implies(condition, predicate)? {
                return Ok(true);
            }
        }
        if let ExprKind::Or(arms) = predicate.kind {
            for arm in arms {
                if self.is_implied(arm, conditions)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether one condition implies a predicate that is no conjunction.
    fn implies(&self, condition: &'q Expr<'q>, predicate: &'q Expr<'q>) -> Result<bool> {
        base::stack::check_stack_depth()?;
        if same(condition, predicate) {
            return Ok(true);
        }
        match condition.kind {
            ExprKind::And(parts) => {
                let parts: Vec<&'q Expr<'q>> = parts.iter().collect();
                return self.is_implied(predicate, &parts);
            }
            ExprKind::Or(arms) => {
                for arm in arms {
                    if !self.is_implied(predicate, &[arm])? {
                        return Ok(false);
                    }
                }
                return Ok(true);
            }
            _ => {}
        }
        if let Some(items) = self.list_items(condition)? {
            let mut all = true;
            for item in items {
                all = all && self.is_implied(predicate, &[item])?;
            }
            if all {
                return Ok(true);
            }
        }
        match predicate.kind {
            ExprKind::And(_) => return self.is_implied(predicate, &[condition]),
            ExprKind::Or(arms) => {
                for arm in arms {
                    if self.is_implied(arm, &[condition])? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            ExprKind::IsNull { arg, negated: true, row: false } => {
                return self.is_false_for_null(condition, arg);
            }
            _ => {}
        }
        if let Some(items) = self.list_items(predicate)? {
            for item in items {
                if self.implies(condition, item)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if boolean_implies(condition, predicate) {
            return Ok(true);
        }
        self.comparison_implies(condition, predicate)
    }

    /// `x = ANY (constants)` as comparisons one by one.
    fn list_items(&self, expr: &'q Expr<'q>) -> Result<Option<Vec<&'q Expr<'q>>>> {
        let ExprKind::ScalarArray { operator, function, any: true, left, right } = expr.kind else {
            return Ok(None);
        };
        let Some(values) = self.constant_elements(right)? else { return Ok(None) };
        if values.is_empty() || values.len() > LIST_MAX {
            return Ok(None);
        }
        let element = self.element_type(right.ty.oid)?;
        let ty = Type { oid: element, typmod: -1, collation: right.ty.collation };
        let mut items = Vec::with_capacity(values.len());
        for value in values {
            let constant = Expr { kind: ExprKind::Const(value), ty, at: None };
            let args = self.trees.alloc_slice_copy(&[*left, constant])?;
            let kind = ExprKind::Operator { operator, function, args };
            items.push(self.tree(kind, expr.ty)?);
        }
        Ok(Some(items))
    }

    /// Whether a condition cannot be true where an expression is NULL.
    fn is_false_for_null(&self, condition: &Expr<'q>, value: &Expr<'q>) -> Result<bool> {
        if same(condition, value) {
            return Ok(true);
        }
        match condition.kind {
            ExprKind::Operator { function, args, .. } => self.is_strict_call(function, args, value),
            ExprKind::ScalarArray { function, left, .. } => {
                let strict = self.catalog().proc(function)?.strict;
                Ok(strict && self.is_null_for_null(left, value)?)
            }
            ExprKind::Function { function, args, returns_set: false, .. } => {
                self.is_strict_call(function, args, value)
            }
            ExprKind::Not(arg) => self.is_null_for_null(arg, value),
            ExprKind::IsNull { arg, negated: true, row: false } => {
                self.is_null_for_null(arg, value)
            }
            ExprKind::Boolean { arg, test: BooleanTest::IsTrue | BooleanTest::IsFalse } => {
                self.is_null_for_null(arg, value)
            }
            _ => Ok(false),
        }
    }

    /// Whether an expression is NULL where another is.
    fn is_null_for_null(&self, expr: &Expr<'q>, value: &Expr<'q>) -> Result<bool> {
        if same(expr, value) {
            return Ok(true);
        }
        match expr.kind {
            ExprKind::Operator { function, args, .. } => self.is_strict_call(function, args, value),
            ExprKind::Function { function, args, returns_set: false, .. } => {
                self.is_strict_call(function, args, value)
            }
            ExprKind::Relabel { arg, .. } | ExprKind::Not(arg) | ExprKind::Collate(arg) => {
                self.is_null_for_null(arg, value)
            }
            _ => Ok(false),
        }
    }

    fn is_strict_call(&self, function: Oid, args: &[Expr<'q>], value: &Expr<'q>) -> Result<bool> {
        if !self.catalog().proc(function)?.strict {
            return Ok(false);
        }
        for arg in args {
            if self.is_null_for_null(arg, value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `value op constant`, the sides put in that order.
    fn compared_constant(&self, expr: &'q Expr<'q>) -> Result<Option<Comparison<'q>>> {
        let ExprKind::Operator { operator, args: [a, b], .. } = expr.kind else { return Ok(None) };
        if let Some(constant) = self.constant_value(b)? {
            let constant_type = b.ty;
            return Ok(Some(Comparison { operator, value: a, constant, constant_type }));
        }
        let Some(constant) = self.constant_value(a)? else { return Ok(None) };
        let operator = self.catalog().operator(operator)?.commutator;
        let found = Comparison { operator, value: b, constant, constant_type: a.ty };
        Ok(operator.is_valid().then_some(found))
    }

    fn comparison_implies(&self, condition: &'q Expr<'q>, predicate: &'q Expr<'q>) -> Result<bool> {
        let Some(known) = self.compared_constant(condition)? else { return Ok(false) };
        let Some(wanted) = self.compared_constant(predicate)? else { return Ok(false) };
        let collations = |expr: &Expr<'q>| match expr.kind {
            ExprKind::Operator { args, .. } => args.first().map(|arg| arg.ty.collation),
            _ => None,
        };
        if !same(known.value, wanted.value)
            || known.constant.is_null()
            || wanted.constant.is_null()
            || collations(condition) != collations(predicate)
        {
            return Ok(false);
        }
        if self.implies_unequal(&known, &wanted)? {
            return Ok(true);
        }
        let catalog = self.catalog();
        let of_known = catalog.operator_families(known.operator)?;
        let of_wanted = catalog.operator_families(wanted.operator)?;
        for a in of_known.iter().filter(|row| row.method == crate::access::BTREE) {
            let Some(b) = of_wanted.iter().find(|row| row.family == a.family) else { continue };
            let Some(test) = test_of(a.strategy, b.strategy) else { continue };
            return self.compares(a.family, (&known, a.right), (&wanted, b.right), test);
        }
        Ok(false)
    }

    /// Whether a comparison implies `value <> constant`.
    fn implies_unequal(&self, known: &Comparison<'q>, wanted: &Comparison<'q>) -> Result<bool> {
        let catalog = self.catalog();
        let equal = catalog.operator(wanted.operator)?.negator;
        if !equal.is_valid() {
            return Ok(false);
        }
        let of_equal = catalog.operator_families(equal)?;
        let of_known = catalog.operator_families(known.operator)?;
        for b in of_equal.iter().filter(|row| row.method == crate::access::BTREE) {
            let Some(a) = of_known.iter().find(|row| row.family == b.family) else { continue };
            if b.strategy != EQUAL {
                continue;
            }
            // Where x < c holds, x is not d if c <= d; where x = c holds, if c is not d.
            let test = match a.strategy {
                LESS => LESS_EQUAL,
                LESS_EQUAL => LESS,
                GREATER => GREATER_EQUAL,
                GREATER_EQUAL => GREATER,
                _ => {
                    let below =
                        self.compares(a.family, (known, a.right), (wanted, b.right), LESS)?;
                    let above =
                        self.compares(a.family, (known, a.right), (wanted, b.right), GREATER)?;
                    return Ok(below || above);
                }
            };
            return self.compares(a.family, (known, a.right), (wanted, b.right), test);
        }
        Ok(false)
    }

    /// Whether a comparison of two constants by an operator of a family is true.
    fn compares(
        &self,
        family: Oid,
        (left, left_type): (&Comparison<'q>, Oid),
        (right, right_type): (&Comparison<'q>, Oid),
        strategy: i16,
    ) -> Result<bool> {
        let Some(oid) = self.catalog().family_operator(family, left_type, right_type, strategy)?
        else {
            return Ok(false);
        };
        let operator = self.catalog().operator(oid)?;
        let constant = |of: &Comparison<'q>| Expr {
            kind: ExprKind::Const(of.constant),
            ty: of.constant_type,
            at: None,
        };
        let args = self.trees.alloc_slice_copy(&[constant(left), constant(right)])?;
        let kind = ExprKind::Operator { operator: oid, function: operator.code, args };
        let test = self.tree(kind, Type::plain(Oid(oids::BOOL)))?;
        Ok(matches!(self.constant_value(test)?, Some(Datum::Bool(true))))
    }
}

/// What a condition says about a boolean value: the value and whether it is true; nothing for a
/// condition that says something else.
pub(crate) fn boolean_fact<'q>(condition: &'q Expr<'q>) -> Option<(&'q Expr<'q>, bool)> {
    match condition.kind {
        ExprKind::Not(arg) | ExprKind::Boolean { arg, test: BooleanTest::IsFalse } => {
            Some((arg, false))
        }
        ExprKind::Boolean { arg, test: BooleanTest::IsTrue } => Some((arg, true)),
        ExprKind::Operator { operator: Oid(91), args: [a, b], .. } => match (a.kind, b.kind) {
            (_, ExprKind::Const(Datum::Bool(value))) => Some((a, value)),
            (ExprKind::Const(Datum::Bool(value)), _) => Some((b, value)),
            _ => None,
        },
        ExprKind::Column(_) | ExprKind::Function { .. } if condition.ty.oid.0 == oids::BOOL => {
            Some((condition, true))
        }
        _ => None,
    }
}

fn boolean_implies<'q>(condition: &'q Expr<'q>, predicate: &'q Expr<'q>) -> bool {
    let Some((value, is)) = boolean_fact(condition) else { return false };
    match predicate.kind {
        ExprKind::Boolean { arg, test: BooleanTest::IsNotTrue } => !is && same(value, arg),
        ExprKind::Boolean { arg, test: BooleanTest::IsNotFalse } => is && same(value, arg),
        ExprKind::Boolean { arg, test: BooleanTest::IsNotUnknown } => same(value, arg),
        _ => boolean_fact(predicate)
            .is_some_and(|(other, wanted)| wanted == is && same(value, other)),
    }
}
