//! ALTER COLUMN TYPE: new types, new values, and what stands on the columns.
//!
//! All columns that one ALTER TABLE gives a new type are changed together: USING sees the old row,
//! and the table is written once. Where the stored form stays the same nothing is written.

use super::alter_column::{named, rebuild_indexes, replace_tree};
use super::{column, constraint, foreign_key, rebind};
use crate::relation_rows::{self, set_type as set_row_type};
use crate::{Env, depend, object, type_ids as oids};
use analyze::tree::{Expr, ExprKind, Type};
use analyze::{StoredContext, analyze_expression, stored};
use base::{Error, Oid, Result, err};
use catalog::columns::{
    hidden, index, pg_attrdef, pg_attribute, pg_policy, pg_rewrite, pg_trigger,
};
use catalog::relation::{Column, Relation};
use catalog::rows::{ConstraintKind as Kind, Stored};
use catalog::store::Value;
use parse::{ColumnDef, Expression};

/// A column with its new type.
struct Change<'r> {
    column: &'r Column,
    type_oid: Oid,
    typmod: i32,
    collation: Oid,
    /// The new value, over the old row; none where the stored value stays.
    value: Option<Stored>,
}

/// Runs all ALTER COLUMN TYPE of one ALTER TABLE.
pub(crate) fn run(
    env: &Env<'_>,
    relation: &Relation,
    columns: &[(&str, &ColumnDef<'_>)],
) -> Result<()> {
    let mut changes: Vec<Change<'_>> = Vec::new();
    for (name, def) in columns {
        let change = prepare(env, relation, name, def)?;
        if changes.iter().any(|other| other.column.attribute == change.column.attribute) {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "cannot alter type of column \"{name}\" twice"
            ));
        }
        changes.push(change);
    }
    let retyped = changes.iter().filter(|change| change.type_oid != change.column.type_oid);
    let retyped: Vec<i16> = retyped.map(|change| change.column.attribute).collect();
    let texts = rebind::texts(env, relation, &retyped)?;
    for change in &changes {
        describe(env, relation, change)?;
    }
    env.catalog().next_command()?;
    rebind::bind(env, relation.oid, &texts)?;
    let new = env.catalog().relation(relation.oid)?;
    let values: Vec<(i16, Stored)> = changes
        .iter()
        .filter_map(|change| Some((change.column.attribute, change.value.clone()?)))
        .collect();
    if values.is_empty() {
        if changes.iter().any(|change| change.type_oid != change.column.type_oid) {
            rebuild_indexes(env, relation)?;
        }
    } else {
        let file = env.storage.rewrite(relation, &new, &values)?;
        replace_tree(env, relation.oid, relation.file, file)?;
        rebuild_indexes(env, relation)?;
        check_again(env, relation.oid)?;
    }
    for change in changes.iter().filter(|change| change.type_oid != change.column.type_oid) {
        foreign_key::retype(env, relation.oid, change.column.attribute)?;
    }
    Ok(())
}

fn prepare<'r>(
    env: &Env<'_>,
    relation: &'r Relation,
    name: &str,
    def: &ColumnDef<'_>,
) -> Result<Change<'r>> {
    let column = named(relation, name)?;
    let Some(type_name) = def.type_name else {
        return Err(err!(SYNTAX_ERROR, "column \"{name}\" must have a type"));
    };
    let (type_oid, typmod) = analyze::resolve_type(env.session, env.source, type_name)?;
    column::check_type(env, name, type_oid)?;
    if column.identity.is_some() && ![oids::INT2, oids::INT4, oids::INT8].contains(&type_oid) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "identity column type must be smallint, integer, or bigint"
        ));
    }
    let own = env.catalog().type_(type_oid)?.collation;
    let collation = match def.collation {
        Some(clause) => column::collation_of(env, &clause, type_oid, own)?,
        None => own,
    };
    let value = match (&column.generated, def.using) {
        (Some(_), Some(_)) => {
            return Err(err!(
                INVALID_COLUMN_DEFINITION,
                "cannot specify USING when altering type of generated column"
            )
            .detail(format!("Column \"{name}\" is a generated column.")));
        }
        (Some(_), None) => generated(env, column, type_oid, typmod)?,
        (None, using) => value(env, relation, column, using, (type_oid, typmod))?,
    };
    refuse_users(env, relation, column)?;
    let value = match is_kept(env, value, column, type_oid, typmod)? {
        true => None,
        false => Some(stored::encode_expression(value)),
    };
    Ok(Change { column, type_oid, typmod, collation, value })
}

/// The value of a generated column in its new type.
fn generated<'q>(
    env: &Env<'q>,
    column: &Column,
    type_oid: Oid,
    typmod: i32,
) -> Result<&'q Expr<'q>> {
    let default = column
        .default
        .as_ref()
        .ok_or_else(|| Error::internal("a generated column without its expression"))?;
    let expr = without_casts(analyze::analyze_stored(env.bump, env.session, default)?);
    match analyze::coerce_stored(env.bump, env.session, expr, type_oid, typmod)? {
        Some(expr) => Ok(expr),
        None => Err(no_default_cast(env, column, type_oid, "generation expression")?),
    }
}

