//! CREATE DATABASE: a copy of a template.
//!
//! All databases have the encoding UTF8 and the builtin locale C.UTF-8.

use super::{busy, flag, have_create_database, number, require, text};
use crate::{Env, role};
use base::{Error, Oid, Result, err};
use catalog::ObjectAddress;
use catalog::columns::{hidden, index, pg_database as columns, pg_shdepend};
use catalog::rows::{Database, Ref, SharedDependencyKind};
use catalog::store::{Row, Value};
use parse::{DatabaseStmt, DefElem, DefValue, Location, RoleName, RoleSpec};

const UTF8: i32 = 6;
const LOCALE: &str = "C.UTF-8";
/// The locales of the system that every system has.
const LIBC: [&str; 5] = ["C", "POSIX", LOCALE, "C.UTF8", "C.utf8"];

#[derive(Default)]
struct Options<'a> {
    owner: Option<&'a str>,
    template: Option<&'a str>,
    encoding: Option<&'a DefElem<'a>>,
    provider: Option<&'a str>,
    locale: Option<&'a str>,
    builtin_locale: Option<&'a str>,
    collate: Option<&'a str>,
    ctype: Option<&'a str>,
    tablespace: Option<&'a str>,
    strategy: Option<&'a str>,
    is_template: Option<bool>,
    allow_connections: Option<bool>,
    connection_limit: Option<i32>,
    collation_version: Option<&'a str>,
    seen: Vec<&'a str>,
}

