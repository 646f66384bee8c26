//! pg_hba.conf: who may connect from where, and how it is authenticated.
//!
//! Differs from PostgreSQL: the methods are `trust`, `reject` and `scram-sha-256`; host names as
//! addresses, `samehost` and `samenet`, and `hostgssenc` rules are understood but never match; the
//! others are errors.

use crate::config::{Config, os_text};
use crate::log::{self, Level};
use base::Result;
use regex::Regex;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// How a connection is authenticated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    Trust,
    Reject,
    ScramSha256,
}

#[derive(Debug)]
enum Place {
    Local,
    /// Addresses whose bits under the mask are these.
    Network {
        bits: u128,
        mask: u128,
        v6: bool,
    },
    All,
    /// Matches no connection that can exist here.
    Never,
}

#[derive(Debug)]
enum Name {
    All,
    SameUser,
    SameRole,
    Replication,
    Role(String),
    Exact(String),
    Pattern(Regex),
}

#[derive(Debug)]
struct Rule {
    place: Place,
    /// Whether it is for encrypted connections only, or for others only.
    encrypted: Option<bool>,
    databases: Vec<Name>,
    users: Vec<Name>,
    method: Method,
}

/// All rules, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Hba {
    rules: Vec<Rule>,
}

/// Checks that the rules can be read, for the postmaster's start.
///
/// # Errors
/// F0000; the log says what is wrong where.
pub(crate) fn check(data_dir: &Path, config: &Config) -> Result<()> {
    match Hba::load(data_dir, config) {
        Ok(_) => Ok(()),
        Err(()) => {
            let path = path(data_dir, config);
            base::bail_fatal!(CONFIG_FILE_ERROR, "could not load {}", path.display())
        }
    }
}

fn path(data_dir: &Path, config: &Config) -> PathBuf {
    match config.get("hba_file") {
        Some(file) => data_dir.join(file),
        None => data_dir.join("pg_hba.conf"),
    }
}

impl Hba {
    /// Reads the file. The log says what is wrong with it.
    pub(crate) fn load(data_dir: &Path, config: &Config) -> std::result::Result<Hba, ()> {
        let path = path(data_dir, config);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            log::log(format!("could not open file \"{}\": {}", path.display(), os_text(&error)));
        })?;
        let mut failed = false;
        let mut hba = Hba::default();
        for (number, line) in (1u32..).zip(text.lines()) {
            match parse_line(line) {
                Ok(rule) => hba.rules.extend(rule),
                Err(message) => {
                    failed = true;
                    let context =
                        format!("line {number} of configuration file \"{}\"", path.display());
                    log::write_with(Level::Log, &message, &[("CONTEXT", &context)]);
                }
            }
        }
        if hba.rules.is_empty() && !failed {
            log::log(format!("configuration file \"{}\" contains no entries", path.display()));
            failed = true;
        }
        if failed { Err(()) } else { Ok(hba) }
    }

    /// The method of the first rule that matches; no address means a Unix socket.
    pub(crate) fn find(
        &self,
        address: Option<IpAddr>,
        encrypted: bool,
        database: &str,
        user: &str,
    ) -> Option<Method> {
        self.rules
            .iter()
            .find(|rule| {
                rule.place.matches(address)
                    && rule.encrypted.is_none_or(|wanted| wanted == encrypted)
                    && rule.databases.iter().any(|name| name.matches_database(database, user))
                    && rule.users.iter().any(|name| name.matches_user(user))
            })
            .map(|rule| rule.method)
    }
}

fn bits(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), false),
        IpAddr::V6(v6) => (v6.to_bits(), true),
    }
}

impl Place {
    fn matches(&self, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Place::Local, None) | (Place::All, Some(_)) => true,
            (Place::Network { bits: network, mask, v6 }, Some(address)) => {
                let (bits, is_v6) = bits(address);
                is_v6 == *v6 && bits & mask == network & mask
            }
            _ => false,
        }
    }
}

impl Name {
    fn matches_database(&self, database: &str, user: &str) -> bool {
        match self {
            Name::All => true,
            Name::SameUser => database == user,
            // Group membership is not asked: a group of that name would have to be the role.
            Name::SameRole => database == user,
            Name::Replication | Name::Role(_) => false,
            Name::Exact(name) => name == database,
            Name::Pattern(pattern) => pattern.is_match(database),
        }
    }

