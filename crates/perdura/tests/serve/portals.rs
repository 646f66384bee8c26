//! Portals that are run in portions, and portals whose tables changed since Bind.

use crate::client::{Answer, Server, kinds, sqlstate};
use crate::protocol::{bind, execute, parse, run};

/// The tags of CommandComplete.
fn tags(answers: &[Answer]) -> Vec<String> {
    let complete = answers.iter().filter(|(kind, _)| *kind == b'C');
    complete.map(|(_, body)| String::from_utf8_lossy(&body[..body.len() - 1]).into()).collect()
}

#[test]
fn rows_of_statements_that_run_to_their_end_come_in_portions_too() {
    let server = Server::start("portions-of-changes");
    let mut client = server.connect();
    client.query("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 5)");
    let cases: [(&str, [i32; 3], &str, &[&str]); 6] = [
        ("UPDATE t SET a = a + 10 RETURNING a", [2, 2, 0], "12DDsDDsDCZ", &["UPDATE 1"]),
        (
            "UPDATE t SET a = a - 10 RETURNING a",
            [9, 0, 3],
            "12DDDDDCCCZ",
            &["UPDATE 5", "UPDATE 0", "UPDATE 0"],
        ),
        (
            "INSERT INTO t VALUES (6), (7) RETURNING a",
            [2, 2, 2],
            "12DDsCCZ",
            &["INSERT 0 0", "INSERT 0 0"],
        ),
        ("DELETE FROM t WHERE a > 5 RETURNING a", [1, 1, 1], "12DsDsCZ", &["DELETE 0"]),
        (
            "WITH n AS (INSERT INTO t VALUES (6) RETURNING a) SELECT a FROM n UNION ALL SELECT 7",
            [1, 0, 0],
            "12DsDCCZ",
            &["SELECT 1", "SELECT 0"],
        ),
        ("EXPLAIN (COSTS off) SELECT FROM t WHERE a = 1", [1, 1, 1], "12DsDsCZ", &["EXPLAIN"]),
    ];
    for (sql, portions, expected, complete) in cases {
        let mut messages = vec![(b'P', parse("", sql, &[])), (b'B', bind("", "", &[], false))];
        messages.extend(portions.map(|rows| (b'E', execute("", rows))));
        let answers = run(&mut client, &messages);
        assert_eq!(kinds(&answers), expected, "{sql}");
        assert_eq!(tags(&answers), complete, "{sql}");
    }
    // A portal that is not fetched to its end has changed everything.
    let messages = [
        (b'P', parse("", "UPDATE t SET a = 0 RETURNING a", &[])),
        (b'B', bind("", "", &[], false)),
        (b'E', execute("", 1)),
    ];
    assert_eq!(kinds(&run(&mut client, &messages)), "12DsZ");
    let answers = client.query("SELECT count(*) FROM t WHERE a = 0");
    assert_eq!(&answers[1].1[6..], b"6");
}

#[test]
fn a_bound_portal_is_planned_again_when_its_table_has_changed() {
    let server = Server::start("bound-before");
    let mut client = server.connect();
    let insert = "INSERT INTO t VALUES ($1, $2) RETURNING *";
    for (change, expected) in [
        ("DROP TABLE t", "42P01"),
        ("ALTER TABLE t DROP COLUMN b", "42601"),
        ("ALTER TABLE t ADD COLUMN c int DEFAULT 5", "0A000"),
        ("ALTER TABLE t ALTER COLUMN a TYPE bigint", "0A000"),
        ("ALTER TABLE t ADD CHECK (a < 7)", "23514"),
        ("ALTER TABLE t ALTER COLUMN b SET NOT NULL", "23502"),
        ("CREATE UNIQUE INDEX ON t (a)", ""),
        ("TRUNCATE t", ""),
    ] {
        client.query("DROP TABLE IF EXISTS t; CREATE TABLE t (a int, b text); BEGIN");
        let values = [Some("7"), None];
        let bound = [(b'P', parse("s", insert, &[])), (b'B', bind("p", "s", &values, false))];
        assert_eq!(kinds(&run(&mut client, &bound)), "12Z");
        assert_eq!(kinds(&client.query(change)), "CZ", "{change}");
        let answers = run(&mut client, &[(b'E', execute("p", 0)), (b'C', b"Ss\0".to_vec())]);
        match expected {
            "" => assert_eq!(kinds(&answers), "DC3Z", "{change}"),
            _ => assert_eq!(sqlstate(&answers), expected, "{change}"),
        }
        client.query("COMMIT");
        if expected.is_empty() {
            let answers = client.query("SELECT a FROM t WHERE a = 7");
            assert_eq!(kinds(&answers), "TDCZ", "{change}");
        }
        run(&mut client, &[(b'C', b"Ss\0".to_vec())]);
    }
}

#[test]
fn no_text_with_a_zero_byte_comes_in() {
    let server = Server::start("zero-bytes");
    let mut client = server.connect();
    for type_name in ["text", "varchar", "char(9)", "name", "json", "jsonb", "text[]", "bytea"] {
        let sql = format!("SELECT $1::{type_name}");
        let messages =
            [(b'P', parse("", &sql, &[])), (b'B', bind("", "", &[Some("\"a\0b\"")], false))];
        assert_eq!(sqlstate(&run(&mut client, &messages)), "22021", "{type_name}");
    }
    assert_eq!(kinds(&client.query("SELECT 1")), "TDCZ");
}
