//! ALTER TABLE ... ALTER CONSTRAINT.

use super::constraint;
use crate::Env;
use base::{Result, err};
use catalog::columns::{index, pg_constraint};
use catalog::relation::Relation;
use catalog::rows::ConstraintKind as Kind;
use catalog::store::Value;
use parse::AlterConstraint;

/// Changes whether a constraint can wait, whether it is enforced, whether it is inherited.
///
/// # Errors
/// 42704 when there is none of the name; 42809 for another kind of constraint; those of checking
/// the rows of a foreign key that becomes enforced.
pub(super) fn run(env: &Env<'_>, relation: &Relation, change: &AlterConstraint<'_>) -> Result<()> {
    let (name, table) = (change.name, &relation.name);
    let Some(found) = relation.constraints.iter().find(|constraint| constraint.name == name) else {
        return Err(err!(
            UNDEFINED_OBJECT,
            "constraint \"{name}\" of relation \"{table}\" does not exist"
        ));
    };
    let foreign = found.kind == Kind::Foreign;
    if change.deferrability.is_some() && !foreign {
        return Err(err!(
            WRONG_OBJECT_TYPE,
            "constraint \"{name}\" of relation \"{table}\" is not a foreign key constraint"
        ));
    }
    if change.enforced.is_some() && !foreign {
        return Err(err!(
            WRONG_OBJECT_TYPE,
            "cannot alter enforceability of constraint \"{name}\" of relation \"{table}\""
        ));
    }
    if change.no_inherit.is_some() && found.kind != Kind::NotNull {
        return Err(err!(
            WRONG_OBJECT_TYPE,
            "constraint \"{name}\" of relation \"{table}\" is not a not-null constraint"
        ));
    }
    env.catalog().update_rows(index::PG_CONSTRAINT_OID_INDEX, &[Value::Oid(found.oid)], |row| {
        if let Some((deferrable, deferred)) = change.deferrability {
            row.set(pg_constraint::CONDEFERRABLE, deferrable);
            row.set(pg_constraint::CONDEFERRED, deferred);
        }
        if let Some(enforced) = change.enforced.filter(|enforced| *enforced != found.enforced) {
            row.set(pg_constraint::CONENFORCED, enforced);
            row.set(pg_constraint::CONVALIDATED, false);
        }
        if let Some(no_inherit) = change.no_inherit {
            row.set(pg_constraint::CONNOINHERIT, no_inherit);
        }
        Ok(())
    })?;
    if change.enforced == Some(true) && !found.enforced {
        let relation = env.catalog().relation(relation.oid)?;
        if let Some(found) = relation.constraints.iter().find(|known| known.oid == found.oid) {
            return constraint::validate(env, &relation, found);
        }
    }
    Ok(())
}
