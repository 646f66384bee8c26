//! Scans of tables.

use crate::evaluate::Conditions;
use crate::index_range::IndexRanges;
use crate::operator::{Operator, Rest};
use crate::state::Execution;
use crate::watch::Watch;
use base::{Oid, Result, RowId};
use batch::{Batch, Column};
use btree::{Cursor, Direction};
use expr::Runner;
use memory::{Bump, Heap};
use plan::{IndexBound, IndexKeys, Node, ScanColumn};
use std::rc::Rc;
use std::sync::Arc;
use table::{RowBuffer, Scan, Table};
use txn::View;
use types::{Datum, key, oids};

/// The columns of a scan, as the table knows them, and what is computed beside them.
struct Wanted {
    attributes: Vec<usize>,
    /// For each output column its place among `attributes`, or a system column.
    out: Vec<Place>,
    relation: Oid,
    stamps: bool,
}

#[derive(Clone, Copy)]
enum Place {
    Attribute(usize),
    RowId,
    Xmin,
    Zero,
    TableOid,
}

impl Wanted {
    fn new(columns: &[ScanColumn], relation: Oid) -> Wanted {
        let (mut attributes, mut out, mut stamps) = (Vec::new(), Vec::new(), false);
        for column in columns {
            out.push(match column {
                ScanColumn::Attribute(attribute) => {
                    attributes.push(*attribute as usize - 1);
                    Place::Attribute(attributes.len() - 1)
                }
                ScanColumn::RowId | ScanColumn::System(-1) => Place::RowId,
                ScanColumn::System(-2) => {
                    stamps = true;
                    Place::Xmin
                }
                ScanColumn::System(-6) => Place::TableOid,
                ScanColumn::System(_) => Place::Zero,
            });
        }
        Wanted { attributes, out, relation, stamps }
    }

    fn assemble(
        &self,
        heap: &Heap,
        out: &[plan::Column],
        columns: &[Rc<Column>],
        rows: &[RowId],
        stamps: &[base::Xid],
    ) -> Result<Batch> {
        let mut result = Vec::with_capacity(out.len());
        for (place, described) in self.out.iter().zip(out) {
            let system = |value: &dyn Fn(usize) -> Datum<'static>| {
                let mut column = Column::new(described.layout, heap);
                for i in 0..rows.len() {
                    column.push(&value(i))?;
                }
                Ok::<_, base::Error>(Rc::new(column))
            };
            result.push(match place {
                Place::Attribute(i) => columns[*i].clone(),
                Place::RowId => system(&|i| Datum::Int8(rows[i].0.cast_signed()))?,
                Place::Xmin => system(&|i| {
                    Datum::Int8(stamps.get(i).map_or(0, |stamp| stamp.0.cast_signed()))
                })?,
                Place::Zero => system(&|_| match described.ty.oid.0 {
                    oids::CID => Datum::Oid(0),
                    _ => Datum::Int8(0),
                })?,
                Place::TableOid => system(&|_| Datum::Oid(self.relation.0))?,
            });
        }
        Ok(Batch::new(result, rows.len()))
    }
}

/// Scans that ask for more rows than demanded, since most fail the conditions.
struct Ahead(usize);

impl Ahead {
    fn next(&mut self, demand: usize) -> usize {
        self.0 = (self.0 * 4).clamp(demand, base::limits::BATCH_ROWS_MAX);
        self.0
    }
}

/// All rows of a table.
pub(crate) struct SeqScan<'q> {
    node: &'q Node<'q>,
    table: Table,
    wanted: Wanted,
    scan: Option<Scan>,
    conditions: Conditions<'q>,
    filtered: bool,
    ahead: Ahead,
    rest: Rest,
    heap: Heap,
    watch: Option<Watch>,
}

impl<'q> SeqScan<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        relation: u16,
        columns: &[ScanColumn],
        filters: &'q [expr::Program<'q>],
    ) -> Result<SeqScan<'q>> {
        let described = &x.descriptions.relations[usize::from(relation)];
        Ok(SeqScan {
            node,
            table: x.storage.table(described)?,
            wanted: Wanted::new(columns, described.oid),
            scan: None,
            conditions: Conditions::new(x, filters),
            filtered: !filters.is_empty(),
            ahead: Ahead(8),
            rest: Rest::default(),
            heap: x.heap("SeqScan"),
            watch: Watch::new(x, described),
        })
    }
}

