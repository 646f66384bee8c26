//! Who may open a session: the rules, the role, and what shows that a client is who it says.
//!
//! Rules
//! 1. A client learns only that it failed; why stands in the log.
//! 2. A role that does not exist fails as one with another password does, at the same step.

mod identity;
mod password;

use crate::connection::Link;
use crate::hba::{ClientCert, Connection, Method, Rule};
use crate::log;
use crate::process::Server;
use base::{Error, Result, SqlState};
use sched::Fiber;
use session::{Identity, Origin, Role};
use std::future::poll_fn;
use std::sync::Arc;

/// What a method found: whether the client is who it says, and what the log should tell.
pub(crate) struct Verdict {
    passed: bool,
    log_detail: Option<String>,
}

impl Verdict {
    fn passed() -> Verdict {
        Verdict { passed: true, log_detail: None }
    }

    fn failed(log_detail: Option<String>) -> Verdict {
        Verdict { passed: false, log_detail }
    }
}

/// Authenticates the user of a new connection, with what the rules ask for. Returns the role. When
/// it fails, `link` notes what only the log may say.
///
/// # Errors
/// Fatal ones with PostgreSQL's texts.
pub(crate) async fn authenticate(
    server: &Arc<Server>,
    link: &mut Link,
    identity: &Identity,
    origin: &mut Origin,
) -> Result<Role> {
    let Identity { user, database, .. } = identity;
    let (rule, role) = find_rule(server, identity, origin).await?;
    let place = match origin.client {
        Some(client) => format!("host \"{}\"", client.ip().to_canonical()),
        None => "host \"[local]\"".to_owned(),
    };
    let encryption = if origin.encryption.is_some() { "SSL encryption" } else { "no encryption" };
    let whom = format!("{place}, user \"{user}\", database \"{database}\", {encryption}");
    let Some(rule) = rule else {
        base::bail_fatal!(INVALID_AUTHORIZATION_SPECIFICATION, "no pg_hba.conf entry for {whom}");
    };
    check_certificate_there(link, &rule, origin)?;
    let mut verdict = match rule.method {
        Method::Reject => base::bail_fatal!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "pg_hba.conf rejects connection for {whom}"
        ),
        Method::Trust | Method::Cert => Verdict::passed(),
        Method::ScramSha256 => password::scram(server, link, user, role.as_ref()).await?,
        Method::Password => password::clear_text(link, user, role.as_ref(), origin).await?,
        Method::Peer => identity::peer(server, link, &rule, user, origin).await?,
    };
    if verdict.passed && matches!(rule.method, Method::ScramSha256 | Method::Password) {
        identity::note(server, &rule, user, origin);
    }
    if verdict.passed && rule.client_cert == ClientCert::VerifyFull {
        verdict = identity::certificate(server, &rule, user, origin).await?;
    }
    if !verdict.passed {
        let matched = format!(
            "Connection matched file \"{}\" line {}: \"{}\"",
            rule.file.display(),
            rule.line,
            rule.raw
        );
        link.log_detail = Some(match verdict.log_detail {
            Some(detail) => format!("{detail}\n{matched}"),
            None => matched,
        });
        return Err(failure(rule.method, user));
    }
    if origin.system_user.is_none() && server.logs_connections("authentication") {
        log::log(format!(
            "connection authenticated: user=\"{user}\" method={} ({}:{})",
            rule.method.name(),
            rule.file.display(),
            rule.line
        ));
    }
    check_role(server, identity, role).await
}

/// The first rule that matches, and the role, which may not exist.
async fn find_rule(
    server: &Arc<Server>,
    identity: &Identity,
    origin: &Origin,
) -> Result<(Option<Arc<Rule>>, Option<Role>)> {
    let hba = server.hba();
    let replication = identity.options.iter().any(|(name, value)| {
        name == "replication"
            && !matches!(value.as_str(), "false" | "off" | "no" | "0" | "database")
    });
    let (user, database) = (identity.user.clone(), identity.database.clone());
    let address = origin.client.map(|client| client.ip().to_canonical());
    let encrypted = origin.encryption.is_some();
    let engine = server.cluster.clone();
    let find = move |is_member: crate::hba::IsMember<'_>| {
        let connection =
            Connection { address, encrypted, database: &database, user: &user, replication };
        hba.find(&connection, is_member)
    };
    if server.hba().has_host_names() {
        // Names are looked up away from the worker, which other sessions need; memberships are
        // read by a fiber of its own there.
        let (send, receive) = tokio::sync::oneshot::channel();
        let cluster = engine.clone();
        std::thread::Builder::new()
            .name("perdura: names".to_owned())
            .spawn(move || {
                let found = find(&mut |user, role| cluster.engine().is_member(user, role));
                let _ = send.send(found);
            })
            .map_err(|e| Error::internal(format!("could not start a thread: {e}")).fatal())?;
        let found = receive.await.map_err(|e| Error::internal(e.to_string()).fatal())?;
        let role = role(server, &identity.user).await?;
        return Ok((found.map_err(Error::fatal)?, role));
    }
    let user = &identity.user;
    let both = Fiber::new(None, || {
        let engine = engine.engine();
        let found = find(&mut |user, role| engine.is_member(user, role))?;
        Ok((found, engine.role(user)?))
    });
    flatten(both.await).map_err(Error::fatal)
}

/// Whether the client has shown the certificate that a rule asks for.
fn check_certificate_there(link: &Link, rule: &Rule, origin: &Origin) -> Result<()> {
    if rule.client_cert == ClientCert::Off {
        return Ok(());
    }
    if !link.stream.tls().is_some_and(|tls| tls.context().has_roots) {
        base::bail_fatal!(
            CONFIG_FILE_ERROR,
            "client certificates can only be checked if a root certificate store is available"
        );
    }
    if origin.encryption.as_ref().is_none_or(|found| found.client_serial.is_none()) {
        base::bail_fatal!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "connection requires a valid client certificate"
        );
    }
    Ok(())
}

/// What the client is told.
fn failure(method: Method, user: &str) -> Error {
    let refused = SqlState::INVALID_AUTHORIZATION_SPECIFICATION;
    let (state, what) = match method {
        Method::Trust => (refused, "\"trust\""),
        Method::Reject => (refused, "\"reject\""),
        Method::ScramSha256 | Method::Password => (SqlState::INVALID_PASSWORD, "password"),
        Method::Peer => (refused, "Peer"),
        Method::Cert => (refused, "certificate"),
    };
    Error::new(state, format!("{what} authentication failed for user \"{user}\"")).fatal()
}

/// The role as one that may log in to the database.
async fn check_role(server: &Arc<Server>, identity: &Identity, role: Option<Role>) -> Result<Role> {
    let Identity { user, database, .. } = identity;
    let Some(role) = role else {
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

async fn send(link: &mut Link) -> Result<()> {
    poll_fn(|cx| link.poll_send(cx)).await.map_err(|_| left())
}

/// The client has gone.
fn left() -> Error {
    base::err!(CONNECTION_FAILURE, "connection to client lost").fatal()
}
