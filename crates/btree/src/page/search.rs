//! Finding a key on a page.
//!
//! Keys that are numbers given out one after the other are so common that the search first guesses
//! where the key is from the keys at both ends, as one looks up a name in a telephone book: on a
//! page of 250 such keys it looks at four entries in place of eight, each of them a cache miss. A
//! guess can only narrow the range, so other keys cost a few looks more and are found all the same.

use super::{Page, damaged, place};
use crate::Bound;
use base::Result;
use std::cmp::Ordering;

/// Ranges of fewer entries are halved.
const GUESS_MIN: usize = 16;
/// Guesses for one search.
const GUESSES_MAX: usize = 3;

/// The first bytes of a key as a number: smaller ones belong to smaller keys.
fn head(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let len = key.len().min(8);
    bytes[..len].copy_from_slice(&key[..len]);
    u64::from_be_bytes(bytes)
}

/// The place of `key` among `count` entries whose first and last are `first` and `last`, if they
/// lie evenly.
fn guess(key: u64, first: u64, last: u64, count: usize) -> usize {
    let span = last - first;
    // 32 bits of the span are enough, and their product with a count fits into 64.
    let shift = 32_u32.saturating_sub(span.leading_zeros());
    let (ahead, span) = ((key - first) >> shift, (span >> shift).max(1));
    ((ahead * (count as u64 - 1) / span) as usize).min(count - 1)
}

impl Page<'_> {
    /// The number of entries from `from` on that are below `bound`, plus `from`.
    fn lower_bound(&self, from: usize, bound: Bound<'_>) -> Result<usize> {
        let shared = self.prefix.len().min(bound.key.len());
        match self.prefix[..shared].cmp(&bound.key[..shared]) {
            Ordering::Less => return Ok(self.count),
            Ordering::Greater => return Ok(from),
            Ordering::Equal if shared < self.prefix.len() => return Ok(from),
            Ordering::Equal => {}
        }
        let rest = &bound.key[shared..];
        let below = |at: usize| -> Result<(bool, u64)> {
            let (suffix, row) = self.suffix(at)?;
            let below = suffix.cmp(rest).then(row.cmp(&bound.row)) == Ordering::Less;
            Ok((below, head(suffix)))
        };
        let (mut low, mut high) = (from, self.count);
        if high.saturating_sub(low) >= GUESS_MIN {
            let key = head(rest);
            // The high key is nearly the last entry, and has been looked at just before.
            let mut last = match self.high() {
                Some(high) => head(high.key.get(self.prefix.len()..).unwrap_or_default()),
                None => head(self.suffix(high - 1)?.0),
            };
            let mut first = head(self.suffix(low)?.0);
            if key < first {
                return Ok(low);
            }
            if key > last {
                return Ok(high);
            }
            for _ in 0..GUESSES_MAX {
                if low >= high {
                    break;
                }
                let at = low + guess(key, first, last, high - low);
                match below(at)? {
                    (true, seen) => (low, first) = (at + 1, seen),
                    (false, seen) => (high, last) = (at, seen),
                }
            }
        }
        while low < high {
            let middle = usize::midpoint(low, high);
            match below(middle)?.0 {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low)
    }

    /// Where `bound` is, or would be, among a leaf's entries.
    pub(crate) fn search(&self, bound: Bound<'_>) -> Result<(usize, bool)> {
        let at = self.lower_bound(0, bound)?;
        if at == self.count {
            return Ok((at, false));
        }
        let (suffix, row) = self.suffix(at)?;
        let same = row == bound.row
            && bound.key.len() == self.prefix.len() + suffix.len()
            && bound.key.starts_with(self.prefix)
            && bound.key.ends_with(suffix);
        Ok((at, same))
    }

    /// The number of a leaf's entries below `bound`.
    pub(crate) fn below(&self, bound: Bound<'_>) -> Result<usize> {
        self.lower_bound(0, bound)
    }

    /// The entry of an inner page whose child has keys equal to `bound`.
    pub(crate) fn child_for(&self, bound: Bound<'_>) -> Result<usize> {
        if self.count == 0 {
            return Err(damaged("has no children").detail(place(self.bytes)));
        }
        let at = self.lower_bound(1, bound)?;
        if at < self.count {
            let (suffix, row) = self.suffix(at)?;
            let equal = row == bound.row
                && bound.key.len() == self.prefix.len() + suffix.len()
                && bound.key.starts_with(self.prefix)
                && bound.key.ends_with(suffix);
            if equal {
                return Ok(at);
            }
        }
        Ok(at - 1)
    }

    /// The entry of an inner page whose child has the keys just below `bound`.
    pub(crate) fn child_below(&self, bound: Bound<'_>) -> Result<usize> {
        if self.count == 0 {
            return Err(damaged("has no children").detail(place(self.bytes)));
        }
        Ok(self.lower_bound(1, bound)? - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::apply;
    use super::super::delta::{Contents, Mark};
    use super::*;
    use base::{PageNo, RowId, Xid};

    fn page(prefix: usize, keys: &[(Vec<u8>, u64)]) -> Vec<u8> {
        let high = keys.last().map(|(key, row)| Bound { key, row: RowId(row + 1) });
        let mut contents = Contents::new(0, prefix, high, PageNo(9), false);
        for (key, row) in keys {
            contents.leaf(key, RowId(*row), Mark { stamp: Xid(3), dead: false }, &[]);
        }
        let mut page = vec![0; 8192];
        apply(0, 0, &mut page, &contents.finish(), &[]).unwrap();
        page
    }

    /// Even, uneven, doubled and short keys: a guess never leads past the place.
    #[test]
    fn a_search_finds_the_place_that_counting_finds() {
        let even = (0..200_u32).map(|i| i * 7);
        let uneven = (0..31_u32).map(|i| 1 << i);
        let doubled = (0..150_u32).map(|i| i / 40);
        let apart = (0..100_u32).map(|i| if i < 99 { i } else { u32::MAX });
        let sets: [Vec<u32>; 4] =
            [even.collect(), uneven.collect(), doubled.collect(), apart.collect()];
        for set in &sets {
            for cut in 0..4 {
                let key = |value: u32| {
                    let bytes = value.to_be_bytes();
                    [b"same".as_slice(), &bytes[..4 - cut]].concat()
                };
                let mut keys: Vec<(Vec<u8>, u64)> =
                    set.iter().zip(1..).map(|(value, row)| (key(*value), row)).collect();
                keys.sort();
                let bytes = page(4, &keys);
                let view = Page::expect(&bytes).unwrap();
                let around = |value: u32| [value.wrapping_sub(1), value, value.wrapping_add(1)];
                for probe in set.iter().flat_map(|value| around(*value)) {
                    for row in [0, 1, 50, u64::MAX] {
                        let probe = key(probe);
                        let bound = Bound { key: &probe, row: RowId(row) };
                        let counted = keys
                            .iter()
                            .filter(|(key, row)| Bound { key, row: RowId(*row) } < bound)
                            .count();
                        assert_eq!(view.below(bound).unwrap(), counted, "{bound:?}");
                    }
                }
            }
        }
    }
}
