//! The Prometheus endpoint and the status page: `metrics_listen_address`.
//!
//! `GET /` is the page, `/status.json` what it shows, `/metrics` the same for Prometheus. Numbers are
//! collected when they are asked for and at no other time; the sessions do nothing for them.
//!
//! Rules
//! 1. No texts of queries and no names of clients are shown: whoever reaches the port may look.
//! 2. What a client may send is bounded in size, time and number of connections.
//! 3. The page needs nothing but itself: no other file is fetched.
//!
//! Limits: HTTP/1.1, GET, one answer a connection; no TLS and no password: bind it to an address
//! that only those reach who may look.

mod figures;

use crate::log;
use crate::process::Server;
use base::{Result, err};
use figures::Snapshot;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The port when the setting names none: what exporters of PostgreSQL's figures use.
const PORT: u16 = 9187;
/// The most bytes of a request.
const REQUEST_BYTES_MAX: usize = 8 << 10;
/// How long a request and its answer may take.
const WAIT: Duration = Duration::from_secs(5);
/// The connections at a time.
const CONNECTIONS_MAX: usize = 32;
/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

const PAGE: &str = include_str!("page.html");

/// Begins to listen, if the setting says where.
///
/// # Errors
/// When the address cannot be used.
pub(crate) async fn serve(server: &Arc<Server>) -> Result<()> {
    let settings = server.cluster.settings();
    let address = settings.text("metrics_listen_address");
    if address.is_empty() {
        return Ok(());
    }
    let wrong = |why: String| {
        err!(CONFIG_FILE_ERROR, "could not listen on metrics_listen_address \"{address}\": {why}")
    };
    let mut found = address.to_socket_addrs().or_else(|_| (address, PORT).to_socket_addrs());
    let socket = found.as_mut().ok().and_then(Iterator::next);
    let socket = socket.ok_or_else(|| wrong("it is no address".to_owned()))?;
    let listener =
        TcpListener::bind(socket).await.map_err(|error| wrong(crate::config::os_text(&error)))?;
    log::log(format!("status page and metrics are on http://{socket}/"));
    tokio::task::spawn_local(accept(server.clone(), listener));
    Ok(())
}

async fn accept(server: Arc<Server>, listener: TcpListener) {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS_MAX {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (server, open) = (server.clone(), open.clone());
        tokio::task::spawn_local(async move {
            // A client that is too slow or goes away has itself to blame.
            let _ = tokio::time::timeout(WAIT, answer(&server, stream)).await;
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

async fn answer(server: &Server, mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut chunk).await?;
        if count == 0 || request.len() + count > REQUEST_BYTES_MAX {
            return Ok(());
        }
        request.extend_from_slice(&chunk[..count]);
    }
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let (status, kind, body) = match (method, path) {
        ("GET" | "HEAD", "/") => ("200 OK", "text/html; charset=utf-8", PAGE.to_owned()),
        ("GET" | "HEAD", "/status.json") => {
            ("200 OK", "application/json", Snapshot::take(server).to_json())
        }
        ("GET" | "HEAD", "/metrics") => (
            "200 OK",
            "text/plain; version=0.0.4; charset=utf-8",
            Snapshot::take(server).to_prometheus(),
        ),
        ("GET" | "HEAD", _) => ("404 Not Found", "text/plain", "there is no such page\n".into()),
        _ => ("405 Method Not Allowed", "text/plain", "only GET is answered\n".into()),
    };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n\
         Content-Security-Policy: default-src 'self'; img-src data:; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\r\n\r\n",
        body.len()
    );
    if method != "HEAD" {
        answer.push_str(&body);
    }
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
