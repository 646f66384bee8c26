//! The common type of several expressions (UNION, CASE, VALUES, ARRAY and their like).

use crate::coerce::{Context, TEXT, UNKNOWN};
use crate::tree::Expr;
use crate::{Analyzer, location_of};
use base::{Oid, Result, err};

impl<'q> Analyzer<'q, '_> {
    /// The type that all the expressions can become by implicit casts. `construct` names the place
    /// for the error; without it a failure yields none.
    pub(crate) fn common_type(
        &self,
        exprs: &[Expr<'q>],
        construct: Option<&str>,
    ) -> Result<Option<Oid>> {
        let Some(first) = exprs.first() else { return Ok(None) };
        if first.ty.oid != UNKNOWN && exprs.iter().all(|expr| expr.ty.oid == first.ty.oid) {
            return Ok(Some(first.ty.oid));
        }
        let mut chosen = self.base_type(first.ty.oid)?;
        let (mut category, mut preferred) = self.category(chosen)?;
        for expr in &exprs[1..] {
            let oid = self.base_type(expr.ty.oid)?;
            if oid == UNKNOWN || oid == chosen {
                continue;
            }
            let (its_category, its_preferred) = self.category(oid)?;
            if chosen == UNKNOWN {
                (chosen, category, preferred) = (oid, its_category, its_preferred);
            } else if its_category != category {
                let Some(construct) = construct else { return Ok(None) };
                let (a, b) = (self.type_name(chosen)?, self.type_name(oid)?);
                let error =
                    err!(DATATYPE_MISMATCH, "{construct} types {a} and {b} cannot be matched");
                return Err(self.at_expr(error, expr));
            } else if !preferred
                && self.can_coerce(chosen, oid, Context::Implicit)?
                && !self.can_coerce(oid, chosen, Context::Implicit)?
            {
                (chosen, category, preferred) = (oid, its_category, its_preferred);
            }
        }
        Ok(Some(if chosen == UNKNOWN { TEXT } else { chosen }))
    }

    /// The modifier that all share if they already have the type.
    pub(crate) fn common_typmod(&self, exprs: &[Expr<'q>], oid: Oid) -> i32 {
        let Some(first) = exprs.first() else { return -1 };
        let same = |expr: &Expr<'q>| expr.ty.oid == oid && expr.ty.typmod == first.ty.typmod;
        if exprs.iter().all(same) { first.ty.typmod } else { -1 }
    }

    /// The expression as the common type.
    pub(crate) fn coerce_common(
        &self,
        expr: Expr<'q>,
        target: Oid,
        construct: &str,
    ) -> Result<Expr<'q>> {
        if expr.ty.oid == target {
            return Ok(expr);
        }
        if !self.can_coerce(expr.ty.oid, target, Context::Implicit)? {
            let (from, to) = (self.type_name(expr.ty.oid)?, self.type_name(target)?);
            let error = err!(CANNOT_COERCE, "{construct} could not convert type {from} to {to}");
            return Err(self.at_expr(error, &expr));
        }
        let form = crate::tree::CastForm::Implicit;
        self.coerce(expr, target, -1, Context::Implicit, form, location_of(&expr))
    }

    /// All as their common type.
    pub(crate) fn coerce_all_common(&self, exprs: &mut [Expr<'q>], construct: &str) -> Result<Oid> {
        let target = self.common_type(exprs, Some(construct))?.unwrap_or(TEXT);
        for expr in exprs {
            *expr = self.coerce_common(*expr, target, construct)?;
        }
        Ok(target)
    }
}
