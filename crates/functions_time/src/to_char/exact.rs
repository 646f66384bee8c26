//! Reading a text by a template as SQL/JSON wants it: every character of both must be used.

use super::date::{self, Node, Pattern, Template};
use super::date_in::{Found, Reader, digit_follows, out_of_range};
use base::{Error, Result, err};
use std::sync::OnceLock;
use types::datetime::{TimeTz, US_PER_SEC, date_from_civil, round_micros, timestamp_in_range};
use types::{Datum, oids};

/// A date, a time or both, of the type that the template says.
#[derive(Clone, Copy, Debug)]
pub struct Parsed {
    /// date, time, timetz, timestamp or timestamptz.
    pub type_oid: u32,
    /// The value.
    pub value: Datum<'static>,
    /// The digits of the second that FF asked for; -1 for all.
    pub typmod: i32,
    /// Seconds east of UTC, 0 without a zone.
    pub east_secs: i32,
}

/// The templates of ISO 8601, with a space or a T between date and time, in the order of trial.
const ISO: [&str; 13] = [
    "yyyy-mm-dd",
    "HH24:MI:SS.USTZ",
    "HH24:MI:SSTZ",
    "HH24:MI:SS.US",
    "HH24:MI:SS",
    "yyyy-mm-dd HH24:MI:SS.USTZ",
    "yyyy-mm-dd HH24:MI:SSTZ",
    "yyyy-mm-dd\"T\"HH24:MI:SS.USTZ",
    "yyyy-mm-dd\"T\"HH24:MI:SSTZ",
    "yyyy-mm-dd HH24:MI:SS.US",
    "yyyy-mm-dd HH24:MI:SS",
    "yyyy-mm-dd\"T\"HH24:MI:SS.US",
    "yyyy-mm-dd\"T\"HH24:MI:SS",
];

/// Reads a text by a template.
///
/// # Errors
/// 22007, 22008
pub fn parse_template(template: &str, text: &str) -> Result<Parsed> {
    let template = date::parse(template)?;
    if let Some(c) = template.stray {
        return Err(invalid(format!("invalid datetime format separator: \"{c}\"")));
    }
    parse(&template, text)
}

/// Whether a template has a pattern of a time zone.
pub fn template_has_zone(template: &str) -> bool {
    date::parse(template).is_ok_and(|template| parts(&template).2)
}

/// Reads a text by the first form of ISO 8601 that fits.
pub fn parse_iso(text: &str) -> Option<Parsed> {
    static TEMPLATES: OnceLock<Vec<Template>> = OnceLock::new();
    let templates = TEMPLATES
        .get_or_init(|| ISO.iter().filter_map(|template| date::parse(template).ok()).collect());
    templates.iter().find_map(|template| parse(template, text).ok())
}

fn invalid(message: String) -> Error {
    err!(INVALID_DATETIME_FORMAT, "{message}")
}

/// What parts a template has: a date, a time, a zone.
fn parts(template: &Template) -> (bool, bool, bool) {
    use Pattern as P;
    let (mut dated, mut timed, mut zoned) = (false, false, false);
    for node in &template.nodes {
        let Node::Pattern { pattern, .. } = node else { continue };
        match pattern {
            P::Meridiem { .. }
            | P::Hour12
            | P::Hour24
            | P::Minute
            | P::Second
            | P::Millisecond
            | P::Microsecond
            | P::Fraction(_)
            | P::SecondOfDay => timed = true,
            P::ZoneName | P::ZoneHour | P::ZoneMinute | P::ZoneOffset => zoned = true,
            _ => dated = true,
        }
    }
    (dated, timed, zoned)
}

fn parse(template: &Template, text: &str) -> Result<Parsed> {
    let mut reader = Reader { rest: text };
    let mut found = Found::default();
    let mut nodes = template.nodes.iter().enumerate();
    while !reader.rest.is_empty() {
        let Some((i, node)) = nodes.next() else { break };
        take(node, &template.nodes[i + 1..], &mut reader, &mut found)?;
    }
    if nodes.next().is_some() {
        return Err(invalid("input string is too short for datetime format".into()));
    }
    reader.skip_space();
    if !reader.rest.is_empty() {
        return Err(invalid(
            "trailing characters remain in input string after datetime format".into(),
        ));
    }
    finish(template, found, text)
}

fn take(node: &Node, after: &[Node], reader: &mut Reader<'_>, found: &mut Found) -> Result<()> {
    match node {
        Node::Separator(c) => match reader.rest.strip_prefix(*c) {
            Some(rest) => reader.rest = rest,
            None => return Err(invalid(format!("unmatched format separator \"{c}\""))),
        },
        Node::Text(c) => match reader.rest.strip_prefix(*c) {
            Some(rest) => reader.rest = rest,
            None => return Err(invalid(format!("unmatched format character \"{c}\""))),
        },
        Node::Pattern { pattern, fill, ordinal, .. } => {
            // A zone that begins with no letter is an offset.
            let offset = *pattern == Pattern::ZoneName
                && !reader.rest.starts_with(|c: char| c.is_ascii_alphabetic());
            let pattern = if offset { Pattern::ZoneOffset } else { *pattern };
            if matches!(pattern, Pattern::ZoneOffset | Pattern::ZoneHour) {
                reader.skip_space();
            }
            let free = *fill || !digit_follows(after);
            found.take(reader, pattern, free)?;
            if ordinal.is_some() {
                reader.rest = reader.rest.get(2..).unwrap_or("");
            }
        }
    }
    Ok(())
}

fn finish(template: &Template, found: Found, text: &str) -> Result<Parsed> {
    let (dated, timed, zoned) = parts(template);
    let read = found.finish(text)?;
    let civil = read.civil;
    if civil.micros >= 1_000_000 {
        return Err(out_of_range(text));
    }
    let typmod = read.precision;
    let east_secs = read.east_secs.unwrap_or(0);
    let too_far = |what: &str| err!(DATETIME_VALUE_OUT_OF_RANGE, "{what} out of range");
    let (type_oid, value) = match (dated, timed) {
        (true, true) => {
            let what = if zoned { "timestamptz" } else { "timestamp" };
            let us = civil
                .to_timestamp_unchecked()
                .and_then(|us| us.checked_sub(i64::from(east_secs) * US_PER_SEC))
                .map(|us| round_micros(us, typmod))
                .filter(|us| timestamp_in_range(*us))
                .ok_or_else(|| too_far(what))?;
            (if zoned { oids::TIMESTAMPTZ } else { oids::TIMESTAMP }, Datum::Int8(us))
        }
        (true, false) if zoned => {
            return Err(invalid("datetime format is zoned but not timed".into()));
        }
        (true, false) => {
            let date = date_from_civil(civil.year, civil.month, civil.day).ok_or_else(|| {
                err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: \"{text}\"")
            })?;
            (oids::DATE, Datum::Int4(date))
        }
        (false, true) => {
            let micros = round_micros(civil.time_us(), typmod);
            if zoned {
                let time = TimeTz { micros, zone: -east_secs };
                (oids::TIMETZ, Datum::Fixed16(time.to_fixed()))
            } else {
                (oids::TIME, Datum::Int8(micros))
            }
        }
        (false, false) => {
            return Err(invalid("datetime format is not dated and not timed".into()));
        }
    };
    Ok(Parsed { type_oid, value, typmod, east_secs })
}
