//! Stored expressions over columns whose type changes: they hold the types that they were made for,
//! so their text is analysed again.

use crate::{Env, depend, object};
use analyze::tree::{Expr, ExprKind};
use analyze::{StoredContext, analyze_expression, stored};
use base::{Error, Oid, Result, err};
use catalog::columns::{index, pg_constraint, pg_index};
use catalog::relation::{Index, Relation};
use catalog::rows::{DependencyKind, Stored};
use catalog::store::Value;
use expr::definition::Definition;
use parse::Statement;

/// The expressions of a table that use some columns, as text.
#[derive(Default)]
pub(crate) struct Texts {
    checks: Vec<(Oid, Text)>,
    indexes: Vec<IndexTexts>,
}

/// An expression as text.
struct Text {
    text: String,
    /// The characters before it in the command that would make its constraint or index: positions
    /// of errors count from that one's beginning.
    before: usize,
}

struct IndexTexts {
    index: Oid,
    /// For each key that is an expression.
    keys: Vec<Text>,
    predicate: Option<Text>,
}

/// Writes down what uses one of the columns; to be called before their types change.
pub(crate) fn texts(env: &Env<'_>, relation: &Relation, columns: &[i16]) -> Result<Texts> {
    let mut texts = Texts::default();
    for constraint in &relation.constraints {
        if let Some(check) = &constraint.check
            && uses(env, check, columns)?
        {
            let schema = env.catalog().namespace(relation.namespace)?;
            let command = format!(
                "ALTER TABLE {}.{} ADD CONSTRAINT {} CHECK (",
                catalog::quote_identifier(&schema.name),
                catalog::quote_identifier(&relation.name),
                catalog::quote_identifier(&constraint.name)
            );
            let text = text(env, relation, check)?;
            texts.checks.push((constraint.oid, Text { text, before: command.chars().count() }));
        }
    }
    for index in &relation.indexes {
        let expressions = index.keys.iter().filter_map(|key| key.expression.as_ref());
        let mut any = false;
        for expression in expressions.clone().chain(&index.predicate) {
            any |= uses(env, expression, columns)?;
        }
        if any {
            let wanted = Definition::Index { index: index.oid, column: 0, pretty: false };
            let command = deparse::definition(env.session, env.bump, &wanted)?.unwrap_or_default();
            let part = |stored: &Stored| {
                let text = text(env, relation, stored)?;
                let before = command.find(&text).map_or(0, |at| command[..at].chars().count());
                Ok(Text { text, before })
            };
            texts.indexes.push(IndexTexts {
                index: index.oid,
                keys: expressions.map(part).collect::<Result<_>>()?,
                predicate: index.predicate.as_ref().map(part).transpose()?,
            });
        }
    }
    Ok(texts)
}

fn uses(env: &Env<'_>, stored: &Stored, columns: &[i16]) -> Result<bool> {
    let expr = analyze::analyze_stored(env.bump, env.session, stored)?;
    let mut found = false;
    analyze::walk::visit(expr, 0, &mut |part, _| {
        if let ExprKind::Column(used) = part.kind {
            found |= used.attribute == 0 || columns.contains(&used.attribute);
        }
        true
    });
    Ok(found)
}

fn text(env: &Env<'_>, relation: &Relation, stored: &Stored) -> Result<String> {
    let tree = catalog::stored::to_text(stored);
    let wanted = Definition::Expression { tree: &tree, relation: relation.oid, pretty: false };
    deparse::definition(env.session, env.bump, &wanted)?
        .ok_or_else(|| Error::internal("an expression without text"))
}

/// Analyses the texts over the table as it is now, and stores what comes out.
pub(crate) fn bind(env: &Env<'_>, table: Oid, texts: &Texts) -> Result<()> {
    let relation = env.catalog().relation(table)?;
    for (constraint, text) in &texts.checks {
        let expr = analyse(env, &relation, text, StoredContext::Check)?;
        let key = [Value::Oid(*constraint)];
        env.catalog().update_rows(index::PG_CONSTRAINT_OID_INDEX, &key, |row| {
            row.set(pg_constraint::CONBIN, &stored::encode_expression(expr));
            Ok(())
        })?;
        let object = object::constraint(*constraint);
        depend::forget(env, object)?;
        let found = relation.constraints.iter().find(|found| found.oid == *constraint);
        for column in found.map_or(&[][..], |found| &found.columns) {
            let column = object::column(table, *column);
            depend::record(env, object, column, DependencyKind::Auto)?;
        }
        if found.is_some_and(|found| found.columns.is_empty()) {
            depend::record(env, object, object::relation(table), DependencyKind::Auto)?;
        }
        depend::record_expression(env, object, expr, None)?;
    }
    for texts in &texts.indexes {
        let found = relation.indexes.iter().find(|index| index.oid == texts.index);
        if let Some(index) = found {
            bind_index(env, &relation, index, texts)?;
        }
    }
    env.catalog().next_command()
}

