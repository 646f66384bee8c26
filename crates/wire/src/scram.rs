//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677).
//!
//! [`Verifier`] is what the catalog keeps instead of a password, in PostgreSQL's form
//! `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. [`Exchange`] is one
//! authentication. The costly key derivation is the client's.
//!
//! Rules
//! 1. Proofs and keys are compared in constant time.
//! 2. A user without a verifier goes through the whole exchange with a made-up one and fails at
//!    its end, so that nobody learns which users exist.
//! 3. Channel binding (tls-server-end-point) is offered where there is a certificate's hash to bind
//!    to. A client that could have bound and says that it was not offered is refused: somebody
//!    between has removed the offer.

use crate::violation;
use base::{Error, Result};
use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The name of the mechanism.
pub const MECHANISM: &str = "SCRAM-SHA-256";
/// The name of the mechanism with channel binding.
pub const MECHANISM_PLUS: &str = "SCRAM-SHA-256-PLUS";
/// The flag of the channel binding that is known.
const END_POINT_FLAG: &str = "p=tls-server-end-point";
/// The rounds of a new verifier unless `scram_iterations` says otherwise.
pub const ITERATIONS: u32 = 4096;
/// The random bytes of the server's half of the nonce.
pub const NONCE_BYTES: usize = 18;
/// The bytes of a new salt.
pub const SALT_BYTES: usize = 16;

type Key = [u8; 32];

fn hmac(key: &[u8], parts: &[&[u8]]) -> Key {
    // HMAC takes keys of any length: this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is valid");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    iterations: u32,
    salt: Vec<u8>,
    stored_key: Key,
    server_key: Key,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl Verifier {
    /// The verifier of a password.
    pub fn from_password(password: &str, salt: &[u8], iterations: u32) -> Verifier {
        // A password that SASLprep forbids is used as it is, as PostgreSQL and libpq do.
        let prepared = stringprep::saslprep(password);
        let password = prepared.as_ref().map_or(password, |text| text.as_ref());
        let mut block = hmac(password.as_bytes(), &[salt, &1u32.to_be_bytes()]);
        let mut salted = block;
        for _ in 1..iterations.max(1) {
            block = hmac(password.as_bytes(), &[&block]);
            for (sum, byte) in salted.iter_mut().zip(block) {
                *sum ^= byte;
            }
        }
        let client_key = hmac(&salted, &[b"Client Key"]);
        Verifier {
            iterations,
            salt: salt.to_vec(),
            stored_key: Sha256::digest(client_key).into(),
            server_key: hmac(&salted, &[b"Server Key"]),
        }
    }

    /// Reads PostgreSQL's form; nothing if `text` does not have it.
    pub fn parse(text: &str) -> Option<Verifier> {
        let rest = text.strip_prefix(MECHANISM)?.strip_prefix('$')?;
        let (iterations, rest) = rest.split_once(':')?;
        let (salt, rest) = rest.split_once('$')?;
        let (stored_key, server_key) = rest.split_once(':')?;
        let key =
            |text: &str| -> Option<Key> { BASE64.decode(text.as_bytes()).ok()?.try_into().ok() };
        Some(Verifier {
            iterations: iterations.parse().ok().filter(|n| *n > 0)?,
            salt: BASE64.decode(salt.as_bytes()).ok()?,
            stored_key: key(stored_key)?,
            server_key: key(server_key)?,
        })
    }

    /// PostgreSQL's form.
    pub fn to_text(&self) -> String {
        format!(
            "{MECHANISM}${}:{}${}:{}",
            self.iterations,
            BASE64.encode(&self.salt),
            BASE64.encode(&self.stored_key),
            BASE64.encode(&self.server_key)
        )
    }

    /// Whether this is the verifier of `password`.
    pub fn matches(&self, password: &str) -> bool {
        let other = Verifier::from_password(password, &self.salt, self.iterations);
        bool::from(other.server_key.ct_eq(&self.server_key))
    }

    /// A verifier for a user that has none: always the same for the same user and secret.
    fn made_up(user: &str, secret: &[u8]) -> Verifier {
        let seed = hmac(secret, &[user.as_bytes()]);
        Verifier {
            iterations: ITERATIONS,
            salt: seed[..SALT_BYTES].to_vec(),
            stored_key: hmac(secret, &[&seed, b"stored"]),
            server_key: hmac(secret, &[&seed, b"server"]),
        }
    }
}

/// What is sent after a message of the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// AuthenticationSASLContinue with these bytes; one more message comes.
    Continue(Vec<u8>),
    /// The password was right: AuthenticationSASLFinal with these bytes, then AuthenticationOk.
    Authenticated(Vec<u8>),
    /// The password was wrong, or there is no such user.
    Failed,
}

