//! Statements that make and drop tables and indexes.

use crate::model::{IndexShape, Row, Shape, random_value};
use crate::server::{PAGE_BYTES, entries_of, table_oid};
use crate::work::Work;
use base::{Csn, Result, RowId, Xid};
use btree::{BuildEntry, Index};
use memory::{Account, Heap};
use std::collections::BTreeMap;
use std::sync::Arc;
use txn::LockMode;
use types::Datum;

/// The tables that there are at most, about.
const TABLES_MAX: usize = 4;

impl Work<'_> {
    /// Makes or drops a table or an index.
    pub(crate) fn define(&mut self, session: usize) -> Result<()> {
        let tables = self.history.latest().tables.len();
        let made = match tables {
            0..2 => true,
            _ => tables <= TABLES_MAX && self.random.one_in(3),
        };
        if made {
            return self.make_table(session);
        }
        let Some((number, shape)) = self.choose(session, Some(session)) else { return Ok(()) };
        if !self.lock(session, number, true) {
            return Ok(());
        }
        self.lock_for(session, number, LockMode::AccessExclusive);
        match self.random.below(6) {
            0 if tables > 2 => self.drop_table(session, number, &shape),
            0..3 if !shape.indexes.is_empty() => self.drop_index(session, number, shape),
            _ if shape.indexes.len() < 3 => self.make_index(session, number, shape),
            _ => Ok(()),
        }
    }

    fn set_shape(&mut self, session: usize, number: u32, shape: Option<Shape>) -> Result<()> {
        let Some(open) = &mut self.open[session] else { return Ok(()) };
        open.changes.shapes.insert(number, shape);
        open.txn.next_command().map(drop)
    }

    fn make_table(&mut self, session: usize) -> Result<()> {
        let number = self.next_table;
        self.next_table += 1;
        self.lock(session, number, true);
        self.lock_for(session, number, LockMode::AccessExclusive);
        let storage = &self.server.storage;
        let Some(open) = &mut self.open[session] else { return Ok(()) };
        let file = storage.tables().create(&open.txn, PAGE_BYTES)?.file();
        open.made.push(file);
        let mut shape = Shape { file, indexes: Vec::new() };
        for unique in [true, false] {
            let tree = open.txn.create_file(PAGE_BYTES)?;
            let file = tree.id();
            open.made.push(file);
            Index::create(storage.transactions(), tree, "index")?;
            shape.indexes.push(IndexShape { file, unique, built: Csn(0) });
        }
        self.set_shape(session, number, Some(shape.clone()))?;
        for _ in 0..self.random.below(12) {
            let Some(open) = &mut self.open[session] else { return Ok(()) };
            let key = 100_000 + self.random.below(1 << 40) as i64;
            let row = Row { key, value: random_value(&mut self.random) };
            let table = self.server.table(shape.file)?;
            let key = key.to_le_bytes();
            let id = table.insert_row(&open.txn, &[Some(&key), row.value.as_deref()])?;
            if let Some(tracked) = open.txn.tracked() {
                tracked.write_row(table_oid(number), None)?;
            }
            for index in &shape.indexes {
                let tree = self.server.index(index.file)?;
                tree.insert(&open.txn, &index.key_of(&row), id, &[])?;
            }
            open.changes.keys.insert((number, row.key), true);
            open.changes.rows.entry(number).or_default().insert(id, Some(Arc::new(row)));
        }
        self.set_shape(session, number, Some(shape))
    }

    /// Gives free pages at the end of the files of a table back, as VACUUM does.
    pub(crate) fn shrink(&mut self) -> Result<()> {
        let tables = &self.history.latest().tables;
        let at = self.random.below(tables.len() as u64) as usize;
        let Some((shape, _)) = tables.values().nth(at) else { return Ok(()) };
        self.server.storage.tables().tree(shape.file)?.shrink(1)?;
        for index in &shape.indexes {
            self.server.index(index.file)?.shrink(1)?;
        }
        Ok(())
    }

    fn drop_table(&mut self, session: usize, number: u32, shape: &Shape) -> Result<()> {
        let Some(open) = &mut self.open[session] else { return Ok(()) };
        for file in shape.files() {
            open.txn.unlink_at_commit(file);
            open.gone.push(file);
        }
        open.txn.xid_or_draw()?;
        open.changes.rows.remove(&number);
        self.set_shape(session, number, None)
    }

    fn drop_index(&mut self, session: usize, number: u32, mut shape: Shape) -> Result<()> {
        let at = self.random.below(shape.indexes.len() as u64) as usize;
        let index = shape.indexes.remove(at);
        let Some(open) = &mut self.open[session] else { return Ok(()) };
        open.txn.unlink_at_commit(index.file);
        open.gone.push(index.file);
        open.txn.xid_or_draw()?;
        self.set_shape(session, number, Some(shape))
    }

    /// Makes an index and fills it from the table, as CREATE INDEX does.
    fn make_index(&mut self, session: usize, number: u32, mut shape: Shape) -> Result<()> {
        let unique = self.random.one_in(2);
        let Some(open) = &mut self.open[session] else { return Ok(()) };
        let transactions = self.server.storage.transactions();
        let tree = open.txn.create_file(PAGE_BYTES)?;
        let file = tree.id();
        open.made.push(file);
        let tree = Index::create(transactions, tree, "index")?;
        open.txn.next_command()?;
        let snapshot = transactions.snapshot();
        let index = IndexShape { file, unique, built: snapshot.csn() };
        let mut entries: BTreeMap<(Vec<u8>, RowId), (Xid, bool)> = BTreeMap::new();
        if open.txn.has_written(shape.file) {
            // Snapshots from before its commit see the rows as they were.
            let xid = open.txn.xid();
            let rows = self.server.rows(shape.file, &open.txn.view_of_others(snapshot.clone()))?;
            entries.extend(entries_of(&index, &rows).into_iter().map(|place| (place, (xid, true))));
        }
        let view = open.txn.view_of(snapshot);
        let table = self.server.table(shape.file)?;
        let heap = Heap::new("simulation", Account::unlimited());
        let mut scan = table.scan(&[0, 1], &[], table.all_rows()).with_stamps();
        while let Some(found) = scan.next_batch(&view, &heap, 256)? {
            for at in found.batch.rows() {
                let Datum::Int8(key) = found.batch.column(0).get(at) else { panic!("no key") };
                let value = match found.batch.column(1).get(at) {
                    Datum::Bytes(bytes) => Some(bytes.to_vec()),
                    _ => None,
                };
                let row = Row { key, value };
                let place = (index.key_of(&row), found.rows[at]);
                entries.insert(place, (found.stamps[at], false));
            }
        }
        let mut build = tree.bulk_build();
        for ((key, row), (stamp, dead)) in &entries {
            build.add(BuildEntry { key, row: *row, stamp: *stamp, dead: *dead, payload: &[] })?;
        }
        build.finish()?;
        shape.indexes.push(index);
        self.set_shape(session, number, Some(shape))
    }
}
