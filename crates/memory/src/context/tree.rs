//! Contexts, their children and their handles.

use super::core::{Core, Dynamic};
use super::{Methods, Relative, Stats};
use crate::ledger::Account;
use crate::registry::Removal;
use allocator_api2::alloc::{AllocError, Allocator};
use base::Result;
use std::alloc::Layout;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::rc::Rc;

/// What a context owns, in one piece at a fixed address. `core` comes first, so that a pointer to
/// the one is a pointer to the other.
#[repr(C)]
struct Inner<M: Methods> {
    core: Core,
    methods: M,
    /// A handle that a parent can lend for as long as it keeps this context.
    own: Cell<Option<ManuallyDrop<Context<M>>>>,
}

/// A memory context of its own: deleted, with everything below it, when it is dropped.
///
/// What is allocated in it borrows it:
///
/// ```
/// let mut context = memory::Bump::new("example", memory::Account::unlimited());
/// let number = context.alloc(1)?;
/// *number += 1;
/// context.reset();
/// drop(context);
/// # Ok::<(), base::Error>(())
/// ```
///
/// So nothing can outlive a reset or the end:
///
/// ```compile_fail,E0502
/// # let mut context = memory::Bump::new("example", memory::Account::unlimited());
/// let number = context.alloc(1)?;
/// context.reset();
/// *number += 1;
/// # Ok::<(), base::Error>(())
/// ```
///
/// ```compile_fail,E0505
/// # let mut context = memory::Bump::new("example", memory::Account::unlimited());
/// let number = context.alloc(1)?;
/// drop(context);
/// *number += 1;
/// # Ok::<(), base::Error>(())
/// ```
///
/// A context stays on its thread, unless with all that refers to it:
///
/// ```compile_fail,E0277
/// # let mut context = memory::Bump::new("example", memory::Account::unlimited());
/// std::thread::spawn(move || drop(context));
/// ```
#[repr(transparent)]
pub struct Context<M: Methods> {
    inner: NonNull<Inner<M>>,
    owns: PhantomData<Inner<M>>,
}

