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

/// Changed rows, ascending by row id. Neighbours with the same stamp and mark are one run, so that
/// a statement that changes whole leaves leaves few bytes behind.
#[derive(Clone, Debug)]
pub struct ChangedRows {
    runs: Box<[Run]>,
    images: Box<[(u32, u32)]>,
}

#[derive(Clone, Debug)]
struct Run {
    first: RowId,
    stamp: Xid,
    /// The index of the first row.
    start: u32,
    mark: Mark,
}

impl ChangedRows {
    /// These rows, which must be in order.
    pub fn new(rows: &[RowBefore]) -> ChangedRows {
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
        let images = rows.iter().map(|before| before.image).collect();
        ChangedRows { runs: runs.into_boxed_slice(), images }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The row with an index.
    pub fn get(&self, index: usize) -> Option<RowBefore> {
        let image = *self.images.get(index)?;
        let run = &self.runs[self.runs.partition_point(|run| run.start as usize <= index) - 1];
        let row = RowId(run.first.0 + (index as u64 - u64::from(run.start)));
        Some(RowBefore { row, stamp: run.stamp, mark: run.mark, image })
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = RowBefore> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The index of the first row that is not below `row`.
    fn lower_bound(&self, row: RowId) -> usize {
        let after = self.runs.partition_point(|run| run.first <= row);
        let Some(at) = after.checked_sub(1) else { return 0 };
        let run = &self.runs[at];
        let end = self.runs.get(after).map_or(self.len(), |next| next.start as usize);
        let within = usize::try_from(row.0 - run.first.0).unwrap_or(usize::MAX);
        end.min((run.start as usize).saturating_add(within))
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
        size_of_val::<[Run]>(&self.runs) + size_of_val::<[(u32, u32)]>(&self.images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_answer_as_a_list_of_rows_does() {
        let before = |row, stamp, mark, at| RowBefore {
            row: RowId(row),
            stamp: Xid(stamp),
            mark,
            image: (at, 7),
        };
        let rows = [
            before(10, 5, Mark::INSERTED, 1),
            before(11, 5, Mark::INSERTED, 2),
            before(12, 5, Mark::CHANGED, 3),
            before(13, 6, Mark::CHANGED, 4),
            before(20, 6, Mark::CHANGED, 5),
            before(21, 6, Mark::CHANGED, 6),
            before(u64::MAX, 6, Mark::CHANGED, 7),
        ];
        let changed = ChangedRows::new(&rows);
        assert_eq!(changed.runs.len(), 5);
        assert_eq!(changed.iter().collect::<Vec<_>>(), rows);
        for row in (0..30).chain(u64::MAX - 2..=u64::MAX).map(RowId) {
            let expected = rows.iter().position(|before| before.row == row);
            assert_eq!(changed.find(row), expected.map(|at| (at, rows[at])), "{row}");
            for to in (0..30).map(|to| Some(RowId(to))).chain([None]) {
                let inside = |r: &RowBefore| r.row >= row && to.is_none_or(|to| r.row < to);
                assert_eq!(changed.touches(row, to), rows.iter().any(inside), "{row} {to:?}");
            }
        }
        assert!(ChangedRows::new(&[]).get(0).is_none());
        assert!(!ChangedRows::new(&[]).touches(RowId(0), None));
    }
}
