//! Keys of hash tables and sorts, as bytes.
//!
//! Hash keys need only be equal when the values are; they are made so that integers of all widths
//! and floats of both widths meet. Sort keys are those of [`types::key`].

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

/// A hash table from keys to numbers 0, 1, 2, ...
pub(crate) struct KeyTable {
    table: memory::collections::HashTable<Entry, Heap>,
    bytes: Buffer<u8>,
    types: Vec<Oid>,
    len: u32,
    scratch: Vec<u8>,
    hasher: FixedState,
    heap: Heap,
}

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
            bytes: Buffer::new(heap),
            types,
            len: 0,
            scratch: Vec::new(),
            hasher: FixedState::default(),
            heap: heap.clone(),
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
        let start = self.bytes.len() as u64;
        self.bytes.extend_from_slice(&self.scratch)?;
        let entry = Entry { hash, start, len: self.scratch.len() as u32, number: self.len };
        if self.table.try_reserve(1, |entry| entry.hash).is_err() {
            return Err(self.heap.failure());
        }
        self.table.insert_unique(hash, entry, |entry| entry.hash);
        self.len += 1;
        Ok((entry.number, true))
    }

    #[inline]
    fn lookup(&self, hash: u64) -> Option<u32> {
        let found = self.table.find(hash, |entry| {
            entry.hash == hash
                && entry.len as usize == self.scratch.len()
                && self.bytes[entry.start as usize..][..entry.len as usize] == self.scratch[..]
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
