//! CREATE TABLE.

use super::column::{self, Definition};
use super::constraint;
use crate::relation_rows::{self, HEAP, NewColumn, NewRelation};
use crate::{Env, LockMode, object};
use base::{Error, Oid, Result, err};
use catalog::Catalog;
use catalog::columns::pg_class;
use catalog::rows::{ConstraintKind, Persistence, RelationKind};
use parse::{
    Constraint, CreateStmt, DefElem, DefValue, OnCommit, RangeVar, TableElement, like_option,
};

/// Runs CREATE TABLE; returns the new table, or none when it was there and IF NOT EXISTS.
pub(crate) fn run(env: &Env<'_>, create: &CreateStmt<'_>) -> Result<Option<Oid>> {
    for parent in create.inherits {
        super::alter::find(env, parent, LockMode::AccessShare)?;
    }
    if !create.inherits.is_empty() || create.partition_bound.is_some() {
        return Err(Error::unsupported("table inheritance is not supported yet"));
    }
    if create.partition_spec.is_some() {
        return Err(Error::unsupported("partitioned tables are not supported yet"));
    }
    if create.of_type.is_some() {
        return Err(Error::unsupported("typed tables are not supported yet"));
    }
    let placed = place(env, &create.relation, create.if_not_exists).map_err(|error| {
        // Where the table would go is part of the statement, what is there already is not.
        match error.sqlstate() {
            base::SqlState::DUPLICATE_TABLE => error,
            base::SqlState::INSUFFICIENT_PRIVILEGE if error.fields().detail.is_some() => error,
            _ => env.at(error, create.relation.location),
        }
    })?;
    let Some((namespace, persistence)) = placed else { return Ok(None) };
    check_on_commit(create.on_commit, persistence)?;
    check_tablespace(create.tablespace)?;
    let mut definitions: Vec<Definition<'_>> = Vec::new();
    let mut table_constraints: Vec<Constraint<'_>> = Vec::new();
    let mut likes = Vec::new();
    for element in create.elements {
        match element {
            TableElement::Column(def) => {
                definitions.push(column::define(env, create.relation.name, def)?);
            }
            TableElement::Constraint(constraint) => table_constraints.push(**constraint),
            TableElement::Like { relation, options } => {
                let before = definitions.len();
                likes.push((like(env, relation, *options, &mut definitions)?, *options, before));
            }
        }
    }
    check_columns(definitions.iter().map(|definition| &definition.column))?;
    constraint::mark_not_null(&mut definitions, &table_constraints)?;
    let catalog = env.catalog();
    let oid = catalog.new_oid(pg_class::RELATION)?;
    let relation = NewRelation {
        oid,
        name: create.relation.name.into(),
        owner: catalog.user(),
        namespace,
        kind: RelationKind::Table,
        persistence,
        method: HEAP,
        file: env.storage.create_table_tree()?,
        options: options(create.options)?,
        columns: definitions.iter().map(|definition| definition.column.clone()).collect(),
    };
    relation_rows::insert(env, &relation)?;
    env.storage.on_commit(oid, create.on_commit);
    finish(env, oid, &definitions, &table_constraints)?;
    for (model, options, before) in likes {
        super::like::copy(env, oid, model, options, before)?;
    }
    Ok(Some(oid))
}

/// 42P16 for ON COMMIT of a table that is not temporary.
pub(crate) fn check_on_commit(action: OnCommit, persistence: Persistence) -> Result<()> {
    if action != OnCommit::Default && persistence != Persistence::Temporary {
        return Err(err!(
            INVALID_TABLE_DEFINITION,
            "ON COMMIT can only be used on temporary tables"
        ));
    }
    Ok(())
}

/// There is one tablespace for tables.
fn check_tablespace(name: Option<&str>) -> Result<()> {
    match name {
        None | Some("" | "pg_default") => Ok(()),
        Some("pg_global") => Err(err!(
            INVALID_PARAMETER_VALUE,
            "only shared relations can be placed in pg_global tablespace"
        )),
        Some(name) => Err(err!(UNDEFINED_OBJECT, "tablespace \"{name}\" does not exist")),
    }
}

