//! Views and rules.

use crate::printer::Style;
use analyze::Environment;
use base::{Error, Oid, Result};
use catalog::columns::{index, pg_rewrite};
use catalog::quote_identifier;
use catalog::relation::Relation;
use catalog::store::Value;
use memory::Bump;

/// The query of a view as text.
fn text(
    env: &dyn Environment,
    bump: &Bump,
    relation: &Relation,
    style: Style,
) -> Result<Option<String>> {
    let Some(stored) = &relation.query else { return Ok(None) };
    let query = analyze::analyze_stored_query(bump, env, stored, Oid::INVALID)?;
    let names: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
    super::query(env, query, Some(&names), style).map(Some)
}

/// `pg_get_viewdef`
pub(super) fn definition(
    env: &dyn Environment,
    bump: &Bump,
    oid: Oid,
    style: Style,
) -> Result<Option<String>> {
    let Some(relation) = env.catalog().find_relation(oid)? else { return Ok(None) };
    // What is no view has no query to show.
    Ok(text(env, bump, &relation, style)?.map(|text| format!("{text};")))
}

/// `pg_get_ruledef`
pub(super) fn rule(
    env: &dyn Environment,
    bump: &Bump,
    oid: Oid,
    style: Style,
) -> Result<Option<String>> {
    let found = env.catalog().find_rows(index::PG_REWRITE_OID_INDEX, &[Value::Oid(oid)])?;
    let Some((_, row)) = found.first() else { return Ok(None) };
    let relation = env.catalog().relation(row.oid(pg_rewrite::EV_CLASS)?)?;
    if row.char(pg_rewrite::EV_TYPE)? != b'1' {
        return Err(Error::unsupported("showing rules other than a view's is not supported yet"));
    }
    let name = if style.short_names {
        env.catalog().relation_text(relation.oid)?.unwrap_or_default()
    } else {
        let schema = env.catalog().namespace(relation.namespace)?;
        catalog::names::qualified(&schema.name, &relation.name)
    };
    let query = text(env, bump, &relation, style)?.unwrap_or_default();
    let rule = quote_identifier(&row.text(pg_rewrite::RULENAME)?);
    Ok(Some(format!("CREATE RULE {rule} AS\n    ON SELECT TO {name} DO INSTEAD {query};")))
}
