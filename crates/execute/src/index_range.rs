//! The ranges of an index that a scan goes through.
//!
//! Bounds are values of the first columns of the key; a list of values for a column makes one range
//! for each combination of listed values, gone through in the order of the index.

use crate::keys::key_columns;
use crate::state::Execution;
use base::Result;
use btree::Range;
use expr::Runner;
use memory::Bump;
use plan::{IndexBound, IndexKeys};
use types::array::Array;
use types::{Datum, KeyColumn, key, oids};

/// What stands before a value in a key; a NULL has a byte below or above.
const VALUE: u8 = 1;
/// What a NULL is behind values.
const NULL_LAST: u8 = 2;

/// How a bound's key relates to the bound.
enum Fit {
    /// It is the bound.
    Exact,
    /// The bound is beyond all values of the column: its columns before are the bound.
    Open,
    /// Nothing can be in the range.
    Empty,
}

enum Integer {
    Other,
    Fits(Datum<'static>),
    Above,
    Below,
}

/// An integer as a value of an integer type.
fn fit_integer(value: &Datum<'_>, type_oid: u32) -> Integer {
    let wide = match *value {
        Datum::Int2(v) => i64::from(v),
        Datum::Int4(v) if type_oid != oids::DATE => i64::from(v),
        Datum::Int8(v) => v,
        _ => return Integer::Other,
    };
    let beyond = if wide < 0 { Integer::Below } else { Integer::Above };
    match type_oid {
        oids::INT2 => i16::try_from(wide).map_or(beyond, |v| Integer::Fits(Datum::Int2(v))),
        oids::INT4 => i32::try_from(wide).map_or(beyond, |v| Integer::Fits(Datum::Int4(v))),
        oids::INT8 => Integer::Fits(Datum::Int8(wide)),
        _ => Integer::Other,
    }
}

/// The keys of the listed values of a column, in the order of the index.
struct List {
    column: usize,
    keys: Vec<Vec<u8>>,
    at: usize,
}

/// The bounds of a scan and how far it is.
pub(crate) struct IndexRanges<'q> {
    lower: Option<IndexBound<'q>>,
    upper: Option<IndexBound<'q>>,
    backward: bool,
    keys: Vec<KeyColumn>,
    lists: Vec<List>,
    begun: bool,
    ended: bool,
    /// Of the two bounds.
    runners: [Runner; 2],
    bump: Bump,
}

