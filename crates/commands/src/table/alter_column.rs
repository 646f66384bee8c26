//! ALTER TABLE: commands about one column.

use super::column::{self, Definition, OwnedSequence};
use super::constraint::{self, contains_null, no_column};
use crate::relation_rows::{self, update_class};
use crate::{Env, depend, object, type_ids as oids};
use base::{Error, FileId, Oid, Result, err};
use catalog::columns::{hidden, index, pg_attribute, pg_class};
use catalog::relation::{Column, Relation};
use catalog::rows::{ConstraintKind as Kind, Generated, Identity};
use catalog::store::Value;
use parse::{ColumnDef, Constraint, ConstraintKind, Expression};

pub(crate) fn named<'r>(relation: &'r Relation, name: &str) -> Result<&'r Column> {
    relation.column(name).ok_or_else(|| no_column(name, &relation.name))
}

/// ADD COLUMN. With a constant default, or none, no row is touched (storage rule 7).
pub(crate) fn add(
    env: &Env<'_>,
    relation: &Relation,
    def: &ColumnDef<'_>,
    if_not_exists: bool,
) -> Result<()> {
    if relation.column(def.name).is_some() {
        let message =
            format!("column \"{}\" of relation \"{}\" already exists", def.name, relation.name);
        if if_not_exists {
            env.notice(format!("{message}, skipping"));
            return Ok(());
        }
        return Err(err!(DUPLICATE_COLUMN, "{message}"));
    }
    super::create::refuse_system_name(def.name)?;
    let mut definitions = [column::define(env, &relation.name, def)?];
    constraint::mark_not_null(&mut definitions, &[])?;
    let [definition] = definitions;
    let attribute = i16::try_from(relation.columns.len() + 1).unwrap_or(i16::MAX);
    if relation.columns.len() >= base::limits::TABLE_COLUMNS_MAX {
        return Err(err!(
            TOO_MANY_COLUMNS,
            "tables can have at most {} columns",
            base::limits::TABLE_COLUMNS_MAX
        ));
    }
    // An identity that was used before is never used again (storage rule 7).
    let id = env.storage.draw_column_id()?;
    relation_rows::insert_column(env, relation.oid, attribute, id, &definition.column)?;
    update_class(env, relation.oid, |row| {
        row.set(pg_class::RELNATTS, attribute);
        Ok(())
    })?;
    fill(env, relation, attribute, &definition)?;
    let described = env.catalog().relation(relation.oid)?;
    if definition.column.not_null {
        let column = &definition.column.name;
        if env.storage.has_null(&described, attribute)? {
            return Err(contains_null(&relation.name, column));
        }
        let name = definition.not_null.as_ref().and_then(|constraint| constraint.name);
        constraint::add_not_null(env, relation.oid, attribute, name, true)?;
    }
    for constraint in &definition.constraints {
        constraint::add(env, relation.oid, Some(attribute), constraint, false)?;
    }
    Ok(())
}

/// Gives the rows that are there the value of the new column.
fn fill(env: &Env<'_>, old: &Relation, attribute: i16, definition: &Definition<'_>) -> Result<()> {
    let described = env.catalog().relation(old.oid)?;
    let stored = if let Some(owned) = definition.sequence {
        let column = &definition.column;
        Some(column::create_sequence(env, &described, attribute, column, owned)?)
    } else if let Some(expression) = definition.generated.or(definition.default) {
        let expr = column::bind(env, &described, &definition.column, expression)
            .map_err(without_position)?;
        Some(column::insert_default(env, old.oid, attribute, expr)?)
    } else {
        None
    };
    let Some(stored) = stored else { return Ok(()) };
    if definition.column.generated == Some(Generated::Virtual) {
        return Ok(());
    }
    if definition.generated.is_none() && definition.sequence.is_none() {
        let (ty, typmod) = (definition.column.type_oid, definition.column.typmod);
        if let Some(value) = env.storage.missing_value(&stored, ty, typmod)? {
            let Some(bytes) = value else { return Ok(()) };
            return relation_rows::update_column(env, old.oid, attribute, |row| {
                row.set(hidden::PG_ATTRIBUTE_MISSING, bytes.clone());
                row.set(pg_attribute::ATTHASMISSING, true);
                Ok(())
            });
        }
    }
    rewrite(env, old, &[(attribute, stored)])
}

