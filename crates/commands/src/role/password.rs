//! What is kept of a password.

use crate::Env;
use base::{Result, err};
use md5::{Digest, Md5};
use wire::scram::{SALT_BYTES, Verifier};

/// A verifier may be given in place of a password, and may be no longer than this.
const VERIFIER_BYTES_MAX: usize = 512;

fn is_md5(text: &str) -> bool {
    let digits = text.strip_prefix("md5");
    digits.is_some_and(|d| d.len() == 32 && d.bytes().all(|b| b"0123456789abcdef".contains(&b)))
}

/// Whether the stored form depends on the role's name.
pub(super) fn depends_on_name(stored: &str) -> bool {
    is_md5(stored)
}

fn md5_of(role: &str, password: &str) -> String {
    let digest = Md5::new().chain_update(password).chain_update(role).finalize();
    format!("md5{}", data_encoding::HEXLOWER.encode(&digest))
}

/// Whether it is the empty password, or its stored form.
fn is_empty(role: &str, password: &str) -> bool {
    password.is_empty()
        || is_md5(password) && password == md5_of(role, "")
        || Verifier::parse(password).is_some_and(|verifier| verifier.matches(""))
}

/// The stored form of a password: none for an empty one.
///
/// # Errors
/// 22023 for a verifier that is too long.
pub(super) fn stored(env: &Env<'_>, role: &str, password: &str) -> Result<Option<String>> {
    if is_empty(role, password) {
        env.notice("empty string is not a valid password, clearing password");
        return Ok(None);
    }
    let setting = |name: &str| env.server.setting(name).unwrap_or_default();
    let stored = if is_md5(password) || Verifier::parse(password).is_some() {
        password.to_owned()
    } else if setting("password_encryption") == "md5" {
        md5_of(role, password)
    } else {
        let mut salt = [0; SALT_BYTES];
        rand::fill(&mut salt);
        let iterations = setting("scram_iterations").parse().unwrap_or(wire::scram::ITERATIONS);
        Verifier::from_password(password, &salt, iterations).to_text()
    };
    if stored.len() > VERIFIER_BYTES_MAX {
        return Err(err!(INVALID_PARAMETER_VALUE, "encrypted password is too long").detail(
            format!("Encrypted passwords must be no longer than {VERIFIER_BYTES_MAX} bytes."),
        ));
    }
    if is_md5(&stored) && setting("md5_password_warnings") != "off" {
        env.server.warning(
            err!(WARNING_DEPRECATED_FEATURE, "setting an MD5-encrypted password")
                .detail(
                    "MD5 password support is deprecated and will be removed in a future release \
                     of PostgreSQL.",
                )
                .hint(
                    "Refer to the PostgreSQL documentation for details about migrating to another \
                     password type.",
                ),
        );
    }
    Ok(Some(stored))
}
