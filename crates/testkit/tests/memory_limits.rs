//! What grows with what clients do is charged to the ledger and stays under its limits.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use testkit::bench::{resident_bytes, tree};
use testkit::client::{Client, Failure, Outgoing};
use testkit::kill9::{Running, ServerOptions};
use testkit::perdura;

struct Fixture {
    server: Running,
    dir: PathBuf,
}

impl Fixture {
    fn new(name: &str, settings: &[&str]) -> Fixture {
        let dir = std::env::temp_dir().join(format!("perdura-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let options = ServerOptions {
            program: perdura::program().unwrap(),
            data: dir.join("data"),
            settings: settings.iter().map(|text| (*text).to_owned()).collect(),
            log: dir.join("log"),
        };
        Fixture { server: Running::start(&options).unwrap(), dir }
    }

    fn connect(&self) -> Client {
        let mut client = Client::connect(self.server.port(), "postgres").unwrap();
        client.patience(Duration::from_secs(300)).unwrap();
        client
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap()
    }

    fn end(mut self) {
        self.server.stop().unwrap();
        std::fs::remove_dir_all(&self.dir).unwrap();
    }
}

/// A number of an account of the ledger.
fn account(client: &mut Client, name: &str, what: &str) -> u64 {
    let sql = format!("select {what} from perdura_memory_ledger() where name = '{name}'");
    client.value(&sql).unwrap().parse().unwrap()
}

fn state(failure: &Failure) -> &str {
    failure.sqlstate().unwrap_or("no SQLSTATE")
}

#[test]
fn caches_hold_their_limits_while_statements_go_on() {
    const TABLES: usize = 120;
    let fixture = Fixture::new("caches", &["plan_cache_limit=256kB", "catalog_cache_limit=256kB"]);
    let mut one = fixture.connect();
    for n in 0..TABLES {
        one.query(&format!("create table t{n} (a int primary key, b text, c int)")).unwrap();
        one.query(&format!("insert into t{n} values (1, 'x', {n})")).unwrap();
    }
    let mut sessions = [one, fixture.connect()];
    for client in &mut sessions {
        for n in 0..TABLES {
            let sql = format!("prepare p{n} as select c, b from t{n} where a = $1 order by b");
            client.query(&sql).unwrap();
        }
    }
    for round in 0..3 {
        for client in &mut sessions {
            for n in 0..TABLES {
                let rows = client.query(&format!("execute p{n}(1)")).unwrap();
                assert_eq!(rows[0][0].as_deref(), Some(&*n.to_string()), "round {round}");
                let rows = client.query(&format!("select b, c from t{n}")).unwrap();
                assert_eq!(rows[0][1].as_deref(), Some(&*n.to_string()), "round {round}");
            }
            for name in ["plan cache", "catalog cache"] {
                let held = account(client, name, "reserved_bytes");
                assert!(held <= 256 << 10, "the {name} has {held} bytes");
                let most = account(client, name, "peak_bytes");
                assert!(most > 200 << 10, "the {name} never had more than {most} bytes");
            }
        }
    }
    let texts = account(&mut sessions[0], "prepared statements", "reserved_bytes");
    assert!(texts > TABLES as u64 * 60, "{texts} bytes");
    for client in &mut sessions {
        client.query("deallocate all").unwrap();
    }
    assert_eq!(account(&mut sessions[0], "plan cache", "reserved_bytes"), 0);
    assert_eq!(account(&mut sessions[0], "prepared statements", "reserved_bytes"), 0);
    fixture.end();
}

#[test]
fn locks_and_foreign_keys_are_charged_or_written() {
    let fixture = Fixture::new("locks", &["memory_limit=256MB", "shared_buffers=16MB"]);
    let mut client = fixture.connect();
    client.query("create table p (a int primary key)").unwrap();
    client.query("insert into p select g from generate_series(1, 100000) g").unwrap();
    client.query("begin").unwrap();
    let locked = client.value("select count(*) from (select a from p for share) s").unwrap();
    assert_eq!(locked, "100000");
    let held = account(&mut client, "lock table", "reserved_bytes");
    assert!((1..1 << 20).contains(&held), "{held} bytes for 100,000 row locks");
    client.query("commit").unwrap();
    assert_eq!(account(&mut client, "lock table", "reserved_bytes"), 0);

    let written = || fixture.log().matches("temporary file: path").count();
    client.query("set log_temp_files = 0").unwrap();
    client.query("set work_mem = '64kB'").unwrap();
    client.query("create table c (a int references p)").unwrap();
    let before = written();
    client.query("insert into c select g from generate_series(1, 20000) g").unwrap();
    assert_eq!(written(), before + 1, "the events of the foreign key go to a file");
    let missing = client.query("insert into c select g from generate_series(99000, 100001) g");
    assert_eq!(state(&missing.unwrap_err()), "23503");
    assert_eq!(client.value("select count(*) from c").unwrap(), "20000");

    // More advisory locks than there is memory for.
    client.query("begin").unwrap();
    let sql = "select count(pg_advisory_xact_lock(g)) from generate_series(1, 3000000) g";
    let refused = client.query(sql).unwrap_err();
    assert_eq!(state(&refused), "53200", "{refused}");
    client.query("rollback").unwrap();
    assert_eq!(account(&mut client, "lock table", "reserved_bytes"), 0);
    fixture.end();
}

#[test]
fn messages_and_states_without_room_end_with_53200_and_the_session_goes_on() {
    const LARGE: usize = 200 << 20;
    let fixture = Fixture::new("messages", &["memory_limit=192MB", "shared_buffers=16MB"]);
    let mut client = fixture.connect();
    let lives = |client: &mut Client, after: &str| {
        assert_eq!(client.value("select 41 + 1").unwrap(), "42", "after {after}");
        let held = client.value(
            "select sum(reserved_bytes) from perdura_memory_ledger() where name = 'session'",
        );
        let held: u64 = held.unwrap().parse().unwrap();
        assert!(held < 4 << 20, "after {after} sessions hold {held} bytes");
    };
    let large = "x".repeat(LARGE);
    let refused = client.query(&format!("select '{large}'")).unwrap_err();
    assert_eq!(state(&refused), "53200", "{refused}");
    lives(&mut client, "a large query");
    let refused = client.execute("select length($1)", &[&large]).unwrap_err();
    assert_eq!(state(&refused), "53200", "{refused}");
    lives(&mut client, "a large parameter");

    client.query("create table w (a text)").unwrap();
    client.send(&Outgoing::query("copy w from stdin")).unwrap();
    client.send(&Outgoing::raw(b'd', large.as_bytes())).unwrap();
    client.send(&Outgoing::raw(b'd', b"\nmore\n")).unwrap();
    client.send(&Outgoing::raw(b'c', b"")).unwrap();
    assert_eq!(state(&client.until_ready().unwrap_err()), "53200");
    lives(&mut client, "large COPY data");
    assert_eq!(client.value("select count(*) from w").unwrap(), "0");

    // What fits is answered.
    let rows = client.execute("select length($1)", &[&large[..10 << 20]]).unwrap();
    assert_eq!(rows[0][0].as_deref(), Some("10485760"));
    assert_eq!(
        client.value(&format!("select length('{}')", &large[..10 << 20])).unwrap(),
        "10485760"
    );
    drop(large);
    for sql in [
        "select length(string_agg(repeat('x', 1000), '')) from generate_series(1, 300000)",
        "select cardinality(array_agg(repeat(g::text, 100))) from generate_series(1, 1000000) g",
        "select a % 2, length(string_agg(repeat('x', 1000), ''))
           from generate_series(1, 400000) a group by 1",
    ] {
        let refused = client.query(sql).unwrap_err();
        assert_eq!(state(&refused), "53200", "{sql}: {refused}");
        lives(&mut client, sql);
    }
    let log = fixture.log();
    let detail = log.lines().filter(|line| line.contains("Largest contexts in bytes: \"")).count();
    assert!(detail >= 3, "{detail} errors name the largest contexts");
    fixture.end();
}

#[test]
fn a_statement_that_waits_for_memory_hears_of_interrupts() {
    let fixture = Fixture::new("waits", &["memory_limit=128MB", "shared_buffers=16MB"]);
    let (mut holder, mut waiter) = (fixture.connect(), fixture.connect());
    waiter.query("create table t as select g as a from generate_series(1, 1000) g").unwrap();
    for client in [&mut holder, &mut waiter] {
        client.query("set statement_timeout = '1s'").unwrap();
    }
    // Locks of the session may have half of the memory.
    holder.query("set statement_timeout = 0").unwrap();
    let locks = "select count(pg_advisory_lock(g)) from generate_series(1, 3000000) g";
    assert_eq!(state(&holder.query(locks).unwrap_err()), "53200");
    assert_eq!(holder.value("select count(*) from t").unwrap(), "1000");
    // Texts of prepared statements may have a quarter; the program has the rest.
    holder.query("set statement_timeout = '1s'").unwrap();
    let text = "x".repeat(60_000);
    let full = (0..2000).find_map(|n| {
        let begin = Instant::now();
        let refused = holder.query(&format!("prepare p{n} as select '{text}'")).err()?;
        Some((state(&refused).to_owned(), begin.elapsed()))
    });
    let (ended, after) = full.unwrap();
    assert!(["57014", "53200"].contains(&&*ended), "{ended}");
    assert!(after < Duration::from_secs(5), "{after:?}");
    let begin = Instant::now();
    let sql = "select count(*) from t a, t b where a.a + b.a > (select max(a) from t)";
    for _ in 0..2 {
        match waiter.query(sql) {
            // It waited until its time was over, or there was no room for it.
            Err(error) => assert!(["57014", "53200"].contains(&state(&error)), "{error}"),
            Ok(rows) => assert_eq!(rows.len(), 1),
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    drop(holder);
    let begin = Instant::now();
    while waiter.value("select count(*) from t").ok().as_deref() != Some("1000") {
        assert!(begin.elapsed() < Duration::from_secs(20), "the memory did not come back");
    }
    let log = fixture.log();
    assert!(!log.contains("no unpinned buffers"), "{log}");
    fixture.end();
}

/// Storage rule 24: a wait for memory and a wait for a lock that make a circle end.
#[test]
fn who_waits_for_memory_of_those_who_wait_for_its_locks_ends_with_53200() {
    let fixture = Fixture::new("circle", &["memory_limit=192MB", "shared_buffers=16MB"]);
    let (mut holder, mut waiter) = (fixture.connect(), fixture.connect());
    // The values are in memory while the lock is waited for.
    let sql = |rows: u32| {
        format!(
            "select cardinality(s.a), pg_advisory_xact_lock(7) from (select \
             array_agg(repeat(g::text, 100)) as a from generate_series(1, {rows}) g offset 0) s"
        )
    };
    // Twice as much does not fit.
    let mut rows = 4000;
    while holder.query(&sql(2 * rows)).is_ok() {
        rows *= 2;
    }
    for begin in ["begin", "begin; create temp table mine (a int)"] {
        waiter.query(begin).unwrap();
        waiter.query("select pg_advisory_xact_lock(7)").unwrap();
        holder.send(&Outgoing::query(&sql(rows))).unwrap();
        while waiter.value("select count(*) from pg_locks where not granted").unwrap() != "1" {}
        let began = Instant::now();
        let refused = waiter.query(&sql(rows)).unwrap_err();
        assert_eq!(state(&refused), "53200", "{refused}");
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
        waiter.query("rollback").unwrap();
        let answer = holder.until_ready().unwrap();
        assert_eq!(answer[0][0], Some(rows.to_string()));
    }
    fixture.end();
}

/// The threads of the process tree depend on the processors only, whatever has happened.
#[test]
fn sessions_that_spill_and_drop_tables_start_no_more_threads() {
    let fixture = Fixture::new("threads", &["shared_buffers=16MB", "work_mem=1MB"]);
    let mut clients: Vec<Client> = (0..20).map(|_| fixture.connect()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        let rows = if n == 0 { 200_000 } else { 2000 };
        let create = format!(
            "create table t{n} as select g as a, repeat('x', 100) as b \
             from generate_series(1, {rows}) g"
        );
        client.query(&create).unwrap();
    }
    let (holder, others) = clients.split_first_mut().unwrap();
    assert_eq!(holder.query("select a, b from t0 order by a desc").unwrap().len(), 200_000);
    // One waits for a lock for longer than it takes to look for deadlocks.
    others[0].query("begin; lock table t0").unwrap();
    holder.query("set lock_timeout = '1.5s'; set deadlock_timeout = '1s'").unwrap();
    assert_eq!(state(&holder.query("select count(*) from t0").unwrap_err()), "55P03");
    others[0].query("rollback").unwrap();
    holder.query("drop table t0").unwrap();
    holder.query("checkpoint").unwrap();
    let processes = tree(fixture.server.postmaster_pid());
    let tasks = |pid: &u32| std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().count();
    let threads = || processes.iter().map(tasks).sum::<usize>();
    // The postmaster, the flusher, the checkpointer, the timers of locks and the chores.
    let most = 5 + std::thread::available_parallelism().unwrap().get();
    // Those that write files end when there is nothing to write.
    assert!(threads() <= most + base::blocking::THREADS_MAX, "{} of {processes:?}", threads());
    let end = Instant::now() + Duration::from_secs(60);
    while threads() > most && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(threads() <= most, "{} threads of {processes:?}", threads());
    fixture.end();
}

/// Statements whose functions make much of little; NULL where the answer may be 53200 as well.
const LARGE_VALUES: &[(&str, Option<&str>)] = &[
    ("array_length(array_fill(1, array[g * 30000000]), 1)", Some("30000000")),
    ("array_length(array_fill('x'::text, array[g * 20000000]), 1)", None),
    ("cardinality(array(select h from generate_series(1, g * 20000000) h))", None),
    ("cardinality(array(select h from generate_series(1, g * 3000000) h))", Some("3000000")),
    ("cardinality(array(select h::text from generate_series(1, g * 20000000) h))", None),
    ("cardinality(array(select array[h, 1] from generate_series(1, g * 10000000) h))", None),
    ("array_length(array_sort(array_fill(1, array[g * 5000000])), 1)", Some("5000000")),
    ("array_length(array_reverse(array_fill(1, array[g * 5000000])), 1)", Some("5000000")),
    ("array_length(array_append(array_fill(1, array[g * 5000000]), 2), 1)", Some("5000001")),
    ("array_length(array_remove(array_fill(1, array[g * 5000000]), 2), 1)", Some("5000000")),
    ("array_length(array_replace(array_fill(1, array[g * 5000000]), 1, 2), 1)", Some("5000000")),
    ("array_length(array_fill(1, array[g * 5000000])::text[], 1)", None),
    ("array_length((array_fill(1, array[g * 9000000]))[2:], 1)", Some("8999999")),
    ("array_length((array_fill(1, array[3, g * 3000000]))[2:][2:], 2)", Some("2999999")),
    ("array_length(array[array_fill(1, array[g * 9000000])], 2)", Some("9000000")),
    ("cardinality(('{1' || repeat(',1', g * 9000000) || '}')::int[])", Some("9000001")),
    ("cardinality(('{1' || repeat(',1', g * 30000000) || '}')::int[])", None),
    ("cardinality(('{a' || repeat(',a', g * 5000000) || '}')::text[])", Some("5000001")),
    ("cardinality(('{{1}' || repeat(',{1}', g * 5000000) || '}')::numeric[])", None),
    ("array_length(string_to_array(repeat('a,', g * 10000000), ','), 1)", Some("10000001")),
    ("length(array_to_string(array_fill(1, array[g * 9000000]), ','))", Some("17999999")),
    ("(select count(*) from string_to_table(repeat('a,', g * 5000000), ','))", None),
    ("length(regexp_replace(repeat('a,', g * 10000000), ',', 'bb', 'g'))", Some("30000000")),
    ("length(regexp_replace(repeat('a,', g * 5000000), '(a),', '\\1bb', 'g'))", Some("15000000")),
    ("array_length(regexp_split_to_array(repeat('a,', g * 5000000), ','), 1)", None),
    ("(select count(*) from regexp_split_to_table(repeat('a,', g * 3000000), ','))", None),
    ("(select count(*) from regexp_matches(repeat('a,', g * 3000000), ',', 'g'))", None),
    ("regexp_count(repeat('a,', g * 5000000), ',')", Some("5000000")),
    (
        "(select count(*) from json_array_elements(('[1' || repeat(',1', g * 3000000) || ']')::json))",
        None,
    ),
    (
        "(select count(*) from json_to_recordset(('[{\"a\":1}' || repeat(',{\"a\":1}', g * 1000000)
          || ']')::json) as x(a int))",
        None,
    ),
    ("json_typeof(('[1' || repeat(',1', g * 10000000) || ']')::json)", Some("array")),
    ("json_array_length(('[1' || repeat(',1', g * 5000000) || ']')::json)", None),
    ("('[1' || repeat(',1', g * 5000000) || ']')::json ->> 2", None),
    ("jsonb_array_length(('[1' || repeat(',1', g * 3000000) || ']')::jsonb)", Some("3000001")),
    ("jsonb_array_length(('[1' || repeat(',1', g * 20000000) || ']')::jsonb)", None),
    ("jsonb_array_length(('[{}' || repeat(',{\"a\":1}', g * 3000000) || ']')::jsonb)", None),
    ("length(to_json(array_fill(1, array[g * 9000000]))::text)", Some("18000001")),
    ("jsonb_array_length(to_jsonb(array_fill(1, array[g * 3000000])))", Some("3000000")),
    ("jsonb_array_length(to_jsonb(array_fill(1, array[g * 20000000])))", None),
    ("jsonb_array_length(to_jsonb(array_fill(1, array[g * 2000000])) || '1')", Some("2000001")),
    ("jsonb_array_length(to_jsonb(array_fill(1, array[g * 2000000])) - 1)", Some("1999999")),
    (
        "jsonb_array_length(jsonb_set(to_jsonb(array_fill(1, array[g * 2000000])), '{5}', '2'))",
        Some("2000000"),
    ),
    (
        "jsonb_array_length(jsonb_strip_nulls(to_jsonb(array_fill(1, array[g * 2000000]))))",
        Some("2000000"),
    ),
    ("length(jsonb_pretty(to_jsonb(array_fill(1, array[g * 3000000]))))", Some("21000002")),
    (
        "length(jsonb_pretty((repeat('[', 1000) || '1' || repeat(',1', g * 100000)
          || repeat(']', 1000))::jsonb))",
        None,
    ),
    (
        "jsonb_array_length(jsonb_path_query_array(to_jsonb(array_fill(1, array[g * 1000000])), '$[*]'))",
        Some("1000000"),
    ),
    (
        "(select count(*) from jsonb_path_query(to_jsonb(array_fill(1, array[g * 1000000])), '$[*]'))",
        Some("1000000"),
    ),
    (
        "(select count(*) from json_table(to_jsonb(array_fill(1, array[g * 3000000])), '$[*]'
          columns (a int path '$')) t)",
        None,
    ),
    (
        "(select '{' || string_agg('\"' || h || '\":1', ',') || '}'
          from generate_series(1, g * 3000000) h) is json with unique keys",
        None,
    ),
    ("jsonb_array_length((select jsonb_agg(h) from generate_series(1, g * 10000000) h))", None),
    ("jsonb_typeof((select jsonb_object_agg(h, 1) from generate_series(1, g * 10000000) h))", None),
    (
        "jsonb_typeof((select jsonb_object_agg(h, 1) from generate_series(1, g * 1000000) h))",
        Some("object"),
    ),
    (
        "json_typeof((select json_objectagg(h : 1 with unique keys)
          from generate_series(1, g * 5000000) h))",
        None,
    ),
    (
        "(select percentile_disc(0.5) within group (order by h)
          from generate_series(1, g * 3000000) h)",
        Some("1500000"),
    ),
    (
        "cardinality((select percentile_disc(array_fill(0.5::float8, array[g * 3000000]))
          within group (order by h) from generate_series(1, 10) h))",
        None,
    ),
    ("(select mode() within group (order by h) from generate_series(1, g * 3000000) h)", Some("1")),
    (
        "length((select string_agg(h::text, ',' order by h) from generate_series(1, g * 3000000) h))",
        Some("22888895"),
    ),
    (
        "cardinality((select array_agg(h order by h) from generate_series(1, g * 2000000) h))",
        Some("2000000"),
    ),
    ("cardinality((select array_agg(distinct h) from generate_series(1, g * 3000000) h))", None),
];

