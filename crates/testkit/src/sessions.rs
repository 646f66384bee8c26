//! Runs a script whose statements belong to several sessions.
//!
//! # How it works
//! A comment `-- session NAME` in a script says in which session the statements from there on
//! run. `-- session NAME waits` says in addition that the next statement is to wait for another
//! session: it is sent, and the script goes on; its output is the one that it has in the end. Each
//! session is a psql of its own that is given one step at a time.
//!
//! # Rules
//! 1. A step begins only when the step before it has answered or was announced to wait.
//! 2. A waiting step that another one frees has answered before the next one begins.
//! 3. A step that was announced to wait and answered at once says so in its output.
//!
//! # Limits
//! That a step waits is seen by its having no answer for a moment.

use crate::Result;
use crate::oracle::Installation;
use crate::psql;
use crate::script::{self, Step};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a step that is to wait has no answer.
const WAIT_MIN: Duration = Duration::from_millis(400);
/// How long a step that waits has to answer after a step that may have freed it.
const FREED_LIMIT: Duration = Duration::from_millis(300);
/// How long psql may take to end.
const END_LIMIT: Duration = Duration::from_secs(5);
/// How a line that switches the session begins.
const SWITCH: &str = "-- session ";

/// Whether the steps name sessions.
pub(crate) fn named(steps: &[Step]) -> bool {
    steps.iter().any(|step| switch(step).is_some())
}

/// The session that a step switches to, and whether it is to wait there.
fn switch(step: &Step) -> Option<(&str, bool)> {
    let line = step.source.iter().rev().find_map(|line| line.strip_prefix(SWITCH))?;
    Some(line.strip_suffix(" waits").map_or((line, false), |name| (name, true)))
}

/// One psql.
struct Session {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: Arc<Mutex<Vec<u8>>>,
    /// The steps that it was given.
    steps: Vec<usize>,
}

impl Session {
    fn start(
        installation: &Installation,
        port: u16,
        database: &str,
        dir: &Path,
        name: &str,
    ) -> Result<Self> {
        let (mut reader, writer) = std::io::pipe().map_err(|e| e.to_string())?;
        let mut command = psql::echoing(installation, port, database);
        command.current_dir(dir).stdin(Stdio::piped());
        command.stdout(writer.try_clone().map_err(|e| e.to_string())?).stderr(writer);
        let mut child = command.spawn().map_err(|error| format!("psql: {error}"))?;
        drop(command);
        let input = child.stdin.take();
        let output = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&output);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = reader.read(&mut buffer) {
                let Ok(mut collected) = collected.lock() else { break };
                if length == 0 {
                    break;
                }
                collected.extend_from_slice(&buffer[..length]);
            }
        });
        Ok(Session { name: name.to_string(), child, input, output, steps: Vec::new() })
    }

    fn text(&self) -> String {
        let output = self.output.lock().map(|bytes| bytes.clone()).unwrap_or_default();
        String::from_utf8_lossy(&output).into_owned()
    }

    /// Sends a step. A psql that has ended takes nothing; its output says why.
    fn send(&mut self, number: usize, step: &Step, tag: &str) {
        self.steps.push(number);
        if let Some(input) = &mut self.input {
            let _ = input.write_all(script::instrument_step(step, number, tag).as_bytes());
            let _ = input.flush();
        }
    }

    /// Waits until the last step has answered; whether it has in time.
    fn answered(&mut self, tag: &str, limit: Duration) -> bool {
        let Some(&last) = self.steps.last() else { return true };
        let deadline = Instant::now() + limit;
        loop {
            if script::is_marked(&self.text(), last, tag) {
                return true;
            }
            if Instant::now() > deadline || !matches!(self.child.try_wait(), Ok(None)) {
                return script::is_marked(&self.text(), last, tag);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Lets psql end.
    fn end(&mut self) {
        self.input = None;
        let deadline = Instant::now() + END_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Runs the steps; returns what each printed, and whether all answered in time.
///
/// # Errors
/// When psql cannot be run.
pub(crate) fn run(
    installation: &Installation,
    port: u16,
    database: &str,
    steps: &[Step],
    dir: &Path,
    limit: Duration,
) -> Result<(Vec<Option<String>>, bool)> {
    let tag = format!("{:x}", std::process::id());
    let deadline = Instant::now() + limit;
    let mut sessions: Vec<Session> = Vec::new();
    let mut hasty = Vec::new();
    let (mut current, mut in_time) = ("", true);
    for (number, step) in steps.iter().enumerate() {
        let (name, waits) = switch(step).unwrap_or((current, false));
        current = name;
        let at = match sessions.iter().position(|session| session.name == name) {
            Some(at) => at,
            None => {
                sessions.push(Session::start(installation, port, database, dir, name)?);
                sessions.len() - 1
            }
        };
        let Some(session) = sessions.get_mut(at) else { continue };
        session.send(number, step, &tag);
        if waits {
            if session.answered(&tag, WAIT_MIN) {
                hasty.push(number);
            }
        } else if !session.answered(&tag, deadline.saturating_duration_since(Instant::now())) {
            in_time = false;
            break;
        } else {
            for other in &mut sessions {
                other.answered(&tag, FREED_LIMIT);
            }
        }
    }
    let mut segments = vec![None; steps.len()];
    for session in &mut sessions {
        let left = deadline.saturating_duration_since(Instant::now());
        in_time &= session.answered(&tag, left);
        session.end();
        let cut = script::cut_marked_steps(&session.text(), &session.steps, &tag);
        for (number, segment) in session.steps.iter().zip(cut) {
            segments[*number] = segment;
        }
    }
    for number in hasty {
        if let Some(segment) = &mut segments[number] {
            segment.push_str("(did not wait)\n");
        }
    }
    Ok((segments, in_time))
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
