//! What the program was built as.

/// The version of PostgreSQL whose behaviour this is.
pub const POSTGRESQL_VERSION: &str = "18.4";

/// The options of the build, as a configure script would take them. There is no build without them.
pub const OPTIONS: [&str; 2] = ["--enable-64bit-shared-memory", "--enable-64bit-transaction-id"];
