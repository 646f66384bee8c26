//! What analysis says of a statement, against what PostgreSQL 18 says (recorded by `record.py`).

mod tables;

use crate::{Environment, Parameters, StoredContext, StoredTarget, analyze, analyze_expression};
use base::Error;
use catalog::Catalog;
use catalog::SharedCache;
use catalog::builtin::BOOTSTRAP_SUPERUSER;
use catalog::store::MemoryStore;
use memory::{Account, Bump};
use std::rc::Rc;
use std::sync::Arc;
use types::{Io, IoEnv, NoCatalog};

struct Session {
    catalog: Catalog,
    env: IoEnv,
}

impl Session {
    /// A session that has cached nothing yet.
    fn new(store: &Rc<MemoryStore>) -> Session {
        let cache = || Arc::new(SharedCache::new());
        let (database, user) = (catalog::bootstrap::POSTGRES, BOOTSTRAP_SUPERUSER);
        let catalog = Catalog::new(store.clone(), cache(), cache(), database, 1, user);
        catalog.set_search_path(vec!["public".into()]);
        Session { catalog, env: IoEnv::default() }
    }
}

impl Environment for Session {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn io(&self) -> Io<'_> {
        Io::new(&self.env, &NoCatalog)
    }
}

fn describe(session: &Session, sql: &str) -> Result<String, Error> {
    let bump = Bump::new("test", Account::unlimited());
    let statements = parse::parse(&bump, sql)?;
    let mut parameters = Parameters::inferred(Vec::new());
    let query = analyze(&bump, session, sql, &statements[0].statement, &mut parameters)?;
    let types: Vec<String> = parameters.types().iter().map(|oid| oid.0.to_string()).collect();
    let types = if types.is_empty() { "-".to_string() } else { types.join(",") };
    let mut parts = vec!["ok".to_string(), types];
    for column in crate::sublink::result_columns(query) {
        let ty = column.expr.ty;
        let oid =
            if ty.oid < base::Oid::FIRST_NORMAL { ty.oid.0.to_string() } else { "user".into() };
        parts.push(format!("{}:{oid}:{}", column.name, ty.typmod));
    }
    // A stored tree is the tree again.
    let stored = crate::stored::encode_query(query);
    let again = crate::stored::analyze_stored_query(&bump, session, &stored, base::Oid::INVALID)?;
    assert_eq!(crate::stored::encode_query(again), stored, "for {sql}");
    Ok(parts.join(" | "))
}

fn shown(result: Result<String, Error>) -> String {
    let error = match result {
        Ok(text) => return text,
        Err(error) => error,
    };
    let fields = error.fields();
    let optional = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let position = fields.position.map_or_else(|| "-".into(), |at| at.to_string());
    [
        fields.sqlstate.as_str().to_string(),
        position,
        fields.message.replace('\n', " "),
        optional(&fields.detail),
        optional(&fields.hint),
    ]
    .join(" | ")
}

/// Statements whose answer is known to differ, with the reason.
const GAPS: &[(&str, &str)] = &[
    ("SELECT @ -5, |/ 25.0, !! 'x'", "tsquery has no input"),
    (
        "INSERT INTO t AS x (a) VALUES (1) ON CONFLICT (b) DO NOTHING",
        "the arbiter is looked up here, in PostgreSQL by the planner: same error, later",
    ),
];