impl<'a> Options<'a> {
    fn read(env: &Env<'_>, list: &'a [DefElem<'a>]) -> Result<Options<'a>> {
        let mut options = Options::default();
        for option in list {
            if options.seen.contains(&option.name) {
                let error = err!(SYNTAX_ERROR, "conflicting or redundant options");
                return Err(env.at(error, option.location));
            }
            options.seen.push(option.name);
            options.take(env, option)?;
        }
        if let Some(limit) = options.connection_limit.filter(|limit| *limit < -1) {
            return Err(err!(INVALID_PARAMETER_VALUE, "invalid connection limit: {limit}"));
        }
        Ok(options)
    }

    fn take(&mut self, env: &Env<'_>, option: &'a DefElem<'a>) -> Result<()> {
        match option.name {
            "owner" => self.owner = text(option),
            "template" => self.template = text(option),
            "encoding" => self.encoding = Some(option),
            "locale_provider" => self.provider = text(option),
            "locale" => self.locale = text(option),
            "builtin_locale" => self.builtin_locale = text(option),
            "lc_collate" => self.collate = text(option),
            "lc_ctype" => self.ctype = text(option),
            "tablespace" => self.tablespace = text(option),
            "strategy" => self.strategy = text(option),
            "is_template" => self.is_template = Some(flag(option)?),
            "allow_connections" => self.allow_connections = Some(flag(option)?),
            "connection_limit" => self.connection_limit = Some(number(option)?),
            "collation_version" => self.collation_version = text(option),
            "icu_locale" | "icu_rules" => {
                return Err(Error::unsupported("ICU locales are not supported yet"));
            }
            "oid" => {
                return Err(Error::unsupported("OID of CREATE DATABASE is not supported yet"));
            }
            "location" => {
                let warning = err!(FEATURE_NOT_SUPPORTED, "LOCATION is not supported anymore")
                    .hint("Consider using tablespaces instead.");
                env.server.warning(warning);
            }
            other => {
                let error = err!(SYNTAX_ERROR, "option \"{other}\" not recognized");
                return Err(env.at(error, option.location));
            }
        }
        Ok(())
    }
}

/// Runs CREATE DATABASE.
pub(crate) fn create(env: &Env<'_>, create: &DatabaseStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let options = Options::read(env, create.options)?;
    let wanted = check_encoding(env, &options)?;
    let owner = match options.owner {
        Some(name) => {
            let spec = RoleSpec { role: RoleName::Named(name), location: Location::default() };
            role::resolve(env, &spec)?
        }
        None => catalog.user(),
    };
    if !have_create_database(env)? {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to create database"));
    }
    catalog.require_can_set_role(owner)?;
    let template = template(env, options.template.unwrap_or("template1"))?;
    if let Some(strategy) = options.strategy
        && !["wal_log", "file_copy"].contains(&strategy.to_ascii_lowercase().as_str())
    {
        let error =
            err!(INVALID_PARAMETER_VALUE, "invalid create database strategy \"{strategy}\"");
        return Err(error.hint("Valid strategies are \"wal_log\" and \"file_copy\"."));
    }
    check_locale(&options, &template, wanted)?;
    check_tablespace(options.tablespace)?;
    if catalog.database_named(create.name)?.is_some() {
        return Err(err!(DUPLICATE_DATABASE, "database \"{}\" already exists", create.name));
    }
    let _closed = env.server.close_database(template.oid);
    let others = env.server.database_users(&template.name, template.oid)?;
    if !others.is_none() {
        let name = &template.name;
        let error =
            err!(OBJECT_IN_USE, "source database \"{name}\" is being accessed by other users");
        return Err(busy(error, others));
    }
    let oid = catalog.new_oid(columns::RELATION)?;
    let first_file = env.server.copy_database(template.oid, oid)?;
    let row = Row::new(columns::RELATION)
        .with(columns::OID, oid)
        .with(columns::DATNAME, create.name)
        .with(columns::DATDBA, owner)
        .with(columns::ENCODING, UTF8)
        .with(columns::DATLOCPROVIDER, b'b')
        .with(columns::DATISTEMPLATE, options.is_template.unwrap_or(false))
        .with(columns::DATALLOWCONN, options.allow_connections.unwrap_or(true))
        .with(columns::DATHASLOGINEVT, false)
        .with(columns::DATCONNLIMIT, options.connection_limit.unwrap_or(-1))
        .with(columns::DATFROZENXID, 3i64)
        .with(columns::DATMINMXID, 1i64)
        .with(columns::DATTABLESPACE, Oid(1663))
        .with(columns::DATCOLLATE, options.collate.or(options.locale).unwrap_or(LOCALE))
        .with(columns::DATCTYPE, options.ctype.or(options.locale).unwrap_or(LOCALE))
        .with(columns::DATLOCALE, LOCALE)
        .with(columns::DATCOLLVERSION, "1")
        .with(hidden::PG_DATABASE_FIRST_FILE, first_file.cast_signed());
    catalog.insert(&row)?;
    let address = ObjectAddress::new(columns::RELATION, oid);
    role::hold(env, owner)?;
    catalog.record_role_dependency(&address, owner, SharedDependencyKind::Owner)?;
    copy_dependencies(env, template.oid, oid)?;
    catalog.next_command()
}

/// What objects of the template need of roles, the copies need, too.
fn copy_dependencies(env: &Env<'_>, template: Oid, new: Oid) -> Result<()> {
    let catalog = env.catalog();
    let by = index::PG_SHDEPEND_DEPENDER_INDEX;
    for (_, row) in catalog.find_rows(by, &[Value::Oid(template)])? {
        catalog.insert(&row.with(pg_shdepend::DBID, new))?;
    }
    Ok(())
}

fn template(env: &Env<'_>, name: &str) -> Result<Ref<Database>> {
    let catalog = env.catalog();
    let Some(template) = catalog.database_named(name)? else {
        return Err(err!(UNDEFINED_DATABASE, "template database \"{name}\" does not exist"));
    };
    if !template.is_template && !catalog.has_privileges_of(catalog.user(), template.owner)? {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to copy database \"{name}\""));
    }
    Ok(template)
}

/// The name of another encoding that is asked for; none for UTF8.
fn check_encoding<'a>(env: &Env<'_>, options: &Options<'a>) -> Result<Option<&'a str>> {
    /// The names of PostgreSQL's encodings, as they are compared.
    const KNOWN: [&str; 42] = [
        "sqlascii",
        "eucjp",
        "euccn",
        "euckr",
        "euctw",
        "eucjis2004",
        "muleinternal",
        "latin1",
        "latin2",
        "latin3",
        "latin4",
        "latin5",
        "latin6",
        "latin7",
        "latin8",
        "latin9",
        "latin10",
        "win1256",
        "win1258",
        "win866",
        "win874",
        "koi8r",
        "win1251",
        "win1252",
        "iso88595",
        "iso88596",
        "iso88597",
        "iso88598",
        "win1250",
        "win1253",
        "win1254",
        "win1255",
        "win1257",
        "koi8u",
        "iso88591",
        "iso88592",
        "iso88599",
        "iso885910",
        "iso885913",
        "iso885914",
        "iso885915",
        "iso885916",
    ];
    let Some(option) = options.encoding else { return Ok(None) };
    match option.value {
        Some(DefValue::Integer(UTF8 | -1)) | None => Ok(None),
        Some(DefValue::Integer(code)) => {
            Err(env
                .at(err!(UNDEFINED_OBJECT, "{code} is not a valid encoding code"), option.location))
        }
        Some(value) => {
            let name = value.as_word().unwrap_or_default();
            let plain: String = name
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|c| c.to_ascii_lowercase())
                .collect();
            match plain.as_str() {
                "utf8" | "unicode" => Ok(None),
                known if KNOWN.contains(&known) => Ok(Some(name)),
                _ => Err(env.at(
                    err!(UNDEFINED_OBJECT, "{name} is not a valid encoding name"),
                    option.location,
                )),
            }
        }
    }
}

