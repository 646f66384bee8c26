//! GROUP BY and what may be read of a grouped query.

use crate::scope::{Clause, Level};
use crate::target::Targets;
use crate::tree::{Expr, ExprKind, GroupingItem, GroupingSet, RangeKind, SortKey};
use crate::{Analyzer, location_of};
use base::{Result, err};
use parse::{Expression, GroupingElement, Location};

/// PostgreSQL's bound on expanded grouping sets.
const SETS_MAX: usize = 4096;

/// GROUP BY, resolved.
#[derive(Default)]
pub(crate) struct Grouping<'q> {
    pub(crate) keys: Vec<SortKey>,
    /// Empty for a plain GROUP BY.
    pub(crate) sets: Vec<Vec<u32>>,
    /// What `sets` was written as.
    pub(crate) written: Vec<GroupingItem<'q>>,
}

impl<'q> Analyzer<'q, '_> {
    pub(crate) fn group_clause(
        &self,
        level: &Level<'q, '_>,
        elements: &[GroupingElement<'_>],
        distinct: bool,
        targets: &mut Targets<'q>,
    ) -> Result<Grouping<'q>> {
        let mut grouping = Grouping::default();
        let plain =
            elements.iter().all(|element| matches!(element, GroupingElement::Expression(_)));
        let mut sets: Vec<Vec<u32>> = vec![Vec::new()];
        for element in elements {
            let (its, item) = self.grouping_sets(level, element, targets, &mut grouping.keys)?;
            if plain {
                continue;
            }
            grouping.written.push(item);
            let mut product = Vec::new();
            for set in &sets {
                for more in &its {
                    let mut set = set.clone();
                    for item in more {
                        if !set.contains(item) {
                            set.push(*item);
                        }
                    }
                    product.push(set);
                }
            }
            if product.len() > SETS_MAX {
                return Err(err!(
                    STATEMENT_TOO_COMPLEX,
                    "too many grouping sets present (maximum {SETS_MAX})"
                ));
            }
            sets = product;
        }
        if !plain {
            if distinct {
                let mut seen: Vec<Vec<u32>> = Vec::new();
                sets.retain(|set| {
                    let mut sorted = set.clone();
                    sorted.sort_unstable();
                    let new = !seen.contains(&sorted);
                    seen.push(sorted);
                    new
                });
            }
            grouping.sets = sets;
        }
        Ok(grouping)
    }

    /// The sets that an element stands for.
    fn grouping_sets(
        &self,
        level: &Level<'q, '_>,
        element: &GroupingElement<'_>,
        targets: &mut Targets<'q>,
        keys: &mut Vec<SortKey>,
    ) -> Result<(Vec<Vec<u32>>, GroupingItem<'q>)> {
        base::stack::check_stack_depth()?;
        Ok(match element {
            GroupingElement::Empty(_) => (vec![Vec::new()], GroupingItem::Simple(&[])),
            GroupingElement::Expression(expression) => {
                let unit = self.grouping_unit(level, expression, targets, keys)?;
                let item = GroupingItem::Simple(self.slice(&unit)?);
                (vec![unit], item)
            }
            GroupingElement::Rollup(units, _) => {
                let units = self.grouping_units(level, units, targets, keys)?;
                let sets = (0..=units.len()).rev().map(|n| units[..n].concat()).collect();
                (sets, GroupingItem::Rollup(self.unit_list(&units)?))
            }
            GroupingElement::Cube(units, location) => {
                if units.len() > 12 {
                    let error = err!(TOO_MANY_COLUMNS, "CUBE is limited to 12 elements");
                    return Err(self.at(error, *location));
                }
                let units = self.grouping_units(level, units, targets, keys)?;
                let all = 1u32 << units.len();
                let set = |mask: u32| {
                    let chosen = units.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0);
                    chosen.flat_map(|(_, unit)| unit.iter().copied()).collect()
                };
                let sets = (0..all).rev().map(set).collect();
                (sets, GroupingItem::Cube(self.unit_list(&units)?))
            }
            GroupingElement::Sets(elements, _) => {
                let (mut sets, mut items) = (Vec::new(), Vec::new());
                for element in *elements {
                    let (its, item) = self.grouping_sets(level, element, targets, keys)?;
                    sets.extend(its);
                    items.push(item);
                }
                (sets, GroupingItem::Sets(self.slice(&items)?))
            }
        })
    }

    fn unit_list(&self, units: &[Vec<u32>]) -> Result<&'q [&'q [u32]]> {
        let units: Result<Vec<&'q [u32]>> = units.iter().map(|unit| self.slice(unit)).collect();
        self.slice(&units?)
    }

    fn grouping_units(
        &self,
        level: &Level<'q, '_>,
        units: &[Expression<'_>],
        targets: &mut Targets<'q>,
        keys: &mut Vec<SortKey>,
    ) -> Result<Vec<Vec<u32>>> {
        units.iter().map(|unit| self.grouping_unit(level, unit, targets, keys)).collect()
    }

    /// One expression, or several in parentheses.
    fn grouping_unit(
        &self,
        level: &Level<'q, '_>,
        unit: &Expression<'_>,
        targets: &mut Targets<'q>,
        keys: &mut Vec<SortKey>,
    ) -> Result<Vec<u32>> {
        if let Expression::Row { args, explicit: false, .. } = unit {
            let mut items = Vec::new();
            for arg in *args {
                items.extend(self.grouping_unit(level, arg, targets, keys)?);
            }
            return Ok(items);
        }
        let at = self.named_target(level, unit, targets, Clause::GroupBy)?;
        targets[at].expr = self.resolve_unknown(targets[at].expr)?;
        let known = keys.iter().position(|key| key.target as usize == at);
        let index = match known {
            Some(index) => index,
            None => {
                keys.push(self.group_key(at, &targets[at].expr, unit.location())?);
                keys.len() - 1
            }
        };
        Ok(vec![u32::try_from(index).unwrap_or(u32::MAX)])
    }

    /// 42803 for columns that are neither grouped nor within an aggregate; resolves GROUPING.
    pub(crate) fn check_grouping(
        &self,
        level: &Level<'q, '_>,
        grouping: &Grouping<'q>,
        targets: &mut Targets<'q>,
        having: &mut Option<&'q Expr<'q>>,
    ) -> Result<()> {
        for key in &grouping.keys {
            let expr = &targets[key.target as usize].expr;
            let mut contents = crate::aggregate::Contents::default();
            contents.look(expr);
            if contents.aggregate == Some(0) {
                let error = err!(GROUPING_ERROR, "aggregate functions are not allowed in GROUP BY");
                return Err(self.at_expr(error, expr));
            }
            if let Some(at) = contents.window_at {
                let error = err!(WINDOWING_ERROR, "window functions are not allowed in GROUP BY");
                return Err(self.at(error, at));
            }
        }
        let grouped: Vec<Expr<'q>> = grouping
            .keys
            .iter()
            .map(|key| self.through_join(level, targets[key.target as usize].expr))
            .collect();
        let check = Check { analyzer: self, level, grouped: &grouped, grouping };
        for target in targets.iter() {
            check.expression(&target.expr, 0)?;
        }
        if let Some(having) = having {
            check.expression(having, 0)?;
        }
        let pending = std::mem::take(&mut *level.groupings.borrow_mut());
        if pending.is_empty() {
            return Ok(());
        }
        let mut resolved = Vec::new();
        for args in pending {
            let mut items = Vec::new();
            for arg in &args {
                let arg = self.through_join(level, *arg);
                match grouped.iter().position(|expr| self.same(expr, &arg)) {
                    Some(at) => items.push(u32::try_from(at).unwrap_or(u32::MAX)),
                    None => {
                        let error = err!(
                            GROUPING_ERROR,
                            "arguments to GROUPING must be grouping expressions of the associated \
                             query level"
                        );
                        return Err(self.at_expr(error, &arg));
                    }
                }
            }
            resolved.push(items);
        }
        for target in targets.iter_mut() {
            target.expr = self.resolve_groupings(target.expr, &resolved)?;
        }
        if let Some(expr) = having {
            *expr = self.alloc(self.resolve_groupings(**expr, &resolved)?)?;
        }
        Ok(())
    }

    /// What a merged column of a join stands for, if it is a plain column.
    pub(crate) fn through_join(&self, level: &Level<'q, '_>, expr: Expr<'q>) -> Expr<'q> {
        if let ExprKind::Column(target) = expr.kind
            && target.levels_up == 0
            && let RangeKind::Join { columns, .. } = level.range(target.range).kind
            && let Some(at) = usize::try_from(target.attribute).ok().and_then(|a| a.checked_sub(1))
            && let Some(column) = columns.get(at)
        {
            return self.through_join(level, Expr { at: expr.at, ..*column });
        }
        expr
    }

    pub(crate) fn grouping_set_list(&self, sets: &[Vec<u32>]) -> Result<&'q [GroupingSet<'q>]> {
        let mut list = Vec::with_capacity(sets.len());
        for set in sets {
            list.push(GroupingSet { items: self.slice(set)? });
        }
        self.slice(&list)
    }
}

