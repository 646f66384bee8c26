//! Keys of hash tables and sorts, as bytes.
//!
//! Hash keys need only be equal when the values are; they are made so that integers of all widths
//! and floats of both widths meet. Sort keys are those of [`types::key`].

use base::interrupt::Pace;
use base::{Oid, Result};
use batch::{Column, Data, Shape};
use expr::Vector;
use foldhash::fast::FixedState;
use memory::{Buffer, Heap};
use plan::SortColumn;
use std::hash::BuildHasher;
use types::{Datum, KeyColumn, TypeHost, key};

/// Appends a value to a hash key.
#[inline]
pub(crate) fn put_hash_key(
    host: &dyn TypeHost,
    type_oid: Oid,
    value: &Datum<'_>,
    out: &mut Vec<u8>,
) -> Result<()> {
    let float = |v: f64, out: &mut Vec<u8>| {
        // -0 is 0, and all NaN are one.
        let v = if v == 0.0 {
            0.0
        } else if v.is_nan() {
            f64::NAN
        } else {
            v
        };
        out.push(3);
        out.extend_from_slice(&v.to_bits().to_le_bytes());
    };
    let integer = |v: i64, out: &mut Vec<u8>| {
        out.push(2);
        out.extend_from_slice(&v.to_le_bytes());
    };
    match *value {
        Datum::Null => out.push(0),
        Datum::Bool(v) => out.extend_from_slice(&[1, u8::from(v)]),
        Datum::Char(v) => out.extend_from_slice(&[1, v]),
        Datum::Int2(v) => integer(v.into(), out),
        Datum::Int4(v) => integer(v.into(), out),
        Datum::Int8(v) => integer(v, out),
        Datum::Oid(v) => integer(v.into(), out),
        Datum::Float4(v) => float(v.into(), out),
        Datum::Float8(v) => float(v, out),
        Datum::Text(v) => {
            let v = if type_oid.0 == types::oids::BPCHAR { v.trim_end_matches(' ') } else { v };
            out.push(4);
            out.extend_from_slice(&(v.len() as u32).to_le_bytes());
            out.extend_from_slice(v.as_bytes());
        }
        _ => {
            out.push(5);
            let at = out.len();
            out.extend_from_slice(&[0; 4]);
            key::encode_column(host, &KeyColumn::ascending(type_oid.0), value, out)?;
            let len = (out.len() - at - 4) as u32;
            out[at..at + 4].copy_from_slice(&len.to_le_bytes());
        }
    }
    Ok(())
}

/// The order of some columns, as [`types::key`] takes it.
pub(crate) fn key_columns(keys: &[SortColumn]) -> Vec<KeyColumn> {
    keys.iter()
        .map(|key| KeyColumn {
            type_oid: key.type_oid.0,
            descending: key.descending,
            nulls_first: key.nulls_first,
        })
        .collect()
}

/// Where values of a key come from.
pub(crate) trait Source {
    fn datum(&self, key: usize, row: usize) -> Datum<'_>;
    /// The integers of the only key, if it is one that hashes by its number.
    fn integers(&self) -> Option<Integers<'_>> {
        None
    }
}

/// A key column of integers.
#[derive(Clone, Copy)]
pub(crate) enum Integers<'a> {
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
}

impl Integers<'_> {
    #[inline]
    pub(crate) fn get(&self, row: usize) -> i64 {
        match self {
            Integers::I16(values) => values[row].into(),
            Integers::I32(values) => values[row].into(),
            Integers::I64(values) => values[row],
        }
    }
}

/// Keys that are vectors.
pub(crate) struct Vectors<'a, 'm>(pub(crate) &'a [Vector<'m>]);

impl Source for Vectors<'_, '_> {
    #[inline]
    fn datum(&self, key: usize, row: usize) -> Datum<'_> {
        self.0[key].get(row)
    }

    fn integers(&self) -> Option<Integers<'_>> {
        let [Vector::Column(column)] = self.0 else { return None };
        column_integers(column)
    }
}

/// Keys that are columns of a batch.
pub(crate) struct Columns<'a> {
    pub(crate) columns: &'a [std::rc::Rc<Column>],
    pub(crate) keys: &'a [SortColumn],
}

impl Source for Columns<'_> {
    #[inline]
    fn datum(&self, key: usize, row: usize) -> Datum<'_> {
        self.columns[usize::from(self.keys[key].column)].get(row)
    }

    fn integers(&self) -> Option<Integers<'_>> {
        let [only] = self.keys else { return None };
        column_integers(&self.columns[usize::from(only.column)])
    }
}

fn column_integers(column: &Column) -> Option<Integers<'_>> {
    if column.is_constant() || column.has_nulls() {
        return None;
    }
    match (column.data(), column.shape()) {
        (Data::I16(values), _) => Some(Integers::I16(values)),
        (Data::I32(values), Shape::Int4) => Some(Integers::I32(values)),
        (Data::I64(values), Shape::Int8) => Some(Integers::I64(values)),
        _ => None,
    }
}

