//! Constraints of tables: names, NOT NULL, CHECK, and what CREATE and ALTER TABLE share.

use super::column::Definition;
use super::{foreign_key, key};
use crate::relation_rows::{self, update_class};
use crate::{Env, depend, object};
use analyze::{StoredContext, analyze_expression, stored};
use base::{Error, Oid, Result, err};
use catalog::columns::{index, pg_attribute, pg_class, pg_constraint};
use catalog::relation::Relation;
use catalog::rows::{ConstraintKind as Kind, DependencyKind};
use catalog::store::{Row, Value};
use parse::{Constraint, ConstraintKind, Expression};

/// Marks the columns that table constraints make NOT NULL, before the table is made.
pub(crate) fn mark_not_null(
    definitions: &mut [Definition<'_>],
    constraints: &[Constraint<'_>],
) -> Result<()> {
    for constraint in constraints {
        let columns = match &constraint.kind {
            ConstraintKind::Key(key) if key.primary => key.columns,
            ConstraintKind::NotNull { column: Some(column) } => std::slice::from_ref(column),
            _ => continue,
        };
        for name in columns {
            if let Some(found) = definitions.iter_mut().find(|d| d.column.name == *name) {
                found.column.not_null = true;
            }
        }
    }
    for definition in definitions {
        let primary = definition
            .constraints
            .iter()
            .any(|c| matches!(&c.kind, ConstraintKind::Key(key) if key.primary));
        definition.column.not_null |= primary;
    }
    Ok(())
}

/// Adds the constraints of a new table: NOT NULL, checks, keys, then foreign keys.
pub(crate) fn add_all(
    env: &Env<'_>,
    table: Oid,
    definitions: &[Definition<'_>],
    table_constraints: &[Constraint<'_>],
) -> Result<()> {
    let mut all: Vec<(Option<i16>, Constraint<'_>)> = Vec::new();
    for (definition, attribute) in definitions.iter().zip(1i16..) {
        all.extend(definition.constraints.iter().map(|c| (Some(attribute), *c)));
    }
    all.extend(table_constraints.iter().map(|constraint| (None, *constraint)));
    if let Some((_, second)) = all.iter().filter(|(_, c)| is_primary(c)).nth(1) {
        let relation = env.catalog().relation(table)?;
        return Err(env.at(multiple_primary_keys(&relation.name), second.location));
    }
    let rank = |constraint: &Constraint<'_>| match &constraint.kind {
        ConstraintKind::Check(_) => 0,
        ConstraintKind::Key(key) if key.primary => 1,
        ConstraintKind::Key(_) => 2,
        ConstraintKind::Foreign(_) => 4,
        _ => 3,
    };
    all.sort_by_key(|(_, constraint)| rank(constraint));
    for (attribute, constraint) in &all {
        add(env, table, *attribute, constraint, true)?;
    }
    for (definition, attribute) in definitions.iter().zip(1i16..) {
        if definition.column.not_null {
            let written = definition.not_null.as_ref().and_then(|constraint| constraint.name);
            let name = written.or(definition.not_null_name.as_deref());
            add_not_null(env, table, attribute, name, true)?;
        }
    }
    Ok(())
}

fn is_primary(constraint: &Constraint<'_>) -> bool {
    matches!(&constraint.kind, ConstraintKind::Key(key) if key.primary)
}

pub(crate) fn multiple_primary_keys(table: &str) -> Error {
    err!(INVALID_TABLE_DEFINITION, "multiple primary keys for table \"{table}\" are not allowed")
}

/// Adds one constraint. `attribute` is the column of a column constraint; `new_table` says that
/// there are no rows to check.
pub(crate) fn add(
    env: &Env<'_>,
    table: Oid,
    attribute: Option<i16>,
    constraint: &Constraint<'_>,
    new_table: bool,
) -> Result<()> {
    let relation = env.catalog().relation(table)?;
    match &constraint.kind {
        ConstraintKind::Check(expression) => {
            add_check(env, &relation, attribute, constraint, expression, new_table)
        }
        ConstraintKind::Key(definition) => {
            key::add(env, &relation, attribute, constraint, definition, new_table)
        }
        ConstraintKind::Foreign(definition) => {
            foreign_key::add(env, &relation, attribute, constraint, definition, new_table)
        }
        ConstraintKind::NotNull { column: Some(name) } => {
            let Some(column) = relation.column(name) else {
                return Err(no_column(name, &relation.name));
            };
            let validated = !constraint.not_valid;
            if !new_table && validated && env.storage.has_null(&relation, column.attribute)? {
                return Err(contains_null(&relation.name, name));
            }
            set_not_null(env, table, column.attribute, true)?;
            if new_table {
                // The row is written with those of the columns.
                return Ok(());
            }
            add_not_null(env, table, column.attribute, constraint.name, validated)
        }
        ConstraintKind::Exclusion { .. } => {
            Err(Error::unsupported("exclusion constraints are not supported yet"))
        }
        _ => Err(Error::unsupported("this kind of constraint is not supported yet")),
    }
}

pub(crate) fn no_column(name: &str, table: &str) -> Error {
    err!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{table}\" does not exist")
}

pub(crate) fn contains_null(table: &str, column: &str) -> Error {
    err!(NOT_NULL_VIOLATION, "column \"{column}\" of relation \"{table}\" contains null values")
        .table(table)
        .column(column)
}

/// Sets or clears `attnotnull`.
pub(crate) fn set_not_null(env: &Env<'_>, table: Oid, attribute: i16, set: bool) -> Result<()> {
    relation_rows::update_column(env, table, attribute, |row| {
        row.set(pg_attribute::ATTNOTNULL, set);
        Ok(())
    })
}

/// Writes the NOT NULL constraint of a column, unless it has one.
pub(crate) fn add_not_null(
    env: &Env<'_>,
    table: Oid,
    attribute: i16,
    name: Option<&str>,
    validated: bool,
) -> Result<()> {
    let relation = env.catalog().relation(table)?;
    let mut of_kind = relation.constraints.iter().filter(|c| c.kind == Kind::NotNull);
    if of_kind.any(|c| c.columns == [attribute]) {
        return Ok(());
    }
    let Some(column) = relation.column_at(attribute) else { return Ok(()) };
    let name = match name {
        Some(name) => free_name(&relation, name)?,
        None => choose_name(env, &relation, Some(&column.name), "not_null")?,
    };
    let oid = env.catalog().new_oid(pg_constraint::RELATION)?;
    let row = base_row(oid, &name, &relation, Kind::NotNull)
        .with(pg_constraint::CONVALIDATED, validated)
        .with(pg_constraint::CONKEY, vec![attribute]);
    env.catalog().insert(&row)?;
    let (constraint, column) = (object::constraint(oid), object::column(table, attribute));
    depend::record(env, constraint, column, DependencyKind::Auto)
}

/// A `pg_constraint` row with what most constraints have.
pub(crate) fn base_row(oid: Oid, name: &str, table: &Relation, kind: Kind) -> Row {
    use pg_constraint::*;
    Row::new(RELATION)
        .with(OID, oid)
        .with(CONNAME, name)
        .with(CONNAMESPACE, table.namespace)
        .with(CONTYPE, kind.code())
        .with(CONDEFERRABLE, false)
        .with(CONDEFERRED, false)
        .with(CONENFORCED, true)
        .with(CONVALIDATED, true)
        .with(CONRELID, table.oid)
        .with(CONTYPID, Oid::INVALID)
        .with(CONINDID, Oid::INVALID)
        .with(CONPARENTID, Oid::INVALID)
        .with(CONFRELID, Oid::INVALID)
        .with(CONFUPDTYPE, b' ')
        .with(CONFDELTYPE, b' ')
        .with(CONFMATCHTYPE, b' ')
        .with(CONISLOCAL, true)
        .with(CONINHCOUNT, 0i16)
        .with(CONNOINHERIT, false)
        .with(CONPERIOD, false)
}

fn add_check(
    env: &Env<'_>,
    relation: &Relation,
    attribute: Option<i16>,
    constraint: &Constraint<'_>,
    expression: &Expression<'_>,
    new_table: bool,
) -> Result<()> {
    let (bump, session, source) = (env.bump, env.session, env.source);
    let context = StoredContext::Check;
    let expr =
        analyze_expression(bump, session, source, expression, Some(relation), context, None)?;
    let mut columns: Vec<i16> = Vec::new();
    analyze::walk::visit(expr, 0, &mut |part, depth| {
        if let analyze::tree::ExprKind::Column(used) = part.kind
            && used.levels_up == depth
            && used.attribute > 0
            && !columns.contains(&used.attribute)
        {
            columns.push(used.attribute);
        }
        true
    });
    // A check over one column is named for it.
    let only = match (columns.as_slice(), attribute) {
        ([only], _) => relation.column_at(*only),
        _ => None,
    };
    let name = match constraint.name {
        Some(name)
            if new_table
                && relation.constraints.iter().any(|c| c.kind == Kind::Check && c.name == name) =>
        {
            return Err(err!(DUPLICATE_OBJECT, "check constraint \"{name}\" already exists"));
        }
        Some(name) => free_name(relation, name)?,
        None => choose_name(env, relation, only.map(|c| c.name.as_str()), "check")?,
    };
    let stored = stored::encode_expression(expr);
    if !new_table
        && !constraint.not_valid
        && constraint.enforced
        && env.storage.violates(relation, &stored)?
    {
        return Err(violated(env, relation, &name)?);
    }
    let oid = env.catalog().new_oid(pg_constraint::RELATION)?;
    let row = base_row(oid, &name, relation, Kind::Check)
        .with(pg_constraint::CONVALIDATED, !constraint.not_valid && constraint.enforced)
        .with(pg_constraint::CONENFORCED, constraint.enforced)
        .with(pg_constraint::CONNOINHERIT, constraint.no_inherit)
        .with(pg_constraint::CONKEY, columns.clone())
        .with(pg_constraint::CONBIN, &stored);
    env.catalog().insert(&row)?;
    let object = object::constraint(oid);
    for column in &columns {
        depend::record(env, object, object::column(relation.oid, *column), DependencyKind::Auto)?;
    }
    if columns.is_empty() {
        depend::record(env, object, object::relation(relation.oid), DependencyKind::Auto)?;
    }
    depend::record_expression(env, object, expr, None)?;
    update_class(env, relation.oid, |row| {
        let checks = row.int2(pg_class::RELCHECKS)?;
        row.set(pg_class::RELCHECKS, checks + 1);
        Ok(())
    })
}

/// 23514 for rows that are there.
pub(crate) fn violated(env: &Env<'_>, relation: &Relation, name: &str) -> Result<Error> {
    let schema = env.catalog().namespace(relation.namespace)?;
    Ok(err!(
        CHECK_VIOLATION,
        "check constraint \"{name}\" of relation \"{}\" is violated by some row",
        relation.name
    )
    .schema(&*schema.name)
    .table(&relation.name)
    .constraint(name))
}

/// VALIDATE CONSTRAINT: looks at all rows, unless that was done.
pub(crate) fn validate(
    env: &Env<'_>,
    relation: &Relation,
    found: &catalog::relation::Constraint,
) -> Result<()> {
    if !matches!(found.kind, Kind::Check | Kind::Foreign | Kind::NotNull) {
        return Err(err!(
            WRONG_OBJECT_TYPE,
            "cannot validate constraint \"{}\" of relation \"{}\"",
            found.name,
            relation.name
        )
        .detail("This operation is not supported for this type of constraint."));
    }
    if !found.enforced {
        return Err(err!(WRONG_OBJECT_TYPE, "cannot validate NOT ENFORCED constraint"));
    }
    if found.validated {
        return Ok(());
    }
    if let Some(check) = &found.check
        && env.storage.violates(relation, check)?
    {
        return Err(violated(env, relation, &found.name)?);
    }
    if found.kind == Kind::NotNull
        && let Some(column) = found.columns.first().and_then(|a| relation.column_at(*a))
        && env.storage.has_null(relation, column.attribute)?
    {
        return Err(contains_null(&relation.name, &column.name));
    }
    if found.foreign.is_some() {
        env.storage.check_foreign_key(relation.oid, found.oid)?;
    }
    env.catalog()
        .update_rows(index::PG_CONSTRAINT_OID_INDEX, &[Value::Oid(found.oid)], |row| {
            row.set(pg_constraint::CONVALIDATED, true);
            Ok(())
        })
        .map(drop)
}

/// Refuses a name that another constraint of the table has.
pub(crate) fn free_name(relation: &Relation, name: &str) -> Result<String> {
    if relation.constraints.iter().any(|constraint| constraint.name == name) {
        return Err(err!(
            DUPLICATE_OBJECT,
            "constraint \"{name}\" for relation \"{}\" already exists",
            relation.name
        ));
    }
    Ok(name.to_string())
}

/// Chooses `table_columns_label`, with a number behind it when it is taken in the schema.
pub(crate) fn choose_name(
    env: &Env<'_>,
    relation: &Relation,
    columns: Option<&str>,
    label: &str,
) -> Result<String> {
    for number in 0u32.. {
        let label = if number == 0 { label.to_string() } else { format!("{label}{number}") };
        let name = object_name(&relation.name, columns, &label);
        let taken = !env
            .catalog()
            .find_rows(
                index::PG_CONSTRAINT_CONNAME_NSP_INDEX,
                &[Value::Text(name.clone()), Value::Oid(relation.namespace)],
            )?
            .is_empty();
        if !taken && env.catalog().relation_in(relation.namespace, &name)?.is_none() {
            return Ok(name);
        }
    }
    Err(Error::internal("no free name"))
}

/// `first_second_label`, with the longer of the two names cut until it fits.
pub(crate) fn object_name(first: &str, second: Option<&str>, label: &str) -> String {
    let available = base::limits::NAME_BYTES - 1 - label.len() - 1;
    let (mut a, mut b) = (first, second.unwrap_or_default());
    let extra = usize::from(second.is_some());
    while a.len() + b.len() + extra > available {
        let longer = if a.len() > b.len() { &mut a } else { &mut b };
        let cut = longer.char_indices().next_back().map_or(0, |(at, _)| at);
        *longer = &longer[..cut];
    }
    match second {
        Some(_) => format!("{a}_{b}_{label}"),
        None => format!("{a}_{label}"),
    }
}
