//! Names of things: relations, types, roles, options.

use super::{Expression, SelectStmt};
use crate::Location;

/// A possibly qualified name, outermost part first; never empty.
pub type Name<'a> = &'a [&'a str];

/// How long a relation lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Persistence {
    /// An ordinary relation.
    #[default]
    Permanent,
    /// Not logged, emptied after a crash.
    Unlogged,
    /// Of one session.
    Temporary,
}

/// The name of a relation where one is used or made.
#[derive(Clone, Copy, Debug)]
pub struct RangeVar<'a> {
    /// The database, if written.
    pub catalog: Option<&'a str>,
    /// The schema, if written.
    pub schema: Option<&'a str>,
    /// The relation.
    pub name: &'a str,
    /// False after ONLY.
    pub inherit: bool,
    /// TEMPORARY or UNLOGGED, where the relation is made.
    pub persistence: Persistence,
    /// AS.
    pub alias: Option<Alias<'a>>,
    /// Where the name stands.
    pub location: Location,
}

/// An alias with the column aliases that came with it.
#[derive(Clone, Copy, Debug)]
pub struct Alias<'a> {
    /// The alias.
    pub name: &'a str,
    /// The columns' aliases, maybe fewer than there are columns.
    pub columns: &'a [&'a str],
}

/// The name of a type with its modifiers, as written.
#[derive(Clone, Copy, Debug)]
pub struct TypeName<'a> {
    /// The name; `pg_catalog.int4` for `integer` and its like.
    pub names: Name<'a>,
    /// SETOF.
    pub setof: bool,
    /// `%TYPE`: the name is that of a column.
    pub percent_type: bool,
    /// The modifiers in parentheses.
    pub typmods: &'a [Expression<'a>],
    /// The bounds of array dimensions, -1 where none is written; empty for no array.
    pub array_bounds: &'a [i32],
    /// Where the name stands.
    pub location: Location,
}

/// The name of a role.
#[derive(Clone, Copy, Debug)]
pub struct RoleSpec<'a> {
    /// Which role.
    pub role: RoleName<'a>,
    /// Where it stands.
    pub location: Location,
}

/// A role, named or by a key word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleName<'a> {
    /// By its name.
    Named(&'a str),
    /// CURRENT_ROLE.
    CurrentRole,
    /// CURRENT_USER.
    CurrentUser,
    /// SESSION_USER.
    SessionUser,
    /// PUBLIC.
    Public,
}

/// RESTRICT (also when nothing is written) or CASCADE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DropBehavior {
    /// RESTRICT.
    Restrict,
    /// CASCADE.
    Cascade,
}

/// One `name = value` of an option list.
#[derive(Clone, Copy, Debug)]
pub struct DefElem<'a> {
    /// The name's qualifier (`toast.autovacuum_enabled`).
    pub namespace: Option<&'a str>,
    /// The option, in lower case as PostgreSQL's grammar names it.
    pub name: &'a str,
    /// Its value, if there is one.
    pub value: Option<DefValue<'a>>,
    /// SET, ADD or DROP, where the option list allows them.
    pub action: DefElemAction,
    /// Where the option stands.
    pub location: Location,
}

/// What to do with an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DefElemAction {
    /// Nothing written.
    #[default]
    Unspecified,
    /// SET.
    Set,
    /// ADD.
    Add,
    /// DROP.
    Drop,
}

/// The value of an option.
#[derive(Clone, Copy, Debug)]
pub enum DefValue<'a> {
    /// A string or a word.
    String(&'a str),
    /// A whole number that fits.
    Integer(i32),
    /// Any other number, as written.
    Float(&'a str),
    /// TRUE or FALSE as key words of an option.
    Boolean(bool),
    /// `*`.
    Star,
    /// A word that can name a type.
    TypeName(&'a TypeName<'a>),
    /// A relation.
    RangeVar(&'a RangeVar<'a>),
    /// A role.
    Role(RoleSpec<'a>),
    /// A list.
    List(&'a [DefValue<'a>]),
    /// A nested option.
    Option(&'a DefElem<'a>),
    /// A parameter setting of a function or role.
    Setting(&'a super::VariableSetStmt<'a>),
    /// An expression.
    Expression(&'a Expression<'a>),
    /// A query.
    Query(&'a SelectStmt<'a>),
}

impl<'a> DefValue<'a> {
    /// The value as text where it is a string, a word or a one-part type name.
    pub fn as_word(&self) -> Option<&'a str> {
        match *self {
            DefValue::String(text) | DefValue::Float(text) => Some(text),
            DefValue::TypeName(name) => name.names.last().copied(),
            _ => None,
        }
    }
}
