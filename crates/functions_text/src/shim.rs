//! Short forms for the tables of this crate.

/// A row of a table whose function is written in place, over datums.
macro_rules! raw {
    ($name:literal, |$cx:ident, $args:ident| $body:expr) => {{
        fn shim<'m>(
            $cx: &mut expr::Call<'_, 'm>,
            $args: &[expr::Datum<'m>],
        ) -> base::Result<expr::Datum<'m>> {
            let _ = &$cx;
            let _ = &$args;
            $body
        }
        expr::Entry::scalar($name, shim)
    }};
}

/// A row of a table for a function whose definition is SQL, which is bound by its number.
macro_rules! in_sql {
    ($name:literal, $oid:literal, |$cx:ident, $args:ident| $body:expr) => {{
        fn shim<'m>(
            $cx: &mut expr::Call<'_, 'm>,
            $args: &[expr::Datum<'m>],
        ) -> base::Result<expr::Datum<'m>> {
            let _ = &$cx;
            let _ = &$args;
            $body
        }
        expr::Entry::numbered($name, $oid, shim)
    }};
}
pub(crate) use in_sql;
pub(crate) use raw;
