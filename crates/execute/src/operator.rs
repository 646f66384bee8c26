//! What an operator is.

use crate::state::Execution;
use base::Result;
use batch::Batch;

/// A node of a plan while it runs.
///
/// Batches are owned: what they hold lives until they are dropped. An operator never returns more
/// rows than demanded, and never an empty batch.
pub trait Operator<'q> {
    /// The next rows, at most `demand` (above 0); none at the end.
    ///
    /// # Errors
    /// Those of the rows; rows before the failing one were returned by calls before.
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>>;

    /// Begins again, with the parameters as they are now.
    ///
    /// # Errors
    /// 53200.
    fn rescan(&mut self, x: &Execution<'q>) -> Result<()>;
}

pub(crate) type Child<'q> = Box<dyn Operator<'q> + 'q>;

/// Rows that were made but not asked for yet.
#[derive(Default)]
pub(crate) struct Rest(Option<Batch>);

impl Rest {
    /// At most `demand` of a batch; the others are kept.
    pub(crate) fn cut(&mut self, batch: Batch, demand: usize) -> Batch {
        if batch.len() <= demand {
            return batch;
        }
        self.0 = Some(batch.clone().skip(demand));
        batch.limit(demand)
    }

    /// At most `demand` of the rows kept.
    pub(crate) fn take(&mut self, demand: usize) -> Option<Batch> {
        let batch = self.0.take()?;
        Some(self.cut(batch, demand))
    }

    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }
}
