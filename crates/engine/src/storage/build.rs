//! Filling the tree of a new index from its table.

use super::entries::Entries;
use super::rows::Look;
use super::{layout, place};
use crate::backend::Backend;
use base::{Csn, Error, Result, RowId, err};
use btree::BuildEntry;
use catalog::relation::{Index, Relation};
use execute::EntryShape;
use expr::Host;
use plan::RowValue;
use types::{Datum, KeyColumn};

/// The values of an index's entries: its keys, then INCLUDE.
fn values(index: &Index) -> Vec<RowValue<'_>> {
    let keys = index.keys.iter().map(|key| match &key.expression {
        Some(expression) => RowValue::Stored(expression),
        None => RowValue::Attribute(key.attribute),
    });
    keys.chain(index.included.iter().map(|attribute| RowValue::Attribute(*attribute))).collect()
}

impl Backend {
    fn entry_shape(&self, table: &Relation, index: &Index) -> Result<EntryShape> {
        let columns: Result<Vec<KeyColumn>> = index
            .keys
            .iter()
            .map(|key| {
                Ok(KeyColumn {
                    type_oid: self.catalog.base_type(key.type_oid, -1)?.0.0,
                    descending: key.descending,
                    nulls_first: key.nulls_first,
                })
            })
            .collect();
        let included = index
            .included
            .iter()
            .filter_map(|attribute| table.columns.get(place(*attribute)))
            .map(|column| layout(&self.catalog, column))
            .collect::<Result<_>>()?;
        Ok(EntryShape { columns: columns?, included })
    }

    /// Calls `each` with row id, key and payload of every entry that an index must have: one for
    /// each row that is seen and, in a partial index, belongs in it.
    pub(crate) fn each_entry(
        &self,
        table: &Relation,
        index: &Index,
        each: &mut dyn FnMut(RowId, &[u8], &[u8]),
    ) -> Result<()> {
        let (shape, values) = (self.entry_shape(table, index)?, values(index));
        let look = Look { table, values: &values, filter: index.predicate.as_ref(), others: false };
        let (mut key, mut payload) = (Vec::new(), Vec::new());
        self.each_value(look, self.latest()?, &mut |row, _, values| {
            key.clear();
            payload.clear();
            shape.encode(&self.catalog, values, &mut key, &mut payload)?;
            each(row, &key, &payload);
            Ok(true)
        })
    }

    pub(super) fn fill_index(&self, table: &Relation, index: &Index) -> Result<Csn> {
        let shape = self.entry_shape(table, index)?;
        let charge = self.state.account().shared().charge(0, "index build")?;
        let kilobytes = self.state.settings().integer("maintenance_work_mem");
        let limit_bytes = u64::try_from(kilobytes).unwrap_or(0) << 10;
        let mut entries = Entries::new(charge, limit_bytes, &self.temporary_files);
        let values = values(index);
        let look = Look { table, values: &values, filter: index.predicate.as_ref(), others: false };
        let snapshot = self.latest()?;
        let csn = snapshot.csn();
        let transaction = self.transaction()?;
        if transaction.has_written(table.file) {
            // Snapshots from before its commit see the rows as they were (storage rule 20).
            let others = Look { others: true, ..look };
            let xid = transaction.xid();
            self.each_value(others, snapshot.clone(), &mut |row, _, values| {
                entries.add(&shape, &self.catalog, (row, xid, true), values)?;
                Ok(true)
            })?;
        }
        self.each_value(look, snapshot, &mut |row, stamp, values| {
            entries.add(&shape, &self.catalog, (row, stamp, false), values)?;
            Ok(true)
        })?;
        if entries.is_empty() {
            return Ok(csn);
        }
        let tree = self.engine.trees.index(index.file, &index.name)?;
        let mut build = tree.bulk_build();
        // The last live entry: a unique index has none with its key behind it.
        let mut last: Option<(Vec<u8>, RowId)> = None;
        let mut duplicate = None;
        entries.each(&mut |entry| {
            if index.unique && !entry.dead && (!entry.has_null || index.nulls_not_distinct) {
                match &mut last {
                    Some((key, row)) if key == entry.key => {
                        duplicate = duplicate.or(Some(*row));
                        return Ok(());
                    }
                    Some((key, row)) => {
                        key.clear();
                        key.extend_from_slice(entry.key);
                        *row = entry.row;
                    }
                    none => *none = Some((entry.key.to_vec(), entry.row)),
                }
            }
            build.add(BuildEntry {
                key: entry.key,
                row: entry.row,
                stamp: entry.stamp,
                dead: entry.dead,
                payload: entry.payload,
            })
        })?;
        if let Some(row) = duplicate {
            return Err(self.duplicate(look, index, row)?);
        }
        build.finish()?;
        Ok(csn)
    }

    /// 23505 for two rows with one key, of which `row` is one.
    fn duplicate(&self, look: Look<'_>, index: &Index, row: RowId) -> Result<Error> {
        let io = self.value_io();
        let mut shown: Vec<String> = Vec::new();
        self.each_value(look, self.latest()?, &mut |id, _, values| {
            if id != row {
                return Ok(true);
            }
            for (value, key) in values.iter().zip(&index.keys) {
                shown.push(match value {
                    Datum::Null => "null".to_string(),
                    value => io.output_string(key.type_oid.0, value)?,
                });
            }
            Ok(false)
        })?;
        let table = look.table;
        let names: Vec<String> = index
            .keys
            .iter()
            .enumerate()
            .map(|(at, key)| match table.column_at(key.attribute) {
                Some(column) => column.name.clone(),
                None => self.index_key_text(index.oid, at + 1),
            })
            .collect();
        let schema = self.catalog.namespace(table.namespace)?;
        let (names, shown) = (names.join(", "), shown.join(", "));
        let read: Vec<i16> = index.keys.iter().map(|key| key.attribute).collect();
        let detail = match self.shows(table, &read)? {
            true => format!("Key ({names})=({shown}) is duplicated."),
            false => "Duplicate keys exist.".to_owned(),
        };
        Ok(err!(UNIQUE_VIOLATION, "could not create unique index \"{}\"", index.name)
            .detail(detail)
            .schema(&*schema.name)
            .table(&table.name)
            .constraint(&index.name))
    }
}
