//! Filling the tree of a new index from its table.

use super::rows::Look;
use super::{layout, place};
use crate::backend::Backend;
use base::{Csn, Error, Result, RowId, Xid, err};
use btree::BuildEntry;
use catalog::relation::{Index, Relation};
use execute::EntryShape;
use expr::Host;
use memory::Charge;
use plan::RowValue;
use types::{Datum, KeyColumn};

/// How much memory is asked for at once.
const CHARGE_STEP: u64 = 1 << 20;

/// The entries of an index before they are sorted: their bytes lie in one place.
struct Entries {
    bytes: Vec<u8>,
    items: Vec<Item>,
    charge: Charge,
}

#[derive(Clone, Copy)]
struct Item {
    at: usize,
    key_bytes: u32,
    payload_bytes: u32,
    row: RowId,
    stamp: Xid,
    /// The transaction itself has replaced the version: it counts for those who do not see that.
    dead: bool,
    has_null: bool,
}

impl Entries {
    fn key(&self, item: &Item) -> &[u8] {
        &self.bytes[item.at..item.at + item.key_bytes as usize]
    }

    fn payload(&self, item: &Item) -> &[u8] {
        let at = item.at + item.key_bytes as usize;
        &self.bytes[at..at + item.payload_bytes as usize]
    }

    fn add(
        &mut self,
        shape: &EntryShape,
        host: &dyn types::TypeHost,
        (row, stamp, dead): (RowId, Xid, bool),
        values: &[Datum<'_>],
        scratch: &mut (Vec<u8>, Vec<u8>),
    ) -> Result<()> {
        let (key, payload) = scratch;
        key.clear();
        payload.clear();
        let has_null = shape.encode(host, values, key, payload)?;
        let at = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(payload);
        let bytes = |bytes: &Vec<u8>| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let (key_bytes, payload_bytes) = (bytes(key), bytes(payload));
        self.items.push(Item { at, key_bytes, payload_bytes, row, stamp, dead, has_null });
        let held = (self.bytes.capacity() + self.items.capacity() * size_of::<Item>()) as u64;
        if held > self.charge.bytes() {
            self.charge.resize(held.next_multiple_of(CHARGE_STEP), "index build")?;
        }
        Ok(())
    }

    /// Sorts them, and leaves one for each key and row: the live one, if there are two.
    fn sort(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        let order = |item: &Item| (item.row, item.dead);
        items.sort_unstable_by(|a, b| (self.key(a), order(a)).cmp(&(self.key(b), order(b))));
        items.dedup_by(|later, kept| later.row == kept.row && self.key(later) == self.key(kept));
        self.items = items;
    }

    /// Two entries that a unique index cannot have both.
    fn duplicate(&self, nulls_not_distinct: bool) -> Option<RowId> {
        let mut before: Option<&Item> = None;
        for item in self.items.iter().filter(|item| !item.dead) {
            let comparable = !item.has_null || nulls_not_distinct;
            if let Some(before) = before.replace(item)
                && comparable
                && self.key(before) == self.key(item)
            {
                return Some(before.row);
            }
        }
        None
    }
}

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

    pub(super) fn fill_index(&self, table: &Relation, index: &Index) -> Result<Csn> {
        let shape = self.entry_shape(table, index)?;
        let charge = self.state.account().shared().charge(0, "index build")?;
        let mut entries = Entries { bytes: Vec::new(), items: Vec::new(), charge };
        let mut scratch = (Vec::new(), Vec::new());
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
                entries.add(&shape, &self.catalog, (row, xid, true), values, &mut scratch)?;
                Ok(true)
            })?;
        }
        self.each_value(look, snapshot, &mut |row, stamp, values| {
            entries.add(&shape, &self.catalog, (row, stamp, false), values, &mut scratch)?;
            Ok(true)
        })?;
        entries.sort();
        if index.unique
            && let Some(row) = entries.duplicate(index.nulls_not_distinct)
        {
            return Err(self.duplicate(look, index, row)?);
        }
        if entries.items.is_empty() {
            return Ok(csn);
        }
        let tree = self.engine.trees.index(index.file, &index.name)?;
        let mut build = tree.bulk_build();
        for (number, item) in entries.items.iter().enumerate() {
            if number % 1024 == 0 {
                base::check_for_interrupts()?;
            }
            build.add(BuildEntry {
                key: entries.key(item),
                row: item.row,
                stamp: item.stamp,
                dead: item.dead,
                payload: entries.payload(item),
            })?;
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
        Ok(err!(UNIQUE_VIOLATION, "could not create unique index \"{}\"", index.name)
            .detail(format!("Key ({names})=({shown}) is duplicated."))
            .schema(&*schema.name)
            .table(&table.name)
            .constraint(&index.name))
    }
}
