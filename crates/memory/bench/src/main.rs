//! `make bench-memory`: memory contexts beside malloc, mimalloc, bumpalo and PostgreSQL 18's own.
//!
//! One run measures every row for every column with criterion and prints one table. Rows: a batch
//! of 100 allocations of so many bytes and their frees (a bump's: one reset), per allocation; the
//! reset of a context with 1,000,000 chunks of 64 bytes; the deletion of a tree of 10,000 contexts.
//! The columns of PostgreSQL are measured inside of its backend by `palloc.c`, the others here, with
//! mimalloc as the global allocator, as in the server; all in processor time.
//!
//! It ends with 1 when a context is slower than PostgreSQL's of its kind in any row, or Bump takes
//! over 1.2 times as long as bumpalo in a row that both have.

mod postgres;
mod subjects;

use criterion::{BenchmarkGroup, Criterion, measurement::WallTime};
use postgres::Postgres;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 6] = [16, 64, 256, 1024, 4096, 8192];
/// PostgreSQL's columns, by their number in `palloc.c`.
const POSTGRES: [&str; 4] = ["pg AllocSet", "pg Generation", "pg Slab", "pg Bump"];
const RESET: &str = "reset of 1 M chunks";
const DELETE: &str = "delete of 10,000 contexts";
/// How much longer Bump may take than bumpalo.
const BUMP_RATIO_MAX: f64 = 1.2;

/// One row of the table: its name, its unit in nanoseconds, and a column's fastest sample.
struct Row {
    name: String,
    unit: (f64, &'static str),
    columns: HashMap<&'static str, f64>,
}

/// Where criterion leaves its numbers.
fn folder() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    target.join("criterion")
}

/// The fastest of the samples that criterion took, in nanoseconds: what else the machine does to
/// caches and clocks only adds.
fn fastest(group: &str, column: &str) -> f64 {
    let path = folder().join(group.replace('/', "_")).join(column).join("new/sample.json");
    let numbers = |json: &serde_json::Value| -> Option<Vec<f64>> {
        json.as_array()?.iter().map(serde_json::Value::as_f64).collect()
    };
    let read = std::fs::read(&path).ok().and_then(|bytes| {
        let json: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        let (times, rounds) = (numbers(&json["times"])?, numbers(&json["iters"])?);
        times.iter().zip(rounds).map(|(time, rounds)| time / rounds).reduce(f64::min)
    });
    read.unwrap_or_else(|| panic!("no sample in {}", path.display()))
}

fn measure(
    criterion: &mut Criterion,
    row: &str,
    configure: impl Fn(&mut BenchmarkGroup<'_, WallTime>),
    mut columns: Vec<(&'static str, Box<dyn FnMut(u64) -> Duration + '_>)>,
) -> HashMap<&'static str, f64> {
    let mut group = criterion.benchmark_group(row);
    configure(&mut group);
    for (name, run) in &mut columns {
        group.bench_function(*name, |bencher| bencher.iter_custom(&mut *run));
    }
    group.finish();
    columns.iter().map(|(name, _)| (*name, fastest(row, name))).collect()
}

fn quick(group: &mut BenchmarkGroup<'_, WallTime>) {
    group.sample_size(20).warm_up_time(Duration::from_millis(100));
    group.measurement_time(Duration::from_millis(400));
}

fn slow(group: &mut BenchmarkGroup<'_, WallTime>) {
    group.sample_size(10).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
}

/// Whether a row was asked for: all are, unless an argument is part of some names.
fn wanted(row: &str) -> bool {
    std::env::args().nth(1).is_none_or(|part| row.contains(&part))
}

fn rows(criterion: &mut Criterion, postgres: &Postgres) -> Vec<Row> {
    let subjects = subjects::all();
    let mut rows = Vec::new();
    type Columns<'a> = Vec<(&'static str, Box<dyn FnMut(u64) -> Duration + 'a>)>;
    for bytes in SIZES {
        let name = format!("alloc+free of {bytes} bytes");
        if !wanted(&name) {
            continue;
        }
        let mut columns: Columns<'_> = Vec::new();
        for subject in &subjects {
            columns.push((subject.name(), Box::new(move |n| subject.pairs(bytes, n))));
        }
        for (kind, name) in POSTGRES.into_iter().enumerate() {
            let call = move |n| postgres.time(&format!("pairs({kind}, {bytes}, {n})"));
            columns.push((name, Box::new(call)));
        }
        let columns = measure(criterion, &name, quick, columns);
        rows.push(Row { name, unit: (subjects::BATCH as f64, "ns"), columns });
    }
    let mut resets: Columns<'_> = Vec::new();
    let mut deletes: Columns<'_> = Vec::new();
    for subject in &subjects {
        resets.push((subject.name(), Box::new(|n| subject.resets(n))));
        if subject.deletes(1).is_some() {
            let run = |n| subject.deletes(n).unwrap_or_default();
            deletes.push((subject.name(), Box::new(run)));
        }
    }
    for (kind, name) in POSTGRES.into_iter().enumerate() {
        resets.push((name, Box::new(move |n| postgres.time(&format!("resets({kind}, {n})")))));
        deletes.push((name, Box::new(move |n| postgres.time(&format!("deletes({kind}, {n})")))));
    }
    for (name, columns) in [(RESET, resets), (DELETE, deletes)] {
        if !wanted(name) {
            continue;
        }
        let columns = measure(criterion, name, slow, columns);
        rows.push(Row { name: name.into(), unit: (1000.0, "µs"), columns });
    }
    rows
}

fn print(rows: &[Row]) {
    let ours = subjects::all();
    let columns: Vec<&str> = ours.iter().map(|subject| subject.name()).chain(POSTGRES).collect();
    println!("| fastest sample | {} |", columns.join(" | "));
    println!("|---|{}", "---:|".repeat(columns.len()));
    for Row { name, unit: (unit, suffix), columns: found } in rows {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| found.get(column).map_or("".into(), |time| format!("{:.1}", time / unit)))
            .collect();
        println!("| {name}, {suffix} | {} |", cells.join(" | "));
    }
}

/// What the numbers break of what they promise.
fn broken(rows: &[Row]) -> Vec<String> {
    let mut broken = Vec::new();
    for row in rows {
        let mut compare = |ours: &str, theirs: &str, ratio_max: f64| {
            let Some(theirs_ns) = row.columns.get(theirs) else { return };
            let ratio = row.columns[ours] / theirs_ns;
            if ratio > ratio_max {
                broken.push(format!("{}: {ours} takes {ratio:.2} times {theirs}", row.name));
            }
        };
        for theirs in POSTGRES {
            compare(&theirs["pg ".len()..], theirs, 1.0);
        }
        compare("Bump", "bumpalo", BUMP_RATIO_MAX);
    }
    broken
}

fn main() -> ExitCode {
    let postgres = match Postgres::start() {
        Ok(postgres) => postgres,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mut criterion = Criterion::default().without_plots().output_directory(&folder());
    let rows = rows(&mut criterion, &postgres);
    print(&rows);
    let broken = broken(&rows);
    for line in &broken {
        println!("{line}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
