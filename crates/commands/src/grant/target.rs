//! The lists of privileges that a statement changes.

use super::change::{Change, merge};
use super::privilege::Asked;
use crate::object::{self, ObjectAddress};
use crate::{Env, LockMode, database, relation_rows, resolve};
use base::{Error, Oid, Result, err};
use catalog::acl::{self, Acl, AclKind, Privileges};
use catalog::builtin::FIRST_USER;
use catalog::columns::{
    index, pg_attribute, pg_class, pg_database, pg_default_acl, pg_language, pg_namespace, pg_proc,
    pg_type,
};
use catalog::relation_word;
use catalog::rows::{ProcKind, RelationKind};
use catalog::store::{Row, Value};
use parse::{DropBehavior, GrantStmt, GrantTarget, ObjectRef, ObjectType};

/// Where a list stands.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In the object's own row.
    Object,
    /// In the row of a column.
    Column { attribute: i16, column: String },
}

/// An object, or a column, with its list of privileges.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: ObjectAddress,
    pub(super) place: Place,
    pub(super) kind: AclKind,
    /// The word for its kind in messages.
    word: &'static str,
    /// Its name without schema; for a column the relation's.
    pub(super) name: String,
    pub(super) owner: Oid,
    pub(super) acl: Option<Acl>,
}

/// Where the lists of a class of objects stand.
struct Class {
    class: Oid,
    by_oid: Oid,
    name: i16,
    owner: i16,
    acl: i16,
    kind: AclKind,
    word: &'static str,
}

const CLASSES: &[Class] = &[
    Class {
        class: pg_namespace::RELATION,
        by_oid: index::PG_NAMESPACE_OID_INDEX,
        name: pg_namespace::NSPNAME,
        owner: pg_namespace::NSPOWNER,
        acl: pg_namespace::NSPACL,
        kind: AclKind::Namespace,
        word: "schema",
    },
    Class {
        class: pg_database::RELATION,
        by_oid: index::PG_DATABASE_OID_INDEX,
        name: pg_database::DATNAME,
        owner: pg_database::DATDBA,
        acl: pg_database::DATACL,
        kind: AclKind::Database,
        word: "database",
    },
    Class {
        class: pg_proc::RELATION,
        by_oid: index::PG_PROC_OID_INDEX,
        name: pg_proc::PRONAME,
        owner: pg_proc::PROOWNER,
        acl: pg_proc::PROACL,
        kind: AclKind::Function,
        word: "function",
    },
    Class {
        class: pg_type::RELATION,
        by_oid: index::PG_TYPE_OID_INDEX,
        name: pg_type::TYPNAME,
        owner: pg_type::TYPOWNER,
        acl: pg_type::TYPACL,
        kind: AclKind::Type,
        word: "type",
    },
    Class {
        class: pg_language::RELATION,
        by_oid: index::PG_LANGUAGE_OID_INDEX,
        name: pg_language::LANNAME,
        owner: pg_language::LANOWNER,
        acl: pg_language::LANACL,
        kind: AclKind::Language,
        word: "language",
    },
    Class {
        class: pg_class::RELATION,
        by_oid: index::PG_CLASS_OID_INDEX,
        name: pg_class::RELNAME,
        owner: pg_class::RELOWNER,
        acl: pg_class::RELACL,
        kind: AclKind::Table,
        word: "table",
    },
];

fn class_of(class: Oid) -> Result<&'static Class> {
    CLASSES.iter().find(|one| one.class == class).ok_or_else(|| {
        let name = catalog::builtin::relation(class).map_or("?", |class| class.name);
        Error::unsupported(format!("privileges on objects of {name} are not supported yet"))
    })
}

fn list(row: &Row, attribute: i16) -> Result<Option<Acl>> {
    row.optional_texts(attribute)?.map(|items| Acl::from_stored(&items)).transpose()
}

