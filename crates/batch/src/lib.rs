//! Columns of up to 1,024 rows, and the physical kinds of values.
//!
//! A [`Column`] is a typed array with a null mask; a [`Batch`] is some columns of the same length
//! with, if need be, a selection of their rows. Columns are counted and never change once they are
//! in a batch, so that operators pass them on without copying.
//!
//! # Rules
//! 1. The place of a NULL holds a value of the kind (zero, or empty), so that loops over typed
//!    arrays need not look at the null mask.
//! 2. A constant column stores one value and answers for every row.
//! 3. A column of texts holds valid UTF-8 in every value: it is checked when it is put in.
//! 4. A selection lists rows in ascending order, each once.
//! 5. Memory belongs to the [`memory::Heap`] that a column was made with and is charged there.
//!
//! # Limits
//! A batch that a scan makes has at most [`base::limits::BATCH_ROWS_MAX`] rows; a column may hold
//! more (row stores of sorts and hash tables are columns, too), up to 2^32-1 rows and 4 GB of
//! variable-length data.

mod batch;
mod bits;
pub mod block;
mod column;

pub use batch::{Batch, Selection};
pub use bits::Bits;
pub use column::{Column, Data, Span, StoredNulls};
pub use types::layout::{Kind, Layout, Shape};
