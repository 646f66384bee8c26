//! Open idle sessions: threads, memory, and what they take from those that work.

use super::super::{Target, median, process};
use super::{Bench, Goal, Line, connect, ours, theirs};
use crate::Result;
use crate::client::Client;
use std::thread::sleep;
use std::time::Duration;

const SETTLE: Duration = Duration::from_millis(1500);
/// More processes than this would hurt the machine more than they tell.
const POSTGRES_SESSIONS: u32 = 1000;
const ACTIVE: u32 = 8;
/// As in the project's measuring scripts: a join of catalogs, tables, a transaction, a large view.
const WARM: [&str; 7] = [
    "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
     join pg_attribute a on a.attrelid = c.oid",
    "select abalance from pgbench_accounts where aid = 4711",
    "select b.bid, sum(a.abalance) from pgbench_accounts a join pgbench_branches b using (bid) \
     where a.aid between 1 and 500 group by b.bid order by 1",
    "begin",
    "update pgbench_accounts set abalance = abalance + 1 where aid = 4712",
    "rollback",
    "select * from information_schema.columns where table_name = 'pgbench_accounts'",
];

struct Figures {
    threads: f64,
    fresh_kb: f64,
    warm_kb: Option<f64>,
}

fn open(target: Target, count: u32) -> Result<Vec<Client>> {
    (0..count).map(|_| connect(target)).collect()
}

fn cost(target: Target, count: u32, warm: u32) -> Result<Figures> {
    // The first session makes what all sessions share.
    let mut first = connect(target)?;
    for sql in WARM {
        first.query(sql).map_err(|failure| failure.to_string())?;
    }
    sleep(SETTLE);
    let before = process::usage(target.pid);
    let mut clients = open(target, count)?;
    sleep(SETTLE);
    let fresh = process::usage(target.pid);
    let each = |kb: u64, count: u32| kb as f64 / f64::from(count.max(1));
    let mut warmed = 0;
    for client in clients.iter_mut().take(usize::try_from(warm).unwrap_or(0)) {
        for sql in WARM {
            client.query(sql).map_err(|failure| failure.to_string())?;
        }
        warmed += 1;
    }
    sleep(SETTLE);
    let after = process::usage(target.pid);
    let fresh_kb = each(fresh.private_kb.saturating_sub(before.private_kb), count);
    let grown_kb = each(after.private_kb.saturating_sub(fresh.private_kb), warmed);
    let warm_kb = (warmed > 0).then_some(fresh_kb + grown_kb);
    Ok(Figures { threads: fresh.threads as f64, fresh_kb, warm_kb })
}

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<Vec<Line>> {
    let most = format!("max_connections={}", bench.options.sessions + 100);
    let perdura = bench.perdura(&[&most])?;
    let postgres = bench.postgres()?;
    for target in [theirs(&postgres), ours(&perdura)] {
        bench.fill(target)?;
    }
    let count = bench.options.sessions;
    let warm = bench.options.warm.min(count);
    (bench.report)(&format!("  {count} idle sessions"));
    let theirs = cost(theirs(&postgres), count.min(POSTGRES_SESSIONS), warm.min(200));
    drop(postgres);
    let target = ours(&perdura);
    let figures = cost(target, count, warm)?;
    let their = |which: fn(&Figures) -> Option<f64>| theirs.as_ref().ok().and_then(which);
    let of = format!("PostgreSQL: {} sessions", count.min(POSTGRES_SESSIONS));
    let mut lines = vec![
        Line::new(
            format!("{count} idle sessions"),
            "threads of the tree",
            Some(figures.threads),
            Goal::AtMost(7.0),
        )
        .beside(their(|figures| Some(figures.threads)))
        .note(&of),
        Line::new("idle session, fresh", "kB private", Some(figures.fresh_kb), Goal::AtMost(8.0))
            .beside(their(|figures| Some(figures.fresh_kb)))
            .note(&of),
        Line::new(
            format!("idle session, warm ({warm} of them)"),
            "kB private",
            figures.warm_kb,
            Goal::AtMost(64.0),
        )
        .beside(their(|figures| figures.warm_kb)),
    ];
    lines.push(beside_idle(bench, target, count)?);
    Ok(lines)
}

/// What active clients keep of their rate while the others idle, by runs in turn.
fn beside_idle(bench: &mut Bench<'_>, target: Target, count: u32) -> Result<Line> {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 1..=bench.options.repetitions {
        (bench.report)(&format!("  {ACTIVE} active clients, round {round}"));
        let run = |bench: &Bench<'_>| {
            bench.pgbench(target, ACTIVE, &["-S", "-M", "prepared"], |_| {}).map(|run| run.tps)
        };
        alone.push(run(bench)?);
        let clients = open(target, count)?;
        beside.push(run(bench)?);
        drop(clients);
        sleep(SETTLE);
    }
    let share = median(beside).zip(median(alone)).map(|(beside, alone)| beside / alone * 100.0);
    let what = format!("{ACTIVE} active clients beside {count} idle ones");
    Ok(Line::new(what, "% of their rate alone", share, Goal::AtLeast(90.0)))
}
