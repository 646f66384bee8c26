//! The reg* types: OIDs that are read and shown as names.

use crate::builtin;
use crate::columns::{index, pg_ts_config, pg_ts_dict};
use crate::lookup::Catalog;
use crate::names::{qualified, quote_identifier};
use crate::store::Value;
use base::{Error, Oid, Result, SqlState, err};
use types::oids;

/// Whether a type is one of them.
pub(super) fn is_reg(type_oid: u32) -> bool {
    use oids::*;
    matches!(
        type_oid,
        REGPROC
            | REGPROCEDURE
            | REGOPER
            | REGOPERATOR
            | REGCLASS
            | REGTYPE
            | REGCONFIG
            | REGDICTIONARY
            | REGNAMESPACE
            | REGROLE
            | REGCOLLATION
    )
}

fn invalid_syntax() -> Error {
    err!(INVALID_NAME, "invalid name syntax")
}

/// The parts of a name with points between them: folded to lower case unless quoted.
///
/// # Errors
/// 42602 when it is no name.
pub fn split_name(text: &str) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(inner) => {
                let mut end = 0;
                loop {
                    end += inner[end..].find('"').ok_or_else(invalid_syntax)?;
                    if !inner[end + 1..].starts_with('"') {
                        break;
                    }
                    end += 2;
                }
                (inner[..end].replace("\"\"", "\""), &inner[end + 1..])
            }
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                let part = rest[..end].trim();
                if part.contains('"') || part.contains(char::is_whitespace) {
                    return Err(invalid_syntax());
                }
                (part.to_lowercase(), &rest[end..])
            }
        };
        if part.is_empty() {
            return Err(invalid_syntax());
        }
        parts.push(part);
        rest = after.trim_start();
        match rest.strip_prefix('.') {
            Some(next) => rest = next.trim_start(),
            None if rest.is_empty() => return Ok(parts),
            None => return Err(invalid_syntax()),
        }
    }
}

