//! DROP: the objects named, and with CASCADE whatever needs them.
//!
//! What goes is found by the dependencies in the catalog; everything is locked before anything is
//! removed, dependents before what they need.

use crate::object::{self, ObjectAddress};
use crate::{Env, LockMode};
use base::{Error, Oid, Result, err};
use catalog::columns::{pg_class, pg_constraint, pg_namespace, pg_type};
use catalog::depend::Behavior;
use catalog::relation_word as kind_word;
use catalog::rows::RelationKind;
use parse::{DropBehavior, DropStmt, ObjectRef, ObjectType};

/// Runs DROP for relations, schemas and types.
pub(crate) fn run(env: &Env<'_>, drop: &DropStmt<'_>) -> Result<()> {
    check_concurrent(drop)?;
    let mut targets = Vec::new();
    for object in drop.objects {
        targets.extend(find(env, drop, object)?);
    }
    remove(env, &targets, drop.behavior)
}

/// The words of a kind of objects.
fn words(kind: ObjectType) -> String {
    let mut words = String::new();
    for letter in format!("{kind:?}").chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_uppercase());
    }
    words
}

fn check_concurrent(drop: &DropStmt<'_>) -> Result<()> {
    let refused = |what: &str| {
        Err(err!(FEATURE_NOT_SUPPORTED, "DROP INDEX CONCURRENTLY does not support {what}"))
    };
    match drop.concurrent {
        true if drop.objects.len() != 1 => refused("dropping multiple objects"),
        true if drop.behavior == DropBehavior::Cascade => refused("CASCADE"),
        _ => Ok(()),
    }
}

/// Finds what a name means and locks it; who waited for that looks again.
fn find(
    env: &Env<'_>,
    drop: &DropStmt<'_>,
    object: &ObjectRef<'_>,
) -> Result<Option<ObjectAddress>> {
    let mut found = resolve(env, drop, object)?;
    while let Some(target) = found {
        acquire(env, &target)?;
        found = resolve(env, drop, object)?;
        if found == Some(target) {
            break;
        }
    }
    Ok(found)
}

fn resolve(
    env: &Env<'_>,
    drop: &DropStmt<'_>,
    object: &ObjectRef<'_>,
) -> Result<Option<ObjectAddress>> {
    let kind = match drop.object_type {
        ObjectType::Table => RelationKind::Table,
        ObjectType::View => RelationKind::View,
        ObjectType::Index => RelationKind::Index,
        ObjectType::Sequence => RelationKind::Sequence,
        ObjectType::MaterializedView => RelationKind::MaterializedView,
        ObjectType::Schema => return schema(env, drop, object),
        ObjectType::Type | ObjectType::Domain => return named_type(env, drop, object),
        other => {
            return Err(Error::unsupported(format!("DROP {} is not supported yet", words(other))));
        }
    };
    let (schema, name) = split(object)?;
    let catalog = env.catalog();
    let missing_schema = match schema {
        Some(schema) => catalog.explicit_namespace(schema)?.is_none(),
        None => false,
    };
    if missing_schema {
        let schema = schema.unwrap_or_default();
        if drop.missing_ok {
            env.notice(format!("schema \"{schema}\" does not exist, skipping"));
            return Ok(None);
        }
        return Err(err!(INVALID_SCHEMA_NAME, "schema \"{schema}\" does not exist"));
    }
    let Some(oid) = catalog.relation_named(schema, name)? else {
        let word = kind_word(kind);
        if drop.missing_ok {
            env.notice(format!("{word} \"{name}\" does not exist, skipping"));
            return Ok(None);
        }
        let state = base::SqlState::UNDEFINED_TABLE;
        let state = if matches!(kind, RelationKind::Index) {
            base::SqlState::UNDEFINED_OBJECT
        } else {
            state
        };
        return Err(Error::new(state, format!("{word} \"{name}\" does not exist")));
    };
    check_kind(env, oid, name, kind)?;
    Ok(Some(object::relation(oid)))
}

