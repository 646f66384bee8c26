//! The statistics of one column from a sample of its values.
//!
//! The estimates are PostgreSQL's: the number of different values by Haas and Stokes' estimator
//! Duj1; a value is one of the most common ones if it is so much more frequent than the others
//! that chance does not explain it; the histogram parts what is left into equal parts.

use base::{Error, Oid, Result};
use catalog::statistics::{ColumnStatistics, StatisticKind, StatisticSlot};
use memory::{Buffer, Heap};
use types::array;
use types::layout::Layout;
use types::{Datum, KeyColumn, TypeHost, key};

/// Values with more bytes than this are counted but not kept.
const WIDTH_MAX: usize = 1024;

/// What a column is, for its statistics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Described {
    /// The type of its values, under domains.
    pub(super) type_oid: Oid,
    pub(super) layout: Layout,
    /// The bytes of each value, below 0 if they differ.
    pub(super) len: i16,
    pub(super) collation: Oid,
    /// `=` and `<` of the type.
    pub(super) equal: Oid,
    pub(super) less: Oid,
    /// How many most common values and parts of a histogram to keep.
    pub(super) target: usize,
}

/// The values of a column in a sample, in the order of the rows.
pub(super) struct Sampled {
    bytes: Buffer<u8>,
    /// Where each value ends and whether there is none.
    ends: Buffer<(u32, bool)>,
    /// Bytes of all values, and how many were too wide to keep.
    total: u64,
    wide: usize,
    nulls: usize,
}

impl Sampled {
    pub(super) fn new(heap: &Heap) -> Sampled {
        let (bytes, ends) = (Buffer::new(heap), Buffer::new(heap));
        Sampled { bytes, ends, total: 0, wide: 0, nulls: 0 }
    }

    pub(super) fn push(&mut self, stored: Option<&[u8]>) -> Result<()> {
        match stored {
            Some(bytes) => {
                self.total += shown_width(bytes.len());
                if bytes.len() > WIDTH_MAX {
                    self.wide += 1;
                    return self.end(true);
                }
                self.bytes.extend_from_slice(bytes)?;
                self.end(false)
            }
            None => {
                self.nulls += 1;
                self.end(true)
            }
        }
    }

    fn end(&mut self, absent: bool) -> Result<()> {
        self.ends.push((u32::try_from(self.bytes.len()).unwrap_or(u32::MAX), absent))
    }

    /// The values that are kept.
    fn values(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().filter_map(move |(end, absent)| {
            let value = self.bytes.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            (!absent).then_some(value)
        })
    }
}

/// What a value of so many bytes takes in PostgreSQL, its length included.
fn shown_width(bytes: usize) -> u64 {
    bytes as u64 + if bytes <= 126 { 1 } else { 4 }
}

/// Equal values of the sample.
struct Run {
    first: usize,
    count: usize,
}

/// The statistics of a column of which `sampled` are the values, in a table of `rows` rows.
pub(super) fn column(
    host: &dyn TypeHost,
    described: &Described,
    sampled: &Sampled,
    rows: f64,
) -> Result<Option<ColumnStatistics>> {
    let sample = sampled.ends.len();
    if sample == 0 {
        return Ok(None);
    }
    let null_fraction = sampled.nulls as f64 / sample as f64;
    let present = sample - sampled.nulls;
    let width = match (described.len, present) {
        (len, _) if len > 0 => i32::from(len),
        (_, 0) => 0,
        _ => (sampled.total as f64 / present as f64) as i32,
    };
    let mut statistics = ColumnStatistics {
        null_fraction: null_fraction as f32,
        width,
        distinct: 0.0,
        slots: Vec::new(),
    };
    if present == 0 || !described.less.is_valid() {
        return Ok(Some(statistics));
    }
    let Some(sorted) = sorted(host, described, sampled)? else { return Ok(Some(statistics)) };
    let runs = runs(&sorted);
    let scanned = Scanned { sample, present, rows, wide: sampled.wide, null_fraction };
    let distinct = distinct(&runs, &scanned);
    statistics.distinct = distinct as f32;
    let common = common(&runs, &scanned, distinct, described.target);
    let slot = |kind: StatisticKind, operator: Oid| StatisticSlot {
        kind: kind as i16,
        operator,
        collation: described.collation,
        numbers: Vec::new(),
        values: None,
    };
    let array = |values: &[usize]| -> Result<Option<Vec<u8>>> {
        let mut datums = Vec::with_capacity(values.len());
        for at in values {
            datums.push(described.layout.decode(sorted[*at].value)?);
        }
        let length = i32::try_from(datums.len())
            .map_err(|_| Error::internal("too many values of a column"))?;
        let dimensions = [array::Dimension { length, lower: 1 }];
        array::encode(described.type_oid.0, &dimensions, &datums).map(Some)
    };
    if !common.is_empty() {
        let values: Vec<usize> = common.iter().map(|run| runs[*run].first).collect();
        statistics.slots.push(StatisticSlot {
            numbers: common.iter().map(|run| runs[*run].count as f32 / sample as f32).collect(),
            values: array(&values)?,
            ..slot(StatisticKind::MostCommon, described.equal)
        });
    }
    let bounds = histogram(&runs, &common, described.target);
    if !bounds.is_empty() {
        statistics.slots.push(StatisticSlot {
            values: array(&bounds)?,
            ..slot(StatisticKind::Histogram, described.less)
        });
    }
    if sorted.len() > 1 {
        statistics.slots.push(StatisticSlot {
            numbers: vec![correlation(&sorted) as f32],
            ..slot(StatisticKind::Correlation, described.less)
        });
    }
    Ok(Some(statistics))
}

