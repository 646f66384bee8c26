//! PRIMARY KEY and UNIQUE: a constraint and the index behind it.

use super::constraint::{
    self, base_row, choose_name, contains_null, free_name, multiple_primary_keys,
};
use crate::create_index::{NewIndex, NewKey, insert_index};
use crate::{Env, depend, object};
use base::{Oid, Result, err};
use catalog::columns::{index, pg_constraint, pg_index};
use catalog::relation::{Index, Relation};
use catalog::rows::{ConstraintKind as Kind, DependencyKind};
use catalog::store::Value;
use parse::{Constraint, KeyConstraint};

/// Adds a key.
pub(crate) fn add(
    env: &Env<'_>,
    relation: &Relation,
    attribute: Option<i16>,
    constraint: &Constraint<'_>,
    definition: &KeyConstraint<'_>,
    new_table: bool,
) -> Result<()> {
    if definition.primary && relation.primary_key().is_some() {
        let error = multiple_primary_keys(&relation.name);
        return Err(if new_table { env.at(error, constraint.location) } else { error });
    }
    if definition.without_overlaps {
        return Err(base::Error::unsupported("WITHOUT OVERLAPS is not supported yet"));
    }
    if let Some(name) = definition.index {
        return adopt(env, relation, constraint, definition, name);
    }
    let attributes = attributes(relation, attribute, definition)
        .map_err(|error| env.at(error, constraint.location))?;
    let included = columns_named(relation, definition.including)?;
    let what = if definition.primary { "primary keys" } else { "unique constraints" };
    super::column::refuse_virtual(relation, &attributes, what)?;
    super::column::refuse_virtual(relation, &included, "indexes")?;
    if definition.primary {
        require_not_null(env, relation, &attributes)?;
    }
    // It was asked for the table, when that is new.
    if !new_table {
        object::require_create(env, relation.namespace)?;
    }
    let label = if definition.primary { "pkey" } else { "key" };
    let names: Vec<&str> = attributes
        .iter()
        .filter_map(|a| relation.column_at(*a).map(|column| column.name.as_str()))
        .collect();
    let joined = names.join("_");
    let columns = (!definition.primary).then_some(joined.as_str());
    let name = match constraint.name {
        Some(name) => {
            if env.catalog().relation_in(relation.namespace, name)?.is_some() {
                return Err(err!(DUPLICATE_TABLE, "relation \"{name}\" already exists"));
            }
            free_name(relation, name)?
        }
        None => choose_name(env, relation, columns, label)?,
    };
    let keys: Result<Vec<NewKey>> =
        attributes.iter().map(|a| NewKey::column(env, relation, *a)).collect();
    let index = NewIndex {
        name: name.clone(),
        keys: keys?,
        included,
        unique: true,
        nulls_not_distinct: definition.nulls_not_distinct,
        primary: definition.primary,
        immediate: !constraint.deferrable,
        predicate: None,
        options: super::create::options(definition.options)?,
    };
    let index = insert_index(env, relation, &index)?;
    insert_constraint(env, relation, &name, constraint, definition.primary, &attributes, index)
}

/// Writes the constraint behind which an index stands.
fn insert_constraint(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    constraint: &Constraint<'_>,
    primary: bool,
    attributes: &[i16],
    index: Oid,
) -> Result<()> {
    let kind = if primary { Kind::Primary } else { Kind::Unique };
    let oid = env.catalog().new_oid(pg_constraint::RELATION)?;
    let row = base_row(oid, name, relation, kind)
        .with(pg_constraint::CONDEFERRABLE, constraint.deferrable)
        .with(pg_constraint::CONDEFERRED, constraint.initially_deferred)
        .with(pg_constraint::CONNOINHERIT, true)
        .with(pg_constraint::CONINDID, index)
        .with(pg_constraint::CONKEY, attributes.to_vec());
    env.catalog().insert(&row)?;
    let object = object::constraint(oid);
    for attribute in attributes {
        let column = object::column(relation.oid, *attribute);
        depend::record(env, object, column, DependencyKind::Auto)?;
    }
    // The index lives and dies with its constraint, not with the columns.
    depend::forget(env, object::relation(index))?;
    depend::record(env, object::relation(index), object, DependencyKind::Internal)?;
    if primary {
        for attribute in attributes {
            constraint::set_not_null(env, relation.oid, *attribute, true)?;
            constraint::add_not_null(env, relation.oid, *attribute, None, true)?;
        }
    }
    Ok(())
}

fn attributes(
    relation: &Relation,
    attribute: Option<i16>,
    definition: &KeyConstraint<'_>,
) -> Result<Vec<i16>> {
    if let Some(attribute) = attribute {
        return Ok(vec![attribute]);
    }
    let mut attributes = Vec::new();
    for name in definition.columns {
        let column = relation.column(name).ok_or_else(|| {
            err!(UNDEFINED_COLUMN, "column \"{name}\" named in key does not exist")
        })?;
        if attributes.contains(&column.attribute) {
            let what = if definition.primary { "primary key" } else { "unique" };
            return Err(err!(
                DUPLICATE_COLUMN,
                "column \"{name}\" appears twice in {what} constraint"
            ));
        }
        attributes.push(column.attribute);
    }
    Ok(attributes)
}

