//! A partition, as window functions see it: its rows, its peers, its frames.

use super::rows::{At, WindowRows};
use crate::state::Execution;
use analyze::tree::{FrameExclusion, FrameUnit};
use base::{Result, err};
use expr::{Call, WindowView};
use memory::Bump;
use plan::{Frame, FrameEnd, SortColumn};
use std::any::Any;
use std::ops::Range;
use types::Datum;

/// One partition, as window functions see it.
#[derive(Clone)]
pub(super) struct Partition<'a, 'q> {
    pub(super) rows: &'a WindowRows,
    pub(super) range: Range<usize>,
    pub(super) peers: &'a [u32],
    pub(super) frame: &'a Frame<'q>,
    pub(super) order: &'a [SortColumn],
    pub(super) x: &'a Execution<'q>,
    pub(super) position: usize,
    pub(super) args: &'a [u16],
}

/// The first of `rows` rows that meets a condition which all rows behind it meet, too.
fn first_row(rows: usize, mut meets: impl FnMut(usize) -> Result<bool>) -> Result<usize> {
    let (mut low, mut high) = (0, rows);
    while low < high {
        let middle = usize::midpoint(low, high);
        if meets(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

impl Partition<'_, '_> {
    /// A row.
    pub(super) fn at(&self, row: usize) -> Result<At<'_>> {
        self.rows.at(self.range.start + row)
    }

    fn peer(&self, row: usize) -> u32 {
        self.peers[self.range.start + row]
    }

    pub(super) fn len(&self) -> usize {
        self.range.len()
    }

    /// The first row of the group of peers of a row, and the row behind its last.
    fn group(&self, row: usize) -> Range<usize> {
        // Peers are numbered in order.
        let (peer, peers) = (self.peer(row), &self.peers[self.range.clone()]);
        let start = peers[..row].partition_point(|other| *other < peer);
        let end = row + peers[row..].partition_point(|other| *other == peer);
        start..end
    }

    fn offset(&self, column: u16, start: bool) -> Result<i64> {
        let which = if start { "starting" } else { "ending" };
        let value = match self.at(self.position)?.get(usize::from(column)) {
            Datum::Int8(value) => value,
            Datum::Int4(value) => value.into(),
            Datum::Int2(value) => value.into(),
            _ => return Err(err!(NULL_VALUE_NOT_ALLOWED, "frame {which} offset must not be null")),
        };
        if value < 0 {
            return Err(err!(
                INVALID_PRECEDING_OR_FOLLOWING_SIZE,
                "frame {which} offset must not be negative"
            ));
        }
        Ok(value)
    }

    /// The first row of the frame if `start`, else the row behind its last.
    fn bound(&self, end: FrameEnd, start: bool) -> Result<usize> {
        let (len, at) = (self.len(), self.position);
        let sign = |end: FrameEnd| if matches!(end, FrameEnd::Preceding(_)) { -1 } else { 1 };
        Ok(match end {
            FrameEnd::UnboundedPreceding => 0,
            FrameEnd::UnboundedFollowing => len,
            FrameEnd::CurrentRow => match self.frame.unit {
                FrameUnit::Rows => at + usize::from(!start),
                _ if start => self.group(at).start,
                _ => self.group(at).end,
            },
            FrameEnd::Preceding(column) | FrameEnd::Following(column) => match self.frame.unit {
                FrameUnit::Rows => {
                    let offset = self.offset(column, start)?.saturating_mul(sign(end));
                    let row = (at as i64).saturating_add(offset);
                    let row = if start { row } else { row.saturating_add(1) };
                    usize::try_from(row.max(0)).unwrap_or(usize::MAX).min(len)
                }
                FrameUnit::Groups => {
                    let offset = self.offset(column, start)?.saturating_mul(sign(end));
                    let wanted = i64::from(self.peer(at)).saturating_add(offset);
                    first_row(len, |row| {
                        let peer = i64::from(self.peer(row));
                        Ok(if start { peer >= wanted } else { peer > wanted })
                    })?
                }
                FrameUnit::Range => self.in_range(end, column, start)?,
            },
        })
    }

    fn in_range(&self, end: FrameEnd, column: u16, start: bool) -> Result<usize> {
        let (Some((function, site)), [key]) = (self.frame.in_range, self.order) else {
            return Err(base::Error::internal("RANGE with an offset without in_range"));
        };
        let which = if start { "starting" } else { "ending" };
        let here = self.at(self.position)?;
        let offset = here.get(usize::from(column));
        if offset.is_null() {
            return Err(err!(NULL_VALUE_NOT_ALLOWED, "frame {which} offset must not be null"));
        }
        let current = here.get(usize::from(key.column));
        if current.is_null() {
            let group = self.group(self.position);
            return Ok(if start { group.start } else { group.end });
        }
        let preceding = matches!(end, FrameEnd::Preceding(_));
        // In a descending order what precedes is greater.
        let subtract = preceding != key.descending;
        let less = start == key.descending;
        let bump = self.x.bump();
        // The first row inside begins the frame; the first outside ends it.
        first_row(self.len(), |row| {
            let there = self.at(row)?;
            let value = there.get(usize::from(key.column));
            if value.is_null() {
                return Ok(!key.nulls_first);
            }
            let mut cache: Option<Box<dyn Any>> = None;
            let mut cx = Call::new(&bump, self.x.host, &site, &mut cache);
            let args = [value, current, offset, Datum::Bool(subtract), Datum::Bool(less)];
            let args: Vec<Datum<'_>> =
                args.iter().map(|arg| arg.copy_to(&&bump)).collect::<Result<_>>()?;
            Ok(matches!(function(&mut cx, &args)?, Datum::Bool(true)) == start)
        })
    }

    pub(super) fn excluded(&self, row: usize) -> bool {
        match self.frame.exclusion {
            FrameExclusion::NoOthers => false,
            FrameExclusion::CurrentRow => row == self.position,
            FrameExclusion::Group => self.peer(row) == self.peer(self.position),
            FrameExclusion::Ties => {
                row != self.position && self.peer(row) == self.peer(self.position)
            }
        }
    }
}

impl WindowView for Partition<'_, '_> {
    fn position(&self) -> usize {
        self.position
    }

    fn partition_rows(&self) -> usize {
        self.len()
    }

    fn are_peers(&self, a: usize, b: usize) -> Result<bool> {
        Ok(self.peer(a) == self.peer(b))
    }

    fn frame(&self) -> Result<Range<usize>> {
        let start = self.bound(self.frame.start, true)?;
        let end = self.bound(self.frame.end, false)?;
        Ok(start..end.max(start))
    }

    fn is_excluded(&self, row: usize) -> Result<bool> {
        Ok(self.excluded(row))
    }

    fn argument<'m>(&self, argument: usize, row: usize, bump: &'m Bump) -> Result<Datum<'m>> {
        self.at(row)?.get(usize::from(self.args[argument])).copy_to(&bump)
    }
}
