//! Nobody is told of a commit that a crash could still take back (storage rule 3): an answer waits
//! until the commits that it is based on are durable, within transaction blocks too.
//!
//! The writer sets `commit_delay`: its commit is published long before it asks for the flush. What
//! reads it meanwhile has to have it flushed first.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

use std::time::{Duration, Instant};
use testkit::client::{Client, Message, Outgoing};
use testkit::kill9::{Running, ServerOptions};
use testkit::perdura::program;

const DELAY: Duration = Duration::from_millis(100);

/// A writer, a reader, and one who looks how far the log is flushed.
struct Clients {
    writer: Client,
    reader: Client,
    observer: Client,
    /// Where the log ended before the writer's last commit.
    before: String,
    began: Instant,
}

impl Clients {
    fn connect(port: u16) -> Clients {
        let connect = || Client::connect(port, "postgres").unwrap();
        let (mut writer, reader, mut observer) = (connect(), connect(), connect());
        let ms = DELAY.as_micros();
        writer.query(&format!("set commit_delay = {ms}; set commit_siblings = 0")).unwrap();
        observer.value("select pg_current_wal_flush_lsn() > '0/0'").unwrap();
        Clients { writer, reader, observer, before: String::new(), began: Instant::now() }
    }

    /// The writer changes something.
    fn change(&mut self, sql: &str) {
        self.writer.query(&format!("begin; {sql}")).unwrap();
        self.before = self.writer.value("select pg_current_wal_insert_lsn()").unwrap();
    }

    /// The writer is about to commit; its answer comes later.
    fn commit(&mut self) {
        self.began = Instant::now();
        self.writer.send(&Outgoing::query("commit")).unwrap();
    }

    /// An answer has come that tells of the commit.
    fn told(&mut self, how: &str) {
        let flushed = format!("select pg_current_wal_flush_lsn() > '{}'", self.before);
        let flushed = self.observer.value(&flushed).unwrap();
        assert_eq!(flushed, "t", "{how} told of a commit that was not durable");
        self.writer.until_ready().unwrap();
        assert!(self.began.elapsed() >= DELAY, "{how}: the commit did not wait for others");
    }

    /// Asks until the answer is this one.
    fn ask_until(&mut self, sql: &str, wanted: &str) {
        while self.reader.value(sql).unwrap() != wanted {
            assert!(self.began.elapsed() < Duration::from_secs(60), "{sql} is never {wanted}");
        }
    }
}

fn in_a_block(clients: &mut Clients, round: u32) {
    clients.reader.query("begin").unwrap();
    clients.change(&format!("update t set v = {round} where k = 1"));
    clients.commit();
    clients.ask_until("select v from t where k = 1", &round.to_string());
    clients.told("a SELECT in a block");
    clients.reader.query("commit").unwrap();
}

fn alone(clients: &mut Clients, round: u32) {
    clients.change(&format!("update t set v = -{round} where k = 1"));
    clients.commit();
    clients.ask_until("select v from t where k = 1", &format!("-{round}"));
    clients.told("a SELECT");
}

fn after_a_wait(clients: &mut Clients, _: u32) {
    clients.reader.query("begin").unwrap();
    clients.change("update t set v = v + 1 where k = 2");
    clients.reader.send(&Outgoing::query("update t set v = v + 1 where k = 2")).unwrap();
    clients.commit();
    clients.reader.until_ready().unwrap();
    clients.told("an UPDATE that waited");
    clients.reader.query("rollback").unwrap();
}

fn by_an_error(clients: &mut Clients, round: u32) {
    let insert = format!("insert into t values ({}, 0)", 1000 + round);
    clients.change(&insert);
    clients.reader.send(&Outgoing::query(&insert)).unwrap();
    clients.commit();
    let refused = clients.reader.until_ready().unwrap_err();
    assert_eq!(refused.sqlstate(), Some("23505"));
    clients.told("a duplicate key");
}

fn by_its_status(clients: &mut Clients, _: u32) {
    clients.change("update t set v = v + 1 where k = 3");
    let xid = clients.writer.value("select pg_current_xact_id()").unwrap();
    clients.commit();
    clients.ask_until(&format!("select pg_xact_status('{xid}')"), "committed");
    clients.told("pg_xact_status");
}

fn by_a_catalog(clients: &mut Clients, round: u32) {
    clients.reader.query("begin").unwrap();
    clients.change(&format!("create table made{round} (a int)"));
    clients.commit();
    clients.ask_until(&format!("select to_regclass('made{round}') is not null"), "t");
    clients.told("a name");
    clients.reader.query("commit").unwrap();
}

/// The first part of a large answer leaves before the statement ends.
fn by_a_first_part(clients: &mut Clients, round: u32) {
    clients.reader.query("begin").unwrap();
    clients.change(&format!("update t set v = 1000 + {round} where k = 1"));
    clients.commit();
    let sql = "select v, repeat('x', 10000) from t, generate_series(1, 1000) where k = 1";
    loop {
        clients.reader.send(&Outgoing::query(sql)).unwrap();
        let first = loop {
            if let Message::Row(row) = clients.reader.receive().unwrap() {
                break row[0].clone();
            }
        };
        let new = first == Some((1000 + round).to_string());
        if new {
            clients.told("the first row of many");
        }
        clients.reader.until_ready().unwrap();
        if new {
            break;
        }
    }
    clients.reader.query("commit").unwrap();
}

#[test]
fn an_answer_waits_until_what_it_tells_is_durable() {
    let dir = std::env::temp_dir().join(format!("durable-answers-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let options = ServerOptions {
        program: program().unwrap(),
        data: dir.join("data"),
        settings: vec!["listen_addresses=127.0.0.1".to_owned()],
        log: dir.join("log"),
    };
    let server = Running::start(&options).unwrap();
    let mut clients = Clients::connect(server.port());
    clients.reader.query("create table t (k int primary key, v int)").unwrap();
    clients.reader.query("insert into t select i, 0 from generate_series(1, 10) i").unwrap();
    let ways = [
        in_a_block,
        alone,
        after_a_wait,
        by_an_error,
        by_its_status,
        by_a_catalog,
        by_a_first_part,
    ];
    for round in 1..=4 {
        for way in ways {
            way(&mut clients, round);
        }
    }
    drop(clients);
    drop(server);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn an_asynchronous_commit_is_told_of_at_once() {
    let dir = std::env::temp_dir().join(format!("asynchronous-answers-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let options = ServerOptions {
        program: program().unwrap(),
        data: dir.join("data"),
        settings: vec!["listen_addresses=127.0.0.1".to_owned()],
        log: dir.join("log"),
    };
    let server = Running::start(&options).unwrap();
    let mut clients = Clients::connect(server.port());
    clients.writer.query("set synchronous_commit = off; set commit_delay = 100000").unwrap();
    clients.reader.query("create table t (k int primary key, v int)").unwrap();
    clients.reader.query("insert into t values (1, 0)").unwrap();
    let began = Instant::now();
    for round in 1..=20 {
        clients.writer.query(&format!("update t set v = {round} where k = 1")).unwrap();
        assert_eq!(clients.reader.value("select v from t").unwrap(), round.to_string());
    }
    assert!(began.elapsed() < DELAY * 20, "an asynchronous commit waited for others");
    drop(clients);
    drop(server);
    std::fs::remove_dir_all(&dir).unwrap();
}
