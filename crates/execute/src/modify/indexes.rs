//! Keeping indexes in step with their table.

use super::checks::key_shown;
use super::{ModifyTable, Wide};
use crate::entry::EntryShape;
use crate::keys::key_columns;
use crate::state::Execution;
use crate::storage::UniqueCheck;
use base::{Result, RowId};
use btree::Placed;
use catalog::relation::Index;
use expr::{Inputs, Runner};
use memory::Bump;
use plan::IndexWrite;
use std::sync::Arc;
use types::Datum;

/// An index that is written to.
pub(super) struct IndexState<'q> {
    pub(super) write: &'q IndexWrite<'q>,
    pub(super) described: Arc<Index>,
    pub(super) index: Arc<btree::Index>,
    shape: EntryShape,
}

/// The entry of a row.
pub(super) struct Entry<'m> {
    pub(super) key: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) values: &'m [Datum<'m>],
    /// Whether another row may have the same key: it has a NULL.
    pub(super) has_null: bool,
}

impl<'q> IndexState<'q> {
    pub(super) fn new(x: &Execution<'q>, write: &'q IndexWrite<'q>) -> Result<IndexState<'q>> {
        let described = x.descriptions.indexes[usize::from(write.index)].clone();
        let relation = x
            .descriptions
            .relations
            .iter()
            .find(|relation| relation.oid == described.table)
            .cloned()
            .ok_or_else(|| base::Error::internal("an index without its table"))?;
        let table = x.storage.table(&relation)?;
        let included = described
            .included
            .iter()
            .filter_map(|attribute| table.columns().get(*attribute as usize - 1))
            .map(|column| column.layout)
            .collect();
        Ok(IndexState {
            index: x.storage.index(&described)?,
            shape: EntryShape { columns: key_columns(write.columns), included },
            described,
            write,
        })
    }

    /// The entry of the old or the new half of a wide row; none if the predicate leaves it out.
    pub(super) fn entry<'m>(
        &self,
        x: &'m Execution<'q>,
        wide: &[Datum<'m>],
        new: bool,
        bump: &'m Bump,
    ) -> Result<Option<Entry<'m>>>
    where
        'q: 'm,
    {
        let write = self.write;
        let (program, predicate) = if new {
            (&write.new_key, &write.new_predicate)
        } else {
            (&write.old_key, &write.old_predicate)
        };
        if let Some(predicate) = predicate {
            let cx = x.value(bump, predicate)?;
            let value = predicate.eval_one(&mut Runner::new(), &cx, Inputs::Row(wide))?;
            if !matches!(value, Datum::Bool(true)) {
                return Ok(None);
            }
        }
        let cx = x.value(bump, program)?;
        let values = &*program.eval_row(&mut Runner::new(), &cx, Inputs::Row(wide))?;
        let (mut key, mut payload) = (Vec::new(), Vec::new());
        let has_null = self.shape.encode(x.host.io().host, values, &mut key, &mut payload)?;
        Ok(Some(Entry { key, payload, values, has_null }))
    }

    pub(super) fn is_checked(&self, entry: &Entry<'_>) -> bool {
        self.described.unique && (!entry.has_null || self.described.nulls_not_distinct)
    }
}

impl<'q> ModifyTable<'q> {
    /// Makes the entries of a new row, save one that is there already.
    pub(super) fn insert_entries<'m>(
        &self,
        x: &'m Execution<'q>,
        row: RowId,
        wide: &[Datum<'m>],
        bump: &'m Bump,
        except: Option<&[usize]>,
    ) -> Result<()>
    where
        'q: 'm,
    {
        for (i, state) in self.indexes.iter().enumerate() {
            if except.is_some_and(|done| done.contains(&i)) {
                continue;
            }
            if let Some(entry) = state.entry(x, wide, true, bump)? {
                self.place(x, state, row, &entry)?;
            }
        }
        Ok(())
    }

