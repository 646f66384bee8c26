//! LIKE, ILIKE and their escape clause.

use crate::basic::lower_char;
use base::{Error, Result, err};
use expr::raw;
use expr::{Call, Datum, Entry};
use memory::Account;
use memory::collections::Charged;

fn escape_at_end() -> Error {
    err!(INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character")
}

/// Whether `text` matches the pattern; `_` is one character as `step` counts them.
///
/// After a `%` the rest is tried at each place; only the last `%` needs to be come back to.
fn matches(text: &[u8], pattern: &[u8], step: fn(&[u8]) -> usize) -> Result<bool> {
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let matched = match pattern.get(p) {
            Some(b'%') => {
                retry = Some((t, p + 1));
                p += 1;
                continue;
            }
            None if t == text.len() => return Ok(true),
            None => false,
            Some(_) if t == text.len() => return Ok(false),
            Some(b'_') => {
                t += step(&text[t..]);
                p += 1;
                true
            }
            Some(b'\\') => {
                let literal = *pattern.get(p + 1).ok_or_else(escape_at_end)?;
                let same = literal == text[t];
                if same {
                    t += 1;
                    p += 2;
                }
                same
            }
            Some(literal) => {
                let same = *literal == text[t];
                if same {
                    t += 1;
                    p += 1;
                }
                same
            }
        };
        if matched {
            continue;
        }
        match retry {
            Some((from, after)) if from < text.len() => {
                let next = from + step(&text[from..]);
                retry = Some((next, after));
                (t, p) = (next, after);
            }
            _ => return Ok(false),
        }
    }
}

/// The bytes of the first character of UTF-8.
fn character(bytes: &[u8]) -> usize {
    let length = match bytes.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xff) => 4,
        _ => 1,
    };
    length.min(bytes.len())
}

fn like(text: &str, pattern: &str) -> Result<bool> {
    matches(text.as_bytes(), pattern.as_bytes(), character)
}

/// A text in lower case.
fn folded(text: &str, account: &Account) -> Result<Charged<u8>> {
    let mut out = Charged::new(account.clone(), "FoldedText");
    if text.is_ascii() {
        out.extend_from_slice(text.as_bytes())?;
        out.make_ascii_lowercase();
        return Ok(out);
    }
    out.reserve(text.len())?;
    for c in text.chars() {
        out.extend_from_slice(lower_char(c).encode_utf8(&mut [0; 4]).as_bytes())?;
    }
    Ok(out)
}

fn ilike(text: &str, pattern: &str, account: &Account) -> Result<bool> {
    matches(&folded(text, account)?, &folded(pattern, account)?, character)
}

/// A pattern with another escape character, rewritten to the backslash.
fn with_escape<'m>(cx: &Call<'_, 'm>, pattern: &str, escape: &str) -> Result<Datum<'m>> {
    let mut chars = escape.chars();
    let escape = chars.next();
    if chars.next().is_some() {
        return Err(err!(INVALID_ESCAPE_SEQUENCE, "invalid escape string")
            .hint("Escape string must be empty or one character."));
    }
    if escape == Some('\\') {
        return cx.text(pattern);
    }
    let mut out = cx.writer_of(pattern.len())?;
    let mut after_escape = false;
    for c in pattern.chars() {
        if Some(c) == escape && !after_escape {
            out.push('\\')?;
            after_escape = true;
        } else {
            if c == '\\' && !after_escape {
                out.push('\\')?;
            }
            out.push(c)?;
            after_escape = false;
        }
    }
    Ok(Datum::Text(out.into_str()))
}

fn of_text<'m, const FOLD: bool, const NOT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let (text, pattern) = (args[0].text()?, args[1].text()?);
    let found = if FOLD { ilike(text, pattern, cx.bump.account())? } else { like(text, pattern)? };
    Ok(Datum::Bool(found != NOT))
}

fn of_bytes<'m, const NOT: bool>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(Datum::Bool(matches(args[0].bytes()?, args[1].bytes()?, |_| 1)? != NOT))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("textlike", of_text::<false, false>),
    Entry::scalar("textnlike", of_text::<false, true>),
    Entry::scalar("texticlike", of_text::<true, false>),
    Entry::scalar("texticnlike", of_text::<true, true>),
    Entry::scalar("namelike", of_text::<false, false>),
    Entry::scalar("namenlike", of_text::<false, true>),
    Entry::scalar("nameiclike", of_text::<true, false>),
    Entry::scalar("nameicnlike", of_text::<true, true>),
    Entry::scalar("bytealike", of_bytes::<false>),
    Entry::scalar("byteanlike", of_bytes::<true>),
    raw!("like_escape", |cx, args| with_escape(cx, args[0].text()?, args[1].text()?)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_postgresql() {
        let cases = [
            ("hawkeye", "h%", true),
            ("hawkeye", "%eye", true),
            ("hawkeye", "h%x%", false),
            ("indio", "_ndio", true),
            ("indio", "in__o", true),
            ("indio", "in_o", false),
            ("h%", "h\\%", true),
            ("ha", "h\\%", false),
            ("äöü", "ä_ü", true),
            ("äöü", "___", true),
            ("abcabd", "%abd", true),
            ("", "%", true),
            ("", "_", false),
            ("aXb", "a%b%", true),
        ];
        for (text, pattern, wanted) in cases {
            assert_eq!(like(text, pattern).unwrap(), wanted, "{text} {pattern}");
        }
        assert_eq!(like("ab", "a\\").unwrap_err().sqlstate().as_str(), "22025");
    }
}
