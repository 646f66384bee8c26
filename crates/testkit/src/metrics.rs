//! What a server's metrics endpoint answers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What the endpoint at `port` answers to a request.
///
/// # Errors
/// Those of the connection.
pub fn ask(port: u16, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The value of a metric.
///
/// # Errors
/// When there is no such metric, or no endpoint.
pub fn metric(port: u16, name: &str) -> Result<f64, String> {
    let text = ask(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").map_err(|e| e.to_string())?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = line.and_then(|value| value.parse().ok());
    value.ok_or_else(|| format!("no {name} in {text}"))
}
