//! Every statement ends in success or 53200 whichever of its allocations fails, and nothing is lost.

use super::fiber;
use crate::config::Config;
use crate::data_directory;
use base::interrupt::{Interrupt, Interrupts};
use base::{Error, Result};
use memory::{Level, inject};
use session::{Client, Cluster, Flow, Identity, Session};
use std::sync::Arc;
use std::time::Duration;
use wire::{Frame, Message};

/// Run once, before anything fails.
const SETUP: &[&str] = &[
    "set work_mem = '64kB'",
    "create table t (a int primary key, b text, c numeric)",
    "insert into t select g, md5(g::text), g / 7.0 from generate_series(1, 3000) g",
    "create index t_b on t (b)",
    "create table u (a int references t, d int check (d >= 0))",
    "insert into u select g, g % 10 from generate_series(1, 2000) g",
    "create view v as select t.a, b, d from t join u using (a)",
    "analyze t",
    "prepare p as select * from t where a = $1",
];

/// Statements, each with what takes its effect back.
const STATEMENTS: &[(&str, &str)] = &[
    ("select 1", ""),
    ("select * from t order by b, c desc limit 2000", ""),
    ("select count(*), sum(c), max(b) from t where a % 3 = 0", ""),
    ("select d, count(*), array_agg(b order by b), string_agg(b, ',') from v group by d", ""),
    ("select b, count(*) from t group by b order by 1 limit 5", ""),
    ("select count(distinct b), count(distinct c) from t", ""),
    ("select x.a, y.b from t x join t y on x.b = y.b where x.a <> y.a + 1", ""),
    ("select * from t left join u on u.d = t.a order by t.a, u.a", ""),
    ("select a from t except select a from u order by 1", ""),
    ("select a, sum(a) over (partition by a % 5 order by b), lag(b) over (order by a) from t", ""),
    (
        "with recursive r(n) as (select 1 union select n + 1 from r where n < 2000) \
      select count(*) from r",
        "",
    ),
    (
        "with recursive r(n, t) as (select 1, repeat('k', 300) union \
      select n + 1, repeat('k', 300) || n from r where n < 1200) select count(*) from r",
        "",
    ),
    ("select count(*) from (select a from t where a % 2 = 0 for share) s", ""),
    ("select count(pg_advisory_xact_lock(g)) from generate_series(1, 1500) g", ""),
    (
        "prepare q as select count(*) from t where a > $1; execute q(5); deallocate q",
        "deallocate all; prepare p as select * from t where a = $1",
    ),
    (
        "insert into u select g % 3000 + 1, 1001 from generate_series(1, 4000) g",
        "delete from u where d = 1001",
    ),
    ("select count(*) from t where a not in (select a from u)", ""),
    ("select count(*) from t where (a, b) in (select a, b from v)", ""),
    ("select (select max(d) from u where u.a = t.a) from t where a < 500", ""),
    ("select jsonb_agg(to_jsonb(t)) from t", ""),
    ("select repeat(b, 1000) from t where a < 50", ""),
    ("select * from t, generate_series(1, 5) g where a < 300 order by random()", ""),
    ("explain (costs off) select * from v where d = 3", ""),
    ("execute p(17)", ""),
    ("copy t to stdout", ""),
    ("insert into u select g, 1001 from generate_series(1, 500) g", "delete from u where d = 1001"),
    ("update t set b = b || 'x' where a % 2 = 0", "update t set b = rtrim(b, 'x')"),
    (
        "delete from u where a > 1000",
        "insert into u select g, g % 10 from \
      generate_series(1001, 2000) g where not exists (select from u where u.a = g)",
    ),
    ("insert into t values (1, 'again', 0) on conflict (a) do update set b = t.b", ""),
    ("merge into u using t on u.a = t.a when matched then update set d = u.d", ""),
    (
        "create table w (a serial primary key, b text unique, c int[] default '{1,2}')",
        "drop table if exists w",
    ),
    ("create table w as select * from v", "drop table if exists w"),
    ("create index on t (c, lower(b))", "drop index if exists t_c_lower_idx"),
    ("alter table u add column e text default 'none'", "alter table u drop column if exists e"),
    ("create type colour as enum ('red', 'green')", "drop type if exists colour"),
    ("analyze t", ""),
    ("vacuum t", ""),
    (
        "begin; savepoint s; insert into t values (-1); rollback to s; select count(*) from t; commit",
        "rollback",
    ),
    (
        "begin; declare k cursor for select * from t order by b; fetch 100 from k; close k; commit",
        "rollback",
    ),
];

/// What must be as before when all is done.
const TRUTH: &str = "select (select count(*) from t), (select md5(string_agg(b, '' order by a)) \
    from t), (select count(*) from u), (select sum(d) from u), (select count(*) from pg_class)";

/// A client that keeps the answers.
#[derive(Default)]
struct Answers(Vec<u8>);