/// The same of functions whose results are texts, or parts or forms of values.
const LARGE_TEXTS: &[(&str, Option<&str>)] = &[
    ("length(upper(repeat('x', g * 80000000)))", Some("80000000")),
    ("length(lower(repeat('Ä', g * 80000000)))", None),
    ("length(initcap(repeat('x', g * 80000000)))", Some("80000000")),
    ("length(reverse(repeat('x', g * 80000000)))", Some("80000000")),
    ("length(translate(repeat('x', g * 80000000), 'x', 'y'))", Some("80000000")),
    ("length(translate('x', repeat('x', g * 30000000), 'y'))", None),
    ("length(replace(repeat('x', g * 80000000), 'x', 'y'))", Some("80000000")),
    ("length(replace(repeat('x', g * 60000000), 'x', 'yyy'))", None),
    ("length(repeat('xy', g * 90000000))", Some("180000000")),
    ("length(lpad('x', g * 180000000, 'abc'))", Some("180000000")),
    ("length(rpad('x', g * 180000000, 'äb'))", None),
    ("length(overlay(repeat('x', g * 80000000) placing 'y' from 5))", Some("80000000")),
    ("length(overlay(repeat('x', g * 60000000)::bytea placing 'y' from 5))", None),
    ("length(repeat('x', g * 80000000) || 'y')", Some("80000001")),
    ("length(repeat('x', g * 80000000) || g)", Some("80000001")),
    ("length(concat(repeat('x', g * 80000000), 1, 'y'))", Some("80000002")),
    ("length(concat_ws(',', repeat('x', g * 80000000), 1, 'y'))", Some("80000004")),
    ("length(concat(variadic array_fill(1, array[g * 10000000])))", Some("10000000")),
    ("length(concat(variadic array_fill(123456789, array[g * 20000000])))", None),
    ("length(concat_ws(',', variadic array_fill(1, array[g * 10000000])))", Some("19999999")),
    ("length(concat_ws(repeat('x', g * 1000), variadic array_fill(1, array[1000000])))", None),
    ("length(format('%s', repeat('x', g * 80000000)))", Some("80000000")),
    ("length(format('%200000000s', g))", None),
    ("length(format('%s%L', variadic array[repeat('x', g * 50000000), '''']))", None),
    ("length(quote_literal(repeat('''', g * 50000000)))", Some("100000002")),
    ("length(quote_ident(repeat('\"', g * 50000000)))", Some("100000002")),
    ("length(quote_nullable(array_fill('x'::text, array[g * 5000000])))", None),
    ("length(encode(repeat('x', g * 30000000)::bytea, 'hex'))", Some("60000000")),
    ("length(encode(repeat('x', g * 100000000)::bytea, 'base64'))", None),
    ("length(encode(repeat('\\\\', g * 30000000)::bytea, 'escape'))", Some("60000000")),
    ("length(decode(repeat('ab', g * 50000000), 'hex'))", Some("50000000")),
    ("length(decode(repeat('abcd', g * 25000000), 'base64'))", Some("75000000")),
    ("length(decode(repeat('x', g * 80000000), 'escape'))", Some("80000000")),
    ("length(repeat('x', g * 80000000)::bytea::text)", None),
    ("length(reverse(repeat('x', g * 50000000)::bytea))", Some("50000000")),
    ("length(set_byte(repeat('x', g * 50000000)::bytea, 3, 4))", Some("50000000")),
    ("length(repeat('1', g * 30000000)::varbit)", Some("30000000")),
    ("length(repeat('1', g * 90000000)::varbit)", None),
    ("length(~ repeat('1', g * 30000000)::varbit)", Some("30000000")),
    ("length(repeat('1', g * 60000000)::varbit::text)", None),
    ("length(split_part(repeat('x,', g * 80000000), ',', 2))", Some("1")),
    ("length(md5(repeat('x', g * 180000000)))", Some("32")),
    ("length(unistr(repeat('\\0041', g * 20000000)))", Some("20000000")),
    ("repeat('x', g * 60000000) ilike repeat('X', 5) || '%'", None),
    ("length(parse_ident(repeat('a.', g * 5000000) || 'a')::text)", None),
    ("length(to_char(now(), repeat('YYYY ', g * 20000000)))", None),
    ("length(to_char(now(), repeat('YYYY ', g * 200000)))", Some("1000000")),
    ("'x' ~ repeat('a', g * 3000000)", None),
    ("'x' ~ repeat('\\w', g * 50000)", None),
    ("'x' ~* repeat('[[:alpha:]]', g * 50000)", None),
    ("regexp_match(repeat('a', g * 500), repeat('(a)', 500)) is null", Some("f")),
    ("repeat('a', g * 3000) ~ repeat('(a)', 3000)", None),
    ("length(('$' || repeat('.a', g * 5000000))::jsonpath::text)", None),
    ("length(('$' || repeat('.a', g * 500000))::jsonpath::text)", Some("2000001")),
    (
        "jsonb_path_exists('\"a\"', ('$ ? (@ like_regex \"' || repeat('a', g * 3000000)
          || '\")')::jsonpath)",
        None,
    ),
    ("length(array_to_string(array_fill(repeat('x', 1000), array[g * 90000]), ','))", None),
    ("length(array_fill(1, array[g * 10000000])::text)", Some("20000001")),
    ("length(array_fill(null::int, array[g * 60000000])::text)", None),
    ("array_fill(null::int, array[g * 60000000])", None),
    ("length(array_fill('a b'::text, array[g * 3000000])::text)", Some("18000001")),
    ("length(array[repeat('\"', g * 50000000)]::text)", None),
    ("length(row(repeat('x', g * 80000000))::text)", None),
    ("length(row(repeat('\"', g * 20000000))::text)", Some("40000004")),
    ("length(row_to_json(row(repeat('x', g * 30000000)))::text)", Some("30000009")),
    ("length(row_to_json(row(repeat(E'\\n', g * 60000000)))::text)", None),
    ("length(to_json(repeat(E'\\x01', g * 30000000))::text)", None),
    ("length(to_jsonb(repeat('x', g * 50000000))::text)", None),
    ("length(to_jsonb(array_fill(1, array[g * 3000000]))::text)", Some("9000000")),
    ("length(jsonb_build_object('a', repeat('x', g * 40000000)) ->> 'a')", Some("40000000")),
    ("length(jsonb_build_object('a', array_fill(1, array[g * 3000000])) ->> 'a')", Some("9000000")),
    ("length(jsonb_build_object('a', array_fill(1, array[g * 9000000])) #>> '{a}')", None),
    (
        "(select length(value) from jsonb_each_text(jsonb_build_object('a',
          array_fill(1, array[g * 2000000]))))",
        Some("6000000"),
    ),
    (
        "(select cardinality(a) from jsonb_to_record(jsonb_build_object('a',
          array_fill(1, array[g * 500000]))) as x(a int[]))",
        Some("500000"),
    ),
    (
        "(select cardinality(a) from jsonb_to_record(jsonb_build_object('a',
          array_fill(1, array[g * 5000000]))) as x(a int[]))",
        None,
    ),
    (
        "length(json_query(jsonb_build_array(repeat('x', g * 20000000)), '$[0]'
          returning text omit quotes))",
        Some("20000000"),
    ),
    ("length(json_value(jsonb_build_array(repeat('x', g * 20000000)), '$[0]'))", Some("20000000")),
    ("length(json_serialize(to_jsonb(array_fill(1, array[g * 5000000]))))", None),
    ("length(json_strip_nulls(to_json(array_fill(1, array[g * 500000])))::text)", None),
    ("length(array_fill(1, array[g * 20000000])::text)", None),
    ("length(('\"' || repeat('x', g * 40000000) || '\\n\"')::jsonb #>> '{}')", None),
    ("length(('\"' || repeat('\\n', g * 30000000) || '\"')::json #>> '{}')", None),
    ("length((('{' || repeat('x', g * 80000000) || '}')::text[])[1])", None),
    (
        "length((select string_agg(repeat('x', 1000), ',') from generate_series(1, g * 90000)))",
        None,
    ),
];

