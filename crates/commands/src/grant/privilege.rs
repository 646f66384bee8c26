//! The privileges that a GRANT or REVOKE names.

use base::{Result, err};
use catalog::acl::{ALL, AclKind, Privileges};
use parse::{AccessPrivilege, GrantStmt, ObjectType};

/// What is asked for.
pub(super) struct Asked<'a> {
    /// On the whole object: none for ALL.
    pub(super) whole: Option<Privileges>,
    /// On columns: none for ALL.
    pub(super) columns: Vec<(Option<Privileges>, &'a [&'a str])>,
}

impl<'a> Asked<'a> {
    /// Whether anything is asked for on the object itself.
    pub(super) fn has_whole(&self) -> bool {
        self.whole.is_none_or(|privileges| !privileges.is_empty())
    }

    pub(super) fn read(statement: &GrantStmt<'a>) -> Result<Asked<'a>> {
        let mut asked = Asked { whole: None, columns: Vec::new() };
        if statement.privileges.is_empty() {
            return Ok(asked);
        }
        let (known, word) = kind_of(statement.object_type);
        let mut whole = Privileges::NONE;
        for privilege in statement.privileges {
            if !privilege.columns.is_empty() {
                if statement.object_type != ObjectType::Table {
                    return Err(err!(
                        INVALID_GRANT_OPERATION,
                        "column privileges are only valid for relations"
                    ));
                }
                asked.columns.push((of_column(privilege)?, privilege.columns));
                continue;
            }
            let name = privilege.name.unwrap_or_default();
            let one = named(name)?;
            if !one.without(known).is_empty() {
                return Err(invalid(one, word));
            }
            whole = whole.union(one);
        }
        asked.whole = Some(whole);
        Ok(asked)
    }
}

fn of_column(privilege: &AccessPrivilege<'_>) -> Result<Option<Privileges>> {
    let Some(name) = privilege.name else { return Ok(None) };
    let one = named(name)?;
    if !one.without(AclKind::Column.all()).is_empty() {
        return Err(invalid(one, "column"));
    }
    Ok(Some(one))
}

fn invalid(one: Privileges, word: &str) -> base::Error {
    let name = one.iter().next().map_or("", |(_, _, name)| name);
    err!(INVALID_GRANT_OPERATION, "invalid privilege type {name} for {word}")
}

/// The privilege of a word.
fn named(name: &str) -> Result<Privileges> {
    let upper = name.to_ascii_uppercase();
    let upper = if upper == "TEMP" { "TEMPORARY" } else { &upper };
    let found = ALL.iter().find(|(_, _, word)| *word == upper);
    match found {
        Some((_, letter, _)) => Ok(Privileges::of(letter.encode_utf8(&mut [0; 4]))),
        None => Err(err!(SYNTAX_ERROR, "unrecognized privilege type \"{name}\"")),
    }
}

/// The privileges that statements for a kind of objects may name, and the word for the kind.
pub(super) fn kind_of(kind: ObjectType) -> (Privileges, &'static str) {
    match kind {
        ObjectType::Table => (AclKind::Table.all().union(AclKind::Sequence.all()), "relation"),
        ObjectType::Sequence => (AclKind::Sequence.all(), "sequence"),
        ObjectType::Database => (AclKind::Database.all(), "database"),
        ObjectType::Domain => (AclKind::Type.all(), "domain"),
        ObjectType::Function => (AclKind::Function.all(), "function"),
        ObjectType::Procedure => (AclKind::Function.all(), "procedure"),
        ObjectType::Routine => (AclKind::Function.all(), "routine"),
        ObjectType::Language => (AclKind::Language.all(), "language"),
        ObjectType::LargeObject => (AclKind::LargeObject.all(), "large object"),
        ObjectType::Schema => (AclKind::Namespace.all(), "schema"),
        ObjectType::Tablespace => (AclKind::Tablespace.all(), "tablespace"),
        ObjectType::ParameterAcl => (AclKind::Parameter.all(), "parameter"),
        ObjectType::ForeignDataWrapper => (Privileges::of("U"), "foreign-data wrapper"),
        ObjectType::ForeignServer => (Privileges::of("U"), "foreign server"),
        _ => (AclKind::Type.all(), "type"),
    }
}
