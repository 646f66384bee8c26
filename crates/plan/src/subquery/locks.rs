//! Row locks of subqueries are locks of the tables in them.

use crate::planner::Planner;
use analyze::tree::{Distinct, FromItem, LockWait, Query, RangeId, RangeKind, RowMark};
use base::{Error, Result};

/// The ranges in FROM whose rows can be locked: tables and subqueries.
pub(super) fn lockable(query: &Query<'_>) -> Vec<RangeId> {
    fn find(query: &Query<'_>, item: &FromItem<'_>, out: &mut Vec<RangeId>) {
        match item {
            FromItem::Range(range) => {
                let kind = query.ranges.get(range.0 as usize).map(|range| range.kind);
                if let Some(RangeKind::Relation { .. } | RangeKind::Subquery { .. }) = kind {
                    out.push(*range);
                }
            }
            FromItem::Join { left, right, .. } => {
                find(query, left, out);
                find(query, right, out);
            }
        }
    }
    let mut out = Vec::new();
    query.from.iter().for_each(|item| find(query, item, &mut out));
    out
}

/// Why rows of a query cannot be traced to tables.
fn obstacle(query: &Query<'_>) -> Option<&'static str> {
    Some(if query.set_operation.is_some() {
        "UNION/INTERSECT/EXCEPT"
    } else if !matches!(query.distinct, Distinct::None) {
        "DISTINCT clause"
    } else if !query.group_by.is_empty() || !query.grouping_sets.is_empty() {
        "GROUP BY clause"
    } else if query.having.is_some() {
        "HAVING clause"
    } else if query.has_aggregates {
        "aggregate functions"
    } else if query.has_windows {
        "window functions"
    } else if query.has_target_sets {
        "set-returning functions in the target list"
    } else {
        return None;
    })
}

impl<'q> Planner<'_, 'q, '_> {
    /// Has the subqueries that stay whole lock the rows that the query around them locks.
    pub(super) fn lock_inside(&self, query: &mut Query<'q>) -> Result<()> {
        let mut ranges = query.ranges.to_vec();
        for mark in query.locking {
            let Some(range) = ranges.get_mut(mark.range.0 as usize) else { continue };
            let RangeKind::Subquery { query: inner, view } = range.kind else { continue };
            if let Some(what) = obstacle(inner) {
                let word = mark.strength.clause();
                return Err(Error::unsupported(format!("{word} is not allowed with {what}")));
            }
            let mut marks = inner.locking.to_vec();
            for range in lockable(inner) {
                add(&mut marks, RowMark { range, ..*mark });
            }
            let locking = self.trees.alloc_slice_copy(&marks)?;
            let inner = self.trees.alloc(Query { locking, ..*inner })?;
            range.kind = RangeKind::Subquery { query: inner, view };
        }
        if !query.locking.is_empty() {
            query.ranges = self.trees.alloc_slice_copy(&ranges)?;
        }
        Ok(())
    }
}

/// The strongest lock and the least patient wait count.
fn add(marks: &mut Vec<RowMark>, mark: RowMark) {
    match marks.iter_mut().find(|old| old.range == mark.range) {
        Some(old) => {
            old.strength = old.strength.max(mark.strength);
            if mark.wait != LockWait::Wait && old.wait != LockWait::NoWait {
                old.wait = mark.wait;
            }
        }
        None => marks.push(mark),
    }
}
