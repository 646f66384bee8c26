//! pg_stat_activity: what sessions wait for, who may see and end them.

use crate::client::start;
use std::time::{Duration, Instant};
use testkit::Server;
use testkit::client::{Client, Failure, Outgoing};

/// Asks until the answer is the expected one.
fn becomes(client: &mut Client, sql: &str, expected: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let found = client.value(sql);
        if found.as_ref().is_ok_and(|found| found == expected) {
            return;
        }
        assert!(Instant::now() < deadline, "{sql}: {found:?}, not {expected}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn refused(result: Result<String, Failure>) -> String {
    result.map_or_else(|failure| failure.to_string(), |value| format!("no error: {value}"))
}

#[test]
fn sessions_show_what_they_wait_for_to_those_who_may_know() {
    let Some((perdura, _)) = start(&[]) else { return };
    let port = perdura.port();
    let mut one = Client::connect(port, "postgres").unwrap();
    one.query(
        "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1);
               CREATE ROLE plain LOGIN; CREATE ROLE guard LOGIN; CREATE ROLE seer LOGIN;
               GRANT pg_signal_backend TO guard; GRANT pg_read_all_stats TO seer;",
    )
    .unwrap();
    let mut two = Client::connect(port, "postgres").unwrap();
    let pid = two.backend_pid;
    let shows = format!(
        "SELECT concat_ws(' ', state, wait_event_type, wait_event) FROM pg_stat_activity \
         WHERE pid = {pid}"
    );
    becomes(&mut one, &shows, "idle Client ClientRead");
    one.query("BEGIN; LOCK TABLE t; SELECT pg_advisory_lock(7)").unwrap();
    two.send(&Outgoing::query("SELECT * FROM t")).unwrap();
    becomes(&mut one, &shows, "active Lock relation");
    one.query("ROLLBACK; BEGIN; UPDATE t SET a = 2").unwrap();
    two.until_ready().unwrap();
    two.send(&Outgoing::query("UPDATE t SET a = 3")).unwrap();
    becomes(&mut one, &shows, "active Lock transactionid");
    one.query("COMMIT").unwrap();
    two.until_ready().unwrap();
    two.send(&Outgoing::query("SELECT pg_advisory_lock(7)")).unwrap();
    becomes(&mut one, &shows, "active Lock advisory");
    one.query("SELECT pg_advisory_unlock(7)").unwrap();
    two.until_ready().unwrap();
    two.send(&Outgoing::query("SELECT pg_sleep(60)")).unwrap();
    becomes(&mut one, &shows, "active Timeout PgSleep");

    let mut plain = Client::connect_as(port, "postgres", "plain").unwrap();
    let hidden =
        format!("SELECT query || coalesce(state, ' -') FROM pg_stat_activity WHERE pid = {pid}");
    assert_eq!(plain.value(&hidden).unwrap(), "<insufficient privilege> -");
    let mut seer = Client::connect_as(port, "postgres", "seer").unwrap();
    assert_eq!(seer.value(&hidden).unwrap(), "SELECT pg_sleep(60)active");
    let mut guard = Client::connect_as(port, "postgres", "guard").unwrap();
    for client in [&mut plain, &mut guard] {
        let said = refused(client.value(&format!("SELECT pg_cancel_backend({pid})")));
        assert!(said.contains("permission denied to cancel query"), "{said}");
        let said = refused(client.value(&format!("SELECT pg_terminate_backend({pid})")));
        assert!(said.contains("permission denied to terminate process"), "{said}");
    }
    let ended = format!("SELECT pg_terminate_backend({}, 10000)", plain.backend_pid);
    assert_eq!(guard.value(&ended).unwrap(), "t");
    assert_eq!(guard.value("SELECT count(*) FROM pg_stat_activity").unwrap(), "4");
    let cancelled = format!("SELECT pg_cancel_backend({pid})");
    assert_eq!(one.value(&cancelled).unwrap(), "t");
    let said = two.until_ready().err().map(|failure| failure.to_string()).unwrap_or_default();
    assert!(said.contains("canceling statement due to user request"), "{said}");
    becomes(&mut one, &shows, "idle Client ClientRead");
}

#[test]
fn a_query_has_the_same_number_whatever_its_constants_are() {
    let Some((perdura, _)) = start(&[]) else { return };
    let port = perdura.port();
    let mut one = Client::connect(port, "postgres").unwrap();
    let mut two = Client::connect(port, "postgres").unwrap();
    one.query("CREATE TABLE t (a int, b text); CREATE TABLE u (a int, b text)").unwrap();
    let mut id = |sql: &str| {
        two.query(sql).unwrap();
        let pid = two.backend_pid;
        let found = one.query(&format!("SELECT query_id FROM pg_stat_activity WHERE pid = {pid}"));
        found.unwrap().remove(0).remove(0)
    };
    assert_eq!(id("SELECT * FROM t WHERE a = 1"), None, "nothing asks for numbers");
    id("SET compute_query_id = on");
    let alike = [
        "SELECT * FROM t WHERE a = 1 AND b = 'x'",
        "select t.*  from T where (A = 22)\n and b = 'yy'",
        "SELECT /* why */ * FROM public.t WHERE a = 333 AND b = ''",
    ];
    let numbers: Vec<_> = alike.iter().map(|sql| id(sql)).collect();
    assert!(numbers[0].is_some() && numbers.iter().all(|number| *number == numbers[0]));
    let mut three = Client::connect(port, "postgres").unwrap();
    let explained = three.query(
        "SET compute_query_id = on; EXPLAIN (VERBOSE) SELECT * FROM t WHERE a = 4 AND b = 'z'",
    );
    let last = explained.unwrap().pop().and_then(|mut row| row.pop().flatten());
    assert_eq!(last, numbers[0].as_ref().map(|id| format!("Query Identifier: {id}")));
    let mut others = vec![numbers[0].clone()];
    for sql in [
        "SELECT * FROM u WHERE a = 1 AND b = 'x'",
        "SELECT * FROM t WHERE a > 1 AND b = 'x'",
        "SELECT a FROM t WHERE a = 1 AND b = 'x'",
        "INSERT INTO t VALUES (1, 'x')",
        "UPDATE t SET a = 1 WHERE b = 'x'",
        "DELETE FROM t WHERE b = 'x'",
        "SELECT 1",
        "SELECT 'x'",
        "CREATE TABLE v (a int)",
    ] {
        let number = id(sql);
        assert!(number.is_some() && !others.contains(&number), "{sql}: {number:?}");
        others.push(number);
    }
}

#[test]
fn a_session_that_waits_for_the_log_shows_it() {
    let Some((perdura, _)) = start(&["fsync=on"]) else { return };
    let port = perdura.port();
    let mut one = Client::connect(port, "postgres").unwrap();
    one.query("CREATE TABLE t (a int)").unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut two = Client::connect(port, "postgres").unwrap();
            let end = Instant::now() + Duration::from_secs(25);
            while !stop.load(std::sync::atomic::Ordering::Relaxed) && Instant::now() < end {
                two.query("INSERT INTO t VALUES (1)").unwrap();
            }
        });
        let waits = "SELECT count(*) FROM pg_stat_activity \
                     WHERE wait_event_type = 'IO' AND wait_event = 'WalSync'";
        becomes(&mut one, waits, "1");
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
