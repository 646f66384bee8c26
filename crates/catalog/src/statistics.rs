//! What ANALYZE knows of columns: the rows of `pg_statistic`.
//!
//! # Rules
//! 1. Values are kept as an array of the column's type, in the form in which arrays are stored.
//! 2. A column whose statistics are gone, or were never gathered, has none: `None` is cached too.

use crate::cache::{KeyRef, Kind};
use crate::columns::{index, pg_class, pg_statistic};
use crate::lookup::Catalog;
use crate::store::{Row, Value};
use base::{Oid, Result};
use std::sync::Arc;

/// The most slots that a row has.
const SLOTS: i16 = 5;

/// What a slot of `pg_statistic` holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i16)]
pub enum StatisticKind {
    /// The most common values, and how large a part of all rows each of them is.
    MostCommon = 1,
    /// Values that part the others into equal parts.
    Histogram = 2,
    /// How far the order of the rows is that of the values.
    Correlation = 3,
}

/// One slot.
#[derive(Clone, Debug, PartialEq)]
pub struct StatisticSlot {
    /// `stakind`
    pub kind: i16,
    /// `staop`
    pub operator: Oid,
    /// `stacoll`
    pub collation: Oid,
    /// `stanumbers`
    pub numbers: Vec<f32>,
    /// `stavalues`: the bytes of an array.
    pub values: Option<Vec<u8>>,
}

/// The statistics of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnStatistics {
    /// The part of the rows in which it is NULL.
    pub null_fraction: f32,
    /// The bytes of a value on average.
    pub width: i32,
    /// How many different values: below 0 as a part of the rows, 0 unknown.
    pub distinct: f32,
    /// The rest.
    pub slots: Vec<StatisticSlot>,
}

impl ColumnStatistics {
    /// The slot of a kind.
    pub fn slot(&self, kind: StatisticKind) -> Option<&StatisticSlot> {
        self.slots.iter().find(|slot| slot.kind == kind as i16)
    }
}

fn read(row: &Row) -> Result<ColumnStatistics> {
    use pg_statistic::*;
    let mut slots = Vec::new();
    for at in 0..SLOTS {
        let kind = row.int2(STAKIND1 + at)?;
        if kind == 0 {
            continue;
        }
        slots.push(StatisticSlot {
            kind,
            operator: row.oid(STAOP1 + at)?,
            collation: row.oid(STACOLL1 + at)?,
            numbers: match row.get(STANUMBERS1 + at) {
                Value::Floats(numbers) => numbers.clone(),
                _ => Vec::new(),
            },
            values: match row.get(STAVALUES1 + at) {
                Value::Bytes(bytes) => Some(bytes.clone()),
                _ => None,
            },
        });
    }
    Ok(ColumnStatistics {
        null_fraction: row.float4(STANULLFRAC)?,
        width: row.int4(STAWIDTH)?,
        distinct: row.float4(STADISTINCT)?,
        slots,
    })
}

fn write(relation: Oid, attribute: i16, statistics: &ColumnStatistics) -> Row {
    use pg_statistic::*;
    let mut row = Row::new(RELATION)
        .with(STARELID, relation)
        .with(STAATTNUM, attribute)
        .with(STAINHERIT, false)
        .with(STANULLFRAC, statistics.null_fraction)
        .with(STAWIDTH, statistics.width)
        .with(STADISTINCT, statistics.distinct);
    let mut slots = statistics.slots.iter();
    for at in 0..SLOTS {
        let slot = slots.next();
        row.set(STAKIND1 + at, slot.map_or(0i16, |slot| slot.kind));
        row.set(STAOP1 + at, slot.map_or(Oid::INVALID, |slot| slot.operator));
        row.set(STACOLL1 + at, slot.map_or(Oid::INVALID, |slot| slot.collation));
        if let Some(slot) = slot {
            let numbers = (!slot.numbers.is_empty()).then(|| slot.numbers.clone());
            row.set(STANUMBERS1 + at, numbers);
            row.set(STAVALUES1 + at, slot.values.clone());
        }
    }
    row
}

/// The size of a relation as ANALYZE found it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RelationSize {
    /// `relpages`
    pub pages: i32,
    /// `reltuples`
    pub rows: f32,
}

impl Catalog {
    /// The statistics of a column; nothing if there are none.
    ///
    /// # Errors
    /// Those of storage.
    pub fn column_statistics(
        &self,
        relation: Oid,
        attribute: i16,
    ) -> Result<Arc<Option<ColumnStatistics>>> {
        let number = Oid(u32::from(attribute.unsigned_abs()));
        self.cached(KeyRef::pair(Kind::Statistics, relation, number), || {
            let key = [Value::Oid(relation), Value::Int2(attribute), Value::Bool(false)];
            self.row(index::PG_STATISTIC_RELID_ATT_INH_INDEX, &key, read)
        })
    }

    /// Replaces the statistics of a column.
    ///
    /// # Errors
    /// Those of [`Catalog::update`].
    pub fn put_column_statistics(
        &self,
        relation: Oid,
        attribute: i16,
        statistics: &ColumnStatistics,
    ) -> Result<()> {
        let key = [Value::Oid(relation), Value::Int2(attribute), Value::Bool(false)];
        let new = write(relation, attribute, statistics);
        let found = self.find_rows(index::PG_STATISTIC_RELID_ATT_INH_INDEX, &key)?;
        match found.first() {
            Some((id, old)) => self.update(*id, old, &new),
            None => self.insert(&new).map(drop),
        }
    }

    /// Removes the statistics of a relation's columns.
    ///
    /// # Errors
    /// Those of [`Catalog::delete`].
    pub fn remove_statistics(&self, relation: Oid) -> Result<()> {
        let key = [Value::Oid(relation)];
        self.delete_rows(index::PG_STATISTIC_RELID_ATT_INH_INDEX, &key).map(drop)
    }

    /// Removes the statistics of one column.
    ///
    /// # Errors
    /// Those of [`Catalog::delete`].
    pub fn remove_column_statistics(&self, relation: Oid, attribute: i16) -> Result<()> {
        let key = [Value::Oid(relation), Value::Int2(attribute)];
        self.delete_rows(index::PG_STATISTIC_RELID_ATT_INH_INDEX, &key).map(drop)
    }

    /// Notes how large a relation is.
    ///
    /// # Errors
    /// Those of [`Catalog::update`].
    pub fn put_relation_size(&self, relation: Oid, size: RelationSize) -> Result<()> {
        self.update_rows(index::PG_CLASS_OID_INDEX, &[Value::Oid(relation)], |row| {
            row.set(pg_class::RELPAGES, size.pages);
            row.set(pg_class::RELTUPLES, size.rows);
            row.set(pg_class::RELALLVISIBLE, size.pages);
            Ok(())
        })
        .map(drop)
    }
}
