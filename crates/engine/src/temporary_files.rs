//! The temporary files of a session, and how much memory its statements may take before they write
//! them.

use crate::cluster::ClusterEngine;
use crate::statistics::Counters;
use disk::temporary::TemporarySpace;
use execute::Limits;
use session::State;
use session::settings::Settings;
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// `temp_file_limit`; none for -1.
pub(crate) fn limit_bytes(settings: &Settings) -> Option<u64> {
    u64::try_from(settings.integer("temp_file_limit")).ok().map(|kilobytes| kilobytes << 10)
}

/// What a statement may take. An operator that can spill does so before it holds more than a quarter
/// of the statement's memory: there are others, and what they read.
pub(crate) fn limits(settings: &Settings) -> Limits {
    let kilobytes = |name| u64::try_from(settings.integer(name)).unwrap_or(0) << 10;
    let work_bytes = kilobytes("work_mem");
    let hash_bytes = (work_bytes as f64 * settings.real("hash_mem_multiplier")) as u64;
    let query_bytes = match kilobytes("query_memory_limit") {
        0 => memory::ledger::UNLIMITED,
        bytes => bytes,
    };
    let share = query_bytes / 4;
    Limits { work_bytes: work_bytes.min(share), hash_bytes: hash_bytes.min(share), query_bytes }
}

/// A session's temporary files: counted for its database, and logged if `log_temp_files` says so.
pub(crate) fn space(
    engine: &Arc<ClusterEngine>,
    state: &Rc<State>,
    counters: Arc<Counters>,
) -> Rc<TemporarySpace> {
    let space = TemporarySpace::new(engine.disk.clone(), state.entry().id.0);
    space.set_limit(limit_bytes(&state.settings()));
    let state: Weak<State> = Rc::downgrade(state);
    space.on_removed(Box::new(move |path, bytes| {
        counters.temporary_file(bytes);
        let Some(state) = state.upgrade() else { return };
        let least = state.settings().integer("log_temp_files");
        if u64::try_from(least).is_ok_and(|kilobytes| bytes >= kilobytes << 10) {
            state.cluster().log(&format!("temporary file: path \"{path}\", size {bytes}"));
        }
    }));
    space
}
