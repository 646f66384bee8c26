//! The functions: `~`, SIMILAR TO, substring, regexp_*.

use super::translate::Flags;
use super::{Groups, Matches, Pattern};
use crate::basic::position_of;
use base::{Result, err};
use expr::in_sql;
use expr::{Call, Datum, Entry, SetRows};
use memory::collections::{Buffer, String};
use memory::{Heap, Text};
use types::{array, oids};

/// The pattern of this call site, compiled once as long as it stays the same.
fn pattern<'c>(cx: &'c mut Call<'_, '_>, source: &str, flags: Flags) -> Result<&'c mut Pattern> {
    let account = cx.bump.account();
    cx.cached(
        |kept: &Pattern| kept.fits(source, &flags),
        || Pattern::new(source, flags.clone(), account),
    )
}

fn flags_at(args: &[Datum<'_>], index: usize) -> Result<Flags> {
    args.get(index).map_or(Ok(Flags::default()), |f| Flags::parse(f.text()?))
}

fn no_global(flags: &Flags, function: &str) -> Result<()> {
    if flags.global {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "{function} does not support the \"global\" option"
        ));
    }
    Ok(())
}

fn operator<'m, const FOLD: bool, const NOT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let flags = Flags { fold: FOLD, ..Flags::default() };
    let found = pattern(cx, args[1].text()?, flags)?.is_match(args[0].text()?);
    Ok(Datum::Bool(found != NOT))
}

fn part<'m>(text: &'m str, span: Option<(usize, usize)>) -> Datum<'m> {
    span.map_or(Datum::Null, |(from, to)| Datum::Text(&text[from..to]))
}

/// `substring(text from pattern)`: the first group if there is one.
fn substring<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let text = args[0].text()?;
    let compiled = pattern(cx, args[1].text()?, Flags::default())?;
    let group = usize::from(compiled.group_count() > 0);
    let found = compiled.captures(text, 0)?;
    Ok(found.map_or(Datum::Null, |groups| part(text, groups[group])))
}

/// The groups of a match as a text array; the whole match if there are none.
fn as_array<'m>(
    cx: &Call<'_, 'm>,
    text: &str,
    groups: &[Option<(usize, usize)>],
) -> Result<Datum<'m>> {
    let spans = if groups.len() > 1 { &groups[1..] } else { groups };
    array::collect_list(oids::TEXT, spans.iter().map(|span| Ok(part(text, *span))), &cx.bump)
}

fn first_match<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let text = args[0].text()?;
    let flags = flags_at(args, 2)?;
    if flags.global {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "regexp_match() does not support the \"global\" option"
        )
        .hint("Use the regexp_matches function instead."));
    }
    match pattern(cx, args[1].text()?, flags)?.captures(text, 0)? {
        Some(groups) => as_array(cx, text, &groups),
        None => Ok(Datum::Null),
    }
}

/// The groups of all matches.
struct MatchRows {
    text: String<Heap>,
    /// Those of one match after those of the other.
    groups: Buffer<Option<(usize, usize)>>,
    each: usize,
    next: usize,
}

impl SetRows for MatchRows {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some(groups) = self.groups.get(self.next..self.next + self.each) else {
            return Ok(false);
        };
        self.next += self.each;
        out[0] = as_array(cx, &self.text, groups)?;
        Ok(true)
    }
}

fn matches<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let text = args[0].text()?;
    let flags = flags_at(args, 2)?;
    let heap = cx.scratch();
    let kept = String::try_from_in(text, heap.clone())?;
    let mut matches = Matches::new(text, 0, flags.global);
    let compiled = pattern(cx, args[1].text()?, flags)?;
    let (mut groups, each) = (Buffer::new(&heap), compiled.group_count() + 1);
    while let Some(found) = matches.next(compiled)? {
        groups.extend_from_slice(&found)?;
    }
    Ok(Box::new(MatchRows { text: kept, groups, each, next: 0 }))
}

