//! FROM and WHERE: which conditions go where, and in which order tables are joined.
//!
//! Inner joins are taken apart into leaves and conditions; outer joins are leaves of their own.
//! Conditions that see one leaf go into it. EXISTS, IN and scalar aggregates that depend on the
//! rows outside by equalities become joins ([`crate::unnest`]). The order of inner joins is found
//! by dynamic programming over sets of leaves, by expected rows; above ten leaves step by step.

use crate::compile::Compiler;
use crate::cost::Cost;
use crate::join_shape::{Shape, best_shape, greedy_shape};
use crate::needs::vars_of;
use crate::node::{Join, NodeKind};
use crate::planner::{Columns, Cond, Level, Planner, Rel, Var};
use crate::same::same;
use analyze::tree::{Expr, ExprKind, FromItem, JoinKind, Query, RangeId, RangeKind};
use base::{Oid, Result};
use std::collections::BTreeSet;
use types::oids;

/// A part of FROM that joins with others in any order.
struct Leaf<'q> {
    kind: LeafKind<'q>,
    /// The ranges whose columns it yields.
    ranges: BTreeSet<u32>,
    /// The ranges that it reads while it runs.
    lateral: BTreeSet<u32>,
}

#[derive(Clone, Copy)]
enum LeafKind<'q> {
    Range(RangeId),
    Outer {
        kind: JoinKind,
        left: &'q FromItem<'q>,
        right: &'q FromItem<'q>,
        on: Option<&'q Expr<'q>>,
    },
}

/// A leaf that is planned.
pub(crate) struct Planned<'a, 'q, 'p> {
    pub(crate) rel: Rel<'q, 'p>,
    pub(crate) ranges: BTreeSet<u32>,
    pub(crate) lateral: BTreeSet<u32>,
    /// A table that could be looked up by an index instead, and what it is scanned under.
    pub(crate) table: Option<u32>,
    pub(crate) conds: Vec<Cond<'a, 'q>>,
}

/// A condition between leaves.
pub(crate) struct JoinCond<'a, 'q> {
    pub(crate) cond: Cond<'a, 'q>,
    pub(crate) ranges: BTreeSet<u32>,
    pub(crate) selectivity: f64,
}

/// One side of an equality between two inputs of a join.
#[derive(Clone, Copy)]
pub(crate) enum Side<'a, 'q> {
    /// An expression, with the level that its columns count from.
    Expr(&'q Expr<'q>, &'a Level<'a, 'q>),
    /// A column of the input.
    Column(u16),
}

/// An equality between two inputs of a join that can be looked up in a hash table.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a, 'q> {
    pub(crate) left: Side<'a, 'q>,
    pub(crate) right: Side<'a, 'q>,
    /// The type by which the sides are compared.
    pub(crate) type_oid: Oid,
}

