//! CREATE and ALTER SEQUENCE, and the sequences of serial and identity columns.

use crate::relation_rows::{self, NewColumn, NewRelation};
use crate::table::alter::find;
use crate::table::column::OwnedSequence;
use crate::table::constraint::object_name;
use crate::table::create::place;
use crate::type_ids as oids;
use crate::{Env, LockMode, depend, object};
use analyze::tree::{CastForm, Expr, ExprKind, FunctionForm, Type};
use base::{Error, Oid, Result, err};
use catalog::columns::{hidden, index, pg_class, pg_sequence};
use catalog::relation::{Relation, Sequence};
use catalog::rows::{DependencyKind, Persistence, RelationKind};
use catalog::store::{Row, Value};
use parse::{AlterSequenceStmt, CreateSequenceStmt, DefElem, DefValue};
use types::Datum;

/// `pg_proc.oid` of `nextval(regclass)`.
const NEXTVAL: Oid = Oid(1574);

/// What the options of a sequence say, after checks.
#[derive(Debug, Clone)]
pub struct SequenceOptions {
    /// The row of `pg_sequence`.
    pub sequence: Sequence,
    /// Where it begins again; `None` when nothing says so.
    pub restart: Option<i64>,
    /// The column of OWNED BY: table and attribute; `Some(None)` is NONE.
    owned_by: Option<Option<(Oid, i16)>>,
}

fn limits(type_oid: Oid) -> (i64, i64) {
    match type_oid {
        oids::INT2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        oids::INT4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

fn integer(option: &DefElem<'_>) -> Result<i64> {
    match &option.value {
        Some(DefValue::Integer(number)) => Ok(i64::from(*number)),
        Some(other) => other
            .as_word()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| err!(SYNTAX_ERROR, "{} requires a numeric value", option.name)),
        None => Err(err!(SYNTAX_ERROR, "{} requires a numeric value", option.name)),
    }
}

/// Applies options to an old sequence, or to none.
fn apply(
    env: &Env<'_>,
    options: &[DefElem<'_>],
    type_oid: Oid,
    old: Option<Sequence>,
) -> Result<SequenceOptions> {
    let mut seen: Vec<&str> = Vec::new();
    let (mut type_oid, mut owned_by, mut restart) =
        (old.map_or(type_oid, |o| o.type_oid), None, None);
    let (mut increment, mut start, mut cache, mut cycle) = (None, None, None, None);
    let (mut min, mut max): (Option<Option<i64>>, Option<Option<i64>>) = (None, None);
    for option in options {
        if seen.contains(&option.name) {
            return Err(
                env.at(err!(SYNTAX_ERROR, "conflicting or redundant options"), option.location)
            );
        }
        seen.push(option.name);
        let optional = || option.value.as_ref().map(|_| integer(option)).transpose();
        match option.name {
            "as" => {
                if let Some(DefValue::TypeName(name)) = option.value {
                    type_oid = analyze::resolve_type(env.session, env.source, name)?.0;
                }
                if ![oids::INT2, oids::INT4, oids::INT8].contains(&type_oid) {
                    return Err(err!(
                        INVALID_PARAMETER_VALUE,
                        "sequence type must be smallint, integer, or bigint"
                    ));
                }
            }
            "increment" => increment = Some(integer(option)?),
            "start" => start = Some(integer(option)?),
            "restart" => restart = Some(optional()?),
            "minvalue" => min = Some(optional()?),
            "maxvalue" => max = Some(optional()?),
            "cache" => cache = Some(integer(option)?),
            "cycle" => cycle = Some(!matches!(option.value, Some(DefValue::Boolean(false)))),
            "owned_by" => owned_by = Some(owner_column(env, option)?),
            _ => {}
        }
    }
    let old_type = old.map(|o| o.type_oid);
    let increment = increment.or(old.map(|o| o.increment)).unwrap_or(1);
    if increment == 0 {
        return Err(err!(INVALID_PARAMETER_VALUE, "INCREMENT must not be zero"));
    }
    let (low, high) = limits(type_oid);
    // A bound that was the old type's own follows the type.
    let keep = |value: Option<i64>, own: fn((i64, i64)) -> i64| match (value, old_type) {
        (Some(value), Some(ty)) if ty != type_oid && value == own(limits(ty)) => None,
        (value, _) => value,
    };
    let max = max.unwrap_or_else(|| keep(old.map(|o| o.max), |l| l.1));
    let max = max.unwrap_or(if increment > 0 { high } else { -1 });
    let min = min.unwrap_or_else(|| keep(old.map(|o| o.min), |l| l.0));
    let min = min.unwrap_or(if increment > 0 { 1 } else { low });
    let shown = analyze::names::format_type(env.catalog(), type_oid, -1)?;
    for (value, name) in [(max, "MAXVALUE"), (min, "MINVALUE")] {
        if value < low || value > high {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "{name} ({value}) is out of range for sequence data type {shown}"
            ));
        }
    }
    if min >= max {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "MINVALUE ({min}) must be less than MAXVALUE ({max})"
        ));
    }
    let start = start.or(old.map(|o| o.start)).unwrap_or(if increment > 0 { min } else { max });
    let restart = restart.map(|value| value.unwrap_or(start));
    let cache = cache.or(old.map(|o| o.cache)).unwrap_or(1);
    if cache <= 0 {
        return Err(err!(INVALID_PARAMETER_VALUE, "CACHE ({cache}) must be greater than zero"));
    }
    let cycle = cycle.or(old.map(|o| o.cycle)).unwrap_or(false);
    let sequence = Sequence { type_oid, start, increment, max, min, cache, cycle };
    within(start, "START", &sequence)?;
    if let Some(value) = restart {
        within(value, "RESTART", &sequence)?;
    }
    Ok(SequenceOptions { sequence, restart, owned_by })
}

