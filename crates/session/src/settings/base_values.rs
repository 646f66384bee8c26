//! The server's values, which all sessions share.

use super::definition::{Context, Id, definitions, known, lookup};
use super::value::{Source, Value};
use base::{Error, Result, SqlState, err};
use memory::Ledger;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A value with its origin.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) value: Value,
    pub(super) source: Source,
    pub(super) file: Option<(PathBuf, u32)>,
}

/// One entry of a settings file or of the command line.
pub type Entry<'a> = (&'a str, &'a str, Option<(&'a Path, u32)>);

/// A value for every setting.
#[derive(Clone, Debug)]
pub struct Base {
    values: Vec<Origin>,
    /// Settings with a dot in their name, which no program part has claimed.
    custom: BTreeMap<String, Arc<str>>,
}

impl Base {
    /// PostgreSQL's defaults and ours; the time zone is the system's.
    pub fn new() -> Base {
        let origin =
            |value: &Value| Origin { value: value.clone(), source: Source::Default, file: None };
        let values = definitions().map(|(_, definition)| origin(&definition.boot)).collect();
        let mut base = Base { values, custom: BTreeMap::new() };
        let zone = system_zone();
        for name in ["TimeZone", "log_timezone"] {
            let id = known(name);
            if let Ok(value) = Value::parse(id.definition(), &zone) {
                base.values[usize::from(id.0)].value = value;
            }
        }
        base
    }

    /// The bytes that the setting of a cache gives it; of 0, a sixteenth of `memory_limit`.
    pub fn cache_limit(&self, name: &str, ledger: &Ledger) -> u64 {
        match u64::try_from(self.integer(name)).unwrap_or(0) {
            0 => ledger.node().limit() / 16,
            kilobytes => kilobytes << 10,
        }
    }

    /// The defaults with what a data directory's files and the command line say. Entries come in
    /// the order in which they count; later ones replace earlier ones.
    ///
    /// # Errors
    /// All errors of all entries, each with whether its entry stands in a file.
    pub fn load<'a>(
        data_dir: &Path,
        entries: impl Iterator<Item = Entry<'a>>,
    ) -> Result<Base, Vec<(bool, Error)>> {
        let mut base = Base::new();
        for (name, file) in [
            ("data_directory", ""),
            ("config_file", "postgresql.conf"),
            ("hba_file", "pg_hba.conf"),
            ("ident_file", "pg_ident.conf"),
        ] {
            let path = if file.is_empty() { data_dir.to_owned() } else { data_dir.join(file) };
            let origin = &mut base.values[usize::from(known(name).0)];
            origin.value = Value::Text(path.display().to_string().into());
            origin.source = Source::Override;
        }
        let mut errors = Vec::new();
        for (name, text, file) in entries {
            if let Err(error) = base.enter(name, text, file) {
                let error = match file {
                    Some((path, line)) if error.sqlstate() == SqlState::UNDEFINED_OBJECT => {
                        let text = error.message();
                        Error::new(
                            error.sqlstate(),
                            format!("{text} in file \"{}\" line {line}", path.display()),
                        )
                    }
                    _ => error,
                };
                errors.push((file.is_some(), error));
            }
        }
        if errors.is_empty() { Ok(base) } else { Err(errors) }
    }

    fn enter(&mut self, name: &str, text: &str, file: Option<(&Path, u32)>) -> Result<()> {
        let Some(id) = lookup(name) else {
            if name.contains('.') {
                self.custom.insert(name.to_owned(), text.into());
                return Ok(());
            }
            return Err(err!(UNDEFINED_OBJECT, "unrecognized configuration parameter \"{name}\""));
        };
        let definition = id.definition();
        if definition.context == Context::Internal || definition.hidden {
            return Err(err!(
                CANT_CHANGE_RUNTIME_PARAM,
                "parameter \"{}\" cannot be changed",
                definition.name
            ));
        }
        let mut value = Value::parse(definition, text)?;
        let origin = &mut self.values[usize::from(id.0)];
        if let (Value::Text(new), Value::Text(old), "DateStyle") =
            (&value, &origin.value, definition.name)
        {
            value = Value::Text(super::check::complete_date_style(new, old).into());
        }
        *origin = Origin {
            value,
            source: if file.is_some() { Source::ConfigurationFile } else { Source::CommandLine },
            file: file.map(|(path, line)| (path.to_owned(), line)),
        };
        Ok(())
    }

    pub(super) fn origin(&self, id: Id) -> &Origin {
        &self.values[usize::from(id.0)]
    }

    pub(super) fn custom(&self, name: &str) -> Option<&Arc<str>> {
        self.custom.get(name)
    }

    /// The value of a setting that is known to be a whole number.
    pub fn integer_of_64_bits(&self, name: &str) -> i64 {
        match self.origin(known(name)).value {
            Value::Integer(number) => number,
            ref other => panic!("{name} is no whole number: {other:?}"),
        }
    }

    /// The value of a setting that is known to be a whole number of 32 bits.
    pub fn integer(&self, name: &str) -> i32 {
        i32::try_from(self.integer_of_64_bits(name)).unwrap_or(i32::MAX)
    }

    /// The value of a setting that is known to be on or off.
    pub fn boolean(&self, name: &str) -> bool {
        match self.origin(known(name)).value {
            Value::Bool(flag) => flag,
            ref other => panic!("{name} is neither on nor off: {other:?}"),
        }
    }

    /// The value of a setting that is known to be a number.
    pub fn real(&self, name: &str) -> f64 {
        match self.origin(known(name)).value {
            Value::Real(number) => number,
            ref other => panic!("{name} is no number: {other:?}"),
        }
    }

    /// The value of a setting that is known to be a text.
    pub fn text(&self, name: &str) -> &str {
        match &self.origin(known(name)).value {
            Value::Text(text) | Value::Enum(text) => text,
            other => panic!("{name} is no text: {other:?}"),
        }
    }

    /// What a reload may change: everything but what needs a restart, which is kept and returned
    /// by name where the files say something else.
    pub fn reload(&self, mut new: Base) -> (Base, Vec<&'static str>) {
        let mut kept = Vec::new();
        for (id, definition) in definitions() {
            if definition.context <= Context::Postmaster {
                let old = self.origin(id);
                if old.value != new.origin(id).value {
                    kept.push(definition.name);
                    new.values[usize::from(id.0)] = old.clone();
                }
            }
        }
        (new, kept)
    }
}

impl Default for Base {
    fn default() -> Base {
        Base::new()
    }
}

/// The name of the system's time zone.
fn system_zone() -> String {
    if let Ok(zone) = std::env::var("TZ")
        && types::datetime::zone::Zone::named(&zone).is_some()
    {
        return zone;
    }
    let link = std::fs::read_link("/etc/localtime").ok();
    let name = link
        .and_then(|path| path.to_str().map(str::to_owned))
        .and_then(|path| path.split_once("zoneinfo/").map(|(_, name)| name.to_owned()));
    match name {
        Some(name) if types::datetime::zone::Zone::named(&name).is_some() => name,
        _ => "GMT".to_owned(),
    }
}
