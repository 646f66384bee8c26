//! What a connection costs: one transaction each, then it is closed.

use super::super::Target;
use super::{Bench, Goal, Line, connect, ours, theirs};
use crate::Result;

const CLIENTS: u32 = 8;
const ROLE: &str = "bench_scram";
const PASSWORD: &str = "not a secret";

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<Vec<Line>> {
    let perdura = bench.perdura(&[])?;
    let postgres = bench.postgres()?;
    let script = bench.options.dir.join("one.sql");
    std::fs::write(&script, "select 1;\n").map_err(|error| error.to_string())?;
    let script = script.display().to_string();
    let mut figures = Vec::new();
    for target in [theirs(&postgres), ours(&perdura)] {
        (bench.report)(&format!("  connections on port {}", target.port));
        let trust = bench.pgbench(target, CLIENTS, &["-C", "-f", &script], |_| {})?;
        ask_for_password(target)?;
        let scram = bench.pgbench(target, CLIENTS, &["-C", "-f", &script], |command| {
            command.env("PGUSER", ROLE).env("PGPASSWORD", PASSWORD);
        })?;
        figures.push((trust, scram));
    }
    let [(their_trust, their_scram), (trust, scram)] = figures[..] else {
        return Err("two servers were measured".to_owned());
    };
    Ok(vec![
        Line::new(
            "connect and SELECT 1, trust",
            "us server CPU",
            Some(trust.cpu_us),
            Goal::AtMost(120.0),
        )
        .beside(Some(their_trust.cpu_us)),
        Line::new(
            "connect and SELECT 1, trust",
            "connections a second",
            Some(trust.tps),
            Goal::AtLeast(8000.0),
        )
        .beside(Some(their_trust.tps))
        .note("the client shares the cores"),
        Line::new(
            "SCRAM adds",
            "us server CPU",
            Some(scram.cpu_us - trust.cpu_us),
            Goal::AtMost(30.0),
        )
        .beside(Some(their_scram.cpu_us - their_trust.cpu_us)),
        Line::new("a TLS 1.3 handshake", "us server CPU", None, Goal::AtMost(250.0))
            .note("PostgreSQL's pgbench here has no TLS"),
    ])
}

/// Makes a role that needs a password.
fn ask_for_password(target: Target) -> Result<()> {
    let mut client = connect(target)?;
    let mut run = |sql: &str| client.query(sql).map_err(|failure| failure.to_string());
    run("SET password_encryption = 'scram-sha-256'")?;
    run(&format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'"))?;
    let rows = run("SHOW hba_file")?;
    let path = rows.first().and_then(|row| row.first().cloned().flatten());
    let path = path.ok_or("hba_file is not known")?;
    let old = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let new = format!("host all {ROLE} 127.0.0.1/32 scram-sha-256\n{old}");
    std::fs::write(&path, new).map_err(|error| format!("{path}: {error}"))?;
    run("SELECT pg_reload_conf()")?;
    std::thread::sleep(std::time::Duration::from_millis(500));
    Ok(())
}
