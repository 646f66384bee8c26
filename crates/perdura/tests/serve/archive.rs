//! `archive_command`: whole segments of the log are handed over, and kept until then.

use crate::client::{Answer, Server, WAIT, kinds};
use std::path::Path;
use std::time::{Duration, Instant};

const FIRST: &str = "000000010000000000000001";

/// Writes until the log has passed its first segments, then makes a checkpoint.
fn write_log(server: &Server) {
    let mut client = server.connect();
    client.query("CREATE TABLE t (a text)");
    for _ in 0..5 {
        let rows = "INSERT INTO t SELECT md5(g::text) || repeat(md5(g::text), 9) \
                    FROM generate_series(1, 30000) AS g";
        assert_eq!(kinds(&client.query(rows)), "CZ");
    }
    assert_eq!(kinds(&client.query("CHECKPOINT")), "CZ");
}

/// The first column of each row.
fn rows(answers: &[Answer]) -> Vec<String> {
    let rows = answers.iter().filter(|(kind, _)| *kind == b'D');
    rows.map(|(_, body)| String::from_utf8_lossy(body.get(6..).unwrap_or_default()).into_owned())
        .collect()
}

fn until(what: &str, mut found: impl FnMut() -> bool) {
    let start = Instant::now();
    while !found() {
        assert!(start.elapsed() < WAIT, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn start(name: &str, command: &str) -> Server {
    let setting = format!("archive_command={command}");
    Server::start_with(name, |serve| {
        serve.args(["-c", "archive_mode=on", "-c", &setting, "-c", "fsync=off"]);
    })
}

fn status(server: &Server, suffix: &str) -> bool {
    let name = format!("pg_wal/archive_status/{FIRST}.{suffix}");
    server.dir.join(name).exists()
}

#[test]
fn whole_segments_are_archived_in_order() {
    let archive = std::env::temp_dir().join(format!("perdura-archived-{}", std::process::id()));
    std::fs::create_dir_all(&archive).unwrap();
    let server =
        start("archive", &format!("cp %p {0}/%f.new && mv {0}/%f.new {0}/%f", archive.display()));
    write_log(&server);
    let (first, second) = (archive.join(FIRST), archive.join("000000010000000000000002"));
    until("the second segment is missing", || second.exists());
    for path in [&first, &second] {
        assert_eq!(std::fs::metadata(path).unwrap().len(), 16 << 20);
    }
    // A checkpoint may have removed it already, and what was known of it.
    let gone = || !server.dir.join("pg_wal").join(FIRST).exists();
    until("the archiver did not note it", || status(&server, "done") || gone());
    assert!(!status(&server, "ready"));
    drop(server);
    std::fs::remove_dir_all(&archive).unwrap();
}

#[test]
fn a_segment_that_no_command_takes_is_kept_and_offered_again_after_a_restart() {
    let mut server = start("archive-kept", "false");
    write_log(&server);
    until("no segment is ready", || status(&server, "ready"));
    let failed = format!(
        "SELECT failed_count > 0 AND last_failed_wal = '{FIRST}' AND archived_count = 0 \
         FROM pg_stat_archiver"
    );
    let mut client = server.connect();
    until("no failure is counted", || rows(&client.query(&failed)) == ["t"]);
    drop(client);
    write_log_again(&server);
    let segment = server.dir.join("pg_wal").join(FIRST);
    assert!(segment.exists(), "a checkpoint has removed it");
    server.signal(rustix::process::Signal::INT);
    assert_eq!(server.wait_exit(), 0);
    let archived = server.dir.join("archived");
    let setting = format!("archive_command=test %f = {FIRST} && cp %p {}", archived.display());
    server.postmaster = Server::command(&server.dir, server.port)
        .args(["-c", "archive_mode=on", "-c", &setting])
        .spawn()
        .unwrap();
    until("it was not offered again", || Path::new(&archived).exists());
    let mut client = server.connect();
    // Failures are counted anew in a new server.
    until("the archiver did not count it", || {
        let answers = client.query("SELECT archived_count FROM pg_stat_archiver");
        rows(&answers).first().is_some_and(|count| count != "0")
    });
}

fn write_log_again(server: &Server) {
    let mut client = server.connect();
    client.query("INSERT INTO t SELECT * FROM t");
    assert_eq!(kinds(&client.query("CHECKPOINT")), "CZ");
}

#[test]
fn a_segment_that_is_old_enough_and_the_rest_of_a_switched_one_are_archived() {
    let archive = std::env::temp_dir().join(format!("perdura-timeout-{}", std::process::id()));
    std::fs::create_dir_all(&archive).unwrap();
    let server = start("archive-timeout", &format!("cp %p {}/%f", archive.display()));
    let mut client = server.connect();
    client.query("CREATE TABLE t (a int)");
    client.query("SELECT pg_switch_wal()");
    until("the switched segment is missing", || archive.join(FIRST).exists());
    client.query("INSERT INTO t VALUES (1)");
    client.query("ALTER SYSTEM SET archive_timeout = 1");
    client.query("SELECT pg_reload_conf()");
    let second = archive.join("000000010000000000000002");
    until("the old segment is missing", || second.exists());
    drop(server);
    std::fs::remove_dir_all(&archive).unwrap();
}
