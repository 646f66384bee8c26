//! The values of sequences.
//!
//! # How it works
//! The state of a sequence that is in use is in memory. Its row in the sequence's tree is what a
//! restart begins with: it is written ahead, so that it stands behind the values that may be given
//! out before the next write: 32 of them, and ever more while the sequence is used all the time. A
//! write is a small transaction of its own that does not wait for its flush; whoever gets a value
//! has met its commit and waits for that at its own end (storage rule 3). A clean shutdown writes
//! the state as it is.
//!
//! # Rules
//! 1. A value is given out only after a row behind it was logged.
//! 2. Values are never taken back: a rollback undoes nothing here.
//! 3. A sequence whose file is another begins from that file's row (RESTART, TRUNCATE).

use crate::backend::Backend;

use base::{Csn, Error, FileId, Oid, Result, SessionId, err};
use catalog::acl::{AclKind, Privilege};
use catalog::relation::{Relation, Sequence};
use catalog::rows::{Persistence, RelationKind};
use parking_lot::Mutex;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use table::{Basis, FIRST_ROW, Latest, RowBuffer, Table};
use txn::{CommitOptions, Isolation, Owner, Transaction, Transactions};
use types::Datum;

/// The values that are logged ahead, as `log_cnt` shows it.
const LOG_VALUES: i64 = 32;
/// The most values that are logged ahead of a sequence that is used all the time.
const AHEAD_VALUES_MAX: i64 = 1 << 14;
/// A sequence whose last write is not older is used all the time.
const BUSY_US: i64 = 100_000;
/// RowExclusiveLock
const ROW_EXCLUSIVE: u8 = 3;

/// The sequences of a cluster that were used since it was opened.
#[derive(Default)]
pub(crate) struct Sequences {
    of_file: Mutex<HashMap<FileId, Arc<Counter>>>,
}

/// One sequence, one session at a time.
struct Counter(tokio::sync::Mutex<State>);

struct State {
    table: Table,
    values: Values,
    /// The values before the one in the row: they may be given out without a write.
    ahead: i64,
    /// How many values the last write was ahead, and when it was.
    reach: i64,
    written_us: i64,
    /// The commit of the row.
    written: Csn,
}

/// What `SELECT * FROM sequence` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Values {
    /// The value given out last, or the first one.
    pub(crate) last: i64,
    /// The values that may be given out before the next write.
    pub(crate) logged: i64,
    /// Whether `last` was given out.
    pub(crate) is_called: bool,
}

/// The values of a session.
#[derive(Default)]
pub(crate) struct SessionSequences {
    used: RefCell<HashMap<Oid, Used>>,
    last: RefCell<Option<Oid>>,
    owner: OnceCell<Arc<Owner>>,
}

/// What a session knows of a sequence that it used.
#[derive(Clone, Copy)]
struct Used {
    file: FileId,
    /// What currval returns; none before the first value.
    value: Option<i64>,
    /// The values after `value` up to here belong to the session (CACHE).
    until: i64,
    increment: i64,
}

/// How far `nextval` went.
struct Step {
    first: i64,
    last: i64,
    taken: i64,
    /// What `log_cnt` shows then.
    logged: i64,
}

fn limit(name: &str, descending: bool, bound: i64) -> Error {
    let which = if descending { "minimum" } else { "maximum" };
    err!(
        SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
        "nextval: reached {which} value of sequence \"{name}\" ({bound})"
    )
}

/// The value after another; none behind the last one, where a cycle begins again.
fn after(sequence: &Sequence, value: i64) -> Option<i64> {
    let next = value.checked_add(sequence.increment);
    next.filter(|next| (sequence.min..=sequence.max).contains(next))
}

/// The value that stands so many values behind another, or the last one before the limit; and how
/// many it stands behind.
fn behind(sequence: &Sequence, value: i64, count: i64) -> (i64, i64) {
    let limit = if sequence.increment > 0 { sequence.max } else { sequence.min };
    let room = (i128::from(limit) - i128::from(value)) / i128::from(sequence.increment);
    let count = i128::from(count).min(room).max(0);
    let moved = i128::from(value) + count * i128::from(sequence.increment);
    (i64::try_from(moved).unwrap_or(value), i64::try_from(count).unwrap_or(0))
}

