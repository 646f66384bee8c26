//! RENAME TO and SET SCHEMA.

use crate::relation_rows::{self, refuse_system, update_class};
use crate::table::alter::find;
use crate::table::create::refuse_system_name;
use crate::{Env, LockMode};
use base::{Error, Oid, Result, err};
use catalog::columns::*;
use catalog::relation::Relation;
use catalog::rows::RelationKind;
use catalog::store::Value;
use parse::{AlterObjectSchemaStmt, ObjectRef, ObjectType, RangeVar, RenameStmt};

/// Runs ALTER ... RENAME.
pub(crate) fn run(env: &Env<'_>, rename: &RenameStmt<'_>) -> Result<()> {
    match rename.object_type {
        ObjectType::Table
        | ObjectType::View
        | ObjectType::Index
        | ObjectType::Sequence
        | ObjectType::MaterializedView => rename_relation(env, rename),
        ObjectType::Column | ObjectType::Attribute => rename_column(env, rename),
        ObjectType::TableConstraint => rename_constraint(env, rename),
        ObjectType::Schema => rename_schema(env, rename),
        ObjectType::Role => crate::role::rename(env, rename),
        ObjectType::Type | ObjectType::Domain => rename_user_type(env, rename),
        ObjectType::DomainConstraint => rename_domain_constraint(env, rename),
        ObjectType::Database => crate::database::rename(env, rename),
        other => Err(Error::unsupported(format!(
            "ALTER {} ... RENAME is not supported yet",
            format!("{other:?}").to_uppercase()
        ))),
    }
}

fn target<'a>(env: &Env<'_>, rename: &'a RenameStmt<'_>) -> Result<Option<&'a RangeVar<'a>>> {
    let Some(name) = &rename.relation else {
        return Err(Error::internal("RENAME without a relation"));
    };
    if rename.missing_ok && env.catalog().relation_named(name.schema, name.name)?.is_none() {
        env.notice(format!("relation \"{}\" does not exist, skipping", name.name));
        return Ok(None);
    }
    Ok(Some(name))
}

fn rename_relation(env: &Env<'_>, rename: &RenameStmt<'_>) -> Result<()> {
    let Some(name) = target(env, rename)? else { return Ok(()) };
    let catalog = env.catalog();
    let oid = catalog
        .relation_named(name.schema, name.name)?
        .ok_or_else(|| crate::table::alter::no_relation(name))?;
    if oid < catalog::builtin::FIRST_USER {
        return Err(err!(
            INSUFFICIENT_PRIVILEGE,
            "permission denied: \"{}\" is a system catalog",
            name.name
        ));
    }
    let table = catalog.table_of_index(oid)?;
    env.lock(table.unwrap_or(oid), LockMode::AccessExclusive)?;
    let found = catalog.relation(table.unwrap_or(oid))?;
    require_kind(rename.object_type, table.is_none().then_some(found.kind), name.name)?;
    match table {
        Some(_) => catalog.require_owner(found.owner, &format!("index {}", name.name))?,
        None => crate::object::require_owner(env, &found)?,
    }
    crate::object::require_create(env, found.namespace)?;
    relation(env, oid, rename.new_name)
}

/// ALTER VIEW and ALTER SEQUENCE name nothing else; ALTER TABLE and ALTER INDEX any relation.
fn require_kind(said: ObjectType, kind: Option<RelationKind>, name: &str) -> Result<()> {
    let (wanted, word) = match said {
        ObjectType::View => (RelationKind::View, "a view"),
        ObjectType::Sequence => (RelationKind::Sequence, "a sequence"),
        ObjectType::MaterializedView => (RelationKind::MaterializedView, "a materialized view"),
        _ => return Ok(()),
    };
    if kind == Some(wanted) {
        return Ok(());
    }
    Err(err!(WRONG_OBJECT_TYPE, "\"{name}\" is not {word}"))
}

