//! Memory of the program's allocator that an account pays for.
//!
//! For what is mostly small and gone at once: it needs no context. What may become large and stays
//! belongs into a context, where one can see it.

use crate::ledger::{Account, out_of_memory};
use base::Result;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Lists over so many bytes do not double where that does not fit.
const LARGE_BYTES: usize = 1 << 20;

/// Texts of no more bytes are not worth a charge of their own.
const SHORT_TEXT_BYTES: usize = 1024;

/// An output grows by no less, so that a short text needs one piece of memory.
const OUTPUT_BYTES_MIN: usize = 256;

/// Tolls of fewer bytes are not counted in [`tolled_bytes`].
const LARGE_TOLL_BYTES: u64 = 64 << 10;

/// What large tolls have charged.
static TOLLED: AtomicU64 = AtomicU64::new(0);

/// About the bytes that all large [`Toll`]s of the process pay for: they are charged, but in no
/// context.
pub fn tolled_bytes() -> u64 {
    TOLLED.load(Relaxed)
}

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

    /// Pays for what is made of a text, at `cost` bytes for each of its bytes. A short one is not
    /// worth it.
    ///
    /// # Errors
    /// 53200
    pub fn for_text(
        account: &Account,
        asker: &'static str,
        text: &str,
        cost: usize,
    ) -> Result<Option<Toll>> {
        if text.len() <= SHORT_TEXT_BYTES {
            return Ok(None);
        }
        let mut toll = Toll::new(account.clone(), asker);
        toll.cover(text.len().saturating_mul(cost))?;
        Ok(Some(toll))
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
        self.set(self.bytes + bytes as u64);
        Ok(())
    }

    fn set(&mut self, bytes: u64) {
        let counted = |bytes: u64| if bytes < LARGE_TOLL_BYTES { 0 } else { bytes };
        let (before, after) = (counted(self.bytes), counted(bytes));
        if before != after {
            TOLLED.fetch_add(after.wrapping_sub(before), Relaxed);
        }
        self.bytes = bytes;
    }

    /// Makes room for `more` values in one of the lists whose room this pays.
    ///
    /// # Errors
    /// 53200
    #[inline]
    pub fn room<T>(&mut self, list: &mut std::vec::Vec<T>, more: usize) -> Result<()> {
        if list.capacity() - list.len() >= more {
            return Ok(());
        }
        let others = (self.bytes as usize).saturating_sub(list.capacity() * size_of::<T>());
        self.grow(list, more, others)
    }

    /// Makes room for `more` values in a list; this has paid `others` bytes for other lists.
    #[cold]
    fn grow<T>(&mut self, list: &mut std::vec::Vec<T>, more: usize, others: usize) -> Result<()> {
        let (len, old) = (list.len(), list.capacity());
        let need = len.saturating_add(more).max(64 / size_of::<T>().max(1)).max(4);
        let mut capacity = need.max(old.saturating_mul(2));
        let mut bytes = capacity.saturating_mul(size_of::<T>());
        if bytes > LARGE_BYTES && !self.account.fits((bytes - old * size_of::<T>()) as u64) {
            // Twice as much is more than there is, and perhaps more than is needed.
            capacity = need.saturating_add(need / 8);
            bytes = capacity.saturating_mul(size_of::<T>());
        }
        self.cover(others.saturating_add(bytes))?;
        if list.try_reserve_exact(capacity - len).is_err() {
            self.cut(others + old * size_of::<T>());
            return Err(out_of_memory(bytes as u64, self.asker));
        }
        Ok(())
    }

    /// Makes room for `more` bytes in a text; of all texts that come here only the longest is
    /// charged, and none that is short.
    ///
    /// # Errors
    /// 53200
    #[inline]
    pub fn text_room(&mut self, text: &mut std::string::String, more: usize) -> Result<()> {
        if text.capacity() - text.len() >= more {
            return Ok(());
        }
        let need = text.len().saturating_add(more);
        let capacity = need.max(text.capacity().saturating_mul(2)).max(16);
        if capacity > SHORT_TEXT_BYTES {
            self.cover(capacity)?;
        }
        text.reserve_exact(capacity - text.len());
        Ok(())
    }

    /// Gives back what is charged over `bytes`.
    pub fn cut(&mut self, bytes: usize) {
        if let Some(over) = self.bytes.checked_sub(bytes as u64).filter(|over| *over > 0) {
            self.account.release(over);
            self.set(bytes as u64);
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
        self.toll.room(&mut self.values, more)
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

    /// Forgets all values and keeps the room.
    pub fn clear(&mut self) {
        self.values.clear();
    }
}

impl ChargedText {
    /// A copy of a text.
    ///
    /// # Errors
    /// 53200
    pub fn copy(text: &str, account: &Account) -> Result<ChargedText> {
        let mut copy = Charged::new(account.clone(), "TextCopy");
        copy.extend_from_slice(text.as_bytes())?;
        copy.into_text()
    }
}

impl Charged<u8> {
    /// The end of the bytes, to write there.
    pub fn output(&mut self) -> Output<'_> {
        Output { bytes: &mut self.values, toll: Some(&mut self.toll) }
    }

    /// The bytes as a text.
    ///
    /// # Errors
    /// XX000 if they are none.
    pub fn into_text(self) -> Result<ChargedText> {
        let text = std::string::String::from_utf8(self.values);
        let text = text.map_err(|_| base::Error::internal("text output is not UTF-8"))?;
        Ok(ChargedText { text, _toll: self.toll })
    }
}

