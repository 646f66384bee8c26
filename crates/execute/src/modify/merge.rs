//! MERGE.

use super::{Meanwhile, ModifyTable, Output, Wide};
use crate::state::Execution;
use analyze::tree::{Command, MergeWhen};
use base::{Error, Result, RowId, Xid, err};
use batch::Batch;
use catalog::rows::Generated;
use memory::Bump;
use plan::MergeAction;
use table::{Basis, Outcome};
use txn::{Isolation, RowLockMode};
use types::Datum;

/// What came of the actions for a row.
enum Acted {
    /// They are done.
    Done,
    /// The target row was deleted meanwhile.
    Gone,
    /// The target row was changed meanwhile; `buffer` holds its newest version.
    Newer(Xid),
}

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

    /// Does what the actions say of a row of the join. A target row that others have changed
    /// meanwhile is joined again, and one that they have deleted is no match.
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
        let mut input = input.to_vec();
        let mut id = self.target_of(&input);
        let mut when = self.when(&input);
        let mut stamp = None;
        loop {
            match self.act(x, when, id, stamp, &input, out, bump)? {
                Acted::Done => return Ok(()),
                Acted::Gone => {
                    self.without_target(&mut input);
                    (id, when) = (None, MergeWhen::NotMatchedByTarget);
                }
                Acted::Newer(found) => {
                    let Some(row) = id else { return Ok(()) };
                    stamp = Some(found);
                    if when == MergeWhen::NotMatchedBySource {
                        input = self.target_alone(row, &input, bump)?;
                        continue;
                    }
                    let Some(again) = self.again(x, row, &input, bump)? else { return Ok(()) };
                    if self.target_of(&again).is_some() {
                        when = self.when(&again);
                        input = again;
                        continue;
                    }
                    // They match no more: each of the two is alone now.
                    let target = self.target_alone(row, &input, bump)?;
                    let by_source = MergeWhen::NotMatchedBySource;
                    self.act_on_newest(x, by_source, row, found, target, out, bump)?;
                    (input, id, when) = (again, None, MergeWhen::NotMatchedByTarget);
                }
            }
        }
    }

    /// Actions for a target row that matches nothing, however often others change it.
    fn act_on_newest<'m>(
        &mut self,
        x: &'m Execution<'q>,
        when: MergeWhen,
        row: RowId,
        mut stamp: Xid,
        mut input: Vec<Datum<'m>>,
        out: &mut Output,
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        while let Acted::Newer(found) =
            self.act(x, when, Some(row), Some(stamp), &input, out, bump)?
        {
            stamp = found;
            input = self.target_alone(row, &input, bump)?;
        }
        Ok(())
    }

    /// The target row of a row of the join.
    fn target_of(&self, input: &[Datum<'_>]) -> Option<RowId> {
        match self.modify.row_id.and_then(|column| input.get(usize::from(column))) {
            Some(Datum::Int8(id)) => Some(RowId(id.cast_unsigned())),
            _ => None,
        }
    }

    /// Which actions are for a row of the join.
    fn when(&self, input: &[Datum<'_>]) -> MergeWhen {
        let marker = self.modify.marker.and_then(|column| input.get(usize::from(column)));
        match self.target_of(input) {
            None => MergeWhen::NotMatchedByTarget,
            Some(_) if marker.is_none_or(|marker| !marker.is_null()) => MergeWhen::Matched,
            Some(_) => MergeWhen::NotMatchedBySource,
        }
    }

    /// Takes the target out of a row of the join.
    fn without_target(&self, input: &mut [Datum<'_>]) {
        let old = self.modify.old.iter().map(|(_, column)| *column);
        for column in old.chain(self.modify.row_id) {
            input[usize::from(column)] = Datum::Null;
        }
    }

    /// A row of the join with the newest version of the target row, which `buffer` holds, and no
    /// source.
    fn target_alone<'m>(
        &self,
        row: RowId,
        input: &[Datum<'m>],
        bump: &'m Bump,
    ) -> Result<Vec<Datum<'m>>> {
        if self.relation.live_columns().any(|c| matches!(c.generated, Some(Generated::Virtual))) {
            return Err(Error::unsupported(
                "MERGE of a row with virtual columns that was changed concurrently is not supported yet",
            ));
        }
        let newest = self.newest(row);
        let mut alone = vec![Datum::Null; input.len()];
        for (attribute, column) in self.modify.old {
            alone[usize::from(*column)] = newest.value(*attribute, bump)?;
        }
        if let Some(column) = self.modify.row_id {
            alone[usize::from(column)] = Datum::Int8(row.0.cast_signed());
        }
        Ok(alone)
    }

    /// Does what the first action that applies says.
    fn act<'m>(
        &mut self,
        x: &'m Execution<'q>,
        when: MergeWhen,
        id: Option<RowId>,
        stamp: Option<Xid>,
        input: &[Datum<'m>],
        out: &mut Output,
        bump: &'m Bump,
    ) -> Result<Acted>
    where
        'q: 'm,
    {
        for action in self.modify.actions.iter().filter(|action| action.when == when) {
            if let Some(condition) = &action.condition
                && !matches!(self.eval(x, condition, input, bump)?, [Datum::Bool(true)])
            {
                continue;
            }
            match (action.command, id) {
                (Some(Command::Insert), _) => self.merge_insert(x, action, input, out, bump)?,
                (Some(command), Some(id)) => {
                    return self.merge_change(x, action, command, (id, stamp), input, out, bump);
                }
                _ => {}
            }
            break;
        }
        Ok(Acted::Done)
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
        (id, stamp): (RowId, Option<Xid>),
        input: &[Datum<'m>],
        out: &mut Output,
        bump: &'m Bump,
    ) -> Result<Acted>
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
            let view = &x.view;
            let basis = stamp.map_or(Basis::Seen(view), |stamp| Basis::Latest(view, stamp));
            let (outcome, mode) = match command {
                Command::Delete => (self.delete_row(x, basis, id)?, RowLockMode::Update),
                _ => self.update_row(x, basis, id, &wide, &changed)?,
            };
            match outcome {
                Outcome::Done => break,
                Outcome::Invisible => return Ok(Acted::Done),
                Outcome::SelfModified { .. } => {
                    return Err(err!(
                        CARDINALITY_VIOLATION,
                        "MERGE command cannot affect row a second time"
                    )
                    .hint("Ensure that not more than one source row matches any one target row."));
                }
                Outcome::BeingModified(_) | Outcome::Locked => {
                    let doing = match command {
                        Command::Delete => "deleting",
                        _ => "updating",
                    };
                    self.table.wait(txn, id, mode, outcome, Some(self.during(doing)))?;
                }
                Outcome::Deleted if txn.isolation() == Isolation::ReadCommitted => {
                    return Ok(Acted::Gone);
                }
                Outcome::Deleted => return Err(txn::concurrent_delete()),
                Outcome::Updated if txn.isolation() != Isolation::ReadCommitted => {
                    return Err(txn::concurrent_update());
                }
                Outcome::Updated => match self.meanwhile(txn, id, mode)? {
                    Meanwhile::Found(found) => return Ok(Acted::Newer(found)),
                    Meanwhile::Waited => {}
                    Meanwhile::Gone => return Ok(Acted::Gone),
                },
            }
        }
        if command == Command::Delete {
            self.delete_entries(x, id, &wide, bump)?;
        } else {
            self.update_entries(x, id, &wide, bump)?;
        }
        self.merge_finish(x, command, id, wide, input, out, bump)?;
        Ok(Acted::Done)
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
