//! Transaction ids of 64 bits, as clients see them, up to the last one.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

use std::path::Path;
use std::process::Command;
use testkit::Server;
use testkit::client::Client;
use testkit::oracle::{Installation, install};
use testkit::perdura::{Perdura, program};

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
#[ignore = "make test-edges runs it"]
fn a_client_of_32_bits_reads_a_transaction_id_above_2_to_the_32_as_unsigned_long_long() {
    let (server, mut client) = start((1 << 32) + 1000, &[]);
    client.query("CREATE TABLE t (a int)").unwrap();
    client.query("INSERT INTO t VALUES (1)").unwrap();
    let xmin = number(&mut client, "SELECT xmin FROM t");
    assert!(xmin > 1 << 32, "{xmin}");
    let said = client_of_32_bits(server.port(), "SELECT xmin FROM t");
    assert_eq!(said, format!("8 {xmin}\n"));
    let narrow = "SET xid_binary_width = 32";
    client.query(&format!("ALTER ROLE postgres {narrow}")).unwrap();
    let said = client_of_32_bits(server.port(), "SELECT xmin FROM t");
    assert_eq!(said, format!("4 {}\n", xmin & 0xFFFF_FFFF), "the upper half is cut off");
    assert_eq!(client.value("SELECT typlen FROM pg_type WHERE typname = 'xid'").unwrap(), "8");
}

#[test]
#[ignore = "make test-edges runs it"]
fn the_last_transaction_id_stops_writers_with_a_clear_error_and_nobody_else() {
    let (_server, mut client) = start((1 << 63) - 9000, &[]);
    client.query("CREATE TABLE t (a int)").unwrap();
    client.query("INSERT INTO t VALUES (1)").unwrap();
    let mut written = 1;
    let failure = loop {
        match client.query("INSERT INTO t VALUES (1);") {
            Ok(_) => written += 1,
            Err(failure) => break failure,
        }
        assert!(written < 10_000);
    };
    assert_eq!(failure.sqlstate(), Some("54000"), "{failure}");
    assert!(failure.to_string().contains("2^63"), "{failure}");
    // Nothing is lost, and reads go on.
    assert_eq!(number(&mut client, "SELECT count(*) FROM t"), written);
    assert_eq!(
        number(&mut client, "SELECT max(xmin::text::numeric) / 1000 FROM t") / 1000,
        9_223_372_036_854
    );
    let again = client.query("DELETE FROM t").unwrap_err();
    assert_eq!(again.sqlstate(), Some("54000"), "{again}");
    assert_eq!(number(&mut client, "SELECT count(*) FROM t"), written);
}

#[test]
#[ignore = "make test-edges runs it"]
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
