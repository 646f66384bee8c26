//! What the views over memory contexts and the ledger say is true, of the own session and of others.

use std::time::Duration;
use testkit::client::{Client, Failure};
use testkit::kill9::{Running, ServerOptions};
use testkit::report::in_folder;

/// Rows of names and numbers, the numbers of the contexts of a session.
const CONTEXTS: &str = "select name, type, level, array_length(path, 1), total_bytes, used_bytes, \
                        free_bytes, total_nblocks, peak_bytes from perdura_memory_contexts() where pid = ";

fn number(cell: &Option<String>) -> u64 {
    cell.as_deref().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}

/// A session that is in the midst of a sort.
fn sorting(port: u16) -> Result<(Client, String), Failure> {
    let mut client = Client::connect(port, "postgres")?;
    let pid = client.value("select pg_backend_pid()")?;
    client.query("begin")?;
    client.query(
        "declare c cursor for select i, repeat('x', 100) from generate_series(1, 20000) i order by -i",
    )?;
    assert_eq!(client.query("fetch 1 from c")?[0][0].as_deref(), Some("20000"));
    Ok((client, pid))
}

fn others_are_seen(port: u16) -> Result<(), Failure> {
    let (mut sorting, pid) = sorting(port)?;
    let mut client = Client::connect(port, "postgres")?;
    let rows = client.query(&format!("{CONTEXTS}{pid}"))?;
    let sort = rows.iter().find(|row| row[0].as_deref() == Some("Sort")).expect("the sort's");
    // 20,000 rows of 104 bytes and more.
    assert!((2_000_000..20_000_000).contains(&number(&sort[4])), "{sort:?}");
    assert_eq!(sort[1].as_deref(), Some("AllocSet"));
    for row in &rows {
        let at = |column: usize| number(&row[column]);
        assert_eq!(row[2], row[3], "a path has the context's own number at its end: {row:?}");
        assert_eq!(at(4), at(5) + at(6), "{row:?}");
        assert!(at(8) >= at(4) && (at(7) > 0) == (at(4) > 0), "{row:?}");
    }
    let of_session = |what: &str| {
        format!(
            "select {what} from perdura_memory_ledger() where level = 'session' and id = {pid} and name = 'session'"
        )
    };
    let held: u64 = rows.iter().map(|row| number(&row[4])).sum();
    let reserved = number(&Some(client.value(&of_session("reserved_bytes"))?));
    assert!(held <= reserved && reserved < held + held / 4 + (1 << 20), "{held} of {reserved}");
    sorting.query("rollback")?;
    let rows = client.query(&format!("{CONTEXTS}{pid}"))?;
    assert!(rows.iter().all(|row| row[0].as_deref() != Some("Sort")), "{rows:?}");
    let after = number(&Some(client.value(&of_session("reserved_bytes"))?));
    let peak = number(&Some(client.value(&of_session("peak_bytes"))?));
    assert!(after < 1 << 20 && peak >= reserved, "{after}, {peak}");
    Ok(())
}

fn the_own_session_is_seen_as_postgresql_shows_it(port: u16) -> Result<(), Failure> {
    let (mut client, pid) = sorting(port)?;
    let rows = client.query(
        "select name, level, path, total_bytes, free_bytes, used_bytes from pg_backend_memory_contexts",
    )?;
    let top = &rows[0];
    assert_eq!(top[..3], [Some("TopMemoryContext".into()), Some("1".into()), Some("{1}".into())]);
    let mut paths = std::collections::HashSet::new();
    for row in &rows {
        let path = row[2].clone().unwrap_or_default();
        let above = path.rsplit_once(',').map(|(above, _)| format!("{above}}}"));
        assert!(above.is_none_or(|above| paths.contains(&above)), "no parent of {row:?}");
        assert_eq!(path.split(',').count() as u64, number(&row[1]), "{row:?}");
        assert_eq!(number(&row[3]), number(&row[4]) + number(&row[5]), "{row:?}");
        assert!(paths.insert(path), "a path names one context: {row:?}");
    }
    let total: u64 = rows.iter().map(|row| number(&row[3])).sum();
    let reserved = client.value(&format!(
        "select reserved_bytes from perdura_memory_ledger() where level = 'session' and id = {pid} and name = 'session'"
    ))?;
    let difference = total.abs_diff(number(&Some(reserved)));
    assert!(difference < 1 << 20, "{difference} bytes between the contexts and the account");
    Ok(())
}

fn only_the_privileged_see_them(port: u16) -> Result<(), Failure> {
    let mut client = Client::connect(port, "postgres")?;
    client.query("create role plain; create role reader in role pg_read_all_stats")?;
    for (role, what, allowed) in [
        ("plain", "pg_backend_memory_contexts", false),
        ("plain", "perdura_memory_contexts()", false),
        ("plain", "perdura_memory_ledger()", false),
        ("reader", "pg_backend_memory_contexts", true),
        ("reader", "perdura_memory_contexts()", true),
        ("reader", "perdura_memory_ledger()", true),
    ] {
        client.query(&format!("set role {role}"))?;
        let answer = client.query(&format!("select count(*) from {what}"));
        match answer {
            Ok(_) => assert!(allowed, "{role} reads {what}"),
            Err(failure) => assert!(!allowed && failure.sqlstate() == Some("42501"), "{failure}"),
        }
        client.query("reset role")?;
    }
    Ok(())
}

fn the_log_has_the_contexts_of_another_session(server: &Running) -> Result<(), Failure> {
    let (_sorting, pid) = sorting(server.port())?;
    let mut client = Client::connect(server.port(), "postgres")?;
    assert_eq!(client.value(&format!("select pg_log_backend_memory_contexts({pid})"))?, "t");
    assert_eq!(client.value("select pg_log_backend_memory_contexts(2147483647)")?, "f");
    std::thread::sleep(Duration::from_millis(100));
    let log = server.log();
    for expected in [&format!("logging memory contexts of PID {pid}"), "; Sort: ", "Grand total: "]
    {
        assert!(log.contains(expected), "{expected} is not in\n{log}");
    }
    Ok(())
}

#[test]
fn the_views_over_memory_say_what_is_so() {
    let dir = testkit::workspace().join(format!("build/memory-views-{}", std::process::id()));
    let result = in_folder(&dir, || {
        let mut options = ServerOptions::in_folder(&dir);
        options.program = testkit::perdura::program()?;
        let mut server = Running::start(&options)?;
        server.wait_until_it_answers(Duration::from_secs(60))?;
        let port = server.port();
        others_are_seen(port)
            .and_then(|()| the_own_session_is_seen_as_postgresql_shows_it(port))
            .and_then(|()| only_the_privileged_see_them(port))
            .and_then(|()| the_log_has_the_contexts_of_another_session(&server))
            .map_err(|failure| format!("{failure}\n{}", server.log_tail()))?;
        server.stop()
    });
    assert_eq!(result, Ok(()));
}
