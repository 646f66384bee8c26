//! What became of a transaction is known after a crash too: `pg_xact_status`.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

use std::collections::BTreeMap;
use std::time::Duration;
use testkit::client::Client;
use testkit::kill9::{Running, ServerOptions};
use testkit::perdura::program;

/// Transactions and what became of them.
type Expected = BTreeMap<u64, &'static str>;

fn xid(client: &mut Client) -> u64 {
    client.value("SELECT pg_current_xact_id()").unwrap().parse().unwrap()
}

fn check(client: &mut Client, expected: &Expected) {
    for (xid, status) in expected {
        let sql = format!("SELECT pg_xact_status('{xid}')");
        assert_eq!(client.value(&sql).unwrap(), *status, "transaction {xid}");
    }
}

/// Commits and rolls back a few; one commits without having written, as who only wants to know
/// whether the commit arrived would.
fn some_transactions(client: &mut Client, expected: &mut Expected) {
    for end in ["commit", "rollback", "commit", "rollback", "rollback"] {
        client.query("begin; insert into t values (1)").unwrap();
        let status = if end == "commit" { "committed" } else { "aborted" };
        expected.insert(xid(client), status);
        client.query(end).unwrap();
        client.query("begin").unwrap();
        expected.insert(xid(client), status);
        client.query(end).unwrap();
    }
}

fn prepare(client: &mut Client, name: &str) -> u64 {
    client.query("begin; insert into t values (2)").unwrap();
    let xid = xid(client);
    client.query(&format!("prepare transaction '{name}'")).unwrap();
    xid
}

#[test]
fn what_became_of_transactions_is_known_after_crash_and_restart() {
    let dir = std::env::temp_dir().join(format!("xact-status-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let options = ServerOptions {
        program: program().unwrap(),
        data: dir.join("data"),
        settings: ["listen_addresses=127.0.0.1", "max_prepared_transactions=5"]
            .map(String::from)
            .to_vec(),
        log: dir.join("log"),
    };
    let mut server = Running::start(&options).unwrap();
    let mut client = Client::connect(server.port(), "postgres").unwrap();
    client.query("create table t (a int)").unwrap();
    let mut expected = Expected::new();
    let prepared = ["a", "b"].map(|name| prepare(&mut client, name));
    expected.extend(prepared.map(|xid| (xid, "in progress")));
    some_transactions(&mut client, &mut expected);
    for crash in [true, false, true] {
        // Before and after a checkpoint, and one that runs across it.
        let mut other = Client::connect(server.port(), "postgres").unwrap();
        other.query("begin; insert into t values (3)").unwrap();
        let running = xid(&mut other);
        expected.insert(running, "in progress");
        some_transactions(&mut client, &mut expected);
        client.query("checkpoint").unwrap();
        some_transactions(&mut client, &mut expected);
        let mut late = Client::connect(server.port(), "postgres").unwrap();
        late.query("begin; insert into t values (4)").unwrap();
        let late_one = xid(&mut late);
        check(&mut client, &expected);
        expected.extend([(running, "aborted"), (late_one, "aborted")]);
        match crash {
            true => server.kill_everything().unwrap(),
            false => server.stop().unwrap(),
        }
        server.start_again().unwrap();
        client = server.wait_until_it_answers(Duration::from_secs(120)).unwrap();
        check(&mut client, &expected);
        some_transactions(&mut client, &mut expected);
        check(&mut client, &expected);
    }
    client.query("commit prepared 'a'").unwrap();
    client.query("rollback prepared 'b'").unwrap();
    expected.extend([(prepared[0], "committed"), (prepared[1], "aborted")]);
    check(&mut client, &expected);
    server.kill_everything().unwrap();
    server.start_again().unwrap();
    let mut client = server.wait_until_it_answers(Duration::from_secs(120)).unwrap();
    check(&mut client, &expected);
    drop(server);
    std::fs::remove_dir_all(&dir).unwrap();
}