impl Target {
    /// What messages call it: `table t`, `column "a" of relation "t"`.
    pub(super) fn described(&self) -> String {
        match &self.place {
            Place::Object => format!("{} {}", self.word, self.name),
            Place::Column { column, .. } => {
                format!("column \"{column}\" of relation \"{}\"", self.name)
            }
        }
    }

    /// A list, or what stands behind NULL.
    pub(super) fn list_or_default(&self, acl: Option<&Acl>) -> Acl {
        acl.cloned().unwrap_or_else(|| acl::default_for(self.kind, self.owner))
    }

    /// Stores the list, and which roles the object needs now.
    pub(super) fn store(&self, env: &Env<'_>, acl: &Acl) -> Result<()> {
        let catalog = env.catalog();
        match &self.place {
            Place::Object => {
                let class = class_of(self.address.class)?;
                let key = [Value::Oid(self.address.object)];
                catalog.update_rows(class.by_oid, &key, |row| {
                    row.set(class.acl, acl.to_stored());
                    Ok(())
                })?;
            }
            Place::Column { attribute, .. } => {
                // A column's list that is empty says nothing.
                let stored = (!acl.0.is_empty()).then(|| acl.to_stored());
                relation_rows::update_column(env, self.address.object, *attribute, |row| {
                    row.set(pg_attribute::ATTACL, stored.clone());
                    Ok(())
                })?;
            }
        }
        catalog.change_acl_dependencies(&self.address, self.owner, &acl.roles())
    }
}

/// Reads the list of an object.
fn open(env: &Env<'_>, address: ObjectAddress) -> Result<Target> {
    let class = class_of(address.class)?;
    let rows = env.catalog().find_rows(class.by_oid, &[Value::Oid(address.object)])?;
    let Some((_, row)) = rows.first() else {
        return Err(Error::internal("an object was found and is gone"));
    };
    let name = row.text(class.name)?;
    let mut target = Target {
        address,
        place: Place::Object,
        kind: class.kind,
        word: class.word,
        name,
        owner: row.oid(class.owner)?,
        acl: list(row, class.acl)?,
    };
    if address.class == pg_class::RELATION {
        let kind = row.code(pg_class::RELKIND, RelationKind::from_code)?;
        target.word = relation_word(kind);
        if kind == RelationKind::Sequence {
            target.kind = AclKind::Sequence;
        }
    }
    if address.class == pg_proc::RELATION
        && row.code(pg_proc::PROKIND, ProcKind::from_code)? == ProcKind::Procedure
    {
        target.word = "procedure";
    }
    Ok(target)
}

/// The targets of a statement.
pub(super) fn targets(env: &Env<'_>, statement: &GrantStmt<'_>) -> Result<Vec<Target>> {
    let mut addresses: Vec<ObjectAddress> = Vec::new();
    for name in statement.objects {
        if statement.target == GrantTarget::AllInSchema {
            let schema = env.catalog().require_namespace(simple(name)?)?;
            addresses.extend(all_in_schema(env, schema, statement.object_type)?);
        } else {
            addresses.push(named(env, statement.object_type, name)?);
        }
    }
    addresses.into_iter().map(|address| open(env, address)).collect()
}

fn simple<'a>(name: &ObjectRef<'a>) -> Result<&'a str> {
    match name {
        ObjectRef::Name([.., name]) => Ok(name),
        _ => Err(Error::internal("an object without a simple name")),
    }
}

