//! ALTER ... OWNER TO.

use crate::object::{self, ObjectAddress};
use crate::{Env, LockMode, database, rename, resolve, role};
use base::{Error, Oid, Result, err};
use catalog::Catalog;
use catalog::acl::{Acl, AclKind, Privilege};
use catalog::columns::{
    index, pg_attribute, pg_class, pg_database, pg_namespace, pg_proc, pg_type,
};
use catalog::relation::Relation;
use catalog::relation_word;
use catalog::rows::RelationKind;
use catalog::store::{Row, Value};
use parse::{AlterOwnerStmt, ObjectRef, ObjectType, RoleSpec};

/// Runs ALTER ... OWNER TO for objects that are no relations.
pub(crate) fn alter(env: &Env<'_>, alter: &AlterOwnerStmt<'_>) -> Result<()> {
    let owner = role::resolve(env, &alter.new_owner)?;
    let unsupported = || {
        Error::unsupported(format!(
            "ALTER {} ... OWNER TO is not supported yet",
            format!("{:?}", alter.object_type).to_uppercase()
        ))
    };
    match (alter.object_type, &alter.object) {
        (ObjectType::Schema, ObjectRef::Name([.., name])) => schema(env, name, owner),
        (ObjectType::Database, ObjectRef::Name([.., name])) => of_database(env, name, owner),
        (ObjectType::Type | ObjectType::Domain, name) => of_type(env, name, owner, &unsupported),
        (
            ObjectType::Function
            | ObjectType::Procedure
            | ObjectType::Routine
            | ObjectType::Aggregate,
            name,
        ) => {
            let address = resolve::resolve(env, alter.object_type, name)?;
            function(env, address.object, owner)
        }
        _ => Err(unsupported()),
    }
}

/// Who may give an object away: its owner, to a role that it may SET ROLE to and that may make
/// such objects in the schema.
fn check(env: &Env<'_>, old: Oid, what: &str, owner: Oid, schema: Option<Oid>) -> Result<()> {
    let catalog = env.catalog();
    if catalog.is_superuser(catalog.user())? {
        return Ok(());
    }
    catalog.require_owner(old, what)?;
    catalog.require_can_set_role(owner)?;
    if let Some(schema) = schema {
        let schema = catalog.namespace(schema)?;
        let acl = schema.acl.as_deref();
        if !catalog.role_has(owner, AclKind::Namespace, schema.owner, acl, Privilege::Create)? {
            return Err(Catalog::permission_denied(&format!("schema {}", schema.name)));
        }
    }
    Ok(())
}

/// Writes the new owner into a row, its list of privileges and the dependencies.
pub(crate) fn set(
    env: &Env<'_>,
    address: &ObjectAddress,
    by_oid: Oid,
    (owner_column, acl_column): (i16, i16),
    owner: Oid,
) -> Result<()> {
    role::hold(env, owner)?;
    let catalog = env.catalog();
    let mut roles = Vec::new();
    catalog.update_rows(by_oid, &[Value::Oid(address.object)], |row| {
        let old = row.oid(owner_column)?;
        row.set(owner_column, owner);
        roles = move_acl(row, acl_column, old, owner)?;
        Ok(())
    })?;
    catalog.change_owner_dependency(address, owner)?;
    catalog.change_acl_dependencies(address, owner, &roles)
}

/// Puts the new owner in the place of the old one; returns the roles of the list.
fn move_acl(row: &mut Row, column: i16, old: Oid, new: Oid) -> Result<Vec<Oid>> {
    let Some(items) = row.optional_texts(column)? else { return Ok(Vec::new()) };
    let acl = Acl::from_stored(&items)?.with_owner(old, new);
    row.set(column, acl.to_stored());
    Ok(acl.roles())
}

