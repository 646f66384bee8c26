//! Passwords: SCRAM, and as they are where the line is safe.

use super::{Verdict, left, send};
use crate::connection::Link;
use crate::process::Server;
use base::{Error, Result};
use session::{Origin, Password, Role};
use std::future::poll_fn;
use wire::scram::{Exchange, NONCE_BYTES, Step, Verifier};
use wire::{Frame, Message, backend};

/// The role's verifier, or why there is none, for the log.
fn verifier(user: &str, role: Option<&Role>) -> std::result::Result<Verifier, String> {
    match role.map(|role| &role.password) {
        None => Err(format!("Role \"{user}\" does not exist.")),
        Some(Password::Missing) => Err(format!("User \"{user}\" has no password assigned.")),
        Some(Password::Expired) => Err(format!("User \"{user}\" has an expired password.")),
        Some(Password::Unusable) => Err(format!(
            "User \"{user}\" does not have a valid SCRAM secret: set the password anew."
        )),
        Some(Password::Scram(verifier)) => Ok(verifier.clone()),
    }
}

/// SCRAM-SHA-256, bound to the channel where there is one to bind to.
pub(super) async fn scram(
    server: &Server,
    link: &mut Link,
    user: &str,
    role: Option<&Role>,
) -> Result<Verdict> {
    let (verifier, missing) = match verifier(user, role) {
        Ok(verifier) => (Some(verifier), None),
        Err(missing) => (None, Some(missing)),
    };
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
        let step = answer(link, "SASL", |body| exchange.step(body)).await?;
        match step {
            Step::Continue(data) => backend::authentication_sasl_continue(link.output(), &data),
            Step::Authenticated(data) => {
                backend::authentication_sasl_final(link.output(), &data);
                return Ok(Verdict::passed());
            }
            Step::Failed => return Ok(Verdict::failed(missing)),
        }
    }
}

/// The password itself, which goes only over encrypted lines and Unix sockets.
pub(super) async fn clear_text(
    link: &mut Link,
    user: &str,
    role: Option<&Role>,
    origin: &Origin,
) -> Result<Verdict> {
    if origin.client.is_some() && origin.encryption.is_none() {
        return Err(base::err!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "passwords are not accepted over connections without encryption"
        )
        .hint("Connect with TLS, or have an administrator change the method to \"scram-sha-256\".")
        .fatal());
    }
    backend::authentication_cleartext_password(link.output());
    send(link).await?;
    let verifier = verifier(user, role);
    answer(link, "password", |body| {
        let password = body.split_last().filter(|(end, _)| **end == 0).map(|(_, text)| text);
        let password = password
            .filter(|text| !text.contains(&0))
            .ok_or_else(|| wire::violation("invalid password packet size"))?;
        if password.is_empty() {
            return Err(base::err!(INVALID_PASSWORD, "empty password returned by client").fatal());
        }
        let password = std::str::from_utf8(password)
            .map_err(|_| wire::violation("invalid string in message"))?;
        Ok(match &verifier {
            Ok(verifier) if verifier.matches(password) => Verdict::passed(),
            Ok(_) => Verdict::failed(Some(format!("Password does not match for user \"{user}\"."))),
            Err(missing) => Verdict::failed(Some(missing.clone())),
        })
    })
    .await
}

/// Waits for the client's next message, which must be an answer.
async fn answer<T>(
    link: &mut Link,
    what: &str,
    mut take: impl FnMut(&[u8]) -> Result<T>,
) -> Result<T> {
    loop {
        if let Some(frame) = Frame::split(link.input())? {
            let Message::Password(body) = frame.decode()? else {
                let kind = frame.kind;
                return Err(wire::violation(format!(
                    "expected {what} response, got message type {kind}"
                )));
            };
            let taken = take(body);
            let count = frame.total_bytes();
            link.consume(count);
            return taken;
        }
        if link.input().len() > ANSWER_BYTES_MAX {
            return Err(wire::violation("invalid message length"));
        }
        match poll_fn(|cx| link.poll_fill(cx)).await {
            Ok(0) | Err(_) => return Err(Error::fatal(left())),
            Ok(_) => {}
        }
    }
}

/// The most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 65_535;
