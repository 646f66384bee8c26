//! Who gets in, and how: TLS, the rules of pg_hba.conf, limits before authentication.

mod access;
mod client;
mod tls;
