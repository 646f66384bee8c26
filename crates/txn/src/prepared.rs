//! Prepared transactions: between PREPARE TRANSACTION and the end that any session may give them.
//!
//! # How it works
//! PREPARE logs a record with what the transaction needs to go on without its session: name, owner,
//! locks, files to unlink. The record is undoable and the last of its transaction: so checkpoints
//! and the keeping of log segments treat it like any other change, and recovery knows a prepared
//! transaction by the record that it would undo first. When the record is durable, the locks move
//! to an owner without a session and the transaction waits in [`PreparedTransactions`].
//!
//! Rules
//! 1. ROLLBACK PREPARED first compensates the PREPARE record: after a crash the transaction is an
//!    ordinary loser.
//! 2. Recovery rebuilds everything from the log: map entry, version records on the leaves where the
//!    rows are now, locks of all kinds (storage rule 16). What a serializable transaction has read
//!    comes back as whole tables, and it counts as having conflicts in and out.

use crate::lock::{LockMode, LockTag, RowLockMode};
use crate::transaction::Transaction;
use base::{Error, FileId, Oid, Result, RowId, SqlState, Xid, err};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// The longest name of a prepared transaction.
const NAME_BYTES_MAX: usize = 199;

/// What a PREPARE record says. Numbers are little-endian; lists begin with their length (4 bytes).
///
/// | field | bytes |
/// |---|---|
/// | time, role, database | 8, 4, 4 |
/// | name | list of bytes |
/// | files to unlink | list of 8 |
/// | locks: tag, mode | list of 1 + 16, 1 |
/// | row locks: file, mode, first row, number of rows | list of 8, 1, 8, 8 |
/// | whether it is serializable | 1 |
/// | tables that it has read | list of 4 |
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PrepareRecord {
    /// When, in microseconds since 2000-01-01 00:00:00 UTC.
    pub time_us: i64,
    /// Who prepared it.
    pub role: Oid,
    /// Its database.
    pub database: Oid,
    /// Its name.
    pub name: String,
    /// The files that are gone when it commits.
    pub unlink: Vec<FileId>,
    /// Its locks on tables and other objects.
    pub locks: Vec<(LockTag, LockMode)>,
    /// Its row locks: runs of rows.
    pub rows: Vec<(FileId, RowLockMode, RowId, u64)>,
    /// The tables that it has read, if it is serializable.
    pub reads: Option<Vec<Oid>>,
}

fn put_list<T>(out: &mut Vec<u8>, list: &[T], mut put: impl FnMut(&mut Vec<u8>, &T)) {
    out.extend_from_slice(&(list.len() as u32).to_le_bytes());
    list.iter().for_each(|item| put(out, item));
}

fn put_tag(out: &mut Vec<u8>, tag: &LockTag) {
    let (kind, words) = match *tag {
        LockTag::Relation { database, relation } => (0, [database.0, relation.0, 0, 0]),
        LockTag::Object { database, class, object, sub } => {
            (1, [database.0, class.0, object.0, u32::from(sub)])
        }
        LockTag::Advisory { database, key1, key2, pair } => {
            (2, [database.0, key1, key2, u32::from(pair)])
        }
    };
    out.push(kind);
    words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

fn damaged() -> Error {
    Error::corrupted("prepare record is damaged")
}

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or_else(damaged)?;
        self.0 = tail;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(self.take::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.u32()? as usize;
        let mut list = Vec::with_capacity(count.min(self.0.len()));
        for _ in 0..count {
            list.push(item(self)?);
        }
        Ok(list)
    }

    fn tag(&mut self) -> Result<LockTag> {
        let kind = self.u8()?;
        let (database, b) = (Oid(self.u32()?), self.u32()?);
        let (c, d) = (self.u32()?, self.u32()?);
        Ok(match kind {
            0 => LockTag::Relation { database, relation: Oid(b) },
            1 => {
                let sub = u16::try_from(d).map_err(|_| damaged())?;
                LockTag::Object { database, class: Oid(b), object: Oid(c), sub }
            }
            2 => LockTag::Advisory { database, key1: b, key2: c, pair: d != 0 },
            _ => return Err(damaged()),
        })
    }
}

