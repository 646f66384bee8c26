//! The keys that a recursive UNION has found: in a hash table as long as it may grow, then in files.
//!
//! When the table may not grow, its keys become a run: sorted in a file, with a filter in memory that
//! tells of nearly every new key that the run does not have it. Eight runs of one level become one of
//! the next, so that a key is looked for in few of them.

use crate::key_set::{Writing, Written};
use crate::keys::{KeyTable, Source};
use crate::spill::Budget;
use crate::state::Execution;
use base::{Oid, Result};
use memory::{Heap, collections};
use types::TypeHost;

const NAME: &str = "RecursiveUnionSort";
/// So many runs of a level become one.
const RUNS_MAX: usize = 8;
const BITS_A_KEY: usize = 10;
const PROBES: u64 = 5;

/// A set of keys. NULLs are equal.
pub(crate) struct FoundKeys {
    table: KeyTable,
    /// The table's own.
    table_heap: Heap,
    budget: Budget,
    runs: Vec<Run>,
    heap: Heap,
}

struct Run {
    written: Written,
    filter: Filter,
    keys: usize,
    level: u32,
}

/// A Bloom filter over the hashes of keys.
struct Filter(collections::Vec<u64, Heap>);

impl Filter {
    fn new(keys: usize, heap: &Heap) -> Result<Filter> {
        let mut words = collections::Vec::new_in(heap.clone());
        for _ in 0..(keys * BITS_A_KEY).div_ceil(64).max(1) {
            collections::TryPush::try_push(&mut words, 0)?;
        }
        Ok(Filter(words))
    }

    fn places(&self, hash: u64) -> impl Iterator<Item = (usize, u64)> + use<> {
        let bits = self.0.len() as u128 * 64;
        let step = hash.rotate_left(32) | 1;
        (0..PROBES).map(move |probe| {
            let mixed =
                hash.wrapping_add(step.wrapping_mul(probe)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let bit = ((u128::from(mixed) * bits) >> 64) as usize;
            (bit / 64, 1 << (bit % 64))
        })
    }

    fn insert(&mut self, hash: u64) {
        self.places(hash).for_each(|(word, bit)| self.0[word] |= bit);
    }

    fn may_have(&self, hash: u64) -> bool {
        self.places(hash).all(|(word, bit)| self.0[word] & bit != 0)
    }
}

impl FoundKeys {
    /// An empty set of keys of these types.
    pub(crate) fn new(x: &Execution<'_>, heap: &Heap, types: Vec<Oid>) -> FoundKeys {
        let table_heap = x.heap("RecursiveUnionKeys");
        FoundKeys {
            table: KeyTable::new(&table_heap, types),
            table_heap,
            budget: Budget::hash(x),
            runs: Vec::new(),
            heap: heap.clone(),
        }
    }

    /// Called before `rows` keys are added: the table's keys become a run if it may not grow.
    pub(crate) fn make_room(&mut self, x: &Execution<'_>, rows: usize) -> Result<()> {
        if self.table.len() == 0 || self.budget.allows(&self.table_heap, self.table.growth(rows)) {
            return Ok(());
        }
        let mut writing = Writing::new(x, NAME, &self.heap);
        let mut filter = Filter::new(self.table.len(), &self.heap)?;
        for (_, key, _) in self.table.keys() {
            filter.insert(self.table.hash_of(key));
            writing.add(x, key, &self.heap)?;
        }
        let keys = self.table.len();
        self.table.release();
        let written = writing.finish(x, &self.heap)?;
        self.runs.push(Run { written, filter, keys, level: 0 });
        self.merge(x)
    }

    /// Makes one run of the last ones while there are enough of one level.
    fn merge(&mut self, x: &Execution<'_>) -> Result<()> {
        while let Some(first) = self.runs.len().checked_sub(RUNS_MAX)
            && let level = self.runs[first].level
            && self.runs[first..].iter().all(|run| run.level == level)
        {
            let keys = self.runs[first..].iter().map(|run| run.keys).sum();
            let mut writing = Writing::new(x, NAME, &self.heap);
            let mut filter = Filter::new(keys, &self.heap)?;
            for run in self.runs.drain(first..) {
                x.check()?;
                run.written.each(&self.heap, |key| {
                    filter.insert(self.table.hash_of(key));
                    writing.add(x, key, &self.heap)
                })?;
            }
            let written = writing.finish(x, &self.heap)?;
            self.runs.push(Run { written, filter, keys, level: level + 1 });
        }
        Ok(())
    }

    /// Adds the key of a row; whether it is new.
    pub(crate) fn insert(
        &mut self,
        host: &dyn TypeHost,
        source: &dyn Source,
        row: usize,
    ) -> Result<bool> {
        if !self.runs.is_empty()
            && let (_, Some(key)) = self.table.hashed(host, source, row, true)?
        {
            let key: Box<[u8]> = key.into();
            let hash = self.table.hash_of(&key);
            for run in self.runs.iter_mut().rev() {
                if run.filter.may_have(hash) && run.written.contains(&key, &self.heap)? {
                    return Ok(false);
                }
            }
        }
        Ok(self.table.insert(host, source, row, true)?.is_some_and(|(_, new)| new))
    }

    pub(crate) fn clear(&mut self) {
        self.table.clear();
        self.runs.clear();
    }
}
