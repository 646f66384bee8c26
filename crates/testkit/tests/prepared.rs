//! Prepared transactions survive kill -9: each statement answers as on a PostgreSQL 18 that was not
//! killed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Write;
use std::time::Duration;
use testkit::client::{Client, Failure};
use testkit::kill9::{Running, ServerOptions};
use testkit::oracle::{self, Oracle};
use testkit::{Server, perdura};

/// The server is killed and started again.
const CRASH: &str = "CRASH";

/// Who says what.
const STEPS: &[(&str, &str)] = &[
    ("a", "create table t (k int primary key, v int, w text)"),
    ("a", "insert into t select i, i, repeat('x', 100) from generate_series(1, 500) i"),
    ("a", "create table parent (k int primary key, note text)"),
    ("a", "insert into parent values (1, 'one'), (2, 'two')"),
    ("a", "create table child (k int references parent)"),
    ("a", "begin"),
    ("a", "update t set v = v + 1000 where k <= 200"),
    ("a", "update t set v = v + 1000 where k = 1"),
    ("a", "delete from t where k between 2 and 5"),
    ("a", "update t set k = 1006 where k = 6"),
    ("a", "insert into t values (1010, 10, 'new')"),
    ("a", "savepoint s"),
    ("a", "update t set v = -1 where k = 300"),
    ("a", "rollback to s"),
    ("a", "insert into child values (1)"),
    ("a", "select k from t where k = 400 for update"),
    ("a", "prepare transaction 'one'"),
    ("a", "select count(*), sum(k), sum(v) from t"),
    ("a", "select gid, owner, database, prepared < now() from pg_prepared_xacts"),
    ("a", "begin"),
    ("a", "prepare transaction 'one'"),
    ("a", "select 1"),
    ("b", "select count(*), sum(k), sum(v) from t"),
    ("b", CRASH),
    ("b", "select count(*), sum(k), sum(v) from t"),
    ("b", "select k, v from t where k in (1, 2, 6, 1006, 1010) order by k"),
    ("b", "select gid, owner, database, prepared < now() from pg_prepared_xacts"),
    ("b", "set lock_timeout = '100ms'"),
    ("b", "update t set v = 0 where k = 1"),
    ("b", "update t set v = 0 where k = 400"),
    ("b", "update t set v = 0 where k = 300"),
    ("b", "select k from t where k = 400 for update nowait"),
    ("b", "select k from t where k in (399, 400, 401) for update skip locked"),
    ("b", "insert into t values (1010, 1, '')"),
    ("b", "insert into t values (2, 1, '')"),
    ("b", "delete from parent where k = 1"),
    ("b", "update parent set note = 'changed' where k = 1"),
    ("b", "delete from parent where k = 2"),
    ("b", "truncate t"),
    ("b", "alter table child add column x int"),
    (
        "b",
        "select relation::regclass, mode, granted, pid from pg_locks where locktype = 'relation' \
         and relation in ('t'::regclass, 'child'::regclass) and pid is null \
         order by 1, 2",
    ),
    ("b", "checkpoint"),
    ("b", "insert into t select i, i, repeat('y', 200) from generate_series(2000, 4000) i"),
    ("b", CRASH),
    ("b", "select count(*), sum(k), sum(v) from t"),
    ("b", "commit prepared 'nosuch'"),
    ("b", "begin"),
    ("b", "commit prepared 'one'"),
    ("b", "rollback"),
    ("b", "commit prepared 'one'"),
    ("b", "select count(*), sum(k), sum(v) from t"),
    ("b", "select k, v from t where k in (1, 2, 6, 1006, 1010) order by k"),
    ("b", "commit prepared 'one'"),
    ("b", "delete from parent where k = 1"),
    ("b", "update t set v = 0 where k = 400"),
    ("b", CRASH),
    ("b", "select count(*), sum(k), sum(v) from t"),
    ("b", "select * from child"),
    // Definitions, taken back.
    ("a", "begin"),
    ("a", "create table n (a int)"),
    ("a", "insert into n values (1)"),
    ("a", "drop table child"),
    ("a", "update t set v = 7, w = 'seven' where k % 7 = 0"),
    ("a", "alter table parent add column more int default 5"),
    ("a", "prepare transaction 'two'"),
    ("a", "select * from n"),
    ("a", CRASH),
    ("a", "select * from n"),
    ("a", "set lock_timeout = '100ms'"),
    ("a", "select * from child"),
    ("a", "select * from parent"),
    ("a", "select count(*) from t where v = 7"),
    ("a", "rollback prepared 'two'"),
    ("a", "select * from child"),
    ("a", "select * from parent"),
    ("a", "select count(*) from t where v = 7"),
    ("a", "create table n (b int)"),
    ("a", CRASH),
    ("a", "select count(*) from t where v = 7"),
    ("a", "select * from parent"),
    // Definitions, committed by another session.
    ("a", "begin"),
    ("a", "create table m (a int primary key, b text)"),
    ("a", "insert into m select i, repeat('long', 3000) from generate_series(1, 20) i"),
    ("a", "update m set b = repeat('longer', 3000) where a < 10"),
    ("a", "drop table n"),
    ("a", "prepare transaction 'three'"),
    ("b", "select * from m"),
    ("b", CRASH),
    ("b", "commit prepared 'three'"),
    ("b", "select count(*), sum(length(b)) from m"),
    ("b", "select * from n"),
    ("b", CRASH),
    ("b", "select count(*), sum(length(b)) from m"),
    // Many, and none that has written.
    ("a", "begin"),
    ("a", "select 1"),
    ("a", "prepare transaction 'p1'"),
    ("a", "begin"),
    ("a", "update t set v = 1 where k = 10"),
    ("a", "prepare transaction 'p2'"),
    ("a", "begin"),
    ("a", "update t set v = 1 where k = 11"),
    ("a", "prepare transaction 'p3'"),
    ("a", "begin"),
    ("a", "prepare transaction 'p4'"),
    ("a", CRASH),
    ("a", "select gid from pg_prepared_xacts order by gid"),
    ("a", "rollback prepared 'p2'"),
    ("a", "commit prepared 'p1'"),
    ("a", "commit prepared 'p3'"),
    ("a", "select k, v from t where k in (10, 11) order by k"),
    // What cannot be prepared.
    ("a", "begin"),
    ("a", "create temp table mine (a int)"),
    ("a", "prepare transaction 'x'"),
    ("a", "select * from mine"),
    ("a", "begin"),
    ("a", "declare c cursor with hold for select 1"),
    ("a", "prepare transaction 'x'"),
    ("a", "begin"),
    ("a", "select pg_advisory_lock(1), pg_advisory_xact_lock(1)"),
    ("a", "prepare transaction 'x'"),
    ("a", "select pg_advisory_unlock_all()"),
    ("a", "begin"),
    ("a", "select pg_advisory_xact_lock(7)"),
    ("a", "prepare transaction 'advice'"),
    ("b", "select pg_try_advisory_lock(7), pg_try_advisory_lock(8)"),
    ("b", CRASH),
    ("b", "select pg_try_advisory_lock(7), pg_try_advisory_lock(8)"),
    ("b", "commit prepared 'advice'"),
    ("b", "select pg_try_advisory_lock(7)"),
    ("a", "prepare transaction 'no block'"),
    ("a", "select count(*) from pg_prepared_xacts"),
    // A database that a prepared transaction uses.
    ("a", "create database other"),
    ("other", "create table t (a int)"),
    ("other", "begin"),
    ("other", "insert into t values (1)"),
    ("other", "prepare transaction 'there'"),
    ("a", CRASH),
    ("a", "drop database other"),
    ("a", "rollback prepared 'there'"),
    ("other", "rollback prepared 'there'"),
    // A serializable one.
    ("a", "create table s (k int primary key, v int)"),
    ("a", "insert into s values (1, 0), (2, 0)"),
    ("a", "begin isolation level serializable"),
    ("a", "select sum(v) from s"),
    ("b", "begin isolation level serializable"),
    ("b", "select sum(v) from s"),
    ("a", "update s set v = 1 where k = 1"),
    ("a", "prepare transaction 'skew'"),
    ("b", "update s set v = 1 where k = 2"),
    ("b", "rollback"),
    ("b", CRASH),
    ("b", "begin isolation level serializable"),
    ("b", "select v from s where k = 2"),
    ("b", "commit"),
    ("b", "commit prepared 'skew'"),
    ("b", "select * from s order by k"),
    // Without BEGIN, the statements of the message before it.
    ("a", "create table im (k int)"),
    ("a", "insert into im values (1); prepare transaction 'message'; insert into im values (2)"),
    ("a", "select k from im"),
    ("b", CRASH),
    ("b", "select gid from pg_prepared_xacts"),
    ("b", "commit prepared 'message'"),
    ("b", "select k from im order by k"),
];

