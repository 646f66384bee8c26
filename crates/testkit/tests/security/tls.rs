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