fn bind_index(
    env: &Env<'_>,
    relation: &Relation,
    described: &Index,
    texts: &IndexTexts,
) -> Result<()> {
    let mut keys: Vec<&Expr<'_>> = Vec::new();
    for text in &texts.keys {
        keys.push(analyse(env, relation, text, StoredContext::IndexExpression)?);
    }
    let predicate = texts
        .predicate
        .as_ref()
        .map(|text| analyse(env, relation, text, StoredContext::IndexPredicate))
        .transpose()?;
    let stored_keys: Vec<Stored> = keys.iter().map(|key| stored::encode_expression(key)).collect();
    let mut of_keys = keys.iter();
    for (key, number) in described.keys.iter().zip(1i16..) {
        if key.expression.is_none() {
            continue;
        }
        if let Some(expr) = of_keys.next()
            && expr.ty.oid != key.type_oid
        {
            super::alter_type::retype_key(env, described.oid, number, expr.ty)?;
        }
    }
    let key = [Value::Oid(described.oid)];
    env.catalog().update_rows(index::PG_INDEX_INDEXRELID_INDEX, &key, |row| {
        row.set(pg_index::INDEXPRS, catalog::stored::list_to_text(stored_keys.iter()));
        let predicate = predicate.map(stored::encode_expression);
        row.set(pg_index::INDPRED, predicate.as_ref().map(catalog::stored::to_text));
        Ok(())
    })?;
    let object = object::relation(described.oid);
    depend::forget(env, object)?;
    let plain = described.keys.iter().map(|key| key.attribute).chain(described.included.clone());
    let plain: Vec<i16> = plain.filter(|attribute| *attribute != 0).collect();
    for attribute in &plain {
        let column = object::column(relation.oid, *attribute);
        depend::record(env, object, column, DependencyKind::Auto)?;
    }
    if plain.is_empty() {
        depend::record(env, object, object::relation(relation.oid), DependencyKind::Auto)?;
    }
    for expr in keys.into_iter().chain(predicate) {
        let own = Some((relation.oid, DependencyKind::Auto));
        depend::record_expression(env, object, expr, own)?;
    }
    Ok(())
}

/// A stored expression over the columns of another relation that are called the same.
pub(crate) fn over<'q>(
    env: &Env<'q>,
    relation: &Relation,
    other: &Relation,
    stored: &Stored,
    context: StoredContext,
) -> Result<&'q Expr<'q>> {
    let text = Text { text: text(env, relation, stored)?, before: 0 };
    analyse(env, other, &text, context)
}

fn analyse<'q>(
    env: &Env<'q>,
    relation: &Relation,
    text: &Text,
    context: StoredContext,
) -> Result<&'q Expr<'q>> {
    const SELECT: &str = "SELECT ";
    let sql = format!("{SELECT}{}", text.text);
    let statements = base::wait::on_thread_stack(|| parse::parse(env.bump, &sql))?;
    let target = match statements {
        [one] => match &one.statement {
            Statement::Select(select) => select.targets.first().and_then(|target| target.value),
            _ => None,
        },
        _ => None,
    };
    let target = target.ok_or_else(|| err!(INTERNAL_ERROR, "no expression in \"{sql}\""))?;
    let (bump, session) = (env.bump, env.session);
    let bound = analyze_expression(bump, session, &sql, target, Some(relation), context, None);
    bound.map_err(|mut error| {
        if let Some(at) = &mut error.fields_mut().position {
            let shift = u32::try_from(text.before).unwrap_or(0);
            *at = at.saturating_add(shift).saturating_sub(SELECT.len() as u32);
        }
        error
    })
}
