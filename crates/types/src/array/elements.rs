//! The elements of an array that is being read.

use super::{Builder, Dimension, to_datum};
use crate::datum::{Arena, Datum};
use base::Result;
use memory::{Bump, Heap};

/// So many are kept as they are; more are packed as they come, so that each costs what it will have
/// in the result.
const FEW_MAX: usize = 256;

/// Elements that come one by one and are charged to the arena that gets the array.
pub(crate) struct Elements<'a, 'm> {
    element: u32,
    arena: &'a dyn Arena<'m>,
    few: Vec<Datum<'m>>,
    many: Option<Many>,
}

struct Many {
    packed: Builder,
    /// Holds one value until it is packed.
    value: Bump,
}

impl<'a, 'm> Elements<'a, 'm> {
    pub(crate) fn new(element: u32, arena: &'a dyn Arena<'m>) -> Elements<'a, 'm> {
        Elements { element, arena, few: Vec::new(), many: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.many.as_ref().map_or(self.few.len(), |many| many.packed.len())
    }

    /// Appends what `read` puts into the arena that it gets.
    pub(crate) fn push(
        &mut self,
        read: impl for<'x> FnOnce(&dyn Arena<'x>) -> Result<Datum<'x>>,
    ) -> Result<()> {
        if self.many.is_none() {
            if self.few.len() < FEW_MAX {
                self.few.push(read(self.arena)?);
                return Ok(());
            }
            let account = self.arena.account();
            let heap = Heap::new("ArrayInput", account.clone());
            let mut packed = Builder::new(self.element, &heap);
            for value in &self.few {
                packed.push(value)?;
            }
            self.many = Some(Many { packed, value: Bump::new("ArrayInputValue", account) });
        }
        let Some(Many { packed, value: bump }) = &mut self.many else { return Ok(()) };
        {
            let bump: &Bump = bump;
            packed.push(&read(&bump)?)?;
        }
        if !bump.is_empty() {
            bump.reset();
        }
        Ok(())
    }

    pub(crate) fn finish(&self, dims: &[Dimension]) -> Result<Datum<'m>> {
        match &self.many {
            None => to_datum(self.element, dims, &self.few, self.arena),
            Some(many) => many.packed.finish(dims, self.arena),
        }
    }
}