/// One authentication.
#[derive(Debug)]
pub struct Exchange {
    verifier: Verifier,
    known: bool,
    nonce: [u8; NONCE_BYTES],
    /// What the channel can be bound to; and whether the client chose to.
    end_point: Option<Vec<u8>>,
    bound: bool,
    sent: Option<Sent>,
}

#[derive(Debug)]
struct Sent {
    client_first_bare: String,
    server_first: String,
    nonce: String,
    /// What the client's final message must repeat of the channel.
    channel: Vec<u8>,
}

impl Exchange {
    /// An exchange with `user`, whose verifier is given if there is one. `nonce` is random;
    /// `secret` is random too but stays the same for the whole cluster. `end_point` is the hash of
    /// the server's certificate, if SCRAM-SHA-256-PLUS is offered.
    pub fn new(
        user: &str,
        verifier: Option<Verifier>,
        nonce: [u8; NONCE_BYTES],
        secret: &[u8],
        end_point: Option<Vec<u8>>,
    ) -> Exchange {
        let known = verifier.is_some();
        let verifier = verifier.unwrap_or_else(|| Verifier::made_up(user, secret));
        Exchange { verifier, known, nonce, end_point, bound: false, sent: None }
    }

    /// Takes the client's next message: the body of SASLInitialResponse, then of SASLResponse.
    ///
    /// # Errors
    /// 08P01 for what is no SCRAM message.
    pub fn step(&mut self, body: &[u8]) -> Result<Step> {
        match self.sent.take() {
            None => {
                let (mechanism, message) = initial_response(body)?;
                self.bound = match mechanism {
                    MECHANISM => false,
                    MECHANISM_PLUS if self.end_point.is_some() => true,
                    _ => {
                        return Err(violation(
                            "client selected an invalid SASL authentication mechanism",
                        ));
                    }
                };
                self.first(message)
            }
            Some(sent) => self.last(&sent, body),
        }
    }

    fn first(&mut self, message: &str) -> Result<Step> {
        let mut parts = message.splitn(3, ',');
        let flag = parts.next().unwrap_or_default();
        let authzid = parts.next().ok_or_else(|| malformed("Comma expected."))?;
        let bare = parts.next().ok_or_else(|| malformed("Comma expected."))?;
        match flag {
            END_POINT_FLAG if self.bound => {}
            p if self.bound && p.starts_with("p=") => {
                let kind = &p[2..];
                return Err(violation(format!(
                    "unsupported SCRAM channel-binding type \"{kind}\""
                )));
            }
            "n" | "y" if self.bound => {
                return Err(malformed(
                    "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not \
                     include channel binding data.",
                ));
            }
            "y" if self.end_point.is_some() => {
                base::bail_fatal!(
                    INVALID_AUTHORIZATION_SPECIFICATION,
                    "SCRAM channel binding negotiation error"
                )
            }
            "n" | "y" => {}
            p if p.starts_with("p=") => {
                return Err(malformed(
                    "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM \
                     message includes channel binding data.",
                ));
            }
            _ => return Err(malformed("Unexpected channel-binding flag.")),
        }
        if !authzid.is_empty() {
            return Err(Error::unsupported(
                "client uses authorization identity, but it is not supported",
            )
            .fatal());
        }
        let mut attributes = bare.split(',');
        let user = attributes.next().unwrap_or_default();
        if user.starts_with("m=") {
            return Err(
                Error::unsupported("client requires an unsupported SCRAM extension").fatal()
            );
        }
        let nonce = attributes
            .next()
            .filter(|_| user.starts_with("n="))
            .and_then(|nonce| nonce.strip_prefix("r="))
            .filter(|nonce| !nonce.is_empty() && nonce.bytes().all(|b| b.is_ascii_graphic()))
            .ok_or_else(|| malformed("Attribute \"r\" expected."))?;
        let nonce = format!("{nonce}{}", BASE64.encode(&self.nonce));
        let server_first = format!(
            "r={nonce},s={},i={}",
            BASE64.encode(&self.verifier.salt),
            self.verifier.iterations
        );
        let answer = server_first.clone().into_bytes();
        self.sent = Some(Sent {
            client_first_bare: bare.to_owned(),
            server_first,
            nonce,
            channel: {
                let mut channel = format!("{flag},,").into_bytes();
                if self.bound {
                    channel.extend_from_slice(self.end_point.as_deref().unwrap_or_default());
                }
                channel
            },
        });
        Ok(Step::Continue(answer))
    }

