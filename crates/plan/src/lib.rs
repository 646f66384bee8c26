//! Bound query tree to plan: unnesting, join order, costs.
//!
//! # How it works
//! [`plan`] takes subqueries in FROM into the queries around them where it can
//! ([`subquery`](self)), and then goes through the bound query once, level by level: FROM and WHERE
//! ([`from`](self)), groups, windows, targets, DISTINCT, ORDER BY, LIMIT; other subqueries on the way.
//! Every part is a node with a list of what its columns are; expressions are compiled against that
//! list to programs of crate `expr`. A column that is not in the list is read through a parameter,
//! which the node that has it sets: so correlated subqueries, LATERAL and index lookups in joins are
//! one mechanism.
//!
//! # Rules
//! 1. A plan is immutable, lives in one [`memory::Bump`] and owns nothing; relations and indexes are
//!    numbers into [`Descriptions`], kept beside it.
//! 2. Constants are folded at planning, errors included, as PostgreSQL does (engine rule 4).
//! 3. No volatile expression is moved, copied or left out.
//! 4. Statistics are read, user rows never.
//!
//! # Limits
//! 65,535 parameters, subplans and relations a statement; join orders of more than ten tables are
//! found step by step.

mod access;
mod calls;
mod change;
mod compile;
mod conditional;
mod constant;
mod cost;
mod estimate;
mod from;
mod implied;
mod join_shape;
mod json;
mod merge;
mod modify;
mod needs;
mod node;
mod notes;
mod nullable;
mod operations;
mod order_and_limit;
mod ordering;
mod outer_aggregates;
mod planner;
mod query;
mod range;
mod restriction;
mod row_compare;
mod row_program;
mod row_values;
mod same;
mod selectivity;
mod sequence;
mod subquery;
mod target_sets;
mod unnest;
mod virtual_column;
mod window;

pub use constant::constant;
pub use cost::CostSettings;
pub use modify::{Assignment, Check, Conflict, ConflictUpdate, IndexWrite, MergeAction, Modify};
pub use node::{
    AggregateCall, Column, Descriptions, Frame, FrameEnd, FunctionBody, FunctionCall, IndexBound,
    IndexKeys, Join, Node, NodeKind, OutputColumn, Plan, RelationUse, RowLock, ScanColumn,
    SortColumn, Subplan, SubplanKind, WindowBody, WindowCall,
};
pub use notes::{LevelNote, NotedExpr, Notes};
pub use planner::{Environment, guessed_size};
pub use row_program::{domain_program, row_program, value_program};
pub use row_values::{RowValue, row_values};

use analyze::tree::Query;
use base::Result;
use memory::Bump;
use planner::{Planner, State};
use std::cell::RefCell;

/// Plans a statement whose parameters `$1`.. number `external_params`. `trees` holds what planning
/// adds to the bound tree; `bump` holds the plan.
///
/// # Errors
/// Those of folding constants; 0A000 for what is not supported; 53200.
pub fn plan<'q, 'p>(
    bump: &'p Bump,
    trees: &'q Bump,
    environment: &dyn Environment,
    query: &'q Query<'q>,
    external_params: u16,
) -> Result<(Plan<'p>, Descriptions)> {
    let none = RefCell::default();
    let (plan, descriptions, _) = plan_in(bump, trees, environment, query, external_params, none)?;
    Ok((plan, descriptions))
}

/// The same, with notes of what the plan is made from.
///
/// # Errors
/// As [`plan`].
pub fn plan_noted<'q, 'p>(
    bump: &'p Bump,
    trees: &'q Bump,
    environment: &dyn Environment,
    query: &'q Query<'q>,
    external_params: u16,
) -> Result<(Plan<'p>, Descriptions, Notes<'q>)> {
    let notes = RefCell::new(Some(Notes::default()));
    let (plan, descriptions, notes) =
        plan_in(bump, trees, environment, query, external_params, notes)?;
    Ok((plan, descriptions, notes.unwrap_or_default()))
}

fn plan_in<'q, 'p>(
    bump: &'p Bump,
    trees: &'q Bump,
    environment: &dyn Environment,
    query: &'q Query<'q>,
    external_params: u16,
    notes: RefCell<Option<Notes<'q>>>,
) -> Result<(Plan<'p>, Descriptions, Option<Notes<'q>>)> {
    let planner = Planner {
        state: RefCell::new(State { params: external_params, ..State::default() }),
        notes,
        ..Planner::new(environment, trees, bump)
    };
    let query = planner.prepared(query)?;
    let root = planner.query(query, None)?;
    let root = planner.only(root, &range::visible_targets(query))?;
    let mut plan = planner.finish(root, query)?;
    plan.external_params = external_params;
    Ok((plan, planner.state.into_inner().descriptions, planner.notes.into_inner()))
}
