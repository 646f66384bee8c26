//! Addresses of catalog objects by kind.

use base::Oid;
pub(crate) use catalog::ObjectAddress;
use catalog::columns::{pg_attrdef, pg_constraint, pg_namespace, pg_rewrite, pg_type};
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

/// Notes that a new object belongs to the current user.
pub(crate) fn record_owner(env: &crate::Env<'_>, address: ObjectAddress) -> base::Result<()> {
    let catalog = env.catalog();
    catalog.record_role_dependency(&address, catalog.user(), SharedDependencyKind::Owner)
}
