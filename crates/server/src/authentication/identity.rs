//! Who somebody else says that the client is: the operating system, or a certificate.

use super::{Verdict, flatten};
use crate::config::os_text;
use crate::connection::Link;
use crate::hba::{Method, Rule};
use crate::log;
use crate::process::Server;
use base::{Error, Result};
use sched::Fiber;
use session::Origin;

/// Notes who the client has shown to be.
pub(super) fn note(server: &Server, rule: &Rule, who: &str, origin: &mut Origin) {
    let method = rule.method.name();
    if server.logs_connections("authentication") {
        log::log(format!(
            "connection authenticated: identity=\"{who}\" method={method} ({}:{})",
            rule.file.display(),
            rule.line
        ));
    }
    origin.system_user = Some(format!("{method}:{who}").into());
}

/// The user at the other end of a Unix socket.
pub(super) async fn peer(
    server: &Server,
    link: &Link,
    rule: &Rule,
    user: &str,
    origin: &mut Origin,
) -> Result<Verdict> {
    let failed = |why: String| {
        log::log(why);
        Ok(Verdict::failed(None))
    };
    let uid = match link.stream.peer_uid() {
        Ok(uid) => uid,
        Err(error) => {
            return failed(format!("could not get peer credentials: {}", os_text(&error)));
        }
    };
    let Some(name) = user_name(uid) else {
        return failed(format!("local user with ID {uid} does not exist"));
    };
    note(server, rule, &name, origin);
    mapped(server, rule, user, &name).await
}

/// The name in the client's certificate.
pub(super) async fn certificate(
    server: &Server,
    rule: &Rule,
    user: &str,
    origin: &mut Origin,
) -> Result<Verdict> {
    let encryption = origin.encryption.as_deref();
    let subject = encryption.and_then(|found| found.client_subject_reversed.clone());
    let name = match rule.by_subject {
        true => subject.clone(),
        false => encryption.and_then(|found| found.client_name.clone()),
    };
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        log::log(format!(
            "certificate authentication failed for user \"{user}\": client certificate contains \
             no user name"
        ));
        return Ok(Verdict::failed(None));
    };
    if rule.method == Method::Cert {
        note(server, rule, subject.as_deref().unwrap_or(&name), origin);
    }
    let verdict = mapped(server, rule, user, &name).await?;
    if !verdict.passed && rule.method != Method::Cert {
        let what = if rule.by_subject { "DN" } else { "CN" };
        log::log(format!(
            "certificate validation (clientcert=verify-full) failed for user \"{user}\": {what} \
             mismatch"
        ));
    }
    Ok(verdict)
}

/// Whether the rule's map lets a name be the user.
async fn mapped(server: &Server, rule: &Rule, user: &str, name: &str) -> Result<Verdict> {
    let ident = server.ident();
    let allowed = Fiber::new(None, || {
        let mut is_member = |user: &str, role: &str| server.cluster.engine().is_member(user, role);
        ident.allows(rule.map.as_deref(), user, name, &mut is_member)
    });
    let passed = flatten(allowed.await).map_err(Error::fatal)?;
    Ok(Verdict { passed, log_detail: None })
}

/// The name of a user of the system.
fn user_name(uid: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}