    fn matches_user(&self, user: &str) -> bool {
        match self {
            Name::All => true,
            Name::SameUser | Name::SameRole | Name::Replication => false,
            Name::Exact(name) | Name::Role(name) => name == user,
            Name::Pattern(pattern) => pattern.is_match(user),
        }
    }
}

/// A word of a line, and whether it stood in quotes.
type Token = (String, bool);

/// The fields of a line, each a list of words that commas separate.
fn fields(line: &str) -> Vec<Vec<Token>> {
    let mut fields = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.peek().is_some_and(|c| c.is_whitespace()) {
            chars.next();
        }
        if chars.peek().is_none_or(|c| *c == '#') {
            return fields;
        }
        let mut words: Vec<Token> = Vec::new();
        let (mut word, mut quoted) = (String::new(), false);
        let mut in_quotes = false;
        while let Some(c) = chars.peek().copied() {
            if !in_quotes && (c.is_whitespace() || c == '#') {
                // A blank behind a comma does not end the list.
                let after_comma = word.is_empty() && !quoted && !words.is_empty();
                if !(after_comma && c.is_whitespace()) {
                    break;
                }
                chars.next();
                continue;
            }
            chars.next();
            match c {
                '"' => {
                    in_quotes = !in_quotes;
                    quoted = true;
                }
                ',' if !in_quotes => {
                    words.push((std::mem::take(&mut word), std::mem::take(&mut quoted)));
                }
                other => word.push(other),
            }
        }
        if !word.is_empty() || quoted {
            words.push((word, quoted));
        }
        fields.push(words);
    }
}

fn one(field: &[Token]) -> std::result::Result<&str, String> {
    match field {
        [(word, _)] => Ok(word),
        _ => Err("multiple values specified for connection type".to_owned()),
    }
}

fn names(field: &[Token]) -> std::result::Result<Vec<Name>, String> {
    field
        .iter()
        .map(|(word, quoted)| {
            Ok(match word.as_str() {
                "all" if !quoted => Name::All,
                "sameuser" if !quoted => Name::SameUser,
                "samerole" | "samegroup" if !quoted => Name::SameRole,
                "replication" if !quoted => Name::Replication,
                word if !quoted && word.starts_with('+') => Name::Role(word[1..].to_owned()),
                word if !quoted && word.starts_with('@') => {
                    return Err("lists of names in files are not supported yet".to_owned());
                }
                word if word.starts_with('/') => {
                    Name::Pattern(Regex::new(&word[1..]).map_err(|e| {
                        format!("invalid regular expression \"{}\": {e}", &word[1..])
                    })?)
                }
                word => Name::Exact(word.to_owned()),
            })
        })
        .collect()
}

fn parse_line(line: &str) -> std::result::Result<Option<Rule>, String> {
    let fields = fields(line);
    let mut fields = fields.iter();
    let Some(kind) = fields.next() else { return Ok(None) };
    let kind = one(kind)?;
    let (local, never) = match kind {
        "local" => (true, false),
        "host" | "hostssl" | "hostnossl" | "hostnogssenc" => (false, false),
        "hostgssenc" => (false, true),
        "include" | "include_if_exists" | "include_dir" => {
            return Err(format!("\"{kind}\" records are not supported yet"));
        }
        _ => return Err(format!("invalid connection type \"{kind}\"")),
    };
    let databases = names(fields.next().ok_or("end-of-line before database specification")?)?;
    let users = names(fields.next().ok_or("end-of-line before role specification")?)?;
    let mut place = Place::Local;
    if !local {
        let address = one(fields.next().ok_or("end-of-line before IP address specification")?)?;
        place = parse_place(address, &mut fields)?;
        if never {
            place = Place::Never;
        }
    }
    let method = one(fields.next().ok_or("end-of-line before authentication method")?)?;
    let method = match method {
        "trust" => Method::Trust,
        "reject" => Method::Reject,
        "scram-sha-256" => Method::ScramSha256,
        "md5" | "password" => {
            return Err(format!(
                "authentication method \"{method}\" is not supported: use \"scram-sha-256\""
            ));
        }
        "peer" | "ident" | "gss" | "sspi" | "pam" | "ldap" | "radius" | "cert" | "oauth" => {
            return Err(format!("authentication method \"{method}\" is not supported yet"));
        }
        _ => return Err(format!("invalid authentication method \"{method}\"")),
    };
    if let Some(option) = fields.next() {
        return Err(format!("unrecognized authentication option name: \"{}\"", one(option)?));
    }
    let encrypted = match kind {
        "hostssl" => Some(true),
        "hostnossl" => Some(false),
        _ => None,
    };
    Ok(Some(Rule { place, encrypted, databases, users, method }))
}

