//! Order, hash, containment and existence of jsonb.

use super::{Jsonb, JsonbArray, JsonbObject, View};
use crate::datum::Datum;
use crate::numeric::Numeric;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// A step of a path: a key, or an index that may count from the end.
#[derive(Clone, Copy, Debug)]
pub enum JsonbKey<'t> {
    /// The key of an object.
    Key(&'t str),
    /// The index of an array.
    Index(i64),
}

fn rank(view: &View<'_>) -> u8 {
    match view {
        View::Null => 0,
        View::String(_) => 1,
        View::Number(_) => 2,
        View::Bool(_) => 3,
        View::Array(_) => 4,
        View::Object(_) => 5,
    }
}

fn compare_numbers(a: &Datum<'_>, b: &Datum<'_>) -> Ordering {
    match (Numeric::from_datum(a), Numeric::from_datum(b)) {
        (Ok(a), Ok(b)) => a.compare(b),
        _ => Ordering::Equal,
    }
}

impl<'m> Jsonb<'m> {
    /// Btree comparison. Object > array > boolean > number > string > null; more elements are
    /// greater than fewer. At the top an empty array is less than a scalar, as in PostgreSQL.
    pub fn compare(self, other: Jsonb<'_>) -> Ordering {
        let (a, b) = (self.view(), other.view());
        match (&a, &b) {
            (View::Array(_) | View::Object(_), View::Array(_) | View::Object(_)) => {
                compare_views(&a, &b)
            }
            (View::Array(array), _) => {
                if array.is_empty() {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (_, View::Array(array)) => {
                if array.is_empty() {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            _ => compare_views(&a, &b),
        }
    }

    /// Whether both are the same value.
    pub fn equals(self, other: Jsonb<'_>) -> bool {
        self.compare(other) == Ordering::Equal
    }

    /// Feeds a hash that is equal for equal values.
    pub fn hash_into(self, state: &mut impl Hasher) {
        match self.view() {
            View::Null => 0u8.hash(state),
            View::Bool(b) => b.hash(state),
            View::Number(datum) => {
                if let Ok(number) = Numeric::from_datum(&datum) {
                    number.load().hash_into(state);
                }
            }
            View::String(text) => text.hash(state),
            View::Array(array) => {
                array.len().hash(state);
                array.iter().for_each(|item| item.hash_into(state));
            }
            View::Object(object) => {
                object.len().hash(state);
                for (key, value) in object.iter() {
                    key.hash(state);
                    value.hash_into(state);
                }
            }
        }
    }

    /// `self @> other`
    pub fn contains(self, other: Jsonb<'_>) -> bool {
        match (self.view(), other.view()) {
            (View::Object(a), View::Object(b)) => object_contains(a, b),
            (View::Array(a), View::Array(b)) => array_contains(a, b),
            // An array contains the scalars that are its elements.
            (View::Array(_), View::Object(_)) | (View::Object(_), _) => false,
            (View::Array(a), _) => a.iter().any(|item| is_scalar(item) && item.equals(other)),
            (_, View::Array(_) | View::Object(_)) => false,
            _ => self.equals(other),
        }
    }

    /// `self ? key`: a key of the object, a string of the array, or the string itself.
    pub fn exists(self, key: &str) -> bool {
        match self.view() {
            View::Object(object) => object.get(key).is_some(),
            View::Array(array) => {
                array.iter().any(|item| matches!(item.view(), View::String(s) if s == key))
            }
            View::String(text) => text == key,
            _ => false,
        }
    }

    /// The value at a path; the elements of the path are keys for objects and indexes for arrays.
    pub fn path<'p>(self, path: impl IntoIterator<Item = &'p str>) -> Option<Jsonb<'m>> {
        let mut at = self;
        for step in path {
            at = match at.view() {
                View::Object(object) => object.get(step)?,
                View::Array(_) => at.element(step.trim_start().parse().ok()?)?,
                _ => return None,
            };
        }
        Some(at)
    }
}

fn is_scalar(value: Jsonb<'_>) -> bool {
    !matches!(value.view(), View::Array(_) | View::Object(_))
}

fn compare_views(a: &View<'_>, b: &View<'_>) -> Ordering {
    match (a, b) {
        (View::Bool(a), View::Bool(b)) => a.cmp(b),
        (View::Number(a), View::Number(b)) => compare_numbers(a, b),
        (View::String(a), View::String(b)) => a.as_bytes().cmp(b.as_bytes()),
        (View::Array(a), View::Array(b)) => compare_arrays(*a, *b),
        (View::Object(a), View::Object(b)) => compare_objects(*a, *b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn compare_arrays(a: JsonbArray<'_>, b: JsonbArray<'_>) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| {
        a.iter()
            .zip(b.iter())
            .map(|(x, y)| compare_views(&x.view(), &y.view()))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}

fn compare_objects(a: JsonbObject<'_>, b: JsonbObject<'_>) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| {
        a.iter()
            .zip(b.iter())
            .map(|((k, x), (l, y))| {
                k.as_bytes().cmp(l.as_bytes()).then_with(|| compare_views(&x.view(), &y.view()))
            })
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}

fn object_contains(a: JsonbObject<'_>, b: JsonbObject<'_>) -> bool {
    a.len() >= b.len()
        && b.iter().all(|(key, value)| {
            a.get(key).is_some_and(|own| match (own.view(), value.view()) {
                (View::Array(x), View::Array(y)) => array_contains(x, y),
                (View::Object(x), View::Object(y)) => object_contains(x, y),
                (View::Array(_) | View::Object(_), _) | (_, View::Array(_) | View::Object(_)) => {
                    false
                }
                _ => own.equals(value),
            })
        })
}

fn array_contains(a: JsonbArray<'_>, b: JsonbArray<'_>) -> bool {
    b.iter().all(|wanted| {
        a.iter().any(|item| match (item.view(), wanted.view()) {
            (View::Array(x), View::Array(y)) => array_contains(x, y),
            (View::Object(x), View::Object(y)) => object_contains(x, y),
            _ => is_scalar(item) && is_scalar(wanted) && item.equals(wanted),
        })
    })
}
