//! Access control lists as values.

use crate::rows::Cell;
use crate::shim::{raw, set};
use base::{Error, Oid, Result, err};
use catalog::acl::{self, Acl, AclItem, AclKind, Privileges};
use catalog::columns::{index, pg_attribute, pg_class};
use catalog::store::Value;
use expr::{Call, Datum, Entry};
use types::{Array, oids};

/// The items of an aclitem[].
fn items(array: &Datum<'_>) -> Result<Vec<AclItem>> {
    let array = Array::from_datum(array)?;
    if array.dimension_count() > 1 {
        return Err(err!(INVALID_PARAMETER_VALUE, "ACL arrays must be one-dimensional"));
    }
    if array.has_nulls() {
        return Err(err!(NULL_VALUE_NOT_ALLOWED, "ACL arrays must not contain null values"));
    }
    array.iter().map(|item| AclItem::from_stored(item?.text()?)).collect()
}

fn explode(array: &Datum<'_>) -> Result<Vec<Vec<Cell>>> {
    let mut rows = Vec::new();
    for item in items(array)? {
        for (privilege, _, name) in item.privileges.union(item.grant_options).iter() {
            rows.push(vec![
                Cell::Oid(item.grantor),
                Cell::Oid(item.grantee),
                Cell::Text(name.to_owned()),
                Cell::Bool(item.grant_options.has(privilege)),
            ]);
        }
    }
    Ok(rows)
}

fn default<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let owner = Oid(args[1].oid()?);
    let kind = match args[0].char()? {
        b'c' => AclKind::Column,
        b'r' => AclKind::Table,
        b's' => AclKind::Sequence,
        b'd' => AclKind::Database,
        b'f' => AclKind::Function,
        b'l' => AclKind::Language,
        b'L' => AclKind::LargeObject,
        b'n' => AclKind::Namespace,
        b'p' => AclKind::Parameter,
        b't' => AclKind::Tablespace,
        b'T' => AclKind::Type,
        b'F' | b'S' => {
            return give(cx, &Acl(vec![foreign_owner(owner)]));
        }
        other => {
            let text = format!("unrecognized object type abbreviation: {}", char::from(other));
            return Err(Error::internal(text));
        }
    };
    give(cx, &acl::default_for(kind, owner))
}

/// What the owner of a server or foreign-data wrapper has.
pub(crate) fn foreign_owner(owner: Oid) -> AclItem {
    AclItem {
        grantee: owner,
        grantor: owner,
        privileges: Privileges::of("U"),
        grant_options: Privileges::NONE,
    }
}

fn give<'m>(cx: &Call<'_, 'm>, acl: &Acl) -> Result<Datum<'m>> {
    crate::rows::texts(cx, oids::ACLITEM, &acl.to_stored())
}

/// The privileges of a list such as `SELECT, INSERT`.
fn listed(text: &str) -> Result<Privileges> {
    let mut privileges = Privileges::NONE;
    for word in text.split(',').map(str::trim) {
        let upper = word.to_ascii_uppercase();
        let upper = if upper == "TEMP" { "TEMPORARY" } else { &upper };
        let found = acl::ALL.iter().find(|(_, _, name)| *name == upper);
        let (_, letter, _) = found.ok_or_else(|| unrecognized(word))?;
        privileges = privileges.union(Privileges::of(letter.encode_utf8(&mut [0; 4])));
    }
    Ok(privileges)
}

pub(crate) fn unrecognized(word: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "unrecognized privilege type: \"{word}\"")
}

fn make<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let privileges = listed(args[2].text()?)?;
    let item = AclItem {
        grantee: Oid(args[0].oid()?),
        grantor: Oid(args[1].oid()?),
        privileges,
        grant_options: if args[3].bool()? { privileges } else { Privileges::NONE },
    };
    cx.text(&item.to_stored())
}

fn contains<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let wanted = AclItem::from_stored(args[1].text()?)?;
    let found = items(&args[0])?.iter().any(|item| {
        item.grantee == wanted.grantee
            && item.grantor == wanted.grantor
            && wanted.privileges.without(item.privileges).is_empty()
            && wanted.grant_options.without(item.grant_options).is_empty()
    });
    Ok(Datum::Bool(found))
}

/// `pg_get_acl`: the list of an object, or of a column; NULL where there is none.
fn of_object<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (class, object, column) = (Oid(args[0].oid()?), Oid(args[1].oid()?), args[2].int4()?);
    let catalog = crate::shim::catalog(cx)?;
    if !class.is_valid() || !object.is_valid() {
        return Ok(Datum::Null);
    }
    let (index, key, class) = if class == pg_class::RELATION && column != 0 {
        let Ok(column) = i16::try_from(column) else { return Ok(Datum::Null) };
        let key = vec![Value::Oid(object), Value::Int2(column)];
        (Some(index::PG_ATTRIBUTE_RELID_ATTNUM_INDEX), key, pg_attribute::RELATION)
    } else {
        (catalog::index_by_oid(class), vec![Value::Oid(object)], class)
    };
    let described = catalog::builtin::relation(class);
    let place = described.and_then(|described| {
        let is_list =
            |column: &catalog::builtin::SystemColumn| column.type_oid.0 == oids::ACLITEM_ARRAY;
        described.columns.iter().position(is_list)
    });
    let (Some(index), Some(place)) = (index, place) else {
        return Ok(Datum::Null);
    };
    let rows = catalog.find_rows(index, &key)?;
    let Some((_, row)) = rows.first() else { return Ok(Datum::Null) };
    let attribute = i16::try_from(place + 1).unwrap_or(i16::MAX);
    match row.optional_texts(attribute)? {
        Some(items) => crate::rows::texts(cx, oids::ACLITEM, &items),
        None => Ok(Datum::Null),
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    set!("aclexplode", |cx, args| explode(&args[0])?),
    Entry::scalar("acldefault_sql", default),
    Entry::scalar("makeaclitem", make),
    Entry::scalar("aclcontains", contains),
    raw!("aclitem_eq", |cx, args| {
        let (a, b) = (args[0].text()?, args[1].text()?);
        Ok(Datum::Bool(AclItem::from_stored(a)? == AclItem::from_stored(b)?))
    }),
    Entry::scalar("pg_get_acl", of_object),
    raw!("aclinsert", |cx, args| Err(gone("aclinsert"))),
    raw!("aclremove", |cx, args| Err(gone("aclremove"))),
];

fn gone(function: &str) -> Error {
    err!(FEATURE_NOT_SUPPORTED, "{function} is no longer supported")
}