impl<'q> Operator<'q> for SeqScan<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        if let Some(error) = self.conditions.take_error() {
            return Err(error);
        }
        let view = self.watch.as_ref().map_or(&x.view, |watch| &watch.view);
        loop {
            x.check()?;
            let scan = match &mut self.scan {
                Some(scan) => scan,
                None => {
                    if let Some(watch) = &self.watch {
                        watch.tracked.read_relation(watch.relation);
                    }
                    let range = self.table.all_rows();
                    let scan = self.table.scan(&self.wanted.attributes, &[], range);
                    self.scan.insert(if self.wanted.stamps { scan.with_stamps() } else { scan })
                }
            };
            let rows = if self.filtered { self.ahead.next(demand) } else { demand };
            let Some(found) = scan.next_batch(view, &self.heap, rows)? else { return Ok(None) };
            if let Some(watch) = &self.watch {
                watch.tracked.check()?;
            }
            if found.rows.is_empty() {
                continue;
            }
            let batch = self.wanted.assemble(
                &self.heap,
                self.node.columns,
                found.batch.columns(),
                &found.rows,
                &found.stamps,
            )?;
            let batch = self.conditions.select(x, batch)?;
            if !batch.is_empty() {
                return Ok(Some(self.rest.cut(batch, demand)));
            }
            if let Some(error) = self.conditions.take_error() {
                return Err(error);
            }
        }
    }

    fn rescan(&mut self, _: &Execution<'q>) -> Result<()> {
        self.scan = None;
        self.rest.clear();
        self.conditions.clear();
        Ok(())
    }
}

impl Drop for IndexScan<'_> {
    fn drop(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.end_range(self.plan.backward);
        }
    }
}

/// What an index scan is told by the plan.
pub(crate) struct IndexPlan<'q> {
    pub(crate) relation: u16,
    pub(crate) index: u16,
    pub(crate) keys: IndexKeys<'q>,
    pub(crate) lower: Option<IndexBound<'q>>,
    pub(crate) upper: Option<IndexBound<'q>>,
    pub(crate) backward: bool,
    pub(crate) columns: &'q [ScanColumn],
    pub(crate) filters: &'q [expr::Program<'q>],
}

/// The rows that an index range holds.
pub(crate) struct IndexScan<'q> {
    node: &'q Node<'q>,
    plan: IndexPlan<'q>,
    table: Table,
    index: Arc<btree::Index>,
    ranges: IndexRanges<'q>,
    /// The places in the table of the columns that the key is made of.
    key_attributes: Vec<usize>,
    wanted: Wanted,
    cursor: Option<Cursor>,
    /// The cursor has nothing more to give.
    finished: bool,
    conditions: Conditions<'q>,
    /// Of the keys.
    runner: Runner,
    /// Of the keys; made when one has to be looked at.
    bump: Option<Bump>,
    rest: Rest,
    heap: Heap,
    buffer: RowBuffer,
    end: RowId,
    watch: Option<Watch>,
    index_oid: Oid,
}

impl<'q> IndexScan<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        plan: IndexPlan<'q>,
    ) -> Result<IndexScan<'q>> {
        let relation = &x.descriptions.relations[usize::from(plan.relation)];
        let described = &x.descriptions.indexes[usize::from(plan.index)];
        let place = |attribute: i16| usize::from(attribute.unsigned_abs()).saturating_sub(1);
        let key_attributes = match plan.keys.expressions {
            Some((attributes, _)) => attributes.iter().map(|a| place(*a)).collect(),
            None => described.keys.iter().map(|key| place(key.attribute)).collect(),
        };
        Ok(IndexScan {
            node,
            table: x.storage.table(relation)?,
            index: x.storage.index(described)?,
            ranges: IndexRanges::new(x, &plan.keys, (plan.lower, plan.upper), plan.backward),
            key_attributes,
            wanted: Wanted::new(plan.columns, relation.oid),
            cursor: None,
            finished: false,
            conditions: Conditions::new(x, plan.filters),
            runner: Runner::new(),
            bump: None,
            rest: Rest::default(),
            heap: x.heap("IndexScan"),
            buffer: RowBuffer::new(),
            end: RowId(0),
            watch: Watch::new(x, relation),
            index_oid: described.oid,
            plan,
        })
    }
}

impl<'q> IndexScan<'q> {
    /// The key of the version of a row that the statement sees.
    fn key_of(&mut self, x: &Execution<'q>, view: &View, row: RowId) -> Result<Option<Vec<u8>>> {
        if !self.table.fetch(view, row, &self.key_attributes, &mut self.buffer)? {
            return Ok(None);
        }
        let bump = self.bump.get_or_insert_with(|| x.bump());
        bump.reset();
        let mut values = Vec::with_capacity(self.key_attributes.len());
        for (i, attribute) in self.key_attributes.iter().enumerate() {
            let layout = self.table.columns()[*attribute].layout;
            values.push(match self.buffer.get(i) {
                Some(stored) => layout.decode(stored)?,
                None => Datum::Null,
            });
        }
        let mut have = Vec::new();
        let host = x.host.io().host;
        match &self.plan.keys.expressions {
            None => key::encode(host, self.ranges.keys(), &values, &mut have)?,
            Some((_, program)) => {
                let cx = x.value(bump, program)?;
                let values = bump.alloc_slice_copy(&values)?;
                let keys = program.eval_row(&mut self.runner, &cx, expr::Inputs::Row(values))?;
                key::encode(host, self.ranges.keys(), keys, &mut have)?;
            }
        }
        Ok(Some(have))
    }

