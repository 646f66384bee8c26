//! Compares the database with the ledger.
//!
//! Each round looks at what it changed, and at all earlier rows by their number and by the balances
//! that they add up to. Every [`WHOLE_ROUNDS`]th round and the last one read every row again: what
//! is there then is compared with what the checks before have seen.

use super::ledger::{Ledger, Name, State};
use crate::Result;
use crate::client::{Client, Failure};
use std::collections::{BTreeSet, HashMap};

/// How often everything is read again.
const WHOLE_ROUNDS: u32 = 25;
/// How many tables of earlier rounds a round reads besides its own.
const EARLIER_TABLES: usize = 50;

/// A row of `pgbench_history`: teller, branch, account, delta.
type History = HashMap<Name, [i64; 4]>;

/// The tables whose balances add up to the history: the key, the balance, the place of the key in
/// a row of the history.
const BALANCES: [(&str, &str, &str, usize); 3] = [
    ("pgbench_tellers", "tid", "tbalance", 0),
    ("pgbench_branches", "bid", "bbalance", 1),
    ("pgbench_accounts", "aid", "abalance", 2),
];

/// What the checks so far have seen.
#[derive(Debug, Default)]
pub(super) struct Check {
    history: History,
    /// The sums of `history`, one map for each of [`BALANCES`].
    sums: [HashMap<i64, i64>; 3],
}

impl Check {
    /// Checks every promise; settles what was unknown by what is there.
    pub(super) fn round(
        &mut self,
        session: &mut Client,
        ledger: &Ledger,
        (round, rounds): (u32, u32),
    ) -> Result<()> {
        let whole = round % WHOLE_ROUNDS == 0 || round == rounds;
        let new = self.commits(session, ledger)?;
        for (name, values) in new {
            for (sums, (.., place)) in self.sums.iter_mut().zip(BALANCES) {
                *sums.entry(values[place]).or_default() += values[3];
            }
            self.history.insert(name, values);
        }
        if whole {
            self.whole_history(session)?;
        }
        self.balances(session)?;
        self.indexes(session)?;
        let tables = tables(session, ledger, if whole { None } else { Some(round) })?;
        ledger.settle(self.history.len(), &tables);
        Ok(())
    }

    /// The rows that this round has added, each as its writer knows it.
    fn commits(&self, session: &mut Client, ledger: &Ledger) -> Result<History> {
        let changes = ledger.changes();
        let mut firsts: Vec<Name> = Vec::new();
        for name in changes.keys() {
            if firsts.last().is_none_or(|first| first.client != name.client) {
                firsts.push(*name);
            }
        }
        let mut new = History::new();
        for first in firsts {
            let last = Name { number: 9_999_999_999, ..first };
            let condition =
                format!("where filler between '{}' and '{}'", first.text(), last.text());
            new.extend(history(session, &condition)?);
        }
        for (name, (change, state)) in &changes {
            let wanted = [
                i64::from(change.teller),
                i64::from(change.branch),
                i64::from(change.account),
                i64::from(change.delta),
            ];
            match (state, new.get(name)) {
                (State::Acknowledged, None) => {
                    return Err(format!("LOST: acknowledged transaction {}", name.text()));
                }
                (State::Never, Some(_)) => {
                    return Err(format!("transaction {} was never committed", name.text()));
                }
                (_, Some(found)) if *found != wanted => {
                    return Err(format!("{}: {found:?} instead of {wanted:?}", name.text()));
                }
                _ => {}
            }
        }
        match new.keys().find(|name| !changes.contains_key(name)) {
            Some(stranger) => Err(format!("transaction {} was never sent", stranger.text())),
            None => Ok(new),
        }
    }

    /// Reads every row of the history again.
    fn whole_history(&self, session: &mut Client) -> Result<()> {
        let found = history(session, "")?;
        if let Some(lost) = self.history.keys().find(|name| !found.contains_key(name)) {
            return Err(format!("LOST: transaction {} of an earlier round", lost.text()));
        }
        match found.iter().find(|(name, values)| self.history.get(name) != Some(values)) {
            Some((name, values)) => {
                let earlier = self.history.get(name);
                Err(format!("{}: {values:?}, earlier {earlier:?}", name.text()))
            }
            None => Ok(()),
        }
    }

    fn balances(&self, session: &mut Client) -> Result<()> {
        for ((table, key, balance, _), sums) in BALANCES.into_iter().zip(&self.sums) {
            let mut found = HashMap::new();
            let sql = format!("select {key}, {balance} from {table} where {balance} <> 0");
            for row in query(session, &sql)? {
                found.insert(number(row[0].as_deref())?, number(row[1].as_deref())?);
            }
            let of = |id| found.get(id).copied().unwrap_or(0);
            if let Some((id, sum)) = sums.iter().find(|(id, sum)| of(id) != **sum) {
                return Err(format!("{table} {id}: {} instead of {sum}", of(id)));
            }
            if let Some((id, sum)) = found.iter().find(|(id, _)| !sums.contains_key(id)) {
                return Err(format!("{table} {id}: {sum} instead of 0"));
            }
        }
        Ok(())
    }

