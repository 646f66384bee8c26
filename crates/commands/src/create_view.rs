//! CREATE VIEW.

use crate::relation_rows::{self, NewColumn, NewRelation};
use crate::table::column::check_type;
use crate::table::create::{check_columns, creation_namespace, place};
use crate::{Env, LockMode, depend, object, query_columns};
use analyze::tree::Query;
use analyze::{Parameters, stored};
use base::{FileId, Oid, Result, err};
use catalog::columns::{index, pg_class, pg_rewrite};
use catalog::relation::Relation;
use catalog::rows::{DependencyKind, RelationKind};
use catalog::store::{Row, Value};
use parse::{DefElem, DefValue, Statement, ViewCheckOption, ViewStmt};

/// Runs CREATE [OR REPLACE] VIEW.
pub(crate) fn run(env: &Env<'_>, create: &ViewStmt<'_>) -> Result<()> {
    let statement = Statement::Select(create.query);
    let query =
        analyze::analyze(env.bump, env.session, env.source, &statement, &mut Parameters::none())?;
    if query.has_modifying_cte {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "views must not contain data-modifying statements in WITH"
        ));
    }
    let available = query.targets.iter().filter(|target| !target.junk).count();
    if create.columns.len() > available {
        return Err(err!(SYNTAX_ERROR, "CREATE VIEW specifies more column names than columns"));
    }
    let mut columns = Vec::new();
    for (name, ty) in query_columns(query, create.columns)? {
        columns.push(NewColumn::plain(&name, ty.oid, ty.typmod, ty.collation));
    }
    check_columns(columns.iter())?;
    for column in &columns {
        check_type(env, &column.name, column.type_oid)?;
    }
    let catalog = env.catalog();
    let mut options = view_options(create.options)?;
    match create.check_option {
        ViewCheckOption::None => {}
        ViewCheckOption::Local => options.push("check_option=local".into()),
        ViewCheckOption::Cascaded => options.push("check_option=cascaded".into()),
    }
    require_updatable(env, &options, query)?;
    let mut name = create.view;
    if name.persistence == parse::Persistence::Permanent && depend::uses_temporary(env, query)? {
        name.persistence = parse::Persistence::Temporary;
        env.notice(format!("view \"{}\" will be a temporary view", name.name));
    }
    let there = catalog.relation_in(creation_namespace(env, &name)?, name.name)?;
    if create.replace
        && let Some(oid) = there
    {
        let old = env.lock_and_describe(oid, LockMode::AccessExclusive)?;
        return replace(env, &old, columns, query, options);
    }
    let Some((namespace, persistence)) = place(env, &name, false)? else { return Ok(()) };
    let oid = catalog.new_oid(pg_class::RELATION)?;
    let relation = NewRelation {
        oid,
        name: create.view.name.into(),
        owner: catalog.user(),
        namespace,
        kind: RelationKind::View,
        persistence,
        method: Oid::INVALID,
        file: FileId(0),
        options,
        columns,
    };
    relation_rows::insert(env, &relation)?;
    insert_rule(env, oid, query)
}

/// 0A000 for a check option of a view through which nothing can be changed.
pub(crate) fn require_updatable(
    env: &Env<'_>,
    options: &[String],
    query: &Query<'_>,
) -> Result<()> {
    if options.iter().any(|option| option.starts_with("check_option="))
        && let Some(reason) = analyze::view_obstacle(env.bump, env.session, query)?
    {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "WITH CHECK OPTION is supported only on automatically updatable views"
        )
        .hint(reason));
    }
    Ok(())
}

