//! Where a session comes from: its client's address, the encryption, who it was authenticated as.

use std::net::SocketAddr;

/// What is known of a connection when its session begins. All of it is empty for a session that
/// has no connection.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Whether there is a connection at all.
    pub has_connection: bool,
    /// The client's address and port; nothing for a Unix socket.
    pub client: Option<SocketAddr>,
    /// The address and port that the client connected to; nothing for a Unix socket.
    pub server: Option<SocketAddr>,
    /// The client's name, if `log_hostname` has it looked up.
    pub host_name: Option<Box<str>>,
    /// What the connection is encrypted with, if it is.
    pub encryption: Option<Box<Encryption>>,
    /// Who the client has shown to be, with the method that showed it: `SYSTEM_USER`.
    pub system_user: Option<Box<str>>,
}

/// What a connection is encrypted with, in OpenSSL's words, and the client's certificate.
#[derive(Clone, Debug)]
pub struct Encryption {
    /// The version of TLS.
    pub version: &'static str,
    /// The cipher.
    pub cipher: &'static str,
    /// The bits of the cipher's key.
    pub bits: u16,
    /// The common name of the client's certificate.
    pub client_name: Option<String>,
    /// Its subject, `/O=Example/CN=alice`.
    pub client_subject: Option<String>,
    /// Its subject in the form of RFC 4514, `CN=alice,O=Example`.
    pub client_subject_reversed: Option<String>,
    /// Its serial number in decimal digits.
    pub client_serial: Option<String>,
    /// Its issuer, in the form of the subject.
    pub client_issuer: Option<String>,
}
