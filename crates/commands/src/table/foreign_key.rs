//! REFERENCES: which columns, which key, which operators, which actions.

use super::constraint::{base_row, choose_name, free_name};
use crate::{Env, LockMode, depend, object};
use base::{Oid, Result, err};
use catalog::Catalog;
use catalog::acl::Privilege;
use catalog::columns::{index, pg_constraint};
use catalog::relation::{Column, Index, Relation};
use catalog::rows::{
    ConstraintKind as Kind, DependencyKind, ForeignAction, Persistence, RelationKind,
};
use catalog::store::Value;
use parse::{Constraint, ForeignKey};

/// Equality among the strategies of a btree operator family.
const EQUAL: i16 = 3;

/// Adds a foreign key.
pub(crate) fn add(
    env: &Env<'_>,
    relation: &Relation,
    attribute: Option<i16>,
    constraint: &Constraint<'_>,
    definition: &ForeignKey<'_>,
    new_table: bool,
) -> Result<()> {
    if definition.match_type == b'p' {
        return Err(base::Error::unsupported("MATCH PARTIAL not yet implemented"));
    }
    let referenced = super::alter::find(env, &definition.relation, LockMode::ShareRowExclusive)?;
    if referenced.kind != RelationKind::Table {
        return Err(err!(
            WRONG_OBJECT_TYPE,
            "referenced relation \"{}\" is not a table",
            referenced.name
        ));
    }
    check_persistence(env, relation, &referenced)?;
    let columns: Vec<&Column> = match attribute {
        Some(attribute) => relation.column_at(attribute).into_iter().collect(),
        None => named(relation, definition.columns, "foreign key")?,
    };
    let (keys, index) = key_of(&referenced, definition)?;
    let wanted: Vec<i16> = keys.iter().map(|column| column.attribute).collect();
    let catalog = env.catalog();
    if !catalog.has_on_columns(catalog.user(), &referenced, &wanted, Privilege::References)? {
        return Err(Catalog::relation_denied(&referenced));
    }
    if keys.len() != columns.len() {
        return Err(err!(
            INVALID_FOREIGN_KEY,
            "number of referencing and referenced columns for foreign key disagree"
        ));
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let joined = names.join("_");
    let name = match constraint.name {
        Some(name) => free_name(relation, name)?,
        None => choose_name(env, relation, Some(&joined), "fkey")?,
    };
    let operators = operators(env, &name, &columns, &keys, &index)?;
    let action = |code: u8| ForeignAction::from_code(code).unwrap_or(ForeignAction::NoAction);
    let set = deleted_columns(relation, definition, &columns)?;
    let oid = env.catalog().new_oid(pg_constraint::RELATION)?;
    let attributes: Vec<i16> = columns.iter().map(|column| column.attribute).collect();
    let what = "foreign key constraints";
    super::column::refuse_virtual(relation, &attributes, what)?;
    let key_attributes: Vec<i16> = keys.iter().map(|column| column.attribute).collect();
    use pg_constraint::*;
    let row = base_row(oid, &name, relation, Kind::Foreign)
        .with(CONDEFERRABLE, constraint.deferrable)
        .with(CONDEFERRED, constraint.initially_deferred)
        .with(CONENFORCED, constraint.enforced)
        .with(CONVALIDATED, !constraint.not_valid && constraint.enforced)
        .with(CONNOINHERIT, true)
        .with(CONINDID, index.oid)
        .with(CONFRELID, referenced.oid)
        .with(CONFUPDTYPE, action(definition.on_update).code())
        .with(CONFDELTYPE, action(definition.on_delete).code())
        .with(CONFMATCHTYPE, definition.match_type)
        .with(CONKEY, attributes.clone())
        .with(CONFKEY, key_attributes.clone())
        .with(CONPFEQOP, operators.clone())
        .with(CONPPEQOP, operators.clone())
        .with(CONFFEQOP, operators)
        .with(CONFDELSETCOLS, (!set.is_empty()).then_some(set));
    env.catalog().insert(&row)?;
    let object = object::constraint(oid);
    for attribute in &attributes {
        depend::record(
            env,
            object,
            object::column(relation.oid, *attribute),
            DependencyKind::Auto,
        )?;
    }
    for attribute in &key_attributes {
        let column = object::column(referenced.oid, *attribute);
        depend::record(env, object, column, DependencyKind::Normal)?;
    }
    depend::record(env, object, object::relation(index.oid), DependencyKind::Normal)?;
    if !new_table && !constraint.not_valid && constraint.enforced {
        env.catalog().next_command()?;
        env.storage.check_foreign_key(relation.oid, oid)?;
    }
    Ok(())
}

/// The columns of ON DELETE SET NULL or SET DEFAULT, each once.
fn deleted_columns(
    relation: &Relation,
    definition: &ForeignKey<'_>,
    columns: &[&Column],
) -> Result<Vec<i16>> {
    let mut set = Vec::new();
    for column in named(relation, definition.delete_columns, "foreign key")? {
        if !columns.iter().any(|key| key.attribute == column.attribute) {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "column \"{}\" referenced in ON DELETE SET action must be part of foreign key",
                column.name
            ));
        }
        if !set.contains(&column.attribute) {
            set.push(column.attribute);
        }
    }
    Ok(set)
}