fn check_kind(env: &Env<'_>, oid: Oid, name: &str, wanted: RelationKind) -> Result<()> {
    let catalog = env.catalog();
    let (found, relation) = match catalog.table_of_index(oid)? {
        Some(table) => (RelationKind::Index, catalog.relation(table)?),
        None => {
            let relation = catalog.relation(oid)?;
            (relation.kind, relation)
        }
    };
    let owner = relation.owner;
    let schema_owner = catalog.namespace(relation.namespace)?.owner;
    if found != wanted {
        let article = if wanted == RelationKind::Index { "an" } else { "a" };
        let found = kind_word(found);
        return Err(err!(WRONG_OBJECT_TYPE, "\"{name}\" is not {article} {}", kind_word(wanted))
            .hint(format!(
                "Use DROP {} to remove {} {found}.",
                found.to_uppercase(),
                if found.starts_with('i') { "an" } else { "a" }
            )));
    }
    if oid < catalog::builtin::FIRST_USER {
        return Err(err!(
            INSUFFICIENT_PRIVILEGE,
            "permission denied: \"{name}\" is a system catalog"
        ));
    }
    if catalog.has_privileges_of(catalog.user(), schema_owner)? {
        return Ok(());
    }
    catalog.require_owner(owner, &format!("{} {name}", kind_word(wanted)))
}

fn schema(
    env: &Env<'_>,
    drop: &DropStmt<'_>,
    object: &ObjectRef<'_>,
) -> Result<Option<ObjectAddress>> {
    let (_, name) = split(object)?;
    let Some(found) = env.catalog().namespace_named(name)? else {
        if drop.missing_ok {
            env.notice(format!("schema \"{name}\" does not exist, skipping"));
            return Ok(None);
        }
        return Err(err!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"));
    };
    if found.oid < catalog::builtin::FIRST_USER && name != "public" {
        return Err(err!(
            DEPENDENT_OBJECTS_STILL_EXIST,
            "cannot drop schema {name} because it is required by the database system"
        ));
    }
    env.catalog().require_owner(found.owner, &format!("schema {name}"))?;
    Ok(Some(object::schema(found.oid)))
}

fn named_type(
    env: &Env<'_>,
    drop: &DropStmt<'_>,
    object: &ObjectRef<'_>,
) -> Result<Option<ObjectAddress>> {
    let ObjectRef::Type(name) = object else {
        return Err(Error::internal("a type that is not named as one"));
    };
    let catalog = env.catalog();
    let names = crate::user_type::names_of(name);
    let (schema, bare) = crate::user_type::split(names);
    let mut found = match schema {
        Some(schema) if catalog.explicit_namespace(schema)?.is_none() => {
            if !drop.missing_ok {
                return Err(err!(INVALID_SCHEMA_NAME, "schema \"{schema}\" does not exist"));
            }
            env.notice(format!("schema \"{schema}\" does not exist, skipping"));
            return Ok(None);
        }
        _ => catalog.type_named(schema, bare)?,
    };
    if !name.array_bounds.is_empty()
        && let Some(element) = found
    {
        found = catalog.find_type(element.array)?;
    }
    let Some(ty) = found else {
        let text = format!("type \"{}\" does not exist", names.join("."));
        if drop.missing_ok {
            env.notice(format!("{text}, skipping"));
            return Ok(None);
        }
        return Err(err!(UNDEFINED_OBJECT, "{text}"));
    };
    if drop.object_type == ObjectType::Domain {
        crate::user_type::require_domain(&ty, &format!("\"{}\"", names.join(".")))?;
    }
    if ty.oid < catalog::builtin::FIRST_USER {
        let shown = catalog.format_type(ty.oid, Some(-1))?;
        return Err(err!(
            DEPENDENT_OBJECTS_STILL_EXIST,
            "cannot drop type {shown} because it is required by the database system"
        ));
    }
    crate::user_type::require_owner(env, &ty)?;
    Ok(Some(object::ty(ty.oid)))
}

fn split<'a>(object: &ObjectRef<'a>) -> Result<(Option<&'a str>, &'a str)> {
    match object {
        ObjectRef::Relation(range) => Ok((range.schema, range.name)),
        ObjectRef::Name([.., schema, name]) => Ok((Some(schema), name)),
        ObjectRef::Name([name]) => Ok((None, name)),
        _ => Err(Error::internal("an object without a name")),
    }
}

/// Drops everything that a schema has, quietly; the schema stays.
///
/// # Errors
/// Those of storage.
pub fn drop_contents(env: &Env<'_>, namespace: Oid) -> Result<()> {
    let within = env.catalog().dependents_of(&object::schema(namespace))?;
    let targets: Vec<ObjectAddress> = within.iter().map(|one| one.dependent).collect();
    remove_as(env, &targets, Behavior::Cascade, true)
}

