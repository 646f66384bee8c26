//! Runs `tests/sql` against a server and compares it with what the oracle recorded.

use crate::gaps::{Gaps, WHOLE};
use crate::oracle::Installation;
use crate::psql::{self, End};
use crate::script::{self, Step};
use crate::{Result, Server, sessions, workspace};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one script may take.
const SCRIPT_LIMIT: Duration = Duration::from_secs(60);
/// The database that each script has for itself.
const DATABASE: &str = "regression";
/// The differences that are shown in full.
const SHOWN_MAX: usize = 30;

/// The folder of the scripts.
pub fn folder() -> PathBuf {
    workspace().join("tests/sql")
}

/// The list of known gaps.
pub fn gaps_path() -> PathBuf {
    folder().join("gaps.tsv")
}

/// One script.
#[derive(Debug)]
pub struct Script {
    /// `area/topic`.
    pub name: String,
    /// The path of the `.sql` file.
    pub path: PathBuf,
    /// Its steps.
    pub steps: Vec<Step>,
}

impl Script {
    /// The path of the expected output.
    pub fn expected_path(&self) -> PathBuf {
        self.path.with_extension("out")
    }

    /// The expected output of each step.
    ///
    /// # Errors
    /// When nothing is recorded, or not for the script as it stands.
    fn expected(&self) -> Result<Vec<String>> {
        let path = self.expected_path();
        let text = fs::read_to_string(&path)
            .map_err(|e| format!("{}: {e}; run `cargo xtask oracle record`", path.display()))?;
        let segments = script::cut_recorded(&text, &self.steps);
        let missing = segments.iter().position(Option::is_none);
        match missing {
            None => Ok(segments.into_iter().flatten().collect()),
            Some(step) => Err(format!(
                "{}: nothing recorded for line {}; run `cargo xtask oracle record`",
                self.name, self.steps[step].line
            )),
        }
    }
}

/// The scripts whose name begins with `prefix`, in order.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn scripts(prefix: &str) -> Result<Vec<Script>> {
    let mut scripts = Vec::new();
    let root = folder();
    for area in entries(&root)?.into_iter().filter(|path| path.is_dir()) {
        for path in entries(&area)? {
            let name = path.strip_prefix(&root).unwrap_or(&path).with_extension("");
            let name = name.to_string_lossy().into_owned();
            if path.extension().is_some_and(|e| e == "sql") && name.starts_with(prefix) {
                let text =
                    fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
                scripts.push(Script { name, path, steps: script::split(&text) });
            }
        }
    }
    Ok(scripts)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let list = fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut paths: Vec<PathBuf> = list.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Runs scripts on one server, each in a fresh database. A server that cannot make one is
/// started anew on an empty directory for each script.
struct Runner<'a> {
    server: &'a mut dyn Server,
    installation: &'a Installation,
    dir: PathBuf,
    databases: bool,
}

impl Runner<'_> {
    fn query(&self, sql: &str) -> Result<String> {
        psql::query(self.installation, self.server.port(), "postgres", sql)
    }

    /// A fresh database; returns its name.
    fn fresh(&mut self) -> Result<&'static str> {
        if self.databases {
            let made = self
                .query(&format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"))
                .and_then(|_| self.query(&format!("CREATE DATABASE {DATABASE}")));
            if made.is_ok() {
                return Ok(DATABASE);
            }
            self.server.reset()?;
            self.databases = self.query(&format!("CREATE DATABASE {DATABASE}")).is_ok();
            return Ok(if self.databases { DATABASE } else { "postgres" });
        }
        self.server.reset()?;
        Ok("postgres")
    }

    fn run(&mut self, script: &Script) -> Result<(Vec<Option<String>>, End)> {
        let database = self.fresh()?;
        if sessions::named(&script.steps) {
            return self.run_sessions(script, database);
        }
        let tag = format!("{:x}", std::process::id());
        let text = script::instrument(&script.steps, &tag);
        let port = self.server.port();
        let (output, end) =
            psql::script(self.installation, port, database, &text, &self.dir, SCRIPT_LIMIT)?;
        let mut segments = script::cut_marked(&output, script.steps.len(), &tag);
        match end {
            End::Done => {}
            End::Failed => {}
            End::TimedOut => self.give_up(&mut segments)?,
        }
        Ok((segments, end))
    }

    /// Runs a script of several sessions.
    fn run_sessions(
        &mut self,
        script: &Script,
        database: &str,
    ) -> Result<(Vec<Option<String>>, End)> {
        let (installation, port) = (self.installation, self.server.port());
        let (steps, dir) = (&script.steps, &self.dir);
        let (mut segments, in_time) =
            sessions::run(installation, port, database, steps, dir, SCRIPT_LIMIT)?;
        if in_time {
            return Ok((segments, End::Done));
        }
        self.give_up(&mut segments)?;
        Ok((segments, End::TimedOut))
    }

    /// Says that the last answer did not come, and brings the server back.
    fn give_up(&mut self, segments: &mut [Option<String>]) -> Result<()> {
        if let Some(last) = segments.iter_mut().rev().flatten().next() {
            last.push_str("(no answer in time)\n");
        }
        self.databases = true;
        self.server.reset()
    }
}

fn runner<'a>(server: &'a mut dyn Server, installation: &'a Installation) -> Result<Runner<'a>> {
    let dir = workspace().join("build/sql");
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    Ok(Runner { server, installation, dir, databases: true })
}

