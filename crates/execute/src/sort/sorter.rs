//! Rows with keys whose bytes sort as the rows do: in memory, or as runs in a file that are merged.

use crate::keys::key_columns;
use crate::rows::RowStore;
use crate::spill::{Block, Budget, Rows, SpillFile};
use crate::state::Execution;
use base::Result;
use base::interrupt::Pace;
use batch::{Batch, Column, Layout, Shape};
use memory::{Buffer, Heap};
use plan::SortColumn;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::rc::Rc;
use types::{Datum, KeyColumn, TypeHost, key};

const CHUNK: usize = 1024;
/// How much memory a run takes while it is merged.
const RUN_BYTES: u64 = 192 << 10;

/// The head of a key and the row that it is of.
type Item = (u64, u32);

/// Rows that are sorted.
pub(crate) struct Sorter {
    columns: Vec<KeyColumn>,
    keys: Vec<u16>,
    /// The columns of the rows; behind them the store has the key.
    width: usize,
    layouts: Rc<[Layout]>,
    store: RowStore,
    scratch: Vec<u8>,
    budget: Budget,
    /// The file that runs are written to, and the blocks of each.
    file: Option<(SpillFile, Vec<Vec<Block>>)>,
    heap: Heap,
}

impl Sorter {
    /// A sorter of rows with these columns. `heap` is its own.
    pub(crate) fn new(
        x: &Execution<'_>,
        heap: &Heap,
        keys: &[SortColumn],
        columns: impl Iterator<Item = Layout>,
    ) -> Sorter {
        let mut layouts: Vec<Layout> = columns.collect();
        let width = layouts.len();
        layouts.push(Layout { shape: Shape::Bytes });
        Sorter {
            columns: key_columns(keys),
            keys: keys.iter().map(|key| key.column).collect(),
            width,
            store: RowStore::of_layouts(heap, layouts.clone()),
            layouts: layouts.into(),
            scratch: Vec::new(),
            budget: Budget::work(x),
            file: None,
            heap: heap.clone(),
        }
    }

    /// The rows in memory.
    pub(crate) fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether rows were written.
    pub(crate) fn has_runs(&self) -> bool {
        self.file.is_some()
    }

    pub(crate) fn push(&mut self, x: &Execution<'_>, batch: &Batch) -> Result<()> {
        let variable: usize = batch.columns().iter().map(|c| c.variable_bytes()).sum();
        // The rows, their keys, what sorting takes, and the growth of the last chunk.
        let more = 2 * (variable + batch.len() * (16 + 16 * self.layouts.len()));
        let sorting = 16 * (self.store.len() + batch.len());
        if self.store.len() > 0 && !self.budget.allows(&self.heap, (more + sorting) as u64) {
            self.write_run(x)?;
        }
        let rows: Vec<u32> = batch.rows().map(|row| row as u32).collect();
        let keys = self.keys_of(x.host.io().host, batch)?;
        // The key of the n-th row that counts belongs to that row.
        let columns: Vec<&Column> = batch.columns().iter().map(|column| &**column).collect();
        self.store.append_keyed(&columns, &rows, &keys)
    }

    fn keys_of(&mut self, host: &dyn TypeHost, batch: &Batch) -> Result<Column> {
        let mut keys = Column::new(Layout { shape: Shape::Bytes }, &self.heap);
        for row in batch.rows() {
            self.scratch.clear();
            for (column, at) in self.columns.iter().zip(&self.keys) {
                let value = batch.column(usize::from(*at)).get(row);
                key::encode_column(host, column, &value, &mut self.scratch)?;
            }
            keys.push(&Datum::Bytes(&self.scratch))?;
        }
        Ok(keys)
    }

    fn key(&self, row: u32) -> &[u8] {
        self.store.bytes(self.width, row as usize)
    }