/// The options of a view, as `name=value`.
pub(crate) fn view_options(options: &[DefElem<'_>]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for option in options {
        let value = match &option.value {
            None => "true".to_string(),
            Some(DefValue::Integer(number)) => number.to_string(),
            Some(DefValue::Boolean(truth)) => truth.to_string(),
            Some(value) => value.as_word().unwrap_or_default().to_string(),
        };
        match option.name {
            "check_option" if !matches!(value.as_str(), "local" | "cascaded") => {
                return Err(err!(
                    INVALID_PARAMETER_VALUE,
                    "invalid value for enum option \"check_option\": {value}"
                )
                .detail("Valid values are \"local\" and \"cascaded\"."));
            }
            "security_barrier" | "security_invoker"
                if !matches!(
                    value.as_str(),
                    "true" | "false" | "on" | "off" | "yes" | "no" | "1" | "0"
                ) =>
            {
                return Err(err!(
                    INVALID_PARAMETER_VALUE,
                    "invalid value for boolean option \"{}\": {value}",
                    option.name
                ));
            }
            "check_option" | "security_barrier" | "security_invoker" => {}
            other => {
                return Err(err!(INVALID_PARAMETER_VALUE, "unrecognized parameter \"{other}\""));
            }
        }
        found.push(format!("{}={value}", option.name));
    }
    Ok(found)
}

/// Writes the rule that makes a relation a view.
pub(crate) fn insert_rule(env: &Env<'_>, view: Oid, query: &Query<'_>) -> Result<()> {
    let oid = env.catalog().new_oid(pg_rewrite::RELATION)?;
    use pg_rewrite::*;
    let row = Row::new(RELATION)
        .with(OID, oid)
        .with(RULENAME, "_RETURN")
        .with(EV_CLASS, view)
        .with(EV_TYPE, b'1')
        .with(EV_ENABLED, b'O')
        .with(IS_INSTEAD, true)
        .with(EV_QUAL, "<>")
        .with(EV_ACTION, &stored::encode_query(query));
    env.catalog().insert(&row)?;
    relation_rows::update_class(env, view, |row| {
        row.set(pg_class::RELHASRULES, true);
        Ok(())
    })?;
    let rule = object::rule(oid);
    depend::record(env, rule, object::relation(view), DependencyKind::Internal)?;
    depend::record_query(env, rule, query)
}

/// A view keeps its columns: their names, types and order; new ones may follow.
fn replace(
    env: &Env<'_>,
    old: &Relation,
    columns: Vec<NewColumn>,
    query: &Query<'_>,
    options: Vec<String>,
) -> Result<()> {
    if old.kind != RelationKind::View {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is not a view", old.name));
    }
    env.catalog().require_owner(old.owner, &format!("view {}", old.name))?;
    let kept: Vec<_> = old.live_columns().collect();
    if columns.len() < kept.len() {
        return Err(err!(INVALID_TABLE_DEFINITION, "cannot drop columns from view"));
    }
    let shown = |oid, typmod| analyze::names::format_type(env.catalog(), oid, typmod);
    for (new, old) in columns.iter().zip(&kept) {
        if new.name != old.name {
            return Err(err!(
                INVALID_TABLE_DEFINITION,
                "cannot change name of view column \"{}\" to \"{}\"",
                old.name,
                new.name
            )
            .hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead."));
        }
        if (new.type_oid, new.typmod) != (old.type_oid, old.typmod) {
            return Err(err!(
                INVALID_TABLE_DEFINITION,
                "cannot change data type of view column \"{}\" from {} to {}",
                old.name,
                shown(old.type_oid, old.typmod)?,
                shown(new.type_oid, new.typmod)?
            ));
        }
    }
    for (column, attribute) in columns.iter().zip(1i16..).skip(kept.len()) {
        let id = u32::from(attribute.unsigned_abs());
        relation_rows::insert_column(env, old.oid, attribute, id, column)?;
    }
    let count = i16::try_from(columns.len()).unwrap_or(i16::MAX);
    relation_rows::update_class(env, old.oid, |row| {
        row.set(pg_class::RELNATTS, count);
        row.set(pg_class::RELOPTIONS, (!options.is_empty()).then(|| options.clone()));
        Ok(())
    })?;
    let key = [Value::Oid(old.oid)];
    for (id, row) in env.catalog().find_rows(index::PG_REWRITE_REL_RULENAME_INDEX, &key)? {
        depend::forget(env, object::rule(row.oid(pg_rewrite::OID)?))?;
        env.catalog().delete(id, &row)?;
    }
    insert_rule(env, old.oid, query)
}
