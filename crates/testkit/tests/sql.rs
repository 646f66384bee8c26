//! The scripts of `tests/sql` answer on Perdura as they did on PostgreSQL.

use std::io::Write;
use testkit::gaps::Gaps;
use testkit::oracle;
use testkit::perdura::{self, Perdura};
use testkit::suite;

/// Says it past the test runner's capture of output.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn scripts_answer_as_postgresql_does() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            say(&format!("\n*** tests/sql NOT RUN: {error}\n"));
            return;
        }
    };
    let area = std::env::var("AREA").unwrap_or_default();
    let scripts = suite::scripts(&area).unwrap();
    assert!(!scripts.is_empty(), "no script in tests/sql begins with {area:?}");
    let program = perdura::program().unwrap();
    let mut server = Perdura::start(program, &installation).unwrap();
    let gaps = Gaps::read(&suite::gaps_path()).unwrap();
    let report = suite::compare(&mut server, &installation, &scripts, &gaps).unwrap();
    say(&format!("tests/sql: {}", report.summary()));
    assert!(report.problems.is_empty(), "{}", report.problems.join("\n"));
}
