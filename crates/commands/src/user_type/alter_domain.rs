//! ALTER DOMAIN.

use super::domain::{Domain, add_check, add_not_null, bind_default, constraint_names, impossible};
use super::{find, require_domain, require_owner, split};
use crate::drop::remove;
use crate::{Env, LockMode, depend, object};
use analyze::stored;
use analyze::tree::{ColumnUse, Expr, ExprKind, RangeId, ReturningRow, Type};
use base::{Oid, Result, SqlState, err};
use catalog::columns::{index, pg_class, pg_constraint, pg_type};
use catalog::relation::{Column, Relation};
use catalog::rows::{DependencyKind, RelationKind};
use catalog::store::{Row, Value};
use parse::{AlterDomain, AlterDomainStmt, ConstraintKind, DropBehavior};

/// Runs ALTER DOMAIN.
pub(crate) fn run(env: &Env<'_>, alter: &AlterDomainStmt<'_>) -> Result<()> {
    let found = find(env, alter.name)?;
    let (_, name) = split(alter.name);
    let shown = analyze::names::format_type(env.catalog(), found.oid, -1)?;
    require_domain(&found, &shown)?;
    require_owner(env, &found)?;
    let domain = Domain {
        oid: found.oid,
        name,
        namespace: found.namespace,
        base: found.base_type,
        typmod: found.typmod,
    };
    match alter.action {
        AlterDomain::SetDefault(expression) => {
            let default = bind_default(env, &domain, expression)?;
            set_default(env, &domain, default)
        }
        AlterDomain::DropDefault => set_default(env, &domain, None),
        AlterDomain::SetNotNull if found.not_null => Ok(()),
        AlterDomain::SetNotNull => set_not_null(env, &domain, None),
        AlterDomain::DropNotNull => {
            if found.not_null {
                drop_not_null(env, &domain)?;
            }
            Ok(())
        }
        AlterDomain::AddConstraint(constraint) => match constraint.kind {
            ConstraintKind::Check(expression) => {
                add_check(env, &domain, *constraint, expression)?;
                env.catalog().next_command()?;
                if constraint.not_valid { Ok(()) } else { check_all(env, &domain) }
            }
            ConstraintKind::NotNull { .. } if found.not_null => Ok(()),
            ConstraintKind::NotNull { .. } => set_not_null(env, &domain, constraint.name),
            _ => Err(env.at(impossible(constraint), constraint.location)),
        },
        AlterDomain::DropConstraint { name, behavior, missing_ok } => {
            drop_constraint(env, &domain, name, behavior, missing_ok)
        }
        AlterDomain::ValidateConstraint(name) => validate(env, &domain, name),
    }
}

fn update(
    env: &Env<'_>,
    domain: &Domain<'_>,
    change: impl FnMut(&mut Row) -> Result<()>,
) -> Result<()> {
    let key = [Value::Oid(domain.oid)];
    env.catalog().update_rows(index::PG_TYPE_OID_INDEX, &key, change).map(drop)
}

fn set_default(env: &Env<'_>, domain: &Domain<'_>, default: Option<&Expr<'_>>) -> Result<()> {
    let encoded = default.map(stored::encode_expression);
    let text = default.map(|expr| deparse::expression_text(env.session, expr)).transpose()?;
    update(env, domain, |row| {
        row.set(pg_type::TYPDEFAULTBIN, encoded.as_ref().map(Value::from));
        row.set(pg_type::TYPDEFAULT, text.clone());
        Ok(())
    })?;
    // What the default before needed goes; what the type itself needs is written anew.
    let this = object::ty(domain.oid);
    depend::forget(env, this)?;
    depend::record(env, this, object::schema(domain.namespace), DependencyKind::Normal)?;
    depend::record(env, this, object::ty(domain.base), DependencyKind::Normal)?;
    match default {
        Some(expr) => depend::record_expression(env, this, expr, None),
        None => Ok(()),
    }
}

fn set_not_null(env: &Env<'_>, domain: &Domain<'_>, name: Option<&str>) -> Result<()> {
    each_column(env, domain.oid, &mut |relation, column| {
        if !env.storage.has_null(relation, column.attribute)? {
            return Ok(());
        }
        Err(err!(
            NOT_NULL_VIOLATION,
            "column \"{}\" of table \"{}\" contains null values",
            column.name,
            relation.name
        )
        .table(&relation.name)
        .column(&column.name))
    })?;
    add_not_null(env, domain, name)?;
    update(env, domain, |row| {
        row.set(pg_type::TYPNOTNULL, true);
        Ok(())
    })
}

fn drop_not_null(env: &Env<'_>, domain: &Domain<'_>) -> Result<()> {
    let key = [Value::Oid(domain.oid)];
    let catalog = env.catalog();
    for (id, row) in catalog.find_rows(index::PG_CONSTRAINT_CONTYPID_INDEX, &key)? {
        if row.char(pg_constraint::CONTYPE)? == b'n' {
            depend::forget(env, object::constraint(row.oid(pg_constraint::OID)?))?;
            catalog.delete(id, &row)?;
        }
    }
    update(env, domain, |row| {
        row.set(pg_type::TYPNOTNULL, false);
        Ok(())
    })
}

