//! What row versions may take: memory, the log, and the snapshots of others.

use crate::client::{Client, Server, WAIT, kinds, sqlstate};

fn with(settings: &'static [&'static str]) -> impl FnOnce(&mut std::process::Command) {
    move |command| {
        settings.iter().for_each(|setting| {
            command.arg("-c").arg(setting);
        });
    }
}

/// The first column of the first row.
fn value(client: &mut Client, sql: &str) -> String {
    let answers = client.query(sql);
    let row = answers.iter().find(|(kind, _)| *kind == b'D').unwrap_or_else(|| {
        panic!("{sql}: {}", sqlstate(&answers));
    });
    String::from_utf8(row.1[6..].to_vec()).unwrap()
}

fn versions_bytes(client: &mut Client) -> u64 {
    let sql = "SELECT reserved_bytes FROM perdura_memory_ledger() WHERE name = 'row versions'";
    value(client, sql).parse().unwrap()
}

/// Storage rules 12 and 13.
#[test]
fn a_large_transaction_leaves_its_undo_in_the_log_and_is_rolled_back_from_there() {
    let server = Server::start_with("undo-in-log", with(&["memory_limit=192MB"]));
    let mut client = server.connect();
    client.query("CREATE TABLE t (k int PRIMARY KEY, v text)");
    client.query("INSERT INTO t SELECT i, repeat('x', 600) FROM generate_series(1, 60000) i");
    let mut old = server.connect();
    old.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    let look = "SELECT sum(k) || ' ' || sum(length(v)) || ' ' || count(*) FROM t";
    let before = value(&mut old, look);
    client.query("BEGIN");
    client.query("UPDATE t SET v = v || 'y', k = k + 100000");
    client.query("SAVEPOINT s");
    client.query("UPDATE t SET v = v || 'z' WHERE k % 2 = 0");
    client.query("DELETE FROM t WHERE k % 5 = 0");
    // The bodies alone are 60,000 times 600 bytes and more.
    let bytes = versions_bytes(&mut client);
    assert!(bytes < 32 << 20, "{bytes} bytes of versions");
    assert_eq!(value(&mut old, look), before);
    client.query("ROLLBACK TO s");
    assert_eq!(value(&mut client, "SELECT count(*) || ' ' || sum(length(v)) FROM t"), {
        "60000 36060000"
    });
    client.query("CHECKPOINT");
    assert_eq!(value(&mut old, look), before);
    client.query("ROLLBACK");
    assert_eq!(value(&mut client, look), before);
    client.query("UPDATE t SET v = 'short'");
    for _ in 0..3 {
        client.query("UPDATE t SET v = v || 'er' WHERE k % 3 = 0; CHECKPOINT");
    }
    assert_eq!(value(&mut old, look), before, "the log that the old snapshot needs is kept");
    old.query("COMMIT");
    assert_ne!(value(&mut old, look), before);
    let start = std::time::Instant::now();
    while versions_bytes(&mut client) > 1 << 20 {
        assert!(
            start.elapsed() < WAIT,
            "{} bytes of versions are left",
            versions_bytes(&mut client)
        );
        client.query("UPDATE t SET v = '' WHERE k = 1");
    }
}

/// What stands around a statement that writes all rows of a table.
struct Frame {
    /// What the table has before the transaction.
    set_up: &'static str,
    begin: &'static str,
    end: &'static str,
    /// What is asked then, and the answer.
    look: (&'static str, &'static str),
}

const ROWS: u64 = 150_000;

/// Rows that are inserted stay.
const INSERTED: Frame =
    Frame { set_up: "", begin: "BEGIN", end: "COMMIT", look: ("SELECT count(*) FROM t", "150000") };

/// Rows that are changed are what they were again.
const CHANGED: Frame = Frame {
    set_up: "INSERT INTO t SELECT i, 0 FROM generate_series(1, 150000) i",
    begin: "BEGIN; SAVEPOINT s",
    end: "ROLLBACK TO s",
    look: ("SELECT sum(k) + sum(v) FROM t", "11250075000"),
};

