//! Sessions: what they do, how to cancel them, waiting.

use crate::rows::Cell;
use crate::shim::{catalog, in_sql, raw, set};
use base::{Error, Oid, Result, err};
use catalog::Catalog;
use expr::server::{DatabaseActivityRow, SessionRow, TableActivityRow};
use expr::{Call, Datum, Entry};
use types::datetime::Interval;
use types::oids;

/// The columns of `pg_stat_get_activity`.
const COLUMNS: usize = 31;

/// Whether the current role sees what another's session does.
fn may_see(catalog: &Catalog, role: Oid) -> Result<bool> {
    const PG_READ_ALL_STATS: Oid = Oid(3375);
    let user = catalog.user();
    Ok(catalog.has_privileges_of(user, role)?
        || catalog.has_privileges_of(user, PG_READ_ALL_STATS)?)
}

fn session(catalog: &Catalog, row: SessionRow) -> Result<Vec<Cell>> {
    let database = catalog.database_named(&row.database)?.map(|found| found.oid);
    let user = catalog.role_named(&row.user)?.map(|found| found.oid);
    let seen = user.map_or(Ok(false), |user| may_see(catalog, user))?;
    let oid = |oid: Option<Oid>| oid.map_or(Cell::Null, Cell::Oid);
    let mut cells = vec![Cell::Null; COLUMNS];
    let mut put = |at: usize, cell: Cell| {
        if let Some(place) = cells.get_mut(at) {
            *place = cell;
        }
    };
    put(0, oid(database));
    put(1, Cell::Int4(row.pid));
    put(2, oid(user));
    put(3, Cell::Text(row.application));
    if !seen {
        put(5, Cell::Text("<insufficient privilege>".to_owned()));
        return Ok(cells);
    }
    put(4, Cell::Text(row.state.to_owned()));
    put(5, Cell::Text(row.query));
    let idle = row.state.starts_with("idle");
    if let Some((kind, event)) = row.waits {
        put(6, Cell::Text(kind.to_owned()));
        put(7, Cell::Text(event.to_owned()));
    } else if idle {
        put(6, Cell::Text("Client".to_owned()));
        put(7, Cell::Text("ClientRead".to_owned()));
    }
    put(8, Cell::int8(row.transaction_start_us));
    put(9, Cell::int8(row.query_start_us));
    put(10, Cell::Int8(row.backend_start_us));
    put(11, Cell::int8(row.state_change_us));
    put(12, Cell::address(row.client_address));
    put(13, Cell::text(row.client_host));
    put(14, row.client_port.map_or(Cell::Null, Cell::Int4));
    put(15, Cell::int8(row.xid.map(u64::cast_signed)));
    put(16, Cell::int8(row.xmin.map(u64::cast_signed)));
    put(17, Cell::Text("client backend".to_owned()));
    put(18, Cell::Bool(row.encryption.is_some()));
    if let Some(encryption) = row.encryption {
        put(19, Cell::Text(encryption.version.to_owned()));
        put(20, Cell::Text(encryption.cipher.to_owned()));
        put(21, Cell::Int4(i32::from(encryption.bits)));
        put(22, Cell::text(encryption.client_subject));
        put(23, encryption.client_serial.map_or(Cell::Null, Cell::Numeric));
        put(24, Cell::text(encryption.client_issuer));
    }
    put(25, Cell::Bool(false));
    put(30, Cell::int8(row.query_id));
    put(27, Cell::Bool(false));
    put(28, Cell::Bool(false));
    Ok(cells)
}

fn activity(cx: &Call<'_, '_>, pid: &Datum<'_>) -> Result<Vec<Vec<Cell>>> {
    let catalog = catalog(cx)?;
    let wanted = if pid.is_null() { None } else { Some(pid.int4()?) };
    let rows = cx.host.server()?.sessions();
    let rows = rows.into_iter().filter(|row| wanted.is_none_or(|pid| pid == row.pid));
    rows.map(|row| session(catalog, row)).collect()
}