    /// The rows in memory in order; equal ones as they came.
    fn items(&self) -> Result<Buffer<Item>> {
        let mut items = Buffer::new(&self.heap);
        items.reserve(self.store.len())?;
        let pace = Pace::default();
        for row in 0..self.store.len() as u32 {
            pace.step();
            items.push((head(self.key(row)), row))?;
        }
        items.sort_unstable_by(|a, b| {
            pace.step();
            a.0.cmp(&b.0).then_with(|| self.key(a.1).cmp(self.key(b.1))).then(a.1.cmp(&b.1))
        });
        Ok(items)
    }

    fn write_run(&mut self, x: &Execution<'_>) -> Result<()> {
        let items = self.items()?;
        let (file, runs) = match &mut self.file {
            Some(file) => file,
            none => none.insert((SpillFile::create(x, &self.heap)?, Vec::new())),
        };
        let mut blocks: Vec<Block> = Vec::new();
        for some in items.chunks(CHUNK) {
            let rows: Vec<u32> = some.iter().map(|item| item.1).collect();
            let batch = self.store.batch(&self.heap, &rows)?;
            write(file, &batch, &mut blocks)?;
        }
        runs.push(blocks);
        drop(items);
        self.store.clear();
        Ok(())
    }

    /// Keeps the first `count` rows.
    pub(crate) fn cut(&mut self, count: usize) -> Result<()> {
        let items = self.items()?;
        let rows: Vec<u32> = items.iter().take(count).map(|item| item.1).collect();
        drop(items);
        self.store.retain(&rows)
    }

    /// All rows, in order.
    pub(crate) fn sorted(&mut self, x: &Execution<'_>) -> Result<Sorted> {
        if self.file.is_some() && self.store.len() > 0 {
            self.write_run(x)?;
        }
        let Some((file, runs)) = self.file.take() else {
            return Ok(Sorted::Memory { items: self.items()?, next: 0 });
        };
        let mut runs = self.rows(file, runs);
        let together = (self.budget.bytes() / RUN_BYTES).clamp(6, 250) as usize;
        while runs.len() > together {
            // Neighbours are merged, so that equal rows stay as they came.
            let each = runs.len().div_ceil(runs.len().div_ceil(together));
            let mut file = SpillFile::create(x, &self.heap)?;
            let mut merged = Vec::new();
            for some in runs.chunks(each) {
                merged.push(self.merge_to_file(x, some, &mut file)?);
            }
            runs = self.rows(file, merged);
        }
        Ok(Sorted::Merge(Merge::new(self.width, &runs, &self.layouts, &self.heap)?))
    }

    fn rows(&self, file: SpillFile, runs: Vec<Vec<Block>>) -> Vec<Rows> {
        let file = Rc::new(file);
        runs.into_iter().map(|blocks| Rows::new(&file, &self.layouts, blocks)).collect()
    }

    fn merge_to_file(
        &self,
        x: &Execution<'_>,
        runs: &[Rows],
        file: &mut SpillFile,
    ) -> Result<Vec<Block>> {
        let mut merge = Merge::new(self.width, runs, &self.layouts, &self.heap)?;
        let mut blocks: Vec<Block> = Vec::new();
        while let Some(batch) = merge.next(self.layouts.len(), CHUNK)? {
            x.check()?;
            write(file, &batch, &mut blocks)?;
        }
        Ok(blocks)
    }

