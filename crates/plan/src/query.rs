//! One query, from FROM to LIMIT.

use crate::calls::aggregates;
use crate::cost::Cost;
use crate::needs::note_needed;
use crate::node::{AggregateCall, Column, Node, NodeKind, RowLock, SortColumn};
use crate::outer_aggregates::columns_beside_aggregates;
use crate::planner::{Columns, Level, Planner, ROW_ID, Rel, Var};
use crate::same::same;
use analyze::tree::{
    Aggregate, AggregateKind, Command, CteUse, Expr, ExprKind, GroupingSet, Query, RangeKind,
    SetKind, SetTree, SortKey, Target, Type,
};
use analyze::walk;
use base::{Error, Oid, Result};
use expr::{Body, Builder, Program, Site};
use types::oids;

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// A query; the output has its targets in order, junk included.
    pub(crate) fn query(
        &self,
        query: &'q Query<'q>,
        parent: Option<&Level<'_, 'q>>,
    ) -> Result<&'p Node<'p>> {
        base::stack::check_stack_depth()?;
        let level = self.level(query, parent);
        note_needed(&level);
        let node = self.body(&level, query)?;
        // Statements in WITH that change data run to their end, read or not.
        let mut ctes = Vec::new();
        for (i, cte) in query.ctes.iter().enumerate() {
            if cte.query.command != Command::Select {
                let index = i as u32;
                let cte = CteUse { index, levels_up: 0, self_reference: false };
                ctes.push(self.cte_number(&level, &cte)?);
            }
        }
        if ctes.is_empty() {
            return Ok(node);
        }
        let kind = NodeKind::With { input: node, ctes: self.bump.alloc_slice_copy(&ctes)? };
        let cost = (node.rows, node.startup_cost, node.total_cost);
        self.node(kind, node.columns, cost, &node.reads.iter().copied().collect())
    }

    fn body(&self, level: &Level<'_, 'q>, query: &'q Query<'q>) -> Result<&'p Node<'p>> {
        if query.command != Command::Select {
            return self.modify(level, query);
        }
        if let Some(tree) = query.set_operation {
            let node = self.set_tree(level, tree)?;
            let bounds = self.bounds(level)?;
            let node = self.in_order(level, node, None, false, bounds.top(query))?;
            return self.lock_and_limit(level, node, &[], bounds);
        }
        self.check_row_marks(query)?;
        self.check_locked_kinds(query)?;
        for mark in query.locking {
            level.needed.borrow_mut().insert((mark.range.0, ROW_ID));
        }
        self.want_order(level)?;
        let below = self.where_of_from(level, query.from, query.filter)?;
        let sorted = self.has_order(below.node, &level.wanted.borrow());
        let grouped = self.grouping(level, below)?;
        let windowed = self.windows(level, grouped)?;
        let mut locks = Vec::new();
        for mark in query.locking {
            let RangeKind::Relation { relation, lock_mode, .. } =
                query.ranges[mark.range.0 as usize].kind
            else {
                continue;
            };
            let var = level.var(mark.range.0, ROW_ID);
            let column = windowed.columns.var(var).ok_or_else(|| {
                Error::unsupported("locking rows of this query is not supported yet")
            })?;
            let (relation, _) = self.relation(relation, lock_mode.max(2))?;
            locks.push((
                column,
                RowLock { relation, row_id: 0, strength: mark.strength, wait: mark.wait },
            ));
        }
        let bounds = self.bounds(level)?;
        let top = bounds.top(query).filter(|_| locks.is_empty());
        let node = if let Some(early) = self.early_targets(level, sorted)? {
            let rel = self.order_early(level, windowed, &early, sorted, top)?;
            self.targets(level, &rel, query.targets, &locks)?
        } else {
            let node = self.targets(level, &windowed, query.targets, &locks)?;
            self.in_order(level, node, None, sorted, top)?
        };
        let first = query.targets.len() as u16;
        let locks: Vec<RowLock> = locks
            .into_iter()
            .enumerate()
            .map(|(i, (_, lock))| RowLock { row_id: first + i as u16, ..lock })
            .collect();
        self.lock_and_limit(level, node, &locks, bounds)
    }

    /// The values of the targets, and of the row ids to lock behind them.
    fn targets(
        &self,
        level: &Level<'_, 'q>,
        rel: &Rel<'q, 'p>,
        targets: &'q [Target<'q>],
        locks: &[(u16, RowLock)],
    ) -> Result<&'p Node<'p>> {
        if level.query.has_target_sets {
            return self.target_sets(level, rel, targets);
        }
        let exprs: Vec<&'q Expr<'q>> = targets.iter().map(|target| &target.expr).collect();
        let (mut node, _) = self.project(level, rel, &exprs)?;
        if locks.is_empty() && level.parent.is_none() {
            node = self.scan_alone(node)?;
        }
        if !locks.is_empty() {
            let joins = has_join(rel.node);
            let (program, reads) = self.collecting(|| {
                let mut c = crate::compile::Compiler::new(Builder::new(self.bump), &rel.columns);
                let mut results = Vec::new();
                for expr in &exprs {
                    results.push(self.expr(&mut c, level, expr)?);
                }
                for (column, _) in locks {
                    results.push(c.builder.input(*column)?);
                }
                // The rows beside a changed one are as they were.
                for column in 0..if joins { rel.width() } else { 0 } {
                    results.push(c.builder.input(column)?);
                }
                let program = c.builder.finish(&results)?;
                self.note_program(&program, 0, exprs.iter().map(|e| Some((*e, level.id))));
                Ok(program)
            })?;
            let mut out = node.columns.to_vec();
            for _ in locks {
                out.push(self.column(Type::plain(Oid(oids::INT8)))?);
            }
            if joins {
                out.extend_from_slice(rel.node.columns);
            }
            let cost = (node.rows, node.startup_cost, node.total_cost);
            let reads = reads.into_iter().chain(rel.node.reads.iter().copied()).collect();
            node = self.node(NodeKind::Project { input: rel.node, program }, &out, cost, &reads)?;
        }
        Ok(node)
    }

    /// Expressions over a node; the output has exactly them.
    pub(crate) fn project(
        &self,
        level: &Level<'_, 'q>,
        rel: &Rel<'q, 'p>,
        exprs: &[&'q Expr<'q>],
    ) -> Result<(&'p Node<'p>, Columns<'q>)> {
        let (program, mut reads) =
            self.collecting(|| self.program(level, &rel.columns, exprs.iter().copied()))?;
        reads.extend(rel.node.reads);
        let mut out = Vec::new();
        let mut columns = Columns::default();
        for (i, expr) in exprs.iter().enumerate() {
            out.push(self.column(expr.ty)?);
            columns.exprs.push((expr, i as u16));
        }
        let rows = rel.rows();
        if out == rel.node.columns
            && (0..out.len()).all(|i| program.plain_input(i) == u16::try_from(i).ok())
        {
            return Ok((rel.node, columns));
        }
        // Without tables the constants are the node's own.
        let kind = match rel.node.kind {
            NodeKind::Result { filters, program: below } if below.results.is_empty() => {
                NodeKind::Result { program, filters }
            }
            _ => NodeKind::Project { input: rel.node, program },
        };
        let cost = rel.node.total_cost + rows * 0.0025 * exprs.len() as f64;
        let node = self.node(kind, &out, (rows, rel.node.startup_cost, cost), &reads)?;
        Ok((node, columns))
    }

    /// The node, or the scan below it when that can yield the node's columns by itself. Nobody may
    /// look at the scan's rows again after a wait.
    fn scan_alone(&self, node: &'p Node<'p>) -> Result<&'p Node<'p>> {
        let NodeKind::Project { input, program } = node.kind else { return Ok(node) };
        let (mut kind, columns) = match input.kind {
            NodeKind::SeqScan { columns, filters: [], .. }
            | NodeKind::IndexScan { columns, filters: [], .. } => (input.kind, columns),
            _ => return Ok(node),
        };
        let mut picked = Vec::new();
        for (i, column) in node.columns.iter().enumerate() {
            match program.plain_input(i).map(usize::from) {
                Some(at) if input.columns[at] == *column => picked.push(columns[at]),
                _ => return Ok(node),
            }
        }
        let picked = self.bump.alloc_slice_copy(&picked)?;
        match &mut kind {
            NodeKind::SeqScan { columns, .. } => *columns = picked,
            NodeKind::IndexScan { columns, recheck, whole, .. } => {
                (*columns, *recheck, *whole) = (picked, &[], Some(node));
            }
            _ => {}
        }
        let cost = (input.rows, input.startup_cost, input.total_cost);
        let alone = self.node(kind, node.columns, cost, &node.reads.iter().copied().collect())?;
        self.note_same(input, alone);
        Ok(alone)
    }

    /// The node's columns and some expressions more; where each expression is.
    pub(crate) fn extend(
        &self,
        level: &Level<'_, 'q>,
        rel: Rel<'q, 'p>,
        exprs: &[&'q Expr<'q>],
    ) -> Result<(Rel<'q, 'p>, Vec<u16>)> {
        let mut out = rel.node.columns.to_vec();
        let mut columns = rel.columns.clone();
        let (mut places, mut missing) = (Vec::new(), 0);
        let ((program, new), mut reads) = self.collecting(|| {
            let mut c = crate::compile::Compiler::new(Builder::new(self.bump), &rel.columns);
            let mut registers = Vec::new();
            for i in 0..rel.width() {
                registers.push(c.builder.input(i)?);
            }
            let mut new: Vec<&'q Expr<'q>> = Vec::new();
            for expr in exprs {
                if let Some(at) = new.iter().position(|other| same(other, expr)) {
                    places.push(rel.width() + at as u16);
                    continue;
                }
                let register = self.expr(&mut c, level, expr)?;
                if let Some(at) = registers.iter().position(|other| *other == register) {
                    places.push(at as u16);
                    continue;
                }
                registers.push(register);
                places.push(rel.width() + new.len() as u16);
                new.push(expr);
                missing += 1;
            }
            let program = c.builder.finish(&registers)?;
            let noted = new.iter().map(|expr| Some((*expr, level.id)));
            self.note_program(&program, usize::from(rel.width()), noted);
            Ok((program, new))
        })?;
        if missing == 0 {
            return Ok((rel, places));
        }
        for (i, expr) in new.iter().enumerate() {
            columns.exprs.push((expr, rel.width() + i as u16));
            out.push(self.column(expr.ty)?);
        }
        reads.extend(rel.node.reads);
        let cost = (rel.rows(), rel.node.startup_cost, rel.node.total_cost + rel.rows() * 0.0025);
        let node = self.node(NodeKind::Project { input: rel.node, program }, &out, cost, &reads)?;
        Ok((Rel { node, columns, unique: rel.unique }, places))
    }

    fn grouping(&self, level: &Level<'_, 'q>, rel: Rel<'q, 'p>) -> Result<Rel<'q, 'p>> {
        let query = level.query;
        if !query.has_aggregates
            && query.group_by.is_empty()
            && query.grouping_sets.is_empty()
            && query.having.is_none()
        {
            return Ok(rel);
        }
        let keys: Vec<&'q Expr<'q>> =
            query.group_by.iter().map(|key| &query.targets[key.target as usize].expr).collect();
        let rel = self.sets_below(level, rel, &keys)?;
        let mut above: Vec<&'q Expr<'q>> = query.targets.iter().map(|t| &t.expr).collect();
        above.extend(query.having);
        let sets = (!query.grouping_sets.is_empty()).then_some(query.grouping_sets);
        let always = query.group_by.is_empty() && query.grouping_sets.is_empty();
        let grouped = self.group(level, rel, &keys, sets, &above, always)?;
        match query.having {
            None => Ok(grouped),
            Some(having) => {
                let mut parts = Vec::new();
                crate::from::conjuncts(having, &mut parts);
                let conds: Vec<_> =
                    parts.into_iter().map(|expr| crate::planner::Cond { expr, level }).collect();
                self.filter(grouped, &conds)
            }
        }
    }

    /// Groups by some expressions and computes the aggregates of the expressions above.
    pub(crate) fn group(
        &self,
        level: &Level<'_, 'q>,
        rel: Rel<'q, 'p>,
        keys: &[&'q Expr<'q>],
        sets: Option<&'q [GroupingSet<'q>]>,
        above: &[&'q Expr<'q>],
        always: bool,
    ) -> Result<Rel<'q, 'p>> {
        let mut found: Vec<&'q Aggregate<'q>> = Vec::new();
        above.iter().for_each(|expr| aggregates(expr, &mut found));
        let outer = self.outer_aggregates(level, above)?;
        found.extend(outer.iter().map(|outer| outer.aggregate));
        let calls_above: Vec<&'q Expr<'q>> =
            above.iter().copied().chain(outer.iter().map(|outer| outer.expr)).collect();
        // Columns that the keys determine are keys themselves.
        let mut keys = keys.to_vec();
        if sets.is_none() {
            let mut extra = Vec::new();
            above.iter().for_each(|expr| self.ungrouped(level, expr, &keys, &mut extra));
            for expr in extra {
                if !keys.iter().any(|key| same(key, expr)) {
                    keys.push(expr);
                }
            }
        }
        let mut inputs = keys.clone();
        for aggregate in &found {
            inputs.extend(aggregate.args);
            inputs.extend(aggregate.direct_args);
            inputs.extend(aggregate.filter);
        }
        let groups = if always { 1.0 } else { self.group_count(level, &keys, rel.rows()) };
        let (rel, places) = self.extend(level, rel, &inputs)?;
        let mut places = places.into_iter();
        let mut key_columns = Vec::new();
        for key in &keys {
            let column = places.next().unwrap_or(0);
            let type_oid = self.compare_type(key.ty.oid)?;
            key_columns.push(SortColumn {
                column,
                type_oid,
                descending: false,
                nulls_first: false,
            });
        }
        let mut out = Vec::new();
        let mut columns = Columns::default();
        for (i, key) in keys.iter().enumerate() {
            out.push(self.column(key.ty)?);
            columns.exprs.push((key, i as u16));
            if let Some(var) = crate::estimate::plain_var(level, key) {
                columns.vars.push((var, i as u16));
            }
        }
        let mut calls: Vec<AggregateCall<'p>> = Vec::new();
        let mut distinct_calls: Vec<(&'q Aggregate<'q>, u16)> = Vec::new();
        for aggregate in found {
            let take = |places: &mut std::vec::IntoIter<u16>, count: usize| -> Vec<u16> {
                places.take(count).collect()
            };
            let args = take(&mut places, aggregate.args.len());
            let direct = take(&mut places, aggregate.direct_args.len());
            let filter = aggregate.filter.and_then(|_| places.next());
            let address: *const () = std::ptr::from_ref(aggregate).cast();
            let ty = Type::plain(Oid::INVALID);
            let twin = distinct_calls.iter().find(|(other, _)| {
                let (a, b) = (
                    Expr { kind: ExprKind::Aggregate(other), ty, at: None },
                    Expr { kind: ExprKind::Aggregate(aggregate), ty, at: None },
                );
                same(&a, &b)
            });
            if let Some((_, column)) = twin {
                columns.calls.push((address, *column));
                continue;
            }
            let column = (keys.len() + calls.len()) as u16;
            columns.calls.push((address, column));
            distinct_calls.push((aggregate, column));
            let result = self.aggregate_type(&calls_above, aggregate);
            out.push(self.column(result)?);
            calls.push(self.aggregate_call(aggregate, &args, &direct, filter, result)?);
        }
        for outer in &outer {
            let address: *const () = std::ptr::from_ref(outer.aggregate).cast();
            let column = columns.calls.iter().find(|call| call.0 == address).map(|call| call.1);
            columns.vars.extend(column.map(|column| (outer.var, column)));
        }
        if let Some(sets) = sets {
            columns.grouping = Some((out.len() as u16, sets));
            out.push(self.column(Type::plain(Oid(oids::INT4)))?);
        }
        let set_column = sets.is_some();
        let sets = self.set_columns(sets, keys.len() as u16)?;
        let kind = NodeKind::Aggregate {
            input: rel.node,
            keys: self.bump.alloc_slice_copy(&key_columns)?,
            sets: self.bump.alloc_slice_copy(&sets)?,
            calls: self.bump.alloc_slice_copy(&calls)?,
            set_column,
            always,
        };
        let cost = rel.node.total_cost + rel.rows() * 0.01 * (1.0 + calls.len() as f64);
        let reads = rel.node.reads.iter().copied().collect();
        let node = self.node(kind, &out, (groups, cost, cost + groups * 0.01), &reads)?;
        Ok(Rel { node, columns, unique: Vec::new() })
    }

    /// The key columns of each grouping set: all, when there are no sets.
    fn set_columns(
        &self,
        sets: Option<&'q [GroupingSet<'q>]>,
        keys: u16,
    ) -> Result<Vec<&'p [u16]>> {
        let Some(sets) = sets else {
            let all: Vec<u16> = (0..keys).collect();
            return Ok(vec![&*self.bump.alloc_slice_copy(&all)?]);
        };
        let mut list = Vec::new();
        for set in sets {
            let items: Vec<u16> = set.items.iter().map(|item| *item as u16).collect();
            list.push(&*self.bump.alloc_slice_copy(&items)?);
        }
        Ok(list)
    }

    /// The result type of an aggregate: that of the expression that is the call.
    fn aggregate_type(&self, above: &[&'q Expr<'q>], aggregate: &Aggregate<'q>) -> Type {
        fn find<'q>(expr: &'q Expr<'q>, wanted: &Aggregate<'q>) -> Option<Type> {
            if let ExprKind::Aggregate(found) = expr.kind
                && std::ptr::eq(found, wanted)
            {
                return Some(expr.ty);
            }
            let mut ty = None;
            walk::children(expr, &mut |child| ty = ty.or_else(|| find(child, wanted)));
            ty
        }
        above.iter().find_map(|expr| find(expr, aggregate)).unwrap_or(Type::plain(Oid(oids::TEXT)))
    }

    fn aggregate_call(
        &self,
        aggregate: &Aggregate<'q>,
        args: &[u16],
        direct: &[u16],
        filter: Option<u16>,
        result: Type,
    ) -> Result<AggregateCall<'p>> {
        let proc = self.catalog().proc(aggregate.function)?;
        let Some(Body::Aggregate(factory)) =
            self.env.registry().numbered(aggregate.function).map(|found| found.body)
        else {
            return Err(Error::unsupported(format!(
                "aggregate {} (number {}) is not supported yet",
                proc.name, aggregate.function
            )));
        };
        let keys = |keys: &[SortKey]| -> Result<&'p [SortColumn]> {
            Ok(self.bump.try_alloc_slice(keys.iter().map(|key| {
                let at = key.target as usize;
                Ok(SortColumn {
                    column: args[at],
                    type_oid: self.compare_type(aggregate.args[at].ty.oid)?,
                    descending: key.descending,
                    nulls_first: key.nulls_first,
                })
            }))?)
        };
        let types: Vec<expr::SqlType> = aggregate
            .direct_args
            .iter()
            .chain(aggregate.args.iter().take(aggregate.arg_count as usize))
            .map(|arg| crate::compile::sql_type(arg.ty))
            .collect();
        let collation = aggregate.args.first().map_or(Oid::INVALID, |arg| arg.ty.collation);
        let hypothetical = (aggregate.kind == AggregateKind::Hypothetical).then(|| {
            aggregate.order_by.iter().rev().fold(0, |bits, key| {
                bits << 2 | i64::from(key.nulls_first) << 1 | i64::from(key.descending)
            })
        });
        Ok(AggregateCall {
            factory,
            hypothetical,
            name: self.bump.alloc_str(&proc.name)?,
            args: self.bump.alloc_slice_copy(&args[..aggregate.arg_count as usize])?,
            direct: self.bump.alloc_slice_copy(direct)?,
            filter,
            distinct: keys(aggregate.distinct)?,
            order_by: keys(match aggregate.distinct {
                // DISTINCT hands the rows on in order, unless nobody can tell.
                [_, ..] if !is_order_blind(&proc.name, &types) => aggregate.distinct,
                _ => aggregate.order_by,
            })?,
            site: Site {
                function: aggregate.function,
                args: self.bump.alloc_slice_copy(&types)?,
                result: crate::compile::sql_type(result),
                collation,
                variadic: aggregate.variadic,
            },
        })
    }

    /// Columns above the groups that stand in no aggregate and in no key.
    fn ungrouped(
        &self,
        level: &Level<'_, 'q>,
        expr: &'q Expr<'q>,
        keys: &[&'q Expr<'q>],
        out: &mut Vec<&'q Expr<'q>>,
    ) {
        if keys.iter().any(|key| same(key, expr)) {
            return;
        }
        match expr.kind {
            ExprKind::Aggregate(aggregate) if aggregate.levels_up == 0 => return,
            ExprKind::Column(column) if column.levels_up == 0 => {
                if let RangeKind::Join { columns, .. } =
                    level.query.ranges[column.range.0 as usize].kind
                    && column.attribute > 0
                {
                    let alias = &columns[column.attribute as usize - 1];
                    if keys.iter().any(|key| same(key, alias)) {
                        return;
                    }
                }
                out.push(expr);
                return;
            }
            ExprKind::SubLink(link) => {
                let mut vars: Vec<Var> = Vec::new();
                columns_beside_aggregates(link.query, &mut |column| {
                    crate::needs::resolve_use(level, column, &mut |var| vars.push(var));
                });
                for var in vars {
                    if let Ok(column) = self.var_expr(level, var) {
                        out.push(column);
                    }
                }
            }
            _ => {}
        }
        walk::children(expr, &mut |child| self.ungrouped(level, child, keys, out));
    }

    /// A column as an expression of its own level.
    fn var_expr(&self, level: &Level<'_, 'q>, var: Var) -> Result<&'q Expr<'q>> {
        let at = usize::try_from(var.attribute - 1).unwrap_or(usize::MAX);
        let ty = level.query.ranges.get(var.range as usize).and_then(|r| r.types.get(at));
        let ty = ty.copied().ok_or_else(|| Error::internal("a column of no range"))?;
        let column = analyze::tree::ColumnUse {
            range: analyze::tree::RangeId(var.range),
            attribute: var.attribute,
            levels_up: 0,
            returning: analyze::tree::ReturningRow::Default,
        };
        self.tree(ExprKind::Column(column), ty)
    }

    /// A sort, unless there is nothing to sort by.
    pub(crate) fn sort(
        &self,
        input: &'p Node<'p>,
        keys: &[SortColumn],
        limit: Option<Program<'p>>,
    ) -> Result<&'p Node<'p>> {
        if keys.is_empty() {
            return Ok(input);
        }
        let below = Cost { disabled: 0, total: input.total_cost, startup: input.startup_cost };
        let cost = self.costs.sort(below, input.rows, self.row_width(input.columns), None);
        let kind = NodeKind::Sort { input, keys: self.bump.alloc_slice_copy(keys)?, limit };
        let reads = input.reads.iter().copied().collect();
        let estimate = (input.rows, cost.startup, cost.total);
        let node = self.node(kind, input.columns, estimate, &reads)?;
        if cost.disabled > 0 {
            self.note_disabled(node);
        }
        Ok(node)
    }

    /// About how many bytes a row of some columns has.
    pub(crate) fn row_width(&self, columns: &[Column]) -> f64 {
        columns.iter().map(|column| column.layout.kind().width().map_or(32.0, |w| w as f64)).sum()
    }

    pub(crate) fn distinct(
        &self,
        node: &'p Node<'p>,
        keys: &'p [SortColumn],
    ) -> Result<&'p Node<'p>> {
        let cost = (node.rows * 0.5, 0.0, node.total_cost + node.rows * 0.01);
        let reads = node.reads.iter().copied().collect();
        self.node(NodeKind::Distinct { input: node, keys }, node.columns, cost, &reads)
    }

    /// A tree of UNION, INTERSECT and EXCEPT.
    pub(crate) fn set_tree(
        &self,
        level: &Level<'_, 'q>,
        tree: &SetTree<'q>,
    ) -> Result<&'p Node<'p>> {
        base::stack::check_stack_depth()?;
        let operation = match tree {
            SetTree::Leaf(range) => {
                let RangeKind::Subquery { query, .. } = level.query.ranges[range.0 as usize].kind
                else {
                    return Err(Error::internal("a leaf of a set operation that is no query"));
                };
                return self.trimmed(query, level);
            }
            SetTree::Node(operation) => operation,
        };
        let left = self.set_tree(level, &operation.left)?;
        let right = self.set_tree(level, &operation.right)?;
        let keys = self.sort_columns(operation.keys, operation.types)?;
        let keys = if operation.keys.is_empty() {
            let all: Vec<SortColumn> = operation
                .types
                .iter()
                .enumerate()
                .map(|(i, ty)| {
                    Ok(SortColumn {
                        column: i as u16,
                        type_oid: self.compare_type(ty.oid)?,
                        descending: false,
                        nulls_first: false,
                    })
                })
                .collect::<Result<_>>()?;
            &*self.bump.alloc_slice_copy(&all)?
        } else {
            keys
        };
        let out: Vec<Column> =
            operation.types.iter().map(|ty| self.column(*ty)).collect::<Result<_>>()?;
        let reads = left.reads.iter().chain(right.reads).copied().collect();
        let cost = (left.rows + right.rows, 0.0, left.total_cost + right.total_cost);
        if operation.kind == SetKind::Union {
            let inputs = self.bump.alloc_slice_copy(&[left, right])?;
            let node = self.node(NodeKind::Append(inputs), &out, cost, &reads)?;
            return if operation.all { Ok(node) } else { self.distinct(node, keys) };
        }
        let kind =
            NodeKind::SetOperation { kind: operation.kind, all: operation.all, left, right, keys };
        self.node(kind, &out, (left.rows, cost.2, cost.2), &reads)
    }
}

/// Whether a node's rows come from more than one scan.
fn has_join(node: &Node<'_>) -> bool {
    match node.kind {
        NodeKind::SeqScan { .. } | NodeKind::IndexScan { .. } => false,
        NodeKind::Filter { input, .. } | NodeKind::Project { input, .. } => has_join(input),
        _ => true,
    }
}

/// Whether an aggregate of built-in types has one result whatever the order of its rows.
fn is_order_blind(name: &str, args: &[expr::SqlType]) -> bool {
    let exact = |ty: &expr::SqlType| {
        matches!(ty.oid.0, oids::INT2 | oids::INT4 | oids::INT8 | oids::NUMERIC)
    };
    match name {
        "count" | "min" | "max" | "every" | "bool_and" | "bool_or" | "bit_and" | "bit_or"
        | "bit_xor" => true,
        "sum" | "avg" => args.iter().all(exact),
        _ => false,
    }
}
