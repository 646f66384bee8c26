//! Constants outside of statements.

use crate::planner::{Environment, Planner};
use analyze::tree::Expr;
use base::Result;
use memory::Bump;
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
    let planner = Planner::new(environment, bump, bump);
    planner.constant_value(expr)
}