/// A text that an account pays for as long as it lives.
pub struct ChargedText {
    text: std::string::String,
    _toll: Toll,
}

impl Deref for ChargedText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ChargedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// A text that is there already, or one that was made for this and that an account pays for.
///
/// ```
/// use memory::{Account, collections::{ChargedText, GivenOrMade}};
/// let shown = |text: &'static str| match text {
///     "" => ChargedText::copy("empty", &Account::unlimited()).map(GivenOrMade::Made),
///     text => Ok(GivenOrMade::Given(text)),
/// };
/// assert_eq!((&*shown("")?, &*shown("text")?), ("empty", "text"));
/// # Ok::<(), base::Error>(())
/// ```
#[derive(Debug)]
pub enum GivenOrMade<'a> {
    /// Somebody else has it.
    Given(&'a str),
    /// It is gone with this.
    Made(ChargedText),
}

impl Deref for GivenOrMade<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            GivenOrMade::Given(text) => text,
            GivenOrMade::Made(text) => text,
        }
    }
}

/// The end of a list of bytes, where forms of values are written. What is appended is charged
/// before the list grows, unless its owner sees to that.
///
/// ```
/// use memory::{Account, collections::{Charged, Output}};
/// let mut mine = Charged::new(Account::unlimited(), "example");
/// mine.output().extend_from_slice(b"one")?;
/// let mut plain = Vec::new();
/// Output::plain(&mut plain).extend_from_slice(b"one")?;
/// assert_eq!(&mine[..], &plain);
/// # Ok::<(), base::Error>(())
/// ```
pub struct Output<'a> {
    bytes: &'a mut std::vec::Vec<u8>,
    toll: Option<&'a mut Toll>,
}

impl<'a> Output<'a> {
    /// The end of a list whose owner sees to what it costs.
    pub fn plain(bytes: &'a mut std::vec::Vec<u8>) -> Output<'a> {
        Output { bytes, toll: None }
    }

    /// The end of a list whose room `toll` pays from now on.
    pub fn paid(bytes: &'a mut std::vec::Vec<u8>, toll: &'a mut Toll) -> Output<'a> {
        Output { bytes, toll: Some(toll) }
    }

    /// An empty list that the same account pays.
    pub fn scratch(&self) -> Charged<u8> {
        let account = self.toll.as_ref().map(|toll| toll.account.clone());
        Charged::new(account.unwrap_or_else(Account::unlimited), "OutputScratch")
    }

    /// The list, with room for `more` bytes: no more of them are charged.
    ///
    /// # Errors
    /// 53200
    #[inline]
    pub fn room(&mut self, more: usize) -> Result<&mut std::vec::Vec<u8>> {
        if self.bytes.capacity() - self.bytes.len() < more {
            self.grow(more)?;
        }
        Ok(self.bytes)
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Result<()> {
        match &mut self.toll {
            Some(toll) => toll.grow(self.bytes, more.max(OUTPUT_BYTES_MIN), 0),
            None => Ok(()),
        }
    }

    /// Appends a byte.
    ///
    /// # Errors
    /// 53200
    #[inline]
    pub fn push(&mut self, byte: u8) -> Result<()> {
        self.room(1)?.push(byte);
        Ok(())
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// 53200
    #[inline]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) -> Result<()> {
        self.room(bytes.len())?.extend_from_slice(bytes);
        Ok(())
    }

    /// Puts what stands from `at` on in double quotes; before a byte comes the one that `escape`
    /// gives for it.
    ///
    /// # Errors
    /// 53200
    pub fn quote(&mut self, at: usize, escape: impl Fn(u8) -> Option<u8>) -> Result<()> {
        let escapes = self.bytes[at..].iter().filter(|byte| escape(**byte).is_some()).count();
        let mut from = self.bytes.len();
        let bytes = self.room(escapes + 2)?;
        let mut to = from + escapes + 2;
        bytes.resize(to, b'"');
        to -= 1;
        // From the end, so that nothing is written over that has not been moved.
        while from > at {
            from -= 1;
            let byte = bytes[from];
            to -= 1;
            bytes[to] = byte;
            if let Some(before) = escape(byte) {
                to -= 1;
                bytes[to] = before;
            }
        }
        bytes[at] = b'"';
        Ok(())
    }
}

impl Deref for Output<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Output").field(&self.len()).finish()
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
