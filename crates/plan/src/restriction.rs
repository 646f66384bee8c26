//! What an OR over several tables says about one of them.
//!
//! `(a.x = 1 AND b.y = 2) OR (a.x = 3 AND b.y = 4)` can only hold where `a.x = 1 OR a.x = 3`: the
//! scan of `a` can leave out the other rows. The whole condition is still checked at the join.

use crate::estimate::has_subquery;
use crate::from::conjuncts;
use crate::planner::{Cond, Level, Planner};
use analyze::tree::{Expr, ExprKind};
use base::Result;
use std::collections::BTreeSet;

impl<'q> Planner<'_, 'q, '_> {
    /// The condition on these ranges that a condition on more of them implies; nothing if an arm
    /// says nothing about them.
    pub(crate) fn restriction(
        &self,
        level: &Level<'_, 'q>,
        ranges: &BTreeSet<u32>,
        cond: &Cond<'_, 'q>,
    ) -> Result<Option<&'q Expr<'q>>> {
        let ExprKind::Or(arms) = cond.expr.kind else { return Ok(None) };
        if self.ranges_of(level, level, cond.expr).is_disjoint(ranges) {
            return Ok(None);
        }
        let mut restricted = Vec::with_capacity(arms.len());
        for arm in arms {
            let mut parts = Vec::new();
            conjuncts(arm, &mut parts);
            let mut own = Vec::new();
            for part in parts {
                let read = self.ranges_of(level, level, part);
                let fits = !read.is_empty() && read.is_subset(ranges) && !has_subquery(part);
                if fits && !self.is_volatile(part)? {
                    own.push(*part);
                }
            }
            restricted.push(match own.as_slice() {
                [] => return Ok(None),
                [one] => *one,
                _ => Expr { kind: ExprKind::And(self.trees.alloc_slice_copy(&own)?), ..*arm },
            });
        }
        let kind = ExprKind::Or(self.trees.alloc_slice_copy(&restricted)?);
        self.tree(kind, cond.expr.ty).map(Some)
    }
}
