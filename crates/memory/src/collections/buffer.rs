//! Arrays of plain values.

use super::{Heap, InContext, Vec};
use base::Result;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// An array of plain values that owns its handle: what columns and row stores are made of.
///
/// ```
/// use memory::{Account, collections::{Buffer, Heap}};
/// let heap = Heap::new("example", Account::unlimited());
/// let mut numbers = Buffer::new(&heap);
/// numbers.extend_from_slice(&[1, 2, 3])?;
/// numbers.push(4)?;
/// assert_eq!(&numbers[..], &[1, 2, 3, 4]);
/// # Ok::<(), base::Error>(())
/// ```
#[derive(Clone)]
pub struct Buffer<T: Copy>(Vec<T, Heap>);

impl<T: Copy> Buffer<T> {
    /// An empty array; allocates nothing.
    pub fn new(heap: &Heap) -> Buffer<T> {
        Buffer(Vec::new_in(heap.clone()))
    }

    /// An array of `len` copies of `value`.
    ///
    /// # Errors
    /// 53200.
    pub fn filled(heap: &Heap, len: usize, value: T) -> Result<Buffer<T>> {
        let mut buffer = Buffer::new(heap);
        buffer.resize(len, value)?;
        Ok(buffer)
    }

    /// The context that it lives in.
    pub fn heap(&self) -> &Heap {
        self.0.allocator()
    }

    /// Makes room for `more` values.
    ///
    /// # Errors
    /// 53200.
    #[inline]
    pub fn reserve(&mut self, more: usize) -> Result<()> {
        if self.0.capacity() - self.0.len() >= more { Ok(()) } else { self.grow(more) }
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Result<()> {
        self.0.try_reserve(more).map_err(|_| self.0.allocator().failure())
    }

    /// Appends a value.
    ///
    /// # Errors
    /// 53200.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<()> {
        self.reserve(1)?;
        self.0.push(value);
        Ok(())
    }

    /// Appends copies of all values of a slice.
    ///
    /// # Errors
    /// 53200.
    #[inline]
    pub fn extend_from_slice(&mut self, values: &[T]) -> Result<()> {
        self.reserve(values.len())?;
        self.0.extend_from_slice(values);
        Ok(())
    }

    /// Appends what an iterator of known length yields.
    ///
    /// # Errors
    /// 53200.
    #[inline]
    pub fn extend(&mut self, values: impl ExactSizeIterator<Item = T>) -> Result<()> {
        self.reserve(values.len())?;
        self.0.extend(values);
        Ok(())
    }

    /// Grows with copies of `value`, or cuts, to `len` values.
    ///
    /// # Errors
    /// 53200.
    pub fn resize(&mut self, len: usize, value: T) -> Result<()> {
        self.reserve(len.saturating_sub(self.0.len()))?;
        self.0.resize(len, value);
        Ok(())
    }

    /// Takes the last value.
    pub fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    /// Keeps the first `len` values.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Forgets all values and keeps the room.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Gives back the room behind the last value.
    ///
    /// # Errors
    /// 53200 when there is no room for a copy; then nothing has changed.
    pub fn shrink(&mut self) -> Result<()> {
        if self.0.capacity() > self.0.len() {
            let mut copy = Buffer::new(self.heap());
            copy.0.try_reserve_exact(self.0.len()).map_err(|_| self.0.allocator().failure())?;
            copy.0.extend_from_slice(&self.0);
            *self = copy;
        }
        Ok(())
    }

    /// The bytes that it has room for.
    pub fn capacity_bytes(&self) -> usize {
        self.0.capacity() * size_of::<T>()
    }
}

impl<T: Copy> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Copy> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
