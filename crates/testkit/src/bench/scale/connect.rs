//! What a connection costs: one transaction each, then it is closed; and what SCRAM and TLS add.

use super::super::Target;
use super::login::{Login, tls};
use super::{Bench, Goal, Line, connect, ours, theirs};
use crate::Result;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const CLIENTS: u32 = 8;
const ROLE: &str = "bench_scram";
const PASSWORD: &str = "not a secret";

/// What was measured of one server.
#[derive(Clone, Copy)]
struct Figures {
    pgbench_tps: f64,
    pgbench_cpu_us: f64,
    trust_cpu_us: f64,
    scram_cpu_us: f64,
}

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<Vec<Line>> {
    let certificates = crate::workspace().join("crates/testkit/tests/security/certificates");
    let dir = bench.options.dir.clone();
    let settings = ["ssl=on".to_owned()]
        .into_iter()
        .chain([("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")].map(
            |(setting, file)| format!("{setting}={}", place(&certificates, &dir, file).display()),
        ))
        .collect::<Vec<_>>();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let perdura = bench.perdura(&settings)?;
    let postgres = bench.postgres()?;
    let script = bench.options.dir.join("one.sql");
    std::fs::write(&script, "select 1;\n").map_err(|error| error.to_string())?;
    let script = script.display().to_string();
    let mut figures = Vec::new();
    let trusted = Login { user: "postgres", ..Login::default() };
    for target in [theirs(&postgres), ours(&perdura)] {
        (bench.report)(&format!("  connections on port {}", target.port));
        let run = bench.pgbench(target, CLIENTS, &["-C", "-f", &script], |_| {})?;
        ask_for_password(target)?;
        let trust = bench.logins(target, &trusted)?;
        let scram = Login { user: ROLE, password: Some(PASSWORD), tls: None };
        let scram = bench.logins(target, &scram)?;
        figures.push(Figures {
            pgbench_tps: run.tps,
            pgbench_cpu_us: run.cpu_us,
            trust_cpu_us: trust.cpu_us,
            scram_cpu_us: scram.cpu_us,
        });
        let (trust, scram) = (trust.a_second, scram.a_second);
        (bench.report)(&format!("  log-ins a second: {trust:.0} by trust, {scram:.0} with SCRAM"));
    }
    let [their, our] = figures[..] else {
        return Err("two servers were measured".to_owned());
    };
    let encrypted = Login { tls: Some(tls(&certificates)?), ..trusted };
    let encrypted = bench.logins(ours(&perdura), &encrypted)?;
    let what = "connect and SELECT 1, trust";
    Ok(vec![
        Line::new(what, "us server CPU", Some(our.pgbench_cpu_us), Goal::AtMost(120.0))
            .beside(Some(their.pgbench_cpu_us)),
        Line::new(what, "connections a second", Some(our.pgbench_tps), Goal::AtLeast(8000.0))
            .beside(Some(their.pgbench_tps))
            .note("the client shares the cores"),
        Line::new(
            "SCRAM adds",
            "us server CPU",
            Some(our.scram_cpu_us - our.trust_cpu_us),
            Goal::AtMost(30.0),
        )
        .beside(Some(their.scram_cpu_us - their.trust_cpu_us))
        .note("clients keep their keys"),
        Line::new(
            "a TLS 1.3 handshake adds",
            "us server CPU",
            Some(encrypted.cpu_us - our.trust_cpu_us),
            Goal::AtMost(250.0),
        )
        .note("PostgreSQL has no TLS here"),
    ])
}

/// Copies a file of the certificates to where only its owner may read it.
fn place(certificates: &Path, dir: &Path, file: &str) -> PathBuf {
    let to = dir.join(file);
    // Where that fails, the server says so.
    let _ = std::fs::copy(certificates.join(file), &to);
    let _ = std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600));
    to
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
