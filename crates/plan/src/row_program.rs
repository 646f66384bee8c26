//! Expressions over one row of a table, outside of statements.

use crate::compile::Compiler;
use crate::planner::{Columns, Environment, Planner};
use analyze::tree::Expr;
use base::{Error, Oid, Result};
use catalog::relation::Relation;
use expr::{Builder, Program};
use memory::Bump;

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
    let planner = Planner::new(environment, trees, bump);
    let level = planner.stored_level(relation)?;
    let program = planner.program(&level, &planner.half(&level, relation, false), [expr])?;
    if program.params > 0 || !planner.state.into_inner().subplans.is_empty() {
        return Err(Error::unsupported("a subquery over a row is not supported yet"));
    }
    Ok(program)
}

/// The program of an expression without columns.
///
/// # Errors
/// As [`row_program`].
pub fn value_program<'q, 'p>(
    bump: &'p Bump,
    trees: &'q Bump,
    environment: &dyn Environment,
    expr: &'q Expr<'q>,
) -> Result<Program<'p>> {
    let planner = Planner::new(environment, trees, bump);
    let query = trees.alloc(crate::change::empty_query(&[]))?;
    let level = planner.level(query, None);
    let program = planner.program(&level, &Columns::default(), [expr])?;
    if program.params > 0 || !planner.state.into_inner().subplans.is_empty() {
        return Err(Error::unsupported("a subquery in a value is not supported yet"));
    }
    Ok(program)
}

/// The program that checks a domain: its input is the value, which it yields.
///
/// # Errors
/// Those of folding constants; 0A000 for a check with a subquery; 53200.
pub fn domain_program<'p>(
    bump: &'p Bump,
    trees: &Bump,
    environment: &dyn Environment,
    domain: Oid,
) -> Result<Program<'p>> {
    let planner = Planner::new(environment, trees, bump);
    let query = trees.alloc(crate::change::empty_query(&[]))?;
    let level = planner.level(query, None);
    let columns = Columns::default();
    let mut compiler = Compiler::new(Builder::new(bump), &columns);
    let value = compiler.builder.input(0)?;
    let checked = planner.domain(&mut compiler, &level, domain, domain, value)?;
    compiler.builder.finish(&[checked])
}
