//! The program from outside: starting, answering, surviving, stopping.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

mod archive;
mod check;
mod client;
mod logging;
mod memory;
mod portals;
mod protocol;
mod versions;

use client::{Server, kinds, sqlstate};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn a_query_is_answered_and_a_fast_stop_leaves_nothing_behind() {
    let mut server = Server::start("select");
    let mut client = server.connect();
    let answers = client.query("SELECT 1");
    assert_eq!(kinds(&answers), "TDCZ");
    assert_eq!(answers[1].1, b"\0\x01\0\0\0\x011");
    assert_eq!(answers[2].1, b"SELECT 1\0");
    server.signal(Signal::INT);
    let last = client.until_ready();
    assert_eq!(sqlstate(&last), "57P01");
    assert_eq!(server.wait_exit(), 0);
    assert!(!server.dir.join("postmaster.pid").exists());
}

#[test]
fn a_smart_stop_waits_for_the_sessions() {
    let mut server = Server::start("smart");
    let mut client = server.connect();
    server.signal(Signal::TERM);
    std::thread::sleep(std::time::Duration::from_millis(100));
    let mut late = server.connect_raw();
    late.startup(0x0003_0000);
    assert_eq!(sqlstate(&late.until_ready()), "57P03");
    assert_eq!(kinds(&client.query("SELECT 1")), "TDCZ");
    drop(client);
    assert_eq!(server.wait_exit(), 0);
}

#[test]
fn a_killed_server_process_is_started_again_and_nobody_is_refused() {
    let mut server = Server::start("kill");
    for _ in 0..3 {
        let child = server.child();
        kill_process(Pid::from_raw(child).unwrap(), Signal::KILL).unwrap();
        let mut client = server.connect();
        assert_eq!(kinds(&client.query("SELECT 1")), "TDCZ");
        assert_ne!(server.child(), child);
    }
    assert!(server.postmaster.try_wait().unwrap().is_none());
}

#[test]
fn the_server_process_dies_with_the_postmaster_and_the_directory_opens_again() {
    let mut server = Server::start("orphan");
    let child = Pid::from_raw(server.child()).unwrap();
    server.postmaster.kill().unwrap();
    server.postmaster.wait().unwrap();
    server.postmaster = Server::command(&server.dir, server.port).spawn().unwrap();
    let start = std::time::Instant::now();
    while rustix::process::test_kill_process(child).is_ok() && start.elapsed() < client::WAIT {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(rustix::process::test_kill_process(child).is_err(), "the orphan lives on");
    let start = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", server.port)).is_err() {
        assert!(start.elapsed() < client::WAIT);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(kinds(&server.connect().query("SELECT 1")), "TDCZ");
}

#[test]
fn nobody_waits_while_the_long_pattern_of_another_session_is_compiled() {
    let server = Server::start("pattern");
    let mut compiles = server.connect();
    // On every worker some.
    let mut others: Vec<_> = (0..8).map(|_| server.connect()).collect();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            compiles.query("SELECT 'x' ~ (SELECT repeat('[ab]?', 100000))");
            ended.store(true, Ordering::SeqCst);
        });
        std::thread::sleep(Duration::from_millis(100));
        for other in &mut others {
            assert_eq!(kinds(&other.query("SELECT 1")), "TDCZ");
        }
        assert!(!ended.load(Ordering::SeqCst), "the others were answered after it");
    });
}

