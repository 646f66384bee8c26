//! Window functions over sorted input.
//!
//! Whole partitions are kept, as many at a time as make up some batches; partitions and peers are
//! found by the bytes of their keys. An aggregate
//! whose frame only grows is advanced row by row; for other frames it is computed anew.

use crate::keys::key_columns;
use crate::operator::{Child, Operator};
use crate::rows::RowStore;
use crate::state::Execution;
use analyze::tree::{FrameExclusion, FrameUnit};
use base::{Result, err};
use batch::Column;
use expr::{Call, GroupStates, WindowFunction, WindowView};
use memory::{Bump, Heap};
use plan::{Frame, FrameEnd, Node, SortColumn, WindowBody, WindowCall};
use std::any::Any;
use std::ops::Range;
use std::rc::Rc;
use types::{Datum, key};

const CHUNK: usize = 1024;
/// So many rows are worth computing the results of together.
const ROWS_MIN: usize = 4 * CHUNK;

/// Window functions.
pub(crate) struct Window<'q> {
    node: &'q Node<'q>,
    input: Child<'q>,
    partition: &'q [SortColumn],
    order: &'q [SortColumn],
    frame: Frame<'q>,
    calls: &'q [WindowCall<'q>],
    rows: RowStore,
    /// The key of the last row, and where its partition begins.
    last_key: Vec<u8>,
    tail: usize,
    ended: bool,
    results: Vec<Rc<Column>>,
    /// The rows whose results are there, and how many of them were returned.
    ready: usize,
    next: usize,
    bump: Bump,
    heap: Heap,
}

impl<'q> Window<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        input: Child<'q>,
        partition: &'q [SortColumn],
        order: &'q [SortColumn],
        frame: Frame<'q>,
        calls: &'q [WindowCall<'q>],
    ) -> Window<'q> {
        let heap = x.heap("WindowAgg");
        let below = &node.columns[..node.columns.len() - calls.len()];
        Window {
            node,
            input,
            partition,
            order,
            frame,
            calls,
            rows: RowStore::new(&heap, below),
            last_key: Vec::new(),
            tail: 0,
            ended: false,
            results: Vec::new(),
            ready: 0,
            next: 0,
            bump: x.bump(),
            heap,
        }
    }

    /// Takes rows in until some partitions are whole.
    fn take(&mut self, x: &Execution<'q>) -> Result<()> {
        if self.ready > 0 {
            // Those that were returned make room; the last partition has only begun.
            let rows: Vec<u32> = (self.ready as u32..self.rows.len() as u32).collect();
            self.rows.retain(&rows)?;
            self.tail = 0;
        }
        while !self.ended && (self.tail == 0 || self.rows.len() < ROWS_MIN) {
            x.check()?;
            let Some(batch) = self.input.next(x, CHUNK)? else {
                self.ended = true;
                break;
            };
            let first = self.rows.len();
            self.rows.append(&batch)?;
            self.find_tail(x, first)?;
        }
        self.ready = if self.ended { self.rows.len() } else { self.tail };
        self.next = 0;
        self.evaluate(x)
    }

    /// Where the last partition begins, when rows from `first` on are new.
    fn find_tail(&mut self, x: &Execution<'q>, first: usize) -> Result<()> {
        if self.partition.is_empty() {
            return Ok(());
        }
        let columns = key_columns(self.partition);
        let mut this = Vec::new();
        for row in first..self.rows.len() {
            this.clear();
            for (column, described) in columns.iter().zip(self.partition) {
                let value = self.rows.get(usize::from(described.column), row);
                key::encode_column(x.host.io().host, column, &value, &mut this)?;
            }
            if this != self.last_key {
                if row > 0 {
                    self.tail = row;
                }
                std::mem::swap(&mut this, &mut self.last_key);
            }
        }
        Ok(())
    }

    /// Computes the results of the rows that are ready.
    fn evaluate(&mut self, x: &Execution<'q>) -> Result<()> {
        let (partitions, peers) = (self.ids(x, self.partition)?, self.ids(x, self.order)?);
        let below = self.node.columns.len() - self.calls.len();
        let mut results: Vec<Column> = self.node.columns[below..]
            .iter()
            .map(|column| Column::new(column.layout, &self.heap))
            .collect();
        let mut start = 0;
        while start < self.ready {
            let mut end = start + 1;
            while end < self.ready && partitions[end] == partitions[start] {
                end += 1;
            }
            let view = Partition {
                rows: &self.rows,
                range: start..end,
                peers: &peers,
                frame: &self.frame,
                order: self.order,
                x,
                position: 0,
                args: &[],
            };
            for (call, column) in self.calls.iter().zip(&mut results) {
                evaluate(x, call, &view, column, &mut self.bump, &self.heap)?;
            }
            start = end;
        }
        self.results = results.into_iter().map(Rc::new).collect();
        Ok(())
    }

    /// A number for each row, equal for neighbours that are equal in some columns.
    fn ids(&self, x: &Execution<'q>, keys: &[SortColumn]) -> Result<Vec<u32>> {
        let columns = key_columns(keys);
        let (mut ids, mut id) = (Vec::with_capacity(self.ready), 0);
        let (mut last, mut this) = (Vec::new(), Vec::new());
        for row in 0..self.ready {
            this.clear();
            for (column, described) in columns.iter().zip(keys) {
                let value = self.rows.get(usize::from(described.column), row);
                key::encode_column(x.host.io().host, column, &value, &mut this)?;
            }
            if row > 0 && this != last {
                id += 1;
            }
            std::mem::swap(&mut last, &mut this);
            ids.push(id);
        }
        Ok(ids)
    }
}

