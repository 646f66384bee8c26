//! Length, parts, padding, trimming, case and position of text.

use base::{Error, Result, err};
use expr::{Call, Datum, Entry};
use expr::{in_sql, raw};
use memory::collections::Charged;
use types::text::trim_bpchar;

/// The most bytes of a text.
pub(crate) const LENGTH_MAX: usize = 0x3fff_ffff;

pub(crate) fn too_large() -> Error {
    err!(PROGRAM_LIMIT_EXCEEDED, "requested length too large")
}

fn negative_length() -> Error {
    err!(SUBSTRING_ERROR, "negative substring length not allowed")
}

/// The characters from `start` (1 is the first) for `length`, or to the end.
pub(crate) fn substr(text: &str, start: i32, length: Option<i32>) -> Result<&str> {
    let start = i64::from(start);
    let end = match length {
        None => i64::MAX,
        Some(length) => {
            let end = start + i64::from(length);
            if length < 0 && end < start {
                return Err(negative_length());
            }
            end
        }
    };
    let first = start.max(1) - 1;
    let count = end.saturating_sub(1) - first;
    if count <= 0 {
        return Ok("");
    }
    let from = position_of(text, first);
    let rest = &text[from..];
    let to = if length.is_none() { rest.len() } else { position_of(rest, count) };
    Ok(&rest[..to])
}

/// The byte position of a character; the end if there are fewer.
pub(crate) fn position_of(text: &str, character: i64) -> usize {
    if character <= 0 {
        return 0;
    }
    if text.is_ascii() {
        return usize::try_from(character).map_or(text.len(), |c| c.min(text.len()));
    }
    usize::try_from(character)
        .ok()
        .and_then(|c| text.char_indices().nth(c))
        .map_or(text.len(), |(at, _)| at)
}

/// The bits of so many bytes.
pub(crate) fn bit_length<'m>(bytes: usize) -> Result<Datum<'m>> {
    i32::try_from(bytes.saturating_mul(8))
        .map(Datum::Int4)
        .map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))
}

fn length(text: &str) -> i32 {
    if text.is_ascii() { text.len() as i32 } else { text.chars().count() as i32 }
}

/// The place of `needle`, counted from 1; 0 if it does not occur.
pub(crate) fn position(text: &str, needle: &str) -> i32 {
    match memchr::memmem::find(text.as_bytes(), needle.as_bytes()) {
        Some(at) => length(&text[..at]) + 1,
        None => 0,
    }
}

fn pad<'m, const LEFT: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, wanted, fill) = (args[0].text()?, args[1].int4()?.max(0), args[2].text()?);
    let have = length(text);
    if wanted <= have {
        return Ok(Datum::Text(&text[..position_of(text, wanted.into())]));
    }
    if fill.is_empty() {
        return Ok(args[0]);
    }
    let missing = (wanted - have) as usize;
    if missing.saturating_mul(4) + text.len() > LENGTH_MAX {
        return Err(too_large());
    }
    let whole = length(fill) as usize;
    let rest = &fill[..position_of(fill, (missing % whole) as i64)];
    let mut padded = cx.writer_of(text.len() + missing / whole * fill.len() + rest.len())?;
    if !LEFT {
        padded.push_str(text)?;
    }
    padded.push_repeated(fill, missing / whole)?;
    padded.push_str(rest)?;
    if LEFT {
        padded.push_str(text)?;
    }
    Ok(Datum::Text(padded.into_str()))
}

fn trim<'m, const LEFT: bool, const RIGHT: bool>(
    _: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let mut text = args[0].text()?;
    let set = args.get(1).map_or(Ok(" "), Datum::text)?;
    if LEFT {
        text = text.trim_start_matches(|c| set.contains(c));
    }
    if RIGHT {
        text = text.trim_end_matches(|c| set.contains(c));
    }
    Ok(Datum::Text(text))
}

/// A character's simple upper case.
pub(crate) fn upper_char(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// A character's simple lower case.
pub(crate) fn lower_char(c: char) -> char {
    let mut mapped = c.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        (Some(one), Some(_)) if c == 'İ' => one,
        _ => c,
    }
}

/// The text of what each of its characters becomes.
fn map<'m>(
    cx: &Call<'_, 'm>,
    text: &str,
    mut f: impl FnMut(char) -> Option<char>,
) -> Result<Datum<'m>> {
    let mut out = cx.writer_of(text.len())?;
    for c in text.chars().filter_map(&mut f) {
        out.push(c)?;
    }
    Ok(Datum::Text(out.into_str()))
}

fn lower<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    in_case(cx, args[0].text()?, str::make_ascii_lowercase, lower_char)
}

fn upper<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    in_case(cx, args[0].text()?, str::make_ascii_uppercase, upper_char)
}

