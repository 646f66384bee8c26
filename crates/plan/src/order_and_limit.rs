//! What comes after the rows are made: DISTINCT, ORDER BY, row locks, OFFSET and LIMIT.
//!
//! # Rules
//! 1. With an ORDER BY, targets that have volatile calls outside of subqueries come last, so that
//!    they are called in the order of the result and for no row that it has not. So do sets, unless
//!    rows are ordered by one, and with a LIMIT subqueries, which cost much (sources:
//!    `make_sort_input_target` of PostgreSQL's planner).
//! 2. What is ordered or made distinct by comes before that, volatile or not; a target that is the
//!    same expression has its value.

use crate::calls::is_set_call;
use crate::estimate::has_subquery;
use crate::node::{Node, NodeKind, RowLock, SortColumn};
use crate::planner::{Columns, Level, Planner, Rel};
use analyze::tree::{Distinct, Expr, Query, SortKey, Type};
use analyze::walk;
use base::Result;
use expr::Program;

/// OFFSET and LIMIT, and the columns of levels above that they read.
pub(crate) struct Bounds<'p> {
    offset: Option<Program<'p>>,
    limit: Option<Program<'p>>,
    reads: Vec<u16>,
}

impl<'p> Bounds<'p> {
    /// LIMIT, where no more rows than that need be sorted.
    pub(crate) fn top(&self, query: &Query<'_>) -> Option<Program<'p>> {
        self.limit.filter(|_| self.offset.is_none() && !query.with_ties)
    }
}

fn holds_set(expr: &Expr<'_>) -> bool {
    let mut found = is_set_call(expr);
    walk::children(expr, &mut |child| found = found || holds_set(child));
    found
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    pub(crate) fn bounds(&self, level: &Level<'_, 'q>) -> Result<Bounds<'p>> {
        let none = Columns::default();
        let ((offset, limit), reads) = self.collecting(|| {
            let program = |expr: Option<&'q Expr<'q>>| match expr {
                Some(expr) => self.program(level, &none, [expr]).map(Some),
                None => Ok(None),
            };
            Ok((program(level.query.offset)?, program(level.query.limit)?))
        })?;
        Ok(Bounds { offset, limit, reads: reads.into_iter().collect() })
    }

    /// The targets that are computed before the rows are in order, where others are computed
    /// afterwards (rule 1).
    pub(crate) fn early_targets(
        &self,
        level: &Level<'_, 'q>,
        sorted: bool,
    ) -> Result<Option<Vec<u32>>> {
        let query = level.query;
        let distinct: &[SortKey] = match query.distinct {
            Distinct::None => &[],
            Distinct::All(keys) | Distinct::On(keys) => keys,
        };
        if query.order_by.is_empty() || (sorted && distinct.is_empty()) {
            return Ok(None);
        }
        let is_key = |number: u32| {
            query.order_by.iter().chain(distinct).any(|key| key.target as usize == number as usize)
        };
        let targets = || (0..).zip(query.targets);
        let ordered_by_set = query.has_target_sets
            && targets().any(|(number, target)| is_key(number) && holds_set(&target.expr));
        // Sets of one step are computed side by side: all now or all later.
        if ordered_by_set {
            return Ok(None);
        }
        let mut early = Vec::new();
        for (number, target) in targets() {
            let late = (query.has_target_sets && holds_set(&target.expr))
                || (query.limit.is_some() && has_subquery(&target.expr))
                || self.is_volatile_outside(&target.expr)?;
            if !late || is_key(number) {
                early.push(number);
            }
        }
        Ok((early.len() < query.targets.len()).then_some(early))
    }

    /// The rows in order and distinct, with the early targets and all that others are computed from.
    pub(crate) fn order_early(
        &self,
        level: &Level<'_, 'q>,
        rel: Rel<'q, 'p>,
        early: &[u32],
        sorted: bool,
        top: Option<Program<'p>>,
    ) -> Result<Rel<'q, 'p>> {
        let targets = level.query.targets;
        let exprs: Vec<&'q Expr<'q>> =
            early.iter().map(|number| &targets[*number as usize].expr).collect();
        let (rel, found) = self.extend(level, rel, &exprs)?;
        let mut places = vec![0; targets.len()];
        for (number, place) in early.iter().zip(found) {
            places[*number as usize] = place;
        }
        // A set makes more or fewer rows of one.
        let top = top.filter(|_| !level.query.has_target_sets);
        let node = self.in_order(level, rel.node, Some(&places), sorted, top)?;
        Ok(Rel { node, ..rel })
    }

    /// DISTINCT and ORDER BY over a node whose columns are the targets, or have them at `places`.
    /// `top`: no more rows than these are wanted.
    pub(crate) fn in_order(
        &self,
        level: &Level<'_, 'q>,
        mut node: &'p Node<'p>,
        places: Option<&[u16]>,
        sorted: bool,
        top: Option<Program<'p>>,
    ) -> Result<&'p Node<'p>> {
        let query = level.query;
        let types: Vec<Type> = query.targets.iter().map(|target| target.expr.ty).collect();
        let columns = |keys: &[SortKey]| -> Result<&'p [SortColumn]> {
            let keys = self.sort_columns(keys, &types)?;
            let Some(places) = places else { return Ok(keys) };
            let moved = keys
                .iter()
                .map(|key| Ok(SortColumn { column: places[usize::from(key.column)], ..*key }));
            Ok(self.bump.try_alloc_slice(moved)?)
        };
        let order = columns(query.order_by)?;
        match query.distinct {
            Distinct::None => {}
            Distinct::All(keys) => node = self.distinct(node, columns(keys)?)?,
            Distinct::On(keys) => {
                if !sorted {
                    node = self.sort(node, order, None)?;
                }
                return self.distinct(node, columns(keys)?);
            }
        }
        if sorted { Ok(node) } else { self.sort(node, order, top) }
    }

    /// Row locks, OFFSET and LIMIT over the targets.
    pub(crate) fn lock_and_limit(
        &self,
        level: &Level<'_, 'q>,
        mut node: &'p Node<'p>,
        locks: &[RowLock],
        bounds: Bounds<'p>,
    ) -> Result<&'p Node<'p>> {
        let query = level.query;
        if !locks.is_empty() {
            let kind =
                NodeKind::LockRows { input: node, marks: self.bump.alloc_slice_copy(locks)? };
            let cost = (node.rows, node.startup_cost, node.total_cost + node.rows * 0.01);
            let reads = node.reads.iter().copied().collect();
            node = self.node(kind, node.columns, cost, &reads)?;
        }
        let Bounds { offset, limit, reads } = bounds;
        if offset.is_some() || limit.is_some() {
            let types: Vec<Type> = query.targets.iter().map(|target| target.expr.ty).collect();
            let order = self.sort_columns(query.order_by, &types)?;
            let ties = query.with_ties.then_some(order);
            let kind = NodeKind::Limit { input: node, offset, limit, ties };
            let reads = reads.into_iter().chain(node.reads.iter().copied()).collect();
            let cost = (node.rows.min(100.0), node.startup_cost, node.total_cost);
            node = self.node(kind, node.columns, cost, &reads)?;
        }
        Ok(node)
    }
}
