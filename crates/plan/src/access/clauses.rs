//! Conditions that an index can see to.

use crate::estimate::has_subquery;
use crate::implied::boolean_fact;
use crate::needs::vars_of;
use crate::planner::{Cond, Level, Planner};
use crate::same::same;
use analyze::tree::{Expr, ExprKind, RowCompareKind, Type};
use base::{Oid, Result};
use types::array::Array;
use types::{Datum, oids};

/// `=` of booleans.
const BOOLEAN_EQUAL: Oid = Oid(91);

/// What a condition asks of a column or expression.
#[derive(Clone, Copy)]
pub(crate) enum Test<'q> {
    /// A comparison with a value that is free of the table.
    Compare { operator: Oid, value: &'q Expr<'q> },
    /// Equality with an element of an array.
    Any { operator: Oid, array: &'q Expr<'q> },
    /// IS NULL
    Null,
    /// IS NOT NULL
    NotNull,
    /// It begins with a text: at or above the one, below the other.
    Prefix { from: &'q Expr<'q>, below: Option<&'q Expr<'q>> },
    /// A comparison of rows; it is of their first fields.
    Row { operators: &'q [Oid], left: &'q [Expr<'q>], right: &'q [Expr<'q>] },
}

/// A condition in the form in which an index can see to it.
#[derive(Clone, Copy)]
pub(crate) struct Clause<'q> {
    /// The number of the condition.
    pub(crate) cond: usize,
    /// What is indexed.
    pub(crate) side: &'q Expr<'q>,
    /// By which collation it is compared.
    pub(crate) collation: Oid,
    pub(crate) test: Test<'q>,
    /// The condition as EXPLAIN shows it.
    pub(crate) shown: &'q Expr<'q>,
}

pub(crate) fn strip<'q>(mut expr: &'q Expr<'q>) -> &'q Expr<'q> {
    while let ExprKind::Relabel { arg, .. } | ExprKind::Collate(arg) = expr.kind {
        expr = arg;
    }
    expr
}