/// Gives a relation another name: its row type, and the constraint of an index, follow.
pub(crate) fn relation(env: &Env<'_>, oid: Oid, new_name: &str) -> Result<()> {
    let catalog = env.catalog();
    let index_of = catalog.table_of_index(oid)?;
    let (namespace, row_type) = match index_of {
        Some(_) => (catalog.index(oid)?.namespace, Oid::INVALID),
        None => {
            let relation = catalog.relation(oid)?;
            (relation.namespace, relation.row_type)
        }
    };
    if catalog.relation_in(namespace, new_name)?.is_some() {
        return Err(err!(DUPLICATE_TABLE, "relation \"{new_name}\" already exists"));
    }
    update_class(env, oid, |row| {
        row.set(pg_class::RELNAME, new_name);
        Ok(())
    })?;
    if row_type.is_valid() {
        rename_type(env, row_type, namespace, new_name)?;
    }
    if let Some(table) = index_of {
        let key = [Value::Oid(table)];
        let by_table = index::PG_CONSTRAINT_CONRELID_CONTYPID_CONNAME_INDEX;
        catalog.update_rows(by_table, &key, |row| {
            let own = matches!(row.char(pg_constraint::CONTYPE)?, b'p' | b'u' | b'x');
            if own && row.oid(pg_constraint::CONINDID)? == oid {
                row.set(pg_constraint::CONNAME, new_name);
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn rename_type(env: &Env<'_>, oid: Oid, namespace: Oid, new_name: &str) -> Result<()> {
    let catalog = env.catalog();
    let array = catalog.type_(oid)?.array;
    let rename = |oid: Oid, name: String| {
        catalog.update_rows(index::PG_TYPE_OID_INDEX, &[Value::Oid(oid)], |row| {
            row.set(pg_type::TYPNAME, name.as_str());
            Ok(())
        })
    };
    rename(oid, new_name.to_string())?;
    if array.is_valid() {
        let name = relation_rows::array_type_name(env, namespace, new_name)?;
        rename(array, name)?;
    }
    Ok(())
}

fn named_type<'a>(object: Option<ObjectRef<'a>>) -> Result<parse::Name<'a>> {
    match object {
        Some(ObjectRef::Type(name)) => Ok(name.names),
        Some(ObjectRef::Name(name)) => Ok(name),
        _ => Err(Error::internal("a type without a name")),
    }
}

/// Refuses the types that belong to something else.
fn check_independent(env: &Env<'_>, found: &catalog::rows::Type) -> Result<()> {
    let shown = analyze::names::format_type(env.catalog(), found.oid, -1)?;
    if found.relation.is_valid()
        && env.catalog().relation(found.relation)?.kind != RelationKind::Composite
    {
        return Err(err!(WRONG_OBJECT_TYPE, "{shown} is a table's row type")
            .hint("Use ALTER TABLE instead."));
    }
    if found.is_true_array() {
        let element = analyze::names::format_type(env.catalog(), found.element, -1)?;
        return Err(err!(WRONG_OBJECT_TYPE, "cannot alter array type {shown}").hint(format!(
            "You can alter type {element}, which will alter the array type as well."
        )));
    }
    Ok(())
}

fn rename_user_type(env: &Env<'_>, rename: &RenameStmt<'_>) -> Result<()> {
    let name = named_type(rename.object)?;
    let found = crate::user_type::find_owned(env, name)?;
    if rename.object_type == ObjectType::Domain {
        crate::user_type::require_domain(&found, &format!("\"{}\"", name.join(".")))?;
    }
    check_independent(env, &found)?;
    if found.relation.is_valid() {
        return relation(env, found.relation, rename.new_name);
    }
    if env.catalog().type_in(found.namespace, rename.new_name)?.is_some() {
        return Err(err!(DUPLICATE_OBJECT, "type \"{}\" already exists", rename.new_name));
    }
    rename_type(env, found.oid, found.namespace, rename.new_name)
}

fn rename_domain_constraint(env: &Env<'_>, rename: &RenameStmt<'_>) -> Result<()> {
    let name = named_type(rename.object)?;
    let found = crate::user_type::find_owned(env, name)?;
    let old_name = rename.sub_name.unwrap_or_default();
    let (_, bare) = crate::user_type::split(name);
    let key = [Value::Oid(found.oid)];
    let by_domain = index::PG_CONSTRAINT_CONTYPID_INDEX;
    let mut oid = None;
    for (_, row) in env.catalog().find_rows(by_domain, &key)? {
        let other = row.text(pg_constraint::CONNAME)?;
        if other == rename.new_name {
            return Err(err!(
                DUPLICATE_OBJECT,
                "constraint \"{other}\" for domain {bare} already exists"
            ));
        }
        if other == old_name {
            oid = Some(row.oid(pg_constraint::OID)?);
        }
    }
    let oid = oid.ok_or_else(|| {
        err!(UNDEFINED_OBJECT, "constraint \"{old_name}\" for domain {bare} does not exist")
    })?;
    env.catalog()
        .update_rows(index::PG_CONSTRAINT_OID_INDEX, &[Value::Oid(oid)], |row| {
            row.set(pg_constraint::CONNAME, rename.new_name);
            Ok(())
        })
        .map(drop)
}

/// Runs ALTER TYPE and ALTER DOMAIN ... SET SCHEMA.
fn set_type_schema(env: &Env<'_>, alter: &AlterObjectSchemaStmt<'_>) -> Result<()> {
    let name = named_type(alter.object)?;
    let found = crate::user_type::find_owned(env, name)?;
    if alter.object_type == ObjectType::Domain {
        crate::user_type::require_domain(&found, &format!("\"{}\"", name.join(".")))?;
    }
    check_independent(env, &found)?;
    let catalog = env.catalog();
    let namespace =
        crate::object::hold_schema(env, || catalog.require_namespace(alter.new_schema))?;
    if namespace == found.namespace {
        return Ok(());
    }
    if catalog.is_any_temporary(namespace)? || catalog.is_any_temporary(found.namespace)? {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "cannot move objects into or out of temporary schemas"
        ));
    }
    if catalog.type_in(namespace, &found.name)?.is_some() {
        return Err(err!(
            DUPLICATE_OBJECT,
            "type \"{}\" already exists in schema \"{}\"",
            found.name,
            alter.new_schema
        ));
    }
    for oid in [found.oid, found.array] {
        catalog.update_rows(index::PG_TYPE_OID_INDEX, &[Value::Oid(oid)], |row| {
            row.set(pg_type::TYPNAMESPACE, namespace);
            Ok(())
        })?;
    }
    if found.relation.is_valid() {
        update_class(env, found.relation, |row| {
            row.set(pg_class::RELNAMESPACE, namespace);
            Ok(())
        })?;
    }
    catalog.update_rows(index::PG_CONSTRAINT_CONTYPID_INDEX, &[Value::Oid(found.oid)], |row| {
        row.set(pg_constraint::CONNAMESPACE, namespace);
        Ok(())
    })?;
    let this = crate::object::ty(found.oid);
    let schemas = pg_namespace::RELATION;
    catalog.change_dependency(&this, schemas, found.namespace, namespace).map(drop)
}

fn rename_column(env: &Env<'_>, rename: &RenameStmt<'_>) -> Result<()> {
    let Some(name) = target(env, rename)? else { return Ok(()) };
    let relation = find(env, name, LockMode::AccessExclusive)?;
    crate::object::require_owner(env, &relation)?;
    refuse_system(&relation)?;
    let old_name = rename.sub_name.unwrap_or_default();
    if crate::table::is_system_name(old_name) {
        return Err(err!(FEATURE_NOT_SUPPORTED, "cannot rename system column \"{old_name}\""));
    }
    let column = relation
        .column(old_name)
        .ok_or_else(|| err!(UNDEFINED_COLUMN, "column \"{old_name}\" does not exist"))?;
    refuse_system_name(rename.new_name)?;
    if relation.column(rename.new_name).is_some() {
        return Err(err!(
            DUPLICATE_COLUMN,
            "column \"{}\" of relation \"{}\" already exists",
            rename.new_name,
            relation.name
        ));
    }
    let attribute = column.attribute;
    let set = |env: &Env<'_>, relation: Oid, attribute: i16| {
        relation_rows::update_column(env, relation, attribute, |row| {
            row.set(pg_attribute::ATTNAME, rename.new_name);
            Ok(())
        })
    };
    set(env, relation.oid, attribute)?;
    // The columns of indexes are called as the table's.
    for index in &relation.indexes {
        for (key, number) in index.keys.iter().zip(1i16..) {
            if key.attribute == attribute {
                set(env, index.oid, number)?;
            }
        }
    }
    Ok(())
}

