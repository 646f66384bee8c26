//! has_*_privilege and pg_has_role.
//!
//! All forms of one function are one here: whether a role or an object is given by name or by
//! number is seen from the argument. The role is left out for the current one.

use crate::acl::{foreign_owner, unrecognized};
use crate::shim::catalog;
use base::{Error, Oid, Result, err};
use catalog::Catalog;
use catalog::acl::{self, ALL, Acl, AclKind, Privilege, Privileges};
use catalog::columns::*;
use catalog::store::{Row, Value};
use expr::{Call, Datum, Entry};

/// A kind of objects: where its privileges are, and which there are.
#[derive(Clone, Copy)]
struct Kind {
    /// `None` for servers and foreign-data wrappers.
    acl: Option<AclKind>,
    by_oid: Oid,
    owner: i16,
    list: i16,
    privileges: &'static [Privilege],
    find: fn(&Catalog, &str) -> Result<Oid>,
}

const TABLE_PRIVILEGES: &[Privilege] = &[
    Privilege::Select,
    Privilege::Insert,
    Privilege::Update,
    Privilege::Delete,
    Privilege::Truncate,
    Privilege::References,
    Privilege::Trigger,
    Privilege::Maintain,
];
const COLUMN_PRIVILEGES: &[Privilege] =
    &[Privilege::Select, Privilege::Insert, Privilege::Update, Privilege::References];

