//! Collections that live in a context and free what they hold.
//!
//! The allocator parameter is `&Context` where a borrow will do, and [`crate::Shared`] where the
//! collection stands in a struct beside others. Growth goes through the `try_` forms, so that lack
//! of memory is 53200 and not the end of the process.
//!
//! ```
//! use memory::{Account, AllocSet, collections::*};
//! let context = AllocSet::new("example", Account::unlimited());
//! let mut list = Vec::new_in(&context);
//! list.try_push(1)?;
//! let mut text = String::new_in(&context);
//! text.try_push_str("one")?;
//! let mut names = HashMap::with_hasher_in(Default::default(), &context);
//! names.try_put(list[0], text)?;
//! let boxed = try_box([0u8; 100], &context)?;
//! assert_eq!(&*names[&1], "one");
//! # drop(boxed);
//! # Ok::<(), base::Error>(())
//! ```
//!
//! A collection ends before its context, on the same thread:
//!
//! ```
//! use memory::{Account, AllocSet, collections::*};
//! let mut context = AllocSet::new("example", Account::unlimited());
//! let mut list = Vec::new_in(&context);
//! list.try_push(1)?;
//! drop(list);
//! context.reset();
//!
//! let heap = Heap::new("example", Account::unlimited());
//! let text = String::new_in(heap);
//! drop(text);
//! # Ok::<(), base::Error>(())
//! ```
//!
//! What lives in a context cannot outlive a reset or the context's end:
//!
//! ```compile_fail,E0502
//! # use memory::{Account, AllocSet, collections::*};
//! # let mut context = AllocSet::new("example", Account::unlimited());
//! let mut list = Vec::new_in(&context);
//! list.try_push(1)?;
//! context.reset();
//! drop(list);
//! # Ok::<(), base::Error>(())
//! ```
//!
//! ```compile_fail,E0505
//! # use memory::{Account, AllocSet, collections::*};
//! # let mut context = AllocSet::new("example", Account::unlimited());
//! let mut list = Vec::new_in(&context);
//! list.try_push(1)?;
//! drop(context);
//! drop(list);
//! # Ok::<(), base::Error>(())
//! ```
//!
//! Nor can it go to another thread, whose account it is not:
//!
//! ```compile_fail,E0277
//! # use memory::{Account, collections::*};
//! let heap = Heap::new("example", Account::unlimited());
//! let text = String::new_in(heap);
//! std::thread::spawn(move || drop(text));
//! ```

mod buffer;
mod charged;
mod text;

pub use buffer::Buffer;
pub use charged::{Charged, ChargedText, GivenOrMade, Output, Toll, tolled_bytes};
pub use text::String;

use crate::alloc_set::AllocSetMethods;
use crate::context::{Context, Methods, Shared};
use base::Result;
use std::hash::{BuildHasher, Hash};

pub use allocator_api2::alloc::{AllocError, Allocator};
pub use allocator_api2::boxed::Box;
/// An array that drops its values.
pub type Vec<T, A> = allocator_api2::vec::Vec<T, A>;
/// A hash map; its hasher is fast and seeded, not proof against chosen keys across tables.
pub type HashMap<K, V, A> = hashbrown::HashMap<K, V, foldhash::fast::RandomState, A>;
/// A hash set.
pub type HashSet<K, A> = hashbrown::HashSet<K, foldhash::fast::RandomState, A>;
/// A hash table whose caller hashes and compares.
pub type HashTable<T, A> = hashbrown::HashTable<T, A>;

/// The context of collections that own their handle.
pub type Heap = Shared<AllocSetMethods>;

/// The allocator of a collection: a context, by borrow or by handle.
pub trait InContext: Allocator {
    /// The error of the collection in this context whose `try_` form failed last.
    fn failure(&self) -> base::Error;
}

impl<M: Methods> InContext for &Context<M> {
    fn failure(&self) -> base::Error {
        Context::failure(self)
    }
}

impl<M: Methods> InContext for Shared<M> {
    fn failure(&self) -> base::Error {
        Context::failure(self)
    }
}

/// Moves a value into a context; it is dropped and freed with its box.
///
/// # Errors
/// 53200; then the value is gone.
pub fn try_box<T, A: InContext + Clone>(value: T, context: A) -> Result<Box<T, A>> {
    match Box::try_new_uninit_in(context.clone()) {
        Ok(place) => Ok(Box::write(place, value)),
        Err(AllocError) => Err(context.failure()),
    }
}

/// Growth of arrays that reports lack of memory.
pub trait TryPush<T> {
    /// Appends a value.
    ///
    /// # Errors
    /// 53200; then the value is gone and the array as it was.
    fn try_push(&mut self, value: T) -> Result<()>;

    /// Makes room for `more` values.
    ///
    /// # Errors
    /// 53200.
    fn try_make_room(&mut self, more: usize) -> Result<()>;

    /// Appends what an iterator yields.
    ///
    /// # Errors
    /// 53200; then the array has what fitted.
    fn try_extend(&mut self, values: impl IntoIterator<Item = T>) -> Result<()> {
        let values = values.into_iter();
        self.try_make_room(values.size_hint().0)?;
        for value in values {
            self.try_push(value)?;
        }
        Ok(())
    }
}

impl<T, A: InContext> TryPush<T> for Vec<T, A> {
    #[inline]
    fn try_push(&mut self, value: T) -> Result<()> {
        if self.len() == self.capacity() {
            self.try_make_room(1)?;
        }
        self.push(value);
        Ok(())
    }

    fn try_make_room(&mut self, more: usize) -> Result<()> {
        self.try_reserve(more).map_err(|_| self.allocator().failure())
    }
}

/// Growth of hash maps and sets that reports lack of memory.
pub trait TryPut<K, V> {
    /// Puts a value under a key and returns the one that was there.
    ///
    /// # Errors
    /// 53200; then key and value are gone and the rest as it was.
    fn try_put(&mut self, key: K, value: V) -> Result<Option<V>>;
}

impl<K: Eq + Hash, V, S: BuildHasher, A: InContext> TryPut<K, V>
    for hashbrown::HashMap<K, V, S, A>
{
    #[inline]
    fn try_put(&mut self, key: K, value: V) -> Result<Option<V>> {
        if self.len() == self.capacity() {
            self.try_reserve(1).map_err(|_| self.allocator().failure())?;
        }
        Ok(self.insert(key, value))
    }
}

/// Growth of hash sets that reports lack of memory.
pub trait TryAdd<K> {
    /// Adds a value. Whether it was new.
    ///
    /// # Errors
    /// 53200; then the value is gone and the set as it was.
    fn try_add(&mut self, value: K) -> Result<bool>;
}

impl<K: Eq + Hash, S: BuildHasher, A: InContext> TryAdd<K> for hashbrown::HashSet<K, S, A> {
    #[inline]
    fn try_add(&mut self, value: K) -> Result<bool> {
        if self.len() == self.capacity() {
            self.try_reserve(1).map_err(|_| self.allocator().failure())?;
        }
        Ok(self.insert(value))
    }
}
