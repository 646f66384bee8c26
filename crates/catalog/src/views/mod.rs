//! The queries of the system views.
//!
//! # How it works
//! `pg_catalog.sql` and `information_schema.sql` hold the queries, each with the columns that it
//! gives. Names and types of a view's columns are facts; [`query`] puts a cast around every
//! column, and NULL where a query gives none. A view without a query is empty.
//!
//! # Rules
//! 1. The text is analysed with `pg_catalog` as search path, as the system's own.
//! 2. A view has exactly the columns of PostgreSQL 18, in order, name and type.

use crate::builtin::{self, SystemRelation};
use crate::names::quote_identifier;
use crate::rows::RelationKind;
use base::Oid;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::OnceLock;

/// What stands in the files.
struct Definition {
    columns: Vec<&'static str>,
    query: &'static str,
}

type Definitions = HashMap<(&'static str, &'static str), Definition>;

fn definitions() -> &'static Definitions {
    static DEFINITIONS: OnceLock<Definitions> = OnceLock::new();
    DEFINITIONS.get_or_init(|| {
        let mut all = Definitions::new();
        read("pg_catalog", include_str!("pg_catalog.sql"), &mut all);
        read("information_schema", include_str!("information_schema.sql"), &mut all);
        all
    })
}

/// Reads `view name (columns) query;` after an empty line each.
fn read(schema: &'static str, text: &'static str, all: &mut Definitions) {
    for part in text.split("\n\nview ").skip(1) {
        let parsed = part.split_once(" (").and_then(|(name, rest)| {
            let (columns, query) = rest.split_once(")\n")?;
            Some((name, columns, query.trim_end().strip_suffix(';')?))
        });
        let Some((name, columns, query)) = parsed else {
            panic!("{schema}: not a view: {part}");
        };
        let columns = columns.split(", ").collect();
        all.insert((schema, name), Definition { columns, query });
    }
}

/// A type as its name with the schema, which needs no search path.
fn type_text(oid: Oid) -> String {
    let Some(row) = builtin::type_by_oid(oid) else { return "text".to_string() };
    let schema = builtin::namespace_by_oid(row.namespace).map_or("pg_catalog", |n| &n.name);
    format!("{schema}.{}", quote_identifier(&row.name))
}

fn build(view: &SystemRelation, schema: &str) -> String {
    let definition = definitions().get(&(schema, view.name));
    let mut sql = String::from("SELECT ");
    for (at, column) in view.columns.iter().enumerate() {
        let name = quote_identifier(column.name);
        let given = definition.is_some_and(|d| d.columns.contains(&column.name));
        let value = if given { format!("q.{name}") } else { "NULL".to_string() };
        let comma = if at > 0 { ", " } else { "" };
        let _ = write!(sql, "{comma}{value}::{} AS {name}", type_text(column.type_oid));
    }
    match definition {
        Some(definition) => {
            let columns: Vec<String> =
                definition.columns.iter().map(|name| quote_identifier(name)).collect();
            let _ = write!(sql, " FROM ({}) AS q({})", definition.query, columns.join(", "));
        }
        None => sql.push_str(" WHERE false"),
    }
    sql
}

/// The query of a system view; `None` for what is no system view.
pub fn query(namespace: Oid, name: &str) -> Option<&'static str> {
    static QUERIES: OnceLock<HashMap<Oid, String>> = OnceLock::new();
    let queries = QUERIES.get_or_init(|| {
        let views = builtin::relations().iter().filter(|r| r.kind == RelationKind::View);
        let schema = |view: &SystemRelation| {
            builtin::namespace_by_oid(view.namespace).map_or("", |namespace| &namespace.name)
        };
        views.map(|view| (view.oid, build(view, schema(view)))).collect()
    });
    let view = builtin::relation_by_name(namespace, name)?;
    queries.get(&view.oid).map(String::as_str)
}

/// The views that have a query of their own: schema, name, and the columns that it gives.
pub fn defined() -> impl Iterator<Item = (&'static str, &'static str, &'static [&'static str])> {
    definitions().iter().map(|((schema, name), found)| (*schema, *name, found.columns.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_of_a_view_and_its_columns() {
        for ((schema, name), definition) in definitions() {
            let namespace = builtin::namespaces_by_name(schema).next().unwrap().oid;
            let view = builtin::relation_by_name(namespace, name);
            let view = view.unwrap_or_else(|| panic!("there is no view {schema}.{name}"));
            for column in &definition.columns {
                let known = view.columns.iter().any(|known| known.name == *column);
                assert!(known, "{name} has no column {column}");
            }
        }
    }

    #[test]
    fn every_system_view_has_a_query() {
        let views = builtin::relations().iter().filter(|r| r.kind == RelationKind::View);
        let mut count = 0;
        for view in views {
            assert!(query(view.namespace, view.name).is_some(), "{}", view.name);
            count += 1;
        }
        assert_eq!(count, 145);
    }
}
