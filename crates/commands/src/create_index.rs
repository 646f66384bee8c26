//! CREATE INDEX, and the index rows that keys share with it.

use crate::relation_rows::{self, NewColumn, NewRelation, update_class};
use crate::table::alter::find;
use crate::table::constraint::object_name;
use crate::{Env, LockMode, depend, object};
use analyze::tree::{Expr, ExprKind, Json, JsonKind};
use analyze::{StoredContext, analyze_expression, stored};
use base::{Error, Oid, Result, err};
use catalog::columns::{hidden, index, pg_class, pg_index};
use catalog::relation::{Index, IndexKey, Relation};
use catalog::rows::{DependencyKind, RelationKind, Stored, Volatility};
use catalog::store::{Row, Value};
use parse::{IndexElem, IndexStmt, SortNulls};
use types::Datum;

/// The access method `btree`.
const BTREE: Oid = Oid(403);

/// An index to be made.
pub(crate) struct NewIndex<'q> {
    pub(crate) name: String,
    pub(crate) keys: Vec<NewKey<'q>>,
    pub(crate) included: Vec<i16>,
    pub(crate) unique: bool,
    pub(crate) nulls_not_distinct: bool,
    pub(crate) primary: bool,
    pub(crate) immediate: bool,
    pub(crate) predicate: Option<&'q Expr<'q>>,
    pub(crate) options: Vec<String>,
}

/// A key of an index to be made.
pub(crate) struct NewKey<'q> {
    /// The column, 0 for an expression.
    pub(crate) attribute: i16,
    pub(crate) expression: Option<&'q Expr<'q>>,
    pub(crate) name: String,
    pub(crate) type_oid: Oid,
    pub(crate) typmod: i32,
    pub(crate) collation: Oid,
    pub(crate) class: Oid,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

impl NewKey<'_> {
    /// A column with the default operator class of its type, ascending.
    pub(crate) fn column(
        env: &Env<'_>,
        relation: &Relation,
        attribute: i16,
    ) -> Result<NewKey<'static>> {
        let column = relation
            .column_at(attribute)
            .ok_or_else(|| Error::internal("a key over a column that is not there"))?;
        Ok(NewKey {
            attribute,
            expression: None,
            name: column.name.clone(),
            type_oid: column.type_oid,
            typmod: column.typmod,
            collation: column.collation,
            class: default_class(env, column.type_oid)?,
            descending: false,
            nulls_first: false,
        })
    }

    /// As a key that is there; for a column only.
    pub(crate) fn like(key: &IndexKey) -> NewKey<'static> {
        NewKey {
            attribute: key.attribute,
            expression: None,
            name: String::new(),
            type_oid: key.type_oid,
            typmod: -1,
            collation: key.collation,
            class: key.class,
            descending: key.descending,
            nulls_first: key.nulls_first,
        }
    }
}

fn default_class(env: &Env<'_>, type_oid: Oid) -> Result<Oid> {
    match env.catalog().opclass_for(BTREE, type_oid)? {
        Some(class) => Ok(class.oid),
        None => {
            let shown = analyze::names::format_type(env.catalog(), type_oid, -1)?;
            Err(err!(
                UNDEFINED_OBJECT,
                "data type {shown} has no default operator class for access method \"btree\""
            )
            .hint(
                "You must specify an operator class for the index or define a default operator \
                 class for the data type.",
            ))
        }
    }
}