fn columns_named(relation: &Relation, names: &[&str]) -> Result<Vec<i16>> {
    names
        .iter()
        .map(|name| {
            let column = relation.column(name).ok_or_else(|| {
                err!(UNDEFINED_COLUMN, "column \"{name}\" named in key does not exist")
            })?;
            Ok(column.attribute)
        })
        .collect()
}

fn require_not_null(env: &Env<'_>, relation: &Relation, attributes: &[i16]) -> Result<()> {
    for attribute in attributes {
        let Some(column) = relation.column_at(*attribute) else { continue };
        if !column.not_null && env.storage.has_null(relation, *attribute)? {
            return Err(contains_null(&relation.name, &column.name));
        }
    }
    Ok(())
}

/// ADD CONSTRAINT ... USING INDEX.
fn adopt(
    env: &Env<'_>,
    relation: &Relation,
    constraint: &Constraint<'_>,
    definition: &KeyConstraint<'_>,
    name: &str,
) -> Result<()> {
    let Some(index) = relation.indexes.iter().find(|index| index.name == name) else {
        return Err(err!(UNDEFINED_OBJECT, "index \"{name}\" does not exist"));
    };
    let plain = index.keys.iter().all(|key| key.attribute != 0 && !key.descending);
    if !index.unique || !plain || index.predicate.is_some() {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{name}\" is not a unique index")
            .detail("Cannot create a primary key or unique constraint using such an index."));
    }
    let attributes: Vec<i16> = index.keys.iter().map(|key| key.attribute).collect();
    if definition.primary {
        require_not_null(env, relation, &attributes)?;
    }
    let wanted = constraint.name.unwrap_or(name);
    if wanted != name {
        env.notice(format!(
            "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"{name}\" to \"{wanted}\""
        ));
        crate::rename::relation(env, index.oid, wanted)?;
    }
    let key = [Value::Oid(index.oid)];
    env.catalog().update_rows(index::PG_INDEX_INDEXRELID_INDEX, &key, |row| {
        row.set(pg_index::INDISPRIMARY, definition.primary);
        row.set(pg_index::INDIMMEDIATE, !constraint.deferrable);
        Ok(())
    })?;
    let primary = definition.primary;
    insert_constraint(env, relation, wanted, constraint, primary, &attributes, index.oid)
}

/// Makes on `table` an index as the model's, with its constraint when it is a key.
pub(crate) fn copy(env: &Env<'_>, table: Oid, model: &Index) -> Result<()> {
    let relation = env.catalog().relation(table)?;
    if model.keys.iter().any(|key| key.expression.is_some()) || model.predicate.is_some() {
        return Err(base::Error::unsupported(
            "LIKE INCLUDING INDEXES with index expressions or predicates is not supported yet",
        ));
    }
    let source = env.catalog().relation(model.table)?;
    let translate = |attribute: i16| {
        let name = source.column_at(attribute).map(|column| column.name.as_str());
        name.and_then(|name| relation.column(name)).map_or(attribute, |column| column.attribute)
    };
    let attributes: Vec<i16> = model.keys.iter().map(|key| translate(key.attribute)).collect();
    let names: Vec<&str> = attributes
        .iter()
        .filter_map(|a| relation.column_at(*a).map(|column| column.name.as_str()))
        .collect();
    let label = match (model.primary, model.unique) {
        (true, _) => "pkey",
        (_, true) => "key",
        _ => "idx",
    };
    let joined = names.join("_");
    let name = choose_name(env, &relation, (!model.primary).then_some(&*joined), label)?;
    let keys: Vec<NewKey> = model
        .keys
        .iter()
        .zip(&attributes)
        .map(|(key, attribute)| NewKey { attribute: *attribute, ..NewKey::like(key) })
        .collect();
    let index = NewIndex {
        name: name.clone(),
        keys,
        included: model.included.iter().map(|a| translate(*a)).collect(),
        unique: model.unique,
        nulls_not_distinct: model.nulls_not_distinct,
        primary: model.primary,
        immediate: model.immediate,
        predicate: None,
        options: model.options.clone(),
    };
    let oid = insert_index(env, &relation, &index)?;
    let is_key = source
        .constraints
        .iter()
        .any(|c| c.index == model.oid && matches!(c.kind, Kind::Primary | Kind::Unique));
    if is_key {
        let constraint = Constraint {
            name: None,
            kind: parse::ConstraintKind::Null,
            deferrable: false,
            initially_deferred: false,
            enforced: true,
            not_valid: false,
            no_inherit: false,
            location: parse::Location::default(),
        };
        insert_constraint(env, &relation, &name, &constraint, model.primary, &attributes, oid)?;
    }
    Ok(())
}