/// Whether a value lies between the bounds.
fn within(value: i64, name: &str, sequence: &Sequence) -> Result<()> {
    let Sequence { min, max, .. } = sequence;
    if value < *min {
        let message = format!("{name} value ({value}) cannot be less than MINVALUE ({min})");
        return Err(err!(INVALID_PARAMETER_VALUE, "{message}"));
    }
    if value > *max {
        let message = format!("{name} value ({value}) cannot be greater than MAXVALUE ({max})");
        return Err(err!(INVALID_PARAMETER_VALUE, "{message}"));
    }
    Ok(())
}

fn owner_column(env: &Env<'_>, option: &DefElem<'_>) -> Result<Option<(Oid, i16)>> {
    let Some(DefValue::List(names)) = &option.value else { return Ok(None) };
    let names: Vec<&str> = names.iter().filter_map(DefValue::as_word).collect();
    let (schema, table, column) = match names[..] {
        ["none"] => return Ok(None),
        [table, column] => (None, table, column),
        [.., schema, table, column] => (Some(schema), table, column),
        _ => {
            return Err(err!(SYNTAX_ERROR, "invalid OWNED BY option")
                .hint("Specify OWNED BY table.column or OWNED BY NONE."));
        }
    };
    let oid = env.catalog().relation_named(schema, table)?;
    let oid = oid.ok_or_else(|| err!(UNDEFINED_TABLE, "relation \"{table}\" does not exist"))?;
    let relation = env.catalog().relation(oid)?;
    let column = relation.column(column).ok_or_else(|| {
        err!(UNDEFINED_COLUMN, "column \"{column}\" of relation \"{table}\" does not exist")
    })?;
    Ok(Some((oid, column.attribute)))
}

/// Runs CREATE SEQUENCE.
pub(crate) fn create(env: &Env<'_>, create: &CreateSequenceStmt<'_>) -> Result<()> {
    let Some((namespace, persistence)) = place(env, &create.sequence, create.if_not_exists)? else {
        return Ok(());
    };
    let options = apply(env, create.options, oids::INT8, None)?;
    let name = create.sequence.name;
    let owner = env.catalog().user();
    let oid = insert(env, name, owner, (namespace, persistence), &options.sequence)?;
    own(env, oid, options.owned_by, DependencyKind::Auto)
}

/// The table, attribute and kind of dependency of the column that a sequence belongs to.
pub(crate) fn owner_of(env: &Env<'_>, sequence: Oid) -> Result<Option<(Oid, i16, DependencyKind)>> {
    use catalog::columns::pg_depend::*;
    let key = [Value::Oid(pg_class::RELATION), Value::Oid(sequence), Value::Int4(0)];
    for (_, row) in env.catalog().find_rows(index::PG_DEPEND_DEPENDER_INDEX, &key)? {
        let kind = match row.char(DEPTYPE)? {
            b'a' => DependencyKind::Auto,
            b'i' => DependencyKind::Internal,
            _ => continue,
        };
        let attribute = i16::try_from(row.int4(REFOBJSUBID)?).unwrap_or(0);
        if row.oid(REFCLASSID)? == pg_class::RELATION && attribute > 0 {
            return Ok(Some((row.oid(REFOBJID)?, attribute, kind)));
        }
    }
    Ok(None)
}

fn own(
    env: &Env<'_>,
    sequence: Oid,
    owner: Option<Option<(Oid, i16)>>,
    kind: DependencyKind,
) -> Result<()> {
    let Some(owner) = owner else { return Ok(()) };
    if let Some((table, _)) = owner {
        check_link(env, sequence, table)?;
    }
    let object = object::relation(sequence);
    env.catalog().delete_dependencies(&object, Some(kind))?;
    match owner {
        Some((table, attribute)) => {
            depend::record(env, object, object::column(table, attribute), kind)
        }
        None => Ok(()),
    }
}