/// Bytes in pieces, none of which moves when it is full.
#[derive(Default)]
struct Pieces {
    pieces: Vec<Buffer<u8>>,
}

/// The bytes of a piece, unless one value has more.
const PIECE_BYTES: usize = 256 << 10;
/// Where there are so many pieces, further ones are as large as a huge page, and in one.
const MANY_PIECES: usize = 32;
const LARGE_PIECE_BYTES: usize = 2 << 20;

impl Pieces {
    /// Appends some bytes; returns their address.
    #[inline]
    fn push(&mut self, bytes: &[u8], heap: &Heap) -> Result<u64> {
        if self.pieces.last().is_none_or(|last| last.len() + bytes.len() > PIECE_BYTES) {
            self.begin_piece(bytes.len(), heap)?;
        }
        let piece = self.pieces.len() - 1;
        let last = &mut self.pieces[piece];
        let start = last.len();
        last.extend_from_slice(bytes)?;
        Ok((piece as u64) << 32 | start as u64)
    }

    /// Begins another piece, unless the last one is large and has room.
    fn begin_piece(&mut self, bytes: usize, heap: &Heap) -> Result<()> {
        let large = self.pieces.len() >= MANY_PIECES;
        if large && self.room() >= bytes {
            return Ok(());
        }
        let mut piece = Buffer::new(heap);
        if large {
            piece.reserve(LARGE_PIECE_BYTES)?;
        }
        self.pieces.push(piece);
        Ok(())
    }

    #[inline]
    fn get(&self, address: u64, len: u32) -> &[u8] {
        &self.pieces[(address >> 32) as usize][address as u32 as usize..][..len as usize]
    }

    /// The bytes that the last piece has room for.
    fn room(&self) -> usize {
        self.pieces.last().map_or(0, |last| last.capacity_bytes() - last.len())
    }

    /// The bytes by which the last piece grows when it is full.
    fn grows_by(&self) -> usize {
        if self.pieces.len() >= MANY_PIECES {
            return LARGE_PIECE_BYTES;
        }
        self.pieces.last().map_or(0, |last| (2 * last.capacity_bytes()).min(PIECE_BYTES))
    }

    fn clear(&mut self) {
        self.pieces.truncate(1);
        self.pieces.iter_mut().for_each(Buffer::clear);
    }
}

/// A hash table from keys to numbers 0, 1, 2, ...
pub(crate) struct KeyTable {
    table: memory::collections::HashTable<Entry, Heap>,
    bytes: Pieces,
    types: Vec<Oid>,
    len: u32,
    scratch: Vec<u8>,
    hasher: FixedState,
    heap: Heap,
    /// Others run between lookups, and while the table moves to twice as many buckets.
    lookups: Pace,
    moves: Pace,
}

/// A lookup misses the caches now and then.
const STEPS_OF_LOOKUP: u32 = 256;
/// So few: each may be the first in a huge page, which the system has to fill with zeros.
const STEPS_OF_MOVE: u32 = 64;

#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    start: u64,
    len: u32,
    number: u32,
}

