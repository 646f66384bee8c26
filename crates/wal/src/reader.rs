//! Reading the log from disk.

use crate::record::{HEADER_BYTES, Record, TRAILER_BYTES, u32_at};
use crate::segment::segment_path;
use crate::{Lsn, WalConfig, log_op, rm};
use base::{Error, Result, SqlState};
use disk::{Disk, File};
use std::sync::Arc;

/// The longest record that is believed: longer lengths are the end of the log.
const RECORD_BYTES_MAX: usize = 1 << 30;
const CHUNK: usize = 1 << 16;

/// Reads records forward from a position, and single records by their LSN.
///
/// A record whose length, CRC or link to the record before is wrong is the end of the log
/// (`wal` rule 4). An error of the disk is an error, never the end.
pub struct Reader {
    disk: Arc<dyn Disk>,
    config: WalConfig,
    pos: Lsn,
    prev: Lsn,
    first: bool,
    segment: Option<(u64, Arc<dyn File>)>,
    chunk: Vec<u8>,
    chunk_at: u64,
}

impl Reader {
    /// A reader whose first record begins at `start`.
    pub fn new(disk: Arc<dyn Disk>, config: WalConfig, start: Lsn) -> Reader {
        Reader {
            disk,
            config,
            pos: start,
            prev: start,
            first: true,
            segment: None,
            chunk: Vec::new(),
            chunk_at: 0,
        }
    }

    /// The next record, or `None` at the end of the log.
    pub fn next_record(&mut self) -> Result<Option<Record>> {
        let start = self.pos;
        let mut header = [0; HEADER_BYTES];
        if !self.read(&mut header, start.0)? {
            return Ok(None);
        }
        let length = u32_at(&header, 0) as usize;
        if !(HEADER_BYTES + TRAILER_BYTES..=RECORD_BYTES_MAX).contains(&length) {
            return Ok(None);
        }
        let prev = Lsn(u64::from(u32_at(&header, 8)) | u64::from(u32_at(&header, 12)) << 32);
        // The first record's predecessor is unknown, but it ended here or in an earlier segment.
        let linked = if self.first { prev <= start } else { prev == self.prev };
        if !linked {
            return Ok(None);
        }
        // Check that the claimed end exists before taking memory for the length.
        let mut trailer = [0; TRAILER_BYTES];
        if !self.read(&mut trailer, start.0 + (length - TRAILER_BYTES) as u64)?
            || u32_at(&trailer, 0) as usize != length
        {
            return Ok(None);
        }
        let mut bytes = vec![0; length];
        if !self.read(&mut bytes, start.0)? {
            return Ok(None);
        }
        let Some(record) = Record::decode(bytes, start) else { return Ok(None) };
        self.first = false;
        self.prev = record.lsn;
        self.pos = self.after(&record);
        Ok(Some(record))
    }

    fn after(&self, record: &Record) -> Lsn {
        if record.kind.manager == rm::LOG && record.kind.op == log_op::SWITCH {
            return Lsn(record.lsn.0.next_multiple_of(self.config.segment_bytes));
        }
        record.lsn
    }

    /// Where the next record begins and the LSN of the record before: at the end of the log, what
    /// [`crate::Wal::open`] wants.
    pub fn end(&self) -> (Lsn, Lsn) {
        (self.pos, self.prev)
    }

    /// The record whose LSN is `lsn`; XX001 when there is none.
    pub fn record_at(&mut self, lsn: Lsn) -> Result<Record> {
        let damaged = || {
            Error::new(
                SqlState::DATA_CORRUPTED,
                format!("could not find a valid WAL record ending at {}", lsn.to_pg_string()),
            )
        };
        let mut trailer = [0; TRAILER_BYTES];
        let trailer_at = lsn.0.checked_sub(TRAILER_BYTES as u64).ok_or_else(damaged)?;
        if !self.read(&mut trailer, trailer_at)? {
            return Err(damaged());
        }
        let length = u32_at(&trailer, 0) as usize;
        let start = lsn.0.checked_sub(length as u64).ok_or_else(damaged)?;
        if !(HEADER_BYTES + TRAILER_BYTES..=RECORD_BYTES_MAX).contains(&length) {
            return Err(damaged());
        }
        let mut bytes = vec![0; length];
        if !self.read(&mut bytes, start)? {
            return Err(damaged());
        }
        Record::decode(bytes, Lsn(start)).ok_or_else(damaged)
    }

    /// Fills `buf` from the log position `at`; false when the files end before.
    fn read(&mut self, buf: &mut [u8], at: u64) -> Result<bool> {
        let mut done = 0;
        while done < buf.len() {
            let pos = at + done as u64;
            if !(self.chunk_at..self.chunk_at + self.chunk.len() as u64).contains(&pos)
                && !self.load(pos)?
            {
                return Ok(false);
            }
            let within = (pos - self.chunk_at) as usize;
            let n = (self.chunk.len() - within).min(buf.len() - done);
            buf[done..done + n].copy_from_slice(&self.chunk[within..within + n]);
            done += n;
        }
        Ok(true)
    }

    /// Loads the chunk that contains a position; false when it does not exist.
    fn load(&mut self, pos: u64) -> Result<bool> {
        let number = pos / self.config.segment_bytes;
        if self.segment.as_ref().is_none_or(|(n, _)| *n != number) {
            match self.disk.open(&segment_path(&self.config, number)) {
                Ok(file) => self.segment = Some((number, file)),
                Err(e) if e.sqlstate() == SqlState::UNDEFINED_FILE => return Ok(false),
                Err(e) => return Err(e),
            }
        }
        let Some((_, file)) = &self.segment else { return Ok(false) };
        // Aligned, so that reading backwards by LSN loads each chunk once.
        let begin = (pos & !(CHUNK as u64 - 1)).max(number * self.config.segment_bytes);
        let offset = begin % self.config.segment_bytes;
        let want = (self.config.segment_bytes - offset).min(CHUNK as u64) as usize;
        self.chunk.resize(want, 0);
        let n = file.read_full_at(&mut self.chunk, offset)?;
        self.chunk.truncate(n);
        self.chunk_at = begin;
        Ok(pos < begin + n as u64)
    }
}