impl<'q> Planner<'_, 'q, '_> {
    /// The conditions that an index of a range could see to.
    pub(crate) fn clauses(
        &self,
        level: &Level<'_, 'q>,
        range: u32,
        conds: &[Cond<'_, 'q>],
    ) -> Result<Vec<Clause<'q>>> {
        let mut found = Vec::new();
        for (i, cond) in conds.iter().enumerate() {
            if cond.level.id == level.id {
                self.clauses_of(level, range, i, cond.expr, &mut found)?;
            }
        }
        Ok(found)
    }

    /// Whether a value does not depend on the rows of a range.
    fn is_free(&self, level: &Level<'_, 'q>, range: u32, expr: &Expr<'q>) -> bool {
        let mut free = true;
        vars_of(level, level, expr, &mut |var| free &= var.range != range);
        free && !has_subquery(expr) && !self.is_volatile(expr).unwrap_or(true)
    }

    /// Whether an expression is one of a range's rows.
    fn is_of(&self, level: &Level<'_, 'q>, range: u32, expr: &Expr<'q>) -> bool {
        let (mut some, mut all) = (false, true);
        vars_of(level, level, expr, &mut |var| {
            some |= var.range == range;
            all &= var.range == range;
        });
        some && all && !has_subquery(expr)
    }

    fn clauses_of(
        &self,
        level: &Level<'_, 'q>,
        range: u32,
        cond: usize,
        expr: &'q Expr<'q>,
        out: &mut Vec<Clause<'q>>,
    ) -> Result<()> {
        let mut push = |side: &'q Expr<'q>, test, shown| {
            let collation = side.ty.collation;
            out.push(Clause { cond, side: strip(side), collation, test, shown });
        };
        if let Some((value, is)) = boolean_fact(expr)
            && self.is_of(level, range, value)
        {
            let ty = Type::plain(Oid(oids::BOOL));
            let constant = self.tree(ExprKind::Const(Datum::Bool(is)), ty)?;
            let args = self.trees.alloc_slice_copy(&[*value, *constant])?;
            let function = self.catalog().operator(BOOLEAN_EQUAL)?.code;
            let operator = BOOLEAN_EQUAL;
            let shown = self.tree(ExprKind::Operator { operator, function, args }, ty)?;
            push(value, Test::Compare { operator, value: constant }, shown);
            return Ok(());
        }
        match expr.kind {
            ExprKind::Operator { operator, args: [a, b], .. } => {
                let row = self.catalog().operator(operator)?;
                if self.is_of(level, range, a) && self.is_free(level, range, b) {
                    push(a, Test::Compare { operator, value: b }, expr);
                    if let Some((test, shown)) = self.prefix(&row.name, a, b)? {
                        push(a, test, shown);
                    }
                }
                if self.is_of(level, range, b)
                    && self.is_free(level, range, a)
                    && row.commutator.is_valid()
                {
                    let operator = row.commutator;
                    let function = self.catalog().operator(operator)?.code;
                    let args = self.trees.alloc_slice_copy(&[*b, *a])?;
                    let kind = ExprKind::Operator { operator, function, args };
                    let shown = self.tree(kind, expr.ty)?;
                    push(b, Test::Compare { operator, value: a }, shown);
                }
            }
            ExprKind::ScalarArray { operator, any: true, left, right, .. }
                if self.is_of(level, range, left) && self.is_free(level, range, right) =>
            {
                push(left, Test::Any { operator, array: right }, expr);
            }
            ExprKind::IsNull { arg, negated, row: false } if self.is_of(level, range, arg) => {
                push(arg, if negated { Test::NotNull } else { Test::Null }, expr);
            }
            ExprKind::RowCompare { kind, operators, left, right } => {
                let [first, ..] = left else { return Ok(()) };
                let ordered = !matches!(kind, RowCompareKind::Equal | RowCompareKind::NotEqual);
                if ordered
                    && self.is_of(level, range, first)
                    && right.iter().all(|value| self.is_free(level, range, value))
                {
                    push(first, Test::Row { operators, left, right }, expr);
                }
            }
            ExprKind::Or(arms) => {
                if let Some((side, operator, array, shown)) = self.any_of_or(expr, arms)?
                    && self.is_of(level, range, side)
                {
                    push(side, Test::Any { operator, array }, shown);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// `x = 1 OR x = 2` as `x = ANY ('{1,2}')`.
    fn any_of_or(
        &self,
        expr: &Expr<'q>,
        arms: &'q [Expr<'q>],
    ) -> Result<Option<(&'q Expr<'q>, Oid, &'q Expr<'q>, &'q Expr<'q>)>> {
        let mut first: Option<(&'q Expr<'q>, Oid, Oid, Type)> = None;
        let mut elements = Vec::with_capacity(arms.len());
        for arm in arms {
            let ExprKind::Operator { operator, function, args: [a, b] } = arm.kind else {
                return Ok(None);
            };
            let Some(value) = self.constant_value(b)? else { return Ok(None) };
            match first {
                None => first = Some((a, operator, function, b.ty)),
                Some((side, known, _, ty)) => {
                    if !same(side, a) || known != operator || ty.oid != b.ty.oid {
                        return Ok(None);
                    }
                }
            }
            elements.push(Expr { kind: ExprKind::Const(value), ty: b.ty, at: None });
        }
        let Some((side, operator, function, ty)) = first else { return Ok(None) };
        let array = self.catalog().type_(ty.oid)?.array;
        if !array.is_valid() {
            return Ok(None);
        }
        let elements = self.trees.alloc_slice_copy(&elements)?;
        let kind = ExprKind::Array { elements, nested: false };
        let array = self.tree(kind, Type { oid: array, typmod: -1, collation: ty.collation })?;
        let kind =
            ExprKind::ScalarArray { operator, function, any: true, left: side, right: array };
        Ok(Some((side, operator, array, self.tree(kind, expr.ty)?)))
    }

    /// The elements of an array that is constant.
    pub(crate) fn constant_elements(&self, array: &'q Expr<'q>) -> Result<Option<Vec<Datum<'q>>>> {
        match array.kind {
            ExprKind::Array { elements, nested: false } => {
                elements.iter().map(|element| self.constant_value(element)).collect()
            }
            ExprKind::Relabel { arg, .. } => self.constant_elements(arg),
            _ => match self.constant_value(array)? {
                Some(value) if !value.is_null() => Array::from_datum(&value)?.elements().map(Some),
                _ => Ok(None),
            },
        }
    }

    /// What a pattern says about how a text begins.
    fn prefix(
        &self,
        operator: &str,
        side: &'q Expr<'q>,
        pattern: &'q Expr<'q>,
    ) -> Result<Option<(Test<'q>, &'q Expr<'q>)>> {
        if !matches!(operator, "~~" | "~" | "^@") || side.ty.oid.0 == oids::BPCHAR {
            return Ok(None);
        }
        let Some(Datum::Text(text)) = self.constant_value(pattern)? else { return Ok(None) };
        let (prefix, exact) = match operator {
            "~~" => like_prefix(text),
            "~" => regex_prefix(text),
            _ => (text.to_owned(), false),
        };
        if prefix.is_empty() {
            return Ok(None);
        }
        let ty = Type { oid: Oid(oids::TEXT), typmod: -1, collation: pattern.ty.collation };
        let constant = |text: &str| -> Result<&'q Expr<'q>> {
            let text = self.trees.alloc_str(text)?;
            self.tree(ExprKind::Const(Datum::Text(text)), ty)
        };
        let compared = |operator: u32, value: &'q Expr<'q>| -> Result<Expr<'q>> {
            let operator = Oid(operator);
            let function = self.catalog().operator(operator)?.code;
            let args = self.trees.alloc_slice_copy(&[*side, *value])?;
            let kind = ExprKind::Operator { operator, function, args };
            Ok(Expr { kind, ty: Type::plain(Oid(oids::BOOL)), at: None })
        };
        /// `=`, `<` and `>=` of text.
        const OPERATORS: [u32; 3] = [98, 664, 667];
        let from = constant(&prefix)?;
        if exact {
            let shown = self.trees.alloc(compared(OPERATORS[0], from)?)?;
            return Ok(Some((Test::Compare { operator: Oid(OPERATORS[0]), value: from }, shown)));
        }
        let mut parts = vec![compared(OPERATORS[2], from)?];
        let below = match after(&prefix) {
            Some(above) => {
                let above = constant(&above)?;
                parts.push(compared(OPERATORS[1], above)?);
                Some(above)
            }
            None => None,
        };
        let kind = ExprKind::And(self.trees.alloc_slice_copy(&parts)?);
        Ok(Some((Test::Prefix { from, below }, self.tree(kind, Type::plain(Oid(oids::BOOL)))?)))
    }
}

