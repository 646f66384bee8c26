//! From functions over plain values to functions over datums.

use base::Result;
use types::Datum;

/// A plain value that an argument can be taken as.
pub trait FromDatum<'m>: Sized {
    /// The value of a datum.
    ///
    /// # Errors
    /// XX000 if the datum is of another kind: a wrong binding.
    fn from_datum(datum: &Datum<'m>) -> Result<Self>;
}

/// A plain value, or a result or option of one, that can be a function's result.
pub trait IntoDatum<'m> {
    /// The datum of the value.
    ///
    /// # Errors
    /// The function's own.
    fn into_datum(self) -> Result<Datum<'m>>;
}

macro_rules! plain {
    ($($ty:ty, $getter:ident, $variant:ident;)*) => {$(
        impl<'m> FromDatum<'m> for $ty {
            #[inline]
            fn from_datum(datum: &Datum<'m>) -> Result<Self> {
                datum.$getter()
            }
        }
        impl<'m> IntoDatum<'m> for $ty {
            #[inline]
            fn into_datum(self) -> Result<Datum<'m>> {
                Ok(Datum::$variant(self))
            }
        }
    )*};
}

plain! {
    bool, bool, Bool;
    u8, char, Char;
    i16, int2, Int2;
    i32, int4, Int4;
    i64, int8, Int8;
    u32, oid, Oid;
    f32, float4, Float4;
    f64, float8, Float8;
    [u8; 16], fixed16, Fixed16;
    &'m str, text, Text;
    &'m [u8], bytes, Bytes;
}

impl<'m> FromDatum<'m> for Datum<'m> {
    fn from_datum(datum: &Datum<'m>) -> Result<Self> {
        Ok(*datum)
    }
}

impl<'m> IntoDatum<'m> for Datum<'m> {
    fn into_datum(self) -> Result<Datum<'m>> {
        Ok(self)
    }
}

impl<'m> IntoDatum<'m> for () {
    fn into_datum(self) -> Result<Datum<'m>> {
        Ok(Datum::Text(""))
    }
}

impl<'m, T: FromDatum<'m>> FromDatum<'m> for Option<T> {
    fn from_datum(datum: &Datum<'m>) -> Result<Self> {
        if datum.is_null() { Ok(None) } else { T::from_datum(datum).map(Some) }
    }
}

impl<'m, T: IntoDatum<'m>> IntoDatum<'m> for Option<T> {
    fn into_datum(self) -> Result<Datum<'m>> {
        self.map_or(Ok(Datum::Null), T::into_datum)
    }
}

impl<'m, T: IntoDatum<'m>> IntoDatum<'m> for Result<T> {
    fn into_datum(self) -> Result<Datum<'m>> {
        self.and_then(T::into_datum)
    }
}

/// A row of a function table: `fun!("int4pl", int4pl, 2)`.
///
/// The function takes as many plain values ([`FromDatum`](crate::FromDatum)) as the number says and
/// returns a plain value, an `Option`, or a `Result` of either ([`IntoDatum`](crate::IntoDatum)).
/// With `cx` before the number it takes `&mut Call` first, to put its result into `cx.bump`; with
/// `raw` instead of the number it is a [`ScalarFn`](crate::ScalarFn) as it stands.
///
/// ```
/// use expr::{Call, Entry, fun};
/// use base::Result;
/// use types::Datum;
///
/// fn int4pl(a: i32, b: i32) -> Result<i32> {
///     a.checked_add(b).ok_or_else(|| base::err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))
/// }
///
/// fn upper<'m>(cx: &mut Call<'_, 'm>, text: &str) -> Result<Datum<'m>> {
///     cx.text(&text.to_uppercase())
/// }
///
/// fn num_nulls<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
///     Ok(Datum::Int4(args.iter().filter(|arg| arg.is_null()).count() as i32))
/// }
///
/// const TABLE: &[Entry] = &[
///     fun!("int4pl", int4pl, 2),
///     fun!("upper", upper, cx 1),
///     fun!("pg_num_nulls", num_nulls, raw),
/// ];
/// # assert_eq!(TABLE.len(), 3);
/// ```
#[macro_export]
macro_rules! fun {
    ($name:literal, $f:path, raw) => {
        $crate::Entry::scalar($name, $f)
    };
    ($name:literal, $f:path, cx $arity:tt) => {{
        fn shim<'m>(
            cx: &mut $crate::Call<'_, 'm>,
            args: &[$crate::Datum<'m>],
        ) -> $crate::Result<$crate::Datum<'m>> {
            $crate::lifted!($arity, args, $f, cx)
        }
        $crate::Entry::scalar($name, shim)
    }};
    ($name:literal, $f:path, $arity:tt) => {{
        fn shim<'m>(
            _: &mut $crate::Call<'_, 'm>,
            args: &[$crate::Datum<'m>],
        ) -> $crate::Result<$crate::Datum<'m>> {
            $crate::lifted!($arity, args, $f)
        }
        $crate::Entry::scalar($name, shim)
    }};
}

