//! nextval, currval, setval and what is known of a sequence.

use crate::rows::{Cell, row};
use crate::shim::{catalog, raw};
use base::{Oid, Result, err};
use catalog::acl::{AclKind, Privilege};
use catalog::columns::{index, pg_class, pg_depend};
use catalog::relation::{Relation, Sequence};
use catalog::rows::{Persistence, RelationKind};
use catalog::store::Value;
use expr::{Call, Datum, Entry};
use std::sync::Arc;
use types::oids;

fn oid(datum: &Datum<'_>) -> Result<Oid> {
    datum.oid().map(Oid)
}

/// The sequence of a number, with its description; none if it is no sequence.
fn find(cx: &Call<'_, '_>, oid: Oid) -> Result<Option<(Arc<Relation>, Sequence)>> {
    let Some(relation) = catalog(cx)?.find_relation(oid)? else { return Ok(None) };
    let sequence = relation.sequence.filter(|_| relation.kind == RelationKind::Sequence);
    Ok(sequence.map(|sequence| (relation, sequence)))
}

fn may(cx: &Call<'_, '_>, relation: &Relation, any: &[Privilege]) -> Result<bool> {
    let acl = relation.acl.as_ref();
    let (held, _) = catalog(cx)?.privileges(AclKind::Sequence, relation.owner, acl)?;
    Ok(any.iter().any(|privilege| held.has(*privilege)))
}

fn last_value<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let oid = oid(&args[0])?;
    let Some(relation) = catalog(cx)?.find_relation(oid)? else {
        return Err(base::Error::internal(format!("could not open relation with OID {oid}")));
    };
    if relation.kind != RelationKind::Sequence {
        return Err(err!(WRONG_OBJECT_TYPE, "cannot open relation \"{}\"", relation.name)
            .detail(catalog::unsupported_for(relation.kind)));
    }
    if !may(cx, &relation, &[Privilege::Select, Privilege::Usage])? {
        return Ok(Datum::Null);
    }
    let (last, _, is_called) = cx.host.sequence_values(oid)?;
    Ok(if is_called { Datum::Int8(last) } else { Datum::Null })
}

fn parameters<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let oid = oid(&args[0])?;
    let Some((relation, sequence)) = find(cx, oid)? else {
        return Err(err!(UNDEFINED_TABLE, "relation with OID {oid} does not exist"));
    };
    if !may(cx, &relation, &[Privilege::Select, Privilege::Update, Privilege::Usage])? {
        return Err(err!(
            INSUFFICIENT_PRIVILEGE,
            "permission denied for sequence {}",
            relation.name
        ));
    }
    row(
        cx,
        &[
            (oids::INT8, Cell::Int8(sequence.start)),
            (oids::INT8, Cell::Int8(sequence.min)),
            (oids::INT8, Cell::Int8(sequence.max)),
            (oids::INT8, Cell::Int8(sequence.increment)),
            (oids::BOOL, Cell::Bool(sequence.cycle)),
            (oids::INT8, Cell::Int8(sequence.cache)),
            (oids::OID, Cell::Oid(sequence.type_oid)),
        ],
    )
}

/// Where a sequence stands, as pg_dump asks; nulls where the role may not read it.
fn data<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let oid = oid(&args[0])?;
    let readable = match find(cx, oid)? {
        Some((relation, _)) => {
            let foreign = relation.persistence == Persistence::Temporary
                && relation.namespace != catalog(cx)?.temporary_namespace();
            !foreign && may(cx, &relation, &[Privilege::Select])?
        }
        None => false,
    };
    let (last, is_called) = match readable {
        true => {
            let (last, _, is_called) = cx.host.sequence_values(oid)?;
            (Cell::Int8(last), Cell::Bool(is_called))
        }
        false => (Cell::Null, Cell::Null),
    };
    row(cx, &[(oids::INT8, last), (oids::BOOL, is_called)])
}

/// The sequence that belongs to a column: the text of its name with its schema.
fn serial<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (table, column) = (args[0].text()?, args[1].text()?);
    let catalog = catalog(cx)?;
    let oid = catalog.regclass(table)?;
    let relation = catalog.relation(oid)?;
    let Some(column) = relation.column(column) else {
        return Err(err!(
            UNDEFINED_COLUMN,
            "column \"{column}\" of relation \"{}\" does not exist",
            relation.name
        ));
    };
    let key =
        [Value::Oid(pg_class::RELATION), Value::Oid(oid), Value::Int4(column.attribute.into())];
    for (_, row) in catalog.find_rows(index::PG_DEPEND_REFERENCE_INDEX, &key)? {
        let owned = matches!(row.char(pg_depend::DEPTYPE)?, b'a' | b'i');
        if !owned || row.oid(pg_depend::CLASSID)? != pg_class::RELATION {
            continue;
        }
        if let Some((sequence, _)) = find(cx, row.oid(pg_depend::OBJID)?)? {
            let schema = catalog.namespace(sequence.namespace)?;
            return cx.text(&catalog::names::qualified(&schema.name, &sequence.name));
        }
    }
    Ok(Datum::Null)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("nextval_oid", |cx, args| cx.host.nextval(oid(&args[0])?).map(Datum::Int8)),
    raw!("currval_oid", |cx, args| cx.host.currval(Some(oid(&args[0])?)).map(Datum::Int8)),
    raw!("lastval", |cx, args| cx.host.currval(None).map(Datum::Int8)),
    raw!("setval_oid", |cx, args| {
        cx.host.setval(oid(&args[0])?, args[1].int8()?, true).map(Datum::Int8)
    }),
    raw!("setval3_oid", |cx, args| {
        cx.host.setval(oid(&args[0])?, args[1].int8()?, args[2].bool()?).map(Datum::Int8)
    }),
    Entry::scalar("pg_sequence_last_value", last_value),
    Entry::scalar("pg_sequence_parameters", parameters),
    Entry::scalar("pg_get_sequence_data", data),
    Entry::scalar("pg_get_serial_sequence", serial),
];
