//! Scans by row-id range into batches of columns.
//!
//! A leaf is latched shared, its rows judged and filtered, and what is needed copied; then the latch
//! goes, and rows of which the view sees an older version are brought back to it (storage rule 8).

use crate::leaf::{Cell, Column, Leaf, LongRef, Shape};
use crate::read::{stamp_before, with_images};
use crate::tree::{Place, place_of};
use crate::{Table, overflow};
use base::{PageNo, Result, RowId, Xid};
use batch::{Batch, Column as BatchColumn, Kind, StoredNulls};
use memory::Heap;
use std::rc::Rc;
use txn::{Chain, Mark, Resolved, StampSeen, Step, View};

/// A range of row ids: a morsel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowRange {
    /// The first row id.
    pub first: RowId,
    /// The row id behind the last.
    pub end: RowId,
}

/// How a column is compared with a constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A comparison that runs on the latched page: rows that fail it are not copied; NULLs fail
/// (engine rule 10). For columns of integers, dates, times, mantissas and booleans, compared as signed
/// numbers (OIDs as unsigned ones).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Filter {
    /// The column's place in the description.
    pub column: usize,
    /// The comparison: column on the left.
    pub comparison: Comparison,
    /// The constant.
    pub value: i64,
}

impl Filter {
    fn holds(&self, value: i64) -> bool {
        match self.comparison {
            Comparison::Equal => value == self.value,
            Comparison::NotEqual => value != self.value,
            Comparison::Less => value < self.value,
            Comparison::LessOrEqual => value <= self.value,
            Comparison::Greater => value > self.value,
            Comparison::GreaterOrEqual => value >= self.value,
        }
    }

    fn holds_cell(&self, cell: Cell<'_>, unsigned: bool) -> bool {
        match cell {
            Cell::Bytes(bytes) => number(bytes, unsigned).is_some_and(|value| self.holds(value)),
            _ => false,
        }
    }

    /// Keeps the slots of `selected` whose values pass. The comparison is chosen once, so that the
    /// loop over a mini-page has no branch but the comparison itself.
    fn keep(&self, values: &[u8], width: usize, unsigned: bool, selected: &mut Vec<u16>) {
        match (width, unsigned) {
            (1, _) => self.keep_of::<1>(values, selected, |v| i64::from(v[0])),
            (2, _) => self.keep_of::<2>(values, selected, |v| i64::from(i16::from_le_bytes(v))),
            (4, false) => self.keep_of::<4>(values, selected, |v| i64::from(i32::from_le_bytes(v))),
            (4, true) => self.keep_of::<4>(values, selected, |v| i64::from(u32::from_le_bytes(v))),
            (8, _) => self.keep_of::<8>(values, selected, i64::from_le_bytes),
            _ => selected.clear(),
        }
    }

    fn keep_of<const N: usize>(
        &self,
        values: &[u8],
        selected: &mut Vec<u16>,
        read: impl Fn([u8; N]) -> i64 + Copy,
    ) {
        let values = values.as_chunks::<N>().0;
        let constant = self.value;
        let get = |slot: u16| values.get(usize::from(slot)).map(|value| read(*value));
        match self.comparison {
            Comparison::Equal => selected.retain(|slot| get(*slot) == Some(constant)),
            Comparison::NotEqual => {
                selected.retain(|slot| get(*slot).is_some_and(|v| v != constant))
            }
            Comparison::Less => selected.retain(|slot| get(*slot).is_some_and(|v| v < constant)),
            Comparison::LessOrEqual => {
                selected.retain(|slot| get(*slot).is_some_and(|v| v <= constant));
            }
            Comparison::Greater => selected.retain(|slot| get(*slot).is_some_and(|v| v > constant)),
            Comparison::GreaterOrEqual => {
                selected.retain(|slot| get(*slot).is_some_and(|v| v >= constant));
            }
        }
    }
}

