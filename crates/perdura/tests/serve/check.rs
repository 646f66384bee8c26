//! `perdura check`, and what a server says of a damaged page.

use crate::client::{Server, kinds, sqlstate};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

fn files(dir: &Path) -> BTreeSet<PathBuf> {
    let list = std::fs::read_dir(dir.join("base")).unwrap();
    list.map(|entry| entry.unwrap().path()).collect()
}

/// What `perdura check` prints, and its exit code.
fn check(dir: &Path) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perdura"));
    let output = command.arg("check").arg("-D").arg(dir).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

/// Turns the bits of a byte in the middle of a page around.
fn damage(path: &Path, page: u64, page_bytes: u64) {
    let mut file = std::fs::File::options().read(true).write(true).open(path).unwrap();
    let at = page * page_bytes + page_bytes / 2;
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[!byte[0]]).unwrap();
}

fn restart(server: &mut Server) {
    server.postmaster = Server::command(&server.dir, server.port).spawn().unwrap();
    server.wait_ready();
}

fn stop(server: &mut Server) {
    server.signal(Signal::INT);
    assert_eq!(server.wait_exit(), 0);
}

#[test]
fn damage_is_found_by_check_and_told_by_queries() {
    let mut server = Server::start("check");
    let mut client = server.connect();
    let fill = "SELECT i AS a, repeat(i::text, 20) AS b FROM generate_series(1, 5000) i";
    let before = files(&server.dir);
    assert_eq!(kinds(&client.query(&format!("CREATE TABLE t AS {fill}"))), "CZ");
    let table = files(&server.dir).difference(&before).next().unwrap().clone();
    let before = files(&server.dir);
    assert_eq!(kinds(&client.query("CREATE UNIQUE INDEX t_a ON t (a)")), "CZ");
    let index = files(&server.dir).difference(&before).next().unwrap().clone();
    client.query("CREATE INDEX t_e ON t (lower(b)) WHERE a > 100");
    client.query("CREATE TABLE other (a int PRIMARY KEY, long text)");
    client.query("INSERT INTO other SELECT i, repeat('x', i * 100) FROM generate_series(1, 900) i");
    client.query("UPDATE t SET a = -a WHERE a % 3 = 0");
    client.query("DELETE FROM t WHERE a % 7 = 0");
    let (text, code) = check(&server.dir);
    assert!(text.contains("Is another postmaster"), "{text}");
    assert_eq!(code, Some(1));
    stop(&mut server);
    let (text, code) = check(&server.dir);
    assert!(text.contains("nothing is wrong"), "{text}");
    assert_eq!(code, Some(0));

    damage(&index, 3, 8192);
    damage(&table, 2, 32768);
    std::fs::write(server.dir.join("base/99999999"), "").unwrap();
    let (text, code) = check(&server.dir);
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    for (relation, block, path) in [("table \"t\"", 2, &table), ("index \"t_a\"", 3, &index)] {
        let expected = format!(
            "database \"postgres\", {relation}: invalid page in block {block} of relation \
             \"base/{}\"",
            name(path)
        );
        assert!(text.contains(&expected), "{text}");
    }
    assert!(text.contains("file 99999999 belongs to no relation"), "{text}");
    assert!(text.contains("3 problems"), "{text}");
    assert_eq!(code, Some(2));
    std::fs::remove_file(server.dir.join("base/99999999")).unwrap();

    restart(&mut server);
    let mut client = server.connect();
    let answers = client.query("SELECT count(*) FROM t");
    assert_eq!(sqlstate(&answers), "XX001");
    let shown = String::from_utf8_lossy(&answers[answers.len() - 2].1).into_owned();
    assert!(shown.contains("invalid page in block 2 of relation \"base/"), "{shown}");
    assert!(shown.contains("perdura check"), "{shown}");
    // The rest is there, and what is damaged can be dropped.
    assert_eq!(kinds(&client.query("SELECT count(*), sum(length(long)) FROM other")), "TDCZ");
    assert_eq!(kinds(&client.query("DROP TABLE t")), "CZ");
    drop(client);
    stop(&mut server);
    let (text, code) = check(&server.dir);
    assert!(text.contains("nothing is wrong"), "{text}");
    assert_eq!(code, Some(0));
}

