//! Sets of row ids that stay small however the rows lie: 2^16 ids a chunk, as a sorted list while
//! they are few and as bits when they are many. A row takes at most two bytes and its part of a
//! chunk; a table that is locked as a whole takes a bit a row.

use base::RowId;
use std::collections::BTreeMap;

/// The ids of a chunk as a list, up to which it is smaller than bits.
const LIST_MAX: usize = 4096;
const WORDS: usize = (1 << 16) / 64;
/// What a chunk takes up in the map besides its ids.
const CHUNK_BYTES: usize = 64;

#[derive(Clone)]
enum Chunk {
    /// In ascending order.
    List(Vec<u16>),
    Bits(Box<[u64; WORDS]>),
}

impl Chunk {
    fn insert(&mut self, low: u16) -> bool {
        match self {
            Chunk::List(list) => {
                // Rows are mostly locked in their order.
                let at = match list.last() {
                    Some(last) if *last < low => Err(list.len()),
                    _ => list.binary_search(&low),
                };
                let Err(at) = at else { return false };
                if list.len() < LIST_MAX {
                    list.insert(at, low);
                    return true;
                }
                let mut bits = Box::new([0; WORDS]);
                for low in list.iter().chain([&low]) {
                    bits[usize::from(low / 64)] |= 1 << (low % 64);
                }
                *self = Chunk::Bits(bits);
                true
            }
            Chunk::Bits(bits) => {
                let (word, bit) = (&mut bits[usize::from(low / 64)], 1 << (low % 64));
                let fresh = *word & bit == 0;
                *word |= bit;
                fresh
            }
        }
    }

    fn remove(&mut self, low: u16) -> bool {
        match self {
            Chunk::List(list) => match list.binary_search(&low) {
                Ok(at) => {
                    list.remove(at);
                    true
                }
                Err(_) => false,
            },
            Chunk::Bits(bits) => {
                let (word, bit) = (&mut bits[usize::from(low / 64)], 1 << (low % 64));
                let held = *word & bit != 0;
                *word &= !bit;
                held
            }
        }
    }

    fn contains(&self, low: u16) -> bool {
        match self {
            Chunk::List(list) => list.binary_search(&low).is_ok(),
            Chunk::Bits(bits) => bits[usize::from(low / 64)] >> (low % 64) & 1 != 0,
        }
    }

    fn bytes(&self) -> usize {
        CHUNK_BYTES
            + match self {
                Chunk::List(list) => 2 * list.capacity(),
                Chunk::Bits(_) => 8 * WORDS,
            }
    }

    fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        let (list, bits): (&[u16], &[u64]) = match self {
            Chunk::List(list) => (list, &[]),
            Chunk::Bits(bits) => (&[], &bits[..]),
        };
        let of_word = |(at, word): (usize, &u64)| {
            let word = *word;
            (0..64).filter(move |bit| word >> bit & 1 != 0).map(move |bit| at as u16 * 64 + bit)
        };
        list.iter().copied().chain(bits.iter().enumerate().flat_map(of_word))
    }
}

/// A set of row ids.
#[derive(Default, Clone)]
pub(super) struct RowSet {
    chunks: BTreeMap<u64, Chunk>,
    bytes: usize,
}

fn parts(row: RowId) -> (u64, u16) {
    (row.0 >> 16, row.0 as u16)
}

impl RowSet {
    pub(super) fn insert(&mut self, row: RowId) -> bool {
        let (high, low) = parts(row);
        let mut before = 0;
        let chunk = match self.chunks.entry(high) {
            std::collections::btree_map::Entry::Occupied(known) => {
                let known = known.into_mut();
                before = known.bytes();
                known
            }
            std::collections::btree_map::Entry::Vacant(none) => {
                none.insert(Chunk::List(Vec::new()))
            }
        };
        let fresh = chunk.insert(low);
        self.bytes = self.bytes - before + chunk.bytes();
        fresh
    }

    /// Takes a row out. Whether it was there.
    pub(super) fn remove(&mut self, row: RowId) -> bool {
        let (high, low) = parts(row);
        self.chunks.get_mut(&high).is_some_and(|chunk| chunk.remove(low))
    }

    pub(super) fn contains(&self, row: RowId) -> bool {
        let (high, low) = parts(row);
        self.chunks.get(&high).is_some_and(|chunk| chunk.contains(low))
    }

    pub(super) fn union(&mut self, other: &RowSet) {
        for row in other.iter() {
            self.insert(row);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = RowId> + '_ {
        self.chunks.iter().flat_map(|(high, chunk)| {
            chunk.iter().map(move |low| RowId(high << 16 | u64::from(low)))
        })
    }

    /// The memory that it takes up.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn holds_what_was_put_in() {
        let mut set = RowSet::default();
        let rows = [0, 63, 64, 1 << 40, u64::MAX];
        for row in rows {
            assert!(set.insert(RowId(row)));
            assert!(!set.insert(RowId(row)));
        }
        assert!(!set.contains(RowId(1)));
        assert_eq!(set.iter().map(|row| row.0).collect::<Vec<_>>(), rows);
        let mut other = RowSet::default();
        other.insert(RowId(5));
        set.union(&other);
        assert!(set.contains(RowId(5)) && set.contains(RowId(63)));
    }

    #[test]
    fn ten_million_rows_stay_small_wherever_they_lie() {
        for (step, bytes_max) in [(1, 2 << 20), (10, 14 << 20), (64, 22 << 20)] {
            let mut set = RowSet::default();
            (0..10_000_000).for_each(|number| {
                set.insert(RowId(number * step));
            });
            assert!(set.bytes() <= bytes_max, "every {step}th row: {} bytes", set.bytes());
            assert!(set.contains(RowId(9_999_999 * step)) && set.contains(RowId(0)));
        }
    }

    #[test]
    fn it_is_a_set_whatever_goes_in() {
        for seed in 1u64..40 {
            let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let (mut set, mut model) = (RowSet::default(), BTreeSet::new());
            for _ in 0..9_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
                let row = match state >> 62 {
                    0 => state >> 12,
                    1 => 65_000 + (state >> 20) % 1000,
                    _ => (state >> 20) % 12_000,
                };
                if state.is_multiple_of(5) {
                    assert_eq!(
                        set.remove(RowId(row)),
                        model.remove(&row),
                        "seed {seed}, row {row}"
                    );
                    continue;
                }
                assert_eq!(set.insert(RowId(row)), model.insert(row), "seed {seed}, row {row}");
            }
            assert!(set.iter().map(|row| row.0).eq(model.iter().copied()), "seed {seed}");
            let bytes: usize = set.chunks.values().map(Chunk::bytes).sum();
            assert_eq!(set.bytes(), bytes, "seed {seed}");
            assert!(model.iter().all(|row| set.contains(RowId(*row))), "seed {seed}");
        }
    }
}
