//! Typed loops over vectors, for the operations whose speed matters (engine rule 6).
//!
//! A kernel computes the selected rows and answers `None` if the vectors are not of a form that it
//! knows: then the function is called row by row. It gives the same values and fails for the same
//! rows as the function.

mod arithmetic;
mod compare;
mod text;

use crate::Vector;
use base::{Oid, Result};
use memory::Bump;

/// The rows to compute.
#[derive(Clone, Copy)]
pub enum Rows<'a> {
    /// The first so many.
    All(usize),
    /// These, in ascending order.
    Some(&'a [u16]),
}

impl<'a> Rows<'a> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Rows::All(count) => *count,
            Rows::Some(rows) => rows.len(),
        }
    }

    /// The rows in order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = usize> + 'a {
        let (count, some) = match self {
            Rows::All(count) => (count, None),
            Rows::Some(rows) => (rows.len(), Some(rows)),
        };
        (0..count).map(move |i| some.map_or(i, |rows| usize::from(rows[i])))
    }
}

/// A typed loop: arguments, rows to compute, physical rows.
pub type Kernel =
    for<'m> fn(&'m Bump, &[Vector<'m>], Rows<'_>, usize) -> Result<Option<Vector<'m>>>;

/// The kernel of a function, by its `prosrc`. Comparisons of texts need a collation whose order is
/// that of the bytes.
pub(crate) fn find(prosrc: &str, collation: Oid) -> Option<Kernel> {
    let table = [compare::TABLE, arithmetic::TABLE];
    if let Some((_, kernel)) = table.into_iter().flatten().find(|(name, _)| *name == prosrc) {
        return Some(*kernel);
    }
    // default, C, POSIX, ucs_basic, pg_c_utf8
    const BY_BYTES: [u32; 6] = [0, 100, 950, 951, 962, 811];
    let by_bytes = BY_BYTES.contains(&collation.0);
    text::TABLE
        .iter()
        .find(|(name, _, any_collation)| *name == prosrc && (*any_collation || by_bytes))
        .map(|(_, kernel, _)| *kernel)
}
