//! LISTEN and NOTIFY: who is told what, in which order, and when, as by PostgreSQL 18.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Write;
use std::time::{Duration, Instant};
use testkit::client::{Client, Failure, Message};
use testkit::kill9::{Running, ServerOptions};
use testkit::oracle::{self, Oracle};
use testkit::{Server, perdura};

/// The session waits for one notification without asking for anything.
const WAIT: &str = "WAIT";
const OTHER_DATABASE: &str = "x";

/// Who says what.
const STEPS: &[(&str, &str)] = &[
    ("a", "listen one"),
    ("b", "listen one"),
    ("b", "listen two"),
    ("x", "listen one"),
    // One's own come before the answer ends.
    ("a", "notify one, 'own'"),
    ("b", WAIT),
    ("c", "notify two"),
    ("b", WAIT),
    ("a", "select 'not for me'"),
    // Equal ones are one, the order is that of the first.
    ("c", "begin"),
    ("c", "notify one, 'p'"),
    ("c", "notify two, 'p'"),
    ("c", "notify one, 'p'"),
    ("c", "select pg_notify('one', 'q'), pg_notify('two', 'p')"),
    ("c", "savepoint s"),
    ("c", "notify one, 'p'"),
    ("c", "notify one, 'undone'"),
    ("c", "rollback to s"),
    ("c", "savepoint s2"),
    ("c", "notify one, 'kept'"),
    ("c", "release s2"),
    ("b", "select 'nothing yet'"),
    ("c", "commit"),
    ("b", WAIT),
    ("b", WAIT),
    ("b", WAIT),
    ("b", WAIT),
    ("a", WAIT),
    ("a", WAIT),
    ("a", WAIT),
    // In a transaction nobody is told.
    ("b", "begin"),
    ("c", "notify one, 'later'"),
    ("a", WAIT),
    ("b", "select 'not in a transaction'"),
    ("b", "commit"),
    // In a failed one neither.
    ("b", "begin"),
    ("b", "select 1 / 0"),
    ("c", "notify one, 'after failure'"),
    ("a", WAIT),
    ("b", "rollback"),
    // What is rolled back is not sent.
    ("c", "begin"),
    ("c", "notify one, 'never'"),
    ("c", "rollback"),
    ("c", "begin; notify one, 'never'; select 1 / 0"),
    ("c", "rollback"),
    ("c", "notify one, 'first'; select 1 / 0"),
    ("c", "select pg_notify('one', g::text) from generate_series(1, 3) g"),
    ("a", WAIT),
    ("a", WAIT),
    ("a", WAIT),
    ("b", "select 'three'"),
    // Who stops to listen is not told.
    ("b", "begin"),
    ("b", "unlisten one"),
    ("b", "notify one, 'to a'"),
    ("b", "notify two, 'to b'"),
    ("b", "commit"),
    ("a", WAIT),
    ("b", "unlisten *"),
    ("c", "notify two, 'nobody'"),
    ("b", "select 'nothing'"),
    // Nor of what waited for him when he stopped, unless he listens again at once.
    ("b", "listen one; listen two"),
    ("b", "begin"),
    ("b", "unlisten one"),
    ("c", "notify one, 'too late'"),
    ("a", WAIT),
    ("c", "notify two, 'in time'"),
    ("b", "commit"),
    ("b", "select 'only one'"),
    ("b", "listen one"),
    ("b", "begin"),
    ("c", "notify one, 'again'"),
    ("a", WAIT),
    ("b", "unlisten *"),
    ("b", "listen one"),
    ("b", "commit"),
    ("b", "unlisten *"),
    ("b", "begin; listen one; notify one, 'myself'; commit"),
    ("a", WAIT),
    ("x", "notify one, 'other database'"),
    ("a", "select 'nothing'"),
    ("b", "begin"),
    ("b", "listen two"),
    ("b", "prepare transaction 'p'"),
    ("b", "begin"),
    ("b", "notify one, 'prepared'"),
    ("b", "prepare transaction 'p'"),
    ("b", "select pg_listening_channels()"),
    ("a", "select pg_notification_queue_usage() < 0.01"),
];

struct Sessions {
    port: u16,
    open: BTreeMap<&'static str, Client>,
}

