//! Where in the text a node stands.

use std::fmt;

/// A byte offset into the text that was parsed, or [`Location::NONE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(i32);

impl Location {
    /// No known place.
    pub const NONE: Location = Location(-1);

    /// The place that many bytes into the text.
    pub fn at(offset: usize) -> Location {
        i32::try_from(offset).map_or(Location::NONE, Location)
    }

    pub(crate) fn from_raw(raw: i32) -> Location {
        if raw < 0 { Location::NONE } else { Location(raw) }
    }

    /// The offset in bytes, if the place is known.
    pub fn offset(self) -> Option<usize> {
        usize::try_from(self.0).ok()
    }

    /// This place, or `other` where this one is unknown.
    #[must_use]
    pub fn or(self, other: Location) -> Location {
        if self == Location::NONE { other } else { self }
    }

    /// The leftmost of two places; unknown ones do not count.
    #[must_use]
    pub fn leftmost(self, other: Location) -> Location {
        if self == Location::NONE {
            other
        } else if other == Location::NONE {
            self
        } else {
            self.min(other)
        }
    }

    /// The position for an error message: 1-based, in characters of `sql`.
    pub fn position(self, sql: &str) -> Option<u32> {
        let offset = self.offset()?.min(sql.len());
        let chars = sql.as_bytes()[..offset].iter().filter(|&&b| b & 0xC0 != 0x80).count();
        u32::try_from(chars + 1).ok()
    }
}

impl Default for Location {
    fn default() -> Location {
        Location::NONE
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Location::NONE { f.write_str("@-") } else { write!(f, "@{}", self.0) }
    }
}
