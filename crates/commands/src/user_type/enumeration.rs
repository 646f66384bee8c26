//! CREATE TYPE ... AS ENUM, ALTER TYPE ... ADD VALUE and RENAME VALUE.

use super::{find_owned, insert, place, split};
use crate::Env;
use crate::relation_rows::{insert_array_type, type_row};
use base::{Error, Oid, Result, err};
use catalog::columns::{index, pg_enum, pg_type};
use catalog::rows::{EnumLabel, TypeKind};
use catalog::store::{Row, Value};
use parse::{AlterEnumStmt, CreateEnumStmt};

/// How far apart the OIDs of labels are at first, so that others find room between them.
const GAP: u32 = 1024;
/// The least OID of a label.
const LABELS_FIRST: u32 = 1 << 20;

/// The functions enum_in, enum_out, enum_recv, enum_send.
const FUNCTIONS: [Oid; 4] = [Oid(3506), Oid(3507), Oid(3532), Oid(3533)];

fn check_label(label: &str) -> Result<()> {
    if label.len() < base::limits::NAME_BYTES {
        return Ok(());
    }
    Err(err!(INVALID_NAME, "invalid enum label \"{label}\"")
        .detail(format!("Labels must be {} bytes or less.", base::limits::NAME_BYTES - 1)))
}

/// Runs CREATE TYPE ... AS ENUM.
pub(crate) fn create(env: &Env<'_>, create: &CreateEnumStmt<'_>) -> Result<()> {
    let namespace = place(env, create.name)?;
    let (_, name) = split(create.name);
    let catalog = env.catalog();
    let (oid, array) = (catalog.new_oid(pg_type::RELATION)?, catalog.new_oid(pg_type::RELATION)?);
    let [input, output, receive, send] = FUNCTIONS;
    let row = type_row(env, oid, name, namespace)
        .with(pg_type::TYPLEN, 4i16)
        .with(pg_type::TYPBYVAL, true)
        .with(pg_type::TYPTYPE, TypeKind::Enum.code())
        .with(pg_type::TYPCATEGORY, b'E')
        .with(pg_type::TYPARRAY, array)
        .with(pg_type::TYPALIGN, b'i')
        .with(pg_type::TYPSTORAGE, b'p')
        .with(pg_type::TYPINPUT, input)
        .with(pg_type::TYPOUTPUT, output)
        .with(pg_type::TYPRECEIVE, receive)
        .with(pg_type::TYPSEND, send);
    insert(env, &row)?;
    catalog.note_new_enum(oid);
    for label in create.labels {
        check_label(label)?;
    }
    let seed = catalog.new_oid(pg_type::RELATION)?;
    let span = u32::MAX - LABELS_FIRST;
    let mut next = LABELS_FIRST + seed.0.wrapping_mul(GAP * 64) % (span / 2) + GAP / 2;
    for (label, order) in create.labels.iter().zip(1u16..) {
        let chosen = free_oid(env, next, u32::MAX)?;
        insert_label(env, oid, chosen, f32::from(order), label)?;
        next = chosen.0.saturating_add(GAP);
    }
    insert_array_type(env, array, oid, name, namespace, b'i', Oid::INVALID)
}

/// The first free OID of a label from `first` on, below `end`.
fn free_oid(env: &Env<'_>, first: u32, end: u32) -> Result<Oid> {
    for oid in first..end {
        let key = [Value::Oid(Oid(oid))];
        if env.catalog().find_rows(index::PG_ENUM_OID_INDEX, &key)?.is_empty() {
            return Ok(Oid(oid));
        }
    }
    Err(Error::unsupported(
        "a label between two others that leave no room for it is not supported yet",
    ))
}

/// Gives the labels the places 1, 2, 3, ...
fn renumber(env: &Env<'_>, labels: &[EnumLabel]) -> Result<()> {
    for (label, place) in labels.iter().zip(1u16..) {
        env.catalog().update_rows(index::PG_ENUM_OID_INDEX, &[Value::Oid(label.oid)], |row| {
            row.set(pg_enum::ENUMSORTORDER, f32::from(place));
            Ok(())
        })?;
    }
    env.catalog().next_command()?;
    Ok(())
}

