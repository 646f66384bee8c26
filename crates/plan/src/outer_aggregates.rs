//! Aggregates that stand in a subquery and belong to a query around it.
//!
//! The query that owns one computes it with its own aggregates. The subquery reads the result as
//! it reads a column of that query: through a [`Var`] of a range that no query has.

use crate::planner::{Level, Planner, Var};
use analyze::tree::{Aggregate, Expr, ExprKind, Query};
use analyze::{replace, walk};
use base::Result;

/// The range of such variables.
const AGGREGATES: u32 = u32::MAX - 16;

/// An aggregate of a level inside a subquery of it.
pub(crate) struct OuterAggregate<'q> {
    /// The call as the owner would have it.
    pub(crate) expr: &'q Expr<'q>,
    pub(crate) aggregate: &'q Aggregate<'q>,
    pub(crate) var: Var,
}

impl<'q> Planner<'_, 'q, '_> {
    /// The aggregates of a level in the subqueries of its expressions.
    pub(crate) fn outer_aggregates(
        &self,
        level: &Level<'_, 'q>,
        above: &[&'q Expr<'q>],
    ) -> Result<Vec<OuterAggregate<'q>>> {
        let mut calls: Vec<(*const (), Expr<'q>, u16)> = Vec::new();
        for expr in above {
            walk::visit(expr, 0, &mut |part, depth| match part.kind {
                ExprKind::Aggregate(aggregate) if depth > 0 && aggregate.levels_up == depth => {
                    calls.push((std::ptr::from_ref(aggregate).cast(), *part, depth));
                    false
                }
                _ => true,
            });
        }
        let mut found: Vec<OuterAggregate<'q>> = Vec::new();
        for (address, call, depth) in calls {
            if level.substitutes.borrow().iter().any(|known| known.0 == address) {
                continue;
            }
            let lifted = replace::further_out(self.trees, &call, depth)?;
            let ExprKind::Aggregate(aggregate) = lifted.kind else { continue };
            let aggregate: &'q Aggregate<'q> =
                self.trees.alloc(Aggregate { levels_up: 0, ..*aggregate })?;
            let expr = self.tree(ExprKind::Aggregate(aggregate), lifted.ty)?;
            let attribute = i16::try_from(found.len() + 1).unwrap_or(i16::MAX);
            let var = level.var(AGGREGATES, attribute);
            level.substitutes.borrow_mut().push((address, var));
            found.push(OuterAggregate { expr, aggregate, var });
        }
        Ok(found)
    }
}

/// Calls `f` for each column of its own level that a subquery reads outside the aggregates of that
/// level.
pub(crate) fn columns_beside_aggregates<'q>(
    query: &'q Query<'q>,
    f: &mut dyn FnMut(&analyze::tree::ColumnUse),
) {
    walk::visit_query(query, 1, &mut |part, depth| match &part.kind {
        ExprKind::Aggregate(aggregate) => aggregate.levels_up != depth,
        ExprKind::Column(column) => {
            if column.levels_up == depth {
                f(column);
            }
            true
        }
        _ => true,
    });
}
