//! How much space things take, and where they are.

use crate::rows::Cell;
use crate::shim::{catalog, in_sql, raw, set};
use base::{Oid, Result, err};
use catalog::Catalog;
use catalog::columns::{index, pg_database, pg_tablespace};
use catalog::relation::Relation;
use catalog::store::Value;
use expr::{Call, Datum, Entry};
use std::sync::Arc;

const DEFAULT_TABLESPACE: Oid = Oid(1663);
const GLOBAL_TABLESPACE: Oid = Oid(1664);

/// The file of a relation or an index, 0 if it has none; `None` if there is no such relation.
fn file(catalog: &Catalog, oid: Oid) -> Result<Option<u64>> {
    if catalog.table_of_index(oid)?.is_some() {
        return Ok(Some(catalog.index(oid)?.file.0));
    }
    Ok(catalog.find_relation(oid)?.map(|relation| relation.file.0))
}

fn bytes(cx: &Call<'_, '_>, file: u64) -> Result<i64> {
    let bytes = cx.host.server()?.file_bytes(file)?;
    Ok(i64::try_from(bytes).unwrap_or(i64::MAX))
}

/// The size of a relation's file; NULL if there is no such relation.
fn relation_size<'m>(cx: &Call<'_, 'm>, oid: Oid) -> Result<Datum<'m>> {
    match file(catalog(cx)?, oid)? {
        Some(file) => bytes(cx, file).map(Datum::Int8),
        None => Ok(Datum::Null),
    }
}

fn fork_size<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let oid = Oid(args[0].oid()?);
    match args[1].text()? {
        "main" => relation_size(cx, oid),
        // A file has its free space and its visibility in its pages.
        "fsm" | "vm" | "init" => match file(catalog(cx)?, oid)? {
            Some(_) => Ok(Datum::Int8(0)),
            None => Ok(Datum::Null),
        },
        _ => Err(err!(INVALID_PARAMETER_VALUE, "invalid fork name")
            .hint("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\".")),
    }
}

fn indexes(cx: &Call<'_, '_>, relation: &Arc<Relation>) -> Result<i64> {
    relation.indexes.iter().try_fold(0, |sum, index| Ok(sum + bytes(cx, index.file.0)?))
}

/// All relations of a database that have files, together.
fn database_size<'m>(cx: &Call<'_, 'm>, oid: Oid) -> Result<Datum<'m>> {
    let bytes = cx.host.server()?.database_bytes(oid)?;
    Ok(Datum::Int8(i64::try_from(bytes).unwrap_or(i64::MAX)))
}

/// The files of a tablespace: those of all databases, or the shared ones.
fn tablespace_size<'m>(cx: &Call<'_, 'm>, oid: Oid) -> Result<Datum<'m>> {
    let catalog = catalog(cx)?;
    if tablespace(catalog, oid)?.is_none() {
        return Err(err!(UNDEFINED_OBJECT, "tablespace with OID {oid} does not exist"));
    }
    let server = cx.host.server()?;
    let mut sum = 0u64;
    match oid {
        DEFAULT_TABLESPACE => {
            for (_, row) in catalog.all_rows(pg_database::RELATION)? {
                sum = sum.saturating_add(server.database_bytes(row.oid(pg_database::OID)?)?);
            }
        }
        GLOBAL_TABLESPACE => sum = server.database_bytes(Oid::INVALID)?,
        _ => {}
    }
    Ok(Datum::Int8(i64::try_from(sum).unwrap_or(i64::MAX)))
}

fn tablespace(catalog: &Catalog, oid: Oid) -> Result<Option<String>> {
    let found = catalog.find_rows(index::PG_TABLESPACE_OID_INDEX, &[Value::Oid(oid)])?;
    found.first().map(|(_, row)| row.text(pg_tablespace::SPCNAME)).transpose()
}

