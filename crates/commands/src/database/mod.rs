//! Databases.

use crate::Env;
use base::{Result, err};
use catalog::rows::{Database, Ref};

/// The database that a statement names.
///
/// # Errors
/// 3D000 when there is none.
pub(crate) fn require(env: &Env<'_>, name: &str) -> Result<Ref<Database>> {
    env.catalog()
        .database_named(name)?
        .ok_or_else(|| err!(UNDEFINED_DATABASE, "database \"{name}\" does not exist"))
}
