//! TPC-B at 16, 300 and 5,000 clients: more clients must not mean less work.
//!
//! Many clients are compared with 16 by the client of `crowd`, too: pgbench itself slows down by its
//! connections. What pgbench makes of them is told beside it.

use super::super::{Target, median};
use super::{Bench, Goal, Line, crowd, ours, theirs};
use crate::Result;

const FEW: u32 = 16;
const MANY: u32 = 300;
const CROWD: u32 = 5000;

struct Medians {
    tps: Option<f64>,
    p99_ms: Option<f64>,
}

fn runs(bench: &mut Bench<'_>, target: Target, clients: u32) -> Medians {
    let (mut tps, mut p99_ms) = (Vec::new(), Vec::new());
    for _ in 0..bench.options.repetitions {
        match bench.pgbench(target, clients, &["-b", "tpcb-like", "-M", "prepared"], |_| {}) {
            Ok(figures) => {
                tps.push(figures.tps);
                p99_ms.push(figures.p99_ms);
            }
            Err(why) => (bench.report)(&format!("  {clients} clients: {why}")),
        }
    }
    Medians { tps: median(tps), p99_ms: median(p99_ms) }
}

/// The same with the client whose costs do not grow.
fn crowd_runs(bench: &mut Bench<'_>, target: Target, clients: u32) -> Medians {
    let (mut tps, mut p99_ms) = (Vec::new(), Vec::new());
    for _ in 0..bench.options.repetitions {
        match crowd::run(target.port, clients, bench.options.scale, bench.options.seconds) {
            Ok(figures) => {
                tps.push(figures.tps);
                p99_ms.push(figures.p99_ms);
            }
            Err(why) => (bench.report)(&format!("  {clients} clients: {why}")),
        }
    }
    Medians { tps: median(tps), p99_ms: median(p99_ms) }
}

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<Vec<Line>> {
    let perdura = bench.perdura(&["max_wal_size=8GB"])?;
    let postgres = bench.postgres()?;
    let (theirs, ours) = (theirs(&postgres), ours(&perdura));
    for target in [theirs, ours] {
        bench.fill(target)?;
    }
    let mut figures = Vec::new();
    for clients in [FEW, MANY] {
        (bench.report)(&format!("  {clients} clients"));
        figures.push((runs(bench, theirs, clients), runs(bench, ours, clients)));
    }
    drop(postgres);
    (bench.report)(&format!("  {CROWD} clients"));
    let crowd = runs(bench, ours, CROWD);
    (bench.report)("  16, 300 and 5000 clients of a cheaper program");
    let [cheap_few, cheap_many, cheap] =
        [FEW, MANY, CROWD].map(|clients| crowd_runs(bench, ours, clients));
    let [(their_few, few), (their_many, many)] = &figures[..] else {
        return Err("two numbers of clients were measured".to_owned());
    };
    let share =
        |part: &Medians, of: Option<f64>| part.tps.zip(of).map(|(part, of)| part / of * 100.0);
    let least = their_many.tps.map_or(Goal::None, |tps| Goal::AtLeast(tps * 3.0));
    let most = their_many.p99_ms.map_or(Goal::None, |ms| Goal::AtMost(ms / 5.0));
    let name = |clients: u32| format!("TPC-B, {clients} clients");
    let cheaper = |clients: u32| format!("TPC-B, {clients} clients of a cheaper program");
    Ok(vec![
        Line::new(name(FEW), "tps", few.tps, Goal::None).beside(their_few.tps),
        Line::new(name(FEW), "ms p99", few.p99_ms, Goal::None).beside(their_few.p99_ms),
        Line::new(name(MANY), "tps", many.tps, least).beside(their_many.tps),
        Line::new(name(MANY), "ms p99", many.p99_ms, most).beside(their_many.p99_ms),
        Line::new(name(MANY), "% of the rate at 16", share(many, few.tps), Goal::AtLeast(90.0))
            .beside(share(their_many, their_few.tps)),
        Line::new(name(CROWD), "tps", crowd.tps, Goal::None),
        Line::new(name(CROWD), "ms p99", crowd.p99_ms, Goal::None),
        Line::new(name(CROWD), "% of the rate at 16", share(&crowd, few.tps), Goal::AtLeast(80.0)),
        Line::new(cheaper(FEW), "tps", cheap_few.tps, Goal::None),
        Line::new(cheaper(MANY), "tps", cheap_many.tps, Goal::None),
        Line::new(cheaper(MANY), "ms p99", cheap_many.p99_ms, Goal::None),
        Line::new(
            cheaper(MANY),
            "% of the rate at 16",
            share(&cheap_many, cheap_few.tps),
            Goal::AtLeast(90.0),
        ),
        Line::new(cheaper(CROWD), "tps", cheap.tps, Goal::None),
        Line::new(cheaper(CROWD), "ms p99", cheap.p99_ms, Goal::None),
        Line::new(
            cheaper(CROWD),
            "% of the rate at 16",
            share(&cheap, cheap_few.tps),
            Goal::AtLeast(80.0),
        ),
    ])
}
