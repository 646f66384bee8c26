//! Which segments an archive has.
//!
//! `pg_wal/archive_status` holds for each whole segment an empty file, as in PostgreSQL:
//! `SEGMENT.ready` until it is archived, then `SEGMENT.done`, as long as the segment is there. A
//! segment that is not archived is kept ([`Wal::remove_before`]).

use crate::segment::{list, segment_name};
use crate::{Wal, WalConfig};
use base::Result;
use disk::Disk;
use std::sync::atomic::Ordering;

const DIR: &str = "pg_wal/archive_status";
/// No segment is kept for an archive.
pub(crate) const NONE: u64 = u64::MAX;

fn path(config: &WalConfig, segment: u64, suffix: &str) -> String {
    let name = segment_name(config.timeline, segment, config.segment_bytes);
    format!("{DIR}/{name}.{suffix}")
}

/// The first segment that is not archived.
pub(crate) fn first(disk: &dyn Disk, config: &WalConfig) -> Result<u64> {
    if !config.archive {
        return Ok(NONE);
    }
    disk.create_dir(DIR)?;
    let mut next = 0;
    for segment in list(disk, config)? {
        if !disk.exists(&path(config, segment, "done"))? {
            return Ok(segment);
        }
        next = segment + 1;
    }
    Ok(next)
}

/// A segment is gone: so is what was known of it.
pub(crate) fn forget(disk: &dyn Disk, config: &WalConfig, segment: u64) -> Result<()> {
    let done = path(config, segment, "done");
    if config.archive && disk.exists(&done)? {
        disk.remove(&done)?;
    }
    Ok(())
}

impl Wal {
    /// The name of the next segment to archive, if it is whole and durable.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn next_to_archive(&self) -> Result<Option<String>> {
        let segment = self.archived.load(Ordering::Acquire);
        if segment == NONE || self.flushed().0 / self.config.segment_bytes <= segment {
            return Ok(None);
        }
        let ready = path(&self.config, segment, "ready");
        if !self.disk.exists(&ready)? {
            self.disk.create(&ready)?;
        }
        Ok(Some(segment_name(self.config.timeline, segment, self.config.segment_bytes)))
    }

    /// The segment that [`Wal::next_to_archive`] named is archived.
    ///
    /// # Errors
    /// Those of the disk; the segment will be archived once more then.
    pub fn note_archived(&self) -> Result<()> {
        let segment = self.archived.load(Ordering::Acquire);
        if segment == NONE {
            return Ok(());
        }
        let ready = path(&self.config, segment, "ready");
        self.disk.rename(&ready, &path(&self.config, segment, "done"))?;
        self.disk.sync_dir(DIR)?;
        self.archived.store(segment + 1, Ordering::Release);
        Ok(())
    }
}
