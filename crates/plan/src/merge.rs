//! MERGE: the join of source and target, and the actions over its rows.

use crate::compile::Compiler;
use crate::modify::{Assignment, MergeAction};
use crate::node::{Node, NodeKind};
use crate::planner::{Columns, Level, Planner, ROW_ID};
use crate::virtual_column::is_virtual;
use analyze::tree::{
    Expr, FromItem, JoinKind, MERGE_ACTION, Merge, MergeWhen, Query, RangeId, RangeKind,
};
use base::{Error, Result};
use catalog::relation::Relation;
use expr::Builder;

/// The rows of a MERGE and what their columns are.
pub(crate) struct MergeInput<'q, 'p> {
    pub(crate) node: &'p Node<'p>,
    pub(crate) columns: Columns<'q>,
    /// The column with the row id of the target.
    pub(crate) row_id: Option<u16>,
    /// A column that is NULL where there is no source row.
    pub(crate) marker: Option<u16>,
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    pub(crate) fn merge_input(
        &self,
        level: &Level<'_, 'q>,
        query: &'q Query<'q>,
        merge: &'q Merge<'q>,
        target: u32,
        relation: &Relation,
    ) -> Result<MergeInput<'q, 'p>> {
        let [source] = query.from else { return Err(Error::internal("MERGE without a source")) };
        let any = |when| merge.actions.iter().any(|action| action.when == when);
        let by_target = any(MergeWhen::NotMatchedByTarget);
        let by_source = any(MergeWhen::NotMatchedBySource);
        let marked = match by_source {
            true => Some(self.source_marker(level, source)?),
            false => None,
        };
        {
            let mut needed = level.needed.borrow_mut();
            needed.insert((target, ROW_ID));
            needed.extend(marked.map(|range| (range, ROW_ID)));
            for column in relation.live_columns() {
                needed.insert((target, column.attribute));
            }
        }
        let own = self.trees.alloc(FromItem::Range(RangeId(target)))?;
        let (kind, left, right) = match (by_target, by_source) {
            (false, false) => (JoinKind::Inner, source, &*own),
            (true, false) => (JoinKind::Left, source, &*own),
            (false, true) => (JoinKind::Left, &*own, source),
            (true, true) => (JoinKind::Full, source, &*own),
        };
        let join = FromItem::Join {
            kind,
            left,
            right,
            on: Some(merge.on),
            range: RangeId(target),
            using: &[],
            natural: false,
        };
        let items = self.trees.alloc_slice_copy(&[join])?;
        let below = self.where_of_from(level, items, query.filter)?;
        let mut c = Compiler::new(Builder::new(self.bump), &below.columns);
        let mut registers = Vec::new();
        for i in 0..below.node.columns.len() {
            registers.push(c.builder.input(i as u16)?);
        }
        let program = c.builder.finish(&registers)?;
        let cost = (below.rows(), below.node.startup_cost, below.node.total_cost);
        let kind = NodeKind::Project { input: below.node, program };
        let reads = below.node.reads.iter().copied().collect();
        let node = self.node(kind, below.node.columns, cost, &reads)?;
        let row_id = below.columns.var(level.var(target, ROW_ID));
        let marker = marked.and_then(|range| below.columns.var(level.var(range, ROW_ID)));
        Ok(MergeInput { node, columns: below.columns, row_id, marker })
    }

    /// A table of the source whose row id tells whether there is a source row.
    fn source_marker(&self, level: &Level<'_, 'q>, source: &FromItem<'q>) -> Result<u32> {
        match source {
            FromItem::Range(range)
                if matches!(
                    level.query.ranges[range.0 as usize].kind,
                    RangeKind::Relation { .. }
                ) =>
            {
                Ok(range.0)
            }
            FromItem::Join { kind: JoinKind::Inner | JoinKind::Left, left, .. } => {
                self.source_marker(level, left)
            }
            _ => Err(Error::unsupported(
                "WHEN NOT MATCHED BY SOURCE is not supported yet for a source that is no table",
            )),
        }
    }

    /// The actions over the rows of the input.
    pub(crate) fn merge_actions(
        &self,
        level: &Level<'_, 'q>,
        merge: &'q Merge<'q>,
        columns: &Columns<'q>,
    ) -> Result<&'p [MergeAction<'p>]> {
        let mut actions = Vec::new();
        for action in merge.actions {
            let condition = match action.condition {
                Some(condition) => Some(self.program(level, columns, [condition])?),
                None => None,
            };
            let values: Vec<&'q Expr<'q>> =
                action.targets.iter().map(|target| &target.expr).collect();
            let assignments = self.bump.alloc_slice_fill_iter(
                action
                    .assignments
                    .iter()
                    .map(|a| Assignment { attribute: a.attribute, column: a.target as u16 }),
            )?;
            actions.push(MergeAction {
                when: action.when,
                condition,
                command: action.command,
                values: Some(self.program(level, columns, values)?),
                assignments,
            });
        }
        Ok(self.bump.alloc_slice_copy(&actions)?)
    }

    /// What the columns of the wide row of RETURNING are: behind the input the name of the action
    /// and the row that plain names mean.
    pub(crate) fn merge_wide(
        &self,
        level: &Level<'_, 'q>,
        target: u32,
        relation: &Relation,
        wide: &mut Columns<'q>,
        input_columns: usize,
    ) {
        let attributes = relation.columns.len() as u16;
        let action = attributes * 2 + input_columns as u16;
        wide.vars.retain(|(var, _)| var.range != target || var.attribute < 0);
        wide.vars.push((level.var(target, MERGE_ACTION), action));
        for column in relation.live_columns().filter(|column| !is_virtual(column)) {
            let at = action + column.attribute as u16;
            wide.vars.push((level.var(target, column.attribute), at));
        }
    }
}