/// Takes the next values: as many as the sequence caches. No step goes around a cycle.
fn step(sequence: &Sequence, name: &str, now: Values) -> Result<Step> {
    let mut last = now.last;
    let mut first = (!now.is_called).then_some(last);
    let mut taken = i64::from(!now.is_called);
    while taken < sequence.cache {
        let next = match (after(sequence, last), first) {
            (Some(next), _) => next,
            (None, Some(_)) => break,
            (None, None) if sequence.cycle && sequence.increment > 0 => sequence.min,
            (None, None) if sequence.cycle => sequence.max,
            (None, None) => {
                let descending = sequence.increment < 0;
                let bound = if descending { sequence.min } else { sequence.max };
                return Err(limit(name, descending, bound));
            }
        };
        first = first.or(Some(next));
        last = next;
        taken += 1;
    }
    let first = first.unwrap_or(last);
    // As PostgreSQL counts: values are logged when those of the last time do not suffice.
    let logged = if now.is_called && sequence.cache <= now.logged {
        now.logged - taken
    } else {
        behind(sequence, last, LOG_VALUES).1
    };
    Ok(Step { first, last, taken, logged })
}

fn int8(bytes: Option<&[u8]>) -> Result<i64> {
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.map(i64::from_le_bytes).ok_or_else(|| Error::corrupted("the row of a sequence"))
}

impl State {
    /// The state that the row holds.
    fn load(table: Table, transaction: &Transaction) -> Result<State> {
        let mut row = RowBuffer::new();
        match table.fetch_latest(transaction, FIRST_ROW, &[0, 1, 2], &mut row)? {
            Latest::Found(_) => {}
            other => return Err(Error::corrupted(format!("the row of a sequence is {other:?}"))),
        }
        let values = Values {
            last: int8(row.get(0))?,
            logged: int8(row.get(1))?,
            is_called: row.get(2) == Some(&[1]),
        };
        Ok(State { table, values, ahead: 0, reach: LOG_VALUES, written_us: 0, written: Csn(0) })
    }

    /// Writes the row.
    fn write(
        &mut self,
        transactions: &Arc<Transactions>,
        owner: &Arc<Owner>,
        values: Values,
    ) -> Result<()> {
        let row =
            [Datum::Int8(values.last), Datum::Int8(values.logged), Datum::Bool(values.is_called)];
        let mut stored = Vec::with_capacity(row.len());
        for (column, value) in self.table.columns().iter().zip(&row) {
            let mut bytes = Vec::new();
            column.layout.encode(value, &mut bytes)?;
            stored.push(bytes);
        }
        let columns: Vec<(usize, Option<&[u8]>)> =
            stored.iter().enumerate().map(|(at, bytes)| (at, Some(&bytes[..]))).collect();
        let transaction = transactions.begin(owner, Isolation::ReadCommitted);
        let view = transaction.view_of(transactions.snapshot());
        let basis = Basis::Seen(&view);
        let outcome = self.table.update(&transaction, basis, FIRST_ROW, &columns, false);
        match outcome {
            Ok(table::Outcome::Done) => {}
            outcome => {
                transaction.rollback()?;
                let outcome = outcome?;
                return Err(Error::internal(format!("the row of a sequence is {outcome:?}")));
            }
        }
        let options = CommitOptions { sync: false, ..CommitOptions::default() };
        if let Some(csn) = transaction.commit(options, |_| ())? {
            self.written = csn;
        }
        Ok(())
    }
}

impl Sequences {
    /// Forgets the sequences among some files that are gone.
    pub(crate) fn forget(&self, files: &[FileId]) {
        if files.is_empty() {
            return;
        }
        self.of_file.lock().retain(|file, _| !files.contains(file));
    }

    /// Writes all rows as they are: the server ends, nobody uses a sequence any more.
    pub(crate) fn write_all(&self, transactions: &Arc<Transactions>) -> Result<()> {
        let files: Vec<FileId> = self.of_file.lock().keys().copied().collect();
        self.write(transactions, &files)
    }

    /// Writes the rows of sequences that nobody uses now, as they are.
    pub(crate) fn write(&self, transactions: &Arc<Transactions>, files: &[FileId]) -> Result<()> {
        let counters: Vec<_> = {
            let mut of_file = self.of_file.lock();
            files.iter().filter_map(|file| of_file.remove(file)).collect()
        };
        let owner = transactions.register(SessionId(0), Oid::INVALID);
        for counter in counters {
            let mut state = base::wait::block_on(counter.0.lock());
            if state.ahead > 0 {
                let values = state.values;
                state.write(transactions, &owner, values)?;
            }
        }
        Ok(())
    }
}

