//! Evaluation of jsonpath: jsonb_path_exists and its kin, and what SQL/JSON asks.
//!
//! # How it works
//! An [`Evaluator`] walks a chain of items over a value. Each item hands what it found to the items
//! behind it; what comes out at the end goes into a [`Found`]. Where nobody wants the values the
//! walk ends at the first.
//!
//! # Rules
//! 1. An error that a caller may silence is [`Status::Error`] where errors are silenced, and a real
//!    one elsewhere; a variable that does not exist and a conversion that needs a time zone are real
//!    ones always.
//! 2. In strict mode a caller who only asks whether there is a value gets all values computed, so
//!    that no error stays hidden.
//! 3. A predicate that meets an error is unknown.
//! 4. Only results leave as jsonb of their own; everything before borrows the document and the path.
//! 5. The `id` of keyvalue() is where the object would stand in PostgreSQL's binary form
//!    ([`key_value`]).
//!
//! # Sources
//! SQL:2016 part 2, 9.39; chapter 9.16.2 of the manual.

mod evaluate;
mod functions;
mod key_value;
mod method;
mod moment;
mod mutable;
mod number;
mod predicate;
mod value;

use base::{Result, err};
use expr::Host;
use memory::Bump;
use types::Jsonb;
use types::jsonpath::Path;

pub(crate) use evaluate::{Evaluator, Found, Status};
pub(crate) use functions::{TABLE, kept_path};
pub use mutable::is_mutable;
pub use predicate::check_pattern;
pub(crate) use value::Value;

/// A variable with its SQL value.
#[derive(Clone, Copy)]
pub(crate) struct Passed<'v> {
    pub(crate) name: &'v str,
    pub(crate) value: Value<'v>,
}

/// What `$name` means.
#[derive(Clone, Copy)]
pub(crate) enum Variables<'v> {
    /// There are none.
    None,
    /// The keys of an object.
    Object(Jsonb<'v>),
    /// Values by their names, in order.
    Passed(&'v [Passed<'v>]),
}

/// How a path is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Manner<'v> {
    pub(crate) variables: Variables<'v>,
    /// Errors that may be silenced are real ones.
    pub(crate) throw: bool,
    /// Conversions may use the session's time zone.
    pub(crate) zoned: bool,
}

/// Evaluates a path over a document. Without `found` only the status counts.
///
/// # Errors
/// Rule 1.
pub(crate) fn evaluate<'v>(
    host: &dyn Host,
    bump: &'v Bump,
    path: &'v Path,
    document: Jsonb<'v>,
    manner: Manner<'v>,
    found: &mut Found<'v>,
) -> Result<Status> {
    let count = match manner.variables {
        Variables::None => 0,
        Variables::Object(object) => {
            if object.type_name() != "object" {
                return Err(err!(INVALID_PARAMETER_VALUE, "\"vars\" argument is not an object")
                    .detail(
                        "Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.",
                    ));
            }
            1
        }
        Variables::Passed(variables) => variables.len() as i64,
    };
    let root = Value::of(document);
    let mut evaluator = Evaluator::new(host, bump, path.lax, root, manner, 1 + count);
    if !path.lax && matches!(found, Found::Ignored) {
        let mut all = Found::all(bump.account());
        let status = evaluator.chain(&path.chain, root, &mut all)?;
        return Ok(match (status, all) {
            (Status::Error, _) => Status::Error,
            (_, Found::Kept(values)) if values.is_empty() => Status::NotFound,
            _ => Status::Found,
        });
    }
    evaluator.chain(&path.chain, root, found)
}