/// One partition, as window functions see it.
#[derive(Clone)]
struct Partition<'a, 'q> {
    rows: &'a RowStore,
    range: Range<usize>,
    peers: &'a [u32],
    frame: &'a Frame<'q>,
    order: &'a [SortColumn],
    x: &'a Execution<'q>,
    position: usize,
    args: &'a [u16],
}

/// The first of `rows` rows that meets a condition which all rows behind it meet, too.
fn first_row(rows: usize, mut meets: impl FnMut(usize) -> Result<bool>) -> Result<usize> {
    let (mut low, mut high) = (0, rows);
    while low < high {
        let middle = usize::midpoint(low, high);
        if meets(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

impl Partition<'_, '_> {
    fn column(&self, column: u16, row: usize) -> Datum<'_> {
        self.rows.get(usize::from(column), self.range.start + row)
    }

    fn peer(&self, row: usize) -> u32 {
        self.peers[self.range.start + row]
    }

    fn len(&self) -> usize {
        self.range.len()
    }

    /// The first row of the group of peers of a row, and the row behind its last.
    fn group(&self, row: usize) -> Range<usize> {
        let peer = self.peer(row);
        let (mut start, mut end) = (row, row + 1);
        while start > 0 && self.peer(start - 1) == peer {
            start -= 1;
        }
        while end < self.len() && self.peer(end) == peer {
            end += 1;
        }
        start..end
    }

    fn offset(&self, column: u16, start: bool) -> Result<i64> {
        let which = if start { "starting" } else { "ending" };
        let value = match self.column(column, self.position) {
            Datum::Int8(value) => value,
            Datum::Int4(value) => value.into(),
            Datum::Int2(value) => value.into(),
            _ => return Err(err!(NULL_VALUE_NOT_ALLOWED, "frame {which} offset must not be null")),
        };
        if value < 0 {
            return Err(err!(
                INVALID_PRECEDING_OR_FOLLOWING_SIZE,
                "frame {which} offset must not be negative"
            ));
        }
        Ok(value)
    }

    /// The first row of the frame if `start`, else the row behind its last.
    fn bound(&self, end: FrameEnd, start: bool) -> Result<usize> {
        let (len, at) = (self.len(), self.position);
        let sign = |end: FrameEnd| if matches!(end, FrameEnd::Preceding(_)) { -1 } else { 1 };
        Ok(match end {
            FrameEnd::UnboundedPreceding => 0,
            FrameEnd::UnboundedFollowing => len,
            FrameEnd::CurrentRow => match self.frame.unit {
                FrameUnit::Rows => at + usize::from(!start),
                _ if start => self.group(at).start,
                _ => self.group(at).end,
            },
            FrameEnd::Preceding(column) | FrameEnd::Following(column) => match self.frame.unit {
                FrameUnit::Rows => {
                    let offset = self.offset(column, start)?.saturating_mul(sign(end));
                    let row = (at as i64).saturating_add(offset);
                    let row = if start { row } else { row.saturating_add(1) };
                    usize::try_from(row.max(0)).unwrap_or(usize::MAX).min(len)
                }
                FrameUnit::Groups => {
                    let offset = self.offset(column, start)?.saturating_mul(sign(end));
                    let wanted = i64::from(self.peer(at)).saturating_add(offset);
                    first_row(len, |row| {
                        let peer = i64::from(self.peer(row));
                        Ok(if start { peer >= wanted } else { peer > wanted })
                    })?
                }
                FrameUnit::Range => self.in_range(end, column, start)?,
            },
        })
    }

    fn in_range(&self, end: FrameEnd, column: u16, start: bool) -> Result<usize> {
        let (Some((function, site)), [key]) = (self.frame.in_range, self.order) else {
            return Err(base::Error::internal("RANGE with an offset without in_range"));
        };
        let which = if start { "starting" } else { "ending" };
        let offset = self.column(column, self.position);
        if offset.is_null() {
            return Err(err!(NULL_VALUE_NOT_ALLOWED, "frame {which} offset must not be null"));
        }
        let current = self.column(key.column, self.position);
        if current.is_null() {
            let group = self.group(self.position);
            return Ok(if start { group.start } else { group.end });
        }
        let preceding = matches!(end, FrameEnd::Preceding(_));
        // In a descending order what precedes is greater.
        let subtract = preceding != key.descending;
        let less = start == key.descending;
        let bump = self.x.bump();
        // The first row inside begins the frame; the first outside ends it.
        first_row(self.len(), |row| {
            let value = self.column(key.column, row);
            if value.is_null() {
                return Ok(!key.nulls_first);
            }
            let mut cache: Option<Box<dyn Any>> = None;
            let mut cx = Call::new(&bump, self.x.host, &site, &mut cache);
            let args = [value, current, offset, Datum::Bool(subtract), Datum::Bool(less)];
            let args: Vec<Datum<'_>> =
                args.iter().map(|arg| arg.copy_to(&&bump)).collect::<Result<_>>()?;
            Ok(matches!(function(&mut cx, &args)?, Datum::Bool(true)) == start)
        })
    }

    fn excluded(&self, row: usize) -> bool {
        match self.frame.exclusion {
            FrameExclusion::NoOthers => false,
            FrameExclusion::CurrentRow => row == self.position,
            FrameExclusion::Group => self.peer(row) == self.peer(self.position),
            FrameExclusion::Ties => {
                row != self.position && self.peer(row) == self.peer(self.position)
            }
        }
    }
}

impl WindowView for Partition<'_, '_> {
    fn position(&self) -> usize {
        self.position
    }

    fn partition_rows(&self) -> usize {
        self.len()
    }

    fn are_peers(&self, a: usize, b: usize) -> Result<bool> {
        Ok(self.peer(a) == self.peer(b))
    }

    fn frame(&self) -> Result<Range<usize>> {
        let start = self.bound(self.frame.start, true)?;
        let end = self.bound(self.frame.end, false)?;
        Ok(start..end.max(start))
    }

    fn is_excluded(&self, row: usize) -> Result<bool> {
        Ok(self.excluded(row))
    }

    fn argument(&self, argument: usize, row: usize) -> Datum<'_> {
        self.column(self.args[argument], row)
    }
}

/// The values of one call for all rows of a partition.
fn evaluate<'q>(
    x: &Execution<'q>,
    call: &WindowCall<'q>,
    partition: &Partition<'_, 'q>,
    out: &mut Column,
    bump: &mut Bump,
    heap: &Heap,
) -> Result<()> {
    let mut view = Partition { args: call.args, ..partition.clone() };
    match call.body {
        WindowBody::Function(make) => {
            let mut function: Box<dyn WindowFunction> = make();
            let mut cache = None;
            for row in 0..view.len() {
                if row % CHUNK == 0 {
                    x.check()?;
                }
                bump.reset();
                view.position = row;
                let mut cx = Call::new(bump, x.host, &call.site, &mut cache);
                out.push(&function.value(&mut cx, &view)?)?;
            }
            Ok(())
        }
        WindowBody::Aggregate(make) => {
            let mut running = Running { states: make(heap), done: 0..0, cache: None };
            running.states.grow(1)?;
            for row in 0..view.len() {
                if row % CHUNK == 0 {
                    x.check()?;
                }
                bump.reset();
                view.position = row;
                running.move_to(x, call, &view, bump)?;
                let mut cx = Call::new(bump, x.host, &call.site, &mut running.cache);
                out.push(&running.states.finish(0, &mut cx)?)?;
            }
            Ok(())
        }
    }
}

