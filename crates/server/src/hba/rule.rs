//! A rule of pg_hba.conf.

use super::address::Address;
use super::tokens::{Line, Word};
use super::{Connection, IsMember};
use base::Result;
use base::access::HbaRule;
use std::path::PathBuf;
use std::sync::Arc;

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
}

impl From<String> for Problem {
    fn from(message: String) -> Problem {
        Problem { message, hint: None }
    }
}

fn problem(message: &str) -> Problem {
    Problem::from(message.to_owned())
}

/// The kind of connections that a rule is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Local,
    Host,
    HostSsl,
    HostNoSsl,
    HostGssEnc,
    HostNoGssEnc,
}

const KINDS: [(&str, Kind); 6] = [
    ("local", Kind::Local),
    ("host", Kind::Host),
    ("hostssl", Kind::HostSsl),
    ("hostnossl", Kind::HostNoSsl),
    ("hostgssenc", Kind::HostGssEnc),
    ("hostnogssenc", Kind::HostNoGssEnc),
];

/// How a connection is authenticated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    Trust,
    Reject,
    ScramSha256,
    Password,
    Peer,
    Cert,
}

const METHODS: [(&str, Method); 6] = [
    ("trust", Method::Trust),
    ("reject", Method::Reject),
    ("scram-sha-256", Method::ScramSha256),
    ("password", Method::Password),
    ("peer", Method::Peer),
    ("cert", Method::Cert),
];

impl Method {
    /// Its name in the file.
    pub(crate) fn name(self) -> &'static str {
        METHODS.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| name)
    }
}

/// What certificate a client must show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClientCert {
    /// None.
    Off,
    /// One of a known authority.
    VerifyCa,
    /// One with the user's name.
    VerifyFull,
}

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule {
    kind: Kind,
    databases: Vec<Word>,
    users: Vec<Word>,
    address: Option<Address>,
    pub(crate) method: Method,
    /// The map of pg_ident.conf that names go through.
    pub(crate) map: Option<String>,
    pub(crate) client_cert: ClientCert,
    /// Whether the name in a certificate is the whole subject.
    pub(crate) by_subject: bool,
    pub(crate) file: Arc<PathBuf>,
    pub(crate) line: u32,
    pub(crate) raw: String,
}

fn one<'a>(
    field: Option<&'a Vec<Word>>,
    missing: &str,
    what: &str,
    hint: Option<&'static str>,
) -> std::result::Result<&'a Word, Problem> {
    match field.map(Vec::as_slice) {
        None | Some([]) => Err(problem(&format!("end-of-line before {missing}"))),
        Some([word]) => Ok(word),
        Some(_) => Err(Problem { message: format!("multiple values specified for {what}"), hint }),
    }
}

fn names(field: Option<&Vec<Word>>, missing: &str) -> std::result::Result<Vec<Word>, Problem> {
    let field = field.ok_or_else(|| problem(&format!("end-of-line before {missing}")))?;
    field.iter().map(|word| word.compiled().map_err(Problem::from)).collect()
}