impl Backend {
    fn counter(&self, relation: &Relation) -> Result<Arc<Counter>> {
        let sequences = &self.engine.sequences.of_file;
        if let Some(counter) = sequences.lock().get(&relation.file) {
            return Ok(counter.clone());
        }
        let state = State::load(self.open_table(relation)?, &*self.transaction()?)?;
        let loaded = Arc::new(Counter(tokio::sync::Mutex::new(state)));
        Ok(sequences.lock().entry(relation.file).or_insert(loaded).clone())
    }

    /// The description of a sequence, locked for the rest of the transaction.
    fn sequence(&self, oid: Oid) -> Result<(Arc<Relation>, Sequence)> {
        analyze::Environment::lock_relation(self, oid, ROW_EXCLUSIVE)?;
        let relation = self.catalog.find_relation(oid)?;
        let relation = relation
            .ok_or_else(|| err!(UNDEFINED_TABLE, "could not open relation with OID {oid}"))?;
        match relation.sequence {
            Some(sequence) if relation.kind == RelationKind::Sequence => Ok((relation, sequence)),
            _ => {
                let error = err!(WRONG_OBJECT_TYPE, "cannot open relation \"{}\"", relation.name);
                Err(error.detail(catalog::unsupported_for(relation.kind)))
            }
        }
    }

    fn require_sequence(&self, relation: &Relation, any: &[Privilege]) -> Result<()> {
        let (kind, acl) = (AclKind::Sequence, relation.acl.as_ref());
        let held = self.catalog.privileges(kind, relation.owner, acl)?.0;
        if any.iter().any(|privilege| held.has(*privilege)) {
            return Ok(());
        }
        Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied for sequence {}", relation.name))
    }

    fn refuse_read_only(&self, relation: &Relation, function: &str) -> Result<()> {
        let temporary = relation.persistence == Persistence::Temporary;
        if !temporary && self.state.modes().read_only {
            return Err(err!(
                READ_ONLY_SQL_TRANSACTION,
                "cannot execute {function}() in a read-only transaction"
            ));
        }
        Ok(())
    }

    fn sequence_owner(&self) -> &Arc<Owner> {
        let transactions = self.engine.storage.transactions();
        let database = self.catalog.database();
        self.sequences.owner.get_or_init(|| transactions.register(SessionId(0), database))
    }

    /// `nextval`; identity columns do not check privileges.
    pub(crate) fn sequence_next(&self, oid: Oid, checked: bool) -> Result<i64> {
        let (relation, sequence) = self.sequence(oid)?;
        if checked {
            self.require_sequence(&relation, &[Privilege::Usage, Privilege::Update])?;
        }
        self.refuse_read_only(&relation, "nextval")?;
        if let Some(used) = self.sequences.used.borrow_mut().get_mut(&oid)
            && used.file == relation.file
            && let Some(value) = used.value
            && value != used.until
        {
            let next = value + used.increment;
            used.value = Some(next);
            *self.sequences.last.borrow_mut() = Some(oid);
            return Ok(next);
        }
        let counter = self.counter(&relation)?;
        let mut state = base::wait::wait_for(counter.0.lock())?;
        let step = step(&sequence, &relation.name, state.values)?;
        if state.values.is_called && step.taken <= state.ahead {
            state.ahead -= step.taken;
        } else {
            let now_us = base::clock::now_us();
            let busy = now_us - state.written_us < BUSY_US;
            let reach = if busy { (state.reach * 2).min(AHEAD_VALUES_MAX) } else { LOG_VALUES };
            let (last, ahead) = behind(&sequence, step.last, reach);
            let row = Values { last, logged: 0, is_called: true };
            let transactions = self.engine.storage.transactions();
            state.write(transactions, self.sequence_owner(), row)?;
            (state.ahead, state.reach, state.written_us) = (ahead, reach, now_us);
        }
        state.values = Values { last: step.last, logged: step.logged, is_called: true };
        self.transaction()?.met().note(state.written);
        drop(state);
        let used = Used {
            file: relation.file,
            value: Some(step.first),
            until: step.last,
            increment: sequence.increment,
        };
        self.sequences.used.borrow_mut().insert(oid, used);
        *self.sequences.last.borrow_mut() = Some(oid);
        Ok(step.first)
    }

