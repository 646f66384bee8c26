//! The texts of the queries behind foreign keys. Errors inside them show the text, as PostgreSQL's
//! do.

use crate::backend::Backend;
use base::{Error, Oid, Result};
use catalog::relation::{Column, Constraint, ForeignKey, Relation};
use std::fmt::Write;

/// What a query does for its foreign key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Query {
    /// Locks the key that a row refers to. `$1...`: the row's columns.
    LockKey,
    /// The same, asked with a key of the referenced table: is it there again?
    KeyIsBack,
    /// Looks for a row that refers to a key. `$1...`: the key.
    FindReferring,
    /// ON DELETE CASCADE.
    DeleteReferring,
    /// ON UPDATE CASCADE. `$1...`: the new key, then the old one.
    UpdateReferring,
    /// SET NULL; on DELETE its column list counts.
    SetNull { on_delete: bool },
    /// SET DEFAULT; on DELETE its column list counts.
    SetDefault { on_delete: bool },
}

/// A query and the types of its parameters.
pub(super) struct Text {
    pub(super) sql: String,
    pub(super) types: Vec<Oid>,
}

/// An identifier in quotes.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn columns<'r>(relation: &'r Relation, attributes: &[i16]) -> Result<Vec<&'r Column>> {
    let column = |attribute: &i16| {
        relation.column_at(*attribute).ok_or_else(|| Error::internal("a key without its column"))
    };
    attributes.iter().map(column).collect()
}

impl Backend {
    fn full_name(&self, relation: &Relation) -> Result<String> {
        let schema = self.catalog.namespace(relation.namespace)?;
        Ok(format!("{}.{}", quoted(&schema.name), quoted(&relation.name)))
    }

    pub(super) fn referential_text(
        &self,
        query: Query,
        table: &Relation,
        constraint: &Constraint,
        foreign: &ForeignKey,
    ) -> Result<Text> {
        let referenced = self.catalog.relation(foreign.table)?;
        let own = columns(table, &constraint.columns)?;
        let key = columns(&referenced, &foreign.columns)?;
        let types_of = |columns: &[&Column]| columns.iter().map(|c| c.type_oid).collect();
        let (own_name, key_name) = (self.full_name(table)?, self.full_name(&referenced)?);
        // `col = $n` for the referenced table, `$n = col` for the referencing one.
        let referenced_where =
            where_of(&key, |column, n| format!("{column} OPERATOR(pg_catalog.=) ${n}"));
        let referring_where = |first: usize| {
            where_of(&own, |column, n| format!("${} OPERATOR(pg_catalog.=) {column}", first + n))
        };
        let set = |value: &str, on_delete: bool| {
            let listed = |column: &&&Column| {
                !on_delete
                    || foreign.set_columns.is_empty()
                    || foreign.set_columns.contains(&column.attribute)
            };
            let names = own.iter().filter(listed);
            let parts: Vec<String> =
                names.map(|column| format!("{} = {value}", quoted(&column.name))).collect();
            parts.join(", ")
        };
        Ok(match query {
            Query::LockKey | Query::KeyIsBack => Text {
                sql: format!(
                    "SELECT 1 FROM ONLY {key_name} x WHERE {referenced_where} FOR KEY SHARE OF x"
                ),
                types: types_of(if query == Query::LockKey { &own } else { &key }),
            },
            Query::FindReferring => Text {
                sql: format!(
                    "SELECT 1 FROM ONLY {own_name} x WHERE {} FOR KEY SHARE OF x",
                    referring_where(0)
                ),
                types: types_of(&key),
            },
            Query::DeleteReferring => Text {
                sql: format!("DELETE FROM ONLY {own_name} WHERE {}", referring_where(0)),
                types: types_of(&key),
            },
            Query::UpdateReferring => {
                let parts: Vec<String> = own
                    .iter()
                    .enumerate()
                    .map(|(i, column)| format!("{} = ${}", quoted(&column.name), i + 1))
                    .collect();
                let mut types: Vec<Oid> = types_of(&key);
                types.extend(key.iter().map(|column| column.type_oid));
                Text {
                    sql: format!(
                        "UPDATE ONLY {own_name} SET {} WHERE {}",
                        parts.join(", "),
                        referring_where(own.len())
                    ),
                    types,
                }
            }
            Query::SetNull { on_delete } | Query::SetDefault { on_delete } => {
                let value = if matches!(query, Query::SetNull { .. }) { "NULL" } else { "DEFAULT" };
                Text {
                    sql: format!(
                        "UPDATE ONLY {own_name} SET {} WHERE {}",
                        set(value, on_delete),
                        referring_where(0)
                    ),
                    types: types_of(&key),
                }
            }
        })
    }

    /// A query for the first row of a table that does not meet a foreign key: its columns.
    pub(super) fn orphan_text(
        &self,
        table: &Relation,
        constraint: &Constraint,
        foreign: &ForeignKey,
    ) -> Result<String> {
        let referenced = self.catalog.relation(foreign.table)?;
        let own = columns(table, &constraint.columns)?;
        let key = columns(&referenced, &foreign.columns)?;
        let full = foreign.match_kind == catalog::rows::ForeignMatch::Full;
        let (mut list, mut on, mut some) = (String::new(), String::new(), String::new());
        for (i, (own, key)) in own.iter().zip(&key).enumerate() {
            let (own, key) = (quoted(&own.name), quoted(&key.name));
            let (comma, and) = if i == 0 { ("", "") } else { (", ", " AND ") };
            let joined = if i == 0 {
                ""
            } else if full {
                " OR "
            } else {
                " AND "
            };
            let _ = write!(list, "{comma}fk.{own}");
            let _ = write!(on, "{and}pk.{key} OPERATOR(pg_catalog.=) fk.{own}");
            let _ = write!(some, "{joined}fk.{own} IS NOT NULL");
        }
        let first = key.first().map(|column| quoted(&column.name)).unwrap_or_default();
        Ok(format!(
            "SELECT {list} FROM ONLY {} fk LEFT OUTER JOIN ONLY {} pk ON ({on}) \
             WHERE pk.{first} IS NULL AND ({some})",
            self.full_name(table)?,
            self.full_name(&referenced)?
        ))
    }
}

fn where_of(columns: &[&Column], condition: impl Fn(String, usize) -> String) -> String {
    let parts: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| condition(quoted(&column.name), i + 1))
        .collect();
    parts.join(" AND ")
}