/// 42809 and 55000 unless a sequence may belong to a column of a relation.
fn check_link(env: &Env<'_>, sequence: Oid, table: Oid) -> Result<()> {
    use RelationKind::{Foreign, PartitionedTable, Table, View};
    let (sequence, table) = (env.catalog().relation(sequence)?, env.catalog().relation(table)?);
    if !matches!(table.kind, Table | Foreign | View | PartitionedTable) {
        let message = format!("sequence cannot be owned by relation \"{}\"", table.name);
        return Err(
            err!(WRONG_OBJECT_TYPE, "{message}").detail(catalog::unsupported_for(table.kind))
        );
    }
    if sequence.owner != table.owner {
        return Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "sequence must have same owner as table it is linked to"
        ));
    }
    if sequence.namespace != table.namespace {
        return Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "sequence must be in same schema as table it is linked to"
        ));
    }
    Ok(())
}

/// Makes the sequence that belongs to a serial or identity column.
pub(crate) fn create_owned(
    env: &Env<'_>,
    table: &Relation,
    attribute: i16,
    column: &str,
    owned: OwnedSequence<'_>,
) -> Result<Oid> {
    object::require_create(env, table.namespace)?;
    let mut chosen = None;
    for number in 0u32.. {
        let label = if number == 0 { "seq".to_string() } else { format!("seq{number}") };
        let name = object_name(&table.name, Some(column), &label);
        if env.catalog().relation_in(table.namespace, &name)?.is_none() {
            chosen = Some(name);
            break;
        }
    }
    let name = chosen.ok_or_else(|| Error::internal("no free name"))?;
    let options = apply(env, owned.options, owned.type_oid, owned.model)?;
    let place = (table.namespace, table.persistence);
    let oid = insert(env, &name, table.owner, place, &options.sequence)?;
    let kind = if owned.identity { DependencyKind::Internal } else { DependencyKind::Auto };
    own(env, oid, Some(Some((table.oid, attribute))), kind)?;
    Ok(oid)
}

fn insert(
    env: &Env<'_>,
    name: &str,
    owner: Oid,
    (namespace, persistence): (Oid, Persistence),
    sequence: &Sequence,
) -> Result<Oid> {
    let oid = env.catalog().new_oid(pg_class::RELATION)?;
    let column = |name: &str, ty| NewColumn {
        not_null: true,
        ..NewColumn::plain(name, ty, -1, Oid::INVALID)
    };
    let relation = NewRelation {
        oid,
        name: name.into(),
        owner,
        namespace,
        kind: RelationKind::Sequence,
        persistence,
        method: Oid::INVALID,
        file: env.storage.create_table_tree()?,
        options: Vec::new(),
        columns: vec![
            column("last_value", oids::INT8),
            column("log_cnt", oids::INT8),
            column("is_called", oids::BOOL),
        ],
    };
    relation_rows::insert(env, &relation)?;
    env.catalog().insert(&sequence_row(oid, sequence))?;
    env.catalog().next_command()?;
    let described = env.catalog().relation(oid)?;
    env.storage.set_sequence(&described, sequence.start, false)?;
    Ok(oid)
}

fn sequence_row(oid: Oid, sequence: &Sequence) -> Row {
    use pg_sequence::*;
    Row::new(RELATION)
        .with(SEQRELID, oid)
        .with(SEQTYPID, sequence.type_oid)
        .with(SEQSTART, sequence.start)
        .with(SEQINCREMENT, sequence.increment)
        .with(SEQMAX, sequence.max)
        .with(SEQMIN, sequence.min)
        .with(SEQCACHE, sequence.cache)
        .with(SEQCYCLE, sequence.cycle)
}

/// The default of a serial column: `nextval('sequence'::regclass)`, cast to the column's type.
pub(crate) fn nextval_expression<'q>(
    env: &Env<'q>,
    sequence: Oid,
    column: &NewColumn,
) -> Result<&'q Expr<'q>> {
    let plain = |kind, oid| Expr { kind, ty: Type::plain(oid), at: None };
    let name = plain(ExprKind::Const(Datum::Oid(sequence.0)), oids::REGCLASS);
    let call = plain(
        ExprKind::Function {
            function: NEXTVAL,
            args: env.bump.alloc_slice_copy(&[name])?,
            variadic: false,
            returns_set: false,
            form: FunctionForm::Call,
        },
        oids::INT8,
    );
    let expr = if column.type_oid == oids::INT8 {
        call
    } else {
        let cast = env.catalog().cast(oids::INT8, column.type_oid)?;
        let function = cast.map_or(Oid::INVALID, |cast| cast.function);
        let kind = if function.is_valid() {
            ExprKind::Function {
                function,
                args: env.bump.alloc_slice_copy(&[call])?,
                variadic: false,
                returns_set: false,
                form: FunctionForm::ImplicitCast,
            }
        } else {
            ExprKind::Relabel { arg: env.bump.alloc(call)?, form: CastForm::Implicit }
        };
        plain(kind, column.type_oid)
    };
    Ok(env.bump.alloc(expr)?)
}

