//! ALTER DEFAULT PRIVILEGES, and the list that a new object begins with.
//!
//! A row of `pg_default_acl` is for the objects of one kind that one role makes: without a schema
//! it stands in place of the built-in default, with one it is added to it.

use super::change::{Change, merge};
use super::privilege::Asked;
use super::{grantees, hold};
use crate::object::{self, ObjectAddress};
use crate::role::{self, resolve};
use crate::{Env, depend};
use base::{Error, Oid, Result, err};
use catalog::acl::{self, Acl, AclKind};
use catalog::columns::{index, pg_default_acl as columns};
use catalog::rows::{DependencyKind, SharedDependencyKind};
use catalog::store::{Row, Value};
use parse::{AlterDefaultPrivilegesStmt, DefValue, DropBehavior, ObjectType};

/// The code of a kind in `defaclobjtype`, and its privileges.
fn code(kind: ObjectType) -> Result<(u8, AclKind)> {
    Ok(match kind {
        ObjectType::Table => (b'r', AclKind::Table),
        ObjectType::Sequence => (b'S', AclKind::Sequence),
        ObjectType::Function | ObjectType::Routine | ObjectType::Procedure => {
            (b'f', AclKind::Function)
        }
        ObjectType::Type => (b'T', AclKind::Type),
        ObjectType::Schema => (b'n', AclKind::Namespace),
        ObjectType::LargeObject => (b'L', AclKind::LargeObject),
        other => {
            let text = format!("default privileges of {other:?} are not supported");
            return Err(Error::unsupported(text));
        }
    })
}

/// The same for a list that is looked for.
fn code_of(kind: AclKind) -> u8 {
    match kind {
        AclKind::Sequence => b'S',
        AclKind::Function => b'f',
        AclKind::Type => b'T',
        AclKind::Namespace => b'n',
        AclKind::LargeObject => b'L',
        _ => b'r',
    }
}

