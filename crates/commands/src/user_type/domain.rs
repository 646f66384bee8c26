//! CREATE DOMAIN, and the constraints of domains.

use super::{insert, place, split};
use crate::relation_rows::{insert_array_type, type_row};
use crate::table::column;
use crate::table::constraint::object_name;
use crate::{Env, depend, object};
use analyze::{StoredContext, StoredTarget, analyze_domain_check, analyze_expression, stored};
use base::{Error, Oid, Result, err};
use catalog::columns::{index, pg_constraint, pg_type};
use catalog::rows::{ConstraintKind as Kind, DependencyKind, Ref, Type, TypeKind};
use catalog::store::{Row, Value};
use parse::{Constraint, ConstraintKind, CreateDomainStmt, Expression};

/// The functions domain_in and domain_recv.
const INPUT: Oid = Oid(2597);
const RECEIVE: Oid = Oid(2598);

/// A domain that constraints are added to.
pub(super) struct Domain<'a> {
    pub(super) oid: Oid,
    pub(super) name: &'a str,
    pub(super) namespace: Oid,
    pub(super) base: Oid,
    pub(super) typmod: i32,
}

/// Runs CREATE DOMAIN.
pub(crate) fn create(env: &Env<'_>, create: &CreateDomainStmt<'_>) -> Result<()> {
    let namespace = place(env, create.name)?;
    let (_, name) = split(create.name);
    let catalog = env.catalog();
    let (base, typmod) = analyze::resolve_type(env.session, env.source, &create.type_name)?;
    let base_row = catalog.type_(base)?;
    if base_row.kind == TypeKind::Pseudo {
        let shown = analyze::names::format_type(catalog, base, -1)?;
        let error = err!(DATATYPE_MISMATCH, "\"{shown}\" is not a valid base type for a domain");
        return Err(env.at(error, create.type_name.location));
    }
    let collation = match &create.collation {
        Some(clause) => {
            let location = create.type_name.location;
            let clause = parse::CollateClause { location, ..*clause };
            column::collation_of(env, &clause, base, base_row.collation)?
        }
        None => base_row.collation,
    };
    let (oid, array) = (catalog.new_oid(pg_type::RELATION)?, catalog.new_oid(pg_type::RELATION)?);
    let domain = Domain { oid, name, namespace, base, typmod };
    let sorted = Sorted::read(env, create.constraints)?;
    let default = match sorted.default {
        Some(expression) => bind_default(env, &domain, expression)?,
        None => None,
    };
    let dimensions = i32::try_from(create.type_name.array_bounds.len()).unwrap_or(0);
    let mut row = base_on(type_row(env, oid, name, namespace), &base_row)
        .with(pg_type::TYPARRAY, array)
        .with(pg_type::TYPNOTNULL, sorted.not_null.is_some())
        .with(pg_type::TYPBASETYPE, base)
        .with(pg_type::TYPTYPMOD, typmod)
        .with(pg_type::TYPNDIMS, dimensions)
        .with(pg_type::TYPCOLLATION, collation);
    if let Some(default) = default {
        row.set(pg_type::TYPDEFAULTBIN, &stored::encode_expression(default));
        row.set(pg_type::TYPDEFAULT, deparse::expression_text(env.session, default)?);
    }
    insert(env, &row)?;
    depend::record(env, object::ty(oid), object::ty(base), DependencyKind::Normal)?;
    if let Some(default) = default {
        depend::record_expression(env, object::ty(oid), default, None)?;
    }
    insert_array_type(env, array, oid, name, namespace, base_row.align, collation)?;
    catalog.next_command()?;
    if let Some(constraint) = sorted.not_null {
        add_not_null(env, &domain, constraint.name)?;
    }
    for (constraint, expression) in sorted.checks {
        add_check(env, &domain, constraint, expression)?;
        catalog.next_command()?;
    }
    Ok(())
}

/// What a domain has of its base type.
fn base_on(row: Row, base: &Ref<Type>) -> Row {
    row.with(pg_type::TYPLEN, base.len)
        .with(pg_type::TYPBYVAL, base.by_value)
        .with(pg_type::TYPTYPE, TypeKind::Domain.code())
        .with(pg_type::TYPCATEGORY, base.category)
        .with(pg_type::TYPDELIM, base.delimiter)
        .with(pg_type::TYPALIGN, base.align)
        .with(pg_type::TYPSTORAGE, base.storage)
        .with(pg_type::TYPINPUT, INPUT)
        .with(pg_type::TYPOUTPUT, base.output)
        .with(pg_type::TYPRECEIVE, RECEIVE)
        .with(pg_type::TYPSEND, base.send)
}