fn rename_constraint(env: &Env<'_>, rename: &RenameStmt<'_>) -> Result<()> {
    let Some(name) = target(env, rename)? else { return Ok(()) };
    let relation: std::sync::Arc<Relation> = find(env, name, LockMode::AccessExclusive)?;
    crate::object::require_owner(env, &relation)?;
    let old_name = rename.sub_name.unwrap_or_default();
    let Some(constraint) = relation.constraints.iter().find(|c| c.name == old_name) else {
        return Err(err!(
            UNDEFINED_OBJECT,
            "constraint \"{old_name}\" for table \"{}\" does not exist",
            relation.name
        ));
    };
    if relation.constraints.iter().any(|c| c.name == rename.new_name) {
        return Err(err!(
            DUPLICATE_OBJECT,
            "constraint \"{}\" for relation \"{}\" already exists",
            rename.new_name,
            relation.name
        ));
    }
    let own_index = relation.indexes.iter().any(|index| index.oid == constraint.index);
    if own_index && constraint.foreign.is_none() {
        return self::relation(env, constraint.index, rename.new_name);
    }
    let key = [Value::Oid(constraint.oid)];
    env.catalog()
        .update_rows(index::PG_CONSTRAINT_OID_INDEX, &key, |row| {
            row.set(pg_constraint::CONNAME, rename.new_name);
            Ok(())
        })
        .map(drop)
}

