//! The load: TPC-B by simple, extended and REPEATABLE READ transactions, and schema changes.

use super::ledger::{Change, Ledger, State};
use crate::Result;
use crate::client::{Client, Failure};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::sync::atomic::{AtomicBool, Ordering};

/// Accounts of one branch: fewer than TPC-B's, so that rows are met again soon.
pub(super) const ACCOUNTS: u32 = 2000;
const TELLERS: u32 = 10;

/// Makes the four tables and fills them.
pub(super) fn create_tables(port: u16, scale: u32) -> Result<()> {
    let fail = |failure: Failure| format!("making the tables: {failure}");
    let mut session = Client::connect(port, "postgres").map_err(fail)?;
    for sql in [
        "create table pgbench_branches(bid int not null primary key, bbalance int, filler char(88))"
            .to_string(),
        "create table pgbench_tellers(tid int not null primary key, bid int, tbalance int, filler char(84))".to_string(),
        "create table pgbench_accounts(aid int not null primary key, bid int, abalance int, filler char(84))".to_string(),
        "create table pgbench_history(tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))".to_string(),
        "create index pgbench_history_filler on pgbench_history(filler)".to_string(),
        format!("insert into pgbench_branches select i, 0, '' from generate_series(1, {scale}) i"),
        format!("insert into pgbench_tellers select i, (i - 1) / {TELLERS} + 1, 0, '' from generate_series(1, {}) i", TELLERS * scale),
        format!("insert into pgbench_accounts select i, (i - 1) / {ACCOUNTS} + 1, 0, '' from generate_series(1, {}) i", ACCOUNTS * scale),
    ] {
        session.query(&sql).map_err(fail)?;
    }
    Ok(())
}

/// One writing session of one round.
pub(super) struct Writer<'a> {
    pub(super) port: u16,
    pub(super) number: u32,
    pub(super) scale: u32,
    pub(super) seed: u64,
    pub(super) ledger: &'a Ledger,
    pub(super) killed: &'a AtomicBool,
}

/// How a writer sends its statements.
#[derive(Clone, Copy)]
enum Mode {
    Simple,
    Extended,
    RepeatableRead,
}

