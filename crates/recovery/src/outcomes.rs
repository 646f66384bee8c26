//! What became of transactions, kept over restarts for `pg_xact_status`.
//!
//! # How it works
//! Each checkpoint writes a file that bears its redo point in its name: from which XID on something
//! is known, the next XID, the ranges of aborted ones, and the XIDs below the next one that had not
//! ended. Recovery reads the file of the checkpoint that it begins at. Of the XIDs that had not ended
//! and of all later ones those have committed whose commit record is in the log.
//!
//! # Rules
//! 1. No visibility depends on it: a file that is missing, damaged or cannot be written costs only the
//!    answers about older XIDs (storage rule 2).
//! 2. The file is there before the control file names its checkpoint, and its predecessor goes after
//!    that: a crash between them finds the one that it needs.
//!
//! | bytes | field |
//! |---|---|
//! | 8 | magic, `PERDXACT` |
//! | 8 | the first XID that is known, 8 the next XID |
//! | 8 | the number of ranges, then first and last XID of each (8 each) |
//! | 8 | the number of XIDs that had not ended, then each (8) |
//! | 4 | CRC32C of what is before |

use base::{Error, Lsn, Result, Xid};
use disk::Disk;
use std::collections::BTreeMap;
use txn::Outcomes;

const MAGIC: u64 = u64::from_le_bytes(*b"PERDXACT");
const DIR: &str = "global";
const PREFIX: &str = "xact_outcomes.";

/// What was known at a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) outcomes: Outcomes,
    pub(crate) next: Xid,
    pub(crate) open: Vec<Xid>,
}

impl Known {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut put = |number: u64| out.extend_from_slice(&number.to_le_bytes());
        put(MAGIC);
        put(self.outcomes.floor());
        put(self.next.0);
        put(self.outcomes.aborted().len() as u64);
        for (first, last) in self.outcomes.aborted() {
            put(first);
            put(last);
        }
        put(self.open.len() as u64);
        self.open.iter().for_each(|xid| put(xid.0));
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Known> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        if crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
            return None;
        }
        let (words, []) = body.as_chunks::<8>() else { return None };
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        if words.next()? != MAGIC {
            return None;
        }
        let (floor, next) = (words.next()?, Xid(words.next()?));
        let count = words.next()?;
        let mut aborted = Vec::new();
        for _ in 0..count {
            aborted.push((words.next()?, words.next()?));
        }
        let count = words.next()?;
        let open = words.map(Xid).collect::<Vec<_>>();
        let known = Known { outcomes: Outcomes::restore(floor, aborted), next, open };
        (known.open.len() as u64 == count).then_some(known)
    }

    /// Writes the file of the checkpoint with this redo point.
    pub(crate) fn write(&self, disk: &dyn Disk, redo: Lsn) -> Result<()> {
        disk::replace_file(disk, &path(redo), &self.encode())
    }

    /// Reads it.
    pub(crate) fn read(disk: &dyn Disk, redo: Lsn) -> Result<Known> {
        let bytes = disk::read_file(disk, &path(redo))?;
        Known::decode(&bytes).ok_or_else(|| Error::corrupted("it is damaged"))
    }

    /// What is known when the log after the checkpoint has these commits, and no XID from `next` on
    /// was drawn.
    pub(crate) fn after(self, commits: &Commits, next: Xid) -> Outcomes {
        let mut outcomes = self.outcomes;
        for xid in self.open.iter().filter(|xid| !commits.has(**xid)) {
            outcomes.abort(xid.0, xid.0);
        }
        let mut from = self.next.0;
        for xid in commits.since(self.next) {
            if from < xid {
                outcomes.abort(from, xid - 1);
            }
            from = xid + 1;
        }
        if from < next.0 {
            outcomes.abort(from, next.0 - 1);
        }
        outcomes
    }
}

fn path(redo: Lsn) -> String {
    format!("{DIR}/{PREFIX}{:016X}", redo.0)
}

/// Removes the files of other checkpoints than the one with this redo point.
pub(crate) fn remove_others(disk: &dyn Disk, redo: Lsn) -> Result<()> {
    let ours = path(redo);
    for name in disk.list(DIR)? {
        let path = format!("{DIR}/{name}");
        if name.starts_with(PREFIX) && path != ours {
            disk.remove(&path)?;
        }
    }
    Ok(())
}

/// The XIDs of commit records: a bit each.
#[derive(Default)]
pub(crate) struct Commits(BTreeMap<u64, Box<[u64; Commits::WORDS]>>);

impl Commits {
    const WORDS: usize = 64;
    const CHUNK: u64 = Commits::WORDS as u64 * 64;

    pub(crate) fn insert(&mut self, xid: Xid) {
        let chunk = self.0.entry(xid.0 / Commits::CHUNK).or_insert_with(|| Box::new([0; 64]));
        chunk[(xid.0 % Commits::CHUNK / 64) as usize] |= 1 << (xid.0 % 64);
    }

    fn has(&self, xid: Xid) -> bool {
        let chunk = self.0.get(&(xid.0 / Commits::CHUNK));
        chunk.is_some_and(|c| c[(xid.0 % Commits::CHUNK / 64) as usize] >> (xid.0 % 64) & 1 == 1)
    }

    /// Those from an XID on, ascending.
    fn since(&self, first: Xid) -> impl Iterator<Item = u64> + '_ {
        let chunks = self.0.range(first.0 / Commits::CHUNK..);
        let all = chunks.flat_map(|(number, chunk)| {
            let begin = number * Commits::CHUNK;
            (0..Commits::CHUNK)
                .filter(move |bit| chunk[(bit / 64) as usize] >> (bit % 64) & 1 == 1)
                .map(move |bit| begin + bit)
        });
        all.skip_while(move |xid| *xid < first.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let outcomes = Outcomes::restore(10, [(20, 29), (50, 50)]);
        Known { outcomes, next: Xid(5000), open: vec![Xid(60), Xid(4095)] }
    }

    #[test]
    fn a_file_is_read_as_written_and_a_damaged_one_is_not() {
        let bytes = known().encode();
        assert_eq!(Known::decode(&bytes), Some(known()));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert_eq!(Known::decode(&damaged), None, "byte {at}");
            assert_eq!(Known::decode(&bytes[..at]), None, "{at} bytes");
        }
    }

    #[test]
    fn what_has_no_commit_record_has_aborted() {
        let mut commits = Commits::default();
        for xid in [60, 4096, 5001, 5002, 9000] {
            commits.insert(Xid(xid));
        }
        let outcomes = known().after(&commits, Xid(12_000));
        let aborted: Vec<_> = outcomes.aborted().collect();
        let expected =
            [(20, 29), (50, 50), (4095, 4095), (5000, 5000), (5003, 8999), (9001, 11_999)];
        assert_eq!((outcomes.floor(), &aborted[..]), (10, &expected[..]));
        let end = Xid(1 << 63);
        let last = Known { next: Xid(end.0 - 2), ..known() };
        commits.insert(Xid(end.0 - 1));
        let outcomes = last.after(&commits, end);
        assert_eq!(outcomes.committed(end.0 - 2), Some(false));
        assert_eq!(outcomes.committed(end.0 - 1), Some(true));
    }
}