const RELATION: Kind = Kind {
    acl: Some(AclKind::Table),
    by_oid: index::PG_CLASS_OID_INDEX,
    owner: pg_class::RELOWNER,
    list: pg_class::RELACL,
    privileges: TABLE_PRIVILEGES,
    find: |catalog, name| catalog.regclass(name),
};
const SEQUENCE: Kind = Kind {
    acl: Some(AclKind::Sequence),
    privileges: &[Privilege::Usage, Privilege::Select, Privilege::Update],
    ..RELATION
};
const DATABASE: Kind = Kind {
    acl: Some(AclKind::Database),
    by_oid: index::PG_DATABASE_OID_INDEX,
    owner: pg_database::DATDBA,
    list: pg_database::DATACL,
    privileges: &[Privilege::Create, Privilege::Temporary, Privilege::Connect],
    find: |catalog, name| {
        let found = catalog.database_named(name)?.map(|row| row.oid);
        found.ok_or_else(|| err!(UNDEFINED_DATABASE, "database \"{name}\" does not exist"))
    },
};
const FUNCTION: Kind = Kind {
    acl: Some(AclKind::Function),
    by_oid: index::PG_PROC_OID_INDEX,
    owner: pg_proc::PROOWNER,
    list: pg_proc::PROACL,
    privileges: &[Privilege::Execute],
    find: |catalog, name| catalog.regprocedure(name),
};
const LANGUAGE: Kind = Kind {
    acl: Some(AclKind::Language),
    by_oid: index::PG_LANGUAGE_OID_INDEX,
    owner: pg_language::LANOWNER,
    list: pg_language::LANACL,
    privileges: &[Privilege::Usage],
    find: |catalog, name| {
        let found = catalog.language_named(name)?.map(|row| row.oid);
        found.ok_or_else(|| err!(UNDEFINED_OBJECT, "language \"{name}\" does not exist"))
    },
};
const SCHEMA: Kind = Kind {
    acl: Some(AclKind::Namespace),
    by_oid: index::PG_NAMESPACE_OID_INDEX,
    owner: pg_namespace::NSPOWNER,
    list: pg_namespace::NSPACL,
    privileges: &[Privilege::Create, Privilege::Usage],
    find: |catalog, name| {
        let found = catalog.namespace_named(name)?.map(|row| row.oid);
        found.ok_or_else(|| err!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"))
    },
};
const TABLESPACE: Kind = Kind {
    acl: Some(AclKind::Tablespace),
    by_oid: index::PG_TABLESPACE_OID_INDEX,
    owner: pg_tablespace::SPCOWNER,
    list: pg_tablespace::SPCACL,
    privileges: &[Privilege::Create],
    find: |catalog, name| {
        by_name(catalog, index::PG_TABLESPACE_SPCNAME_INDEX, pg_tablespace::OID, "tablespace", name)
    },
};
const TYPE: Kind = Kind {
    acl: Some(AclKind::Type),
    by_oid: index::PG_TYPE_OID_INDEX,
    owner: pg_type::TYPOWNER,
    list: pg_type::TYPACL,
    privileges: &[Privilege::Usage],
    find: |catalog, name| catalog.type_by_sql_name(name).map(|(oid, _)| oid),
};
const WRAPPER: Kind = Kind {
    acl: None,
    by_oid: index::PG_FOREIGN_DATA_WRAPPER_OID_INDEX,
    owner: pg_foreign_data_wrapper::FDWOWNER,
    list: pg_foreign_data_wrapper::FDWACL,
    privileges: &[Privilege::Usage],
    find: |catalog, name| {
        let index = index::PG_FOREIGN_DATA_WRAPPER_NAME_INDEX;
        by_name(catalog, index, pg_foreign_data_wrapper::OID, "foreign-data wrapper", name)
    },
};
const SERVER: Kind = Kind {
    acl: None,
    by_oid: index::PG_FOREIGN_SERVER_OID_INDEX,
    owner: pg_foreign_server::SRVOWNER,
    list: pg_foreign_server::SRVACL,
    privileges: &[Privilege::Usage],
    find: |catalog, name| {
        let index = index::PG_FOREIGN_SERVER_NAME_INDEX;
        by_name(catalog, index, pg_foreign_server::OID, "server", name)
    },
};

fn by_name(catalog: &Catalog, index: Oid, oid: i16, what: &str, name: &str) -> Result<Oid> {
    let found = catalog.find_rows(index, &[Value::Text(name.to_owned())])?;
    match found.first() {
        Some((_, row)) => row.oid(oid),
        None => Err(err!(UNDEFINED_OBJECT, "{what} \"{name}\" does not exist")),
    }
}

/// The role of a first argument; 0 is PUBLIC.
fn role(catalog: &Catalog, argument: &Datum<'_>) -> Result<Oid> {
    match argument {
        Datum::Oid(oid) => Ok(Oid(*oid)),
        Datum::Text("public") => Ok(Oid::INVALID),
        other => Ok(catalog.require_role(other.text()?)?.oid),
    }
}

/// The privileges of a list such as `SELECT, UPDATE WITH GRANT OPTION`, each with whether the
/// option is meant.
fn wanted(text: &str, known: &[Privilege]) -> Result<Vec<(Privilege, bool)>> {
    let parse = |word: &str| {
        let upper = word.to_ascii_uppercase();
        let (name, option) = match upper.strip_suffix(" WITH GRANT OPTION") {
            Some(name) => (name.trim_end(), true),
            None => (upper.as_str(), false),
        };
        let name = if name == "TEMP" { "TEMPORARY" } else { name };
        let found = ALL.iter().find(|(privilege, _, n)| *n == name && known.contains(privilege));
        found.map(|(privilege, ..)| (*privilege, option)).ok_or_else(|| unrecognized(word))
    };
    text.split(',').map(|word| parse(word.trim())).collect()
}

/// What a role may do by a list, and what it may grant on.
fn held(
    catalog: &Catalog,
    role: Oid,
    kind: Option<AclKind>,
    owner: Oid,
    acl: Option<Acl>,
) -> Result<(Privileges, Privileges)> {
    let all = kind.map_or(Privileges::of("U"), AclKind::all);
    if role.is_valid() && catalog.is_superuser(role)? {
        return Ok((all, all));
    }
    let roles = if role.is_valid() { catalog.roles_held(role)? } else { Vec::new() };
    let acl = match (acl, kind) {
        (Some(acl), _) => acl,
        (None, Some(kind)) => acl::default_for(kind, owner),
        (None, None) => Acl(vec![foreign_owner(owner)]),
    };
    let (held, mut grant) = acl.held(&roles);
    if roles.contains(&owner) {
        grant = all;
    }
    let given = kind.map_or(Privileges::NONE, |kind| acl::predefined(kind, &roles));
    Ok((held.union(given), grant))
}

fn list(row: &Row, attribute: i16) -> Result<Option<Acl>> {
    row.optional_texts(attribute)?.map(|items| Acl::from_stored(&items)).transpose()
}

fn any(wanted: &[(Privilege, bool)], (held, grant): (Privileges, Privileges)) -> bool {
    wanted.iter().any(
        |(privilege, option)| {
            if *option { grant.has(*privilege) } else { held.has(*privilege) }
        },
    )
}

/// The role, the object's number and its row; no row when the number names nothing.
fn target<'a, 'm>(
    catalog: &Catalog,
    kind: &Kind,
    args: &'a [Datum<'m>],
    with_role: bool,
) -> Result<(Oid, &'a [Datum<'m>], Oid, Option<Row>)> {
    let (role, rest) = match args {
        [first, rest @ ..] if with_role => (role(catalog, first)?, rest),
        _ => (catalog.user(), args),
    };
    let [object, rest @ ..] = rest else {
        return Err(Error::internal("a privilege is asked for without an object"));
    };
    let oid = match object {
        Datum::Oid(oid) => Oid(*oid),
        name => (kind.find)(catalog, name.text()?)?,
    };
    let row = catalog.find_rows(kind.by_oid, &[Value::Oid(oid)])?.into_iter().next();
    Ok((role, rest, oid, row.map(|(_, row)| row)))
}

