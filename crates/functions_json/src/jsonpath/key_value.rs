//! keyvalue() and the ids of objects.
//!
//! An id is `10,000,000,000 * number of the base object + offset`. The base object is the document
//! (0), a variable or an object that the path made; the offset is where the object stands in the
//! base object's binary form in PostgreSQL: a header of 4 bytes and 4 for each key and value, then
//! the keys, then the values; numbers and containers begin at multiples of 4.

use super::evaluate::{Evaluator, Found, Status, fail};
use super::value::Value;
use base::Result;
use types::jsonb::{View, Writer};
use types::jsonpath::Item;
use types::numeric::Numeric;
use types::{Jsonb, NumericBuf};

/// The object that ids count from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base<'v> {
    pub(super) container: Option<Jsonb<'v>>,
    pub(super) id: i64,
}

const BASE_UNIT: i64 = 10_000_000_000;

impl<'v> Evaluator<'_, 'v> {
    pub(super) fn key_value(
        &mut self,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        let object = match value {
            Value::Container(json) => match json.view() {
                View::Object(object) => Some((json, object)),
                _ => None,
            },
            _ => None,
        };
        let Some((json, object)) = object else {
            fail!(
                self,
                SQL_JSON_OBJECT_NOT_FOUND,
                "jsonpath item method .keyvalue() can only be applied to an object"
            );
        };
        if object.is_empty() {
            return Ok(Status::NotFound);
        }
        if chain.len() == 1 && found.is_ignored() {
            return Ok(Status::Found);
        }
        let offset = self.base.container.and_then(|base| offset(base, json)).unwrap_or(0);
        let id = NumericBuf::from_i128((offset as i64 + self.base.id * BASE_UNIT).into());
        let mut status = Status::NotFound;
        for (key, value) in object.iter() {
            let mut out = Writer::new(self.bump.account());
            out.begin_object()?;
            out.key("key")?;
            out.string(key)?;
            out.key("value")?;
            out.value(value)?;
            out.key("id")?;
            out.number(&id)?;
            out.end()?;
            let pair = Jsonb::new(out.finish(&self.bump)?.bytes()?);
            let made = Base { container: Some(pair), id: self.next_object };
            self.next_object += 1;
            let kept = std::mem::replace(&mut self.base, made);
            let result = self.next(chain, Value::Container(pair), found);
            self.base = kept;
            status = result?;
            if status == Status::Error || status == Status::Found && found.is_ignored() {
                break;
            }
        }
        Ok(status)
    }
}

/// Where a container stands in another one, if it is a part of it.
fn offset(base: Jsonb<'_>, target: Jsonb<'_>) -> Option<usize> {
    let mut place = Place { target: target.bytes().as_ptr_range(), found: None };
    place.walk(base, 0);
    place.found
}

struct Place {
    target: std::ops::Range<*const u8>,
    found: Option<usize>,
}

impl Place {
    /// The end of a value that begins at or behind `at`; ends early once the target is found.
    fn walk(&mut self, json: Jsonb<'_>, at: usize) -> usize {
        match json.view() {
            View::Null | View::Bool(_) => at,
            View::String(text) => at + text.len(),
            View::Number(number) => {
                let mut wire = Vec::new();
                if let Ok(number) = Numeric::from_datum(&number) {
                    types::numeric::send(&number.load(), &mut wire);
                }
                at.next_multiple_of(4) + number_bytes(&wire)
            }
            View::Array(array) => {
                let start = at.next_multiple_of(4);
                if self.is_target(json, start) {
                    return start;
                }
                let mut end = start + 4 + 4 * array.len();
                for item in array.iter() {
                    end = self.walk(item, end);
                    if self.found.is_some() {
                        break;
                    }
                }
                end
            }
            View::Object(object) => {
                let start = at.next_multiple_of(4);
                if self.is_target(json, start) {
                    return start;
                }
                let keys: usize = object.iter().map(|(key, _)| key.len()).sum();
                let mut end = start + 4 + 8 * object.len() + keys;
                for (_, value) in object.iter() {
                    end = self.walk(value, end);
                    if self.found.is_some() {
                        break;
                    }
                }
                end
            }
        }
    }

    fn is_target(&mut self, json: Jsonb<'_>, start: usize) -> bool {
        let hit = json.bytes().as_ptr_range() == self.target;
        if hit {
            self.found = Some(start);
        }
        hit
    }
}

/// The bytes of a number, from its binary form: count of digits, weight, sign, scale.
fn number_bytes(wire: &[u8]) -> usize {
    let half = |i: usize| match wire.get(i * 2..i * 2 + 2) {
        Some(bytes) => i16::from_be_bytes([bytes[0], bytes[1]]),
        None => 0,
    };
    let (digits, weight, scale) = (half(0), half(1), half(3));
    let short = (-64..64).contains(&weight) && (0..64).contains(&scale);
    4 + if short { 2 } else { 4 } + 2 * usize::from(digits.unsigned_abs())
}
