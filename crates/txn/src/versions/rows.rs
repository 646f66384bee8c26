//! The rows of a version record.

use super::Mark;
use base::{RowId, Xid};

/// What a row was before the change of a version record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowBefore {
    /// The row.
    pub row: RowId,
    /// Its stamp before.
    pub stamp: Xid,
    /// Its mark before.
    pub mark: Mark,
    /// Where its before-image lies in the record's body: first byte and number of bytes.
    pub image: (u32, u32),
}

/// Changed rows, ascending by row id. A single row needs no memory besides the record's own.
/// Neighbours with the same stamp and mark are one run, and images of one size at even distances are
/// told by the first, so that a statement that changes whole leaves leaves few bytes behind.
#[derive(Clone, Debug)]
pub struct ChangedRows(Shape);

#[derive(Clone, Debug)]
enum Shape {
    One { row: RowId, stamp: Xid, mark: Mark, image: (u32, u32) },
    Many(Box<Many>),
}

#[derive(Clone, Debug)]
struct Many {
    runs: Box<[Run]>,
    images: Images,
}

#[derive(Clone, Debug)]
struct Run {
    first: RowId,
    stamp: Xid,
    /// The index of the first row.
    start: u32,
    mark: Mark,
}

/// Where images lie.
#[derive(Clone, Debug)]
enum Images {
    /// One of `bytes` bytes every `step` bytes, `count` of them from `first` on.
    Even {
        first: u32,
        step: u32,
        bytes: u32,
        count: u32,
    },
    Listed(Box<[(u32, u32)]>),
}

impl Images {
    fn new(rows: &[RowBefore]) -> Images {
        let image = |at: usize| rows.get(at).map_or((0, 0), |before| before.image);
        let ((first, bytes), step) = (image(0), image(1).0.wrapping_sub(image(0).0));
        let count = rows.len() as u32;
        let even = Images::Even { first, step, bytes, count };
        match (0..rows.len()).all(|at| even.get(at) == Some(image(at))) {
            true => even,
            false => Images::Listed(rows.iter().map(|before| before.image).collect()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Images::Even { count, .. } => *count as usize,
            Images::Listed(list) => list.len(),
        }
    }

    fn get(&self, index: usize) -> Option<(u32, u32)> {
        match self {
            Images::Even { first, step, bytes, count } => {
                let index = u32::try_from(index).ok().filter(|index| index < count)?;
                Some((first.wrapping_add(step.wrapping_mul(index)), *bytes))
            }
            Images::Listed(list) => list.get(index).copied(),
        }
    }
}

impl Many {
    fn new(rows: &[RowBefore]) -> Many {
        let mut runs: Vec<Run> = Vec::with_capacity(1);
        for (at, before) in rows.iter().enumerate() {
            let RowBefore { row, stamp, mark, .. } = *before;
            let goes_on = runs.last().is_some_and(|run| {
                let next = run.first.0 + (at as u64 - u64::from(run.start));
                (run.stamp, run.mark, next) == (stamp, mark, row.0)
            });
            if !goes_on {
                runs.push(Run { first: row, stamp, start: at as u32, mark });
            }
        }
        Many { runs: runs.into_boxed_slice(), images: Images::new(rows) }
    }

    fn get(&self, index: usize) -> Option<RowBefore> {
        let image = self.images.get(index)?;
        let run = &self.runs[self.runs.partition_point(|run| run.start as usize <= index) - 1];
        let row = RowId(run.first.0 + (index as u64 - u64::from(run.start)));
        Some(RowBefore { row, stamp: run.stamp, mark: run.mark, image })
    }