/// The privileges on an object.
fn on_object(
    catalog: &Catalog,
    kind: &Kind,
    role: Oid,
    row: &Row,
) -> Result<(Privileges, Privileges)> {
    held(catalog, role, kind.acl, row.oid(kind.owner)?, list(row, kind.list)?)
}

fn ask<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>], kind: &Kind) -> Result<Datum<'m>> {
    let catalog = catalog(cx)?;
    let (role, rest, oid, row) = target(catalog, kind, args, args.len() == 3)?;
    let [text] = rest else { return Err(Error::internal("a privilege is asked for unnamed")) };
    if kind.acl == Some(AclKind::Sequence)
        && let Some(row) = &row
        && row.char(pg_class::RELKIND)? != b'S'
    {
        let name = row.text(pg_class::RELNAME)?;
        return Err(err!(WRONG_OBJECT_TYPE, "\"{name}\" is not a sequence"));
    }
    let wanted = wanted(text.text()?, kind.privileges)?;
    let Some(row) = row else { return Ok(Datum::Null) };
    let own_schema = kind.by_oid == SCHEMA.by_oid && oid == catalog.temporary_namespace();
    let mut kind = *kind;
    if kind.acl == Some(AclKind::Table) && row.char(pg_class::RELKIND)? == b'S' {
        kind.acl = Some(AclKind::Sequence);
    }
    Ok(Datum::Bool(own_schema || any(&wanted, on_object(catalog, &kind, role, &row)?)))
}

/// The privileges on a column, without those on its table; none if there is no such column.
fn on_column(
    catalog: &Catalog,
    role: Oid,
    table: &Row,
    attribute: &Row,
) -> Result<(Privileges, Privileges)> {
    match list(attribute, pg_attribute::ATTACL)? {
        Some(acl) => {
            let owner = table.oid(pg_class::RELOWNER)?;
            held(catalog, role, Some(AclKind::Column), owner, Some(acl))
        }
        None => Ok((Privileges::NONE, Privileges::NONE)),
    }
}

fn columns(catalog: &Catalog, table: Oid) -> Result<Vec<Row>> {
    let index = index::PG_ATTRIBUTE_RELID_ATTNUM_INDEX;
    let rows = catalog.find_rows(index, &[Value::Oid(table)])?;
    let mut live = Vec::new();
    for (_, row) in rows {
        if !row.bool(pg_attribute::ATTISDROPPED)? {
            live.push(row);
        }
    }
    Ok(live)
}

