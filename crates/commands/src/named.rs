//! Objects of kinds that have nothing but a name, or a name and a schema, and parts of relations.

use crate::object::ObjectAddress;
use crate::resolve::split;
use crate::table::alter::find;
use crate::{Env, LockMode};
use base::{Error, Oid, Result, SqlState, err};
use catalog::columns::*;
use catalog::store::Row;
use parse::{ObjectRef, ObjectType, RangeVar, TypeName};

/// How the objects of a kind are found.
struct Kind {
    kind: ObjectType,
    class: Oid,
    name: i16,
    /// For objects that stand in schemas.
    namespace: Option<i16>,
    /// Who may do anything with it; superusers alone where there is none.
    owner: Option<i16>,
    word: &'static str,
}

const fn kind(
    kind: ObjectType,
    class: Oid,
    name: i16,
    namespace: Option<i16>,
    owner: Option<i16>,
    word: &'static str,
) -> Kind {
    Kind { kind, class, name, namespace, owner, word }
}

const KINDS: &[Kind] = &[
    kind(ObjectType::AccessMethod, pg_am::RELATION, pg_am::AMNAME, None, None, "access method"),
    kind(
        ObjectType::Language,
        pg_language::RELATION,
        pg_language::LANNAME,
        None,
        Some(pg_language::LANOWNER),
        "language",
    ),
    kind(
        ObjectType::Extension,
        pg_extension::RELATION,
        pg_extension::EXTNAME,
        None,
        Some(pg_extension::EXTOWNER),
        "extension",
    ),
    kind(
        ObjectType::EventTrigger,
        pg_event_trigger::RELATION,
        pg_event_trigger::EVTNAME,
        None,
        Some(pg_event_trigger::EVTOWNER),
        "event trigger",
    ),
    kind(
        ObjectType::ForeignDataWrapper,
        pg_foreign_data_wrapper::RELATION,
        pg_foreign_data_wrapper::FDWNAME,
        None,
        Some(pg_foreign_data_wrapper::FDWOWNER),
        "foreign-data wrapper",
    ),
    kind(
        ObjectType::ForeignServer,
        pg_foreign_server::RELATION,
        pg_foreign_server::SRVNAME,
        None,
        Some(pg_foreign_server::SRVOWNER),
        "server",
    ),
    kind(
        ObjectType::Publication,
        pg_publication::RELATION,
        pg_publication::PUBNAME,
        None,
        Some(pg_publication::PUBOWNER),
        "publication",
    ),
    kind(
        ObjectType::Subscription,
        pg_subscription::RELATION,
        pg_subscription::SUBNAME,
        None,
        Some(pg_subscription::SUBOWNER),
        "subscription",
    ),
    kind(
        ObjectType::Collation,
        pg_collation::RELATION,
        pg_collation::COLLNAME,
        Some(pg_collation::COLLNAMESPACE),
        Some(pg_collation::COLLOWNER),
        "collation",
    ),
    kind(
        ObjectType::Conversion,
        pg_conversion::RELATION,
        pg_conversion::CONNAME,
        Some(pg_conversion::CONNAMESPACE),
        Some(pg_conversion::CONOWNER),
        "conversion",
    ),
    kind(
        ObjectType::Statistics,
        pg_statistic_ext::RELATION,
        pg_statistic_ext::STXNAME,
        Some(pg_statistic_ext::STXNAMESPACE),
        Some(pg_statistic_ext::STXOWNER),
        "statistics object",
    ),
    kind(
        ObjectType::TextSearchConfiguration,
        pg_ts_config::RELATION,
        pg_ts_config::CFGNAME,
        Some(pg_ts_config::CFGNAMESPACE),
        Some(pg_ts_config::CFGOWNER),
        "text search configuration",
    ),
    kind(
        ObjectType::TextSearchDictionary,
        pg_ts_dict::RELATION,
        pg_ts_dict::DICTNAME,
        Some(pg_ts_dict::DICTNAMESPACE),
        Some(pg_ts_dict::DICTOWNER),
        "text search dictionary",
    ),
    kind(
        ObjectType::TextSearchParser,
        pg_ts_parser::RELATION,
        pg_ts_parser::PRSNAME,
        Some(pg_ts_parser::PRSNAMESPACE),
        None,
        "text search parser",
    ),
    kind(
        ObjectType::TextSearchTemplate,
        pg_ts_template::RELATION,
        pg_ts_template::TMPLNAME,
        Some(pg_ts_template::TMPLNAMESPACE),
        None,
        "text search template",
    ),
];

