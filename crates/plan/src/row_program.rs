//! Expressions over one row of a table, outside of statements.

use crate::planner::{Environment, Planner, State};
use analyze::tree::Expr;
use base::{Error, Result};
use catalog::relation::Relation;
use expr::Program;
use memory::Bump;
use std::cell::RefCell;

/// The program of an expression over a table (range 0): its inputs are the table's attributes in
/// order, dropped ones included.
///
/// # Errors
/// Those of folding constants; 0A000 for an expression with a subquery; 53200.
pub fn row_program<'q, 'p>(
    bump: &'p Bump,
    trees: &'q Bump,
    environment: &dyn Environment,
    relation: &Relation,
    expr: &'q Expr<'q>,
) -> Result<Program<'p>> {
    let planner = Planner {
        env: environment,
        trees,
        bump,
        state: RefCell::new(State::default()),
        var_params: RefCell::default(),
        joined_levels: RefCell::default(),
    };
    let level = planner.stored_level(relation)?;
    let program = planner.program(&level, &planner.half(&level, relation, false), [expr])?;
    if program.params > 0 || !planner.state.into_inner().subplans.is_empty() {
        return Err(Error::unsupported("a subquery over a row is not supported yet"));
    }
    Ok(program)
}
