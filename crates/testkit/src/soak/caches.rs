//! What sessions cost that have prepared statements and have touched many tables.

use crate::Result;
use crate::bench::private_bytes;
use crate::client::{Client, Failure};
use crate::kill9::{Running, ServerOptions};
use std::time::Duration;

/// The statements that each session prepares.
const STATEMENTS: usize = 100;
/// The tables that each session reads.
const TABLES: usize = 500;
/// What a session may cost beyond what all share.
const SESSION_KB_MAX: f64 = 64.0;
/// Until the allocator has given back what it does not need.
const SETTLE: Duration = Duration::from_secs(2);

fn text(failure: Failure) -> String {
    failure.to_string()
}

fn all(client: &mut Client, statements: impl Iterator<Item = String>) -> Result<()> {
    for sql in statements {
        client.query(&sql).map_err(|e| format!("{sql}: {e}"))?;
    }
    Ok(())
}

fn prepare(client: &mut Client) -> Result<()> {
    let sql = |n| {
        format!("prepare p{n} as select a, b, c from t{n} where a = $1 and c >= {n} order by b")
    };
    all(client, (0..STATEMENTS).map(sql))?;
    all(client, (0..STATEMENTS).map(|n| format!("execute p{n}(1)")))
}

fn touch(client: &mut Client) -> Result<()> {
    all(client, (0..TABLES).map(|n| format!("select b from t{n} where a = 1")))
}

/// What the shared caches hold, a line each, and whether they stay under their limits.
fn shared_caches(client: &mut Client) -> Result<(String, bool)> {
    let rows = client.query(
        "select name, peak_bytes, limit_bytes, peak_bytes <= limit_bytes \
         from perdura_memory_ledger() where name in ('plan cache', 'catalog cache')",
    );
    let (mut lines, mut kept) = (String::new(), true);
    for row in rows.map_err(text)? {
        let value = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        let under = value(3) == "t";
        kept &= under;
        let verdict = if under { "ok  " } else { "FAIL" };
        let (name, most, limit) = (value(0), value(1), value(2));
        lines.push_str(&format!("{verdict} the {name} had at most {most} of {limit} bytes\n"));
    }
    kept &= lines.lines().count() == 2;
    Ok((lines, kept))
}

/// Runs it; the report, and whether sessions and shared caches stay under their limits.
///
/// # Errors
/// When the server does not start or a statement fails.
pub fn run(server: &ServerOptions, sessions: usize) -> Result<(String, bool)> {
    let mut server = Running::start(server)?;
    let (port, pid) = (server.port(), server.postmaster_pid());
    let mut first = Client::connect(port, "postgres").map_err(text)?;
    let make = |n| format!("create table t{n} (a int primary key, b text, c int)");
    all(&mut first, (0..TABLES).map(make))?;
    all(&mut first, (0..TABLES).map(|n| format!("insert into t{n} values (1, 'x', {n})")))?;
    // What is shared is there after these.
    let mut shared = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(port, "postgres").map_err(text)?;
        prepare(&mut client)?;
        touch(&mut client)?;
        shared.push(client);
    }
    std::thread::sleep(SETTLE);
    let before = private_bytes(pid);
    let mut open = Vec::new();
    for _ in 0..sessions {
        open.push(Client::connect(port, "postgres").map_err(text)?);
    }
    let kb_each = || {
        std::thread::sleep(SETTLE);
        private_bytes(pid).saturating_sub(before) as f64 / 1024.0 / sessions.max(1) as f64
    };
    let idle = kb_each();
    open.iter_mut().try_for_each(prepare)?;
    let prepared = kb_each();
    open.iter_mut().try_for_each(touch)?;
    let touched = kb_each();
    let (caches, caches_kept) = shared_caches(&mut first)?;
    server.stop()?;
    let kept = touched <= SESSION_KB_MAX;
    let report = format!(
        "{sessions} sessions, kB each beyond what all share: {idle:.1} connected, \
         {prepared:.1} with {STATEMENTS} prepared statements, {touched:.1} after reading \
         {TABLES} tables\n{} at most {SESSION_KB_MAX:.0} kB; all of the server has {:.0} MB\n",
        if kept { "ok  " } else { "FAIL" },
        (before as f64 + touched * 1024.0 * sessions as f64) / f64::from(1 << 20),
    );
    Ok((report + &caches, kept && caches_kept))
}
