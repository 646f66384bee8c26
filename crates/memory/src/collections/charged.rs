//! Memory of the program's allocator that an account pays for.
//!
//! For what is mostly small and gone at once: it needs no context. What may become large and stays
//! belongs into a context, where one can see it.

use crate::ledger::{Account, out_of_memory};
use base::Result;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Bytes reserved at an account for as long as this lives.
///
/// ```
/// use memory::{Account, collections::Toll};
/// let mut toll = Toll::new(Account::unlimited(), "example");
/// let mut text = Vec::new();
/// for _ in 0..1000 {
///     text.extend_from_slice(b"some text");
///     toll.cover(text.capacity())?;
/// }
/// # Ok::<(), base::Error>(())
/// ```
pub struct Toll {
    account: Account,
    asker: &'static str,
    bytes: u64,
}

impl Toll {
    /// Nothing yet; `asker` is named in errors.
    pub fn new(account: Account, asker: &'static str) -> Toll {
        Toll { account, asker, bytes: 0 }
    }

    /// The account that pays.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Charges as many bytes more as are missing to `bytes` in all.
    ///
    /// # Errors
    /// 53200
    #[inline]
    pub fn cover(&mut self, bytes: usize) -> Result<()> {
        if bytes as u64 > self.bytes { self.add(bytes - self.bytes as usize) } else { Ok(()) }
    }

    /// Charges so many bytes more.
    ///
    /// # Errors
    /// 53200
    pub fn add(&mut self, bytes: usize) -> Result<()> {
        self.account.reserve(bytes as u64, self.asker)?;
        self.bytes += bytes as u64;
        Ok(())
    }

    /// Gives back what is charged over `bytes`.
    pub fn cut(&mut self, bytes: usize) {
        if let Some(over) = self.bytes.checked_sub(bytes as u64).filter(|over| *over > 0) {
            self.account.release(over);
            self.bytes = bytes as u64;
        }
    }
}

impl Drop for Toll {
    fn drop(&mut self) {
        self.cut(0);
    }
}

/// An array of plain values that is charged before it grows.
///
/// ```
/// use memory::{Account, collections::Charged};
/// let mut numbers = Charged::new(Account::unlimited(), "example");
/// numbers.extend_from_slice(&[1, 2, 3])?;
/// numbers.push(4)?;
/// assert_eq!(&numbers[..], &[1, 2, 3, 4]);
/// # Ok::<(), base::Error>(())
/// ```
pub struct Charged<T: Copy> {
    values: std::vec::Vec<T>,
    toll: Toll,
}

impl<T: Copy> Charged<T> {
    /// An empty array; allocates nothing.
    pub fn new(account: Account, asker: &'static str) -> Charged<T> {
        Charged { values: std::vec::Vec::new(), toll: Toll::new(account, asker) }
    }

    /// The account that pays.
    pub fn account(&self) -> &Account {
        self.toll.account()
    }

    /// Makes room for `more` values.
    ///
    /// # Errors
    /// 53200
    #[inline]
    pub fn reserve(&mut self, more: usize) -> Result<()> {
        if self.values.capacity() - self.values.len() >= more { Ok(()) } else { self.grow(more) }
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Result<()> {
        let (len, old) = (self.values.len(), self.values.capacity());
        let need = len.saturating_add(more).max(64 / size_of::<T>().max(1)).max(4);
        let capacity = need.max(old.saturating_mul(2));
        let bytes = capacity.saturating_mul(size_of::<T>());
        self.toll.cover(bytes)?;
        if self.values.try_reserve_exact(capacity - len).is_err() {
            self.toll.cut(old * size_of::<T>());
            return Err(out_of_memory(bytes as u64, self.toll.asker));
        }
        Ok(())
    }

    /// Appends a value.
    ///
    /// # Errors
    /// 53200
    #[inline]
    pub fn push(&mut self, value: T) -> Result<()> {
        self.reserve(1)?;
        self.values.push(value);
        Ok(())
    }

    /// Appends copies of all values of a slice.
    ///
    /// # Errors
    /// 53200
    #[inline]
    pub fn extend_from_slice(&mut self, values: &[T]) -> Result<()> {
        self.reserve(values.len())?;
        self.values.extend_from_slice(values);
        Ok(())
    }

    /// Grows with copies of `value`, or cuts, to `len` values.
    ///
    /// # Errors
    /// 53200
    pub fn resize(&mut self, len: usize, value: T) -> Result<()> {
        self.reserve(len.saturating_sub(self.values.len()))?;
        self.values.resize(len, value);
        Ok(())
    }

    /// Takes the last value.
    pub fn pop(&mut self) -> Option<T> {
        self.values.pop()
    }

    /// Keeps the first `len` values.
    pub fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
    }
}

impl<T: Copy> Deref for Charged<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T: Copy> DerefMut for Charged<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for Charged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
