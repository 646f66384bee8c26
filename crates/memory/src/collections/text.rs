//! Texts.

#![expect(unsafe_code, reason = "bytes that are known to be UTF-8")]

use super::{InContext, TryPush, Vec};
use base::Result;
use std::fmt;
use std::ops::Deref;

/// A text in a context that grows.
///
/// `write!` reports lack of memory as `fmt::Error`; [`String::try_write`] as 53200.
///
/// ```
/// use memory::{Account, AllocSet, collections::String};
/// let context = AllocSet::new("example", Account::unlimited());
/// let mut text = String::new_in(&context);
/// text.try_push_str("1 + 1 ")?;
/// text.try_push('=')?;
/// text.try_write(format_args!(" {}", 1 + 1))?;
/// assert_eq!(&*text, "1 + 1 = 2");
/// # Ok::<(), base::Error>(())
/// ```
pub struct String<A: InContext>(Vec<u8, A>);

impl<A: InContext> String<A> {
    /// An empty text; allocates nothing.
    pub fn new_in(context: A) -> String<A> {
        String(Vec::new_in(context))
    }

    /// A copy of a text.
    ///
    /// # Errors
    /// 53200.
    pub fn try_from_in(text: &str, context: A) -> Result<String<A>> {
        let mut copy = String::new_in(context);
        copy.try_push_str(text)?;
        Ok(copy)
    }

    /// Appends a text.
    ///
    /// # Errors
    /// 53200; then the text is as it was.
    pub fn try_push_str(&mut self, text: &str) -> Result<()> {
        self.0.try_make_room(text.len())?;
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// Appends a character.
    ///
    /// # Errors
    /// 53200; then the text is as it was.
    pub fn try_push(&mut self, c: char) -> Result<()> {
        self.try_push_str(c.encode_utf8(&mut [0; 4]))
    }

    /// Appends what is formatted.
    ///
    /// # Errors
    /// 53200; then the text has what fitted.
    pub fn try_write(&mut self, text: fmt::Arguments<'_>) -> Result<()> {
        let mut out = Writer { text: self, failure: None };
        match fmt::write(&mut out, text) {
            Ok(()) => Ok(()),
            Err(fmt::Error) => {
                Err(out.failure.take().unwrap_or_else(|| self.0.allocator().failure()))
            }
        }
    }

    /// Forgets the text and keeps the room.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // SAFETY: only whole texts are appended, and nothing is cut off.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }
}

/// Keeps the error that `fmt` cannot carry.
struct Writer<'a, A: InContext> {
    text: &'a mut String<A>,
    failure: Option<base::Error>,
}

impl<A: InContext> fmt::Write for Writer<'_, A> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.try_push_str(text).map_err(|error| {
            self.failure = Some(error);
            fmt::Error
        })
    }
}

impl<A: InContext> fmt::Write for String<A> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.try_push_str(text).map_err(|_| fmt::Error)
    }
}

impl<A: InContext> Deref for String<A> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<A: InContext> fmt::Debug for String<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
