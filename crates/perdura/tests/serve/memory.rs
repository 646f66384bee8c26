//! Statements that need more memory than there is.

use crate::client::{Server, kinds, sqlstate};
use std::time::{Duration, Instant};

/// Storage rule 24: a statement that runs out of memory is told so, commits and rollbacks go on, and
/// what can spill comes to its end with next to nothing.
#[test]
fn what_runs_out_of_memory_is_told_and_rolled_back_and_spilling_finishes() {
    let mut server = Server::start_with("memory", |command| {
        command.args(["-c", "memory_limit=160MB", "-c", "shared_buffers=16MB"]);
    });
    let mut client = server.connect();
    let mut other = server.connect();
    assert_eq!(kinds(&client.query("CREATE TABLE t (a int)")), "CZ");
    let large = "SELECT length(string_agg(repeat('x', 1000000), '')) FROM generate_series(1, 400)";
    for round in 0..3 {
        client.query("BEGIN");
        assert_eq!(kinds(&client.query("INSERT INTO t SELECT generate_series(1, 1000)")), "CZ");
        other.query("BEGIN");
        assert_eq!(kinds(&other.query("INSERT INTO t VALUES (-1)")), "CZ");
        assert_eq!(sqlstate(&client.query(large)), "53200");
        assert_eq!(kinds(&other.query("COMMIT")), "CZ");
        assert_eq!(sqlstate(&client.query("SELECT 1")), "25P02");
        assert_eq!(kinds(&client.query("ROLLBACK")), "CZ");
        let counted = client.query("SELECT count(*) FROM t");
        assert_eq!(counted[1].1.last(), Some(&(b'1' + round)), "{counted:?}");
    }
    client.query("SET work_mem = '64kB'");
    client.query("SET hash_mem_multiplier = 1");
    let series = "generate_series(1, 200000) i";
    for query in [
        format!("SELECT count(*) FROM (SELECT DISTINCT md5(i::text) FROM {series}) d"),
        format!("SELECT count(*) FROM (SELECT md5(i::text) m FROM {series} ORDER BY m) s"),
        format!("SELECT count(*) FROM {series} JOIN generate_series(1, 200000) k ON i = k"),
        format!("SELECT count(*) FROM (SELECT lag(i) OVER (ORDER BY -i) FROM {series}) w"),
    ] {
        let answers = client.query(&query);
        assert_eq!(kinds(&answers), "TDCZ", "{query}");
        assert!(answers[1].1.ends_with(b"200000"), "{query}: {:?}", answers[1].1);
    }
    server.signal(rustix::process::Signal::INT);
    assert_eq!(server.wait_exit(), 0);
}

/// Storage rule 24: spill, wait, error, in that order. A small statement that comes while others hold
/// all the memory waits, with its text still unread.
#[test]
fn small_statements_wait_while_large_ones_hold_the_memory() {
    let server = Server::start_with("memory_full", |command| {
        command.args(["-c", "memory_limit=160MB", "-c", "shared_buffers=16MB"]);
    });
    let end = Instant::now() + Duration::from_secs(4);
    let counted = std::thread::scope(|scope| {
        for large in 0..16 {
            let mut client = server.connect();
            scope.spawn(move || {
                let mut kilobytes = 1000 + large * 700;
                while Instant::now() < end {
                    let holds = format!(
                        "SELECT length(string_agg(repeat('x', 1000), '')) || pg_sleep(0.2)::text \
                         FROM generate_series(1, {kilobytes})"
                    );
                    client.query(&holds);
                    kilobytes = 1000 + (kilobytes + 4321) % 12_000;
                }
            });
        }
        let small = [0, 1].map(|_| {
            let mut client = server.connect();
            scope.spawn(move || {
                let (mut all, mut failed) = (0, 0);
                while Instant::now() < end {
                    let sql = "SELECT count(*) FROM pg_class WHERE relname = 'pg_class'";
                    all += 1;
                    failed += u32::from(kinds(&client.query(sql)) != "TDCZ");
                }
                (all, failed)
            })
        });
        small.map(|thread| thread.join().unwrap())
    });
    for (all, failed) in counted {
        assert!(all > 20 && failed * 50 <= all, "{failed} of {all} small statements failed");
    }
}