impl PrepareRecord {
    /// The record's undo body.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&self.time_us.to_le_bytes());
        out.extend_from_slice(&self.role.0.to_le_bytes());
        out.extend_from_slice(&self.database.0.to_le_bytes());
        put_list(&mut out, self.name.as_bytes(), |out, byte| out.push(*byte));
        put_list(&mut out, &self.unlink, |out, file| out.extend_from_slice(&file.0.to_le_bytes()));
        put_list(&mut out, &self.locks, |out, (tag, mode)| {
            put_tag(out, tag);
            out.push(*mode as u8);
        });
        put_list(&mut out, &self.rows, |out, (file, mode, first, count)| {
            out.extend_from_slice(&file.0.to_le_bytes());
            out.push(*mode as u8);
            out.extend_from_slice(&first.0.to_le_bytes());
            out.extend_from_slice(&count.to_le_bytes());
        });
        out.push(u8::from(self.reads.is_some()));
        let reads = self.reads.as_deref().unwrap_or_default();
        put_list(&mut out, reads, |out, oid| out.extend_from_slice(&oid.0.to_le_bytes()));
        out
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// XX001 when the bytes are not such a record.
    pub fn decode(body: &[u8]) -> Result<PrepareRecord> {
        let mut from = Bytes(body);
        let time_us = i64::from_le_bytes(from.take()?);
        let (role, database) = (Oid(from.u32()?), Oid(from.u32()?));
        let name = from.list(Bytes::u8)?;
        let name = String::from_utf8(name).map_err(|_| damaged())?;
        let unlink = from.list(|from| Ok(FileId(from.u64()?)))?;
        let locks = from.list(|from| {
            let (tag, mode) = (from.tag()?, from.u8()?);
            let mode = LockMode::ALL.into_iter().find(|m| *m as u8 == mode);
            Ok((tag, mode.ok_or_else(damaged)?))
        })?;
        let rows = from.list(|from| {
            let (file, mode) = (FileId(from.u64()?), from.u8()?);
            let mode = RowLockMode::ALL.into_iter().find(|m| *m as u8 == mode);
            let (first, count) = (RowId(from.u64()?), from.u64()?);
            Ok((file, mode.ok_or_else(damaged)?, first, count))
        })?;
        let serializable = from.u8()? != 0;
        let reads = from.list(|from| Ok(Oid(from.u32()?)))?;
        if !from.0.is_empty() {
            return Err(damaged());
        }
        let reads = serializable.then_some(reads);
        Ok(PrepareRecord { time_us, role, database, name, unlink, locks, rows, reads })
    }
}

/// A row of `pg_prepared_xacts`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreparedRow {
    /// Its XID.
    pub xid: Xid,
    /// Its name.
    pub name: String,
    /// When it was prepared.
    pub time_us: i64,
    /// Who prepared it.
    pub role: Oid,
    /// Its database.
    pub database: Oid,
}

struct Entry {
    row: PreparedRow,
    /// None while it is being prepared, or ended.
    transaction: Option<Box<Transaction>>,
}

/// The prepared transactions of a server, by name.
#[derive(Default)]
pub struct PreparedTransactions(Mutex<BTreeMap<String, Entry>>);

impl PreparedTransactions {
    /// Those that are prepared, by name.
    pub fn rows(&self) -> Vec<PreparedRow> {
        let map = self.0.lock();
        let there = map.values().filter(|entry| entry.transaction.is_some());
        there.map(|entry| entry.row.clone()).collect()
    }

    /// The files that are gone when they commit.
    pub fn unlinks(&self) -> Vec<FileId> {
        let map = self.0.lock();
        map.values()
            .filter_map(|entry| entry.transaction.as_ref())
            .flat_map(|t| t.unlinks())
            .collect()
    }

    /// Whether one of them belongs to a database.
    pub fn in_database(&self, database: Oid) -> usize {
        self.0.lock().values().filter(|entry| entry.row.database == database).count()
    }

    /// Forgets them all, without ending any: the server stops.
    pub fn clear(&self) {
        self.0.lock().clear();
    }

