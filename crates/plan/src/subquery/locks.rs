//! Row locks of subqueries are locks of the tables in them.

use crate::planner::Planner;
use analyze::tree::{FromItem, Query, RangeId, RangeKind, RowMark};
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

impl<'q> Planner<'_, 'q, '_> {
    /// Has the subqueries that stay whole lock the rows that the query around them locks.
    pub(super) fn lock_inside(&self, query: &mut Query<'q>) -> Result<()> {
        let mut ranges = query.ranges.to_vec();
        for mark in query.locking {
            let Some(range) = ranges.get_mut(mark.range.0 as usize) else { continue };
            let RangeKind::Subquery { query: inner, view } = range.kind else { continue };
            if let Some(what) = inner.lock_obstacle() {
                let word = mark.strength.clause();
                return Err(Error::unsupported(format!("{word} is not allowed with {what}")));
            }
            let mut marks = inner.locking.to_vec();
            for range in lockable(inner) {
                RowMark { range, ..*mark }.add_to(&mut marks);
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
