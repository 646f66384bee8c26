//! ALTER COLUMN SET STATISTICS.

use crate::{Env, relation_rows};
use base::{Error, Result, SqlState, err};
use catalog::columns::pg_attribute;
use catalog::relation::Relation;
use catalog::store::Value;

/// The largest target.
const TARGET_MAX: i32 = 10_000;

/// Sets how exact the statistics of a column are; no target or -1 is the default.
pub(crate) fn set_target(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    target: Option<i32>,
) -> Result<()> {
    let mut target = target.filter(|target| *target != -1);
    if let Some(number) = target {
        if number < 0 {
            return Err(err!(INVALID_PARAMETER_VALUE, "statistics target {number} is too low"));
        }
        if number > TARGET_MAX {
            let text = format!("lowering statistics target to {TARGET_MAX}");
            env.server.warning(Error::new(SqlState::WARNING, text));
            target = Some(TARGET_MAX);
        }
    }
    let column = relation.column(name).ok_or_else(|| {
        err!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", relation.name)
    })?;
    let target = target.and_then(|target| i16::try_from(target).ok());
    relation_rows::update_column(env, relation.oid, column.attribute, |row| {
        row.set(pg_attribute::ATTSTATTARGET, target.map_or(Value::Null, Value::Int2));
        Ok(())
    })
}
