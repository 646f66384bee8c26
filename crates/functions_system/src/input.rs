//! Whether a text is a value of a type.

use crate::rows::{Cell, row};
use crate::shim::{catalog, raw};
use base::{Error, Result, SqlState};
use expr::{Call, Datum, Entry};
use types::oids;

/// What input says of a text; none if it takes it.
fn problem(cx: &Call<'_, '_>, args: &[Datum<'_>]) -> Result<Option<Error>> {
    let (type_oid, modifier) = catalog(cx)?.type_by_sql_name(args[1].text()?)?;
    match cx.io().input(type_oid.0, modifier, args[0].text()?, &cx.bump) {
        Ok(_) => Ok(None),
        Err(error) if is_of_the_text(error.sqlstate()) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Not the text's fault: memory, cancellation, damage.
fn is_of_the_text(state: SqlState) -> bool {
    !matches!(&state.as_str()[..2], "53" | "57" | "58" | "XX" | "0A")
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("pg_input_is_valid", |cx, args| Ok(Datum::Bool(problem(cx, args)?.is_none()))),
    raw!("pg_input_error_info", |cx, args| {
        let cells = match problem(cx, args)? {
            None => [Cell::Null, Cell::Null, Cell::Null, Cell::Null],
            Some(error) => {
                let fields = error.fields();
                [
                    Cell::Text(error.message().to_owned()),
                    Cell::text(fields.detail.clone()),
                    Cell::text(fields.hint.clone()),
                    Cell::Text(error.sqlstate().as_str().to_owned()),
                ]
            }
        };
        row(cx, &cells.map(|cell| (oids::TEXT, cell)))
    }),
];
