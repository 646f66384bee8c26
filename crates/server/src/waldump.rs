//! `perdura waldump`: the log in words.

use crate::data_directory;
use base::{Lsn, Result, Xid};
use std::path::Path;

/// What `perdura waldump` shows.
#[derive(Clone, Debug, Default)]
pub struct WalDump {
    /// Where to begin; none: at the redo point of the newest checkpoint.
    pub start: Option<u64>,
    /// Where to end.
    pub end: Option<u64>,
    /// How many records.
    pub limit: Option<u64>,
    /// One resource manager.
    pub manager: Option<String>,
    /// One transaction.
    pub xid: Option<u64>,
}

/// Shows the log of a data directory, whether or not a server runs on it; `say` hears a line a
/// record.
///
/// # Errors
/// Fatal ones: the directory is not ours, or there is nothing to show.
pub fn waldump(dir: &Path, what: &WalDump, say: &mut dyn FnMut(&str)) -> Result<()> {
    data_directory::check(dir)?;
    let options = engine::DumpOptions {
        start: what.start.map(Lsn),
        end: what.end.map(Lsn),
        limit: what.limit,
        manager: what.manager.clone(),
        xid: what.xid.map(Xid),
    };
    engine::waldump(dir, &options, say).map_err(base::Error::fatal)
}
