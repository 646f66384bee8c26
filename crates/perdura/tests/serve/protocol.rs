//! The extended query protocol, transaction blocks and settings, message by message.

use crate::client::{Answer, Client, Server, kinds, sqlstate};

pub(crate) fn parse(name: &str, query: &str, types: &[u32]) -> Vec<u8> {
    let mut body = format!("{name}\0{query}\0").into_bytes();
    body.extend_from_slice(&u16::try_from(types.len()).unwrap().to_be_bytes());
    types.iter().for_each(|oid| body.extend_from_slice(&oid.to_be_bytes()));
    body
}

pub(crate) fn bind(
    portal: &str,
    statement: &str,
    values: &[Option<&str>],
    binary: bool,
) -> Vec<u8> {
    let mut body = format!("{portal}\0{statement}\0").into_bytes();
    body.extend_from_slice(&[0, 0]);
    body.extend_from_slice(&u16::try_from(values.len()).unwrap().to_be_bytes());
    for value in values {
        match value {
            None => body.extend_from_slice(&(-1i32).to_be_bytes()),
            Some(text) => {
                body.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
                body.extend_from_slice(text.as_bytes());
            }
        }
    }
    body.extend_from_slice(&[0, 1, 0, u8::from(binary)]);
    body
}

pub(crate) fn execute(portal: &str, rows: i32) -> Vec<u8> {
    let mut body = format!("{portal}\0").into_bytes();
    body.extend_from_slice(&rows.to_be_bytes());
    body
}

/// Sends messages, then Sync, and returns all answers.
pub(crate) fn run(client: &mut Client, messages: &[(u8, Vec<u8>)]) -> Vec<Answer> {
    for (kind, body) in messages {
        client.send(*kind, body);
    }
    client.send(b'S', b"");
    client.until_ready()
}

fn status(answers: &[Answer]) -> char {
    char::from(answers.last().unwrap().1[0])
}

#[test]
fn a_prepared_statement_is_described_bound_and_run_in_both_formats() {
    let server = Server::start("extended");
    let mut client = server.connect();
    let answers = run(
        &mut client,
        &[
            (b'P', parse("s", "select $1::int4, $2", &[0, 25])),
            (b'D', b"Ss\0".to_vec()),
            (b'B', bind("", "s", &[Some("42"), None], false)),
            (b'D', b"P\0".to_vec()),
            (b'E', execute("", 0)),
            (b'B', bind("", "s", &[Some("42"), Some("x")], true)),
            (b'E', execute("", 0)),
        ],
    );
    assert_eq!(kinds(&answers), "1tT2TDC2DCZ");
    assert_eq!(answers[1].1, b"\0\x02\0\0\0\x17\0\0\0\x19");
    assert_eq!(answers[5].1, b"\0\x02\0\0\0\x0242\xff\xff\xff\xff");
    assert_eq!(answers[8].1, b"\0\x02\0\0\0\x04\0\0\0\x2a\0\0\0\x01x");
}

#[test]
fn an_error_skips_everything_up_to_sync() {
    let server = Server::start("skip");
    let mut client = server.connect();
    let answers = run(
        &mut client,
        &[
            (b'P', parse("", "selec 1", &[])),
            (b'B', bind("", "", &[], false)),
            (b'E', execute("", 0)),
        ],
    );
    assert_eq!((kinds(&answers).as_str(), sqlstate(&answers).as_str()), ("EZ", "42601"));
    let cases: [(&[(u8, Vec<u8>)], &str); 8] = [
        (&[(b'B', bind("", "nosuch", &[], false))], "26000"),
        (&[(b'E', execute("nosuch", 0))], "34000"),
        (&[(b'D', b"Snosuch\0".to_vec())], "26000"),
        (&[(b'P', parse("", "select 1; select 2", &[]))], "42601"),
        (&[(b'P', parse("", "select $1::int4", &[])), (b'B', bind("", "", &[], false))], "08P01"),
        (
            &[(b'P', parse("", "select $1::int4", &[])), (b'B', bind("", "", &[Some("x")], false))],
            "22P02",
        ),
        (&[(b'P', parse("d", "select 1", &[])), (b'P', parse("d", "select 1", &[]))], "42P05"),
        (&[(b'P', parse("", "select '\u{7f}", &[]))], "42601"),
    ];
    for (messages, expected) in cases {
        assert_eq!(sqlstate(&run(&mut client, messages)), expected);
    }
    assert_eq!(kinds(&client.query("SELECT 1")), "TDCZ");
}