    /// A cursor over the next range.
    fn open(&mut self, x: &Execution<'q>) -> Result<Option<Cursor>> {
        let Some(range) = self.ranges.next(x)? else { return Ok(None) };
        if let Some(watch) = &mut self.watch {
            watch.begin_range(self.index_oid, &range);
        }
        let direction = if self.plan.backward { Direction::Backward } else { Direction::Forward };
        Ok(Some(Cursor::new(self.index.clone(), range, direction)))
    }

    /// Opens the cursor unless it is; false when there is nothing to look for.
    fn is_open(&mut self, x: &Execution<'q>) -> Result<bool> {
        if self.cursor.is_none() {
            self.cursor = self.open(x)?;
            // After the range is watched: an entry for a row behind this end comes later.
            self.end = self.table.high_water();
        }
        Ok(self.cursor.is_some())
    }
}

impl<'q> Operator<'q> for IndexScan<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        if let Some(error) = self.conditions.take_error() {
            return Err(error);
        }
        if self.finished || !self.is_open(x)? {
            self.finished = true;
            return Ok(None);
        }
        let watched = self.watch.as_ref().map(|watch| watch.view.clone());
        let view = watched.as_ref().unwrap_or(&x.view);
        let layouts: Vec<_> =
            self.wanted.attributes.iter().map(|i| self.table.columns()[*i].layout).collect();
        loop {
            x.check()?;
            let Some(mut cursor) = self.cursor.take() else { return Ok(None) };
            let mut columns: Vec<Column> =
                layouts.iter().map(|layout| Column::new(*layout, &self.heap)).collect();
            let (mut rows, mut stamps) = (Vec::new(), Vec::new());
            let mut ended = false;
            while rows.len() < demand {
                let Some(entry) = cursor.next()? else {
                    let Some(next) = self.open(x)? else {
                        ended = true;
                        break;
                    };
                    cursor = next;
                    continue;
                };
                if let Some(watch) = &mut self.watch {
                    watch.note(entry.key, entry.row);
                }
                if entry.row >= self.end {
                    if self.watch.is_some() {
                        // Tells of its writer, who may have come before a later range was watched.
                        let _ = entry.belief(view);
                    }
                    continue;
                }
                let (row, mut check) = (entry.row, None);
                match entry.belief(view) {
                    btree::Belief::Live => {}
                    btree::Belief::Dead => continue,
                    btree::Belief::Unsure => check = Some(entry.key.to_vec()),
                }
                if !self.table.fetch(view, row, &self.wanted.attributes, &mut self.buffer)? {
                    continue;
                }
                let start = rows.len();
                for (i, column) in columns.iter_mut().enumerate() {
                    match self.buffer.get(i) {
                        Some(stored) => column.push_stored(stored)?,
                        None => column.push_null()?,
                    }
                }
                rows.push(row);
                if self.wanted.stamps {
                    stamps.push(self.table.fetch_stamp(view, row)?.unwrap_or_default());
                }
                // An entry that is not settled counts only if the version seen has its key.
                if let Some(key) = check
                    && self.key_of(x, view, row)?.as_deref() != Some(&*key)
                {
                    rows.truncate(start);
                    stamps.truncate(start);
                    columns.iter_mut().for_each(|column| column.truncate(start));
                }
            }
            self.cursor = Some(cursor);
            self.finished = ended;
            if let Some(watch) = &mut self.watch {
                watch.tracked.check()?;
                watch.finished = ended;
            }
            if rows.is_empty() {
                if ended {
                    return Ok(None);
                }
                continue;
            }
            let columns: Vec<Rc<Column>> = columns.into_iter().map(Rc::new).collect();
            let batch =
                self.wanted.assemble(&self.heap, self.node.columns, &columns, &rows, &stamps)?;
            let batch = self.conditions.select(x, batch)?;
            if !batch.is_empty() {
                return Ok(Some(self.rest.cut(batch, demand)));
            }
            if let Some(error) = self.conditions.take_error() {
                return Err(error);
            }
            if ended {
                return Ok(None);
            }
        }
    }

    fn rescan(&mut self, _: &Execution<'q>) -> Result<()> {
        if let Some(watch) = &mut self.watch {
            watch.end_range(self.plan.backward);
        }
        self.cursor = None;
        self.ranges.restart();
        self.finished = false;
        self.rest.clear();
        self.conditions.clear();
        Ok(())
    }
}
