//! How a column is stored: the physical kind of a column, and the way between [`Datum`] and bytes.
//!
//! All numbers are little-endian. `numeric(p, s)` columns whose values always fit 18 digits are
//! stored as an `i64` mantissa with the column's scale, `NaN` as `i64::MIN`; other numerics are
//! variable ([`crate::numeric`] has their bytes).

use crate::datum::Datum;
use crate::numeric::{self, Numeric};
use crate::oids;
use base::{Error, Result, err};

/// The physical kind of a stored column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
    Fixed16,
    Var,
}

impl Kind {
    /// The bytes of a value, or none if they vary.
    pub fn width(self) -> Option<usize> {
        match self {
            Kind::Bool | Kind::I8 => Some(1),
            Kind::I16 => Some(2),
            Kind::I32 | Kind::F32 => Some(4),
            Kind::I64 | Kind::F64 => Some(8),
            Kind::Fixed16 => Some(16),
            Kind::Var => None,
        }
    }
}

/// Which variant of [`Datum`] a column's values have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "the names are those of the variants")]
pub enum Shape {
    Bool,
    Char,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    /// A numeric stored as a mantissa with this scale.
    Decimal(u16),
    /// A numeric of any size.
    Numeric,
    Fixed16,
    Text,
    Bytes,
}

/// The layout of a column. Two columns of one layout store equal values as equal bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Layout {
    /// The variant of the values.
    pub shape: Shape,
}

impl Layout {
    /// The layout of a column of a type. For a domain, ask with its base type and that type's
    /// modifier; `typlen` decides for types that are not built in (4: an enum).
    pub fn of(type_oid: u32, typlen: i16, typmod: i32) -> Layout {
        use oids::*;
        let shape = match type_oid {
            BOOL => Shape::Bool,
            CHAR => Shape::Char,
            INT2 => Shape::Int2,
            INT4 | DATE => Shape::Int4,
            INT8 | MONEY | TIME | TIMESTAMP | TIMESTAMPTZ | XID | XID8 | PG_LSN | TID => {
                Shape::Int8
            }
            OID | CID | REGPROC | REGPROCEDURE | REGOPER | REGOPERATOR | REGCLASS | REGTYPE
            | REGCONFIG | REGDICTIONARY | REGNAMESPACE | REGROLE | REGCOLLATION => Shape::Oid,
            FLOAT4 => Shape::Float4,
            FLOAT8 => Shape::Float8,
            NUMERIC => match numeric::typmod_parts(typmod) {
                Some((precision, scale))
                    if i32::from(precision) - i32::from(scale.min(0)) <= 18 && scale <= 18 =>
                {
                    Shape::Decimal(scale.max(0).unsigned_abs())
                }
                _ => Shape::Numeric,
            },
            UUID | INTERVAL | TIMETZ => Shape::Fixed16,
            TEXT | VARCHAR | BPCHAR | NAME | UNKNOWN | JSON | CSTRING | XML | REFCURSOR
            | PG_NODE_TREE | ACLITEM | VOID | JSONPATH => Shape::Text,
            _ if typlen == 4 => Shape::Oid,
            _ if typlen == -2 => Shape::Text,
            _ => Shape::Bytes,
        };
        Layout { shape }
    }

    /// The physical kind.
    pub fn kind(self) -> Kind {
        match self.shape {
            Shape::Bool => Kind::Bool,
            Shape::Char => Kind::I8,
            Shape::Int2 => Kind::I16,
            Shape::Int4 | Shape::Oid => Kind::I32,
            Shape::Int8 | Shape::Decimal(_) => Kind::I64,
            Shape::Float4 => Kind::F32,
            Shape::Float8 => Kind::F64,
            Shape::Fixed16 => Kind::Fixed16,
            Shape::Numeric | Shape::Text | Shape::Bytes => Kind::Var,
        }
    }