fn rename_schema(env: &Env<'_>, rename: &RenameStmt<'_>) -> Result<()> {
    let old_name = match (&rename.object, rename.sub_name) {
        (Some(ObjectRef::Name([.., name])), _) => *name,
        (_, Some(name)) => name,
        _ => return Err(Error::internal("a schema without a name")),
    };
    let catalog = env.catalog();
    let oid = catalog.require_namespace(old_name)?;
    let schema = catalog.namespace(oid)?;
    catalog.require_owner(schema.owner, &format!("schema {old_name}"))?;
    if catalog.namespace_named(rename.new_name)?.is_some() {
        return Err(err!(DUPLICATE_SCHEMA, "schema \"{}\" already exists", rename.new_name));
    }
    if rename.new_name.starts_with("pg_") {
        return Err(err!(RESERVED_NAME, "unacceptable schema name \"{}\"", rename.new_name)
            .detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    catalog
        .update_rows(index::PG_NAMESPACE_OID_INDEX, &[Value::Oid(oid)], |row| {
            row.set(pg_namespace::NSPNAME, rename.new_name);
            Ok(())
        })
        .map(drop)
}

/// Runs ALTER ... SET SCHEMA for relations; types, indexes and owned sequences follow.
pub(crate) fn set_schema(env: &Env<'_>, alter: &AlterObjectSchemaStmt<'_>) -> Result<()> {
    if matches!(alter.object_type, ObjectType::Type | ObjectType::Domain) {
        return set_type_schema(env, alter);
    }
    let Some(name) = &alter.relation else {
        return Err(Error::unsupported(
            "SET SCHEMA is not supported yet for objects other than relations",
        ));
    };
    let catalog = env.catalog();
    if alter.missing_ok && catalog.relation_named(name.schema, name.name)?.is_none() {
        env.notice(format!("relation \"{}\" does not exist, skipping", name.name));
        return Ok(());
    }
    let relation = find(env, name, LockMode::AccessExclusive)?;
    crate::object::require_owner(env, &relation)?;
    refuse_system(&relation)?;
    let namespace =
        crate::object::hold_schema(env, || catalog.require_namespace(alter.new_schema))?;
    crate::object::require_create(env, namespace)?;
    if let Some((table, ..)) = crate::sequence::owner_of(env, relation.oid)? {
        let table = catalog.relation(table)?;
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "cannot move an owned sequence into another schema"
        )
        .detail(format!("Sequence \"{}\" is linked to table \"{}\".", relation.name, table.name)));
    }
    if namespace == relation.namespace {
        return Ok(());
    }
    if catalog.is_any_temporary(namespace)? || catalog.is_any_temporary(relation.namespace)? {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "cannot move objects into or out of temporary schemas"
        ));
    }
    if catalog.relation_in(namespace, &relation.name)?.is_some() {
        return Err(err!(
            DUPLICATE_TABLE,
            "relation \"{}\" already exists in schema \"{}\"",
            relation.name,
            alter.new_schema
        ));
    }
    move_relation(env, &relation, namespace)
}

