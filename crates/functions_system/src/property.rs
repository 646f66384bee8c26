//! Properties of indexes and access methods, and the place of partitions.

use crate::rows::Cell;
use crate::shim::{catalog, raw, set};
use base::{Oid, Result};
use catalog::Catalog;
use catalog::rows::RelationKind;
use expr::{Call, Datum, Entry};

const BTREE: Oid = Oid(403);

fn yes_no<'m>(value: Option<bool>) -> Datum<'m> {
    value.map_or(Datum::Null, Datum::Bool)
}

/// What an access method can; only that of B-trees is known.
fn of_method(method: Oid, property: &str) -> Option<bool> {
    if method != BTREE {
        return None;
    }
    match property {
        "can_order" | "can_unique" | "can_multi_col" | "can_exclude" | "can_include" => Some(true),
        _ => None,
    }
}

fn of_index(method: Oid, property: &str) -> Option<bool> {
    if method != BTREE {
        return None;
    }
    match property {
        "clusterable" | "index_scan" | "bitmap_scan" | "backward_scan" => Some(true),
        _ => None,
    }
}

/// A property of a column of an index; columns of INCLUDE have no order.
fn of_column(catalog: &Catalog, oid: Oid, column: i32, property: &str) -> Result<Option<bool>> {
    if catalog.table_of_index(oid)?.is_none() {
        return Ok(None);
    }
    let index = catalog.index(oid)?;
    let Some(at) = usize::try_from(column - 1).ok() else { return Ok(None) };
    let Some(key) = index.keys.get(at) else {
        let included = at < index.keys.len() + index.included.len();
        return Ok(match property {
            "orderable" | "distance_orderable" if included => Some(false),
            "returnable" if included => Some(true),
            _ => None,
        });
    };
    if index.method != BTREE {
        return Ok(None);
    }
    Ok(match property {
        "asc" => Some(!key.descending),
        "desc" => Some(key.descending),
        "nulls_first" => Some(key.nulls_first),
        "nulls_last" => Some(!key.nulls_first),
        "orderable" | "search_array" | "search_nulls" | "returnable" => Some(true),
        "distance_orderable" => Some(false),
        _ => None,
    })
}

fn method_of_index(catalog: &Catalog, oid: Oid) -> Result<Option<Oid>> {
    match catalog.table_of_index(oid)? {
        Some(_) => Ok(Some(catalog.index(oid)?.method)),
        None => Ok(None),
    }
}

/// The parents of a partition, itself first; empty for what is no part of a partitioned table.
fn ancestors(catalog: &Catalog, oid: Oid) -> Result<Vec<Oid>> {
    let mut found = Vec::new();
    let mut next = Some(oid);
    while let Some(oid) = next {
        let Some(relation) = catalog.find_relation(oid)? else { break };
        if !relation.is_partition && relation.kind != RelationKind::PartitionedTable {
            break;
        }
        found.push(oid);
        next = relation.parents.first().copied().filter(|_| relation.is_partition);
    }
    Ok(found)
}

fn root<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let found = ancestors(catalog(cx)?, Oid(args[0].oid()?))?;
    Ok(found.last().map_or(Datum::Null, |oid| Datum::Oid(oid.0)))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("pg_indexam_has_property", |cx, args| {
        let property = args[1].text()?.to_ascii_lowercase();
        Ok(yes_no(of_method(Oid(args[0].oid()?), &property)))
    }),
    raw!("pg_index_has_property", |cx, args| {
        let property = args[1].text()?.to_ascii_lowercase();
        let method = method_of_index(catalog(cx)?, Oid(args[0].oid()?))?;
        Ok(yes_no(method.and_then(|method| of_index(method, &property))))
    }),
    raw!("pg_index_column_has_property", |cx, args| {
        let property = args[2].text()?.to_ascii_lowercase();
        let oid = Oid(args[0].oid()?);
        Ok(yes_no(of_column(catalog(cx)?, oid, args[1].int4()?, &property)?))
    }),
    Entry::scalar("pg_partition_root", root),
    set!("pg_partition_ancestors", |cx, args| {
        let found = ancestors(catalog(cx)?, Oid(args[0].oid()?))?;
        found.into_iter().map(|oid| vec![Cell::Oid(oid)]).collect()
    }),
    raw!("row_security_active", |cx, args| {
        row_security(cx, Oid(args[0].oid()?)).map(Datum::Bool)
    }),
    raw!("row_security_active_name", |cx, args| {
        let oid = catalog(cx)?.regclass(args[0].text()?)?;
        row_security(cx, oid).map(Datum::Bool)
    }),
    raw!("pg_collation_for", |cx, args| {
        let catalog = catalog(cx)?;
        let ty = catalog.type_(cx.arg_type(0).oid)?;
        if !ty.collation.is_valid() && cx.arg_type(0).oid.0 != types::oids::UNKNOWN {
            return Err(base::err!(
                DATATYPE_MISMATCH,
                "collations are not supported by type {}",
                catalog.format_type(ty.oid, None)?
            ));
        }
        if !cx.site.collation.is_valid() {
            return Ok(Datum::Null);
        }
        let row = catalog.collation(cx.site.collation)?;
        cx.text(&catalog::quote_identifier(&row.name))
    }),
];

/// Whether the policies of a table hold for the current role.
fn row_security(cx: &Call<'_, '_>, oid: Oid) -> Result<bool> {
    let catalog = catalog(cx)?;
    let Some(relation) = catalog.find_relation(oid)? else { return Ok(false) };
    let user = catalog.user();
    if !relation.row_security || catalog.is_superuser(user)? {
        return Ok(false);
    }
    if catalog.role(user)?.bypass_rls {
        return Ok(false);
    }
    Ok(relation.force_row_security || !catalog.has_privileges_of(user, relation.owner)?)
}
