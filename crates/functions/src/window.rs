//! Window functions proper.

use base::{Result, err};
use expr::{Call, Datum, Entry, WindowFunction, WindowView};

/// row_number()
struct RowNumber;

impl WindowFunction for RowNumber {
    fn value<'m>(&mut self, _: &mut Call<'_, 'm>, view: &dyn WindowView) -> Result<Datum<'m>> {
        Ok(Datum::Int8(view.position() as i64 + 1))
    }
}

/// The ranks of the row that was asked for last.
#[derive(Default)]
struct Ranks {
    /// The row asked for last, counted from 1; 0 before the first.
    last: usize,
    rank: usize,
    dense: usize,
}

impl Ranks {
    fn move_to(&mut self, view: &dyn WindowView) -> Result<()> {
        let position = view.position();
        if position < self.last.saturating_sub(1) {
            *self = Ranks::default();
        }
        while self.last <= position {
            let new_group = self.last == 0 || !view.are_peers(self.last - 1, self.last)?;
            if new_group {
                self.rank = self.last + 1;
                self.dense += 1;
            }
            self.last += 1;
        }
        Ok(())
    }
}

const RANK: u8 = 0;
const DENSE_RANK: u8 = 1;
const PERCENT_RANK: u8 = 2;

struct Rank<const RESULT: u8>(Ranks);

impl<const RESULT: u8> WindowFunction for Rank<RESULT> {
    fn value<'m>(&mut self, _: &mut Call<'_, 'm>, view: &dyn WindowView) -> Result<Datum<'m>> {
        self.0.move_to(view)?;
        Ok(match RESULT {
            RANK => Datum::Int8(self.0.rank as i64),
            DENSE_RANK => Datum::Int8(self.0.dense as i64),
            _ => {
                let rows = view.partition_rows();
                let share =
                    if rows <= 1 { 0.0 } else { (self.0.rank - 1) as f64 / (rows - 1) as f64 };
                Datum::Float8(share)
            }
        })
    }
}

/// cume_dist(): the end of the current group of peers is kept.
#[derive(Default)]
struct CumeDist {
    end: usize,
}

impl WindowFunction for CumeDist {
    fn value<'m>(&mut self, _: &mut Call<'_, 'm>, view: &dyn WindowView) -> Result<Datum<'m>> {
        let (position, rows) = (view.position(), view.partition_rows());
        if position >= self.end || position == 0 {
            self.end = position + 1;
            while self.end < rows && view.are_peers(position, self.end)? {
                self.end += 1;
            }
        }
        Ok(Datum::Float8(self.end as f64 / rows as f64))
    }
}

/// ntile(n): the number of buckets is that of the first row.
#[derive(Default)]
struct Ntile {
    buckets: Option<usize>,
}

impl WindowFunction for Ntile {
    fn value<'m>(&mut self, cx: &mut Call<'_, 'm>, view: &dyn WindowView) -> Result<Datum<'m>> {
        let buckets = match self.buckets {
            Some(buckets) => buckets,
            None => {
                let given = view.argument(0, view.position(), cx.bump)?;
                if given.is_null() {
                    return Ok(Datum::Null);
                }
                let buckets = usize::try_from(given.int4()?).ok().filter(|n| *n > 0);
                *self.buckets.insert(buckets.ok_or_else(|| {
                    err!(INVALID_ARGUMENT_FOR_NTILE, "argument of ntile must be greater than zero")
                })?)
            }
        };
        let (position, rows) = (view.position(), view.partition_rows());
        let (size, larger) = (rows / buckets, rows % buckets);
        // The first `larger` buckets have one row more.
        let in_larger = larger * (size + 1);
        let bucket = if position < in_larger {
            position / (size + 1)
        } else {
            larger + (position - in_larger) / size.max(1)
        };
        Ok(Datum::Int4(bucket as i32 + 1))
    }
}

/// lag and lead, with as many arguments as ARGS says.
struct Shifted<const LEAD: bool, const ARGS: u8>;

impl<const LEAD: bool, const ARGS: u8> WindowFunction for Shifted<LEAD, ARGS> {
    fn value<'m>(&mut self, cx: &mut Call<'_, 'm>, view: &dyn WindowView) -> Result<Datum<'m>> {
        let position = view.position();
        let mut by = 1i64;
        if ARGS > 1 {
            let given = view.argument(1, position, cx.bump)?;
            if given.is_null() {
                return Ok(Datum::Null);
            }
            by = given.int4()?.into();
        }
        let target = position as i64 + if LEAD { by } else { -by };
        let found = usize::try_from(target).ok().filter(|row| *row < view.partition_rows());
        match found {
            Some(row) => view.argument(0, row, cx.bump),
            None if ARGS > 2 => view.argument(2, position, cx.bump),
            None => Ok(Datum::Null),
        }
    }
}

const FIRST: u8 = 0;
const LAST: u8 = 1;

/// first_value, last_value and nth_value.
struct InFrame<const WHICH: u8>;

impl<const WHICH: u8> WindowFunction for InFrame<WHICH> {
    fn value<'m>(&mut self, cx: &mut Call<'_, 'm>, view: &dyn WindowView) -> Result<Datum<'m>> {
        let frame = view.frame()?;
        let mut nth = 1usize;
        if WHICH > LAST {
            let given = view.argument(1, view.position(), cx.bump)?;
            if given.is_null() {
                return Ok(Datum::Null);
            }
            nth = usize::try_from(given.int4()?).ok().filter(|n| *n > 0).ok_or_else(|| {
                err!(
                    INVALID_ARGUMENT_FOR_NTH_VALUE,
                    "argument of nth_value must be greater than zero"
                )
            })?;
        }
        let mut rows: Box<dyn Iterator<Item = usize>> =
            if WHICH == LAST { Box::new(frame.rev()) } else { Box::new(frame) };
        for row in &mut rows {
            if view.is_excluded(row)? {
                continue;
            }
            nth -= 1;
            if nth == 0 {
                return view.argument(0, row, cx.bump);
            }
        }
        Ok(Datum::Null)
    }
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[&[
    Entry::window("window_row_number", || Box::new(RowNumber)),
    Entry::window("window_rank", || Box::new(Rank::<RANK>(Ranks::default()))),
    Entry::window("window_dense_rank", || Box::new(Rank::<DENSE_RANK>(Ranks::default()))),
    Entry::window("window_percent_rank", || Box::new(Rank::<PERCENT_RANK>(Ranks::default()))),
    Entry::window("window_cume_dist", || Box::new(CumeDist::default())),
    Entry::window("window_ntile", || Box::new(Ntile::default())),
    Entry::window("window_lag", || Box::new(Shifted::<false, 1>)),
    Entry::window("window_lag_with_offset", || Box::new(Shifted::<false, 2>)),
    Entry::window("window_lag_with_offset_and_default", || Box::new(Shifted::<false, 3>)),
    Entry::window("window_lead", || Box::new(Shifted::<true, 1>)),
    Entry::window("window_lead_with_offset", || Box::new(Shifted::<true, 2>)),
    Entry::window("window_lead_with_offset_and_default", || Box::new(Shifted::<true, 3>)),
    Entry::window("window_first_value", || Box::new(InFrame::<FIRST>)),
    Entry::window("window_last_value", || Box::new(InFrame::<LAST>)),
    Entry::window("window_nth_value", || Box::new(InFrame::<2>)),
]];