impl<M: Methods> Context<M> {
    /// A context without a parent, paid by `account`.
    pub fn new(name: &'static str, account: Account) -> Context<M>
    where
        M::Options: Default,
    {
        Context::with_options(name, account, M::Options::default())
    }

    /// A context without a parent, with an allocator made to order.
    pub fn with_options(name: &'static str, account: Account, options: M::Options) -> Context<M> {
        crate::reserve::hold();
        let inner = Box::new(Inner {
            core: Core::new(name, M::KIND, account, const { &table::<M>() }),
            methods: M::init(options),
            own: Cell::new(None),
        });
        // SAFETY: a box is never null.
        let inner = unsafe { NonNull::new_unchecked(Box::into_raw(inner)) };
        // SAFETY: just made, and stays where it is; the copy in `own` is never dropped.
        unsafe {
            inner.as_ref().core.set_whole(inner.cast());
            inner.as_ref().core.entry.register();
            inner.as_ref().own.set(Some(ManuallyDrop::new(Context { inner, owns: PhantomData })));
        }
        Context { inner, owns: PhantomData }
    }

    #[inline]
    fn inner(&self) -> &Inner<M> {
        // SAFETY: lives as long as the handle (rule 2).
        unsafe { self.inner.as_ref() }
    }

    pub(crate) fn core_pointer(&self) -> NonNull<Core> {
        self.inner.cast()
    }

    /// What all kinds of contexts have.
    #[inline]
    pub fn core(&self) -> &Core {
        &self.inner().core
    }

    /// The allocator.
    pub fn methods(&self) -> &M {
        &self.inner().methods
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        self.core().name()
    }

    /// The account that pays.
    pub fn account(&self) -> &Account {
        self.core().account()
    }

    /// The number by which the registry knows the context.
    pub fn id(&self) -> u64 {
        self.core().entry.id()
    }

    /// What tells it apart from others of its name.
    pub fn ident(&self) -> Option<String> {
        self.core().entry.ident()
    }

    /// Sets what tells it apart from others of its name, for example the statement.
    pub fn set_ident(&self, ident: Option<&str>) {
        self.core().entry.set_ident(ident);
    }

    /// Makes a context that lives at most as long as this one, paid by the same account.
    ///
    /// ```
    /// let parent = memory::AllocSet::new("parent", memory::Account::unlimited());
    /// let child = parent.child::<memory::BumpMethods>("child");
    /// child.alloc(1)?;
    /// drop(child);
    /// drop(parent);
    /// # Ok::<(), base::Error>(())
    /// ```
    ///
    /// ```compile_fail,E0505
    /// # let parent = memory::AllocSet::new("parent", memory::Account::unlimited());
    /// # let child = parent.child::<memory::BumpMethods>("child");
    /// drop(parent);
    /// child.alloc(1)?;
    /// # Ok::<(), base::Error>(())
    /// ```
    pub fn child<C: Methods>(&self, name: &'static str) -> Child<'_, C>
    where
        C::Options: Default,
    {
        self.child_of(name, self.account().clone(), C::Options::default())
    }

    /// Makes a child with an account of its own and an allocator made to order.
    pub fn child_of<C: Methods>(
        &self,
        name: &'static str,
        account: Account,
        options: C::Options,
    ) -> Child<'_, C> {
        Context::<C>::with_options(name, account, options).into_child(self)
    }

    /// Makes a context with counted handles that stands below this one; see [`Shared`].
    pub fn shared_child<C: Methods>(&self, name: &'static str, account: Account) -> Shared<C>
    where
        C::Options: Default,
    {
        let context = Context::<C>::new(name, account);
        context.core().links.detachable.set(true);
        // SAFETY: both live; a detachable child is cut off before the parent goes (rule 2).
        unsafe { link(context.core_pointer(), self.core_pointer()) };
        Shared(Rc::new(context))
    }

    /// Hangs a context without a parent below `parent`.
    pub fn into_child<P: Methods>(self, parent: &Context<P>) -> Child<'_, M> {
        // SAFETY: both live, and the child's lifetime ends before the parent's (rule 2).
        unsafe { link(self.core_pointer(), parent.core_pointer()) };
        Child { context: self, parent: PhantomData }
    }

    /// Leaves a child to this context: it lives until this one is reset, deleted, or told to delete
    /// its children.
    pub fn keep<'p, C: Methods>(&'p self, child: Child<'p, C>) -> &'p Context<C> {
        let inner = ManuallyDrop::new(child).context.inner;
        // SAFETY: the child is in this context's tree or in one that lives for 'p, and goes only
        // when its parent is held exclusively, after 'p.
        unsafe {
            let own = inner.as_ref().own.as_ptr();
            match &*own {
                Some(handle) => handle,
                None => unreachable!("every context has its own handle"),
            }
        }
    }

    /// Registers what to do before the next reset, or before the end.
    pub fn on_reset(&self, callback: impl FnOnce() + 'static) {
        self.core().add_callback(Box::new(callback));
    }

    /// Deletes all children and frees everything.
    pub fn reset(&mut self) {
        self.delete_children();
        self.reset_only();
    }

    /// Frees everything, but leaves the children that it keeps.
    ///
    /// Nothing in a kept child can refer to this context's memory: both would be borrowed.
    pub fn reset_only(&mut self) {
        if self.is_reset() {
            return;
        }
        self.core().run_callbacks();
        // SAFETY: held exclusively (rule 3).
        unsafe { self.inner().methods.reset(self.core()) };
    }

    /// Deletes all children that it keeps.
    pub fn delete_children(&mut self) {
        // SAFETY: held exclusively, so no handle to a child is left (rule 3).
        unsafe { delete_children(self.core_pointer()) };
    }

    /// Ends the context and everything below it, as dropping it does.
    ///
    /// ```
    /// let context = memory::AllocSet::new("example", memory::Account::unlimited());
    /// let list = memory::collections::Vec::<u8, _>::new_in(&context);
    /// drop(list);
    /// context.delete();
    /// ```
    ///
    /// ```compile_fail,E0505
    /// # let context = memory::AllocSet::new("example", memory::Account::unlimited());
    /// # let list = memory::collections::Vec::<u8, _>::new_in(&context);
    /// context.delete();
    /// drop(list);
    /// ```
    pub fn delete(self) {
        drop(self);
    }

    /// Whether it is as after its last reset: nothing was allocated, no callback waits.
    pub fn is_reset(&self) -> bool {
        self.inner().methods.is_reset() && !self.core().has_callbacks()
    }

    /// The context above, if any.
    pub fn parent(&self) -> Option<Relative> {
        self.relative(0)
    }

    /// The youngest child, if any.
    pub fn first_child(&self) -> Option<Relative> {
        self.relative(1)
    }

    /// The next older child of the same parent, if any.
    pub fn next_sibling(&self) -> Option<Relative> {
        self.relative(2)
    }

    fn relative(&self, which: usize) -> Option<Relative> {
        // SAFETY: links point to living contexts (rule 2), and only data leaves (rule 5).
        self.core().relatives()[which].map(|core| unsafe { core.as_ref() }.relation())
    }

    /// The error of the collection in this context whose `try_` form failed last.
    #[cold]
    pub fn failure(&self) -> base::Error {
        self.core().take_failure()
    }

    /// Whether nothing is allocated here, whatever the children hold.
    pub fn is_empty(&self) -> bool {
        self.inner().methods.is_empty()
    }

    /// What its own blocks hold.
    pub fn stats(&self) -> Stats {
        self.inner().methods.stats(self.core())
    }

    /// What the blocks of the whole subtree hold.
    pub fn total_stats(&self) -> Stats {
        let mut total = Stats::default();
        // SAFETY: links point to living contexts (rule 2).
        self.walk(&mut |core| total.add(&unsafe { (core.as_ref().methods.stats)(core) }));
        total
    }

    /// Checks the invariants of the whole subtree.
    ///
    /// # Panics
    /// When something is wrong.
    pub fn check(&self) {
        // SAFETY: links point to living contexts (rule 2).
        self.walk(&mut |core| unsafe { (core.as_ref().methods.check)(core) });
    }

    /// The names of the children, the youngest first.
    pub fn children(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        let mut next = self.core().links.first_child.get();
        while let Some(child) = next {
            // SAFETY: links point to living contexts (rule 2).
            let child = unsafe { child.as_ref() };
            names.push(child.name());
            next = child.links.next_sibling.get();
        }
        names
    }

    /// Calls `visit` for this context and all below it.
    fn walk(&self, visit: &mut dyn FnMut(NonNull<Core>)) {
        let top = self.core_pointer();
        let mut at = top;
        loop {
            visit(at);
            // SAFETY: links point to living contexts (rule 2).
            let links = unsafe { &at.as_ref().links };
            if let Some(child) = links.first_child.get() {
                at = child;
                continue;
            }
            loop {
                if at == top {
                    return;
                }
                // SAFETY: as above.
                let links = unsafe { &at.as_ref().links };
                if let Some(sibling) = links.next_sibling.get() {
                    at = sibling;
                    break;
                }
                match links.parent.get() {
                    Some(parent) => at = parent,
                    None => return,
                }
            }
        }
    }

    /// Memory for `layout`; a dangling pointer for size 0.
    ///
    /// # Errors
    /// 53200.
    pub fn alloc_layout(&self, layout: Layout) -> Result<NonNull<u8>> {
        if layout.size() == 0 {
            // SAFETY: an alignment is never 0.
            return Ok(unsafe { NonNull::new_unchecked(layout.align() as *mut u8) });
        }
        self.inner().methods.alloc(self.core(), layout)
    }
}

impl<M: Methods> Drop for Context<M> {
    fn drop(&mut self) {
        // SAFETY: the owner is being dropped, so nothing borrowed is left (rule 3).
        unsafe { destroy(self.core_pointer()) };
    }
}

impl<M: Methods> fmt::Debug for Context<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats();
        write!(
            f,
            "{} \"{}\": {} total in {} blocks; {} free ({} chunks); {} used",
            M::KIND,
            self.name(),
            stats.total_bytes,
            stats.blocks,
            stats.free_bytes,
            stats.free_chunks,
            stats.used_bytes()
        )
    }
}

