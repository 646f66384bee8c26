//! Settings as functions.

use crate::shim::raw;
use base::{Result, err};
use expr::{Call, Datum, Entry};

fn show<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let name = args[0].text()?;
    let missing_ok = args.get(1).map_or(Ok(false), Datum::bool)?;
    match cx.host.setting(name)? {
        Some(value) => cx.text(&value),
        None if missing_ok => Ok(Datum::Null),
        None => Err(err!(UNDEFINED_OBJECT, "unrecognized configuration parameter \"{name}\"")),
    }
}

fn set<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    if args[0].is_null() {
        return Err(err!(NULL_VALUE_NOT_ALLOWED, "SET requires parameter name"));
    }
    let value = if args[1].is_null() { None } else { Some(args[1].text()?) };
    let local = !args[2].is_null() && args[2].bool()?;
    let shown = cx.host.set_setting(args[0].text()?, value, local)?;
    cx.text(&shown)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("show_config_by_name", show),
    Entry::scalar("show_config_by_name_missing_ok", show),
    raw!("set_config_by_name", |cx, args| set(cx, args)),
];
