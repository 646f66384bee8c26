//! Column definitions: type, NOT NULL, DEFAULT, identity, generated, and pseudo-types serial.

use super::storage;
use crate::relation_rows::NewColumn;
use crate::type_ids as oids;
use crate::{Env, depend, object, sequence};
use analyze::tree::Expr;
use analyze::{StoredContext, analyze_expression, resolve_type, stored};
use base::{Oid, Result, err};
use catalog::Catalog;
use catalog::acl::{AclKind, Privilege};
use catalog::columns::{index, pg_attrdef, pg_attribute};
use catalog::relation::Relation;
use catalog::rows::{DependencyKind, Generated, Identity, Stored, Type, TypeKind};
use catalog::store::{Row, Value};
use parse::{ColumnDef, Constraint, ConstraintKind, DefElem, Expression};

/// A column definition, looked through once.
pub(crate) struct Definition<'a> {
    pub(crate) column: NewColumn,
    pub(crate) default: Option<&'a Expression<'a>>,
    pub(crate) generated: Option<&'a Expression<'a>>,
    /// The options of an identity or serial column's sequence.
    pub(crate) sequence: Option<OwnedSequence<'a>>,
    /// The constraint that makes it NOT NULL, when one was written.
    pub(crate) not_null: Option<Constraint<'a>>,
    /// What that constraint is called when LIKE has brought it.
    pub(crate) not_null_name: Option<String>,
    /// Constraints that are constraints of the table, with their column.
    pub(crate) constraints: Vec<Constraint<'a>>,
}

/// A sequence that comes with a column.
#[derive(Clone, Copy)]
pub(crate) struct OwnedSequence<'a> {
    pub(crate) type_oid: Oid,
    pub(crate) options: &'a [DefElem<'a>],
    /// For identity columns; serial columns have a default.
    pub(crate) identity: bool,
    /// What it is where the options say nothing.
    pub(crate) model: Option<catalog::relation::Sequence>,
}

/// Looks through a definition.
pub(crate) fn define<'a>(
    env: &Env<'_>,
    table: &str,
    def: &'a ColumnDef<'a>,
) -> Result<Definition<'a>> {
    let name = def
        .type_name
        .ok_or_else(|| err!(SYNTAX_ERROR, "column \"{}\" must have a type", def.name))?;
    let serial = match name.names {
        [only] if name.array_bounds.is_empty() => serial_type(only),
        _ => None,
    };
    let (type_oid, typmod) = match serial {
        Some(oid) => (oid, -1),
        None => resolve_type(env.session, env.source, name)?,
    };
    check_type(env, def.name, type_oid)?;
    if name.setof {
        return Err(err!(
            INVALID_TABLE_DEFINITION,
            "column \"{}\" cannot be declared SETOF",
            def.name
        ));
    }
    let ty = env.catalog().type_(type_oid)?;
    let storage = def.storage.map(|name| storage::storage_of(env, name, &ty)).transpose()?;
    let compression = storage::compression_of(env, def.compression.unwrap_or("default"), &ty)?;
    let collation = match def.collation {
        None => ty.collation,
        Some(clause) => collation_of(env, &clause, type_oid, ty.collation)?,
    };
    let mut column = NewColumn::plain(def.name, type_oid, typmod, collation);
    (column.storage, column.compression) = (storage, compression);
    column.dimensions = i16::try_from(name.array_bounds.len()).unwrap_or(i16::MAX);
    let sequence = serial.map(|type_oid| OwnedSequence {
        type_oid,
        options: &[],
        identity: false,
        model: None,
    });
    column.not_null = serial.is_some();
    column.has_default = serial.is_some();
    let mut definition = Definition {
        column,
        default: None,
        generated: None,
        sequence,
        not_null: None,
        not_null_name: None,
        constraints: Vec::new(),
    };
    for constraint in super::attributes::attach(env, def.constraints)? {
        apply(env, table, def, &mut definition, constraint)?;
    }
    Ok(definition)
}

