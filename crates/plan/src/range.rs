//! Ranges other than tables: subqueries, functions, VALUES, CTEs.

use crate::compile::{Compiler, sql_type};
use crate::node::{Column, FunctionBody, FunctionCall, Node, NodeKind, SortColumn};
use crate::planner::{Columns, Cond, Level, Planner, Rel};
use analyze::tree::{
    CteUse, Expr, ExprKind, FunctionRange, JsonKind, Query, Range, RangeId, RangeKind, SetTree,
    Type,
};
use base::{Error, Oid, Result};
use catalog::rows::ArgMode;
use expr::{Body, Builder, Program, Site, SqlType};
use types::oids;
use types::row_columns::RowColumn;

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// A range under conditions that see only it.
    pub(crate) fn range(
        &self,
        level: &Level<'_, 'q>,
        range: RangeId,
        conds: &[Cond<'_, 'q>],
    ) -> Result<Rel<'q, 'p>> {
        let described = &level.query.ranges[range.0 as usize];
        let node = match described.kind {
            RangeKind::Relation { relation, lock_mode, .. } => {
                return self.scan(level, range.0, relation, lock_mode, conds);
            }
            RangeKind::Subquery { query, .. } => {
                let node = self.query(query, Some(level))?;
                let visible: Vec<u16> = visible_targets(query);
                return self.filter(self.numbered(level, range, node, &visible), conds);
            }
            RangeKind::Functions { functions, ordinality } => {
                let node = self.function_scan(level, functions, ordinality, described)?;
                self.note_calls(node, level, functions);
                node
            }
            RangeKind::Values(rows) => self.values(level, rows, described.types)?,
            RangeKind::Cte(cte) => self.cte(level, &cte)?,
            RangeKind::Join { .. } | RangeKind::Excluded { .. } => {
                return Err(Error::internal("a range that cannot be scanned"));
            }
        };
        // A CTE that is taken in is no scan.
        if !matches!(described.kind, RangeKind::Cte(_))
            || matches!(node.kind, NodeKind::CteScan(_) | NodeKind::WorkTable(_))
        {
            self.note_range(node, level, range.0);
        }
        let all: Vec<u16> = (0..node.columns.len() as u16).collect();
        self.filter(self.numbered(level, range, node, &all), conds)
    }

    /// A node whose columns are those of a range, in order.
    fn numbered(
        &self,
        level: &Level<'_, 'q>,
        range: RangeId,
        node: &'p Node<'p>,
        visible: &[u16],
    ) -> Rel<'q, 'p> {
        let mut columns = Columns::default();
        for (i, column) in visible.iter().enumerate() {
            columns.vars.push((level.var(range.0, i as i16 + 1), *column));
        }
        Rel { node, columns, unique: Vec::new() }
    }

    fn columns(&self, types: &[Type]) -> Result<Vec<Column>> {
        types.iter().map(|ty| self.column(*ty)).collect()
    }

    fn values(
        &self,
        level: &Level<'_, 'q>,
        rows: &'q [&'q [Expr<'q>]],
        types: &[Type],
    ) -> Result<&'p Node<'p>> {
        let none = Columns::default();
        let (programs, reads) = self.collecting(|| {
            let programs = rows.iter().map(|row| self.program(level, &none, row.iter()));
            Ok(&*self.bump.try_alloc_slice(programs)?)
        })?;
        let count = rows.len() as f64;
        let out = self.columns(types)?;
        self.node(NodeKind::Values(programs), &out, (count, 0.0, count * 0.0125), &reads)
    }

    fn function_scan(
        &self,
        level: &Level<'_, 'q>,
        functions: &'q [FunctionRange<'q>],
        ordinality: bool,
        described: &Range<'q>,
    ) -> Result<&'p Node<'p>> {
        let none = Columns::default();
        let mut names = described.columns;
        let (calls, reads) = self.collecting(|| {
            let calls = functions.iter().map(|function| {
                let composite = function.composite;
                let columns = function.column_count as u16;
                let own = names.split_off(..usize::from(columns).min(names.len()));
                let mut call = function.call;
                if composite && call.ty.oid.0 == oids::RECORD {
                    call.ty = anonymous_row(own.unwrap_or_default(), function.types);
                }
                self.function_call(level, &none, &call, columns, composite)
            });
            Ok(&*self.bump.try_alloc_slice(calls)?)
        })?;
        let mut out = self.columns(described.types)?;
        if ordinality && out.len() == functions.iter().map(|f| f.column_count as usize).sum() {
            out.push(self.column(Type::plain(Oid(oids::INT8)))?);
        }
        let kind = NodeKind::FunctionScan { functions: calls, ordinality };
        self.node(kind, &out, (1000.0, 0.0, 10.0), &reads)
    }

    /// A call in FROM, or a set among the targets.
    pub(crate) fn function_call(
        &self,
        level: &Level<'_, 'q>,
        columns: &Columns<'q>,
        call: &Expr<'q>,
        count: u16,
        composite: bool,
    ) -> Result<FunctionCall<'p>> {
        let mut inner = call;
        while let ExprKind::Relabel { arg, .. } = inner.kind {
            inner = arg;
        }
        if let ExprKind::Json(json) = inner.kind
            && let JsonKind::Table(table) = json.kind
        {
            let body = self.json_table(level, columns, json, table)?;
            return Ok(FunctionCall { body, columns: count, composite: false, record: &[] });
        }
        let ExprKind::Function { function, args, variadic, returns_set: true, .. } = inner.kind
        else {
            let body = FunctionBody::Value(self.program(level, columns, [call])?);
            return Ok(FunctionCall { body, columns: count, composite, record: &[] });
        };
        let proc = self.catalog().proc(function)?;
        let Some(Body::Set(set)) = self.bound_body(&proc) else {
            return Err(Error::unsupported(format!(
                "set-returning function {} is not supported yet",
                proc.name
            )));
        };
        let mut compiler = Compiler::new(Builder::new(self.bump), columns);
        let mut registers = Vec::new();
        for arg in args {
            registers.push(self.expr(&mut compiler, level, arg)?);
        }
        let program: Program<'p> = compiler.builder.finish(&registers)?;
        let types: Vec<SqlType> = args.iter().map(|arg| sql_type(arg.ty)).collect();
        let site = Site {
            function,
            args: self.bump.alloc_slice_copy(&types)?,
            result: sql_type(call.ty),
            collation: Oid::INVALID,
            variadic,
        };
        let body = FunctionBody::Set { function: set, args: program, strict: proc.strict, site };
        Ok(FunctionCall { body, columns: count, composite, record: &[] })
    }

    /// A set among the targets: a set of rows gives whole rows.
    pub(crate) fn target_set(
        &self,
        level: &Level<'_, 'q>,
        columns: &Columns<'q>,
        call: &Expr<'q>,
    ) -> Result<FunctionCall<'p>> {
        let made = self.function_call(level, columns, call, 1, false)?;
        let ExprKind::Function { function, args, returns_set: true, .. } = call.kind else {
            return Ok(made);
        };
        let proc = self.catalog().proc(function)?;
        let (Some(all), Some(modes)) = (&proc.all_args, &proc.arg_modes) else { return Ok(made) };
        let mut fields = Vec::new();
        for (oid, mode) in all.iter().zip(modes.iter()) {
            if matches!(mode, ArgMode::Out | ArgMode::InOut | ArgMode::Table) {
                fields.push(match (oid.0, args) {
                    (oids::ANYELEMENT, [array, ..]) => self.element_type(array.ty.oid)?,
                    (oids::ANYARRAY, [array, ..]) => array.ty.oid,
                    _ => *oid,
                });
            }
        }
        if fields.len() < 2 {
            return Ok(made);
        }
        Ok(FunctionCall { record: self.bump.alloc_slice_copy(&fields)?, ..made })
    }

    fn cte(&self, level: &Level<'_, 'q>, cte: &CteUse) -> Result<&'p Node<'p>> {
        let owner = level.cte_owner(cte)?;
        let index = cte.index as usize;
        let described = &owner.query.ctes[index];
        let out = self.columns(described.types)?;
        if cte.self_reference {
            let number = owner.ctes.borrow()[index]
                .ok_or_else(|| Error::internal("a CTE refers to itself too early"))?;
            let round = self.state.borrow().rounds.get(&number).copied();
            let round = round.ok_or_else(|| Error::internal("a recursion without rounds"))?;
            self.reads(round);
            let kind = NodeKind::WorkTable(number);
            return self.node(kind, &out, (100.0, 0.0, 1.0), &[round].into());
        }
        if self.is_inline(described)? {
            return self.trimmed(described.query, owner);
        }
        let number = self.cte_number(level, cte)?;
        let computed = self.state.borrow().ctes[usize::from(number)];
        let rows = computed.map_or(100.0, |node| node.rows);
        let reads = computed.iter().flat_map(|node| node.reads).copied().collect();
        let kind = NodeKind::CteScan(number);
        self.node(kind, &out, (rows, 0.0, rows * 0.01), &reads)
    }

    /// The number of a CTE's computation, which is planned when it is first asked for.
    pub(crate) fn cte_number(&self, level: &Level<'_, 'q>, cte: &CteUse) -> Result<u16> {
        let owner = level.cte_owner(cte)?;
        let index = cte.index as usize;
        let described = &owner.query.ctes[index];
        let known = owner.ctes.borrow()[index];
        if let Some(number) = known {
            let computed = self.state.borrow().ctes[usize::from(number)];
            computed.iter().flat_map(|node| node.reads).for_each(|param| self.reads(*param));
            return Ok(number);
        }
        let number = {
            let mut state = self.state.borrow_mut();
            state.ctes.push(None);
            state.ctes.len() as u16 - 1
        };
        owner.ctes.borrow_mut()[index] = Some(number);
        self.note_cte(number, described.name);
        let node = if described.recursive {
            self.recursive(owner, described.query, number)?
        } else {
            self.trimmed(described.query, owner)?
        };
        self.state.borrow_mut().ctes[usize::from(number)] = Some(node);
        node.reads.iter().for_each(|param| self.reads(*param));
        Ok(number)
    }

    /// A query without its junk columns.
    pub(crate) fn trimmed(
        &self,
        query: &'q Query<'q>,
        parent: &Level<'_, 'q>,
    ) -> Result<&'p Node<'p>> {
        let node = self.query(query, Some(parent))?;
        let visible = visible_targets(query);
        self.only(node, &visible)
    }

    /// Some columns of a node.
    pub(crate) fn only(&self, node: &'p Node<'p>, visible: &[u16]) -> Result<&'p Node<'p>> {
        if visible.len() == node.columns.len() {
            return Ok(node);
        }
        let mut builder = Builder::new(self.bump);
        let registers: Vec<_> =
            visible.iter().map(|column| builder.input(*column)).collect::<Result<_>>()?;
        let program = builder.finish(&registers)?;
        let out: Vec<Column> =
            visible.iter().map(|column| node.columns[usize::from(*column)]).collect();
        let cost = (node.rows, node.startup_cost, node.total_cost);
        let reads = node.reads.iter().copied().collect();
        self.node(NodeKind::Project { input: node, program }, &out, cost, &reads)
    }

    fn recursive(
        &self,
        owner: &Level<'_, 'q>,
        query: &'q Query<'q>,
        number: u16,
    ) -> Result<&'p Node<'p>> {
        let level = self.level(query, Some(owner));
        let Some(SetTree::Node(operation)) = query.set_operation else {
            return Err(Error::internal("a recursive CTE without UNION"));
        };
        let leaf = |tree: &SetTree<'q>| match tree {
            SetTree::Leaf(range) => match query.ranges[range.0 as usize].kind {
                RangeKind::Subquery { query, .. } => self.trimmed(query, &level),
                _ => Err(Error::internal("a leaf of UNION that is no query")),
            },
            SetTree::Node(_) => self.set_tree(&level, tree),
        };
        let round = self.new_param()?;
        self.state.borrow_mut().rounds.insert(number, round);
        let ((start, step), mut reads) =
            self.collecting(|| Ok((leaf(&operation.left)?, leaf(&operation.right)?)))?;
        // Nobody outside of the recursion sees its rounds.
        reads.remove(&round);
        self.state.borrow_mut().collectors.iter_mut().for_each(|outer| _ = outer.remove(&round));
        let distinct = match operation.all {
            true => None,
            false => Some(self.sort_columns(operation.keys, operation.types)?),
        };
        let out = self.columns(operation.types)?;
        let cost = (start.rows * 10.0, 0.0, start.total_cost + step.total_cost * 10.0);
        let kind = NodeKind::RecursiveUnion { table: number, round, start, step, distinct };
        self.node(kind, &out, cost, &reads)
    }

    /// Keys over columns whose types are given.
    pub(crate) fn sort_columns(
        &self,
        keys: &[analyze::tree::SortKey],
        types: &[Type],
    ) -> Result<&'p [SortColumn]> {
        Ok(self.bump.try_alloc_slice(keys.iter().map(|key| {
            let ty = types
                .get(key.target as usize)
                .ok_or_else(|| Error::internal("a key beyond the columns"))?;
            Ok(SortColumn {
                column: key.target as u16,
                type_oid: self.compare_type(ty.oid)?,
                descending: key.descending,
                nulls_first: key.nulls_first,
            })
        }))?)
    }
}

/// The positions of the columns that a query shows.
pub(crate) fn visible_targets(query: &Query<'_>) -> Vec<u16> {
    let targets = match query.command {
        analyze::tree::Command::Select => query.targets,
        _ => query.returning,
    };
    let all = targets.iter().enumerate();
    all.filter(|(_, target)| !target.junk).map(|(i, _)| i as u16).collect()
}

/// The type of rows of these columns that are of no named row type. Dropped columns are left out.
pub(crate) fn anonymous_row(names: &[&str], types: &[Type]) -> Type {
    let columns = names.iter().zip(types).filter(|(_, ty)| ty.oid.is_valid());
    let columns: Vec<RowColumn> = columns
        .map(|(name, ty)| RowColumn {
            name: (*name).to_string(),
            type_oid: ty.oid.0,
            typmod: ty.typmod,
        })
        .collect();
    Type { typmod: types::row_columns::typmod(&columns), ..Type::plain(Oid(oids::RECORD)) }
}
