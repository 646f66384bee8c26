//! TLS as clients see it: negotiation, versions, certificates of both sides, reload.

use crate::client::*;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use testkit::Server;

#[test]
fn encrypted_sessions_are_what_they_should_be() {
    let Some((perdura, _)) = start(&[]) else { return };
    let port = perdura.port();
    assert!(connect(port, PLAIN).is_err() && connect(port, DIRECT).is_err(), "ssl is off");

    let verified = "ssl = on\nssl_ca_file = 'root.crt'\nssl_crl_file = 'root.crl'\n";
    set_up(&perdura, verified, "server", || connect(port, PLAIN).is_ok()).unwrap();
    let with = |certificate| Attempt { certificate: Some(certificate), ..PLAIN };
    let version = |versions| Attempt { versions, ..PLAIN };
    let attempts = [
        (PLAIN, true),
        (DIRECT, true),
        (Attempt { alpn: &[b"postgresql"], ..PLAIN }, true),
        (Attempt { alpn: &[b"h2"], ..PLAIN }, false),
        (Attempt { alpn: &[], ..DIRECT }, false),
        (version(&BOTH[..1]), true),
        (version(&BOTH[1..]), true),
        (with("client"), true),
        (with("revoked"), false),
        (with("stranger"), false),
    ];
    for (attempt, expected) in attempts {
        let found = connect(port, attempt);
        assert_eq!(found.is_ok(), expected, "{attempt:?}: {:?}", found.err());
    }
    let mut open = connect(port, PLAIN).unwrap();
    let long = talk(&mut open, "SELECT repeat('tls ', 100000), repeat('x', 70000)").unwrap();
    assert!(long.len() > 470_000);
    let literal = format!("SELECT length('{}')", "y".repeat(300_000));
    assert!(talk(&mut open, &literal).unwrap().windows(6).any(|part| part == b"300000"));

    // A reload changes what new sessions get; the open one goes on.
    let newer = format!("{verified}ssl_min_protocol_version = 'TLSv1.3'\n");
    set_up(&perdura, &newer, "server_384", || connect(port, version(&BOTH[1..])).is_err()).unwrap();
    assert!(connect(port, version(&BOTH[..1])).is_ok());
    assert!(talk(&mut open, "SELECT 1").is_ok());

    // A key that others may read is refused, and the old one stays.
    let key = perdura.data_dir().join("server.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    perdura.reload();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !perdura.log().contains("has group or world access") {
        assert!(Instant::now() < deadline, "{}", perdura.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(connect(port, PLAIN).is_ok());
}

#[test]
fn an_encrypted_session_goes_on_at_another_worker() {
    let metrics = testkit::free_port().unwrap();
    let Some((perdura, _)) = start(&[&format!("metrics_listen_address=127.0.0.1:{metrics}")])
    else {
        return;
    };
    let port = perdura.port();
    set_up(&perdura, "ssl = on\n", "server", || connect(port, PLAIN).is_ok()).unwrap();
    // Every other session is idle: so those with work are on one worker, if there are two.
    let mut sessions: Vec<_> = (0..8).map(|_| connect(port, PLAIN).unwrap()).collect();
    let working: Vec<_> = (0..8).rev().step_by(2).map(|at| sessions.remove(at)).collect();
    let moved = || testkit::metrics::metric(metrics, "perdura_session_moves_total").unwrap() > 1.5;
    let alone = std::thread::available_parallelism().map_or(1, usize::from) == 1;
    let deadline = Instant::now() + Duration::from_secs(60);
    std::thread::scope(|scope| {
        for mut session in working {
            scope.spawn(move || {
                while !alone && !moved() {
                    assert!(Instant::now() < deadline, "nobody moved");
                    for _ in 0..100 {
                        let sum = "SELECT sum(i) FROM generate_series(1, 20000) i";
                        let answer = talk(&mut session, sum).unwrap();
                        assert!(answer.windows(9).any(|part| part == b"200010000"));
                    }
                }
                let long = talk(&mut session, "SELECT repeat('tls ', 100000)").unwrap();
                assert!(long.len() > 400_000);
            });
        }
    });
}

fn logged(perdura: &testkit::perdura::Perdura, text: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !perdura.log().contains(text) {
        assert!(Instant::now() < deadline, "{text}: {}", perdura.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_settings_choose_ciphers_and_groups() {
    let Some((perdura, _)) = start(&[]) else { return };
    let port = perdura.port();
    let settings = "ssl = on\nssl_tls13_ciphers = 'TLS_CHACHA20_POLY1305_SHA256'\n\
                    ssl_ciphers = 'HIGH:!AES256:+AES128'\nssl_groups = 'X25519'\n";
    set_up(&perdura, settings, "server", || connect(port, PLAIN).is_ok()).unwrap();
    let cipher = |versions| {
        let mut session = connect(port, Attempt { versions, ..PLAIN }).unwrap();
        let sql = "SELECT cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        String::from_utf8_lossy(&talk(&mut session, sql).unwrap()).into_owned()
    };
    let found = cipher(&BOTH[..1]);
    assert!(found.contains("TLS_CHACHA20_POLY1305_SHA256"), "{found}");
    let found = cipher(&BOTH[1..]);
    assert!(found.contains("CHACHA20-POLY1305") && !found.contains("AES"), "{found}");
    for (setting, error) in [
        (
            "ssl_ciphers = 'RC4'",
            "could not set the TLSv1.2 cipher list (no valid ciphers available)",
        ),
        ("ssl_groups = 'nonsense'", "could not set group names specified in ssl_groups"),
        (
            "ssl_min_protocol_version = 'TLSv1.1'",
            "\"ssl_min_protocol_version\" setting \"TLSv1.1\"",
        ),
    ] {
        let settings = format!("ssl = on\n{setting}\n");
        set_up(&perdura, &settings, "server", || true).unwrap();
        logged(&perdura, error);
        assert!(connect(port, PLAIN).is_ok(), "{setting}: what was there before stays");
    }
}

#[test]
fn a_key_with_a_passphrase_is_opened_by_a_command() {
    let Some((perdura, _)) = start(&[]) else { return };
    let port = perdura.port();
    let command = "ssl = on\nssl_passphrase_command = 'test \"%p\" = \"Enter PEM pass phrase:\" && echo open'\n";
    set_up(&perdura, "ssl = on\n", "server_encrypted", || true).unwrap();
    logged(&perdura, "cannot be loaded because it requires a passphrase");
    set_up(&perdura, command, "server_encrypted", || true).unwrap();
    logged(&perdura, "cannot be reloaded because it requires a passphrase");
    assert!(connect(port, PLAIN).is_err());
    let wrong = "ssl = on\nssl_passphrase_command = 'echo shut'\n\
                 ssl_passphrase_command_supports_reload = on\n";
    set_up(&perdura, wrong, "server_encrypted", || true).unwrap();
    logged(&perdura, "the passphrase is wrong or the encryption not supported");
    let failing = wrong.replace("echo shut", "false");
    set_up(&perdura, &failing, "server_encrypted", || true).unwrap();
    logged(&perdura, "command \"false\" failed");
    let right = format!("{command}ssl_passphrase_command_supports_reload = on\n");
    set_up(&perdura, &right, "server_encrypted", || connect(port, PLAIN).is_ok()).unwrap();
}
