//! Growing arrays and texts in a [`Bump`].

#![expect(unsafe_code, reason = "a growing array over raw memory")]

use crate::bump::Bump;
use base::Result;
use std::fmt;
use std::mem::size_of;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// An array in a [`Bump`] that grows; every growth can fail and says so.
///
/// As long as nothing else is allocated it grows in place.
///
/// ```
/// let arena = memory::Bump::new("example", memory::Account::unlimited());
/// let mut squares = arena.vec();
/// for i in 0..10 {
///     squares.push(i * i)?;
/// }
/// let squares: &mut [i32] = squares.into_slice();
/// assert_eq!(squares[9], 81);
/// # Ok::<(), base::Error>(())
/// ```
pub struct Vec<'m, T> {
    at: NonNull<T>,
    len: usize,
    capacity: usize,
    bump: &'m Bump,
}

impl<'m, T> Vec<'m, T> {
    /// An empty array; allocates nothing.
    pub fn new(bump: &'m Bump) -> Vec<'m, T> {
        const { assert!(!std::mem::needs_drop::<T>(), "what needs dropping cannot live here") };
        let capacity = if size_of::<T>() == 0 { usize::MAX } else { 0 };
        Vec { at: NonNull::dangling(), len: 0, capacity, bump }
    }

    /// An empty array with room for `capacity` values.
    ///
    /// # Errors
    /// 53200.
    pub fn with_capacity(bump: &'m Bump, capacity: usize) -> Result<Vec<'m, T>> {
        let mut vec = Vec::new(bump);
        vec.reserve(capacity)?;
        Ok(vec)
    }

    /// The context that it lives in.
    pub fn bump(&self) -> &'m Bump {
        self.bump
    }

    /// Makes room for `more` values.
    ///
    /// # Errors
    /// 53200.
    #[inline]
    pub fn reserve(&mut self, more: usize) -> Result<()> {
        if self.capacity - self.len >= more {
            return Ok(());
        }
        self.grow(more)
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Result<()> {
        let need = self.len.saturating_add(more);
        let capacity = need.max(self.capacity.saturating_mul(2)).max(4);
        let bytes = size_of::<T>();
        // No overflow: the old array exists, and a new one too large is refused just below.
        if let Some(new) = capacity.checked_mul(bytes)
            && self.capacity > 0
            && self.bump.methods().resize_last(self.at.cast(), self.capacity * bytes, new)
        {
            self.capacity = capacity;
            return Ok(());
        }
        let to = self.bump.alloc_array::<T>(capacity)?;
        // SAFETY: `to` is new and has room for more than `len` values.
        unsafe { std::ptr::copy_nonoverlapping(self.at.as_ptr(), to.as_ptr(), self.len) };
        self.at = to;
        self.capacity = capacity;
        Ok(())
    }

    /// Appends a value.
    ///
    /// # Errors
    /// 53200.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<()> {
        if self.len == self.capacity {
            self.grow(1)?;
        }
        // SAFETY: there is room.
        unsafe { self.at.add(self.len).write(value) };
        self.len += 1;
        Ok(())
    }

    /// Takes the last value.
    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: it was the last value and is not one any more.
        Some(unsafe { self.at.add(self.len).read() })
    }

    /// Appends copies of all values of a slice.
    ///
    /// # Errors
    /// 53200.
    pub fn extend_from_slice(&mut self, values: &[T]) -> Result<()>
    where
        T: Copy,
    {
        self.reserve(values.len())?;
        // SAFETY: there is room, and nobody else refers to it.
        unsafe {
            let end = self.at.as_ptr().add(self.len);
            std::ptr::copy_nonoverlapping(values.as_ptr(), end, values.len());
        }
        self.len += values.len();
        Ok(())
    }

    /// Appends copies of `count` values from a place on.
    ///
    /// # Errors
    /// 53200.
    pub fn extend_from_within(&mut self, from: usize, count: usize) -> Result<()>
    where
        T: Copy,
    {
        assert!(from <= self.len && count <= self.len - from, "values that are not there");
        self.reserve(count)?;
        // SAFETY: the values are there, and there is room behind the last.
        unsafe {
            let (start, end) = (self.at.as_ptr().add(from), self.at.as_ptr().add(self.len));
            std::ptr::copy_nonoverlapping(start, end, count);
        }
        self.len += count;
        Ok(())
    }

