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
/// The runs of a level in which what the workload can show must show.
const RUNS_MAX: u64 = 10;

/// A level, the anomalies that it allows, and those that the workload is strong enough to show there:
/// where serializable transactions were only repeatable reads, the same workload would say so.
type Level = (&'static str, &'static [Anomaly], &'static [Anomaly]);
const LEVELS: &[Level] = &[
    ("read committed", &[Anomaly::LostUpdate, Anomaly::GSingle, Anomaly::G2], &[Anomaly::G2]),
    ("repeatable read", &[Anomaly::G2], &[Anomaly::G2]),
    ("serializable", &[], &[]),
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

/// What a transaction of a scenario does next.
#[derive(Clone, Copy)]
enum Do {
    Read(Key),
    Append(Key),
    Commit,
}
use Do::{Append, Commit, Read};

/// Steps of transactions by number, in the order in which they run, and what is found at the levels
/// from READ COMMITTED on.
struct Scenario {
    steps: &'static [(usize, Do)],
    found: [&'static [Anomaly]; 3],
}

const SCENARIOS: [Scenario; 3] = [
    // Write skew: two that each read what the other one writes.
    Scenario {
        steps: &[
            (0, Read(0)),
            (1, Read(1)),
            (0, Append(1)),
            (1, Append(0)),
            (0, Commit),
            (1, Commit),
        ],
        found: [&[Anomaly::G2], &[Anomaly::G2], &[]],
    },
    // The read-only anomaly: only what 2 has seen makes a circle of it.
    Scenario {
        steps: &[
            (0, Read(0)),
            (0, Read(1)),
            (1, Read(1)),
            (1, Append(1)),
            (1, Commit),
            (2, Read(0)),
            (2, Read(1)),
            (2, Commit),
            (0, Append(0)),
            (0, Commit),
        ],
        found: [&[Anomaly::G2], &[Anomaly::G2], &[]],
    },
    // Long fork: 2 and 3 see two appends in different orders, where each statement has its snapshot.
    Scenario {
        steps: &[
            (2, Read(0)),
            (3, Read(1)),
            (0, Append(0)),
            (1, Append(1)),
            (0, Commit),
            (1, Commit),
            (2, Read(1)),
            (3, Read(0)),
            (2, Commit),
            (3, Commit),
        ],
        found: [&[Anomaly::G2], &[], &[]],
    },
];

/// Runs a scenario. Whoever is refused has not committed.
fn play(port: u16, level: &str, scenario: &Scenario) -> Result<BTreeSet<Anomaly>, Failure> {
    let count = 1 + scenario.steps.iter().map(|step| step.0).max().unwrap_or(0);
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(Client::connect(port, "postgres")?);
    }
    empty_lists(&mut clients[0])?;
    let mut history = Vec::new();
    for client in &mut clients {
        client.query(&format!("begin isolation level {level}"))?;
        history.push(Transaction { steps: Vec::new(), committed: false });
    }
    let mut refused = BTreeSet::new();
    for (at, (number, step)) in scenario.steps.iter().enumerate() {
        let (client, done) = (&mut clients[*number], &mut history[*number]);
        let answer = match *step {
            Read(key) => list(client, key).map(|values| done.steps.push(Step::Read(key, values))),
            Append(key) => {
                let value = 10 + at as Value;
                append(client, key, value).map(|()| done.steps.push(Step::Append(key, value)))
            }
            Commit => client.query("commit").map(|_| done.committed = !refused.contains(number)),
        };
        match answer {
            Ok(()) => {}
            Err(Failure::Refused(..)) => drop(refused.insert(*number)),
            Err(lost) => return Err(lost),
        }
    }
    let mut last = BTreeMap::new();
    for key in 0..KEYS as Key {
        last.insert(key, list(&mut clients[0], key)?);
    }
    Ok(anomalies(&history, &last))
}

/// The anomalies of one run, none of which is forbidden.
fn run_and_judge(
    port: u16,
    level: &str,
    allowed: &[Anomaly],
    seed: u64,
) -> Result<BTreeSet<Anomaly>, Failure> {
    let (history, last) = history(port, level, seed)?;
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
    Ok(found)
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
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        for (level, expected) in LEVELS.iter().zip(scenario.found) {
            let found = play(server.port(), level.0, scenario).unwrap();
            let expected: BTreeSet<_> = expected.iter().copied().collect();
            assert_eq!(found, expected, "scenario {number}, {}", level.0);
        }
    }
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::from(now.subsec_nanos()) | 1
    });
    for (level, allowed, shown) in LEVELS {
        let mut found = BTreeSet::new();
        // On a busy machine one run may be too short to show what it should.
        for run in 0..RUNS_MAX {
            let seed = seed.wrapping_add(run);
            found.extend(run_and_judge(server.port(), level, allowed, seed).unwrap());
            if shown.iter().all(|anomaly| found.contains(anomaly)) {
                break;
            }
        }
        let hidden: Vec<_> = shown.iter().filter(|anomaly| !found.contains(anomaly)).collect();
        assert!(hidden.is_empty(), "{level}: too weak to show {hidden:?} (SEED={seed})");
    }
    server.stop().unwrap();
    let _ = std::fs::remove_dir_all(&dir);
}
