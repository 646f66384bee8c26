//! What the programs of this crate share: numbers from the environment, a folder that lives as long
//! as the run, and a result at the end.

use crate::Result;
use std::env;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

/// The number in the environment variable `name`, or `otherwise` where it is not set.
///
/// # Errors
/// When it is no such number.
pub fn number<T: FromStr>(name: &str, otherwise: T) -> Result<T> {
    match env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name}: not a number: {text}")),
        Err(_) => Ok(otherwise),
    }
}

/// Prints a line. A closed pipe is no reason to stop.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Makes `dir`, runs `what`, and removes `dir` again.
///
/// # Errors
/// When the folder cannot be made, or `what`'s.
pub fn in_folder<T>(dir: &Path, what: impl FnOnce() -> Result<T>) -> Result<T> {
    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let result = what();
    let _ = std::fs::remove_dir_all(dir);
    result
}

/// Prints what `program` found to standard output, or why it failed to standard error, and gives
/// the code to exit with.
pub fn conclude(program: &str, result: Result<String>) -> ExitCode {
    match result {
        Ok(text) => {
            say(text.trim_end_matches('\n'));
            ExitCode::SUCCESS
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{program}: {why}");
            ExitCode::FAILURE
        }
    }
}
