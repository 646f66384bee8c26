//! The objects that statements name, whatever their kind.

use crate::Env;
use crate::object::{self, ObjectAddress};
use base::{Error, Oid, Result, err};
use catalog::columns::{pg_proc, pg_type};
use catalog::rows::ProcKind;
use parse::{ObjectRef, ObjectType, ObjectWithArgs};

/// The object of a name.
///
/// # Errors
/// 42704 and its like when there is none; 0A000 for kinds that are never named this way.
pub(crate) fn resolve(
    env: &Env<'_>,
    kind: ObjectType,
    name: &ObjectRef<'_>,
) -> Result<ObjectAddress> {
    match (kind, name) {
        (ObjectType::Type | ObjectType::Domain, ObjectRef::Type(name)) => {
            Ok(object::ty(analyze::resolve_type(env.session, env.source, name)?.0))
        }
        (ObjectType::Type | ObjectType::Domain, ObjectRef::Name(parts)) => named_type(env, parts),
        (
            ObjectType::Function
            | ObjectType::Procedure
            | ObjectType::Routine
            | ObjectType::Aggregate,
            ObjectRef::Function(name),
        ) => Ok(ObjectAddress::new(pg_proc::RELATION, function(env, kind, name)?)),
        _ => Err(Error::unsupported(format!(
            "naming objects of kind {kind:?} is not supported here"
        ))),
    }
}

/// The schema and the bare name.
pub(crate) fn split<'a>(parts: &[&'a str]) -> Result<(Option<&'a str>, &'a str)> {
    match parts {
        [.., schema, name] => Ok((Some(schema), name)),
        [name] => Ok((None, name)),
        [] => Err(Error::internal("an object without a name")),
    }
}

fn named_type(env: &Env<'_>, parts: &[&str]) -> Result<ObjectAddress> {
    let (schema, name) = split(parts)?;
    match env.catalog().type_named(schema, name)? {
        Some(ty) => Ok(ObjectAddress::new(pg_type::RELATION, ty.oid)),
        None => Err(err!(UNDEFINED_OBJECT, "type \"{}\" does not exist", parts.join("."))),
    }
}

fn word(kind: ObjectType) -> &'static str {
    match kind {
        ObjectType::Procedure => "procedure",
        ObjectType::Aggregate => "aggregate",
        ObjectType::Routine => "routine",
        _ => "function",
    }
}

/// The function of a name and the types of its input arguments.
fn function(env: &Env<'_>, kind: ObjectType, name: &ObjectWithArgs<'_>) -> Result<Oid> {
    let catalog = env.catalog();
    let (schema, bare) = split(name.name)?;
    let mut types = Vec::new();
    for argument in name.args.iter().flatten() {
        types.push(analyze::resolve_type(env.session, env.source, argument)?.0);
    }
    let mut found = catalog.procs_named(schema, bare)?;
    if !name.args_unspecified {
        found.retain(|one| *one.proc.args == *types);
    }
    let shown = name.name.join(".");
    let [.., _] = found.as_slice() else {
        return Err(missing(env, kind, &shown, (!name.args_unspecified).then_some(&types))?);
    };
    if name.args_unspecified && found.len() > 1 {
        return Err(err!(AMBIGUOUS_FUNCTION, "{} name \"{shown}\" is not unique", word(kind))
            .hint(format!(
                "Specify the argument list to select the {} unambiguously.",
                word(kind)
            )));
    }
    let Some(first) = found.into_iter().min_by_key(|one| one.place) else {
        return Err(Error::internal("a function was found and is gone"));
    };
    let signature = catalog.proc_text(first.proc.oid)?;
    let is = |wanted: &[ProcKind]| wanted.contains(&first.proc.kind);
    let (fits, what) = match kind {
        ObjectType::Procedure => (is(&[ProcKind::Procedure]), "a procedure"),
        ObjectType::Aggregate => (is(&[ProcKind::Aggregate]), "an aggregate function"),
        ObjectType::Function => (!is(&[ProcKind::Procedure]), "a function"),
        _ => (true, ""),
    };
    if !fits {
        let wrong = if kind == ObjectType::Aggregate { "function " } else { "" };
        return Err(err!(WRONG_OBJECT_TYPE, "{wrong}{signature} is not {what}"));
    }
    Ok(first.proc.oid)
}

fn missing(env: &Env<'_>, kind: ObjectType, name: &str, types: Option<&Vec<Oid>>) -> Result<Error> {
    let Some(types) = types else {
        return Ok(err!(UNDEFINED_FUNCTION, "could not find a {} named \"{name}\"", word(kind)));
    };
    let shown: Result<Vec<String>> =
        types.iter().map(|oid| env.catalog().format_type(*oid, None)).collect();
    let (word, shown) = (word(kind), shown?.join(", "));
    Ok(err!(UNDEFINED_FUNCTION, "{word} {name}({shown}) does not exist"))
}