/// An aggregate over a moving frame.
struct Running {
    states: Box<dyn GroupStates>,
    done: Range<usize>,
    cache: Option<Box<dyn Any>>,
}

impl Running {
    fn move_to<'q>(
        &mut self,
        x: &Execution<'q>,
        call: &WindowCall<'q>,
        view: &Partition<'_, 'q>,
        bump: &Bump,
    ) -> Result<()> {
        let frame = view.frame()?;
        let grows = frame.start == self.done.start
            && frame.end >= self.done.end
            && view.frame.exclusion == FrameExclusion::NoOthers;
        if !grows {
            self.states.clear();
            self.states.grow(1)?;
            self.done = frame.start..frame.start;
        }
        for row in self.done.end..frame.end {
            if view.excluded(row) {
                continue;
            }
            if let Some(filter) = call.filter
                && !matches!(view.column(filter, row), Datum::Bool(true))
            {
                continue;
            }
            let args: Vec<Datum<'_>> = call.args.iter().map(|arg| view.column(*arg, row)).collect();
            let mut cx = Call::new(bump, x.host, &call.site, &mut self.cache);
            self.states.advance(0, &mut cx, &args)?;
        }
        self.done = frame;
        Ok(())
    }
}

impl<'q> Operator<'q> for Window<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<batch::Batch>> {
        while self.next == self.ready {
            if self.ended {
                return Ok(None);
            }
            self.take(x)?;
        }
        let count = (self.ready - self.next).min(demand).min(CHUNK);
        let mut batch = self.rows.range(&self.heap, self.next, count)?;
        let rows: Vec<u32> = (self.next as u32..(self.next + count) as u32).collect();
        for column in &self.results {
            batch.push_column(Rc::new(column.gather(&self.heap, &rows)?));
        }
        self.next += count;
        Ok(Some(batch))
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.ended = false;
        self.ready = 0;
        self.next = 0;
        self.tail = 0;
        self.last_key.clear();
        self.rows.clear();
        self.results.clear();
        self.input.rescan(x)
    }
}
