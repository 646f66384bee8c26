//! What became of XIDs that have left the map, for `pg_xact_status`. No row's visibility depends on
//! it: it may be cut at any time (storage rule 2).
//!
//! From `floor` on every XID below the next one has committed unless it is in the map or in a range
//! of `aborted`. An XID that was never drawn, because a crash made the counter jump, counts as
//! aborted.

use std::collections::BTreeMap;

/// The ranges of aborted XIDs that are remembered; beyond them the oldest are forgotten.
const RANGES_MAX: usize = 100_000;

/// What became of XIDs that have left the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    floor: u64,
    /// First and last XID of each range; no two touch.
    aborted: BTreeMap<u64, u64>,
}

impl Outcomes {
    /// Nothing is known of XIDs below `floor`, and from there on none has aborted.
    pub fn new(floor: u64) -> Outcomes {
        Outcomes { floor, aborted: BTreeMap::new() }
    }

    /// Known from another place: the first XID that is known, and ranges of aborted ones.
    pub fn restore(floor: u64, aborted: impl IntoIterator<Item = (u64, u64)>) -> Outcomes {
        let mut outcomes = Outcomes::new(floor);
        aborted.into_iter().for_each(|(first, last)| outcomes.abort(first, last));
        outcomes
    }

    /// The first XID of which something is known.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// The ranges of aborted XIDs, first and last of each.
    pub fn aborted(&self) -> impl ExactSizeIterator<Item = (u64, u64)> + '_ {
        self.aborted.iter().map(|(first, last)| (*first, *last))
    }

    pub(crate) fn raise_floor(&mut self, floor: u64) {
        self.floor = self.floor.max(floor);
    }

    /// The XIDs from `first` to `last` have aborted.
    pub fn abort(&mut self, first: u64, last: u64) {
        let (mut from, mut to) = (first, last);
        // Ranges that overlap it or touch it become one with it.
        while let Some((&a, &b)) = self.aborted.range(..=to.saturating_add(1)).next_back() {
            if b < from.saturating_sub(1) {
                break;
            }
            (from, to) = (from.min(a), to.max(b));
            self.aborted.remove(&a);
        }
        self.aborted.insert(from, to);
        if self.aborted.len() > RANGES_MAX
            && let Some((_, oldest)) = self.aborted.pop_first()
        {
            self.raise_floor(oldest + 1);
        }
    }

    /// Whether an XID that is not in the map has committed; nothing when that is not known any more.
    pub fn committed(&self, xid: u64) -> Option<bool> {
        let in_range = self.aborted.range(..=xid).next_back().is_some_and(|(_, last)| xid <= *last);
        (xid >= self.floor).then_some(!in_range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use disk::Random;
    use std::collections::BTreeSet;

    #[test]
    fn ranges_grow_together_and_answer_as_a_set_does() {
        for seed in 1..50 {
            let mut random = Random::new(seed);
            let (mut outcomes, mut model) = (Outcomes::new(5), BTreeSet::new());
            for _ in 0..60 {
                let first = random.below(200);
                let last = first + random.below(9) * random.below(2);
                outcomes.abort(first, last);
                model.extend(first..=last);
            }
            for xid in 0..250 {
                let expected = (xid >= 5).then(|| !model.contains(&xid));
                assert_eq!(outcomes.committed(xid), expected, "seed {seed}, XID {xid}");
            }
            let gaps = outcomes.aborted().collect::<Vec<_>>();
            assert!(gaps.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{gaps:?}");
            assert_eq!(Outcomes::restore(5, outcomes.aborted()), outcomes);
        }
    }

    #[test]
    fn too_many_ranges_cost_the_oldest_ones_their_place() {
        let mut outcomes = Outcomes::new(3);
        (0..RANGES_MAX as u64 + 1).for_each(|n| outcomes.abort(10 + 2 * n, 10 + 2 * n));
        assert_eq!(outcomes.committed(10), None);
        assert_eq!(outcomes.committed(11), Some(true));
        assert_eq!(outcomes.committed(12), Some(false));
        outcomes.abort(u64::MAX - 1, u64::MAX);
        assert_eq!(outcomes.committed(u64::MAX), Some(false));
    }
}
