//! Subqueries that become parts of the query around them.

use super::{Deeper, is_read_as_row, shown, subquery_of};
use crate::estimate::has_subquery;
use crate::from::is_plain;
use crate::planner::Planner;
use analyze::replace::{self, Replacement};
use analyze::tree::{
    ColumnUse, Command, Expr, ExprKind, FromItem, JoinKind, Query, RangeId, RangeKind, RowMark,
};
use base::{Error, Result};
use memory::Bump;

/// Where a range stands in FROM.
#[derive(Clone, Copy)]
struct Place {
    range: RangeId,
    in_join: bool,
    /// Whether it may have no row where the query has one.
    nullable: bool,
    /// Whether it is a part of a full join, which keeps rows of both sides.
    full: bool,
}

impl<'q> Planner<'_, 'q, '_> {
    /// Takes in all subqueries that are plain joins.
    pub(super) fn take_in(&self, query: &mut Query<'q>) -> Result<()> {
        loop {
            let mut places = Vec::new();
            for item in query.from {
                find(
                    item,
                    Place { range: RangeId(0), in_join: false, nullable: false, full: false },
                    &mut places,
                );
            }
            let mut next = None;
            for place in places {
                if self.fits(query, place)? {
                    next = Some(place.range);
                    break;
                }
            }
            let Some(range) = next else { return Ok(()) };
            *query = self.with(query, range)?;
        }
    }

    fn fits(&self, query: &Query<'q>, place: Place) -> Result<bool> {
        let Some((inner, view)) = subquery_of(query, place.range) else { return Ok(false) };
        let plain = inner.command == Command::Select
            && is_plain(inner)
            && inner.order_by.is_empty()
            && !inner.from.is_empty()
            && (!place.in_join || inner.from.len() == 1)
            && (!place.full || inner.filter.is_none())
            && !self.is_barrier(view)?
            && !is_read_as_row(self.trees.alloc(*query)?, place.range);
        if !plain {
            return Ok(false);
        }
        let strict = place.nullable || !query.grouping_sets.is_empty();
        let types = query.ranges[place.range.0 as usize].types;
        let shown = shown(inner);
        for (expr, ty) in shown.iter().zip(types) {
            let fits = expr.ty.oid == ty.oid
                && if strict {
                    is_column(inner, expr)
                } else {
                    !has_subquery(expr) && !self.is_volatile(expr)?
                };
            if !fits {
                return Ok(false);
            }
        }
        Ok(shown.len() == types.len())
    }

