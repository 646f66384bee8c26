//! From the first packet to a session.

use crate::authentication;
use crate::connection::Link;
use crate::process::Server;
use base::{Error, Result};
use sched::Fiber;
use session::{Identity, Session};
use std::future::poll_fn;
use std::sync::Arc;
use wire::backend;
use wire::startup::{First, Version};

/// The bytes of a cancel key in 3.0 and from 3.2 on.
const CANCEL_KEY_BYTES: usize = 4;
const LONG_CANCEL_KEY_BYTES: usize = 32;
/// A client may ask for encryption of either kind before it goes on without.
const REQUESTS_MAX: usize = 2;

enum Request {
    Encryption,
    Cancel,
    Session(Identity, Version, Vec<String>),
}

/// Answers the first packets of a connection. Nothing comes back when there is nothing more to do.
///
/// # Errors
/// What ends the connection; it is to be sent.
pub(crate) async fn start(server: &Arc<Server>, link: &mut Link) -> Result<Option<Session>> {
    let mut encryption_requests = 0;
    let (mut identity, version, unknown) = loop {
        let Some(request) = first_packet(server, link).await? else { return Ok(None) };
        match request {
            Request::Encryption => {
                encryption_requests += 1;
                if !link.input().is_empty() || encryption_requests > REQUESTS_MAX {
                    return Err(wire::violation("received unencrypted data after SSL request"));
                }
                link.output().push(b'N');
                send(link).await?;
            }
            Request::Cancel => return Ok(None),
            Request::Session(identity, version, unknown) => break (identity, version, unknown),
        }
    };
    if server.is_stopping() {
        base::bail_fatal!(CANNOT_CONNECT_NOW, "the database system is shutting down");
    }
    if server.cluster.session_count() >= server.max_connections {
        base::bail_fatal!(TOO_MANY_CONNECTIONS, "sorry, too many clients already");
    }
    if version > Version::V3_2 || !unknown.is_empty() {
        let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
        let agreed = version.min(Version::V3_2);
        backend::negotiate_protocol_version(link.output(), agreed, &unknown);
    }
    let role = authentication::authenticate(server, link, &identity).await?;
    identity.superuser = role.superuser;
    backend::authentication_ok(link.output());
    let key_bytes = if version >= Version::V3_2 { LONG_CANCEL_KEY_BYTES } else { CANCEL_KEY_BYTES };
    let cluster = server.cluster.clone();
    let entry = cluster.enter(key_bytes);
    let interrupts = entry.interrupts.clone();
    let out = link.output();
    let session = Fiber::new(Some(interrupts), || Session::start(cluster, entry, identity, out))
        .await
        .map_err(|panicked| Error::internal(panicked.message))?
        .map_err(Error::fatal)?;
    Ok(Some(session))
}

async fn send(link: &mut Link) -> Result<()> {
    poll_fn(|cx| link.poll_send(cx)).await.map_err(|error| {
        base::err!(CONNECTION_FAILURE, "connection to client lost: {error}").fatal()
    })
}

/// Reads one first packet; nothing when the client left without a word.
async fn first_packet(server: &Server, link: &mut Link) -> Result<Option<Request>> {
    loop {
        if let Some((first, length)) = First::split(link.input())? {
            let request = match first {
                First::SslRequest | First::GssEncRequest => Request::Encryption,
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
