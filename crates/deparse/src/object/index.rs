//! Indexes.

use crate::expression::looks_like_function;
use crate::printer::{Printer, Style};
use analyze::Environment;
use base::{Oid, Result};
use catalog::names::qualified;
use catalog::quote_identifier;
use catalog::relation::{Index, IndexKey, Relation};
use memory::Bump;

/// `pg_get_indexdef`
pub(super) fn definition(
    env: &dyn Environment,
    bump: &Bump,
    oid: Oid,
    column: i32,
    style: Style,
) -> Result<Option<String>> {
    let catalog = env.catalog();
    if catalog.table_of_index(oid)?.is_none() {
        return Ok(None);
    }
    let index = catalog.index(oid)?;
    let table = catalog.relation(index.table)?;
    if column != 0 {
        return one_column(env, bump, &index, &table, column, style).map(Some);
    }
    let table_name = if style.short_names {
        catalog.relation_text(table.oid)?.unwrap_or_default()
    } else {
        qualified(&catalog.namespace(table.namespace)?.name, &table.name)
    };
    let text = format!(
        "CREATE {}INDEX {} ON {table_name} USING {} ({}",
        if index.unique { "UNIQUE " } else { "" },
        quote_identifier(&index.name),
        method(index.method),
        columns(env, bump, &index, &table, &[], style)?,
    );
    finish(env, bump, text, &index, style, false).map(Some)
}

/// The definition of an exclusion constraint.
pub(super) fn exclusion(
    env: &dyn Environment,
    bump: &Bump,
    oid: Oid,
    operators: &[Oid],
    style: Style,
) -> Result<String> {
    let index = env.catalog().index(oid)?;
    let table = env.catalog().relation(index.table)?;
    let text = format!(
        "EXCLUDE USING {} ({}",
        method(index.method),
        columns(env, bump, &index, &table, operators, style)?,
    );
    finish(env, bump, text, &index, style, true)
}

fn method(oid: Oid) -> String {
    catalog::builtin::access_method_by_oid(oid)
        .map_or_else(String::new, |method| quote_identifier(&method.name))
}

fn included(table: &Relation, attribute: i16) -> String {
    table.column_at(attribute).map(|column| quote_identifier(&column.name)).unwrap_or_default()
}

/// What is behind the keys.
fn finish(
    env: &dyn Environment,
    bump: &Bump,
    mut text: String,
    index: &Index,
    style: Style,
    constraint: bool,
) -> Result<String> {
    text.push(')');
    text.push_str(if index.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" });
    if !index.options.is_empty() {
        let option = |option: &String| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            format!("{}={}", quote_identifier(name), option_value(value))
        };
        let options: Vec<String> = index.options.iter().map(option).collect();
        text.push_str(&format!(" WITH ({})", options.join(", ")));
    }
    if let Some(predicate) = &index.predicate {
        let shown = super::expression(env, bump, predicate, index.table, style)?;
        text.push_str(&if constraint {
            format!(" WHERE ({shown})")
        } else {
            format!(" WHERE {shown}")
        });
    }
    Ok(text)
}

/// A value stands as it is where it can be read as a name.
fn option_value(value: &str) -> String {
    if quote_identifier(value) == value {
        return value.to_owned();
    }
    crate::printer::literal(value)
}

fn columns(
    env: &dyn Environment,
    bump: &Bump,
    index: &Index,
    table: &Relation,
    exclusion: &[Oid],
    style: Style,
) -> Result<String> {
    let mut list = Vec::new();
    for (at, key) in index.keys.iter().enumerate() {
        let (mut text, type_oid, collation) = key_text(env, bump, table, key, style)?;
        if key.collation.is_valid() && key.collation != collation {
            let name = Printer::new(env, style).collation_name(key.collation)?;
            text.push_str(&format!(" COLLATE {name}"));
        }
        text.push_str(&class_name(env, index.method, key.class, type_oid)?);
        text.push_str(match (key.descending, key.nulls_first) {
            (true, true) => " DESC",
            (true, false) => " DESC NULLS LAST",
            (false, true) => " NULLS FIRST",
            (false, false) => "",
        });
        if let Some(operator) = exclusion.get(at) {
            let name = Printer::new(env, style).operator_name(*operator)?;
            text.push_str(&format!(" WITH {name}"));
        }
        list.push(text);
    }
    let mut text = list.join(", ");
    if !index.included.is_empty() {
        let names: Vec<String> =
            index.included.iter().map(|attribute| included(table, *attribute)).collect();
        text.push_str(&format!(") INCLUDE ({}", names.join(", ")));
    }
    Ok(text)
}

fn one_column(
    env: &dyn Environment,
    bump: &Bump,
    index: &Index,
    table: &Relation,
    column: i32,
    style: Style,
) -> Result<String> {
    let Some(at) = usize::try_from(column - 1).ok() else { return Ok(String::new()) };
    if let Some(key) = index.keys.get(at) {
        return Ok(key_text(env, bump, table, key, style)?.0);
    }
    let attribute = at.checked_sub(index.keys.len()).and_then(|at| index.included.get(at));
    Ok(attribute.map(|attribute| included(table, *attribute)).unwrap_or_default())
}

/// A key with the type and the collation that it has by itself.
fn key_text(
    env: &dyn Environment,
    bump: &Bump,
    table: &Relation,
    key: &IndexKey,
    style: Style,
) -> Result<(String, Oid, Oid)> {
    if let Some(column) = table.column_at(key.attribute) {
        return Ok((quote_identifier(&column.name), column.type_oid, column.collation));
    }
    let Some(stored) = &key.expression else {
        return Ok((String::new(), key.type_oid, key.collation));
    };
    let expr = analyze::analyze_stored(bump, env, stored)?;
    let mut text = super::print_expression(env, expr, table.oid, style)?;
    if !looks_like_function(expr) {
        text = format!("({text})");
    }
    Ok((text, expr.ty.oid, expr.ty.collation))
}

/// The operator class, unless it is the default of the type.
fn class_name(env: &dyn Environment, method: Oid, class: Oid, type_oid: Oid) -> Result<String> {
    let catalog = env.catalog();
    let default = catalog.opclass_for(method, type_oid)?;
    if default.is_some_and(|default| default.oid == class) {
        return Ok(String::new());
    }
    let row = catalog.opclass(class)?;
    let found = catalog.opclass_named(row.method, None, &row.name)?;
    Ok(if found.is_some_and(|found| found.oid == class) {
        format!(" {}", quote_identifier(&row.name))
    } else {
        format!(" {}", qualified(&catalog.namespace(row.namespace)?.name, &row.name))
    })
}