fn move_relation(env: &Env<'_>, relation: &Relation, namespace: Oid) -> Result<()> {
    let catalog = env.catalog();
    let old = relation.namespace;
    let set_class = |oid| {
        update_class(env, oid, |row| {
            row.set(pg_class::RELNAMESPACE, namespace);
            Ok(())
        })
    };
    set_class(relation.oid)?;
    for index in &relation.indexes {
        set_class(index.oid)?;
    }
    if relation.row_type.is_valid() {
        let array = catalog.type_(relation.row_type)?.array;
        for oid in [relation.row_type, array] {
            catalog.update_rows(index::PG_TYPE_OID_INDEX, &[Value::Oid(oid)], |row| {
                row.set(pg_type::TYPNAMESPACE, namespace);
                Ok(())
            })?;
        }
    }
    let by_table = index::PG_CONSTRAINT_CONRELID_CONTYPID_CONNAME_INDEX;
    catalog.update_rows(by_table, &[Value::Oid(relation.oid)], |row| {
        row.set(pg_constraint::CONNAMESPACE, namespace);
        Ok(())
    })?;
    // The dependency on the schema follows.
    let key = [Value::Oid(pg_class::RELATION), Value::Oid(relation.oid), Value::Int4(0)];
    catalog.update_rows(index::PG_DEPEND_DEPENDER_INDEX, &key, |row| {
        let on_schema = row.oid(pg_depend::REFCLASSID)? == pg_namespace::RELATION
            && row.oid(pg_depend::REFOBJID)? == old;
        if on_schema {
            row.set(pg_depend::REFOBJID, namespace);
        }
        Ok(())
    })?;
    for sequence in owned_sequences(env, relation)? {
        move_relation(env, &*catalog.relation(sequence)?, namespace)?;
    }
    Ok(())
}

/// The sequences of the table's serial and identity columns.
pub(crate) fn owned_sequences(env: &Env<'_>, relation: &Relation) -> Result<Vec<Oid>> {
    let mut sequences = Vec::new();
    if relation.kind != RelationKind::Table {
        return Ok(sequences);
    }
    for dependency in env.catalog().dependents_of(&crate::object::relation(relation.oid))? {
        let object = dependency.dependent;
        if object.class == pg_class::RELATION
            && env.catalog().table_of_index(object.object)?.is_none()
            && env
                .catalog()
                .find_relation(object.object)?
                .is_some_and(|r| r.kind == RelationKind::Sequence)
        {
            sequences.push(object.object);
        }
    }
    Ok(sequences)
}