    /// Counts by index against counts by table, the history's against what it must have, and looks
    /// up what the history says through its index.
    fn indexes(&self, session: &mut Client) -> Result<()> {
        for (table, condition) in [
            ("pgbench_accounts", "aid > 0"),
            ("pgbench_tellers", "tid > 0"),
            ("pgbench_branches", "bid > 0"),
            ("pgbench_history", "filler > ''"),
        ] {
            let count = format!("select count(*) from {table} where {condition}");
            query(session, "set enable_seqscan = off")?;
            let by_index = query(session, &count)?;
            query(session, "reset enable_seqscan")?;
            query(
                session,
                "set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off",
            )?;
            let by_table = query(session, &count)?;
            query(
                session,
                "reset enable_indexscan; reset enable_indexonlyscan; reset enable_bitmapscan",
            )?;
            if by_index != by_table {
                return Err(format!("{table}: {by_index:?} rows by index, {by_table:?} by table"));
            }
            let rows = self.history.len().to_string();
            if table == "pgbench_history" && by_table != [[Some(rows)]] {
                let wanted = self.history.len();
                return Err(format!("LOST: {table} has {by_table:?} rows instead of {wanted}"));
            }
        }
        for name in self.history.keys().take(50) {
            let name = name.text();
            let sql = format!("select count(*) from pgbench_history where filler = '{name}'");
            let count = query(session, &sql)?;
            if count != [[Some("1".to_string())]] {
                return Err(format!("the index finds {count:?} of {name}"));
            }
        }
        Ok(())
    }
}

fn history(session: &mut Client, condition: &str) -> Result<History> {
    let mut all = History::new();
    let sql = format!("select filler, tid, bid, aid, delta from pgbench_history {condition}");
    for row in query(session, &sql)? {
        let text = row.first().cloned().flatten().unwrap_or_default();
        let name = Name::parse(&text).ok_or_else(|| format!("a strange history row: {text:?}"))?;
        let mut values = [0; 4];
        for (value, column) in values.iter_mut().zip(&row[1..]) {
            *value = number(column.as_deref())?;
        }
        if all.insert(name, values).is_some() {
            return Err(format!("transaction {} is in the history twice", name.text()));
        }
    }
    Ok(all)
}

/// Looks for every table, and into those of the round and some others; into all where there is no
/// `round`.
fn tables(session: &mut Client, ledger: &Ledger, round: Option<u32>) -> Result<BTreeSet<String>> {
    let sql = "select relname from pg_class where relkind = 'r' and relname like 't\\_%'";
    let there: BTreeSet<String> = query(session, sql)?
        .into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .collect();
    let (known, of_round) = (ledger.tables(), ledger.tables_of_round());
    let stride = known.len() / EARLIER_TABLES + 1;
    for (place, (table, (state, rows))) in known.iter().enumerate() {
        let turn = round.is_none_or(|round| (place + round as usize).is_multiple_of(stride));
        match (state, there.contains(table)) {
            (State::Acknowledged, false) => return Err(format!("LOST: table {table}")),
            (State::Never, true) => return Err(format!("table {table} should not be there")),
            (_, true) if turn || of_round.contains(table) => content(session, table, *rows)?,
            _ => {}
        }
    }
    match there.iter().find(|table| !known.contains_key(*table)) {
        Some(stranger) => Err(format!("table {stranger} should not be there")),
        None => Ok(there),
    }
}

fn content(session: &mut Client, table: &str, rows: u32) -> Result<()> {
    let sql = format!("select count(*), sum(a), count(distinct b), min(c), max(c) from {table}");
    let sum = u64::from(rows) * (u64::from(rows) + 1) / 2;
    let wanted: Vec<Option<String>> =
        [u64::from(rows), sum, u64::from(rows), 7, 7].map(|n| Some(n.to_string())).into();
    let found = query(session, &sql)?;
    if found.first() != Some(&wanted) {
        return Err(format!("table {table}: {found:?} instead of {wanted:?}"));
    }
    Ok(())
}

fn query(session: &mut Client, sql: &str) -> Result<crate::client::Rows> {
    session.query(sql).map_err(|failure: Failure| format!("{sql}: {failure}"))
}

fn number(text: Option<&str>) -> Result<i64> {
    text.and_then(|t| t.parse().ok()).ok_or_else(|| format!("not a number: {text:?}"))
}
