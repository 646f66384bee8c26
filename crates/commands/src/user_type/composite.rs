//! CREATE TYPE ... AS (...).

use super::place;
use crate::Env;
use crate::relation_rows::{self, NewColumn, NewRelation};
use crate::table::column;
use crate::table::create::check_columns;
use base::{FileId, Oid, Result};
use catalog::columns::pg_class;
use catalog::rows::{Persistence, RelationKind};
use parse::CompositeTypeStmt;

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
