//! Segments: names, creation ahead, recycling.

use crate::{Lsn, Wal, WalConfig};
use base::{Result, err};
use disk::{Disk, File};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The open segments, by number.
#[derive(Default)]
pub(crate) struct Segments {
    files: BTreeMap<u64, Arc<dyn File>>,
}

/// PostgreSQL's name of a segment file: timeline and segment number, 24 hexadecimal digits.
pub fn segment_name(timeline: u32, segment: u64, segment_bytes: u64) -> String {
    let per_log = 0x1_0000_0000 / segment_bytes;
    format!("{timeline:08X}{:08X}{:08X}", segment / per_log, segment % per_log)
}

/// The segment number in a file name of this timeline.
fn segment_number(name: &str, config: &WalConfig) -> Option<u64> {
    if name.len() != 24 || u32::from_str_radix(name.get(..8)?, 16).ok()? != config.timeline {
        return None;
    }
    let high = u64::from_str_radix(name.get(8..16)?, 16).ok()?;
    let low = u64::from_str_radix(name.get(16..)?, 16).ok()?;
    Some(high * (0x1_0000_0000 / config.segment_bytes) + low)
}

pub(crate) fn segment_path(config: &WalConfig, segment: u64) -> String {
    format!("pg_wal/{}", segment_name(config.timeline, segment, config.segment_bytes))
}

