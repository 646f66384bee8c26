//! What the server has acknowledged, kept on the client's side.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name of a TPC-B transaction, stored in `pgbench_history.filler`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) client: u32,
    pub(super) number: u64,
}

impl Name {
    pub(super) fn text(self) -> String {
        format!("{}-{}", self.client, self.number)
    }

    pub(super) fn parse(text: &str) -> Option<Name> {
        let (client, number) = text.trim_end().split_once('-')?;
        Some(Name { client: client.parse().ok()?, number: number.parse().ok()? })
    }
}

/// The values that a TPC-B transaction writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) account: u32,
    pub(super) teller: u32,
    pub(super) branch: u32,
    pub(super) delta: i32,
}

/// What is known about something that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// COMMIT was answered: it must be there.
    Acknowledged,
    /// COMMIT was sent and not answered: it may be there.
    Unknown,
    /// Never committed, or rolled back: it must not be there.
    Never,
}

#[derive(Debug, Default)]
struct Inner {
    changes: HashMap<Name, (Change, State)>,
    next: HashMap<u32, u64>,
    tables: BTreeMap<String, (State, u32)>,
}

/// All that was sent and answered.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Inner>);

impl Ledger {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name that was never used before.
    pub(super) fn next_name(&self, client: u32) -> Name {
        let mut inner = self.inner();
        let next = inner.next.entry(client).or_default();
        *next += 1;
        Name { client, number: *next }
    }

    pub(super) fn note(&self, name: Name, change: Change, state: State) {
        self.inner().changes.insert(name, (change, state));
    }

    /// Notes that `table` with `rows` rows exists (acknowledged), is gone (never) or may be there.
    pub(super) fn note_table(&self, table: &str, rows: u32, state: State) {
        self.inner().tables.insert(table.to_string(), (state, rows));
    }

    /// What is known about every TPC-B transaction.
    pub(super) fn changes(&self) -> HashMap<Name, (Change, State)> {
        self.inner().changes.clone()
    }

    /// What is known about every table of the schema writer: state and rows.
    pub(super) fn tables(&self) -> BTreeMap<String, (State, u32)> {
        self.inner().tables.clone()
    }

    /// Settles what was unknown by what is there.
    pub(super) fn settle(&self, present: impl Fn(Name) -> bool, tables: &[String]) {
        let mut inner = self.inner();
        for (name, (_, state)) in &mut inner.changes {
            if *state == State::Unknown {
                *state = if present(*name) { State::Acknowledged } else { State::Never };
            }
        }
        for (name, (state, _)) in &mut inner.tables {
            if *state == State::Unknown {
                *state = if tables.contains(name) { State::Acknowledged } else { State::Never };
            }
        }
    }

    pub(super) fn commit_count(&self) -> usize {
        self.inner().changes.values().filter(|(_, s)| *s == State::Acknowledged).count()
    }

    pub(super) fn table_count(&self) -> usize {
        self.inner().tables.values().filter(|(s, _)| *s == State::Acknowledged).count()
    }
}