fn number(bytes: &[u8], unsigned: bool) -> Option<i64> {
    Some(match bytes.len() {
        1 => i64::from(bytes[0]),
        2 => i64::from(i16::from_le_bytes(bytes.try_into().ok()?)),
        4 if unsigned => i64::from(u32::from_le_bytes(bytes.try_into().ok()?)),
        4 => i64::from(i32::from_le_bytes(bytes.try_into().ok()?)),
        8 => i64::from_le_bytes(bytes.try_into().ok()?),
        _ => return None,
    })
}

/// Rows of a scan.
pub struct ScanBatch {
    /// The row ids, ascending: one for each physical row of the batch.
    pub rows: Vec<RowId>,
    /// The XIDs that wrote the versions, when the scan was asked for them.
    pub stamps: Vec<Xid>,
    /// The columns, in the order in which they were asked for.
    pub batch: Batch,
}

/// A scan of a range of row ids. Stops between any two batches and goes on where it was; holds
/// nothing between them.
pub struct Scan {
    table: Table,
    columns: Vec<usize>,
    filters: Vec<Filter>,
    stamps: bool,
    next: RowId,
    end: RowId,
    hint: Option<PageNo>,
}

/// A row of the batch that is to be brought back to an older version.
struct Older {
    at: usize,
    path: Vec<Step>,
    /// The values that the filters look at, as they are on the page.
    filtered: Vec<Option<i64>>,
}

/// A value that is brought into place without the latch.
struct Pending {
    at: usize,
    column: usize,
    value: PendingValue,
}

enum PendingValue {
    Packed(Vec<u8>),
    Long(LongRef),
}

/// What is being filled.
struct Filling {
    rows: Vec<RowId>,
    stamps: Vec<Xid>,
    columns: Vec<BatchColumn>,
    older: Vec<Older>,
    pending: Vec<Pending>,
    selected: Vec<u16>,
}

impl Table {
    /// A scan of the given columns, by their places in the description, over rows in `range` that
    /// pass all filters.
    pub fn scan(&self, columns: &[usize], filters: &[Filter], range: RowRange) -> Scan {
        Scan {
            table: self.clone(),
            columns: columns.to_vec(),
            filters: filters.to_vec(),
            stamps: false,
            next: range.first,
            end: range.end,
            hint: None,
        }
    }

    /// All rows that were there when it was asked. Ask after the snapshot was taken.
    pub fn all_rows(&self) -> RowRange {
        RowRange { first: RowId(0), end: self.high_water() }
    }

    /// Ranges of about as many row ids each, for parallel scans of `range`: at most `parts`.
    pub fn morsels(&self, range: RowRange, parts: u64) -> Vec<RowRange> {
        let span = range.end.0.saturating_sub(range.first.0);
        let step = span.div_ceil(parts.max(1)).max(1);
        (0..span.div_ceil(step))
            .map(|part| RowRange {
                first: RowId(range.first.0 + part * step),
                end: RowId((range.first.0 + (part + 1) * step).min(range.end.0)),
            })
            .collect()
    }
}

impl Scan {
    /// Makes the batches carry the XIDs that wrote the versions: `xmin`.
    #[must_use]
    pub fn with_stamps(mut self) -> Scan {
        self.stamps = true;
        self
    }

    /// The next rows that `view` sees, at most `demand`; none at the end. A batch may be short, or
    /// even empty, before the end. May wait for I/O.
    ///
    /// # Errors
    /// 53200; XX001 when the tree is damaged.
    pub fn next_batch(
        &mut self,
        view: &View,
        heap: &Heap,
        demand: usize,
    ) -> Result<Option<ScanBatch>> {
        if self.next >= self.end {
            return Ok(None);
        }
        let demand = demand.min(base::limits::BATCH_ROWS_MAX);
        let layouts = self.columns.iter().map(|&index| self.table.columns()[index].layout);
        let mut filling = Filling {
            rows: Vec::new(),
            stamps: Vec::new(),
            columns: layouts.map(|layout| BatchColumn::new(layout, heap)).collect(),
            older: Vec::new(),
            pending: Vec::new(),
            selected: Vec::new(),
        };
        while self.next < self.end && filling.rows.len() < demand {
            base::interrupt::check_for_interrupts()?;
            self.visit_leaf(view, demand, &mut filling)?;
            let bytes: usize = filling.columns.iter().map(BatchColumn::variable_bytes).sum();
            if bytes >= base::limits::BATCH_BYTES_MAX {
                break;
            }
        }
        self.finish(filling).map(Some)
    }

