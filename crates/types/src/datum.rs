//! One SQL value.
//!
//! # How SQL types map to [`Datum`]
//!
//! | SQL type | variant |
//! |---|---|
//! | boolean | `Bool` |
//! | "char" | `Char` |
//! | smallint | `Int2` |
//! | integer; date (days since 2000-01-01) | `Int4` |
//! | bigint; money (hundredths); time, timestamp, timestamptz (microseconds) | `Int8` |
//! | xid, xid8, pg_lsn, tid (the bits of the u64) | `Int8` |
//! | oid, cid, the reg* types, enums (the OID of the label) | `Oid` |
//! | real, double precision | `Float4`, `Float8` |
//! | numeric | `Decimal` if it is finite and its mantissa fits 63 bits, else `Bytes` ([`crate::numeric`]) |
//! | uuid, interval, timetz | `Fixed16` |
//! | text, varchar, char(n), name, unknown, json, jsonpath, cstring, xml | `Text` |
//! | bytea, arrays, int2vector, oidvector, jsonb, records, bit strings, inet, cidr, macaddr, macaddr8, everything else | `Bytes` |
//!
//! # Rules
//! 1. `Text` is valid UTF-8 without a zero byte.
//! 2. A numeric that can be `Decimal` is never `Bytes`. `Decimal` never holds `i64::MIN`.
//! 3. The type is not part of the value: whoever holds a datum knows its type's OID.

use base::{Result, err};
use memory::Account;

/// One SQL value that borrows its variable-length part from `'m`.
#[derive(Clone, Copy, Debug)]
pub enum Datum<'m> {
    /// SQL NULL.
    Null,
    /// boolean
    Bool(bool),
    /// "char": one byte
    Char(u8),
    /// smallint
    Int2(i16),
    /// integer, date
    Int4(i32),
    /// bigint, time, timestamp, timestamptz, money, xid, xid8, pg_lsn, tid
    Int8(i64),
    /// oid, cid, reg*, enums
    Oid(u32),
    /// real
    Float4(f32),
    /// double precision
    Float8(f64),
    /// A finite numeric: `mantissa * 10^-scale`, where `scale` is also the display scale.
    Decimal {
        /// Never `i64::MIN`.
        mantissa: i64,
        /// Digits after the point.
        scale: u16,
    },
    /// uuid (its bytes), interval and timetz ([`crate::datetime`])
    Fixed16([u8; 16]),
    /// text and its kin
    Text(&'m str),
    /// Everything of variable length that is not text.
    Bytes(&'m [u8]),
}

const _: () = assert!(size_of::<Datum<'static>>() == 24);

impl<'m> Datum<'m> {
    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Datum::Null)
    }

    /// The bytes of the variable-length part; 0 for the other variants.
    pub fn variable_len(&self) -> usize {
        match self {
            Datum::Text(text) => text.len(),
            Datum::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }

    /// Whether it is the other value in the same form, to the last bit: NaN is itself, and the zeros
    /// of floats differ, as do numbers of another scale.
    pub fn is_identical(&self, other: &Datum<'_>) -> bool {
        match (self, other) {
            (Datum::Null, Datum::Null) => true,
            (Datum::Bool(a), Datum::Bool(b)) => a == b,
            (Datum::Char(a), Datum::Char(b)) => a == b,
            (Datum::Int2(a), Datum::Int2(b)) => a == b,
            (Datum::Int4(a), Datum::Int4(b)) => a == b,
            (Datum::Int8(a), Datum::Int8(b)) => a == b,
            (Datum::Oid(a), Datum::Oid(b)) => a == b,
            (Datum::Float4(a), Datum::Float4(b)) => a.to_bits() == b.to_bits(),
            (Datum::Float8(a), Datum::Float8(b)) => a.to_bits() == b.to_bits(),
            (
                Datum::Decimal { mantissa: a, scale: i },
                Datum::Decimal { mantissa: b, scale: j },
            ) => (a, i) == (b, j),
            (Datum::Fixed16(a), Datum::Fixed16(b)) => a == b,
            (Datum::Text(a), Datum::Text(b)) => a == b,
            (Datum::Bytes(a), Datum::Bytes(b)) => a == b,
            _ => false,
        }
    }

    /// The same value, its variable-length part copied into `arena`.
    pub fn copy_to<'n>(&self, arena: &dyn Arena<'n>) -> Result<Datum<'n>> {
        Ok(match *self {
            Datum::Null => Datum::Null,
            Datum::Bool(v) => Datum::Bool(v),
            Datum::Char(v) => Datum::Char(v),
            Datum::Int2(v) => Datum::Int2(v),
            Datum::Int4(v) => Datum::Int4(v),
            Datum::Int8(v) => Datum::Int8(v),
            Datum::Oid(v) => Datum::Oid(v),
            Datum::Float4(v) => Datum::Float4(v),
            Datum::Float8(v) => Datum::Float8(v),
            Datum::Decimal { mantissa, scale } => Datum::Decimal { mantissa, scale },
            Datum::Fixed16(v) => Datum::Fixed16(v),
            Datum::Text(v) => Datum::Text(arena.put_str(v)?),
            Datum::Bytes(v) => Datum::Bytes(arena.put(v)?),
        })
    }
}

