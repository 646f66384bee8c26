//! One session's settings.

use super::base_values::Base;
use super::check;
use super::definition::{Context, Definition, Id, Kind, REPORTED, definitions, known, lookup};
use super::value::{Source, Value};
use base::{Result, bail, err};
use std::sync::Arc;

/// A setting: one that is defined, or one with a dot in its name that is not.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Key {
    Known(Id),
    Custom(Arc<str>),
}

/// How long a change lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// SET: to the end of the session.
    Set,
    /// SET LOCAL: to the end of the transaction.
    Local,
    /// To the end of this level, however it ends: a function's SET clause.
    Save,
}

#[derive(Clone, PartialEq, Debug)]
struct Entry {
    value: Value,
    source: Source,
}

/// What a level of the transaction did to a setting.
#[derive(Clone, Debug)]
struct Change {
    level: u32,
    key: Key,
    /// The entry before the level began; nothing if the session had none.
    prior: Option<Entry>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Set,
    Local,
    /// SET, then SET LOCAL: the entry that SET made.
    SetLocal(Option<Entry>),
    Save,
}

/// The settings of one session.
#[derive(Debug)]
pub struct Settings {
    base: Arc<Base>,
    /// What holds at the session's start and after RESET, where it is not the server's value.
    start: Vec<(Key, Entry)>,
    set: Vec<(Key, Entry)>,
    changes: Vec<Change>,
    level: u32,
    /// The reported settings that may have changed, by their place in [`REPORTED`].
    unreported: u16,
    /// What the client knows of those that have changed.
    reported: Vec<(&'static str, String)>,
    /// Whether the client has been told of everything once.
    told: bool,
    superuser: bool,
    /// Grows with every change.
    generation: u64,
}

fn find<'e>(list: &'e [(Key, Entry)], key: &Key) -> Option<&'e Entry> {
    list.iter().find(|(k, _)| k == key).map(|(_, entry)| entry)
}

fn put(list: &mut Vec<(Key, Entry)>, key: &Key, entry: Option<Entry>) {
    match (list.iter().position(|(k, _)| k == key), entry) {
        (Some(at), Some(entry)) => list[at].1 = entry,
        (Some(at), None) => {
            list.swap_remove(at);
        }
        (None, Some(entry)) => list.push((key.clone(), entry)),
        (None, None) => {}
    }
}

impl Settings {
    /// The settings of a new session.
    pub fn new(base: Arc<Base>) -> Settings {
        Settings {
            base,
            start: Vec::new(),
            set: Vec::new(),
            changes: Vec::new(),
            level: 0,
            unreported: 0,
            reported: Vec::new(),
            told: false,
            superuser: false,
            generation: 0,
        }
    }

    /// Takes the server's values anew. Only outside a transaction.
    pub fn rebase(&mut self, base: &Arc<Base>) {
        if !Arc::ptr_eq(&self.base, base) {
            for name in REPORTED {
                self.note(&Key::Known(known(name)));
            }
            self.base = base.clone();
            self.generation += 1;
        }
    }

    /// Says whether the current role is a superuser, for `is_superuser` and for permissions.
    pub fn set_superuser(&mut self, superuser: bool) {
        self.superuser = superuser;
        let value = Value::Bool(superuser);
        self.force("is_superuser", value);
    }

    /// Sets a setting that is no user's to set, for example `session_authorization`.
    pub fn force(&mut self, name: &str, value: Value) {
        let key = Key::Known(known(name));
        self.note(&key);
        put(&mut self.start, &key, Some(Entry { value, source: Source::Override }));
    }

