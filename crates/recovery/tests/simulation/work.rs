//! Random transactions, two at a time.

use crate::model::{Model, Row, Rows, Trees, key_bytes, random_value, value_bytes};
use crate::server::{PAGE_BYTES, Server};
use base::{Error, Oid, Result, RowId, SessionId, SqlState};
use disk::Random;
use std::collections::BTreeMap;
use std::sync::Arc;
use table::{Basis, Outcome};
use txn::{CommitOptions, Isolation, Owner, SavepointMark, Snapshot, Transaction};

/// A transaction under way.
struct Open {
    txn: Transaction,
    rows: BTreeMap<u32, Rows>,
    savepoints: Vec<(SavepointMark, BTreeMap<u32, Rows>)>,
}

/// A reader with what it must see.
struct Reader {
    snapshot: Arc<Snapshot>,
    model: Model,
}

/// How a life ended.
pub(crate) struct Ended {
    pub(crate) model: Model,
    /// What a transaction whose commit may have reached the disk would leave.
    pub(crate) maybe: Option<Model>,
}

pub(crate) struct Work<'s> {
    server: &'s Server,
    random: Random,
    owners: [Arc<Owner>; 2],
    open: [Option<Open>; 2],
    reader: Option<Reader>,
    model: Model,
    maybe: Option<Model>,
    next_table: u32,
    dead: Vec<(base::FileId, Vec<u8>, RowId)>,
    /// The disk is kept small.
    full: bool,
}