    /// The next rows of `sorted`, which this sorter made.
    pub(crate) fn next(&self, sorted: &mut Sorted, demand: usize) -> Result<Option<Batch>> {
        match sorted {
            Sorted::Memory { items, next } => {
                let end = items.len().min(*next + demand.min(CHUNK));
                if *next == end {
                    return Ok(None);
                }
                let rows: Vec<u32> = items[*next..end].iter().map(|item| item.1).collect();
                *next = end;
                self.store.batch_of(self.width, &self.heap, &rows).map(Some)
            }
            Sorted::Merge(merge) => merge.next(self.width, demand.min(CHUNK)),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.store.clear();
        self.file = None;
    }
}

fn write(file: &mut SpillFile, batch: &Batch, blocks: &mut Vec<Block>) -> Result<()> {
    let columns: Vec<&Column> = batch.columns().iter().map(|column| &**column).collect();
    let rows: Vec<u32> = (0..batch.len() as u32).collect();
    file.write(&columns, &rows, blocks)
}

fn head(key: &[u8]) -> u64 {
    let mut head = [0u8; 8];
    let len = key.len().min(8);
    head[..len].copy_from_slice(&key[..len]);
    u64::from_be_bytes(head)
}

/// Sorted rows on their way out.
pub(crate) enum Sorted {
    /// Of the sorter's store.
    Memory { items: Buffer<Item>, next: usize },
    /// Of its runs.
    Merge(Merge),
}

/// Runs that are merged.
pub(crate) struct Merge {
    runs: Vec<Run>,
    queue: BinaryHeap<Front>,
    layouts: Rc<[Layout]>,
    heap: Heap,
}

struct Run {
    rows: Rows,
    next_block: usize,
    batch: Rc<Batch>,
    at: usize,
}

/// The first row of a run that has not come out; the least is the greatest, as a heap needs it.
struct Front {
    head: u64,
    run: usize,
    at: usize,
    width: usize,
    batch: Rc<Batch>,
}

impl Front {
    fn key(&self) -> &[u8] {
        self.batch.column(self.width).bytes(self.at)
    }
}

impl Ord for Front {
    fn cmp(&self, other: &Front) -> Ordering {
        let keys = other.head.cmp(&self.head).then_with(|| other.key().cmp(self.key()));
        keys.then(other.run.cmp(&self.run))
    }
}

impl PartialOrd for Front {
    fn partial_cmp(&self, other: &Front) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Front {
    fn eq(&self, other: &Front) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Front {}

impl Merge {
    fn new(width: usize, runs: &[Rows], layouts: &Rc<[Layout]>, heap: &Heap) -> Result<Merge> {
        let mut merge = Merge {
            runs: Vec::new(),
            queue: BinaryHeap::new(),
            layouts: layouts.clone(),
            heap: heap.clone(),
        };
        for rows in runs {
            let batch = Rc::new(Batch::default());
            merge.runs.push(Run { rows: rows.clone(), next_block: 0, batch, at: 0 });
            merge.advance(merge.runs.len() - 1, width)?;
        }
        Ok(merge)
    }

    /// Puts the next row of a run into the queue.
    fn advance(&mut self, number: usize, width: usize) -> Result<()> {
        let run = &mut self.runs[number];
        if run.at == run.batch.len() {
            let Some(batch) = run.rows.block(run.next_block, &self.heap)? else { return Ok(()) };
            run.next_block += 1;
            run.batch = Rc::new(batch);
            run.at = 0;
        }
        let (at, batch) = (run.at, run.batch.clone());
        run.at += 1;
        let head = head(batch.column(width).bytes(at));
        self.queue.push(Front { head, run: number, at, width, batch });
        Ok(())
    }

    /// The next rows, with their first `columns` columns.
    fn next(&mut self, columns: usize, demand: usize) -> Result<Option<Batch>> {
        let width = self.layouts.len() - 1;
        let layouts = &self.layouts[..columns];
        let mut made: Vec<Column> =
            layouts.iter().map(|layout| Column::new(*layout, &self.heap)).collect();
        let mut count = 0;
        while count < demand {
            let Some(front) = self.queue.pop() else { break };
            for (to, from) in made.iter_mut().zip(front.batch.columns()) {
                to.push_from(from, front.at)?;
            }
            count += 1;
            let run = front.run;
            drop(front);
            self.advance(run, width)?;
        }
        let batch = || Batch::new(made.into_iter().map(Rc::new).collect(), count);
        Ok((count > 0).then(batch))
    }
}
