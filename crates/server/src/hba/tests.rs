//! Rules on their own, without connections.

use super::tokens::read;
use super::*;
use std::path::PathBuf;

/// A directory of its own, gone with the value.
struct Dir(PathBuf);

impl Dir {
    fn new(files: &[(&str, &str)]) -> Dir {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("perdura-hba-{}-{number}", std::process::id());
        let dir = Dir(std::env::temp_dir().join(name));
        std::fs::create_dir_all(dir.0.join("parts")).unwrap();
        for (name, text) in files {
            std::fs::write(dir.0.join(name), text).unwrap();
        }
        dir
    }

    fn hba(&self) -> std::result::Result<Hba, ()> {
        Hba::load(&self.0, &Config::default())
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn members(user: &str, role: &str) -> Result<bool> {
    Ok(user == role || (user == "ann" && role == "staff"))
}

const RULES: &str = "# comment
local all all trust
host  all mallory 0.0.0.0/0 reject # never
host  \"all\",app, more /^a 10.1.0.0 255.255.0.0 scram-sha-256
host  sameuser all ::1/128 trust
hostssl \\
  all all 127.0.0.1/32 cert map=people clientname=DN
hostnossl all +staff samehost trust
host samerole all 127.0.0.0/8 password
host all @users 127.0.0.1/32 scram-sha-256
include more.conf
include_if_exists nowhere.conf
include_dir parts
";

#[test]
fn the_first_rule_that_matches_counts() {
    let dir = Dir::new(&[
        ("pg_hba.conf", RULES),
        ("users", "carl, \"all\"\ndora # and nobody else\n"),
        ("more.conf", "host all emil samenet reject\n"),
        ("parts/b.conf", "host /^x.z$ all all reject\n"),
        ("parts/a.conf", "host xyz fred all trust\n"),
        ("parts/c.txt", "no rule\n"),
    ]);
    let hba = dir.hba().unwrap();
    let tls = |address, database, user| (address, true, database, user);
    let plain = |address, database, user| (address, false, database, user);
    let cases = [
        (plain("", "x", "mallory"), Some((Method::Trust, 2))),
        (plain("10.9.9.9", "x", "mallory"), Some((Method::Reject, 3))),
        (plain("10.1.2.3", "app", "alice"), Some((Method::ScramSha256, 4))),
        (plain("10.1.2.3", "more", "alice"), Some((Method::ScramSha256, 4))),
        (plain("10.1.2.3", "all", "alice"), Some((Method::ScramSha256, 4))),
        (plain("10.1.2.3", "other", "alice"), None),
        (plain("10.1.2.3", "app", "bob"), None),
        (plain("10.2.2.3", "app", "alice"), None),
        (plain("::1", "bob", "bob"), Some((Method::Trust, 5))),
        (plain("::1", "x", "bob"), None),
        (tls("127.0.0.1", "x", "bob"), Some((Method::Cert, 6))),
        (plain("127.0.0.1", "x", "ann"), Some((Method::Trust, 8))),
        (plain("127.0.0.5", "staff", "ann"), Some((Method::Trust, 8))),
        (tls("127.0.0.5", "staff", "ann"), Some((Method::Password, 9))),
        (plain("127.0.0.1", "x", "carl"), Some((Method::ScramSha256, 10))),
        (plain("127.0.0.1", "x", "all"), Some((Method::ScramSha256, 10))),
        (plain("127.0.0.1", "x", "dora"), Some((Method::ScramSha256, 10))),
        (plain("127.0.0.1", "x", "bob"), None),
        (plain("127.0.0.1", "x", "emil"), Some((Method::Reject, 1))),
        (plain("203.0.113.5", "x", "emil"), None),
        (plain("203.0.113.5", "xyz", "fred"), Some((Method::Trust, 1))),
        (plain("203.0.113.5", "x-z", "fred"), Some((Method::Reject, 1))),
    ];
    for ((address, encrypted, database, user), expected) in cases {
        let address = address.parse().ok();
        let connection = Connection { address, encrypted, database, user, replication: false };
        let found = hba.find(&connection, &mut members).unwrap();
        let found = found.map(|rule| (rule.method, rule.line));
        assert_eq!(found, expected, "{connection:?}");
    }
}

#[test]
fn wrong_lines_are_named() {
    let cases = [
        ("lokal all all trust", "invalid connection type \"lokal\""),
        ("local,host all all trust", "multiple values specified for connection type"),
        ("local", "end-of-line before database specification"),
        ("local all", "end-of-line before role specification"),
        ("local /( all trust", "invalid regular expression \"(\": unclosed group"),
        ("host all all", "end-of-line before IP address specification"),
        ("host all all ::1/128,::2/128 trust", "multiple values specified for host address"),
        ("host all all 1.2.3.4/99 trust", "invalid CIDR mask in address \"1.2.3.4/99\""),
        ("host all all 1.2.3.4/ trust", "invalid CIDR mask in address \"1.2.3.4/\""),
        ("host all all 1.2.3.4", "end-of-line before netmask specification"),
        ("host all all 1.2.3.4 ffff:: trust", "IP address and mask do not match"),
        (
            "host all all example.org/8 trust",
            "specifying both host name and CIDR mask is invalid: \"example.org/8\"",
        ),
        ("host all all 1.2.3.4/32", "end-of-line before authentication method"),
        ("local all all trust,reject", "multiple values specified for authentication type"),
        ("local all all thrust", "invalid authentication method \"thrust\""),
        ("local all all md5", "authentication method \"md5\" is not supported"),
        ("local all all pam", "invalid authentication method \"pam\": not supported by this build"),
        ("host all all all peer", "peer authentication is only supported on local sockets"),
        ("host all all all cert", "cert authentication is only supported on hostssl connections"),
        ("local all all trust x", "authentication option not in name=value format: x"),
        ("local all all trust a=b", "unrecognized authentication option name: \"a\""),
        (
            "host all all all trust clientcert=verify-ca",
            "clientcert can only be configured for \"hostssl\" rows",
        ),
        ("hostssl all all all trust clientcert=1", "invalid value for clientcert: \"1\""),
        (
            "local all all trust map=x",
            "authentication option \"map\" is only valid for authentication methods ident, peer, \
             gssapi, sspi, cert, and oauth",
        ),
    ];
    for (text, message) in cases {
        let dir = Dir::new(&[("pg_hba.conf", text)]);
        let lines = read(&dir.0.join("pg_hba.conf")).unwrap();
        assert_eq!(Rule::read(&lines[0]).unwrap_err().message, message);
        assert!(dir.hba().is_err(), "{text}");
    }
    let dir = Dir::new(&[("pg_hba.conf", "local all all trust\ninclude pg_hba.conf\n")]);
    let lines = read(&dir.0.join("pg_hba.conf")).unwrap();
    let error = lines.iter().find_map(|line| line.error.clone()).unwrap();
    assert!(error.ends_with("maximum nesting depth exceeded"), "{error}");
    assert!(Dir::new(&[("pg_hba.conf", "# nothing\n")]).hba().is_err());
    assert!(Dir::new(&[]).hba().is_err());
}

#[test]
fn maps_say_who_may_be_whom() {
    let map = "# name  system  role
people alice bob
people /^(.*)@example\\.org$ \\1
people /^(.*)@staff$ +staff
people \"two words\" all
other  alice root
broken /^x$ \\1
";
    let dir = Dir::new(&[("pg_ident.conf", map)]);
    let ident = Ident::load(&dir.0, &Config::default()).unwrap();
    let cases = [
        (None, "alice", "alice", true),
        (None, "alice", "bob", false),
        (Some("people"), "bob", "alice", true),
        (Some("people"), "alice", "alice", false),
        (Some("people"), "root", "alice", false),
        (Some("other"), "root", "alice", true),
        (Some("people"), "carl", "carl@example.org", true),
        (Some("people"), "all", "+staff@example.org", false),
        (Some("people"), "ann", "+staff@example.org", false),
        (Some("people"), "ann", "x@staff", true),
        (Some("people"), "bob", "x@staff", false),
        (Some("people"), "anybody", "two words", true),
        (Some("broken"), "x", "x", false),
        (Some("nosuch"), "x", "x", false),
    ];
    for (map, user, system_user, expected) in cases {
        let found = ident.allows(map, user, system_user, &mut members).unwrap();
        assert_eq!(found, expected, "{map:?}: {user} as {system_user}");
    }
    assert!(Ident::load(&Dir::new(&[("pg_ident.conf", "a b\n")]).0, &Config::default()).is_err());
}