fn named(env: &Env<'_>, kind: ObjectType, name: &ObjectRef<'_>) -> Result<ObjectAddress> {
    let catalog = env.catalog();
    match (kind, name) {
        (ObjectType::Table | ObjectType::Sequence, ObjectRef::Relation(range)) => {
            let Some(oid) = catalog.relation_named(range.schema, range.name)? else {
                let shown = match range.schema {
                    Some(schema) => format!("{schema}.{}", range.name),
                    None => range.name.to_string(),
                };
                return Err(err!(UNDEFINED_TABLE, "relation \"{shown}\" does not exist"));
            };
            env.lock(catalog.table_of_index(oid)?.unwrap_or(oid), LockMode::AccessShare)?;
            check_relation(env, oid, range.name, kind)?;
            Ok(object::relation(oid))
        }
        (ObjectType::Schema, name) => {
            let name = simple(name)?;
            match catalog.namespace_named(name)? {
                Some(schema) => Ok(object::schema(schema.oid)),
                None => Err(err!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist")),
            }
        }
        (ObjectType::Database, name) => {
            let oid = database::require(env, simple(name)?)?.oid;
            Ok(ObjectAddress::new(pg_database::RELATION, oid))
        }
        (ObjectType::Language, name) => {
            let name = simple(name)?;
            match catalog.language_named(name)? {
                Some(language) if !language.trusted => {
                    Err(err!(WRONG_OBJECT_TYPE, "language \"{name}\" is not trusted").detail(
                        "GRANT and REVOKE are not allowed on untrusted languages, because only \
                         superusers can use untrusted languages.",
                    ))
                }
                Some(language) => Ok(ObjectAddress::new(pg_language::RELATION, language.oid)),
                None => Err(err!(UNDEFINED_OBJECT, "language \"{name}\" does not exist")),
            }
        }
        (ObjectType::Type | ObjectType::Domain, name) => {
            let address = resolve::resolve(env, kind, name)?;
            check_type(env, address.object, kind)?;
            Ok(address)
        }
        (ObjectType::Function | ObjectType::Procedure | ObjectType::Routine, name) => {
            resolve::resolve(env, kind, name)
        }
        _ => Err(Error::unsupported(format!(
            "privileges on objects of kind {kind:?} are not supported yet"
        ))),
    }
}

fn check_relation(env: &Env<'_>, oid: Oid, name: &str, kind: ObjectType) -> Result<()> {
    let catalog = env.catalog();
    if catalog.table_of_index(oid)?.is_some() {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{name}\" is an index"));
    }
    let found = catalog.relation(oid)?.kind;
    if found == RelationKind::Composite {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{name}\" is a composite type"));
    }
    if kind == ObjectType::Sequence && found != RelationKind::Sequence {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{name}\" is not a sequence"));
    }
    Ok(())
}

fn check_type(env: &Env<'_>, oid: Oid, kind: ObjectType) -> Result<()> {
    use catalog::rows::TypeKind;
    let catalog = env.catalog();
    let ty = catalog.type_(oid)?;
    if ty.element.is_valid() && ty.len == -1 && ty.oid >= FIRST_USER {
        return Err(err!(INVALID_GRANT_OPERATION, "cannot set privileges of array types")
            .hint("Set the privileges of the element type instead."));
    }
    if kind == ObjectType::Domain && ty.kind != TypeKind::Domain {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is not a domain", ty.name));
    }
    Ok(())
}

fn all_in_schema(env: &Env<'_>, schema: Oid, kind: ObjectType) -> Result<Vec<ObjectAddress>> {
    let catalog = env.catalog();
    let mut found = Vec::new();
    if matches!(kind, ObjectType::Table | ObjectType::Sequence) {
        for (_, row) in catalog.all_rows(pg_class::RELATION)? {
            let sequence = row.char(pg_class::RELKIND)? == b'S';
            let relkind = row.char(pg_class::RELKIND)?;
            let fits = match kind {
                ObjectType::Sequence => sequence,
                _ => b"rvmfp".contains(&relkind),
            };
            if fits && row.oid(pg_class::RELNAMESPACE)? == schema {
                found.push(object::relation(row.oid(pg_class::OID)?));
            }
        }
    } else {
        for (_, row) in catalog.all_rows(pg_proc::RELATION)? {
            let procedure = row.char(pg_proc::PROKIND)? == b'p';
            let fits = match kind {
                ObjectType::Function => !procedure,
                ObjectType::Procedure => procedure,
                _ => true,
            };
            if fits && row.oid(pg_proc::PRONAMESPACE)? == schema {
                found.push(ObjectAddress::new(pg_proc::RELATION, row.oid(pg_proc::OID)?));
            }
        }
    }
    Ok(found)
}