    /// The query with a subquery taken in.
    fn with(&self, query: &Query<'q>, range: RangeId) -> Result<Query<'q>> {
        let Some((inner, _)) = subquery_of(query, range) else {
            return Err(Error::internal("a range that is no subquery"));
        };
        let trees = self.trees;
        let first = query.ranges.len() as u32;
        let moved = replace::query_parts(&mut Up { trees, first }, inner, 0)?;
        let columns: Vec<Expr<'q>> = shown(trees.alloc(moved)?).into_iter().copied().collect();
        let mut ranges = query.ranges.to_vec();
        // Nothing reads it any more.
        ranges[range.0 as usize].kind = RangeKind::Values(&[]);
        let bare = Query { ranges: trees.alloc_slice_copy(&ranges)?, ..*query };
        let mut put = Put { trees, range, columns: &columns };
        let outer = replace::query_parts(&mut put, &bare, 0)?;
        let mut ranges = outer.ranges.to_vec();
        ranges.extend_from_slice(moved.ranges);
        let items = moved.from.iter().map(|item| self.shifted(item, first));
        let items = items.collect::<Result<Vec<_>>>()?;
        let mut from = Vec::with_capacity(outer.from.len());
        let mut filter = outer.filter;
        for item in outer.from {
            if matches!(item, FromItem::Range(id) if *id == range) {
                from.extend_from_slice(&items);
                filter = self.both(filter, moved.filter.map_or(&[], std::slice::from_ref))?;
                continue;
            }
            let (item, left) = self.put_item(item, range, &items, moved.filter)?;
            from.push(item);
            filter = self.both(filter, left.map_or(&[], std::slice::from_ref))?;
        }
        Ok(Query {
            ranges: trees.alloc_slice_copy(&ranges)?,
            from: trees.alloc_slice_copy(&from)?,
            filter,
            locking: trees.alloc_slice_copy(&marks(query, range, inner, first))?,
            has_sublinks: query.has_sublinks || inner.has_sublinks,
            ..outer
        })
    }

    /// An item of the subquery's FROM with the numbers that its ranges get.
    fn shifted(&self, item: &FromItem<'q>, first: u32) -> Result<FromItem<'q>> {
        base::stack::check_stack_depth()?;
        let mut new = *item;
        match &mut new {
            FromItem::Range(range) => range.0 += first,
            FromItem::Join { left, right, range, .. } => {
                *left = self.trees.alloc(self.shifted(left, first)?)?;
                *right = self.trees.alloc(self.shifted(right, first)?)?;
                range.0 += first;
            }
        }
        Ok(new)
    }

    /// A join with the subquery's item in its place, and the subquery's condition where a join
    /// around it does not take it: rows that an outer join keeps may be left out after it.
    fn put_item(
        &self,
        item: &FromItem<'q>,
        place: RangeId,
        items: &[FromItem<'q>],
        filter: Option<&'q Expr<'q>>,
    ) -> Result<(FromItem<'q>, Option<&'q Expr<'q>>)> {
        base::stack::check_stack_depth()?;
        let mut new = *item;
        let rest = match &mut new {
            FromItem::Range(range) if *range == place => {
                let [item] = items else {
                    return Err(Error::internal("a join of more than two items"));
                };
                return Ok((*item, filter));
            }
            FromItem::Range(_) => None,
            FromItem::Join { kind, left, right, on, .. } => {
                let (new_left, of_left) = self.put_item(left, place, items, filter)?;
                let (new_right, of_right) = self.put_item(right, place, items, filter)?;
                *left = self.trees.alloc(new_left)?;
                *right = self.trees.alloc(new_right)?;
                let (now, later) = match kind {
                    JoinKind::Inner => (of_left.or(of_right), None),
                    JoinKind::Left => (of_right, of_left),
                    JoinKind::Right => (of_left, of_right),
                    JoinKind::Full => (None, of_left.or(of_right)),
                };
                *on = self.both(*on, now.map_or(&[], std::slice::from_ref))?;
                later
            }
        };
        Ok((new, rest))
    }
}

fn find(item: &FromItem<'_>, at: Place, out: &mut Vec<Place>) {
    match item {
        FromItem::Range(range) => out.push(Place { range: *range, ..at }),
        FromItem::Join { kind, left, right, .. } => {
            let side = |nullable: bool| Place {
                in_join: true,
                nullable: at.nullable || nullable,
                full: at.full || *kind == JoinKind::Full,
                ..at
            };
            find(left, side(matches!(kind, JoinKind::Right | JoinKind::Full)), out);
            find(right, side(matches!(kind, JoinKind::Left | JoinKind::Full)), out);
        }
    }
}

/// Whether an expression is a column of a range of the query that is no join.
fn is_column(query: &Query<'_>, expr: &Expr<'_>) -> bool {
    let ExprKind::Column(ColumnUse { range, attribute, levels_up: 0, .. }) = expr.kind else {
        return false;
    };
    match query.ranges.get(range.0 as usize).map(|range| range.kind) {
        Some(RangeKind::Join { columns, .. }) => usize::try_from(attribute - 1)
            .ok()
            .and_then(|at| columns.get(at))
            .is_some_and(|column| is_column(query, column)),
        Some(_) => attribute > 0,
        None => false,
    }
}

/// The row locks of the query when a subquery's ranges come to it.
fn marks<'q>(query: &Query<'q>, range: RangeId, inner: &Query<'q>, first: u32) -> Vec<RowMark> {
    let mut marks = Vec::with_capacity(query.locking.len());
    for mark in query.locking {
        if mark.range != range {
            marks.push(*mark);
            continue;
        }
        let inside = super::locks::lockable(inner).into_iter();
        marks.extend(inside.map(|inside| RowMark { range: RangeId(inside.0 + first), ..*mark }));
    }
    marks
}

/// Moves a subquery's parts into the query around it, whose ranges they follow.
struct Up<'q> {
    trees: &'q Bump,
    first: u32,
}

impl<'q> Replacement<'q> for Up<'q> {
    fn trees(&self) -> &'q Bump {
        self.trees
    }

    fn column(&mut self, old: &Expr<'q>, column: ColumnUse, depth: u16) -> Result<Expr<'q>> {
        let mut column = column;
        if column.levels_up == depth {
            column.range.0 += self.first;
        }
        column.levels_up = self.levels_up(column.levels_up, depth);
        Ok(Expr { kind: ExprKind::Column(column), ..*old })
    }

    fn levels_up(&self, levels_up: u16, depth: u16) -> u16 {
        if levels_up > depth { levels_up - 1 } else { levels_up }
    }
}

/// Puts what a subquery's columns stand for in their place.
struct Put<'a, 'q> {
    trees: &'q Bump,
    range: RangeId,
    columns: &'a [Expr<'q>],
}

impl<'q> Replacement<'q> for Put<'_, 'q> {
    fn trees(&self) -> &'q Bump {
        self.trees
    }

    fn column(&mut self, old: &Expr<'q>, column: ColumnUse, depth: u16) -> Result<Expr<'q>> {
        if column.levels_up != depth || column.range != self.range {
            return Ok(*old);
        }
        let at = usize::try_from(column.attribute - 1).unwrap_or(usize::MAX);
        let Some(stands_for) = self.columns.get(at) else {
            return Err(Error::internal("a subquery has no such column"));
        };
        if depth == 0 {
            return Ok(*stands_for);
        }
        replace::expr(&mut Deeper { trees: self.trees, by: depth, beyond: 0 }, stands_for, 0)
    }
}
