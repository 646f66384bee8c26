//! ALTER TABLE: its commands in PostgreSQL's passes.

use super::{alter_column, alter_constraint, alter_type, constraint, storage};
use crate::relation_rows::{self, refuse_system, update_class};
use crate::{Env, LockMode, object};
use base::{Error, Oid, Result, err};
use catalog::columns::{pg_attribute, pg_class};
use catalog::relation::Relation;
use catalog::relation_word;
use catalog::rows::RelationKind;
use parse::{AlterTableCmd, AlterTableStmt, ColumnDef, DropBehavior, ObjectType, RangeVar};
use std::sync::Arc;

/// Finds, locks and describes the relation of a name.
///
/// # Errors
/// 42P01, with the position of the name.
pub(crate) fn find(env: &Env<'_>, name: &RangeVar<'_>, mode: LockMode) -> Result<Arc<Relation>> {
    let catalog = env.catalog();
    // A concurrent rename or drop moves the generation: then the name is looked up again.
    for _ in 0..100 {
        let generation = catalog.generation();
        let Some(oid) = catalog.relation_named(name.schema, name.name)? else {
            return Err(no_relation(name));
        };
        if catalog.table_of_index(oid)?.is_some() {
            return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is an index", name.name));
        }
        env.lock(oid, mode)?;
        if catalog.generation() == generation {
            return catalog.relation(oid);
        }
    }
    Err(err!(LOCK_NOT_AVAILABLE, "relation \"{}\" keeps changing", name.name))
}

/// Refuses the name of an index, where a command wants something else.
///
/// # Errors
/// 42809
pub(crate) fn refuse_index(env: &Env<'_>, name: &RangeVar<'_>, wanted: &str) -> Result<()> {
    match env.catalog().relation_named(name.schema, name.name)? {
        Some(oid) if env.catalog().table_of_index(oid)?.is_some() => {
            Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is not {wanted}", name.name))
        }
        _ => Ok(()),
    }
}

/// 42P01
pub(crate) fn no_relation(name: &RangeVar<'_>) -> Error {
    let shown = match name.schema {
        Some(schema) => format!("{schema}.{}", name.name),
        None => name.name.to_string(),
    };
    err!(UNDEFINED_TABLE, "relation \"{shown}\" does not exist")
}

/// Runs ALTER TABLE.
pub(crate) fn run(env: &Env<'_>, alter: &AlterTableStmt<'_>) -> Result<()> {
    let name = &alter.relation;
    if alter.missing_ok && env.catalog().relation_named(name.schema, name.name)?.is_none() {
        env.notice(format!("relation \"{}\" does not exist, skipping", name.name));
        return Ok(());
    }
    let strongest = alter.commands.iter().map(lock_mode).max_by_key(|mode| *mode as u8);
    let relation = find(env, name, strongest.unwrap_or(LockMode::AccessExclusive))?;
    refuse_system(&relation)?;
    let word = relation_word(relation.kind);
    env.catalog().require_owner(relation.owner, &format!("{word} {}", relation.name))?;
    match (relation.kind, alter.object_type) {
        (RelationKind::Composite, ObjectType::Type) => {
            return crate::user_type::composite::alter(env, &relation, alter.commands);
        }
        (RelationKind::Composite, _) => {
            return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is a composite type", relation.name)
                .hint("Use ALTER TYPE instead."));
        }
        (_, ObjectType::Type) => {
            return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is not a composite type", relation.name));
        }
        _ => {}
    }
    if env.storage.in_use(relation.oid) {
        return Err(err!(
            OBJECT_IN_USE,
            "cannot ALTER TABLE \"{}\" because it is being used by active queries in this session",
            relation.name
        ));
    }
    object::refuse_pending(env, relation.oid, "ALTER TABLE", &relation.name)?;
    let mut commands: Vec<&AlterTableCmd<'_>> = alter.commands.iter().collect();
    commands.sort_by_key(|command| pass(command));
    let types: Vec<(&str, &ColumnDef<'_>)> = commands
        .iter()
        .filter_map(|command| match command {
            AlterTableCmd::ColumnType { name, definition } => Some((*name, *definition)),
            _ => None,
        })
        .collect();
    let mut typed = types.is_empty();
    for command in commands {
        let relation = env.catalog().relation(relation.oid)?;
        if !matches!(command, AlterTableCmd::ColumnType { .. }) {
            one(env, &relation, command)?;
        } else if !typed {
            typed = true;
            table_only(&relation, "ALTER COLUMN ... SET DATA TYPE")?;
            alter_type::run(env, &relation, &types)?;
        }
        env.catalog().next_command()?;
    }
    Ok(())
}

pub(super) fn table_only(relation: &Relation, action: &str) -> Result<()> {
    require_kind(relation, &[RelationKind::Table], action)
}

