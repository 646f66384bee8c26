//! Short forms for the tables of this crate.

use base::Result;
use catalog::Catalog;
use expr::Call;

/// A row of a table for a function that returns a set that is computed at its beginning.
macro_rules! set {
    ($name:literal, |$cx:ident, $args:ident| $body:expr) => {{
        fn shim<'m>(
            $cx: &mut expr::Call<'_, 'm>,
            $args: &[expr::Datum<'m>],
        ) -> base::Result<Box<dyn expr::SetRows>> {
            let _ = &$cx;
            let _ = &$args;
            let rows: Vec<Vec<$crate::rows::Cell>> = $body;
            Ok($crate::rows::set(rows))
        }
        expr::Entry::set($name, shim)
    }};
}

pub(crate) use expr::{in_sql, raw};
pub(crate) use set;

/// The session's catalogs.
pub(crate) fn catalog<'c>(cx: &Call<'c, '_>) -> Result<&'c Catalog> {
    expr::service(cx.host)
}