impl KeyTable {
    pub(crate) fn new(heap: &Heap, types: Vec<Oid>) -> KeyTable {
        KeyTable {
            table: memory::collections::HashTable::new_in(heap.clone()),
            bytes: Pieces::default(),
            types,
            len: 0,
            scratch: Vec::new(),
            hasher: FixedState::default(),
            heap: heap.clone(),
            lookups: Pace::every(STEPS_OF_LOOKUP),
            moves: Pace::every(STEPS_OF_MOVE),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn clear(&mut self) {
        self.table.clear();
        self.bytes.clear();
        self.len = 0;
    }

    /// Forgets all keys and gives their memory back.
    pub(crate) fn release(&mut self) {
        *self = KeyTable::new(&self.heap, std::mem::take(&mut self.types));
    }

    /// The bytes that so many more keys may take.
    pub(crate) fn growth(&self, keys: usize) -> u64 {
        let room = self.table.capacity() - self.table.len();
        let buckets = if room >= keys { 0 } else { 4 * (self.table.len() + keys) };
        let bytes =
            keys * 16 + if self.bytes.room() < keys * 16 { self.bytes.grows_by() } else { 0 };
        (buckets * (size_of::<Entry>() + 1) + bytes) as u64
    }

    /// The number of buckets.
    pub(crate) fn buckets(&self) -> usize {
        (self.table.capacity() + self.table.capacity() / 7).next_power_of_two()
    }

    /// All keys: hash, bytes and number.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (u64, &[u8], u32)> {
        self.table
            .iter()
            .map(|entry| (entry.hash, self.bytes.get(entry.start, entry.len), entry.number))
    }

    /// The hash and the bytes of a row's key; no bytes if a part of it is NULL and `nulls` does
    /// not say that NULLs are equal.
    pub(crate) fn hashed(
        &mut self,
        host: &dyn TypeHost,
        source: &dyn Source,
        row: usize,
        nulls: bool,
    ) -> Result<(u64, Option<&[u8]>)> {
        let complete = self.encode(host, source, row)?;
        let hash = self.hasher.hash_one(&self.scratch[..]);
        Ok((hash, (complete || nulls).then_some(&self.scratch[..])))
    }

    /// The same as [`KeyTable::insert`] for a key that was encoded before.
    pub(crate) fn insert_bytes(&mut self, key: &[u8]) -> Result<(u32, bool)> {
        self.scratch.clear();
        self.scratch.extend_from_slice(key);
        self.insert_scratch()
    }

    /// The same as [`KeyTable::find`] for a key that was encoded before.
    pub(crate) fn find_bytes(&mut self, key: &[u8]) -> Option<u32> {
        self.scratch.clear();
        self.scratch.extend_from_slice(key);
        self.lookup(self.hasher.hash_one(key))
    }

    /// The hash of a key that was encoded before.
    pub(crate) fn hash_of(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The number of a row's key if it is there, and its hash. NULLs are equal.
    pub(crate) fn find_hashed(
        &mut self,
        host: &dyn TypeHost,
        source: &dyn Source,
        row: usize,
    ) -> Result<(u64, Option<u32>)> {
        self.encode(host, source, row)?;
        let hash = self.hasher.hash_one(&self.scratch[..]);
        Ok((hash, self.lookup(hash)))
    }

    /// Puts the key of a row into `scratch`; false if a part of it is NULL.
    #[inline]
    fn encode(&mut self, host: &dyn TypeHost, source: &dyn Source, row: usize) -> Result<bool> {
        self.scratch.clear();
        let mut complete = true;
        for (i, type_oid) in self.types.iter().enumerate() {
            let value = source.datum(i, row);
            complete &= !value.is_null();
            put_hash_key(host, *type_oid, &value, &mut self.scratch)?;
        }
        Ok(complete)
    }

    /// The number of a row's key, a new one if the key is new; and whether it is new. None if part
    /// of the key is NULL and `nulls` says that such keys are left out.
    pub(crate) fn insert(
        &mut self,
        host: &dyn TypeHost,
        source: &dyn Source,
        row: usize,
        nulls: bool,
    ) -> Result<Option<(u32, bool)>> {
        if !self.encode(host, source, row)? && !nulls {
            return Ok(None);
        }
        self.insert_scratch().map(Some)
    }

    /// The same for a key that is an integer.
    #[inline]
    pub(crate) fn insert_integer(&mut self, value: i64) -> Result<(u32, bool)> {
        self.set_integer(value);
        self.insert_scratch()
    }

    #[inline]
    fn set_integer(&mut self, value: i64) {
        self.scratch.clear();
        self.scratch.push(2);
        self.scratch.extend_from_slice(&value.to_le_bytes());
    }

    fn insert_scratch(&mut self) -> Result<(u32, bool)> {
        let hash = self.hasher.hash_one(&self.scratch[..]);
        if let Some(number) = self.lookup(hash) {
            return Ok((number, false));
        }
        let start = self.bytes.push(&self.scratch, &self.heap)?;
        let entry = Entry { hash, start, len: self.scratch.len() as u32, number: self.len };
        let moved = |entry: &Entry| {
            self.moves.step();
            entry.hash
        };
        if self.table.try_reserve(1, moved).is_err() {
            return Err(self.heap.failure());
        }
        self.table.insert_unique(hash, entry, |entry| entry.hash);
        self.len += 1;
        Ok((entry.number, true))
    }

    #[inline]
    fn lookup(&self, hash: u64) -> Option<u32> {
        self.lookups.step();
        let found = self.table.find(hash, |entry| {
            entry.hash == hash
                && entry.len as usize == self.scratch.len()
                && self.bytes.get(entry.start, entry.len) == &self.scratch[..]
        });
        found.map(|entry| entry.number)
    }

    /// The number of a row's key if it is there.
    pub(crate) fn find(
        &mut self,
        host: &dyn TypeHost,
        source: &dyn Source,
        row: usize,
        nulls: bool,
    ) -> Result<Option<u32>> {
        if !self.encode(host, source, row)? && !nulls {
            return Ok(None);
        }
        Ok(self.lookup(self.hasher.hash_one(&self.scratch[..])))
    }

    /// The same for a key that is an integer.
    #[inline]
    pub(crate) fn find_integer(&mut self, value: i64) -> Option<u32> {
        self.set_integer(value);
        self.lookup(self.hasher.hash_one(&self.scratch[..]))
    }
}