/// Looks for columns that a grouped query may not read.
struct Check<'c, 'q, 'e, 'l> {
    analyzer: &'c Analyzer<'q, 'e>,
    level: &'c Level<'q, 'l>,
    grouped: &'c [Expr<'q>],
    grouping: &'c Grouping<'q>,
}

impl<'q> Check<'_, 'q, '_, '_> {
    fn expression(&self, expr: &Expr<'q>, depth: u16) -> Result<()> {
        base::stack::check_stack_depth()?;
        if self.is_grouped(expr, depth) {
            return Ok(());
        }
        match expr.kind {
            ExprKind::Aggregate(aggregate) if aggregate.levels_up == depth => {
                for arg in aggregate.direct_args {
                    if let Err(error) = self.expression(arg, depth) {
                        return Err(error.detail(
                            "Direct arguments of an ordered-set aggregate must use only grouped \
                             columns.",
                        ));
                    }
                }
                return Ok(());
            }
            ExprKind::Aggregate(aggregate) if aggregate.levels_up > depth => return Ok(()),
            ExprKind::Grouping { .. } => return Ok(()),
            ExprKind::Column(target) if target.levels_up == depth => {
                return self.column(expr, depth);
            }
            _ => {}
        }
        let mut result = Ok(());
        crate::walk::children(expr, &mut |child| {
            if result.is_ok() {
                result = self.expression(child, depth);
            }
        });
        result?;
        match crate::walk::sub_query(expr) {
            Some(query) => self.query(query, depth + 1),
            None => Ok(()),
        }
    }

    fn query(&self, query: &'q crate::tree::Query<'q>, depth: u16) -> Result<()> {
        base::stack::check_stack_depth()?;
        let mut result = Ok(());
        crate::walk::query_expressions(query, &mut |expr| {
            if result.is_ok() {
                result = self.expression(expr, depth);
            }
        });
        crate::walk::sub_queries(query, &mut |inner| {
            if result.is_ok() {
                result = self.query(inner, depth + 1);
            }
        });
        result
    }

    fn is_grouped(&self, expr: &Expr<'q>, depth: u16) -> bool {
        if depth == 0 {
            let flat = self.analyzer.through_join(self.level, *expr);
            return self.grouped.iter().any(|grouped| self.analyzer.same(grouped, &flat));
        }
        // In a subquery, a grouped column is one of the outer query.
        let ExprKind::Column(mut target) = expr.kind else { return false };
        if target.levels_up != depth {
            return false;
        }
        target.levels_up = 0;
        let here = Expr { kind: ExprKind::Column(target), ..*expr };
        let flat = self.analyzer.through_join(self.level, here);
        self.grouped.iter().any(|grouped| self.analyzer.same(grouped, &flat))
    }

    fn column(&self, expr: &Expr<'q>, depth: u16) -> Result<()> {
        let ExprKind::Column(mut target) = expr.kind else { return Ok(()) };
        target.levels_up = 0;
        let here = Expr { kind: ExprKind::Column(target), ..*expr };
        let flat = self.analyzer.through_join(self.level, here);
        let ExprKind::Column(flat_target) = flat.kind else {
            // A merged column of a full join: its parts must be grouped.
            let mut result = Ok(());
            crate::walk::children(&flat, &mut |child| {
                if result.is_ok() {
                    result = self.expression(child, 0);
                }
            });
            return result;
        };
        let range = self.level.range(flat_target.range);
        if self.grouping.sets.is_empty() && self.depends_on_key(flat_target.range.0, &range.kind)? {
            return Ok(());
        }
        let at = usize::try_from(flat_target.attribute).ok().and_then(|a| a.checked_sub(1));
        let name = at.and_then(|at| range.columns.get(at)).copied().unwrap_or("*");
        let name = if flat_target.attribute < 0 { "ctid" } else { name };
        let shown = format!("{}.{name}", range.alias);
        let error = if depth == 0 {
            err!(
                GROUPING_ERROR,
                "column \"{shown}\" must appear in the GROUP BY clause or be used in an aggregate \
                 function"
            )
        } else {
            err!(GROUPING_ERROR, "subquery uses ungrouped column \"{shown}\" from outer query")
        };
        Err(self.analyzer.at(error, location_of(expr).or(Location::NONE)))
    }

    /// Whether the primary key of the column's table is grouped: it decides all other columns.
    fn depends_on_key(&self, range: u32, kind: &RangeKind<'q>) -> Result<bool> {
        let RangeKind::Relation { relation, .. } = kind else { return Ok(false) };
        let relation = self.analyzer.env.catalog().relation(*relation)?;
        let Some(key) = relation.primary_key().filter(|key| key.immediate) else {
            return Ok(false);
        };
        Ok(key.keys.iter().all(|column| {
            self.grouped.iter().any(|grouped| match grouped.kind {
                ExprKind::Column(target) => {
                    target.range.0 == range
                        && target.levels_up == 0
                        && target.attribute == column.attribute
                }
                _ => false,
            })
        }))
    }
}
