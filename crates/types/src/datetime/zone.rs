//! Time zones: fixed offsets, names of the bundled tz database, POSIX rules.

use super::US_PER_SEC;
use base::clock::POSTGRES_EPOCH_UNIX_US;
use jiff::tz::{Dst, TimeZone, TimeZoneDatabase};
use std::sync::{Arc, OnceLock};

/// A time zone. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Zone(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    rules: Rules,
}

#[derive(Debug)]
enum Rules {
    /// Seconds east of UTC and the abbreviation.
    Fixed(i32, String),
    Tz(TimeZone),
}

/// What a zone says of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Seconds east of UTC.
    pub east_secs: i32,
    /// Whether it is daylight-saving time.
    pub is_dst: bool,
    /// The abbreviation, for example `CET`.
    pub abbreviation: String,
}

/// Seconds of 400 Gregorian years: after them every rule repeats.
const ERA_SECS: i64 = 146_097 * 86_400;
/// The range in which the database is asked; moments outside are moved by whole eras.
const ASKED_UNIX_SECS: std::ops::Range<i64> = -377_000_000_000..253_000_000_000;

fn database() -> &'static TimeZoneDatabase {
    static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
    DATABASE.get_or_init(TimeZoneDatabase::bundled)
}

/// The Unix second of a microsecond since 2000, moved by eras into the database's range.
fn asked_second(us: i64) -> i64 {
    let mut second = us.div_euclid(US_PER_SEC) + POSTGRES_EPOCH_UNIX_US / US_PER_SEC;
    if second >= ASKED_UNIX_SECS.end {
        second -= ((second - ASKED_UNIX_SECS.end) / ERA_SECS + 1) * ERA_SECS;
    } else if second < ASKED_UNIX_SECS.start {
        second = ASKED_UNIX_SECS.start;
    }
    second
}

impl Zone {
    fn new(name: impl Into<String>, rules: Rules) -> Zone {
        Zone(Arc::new(Inner { name: name.into(), rules }))
    }

    /// UTC, named so.
    pub fn utc() -> Zone {
        static UTC: OnceLock<Zone> = OnceLock::new();
        UTC.get_or_init(|| Zone::new("UTC", Rules::Fixed(0, "UTC".into()))).clone()
    }

    /// A fixed offset in seconds east of UTC, named as PostgreSQL names the result of
    /// `SET TIME ZONE 5`: `<+05>-05`.
    pub fn fixed(east_secs: i32) -> Zone {
        let text = |secs: i32| {
            let sign = if secs < 0 { '-' } else { '+' };
            let secs = secs.unsigned_abs();
            let (h, m, s) = (secs / 3600, secs / 60 % 60, secs % 60);
            match (m, s) {
                (0, 0) => format!("{sign}{h:02}"),
                (_, 0) => format!("{sign}{h:02}:{m:02}"),
                _ => format!("{sign}{h:02}:{m:02}:{s:02}"),
            }
        };
        let abbreviation = text(east_secs);
        let name = format!("<{abbreviation}>{}", text(-east_secs));
        Zone::new(name, Rules::Fixed(east_secs, abbreviation))
    }

    /// The zone of a name, case ignored: a name of the database or a POSIX rule such as
    /// `EST5EDT,M3.2.0,M11.1.0` or `<+03>-3`. None if there is no such zone.
    pub fn named(name: &str) -> Option<Zone> {
        if name.eq_ignore_ascii_case("utc") {
            return Some(Zone::utc());
        }
        if name.eq_ignore_ascii_case("gmt") {
            return Some(Zone::new("GMT", Rules::Fixed(0, "GMT".into())));
        }
        if name.len() > 255 || name.starts_with("posixrules") {
            return None;
        }
        if let Ok(tz) = database().get(name) {
            let canonical = tz.iana_name().unwrap_or(name).to_owned();
            return Some(Zone::new(canonical, Rules::Tz(tz)));
        }
        posix(name)
    }

    /// The name, as `SHOW TimeZone` prints it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether the offset is the same at all times.
    pub fn is_fixed(&self) -> bool {
        match &self.0.rules {
            Rules::Fixed(..) => true,
            Rules::Tz(tz) => tz.to_fixed_offset().is_ok(),
        }
    }

