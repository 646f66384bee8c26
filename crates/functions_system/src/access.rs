//! The files that say who may connect.

use crate::rows::Cell;
use crate::shim::set;
use base::Result;
use base::access::{HbaRow, HbaRule, IdentRow};
use expr::{Call, Entry};

fn hba(cx: &Call<'_, '_>) -> Result<Vec<Vec<Cell>>> {
    let row = |row: HbaRow| {
        let mut cells = vec![
            row.number.map_or(Cell::Null, Cell::Int4),
            Cell::Text(row.file),
            Cell::Int4(row.line),
        ];
        match row.rule {
            Some(HbaRule { kind, databases, users, address, netmask, method, options }) => {
                cells.extend([
                    Cell::Text(kind.to_owned()),
                    Cell::Texts(databases),
                    Cell::Texts(users),
                    Cell::text(address),
                    Cell::text(netmask),
                    Cell::Text(method.to_owned()),
                    if options.is_empty() { Cell::Null } else { Cell::Texts(options) },
                ]);
            }
            None => cells.extend(std::iter::repeat_n(Cell::Null, 7)),
        }
        cells.push(Cell::text(row.error));
        cells
    };
    Ok(cx.host.server()?.access_files()?.hba()?.into_iter().map(row).collect())
}

fn ident(cx: &Call<'_, '_>) -> Result<Vec<Vec<Cell>>> {
    let row = |row: IdentRow| {
        let mut cells = vec![
            row.number.map_or(Cell::Null, Cell::Int4),
            Cell::Text(row.file),
            Cell::Int4(row.line),
        ];
        match row.mapping {
            Some(mapping) => cells.extend(mapping.map(Cell::Text)),
            None => cells.extend(std::iter::repeat_n(Cell::Null, 3)),
        }
        cells.push(Cell::text(row.error));
        cells
    };
    Ok(cx.host.server()?.access_files()?.ident()?.into_iter().map(row).collect())
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    set!("pg_hba_file_rules", |cx, args| hba(cx)?),
    set!("pg_ident_file_mappings", |cx, args| ident(cx)?),
];
