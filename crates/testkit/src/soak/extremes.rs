//! Statements that want far more memory than there is.
//!
//! Each is to be answered or to end in an error of its own; its session and the server live on, and
//! the resident memory of the server stays under its limit.

use crate::Result;
use crate::client::{Client, Failure};
use crate::kill9::{Running, ServerOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How large the statements are.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// `memory_limit` of the server, in megabytes.
    pub memory_limit_mb: u64,
    /// The rows of the self-join on a constant key.
    pub rows: u64,
    /// How often `pg_class` is joined with itself.
    pub classes: usize,
    /// `temp_file_limit` of that join, in megabytes.
    pub temporary_mb: u64,
    /// The rows that one statement locks.
    pub locked_rows: u64,
}

impl Size {
    /// What a test has time for.
    pub const SMALL: Size = Size {
        memory_limit_mb: 256,
        rows: 1500,
        classes: 2,
        temporary_mb: 2048,
        locked_rows: 200_000,
    };
    /// The sizes that made PostgreSQL's users write to its mailing lists.
    pub const FULL: Size = Size {
        memory_limit_mb: 512,
        rows: 30_000,
        classes: 3,
        temporary_mb: 40_960,
        locked_rows: 10_000_000,
    };
}

/// What resident memory may have beyond `memory_limit`: what is freed and taken between two looks.
const BEYOND: u64 = 64 << 20;
/// How long a statement may take.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A statement, what is set before, and the errors that it may end in.
struct Shape {
    name: &'static str,
    before: Vec<String>,
    sql: String,
    answer: Option<String>,
    errors: &'static [&'static str],
}

fn shapes(size: Size) -> Vec<Shape> {
    let aliases: Vec<String> = (0..size.classes).map(|n| format!("pg_class c{n}")).collect();
    vec![
        Shape {
            name: "self-join on a constant key within query_memory_limit = 256MB",
            before: vec![
                "set work_mem = '2MB'".into(),
                "set query_memory_limit = '256MB'".into(),
                format!(
                    "create table a as select 1 as k, repeat('x', 100) as v \
                     from generate_series(1, {}) i",
                    size.rows
                ),
                "analyze a".into(),
            ],
            sql: "select count(*), max(x.v || y.v) = repeat('x', 200) \
                  from a x join a y on x.k = y.k"
                .into(),
            answer: Some(format!("{} t", size.rows * size.rows)),
            errors: &[],
        },
        Shape {
            name: "select repeat('x', 900000000)",
            before: Vec::new(),
            sql: "select repeat('x', 900000000)".into(),
            answer: None,
            errors: &["53200"],
        },
        Shape {
            name: "pg_class joined with itself, sorted, with work_mem = 100GB",
            before: vec![
                "set work_mem = '100GB'".into(),
                format!("set temp_file_limit = '{}MB'", size.temporary_mb),
            ],
            sql: format!(
                "select count(*) > 0 from (select * from {} order by random() offset 0) q",
                aliases.join(", ")
            ),
            answer: Some("t".into()),
            errors: &["53200", "53400"],
        },
        Shape {
            name: "all rows of a table locked FOR SHARE",
            before: vec![
                "create table parent (id int primary key)".into(),
                format!("insert into parent select generate_series(1, {})", size.locked_rows),
            ],
            sql: "select count(*) from (select id from parent for share) locked".into(),
            answer: Some(size.locked_rows.to_string()),
            errors: &[],
        },
        Shape {
            name: "as many rows inserted that a foreign key looks up and locks",
            before: vec!["create table child (id int references parent)".into()],
            sql: "with inserted as (insert into child select id from parent returning 1) \
                  select count(*) from inserted"
                .into(),
            answer: Some(size.locked_rows.to_string()),
            errors: &[],
        },
    ]
}

fn text(failure: Failure) -> String {
    failure.to_string()
}

/// How a statement ended, if it may end so.
fn outcome(shape: &Shape, port: u16) -> Result<String> {
    let mut client = Client::connect(port, "postgres").map_err(text)?;
    client.patience(PATIENCE).map_err(text)?;
    for sql in &shape.before {
        client.query(sql).map_err(|e| format!("{sql}: {e}"))?;
    }
    let begin = Instant::now();
    let ended = match client.query(&shape.sql) {
        Ok(rows) => {
            let values = rows.iter().flatten().map(|value| value.as_deref().unwrap_or("null"));
            let got = values.collect::<Vec<_>>().join(" ");
            if shape.answer.as_ref().is_some_and(|answer| *answer != got) {
                return Err(format!("{}: answered {got:.200}", shape.name));
            }
            "answered".to_string()
        }
        Err(error) => match error.sqlstate() {
            Some(state) if shape.errors.contains(&state) => error.to_string(),
            _ => return Err(format!("{}: {error}", shape.name)),
        },
    };
    let seconds = begin.elapsed().as_secs_f64();
    let lives = client.value("select 41 + 1").map_err(|e| format!("after {}: {e}", shape.name))?;
    if lives != "42" {
        return Err(format!("after {}: 41 + 1 is {lives}", shape.name));
    }
    Ok(format!("{ended}, {seconds:.1} s"))
}

/// Runs the statements on a server of its own in `dir`; a line for each.
///
/// # Errors
/// When one ends otherwise than it may, or memory goes over its limit.
pub fn run(program: PathBuf, dir: &Path, size: Size) -> Result<String> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1".into(),
        format!("memory_limit={}MB", size.memory_limit_mb),
    ];
    settings.push("shared_buffers=32MB".into());
    let (data, log) = (dir.join("data"), dir.join("log"));
    let mut server = Running::start(&ServerOptions { program, data, settings, log })?;
    let pid = server.postmaster_pid();
    let mut lines = String::new();
    for shape in shapes(size) {
        let (stop, most) = (AtomicBool::new(false), AtomicU64::new(0));
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    most.fetch_max(crate::bench::resident_bytes(pid), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
            let ended = outcome(&shape, server.port());
            stop.store(true, Ordering::Relaxed);
            ended
        })?;
        let most = most.into_inner();
        let line = format!("{}: {ended}, resident memory at most {} MB", shape.name, most >> 20);
        if most > (size.memory_limit_mb << 20) + BEYOND {
            return Err(line);
        }
        lines.push_str(&line);
        lines.push('\n');
    }
    server.stop()?;
    Ok(lines)
}