/// The value of a plain column: USING, or the column itself, assigned to the new type.
fn value<'q>(
    env: &Env<'q>,
    relation: &Relation,
    column: &Column,
    using: Option<&Expression<'_>>,
    (type_oid, typmod): (Oid, i32),
) -> Result<&'q Expr<'q>> {
    let name = column.name.as_str();
    let target = stored::StoredTarget { oid: type_oid, typmod, name };
    let field = [parse::Field::Name(name)];
    let reference = Expression::ColumnRef { fields: &field, location: parse::Location::default() };
    let context = StoredContext::AlterUsing;
    let expr = analyze_expression(
        env.bump,
        env.session,
        env.source,
        using.unwrap_or(&reference),
        Some(relation),
        context,
        Some(target),
    );
    match expr {
        Ok(expr) => Ok(expr),
        Err(error) if using.is_none() && error.sqlstate() == base::SqlState::DATATYPE_MISMATCH => {
            let plain = analyze::names::format_type(env.catalog(), type_oid, -1)?;
            let full = analyze::names::format_type(env.catalog(), type_oid, typmod)?;
            let quoted = catalog::quote_identifier(name);
            Err(err!(
                DATATYPE_MISMATCH,
                "column \"{name}\" cannot be cast automatically to type {plain}"
            )
            .hint(format!("You might need to specify \"USING {quoted}::{full}\".")))
        }
        Err(error) => Err(error),
    }
}

/// Whether rows have the value already, in its stored form.
fn is_kept(
    env: &Env<'_>,
    value: &Expr<'_>,
    column: &Column,
    type_oid: Oid,
    typmod: i32,
) -> Result<bool> {
    let mut expr = value;
    while let ExprKind::Relabel { arg, .. } = expr.kind {
        expr = arg;
    }
    let same = matches!(expr.kind, ExprKind::Column(used) if used.attribute == column.attribute);
    let layout = |oid: Oid, typmod: i32| {
        let (base, typmod) = env.catalog().base_type(oid, typmod)?;
        let len = env.catalog().type_(base)?.len;
        Ok::<_, Error>(types::layout::Layout::of(base.0, len, typmod))
    };
    Ok(same && layout(type_oid, typmod)? == layout(column.type_oid, column.typmod)?)
}

/// What stands on the column and does not follow it.
fn refuse_users(env: &Env<'_>, relation: &Relation, column: &Column) -> Result<()> {
    let object = object::column(relation.oid, column.attribute);
    let name = &column.name;
    for dependency in env.catalog().dependents_of(&object)? {
        let user = dependency.dependent;
        let message = match user.class {
            pg_rewrite::RELATION => "cannot alter type of a column used by a view or rule",
            pg_trigger::RELATION => "cannot alter type of a column used in a trigger definition",
            pg_policy::RELATION => "cannot alter type of a column used in a policy definition",
            pg_attrdef::RELATION => {
                let Some(other) = generated_by(env, relation, user.object)? else { continue };
                if other.attribute == column.attribute {
                    continue;
                }
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cannot alter type of a column used by a generated column"
                )
                .detail(format!(
                    "Column \"{name}\" is used by generated column \"{}\".",
                    other.name
                )));
            }
            _ => continue,
        };
        let shown = env.catalog().describe(&user)?;
        return Err(err!(FEATURE_NOT_SUPPORTED, "{message}")
            .detail(format!("{shown} depends on column \"{name}\"")));
    }
    Ok(())
}

/// The generated column that a default's row is the expression of.
fn generated_by<'r>(
    env: &Env<'_>,
    relation: &'r Relation,
    default: Oid,
) -> Result<Option<&'r Column>> {
    let key = [Value::Oid(default)];
    let rows = env.catalog().find_rows(index::PG_ATTRDEF_OID_INDEX, &key)?;
    let Some((_, row)) = rows.first() else { return Ok(None) };
    let column = relation.column_at(row.int2(pg_attrdef::ADNUM)?);
    Ok(column.filter(|column| column.generated.is_some()))
}