fn schema(env: &Env<'_>, name: &str, owner: Oid) -> Result<()> {
    let catalog = env.catalog();
    let Some(schema) = catalog.namespace_named(name)? else {
        return Err(err!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"));
    };
    if schema.owner == owner {
        return Ok(());
    }
    check(env, schema.owner, &format!("schema {name}"), owner, None)?;
    let database = catalog.database_row(catalog.database())?;
    let acl = database.acl.as_deref();
    if !catalog.has_privilege(AclKind::Database, database.owner, acl, Privilege::Create)? {
        return Err(Catalog::permission_denied(&format!("database {}", database.name)));
    }
    let columns = (pg_namespace::NSPOWNER, pg_namespace::NSPACL);
    set(env, &object::schema(schema.oid), index::PG_NAMESPACE_OID_INDEX, columns, owner)
}

fn of_database(env: &Env<'_>, name: &str, owner: Oid) -> Result<()> {
    let catalog = env.catalog();
    let row = database::require(env, name)?;
    if row.owner == owner {
        return Ok(());
    }
    catalog.require_owner(row.owner, &format!("database {name}"))?;
    catalog.require_can_set_role(owner)?;
    let user = catalog.user_role()?;
    if !user.create_database && !catalog.is_superuser(user.oid)? {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to change owner of database"));
    }
    let address = ObjectAddress::new(pg_database::RELATION, row.oid);
    let columns = (pg_database::DATDBA, pg_database::DATACL);
    set(env, &address, index::PG_DATABASE_OID_INDEX, columns, owner)
}

fn of_type(
    env: &Env<'_>,
    name: &ObjectRef<'_>,
    owner: Oid,
    unsupported: &dyn Fn() -> Error,
) -> Result<()> {
    let oid = match name {
        ObjectRef::Type(name) => analyze::resolve_type(env.session, env.source, name)?.0,
        ObjectRef::Name(_) => resolve::resolve(env, ObjectType::Type, name)?.object,
        _ => return Err(unsupported()),
    };
    let catalog = env.catalog();
    let ty = catalog.type_(oid)?;
    let name = catalog.format_type(oid, None)?;
    if ty.relation.is_valid() && catalog.relation(ty.relation)?.kind != RelationKind::Composite {
        return Err(err!(WRONG_OBJECT_TYPE, "{name} is a table's row type")
            .hint("Use ALTER TABLE instead."));
    }
    if ty.owner == owner {
        return Ok(());
    }
    check(env, ty.owner, &format!("type {name}"), owner, Some(ty.namespace))?;
    if ty.relation.is_valid() {
        return change_relation(env, &*catalog.relation(ty.relation)?, owner);
    }
    set_type(env, oid, owner)
}

fn set_type(env: &Env<'_>, oid: Oid, owner: Oid) -> Result<()> {
    let array = env.catalog().type_(oid)?.array;
    let columns = (pg_type::TYPOWNER, pg_type::TYPACL);
    set(env, &object::ty(oid), index::PG_TYPE_OID_INDEX, columns, owner)?;
    if array.is_valid() {
        set_bare(env, index::PG_TYPE_OID_INDEX, array, pg_type::TYPOWNER, owner)?;
    }
    Ok(())
}

/// Sets an owner that is no dependency of its own.
fn set_bare(env: &Env<'_>, by_oid: Oid, oid: Oid, column: i16, owner: Oid) -> Result<()> {
    let key = [Value::Oid(oid)];
    let changed = env.catalog().update_rows(by_oid, &key, |row| {
        row.set(column, owner);
        Ok(())
    });
    changed.map(drop)
}

fn function(env: &Env<'_>, oid: Oid, owner: Oid) -> Result<()> {
    let catalog = env.catalog();
    let proc = catalog.proc(oid)?;
    if proc.owner == owner {
        return Ok(());
    }
    let what = catalog.describe(&ObjectAddress::new(pg_proc::RELATION, oid))?;
    let word = what.split(' ').next().unwrap_or("function");
    check(env, proc.owner, &format!("{word} {}", proc.name), owner, Some(proc.namespace))?;
    let address = ObjectAddress::new(pg_proc::RELATION, oid);
    let columns = (pg_proc::PROOWNER, pg_proc::PROACL);
    set(env, &address, index::PG_PROC_OID_INDEX, columns, owner)
}

/// ALTER TABLE ... OWNER TO, and its kin for other relations.
pub(crate) fn relation(env: &Env<'_>, relation: &Relation, spec: &RoleSpec<'_>) -> Result<()> {
    let owner = role::resolve(env, spec)?;
    if relation.owner == owner {
        return Ok(());
    }
    let what = format!("{} {}", relation_word(relation.kind), relation.name);
    check(env, relation.owner, &what, owner, Some(relation.namespace))?;
    change_relation(env, relation, owner)
}

/// Gives a relation to another role: its row type, indexes and owned sequences follow.
pub(crate) fn change_relation(env: &Env<'_>, relation: &Relation, owner: Oid) -> Result<()> {
    let old = relation.owner;
    let by_oid = index::PG_CLASS_OID_INDEX;
    let columns = (pg_class::RELOWNER, pg_class::RELACL);
    set(env, &object::relation(relation.oid), by_oid, columns, owner)?;
    let by_table = index::PG_ATTRIBUTE_RELID_ATTNUM_INDEX;
    env.catalog().update_rows(by_table, &[Value::Oid(relation.oid)], |row| {
        move_acl(row, pg_attribute::ATTACL, old, owner).map(drop)
    })?;
    for index in &relation.indexes {
        set_bare(env, by_oid, index.oid, pg_class::RELOWNER, owner)?;
    }
    if relation.row_type.is_valid() {
        let array = env.catalog().type_(relation.row_type)?.array;
        for oid in [relation.row_type, array] {
            set_bare(env, index::PG_TYPE_OID_INDEX, oid, pg_type::TYPOWNER, owner)?;
        }
    }
    for sequence in rename::owned_sequences(env, relation)? {
        change_relation(env, &*env.catalog().relation(sequence)?, owner)?;
    }
    Ok(())
}

/// Gives the relation of an OID away, for REASSIGN OWNED.
pub(crate) fn reassign(env: &Env<'_>, address: &ObjectAddress, owner: Oid) -> Result<()> {
    let catalog = env.catalog();
    match address.class {
        pg_class::RELATION => {
            env.lock(address.object, LockMode::AccessExclusive)?;
            change_relation(env, &*catalog.relation(address.object)?, owner)
        }
        pg_type::RELATION => set_type(env, address.object, owner),
        pg_namespace::RELATION => {
            let columns = (pg_namespace::NSPOWNER, pg_namespace::NSPACL);
            set(env, address, index::PG_NAMESPACE_OID_INDEX, columns, owner)
        }
        pg_proc::RELATION => {
            let columns = (pg_proc::PROOWNER, pg_proc::PROACL);
            set(env, address, index::PG_PROC_OID_INDEX, columns, owner)
        }
        pg_database::RELATION => {
            let columns = (pg_database::DATDBA, pg_database::DATACL);
            set(env, address, index::PG_DATABASE_OID_INDEX, columns, owner)
        }
        class => {
            let class = catalog::builtin::relation(class).map_or("?", |class| class.name);
            Err(Error::unsupported(format!("REASSIGN OWNED of {class} is not supported yet")))
        }
    }
}
