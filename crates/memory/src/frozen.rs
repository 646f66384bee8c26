//! A finished tree in a context of its own, sealed so that threads can share it.
//!
//! This is how plans are kept (engine rule 12): built in a [`Bump`], then frozen. Nothing in it can
//! change any more, its bytes stay charged to the account of whoever keeps it, and they are given
//! back when the last owner drops it.

#![expect(unsafe_code, reason = "keeps references into its own blocks")]

use crate::bump::{Blocks, Bump};
use crate::ledger::{Account, Charge, SharedAccount};
use base::Result;
use parking_lot::Mutex;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The bytes of all blocks that are sealed now.
static SEALED: AtomicU64 = AtomicU64::new(0);

/// Bytes counted as sealed, for as long as this lives.
struct Sealed(u64);

impl Sealed {
    fn new(bytes: u64) -> Sealed {
        SEALED.fetch_add(bytes, Relaxed);
        Sealed(bytes)
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        SEALED.fetch_sub(self.0, Relaxed);
    }
}

/// The bytes of all [`Frozen`] values of the process: they are charged, but in no context.
pub fn sealed_bytes() -> u64 {
    SEALED.load(Relaxed)
}

/// A family of types, one for each lifetime of the context that a value lives in.
///
/// Write it with [`family!`](crate::family).
pub trait Family: 'static {
    /// The type whose values live in a context for 'm.
    type Of<'m>;

    /// The same value for a shorter time; proves that the type allows it.
    fn shorten<'short, 'long: 'short>(value: &'short Self::Of<'long>) -> &'short Self::Of<'short>;
}

/// `family!(pub Trees = Tree)`: a [`Family`] named `Trees` of the types `Tree<'m>`.
#[macro_export]
macro_rules! family {
    ($(#[$meta:meta])* $visibility:vis $name:ident = $of:ident) => {
        $(#[$meta])*
        $visibility enum $name {}

        impl $crate::Family for $name {
            type Of<'m> = $of<'m>;

            fn shorten<'short, 'long: 'short>(
                value: &'short $of<'long>,
            ) -> &'short $of<'short> {
                value
            }
        }
    };
}

/// A value that lives in sealed blocks of its own.
///
/// ```
/// struct Tree<'m> {
///     name: &'m str,
///     children: &'m [Tree<'m>],
/// }
/// memory::family!(Trees = Tree);
///
/// let account = memory::Account::unlimited();
/// let tree = memory::Frozen::<Trees>::new("plan", &account, |bump| {
///     let leaf = Tree { name: bump.alloc_str("leaf")?, children: &[] };
///     let children = bump.alloc_slice_fill_iter([leaf])?;
///     Ok(Tree { name: bump.alloc_str("root")?, children })
/// })?;
/// std::thread::spawn(move || assert_eq!(tree.get().children[0].name, "leaf")).join().unwrap();
/// # Ok::<(), base::Error>(())
/// ```
///
/// What it gives lives as long, and threads may share it:
///
/// ```
/// struct Tree<'m>(&'m str);
/// memory::family!(Trees = Tree);
/// fn share<T: Sync>() {}
/// share::<memory::Frozen<Trees>>();
///
/// let account = memory::Account::unlimited();
/// let tree = memory::Frozen::<Trees>::new("plan", &account, |bump| {
///     Ok(Tree(bump.alloc_str("x")?))
/// })?;
/// let name = tree.get().0;
/// drop(tree);
/// # Ok::<(), base::Error>(())
/// ```
///
/// It is gone with the tree:
///
/// ```compile_fail,E0505
/// # struct Tree<'m>(&'m str);
/// # memory::family!(Trees = Tree);
/// # let account = memory::Account::unlimited();
/// # let tree = memory::Frozen::<Trees>::new("plan", &account, |bump| {
/// #     Ok(Tree(bump.alloc_str("x")?))
/// # })?;
/// let name = tree.get().0;
/// drop(tree);
/// println!("{name}");
/// # Ok::<(), base::Error>(())
/// ```
///
/// Threads do not share values that can change:
///
/// ```compile_fail,E0277
/// struct Tree<'m>(&'m str, std::cell::Cell<u8>);
/// memory::family!(Trees = Tree);
/// fn share<T: Sync>() {}
/// share::<memory::Frozen<Trees>>();
/// ```
pub struct Frozen<F: Family> {
    /// In the blocks; the lifetime is that of this struct.
    value: *const F::Of<'static>,
    _blocks: Blocks,
    /// Counted until the blocks are gone: fields drop in this order.
    sealed: Sealed,
    charge: Mutex<Charge>,
}

// SAFETY: the value is only reached by shared reference, and its type may be shared and sent.
unsafe impl<F: Family> Send for Frozen<F> where F::Of<'static>: Send + Sync {}
// SAFETY: as above.
unsafe impl<F: Family> Sync for Frozen<F> where F::Of<'static>: Send + Sync {}

impl<F: Family> Frozen<F> {
    /// Builds a value in a new context and seals it. `account` pays until it is dropped.
    ///
    /// # Errors
    /// Those of `build`, and 53200.
    pub fn new(
        name: &'static str,
        account: &Account,
        build: impl for<'m> FnOnce(&'m Bump) -> Result<F::Of<'m>>,
    ) -> Result<Frozen<F>> {
        let bump = Bump::new(name, account.clone());
        let value = std::ptr::from_ref(bump.alloc(build(&bump)?)?).cast::<F::Of<'static>>();
        let blocks = bump.methods().take_blocks();
        let (_, bytes) = bump.core().held();
        let sealed = Sealed::new(bytes);
        bump.core().forget_blocks();
        let charge = account.split_off(bytes);
        Ok(Frozen { value, _blocks: blocks, sealed, charge: Mutex::new(charge) })
    }

    /// The value.
    pub fn get(&self) -> &F::Of<'_> {
        // SAFETY: the blocks live as long as self. The caller only sees a lifetime as short as the
        // borrow: `shorten` is written for all lifetimes and cannot know which one it gets.
        F::shorten(unsafe { &*self.value })
    }

    /// Has `account` pay from now on, for this and `more` bytes beside it. Says whether there was
    /// room; if not, nothing changes.
    pub fn charge_to(&self, account: &SharedAccount, more: u64) -> bool {
        let charge = account.charge_if_free(self.bytes() + more);
        charge.map(|charge| *self.charge.lock() = charge).is_some()
    }

    /// The bytes that it takes up.
    pub fn bytes(&self) -> u64 {
        self.sealed.0
    }
}

impl<F: Family> fmt::Debug for Frozen<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frozen({} bytes)", self.bytes())
    }
}