fn insert_label(env: &Env<'_>, ty: Oid, oid: Oid, order: f32, label: &str) -> Result<()> {
    let row = Row::new(pg_enum::RELATION)
        .with(pg_enum::OID, oid)
        .with(pg_enum::ENUMTYPID, ty)
        .with(pg_enum::ENUMSORTORDER, order)
        .with(pg_enum::ENUMLABEL, label);
    env.catalog().insert(&row).map(drop)
}

/// Runs ALTER TYPE ... ADD VALUE and RENAME VALUE.
pub(crate) fn alter(env: &Env<'_>, alter: &AlterEnumStmt<'_>) -> Result<()> {
    let found = find_owned(env, alter.name)?;
    if found.kind != TypeKind::Enum {
        let shown = analyze::names::format_type(env.catalog(), found.oid, -1)?;
        return Err(err!(WRONG_OBJECT_TYPE, "{shown} is not an enum"));
    }
    let labels = env.catalog().enum_labels(found.oid)?;
    let new = alter.new_label.unwrap_or_default();
    match alter.old_label {
        Some(old) => rename(env, &labels, old, new),
        None => add(env, found.oid, &labels, alter, new),
    }
}

fn rename(env: &Env<'_>, labels: &[EnumLabel], old: &str, new: &str) -> Result<()> {
    check_label(new)?;
    let found = labels
        .iter()
        .find(|label| &*label.label == old)
        .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "\"{old}\" is not an existing enum label"))?;
    if labels.iter().any(|label| &*label.label == new) {
        return Err(err!(DUPLICATE_OBJECT, "enum label \"{new}\" already exists"));
    }
    let key = [Value::Oid(found.oid)];
    env.catalog()
        .update_rows(index::PG_ENUM_OID_INDEX, &key, |row| {
            row.set(pg_enum::ENUMLABEL, new);
            Ok(())
        })
        .map(drop)
}

fn add(
    env: &Env<'_>,
    ty: Oid,
    labels: &[EnumLabel],
    alter: &AlterEnumStmt<'_>,
    new: &str,
) -> Result<()> {
    check_label(new)?;
    if labels.iter().any(|label| &*label.label == new) {
        if alter.if_not_exists {
            env.notice(format!("enum label \"{new}\" already exists, skipping"));
            return Ok(());
        }
        return Err(err!(DUPLICATE_OBJECT, "enum label \"{new}\" already exists"));
    }
    let at = match alter.neighbor {
        None => labels.len(),
        Some(neighbor) => {
            let at =
                labels.iter().position(|label| &*label.label == neighbor).ok_or_else(|| {
                    err!(INVALID_PARAMETER_VALUE, "\"{neighbor}\" is not an existing enum label")
                })?;
            at + usize::from(alter.after)
        }
    };
    let before = at.checked_sub(1).and_then(|at| labels.get(at));
    let (oid, order) = match (before, labels.get(at)) {
        (None, None) => (free_oid(env, LABELS_FIRST + GAP / 2 + ty.0 % GAP, u32::MAX)?, 1.0),
        (Some(last), None) => {
            (free_oid(env, last.oid.0.saturating_add(GAP), u32::MAX)?, last.sort_order + 1.0)
        }
        (None, Some(first)) => {
            let low = first.oid.0.saturating_sub(GAP).max(LABELS_FIRST);
            (free_oid(env, low, first.oid.0)?, first.sort_order - 1.0)
        }
        (Some(low), Some(high)) => {
            let order = f32::midpoint(low.sort_order, high.sort_order);
            if order == low.sort_order || order == high.sort_order {
                renumber(env, labels)?;
                let labels = env.catalog().enum_labels(ty)?;
                return add(env, ty, &labels, alter, new);
            }
            // Labels are often put before or after the same one again and again: the room is left
            // on its side.
            let part = (high.oid.0 - low.oid.0) / 16;
            let first = if alter.after { high.oid.0 - part - 1 } else { low.oid.0 + part };
            (free_oid(env, first.max(low.oid.0 + 1), high.oid.0)?, order)
        }
    };
    env.catalog().note_new_label(ty, oid);
    insert_label(env, ty, oid, order, new)
}