/// What a server with a memory limit of 256 MB may have at most.
const RESIDENT_MAX: u64 = (256 + 64) << 20;

/// What `work` returns, and the most that the server had meanwhile.
fn watched<T>(root: u32, work: impl FnOnce() -> T) -> (T, u64) {
    let (over, most) = (AtomicBool::new(false), AtomicU64::new(0));
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                most.fetch_max(resident_bytes(root), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let done = work();
        over.store(true, Ordering::Relaxed);
        done
    });
    (done, most.into_inner())
}

/// What functions keep while they make their results is charged, too: each statement is answered or
/// ends with 53200, and the server stays as small as its limit says.
fn large_values(name: &str, values: &[(&str, Option<&str>)]) {
    let fixture = Fixture::new(name, &["memory_limit=256MB", "shared_buffers=16MB"]);
    let mut client = fixture.connect();
    let root = fixture.server.postmaster_pid();
    for (expression, expected) in values {
        let sql = format!("select {expression} from generate_series(1, 1) g");
        let (answer, most) = watched(root, || client.value(&sql));
        assert!(most <= RESIDENT_MAX, "{} MB resident: {sql}", most >> 20);
        match (answer, expected) {
            (Ok(answer), Some(expected)) => assert_eq!(answer, *expected, "{sql}"),
            (Ok(_), None) => {}
            (Err(failure), None) => assert_eq!(state(&failure), "53200", "{sql}: {failure}"),
            (Err(failure), Some(_)) => panic!("{sql}: {failure}"),
        }
        assert_eq!(client.value("select 41 + 1").unwrap(), "42", "after {sql}");
    }
    fixture.end();
}

