//! Runs the oracle's psql.

use crate::Result;
use crate::oracle::Installation;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A psql that knows nothing of the user's files, locale, time zone and environment.
fn command(installation: &Installation, port: u16, database: &str) -> Command {
    let mut command = Command::new(installation.program("psql"));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
    command.env("PGHOST", "127.0.0.1").env("PGPORT", port.to_string());
    command.env("PGUSER", "postgres").env("PGDATABASE", database);
    command.env("PGCLIENTENCODING", "UTF8").env("PGTZ", "America/New_York");
    command.env("PGCONNECT_TIMEOUT", "20");
    command.arg("-X").arg("-q");
    command
}

/// Runs one statement and returns its rows: a line each, unaligned, columns divided by tabs.
///
/// # Errors
/// What psql printed to stderr.
pub fn query(installation: &Installation, port: u16, database: &str, sql: &str) -> Result<String> {
    let output = command(installation, port, database)
        .args(["-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("psql: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_string())
}

/// Logs in as a user with a password, runs one statement and returns its rows.
///
/// # Errors
/// What psql printed to stderr.
pub fn query_as(
    installation: &Installation,
    port: u16,
    database: &str,
    (user, password): (&str, &str),
    sql: &str,
) -> Result<String> {
    let output = command(installation, port, database)
        .env("PGUSER", user)
        .env("PGPASSWORD", password)
        .args(["-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-w", "-c", sql])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("psql: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_string());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_string())
}

/// Runs one statement and feeds it: what `COPY … FROM STDIN` reads.
///
/// # Errors
/// What psql printed to stderr, or what `write` says.
pub fn feed(
    installation: &Installation,
    port: u16,
    database: &str,
    sql: &str,
    write: impl FnOnce(&mut std::process::ChildStdin) -> std::io::Result<()>,
) -> Result<()> {
    let mut child = command(installation, port, database)
        .args(["-v", "ON_ERROR_STOP=1", "-c", sql])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("psql: {error}"))?;
    let mut input = child.stdin.take().ok_or("psql has no stdin")?;
    let written = write(&mut input);
    drop(input);
    let output = child.wait_with_output().map_err(|error| format!("psql: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_string());
    }
    written.map_err(|error| format!("psql: {error}"))
}

/// How a script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// psql read it to its end or to a `\quit`.
    Done,
    /// psql gave up, as it does when the connection is lost.
    Failed,
    /// It took longer than allowed and psql was killed.
    TimedOut,
}

/// A psql that echoes what it reads and prints as scripts expect.
pub(crate) fn echoing(installation: &Installation, port: u16, database: &str) -> Command {
    let mut command = command(installation, port, database);
    command.args(["-a", "-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"]);
    command
}

/// Feeds a script to psql as `psql -X -a -q`; returns what came out of both its streams.
///
/// # Errors
/// When psql cannot be run.
pub fn script(
    installation: &Installation,
    port: u16,
    database: &str,
    text: &str,
    dir: &Path,
    limit: Duration,
) -> Result<(String, End)> {
    let (mut reader, writer) = std::io::pipe().map_err(|e| e.to_string())?;
    let mut command = echoing(installation, port, database);
    command.current_dir(dir).stdin(Stdio::piped());
    command.stdout(writer.try_clone().map_err(|e| e.to_string())?).stderr(writer);
    let mut child = command.spawn().map_err(|error| format!("psql: {error}"))?;
    // The command holds the write end; the reader sees the end only when it is closed.
    drop(command);
    let mut input = child.stdin.take().ok_or("psql has no stdin")?;
    let text = text.to_string();
    // A psql that ends early breaks the pipe; what it printed says why.
    let feeder = std::thread::spawn(move || drop(input.write_all(text.as_bytes())));
    let collector = std::thread::spawn(move || {
        let mut output = Vec::new();
        let _ = reader.read_to_end(&mut output);
        output
    });
    let deadline = Instant::now() + limit;
    let mut end = End::Done;
    let status = loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                end = End::TimedOut;
                let _ = child.kill();
                break child.wait().map_err(|e| e.to_string())?;
            }
            None => std::thread::sleep(Duration::from_millis(4)),
        }
    };
    let _ = feeder.join();
    let output = collector.join().map_err(|_| "the reader of psql's output panicked")?;
    if end == End::Done && !status.success() {
        end = End::Failed;
    }
    Ok((String::from_utf8_lossy(&output).into_owned(), end))
}
