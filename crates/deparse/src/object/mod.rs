//! The definitions of objects.

mod constraint;
mod function;
mod index;
mod other;
mod view;

use crate::printer::{Frame, Printer, Style};
use crate::scope::Scope;
use analyze::Environment;
use analyze::tree::{ColumnUse, Expr, ExprKind, Query};
use base::{Oid, Result, err};
use catalog::rows::Stored;
use expr::definition::Definition;
use memory::Bump;
use std::rc::Rc;

/// The text of a definition; none when there is no such object.
///
/// # Errors
/// 22023 for a text that is no expression of the relation; those of reading the catalogs.
pub fn definition(
    env: &dyn Environment,
    bump: &Bump,
    wanted: &Definition<'_>,
) -> Result<Option<String>> {
    let text = match *wanted {
        Definition::Expression { tree, relation, pretty } => {
            return stored_expression(env, bump, tree, relation, Style::of(pretty));
        }
        Definition::Constraint { constraint, pretty } => {
            return constraint::definition(env, bump, constraint, Style::of(pretty));
        }
        Definition::Index { index, column, pretty } => {
            return index::definition(env, bump, index, column, Style::of(pretty));
        }
        Definition::View { view, pretty, wrap } => {
            let style = Style { wrap, ..Style::of(pretty) };
            return view::definition(env, bump, view, style);
        }
        Definition::Rule { rule, pretty } => view::rule(env, bump, rule, Style::of(pretty))?,
        Definition::Trigger { trigger, pretty } => {
            other::trigger(env, bump, trigger, Style::of(pretty))?
        }
        Definition::Function(oid) => return function::definition(env, bump, oid),
        Definition::FunctionArguments { function, identity } => {
            return function::arguments(env, bump, function, !identity);
        }
        Definition::FunctionResult(oid) => return function::result(env, bump, oid),
        Definition::ArgumentDefault { function, argument } => {
            return function::argument_default(env, bump, function, argument);
        }
        Definition::FunctionBody(oid) => return function::body(env, bump, oid),
        Definition::PartitionKey(_)
        | Definition::PartitionConstraint(_)
        | Definition::Statistics { .. } => other::not_shown(env, wanted)?,
    };
    Ok(text)
}

/// A stored expression over one relation, or over none.
pub(crate) fn expression(
    env: &dyn Environment,
    bump: &Bump,
    stored: &Stored,
    relation: Oid,
    style: Style,
) -> Result<String> {
    let expr = analyze::analyze_stored(bump, env, stored)?;
    print_expression(env, expr, relation, style)
}

/// An expression over one relation, or over none, whose columns need no prefix.
pub(crate) fn print_expression<'q>(
    env: &dyn Environment,
    expr: &Expr<'q>,
    relation: Oid,
    style: Style,
) -> Result<String> {
    let mut printer = Printer::new(env, style);
    printer.frame = Frame { names_visible: true, ..Frame::default() };
    if relation.is_valid() {
        printer.scopes.push(Rc::new(Scope::of_relation(env, relation)?));
        printer.queries.push(None);
    }
    printer.expression(expr, false)?;
    Ok(printer.text)
}

/// An expression over no relation, as the catalogs keep it beside its tree.
///
/// # Errors
/// Those of reading the catalogs.
pub fn expression_text(env: &dyn Environment, expr: &Expr<'_>) -> Result<String> {
    print_expression(env, expr, Oid::INVALID, Style::default())
}

/// `pg_get_expr`
fn stored_expression(
    env: &dyn Environment,
    bump: &Bump,
    tree: &str,
    relation: Oid,
    style: Style,
) -> Result<Option<String>> {
    if tree == "<>" {
        return Ok(Some(String::new()));
    }
    if relation.is_valid() && env.catalog().find_relation(relation)?.is_none() {
        return Ok(None);
    }
    let stored = catalog::stored::from_text(tree)?;
    let expr = analyze::analyze_stored(bump, env, &stored)?;
    if !relation.is_valid() && has_columns(expr) {
        return Err(err!(INVALID_PARAMETER_VALUE, "expression contains variables"));
    }
    print_expression(env, expr, relation, style).map(Some)
}

fn has_columns(expr: &Expr<'_>) -> bool {
    let mut found = matches!(expr.kind, ExprKind::Column(ColumnUse { levels_up: 0, .. }));
    analyze::walk::children(expr, &mut |one| found |= has_columns(one));
    found
}

/// A query as text.
pub(crate) fn query<'q>(
    env: &dyn Environment,
    query: &'q Query<'q>,
    results: Option<&[String]>,
    style: Style,
) -> Result<String> {
    let mut printer = Printer::new(env, style);
    printer.query(query, results, true)?;
    Ok(printer.text)
}
