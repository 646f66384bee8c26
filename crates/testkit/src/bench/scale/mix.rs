//! Short statements beside a long one.

use super::super::{Target, median};
use super::{Bench, Goal, Line, connect, ours, theirs};
use crate::Result;
use std::time::Duration;

const CLIENTS: u32 = 16;
/// Runs until it is cancelled.
const LONG: &str = "select sum(a.abalance * b.bbalance + a.aid % 7), count(distinct a.filler) \
                    from pgbench_accounts a, pgbench_accounts c, pgbench_branches b \
                    where a.aid <> c.aid";

struct Shares {
    p99_ratio: Option<f64>,
    rate: Option<f64>,
}

fn shares(bench: &mut Bench<'_>, target: Target) -> Result<Shares> {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..bench.options.repetitions {
        let run =
            |bench: &Bench<'_>| bench.pgbench(target, CLIENTS, &["-S", "-M", "prepared"], |_| {});
        alone.push(run(bench)?);
        let mut long = connect(target)?;
        let analyst = std::thread::spawn(move || long.query(LONG).err());
        std::thread::sleep(Duration::from_millis(300));
        let figures = run(bench);
        let mut control = connect(target)?;
        let cancel = "select pg_cancel_backend(pid) from pg_stat_activity \
                      where query like 'select sum(a.abalance%'";
        let running = !analyst.is_finished();
        let cancelled = control.query(cancel).map_err(|failure| failure.to_string());
        let ended = analyst.join().map_err(|_| "the long query's thread panicked")?;
        cancelled?;
        if !running {
            return Err(format!("the long query ended by itself: {ended:?}"));
        }
        beside.push(figures?);
    }
    let of = |figures: &[super::pgbench::Figures], which: fn(&super::pgbench::Figures) -> f64| {
        median(figures.iter().map(which).collect())
    };
    let ratio = |which: fn(&super::pgbench::Figures) -> f64| {
        of(&beside, which).zip(of(&alone, which)).map(|(beside, alone)| beside / alone)
    };
    Ok(Shares { p99_ratio: ratio(|f| f.p99_ms), rate: ratio(|f| f.tps).map(|rate| rate * 100.0) })
}

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<Vec<Line>> {
    let perdura = bench.perdura(&[])?;
    let postgres = bench.postgres()?;
    let (theirs, ours) = (theirs(&postgres), ours(&perdura));
    for target in [theirs, ours] {
        bench.fill(target)?;
    }
    (bench.report)("  PostgreSQL");
    let their = shares(bench, theirs);
    if let Err(why) = &their {
        (bench.report)(&format!("  PostgreSQL: {why}"));
    }
    (bench.report)("  Perdura");
    let our = shares(bench, ours)?;
    let their = |which: fn(&Shares) -> Option<f64>| their.as_ref().ok().and_then(which);
    let what = format!("{CLIENTS} point-select clients beside a long query");
    Ok(vec![
        Line::new(what.clone(), "times their p99 alone", our.p99_ratio, Goal::AtMost(10.0))
            .beside(their(|shares| shares.p99_ratio)),
        Line::new(what, "% of their rate alone", our.rate, Goal::AtLeast(50.0))
            .beside(their(|shares| shares.rate)),
    ])
}
