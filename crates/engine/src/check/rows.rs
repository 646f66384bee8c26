//! Rows against the entries of indexes.

use super::Checker;
use crate::backend::Backend;
use crate::storage::{layout, place};
use base::limits::BATCH_ROWS_MAX;
use base::{CommandId, Oid, Result, RowId, Xid};
use catalog::Catalog;
use catalog::relation::{Index, Relation};
use memory::{Account, Heap};
use session::engine::{Isolation, Modes};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use table::{ColumnLayout, Table, TableDescription};
use txn::{Met, View, XidStatus};
use types::{Datum, KeyColumn};

/// The problems of one index that are told one by one.
const SHOWN_MAX: u64 = 10;

impl Checker<'_> {
    /// The tree of an index, and its entries against the rows of the table, if that is whole.
    pub(super) fn index(
        &mut self,
        catalog: &Catalog,
        backend: &Backend,
        relation: &Relation,
        index: &Index,
        whole: bool,
    ) -> Result<()> {
        if !self.pages(index.file)? {
            return Ok(());
        }
        let hasher = RandomState::new();
        let plain = index.keys.iter().all(|key| key.attribute > 0)
            && index.predicate.is_none()
            && index.included.is_empty();
        let mut rows = match (whole, plain) {
            (true, true) => Some(self.keys(catalog, relation, index, &hasher)?),
            (true, false) => Some(computed(backend, relation, index, &hasher)?),
            (false, _) => None,
        };
        let tree = self.trees.index(index.file, &index.name)?;
        let trees = self.trees.clone();
        let mut strangers = Vec::new();
        let partial = index.predicate.is_some();
        let checked = tree.check(|key, row, stamp, dead, payload| {
            let Some(rows) = &mut rows else { return };
            let found = if plain { hasher.hash_one(key) } else { hasher.hash_one((key, payload)) };
            // What a prepared transaction has changed may be the entry of a row as it is seen.
            if trees.transactions().status(stamp) == XidStatus::Running {
                if rows.get(&row) == Some(&found) {
                    rows.remove(&row);
                }
                return;
            }
            if dead {
                return;
            }
            let expected = rows.remove(&row);
            let right = expected == Some(found);
            if !right && strangers.len() < SHOWN_MAX as usize {
                strangers.push(match expected {
                    Some(_) => format!("an entry points to row {row}, which has another key"),
                    None if partial => {
                        format!("an entry points to row {row}, which does not belong in it")
                    }
                    None => format!("an entry points to row {row}, which is not there"),
                });
            }
        })?;
        for problem in checked.problems.iter().chain(&strangers) {
            self.problem(problem);
        }
        if !index.valid {
            return Ok(());
        }
        let mut missing: Vec<RowId> = rows.into_iter().flat_map(HashMap::into_keys).collect();
        missing.sort_unstable();
        for row in missing.iter().take(SHOWN_MAX as usize) {
            self.problem(&format!("row {row} has no entry"));
        }
        Ok(())
    }

    /// The rows that are seen, with the hash of the key that they have in an index.
    fn keys(
        &mut self,
        catalog: &Catalog,
        relation: &Relation,
        index: &Index,
        hasher: &RandomState,
    ) -> Result<HashMap<RowId, u64>> {
        let mut columns = Vec::with_capacity(relation.columns.len());
        for column in &relation.columns {
            columns.push(ColumnLayout {
                id: column.id,
                layout: layout(catalog, column)?,
                missing: column.missing.as_deref().map(Into::into),
            });
        }
        let (relation_oid, database) = (relation.oid, Oid::INVALID);
        let description = TableDescription { columns, relation: relation_oid, database };
        let table = Table::open(self.trees.tables(), relation.file, Arc::new(description))?;
        let attributes: Vec<usize> = index.keys.iter().map(|key| place(key.attribute)).collect();
        let mut keys = Vec::with_capacity(index.keys.len());
        for key in &index.keys {
            keys.push(KeyColumn {
                type_oid: catalog.base_type(key.type_oid, -1)?.0.0,
                descending: key.descending,
                nulls_first: key.nulls_first,
            });
        }
        let snapshot = self.trees.transactions().snapshot();
        let view = View::new(snapshot, Xid::INVALID, CommandId(0), Arc::new(Met::default()));
        let heap = Heap::new("check", Account::unlimited());
        let mut rows = HashMap::new();
        let mut scan = table.scan(&attributes, &[], table.all_rows());
        while let Some(found) = scan.next_batch(&view, &heap, BATCH_ROWS_MAX)? {
            for at in found.batch.rows() {
                let mut key = Vec::new();
                let columns = found.batch.columns();
                let values: Vec<Datum<'_>> = columns.iter().map(|c| c.get(at)).collect();
                types::key::encode(catalog, &keys, &values, &mut key)?;
                rows.insert(found.rows[at], hasher.hash_one(&key[..]));
            }
        }
        self.found.rows += rows.len() as u64;
        Ok(rows)
    }
}

/// The rows that belong in an index, with the hash of the key and the payload of their entries, as
/// the index's expressions and its predicate say.
fn computed(
    backend: &Backend,
    relation: &Relation,
    index: &Index,
    hasher: &RandomState,
) -> Result<HashMap<RowId, u64>> {
    let isolation = Isolation::ReadCommitted;
    backend.begin_transaction(Modes { isolation, read_only: true, deferrable: false })?;
    backend.refresh();
    let mut rows = HashMap::new();
    let result = backend.each_entry(relation, index, &mut |row, key, payload| {
        rows.insert(row, hasher.hash_one((key, payload)));
    });
    backend.rollback_transaction()?;
    result.map(|()| rows)
}
