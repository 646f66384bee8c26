//! TLS 1.2 and 1.3.
//!
//! [`Context`] is what `ssl_cert_file` and the settings beside it say, loaded at the start and at
//! each reload; open sessions keep the one they began with. [`TlsStream`] is one encrypted
//! connection. It uses rustls with buffers of ours, so that an idle session holds none.
//!
//! Rules
//! 1. A key that others may read is refused, as PostgreSQL refuses it.
//! 2. Sessions are not resumed: no tickets, no session cache, no early data.
//! 3. With `ssl_ca_file` a client may show a certificate; one that does not verify ends the
//!    handshake. Whether it must show one, pg_hba.conf says.
//!
//! Limits: rustls' ciphers and groups only, of which `ssl_ciphers` and its like choose.
//!
//! Sources: RFC 8446, RFC 5246, RFC 5929 (tls-server-end-point), RFC 7301.

pub(crate) mod certificate;
mod ciphers;
mod files;
mod passphrase;
mod stream;

pub(crate) use stream::TlsStream;

use base::{Result, bail};
use certificate::Certificate;
use passphrase::Passphrase;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ProtocolVersion, RootCertStore, ServerConfig, SupportedCipherSuite, version};
use session::settings::Base;
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::path::Path;
use std::sync::Arc;

/// The protocol's name in ALPN.
const ALPN: &[u8] = b"postgresql";

/// What new connections are encrypted with.
pub(crate) struct Context {
    config: Arc<ServerConfig>,
    /// The hash of the server's certificate, for channel binding.
    end_point: Box<[u8]>,
    /// Whether clients' certificates can be verified.
    pub(crate) has_roots: bool,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("has_roots", &self.has_roots).finish_non_exhaustive()
    }
}

impl Context {
    /// What the settings ask for; nothing with `ssl = off`. `again`: at a reload.
    ///
    /// # Errors
    /// F0000 with PostgreSQL's texts.
    pub(crate) fn load(
        data_dir: &Path,
        settings: &Base,
        again: bool,
    ) -> Result<Option<Arc<Context>>> {
        if !settings.boolean("ssl") {
            return Ok(None);
        }
        let path = |name: &str| {
            let file = settings.text(name);
            (!file.is_empty()).then(|| data_dir.join(file))
        };
        let certificate_path = data_dir.join(settings.text("ssl_cert_file"));
        let chain = files::certificates(&certificate_path, "server certificate file")?;
        let key = files::private_key(
            &data_dir.join(settings.text("ssl_key_file")),
            &Passphrase::new(settings, again),
        )?;
        let end_point = chain.first().map(|first| end_point_hash(first)).unwrap_or_default();
        let provider = Arc::new(ciphers::provider(settings)?);
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions(settings)?)
            .or_else(|error| bail!(CONFIG_FILE_ERROR, "could not set up TLS: {error}"))?;
        let roots_path = path("ssl_ca_file");
        let builder = match &roots_path {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for root in files::certificates(path, "root certificate file")? {
                    if let Err(error) = roots.add(root) {
                        let path = path.display();
                        bail!(
                            CONFIG_FILE_ERROR,
                            "could not load root certificate file \"{path}\": {error}"
                        );
                    }
                }
                let mut crls = Vec::new();
                if let Some(path) = self::crl_path(settings, data_dir) {
                    crls = files::revocation_lists(&path)?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                    .with_crls(crls)
                    .allow_unauthenticated()
                    .build()
                    .or_else(|error| {
                        let path = path.display();
                        bail!(
                            CONFIG_FILE_ERROR,
                            "could not load root certificate file \"{path}\": {error}"
                        )
                    })?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key).or_else(|error| {
            let path = certificate_path.display();
            bail!(CONFIG_FILE_ERROR, "could not load server certificate file \"{path}\": {error}")
        })?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.ignore_client_order = settings.boolean("ssl_prefer_server_ciphers");
        Ok(Some(Arc::new(Context {
            config: Arc::new(config),
            end_point,
            has_roots: roots_path.is_some(),
        })))
    }

    /// The data of the channel binding tls-server-end-point.
    pub(crate) fn end_point(&self) -> &[u8] {
        &self.end_point
    }
}

fn crl_path(settings: &Base, data_dir: &Path) -> Option<std::path::PathBuf> {
    let file = settings.text("ssl_crl_file");
    (!file.is_empty()).then(|| data_dir.join(file))
}

/// The hash of a certificate by its own signature's hash function; SHA-256 in place of the weak
/// ones (RFC 5929).
fn end_point_hash(certificate: &[u8]) -> Box<[u8]> {
    match Certificate::read(certificate).and_then(|read| read.signature_hash_bits()) {
        Some(384) => Sha384::digest(certificate).as_slice().into(),
        Some(512) => Sha512::digest(certificate).as_slice().into(),
        Some(_) => Sha256::digest(certificate).as_slice().into(),
        None => Box::default(),
    }
}

/// The versions between `ssl_min_protocol_version` and `ssl_max_protocol_version`.
fn versions(settings: &Base) -> Result<&'static [&'static rustls::SupportedProtocolVersion]> {
    const BOTH: &[&rustls::SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
    let number = |name: &str| match settings.text(name) {
        "TLSv1.2" => Ok(Some(2)),
        "TLSv1.3" => Ok(Some(3)),
        "" => Ok(None),
        old => bail!(CONFIG_FILE_ERROR, "\"{name}\" setting \"{old}\" not supported by this build"),
    };
    let least = number("ssl_min_protocol_version")?.unwrap_or(2);
    let most = number("ssl_max_protocol_version")?.unwrap_or(3);
    match (least, most) {
        (2, 3) => Ok(BOTH),
        (3, 3) => Ok(&BOTH[..1]),
        (2, 2) => Ok(&BOTH[1..]),
        _ => Err(base::err!(CONFIG_FILE_ERROR, "could not set SSL protocol version range").detail(
            "\"ssl_min_protocol_version\" cannot be higher than \"ssl_max_protocol_version\"",
        )),
    }
}

/// OpenSSL's name of a version.
fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        _ => "unknown",
    }
}

/// OpenSSL's name of a cipher, and the bits of its key.
fn cipher_name(suite: SupportedCipherSuite) -> (&'static str, u16) {
    use rustls::CipherSuite as Suite;
    match suite.suite() {
        Suite::TLS13_AES_256_GCM_SHA384 => ("TLS_AES_256_GCM_SHA384", 256),
        Suite::TLS13_AES_128_GCM_SHA256 => ("TLS_AES_128_GCM_SHA256", 128),
        Suite::TLS13_CHACHA20_POLY1305_SHA256 => ("TLS_CHACHA20_POLY1305_SHA256", 256),
        Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => ("ECDHE-ECDSA-AES256-GCM-SHA384", 256),
        Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => ("ECDHE-ECDSA-AES128-GCM-SHA256", 128),
        Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
            ("ECDHE-ECDSA-CHACHA20-POLY1305", 256)
        }
        Suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => ("ECDHE-RSA-AES256-GCM-SHA384", 256),
        Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => ("ECDHE-RSA-AES128-GCM-SHA256", 128),
        Suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => ("ECDHE-RSA-CHACHA20-POLY1305", 256),
        _ => ("unknown", 0),
    }
}