    /// Appends what an iterator yields.
    ///
    /// # Errors
    /// 53200.
    pub fn extend(&mut self, values: impl IntoIterator<Item = T>) -> Result<()> {
        for value in values {
            self.push(value)?;
        }
        Ok(())
    }

    /// Inserts a value before position `at`, which is at most the length.
    ///
    /// # Errors
    /// 53200.
    pub fn insert(&mut self, at: usize, value: T) -> Result<()> {
        self.push(value)?;
        self[at..].rotate_right(1);
        Ok(())
    }

    /// Grows with copies of `value`, or cuts, to `len` values.
    ///
    /// # Errors
    /// 53200.
    pub fn resize(&mut self, len: usize, value: T) -> Result<()>
    where
        T: Copy,
    {
        self.reserve(len.saturating_sub(self.len))?;
        while self.len < len {
            self.push(value)?;
        }
        self.len = len;
        Ok(())
    }

    /// Keeps the first `len` values.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Forgets all values and keeps the room.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// The values, for as long as the context lives.
    pub fn into_slice(self) -> &'m mut [T] {
        if size_of::<T>() != 0 {
            let bytes = size_of::<T>();
            self.bump.methods().resize_last(
                self.at.cast(),
                self.capacity * bytes,
                self.len * bytes,
            );
        }
        // SAFETY: the values are initialised, and nobody else refers to them.
        unsafe { std::slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }
}

impl<T> Deref for Vec<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the first `len` values are initialised.
        unsafe { std::slice::from_raw_parts(self.at.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Vec<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: the first `len` values are initialised.
        unsafe { std::slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Vec<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// A text in a [`Bump`] that grows.
///
/// `write!` reports lack of memory as `fmt::Error`; [`Bump::alloc_fmt`] turns it back into 53200.
#[derive(Debug)]
pub struct Text<'m>(Vec<'m, u8>);

impl<'m> Text<'m> {
    /// An empty text; allocates nothing.
    pub fn new(bump: &'m Bump) -> Text<'m> {
        Text(Vec::new(bump))
    }

    /// An empty text with room for so many bytes.
    ///
    /// # Errors
    /// 53200.
    pub fn with_capacity(bump: &'m Bump, bytes: usize) -> Result<Text<'m>> {
        Ok(Text(Vec::with_capacity(bump, bytes)?))
    }

    /// Makes room for `more` bytes.
    ///
    /// # Errors
    /// 53200.
    pub fn reserve(&mut self, more: usize) -> Result<()> {
        self.0.reserve(more)
    }

    /// Appends a text.
    ///
    /// # Errors
    /// 53200.
    pub fn push_str(&mut self, text: &str) -> Result<()> {
        self.0.extend_from_slice(text.as_bytes())
    }

    /// Appends a character.
    ///
    /// # Errors
    /// 53200.
    #[inline]
    pub fn push(&mut self, c: char) -> Result<()> {
        if c.is_ascii() {
            return self.0.push(c as u8);
        }
        self.push_str(c.encode_utf8(&mut [0; 4]))
    }

    /// Appends a text many times.
    ///
    /// # Errors
    /// 53200.
    pub fn push_repeated(&mut self, text: &str, count: usize) -> Result<()> {
        let from = self.0.len();
        let bytes = text.len().saturating_mul(count);
        self.0.reserve(bytes)?;
        if count > 0 {
            self.push_str(text)?;
        }
        // What is there doubles.
        while self.0.len() - from < bytes {
            let (have, missing) = (self.0.len() - from, bytes - (self.0.len() - from));
            self.0.extend_from_within(from, have.min(missing))?;
        }
        Ok(())
    }

    /// Moves the last `bytes` bytes, which are whole characters, to the place `at`.
    pub fn rotate_right(&mut self, at: usize, bytes: usize) {
        assert!(self.is_char_boundary(at) && self.is_char_boundary(self.len() - bytes));
        self.0[at..].rotate_right(bytes);
    }

    /// The text, for as long as the context lives.
    pub fn into_str(self) -> &'m mut str {
        // SAFETY: only whole texts were appended.
        unsafe { std::str::from_utf8_unchecked_mut(self.0.into_slice()) }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        // SAFETY: only whole texts were appended.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text).map_err(|error| {
            self.0.bump().core().set_failure(error);
            fmt::Error
        })
    }
}
