//! Triggers, and what is not shown.

use crate::printer::{Frame, Printer, Style, literal};
use crate::scope::Scope;
use analyze::Environment;
use base::{Error, Oid, Result};
use catalog::columns::{index, pg_trigger};
use catalog::names::qualified;
use catalog::quote_identifier;
use catalog::relation::{Relation, Trigger};
use catalog::rows::RelationKind;
use catalog::store::Value;
use expr::definition::Definition;
use memory::Bump;
use std::rc::Rc;

/// The bits of `tgtype`.
const ROW: i16 = 1;
const BEFORE: i16 = 2;
const INSERT: i16 = 4;
const DELETE: i16 = 8;
const UPDATE: i16 = 16;
const TRUNCATE: i16 = 32;
const INSTEAD: i16 = 64;

/// `pg_get_triggerdef`
pub(super) fn trigger(
    env: &dyn Environment,
    bump: &Bump,
    oid: Oid,
    style: Style,
) -> Result<Option<String>> {
    let found = env.catalog().find_rows(index::PG_TRIGGER_OID_INDEX, &[Value::Oid(oid)])?;
    let Some((_, row)) = found.first() else { return Ok(None) };
    let relation = env.catalog().relation(row.oid(pg_trigger::TGRELID)?)?;
    let Some(trigger) = relation.triggers.iter().find(|trigger| trigger.oid == oid) else {
        return Ok(None);
    };
    let referenced = row.oid(pg_trigger::TGCONSTRRELID)?;
    let mut text = format!(
        "CREATE {}TRIGGER {} {}",
        if trigger.constraint.is_valid() { "CONSTRAINT " } else { "" },
        quote_identifier(&trigger.name),
        events(&relation, trigger),
    );
    let table = if style.short_names {
        env.catalog().relation_text(relation.oid)?.unwrap_or_default()
    } else {
        qualified(&env.catalog().namespace(relation.namespace)?.name, &relation.name)
    };
    text.push_str(&format!(" ON {table} "));
    if trigger.constraint.is_valid() {
        if referenced.is_valid() {
            let name = env.catalog().relation_text(referenced)?.unwrap_or_default();
            text.push_str(&format!("FROM {name} "));
        }
        text.push_str(if trigger.deferrable { "" } else { "NOT " });
        text.push_str("DEFERRABLE INITIALLY ");
        text.push_str(if trigger.deferred { "DEFERRED " } else { "IMMEDIATE " });
    }
    if trigger.old_table.is_some() || trigger.new_table.is_some() {
        text.push_str("REFERENCING ");
        for (word, name) in [("OLD", &trigger.old_table), ("NEW", &trigger.new_table)] {
            if let Some(name) = name {
                text.push_str(&format!("{word} TABLE AS {} ", quote_identifier(name)));
            }
        }
    }
    text.push_str(if trigger.kind & ROW != 0 { "FOR EACH ROW " } else { "FOR EACH STATEMENT " });
    if let Some(when) = &trigger.when {
        let expr = analyze::analyze_stored(bump, env, when)?;
        let mut printer = Printer::new(env, style);
        let mut scope = Scope::of_relation(env, relation.oid)?;
        scope.ranges.extend(Scope::of_relation(env, relation.oid)?.ranges);
        for (names, name) in scope.ranges.iter_mut().zip(["old", "new"]) {
            names.name = Some(name.to_owned());
        }
        printer.scopes.push(Rc::new(scope));
        printer.queries.push(None);
        printer.frame = Frame { prefixed: true, names_visible: true, ..Frame::default() };
        printer.expression(expr, false)?;
        text.push_str(&format!("WHEN ({}) ", printer.text));
    }
    let function = Printer::new(env, style).function_name(trigger.function)?;
    let arguments: Vec<String> = trigger.arguments.iter().map(|text| literal(text)).collect();
    text.push_str(&format!("EXECUTE FUNCTION {function}({})", arguments.join(", ")));
    Ok(Some(text))
}

fn events(relation: &Relation, trigger: &Trigger) -> String {
    let time = match trigger.kind & (BEFORE | INSTEAD) {
        BEFORE => "BEFORE",
        INSTEAD => "INSTEAD OF",
        _ => "AFTER",
    };
    let mut events = Vec::new();
    for (bit, word) in [(INSERT, "INSERT"), (DELETE, "DELETE")] {
        if trigger.kind & bit != 0 {
            events.push(word.to_owned());
        }
    }
    if trigger.kind & UPDATE != 0 {
        let name = |attribute: &i16| {
            relation.column_at(*attribute).map(|column| quote_identifier(&column.name))
        };
        let columns: Vec<String> = trigger.columns.iter().filter_map(name).collect();
        events.push(match columns[..] {
            [] => "UPDATE".to_owned(),
            _ => format!("UPDATE OF {}", columns.join(", ")),
        });
    }
    if trigger.kind & TRUNCATE != 0 {
        events.push("TRUNCATE".to_owned());
    }
    format!("{time} {}", events.join(" OR "))
}

/// Nothing where there is no such thing.
pub(super) fn not_shown(env: &dyn Environment, wanted: &Definition<'_>) -> Result<Option<String>> {
    let catalog = env.catalog();
    let unsupported =
        |what: &str| Err(Error::unsupported(format!("showing {what} as SQL is not supported yet")));
    match *wanted {
        Definition::PartitionKey(oid) => match catalog.find_relation(oid)? {
            Some(found) if found.kind == RelationKind::PartitionedTable => {
                unsupported("the key of a partitioned table")
            }
            _ => Ok(None),
        },
        Definition::PartitionConstraint(oid) => match catalog.find_relation(oid)? {
            Some(found) if found.is_partition => unsupported("the constraint of a partition"),
            _ => Ok(None),
        },
        Definition::Statistics { statistics, .. } => {
            let key = [Value::Oid(statistics)];
            let found = catalog.find_rows(index::PG_STATISTIC_EXT_OID_INDEX, &key)?;
            if found.is_empty() { Ok(None) } else { unsupported("a statistics object") }
        }
        _ => Ok(None),
    }
}