#[test]
fn what_functions_keep_before_their_result_is_there_is_charged() {
    large_values("functions", LARGE_VALUES);
}

#[test]
fn texts_that_functions_make_are_charged_before_they_grow() {
    large_values("texts", LARGE_TEXTS);
}

/// Statements that write values in their binary form or in another encoding, or read them.
const COPIES: &[(&str, &str)] = &[
    ("copy w from 'DIR/endless'", "53200"),
    ("copy w from 'DIR/endless' (format csv)", "53200"),
    ("copy w from 'DIR/endless' (encoding latin1)", "53200"),
    ("copy w from 'DIR/latin1' (encoding latin1)", "53200"),
    ("copy w from 'DIR/field' (format binary)", "53200"),
    ("copy w from 'DIR/tabs'", "22P04"),
    ("copy w from 'DIR/tabs' (format csv, delimiter E'\t')", "22P04"),
    (
        "copy (select array_fill('a'::\"char\", array[80000000])) to 'DIR/out' (format binary)",
        "53200",
    ),
    ("copy (select array_fill('a'::\"char\", array[10000000])) to 'DIR/out' (format binary)", ""),
    ("copy (select repeat('ä', 20000000)) to 'DIR/out' (encoding latin1)", ""),
    (
        "begin; declare c binary cursor for select array_fill('a'::\"char\", array[80000000]);
         fetch all from c",
        "53200",
    ),
    (
        "begin; declare c binary cursor for select row(array_fill('a'::\"char\", array[80000000]));
         fetch all from c",
        "53200",
    ),
    ("select length(array_send(array_fill('a'::\"char\", array[80000000])))", "53200"),
    ("select length(array_send(array_fill('a'::\"char\", array[10000000])))", ""),
];

