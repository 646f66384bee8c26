//! Deciding, before anything is changed, whether a change fits, and how a leaf is laid out anew.

use super::apply::needs_new_shape;
use super::codec::{Cell, put_varint};
use super::layout::{
    ColumnPlan, HEADER_END, Layout, NO_HIGH_KEY, ROW_ID_SPAN_MAX, Shape, Width, fixed_end,
};
use super::run::ColumnValues;
use super::view::{Leaf, heap_bytes};
use base::{ColumnId, Result, RowId};

/// What a change adds to one column of a leaf.
#[derive(Clone, Copy, Debug)]
pub struct ColumnDemand<'a> {
    /// The column.
    pub id: ColumnId,
    /// Its values' width.
    pub width: Width,
    /// New NULLs.
    pub nulls: usize,
    /// New values.
    pub values: usize,
    /// Heap bytes of the new values.
    pub heap: usize,
    /// What rows have that were stored before the column was added.
    pub fill: Cell<'a>,
}

/// What a change adds to a leaf.
#[derive(Clone, Debug, Default)]
pub struct Demand<'a> {
    /// New rows.
    pub rows: usize,
    /// By column, in the table's order; every column of the table.
    pub columns: Vec<ColumnDemand<'a>>,
}

impl<'a> Demand<'a> {
    /// The demand of a table's columns without any change.
    pub fn of_columns(columns: impl Iterator<Item = (ColumnId, Width, Cell<'a>)>) -> Demand<'a> {
        let columns = columns
            .map(|(id, width, fill)| ColumnDemand { id, width, nulls: 0, values: 0, heap: 0, fill })
            .collect();
        Demand { rows: 0, columns }
    }

    /// Adds rows `from..to` of `values`, which has the table's columns in the table's order.
    pub fn add_rows(&mut self, values: &[ColumnValues<'_>], from: usize, to: usize) {
        self.rows += to - from;
        for (demand, values) in self.columns.iter_mut().zip(values) {
            debug_assert_eq!(demand.id, values.id);
            match values.values {
                super::run::Values::AllNull => demand.nulls += to - from,
                super::run::Values::Fixed(_) => demand.values += to - from,
                super::run::Values::Cells(cells) => {
                    for cell in &cells[from..to] {
                        if cell.is_null() {
                            demand.nulls += 1;
                        } else {
                            demand.values += 1;
                            demand.heap += heap_bytes(demand.width, cell);
                        }
                    }
                }
            }
        }
    }

    /// Adds the setting of one cell.
    pub fn add_cell(&mut self, id: ColumnId, cell: &Cell<'_>) {
        if let Some(demand) = self.columns.iter_mut().find(|column| column.id == id) {
            if cell.is_null() {
                demand.nulls += 1;
            } else {
                demand.values += 1;
                demand.heap += heap_bytes(demand.width, cell);
            }
        }
    }

    fn heap(&self) -> usize {
        self.columns.iter().map(|column| column.heap).sum()
    }

    fn find(&self, id: ColumnId) -> Option<&ColumnDemand<'a>> {
        self.columns.iter().find(|column| column.id == id)
    }
}

/// Whether the demand can be applied to the leaf as it is. For set operations it may say no
/// where reused heap space would have sufficed; it never says yes wrongly.
pub fn fits(leaf: &Leaf<'_>, demand: &Demand<'_>) -> Result<bool> {
    if leaf.rows() + demand.rows > leaf.capacity() || demand.heap() > leaf.gap() {
        return Ok(false);
    }
    let mut found = 0;
    for index in 0..leaf.columns() {
        let column = leaf.column_at(index)?;
        let hinted = demand.columns.get(index).filter(|other| other.id == column.id);
        let Some(wanted) = hinted.or_else(|| demand.find(column.id)) else {
            if demand.rows > 0 && column.shape == Shape::Dense {
                return Ok(false);
            }
            continue;
        };
        found += 1;
        let fits = match column.shape {
            Shape::Dense => wanted.nulls == 0,
            Shape::Nullable => true,
            Shape::AllNull => wanted.values == 0,
            Shape::Sparse(slots) => column.used + wanted.values <= slots as usize,
        };
        if !fits {
            return Ok(false);
        }
    }
    // A column that the leaf lacks need only be added when something is written to it.
    if found < demand.columns.len() {
        for wanted in &demand.columns {
            if (wanted.nulls + wanted.values > 0 || demand.rows > 0)
                && leaf.column(wanted.id, usize::MAX)?.is_none()
            {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Whether one cell can be set where it is, reusing the old value's space.
pub fn cell_fits(
    leaf: &Leaf<'_>,
    id: ColumnId,
    hint: usize,
    row: RowId,
    cell: &Cell<'_>,
) -> Result<bool> {
    let (Some(column), Ok(slot)) = (leaf.column(id, hint)?, leaf.find(row)) else {
        return Ok(false);
    };
    if needs_new_shape(column.shape, cell) {
        return Ok(false);
    }
    let was_null = leaf.is_null(&column, slot);
    if let Shape::Sparse(slots) = column.shape
        && was_null
        && !cell.is_null()
        && column.used >= slots as usize
    {
        return Ok(false);
    }
    let need = heap_bytes(column.width, cell);
    if need == 0 || need <= leaf.gap() {
        return Ok(true);
    }
    Ok(!was_null && need <= heap_bytes(column.width, &leaf.cell(&column, slot)?))
}

/// What the free room of a planned leaf is meant for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// More rows, as large as those that are there.
    Append,
    /// Larger values.
    Update,
    /// Nothing: as small as it gets.
    Tight,
}

/// The frame of a leaf that is planned.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The bytes of the page.
    pub page_bytes: usize,
    /// The leaf's row ids are at or above it.
    pub low: u64,
    /// The leaf's row ids are below it.
    pub high: u64,
    /// The right neighbour; 0 without one.
    pub right: u64,
    /// The page's flags.
    pub flags: u8,
    /// What the free room is for.
    pub room: Room,
}

impl Frame {
    /// The frame of a leaf that keeps its neighbours.
    pub fn of(leaf: &Leaf<'_>) -> Frame {
        let room = if leaf.high() == NO_HIGH_KEY { Room::Append } else { Room::Update };
        Frame {
            page_bytes: leaf.page().len(),
            low: leaf.low(),
            high: leaf.high(),
            right: leaf.right(),
            flags: leaf.flags(),
            room,
        }
    }
}

/// Plans a leaf that holds the given slots of the sources and `demand` besides. `template` is a
/// leaf whose rows say what rows to come look like. None if they do not fit one page.
pub fn plan<'a>(
    frame: Frame,
    sources: &[(Leaf<'a>, usize, usize)],
    first_new: Option<RowId>,
    demand: &Demand<'a>,
    template: Option<&Leaf<'_>>,
) -> Result<Option<Layout<'a>>> {
    let rows: usize = sources.iter().map(|(_, from, to)| to - from).sum::<usize>() + demand.rows;
    let Some(base) = base_of(sources, first_new, demand.rows) else { return Ok(None) };
    let mut tallies = tally(sources, demand)?;
    let mut heap = 0;
    for tally in &mut tallies {
        if tally.nulls + tally.values < rows {
            // Rows of sources that lack the column, or new rows that do.
            tally.nulls += rows - tally.nulls - tally.values;
        }
        heap += tally.heap;
    }
    let row_heap = match template {
        Some(leaf) if leaf.rows() > rows => leaf.heap_live().div_ceil(leaf.rows()),
        _ => heap.div_ceil(rows.max(1)),
    };
    let sizes = Sizes { frame, rows, heap, row_heap };
    // The shapes that suit rows to come, and if they do not fit, the smallest: so what fitted one
    // page fits one again.
    let chosen: Vec<Planned<'a>> = tallies
        .iter()
        .map(|tally| {
            let sticky = template
                .and_then(|leaf| leaf.column(tally.id, usize::MAX).ok().flatten())
                .map(|column| column.shape);
            tally.planned(tally.shape(rows, sticky))
        })
        .collect();
    let found = sizes.largest(&chosen, 2).or_else(|| {
        let smallest: Vec<Planned<'a>> =
            tallies.iter().map(|tally| tally.planned(tally.smallest_shape())).collect();
        sizes.largest(&smallest, 0)
    });
    let Some((capacity, columns)) = found else { return Ok(None) };
    let Frame { low, high, right, flags, .. } = frame;
    Ok(Some(Layout { capacity: capacity as u16, base, low, high, right, flags, columns }))
}

/// A column of a plan and its values that are not NULL.
type Planned<'a> = (ColumnPlan<'a>, usize);

/// What a leaf is to hold.
struct Sizes {
    frame: Frame,
    rows: usize,
    heap: usize,
    row_heap: usize,
}

impl Sizes {
    /// The largest capacity that fits, with the columns for it. Sparse columns get `spare` slots
    /// more than their share.
    fn largest<'a>(
        &self,
        planned: &[Planned<'a>],
        spare: usize,
    ) -> Option<(usize, Vec<ColumnPlan<'a>>)> {
        let mut columns: Vec<ColumnPlan<'a>> = planned.iter().map(|(plan, _)| *plan).collect();
        if !self.fits(self.rows, planned, spare, &mut columns) {
            return None;
        }
        let most = match self.frame.room {
            Room::Append => ((self.frame.page_bytes - HEADER_END) / 11).min(u16::MAX as usize),
            Room::Update => self.rows + self.rows / 32,
            Room::Tight => self.rows,
        };
        // The largest capacity lies between what is needed and what could be.
        let (mut low, mut high) = (self.rows, most.max(self.rows));
        while low < high {
            let middle = (low + high).div_ceil(2);
            if self.fits(middle, planned, spare, &mut columns) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        self.fits(low, planned, spare, &mut columns);
        Some((low, columns))
    }

    fn fits<'a>(
        &self,
        capacity: usize,
        planned: &[Planned<'a>],
        spare: usize,
        columns: &mut [ColumnPlan<'a>],
    ) -> bool {
        for (column, (plan, values)) in columns.iter_mut().zip(planned) {
            if let Shape::Sparse(_) = plan.shape {
                let share = (values * capacity).div_ceil(self.rows.max(1)).max(*values);
                column.shape = Shape::Sparse((share + spare).min(capacity) as u16);
            }
        }
        let reserve = match self.frame.room {
            Room::Append => (capacity - self.rows) * self.row_heap,
            Room::Update | Room::Tight => 0,
        };
        fixed_end(columns, capacity) + self.heap + reserve <= self.frame.page_bytes
    }
}

/// The number that row ids are counted from, or none if they are too far apart. Row ids below
/// the first may come from other workers' leases, so the base leaves some room for them.
fn base_of(sources: &[(Leaf<'_>, usize, usize)], new: Option<RowId>, rows: usize) -> Option<u64> {
    let mut low = new.map_or(u64::MAX, |row| row.0);
    let mut high = new.map_or(0, |row| row.0 + (rows as u64).saturating_sub(1));
    for (leaf, from, to) in sources {
        if from < to {
            low = low.min(leaf.row_id(*from).0);
            high = high.max(leaf.row_id(to - 1).0);
        }
    }
    if low == u64::MAX {
        return Some(0);
    }
    let roomy = low & !0xfff;
    let base = if high - roomy <= ROW_ID_SPAN_MAX / 2 { roomy } else { low };
    (high - base <= ROW_ID_SPAN_MAX).then_some(base)
}

struct Tally<'a> {
    id: ColumnId,
    width: Width,
    fill: Cell<'a>,
    nulls: usize,
    values: usize,
    heap: usize,
    nullable: bool,
}

impl<'a> Tally<'a> {
    fn planned(&self, shape: Shape) -> Planned<'a> {
        let plan = ColumnPlan { id: self.id, width: self.width, shape, fill: self.fill };
        (plan, self.values)
    }

    fn smallest_shape(&self) -> Shape {
        match (self.values, self.nulls) {
            (0, _) => Shape::AllNull,
            (_, 0) => Shape::Dense,
            _ => Shape::Sparse(0),
        }
    }

    fn shape(&self, rows: usize, template: Option<Shape>) -> Shape {
        if self.values == 0 {
            return match template {
                Some(shape @ (Shape::Nullable | Shape::Dense)) if rows < 16 => match shape {
                    Shape::Dense if self.nulls == 0 => Shape::Dense,
                    _ => Shape::Nullable,
                },
                Some(Shape::Sparse(_)) if rows < 16 => Shape::Nullable,
                _ => Shape::AllNull,
            };
        }
        if self.nulls > 0 && rows >= 32 && self.values * 8 < rows {
            return Shape::Sparse(0);
        }
        let template_nulls =
            matches!(template, Some(Shape::Nullable | Shape::Sparse(_) | Shape::AllNull));
        if self.nulls == 0 && !self.nullable && !template_nulls {
            return Shape::Dense;
        }
        Shape::Nullable
    }
}

fn tally<'a>(sources: &[(Leaf<'a>, usize, usize)], demand: &Demand<'a>) -> Result<Vec<Tally<'a>>> {
    let mut tallies: Vec<Tally<'a>> = Vec::new();
    for (leaf, from, to) in sources {
        for index in 0..leaf.columns() {
            let column = leaf.column_at(index)?;
            let place = match tallies.iter().position(|tally| tally.id == column.id) {
                Some(place) => place,
                None => {
                    let fill = demand.find(column.id).map_or(Cell::Null, |demand| demand.fill);
                    tallies.push(Tally::new(column.id, column.width, fill));
                    tallies.len() - 1
                }
            };
            let tally = &mut tallies[place];
            tally.nullable |= matches!(column.shape, Shape::Nullable);
            for slot in *from..*to {
                tally.add(&leaf.cell(&column, slot)?);
            }
        }
    }
    for wanted in &demand.columns {
        if !tallies.iter().any(|tally| tally.id == wanted.id) {
            tallies.push(Tally::new(wanted.id, wanted.width, wanted.fill));
        }
    }
    for tally in &mut tallies {
        for (leaf, from, to) in sources {
            if leaf.column(tally.id, usize::MAX)?.is_none() {
                let fill = tally.fill;
                (*from..*to).for_each(|_| tally.add(&fill));
            }
        }
        if let Some(wanted) = demand.find(tally.id) {
            tally.nulls += wanted.nulls;
            tally.values += wanted.values;
            tally.heap += wanted.heap;
            tally.nullable |= wanted.nulls > 0;
        }
    }
    Ok(tallies)
}

impl<'a> Tally<'a> {
    fn new(id: ColumnId, width: Width, fill: Cell<'a>) -> Tally<'a> {
        Tally { id, width, fill, nulls: 0, values: 0, heap: 0, nullable: false }
    }

    fn add(&mut self, cell: &Cell<'_>) {
        if cell.is_null() {
            self.nulls += 1;
        } else {
            self.values += 1;
            self.heap += heap_bytes(self.width, cell);
        }
    }
}

/// The delta of a rebuild that keeps the rows below `below`, or all.
pub fn encode_rebuild(out: &mut Vec<u8>, below: Option<RowId>, layout: &Layout<'_>) {
    put_varint(out, below.map_or(0, |row| row.0 + 1));
    layout.encode(out);
}
