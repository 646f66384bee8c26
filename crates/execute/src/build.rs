//! From plan nodes to operators.

use crate::aggregate::Aggregate;
use crate::cte::{CteScan, RecursiveUnion, With, WorkTable};
use crate::distinct::Distinct;
use crate::function::FunctionScan;
use crate::hash_join::HashJoin;
use crate::instrument::Instrumented;
use crate::limit::{Append, Limit};
use crate::lock::LockRows;
use crate::modify::ModifyTable;
use crate::nested_loop::NestedLoop;
use crate::operator::Child;
use crate::project::{Filter, OneRow, Project, ProjectSet, Values};
use crate::scan::{IndexPlan, IndexScan, SeqScan};
use crate::set_operation::SetOperation;
use crate::sort::Sort;
use crate::state::Execution;
use crate::window::Window;
use base::Result;
use plan::{Node, NodeKind};

/// Whether anything below a node is volatile, so that rows must not be read ahead.
fn is_volatile(node: &Node<'_>) -> bool {
    match node.kind {
        NodeKind::Project { input, program } | NodeKind::ProjectSet { input, program, .. } => {
            program.volatile || is_volatile(input)
        }
        NodeKind::Filter { input, filters } => {
            filters.iter().any(|program| program.volatile) || is_volatile(input)
        }
        NodeKind::LockRows { .. } | NodeKind::Modify(_) => true,
        NodeKind::Limit { input, .. } | NodeKind::Distinct { input, .. } => is_volatile(input),
        NodeKind::NestedLoop { left, right, .. } => is_volatile(left) || is_volatile(right),
        NodeKind::HashJoin { left, .. } => is_volatile(left),
        NodeKind::Append(inputs) => inputs.iter().any(|input| is_volatile(input)),
        _ => false,
    }
}

fn index_scan<'q>(x: &Execution<'q>, node: &'q Node<'q>) -> Result<Child<'q>> {
    let NodeKind::IndexScan {
        relation,
        index,
        keys,
        lower,
        upper,
        backward,
        columns,
        filters,
        recheck,
        whole,
    } = node.kind
    else {
        return Err(base::Error::internal("no index scan"));
    };
    // What the snapshot sees may not be in a younger index (storage rule 20).
    if x.is_before(index) {
        return match whole {
            Some(whole) => build(x, whole),
            None => Ok(Box::new(SeqScan::new(x, node, relation, columns, recheck)?)),
        };
    }
    let plan = IndexPlan { relation, index, keys, lower, upper, backward, columns, filters };
    Ok(Box::new(IndexScan::new(x, node, plan)?))
}

/// The operators of a node and of what is below it.
pub(crate) fn build<'q>(x: &Execution<'q>, node: &'q Node<'q>) -> Result<Child<'q>> {
    base::stack::check_stack_depth()?;
    let Some(instruments) = &x.instruments else { return operator(x, node) };
    let outer = instruments.enter(node.id);
    let built = operator(x, node);
    instruments.enter(outer);
    Ok(Box::new(Instrumented::new(node.id, built?)))
}

fn operator<'q>(x: &Execution<'q>, node: &'q Node<'q>) -> Result<Child<'q>> {
    Ok(match node.kind {
        NodeKind::Result { program, filters } => Box::new(OneRow::new(x, node, program, filters)),
        NodeKind::Values(rows) => Box::new(Values::new(x, node, rows)),
        NodeKind::SeqScan { relation, columns, filters } => {
            Box::new(SeqScan::new(x, node, relation, columns, filters)?)
        }
        NodeKind::IndexScan { .. } => index_scan(x, node)?,
        NodeKind::FunctionScan { functions, ordinality } => {
            Box::new(FunctionScan::new(x, node, functions, ordinality))
        }
        NodeKind::CteScan(cte) => Box::new(CteScan::new(cte)),
        NodeKind::WorkTable(table) => Box::new(WorkTable::new(x, table)),
        NodeKind::RecursiveUnion { table, round, start, step, distinct } => {
            let below = (build(x, start)?, build(x, step)?);
            Box::new(RecursiveUnion::new(x, table, round, below, distinct))
        }
        NodeKind::Filter { input, filters } => {
            let volatile = is_volatile(node);
            Box::new(Filter::new(x, build(x, input)?, filters, volatile))
        }
        NodeKind::Project { input, program } => {
            Box::new(Project::new(x, node, build(x, input)?, program))
        }
        NodeKind::ProjectSet { input, program, sets } => {
            Box::new(ProjectSet::new(x, node, build(x, input)?, program, sets))
        }
        NodeKind::NestedLoop { join, left, right, sets, on } => {
            let (below, columns) = ((build(x, left)?, build(x, right)?), right.columns);
            Box::new(NestedLoop::new(x, node, join, below.0, below.1, columns, sets, on))
        }
        NodeKind::HashJoin {
            join,
            left,
            right,
            left_keys,
            right_keys,
            key_types,
            on,
            nulls_equal,
            ..
        } => {
            let below = (build(x, left)?, build(x, right)?);
            let (columns, keys) = (right.columns, (left_keys, right_keys));
            let join =
                HashJoin::new(x, node, join, below, columns, keys, key_types, on, nulls_equal);
            let own = x.plan.external_params;
            let fixed = right.reads.is_empty() && right_keys.params <= own;
            Box::new(join.with_fixed_right(fixed))
        }
        NodeKind::Sort { input, keys, limit } => {
            Box::new(Sort::new(x, node, build(x, input)?, keys, limit))
        }
        NodeKind::Aggregate { input, keys, sets, calls, always, set_column } => {
            let below = build(x, input)?;
            Box::new(Aggregate::new(
                x,
                node,
                below,
                input.columns,
                keys,
                sets,
                calls,
                always,
                set_column,
            ))
        }
        NodeKind::Distinct { input, keys } => {
            Box::new(Distinct::new(x, build(x, input)?, input, keys))
        }
        NodeKind::Append(inputs) => {
            let inputs = inputs.iter().map(|input| build(x, input)).collect::<Result<_>>()?;
            Box::new(Append::new(inputs))
        }
        NodeKind::SetOperation { kind, all, left, right, keys } => {
            let (left, right) = (build(x, left)?, build(x, right)?);
            Box::new(SetOperation::new(x, node, (kind, all), left, right, keys))
        }
        NodeKind::Window { input, partition, order, frame, calls } => {
            let below = build(x, input)?;
            Box::new(Window::new(x, node, below, partition, order, frame, calls))
        }
        NodeKind::Limit { input, offset, limit, ties } => {
            Box::new(Limit::new(x, build(x, input)?, offset, limit, ties))
        }
        NodeKind::LockRows { input, marks } => {
            Box::new(LockRows::new(x, build(x, input)?, input, marks)?)
        }
        NodeKind::With { input, ctes } => Box::new(With::new(build(x, input)?, ctes)),
        NodeKind::Modify(modify) => Box::new(ModifyTable::new(x, node, modify)?),
    })
}