/// A table refers to tables that live at least as long, and to no other session's.
fn check_persistence(env: &Env<'_>, relation: &Relation, referenced: &Relation) -> Result<()> {
    use Persistence::{Permanent, Temporary, Unlogged};
    let other = referenced.persistence;
    let own = env.catalog().temporary_namespace();
    let message = match relation.persistence {
        Permanent if other != Permanent => {
            "constraints on permanent tables may reference only permanent tables"
        }
        Unlogged if other == Temporary => {
            "constraints on unlogged tables may reference only permanent or unlogged tables"
        }
        Temporary if other != Temporary => {
            "constraints on temporary tables may reference only temporary tables"
        }
        Temporary if referenced.namespace != own || relation.namespace != own => {
            "constraints on temporary tables must involve temporary tables of this session"
        }
        _ => return Ok(()),
    };
    Err(err!(INVALID_TABLE_DEFINITION, "{message}"))
}

fn named<'r>(relation: &'r Relation, names: &[&str], what: &str) -> Result<Vec<&'r Column>> {
    names
        .iter()
        .map(|name| {
            relation.column(name).ok_or_else(|| {
                err!(
                    UNDEFINED_COLUMN,
                    "column \"{name}\" referenced in {what} constraint does not exist"
                )
            })
        })
        .collect()
}

/// The referenced columns and the unique index over them.
fn key_of<'r>(
    referenced: &'r Relation,
    definition: &ForeignKey<'_>,
) -> Result<(Vec<&'r Column>, std::sync::Arc<Index>)> {
    if definition.referenced.is_empty() {
        let Some(index) = referenced.primary_key() else {
            return Err(err!(
                UNDEFINED_OBJECT,
                "there is no primary key for referenced table \"{}\"",
                referenced.name
            ));
        };
        if !index.immediate {
            return Err(err!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "cannot use a deferrable primary key for referenced table \"{}\"",
                referenced.name
            ));
        }
        let columns = index.keys.iter().filter_map(|key| referenced.column_at(key.attribute));
        return Ok((columns.collect(), index.clone()));
    }
    let columns = named(referenced, definition.referenced, "foreign key")?;
    let mut wanted: Vec<i16> = columns.iter().map(|column| column.attribute).collect();
    wanted.sort_unstable();
    let deferrable = || {
        err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "cannot use a deferrable unique constraint for referenced table \"{}\"",
            referenced.name
        )
    };
    let matches = |index: &&std::sync::Arc<Index>| {
        let mut keys: Vec<i16> = index.keys.iter().map(|key| key.attribute).collect();
        keys.sort_unstable();
        index.unique && index.predicate.is_none() && keys == wanted
    };
    let mut found = referenced.indexes.iter().filter(matches);
    match found.clone().find(|index| index.immediate).or(found.next()) {
        Some(index) if !index.immediate => Err(deferrable()),
        Some(index) => Ok((columns, index.clone())),
        None => Err(err!(
            INVALID_FOREIGN_KEY,
            "there is no unique constraint matching given keys for referenced table \"{}\"",
            referenced.name
        )),
    }
}

