//! Checkpoints: fuzzy while the cluster runs, the last one at shutdown.
//!
//! The record's data: redo point (8 bytes), next XID, OID and file id (8 each), then for each
//! unfinished transaction its XID (8), the record to undo first (8), the number of segments with
//! its undo (4) and their numbers (8 each).

use crate::control::State;
use crate::outcomes::{self, Known};
use crate::storage::Storage;
use base::{Error, FileId, Lsn, Result, Xid};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wal::{ActiveTransaction, Purpose, RecordBuilder, log_op, rm};

/// What a new control file takes on disk beside the old one, whatever the file system rounds up to.
const CONTROL_ROOM_BYTES: u64 = 64 << 10;

/// What a checkpoint record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckpointData {
    pub(crate) redo: Lsn,
    pub(crate) next_xid: Xid,
    pub(crate) next_oid: u64,
    pub(crate) next_file: FileId,
    pub(crate) active: Vec<ActiveTransaction>,
}

impl CheckpointData {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [self.redo.0, self.next_xid.0, self.next_oid, self.next_file.0] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for active in &self.active {
            out.extend_from_slice(&active.xid.0.to_le_bytes());
            out.extend_from_slice(&active.undo.0.to_le_bytes());
            out.extend_from_slice(&(active.segments.len() as u32).to_le_bytes());
            for segment in &active.segments {
                out.extend_from_slice(&segment.to_le_bytes());
            }
        }
        out
    }

    /// In words, for people who read the log.
    pub(crate) fn describe(&self) -> String {
        format!(
            "CHECKPOINT redo {}; xid {}; oid {}; file {}; {} transactions running",
            self.redo.to_pg_string(),
            self.next_xid,
            self.next_oid,
            self.next_file,
            self.active.len()
        )
    }

    /// Reads a record's data.
    pub(crate) fn decode(data: &[u8]) -> Result<CheckpointData> {
        let damaged = || Error::corrupted("checkpoint record is damaged");
        let mut rest = data;
        let mut take = |bytes: usize| -> Result<u64> {
            let (head, tail) = rest.split_at_checked(bytes).ok_or_else(damaged)?;
            rest = tail;
            let mut word = [0; 8];
            word[..bytes].copy_from_slice(head);
            Ok(u64::from_le_bytes(word))
        };
        let redo = Lsn(take(8)?);
        let (next_xid, next_oid, next_file) = (Xid(take(8)?), take(8)?, FileId(take(8)?));
        let mut active = Vec::new();
        let mut left = data.len().saturating_sub(32);
        while left > 0 {
            let (xid, undo, count) = (Xid(take(8)?), Lsn(take(8)?), take(4)?);
            let mut segments = BTreeSet::new();
            for _ in 0..count {
                segments.insert(take(8)?);
            }
            active.push(ActiveTransaction { xid, undo, segments });
            left = left.checked_sub(20 + 8 * count as usize).ok_or_else(damaged)?;
        }
        Ok(CheckpointData { redo, next_xid, next_oid, next_file, active })
    }
}

impl Storage {
    /// Makes a checkpoint at once: afterwards recovery begins at its redo point. One that takes its
    /// time hurries up. May wait.
    ///
    /// # Errors
    /// Those of the disk; severity PANIC when something could not be synced.
    pub fn checkpoint(&self) -> Result<()> {
        self.checkpoint_for("immediate force wait")
    }

    fn checkpoint_for(&self, reason: &str) -> Result<()> {
        self.urgent.fetch_add(1, Ordering::SeqCst);
        let result = self.checkpoint_paced(reason, &mut |_| {});
        self.urgent.fetch_sub(1, Ordering::SeqCst);
        result
    }

    /// Whether somebody waits for a checkpoint to be finished at once.
    pub(crate) fn is_urgent(&self) -> bool {
        self.urgent.load(Ordering::SeqCst) > 0
    }