    fn lower_bound(&self, row: RowId) -> usize {
        let after = self.runs.partition_point(|run| run.first <= row);
        let Some(at) = after.checked_sub(1) else { return 0 };
        let run = &self.runs[at];
        let end = self.runs.get(after).map_or(self.images.len(), |next| next.start as usize);
        let within = usize::try_from(row.0 - run.first.0).unwrap_or(usize::MAX);
        end.min((run.start as usize).saturating_add(within))
    }
}

impl ChangedRows {
    /// These rows, which must be in order.
    pub fn new(rows: &[RowBefore]) -> ChangedRows {
        ChangedRows(match *rows {
            [RowBefore { row, stamp, mark, image }] => Shape::One { row, stamp, mark, image },
            _ => Shape::Many(Box::new(Many::new(rows))),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Shape::One { .. } => 1,
            Shape::Many(many) => many.images.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row with an index.
    pub fn get(&self, index: usize) -> Option<RowBefore> {
        match &self.0 {
            Shape::One { row, stamp, mark, image } if index == 0 => {
                Some(RowBefore { row: *row, stamp: *stamp, mark: *mark, image: *image })
            }
            Shape::One { .. } => None,
            Shape::Many(many) => many.get(index),
        }
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = RowBefore> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The index of the first row that is not below `row`.
    fn lower_bound(&self, row: RowId) -> usize {
        match &self.0 {
            Shape::One { row: only, .. } => usize::from(*only < row),
            Shape::Many(many) => many.lower_bound(row),
        }
    }

    /// A row with its index.
    pub(super) fn find(&self, row: RowId) -> Option<(usize, RowBefore)> {
        let index = self.lower_bound(row);
        self.get(index).filter(|before| before.row == row).map(|before| (index, before))
    }

    /// Whether a row lies in `from..to` (`to` absent: no end).
    pub(super) fn touches(&self, from: RowId, to: Option<RowId>) -> bool {
        let first = self.get(self.lower_bound(from));
        first.is_some_and(|before| to.is_none_or(|to| before.row < to))
    }

    /// The bytes of memory behind it.
    pub(super) fn bytes(&self) -> usize {
        let Shape::Many(many) = &self.0 else { return 0 };
        let images = match &many.images {
            Images::Even { .. } => 0,
            Images::Listed(list) => size_of_val::<[(u32, u32)]>(list),
        };
        size_of::<Many>() + size_of_val::<[Run]>(&many.runs) + images
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(row: u64, stamp: u64, mark: Mark, at: u32) -> RowBefore {
        RowBefore { row: RowId(row), stamp: Xid(stamp), mark, image: (at, 7) }
    }

    fn answers_as_a_list_does(rows: &[RowBefore]) -> ChangedRows {
        let changed = ChangedRows::new(rows);
        assert_eq!(changed.iter().collect::<Vec<_>>(), rows);
        for row in (0..30).chain(u64::MAX - 2..=u64::MAX).map(RowId) {
            let expected = rows.iter().position(|before| before.row == row);
            assert_eq!(changed.find(row), expected.map(|at| (at, rows[at])), "{row}");
            for to in (0..30).map(|to| Some(RowId(to))).chain([None]) {
                let inside = |r: &RowBefore| r.row >= row && to.is_none_or(|to| r.row < to);
                assert_eq!(changed.touches(row, to), rows.iter().any(inside), "{row} {to:?}");
            }
        }
        changed
    }

    #[test]
    fn runs_answer_as_a_list_of_rows_does() {
        let changed = answers_as_a_list_does(&[
            before(10, 5, Mark::INSERTED, 1),
            before(11, 5, Mark::INSERTED, 2),
            before(12, 5, Mark::CHANGED, 3),
            before(13, 6, Mark::CHANGED, 4),
            before(20, 6, Mark::CHANGED, 5),
            before(21, 6, Mark::CHANGED, 6),
            before(u64::MAX, 6, Mark::CHANGED, 70),
        ]);
        let Shape::Many(many) = &changed.0 else { panic!("{changed:?}") };
        assert_eq!(many.runs.len(), 5);
        answers_as_a_list_does(&[before(12, 5, Mark::CHANGED, 3)]);
        answers_as_a_list_does(&[before(u64::MAX, 5, Mark::CHANGED, 3)]);
        assert!(ChangedRows::new(&[]).get(0).is_none());
        assert!(!ChangedRows::new(&[]).touches(RowId(0), None));
    }

    #[test]
    fn a_single_row_takes_no_memory_and_a_whole_leaf_takes_little() {
        assert_eq!(ChangedRows::new(&[before(12, 5, Mark::CHANGED, 3)]).bytes(), 0);
        let rows = (0..25).map(|at| before(at, 5, Mark::CHANGED, 40 + 12 * at as u32));
        let changed = answers_as_a_list_does(&rows.collect::<Vec<_>>());
        assert!(changed.bytes() <= 96, "{}", changed.bytes());
    }
}
