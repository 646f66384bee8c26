//! Groups and aggregates, by hashing. Groups come out in the order in which they were met.

use crate::distinct::Seen;
use crate::keys::{Columns, KeyTable, Source};
use crate::later::{Later, group_of};
use crate::operator::{Child, Operator};
use crate::rows::RowStore;
use crate::sort::Sorter;
use crate::spill::{Budget, LEVEL_MAX, Partitions, Rows};
use crate::state::Execution;
use base::Result;
use batch::{Batch, Column, Layout, Shape};
use expr::{Call, GroupStates, Vector};
use memory::{Bump, Heap};
use plan::{AggregateCall, Node, SortColumn};
use std::any::Any;
use std::rc::Rc;
use types::Datum;

const CHUNK: usize = 1024;
/// A batch of results ends with the group that makes it larger than this.
const OUTPUT_BYTES: usize = 1 << 20;

/// The groups of one grouping set.
struct Set<'q> {
    /// The keys of the set, as columns of the input.
    keys: Vec<SortColumn>,
    /// For each key of the node its place among `keys`.
    places: Vec<Option<usize>>,
    table: KeyTable,
    /// The key values of each group.
    values: RowStore,
    groups: usize,
    calls: Vec<CallState<'q>>,
    /// Where rows of new groups go since the table is full.
    spilled: Option<Partitions>,
    level: u32,
    /// Partitions whose groups are still to be made, with their level.
    pending: Vec<(u32, Rows)>,
    batches: u64,
    budget: Budget,
    heap: Heap,
}

/// One aggregate call over the groups of a set.
struct CallState<'q> {
    call: &'q AggregateCall<'q>,
    states: Box<dyn GroupStates>,
    cache: Option<Box<dyn Any>>,
    heap: Heap,
    /// The arguments seen in each group, for DISTINCT.
    seen: Option<Seen>,
    /// Arguments kept until they can be sorted: input columns and group number.
    ordered: Option<Sorter>,
    /// Whether rows may be taken in later: the states keep something of each, for many groups.
    can_wait: bool,
    later: Option<Later>,
    budget: Budget,
}

/// Groups and their aggregates.
pub(crate) struct Aggregate<'q> {
    node: &'q Node<'q>,
    input: Child<'q>,
    input_columns: &'q [plan::Column],
    always: bool,
    set_column: bool,
    sets: Vec<Set<'q>>,
    filled: bool,
    next: (usize, usize),
    bump: Bump,
    heap: Heap,
}

impl<'q> Aggregate<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        input: Child<'q>,
        input_columns: &'q [plan::Column],
        keys: &'q [SortColumn],
        sets: &'q [&'q [u16]],
        calls: &'q [AggregateCall<'q>],
        always: bool,
        set_column: bool,
    ) -> Aggregate<'q> {
        let heap = x.heap("Aggregate");
        let sets = sets
            .iter()
            .map(|set| {
                let own: Vec<SortColumn> = set.iter().map(|key| keys[usize::from(*key)]).collect();
                let columns: Vec<plan::Column> =
                    set.iter().map(|key| node.columns[usize::from(*key)]).collect();
                let places = (0..keys.len())
                    .map(|key| set.iter().position(|other| usize::from(*other) == key))
                    .collect();
                Set {
                    table: KeyTable::new(&heap, own.iter().map(|key| key.type_oid).collect()),
                    values: RowStore::new(&heap, &columns),
                    keys: own,
                    places,
                    groups: 0,
                    calls: calls
                        .iter()
                        .map(|call| CallState::new(x, call, input_columns, &heap, !set.is_empty()))
                        .collect(),
                    spilled: None,
                    level: 0,
                    pending: Vec::new(),
                    batches: 0,
                    budget: Budget::hash(x),
                    heap: heap.clone(),
                }
            })
            .collect();
        Aggregate {
            node,
            input,
            input_columns,
            always,
            set_column,
            sets,
            filled: false,
            next: (0, 0),
            bump: x.bump(),
            heap,
        }
    }

    fn fill(&mut self, x: &Execution<'q>) -> Result<()> {
        while let Some(batch) = self.input.next(x, CHUNK)? {
            x.check()?;
            self.bump.reset();
            for set in &mut self.sets {
                set.take(x, &self.bump, &batch)?;
            }
        }
        for set in &mut self.sets {
            set.complete(x, &mut self.bump, self.always)?;
        }
        Ok(())
    }
}

