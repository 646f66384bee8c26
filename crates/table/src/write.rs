//! Inserting, updating, deleting.

use crate::judge::{Basis, Outcome, Seat};
use crate::leaf::{
    Cell, ColumnValues, Demand, Leaf, MARK_INSERTED, NO_HIGH_KEY, ROW_ID_SPAN_MAX, encode_run,
    fits, put_varint,
};
use crate::record::{
    KEY_CHANGED, MANAGER, act, begin_row, begin_set_shared, begin_undo_set, encode_undo_insert, op,
    put_column,
};
use crate::room::{Account, Want, ids_fit};
use crate::tree::{Place, place_of};
use crate::values::{Staged, Stored, width_of};
use crate::{ColumnLayout, Table};
use base::{ColumnId, Result, RowId, Xid};
use batch::Batch;
use std::sync::atomic::Ordering;
use txn::{ChangedRows, Mark, RowBefore, Transaction, VersionKind, VersionRows, View};
use wal::Purpose;

/// The rows of one record.
const GROUP_ROWS_MAX: usize = 512;

/// A change of one row.
#[derive(Clone, Copy, Debug)]
pub enum RowChange<'a> {
    /// Columns get other values.
    Update {
        /// Places of columns in the description, and their new stored bytes; none: NULL.
        columns: &'a [(usize, Option<&'a [u8]>)],
        /// Whether any of them belongs to a key that a foreign key may refer to.
        key_changed: bool,
    },
    /// The row goes.
    Delete,
}

/// A change with its values in stored form.
struct Prepared<'a> {
    row: RowId,
    key_changed: bool,
    delete: bool,
    cells: Vec<(ColumnId, usize, Cell<'a>)>,
    bytes: usize,
}

impl Prepared<'_> {
    fn same_record(&self, other: &Prepared<'_>) -> bool {
        self.delete == other.delete && self.key_changed == other.key_changed
    }
}

/// What a group of changes turned into, under the latch.
#[derive(Default)]
struct Group {
    body: Vec<u8>,
    delta: Vec<u8>,
    rows: Vec<RowBefore>,
    replaced: Vec<crate::leaf::LongRef>,
}