fn drop_constraint(
    env: &Env<'_>,
    domain: &Domain<'_>,
    name: &str,
    behavior: DropBehavior,
    missing_ok: bool,
) -> Result<()> {
    let constraints = constraint_names(env, domain.oid)?;
    let Some((oid, _)) = constraints.iter().find(|(_, other)| other == name) else {
        let text = format!("constraint \"{name}\" of domain \"{}\" does not exist", domain.name);
        if missing_ok {
            env.notice(format!("{text}, skipping"));
            return Ok(());
        }
        return Err(err!(UNDEFINED_OBJECT, "{text}"));
    };
    let key = [Value::Oid(*oid)];
    let rows = env.catalog().find_rows(index::PG_CONSTRAINT_OID_INDEX, &key)?;
    for (_, row) in rows {
        if row.char(pg_constraint::CONTYPE)? == b'n' {
            return drop_not_null(env, domain);
        }
    }
    remove(env, &[object::constraint(*oid)], behavior)
}

fn validate(env: &Env<'_>, domain: &Domain<'_>, name: &str) -> Result<()> {
    let constraints = constraint_names(env, domain.oid)?;
    let Some((oid, _)) = constraints.iter().find(|(_, other)| other == name) else {
        return Err(err!(
            UNDEFINED_OBJECT,
            "constraint \"{name}\" of domain \"{}\" does not exist",
            domain.name
        ));
    };
    check_all(env, domain)?;
    let key = [Value::Oid(*oid)];
    env.catalog()
        .update_rows(index::PG_CONSTRAINT_OID_INDEX, &key, |row| {
            row.set(pg_constraint::CONVALIDATED, true);
            Ok(())
        })
        .map(drop)
}

/// Calls `each` for every stored column of a domain, or of a domain over it.
fn each_column(
    env: &Env<'_>,
    domain: Oid,
    each: &mut dyn FnMut(&Relation, &Column) -> Result<()>,
) -> Result<()> {
    let catalog = env.catalog();
    for dependency in catalog.dependents_of(&object::ty(domain))? {
        let dependent = dependency.dependent;
        if dependent.class == pg_type::RELATION {
            let found = catalog.type_(dependent.object)?;
            if found.base_type == domain {
                each_column(env, found.oid, each)?;
            }
            continue;
        }
        if dependent.class != pg_class::RELATION || dependent.column <= 0 {
            continue;
        }
        let relation = env.lock_and_describe(dependent.object, LockMode::Share)?;
        let stored = matches!(relation.kind, RelationKind::Table | RelationKind::MaterializedView);
        let attribute = i16::try_from(dependent.column).unwrap_or_default();
        match relation.column_at(attribute) {
            Some(column) if stored && column.type_oid == domain => each(&relation, column)?,
            _ => {}
        }
    }
    Ok(())
}

/// Checks all stored values against the constraints as they are now.
fn check_all(env: &Env<'_>, domain: &Domain<'_>) -> Result<()> {
    each_column(env, domain.oid, &mut |relation, column| {
        let used = ColumnUse {
            range: RangeId(0),
            attribute: column.attribute,
            levels_up: 0,
            returning: ReturningRow::Default,
        };
        let collation = column.collation;
        let plain = |oid, typmod| Type { oid, typmod, collation };
        let value = Expr {
            kind: ExprKind::Column(used),
            ty: plain(column.type_oid, column.typmod),
            at: None,
        };
        let form = analyze::tree::CastForm::Implicit;
        let base = Expr {
            kind: ExprKind::Relabel { arg: env.bump.alloc(value)?, form },
            ty: plain(domain.base, domain.typmod),
            at: None,
        };
        let cast = Expr {
            kind: ExprKind::Domain { arg: env.bump.alloc(base)?, form },
            ty: plain(domain.oid, domain.typmod),
            at: None,
        };
        let boolean = |kind| Expr { kind, ty: Type::plain(crate::type_ids::BOOL), at: None };
        let arg = env.bump.alloc(cast)?;
        let is_null = boolean(ExprKind::IsNull { arg, negated: false, row: false });
        let unknown = boolean(ExprKind::Const(types::Datum::Null));
        // A value that the domain refuses raises an error; no value makes this false.
        let test = boolean(ExprKind::Or(env.bump.alloc_slice_copy(&[is_null, unknown])?));
        let violated = env.storage.violates(relation, &stored::encode_expression(&test));
        match violated {
            Ok(_) => Ok(()),
            Err(error) if error.sqlstate() == SqlState::CHECK_VIOLATION => Err(err!(
                CHECK_VIOLATION,
                "column \"{}\" of table \"{}\" contains values that violate the new constraint",
                column.name,
                relation.name
            )
            .table(&relation.name)
            .column(&column.name)),
            Err(error) => Err(error),
        }
    })
}
