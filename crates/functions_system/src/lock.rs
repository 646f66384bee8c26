//! Locks: what is locked, advisory locks.

use crate::rows::Cell;
use crate::shim::{raw, set};
use base::Result;
use expr::server::{AdvisoryKey, AdvisoryRequest, LockRow, LockedThing};
use expr::{Call, Datum, Entry};
use types::{array, oids};

fn key(args: &[Datum<'_>]) -> Result<AdvisoryKey> {
    match args {
        [one] => Ok(AdvisoryKey::One(one.int8()?)),
        _ => Ok(AdvisoryKey::Two(args[0].int4()?, args[1].int4()?)),
    }
}

/// `pg_advisory_lock` and its kin: nothing, or whether the lock was free.
fn lock<'m, const SHARED: bool, const TRANSACTION: bool, const WAIT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let request = AdvisoryRequest { shared: SHARED, transaction: TRANSACTION, wait: WAIT };
    let held = cx.host.server()?.advisory_lock(key(args)?, request)?;
    Ok(if WAIT { Datum::Text("") } else { Datum::Bool(held) })
}

fn unlock<'m, const SHARED: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let released = cx.host.server()?.advisory_unlock(key(args)?, SHARED);
    if !released {
        let mode = if SHARED { "ShareLock" } else { "ExclusiveLock" };
        let text = format!("you don't own a lock of type {mode}");
        cx.host.notice(expr::Notice {
            severity: "WARNING",
            fields: base::Error::new(base::SqlState::WARNING, text),
        });
    }
    Ok(Datum::Bool(released))
}

fn row(lock: LockRow) -> Vec<Cell> {
    let mut cells = vec![Cell::Null; 16];
    let mut put = |at: usize, cell: Cell| {
        if let Some(place) = cells.get_mut(at) {
            *place = cell;
        }
    };
    // The halves of a key are shown as oids.
    let half = |value: u32| Cell::Oid(base::Oid(value));
    let part = |value: u16| Cell::Int2(value.cast_signed());
    let kind = match lock.thing {
        LockedThing::Relation(database, relation) => {
            put(1, Cell::Oid(database));
            put(2, Cell::Oid(relation));
            "relation"
        }
        LockedThing::Page(database, relation, page) => {
            put(1, Cell::Oid(database));
            put(2, Cell::Oid(relation));
            put(3, Cell::Int4(page as i32));
            "page"
        }
        LockedThing::Tuple(database, relation, tuple) => {
            put(1, Cell::Oid(database));
            put(2, Cell::Oid(relation));
            put(3, Cell::Int4((tuple >> 16) as i32));
            put(4, Cell::Int2((tuple & 0xffff) as i16));
            "tuple"
        }
        LockedThing::Transaction(xid) => {
            put(6, Cell::Int8(xid.cast_signed()));
            "transactionid"
        }
        LockedThing::VirtualTransaction => {
            put(5, Cell::Text(lock.virtual_transaction.clone()));
            "virtualxid"
        }
        LockedThing::Object(database, class, object, sub) => {
            put(1, Cell::Oid(database));
            put(7, Cell::Oid(class));
            put(8, Cell::Oid(object));
            put(9, part(sub));
            "object"
        }
        LockedThing::Advisory(database, first, second, pair) => {
            put(1, Cell::Oid(database));
            put(7, half(first));
            put(8, half(second));
            put(9, Cell::Int2(if pair { 2 } else { 1 }));
            "advisory"
        }
    };
    put(0, Cell::Text(kind.to_owned()));
    put(10, Cell::Text(lock.virtual_transaction));
    // A prepared transaction belongs to no session.
    put(11, if lock.pid == 0 { Cell::Null } else { Cell::Int4(lock.pid) });
    put(12, Cell::Text(lock.mode.to_owned()));
    put(13, Cell::Bool(lock.granted));
    put(14, Cell::Bool(lock.fast_path));
    put(15, Cell::int8(lock.wait_start_us));
    cells
}

fn pids<'m>(cx: &Call<'_, 'm>, pids: &[i32]) -> Result<Datum<'m>> {
    let values: Vec<Datum<'_>> = pids.iter().map(|pid| Datum::Int4(*pid)).collect();
    array::from_list(oids::INT4, &values, &cx.bump)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    set!("pg_lock_status", |cx, args| { cx.host.server()?.locks().into_iter().map(row).collect() }),
    set!("pg_prepared_xact", |cx, args| {
        let rows = cx.host.server()?.prepared_transactions();
        rows.into_iter()
            .map(|row| {
                vec![
                    Cell::Int8(row.xid.cast_signed()),
                    Cell::Text(row.name),
                    Cell::Int8(row.time_us),
                    Cell::Oid(row.role),
                    Cell::Oid(row.database),
                ]
            })
            .collect()
    }),
    raw!("pg_blocking_pids", |cx, args| {
        let found = cx.host.server()?.blocking(args[0].int4()?);
        pids(cx, &found)
    }),
    raw!("pg_safe_snapshot_blocking_pids", |cx, args| {
        let found = cx.host.server()?.safe_snapshot_blocking(args[0].int4()?);
        pids(cx, &found)
    }),
    Entry::scalar("pg_advisory_lock_int8", lock::<false, false, true>),
    Entry::scalar("pg_advisory_lock_int4", lock::<false, false, true>),
    Entry::scalar("pg_advisory_lock_shared_int8", lock::<true, false, true>),
    Entry::scalar("pg_advisory_lock_shared_int4", lock::<true, false, true>),
    Entry::scalar("pg_advisory_xact_lock_int8", lock::<false, true, true>),
    Entry::scalar("pg_advisory_xact_lock_int4", lock::<false, true, true>),
    Entry::scalar("pg_advisory_xact_lock_shared_int8", lock::<true, true, true>),
    Entry::scalar("pg_advisory_xact_lock_shared_int4", lock::<true, true, true>),
    Entry::scalar("pg_try_advisory_lock_int8", lock::<false, false, false>),
    Entry::scalar("pg_try_advisory_lock_int4", lock::<false, false, false>),
    Entry::scalar("pg_try_advisory_lock_shared_int8", lock::<true, false, false>),
    Entry::scalar("pg_try_advisory_lock_shared_int4", lock::<true, false, false>),
    Entry::scalar("pg_try_advisory_xact_lock_int8", lock::<false, true, false>),
    Entry::scalar("pg_try_advisory_xact_lock_int4", lock::<false, true, false>),
    Entry::scalar("pg_try_advisory_xact_lock_shared_int8", lock::<true, true, false>),
    Entry::scalar("pg_try_advisory_xact_lock_shared_int4", lock::<true, true, false>),
    Entry::scalar("pg_advisory_unlock_int8", unlock::<false>),
    Entry::scalar("pg_advisory_unlock_int4", unlock::<false>),
    Entry::scalar("pg_advisory_unlock_shared_int8", unlock::<true>),
    Entry::scalar("pg_advisory_unlock_shared_int4", unlock::<true>),
    raw!("pg_advisory_unlock_all", |cx, args| {
        cx.host.server()?.advisory_unlock_all();
        Ok(Datum::Text(""))
    }),
];