/// Records the expected output of `scripts` from the oracle; returns how many files changed.
///
/// # Errors
/// When a script does not run to its end, leaves roles behind, or prints something that cannot
/// be cut again (rule 1 of the crate).
pub fn record(
    server: &mut dyn Server,
    installation: &Installation,
    scripts: &[Script],
) -> Result<usize> {
    let mut runner = runner(server, installation)?;
    let mut changed = 0;
    for script in scripts {
        let (segments, end) = runner.run(script)?;
        if end != End::Done || segments.iter().any(Option::is_none) {
            return Err(format!("{}: psql did not come to its end: {end:?}", script.name));
        }
        let output = script::join(&segments);
        let again = script::cut_recorded(&output, &script.steps);
        if let Some(step) = (0..segments.len()).find(|&step| again[step] != segments[step]) {
            return Err(format!(
                "{}:{}: its output cannot be told apart by the echoed lines; word it otherwise",
                script.path.display(),
                script.steps[step].line
            ));
        }
        let roles = runner.query("SELECT rolname FROM pg_roles WHERE oid >= 16384")?;
        if !roles.is_empty() {
            return Err(format!("{}: leaves roles behind: {}", script.name, roles.trim()));
        }
        let path = script.expected_path();
        if fs::read_to_string(&path).ok().as_deref() != Some(&output) {
            fs::write(&path, output).map_err(|e| format!("{}: {e}", path.display()))?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// What a run found.
#[derive(Debug, Default)]
pub struct Report {
    /// The scripts that ran.
    pub scripts: usize,
    /// Their statements.
    pub statements: usize,
    /// The statements for which the oracle reports an error.
    pub errors: usize,
    /// The statements that answer as the oracle does.
    pub equal: usize,
    /// What is wrong: differences that are no known gap, and gaps that have closed.
    pub problems: Vec<String>,
    /// Every difference: script, step counted from 1, reason.
    pub differences: Vec<(String, usize, String)>,
}

impl Report {
    /// The counts as one line.
    pub fn summary(&self) -> String {
        let Report { scripts, statements, errors, equal, .. } = self;
        let percent = if *statements == 0 { 0 } else { errors * 100 / statements };
        format!(
            "{scripts} scripts, {statements} statements, {errors} ({percent} %) of them expect \
             an error; {equal} answer as PostgreSQL does, {} are known gaps",
            self.differences.len()
        )
    }

    fn problem(&mut self, text: String) {
        if self.problems.len() < SHOWN_MAX {
            self.problems.push(text);
        } else if self.problems.len() == SHOWN_MAX {
            self.problems.push("... and more".to_string());
        }
    }
}

/// Runs `scripts` and compares each step with what is recorded.
///
/// # Errors
/// When the server does not start or an expected output is missing.
pub fn compare(
    server: &mut dyn Server,
    installation: &Installation,
    scripts: &[Script],
    gaps: &Gaps,
) -> Result<Report> {
    let name = server.name();
    let mut runner = runner(server, installation)?;
    let mut report = Report::default();
    for script in scripts {
        let expected = script.expected()?;
        let (actual, _) = runner.run(script)?;
        judge(script, &expected, &actual, gaps, name, &mut report);
    }
    for (script, step) in gaps.iter() {
        let known = scripts.iter().find(|s| s.name == script);
        if known.is_some_and(|s| step > s.steps.len()) {
            report.problem(format!("{script}: the list of gaps names step {step}: there is none"));
        }
    }
    Ok(report)
}

fn judge(
    script: &Script,
    expected: &[String],
    actual: &[Option<String>],
    gaps: &Gaps,
    server: &str,
    report: &mut Report,
) {
    report.scripts += 1;
    let whole = gaps.reason(&script.name, WHOLE).is_some();
    let mut differs = false;
    for (index, step) in script.steps.iter().enumerate() {
        let (number, expected) = (index + 1, &expected[index]);
        report.statements += step.statements;
        if expected.lines().any(|line| line.starts_with("ERROR:")) {
            report.errors += step.statements.min(1);
        }
        let known = whole || gaps.reason(&script.name, number).is_some();
        let actual = actual[index].as_deref();
        if actual == Some(expected.as_str()) {
            report.equal += step.statements;
            if known && !whole {
                let name = &script.name;
                report.problem(format!(
                    "{name}: step {number} answers right now: take it off tests/sql/gaps.tsv"
                ));
            }
            continue;
        }
        differs = true;
        let reason = reason(expected, actual);
        report.differences.push((script.name.clone(), number, reason));
        if !known {
            let mut text = format!("{}:{}: step {number}\n", script.path.display(), step.line);
            let _ = write!(text, "--- PostgreSQL\n{expected}--- {server}\n");
            text.push_str(actual.unwrap_or("(not reached)\n"));
            report.problem(text);
        }
    }
    if whole && !differs {
        let name = &script.name;
        report.problem(format!("{name}: answers right now: take it off tests/sql/gaps.tsv"));
    }
}

/// Why a step differs: the first error that the oracle does not report.
fn reason(expected: &str, actual: Option<&str>) -> String {
    let Some(actual) = actual else { return "not reached".to_string() };
    let failures = ["ERROR:", "FATAL:", "psql:", "server closed", "(no answer in time)"];
    let unexpected = actual.lines().find(|line| {
        failures.iter().any(|f| line.starts_with(f)) && !expected.lines().any(|e| e == *line)
    });
    unexpected.map_or("output differs".to_string(), str::to_string)
}

/// The list of gaps as a run found them; reasons that were written by hand stay.
pub fn gaps_of(report: &Report, old: &Gaps, scripts: &[Script]) -> Gaps {
    let mut gaps = Gaps::default();
    for (script, step) in old.iter() {
        // What was not run stays as it is.
        if !scripts.iter().any(|s| s.name == script) {
            gaps.insert(script, step, old.reason(script, step).unwrap_or_default());
        }
    }
    for (script, step, reason) in &report.differences {
        gaps.insert(script, *step, old.reason(script, *step).unwrap_or(reason));
    }
    gaps
}
