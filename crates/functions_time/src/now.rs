//! The clock.

use crate::value::to_local;
use expr::raw;
use expr::{Datum, Entry};
use types::datetime::Civil;
use types::datetime::US_PER_SEC;

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("now", |cx, args| Ok(Datum::Int8(cx.io().env.now_us.get()))),
    raw!("statement_timestamp", |cx, args| Ok(Datum::Int8(cx.host.statement_start_us()))),
    raw!("clock_timestamp", |cx, args| Ok(Datum::Int8(cx.host.clock_us()))),
    raw!("timeofday", |cx, args| {
        let us = cx.host.clock_us();
        let zone = &cx.io().env.zone;
        let local = to_local(us, zone);
        let c = Civil::of_timestamp(local);
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        let months =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let weekday = types::datetime::weekday(types::datetime::julian(c.year, c.month, c.day));
        let fraction = us.rem_euclid(US_PER_SEC);
        let abbreviation = zone.at(us).abbreviation;
        cx.format(format_args!(
            "{} {} {:02} {:02}:{:02}:{:02}.{fraction:06} {:04} {abbreviation}",
            days[weekday as usize % 7],
            months[(c.month - 1) as usize % 12],
            c.day,
            c.hour,
            c.minute,
            c.second,
            c.year
        ))
    }),
];