/// The bytes of a value as it is stored.
fn column_size(value: &Datum<'_>) -> i32 {
    let bytes = match value {
        Datum::Bool(_) | Datum::Char(_) => 1,
        Datum::Int2(_) => 2,
        Datum::Int4(_) | Datum::Oid(_) | Datum::Float4(_) => 4,
        Datum::Fixed16(_) => 16,
        // PostgreSQL's header: one byte up to 126 of the value's own, four above.
        Datum::Text(text) => text.len() + if text.len() <= 126 { 1 } else { 4 },
        Datum::Bytes(bytes) => bytes.len() + if bytes.len() <= 126 { 1 } else { 4 },
        _ => 8,
    };
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

/// The extensions that can be made: those that are there.
fn extensions() -> Vec<Vec<Cell>> {
    let comment = "PL/pgSQL procedural language".to_owned();
    vec![vec![Cell::Text("plpgsql".to_owned()), Cell::Text("1.0".to_owned()), Cell::Text(comment)]]
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("pg_relation_size", fork_size),
    in_sql!("pg_relation_size(regclass)", 2325, |cx, args| {
        relation_size(cx, Oid(args[0].oid()?))
    }),
    raw!("pg_table_size", |cx, args| relation_size(cx, Oid(args[0].oid()?))),
    raw!("pg_indexes_size", |cx, args| {
        let catalog = catalog(cx)?;
        let oid = Oid(args[0].oid()?);
        if catalog.table_of_index(oid)?.is_some() {
            return Ok(Datum::Int8(0));
        }
        match catalog.find_relation(oid)? {
            Some(relation) => indexes(cx, &relation).map(Datum::Int8),
            None => Ok(Datum::Null),
        }
    }),
    raw!("pg_total_relation_size", |cx, args| {
        let catalog = catalog(cx)?;
        let oid = Oid(args[0].oid()?);
        if catalog.table_of_index(oid)?.is_some() {
            return relation_size(cx, oid);
        }
        match catalog.find_relation(oid)? {
            Some(relation) => {
                Ok(Datum::Int8(bytes(cx, relation.file.0)? + indexes(cx, &relation)?))
            }
            None => Ok(Datum::Null),
        }
    }),
    raw!("pg_database_size_oid", |cx, args| database_size(cx, Oid(args[0].oid()?))),
    raw!("pg_database_size_name", |cx, args| {
        let name = args[0].text()?;
        match catalog(cx)?.database_named(name)? {
            Some(row) => database_size(cx, row.oid),
            None => Err(err!(UNDEFINED_DATABASE, "database \"{name}\" does not exist")),
        }
    }),
    raw!("pg_tablespace_size_oid", |cx, args| tablespace_size(cx, Oid(args[0].oid()?))),
    raw!("pg_tablespace_size_name", |cx, args| {
        let name = args[0].text()?;
        let key = [Value::Text(name.to_owned())];
        let found = catalog(cx)?.find_rows(index::PG_TABLESPACE_SPCNAME_INDEX, &key)?;
        match found.first() {
            Some((_, row)) => tablespace_size(cx, row.oid(pg_tablespace::OID)?),
            None => Err(err!(UNDEFINED_OBJECT, "tablespace \"{name}\" does not exist")),
        }
    }),
    raw!("pg_tablespace_location", |cx, args| {
        let oid = Oid(args[0].oid()?);
        match tablespace(catalog(cx)?, oid)? {
            Some(_) => Ok(Datum::Text("")),
            None if !oid.is_valid() => Ok(Datum::Text("")),
            None => Err(err!(UNDEFINED_OBJECT, "tablespace with OID {oid} does not exist")),
        }
    }),
    raw!("pg_relation_filepath", |cx, args| {
        match file(catalog(cx)?, Oid(args[0].oid()?))? {
            Some(file) if file != 0 => cx.format(format_args!("base/{file}")),
            _ => Ok(Datum::Null),
        }
    }),
    set!("pg_tablespace_databases", |cx, args| {
        let catalog = catalog(cx)?;
        let oid = Oid(args[0].oid()?);
        let mut rows = Vec::new();
        if oid == DEFAULT_TABLESPACE {
            for (_, row) in catalog.all_rows(pg_database::RELATION)? {
                rows.push(vec![Cell::Oid(row.oid(pg_database::OID)?)]);
            }
        } else if oid != GLOBAL_TABLESPACE && tablespace(catalog, oid)?.is_none() {
            return Err(err!(UNDEFINED_OBJECT, "tablespace with OID {oid} does not exist"));
        }
        rows
    }),
    raw!("pg_column_size", |cx, args| {
        Ok(if args[0].is_null() { Datum::Null } else { Datum::Int4(column_size(&args[0])) })
    }),
    raw!("pg_column_compression", |cx, args| Ok(Datum::Null)),
    set!("pg_available_extensions", |cx, args| extensions()),
];
