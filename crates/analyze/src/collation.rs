//! Which collation an expression has.
//!
//! A collation that COLLATE wrote beats the others; of the rest one that is not the default beats
//! the default. Two that differ leave none, which only matters to what compares (42P22 then).
//!
//! Limits: explicit collations are told by a [`ExprKind::Collate`] at the top of an argument.

use crate::Analyzer;
use crate::tree::{Expr, ExprKind};
use base::{Oid, Result, err};

/// `pg_catalog."default"`
pub(crate) const DEFAULT_COLLATION: Oid = Oid(100);

impl<'q> Analyzer<'q, '_> {
    /// The collation of a result of type `oid` computed from `args`.
    pub(crate) fn result_collation(&self, oid: Oid, args: &[Expr<'q>]) -> Result<Oid> {
        let own = self.type_row(oid)?.collation;
        let merged = self.merge_collations(args)?;
        if !own.is_valid() {
            return Ok(own);
        }
        Ok(if merged.is_valid() { merged } else { own })
    }

    /// The collation that the arguments agree on; none when they do not, or have none.
    pub(crate) fn merge_collations(&self, args: &[Expr<'q>]) -> Result<Oid> {
        let mut explicit: Option<Oid> = None;
        let mut implicit = Oid::INVALID;
        for arg in args {
            let collation = arg.ty.collation;
            if !collation.is_valid() {
                continue;
            }
            if matches!(arg.kind, ExprKind::Collate(_)) {
                match explicit {
                    Some(other) if other != collation => {
                        let catalog = self.env.catalog();
                        let error = err!(
                            COLLATION_MISMATCH,
                            "collation mismatch between explicit collations \"{}\" and \"{}\"",
                            catalog.collation(other)?.name,
                            catalog.collation(collation)?.name
                        );
                        return Err(self.at_expr(error, arg));
                    }
                    _ => explicit = Some(collation),
                }
            } else if !implicit.is_valid() || implicit == DEFAULT_COLLATION {
                implicit = collation;
            }
        }
        Ok(explicit.unwrap_or(implicit))
    }
}