/// Runs CREATE INDEX.
pub(crate) fn run(env: &Env<'_>, create: &IndexStmt<'_>) -> Result<()> {
    // CONCURRENTLY keeps writers out, too.
    let relation = find(env, &create.relation, LockMode::Share)?;
    if !matches!(relation.kind, RelationKind::Table | RelationKind::MaterializedView) {
        return Err(err!(
            WRONG_OBJECT_TYPE,
            "cannot create index on relation \"{}\"",
            relation.name
        )
        .detail("This operation is not supported for views."));
    }
    relation_rows::refuse_system(&relation)?;
    env.catalog().require_owner(relation.owner, &format!("table {}", relation.name))?;
    check_method(env, create.access_method)?;
    if env.storage.in_use(relation.oid) {
        return Err(err!(
            OBJECT_IN_USE,
            "cannot CREATE INDEX \"{}\" because it is being used by active queries in this session",
            relation.name
        ));
    }
    object::refuse_pending(env, relation.oid, "CREATE INDEX", &relation.name)?;
    object::require_create(env, relation.namespace)?;
    if let Some(name) = create.name
        && env.catalog().relation_in(relation.namespace, name)?.is_some()
    {
        if create.if_not_exists {
            env.notice(format!("relation \"{name}\" already exists, skipping"));
            return Ok(());
        }
        return Err(err!(DUPLICATE_TABLE, "relation \"{name}\" already exists"));
    }
    let mut keys = Vec::new();
    for element in create.columns {
        keys.push(key(env, &relation, element)?);
    }
    let mut included = Vec::new();
    for element in create.including {
        let name = element.name.ok_or_else(|| {
            err!(FEATURE_NOT_SUPPORTED, "expressions are not supported in included columns")
        })?;
        included.push(attribute(&relation, name)?);
    }
    let predicate = create.filter.map(|filter| predicate(env, &relation, filter)).transpose()?;
    let name = match create.name {
        Some(name) => name.to_string(),
        None => choose_name(env, &relation, &keys, &included)?,
    };
    let index = NewIndex {
        name,
        keys,
        included,
        unique: create.unique,
        nulls_not_distinct: create.nulls_not_distinct,
        primary: false,
        immediate: true,
        predicate,
        options: crate::table::create::options(create.options)?,
    };
    insert_index(env, &relation, &index).map(drop)
}

fn check_method(env: &Env<'_>, method: &str) -> Result<()> {
    let _ = env;
    match method {
        "btree" => Ok(()),
        "hash" | "gin" | "gist" | "spgist" | "brin" => Err(Error::unsupported(format!(
            "index access method \"{method}\" is not supported yet"
        ))
        .hint("Use the access method btree.")),
        _ => Err(err!(UNDEFINED_OBJECT, "access method \"{method}\" does not exist")),
    }
}

fn attribute(relation: &Relation, name: &str) -> Result<i16> {
    relation
        .column(name)
        .map(|column| column.attribute)
        .ok_or_else(|| err!(UNDEFINED_COLUMN, "column \"{name}\" does not exist"))
}

fn key<'q>(env: &Env<'q>, relation: &Relation, element: &IndexElem<'_>) -> Result<NewKey<'q>> {
    let (attribute, expression, name, ty) = match (element.name, element.expression) {
        (Some(name), _) => {
            let attribute = attribute(relation, name)?;
            crate::table::column::refuse_virtual(relation, &[attribute], "indexes")?;
            let column = relation
                .column_at(attribute)
                .ok_or_else(|| Error::internal("a column without a number"))?;
            let ty = analyze::tree::Type {
                oid: column.type_oid,
                typmod: column.typmod,
                collation: column.collation,
            };
            (attribute, None, name.to_string(), ty)
        }
        (None, Some(expression)) => {
            let context = StoredContext::IndexExpression;
            let (bump, session) = (env.bump, env.session);
            let expr = analyze_expression(
                bump,
                session,
                env.source,
                expression,
                Some(relation),
                context,
                None,
            )?;
            let read = crate::table::column::attributes_of(expr);
            crate::table::column::refuse_virtual(relation, &read, "indexes")?;
            require_immutable(env, expr, "index expression")?;
            match expr.kind {
                // An expression that is just a column is that column.
                ExprKind::Column(column) if column.attribute > 0 => {
                    let name = relation.column_at(column.attribute).map(|c| c.name.clone());
                    (column.attribute, None, name.unwrap_or_default(), expr.ty)
                }
                _ => (0, Some(expr), expression_name(env, expr)?, expr.ty),
            }
        }
        (None, None) => return Err(Error::internal("an index key of nothing")),
    };
    let collation = match element.collation {
        None => ty.collation,
        Some(name) => collation(env, name)?,
    };
    let class = match element.opclass {
        None => default_class(env, ty.oid)?,
        Some(name) => named_class(env, name, ty.oid)?,
    };
    let descending = element.descending.unwrap_or(false);
    let nulls_first = match element.nulls {
        SortNulls::First => true,
        SortNulls::Last => false,
        SortNulls::Default => descending,
    };
    Ok(NewKey {
        attribute,
        expression,
        name,
        type_oid: ty.oid,
        typmod: ty.typmod,
        collation,
        class,
        descending,
        nulls_first,
    })
}