/// The row of a column by its number or its name.
fn find_column(catalog: &Catalog, table: Oid, wanted: &Datum<'_>) -> Result<Option<Row>> {
    if let Datum::Int2(number) = wanted {
        let index = index::PG_ATTRIBUTE_RELID_ATTNUM_INDEX;
        let rows = catalog.find_rows(index, &[Value::Oid(table), Value::Int2(*number)])?;
        let Some((_, row)) = rows.into_iter().next() else { return Ok(None) };
        return Ok((!row.bool(pg_attribute::ATTISDROPPED)?).then_some(row));
    }
    let name = wanted.text()?;
    for row in columns(catalog, table)? {
        if row.text(pg_attribute::ATTNAME)? == name {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

fn column<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let catalog = catalog(cx)?;
    let (role, rest, oid, row) = target(catalog, &RELATION, args, args.len() == 4)?;
    let [wanted_column, text] = rest else {
        return Err(Error::internal("a privilege is asked for unnamed"));
    };
    let wanted = wanted(text.text()?, COLUMN_PRIVILEGES)?;
    let Some(row) = row else { return Ok(Datum::Null) };
    let Some(attribute) = find_column(catalog, oid, wanted_column)? else {
        return match wanted_column {
            Datum::Text(name) => Err(err!(
                UNDEFINED_COLUMN,
                "column \"{name}\" of relation \"{}\" does not exist",
                row.text(pg_class::RELNAME)?
            )),
            _ => Ok(Datum::Null),
        };
    };
    let on_table = any(&wanted, on_object(catalog, &RELATION, role, &row)?);
    Ok(Datum::Bool(on_table || any(&wanted, on_column(catalog, role, &row, &attribute)?)))
}

fn any_column<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let catalog = catalog(cx)?;
    let (role, rest, oid, row) = target(catalog, &RELATION, args, args.len() == 3)?;
    let [text] = rest else { return Err(Error::internal("a privilege is asked for unnamed")) };
    let wanted = wanted(text.text()?, COLUMN_PRIVILEGES)?;
    let Some(row) = row else { return Ok(Datum::Null) };
    if any(&wanted, on_object(catalog, &RELATION, role, &row)?) {
        return Ok(Datum::Bool(true));
    }
    for attribute in columns(catalog, oid)? {
        if any(&wanted, on_column(catalog, role, &row, &attribute)?) {
            return Ok(Datum::Bool(true));
        }
    }
    Ok(Datum::Bool(false))
}

fn has_role<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let catalog = catalog(cx)?;
    let named = |argument: &Datum<'_>| match argument {
        Datum::Oid(oid) => Ok(Oid(*oid)),
        name => catalog.require_role(name.text()?).map(|role| role.oid),
    };
    let (member, rest) = match args {
        [member, rest @ ..] if args.len() == 3 => (named(member)?, rest),
        _ => (catalog.user(), args),
    };
    let [target, text] = rest else { return Err(Error::internal("a role is asked for unnamed")) };
    let target = named(target)?;
    for word in text.text()?.split(',').map(str::trim) {
        let upper = word.to_ascii_uppercase();
        let has = match upper.as_str() {
            "USAGE" => catalog.has_privileges_of(member, target)?,
            "MEMBER" => catalog.is_member_of(member, target)?,
            "SET" => catalog.can_set_role(member, target)?,
            _ => {
                let bare = upper
                    .strip_suffix(" WITH GRANT OPTION")
                    .or_else(|| upper.strip_suffix(" WITH ADMIN OPTION"));
                if !matches!(bare, Some("USAGE" | "MEMBER" | "SET")) {
                    return Err(unrecognized(word));
                }
                catalog.is_admin_of(member, target)?
            }
        };
        if has {
            return Ok(Datum::Bool(true));
        }
    }
    Ok(Datum::Bool(false))
}

