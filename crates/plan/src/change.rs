//! INSERT, UPDATE and DELETE.

use crate::compile::Compiler;
use crate::modify::{Assignment, Check, Conflict, ConflictUpdate, IndexWrite, Modify};
use crate::node::{Node, NodeKind, SortColumn};
use crate::planner::{Columns, Level, Planner, ROW_ID, Var};
use crate::virtual_column::is_virtual;
use analyze::tree::{
    Command, ConflictAction, Expr, ExprKind, OnConflict, Query, RangeKind, SystemColumn, Target,
    Type,
};
use base::{Error, Oid, Result};
use catalog::relation::Relation;
use catalog::rows::{ConstraintKind, Generated};
use expr::{Builder, Program};
use std::sync::Arc;

/// The ranges by which programs over a wide row tell its halves apart.
const OLD: u32 = u32::MAX - 1;
const NEW: u32 = u32::MAX - 2;

impl<'q, 'p> Planner<'_, 'q, 'p> {
    pub(crate) fn modify(
        &self,
        level: &Level<'_, 'q>,
        query: &'q Query<'q>,
    ) -> Result<&'p Node<'p>> {
        let target =
            query.result_relation.ok_or_else(|| Error::internal("a change without a target"))?;
        let RangeKind::Relation { relation, .. } = query.ranges[target.0 as usize].kind else {
            return Err(Error::unsupported("changing a view is not supported yet"));
        };
        let (number, relation) = self.relation(relation, 3)?;
        let attributes = relation.columns.len() as u16;
        let mut marker = None;
        let (input, input_columns, row_id) = match (query.command, query.merge) {
            (Command::Insert, _) => self.insert_input(level, query)?,
            (_, Some(merge)) => {
                let found = self.merge_input(level, query, merge, target.0, &relation)?;
                marker = found.marker;
                (found.node, found.columns, found.row_id)
            }
            _ => self.row_input(level, query, target.0, &relation)?,
        };
        let mut old = Vec::new();
        for column in relation.live_columns() {
            if let Some(at) = input_columns.var(level.var(target.0, column.attribute)) {
                old.push((column.attribute, at));
            }
        }
        let old = &*self.bump.alloc_slice_copy(&old)?;
        let plain = self.wide(level, target.0, query, &relation, &input_columns);
        let mut wide = plain.clone();
        if query.merge.is_some() {
            let count = input.columns.len();
            self.merge_wide(level, target.0, &relation, &mut wide, count);
        }
        let system = self.returned_system_columns(level, target.0, &relation, input, &mut wide);
        let mut assignments = Vec::new();
        for assignment in query.assignments {
            let column = assignment.target as u16;
            assignments.push(Assignment { attribute: assignment.attribute, column });
        }
        let ((returning, conflict, actions), mut reads) = self.collecting(|| {
            let returning = match query.returning {
                [] => None,
                targets => {
                    Some(self.program(level, &wide, targets.iter().map(|target| &target.expr))?)
                }
            };
            let conflict = match query.on_conflict {
                Some(conflict) => Some(self.conflict(level, conflict, target.0, &relation)?),
                None => None,
            };
            let actions = match query.merge {
                Some(merge) => self.merge_actions(level, merge, &input_columns)?,
                None => &[],
            };
            Ok((returning, conflict, actions))
        })?;
        let mut changed: Vec<i16> = assignments.iter().map(|a| a.attribute).collect();
        if let Some(update) = conflict.and_then(|conflict| conflict.update) {
            changed.extend(update.assignments.iter().map(|a| a.attribute));
        }
        let named = named(query);
        let (generated, generated_values) = self.generated(&relation)?;
        changed.extend(generated.iter().map(|a| a.attribute));
        let modify = Modify {
            command: query.command,
            relation: number,
            input,
            row_id,
            old,
            assignments: self.bump.alloc_slice_copy(&assignments)?,
            named: self.bump.alloc_slice_copy(&named)?,
            generated,
            generated_values,
            checks: self.checks(&relation, level, query, &plain)?,
            indexes: self.index_writes(&relation, query.command, &changed)?,
            conflict: match conflict {
                Some(conflict) => Some(self.bump.alloc(conflict)?),
                None => None,
            },
            system,
            returning,
            marker,
            actions,
            foreign_keys: self.bump.alloc_slice_fill_iter(
                relation
                    .constraints
                    .iter()
                    .enumerate()
                    .filter(|(_, constraint)| constraint.foreign.is_some())
                    .map(|(i, _)| i as u16),
            )?,
            referenced: !relation.referenced_by.is_empty(),
            attributes,
        };
        let mut out = Vec::new();
        for target in query.returning {
            out.push(self.column(target.expr.ty)?);
        }
        reads.extend(input.reads);
        let cost = (input.rows, input.startup_cost, input.total_cost);
        self.node(NodeKind::Modify(self.bump.alloc(modify)?), &out, cost, &reads)
    }

    /// The rows of an INSERT: its targets in order.
    fn insert_input(
        &self,
        level: &Level<'_, 'q>,
        query: &'q Query<'q>,
    ) -> Result<(&'p Node<'p>, Columns<'q>, Option<u16>)> {
        let below = self.where_of_from(level, query.from, query.filter)?;
        let targets: Vec<&'q Expr<'q>> = query.targets.iter().map(|target| &target.expr).collect();
        let (node, _) = self.project(level, &below, &targets)?;
        Ok((node, Columns::default(), None))
    }

    /// The rows of an UPDATE or DELETE: targets, then all that was joined, the row id among it.
    fn row_input(
        &self,
        level: &Level<'_, 'q>,
        query: &'q Query<'q>,
        target: u32,
        relation: &Relation,
    ) -> Result<(&'p Node<'p>, Columns<'q>, Option<u16>)> {
        {
            let mut needed = level.needed.borrow_mut();
            needed.insert((target, ROW_ID));
            for column in relation.live_columns() {
                needed.insert((target, column.attribute));
            }
        }
        let range = analyze::tree::FromItem::Range(analyze::tree::RangeId(target));
        let mut items = vec![range];
        items.extend_from_slice(query.from);
        let items = self.trees.alloc_slice_copy(&items)?;
        let below = self.where_of_from(level, items, query.filter)?;
        let targets: &[Target<'q>] =
            if query.command == Command::Update { query.targets } else { &[] };
        let ((program, out), mut reads) = self.collecting(|| {
            let mut c = Compiler::new(Builder::new(self.bump), &below.columns);
            let (mut registers, mut out) = (Vec::new(), Vec::new());
            for target in targets {
                registers.push(self.expr(&mut c, level, &target.expr)?);
                out.push(self.column(target.expr.ty)?);
            }
            for (i, column) in below.node.columns.iter().enumerate() {
                registers.push(c.builder.input(i as u16)?);
                out.push(*column);
            }
            let program = c.builder.finish(&registers)?;
            let noted = targets.iter().map(|target| Some((&target.expr, level.id)));
            self.note_program(&program, 0, noted);
            Ok((program, out))
        })?;
        reads.extend(below.node.reads);
        let mut columns = Columns::default();
        columns.extend_shifted(&below.columns, targets.len() as u16);
        let row_id = columns.var(level.var(target, ROW_ID));
        let cost = (below.rows(), below.node.startup_cost, below.node.total_cost);
        let kind = NodeKind::Project { input: below.node, program };
        let node = self.node(kind, &out, cost, &reads)?;
        Ok((node, columns, row_id))
    }

    /// What the columns of a wide row are.
    fn wide(
        &self,
        level: &Level<'_, 'q>,
        target: u32,
        query: &Query<'q>,
        relation: &Relation,
        input: &Columns<'q>,
    ) -> Columns<'q> {
        let mut columns = Columns::default();
        let attributes = relation.columns.len() as u16;
        for column in relation.live_columns().filter(|column| !is_virtual(column)) {
            let at = column.attribute as u16 - 1;
            let default = if query.command == Command::Delete { at } else { attributes + at };
            for (range, place) in [(OLD, at), (NEW, attributes + at), (target, default)] {
                columns.vars.push((level.var(range, column.attribute), place));
            }
        }
        let mut below = Columns::default();
        below.extend_shifted(input, attributes * 2);
        below.vars.retain(|(var, _)| var.range != target || var.attribute < 0);
        columns.vars.extend(below.vars);
        columns
    }

    /// Where the system columns of a new row are in a wide row, if somebody reads one.
    fn returned_system_columns(
        &self,
        level: &Level<'_, 'q>,
        target: u32,
        relation: &Relation,
        input: &Node<'_>,
        wide: &mut Columns<'q>,
    ) -> Option<u16> {
        let command = level.query.command;
        let first = SystemColumn::TableOid as i16;
        let last = SystemColumn::Ctid as i16;
        let needed = level.needed.borrow().range((target, first)..=(target, last)).next().is_some();
        let inputs = match command {
            Command::Insert => 0,
            Command::Update => input.columns.len() as u16,
            _ => return None,
        };
        if !needed || level.query.returning.is_empty() {
            return None;
        }
        let at = relation.columns.len() as u16 * 2 + inputs;
        for (i, attribute) in (first..=last).rev().enumerate() {
            let var = level.var(target, attribute);
            wide.vars.retain(|(old, _)| *old != var);
            wide.vars.push((var, at + i as u16));
        }
        Some(at)
    }

    /// A wide row's half for a stored expression: range 0 is the table.
    pub(crate) fn half(
        &self,
        level: &Level<'_, 'q>,
        relation: &Relation,
        new: bool,
    ) -> Columns<'q> {
        let mut columns = Columns::default();
        let shift = if new { relation.columns.len() as u16 } else { 0 };
        for column in relation.live_columns().filter(|column| !is_virtual(column)) {
            let var = Var { level: level.id, range: 0, attribute: column.attribute };
            columns.vars.push((var, shift + column.attribute as u16 - 1));
        }
        columns
    }

    /// A level of one range, for stored expressions over a table.
    pub(crate) fn stored_level(&self, relation: &Relation) -> Result<Level<'q, 'q>> {
        let mut types = Vec::new();
        for column in &relation.columns {
            types.push(Type {
                oid: if column.dropped { Oid::INVALID } else { column.type_oid },
                typmod: column.typmod,
                collation: column.collation,
            });
        }
        let range = analyze::tree::Range {
            kind: RangeKind::Relation {
                relation: relation.oid,
                row_type: relation.row_type,
                inherit: false,
                lock_mode: 1,
                selected: &[],
                sampled: false,
                check_as: Oid::INVALID,
            },
            alias: "",
            alias_given: false,
            aliased: 0,
            columns: &[],
            types: self.trees.alloc_slice_copy(&types)?,
            lateral: false,
            in_from: true,
        };
        let ranges = self.trees.alloc_slice_copy(&[range])?;
        let query = self.trees.alloc(empty_query(ranges))?;
        Ok(self.level(query, None))
    }

    fn generated(&self, relation: &Relation) -> Result<(&'p [Assignment], Option<Program<'p>>)> {
        let (mut assignments, mut exprs) = (Vec::new(), Vec::new());
        for column in relation.live_columns() {
            if !matches!(column.generated, Some(Generated::Stored)) {
                continue;
            }
            let Some(stored) = &column.default else { continue };
            let column_index = assignments.len() as u16;
            assignments.push(Assignment { attribute: column.attribute, column: column_index });
            exprs.push(analyze::analyze_stored(self.trees, self.env, stored)?);
        }
        if exprs.is_empty() {
            return Ok((&[], None));
        }
        let level = self.stored_level(relation)?;
        let columns = self.half(&level, relation, true);
        let program = self.program(&level, &columns, exprs)?;
        Ok((self.bump.alloc_slice_copy(&assignments)?, Some(program)))
    }

    fn checks(
        &self,
        relation: &Relation,
        own: &Level<'_, 'q>,
        query: &'q Query<'q>,
        wide: &Columns<'q>,
    ) -> Result<&'p [Check<'p>]> {
        let mut checks = Vec::new();
        let level = self.stored_level(relation)?;
        let columns = self.half(&level, relation, true);
        for column in relation.live_columns().filter(|column| column.not_null) {
            let attribute = column.attribute;
            checks.push(match is_virtual(column) {
                false => Check::NotNull(attribute),
                true => {
                    let expr = self.attribute(relation, attribute)?;
                    Check::NotNullValue(attribute, self.program(&level, &columns, [expr])?)
                }
            });
        }
        for (i, constraint) in relation.constraints.iter().enumerate() {
            if constraint.kind != ConstraintKind::Check || !constraint.enforced {
                continue;
            }
            if let Some(stored) = &constraint.check {
                let expr = analyze::analyze_stored(self.trees, self.env, stored)?;
                let program = self.program(&level, &columns, [expr])?;
                checks.push(Check::Constraint(i as u16, program));
            }
        }
        for check in query.view_checks {
            let program = self.program(own, wide, [check.condition])?;
            checks.push(Check::View(self.bump.alloc_str(check.view)?, program));
        }
        Ok(self.bump.alloc_slice_copy(&checks)?)
    }

    fn index_writes(
        &self,
        relation: &Arc<Relation>,
        command: Command,
        changed: &[i16],
    ) -> Result<&'p [IndexWrite<'p>]> {
        let level = self.stored_level(relation)?;
        let (old, new) = (self.half(&level, relation, false), self.half(&level, relation, true));
        let mut writes = Vec::new();
        for index in relation.indexes.iter().filter(|index| index.ready) {
            if index.method != crate::access::BTREE {
                return Err(Error::unsupported(format!(
                    "writing to index \"{}\" of this access method is not supported yet",
                    index.name
                )));
            }
            let (mut exprs, mut columns): (Vec<&'q Expr<'q>>, Vec<SortColumn>) = Default::default();
            let mut changes = command != Command::Update;
            for (i, key) in index.keys.iter().enumerate() {
                let expr = match &key.expression {
                    Some(stored) => {
                        changes = true;
                        analyze::analyze_stored(self.trees, self.env, stored)?
                    }
                    None => {
                        changes |= changed.contains(&key.attribute);
                        self.attribute(relation, key.attribute)?
                    }
                };
                exprs.push(expr);
                columns.push(SortColumn {
                    column: i as u16,
                    type_oid: self.compare_type(key.type_oid)?,
                    descending: key.descending,
                    nulls_first: key.nulls_first,
                });
            }
            for attribute in &index.included {
                changes |= changed.contains(attribute);
                exprs.push(self.attribute(relation, *attribute)?);
            }
            let predicate = match &index.predicate {
                Some(stored) => {
                    changes = true;
                    Some(analyze::analyze_stored(self.trees, self.env, stored)?)
                }
                None => None,
            };
            let of = |half: &Columns<'q>| self.program(&level, half, exprs.iter().copied());
            let when = |half: &Columns<'q>| {
                predicate.map(|expr| self.program(&level, half, [expr])).transpose()
            };
            writes.push(IndexWrite {
                index: self.index(index),
                new_key: of(&new)?,
                old_key: of(&old)?,
                new_predicate: when(&new)?,
                old_predicate: when(&old)?,
                columns: self.bump.alloc_slice_copy(&columns)?,
                changes,
            });
        }
        Ok(self.bump.alloc_slice_copy(&writes)?)
    }

    pub(crate) fn attribute(&self, relation: &Relation, attribute: i16) -> Result<&'q Expr<'q>> {
        let column = relation
            .column_at(attribute)
            .ok_or_else(|| Error::internal("an index on a column that is not there"))?;
        let ty = Type { oid: column.type_oid, typmod: column.typmod, collation: column.collation };
        let column = analyze::tree::ColumnUse {
            range: analyze::tree::RangeId(0),
            attribute,
            levels_up: 0,
            returning: analyze::tree::ReturningRow::Default,
        };
        self.tree(ExprKind::Column(column), ty)
    }

    fn conflict(
        &self,
        level: &Level<'_, 'q>,
        conflict: &OnConflict<'q>,
        target: u32,
        relation: &Relation,
    ) -> Result<Conflict<'p>> {
        let writable = relation.indexes.iter().filter(|index| index.ready);
        let arbiters: Vec<u16> = writable
            .enumerate()
            .filter(|(_, index)| conflict.arbiters.contains(&index.oid))
            .map(|(i, _)| i as u16)
            .collect();
        let update = match conflict.action {
            ConflictAction::Nothing => None,
            ConflictAction::Update { targets, assignments, filter } => {
                let mut columns = Columns::default();
                let attributes = relation.columns.len() as u16;
                for column in relation.live_columns().filter(|column| !is_virtual(column)) {
                    let at = column.attribute as u16 - 1;
                    columns.vars.push((level.var(target, column.attribute), at));
                    let excluded = level.var(conflict.excluded.0, column.attribute);
                    columns.vars.push((excluded, attributes + at));
                }
                let values =
                    self.program(level, &columns, targets.iter().map(|target| &target.expr))?;
                let filter = match filter {
                    Some(filter) => Some(self.program(level, &columns, [filter])?),
                    None => None,
                };
                let assignments = self.bump.alloc_slice_fill_iter(
                    assignments
                        .iter()
                        .map(|a| Assignment { attribute: a.attribute, column: a.target as u16 }),
                )?;
                Some(ConflictUpdate { values, assignments, filter })
            }
        };
        Ok(Conflict { arbiters: self.bump.alloc_slice_copy(&arbiters)?, update })
    }
}

