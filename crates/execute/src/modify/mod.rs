//! INSERT, UPDATE and DELETE.
//!
//! Rows are changed in the order of the input; for each the table first, then its indexes. An INSERT
//! without ON CONFLICT writes the table by batches unless its RETURNING is volatile, and so do most
//! UPDATEs and DELETEs (`change`).
//!
//! # Rules
//! 1. What is checked before a row is written: generated columns are computed, then NOT NULL, then
//!    CHECK by name; unique keys are checked as their index entries are made.
//! 2. ON CONFLICT makes the arbiter's entry first, under a row id that is reserved (storage rule
//!    19).
//! 3. An UPDATE or DELETE that meets a newer version waits, looks at its conditions again and goes
//!    on with that version (engine rule 19).

mod change;
mod checks;
mod conflict;
mod feed;
mod indexes;
mod merge;

pub use feed::{Feed, insert_feed};

use crate::operator::{Child, Operator};
use crate::recheck::{Newest, recheck, scan_of};
use crate::state::Execution;
use crate::storage::RowChange;
use analyze::tree::Command;
use base::{Error, Result, RowId, Xid};
use batch::{Batch, Column};
use catalog::relation::Relation;
use expr::{Inputs, Program, Runner};
use indexes::IndexState;
use memory::{Bump, Heap};
use plan::{Modify, Node};
use std::rc::Rc;
use std::sync::Arc;
use table::{During, Latest, Outcome, RowBuffer, Table};
use txn::{RowLockMode, Tracked, Transaction};
use types::Datum;

const CHUNK: usize = 256;

/// A change of a table.
pub(crate) struct ModifyTable<'q> {
    node: &'q Node<'q>,
    modify: &'q Modify<'q>,
    input: Child<'q>,
    relation: Arc<Relation>,
    table: Table,
    indexes: Vec<IndexState<'q>>,
    runner: Runner,
    buffer: RowBuffer,
    done: bool,
    heap: Heap,
    /// Who is to know what is written.
    tracked: Option<Arc<Tracked>>,
}

/// The values that programs over a changed row read: the old row, the new row, the input.
pub(crate) type Wide<'m> = Vec<Datum<'m>>;

/// What has become of a row that was changed since the statement began.
enum Meanwhile {
    /// Its newest version was written by this transaction.
    Found(Xid),
    /// Somebody was changing it.
    Waited,
    /// There is none.
    Gone,
}

