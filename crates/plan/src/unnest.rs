//! Subqueries as joins, and those that stay subqueries.
//!
//! | condition | becomes |
//! |---|---|
//! | `EXISTS (SELECT ... WHERE correlated)` | semi-join, `NOT EXISTS` anti-join |
//! | `x IN (SELECT ...)` | semi-join |
//! | `x op (SELECT agg(...) ... WHERE inner = outer)` | join with the subquery grouped by `inner` |
//! | anything else | a subplan, run once for equal parameters |
//!
//! Nothing is unnested that has a volatile call (engine rule 4).

use crate::compile::Compiler;
use crate::from::{Pair, Side, conjuncts, is_plain};
use crate::needs::{any, note_needed, note_needed_by_exists, query_columns};
use crate::node::{Join, Subplan, SubplanKind};
use crate::planner::{Columns, Cond, Level, Planner, Rel, Var};
use crate::range::visible_targets;
use analyze::tree::{Expr, ExprKind, Query, RowCompareKind, SubLink, SubLinkKind, Type};
use base::{Oid, Result};
use expr::{Builder, Reg};
use types::oids;

/// A condition that becomes a join.
pub(crate) enum Unnested<'a, 'q> {
    /// EXISTS and NOT EXISTS.
    Exists { query: &'q Query<'q>, anti: bool },
    /// IN.
    In { link: &'q SubLink<'q>, left: &'q [Expr<'q>], types: Vec<Oid> },
    /// A comparison with an aggregate.
    Aggregate { link: &'q SubLink<'q>, cond: Cond<'a, 'q> },
}

impl Unnested<'_, '_> {
    /// Whether it only takes rows away (and may add columns), so that it can run early.
    pub(crate) fn is_filter(&self) -> bool {
        true
    }
}