#[test]
fn a_portal_is_fetched_in_portions_and_survives_others() {
    let server = Server::start("portions");
    let mut client = server.connect();
    let answers = run(
        &mut client,
        &[
            (b'P', parse("v", "values (1),(2),(3),(4),(5)", &[])),
            (b'B', bind("a", "v", &[], false)),
            (b'B', bind("b", "v", &[], false)),
            (b'E', execute("a", 2)),
            (b'E', execute("b", 4)),
            (b'E', execute("a", 2)),
            (b'E', execute("a", 2)),
            (b'E', execute("b", 0)),
            (b'C', b"Pa\0".to_vec()),
        ],
    );
    assert_eq!(kinds(&answers), "122DDsDDDDsDDsDCDC3Z");
    // The portals ended with the transaction.
    assert_eq!(sqlstate(&run(&mut client, &[(b'E', execute("b", 0))])), "34000");
}

#[test]
fn portals_are_suspended_in_a_hundred_sessions_and_dropped_in_all() {
    let server = Server::start("suspended");
    let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.query("BEGIN");
        let answers = run(
            client,
            &[
                (b'P', parse("", "values (1),(2),(3)", &[])),
                (b'B', bind("p", "", &[], false)),
                (b'E', execute("p", 1)),
            ],
        );
        assert_eq!((kinds(&answers).as_str(), status(&answers)), ("12DsZ", 'T'));
    }
    let last = clients.split_off(50);
    drop(clients);
    for mut client in last {
        assert_eq!(kinds(&run(&mut client, &[(b'E', execute("p", 0))])), "DDCZ");
        assert_eq!(kinds(&client.query("ROLLBACK")), "CZ");
    }
    assert!(server.threads() <= 7);
}

#[test]
fn a_failed_block_takes_nothing_but_its_end() {
    let server = Server::start("block");
    let mut client = server.connect();
    assert_eq!(status(&client.query("BEGIN")), 'T');
    assert_eq!(status(&client.query("SELEC")), 'E');
    let answers = client.query("SELECT 1");
    assert_eq!((sqlstate(&answers).as_str(), status(&answers)), ("25P02", 'E'));
    let answers = run(&mut client, &[(b'P', parse("", "select 1", &[]))]);
    assert_eq!((sqlstate(&answers).as_str(), status(&answers)), ("25P02", 'E'));
    let answers = client.query("COMMIT");
    assert_eq!((&answers[0].1[..], status(&answers)), (&b"ROLLBACK\0"[..], 'I'));
}

#[test]
fn start_transaction_and_begin_have_tags_of_their_own() {
    let server = Server::start("tags");
    let mut client = server.connect();
    for tag in ["BEGIN", "START TRANSACTION"] {
        let answers = client.query(tag);
        assert_eq!(answers[0].1, format!("{tag}\0").into_bytes());
        client.query("ROLLBACK");
    }
}

#[test]
fn a_pipeline_is_one_transaction_and_a_begin_in_it_makes_a_block() {
    let server = Server::start("implicit");
    let mut client = server.connect();
    let statement = |text: &str| {
        vec![(b'P', parse("", text, &[])), (b'B', bind("", "", &[], false)), (b'E', execute("", 0))]
    };
    let mut messages = statement("select 1");
    messages.extend(statement("savepoint s"));
    let answers = run(&mut client, &messages);
    assert_eq!((sqlstate(&answers).as_str(), status(&answers)), ("25P01", 'I'));
    let mut messages = statement("begin");
    messages.extend(statement("savepoint s"));
    messages.extend(statement("select 1"));
    let answers = run(&mut client, &messages);
    assert_eq!((kinds(&answers).as_str(), status(&answers)), ("12C12C12DCZ", 'T'));
}

#[test]
fn reported_settings_are_told_before_ready() {
    let server = Server::start("settings");
    let mut client = server.connect();
    let answers = client.query("SET TimeZone = 'Asia/Tokyo'");
    assert_eq!(kinds(&answers), "CSZ");
    assert_eq!(answers[1].1, b"TimeZone\0Asia/Tokyo\0");
    let answers = client.query("BEGIN; SET LOCAL DateStyle = 'German'; ROLLBACK");
    assert_eq!(kinds(&answers), "CCCZ");
    let answers = client.query("SHOW server_version_num; SHOW server_version");
    assert_eq!(&answers[1].1[6..], b"180004");
    assert!(answers[4].1[6..].starts_with(b"18.4 (Perdura "));
}

#[test]
fn idle_sessions_end_after_their_timeout() {
    let server = Server::start("idle");
    let mut client = server.connect();
    client.query("SET idle_session_timeout = '30ms'");
    assert_eq!(sqlstate(&client.until_ready()), "57P05");
    let mut client = server.connect();
    client.query("SET idle_in_transaction_session_timeout = '30ms'");
    client.query("BEGIN");
    assert_eq!(sqlstate(&client.until_ready()), "25P03");
}

