//! The settings `role` and `session_authorization` at a session's start: what PostgreSQL 18 says.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use testkit::client::{Client, Outgoing};
use testkit::perdura::{self, Perdura};
use testkit::{Server, oracle};

const ROLES: &str = "
    create role y; create role x login; create role member login; create role plain login;
    grant y to member;
    alter role x set role = 'y'; alter role member set role = 'y'";

/// User, what it asks for, the messages before the first query, and the role after them.
const STARTS: &[(&str, &str, &[&str], &str)] = &[
    ("x", "", &["WARNING 42501 permission denied to set role \"y\""], "none"),
    ("member", "", &[], "y"),
    ("member", "-c role=none", &[], "none"),
    ("member", "-c role=member", &[], "member"),
    ("plain", "", &[], "none"),
    ("plain", "-c role=y", &["FATAL 42501 permission denied to set role \"y\""], ""),
    ("plain", "-c role=nosuch", &["FATAL 22023 role \"nosuch\" does not exist"], ""),
    ("plain", "-c role=plain", &[], "plain"),
    (
        "plain",
        "-c session_authorization=y",
        &["FATAL 42501 permission denied to set session authorization \"y\""],
        "",
    ),
    ("plain", "-c session_authorization=plain", &[], "none"),
    ("postgres", "-c role=y", &[], "y"),
    ("postgres", "-c session_authorization=y", &[], "none"),
];

/// The messages up to ReadyForQuery or the end, and then what `role` is.
fn start(port: u16, user: &str, options: &str) -> (Vec<String>, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let parameters = [("user", user), ("database", "postgres"), ("options", options)];
    stream.write_all(&Outgoing::startup(&parameters)).unwrap();
    let (mut told, mut role, mut asked) = (Vec::new(), String::new(), false);
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length - 4];
        stream.read_exact(&mut body).unwrap();
        match head[0] {
            b'N' | b'E' => {
                let fields: Vec<&[u8]> = body.split(|byte| *byte == 0).collect();
                let field = |kind: u8| {
                    let found = fields.iter().find(|field| field.first() == Some(&kind));
                    found.map(|field| String::from_utf8_lossy(&field[1..]).into_owned()).unwrap()
                };
                told.push(format!("{} {} {}", field(b'S'), field(b'C'), field(b'M')));
                if head[0] == b'E' {
                    return (told, role);
                }
            }
            b'D' => role = String::from_utf8_lossy(&body[6..]).into_owned(),
            b'Z' if asked => return (told, role),
            b'Z' => {
                stream.write_all(&Outgoing::query("show role")).unwrap();
                asked = true;
            }
            _ => {}
        }
    }
}

#[test]
fn a_session_begins_as_a_role_that_it_may_be() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            let _ = writeln!(std::io::stderr(), "\n*** roles at the start NOT TRIED: {error}\n");
            return;
        }
    };
    let perdura = Perdura::start(perdura::program().unwrap(), &installation).unwrap();
    Client::connect(perdura.port(), "postgres").unwrap().query(ROLES).unwrap();
    for (user, options, told, role) in STARTS {
        let (said, is) = start(perdura.port(), user, options);
        assert_eq!(said, *told, "{user} {options}");
        assert_eq!(is, *role, "{user} {options}");
    }
}