impl<'q> ModifyTable<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        modify: &'q Modify<'q>,
    ) -> Result<ModifyTable<'q>> {
        let relation = x.descriptions.relations[usize::from(modify.relation)].clone();
        let indexes = modify.indexes.iter().map(|write| IndexState::new(x, write));
        Ok(ModifyTable {
            node,
            modify,
            input: crate::build::build(x, modify.input)?,
            table: x.storage.table(&relation)?,
            indexes: indexes.collect::<Result<_>>()?,
            tracked: x.tracked(&relation),
            relation,
            runner: Runner::new(),
            buffer: RowBuffer::new(),
            done: false,
            heap: x.heap("ModifyTable"),
        })
    }

    fn attributes(&self) -> usize {
        usize::from(self.modify.attributes)
    }

    /// Counts changed rows for the command tag: those of the statement itself, not of its WITH.
    fn count(&self, x: &Execution<'q>, rows: u64) {
        if x.counted == Some(self.node.id) {
            x.changed.set(x.changed.get() + rows);
        }
    }

    /// Evaluates a program over one row.
    fn eval<'m>(
        &mut self,
        x: &'m Execution<'q>,
        program: &Program<'q>,
        wide: &[Datum<'m>],
        bump: &'m Bump,
    ) -> Result<&'m [Datum<'m>]>
    where
        'q: 'm,
    {
        let cx = x.value(bump, program)?;
        // Programs share this runner one after the other: caches do not outlive a program.
        self.runner = Runner::new();
        Ok(program.eval_row(&mut self.runner, &cx, Inputs::Row(wide))?)
    }

    /// Computes generated columns of the new half and checks it.
    fn complete<'m>(
        &mut self,
        x: &'m Execution<'q>,
        wide: &mut Wide<'m>,
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        let modify = self.modify;
        if let Some(program) = &modify.generated_values {
            let values = self.eval(x, program, wide, bump)?;
            for assignment in modify.generated {
                let at = self.attributes() + assignment.attribute as usize - 1;
                wide[at] = values[usize::from(assignment.column)];
            }
        }
        self.check(x, wide, bump)
    }

    /// The wide row of an INSERT for a row of the input.
    fn insert_wide<'m>(&self, input: &'m Batch, row: usize) -> Wide<'m> {
        let attributes = self.attributes();
        let mut wide = vec![Datum::Null; attributes * 2];
        for assignment in self.modify.assignments {
            let value = input.column(usize::from(assignment.column)).get(row);
            wide[attributes + assignment.attribute as usize - 1] = value;
        }
        wide
    }

    fn insert(&mut self, x: &Execution<'q>, input: &Batch, out: &mut Output) -> Result<()> {
        let modify = self.modify;
        let volatile = modify.returning.is_some_and(|program| program.volatile);
        let bump = x.bump();
        if input.len() > 1 && modify.conflict.is_none() && !volatile {
            return self.insert_batch(x, input, out, &bump);
        }
        for row in input.rows() {
            let mut wide = self.insert_wide(input, row);
            self.complete(x, &mut wide, &bump)?;
            let (id, replaced) = match modify.conflict {
                Some(conflict) => match self.insert_or_conflict(x, conflict, &mut wide, &bump)? {
                    Some(done) => done,
                    None => continue,
                },
                None => {
                    let id = self.table.tree().lease_rows(1)?;
                    self.insert_row(x, id, &wide)?;
                    self.insert_entries(x, id, &wide, &bump, None)?;
                    (id, false)
                }
            };
            self.finish_row(x, out, wide, id, replaced, &bump)?;
        }
        Ok(())
    }

    /// Writes rows to the table together; then for each in order its index entries, its events and its
    /// RETURNING row.
    fn insert_batch(
        &mut self,
        x: &Execution<'q>,
        input: &Batch,
        out: &mut Output,
        bump: &Bump,
    ) -> Result<()> {
        let attributes = self.attributes();
        let mut columns: Vec<Column> = self
            .table
            .columns()
            .iter()
            .map(|column| Column::new(column.layout, &self.heap))
            .collect();
        let mut rows: Vec<Wide<'_>> = Vec::with_capacity(input.len());
        let mut failed = None;
        for row in input.rows() {
            let mut wide = self.insert_wide(input, row);
            if let Err(error) = self.complete(x, &mut wide, bump) {
                // The rows before may fail first, by a unique key.
                failed = Some(error);
                break;
            }
            for (column, value) in columns.iter_mut().zip(&wide[attributes..]) {
                column.push(value)?;
            }
            rows.push(wide);
        }
        if !rows.is_empty() {
            let count = rows.len();
            let batch = Batch::new(columns.into_iter().map(Rc::new).collect(), count);
            let first = self.table.insert(x.storage.transaction(), &batch)?;
            self.wrote_row(None)?;
            for (i, wide) in rows.into_iter().enumerate() {
                let id = RowId(first.0 + i as u64);
                self.insert_entries(x, id, &wide, bump, None)?;
                self.finish_row(x, out, wide, id, false, bump)?;
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Writes the new half under a row id that is leased.
    fn insert_row(&self, x: &Execution<'q>, id: RowId, wide: &[Datum<'_>]) -> Result<()> {
        let mut bytes = Vec::new();
        let mut spans = Vec::with_capacity(self.attributes());
        for (column, value) in self.table.columns().iter().zip(&wide[self.attributes()..]) {
            let start = bytes.len();
            if value.is_null() {
                spans.push(None);
            } else {
                column.layout.encode(value, &mut bytes)?;
                spans.push(Some(start..bytes.len()));
            }
        }
        let values: Vec<Option<&[u8]>> =
            spans.into_iter().map(|span| span.map(|span| &bytes[span])).collect();
        self.table.insert_row_leased(x.storage.transaction(), id, &values)?;
        self.wrote_row(None)
    }

    /// What errors of a wait for a row say.
    fn during(&self, doing: &'static str) -> During<'_> {
        During { doing, relation: &self.relation.name }
    }

    /// Reads the newest version of a row that was changed since the statement began into `buffer`. If
    /// somebody is changing it, waits for him instead.
    fn meanwhile(&mut self, txn: &Transaction, row: RowId, mode: RowLockMode) -> Result<Meanwhile> {
        let all: Vec<usize> = (0..self.attributes()).collect();
        match self.table.fetch_latest(txn, row, &all, &mut self.buffer)? {
            Latest::Found(stamp) => Ok(Meanwhile::Found(stamp)),
            Latest::BeingModified(xid) => {
                let outcome = Outcome::BeingModified(xid);
                self.table.wait(txn, row, mode, outcome, Some(self.during("locking")))?;
                Ok(Meanwhile::Waited)
            }
            Latest::Deleted | Latest::Missing => Ok(Meanwhile::Gone),
        }
    }

    /// Tells a serializable transaction what it has written.
    fn wrote_row(&self, row: Option<RowId>) -> Result<()> {
        match &self.tracked {
            Some(tracked) => tracked.write_row(self.relation.oid, row),
            None => Ok(()),
        }
    }

    /// The wide row of an UPDATE or DELETE for a row of the input, and the row's id.
    fn change_wide<'m>(&self, input: &[Datum<'m>]) -> Result<(Wide<'m>, RowId)> {
        let attributes = self.attributes();
        let at = usize::from(self.modify.row_id.unwrap_or(u16::MAX));
        let Some(Datum::Int8(id)) = input.get(at) else {
            return Err(Error::internal("a row to change without an id"));
        };
        let mut wide = vec![Datum::Null; attributes * 2];
        for (attribute, column) in self.modify.old {
            wide[*attribute as usize - 1] = input[usize::from(*column)];
        }
        if self.modify.command == Command::Update {
            let (old, new) = wide.split_at_mut(attributes);
            new.copy_from_slice(old);
            for assignment in self.modify.assignments {
                new[assignment.attribute as usize - 1] = input[usize::from(assignment.column)];
            }
        }
        wide.extend_from_slice(input);
        Ok((wide, RowId(id.cast_unsigned())))
    }

    /// The row of the input for the newest version of a row, which `buffer` holds; none if it meets
    /// the conditions no more.
    fn again<'m>(
        &self,
        x: &'m Execution<'q>,
        row: RowId,
        input: &[Datum<'m>],
        bump: &'m Bump,
    ) -> Result<Option<Vec<Datum<'m>>>>
    where
        'q: 'm,
    {
        recheck(x, self.modify.input, input, &[self.newest(row)], bump)
    }

    /// The newest version of a row, which `buffer` holds.
    fn newest(&self, row: RowId) -> Newest<'_> {
        let scan = self.modify.row_id.and_then(|column| scan_of(self.modify.input, column));
        Newest {
            scan: scan.unwrap_or(u32::MAX),
            relation: self.modify.relation,
            row,
            table: &self.table,
            values: &self.buffer,
        }
    }

    fn note(
        &self,
        x: &Execution<'q>,
        row: RowId,
        wide: &[Datum<'_>],
        new: bool,
        old: bool,
    ) -> Result<()> {
        if self.modify.foreign_keys.is_empty() && !self.modify.referenced {
            return Ok(());
        }
        let attributes = self.attributes();
        let change = RowChange {
            old: old.then_some(&wide[..attributes]),
            new: new.then_some(&wide[attributes..attributes * 2]),
            row,
        };
        x.storage.note_change(&self.relation, change)
    }

    /// Counts a changed row, tells who has to know, and makes its RETURNING row.
    fn finish_row<'m>(
        &mut self,
        x: &'m Execution<'q>,
        out: &mut Output,
        mut wide: Wide<'m>,
        id: RowId,
        had_old: bool,
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        let deleted = self.modify.command == Command::Delete;
        self.note(x, id, &wide, !deleted, had_old)?;
        self.count(x, 1);
        if let Some(at) = self.modify.system {
            self.add_system_columns(x, &mut wide, usize::from(at), id, had_old)?;
        }
        if let Some(program) = self.modify.returning {
            let values = self.eval(x, &program, &wide, bump)?;
            out.push(values)?;
        }
        Ok(())
    }

    /// Appends the system columns of a new row, in the order of [`SystemColumn`], to the wide row's
    /// first `at` values. A row that was there before has been locked by this transaction.
    fn add_system_columns(
        &self,
        x: &Execution<'q>,
        wide: &mut Wide<'_>,
        at: usize,
        id: RowId,
        had_old: bool,
    ) -> Result<()> {
        let xid = x.host.server()?.transaction_id(true)?.unwrap_or_default().cast_signed();
        let locker = if had_old && self.modify.command == Command::Insert { xid } else { 0 };
        wide.resize(at, Datum::Null);
        wide.extend([
            Datum::Int8(id.0.cast_signed()),
            Datum::Int8(xid),
            Datum::Oid(0),
            Datum::Int8(locker),
            Datum::Oid(0),
            Datum::Oid(self.relation.oid.0),
        ]);
        Ok(())
    }
}

