//! Conditions that go into the subqueries whose columns they see.

use super::{Deeper, shown, subquery_of};
use crate::estimate::has_subquery;
use crate::from::conjuncts;
use crate::planner::Planner;
use crate::range::visible_targets;
use analyze::replace::{self, Replacement};
use analyze::tree::{
    ColumnUse, Command, Distinct, Expr, ExprKind, FromItem, JoinKind, Query, Range, RangeId,
    RangeKind, SetTree, SortKey,
};
use analyze::walk;
use base::{Error, Result};
use memory::Bump;
use std::collections::BTreeMap;

/// The conditions that go into ranges.
type Handed<'q> = BTreeMap<RangeId, Vec<Expr<'q>>>;

impl<'q> Planner<'_, 'q, '_> {
    /// Gives the subqueries in FROM the conditions that mean the same in them (rule 5).
    pub(super) fn hand_conditions_down(&self, query: &mut Query<'q>) -> Result<()> {
        let mut takers = Vec::new();
        query.from.iter().for_each(|item| never_missing(item, &mut takers));
        takers.retain(|range| subquery_of(query, *range).is_some());
        let Some(filter) = query.filter else { return Ok(()) };
        if takers.is_empty() {
            return Ok(());
        }
        let mut parts = Vec::new();
        conjuncts(filter, &mut parts);
        let (mut kept, mut handed) = (Vec::new(), Handed::new());
        for part in parts {
            match self.taker(query, &takers, part)? {
                Some(range) => handed.entry(range).or_default().push(*part),
                None => kept.push(*part),
            }
        }
        if handed.is_empty() {
            return Ok(());
        }
        let mut ranges = query.ranges.to_vec();
        for (range, conditions) in handed {
            let Some(slot) = ranges.get_mut(range.0 as usize) else { continue };
            if let RangeKind::Subquery { query: inner, view } = slot.kind {
                let inner = self.under(inner, &conditions)?;
                slot.kind = RangeKind::Subquery { query: inner, view };
            }
        }
        query.ranges = self.trees.alloc_slice_copy(&ranges)?;
        query.filter = self.both(None, &kept)?;
        Ok(())
    }

    /// The subquery that a condition sees alone and may go into.
    fn taker(
        &self,
        query: &Query<'q>,
        takers: &[RangeId],
        condition: &Expr<'q>,
    ) -> Result<Option<RangeId>> {
        let Some((range, attributes)) = only_range(condition) else { return Ok(None) };
        if !takers.contains(&range) || has_subquery(condition) || self.is_volatile(condition)? {
            return Ok(None);
        }
        let Some((inner, view)) = subquery_of(query, range) else { return Ok(None) };
        let fits = !self.is_barrier(view)? && self.may_leave_out(inner, &attributes)?;
        Ok(fits.then_some(range))
    }

