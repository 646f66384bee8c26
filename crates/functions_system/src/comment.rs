//! Comments of objects.

use crate::shim::{catalog, in_sql};
use base::{Oid, Result};
use catalog::columns::{index, pg_class, pg_description, pg_shdescription};
use catalog::store::Value;
use expr::{Call, Datum, Entry};

/// The comment of an object, or of a column of it.
fn comment<'m>(cx: &Call<'_, 'm>, class: Oid, object: Oid, column: i32) -> Result<Datum<'m>> {
    let key = [Value::Oid(object), Value::Oid(class), Value::Int4(column)];
    let found = catalog(cx)?.find_rows(index::PG_DESCRIPTION_O_C_O_INDEX, &key)?;
    match found.first() {
        Some((_, row)) => cx.text(&row.text(pg_description::DESCRIPTION)?),
        None => Ok(Datum::Null),
    }
}

/// The catalog of a name.
fn class(name: &str) -> Option<Oid> {
    catalog::builtin::relation_by_name(catalog::builtin::PG_CATALOG, name)
        .map(|relation| relation.oid)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    in_sql!("obj_description(oid, name)", 1215, |cx, args| {
        match class(args[1].text()?) {
            Some(class) => comment(cx, class, Oid(args[0].oid()?), 0),
            None => Ok(Datum::Null),
        }
    }),
    in_sql!("obj_description(oid)", 1348, |cx, args| {
        let key = [Value::Oid(Oid(args[0].oid()?))];
        let found = catalog(cx)?.find_rows(index::PG_DESCRIPTION_O_C_O_INDEX, &key)?;
        for (_, row) in found {
            if row.int4(pg_description::OBJSUBID)? == 0 {
                return cx.text(&row.text(pg_description::DESCRIPTION)?);
            }
        }
        Ok(Datum::Null)
    }),
    in_sql!("col_description(oid, integer)", 1216, |cx, args| {
        comment(cx, pg_class::RELATION, Oid(args[0].oid()?), args[1].int4()?)
    }),
    in_sql!("shobj_description(oid, name)", 1993, |cx, args| {
        let Some(class) = class(args[1].text()?) else { return Ok(Datum::Null) };
        let key = [Value::Oid(Oid(args[0].oid()?)), Value::Oid(class)];
        let found = catalog(cx)?.find_rows(index::PG_SHDESCRIPTION_O_C_INDEX, &key)?;
        match found.first() {
            Some((_, row)) => cx.text(&row.text(pg_shdescription::DESCRIPTION)?),
            None => Ok(Datum::Null),
        }
    }),
];