impl<'q> CallState<'q> {
    fn new(
        x: &Execution<'q>,
        call: &'q AggregateCall<'q>,
        input: &[plan::Column],
        heap: &Heap,
        many: bool,
    ) -> CallState<'q> {
        let seen = (!call.distinct.is_empty()).then(|| {
            let mut types = vec![base::Oid(types::oids::INT8)];
            types.extend(call.distinct.iter().map(|key| key.type_oid));
            Seen::new(x, &x.heap("AggregateDistinct"), types)
        });
        let ordered = (!call.order_by.is_empty()).then(|| {
            let group = Layout { shape: Shape::Int4 };
            let layouts = input.iter().map(|column| column.layout).chain([group]);
            Sorter::new(x, &x.heap("AggregateSort"), call.order_by, layouts)
        });
        let (states, heap) = ((call.factory)(heap), heap.clone());
        let can_wait = many && states.collects();
        let budget = Budget::hash(x);
        CallState { call, states, cache: None, heap, seen, ordered, can_wait, later: None, budget }
    }

    fn take(
        &mut self,
        x: &Execution<'q>,
        bump: &Bump,
        batch: &Batch,
        rows: &[u16],
        groups: &[u32],
    ) -> Result<()> {
        let (mut some_rows, mut some_groups) = (Vec::new(), Vec::new());
        let (mut rows, mut groups) = (rows, groups);
        if let Some(filter) = self.call.filter {
            let column = batch.column(usize::from(filter));
            for (row, group) in rows.iter().zip(groups) {
                if matches!(column.get(usize::from(*row)), Datum::Bool(true)) {
                    some_rows.push(*row);
                    some_groups.push(*group);
                }
            }
            (rows, groups) = (&some_rows, &some_groups);
        }
        let last = self.seen.is_none() && self.ordered.is_none();
        if last && !self.waits(batch) {
            return self.advance(x, bump, batch, rows, groups);
        }
        let numbered = with_groups(batch, rows, groups, &self.heap)?;
        match &mut self.seen {
            None => self.take_last(x, bump, numbered),
            Some(seen) => {
                let source = Numbered { batch: &numbered, keys: self.call.distinct };
                let first = seen.first(x, &numbered, &source)?;
                self.take_last(x, bump, numbered.select(first.into()))
            }
        }
    }

    /// Rows with their groups that DISTINCT has let through.
    fn take_last(&mut self, x: &Execution<'q>, bump: &Bump, numbered: Batch) -> Result<()> {
        if numbered.is_empty() {
            return Ok(());
        }
        match &mut self.ordered {
            Some(sorter) => sorter.push(x, &numbered),
            None => self.advance_or_wait(x, bump, &numbered),
        }
    }

    /// Whether rows are to be taken in later, since the states have as much memory as they may.
    fn waits(&self, batch: &Batch) -> bool {
        if !self.can_wait || self.later.is_some() {
            return self.can_wait;
        }
        let variable: usize = batch.columns().iter().map(|c| c.variable_bytes()).sum();
        let rows_share = variable / batch.physical_rows().max(1) + 16;
        !self.budget.allows(&self.heap, (rows_share * batch.len()) as u64)
    }

    fn advance_or_wait(&mut self, x: &Execution<'q>, bump: &Bump, numbered: &Batch) -> Result<()> {
        if !self.waits(numbered) {
            return self.advance_numbered(x, bump, numbered);
        }
        let (groups, budget) = (self.states.len(), self.budget);
        let later = self.later.get_or_insert_with(|| Later::new(&self.heap, groups, budget));
        later.add(x, numbered)
    }

    fn advance_numbered(&mut self, x: &Execution<'q>, bump: &Bump, numbered: &Batch) -> Result<()> {
        let rows: Vec<u16> = numbered.rows().map(|row| row as u16).collect();
        let groups: Vec<u32> = numbered.rows().map(|row| group_of(numbered, row)).collect();
        self.advance(x, bump, numbered, &rows, &groups)
    }

    /// Takes in what has waited for `first` and the groups after it; how many of `count` are
    /// complete.
    fn catch_up(
        &mut self,
        x: &Execution<'q>,
        bump: &mut Bump,
        first: usize,
        count: usize,
    ) -> Result<usize> {
        let group = first as u32;
        while let Some(rows) = self.later.as_mut().map_or(Ok(None), |later| later.next(x, group))? {
            let mut block = 0;
            while let Some(batch) = rows.block(block, &self.heap)? {
                x.check()?;
                block += 1;
                bump.reset();
                self.advance_numbered(x, bump, &batch)?;
            }
        }
        Ok(self.later.as_ref().map_or(count, |later| later.complete(group, count)))
    }

    /// Gives back what groups that have come out hold.
    fn forget(&mut self, first: usize, count: usize) {
        if self.later.is_some() {
            self.states.forget(first..first + count);
        }
    }

    fn advance(
        &mut self,
        x: &Execution<'q>,
        bump: &Bump,
        batch: &Batch,
        rows: &[u16],
        groups: &[u32],
    ) -> Result<()> {
        let args: Vec<Vector<'_>> = self
            .call
            .direct
            .iter()
            .chain(self.call.args)
            .map(|arg| Vector::Column(batch.column(usize::from(*arg))))
            .chain(self.call.hypothetical.map(|flags| Vector::Const(Datum::Int8(flags))))
            .collect();
        let mut cx = Call::new(bump, x.host, &self.call.site, &mut self.cache);
        self.states.advance_batch(&mut cx, &args, rows, groups)
    }

    /// Takes in what DISTINCT and ORDER BY have kept.
    fn complete(&mut self, x: &Execution<'q>, bump: &mut Bump) -> Result<()> {
        while let Some(seen) = &mut self.seen {
            let Some(batch) = seen.next_spilled(x)? else { break };
            let source = Numbered { batch: &batch, keys: self.call.distinct };
            let first = seen.first(x, &batch, &source)?;
            bump.reset();
            self.take_last(x, bump, batch.select(first.into()))?;
        }
        if let Some(mut sorter) = self.ordered.take() {
            let mut sorted = sorter.sorted(x)?;
            while let Some(batch) = sorter.next(&mut sorted, CHUNK)? {
                x.check()?;
                bump.reset();
                self.advance_or_wait(x, bump, &batch)?;
            }
        }
        self.later.as_mut().map_or(Ok(()), Later::finish)
    }
}

