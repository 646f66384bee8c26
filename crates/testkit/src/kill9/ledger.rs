//! What the server has acknowledged, kept on the client's side.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name of a TPC-B transaction, stored in `pgbench_history.filler`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) client: u32,
    pub(super) number: u64,
}

impl Name {
    /// Sorts as the names of one client do: by number.
    pub(super) fn text(self) -> String {
        format!("{}-{:010}", self.client, self.number)
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
    /// The transactions of this round: those before it are settled.
    changes: BTreeMap<Name, (Change, State)>,
    /// How many transactions of the rounds before were committed.
    settled: usize,
    next: HashMap<u32, u64>,
    tables: BTreeMap<String, (State, u32)>,
    tables_of_round: BTreeSet<String>,
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
        let mut inner = self.inner();
        inner.tables.insert(table.to_string(), (state, rows));
        inner.tables_of_round.insert(table.to_string());
    }

    /// What is known about every TPC-B transaction of this round.
    pub(super) fn changes(&self) -> BTreeMap<Name, (Change, State)> {
        self.inner().changes.clone()
    }

    /// What is known about every table of the schema writer: state and rows.
    pub(super) fn tables(&self) -> BTreeMap<String, (State, u32)> {
        self.inner().tables.clone()
    }

    /// The tables that this round made or dropped.
    pub(super) fn tables_of_round(&self) -> BTreeSet<String> {
        self.inner().tables_of_round.clone()
    }

    /// Ends a round: what was unknown is what is there.
    pub(super) fn settle(&self, commits: usize, tables: &BTreeSet<String>) {
        let mut inner = self.inner();
        inner.settled = commits;
        inner.changes.clear();
        inner.tables_of_round.clear();
        for (name, (state, _)) in &mut inner.tables {
            if *state == State::Unknown {
                *state = if tables.contains(name) { State::Acknowledged } else { State::Never };
            }
        }
        inner.tables.retain(|_, (state, _)| *state == State::Acknowledged);
    }

    pub(super) fn commit_count(&self) -> usize {
        let inner = self.inner();
        let of_round = inner.changes.values().filter(|(_, s)| *s == State::Acknowledged);
        inner.settled + of_round.count()
    }

    pub(super) fn table_count(&self) -> usize {
        self.inner().tables.values().filter(|(s, _)| *s == State::Acknowledged).count()
    }
}
