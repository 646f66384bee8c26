//! Groups and aggregates, by hashing. Groups come out in the order in which they were met.

use crate::keys::{Columns, KeyTable, Source};
use crate::operator::{Child, Operator};
use crate::rows::RowStore;
use crate::sort::Sorter;
use crate::state::Execution;
use base::Result;
use batch::{Batch, Column};
use expr::{Call, GroupStates, Vector};
use memory::{Bump, Heap};
use plan::{AggregateCall, Node, SortColumn};
use std::any::Any;
use std::rc::Rc;
use types::Datum;

const CHUNK: usize = 1024;

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
}

/// One aggregate call over the groups of a set.
struct CallState<'q> {
    call: &'q AggregateCall<'q>,
    states: Box<dyn GroupStates>,
    cache: Option<Box<dyn Any>>,
    /// The arguments seen in each group, for DISTINCT.
    seen: Option<KeyTable>,
    /// Arguments kept until they can be sorted: group number and input columns.
    ordered: Option<Ordered>,
}

struct Ordered {
    sorter: Sorter,
    groups: Vec<u32>,
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
                        .map(|call| CallState::new(&heap, call, input_columns))
                        .collect(),
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
            // Without keys there is a group even for no rows.
            if set.groups == 0 && (self.always || set.keys.is_empty()) {
                set.groups = 1;
            }
            for call in &mut set.calls {
                call.states.grow(set.groups)?;
                call.finish_ordered(x, &mut self.bump, self.input_columns, &self.heap)?;
            }
        }
        Ok(())
    }
}

impl<'q> CallState<'q> {
    fn new(heap: &Heap, call: &'q AggregateCall<'q>, input: &[plan::Column]) -> CallState<'q> {
        let seen = (!call.distinct.is_empty()).then(|| {
            let mut types = vec![base::Oid(types::oids::INT8)];
            types.extend(call.distinct.iter().map(|key| key.type_oid));
            KeyTable::new(heap, types)
        });
        let ordered = (!call.order_by.is_empty()).then(|| Ordered {
            sorter: Sorter::new(heap, call.order_by, input),
            groups: Vec::new(),
        });
        CallState { call, states: (call.factory)(heap), cache: None, seen, ordered }
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
        let (mut new_rows, mut new_groups) = (Vec::new(), Vec::new());
        if let Some(seen) = &mut self.seen {
            for (row, group) in rows.iter().zip(groups) {
                let source =
                    Seen { group: *group, columns: batch.columns(), keys: self.call.distinct };
                let host = x.host.io().host;
                if seen.insert(host, &source, usize::from(*row), true)?.is_some_and(|k| k.1) {
                    new_rows.push(*row);
                    new_groups.push(*group);
                }
            }
            (rows, groups) = (&new_rows, &new_groups);
        }
        if let Some(ordered) = &mut self.ordered {
            ordered.sorter.push(x.host.io().host, &batch.clone().select(rows.into()))?;
            ordered.groups.extend_from_slice(groups);
            return Ok(());
        }
        let args: Vec<Vector<'_>> = self
            .call
            .direct
            .iter()
            .chain(self.call.args)
            .map(|arg| Vector::Column(batch.column(usize::from(*arg))))
            .collect();
        let mut cx = Call::new(bump, x.host, &self.call.site, &mut self.cache);
        self.states.advance_batch(&mut cx, &args, rows, groups)
    }

    /// Takes in, in order, what was kept to be sorted.
    fn finish_ordered(
        &mut self,
        x: &Execution<'q>,
        bump: &mut Bump,
        _: &[plan::Column],
        heap: &Heap,
    ) -> Result<()> {
        let Some(ordered) = &self.ordered else { return Ok(()) };
        let order = ordered.sorter.order();
        for chunk in order.chunks(CHUNK) {
            x.check()?;
            bump.reset();
            let batch = ordered.sorter.rows.batch(heap, chunk)?;
            let rows: Vec<u16> = (0..chunk.len() as u16).collect();
            let groups: Vec<u32> = chunk.iter().map(|row| ordered.groups[*row as usize]).collect();
            let args: Vec<Vector<'_>> = self
                .call
                .direct
                .iter()
                .chain(self.call.args)
                .map(|arg| Vector::Column(batch.column(usize::from(*arg))))
                .collect();
            let mut cx = Call::new(bump, x.host, &self.call.site, &mut self.cache);
            self.states.advance_batch(&mut cx, &args, &rows, &groups)?;
        }
        Ok(())
    }
}

/// The key of DISTINCT: the group, then the arguments.
struct Seen<'a> {
    group: u32,
    columns: &'a [Rc<Column>],
    keys: &'a [SortColumn],
}

impl Source for Seen<'_> {
    fn datum(&self, key: usize, row: usize) -> Datum<'_> {
        match key.checked_sub(1) {
            None => Datum::Int8(self.group.into()),
            Some(key) => self.columns[usize::from(self.keys[key].column)].get(row),
        }
    }
}

impl<'q> Set<'q> {
    fn take(&mut self, x: &Execution<'q>, bump: &Bump, batch: &Batch) -> Result<()> {
        let rows: Vec<u16> = batch.rows().map(|row| row as u16).collect();
        let mut groups = Vec::with_capacity(rows.len());
        if self.keys.is_empty() {
            groups.resize(rows.len(), 0);
            self.groups = 1;
        } else {
            let source = Columns { columns: batch.columns(), keys: &self.keys };
            let integers = source.integers();
            let host = x.host.io().host;
            let mut first = Vec::new();
            for row in &rows {
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
                let keys: Vec<Rc<Column>> = self
                    .keys
                    .iter()
                    .map(|key| batch.column(usize::from(key.column)).clone())
                    .collect();
                let new = Batch::new(keys, batch.physical_rows()).select(first.into());
                self.values.append(&new)?;
            }
            self.groups = self.table.len();
        }
        for call in &mut self.calls {
            call.states.grow(self.groups)?;
            call.take(x, bump, batch, &rows, &groups)?;
        }
        Ok(())
    }

    /// Groups from `first` on as output rows.
    fn output(
        &mut self,
        x: &Execution<'q>,
        bump: &Bump,
        heap: &Heap,
        out: &[plan::Column],
        first: usize,
        count: usize,
    ) -> Result<Batch> {
        let rows: Vec<u32> = (first as u32..(first + count) as u32).collect();
        let mut columns = Vec::with_capacity(out.len());
        for (place, described) in self.places.iter().zip(out) {
            columns.push(Rc::new(match place {
                Some(key) => self.values.columns()[*key].gather(heap, &rows)?,
                None => Column::constant(described.layout, heap, &Datum::Null, count)?,
            }));
        }
        for (call, described) in self.calls.iter_mut().zip(&out[self.places.len()..]) {
            let mut column = Column::new(described.layout, heap);
            for group in first..first + count {
                let mut cx = Call::new(bump, x.host, &call.call.site, &mut call.cache);
                column.push(&call.states.finish(group, &mut cx)?)?;
            }
            columns.push(Rc::new(column));
        }
        Ok(Batch::new(columns, count))
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
                self.next = (at + 1, 0);
                continue;
            }
            self.bump.reset();
            let out = self.node.columns;
            let mut batch = set.output(x, &self.bump, &self.heap, out, first, count)?;
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
            set.table.clear();
            set.values.clear();
            set.groups = 0;
            for call in &mut set.calls {
                *call = CallState::new(&self.heap, call.call, self.input_columns);
            }
        }
        self.input.rescan(x)
    }
}
