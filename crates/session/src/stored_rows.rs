//! Rows that a cursor keeps: packed one behind the other, in memory up to `work_mem`, then in a
//! temporary file.

use crate::packed::{pack, unpack};
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
        let ends = 8 * self.ends.capacity() as u64 + CHARGE_STEP;
        let held = file.held_bytes() + ends.next_multiple_of(CHARGE_STEP);
        charge.resize_with_relief(held, "cursor")
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