/// The column name of an expression in an index: that of its function, else `expr`.
fn expression_name(env: &Env<'_>, expr: &Expr<'_>) -> Result<String> {
    Ok(match expr.kind {
        ExprKind::Function { function, .. } => env.catalog().proc(function)?.name.to_string(),
        ExprKind::Coalesce(_) => "coalesce".into(),
        ExprKind::Case { .. } => "case".into(),
        _ => "expr".into(),
    })
}

fn collation(env: &Env<'_>, name: parse::Name<'_>) -> Result<Oid> {
    let (schema, bare) = match name {
        [.., schema, bare] => (Some(*schema), *bare),
        [bare] => (None, *bare),
        [] => return Ok(Oid::INVALID),
    };
    env.catalog().collation_named(schema, bare)?.map(|found| found.oid).ok_or_else(|| {
        err!(
            UNDEFINED_OBJECT,
            "collation \"{}\" for encoding \"UTF8\" does not exist",
            name.join(".")
        )
    })
}

fn named_class(env: &Env<'_>, name: parse::Name<'_>, type_oid: Oid) -> Result<Oid> {
    let (schema, bare) = match name {
        [.., schema, bare] => (Some(*schema), *bare),
        [bare] => (None, *bare),
        [] => return default_class(env, type_oid),
    };
    let shown = name.join(".");
    let class = env.catalog().opclass_named(BTREE, schema, bare)?.ok_or_else(|| {
        err!(
            UNDEFINED_OBJECT,
            "operator class \"{shown}\" does not exist for access method \"btree\""
        )
    })?;
    let binary = |cast: &catalog::rows::Cast| cast.method == catalog::rows::CastMethod::Binary;
    let fits = class.input_type == type_oid
        || env.catalog().cast(type_oid, class.input_type)?.is_some_and(|cast| binary(&cast));
    if !fits {
        let ty = analyze::names::format_type(env.catalog(), type_oid, -1)?;
        return Err(err!(
            DATATYPE_MISMATCH,
            "operator class \"{shown}\" does not accept data type {ty}"
        ));
    }
    Ok(class.oid)
}

fn predicate<'q>(
    env: &Env<'q>,
    relation: &Relation,
    filter: &parse::Expression<'_>,
) -> Result<&'q Expr<'q>> {
    let context = StoredContext::IndexPredicate;
    let (bump, session) = (env.bump, env.session);
    let expr =
        analyze_expression(bump, session, env.source, filter, Some(relation), context, None)?;
    let read = crate::table::column::attributes_of(expr);
    crate::table::column::refuse_virtual(relation, &read, "indexes")?;
    require_immutable(env, expr, "index predicate")?;
    Ok(expr)
}

fn require_immutable(env: &Env<'_>, expr: &Expr<'_>, what: &str) -> Result<()> {
    if is_immutable(env, expr)? {
        return Ok(());
    }
    Err(err!(INVALID_OBJECT_DEFINITION, "functions in {what} must be marked IMMUTABLE"))
}

/// Whether an expression has the same value for the same columns forever.
pub(crate) fn is_immutable(env: &Env<'_>, expr: &Expr<'_>) -> Result<bool> {
    let mut result = Ok(true);
    analyze::walk::visit(expr, 0, &mut |part, _| {
        let function = match part.kind {
            ExprKind::Function { function, .. } | ExprKind::Operator { function, .. } => function,
            ExprKind::SqlValue(_) => {
                result = Ok(false);
                return false;
            }
            ExprKind::Json(json) if asks_zone(json) => {
                result = Ok(false);
                return false;
            }
            _ => return true,
        };
        match env.catalog().proc(function) {
            Ok(proc) if proc.volatility == Volatility::Immutable => {}
            Ok(_) if [TEXT_AND_ANY, ANY_AND_TEXT].contains(&function.0) => {
                // `text || any` is as immutable as the output of its arguments.
                let mut known = Ok(true);
                if let ExprKind::Function { args, .. } | ExprKind::Operator { args, .. } = part.kind
                {
                    for arg in args {
                        known = known.and_then(|known| Ok(known && has_fixed_output(env, arg)?));
                    }
                }
                match known {
                    Ok(true) => {}
                    other => result = other,
                }
            }
            Ok(_) => result = Ok(false),
            Err(error) => result = Err(error),
        }
        true
    });
    result
}

