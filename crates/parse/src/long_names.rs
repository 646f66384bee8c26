//! Identifiers that are too long: the grammar cuts them off without a word.

use base::limits::NAME_BYTES;
use base::{Error, err};
use std::borrow::Cow;

/// The notices of the identifiers of a text that are cut off, in order.
pub fn truncation_notices(sql: &str) -> Vec<Error> {
    if sql.len() < NAME_BYTES {
        return Vec::new();
    }
    let mut scanner = Scanner { sql, at: 0 };
    let mut notices = Vec::new();
    while let Some(name) = scanner.next_name() {
        if name.len() >= NAME_BYTES {
            let cut = &name[..name.floor_char_boundary(NAME_BYTES - 1)];
            notices
                .push(err!(NAME_TOO_LONG, "identifier \"{name}\" will be truncated to \"{cut}\""));
        }
    }
    notices
}

/// Finds the identifiers of a text that is longer than one may be.
struct Scanner<'s> {
    sql: &'s str,
    at: usize,
}

fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn continues_name(byte: u8) -> bool {
    begins_name(byte) || byte.is_ascii_digit() || byte == b'$'
}

impl<'s> Scanner<'s> {
    fn rest(&self) -> &'s [u8] {
        &self.sql.as_bytes()[self.at..]
    }

    /// Passes over what a test holds for.
    fn pass(&mut self, test: fn(u8) -> bool) -> &'s str {
        let from = self.at;
        self.at += self.rest().iter().take_while(|byte| test(**byte)).count();
        &self.sql[from..self.at]
    }

    /// The next identifier that may be too long, as it is before it is cut off.
    fn next_name(&mut self) -> Option<Cow<'s, str>> {
        loop {
            match *self.rest() {
                [] => return None,
                [b'"', ..] => return Some(self.quoted(b'"', false)),
                [b'\'', ..] => drop(self.quoted(b'\'', false)),
                [b'-', b'-', ..] => drop(self.pass(|byte| byte != b'\n')),
                [b'/', b'*', ..] => self.comment(),
                [b'$', ..] => self.dollar(),
                [byte, ..] if byte.is_ascii_digit() => drop(self.pass(continues_name)),
                [byte, ..] if begins_name(byte) => {
                    let word = self.pass(continues_name);
                    match (word, self.rest().first()) {
                        ("e" | "E", Some(b'\'')) => drop(self.quoted(b'\'', true)),
                        _ if word.len() >= NAME_BYTES => {
                            return Some(word.to_ascii_lowercase().into());
                        }
                        _ => {}
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// What stands in quotes; a quote within it is doubled.
    fn quoted(&mut self, quote: u8, escapes: bool) -> Cow<'s, str> {
        self.at += 1;
        let (from, mut doubled) = (self.at, false);
        loop {
            match *self.rest() {
                [] => break,
                [b'\\', _, ..] if escapes => self.at += 2,
                [one, two, ..] if one == quote && two == quote => {
                    doubled = true;
                    self.at += 2;
                }
                [one, ..] if one == quote => break,
                _ => self.at += 1,
            }
        }
        let inner = self.sql.get(from..self.at).unwrap_or_default();
        self.at = (self.at + 1).min(self.sql.len());
        if doubled && quote == b'"' { inner.replace("\"\"", "\"").into() } else { inner.into() }
    }

    /// Comments nest.
    fn comment(&mut self) {
        let mut depth = 0;
        loop {
            match *self.rest() {
                [] => return,
                [b'/', b'*', ..] => (depth, self.at) = (depth + 1, self.at + 2),
                [b'*', b'/', ..] => (depth, self.at) = (depth - 1, self.at + 2),
                _ => self.at += 1,
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// A parameter, or a text in dollar quotes.
    fn dollar(&mut self) {
        let from = self.at;
        self.at += 1;
        let tag = self.pass(|byte| continues_name(byte) && byte != b'$');
        let opens = self.rest().first() == Some(&b'$')
            && !tag.starts_with(|first: char| first.is_ascii_digit());
        if opens {
            let delimiter = &self.sql[from..=self.at];
            let body = self.at + 1;
            let end = self.sql[body..].find(delimiter);
            self.at = end.map_or(self.sql.len(), |end| body + end + delimiter.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::truncation_notices;

    #[test]
    fn only_long_identifiers_are_told() {
        let long = "A".repeat(64);
        let told = |sql: &str| -> Vec<String> {
            let notices = truncation_notices(&sql.replace('@', &long));
            notices.iter().map(|notice| notice.fields().message.to_string()).collect()
        };
        let small = long.to_lowercase();
        let one = |name: &str| {
            vec![format!("identifier \"{name}\" will be truncated to \"{}\"", &name[..63])]
        };
        assert_eq!(told("select 1 as @"), one(&small));
        assert_eq!(told("select 1 as \"@\""), one(&long));
        assert_eq!(told("select '@', e'\\'@', $$@$$, $x$ @ $ @ $x$ -- @"), Vec::<String>::new());
        assert_eq!(told("/* @ /* @ */ @ */ select $1, 'it''s @'"), Vec::<String>::new());
        assert_eq!(told("/* x */ select a$@, \"x\"\"@\"").len(), 2);
        assert_eq!(told("select '@").len(), 0);
        assert_eq!(told("select e'@\\").len(), 0);
        let wide = "ä".repeat(32);
        assert_eq!(told(&format!("select {wide}"))[0].matches('ä').count(), 63);
    }
}
