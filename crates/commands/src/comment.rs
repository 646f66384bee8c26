//! COMMENT ON.

use crate::object::{self, ObjectAddress};
use crate::table::alter::find;
use crate::{Env, LockMode};
use base::Oid;
use base::{Error, Result, err};
use catalog::columns::{
    index, pg_authid, pg_database, pg_description, pg_shdescription, pg_tablespace,
};
use catalog::rows::RelationKind;
use catalog::store::{Row, Value};
use parse::{CommentStmt, ObjectRef, ObjectType, RangeVar};

/// Runs COMMENT ON.
pub(crate) fn run(env: &Env<'_>, comment: &CommentStmt<'_>) -> Result<()> {
    if let Some((class, object)) = shared(env, comment)? {
        return shared_comment(env, class, object, comment.comment);
    }
    if matches!(comment.object_type, ObjectType::Database) {
        return Ok(());
    }
    let object = resolve(env, comment)?;
    let key = [Value::Oid(object.object), Value::Oid(object.class), Value::Int4(object.column)];
    let catalog = env.catalog();
    catalog.delete_rows(index::PG_DESCRIPTION_O_C_O_INDEX, &key)?;
    let Some(text) = comment.comment.filter(|text| !text.is_empty()) else { return Ok(()) };
    let row = Row::new(pg_description::RELATION)
        .with(pg_description::OBJOID, object.object)
        .with(pg_description::CLASSOID, object.class)
        .with(pg_description::OBJSUBID, object.column)
        .with(pg_description::DESCRIPTION, text);
    catalog.insert(&row).map(drop)
}

/// A shared object by its class and OID; none for objects of the database.
fn shared(env: &Env<'_>, comment: &CommentStmt<'_>) -> Result<Option<(Oid, Oid)>> {
    let ObjectRef::Name([.., name]) = &comment.object else { return Ok(None) };
    let catalog = env.catalog();
    match comment.object_type {
        ObjectType::Database => {
            let Some(database) = catalog.database_named(name)? else {
                let warning = err!(UNDEFINED_DATABASE, "database \"{name}\" does not exist");
                env.server.warning(warning);
                return Ok(None);
            };
            catalog.require_owner(database.owner, &format!("database {name}"))?;
            Ok(Some((pg_database::RELATION, database.oid)))
        }
        ObjectType::Role => {
            let role = catalog.require_role(name)?;
            let user = catalog.user_role()?;
            let superuser = catalog.is_superuser(user.oid)?;
            if role.superuser && !superuser {
                return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied")
                    .detail("The current user must have the SUPERUSER attribute."));
            }
            if !(superuser || user.create_role) {
                return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied")
                    .detail("The current user must have the CREATEROLE attribute."));
            }
            if !(superuser || catalog.is_admin_of(user.oid, role.oid)?) {
                return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied").detail(format!(
                    "The current user must have the ADMIN option on role \"{name}\"."
                )));
            }
            Ok(Some((pg_authid::RELATION, role.oid)))
        }
        ObjectType::Tablespace => {
            for (_, row) in catalog.all_rows(pg_tablespace::RELATION)? {
                if row.text(pg_tablespace::SPCNAME)? == *name {
                    let owner = row.oid(pg_tablespace::SPCOWNER)?;
                    catalog.require_owner(owner, &format!("tablespace {name}"))?;
                    return Ok(Some((pg_tablespace::RELATION, row.oid(pg_tablespace::OID)?)));
                }
            }
            Err(err!(UNDEFINED_OBJECT, "tablespace \"{name}\" does not exist"))
        }
        _ => Ok(None),
    }
}

fn shared_comment(env: &Env<'_>, class: Oid, object: Oid, text: Option<&str>) -> Result<()> {
    let catalog = env.catalog();
    catalog.delete_shared_comments(class, object)?;
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(()) };
    let row = Row::new(pg_shdescription::RELATION)
        .with(pg_shdescription::OBJOID, object)
        .with(pg_shdescription::CLASSOID, class)
        .with(pg_shdescription::DESCRIPTION, text);
    catalog.insert(&row).map(drop)
}

