//! Logging in with a password, as psql of PostgreSQL 18 does it, and what holds for the session.

use std::io::Write;
use std::time::{Duration, Instant};
use testkit::perdura::{self, Perdura};
use testkit::{Server, oracle, psql};

const ROLES: &str = "
    CREATE ROLE fine LOGIN PASSWORD 'right'; CREATE ROLE other;
    CREATE ROLE expired LOGIN PASSWORD 'right' VALID UNTIL '2000-01-01';
    CREATE ROLE future LOGIN PASSWORD 'right' VALID UNTIL '2100-01-01';
    CREATE ROLE nologin PASSWORD 'right'; CREATE ROLE nopassword LOGIN;
    CREATE ROLE full_up LOGIN PASSWORD 'right' CONNECTION LIMIT 0;
    CREATE ROLE verifier LOGIN PASSWORD
        'SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$6O84CQ7yAd5mP0IJfzoMWJWmXGtfmXpRLUFXjE8fJxs=:JEJDiX1oSyE/MzxvZo5TWyRzCO6xJKXK9HDrVgRVXSY=';
    ALTER ROLE fine SET work_mem = '8MB'; ALTER DATABASE postgres SET work_mem = '9MB';
    ALTER ROLE fine IN DATABASE postgres SET lock_timeout = '7s';
    ALTER ROLE ALL SET lock_timeout = '3s'; ALTER ROLE ALL SET deadlock_timeout = '5s';
    ALTER ROLE future SET role = 'other';
";

/// User, password, database, and what psql says: rows, or the end of the error.
const LOGINS: &[(&str, &str, &str, Result<&str, &str>)] = &[
    ("fine", "right", "postgres", Ok("fine\tfine\t8MB\t7s")),
    ("future", "right", "postgres", Ok("future\tfuture\t9MB\t3s")),
    ("fine", "wrong", "postgres", Err("password authentication failed for user \"fine\"")),
    ("expired", "right", "postgres", Err("password authentication failed for user \"expired\"")),
    ("nosuch", "right", "postgres", Err("password authentication failed for user \"nosuch\"")),
    ("nopassword", "", "postgres", Err("fe_sendauth: no password supplied")),
    ("nopassword", "x", "postgres", Err("authentication failed for user \"nopassword\"")),
    ("nologin", "right", "postgres", Err("role \"nologin\" is not permitted to log in")),
    ("full_up", "right", "postgres", Err("too many connections for role \"full_up\"")),
    ("verifier", "right", "postgres", Err("authentication failed for user \"verifier\"")),
    ("fine", "right", "nosuch", Err("database \"nosuch\" does not exist")),
];

#[test]
fn passwords_let_in_whom_they_should() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            let _ = writeln!(std::io::stderr(), "\n*** logins NOT TRIED: {error}\n");
            return;
        }
    };
    let perdura = Perdura::start(perdura::program().unwrap(), &installation).unwrap();
    psql::query(&installation, perdura.port(), "postgres", ROLES).unwrap();
    let path = perdura.data_dir().join("pg_hba.conf");
    let rules = std::fs::read_to_string(&path).unwrap();
    let rules = format!("host all postgres all trust\nhost all all all scram-sha-256\n{rules}");
    std::fs::write(&path, rules).unwrap();
    perdura.reload();
    let shown = "SELECT current_user, session_user, current_setting('work_mem'), \
                 current_setting('lock_timeout')";
    let try_it = |user: &str, password: &str, database: &str| {
        psql::query_as(&installation, perdura.port(), database, (user, password), shown)
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while try_it("fine", "wrong", "postgres").is_ok() {
        assert!(Instant::now() < deadline, "pg_hba.conf was not reloaded");
        std::thread::sleep(Duration::from_millis(20));
    }
    for (user, password, database, expected) in LOGINS {
        let found = try_it(user, password, database);
        match (expected, &found) {
            (Ok(rows), Ok(found)) => assert_eq!(found, rows, "{user}"),
            (Err(end), Err(found)) => assert!(found.ends_with(end), "{user}: {found}"),
            _ => panic!("{user} with {password:?}: {found:?}"),
        }
    }
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"nonsense all all all trust\n").unwrap();
    perdura.reload();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !perdura.log().contains("CONTEXT:  line ") {
        assert!(Instant::now() < deadline, "the log does not say which line is wrong");
        std::thread::sleep(Duration::from_millis(20));
    }
}