/// The columns that a statement names, with what is asked for each, and whether it is ALL.
pub(super) fn columns(
    env: &Env<'_>,
    table: &Target,
    asked: &Asked<'_>,
) -> Result<Vec<(Target, Privileges, bool)>> {
    let mut columns: Vec<(Target, Privileges, bool)> = Vec::new();
    let relation = env.catalog().relation(table.address.object)?;
    for (privileges, names) in &asked.columns {
        for name in *names {
            let Some(column) = relation.column(name) else {
                return Err(err!(
                    UNDEFINED_COLUMN,
                    "column \"{name}\" of relation \"{}\" does not exist",
                    relation.name
                ));
            };
            let wanted = privileges.unwrap_or(AclKind::Column.all());
            let all = privileges.is_none();
            let target = of_column(table, column);
            add(&mut columns, target, wanted, all);
        }
    }
    Ok(columns)
}

fn add(
    columns: &mut Vec<(Target, Privileges, bool)>,
    target: Target,
    wanted: Privileges,
    all: bool,
) {
    match columns.iter_mut().find(|(one, ..)| one.address == target.address) {
        Some((_, privileges, _)) => *privileges = privileges.union(wanted),
        None => columns.push((target, wanted, all)),
    }
}

fn of_column(table: &Target, column: &catalog::relation::Column) -> Target {
    Target {
        address: object::column(table.address.object, column.attribute),
        place: Place::Column { attribute: column.attribute, column: column.name.clone() },
        kind: AclKind::Column,
        acl: column.acl.clone(),
        ..table.clone()
    }
}

/// Adds all columns: what is revoked from a table is revoked from each, system columns too.
pub(super) fn add_all_columns(
    env: &Env<'_>,
    table: &Target,
    taken: Privileges,
    columns: &mut Vec<(Target, Privileges, bool)>,
) -> Result<()> {
    /// From the first to the last.
    const SYSTEM: [(i16, &str); 6] =
        [(-6, "tableoid"), (-5, "cmax"), (-4, "xmax"), (-3, "cmin"), (-2, "xmin"), (-1, "ctid")];
    let relation = env.catalog().relation(table.address.object)?;
    if relation.kind == RelationKind::Table {
        for (attribute, name) in SYSTEM {
            let target = Target {
                address: object::column(table.address.object, attribute),
                place: Place::Column { attribute, column: name.to_owned() },
                kind: AclKind::Column,
                acl: None,
                ..table.clone()
            };
            add(columns, target, taken, taken == AclKind::Column.all());
        }
    }
    for column in relation.live_columns() {
        add(columns, of_column(table, column), taken, taken == AclKind::Column.all());
    }
    Ok(())
}

/// Takes a role out of the list of an object, whatever gave it its privileges: DROP OWNED.
pub(crate) fn revoke_all(env: &Env<'_>, address: &ObjectAddress, role: Oid) -> Result<()> {
    if address.class == pg_default_acl::RELATION {
        return super::defaults::revoke_all(env, address, role);
    }
    let whole = ObjectAddress { column: 0, ..*address };
    let mut target = open(env, whole)?;
    if address.column != 0 {
        let relation = env.catalog().relation(address.object)?;
        let attribute = i16::try_from(address.column).unwrap_or_default();
        let Some(column) = relation.column_at(attribute) else { return Ok(()) };
        target = of_column(&target, column);
    }
    let Some(mut acl) = target.acl.clone() else { return Ok(()) };
    let change = Change {
        grant: false,
        grant_option: false,
        grantees: &[role],
        behavior: DropBehavior::Cascade,
    };
    for grantor in acl.roles() {
        acl = merge(&acl, &change, target.kind.all(), grantor, target.owner)?;
    }
    target.store(env, &acl)
}