/// Some rows of a batch with the numbers of their groups as last column.
fn with_groups(batch: &Batch, rows: &[u16], groups: &[u32], heap: &Heap) -> Result<Batch> {
    let mut flat = batch.clone().select(rows.into()).flatten(heap)?;
    let mut numbers = Column::new(Layout { shape: Shape::Int4 }, heap);
    for group in groups {
        numbers.push(&Datum::Int4(group.cast_signed()))?;
    }
    flat.push_column(Rc::new(numbers));
    Ok(flat)
}

/// The key of DISTINCT: the group, then the arguments.
struct Numbered<'a> {
    batch: &'a Batch,
    keys: &'a [SortColumn],
}

impl Source for Numbered<'_> {
    fn datum(&self, key: usize, row: usize) -> Datum<'_> {
        let columns = self.batch.columns();
        let column = match key.checked_sub(1) {
            None => columns.len() - 1,
            Some(key) => usize::from(self.keys[key].column),
        };
        columns[column].get(row)
    }
}

impl<'q> Set<'q> {
    fn take(&mut self, x: &Execution<'q>, bump: &Bump, batch: &Batch) -> Result<()> {
        let mut rows: Vec<u16> = batch.rows().map(|row| row as u16).collect();
        let mut groups = Vec::with_capacity(rows.len());
        if self.keys.is_empty() {
            groups.resize(rows.len(), 0);
            self.groups = 1;
        } else if self.is_full(x, batch)? {
            self.take_known(x, batch, &mut rows, &mut groups)?;
        } else {
            self.take_all(x, batch, &rows, &mut groups)?;
        }
        for call in &mut self.calls {
            call.states.grow(self.groups)?;
            call.take(x, bump, batch, &rows, &groups)?;
        }
        Ok(())
    }