fn apply<'a>(
    env: &Env<'_>,
    table: &str,
    def: &'a ColumnDef<'a>,
    definition: &mut Definition<'a>,
    constraint: Constraint<'a>,
) -> Result<()> {
    let twice =
        |what: &str| err!(SYNTAX_ERROR, "{what} for column \"{}\" of table \"{table}\"", def.name);
    match constraint.kind {
        ConstraintKind::Null => {
            if definition.not_null.is_some() || definition.column.not_null {
                let error = twice("conflicting NULL/NOT NULL declarations");
                return Err(env.at(error, constraint.location));
            }
        }
        ConstraintKind::NotNull { .. } => {
            let null = |c: &Constraint<'_>| matches!(c.kind, ConstraintKind::Null);
            if def.constraints.iter().any(|c| null(c) && c.location < constraint.location) {
                let error = twice("conflicting NULL/NOT NULL declarations");
                return Err(env.at(error, constraint.location));
            }
            definition.column.not_null = true;
            definition.not_null = Some(constraint);
        }
        ConstraintKind::Default(expression) => {
            if definition.generated.is_some() {
                let error = twice("both default and generation expression specified");
                return Err(env.at(error, constraint.location));
            }
            if definition.default.is_some() || definition.sequence.is_some() {
                let error = twice("multiple default values specified");
                return Err(env.at(error, constraint.location));
            }
            definition.default = Some(expression);
            definition.column.has_default = true;
        }
        ConstraintKind::Identity { always, options } => {
            if definition.generated.is_some() {
                let error = twice("both identity and generation expression specified");
                return Err(env.at(error, constraint.location));
            }
            if definition.column.identity.is_some() {
                let error = twice("multiple identity specifications");
                return Err(env.at(error, constraint.location));
            }
            if definition.default.is_some() || definition.sequence.is_some() {
                let error = twice("both default and identity specified");
                return Err(env.at(error, constraint.location));
            }
            definition.column.identity =
                Some(if always { Identity::Always } else { Identity::ByDefault });
            definition.column.not_null = true;
            let type_oid = definition.column.type_oid;
            if ![oids::INT2, oids::INT4, oids::INT8].contains(&type_oid) {
                return Err(err!(
                    INVALID_PARAMETER_VALUE,
                    "identity column type must be smallint, integer, or bigint"
                ));
            }
            definition.sequence =
                Some(OwnedSequence { type_oid, options, identity: true, model: None });
        }
        ConstraintKind::Generated { stored, expression } => {
            let clash = match (definition.generated, definition.default, definition.sequence) {
                (Some(_), ..) => "multiple generation clauses specified",
                (_, Some(_), _) => "both default and generation expression specified",
                (.., Some(owned)) if owned.identity => {
                    "both identity and generation expression specified"
                }
                (.., Some(_)) => "both default and generation expression specified",
                _ => "",
            };
            if !clash.is_empty() {
                return Err(env.at(twice(clash), constraint.location));
            }
            if !stored {
                check_virtual(env, &definition.column)?;
            }
            definition.column.generated =
                Some(if stored { Generated::Stored } else { Generated::Virtual });
            definition.column.has_default = true;
            definition.generated = Some(expression);
        }
        _ => definition.constraints.push(constraint),
    }
    Ok(())
}

/// 0A000 when one of the attributes is a virtual generated column.
pub(crate) fn refuse_virtual(relation: &Relation, attributes: &[i16], what: &str) -> Result<()> {
    let is_virtual = |attribute: &i16| {
        relation
            .column_at(*attribute)
            .is_some_and(|column| column.generated == Some(Generated::Virtual))
    };
    if attributes.iter().any(is_virtual) {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "{what} on virtual generated columns are not supported"
        ));
    }
    Ok(())
}

/// The attributes of its own table that an expression reads.
pub(crate) fn attributes_of(expr: &Expr<'_>) -> Vec<i16> {
    let mut attributes = Vec::new();
    analyze::walk::visit(expr, 0, &mut |part, depth| {
        if let analyze::tree::ExprKind::Column(used) = part.kind
            && used.levels_up == depth
        {
            attributes.push(used.attribute);
        }
        true
    });
    attributes
}