/// The conjuncts of a condition, ones that all arms of an OR share taken out of it.
pub(crate) fn conjuncts<'q>(expr: &'q Expr<'q>, out: &mut Vec<&'q Expr<'q>>) {
    match expr.kind {
        ExprKind::And(args) => args.iter().for_each(|arg| conjuncts(arg, out)),
        ExprKind::Or(arms) => {
            out.push(expr);
            let Some((first, rest)) = arms.split_first() else { return };
            let mut shared = Vec::new();
            conjuncts(first, &mut shared);
            for arm in rest {
                let mut parts = Vec::new();
                conjuncts(arm, &mut parts);
                shared.retain(|part| parts.iter().any(|other| same(part, other)));
            }
            out.extend(shared);
        }
        _ => out.push(expr),
    }
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// The ranges of a level that an expression reads.
    pub(crate) fn ranges_of(
        &self,
        home: &Level<'_, 'q>,
        of: &Level<'_, 'q>,
        expr: &Expr<'q>,
    ) -> BTreeSet<u32> {
        let mut ranges = BTreeSet::new();
        vars_of(home, of, expr, &mut |var| {
            if var.level == of.id {
                ranges.insert(var.range);
            }
        });
        ranges
    }

    /// FROM under WHERE.
    pub(crate) fn where_of_from(
        &self,
        level: &Level<'_, 'q>,
        from: &'q [FromItem<'q>],
        filter: Option<&'q Expr<'q>>,
    ) -> Result<Rel<'q, 'p>> {
        let mut exprs = Vec::new();
        filter.into_iter().for_each(|filter| conjuncts(filter, &mut exprs));
        let conds = exprs.into_iter().map(|expr| Cond { expr, level }).collect();
        self.join_tree(level, from.iter().collect(), conds)
    }

    /// FROM of a query under conditions that are taken apart already.
    pub(crate) fn conds_of_from<'a>(
        &self,
        level: &'a Level<'a, 'q>,
        query: &'q Query<'q>,
        conds: Vec<Cond<'a, 'q>>,
    ) -> Result<Rel<'q, 'p>> {
        self.join_tree(level, query.from.iter().collect(), conds)
    }

    fn join_tree<'a>(
        &self,
        level: &'a Level<'a, 'q>,
        items: Vec<&'q FromItem<'q>>,
        mut conds: Vec<Cond<'a, 'q>>,
    ) -> Result<Rel<'q, 'p>> {
        base::stack::check_stack_depth()?;
        let mut leaves = Vec::new();
        let mut inner = Vec::new();
        for item in items {
            self.flatten(level, item, &mut leaves, &mut inner)?;
        }
        conds.splice(0..0, inner.into_iter().map(|expr| Cond { expr, level }));
        if leaves.is_empty() {
            return self.no_tables(level, &conds);
        }
        // Subqueries that can be joins are taken out of the conditions.
        let (mut joins, mut rest) = (Vec::new(), Vec::new());
        for cond in conds {
            match self.unnestable(level, &cond)? {
                Some(join) => joins.push((self.ranges_of(level, level, cond.expr), join)),
                None => rest.push(cond),
            }
        }
        let mut planned = Vec::new();
        let mut between: Vec<Cond<'_, 'q>> = Vec::new();
        let mut used = vec![false; rest.len()];
        for leaf in &leaves {
            let mut own = Vec::new();
            for (i, cond) in rest.iter().enumerate() {
                let ranges = self.ranges_of(level, level, cond.expr);
                let fits = ranges.is_subset(&leaf.ranges)
                    && (!ranges.is_empty() || leaves.len() == 1)
                    && !self.is_volatile(cond.expr)?;
                if fits && !used[i] && !self.waits_for_join(level, cond) {
                    used[i] = true;
                    own.push(*cond);
                } else if !used[i]
                    && !self.waits_for_join(level, cond)
                    && let Some(expr) = self.restriction(level, &leaf.ranges, cond)?
                {
                    own.push(Cond { expr, ..*cond });
                }
            }
            let mut rel = self.leaf(level, leaf, own.clone())?;
            // Semi-joins that see only this leaf run before it is joined with others.
            let (now, later): (Vec<_>, Vec<_>) = joins
                .into_iter()
                .partition(|(ranges, join)| ranges.is_subset(&leaf.ranges) && join.is_filter());
            joins = later;
            let plain = now.is_empty();
            for (_, join) in now {
                rel = self.unnest(level, rel, join)?;
            }
            let table = match leaf.kind {
                LeafKind::Range(range) if plain => Some(range.0),
                _ => None,
            };
            let (ranges, lateral) = (leaf.ranges.clone(), leaf.lateral.clone());
            planned.push(Planned { rel, ranges, lateral, table, conds: own });
        }
        let mut last = Vec::new();
        for (i, cond) in rest.iter().enumerate() {
            if used[i] {
                continue;
            }
            if self.waits_for_join(level, cond) || self.is_volatile(cond.expr)? {
                last.push(*cond);
            } else {
                between.push(*cond);
            }
        }
        let mut rel = self.order(level, planned, between)?;
        for (_, join) in joins {
            rel = self.unnest(level, rel, join)?;
        }
        self.filter(rel, &last)
    }

    /// Whether a condition reads the result of a subquery that becomes a join.
    fn waits_for_join(&self, level: &Level<'_, 'q>, cond: &Cond<'_, 'q>) -> bool {
        if level.substitutes.borrow().is_empty() {
            return false;
        }
        let mut waits = false;
        vars_of(level, level, cond.expr, &mut |var| {
            waits |= var.range as usize >= level.query.ranges.len() && var.range < u32::MAX - 4;
        });
        waits
    }

    pub(crate) fn filter(&self, rel: Rel<'q, 'p>, conds: &[Cond<'_, 'q>]) -> Result<Rel<'q, 'p>> {
        let Some(first) = conds.first() else { return Ok(rel) };
        let (filters, mut reads) =
            self.collecting(|| self.filters(first.level, &rel.columns, conds, &[]))?;
        reads.extend(rel.node.reads);
        let rows = rel.rows() * 0.33f64.powi(conds.len().min(4) as i32);
        let cost = rel.node.total_cost + rel.rows() * 0.0025 * conds.len() as f64;
        let kind = NodeKind::Filter { input: rel.node, filters };
        let node = self.node(kind, rel.node.columns, (rows, 0.0, cost), &reads)?;
        Ok(Rel { node, ..rel })
    }

    /// A query without tables: one row, if the conditions say so.
    fn no_tables(&self, level: &Level<'_, 'q>, conds: &[Cond<'_, 'q>]) -> Result<Rel<'q, 'p>> {
        let none = Columns::default();
        let ((program, filters), reads) = self.collecting(|| {
            let program = self.program(level, &none, [])?;
            Ok((program, self.filters(level, &none, conds, &[])?))
        })?;
        let kind = NodeKind::Result { program, filters };
        let node = self.node(kind, &[], (1.0, 0.0, 0.01), &reads)?;
        Ok(Rel { node, columns: none, unique: vec![Vec::new()] })
    }

    fn flatten(
        &self,
        level: &Level<'_, 'q>,
        item: &'q FromItem<'q>,
        leaves: &mut Vec<Leaf<'q>>,
        conds: &mut Vec<&'q Expr<'q>>,
    ) -> Result<()> {
        match item {
            FromItem::Range(range) => {
                let lateral = self.lateral_of(level, *range);
                leaves.push(Leaf {
                    kind: LeafKind::Range(*range),
                    ranges: BTreeSet::from([range.0]),
                    lateral,
                });
            }
            FromItem::Join { kind: JoinKind::Inner, left, right, on, .. } => {
                self.flatten(level, left, leaves, conds)?;
                self.flatten(level, right, leaves, conds)?;
                on.iter().for_each(|on| conjuncts(on, conds));
            }
            FromItem::Join { kind, left, right, on, .. } => {
                let (mut ranges, mut lateral) = (BTreeSet::new(), BTreeSet::new());
                self.item_ranges(level, item, &mut ranges, &mut lateral);
                lateral.retain(|range| !ranges.contains(range));
                let kind = LeafKind::Outer { kind: *kind, left, right, on: *on };
                leaves.push(Leaf { kind, ranges, lateral });
            }
        }
        Ok(())
    }

    fn item_ranges(
        &self,
        level: &Level<'_, 'q>,
        item: &'q FromItem<'q>,
        ranges: &mut BTreeSet<u32>,
        lateral: &mut BTreeSet<u32>,
    ) {
        match item {
            FromItem::Range(range) => {
                ranges.insert(range.0);
                lateral.extend(self.lateral_of(level, *range));
            }
            FromItem::Join { left, right, .. } => {
                self.item_ranges(level, left, ranges, lateral);
                self.item_ranges(level, right, ranges, lateral);
            }
        }
    }

    /// The ranges of the level that a range reads while it runs.
    fn lateral_of(&self, level: &Level<'_, 'q>, range: RangeId) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        let mut note = |expr: &Expr<'q>| found.extend(self.ranges_of(level, level, expr));
        match level.query.ranges[range.0 as usize].kind {
            RangeKind::Functions { functions, .. } => {
                functions.iter().for_each(|function| note(&function.call));
            }
            RangeKind::Values(rows) => rows.iter().flat_map(|row| row.iter()).for_each(note),
            RangeKind::Subquery { query, .. } => {
                crate::needs::query_columns(query, 1, &mut |column, depth| {
                    if column.levels_up == depth {
                        let mut add = |var: Var| {
                            found.insert(var.range);
                        };
                        crate::needs::resolve_use(level, column, &mut add);
                    }
                });
            }
            _ => {}
        }
        found.remove(&range.0);
        found
    }

    fn leaf<'a>(
        &self,
        level: &'a Level<'a, 'q>,
        leaf: &Leaf<'q>,
        conds: Vec<Cond<'a, 'q>>,
    ) -> Result<Rel<'q, 'p>> {
        match leaf.kind {
            LeafKind::Range(range) => self.range(level, range, &conds),
            LeafKind::Outer { kind, left, right, on } => {
                self.outer_join(level, kind, left, right, on, conds)
            }
        }
    }

    fn outer_join<'a>(
        &self,
        level: &'a Level<'a, 'q>,
        kind: JoinKind,
        left: &'q FromItem<'q>,
        right: &'q FromItem<'q>,
        on: Option<&'q Expr<'q>>,
        conds: Vec<Cond<'a, 'q>>,
    ) -> Result<Rel<'q, 'p>> {
        let (left, right) = if kind == JoinKind::Right { (right, left) } else { (left, right) };
        let (mut left_ranges, mut right_ranges) = (BTreeSet::new(), BTreeSet::new());
        let mut lateral = BTreeSet::new();
        self.item_ranges(level, left, &mut left_ranges, &mut BTreeSet::new());
        self.item_ranges(level, right, &mut right_ranges, &mut lateral);
        let (mut on_conds, mut for_right) = (Vec::new(), Vec::new());
        let mut exprs = Vec::new();
        on.into_iter().for_each(|on| conjuncts(on, &mut exprs));
        for expr in exprs {
            let ranges = self.ranges_of(level, level, expr);
            let cond = Cond { expr, level };
            // ON decides only about the right side's rows; of a full join about none alone.
            if kind != JoinKind::Full && !ranges.is_empty() && ranges.is_subset(&right_ranges) {
                for_right.push(cond);
            } else {
                on_conds.push(cond);
            }
        }
        let (mut for_left, mut above) = (Vec::new(), Vec::new());
        for cond in conds {
            let ranges = self.ranges_of(level, level, cond.expr);
            if kind != JoinKind::Full && ranges.is_subset(&left_ranges) {
                for_left.push(cond);
            } else {
                above.push(cond);
            }
        }
        let left = self.join_tree(level, vec![left], for_left)?;
        let is_lateral = lateral.iter().any(|range| left_ranges.contains(range));
        let right = self.join_tree(level, vec![right], for_right)?;
        let rel = self.join(level, Join::of(kind), left, right, &on_conds, is_lateral)?;
        self.filter(rel, &above)
    }

    /// Joins two parts under conditions that see both.
    pub(crate) fn join(
        &self,
        level: &Level<'_, 'q>,
        join: Join,
        left: Rel<'q, 'p>,
        right: Rel<'q, 'p>,
        conds: &[Cond<'_, 'q>],
        lateral: bool,
    ) -> Result<Rel<'q, 'p>> {
        self.join_on(level, join, (left, right), Vec::new(), conds, lateral)
    }

    /// The same with equalities that are known already.
    pub(crate) fn join_on<'a>(
        &self,
        level: &Level<'_, 'q>,
        join: Join,
        (left, right): (Rel<'q, 'p>, Rel<'q, 'p>),
        mut pairs: Vec<Pair<'a, 'q>>,
        conds: &[Cond<'a, 'q>],
        lateral: bool,
    ) -> Result<Rel<'q, 'p>> {
        let mut both = left.columns.clone();
        both.extend_shifted(&right.columns, left.width());
        let mut out: Vec<_> = left.node.columns.to_vec();
        if join.has_right() {
            out.extend_from_slice(right.node.columns);
        }
        let given = !pairs.is_empty();
        let mut residual = Vec::new();
        for cond in conds {
            match self.equality(cond, &left.columns, &right.columns)? {
                Some(pair) if !lateral => pairs.push(pair),
                _ => residual.push(*cond),
            }
        }
        let rows = match join {
            // A subquery has one row a key.
            Join::Inner | Join::Left if given => left.rows(),
            Join::Semi | Join::Anti if given => left.rows() * 0.5,
            _ => self.join_rows(level, join, (left.rows(), right.rows()), conds),
        };
        let columns = if join.has_right() { both.clone() } else { left.columns.clone() };
        let unique = if join.has_right() { Vec::new() } else { left.unique.clone() };
        if pairs.is_empty() {
            let node = self.nested_loop(join, &left, &right, &both, &residual, &out, rows)?;
            return Ok(Rel { node, columns, unique });
        }
        let ((left_keys, right_keys, on), mut reads) = self.collecting(|| {
            let left_keys = self.sides(&left.columns, pairs.iter().map(|pair| pair.left))?;
            let right_keys = self.sides(&right.columns, pairs.iter().map(|pair| pair.right))?;
            Ok((left_keys, right_keys, self.condition(&both, &residual)?))
        })?;
        reads.extend(left.node.reads);
        reads.extend(right.node.reads);
        let key_types: Vec<Oid> = pairs.iter().map(|pair| pair.type_oid).collect();
        let cost = left.node.total_cost
            + right.node.total_cost
            + left.rows() * 0.01
            + right.rows() * 0.02
            + rows * 0.005;
        let kind = NodeKind::HashJoin {
            join,
            left: left.node,
            right: right.node,
            left_keys,
            right_keys,
            key_types: self.bump.alloc_slice_copy(&key_types)?,
            on,
            nulls_equal: false,
            null_aware: false,
        };
        let node = self.node(
            kind,
            &out,
            (rows, right.node.total_cost + right.rows() * 0.02, cost),
            &reads,
        )?;
        Ok(Rel { node, columns, unique })
    }

    /// A program of the values of one side of some equalities.
    fn sides<'a>(
        &self,
        columns: &Columns<'q>,
        sides: impl Iterator<Item = Side<'a, 'q>>,
    ) -> Result<expr::Program<'p>>
    where
        'q: 'a,
    {
        let mut compiler = Compiler::new(expr::Builder::new(self.bump), columns);
        let (mut results, mut noted) = (Vec::new(), Vec::new());
        for side in sides {
            results.push(match side {
                Side::Expr(expr, level) => {
                    noted.push(Some((expr, level.id)));
                    self.expr(&mut compiler, level, expr)?
                }
                Side::Column(column) => {
                    noted.push(None);
                    compiler.builder.input(column)?
                }
            });
        }
        let program = compiler.builder.finish(&results)?;
        self.note_program(&program, 0, noted);
        Ok(program)
    }

    /// One program of several conditions.
    pub(crate) fn condition(
        &self,
        columns: &Columns<'q>,
        conds: &[Cond<'_, 'q>],
    ) -> Result<Option<expr::Program<'p>>> {
        let Some(first) = conds.first() else { return Ok(None) };
        if let [only] = conds {
            return Ok(Some(self.program(only.level, columns, [only.expr])?));
        }
        let all: Vec<Expr<'q>> = conds.iter().map(|cond| *cond.expr).collect();
        let and = ExprKind::And(self.trees.alloc_slice_copy(&all)?);
        let and = self.tree(and, first.expr.ty)?;
        Ok(Some(self.program(first.level, columns, [and])?))
    }

    fn nested_loop(
        &self,
        join: Join,
        left: &Rel<'q, 'p>,
        right: &Rel<'q, 'p>,
        both: &Columns<'q>,
        conds: &[Cond<'_, 'q>],
        out: &[crate::node::Column],
        rows: f64,
    ) -> Result<&'p crate::node::Node<'p>> {
        let (on, mut reads) = self.collecting(|| self.condition(both, conds))?;
        // Parameters of the right side that are columns of the left are set by this node.
        let mut sets = Vec::new();
        let mut open: BTreeSet<u16> = right.node.reads.iter().copied().collect();
        for (var, column) in &left.columns.vars {
            for param in self.params_of_var(*var) {
                if open.remove(&param) {
                    sets.push((param, *column));
                }
            }
        }
        reads.extend(open);
        reads.extend(left.node.reads);
        let cost = left.node.total_cost
            + left.rows().max(1.0) * (right.node.total_cost * 0.9 + 0.01)
            + right.node.total_cost;
        let kind = NodeKind::NestedLoop {
            join,
            left: left.node,
            right: right.node,
            sets: self.bump.alloc_slice_copy(&sets)?,
            on,
        };
        self.node(kind, out, (rows, 0.0, cost), &reads)
    }

    /// An equality between the columns of two sides that can be looked up in a hash table: the
    /// sides in order, the type by which they are compared.
    pub(crate) fn equality<'a>(
        &self,
        cond: &Cond<'a, 'q>,
        left: &Columns<'q>,
        right: &Columns<'q>,
    ) -> Result<Option<Pair<'a, 'q>>> {
        let ExprKind::Operator { operator, args: [a, b], .. } = cond.expr.kind else {
            return Ok(None);
        };
        let row = self.catalog().operator(operator)?;
        if !row.can_hash {
            return Ok(None);
        }
        let Some(type_oid) = self.hash_type(a.ty.oid, b.ty.oid)? else { return Ok(None) };
        if self.is_volatile(cond.expr)? {
            return Ok(None);
        }
        let level = cond.level;
        if self.sees_only(level, a, left) && self.sees_only(level, b, right) {
            let (left, right) = (Side::Expr(a, level), Side::Expr(b, level));
            return Ok(Some(Pair { left, right, type_oid }));
        }
        if self.sees_only(level, b, left) && self.sees_only(level, a, right) {
            let (left, right) = (Side::Expr(b, level), Side::Expr(a, level));
            return Ok(Some(Pair { left, right, type_oid }));
        }
        Ok(None)
    }

    /// The type by which values of two types are hashed; none if they are not hashed alike.
    pub(crate) fn hash_type(&self, a: Oid, b: Oid) -> Result<Option<Oid>> {
        let (a, b) = (self.compare_type(a)?, self.compare_type(b)?);
        let integer = |oid: Oid| matches!(oid.0, oids::INT2 | oids::INT4 | oids::INT8);
        let float = |oid: Oid| matches!(oid.0, oids::FLOAT4 | oids::FLOAT8);
        let text = |oid: Oid| matches!(oid.0, oids::TEXT | oids::VARCHAR | oids::NAME);
        let alike =
            a == b || (integer(a) && integer(b)) || (float(a) && float(b)) || (text(a) && text(b));
        Ok(alike.then_some(a))
    }

    /// Whether an expression reads at least one column, and none of the rows being joined but
    /// those of one side.
    fn sees_only(&self, home: &Level<'_, 'q>, expr: &Expr<'q>, columns: &Columns<'q>) -> bool {
        let (mut some, mut all) = (false, true);
        let mut level = Some(home);
        while let Some(at) = level {
            vars_of(home, at, expr, &mut |var| {
                if columns.var(var).is_some() {
                    some = true;
                } else if at.id == home.id || self.is_joined(var) {
                    all = false;
                }
            });
            level = at.parent;
        }
        some && all
    }

    /// Columns of an outer level are parameters unless a join that was a subquery sees them.
    fn is_joined(&self, var: Var) -> bool {
        self.joined_levels.borrow().contains(&var.level)
    }

    /// Finds an order of joins.
    fn order(
        &self,
        level: &Level<'_, 'q>,
        leaves: Vec<Planned<'_, 'q, 'p>>,
        conds: Vec<Cond<'_, 'q>>,
    ) -> Result<Rel<'q, 'p>> {
        let mut conds: Vec<JoinCond<'_, 'q>> = conds
            .into_iter()
            .map(|cond| {
                let ranges = self.ranges_of(level, level, cond.expr);
                JoinCond { cond, ranges, selectivity: 1.0 }
            })
            .collect();
        if leaves.len() > 1 {
            self.join_parts(level, &mut conds);
        }
        let sequence = if leaves.len() <= 10 {
            best_shape(&leaves, &conds)
        } else if leaves.iter().any(|leaf| !leaf.lateral.is_empty()) {
            Shape::chain((0..leaves.len()).collect())
        } else {
            greedy_shape(&leaves, &conds)
        };
        let mut leaves: Vec<Option<Planned<'_, 'q, 'p>>> = leaves.into_iter().map(Some).collect();
        let planned = self.build(level, &sequence, &mut leaves, &mut conds)?;
        let rest: Vec<Cond<'_, 'q>> = conds.into_iter().map(|cond| cond.cond).collect();
        self.filter(planned.rel, &rest)
    }

    fn build<'a>(
        &self,
        level: &Level<'_, 'q>,
        shape: &Shape,
        leaves: &mut [Option<Planned<'a, 'q, 'p>>],
        conds: &mut Vec<JoinCond<'a, 'q>>,
    ) -> Result<Planned<'a, 'q, 'p>> {
        let (left, right) = match shape {
            Shape::Leaf(i) => {
                let leaf = leaves[*i].take();
                return leaf.ok_or_else(|| base::Error::internal("a leaf is joined twice"));
            }
            Shape::Join(left, right) => (left, right),
        };
        let mut left = self.build(level, left, leaves, conds)?;
        let mut right = self.build(level, right, leaves, conds)?;
        let ranges: BTreeSet<u32> = left.ranges.union(&right.ranges).copied().collect();
        let (now, later): (Vec<_>, Vec<_>) =
            std::mem::take(conds).into_iter().partition(|cond| cond.ranges.is_subset(&ranges));
        *conds = later;
        let now: Vec<Cond<'_, 'q>> = now.into_iter().map(|cond| cond.cond).collect();
        let lateral = right.lateral.iter().any(|range| left.ranges.contains(range));
        if !lateral
            && right.lateral.is_empty()
            && self.hash_cost(level, &right.rel, &left.rel, &now)
                < self.hash_cost(level, &left.rel, &right.rel, &now)
        {
            std::mem::swap(&mut left, &mut right);
        }
        let looked_up = match lateral {
            true => None,
            false => match self.by_lookup(level, &left, &right, &now)? {
                None => self.by_lookup(level, &right, &left, &now)?,
                found => found,
            },
        };
        let rel = match looked_up {
            Some(rel) => rel,
            None => self.join(level, Join::Inner, left.rel, right.rel, &now, lateral)?,
        };
        let lateral: BTreeSet<u32> =
            left.lateral.union(&right.lateral).filter(|r| !ranges.contains(r)).copied().collect();
        Ok(Planned { rel, ranges, lateral, table: None, conds: Vec::new() })
    }

    /// A join that looks each left row's partners up in an index, if that is cheaper.
    fn by_lookup(
        &self,
        level: &Level<'_, 'q>,
        left: &Planned<'_, 'q, 'p>,
        right: &Planned<'_, 'q, 'p>,
        conds: &[Cond<'_, 'q>],
    ) -> Result<Option<Rel<'q, 'p>>> {
        let Some(range) = right.table else { return Ok(None) };
        let RangeKind::Relation { relation, lock_mode, .. } =
            level.query.ranges[range as usize].kind
        else {
            return Ok(None);
        };
        let described = self.catalog().relation(relation)?;
        let all: Vec<Cond<'_, 'q>> = right.conds.iter().chain(conds).copied().collect();
        let loops = left.rel.rows();
        let Some((_, each)) = self.lookup(level, range, &described, &all, loops)? else {
            return Ok(None);
        };
        // The other way is a hash table of all rows of this side.
        let hashed = right.rel.node.total_cost
            + (right.rel.rows() + loops)
                * (self.costs.cpu_tuple_cost + self.costs.cpu_operator_cost);
        let cost = |disabled: bool, total| Cost { disabled: disabled.into(), total, startup: 0.0 };
        let lookups = cost(!self.costs.enable_nestloop, loops * each.total);
        if lookups > cost(!self.costs.enable_hashjoin, hashed) {
            return Ok(None);
        }
        let conds = &all;
        let right = self.scan(level, range, relation, lock_mode, conds)?;
        Ok(Some(self.join(level, Join::Inner, left.rel.clone(), right, &[], true)?))
    }
}

/// Whether a query is a plain join of tables under conditions: nothing groups, limits or orders.
pub(crate) fn is_plain(query: &Query<'_>) -> bool {
    query.group_by.is_empty()
        && query.grouping_sets.is_empty()
        && query.having.is_none()
        && !query.has_aggregates
        && !query.has_windows
        && !query.has_target_sets
        && query.set_operation.is_none()
        && query.limit.is_none()
        && query.offset.is_none()
        && query.ctes.is_empty()
        && query.locking.is_empty()
        && matches!(query.distinct, analyze::tree::Distinct::None)
}
