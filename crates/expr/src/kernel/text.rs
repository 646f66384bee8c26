//! Comparisons of texts by their bytes.

use super::{Kernel, Rows};
use crate::Vector;
use crate::program::{Nulls, Typed};
use base::Result;
use batch::Shape;
use memory::Bump;
use std::cmp::Ordering;
use types::Datum;

fn compare<'m>(
    bump: &'m Bump,
    args: &[Vector<'m>],
    rows: Rows<'_>,
    all: usize,
    holds: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<Option<Vector<'m>>> {
    let [Vector::Column(a), b] = args else { return Ok(None) };
    if a.is_constant() || a.shape() != Shape::Text {
        return Ok(None);
    }
    let out = bump.alloc_slice_fill(all, 0u8)?;
    let mut nulls = Nulls::new(bump, all);
    match b {
        Vector::Const(Datum::Text(b)) => {
            for row in rows.iter() {
                out[row] = u8::from(holds(a.bytes(row), b.as_bytes()));
            }
        }
        Vector::Column(b) if b.shape() == Shape::Text => {
            for row in rows.iter() {
                out[row] = u8::from(holds(a.bytes(row), b.bytes(row)));
            }
            if b.has_nulls() {
                for row in rows.iter().filter(|row| b.is_null(*row)) {
                    nulls.set(row)?;
                }
            }
        }
        _ => return Ok(None),
    }
    if a.has_nulls() {
        for row in rows.iter().filter(|row| a.is_null(*row)) {
            nulls.set(row)?;
        }
    }
    Ok(Some(Vector::Typed(Typed::Bool(out), nulls.finish())))
}

macro_rules! kernels {
    ($($name:ident $holds:expr;)*) => {$(
        fn $name<'m>(
            bump: &'m Bump,
            args: &[Vector<'m>],
            rows: Rows<'_>,
            all: usize,
        ) -> Result<Option<Vector<'m>>> {
            compare(bump, args, rows, all, $holds)
        }
    )*};
}

/// A value of char(n) without its trailing blanks.
fn trimmed(value: &[u8]) -> &[u8] {
    let len = value.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    &value[..len]
}

fn order_trimmed(a: &[u8], b: &[u8]) -> Ordering {
    trimmed(a).cmp(trimmed(b))
}

kernels! {
    eq |a, b| a == b;
    ne |a, b| a != b;
    lt |a, b| a < b;
    le |a, b| a <= b;
    gt |a, b| a > b;
    ge |a, b| a >= b;
    bpchar_eq |a, b| trimmed(a) == trimmed(b);
    bpchar_ne |a, b| trimmed(a) != trimmed(b);
    bpchar_lt |a, b| order_trimmed(a, b).is_lt();
    bpchar_le |a, b| order_trimmed(a, b).is_le();
    bpchar_gt |a, b| order_trimmed(a, b).is_gt();
    bpchar_ge |a, b| order_trimmed(a, b).is_ge();
}

/// `prosrc`, kernel, and whether it is right under every deterministic collation.
pub(super) const TABLE: &[(&str, Kernel, bool)] = &[
    ("texteq", eq, false),
    ("textne", ne, false),
    ("text_lt", lt, false),
    ("text_le", le, false),
    ("text_gt", gt, false),
    ("text_ge", ge, false),
    ("nameeq", eq, true),
    ("namene", ne, true),
    ("bpchareq", bpchar_eq, false),
    ("bpcharne", bpchar_ne, false),
    ("bpcharlt", bpchar_lt, false),
    ("bpcharle", bpchar_le, false),
    ("bpchargt", bpchar_gt, false),
    ("bpcharge", bpchar_ge, false),
];
