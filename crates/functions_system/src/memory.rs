//! Memory contexts and the ledger.

use crate::rows::Cell;
use crate::shim::{raw, set};
use base::{Result, err};
use expr::{Call, Datum, Entry};
use memory::ledger::UNLIMITED;
use memory::registry::ContextRow;
use std::collections::HashMap;

fn number(value: u64) -> Cell {
    Cell::Int8(i64::try_from(value).unwrap_or(i64::MAX))
}

/// The contexts of a session as `pg_backend_memory_contexts` shows them: numbered from 1, below one
/// that stands for the session. What its account has and no context holds is shown there.
struct Shown {
    row: ContextRow,
    level: i32,
    path: Vec<i32>,
}

fn of_session(cx: &Call<'_, '_>, session: i32) -> Result<Vec<Shown>> {
    let server = cx.host.server()?;
    let id = u64::try_from(session).unwrap_or(0);
    let mut rows: Vec<ContextRow> =
        server.memory_contexts().into_iter().filter(|row| row.session == id).collect();
    rows.sort_by_key(|row| (row.level, row.id));
    let held: u64 = rows.iter().map(|row| row.total_bytes).sum();
    let reserved = server
        .memory_ledger()
        .into_iter()
        .find(|row| row.level == memory::Level::Session && row.id == id && row.name == "session");
    let other = reserved.map_or(0, |row| row.reserved_bytes.saturating_sub(held));
    let top = ContextRow {
        session: id,
        id: 0,
        parent_id: 0,
        name: "TopMemoryContext",
        ident: None,
        kind: "AllocSet",
        level: 1,
        path: Vec::new(),
        total_bytes: other,
        free_bytes: 0,
        blocks: 1,
        peak_bytes: other,
    };
    let mut numbers = HashMap::new();
    let mut shown = vec![Shown { row: top, level: 1, path: vec![1] }];
    for (at, row) in rows.into_iter().enumerate() {
        let number = i32::try_from(at + 2).unwrap_or(i32::MAX);
        numbers.insert(row.id, number);
        let inner = row.path.iter().filter_map(|id| numbers.get(id).copied());
        let path: Vec<i32> = [1].into_iter().chain(inner).collect();
        shown.push(Shown { row, level: i32::try_from(path.len()).unwrap_or(i32::MAX), path });
    }
    Ok(shown)
}

fn own(cx: &Call<'_, '_>) -> Result<Vec<Vec<Cell>>> {
    let shown = of_session(cx, cx.host.session_id())?;
    Ok(shown
        .into_iter()
        .map(|Shown { row, level, path }| {
            vec![
                Cell::Text(row.name.to_owned()),
                Cell::text(row.ident),
                Cell::Text(row.kind.to_owned()),
                Cell::Int4(level),
                Cell::Numbers(path),
                number(row.total_bytes),
                number(row.blocks),
                number(row.free_bytes),
                // Free pieces within blocks are not counted.
                Cell::Null,
                number(row.total_bytes.saturating_sub(row.free_bytes)),
            ]
        })
        .collect())
}

fn all(cx: &Call<'_, '_>) -> Result<Vec<Vec<Cell>>> {
    let rows = cx.host.server()?.memory_contexts();
    let narrow = |id: &u64| i32::try_from(*id).unwrap_or(i32::MAX);
    Ok(rows
        .into_iter()
        .map(|row| {
            vec![
                match row.session {
                    0 => Cell::Null,
                    id => Cell::Int4(i32::try_from(id).unwrap_or(i32::MAX)),
                },
                Cell::Text(row.name.to_owned()),
                Cell::text(row.ident),
                Cell::Text(row.kind.to_owned()),
                Cell::Int4(i32::try_from(row.level).unwrap_or(i32::MAX)),
                Cell::Numbers(row.path.iter().map(narrow).collect()),
                number(row.total_bytes),
                number(row.total_bytes.saturating_sub(row.free_bytes)),
                number(row.free_bytes),
                number(row.blocks),
                number(row.peak_bytes),
            ]
        })
        .collect())
}

fn ledger(cx: &Call<'_, '_>) -> Result<Vec<Vec<Cell>>> {
    let rows = cx.host.server()?.memory_ledger();
    Ok(rows
        .into_iter()
        .map(|row| {
            vec![
                Cell::Text(row.level.name().to_owned()),
                number(row.id),
                if row.level == memory::Level::Server { Cell::Null } else { number(row.parent_id) },
                Cell::Text(row.name.to_owned()),
                if row.limit_bytes == UNLIMITED { Cell::Null } else { number(row.limit_bytes) },
                number(row.reserved_bytes),
                number(row.peak_bytes),
            ]
        })
        .collect())
}

/// Writes the contexts of a session to the log.
fn log_contexts<'m>(cx: &Call<'_, 'm>, pid: i32) -> Result<Datum<'m>> {
    let server = cx.host.server()?;
    if !server.sessions().iter().any(|row| row.pid == pid) {
        cx.host.notice(expr::Notice {
            severity: "WARNING",
            fields: err!(WARNING, "PID {pid} is not a PostgreSQL server process"),
        });
        return Ok(Datum::Bool(false));
    }
    server.log(&format!("logging memory contexts of PID {pid}"));
    let (mut total, mut blocks, mut free) = (0, 0, 0);
    for Shown { row, level, .. } in of_session(cx, pid)? {
        let used = row.total_bytes.saturating_sub(row.free_bytes);
        let name = match &row.ident {
            Some(ident) => format!("{}: {ident}", row.name),
            None => row.name.to_owned(),
        };
        server.log(&format!(
            "level: {level}; {name}: {} total in {} blocks; {} free; {used} used",
            row.total_bytes, row.blocks, row.free_bytes
        ));
        total += row.total_bytes;
        blocks += row.blocks;
        free += row.free_bytes;
    }
    let used = total - free;
    server.log(&format!("Grand total: {total} bytes in {blocks} blocks; {free} free; {used} used"));
    Ok(Datum::Bool(true))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    set!("pg_get_backend_memory_contexts", |cx, args| own(cx)?),
    set!("perdura_memory_contexts", |cx, args| all(cx)?),
    set!("perdura_memory_ledger", |cx, args| ledger(cx)?),
    raw!("pg_log_backend_memory_contexts", |cx, args| log_contexts(cx, args[0].int4()?)),
];
