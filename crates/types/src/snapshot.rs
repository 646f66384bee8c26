//! `pg_snapshot` and `txid_snapshot`: which transactions a snapshot sees.
//!
//! A value is its binary form: the number of running transactions (4 bytes), xmin, xmax and the
//! running transactions (8 bytes each), big-endian.

use crate::Datum;
use base::{Error, Result, err};

/// A snapshot as users see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotValue {
    /// Every transaction below it is over.
    pub xmin: u64,
    /// No transaction at or above it is seen.
    pub xmax: u64,
    /// Those between them that run, ascending.
    pub running: Vec<u64>,
}

/// A number as C's `strtoull` reads it: no digits are 0.
fn number(text: &mut &str) -> u64 {
    let rest = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 {
        return 0;
    }
    let (head, tail) = rest.split_at(digits);
    *text = tail;
    head.parse().unwrap_or(u64::MAX)
}

impl SnapshotValue {
    /// Reads `xmin:xmax:xip,xip`.
    ///
    /// # Errors
    /// 22P02
    pub fn parse(text: &str) -> Result<SnapshotValue> {
        SnapshotValue::read(text).ok_or_else(|| {
            err!(
                INVALID_TEXT_REPRESENTATION,
                "invalid input syntax for type pg_snapshot: \"{text}\""
            )
        })
    }

    fn read(text: &str) -> Option<SnapshotValue> {
        let mut rest = text;
        let xmin = number(&mut rest);
        rest = rest.strip_prefix(':')?;
        let xmax = number(&mut rest);
        rest = rest.strip_prefix(':')?;
        if xmin == 0 || xmax == 0 || xmax < xmin {
            return None;
        }
        let mut running: Vec<u64> = Vec::new();
        while !rest.is_empty() {
            let xid = number(&mut rest);
            let last = running.last().copied();
            if xid < xmin || xid >= xmax || last.is_some_and(|last| xid < last) {
                return None;
            }
            if last != Some(xid) {
                running.push(xid);
            }
            if !rest.is_empty() {
                rest = rest.strip_prefix(',')?;
            }
        }
        Some(SnapshotValue { xmin, xmax, running })
    }

    /// The text form.
    pub fn text(&self) -> String {
        let running: Vec<String> = self.running.iter().map(u64::to_string).collect();
        format!("{}:{}:{}", self.xmin, self.xmax, running.join(","))
    }

    /// The bytes of the value.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = (self.running.len() as u32).to_be_bytes().to_vec();
        for xid in [self.xmin, self.xmax].iter().chain(&self.running) {
            out.extend_from_slice(&xid.to_be_bytes());
        }
        out
    }

    /// Reads the bytes of a value.
    ///
    /// # Errors
    /// 22P03
    pub fn decode(bytes: &[u8]) -> Result<SnapshotValue> {
        let invalid = || err!(INVALID_BINARY_REPRESENTATION, "invalid external pg_snapshot data");
        let (count, rest) = bytes.split_first_chunk::<4>().ok_or_else(invalid)?;
        let (words, left) = rest.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_be_bytes(*word)).collect();
        let [xmin, xmax, running @ ..] = &words[..] else { return Err(invalid()) };
        let count = u32::from_be_bytes(*count) as usize;
        let inside = running.iter().all(|xid| xmin <= xid && xid < xmax);
        let sane = *xmin > 0 && xmin <= xmax && inside && running.is_sorted();
        if !left.is_empty() || running.len() != count || !sane {
            return Err(invalid());
        }
        let mut running = running.to_vec();
        running.dedup();
        Ok(SnapshotValue { xmin: *xmin, xmax: *xmax, running })
    }

    /// The snapshot of a datum.
    ///
    /// # Errors
    /// XX000 for a datum of another type.
    pub fn from_datum(datum: &Datum<'_>) -> Result<SnapshotValue> {
        SnapshotValue::decode(datum.bytes()?)
            .map_err(|_| Error::internal("a snapshot that is none"))
    }

    /// Whether a transaction is over for the snapshot.
    pub fn sees(&self, xid: u64) -> bool {
        xid < self.xmin || (xid < self.xmax && self.running.binary_search(&xid).is_err())
    }
}