fn parse_place<'f>(
    address: &str,
    fields: &mut impl Iterator<Item = &'f Vec<Token>>,
) -> std::result::Result<Place, String> {
    if address == "all" {
        return Ok(Place::All);
    }
    if matches!(address, "samehost" | "samenet") {
        return Ok(Place::Never);
    }
    let (text, prefix) = match address.split_once('/') {
        Some((text, prefix)) => (text, Some(prefix)),
        None => (address, None),
    };
    let Ok(ip) = text.parse::<IpAddr>() else {
        let is_name = text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
            && text.bytes().any(|b| b.is_ascii_alphabetic());
        return match prefix {
            Some(_) if is_name => {
                Err(format!("specifying both host name and CIDR mask is invalid: \"{address}\""))
            }
            None if is_name => Ok(Place::Never),
            _ => Err(format!("invalid IP address \"{text}\"")),
        };
    };
    let (bits, v6) = bits(ip);
    let width = if v6 { 128 } else { 32 };
    let mask = match prefix {
        Some(prefix) => {
            let length: u32 = prefix
                .parse()
                .ok()
                .filter(|length| *length <= width)
                .ok_or_else(|| format!("invalid CIDR mask in address \"{address}\""))?;
            if length == 0 { 0 } else { u128::MAX << (width - length) }
        }
        None => {
            let mask = one(fields.next().ok_or("end-of-line before netmask specification")?)?;
            let mask: IpAddr = mask.parse().map_err(|_| format!("invalid IP mask \"{mask}\""))?;
            let (mask, mask_v6) = self::bits(mask);
            if mask_v6 != v6 {
                return Err("IP address and mask do not match".to_owned());
            }
            mask
        }
    };
    Ok(Place::Network { bits, mask, v6 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hba(text: &str) -> Hba {
        Hba { rules: text.lines().filter_map(|line| parse_line(line).unwrap()).collect() }
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let hba = hba("# comment\n\
            local all all trust\n\
            host  all mallory 0.0.0.0/0 reject # never\n\
            host  \"all\",app /^a 10.1.0.0 255.255.0.0 scram-sha-256\n\
            host  sameuser all ::1/128 trust\n\
            hostssl all all 127.0.0.1/32 trust\n\
            host all all 127.0.0.1/32 scram-sha-256\n");
        let ip = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let cases = [
            (None, "x", "mallory", Some(Method::Trust)),
            (ip("10.9.9.9"), "x", "mallory", Some(Method::Reject)),
            (ip("10.1.2.3"), "app", "alice", Some(Method::ScramSha256)),
            (ip("10.1.2.3"), "all", "alice", Some(Method::ScramSha256)),
            (ip("10.1.2.3"), "app", "bob", None),
            (ip("10.2.2.3"), "app", "alice", None),
            (ip("::1"), "bob", "bob", Some(Method::Trust)),
            (ip("::1"), "x", "bob", None),
            (ip("127.0.0.1"), "x", "bob", Some(Method::ScramSha256)),
        ];
        for (address, database, user, expected) in cases {
            assert_eq!(
                hba.find(address, false, database, user),
                expected,
                "{address:?} {database} {user}"
            );
        }
    }

    #[test]
    fn wrong_lines_are_named() {
        let cases = [
            ("lokal all all trust", "invalid connection type \"lokal\""),
            ("local", "end-of-line before database specification"),
            ("local all", "end-of-line before role specification"),
            ("host all all", "end-of-line before IP address specification"),
            ("host all all 1.2.3.4/99 trust", "invalid CIDR mask in address \"1.2.3.4/99\""),
            ("host all all 1.2.3.4", "end-of-line before netmask specification"),
            ("host all all 1.2.3.4/32", "end-of-line before authentication method"),
            ("local all all thrust", "invalid authentication method \"thrust\""),
        ];
        for (line, message) in cases {
            assert_eq!(parse_line(line).unwrap_err(), message);
        }
        assert!(parse_line("local all all md5").unwrap_err().contains("scram-sha-256"));
    }
}