    /// Whether rows may be left out of a query, before it groups or numbers them, by what some of its
    /// columns are.
    fn may_leave_out(&self, query: &Query<'q>, attributes: &[i16]) -> Result<bool> {
        base::stack::check_stack_depth()?;
        if query.command != Command::Select || query.limit.is_some() || query.offset.is_some() {
            return Ok(false);
        }
        if let Some(tree) = query.set_operation {
            return self.each_may_leave_out(query, tree, attributes);
        }
        if (query.has_aggregates && query.group_by.is_empty())
            || !query.grouping_sets.is_empty()
            || (query.having.is_some() && query.group_by.is_empty())
        {
            return Ok(false);
        }
        let visible = visible_targets(query);
        for attribute in attributes {
            let at = usize::try_from(*attribute - 1).unwrap_or(usize::MAX);
            let Some(target) = visible.get(at).copied() else { return Ok(false) };
            let expr = &query.targets[usize::from(target)].expr;
            let among = |keys: &[SortKey]| keys.iter().any(|key| key.target == u32::from(target));
            let told_apart = (query.group_by.is_empty() || among(query.group_by))
                && query.windows.iter().all(|window| among(window.partition_by))
                && match query.distinct {
                    Distinct::None | Distinct::All(_) => true,
                    Distinct::On(keys) => among(keys),
                };
            if !told_apart
                || has_subquery(expr)
                || walk::returns_set(expr)
                || self.is_volatile(expr)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn each_may_leave_out(
        &self,
        query: &Query<'q>,
        tree: &SetTree<'q>,
        attributes: &[i16],
    ) -> Result<bool> {
        base::stack::check_stack_depth()?;
        match tree {
            SetTree::Node(operation) => {
                Ok(self.each_may_leave_out(query, &operation.left, attributes)?
                    && self.each_may_leave_out(query, &operation.right, attributes)?)
            }
            SetTree::Leaf(range) => {
                let Some((inner, _)) = subquery_of(query, *range) else { return Ok(false) };
                let (own, all) = (shown(inner), visible_targets(query));
                for attribute in attributes {
                    let at = usize::try_from(*attribute - 1).unwrap_or(usize::MAX);
                    let whole = all.get(at).map(|target| query.targets[usize::from(*target)].expr);
                    let same = own.get(at).zip(whole).is_some_and(|(own, all)| own.ty == all.ty);
                    if !same {
                        return Ok(false);
                    }
                }
                self.may_leave_out(inner, attributes)
            }
        }
    }

    /// A subquery under conditions on its columns, which come from the query around it.
    fn under(&self, query: &'q Query<'q>, conditions: &[Expr<'q>]) -> Result<&'q Query<'q>> {
        base::stack::check_stack_depth()?;
        if let Some(tree) = query.set_operation {
            let mut ranges = query.ranges.to_vec();
            self.each_under(&mut ranges, tree, conditions)?;
            let ranges = self.trees.alloc_slice_copy(&ranges)?;
            return Ok(self.trees.alloc(Query { ranges, ..*query })?);
        }
        let shown = shown(query);
        let mut down = Down { trees: self.trees, columns: &shown };
        let conditions = conditions.iter().map(|old| replace::expr(&mut down, old, 0));
        let conditions = conditions.collect::<Result<Vec<_>>>()?;
        let filter = self.both(query.filter, &conditions)?;
        Ok(self.trees.alloc(Query { filter, ..*query })?)
    }

    fn each_under(
        &self,
        ranges: &mut [Range<'q>],
        tree: &SetTree<'q>,
        conditions: &[Expr<'q>],
    ) -> Result<()> {
        base::stack::check_stack_depth()?;
        match tree {
            SetTree::Node(operation) => {
                self.each_under(ranges, &operation.left, conditions)?;
                self.each_under(ranges, &operation.right, conditions)
            }
            SetTree::Leaf(range) => {
                let Some(slot) = ranges.get_mut(range.0 as usize) else { return Ok(()) };
                if let RangeKind::Subquery { query, view } = slot.kind {
                    // What is further out is one level more away from here.
                    let mut deeper = Deeper { trees: self.trees, by: 1, beyond: 1 };
                    let moved = conditions.iter().map(|old| replace::expr(&mut deeper, old, 0));
                    let moved = moved.collect::<Result<Vec<_>>>()?;
                    slot.kind = RangeKind::Subquery { query: self.under(query, &moved)?, view };
                }
                Ok(())
            }
        }
    }
}

/// Puts conditions into a subquery: its columns by what they stand for there.
struct Down<'a, 'q> {
    trees: &'q Bump,
    columns: &'a [&'q Expr<'q>],
}

impl<'q> Replacement<'q> for Down<'_, 'q> {
    fn trees(&self) -> &'q Bump {
        self.trees
    }

    fn column(&mut self, old: &Expr<'q>, column: ColumnUse, depth: u16) -> Result<Expr<'q>> {
        if column.levels_up > depth {
            let levels_up = column.levels_up + 1;
            return Ok(Expr { kind: ExprKind::Column(ColumnUse { levels_up, ..column }), ..*old });
        }
        let at = usize::try_from(column.attribute - 1).unwrap_or(usize::MAX);
        let stands_for = self.columns.get(at).copied();
        stands_for.copied().ok_or_else(|| Error::internal("a subquery has no such column"))
    }
}

/// The ranges in FROM that have a row wherever the query has one, before its condition.
fn never_missing(item: &FromItem<'_>, out: &mut Vec<RangeId>) {
    match item {
        FromItem::Range(range) => out.push(*range),
        FromItem::Join { kind, left, right, .. } => {
            if matches!(kind, JoinKind::Inner | JoinKind::Left) {
                never_missing(left, out);
            }
            if matches!(kind, JoinKind::Inner | JoinKind::Right) {
                never_missing(right, out);
            }
        }
    }
}

/// The one range of the query itself that an expression reads, and the columns that it reads of it.
fn only_range(expr: &Expr<'_>) -> Option<(RangeId, Vec<i16>)> {
    let (mut found, mut several, mut attributes) = (None, false, Vec::new());
    walk::visit(expr, 0, &mut |part, depth| {
        match part.kind {
            ExprKind::Column(column) if column.levels_up == depth => {
                several |=
                    found.is_some_and(|range| range != column.range) || column.attribute <= 0;
                found = Some(column.range);
                attributes.push(column.attribute);
            }
            ExprKind::CurrentOf { .. } => several = true,
            _ => {}
        }
        true
    });
    found.filter(|_| !several).map(|range| (range, attributes))
}