/// A row of a table whose function is written in place, over datums.
#[macro_export]
macro_rules! raw {
    ($name:literal, |$cx:ident, $args:ident| $body:expr) => {
        $crate::Entry::scalar($name, $crate::in_place!(|$cx, $args| $body))
    };
}

/// A row of a table for a function whose definition is SQL, which is bound by its number.
#[macro_export]
macro_rules! in_sql {
    ($name:literal, $oid:literal, |$cx:ident, $args:ident| $body:expr) => {
        $crate::Entry::numbered($name, $oid, $crate::in_place!(|$cx, $args| $body))
    };
}

/// The shim of a function that is written in place.
#[doc(hidden)]
#[macro_export]
macro_rules! in_place {
    (|$cx:ident, $args:ident| $body:expr) => {{
        fn shim<'m>(
            $cx: &mut $crate::Call<'_, 'm>,
            $args: &[$crate::Datum<'m>],
        ) -> $crate::Result<$crate::Datum<'m>> {
            let _ = &$cx;
            let _ = &$args;
            $body
        }
        shim
    }};
}

/// The call inside the shim that [`fun!`] makes.
#[doc(hidden)]
#[macro_export]
macro_rules! lifted {
    (0, $args:ident, $f:path $(, $cx:ident)?) => {{
        let _ = $args;
        $crate::IntoDatum::into_datum($f($($cx)?))
    }};
    (1, $args:ident, $f:path $(, $cx:ident)?) => { $crate::lifted!(@ $args, $f, [$($cx)?], 0) };
    (2, $args:ident, $f:path $(, $cx:ident)?) => { $crate::lifted!(@ $args, $f, [$($cx)?], 0 1) };
    (3, $args:ident, $f:path $(, $cx:ident)?) => { $crate::lifted!(@ $args, $f, [$($cx)?], 0 1 2) };
    (4, $args:ident, $f:path $(, $cx:ident)?) => { $crate::lifted!(@ $args, $f, [$($cx)?], 0 1 2 3) };
    (5, $args:ident, $f:path $(, $cx:ident)?) => { $crate::lifted!(@ $args, $f, [$($cx)?], 0 1 2 3 4) };
    (6, $args:ident, $f:path $(, $cx:ident)?) => { $crate::lifted!(@ $args, $f, [$($cx)?], 0 1 2 3 4 5) };
    (7, $args:ident, $f:path $(, $cx:ident)?) => { $crate::lifted!(@ $args, $f, [$($cx)?], 0 1 2 3 4 5 6) };
    (@ $args:ident, $f:path, [$($cx:ident)?], $($i:tt)+) => {
        $crate::IntoDatum::into_datum($f($($cx,)? $($crate::argument($args, $i)?),+))
    };
}

/// One argument as a plain value.
#[doc(hidden)]
#[inline]
pub fn argument<'m, T: FromDatum<'m>>(args: &[Datum<'m>], i: usize) -> Result<T> {
    match args.get(i) {
        Some(datum) => T::from_datum(datum),
        None => Err(base::Error::internal(format!("a function was called without argument {i}"))),
    }
}
