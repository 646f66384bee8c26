//! Rows that a cursor keeps: packed one behind the other, in memory up to `work_mem`, then in a
//! temporary file.

use base::Result;
use disk::temporary::{TemporaryFile, TemporarySpace};
use memory::{Charge, SharedAccount};
use std::rc::Rc;
use types::Datum;

/// How much memory is asked for at once.
const CHARGE_STEP: u64 = 64 << 10;

/// Where rows go that are kept.
#[derive(Debug)]
pub(crate) struct Place {
    /// What their memory is charged to.
    pub(crate) account: SharedAccount,
    /// What does not fit goes to a file here.
    pub(crate) space: Rc<TemporarySpace>,
    /// The bytes that may stay in memory.
    pub(crate) memory_bytes: u64,
}

/// Rows that are kept.
#[derive(Debug, Default)]
pub(crate) struct StoredRows {
    /// Those behind the ones in the file.
    bytes: Vec<u8>,
    /// Where each row ends, counted from the first.
    ends: Vec<u64>,
    /// The bytes of rows in the file.
    written: u64,
    file: Option<TemporaryFile>,
    charge: Option<Charge>,
    place: Option<Rc<Place>>,
}

impl StoredRows {
    /// No rows yet; they will be kept at a place.
    pub(crate) fn at(place: Place) -> StoredRows {
        StoredRows { place: Some(Rc::new(place)), ..StoredRows::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = StoredRows { place: self.place.take(), ..StoredRows::default() };
    }

    pub(crate) fn push(&mut self, values: &[Datum<'_>]) -> Result<()> {
        for datum in values {
            pack(&mut self.bytes, datum);
        }
        self.ends.push(self.written + self.bytes.len() as u64);
        let held = self.bytes.capacity() as u64 + 8 * self.ends.capacity() as u64;
        if held <= self.charge.as_ref().map_or(CHARGE_STEP, Charge::bytes) {
            return Ok(());
        }
        self.grow(held)
    }

    /// The rows in memory have outgrown their charge.
    #[cold]
    fn grow(&mut self, held: u64) -> Result<()> {
        let Some(place) = self.place.clone() else { return Ok(()) };
        let charge = match &mut self.charge {
            Some(charge) => charge,
            none => none.insert(place.account.charge(0, "cursor")?),
        };
        let wanted = held.next_multiple_of(CHARGE_STEP);
        if wanted <= place.memory_bytes && charge.resize(wanted, "cursor").is_ok() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(place.space.create()?),
        };
        file.append(&self.bytes)?;
        self.written += self.bytes.len() as u64;
        self.bytes = Vec::new();
        let ends = (8 * self.ends.capacity() as u64 + CHARGE_STEP).next_multiple_of(CHARGE_STEP);
        charge.resize(ends, "cursor")
    }

    /// Calls `take` with the row at `index`.
    pub(crate) fn with<R>(
        &self,
        index: usize,
        take: impl FnOnce(&[Datum<'_>]) -> Result<R>,
    ) -> Result<R> {
        let missing = || base::Error::internal("a kept row is missing");
        let end = *self.ends.get(index).ok_or_else(missing)?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before).ok_or_else(missing)?,
            None => 0,
        };
        let read;
        let mut rest: &[u8] = if end > self.written {
            let place = |at: u64| usize::try_from(at - self.written).ok();
            let range = place(start).zip(place(end)).ok_or_else(missing)?;
            self.bytes.get(range.0..range.1).ok_or_else(missing)?
        } else {
            let file = self.file.as_ref().ok_or_else(missing)?;
            let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
            file.read(start, &mut bytes)?;
            read = bytes;
            &read
        };
        let mut values = Vec::new();
        while !rest.is_empty() {
            values.push(unpack(&mut rest).ok_or_else(missing)?);
        }
        take(&values)
    }
}

fn pack(out: &mut Vec<u8>, datum: &Datum<'_>) {
    let mut fixed = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(bytes);
    };
    match datum {
        Datum::Null => fixed(0, &[]),
        Datum::Bool(value) => fixed(1, &[u8::from(*value)]),
        Datum::Char(value) => fixed(2, &[*value]),
        Datum::Int2(value) => fixed(3, &value.to_le_bytes()),
        Datum::Int4(value) => fixed(4, &value.to_le_bytes()),
        Datum::Int8(value) => fixed(5, &value.to_le_bytes()),
        Datum::Oid(value) => fixed(6, &value.to_le_bytes()),
        Datum::Float4(value) => fixed(7, &value.to_le_bytes()),
        Datum::Float8(value) => fixed(8, &value.to_le_bytes()),
        Datum::Decimal { mantissa, scale } => {
            fixed(9, &mantissa.to_le_bytes());
            out.extend_from_slice(&scale.to_le_bytes());
        }
        Datum::Fixed16(value) => fixed(10, value),
        Datum::Text(text) => pack_bytes(out, 11, text.as_bytes()),
        Datum::Bytes(bytes) => pack_bytes(out, 12, bytes),
    }
}

fn pack_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    // No value is larger than 1 GB.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
}

fn unpack<'b>(rest: &mut &'b [u8]) -> Option<Datum<'b>> {
    fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
        let (head, tail) = rest.split_first_chunk::<N>()?;
        *rest = tail;
        Some(*head)
    }
    let [tag] = array::<1>(rest)?;
    Some(match tag {
        0 => Datum::Null,
        1 => Datum::Bool(array::<1>(rest)? == [1]),
        2 => Datum::Char(array::<1>(rest)?[0]),
        3 => Datum::Int2(i16::from_le_bytes(array(rest)?)),
        4 => Datum::Int4(i32::from_le_bytes(array(rest)?)),
        5 => Datum::Int8(i64::from_le_bytes(array(rest)?)),
        6 => Datum::Oid(u32::from_le_bytes(array(rest)?)),
        7 => Datum::Float4(f32::from_le_bytes(array(rest)?)),
        8 => Datum::Float8(f64::from_le_bytes(array(rest)?)),
        9 => Datum::Decimal {
            mantissa: i64::from_le_bytes(array(rest)?),
            scale: u16::from_le_bytes(array(rest)?),
        },
        10 => Datum::Fixed16(array(rest)?),
        tag => {
            let length = usize::try_from(u32::from_le_bytes(array(rest)?)).ok()?;
            let (bytes, tail) = rest.split_at_checked(length)?;
            *rest = tail;
            if tag == 11 {
                Datum::Text(std::str::from_utf8(bytes).ok()?)
            } else {
                Datum::Bytes(bytes)
            }
        }
    })
}