/// The rows of RETURNING.
pub(crate) struct Output {
    columns: Vec<Column>,
    rows: usize,
}

impl Output {
    fn push(&mut self, values: &[Datum<'_>]) -> Result<()> {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value)?;
        }
        self.rows += 1;
        Ok(())
    }
}

impl<'q> Operator<'q> for ModifyTable<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        while !self.done {
            x.check()?;
            let returning = self.modify.returning.is_some();
            let wanted = if returning { demand.min(CHUNK) } else { CHUNK };
            let Some(input) = self.input.next(x, wanted)? else {
                self.done = true;
                break;
            };
            let mut out = Output {
                columns: self
                    .node
                    .columns
                    .iter()
                    .map(|column| Column::new(column.layout, &self.heap))
                    .collect(),
                rows: 0,
            };
            match self.modify.command {
                Command::Insert => self.insert(x, &input, &mut out)?,
                Command::Update | Command::Delete => self.change(x, &input, &mut out)?,
                Command::Merge => self.merge(x, &input, &mut out)?,
                Command::Select => return Err(Error::internal("a change that changes nothing")),
            }
            if returning && out.rows > 0 {
                let columns = out.columns.into_iter().map(Rc::new).collect();
                return Ok(Some(Batch::new(columns, out.rows)));
            }
        }
        Ok(None)
    }

    fn rescan(&mut self, _: &Execution<'q>) -> Result<()> {
        Err(Error::internal("a change that is run twice"))
    }
}