    /// A number that stays the same as long as no setting changes.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    fn entry(&self, key: &Key) -> Option<&Entry> {
        find(&self.set, key).or_else(|| find(&self.start, key))
    }

    /// The value of a defined setting.
    pub fn value(&self, id: Id) -> &Value {
        match self.entry(&Key::Known(id)) {
            Some(entry) => &entry.value,
            None => &self.base.origin(id).value,
        }
    }

    /// The value of a setting that is known to be a whole number of 32 bits.
    pub fn integer(&self, name: &str) -> i32 {
        match self.value(known(name)) {
            Value::Integer(number) => i32::try_from(*number).unwrap_or(i32::MAX),
            other => panic!("{name} is no whole number: {other:?}"),
        }
    }

    /// The value of a setting that is known to be a number with a fraction.
    pub fn real(&self, name: &str) -> f64 {
        match self.value(known(name)) {
            Value::Real(number) => *number,
            other => panic!("{name} is no number with a fraction: {other:?}"),
        }
    }

    /// The value of a setting that is known to be Boolean.
    pub fn boolean(&self, name: &str) -> bool {
        match self.value(known(name)) {
            Value::Bool(value) => *value,
            other => panic!("{name} is not Boolean: {other:?}"),
        }
    }

    /// The value of a setting that is known to be a text or a word.
    pub fn text(&self, name: &str) -> &str {
        match self.value(known(name)) {
            Value::Text(text) | Value::Enum(text) => text,
            other => panic!("{name} is no text: {other:?}"),
        }
    }

    /// The value as SHOW prints it; nothing if there is no such setting.
    pub fn show(&self, name: &str) -> Option<String> {
        match lookup(name) {
            Some(id) => Some(self.value(id).show(id.definition())),
            None => {
                let key = Key::Custom(name.to_ascii_lowercase().into());
                match self.entry(&key) {
                    Some(Entry { value: Value::Text(text), .. }) => Some(text.to_string()),
                    _ => self.base.custom(name).map(|text| text.to_string()),
                }
            }
        }
    }

    /// The name as SHOW prints it.
    pub fn display_name(name: &str) -> String {
        lookup(name).map_or_else(|| name.to_owned(), |id| id.definition().name.to_owned())
    }

    /// A row of `pg_settings`: the current value and the value after RESET, without units, the
    /// source, and the file with its line.
    pub fn row(&self, id: Id) -> (String, String, Source, Option<(String, u32)>) {
        let definition = id.definition();
        let origin = self.base.origin(id);
        let key = Key::Known(id);
        let start = find(&self.start, &key).map_or(&origin.value, |entry| &entry.value);
        let entry = self.entry(&key);
        let file = if entry.is_none() { origin.file.as_ref() } else { None };
        (
            self.value(id).raw(definition),
            start.raw(definition),
            entry.map_or(origin.source, |entry| entry.source),
            file.map(|(path, line)| (path.display().to_string(), *line)),
        )
    }

    /// Applies a value that was given for the session's start: by the client, or by ALTER ROLE or
    /// ALTER DATABASE.
    ///
    /// # Errors
    /// Those of SET.
    pub fn set_at_start(&mut self, name: &str, text: &str, source: Source) -> Result<()> {
        let key = self.key(name)?;
        let value = match &key {
            Key::Known(id) => {
                let definition = id.definition();
                let at_start =
                    matches!(definition.context, Context::Backend | Context::SuperuserBackend);
                if !(at_start && (definition.context == Context::Backend || self.superuser)) {
                    self.check_permission(definition)?;
                }
                self.parse(*id, text)?
            }
            Key::Custom(_) => Value::Text(text.into()),
        };
        let newer = find(&self.start, &key).is_none_or(|old| old.source <= source);
        if newer {
            self.note(&key);
            put(&mut self.start, &key, Some(Entry { value, source }));
        }
        Ok(())
    }

    /// Applies what ALTER ROLE or ALTER DATABASE has set for sessions that begin. Permission was
    /// asked for then.
    ///
    /// # Errors
    /// Those of a value that is no longer valid.
    pub fn set_from_catalog(&mut self, name: &str, text: &str, source: Source) -> Result<()> {
        let key = self.key(name)?;
        let value = match &key {
            Key::Known(id) => self.parse(*id, text)?,
            Key::Custom(_) => Value::Text(text.into()),
        };
        if find(&self.start, &key).is_none_or(|old| old.source <= source) {
            self.note(&key);
            put(&mut self.start, &key, Some(Entry { value, source }));
        }
        Ok(())
    }

    /// SET, SET LOCAL; no text means the value after RESET.
    ///
    /// # Errors
    /// 42704, 55P02, 42501, 22023 and their like, with PostgreSQL's texts.
    pub fn set(&mut self, name: &str, text: Option<&str>, action: Action) -> Result<()> {
        let key = self.key(name)?;
        let entry = match (&key, text) {
            (Key::Known(id), text) => {
                let definition = id.definition();
                self.check_permission(definition)?;
                match text {
                    Some(text) => {
                        let value = self.parse(*id, text)?;
                        Some(Entry { value, source: Source::Session })
                    }
                    None if definition.no_reset => {
                        bail!(
                            FEATURE_NOT_SUPPORTED,
                            "parameter \"{}\" cannot be reset",
                            definition.name
                        )
                    }
                    None => None,
                }
            }
            (Key::Custom(_), Some(text)) => {
                Some(Entry { value: Value::Text(text.into()), source: Source::Session })
            }
            (Key::Custom(_), None) => self.emptied(&key),
        };
        self.change(key, entry, action);
        Ok(())
    }

    /// Checks what SET would check and changes nothing; returns the setting's own name.
    ///
    /// # Errors
    /// Those of SET.
    pub fn check(&self, name: &str, text: Option<&str>) -> Result<String> {
        match self.key(name)? {
            Key::Known(id) => {
                let definition = id.definition();
                self.check_permission(definition)?;
                if let Some(text) = text {
                    self.parse(id, text)?;
                }
                Ok(definition.name.to_owned())
            }
            Key::Custom(name) => Ok(name.to_string()),
        }
    }

    /// Checks whether ALTER ROLE or ALTER DATABASE may take the setting back; returns its own name.
    ///
    /// # Errors
    /// Those of RESET.
    pub fn check_reset(&self, name: &str) -> Result<String> {
        let name = self.check(name, None)?;
        if lookup(&name).is_some_and(|id| id.definition().no_reset) {
            bail!(FEATURE_NOT_SUPPORTED, "parameter \"{name}\" cannot be reset")
        }
        Ok(name)
    }

    /// Checks a value that is to stand in a configuration file; returns the setting's own name.
    ///
    /// # Errors
    /// 42704, 55P02, 22023.
    pub fn check_for_file(&self, name: &str, text: Option<&str>) -> Result<String> {
        match self.key(name)? {
            Key::Known(id) => {
                let definition = id.definition();
                let fixed = [
                    "data_directory",
                    "config_file",
                    "hba_file",
                    "ident_file",
                    "transaction_isolation",
                    "transaction_read_only",
                    "transaction_deferrable",
                ];
                if definition.context == Context::Internal
                    || definition.hidden
                    || fixed.contains(&definition.name)
                {
                    bail!(
                        CANT_CHANGE_RUNTIME_PARAM,
                        "parameter \"{}\" cannot be changed",
                        definition.name
                    );
                }
                if let Some(text) = text {
                    self.parse(id, text)?;
                }
                Ok(definition.name.to_owned())
            }
            Key::Custom(name) => Ok(name.to_string()),
        }
    }

    /// RESET ALL.
    pub fn reset_all(&mut self) {
        let keys: Vec<Key> = self.set.iter().map(|(key, _)| key.clone()).collect();
        for key in keys {
            let keep = match &key {
                Key::Known(id) => id.definition().no_reset || id.definition().hidden,
                Key::Custom(_) => false,
            };
            if !keep {
                let entry = self.emptied(&key);
                self.change(key, entry, Action::Set);
            }
        }
    }

    fn parse(&self, id: Id, text: &str) -> Result<Value> {
        let definition = id.definition();
        let value = Value::parse(definition, text)?;
        if let (Value::Text(new), Value::Text(old), "DateStyle") =
            (&value, self.value(id), definition.name)
        {
            return Ok(Value::Text(check::complete_date_style(new, old).into()));
        }
        Ok(value)
    }

    fn key(&self, name: &str) -> Result<Key> {
        if let Some(id) = lookup(name) {
            return Ok(Key::Known(id));
        }
        if !name.contains('.') {
            return Err(unrecognized(name));
        }
        let valid = name.split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii())
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii())
        });
        if !valid {
            return Err(err!(INVALID_NAME, "invalid configuration parameter name \"{name}\"")
                .detail(
                    "Custom parameter names must be two or more simple identifiers separated by \
                     dots.",
                ));
        }
        Ok(Key::Custom(name.to_ascii_lowercase().into()))
    }

    fn check_permission(&self, definition: &Definition) -> Result<()> {
        let name = definition.name;
        match definition.context {
            Context::Internal => {
                bail!(CANT_CHANGE_RUNTIME_PARAM, "parameter \"{name}\" cannot be changed")
            }
            Context::Postmaster => bail!(
                CANT_CHANGE_RUNTIME_PARAM,
                "parameter \"{name}\" cannot be changed without restarting the server"
            ),
            Context::Sighup => {
                bail!(CANT_CHANGE_RUNTIME_PARAM, "parameter \"{name}\" cannot be changed now")
            }
            Context::SuperuserBackend | Context::Backend => bail!(
                CANT_CHANGE_RUNTIME_PARAM,
                "parameter \"{name}\" cannot be set after connection start"
            ),
            Context::Superuser if !self.superuser => {
                bail!(INSUFFICIENT_PRIVILEGE, "permission denied to set parameter \"{name}\"")
            }
            Context::Superuser | Context::User => Ok(()),
        }
    }

    /// Notes that a setting is about to change, and what the client knows of it.
    fn note(&mut self, key: &Key) {
        self.generation += 1;
        if let Key::Known(id) = key
            && let Some(at) = REPORTED.iter().position(|name| *name == id.definition().name)
        {
            self.unreported |= 1 << at;
            let name = REPORTED[at];
            if self.told && !self.reported.iter().any(|(n, _)| *n == name) {
                let known_to_client = self.value(*id).show(id.definition());
                self.reported.push((name, known_to_client));
            }
        }
    }

    fn change(&mut self, key: Key, entry: Option<Entry>, action: Action) {
        if self.level > 0 {
            let prior = find(&self.set, &key).cloned();
            let level = self.level;
            let change = self.changes.iter_mut().find(|c| c.level == level && c.key == key);
            match (change, action) {
                (Some(change), Action::Set) => change.state = State::Set,
                (Some(change), Action::Local) => {
                    if matches!(change.state, State::Set) {
                        change.state = State::SetLocal(prior);
                    }
                }
                (Some(change), Action::Save) => change.state = State::Save,
                (None, action) => {
                    let state = match action {
                        Action::Set => State::Set,
                        Action::Local => State::Local,
                        Action::Save => State::Save,
                    };
                    self.changes.push(Change { level, key: key.clone(), prior, state });
                }
            }
        }
        self.note(&key);
        put(&mut self.set, &key, entry);
    }

    /// Begins a level: a transaction, a savepoint, a function with SET clauses.
    pub fn begin_level(&mut self) {
        self.level += 1;
    }

    /// Ends the innermost level.
    pub fn end_level(&mut self, commit: bool) {
        let level = self.level;
        self.level = level.saturating_sub(1);
        let first = self.changes.iter().position(|c| c.level == level);
        let ended = self.changes.split_off(first.unwrap_or(self.changes.len()));
        for change in ended.into_iter().rev() {
            let Change { key, prior, state, .. } = change;
            match (commit, state) {
                (false, _) | (true, State::Save) => self.restore(&key, prior),
                (true, state) if level > 1 => self.merge(key, prior, state),
                (true, State::Set) => {}
                (true, State::Local) => self.restore(&key, prior),
                (true, State::SetLocal(masked)) => self.restore(&key, masked),
            }
        }
    }

    fn restore(&mut self, key: &Key, entry: Option<Entry>) {
        let entry = entry.or_else(|| self.emptied(key));
        self.note(key);
        put(&mut self.set, key, entry);
    }

    /// What takes the place of a change that is gone: a custom setting exists from then on, and is
    /// empty.
    fn emptied(&self, key: &Key) -> Option<Entry> {
        let Key::Custom(name) = key else { return None };
        let kept = find(&self.start, key).is_none() && self.base.custom(name).is_none();
        kept.then(|| Entry { value: Value::Text("".into()), source: Source::Session })
    }

    /// A level that ended well becomes part of the level around it.
    fn merge(&mut self, key: Key, prior: Option<Entry>, state: State) {
        let level = self.level;
        let Some(outer) = self.changes.iter_mut().find(|c| c.level == level && c.key == key) else {
            self.changes.push(Change { level, key, prior, state });
            return;
        };
        match state {
            State::Set => outer.state = State::Set,
            State::SetLocal(masked) => outer.state = State::SetLocal(masked),
            State::Local | State::Save => {
                if matches!(outer.state, State::Set) {
                    outer.state = State::SetLocal(prior);
                }
            }
        }
    }

    /// What the client is to be told at the start.
    pub fn report_all(&mut self, mut tell: impl FnMut(&'static str, &str)) {
        for name in REPORTED {
            let id = known(name);
            tell(name, &self.value(id).show(id.definition()));
        }
        self.told = true;
        self.unreported = 0;
    }

    /// Tells what has changed since it was told last.
    pub fn report_changes(&mut self, mut tell: impl FnMut(&'static str, &str)) {
        if self.unreported == 0 {
            return;
        }
        for (at, name) in REPORTED.into_iter().enumerate() {
            if self.unreported & (1 << at) == 0 {
                continue;
            }
            let id = known(name);
            let now = self.value(id).show(id.definition());
            let old = self.reported.iter_mut().find(|(n, _)| *n == name);
            match old {
                Some((_, old)) if *old == now => {}
                Some((_, old)) => {
                    tell(name, &now);
                    *old = now;
                }
                None => {
                    tell(name, &now);
                    self.reported.push((name, now));
                }
            }
        }
        self.unreported = 0;
    }

    /// Whether a list of values is what the setting takes; otherwise it takes one only.
    pub fn takes_list(name: &str) -> bool {
        lookup(name).is_some_and(|id| check::is_list(id.definition().name))
    }

    /// Whether the elements of the setting's list are identifiers, to be quoted as such.
    pub fn quotes_list(name: &str) -> bool {
        lookup(name).is_some_and(|id| check::is_quoted_list(id.definition().name))
    }

    /// All settings that SHOW ALL lists: name and value.
    pub fn show_all(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        definitions()
            .filter(|(_, definition)| !definition.hidden)
            .map(|(id, definition)| (definition.name, self.value(id).show(definition)))
    }

    /// Writes the settings that are not the server's, but for those that change no plan: sessions
    /// for which it is the same text have the same settings.
    pub(crate) fn write_own(&self, out: &mut String) {
        use std::fmt::Write;
        let mut own: Vec<(&Key, &Entry)> = self.set.iter().map(|(key, e)| (key, e)).collect();
        own.extend(
            self.start.iter().filter(|(k, _)| find(&self.set, k).is_none()).map(|(k, e)| (k, e)),
        );
        let mut lines: Vec<String> = own
            .into_iter()
            .filter_map(|(key, entry)| match key {
                Key::Known(id) if id.definition().name == "application_name" => None,
                Key::Known(id) => Some(format!("{}={:?}", id.definition().name, entry.value)),
                Key::Custom(name) => Some(format!("{name}={:?}", entry.value)),
            })
            .collect();
        lines.sort_unstable();
        for line in lines {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{line}");
        }
    }

    /// The schemas of `search_path`, `$user` as it is.
    pub fn search_path(&self) -> Vec<String> {
        check::split_identifiers(self.text("search_path")).unwrap_or_default()
    }

    /// Whether `restrict_nonsystem_relation_kind` names a kind of relations.
    pub fn restricts(&self, kind: &str) -> bool {
        let words = self.text("restrict_nonsystem_relation_kind");
        let words = check::split_identifiers(words).unwrap_or_default();
        words.iter().any(|word| word.eq_ignore_ascii_case(kind))
    }

    /// What input and output functions must know.
    pub fn io_env(&self, now_us: i64) -> types::IoEnv {
        use types::{ByteaOutput, DateFormat, DateOrder, IntervalStyle};
        let date_style = self.text("DateStyle");
        let (style, order) = date_style.split_once(", ").unwrap_or((date_style, "MDY"));
        types::IoEnv {
            date_format: match style {
                "SQL" => DateFormat::Sql,
                "Postgres" => DateFormat::Postgres,
                "German" => DateFormat::German,
                _ => DateFormat::Iso,
            },
            date_order: match order {
                "YMD" => DateOrder::Ymd,
                "DMY" => DateOrder::Dmy,
                _ => DateOrder::Mdy,
            },
            interval_style: match self.text("IntervalStyle") {
                "postgres_verbose" => IntervalStyle::PostgresVerbose,
                "sql_standard" => IntervalStyle::SqlStandard,
                "iso_8601" => IntervalStyle::Iso8601,
                _ => IntervalStyle::Postgres,
            },
            zone: check::zone("TimeZone", self.text("TimeZone"))
                .unwrap_or_else(|_| types::datetime::zone::Zone::utc()),
            extra_float_digits: self.integer("extra_float_digits"),
            bytea_output: match self.text("bytea_output") {
                "escape" => ByteaOutput::Escape,
                _ => ByteaOutput::Hex,
            },
            now_us: std::cell::Cell::new(now_us),
            xid_binary_32: self.integer("xid_binary_width") == 32,
        }
    }
}

/// 42704 of an unknown name.
pub(crate) fn unrecognized(name: &str) -> base::Error {
    err!(UNDEFINED_OBJECT, "unrecognized configuration parameter \"{name}\"")
}

impl Settings {
    /// The words of `pg_settings` that describe a setting's bounds: minimum, maximum, values.
    pub fn bounds(
        definition: &Definition,
    ) -> (Option<String>, Option<String>, Option<&[Arc<str>]>) {
        match &definition.kind {
            Kind::Integer { min, max } => (Some(min.to_string()), Some(max.to_string()), None),
            Kind::Real { min, max } => {
                (Some(super::number::general(*min)), Some(super::number::general(*max)), None)
            }
            Kind::Enum(values) => (None, None, Some(values)),
            Kind::Bool | Kind::Text => (None, None, None),
        }
    }
}
