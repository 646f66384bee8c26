//! pg_hba.conf and pg_ident.conf as clients meet them.

use crate::client::*;
use std::process::Command;
use testkit::client::Client;
use testkit::{Server, psql};

const ROLES: &str = "
    CREATE ROLE alice LOGIN PASSWORD 'right'; CREATE ROLE bob LOGIN PASSWORD 'right';
    CREATE ROLE staff; GRANT staff TO bob; CREATE ROLE me LOGIN;
";

const RULES: &str = "\
local   all postgres trust
local   all me peer map=system
local   all all peer
host    all postgres 127.0.0.1/32 trust
host    all +staff samehost reject
hostssl all alice all cert map=people
hostssl all alice ::1/128 cert clientname=DN
hostnossl all alice all password
hostssl all bob all password clientcert=verify-full
hostssl all all all scram-sha-256
";

/// Waits for the log to say something.
fn log_says(perdura: &testkit::perdura::Perdura, text: &str) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !perdura.log().contains(text) {
        assert!(std::time::Instant::now() < deadline, "no {text:?} in {}", perdura.log());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn rules_ask_for_what_they_say() {
    let Some((perdura, installation)) = start(&["log_connections=all"]) else { return };
    let port = perdura.port();
    psql::query(&installation, port, "postgres", ROLES).unwrap();
    let dir = perdura.data_dir();
    let sockets = dir.join("sockets");
    std::fs::create_dir(&sockets).unwrap();
    std::fs::write(dir.join("pg_ident.conf"), "people /^(al).*$ \\1ice\n").unwrap();
    std::fs::write(dir.join("pg_hba.conf"), RULES.replacen("+staff", "+nosuch", 1)).unwrap();
    let settings = "ssl = on\nssl_ca_file = 'root.crt'\n";
    set_up(&perdura, settings, "server", || connect(port, PLAIN).is_ok()).unwrap();

    let user = |user| Attempt { user, ..PLAIN };
    let mut shown = connect(port, PLAIN).unwrap();
    let sql = "SELECT version = 'TLSv1.3' AND bits >= 128 AND cipher LIKE 'TLS_%' AND \
               client_dn IS NULL FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    assert!(talk(&mut shown, sql).unwrap().windows(7).any(|part| part == b"\0\x01\0\0\0\x01t"));
    let with = |user, certificate| Attempt { certificate: Some(certificate), ..user };
    let error = |attempt| connect(port, attempt).err().map(|e| e.to_string()).unwrap_or_default();
    let bob = Attempt { password: Some("right"), ..user("bob") };
    assert!(error(user("alice")).contains("connection requires a valid client certificate"));
    let mut alice = connect(port, with(user("alice"), "client")).unwrap();
    let sql = "SELECT client_dn || client_serial || issuer_dn || system_user FROM pg_stat_ssl \
               WHERE pid = pg_backend_pid()";
    let told = talk(&mut alice, sql).unwrap();
    let told = String::from_utf8_lossy(&told);
    let expected = "/O=Example\\, Inc/OU=Tests/CN=alice85968058272638546416180/CN=root_ca\
                    cert:CN=alice,OU=Tests,O=Example\\, Inc";
    assert!(told.contains(expected), "{told}");
    log_says(&perdura, "identity=\"CN=alice,OU=Tests,O=Example\\, Inc\" method=cert");
    assert!(error(bob).contains("connection requires a valid client certificate"));
    let said = error(with(bob, "client"));
    assert!(said.contains("password authentication failed for user \"bob\""), "{said}");
    log_says(&perdura, "(clientcert=verify-full) failed for user \"bob\": CN mismatch");
    let wrong = Attempt { password: Some("wrong"), ..with(bob, "client") };
    assert!(error(wrong).contains("password authentication failed for user \"bob\""));
    log_says(&perdura, "Password does not match for user \"bob\".");
    log_says(&perdura, "line 9: \"hostssl all bob all password clientcert=verify-full\"");
    let plain = psql::query_as(&installation, port, "postgres", ("alice", "right"), "SELECT 1");
    let said = plain.unwrap_err();
    assert!(said.contains("passwords are not accepted over connections without"), "{said}");

    // A file with a mistake changes nothing; one without is used.
    std::fs::write(dir.join("pg_hba.conf"), "host all all all thrust\n").unwrap();
    perdura.reload();
    log_says(&perdura, "pg_hba.conf was not reloaded");
    connect(port, with(user("alice"), "client")).unwrap();
    std::fs::write(dir.join("pg_hba.conf"), RULES).unwrap();
    let rejected = || error(bob).contains("pg_hba.conf rejects connection for host \"127.0.0.1\"");
    set_up(&perdura, settings, "server", rejected).unwrap();

    let mut client = Client::connect(port, "postgres").unwrap();
    let rows = client
        .query(
            "SELECT rule_number, line_number, type, database, user_name, address, netmask, \
                auth_method, options, error FROM pg_hba_file_rules WHERE line_number IN (1, 4, 9)",
        )
        .unwrap();
    let text = |row: &Vec<Option<String>>| {
        row.iter().map(|v| v.as_deref().unwrap_or("-")).collect::<Vec<_>>().join("|")
    };
    let rows: Vec<String> = rows.iter().map(text).collect();
    assert_eq!(
        rows,
        [
            "1|1|local|{all}|{postgres}|-|-|trust|-|-",
            "4|4|host|{all}|{postgres}|127.0.0.1|255.255.255.255|trust|-|-",
            "9|9|hostssl|{all}|{bob}|all|-|password|{clientcert=verify-full}|-",
        ]
    );
    let rows = client
        .query(
            "SELECT map_number, line_number, map_name, sys_name, pg_username, error \
                FROM pg_ident_file_mappings",
        )
        .unwrap();
    let rows: Vec<String> = rows.iter().map(text).collect();
    assert_eq!(rows, ["1|1|people|/^(al).*$|\\1ice|-"]);
}

#[test]
fn the_system_says_who_is_at_a_unix_socket() {
    let sockets = std::env::temp_dir().join(format!("perdura-peer-{}", std::process::id()));
    std::fs::create_dir_all(&sockets).unwrap();
    let setting = format!("unix_socket_directories={}", sockets.display());
    let Some((perdura, installation)) = start(&[&setting]) else { return };
    let port = perdura.port();
    let own = Command::new("id").arg("-un").output().unwrap();
    let own = String::from_utf8(own.stdout).unwrap().trim().to_owned();
    let roles = format!("CREATE ROLE \"{own}\" LOGIN; CREATE ROLE me LOGIN;");
    psql::query(&installation, port, "postgres", &roles).unwrap();
    let dir = perdura.data_dir();
    let map = format!("system {own} me\n");
    std::fs::write(dir.join("pg_ident.conf"), map).unwrap();
    let rules = "host all postgres all trust\nlocal all me peer map=system\nlocal all all peer\n";
    std::fs::write(dir.join("pg_hba.conf"), rules).unwrap();
    perdura.reload();
    let try_it = |user: &str| {
        let output = Command::new(installation.program("psql"))
            .args(["-X", "-A", "-t", "-w", "-d", "postgres", "-c", "SELECT current_user"])
            .arg("-h")
            .arg(&sockets)
            .args(["-p", &port.to_string(), "-U", user])
            .output()
            .unwrap();
        let text = if output.status.success() { output.stdout } else { output.stderr };
        String::from_utf8(text).unwrap().trim().to_owned()
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !try_it("postgres").contains("Peer authentication failed for user \"postgres\"") {
        assert!(std::time::Instant::now() < deadline, "{}", perdura.log());
    }
    assert_eq!(try_it(&own), own);
    assert_eq!(try_it("me"), "me");
    let _ = std::fs::remove_dir_all(&sockets);
}

#[test]
fn limits_hold_and_the_log_keeps_secrets() {
    let settings = [
        "max_connections=12",
        "superuser_reserved_connections=2",
        "reserved_connections=3",
        "log_connections=on",
        "log_disconnections=on",
        "authentication_timeout=3",
    ];
    let Some((perdura, installation)) = start(&settings) else { return };
    let port = perdura.port();
    let roles = "CREATE ROLE plain LOGIN; CREATE ROLE second LOGIN;
        GRANT pg_use_reserved_connections TO second; CREATE ROLE one LOGIN CONNECTION LIMIT 1;
        CREATE ROLE known LOGIN PASSWORD 'secret-1'; ALTER ROLE known PASSWORD 'secret-2';
        ALTER ROLE known VALID UNTIL '2001-01-01' PASSWORD 'secret-3';";
    psql::query(&installation, port, "postgres", roles).unwrap();
    for wrong in [
        "CREATE ROLE known PASSWORD 'secret-4'",
        "ALTER ROLE nobody PASSWORD 'secret-5'",
        "ALTER ROLE known PASSWORD 'secret-6' NOSUCH",
    ] {
        psql::query(&installation, port, "postgres", wrong).unwrap_err();
    }
    let rules = "host all known all scram-sha-256\nhost all all all trust\n";
    std::fs::write(perdura.data_dir().join("pg_hba.conf"), rules).unwrap();
    perdura.reload();
    let known =
        || psql::query_as(&installation, port, "postgres", ("known", "secret-3"), "SELECT 1");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while known().is_ok() {
        assert!(std::time::Instant::now() < deadline, "{}", perdura.log());
    }
    log_says(&perdura, "User \"known\" has an expired password.");

    // Nobody is in yet but those who come here.
    let mut super_client = Client::connect(port, "postgres").unwrap();
    while super_client.value("SELECT count(*) FROM pg_stat_activity").unwrap() != "1" {}
    let connect =
        |user: &str| Client::connect_as(port, "postgres", user).map_err(|e| e.to_string());
    let one = connect("one").unwrap();
    let said = connect("one").unwrap_err();
    assert!(said.contains("too many connections for role \"one\""), "{said}");
    drop(one);
    while super_client.value("SELECT count(*) FROM pg_stat_activity").unwrap() != "1" {}
    let mut open = Vec::new();
    let mut fill = |user: &str| loop {
        match connect(user) {
            Ok(client) => open.push(client),
            Err(said) => return (open.len(), said),
        }
    };
    let (count, said) = fill("plain");
    assert_eq!(count, 6);
    assert!(said.contains("with privileges of the \"pg_use_reserved_connections\" role"), "{said}");
    let (count, said) = fill("second");
    assert_eq!(count, 9);
    assert!(said.contains("reserved for roles with the SUPERUSER attribute"), "{said}");
    let (count, said) = fill("postgres");
    assert_eq!(count, 11);
    assert!(said.contains("sorry, too many clients already"), "{said}");
    drop(open);

    // Who says nothing is not waited for.
    let mut silent = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut said = Vec::new();
    std::io::Read::read_to_end(&mut silent, &mut said).unwrap();
    assert!(String::from_utf8_lossy(&said).contains("canceling authentication due to timeout"));

    log_says(&perdura, "disconnection: session time: 0:00:0");
    let log = perdura.log();
    assert!(log.contains("connection received: host=127.0.0.1 port="), "{log}");
    assert!(log.contains("connection authorized: user=plain database=postgres"), "{log}");
    assert!(!log.contains("secret-") && !log.contains("SCRAM-SHA-256$"), "{log}");
}
