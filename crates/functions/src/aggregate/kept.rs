//! Values that a state keeps beyond the row that brought them.

use base::Result;
use memory::Heap;
use memory::collections::Buffer;
use types::Datum;

/// Where a kept value is.
#[derive(Clone, Copy)]
enum Place {
    Fixed(Datum<'static>),
    Text(usize, usize),
    Bytes(usize, usize),
}

/// A list of values.
pub(crate) struct KeptList {
    places: Buffer<Place>,
    bytes: Buffer<u8>,
}

impl KeptList {
    pub(crate) fn new(heap: &Heap) -> KeptList {
        KeptList { places: Buffer::new(heap), bytes: Buffer::new(heap) }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn push(&mut self, datum: &Datum<'_>) -> Result<()> {
        let place = self.place(datum)?;
        self.places.push(place)
    }

    fn place(&mut self, datum: &Datum<'_>) -> Result<Place> {
        let start = self.bytes.len();
        Ok(match *datum {
            Datum::Text(text) => {
                self.bytes.extend_from_slice(text.as_bytes())?;
                Place::Text(start, start + text.len())
            }
            Datum::Bytes(bytes) => {
                self.bytes.extend_from_slice(bytes)?;
                Place::Bytes(start, start + bytes.len())
            }
            Datum::Null => Place::Fixed(Datum::Null),
            Datum::Bool(v) => Place::Fixed(Datum::Bool(v)),
            Datum::Char(v) => Place::Fixed(Datum::Char(v)),
            Datum::Int2(v) => Place::Fixed(Datum::Int2(v)),
            Datum::Int4(v) => Place::Fixed(Datum::Int4(v)),
            Datum::Int8(v) => Place::Fixed(Datum::Int8(v)),
            Datum::Oid(v) => Place::Fixed(Datum::Oid(v)),
            Datum::Float4(v) => Place::Fixed(Datum::Float4(v)),
            Datum::Float8(v) => Place::Fixed(Datum::Float8(v)),
            Datum::Decimal { mantissa, scale } => Place::Fixed(Datum::Decimal { mantissa, scale }),
            Datum::Fixed16(v) => Place::Fixed(Datum::Fixed16(v)),
        })
    }

    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.bytes.clear();
    }

    /// Replaces all by one value.
    pub(crate) fn set(&mut self, datum: &Datum<'_>) -> Result<()> {
        self.clear();
        self.push(datum)
    }

    pub(crate) fn get(&self, index: usize) -> Datum<'_> {
        match self.places.get(index) {
            None => Datum::Null,
            Some(Place::Fixed(datum)) => *datum,
            Some(Place::Text(from, to)) => {
                // It was a text when it was taken in.
                Datum::Text(std::str::from_utf8(&self.bytes[*from..*to]).unwrap_or(""))
            }
            Some(Place::Bytes(from, to)) => Datum::Bytes(&self.bytes[*from..*to]),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Datum<'_>> + Clone {
        (0..self.len()).map(|i| self.get(i))
    }
}