impl Writer<'_> {
    /// Whether a failure is what the kill may cause.
    fn expected(&self, failure: &Failure) -> bool {
        let killed = self.killed.load(Ordering::SeqCst);
        killed && matches!(failure, Failure::Lost(_))
    }

    fn connect(&self) -> Result<Option<Client>> {
        match Client::connect(self.port, "postgres") {
            Ok(session) => Ok(Some(session)),
            Err(failure) if self.expected(&failure) => Ok(None),
            Err(failure) => Err(format!("writer {}: connecting: {failure}", self.number)),
        }
    }

    /// Runs TPC-B until the server is killed.
    pub(super) fn run_tpcb(&self) -> Result<()> {
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let Some(mut session) = self.connect()? else { return Ok(()) };
        let mode = match self.number % 3 {
            0 => Mode::Simple,
            1 => Mode::Extended,
            _ => Mode::RepeatableRead,
        };
        while !self.killed.load(Ordering::SeqCst) {
            if let Err(failure) = self.one_tpcb(&mut session, mode, &mut rng) {
                if self.expected(&failure) {
                    return Ok(());
                }
                return Err(format!("writer {}: {failure}", self.number));
            }
        }
        Ok(())
    }

    fn one_tpcb(
        &self,
        session: &mut Client,
        mode: Mode,
        rng: &mut SmallRng,
    ) -> Result<(), Failure> {
        let name = self.ledger.next_name(self.number);
        let change = Change {
            account: rng.random_range(1..=ACCOUNTS * self.scale),
            teller: rng.random_range(1..=TELLERS * self.scale),
            branch: rng.random_range(1..=self.scale),
            delta: rng.random_range(-5000..=5000),
        };
        let commit = rng.random_bool(0.9);
        let savepoint = rng.random_bool(0.2);
        self.ledger.note(name, change, State::Never);
        loop {
            match self.statements(session, mode, &name.text(), change, savepoint) {
                Ok(()) => break,
                Err(failure) if matches!(failure.sqlstate(), Some("40001" | "40P01")) => {
                    session.query("rollback")?;
                }
                Err(failure) => return Err(failure),
            }
        }
        if !commit {
            session.query("rollback")?;
            return Ok(());
        }
        self.ledger.note(name, change, State::Unknown);
        session.query("commit")?;
        self.ledger.note(name, change, State::Acknowledged);
        Ok(())
    }

    fn statements(
        &self,
        session: &mut Client,
        mode: Mode,
        name: &str,
        change: Change,
        savepoint: bool,
    ) -> Result<(), Failure> {
        let Change { account, teller, branch, delta } = change;
        session.query(match mode {
            Mode::RepeatableRead => "begin isolation level repeatable read",
            _ => "begin",
        })?;
        if savepoint {
            session.query("savepoint s")?;
            session.query(&format!(
                "update pgbench_accounts set abalance = 77777, filler = 'undone' where aid = {account}"
            ))?;
            session.query("rollback to savepoint s")?;
        }
        let (account, teller) = (account.to_string(), teller.to_string());
        let (branch, delta) = (branch.to_string(), delta.to_string());
        let mut run = |sql: &str, params: &[&str]| match mode {
            Mode::Extended => session.execute(sql, params),
            _ => {
                let mut text = sql.to_string();
                for (index, param) in params.iter().enumerate().rev() {
                    text = text.replace(&format!("${}", index + 1), param);
                }
                session.query(&text)
            }
        };
        run(
            "update pgbench_accounts set abalance = abalance + $1 where aid = $2",
            &[&delta, &account],
        )?;
        run("select abalance from pgbench_accounts where aid = $1", &[&account])?;
        run(
            "update pgbench_tellers set tbalance = tbalance + $1 where tid = $2",
            &[&delta, &teller],
        )?;
        run(
            "update pgbench_branches set bbalance = bbalance + $1 where bid = $2",
            &[&delta, &branch],
        )?;
        let name = match mode {
            Mode::Extended => name.to_string(),
            _ => format!("'{name}'"),
        };
        run(
            "insert into pgbench_history (tid, bid, aid, delta, mtime, filler) values ($1, $2, $3, $4, current_timestamp, $5)",
            &[&teller, &branch, &account, &delta, &name],
        )?;
        Ok(())
    }

    /// Creates, fills, changes and drops tables until the server is killed.
    pub(super) fn change_schemas(&self) -> Result<()> {
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let Some(mut session) = self.connect()? else { return Ok(()) };
        while !self.killed.load(Ordering::SeqCst) {
            if let Err(failure) = self.one_schema_change(&mut session, &mut rng) {
                if self.expected(&failure) {
                    return Ok(());
                }
                return Err(format!("the schema writer: {failure}"));
            }
        }
        Ok(())
    }

    fn one_schema_change(&self, session: &mut Client, rng: &mut SmallRng) -> Result<(), Failure> {
        let name = format!("t_{}", self.ledger.next_name(self.number).number);
        let rows = rng.random_range(1..3000);
        self.ledger.note_table(&name, rows, State::Never);
        session.query("begin")?;
        session.query(&format!("create table {name}(a int primary key, b text)"))?;
        session.query(&format!(
            "insert into {name} select i, 'row ' || i from generate_series(1, {rows}) i"
        ))?;
        session.query(&format!("create index {name}_b on {name}(b)"))?;
        session.query(&format!("alter table {name} add column c int default 7"))?;
        if rng.random_bool(0.2) {
            session.query("rollback")?;
            return Ok(());
        }
        self.ledger.note_table(&name, rows, State::Unknown);
        session.query("commit")?;
        self.ledger.note_table(&name, rows, State::Acknowledged);
        if rng.random_bool(0.7) {
            self.ledger.note_table(&name, rows, State::Unknown);
            session.query(&format!("drop table {name}"))?;
            self.ledger.note_table(&name, rows, State::Never);
        }
        Ok(())
    }
}
