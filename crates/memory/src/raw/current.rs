//! A context of any kind by handle, and the one that is current.

use super::PallocFrom;
use crate::context::{Chunked, Context, Core, Relative, Stats};
use base::Result;
use std::alloc::Layout;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A handle to a context of any kind with chunks: what PostgreSQL calls a `MemoryContext`.
///
/// It borrows the context, which can be neither reset nor deleted while handles are in use.
#[derive(Clone, Copy)]
pub struct MemoryContext<'c> {
    core: NonNull<Core>,
    borrows: PhantomData<&'c Core>,
}

impl<'c> MemoryContext<'c> {
    /// # Safety
    /// `core` is that of a context with chunks that lives for 'c.
    pub(super) unsafe fn of(core: NonNull<Core>) -> MemoryContext<'c> {
        MemoryContext { core, borrows: PhantomData }
    }

    fn core(&self) -> &Core {
        // SAFETY: the context lives for 'c.
        unsafe { self.core.as_ref() }
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        self.core().name()
    }

    /// The number, the name and the allocator.
    pub fn relation(&self) -> Relative {
        self.core().relation()
    }

    /// Whether nothing is allocated in it.
    pub fn is_empty(&self) -> bool {
        // SAFETY: the context lives for 'c.
        unsafe { (self.core().table().is_empty)(self.core) }
    }

    /// What its own blocks hold.
    pub fn stats(&self) -> Stats {
        // SAFETY: the context lives for 'c.
        unsafe { (self.core().table().stats)(self.core) }
    }
}

impl PallocFrom for MemoryContext<'_> {
    #[inline]
    fn palloc_layout(&self, layout: Layout) -> Result<NonNull<u8>> {
        // SAFETY: the context lives for 'c.
        unsafe { (self.core().table().alloc)(self.core, layout) }
    }

    fn context_name(&self) -> &'static str {
        self.name()
    }
}

impl<'c, M: Chunked> From<&'c Context<M>> for MemoryContext<'c> {
    fn from(context: &'c Context<M>) -> MemoryContext<'c> {
        MemoryContext { core: context.core_pointer(), borrows: PhantomData }
    }
}

impl PartialEq for MemoryContext<'_> {
    fn eq(&self, other: &MemoryContext<'_>) -> bool {
        self.core == other.core
    }
}

impl Eq for MemoryContext<'_> {}

impl fmt::Debug for MemoryContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Relative { id, name, kind } = self.relation();
        write!(f, "{kind} \"{name}\" ({id})")
    }
}

/// The current memory context: a value that is passed on, not a global.
///
/// The module's page says why and shows the idiom.
#[derive(Debug)]
pub struct Current<'c>(Cell<MemoryContext<'c>>);

struct Restore<'a, 'c>(&'a Current<'c>, MemoryContext<'c>);

impl Drop for Restore<'_, '_> {
    fn drop(&mut self) {
        self.0.0.set(self.1);
    }
}

impl<'c> Current<'c> {
    /// Makes `context` current.
    pub fn new(context: impl Into<MemoryContext<'c>>) -> Current<'c> {
        Current(Cell::new(context.into()))
    }

    /// The context that is current.
    pub fn get(&self) -> MemoryContext<'c> {
        self.0.get()
    }

    /// Makes `context` current and returns the one that was: `MemoryContextSwitchTo`.
    ///
    /// ```
    /// use memory::{Account, AllocSet, raw::{self, Current}};
    /// let query = AllocSet::new("query", Account::unlimited());
    /// let node = AllocSet::new("node", Account::unlimited());
    /// let current = Current::new(&query);
    /// current.switch_to(&node);
    /// raw::palloc(&current, 8)?;
    /// # Ok::<(), base::Error>(())
    /// ```
    ///
    /// A context cannot end while it may be current:
    ///
    /// ```compile_fail,E0505
    /// # use memory::{Account, AllocSet, raw::{self, Current}};
    /// # let query = AllocSet::new("query", Account::unlimited());
    /// # let node = AllocSet::new("node", Account::unlimited());
    /// # let current = Current::new(&query);
    /// current.switch_to(&node);
    /// drop(node);
    /// raw::palloc(&current, 8)?;
    /// # Ok::<(), base::Error>(())
    /// ```
    pub fn switch_to(&self, context: impl Into<MemoryContext<'c>>) -> MemoryContext<'c> {
        self.0.replace(context.into())
    }

    /// Runs `body` with `context` as the current one. Afterwards, also when it panics, the one that
    /// was current before is current again.
    pub fn scope<R>(
        &self,
        context: impl Into<MemoryContext<'c>>,
        body: impl FnOnce(&Current<'c>) -> R,
    ) -> R {
        let _restore = Restore(self, self.switch_to(context));
        body(self)
    }
}

impl PallocFrom for Current<'_> {
    #[inline]
    fn palloc_layout(&self, layout: Layout) -> Result<NonNull<u8>> {
        self.get().palloc_layout(layout)
    }

    fn context_name(&self) -> &'static str {
        self.get().name()
    }
}