// SAFETY: memory stays valid until the context is held exclusively, which a living borrow rules
// out; moving the handle does not move the memory.
unsafe impl<M: Methods> Allocator for &Context<M> {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        match self.alloc_layout(layout) {
            Ok(at) => Ok(NonNull::slice_from_raw_parts(at, layout.size())),
            Err(error) => {
                self.core().set_failure(error);
                Err(AllocError)
            }
        }
    }

    unsafe fn deallocate(&self, at: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            // SAFETY: as this function's.
            unsafe { self.inner().methods.free(self.core(), at, layout) };
        }
    }

    unsafe fn grow(
        &self,
        at: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        if old.size() == 0 || old.align() != new.align() {
            let to = self.allocate(new)?;
            // SAFETY: `at` holds old.size() bytes and is given up.
            unsafe {
                std::ptr::copy_nonoverlapping(at.as_ptr(), to.cast().as_ptr(), old.size());
                self.deallocate(at, old);
            }
            return Ok(to);
        }
        // SAFETY: as this function's.
        match unsafe { self.inner().methods.realloc(self.core(), at, old, new) } {
            Ok(at) => Ok(NonNull::slice_from_raw_parts(at, new.size())),
            Err(error) => {
                self.core().set_failure(error);
                Err(AllocError)
            }
        }
    }
}