/// PostgreSQL does not say where in ALTER TABLE a default is wrong.
fn without_position(mut error: Error) -> Error {
    error.fields_mut().position = None;
    error
}

/// Rewrites a table and its indexes into new trees.
fn rewrite(env: &Env<'_>, old: &Relation, values: &[(i16, catalog::rows::Stored)]) -> Result<()> {
    env.storage.change_all(old.oid)?;
    env.catalog().next_command()?;
    let new = env.catalog().relation(old.oid)?;
    let file = env.storage.rewrite(old, &new, values)?;
    replace_tree(env, old.oid, old.file, file)?;
    rebuild_indexes(env, old)
}

/// Gives a relation another tree; the old one goes when the transaction commits.
pub(crate) fn replace_tree(env: &Env<'_>, relation: Oid, old: FileId, new: FileId) -> Result<()> {
    env.storage.drop_tree(old)?;
    update_class(env, relation, |row| {
        row.set(hidden::PG_CLASS_FILE, i64::try_from(new.0).unwrap_or(0));
        Ok(())
    })
}

/// Builds every index of a table anew.
pub(crate) fn rebuild_indexes(env: &Env<'_>, table: &Relation) -> Result<()> {
    for index in &table.indexes {
        replace_tree(env, index.oid, index.file, env.storage.create_index_tree()?)?;
    }
    env.catalog().next_command()?;
    let new = env.catalog().relation(table.oid)?;
    for index in &new.indexes {
        crate::create_index::fill(env, &new, index)?;
    }
    env.catalog().next_command()
}

/// SET DEFAULT and DROP DEFAULT.
pub(crate) fn set_default(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    default: Option<&Expression<'_>>,
) -> Result<()> {
    let column = named(relation, name)?;
    let attribute = column.attribute;
    if column.identity.is_some() {
        let error = err!(
            SYNTAX_ERROR,
            "column \"{name}\" of relation \"{}\" is an identity column",
            relation.name
        );
        return Err(match default {
            Some(_) => error,
            None => error.hint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead."),
        });
    }
    if column.generated.is_some() {
        return Err(err!(
            SYNTAX_ERROR,
            "column \"{name}\" of relation \"{}\" is a generated column",
            relation.name
        ));
    }
    column::delete_default(env, relation.oid, attribute)?;
    let Some(expression) = default else { return Ok(()) };
    let plain =
        relation_rows::NewColumn::plain(name, column.type_oid, column.typmod, column.collation);
    let expr = column::bind(env, relation, &plain, expression).map_err(without_position)?;
    column::insert_default(env, relation.oid, attribute, expr)?;
    relation_rows::update_column(env, relation.oid, attribute, |row| {
        row.set(pg_attribute::ATTHASDEF, true);
        Ok(())
    })
}

/// SET NOT NULL.
pub(crate) fn set_not_null(env: &Env<'_>, relation: &Relation, name: &str) -> Result<()> {
    let column = named(relation, name)?;
    let attribute = column.attribute;
    let unchecked = relation
        .constraints
        .iter()
        .find(|c| c.kind == Kind::NotNull && c.columns == [attribute] && !c.validated);
    if let Some(constraint) = unchecked {
        return constraint::validate(env, relation, constraint);
    }
    if column.not_null {
        return Ok(());
    }
    if env.storage.has_null(relation, attribute)? {
        return Err(contains_null(&relation.name, name));
    }
    constraint::set_not_null(env, relation.oid, attribute, true)?;
    constraint::add_not_null(env, relation.oid, attribute, None, true)
}

/// Refuses to let a column of the primary key become nullable.
pub(crate) fn refuse_primary(relation: &Relation, attribute: i16) -> Result<()> {
    let in_key = relation
        .primary_key()
        .is_some_and(|index| index.keys.iter().any(|key| key.attribute == attribute));
    if !in_key {
        return Ok(());
    }
    let name = relation.column_at(attribute).map_or("?", |column| &column.name);
    Err(err!(INVALID_TABLE_DEFINITION, "column \"{name}\" is in a primary key"))
}

