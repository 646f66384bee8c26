//! Constraints.

use crate::printer::Style;
use analyze::Environment;
use base::{Oid, Result};
use catalog::quote_identifier;
use catalog::relation::{Constraint, ForeignKey, Relation};
use catalog::rows::{ConstraintKind, ForeignAction, ForeignMatch};
use memory::Bump;

/// `pg_get_constraintdef`
pub(super) fn definition(
    env: &dyn Environment,
    bump: &Bump,
    oid: Oid,
    style: Style,
) -> Result<Option<String>> {
    let Some((constraint, table, _)) = env.catalog().find_constraint(oid)? else {
        return Ok(None);
    };
    let relation = if table.is_valid() { Some(env.catalog().relation(table)?) } else { None };
    let relation = relation.as_deref();
    let mut text = match constraint.kind {
        ConstraintKind::Foreign => match (&constraint.foreign, relation) {
            (Some(foreign), Some(relation)) => foreign_key(env, &constraint, foreign, relation)?,
            _ => return Ok(None),
        },
        ConstraintKind::Primary | ConstraintKind::Unique => key(env, &constraint, relation)?,
        ConstraintKind::Check => check(env, bump, &constraint, table, style)?,
        ConstraintKind::NotNull => {
            let mut text = "NOT NULL".to_owned();
            if let Some(relation) = relation {
                text.push(' ');
                text.push_str(&columns(relation, &constraint.columns));
                text.push_str(if constraint.no_inherit { " NO INHERIT" } else { "" });
            }
            text
        }
        ConstraintKind::Trigger => "TRIGGER".to_owned(),
        ConstraintKind::Exclusion => {
            super::index::exclusion(env, bump, constraint.index, &constraint.exclusion, style)?
        }
    };
    text.push_str(if constraint.deferrable { " DEFERRABLE" } else { "" });
    text.push_str(if constraint.deferred { " INITIALLY DEFERRED" } else { "" });
    if !constraint.enforced {
        text.push_str(" NOT ENFORCED");
    } else if !constraint.validated {
        text.push_str(" NOT VALID");
    }
    Ok(Some(text))
}

fn columns(relation: &Relation, attributes: &[i16]) -> String {
    let name = |attribute: &i16| {
        relation.column_at(*attribute).map(|column| quote_identifier(&column.name))
    };
    attributes.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}

fn check(
    env: &dyn Environment,
    bump: &Bump,
    constraint: &Constraint,
    table: Oid,
    style: Style,
) -> Result<String> {
    let expression = match &constraint.check {
        Some(stored) => super::expression(env, bump, stored, table, style)?,
        None => String::new(),
    };
    let inherit = if constraint.no_inherit { " NO INHERIT" } else { "" };
    Ok(format!("CHECK ({expression}){inherit}"))
}

fn key(
    env: &dyn Environment,
    constraint: &Constraint,
    relation: Option<&Relation>,
) -> Result<String> {
    let Some(relation) = relation else { return Ok(String::new()) };
    let index = env.catalog().index(constraint.index)?;
    let primary = constraint.kind == ConstraintKind::Primary;
    let mut text = if primary { "PRIMARY KEY " } else { "UNIQUE " }.to_owned();
    text.push_str(if !primary && index.nulls_not_distinct { "NULLS NOT DISTINCT " } else { "" });
    text.push_str(&format!("({})", columns(relation, &constraint.columns)));
    if !index.included.is_empty() {
        text.push_str(&format!(" INCLUDE ({})", columns(relation, &index.included)));
    }
    Ok(text)
}

fn action(action: ForeignAction) -> Option<&'static str> {
    match action {
        ForeignAction::NoAction => None,
        ForeignAction::Restrict => Some("RESTRICT"),
        ForeignAction::Cascade => Some("CASCADE"),
        ForeignAction::SetNull => Some("SET NULL"),
        ForeignAction::SetDefault => Some("SET DEFAULT"),
    }
}

fn foreign_key(
    env: &dyn Environment,
    constraint: &Constraint,
    foreign: &ForeignKey,
    relation: &Relation,
) -> Result<String> {
    let referenced = env.catalog().relation(foreign.table)?;
    let mut text = format!(
        "FOREIGN KEY ({}) REFERENCES {}({})",
        columns(relation, &constraint.columns),
        env.catalog().relation_text(foreign.table)?.unwrap_or_default(),
        columns(&referenced, &foreign.columns),
    );
    text.push_str(match foreign.match_kind {
        ForeignMatch::Full => " MATCH FULL",
        ForeignMatch::Partial => " MATCH PARTIAL",
        ForeignMatch::Simple => "",
    });
    if let Some(word) = action(foreign.on_update) {
        text.push_str(&format!(" ON UPDATE {word}"));
    }
    if let Some(word) = action(foreign.on_delete) {
        text.push_str(&format!(" ON DELETE {word}"));
    }
    if !foreign.set_columns.is_empty() {
        text.push_str(&format!(" ({})", columns(relation, &foreign.set_columns)));
    }
    Ok(text)
}