/// A value of the sample: its key, its stored form and its row.
struct Sorted<'s> {
    key: Box<[u8]>,
    value: &'s [u8],
    row: usize,
}

/// The values in their order; none if the type has no order that keys know.
fn sorted<'s>(
    host: &dyn TypeHost,
    described: &Described,
    sampled: &'s Sampled,
) -> Result<Option<Vec<Sorted<'s>>>> {
    let column = KeyColumn::ascending(described.type_oid.0);
    let mut sorted = Vec::with_capacity(sampled.ends.len());
    for (row, value) in sampled.values().enumerate() {
        let mut bytes = Vec::new();
        let datum: Datum<'_> = described.layout.decode(value)?;
        if key::encode_column(host, &column, &datum, &mut bytes).is_err() {
            return Ok(None);
        }
        sorted.push(Sorted { key: bytes.into(), value, row });
    }
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(Some(sorted))
}

fn runs(sorted: &[Sorted<'_>]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (at, one) in sorted.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if sorted[run.first].key == one.key => run.count += 1,
            _ => runs.push(Run { first: at, count: 1 }),
        }
    }
    runs
}

/// What was looked at.
struct Scanned {
    sample: usize,
    present: usize,
    rows: f64,
    wide: usize,
    null_fraction: f64,
}

/// `stadistinct`
fn distinct(runs: &[Run], scanned: &Scanned) -> f64 {
    let multiple = runs.iter().filter(|run| run.count > 1).count();
    let found = if multiple == 0 {
        // All different: so it will stay when the table grows.
        return -(1.0 - scanned.null_fraction);
    } else if scanned.wide == 0 && multiple == runs.len() {
        runs.len() as f64
    } else {
        let once = (runs.len() - multiple + scanned.wide) as f64;
        let different = once + multiple as f64;
        let n = scanned.present as f64;
        let all = scanned.rows * (1.0 - scanned.null_fraction);
        let estimate = if all > 0.0 { n * different / ((n - once) + once * n / all) } else { 0.0 };
        (estimate.clamp(different.min(all), all) + 0.5).floor()
    };
    if found > 0.1 * scanned.rows { -(found / scanned.rows) } else { found }
}

/// The runs of the most common values, the most common first.
fn common(runs: &[Run], scanned: &Scanned, distinct: f64, target: usize) -> Vec<usize> {
    let mut tracked: Vec<usize> = (0..runs.len()).filter(|run| runs[*run].count > 1).collect();
    tracked.sort_by_key(|run| std::cmp::Reverse(runs[*run].count));
    tracked.truncate(target);
    let complete = tracked.len() == runs.len() && scanned.wide == 0 && distinct > 0.0;
    if complete {
        return tracked;
    }
    let counts: Vec<usize> = tracked.iter().map(|run| runs[*run].count).collect();
    tracked.truncate(significant(&counts, distinct, scanned));
    tracked
}

/// How many of the most common values are more common than chance makes them.
fn significant(counts: &[usize], distinct: f64, scanned: &Scanned) -> usize {
    let (n, all) = (scanned.sample as f64, scanned.rows);
    if scanned.sample as f64 >= all || all <= 1.0 {
        return counts.len();
    }
    let distinct = if distinct < 0.0 { -distinct * all } else { distinct };
    let mut kept = counts.len();
    let mut before: f64 = counts.iter().rev().skip(1).map(|count| *count as f64).sum();
    while kept > 0 {
        let mut others = (1.0 - before / n - scanned.null_fraction).clamp(0.0, 1.0);
        let other_values = distinct - (kept as f64 - 1.0);
        if other_values > 1.0 {
            others /= other_values;
        }
        let count = counts[kept - 1] as f64;
        let expected = all * count / n;
        let variance = n * expected * (all - expected) * (all - n) / (all * all * (all - 1.0));
        if count > others * n + 2.0 * variance.max(0.0).sqrt() + 0.5 {
            break;
        }
        kept -= 1;
        if kept > 0 {
            before -= counts[kept - 1] as f64;
        }
    }
    kept
}

/// The places of the histogram's bounds among the sorted values.
fn histogram(runs: &[Run], common: &[usize], target: usize) -> Vec<usize> {
    let bounds = (runs.len() - common.len()).min(target + 1);
    if bounds < 2 {
        return Vec::new();
    }
    let mut is_common = vec![false; runs.len()];
    common.iter().for_each(|run| is_common[*run] = true);
    let others = || runs.iter().zip(&is_common).filter(|(_, common)| !**common).map(|(run, _)| run);
    let count: usize = others().map(|run| run.count).sum();
    let mut wanted = (0..bounds).map(|bound| bound * (count - 1) / (bounds - 1)).peekable();
    let (mut places, mut seen) = (Vec::with_capacity(bounds), 0);
    for run in others() {
        while wanted.next_if(|at| *at < seen + run.count).is_some() {
            places.push(run.first);
        }
        seen += run.count;
    }
    places
}

fn correlation(sorted: &[Sorted<'_>]) -> f64 {
    let n = sorted.len() as f64;
    let products: f64 = sorted.iter().enumerate().map(|(at, one)| at as f64 * one.row as f64).sum();
    let sum = (n - 1.0) * n / 2.0;
    let squares = (n - 1.0) * n * (2.0 * n - 1.0) / 6.0;
    (n * products - sum * sum) / (n * squares - sum * sum)
}