    /// Takes what one leaf has, up to the demand.
    fn visit_leaf(&mut self, view: &View, demand: usize, filling: &mut Filling) -> Result<()> {
        let table = self.table.clone();
        let tree = &*table.tree;
        if let Some(page) = self.hint.take() {
            let pin = tree.pin(page)?;
            let latched = pin.read();
            if place_of(&latched, self.next)? == Place::Here {
                return self.take_leaf(view, demand, &Leaf::open(&latched)?, page, filling);
            }
        }
        let row = self.next;
        tree.read_leaf(row, |leaf, page| self.take_leaf(view, demand, leaf, page, filling))
    }

    fn take_leaf(
        &mut self,
        view: &View,
        demand: usize,
        leaf: &Leaf<'_>,
        page: PageNo,
        filling: &mut Filling,
    ) -> Result<()> {
        let from = leaf.lower_bound(self.next);
        let to = leaf.lower_bound(self.end);
        let mut selected = std::mem::take(&mut filling.selected);
        selected.clear();
        let start = filling.rows.len();
        // Rows of which the view sees an older version are among the selected, whatever the page
        // says of their values; `paths` has them in order.
        let mut paths: Vec<(u16, Vec<Step>)> = Vec::new();
        self.judge_rows(view, leaf, page, from, to, &mut selected, &mut paths)?;
        if leaf.dead() > 0 {
            self.table.tree.note_dead(leaf, page);
        }
        self.filter_rows(leaf, &paths, &mut selected)?;
        let room = demand - start;
        let cut = selected.get(room).copied();
        selected.truncate(room);
        filling.rows.extend(selected.iter().map(|slot| leaf.row_id(usize::from(*slot))));
        if self.stamps {
            filling.stamps.extend(selected.iter().map(|slot| leaf.stamp(usize::from(*slot))));
        }
        self.copy_columns(leaf, &selected, from, to, start, filling)?;
        for (slot, path) in paths {
            let Ok(place) = selected.binary_search(&slot) else { continue };
            let filtered = self.filter_values(leaf, usize::from(slot))?;
            filling.older.push(Older { at: start + place, path, filtered });
        }
        self.next = match cut {
            Some(slot) => leaf.row_id(usize::from(slot)),
            None if leaf.right() == 0 => self.end,
            None => RowId(leaf.high()),
        };
        self.hint = match cut {
            Some(_) => Some(page),
            None => Some(PageNo(leaf.right())).filter(|page| page.0 != 0),
        };
        filling.selected = selected;
        Ok(())
    }