/// DROP NOT NULL.
pub(crate) fn drop_not_null(env: &Env<'_>, relation: &Relation, name: &str) -> Result<()> {
    let column = named(relation, name)?;
    if column.identity.is_some() {
        return Err(err!(
            SYNTAX_ERROR,
            "column \"{name}\" of relation \"{}\" is an identity column",
            relation.name
        ));
    }
    refuse_primary(relation, column.attribute)?;
    constraint::set_not_null(env, relation.oid, column.attribute, false)?;
    let attribute = column.attribute;
    for constraint in relation.constraints.iter().filter(|c| c.kind == Kind::NotNull) {
        if constraint.columns == [attribute] {
            depend::forget(env, object::constraint(constraint.oid))?;
            let key = [Value::Oid(constraint.oid)];
            env.catalog().delete_rows(index::PG_CONSTRAINT_OID_INDEX, &key)?;
        }
    }
    Ok(())
}

/// ADD GENERATED ... AS IDENTITY.
pub(crate) fn add_identity(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    constraint: &Constraint<'_>,
) -> Result<()> {
    let column = named(relation, name)?;
    let ConstraintKind::Identity { always, options } = constraint.kind else { return Ok(()) };
    if ![oids::INT2, oids::INT4, oids::INT8].contains(&column.type_oid) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "identity column type must be smallint, integer, or bigint"
        ));
    }
    if column.identity.is_some() {
        return Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" is already an identity column",
            relation.name
        ));
    }
    if !column.not_null {
        return Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" must be declared NOT NULL before identity can \
             be added",
            relation.name
        ));
    }
    if column.default.is_some() {
        return Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" already has a default value",
            relation.name
        ));
    }
    let identity = if always { Identity::Always } else { Identity::ByDefault };
    relation_rows::update_column(env, relation.oid, column.attribute, |row| {
        row.set(pg_attribute::ATTIDENTITY, identity.code());
        Ok(())
    })?;
    let plain =
        relation_rows::NewColumn::plain(name, column.type_oid, column.typmod, column.collation);
    let owned = OwnedSequence { type_oid: column.type_oid, options, identity: true, model: None };
    column::create_sequence(env, relation, column.attribute, &plain, owned).map(drop)
}

/// SET GENERATED, and SET and RESTART of the sequence behind an identity column.
pub(crate) fn set_identity(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    options: &[parse::DefElem<'_>],
) -> Result<()> {
    let column = named(relation, name)?;
    if column.identity.is_none() {
        return Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" is not an identity column",
            relation.name
        ));
    }
    let (kinds, rest): (Vec<parse::DefElem<'_>>, Vec<parse::DefElem<'_>>) =
        options.iter().copied().partition(|option| option.name == "generated");
    if kinds.len() > 1 {
        return Err(err!(SYNTAX_ERROR, "conflicting or redundant options"));
    }
    if let Some(parse::DefValue::Integer(kind)) = kinds.first().and_then(|kind| kind.value) {
        let code = u8::try_from(kind).unwrap_or(b'd');
        relation_rows::update_column(env, relation.oid, column.attribute, |row| {
            row.set(pg_attribute::ATTIDENTITY, code);
            Ok(())
        })?;
    }
    if rest.is_empty() {
        return Ok(());
    }
    crate::sequence::change_identity(env, relation.oid, column.attribute, &rest)
}

/// DROP IDENTITY.
pub(crate) fn drop_identity(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    missing_ok: bool,
) -> Result<()> {
    let column = named(relation, name)?;
    if column.identity.is_none() {
        let message = format!(
            "column \"{name}\" of relation \"{}\" is not an identity column",
            relation.name
        );
        if missing_ok {
            env.notice(format!("{message}, skipping"));
            return Ok(());
        }
        return Err(err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "{message}"));
    }
    let (oid, attribute) = (relation.oid, column.attribute);
    relation_rows::update_column(env, oid, attribute, |row| {
        row.set(pg_attribute::ATTIDENTITY, 0u8);
        Ok(())
    })?;
    let object = object::column(oid, attribute);
    for dependency in env.catalog().dependents_of(&object)? {
        if dependency.kind == catalog::rows::DependencyKind::Internal {
            depend::forget(env, dependency.dependent)?;
            crate::drop::remove(env, &[dependency.dependent], parse::DropBehavior::Restrict)?;
        }
    }
    Ok(())
}
