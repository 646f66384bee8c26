//! Addresses of catalog objects by kind.

use crate::{Env, LockMode, role};
use base::{Oid, Result, err};
use catalog::Catalog;
pub(crate) use catalog::ObjectAddress;
use catalog::acl::{AclKind, Privilege};
use catalog::builtin::PG_CATALOG;
use catalog::columns::{pg_attrdef, pg_constraint, pg_namespace, pg_rewrite, pg_type};
use catalog::relation::Relation;
use catalog::rows::SharedDependencyKind;

pub(crate) fn relation(oid: Oid) -> ObjectAddress {
    ObjectAddress::relation(oid)
}

pub(crate) fn column(relation: Oid, attribute: i16) -> ObjectAddress {
    ObjectAddress::column(relation, attribute)
}

pub(crate) fn ty(oid: Oid) -> ObjectAddress {
    ObjectAddress::new(pg_type::RELATION, oid)
}

pub(crate) fn constraint(oid: Oid) -> ObjectAddress {
    ObjectAddress::new(pg_constraint::RELATION, oid)
}

pub(crate) fn default(oid: Oid) -> ObjectAddress {
    ObjectAddress::new(pg_attrdef::RELATION, oid)
}

/// For views their query.
pub(crate) fn rule(oid: Oid) -> ObjectAddress {
    ObjectAddress::new(pg_rewrite::RELATION, oid)
}

pub(crate) fn schema(oid: Oid) -> ObjectAddress {
    ObjectAddress::new(pg_namespace::RELATION, oid)
}

/// 42501 unless the current user owns a relation.
pub(crate) fn require_owner(env: &crate::Env<'_>, relation: &Relation) -> base::Result<()> {
    let what = format!("{} {}", catalog::relation_word(relation.kind), relation.name);
    env.catalog().require_owner(relation.owner, &what)
}

/// 42501 unless the current user may make objects in a schema.
pub(crate) fn require_create(env: &crate::Env<'_>, schema: Oid) -> base::Result<()> {
    let catalog = env.catalog();
    let schema = catalog.namespace(schema)?;
    // Temporary objects need a privilege of the database, in a session that has some already too.
    let may = if schema.oid == catalog.temporary_namespace() {
        let database = catalog.database_row(catalog.database())?;
        let acl = database.acl.as_deref();
        catalog.has_privilege(AclKind::Database, database.owner, acl, Privilege::Temporary)?
    } else {
        let acl = schema.acl.as_deref();
        catalog.has_privilege(AclKind::Namespace, schema.owner, acl, Privilege::Create)?
    };
    match may {
        true => Ok(()),
        false => Err(Catalog::permission_denied(&format!("schema {}", schema.name))),
    }
}

/// Finds a schema and keeps others from dropping it; who waited for that looks again.
pub(crate) fn hold_schema(env: &Env<'_>, find: impl Fn() -> Result<Oid>) -> Result<Oid> {
    let mut found = find()?;
    loop {
        if found == PG_CATALOG || found == env.catalog().temporary_namespace() {
            return Ok(found);
        }
        env.server.lock_object(pg_namespace::RELATION, found, LockMode::AccessShare)?;
        let again = find()?;
        if again == found {
            return Ok(found);
        }
        found = again;
    }
}

/// Notes to whom a new object belongs.
pub(crate) fn record_owner(
    env: &crate::Env<'_>,
    address: ObjectAddress,
    owner: Oid,
) -> base::Result<()> {
    role::hold(env, owner)?;
    env.catalog().record_role_dependency(&address, owner, SharedDependencyKind::Owner)
}

/// 55006 for a table with checks that wait for the end of the transaction.
pub(crate) fn refuse_pending(env: &Env<'_>, relation: Oid, action: &str, name: &str) -> Result<()> {
    if !env.storage.has_pending_events(relation) {
        return Ok(());
    }
    Err(err!(OBJECT_IN_USE, "cannot {action} \"{name}\" because it has pending trigger events"))
}
