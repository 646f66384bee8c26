//! Compares the database with the ledger.

use super::ledger::{Ledger, Name, State};
use crate::Result;
use crate::client::{Client, Failure};
use std::collections::{HashMap, HashSet};

/// Checks every promise; settles what was unknown by what is there.
pub(super) fn everything(session: &mut Client, ledger: &Ledger) -> Result<()> {
    let history = history(session)?;
    commits(ledger, &history)?;
    balances(session, &history)?;
    indexes(session, &history)?;
    let tables = tables(session, ledger)?;
    ledger.settle(|name| history.contains_key(&name), &tables);
    Ok(())
}

/// A row of `pgbench_history`: teller, branch, account, delta.
type History = HashMap<Name, [i64; 4]>;

fn history(session: &mut Client) -> Result<History> {
    let mut all = History::new();
    for row in query(session, "select filler, tid, bid, aid, delta from pgbench_history")? {
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

fn commits(ledger: &Ledger, history: &History) -> Result<()> {
    let changes = ledger.changes();
    for (name, (change, state)) in &changes {
        let wanted = [
            i64::from(change.teller),
            i64::from(change.branch),
            i64::from(change.account),
            i64::from(change.delta),
        ];
        match (state, history.get(name)) {
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
    match history.keys().find(|name| !changes.contains_key(name)) {
        Some(stranger) => Err(format!("transaction {} was never sent", stranger.text())),
        None => Ok(()),
    }
}

fn balances(session: &mut Client, history: &History) -> Result<()> {
    let sources = [
        ("pgbench_tellers", "tid", "tbalance", 0),
        ("pgbench_branches", "bid", "bbalance", 1),
        ("pgbench_accounts", "aid", "abalance", 2),
    ];
    for (table, key, balance, column) in sources {
        let mut wanted: HashMap<i64, i64> = HashMap::new();
        for values in history.values() {
            *wanted.entry(values[column]).or_default() += values[3];
        }
        wanted.retain(|_, sum| *sum != 0);
        let mut found = HashMap::new();
        let sql = format!("select {key}, {balance} from {table} where {balance} <> 0");
        for row in query(session, &sql)? {
            found.insert(number(row[0].as_deref())?, number(row[1].as_deref())?);
        }
        if let Some((id, sum)) = wanted.iter().find(|(id, sum)| found.get(id) != Some(sum)) {
            return Err(format!("{table} {id}: {:?} instead of {sum}", found.get(id)));
        }
        if let Some((id, sum)) = found.iter().find(|(id, _)| !wanted.contains_key(id)) {
            return Err(format!("{table} {id}: {sum} instead of 0"));
        }
    }
    Ok(())
}

/// Counts by index against counts by table, and looks up what the history says through it.
fn indexes(session: &mut Client, history: &History) -> Result<()> {
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
    }
    for name in history.keys().take(50) {
        let sql = format!("select count(*) from pgbench_history where filler = '{}'", name.text());
        let count = query(session, &sql)?;
        if count.first().and_then(|row| row.first()).cloned().flatten().as_deref() != Some("1") {
            return Err(format!("the index finds {count:?} of {}", name.text()));
        }
    }
    Ok(())
}

fn tables(session: &mut Client, ledger: &Ledger) -> Result<Vec<String>> {
    let sql = "select relname from pg_class where relkind = 'r' and relname like 't\\_%'";
    let there: Vec<String> = query(session, sql)?
        .into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .collect();
    let set: HashSet<&String> = there.iter().collect();
    for (table, (state, rows)) in ledger.tables() {
        match (state, set.contains(&table)) {
            (State::Acknowledged, false) => return Err(format!("LOST: table {table}")),
            (State::Never, true) => return Err(format!("table {table} should not be there")),
            (_, false) => {}
            (_, true) => {
                let sql = format!(
                    "select count(*), sum(a), count(distinct b), min(c), max(c) from {table}"
                );
                let sum = u64::from(rows) * (u64::from(rows) + 1) / 2;
                let wanted: Vec<Option<String>> = [u64::from(rows), sum, u64::from(rows), 7, 7]
                    .map(|n| Some(n.to_string()))
                    .into();
                let found = query(session, &sql)?;
                if found.first() != Some(&wanted) {
                    return Err(format!("table {table}: {found:?} instead of {wanted:?}"));
                }
            }
        }
    }
    Ok(there)
}

fn query(session: &mut Client, sql: &str) -> Result<crate::client::Rows> {
    session.query(sql).map_err(|failure: Failure| format!("{sql}: {failure}"))
}

fn number(text: Option<&str>) -> Result<i64> {
    text.and_then(|t| t.parse().ok()).ok_or_else(|| format!("not a number: {text:?}"))
}
