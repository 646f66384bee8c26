//! Who gets in, and how: TLS, the rules of pg_hba.conf, limits before authentication, and who may
//! see what.

mod access;
mod activity;
mod client;
mod status;
mod tls;
