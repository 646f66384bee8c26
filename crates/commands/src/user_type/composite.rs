//! CREATE TYPE ... AS (...) and ALTER TYPE of composite types.
//!
//! Values keep their columns by number: what was added later is NULL in older values, and what was
//! dropped is passed over.

use super::place;
use crate::relation_rows::{self, NewColumn, NewRelation};
use crate::table::create::check_columns;
use crate::table::{alter, column};
use crate::{Env, object};
use base::{Error, FileId, Oid, Result, err};
use catalog::columns::{pg_class, pg_type};
use catalog::relation::Relation;
use catalog::rows::{Persistence, RelationKind};
use parse::{AlterTableCmd, ColumnDef, CompositeTypeStmt};

/// Runs CREATE TYPE ... AS (...).
pub(crate) fn create(env: &Env<'_>, create: &CompositeTypeStmt<'_>) -> Result<()> {
    let range = &create.relation;
    let names: Vec<&str> = range.schema.into_iter().chain([range.name]).collect();
    let namespace = place(env, &names)?;
    let mut columns: Vec<NewColumn> = Vec::new();
    for definition in create.columns {
        columns.push(column::define(env, range.name, definition)?.column);
    }
    check_columns(columns.iter())?;
    let temporary = namespace == env.catalog().temporary_namespace();
    let relation = NewRelation {
        oid: env.catalog().new_oid(pg_class::RELATION)?,
        name: range.name.into(),
        owner: env.catalog().user(),
        namespace,
        kind: RelationKind::Composite,
        persistence: if temporary { Persistence::Temporary } else { Persistence::Permanent },
        method: Oid::INVALID,
        file: FileId(0),
        options: Vec::new(),
        columns,
    };
    relation_rows::insert(env, &relation)
}

/// Runs ALTER TYPE with attributes.
pub(crate) fn alter(
    env: &Env<'_>,
    relation: &Relation,
    commands: &[AlterTableCmd<'_>],
) -> Result<()> {
    for command in commands {
        let relation = env.catalog().relation(relation.oid)?;
        match command {
            AlterTableCmd::AddColumn { column, .. } => add(env, &relation, column)?,
            AlterTableCmd::DropColumn { name, behavior, missing_ok } => {
                alter::drop_column(env, &relation, name, *behavior, *missing_ok)?;
            }
            AlterTableCmd::ColumnType { name, definition } => {
                change_type(env, &relation, name, definition)?;
            }
            _ => return Err(Error::unsupported("this ALTER TYPE is not supported yet")),
        }
        env.catalog().next_command()?;
    }
    Ok(())
}

fn add(env: &Env<'_>, relation: &Relation, definition: &ColumnDef<'_>) -> Result<()> {
    if relation.column(definition.name).is_some() {
        return Err(err!(
            DUPLICATE_COLUMN,
            "column \"{}\" of relation \"{}\" already exists",
            definition.name,
            relation.name
        ));
    }
    crate::table::create::refuse_system_name(definition.name)?;
    let column = column::define(env, &relation.name, definition)?.column;
    refuse_itself(env, relation, column.type_oid)?;
    let attribute = i16::try_from(relation.columns.len() + 1).unwrap_or(i16::MAX);
    let id = u32::from(attribute.unsigned_abs());
    relation_rows::insert_column(env, relation.oid, attribute, id, &column)?;
    relation_rows::update_class(env, relation.oid, |row| {
        row.set(pg_class::RELNATTS, attribute);
        Ok(())
    })
}

/// 42P16 for a type that would be a part of itself.
fn refuse_itself(env: &Env<'_>, relation: &Relation, type_oid: Oid) -> Result<()> {
    base::stack::check_stack_depth()?;
    let catalog = env.catalog();
    if type_oid == relation.row_type {
        let shown = catalog.format_type(type_oid, None)?;
        return Err(err!(
            INVALID_TABLE_DEFINITION,
            "composite type {shown} cannot be made a member of itself"
        ));
    }
    let found = catalog.type_(type_oid)?;
    for inner in [found.element, found.base_type] {
        if inner.is_valid() {
            refuse_itself(env, relation, inner)?;
        }
    }
    if found.relation.is_valid() {
        for column in catalog.relation(found.relation)?.live_columns() {
            refuse_itself(env, relation, column.type_oid)?;
        }
    }
    Ok(())
}

fn change_type(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    definition: &ColumnDef<'_>,
) -> Result<()> {
    let Some(attribute) = relation.column(name).map(|column| column.attribute) else {
        return Err(err!(
            UNDEFINED_COLUMN,
            "column \"{name}\" of relation \"{}\" does not exist",
            relation.name
        ));
    };
    refuse_users(env, relation, relation.row_type)?;
    let column = column::define(env, &relation.name, definition)?.column;
    refuse_itself(env, relation, column.type_oid)?;
    let ty = env.catalog().type_(column.type_oid)?;
    relation_rows::update_column(env, relation.oid, attribute, |row| {
        relation_rows::set_type(row, column.type_oid, column.typmod, column.collation, &ty);
        Ok(())
    })
}

/// 0A000 when values of the type are stored in a column.
fn refuse_users(env: &Env<'_>, relation: &Relation, type_oid: Oid) -> Result<()> {
    let catalog = env.catalog();
    for dependency in catalog.dependents_of(&object::ty(type_oid))? {
        let dependent = dependency.dependent;
        if dependent.class == pg_type::RELATION {
            refuse_users(env, relation, dependent.object)?;
        }
        if dependent.class != pg_class::RELATION || dependent.column <= 0 {
            continue;
        }
        let user = catalog.relation(dependent.object)?;
        let attribute = i16::try_from(dependent.column).unwrap_or_default();
        if user.oid != relation.oid
            && let Some(column) = user.column_at(attribute)
        {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "cannot alter type \"{}\" because column \"{}.{}\" uses it",
                relation.name,
                user.name,
                column.name
            ));
        }
    }
    Ok(())
}
