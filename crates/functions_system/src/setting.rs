//! Settings as functions.

use crate::rows::Cell;
use crate::shim::{raw, set};
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

fn set_config<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    if args[0].is_null() {
        return Err(err!(NULL_VALUE_NOT_ALLOWED, "SET requires parameter name"));
    }
    let value = if args[1].is_null() { None } else { Some(args[1].text()?) };
    let local = !args[2].is_null() && args[2].bool()?;
    let shown = cx.host.set_setting(args[0].text()?, value, local)?;
    cx.text(&shown)
}

/// The categories of settings, as `pg_settings` names them.
const CATEGORIES: &str = include_str!("../../../facts/pg_settings_category.tsv");

fn category(name: &str) -> &'static str {
    let mut lines = CATEGORIES.lines().skip(1).filter_map(|line| line.split_once('\t'));
    lines.find(|(known, _)| *known == name).map_or("Customized Options", |(_, words)| words)
}

/// The rows of `pg_settings`. What settings are for is not said: the texts are PostgreSQL's.
fn all(cx: &Call<'_, '_>) -> Result<Vec<Vec<Cell>>> {
    let rows = cx.host.server()?.settings();
    Ok(rows
        .into_iter()
        .map(|row| {
            let (file, line) = row.file.map_or((Cell::Null, Cell::Null), |(file, line)| {
                (Cell::Text(file), Cell::Int4(line.cast_signed()))
            });
            let category = category(&row.name).to_owned();
            vec![
                Cell::Text(row.name),
                Cell::Text(row.value),
                Cell::text(row.unit),
                Cell::Text(category),
                Cell::Text(String::new()),
                Cell::Null,
                Cell::Text(row.context.to_owned()),
                Cell::Text(row.kind.to_owned()),
                Cell::Text(row.source.to_owned()),
                Cell::text(row.min),
                Cell::text(row.max),
                row.values.map_or(Cell::Null, Cell::Texts),
                Cell::Text(row.boot),
                Cell::Text(row.reset),
                file,
                line,
                Cell::Bool(false),
            ]
        })
        .collect())
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("show_config_by_name", show),
    Entry::scalar("show_config_by_name_missing_ok", show),
    set!("show_all_settings", |cx, args| all(cx)?),
    raw!("pg_rotate_logfile", |cx, _args| {
        let told = cx.host.server()?.rotate_log();
        if !told {
            cx.host.notice(expr::Notice {
                severity: "WARNING",
                fields: base::err!(
                    WARNING,
                    "rotation not possible because log collection not active"
                ),
            });
        }
        Ok(Datum::Bool(told))
    }),
    raw!("pg_reload_conf", |cx, _args| Ok(Datum::Bool(cx.host.server()?.reload()))),
    raw!("set_config_by_name", |cx, args| set_config(cx, args)),
];