/// What stands between the matches. An empty match at the beginning, at the end or right behind
/// another match divides nothing.
fn split(
    cx: &mut Call<'_, '_>,
    args: &[Datum<'_>],
    function: &str,
) -> Result<Buffer<(usize, usize)>> {
    let text = args[0].text()?;
    let flags = flags_at(args, 2)?;
    no_global(&flags, function)?;
    let mut out = Buffer::new(&cx.scratch());
    let mut matches = Matches::new(text, 0, true);
    let compiled = pattern(cx, args[1].text()?, flags)?;
    let mut from = 0;
    while let Some(groups) = matches.next(compiled)? {
        let Some((start, end)) = groups[0] else { continue };
        if start == end && (start == from || start >= text.len()) {
            continue;
        }
        out.push((from, start))?;
        from = end;
    }
    out.push((from, text.len()))?;
    Ok(out)
}

fn split_to_array<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let parts = split(cx, args, "regexp_split_to_array()")?;
    let text = args[0].text()?;
    let parts = parts.iter().map(|(from, to)| Ok(Datum::Text(&text[*from..*to])));
    array::collect_list(oids::TEXT, parts, &cx.bump)
}

/// Parts of a text, one a row.
struct PartRows {
    text: String<Heap>,
    parts: Buffer<(usize, usize)>,
    next: usize,
}

impl SetRows for PartRows {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some((from, to)) = self.parts.get(self.next) else { return Ok(false) };
        self.next += 1;
        out[0] = cx.text(&self.text[*from..*to])?;
        Ok(true)
    }
}

fn split_to_table<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let parts = split(cx, args, "regexp_split_to_table()")?;
    let text = String::try_from_in(args[0].text()?, parts.heap().clone())?;
    Ok(Box::new(PartRows { text, parts, next: 0 }))
}

/// Appends a replacement: `\1` to `\9` are groups, `\&` the match, `\\` a backslash.
fn append_replacement(
    out: &mut Text<'_>,
    replacement: &str,
    text: &str,
    groups: &Groups,
) -> Result<()> {
    let mut rest = replacement;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at])?;
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            out.push('\\')?;
            break;
        };
        let group = match c {
            '1'..='9' => Some(c as usize - '0' as usize),
            '&' => Some(0),
            '\\' => None,
            _ => {
                // Anything else is taken as it stands, backslash and all.
                out.push('\\')?;
                continue;
            }
        };
        match group {
            Some(group) => {
                if let Some(Some((from, to))) = groups.get(group) {
                    out.push_str(&text[*from..*to])?;
                }
            }
            None => out.push('\\')?,
        }
        rest = &rest[c.len_utf8()..];
    }
    out.push_str(rest)
}

/// Replaces the `nth` match, or all if it is 0.
fn replace<'m>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
    from: usize,
    nth: usize,
    flags: Flags,
) -> Result<Datum<'m>> {
    let (text, replacement) = (args[0].text()?, args[2].text()?);
    let mut out = cx.writer();
    let mut matches = Matches::new(text, from, nth != 1);
    let compiled = pattern(cx, args[1].text()?, flags)?;
    let (mut at, mut count) = (0, 0);
    while let Some(groups) = matches.next(compiled)? {
        count += 1;
        let Some((start, end)) = groups[0] else { continue };
        if nth != 0 && count != nth {
            continue;
        }
        if out.is_empty() {
            out.reserve(text.len())?;
        }
        out.push_str(&text[at..start])?;
        append_replacement(&mut out, replacement, text, &groups)?;
        at = end;
        if count == nth {
            break;
        }
    }
    if count == 0 {
        return Ok(args[0]);
    }
    out.push_str(&text[at..])?;
    Ok(Datum::Text(out.into_str()))
}

fn replace_flags<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let letters = args.get(3).map_or(Ok(""), Datum::text)?;
    if letters.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "invalid regular expression option: \"{}\"",
            &letters[..1]
        )
        .hint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."));
    }
    let flags = Flags::parse(letters)?;
    let nth = usize::from(!flags.global);
    replace(cx, args, 0, nth, flags)
}

/// A positive or non-negative parameter; `least` is 0 or 1.
fn parameter(
    args: &[Datum<'_>],
    index: usize,
    default: i32,
    least: i32,
    name: &str,
) -> Result<usize> {
    let value = args.get(index).map_or(Ok(default), Datum::int4)?;
    if value < least {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "invalid value for parameter \"{name}\": {value}"
        ));
    }
    Ok(value as usize)
}

