//! Types that users make: enums, composite types, domains.
//!
//! # Rules
//! 1. A type comes with the array type over it, which needs it internally.
//! 2. A composite type is the row type of a relation without rows; the relation needs the type.
//! 3. The OIDs of an enum's labels ascend in the order of the labels: keys are made of them.

pub(crate) mod alter_domain;
pub(crate) mod composite;
pub(crate) mod domain;
pub(crate) mod enumeration;

use crate::table::create::creation_namespace;
use crate::{Env, depend, grant, object};
use base::{Oid, Result, err};
use catalog::acl::AclKind;
use catalog::columns::pg_type;
use catalog::rows::{DependencyKind, Ref, Type, TypeKind};
use catalog::store::Row;
use parse::{Name, RangeVar, TypeName};

/// Schema and name of a dotted name.
pub(crate) fn split<'a>(name: Name<'a>) -> (Option<&'a str>, &'a str) {
    match *name {
        [.., schema, name] => (Some(schema), name),
        [name] => (None, name),
        [] => (None, ""),
    }
}

/// The schema of a new type, in which nothing has its name yet.
pub(crate) fn place(env: &Env<'_>, name: Name<'_>) -> Result<Oid> {
    let (schema, bare) = split(name);
    let range = RangeVar {
        catalog: None,
        schema,
        name: bare,
        inherit: true,
        persistence: parse::Persistence::Permanent,
        alias: None,
        location: parse::Location::NONE,
    };
    let catalog = env.catalog();
    let namespace = creation_namespace(env, &range)?;
    let row = catalog.namespace(namespace)?;
    object::require_create(env, namespace)?;
    if namespace < catalog::builtin::FIRST_USER && row.name.starts_with("pg_") {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {}", row.name));
    }
    if catalog.type_in(namespace, bare)?.is_some() {
        return Err(err!(DUPLICATE_OBJECT, "type \"{bare}\" already exists"));
    }
    Ok(namespace)
}

/// Writes a type's row and what it needs: its schema.
pub(crate) fn insert(env: &Env<'_>, row: &Row) -> Result<()> {
    let catalog = env.catalog();
    let (namespace, address) =
        (row.oid(pg_type::TYPNAMESPACE)?, object::ty(row.oid(pg_type::OID)?));
    match grant::for_new(env, AclKind::Type, &address, catalog.user(), namespace)? {
        Some(acl) => catalog.insert(&row.clone().with(pg_type::TYPACL, acl))?,
        None => catalog.insert(row)?,
    };
    let schema = object::schema(namespace);
    object::record_owner(env, address, catalog.user())?;
    depend::record(env, object::ty(row.oid(pg_type::OID)?), schema, DependencyKind::Normal)
}

/// The type that a statement names.
pub(crate) fn find(env: &Env<'_>, name: Name<'_>) -> Result<Ref<Type>> {
    let (schema, bare) = split(name);
    env.catalog().type_named(schema, bare)?.ok_or_else(|| missing(name))
}

pub(crate) fn missing(name: Name<'_>) -> base::Error {
    err!(UNDEFINED_OBJECT, "type \"{}\" does not exist", name.join("."))
}

/// The type of a [`TypeName`] that must be one of the user's own.
pub(crate) fn find_owned(env: &Env<'_>, name: Name<'_>) -> Result<Ref<Type>> {
    let found = find(env, name)?;
    require_owner(env, &found)?;
    Ok(found)
}

/// 42501 unless the user owns the type.
pub(crate) fn require_owner(env: &Env<'_>, found: &Type) -> Result<()> {
    let shown = analyze::names::format_type(env.catalog(), found.oid, -1)?;
    env.catalog().require_owner(found.owner, &format!("type {shown}"))
}

/// The names of a type name that is no array.
pub(crate) fn names_of<'a>(name: &TypeName<'a>) -> Name<'a> {
    name.names
}

/// 42809 unless the type is a domain.
pub(crate) fn require_domain(found: &Type, bare: &str) -> Result<()> {
    if found.kind == TypeKind::Domain {
        return Ok(());
    }
    Err(err!(WRONG_OBJECT_TYPE, "{bare} is not a domain"))
}