/// Writes the type into the catalogs: column, default, keys of indexes, identity sequence.
fn describe(env: &Env<'_>, relation: &Relation, change: &Change<'_>) -> Result<()> {
    let (column, type_oid, typmod) = (change.column, change.type_oid, change.typmod);
    let ty = env.catalog().type_(type_oid)?;
    let attribute = column.attribute;
    let rewritten = change.value.is_some();
    env.catalog().remove_column_statistics(relation.oid, attribute)?;
    relation_rows::update_column(env, relation.oid, attribute, |row| {
        set_row_type(row, type_oid, typmod, change.collation, &ty);
        if rewritten {
            row.set(hidden::PG_ATTRIBUTE_MISSING, Value::Null);
            row.set(pg_attribute::ATTHASMISSING, false);
        }
        Ok(())
    })?;
    let user = object::column(relation.oid, attribute);
    depend::retype(env, user, column.type_oid, type_oid)?;
    if let Some(default) = &column.default {
        recast_default(env, relation, column, default, type_oid, typmod)?;
    }
    for index in &relation.indexes {
        let columns = index.keys.iter().map(|key| key.attribute).chain(index.included.clone());
        for (used, number) in columns.zip(1i16..) {
            if used == attribute {
                let is_key = usize::from(number.unsigned_abs()) <= index.keys.len();
                let new = Type { oid: type_oid, typmod, collation: change.collation };
                if is_key && type_oid != column.type_oid {
                    retype_key(env, index.oid, number, new)?;
                } else {
                    retype_column(env, index.oid, number, new)?;
                }
            }
        }
    }
    if column.identity.is_some() && type_oid != column.type_oid {
        crate::sequence::retype_identity(env, relation.oid, attribute, type_oid)?;
    }
    Ok(())
}

fn no_default_cast(env: &Env<'_>, column: &Column, type_oid: Oid, what: &str) -> Result<Error> {
    let shown = analyze::names::format_type(env.catalog(), type_oid, -1)?;
    Ok(err!(
        DATATYPE_MISMATCH,
        "{what} for column \"{}\" cannot be cast automatically to type {shown}",
        column.name
    ))
}

/// An expression without the casts that were put around it for the old type.
fn without_casts<'x, 'q>(mut expr: &'x Expr<'q>) -> &'x Expr<'q> {
    use analyze::tree::{CastForm, FunctionForm};
    loop {
        expr = match expr.kind {
            ExprKind::Function { args: [arg, ..], form: FunctionForm::ImplicitCast, .. } => arg,
            ExprKind::Relabel { arg, form: CastForm::Implicit }
            | ExprKind::ViaText { arg, form: CastForm::Implicit }
            | ExprKind::ArrayCast { arg, form: CastForm::Implicit, .. }
            | ExprKind::Domain { arg, form: CastForm::Implicit } => arg,
            _ => return expr,
        };
    }
}

fn recast_default(
    env: &Env<'_>,
    relation: &Relation,
    column: &Column,
    default: &Stored,
    type_oid: Oid,
    typmod: i32,
) -> Result<()> {
    let expr = without_casts(analyze::analyze_stored(env.bump, env.session, default)?);
    let cast = analyze::coerce_stored(env.bump, env.session, expr, type_oid, typmod)?;
    let Some(cast) = cast else {
        return Err(no_default_cast(env, column, type_oid, "default")?);
    };
    column::delete_default(env, relation.oid, column.attribute)?;
    column::insert_default(env, relation.oid, column.attribute, cast)?;
    relation_rows::update_column(env, relation.oid, column.attribute, |row| {
        row.set(pg_attribute::ATTHASDEF, true);
        Ok(())
    })
}

/// A column of an index gets another type, and with it, as a key, the type's operator class.
pub(crate) fn retype_key(env: &Env<'_>, index_oid: Oid, number: i16, new: Type) -> Result<()> {
    use catalog::columns::pg_index::{INDCLASS, INDCOLLATION};
    const BTREE: Oid = Oid(403);
    retype_column(env, index_oid, number, new)?;
    let Some(class) = env.catalog().opclass_for(BTREE, new.oid)? else {
        let shown = analyze::names::format_type(env.catalog(), new.oid, -1)?;
        return Err(err!(
            UNDEFINED_OBJECT,
            "data type {shown} has no default operator class for access method \"btree\""
        )
        .hint(
            "You must specify an operator class for the index or define a default operator class \
             for the data type.",
        ));
    };
    let at = usize::from(number.unsigned_abs()) - 1;
    let key = [Value::Oid(index_oid)];
    env.catalog()
        .update_rows(index::PG_INDEX_INDEXRELID_INDEX, &key, |row| {
            let (mut classes, mut collations) = (row.oids(INDCLASS)?, row.oids(INDCOLLATION)?);
            if let (Some(c), Some(l)) = (classes.get_mut(at), collations.get_mut(at)) {
                *c = class.oid;
                *l = new.collation;
            }
            row.set(INDCLASS, classes).set(INDCOLLATION, collations);
            Ok(())
        })
        .map(drop)
}

fn retype_column(env: &Env<'_>, index_oid: Oid, number: i16, new: Type) -> Result<()> {
    let ty = env.catalog().type_(new.oid)?;
    relation_rows::update_column(env, index_oid, number, |row| {
        set_row_type(row, new.oid, new.typmod, new.collation, &ty);
        Ok(())
    })
}

/// Checks that rewritten rows meet what the table's CHECK constraints say.
fn check_again(env: &Env<'_>, table: Oid) -> Result<()> {
    let relation = env.catalog().relation(table)?;
    let checks = relation.constraints.iter().filter(|c| c.kind == Kind::Check && c.validated);
    for found in checks {
        if let Some(check) = &found.check
            && env.storage.violates(&relation, check)?
        {
            return Err(constraint::violated(env, &relation, &found.name)?);
        }
    }
    Ok(())
}