/// What COPY has read and not yet given to the table is charged, and what is written in a form that
/// is larger than the value.
#[test]
fn data_of_copy_and_binary_forms_are_charged() {
    let fixture = Fixture::new("copies", &["memory_limit=256MB", "shared_buffers=16MB"]);
    let file = |name: &str| std::fs::File::create(fixture.dir.join(name)).unwrap();
    file("endless").set_len(400 << 20).unwrap();
    file("latin1").write_all(&vec![0xe4; 150 << 20]).unwrap();
    let mut tabs = vec![b'\t'; 30 << 20];
    tabs.push(b'\n');
    file("tabs").write_all(&tabs).unwrap();
    let mut field = file("field");
    field.write_all(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x01\x18\0\0\0").unwrap();
    field.set_len(500 << 20).unwrap();

    let mut client = fixture.connect();
    client.query("create table w (a text)").unwrap();
    let root = fixture.server.postmaster_pid();
    for (sql, expected) in COPIES {
        let sql = sql.replace("DIR", fixture.dir.to_str().unwrap());
        let (answer, most) = watched(root, || client.query(&sql));
        assert!(most <= RESIDENT_MAX, "{} MB resident: {sql}", most >> 20);
        let found = answer.err().map_or(String::new(), |failure| state(&failure).to_owned());
        assert_eq!(found, *expected, "{sql}");
        client.query("rollback").unwrap();
        assert_eq!(client.value("select 41 + 1").unwrap(), "42", "after {sql}");
    }

    // A line in many messages.
    client.send(&Outgoing::query("copy w from stdin")).unwrap();
    let piece = vec![b'x'; 1 << 20];
    let (answer, most) = watched(root, || {
        for _ in 0..400 {
            client.send(&Outgoing::raw(b'd', &piece)).unwrap();
        }
        client.send(&Outgoing::raw(b'c', b"")).unwrap();
        client.until_ready()
    });
    assert!(most <= RESIDENT_MAX, "{} MB resident", most >> 20);
    assert_eq!(state(&answer.unwrap_err()), "53200");
    assert_eq!(client.value("select count(*) from w").unwrap(), "0");
    fixture.end();
}

#[test]
fn operators_write_to_files_before_a_small_query_memory_limit_is_full() {
    let fixture = Fixture::new("query", &["memory_limit=256MB", "shared_buffers=16MB"]);
    let mut client = fixture.connect();
    let create = "create table b as select g as n, repeat(md5(g::text), 6) as t \
                  from generate_series(1, 100000) g";
    client.query(create).unwrap();
    let counts = "select temp_files, temp_bytes > 10000000 from pg_stat_database \
                  where datname = current_database()";
    assert_eq!(client.query(counts).unwrap()[0][0].as_deref(), Some("0"));
    client.query("set query_memory_limit = '2MB'").unwrap();
    for sql in [
        "select count(*) from (select * from b order by t, n) x",
        "select count(*) from b x join b y using (n, t)",
        "select count(*) from (select n, t from b group by n, t) x",
    ] {
        assert_eq!(client.value(sql).unwrap(), "100000", "{sql}");
    }
    // Another session's memory does not count towards this one's limit.
    let mut other = fixture.connect();
    other.query("begin; declare c cursor with hold for select * from b; fetch 10 from c").unwrap();
    let sql =
        "select array_length(array_fill(1, array[g * 3000000]), 1) from generate_series(1, 1) g";
    assert_eq!(state(&client.query(sql).unwrap_err()), "53200");
    let own = client.value("select pg_backend_pid()").unwrap();
    let log = fixture.log();
    let details: Vec<&str> =
        log.lines().filter(|line| line.contains("query_memory_limit")).collect();
    assert!(!details.is_empty(), "{log}");
    for detail in details {
        for session in detail.split("of session ").skip(1) {
            let session: String = session.chars().take_while(char::is_ascii_digit).collect();
            assert_eq!(session, own, "{detail}");
        }
    }
    let rows = client.query(counts).unwrap();
    let files: u64 = rows[0][0].as_deref().unwrap().parse().unwrap();
    assert!(files > 0);
    assert_eq!(rows[0][1].as_deref(), Some("t"));
    fixture.end();
}
