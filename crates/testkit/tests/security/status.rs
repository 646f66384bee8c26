//! The status page and the metrics.

use crate::client::start;
use std::io::Write;
use std::process::Command;
use testkit::Server;
use testkit::client::Client;
use testkit::metrics;

fn ask(port: u16, request: &str) -> String {
    metrics::ask(port, request).unwrap_or_else(|error| panic!("{request:?}: {error}"))
}

fn metric(port: u16, name: &str) -> f64 {
    metrics::metric(port, name).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_page_shows_the_server() {
    let port = testkit::free_port().unwrap();
    let Some((perdura, _)) = start(&[&format!("metrics_listen_address=127.0.0.1:{port}")]) else {
        return;
    };
    let mut client = Client::connect(perdura.port(), "postgres").unwrap();
    let before = metric(port, "perdura_answers_total");
    let errors = metric(port, "perdura_errors_total");
    for _ in 0..10 {
        client.query("SELECT 'a secret'").unwrap();
    }
    client.query("SELECT nothing").unwrap_err();
    assert!((metric(port, "perdura_answers_total") - before - 11.0).abs() < 0.5);
    assert!((metric(port, "perdura_errors_total") - errors - 1.0).abs() < 0.5);
    assert!(metric(port, "perdura_wal_inserted_bytes_total") > 0.0);
    assert!((metric(port, "perdura_sessions{state=\"idle\"}") - 1.0).abs() < 0.5);
    let json = ask(port, "GET /status.json HTTP/1.1\r\n\r\n");
    for part in ["\"user\":\"postgres\"", "\"state\":\"idle\"", "\"wait\":\"ClientRead\""] {
        assert!(json.contains(part), "no {part} in {json}");
    }
    assert!(!json.contains("secret"), "{json}");
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "200"),
        ("HEAD /?x HTTP/1.0\r\nA: b\r\n\r\n", "200"),
        ("GET /etc/passwd HTTP/1.1\r\n\r\n", "404"),
        ("POST / HTTP/1.1\r\n\r\n", "405"),
        ("\r\n\r\n", "405"),
    ] {
        let answer = ask(port, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
    }
    // More than a request may be is not waited for.
    assert_eq!(ask(port, &"x".repeat(9000)), "");
    in_a_browser(port);
}

/// What Chromium makes of the page.
fn in_a_browser(port: u16) {
    let profile = std::env::temp_dir().join(format!("perdura-chromium-{}", std::process::id()));
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("http://127.0.0.1:{port}/"))
        .output();
    let Ok(output) = output else {
        let _ = writeln!(std::io::stderr(), "\n*** the status page NOT TRIED in Chromium\n");
        return;
    };
    let _ = std::fs::remove_dir_all(profile);
    let page = String::from_utf8_lossy(&output.stdout);
    for part in ["<span>Sessions</span><b>1</b>", "shared buffers", ">live<"] {
        assert!(page.contains(part), "no {part} in {page}");
    }
}
