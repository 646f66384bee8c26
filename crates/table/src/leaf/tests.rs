//! The leaf against a model: random changes, each checked cell by cell.

use super::*;
use base::{ColumnId, RowId, Xid};
use std::collections::BTreeMap;

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Null,
    Bytes(Vec<u8>),
    Packed(Vec<u8>),
    Long(LongRef),
}

impl Value {
    fn cell(&self) -> Cell<'_> {
        match self {
            Value::Null => Cell::Null,
            Value::Bytes(bytes) => Cell::Bytes(bytes),
            Value::Packed(bytes) => Cell::Packed(bytes),
            Value::Long(long) => Cell::Long(*long),
        }
    }

    fn of(cell: Cell<'_>) -> Value {
        match cell {
            Cell::Null => Value::Null,
            Cell::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            Cell::Packed(bytes) => Value::Packed(bytes.to_vec()),
            Cell::Long(long) => Value::Long(long),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    stamp: u64,
    mark: u8,
    cells: BTreeMap<u32, Value>,
}

type Model = BTreeMap<u64, Row>;

const WIDTHS: [Width; 6] = [
    Width::fixed(4),
    Width::VARIABLE,
    Width::fixed(1),
    Width::fixed(8),
    Width::VARIABLE,
    Width::fixed(16),
];

struct Checked {
    page: Vec<u8>,
    model: Model,
    columns: Vec<(ColumnId, Width, Value)>,
    random: Random,
    stamp: u64,
}

impl Checked {
    fn new(seed: u64) -> Checked {
        let mut random = Random::new(seed);
        let page_bytes = [8192, 16384, 32768, 65536][random.below(4) as usize];
        let columns = WIDTHS
            .iter()
            .enumerate()
            .take(1 + random.below(5) as usize)
            .map(|(i, width)| (ColumnId(i as u32 + 1), *width, Value::Null))
            .collect();
        let mut checked =
            Checked { page: vec![0; page_bytes], model: Model::new(), columns, random, stamp: 10 };
        let frame = checked.frame();
        let layout = plan(frame, &[], Some(RowId(70_000)), &checked.demand(), None);
        let mut delta = Vec::new();
        layout.unwrap().unwrap().encode(&mut delta);
        init(&mut checked.page, &delta).unwrap();
        checked
    }

    fn frame(&self) -> Frame {
        let (high, right) = (NO_HIGH_KEY, 0);
        Frame { page_bytes: self.page.len(), low: 0, high, right, flags: 0, room: Room::Append }
    }

    fn demand(&self) -> Demand<'_> {
        Demand::of_columns(self.columns.iter().map(|(id, width, fill)| (*id, *width, fill.cell())))
    }

    fn value(&mut self, column: usize) -> Value {
        let width = self.columns[column].1;
        // Some columns are never NULL, some nearly always.
        let null_percent = [0, 50, 97, 100, 10, 90][column];
        if self.random.below(100) < null_percent {
            return Value::Null;
        }
        if !width.is_variable() {
            let byte = self.random.next() as u8;
            return Value::Bytes(vec![byte; width.slot_bytes()]);
        }
        match self.random.below(20) {
            0 => {
                Value::Long(LongRef { page: 9, raw_len: self.random.next() as u32, stored_len: 5 })
            }
            1..5 => Value::Bytes(vec![b'x'; self.random.below(4) as usize]),
            6 => Value::Packed(vec![b'p'; 4 + self.random.below(30) as usize]),
            5 => Value::Bytes(vec![b'z'; self.random.below(900) as usize]),
            _ => Value::Bytes(vec![b'y'; self.random.below(40) as usize]),
        }
    }

    /// Makes room for a demand; false if it cannot be had.
    fn make_room(&mut self, new: Option<RowId>, demand: &Demand<'_>) -> bool {
        let layout = {
            let leaf = Leaf::open(&self.page).unwrap();
            let base_fits = new.is_none_or(|row| {
                row.0 >= leaf.base() && row.0 + demand.rows as u64 - leaf.base() <= ROW_ID_SPAN_MAX
            });
            if base_fits && fits(&leaf, demand).unwrap() {
                return true;
            }
            let sources = [(leaf, 0, leaf.rows())];
            let planned = plan(Frame::of(&leaf), &sources, new, demand, Some(&leaf)).unwrap();
            let Some(layout) = planned else { return false };
            let mut delta = Vec::new();
            encode_rebuild(&mut delta, None, &layout);
            delta
        };
        rebuild(&mut self.page, &layout).unwrap();
        let columns = self.columns.clone();
        for row in self.model.values_mut() {
            for (id, _, fill) in &columns {
                row.cells.entry(id.0).or_insert_with(|| fill.clone());
            }
        }
        self.check();
        let leaf = Leaf::open(&self.page).unwrap();
        assert!(fits(&leaf, demand).unwrap(), "a planned leaf has room");
        true
    }

    fn insert(&mut self) {
        let first = 70_000 + self.random.below(3000);
        let count = match self.model.range(first..).next() {
            Some((&next, _)) => (next - first).min(1 + self.random.below(20)),
            None => 1 + self.random.below(60),
        };
        if count == 0 {
            return;
        }
        let rows: Vec<Vec<Value>> = (0..count)
            .map(|_| (0..self.columns.len()).map(|column| self.value(column)).collect())
            .collect();
        let cells: Vec<Vec<Cell<'_>>> = (0..self.columns.len())
            .map(|column| rows.iter().map(|row| row[column].cell()).collect())
            .collect();
        let flat: Vec<Vec<u8>> = rows_flat(&rows, &self.columns);
        let columns: Vec<ColumnValues<'_>> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, (id, width, _))| ColumnValues {
                id: *id,
                width: *width,
                values: if flat[i].is_empty() {
                    Values::Cells(&cells[i])
                } else {
                    Values::Fixed(&flat[i])
                },
            })
            .collect();
        let shared = self.columns.clone();
        let mut demand =
            Demand::of_columns(shared.iter().map(|(id, width, fill)| (*id, *width, fill.cell())));
        demand.add_rows(&columns, 0, count as usize);
        if !self.make_room(Some(RowId(first)), &demand) {
            return;
        }
        self.stamp += 1;
        let mut delta = Vec::new();
        let (row, stamp) = (RowId(first), Xid(self.stamp));
        encode_run(&mut delta, row, stamp, MARK_INSERTED, &columns, 0, count as usize).unwrap();
        insert_run(&mut self.page, &delta).unwrap();
        for (i, row) in rows.into_iter().enumerate() {
            let cells =
                self.columns.iter().zip(row).map(|(column, value)| (column.0.0, value)).collect();
            let row = Row { stamp: self.stamp, mark: MARK_INSERTED, cells };
            self.model.insert(first + i as u64, row);
        }
    }

    fn set(&mut self) {
        let picked: Vec<u64> = {
            let n = 1 + self.random.below(5) as usize;
            let all: Vec<u64> = self.model.keys().copied().collect();
            if all.is_empty() {
                return;
            }
            let mut picked: Vec<u64> =
                (0..n).map(|_| all[self.random.below(all.len() as u64) as usize]).collect();
            picked.sort_unstable();
            picked.dedup();
            picked
        };
        let mark = (self.random.below(4)) as u8;
        let mut changes = Vec::new();
        for row in picked {
            let column = self.random.below(self.columns.len() as u64) as usize;
            let value = if self.random.below(3) == 0 { None } else { Some(self.value(column)) };
            changes.push((row, self.columns[column].0, value));
        }
        let shared = self.columns.clone();
        let mut demand =
            Demand::of_columns(shared.iter().map(|(id, width, fill)| (*id, *width, fill.cell())));
        for (_, id, value) in &changes {
            if let Some(value) = value {
                demand.add_cell(*id, &value.cell());
            }
        }
        let single_fits = match &changes[..] {
            [(row, id, Some(value))] => {
                let leaf = Leaf::open(&self.page).unwrap();
                cell_fits(&leaf, *id, 0, RowId(*row), &value.cell()).unwrap()
            }
            _ => false,
        };
        if !single_fits && !self.make_room(None, &demand) {
            return;
        }
        self.stamp += 1;
        let mut delta = vec![];
        put_varint(&mut delta, changes.len() as u64);
        delta.push(1);
        delta.extend_from_slice(&self.stamp.to_le_bytes());
        delta.push(mark);
        for (row, id, value) in &changes {
            put_varint(&mut delta, *row);
            put_varint(&mut delta, u64::from(value.is_some()));
            if let Some(value) = value {
                put_varint(&mut delta, u64::from(id.0));
                put_cell(&mut delta, value.cell());
            }
        }
        set_rows(&mut self.page, &delta).unwrap();
        for (row, id, value) in changes {
            let row = self.model.get_mut(&row).unwrap();
            (row.stamp, row.mark) = (self.stamp, mark);
            if let Some(value) = value {
                row.cells.insert(id.0, value);
            }
        }
    }

    fn remove(&mut self) {
        let first = 70_000 + self.random.below(3000);
        let count = 1 + self.random.below(40);
        let mut delta = Vec::new();
        put_varint(&mut delta, 1);
        put_varint(&mut delta, first);
        put_varint(&mut delta, count);
        remove_rows(&mut self.page, &delta).unwrap();
        self.model.retain(|row, _| *row < first || *row >= first + count);
    }

    /// Splits in the middle, checks both halves, and merges them again.
    fn split_and_merge(&mut self) {
        let leaf = Leaf::open(&self.page).unwrap();
        let middle = leaf.rows() / 2;
        if middle == 0 {
            return;
        }
        let at = leaf.row_id(middle);
        let demand = Demand::default();
        let frame = Frame { room: Room::Update, ..Frame::of(&leaf) };
        let right_plan = plan(frame, &[(leaf, middle, leaf.rows())], None, &demand, Some(&leaf))
            .unwrap()
            .unwrap();
        let left_frame = Frame { high: at.0, right: 77, ..frame };
        let left_plan =
            plan(left_frame, &[(leaf, 0, middle)], None, &demand, Some(&leaf)).unwrap().unwrap();
        let mut layout = Vec::new();
        right_plan.encode(&mut layout);
        let mut right = vec![0; self.page.len()];
        init(&mut right, &layout).unwrap();
        append_rows(&mut right, &leaf, middle, leaf.rows(), &layout).unwrap();
        let mut imaged = vec![0xaa; self.page.len()];
        let mut delta = Vec::new();
        image_of(&right, &mut delta).unwrap();
        image(&mut imaged, &delta).unwrap();
        assert_eq!(imaged[32..], right[32..], "an image restores the page");
        let mut delta = Vec::new();
        encode_rebuild(&mut delta, Some(at), &left_plan);
        let mut left = self.page.clone();
        rebuild(&mut left, &delta).unwrap();
        let (low, high): (Model, Model) =
            self.model.clone().into_iter().partition(|(row, _)| *row < at.0);
        check_page(&left, &low);
        check_page(&right, &high);
        assert_eq!(Leaf::open(&left).unwrap().high(), at.0);
        let (left, right) = (Leaf::open(&left).unwrap(), Leaf::open(&right).unwrap());
        let sources = [(left, 0, left.rows()), (right, 0, right.rows())];
        let Some(merged) = plan(Frame::of(&right), &sources, None, &demand, None).unwrap() else {
            return;
        };
        let mut layout = Vec::new();
        merged.encode(&mut layout);
        init(&mut self.page, &layout).unwrap();
        append_rows(&mut self.page, &left, 0, left.rows(), &layout).unwrap();
        append_rows(&mut self.page, &right, 0, right.rows(), &layout).unwrap();
    }

    fn add_column(&mut self) {
        if self.columns.len() < WIDTHS.len() {
            let column = self.columns.len();
            let width = WIDTHS[column];
            let missing = match self.random.below(2) {
                0 => Value::Null,
                _ if width.is_variable() => Value::Bytes(b"missing".to_vec()),
                _ => Value::Bytes(vec![9; width.slot_bytes()]),
            };
            self.columns.push((ColumnId(column as u32 + 1), width, missing));
        }
    }

    fn check(&self) {
        check_page(&self.page, &self.model);
    }
}