/// A text in a case, which `of_ascii` gives to one of ASCII and `of_char` to a character.
fn in_case<'m>(
    cx: &Call<'_, 'm>,
    text: &str,
    of_ascii: impl FnOnce(&mut str),
    of_char: impl Fn(char) -> char,
) -> Result<Datum<'m>> {
    if text.is_ascii() {
        let copy = cx.bump.alloc_str(text)?;
        of_ascii(copy);
        return Ok(Datum::Text(copy));
    }
    map(cx, text, |c| Some(of_char(c)))
}

fn initcap<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let mut in_word = false;
    map(cx, args[0].text()?, |c| {
        let mapped = if in_word { lower_char(c) } else { upper_char(c) };
        in_word = c.is_alphanumeric();
        Some(mapped)
    })
}

/// What each character of `from` becomes, in the order of the characters; of equal ones the first
/// counts.
struct Translation {
    table: Charged<(char, u32, Option<char>)>,
}

impl Translation {
    fn new(cx: &Call<'_, '_>, from: &str, to: &str) -> Result<Translation> {
        let mut table = Charged::new(cx.bump.account().clone(), "Translation");
        let mut to = to.chars();
        for (i, c) in from.chars().enumerate() {
            table.push((c, i as u32, to.next()))?;
        }
        table.sort_unstable_by_key(|(c, i, _)| (*c, *i));
        Ok(Translation { table })
    }

    fn apply(&self, c: char) -> Option<char> {
        let at = self.table.partition_point(|(from, ..)| *from < c);
        match self.table.get(at) {
            Some((from, _, to)) if *from == c => *to,
            _ => Some(c),
        }
    }
}

fn translate<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let translation = Translation::new(cx, args[1].text()?, args[2].text()?)?;
    map(cx, args[0].text()?, |c| translation.apply(c))
}

fn reverse<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let text = args[0].text()?;
    let mut out = cx.writer_of(text.len())?;
    for c in text.chars().rev() {
        out.push(c)?;
    }
    Ok(Datum::Text(out.into_str()))
}

/// Replaces the characters from `start` for `length` by others.
fn overlay<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, new, start) = (args[0].text()?, args[1].text()?, args[2].int4()?);
    let replaced = match args.get(3) {
        Some(count) => count.int4()?,
        None => length(new),
    };
    if start <= 0 {
        return Err(negative_length());
    }
    let behind = start
        .checked_add(replaced)
        .ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))?;
    let head = substr(text, 1, Some(start - 1))?;
    let tail = substr(text, behind, None)?;
    cx.joined(&[head, new, tail])
}

/// `left` and `right`: a negative count leaves that many characters of the other end out.
fn end<'m, const LEFT: bool>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, count) = (args[0].text()?, i64::from(args[1].int4()?));
    let total = i64::from(length(text));
    if !LEFT && count == i64::from(i32::MIN) {
        // The one count that has no positive twin takes nothing away.
        return Ok(args[0]);
    }
    let count = if count < 0 { (total + count).max(0) } else { count.min(total) };
    Ok(Datum::Text(if LEFT {
        &text[..position_of(text, count)]
    } else {
        &text[position_of(text, total - count)..]
    }))
}

fn replace<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, from, to) = (args[0].text()?, args[1].text()?, args[2].text()?);
    if from.is_empty() {
        return Ok(args[0]);
    }
    let finder = memchr::memmem::Finder::new(from);
    let places = || finder.find_iter(text.as_bytes());
    let count = match places().next() {
        None => return Ok(args[0]),
        // Small ones may grow.
        Some(_) if text.len() < 1024 => 1,
        Some(_) => places().count(),
    };
    let mut out = cx.writer_of(text.len() - count * from.len() + count * to.len())?;
    let mut at = 0;
    for place in places() {
        out.push_str(&text[at..place])?;
        out.push_str(to)?;
        at = place + from.len();
    }
    out.push_str(&text[at..])?;
    Ok(Datum::Text(out.into_str()))
}

fn repeat<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let text = args[0].text()?;
    let count = usize::try_from(args[1].int4()?).unwrap_or(0);
    if text.len().saturating_mul(count) > LENGTH_MAX {
        return Err(too_large());
    }
    let mut repeated = cx.writer_of(text.len() * count)?;
    repeated.push_repeated(text, count)?;
    Ok(Datum::Text(repeated.into_str()))
}

fn chr<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let code = args[0].int4()?;
    if code < 0 {
        return Err(err!(INVALID_PARAMETER_VALUE, "character number must be positive"));
    }
    if code == 0 {
        return Err(err!(PROGRAM_LIMIT_EXCEEDED, "null character not permitted"));
    }
    if code > 0x10_ffff {
        return Err(err!(
            PROGRAM_LIMIT_EXCEEDED,
            "requested character too large for encoding: {code}"
        ));
    }
    let c = char::from_u32(code.cast_unsigned()).ok_or_else(|| {
        err!(PROGRAM_LIMIT_EXCEEDED, "requested character not valid for encoding: {code}")
    })?;
    cx.text(c.encode_utf8(&mut [0; 4]))
}

