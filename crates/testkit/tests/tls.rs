//! TLS as clients see it: negotiation, versions, certificates of both sides, reload.

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::client::Outgoing;
use testkit::perdura::{self, Perdura};
use testkit::{Server, oracle};

const SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];
type Tls = StreamOwned<ClientConnection, TcpStream>;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls")
}

/// How a client goes about it.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    /// Without asking first.
    direct: bool,
    alpn: &'static [&'static [u8]],
    versions: &'static [&'static rustls::SupportedProtocolVersion],
    certificate: Option<&'static str>,
}

const BOTH: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];
const PLAIN: Attempt = Attempt { direct: false, alpn: &[], versions: BOTH, certificate: None };
const DIRECT: Attempt = Attempt { direct: true, alpn: &[b"postgresql"], ..PLAIN };

/// What `SHOW` and the like answer, as the bytes of all messages until ReadyForQuery.
fn talk(stream: &mut Tls, sql: &str) -> io::Result<Vec<u8>> {
    stream.write_all(&Outgoing::query(sql))?;
    stream.flush()?;
    until_ready(stream)
}

fn until_ready(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut body = vec![0; length as usize - 4];
        stream.read_exact(&mut body)?;
        answer.extend_from_slice(&body);
        match head[0] {
            b'Z' => return Ok(answer),
            b'E' => {
                return Err(io::Error::other(String::from_utf8_lossy(&body).into_owned()));
            }
            _ => {}
        }
    }
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}

fn connect(port: u16, attempt: Attempt) -> io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(fixtures().join("root_ca.crt")).map_err(other)?;
    roots.add(root).map_err(other)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(attempt.versions)
        .map_err(other)?
        .with_root_certificates(roots);
    let mut config = match attempt.certificate {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let file = |end: &str| fixtures().join(format!("{name}.{end}"));
            let certificate = CertificateDer::from_pem_file(file("crt")).map_err(other)?;
            let key = PrivateKeyDer::from_pem_file(file("key")).map_err(other)?;
            builder.with_client_auth_cert(vec![certificate], key).map_err(other)?
        }
    };
    config.alpn_protocols = attempt.alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("localhost").map_err(other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(other)?;
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    if !attempt.direct {
        socket.write_all(SSL_REQUEST)?;
        let mut answer = [0];
        socket.read_exact(&mut answer)?;
        if &answer != b"S" {
            return Err(io::Error::other("no TLS"));
        }
    }
    let mut stream = StreamOwned::new(connection, socket);
    stream.write_all(&Outgoing::startup(&[("user", "postgres"), ("database", "postgres")]))?;
    until_ready(&mut stream)?;
    Ok(stream)
}

/// Puts certificates and settings in place and reloads until `done`.
fn set_up(
    perdura: &Perdura,
    settings: &str,
    server: &str,
    done: impl Fn() -> bool,
) -> io::Result<()> {
    let dir = perdura.data_dir();
    for (from, to) in [
        (format!("{server}.crt"), "server.crt"),
        (format!("{server}.key"), "server.key"),
        ("root_ca.crt".to_owned(), "root.crt"),
        ("root_ca.crl".to_owned(), "root.crl"),
    ] {
        std::fs::copy(fixtures().join(from), dir.join(to))?;
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(dir.join(to), owner_only)?;
    }
    std::fs::write(dir.join("postgresql.conf"), settings)?;
    perdura.reload();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "not reloaded: {settings}\n{}", perdura.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[test]
fn encrypted_sessions_are_what_they_should_be() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            let _ = writeln!(io::stderr(), "\n*** TLS NOT TRIED: {error}\n");
            return;
        }
    };
    let perdura = Perdura::start(perdura::program().unwrap(), &installation).unwrap();
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
