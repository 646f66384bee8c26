//! Patterns for jsonpath.

use super::Pattern;
use super::translate::Flags;
use base::Result;
use memory::Account;

/// A pattern of like_regex in a jsonpath.
pub struct PathPattern(Pattern);

impl PathPattern {
    /// Compiles a pattern, for which `account` pays. `fold`: case does not matter; `dot_all`: a dot matches a line feed;
    /// `lines`: `^` and `$` match at lines; `literal`: no character is special.
    ///
    /// # Errors
    /// 2201B, 53200
    pub fn new(
        pattern: &str,
        fold: bool,
        dot_all: bool,
        lines: bool,
        literal: bool,
        account: &Account,
    ) -> Result<PathPattern> {
        let flags = Flags { fold, dot_stops: !dot_all, lines, literal, ..Flags::default() };
        Pattern::new(pattern, flags, account).map(PathPattern)
    }

    /// Whether the text matches anywhere.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}
