//! The files of certificates and keys.

use super::passphrase::Passphrase;
use crate::config::os_text;
use base::{Result, bail, err};
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The bits of a mode that let somebody but the owner in; and those that let more than reading by
/// the group in.
const GROUP_OR_WORLD: u32 = 0o077;
const MORE_THAN_GROUP_READ: u32 = 0o037;

fn read(path: &Path, what: &str) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| {
        let path = path.display();
        err!(CONFIG_FILE_ERROR, "could not load {what} \"{path}\": {}", os_text(&error))
    })
}

fn all<T: PemObject>(path: &Path, what: &str) -> Result<Vec<T>> {
    let text = read(path, what)?;
    let found: std::result::Result<Vec<T>, Error> = T::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => bail!(
            CONFIG_FILE_ERROR,
            "could not load {what} \"{}\": no certificate or crl found",
            path.display()
        ),
        Err(error) => {
            bail!(CONFIG_FILE_ERROR, "could not load {what} \"{}\": {error}", path.display())
        }
    }
}

/// The certificates of a file.
pub(super) fn certificates(path: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>> {
    all(path, what)
}

/// The revocation lists of a file.
pub(super) fn revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>> {
    all(path, "SSL certificate revocation list file")
}

/// The server's private key. `passphrase` is asked for that of an encrypted one.
pub(super) fn private_key(
    path: &Path,
    passphrase: &Passphrase<'_>,
) -> Result<PrivateKeyDer<'static>> {
    check_permissions(path)?;
    let text = read(path, "private key file")?;
    let shown = path.display();
    if let Some(pem) = section(&text, "ENCRYPTED PRIVATE KEY") {
        return passphrase.decrypt(pem, path);
    }
    PrivateKeyDer::from_pem_slice(&text).or_else(|error| match error {
        _ if text.windows(19).any(|word| word == b"Proc-Type: 4,ENCRYP") => Err(err!(
            FEATURE_NOT_SUPPORTED,
            "private key file \"{shown}\" is encrypted in a form that is not supported yet"
        )
        .hint("openssl pkcs8 -topk8 makes the supported form, PKCS#8, of it.")),
        Error::NoItemsFound => {
            bail!(
                CONFIG_FILE_ERROR,
                "could not load private key file \"{shown}\": no private key found"
            )
        }
        // The error may quote what stands in the file.
        _ => bail!(
            CONFIG_FILE_ERROR,
            "could not load private key file \"{shown}\": it is no PEM file"
        ),
    })
}

/// The part of a PEM file between the lines that begin and end a section.
fn section<'t>(text: &'t [u8], label: &str) -> Option<&'t str> {
    let text = std::str::from_utf8(text).ok()?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let from = text.find(&begin)?;
    let length = text.get(from..)?.find(&end)? + end.len();
    text.get(from..from + length)
}

fn check_permissions(path: &Path) -> Result<()> {
    let shown = path.display();
    let metadata = fs::metadata(path).map_err(|error| {
        err!(
            CONFIG_FILE_ERROR,
            "could not access private key file \"{shown}\": {}",
            os_text(&error)
        )
    })?;
    if !metadata.is_file() {
        bail!(CONFIG_FILE_ERROR, "private key file \"{shown}\" is not a regular file");
    }
    let (owner, own) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != own && owner != 0 {
        bail!(
            CONFIG_FILE_ERROR,
            "private key file \"{shown}\" must be owned by the database user or root"
        );
    }
    let refused = if owner == own { GROUP_OR_WORLD } else { MORE_THAN_GROUP_READ };
    if metadata.mode() & refused != 0 {
        return Err(err!(
            CONFIG_FILE_ERROR,
            "private key file \"{shown}\" has group or world access"
        )
        .detail(
            "File must have permissions u=rw (0600) or less if owned by the database user, or \
             permissions u=rw,g=r (0640) or less if owned by root.",
        ));
    }
    Ok(())
}