/// What does not fit the template, and what no database can have.
fn check_locale(options: &Options<'_>, template: &Database, other: Option<&str>) -> Result<()> {
    let from_template0 = &*template.name == "template0";
    let collate = options.collate.or(options.locale);
    let ctype = options.ctype.or(options.locale);
    for (locale, category) in [(collate, "LC_COLLATE"), (ctype, "LC_CTYPE")] {
        if let Some(locale) = locale.filter(|locale| !LIBC.contains(locale)) {
            return Err(err!(WRONG_OBJECT_TYPE, "invalid {category} locale name: \"{locale}\"")
                .hint(
                    "If the locale name is specific to the builtin provider, use BUILTIN_LOCALE.",
                ));
        }
    }
    let differs = |what: &str, new: &str, old: &str, name: &str| {
        err!(
            INVALID_PARAMETER_VALUE,
            "new {what} ({new}) is incompatible with the {name} of the template database ({old})"
        )
        .hint(format!(
            "Use the same {name} as in the template database, or use template0 as template."
        ))
    };
    if let Some(encoding) = other {
        if ctype.is_none_or(|ctype| ctype.starts_with("C.")) {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "encoding \"{encoding}\" does not match locale \"{}\"",
                ctype.unwrap_or(LOCALE)
            )
            .detail("The chosen LC_CTYPE setting requires encoding \"UTF8\"."));
        }
        if !from_template0 {
            return Err(differs("encoding", encoding, "UTF8", "encoding"));
        }
        return Err(Error::unsupported(format!(
            "encoding \"{encoding}\" is not supported yet: all databases are UTF8"
        )));
    }
    if let Some(provider) = options.provider {
        match provider {
            "builtin" => {}
            "icu" | "libc" if from_template0 => {
                return Err(Error::unsupported(format!(
                    "locale provider \"{provider}\" is not supported yet"
                )));
            }
            "icu" | "libc" => {
                return Err(err!(
                    INVALID_PARAMETER_VALUE,
                    "new locale provider ({provider}) does not match locale provider of the \
                     template database (builtin)"
                )
                .hint(
                    "Use the same locale provider as in the template database, or use template0 \
                     as template.",
                ));
            }
            other => {
                return Err(err!(
                    INVALID_OBJECT_DEFINITION,
                    "unrecognized locale provider: {other}"
                ));
            }
        }
    }
    let named = [(collate, &template.collate, "collation"), (ctype, &template.ctype, "LC_CTYPE")];
    for (new, old, what) in named {
        if let Some(new) = new.filter(|new| *new != &**old && !from_template0) {
            return Err(differs(what, new, old, what));
        }
    }
    match options.builtin_locale {
        None | Some(LOCALE | "C.UTF8") => Ok(()),
        Some(other) => {
            Err(Error::unsupported(format!("builtin locale \"{other}\" is not supported yet")))
        }
    }
}

fn check_tablespace(name: Option<&str>) -> Result<()> {
    match name {
        None | Some("pg_default") => Ok(()),
        Some("pg_global") => {
            Err(err!(INVALID_PARAMETER_VALUE, "pg_global cannot be used as default tablespace"))
        }
        Some(name) => Err(err!(UNDEFINED_OBJECT, "tablespace \"{name}\" does not exist")),
    }
}

/// The database of a name, owned by the current user.
pub(super) fn owned(env: &Env<'_>, name: &str) -> Result<Ref<Database>> {
    let database = require(env, name)?;
    env.catalog().require_owner(database.owner, &format!("database {name}"))?;
    Ok(database)
}