    fn place(
        &self,
        x: &Execution<'q>,
        state: &IndexState<'q>,
        row: RowId,
        entry: &Entry<'_>,
    ) -> Result<()> {
        let txn = x.storage.transaction();
        if !state.is_checked(entry) {
            state.index.insert(txn, &entry.key, row, &entry.payload)?;
            return self.wrote_key(state, &entry.key);
        }
        if !state.described.immediate {
            let conflicts = state.index.insert_deferred(txn, &entry.key, row, &entry.payload)?;
            self.wrote_key(state, &entry.key)?;
            if conflicts {
                let (index, key) = (state.described.clone(), entry.key.clone());
                let error = self.duplicate(x, state, entry)?;
                x.storage.note_unique(&self.relation, UniqueCheck { index, key, row, error })?;
            }
            return Ok(());
        }
        let name = &state.described.name;
        let placed = state.index.insert_unique(txn, &entry.key, row, &entry.payload, name)?;
        // A failure to serialize is told rather than a duplicate that follows from it.
        self.wrote_key(state, &entry.key)?;
        match placed {
            Placed::Inserted => Ok(()),
            Placed::Conflict { .. } => Err(self.duplicate(x, state, entry)?),
        }
    }

    /// Tells a serializable transaction that it has put an entry into an index.
    pub(super) fn wrote_key(&self, state: &IndexState<'q>, key: &[u8]) -> Result<()> {
        match &self.tracked {
            Some(tracked) => tracked.write_key(state.described.oid, key),
            None => Ok(()),
        }
    }

    /// 23505 with the key, if the role may read it.
    pub(super) fn duplicate(
        &self,
        x: &Execution<'q>,
        state: &IndexState<'q>,
        entry: &Entry<'_>,
    ) -> Result<base::Error> {
        let name = &state.described.name;
        let mut error = btree::unique_violation(name).constraint(name);
        if self.shows_key(x, &state.described)? {
            error = error.detail(self.key_detail(x, state, entry)?);
        }
        Ok(self.named(x, error))
    }

    /// An expression may tell of any column.
    fn shows_key(&self, x: &Execution<'q>, index: &Index) -> Result<bool> {
        let table = self.relation.oid;
        if x.host.may_select(table, 0)? {
            return Ok(true);
        }
        for key in &index.keys {
            if key.attribute == 0 || !x.host.may_select(table, key.attribute)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn key_detail(
        &self,
        x: &Execution<'q>,
        state: &IndexState<'q>,
        entry: &Entry<'_>,
    ) -> Result<String> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (key, value) in state.described.keys.iter().zip(entry.values) {
            names.push(match self.relation.column_at(key.attribute) {
                Some(column) if key.attribute > 0 => column.name.clone(),
                _ => x.host.index_key_text(state.described.oid, names.len() + 1),
            });
            values.push(key_shown(x, key.type_oid, value)?);
        }
        Ok(format!("Key ({})=({}) already exists.", names.join(", "), values.join(", ")))
    }

    /// Marks the entries of a deleted row dead.
    pub(super) fn delete_entries<'m>(
        &self,
        x: &'m Execution<'q>,
        row: RowId,
        wide: &Wide<'m>,
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        for state in &self.indexes {
            if let Some(entry) = state.entry(x, wide, false, bump)? {
                state.index.mark_dead(x.storage.transaction(), &entry.key, row)?;
            }
        }
        Ok(())
    }

    /// Brings the entries of a changed row up to date; indexes whose key it keeps are not touched.
    pub(super) fn update_entries<'m>(
        &self,
        x: &'m Execution<'q>,
        row: RowId,
        wide: &[Datum<'m>],
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        for state in self.indexes.iter().filter(|state| state.write.changes) {
            let old = state.entry(x, wide, false, bump)?;
            let new = state.entry(x, wide, true, bump)?;
            match (old, new) {
                (Some(old), Some(new)) if old.key == new.key => {
                    if old.payload != new.payload {
                        let txn = x.storage.transaction();
                        state.index.insert(txn, &new.key, row, &new.payload)?;
                    }
                }
                (old, new) => {
                    if let Some(old) = old {
                        state.index.mark_dead(x.storage.transaction(), &old.key, row)?;
                    }
                    if let Some(new) = new {
                        self.place(x, state, row, &new)?;
                    }
                }
            }
        }
        Ok(())
    }
}