/// The numbers of the segments that are there, ascending.
pub(crate) fn list(disk: &dyn Disk, config: &WalConfig) -> Result<Vec<u64>> {
    let names = disk.list("pg_wal")?;
    let mut numbers: Vec<_> = names.iter().filter_map(|n| segment_number(n, config)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes the log from `start` to `end` durable. After the end of the process alone it may be in the
/// system's memory only, and what was read from there must not be lost when pages that depend on it
/// are written. The two segments that may not have been synced (`Wal::write_ring`) are written anew:
/// when a sync has failed, the system takes what it could not write for written.
pub(crate) fn make_durable(
    disk: &dyn Disk,
    config: &WalConfig,
    start: Lsn,
    end: Lsn,
) -> Result<()> {
    let last = end.0 / config.segment_bytes;
    for segment in start.0 / config.segment_bytes..=last {
        let path = segment_path(config, segment);
        if !disk.exists(&path)? {
            continue;
        }
        let file = disk.open(&path)?;
        if segment + 1 >= last {
            let begin = segment * config.segment_bytes;
            write_anew(&*file, config.segment_bytes.min(end.0 - begin))?;
        }
        file.sync_data()?;
    }
    disk.sync_dir("pg_wal")
}

/// Writes the first bytes of a file as they are.
fn write_anew(file: &dyn File, bytes: u64) -> Result<()> {
    let mut buf = vec![0; 1 << 18];
    let mut at = 0;
    while at < bytes {
        let want = usize::try_from(bytes - at).map_or(buf.len(), |n| n.min(buf.len()));
        let n = file.read_full_at(&mut buf[..want], at)?;
        if n == 0 {
            break;
        }
        file.write_at(&buf[..n], at)?;
        at += n as u64;
    }
    Ok(())
}

/// Makes everything after `end` unreadable (rule 4): later segments go, the rest of the last one
/// becomes zeros, durably.
pub(crate) fn clear_after(disk: &dyn Disk, config: &WalConfig, end: Lsn) -> Result<()> {
    let last = end.0 / config.segment_bytes;
    let mut removed = false;
    for segment in list(disk, config)?.into_iter().filter(|s| *s > last) {
        disk.remove(&segment_path(config, segment))?;
        removed = true;
    }
    for name in disk.list("pg_wal")?.iter().filter(|name| name.ends_with(".tmp")) {
        disk.remove(&format!("pg_wal/{name}"))?;
    }
    if removed {
        disk.sync_dir("pg_wal")?;
    }
    let path = segment_path(config, last);
    if !disk.exists(&path)? {
        return Ok(());
    }
    let file = disk.open(&path)?;
    file.allocate(config.segment_bytes)?;
    let mut at = end.0 % config.segment_bytes;
    let mut buf = vec![0; 1 << 16];
    let mut changed = false;
    while at < config.segment_bytes {
        let want =
            usize::try_from(config.segment_bytes - at).map_or(buf.len(), |n| n.min(buf.len()));
        let n = file.read_full_at(&mut buf[..want], at)?;
        if n == 0 {
            break;
        }
        if buf[..n].iter().any(|byte| *byte != 0) {
            buf[..n].fill(0);
            file.write_at(&buf[..n], at)?;
            changed = true;
        }
        at += n as u64;
    }
    if changed { file.sync_data() } else { Ok(()) }
}

impl Wal {
    /// Creates segments until the files reach `end`.
    ///
    /// # Errors
    /// 53100 when the disk is full; nothing is broken then.
    pub(crate) fn allocate(&self, end: u64) -> Result<()> {
        let mut segments = self.segments.lock();
        loop {
            let allocated = self.allocated.load(Ordering::Acquire);
            if allocated >= end {
                return Ok(());
            }
            let segment = allocated / self.config.segment_bytes;
            let file = self.create_segment(segment, allocated <= self.inserted().0)?;
            segments.files.insert(segment, file);
            self.allocated.store(allocated + self.config.segment_bytes, Ordering::Release);
        }
    }

    /// Opens a segment, or creates it under a temporary name so that a segment that has its name
    /// also has its length.
    fn create_segment(&self, segment: u64, soon: bool) -> Result<Arc<dyn File>> {
        let path = segment_path(&self.config, segment);
        if self.disk.exists(&path)? {
            let file = self.disk.open(&path)?;
            file.allocate(self.config.segment_bytes)?;
            return Ok(file);
        }
        let temporary = format!("{path}.tmp");
        if self.disk.exists(&temporary)? {
            self.disk.remove(&temporary)?;
        }
        let file = self.disk.create(&temporary)?;
        let result = self.fill_segment(&*file, soon).and_then(|()| {
            self.disk.rename(&temporary, &path)?;
            self.disk.sync_dir("pg_wal")
        });
        match result {
            Ok(()) => Ok(file),
            Err(error) => {
                // The error that matters is the first one; the leftover is removed at the next start.
                drop(self.disk.remove(&temporary));
                Err(error)
            }
        }
    }

    fn fill_segment(&self, file: &dyn File, soon: bool) -> Result<()> {
        file.allocate(self.config.segment_bytes)?;
        if soon {
            // Written zeros make each later sync cheaper than merely reserved space would.
            let zeros = vec![0; 1 << 16];
            for at in (0..self.config.segment_bytes).step_by(zeros.len()) {
                let n = (self.config.segment_bytes - at).min(zeros.len() as u64) as usize;
                file.write_at(&zeros[..n], at)?;
            }
        }
        file.sync_data()
    }

    /// The file of a segment that was allocated.
    pub(crate) fn segment_file(&self, segment: u64) -> Result<Arc<dyn File>> {
        let segments = self.segments.lock();
        segments.files.get(&segment).cloned().ok_or_else(|| {
            err!(IO_ERROR, "WAL segment {} is not open", segment_path(&self.config, segment))
        })
    }

    /// Removes or recycles the segments that lie wholly before `keep_from`, except those whose
    /// numbers are in `kept` (storage rule 15) and those that are still to be archived. Returns how
    /// many were removed, and how many recycled.
    pub fn remove_before(&self, keep_from: Lsn, kept: &BTreeSet<u64>) -> Result<(u64, u64)> {
        let bytes = self.config.segment_bytes;
        let archived = self.archived.load(Ordering::Acquire);
        let first = (keep_from.0.min(self.flushed().0) / bytes).min(archived);
        let mut segments = self.segments.lock();
        let (mut removed, mut recycled) = (0, 0);
        for segment in list(&*self.disk, &self.config)? {
            if segment >= first || kept.contains(&segment) {
                continue;
            }
            segments.files.remove(&segment);
            let path = segment_path(&self.config, segment);
            let allocated = self.allocated.load(Ordering::Acquire);
            let ahead = allocated.saturating_sub(self.inserted().0) / bytes;
            if ahead < self.spare_segments.load(Ordering::Relaxed) {
                // Its old records cannot be taken for new ones: they link to other positions.
                let next = allocated / bytes;
                let new_path = segment_path(&self.config, next);
                self.disk.rename(&path, &new_path)?;
                self.disk.sync_dir("pg_wal")?;
                segments.files.insert(next, self.disk.open(&new_path)?);
                self.allocated.store(allocated + bytes, Ordering::Release);
                recycled += 1;
            } else {
                self.disk.remove(&path)?;
                removed += 1;
            }
            crate::archive::forget(&*self.disk, &self.config, segment)?;
        }
        Ok((removed, recycled))
    }

    /// How many segments recycling keeps ready beyond the current one (`min_wal_size`).
    pub fn keep_spare_segments(&self, segments: u64) {
        self.spare_segments.store(segments, Ordering::Relaxed);
    }
}