    /// `currval`, and `lastval` without a sequence.
    pub(crate) fn sequence_current(&self, sequence: Option<Oid>) -> Result<i64> {
        let none =
            || err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "lastval is not yet defined in this session");
        let last = sequence.is_none();
        let oid = sequence.or(*self.sequences.last.borrow()).ok_or_else(none)?;
        if last && self.catalog.find_relation(oid)?.is_none() {
            return Err(none());
        }
        let (relation, _) = self.sequence(oid)?;
        self.require_sequence(&relation, &[Privilege::Usage, Privilege::Select])?;
        let value = self.sequences.used.borrow().get(&oid).and_then(|used| used.value);
        value.ok_or_else(|| {
            err!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "currval of sequence \"{}\" is not yet defined in this session",
                relation.name
            )
        })
    }

    /// `setval`
    pub(crate) fn sequence_set(&self, oid: Oid, value: i64, is_called: bool) -> Result<i64> {
        let (relation, sequence) = self.sequence(oid)?;
        self.require_sequence(&relation, &[Privilege::Update])?;
        self.refuse_read_only(&relation, "setval")?;
        if !(sequence.min..=sequence.max).contains(&value) {
            return Err(err!(
                NUMERIC_VALUE_OUT_OF_RANGE,
                "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
                relation.name,
                sequence.min,
                sequence.max
            ));
        }
        let counter = self.counter(&relation)?;
        let mut state = base::wait::wait_for(counter.0.lock())?;
        let values = Values { last: value, logged: 0, is_called };
        state.write(self.engine.storage.transactions(), self.sequence_owner(), values)?;
        (state.values, state.ahead) = (values, 0);
        self.transaction()?.met().note(state.written);
        drop(state);
        let mut used = self.sequences.used.borrow_mut();
        let old = used.get(&oid).and_then(|used| used.value);
        let current = if is_called { Some(value) } else { old };
        let entry = Used {
            file: relation.file,
            value: current,
            until: current.unwrap_or(value),
            increment: sequence.increment,
        };
        used.insert(oid, entry);
        if is_called {
            *self.sequences.last.borrow_mut() = Some(oid);
        }
        Ok(value)
    }

    /// What a sequence's row shows.
    pub(crate) fn shown_sequence(&self, relation: &Relation) -> Result<Values> {
        let counter = self.counter(relation)?;
        let state = base::wait::wait_for(counter.0.lock())?;
        self.transaction()?.met().note(state.written);
        Ok(state.values)
    }

    /// DISCARD SEQUENCES
    pub(crate) fn discard_sequences(&self) {
        self.sequences.used.borrow_mut().clear();
        *self.sequences.last.borrow_mut() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(increment: i64, min: i64, max: i64, cache: i64, cycle: bool) -> Sequence {
        Sequence { type_oid: Oid(20), start: min, increment, max, min, cache, cycle }
    }

    #[test]
    fn the_row_stands_behind_what_may_be_given_out_and_never_behind_the_limit() {
        let plain = sequence(1, 1, i64::MAX, 1, false);
        assert_eq!(behind(&plain, 5, 32), (37, 32));
        assert_eq!(behind(&plain, i64::MAX - 3, 32), (i64::MAX, 3));
        let down = sequence(-7, i64::MIN, -1, 1, false);
        assert_eq!(behind(&down, i64::MIN + 20, 32), (i64::MIN + 6, 2));
        assert_eq!(behind(&sequence(i64::MAX, i64::MIN, i64::MAX, 1, false), -1, 9).1, 1);
    }

    #[test]
    fn a_step_takes_what_the_session_caches_and_stops_at_the_limit() {
        let cached = sequence(2, 1, 6, 5, true);
        let fresh = Values { last: 1, logged: 0, is_called: false };
        let first = step(&cached, "s", fresh).unwrap();
        assert_eq!((first.first, first.last, first.taken), (1, 5, 3));
        let used = Values { last: 5, logged: 0, is_called: true };
        let again = step(&cached, "s", used).unwrap();
        assert_eq!((again.first, again.last, again.taken), (1, 5, 3));
        let ends = Sequence { cycle: false, ..cached };
        assert_eq!(step(&ends, "s", used).err().unwrap().sqlstate().as_str(), "2200H");
    }
}