/// A context that lives at most as long as its parent, for 'p.
///
/// It is used like the [`Context`] in it. Dropping it deletes it; [`Context::keep`] leaves it to
/// its parent.
pub struct Child<'p, M: Methods> {
    context: Context<M>,
    parent: PhantomData<&'p ()>,
}

impl<'p, M: Methods> Child<'p, M> {
    /// Deletes all children and frees everything.
    pub fn reset(&mut self) {
        self.context.reset();
    }

    /// Frees everything, but leaves the children that it keeps.
    pub fn reset_only(&mut self) {
        self.context.reset_only();
    }

    /// Deletes all children that it keeps.
    pub fn delete_children(&mut self) {
        self.context.delete_children();
    }

    /// Hangs it, with everything below it, under another parent.
    ///
    /// The new parent cannot stand below it: then it would be borrowed.
    pub fn set_parent<'q, P: Methods>(self, parent: &'q Context<P>) -> Child<'q, M> {
        self.detach().into_child(parent)
    }

    /// Cuts it off: it lives as long as its owner likes.
    pub fn detach(self) -> Context<M> {
        // SAFETY: linked since it was made, and the parent lives for 'p.
        unsafe { unlink(self.context.core_pointer()) };
        self.context
    }
}

impl<M: Methods> Deref for Child<'_, M> {
    type Target = Context<M>;

    fn deref(&self) -> &Context<M> {
        &self.context
    }
}

/// A context with counted handles: it lives until the last of them is dropped.
///
/// Collections own their handle and so may live in a struct beside others, as an operator's state
/// does. Its parent's end cuts it off; its account pays as before.
pub struct Shared<M: Methods>(Rc<Context<M>>);

impl<M: Methods> Shared<M> {
    /// A context without a parent.
    pub fn new(name: &'static str, account: Account) -> Shared<M>
    where
        M::Options: Default,
    {
        Shared(Rc::new(Context::new(name, account)))
    }

    /// A context without a parent, with an allocator made to order.
    pub fn with_options(name: &'static str, account: Account, options: M::Options) -> Shared<M> {
        Shared(Rc::new(Context::with_options(name, account, options)))
    }

    /// The context, to reset it, if this is its only handle.
    pub fn get_mut(&mut self) -> Option<&mut Context<M>> {
        Rc::get_mut(&mut self.0)
    }
}

impl<M: Methods> Clone for Shared<M> {
    fn clone(&self) -> Shared<M> {
        Shared(self.0.clone())
    }
}

impl<M: Methods> Deref for Shared<M> {
    type Target = Context<M>;

    fn deref(&self) -> &Context<M> {
        &self.0
    }
}

impl<M: Methods> fmt::Debug for Shared<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

// SAFETY: the handle keeps the context, and nobody can hold it exclusively while two handles live;
// `get_mut` needs that no collection owns one.
unsafe impl<M: Methods> Allocator for Shared<M> {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        (&**self).allocate(layout)
    }

    unsafe fn deallocate(&self, at: NonNull<u8>, layout: Layout) {
        // SAFETY: as this function's.
        unsafe { (&**self).deallocate(at, layout) };
    }

    unsafe fn grow(
        &self,
        at: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: as this function's.
        unsafe { (&**self).grow(at, old, new) }
    }
}

/// The allocator that stands behind a core.
///
/// # Safety
/// `core` is the core of a living context of kind M, with access to all of it.
#[inline]
pub(crate) unsafe fn methods_of<'a, M: Methods>(core: NonNull<Core>) -> &'a M {
    // SAFETY: as this function's.
    unsafe { &(*core.cast::<Inner<M>>().as_ptr()).methods }
}