    /// What the zone says of a moment: microseconds since 2000-01-01 00:00 UTC.
    pub fn at(&self, us: i64) -> Offset {
        match &self.0.rules {
            Rules::Fixed(east_secs, abbreviation) => {
                Offset { east_secs: *east_secs, is_dst: false, abbreviation: abbreviation.clone() }
            }
            Rules::Tz(tz) => {
                let stamp = jiff::Timestamp::from_second(asked_second(us)).unwrap_or_default();
                let info = tz.to_offset_info(stamp);
                Offset {
                    east_secs: info.offset().seconds(),
                    is_dst: info.dst() == Dst::Yes,
                    abbreviation: info.abbreviation().to_owned(),
                }
            }
        }
    }

    /// Seconds east of UTC at a moment.
    pub fn east_secs_at(&self, us: i64) -> i32 {
        match &self.0.rules {
            Rules::Fixed(east_secs, _) => *east_secs,
            Rules::Tz(tz) => {
                let stamp = jiff::Timestamp::from_second(asked_second(us)).unwrap_or_default();
                tz.to_offset(stamp).seconds()
            }
        }
    }

    /// Seconds east of UTC that a local time means. In a gap the offset before it counts, in a
    /// fold the offset after it.
    pub fn east_secs_of_local(&self, local_us: i64) -> i32 {
        let Rules::Tz(tz) = &self.0.rules else { return self.east_secs_at(local_us) };
        // The offsets half a day around the moment, if only one transition is near.
        let second = asked_second(local_us);
        let Ok(stamp) = jiff::Timestamp::from_second(second) else { return 0 };
        let local = jiff::tz::TimeZone::UTC.to_datetime(stamp);
        match tz.to_ambiguous_timestamp(local).offset() {
            jiff::tz::AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
            jiff::tz::AmbiguousOffset::Gap { before, .. } => before.seconds(),
            jiff::tz::AmbiguousOffset::Fold { after, .. } => after.seconds(),
        }
    }

    /// The offset in seconds east and whether it is daylight-saving time, if the zone uses the
    /// abbreviation now or did at some time near `us`.
    pub fn offset_of_abbreviation(&self, abbreviation: &str, us: i64) -> Option<(i32, bool)> {
        const HALF_YEAR_US: i64 = 182 * 86_400 * US_PER_SEC;
        [0, -HALF_YEAR_US, HALF_YEAR_US].into_iter().find_map(|shift| {
            let offset = self.at(us.saturating_add(shift));
            offset
                .abbreviation
                .eq_ignore_ascii_case(abbreviation)
                .then_some((offset.east_secs, offset.is_dst))
        })
    }

    /// The names of all zones of the database.
    pub fn all_names() -> Vec<String> {
        database().available().map(|name| name.as_str().to_owned()).collect()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name() == other.name()
    }
}

/// A POSIX rule. PostgreSQL takes daylight-saving rules of the USA where none are given.
fn posix(name: &str) -> Option<Zone> {
    let starts = name.starts_with('<') || name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !starts || !name.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let end = if let Some(rest) = name.strip_prefix('<') {
        rest.find('>')? + 2
    } else {
        name.find(|c: char| !c.is_ascii_alphabetic())?
    };
    let (abbreviation, rule) = name.split_at(end);
    let abbreviation = abbreviation.trim_matches(['<', '>']);
    if abbreviation.len() < 3 && !name.starts_with('<') {
        return None;
    }
    let length = rule
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | ':')))
        .unwrap_or(rule.len());
    let (offset, dst) = rule.split_at(length);
    if dst.is_empty() {
        let west = posix_offset(offset)?;
        return Some(Zone::new(
            name.to_ascii_uppercase(),
            Rules::Fixed(-west, abbreviation.to_ascii_uppercase()),
        ));
    }
    let full = if dst.contains(',') { name.to_owned() } else { format!("{name},M3.2.0,M11.1.0") };
    let tz = TimeZone::posix(&full).ok()?;
    Some(Zone::new(name.to_ascii_uppercase(), Rules::Tz(tz)))
}

fn posix_offset(text: &str) -> Option<i32> {
    let (sign, text) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let mut parts = text.split(':').map(|p| p.parse::<i32>().ok().filter(|v| *v >= 0));
    let hours = parts.next()??;
    let minutes = parts.next().unwrap_or(Some(0))?;
    let seconds = parts.next().unwrap_or(Some(0))?;
    if hours > 167 || minutes > 59 || seconds > 59 {
        return None;
    }
    Some(sign * (hours * 3600 + minutes * 60 + seconds))
}