#[test]
fn transaction_timeout_ends_the_session_of_a_long_transaction_and_no_other() {
    let server = Server::start("transaction-timeout");
    let mut client = server.connect();
    client.query("SET transaction_timeout = '300ms'");
    for _ in 0..3 {
        assert_eq!(kinds(&client.query("BEGIN; SELECT 1; COMMIT")), "CTDCCZ");
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    assert_eq!(sqlstate(&client.query("SELECT pg_sleep(20)")), "25P04");
    let mut client = server.connect();
    client.query("BEGIN");
    client.query("SET LOCAL transaction_timeout = '200ms'");
    // Nothing is asked: the message comes by itself, and the connection is closed.
    assert_eq!(sqlstate(&client.until_ready()), "25P04");
    let mut client = server.connect();
    client.query("BEGIN; SET LOCAL transaction_timeout = '200ms'; COMMIT");
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(kinds(&client.query("SELECT 1")), "TDCZ");
}

#[test]
fn a_second_server_on_the_directory_is_refused() {
    let server = Server::start("second");
    let output = Server::command(&server.dir, server.port)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(log.contains("FATAL:  lock file \"postmaster.pid\" already exists"), "{log}");
    assert!(log.contains("Is another postmaster (PID "), "{log}");
    assert!(server.dir.join("postmaster.pid").exists());
}

#[test]
fn foreign_directories_are_refused() {
    let dir = std::env::temp_dir().join(format!("perdura-foreign-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let refused = |expected: &str| {
        let output = Server::command(&dir, 1).stderr(std::process::Stdio::piped()).output();
        let log = String::from_utf8(output.unwrap().stderr).unwrap();
        assert!(log.contains(expected), "{log}");
    };
    std::fs::write(dir.join("letter.txt"), "Dear Sir").unwrap();
    refused("is not a valid data directory");
    std::fs::write(dir.join("PG_VERSION"), "17\n").unwrap();
    refused("The data directory was initialized by PostgreSQL version 17, which is not compatible");
    std::fs::write(dir.join("PG_VERSION"), "18\n").unwrap();
    refused("database files are incompatible with server");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn malformed_messages_end_the_connection_with_08p01_and_nothing_else() {
    let server = Server::start("malformed");
    let cases: [&[u8]; 5] = [
        b"\x01\0\0\0\x04",
        b"Q\0\0\0\x03",
        b"Q\xff\xff\xff\xff",
        b"B\0\0\0\x0c\0\0\0\x01\0\0\0\0",
        b"Q\0\0\0\x0cno zero!",
    ];
    for bytes in cases {
        let mut client = server.connect();
        client.socket.write_all(bytes).unwrap();
        assert_eq!(sqlstate(&client.until_ready()), "08P01", "{bytes:?}");
        assert!(client.receive().is_none());
    }
    for bytes in [&b"\xff\xff\xff\xff"[..], b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x08\0\x03\0\0"] {
        let mut client = server.connect_raw();
        client.socket.write_all(bytes).unwrap();
        assert_eq!(sqlstate(&client.until_ready()), "08P01", "{bytes:?}");
    }
    assert_eq!(kinds(&server.connect().query("SELECT 1")), "TDCZ");
}

#[test]
fn encryption_is_declined_and_versions_are_negotiated() {
    let server = Server::start("versions");
    let mut client = server.connect_raw();
    for request in [80_877_103u32, 80_877_104] {
        client.socket.write_all(&8u32.to_be_bytes()).unwrap();
        client.socket.write_all(&request.to_be_bytes()).unwrap();
        let mut answer = [0u8; 1];
        std::io::Read::read_exact(&mut client.socket, &mut answer).unwrap();
        assert_eq!(answer, *b"N");
    }
    client.startup(0x0003_0002);
    let answers = client.until_ready();
    let key = &answers.iter().find(|(kind, _)| *kind == b'K').unwrap().1;
    assert_eq!(key.len(), 4 + 32);
    let mut newer = server.connect_raw();
    newer.startup(0x0003_270f);
    let answers = newer.until_ready();
    assert_eq!(answers[0], (b'v', b"\0\x03\0\x02\0\0\0\0".to_vec()));
    let mut older = server.connect_raw();
    older.startup(0x0002_0000);
    assert_eq!(sqlstate(&older.until_ready()), "0A000");
}

#[test]
fn three_hundred_sessions_need_no_more_threads_than_one() {
    let server = Server::start("threads");
    let mut clients: Vec<_> = (0..300).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(kinds(&client.query("SELECT 1")), "TDCZ");
    }
    assert!(server.threads() <= 7, "{} threads", server.threads());
}

#[test]
fn pipelined_and_split_messages_are_answered_in_order() {
    let server = Server::start("pipeline");
    let mut client = server.connect();
    let mut bytes = Vec::new();
    for number in 0..500 {
        let text = format!("SELECT {number}\0");
        bytes.push(b'Q');
        bytes.extend_from_slice(&u32::try_from(text.len() + 4).unwrap().to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    for part in bytes.chunks(997) {
        client.socket.write_all(part).unwrap();
    }
    for number in 0..500 {
        let answers = client.until_ready();
        assert_eq!(&answers[1].1[6..], number.to_string().as_bytes());
    }
}
