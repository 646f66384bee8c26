//! Who and where the session is.

use crate::rows::{Cell, texts};
use crate::shim::{catalog, raw, set};
use expr::{Datum, Entry};
use types::oids;

fn port<'m>(port: Option<u16>) -> Datum<'m> {
    port.map_or(Datum::Null, |port| Datum::Int4(i32::from(port)))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("current_database", |cx, args| cx.text(&cx.host.current_database().1)),
    raw!("current_user", |cx, args| cx.text(&cx.host.current_user().1)),
    raw!("system_user", |cx, args| match cx.host.server()?.origin().system_user {
        Some(user) => cx.text(&user),
        None => Ok(Datum::Null),
    }),
    raw!("inet_client_port", |cx, args| Ok(port(cx.host.server()?.origin().client_port))),
    raw!("inet_client_addr", |cx, args| {
        Cell::address(cx.host.server()?.origin().client_address).datum(cx)
    }),
    raw!("inet_server_addr", |cx, args| {
        Cell::address(cx.host.server()?.origin().server_address).datum(cx)
    }),
    raw!("inet_server_port", |cx, args| Ok(port(cx.host.server()?.origin().server_port))),
    raw!("session_user", |cx, args| cx.text(&cx.host.session_user().1)),
    raw!("current_schema", |cx, args| {
        match cx.host.search_path(false)?.first() {
            Some(name) => cx.text(name),
            None => Ok(Datum::Null),
        }
    }),
    raw!("current_schemas", |cx, args| {
        let names = cx.host.search_path(args[0].bool()?)?;
        texts(cx, oids::NAME, &names)
    }),
    raw!("pg_backend_pid", |cx, args| Ok(Datum::Int4(cx.host.session_id()))),
    raw!("pgsql_version", |cx, args| {
        let version = cx.host.setting("server_version")?.unwrap_or_default();
        let (machine, system) = (std::env::consts::ARCH, std::env::consts::OS);
        let bits = usize::BITS;
        cx.format(format_args!(
            "PostgreSQL {version} on {machine}-{system}, compiled by rustc, {bits}-bit"
        ))
    }),
    raw!("pg_postmaster_start_time", |cx, args| Ok(Datum::Int8(cx.host.server()?.start_us()))),
    raw!("pg_conf_load_time", |cx, args| Ok(Datum::Int8(cx.host.server()?.reload_us()))),
    raw!("pg_is_in_recovery", |cx, args| Ok(Datum::Bool(false))),
    raw!("pg_jit_available", |cx, args| Ok(Datum::Bool(false))),
    raw!("pg_numa_available", |cx, args| Ok(Datum::Bool(false))),
    raw!("pg_notify", |cx, args| {
        let text = |at: usize| match args[at] {
            Datum::Null => Ok(""),
            datum => datum.text(),
        };
        cx.host.server()?.notify(text(0)?, text(1)?)?;
        Ok(Datum::Text(""))
    }),
    set!("pg_listening_channels", |cx, args| {
        let channels = cx.host.server()?.listening_channels();
        channels.into_iter().map(|channel| vec![Cell::Text(channel)]).collect()
    }),
    raw!("pg_notification_queue_usage", |cx, args| {
        Ok(Datum::Float8(cx.host.server()?.notification_usage()))
    }),
    raw!("pg_trigger_depth", |cx, args| Ok(Datum::Int4(0))),
    raw!("pg_my_temp_schema", |cx, args| Ok(Datum::Oid(catalog(cx)?.temporary_namespace().0))),
];
