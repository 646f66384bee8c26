//! Transaction ids of 64 bits, as clients see them, up to the last one.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::Server;
use testkit::client::{Client, Failure};
use testkit::kill9::{Running, ServerOptions};
use testkit::oracle::{Installation, install};
use testkit::perdura::{Perdura, initialize, program};

fn start(next_xid: u64, settings: &[&str]) -> (Perdura, Client) {
    let installation: Installation = install().unwrap();
    let server =
        Perdura::start_at(program().unwrap(), &installation, Some(next_xid), settings).unwrap();
    let client = Client::connect(server.port(), "postgres").unwrap();
    (server, client)
}

fn number(client: &mut Client, sql: &str) -> u64 {
    client.value(sql).unwrap().parse().unwrap()
}

/// Says it past the test runner's capture of output.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Why programs of 32 bits cannot be made and run here, if they cannot.
fn why_no_32_bits() -> Option<String> {
    let dir = std::env::temp_dir().join(format!("bits32-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let (source, to) = (dir.join("a.c"), dir.join("a"));
    let text = "void _start(void) { __asm__ volatile(\"int $0x80\" : : \"a\"(1), \"b\"(0)); }";
    std::fs::write(&source, text).unwrap();
    let mut gcc = Command::new("gcc");
    gcc.args(["-m32", "-nostdlib", "-static", "-fno-pie", "-no-pie"]).arg(&source);
    let why = match gcc.arg("-o").arg(&to).output() {
        Err(error) => Some(format!("no gcc: {error}")),
        Ok(made) if !made.status.success() => {
            Some(format!("gcc -m32: {}", String::from_utf8_lossy(&made.stderr).trim()))
        }
        Ok(_) => match Command::new(&to).status() {
            Ok(status) if status.success() => None,
            other => Some(format!("the system does not run programs of 32 bits: {other:?}")),
        },
    };
    std::fs::remove_dir_all(&dir).unwrap();
    why
}

/// Runs a client that was compiled for 32 bits and returns what it prints.
fn client_of_32_bits(port: u16, sql: &str) -> String {
    let source = testkit::workspace().join("tests/clients/xid32.c");
    let to = std::env::temp_dir().join(format!("xid32-{}-{port}", std::process::id()));
    let flags = "-m32 -nostdlib -static -ffreestanding -fno-pie -no-pie -fno-stack-protector \
                 -fno-omit-frame-pointer -Wall -Werror";
    let compiled = Command::new("gcc")
        .args(flags.split_whitespace())
        .arg(&source)
        .arg("-o")
        .arg(&to)
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let run = Command::new(Path::new(&to)).args([&port.to_string(), sql]).output().unwrap();
    std::fs::remove_file(&to).unwrap();
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn a_client_of_32_bits_reads_a_transaction_id_above_2_to_the_32_as_unsigned_long_long() {
    if let Some(why) = why_no_32_bits() {
        say(&format!("\n*** the client of 32 bits was NOT RUN: {why}\n"));
        return;
    }
    let (server, mut client) = start((1 << 32) + 1000, &[]);
    client.query("CREATE TABLE t (a int)").unwrap();
    client.query("INSERT INTO t VALUES (1)").unwrap();
    let xmin = number(&mut client, "SELECT xmin FROM t");
    assert!(xmin > 1 << 32, "{xmin}");
    let said = client_of_32_bits(server.port(), "SELECT xmin FROM t");
    assert_eq!(said, format!("8 {xmin}\n"));
    let current = "SELECT pg_current_xact_id()";
    let said = client_of_32_bits(server.port(), current);
    assert_eq!(said, format!("8 {}\n", xmin + 1), "xid8");
    let narrow = "SET xid_binary_width = 32";
    client.query(&format!("ALTER ROLE postgres {narrow}")).unwrap();
    let said = client_of_32_bits(server.port(), "SELECT xmin FROM t");
    assert_eq!(said, format!("4 {}\n", xmin & 0xFFFF_FFFF), "the upper half is cut off");
    let said = client_of_32_bits(server.port(), current);
    assert_eq!(said, format!("8 {}\n", xmin + 3), "xid8 has 64 bits at either width");
    assert_eq!(client.value("SELECT typlen FROM pg_type WHERE typname = 'xid'").unwrap(), "8");
}

/// Commits rows until no transaction id is left; the rows, and what was said.
fn use_up(client: &mut Client) -> (u64, Failure) {
    for written in 0..10_000 {
        if let Err(failure) = client.query("INSERT INTO t VALUES (1)") {
            return (written, failure);
        }
    }
    panic!("10,000 transactions, and ids are left");
}

fn check_refused(failure: &Failure) {
    assert_eq!(failure.sqlstate(), Some("54000"), "{failure}");
    assert!(
        failure.to_string().contains("all transaction ids below 2^63 are used up"),
        "{failure}"
    );
}

/// Everything is there, reads and sessions go on, and who would write is told why he cannot.
fn check_reads_go_on(client: &mut Client, rows: u64) {
    assert_eq!(number(client, "SELECT count(*) FROM t"), rows);
    for write in [
        "INSERT INTO t VALUES (2)",
        "UPDATE t SET a = 2",
        "DELETE FROM t",
        "CREATE TABLE u ()",
        "SELECT pg_current_xact_id()",
    ] {
        check_refused(&client.query(write).unwrap_err());
    }
    client.query("BEGIN; SAVEPOINT a; SELECT a FROM t LIMIT 1 FOR UPDATE; RELEASE a").unwrap();
    check_refused(&client.query("DELETE FROM t").unwrap_err());
    for statement in ["ROLLBACK", "CHECKPOINT", "SELECT 1 FROM t LIMIT 1 FOR UPDATE"] {
        client.query(statement).unwrap();
    }
    assert_eq!(client.value("SELECT pg_current_xact_id_if_assigned() IS NULL").unwrap(), "t");
    assert_eq!(number(client, "SELECT count(*) FROM t"), rows);
}

#[test]
fn the_last_transaction_id_stops_writers_with_a_clear_error_and_nobody_else() {
    let dir = std::env::temp_dir().join(format!("last-xid-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let options = ServerOptions {
        program: program().unwrap(),
        data: dir.join("data"),
        settings: vec!["fsync=off".into(), "listen_addresses=127.0.0.1".into()],
        log: dir.join("log"),
    };
    initialize(&options.program, &options.data, (1 << 63) - 9000).unwrap();
    let mut server = Running::start(&options).unwrap();
    let mut client = Client::connect(server.port(), "postgres").unwrap();
    client.query("CREATE TABLE t (a int)").unwrap();
    let (rows, failure) = use_up(&mut client);
    check_refused(&failure);
    // The last one of all was drawn.
    let newest = number(&mut client, "SELECT max(xmin::text::numeric) FROM t");
    assert_eq!(newest, (1 << 63) - 1);
    check_reads_go_on(&mut client, rows);
    server.kill_everything().unwrap();
    server.start_again().unwrap();
    let mut client = server.wait_until_it_answers(Duration::from_secs(60)).unwrap();
    check_reads_go_on(&mut client, rows);
    server.stop().unwrap();
    server.start_again().unwrap();
    let mut client = server.wait_until_it_answers(Duration::from_secs(60)).unwrap();
    check_reads_go_on(&mut client, rows);
    drop(server);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn shared_buffers_of_terabytes_start_and_serve() {
    for (setting, shown) in [
        ("shared_buffers=8TB", "8TB"),
        ("shared_buffers=16TB", "16TB"),
        ("shared_buffers=2048", "16MB"),
        ("shared_buffers=70000kB", "70000kB"),
    ] {
        let (_server, mut client) = start(1 << 40, &[setting]);
        assert_eq!(client.value("SHOW shared_buffers").unwrap(), shown, "{setting}");
        client.query("CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i").unwrap();
        assert_eq!(number(&mut client, "SELECT count(*) FROM t"), 1000, "{setting}");
    }
}

/// The bytes of memory that a process and its children have.
fn resident_bytes(pid: u32) -> u64 {
    let mut total = 0;
    let tasks = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    for child in tasks.unwrap().split_whitespace() {
        total += resident_bytes(child.parse().unwrap());
    }
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    total + line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn shared_buffers_of_terabytes_take_memory_only_as_they_are_used() {
    const MB: u64 = 1 << 20;
    let (small_server, _small) = start(1 << 40, &["shared_buffers=128MB"]);
    let small = resident_bytes(small_server.pid());
    drop(small_server);
    let (server, mut client) = start(1 << 40, &["shared_buffers=16TB"]);
    let begun = resident_bytes(server.pid());
    assert!(begun < small + 64 * MB, "{} MB against {} MB", begun / MB, small / MB);
    client.query("CREATE TABLE t (a int, b text)").unwrap();
    let fill = "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 60000) i";
    client.query(fill).unwrap();
    let bytes = number(&mut client, "SELECT pg_table_size('t')");
    let used = resident_bytes(server.pid()) - begun;
    say(&format!(
        "shared_buffers = 16TB: {} MB at the start ({} MB with 128MB), {} MB more for {} MB of a table",
        begun / MB,
        small / MB,
        used / MB,
        bytes / MB
    ));
    // It grows by what lies in memory, not by more than what a working server needs besides.
    assert!(
        bytes > 50 * MB && used > bytes / 2 && used < bytes * 2 + 96 * MB,
        "{used} for {bytes}"
    );
}

#[test]
fn shared_buffers_beyond_the_addresses_of_the_machine_are_a_clear_error() {
    let installation: Installation = install().unwrap();
    let said = |setting: &str| {
        Perdura::start_at(program().unwrap(), &installation, None, &[setting]).unwrap_err()
    };
    // 31 TB of each page size and their descriptors: more than the 128 TB of a process.
    let said_31 = said("shared_buffers=31TB");
    assert!(said_31.contains("could not map"), "{said_31}");
    assert!(said_31.contains("Reduce shared_buffers"), "{said_31}");
    let said_32 = said("shared_buffers=32TB");
    assert!(
        said_32.contains("invalid value for parameter \"shared_buffers\": \"32TB\""),
        "{said_32}"
    );
}
