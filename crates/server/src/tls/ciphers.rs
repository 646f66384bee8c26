//! `ssl_ciphers`, `ssl_tls13_ciphers` and `ssl_groups`: which of rustls' ciphers and groups are used.
//!
//! Sources: OpenSSL's ciphers(1), of which the names of suites, the words below, and `!`, `-` and `+`
//! are known. What selects nothing that rustls has is passed over, as OpenSSL passes it over.

use base::{Result, bail};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{NamedGroup, ProtocolVersion, SupportedCipherSuite};
use session::settings::Base;

/// What a build without OpenSSL shows where nothing is set.
const UNSET: &str = "none";

/// The ciphers and groups that the settings leave.
///
/// # Errors
/// F0000 when they leave none.
pub(super) fn provider(settings: &Base) -> Result<CryptoProvider> {
    let mut provider = ring::default_provider();
    let is_new = |suite: &SupportedCipherSuite| suite.version().version == ProtocolVersion::TLSv1_3;
    let (new, old): (Vec<_>, Vec<_>) = provider.cipher_suites.into_iter().partition(is_new);
    let new = match settings.text("ssl_tls13_ciphers") {
        "" | UNSET => new,
        list => {
            let chosen = named(list, &new, |suite| super::cipher_name(*suite).0);
            if chosen.is_empty() {
                bail!(
                    CONFIG_FILE_ERROR,
                    "could not set the TLSv1.3 cipher suites (no valid ciphers available)"
                );
            }
            chosen
        }
    };
    let old = match settings.text("ssl_ciphers") {
        "" | UNSET => old,
        list => {
            let chosen = chosen(list, &old);
            if chosen.is_empty() {
                bail!(
                    CONFIG_FILE_ERROR,
                    "could not set the TLSv1.2 cipher list (no valid ciphers available)"
                );
            }
            chosen
        }
    };
    provider.cipher_suites = new.into_iter().chain(old).collect();
    match settings.text("ssl_groups") {
        "" | UNSET => {}
        list => {
            let groups = named(list, &provider.kx_groups, |group| group_name(group.name()));
            if groups.is_empty() {
                return Err(base::err!(
                    CONFIG_FILE_ERROR,
                    "could not set group names specified in ssl_groups: no group of \"{list}\" is known"
                )
                .hint("Ensure that each group name is spelled correctly and supported."));
            }
            provider.kx_groups = groups;
        }
    }
    Ok(provider)
}

/// Those of `all` that a list between colons names, in its order.
fn named<T: Copy>(list: &str, all: &[T], name: impl Fn(&T) -> &'static str) -> Vec<T> {
    let find = |word: &str| all.iter().find(|one| name(one).eq_ignore_ascii_case(word)).copied();
    list.split(':').filter_map(find).collect()
}

/// OpenSSL's name of a group.
fn group_name(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519 => "X25519",
        NamedGroup::secp256r1 => "prime256v1",
        NamedGroup::secp384r1 => "secp384r1",
        _ => "unknown",
    }
}

/// Whether a word of OpenSSL's cipher strings, or several with `+` between them, means a suite.
fn means(word: &str, name: &str) -> bool {
    word.split('+').all(|word| match word {
        // All that rustls has are strong, exchange keys by ECDHE and authenticate.
        "ALL"
        | "DEFAULT"
        | "COMPLEMENTOFDEFAULT"
        | "HIGH"
        | "ECDH"
        | "kECDHE"
        | "ECDHE"
        | "EECDH"
        | "kEECDH"
        | "FIPS"
        | "TLSv1.2" => word != "COMPLEMENTOFDEFAULT",
        "AES" => name.contains("AES"),
        "AESGCM" => name.contains("GCM"),
        "AES128" | "AES256" | "CHACHA20" => name.contains(word),
        "aRSA" | "RSA" => name.contains("-RSA-"),
        "aECDSA" | "ECDSA" => name.contains("-ECDSA-"),
        "SHA256" => name.ends_with("SHA256"),
        "SHA384" => name.ends_with("SHA384"),
        word => word == name,
    })
}

/// What an OpenSSL cipher string chooses, in its order.
fn chosen(list: &str, all: &[SupportedCipherSuite]) -> Vec<SupportedCipherSuite> {
    let names: Vec<&'static str> = all.iter().map(|suite| super::cipher_name(*suite).0).collect();
    let order = choose(list, &names);
    order.into_iter().filter_map(|at| all.get(at).copied()).collect()
}

/// The places in `names` that a cipher string chooses.
fn choose(list: &str, names: &[&str]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    let mut banned = vec![false; names.len()];
    for word in
        list.split([':', ',', ' ']).filter(|word| !word.is_empty() && !word.starts_with('@'))
    {
        let (operation, word) = match word.split_at_checked(1) {
            Some((operation @ ("!" | "-" | "+"), word)) => (operation, word),
            _ => ("", word),
        };
        let means = |at: &usize| means(word, names[*at]);
        match operation {
            "" => {
                let new = (0..names.len()).filter(|at| means(at) && !banned[*at]);
                let new: Vec<usize> = new.filter(|at| !order.contains(at)).collect();
                order.extend(new);
            }
            "+" => {
                let (moved, kept): (Vec<_>, Vec<_>) = order.iter().partition(|at| means(at));
                order = kept.into_iter().chain(moved).collect();
            }
            operation => {
                order.retain(|at| !means(at));
                if operation == "!" {
                    (0..names.len()).filter(means).for_each(|at| banned[at] = true);
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::choose;

    const NAMES: [&str; 4] = [
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ];

    #[test]
    fn a_cipher_string_chooses_what_openssl_would() {
        let cases: [(&str, &[usize]); 8] = [
            ("HIGH:MEDIUM:+3DES:!aNULL", &[0, 1, 2, 3]),
            ("ECDHE-RSA-CHACHA20-POLY1305:AES128", &[3, 2]),
            ("ALL:!aECDSA:ECDSA", &[1, 2, 3]),
            ("ALL:-aECDSA:ECDSA", &[1, 2, 3, 0]),
            ("ALL:+AES256", &[2, 3, 0, 1]),
            ("ECDHE+AESGCM+aRSA:@STRENGTH", &[1, 2]),
            ("RC4:3DES:nonsense", &[]),
            ("ALL:!ALL", &[]),
        ];
        for (list, expected) in cases {
            assert_eq!(choose(list, &NAMES), expected, "{list}");
        }
    }
}
