//! `make soak-memory`: more memory wanted than there is.
//!
//! # How it works
//! A server with a small `memory_limit` gets a table; some sessions run a sort, a self-join and an
//! aggregate over all of it, each one after the other, while others select single rows. Ten times a
//! second the resident memory of the process tree and what the ledger has reserved are noted. The
//! answers are compared with those of PostgreSQL, and everything with the limits of [`Limits`].
//!
//! # Rules
//! 1. A limit that is not kept fails the run; the table says which.
//! 2. Latencies alone and under load are those of the same statement in as many sessions.

pub mod caches;
mod chart;
pub mod extremes;

use crate::client::{Client, Failure};
use crate::kill9::{Running, ServerOptions};
use crate::oracle::{self, Oracle};
use crate::{Result, Server};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use chart::Sample;

/// What is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// How to start the server.
    pub server: ServerOptions,
    /// The rows of the table.
    pub rows: u64,
    /// The sessions that run large statements.
    pub sessions: usize,
    /// Where the curves are drawn.
    pub chart: PathBuf,
}

/// The sessions that select single rows.
const POINT_SESSIONS: usize = 4;
/// The time for latencies without load.
const ALONE: Duration = Duration::from_secs(3);
const SAMPLE: Duration = Duration::from_millis(100);
const MB: f64 = 1024.0 * 1024.0;

/// The limits that a run must keep.
struct Limits {
    rss_bytes_max: u64,
    /// The difference of resident memory and ledger, as a share of the former.
    difference_max: f64,
    latency_factor_max: f64,
}

const LIMITS: Limits =
    Limits { rss_bytes_max: 600 << 20, difference_max: 0.10, latency_factor_max: 10.0 };

/// The large statements: name and text.
fn statements(rows: u64) -> [(&'static str, String); 3] {
    [
        ("sort", format!("select b, a, c from t order by b offset {}", rows.saturating_sub(5))),
        (
            "self-join",
            "select count(*), sum(x.a + y.c), max(x.b) from t x join t y on x.b = y.b".into(),
        ),
        (
            "aggregate",
            "select count(*), sum(n), max(s) from (select b, count(*) n, sum(c) s from t group by b) q"
                .into(),
        ),
    ]
}

fn table(rows: u64) -> Vec<String> {
    vec![
        format!(
            "create table t as select i as a, md5(i::text) as b, i % 1000 as c \
             from generate_series(1, {rows}) i"
        ),
        "create table p (a int primary key, b text)".into(),
        "insert into p select i, md5(i::text) from generate_series(1, 10000) i".into(),
        "analyze t".into(),
    ]
}

fn text(failure: Failure) -> String {
    failure.to_string()
}

/// Median and 99th percentile in microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Latency {
    median_us: f64,
    high_us: f64,
    count: usize,
}

impl Latency {
    fn of(mut all: Vec<f64>) -> Latency {
        all.sort_by(f64::total_cmp);
        let at = |share: f64| {
            all.get(((all.len() as f64 * share) as usize).min(all.len().saturating_sub(1))).copied()
        };
        Latency {
            median_us: at(0.5).unwrap_or_default(),
            high_us: at(0.99).unwrap_or_default(),
            count: all.len(),
        }
    }
}

/// Selects single rows until told to stop.
fn select_points(port: u16, stop: &AtomicBool) -> Result<Vec<f64>> {
    let mut client = Client::connect(port, "postgres").map_err(text)?;
    let mut latencies = Vec::new();
    let mut key = 1;
    while !stop.load(Ordering::Relaxed) {
        key = key * 7919 % 10_007;
        let begin = Instant::now();
        client.query(&format!("select b from p where a = {key}")).map_err(text)?;
        latencies.push(begin.elapsed().as_secs_f64() * 1e6);
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(latencies)
}

/// Runs something beside sessions that select single rows.
fn beside<R>(port: u16, work: impl FnOnce() -> Result<R>) -> Result<(R, Latency)> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let points: Vec<_> =
            (0..POINT_SESSIONS).map(|_| scope.spawn(|| select_points(port, &stop))).collect();
        let result = work();
        stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for point in points {
            all.extend(point.join().map_err(|_| "a session panicked")??);
        }
        Ok((result?, Latency::of(all)))
    })
}