macro_rules! getter {
    ($(#[$meta:meta])* $name:ident, $variant:ident, $ty:ty) => {
        $(#[$meta])*
        ///
        /// # Errors
        /// XX000 if the datum is of another kind: a broken binding, never a user's fault.
        #[inline]
        pub fn $name(&self) -> Result<$ty> {
            match self {
                Datum::$variant(v) => Ok(*v),
                other => Err(other.wrong_kind(stringify!($variant))),
            }
        }
    };
}

impl<'m> Datum<'m> {
    #[cold]
    fn wrong_kind(&self, wanted: &str) -> base::Error {
        err!(INTERNAL_ERROR, "datum of kind {} where {wanted} was expected", self.kind_name())
    }

    fn kind_name(&self) -> &'static str {
        match self {
            Datum::Null => "Null",
            Datum::Bool(_) => "Bool",
            Datum::Char(_) => "Char",
            Datum::Int2(_) => "Int2",
            Datum::Int4(_) => "Int4",
            Datum::Int8(_) => "Int8",
            Datum::Oid(_) => "Oid",
            Datum::Float4(_) => "Float4",
            Datum::Float8(_) => "Float8",
            Datum::Decimal { .. } => "Decimal",
            Datum::Fixed16(_) => "Fixed16",
            Datum::Text(_) => "Text",
            Datum::Bytes(_) => "Bytes",
        }
    }

    getter!(
        /// The boolean.
        bool, Bool, bool);
    getter!(
        /// The byte of a "char".
        char, Char, u8);
    getter!(
        /// The smallint.
        int2, Int2, i16);
    getter!(
        /// The integer or date.
        int4, Int4, i32);
    getter!(
        /// The bigint, time, timestamp or any other type kept in 8 bytes.
        int8, Int8, i64);
    getter!(
        /// The object id.
        oid, Oid, u32);
    getter!(
        /// The real.
        float4, Float4, f32);
    getter!(
        /// The double precision.
        float8, Float8, f64);
    getter!(
        /// The 16 bytes of a uuid, interval or timetz.
        fixed16, Fixed16, [u8; 16]);
    getter!(
        /// The text.
        text, Text, &'m str);
    getter!(
        /// The bytes.
        bytes, Bytes, &'m [u8]);
}

/// A place where variable-length results are put; they live for `'m`.
///
/// Implemented by memory contexts; [`LeakArena`] serves tests and constants.
pub trait Arena<'m> {
    /// Copies `bytes` into the arena.
    ///
    /// # Errors
    /// 53200 if the memory limit is reached.
    fn put(&self, bytes: &[u8]) -> Result<&'m [u8]>;

    /// Copies `text` into the arena.
    ///
    /// # Errors
    /// 53200 if the memory limit is reached.
    fn put_str(&self, text: &str) -> Result<&'m str>;

    /// Makes room for `bytes` zeros, which `write` fills.
    ///
    /// # Errors
    /// 53200 if the memory limit is reached, and those of `write`.
    fn put_with(
        &self,
        bytes: usize,
        write: &mut dyn FnMut(&mut [u8]) -> Result<()>,
    ) -> Result<&'m [u8]> {
        let mut room = vec![0; bytes];
        write(&mut room)?;
        self.put(&room)
    }

    /// Who pays for what is put here, and for what is kept until it is put here.
    fn account(&self) -> Account {
        Account::unlimited()
    }
}

/// An arena whose values are never freed. For tests and start-up constants only.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeakArena;

impl Arena<'static> for LeakArena {
    fn put(&self, bytes: &[u8]) -> Result<&'static [u8]> {
        Ok(Box::leak(bytes.to_vec().into_boxed_slice()))
    }

    fn put_str(&self, text: &str) -> Result<&'static str> {
        Ok(Box::leak(text.to_owned().into_boxed_str()))
    }
}

impl<'m> Arena<'m> for &'m memory::Bump {
    fn put(&self, bytes: &[u8]) -> Result<&'m [u8]> {
        let bump: &'m memory::Bump = self;
        Ok(bump.alloc_bytes(bytes)?)
    }

    fn put_str(&self, text: &str) -> Result<&'m str> {
        let bump: &'m memory::Bump = self;
        Ok(bump.alloc_str(text)?)
    }

    fn put_with(
        &self,
        bytes: usize,
        write: &mut dyn FnMut(&mut [u8]) -> Result<()>,
    ) -> Result<&'m [u8]> {
        let bump: &'m memory::Bump = self;
        let room = bump.alloc_slice_fill(bytes, 0)?;
        write(room)?;
        Ok(room)
    }

    fn account(&self) -> Account {
        memory::Bump::account(self).clone()
    }
}
