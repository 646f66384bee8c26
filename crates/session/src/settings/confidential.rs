//! Settings that not everybody may see.

use base::{Error, err};

/// In the order of their names.
const CONFIDENTIAL: [&str; 22] = [
    "config_file",
    "data_directory",
    "dynamic_library_path",
    "extension_control_path",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "jit_provider",
    "krb_server_keyfile",
    "log_directory",
    "log_filename",
    "oauth_validator_libraries",
    "primary_conninfo",
    "session_preload_libraries",
    "shared_preload_libraries",
    "ssl_ciphers",
    "ssl_dh_params_file",
    "ssl_groups",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "ssl_passphrase_command",
    "unix_socket_directories",
];

/// Whether only roles with the privileges of `pg_read_all_settings` may see a setting.
pub fn is_confidential(name: &str) -> bool {
    CONFIDENTIAL.iter().any(|one| one.eq_ignore_ascii_case(name))
}

/// The error for who may not.
pub fn not_to_be_examined(name: &str) -> Error {
    err!(INSUFFICIENT_PRIVILEGE, "permission denied to examine \"{}\"", name.to_ascii_lowercase())
        .detail(
            "Only roles with privileges of the \"pg_read_all_settings\" role may examine this \
             parameter.",
        )
}