/// The constraints of CREATE DOMAIN by kind.
#[derive(Default)]
struct Sorted<'a> {
    default: Option<&'a Expression<'a>>,
    not_null: Option<Constraint<'a>>,
    checks: Vec<(Constraint<'a>, &'a Expression<'a>)>,
}

impl<'a> Sorted<'a> {
    fn read(env: &Env<'_>, list: &'a [Constraint<'a>]) -> Result<Sorted<'a>> {
        let mut sorted = Sorted::default();
        let mut null = false;
        for constraint in list {
            let at = |error: Error| env.at(error, constraint.location);
            match constraint.kind {
                ConstraintKind::Default(expression) => {
                    if sorted.default.is_some() {
                        return Err(at(err!(SYNTAX_ERROR, "multiple default expressions")));
                    }
                    sorted.default = Some(expression);
                }
                ConstraintKind::NotNull { .. } => {
                    if constraint.no_inherit {
                        return Err(at(err!(
                            INVALID_OBJECT_DEFINITION,
                            "not-null constraints for domains cannot be marked NO INHERIT"
                        )));
                    }
                    if null {
                        return Err(at(err!(
                            SYNTAX_ERROR,
                            "conflicting NULL/NOT NULL constraints"
                        )));
                    }
                    if sorted.not_null.is_some() {
                        return Err(at(err!(
                            INVALID_OBJECT_DEFINITION,
                            "redundant NOT NULL constraint definition"
                        )));
                    }
                    sorted.not_null = Some(*constraint);
                }
                ConstraintKind::Null => {
                    if sorted.not_null.is_some() {
                        return Err(at(err!(
                            SYNTAX_ERROR,
                            "conflicting NULL/NOT NULL constraints"
                        )));
                    }
                    null = true;
                }
                ConstraintKind::Check(expression) => {
                    if constraint.no_inherit {
                        return Err(at(err!(
                            INVALID_OBJECT_DEFINITION,
                            "check constraints for domains cannot be marked NO INHERIT"
                        )));
                    }
                    sorted.checks.push((*constraint, expression));
                }
                _ => return Err(at(impossible(constraint))),
            }
        }
        Ok(sorted)
    }
}

/// The error for a constraint that no domain can have.
pub(super) fn impossible(constraint: &Constraint<'_>) -> Error {
    let what = match constraint.kind {
        ConstraintKind::Key(key) if key.primary => "primary key constraints",
        ConstraintKind::Key(_) => "unique constraints",
        ConstraintKind::Exclusion { .. } => "exclusion constraints",
        ConstraintKind::Foreign(_) => "foreign key constraints",
        ConstraintKind::Generated { .. } | ConstraintKind::Identity { .. } => {
            return Error::unsupported("specifying GENERATED not supported for domains");
        }
        ConstraintKind::AttributeEnforced | ConstraintKind::AttributeNotEnforced => {
            return Error::unsupported(
                "specifying constraint enforceability not supported for domains",
            );
        }
        _ => {
            return Error::unsupported(
                "specifying constraint deferrability not supported for domains",
            );
        }
    };
    err!(SYNTAX_ERROR, "{what} not possible for domains")
}

/// The default of a domain; none for NULL.
pub(super) fn bind_default<'q>(
    env: &Env<'q>,
    domain: &Domain<'_>,
    expression: &Expression<'_>,
) -> Result<Option<&'q analyze::tree::Expr<'q>>> {
    let target = StoredTarget { oid: domain.base, typmod: domain.typmod, name: domain.name };
    let (bump, session) = (env.bump, env.session);
    let context = StoredContext::Default;
    let expr =
        analyze_expression(bump, session, env.source, expression, None, context, Some(target))?;
    let is_null = matches!(expr.kind, analyze::tree::ExprKind::Const(types::Datum::Null));
    Ok((!is_null).then_some(expr))
}

fn constraint_row(oid: Oid, name: &str, domain: &Domain<'_>, kind: Kind) -> Row {
    use pg_constraint::*;
    Row::new(RELATION)
        .with(OID, oid)
        .with(CONNAME, name)
        .with(CONNAMESPACE, domain.namespace)
        .with(CONTYPE, kind.code())
        .with(CONDEFERRABLE, false)
        .with(CONDEFERRED, false)
        .with(CONENFORCED, true)
        .with(CONVALIDATED, true)
        .with(CONRELID, Oid::INVALID)
        .with(CONTYPID, domain.oid)
        .with(CONINDID, Oid::INVALID)
        .with(CONPARENTID, Oid::INVALID)
        .with(CONFRELID, Oid::INVALID)
        .with(CONFUPDTYPE, b' ')
        .with(CONFDELTYPE, b' ')
        .with(CONFMATCHTYPE, b' ')
        .with(CONISLOCAL, true)
        .with(CONINHCOUNT, 0i16)
        .with(CONNOINHERIT, false)
        .with(CONPERIOD, false)
}

/// The names of a domain's constraints.
pub(super) fn constraint_names(env: &Env<'_>, domain: Oid) -> Result<Vec<(Oid, String)>> {
    let key = [Value::Oid(domain)];
    let rows = env.catalog().find_rows(index::PG_CONSTRAINT_CONTYPID_INDEX, &key)?;
    rows.iter()
        .map(|(_, row)| Ok((row.oid(pg_constraint::OID)?, row.text(pg_constraint::CONNAME)?)))
        .collect()
}

/// The name of a new constraint: as it is given, or `domain_label` with a number if need be.
fn choose_name(
    env: &Env<'_>,
    domain: &Domain<'_>,
    given: Option<&str>,
    label: &str,
) -> Result<String> {
    let taken = constraint_names(env, domain.oid)?;
    if let Some(name) = given {
        if taken.iter().any(|(_, other)| other == name) {
            return Err(err!(
                DUPLICATE_OBJECT,
                "constraint \"{name}\" for domain \"{}\" already exists",
                domain.name
            ));
        }
        return Ok(name.to_string());
    }
    for number in 0u32.. {
        let label = if number == 0 { label.to_string() } else { format!("{label}{number}") };
        let name = object_name(domain.name, None, &label);
        let key = [Value::Text(name.clone()), Value::Oid(domain.namespace)];
        if env.catalog().find_rows(index::PG_CONSTRAINT_CONNAME_NSP_INDEX, &key)?.is_empty() {
            return Ok(name);
        }
    }
    Err(Error::internal("no free name"))
}

/// Writes a NOT NULL constraint; the mark in the type's row is the caller's business.
pub(super) fn add_not_null(env: &Env<'_>, domain: &Domain<'_>, given: Option<&str>) -> Result<()> {
    let name = choose_name(env, domain, given, "not_null")?;
    let oid = env.catalog().new_oid(pg_constraint::RELATION)?;
    env.catalog().insert(&constraint_row(oid, &name, domain, Kind::NotNull))?;
    let constraint = object::constraint(oid);
    depend::record(env, constraint, object::ty(domain.oid), DependencyKind::Auto)
}

/// Writes a CHECK constraint.
pub(super) fn add_check(
    env: &Env<'_>,
    domain: &Domain<'_>,
    constraint: Constraint<'_>,
    expression: &Expression<'_>,
) -> Result<()> {
    let name = choose_name(env, domain, constraint.name, "check")?;
    let (bump, session, source) = (env.bump, env.session, env.source);
    let expr = analyze_domain_check(bump, session, source, expression, domain.base, domain.typmod)
        .map_err(|mut error| {
            // PostgreSQL does not know the text of the statement here.
            error.fields_mut().position = None;
            error
        })?;
    let oid = env.catalog().new_oid(pg_constraint::RELATION)?;
    let row = constraint_row(oid, &name, domain, Kind::Check)
        .with(pg_constraint::CONVALIDATED, !constraint.not_valid)
        .with(pg_constraint::CONBIN, &stored::encode_expression(expr));
    env.catalog().insert(&row)?;
    let object = object::constraint(oid);
    depend::record(env, object, object::ty(domain.oid), DependencyKind::Auto)?;
    depend::record_expression(env, object, expr, None)
}
