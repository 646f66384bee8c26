//! Numbers of transactions, snapshots and the log.

use crate::shim::raw;
use expr::{Datum, Entry};

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("pg_current_xact_id", |cx, args| {
        let xid = cx.host.server()?.transaction_id(true)?.unwrap_or_default();
        Ok(Datum::Int8(xid.cast_signed()))
    }),
    raw!("pg_current_xact_id_if_assigned", |cx, args| {
        let xid = cx.host.server()?.transaction_id(false)?;
        Ok(xid.map_or(Datum::Null, |xid| Datum::Int8(xid.cast_signed())))
    }),
    raw!("pg_xact_status", |cx, args| {
        let status = cx.host.server()?.transaction_status(args[0].int8()?.cast_unsigned())?;
        Ok(status.map_or(Datum::Null, Datum::Text))
    }),
    raw!("pg_current_wal_lsn", |cx, args| {
        Ok(Datum::Int8(cx.host.server()?.log_end().0.cast_signed()))
    }),
    raw!("pg_current_wal_insert_lsn", |cx, args| {
        Ok(Datum::Int8(cx.host.server()?.log_end().0.cast_signed()))
    }),
    raw!("pg_current_wal_flush_lsn", |cx, args| {
        Ok(Datum::Int8(cx.host.server()?.log_end().1.cast_signed()))
    }),
];
