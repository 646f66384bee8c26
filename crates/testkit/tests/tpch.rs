//! The 22 queries of TPC-H answer on Perdura as they did on PostgreSQL.

use std::io::Write;
use std::time::Instant;
use testkit::oracle;
use testkit::perdura::{self, Perdura};
use testkit::tpch::{self, QUERIES, SCALE_FACTOR, Target};

/// Says it past the test runner's capture of output.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn the_queries_of_tpch_answer_as_postgresql_does() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            say(&format!("\n*** TPC-H NOT RUN: {error}\n"));
            return;
        }
    };
    let server = Perdura::start(perdura::program().unwrap(), &installation).unwrap();
    let target = Target::of(&server, &installation);
    let start = Instant::now();
    target.load(SCALE_FACTOR).unwrap();
    let loaded = start.elapsed();
    let mut problems = Vec::new();
    for query in 1..=QUERIES {
        let expected = std::fs::read_to_string(tpch::answer_path(query)).unwrap();
        match target.answer(query) {
            Ok(answer) if answer == expected => {}
            Ok(answer) => {
                let differs = |(ours, theirs): &(&str, &str)| ours != theirs;
                let line = answer.lines().zip(expected.lines()).find(differs);
                let (ours, theirs) = (answer.lines().count(), expected.lines().count());
                problems.push(format!("q{query:02}: {ours} rows of {theirs}, {line:?}"));
            }
            Err(error) => problems.push(format!("q{query:02}: {error}")),
        }
    }
    say(&format!(
        "TPC-H at {SCALE_FACTOR}: loaded in {:.1} s, {QUERIES} queries in {:.1} s",
        loaded.as_secs_f64(),
        (start.elapsed() - loaded).as_secs_f64()
    ));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