    /// A checkpoint that calls `pace` after each page with the share that is written. `reason` is
    /// what the server's log says.
    ///
    /// # Errors
    /// As [`Storage::checkpoint`].
    pub fn checkpoint_paced(&self, reason: &str, pace: &mut dyn FnMut(f64)) -> Result<()> {
        let _one = self.checkpointing.lock();
        let begun = Instant::now();
        self.note(|| format!("checkpoint starting: {reason}"));
        let before = self.control.lock().redo;
        let redo = self.wal.begin_checkpoint();
        // A file whose creation or removal is logged before the redo point must be there, or gone.
        let waiting = self.pool.files().underway();
        while self.pool.files().underway().intersection(&waiting).next().is_some() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let active = self.wal.active();
        let (outcomes, next, open) = self.transactions.outcomes();
        let known = Known { outcomes, next, open };
        let (next_xid, next_oid, next_file) = self.transactions.counters();
        let written = self.pool.flush_before(redo, pace)?;
        let wrote = begun.elapsed();
        self.tables().log_replaced()?;
        let data = CheckpointData { redo, next_xid, next_oid, next_file, active };
        let mut record = RecordBuilder::new(rm::LOG, log_op::CHECKPOINT);
        record.data(&data.encode());
        let room = self.wal.ensure_room_for(record.size(), Purpose::Undo)?;
        let lsn = self.wal.append(room, &mut record);
        self.wal.flush(lsn)?;
        // Without it only answers about older transactions are lost.
        let kept_outcomes = known.write(&*self.disk, redo).is_ok();
        {
            let mut control = self.control.lock();
            control.checkpoint = lsn;
            control.redo = redo;
            (control.next_xid, control.next_oid) = (next_xid, next_oid);
            control.next_file = next_file;
            control.time_us = self.clock.now_us();
            let files = self.pool.files();
            files.write_despite_full_disk(CONTROL_ROOM_BYTES, |disk| control.write(disk))?;
        }
        if kept_outcomes {
            let _ = outcomes::remove_others(&*self.disk, redo);
        }
        let mut kept = self.transactions.log_before_removal(redo);
        kept.extend(data.active.iter().flat_map(|active| active.segments.iter().copied()));
        let (removed, recycled) = self.wal.remove_before(redo, &kept)?;
        self.note(|| {
            format!(
                "checkpoint complete: wrote {written} buffers ({:.1}%); 0 WAL file(s) added, \
                 {removed} removed, {recycled} recycled; write={:.3} s, total={:.3} s; \
                 distance={} kB; lsn={}, redo lsn={}",
                100.0 * written as f64 / self.pool_frames as f64,
                wrote.as_secs_f64(),
                begun.elapsed().as_secs_f64(),
                redo.0.saturating_sub(before.0) / 1024,
                lsn.to_pg_string(),
                redo.to_pg_string(),
            )
        });
        Ok(())
    }

    /// Says something in the server's log when `log_checkpoints` is on.
    fn note(&self, text: impl FnOnce() -> String) {
        if self.log_checkpoints.load(Ordering::Relaxed)
            && let Some(say) = self.log.get()
        {
            say(&text());
        }
    }

    /// Who writes the server's log. Once.
    pub fn on_log(&self, say: fn(&str)) {
        // A second one would be the same.
        let _ = self.log.set(say);
    }

    /// Whether checkpoints are noted in the server's log (`log_checkpoints`).
    pub fn log_checkpoints(&self, on: bool) {
        self.log_checkpoints.store(on, Ordering::Relaxed);
    }

    pub(crate) fn say(&self, text: &str) {
        if let Some(say) = self.log.get() {
            say(text);
        }
    }

    /// Shuts the cluster down: nothing runs any more; the last checkpoint says so. May wait.
    ///
    /// # Errors
    /// Those of [`Storage::checkpoint`]; then the next start recovers.
    pub fn close(&self) -> Result<()> {
        if self.closed.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        self.wal.flush(self.wal.inserted())?;
        self.transactions.prepared().clear();
        if !self.wal.active().is_empty() {
            // Somebody did not end: recovery takes it back.
            return self.checkpoint_for("shutdown immediate");
        }
        self.checkpoint_for("shutdown immediate")?;
        let mut control = self.control.lock();
        control.state = State::ShutDown;
        control.write(&*self.disk)
    }
}
