//! Looking again at a row that another transaction has changed meanwhile (engine rule 19).
//!
//! In READ COMMITTED a statement that meets a newer version of a row that it wants to change or
//! lock tries its conditions again on that version and goes on with it.

use crate::state::Execution;
use base::{Error, Result, RowId};
use expr::{Inputs, Program, Runner};
use memory::Bump;
use plan::{Node, NodeKind, ScanColumn};
use table::RowBuffer;
use types::Datum;

/// The newest version of a row.
pub(crate) struct Newest<'a> {
    /// Which relation of the plan, by number.
    pub(crate) relation: u16,
    /// The row.
    pub(crate) row: RowId,
    /// The layouts of the table's columns.
    pub(crate) table: &'a table::Table,
    /// All columns of the row.
    pub(crate) values: &'a RowBuffer,
}

/// The row that a node yields for the newest version; none if it meets the conditions no more.
///
/// # Errors
/// Those of the conditions; 0A000 below a join.
pub(crate) fn recheck<'q, 'm>(
    x: &'m Execution<'q>,
    node: &Node<'q>,
    newest: &Newest<'_>,
    bump: &'m Bump,
) -> Result<Option<Vec<Datum<'m>>>>
where
    'q: 'm,
{
    match node.kind {
        NodeKind::SeqScan { relation, columns, filters } if relation == newest.relation => {
            let row = scan_row(x, columns, newest, bump)?;
            Ok(meets(x, filters, &row, bump)?.then_some(row))
        }
        NodeKind::IndexScan { relation, columns, recheck, .. } if relation == newest.relation => {
            let row = scan_row(x, columns, newest, bump)?;
            Ok(meets(x, recheck, &row, bump)?.then_some(row))
        }
        NodeKind::Filter { input, filters } => {
            let Some(row) = recheck(x, input, newest, bump)? else { return Ok(None) };
            Ok(meets(x, filters, &row, bump)?.then_some(row))
        }
        NodeKind::Project { input, program } => {
            let Some(row) = recheck(x, input, newest, bump)? else { return Ok(None) };
            let cx = x.value(bump, &program)?;
            let values = program.eval_row(&mut Runner::new(), &cx, Inputs::Row(&row))?;
            Ok(Some(values.to_vec()))
        }
        NodeKind::Sort { input, .. } | NodeKind::LockRows { input, .. } => {
            recheck(x, input, newest, bump)
        }
        _ => Err(Error::unsupported(
            "changing or locking rows of a join after a concurrent update is not supported yet",
        )),
    }
}

fn scan_row<'m>(
    x: &Execution<'_>,
    columns: &[ScanColumn],
    newest: &Newest<'_>,
    bump: &'m Bump,
) -> Result<Vec<Datum<'m>>> {
    columns
        .iter()
        .map(|column| match column {
            ScanColumn::Attribute(attribute) => {
                let at = *attribute as usize - 1;
                match newest.values.get(at) {
                    Some(stored) => {
                        newest.table.columns()[at].layout.decode(stored)?.copy_to(&bump)
                    }
                    None => Ok(Datum::Null),
                }
            }
            ScanColumn::RowId | ScanColumn::System(-1) => {
                Ok(Datum::Int8(newest.row.0.cast_signed()))
            }
            ScanColumn::System(-6) => {
                let relation = &x.descriptions.relations[usize::from(newest.relation)];
                Ok(Datum::Oid(relation.oid.0))
            }
            ScanColumn::System(_) => Ok(Datum::Null),
        })
        .collect()
}

fn meets<'q, 'm>(
    x: &'m Execution<'q>,
    filters: &[Program<'q>],
    row: &[Datum<'m>],
    bump: &'m Bump,
) -> Result<bool>
where
    'q: 'm,
{
    for program in filters {
        let cx = x.value(bump, program)?;
        let value = program.eval_one(&mut Runner::new(), &cx, Inputs::Row(row))?;
        if !matches!(value, Datum::Bool(true)) {
            return Ok(false);
        }
    }
    Ok(true)
}