/// Drops relations and what needs them, quietly.
///
/// # Errors
/// Those of storage.
pub fn drop_relations(env: &Env<'_>, relations: &[Oid]) -> Result<()> {
    let targets: Vec<ObjectAddress> = relations.iter().map(|oid| object::relation(*oid)).collect();
    remove_as(env, &targets, Behavior::Cascade, true)
}

/// Removes objects with what belongs to them; with CASCADE also what needs them.
pub(crate) fn remove(
    env: &Env<'_>,
    targets: &[ObjectAddress],
    behavior: DropBehavior,
) -> Result<()> {
    let behavior = match behavior {
        DropBehavior::Restrict => Behavior::Restrict,
        DropBehavior::Cascade => Behavior::Cascade,
    };
    remove_as(env, targets, behavior, false)
}

fn remove_as(
    env: &Env<'_>,
    targets: &[ObjectAddress],
    behavior: Behavior,
    quietly: bool,
) -> Result<()> {
    if targets.is_empty() {
        return Ok(());
    }
    let catalog = env.catalog();
    // What was found is locked; what changed before it was locked is found again.
    loop {
        let generation = catalog.generation();
        let plan = catalog.plan_drop(targets, behavior)?;
        for object in &plan.objects {
            lock(env, object)?;
        }
        if catalog.generation() != generation {
            continue;
        }
        if let Some((message, detail)) = plan.notice.filter(|_| !quietly) {
            let mut notice = Error::new(base::SqlState::SUCCESSFUL_COMPLETION, message);
            notice.fields_mut().detail = detail;
            env.session.notice(notice);
        }
        for object in &plan.objects {
            delete(env, object)?;
        }
        return Ok(());
    }
}

/// Locks a relation, the tables of a foreign key, or what is named and has no relation around it:
/// schemas and types.
fn acquire(env: &Env<'_>, object: &ObjectAddress) -> Result<()> {
    match object.class {
        pg_class::RELATION if object.column == 0 => {
            // Readers of an index hold the lock of its table only.
            let owner = env.catalog().table_of_index(object.object)?;
            env.lock(owner.unwrap_or(object.object), LockMode::AccessExclusive)
        }
        pg_namespace::RELATION | pg_type::RELATION => {
            env.server.lock_object(object.class, object.object, LockMode::AccessExclusive)
        }
        pg_constraint::RELATION => {
            // Who changes either table of a foreign key asks what it demands.
            let found = env.catalog().find_constraint(object.object)?;
            let Some((constraint, table, _)) = found else { return Ok(()) };
            let Some(foreign) = constraint.foreign else { return Ok(()) };
            env.lock(table, LockMode::AccessExclusive)?;
            env.lock(foreign.table, LockMode::AccessExclusive)
        }
        _ => Ok(()),
    }
}

fn lock(env: &Env<'_>, object: &ObjectAddress) -> Result<()> {
    acquire(env, object)?;
    if object.class != pg_class::RELATION || object.column != 0 {
        return Ok(());
    }
    if env.storage.in_use(object.object) {
        let what = env.catalog().describe(object)?;
        let (word, name) = what.rsplit_once(' ').unwrap_or(("", &what));
        return Err(err!(
            OBJECT_IN_USE,
            "cannot DROP {} \"{name}\" because it is being used by active queries in this session",
            word.to_uppercase()
        ));
    }
    if env.storage.has_pending_events(object.object) {
        let what = env.catalog().describe(object)?;
        let (word, name) = what.rsplit_once(' ').unwrap_or(("", &what));
        let action = format!("DROP {}", word.to_uppercase());
        crate::object::refuse_pending(env, object.object, &action, name)?;
    }
    Ok(())
}

/// Removes one object: its tree, its rows, or the mark that makes it a column.
fn delete(env: &Env<'_>, object: &ObjectAddress) -> Result<()> {
    let catalog = env.catalog();
    if object.class == pg_class::RELATION && object.column != 0 {
        let attribute = i16::try_from(object.column).unwrap_or_default();
        catalog.delete_dependencies(object, None)?;
        catalog.delete_comments(object)?;
        return crate::table::alter::forget_column(env, object.object, attribute);
    }
    if object.class == pg_class::RELATION {
        let file = match catalog.table_of_index(object.object)? {
            Some(_) => catalog.index(object.object)?.file,
            None => {
                env.storage.change_all(object.object)?;
                catalog.relation(object.object)?.file
            }
        };
        if file.0 != 0 {
            env.storage.drop_tree(file)?;
        }
    }
    catalog.remove_object(object)
}