impl Rule {
    /// Reads a line.
    pub(super) fn read(line: &Line) -> std::result::Result<Rule, Problem> {
        let mut fields = line.fields.iter();
        let word = one(
            fields.next(),
            "connection type",
            "connection type",
            Some("Specify exactly one connection type per line."),
        )?;
        let kind = KINDS
            .iter()
            .find(|(name, _)| *name == word.text)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| problem(&format!("invalid connection type \"{}\"", word.text)))?;
        let databases = names(fields.next(), "database specification")?;
        let users = names(fields.next(), "role specification")?;
        let mut address = None;
        if kind != Kind::Local {
            address = Some(read_address(&mut fields)?);
        }
        let word = one(
            fields.next(),
            "authentication method",
            "authentication type",
            Some("Specify exactly one authentication type per line."),
        )?;
        let mut rule = Rule {
            kind,
            databases,
            users,
            address,
            method: read_method(&word.text, kind)?,
            map: None,
            client_cert: ClientCert::Off,
            by_subject: false,
            file: line.file.clone(),
            line: line.number,
            raw: line.raw.clone(),
        };
        for word in fields.flatten() {
            let (name, value) = word.text.split_once('=').ok_or_else(|| {
                problem(&format!("authentication option not in name=value format: {}", word.text))
            })?;
            rule.set_option(name, value)?;
        }
        if rule.method == Method::Cert {
            rule.client_cert = ClientCert::VerifyFull;
        }
        Ok(rule)
    }

    fn set_option(&mut self, name: &str, value: &str) -> std::result::Result<(), Problem> {
        match name {
            "map" if matches!(self.method, Method::Peer | Method::Cert) => {
                self.map = Some(value.to_owned());
                Ok(())
            }
            "map" => Err(problem(
                "authentication option \"map\" is only valid for authentication methods ident, \
                 peer, gssapi, sspi, cert, and oauth",
            )),
            "clientcert" | "clientname" if self.kind != Kind::HostSsl => {
                Err(problem(&format!("{name} can only be configured for \"hostssl\" rows")))
            }
            "clientcert" => {
                self.client_cert = match value {
                    "verify-full" => ClientCert::VerifyFull,
                    "verify-ca" if self.method == Method::Cert => {
                        return Err(problem(
                            "clientcert only accepts \"verify-full\" when using \"cert\" \
                             authentication",
                        ));
                    }
                    "verify-ca" => ClientCert::VerifyCa,
                    _ => {
                        let message = format!("invalid value for clientcert: \"{value}\"");
                        return Err(Problem::from(message));
                    }
                };
                Ok(())
            }
            "clientname" => {
                self.by_subject = match value {
                    "CN" => false,
                    "DN" => true,
                    _ => {
                        let message = format!("invalid value for clientname: \"{value}\"");
                        return Err(Problem::from(message));
                    }
                };
                Ok(())
            }
            _ => Err(problem(&format!("unrecognized authentication option name: \"{name}\""))),
        }
    }

    /// What a reader of the file should know though the rule is valid.
    pub(super) fn warning(&self, encrypts: bool) -> Option<Problem> {
        match self.kind {
            Kind::HostSsl if !encrypts => Some(Problem {
                message: "hostssl record cannot match because SSL is disabled".to_owned(),
                hint: Some("Set \"ssl = on\" in postgresql.conf."),
            }),
            Kind::HostGssEnc => Some(problem(
                "hostgssenc record cannot match because GSSAPI is not supported by this build",
            )),
            _ => None,
        }
    }

    pub(super) fn has_host_name(&self) -> bool {
        matches!(self.address, Some(Address::Name(_)))
    }

    pub(super) fn matches(
        &self,
        connection: &Connection<'_>,
        is_member: IsMember<'_>,
    ) -> Result<bool> {
        let kind_fits = match (self.kind, connection.address) {
            (Kind::Local, address) => address.is_none(),
            (Kind::HostGssEnc, _) | (_, None) => false,
            (Kind::HostSsl, _) => connection.encrypted,
            (Kind::HostNoSsl, _) => !connection.encrypted,
            (Kind::Host | Kind::HostNoGssEnc, _) => true,
        };
        // Names come before the address: to look up a host name takes longest.
        if !kind_fits
            || !self.has_database(connection, is_member)?
            || !any_is(&self.users, connection.user, is_member)?
        {
            return Ok(false);
        }
        Ok(match (&self.address, connection.address) {
            (Some(address), Some(client)) => address.matches(client),
            _ => true,
        })
    }

    fn has_database(&self, connection: &Connection<'_>, is_member: IsMember<'_>) -> Result<bool> {
        let Connection { database, user, replication, .. } = *connection;
        for word in &self.databases {
            let matches = if replication {
                word.is_keyword("replication")
            } else if word.is_keyword("all") {
                true
            } else if word.is_keyword("sameuser") {
                database == user
            } else if word.is_keyword("samerole") || word.is_keyword("samegroup") {
                is_member(user, database)?
            } else if word.is_keyword("replication") {
                false
            } else if let Some(pattern) = word.pattern() {
                pattern.is_match(database)
            } else {
                word.text == database
            };
            if matches {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The rule as the view shows it.
    pub(super) fn shown(&self) -> HbaRule {
        let texts = |words: &[Word]| words.iter().map(|word| word.text.clone()).collect();
        let (address, netmask) = match &self.address {
            Some(address) => {
                let (address, mask) = address.shown();
                (Some(address), mask)
            }
            None => (None, None),
        };
        let mut options = Vec::new();
        options.extend(self.map.as_ref().map(|map| format!("map={map}")));
        match self.client_cert {
            ClientCert::Off => {}
            ClientCert::VerifyCa => options.push("clientcert=verify-ca".to_owned()),
            ClientCert::VerifyFull => options.push("clientcert=verify-full".to_owned()),
        }
        HbaRule {
            kind: KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name),
            databases: texts(&self.databases),
            users: texts(&self.users),
            address,
            netmask,
            method: self.method.name(),
            options,
        }
    }
}

/// Whether one of the words means the user.
pub(super) fn any_is(words: &[Word], user: &str, is_member: IsMember<'_>) -> Result<bool> {
    for word in words {
        let matches = if let Some(role) = word.group() {
            is_member(user, role)?
        } else if word.is_keyword("all") {
            true
        } else if let Some(pattern) = word.pattern() {
            pattern.is_match(user)
        } else {
            word.text == user
        };
        if matches {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_address<'a>(
    fields: &mut impl Iterator<Item = &'a Vec<Word>>,
) -> std::result::Result<Address, Problem> {
    let word = one(
        fields.next(),
        "IP address specification",
        "host address",
        Some("Specify one address range per line."),
    )?;
    for (keyword, address) in
        [("all", Address::All), ("samehost", Address::SameHost), ("samenet", Address::SameNet)]
    {
        if word.is_keyword(keyword) {
            return Ok(address);
        }
    }
    Address::read(&word.text, || {
        let field = fields.next();
        if field.is_none() {
            return Err(Problem {
                message: "end-of-line before netmask specification".to_owned(),
                hint: Some(
                    "Specify an address range in CIDR notation, or provide a separate netmask.",
                ),
            });
        }
        one(field, "netmask specification", "netmask", None).map(|word| word.text.clone())
    })
}

fn read_method(name: &str, kind: Kind) -> std::result::Result<Method, Problem> {
    let local = kind == Kind::Local;
    let method = match name {
        // On Unix sockets the two have always been one.
        "ident" if local => Method::Peer,
        "md5" => {
            return Err(Problem {
                message: "authentication method \"md5\" is not supported".to_owned(),
                hint: Some(
                    "Use \"scram-sha-256\", and set the passwords of roles anew that have MD5 \
                     verifiers.",
                ),
            });
        }
        "ident" | "gss" | "sspi" | "pam" | "bsd" | "ldap" | "radius" | "oauth" => {
            return Err(problem(&format!(
                "invalid authentication method \"{name}\": not supported by this build"
            )));
        }
        _ => METHODS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, method)| *method)
            .ok_or_else(|| problem(&format!("invalid authentication method \"{name}\"")))?,
    };
    match method {
        Method::Peer if !local => {
            Err(problem("peer authentication is only supported on local sockets"))
        }
        Method::Cert if kind != Kind::HostSsl => {
            Err(problem("cert authentication is only supported on hostssl connections"))
        }
        method => Ok(method),
    }
}