/// Whether the answer of a query function of SQL/JSON can depend on the time zone.
fn asks_zone(json: &Json<'_>) -> bool {
    let JsonKind::Function(function) = json.kind else { return false };
    let [_, path, values @ ..] = json.args else { return false };
    let ExprKind::Const(Datum::Text(path)) = path.kind else { return true };
    let types = values.iter().map(|value| value.ty.oid.0);
    let variables: Vec<(&str, u32)> = function.passing.iter().copied().zip(types).collect();
    match types::jsonpath::Path::parse(path) {
        Ok(path) => functions_json::is_mutable(&path, &variables),
        Err(_) => true,
    }
}

/// `pg_proc.oid` of the two functions behind `||` between text and a value of any type.
const TEXT_AND_ANY: u32 = 2003;
const ANY_AND_TEXT: u32 = 2004;

/// Whether the text of an expression's values depends on nothing else.
fn has_fixed_output(env: &Env<'_>, arg: &Expr<'_>) -> Result<bool> {
    let output = env.catalog().type_(arg.ty.oid)?.output;
    Ok(env.catalog().proc(output)?.volatility == Volatility::Immutable)
}

fn choose_name(
    env: &Env<'_>,
    relation: &Relation,
    keys: &[NewKey<'_>],
    included: &[i16],
) -> Result<String> {
    let included = included.iter().filter_map(|attribute| relation.column_at(*attribute));
    let names = keys.iter().map(|key| &key.name).chain(included.map(|column| &column.name));
    let mut names: Vec<String> = names.cloned().collect();
    unique_names(&mut names);
    let joined = names.join("_");
    for number in 0u32.. {
        let label = if number == 0 { "idx".to_string() } else { format!("idx{number}") };
        let name = object_name(&relation.name, Some(&joined), &label);
        if env.catalog().relation_in(relation.namespace, &name)?.is_none() {
            return Ok(name);
        }
    }
    Err(Error::internal("no free name"))
}

/// Writes the rows of an index, makes its tree and fills it; returns its OID.
pub(crate) fn insert_index(
    env: &Env<'_>,
    relation: &Relation,
    index: &NewIndex<'_>,
) -> Result<Oid> {
    let count = index.keys.len() + index.included.len();
    if count > base::limits::INDEX_COLUMNS_MAX {
        return Err(err!(
            TOO_MANY_COLUMNS,
            "cannot use more than {} columns in an index",
            base::limits::INDEX_COLUMNS_MAX
        ));
    }
    let oid = env.catalog().new_oid(pg_class::RELATION)?;
    let mut columns: Vec<NewColumn> = index
        .keys
        .iter()
        .map(|key| NewColumn {
            storage: relation.column_at(key.attribute).map(|column| column.storage),
            ..NewColumn::plain(&key.name, key.type_oid, key.typmod, key.collation)
        })
        .collect();
    for attribute in &index.included {
        if let Some(c) = relation.column_at(*attribute) {
            let storage = Some(c.storage);
            let plain = NewColumn::plain(&c.name, c.type_oid, c.typmod, c.collation);
            columns.push(NewColumn { storage, ..plain });
        }
    }
    let mut names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    unique_names(&mut names);
    for (column, name) in columns.iter_mut().zip(names) {
        column.name = name;
    }
    let rows = NewRelation {
        oid,
        name: index.name.clone(),
        owner: relation.owner,
        namespace: relation.namespace,
        kind: RelationKind::Index,
        persistence: relation.persistence,
        method: BTREE,
        file: env.storage.create_index_tree()?,
        options: index.options.clone(),
        columns,
    };
    relation_rows::insert(env, &rows)?;
    env.catalog().insert(&index_row(relation, oid, index))?;
    record_needs(env, relation, oid, index)?;
    if relation.indexes.is_empty() {
        update_class(env, relation.oid, |row| {
            row.set(pg_class::RELHASINDEX, true);
            Ok(())
        })?;
    }
    env.catalog().next_command()?;
    let table = env.catalog().relation(relation.oid)?;
    let described = env.catalog().index(oid)?;
    fill(env, &table, &described)?;
    Ok(oid)
}

/// Fills the empty tree of an index, and writes down which snapshots it can serve.
pub(crate) fn fill(env: &Env<'_>, table: &Relation, index: &Index) -> Result<()> {
    let csn = env.storage.build_index(table, index)?;
    let key = [Value::Oid(index.oid)];
    env.catalog()
        .update_rows(index::PG_INDEX_INDEXRELID_INDEX, &key, |row| {
            row.set(hidden::PG_INDEX_BUILD_CSN, csn.0.cast_signed());
            Ok(())
        })
        .map(drop)
}

/// Columns of one name get numbers, as the columns of a table could not have.
fn unique_names(names: &mut [String]) {
    for at in 1..names.len() {
        let (before, rest) = names.split_at_mut(at);
        let Some(name) = rest.first_mut() else { continue };
        let bare = name.clone();
        let mut number = 0;
        while before.contains(name) {
            number += 1;
            *name = format!("{bare}{number}");
        }
    }
}

fn index_row(relation: &Relation, oid: Oid, index: &NewIndex<'_>) -> Row {
    let stored: Vec<Stored> =
        index.keys.iter().filter_map(|key| key.expression.map(stored::encode_expression)).collect();
    let predicate = index.predicate.map(stored::encode_expression);
    let attributes: Vec<i16> =
        index.keys.iter().map(|key| key.attribute).chain(index.included.iter().copied()).collect();
    let option = |key: &NewKey<'_>| i16::from(key.descending) | i16::from(key.nulls_first) << 1;
    let count = |n: usize| i16::try_from(n).unwrap_or(i16::MAX);
    use pg_index::*;
    Row::new(RELATION)
        .with(INDEXRELID, oid)
        .with(INDRELID, relation.oid)
        .with(INDNATTS, count(attributes.len()))
        .with(INDNKEYATTS, count(index.keys.len()))
        .with(INDISUNIQUE, index.unique)
        .with(INDNULLSNOTDISTINCT, index.nulls_not_distinct)
        .with(INDISPRIMARY, index.primary)
        .with(INDISEXCLUSION, false)
        .with(INDIMMEDIATE, index.immediate)
        .with(INDISCLUSTERED, false)
        .with(INDISVALID, true)
        .with(INDCHECKXMIN, false)
        .with(INDISREADY, true)
        .with(INDISLIVE, true)
        .with(INDISREPLIDENT, false)
        .with(INDKEY, attributes)
        .with(INDCOLLATION, index.keys.iter().map(|key| key.collation).collect::<Vec<Oid>>())
        .with(INDCLASS, index.keys.iter().map(|key| key.class).collect::<Vec<Oid>>())
        .with(INDOPTION, index.keys.iter().map(option).collect::<Vec<i16>>())
        .with(INDEXPRS, catalog::stored::list_to_text(stored.iter()))
        .with(INDPRED, predicate.as_ref().map(catalog::stored::to_text))
}

fn record_needs(env: &Env<'_>, relation: &Relation, oid: Oid, index: &NewIndex<'_>) -> Result<()> {
    let object = object::relation(oid);
    let attributes = index.keys.iter().map(|key| key.attribute).chain(index.included.clone());
    let mut any = false;
    for attribute in attributes.filter(|attribute| *attribute != 0) {
        any = true;
        let column = object::column(relation.oid, attribute);
        depend::record(env, object, column, DependencyKind::Auto)?;
    }
    if !any {
        depend::record(env, object, object::relation(relation.oid), DependencyKind::Auto)?;
    }
    let own = Some((relation.oid, DependencyKind::Auto));
    let expressions = index.keys.iter().filter_map(|key| key.expression);
    for expr in expressions.chain(index.predicate) {
        depend::record_expression(env, object, expr, own)?;
    }
    Ok(())
}
