//! What LIKE … INCLUDING brings from a model, once the table is there.

use super::column::OwnedSequence;
use super::constraint::base_row;
use super::{key, rebind};
use crate::{Env, depend, object, relation_rows, rename, sequence};
use analyze::StoredContext;
use analyze::stored;
use analyze::tree::Expr;
use base::{Error, Oid, Result};
use catalog::columns::{index, pg_attribute, pg_class, pg_constraint, pg_description};
use catalog::relation::{Column, Relation};
use catalog::rows::{ConstraintKind as Kind, DependencyKind, Stored};
use catalog::store::{Row, Value};
use parse::like_option;

/// The sequence of an identity column as one of the model has it.
pub(super) fn identity<'a>(
    env: &Env<'_>,
    model: &Relation,
    column: &Column,
) -> Result<OwnedSequence<'a>> {
    for oid in rename::owned_sequences(env, model)? {
        let owner = sequence::owner_of(env, oid)?;
        if owner.is_some_and(|(_, attribute, _)| attribute == column.attribute) {
            let found = env.catalog().relation(oid)?.sequence;
            return Ok(OwnedSequence {
                type_oid: column.type_oid,
                options: &[],
                identity: true,
                model: found,
            });
        }
    }
    Err(Error::internal("an identity column without a sequence"))
}

/// Copies what LIKE ... INCLUDING asks for from a model, whose columns come after `before` others.
pub(super) fn copy(
    env: &Env<'_>,
    table: Oid,
    model: Oid,
    options: u32,
    before: usize,
) -> Result<()> {
    let model = env.catalog().relation(model)?;
    let first = i16::try_from(before + 1).unwrap_or(i16::MAX);
    let moved = model.live_columns().zip(first..).any(|(column, at)| column.attribute != at);
    for (column, attribute) in model.live_columns().zip(first..) {
        let wanted = match column.generated {
            Some(_) => options & like_option::GENERATED != 0,
            None => options & like_option::DEFAULTS != 0,
        };
        if wanted && let Some(default) = &column.default {
            let context = match column.generated {
                Some(_) => StoredContext::Generated,
                None => StoredContext::Default,
            };
            let target = env.catalog().relation(table)?;
            // A default reads no columns that could have moved.
            let moved = moved && column.generated.is_some();
            let expr = expression(env, &model, &target, default, moved, context)?;
            super::column::insert_default(env, table, attribute, expr)?;
            relation_rows::update_column(env, table, attribute, |row| {
                row.set(pg_attribute::ATTHASDEF, true);
                Ok(())
            })?;
        }
        if options & like_option::COMMENTS != 0 {
            comment(env, (model.oid, column.attribute), (table, attribute))?;
        }
    }
    if options & like_option::CONSTRAINTS != 0 {
        checks(env, table, &model, moved)?;
    }
    if options & like_option::INDEXES != 0 {
        for index in &model.indexes {
            key::copy(env, table, index)?;
        }
    }
    Ok(())
}

/// An expression of the model, over the columns of the table.
fn expression<'q>(
    env: &Env<'q>,
    model: &Relation,
    target: &Relation,
    stored: &Stored,
    moved: bool,
    context: StoredContext,
) -> Result<&'q Expr<'q>> {
    match moved {
        false => analyze::analyze_stored(env.bump, env.session, stored),
        true => rebind::over(env, model, target, stored, context),
    }
}

fn checks(env: &Env<'_>, table: Oid, model: &Relation, moved: bool) -> Result<()> {
    let target = env.catalog().relation(table)?;
    for constraint in model.constraints.iter().filter(|c| c.kind == Kind::Check) {
        let Some(check) = &constraint.check else { continue };
        let expr = expression(env, model, &target, check, moved, StoredContext::Check)?;
        let named = |attribute: &i16| {
            let column = model.column_at(*attribute)?;
            target.column(&column.name).map(|column| column.attribute)
        };
        let columns: Vec<i16> = constraint.columns.iter().filter_map(named).collect();
        let oid = env.catalog().new_oid(pg_constraint::RELATION)?;
        let row = base_row(oid, &constraint.name, &target, Kind::Check)
            .with(pg_constraint::CONKEY, columns.clone())
            .with(pg_constraint::CONBIN, &stored::encode_expression(expr));
        env.catalog().insert(&row)?;
        for column in columns {
            let column = object::column(table, column);
            depend::record(env, object::constraint(oid), column, DependencyKind::Auto)?;
        }
    }
    Ok(())
}

/// Copies the comment of a column.
fn comment(env: &Env<'_>, from: (Oid, i16), to: (Oid, i16)) -> Result<()> {
    use pg_description::*;
    let class = pg_class::RELATION;
    let key = [Value::Oid(from.0), Value::Oid(class), Value::Int4(i32::from(from.1))];
    let catalog = env.catalog();
    for (_, row) in catalog.find_rows(index::PG_DESCRIPTION_O_C_O_INDEX, &key)? {
        let copy = Row::new(RELATION)
            .with(OBJOID, to.0)
            .with(CLASSOID, class)
            .with(OBJSUBID, i32::from(to.1))
            .with(DESCRIPTION, row.text(DESCRIPTION)?);
        catalog.insert(&copy)?;
    }
    Ok(())
}
