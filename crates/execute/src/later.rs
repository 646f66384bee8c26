//! Rows that aggregates take in when the results of their groups are wanted.
//!
//! The state of an aggregate such as array_agg keeps something of every row, so that it grows
//! although no groups are added. When an operator holds as much as it may, further rows of its groups
//! are written, by ranges of group numbers. Before the groups of a range come out their rows are
//! taken in; afterwards the states of these groups go.
//!
//! # Rules
//! 1. Rows of a group come back in the order in which they were added.
//! 2. A range whose rows need more memory than the operator may hold is divided, as long as it has
//!    more than one group.

use crate::spill::{Budget, LEVEL_MAX, MINIMUM_BYTES, Partitions, Rows};
use crate::state::Execution;
use base::Result;
use batch::{Batch, Layout};
use memory::Heap;
use types::Datum;

/// The bits of a position that a level of partitions takes.
const DIGIT_BITS: u32 = 4;
/// There are so many positions.
const POSITIONS: u64 = 1 << (DIGIT_BITS * LEVEL_MAX);

/// Rows of groups that come one after the other.
struct Range {
    level: u32,
    /// Its positions.
    start: u64,
    end: u64,
    rows: Rows,
}

/// Rows whose last column is the number of their group.
pub(crate) struct Later {
    /// The number of groups when it was made: so many are spread over the positions. Groups that
    /// were added afterwards have the last one.
    groups: u64,
    writing: Option<Partitions>,
    /// Those that were not taken in, the first one last.
    ranges: Vec<Range>,
    /// The rows of groups before this position were taken in.
    done: u64,
    budget: Budget,
    heap: Heap,
}

/// The group of a row.
pub(crate) fn group_of(numbered: &Batch, row: usize) -> u32 {
    match numbered.columns().last().map(|numbers| numbers.get(row)) {
        Some(Datum::Int4(group)) => group.cast_unsigned(),
        _ => 0,
    }
}

/// What [`Partitions`] takes for a hash: the first level takes the highest bits of the position.
fn hash_of(position: u64) -> u64 {
    (0..LEVEL_MAX).fold(0, |hash, level| {
        let digit = position >> (DIGIT_BITS * (LEVEL_MAX - 1 - level));
        hash | Partitions::hash_for(level, digit)
    })
}

impl Later {
    pub(crate) fn new(heap: &Heap, groups: usize, budget: Budget) -> Later {
        let groups = groups.max(1) as u64;
        Later { groups, writing: None, ranges: Vec::new(), done: 0, budget, heap: heap.clone() }
    }

    fn position(&self, group: u32) -> u64 {
        (u64::from(group) * POSITIONS / self.groups).min(POSITIONS - 1)
    }

    fn write(&self, to: &mut Partitions, numbered: &Batch) -> Result<()> {
        let place = |row| (row as u32, hash_of(self.position(group_of(numbered, row))));
        let rows: Vec<(u32, u64)> = numbered.rows().map(place).collect();
        to.add(numbered, &rows)
    }

    /// Keeps the rows of a batch.
    pub(crate) fn add(&mut self, x: &Execution<'_>, numbered: &Batch) -> Result<()> {
        let mut writing = match self.writing.take() {
            Some(writing) => writing,
            None => {
                let layouts: Vec<Layout> = numbered.columns().iter().map(|c| c.layout()).collect();
                Partitions::new(x, &self.heap, &layouts, 0)?
            }
        };
        let added = self.write(&mut writing, numbered);
        self.writing = Some(writing);
        added
    }

    /// All rows are there.
    pub(crate) fn finish(&mut self) -> Result<()> {
        match self.writing.take() {
            Some(writing) => self.push(writing, 0, 0),
            None => Ok(()),
        }
    }

    /// Adds the ranges of a level that begin at a position.
    fn push(&mut self, written: Partitions, level: u32, start: u64) -> Result<()> {
        let width = POSITIONS >> (DIGIT_BITS * (level + 1));
        let ranges = written.finish()?.into_iter().zip(0..).map(|(rows, number)| {
            let start = start + number * width;
            Range { level, start, end: start + width, rows }
        });
        let ranges: Vec<Range> = ranges.filter(|range| !range.rows.is_empty()).collect();
        self.ranges.extend(ranges.into_iter().rev());
        Ok(())
    }

    /// The rows that have to be taken in before `group` comes out.
    pub(crate) fn next(&mut self, x: &Execution<'_>, group: u32) -> Result<Option<Rows>> {
        let position = self.position(group);
        while self.done <= position {
            let Some(range) = self.ranges.pop_if(|range| range.start <= position) else {
                self.done = self.ranges.last().map_or(POSITIONS, |range| range.start);
                break;
            };
            let has_many = self.position(group + 1) < range.end;
            let most = (self.budget.bytes() / 2).max(MINIMUM_BYTES);
            if !has_many || range.rows.bytes() <= most || range.level + 1 >= LEVEL_MAX {
                self.done = range.end;
                return Ok(Some(range.rows));
            }
            let level = range.level + 1;
            let mut parts = Partitions::new(x, &self.heap, range.rows.layouts(), level)?;
            for block in 0..range.rows.blocks() {
                if let Some(batch) = range.rows.block(block, &self.heap)? {
                    self.write(&mut parts, &batch)?;
                }
            }
            self.push(parts, level, range.start)?;
        }
        Ok(None)
    }

    /// How many of `count` groups from `first` on have all their rows.
    pub(crate) fn complete(&self, first: u32, count: usize) -> usize {
        (first..).take(count).take_while(|group| self.position(*group) < self.done).count()
    }
}
