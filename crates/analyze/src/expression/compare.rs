//! Comparisons: operators, IN, BETWEEN, DISTINCT, NULLIF, rows.

use crate::coerce::{BOOL, RECORD, TEXT};
use crate::scope::Level;
use crate::tree::{Expr, ExprKind, RowCompareKind, Type};
use crate::{Analyzer, byte_of, location_of};
use base::{Result, err};
use parse::{Constant, Expression, Location};

impl<'q> Analyzer<'q, '_> {
    /// `left name right`; rows are compared column by column.
    pub(super) fn operation(
        &self,
        level: &Level<'q, '_>,
        name: &[&str],
        left: Option<&Expression<'_>>,
        right: &Expression<'_>,
        location: Location,
    ) -> Result<Expr<'q>> {
        if let (Some(Expression::Row { .. }), Expression::SubLink(link)) = (left, right)
            && link.kind == parse::SubLinkKind::Scalar
            && let Some(left) = left
        {
            return self.row_sub_link(level, name, left, link, location);
        }
        if let (["="], Some(left)) = (name, left)
            && self.env.transforms_null_equals()
            && let Some(arg) = other_than_null(left, right)
        {
            return self.null_test(level, arg, false, location);
        }
        let left = left.map(|left| self.transform(level, left)).transpose()?;
        let right = self.transform(level, right)?;
        self.compare(name, left, right, location)
    }

    /// `x IS [NOT] NULL`.
    pub(super) fn null_test(
        &self,
        level: &Level<'q, '_>,
        arg: &Expression<'_>,
        negated: bool,
        location: Location,
    ) -> Result<Expr<'q>> {
        let arg = self.transform(level, arg)?;
        let row = arg.ty.oid == RECORD || self.is_complex(arg.ty.oid)?;
        let at = byte_of(location.leftmost(location_of(&arg)));
        let kind = ExprKind::IsNull { arg: self.alloc(arg)?, negated, row };
        Ok(Expr { kind, ty: Type::plain(BOOL), at })
    }

    /// An operator over values, or over two row expressions.
    fn compare(
        &self,
        name: &[&str],
        left: Option<Expr<'q>>,
        right: Expr<'q>,
        location: Location,
    ) -> Result<Expr<'q>> {
        if let Some(Expr { kind: ExprKind::Row { fields: a, .. }, ty, .. }) = left
            && let ExprKind::Row { fields: b, .. } = right.kind
            && ty.oid == RECORD
        {
            return self.row_compare(name, a, b, location);
        }
        self.make_operator(name, left, right, location)
    }

    /// `(a, b) op (c, d)`.
    pub(crate) fn row_compare(
        &self,
        name: &[&str],
        left: &[Expr<'q>],
        right: &[Expr<'q>],
        location: Location,
    ) -> Result<Expr<'q>> {
        if left.len() != right.len() {
            let error = err!(SYNTAX_ERROR, "unequal number of entries in row expressions");
            return Err(self.at(error, location));
        }
        if left.is_empty() {
            let error = err!(FEATURE_NOT_SUPPORTED, "cannot compare rows of zero length");
            return Err(self.at(error, location));
        }
        let mut pairs = Vec::with_capacity(left.len());
        let (mut operators, mut lefts, mut rights) = (Vec::new(), Vec::new(), Vec::new());
        for (a, b) in left.iter().zip(right) {
            let pair = self.make_operator(name, Some(*a), *b, location)?;
            if pair.ty.oid != BOOL {
                let type_name = self.type_name(pair.ty.oid)?;
                let error = err!(
                    DATATYPE_MISMATCH,
                    "row comparison operator must yield type boolean, not type {type_name}"
                );
                return Err(self.at(error, location));
            }
            if let ExprKind::Operator { operator, args: [a, b], .. } = pair.kind {
                operators.push(operator);
                lefts.push(*a);
                rights.push(*b);
            }
            pairs.push(pair);
        }
        if let [only] = pairs[..] {
            return Ok(only);
        }
        let at = byte_of(location.leftmost(location_of(&pairs[0])));
        let kind = match self.row_compare_kind(name, &operators, location)? {
            RowCompareKind::Equal => ExprKind::And(self.slice(&pairs)?),
            RowCompareKind::NotEqual => ExprKind::Or(self.slice(&pairs)?),
            kind => ExprKind::RowCompare {
                kind,
                operators: self.slice(&operators)?,
                left: self.slice(&lefts)?,
                right: self.slice(&rights)?,
            },
        };
        Ok(Expr { kind, ty: Type::plain(BOOL), at })
    }

    pub(super) fn distinct(
        &self,
        level: &Level<'q, '_>,
        negated: bool,
        left: &Expression<'_>,
        right: &Expression<'_>,
        location: Location,
    ) -> Result<Expr<'q>> {
        // With NULL it is a plain test, which needs no equality operator.
        let is_null =
            |e: &Expression<'_>| matches!(e, Expression::Const { value: Constant::Null, .. });
        let tested = if is_null(right) { Some(left) } else { is_null(left).then_some(right) };
        if let Some(tested) = tested {
            let arg = self.transform(level, tested)?;
            let at = byte_of(location.leftmost(location_of(&arg)));
            let kind = ExprKind::IsNull { arg: self.alloc(arg)?, negated: !negated, row: false };
            return Ok(Expr { kind, ty: Type::plain(BOOL), at });
        }
        let left = self.transform(level, left)?;
        let right = self.transform(level, right)?;
        if let (ExprKind::Row { fields: a, .. }, ExprKind::Row { fields: b, .. }) =
            (left.kind, right.kind)
        {
            return self.distinct_rows(negated, a, b, location);
        }
        self.distinct_values(negated, left, right, location)
    }

    fn distinct_values(
        &self,
        negated: bool,
        left: Expr<'q>,
        right: Expr<'q>,
        location: Location,
    ) -> Result<Expr<'q>> {
        let (operator, function, args) =
            self.make_equal(left, right, "IS DISTINCT FROM", location)?;
        let at = byte_of(location.leftmost(location_of(&left)));
        let kind = ExprKind::Distinct { operator, function, args, negated };
        Ok(Expr { kind, ty: Type::plain(BOOL), at })
    }

    fn distinct_rows(
        &self,
        negated: bool,
        left: &[Expr<'q>],
        right: &[Expr<'q>],
        location: Location,
    ) -> Result<Expr<'q>> {
        if left.len() != right.len() {
            let error = err!(SYNTAX_ERROR, "unequal number of entries in row expressions");
            return Err(self.at(error, location));
        }
        let mut parts = Vec::new();
        for (a, b) in left.iter().zip(right) {
            parts.push(self.distinct_values(false, *a, *b, location)?);
        }
        let whole = match parts[..] {
            [] => self.constant(Constant::Boolean(false), location)?,
            [one] => one,
            _ => Expr {
                kind: ExprKind::Or(self.slice(&parts)?),
                ty: Type::plain(BOOL),
                at: byte_of(location),
            },
        };
        if !negated {
            return Ok(whole);
        }
        let kind = ExprKind::Not(self.alloc(whole)?);
        Ok(Expr { kind, ty: Type::plain(BOOL), at: whole.at })
    }

    pub(super) fn null_if(
        &self,
        level: &Level<'q, '_>,
        left: &Expression<'_>,
        right: &Expression<'_>,
        location: Location,
    ) -> Result<Expr<'q>> {
        let left = self.transform(level, left)?;
        let right = self.transform(level, right)?;
        let (operator, function, args) = self.make_equal(left, right, "NULLIF", location)?;
        let ty = args[0].ty;
        let kind = ExprKind::NullIf { operator, function, args };
        Ok(Expr { kind, ty, at: byte_of(location) })
    }

    /// `left [NOT] IN (list)`: an array comparison for the constants, one comparison each for what
    /// reads columns.
    pub(super) fn in_list(
        &self,
        level: &Level<'q, '_>,
        negated: bool,
        left: &Expression<'_>,
        list: &[Expression<'_>],
        location: Location,
    ) -> Result<Expr<'q>> {
        let name: &[&str] = if negated { &["<>"] } else { &["="] };
        let left = self.transform(level, left)?;
        let values = self.transform_all(level, list)?;
        let is_row = |value: &Expr<'q>| matches!(value.kind, ExprKind::Row { .. });
        let (columns, constants): (Vec<Expr<'q>>, Vec<Expr<'q>>) =
            values.into_iter().partition(|value| crate::walk::has_columns(value));
        let mut parts = Vec::new();
        let mut separate = columns;
        if constants.len() > 1 && !is_row(&left) && !constants.iter().any(is_row) {
            match self.in_array(name, negated, left, &constants, location)? {
                Some(part) => parts.push(part),
                None => separate.splice(0..0, constants).for_each(drop),
            }
        } else {
            separate.splice(0..0, constants).for_each(drop);
        }
        for value in separate {
            let part = self.compare(name, Some(left), value, location)?;
            parts.push(self.coerce_boolean(part, "IN")?);
        }
        if let [only] = parts[..] {
            return Ok(only);
        }
        let parts = self.slice(&parts)?;
        let kind = if negated { ExprKind::And(parts) } else { ExprKind::Or(parts) };
        let at = byte_of(location.leftmost(location_of(&left)));
        Ok(Expr { kind, ty: Type::plain(BOOL), at })
    }

    fn in_array(
        &self,
        name: &[&str],
        negated: bool,
        left: Expr<'q>,
        constants: &[Expr<'q>],
        location: Location,
    ) -> Result<Option<Expr<'q>>> {
        let mut all = vec![left];
        all.extend_from_slice(constants);
        let Some(scalar) = self.common_type(&all, None)? else { return Ok(None) };
        for value in &all {
            if !self.can_coerce(value.ty.oid, scalar, crate::coerce::Context::Implicit)? {
                return Ok(None);
            }
        }
        let array = if scalar == RECORD { base::Oid::INVALID } else { self.array_type(scalar)? };
        if !array.is_valid() {
            return Ok(None);
        }
        let mut elements = Vec::with_capacity(constants.len());
        for value in constants {
            elements.push(self.coerce_common(*value, scalar, "IN")?);
        }
        let collation = self.result_collation(array, &elements)?;
        let list = Expr {
            kind: ExprKind::Array { elements: self.slice(&elements)?, nested: false },
            ty: Type { oid: array, typmod: -1, collation },
            at: None,
        };
        self.make_scalar_array(name, !negated, left, list, location).map(Some)
    }

    pub(super) fn between(
        &self,
        level: &Level<'q, '_>,
        (negated, symmetric): (bool, bool),
        value: &Expression<'_>,
        (low, high): (&Expression<'_>, &Expression<'_>),
        location: Location,
    ) -> Result<Expr<'q>> {
        let value = self.transform(level, value)?;
        let low = self.transform(level, low)?;
        let high = self.transform(level, high)?;
        let pair = |low: Expr<'q>, high: Expr<'q>| -> Result<Expr<'q>> {
            let (above, below): (&[&str], &[&str]) =
                if negated { (&["<"], &[">"]) } else { (&[">="], &["<="]) };
            let above = self.compare(above, Some(value), low, location)?;
            let below = self.compare(below, Some(value), high, location)?;
            self.combine(&[above, below], !negated, location)
        };
        let forward = pair(low, high)?;
        if !symmetric {
            return Ok(forward);
        }
        let backward = pair(high, low)?;
        self.combine(&[forward, backward], negated, location)
    }

    /// AND or OR over boolean parts.
    pub(crate) fn combine(
        &self,
        parts: &[Expr<'q>],
        and: bool,
        location: Location,
    ) -> Result<Expr<'q>> {
        let mut cast = Vec::with_capacity(parts.len());
        for part in parts {
            cast.push(self.coerce_boolean(*part, if and { "AND" } else { "OR" })?);
        }
        let at = cast.first().map_or(location, |part| location.leftmost(location_of(part)));
        let parts = self.slice(&cast)?;
        let kind = if and { ExprKind::And(parts) } else { ExprKind::Or(parts) };
        Ok(Expr { kind, ty: Type::plain(BOOL), at: byte_of(at) })
    }

    /// Text for literals whose type nothing decided.
    pub(crate) fn resolve_unknown(&self, expr: Expr<'q>) -> Result<Expr<'q>> {
        if expr.ty.oid != crate::coerce::UNKNOWN {
            return Ok(expr);
        }
        self.coerce_common(expr, TEXT, "SELECT")
    }
}

/// The side of a comparison that the literal NULL is compared with.
fn other_than_null<'e>(
    left: &'e Expression<'e>,
    right: &'e Expression<'e>,
) -> Option<&'e Expression<'e>> {
    let is_null = |side: &Expression<'_>| {
        matches!(side, Expression::Const { value: parse::Constant::Null, .. })
    };
    match (is_null(left), is_null(right)) {
        (_, true) => Some(left),
        (true, false) => Some(right),
        (false, false) => None,
    }
}