    /// Whether no new groups are taken in.
    fn is_full(&mut self, x: &Execution<'q>, batch: &Batch) -> Result<bool> {
        if self.spilled.is_none()
            && self.level < LEVEL_MAX
            && self.groups > 0
            && !self.budget.allows(&self.heap, self.growth(batch))
        {
            let layouts: Vec<Layout> = batch.columns().iter().map(|c| c.layout()).collect();
            self.spilled = Some(Partitions::new(x, &self.heap, &layouts, self.level)?);
        }
        Ok(self.spilled.is_some())
    }

    /// The bytes that the rows of a batch may take if each is a group.
    fn growth(&self, batch: &Batch) -> u64 {
        let states = 64 * batch.len() * self.calls.len();
        self.table.growth(batch.len()) + (states + 32 * batch.len() * self.keys.len()) as u64
    }

    /// Rows of groups that are known; the others are spilled.
    fn take_known(
        &mut self,
        x: &Execution<'q>,
        batch: &Batch,
        rows: &mut Vec<u16>,
        groups: &mut Vec<u32>,
    ) -> Result<()> {
        let source = Columns { columns: batch.columns(), keys: &self.keys };
        let host = x.host.io().host;
        let mut others = Vec::new();
        rows.clear();
        for row in batch.rows() {
            match self.table.find_hashed(host, &source, row)? {
                (_, Some(group)) => {
                    rows.push(row as u16);
                    groups.push(group);
                }
                (hash, None) => others.push((row as u32, hash)),
            }
        }
        match &mut self.spilled {
            Some(spilled) => spilled.add(batch, &others),
            None => Ok(()),
        }
    }

    fn take_all(
        &mut self,
        x: &Execution<'q>,
        batch: &Batch,
        rows: &[u16],
        groups: &mut Vec<u32>,
    ) -> Result<()> {
        let source = Columns { columns: batch.columns(), keys: &self.keys };
        let integers = source.integers();
        let host = x.host.io().host;
        let mut first = Vec::new();
        for row in rows {
            let row = usize::from(*row);
            let found = match integers {
                Some(values) => Some(self.table.insert_integer(values.get(row))?),
                None => self.table.insert(host, &source, row, true)?,
            };
            let (group, new) = found.unwrap_or_default();
            if new {
                first.push(row as u16);
            }
            groups.push(group);
        }
        if !first.is_empty() {
            let column = |key: &SortColumn| batch.column(usize::from(key.column)).clone();
            let keys: Vec<Rc<Column>> = self.keys.iter().map(column).collect();
            let new = Batch::new(keys, batch.physical_rows()).select(first.into());
            self.values.append(&new)?;
        }
        self.groups = self.table.len();
        Ok(())
    }

    /// After the last row of the input, or of a partition.
    fn complete(&mut self, x: &Execution<'q>, bump: &mut Bump, always: bool) -> Result<()> {
        // Without keys there is a group even for no rows.
        if self.groups == 0 && (always || self.keys.is_empty()) {
            self.groups = 1;
        }
        for call in &mut self.calls {
            call.states.grow(self.groups)?;
            call.complete(x, bump)?;
        }
        self.batches += 1;
        if let Some(instruments) = &x.instruments {
            instruments.note_hash(self.table.buckets() as u64, self.batches);
        }
        if let Some(spilled) = self.spilled.take() {
            let below = spilled.finish()?.into_iter().filter(|rows| !rows.is_empty());
            self.pending.extend(below.map(|rows| (self.level + 1, rows)));
        }
        Ok(())
    }