#[test]
fn a_pipeline_that_is_not_synced_is_not_idle() {
    let server = Server::start("idle-pipeline");
    let mut client = server.connect();
    client.query("SET idle_session_timeout = '100ms'");
    let statement = [
        (b'P', parse("", "select 1", &[])),
        (b'B', bind("", "", &[], false)),
        (b'E', execute("", 0)),
    ];
    for (kind, body) in &statement {
        client.send(*kind, body);
    }
    client.send(b'H', b"");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(kinds(&run(&mut client, &statement)), "12DC12DCZ");
    assert_eq!(sqlstate(&client.until_ready()), "57P05");
}

#[test]
fn transaction_timeout_counts_for_each_transaction() {
    let server = Server::start("timed");
    let mut client = server.connect();
    client.query("SET transaction_timeout = '400ms'");
    let answers = client.query("BEGIN; SELECT pg_sleep(0.3); COMMIT; BEGIN; SELECT pg_sleep(0.3)");
    assert_eq!((kinds(&answers).as_str(), status(&answers)), ("CTDCCCTDCZ", 'T'));
    assert_eq!(kinds(&client.query("COMMIT AND CHAIN")), "CZ");
    assert_eq!(kinds(&client.query("SELECT pg_sleep(0.3)")), "TDCZ");
    client.query("SET transaction_timeout = 0");
    client.query("SET transaction_timeout = '400ms'");
    assert_eq!(kinds(&client.query("SELECT pg_sleep(0.3)")), "TDCZ");
    client.query("COMMIT");
    // An error ends the clock.
    client.query("BEGIN");
    assert_eq!(sqlstate(&client.query("SELECT 1 / 0")), "22012");
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert_eq!(kinds(&client.query("ROLLBACK")), "CZ");
    // A pipeline is one transaction, a message of several statements too.
    let portal = [(b'B', bind("", "sleep", &[], false)), (b'E', execute("", 0))];
    let mut messages = vec![(b'P', parse("sleep", "select pg_sleep(0.3)", &[]))];
    messages.extend(portal.iter().cloned().chain(portal.iter().cloned()));
    assert_eq!(sqlstate(&run(&mut client, &messages)), "25P04");
    let mut client = server.connect();
    let answers = client.query("SET transaction_timeout = '100ms'; SELECT pg_sleep(20)");
    assert_eq!(sqlstate(&answers), "25P04");
}

/// The fields of an error that name things: schema, table, column, type and constraint.
fn named(answers: &[Answer]) -> String {
    let error = &answers.iter().find(|(kind, _)| *kind == b'E').unwrap().1;
    let fields = error.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let named = fields.filter(|field| b"stcdn".contains(&field[0]));
    named.map(|field| String::from_utf8_lossy(field).into_owned()).collect::<Vec<_>>().join(" ")
}

#[test]
fn errors_of_constraints_name_schema_table_column_and_constraint() {
    let server = Server::start("named");
    let mut client = server.connect();
    for sql in [
        "CREATE SCHEMA s",
        "CREATE TABLE s.p (a int PRIMARY KEY, b int NOT NULL, CONSTRAINT small CHECK (b < 9))",
        "CREATE TABLE c (a int CONSTRAINT parent REFERENCES s.p)",
        "INSERT INTO s.p VALUES (1, 1)",
        "INSERT INTO c VALUES (1)",
    ] {
        assert_eq!(kinds(&client.query(sql)), "CZ", "{sql}");
    }
    for (sql, expected) in [
        ("INSERT INTO s.p VALUES (1, 2)", "ss tp np_pkey"),
        ("INSERT INTO s.p VALUES (2, NULL)", "ss tp cb"),
        ("UPDATE s.p SET b = 10", "ss tp nsmall"),
        ("INSERT INTO c VALUES (3)", "spublic tc nparent"),
        ("DELETE FROM s.p", "spublic tc nparent"),
    ] {
        assert_eq!(named(&client.query(sql)), expected, "{sql}");
    }
}

#[test]
fn with_exit_on_error_the_first_error_ends_the_session() {
    let server = Server::start("exit-on-error");
    let mut client = server.connect();
    assert_eq!(sqlstate(&client.query("SELECT 1 / 0")), "22012");
    client.query("SET exit_on_error = on");
    let answers = client.query("SELECT 1 / 0");
    assert_eq!(sqlstate(&answers), "22012");
    assert!(answers[0].1.starts_with(b"SFATAL\0"));
    assert!(client.receive().is_none(), "the connection is closed");
}