impl<'s> Work<'s> {
    pub(crate) fn new(server: &'s Server, random: Random, model: Model) -> Work<'s> {
        let owner = |pid| server.storage.transactions().register(SessionId(pid), Oid(5));
        let next_table = model.tables.keys().next_back().map_or(0, |last| last + 1);
        Work {
            server,
            random,
            owners: [owner(1), owner(2)],
            open: [None, None],
            reader: None,
            model,
            maybe: None,
            next_table,
            dead: Vec::new(),
            full: false,
        }
    }

    /// Works until the power is cut, or for so many steps; then everything is rolled back.
    pub(crate) fn run(mut self, steps: u64) -> Result<Ended, String> {
        for _ in 0..steps {
            let side = self.random.below(2) as usize;
            let result = self.step(side);
            if self.server.disk.is_dead() {
                return Ok(Ended { model: self.model, maybe: self.maybe });
            }
            if let Err(error) = result {
                if !self.full || error.sqlstate() != SqlState::DISK_FULL {
                    return Err(format!("{error:?}"));
                }
                // The statement has failed, the server lives: the transaction can be rolled back.
                let undone = self.roll_back(side);
                if self.server.disk.is_dead() {
                    return Ok(Ended { model: self.model, maybe: self.maybe });
                }
                undone.map_err(|error| {
                    format!("rollback on a full disk, used {}: {error:?}", self.server.disk.used())
                })?;
                self.server.disk.set_capacity(None);
                self.full = false;
            }
        }
        self.server.disk.set_capacity(None);
        for side in 0..2 {
            let result = self.roll_back(side);
            if self.server.disk.is_dead() {
                break;
            }
            result.map_err(|error| format!("{error:?}"))?;
        }
        Ok(Ended { model: self.model, maybe: self.maybe })
    }

    fn roll_back(&mut self, side: usize) -> Result<()> {
        match self.open[side].take() {
            Some(open) => open.txn.rollback(),
            None => Ok(()),
        }
    }

    fn step(&mut self, side: usize) -> Result<()> {
        self.maybe = None;
        match self.random.below(60) {
            0 => return self.server.storage.tables().purge(20).map(drop),
            1 => return self.server.storage.pool().write_some(8).map(drop),
            2 => self.server.storage.transactions().housekeeping(64),
            3 if self.random.one_in(3) => return self.server.storage.checkpoint(),
            4 | 5 => return self.read(),
            6 => return self.purge_entries(),
            7 if self.random.one_in(4) && !self.full => {
                let room = self.random.below(400_000);
                self.server.disk.set_capacity(Some(self.server.disk.used() + room));
                self.full = true;
            }
            8 if self.full => {
                self.server.disk.set_capacity(None);
                self.full = false;
            }
            9..13 if self.open.iter().all(Option::is_none) => return self.define(),
            _ => {}
        }
        if self.model.tables.is_empty() {
            return if self.open.iter().all(Option::is_none) { self.define() } else { Ok(()) };
        }
        if self.open[side].is_none() {
            let transactions = self.server.storage.transactions();
            let txn = transactions.begin(&self.owners[side], Isolation::ReadCommitted);
            let rows = self.model.halves[side].clone();
            self.open[side] = Some(Open { txn, rows, savepoints: Vec::new() });
        }
        match self.random.below(24) {
            0..3 => self.commit(side),
            3 => self.roll_back(side),
            4 => {
                if let Some(open) = &mut self.open[side] {
                    let mark = open.txn.savepoint();
                    open.savepoints.push((mark, open.rows.clone()));
                }
                Ok(())
            }
            5 => self.savepoint_ends(side),
            _ => self.change(side),
        }
    }

    fn savepoint_ends(&mut self, side: usize) -> Result<()> {
        let back = self.random.one_in(2);
        let Some(open) = &mut self.open[side] else { return Ok(()) };
        let Some((mark, rows)) = open.savepoints.pop() else { return Ok(()) };
        if back {
            open.txn.rollback_to(mark)?;
            open.rows = rows;
        }
        open.txn.release_savepoint(mark);
        open.txn.next_command().map(drop)
    }

    fn commit(&mut self, side: usize) -> Result<()> {
        let Some(open) = self.open[side].take() else { return Ok(()) };
        let mut after = self.model.clone();
        after.halves[side] = open.rows;
        self.maybe = Some(after.clone());
        match open.txn.commit(CommitOptions::default(), |_| {}) {
            Ok(_) => {
                self.model = after;
                self.maybe = None;
                Ok(())
            }
            Err(error) if error.fields().severity == base::Severity::Error => {
                self.maybe = None;
                open.txn.rollback()?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Changes some rows of a table, as one command.
    fn change(&mut self, side: usize) -> Result<()> {
        let tables: Vec<(u32, Trees)> = self.model.tables.iter().map(|(n, t)| (*n, *t)).collect();
        let (number, trees) = tables[self.random.below(tables.len() as u64) as usize];
        let Some(open) = &mut self.open[side] else { return Ok(()) };
        let random = &mut self.random;
        let rows = open.rows.entry(number).or_default();
        let few = rows.len() < 150 && !random.one_in(4);
        let shrink = rows.len() > 500;
        for _ in 0..1 + random.below(if shrink { 60 } else { 25 }) {
            let at = RowId(random.below(rows.keys().next_back().map_or(1, |row| row.0 + 1)));
            let found = rows.range(at..).next().map(|(row, value)| (*row, value.clone()));
            match found {
                None => insert(self.server, &trees, &open.txn, side, random, rows)?,
                Some(_) if !shrink && (few || random.one_in(3)) => {
                    insert(self.server, &trees, &open.txn, side, random, rows)?;
                }
                Some((row, old)) if shrink || random.one_in(4) => {
                    delete(self.server, &trees, &open.txn, row, &old, &mut self.dead)?;
                    rows.remove(&row);
                }
                Some((row, old)) => {
                    let new = update(
                        self.server,
                        &trees,
                        &open.txn,
                        row,
                        &old,
                        side,
                        random,
                        rows,
                        &mut self.dead,
                    )?;
                    rows.insert(row, new);
                }
            }
            open.txn.next_command()?;
        }
        Ok(())
    }

    /// Makes or drops a table, in a transaction that runs alone.
    fn define(&mut self) -> Result<()> {
        let storage = &self.server.storage;
        let txn = storage.transactions().begin(&self.owners[0], Isolation::ReadCommitted);
        let mut after = self.model.clone();
        let (mut made, mut gone) = (None, None);
        let number = self.next_table;
        let drops = after.tables.len() > 3 || (after.tables.len() > 1 && self.random.one_in(3));
        let result = if drops {
            let at = self.random.below(after.tables.len() as u64) as usize;
            let number = *after.tables.keys().nth(at).expect("a table");
            let trees = after.tables.remove(&number).expect("a table");
            after.halves.iter_mut().for_each(|half| drop(half.remove(&number)));
            for file in [trees.table, trees.unique, trees.values] {
                txn.unlink_at_commit(file);
            }
            gone = Some(trees);
            txn.xid_or_draw().map(drop)
        } else {
            self.next_table += 1;
            self.make(&txn, number, &mut after).map(|trees| made = Some(trees))
        };
        if result.is_ok() && !self.random.one_in(4) {
            self.maybe = Some(after.clone());
            match txn.commit(CommitOptions::default(), |_| {}) {
                Ok(_) => {
                    self.model = after;
                    self.maybe = None;
                    if let Some(trees) = gone {
                        self.reader = None;
                        self.dead.clear();
                        self.server.forget(&trees);
                    }
                    return Ok(());
                }
                Err(error) if error.fields().severity == base::Severity::Error => {
                    self.maybe = None;
                    txn.rollback()?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            }
        }
        txn.rollback()?;
        if let Some(trees) = made {
            self.server.forget(&trees);
        }
        result
    }

    fn make(&mut self, txn: &Transaction, number: u32, after: &mut Model) -> Result<Trees> {
        let storage = &self.server.storage;
        let table = storage.tables().create(txn, PAGE_BYTES)?.file();
        let index = || {
            let file = txn.create_file(PAGE_BYTES)?;
            let id = file.id();
            btree::Index::create(storage.transactions(), file, "index")?;
            Ok::<_, Error>(id)
        };
        let trees = Trees { table, unique: index()?, values: index()? };
        after.tables.insert(number, trees);
        let rows = after.halves[0].entry(number).or_default();
        for _ in 0..self.random.below(40) {
            insert(self.server, &trees, txn, 0, &mut self.random, rows)?;
        }
        Ok(trees)
    }

    /// A reader takes a snapshot, or looks again whether it sees what it saw.
    fn read(&mut self) -> Result<()> {
        let Some(reader) = &self.reader else {
            let snapshot = self.server.storage.transactions().snapshot();
            self.reader = Some(Reader { snapshot, model: self.model.clone() });
            return Ok(());
        };
        let view = self.server.view_of(reader.snapshot.clone());
        for (number, trees) in &reader.model.tables {
            let (found, expected) = (self.server.rows(trees, &view)?, reader.model.rows(*number));
            assert!(found == expected, "an old snapshot sees other rows of table {number}");
        }
        if self.random.one_in(3) {
            self.reader = None;
        }
        Ok(())
    }

    /// Purges entries that were marked dead, if nobody needs them any more.
    fn purge_entries(&mut self) -> Result<()> {
        for _ in 0..20 {
            if self.dead.is_empty() {
                return Ok(());
            }
            let at = self.random.below(self.dead.len() as u64) as usize;
            let (file, key, row) = self.dead.swap_remove(at);
            self.server.index(file)?.purge(&key, row)?;
        }
        Ok(())
    }
}

/// A key of one side that none of its rows has.
fn free_key(random: &mut Random, side: usize, rows: &Rows) -> i64 {
    loop {
        let key = random.below(4000) as i64 * 2 + side as i64;
        if rows.values().all(|row| row.key != key) {
            return key;
        }
    }
}

fn insert(
    server: &Server,
    trees: &Trees,
    txn: &Transaction,
    side: usize,
    random: &mut Random,
    rows: &mut Rows,
) -> Result<()> {
    let new = Row { key: free_key(random, side, rows), value: random_value(random) };
    let table = server.table(trees)?;
    let row = table.insert_row(txn, &[Some(&new.key.to_le_bytes()), new.value.as_deref()])?;
    enter(server, trees, txn, row, None, &new)?;
    rows.insert(row, new);
    Ok(())
}

/// Makes the entries of a row's new version that the old one did not have.
fn enter(
    server: &Server,
    trees: &Trees,
    txn: &Transaction,
    row: RowId,
    old: Option<&Row>,
    new: &Row,
) -> Result<()> {
    if old.is_none_or(|old| old.key != new.key) {
        let placed =
            server.index(trees.unique)?.insert_unique(txn, &key_bytes(new.key), row, &[])?;
        assert!(matches!(placed, btree::Placed::Inserted), "key {} is taken", new.key);
    }
    let value = value_bytes(new.value.as_deref());
    if old.is_none_or(|old| value_bytes(old.value.as_deref()) != value) {
        server.index(trees.values)?.insert(txn, &value, row, &[])?;
    }
    Ok(())
}

type Dead = Vec<(base::FileId, Vec<u8>, RowId)>;

/// Marks the entries of a row's old version dead that the new one does not have.
fn leave(
    server: &Server,
    trees: &Trees,
    txn: &Transaction,
    row: RowId,
    old: &Row,
    new: Option<&Row>,
    dead: &mut Dead,
) -> Result<()> {
    let mut mark = |file, key: Vec<u8>| {
        assert!(server.index(file)?.mark_dead(txn, &key, row)?, "no entry to mark dead");
        dead.push((file, key, row));
        Ok::<_, Error>(())
    };
    if new.is_none_or(|new| new.key != old.key) {
        mark(trees.unique, key_bytes(old.key))?;
    }
    let value = value_bytes(old.value.as_deref());
    if new.is_none_or(|new| value_bytes(new.value.as_deref()) != value) {
        mark(trees.values, value)?;
    }
    Ok(())
}

fn view(txn: &Transaction) -> Result<txn::View> {
    txn.xid_or_draw()?;
    Ok(txn.view())
}

fn delete(
    server: &Server,
    trees: &Trees,
    txn: &Transaction,
    row: RowId,
    old: &Row,
    dead: &mut Dead,
) -> Result<()> {
    let outcome = server.table(trees)?.delete(txn, Basis::Seen(&view(txn)?), row)?;
    assert_eq!(outcome, Outcome::Done);
    leave(server, trees, txn, row, old, None, dead)
}

fn update(
    server: &Server,
    trees: &Trees,
    txn: &Transaction,
    row: RowId,
    old: &Row,
    side: usize,
    random: &mut Random,
    rows: &Rows,
    dead: &mut Dead,
) -> Result<Row> {
    let mut new = old.clone();
    if random.one_in(3) {
        new.key = free_key(random, side, rows);
    }
    if !random.one_in(4) {
        new.value = random_value(random);
    }
    let key = new.key.to_le_bytes();
    let columns = [(0, Some(&key[..])), (1, new.value.as_deref())];
    let changed = new.key != old.key;
    let table = server.table(trees)?;
    let outcome = table.update(txn, Basis::Seen(&view(txn)?), row, &columns, changed)?;
    assert_eq!(outcome, Outcome::Done);
    leave(server, trees, txn, row, old, Some(&new), dead)?;
    enter(server, trees, txn, row, Some(old), &new)?;
    Ok(new)
}