/// The attributes that a statement names as targets.
fn named(query: &Query<'_>) -> Vec<i16> {
    let own = match query.command {
        Command::Insert => query.written as usize,
        _ => usize::MAX,
    };
    let mut named: Vec<i16> = query.assignments.iter().take(own).map(|a| a.attribute).collect();
    if let Some(conflict) = query.on_conflict
        && let ConflictAction::Update { assignments, .. } = conflict.action
    {
        named.extend(assignments.iter().map(|a| a.attribute));
    }
    for action in query.merge.map_or(&[][..], |merge| merge.actions) {
        named.extend(action.assignments.iter().map(|a| a.attribute));
    }
    named
}

pub(crate) fn empty_query<'q>(ranges: &'q [analyze::tree::Range<'q>]) -> Query<'q> {
    Query {
        command: Command::Select,
        ranges,
        from: &[],
        filter: None,
        targets: &[],
        ctes: &[],
        recursive: false,
        group_by: &[],
        grouping_sets: &[],
        grouping: &[],
        group_distinct: false,
        having: None,
        windows: &[],
        distinct: analyze::tree::Distinct::None,
        order_by: &[],
        offset: None,
        limit: None,
        with_ties: false,
        set_operation: None,
        locking: &[],
        result_relation: None,
        assignments: &[],
        written: 0,
        overriding: Default::default(),
        on_conflict: None,
        merge: None,
        view_checks: &[],
        changed_views: &[],
        returning: &[],
        has_aggregates: false,
        has_windows: false,
        has_target_sets: false,
        has_sublinks: false,
        has_modifying_cte: false,
    }
}
