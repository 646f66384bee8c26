//! STORAGE and COMPRESSION of columns. The catalogs remember them; how rows are stored does not
//! depend on them.

use super::alter::require_kind;
use super::constraint::no_column;
use crate::Env;
use crate::relation_rows::update_column;
use base::{Result, err};
use catalog::columns::pg_attribute;
use catalog::relation::{Column, Relation};
use catalog::rows::{RelationKind, Type};

const KINDS: [RelationKind; 3] =
    [RelationKind::Table, RelationKind::PartitionedTable, RelationKind::MaterializedView];

fn refused(env: &Env<'_>, ty: &Type, what: &str) -> base::Error {
    match analyze::names::format_type(env.catalog(), ty.oid, -1) {
        Ok(shown) => err!(FEATURE_NOT_SUPPORTED, "column data type {shown} {what}"),
        Err(error) => error,
    }
}

/// The code of a storage's name for a type.
///
/// # Errors
/// 22023 for an unknown one; 0A000 for one that values of the type cannot have.
pub(super) fn storage_of(env: &Env<'_>, name: &str, ty: &Type) -> Result<u8> {
    let code = match name.to_ascii_lowercase().as_str() {
        "plain" => b'p',
        "external" => b'e',
        "extended" => b'x',
        "main" => b'm',
        "default" => ty.storage,
        _ => return Err(err!(INVALID_PARAMETER_VALUE, "invalid storage type \"{name}\"")),
    };
    if code != b'p' && ty.storage == b'p' {
        return Err(refused(env, ty, "can only have storage PLAIN"));
    }
    Ok(code)
}

/// The code of a compression's name for a type; 0 is the default.
///
/// # Errors
/// 0A000 for a type whose values are never compressed; 22023 for an unknown name.
pub(super) fn compression_of(env: &Env<'_>, name: &str, ty: &Type) -> Result<u8> {
    match name {
        "default" => Ok(0),
        _ if ty.storage == b'p' => Err(refused(env, ty, "does not support compression")),
        "pglz" => Ok(b'p'),
        "lz4" => Ok(b'l'),
        _ => Err(err!(INVALID_PARAMETER_VALUE, "invalid compression method \"{name}\"")),
    }
}

fn column<'r>(relation: &'r Relation, name: &str) -> Result<&'r Column> {
    if super::is_system_name(name) {
        return Err(err!(FEATURE_NOT_SUPPORTED, "cannot alter system column \"{name}\""));
    }
    relation.column(name).ok_or_else(|| no_column(name, &relation.name))
}

/// ALTER COLUMN SET STORAGE: the columns of indexes follow.
pub(super) fn set(env: &Env<'_>, relation: &Relation, name: &str, storage: &str) -> Result<()> {
    require_kind(relation, &KINDS, "ALTER COLUMN ... SET STORAGE")?;
    let column = column(relation, name)?;
    let code = storage_of(env, storage, &*env.catalog().type_(column.type_oid)?)?;
    let set = |relation, attribute| {
        update_column(env, relation, attribute, |row| {
            row.set(pg_attribute::ATTSTORAGE, code);
            Ok(())
        })
    };
    set(relation.oid, column.attribute)?;
    for index in &relation.indexes {
        for (key, number) in index.keys.iter().zip(1i16..) {
            if key.attribute == column.attribute {
                set(index.oid, number)?;
            }
        }
    }
    Ok(())
}

/// ALTER COLUMN SET COMPRESSION.
pub(super) fn set_compression(
    env: &Env<'_>,
    relation: &Relation,
    name: &str,
    method: &str,
) -> Result<()> {
    require_kind(relation, &KINDS, "ALTER COLUMN ... SET COMPRESSION")?;
    let column = column(relation, name)?;
    let code = compression_of(env, method, &*env.catalog().type_(column.type_oid)?)?;
    update_column(env, relation.oid, column.attribute, |row| {
        row.set(pg_attribute::ATTCOMPRESSION, code);
        Ok(())
    })
}