/// 42809 for a relation of which an action is not known.
pub(super) fn require_kind(
    relation: &Relation,
    kinds: &[RelationKind],
    action: &str,
) -> Result<()> {
    if kinds.contains(&relation.kind) {
        return Ok(());
    }
    Err(err!(
        WRONG_OBJECT_TYPE,
        "ALTER action {action} cannot be performed on relation \"{}\"",
        relation.name
    )
    .detail(format!("This operation is not supported for {}s.", relation_word(relation.kind))))
}

/// The weakest lock that a command needs.
fn lock_mode(command: &AlterTableCmd<'_>) -> LockMode {
    match command {
        AlterTableCmd::ValidateConstraint { .. }
        | AlterTableCmd::SetStatistics { .. }
        | AlterTableCmd::SetOptions { .. }
        | AlterTableCmd::ResetOptions { .. }
        | AlterTableCmd::SetColumnOptions { .. }
        | AlterTableCmd::ResetColumnOptions { .. }
        | AlterTableCmd::ClusterOn { .. }
        | AlterTableCmd::SetWithoutCluster => LockMode::ShareUpdateExclusive,
        AlterTableCmd::AddConstraint { constraint }
            if matches!(constraint.kind, parse::ConstraintKind::Foreign(_)) =>
        {
            LockMode::ShareRowExclusive
        }
        _ => LockMode::AccessExclusive,
    }
}

/// PostgreSQL's order: what drops comes first, then types, columns, attributes, constraints.
fn pass(command: &AlterTableCmd<'_>) -> u8 {
    match command {
        AlterTableCmd::DropColumn { .. }
        | AlterTableCmd::DropConstraint { .. }
        | AlterTableCmd::DropNotNull { .. }
        | AlterTableCmd::DropIdentity { .. } => 0,
        AlterTableCmd::ColumnType { .. } => 1,
        AlterTableCmd::AddColumn { .. } => 2,
        AlterTableCmd::ColumnDefault { .. } | AlterTableCmd::SetNotNull { .. } => 3,
        AlterTableCmd::AddConstraint { .. } => 4,
        _ => 5,
    }
}

fn one(env: &Env<'_>, relation: &Relation, command: &AlterTableCmd<'_>) -> Result<()> {
    match command {
        AlterTableCmd::AddColumn { column, if_not_exists } => {
            table_only(relation, "ADD COLUMN")?;
            alter_column::add(env, relation, column, *if_not_exists)
        }
        AlterTableCmd::DropColumn { name, behavior, missing_ok } => {
            table_only(relation, "DROP COLUMN")?;
            drop_column(env, relation, name, *behavior, *missing_ok)
        }
        AlterTableCmd::ColumnDefault { name, default } => {
            alter_column::set_default(env, relation, name, *default)
        }
        AlterTableCmd::SetNotNull { name } => alter_column::set_not_null(env, relation, name),
        AlterTableCmd::DropNotNull { name } => alter_column::drop_not_null(env, relation, name),
        AlterTableCmd::AddIdentity { name, constraint } => {
            alter_column::add_identity(env, relation, name, constraint)
        }
        AlterTableCmd::SetIdentity { name, options } => {
            alter_column::set_identity(env, relation, name, options)
        }
        AlterTableCmd::DropIdentity { name, missing_ok } => {
            alter_column::drop_identity(env, relation, name, *missing_ok)
        }
        AlterTableCmd::AddConstraint { constraint } => {
            table_only(relation, "ADD CONSTRAINT")?;
            constraint::add(env, relation.oid, None, constraint, false)
        }
        AlterTableCmd::DropConstraint { name, behavior, missing_ok } => {
            drop_constraint(env, relation, name, *behavior, *missing_ok)
        }
        AlterTableCmd::AlterConstraint(change) => alter_constraint::run(env, relation, change),
        AlterTableCmd::ValidateConstraint { name } => validate(env, relation, name),
        AlterTableCmd::SetOptions { options } => {
            let options = match relation.kind {
                RelationKind::View => crate::create_view::view_options(options)?,
                _ => super::create::options(options)?,
            };
            set_options(env, relation, &options)?;
            check_view(env, relation, &options)
        }
        AlterTableCmd::ResetOptions { options } => {
            let names: Vec<&str> = options.iter().map(|option| option.name).collect();
            reset_options(env, relation, &names)
        }
        AlterTableCmd::ChangeOwner { owner } => crate::owner::relation(env, relation, owner),
        AlterTableCmd::SetStatistics { name: Some(name), target, .. } => {
            super::statistics::set_target(env, relation, name, *target)
        }
        AlterTableCmd::SetStorage { name, storage } => storage::set(env, relation, name, storage),
        AlterTableCmd::SetCompression { name, method } => {
            storage::set_compression(env, relation, name, method)
        }
        AlterTableCmd::SetStatistics { .. }
        | AlterTableCmd::SetWithoutOids
        | AlterTableCmd::SetWithoutCluster
        | AlterTableCmd::ClusterOn { .. } => Ok(()),
        AlterTableCmd::Other { what } => {
            Err(Error::unsupported(format!("ALTER TABLE ... {what} is not supported yet")))
        }
        _ => Err(Error::unsupported("this form of ALTER TABLE is not supported yet")),
    }
}