/// Cancels a statement or ends a session.
fn interrupt<'m>(cx: &Call<'_, 'm>, pid: i32, end: bool) -> Result<Datum<'m>> {
    let (server, catalog) = (cx.host.server()?, catalog(cx)?);
    let rows = server.sessions();
    let Some(row) = rows.iter().find(|row| row.pid == pid) else {
        cx.host.notice(expr::Notice {
            severity: "WARNING",
            fields: err!(WARNING, "PID {pid} is not a PostgreSQL backend process"),
        });
        return Ok(Datum::Bool(false));
    };
    const PG_SIGNAL_BACKEND: Oid = Oid(4200);
    let user = catalog.user();
    let what = if end { "terminate process" } else { "cancel query" };
    let role = catalog.role_named(&row.user)?.map(|role| (role.oid, role.superuser));
    if let Some((role, superuser)) = role
        && !catalog.is_superuser(user)?
    {
        let refused = |detail: String| {
            Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to {what}").detail(detail))
        };
        if superuser {
            return refused(format!(
                "Only roles with the SUPERUSER attribute may {} of roles with the SUPERUSER \
                 attribute.",
                if end { "terminate processes" } else { "cancel queries" }
            ));
        }
        if !catalog.has_privileges_of(user, role)?
            && !catalog.has_privileges_of(user, PG_SIGNAL_BACKEND)?
        {
            return refused(format!(
                "Only roles with privileges of the role whose {} or with privileges of the \
                 \"pg_signal_backend\" role may {}.",
                if end { "process is being terminated" } else { "query is being canceled" },
                if end { "terminate this process" } else { "cancel this query" }
            ));
        }
    }
    let done = server.interrupt(pid, end);
    // It may have been the session itself.
    base::check_for_interrupts()?;
    Ok(Datum::Bool(done))
}

/// Ends a session, and with a timeout waits until it has ended.
fn terminate<'m>(cx: &Call<'_, 'm>, pid: i32, timeout_ms: i64) -> Result<Datum<'m>> {
    const STEP_MS: i64 = 10;
    let told = interrupt(cx, pid, true)?;
    let server = cx.host.server()?;
    if timeout_ms == 0 || !matches!(told, Datum::Bool(true)) {
        return Ok(told);
    }
    let mut left_ms = timeout_ms;
    while server.sessions().iter().any(|row| row.pid == pid) {
        if left_ms == 0 {
            let unit = if timeout_ms == 1 { "millisecond" } else { "milliseconds" };
            cx.host.notice(expr::Notice {
                severity: "WARNING",
                fields: err!(
                    WARNING,
                    "backend with PID {pid} did not terminate within {timeout_ms} {unit}"
                ),
            });
            return Ok(Datum::Bool(false));
        }
        let step_ms = left_ms.min(STEP_MS);
        server.sleep(step_ms * 1000)?;
        left_ms -= step_ms;
    }
    Ok(Datum::Bool(true))
}

fn sleep<'m>(cx: &Call<'_, 'm>, secs: f64) -> Result<Datum<'m>> {
    let us = (secs * 1e6).clamp(0.0, 1e18);
    if us > 0.0 {
        cx.host.server()?.sleep(us as i64)?;
    }
    Ok(Datum::Text(""))
}

/// The rows of `pg_prepared_statements`; how often plans were made is not counted.
fn prepared(cx: &Call<'_, '_>) -> Result<Vec<Vec<Cell>>> {
    let rows = cx.host.server()?.prepared();
    Ok(rows
        .into_iter()
        .map(|row| {
            vec![
                Cell::Text(row.name),
                Cell::Text(row.statement),
                Cell::Int8(row.prepared_us),
                Cell::Types(row.parameters),
                row.results.map_or(Cell::Null, Cell::Types),
                Cell::Bool(row.from_sql),
                Cell::Null,
                Cell::Null,
            ]
        })
        .collect())
}