impl Client for Answers {
    fn out(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    fn send(&mut self) -> Result<()> {
        Ok(())
    }

    fn receive(&mut self, take: &mut dyn FnMut(Frame<'_>) -> Result<()>) -> Result<()> {
        take(Frame { kind: b'c', body: &[] })
    }

    fn set_timer(&mut self, _: Interrupt, _: Option<Duration>) {}
}

impl Answers {
    /// The SQLSTATE of the error among the answers, and the errors' texts.
    fn error(&self) -> Option<String> {
        let mut at = 0;
        while let Some((message, bytes)) = super::print::next(&self.0[at..]) {
            if message.kind == b'E' {
                return Some(String::from_utf8_lossy(message.body).replace('\0', " "));
            }
            at += bytes;
        }
        None
    }
}

struct Runner {
    cluster: Arc<Cluster>,
    session: Session,
    interrupts: Arc<Interrupts>,
}

impl Runner {
    /// The answers to a message while the `n`-th allocation fails, and whether it came to it.
    async fn run(&mut self, sql: &str, n: u64) -> (Answers, bool) {
        let session = &mut self.session;
        let (answers, flow, failed) = fiber(&self.interrupts, || {
            let mut answers = Answers::default();
            inject::fail_block(n);
            let flow = session.handle(Message::Query(sql.as_bytes()), &mut answers);
            let failed = n > 0 && !inject::pending();
            inject::fail_block(0);
            Ok((answers, flow, failed))
        })
        .await
        .unwrap_or_else(|error| panic!("{sql}, allocation {n}: {error}"));
        assert!(flow == Flow::Continue, "{sql}, allocation {n}: the session ended");
        (answers, failed)
    }

    async fn must(&mut self, sql: &str) -> Vec<u8> {
        let (answers, _) = self.run(sql, 0).await;
        if let Some(error) = answers.error() {
            panic!("{sql}: {error}");
        }
        answers.0
    }

    /// What the ledger has that no cache and no buffer holds: the bytes of the session's account,
    /// without slack of finished statements, and those of what its transactions leave.
    fn reserved(&self, sql: &str, n: u64) -> (u64, u64) {
        const LEFT: [&str; 5] = [
            "lock table",
            "predicate locks",
            "prepared statements",
            "notifications",
            "row versions",
        ];
        let rows = self.cluster.ledger().rows();
        let left: Vec<_> =
            rows.iter().filter(|row| matches!(row.level, Level::Query | Level::Operator)).collect();
        assert!(left.is_empty(), "{sql}, allocation {n} leaves accounts behind: {left:?}");
        let sum = |which: &dyn Fn(&str) -> bool| {
            rows.iter().filter(|row| which(row.name)).map(|row| row.reserved_bytes).sum()
        };
        (sum(&|name| name == "session"), sum(&|name| LEFT.contains(&name)))
    }
}

/// Which allocation fails next: each of the first ones, then one of so many, or with
/// `ALLOCATIONS=every` really each.
fn next(n: u64) -> u64 {
    const EACH: u64 = 48;
    let every = std::env::var_os("ALLOCATIONS").is_some_and(|which| which == "every");
    if every || n < EACH { n + 1 } else { n + n / 4 }
}

async fn every_failure(mut runner: Runner) -> Result<()> {
    for sql in SETUP {
        runner.must(sql).await;
    }
    let truth = runner.must(TRUTH).await;
    let mut failures = 0;
    for (sql, undo) in STATEMENTS {
        for _ in 0..2 {
            runner.must(sql).await;
            if !undo.is_empty() {
                runner.must(undo).await;
            }
        }
        let (before, left_before) = runner.reserved(sql, 0);
        let mut n = 1;
        loop {
            let (answers, failed) = runner.run(sql, n).await;
            if let Some(error) = answers.error() {
                assert!(error.contains("C53200"), "{sql}, allocation {n}: {error}");
                failures += 1;
            }
            for next in ["rollback", undo, "select 1"] {
                if !next.is_empty() {
                    runner.must(next).await;
                }
            }
            let (after, left_after) = runner.reserved(sql, n);
            assert_eq!(left_after, left_before, "{sql}, allocation {n}");
            assert!(
                after <= before + 2 * memory::ledger::STEP_BYTES,
                "{sql}, allocation {n}: {before} bytes reserved before, {after} after"
            );
            if !failed {
                break;
            }
            n = next(n);
        }
    }
    assert!(failures > 3 * STATEMENTS.len(), "only {failures} failures");
    assert_eq!(runner.must(TRUTH).await, truth);
    Ok(())
}

#[test]
fn whichever_allocation_fails_the_statement_alone_ends_with_53200() {
    let dir = std::env::temp_dir().join(format!("perdura-allocation-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    data_directory::initialize(&dir, None).unwrap();
    let settings = Config::load(&dir, &[]).unwrap().to_base(&dir).unwrap();
    let cluster = Cluster::open(
        dir.clone(),
        settings,
        |_| (),
        |dir, settings, ledger| {
            engine::open(dir, settings, ledger, |error: &Error| panic!("{error}"), |_| {})
        },
    )
    .unwrap();
    let main = cluster.clone();
    sched::run(1, move |_| async move {
        let entry = main.enter(4, session::Origin::default());
        let interrupts = entry.interrupts.clone();
        let identity = Identity {
            user: "postgres".to_owned(),
            superuser: true,
            database: "postgres".to_owned(),
            options: Vec::new(),
        };
        let mut greeting = Vec::new();
        let start = main.clone();
        let out = &mut greeting;
        let session = fiber(&interrupts, || Session::start(start, entry, identity, out)).await?;
        every_failure(Runner { cluster: main, session, interrupts }).await
    })
    .unwrap()
    .unwrap();
    cluster.close().unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
}