#[test]
fn check_takes_back_what_a_killed_server_left() {
    let mut server = Server::start("check-killed");
    let mut client = server.connect();
    client.query("CREATE TABLE t (a int PRIMARY KEY, b text)");
    client.query("INSERT INTO t SELECT i, 'x' FROM generate_series(1, 3000) i");
    client.query("BEGIN");
    client.query("ALTER TABLE t ALTER b TYPE int USING length(b), ADD COLUMN c serial");
    client.query("CREATE INDEX t_b ON t (b)");
    client.query("UPDATE t SET a = a + 10000");
    client.query("CREATE TABLE u AS SELECT * FROM t");
    client.query("TRUNCATE t");
    // Both die at once; the server process with its postmaster.
    server.postmaster.kill().unwrap();
    server.postmaster.wait().unwrap();
    let (text, code) = check(&server.dir);
    assert!(text.contains("nothing is wrong"), "{text}");
    assert_eq!(code, Some(0));
    restart(&mut server);
    let mut client = server.connect();
    let answers = client.query("SELECT count(*), max(b), sum(a) FROM t");
    assert_eq!(kinds(&answers), "TDCZ");
    let row = String::from_utf8_lossy(&answers[1].1).into_owned();
    assert!(row.contains("3000") && row.contains("4501500"), "{row}");
    assert_eq!(sqlstate(&client.query("SELECT * FROM u")), "42P01");
}

#[test]
fn check_finds_nothing_wrong_with_what_is_prepared() {
    let prepares = |command: &mut Command| {
        command.args(["-c", "max_prepared_transactions=5"]);
    };
    let mut server = Server::start_with("check-prepared", prepares);
    let mut client = server.connect();
    client.query("CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE)");
    client.query("CREATE INDEX t_e ON t ((a + b)) WHERE a > 3");
    client.query("INSERT INTO t SELECT i, i FROM generate_series(1, 10) i");
    client.query("CREATE TABLE dropped (a int PRIMARY KEY)");
    client.query("CREATE TABLE emptied (a int PRIMARY KEY)");
    client.query("INSERT INTO emptied VALUES (1)");
    client.query("BEGIN");
    client.query("INSERT INTO t VALUES (11, 11), (12, 12)");
    client.query("UPDATE t SET a = 70 WHERE a = 7");
    client.query("UPDATE t SET b = -b WHERE a < 3");
    client.query("UPDATE t SET b = -b WHERE a < 2");
    client.query("DELETE FROM t WHERE a IN (6, 12)");
    assert_eq!(kinds(&client.query("PREPARE TRANSACTION 'rows'")), "CZ");
    client.query("BEGIN");
    client.query("CREATE TABLE made (a serial PRIMARY KEY, b text UNIQUE)");
    client.query("INSERT INTO made (b) VALUES ('x')");
    client.query("DROP TABLE dropped");
    client.query("TRUNCATE emptied");
    client.query("INSERT INTO emptied VALUES (2)");
    client.query("TRUNCATE emptied");
    assert_eq!(kinds(&client.query("PREPARE TRANSACTION 'relations'")), "CZ");
    drop(client);
    stop(&mut server);
    let (text, code) = check(&server.dir);
    assert!(text.contains("nothing is wrong"), "{text}");
    assert_eq!(code, Some(0));
    let mut command = Server::command(&server.dir, server.port);
    prepares(&mut command);
    server.postmaster = command.spawn().unwrap();
    server.wait_ready();
    let mut client = server.connect();
    assert_eq!(kinds(&client.query("COMMIT PREPARED 'rows'")), "CZ");
    assert_eq!(kinds(&client.query("ROLLBACK PREPARED 'relations'")), "CZ");
    drop(client);
    stop(&mut server);
    let (text, code) = check(&server.dir);
    assert!(text.contains("nothing is wrong"), "{text}");
    assert_eq!(code, Some(0));
}

