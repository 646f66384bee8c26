//! ALTER TABLE: commands about one column.

use super::column::{self, Definition, OwnedSequence};
use super::constraint::{self, contains_null, no_column};
use crate::relation_rows::{self, set_type as set_row_type, update_class};
use crate::{Env, depend, object};
use analyze::{StoredContext, analyze_expression, stored};
use base::{Result, err};
use catalog::columns::{hidden, index, pg_attribute, pg_class};
use catalog::relation::{Column, Relation};
use catalog::rows::{ConstraintKind as Kind, Identity};
use catalog::store::Value;
use parse::{ColumnDef, Constraint, ConstraintKind, Expression};

fn named<'r>(relation: &'r Relation, name: &str) -> Result<&'r Column> {
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
    let id = relation.columns.iter().map(|column| column.id.0).max().unwrap_or(0) + 1;
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
        constraint::add_not_null(env, relation.oid, attribute, name)?;
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
        column::create_sequence(env, &described, attribute, &definition.column, owned)?;
        let described = env.catalog().relation(old.oid)?;
        described.column_at(attribute).and_then(|column| column.default.clone())
    } else if let Some(expression) = definition.generated.or(definition.default) {
        let expr = column::bind(env, &described, &definition.column, expression)?;
        Some(column::insert_default(env, old.oid, attribute, expr)?)
    } else {
        None
    };
    let Some(stored) = stored else { return Ok(()) };
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

/// Rewrites a table and its indexes into new trees.
fn rewrite(env: &Env<'_>, old: &Relation, values: &[(i16, catalog::rows::Stored)]) -> Result<()> {
    env.catalog().next_command()?;
    let new = env.catalog().relation(old.oid)?;
    let file = env.storage.rewrite(old, &new, values)?;
    env.storage.drop_tree(old.file)?;
    update_class(env, old.oid, |row| {
        row.set(hidden::PG_CLASS_FILE, i64::try_from(file.0).unwrap_or(0));
        Ok(())
    })?;
    rebuild_indexes(env, old)
}

/// Builds every index of a table anew.
pub(crate) fn rebuild_indexes(env: &Env<'_>, table: &Relation) -> Result<()> {
    for index in &table.indexes {
        let file = env.storage.create_index_tree()?;
        env.storage.drop_tree(index.file)?;
        update_class(env, index.oid, |row| {
            row.set(hidden::PG_CLASS_FILE, i64::try_from(file.0).unwrap_or(0));
            Ok(())
        })?;
    }
    env.catalog().next_command()?;
    let new = env.catalog().relation(table.oid)?;
    for index in &new.indexes {
        env.storage.build_index(&new, index)?;
    }
    Ok(())
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
    let expr = column::bind(env, relation, &plain, expression)?;
    column::insert_default(env, relation.oid, attribute, expr)?;
    relation_rows::update_column(env, relation.oid, attribute, |row| {
        row.set(pg_attribute::ATTHASDEF, true);
        Ok(())
    })
}