    fn judge_rows(
        &self,
        view: &View,
        leaf: &Leaf<'_>,
        page: PageNo,
        from: usize,
        to: usize,
        selected: &mut Vec<u16>,
        paths: &mut Vec<(u16, Vec<Step>)>,
    ) -> Result<()> {
        let all_visible = view.all_visible_below();
        if leaf.max_stamp() < all_visible {
            if leaf.dead() == 0 {
                selected.extend((from..to).map(|slot| slot as u16));
            } else {
                let live = (from..to).filter(|slot| !leaf.is_deleted(*slot));
                selected.extend(live.map(|slot| slot as u16));
            }
            return Ok(());
        }
        let mut chain: Option<Chain> = None;
        let mut path = Vec::new();
        let mut last = (Xid::INVALID, StampSeen::Visible);
        for slot in from..to {
            let (stamp, mark) = (leaf.stamp(slot), Mark(leaf.mark(slot)));
            if stamp >= all_visible && last.0 != stamp {
                last = (stamp, view.judge(stamp));
            }
            let seen = if stamp < all_visible { StampSeen::Visible } else { last.1 };
            match seen {
                StampSeen::Visible if mark.is_deleted() => continue,
                StampSeen::Visible => selected.push(slot as u16),
                StampSeen::Invisible if mark.is_inserted() => continue,
                StampSeen::Invisible | StampSeen::Own => {
                    let chain = chain.get_or_insert_with(|| {
                        let versions = self.table.tree.tables.transactions.versions();
                        versions.chain(self.table.file(), page)
                    });
                    match chain.resolve(view, leaf.row_id(slot), stamp, mark, &mut path)? {
                        Resolved::Absent => {}
                        Resolved::Current => selected.push(slot as u16),
                        Resolved::Older => {
                            selected.push(slot as u16);
                            paths.push((slot as u16, std::mem::take(&mut path)));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn is_unsigned(&self, column: usize) -> bool {
        matches!(self.table.columns()[column].layout.shape, batch::Shape::Oid)
    }

    /// Drops the selected rows that fail a filter, but for rows with a path.
    fn filter_rows(
        &self,
        leaf: &Leaf<'_>,
        paths: &[(u16, Vec<Step>)],
        selected: &mut Vec<u16>,
    ) -> Result<()> {
        for filter in &self.filters {
            let layout = &self.table.columns()[filter.column];
            let unsigned = self.is_unsigned(filter.column);
            let column = leaf.column(layout.id, filter.column)?;
            let dense = column.filter(|c| c.shape == Shape::Dense && paths.is_empty());
            if let Some(column) = dense
                && let Some(values) = leaf.dense_values(&column)
            {
                filter.keep(values, column.width.slot_bytes(), unsigned, selected);
                continue;
            }
            let missing = Cell::of(layout.missing.as_deref());
            let mut failure = None;
            selected.retain(|slot| {
                if paths.binary_search_by_key(slot, |(slot, _)| *slot).is_ok() {
                    return true;
                }
                let cell = match &column {
                    Some(column) => leaf.cell(column, usize::from(*slot)),
                    None => Ok(missing),
                };
                match cell {
                    Ok(cell) => filter.holds_cell(cell, unsigned),
                    Err(error) => {
                        failure = Some(error);
                        false
                    }
                }
            });
            if let Some(error) = failure {
                return Err(error);
            }
        }
        Ok(())
    }

    fn filter_values(&self, leaf: &Leaf<'_>, slot: usize) -> Result<Vec<Option<i64>>> {
        self.filters
            .iter()
            .map(|filter| {
                let layout = &self.table.columns()[filter.column];
                let cell = match leaf.column(layout.id, filter.column)? {
                    Some(column) => leaf.cell(&column, slot)?,
                    None => Cell::of(layout.missing.as_deref()),
                };
                let Cell::Bytes(bytes) = cell else { return Ok(None) };
                Ok(number(bytes, self.is_unsigned(filter.column)))
            })
            .collect()
    }

    fn copy_columns(
        &self,
        leaf: &Leaf<'_>,
        selected: &[u16],
        from: usize,
        to: usize,
        start: usize,
        filling: &mut Filling,
    ) -> Result<()> {
        let whole = from == 0 && to == leaf.rows() && selected.len() == leaf.rows();
        for (place, &index) in self.columns.iter().enumerate() {
            let layout = &self.table.columns()[index];
            let out = &mut filling.columns[place];
            let Some(column) = leaf.column(layout.id, index)? else {
                for _ in selected {
                    match layout.missing.as_deref() {
                        Some(missing) => out.push_stored(missing)?,
                        None => out.push_null()?,
                    }
                }
                continue;
            };
            if column.shape == Shape::AllNull {
                out.push_nulls(selected.len())?;
                continue;
            }
            if layout.layout.kind() != Kind::Var
                && let Some(values) = leaf.dense_values(&column)
            {
                let nulls = StoredNulls(leaf.nulls(&column).unwrap_or_default());
                match whole {
                    true => out.extend_stored(values, nulls, leaf.rows())?,
                    false => out.extend_stored_gather(values, nulls, selected)?,
                }
                continue;
            }
            copy_cells(leaf, &column, selected, (start, place), out, &mut filling.pending)?;
        }
        Ok(())
    }

    /// Brings everything into place that needs no latch, and drops what fails a filter then.
    fn finish(&self, mut filling: Filling) -> Result<ScanBatch> {
        let mut dropped: Vec<usize> = Vec::new();
        let mut still_pending = std::mem::take(&mut filling.pending);
        for older in std::mem::take(&mut filling.older) {
            self.bring_back(older, &mut filling, &mut still_pending, &mut dropped)?;
        }
        let mut bytes = Vec::new();
        for pending in still_pending {
            bytes.clear();
            match pending.value {
                PendingValue::Packed(packed) => overflow::unpack(&packed, &mut bytes)?,
                PendingValue::Long(long) => self.table.tree.read_long(long, &mut bytes)?,
            }
            filling.columns[pending.column].set_stored(pending.at, Some(&bytes))?;
        }
        let rows = filling.rows.len();
        let columns = filling.columns.into_iter().map(Rc::new).collect();
        let mut batch = Batch::new(columns, rows);
        if !dropped.is_empty() {
            let kept = (0..rows).filter(|row| dropped.binary_search(row).is_err());
            batch = batch.select(kept.map(|row| row as u16).collect());
        }
        Ok(ScanBatch { rows: filling.rows, stamps: filling.stamps, batch })
    }

    fn bring_back(
        &self,
        mut older: Older,
        filling: &mut Filling,
        pending: &mut Vec<Pending>,
        dropped: &mut Vec<usize>,
    ) -> Result<()> {
        let at = older.at;
        if self.stamps
            && let Some(stamp) = older.path.last().and_then(stamp_before)
        {
            filling.stamps[at] = stamp;
        }
        let mut late: Vec<Option<PendingValue>> = self.columns.iter().map(|_| None).collect();
        for step in &older.path {
            with_images(step, |id, cell| {
                for (place, filter) in self.filters.iter().enumerate() {
                    if self.table.columns()[filter.column].id == id {
                        let unsigned = self.is_unsigned(filter.column);
                        older.filtered[place] = match cell {
                            Cell::Bytes(bytes) => number(bytes, unsigned),
                            _ => None,
                        };
                    }
                }
                for (place, &index) in self.columns.iter().enumerate() {
                    if self.table.columns()[index].id != id {
                        continue;
                    }
                    late[place] = None;
                    pending.retain(|other| other.at != at || other.column != place);
                    match cell {
                        Cell::Null => filling.columns[place].set_stored(at, None)?,
                        Cell::Bytes(bytes) => filling.columns[place].set_stored(at, Some(bytes))?,
                        Cell::Packed(bytes) => {
                            late[place] = Some(PendingValue::Packed(bytes.to_vec()));
                        }
                        Cell::Long(long) => late[place] = Some(PendingValue::Long(long)),
                    }
                }
                Ok(())
            })?;
        }
        let holds = |(filter, value): (&Filter, &Option<i64>)| {
            value.is_some_and(|value| filter.holds(value))
        };
        if !self.filters.iter().zip(&older.filtered).all(holds) {
            dropped.push(at);
            return Ok(());
        }
        for (column, value) in late.into_iter().enumerate() {
            if let Some(value) = value {
                pending.push(Pending { at, column, value });
            }
        }
        Ok(())
    }
}

/// Copies a column cell by cell; compressed and long values become pending.
fn copy_cells(
    leaf: &Leaf<'_>,
    column: &Column,
    selected: &[u16],
    (start, place): (usize, usize),
    out: &mut BatchColumn,
    pending: &mut Vec<Pending>,
) -> Result<()> {
    for (i, slot) in selected.iter().enumerate() {
        let value = match leaf.cell(column, usize::from(*slot))? {
            Cell::Null => {
                out.push_null()?;
                continue;
            }
            Cell::Bytes(bytes) => {
                out.push_stored(bytes)?;
                continue;
            }
            Cell::Packed(bytes) => PendingValue::Packed(bytes.to_vec()),
            Cell::Long(long) => PendingValue::Long(long),
        };
        out.push_null()?;
        pending.push(Pending { at: start + i, column: place, value });
    }
    Ok(())
}
