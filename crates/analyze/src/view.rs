//! What a view stands for.

use crate::Environment;
use crate::tree::Query;
use base::{Oid, Result, err};
use memory::Bump;

/// The query of a view, read anew from the catalogs.
///
/// # Errors
/// 55000 for a relation without a query; those of reading it.
pub(crate) fn view_query<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    view: Oid,
) -> Result<&'q Query<'q>> {
    let relation = environment.catalog().relation(view)?;
    environment.lock_relation(view, 1)?;
    let Some(stored) = &relation.query else {
        return Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "view \"{}\" has no query",
            relation.name
        ));
    };
    let invoker = relation.option("security_invoker").is_some_and(is_true);
    let owner = if invoker { Oid::INVALID } else { relation.owner };
    crate::stored::analyze_stored_query(bump, environment, stored, owner)
}

/// Whether an option's text says yes.
pub fn is_true(text: &str) -> bool {
    matches!(text, "true" | "on" | "1" | "yes")
}