fn resolve(env: &Env<'_>, comment: &CommentStmt<'_>) -> Result<ObjectAddress> {
    let parts: &[&str] = match &comment.object {
        ObjectRef::Name(parts) => parts,
        ObjectRef::Relation(range) => {
            return relation(env, range, comment.object_type);
        }
        ObjectRef::Type(name) => {
            let (oid, _) = analyze::resolve_type(env.session, env.source, name)?;
            let ty = env.catalog().type_(oid)?;
            let shown = env.catalog().format_type(oid, None)?;
            env.catalog().require_owner(ty.owner, &format!("type {shown}"))?;
            return Ok(object::ty(oid));
        }
        other => return crate::named::described(env, comment.object_type, other),
    };
    match comment.object_type {
        ObjectType::Column => {
            let [table @ .., column] = parts else { return Err(unsupported(comment)) };
            let relation = find_by_name(env, table)?;
            owned(env, &relation)?;
            let column = relation.column(column).ok_or_else(|| {
                err!(
                    UNDEFINED_COLUMN,
                    "column \"{column}\" of relation \"{}\" does not exist",
                    table.join(".")
                )
            })?;
            Ok(object::column(relation.oid, column.attribute))
        }
        ObjectType::TableConstraint => {
            let [table @ .., name] = parts else { return Err(unsupported(comment)) };
            let relation = find_by_name(env, table)?;
            owned(env, &relation)?;
            let found = relation.constraints.iter().find(|c| c.name == *name);
            let constraint = found.ok_or_else(|| {
                err!(
                    UNDEFINED_OBJECT,
                    "constraint \"{name}\" for table \"{}\" does not exist",
                    relation.name
                )
            })?;
            Ok(object::constraint(constraint.oid))
        }
        ObjectType::Schema => {
            let name = parts.last().copied().unwrap_or_default();
            let catalog = env.catalog();
            let Some(schema) = catalog.namespace_named(name)? else {
                return Err(err!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"));
            };
            catalog.require_owner(schema.owner, &format!("schema {name}"))?;
            Ok(object::schema(schema.oid))
        }
        ObjectType::Table
        | ObjectType::View
        | ObjectType::Index
        | ObjectType::Sequence
        | ObjectType::MaterializedView => {
            let name = range(parts)?;
            relation(env, &name, comment.object_type)
        }
        kind => {
            if let Some(found) = crate::named::owned(env, kind, parts)? {
                return Ok(found);
            }
            let part = crate::named::part_of_relation(env, kind, parts)?;
            part.ok_or_else(|| unsupported(comment))
        }
    }
}

/// Who comments on a part of a relation owns it.
fn owned(env: &Env<'_>, relation: &catalog::relation::Relation) -> Result<()> {
    env.catalog().require_owner(relation.owner, &format!("relation {}", relation.name))
}

fn unsupported(comment: &CommentStmt<'_>) -> Error {
    Error::unsupported(format!(
        "COMMENT ON {} is not supported yet",
        format!("{:?}", comment.object_type).to_uppercase()
    ))
}

fn range<'a>(parts: &[&'a str]) -> Result<RangeVar<'a>> {
    let (schema, name) = match parts {
        [.., schema, name] => (Some(*schema), *name),
        [name] => (None, *name),
        [] => return Err(Error::internal("an object without a name")),
    };
    Ok(RangeVar {
        catalog: None,
        schema,
        name,
        inherit: true,
        persistence: parse::Persistence::Permanent,
        alias: None,
        location: parse::Location::default(),
    })
}

fn find_by_name(
    env: &Env<'_>,
    parts: &[&str],
) -> Result<std::sync::Arc<catalog::relation::Relation>> {
    find(env, &range(parts)?, LockMode::ShareUpdateExclusive)
}

fn relation(env: &Env<'_>, name: &RangeVar<'_>, kind: ObjectType) -> Result<ObjectAddress> {
    let catalog = env.catalog();
    let oid = catalog.relation_named(name.schema, name.name)?.ok_or_else(|| {
        let schema = name.schema.map(|schema| format!("{schema}.")).unwrap_or_default();
        err!(UNDEFINED_TABLE, "relation \"{schema}{}\" does not exist", name.name)
    })?;
    let found = match catalog.table_of_index(oid)? {
        Some(_) => RelationKind::Index,
        None => catalog.relation(oid)?.kind,
    };
    let (wanted, word) = match kind {
        ObjectType::View => (RelationKind::View, "a view"),
        ObjectType::Index => (RelationKind::Index, "an index"),
        ObjectType::Sequence => (RelationKind::Sequence, "a sequence"),
        ObjectType::MaterializedView => (RelationKind::MaterializedView, "a materialized view"),
        _ => (RelationKind::Table, "a table"),
    };
    if found != wanted {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is not {word}", name.name));
    }
    let owner = catalog.relation(catalog.table_of_index(oid)?.unwrap_or(oid))?.owner;
    let word = catalog::relation_word(found);
    catalog.require_owner(owner, &format!("{word} {}", name.name))?;
    Ok(object::relation(oid))
}