/// Runs ALTER DEFAULT PRIVILEGES.
pub(crate) fn alter_defaults(
    env: &Env<'_>,
    statement: &AlterDefaultPrivilegesStmt<'_>,
) -> Result<()> {
    let catalog = env.catalog();
    let action = statement.action;
    let (mut schemas, mut roles) = (Vec::new(), Vec::new());
    for option in statement.options {
        let values = match option.value {
            Some(DefValue::List(values)) => values,
            _ => &[],
        };
        for value in values {
            match value {
                DefValue::Role(spec) => roles.push(resolve(env, spec)?),
                other => schemas.push(other.as_word().unwrap_or_default()),
            }
        }
    }
    if roles.is_empty() {
        roles.push(catalog.user());
    }
    let grantees = grantees(env, action.grantees)?;
    let asked = Asked::read(action)?;
    let (code, kind) = code(action.object_type)?;
    let privileges = asked.whole.unwrap_or(kind.all());
    if !privileges.without(kind.all()).is_empty() {
        return Err(err!(INVALID_GRANT_OPERATION, "invalid privilege type USAGE for relation"));
    }
    if matches!(kind, AclKind::Namespace | AclKind::LargeObject) && !schemas.is_empty() {
        let what = if kind == AclKind::Namespace { "SCHEMAS" } else { "LARGE OBJECTS" };
        return Err(err!(
            INVALID_GRANT_OPERATION,
            "cannot use IN SCHEMA clause when using GRANT/REVOKE ON {what}"
        ));
    }
    let change = Change {
        grant: action.grant,
        grant_option: action.grant_option,
        grantees: &grantees,
        behavior: action.behavior,
    };
    hold(env, &change)?;
    for role in roles {
        if !catalog.has_privileges_of(catalog.user(), role)? {
            return Err(err!(
                INSUFFICIENT_PRIVILEGE,
                "permission denied to change default privileges"
            ));
        }
        let mut places = Vec::new();
        for name in &schemas {
            let schema = catalog
                .namespace_named(name)?
                .ok_or_else(|| err!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"))?;
            places.push(schema.oid);
        }
        if places.is_empty() {
            places.push(Oid::INVALID);
        }
        for schema in places {
            let own = if schema.is_valid() { Acl::default() } else { acl::default_for(kind, role) };
            set(env, (role, schema, code), &own, |list| {
                merge(list, &change, privileges, role, role)
            })?;
            catalog.next_command()?;
        }
    }
    Ok(())
}

fn sorted(mut acl: Acl) -> Acl {
    acl.0.sort_by_key(|item| (item.grantee, item.grantor));
    acl
}

/// Changes one row; one that says what holds anyway goes.
fn set(
    env: &Env<'_>,
    (role, schema, code): (Oid, Oid, u8),
    own: &Acl,
    change: impl Fn(&Acl) -> Result<Acl>,
) -> Result<()> {
    let catalog = env.catalog();
    let key = [Value::Oid(role), Value::Oid(schema), Value::Char(code)];
    let by = index::PG_DEFAULT_ACL_ROLE_NSP_OBJ_INDEX;
    let found = catalog.find_rows(by, &key)?.into_iter().next();
    let old = match &found {
        Some((_, row)) => {
            let items = row.optional_texts(columns::DEFACLACL)?.unwrap_or_default();
            Acl::from_stored(&items)?
        }
        None => own.clone(),
    };
    let new = sorted(change(&old)?);
    let says_nothing = new == sorted(own.clone());
    let address = |oid| ObjectAddress::new(columns::RELATION, oid);
    let oid = match found {
        Some((id, row)) if says_nothing => {
            let address = address(row.oid(columns::OID)?);
            catalog.delete_dependencies(&address, None)?;
            catalog.delete_shared_dependencies(&address)?;
            return catalog.delete(id, &row);
        }
        None if says_nothing => return Ok(()),
        Some((id, row)) => {
            catalog.update(id, &row, &row.clone().with(columns::DEFACLACL, new.to_stored()))?;
            row.oid(columns::OID)?
        }
        None => {
            let oid = catalog.new_oid(columns::RELATION)?;
            let row = Row::new(columns::RELATION)
                .with(columns::OID, oid)
                .with(columns::DEFACLROLE, role)
                .with(columns::DEFACLNAMESPACE, schema)
                .with(columns::DEFACLOBJTYPE, code)
                .with(columns::DEFACLACL, new.to_stored());
            catalog.insert(&row)?;
            let address = address(oid);
            role::hold(env, role)?;
            catalog.record_role_dependency(&address, role, SharedDependencyKind::Owner)?;
            if schema.is_valid() {
                depend::record(env, address, object::schema(schema), DependencyKind::Auto)?;
            }
            oid
        }
    };
    catalog.change_acl_dependencies(&address(oid), role, &new.roles())
}

/// Removes a row.
pub(crate) fn forget(env: &Env<'_>, address: &ObjectAddress) -> Result<()> {
    let catalog = env.catalog();
    catalog.delete_dependencies(address, None)?;
    catalog.delete_shared_dependencies(address)?;
    let key = [Value::Oid(address.object)];
    catalog.delete_rows(index::PG_DEFAULT_ACL_OID_INDEX, &key).map(drop)
}

/// Takes a role out of a row: DROP OWNED.
pub(super) fn revoke_all(env: &Env<'_>, address: &ObjectAddress, role: Oid) -> Result<()> {
    let key = [Value::Oid(address.object)];
    let rows = env.catalog().find_rows(index::PG_DEFAULT_ACL_OID_INDEX, &key)?;
    let Some((_, row)) = rows.first() else { return Ok(()) };
    let (owner, schema) = (row.oid(columns::DEFACLROLE)?, row.oid(columns::DEFACLNAMESPACE)?);
    let code = row.char(columns::DEFACLOBJTYPE)?;
    let kind = kind_of(code);
    let own = if schema.is_valid() { Acl::default() } else { acl::default_for(kind, owner) };
    let grantees = [role];
    let change = Change {
        grant: false,
        grant_option: false,
        grantees: &grantees,
        behavior: DropBehavior::Cascade,
    };
    set(env, (owner, schema, code), &own, |list| merge(list, &change, kind.all(), owner, owner))
}

fn kind_of(code: u8) -> AclKind {
    match code {
        b'S' => AclKind::Sequence,
        b'f' => AclKind::Function,
        b'T' => AclKind::Type,
        b'n' => AclKind::Namespace,
        b'L' => AclKind::LargeObject,
        _ => AclKind::Table,
    }
}

fn row_of(env: &Env<'_>, role: Oid, schema: Oid, code: u8) -> Result<Option<Acl>> {
    let key = [Value::Oid(role), Value::Oid(schema), Value::Char(code)];
    let by = index::PG_DEFAULT_ACL_ROLE_NSP_OBJ_INDEX;
    let rows = env.catalog().find_rows(by, &key)?;
    let Some((_, row)) = rows.first() else { return Ok(None) };
    let items = row.optional_texts(columns::DEFACLACL)?.unwrap_or_default();
    Acl::from_stored(&items).map(Some)
}

/// The list that an object begins with which `owner` makes in a schema; none where it is the
/// default of its kind.
fn initial(env: &Env<'_>, kind: AclKind, owner: Oid, schema: Oid) -> Result<Option<Acl>> {
    let code = code_of(kind);
    let everywhere = row_of(env, owner, Oid::INVALID, code)?;
    let here = match schema.is_valid() {
        true => row_of(env, owner, schema, code)?,
        false => None,
    };
    if everywhere.is_none() && here.is_none() {
        return Ok(None);
    }
    let own = acl::default_for(kind, owner);
    let mut list = everywhere.unwrap_or_else(|| own.clone());
    for item in here.unwrap_or_default().0 {
        list.add(item);
    }
    let list = sorted(list);
    Ok((list != sorted(own)).then_some(list))
}

/// Stores the list of a new object: returns what its row gets, after noting the roles.
pub(crate) fn for_new(
    env: &Env<'_>,
    kind: AclKind,
    address: &ObjectAddress,
    owner: Oid,
    schema: Oid,
) -> Result<Option<Vec<String>>> {
    let Some(acl) = initial(env, kind, owner, schema)? else { return Ok(None) };
    for role in acl.roles() {
        role::hold(env, role)?;
    }
    env.catalog().change_acl_dependencies(address, owner, &acl.roles())?;
    Ok(Some(acl.to_stored()))
}
