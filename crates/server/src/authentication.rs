//! Who may open a session: pg_hba.conf, the role, its password.

use crate::connection::Link;
use crate::hba::Method;
use crate::process::Server;
use base::{Error, Result};
use sched::Fiber;
use session::{Identity, Origin, Role};
use std::future::poll_fn;
use std::sync::Arc;
use wire::scram::{Exchange, NONCE_BYTES, Step};
use wire::{Frame, Message, backend};

/// Authenticates the user of a new connection, with what the rules ask for. Returns the role.
///
/// # Errors
/// Fatal ones with PostgreSQL's texts.
pub(crate) async fn authenticate(
    server: &Arc<Server>,
    link: &mut Link,
    identity: &Identity,
    origin: &mut Origin,
) -> Result<Role> {
    let address = link.stream.peer_ip();
    let place = match address {
        Some(ip) => format!("host \"{ip}\""),
        None => "host \"[local]\"".to_owned(),
    };
    let Identity { user, database, .. } = identity;
    let rule = server.hba().find(address, origin.encryption.is_some(), database, user);
    let encryption = if origin.encryption.is_some() { "SSL encryption" } else { "no encryption" };
    let whom = format!("{place}, user \"{user}\", database \"{database}\", {encryption}");
    match rule {
        None => base::bail_fatal!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "no pg_hba.conf entry for {whom}"
        ),
        Some(Method::Reject) => base::bail_fatal!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "pg_hba.conf rejects connection for {whom}"
        ),
        Some(Method::Trust) => {}
        Some(Method::ScramSha256) => {
            let role = role(server, user).await?;
            scram(server, link, user, role).await?;
            origin.system_user = Some(format!("scram-sha-256:{user}").into());
        }
    }
    let Some(role) = role(server, user).await? else {
        base::bail_fatal!(INVALID_AUTHORIZATION_SPECIFICATION, "role \"{user}\" does not exist");
    };
    if !role.can_login {
        base::bail_fatal!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "role \"{user}\" is not permitted to log in"
        );
    }
    let exists = Fiber::new(None, || server.cluster.engine().has_database(database)).await;
    if !flatten(exists).map_err(Error::fatal)? {
        base::bail_fatal!(INVALID_CATALOG_NAME, "database \"{database}\" does not exist");
    }
    Ok(role)
}

fn flatten<T>(result: std::result::Result<Result<T>, sched::Panicked>) -> Result<T> {
    result.unwrap_or_else(|panicked| Err(Error::internal(panicked.message).fatal()))
}

async fn role(server: &Arc<Server>, user: &str) -> Result<Option<Role>> {
    flatten(Fiber::new(None, || server.cluster.engine().role(user)).await).map_err(Error::fatal)
}

async fn scram(server: &Server, link: &mut Link, user: &str, role: Option<Role>) -> Result<()> {
    let verifier = role.and_then(|role| role.verifier);
    let mut nonce = [0; NONCE_BYTES];
    rand::fill(&mut nonce);
    let end_point = link.stream.tls().map(|tls| tls.context().end_point().to_vec());
    let binding = end_point.filter(|hash| !hash.is_empty());
    if binding.is_some() {
        let mechanisms = [wire::scram::MECHANISM_PLUS, wire::scram::MECHANISM];
        backend::authentication_sasl(link.output(), &mechanisms);
    } else {
        backend::authentication_sasl(link.output(), &[wire::scram::MECHANISM]);
    }
    let mut exchange = Exchange::new(user, verifier, nonce, &server.scram_secret, binding);
    loop {
        send(link).await?;
        let step = answer(link, &mut exchange).await?;
        match step {
            Step::Continue(data) => backend::authentication_sasl_continue(link.output(), &data),
            Step::Authenticated(data) => {
                backend::authentication_sasl_final(link.output(), &data);
                return Ok(());
            }
            Step::Failed => base::bail_fatal!(
                INVALID_PASSWORD,
                "password authentication failed for user \"{user}\""
            ),
        }
    }
}

async fn send(link: &mut Link) -> Result<()> {
    poll_fn(|cx| link.poll_send(cx)).await.map_err(|_| left())
}

fn left() -> Error {
    base::err!(CONNECTION_FAILURE, "connection to client lost").fatal()
}

/// Waits for the client's next message, which must be a SASL response.
async fn answer(link: &mut Link, exchange: &mut Exchange) -> Result<Step> {
    loop {
        let frame = Frame::split(link.input())?;
        if let Some(frame) = frame {
            let Message::Password(body) = frame.decode()? else {
                return Err(wire::violation(format!(
                    "expected SASL response, got message type {}",
                    frame.kind
                )));
            };
            let step = exchange.step(body)?;
            let count = frame.total_bytes();
            link.consume(count);
            return Ok(step);
        }
        match poll_fn(|cx| link.poll_fill(cx)).await {
            Ok(0) | Err(_) => return Err(left()),
            Ok(_) => {}
        }
    }
}