    /// Appends the stored bytes of `datum`, which must not be NULL.
    ///
    /// # Errors
    /// XX000 if the datum is of another shape.
    pub fn encode(self, datum: &Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
        match (self.shape, datum) {
            (Shape::Bool, Datum::Bool(v)) => out.push(u8::from(*v)),
            (Shape::Char, Datum::Char(v)) => out.push(*v),
            (Shape::Int2, Datum::Int2(v)) => out.extend_from_slice(&v.to_le_bytes()),
            (Shape::Int4, Datum::Int4(v)) => out.extend_from_slice(&v.to_le_bytes()),
            (Shape::Int8, Datum::Int8(v)) => out.extend_from_slice(&v.to_le_bytes()),
            (Shape::Oid, Datum::Oid(v)) => out.extend_from_slice(&v.to_le_bytes()),
            (Shape::Float4, Datum::Float4(v)) => out.extend_from_slice(&v.to_le_bytes()),
            (Shape::Float8, Datum::Float8(v)) => out.extend_from_slice(&v.to_le_bytes()),
            (Shape::Fixed16, Datum::Fixed16(v)) => out.extend_from_slice(v),
            (Shape::Text, Datum::Text(v)) => out.extend_from_slice(v.as_bytes()),
            (Shape::Bytes, Datum::Bytes(v)) => out.extend_from_slice(v),
            (Shape::Decimal(scale), _) => {
                let mantissa = decimal_mantissa(datum, scale)?;
                out.extend_from_slice(&mantissa.to_le_bytes());
            }
            (Shape::Numeric, Datum::Decimal { .. } | Datum::Bytes(_)) => {
                Numeric::from_datum(datum)?.encode_stored(out);
            }
            (shape, _) => {
                return Err(err!(INTERNAL_ERROR, "datum {datum:?} in a column of shape {shape:?}"));
            }
        }
        Ok(())
    }

    /// The value whose stored bytes are `stored`, borrowing from them.
    ///
    /// # Errors
    /// XX001 if the bytes cannot be of this layout.
    pub fn decode<'m>(self, stored: &'m [u8]) -> Result<Datum<'m>> {
        let wrong = || Error::corrupted(format!("{} bytes in a column of {self:?}", stored.len()));
        macro_rules! number {
            ($ty:ty) => {
                <$ty>::from_le_bytes(stored.try_into().map_err(|_| wrong())?)
            };
        }
        Ok(match self.shape {
            Shape::Bool => Datum::Bool(*stored.first().ok_or_else(wrong)? != 0),
            Shape::Char => Datum::Char(*stored.first().ok_or_else(wrong)?),
            Shape::Int2 => Datum::Int2(number!(i16)),
            Shape::Int4 => Datum::Int4(number!(i32)),
            Shape::Int8 => Datum::Int8(number!(i64)),
            Shape::Oid => Datum::Oid(number!(u32)),
            Shape::Float4 => Datum::Float4(number!(f32)),
            Shape::Float8 => Datum::Float8(number!(f64)),
            Shape::Decimal(scale) => match number!(i64) {
                i64::MIN => Datum::Bytes(numeric::PACKED_NAN),
                mantissa => Datum::Decimal { mantissa, scale },
            },
            Shape::Numeric => numeric::decode_stored(stored)?,
            Shape::Fixed16 => Datum::Fixed16(stored.try_into().map_err(|_| wrong())?),
            Shape::Text => Datum::Text(std::str::from_utf8(stored).map_err(|_| wrong())?),
            Shape::Bytes => Datum::Bytes(stored),
        })
    }
}

/// The mantissa of a numeric at `scale`; `i64::MIN` for NaN.
fn decimal_mantissa(datum: &Datum<'_>, scale: u16) -> Result<i64> {
    let outside =
        || err!(INTERNAL_ERROR, "numeric {datum:?} does not fit a column of scale {scale}");
    match *datum {
        Datum::Decimal { mantissa, scale: own } if own == scale => Ok(mantissa),
        Datum::Decimal { mantissa, scale: own } if own < scale => {
            let factor = 10i64.checked_pow(u32::from(scale - own)).ok_or_else(outside)?;
            mantissa.checked_mul(factor).ok_or_else(outside)
        }
        Datum::Bytes(numeric::PACKED_NAN) => Ok(i64::MIN),
        _ => Err(outside()),
    }
}
