//! Numbers of transactions, snapshots and the log.

use crate::rows::Cell;
use crate::shim::{raw, set};
use base::Result;
use base::limits::WAL_SEGMENT_BYTES;
use expr::{Call, Datum, Entry};
use types::snapshot::SnapshotValue;

/// The ids below the first normal one are older than everything.
const FIRST_NORMAL: u64 = base::Xid::FIRST_NORMAL.0;

/// How many transactions ago a transaction began, as far as an integer tells.
fn age(cx: &Call<'_, '_>, xid: u64) -> Result<i32> {
    if xid < FIRST_NORMAL {
        return Ok(i32::MAX);
    }
    let server = cx.host.server()?;
    let now = match server.transaction_id(false)? {
        Some(own) => own,
        None => server.next_transaction_id(),
    };
    let span = i128::from(now) - i128::from(xid);
    Ok(span.clamp(i128::from(i32::MIN), i128::from(i32::MAX)) as i32)
}

/// There are no multixacts, so the next one is always the first.
const NEXT_MULTIXACT: i64 = 1;

/// How many multixacts ago one was made.
fn multixact_age(multixact: i64) -> i32 {
    match multixact {
        0 => i32::MAX,
        _ => i32::try_from(NEXT_MULTIXACT.saturating_sub(multixact)).unwrap_or(i32::MIN),
    }
}

/// The timeline that the log is written on.
const TIMELINE: u32 = 1;

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
    raw!("xid_age", |cx, args| Ok(Datum::Int4(age(cx, args[0].int8()?.cast_unsigned())?))),
    raw!("mxid_age", |cx, args| Ok(Datum::Int4(multixact_age(args[0].int8()?)))),
    raw!("pg_current_snapshot", |cx, args| {
        let row = cx.host.server()?.snapshot()?;
        let value = SnapshotValue { xmin: row.xmin, xmax: row.xmax, running: row.running };
        cx.bytes(&value.encode())
    }),
    raw!("pg_snapshot_xmin", |cx, args| {
        Ok(Datum::Int8(SnapshotValue::from_datum(&args[0])?.xmin.cast_signed()))
    }),
    raw!("pg_snapshot_xmax", |cx, args| {
        Ok(Datum::Int8(SnapshotValue::from_datum(&args[0])?.xmax.cast_signed()))
    }),
    set!("pg_snapshot_xip", |cx, args| {
        let running = SnapshotValue::from_datum(&args[0])?.running;
        running.into_iter().map(|xid| vec![Cell::Int8(xid.cast_signed())]).collect()
    }),
    raw!("pg_visible_in_snapshot", |cx, args| {
        let xid = args[0].int8()?.cast_unsigned();
        Ok(Datum::Bool(SnapshotValue::from_datum(&args[1])?.sees(xid)))
    }),
    raw!("pg_export_snapshot", |cx, args| {
        let name = cx.host.server()?.export_snapshot()?;
        cx.text(&name)
    }),
    raw!("pg_current_wal_lsn", |cx, args| {
        Ok(Datum::Int8(cx.host.server()?.log_end().0.cast_signed()))
    }),
    raw!("pg_current_wal_insert_lsn", |cx, args| {
        Ok(Datum::Int8(cx.host.server()?.log_end().0.cast_signed()))
    }),
    raw!("pg_switch_wal", |cx, args| {
        Ok(Datum::Int8(cx.host.server()?.switch_log()?.cast_signed()))
    }),
    raw!("pg_walfile_name", |cx, args| {
        let segment = args[0].int8()?.cast_unsigned() / WAL_SEGMENT_BYTES;
        let per_log = (1 << 32) / WAL_SEGMENT_BYTES;
        let name = format!("{:08X}{:08X}{:08X}", TIMELINE, segment / per_log, segment % per_log);
        Ok(Datum::Text(cx.bump.alloc_str(&name)?))
    }),
    raw!("pg_current_wal_flush_lsn", |cx, args| {
        Ok(Datum::Int8(cx.host.server()?.log_end().1.cast_signed()))
    }),
];
