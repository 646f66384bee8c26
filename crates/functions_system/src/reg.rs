//! The reg* types as functions: to_reg*, their input and output, format_type.

use crate::shim::{catalog, raw};
use base::{Oid, Result, SqlState};
use expr::{Call, Datum, Entry};
use types::oids;

/// The number that a text names; NULL if it names nothing.
fn to_reg<'m, const TYPE: u32>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    match cx.io().input(TYPE, -1, args[0].text()?, &cx.bump) {
        Err(error) if is_soft(error.sqlstate()) => Ok(Datum::Null),
        result => result,
    }
}

/// Whether an error of input only says that there is no such object, or that the text is no name.
pub(crate) fn is_soft(state: SqlState) -> bool {
    let class = &state.as_str()[..2];
    matches!(class, "42" | "22" | "3F" | "0A") && state != SqlState::INSUFFICIENT_PRIVILEGE
}

fn input<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    cx.io().input(cx.site.result.oid.0, -1, args[0].text()?, &cx.bump)
}

fn output<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let text = cx.text_of(cx.arg_type(0).oid.0, &args[0])?;
    cx.text(&text)
}

fn type_modifier<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    match catalog(cx)?.type_by_sql_name(args[0].text()?) {
        Ok((_, modifier)) => Ok(Datum::Int4(modifier)),
        Err(error) if is_soft(error.sqlstate()) => Ok(Datum::Null),
        Err(error) => Err(error),
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("to_regclass", to_reg::<{ oids::REGCLASS }>),
    Entry::scalar("to_regcollation", to_reg::<{ oids::REGCOLLATION }>),
    Entry::scalar("to_regnamespace", to_reg::<{ oids::REGNAMESPACE }>),
    Entry::scalar("to_regoper", to_reg::<{ oids::REGOPER }>),
    Entry::scalar("to_regoperator", to_reg::<{ oids::REGOPERATOR }>),
    Entry::scalar("to_regproc", to_reg::<{ oids::REGPROC }>),
    Entry::scalar("to_regprocedure", to_reg::<{ oids::REGPROCEDURE }>),
    Entry::scalar("to_regrole", to_reg::<{ oids::REGROLE }>),
    Entry::scalar("to_regtype", to_reg::<{ oids::REGTYPE }>),
    Entry::scalar("to_regtypemod", type_modifier),
    raw!("text_regclass", |cx, args| {
        catalog(cx)?.regclass(args[0].text()?).map(|oid| Datum::Oid(oid.0))
    }),
    Entry::scalar("regclassin", input),
    Entry::scalar("regcollationin", input),
    Entry::scalar("regconfigin", input),
    Entry::scalar("regdictionaryin", input),
    Entry::scalar("regnamespacein", input),
    Entry::scalar("regoperatorin", input),
    Entry::scalar("regoperin", input),
    Entry::scalar("regprocedurein", input),
    Entry::scalar("regprocin", input),
    Entry::scalar("regrolein", input),
    Entry::scalar("regtypein", input),
    Entry::scalar("regclassout", output),
    Entry::scalar("regcollationout", output),
    Entry::scalar("regconfigout", output),
    Entry::scalar("regdictionaryout", output),
    Entry::scalar("regnamespaceout", output),
    Entry::scalar("regoperatorout", output),
    Entry::scalar("regoperout", output),
    Entry::scalar("regprocedureout", output),
    Entry::scalar("regprocout", output),
    Entry::scalar("regroleout", output),
    Entry::scalar("regtypeout", output),
    raw!("format_type", |cx, args| {
        if args[0].is_null() {
            return Ok(Datum::Null);
        }
        let modifier = if args[1].is_null() { None } else { Some(args[1].int4()?) };
        let name = catalog(cx)?.format_type(Oid(args[0].oid()?), modifier)?;
        cx.text(&name)
    }),
    raw!("pg_typeof", |cx, args| Ok(Datum::Oid(cx.arg_type(0).oid.0))),
    raw!("pg_basetype", |cx, args| {
        let (catalog, oid) = (catalog(cx)?, Oid(args[0].oid()?));
        Ok(match catalog.find_type(oid)? {
            Some(_) => Datum::Oid(catalog.base_type(oid, -1)?.0.0),
            None => Datum::Null,
        })
    }),
];
