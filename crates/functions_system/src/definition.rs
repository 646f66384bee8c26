//! Definitions of objects as SQL.

use crate::rows::texts;
use crate::shim::{catalog, raw};
use base::{Oid, Result};
use expr::definition::Definition;
use expr::{Call, Datum, Entry};

/// The text of a definition, or NULL.
fn text<'m>(cx: &Call<'_, 'm>, wanted: Definition<'_>) -> Result<Datum<'m>> {
    match cx.host.server()?.definition(&wanted)? {
        Some(text) => cx.text(&text),
        None => Ok(Datum::Null),
    }
}

fn view<'m>(cx: &Call<'_, 'm>, view: Oid, pretty: bool, wrap: i32) -> Result<Datum<'m>> {
    text(cx, Definition::View { view, pretty, wrap })
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("pg_get_expr", |cx, args| {
        let (tree, relation) = (args[0].text()?, Oid(args[1].oid()?));
        text(cx, Definition::Expression { tree, relation, pretty: false })
    }),
    raw!("pg_get_expr_ext", |cx, args| {
        let (tree, relation, pretty) = (args[0].text()?, Oid(args[1].oid()?), args[2].bool()?);
        text(cx, Definition::Expression { tree, relation, pretty })
    }),
    raw!("pg_get_constraintdef", |cx, args| {
        text(cx, Definition::Constraint { constraint: Oid(args[0].oid()?), pretty: false })
    }),
    raw!("pg_get_constraintdef_ext", |cx, args| {
        let (constraint, pretty) = (Oid(args[0].oid()?), args[1].bool()?);
        text(cx, Definition::Constraint { constraint, pretty })
    }),
    raw!("pg_get_indexdef", |cx, args| {
        text(cx, Definition::Index { index: Oid(args[0].oid()?), column: 0, pretty: false })
    }),
    raw!("pg_get_indexdef_ext", |cx, args| {
        let (index, column, pretty) = (Oid(args[0].oid()?), args[1].int4()?, args[2].bool()?);
        text(cx, Definition::Index { index, column, pretty })
    }),
    raw!("pg_get_viewdef", |cx, args| view(cx, Oid(args[0].oid()?), false, 0)),
    raw!("pg_get_viewdef_ext", |cx, args| view(cx, Oid(args[0].oid()?), args[1].bool()?, 0)),
    raw!("pg_get_viewdef_wrap", |cx, args| {
        view(cx, Oid(args[0].oid()?), true, args[1].int4()?)
    }),
    raw!("pg_get_viewdef_name", |cx, args| {
        let oid = catalog(cx)?.regclass(args[0].text()?)?;
        view(cx, oid, false, 0)
    }),
    raw!("pg_get_viewdef_name_ext", |cx, args| {
        let oid = catalog(cx)?.regclass(args[0].text()?)?;
        view(cx, oid, args[1].bool()?, 0)
    }),
    raw!("pg_get_ruledef", |cx, args| {
        text(cx, Definition::Rule { rule: Oid(args[0].oid()?), pretty: false })
    }),
    raw!("pg_get_ruledef_ext", |cx, args| {
        text(cx, Definition::Rule { rule: Oid(args[0].oid()?), pretty: args[1].bool()? })
    }),
    raw!("pg_get_triggerdef", |cx, args| {
        text(cx, Definition::Trigger { trigger: Oid(args[0].oid()?), pretty: false })
    }),
    raw!("pg_get_triggerdef_ext", |cx, args| {
        text(cx, Definition::Trigger { trigger: Oid(args[0].oid()?), pretty: args[1].bool()? })
    }),
    raw!("pg_get_functiondef", |cx, args| text(cx, Definition::Function(Oid(args[0].oid()?)))),
    raw!("pg_get_function_arguments", |cx, args| {
        let function = Oid(args[0].oid()?);
        text(cx, Definition::FunctionArguments { function, identity: false })
    }),
    raw!("pg_get_function_identity_arguments", |cx, args| {
        let function = Oid(args[0].oid()?);
        text(cx, Definition::FunctionArguments { function, identity: true })
    }),
    raw!("pg_get_function_result", |cx, args| {
        text(cx, Definition::FunctionResult(Oid(args[0].oid()?)))
    }),
    raw!("pg_get_function_arg_default", |cx, args| {
        let (function, argument) = (Oid(args[0].oid()?), args[1].int4()?);
        text(cx, Definition::ArgumentDefault { function, argument })
    }),
    raw!("pg_get_function_sqlbody", |cx, args| {
        text(cx, Definition::FunctionBody(Oid(args[0].oid()?)))
    }),
    raw!("pg_get_partkeydef", |cx, args| {
        text(cx, Definition::PartitionKey(Oid(args[0].oid()?)))
    }),
    raw!("pg_get_partition_constraintdef", |cx, args| {
        text(cx, Definition::PartitionConstraint(Oid(args[0].oid()?)))
    }),
    raw!("pg_get_statisticsobjdef", |cx, args| {
        text(cx, Definition::Statistics { statistics: Oid(args[0].oid()?), columns: false })
    }),
    raw!("pg_get_statisticsobjdef_columns", |cx, args| {
        text(cx, Definition::Statistics { statistics: Oid(args[0].oid()?), columns: true })
    }),
    raw!("pg_get_statisticsobjdef_expressions", |cx, args| {
        let wanted = Definition::Statistics { statistics: Oid(args[0].oid()?), columns: true };
        match cx.host.server()?.definition(&wanted)? {
            Some(text) => texts(cx, types::oids::TEXT, &[text]),
            None => Ok(Datum::Null),
        }
    }),
];