macro_rules! forms {
    ($kind:expr, $($name:literal)*) => {
        &[$(crate::shim::raw!($name, |cx, args| ask(cx, args, &$kind))),*]
    };
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[
    forms!(RELATION, "has_table_privilege_id" "has_table_privilege_id_id"
        "has_table_privilege_id_name" "has_table_privilege_name" "has_table_privilege_name_id"
        "has_table_privilege_name_name"),
    forms!(SEQUENCE, "has_sequence_privilege_id" "has_sequence_privilege_id_id"
        "has_sequence_privilege_id_name" "has_sequence_privilege_name"
        "has_sequence_privilege_name_id" "has_sequence_privilege_name_name"),
    forms!(DATABASE, "has_database_privilege_id" "has_database_privilege_id_id"
        "has_database_privilege_id_name" "has_database_privilege_name"
        "has_database_privilege_name_id" "has_database_privilege_name_name"),
    forms!(FUNCTION, "has_function_privilege_id" "has_function_privilege_id_id"
        "has_function_privilege_id_name" "has_function_privilege_name"
        "has_function_privilege_name_id" "has_function_privilege_name_name"),
    forms!(LANGUAGE, "has_language_privilege_id" "has_language_privilege_id_id"
        "has_language_privilege_id_name" "has_language_privilege_name"
        "has_language_privilege_name_id" "has_language_privilege_name_name"),
    forms!(SCHEMA, "has_schema_privilege_id" "has_schema_privilege_id_id"
        "has_schema_privilege_id_name" "has_schema_privilege_name"
        "has_schema_privilege_name_id" "has_schema_privilege_name_name"),
    forms!(TABLESPACE, "has_tablespace_privilege_id" "has_tablespace_privilege_id_id"
        "has_tablespace_privilege_id_name" "has_tablespace_privilege_name"
        "has_tablespace_privilege_name_id" "has_tablespace_privilege_name_name"),
    forms!(TYPE, "has_type_privilege_id" "has_type_privilege_id_id" "has_type_privilege_id_name"
        "has_type_privilege_name" "has_type_privilege_name_id" "has_type_privilege_name_name"),
    forms!(WRAPPER, "has_foreign_data_wrapper_privilege_id"
        "has_foreign_data_wrapper_privilege_id_id" "has_foreign_data_wrapper_privilege_id_name"
        "has_foreign_data_wrapper_privilege_name" "has_foreign_data_wrapper_privilege_name_id"
        "has_foreign_data_wrapper_privilege_name_name"),
    forms!(SERVER, "has_server_privilege_id" "has_server_privilege_id_id"
        "has_server_privilege_id_name" "has_server_privilege_name"
        "has_server_privilege_name_id" "has_server_privilege_name_name"),
    &[
        Entry::scalar("has_column_privilege_id_attnum", column),
        Entry::scalar("has_column_privilege_id_id_attnum", column),
        Entry::scalar("has_column_privilege_id_id_name", column),
        Entry::scalar("has_column_privilege_id_name", column),
        Entry::scalar("has_column_privilege_id_name_attnum", column),
        Entry::scalar("has_column_privilege_id_name_name", column),
        Entry::scalar("has_column_privilege_name_attnum", column),
        Entry::scalar("has_column_privilege_name_id_attnum", column),
        Entry::scalar("has_column_privilege_name_id_name", column),
        Entry::scalar("has_column_privilege_name_name", column),
        Entry::scalar("has_column_privilege_name_name_attnum", column),
        Entry::scalar("has_column_privilege_name_name_name", column),
        Entry::scalar("has_any_column_privilege_id", any_column),
        Entry::scalar("has_any_column_privilege_id_id", any_column),
        Entry::scalar("has_any_column_privilege_id_name", any_column),
        Entry::scalar("has_any_column_privilege_name", any_column),
        Entry::scalar("has_any_column_privilege_name_id", any_column),
        Entry::scalar("has_any_column_privilege_name_name", any_column),
        Entry::scalar("pg_has_role_id", has_role),
        Entry::scalar("pg_has_role_id_id", has_role),
        Entry::scalar("pg_has_role_id_name", has_role),
        Entry::scalar("pg_has_role_name", has_role),
        Entry::scalar("pg_has_role_name_id", has_role),
        Entry::scalar("pg_has_role_name_name", has_role),
    ],
];
