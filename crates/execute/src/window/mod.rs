//! Window functions over sorted input.
//!
//! Whole partitions are kept, as many at a time as make up some batches, in memory or in a file;
//! partitions and peers are found by the bytes of their keys. Results are computed for the rows that
//! are asked for. An aggregate whose frame only grows is advanced row by row; for other frames it is
//! computed anew.

mod partition;
mod rows;

use crate::keys::key_columns;
use crate::operator::{Child, Operator};
use crate::state::Execution;
use analyze::tree::FrameExclusion;
use base::Result;
use batch::{Batch, Column};
use expr::{Call, GroupStates, WindowFunction, WindowView};
use memory::{Buffer, Bump, Heap};
use partition::Partition;
use plan::{Frame, Node, SortColumn, WindowBody, WindowCall};
use rows::WindowRows;
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
    rows: WindowRows,
    /// The key of the last row, and where its partition begins.
    last_key: Vec<u8>,
    tail: usize,
    ended: bool,
    /// The rows of whole partitions, and how many of them were returned.
    ready: usize,
    next: usize,
    /// Where each of the partitions ends, and which one is the next row's.
    ends: Vec<usize>,
    current: usize,
    /// A number for each of the rows, equal for peers.
    peers: Buffer<u32>,
    /// The calls in the current partition; none before its first row.
    running: Vec<Running>,
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
            rows: WindowRows::new(x, &heap, below),
            last_key: Vec::new(),
            tail: 0,
            ended: false,
            ready: 0,
            next: 0,
            ends: Vec::new(),
            current: 0,
            peers: Buffer::new(&heap),
            running: Vec::new(),
            bump: x.bump(),
            heap,
        }
    }

    /// Takes rows in until some partitions are whole.
    fn take(&mut self, x: &Execution<'q>) -> Result<()> {
        if self.ready > 0 {
            // Those that were returned make room; the last partition has only begun.
            self.rows.forget(x, self.ready)?;
            self.tail = 0;
        }
        while !self.ended && (self.tail == 0 || self.rows.len() < ROWS_MIN) {
            x.check()?;
            let Some(batch) = self.input.next(x, CHUNK)? else {
                self.ended = true;
                break;
            };
            self.find_tail(x, &batch)?;
            self.rows.append(x, &batch)?;
        }
        self.rows.finish()?;
        self.ready = if self.ended { self.rows.len() } else { self.tail };
        self.next = 0;
        self.current = 0;
        self.divide(x)
    }

    /// Where the last partition begins, when a batch is added.
    fn find_tail(&mut self, x: &Execution<'q>, batch: &Batch) -> Result<()> {
        if self.partition.is_empty() {
            return Ok(());
        }
        let columns = key_columns(self.partition);
        let (mut this, first) = (Vec::new(), self.rows.len());
        for (i, row) in batch.rows().enumerate() {
            this.clear();
            for (column, described) in columns.iter().zip(self.partition) {
                let value = batch.column(usize::from(described.column)).get(row);
                key::encode_column(x.host.io().host, column, &value, &mut this)?;
            }
            if this != self.last_key {
                if first + i > 0 {
                    self.tail = first + i;
                }
                std::mem::swap(&mut this, &mut self.last_key);
            }
        }
        Ok(())
    }

    /// Finds the partitions and peers among the rows that are ready.
    fn divide(&mut self, x: &Execution<'q>) -> Result<()> {
        self.ends.clear();
        self.peers.clear();
        let host = x.host.io().host;
        let columns = [key_columns(self.partition), key_columns(self.order)];
        let mut last = [Vec::new(), Vec::new()];
        let (mut this, mut peer) = (Vec::new(), 0);
        for row in 0..self.ready {
            if row % CHUNK == 0 {
                x.check()?;
            }
            let at = self.rows.at(row)?;
            let mut differs = [false; 2];
            for (which, keys) in [self.partition, self.order].into_iter().enumerate() {
                this.clear();
                for (column, described) in columns[which].iter().zip(keys) {
                    let value = at.get(usize::from(described.column));
                    key::encode_column(host, column, &value, &mut this)?;
                }
                differs[which] = this != last[which];
                std::mem::swap(&mut last[which], &mut this);
            }
            if row > 0 && differs[0] {
                self.ends.push(row);
            }
            peer += u32::from(row > 0 && differs[1]);
            self.peers.push(peer)?;
        }
        self.ends.push(self.ready);
        Ok(())
    }

    /// The results of some rows from the next one on.
    fn results(&mut self, x: &Execution<'q>, count: usize) -> Result<Vec<Column>> {
        let below = self.node.columns.len() - self.calls.len();
        let mut results: Vec<Column> = self.node.columns[below..]
            .iter()
            .map(|column| Column::new(column.layout, &self.heap))
            .collect();
        let (mut row, end) = (self.next, self.next + count);
        while row < end {
            let start = self.current.checked_sub(1).map_or(0, |before| self.ends[before]);
            let behind = self.ends[self.current];
            if row == start {
                let begin = |call: &WindowCall<'q>| Running::new(call, &self.heap);
                self.running = self.calls.iter().map(begin).collect::<Result<_>>()?;
            }
            let view = Partition {
                rows: &self.rows,
                range: start..behind,
                peers: &self.peers,
                frame: &self.frame,
                order: self.order,
                x,
                position: 0,
                args: &[],
            };
            let some = row - start..end.min(behind) - start;
            row = start + some.end;
            for ((call, running), out) in self.calls.iter().zip(&mut self.running).zip(&mut results)
            {
                running.rows(x, call, &view, some.clone(), out, &mut self.bump)?;
            }
            if row == behind {
                self.current += 1;
            }
        }
        Ok(results)
    }
}

