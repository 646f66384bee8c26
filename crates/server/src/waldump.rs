//! `perdura waldump`: the log in words.

use crate::data_directory;
use base::Result;
use engine::DumpOptions;
use std::path::Path;

/// Shows the log of a data directory, whether or not a server runs on it; `say` hears a line a
/// record.
///
/// # Errors
/// Fatal ones: the directory is not ours, or there is nothing to show.
pub fn waldump(dir: &Path, options: &DumpOptions, say: &mut dyn FnMut(&str)) -> Result<()> {
    data_directory::check(dir)?;
    engine::waldump(dir, options, say).map_err(base::Error::fatal)
}