fn start_at(text: &str, start: usize) -> usize {
    if start as i64 > text.chars().count() as i64 + 1 {
        return text.len() + 1;
    }
    position_of(text, start as i64 - 1)
}

fn replace_extended<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let start = parameter(args, 3, 1, 1, "start")?;
    let nth = parameter(args, 4, 1, 0, "n")?;
    let flags = flags_at(args, 5)?;
    let nth = if args.len() == 4 { usize::from(!flags.global) } else { nth };
    let from = start_at(args[0].text()?, start);
    replace(cx, args, from, nth, flags)
}

fn count<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let text = args[0].text()?;
    let start = parameter(args, 2, 1, 1, "start")?;
    let flags = flags_at(args, 3)?;
    no_global(&flags, "regexp_count()")?;
    let mut matches = Matches::new(text, start_at(text, start), true);
    let compiled = pattern(cx, args[1].text()?, flags)?;
    let mut count = 0;
    while matches.next(compiled)?.is_some() {
        count += 1;
    }
    Ok(Datum::Int4(count))
}

fn like<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let flags = flags_at(args, 2)?;
    no_global(&flags, "regexp_like()")?;
    Ok(Datum::Bool(pattern(cx, args[1].text()?, flags)?.is_match(args[0].text()?)))
}

/// The span of group `group` in the `nth` match at or behind character `start`.
fn nth_span(
    cx: &mut Call<'_, '_>,
    args: &[Datum<'_>],
    start: usize,
    nth: usize,
    flags: Flags,
    group: usize,
) -> Result<Option<(usize, usize)>> {
    let text = args[0].text()?;
    let compiled = pattern(cx, args[1].text()?, flags)?;
    if group > compiled.group_count() {
        return Ok(None);
    }
    let mut matches = Matches::new(text, start_at(text, start), nth > 1);
    for _ in 1..nth {
        if matches.next(compiled)?.is_none() {
            return Ok(None);
        }
    }
    Ok(matches.next(compiled)?.and_then(|groups| groups[group]))
}

fn instr<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let start = parameter(args, 2, 1, 1, "start")?;
    let nth = parameter(args, 3, 1, 1, "n")?;
    let end_option = args.get(4).map_or(Ok(0), Datum::int4)?;
    if !(0..=1).contains(&end_option) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "invalid value for parameter \"endoption\": {end_option}"
        ));
    }
    let group = parameter(args, 6, 0, 0, "subexpr")?;
    let flags = flags_at(args, 5)?;
    no_global(&flags, "regexp_instr()")?;
    let text = args[0].text()?;
    let span = nth_span(cx, args, start, nth, flags, group)?;
    Ok(Datum::Int4(span.map_or(0, |(from, to)| {
        let at = if end_option == 1 { to } else { from };
        text[..at].chars().count() as i32 + 1
    })))
}

fn substr<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let start = parameter(args, 2, 1, 1, "start")?;
    let nth = parameter(args, 3, 1, 1, "n")?;
    let group = parameter(args, 5, 0, 0, "subexpr")?;
    let flags = flags_at(args, 4)?;
    no_global(&flags, "regexp_substr()")?;
    let span = nth_span(cx, args, start, nth, flags, group)?;
    Ok(part(args[0].text()?, span))
}

