//! CREATE SCHEMA; its elements are run by the caller, as statements of their own.

use crate::Env;
use base::{Oid, Result, err};
use catalog::columns::pg_namespace;
use catalog::store::Row;
use parse::CreateSchemaStmt;

/// Makes a schema for `owner`; none when it is there and IF NOT EXISTS.
///
/// # Errors
/// 42P06 when it is there; 42939 for a reserved name.
pub fn run(env: &Env<'_>, create: &CreateSchemaStmt<'_>, owner: Oid) -> Result<Option<Oid>> {
    let catalog = env.catalog();
    let role = catalog.role(owner)?;
    let name = create.name.unwrap_or(&role.name);
    if name.starts_with("pg_") {
        return Err(err!(RESERVED_NAME, "unacceptable schema name \"{name}\"")
            .detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    if catalog.namespace_named(name)?.is_some() {
        if create.if_not_exists {
            env.notice(format!("schema \"{name}\" already exists, skipping"));
            return Ok(None);
        }
        return Err(err!(DUPLICATE_SCHEMA, "schema \"{name}\" already exists"));
    }
    let oid = catalog.new_oid(pg_namespace::RELATION)?;
    let row = Row::new(pg_namespace::RELATION)
        .with(pg_namespace::OID, oid)
        .with(pg_namespace::NSPNAME, name)
        .with(pg_namespace::NSPOWNER, owner);
    catalog.insert(&row)?;
    catalog.next_command()?;
    Ok(Some(oid))
}
