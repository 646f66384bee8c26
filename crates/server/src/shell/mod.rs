//! `perdura shell`: SQL on a data directory without a server and without sockets.
//!
//! The process recovers the cluster, runs one session and stops again. Statements go through the
//! protocol's messages, as those of clients do; [`print`] shows the answers as psql does, [`split`]
//! divides scripts. `\q` ends a script; psql's other commands are errors.

#[cfg(test)]
mod allocation_tests;
mod print;
mod split;

use crate::config::Config;
use crate::data_directory::{self, Found};
use crate::lock_file::{Guards, LockFile};
use base::interrupt::{Interrupt, Interrupts};
use base::{Error, Result};
use print::Printer;
use sched::Fiber;
use session::{Client, Cluster, Flow, Identity, Session};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wire::{Frame, Message};

/// What a shell runs.
#[derive(Clone, Debug)]
pub enum ShellInput {
    /// `-c`: one message.
    Command(String),
    /// `-f`: a file, statement by statement.
    File(PathBuf),
}

/// How a shell begins.
#[derive(Clone, Debug)]
pub struct ShellOptions {
    /// The data directory; made when it is missing or empty.
    pub data_dir: PathBuf,
    /// What to run, in order; nothing means standard input.
    pub inputs: Vec<ShellInput>,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
}

/// The exit codes of psql.
const FAILED: u8 = 1;
const LOST: u8 = 2;

/// Runs a shell; returns its exit code. What keeps it from running is on stderr then.
pub fn shell(options: &ShellOptions) -> u8 {
    open(options).unwrap_or_else(|error| {
        let severity = wire::backend::severity_word(error.fields().severity);
        let text = format!("perdura: error: {severity}:  {error}\n");
        // There is nowhere to report that stderr is gone.
        let _ = std::io::stderr().write_all(text.as_bytes());
        LOST
    })
}

fn open(options: &ShellOptions) -> Result<u8> {
    if data_directory::look(&options.data_dir)? == Found::Nothing {
        data_directory::initialize(&options.data_dir, None)?;
    }
    let data_dir = options.data_dir.canonicalize().unwrap_or_else(|_| options.data_dir.clone());
    data_directory::check(&data_dir)?;
    let config = Config::load(&data_dir, &[]).map_err(Error::fatal)?;
    let settings = config.to_base(&data_dir)?;
    let guards = Guards::DataDirectory(&data_dir);
    let mut lock = LockFile::take(&data_dir.join("postmaster.pid"), guards)?;
    lock.write(&guards.head(0, 0))?;
    let cluster = Cluster::open(
        data_dir,
        settings,
        |_| (),
        |dir, settings, ledger| engine::open(dir, settings, ledger, stop, |_| {}),
    )?;
    let main_cluster = cluster.clone();
    let code = sched::run(1, move |_| async move { run(main_cluster, options).await })
        .map_err(|e| base::err!(SYSTEM_ERROR, "could not start a worker: {e}").fatal())?;
    cluster.close()?;
    drop(lock);
    code
}

/// Ends the process: the log or the pages cannot be written any more.
fn stop(error: &Error) {
    crate::log::error(None, error);
    std::process::exit(2);
}

async fn run(cluster: Arc<Cluster>, options: &ShellOptions) -> Result<u8> {
    let entry = cluster.enter(4, session::Origin::default());
    let interrupts = entry.interrupts.clone();
    let user = options.user.clone();
    let role = fiber(&interrupts, || cluster.engine().role(&user)).await?;
    let Some(role) = role else {
        base::bail_fatal!(INVALID_AUTHORIZATION_SPECIFICATION, "role \"{user}\" does not exist");
    };
    let identity = Identity {
        user,
        superuser: role.superuser,
        database: options.database.clone(),
        options: vec![("application_name".to_owned(), "perdura shell".to_owned())],
    };
    let mut greeting = Vec::new();
    let start = cluster.clone();
    let out = &mut greeting;
    let session = fiber(&interrupts, || Session::start(start, entry, identity, out)).await?;
    let mut shell = Shell { session, interrupts, printer: Printer::default() };
    let mut code = 0;
    for input in &options.inputs {
        let flow = match input {
            ShellInput::Command(text) => {
                shell.printer.failed = false;
                let flow = shell.query(text, None).await?;
                code = if shell.printer.failed { FAILED } else { 0 };
                flow
            }
            ShellInput::File(path) => {
                let script = std::fs::read_to_string(path).map_err(|error| {
                    base::err!(IO_ERROR, "{}: {}", path.display(), crate::config::os_text(&error))
                })?;
                shell.script(&script, &path.display().to_string()).await?
            }
        };
        if flow == Flow::End {
            return Ok(LOST);
        }
    }
    if options.inputs.is_empty() && shell.interact(&options.database).await? == Flow::End {
        return Ok(LOST);
    }
    Ok(code)
}

async fn fiber<T>(interrupts: &Arc<Interrupts>, body: impl FnOnce() -> Result<T>) -> Result<T> {
    match Fiber::new(Some(interrupts.clone()), body).await {
        Ok(result) => result,
        Err(panicked) => Err(Error::internal(panicked.message)),
    }
}