/// What is reserved, and what of it is freed memory that the allocator has kept.
const LEDGER: &str = "select max(reserved_bytes) filter (where level = 'server'), \
                      max(reserved_bytes) filter (where name = 'allocator') \
                      from perdura_memory_ledger()";

/// Notes memory until told to stop.
fn sample(server: &Running, begin: Instant, stop: &AtomicBool) -> Result<Vec<Sample>> {
    let mut client = Client::connect(server.port(), "postgres").map_err(text)?;
    let mut samples = Vec::new();
    let processes = crate::bench::tree(server.postmaster_pid());
    while !stop.load(Ordering::Relaxed) {
        let rss_before = crate::bench::resident_bytes_of(&processes);
        let rows = client.query(LEDGER).map_err(text)?;
        let rss_bytes = crate::bench::resident_bytes_of(&processes);
        let bytes = |column: usize| {
            let value = rows.first().and_then(|row| row.get(column)?.as_deref()?.parse().ok());
            value.unwrap_or(0)
        };
        let seconds = begin.elapsed().as_secs_f64();
        let (ledger_bytes, kept_bytes) = (bytes(0), bytes(1));
        samples.push(Sample { seconds, rss_before, rss_bytes, ledger_bytes, kept_bytes });
        std::thread::sleep(SAMPLE);
    }
    Ok(samples)
}

/// What the large statements answered: for each session and statement the rows and the seconds.
type Answers = Vec<Vec<(String, f64)>>;

fn run_large(port: u16, options: &Options) -> Result<Answers> {
    let statements = statements(options.rows);
    let session = |number: usize| -> Result<Vec<(String, f64)>> {
        let mut client = Client::connect(port, "postgres").map_err(text)?;
        client.patience(Duration::from_secs(3600)).map_err(text)?;
        let mut answers = vec![(String::new(), 0.0); statements.len()];
        for turn in 0..statements.len() {
            // Each begins with another statement.
            let which = (number + turn) % statements.len();
            let (name, sql) = &statements[which];
            let begin = Instant::now();
            let rows = client.query(sql).map_err(|e| format!("session {number}, {name}: {e}"))?;
            answers[which] = (format!("{rows:?}"), begin.elapsed().as_secs_f64());
        }
        Ok(answers)
    };
    std::thread::scope(|scope| {
        let session = &session;
        let all: Vec<_> =
            (0..options.sessions).map(|number| scope.spawn(move || session(number))).collect();
        all.into_iter().map(|one| one.join().map_err(|_| "a session panicked")?).collect()
    })
}

/// What PostgreSQL answers.
fn expected(options: &Options) -> Result<Vec<String>> {
    let oracle = Oracle::start(&oracle::install()?)?;
    let mut client = Client::connect(oracle.port(), "postgres").map_err(text)?;
    client.patience(Duration::from_secs(3600)).map_err(text)?;
    for sql in table(options.rows) {
        client.query(&sql).map_err(text)?;
    }
    let answer = |(_, sql): &(&str, String)| Ok(format!("{:?}", client.query(sql).map_err(text)?));
    statements(options.rows).iter().map(answer).collect()
}