pub(crate) fn drop_column(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    behavior: DropBehavior,
    missing_ok: bool,
) -> Result<()> {
    if super::create::is_system_name(name) {
        return Err(err!(FEATURE_NOT_SUPPORTED, "cannot drop system column \"{name}\""));
    }
    let Some(column) = relation.column(name) else {
        if missing_ok {
            env.notice(format!(
                "column \"{name}\" of relation \"{}\" does not exist, skipping",
                relation.name
            ));
            return Ok(());
        }
        return Err(constraint::no_column(name, &relation.name));
    };
    crate::drop::remove(env, &[object::column(relation.oid, column.attribute)], behavior)
}

/// Marks a column as dropped: it keeps its number, and rows keep their bytes until rewritten.
pub(crate) fn forget_column(env: &Env<'_>, table: Oid, attribute: i16) -> Result<()> {
    env.catalog().remove_column_statistics(table, attribute)?;
    relation_rows::update_column(env, table, attribute, |row| {
        use pg_attribute::*;
        row.set(ATTNAME, format!("........pg.dropped.{attribute}........"))
            .set(ATTTYPID, Oid::INVALID)
            .set(ATTNOTNULL, false)
            .set(ATTHASDEF, false)
            .set(ATTIDENTITY, 0u8)
            .set(ATTGENERATED, 0u8)
            .set(ATTISDROPPED, true);
        Ok(())
    })
}

fn drop_constraint(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    behavior: DropBehavior,
    missing_ok: bool,
) -> Result<()> {
    let Some(found) = relation.constraints.iter().find(|constraint| constraint.name == name) else {
        if missing_ok {
            env.notice(format!(
                "constraint \"{name}\" of relation \"{}\" does not exist, skipping",
                relation.name
            ));
            return Ok(());
        }
        return Err(err!(
            UNDEFINED_OBJECT,
            "constraint \"{name}\" of relation \"{}\" does not exist",
            relation.name
        ));
    };
    use catalog::rows::ConstraintKind as Kind;
    if found.kind == Kind::NotNull {
        let attribute = found.columns.first().copied().unwrap_or_default();
        alter_column::refuse_primary(relation, attribute)?;
        constraint::set_not_null(env, relation.oid, attribute, false)?;
    }
    if found.kind == Kind::Check {
        update_class(env, relation.oid, |row| {
            let checks = row.int2(pg_class::RELCHECKS)?;
            row.set(pg_class::RELCHECKS, (checks - 1).max(0));
            Ok(())
        })?;
    }
    crate::drop::remove(env, &[object::constraint(found.oid)], behavior)
}

fn validate(env: &Env<'_>, relation: &Relation, name: &str) -> Result<()> {
    let found = relation.constraints.iter().find(|constraint| constraint.name == name);
    let Some(found) = found else {
        return Err(err!(
            UNDEFINED_OBJECT,
            "constraint \"{name}\" of relation \"{}\" does not exist",
            relation.name
        ));
    };
    constraint::validate(env, relation, found)
}

fn set_options(env: &Env<'_>, relation: &Relation, new: &[String]) -> Result<()> {
    let name = |option: &str| option.split('=').next().unwrap_or_default().to_string();
    let mut options = relation.options.clone();
    options.retain(|old| new.iter().all(|option| name(option) != name(old)));
    options.extend(new.iter().cloned());
    write_options(env, relation.oid, options)
}

/// The options that ALTER VIEW sets must fit the view.
fn check_view(env: &Env<'_>, relation: &Relation, options: &[String]) -> Result<()> {
    match &relation.query {
        Some(stored) if relation.kind == RelationKind::View => {
            let none = Oid::INVALID;
            let query = analyze::analyze_stored_query(env.bump, env.session, stored, none)?;
            crate::create_view::require_updatable(env, options, query)
        }
        _ => Ok(()),
    }
}

fn reset_options(env: &Env<'_>, relation: &Relation, names: &[&str]) -> Result<()> {
    let mut options = relation.options.clone();
    options.retain(|old| !names.iter().any(|name| old.split('=').next() == Some(name)));
    write_options(env, relation.oid, options)
}

fn write_options(env: &Env<'_>, relation: Oid, options: Vec<String>) -> Result<()> {
    let options = (!options.is_empty()).then_some(options);
    update_class(env, relation, |row| {
        row.set(pg_class::RELOPTIONS, options.clone());
        Ok(())
    })
}
