//! CREATE SCHEMA; its elements are run by the caller, as statements of their own.

use crate::{Env, grant, object, role};
use base::{Oid, Result, err};
use catalog::Catalog;
use catalog::acl::{AclKind, Privilege};
use catalog::columns::pg_namespace;
use catalog::rows::SharedDependencyKind;
use catalog::store::Row;
use parse::{CreateSchemaStmt, RangeVar, Statement};

/// A schema that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewSchema {
    /// Its name.
    pub name: String,
    /// Its owner: the elements are made by this role.
    pub owner: Oid,
}

/// Makes a schema; none when it is there and IF NOT EXISTS.
///
/// # Errors
/// 42P06 when it is there; 42939 for a reserved name; 42501.
pub fn run(env: &Env<'_>, create: &CreateSchemaStmt<'_>) -> Result<Option<NewSchema>> {
    let catalog = env.catalog();
    let owner = match &create.owner {
        Some(spec) => role::resolve(env, spec)?,
        None => catalog.user(),
    };
    let owner_name = role::name_of(env, owner)?;
    let name = create.name.unwrap_or(&owner_name);
    let database = catalog.database_row(catalog.database())?;
    let acl = database.acl.as_deref();
    if !catalog.has_privilege(AclKind::Database, database.owner, acl, Privilege::Create)? {
        return Err(Catalog::permission_denied(&format!("database {}", database.name)));
    }
    catalog.require_can_set_role(owner)?;
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
    role::hold(env, owner)?;
    let oid = catalog.new_oid(pg_namespace::RELATION)?;
    let row = Row::new(pg_namespace::RELATION)
        .with(pg_namespace::OID, oid)
        .with(pg_namespace::NSPNAME, name)
        .with(pg_namespace::NSPOWNER, owner);
    let address = object::schema(oid);
    let acl = grant::for_new(env, AclKind::Namespace, &address, owner, Oid::INVALID)?;
    catalog.insert(&row.with(pg_namespace::NSPACL, acl))?;
    catalog.record_role_dependency(&address, owner, SharedDependencyKind::Owner)?;
    catalog.next_command()?;
    Ok(Some(NewSchema { name: name.to_owned(), owner }))
}

/// The elements in the order in which they are made: what others may need comes first.
///
/// # Errors
/// 42P15 for an element that names another schema.
pub fn elements<'a>(
    create: &CreateSchemaStmt<'a>,
    schema: &NewSchema,
) -> Result<Vec<&'a Statement<'a>>> {
    let mut elements: Vec<(u8, &'a Statement<'a>)> = Vec::new();
    for element in create.elements {
        let (place, relation): (u8, Option<&RangeVar<'_>>) = match element {
            Statement::CreateSequence(create) => (0, Some(&create.sequence)),
            Statement::CreateTable(create) => (1, Some(&create.relation)),
            Statement::CreateView(view) => (2, Some(&view.view)),
            Statement::CreateIndex(index) => (3, Some(&index.relation)),
            Statement::CreateTrigger(trigger) => (4, Some(&trigger.relation)),
            _ => (5, None),
        };
        if let Some(other) = relation.and_then(|name| name.schema)
            && other != schema.name
        {
            return Err(err!(
                INVALID_SCHEMA_DEFINITION,
                "CREATE specifies a schema ({other}) different from the one being created ({})",
                schema.name
            ));
        }
        elements.push((place, element));
    }
    elements.sort_by_key(|(place, _)| *place);
    Ok(elements.into_iter().map(|(_, element)| element).collect())
}
