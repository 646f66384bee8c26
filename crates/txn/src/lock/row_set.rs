//! Sets of row ids: 64 rows a word, so that a whole table locked takes a few bits a row.

use base::RowId;
use std::collections::BTreeMap;

/// A set of row ids.
#[derive(Default, Clone)]
pub(super) struct RowSet {
    words: BTreeMap<u64, u64>,
}

impl RowSet {
    pub(super) fn insert(&mut self, row: RowId) -> bool {
        let word = self.words.entry(row.0 / 64).or_default();
        let bit = 1 << (row.0 % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    pub(super) fn contains(&self, row: RowId) -> bool {
        self.words.get(&(row.0 / 64)).is_some_and(|word| word >> (row.0 % 64) & 1 != 0)
    }

    pub(super) fn union(&mut self, other: RowSet) {
        for (at, word) in other.words {
            *self.words.entry(at).or_default() |= word;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = RowId> + '_ {
        self.words.iter().flat_map(|(at, word)| {
            (0..64).filter(move |bit| word >> bit & 1 != 0).map(move |bit| RowId(at * 64 + bit))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        set.union(other);
        assert!(set.contains(RowId(5)) && set.contains(RowId(63)));
    }
}