    fn last(&self, sent: &Sent, body: &[u8]) -> Result<Step> {
        let message = text(body)?;
        let (without_proof, proof) =
            message.rsplit_once(",p=").ok_or_else(|| malformed("Attribute \"p\" expected."))?;
        let mut attributes = without_proof.split(',');
        let channel = attributes.next().and_then(|a| a.strip_prefix("c="));
        if channel != Some(BASE64.encode(&sent.channel).as_str()) {
            if self.bound {
                base::bail_fatal!(
                    INVALID_AUTHORIZATION_SPECIFICATION,
                    "SCRAM channel binding check failed"
                );
            }
            return Err(violation(
                "unexpected SCRAM channel-binding attribute in client-final-message",
            ));
        }
        if attributes.next().and_then(|a| a.strip_prefix("r=")) != Some(sent.nonce.as_str()) {
            return Err(violation("invalid SCRAM response").detail("Nonce does not match."));
        }
        let proof: Key = BASE64
            .decode(proof.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| malformed("Malformed proof in client-final-message."))?;
        let auth_message: [&[u8]; 5] = [
            sent.client_first_bare.as_bytes(),
            b",",
            sent.server_first.as_bytes(),
            b",",
            without_proof.as_bytes(),
        ];
        let signature = hmac(&self.verifier.stored_key, &auth_message);
        let mut client_key = proof;
        for (byte, mask) in client_key.iter_mut().zip(signature) {
            *byte ^= mask;
        }
        let computed: Key = Sha256::digest(client_key).into();
        if !bool::from(computed.ct_eq(&self.verifier.stored_key)) || !self.known {
            return Ok(Step::Failed);
        }
        let server_signature = hmac(&self.verifier.server_key, &auth_message);
        Ok(Step::Authenticated(format!("v={}", BASE64.encode(&server_signature)).into_bytes()))
    }
}

/// The mechanism and the client's first SCRAM message within the body of SASLInitialResponse.
fn initial_response(body: &[u8]) -> Result<(&str, &str)> {
    let mut reader = crate::reader::Reader::new(body);
    let mechanism = std::str::from_utf8(reader.string()?).unwrap_or_default();
    let length = usize::try_from(reader.i32()?).map_err(|_| malformed("The message is empty."))?;
    let message = reader.bytes(length)?;
    reader.end()?;
    Ok((mechanism, text(message)?))
}

fn text(bytes: &[u8]) -> Result<&str> {
    if bytes.is_empty() {
        return Err(malformed("The message is empty."));
    }
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or_else(|| malformed("Message length does not match input length."))
}