/// The rows of `pg_cursors`.
fn cursors(cx: &Call<'_, '_>) -> Result<Vec<Vec<Cell>>> {
    let rows = cx.host.server()?.cursors();
    Ok(rows
        .into_iter()
        .map(|row| {
            vec![
                Cell::Text(row.name),
                Cell::Text(row.statement),
                Cell::Bool(row.holdable),
                Cell::Bool(row.binary),
                Cell::Bool(row.scrollable),
                Cell::Int8(row.created_us),
            ]
        })
        .collect())
}

/// The row of `pg_stat_archiver`.
fn archiver<'m>(cx: &Call<'_, 'm>) -> Result<Datum<'m>> {
    let found = cx.host.server()?.archiver();
    let mut cells = Vec::new();
    for (count, latest) in found.counts.into_iter().zip(found.latest) {
        let (name, time_us) = latest.unzip();
        cells.push((oids::INT8, Cell::Int8(count)));
        cells.push((oids::TEXT, Cell::text(name)));
        cells.push((oids::TIMESTAMPTZ, Cell::int8(time_us)));
    }
    cells.push((oids::TIMESTAMPTZ, Cell::Int8(found.since_us)));
    crate::rows::row(cx, &cells)
}

/// Counts something anew. What is not counted by the server as a whole has nothing to reset.
fn reset_shared<'m>(cx: &Call<'_, 'm>, target: &Datum<'_>) -> Result<Datum<'m>> {
    const TARGETS: [&str; 7] =
        ["archiver", "bgwriter", "checkpointer", "io", "recovery_prefetch", "slru", "wal"];
    let target = if target.is_null() { None } else { Some(target.text()?) };
    match target {
        None | Some("archiver") => cx.host.server()?.reset_archiver(),
        Some(known) if TARGETS.contains(&known) => {
            return Err(Error::unsupported(format!(
                "resetting the statistics of \"{known}\" is not supported yet"
            )));
        }
        Some(other) => {
            return Err(err!(INVALID_PARAMETER_VALUE, "unrecognized reset target: \"{other}\"")
                .hint(
                    "Target must be \"archiver\", \"bgwriter\", \"checkpointer\", \"io\", \
                     \"recovery_prefetch\", \"slru\", or \"wal\".",
                ));
        }
    }
    Ok(Datum::Text(""))
}

/// A counter of a table.
fn counter<'m>(
    cx: &Call<'_, 'm>,
    relation: &Datum<'_>,
    read: impl Fn(&TableActivityRow) -> u64,
) -> Result<Datum<'m>> {
    let row = cx.host.server()?.table_activity(Oid(relation.oid()?));
    Ok(Datum::Int8(read(&row).cast_signed()))
}

/// A counter of a database.
fn of_database<'m>(
    cx: &Call<'_, 'm>,
    database: &Datum<'_>,
    read: impl Fn(&DatabaseActivityRow) -> u64,
) -> Result<Datum<'m>> {
    let row = cx.host.server()?.database_activity(Oid(database.oid()?));
    Ok(Datum::Int8(read(&row).cast_signed()))
}