/// The object of a kind that only has a name; none for other kinds.
///
/// # Errors
/// 42704 when there is none; 42501 unless it is the current user's.
pub(crate) fn owned(
    env: &Env<'_>,
    object_type: ObjectType,
    parts: &[&str],
) -> Result<Option<ObjectAddress>> {
    let Some(kind) = KINDS.iter().find(|one| one.kind == object_type) else { return Ok(None) };
    let catalog = env.catalog();
    let (schema, name) = split(parts)?;
    let schemas = match (kind.namespace, schema) {
        (Some(_), Some(schema)) => vec![catalog.require_namespace(schema)?],
        (Some(_), None) => catalog.search_path()?.to_vec(),
        (None, _) => Vec::new(),
    };
    let mut best: Option<(usize, Row)> = None;
    for (_, row) in catalog.all_rows(kind.class)? {
        if row.text(kind.name)? != name {
            continue;
        }
        let place = match kind.namespace {
            None => Some(0),
            Some(column) => {
                let namespace = row.oid(column)?;
                schemas.iter().position(|one| *one == namespace)
            }
        };
        if let Some(place) = place
            && best.as_ref().is_none_or(|(old, _)| place < *old)
        {
            best = Some((place, row));
        }
    }
    let Some((_, row)) = best else {
        let shown = parts.join(".");
        let encoding = match object_type {
            ObjectType::Collation => " for encoding \"UTF8\"",
            _ => "",
        };
        let message = format!("{} \"{shown}\"{encoding} does not exist", kind.word);
        return Err(Error::new(SqlState::UNDEFINED_OBJECT, message));
    };
    match kind.owner {
        Some(owner) => {
            catalog.require_owner(row.oid(owner)?, &format!("{} {name}", kind.word))?;
        }
        None if catalog.is_superuser(catalog.user())? => {}
        None => {
            return Err(Error::new(
                SqlState::INSUFFICIENT_PRIVILEGE,
                format!("must be superuser to comment on {}", kind.word),
            ));
        }
    }
    Ok(Some(ObjectAddress::new(kind.class, row.oid(1)?)))
}

/// The rule, trigger or policy of a relation; the last part is its name.
///
/// # Errors
/// 42P01, 42704; 42501 unless the relation is the current user's.
pub(crate) fn part_of_relation(
    env: &Env<'_>,
    object_type: ObjectType,
    parts: &[&str],
) -> Result<Option<ObjectAddress>> {
    let (class, relation_column, name_column, word) = match object_type {
        ObjectType::Rule => {
            (pg_rewrite::RELATION, pg_rewrite::EV_CLASS, pg_rewrite::RULENAME, "rule")
        }
        ObjectType::Trigger => {
            (pg_trigger::RELATION, pg_trigger::TGRELID, pg_trigger::TGNAME, "trigger")
        }
        ObjectType::Policy => {
            (pg_policy::RELATION, pg_policy::POLRELID, pg_policy::POLNAME, "policy")
        }
        _ => return Ok(None),
    };
    let [table @ .., name] = parts else {
        return Err(Error::internal("a part of a relation without a name"));
    };
    let (schema, bare) = split(table)?;
    let range = RangeVar {
        catalog: None,
        schema,
        name: bare,
        inherit: true,
        persistence: parse::Persistence::Permanent,
        alias: None,
        location: parse::Location::default(),
    };
    let relation = find(env, &range, LockMode::ShareUpdateExclusive)?;
    let catalog = env.catalog();
    catalog.require_owner(relation.owner, &format!("relation {}", relation.name))?;
    for (_, row) in catalog.all_rows(class)? {
        if row.oid(relation_column)? == relation.oid && row.text(name_column)? == *name {
            return Ok(Some(ObjectAddress::new(class, row.oid(1)?)));
        }
    }
    let (what, joint) = match object_type {
        ObjectType::Rule => ("relation", "for"),
        _ => ("table", "for"),
    };
    Err(err!(
        UNDEFINED_OBJECT,
        "{word} \"{name}\" {joint} {what} \"{}\" does not exist",
        relation.name
    ))
}

