//! From the first packet to a session.

use crate::authentication;
use crate::config::os_text;
use crate::connection::Link;
use crate::log;
use crate::process::Server;
use crate::stream::Stream;
use crate::tls::{self, TlsStream};
use base::{Error, Result};
use sched::Fiber;
use session::{Encryption, Identity, Origin, Session};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wire::backend;
use wire::startup::{First, Version};

/// The bytes of a cancel key in 3.0 and from 3.2 on.
const CANCEL_KEY_BYTES: usize = 4;
const LONG_CANCEL_KEY_BYTES: usize = 32;
/// The first byte of a TLS handshake: no packet of the protocol begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

enum Request {
    Tls,
    GssApi,
    /// TLS begins without a request for it.
    DirectTls,
    Cancel,
    Session(Identity, Version, Vec<String>),
}

/// Answers the first packets of a connection. Nothing comes back when there is nothing more to do.
///
/// # Errors
/// What ends the connection; it is to be sent.
pub(crate) async fn start(server: &Arc<Server>, link: &mut Link) -> Result<Option<Session>> {
    let (mut tls_done, mut gss_done) = (false, false);
    let (mut identity, version, unknown) = loop {
        let Some(request) = first_packet(server, link).await? else { return Ok(None) };
        match request {
            Request::DirectTls => {
                let (false, Some(context), true) = (tls_done, server.tls(), plain_tcp(link)) else {
                    return Ok(None);
                };
                tls_done = true;
                if !encrypt(link, context).await {
                    return Ok(None);
                }
                if !link.stream.tls().is_some_and(TlsStream::has_alpn) {
                    log::log(
                        "received direct SSL connection request without ALPN protocol negotiation \
                         extension",
                    );
                    return Ok(None);
                }
            }
            Request::Tls if !std::mem::replace(&mut tls_done, true) => {
                match server.tls().filter(|_| plain_tcp(link)) {
                    Some(context) => {
                        link.output().push(b'S');
                        send(link).await?;
                        if !encrypt(link, context).await {
                            return Ok(None);
                        }
                    }
                    None => refuse(link, "SSL").await?,
                }
            }
            Request::GssApi if !std::mem::replace(&mut gss_done, true) => {
                refuse(link, "GSSAPI encryption").await?;
            }
            Request::Tls | Request::GssApi => {
                let minor = if matches!(request, Request::Tls) { 5679 } else { 5680 };
                return Err(wire::startup::unsupported_version(1234, minor));
            }
            Request::Cancel => return Ok(None),
            Request::Session(identity, version, unknown) => break (identity, version, unknown),
        }
    };
    if server.is_stopping() {
        base::bail_fatal!(CANNOT_CONNECT_NOW, "the database system is shutting down");
    }
    check_free(server)?;
    if version > Version::V3_2 || !unknown.is_empty() {
        let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
        let agreed = version.min(Version::V3_2);
        backend::negotiate_protocol_version(link.output(), agreed, &unknown);
    }
    let mut origin = link.stream.origin();
    let role = authentication::authenticate(server, link, &identity, &mut origin).await?;
    identity.superuser = role.superuser;
    check_reserved(server, &identity).await?;
    log_authorized(server, &identity, &origin);
    backend::authentication_ok(link.output());
    let key_bytes = if version >= Version::V3_2 { LONG_CANCEL_KEY_BYTES } else { CANCEL_KEY_BYTES };
    let cluster = server.cluster.clone();
    let entry = cluster.enter(key_bytes, origin);
    let interrupts = entry.interrupts.clone();
    let out = link.output();
    let session = Fiber::new(Some(interrupts), || Session::start(cluster, entry, identity, out))
        .await
        .map_err(|panicked| Error::internal(panicked.message))?
        .map_err(Error::fatal)?;
    Ok(Some(session))
}

/// Whether there is room for a session.
fn check_free(server: &Server) -> Result<()> {
    if server.cluster.session_count() >= server.max_connections {
        base::bail_fatal!(TOO_MANY_CONNECTIONS, "sorry, too many clients already");
    }
    Ok(())
}

/// Whether there is room that is not reserved for others. Others may have come in meanwhile.
async fn check_reserved(server: &Server, identity: &Identity) -> Result<()> {
    check_free(server)?;
    let settings = server.cluster.settings();
    let setting = |name| usize::try_from(settings.integer(name)).unwrap_or(0);
    let for_superusers = setting("superuser_reserved_connections");
    let reserved = for_superusers + setting("reserved_connections");
    let free = server.max_connections.saturating_sub(server.cluster.session_count() + 1);
    if identity.superuser || free >= reserved {
        return Ok(());
    }
    if free < for_superusers {
        base::bail_fatal!(
            TOO_MANY_CONNECTIONS,
            "remaining connection slots are reserved for roles with the SUPERUSER attribute"
        );
    }
    let role = "pg_use_reserved_connections";
    let may = Fiber::new(None, || server.cluster.engine().is_member(&identity.user, role)).await;
    let may = may.map_err(|panicked| Error::internal(panicked.message).fatal())?;
    if !may.map_err(Error::fatal)? {
        base::bail_fatal!(
            TOO_MANY_CONNECTIONS,
            "remaining connection slots are reserved for roles with privileges of the \"{role}\" \
             role"
        );
    }
    Ok(())
}