/// Defaults, sequences and constraints, once the table is there.
fn finish(
    env: &Env<'_>,
    oid: Oid,
    definitions: &[Definition<'_>],
    table_constraints: &[Constraint<'_>],
) -> Result<()> {
    for (definition, attribute) in definitions.iter().zip(1i16..) {
        let relation = env.catalog().relation(oid)?;
        if let Some(owned) = definition.sequence {
            column::create_sequence(env, &relation, attribute, &definition.column, owned)?;
        }
        if let Some(expression) = definition.generated.or(definition.default) {
            let expr = column::bind(env, &relation, &definition.column, expression)?;
            // DEFAULT NULL is the same as no default, unless the type is a domain.
            column::insert_default(env, oid, attribute, expr)?;
        }
    }
    constraint::add_all(env, oid, definitions, table_constraints)
}

/// The schema and persistence of a new relation; none when it is there and may be.
pub(crate) fn place(
    env: &Env<'_>,
    name: &RangeVar<'_>,
    if_not_exists: bool,
) -> Result<Option<(Oid, Persistence)>> {
    let catalog = env.catalog();
    let namespace = creation_namespace(env, name)?;
    let schema = catalog.namespace(namespace)?;
    if schema.oid < catalog::builtin::FIRST_USER && schema.name.starts_with("pg_") {
        return Err(err!(
            INSUFFICIENT_PRIVILEGE,
            "permission denied to create \"{}.{}\"",
            schema.name,
            name.name
        )
        .detail("System catalog modifications are currently disallowed."));
    }
    object::require_create(env, namespace)?;
    if catalog.relation_in(namespace, name.name)?.is_some() {
        if if_not_exists {
            env.notice(format!("relation \"{}\" already exists, skipping", name.name));
            return Ok(None);
        }
        return Err(err!(DUPLICATE_TABLE, "relation \"{}\" already exists", name.name));
    }
    Ok(Some((namespace, adjusted_persistence(env, name.persistence, namespace)?)))
}

/// The schema in which a name asks for a new object; it stays to the end of the transaction.
pub(crate) fn creation_namespace(env: &Env<'_>, name: &RangeVar<'_>) -> Result<Oid> {
    object::hold_schema(env, || wanted_namespace(env, name))
}

fn wanted_namespace(env: &Env<'_>, name: &RangeVar<'_>) -> Result<Oid> {
    match name.schema {
        Some("pg_temp") => env.storage.temporary_namespace(),
        Some(schema) => env.catalog().require_namespace(schema),
        None if name.persistence == parse::Persistence::Temporary => {
            env.storage.temporary_namespace()
        }
        None if env.catalog().creates_temporary()? => env.storage.temporary_namespace(),
        None => env.catalog().creation_namespace(),
    }
}

/// The persistence that the schema of a relation leaves it.
fn adjusted_persistence(
    env: &Env<'_>,
    wanted: parse::Persistence,
    namespace: Oid,
) -> Result<Persistence> {
    let own = namespace == env.catalog().temporary_namespace();
    let others = !own && env.catalog().is_any_temporary(namespace)?;
    let message = match wanted {
        parse::Persistence::Unlogged if !own && !others => return Ok(Persistence::Unlogged),
        parse::Persistence::Unlogged => {
            "only temporary relations may be created in temporary schemas"
        }
        _ if own => return Ok(Persistence::Temporary),
        _ if others => "cannot create relations in temporary schemas of other sessions",
        parse::Persistence::Temporary => "cannot create temporary relation in non-temporary schema",
        _ => return Ok(Persistence::Permanent),
    };
    Err(err!(INVALID_TABLE_DEFINITION, "{message}"))
}

/// Refuses names that are used twice, names of system columns, and too many columns.
pub(crate) fn check_columns<'c>(columns: impl Iterator<Item = &'c NewColumn>) -> Result<()> {
    let mut names = std::collections::HashSet::new();
    for column in columns {
        refuse_system_name(&column.name)?;
        if !names.insert(column.name.as_str()) {
            return Err(err!(
                DUPLICATE_COLUMN,
                "column \"{}\" specified more than once",
                column.name
            ));
        }
    }
    if names.len() > base::limits::TABLE_COLUMNS_MAX {
        return Err(err!(
            TOO_MANY_COLUMNS,
            "tables can have at most {} columns",
            base::limits::TABLE_COLUMNS_MAX
        ));
    }
    Ok(())
}

/// Whether a system column is called so.
pub(crate) fn is_system_name(name: &str) -> bool {
    ["ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"].contains(&name)
}

/// Refuses the names of system columns.
pub(crate) fn refuse_system_name(name: &str) -> Result<()> {
    if is_system_name(name) {
        return Err(err!(
            DUPLICATE_COLUMN,
            "column name \"{name}\" conflicts with a system column name"
        ));
    }
    Ok(())
}

/// The options of WITH, as `name=value`.
pub(crate) fn options(list: &[DefElem<'_>]) -> Result<Vec<String>> {
    list.iter()
        .map(|option| {
            let value = match &option.value {
                None => "true".to_string(),
                Some(DefValue::Integer(number)) => number.to_string(),
                Some(DefValue::Boolean(truth)) => truth.to_string(),
                Some(other) => other.as_word().unwrap_or_default().to_string(),
            };
            check_option(option.name, &value)?;
            Ok(format!("{}={value}", option.name))
        })
        .collect()
}

fn check_option(name: &str, value: &str) -> Result<()> {
    if name == "fillfactor" {
        let bad = || {
            err!(INVALID_PARAMETER_VALUE, "value {value} out of bounds for option \"fillfactor\"")
                .detail("Valid values are between \"10\" and \"100\".")
        };
        let number: i64 = value.parse().map_err(|_| bad())?;
        if !(10..=100).contains(&number) {
            return Err(bad());
        }
        return Ok(());
    }
    let known = name.starts_with("autovacuum_")
        || name.starts_with("log_autovacuum")
        || [
            "toast_tuple_target",
            "parallel_workers",
            "user_catalog_table",
            "vacuum_index_cleanup",
            "vacuum_truncate",
            "vacuum_max_eager_freeze_failure_rate",
        ]
        .contains(&name);
    if known {
        return Ok(());
    }
    Err(err!(INVALID_PARAMETER_VALUE, "unrecognized parameter \"{name}\""))
}

/// Adds the columns of LIKE's model; returns the model.
fn like(
    env: &Env<'_>,
    name: &RangeVar<'_>,
    options: u32,
    definitions: &mut Vec<Definition<'_>>,
) -> Result<Oid> {
    let model = super::alter::find(env, name, LockMode::AccessShare)
        .map_err(|error| env.at(error, name.location))?;
    match model.kind {
        RelationKind::Sequence => {
            let message = format!("relation \"{}\" is invalid in LIKE clause", model.name);
            let error = err!(WRONG_OBJECT_TYPE, "{message}");
            let error = error.detail(catalog::unsupported_for(model.kind));
            return Err(env.at(error, name.location));
        }
        RelationKind::Composite => {
            if !column::may_use(env, &*env.catalog().type_(model.row_type)?)? {
                return Err(Catalog::permission_denied(&format!("type {}", model.name)));
            }
        }
        _ => env.catalog().require_any_on(&model, "r")?,
    }
    for column in model.live_columns() {
        let mut copy =
            NewColumn::plain(&column.name, column.type_oid, column.typmod, column.collation);
        copy.not_null = column.not_null;
        copy.dimensions = column.dimensions;
        if options & like_option::GENERATED != 0 {
            copy.generated = column.generated;
        }
        if options & like_option::STORAGE != 0 {
            copy.storage = Some(column.storage);
        }
        if options & like_option::COMPRESSION != 0 {
            copy.compression = column.compression;
        }
        let mut sequence = None;
        if options & like_option::IDENTITY != 0 && column.identity.is_some() {
            copy.identity = column.identity;
            sequence = Some(super::like::identity(env, &model, column)?);
        }
        let not_null = model.constraints.iter().find(|constraint| {
            constraint.kind == ConstraintKind::NotNull && constraint.columns == [column.attribute]
        });
        definitions.push(Definition {
            column: copy,
            default: None,
            generated: None,
            sequence,
            not_null: None,
            not_null_name: not_null.map(|constraint| constraint.name.to_string()),
            constraints: Vec::new(),
        });
    }
    Ok(model.oid)
}
