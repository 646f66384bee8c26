//! pg_hba.conf and pg_ident.conf: who may connect from where, how that is authenticated, and which
//! names of the outside are which roles.
//!
//! [`tokens`] cuts the files into lines, fields and words, [`rule`] and [`ident`] read the lines of
//! the two files, [`address`] matches addresses. The first rule that matches a connection counts.
//!
//! Rules
//! 1. A file with a mistake is not used at all: the rules that were read before stay.
//! 2. Messages are PostgreSQL's, with the place as CONTEXT.
//!
//! Limits: the methods are `trust`, `reject`, `scram-sha-256`, `password`, `peer` and `cert`. Host
//! names match when they resolve to the client's address; suffixes of host names are errors.

mod address;
mod ident;
mod rule;
#[cfg(test)]
mod tests;
mod tokens;

pub(crate) use ident::Ident;
pub(crate) use rule::{ClientCert, Method, Rule};

use crate::config::{Config, os_text};
use crate::log::{self, Level};
use base::Result;
use base::access::{AccessFiles, AccessLine, HbaRule, IdentMapping};
use rule::Problem;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokens::Line;

/// All rules, in the order of the files.
#[derive(Debug, Default)]
pub(crate) struct Hba {
    rules: Vec<Arc<Rule>>,
}

/// A connection as rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection<'a> {
    /// The client's address; nothing for a Unix socket.
    pub(crate) address: Option<IpAddr>,
    pub(crate) encrypted: bool,
    pub(crate) database: &'a str,
    pub(crate) user: &'a str,
    /// Whether it is for physical replication.
    pub(crate) replication: bool,
}

/// Whether a user is a member of a role.
pub(crate) type IsMember<'a> = &'a mut dyn FnMut(&str, &str) -> Result<bool>;

/// Checks that the rules can be read, for the postmaster's start.
///
/// # Errors
/// F0000; the log says what is wrong where.
pub(crate) fn check(data_dir: &Path, config: &Config) -> Result<()> {
    match Hba::load(data_dir, config) {
        Ok(_) => Ok(()),
        Err(()) => {
            let path = path(data_dir, config, "hba_file", "pg_hba.conf");
            base::bail_fatal!(CONFIG_FILE_ERROR, "could not load {}", path.display())
        }
    }
}

/// Where a file of rules is.
fn path(data_dir: &Path, config: &Config, setting: &str, file: &str) -> PathBuf {
    data_dir.join(config.get(setting).unwrap_or(file))
}

/// Whether connections can be encrypted.
fn encrypts(config: &Config) -> bool {
    let word = config.get("ssl").unwrap_or("off").to_ascii_lowercase();
    matches!(word.as_str(), "on" | "true" | "yes" | "1" | "t" | "y")
}

fn report(line: &Line, problem: &Problem) {
    let context = format!("line {} of configuration file \"{}\"", line.number, line.file.display());
    let mut more = Vec::new();
    if let Some(hint) = problem.hint {
        more.push(("HINT", hint));
    }
    more.push(("CONTEXT", context.as_str()));
    log::write_with(Level::Log, &problem.message, &more);
}

impl Hba {
    /// Reads the file. The log says what is wrong with it.
    pub(crate) fn load(data_dir: &Path, config: &Config) -> std::result::Result<Hba, ()> {
        let path = path(data_dir, config, "hba_file", "pg_hba.conf");
        let lines = tokens::read(&path).map_err(log::log)?;
        let mut hba = Hba::default();
        let mut failed = false;
        for line in lines {
            if let Some(error) = &line.error {
                report(&line, &Problem::from(error.clone()));
                failed = true;
                continue;
            }
            match Rule::read(&line) {
                Ok(rule) => {
                    if let Some(warning) = rule.warning(encrypts(config)) {
                        report(&line, &warning);
                    }
                    hba.rules.push(Arc::new(rule));
                }
                Err(problem) => {
                    report(&line, &problem);
                    failed = true;
                }
            }
        }
        if hba.rules.is_empty() && !failed {
            log::log(format!("configuration file \"{}\" contains no entries", path.display()));
            failed = true;
        }
        if failed { Err(()) } else { Ok(hba) }
    }

    /// The first rule that matches. Runs on a fiber: `is_member` reads catalogs.
    ///
    /// # Errors
    /// Those of `is_member`.
    pub(crate) fn find(
        &self,
        connection: &Connection<'_>,
        is_member: IsMember<'_>,
    ) -> Result<Option<Arc<Rule>>> {
        for rule in &self.rules {
            if rule.matches(connection, is_member)? {
                return Ok(Some(rule.clone()));
            }
        }
        Ok(None)
    }

    /// Whether a rule must look names up, which takes time.
    pub(crate) fn has_host_names(&self) -> bool {
        self.rules.iter().any(|rule| rule.has_host_name())
    }
}

/// The files as they are now, for the views.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) data_dir: PathBuf,
    pub(crate) overrides: Vec<(String, String)>,
}

impl Files {
    fn lines(&self, setting: &str, file: &str) -> Result<(Vec<Line>, Config)> {
        let config = Config::load(&self.data_dir, &self.overrides)?;
        let path = path(&self.data_dir, &config, setting, file);
        let lines = tokens::read(&path)
            .map_err(|message| base::Error::new(base::SqlState::UNDEFINED_FILE, message))?;
        Ok((lines, config))
    }
}

/// The lines of a file as rows. `read` gives what it could read of a line and what is wrong with it.
fn rows<T>(
    lines: Vec<Line>,
    mut read: impl FnMut(&Line) -> (Option<T>, Option<String>),
) -> Vec<AccessLine<T>> {
    let mut right = 0;
    let row = |line: Line| {
        let (entry, error) = match &line.error {
            Some(error) => (None, Some(error.clone())),
            None => read(&line),
        };
        let number = error.is_none().then(|| {
            right += 1;
            right
        });
        AccessLine {
            number,
            file: line.file.display().to_string(),
            line: i32::try_from(line.number).unwrap_or(i32::MAX),
            entry,
            error,
        }
    };
    lines.into_iter().map(row).collect()
}

impl AccessFiles for Files {
    fn hba(&self) -> Result<Vec<AccessLine<HbaRule>>> {
        let (lines, config) = self.lines("hba_file", "pg_hba.conf")?;
        Ok(rows(lines, |line| match Rule::read(line) {
            Ok(rule) => {
                let warning = rule.warning(encrypts(&config)).map(|warning| warning.message);
                (Some(rule.shown()), warning)
            }
            Err(problem) => (None, Some(problem.message)),
        }))
    }

    fn ident(&self) -> Result<Vec<AccessLine<IdentMapping>>> {
        let (lines, _) = self.lines("ident_file", "pg_ident.conf")?;
        Ok(rows(lines, |line| match ident::Mapping::read(line) {
            Ok(mapping) => (Some(mapping.shown()), None),
            Err(problem) => (None, Some(problem.message)),
        }))
    }
}

/// The names of a file that cannot be opened, for messages.
fn cannot_open(path: &Path, error: &std::io::Error) -> String {
    format!("could not open file \"{}\": {}", path.display(), os_text(error))
}