/// Runs it all; the report, and whether every limit was kept.
///
/// # Errors
/// When a server does not start or a statement fails.
pub fn run(options: &Options, report: &mut dyn FnMut(&str)) -> Result<(String, bool)> {
    report("asking PostgreSQL");
    let expected = expected(options)?;
    let mut server = Running::start(&options.server)?;
    server.wait_until_it_answers(Duration::from_secs(60))?;
    let port = server.port();
    report("loading");
    let mut client = Client::connect(port, "postgres").map_err(text)?;
    client.patience(Duration::from_secs(3600)).map_err(text)?;
    for sql in table(options.rows) {
        client.query(&sql).map_err(|e| format!("{sql}: {e}"))?;
    }
    drop(client);
    report("point selects alone");
    let ((), alone) = beside(port, || {
        std::thread::sleep(ALONE);
        Ok(())
    })?;
    report("large statements");
    let stop = AtomicBool::new(false);
    let begin = Instant::now();
    let (answers, loaded, samples) = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| sample(&server, begin, &stop));
        let large = beside(port, || run_large(port, options));
        stop.store(true, Ordering::Relaxed);
        let samples = sampler.join().map_err(|_| "the sampler panicked".to_string())??;
        let (answers, latency) = large?;
        Ok::<_, String>((answers, latency, samples))
    })?;
    let seconds = begin.elapsed().as_secs_f64();
    server.stop()?;
    let what = format!("{} rows, {} sessions", options.rows, options.sessions);
    std::fs::write(&options.chart, chart::svg(&samples, LIMITS.rss_bytes_max, &what))
        .map_err(|e| format!("{}: {e}", options.chart.display()))?;
    Ok(judged(options, &expected, &answers, (alone, loaded), &samples, seconds))
}

fn judged(
    options: &Options,
    expected: &[String],
    answers: &Answers,
    (alone, loaded): (Latency, Latency),
    samples: &[Sample],
    seconds: f64,
) -> (String, bool) {
    let mut out = chart::table(samples);
    let mut kept = true;
    let mut line = |good: bool, what: String| {
        kept &= good;
        let _ = writeln!(out, "{} {what}", if good { "ok  " } else { "FAIL" });
    };
    for (at, (name, _)) in statements(options.rows).iter().enumerate() {
        let right = answers.iter().filter(|one| one[at].0 == expected[at]).count();
        let mean = answers.iter().map(|one| one[at].1).sum::<f64>() / answers.len().max(1) as f64;
        line(
            right == answers.len(),
            format!(
                "{name}: {right} of {} answers are PostgreSQL's, mean {mean:.1} s",
                answers.len()
            ),
        );
    }
    let most = samples.iter().map(|sample| sample.rss_bytes).max().unwrap_or(0);
    line(
        most <= LIMITS.rss_bytes_max,
        format!("resident memory at most {:.0} MB", most as f64 / MB),
    );
    let ledger = samples.iter().map(|sample| sample.ledger_bytes).max().unwrap_or(0);
    let worst = samples.iter().map(Sample::difference).fold(0.0, f64::max);
    let count = samples.len().max(1) as f64;
    let mean = samples.iter().map(Sample::difference).sum::<f64>() / count;
    let freed = samples.iter().map(|sample| sample.kept_bytes as f64).sum::<f64>() / count;
    line(
        worst <= LIMITS.difference_max,
        format!(
            "ledger at most {:.0} MB; it differs from resident memory by at most {:.1} %, on average {:.1} %; {:.0} MB of it, on average, are freed and kept by the allocator",
            ledger as f64 / MB,
            worst * 100.0,
            mean * 100.0,
            freed / MB
        ),
    );
    let factor = loaded.high_us / alone.high_us.max(1.0);
    line(
        factor <= LIMITS.latency_factor_max,
        format!(
            "point selects: p99 {:.0} us alone, {:.0} us under load ({factor:.1}x); median {:.0} us and {:.0} us; {} and {} of them",
            alone.high_us,
            loaded.high_us,
            alone.median_us,
            loaded.median_us,
            alone.count,
            loaded.count
        ),
    );
    let _ = writeln!(out, "{seconds:.0} s, {} rows, {} sessions", options.rows, options.sessions);
    (out, kept)
}