/// Runs ALTER SEQUENCE.
pub(crate) fn alter(env: &Env<'_>, alter: &AlterSequenceStmt<'_>) -> Result<()> {
    let name = &alter.sequence;
    if alter.missing_ok && env.catalog().relation_named(name.schema, name.name)?.is_none() {
        env.notice(format!("relation \"{}\" does not exist, skipping", name.name));
        return Ok(());
    }
    let relation = find(env, name, LockMode::ShareRowExclusive)?;
    let Some(old) = relation.sequence else {
        return Err(err!(WRONG_OBJECT_TYPE, "cannot open relation \"{}\"", relation.name)
            .detail(catalog::unsupported_for(relation.kind)));
    };
    env.catalog().require_owner(relation.owner, &format!("sequence {}", relation.name))?;
    change(env, &relation, old, alter.options)
}

fn change(
    env: &Env<'_>,
    relation: &Relation,
    old: Sequence,
    options: &[DefElem<'_>],
) -> Result<()> {
    let changes = options.iter().any(|option| option.name != "owned_by");
    if options.iter().any(|option| option.name == "owned_by")
        && let Some((table, _, DependencyKind::Internal)) = owner_of(env, relation.oid)?
    {
        let table = env.catalog().relation(table)?;
        return Err(err!(FEATURE_NOT_SUPPORTED, "cannot change ownership of identity sequence")
            .detail(format!(
                "Sequence \"{}\" is linked to table \"{}\".",
                relation.name, table.name
            )));
    }
    let options = apply(env, options, old.type_oid, Some(old))?;
    let key = [Value::Oid(relation.oid)];
    env.catalog().update_rows(index::PG_SEQUENCE_SEQRELID_INDEX, &key, |row| {
        *row = sequence_row(relation.oid, &options.sequence);
        Ok(())
    })?;
    own(env, relation.oid, options.owned_by, DependencyKind::Auto)?;
    if changes {
        let (last, called) = env.storage.sequence(relation)?;
        let (last, called) = options.restart.map_or((last, called), |value| (value, false));
        within(last, "RESTART", &options.sequence)?;
        env.catalog().next_command()?;
        begin_anew(env, relation, last, called)?;
    }
    Ok(())
}

/// Changes the sequence behind an identity column.
pub(crate) fn change_identity(
    env: &Env<'_>,
    table: Oid,
    attribute: i16,
    options: &[DefElem<'_>],
) -> Result<()> {
    for dependency in env.catalog().dependents_of(&object::column(table, attribute))? {
        if dependency.kind != DependencyKind::Internal {
            continue;
        }
        let relation = env.catalog().relation(dependency.dependent.object)?;
        if let Some(old) = relation.sequence {
            change(env, &relation, old, options)?;
        }
    }
    Ok(())
}

/// Gives the sequence behind an identity column the column's new type.
pub(crate) fn retype_identity(
    env: &Env<'_>,
    table: Oid,
    attribute: i16,
    type_oid: Oid,
) -> Result<()> {
    let name = match type_oid {
        oids::INT2 => "int2",
        oids::INT4 => "int4",
        _ => "int8",
    };
    let name = parse::TypeName {
        names: &["pg_catalog", name],
        setof: false,
        percent_type: false,
        typmods: &[],
        array_bounds: &[],
        location: parse::Location::default(),
    };
    let option = DefElem {
        namespace: None,
        name: "as",
        value: Some(DefValue::TypeName(&name)),
        action: parse::DefElemAction::Unspecified,
        location: parse::Location::default(),
    };
    change_identity(env, table, attribute, &[option])
}

/// Gives a sequence a new tree, so that its state changes with the transaction.
pub(crate) fn begin_anew(
    env: &Env<'_>,
    relation: &Relation,
    last: i64,
    is_called: bool,
) -> Result<()> {
    let file = env.storage.create_table_tree()?;
    env.storage.drop_tree(relation.file)?;
    relation_rows::update_class(env, relation.oid, |row| {
        row.set(hidden::PG_CLASS_FILE, i64::try_from(file.0).unwrap_or(0));
        Ok(())
    })?;
    env.catalog().next_command()?;
    let described = env.catalog().relation(relation.oid)?;
    env.storage.set_sequence(&described, last, is_called)
}