#[test]
fn statements_mean_what_they_mean_to_postgresql() {
    let store = Rc::new(MemoryStore::new());
    catalog::bootstrap::fill(&*store).unwrap();
    tables::make_all(|| Session::new(&store), include_str!("schema.sql"));
    let session = Session::new(&store);
    let statements = include_str!("statements.sql");
    let expected = include_str!("expected.txt");
    let mut wrong = Vec::new();
    let mut count = 0;
    for (sql, expected) in statements.lines().zip(expected.lines()) {
        if expected.is_empty() {
            continue;
        }
        count += 1;
        let got = shown(describe(&session, sql));
        let gap = GAPS.iter().any(|(gap, _)| *gap == sql);
        if (got == expected) == gap {
            wrong.push(format!("{sql}\n  want {expected}\n  got  {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The messages are PostgreSQL's for CREATE TABLE and CREATE INDEX over the table `t`.
#[test]
fn stored_expressions_may_not_contain_everything() {
    use StoredContext as C;
    let store = Rc::new(MemoryStore::new());
    catalog::bootstrap::fill(&*store).unwrap();
    tables::make_all(|| Session::new(&store), include_str!("schema.sql"));
    let session = Session::new(&store);
    let oid = session.catalog.relation_named(None, "t").unwrap().unwrap();
    let relation = session.catalog.relation(oid).unwrap();
    let cast = "You will need to rewrite or cast the expression.";
    for (context, sql, expected) in [
        (C::Default, "a", "0A000 | 1 | cannot use column reference in DEFAULT expression"),
        (
            C::Check,
            "count(*) > 1",
            "42803 | 1 | aggregate functions are not allowed in check constraints",
        ),
        (C::Check, "a", "42804 | 1 | argument of CHECK must be type boolean, not type integer"),
        (C::Check, "a > (select 1)", "0A000 | 5 | cannot use subquery in check constraint"),
        (C::Check, "nosuch > 1", "42703 | 1 | column \"nosuch\" does not exist"),
        (
            C::Default,
            "'x'::text",
            "42804 | - | column \"a\" is of type integer but default expression is of type text",
        ),
        (C::Default, "'x'", "22P02 | 1 | invalid input syntax for type integer: \"x\""),
        (
            C::Default,
            "rank() over ()",
            "42P20 | 1 | window functions are not allowed in DEFAULT expressions",
        ),
        (
            C::Default,
            "generate_series(1,2)",
            "0A000 | 1 | set-returning functions are not allowed in DEFAULT expressions",
        ),
        (
            C::Generated,
            "a || 'x'",
            "42804 | - | column \"a\" is of type integer but default expression is of type text",
        ),
        (
            C::IndexExpression,
            "sum(a)",
            "42803 | 1 | aggregate functions are not allowed in index expressions",
        ),
        (
            C::IndexPredicate,
            "b",
            "42804 | 1 | argument of WHERE must be type boolean, not type text",
        ),
        (C::Default, "1 + 1", "ok | 23"),
        (C::Check, "a > 0 AND b <> 'x'", "ok | 16"),
        (C::IndexExpression, "lower(b)", "ok | 25"),
    ] {
        let bump = Bump::new("test", Account::unlimited());
        let text = format!("SELECT {sql}");
        let statements = parse::parse(&bump, &text).unwrap();
        let parse::Statement::Select(select) = statements[0].statement else { panic!("{sql}") };
        let expression = select.targets[0].value.unwrap();
        let target = matches!(context, C::Default | C::Generated).then_some(StoredTarget {
            oid: base::Oid(types::oids::INT4),
            typmod: -1,
            name: "a",
        });
        let relation = Some(&*relation);
        let result =
            analyze_expression(&bump, &session, &text, expression, relation, context, target);
        let got = shown(result.map(|expr| format!("ok | {}", expr.ty.oid)));
        // Positions count from the expression here.
        let mut parts: Vec<String> = got.split(" | ").take(3).map(String::from).collect();
        if let Some(Ok(at)) = parts.get(1).filter(|_| parts.len() > 2).map(|at| at.parse::<u32>()) {
            parts[1] = (at - 7).to_string();
        }
        assert_eq!(parts.join(" | "), expected, "for {sql}");
        if expected.contains("expression is of type") {
            assert!(got.ends_with(cast), "{got}");
        }
    }
}

#[test]
fn damaged_trees_are_errors() {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_121u64);
    println!("SEED={seed}");
    let store = Rc::new(MemoryStore::new());
    catalog::bootstrap::fill(&*store).unwrap();
    let session = Session::new(&store);
    let bump = Bump::new("test", Account::unlimited());
    let sql = "WITH w AS (SELECT oid, relname AS n FROM pg_class WHERE relkind IN ('r', 'v')) \
               SELECT n, count(*) FILTER (WHERE oid > 1), rank() OVER (ORDER BY n) FROM w \
               LEFT JOIN pg_namespace USING (oid) GROUP BY n, oid HAVING max(n) > 'a' LIMIT 3";
    let statements = parse::parse(&bump, sql).unwrap();
    let mut parameters = Parameters::none();
    let query = analyze(&bump, &session, sql, &statements[0].statement, &mut parameters).unwrap();
    let catalog::rows::Stored::Tree(bytes) = crate::stored::encode_query(query) else { panic!() };
    let mut state = seed;
    let mut refused = 0;
    for round in 0..20_000 {
        // xorshift
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let mut damaged = bytes.to_vec();
        let at = (state >> 8) as usize % damaged.len();
        if round % 4 == 0 {
            damaged.truncate(at);
        } else {
            damaged[at] = state as u8;
        }
        let mut scratch = Bump::new("scratch", Account::unlimited());
        let stored = catalog::rows::Stored::Tree(damaged.into());
        let none = base::Oid::INVALID;
        let result = crate::stored::analyze_stored_query(&scratch, &session, &stored, none);
        refused += u32::from(result.is_err());
        scratch.reset();
    }
    assert!(refused > 5_000, "{refused}");
}

/// Runs on demand over a corpus of statements recorded from the oracle: a file of JSON lines
/// `[sql, expected]` in PERDURA_ANALYZE_CORPUS. Prints what differs, most frequent causes first.
#[test]
#[ignore = "PERDURA_ANALYZE_CORPUS=FILE cargo test -p analyze --lib -- --ignored corpus"]
fn corpus() {
    let path = std::env::var("PERDURA_ANALYZE_CORPUS").expect("PERDURA_ANALYZE_CORPUS");
    let store = Rc::new(MemoryStore::new());
    catalog::bootstrap::fill(&*store).unwrap();
    let session = Session::new(&store);
    let (mut count, mut same) = (0, 0);
    let mut causes: std::collections::HashMap<String, Vec<String>> = Default::default();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let Some((sql, expected)) = line.split_once('\u{1}') else { continue };
        let sql = sql.replace('\u{2}', "\n");
        count += 1;
        let got = shown(describe(&session, &sql));
        if got == expected {
            same += 1;
            continue;
        }
        let cause: String = if got.starts_with("ok") && expected.starts_with("ok") {
            "other columns".into()
        } else if got.starts_with("ok") {
            "accepted".into()
        } else {
            got.split(" | ").nth(2).unwrap_or_default().chars().take(60).collect()
        };
        causes.entry(cause).or_default().push(format!("{sql}\n  want {expected}\n  got  {got}"));
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, all)| std::cmp::Reverse(all.len()));
    for (cause, all) in &causes {
        println!("== {} {cause}", all.len());
        all.iter().take(6).for_each(|one| println!("{one}"));
    }
    println!("{same} of {count} are the same");
    assert!(count > 0);
}

/// What analysis accepts, the walks over its result survive: they use less stack a level.
#[test]
fn deep_expressions_end_with_54001() {
    let store = Rc::new(MemoryStore::new());
    catalog::bootstrap::fill(&*store).unwrap();
    let session = Session::new(&store);
    let (mut accepted, mut refused) = (0, 0);
    for terms in [10, 100, 200, 300, 400, 600, 800, 1200, 1600, 2400, 3200, 50_000] {
        let sql = format!("SELECT max(relpages){} FROM pg_class", " + 1".repeat(terms));
        match describe(&session, &sql) {
            Ok(_) => accepted = terms,
            Err(error) => {
                assert_eq!(error.sqlstate(), base::SqlState::STATEMENT_TOO_COMPLEX);
                refused += 1;
            }
        }
    }
    assert!(accepted >= 100, "{accepted}");
    assert!(refused >= 1);
}
