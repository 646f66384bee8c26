//! The bytes of a simulated file: sparse, and cheap to copy.

use super::Random;
use std::collections::BTreeMap;
use std::sync::Arc;

const CHUNK: usize = 4096;
const SECTOR: u64 = 512;

/// One change of a file's bytes.
pub(super) enum Write {
    /// Bytes at a position.
    Bytes(u64, Box<[u8]>),
    /// A new length.
    Length(u64),
}

impl Write {
    pub(super) fn len_after(&self, old: u64) -> u64 {
        match self {
            Write::Bytes(offset, bytes) => old.max(offset + bytes.len() as u64),
            Write::Length(len) => *len,
        }
    }
}

/// Chunks that are not there read as zeros.
#[derive(Clone, Default)]
pub(super) struct Content {
    len: u64,
    chunks: BTreeMap<u64, Arc<[u8; CHUNK]>>,
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn read(&self, buf: &mut [u8], offset: u64) -> usize {
        let n = self.len.saturating_sub(offset).min(buf.len() as u64) as usize;
        let mut done = 0;
        while done < n {
            let at = offset + done as u64;
            let within = (at % CHUNK as u64) as usize;
            let part = (CHUNK - within).min(n - done);
            match self.chunks.get(&(at / CHUNK as u64)) {
                Some(chunk) => {
                    buf[done..done + part].copy_from_slice(&chunk[within..within + part])
                }
                None => buf[done..done + part].fill(0),
            }
            done += part;
        }
        n
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: u64) {
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done as u64;
            let within = (at % CHUNK as u64) as usize;
            let part = (CHUNK - within).min(bytes.len() - done);
            let from = &bytes[done..done + part];
            let chunk = at / CHUNK as u64;
            if self.chunks.contains_key(&chunk) || from.iter().any(|byte| *byte != 0) {
                let chunk = self.chunks.entry(chunk).or_insert_with(|| Arc::new([0; CHUNK]));
                Arc::make_mut(chunk)[within..within + part].copy_from_slice(from);
            }
            done += part;
        }
        self.len = self.len.max(offset + bytes.len() as u64);
    }

    fn set_len(&mut self, len: u64) {
        if len < self.len {
            self.chunks.split_off(&len.div_ceil(CHUNK as u64));
            let within = (len % CHUNK as u64) as usize;
            if within != 0
                && let Some(chunk) = self.chunks.get_mut(&(len / CHUNK as u64))
            {
                Arc::make_mut(chunk)[within..].fill(0);
            }
        }
        self.len = len;
    }

    pub(super) fn apply(&mut self, write: &Write) {
        match write {
            Write::Bytes(offset, bytes) => self.write(bytes, *offset),
            Write::Length(len) => self.set_len(*len),
        }
    }

    /// Applies a random subset of the sectors of a write.
    pub(super) fn apply_torn(&mut self, write: &Write, random: &mut Random) {
        let Write::Bytes(offset, bytes) = write else { return };
        let end = offset + bytes.len() as u64;
        let mut at = *offset;
        while at < end {
            let next = ((at / SECTOR + 1) * SECTOR).min(end);
            if random.below(2) == 0 {
                let part = &bytes[(at - offset) as usize..(next - offset) as usize];
                self.write(part, at);
            }
            at = next;
        }
    }
}