/// `name(type, type)` as its name and the texts of its types; `None` without parentheses.
fn split_arguments(text: &str) -> Option<(&str, Vec<&str>)> {
    let open = text.find('(')?;
    let inner = text[open + 1..].trim_end().strip_suffix(')')?;
    let (mut depth, mut start, mut list) = (0usize, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                list.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if !inner.trim().is_empty() {
        list.push(inner[start..].trim());
    }
    Some((text[..open].trim(), list))
}

impl Catalog {
    /// A name of one or two parts, or three that begin with this database.
    fn schema_and_name(&self, text: &str, what: &str) -> Result<(Option<String>, String)> {
        let mut parts = split_name(text)?;
        let name = parts.pop().unwrap_or_default();
        match parts.len() {
            0 | 1 => Ok((parts.pop(), name)),
            2 => {
                if *parts[0] == *self.database_row(self.database())?.name {
                    return Ok((parts.pop(), name));
                }
                Err(Error::unsupported(format!(
                    "cross-database references are not implemented: \"{}.{name}\"",
                    parts.join(".")
                )))
            }
            _ => Err(err!(
                SYNTAX_ERROR,
                "improper {what} name (too many dotted names): {}.{name}",
                parts.join(".")
            )),
        }
    }

    /// A name of exactly one part.
    fn single_name(&self, text: &str) -> Result<String> {
        let mut parts = split_name(text)?;
        match (parts.pop(), parts.is_empty()) {
            (Some(name), true) => Ok(name),
            _ => Err(invalid_syntax()),
        }
    }

    /// The object that a text of a reg* type names.
    pub(super) fn reg_input(&self, type_oid: u32, text: &str) -> Result<Oid> {
        if text == "-" {
            return Ok(Oid::INVALID);
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().map(Oid).map_err(|_| {
                err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{text}\" is out of range for type oid")
            });
        }
        match type_oid {
            oids::REGCLASS => self.regclass(text),
            oids::REGTYPE => self.type_by_sql_name(text).map(|(oid, _)| oid),
            oids::REGPROC => self.regproc(text),
            oids::REGPROCEDURE => self.regprocedure(text),
            oids::REGOPER => self.regoper(text),
            oids::REGOPERATOR => self.regoperator(text),
            oids::REGROLE => Ok(self.require_role(&self.single_name(text)?)?.oid),
            oids::REGNAMESPACE => {
                let name = self.single_name(text)?;
                let found = self.namespace_named(&name)?;
                let none = || err!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist");
                Ok(found.ok_or_else(none)?.oid)
            }
            oids::REGCOLLATION => {
                let (schema, name) = self.schema_and_name(text, "qualified")?;
                let found = self.collation_named(schema.as_deref(), &name)?;
                let none = || {
                    err!(
                        UNDEFINED_OBJECT,
                        "collation \"{text}\" for encoding \"UTF8\" does not exist"
                    )
                };
                Ok(found.ok_or_else(none)?.oid)
            }
            _ => self.regconfig(type_oid, text),
        }
    }

    /// The relation that a text names.
    ///
    /// # Errors
    /// 42P01 when there is none; 42602 when it is no name.
    pub fn regclass(&self, text: &str) -> Result<Oid> {
        let (schema, name) = self.schema_and_name(text, "relation")?;
        let found = self.relation_named(schema.as_deref(), &name)?;
        let found = match found {
            Some(oid) => Some(oid),
            None => self.index_named(schema.as_deref(), &name)?,
        };
        found.ok_or_else(|| {
            let full = schema.map_or(name.clone(), |schema| format!("{schema}.{name}"));
            err!(UNDEFINED_TABLE, "relation \"{full}\" does not exist")
        })
    }

    /// The index of a catalog of that name.
    fn index_named(&self, schema: Option<&str>, name: &str) -> Result<Option<Oid>> {
        let Some(index) = builtin::indexes().iter().find(|index| index.name == name) else {
            return Ok(None);
        };
        let namespace = builtin::relation(index.table).map(|table| table.namespace);
        let schemas = self.schemas(schema)?;
        Ok(namespace.filter(|oid| schemas.contains(oid)).map(|_| index.oid))
    }

    fn regproc(&self, text: &str) -> Result<Oid> {
        let (schema, name) = self.schema_and_name(text, "qualified")?;
        match &self.procs_named(schema.as_deref(), &name)?[..] {
            [] => Err(err!(UNDEFINED_FUNCTION, "function \"{text}\" does not exist")),
            [one] => Ok(one.proc.oid),
            _ => Err(err!(AMBIGUOUS_FUNCTION, "more than one function named \"{text}\"")),
        }
    }

    fn argument_types(&self, texts: &[&str]) -> Result<Vec<Oid>> {
        texts.iter().map(|text| self.type_by_sql_name(text).map(|(oid, _)| oid)).collect()
    }

    /// The function that a text such as `f(integer)` names.
    ///
    /// # Errors
    /// 42883 when there is none; 22P02 without parentheses; 42602 when it is no name.
    pub fn regprocedure(&self, text: &str) -> Result<Oid> {
        let Some((name, args)) = split_arguments(text) else {
            let state = SqlState::INVALID_TEXT_REPRESENTATION;
            return Err(Error::new(state, "expected a left parenthesis"));
        };
        let (schema, name) = self.schema_and_name(name, "qualified")?;
        let args = self.argument_types(&args)?;
        let found = self.procs_named(schema.as_deref(), &name)?;
        let found = found.into_iter().find(|candidate| *candidate.proc.args == *args);
        found
            .map(|candidate| candidate.proc.oid)
            .ok_or_else(|| err!(UNDEFINED_FUNCTION, "function \"{text}\" does not exist"))
    }

    /// The schema and symbol of an operator's text.
    fn operator_name<'a>(&self, text: &'a str) -> Result<(Option<String>, &'a str)> {
        match text.rsplit_once('.') {
            Some((schema, name)) => Ok((Some(self.single_name(schema)?), name)),
            None => Ok((None, text)),
        }
    }

    fn regoper(&self, text: &str) -> Result<Oid> {
        let (schema, name) = self.operator_name(text)?;
        match &self.operators_named(schema.as_deref(), name)?[..] {
            [] => Err(err!(UNDEFINED_FUNCTION, "operator does not exist: {text}")),
            [(one, _)] => Ok(one.oid),
            _ => Err(err!(AMBIGUOUS_FUNCTION, "more than one operator named {text}")),
        }
    }

    fn regoperator(&self, text: &str) -> Result<Oid> {
        let Some((name, args)) = split_arguments(text) else {
            let state = SqlState::INVALID_TEXT_REPRESENTATION;
            return Err(Error::new(state, "expected a left parenthesis"));
        };
        let [left, right] = args[..] else {
            let (state, message) = if args.len() < 2 {
                (SqlState::UNDEFINED_PARAMETER, "missing argument")
            } else {
                (SqlState::TOO_MANY_ARGUMENTS, "too many arguments")
            };
            let hint = if args.len() < 2 {
                "Use NONE to denote the missing argument of a unary operator."
            } else {
                "Provide two argument types for operator."
            };
            return Err(Error::new(state, message).hint(hint));
        };
        let side = |text: &str| match text.eq_ignore_ascii_case("none") {
            true => Ok(Oid::INVALID),
            false => self.type_by_sql_name(text).map(|(oid, _)| oid),
        };
        let (schema, name) = self.operator_name(name)?;
        let found = self.operator_exact(schema.as_deref(), name, side(left)?, side(right)?)?;
        found
            .map(|row| row.oid)
            .ok_or_else(|| err!(UNDEFINED_FUNCTION, "operator does not exist: {text}"))
    }

    /// Text search configurations and dictionaries.
    fn regconfig(&self, type_oid: u32, text: &str) -> Result<Oid> {
        let (schema, name) = self.schema_and_name(text, "qualified")?;
        let config = type_oid == oids::REGCONFIG;
        let (index, oid, what) = if config {
            (index::PG_TS_CONFIG_CFGNAME_INDEX, pg_ts_config::OID, "configuration")
        } else {
            (index::PG_TS_DICT_DICTNAME_INDEX, pg_ts_dict::OID, "dictionary")
        };
        for namespace in self.schemas(schema.as_deref())?.iter() {
            let key = [Value::Text(name.clone()), Value::Oid(*namespace)];
            if let Some(found) = self.row(index, &key, |row| row.oid(oid))? {
                return Ok(found);
            }
        }
        Err(err!(UNDEFINED_OBJECT, "text search {what} \"{text}\" does not exist"))
    }

    /// The text of a value of a reg* type: a number when the object is gone.
    pub(super) fn reg_output(&self, type_oid: u32, oid: Oid) -> Result<String> {
        if !oid.is_valid() {
            return Ok("-".into());
        }
        let name = match type_oid {
            oids::REGCLASS => self.relation_text(oid)?,
            oids::REGTYPE => match self.find_type(oid)? {
                Some(_) => Some(self.format_type(oid, None)?),
                None => None,
            },
            oids::REGPROC => match self.find_proc(oid)? {
                Some(proc) => {
                    let found = self.procs_named(None, &proc.name)?;
                    let only = found.len() == 1 && found[0].proc.oid == oid;
                    Some(self.name_text(proc.namespace, &proc.name, only)?)
                }
                None => None,
            },
            oids::REGPROCEDURE => match self.find_proc(oid)? {
                Some(_) => Some(self.proc_text(oid)?),
                None => None,
            },
            oids::REGOPER => match self.operator(oid) {
                Ok(row) => {
                    let found = self.operators_named(None, &row.name)?;
                    let only = found.len() == 1 && found[0].0.oid == oid;
                    let schema = self.namespace(row.namespace)?;
                    let schema = quote_identifier(&schema.name);
                    Some(if only { row.name.to_string() } else { format!("{schema}.{}", row.name) })
                }
                Err(_) => None,
            },
            oids::REGOPERATOR => match self.operator(oid) {
                Ok(_) => Some(self.operator_text(oid)?),
                Err(_) => None,
            },
            oids::REGROLE => self.find_role(oid)?.map(|role| quote_identifier(&role.name)),
            oids::REGNAMESPACE => self.namespace(oid).ok().map(|row| quote_identifier(&row.name)),
            oids::REGCOLLATION => match self.collation(oid) {
                Ok(row) => {
                    let found = self.collation_named(None, &row.name)?;
                    let visible = found.is_some_and(|found| found.oid == oid);
                    Some(self.name_text(row.namespace, &row.name, visible)?)
                }
                Err(_) => None,
            },
            _ => self.config_text(type_oid, oid)?,
        };
        Ok(name.unwrap_or_else(|| oid.to_string()))
    }

    fn config_text(&self, type_oid: u32, oid: Oid) -> Result<Option<String>> {
        let (index, name, namespace) = if type_oid == oids::REGCONFIG {
            (index::PG_TS_CONFIG_OID_INDEX, pg_ts_config::CFGNAME, pg_ts_config::CFGNAMESPACE)
        } else {
            (index::PG_TS_DICT_OID_INDEX, pg_ts_dict::DICTNAME, pg_ts_dict::DICTNAMESPACE)
        };
        let found =
            self.row(index, &[Value::Oid(oid)], |row| Ok((row.text(name)?, row.oid(namespace)?)))?;
        let Some((name, namespace)) = found else { return Ok(None) };
        let bare = self.regconfig(type_oid, &quote_identifier(&name)).ok() == Some(oid);
        if bare {
            return Ok(Some(quote_identifier(&name)));
        }
        Ok(Some(qualified(&self.namespace(namespace)?.name, &name)))
    }
}