/// Rows that are inserted or changed one by one, in order or not, and those of batches.
const WRITES: [(&Frame, &str, &str); 10] = [
    (&INSERTED, "k int", "INSERT INTO t SELECT k FROM s"),
    (
        &INSERTED,
        "k int",
        "WITH i AS (INSERT INTO t SELECT k FROM s RETURNING 1) SELECT count(*) FROM i",
    ),
    (
        &INSERTED,
        "k int",
        "WITH i AS (INSERT INTO t SELECT k FROM s RETURNING random()) SELECT count(*) FROM i",
    ),
    (&INSERTED, "k int, n serial", "INSERT INTO t SELECT k FROM s"),
    (&INSERTED, "k int PRIMARY KEY", "INSERT INTO t SELECT k FROM s ON CONFLICT DO NOTHING"),
    (
        &INSERTED,
        "k int PRIMARY KEY, v text",
        "INSERT INTO t SELECT k, repeat('x', 300) FROM s ON CONFLICT DO NOTHING",
    ),
    (
        &INSERTED,
        "k int",
        "MERGE INTO t USING s ON s.k = t.k WHEN NOT MATCHED THEN INSERT VALUES (s.k)",
    ),
    (&CHANGED, "k int PRIMARY KEY, v int", "UPDATE t SET k = k + 1000000"),
    (
        &CHANGED,
        "k int PRIMARY KEY, v int",
        "INSERT INTO t SELECT i, 1 FROM generate_series(1, 150000) i \
         ON CONFLICT (k) DO UPDATE SET v = t.v + 1",
    ),
    (
        &CHANGED,
        "k int PRIMARY KEY, v int",
        "MERGE INTO t USING generate_series(1, 150000) i ON i = t.k \
         WHEN MATCHED THEN UPDATE SET v = v + 1",
    ),
];

/// Storage rule 10.
#[test]
fn the_versions_of_rows_take_next_to_nothing_however_they_are_written() {
    let server = Server::start_with("written", with(&["memory_limit=96MB"]));
    let mut client = server.connect();
    client.query("CREATE TABLE s AS SELECT i AS k FROM generate_series(1, 150000) i");
    // What memory keeps before it lets go of what the log has.
    let kept = 6 << 20;
    for (frame, columns, sql) in WRITES {
        client.query(&format!("CREATE TABLE t ({columns})"));
        client.query(frame.set_up);
        client.query(frame.begin);
        assert!(!kinds(&client.query(sql)).contains('E'), "{sql}");
        // The ledger looks at them once a second.
        std::thread::sleep(std::time::Duration::from_millis(1200));
        let bytes = versions_bytes(&mut client);
        assert!(bytes < kept + 20 * ROWS, "{bytes} bytes of versions after {sql}");
        client.query(frame.end);
        let (look, answer) = frame.look;
        assert_eq!(value(&mut client, look), answer, "{sql}");
        client.query("COMMIT");
        client.query("DROP TABLE t");
    }
}

/// Storage rule 12.
#[test]
fn beyond_max_version_space_the_oldest_snapshot_ends_and_no_writer() {
    let server = Server::start_with("version-space", with(&["max_version_space=2MB"]));
    let mut client = server.connect();
    client.query("CREATE TABLE t (k int, v text)");
    client.query("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 1000) i");
    let (mut idle, mut young) = (server.connect(), server.connect());
    idle.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");
    let mut written = 0;
    for round in 0..200 {
        let answers = client.query("UPDATE t SET v = v || ''");
        assert_eq!(kinds(&answers), "CZ", "a writer goes on");
        written = round;
        if round == 1 {
            young.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        if versions_bytes(&mut client) < 2 << 20 && round > 20 {
            break;
        }
    }
    assert!(written < 199, "versions are freed");
    assert_eq!(sqlstate(&idle.until_ready()), "72000");
    assert!(idle.receive().is_none(), "the connection is closed");
    let mut reader = server.connect();
    reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");
    let runs = std::thread::spawn(move || {
        sqlstate(&reader.query("SELECT count(*) FROM t a, t b, t c, generate_series(1, 1000)"))
    });
    while !runs.is_finished() {
        assert_eq!(kinds(&client.query("UPDATE t SET v = v || ''")), "CZ");
    }
    assert_eq!(runs.join().unwrap(), "72000");
}

/// Storage rule 15.
#[test]
fn beyond_max_transaction_wal_size_the_writer_fails_and_its_session_lives_on() {
    let server = Server::start_with("wal-size", with(&["max_transaction_wal_size=16MB"]));
    let mut client = server.connect();
    client.query("CREATE TABLE t (k int PRIMARY KEY, v text)");
    let large = "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 100000) i";
    assert_eq!(sqlstate(&client.query(large)), "53400");
    assert_eq!(value(&mut client, "SELECT count(*) FROM t"), "0");
    client.query("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 1000) i");
    assert_eq!(value(&mut client, "SELECT count(*) FROM t"), "1000");
}
