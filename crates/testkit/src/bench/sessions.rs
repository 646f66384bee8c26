//! What open sessions cost: threads of the whole process tree and private memory of each.

use super::{Row, Target, process, session};
use std::thread::sleep;
use std::time::Duration;

const SESSIONS: u32 = 300;
const SETTLE: Duration = Duration::from_millis(1500);

/// Statements that fill the caches of a session.
const WARM: [&str; 4] = [
    "select count(*) from pg_class",
    "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' order by 1, 2",
    "select typname, typlen from pg_type where oid < 100",
    "select relname from pg_class where oid = 1259",
];

#[derive(Clone, Copy)]
struct Figures {
    threads: f64,
    fresh_kb: f64,
    warm_kb: f64,
}

/// Measures both servers with 300 sessions.
pub(super) fn measure(theirs: Target, ours: Target) -> Vec<Row> {
    let (theirs, ours) = (once(theirs), once(ours));
    let row = |what: &str, unit, which: fn(Figures) -> f64| Row {
        what: what.into(),
        unit,
        postgres: theirs.map(which),
        perdura: ours.map(which),
        less_is_better: true,
    };
    vec![
        row("300 open sessions", "threads", |f| f.threads),
        row("idle session, fresh", "kB private", |f| f.fresh_kb),
        row("idle session, after catalog queries", "kB private", |f| f.warm_kb),
    ]
}

fn once(target: Target) -> Option<Figures> {
    // The first session makes what all sessions share.
    let mut first = session(target)?;
    for sql in WARM {
        first.query(sql).ok()?;
    }
    sleep(SETTLE);
    let before = process::usage(target.pid);
    let mut open = Vec::new();
    for _ in 0..SESSIONS {
        let mut client = session(target)?;
        client.query("select 1").ok()?;
        open.push(client);
    }
    sleep(SETTLE);
    let fresh = process::usage(target.pid);
    for client in &mut open {
        for sql in WARM {
            client.query(sql).ok()?;
        }
    }
    sleep(SETTLE);
    let warm = process::usage(target.pid);
    let each = |usage: process::Usage| {
        usage.private_kb.saturating_sub(before.private_kb) as f64 / f64::from(SESSIONS)
    };
    Some(Figures { threads: fresh.threads as f64, fresh_kb: each(fresh), warm_kb: each(warm) })
}
