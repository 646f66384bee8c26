//! MERGE.

use super::{ModifyTable, Output, Wide};
use crate::state::Execution;
use analyze::tree::{Command, MergeWhen};
use base::{Error, Result, RowId, err};
use batch::Batch;
use memory::Bump;
use plan::MergeAction;
use table::{Basis, Outcome};
use txn::{Isolation, RowLockMode};
use types::Datum;

impl<'q> ModifyTable<'q> {
    pub(super) fn merge(
        &mut self,
        x: &Execution<'q>,
        input: &Batch,
        out: &mut Output,
    ) -> Result<()> {
        for row in input.rows() {
            let bump = x.bump();
            let values: Vec<Datum<'_>> =
                input.columns().iter().map(|column| column.get(row)).collect();
            self.merge_row(x, &values, out, &bump)?;
        }
        Ok(())
    }

    /// Does what the first action that applies to a row of the join says.
    fn merge_row<'m>(
        &mut self,
        x: &'m Execution<'q>,
        input: &[Datum<'m>],
        out: &mut Output,
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        let at = |column: Option<u16>| column.and_then(|column| input.get(usize::from(column)));
        let id = match at(self.modify.row_id) {
            Some(Datum::Int8(id)) => Some(RowId(id.cast_unsigned())),
            _ => None,
        };
        let has_source = at(self.modify.marker).is_none_or(|marker| !marker.is_null());
        let when = match id {
            None => MergeWhen::NotMatchedByTarget,
            Some(_) if has_source => MergeWhen::Matched,
            Some(_) => MergeWhen::NotMatchedBySource,
        };
        for action in self.modify.actions.iter().filter(|action| action.when == when) {
            if let Some(condition) = &action.condition
                && !matches!(self.eval(x, condition, input, bump)?, [Datum::Bool(true)])
            {
                continue;
            }
            return match (action.command, id) {
                (Some(Command::Insert), _) => self.merge_insert(x, action, input, out, bump),
                (Some(command), Some(id)) => {
                    self.merge_change(x, action, command, id, input, out, bump)
                }
                _ => Ok(()),
            };
        }
        Ok(())
    }

    /// The old row, and the new one as the action makes it.
    fn merge_wide<'m>(
        &mut self,
        x: &'m Execution<'q>,
        action: &MergeAction<'q>,
        input: &[Datum<'m>],
        bump: &'m Bump,
        has_old: bool,
    ) -> Result<Wide<'m>>
    where
        'q: 'm,
    {
        let attributes = self.attributes();
        let mut wide = vec![Datum::Null; attributes * 2];
        if has_old {
            for (attribute, column) in self.modify.old {
                wide[*attribute as usize - 1] = input[usize::from(*column)];
            }
            wide.copy_within(..attributes, attributes);
        }
        if let Some(program) = &action.values {
            let values = self.eval(x, program, input, bump)?;
            for assignment in action.assignments {
                wide[attributes + assignment.attribute as usize - 1] =
                    values[usize::from(assignment.column)];
            }
        }
        Ok(wide)
    }

    fn merge_insert<'m>(
        &mut self,
        x: &'m Execution<'q>,
        action: &MergeAction<'q>,
        input: &[Datum<'m>],
        out: &mut Output,
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        let mut wide = self.merge_wide(x, action, input, bump, false)?;
        self.complete(x, &mut wide, bump)?;
        let id = self.table.tree().lease_rows(1)?;
        self.insert_row(x, id, &wide)?;
        self.insert_entries(x, id, &wide, bump, None)?;
        self.merge_finish(x, Command::Insert, id, wide, input, out, bump)
    }

    fn merge_change<'m>(
        &mut self,
        x: &'m Execution<'q>,
        action: &MergeAction<'q>,
        command: Command,
        id: RowId,
        input: &[Datum<'m>],
        out: &mut Output,
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        let txn = x.storage.transaction();
        let mut wide = self.merge_wide(x, action, input, bump, true)?;
        if command == Command::Update {
            self.complete(x, &mut wide, bump)?;
        }
        let mut changed: Vec<usize> = action
            .assignments
            .iter()
            .chain(self.modify.generated)
            .map(|assignment| assignment.attribute as usize - 1)
            .collect();
        changed.sort_unstable();
        loop {
            let basis = Basis::Seen(&x.view);
            let (outcome, mode) = match command {
                Command::Delete => (self.delete_row(x, basis, id)?, RowLockMode::Update),
                _ => self.update_row(x, basis, id, &wide, &changed)?,
            };
            match outcome {
                Outcome::Done => break,
                Outcome::Invisible => return Ok(()),
                Outcome::SelfModified { .. } => {
                    return Err(err!(
                        CARDINALITY_VIOLATION,
                        "MERGE command cannot affect row a second time"
                    )
                    .hint("Ensure that not more than one source row matches any one target row."));
                }
                Outcome::BeingModified(_) | Outcome::Locked => {
                    self.table.wait(txn, id, mode, outcome)?;
                }
                Outcome::Deleted | Outcome::Updated
                    if txn.isolation() == Isolation::ReadCommitted =>
                {
                    return Err(Error::unsupported(
                        "MERGE of a row that was changed concurrently is not supported yet",
                    ));
                }
                Outcome::Deleted => return Err(txn::concurrent_delete()),
                Outcome::Updated => return Err(txn::concurrent_update()),
            }
        }
        if command == Command::Delete {
            self.delete_entries(x, id, &wide, bump)?;
        } else {
            self.update_entries(x, id, &wide, bump)?;
        }
        self.merge_finish(x, command, id, wide, input, out, bump)
    }

    /// Counts a row, tells who has to know, and makes its RETURNING row.
    fn merge_finish<'m>(
        &mut self,
        x: &'m Execution<'q>,
        command: Command,
        id: RowId,
        mut wide: Wide<'m>,
        input: &[Datum<'m>],
        out: &mut Output,
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        let attributes = self.attributes();
        self.note(x, id, &wide, command != Command::Delete, command != Command::Insert)?;
        self.count(x, 1);
        let Some(program) = self.modify.returning else { return Ok(()) };
        let (name, from) = match command {
            Command::Insert => ("INSERT", attributes),
            Command::Delete => ("DELETE", 0),
            _ => ("UPDATE", attributes),
        };
        let current = wide[from..from + attributes].to_vec();
        if command == Command::Delete {
            wide[attributes..].fill(Datum::Null);
        }
        wide.extend_from_slice(input);
        wide.push(Datum::Text(name));
        wide.extend(current);
        let values = self.eval(x, &program, &wide, bump)?;
        out.push(values)
    }
}
