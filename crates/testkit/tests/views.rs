//! The queries of our system views, run on PostgreSQL, find what PostgreSQL's own views find.

use catalog::{builtin, views};
use std::io::Write;
use testkit::oracle::{self, Oracle};
use testkit::{Server, psql};

/// Objects of every kind that the views show.
const OBJECTS: &str = "
    CREATE ROLE reader; CREATE ROLE member LOGIN IN ROLE reader;
    ALTER ROLE reader SET work_mem = '8MB';
    CREATE SCHEMA s; CREATE DOMAIN s.d AS numeric(8,2) CHECK (VALUE > 0);
    CREATE TYPE s.mood AS ENUM ('sad', 'happy');
    CREATE TABLE s.parent (a int PRIMARY KEY, b varchar(10) UNIQUE, c s.d NOT NULL, m s.mood);
    CREATE TABLE child (
        id int GENERATED ALWAYS AS IDENTITY, p int REFERENCES s.parent ON DELETE CASCADE,
        t timestamp(3), i interval year to month, arr int[], n numeric(5,1) DEFAULT 1.5,
        g int GENERATED ALWAYS AS (1 + 1) STORED, ch char(3), bt bit(4), CHECK (n < 9));
    CREATE VIEW v AS SELECT a, b FROM s.parent;
    CREATE MATERIALIZED VIEW mv AS SELECT 1 AS one;
    CREATE SEQUENCE sq START 5 INCREMENT 2; SELECT nextval('sq');
    CREATE RULE r AS ON DELETE TO child DO INSTEAD NOTHING;
    CREATE POLICY pol ON child FOR SELECT TO reader USING (id > 0);
    CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
    GRANT SELECT ON child TO reader;
    INSERT INTO s.parent SELECT i, i, i FROM generate_series(1, 100) i; ANALYZE s.parent;
";

#[test]
fn our_queries_find_what_the_views_of_postgresql_find() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            let _ = writeln!(std::io::stderr(), "\n*** system views NOT COMPARED: {error}\n");
            return;
        }
    };
    let oracle = Oracle::start(&installation).unwrap();
    let run = |sql: &str| psql::query(&installation, oracle.port(), "postgres", sql);
    run(OBJECTS).unwrap();
    let mut problems = Vec::new();
    for (schema, name, columns) in views::defined() {
        // What each session sees differently, or what Perdura has not.
        if matches!(
            name,
            "pg_locks"
                | "pg_stat_activity"
                | "pg_stat_ssl"
                | "pg_stat_gssapi"
                | "pg_backend_memory_contexts"
                | "pg_available_extensions"
                | "pg_available_extension_versions"
        ) {
            continue;
        }
        let namespace = builtin::namespaces_by_name(schema).next().unwrap().oid;
        let ours = views::query(namespace, name).unwrap();
        let texts = columns.iter().map(|column| format!("\"{column}\"::text"));
        let texts = texts.collect::<Vec<_>>().join(", ");
        // One transaction with one view of the counters, so that asking does not change them.
        let begin = "SET search_path = pg_catalog; SET stats_fetch_consistency = snapshot; BEGIN;";
        let both = format!(
            "{begin} SELECT {texts} FROM {schema}.{name} q; SELECT '{BETWEEN}'; \
             SELECT {texts} FROM ({ours}) q; COMMIT"
        );
        // Sessions of the queries before may still be ending, and views count them.
        let mut last = None;
        for _ in 0..5 {
            last = problem(run(&both));
            if last.is_none() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        problems.extend(last.map(|problem| format!("{schema}.{name}: {problem}")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The line between PostgreSQL's rows and ours.
const BETWEEN: &str = "-- ours";

/// What is different in the rows, whatever their order.
fn problem(both: testkit::Result<String>) -> Option<String> {
    let both = match both {
        Ok(both) => both,
        Err(error) => return Some(error),
    };
    let mut theirs: Vec<&str> = both.lines().collect();
    let Some(between) = theirs.iter().position(|line| *line == BETWEEN) else {
        return Some(format!("no line between the rows: {both}"));
    };
    let mut found = theirs.split_off(between);
    found.remove(0);
    theirs.sort_unstable();
    found.sort_unstable();
    let missing = theirs.iter().find(|line| !found.contains(line));
    let extra = found.iter().find(|line| !theirs.contains(line));
    (theirs.len() != found.len() || missing.is_some() || extra.is_some()).then(|| {
        format!(
            "{} rows, {} expected\n  missing: {missing:?}\n  extra:   {extra:?}",
            found.len(),
            theirs.len()
        )
    })
}
