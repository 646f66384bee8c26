//! The files that say who may connect.

use crate::rows::Cell;
use crate::shim::set;
use base::Result;
use base::access::{AccessLine, HbaRule, IdentMapping};
use expr::{Call, Entry};

/// A row of a view: the place, `width` cells of the entry, and what is wrong.
fn row<T>(line: AccessLine<T>, width: usize, entry: impl FnOnce(T) -> Vec<Cell>) -> Vec<Cell> {
    let mut cells = vec![
        line.number.map_or(Cell::Null, Cell::Int4),
        Cell::Text(line.file),
        Cell::Int4(line.line),
    ];
    match line.entry {
        Some(value) => cells.extend(entry(value)),
        None => cells.extend(std::iter::repeat_n(Cell::Null, width)),
    }
    cells.push(Cell::text(line.error));
    cells
}

fn rule(rule: HbaRule) -> Vec<Cell> {
    let HbaRule { kind, databases, users, address, netmask, method, options } = rule;
    vec![
        Cell::Text(kind.to_owned()),
        Cell::Texts(databases),
        Cell::Texts(users),
        Cell::text(address),
        Cell::text(netmask),
        Cell::Text(method.to_owned()),
        if options.is_empty() { Cell::Null } else { Cell::Texts(options) },
    ]
}

fn hba(cx: &Call<'_, '_>) -> Result<Vec<Vec<Cell>>> {
    let lines = cx.host.server()?.access_files()?.hba()?;
    Ok(lines.into_iter().map(|line| row(line, 7, rule)).collect())
}

fn ident(cx: &Call<'_, '_>) -> Result<Vec<Vec<Cell>>> {
    let lines = cx.host.server()?.access_files()?.ident()?;
    let cells = |mapping: IdentMapping| mapping.map(Cell::Text).into();
    Ok(lines.into_iter().map(|line| row(line, 3, cells)).collect())
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    set!("pg_hba_file_rules", |cx, args| hba(cx)?),
    set!("pg_ident_file_mappings", |cx, args| ident(cx)?),
];