/// SET NOT NULL.
pub(crate) fn set_not_null(env: &Env<'_>, relation: &Relation, name: &str) -> Result<()> {
    let column = named(relation, name)?;
    if column.not_null {
        return Ok(());
    }
    if env.storage.has_null(relation, column.attribute)? {
        return Err(contains_null(&relation.name, name));
    }
    constraint::set_not_null(env, relation.oid, column.attribute, true)?;
    constraint::add_not_null(env, relation.oid, column.attribute, None)
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
    let owned = OwnedSequence { type_oid: column.type_oid, options, identity: true };
    column::create_sequence(env, relation, column.attribute, &plain, owned)
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

/// ALTER COLUMN TYPE: the table is rewritten, its indexes are rebuilt.
pub(crate) fn set_type(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    def: &ColumnDef<'_>,
) -> Result<()> {
    let column = named(relation, name)?;
    let Some(type_name) = def.type_name else {
        return Err(err!(SYNTAX_ERROR, "column \"{name}\" must have a type"));
    };
    let (type_oid, typmod) = analyze::resolve_type(env.session, env.source, type_name)?;
    column::check_type(env, name, type_oid)?;
    refuse_users(env, relation, column)?;
    let shown = analyze::names::format_type(env.catalog(), type_oid, -1)?;
    let target = stored::StoredTarget { oid: type_oid, typmod, name };
    let field = [parse::Field::Name(name)];
    let reference = Expression::ColumnRef { fields: &field, location: parse::Location::default() };
    let source = def.using.unwrap_or(&reference);
    let context = StoredContext::AlterUsing;
    let (bump, session) = (env.bump, env.session);
    let expr = analyze_expression(
        bump,
        session,
        env.source,
        source,
        Some(relation),
        context,
        Some(target),
    )
    .map_err(|error| match def.using {
        Some(_) => error,
        None if error.sqlstate() == base::SqlState::DATATYPE_MISMATCH => err!(
            DATATYPE_MISMATCH,
            "column \"{name}\" cannot be cast automatically to type {shown}"
        )
        .hint(format!("You might need to specify \"USING {name}::{shown}\".")),
        None => error,
    })?;
    let value = stored::encode_expression(expr);
    let ty = env.catalog().type_(type_oid)?;
    let attribute = column.attribute;
    relation_rows::update_column(env, relation.oid, attribute, |row| {
        set_row_type(row, type_oid, typmod, ty.collation, &ty);
        row.set(hidden::PG_ATTRIBUTE_MISSING, Value::Null);
        row.set(pg_attribute::ATTHASMISSING, false);
        Ok(())
    })?;
    if let Some(default) = &column.default {
        recast_default(env, relation, column, default, type_oid, typmod)?;
    }
    for index in &relation.indexes {
        for (key, number) in index.keys.iter().zip(1i16..) {
            if key.attribute == attribute {
                retype_key(env, index.oid, number, type_oid, typmod, &ty)?;
            }
        }
    }
    rewrite(env, relation, &[(attribute, value)])
}

/// Views and rules over the column stand in the way.
fn refuse_users(env: &Env<'_>, relation: &Relation, column: &Column) -> Result<()> {
    let object = object::column(relation.oid, column.attribute);
    for dependency in env.catalog().dependents_of(&object)? {
        let user = dependency.dependent;
        if user.class == catalog::columns::pg_rewrite::RELATION {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "cannot alter type of a column used by a view or rule"
            )
            .detail(format!(
                "{} depends on column \"{}\"",
                env.catalog().describe(&user)?,
                column.name
            )));
        }
    }
    Ok(())
}

fn recast_default(
    env: &Env<'_>,
    relation: &Relation,
    column: &Column,
    default: &catalog::rows::Stored,
    type_oid: base::Oid,
    typmod: i32,
) -> Result<()> {
    let expr = analyze::analyze_stored(env.bump, env.session, default)?;
    let cast = analyze::coerce_stored(env.bump, env.session, expr, type_oid, typmod)?;
    let Some(cast) = cast else {
        let shown = analyze::names::format_type(env.catalog(), type_oid, -1)?;
        return Err(err!(
            DATATYPE_MISMATCH,
            "default for column \"{}\" cannot be cast automatically to type {shown}",
            column.name
        ));
    };
    column::delete_default(env, relation.oid, column.attribute)?;
    column::insert_default(env, relation.oid, column.attribute, cast)?;
    relation_rows::update_column(env, relation.oid, column.attribute, |row| {
        row.set(pg_attribute::ATTHASDEF, true);
        Ok(())
    })
}

/// The key of an index follows its column: type and operator class.
fn retype_key(
    env: &Env<'_>,
    index_oid: base::Oid,
    number: i16,
    type_oid: base::Oid,
    typmod: i32,
    ty: &catalog::rows::Type,
) -> Result<()> {
    use catalog::columns::pg_index::{INDCLASS, INDCOLLATION};
    const BTREE: base::Oid = base::Oid(403);
    let class = env.catalog().opclass_for(BTREE, type_oid)?.ok_or_else(|| {
        err!(UNDEFINED_OBJECT, "the new type has no default operator class for btree")
    })?;
    relation_rows::update_column(env, index_oid, number, |row| {
        set_row_type(row, type_oid, typmod, ty.collation, ty);
        Ok(())
    })?;
    let at = usize::from(number.unsigned_abs()) - 1;
    let key = [Value::Oid(index_oid)];
    env.catalog()
        .update_rows(index::PG_INDEX_INDEXRELID_INDEX, &key, |row| {
            let (mut classes, mut collations) = (row.oids(INDCLASS)?, row.oids(INDCOLLATION)?);
            if let (Some(c), Some(l)) = (classes.get_mut(at), collations.get_mut(at)) {
                *c = class.oid;
                *l = ty.collation;
            }
            row.set(INDCLASS, classes).set(INDCOLLATION, collations);
            Ok(())
        })
        .map(drop)
}
