//! Aggregates: what they are, and how operators drive them.
//!
//! An aggregate is a type that implements [`Aggregate`]: a state, one function that takes a row in,
//! and one that makes the result. [`states`] turns it into a [`GroupStates`]: the states of all
//! groups of an operator, advanced by a batch of rows at a time. Aggregates are bound by the number
//! of their row in `pg_proc`, since PostgreSQL gives them no `prosrc` of their own.
//!
//! # Rules
//! 1. Rows are taken in in their order (engine rule 7).
//! 2. `advance` sees NULLs; an aggregate that skips them says so in [`Aggregate::SKIPS_NULLS`].
//! 3. What a state holds beyond its own size is taken from the [`Heap`] that it is made with.

use crate::{Call, Vector};
use base::Result;
use memory::Heap;
use memory::collections::{TryPush, Vec as HeapVec};
use std::ops::Range;
use types::Datum;

/// An aggregate function.
pub trait Aggregate: 'static {
    /// What is kept for a group.
    type State: 'static;
    /// Rows with a NULL argument are not taken in.
    const SKIPS_NULLS: bool = true;
    /// The state keeps something of every row.
    const COLLECTS: bool = false;

    /// The state of a group without rows.
    fn init(heap: &Heap) -> Self::State;

    /// Takes a row in.
    ///
    /// # Errors
    /// The function's own.
    fn advance(state: &mut Self::State, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()>;

    /// Takes the selected rows of a column in, row `rows[i]` into the state of `groups[i]`; false if
    /// there is no fast way for this kind of vector. Only asked for one argument.
    ///
    /// # Errors
    /// The function's own.
    fn advance_vector(
        _states: &mut [Self::State],
        _argument: &Vector<'_>,
        _rows: &[u16],
        _groups: &[u32],
    ) -> Result<bool> {
        Ok(false)
    }

    /// The result for a group; the state may be asked again.
    ///
    /// # Errors
    /// The function's own.
    fn finish<'m>(state: &Self::State, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>>;

    /// Undoes [`Aggregate::advance`] for the row that was taken in first, for moving frames; false
    /// if that cannot be done.
    ///
    /// # Errors
    /// The function's own.
    fn retreat(
        _state: &mut Self::State,
        _cx: &mut Call<'_, '_>,
        _args: &[Datum<'_>],
    ) -> Result<bool> {
        Ok(false)
    }
}

/// The states of all groups of one aggregate call.
pub trait GroupStates {
    /// The number of groups.
    fn len(&self) -> usize;

    /// Whether there is no group.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes states up to `groups` groups.
    ///
    /// # Errors
    /// 53200.
    fn grow(&mut self, groups: usize) -> Result<()>;

    /// Takes one row into a group.
    ///
    /// # Errors
    /// The function's own.
    fn advance(&mut self, group: usize, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()>;

    /// Takes row `rows[i]` into group `groups[i]`, for all i in order.
    ///
    /// # Errors
    /// The function's own.
    fn advance_batch(
        &mut self,
        cx: &mut Call<'_, '_>,
        args: &[Vector<'_>],
        rows: &[u16],
        groups: &[u32],
    ) -> Result<()>;

    /// Takes the first row of a group out again; false if that cannot be done.
    ///
    /// # Errors
    /// The function's own.
    fn retreat(&mut self, group: usize, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<bool>;

    /// The result for a group.
    ///
    /// # Errors
    /// The function's own.
    fn finish<'m>(&self, group: usize, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>>;

    /// Forgets all groups.
    fn clear(&mut self);

    /// Whether the states keep something of every row: they grow as long as rows come.
    fn collects(&self) -> bool;

    /// Gives back what groups hold whose results are no longer wanted: they are as without rows.
    fn forget(&mut self, groups: Range<usize>);
}

/// Makes the states of an aggregate call in a context.
pub type AggregateFactory = fn(&Heap) -> Box<dyn GroupStates>;

/// The factory of an aggregate.
pub fn states<A: Aggregate>(heap: &Heap) -> Box<dyn GroupStates> {
    Box::new(States::<A> { states: HeapVec::new_in(heap.clone()) })
}

struct States<A: Aggregate> {
    states: HeapVec<A::State, Heap>,
}

impl<A: Aggregate> GroupStates for States<A> {
    fn len(&self) -> usize {
        self.states.len()
    }

    fn grow(&mut self, groups: usize) -> Result<()> {
        while self.states.len() < groups {
            let heap = self.states.allocator().clone();
            self.states.try_push(A::init(&heap))?;
        }
        Ok(())
    }

    fn advance(&mut self, group: usize, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        if A::SKIPS_NULLS && args.iter().any(Datum::is_null) {
            return Ok(());
        }
        A::advance(&mut self.states[group], cx, args)
    }

    fn advance_batch(
        &mut self,
        cx: &mut Call<'_, '_>,
        args: &[Vector<'_>],
        rows: &[u16],
        groups: &[u32],
    ) -> Result<()> {
        if let [argument] = args
            && A::advance_vector(&mut self.states, argument, rows, groups)?
        {
            return Ok(());
        }
        let mut values = vec![Datum::Null; args.len()];
        for (&row, &group) in rows.iter().zip(groups) {
            for (value, arg) in values.iter_mut().zip(args) {
                *value = arg.get(usize::from(row));
            }
            self.advance(group as usize, cx, &values)?;
        }
        Ok(())
    }

    fn retreat(&mut self, group: usize, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<bool> {
        if A::SKIPS_NULLS && args.iter().any(Datum::is_null) {
            return Ok(true);
        }
        A::retreat(&mut self.states[group], cx, args)
    }

    fn finish<'m>(&self, group: usize, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        A::finish(&self.states[group], cx)
    }

    fn clear(&mut self) {
        self.states.clear();
    }

    fn collects(&self) -> bool {
        A::COLLECTS
    }

    fn forget(&mut self, groups: Range<usize>) {
        let heap = self.states.allocator().clone();
        for state in self.states.get_mut(groups).into_iter().flatten() {
            *state = A::init(&heap);
        }
    }
}