/// When something last happened to a table.
fn moment<'m>(
    cx: &Call<'_, 'm>,
    relation: &Datum<'_>,
    read: impl Fn(&TableActivityRow) -> Option<i64>,
) -> Result<Datum<'m>> {
    let row = cx.host.server()?.table_activity(Oid(relation.oid()?));
    Ok(read(&row).map_or(Datum::Null, Datum::Int8))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    set!("pg_cursor", |cx, args| cursors(cx)?),
    raw!("pg_stat_get_db_xact_commit", |cx, args| of_database(cx, &args[0], |row| row.commits)),
    raw!("pg_stat_get_db_xact_rollback", |cx, args| of_database(cx, &args[0], |row| row.rollbacks)),
    raw!("pg_stat_get_db_tuples_inserted", |cx, args| of_database(cx, &args[0], |row| row
        .inserted)),
    raw!("pg_stat_get_db_tuples_updated", |cx, args| of_database(cx, &args[0], |row| row.updated)),
    raw!("pg_stat_get_db_tuples_deleted", |cx, args| of_database(cx, &args[0], |row| row.deleted)),
    raw!("pg_stat_get_db_temp_files", |cx, args| of_database(cx, &args[0], |row| row
        .temporary_files)),
    raw!("pg_stat_get_db_temp_bytes", |cx, args| of_database(cx, &args[0], |row| row
        .temporary_bytes)),
    raw!("pg_stat_get_db_deadlocks", |cx, args| of_database(cx, &args[0], |row| row.deadlocks)),
    raw!("pg_stat_get_db_sessions", |cx, args| of_database(cx, &args[0], |row| row.sessions)),
    raw!("pg_stat_get_live_tuples", |cx, args| counter(cx, &args[0], |row| row.live)),
    raw!("pg_stat_get_dead_tuples", |cx, args| counter(cx, &args[0], |_| 0)),
    raw!("pg_stat_get_tuples_inserted", |cx, args| counter(cx, &args[0], |row| row.inserted)),
    raw!("pg_stat_get_tuples_updated", |cx, args| counter(cx, &args[0], |row| row.updated)),
    raw!("pg_stat_get_tuples_deleted", |cx, args| counter(cx, &args[0], |row| row.deleted)),
    raw!("pg_stat_get_mod_since_analyze", |cx, args| {
        counter(cx, &args[0], |row| row.changed_since_analyze)
    }),
    raw!("pg_stat_get_ins_since_vacuum", |cx, args| {
        counter(cx, &args[0], |row| row.inserted_since_vacuum)
    }),
    raw!("pg_stat_get_vacuum_count", |cx, args| counter(cx, &args[0], |row| row.vacuum_count)),
    raw!("pg_stat_get_autovacuum_count", |cx, args| counter(cx, &args[0], |_| 0)),
    raw!("pg_stat_get_analyze_count", |cx, args| counter(cx, &args[0], |row| row.analyze_count)),
    raw!("pg_stat_get_autoanalyze_count", |cx, args| {
        counter(cx, &args[0], |row| row.autoanalyze_count)
    }),
    raw!("pg_stat_get_last_vacuum_time", |cx, args| moment(cx, &args[0], |row| row.last_vacuum_us)),
    raw!("pg_stat_get_last_autovacuum_time", |cx, args| moment(cx, &args[0], |_| None)),
    raw!("pg_stat_get_last_analyze_time", |cx, args| {
        moment(cx, &args[0], |row| row.last_analyze_us)
    }),
    raw!("pg_stat_get_last_autoanalyze_time", |cx, args| {
        moment(cx, &args[0], |row| row.last_autoanalyze_us)
    }),
    raw!("pg_stat_get_archiver", |cx, args| archiver(cx)),
    raw!("pg_stat_reset_shared", |cx, args| reset_shared(cx, &args[0])),
    set!("pg_prepared_statement", |cx, args| prepared(cx)?),
    set!("pg_stat_get_activity", |cx, args| activity(cx, &args[0])?),
    raw!("pg_cancel_backend", |cx, args| interrupt(cx, args[0].int4()?, false)),
    raw!("pg_terminate_backend", |cx, args| {
        if args[1].int8()? < 0 {
            return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "\"timeout\" must not be negative"));
        }
        terminate(cx, args[0].int4()?, args[1].int8()?)
    }),
    // Counters are seen as soon as their transaction has committed.
    raw!("pg_stat_force_next_flush", |_cx, _args| Ok(Datum::Text(""))),
    raw!("pg_sleep", |cx, args| sleep(cx, args[0].float8()?)),
    in_sql!("pg_sleep_for(interval)", 3935, |cx, args| {
        let by = Interval::from_fixed(args[0].fixed16()?);
        let days = f64::from(by.days) + f64::from(by.months) * 30.0;
        sleep(cx, days * 86_400.0 + by.micros as f64 / 1e6)
    }),
    in_sql!("pg_sleep_until(timestamptz)", 3936, |cx, args| {
        sleep(cx, (args[0].int8()?.saturating_sub(cx.host.clock_us())) as f64 / 1e6)
    }),
];