/// Finds the operators of a column's foreign keys anew, in both directions, and checks their rows.
pub(crate) fn retype(env: &Env<'_>, table: Oid, attribute: i16) -> Result<()> {
    let relation = env.catalog().relation(table)?;
    let own = relation.constraints.iter().filter(|c| c.columns.contains(&attribute));
    let mut found: Vec<(Oid, Oid)> =
        own.filter(|c| c.foreign.is_some()).map(|c| (table, c.oid)).collect();
    for reference in &relation.referenced_by {
        found.push((reference.table, reference.constraint));
    }
    found.dedup();
    for (referring, oid) in found {
        let referring = env.catalog().relation(referring)?;
        let Some(constraint) = referring.constraints.iter().find(|c| c.oid == oid) else {
            continue;
        };
        let Some(foreign) = &constraint.foreign else { continue };
        if referring.oid != table && !foreign.columns.contains(&attribute) {
            continue;
        }
        let referenced = env.catalog().relation(foreign.table)?;
        let index = env.catalog().index(constraint.index)?;
        let columns: Vec<&Column> =
            constraint.columns.iter().filter_map(|a| referring.column_at(*a)).collect();
        let keys: Vec<&Column> =
            foreign.columns.iter().filter_map(|a| referenced.column_at(*a)).collect();
        let operators = operators(env, &constraint.name, &columns, &keys, &index)?;
        let key = [Value::Oid(oid)];
        env.catalog().update_rows(index::PG_CONSTRAINT_OID_INDEX, &key, |row| {
            use pg_constraint::*;
            row.set(CONPFEQOP, operators.clone()).set(CONPPEQOP, operators.clone());
            row.set(CONFFEQOP, operators.clone());
            Ok(())
        })?;
        env.catalog().next_command()?;
        if constraint.validated {
            env.storage.check_foreign_key(referring.oid, oid)?;
        }
    }
    Ok(())
}

/// The equality of each pair, from the operator family of the referenced index.
fn operators(
    env: &Env<'_>,
    name: &str,
    columns: &[&Column],
    keys: &[&Column],
    index: &Index,
) -> Result<Vec<Oid>> {
    let catalog = env.catalog();
    let mut operators = Vec::new();
    for (column, key) in columns.iter().zip(keys) {
        let class = index
            .keys
            .iter()
            .find(|k| k.attribute == key.attribute)
            .map_or(Oid::INVALID, |k| k.class);
        let class = catalog.opclass(class)?;
        let (own, _) = catalog.base_type(column.type_oid, column.typmod)?;
        let input = class.input_type;
        let found = match catalog.family_operator(class.family, input, own, EQUAL)? {
            Some(operator) => Some(operator),
            // A type that becomes the key's without a change uses the key's own equality.
            None if catalog.cast(own, input)?.is_some() => {
                catalog.family_operator(class.family, input, input, EQUAL)?
            }
            None if own == catalog.base_type(key.type_oid, key.typmod)?.0 => {
                // A class for types of a kind (anyarray) compares any two values of one type.
                catalog.family_operator(class.family, input, input, EQUAL)?
            }
            None => None,
        };
        let Some(operator) = found else {
            let shown = |c: &Column| analyze::names::format_type(catalog, c.type_oid, -1);
            return Err(err!(
                DATATYPE_MISMATCH,
                "foreign key constraint \"{name}\" cannot be implemented"
            )
            .detail(format!(
                "Key columns \"{}\" of the referencing table and \"{}\" of the referenced table \
                 are of incompatible types: {} and {}.",
                column.name,
                key.name,
                shown(column)?,
                shown(key)?
            )));
        };
        operators.push(operator);
    }
    Ok(operators)
}
