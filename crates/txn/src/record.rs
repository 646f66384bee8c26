//! The data of commit, abort and counter records.

use base::{Error, FileId, Result};

/// What a commit or abort record carries.
///
/// | bytes | field |
/// |---|---|
/// | 8 | time of the commit, microseconds since 2000-01-01 |
/// | 4 | number of files |
/// | 8 each | files to unlink |
/// | 4 | bytes of the invalidations |
/// | n | invalidations, opaque here |
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommitRecord {
    /// When, in microseconds since 2000-01-01 00:00:00 UTC.
    pub time_us: i64,
    /// The files that are gone with it; redo repeats the unlinks (storage rule 22).
    pub unlink: Vec<FileId>,
    /// What caches must forget.
    pub invalidations: Vec<u8>,
}

impl CommitRecord {
    /// The bytes of the record's data.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + 8 * self.unlink.len() + self.invalidations.len());
        out.extend_from_slice(&self.time_us.to_le_bytes());
        out.extend_from_slice(&(self.unlink.len() as u32).to_le_bytes());
        for file in &self.unlink {
            out.extend_from_slice(&file.0.to_le_bytes());
        }
        out.extend_from_slice(&(self.invalidations.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.invalidations);
        out
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// XX001 when the bytes are not such a record.
    pub fn decode(data: &[u8]) -> Result<CommitRecord> {
        let damaged = || Error::corrupted("commit record is damaged");
        let mut rest = data;
        let mut take = |n: usize| -> Result<&[u8]> {
            let (head, tail) = rest.split_at_checked(n).ok_or_else(damaged)?;
            rest = tail;
            Ok(head)
        };
        let time_us = i64::from_le_bytes(take(8)?.try_into().map_err(|_| damaged())?);
        let files = u32::from_le_bytes(take(4)?.try_into().map_err(|_| damaged())?);
        let files = take((files as usize).checked_mul(8).ok_or_else(damaged)?)?;
        let unlink = files
            .chunks_exact(8)
            .map(|id| FileId(u64::from_le_bytes(id.try_into().unwrap_or_default())))
            .collect();
        let bytes = u32::from_le_bytes(take(4)?.try_into().map_err(|_| damaged())?);
        let invalidations = take(bytes as usize)?.to_vec();
        if !rest.is_empty() {
            return Err(damaged());
        }
        Ok(CommitRecord { time_us, unlink, invalidations })
    }
}

/// A counter whose limit is logged ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CounterKind {
    /// Transaction ids.
    Xid = 1,
    /// Object ids.
    Oid = 2,
    /// File ids.
    File = 3,
}

/// The data of a counter record: no value at or above `limit` was given out before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CounterLimit {
    /// Which counter.
    pub kind: CounterKind,
    /// Values below it may have been given out.
    pub limit: u64,
}

impl CounterLimit {
    /// The bytes of the record's data.
    pub fn encode(self) -> [u8; 9] {
        let mut out = [0; 9];
        out[0] = self.kind as u8;
        out[1..].copy_from_slice(&self.limit.to_le_bytes());
        out
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// XX001 when the bytes are not such a record.
    pub fn decode(data: &[u8]) -> Result<CounterLimit> {
        let damaged = || Error::corrupted("counter record is damaged");
        let (&kind, limit) = data.split_first().ok_or_else(damaged)?;
        let kind = match kind {
            1 => CounterKind::Xid,
            2 => CounterKind::Oid,
            3 => CounterKind::File,
            _ => return Err(damaged()),
        };
        let limit = u64::from_le_bytes(limit.try_into().map_err(|_| damaged())?);
        Ok(CounterLimit { kind, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_and_refuse_damage() {
        let record = CommitRecord {
            time_us: -5,
            unlink: vec![FileId(7), FileId(1 << 40)],
            invalidations: b"abc".to_vec(),
        };
        let bytes = record.encode();
        assert_eq!(CommitRecord::decode(&bytes).unwrap(), record);
        for end in 0..bytes.len() {
            assert!(CommitRecord::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        let limit = CounterLimit { kind: CounterKind::File, limit: 1 << 50 };
        assert_eq!(CounterLimit::decode(&limit.encode()).unwrap(), limit);
        assert!(CounterLimit::decode(&[9, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