impl<'q> IndexRanges<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        keys: &IndexKeys<'q>,
        (lower, upper): (Option<IndexBound<'q>>, Option<IndexBound<'q>>),
        backward: bool,
    ) -> IndexRanges<'q> {
        IndexRanges {
            lower,
            upper,
            backward,
            keys: key_columns(keys.columns),
            lists: Vec::new(),
            begun: false,
            ended: false,
            runners: [Runner::new(), Runner::new()],
            bump: x.bump(),
        }
    }

    /// How the keys are ordered.
    pub(crate) fn keys(&self) -> &[KeyColumn] {
        &self.keys
    }

    /// The next one will be the first one, for the parameters as they are then.
    pub(crate) fn restart(&mut self) {
        (self.begun, self.ended) = (false, false);
    }

    /// The next range in which keys can be.
    pub(crate) fn next(&mut self, x: &Execution<'q>) -> Result<Option<Range>> {
        while !self.ended {
            let first = !std::mem::replace(&mut self.begun, true);
            self.ended = !(if first { self.begin(x)? } else { self.advance() });
            if !self.ended
                && let Some(range) = self.range(x)?
            {
                return Ok(Some(range));
            }
        }
        Ok(None)
    }

    /// Reads the lists; false if one of them is empty.
    fn begin(&mut self, x: &Execution<'q>) -> Result<bool> {
        self.lists.clear();
        let Some(bound) = self.lower.filter(|bound| bound.lists != 0) else { return Ok(true) };
        self.bump.reset();
        let cx = x.value(&self.bump, &bound.program)?;
        let none = expr::Inputs::Row(&[]);
        let values = bound.program.eval_row(&mut self.runners[0], &cx, none)?;
        for (column, (value, key)) in values.iter().zip(&self.keys).enumerate() {
            if bound.lists >> column & 1 == 0 {
                continue;
            }
            if value.is_null() {
                return Ok(false);
            }
            let mut keys = Vec::new();
            for element in Array::from_datum(value)?.iter() {
                let element = match element? {
                    Datum::Null => continue,
                    element => element,
                };
                let element = match fit_integer(&element, key.type_oid) {
                    Integer::Other => element,
                    Integer::Fits(value) => value,
                    Integer::Above | Integer::Below => continue,
                };
                let mut bytes = Vec::new();
                key::encode_column(x.host.io().host, key, &element, &mut bytes)?;
                keys.push(bytes);
            }
            keys.sort_unstable();
            keys.dedup();
            if self.backward {
                keys.reverse();
            }
            if keys.is_empty() {
                return Ok(false);
            }
            self.lists.push(List { column, keys, at: 0 });
        }
        Ok(true)
    }

    /// Goes to the next combination of listed values.
    fn advance(&mut self) -> bool {
        for list in self.lists.iter_mut().rev() {
            list.at += 1;
            if list.at < list.keys.len() {
                return true;
            }
            list.at = 0;
        }
        false
    }

    /// The range that the bounds give now; none if no key can be in it.
    fn range(&mut self, x: &Execution<'q>) -> Result<Option<Range>> {
        let mut range = Range::all();
        let (lower, upper) = (self.lower, self.upper);
        let (mut low, mut high) = (Vec::new(), Vec::new());
        let mut low_last = 0;
        if let Some(bound) = &lower {
            let fit;
            (fit, low_last) = self.bound_key(x, bound, 0, &mut low)?;
            match fit {
                Fit::Empty => return Ok(None),
                Fit::Exact if bound.not_null => {
                    low.push(VALUE);
                    range = range.from_key(&low);
                }
                Fit::Exact if !bound.inclusive => match btree::after_prefix(&low) {
                    Some(key) => range = range.from_key(&key),
                    None => return Ok(None),
                },
                Fit::Open | Fit::Exact => range = range.from_key(&low),
            }
        }
        if let Some(bound) = &upper {
            let (fit, last) = self.bound_key(x, bound, 1, &mut high)?;
            match fit {
                Fit::Empty => return Ok(None),
                Fit::Exact if bound.not_null => {
                    high.push(NULL_LAST);
                    range = range.before_key(&high);
                }
                Fit::Exact if !bound.inclusive => range = range.before_key(&high),
                Fit::Open | Fit::Exact => {
                    if let Some(after) = btree::after_prefix(&high) {
                        range = range.before_key(&after);
                    }
                }
            }
            // A column that is only bounded above leaves out NULLs, which compare with nothing.
            let open_below = lower.as_ref().is_none_or(|lower| !lower.is_range());
            if bound.is_range() && open_below && self.nulls_first(bound) {
                high.truncate(last);
                high.push(VALUE);
                range = range.from_key(&high);
            }
        }
        if let Some(bound) = &lower
            && bound.is_range()
            && upper.as_ref().is_none_or(|upper| !upper.is_range())
            && !self.nulls_first(bound)
        {
            low.truncate(low_last);
            low.push(NULL_LAST);
            range = range.before_key(&low);
        }
        Ok(Some(range))
    }

    /// Whether NULLs come first in the column in which a range is.
    fn nulls_first(&self, bound: &IndexBound<'q>) -> bool {
        self.keys.get(usize::from(bound.equal)).is_some_and(|key| key.nulls_first)
    }

    /// The bytes of a bound, its values brought to the types of the key's columns, and where the
    /// columns that are no equalities begin.
    fn bound_key(
        &mut self,
        x: &Execution<'q>,
        bound: &IndexBound<'q>,
        side: usize,
        out: &mut Vec<u8>,
    ) -> Result<(Fit, usize)> {
        self.bump.reset();
        let cx = x.value(&self.bump, &bound.program)?;
        let none = expr::Inputs::Row(&[]);
        let values = bound.program.eval_row(&mut self.runners[side], &cx, none)?;
        let equal = usize::from(bound.equal);
        let mut last = 0;
        for (column, (value, key)) in values.iter().zip(&self.keys).enumerate() {
            if column <= equal {
                last = out.len();
            }
            if bound.lists >> column & 1 == 1 {
                let listed = self.lists.iter().find(|list| list.column == column);
                let Some(listed) = listed.and_then(|list| list.keys.get(list.at)) else {
                    return Ok((Fit::Empty, last));
                };
                out.extend_from_slice(listed);
                continue;
            }
            if value.is_null() && bound.nulls >> column & 1 == 0 {
                // A row with a NULL behind its first column still bounds by the columns before.
                return Ok((if column > equal { Fit::Open } else { Fit::Empty }, last));
            }
            // Beyond the column's type a bound leaves all values in the range, or none.
            let beyond = |above: bool| {
                let none = above == ((side == 0) != key.descending);
                match (none, column > equal) {
                    (true, false) => Fit::Empty,
                    _ => Fit::Open,
                }
            };
            let value = match fit_integer(value, key.type_oid) {
                Integer::Other => *value,
                Integer::Fits(value) => value,
                Integer::Above => return Ok((beyond(true), last)),
                Integer::Below => return Ok((beyond(false), last)),
            };
            key::encode_column(x.host.io().host, key, &value, out)?;
        }
        if values.len() <= equal {
            last = out.len();
        }
        Ok((Fit::Exact, last))
    }
}
