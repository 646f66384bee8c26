//! The time zones that are known.

use crate::value::give_interval;
use base::Result;
use expr::{Call, Datum, Entry, SetRows};
use types::datetime::zone::Zone;
use types::datetime::{Interval, US_PER_SEC};

/// The zones of the database, one row each.
struct Zones {
    names: std::vec::IntoIter<String>,
    at_us: i64,
}

impl SetRows for Zones {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        loop {
            let Some(name) = self.names.next() else { return Ok(false) };
            let Some(zone) = Zone::named(&name) else { continue };
            let offset = zone.at(self.at_us);
            let micros = i64::from(offset.east_secs) * US_PER_SEC;
            let row = [
                cx.text(&name)?,
                cx.text(&offset.abbreviation)?,
                give_interval(Interval { micros, days: 0, months: 0 }),
                Datum::Bool(offset.is_dst),
            ];
            for (place, value) in out.iter_mut().zip(row) {
                *place = value;
            }
            return Ok(true);
        }
    }
}

fn names<'m>(cx: &mut Call<'_, 'm>, _: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let mut names = Zone::all_names();
    names.sort_unstable();
    let at_us = cx.io().env.now_us.get();
    Ok(Box::new(Zones { names: names.into_iter(), at_us }))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[Entry::set("pg_timezone_names", names)];