/// The function, operator, cast or domain constraint that a comment is for.
///
/// # Errors
/// 42883, 42704 when there is none; 42501 unless it is the current user's.
pub(crate) fn described(
    env: &Env<'_>,
    object_type: ObjectType,
    name: &ObjectRef<'_>,
) -> Result<ObjectAddress> {
    let catalog = env.catalog();
    let ty = |name: &TypeName<'_>| analyze::resolve_type(env.session, env.source, name);
    match (object_type, name) {
        (ObjectType::Operator, ObjectRef::Function(operator)) => {
            let (schema, bare) = split(operator.name)?;
            let mut types = Vec::new();
            for argument in operator.args {
                types.push(match argument {
                    Some(argument) => ty(argument)?.0,
                    None => Oid::INVALID,
                });
            }
            let [left, right] = types[..] else {
                return Err(Error::internal("an operator without two arguments"));
            };
            let Some(found) = catalog.operator_exact(schema, bare, left, right)? else {
                let shown = |oid: Oid| match oid.is_valid() {
                    true => catalog.format_type(oid, None),
                    false => Ok(String::new()),
                };
                let text = format!("{} {bare} {}", shown(left)?, shown(right)?);
                return Err(err!(UNDEFINED_FUNCTION, "operator does not exist: {}", text.trim()));
            };
            catalog.require_owner(found.owner, &format!("operator {bare}"))?;
            Ok(ObjectAddress::new(pg_operator::RELATION, found.oid))
        }
        (ObjectType::Cast, ObjectRef::Cast(source, target)) => {
            let (source, target) = (ty(source)?.0, ty(target)?.0);
            if let Some(found) = catalog.cast(source, target)? {
                return Ok(ObjectAddress::new(pg_cast::RELATION, found.oid));
            }
            Err(err!(
                UNDEFINED_OBJECT,
                "cast from type {} to type {} does not exist",
                catalog.format_type(source, None)?,
                catalog.format_type(target, None)?
            ))
        }
        (_, ObjectRef::DomainConstraint(domain, name)) => {
            let oid = ty(domain)?.0;
            for (_, row) in catalog.all_rows(pg_constraint::RELATION)? {
                if row.oid(pg_constraint::CONTYPID)? == oid
                    && row.text(pg_constraint::CONNAME)? == *name
                {
                    let oid = row.oid(pg_constraint::OID)?;
                    return Ok(ObjectAddress::new(pg_constraint::RELATION, oid));
                }
            }
            Err(err!(
                UNDEFINED_OBJECT,
                "constraint \"{name}\" for domain {} does not exist",
                catalog.format_type(oid, None)?
            ))
        }
        _ => {
            let address = crate::resolve::resolve(env, object_type, name)?;
            let proc = catalog.proc(address.object)?;
            let what = catalog.describe(&address)?;
            let word = what.split(' ').next().unwrap_or("function");
            catalog.require_owner(proc.owner, &format!("{word} {}", proc.name))?;
            Ok(address)
        }
    }
}