    /// Forgets all groups and gives their memory back.
    fn release(&mut self, x: &Execution<'q>, input: &'q [plan::Column]) {
        self.table.release();
        self.values.clear();
        self.groups = 0;
        for call in &mut self.calls {
            *call = CallState::new(x, call.call, input, &self.heap, !self.keys.is_empty());
        }
    }

    /// Makes the groups of the next partition; false if there is none.
    fn next_partition(
        &mut self,
        x: &Execution<'q>,
        bump: &mut Bump,
        input: &'q [plan::Column],
    ) -> Result<bool> {
        let Some((level, rows)) = self.pending.pop() else { return Ok(false) };
        self.release(x, input);
        self.level = level;
        let mut block = 0;
        while let Some(batch) = rows.block(block, &self.heap)? {
            x.check()?;
            block += 1;
            bump.reset();
            self.take(x, bump, &batch)?;
        }
        self.complete(x, bump, false)?;
        Ok(true)
    }

    /// How many of `count` groups from `first` on can come out now: at least one.
    fn catch_up(
        &mut self,
        x: &Execution<'q>,
        bump: &mut Bump,
        first: usize,
        count: usize,
    ) -> Result<usize> {
        let mut calls = self.calls.iter_mut();
        calls.try_fold(count, |count, call| call.catch_up(x, bump, first, count))
    }

    /// Groups from `first` on as output rows: `count` of them, or fewer that are large.
    fn output(
        &mut self,
        x: &Execution<'q>,
        bump: &Bump,
        heap: &Heap,
        out: &[plan::Column],
        first: usize,
        count: usize,
    ) -> Result<Batch> {
        let described = out.iter().skip(self.places.len()).take(self.calls.len());
        let mut results: Vec<Column> =
            described.map(|described| Column::new(described.layout, heap)).collect();
        let mut made = 0;
        while made < count {
            for (call, column) in self.calls.iter_mut().zip(&mut results) {
                let mut cx = Call::new(bump, x.host, &call.call.site, &mut call.cache);
                column.push(&call.states.finish(first + made, &mut cx)?)?;
            }
            made += 1;
            if results.iter().map(Column::variable_bytes).sum::<usize>() > OUTPUT_BYTES {
                break;
            }
        }
        let rows: Vec<u32> = (first as u32..(first + made) as u32).collect();
        let mut columns = Vec::with_capacity(out.len());
        for (place, described) in self.places.iter().zip(out) {
            columns.push(Rc::new(match place {
                Some(key) => self.values.gather(*key, heap, &rows)?,
                None => Column::constant(described.layout, heap, &Datum::Null, made)?,
            }));
        }
        columns.extend(results.into_iter().map(Rc::new));
        self.calls.iter_mut().for_each(|call| call.forget(first, made));
        Ok(Batch::new(columns, made))
    }
}

impl<'q> Operator<'q> for Aggregate<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if !self.filled {
            self.fill(x)?;
            self.filled = true;
            self.next = (0, 0);
        }
        loop {
            let (at, first) = self.next;
            let Some(set) = self.sets.get_mut(at) else { return Ok(None) };
            let count = (set.groups - first).min(demand).min(CHUNK);
            if count == 0 {
                let more = set.next_partition(x, &mut self.bump, self.input_columns)?;
                self.next = if more { (at, 0) } else { (at + 1, 0) };
                continue;
            }
            let count = set.catch_up(x, &mut self.bump, first, count)?;
            self.bump.reset();
            let out = self.node.columns;
            let mut batch = set.output(x, &self.bump, &self.heap, out, first, count)?;
            let count = batch.len();
            if self.set_column
                && let Some(described) = out.last()
            {
                let number = Datum::Int4(at as i32);
                let column = Column::constant(described.layout, &self.heap, &number, count)?;
                batch.push_column(Rc::new(column));
            }
            self.next.1 += count;
            return Ok(Some(batch));
        }
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.filled = false;
        for set in &mut self.sets {
            set.release(x, self.input_columns);
            set.spilled = None;
            set.level = 0;
            set.pending.clear();
            set.batches = 0;
        }
        self.input.rescan(x)
    }
}
