//! Functions that return sets.

use crate::Call;
use base::Result;
use types::Datum;

/// Begins a set: the arguments are only borrowed, so what later rows need is copied into the state.
pub type SetFn = for<'c, 'm> fn(&mut Call<'c, 'm>, &[Datum<'m>]) -> Result<Box<dyn SetRows>>;

/// A set that is no function of the catalog.
pub trait SetOperation: Send + Sync {
    /// Begins the set, as a [`SetFn`] does.
    ///
    /// # Errors
    /// The operation's own.
    fn begin<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>>;
}

/// The rows of a set, one after the other.
pub trait SetRows {
    /// Writes the next row into `out`, which has a place for each column; false at the end.
    ///
    /// # Errors
    /// The function's own.
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool>;

    /// Whether a row with columns comes as one value, in the first place, and not column by column.
    fn rows_are_values(&self) -> bool {
        false
    }
}

/// A set whose rows are computed by a closure from their number.
pub struct Generated<F>(pub F);

impl<F> SetRows for Generated<F>
where
    F: for<'c, 'm> FnMut(&mut Call<'c, 'm>, &mut [Datum<'m>]) -> Result<bool>,
{
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        (self.0)(cx, out)
    }
}