fn unistr<'m>(cx: &Call<'_, 'm>, text: &str) -> Result<Datum<'m>> {
    let invalid = || {
        err!(SYNTAX_ERROR, "invalid Unicode escape")
            .hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")
    };
    let pair = || err!(SYNTAX_ERROR, "invalid Unicode surrogate pair");
    // An escape is longer than its character.
    let mut out = cx.writer_of(text.len())?;
    let mut rest = text;
    let mut high: Option<u32> = None;
    while let Some(at) = rest.find('\\') {
        if high.is_some() && at > 0 {
            return Err(pair());
        }
        out.push_str(&rest[..at])?;
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('\\') {
            if high.is_some() {
                return Err(pair());
            }
            out.push('\\')?;
            rest = after;
            continue;
        }
        let (skip, digits) = match rest.as_bytes().first() {
            Some(b'+') => (1, 6),
            Some(b'u') => (1, 4),
            Some(b'U') => (1, 8),
            _ => (0, 4),
        };
        let hex = rest.get(skip..skip + digits).ok_or_else(invalid)?;
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let code = u32::from_str_radix(hex, 16).map_err(|_| invalid())?;
        rest = &rest[skip + digits..];
        let code = match (high.take(), code) {
            (Some(h), 0xDC00..0xE000) => 0x10000 + ((h & 0x3ff) << 10) + (code & 0x3ff),
            (Some(_), _) | (None, 0xDC00..0xE000) => return Err(pair()),
            (None, 0xD800..0xDC00) => {
                high = Some(code);
                continue;
            }
            (None, code) => code,
        };
        let c = char::from_u32(code).filter(|c| *c != '\0').ok_or_else(|| {
            err!(INVALID_PARAMETER_VALUE, "invalid Unicode code point: {code:04X}")
        })?;
        out.push(c)?;
    }
    if high.is_some() {
        return Err(pair());
    }
    out.push_str(rest)?;
    Ok(Datum::Text(out.into_str()))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("textlen", |cx, args| Ok(Datum::Int4(length(args[0].text()?)))),
    raw!("bpcharlen", |cx, args| Ok(Datum::Int4(length(trim_bpchar(args[0].text()?))))),
    raw!("textoctetlen", |cx, args| Ok(Datum::Int4(args[0].text()?.len() as i32))),
    in_sql!("bit_length(text)", 1811, |cx, args| bit_length(args[0].text()?.len())),
    raw!("bpcharoctetlen", |cx, args| Ok(Datum::Int4(args[0].text()?.len() as i32))),
    raw!("textcat", |cx, args| cx.joined(&[args[0].text()?, args[1].text()?])),
    raw!("text_substr", |cx, args| {
        substr(args[0].text()?, args[1].int4()?, Some(args[2].int4()?)).map(Datum::Text)
    }),
    raw!("text_substr_no_len", |cx, args| {
        substr(args[0].text()?, args[1].int4()?, None).map(Datum::Text)
    }),
    raw!("textpos", |cx, args| Ok(Datum::Int4(position(args[0].text()?, args[1].text()?)))),
    Entry::scalar("textoverlay", overlay),
    Entry::scalar("textoverlay_no_len", overlay),
    Entry::scalar("lpad", pad::<true>),
    Entry::scalar("rpad", pad::<false>),
    in_sql!("lpad(text, integer)", 879, |cx, args| {
        pad::<true>(cx, &[args[0], args[1], Datum::Text(" ")])
    }),
    in_sql!("rpad(text, integer)", 880, |cx, args| {
        pad::<false>(cx, &[args[0], args[1], Datum::Text(" ")])
    }),
    Entry::scalar("btrim", trim::<true, true>),
    Entry::scalar("btrim1", trim::<true, true>),
    Entry::scalar("ltrim", trim::<true, false>),
    Entry::scalar("ltrim1", trim::<true, false>),
    Entry::scalar("rtrim", trim::<false, true>),
    Entry::scalar("rtrim1", trim::<false, true>),
    Entry::scalar("lower", lower),
    Entry::scalar("casefold", lower),
    Entry::scalar("upper", upper),
    Entry::scalar("initcap", initcap),
    Entry::scalar("translate", translate),
    Entry::scalar("text_left", end::<true>),
    Entry::scalar("text_right", end::<false>),
    Entry::scalar("text_reverse", reverse),
    Entry::scalar("replace_text", replace),
    Entry::scalar("repeat", repeat),
    raw!("ascii", |cx, args| {
        Ok(Datum::Int4(args[0].text()?.chars().next().map_or(0, |c| c as i32)))
    }),
    Entry::scalar("chr", chr),
    raw!("text_starts_with", |cx, args| {
        Ok(Datum::Bool(args[0].text()?.starts_with(args[1].text()?)))
    }),
    raw!("unistr", |cx, args| unistr(cx, args[0].text()?)),
];
