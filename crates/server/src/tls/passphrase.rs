//! `ssl_passphrase_command`: the passphrase of an encrypted private key.
//!
//! The command runs while the settings are loaded, at the start and, with
//! `ssl_passphrase_command_supports_reload`, at a reload; only for a key that is encrypted. The
//! passphrase goes nowhere but into the decryption.

use base::{Result, bail, err};
use pkcs8::{EncryptedPrivateKeyInfo, SecretDocument};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use session::settings::Base;
use std::path::Path;
use std::process::{Command, Stdio};

/// What `%p` stands for in the command.
const PROMPT: &str = "Enter PEM pass phrase:";

/// Where a passphrase comes from.
#[derive(Debug)]
pub(super) struct Passphrase<'s> {
    command: &'s str,
    /// It may not be asked for now: the server runs already.
    refused: bool,
}

impl Passphrase<'_> {
    /// As the settings say; `again` at a reload.
    pub(super) fn new(settings: &Base, again: bool) -> Passphrase<'_> {
        Passphrase {
            command: settings.text("ssl_passphrase_command"),
            refused: again && !settings.boolean("ssl_passphrase_command_supports_reload"),
        }
    }

    /// Decrypts a key of the form PKCS#8.
    ///
    /// # Errors
    /// F0000 without a passphrase, or with a wrong one; 38000 when the command fails.
    pub(super) fn decrypt(&self, pem: &str, path: &Path) -> Result<PrivateKeyDer<'static>> {
        let shown = path.display();
        if self.command.is_empty() {
            return Err(err!(
                CONFIG_FILE_ERROR,
                "private key file \"{shown}\" cannot be loaded because it requires a passphrase"
            )
            .hint("Set \"ssl_passphrase_command\"."));
        }
        if self.refused {
            bail!(
                CONFIG_FILE_ERROR,
                "private key file \"{shown}\" cannot be reloaded because it requires a passphrase"
            );
        }
        let passphrase = self.ask()?;
        let key = SecretDocument::from_pem(pem).ok().and_then(|(_, document)| {
            let encrypted = EncryptedPrivateKeyInfo::try_from(document.as_bytes()).ok()?;
            encrypted.decrypt(&passphrase).ok()
        });
        match key {
            Some(key) => Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()),
            None => bail!(
                CONFIG_FILE_ERROR,
                "could not load private key file \"{shown}\": the passphrase is wrong or the \
                 encryption not supported"
            ),
        }
    }

    /// What the command prints, without the end of the line.
    fn ask(&self) -> Result<Vec<u8>> {
        let command = crate::percent::replaced(self.command, &[('p', PROMPT)]);
        let output = Command::new("/bin/sh")
            .arg("-c")
            .arg(&command)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output();
        let output = match output {
            Ok(output) => output,
            Err(error) => {
                bail!(SYSTEM_ERROR, "could not execute command \"{command}\": {error}")
            }
        };
        if !output.status.success() {
            return Err(err!(EXTERNAL_ROUTINE_EXCEPTION, "command \"{command}\" failed")
                .detail(output.status.to_string()));
        }
        let mut passphrase = output.stdout;
        while passphrase.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            passphrase.pop();
        }
        Ok(passphrase)
    }
}
