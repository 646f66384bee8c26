//! pg_dump writes of a schema on Perdura what it writes of it on PostgreSQL, and what it writes can
//! be restored.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Duration;
use testkit::oracle::{self, Installation, Oracle};
use testkit::perdura::{self, Perdura};
use testkit::{Server, psql, workspace};

const LIMIT: Duration = Duration::from_secs(120);

/// Says it past the test runner's capture of output.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What pg_dump writes of the schema, without the server's version and the key of its restrictions,
/// which is another each time.
fn dump(installation: &Installation, port: u16, database: &str, options: &[&str]) -> String {
    let output = Command::new(installation.program("pg_dump"))
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "postgres", "-n", "kept"])
        .arg(database)
        .args(options)
        .env("PGTZ", "UTC")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "port {port} {options:?}: {error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let own = ["\\restrict", "\\unrestrict", "-- Dumped from"];
    let is_own = |line: &&str| own.iter().any(|start| line.starts_with(start));
    text.lines().filter(|line| !is_own(line)).fold(String::new(), |all, line| all + line + "\n")
}

fn run(installation: &Installation, port: u16, database: &str, text: &str) {
    let dir = std::env::temp_dir();
    let output = psql::script(installation, port, database, text, &dir, LIMIT).unwrap().0;
    assert!(!output.contains("ERROR"), "{output}");
}

#[test]
fn pg_dump_writes_what_it_writes_of_postgresql() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            say(&format!("\n*** pg_dump NOT RUN: {error}\n"));
            return;
        }
    };
    let objects = fs::read_to_string(workspace().join("tests/psql/dump.sql")).unwrap();
    let postgres = Oracle::start(&installation).unwrap();
    let ours = Perdura::start(perdura::program().unwrap(), &installation).unwrap();
    for port in [postgres.port(), ours.port()] {
        run(&installation, port, "postgres", "create database dumped");
        run(&installation, port, "dumped", &objects);
    }
    for options in [
        &[][..],
        &["--schema-only"],
        &["--inserts", "--rows-per-insert=2"],
        &["--clean", "--if-exists"],
    ] {
        let theirs = dump(&installation, postgres.port(), "dumped", options);
        let written = dump(&installation, ours.port(), "dumped", options);
        let pairs = theirs.lines().zip(written.lines()).enumerate();
        let other = pairs.filter(|(_, (a, b))| a != b).take(20);
        let other: Vec<String> =
            other.map(|(at, (a, b))| format!("{}: {a}\n   {b}", at + 1)).collect();
        assert!(theirs == written, "{options:?}\n{}", other.join("\n"));
    }
    let written = dump(&installation, ours.port(), "dumped", &[]);
    run(&installation, ours.port(), "postgres", "create database restored template template0");
    run(&installation, ours.port(), "restored", &written);
    let again = dump(&installation, ours.port(), "restored", &[]);
    assert!(written == again, "what was restored is dumped otherwise:\n{again}");
}