fn malformed(detail: &str) -> Error {
    violation("malformed SCRAM message").detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's side of RFC 5802, for the tests.
    fn client_final(password: &str, nonce: &str, server_first: &str, flag: &str) -> (String, Key) {
        bound_final(password, nonce, server_first, flag, b"")
    }

    fn bound_final(
        password: &str,
        nonce: &str,
        server_first: &str,
        flag: &str,
        end_point: &[u8],
    ) -> (String, Key) {
        let mut parts = server_first.split(',');
        let full_nonce = &parts.next().unwrap()[2..];
        assert!(full_nonce.starts_with(nonce));
        let salt = BASE64.decode(&parts.next().unwrap().as_bytes()[2..]).unwrap();
        let iterations: u32 = parts.next().unwrap()[2..].parse().unwrap();
        let mut block = hmac(password.as_bytes(), &[&salt, &1u32.to_be_bytes()]);
        let mut salted = block;
        for _ in 1..iterations {
            block = hmac(password.as_bytes(), &[&block]);
            salted.iter_mut().zip(block).for_each(|(s, b)| *s ^= b);
        }
        let client_key = hmac(&salted, &[b"Client Key"]);
        let stored: Key = Sha256::digest(client_key).into();
        let channel = [format!("{flag},,").as_bytes(), end_point].concat();
        let bare = format!("c={},r={full_nonce}", BASE64.encode(&channel));
        let auth = format!("n=,r={nonce},{server_first},{bare}");
        let mut proof = hmac(&stored, &[auth.as_bytes()]);
        proof.iter_mut().zip(client_key).for_each(|(p, k)| *p ^= k);
        let server = hmac(&hmac(&salted, &[b"Server Key"]), &[auth.as_bytes()]);
        (format!("{bare},p={}", BASE64.encode(&proof)), server)
    }

    fn first(nonce: &str, flag: &str) -> Vec<u8> {
        let message = format!("{flag},,n=,r={nonce}");
        let mut body = b"SCRAM-SHA-256\0".to_vec();
        body.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        body.extend_from_slice(message.as_bytes());
        body
    }

    fn log_in(stored: Option<Verifier>, password: &str) -> Step {
        let mut exchange = Exchange::new("u", stored, [7; NONCE_BYTES], b"secret", None);
        let Step::Continue(server_first) = exchange.step(&first("abc", "y")).unwrap() else {
            panic!("the exchange ended after its first message");
        };
        let server_first = String::from_utf8(server_first).unwrap();
        let (message, server) = client_final(password, "abc", &server_first, "y");
        let step = exchange.step(message.as_bytes()).unwrap();
        if let Step::Authenticated(data) = &step {
            assert_eq!(data, format!("v={}", BASE64.encode(&server)).as_bytes());
        }
        step
    }

    #[test]
    fn the_right_password_and_no_other_is_accepted() {
        let verifier = Verifier::from_password("pencil", b"salt and pepper!", 4096);
        assert!(verifier.matches("pencil") && !verifier.matches("pencil "));
        let read = Verifier::parse(&verifier.to_text()).unwrap();
        assert!(read == verifier);
        assert!(matches!(log_in(Some(read.clone()), "pencil"), Step::Authenticated(_)));
        assert_eq!(log_in(Some(read), "pen"), Step::Failed);
        assert_eq!(log_in(None, "pencil"), Step::Failed);
    }

    #[test]
    fn a_bound_channel_must_be_the_same_on_both_sides() {
        let verifier = Verifier::from_password("pencil", b"salt and pepper!", 4096);
        let try_it = |offered: &[u8], mechanism: &str, flag: &str, seen: &[u8]| -> Result<Step> {
            let mut exchange = Exchange::new(
                "u",
                Some(verifier.clone()),
                [7; NONCE_BYTES],
                b"secret",
                Some(offered.to_vec()),
            );
            let message = format!("{flag},,n=,r=abc");
            let mut body = format!("{mechanism}\0").into_bytes();
            body.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
            body.extend_from_slice(message.as_bytes());
            let Step::Continue(server_first) = exchange.step(&body)? else {
                panic!("the exchange ended after its first message");
            };
            let server_first = String::from_utf8(server_first).unwrap();
            let (message, _) = bound_final("pencil", "abc", &server_first, flag, seen);
            exchange.step(message.as_bytes())
        };
        let (hash, end_point) = (&b"hash of a certificate"[..], "p=tls-server-end-point");
        let bound = try_it(hash, MECHANISM_PLUS, end_point, hash).unwrap();
        assert!(matches!(bound, Step::Authenticated(_)));
        assert!(matches!(try_it(hash, MECHANISM, "n", b"").unwrap(), Step::Authenticated(_)));
        for (mechanism, flag, seen, message) in [
            (MECHANISM_PLUS, end_point, &b"another"[..], "SCRAM channel binding check failed"),
            (MECHANISM, "y", b"", "SCRAM channel binding negotiation error"),
            (MECHANISM_PLUS, "n", b"", "malformed SCRAM message"),
            (MECHANISM, end_point, hash, "malformed SCRAM message"),
            (MECHANISM_PLUS, "p=x", b"", "unsupported SCRAM channel-binding type \"x\""),
        ] {
            let error = try_it(hash, mechanism, flag, seen).unwrap_err();
            assert_eq!(error.fields().message, message, "{mechanism} {flag}");
        }
    }

    #[test]
    fn the_verifier_of_the_oracle_is_reproduced() {
        // SELECT rolpassword FROM pg_authid after CREATE ROLE ... PASSWORD 'secret' on 18.4.
        let stored = include_str!("scram/oracle_verifier.txt").trim();
        let verifier = Verifier::parse(stored).unwrap();
        assert!(verifier.matches("secret"));
        assert_eq!(verifier.to_text(), stored);
    }

    #[test]
    fn the_example_of_rfc_7677_is_reproduced() {
        let salt = BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = Verifier::from_password("pencil", &salt, 4096);
        let auth: [&[u8]; 1] = [b"n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
            s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"];
        let signature = hmac(&verifier.server_key, &auth);
        assert_eq!(BASE64.encode(&signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn broken_messages_are_protocol_violations() {
        for body in
            [&b""[..], b"SCRAM-SHA-256\0", b"PLAIN\0\0\0\0\0", b"SCRAM-SHA-256\0\xff\xff\xff\xff"]
        {
            let mut exchange = Exchange::new("u", None, [0; NONCE_BYTES], b"s", None);
            assert_eq!(exchange.step(body).unwrap_err().sqlstate().as_str(), "08P01");
        }
        for text in ["", "n,,n=,r=", "z,,n=,r=a", "n,,n=", "n"] {
            let mut body = b"SCRAM-SHA-256\0".to_vec();
            body.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
            body.extend_from_slice(text.as_bytes());
            let mut exchange = Exchange::new("u", None, [0; NONCE_BYTES], b"s", None);
            assert_eq!(exchange.step(&body).unwrap_err().sqlstate().as_str(), "08P01", "{text:?}");
        }
        for text in ["", "c=biws", "c=eSws,r=x,p=AAAA", "c=biws,r=x,p=AAAA"] {
            let mut exchange = Exchange::new("u", None, [0; NONCE_BYTES], b"s", None);
            exchange.step(&first("abc", "n")).unwrap();
            assert_eq!(exchange.step(text.as_bytes()).unwrap_err().sqlstate().as_str(), "08P01");
        }
    }
}
