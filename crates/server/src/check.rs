//! `perdura check`: the data directory checked while no server runs on it.

use crate::data_directory;
use crate::lock_file::{Guards, LockFile};
use base::Result;
use std::path::Path;

/// Checks everything in a data directory; `say` hears, line by line, what is wrong and at last what
/// was looked at. True when nothing is wrong.
///
/// # Errors
/// Fatal ones: the directory is not ours, a server runs on it, or it cannot be opened.
pub fn check(dir: &Path, say: &mut dyn FnMut(&str)) -> Result<bool> {
    data_directory::check(dir)?;
    let lock = LockFile::take(&dir.join("postmaster.pid"), Guards::DataDirectory(dir))?;
    let found = engine::check(dir, say)?;
    drop(lock);
    say(&format!(
        "checked {} databases, {} tables with {} indexes, {} pages: {}",
        found.databases,
        found.tables,
        found.indexes,
        found.pages,
        match found.problems {
            0 => "nothing is wrong".to_owned(),
            1 => "1 problem".to_owned(),
            many => format!("{many} problems"),
        }
    ));
    Ok(found.problems == 0)
}