/// One call while the rows of a partition pass.
struct Running {
    body: Body,
    cache: Option<Box<dyn Any>>,
}

enum Body {
    Function(Box<dyn WindowFunction>),
    /// An aggregate over a moving frame, and the rows that it has taken in.
    Aggregate(Box<dyn GroupStates>, Range<usize>),
}

impl Running {
    fn new(call: &WindowCall<'_>, heap: &Heap) -> Result<Running> {
        let body = match call.body {
            WindowBody::Function(make) => Body::Function(make()),
            WindowBody::Aggregate(make) => {
                let mut states = make(heap);
                states.grow(1)?;
                Body::Aggregate(states, 0..0)
            }
        };
        Ok(Running { body, cache: None })
    }

    /// The values for some rows of the partition, which follow those before.
    fn rows<'q>(
        &mut self,
        x: &Execution<'q>,
        call: &WindowCall<'q>,
        partition: &Partition<'_, 'q>,
        rows: Range<usize>,
        out: &mut Column,
        bump: &mut Bump,
    ) -> Result<()> {
        let mut view = Partition { args: call.args, ..partition.clone() };
        for row in rows {
            bump.reset();
            view.position = row;
            match &mut self.body {
                Body::Function(function) => {
                    let mut cx = Call::new(bump, x.host, &call.site, &mut self.cache);
                    out.push(&function.value(&mut cx, &view)?)?;
                }
                Body::Aggregate(states, done) => {
                    move_to(x, call, &view, states.as_mut(), done, &mut self.cache, bump)?;
                    let mut cx = Call::new(bump, x.host, &call.site, &mut self.cache);
                    out.push(&states.finish(0, &mut cx)?)?;
                }
            }
        }
        x.check()
    }
}

/// Moves an aggregate to the frame of the view's row.
fn move_to<'q>(
    x: &Execution<'q>,
    call: &WindowCall<'q>,
    view: &Partition<'_, 'q>,
    states: &mut dyn GroupStates,
    done: &mut Range<usize>,
    cache: &mut Option<Box<dyn Any>>,
    bump: &Bump,
) -> Result<()> {
    let frame = view.frame()?;
    let grows = frame.start == done.start
        && frame.end >= done.end
        && view.frame.exclusion == FrameExclusion::NoOthers;
    if !grows {
        states.clear();
        states.grow(1)?;
        *done = frame.start..frame.start;
    }
    for row in done.end..frame.end {
        if row % CHUNK == 0 {
            x.check()?;
        }
        if view.excluded(row) {
            continue;
        }
        let at = view.at(row)?;
        if let Some(filter) = call.filter
            && !matches!(at.get(usize::from(filter)), Datum::Bool(true))
        {
            continue;
        }
        let args: Vec<Datum<'_>> = call.args.iter().map(|arg| at.get(usize::from(*arg))).collect();
        let mut cx = Call::new(bump, x.host, &call.site, cache);
        states.advance(0, &mut cx, &args)?;
    }
    *done = frame;
    Ok(())
}

impl<'q> Operator<'q> for Window<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        while self.next == self.ready {
            if self.ended {
                return Ok(None);
            }
            self.take(x)?;
        }
        let count = (self.ready - self.next).min(demand).min(CHUNK);
        let results = self.results(x, count)?;
        let mut batch = self.rows.range(self.next, count)?;
        results.into_iter().for_each(|column| batch.push_column(Rc::new(column)));
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
        self.ends.clear();
        self.peers.clear();
        self.running.clear();
        self.current = 0;
        self.input.rescan(x)
    }
}