impl Table {
    /// The demand of the table's columns without any change.
    pub(crate) fn demand(&self) -> Demand<'_> {
        demand_of(self.columns())
    }

    /// Inserts the rows of a batch, whose columns are those of the table, under row ids that follow
    /// each other; returns the first. May wait.
    ///
    /// # Errors
    /// 54000 when a row does not fit a page; 53100 when the disk is full.
    pub fn insert(&self, txn: &Transaction, rows: &Batch) -> Result<RowId> {
        let first = self.tree.lease_rows(rows.len() as u64)?;
        self.insert_leased(txn, first, rows)?;
        Ok(first)
    }

    /// Inserts the rows of a batch under row ids from `first` on that [`crate::Tree::lease_rows`]
    /// gave out, or that no row ever had. May wait.
    ///
    /// # Errors
    /// As [`Table::insert`].
    pub fn insert_leased(&self, txn: &Transaction, first: RowId, rows: &Batch) -> Result<()> {
        txn.xid_or_draw()?;
        self.insert_batch(Some(txn), first, rows)
    }

    /// Puts in rows that everybody sees, outside of any transaction and not undoable: bootstrap.
    /// May wait.
    ///
    /// # Errors
    /// As [`Table::insert`].
    pub fn load(&self, rows: &Batch) -> Result<RowId> {
        let first = self.tree.lease_rows(rows.len() as u64)?;
        self.insert_batch(None, first, rows)?;
        Ok(first)
    }

    fn insert_batch(&self, txn: Option<&Transaction>, first: RowId, rows: &Batch) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.tree.skip_rows(RowId(first.0 + rows.len() as u64 - 1))?;
        let staged = Staged::new(&self.tree, txn, self.columns(), rows)?;
        let cells = staged.cells(self.columns(), rows);
        let values = staged.values(self.columns(), &cells);
        let mut done = 0;
        while done < staged.rows() {
            let row = RowId(first.0 + done as u64);
            done += self.insert_some(txn, row, &values, done, staged.rows())?;
            base::interrupt::check_for_interrupts()?;
        }
        Ok(())
    }

    /// Inserts one row by its stored bytes, one value a column. May wait.
    ///
    /// # Errors
    /// As [`Table::insert`].
    pub fn insert_row(&self, txn: &Transaction, values: &[Option<&[u8]>]) -> Result<RowId> {
        let row = self.tree.lease_rows(1)?;
        self.insert_row_leased(txn, row, values)?;
        Ok(row)
    }

    /// Inserts one row under a row id that [`crate::Tree::lease_rows`] gave out. May wait.
    ///
    /// # Errors
    /// As [`Table::insert`].
    pub fn insert_row_leased(
        &self,
        txn: &Transaction,
        row: RowId,
        values: &[Option<&[u8]>],
    ) -> Result<()> {
        txn.xid_or_draw()?;
        let columns = self.columns();
        if values.len() != columns.len() {
            return Err(base::Error::internal("a row with another number of columns"));
        }
        self.tree.skip_rows(row)?;
        let variable: Vec<Option<&[u8]>> = columns
            .iter()
            .zip(values)
            .map(|(column, value)| value.filter(|_| width_of(column).is_variable()))
            .collect();
        let stored = self.tree.shrink_row(Some(txn), &variable, self.tree.page_bytes() / 4)?;
        let mut cells: Vec<[Cell<'_>; 1]> = values.iter().map(|value| [Cell::of(*value)]).collect();
        for (index, form) in &stored {
            cells[*index] = [form.cell()];
        }
        let values: Vec<ColumnValues<'_>> = columns
            .iter()
            .zip(&cells)
            .map(|(column, cell)| ColumnValues {
                id: column.id,
                width: width_of(column),
                values: crate::leaf::Values::Cells(cell),
            })
            .collect();
        while self.insert_some(Some(txn), row, &values, 0, 1)? == 0 {}
        Ok(())
    }

    /// Inserts as many of the rows `from..to` as the leaf of the first can take; perhaps none.
    fn insert_some(
        &self,
        txn: Option<&Transaction>,
        row: RowId,
        values: &[ColumnValues<'_>],
        from: usize,
        to: usize,
    ) -> Result<usize> {
        let tree = &*self.tree;
        let size = tree.page_bytes();
        let mut pin = match tree.hinted_leaf(row)? {
            Some(pin) => pin,
            None => tree.descend(row)?,
        };
        let operation = if txn.is_some() { op::INSERT } else { op::LOAD };
        let wanted;
        loop {
            let page;
            let payload = size + 16 * values.len() + 256;
            let mut change = tree.pool().change(MANAGER, operation, &[size], payload)?;
            page = pin.write();
            match place_of(&page, row)? {
                Place::Here => {}
                Place::Right(next) => {
                    drop(change);
                    drop(page);
                    pin = tree.pin(next)?;
                    continue;
                }
                Place::Lost => return Ok(0),
            }
            let leaf = Leaf::open(&page)?;
            let Err(slot) = leaf.find(row) else {
                return Err(tree.damaged(format!("has row {row} already")));
            };
            let below = match slot < leaf.rows() {
                true => leaf.row_id(slot).0,
                false => leaf.high(),
            };
            let most = usize::try_from(below - row.0).unwrap_or(usize::MAX).min(to - from);
            let count = self.insertable(&leaf, row, values, from, from + most)?;
            if count == 0 {
                wanted = Wanted::of(&leaf, most);
                break;
            }
            let mut delta = vec![act::INSERT];
            let stamp = txn.map_or(Xid::FROZEN, Transaction::xid);
            let end = from + count;
            encode_run(&mut delta, row, stamp, MARK_INSERTED, values, from, end)?;
            change.block(&page, &delta);
            let Some(txn) = txn else {
                change.commit()?;
                return Ok(count);
            };
            let mut body = Vec::new();
            encode_undo_insert(&mut body, tree.file(), row, count as u64);
            let rows = VersionRows::Run(row, count as u64);
            let version = txn.version(MANAGER, VersionKind::Inserts, false, rows, &body)?;
            change.transaction(stamp, txn.last_undo());
            change.undo_body(&body);
            let lsn = change.commit()?;
            txn.push(Some((tree.file(), pin.page())), version, lsn);
            if Leaf::open(&page)?.high() == NO_HIGH_KEY {
                tree.note_last_leaf(pin.page());
            }
            tree.row_count.fetch_add(count as u64, Ordering::Relaxed);
            return Ok(count);
        }
        drop(pin);
        self.make_insert_room(row, values, from, wanted)?;
        Ok(0)
    }

    /// How many of the rows `from..to` the leaf can take as it is.
    fn insertable(
        &self,
        leaf: &Leaf<'_>,
        row: RowId,
        values: &[ColumnValues<'_>],
        from: usize,
        to: usize,
    ) -> Result<usize> {
        if !ids_fit(leaf, row, 1) {
            return Ok(0);
        }
        let span = (ROW_ID_SPAN_MAX + 1 - (row.0 - leaf.base())) as usize;
        let most = (to - from).min(leaf.capacity() - leaf.rows()).min(span);
        let (mut count, mut heap) = (0, 0);
        while count < most {
            heap += values.iter().map(|column| column.heap_bytes(from + count)).sum::<usize>();
            if heap > leaf.gap() {
                break;
            }
            count += 1;
        }
        // NULLs, or values, for which a mini-page has no place: perhaps only among the later rows.
        while count > 0 {
            let mut demand = self.demand();
            demand.add_rows(values, from, from + count);
            if fits(leaf, &demand)? {
                break;
            }
            count /= 2;
        }
        Ok(count)
    }

    fn make_insert_room(
        &self,
        row: RowId,
        values: &[ColumnValues<'_>],
        from: usize,
        wanted: Wanted,
    ) -> Result<()> {
        let mut count = wanted.most;
        loop {
            let mut demand = self.demand();
            demand.add_rows(values, from, from + count);
            let want = Want { row, demand: &demand, purpose: Purpose::Write };
            match self.tree.make_room(want) {
                // So many do not fit a page of their own: fewer may.
                Err(error)
                    if count > wanted.least
                        && error.sqlstate() == base::SqlState::PROGRAM_LIMIT_EXCEEDED =>
                {
                    count = (count / 2).max(wanted.least);
                }
                other => return other,
            }
        }
    }

    /// Changes columns of a row. May wait for I/O, never for others.
    ///
    /// # Errors
    /// 54000 when the row does not fit a page; 53100 when the disk is full.
    pub fn update(
        &self,
        txn: &Transaction,
        basis: Basis<'_>,
        row: RowId,
        columns: &[(usize, Option<&[u8]>)],
        key_changed: bool,
    ) -> Result<Outcome> {
        self.change_row(txn, basis, row, RowChange::Update { columns, key_changed })
    }

    /// Marks a row deleted. May wait for I/O, never for others.
    ///
    /// # Errors
    /// 53100 when the disk is full.
    pub fn delete(&self, txn: &Transaction, basis: Basis<'_>, row: RowId) -> Result<Outcome> {
        self.change_row(txn, basis, row, RowChange::Delete)
    }

    fn change_row(
        &self,
        txn: &Transaction,
        basis: Basis<'_>,
        row: RowId,
        change: RowChange<'_>,
    ) -> Result<Outcome> {
        let mut outcomes = Vec::with_capacity(1);
        self.change_with(txn, basis, &[(row, change)], &mut outcomes)?;
        outcomes.pop().ok_or_else(|| base::Error::internal("a change without an outcome"))
    }

    /// Changes rows, those of one leaf by one record. Goes on until all are done or another
    /// transaction is in the way of one or has changed it: the outcomes are those of a prefix of
    /// `changes`, and only the last may tell of others. Rows ascending by id are cheapest. May wait
    /// for I/O, never for others.
    ///
    /// # Errors
    /// As [`Table::update`].
    pub fn change_rows(
        &self,
        txn: &Transaction,
        view: &View,
        changes: &[(RowId, RowChange<'_>)],
    ) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(changes.len());
        self.change_with(txn, Basis::Seen(view), changes, &mut outcomes)?;
        Ok(outcomes)
    }

    fn change_with(
        &self,
        txn: &Transaction,
        basis: Basis<'_>,
        changes: &[(RowId, RowChange<'_>)],
        outcomes: &mut Vec<Outcome>,
    ) -> Result<()> {
        txn.xid_or_draw()?;
        let mut stored: Vec<Vec<(usize, Stored)>> = Vec::with_capacity(changes.len());
        for (_, change) in changes {
            stored.push(self.store_changed(txn, change)?);
        }
        let prepared: Vec<Prepared<'_>> = changes
            .iter()
            .zip(&stored)
            .map(|((row, change), stored)| self.prepare(*row, change, stored))
            .collect();
        while outcomes.len() < prepared.len() && !outcomes.last().is_some_and(Outcome::is_undecided)
        {
            self.change_group(txn, basis, &prepared[outcomes.len()..], outcomes)?;
            base::interrupt::check_for_interrupts()?;
        }
        drop(prepared);
        for (index, stored) in stored.iter().enumerate() {
            if outcomes.get(index) != Some(&Outcome::Done) {
                self.tree.free_unused(stored)?;
            }
        }
        Ok(())
    }

    fn store_changed(
        &self,
        txn: &Transaction,
        change: &RowChange<'_>,
    ) -> Result<Vec<(usize, Stored)>> {
        let RowChange::Update { columns, .. } = change else { return Ok(Vec::new()) };
        let max = self.tree.inline_max();
        let long = |value: &Option<&[u8]>| value.is_some_and(|value| value.len() > max);
        if !columns.iter().any(|(_, value)| long(value)) {
            return Ok(Vec::new());
        }
        let values: Vec<Option<&[u8]>> = columns
            .iter()
            .map(|(index, value)| {
                let variable = width_of(&self.columns()[*index]).is_variable();
                value.filter(|_| variable)
            })
            .collect();
        self.tree.shrink_row(Some(txn), &values, self.tree.page_bytes() / 4)
    }

    fn prepare<'a>(
        &self,
        row: RowId,
        change: &RowChange<'a>,
        stored: &'a [(usize, Stored)],
    ) -> Prepared<'a> {
        let RowChange::Update { columns, key_changed } = change else {
            return Prepared { row, key_changed: true, delete: true, cells: vec![], bytes: 0 };
        };
        let mut cells: Vec<(ColumnId, usize, Cell<'a>)> = columns
            .iter()
            .map(|(index, value)| (self.columns()[*index].id, *index, Cell::of(*value)))
            .collect();
        for (place, form) in stored {
            cells[*place].2 = form.cell();
        }
        let bytes = cells
            .iter()
            .map(|(_, _, cell)| match cell {
                Cell::Bytes(bytes) | Cell::Packed(bytes) => bytes.len() + 16,
                Cell::Null | Cell::Long(_) => 32,
            })
            .sum();
        Prepared { row, key_changed: *key_changed, delete: false, cells, bytes }
    }

    /// Changes the rows at the front of `items` that are on one leaf, as far as they go into one
    /// record, or makes room for the first.
    fn change_group(
        &self,
        txn: &Transaction,
        basis: Basis<'_>,
        items: &[Prepared<'_>],
        outcomes: &mut Vec<Outcome>,
    ) -> Result<()> {
        let tree = &*self.tree;
        let (size, first) = (tree.page_bytes(), &items[0]);
        let mut pin = tree.descend(first.row)?;
        loop {
            let mut bytes = 0;
            let fitting = items.iter().take(GROUP_ROWS_MAX).take_while(|item| {
                bytes += item.bytes;
                bytes <= 4 * size
            });
            let items = &items[..fitting.count().max(1)];
            let payload = 2 * size
                + items.iter().map(|item| item.bytes + 16 * item.cells.len() + 48).sum::<usize>();
            let page;
            let operation = if first.delete { op::DELETE } else { op::UPDATE };
            let mut change = tree.pool().change(MANAGER, operation, &[size], payload)?;
            page = pin.write();
            match place_of(&page, first.row)? {
                Place::Here => {}
                Place::Right(next) => {
                    drop(change);
                    drop(page);
                    pin = tree.pin(next)?;
                    continue;
                }
                Place::Lost => {
                    drop(change);
                    drop(page);
                    pin = tree.descend(first.row)?;
                    continue;
                }
            }
            let leaf = Leaf::open(&page)?;
            let mut group = Group::default();
            let before = outcomes.len();
            self.gather(txn, basis, &leaf, pin.page(), items, &mut group, outcomes)?;
            if group.rows.is_empty() {
                if outcomes.len() == before {
                    break;
                }
                return Ok(());
            }
            let xid = txn.xid();
            let rows = VersionRows::Rows(ChangedRows::new(&group.rows));
            let kind = if first.delete { VersionKind::Delete } else { VersionKind::Update };
            let version = txn.version(MANAGER, kind, first.key_changed, rows, &group.body)?;
            change.transaction(xid, txn.last_undo());
            change.undo_body(&group.body);
            if first.key_changed && !first.delete {
                change.data(&[KEY_CHANGED]);
            }
            change.block(&page, &group.delta);
            let lsn = {
                let replaces = !group.replaced.is_empty();
                let mut queue = replaces.then(|| tree.tables.replaced.lock());
                let lsn = change.commit()?;
                for long in &group.replaced {
                    if let Some(queue) = &mut queue {
                        queue.put(tree.file(), xid, *long);
                    }
                }
                lsn
            };
            txn.push(Some((tree.file(), pin.page())), version, lsn);
            if first.delete {
                tree.note_dead(&Leaf::open(&page)?, pin.page());
            }
            return Ok(());
        }
        drop(pin);
        let mut demand = self.demand();
        first.cells.iter().for_each(|(id, _, cell)| demand.add_cell(*id, cell));
        tree.make_room(Want { row: first.row, demand: &demand, purpose: Purpose::Write })
    }

    /// Judges the rows at the front of `items` on a latched leaf, and writes down their changes.
    fn gather(
        &self,
        txn: &Transaction,
        basis: Basis<'_>,
        leaf: &Leaf<'_>,
        page: base::PageNo,
        items: &[Prepared<'_>],
        group: &mut Group,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<()> {
        let mut account = Account::new(*leaf);
        let mut accepted: Vec<(&Prepared<'_>, usize)> = Vec::new();
        let mut last = None;
        for item in items {
            let beyond = item.row.0 >= leaf.high() && leaf.right() != 0;
            if beyond
                || item.row.0 < leaf.low()
                || last.is_some_and(|last| last >= item.row)
                || !item.same_record(&items[0])
            {
                break;
            }
            last = Some(item.row);
            let Ok(slot) = leaf.find(item.row) else {
                outcomes.push(Outcome::Invisible);
                continue;
            };
            let mode = match item.key_changed {
                true => txn::RowLockMode::Update,
                false => txn::RowLockMode::NoKeyUpdate,
            };
            let seat = Seat { leaf: *leaf, page, slot, row: item.row };
            let mut outcome = self.judge(txn, basis, &seat, mode)?;
            if outcome == Outcome::Done && self.is_blocked(txn, &seat, mode) {
                outcome = Outcome::Locked;
            }
            if outcome == Outcome::Done {
                if !account.take(slot, &item.cells)? {
                    break;
                }
                accepted.push((item, slot));
            }
            outcomes.push(outcome);
            if outcome.is_undecided() {
                break;
            }
        }
        if !accepted.is_empty() {
            self.write_down(txn.xid(), leaf, &accepted, group)?;
        }
        Ok(())
    }

    fn write_down(
        &self,
        xid: Xid,
        leaf: &Leaf<'_>,
        accepted: &[(&Prepared<'_>, usize)],
        group: &mut Group,
    ) -> Result<()> {
        let delete = accepted[0].0.delete;
        let mark = if delete { Mark::DELETED } else { Mark::CHANGED };
        begin_undo_set(&mut group.body, self.file(), accepted.len());
        begin_set_shared(&mut group.delta, accepted.len(), xid, mark);
        for (item, slot) in accepted {
            let (stamp, old_mark) = (leaf.stamp(*slot), Mark(leaf.mark(*slot)));
            begin_row(&mut group.body, item.row, stamp, old_mark);
            put_varint(&mut group.delta, item.row.0);
            let image_at = group.body.len();
            put_varint(&mut group.body, item.cells.len() as u64);
            put_varint(&mut group.delta, item.cells.len() as u64);
            for (id, hint, cell) in &item.cells {
                let column = leaf
                    .column(*id, *hint)?
                    .ok_or_else(|| base::Error::internal("a column that was there is gone"))?;
                let old = leaf.cell(&column, *slot)?;
                put_column(&mut group.body, *id, old);
                put_column(&mut group.delta, *id, *cell);
                if let Cell::Long(long) = old
                    && old != *cell
                {
                    group.replaced.push(long);
                }
            }
            let image = (image_at as u32, (group.body.len() - image_at) as u32);
            group.rows.push(RowBefore { row: item.row, stamp, mark: old_mark, image });
        }
        Ok(())
    }
}

/// How many rows a leaf is to get room for.
#[derive(Clone, Copy)]
struct Wanted {
    most: usize,
    least: usize,
}

impl Wanted {
    /// A leaf with rows is laid out anew only if it gains a sixteenth; an empty one is planned for
    /// what its first rows look like.
    fn of(leaf: &Leaf<'_>, most: usize) -> Wanted {
        match leaf.rows() {
            0 => Wanted { most: most.min(64), least: 1 },
            rows => {
                let count = most.min((rows / 16).max(1));
                Wanted { most: count, least: 1 }
            }
        }
    }
}

pub(crate) fn demand_of(columns: &[ColumnLayout]) -> Demand<'_> {
    Demand::of_columns(
        columns
            .iter()
            .map(|column| (column.id, width_of(column), Cell::of(column.missing.as_deref()))),
    )
}