fn rows_flat(rows: &[Vec<Value>], columns: &[(ColumnId, Width, Value)]) -> Vec<Vec<u8>> {
    columns
        .iter()
        .enumerate()
        .map(|(i, (_, width, _))| {
            let mut flat = Vec::new();
            for row in rows {
                match &row[i] {
                    Value::Bytes(bytes) if !width.is_variable() => flat.extend_from_slice(bytes),
                    _ => return Vec::new(),
                }
            }
            flat
        })
        .collect()
}

fn check_page(page: &[u8], model: &Model) {
    let leaf = Leaf::open(page).unwrap();
    assert_eq!(leaf.rows(), model.len());
    let dead = model.values().filter(|row| row.mark & MARK_DELETED != 0).count();
    assert_eq!(leaf.dead(), dead);
    let mut live = 0;
    for (slot, (id, row)) in model.iter().enumerate() {
        assert_eq!(leaf.row_id(slot), RowId(*id));
        assert_eq!(leaf.find(RowId(*id)), Ok(slot));
        assert_eq!((leaf.stamp(slot), leaf.mark(slot)), (Xid(row.stamp), row.mark));
        assert!(leaf.max_stamp().0 >= row.stamp);
        for (column, value) in &row.cells {
            match leaf.column(ColumnId(*column), *column as usize - 1).unwrap() {
                Some(place) => {
                    let cell = leaf.cell(&place, slot).unwrap();
                    assert_eq!(Value::of(cell), *value, "row {id} column {column}");
                    live += super::view::heap_bytes(place.width, &cell);
                }
                None => assert_eq!(*value, Value::Null),
            }
        }
    }
    assert_eq!(leaf.heap_live(), live, "the heap's garbage is counted exactly");
    for id in 69_990..73_100 {
        assert_eq!(leaf.find(RowId(id)).is_ok(), model.contains_key(&id));
        assert_eq!(leaf.lower_bound(RowId(id)), model.range(..id).count().min(leaf.rows()));
        if id % 7 == 0 && model.len() > 50 {
            break;
        }
    }
    for index in 0..leaf.columns() {
        let column = leaf.column_at(index).unwrap();
        if let Some(bitmap) = leaf.nulls(&column) {
            let set: u32 = bitmap.iter().map(|byte| byte.count_ones()).sum();
            assert_eq!(set as usize, leaf.null_count(&column), "no bits beyond the rows");
        }
    }
}