/// `host=... port=...` of a client.
fn place(client: Option<SocketAddr>) -> String {
    match client {
        Some(client) => format!("host={} port={}", client.ip().to_canonical(), client.port()),
        None => "host=[local]".to_owned(),
    }
}

/// Tells the log of a new connection, if it wants to know.
pub(crate) fn log_received(server: &Server, stream: &Stream) {
    if server.logs_connections("receipt") {
        let client = stream.tcp().and_then(|socket| socket.peer_addr().ok());
        log::log(format!("connection received: {}", place(client)));
    }
}

fn log_authorized(server: &Server, identity: &Identity, origin: &Origin) {
    if !server.logs_connections("authorization") {
        return;
    }
    let Identity { user, database, options, .. } = identity;
    let mut text = format!("connection authorized: user={user} database={database}");
    if let Some((_, name)) = options.iter().rev().find(|(name, _)| name == "application_name")
        && !name.is_empty()
    {
        text.push_str(&format!(" application_name={}", name.escape_debug()));
    }
    if let Some(Encryption { version, cipher, bits, .. }) = origin.encryption.as_deref() {
        text.push_str(&format!(" SSL enabled (protocol={version}, cipher={cipher}, bits={bits})"));
    }
    log::log(text);
}

/// Tells the log of the end of a session.
pub(crate) fn log_disconnection(session: &Session, lasted: Duration) {
    let Identity { user, database, .. } = session.identity();
    let (seconds, ms) = (lasted.as_secs(), lasted.subsec_millis());
    log::log(format!(
        "disconnection: session time: {}:{:02}:{:02}.{ms:03} user={user} database={database} {}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        place(session.entry().origin.client),
    ));
}

fn plain_tcp(link: &Link) -> bool {
    link.stream.is_plain_tcp()
}

/// Does a TLS handshake. False when it failed, which the log says.
async fn encrypt(link: &mut Link, context: Arc<tls::Context>) -> bool {
    let received = link.input().to_vec();
    link.consume(received.len());
    match link.stream.encrypt(context, &received).await {
        Ok(()) => {
            let encryption = link.stream.tls().map(TlsStream::encryption);
            // What reads a name up to a null would take it for another name.
            let cut = encryption.and_then(|e| e.client_name).is_some_and(|n| n.contains('\0'));
            if cut {
                log::log("SSL certificate's common name contains embedded null");
            }
            !cut
        }
        Err(error) => {
            log::log(format!("could not accept SSL connection: {}", os_text(&error)));
            false
        }
    }
}

/// Says that there is no encryption of a kind.
async fn refuse(link: &mut Link, what: &str) -> Result<()> {
    link.output().push(b'N');
    send(link).await?;
    if link.input().is_empty() {
        return Ok(());
    }
    Err(wire::violation(format!("received unencrypted data after {what} request")).detail(
        "This could be either a client-software bug or evidence of an attempted man-in-the-middle \
         attack.",
    ))
}

async fn send(link: &mut Link) -> Result<()> {
    poll_fn(|cx| link.poll_send(cx)).await.map_err(|error| {
        base::err!(CONNECTION_FAILURE, "connection to client lost: {error}").fatal()
    })
}

/// Reads one first packet; nothing when the client left without a word.
async fn first_packet(server: &Server, link: &mut Link) -> Result<Option<Request>> {
    loop {
        if link.input().first() == Some(&TLS_HANDSHAKE) {
            return Ok(Some(Request::DirectTls));
        }
        if let Some((first, length)) = First::split(link.input())? {
            let request = match first {
                First::SslRequest => Request::Tls,
                First::GssEncRequest => Request::GssApi,
                First::Cancel { pid, key } => {
                    server.cluster.cancel(pid, key);
                    Request::Cancel
                }
                First::Startup(startup) => {
                    let identity = identity(&startup)?;
                    let unknown =
                        startup.unknown_options.iter().map(|name| (*name).to_owned()).collect();
                    Request::Session(identity, startup.version, unknown)
                }
            };
            link.consume(length);
            return Ok(Some(request));
        }
        match poll_fn(|cx| link.poll_fill(cx)).await {
            Ok(0) | Err(_) => return Ok(None),
            Ok(_) => {}
        }
    }
}

fn identity(startup: &wire::startup::Startup<'_>) -> Result<Identity> {
    let user = startup.get("user").filter(|user| !user.is_empty());
    let Some(user) = user else {
        base::bail_fatal!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "no PostgreSQL user name specified in startup packet"
        );
    };
    let database = startup.get("database").filter(|name| !name.is_empty()).unwrap_or(user);
    let options = startup
        .parameters
        .iter()
        .filter(|(name, _)| !matches!(*name, "user" | "database"))
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Ok(Identity { user: cut(user), superuser: false, database: cut(database), options })
}

/// Names are cut to what a catalog holds.
fn cut(name: &str) -> String {
    let mut end = name.len().min(base::limits::NAME_BYTES - 1);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}
