//! Window functions proper: `row_number`, `rank`, `lag` and their like.
//!
//! Aggregates over windows are ordinary aggregates; the operator drives them over frames.

use crate::Call;
use base::Result;
use memory::Bump;
use std::ops::Range;
use types::Datum;

/// Makes the state of a window function for one partition.
pub type WindowFactory = fn() -> Box<dyn WindowFunction>;

/// A window function during one partition.
pub trait WindowFunction {
    /// The value for the current row.
    ///
    /// # Errors
    /// The function's own.
    fn value<'m>(&mut self, cx: &mut Call<'_, 'm>, view: &dyn WindowView) -> Result<Datum<'m>>;
}

/// What a window function sees of its partition. Rows are counted from 0.
pub trait WindowView {
    /// The current row.
    fn position(&self) -> usize;
    /// The rows of the partition.
    fn partition_rows(&self) -> usize;
    /// Whether two rows are equal in ORDER BY.
    ///
    /// # Errors
    /// Those of the comparison.
    fn are_peers(&self, a: usize, b: usize) -> Result<bool>;
    /// The first and behind the last row of the current row's frame, exclusions not taken out.
    ///
    /// # Errors
    /// Those of the frame's bounds.
    fn frame(&self) -> Result<Range<usize>>;
    /// Whether a row of the frame is taken out by EXCLUDE.
    ///
    /// # Errors
    /// Those of the comparison.
    fn is_excluded(&self, row: usize) -> Result<bool>;
    /// An argument's value at a row, copied to `bump`.
    ///
    /// # Errors
    /// 53200, and those of a temporary file.
    ///
    /// # Panics
    /// When the row is not in the partition.
    fn argument<'m>(&self, argument: usize, row: usize, bump: &'m Bump) -> Result<Datum<'m>>;
}