    /// Takes a name for a transaction that is about to be prepared.
    pub(crate) fn reserve(&self, row: PreparedRow, limit: usize) -> Result<()> {
        let mut map = self.0.lock();
        if map.contains_key(&row.name) {
            return Err(err!(
                DUPLICATE_OBJECT,
                "transaction identifier \"{}\" is already in use",
                row.name
            ));
        }
        if map.len() >= limit {
            let text = "maximum number of prepared transactions reached";
            return Err(Error::new(SqlState::OUT_OF_MEMORY, text)
                .hint(format!("Increase \"max_prepared_transactions\" (currently {limit}).")));
        }
        map.insert(row.name.clone(), Entry { row, transaction: None });
        Ok(())
    }

    pub(crate) fn release(&self, name: &str) {
        self.0.lock().remove(name);
    }

    pub(crate) fn put(&self, name: &str, transaction: Box<Transaction>) {
        if let Some(entry) = self.0.lock().get_mut(name) {
            entry.transaction = Some(transaction);
        }
    }

    pub(crate) fn restore(&self, row: PreparedRow, transaction: Transaction) {
        let entry = Entry { transaction: Some(Box::new(transaction)), row };
        self.0.lock().insert(entry.row.name.clone(), entry);
    }

    /// Takes a transaction to end it, if `may` allows that.
    ///
    /// # Errors
    /// 42704 when there is none of that name; 55000 when another session is ending it; those of
    /// `may`.
    pub fn claim(
        &self,
        name: &str,
        may: impl FnOnce(&PreparedRow) -> Result<()>,
    ) -> Result<Claimed<'_>> {
        let mut map = self.0.lock();
        let missing = || {
            let text = format!("prepared transaction with identifier \"{name}\" does not exist");
            Error::new(SqlState::UNDEFINED_OBJECT, text)
        };
        let entry = map.get_mut(name).ok_or_else(missing)?;
        if entry.transaction.is_none() {
            return Err(err!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "prepared transaction with identifier \"{name}\" is busy"
            ));
        }
        may(&entry.row)?;
        let transaction = entry.transaction.take();
        Ok(Claimed { list: self, name: name.to_owned(), transaction })
    }
}

/// A prepared transaction that a session is ending. Prepared as before when it is dropped without
/// [`done`](Claimed::done).
pub struct Claimed<'l> {
    list: &'l PreparedTransactions,
    name: String,
    transaction: Option<Box<Transaction>>,
}

impl Claimed<'_> {
    /// The transaction, to be committed or rolled back.
    ///
    /// # Panics
    /// Never: it is there until this is gone.
    pub fn transaction(&self) -> &Transaction {
        self.transaction.as_deref().expect("it is there until the claim is gone")
    }

    /// It has ended.
    pub fn done(mut self) {
        self.transaction = None;
        self.list.release(&self.name);
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            self.list.put(&self.name, transaction);
        }
    }
}

/// Whether a name can be one of a prepared transaction.
///
/// # Errors
/// 22023 when it is too long.
pub fn check_name(name: &str) -> Result<()> {
    if name.len() > NAME_BYTES_MAX {
        return Err(err!(INVALID_PARAMETER_VALUE, "transaction identifier \"{name}\" is too long"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_and_refuse_damage() {
        let record = PrepareRecord {
            time_us: -7,
            role: Oid(10),
            database: Oid(5),
            name: "näme".into(),
            unlink: vec![FileId(1 << 40)],
            locks: vec![
                (LockTag::Relation { database: Oid(5), relation: Oid(7) }, LockMode::Share),
                (LockTag::advisory_pair(Oid(5), -1, 2), LockMode::Exclusive),
                (
                    LockTag::Object { database: Oid(0), class: Oid(1), object: Oid(2), sub: 3 },
                    LockMode::AccessExclusive,
                ),
            ],
            rows: vec![(FileId(3), RowLockMode::KeyShare, RowId(9), 100)],
            reads: Some(vec![Oid(20000)]),
        };
        let bytes = record.encode();
        assert_eq!(PrepareRecord::decode(&bytes).unwrap(), record);
        for end in 0..bytes.len() {
            assert!(PrepareRecord::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
    }
}
