//! Random list-append transactions over several sessions at each isolation level: only the anomalies
//! that PostgreSQL allows at that level.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::{Duration, Instant};
use testkit::client::{Client, Failure};
use testkit::history::{Anomaly, Key, Step, Transaction, Value, anomalies};
use testkit::kill9::{Running, ServerOptions};
use testkit::perdura;

const KEYS: u64 = 6;
const SESSIONS: u64 = 6;
const TIME: Duration = Duration::from_millis(1500);

const LEVELS: &[(&str, &[Anomaly])] = &[
    ("read committed", &[Anomaly::LostUpdate, Anomaly::GSingle, Anomaly::G2]),
    ("repeatable read", &[Anomaly::G2]),
    ("serializable", &[]),
];

/// A small random source (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

fn list(client: &mut Client, key: Key) -> Result<Vec<Value>, Failure> {
    let text = client.value(&format!("select v from lists where k = {key}"))?;
    Ok(text.split(',').filter_map(|value| value.parse().ok()).collect())
}

fn append(client: &mut Client, key: Key, value: Value) -> Result<(), Failure> {
    client.query(&format!("update lists set v = v || '{value},' where k = {key}")).map(drop)
}

/// Runs one transaction; an error ends it.
fn transaction(
    client: &mut Client,
    level: &str,
    random: &mut Random,
    mut fresh: impl FnMut() -> Value,
) -> Result<Transaction, Failure> {
    client.query(&format!("begin isolation level {level}"))?;
    let mut done = Transaction { steps: Vec::new(), committed: false };
    let mut savepoint = false;
    for _ in 0..1 + random.below(5) {
        let key = random.below(KEYS) as Key;
        let step = match random.below(8) {
            0..=3 => list(client, key).map(|values| Some(Step::Read(key, values))),
            4 if !savepoint => {
                savepoint = true;
                client.query("savepoint s").map(|_| None)
            }
            5 if savepoint => {
                // What is undone was never there.
                let value = fresh();
                append(client, key, value)
                    .and_then(|()| client.query("rollback to s"))
                    .map(|_| None)
            }
            _ => {
                let value = fresh();
                append(client, key, value).map(|()| {
                    // A later rollback to the savepoint would take it back.
                    savepoint = false;
                    Some(Step::Append(key, value))
                })
            }
        };
        match step {
            Ok(step) => done.steps.extend(step),
            Err(Failure::Refused(..)) => {
                client.query("rollback")?;
                return Ok(done);
            }
            Err(lost) => return Err(lost),
        }
    }
    match client.query("commit") {
        Ok(_) => done.committed = true,
        Err(Failure::Refused(..)) => {}
        Err(lost) => return Err(lost),
    }
    Ok(done)
}

/// The transactions of a run and what the lists were in the end.
type History = (Vec<Transaction>, BTreeMap<Key, Vec<Value>>);

fn empty_lists(client: &mut Client) -> Result<(), Failure> {
    client.query("drop table if exists lists")?;
    client.query("create table lists (k int primary key, v text not null)")?;
    let rows = format!("insert into lists select i, '' from generate_series(0, {KEYS}) i");
    client.query(&rows).map(drop)
}

fn history(port: u16, level: &str, seed: u64) -> Result<History, Failure> {
    let mut client = Client::connect(port, "postgres")?;
    empty_lists(&mut client)?;
    let end = Instant::now() + TIME;
    let session = |number: u64| -> Result<Vec<Transaction>, Failure> {
        let mut client = Client::connect(port, "postgres")?;
        client.query("set deadlock_timeout = '20ms'")?;
        let mut random = Random((seed.wrapping_mul(0x9E37_79B9) ^ ((number + 1) << 32)) | 1);
        let (mut done, mut last) = (Vec::new(), 0);
        while Instant::now() < end {
            let fresh = || {
                last += 1;
                last * 100 + number
            };
            done.push(transaction(&mut client, level, &mut random, fresh)?);
        }
        Ok(done)
    };
    let mut history = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..SESSIONS).map(|number| scope.spawn(move || session(number))).collect();
        for thread in threads {
            let ended = thread.join().map_err(|_| Failure::Lost("a session panicked".into()))?;
            history.extend(ended?);
        }
        Ok::<(), Failure>(())
    })?;
    let mut last = BTreeMap::new();
    for key in 0..KEYS as Key {
        last.insert(key, list(&mut client, key)?);
    }
    Ok((history, last))
}

/// Two that each read what the other one writes.
fn skew(port: u16, level: &str) -> Result<BTreeSet<Anomaly>, Failure> {
    let mut clients = [Client::connect(port, "postgres")?, Client::connect(port, "postgres")?];
    empty_lists(&mut clients[0])?;
    let mut history = Vec::new();
    for (at, client) in clients.iter_mut().enumerate() {
        client.query(&format!("begin isolation level {level}"))?;
        let key = at as Key;
        let steps = vec![Step::Read(key, list(client, key)?)];
        history.push(Transaction { steps, committed: false });
    }
    for (at, client) in clients.iter_mut().enumerate() {
        let (key, value) = (1 - at as Key, 10 + at as Value);
        let written = append(client, key, value).is_ok();
        history[at].steps.push(Step::Append(key, value));
        history[at].committed = client.query("commit").is_ok() && written;
    }
    let mut last = BTreeMap::new();
    for key in 0..2 {
        last.insert(key, list(&mut clients[0], key)?);
    }
    Ok(anomalies(&history, &last))
}

#[test]
fn levels_allow_only_their_anomalies() {
    let dir = testkit::workspace().join(format!("build/histories-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let options = ServerOptions {
        program: perdura::program().unwrap(),
        data: dir.join("data"),
        settings: vec!["fsync=off".into()],
        log: dir.join("log"),
    };
    let mut server = Running::start(&options).unwrap();
    assert_eq!(skew(server.port(), "repeatable read").unwrap(), BTreeSet::from([Anomaly::G2]));
    assert_eq!(skew(server.port(), "serializable").unwrap(), BTreeSet::new());
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::from(now.subsec_nanos()) | 1
    });
    for (level, allowed) in LEVELS {
        let (history, last) = history(server.port(), level, seed).unwrap();
        let found = anomalies(&history, &last);
        let committed = history.iter().filter(|transaction| transaction.committed).count();
        let _ = writeln!(
            std::io::stderr(),
            "{level}: {} transactions, {committed} committed, found {found:?} (SEED={seed})",
            history.len()
        );
        assert!(committed > 50, "{level}: only {committed} committed");
        let forbidden: Vec<_> = found.iter().filter(|found| !allowed.contains(found)).collect();
        assert!(forbidden.is_empty(), "{level}: {forbidden:?} (SEED={seed})");
    }
    server.stop().unwrap();
    let _ = std::fs::remove_dir_all(&dir);
}