/// What texts that match a LIKE pattern begin with, and whether they are just that.
pub(crate) fn like_prefix(pattern: &str) -> (String, bool) {
    let mut prefix = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' | '_' => return (prefix, false),
            '\\' => match chars.next() {
                Some(escaped) => prefix.push(escaped),
                None => return (prefix, false),
            },
            c => prefix.push(c),
        }
    }
    (prefix, true)
}

/// What texts that match a regular expression begin with; only the plainest ones are understood.
pub(crate) fn regex_prefix(pattern: &str) -> (String, bool) {
    let none = (String::new(), false);
    let Some(rest) = pattern.strip_prefix('^') else { return none };
    if pattern.contains('|') {
        return none;
    }
    let mut prefix = String::new();
    for c in rest.chars() {
        match c {
            '*' | '?' | '{' => {
                prefix.pop();
                return (prefix, false);
            }
            '$' => return (prefix, false),
            c if c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '/' | ':' | ',' | '@') => {
                prefix.push(c);
            }
            _ => return (prefix, false),
        }
    }
    (prefix, false)
}

/// The smallest text of its length or shorter that is above all texts with a prefix.
fn after(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{7f}'.. => continue,
            c => char::from_u32(u32::from(c) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_begin_with_what_stands_before_wildcards() {
        assert_eq!(like_prefix("abc%"), ("abc".into(), false));
        assert_eq!(like_prefix("a_c"), ("a".into(), false));
        assert_eq!(like_prefix("a\\%b"), ("a%b".into(), true));
        assert_eq!(like_prefix("%a").0, "");
        assert_eq!(regex_prefix("^abc").0, "abc");
        assert_eq!(regex_prefix("^abc*").0, "ab");
        assert_eq!(regex_prefix("abc").0, "");
        assert_eq!(regex_prefix("^a|b").0, "");
    }

    #[test]
    fn the_text_behind_a_prefix_is_above_all_that_begin_with_it() {
        assert_eq!(after("abc").as_deref(), Some("abd"));
        assert_eq!(after("a\u{7f}").as_deref(), Some("b"));
        assert_eq!(after("aé").as_deref(), Some("b"));
        assert_eq!(after("é"), None);
    }
}
