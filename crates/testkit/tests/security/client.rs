//! A client that speaks TLS, and a server with certificates for it.

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
use testkit::oracle::{self, Installation};
use testkit::perdura::{self, Perdura};

const SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];
pub(crate) type Tls = StreamOwned<ClientConnection, TcpStream>;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/security/certificates")
}

/// How a client goes about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    /// Without asking first.
    pub(crate) direct: bool,
    pub(crate) alpn: &'static [&'static [u8]],
    pub(crate) versions: &'static [&'static rustls::SupportedProtocolVersion],
    pub(crate) certificate: Option<&'static str>,
    pub(crate) user: &'static str,
    /// What it answers when it is asked for a password as it is.
    pub(crate) password: Option<&'static str>,
}

pub(crate) const BOTH: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];
pub(crate) const PLAIN: Attempt = Attempt {
    direct: false,
    alpn: &[],
    versions: BOTH,
    certificate: None,
    user: "postgres",
    password: None,
};
pub(crate) const DIRECT: Attempt = Attempt { direct: true, alpn: &[b"postgresql"], ..PLAIN };

/// What `SHOW` and the like answer, as the bytes of all messages until ReadyForQuery.
pub(crate) fn talk(stream: &mut Tls, sql: &str) -> io::Result<Vec<u8>> {
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

pub(crate) fn connect(port: u16, attempt: Attempt) -> io::Result<Tls> {
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
    stream.write_all(&Outgoing::startup(&[("user", attempt.user), ("database", "postgres")]))?;
    if let Some(password) = attempt.password {
        let mut request = [0; 9];
        stream.read_exact(&mut request)?;
        if request != *b"R\0\0\0\x08\0\0\0\x03" {
            let mut rest = request.chain(&mut stream);
            until_ready(&mut rest)?;
            return Err(other("no request for a password"));
        }
        stream.write_all(&Outgoing::raw(b'p', format!("{password}\0").as_bytes()))?;
    }
    until_ready(&mut stream)?;
    Ok(stream)
}

/// Puts certificates and settings in place and reloads until `done`.
pub(crate) fn set_up(
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

/// A server for a test; nothing where there is no oracle, which the test says then.
pub(crate) fn start(settings: &[&str]) -> Option<(Perdura, Installation)> {
    match oracle::install() {
        Ok(installation) => {
            let started = perdura::program()
                .and_then(|program| Perdura::start_with(program, &installation, settings));
            match started {
                Ok(perdura) => Some((perdura, installation)),
                Err(error) => panic!("{error}"),
            }
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            let _ = writeln!(io::stderr(), "\n*** NOT TRIED: {error}\n");
            None
        }
    }
}
