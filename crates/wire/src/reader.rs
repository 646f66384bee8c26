//! A cursor over the body of one message.

use crate::violation;
use base::Result;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Reader<'a> {
        Reader { rest: body }
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        match self.rest.split_at_checked(count) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => Err(violation("insufficient data left in message")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => Err(violation("insufficient data left in message")),
        }
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn i16(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// A count of things of which each takes at least `each` bytes of what is left.
    pub(crate) fn count(&mut self, each: usize) -> Result<usize> {
        let count = usize::from(self.i16()?.cast_unsigned());
        if count.saturating_mul(each) > self.rest.len() {
            return Err(violation("insufficient data left in message"));
        }
        Ok(count)
    }

    /// The bytes up to a terminating zero, which is passed over.
    pub(crate) fn string(&mut self) -> Result<&'a [u8]> {
        match memchr::memchr(0, self.rest) {
            Some(end) => {
                let (text, rest) = self.rest.split_at(end);
                self.rest = &rest[1..];
                Ok(text)
            }
            None => Err(violation("invalid string in message")),
        }
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(violation("invalid message format")) }
    }
}
