//! Which part of a column's values lies below a value.

use super::INEQUALITY;
use super::scalar::of_type;
use super::variable::Variable;
use crate::planner::Planner;
use std::cmp::Ordering;
use types::numeric::Numeric;
use types::{Datum, oids};

impl Planner<'_, '_, '_> {
    /// `column < value` and its like.
    pub(super) fn inequality_part(
        &self,
        variable: &Variable,
        value: &Datum<'_>,
        greater: bool,
        equal: bool,
    ) -> f64 {
        if variable.statistics().is_none() {
            return INEQUALITY;
        }
        let (mut met, mut sum) = (0.0, 0.0);
        let common = variable.common();
        for (known, part) in &common {
            sum += part;
            let Some(value) = of_type(value, known) else { return INEQUALITY };
            let order = self.order_of(variable, known, &value);
            let holds = match order {
                Some(Ordering::Equal) => equal,
                Some(Ordering::Less) => !greater,
                Some(Ordering::Greater) => greater,
                None => return INEQUALITY,
            };
            if holds {
                met += part;
            }
        }
        let rest = (1.0 - variable.null_fraction() - sum).max(0.0);
        // The most common values may be all there are.
        let part = match self.below_part(variable, value, greater, equal) {
            Some(part) => part,
            None if common.is_empty() => return INEQUALITY,
            None => 0.5,
        };
        (rest * part + met).clamp(0.0, 1.0)
    }

    /// The part of the histogram's values for which a comparison with a value holds; nothing
    /// without a histogram.
    pub(super) fn below_part(
        &self,
        variable: &Variable,
        value: &Datum<'_>,
        greater: bool,
        equal: bool,
    ) -> Option<f64> {
        let bounds = variable.histogram();
        if bounds.len() < 2 {
            return None;
        }
        let value = &of_type(value, &bounds[0])?;
        // The bounds below the value; with those equal to it for `<=` and `>`.
        let with_equal = greater != equal;
        let mut below = 0;
        for bound in &bounds {
            match self.order_of(variable, bound, value)? {
                Ordering::Less => below += 1,
                Ordering::Equal if with_equal => below += 1,
                _ => break,
            }
        }
        let bins = (bounds.len() - 1) as f64;
        let mut part = match below {
            0 => 0.0,
            all if all == bounds.len() => 1.0,
            at => {
                let within = position(variable.type_oid.0, &bounds[at - 1], &bounds[at], value);
                let one = if at == 1 || !with_equal {
                    let others = variable.distinct().0 - variable.common().len() as f64;
                    if others > 1.0 { 1.0 / others } else { 0.0 }
                } else {
                    0.0
                };
                let mut part = ((at - 1) as f64 + within) / bins;
                if at == 1 {
                    part += one * (1.0 - within);
                }
                if !with_equal {
                    part -= one;
                }
                part.clamp(0.0, 1.0)
            }
        };
        if greater {
            part = 1.0 - part;
        }
        // What is beyond the bounds now may have come since.
        let least = 0.01 / bins;
        Some(part.clamp(least, 1.0 - least))
    }
}

/// How far a value is on the way from one bound to the next.
fn position(type_oid: u32, low: &Datum<'_>, high: &Datum<'_>, value: &Datum<'_>) -> f64 {
    let numbers = match (low, high, value) {
        (Datum::Text(low), Datum::Text(high), Datum::Text(value)) => Some(texts(low, high, value)),
        (Datum::Bytes(low), Datum::Bytes(high), Datum::Bytes(value))
            if type_oid != oids::NUMERIC =>
        {
            Some(bytes(low, high, value, (0, 255)))
        }
        _ => match (number(low), number(high), number(value)) {
            (Some(low), Some(high), Some(value)) => Some((low, high, value)),
            _ => None,
        },
    };
    let Some((low, high, value)) = numbers else { return 0.5 };
    if high <= low {
        return 0.5;
    }
    if value <= low {
        return 0.0;
    }
    if value >= high {
        return 1.0;
    }
    let part = (value - low) / (high - low);
    if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.5 }
}

/// A value as a number on a scale.
fn number(value: &Datum<'_>) -> Option<f64> {
    match value {
        Datum::Bool(v) => Some(f64::from(u8::from(*v))),
        Datum::Char(v) => Some(f64::from(*v)),
        Datum::Int2(v) => Some(f64::from(*v)),
        Datum::Int4(v) => Some(f64::from(*v)),
        Datum::Int8(v) => Some(*v as f64),
        Datum::Oid(v) => Some(f64::from(*v)),
        Datum::Float4(v) => Some(f64::from(*v)),
        Datum::Float8(v) => Some(*v),
        Datum::Decimal { mantissa, scale } => {
            Some(*mantissa as f64 / 10f64.powi(i32::from(*scale)))
        }
        Datum::Bytes(packed) => {
            let number = Numeric::Packed(packed).load();
            Some(number.to_f64())
        }
        Datum::Fixed16(bytes) => Some(u128::from_be_bytes(*bytes) as f64),
        _ => None,
    }
}

fn texts(low: &str, high: &str, value: &str) -> (f64, f64, f64) {
    let all = || low.bytes().chain(high.bytes()).chain(value.bytes());
    let (mut first, mut last) = (all().min().unwrap_or(b' '), all().max().unwrap_or(127));
    for (from, to) in [(b'A', b'Z'), (b'a', b'z'), (b'0', b'9')] {
        // One character of a class stands for all of it.
        if first <= to && last >= from {
            first = first.min(from);
            last = last.max(to);
        }
    }
    if last - first < 9 {
        (first, last) = (b' ', 127);
    }
    bytes(low.as_bytes(), high.as_bytes(), value.as_bytes(), (first, last))
}

/// Strings as fractions, what they all begin with left out.
fn bytes(low: &[u8], high: &[u8], value: &[u8], (first, last): (u8, u8)) -> (f64, f64, f64) {
    let shared = low.iter().zip(high).zip(value).take_while(|((a, b), c)| a == b && b == c).count();
    let base = f64::from(last - first) + 1.0;
    let fraction = |text: &[u8]| {
        let mut scale = 1.0;
        let digits = text.iter().skip(shared).take(12);
        digits.fold(0.0, |sum, byte| {
            scale /= base;
            sum + f64::from((*byte).clamp(first, last) - first) * scale
        })
    };
    (fraction(low), fraction(high), fraction(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_between_their_bounds() {
        let int = |v| Datum::Int4(v);
        assert!((position(oids::INT4, &int(10), &int(20), &int(15)) - 0.5).abs() < 1e-9);
        assert!(position(oids::INT4, &int(10), &int(20), &int(5)).abs() < 1e-9);
        assert!((position(oids::INT4, &int(10), &int(20), &int(25)) - 1.0).abs() < 1e-9);
        let text = |v| Datum::Text(v);
        let part = position(oids::TEXT, &text("abc"), &text("abz"), &text("abn"));
        assert!((0.4..0.6).contains(&part), "{part}");
    }
}
