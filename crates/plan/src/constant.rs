//! Constants outside of statements.

use crate::planner::{Environment, Planner, State};
use analyze::tree::Expr;
use base::Result;
use memory::Bump;
use std::cell::RefCell;
use types::Datum;

/// The value of an expression that is made of constants and immutable functions only; none for
/// another.
///
/// # Errors
/// Those of its functions; 53200.
pub fn constant<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    expr: &Expr<'q>,
) -> Result<Option<Datum<'q>>> {
    let planner = Planner {
        env: environment,
        trees: bump,
        bump,
        state: RefCell::new(State::default()),
        var_params: RefCell::default(),
        joined_levels: RefCell::default(),
        notes: RefCell::default(),
    };
    planner.constant_value(expr)
}
