//! Statements that read and change rows.

use crate::model::{IndexShape, Model, Row, Rows, Shape, key_bytes, random_value};
use crate::serial::Read;
use crate::server::{compare, entries_of, index_oid, table_oid};
use crate::work::{Open, Work};
use base::{Result, RowId};
use batch::{Batch, Column};
use btree::{Direction, Placed, Range};
use memory::{Account, Heap};
use std::rc::Rc;
use std::sync::Arc;
use table::{Basis, Outcome, RowChange};
use txn::Isolation;
use types::Datum;

/// The keys that a table has.
const KEYS: u64 = 5000;
/// A table with more rows than that shrinks.
const ROWS_MAX: usize = 700;

/// Where a statement works.
struct Place<'p> {
    session: usize,
    number: u32,
    shape: &'p Shape,
}

impl Work<'_> {
    /// Reads a table, by a scan, an index, or a row's id.
    pub(crate) fn read(&mut self, session: usize) -> Result<()> {
        let Some((number, shape)) = self.choose(session, Some(session)) else { return Ok(()) };
        let (view, base) = self.look(session)?;
        let Some(open) = &mut self.open[session] else { return Ok(()) };
        let tracked = open.txn.tracked().cloned();
        let view = view.tracked_by(tracked.as_ref());
        let watch = tracked.as_deref().map(|tracked| (tracked, table_oid(number)));
        let reads = &mut open.seen.reads;
        match self.random.below(3) {
            0 => {
                if let Some((tracked, relation)) = watch {
                    tracked.read_relation(relation);
                }
                let expected = open.changes.seen(&base, number);
                let found = self.server.rows(shape.file, &view)?;
                assert!(found == expected, "table {number}: {}", compare(&found, &expected));
                reads.push((number, Read::Table));
            }
            1 => {
                let at = self.random.below(shape.indexes.len() as u64) as usize;
                let Some(index) = shape.indexes.get(at) else { return Ok(()) };
                if view.snapshot().csn() < index.built {
                    return Ok(());
                }
                let mut rows = open.changes.seen(&base, number);
                let (mut range, mut keys) = (Range::all(), i64::MIN..i64::MAX);
                if index.unique && self.random.one_in(2) {
                    let from = self.random.below(KEYS) as i64;
                    let to = from + 1 + self.random.below(200) as i64;
                    range = range.from_key(&key_bytes(from)).before_key(&key_bytes(to));
                    keys = from..to;
                    rows.retain(|_, row| (from..to).contains(&row.key));
                }
                let expected = entries_of(index, &rows);
                let up = self.random.one_in(2);
                let direction = if up { Direction::Forward } else { Direction::Backward };
                let part = (range, direction);
                let found = self.server.entries(shape.file, index, &view, part, watch)?;
                let lost: Vec<_> = expected.difference(&found).take(2).collect();
                let gained: Vec<_> = found.difference(&expected).take(2).collect();
                let file = index.file;
                assert!(found == expected, "index {file}: lost {lost:?}, gained {gained:?}");
                let seen = expected.into_iter().map(|(key, row)| (row, key)).collect();
                reads.push((number, Read::Entries(*index, keys, Arc::new(seen))));
            }
            _ => {
                for _ in 0..8 {
                    let id = RowId(1 + self.random.below(1500));
                    if let Some((tracked, relation)) = watch {
                        tracked.read_row(relation, id);
                    }
                    let expected = open.changes.row(&base, number, id);
                    let found = self.server.row(shape.file, &view, id)?;
                    assert!(found == expected.as_deref().map(copy), "row {id} of table {number}");
                    // Nobody watches rows that are not there.
                    if found.is_some() {
                        reads.push((number, Read::Row(id)));
                    }
                }
            }
        }
        tracked.map_or(Ok(()), |tracked| tracked.check())
    }

    /// Tells a serializable transaction that it has written a row.
    fn wrote_row(&self, at: &Place<'_>, row: Option<RowId>) -> Result<()> {
        let tracked = self.open[at.session].as_ref().and_then(|open| open.txn.tracked());
        tracked.map_or(Ok(()), |tracked| tracked.write_row(table_oid(at.number), row))
    }

    /// Changes some rows of a table, one command after another.
    pub(crate) fn change(&mut self, session: usize) -> Result<()> {
        let Some((number, shape)) = self.choose(session, Some(session)) else {
            return self.define(session);
        };
        let at = Place { session, number, shape: &shape };
        let rows = self.history.latest().rows(number).map_or(0, Rows::len);
        let few = rows < 150;
        let many = rows > ROWS_MAX;
        match self.random.below(10) {
            0 if !many => self.insert_many(&at)?,
            1 => self.change_many(&at, many)?,
            2 if !many => {
                // Row by row, as one command.
                for _ in 0..2 + self.random.below(12) {
                    self.insert(&at)?;
                }
            }
            _ => {
                for _ in 0..1 + self.random.below(if many { 40 } else { 12 }) {
                    match self.random.below(8) {
                        0..2 if !many => self.insert(&at)?,
                        2..4 if few => self.insert(&at)?,
                        2..4 => self.change_one(&at, true)?,
                        4 if many => self.change_one(&at, true)?,
                        _ => self.change_one(&at, false)?,
                    }
                    self.next_command(session)?;
                }
            }
        }
        self.next_command(session)
    }

    fn next_command(&mut self, session: usize) -> Result<()> {
        match &self.open[session] {
            Some(open) => open.txn.next_command().map(drop),
            None => Ok(()),
        }
    }

    /// A key that no row has and that nobody else deals with.
    fn free_key(&mut self, at: &Place<'_>) -> Option<i64> {
        for _ in 0..20 {
            let key = self.random.below(KEYS) as i64;
            let place = (at.number, key);
            let open = self.open[at.session].as_ref()?;
            let others = self.key_owners.get(&place).is_some_and(|owner| *owner != at.session);
            let free = match open.changes.keys.get(&place) {
                Some(there) => !there,
                None => !self.keys.get(&at.number).is_some_and(|keys| keys.contains(&key)),
            };
            if free && !others {
                return Some(key);
            }
        }
        None
    }

    fn note_key(&mut self, at: &Place<'_>, key: i64, there: bool) {
        self.key_owners.insert((at.number, key), at.session);
        if let Some(open) = &mut self.open[at.session] {
            open.changes.keys.insert((at.number, key), there);
        }
    }

    fn note_row(&mut self, at: &Place<'_>, id: RowId, row: Option<Arc<Row>>) {
        if let Some(open) = &mut self.open[at.session] {
            open.changes.rows.entry(at.number).or_default().insert(id, row);
        }
    }

    fn insert(&mut self, at: &Place<'_>) -> Result<()> {
        if self.random.one_in(12) && self.insert_duplicate(at)? {
            return Ok(());
        }
        let Some(key) = self.free_key(at) else { return Ok(()) };
        let row = Row { key, value: random_value(&mut self.random) };
        // Known before it is done: what fails half-way is undone.
        self.note_key(at, key, true);
        let Some(open) = &self.open[at.session] else { return Ok(()) };
        let table = self.server.table(at.shape.file)?;
        let key_bytes = key.to_le_bytes();
        let id = table.insert_row(&open.txn, &[Some(&key_bytes), row.value.as_deref()])?;
        self.wrote_row(at, None)?;
        for index in &at.shape.indexes {
            self.place(at, index, id, &row)?;
        }
        self.note_row(at, id, Some(Arc::new(row)));
        Ok(())
    }

    fn place(&self, at: &Place<'_>, index: &IndexShape, id: RowId, row: &Row) -> Result<()> {
        let Some(open) = &self.open[at.session] else { return Ok(()) };
        let (tree, key) = (self.server.index(index.file)?, index.key_of(row));
        if index.unique {
            let placed = tree.insert_unique(&open.txn, &key, id, &[], "unique")?;
            assert!(placed == Placed::Inserted, "key {} is taken: {placed:?}", row.key);
        } else {
            tree.insert(&open.txn, &key, id, &[])?;
        }
        let tracked = open.txn.tracked();
        tracked.map_or(Ok(()), |tracked| tracked.write_key(index_oid(index.file), &key))
    }

    /// Tries a key that a committed row has: the unique index says no, and the statement goes.
    fn insert_duplicate(&mut self, at: &Place<'_>) -> Result<bool> {
        let Some(unique) = at.shape.indexes.iter().find(|index| index.unique) else {
            return Ok(false);
        };
        let Some(open) = &self.open[at.session] else { return Ok(false) };
        let keys = self.keys.get(&at.number).into_iter().flatten();
        let from = self.random.below(40) as usize;
        let mut free = keys.skip(from).filter(|key| {
            let place = (at.number, **key);
            !self.key_owners.contains_key(&place) && !open.changes.keys.contains_key(&place)
        });
        let Some(key) = free.next().copied() else { return Ok(false) };
        let mark = open.txn.savepoint();
        let table = self.server.table(at.shape.file)?;
        let row = Row { key, value: None };
        let id = table.insert_row(&open.txn, &[Some(&key.to_le_bytes()), None])?;
        let tree = self.server.index(unique.file)?;
        let placed = tree.insert_unique(&open.txn, &unique.key_of(&row), id, &[], "unique")?;
        assert!(matches!(placed, Placed::Conflict { .. }), "key {key} is there twice");
        open.txn.rollback_to(mark)?;
        open.txn.release_savepoint(mark);
        Ok(true)
    }

    /// Inserts a batch of rows.
    fn insert_many(&mut self, at: &Place<'_>) -> Result<()> {
        let mut rows = Vec::new();
        for _ in 0..self.random.below(150) {
            let Some(key) = self.free_key(at) else { continue };
            self.note_key(at, key, true);
            rows.push(Arc::new(Row { key, value: random_value(&mut self.random) }));
        }
        let Some(open) = &self.open[at.session] else { return Ok(()) };
        let table = self.server.table(at.shape.file)?;
        let heap = Heap::new("simulation", Account::unlimited());
        let mut keys = Column::new(table.columns()[0].layout, &heap);
        let mut values = Column::new(table.columns()[1].layout, &heap);
        for row in &rows {
            keys.push(&Datum::Int8(row.key))?;
            match &row.value {
                Some(bytes) => values.push_stored(bytes)?,
                None => values.push_null()?,
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let batch = Batch::new(vec![Rc::new(keys), Rc::new(values)], rows.len());
        let first = table.insert(&open.txn, &batch)?;
        self.wrote_row(at, None)?;
        for (offset, row) in rows.into_iter().enumerate() {
            let id = RowId(first.0 + offset as u64);
            for index in &at.shape.indexes {
                self.place(at, index, id, &row)?;
            }
            self.note_row(at, id, Some(row));
        }
        Ok(())
    }

    /// A row that the statement sees.
    fn pick(&mut self, at: &Place<'_>, base: &Model) -> Option<(RowId, Arc<Row>)> {
        let open = self.open[at.session].as_ref()?;
        let last = base.rows(at.number).and_then(|rows| rows.keys().next_back());
        let own = open.changes.rows.get(&at.number).and_then(|rows| rows.keys().next_back());
        let end = last.max(own).map_or(1, |row| row.0 + 1);
        let from = RowId(self.random.below(end));
        open.changes.next(base, at.number, from)
    }

    /// What must become of the change of a row.
    fn verdict(&self, at: &Place<'_>, base: &Model, id: RowId) -> Verdict {
        let changes = |open: &Open| {
            open.changes.rows.get(&at.number).is_some_and(|rows| rows.contains_key(&id))
        };
        let changing = |open: &Option<Open>| open.as_ref().is_some_and(changes);
        match self.open.iter().position(changing) {
            Some(owner) if owner != at.session => return Verdict::Wait,
            Some(_) => return Verdict::Done,
            None if self.prepared_has(at.number, id) => return Verdict::Wait,
            None => {}
        }
        let seen = base.rows(at.number).and_then(|rows| rows.get(&id));
        let latest = self.history.latest().rows(at.number).and_then(|rows| rows.get(&id));
        match (seen, latest) {
            (Some(seen), Some(latest)) if Arc::ptr_eq(seen, latest) => Verdict::Done,
            (Some(_), None) => Verdict::Gone,
            _ => Verdict::Changed,
        }
    }

    /// Updates or deletes a row.
    fn change_one(&mut self, at: &Place<'_>, delete: bool) -> Result<()> {
        let (view, base) = self.look(at.session)?;
        let Some((id, old)) = self.pick(at, &base) else { return Ok(()) };
        let verdict = self.verdict(at, &base, id);
        let new = if delete { None } else { self.changed(at, &old) };
        if !delete && new.is_none() {
            return Ok(());
        }
        if verdict == Verdict::Done {
            self.note_keys_of(at, &old, new.as_deref());
        }
        let Some(open) = &self.open[at.session] else { return Ok(()) };
        let table = self.server.table(at.shape.file)?;
        let outcome = match &new {
            None => table.delete(&open.txn, Basis::Seen(&view), id)?,
            Some(new) => {
                let key = new.key.to_le_bytes();
                let columns = [(0, Some(&key[..])), (1, new.value.as_deref())];
                let changed = new.key != old.key;
                table.update(&open.txn, Basis::Seen(&view), id, &columns, changed)?
            }
        };
        self.judge(at, verdict, outcome)?;
        if verdict == Verdict::Done {
            self.wrote_row(at, Some(id))?;
            self.reindex(at, id, &old, new.as_deref())?;
            self.note_row(at, id, new);
        }
        Ok(())
    }

    /// Updates or deletes neighbouring rows by one call.
    fn change_many(&mut self, at: &Place<'_>, delete: bool) -> Result<()> {
        let (view, base) = self.look(at.session)?;
        let Some((first, _)) = self.pick(at, &base) else { return Ok(()) };
        let mut rows: Vec<(RowId, Arc<Row>, Option<Arc<Row>>)> = Vec::new();
        let (mut from, most) = (first, self.random.below(80));
        while (rows.len() as u64) < most {
            let Some(open) = &self.open[at.session] else { break };
            let Some((id, old)) = open.changes.next(&base, at.number, from) else { break };
            from = RowId(id.0 + 1);
            if self.verdict(at, &base, id) != Verdict::Done {
                continue;
            }
            let value = random_value(&mut self.random);
            let new = (!delete).then(|| Arc::new(Row { key: old.key, value }));
            if delete {
                self.note_keys_of(at, &old, None);
            }
            rows.push((id, old, new));
        }
        let Some(open) = &self.open[at.session] else { return Ok(()) };
        let columns: Vec<[(usize, Option<&[u8]>); 1]> = rows
            .iter()
            .map(|(_, _, new)| [(1, new.as_ref().and_then(|new| new.value.as_deref()))])
            .collect();
        let changes: Vec<(RowId, RowChange<'_>)> = rows
            .iter()
            .zip(&columns)
            .map(|((id, _, _), columns)| match delete {
                true => (*id, RowChange::Delete),
                false => (*id, RowChange::Update { columns, key_changed: false }),
            })
            .collect();
        let table = self.server.table(at.shape.file)?;
        let outcomes = table.change_rows(&open.txn, &view, &changes)?;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Done), "{outcomes:?}");
        assert_eq!(outcomes.len(), rows.len());
        for (id, old, new) in rows {
            self.wrote_row(at, Some(id))?;
            self.reindex(at, id, &old, new.as_deref())?;
            self.note_row(at, id, new);
        }
        Ok(())
    }

    fn changed(&mut self, at: &Place<'_>, old: &Row) -> Option<Arc<Row>> {
        let key = if self.random.one_in(3) { self.free_key(at)? } else { old.key };
        let value = match self.random.one_in(4) {
            true => old.value.clone(),
            false => random_value(&mut self.random),
        };
        Some(Arc::new(Row { key, value }))
    }

    fn note_keys_of(&mut self, at: &Place<'_>, old: &Row, new: Option<&Row>) {
        if new.is_none_or(|new| new.key != old.key) {
            self.note_key(at, old.key, false);
        }
        if let Some(new) = new {
            self.note_key(at, new.key, true);
        }
    }

    fn judge(&self, at: &Place<'_>, verdict: Verdict, outcome: Outcome) -> Result<()> {
        let right = match verdict {
            Verdict::Done => outcome == Outcome::Done,
            Verdict::Wait => matches!(outcome, Outcome::BeingModified(_)),
            Verdict::Changed => outcome == Outcome::Updated,
            Verdict::Gone => outcome == Outcome::Deleted,
        };
        assert!(right, "a change in table {}: {outcome:?}, not {verdict:?}", at.number);
        let Some(open) = &self.open[at.session] else { return Ok(()) };
        match verdict {
            Verdict::Done | Verdict::Wait => Ok(()),
            _ => {
                assert!(open.txn.isolation() != Isolation::ReadCommitted);
                Err(txn::concurrent_update())
            }
        }
    }

    /// Marks the entries dead that the old version alone has, and makes those of the new one.
    fn reindex(&mut self, at: &Place<'_>, id: RowId, old: &Row, new: Option<&Row>) -> Result<()> {
        for index in &at.shape.indexes {
            let key = index.key_of(old);
            if new.is_some_and(|new| index.key_of(new) == key) {
                continue;
            }
            let Some(open) = &self.open[at.session] else { return Ok(()) };
            let marked = self.server.index(index.file)?.mark_dead(&open.txn, &key, id)?;
            assert!(marked, "no entry to mark dead");
            self.dead.push((index.file, key, id));
            if let Some(new) = new {
                self.place(at, index, id, new)?;
            }
        }
        Ok(())
    }
}

/// What must become of the change of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Done,
    /// Another transaction has changed it and runs.
    Wait,
    /// Another transaction has changed it since the snapshot.
    Changed,
    /// Another transaction has deleted it since the snapshot.
    Gone,
}

fn copy(row: &Row) -> Row {
    Row { key: row.key, value: row.value.clone() }
}