/// Replaces the only place of `from` in a file of 8 kB or 32 kB pages, and makes the page's
/// checksum right again.
fn forge(path: &Path, page_bytes: usize, from: &[u8], to: &[u8]) {
    let mut bytes = std::fs::read(path).unwrap();
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert_eq!(places.len(), 1, "{places:?}");
    bytes[places[0]..places[0] + to.len()].copy_from_slice(to);
    let start = places[0] / page_bytes * page_bytes;
    let page = &mut bytes[start..start + page_bytes];
    let sum = crc32c::crc32c_append(crc32c::crc32c(&page[..8]), &page[12..]);
    page[8..12].copy_from_slice(&sum.to_le_bytes());
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn check_computes_expressions_and_predicates_again() {
    let mut server = Server::start("check-keys");
    let mut client = server.connect();
    let before = files(&server.dir);
    client.query("CREATE TABLE t (a int, b int, c int)");
    let table = files(&server.dir).difference(&before).next().unwrap().clone();
    let fill = "SELECT 7000000 + i, 8000000 + i, 9000000 + i FROM generate_series(1, 500) i";
    client.query(&format!("INSERT INTO t {fill}"));
    for index in [
        "CREATE INDEX t_plain ON t (c)",
        "CREATE INDEX t_key ON t ((a * 2), lower('X' || a))",
        "CREATE INDEX t_some ON t (c) WHERE b < 8000100",
        "CREATE INDEX t_with ON t (c) INCLUDE (b)",
    ] {
        assert_eq!(kinds(&client.query(index)), "CZ", "{index}");
    }
    client.query("UPDATE t SET a = a + 1000 WHERE a % 5 = 0");
    client.query("UPDATE t SET b = b + 1000 WHERE b % 10 = 3");
    client.query("DELETE FROM t WHERE c % 9 = 0");
    drop(client);
    stop(&mut server);
    let (text, code) = check(&server.dir);
    assert!(text.contains("nothing is wrong"), "{text}");
    assert_eq!(code, Some(0));

    let forged = |from: i32, to: i32| {
        forge(&table, 32768, &from.to_le_bytes(), &to.to_le_bytes());
        let (text, code) = check(&server.dir);
        forge(&table, 32768, &to.to_le_bytes(), &from.to_le_bytes());
        assert_eq!(code, Some(2), "{text}");
        assert!(!text.contains("t_plain"), "{text}");
        text
    };
    let text = forged(7_000_301, 7_000_999);
    assert!(
        text.contains("\"t_key\": an entry points to row 301, which has another key"),
        "{text}"
    );
    assert!(!text.contains("t_some") && !text.contains("t_with"), "{text}");
    let text = forged(8_000_050, 8_000_950);
    assert!(
        text.contains("\"t_some\": an entry points to row 50, which does not belong in it"),
        "{text}"
    );
    assert!(text.contains("\"t_with\": an entry points to row 50, which has another"), "{text}");
    let text = forged(8_000_350, 8_000_003);
    assert!(text.contains("\"t_some\": row 350 has no entry"), "{text}");
    let (text, code) = check(&server.dir);
    assert!(text.contains("nothing is wrong"), "{text}");
    assert_eq!(code, Some(0));
}

/// The seed's two options are on in every build.
#[test]
fn version_tells_that_memory_and_transaction_ids_have_64_bits() {
    let said = Command::new(env!("CARGO_BIN_EXE_perdura")).arg("--version").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    for option in base::build::OPTIONS {
        assert!(said.lines().any(|line| line.ends_with(&format!(": on ({option})"))), "{said}");
    }
}
