//! Roles, databases, privileges, ownership.

use super::{DefElem, DropBehavior, ObjectRef, ObjectType, RoleSpec, VariableSetStmt};

/// CREATE ROLE, USER, GROUP.
#[derive(Clone, Copy, Debug)]
pub struct CreateRoleStmt<'a> {
    /// Under which word.
    pub kind: RoleKind,
    /// The role.
    pub role: &'a str,
    /// The options.
    pub options: &'a [DefElem<'a>],
}

/// The word a role was made under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum RoleKind {
    Role,
    User,
    Group,
}

/// ALTER ROLE with options, and ALTER GROUP ADD/DROP USER.
#[derive(Clone, Copy, Debug)]
pub struct AlterRoleStmt<'a> {
    /// The role.
    pub role: RoleSpec<'a>,
    /// The options.
    pub options: &'a [DefElem<'a>],
    /// False for DROP USER.
    pub add: bool,
}

/// ALTER ROLE … SET.
#[derive(Clone, Copy, Debug)]
pub struct AlterRoleSetStmt<'a> {
    /// The role; ALL when missing.
    pub role: Option<RoleSpec<'a>>,
    /// IN DATABASE.
    pub database: Option<&'a str>,
    /// The setting.
    pub setting: &'a VariableSetStmt<'a>,
}

/// DROP ROLE.
#[derive(Clone, Copy, Debug)]
pub struct DropRoleStmt<'a> {
    /// The roles.
    pub roles: &'a [RoleSpec<'a>],
    /// IF EXISTS.
    pub missing_ok: bool,
}

/// GRANT and REVOKE on objects.
#[derive(Clone, Copy, Debug)]
pub struct GrantStmt<'a> {
    /// GRANT; otherwise REVOKE.
    pub grant: bool,
    /// What `objects` means.
    pub target: GrantTarget,
    /// The kind of the objects.
    pub object_type: ObjectType,
    /// The objects, or the schemas of ALL … IN SCHEMA; empty for default privileges.
    pub objects: &'a [ObjectRef<'a>],
    /// The privileges; empty for ALL.
    pub privileges: &'a [AccessPrivilege<'a>],
    /// To or from whom.
    pub grantees: &'a [RoleSpec<'a>],
    /// WITH GRANT OPTION, or GRANT OPTION FOR.
    pub grant_option: bool,
    /// GRANTED BY.
    pub grantor: Option<RoleSpec<'a>>,
    /// CASCADE of REVOKE.
    pub behavior: DropBehavior,
}

/// What the objects of a GRANT mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantTarget {
    /// The objects themselves.
    Object,
    /// All objects in these schemas.
    AllInSchema,
    /// ALTER DEFAULT PRIVILEGES.
    Defaults,
}

/// A privilege.
#[derive(Clone, Copy, Debug)]
pub struct AccessPrivilege<'a> {
    /// Its name; missing for ALL.
    pub name: Option<&'a str>,
    /// Its columns; empty for the whole object.
    pub columns: &'a [&'a str],
}

/// GRANT and REVOKE of roles.
#[derive(Clone, Copy, Debug)]
pub struct GrantRoleStmt<'a> {
    /// GRANT; otherwise REVOKE.
    pub grant: bool,
    /// The roles that are granted.
    pub granted: &'a [AccessPrivilege<'a>],
    /// To or from whom.
    pub grantees: &'a [RoleSpec<'a>],
    /// ADMIN, INHERIT, SET.
    pub options: &'a [DefElem<'a>],
    /// GRANTED BY.
    pub grantor: Option<RoleSpec<'a>>,
    /// CASCADE of REVOKE.
    pub behavior: DropBehavior,
}

/// ALTER DEFAULT PRIVILEGES.
#[derive(Clone, Copy, Debug)]
pub struct AlterDefaultPrivilegesStmt<'a> {
    /// FOR ROLE and IN SCHEMA.
    pub options: &'a [DefElem<'a>],
    /// The GRANT.
    pub action: &'a GrantStmt<'a>,
}

/// CREATE DATABASE and ALTER DATABASE with options.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseStmt<'a> {
    /// The database.
    pub name: &'a str,
    /// The options.
    pub options: &'a [DefElem<'a>],
}

/// ALTER DATABASE … SET.
#[derive(Clone, Copy, Debug)]
pub struct AlterDatabaseSetStmt<'a> {
    /// The database.
    pub name: &'a str,
    /// The setting.
    pub setting: &'a VariableSetStmt<'a>,
}

/// DROP DATABASE.
#[derive(Clone, Copy, Debug)]
pub struct DropDatabaseStmt<'a> {
    /// The database.
    pub name: &'a str,
    /// IF EXISTS.
    pub missing_ok: bool,
    /// FORCE.
    pub options: &'a [DefElem<'a>],
}

/// CREATE TABLESPACE.
#[derive(Clone, Copy, Debug)]
pub struct CreateTablespaceStmt<'a> {
    /// The name.
    pub name: &'a str,
    /// OWNER.
    pub owner: Option<RoleSpec<'a>>,
    /// LOCATION.
    pub directory: &'a str,
    /// WITH.
    pub options: &'a [DefElem<'a>],
}

/// DROP OWNED.
#[derive(Clone, Copy, Debug)]
pub struct DropOwnedStmt<'a> {
    /// Whose.
    pub roles: &'a [RoleSpec<'a>],
    /// CASCADE.
    pub behavior: DropBehavior,
}

/// REASSIGN OWNED.
#[derive(Clone, Copy, Debug)]
pub struct ReassignOwnedStmt<'a> {
    /// Whose.
    pub roles: &'a [RoleSpec<'a>],
    /// To whom.
    pub new_role: RoleSpec<'a>,
}