#[test]
fn random_changes_agree_with_a_model() {
    for seed in 1..=60 {
        let outcome = std::panic::catch_unwind(|| {
            let mut checked = Checked::new(seed);
            for _ in 0..150 {
                match checked.random.below(24) {
                    0..10 => checked.insert(),
                    10..18 => checked.set(),
                    18..20 => checked.remove(),
                    20..22 => checked.split_and_merge(),
                    22 => {
                        let demand = Demand::default();
                        checked.make_room(None, &demand);
                    }
                    _ => checked.add_column(),
                }
                checked.check();
            }
        });
        if let Err(panic) = outcome {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn cut_deltas_are_refused_without_a_panic() {
    let mut checked = Checked::new(3);
    while checked.model.len() < 30 {
        checked.insert();
    }
    let leaf = Leaf::open(&checked.page).unwrap();
    let layout = plan(Frame::of(&leaf), &[(leaf, 0, leaf.rows())], None, &Demand::default(), None);
    let mut delta = Vec::new();
    encode_rebuild(&mut delta, None, &layout.unwrap().unwrap());
    for cut in 0..delta.len() {
        let mut page = checked.page.clone();
        assert!(rebuild(&mut page, &delta[..cut]).is_err());
    }
    let mut random = Random::new(5);
    for _ in 0..20_000 {
        let mut page = checked.page.clone();
        let mut bad = delta.clone();
        let at = random.below(bad.len() as u64) as usize;
        bad[at] = random.next() as u8;
        let _ = rebuild(&mut page, &bad);
    }
}