/// `count(*)` and `count(any)` are 0, not NULL, for no rows.
const COUNTS: [u32; 2] = [2147, 2803];

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// Whether a condition can become a join.
    pub(crate) fn unnestable<'a>(
        &self,
        level: &Level<'_, 'q>,
        cond: &Cond<'a, 'q>,
    ) -> Result<Option<Unnested<'a, 'q>>> {
        if cond.level.id != level.id || self.is_volatile(cond.expr)? {
            return Ok(None);
        }
        match cond.expr.kind {
            ExprKind::SubLink(link) => match link.kind {
                SubLinkKind::Exists => Ok(self.exists(level, link.query, false)),
                SubLinkKind::Compare {
                    any: true,
                    kind: RowCompareKind::Equal,
                    left,
                    casts: [],
                    ..
                } => self.in_list(level, link, left),
                _ => Ok(None),
            },
            ExprKind::Not(arg) => match arg.kind {
                ExprKind::SubLink(link) if matches!(link.kind, SubLinkKind::Exists) => {
                    Ok(self.exists(level, link.query, true))
                }
                _ => Ok(None),
            },
            ExprKind::Operator { args: [a, b], .. } => {
                for side in [a, b] {
                    if let ExprKind::SubLink(link) = strip_casts(side).kind
                        && matches!(link.kind, SubLinkKind::Scalar)
                        && self.is_grouped_by_equality(level, link.query)?
                    {
                        return Ok(Some(Unnested::Aggregate { link, cond: *cond }));
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn exists<'a>(
        &self,
        level: &Level<'_, 'q>,
        query: &'q Query<'q>,
        anti: bool,
    ) -> Option<Unnested<'a, 'q>> {
        let fits = is_plain(query)
            && query.command == analyze::tree::Command::Select
            && !query.from.is_empty()
            && self.is_correlated(query)
            && self.is_correlated_in_filter_only(level, query);
        fits.then_some(Unnested::Exists { query, anti })
    }

    fn in_list<'a>(
        &self,
        level: &Level<'_, 'q>,
        link: &'q SubLink<'q>,
        left: &'q [Expr<'q>],
    ) -> Result<Option<Unnested<'a, 'q>>> {
        let query = link.query;
        let fits = if is_plain(query) && !query.from.is_empty() {
            self.is_correlated_in_filter_only(level, query)
        } else {
            !self.is_correlated(query)
        };
        if !fits || query.command != analyze::tree::Command::Select {
            return Ok(None);
        }
        let mut types = Vec::new();
        for (left, target) in left.iter().zip(visible_targets(query)) {
            let right = query.targets[usize::from(target)].expr.ty;
            match self.hash_type(left.ty.oid, right.oid)? {
                Some(type_oid) => types.push(type_oid),
                None => return Ok(None),
            }
        }
        Ok(Some(Unnested::In { link, left, types }))
    }

    /// Whether a query reads columns of the query around it, or of one further out.
    pub(crate) fn is_correlated(&self, query: &'q Query<'q>) -> bool {
        let mut found = false;
        query_columns(query, 0, &mut |column, depth| found |= column.levels_up > depth);
        found
    }

    /// Whether what a query reads of the query around it stands in conjuncts of its WHERE.
    fn is_correlated_in_filter_only(&self, _: &Level<'_, 'q>, query: &'q Query<'q>) -> bool {
        let outside = |query: &'q Query<'q>| {
            let mut count = 0;
            query_columns(query, 0, &mut |column, depth| {
                count += usize::from(column.levels_up == depth + 1);
            });
            count
        };
        let without = Query { filter: None, ..*query };
        let Ok(without) = self.trees.alloc(without) else { return false };
        outside(without) == 0
    }

    /// Whether a scalar subquery is an aggregate over rows that only equalities tie to the outside.
    fn is_grouped_by_equality(&self, level: &Level<'_, 'q>, query: &'q Query<'q>) -> Result<bool> {
        let Some(filter) = query.filter else { return Ok(false) };
        let bare = Query { has_aggregates: false, ..*query };
        if !query.has_aggregates
            || !is_plain(&bare)
            || query.targets.len() != 1
            || query.from.is_empty()
            || !self.is_correlated_in_filter_only(level, query)
            || !self.is_null_for_no_rows(&query.targets[0].expr)?
        {
            return Ok(false);
        }
        let sub = self.level(query, None);
        let mut parts = Vec::new();
        conjuncts(filter, &mut parts);
        let mut keys = 0;
        for part in parts {
            if !reads_outside(part) {
                continue;
            }
            match self.correlation(&sub, part)? {
                Some(_) => keys += 1,
                None => return Ok(false),
            }
        }
        Ok(keys > 0)
    }

    /// `inner = outer` with a type that can be hashed: inner, outer, type.
    fn correlation(
        &self,
        _: &Level<'_, 'q>,
        part: &'q Expr<'q>,
    ) -> Result<Option<(&'q Expr<'q>, &'q Expr<'q>, Oid)>> {
        let ExprKind::Operator { operator, args: [a, b], .. } = part.kind else { return Ok(None) };
        if !self.catalog().operator(operator)?.can_hash {
            return Ok(None);
        }
        let Some(type_oid) = self.hash_type(a.ty.oid, b.ty.oid)? else { return Ok(None) };
        let (inner, outer) = match (reads_outside(a), reads_outside(b)) {
            (false, true) => (a, b),
            (true, false) => (b, a),
            _ => return Ok(None),
        };
        let pure = !reads_inside(outer)
            && !any(outer, &|kind| matches!(kind, ExprKind::SubLink(_)))
            && !any(inner, &|kind| matches!(kind, ExprKind::SubLink(_)));
        // The outer side is compiled at the outer level, one level further in.
        Ok(pure.then_some((inner, outer, type_oid)))
    }

    fn is_null_for_no_rows(&self, expr: &Expr<'q>) -> Result<bool> {
        Ok(match expr.kind {
            ExprKind::Aggregate(aggregate) => {
                aggregate.levels_up == 0 && !COUNTS.contains(&aggregate.function.0)
            }
            ExprKind::Operator { function, args, .. }
            | ExprKind::Function { function, args, .. } => {
                if !self.catalog().proc(function)?.strict {
                    return Ok(false);
                }
                let mut some = false;
                for arg in args {
                    some |= self.is_null_for_no_rows(arg)?;
                }
                some
            }
            ExprKind::Relabel { arg, .. } => self.is_null_for_no_rows(arg)?,
            _ => false,
        })
    }

    /// Joins what is planned with a subquery.
    pub(crate) fn unnest(
        &self,
        level: &Level<'_, 'q>,
        rel: Rel<'q, 'p>,
        join: Unnested<'_, 'q>,
    ) -> Result<Rel<'q, 'p>> {
        self.joined_levels.borrow_mut().push(level.id);
        let result = match join {
            Unnested::Exists { query, anti } => {
                let kind = if anti { Join::Anti } else { Join::Semi };
                self.semi_join(level, rel, query, kind, &[], &[])
            }
            Unnested::In { link, left, types } if is_plain(link.query) => {
                self.semi_join(level, rel, link.query, Join::Semi, left, &types)
            }
            Unnested::In { link, left, types } => {
                let node = self.query(link.query, Some(level))?;
                let visible = visible_targets(link.query);
                let pairs =
                    left.iter().zip(&visible).zip(&types).map(|((left, right), type_oid)| Pair {
                        left: Side::Expr(left, level),
                        right: Side::Column(*right),
                        type_oid: *type_oid,
                    });
                let right = Rel { node, columns: Columns::default(), unique: Vec::new() };
                self.join_on(level, Join::Semi, (rel, right), pairs.collect(), &[], false)
            }
            Unnested::Aggregate { link, cond } => self.aggregate_join(level, rel, link, &cond),
        };
        self.joined_levels.borrow_mut().pop();
        result
    }

    fn semi_join(
        &self,
        level: &Level<'_, 'q>,
        rel: Rel<'q, 'p>,
        query: &'q Query<'q>,
        join: Join,
        left: &'q [Expr<'q>],
        types: &[Oid],
    ) -> Result<Rel<'q, 'p>> {
        let sub = self.level(query, Some(level));
        if left.is_empty() {
            note_needed_by_exists(&sub);
        } else {
            note_needed(&sub);
        }
        let (mut inner, mut outer, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        query.filter.into_iter().for_each(|filter| conjuncts(filter, &mut parts));
        for expr in parts {
            let cond = Cond { expr, level: &sub };
            if reads_outside(expr) { outer.push(cond) } else { inner.push(cond) }
        }
        let right = self.conds_of_from(&sub, query, inner)?;
        let mut pairs = Vec::new();
        for ((left, target), type_oid) in left.iter().zip(visible_targets(query)).zip(types) {
            let target = &query.targets[usize::from(target)].expr;
            pairs.push(Pair {
                left: Side::Expr(left, level),
                right: Side::Expr(target, &sub),
                type_oid: *type_oid,
            });
        }
        self.join_on(&sub, join, (rel, right), pairs, &outer, false)
    }

    fn aggregate_join(
        &self,
        level: &Level<'_, 'q>,
        rel: Rel<'q, 'p>,
        link: &'q SubLink<'q>,
        cond: &Cond<'_, 'q>,
    ) -> Result<Rel<'q, 'p>> {
        let query = link.query;
        let sub = self.level(query, Some(level));
        note_needed(&sub);
        let (mut inner, mut keys, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        query.filter.into_iter().for_each(|filter| conjuncts(filter, &mut parts));
        for expr in parts {
            if !reads_outside(expr) {
                inner.push(Cond { expr, level: &sub });
            } else if let Some(key) = self.correlation(&sub, expr)? {
                keys.push(key);
            }
        }
        let below = self.conds_of_from(&sub, query, inner)?;
        let target = &query.targets[0].expr;
        let groups: Vec<&'q Expr<'q>> = keys.iter().map(|key| key.0).collect();
        let grouped = self.group(&sub, below, &groups, None, &[target], false)?;
        let exprs: Vec<&'q Expr<'q>> = groups.into_iter().chain([target]).collect();
        let (right, columns) = self.project(&sub, &grouped, &exprs)?;
        let _ = columns;
        let mut pairs = Vec::new();
        for (i, (_, outer, type_oid)) in keys.iter().enumerate() {
            let left = Side::Expr(outer, &sub);
            pairs.push(Pair { left, right: Side::Column(i as u16), type_oid: *type_oid });
        }
        // The subquery's value is a column of a range that the query does not have.
        let range = level.query.ranges.len() + level.substitutes.borrow().len();
        let var = Var { level: level.id, range: range as u32, attribute: 1 };
        level.substitutes.borrow_mut().push((std::ptr::from_ref(link).cast(), var));
        let mut right = Rel { node: right, columns: Columns::default(), unique: Vec::new() };
        right.columns.vars.push((var, keys.len() as u16));
        let joined = self.join_on(&sub, Join::Inner, (rel, right), pairs, &[], false)?;
        self.filter(joined, &[*cond])
    }

    /// An expression's subquery.
    pub(crate) fn sublink(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        link: &'q SubLink<'q>,
        result: Type,
    ) -> Result<Reg> {
        let address: *const () = std::ptr::from_ref(link).cast();
        let joined = level.substitutes.borrow().iter().find(|s| s.0 == address).map(|s| s.1);
        if let Some(var) = joined
            && let Some(column) = c.columns.var(var)
        {
            return c.builder.input(column);
        }
        let before: Vec<(Var, u16)> = Vec::new();
        let (node, reads) = self.collecting(|| self.trimmed(link.query, level))?;
        let own: Vec<(Var, u16)> = level
            .params
            .borrow()
            .iter()
            .chain(&before)
            .filter(|(_, param)| reads.contains(param))
            .copied()
            .collect();
        let (mut args, mut sets) = (Vec::new(), Vec::new());
        for (var, param) in own {
            args.push(self.var(c, level, var)?);
            sets.push(param);
        }
        let kind = match link.kind {
            SubLinkKind::Exists => SubplanKind::Exists,
            SubLinkKind::Scalar => SubplanKind::Scalar,
            SubLinkKind::Row => SubplanKind::Row,
            SubLinkKind::Array => {
                let target = link.query.targets.first().map(|target| target.expr.ty.oid);
                let target = target.unwrap_or(Oid::INVALID);
                let nested = target == result.oid;
                let element = if nested { self.element_type(target)? } else { target };
                SubplanKind::Array { element, nested }
            }
            SubLinkKind::Compare { any, kind, operators, functions, left, casts } => {
                for expr in left {
                    args.push(self.expr(c, level, expr)?);
                }
                let by = (operators, functions);
                self.comparison(level, link.query, any, kind, by, left, casts)?
            }
        };
        let volatile = self.is_query_volatile(link.query)?;
        let reads: Vec<u16> = reads.into_iter().collect();
        let subplan = Subplan {
            root: node,
            kind,
            sets: self.bump.alloc_slice_copy(&sets)?,
            reads: self.bump.alloc_slice_copy(&reads)?,
            memoise: !volatile,
        };
        let number = {
            let mut state = self.state.borrow_mut();
            state.subplans.push(subplan);
            state.subplans.len() as u16 - 1
        };
        self.note_subplan(link, number);
        c.builder.subplan(number, &args, volatile)
    }

    fn comparison(
        &self,
        level: &Level<'_, 'q>,
        query: &'q Query<'q>,
        any: bool,
        kind: RowCompareKind,
        (operators, functions): (&[Oid], &[Oid]),
        left: &'q [Expr<'q>],
        casts: &'q [Expr<'q>],
    ) -> Result<SubplanKind<'p>> {
        let right: Vec<Type> = visible_targets(query)
            .into_iter()
            .map(|target| query.targets[usize::from(target)].expr.ty)
            .collect();
        let none = Columns::default();
        let mut c = Compiler::new(Builder::new(self.bump), &none);
        c.param_base = Some(left.len() as u16);
        let mut sides = Vec::new();
        for i in 0..left.len() {
            let a = c.builder.input(i as u16)?;
            let b = match casts.get(i) {
                Some(cast) => self.expr(&mut c, level, cast)?,
                None => c.builder.input((left.len() + i) as u16)?,
            };
            sides.push((a, b));
        }
        let simple =
            matches!(kind, RowCompareKind::Equal | RowCompareKind::NotEqual) || left.len() == 1;
        let boolean = Type::plain(Oid(oids::BOOL));
        if !simple {
            let types: Vec<Type> = left.iter().map(|field| field.ty).collect();
            let (mut registers, behind): (Vec<Reg>, Vec<Reg>) = sides.into_iter().unzip();
            registers.extend(behind);
            let result =
                self.row_compare(&mut c.builder, kind, operators, &types, boolean, &registers)?;
            let program = c.builder.finish(&[result])?;
            let left = left.len() as u16;
            return Ok(SubplanKind::Compare { any, program, left, hash: None });
        }
        let result = c.builder.register()?;
        for (i, (a, b)) in sides.into_iter().enumerate() {
            let (function, strict) = self.scalar_function(functions[i])?;
            let types = [
                expr::SqlType::plain(left[i].ty.oid),
                expr::SqlType::plain(right.get(i).map_or(left[i].ty.oid, |ty| ty.oid)),
            ];
            let site = self.site(functions[i], &types, boolean, left[i].ty.collation);
            let proc = self.catalog().proc(functions[i])?;
            let value = c.builder.call(&proc.source, function, strict, false, site, &[a, b])?;
            match (i, kind) {
                (0, _) => c.builder.push(expr::Op::Move(result, value)),
                (_, RowCompareKind::NotEqual) => c.builder.push(expr::Op::Or(result, value)),
                _ => c.builder.push(expr::Op::And(result, value)),
            }
        }
        let program = c.builder.finish(&[result])?;
        let mut types = Vec::new();
        if any && kind == RowCompareKind::Equal && casts.is_empty() {
            for (left, right) in left.iter().zip(&right) {
                match self.hash_type(left.ty.oid, right.oid)? {
                    Some(type_oid) => types.push(type_oid),
                    None => break,
                }
            }
        }
        let hash = match types.len() == left.len() && any && kind == RowCompareKind::Equal {
            true => Some(&*self.bump.alloc_slice_copy(&types)?),
            false => None,
        };
        Ok(SubplanKind::Compare { any, program, left: left.len() as u16, hash })
    }
}

fn strip_casts<'x, 'q>(mut expr: &'x Expr<'q>) -> &'x Expr<'q> {
    while let ExprKind::Relabel { arg, .. } = expr.kind {
        expr = arg;
    }
    expr
}

/// Whether an expression of a subquery reads columns of the query around it.
fn reads_outside(expr: &Expr<'_>) -> bool {
    let mut found = false;
    crate::needs::each_use(expr, &mut |column, depth| found |= column.levels_up > depth);
    found
}

/// Whether an expression of a subquery reads columns of the subquery itself.
fn reads_inside(expr: &Expr<'_>) -> bool {
    let mut found = false;
    crate::needs::each_use(expr, &mut |column, depth| found |= column.levels_up == depth);
    found
}