/// Refuses the types that a virtual column cannot have.
fn check_virtual(env: &Env<'_>, column: &NewColumn) -> Result<()> {
    let ty = env.catalog().type_(column.type_oid)?;
    if ty.kind == TypeKind::Domain {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "virtual generated column \"{}\" cannot have a domain type",
            column.name
        ));
    }
    if column.type_oid >= catalog::builtin::FIRST_USER {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "virtual generated column \"{}\" cannot have a user-defined type",
            column.name
        )
        .detail(
            "Virtual generated columns that make use of user-defined types are not yet supported.",
        ));
    }
    Ok(())
}

fn serial_type(name: &str) -> Option<Oid> {
    match name {
        "smallserial" | "serial2" => Some(oids::INT2),
        "serial" | "serial4" => Some(oids::INT4),
        "bigserial" | "serial8" => Some(oids::INT8),
        _ => None,
    }
}

/// Refuses types that no column can have.
pub(crate) fn check_type(env: &Env<'_>, column: &str, type_oid: Oid) -> Result<()> {
    refuse_pseudo(env, column, type_oid)?;
    require_usage(env, type_oid)
}

/// 42P16 for a pseudo-type.
pub(crate) fn refuse_pseudo(env: &Env<'_>, column: &str, type_oid: Oid) -> Result<()> {
    if env.catalog().type_(type_oid)?.kind != TypeKind::Pseudo {
        return Ok(());
    }
    let shown = analyze::names::format_type(env.catalog(), type_oid, -1)?;
    Err(err!(INVALID_TABLE_DEFINITION, "column \"{column}\" has pseudo-type {shown}"))
}

/// 42501 unless the current user may use a type; an array is used as its elements are.
fn require_usage(env: &Env<'_>, type_oid: Oid) -> Result<()> {
    let catalog = env.catalog();
    let Some(ty) = catalog.type_now(type_oid)? else { return Ok(()) };
    if ty.element.is_valid() && ty.len == -1 {
        return require_usage(env, ty.element);
    }
    if may_use(env, &ty)? {
        return Ok(());
    }
    let shown = analyze::names::format_type(catalog, type_oid, -1)?;
    Err(Catalog::permission_denied(&format!("type {shown}")))
}

/// Whether the current user may use a type.
pub(crate) fn may_use(env: &Env<'_>, ty: &Type) -> Result<bool> {
    let acl = ty.acl.as_deref();
    let held = || env.catalog().has_privilege(AclKind::Type, ty.owner, acl, Privilege::Usage);
    Ok(acl.is_none() || held()?)
}

pub(crate) fn collation_of(
    env: &Env<'_>,
    clause: &parse::CollateClause<'_>,
    type_oid: Oid,
    own: Oid,
) -> Result<Oid> {
    if !own.is_valid() {
        let shown = analyze::names::format_type(env.catalog(), type_oid, -1)?;
        let error = err!(DATATYPE_MISMATCH, "collations are not supported by type {shown}");
        return Err(env.at(error, clause.location));
    }
    let (schema, name) = match clause.name {
        [name] => (None, *name),
        [.., schema, name] => (Some(*schema), *name),
        [] => return Ok(own),
    };
    let found = env.catalog().collation_named(schema, name)?;
    found.map(|collation| collation.oid).ok_or_else(|| {
        let error = err!(
            UNDEFINED_OBJECT,
            "collation \"{}\" for encoding \"UTF8\" does not exist",
            clause.name.join(".")
        );
        env.at(error, clause.location)
    })
}

