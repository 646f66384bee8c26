//! psql describes on Perdura what it describes on PostgreSQL.

use std::fs;
use std::io::Write;
use std::time::Duration;
use testkit::oracle::{self, Installation, Oracle};
use testkit::perdura::{self, Perdura};
use testkit::{Server, psql, workspace};

const LIMIT: Duration = Duration::from_secs(120);

/// Says it past the test runner's capture of output.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What each command of a script prints: its line, then its output.
fn answers(output: &str, commands: &[&str]) -> Vec<String> {
    let mut answers: Vec<String> = Vec::new();
    for line in output.lines() {
        // psql repeats each command before it runs it.
        if commands.get(answers.len()) == Some(&line) {
            answers.push(format!("{line}\n"));
        } else if let Some(last) = answers.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    answers
}

fn run(installation: &Installation, port: u16, text: &str) -> testkit::Result<String> {
    let dir = std::env::temp_dir();
    Ok(psql::script(installation, port, "postgres", text, &dir, LIMIT)?.0)
}

#[test]
fn psql_describes_what_it_describes_on_postgresql() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            say(&format!("\n*** tests/psql NOT RUN: {error}\n"));
            return;
        }
    };
    let dir = workspace().join("tests/psql");
    let objects = fs::read_to_string(dir.join("describe.sql")).unwrap();
    let script = fs::read_to_string(dir.join("describe.psql")).unwrap();
    let commands: Vec<&str> = script.lines().collect();
    let postgres = Oracle::start(&installation).unwrap();
    let ours = Perdura::start(perdura::program().unwrap(), &installation).unwrap();
    let mut outputs = Vec::new();
    for port in [postgres.port(), ours.port()] {
        let made = run(&installation, port, &objects).unwrap();
        assert!(!made.contains("ERROR"), "{made}");
        outputs.push(answers(&run(&installation, port, &script).unwrap(), &commands));
    }
    let [theirs, ours] = &outputs[..] else { panic!("two servers") };
    assert_eq!(theirs.len(), commands.len(), "psql did not run all commands");
    let different: Vec<String> = theirs
        .iter()
        .zip(ours)
        .filter(|(theirs, ours)| theirs != ours)
        .map(|(theirs, ours)| format!("PostgreSQL:\n{theirs}\nPerdura:\n{ours}"))
        .collect();
    say(&format!("tests/psql: {} commands, {} differ", commands.len(), different.len()));
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(theirs.len(), ours.len());
}