/// The regular expression of a SIMILAR TO pattern.
fn similar_escape<'m>(cx: &Call<'_, 'm>, source: &str, escape: Option<&str>) -> Result<Datum<'m>> {
    let escape = match escape {
        None => Some('\\'),
        Some(text) => {
            let mut chars = text.chars();
            let first = chars.next();
            if chars.next().is_some() {
                return Err(err!(INVALID_ESCAPE_SEQUENCE, "invalid escape string")
                    .hint("Escape string must be empty or one character."));
            }
            first
        }
    };
    let mut out = cx.writer_of(source.len() + 16)?;
    out.push_str("^(?:")?;
    let mut in_bracket = false;
    let mut separators = 0;
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            match chars.next() {
                Some('"') if !in_bracket => {
                    // The parts before and behind are matched as short as they can be.
                    match separators {
                        0 => out.push_str("){1,1}?(")?,
                        1 => out.push_str("){1,1}(?:")?,
                        _ => {
                            return Err(err!(
                                INVALID_USE_OF_ESCAPE_CHARACTER,
                                "SQL regular expression may not contain more than two escape-double-quote separators"
                            ));
                        }
                    }
                    separators += 1;
                }
                Some(c) => {
                    if !c.is_ascii_alphanumeric() || escape == Some('\\') {
                        out.push('\\')?;
                    }
                    out.push(c)?;
                }
                None => {}
            }
            continue;
        }
        match c {
            '[' => {
                in_bracket = true;
                out.push('[')?;
                if chars.peek() == Some(&'^') {
                    out.push('^')?;
                    chars.next();
                }
                if chars.peek() == Some(&']') {
                    out.push(']')?;
                    chars.next();
                }
            }
            ']' => {
                in_bracket = false;
                out.push(']')?;
            }
            '\\' => out.push_str("\\\\")?,
            c if in_bracket => out.push(c)?,
            '%' => out.push_str(".*")?,
            '_' => out.push('.')?,
            '(' => out.push_str("(?:")?,
            '.' | '^' | '$' => {
                out.push('\\')?;
                out.push(c)?;
            }
            c => out.push(c)?,
        }
    }
    out.push_str(")$")?;
    Ok(Datum::Text(out.into_str()))
}

fn similar<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    if args[0].is_null() {
        return Ok(Datum::Null);
    }
    let escape = match args.get(1) {
        Some(escape) if !escape.is_null() => Some(escape.text()?),
        _ => None,
    };
    similar_escape(cx, args[0].text()?, escape)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("textregexeq", operator::<false, false>),
    Entry::scalar("textregexne", operator::<false, true>),
    Entry::scalar("texticregexeq", operator::<true, false>),
    Entry::scalar("texticregexne", operator::<true, true>),
    Entry::scalar("nameregexeq", operator::<false, false>),
    Entry::scalar("nameregexne", operator::<false, true>),
    Entry::scalar("nameicregexeq", operator::<true, false>),
    Entry::scalar("nameicregexne", operator::<true, true>),
    Entry::scalar("textregexsubstr", substring),
    Entry::scalar("regexp_match", first_match),
    Entry::scalar("regexp_match_no_flags", first_match),
    Entry::set("regexp_matches", matches),
    Entry::set("regexp_matches_no_flags", matches),
    Entry::scalar("regexp_split_to_array", split_to_array),
    Entry::scalar("regexp_split_to_array_no_flags", split_to_array),
    Entry::set("regexp_split_to_table", split_to_table),
    Entry::set("regexp_split_to_table_no_flags", split_to_table),
    Entry::scalar("textregexreplace", replace_flags),
    Entry::scalar("textregexreplace_noopt", replace_flags),
    Entry::scalar("textregexreplace_extended", replace_extended),
    Entry::scalar("textregexreplace_extended_no_flags", replace_extended),
    Entry::scalar("textregexreplace_extended_no_n", replace_extended),
    Entry::scalar("regexp_count", count),
    Entry::scalar("regexp_count_no_start", count),
    Entry::scalar("regexp_count_no_flags", count),
    Entry::scalar("regexp_like", like),
    Entry::scalar("regexp_like_no_flags", like),
    Entry::scalar("regexp_instr", instr),
    Entry::scalar("regexp_instr_no_start", instr),
    Entry::scalar("regexp_instr_no_n", instr),
    Entry::scalar("regexp_instr_no_endoption", instr),
    Entry::scalar("regexp_instr_no_flags", instr),
    Entry::scalar("regexp_instr_no_subexpr", instr),
    Entry::scalar("regexp_substr", substr),
    Entry::scalar("regexp_substr_no_start", substr),
    Entry::scalar("regexp_substr_no_n", substr),
    Entry::scalar("regexp_substr_no_flags", substr),
    Entry::scalar("regexp_substr_no_subexpr", substr),
    in_sql!("substring(text, text, text)", 2074, |cx, args| {
        let pattern = similar(cx, &args[1..])?;
        substring(cx, &[args[0], pattern])
    }),
    Entry::scalar("similar_escape", similar),
    Entry::scalar("similar_to_escape_1", similar),
    Entry::scalar("similar_to_escape_2", similar),
];