struct Shell {
    session: Session,
    interrupts: Arc<Interrupts>,
    printer: Printer,
}

impl Shell {
    /// Runs one message; COPY FROM STDIN reads `data`, or standard input.
    async fn query(&mut self, text: &str, data: Option<&mut Data<'_>>) -> Result<Flow> {
        let mut terminal = Terminal {
            out: Vec::new(),
            printer: &mut self.printer,
            query: text,
            data,
            asked: false,
        };
        let session = &mut self.session;
        let terminal = &mut terminal;
        fiber(&self.interrupts, || {
            let flow = session.handle(Message::Query(text.as_bytes()), terminal);
            session.before_sending()?;
            terminal.show()?;
            Ok(flow)
        })
        .await
    }

    /// Runs a script; errors do not end it.
    async fn script(&mut self, script: &str, name: &str) -> Result<Flow> {
        let mut data = Data { script, at: 0 };
        while let Some((piece, behind)) = split::next(script, data.at) {
            if piece.text.starts_with("\\q") {
                break;
            }
            data.at = behind;
            self.printer.place = format!("psql:{name}:{}: ", piece.line);
            let statement = format!("{};", piece.text.trim_end());
            if self.query(&statement, Some(&mut data)).await? == Flow::End {
                return Ok(Flow::End);
            }
        }
        self.printer.place.clear();
        Ok(Flow::Continue)
    }

    /// Runs what standard input says.
    async fn interact(&mut self, database: &str) -> Result<Flow> {
        let stdin = std::io::stdin();
        let asks = stdin.is_terminal();
        let mut text = String::new();
        loop {
            if asks {
                let sign = if text.trim().is_empty() { '=' } else { '-' };
                prompt(&format!("{database}{sign}# "));
            }
            let mut line = String::new();
            let count = stdin.lock().read_line(&mut line).map_err(lost)?;
            if text.trim().is_empty() && line.trim_start().starts_with("\\q") {
                return Ok(Flow::Continue);
            }
            text.push_str(&line);
            let ended = count == 0;
            if ended || split::is_complete(&text) {
                let mut at = 0;
                while let Some((piece, behind)) = split::next(&text, at) {
                    at = behind;
                    let statement = format!("{};", piece.text.trim_end());
                    if self.query(&statement, None).await? == Flow::End {
                        return Ok(Flow::End);
                    }
                }
                text.clear();
            }
            if ended {
                return Ok(Flow::Continue);
            }
        }
    }
}

fn prompt(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn lost(error: std::io::Error) -> Error {
    base::err!(IO_ERROR, "could not read standard input: {}", crate::config::os_text(&error))
}

/// A script with the rows of COPY FROM STDIN in it.
struct Data<'s> {
    script: &'s str,
    at: usize,
}

impl Data<'_> {
    /// The next line with its end; none behind `\.` and at the end.
    fn line(&mut self, first: bool) -> Option<String> {
        let mut rest = self.script.get(self.at..)?;
        if first {
            // The rows begin on the line behind the statement.
            let skip = rest.find('\n').map_or(rest.len(), |at| at + 1);
            self.at += skip;
            rest = &rest[skip..];
        }
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        self.at += end;
        let line = &rest[..end];
        (!line.is_empty() && line.trim_end() != "\\.").then(|| line.to_owned())
    }
}

/// The session's client: what it sends is printed.
struct Terminal<'t, 'd> {
    out: Vec<u8>,
    printer: &'t mut Printer,
    query: &'t str,
    data: Option<&'t mut Data<'d>>,
    /// COPY has asked for rows and got none yet.
    asked: bool,
}

impl Terminal<'_, '_> {
    /// Prints the messages that are whole.
    fn show(&mut self) -> Result<()> {
        let (mut stdout, mut stderr) = (std::io::stdout().lock(), std::io::stderr().lock());
        let mut at = 0;
        while let Some((message, bytes)) = print::next(&self.out[at..]) {
            self.asked |= message.kind == b'G';
            let printed = self.printer.take(&message, self.query, &mut stdout, &mut stderr);
            printed.and_then(|()| stdout.flush()).map_err(|error| {
                base::err!(CONNECTION_FAILURE, "could not print: {error}").fatal()
            })?;
            at += bytes;
        }
        self.out.drain(..at);
        Ok(())
    }

    fn line(&mut self, first: bool) -> Result<Option<String>> {
        if let Some(data) = &mut self.data {
            return Ok(data.line(first));
        }
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(lost)?;
        Ok((!line.is_empty() && line.trim_end() != "\\.").then_some(line))
    }
}

impl Client for Terminal<'_, '_> {
    fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn send(&mut self) -> Result<()> {
        self.show()
    }

    fn receive(&mut self, take: &mut dyn FnMut(Frame<'_>) -> Result<()>) -> Result<()> {
        self.show()?;
        let first = std::mem::take(&mut self.asked);
        match self.line(first)? {
            Some(line) => take(Frame { kind: b'd', body: line.as_bytes() }),
            None => take(Frame { kind: b'c', body: &[] }),
        }
    }

    fn set_timer(&mut self, _: Interrupt, _: Option<Duration>) {}
}