/// Analyses the default or generation expression of a column of `relation`.
pub(crate) fn bind<'q>(
    env: &Env<'q>,
    relation: &Relation,
    column: &NewColumn,
    expression: &Expression<'_>,
) -> Result<&'q Expr<'q>> {
    let target =
        stored::StoredTarget { oid: column.type_oid, typmod: column.typmod, name: &column.name };
    let (context, over) = match column.generated {
        Some(_) => (StoredContext::Generated, Some(relation)),
        None => (StoredContext::Default, None),
    };
    let bump = env.bump;
    let expr =
        analyze_expression(bump, env.session, env.source, expression, over, context, Some(target))?;
    if column.generated.is_some() {
        check_generation(env, relation, expr)?;
    }
    Ok(expr)
}

/// A generated column is computed from plain columns, always in the same way.
fn check_generation(env: &Env<'_>, relation: &Relation, expr: &Expr<'_>) -> Result<()> {
    let mut found = None;
    analyze::walk::visit(expr, 0, &mut |part, depth| {
        if let analyze::tree::ExprKind::Column(used) = part.kind
            && used.levels_up == depth
            && let Some(other) = relation.column_at(used.attribute)
            && other.generated.is_some()
        {
            found.get_or_insert((other.name.clone(), part.at));
        }
        true
    });
    if let Some((name, at)) = found {
        let error = err!(
            INVALID_OBJECT_DEFINITION,
            "cannot use generated column \"{name}\" in column generation expression"
        )
        .detail("A generated column cannot reference another generated column.");
        let location = at.map_or(parse::Location::NONE, |at| parse::Location::at(at as usize));
        return Err(env.at(error, location));
    }
    if !crate::create_index::is_immutable(env, expr)? {
        return Err(err!(INVALID_OBJECT_DEFINITION, "generation expression is not immutable"));
    }
    Ok(())
}

/// Writes the default or generation expression of a column.
pub(crate) fn insert_default(
    env: &Env<'_>,
    relation: Oid,
    attribute: i16,
    expr: &Expr<'_>,
) -> Result<Stored> {
    let stored = stored::encode_expression(expr);
    let oid = env.catalog().new_oid(pg_attrdef::RELATION)?;
    let row = Row::new(pg_attrdef::RELATION)
        .with(pg_attrdef::OID, oid)
        .with(pg_attrdef::ADRELID, relation)
        .with(pg_attrdef::ADNUM, attribute)
        .with(pg_attrdef::ADBIN, &stored);
    env.catalog().insert(&row)?;
    let (default, column) = (object::default(oid), object::column(relation, attribute));
    let described = env.catalog().relation(relation)?;
    let generated = described.column_at(attribute).is_some_and(|found| found.generated.is_some());
    // A generated column goes with its expression: dropping what that reads is asked about.
    let kind = if generated { DependencyKind::Internal } else { DependencyKind::Auto };
    depend::record(env, default, column, kind)?;
    depend::record_expression(env, default, expr, Some((relation, DependencyKind::Normal)))?;
    Ok(stored)
}

/// Removes the default of a column, if it has one.
pub(crate) fn delete_default(env: &Env<'_>, relation: Oid, attribute: i16) -> Result<()> {
    let key = [Value::Oid(relation), Value::Int2(attribute)];
    let catalog = env.catalog();
    for (id, row) in catalog.find_rows(index::PG_ATTRDEF_ADRELID_ADNUM_INDEX, &key)? {
        depend::forget(env, object::default(row.oid(pg_attrdef::OID)?))?;
        catalog.delete(id, &row)?;
    }
    crate::relation_rows::update_column(env, relation, attribute, |row| {
        row.set(pg_attribute::ATTHASDEF, false);
        Ok(())
    })
}

/// Makes the sequence of a serial or identity column, and the default of a serial one. Returns the
/// expression of the next value.
pub(crate) fn create_sequence(
    env: &Env<'_>,
    relation: &Relation,
    attribute: i16,
    column: &NewColumn,
    owned: OwnedSequence<'_>,
) -> Result<Stored> {
    let sequence = sequence::create_owned(env, relation, attribute, &column.name, owned)?;
    let call = sequence::nextval_expression(env, sequence, column)?;
    if owned.identity {
        return Ok(stored::encode_expression(call));
    }
    insert_default(env, relation.oid, attribute, call)
}