impl Sessions {
    fn open(&mut self, name: &'static str) -> Result<&mut Client, Failure> {
        Ok(match self.open.entry(name) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                let database = if name == OTHER_DATABASE { "other" } else { "postgres" };
                place.insert(Client::connect(self.port, database)?)
            }
        })
    }

    /// What one step answers: its rows or error, then the notifications with their senders' names.
    fn step(&mut self, name: &'static str, sql: &str) -> Result<String, Failure> {
        let client = self.open(name)?;
        let mut answer = match sql {
            WAIT => loop {
                if let Message::Notification { pid, channel, payload } = client.receive()? {
                    client.notifications.push((pid, channel, payload));
                    break String::new();
                }
            },
            sql => match client.query(sql) {
                Ok(rows) => format!("{rows:?}"),
                Err(Failure::Refused(state, message)) => format!("{state}: {message}"),
                Err(lost) => return Err(lost),
            },
        };
        for (pid, channel, payload) in std::mem::take(&mut client.notifications) {
            let sender = self.open.iter().find(|(_, client)| client.backend_pid == pid);
            let sender = sender.map_or("nobody", |(name, _)| name);
            answer += &format!(" {sender}:{channel}:{payload}");
        }
        Ok(answer)
    }
}

fn server(name: &str) -> Result<(Running, std::path::PathBuf), String> {
    let dir = testkit::workspace().join(format!("build/{name}-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    let settings = ["fsync=off", "max_prepared_transactions=3"];
    let options = ServerOptions {
        program: perdura::program()?,
        data: dir.join("data"),
        settings: settings.map(String::from).to_vec(),
        log: dir.join("log"),
    };
    Ok((Running::start(&options)?, dir))
}

#[test]
fn notifications_reach_whom_they_reach_in_postgresql() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            let _ = writeln!(std::io::stderr(), "\n*** notifications NOT COMPARED: {error}\n");
            return;
        }
    };
    let settings = ["fsync=off", "max_prepared_transactions=3"];
    let oracle = Oracle::start_with(&installation, &settings).unwrap();
    let (server, dir) = server("notify").unwrap();
    let mut ours = Sessions { port: server.port(), open: BTreeMap::new() };
    let mut theirs = Sessions { port: oracle.port(), open: BTreeMap::new() };
    for sessions in [&mut ours, &mut theirs] {
        for name in ["a", "b", "c"] {
            sessions.open(name).unwrap();
        }
        sessions.step("c", "create database other").unwrap();
    }
    for (number, (name, sql)) in STEPS.iter().enumerate() {
        let expected = theirs.step(name, sql).unwrap();
        let found = ours.step(name, sql).map_err(|lost| format!("step {number} {name}: {lost}"));
        assert_eq!(found.unwrap(), expected, "step {number}, {name}: {sql}");
    }
    drop(server);
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn many_listeners_are_told_in_the_order_of_commits_and_the_queue_is_empty_afterwards() {
    let listeners = std::env::var("LISTENERS").ok().and_then(|text| text.parse().ok());
    let listeners: usize = listeners.unwrap_or(300);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let all = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, all);
    let (server, dir) = server("listeners").unwrap();
    let mut open: Vec<Client> = (0..listeners)
        .map(|_| {
            let mut client = Client::connect(server.port(), "postgres").unwrap();
            client.query("listen news").unwrap();
            client
        })
        .collect();
    let mut writer = Client::connect(server.port(), "postgres").unwrap();
    writer.query("create table n (k serial primary key)").unwrap();
    let start = Instant::now();
    let port = server.port();
    // Each transaction tells the number that it commits under a lock: that is the commits' order.
    let one = move || {
        let mut client = Client::connect(port, "postgres").unwrap();
        for _ in 0..5 {
            client
                .query(
                    "begin; lock table n; insert into n default values; \
                     select pg_notify('news', max(k)::text) from n; commit",
                )
                .unwrap();
        }
    };
    let writers: Vec<_> = (0..4).map(|_| std::thread::spawn(one)).collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let expected: Vec<String> = (1..=20).map(|number| number.to_string()).collect();
    for client in &mut open {
        let mut payloads = Vec::new();
        while payloads.len() < expected.len() {
            if let Message::Notification { payload, .. } = client.receive().unwrap() {
                payloads.push(payload);
            }
        }
        assert_eq!(payloads, expected);
    }
    let took = start.elapsed();
    let _ = writeln!(std::io::stderr(), "20 notifications to {listeners} listeners: {took:?}");
    let deadline = Instant::now() + Duration::from_secs(20);
    while writer.value("select pg_notification_queue_usage()").unwrap() != "0" {
        assert!(Instant::now() < deadline, "the queue keeps what was told");
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(open);
    drop(server);
    let _ = std::fs::remove_dir_all(dir);
}