/// The methods of a kind.
const fn table<M: Methods>() -> Dynamic {
    // SAFETY: in all of them `core` is that of a living `Inner<M>`.
    unsafe {
        Dynamic {
            delete: |core| methods_of::<M>(core).delete(core.as_ref()),
            free: |core| drop(Box::from_raw(core.cast::<Inner<M>>().as_ptr())),
            alloc: |core, layout| methods_of::<M>(core).alloc(core.as_ref(), layout),
            is_empty: |core| methods_of::<M>(core).is_empty(),
            stats: |core| methods_of::<M>(core).stats(core.as_ref()),
            check: |core| methods_of::<M>(core).check(core.as_ref()),
            chunks: M::CHUNKS,
        }
    }
}

/// # Safety
/// `core` is that of a living context of which nothing is borrowed.
unsafe fn destroy(core: NonNull<Core>) {
    // SAFETY: as this function's; children go first (rule 2).
    unsafe {
        delete_children(core);
        let mut dead = Dead::new();
        dead.add(core);
    }
}

/// Contexts that only their own memory is left of; it goes, many at a time, when this is dropped.
struct Dead {
    cores: [NonNull<Core>; Dead::MAX],
    len: usize,
}

impl Dead {
    const MAX: usize = 64;

    fn new() -> Dead {
        Dead { cores: [NonNull::dangling(); Dead::MAX], len: 0 }
    }

    /// Ends a context: its callbacks run (rule 4), its blocks go, its parent forgets it.
    ///
    /// # Safety
    /// `core` lives, has no children and nothing of it is borrowed.
    unsafe fn add(&mut self, core: NonNull<Core>) {
        // SAFETY: as this function's.
        unsafe {
            core.as_ref().run_callbacks();
            (core.as_ref().methods.delete)(core);
            unlink(core);
        }
        // One lock serves those of one shard; a tree that came from another thread has several.
        // SAFETY: as this function's.
        let other_shard = |first: &NonNull<Core>| unsafe {
            !first.as_ref().entry.has_shard_of(&core.as_ref().entry)
        };
        if self.len == Dead::MAX || self.cores[..self.len].first().is_some_and(other_shard) {
            self.free();
        }
        self.cores[self.len] = core;
        self.len += 1;
    }

    fn free(&mut self) {
        let dead = &self.cores[..std::mem::take(&mut self.len)];
        let Some(first) = dead.first() else { return };
        // SAFETY: `add` took living contexts, each once.
        unsafe {
            let mut removal = Removal::of(&first.as_ref().entry);
            for core in dead {
                removal.remove(&core.as_ref().entry);
            }
            drop(removal);
            for core in dead {
                (core.as_ref().methods.free)(*core);
            }
        }
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        self.free();
    }
}

/// Deletes everything below `top`, leaves first and without recursion; cuts shared children off.
///
/// # Safety
/// `top` lives and nothing below it is borrowed, shared children excepted.
unsafe fn delete_children(top: NonNull<Core>) {
    // SAFETY: links point to living contexts; what has no children any more is ended.
    unsafe {
        if top.as_ref().links.first_child.get().is_none() {
            return;
        }
        let mut dead = Dead::new();
        let mut at = top;
        loop {
            let links = &at.as_ref().links;
            if let Some(child) = links.first_child.get() {
                if child.as_ref().links.detachable.get() {
                    unlink(child);
                } else {
                    at = child;
                }
                continue;
            }
            if at == top {
                return;
            }
            let Some(parent) = links.parent.get() else { return };
            dead.add(at);
            at = parent;
        }
    }
}

/// # Safety
/// Both live, and `child` has no parent.
unsafe fn link(child: NonNull<Core>, parent: NonNull<Core>) {
    // SAFETY: as this function's; siblings live.
    unsafe {
        let (below, above) = (child.as_ref(), parent.as_ref());
        let first = above.links.first_child.replace(Some(child));
        below.links.parent.set(Some(parent));
        below.links.next_sibling.set(first);
        if let Some(first) = first {
            first.as_ref().links.previous_sibling.set(Some(child));
        }
        below.entry.set_parent(above.entry.id());
    }
}

/// # Safety
/// `child` lives, and so does its parent if it has one.
unsafe fn unlink(child: NonNull<Core>) {
    // SAFETY: as this function's; siblings live.
    unsafe {
        let core = child.as_ref();
        let Some(parent) = core.links.parent.take() else { return };
        let previous = core.links.previous_sibling.take();
        let next = core.links.next_sibling.take();
        match previous {
            Some(previous) => previous.as_ref().links.next_sibling.set(next),
            None => parent.as_ref().links.first_child.set(next),
        }
        if let Some(next) = next {
            next.as_ref().links.previous_sibling.set(previous);
        }
        core.entry.set_parent(0);
    }
}