/// The sessions of one server.
struct Sessions {
    port: u16,
    open: BTreeMap<&'static str, Client>,
}

impl Sessions {
    fn say(&mut self, name: &'static str, sql: &str) -> Result<String, Failure> {
        let database = if name == "other" { "other" } else { "postgres" };
        let session = match self.open.entry(name) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(new) => new.insert(Client::connect(self.port, database)?),
        };
        match session.query(sql) {
            Ok(rows) => Ok(format!("{rows:?}")),
            Err(Failure::Refused(state, message)) => Ok(format!("{state}: {message}")),
            Err(lost) => Err(lost),
        }
    }
}

/// Storage rule 16.
#[test]
fn prepared_transactions_survive_a_crash() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            let _ = writeln!(std::io::stderr(), "\n*** prepared transactions NOT TRIED: {error}\n");
            return;
        }
    };
    let oracle =
        Oracle::start_with(&installation, &["fsync=off", "max_prepared_transactions=3"]).unwrap();
    let dir = testkit::workspace().join(format!("build/prepared-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let options = ServerOptions {
        program: perdura::program().unwrap(),
        data: dir.join("data"),
        settings: vec!["max_prepared_transactions=3".into(), "fsync=off".into()],
        log: dir.join("log"),
    };
    let mut server = Running::start(&options).unwrap();
    let mut ours = Sessions { port: server.port(), open: BTreeMap::new() };
    let mut theirs = Sessions { port: oracle.port(), open: BTreeMap::new() };
    let mut differences = Vec::new();
    for (number, (name, sql)) in STEPS.iter().enumerate() {
        if *sql == CRASH {
            server.kill_everything().unwrap();
            server.start_again().unwrap();
            server.wait_until_it_answers(Duration::from_secs(60)).unwrap();
            ours.open.clear();
            // A closed session's backend ends by and by: it must not hold locks in the next step.
            theirs.open.clear();
            let mut alone = Client::connect(oracle.port(), "postgres").unwrap();
            let others = "select count(*) from pg_stat_activity where backend_type = \
                          'client backend' and pid <> pg_backend_pid()";
            while alone.value(others).unwrap() != "0" {
                std::thread::sleep(Duration::from_millis(5));
            }
            continue;
        }
        let (expected, found) = (theirs.say(name, sql).unwrap(), ours.say(name, sql).unwrap());
        if expected != found {
            differences.push(format!("{number} {sql}\n  PostgreSQL {expected}\n  Perdura {found}"));
        }
    }
    server.stop().unwrap();
    let _ = std::fs::remove_dir_all(&dir);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
