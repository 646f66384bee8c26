//! Databases: CREATE, ALTER, DROP.

mod alter;
mod create;

pub(crate) use alter::{alter, drop_database, rename};
pub(crate) use create::create;

use crate::{DatabaseUsers, Env};
use base::{Error, Result, err};
use catalog::rows::{Database, Ref};
use parse::{DefElem, DefValue};

/// The database that a statement names.
///
/// # Errors
/// 3D000 when there is none.
pub(crate) fn require(env: &Env<'_>, name: &str) -> Result<Ref<Database>> {
    env.catalog()
        .database_named(name)?
        .ok_or_else(|| err!(UNDEFINED_DATABASE, "database \"{name}\" does not exist"))
}

/// Whether the current user may make databases.
fn have_create_database(env: &Env<'_>) -> Result<bool> {
    let user = env.catalog().user_role()?;
    Ok(user.create_database || env.catalog().is_superuser(user.oid)?)
}

/// Adds who is in the way.
fn busy(error: Error, users: DatabaseUsers) -> Error {
    let said = |number: usize, what: &str| match number {
        1 => format!("There is 1 {what} using the database."),
        _ => format!("There are {number} {what}s using the database."),
    };
    error.detail(match (users.sessions, users.prepared) {
        (sessions, 0) => said(sessions, "other session"),
        (0, prepared) => said(prepared, "prepared transaction"),
        (sessions, prepared) => format!(
            "There are {sessions} other session(s) and {prepared} prepared transaction(s) using \
             the database."
        ),
    })
}

/// The text of an option; none for DEFAULT.
fn text<'a>(option: &DefElem<'a>) -> Option<&'a str> {
    option.value.and_then(|value| value.as_word())
}

fn flag(option: &DefElem<'_>) -> Result<bool> {
    let word = match option.value {
        None => return Ok(true),
        Some(DefValue::Boolean(flag)) => return Ok(flag),
        Some(DefValue::Integer(0)) => return Ok(false),
        Some(DefValue::Integer(1)) => return Ok(true),
        Some(value) => value.as_word().unwrap_or_default().to_ascii_lowercase(),
    };
    match word.as_str() {
        "true" | "on" => Ok(true),
        "false" | "off" => Ok(false),
        _ => Err(err!(SYNTAX_ERROR, "{} requires a Boolean value", option.name)),
    }
}

fn number(option: &DefElem<'_>) -> Result<i32> {
    match option.value {
        Some(DefValue::Integer(number)) => Ok(number),
        None => Ok(-1),
        Some(_) => Err(err!(SYNTAX_ERROR, "{} requires an integer value", option.name)),
    }
}
