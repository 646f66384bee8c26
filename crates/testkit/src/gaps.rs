//! The list of known gaps: statements that do not answer as the oracle does.
//!
//! # Rules
//! 1. A line is `script<TAB>statement<TAB>reason`: the script's `area/topic`, the number of the
//!    step in it counted from 1, and why it differs. `*` in place of the number stands for a
//!    script of which nothing is asserted yet.
//! 2. A listed statement that answers right fails the run, so the list only tells the truth.

use crate::Result;
use std::collections::BTreeMap;
use std::path::Path;

/// The number that stands for all steps of a script.
pub const WHOLE: usize = 0;

const HEADER: &str = "script\tstatement\treason";

/// Known gaps: reasons by script and step.
#[derive(Debug, Default)]
pub struct Gaps(BTreeMap<(String, usize), String>);

impl Gaps {
    /// Reads the list; a file that is not there is an empty list.
    ///
    /// # Errors
    /// When a line has another form than rule 1 asks for.
    pub fn read(path: &Path) -> Result<Gaps> {
        let Ok(text) = std::fs::read_to_string(path) else { return Ok(Gaps::default()) };
        let mut gaps = Gaps::default();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| *line != HEADER) {
            let wrong = || format!("{}:{}: not a gap: {line}", path.display(), index + 1);
            let mut fields = line.splitn(3, '\t');
            let (Some(script), Some(step), Some(reason)) =
                (fields.next(), fields.next(), fields.next())
            else {
                return Err(wrong());
            };
            let step = if step == "*" { WHOLE } else { step.parse().map_err(|_| wrong())? };
            gaps.insert(script, step, reason);
        }
        Ok(gaps)
    }

    /// Writes the list.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = format!("{HEADER}\n");
        for ((script, step), reason) in &self.0 {
            let step = if *step == WHOLE { "*".to_string() } else { step.to_string() };
            text.push_str(&format!("{script}\t{step}\t{reason}\n"));
        }
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// The reason why a step may differ.
    pub fn reason(&self, script: &str, step: usize) -> Option<&str> {
        self.0.get(&(script.to_string(), step)).map(String::as_str)
    }

    /// The listed scripts and steps.
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.keys().map(|(script, step)| (script.as_str(), *step))
    }

    /// Adds a gap.
    pub fn insert(&mut self, script: &str, step: usize, reason: &str) {
        self.0.insert((script.to_string(), step), reason.replace(['\t', '\n'], " "));
    }
}
