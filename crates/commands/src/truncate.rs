//! TRUNCATE: every table gets an empty tree; the old ones go when the transaction commits.

use crate::relation_rows::update_class;
use crate::rename::owned_sequences;
use crate::table::alter::{find, refuse_index};
use crate::{Env, LockMode};
use base::{Oid, Result, err};
use catalog::acl::Privilege;
use catalog::columns::{hidden, pg_class};
use catalog::relation::Relation;
use catalog::rows::RelationKind;
use parse::{DropBehavior, TruncateStmt};
use std::sync::Arc;

/// Runs TRUNCATE.
pub(crate) fn run(env: &Env<'_>, truncate: &TruncateStmt<'_>) -> Result<()> {
    let mut tables: Vec<Arc<Relation>> = Vec::new();
    for name in truncate.relations {
        refuse_index(env, name, "a table")?;
        let relation = find(env, name, LockMode::AccessExclusive)?;
        if tables.iter().all(|table| table.oid != relation.oid) {
            check(env, &relation)?;
            tables.push(relation);
        }
    }
    references(env, &mut tables, truncate.behavior)?;
    let mut sequences = Vec::new();
    if truncate.restart_sequences {
        for table in &tables {
            for sequence in owned_sequences(env, table)? {
                let relation = env.catalog().relation(sequence)?;
                crate::object::require_owner(env, &relation)?;
                sequences.push(relation);
            }
        }
    }
    for table in &tables {
        empty(env, table)?;
    }
    for relation in sequences {
        let start = relation.sequence.map_or(1, |sequence| sequence.start);
        crate::sequence::begin_anew(env, &relation, start, false)?;
    }
    Ok(())
}

/// Empties temporary tables at commit; `all` are those that every commit empties.
///
/// # Errors
/// 0A000 when a table that stays full refers to one of them.
pub fn empty_at_commit(env: &Env<'_>, tables: &[Oid], all: &[Oid]) -> Result<()> {
    for oid in all {
        let table = env.lock_and_describe(*oid, LockMode::AccessExclusive)?;
        for reference in &table.referenced_by {
            if !all.contains(&reference.table) {
                let other = env.catalog().relation(reference.table)?;
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "unsupported ON COMMIT and foreign key combination"
                )
                .detail(format!(
                    "Table \"{}\" references \"{}\", but they do not have the same ON COMMIT setting.",
                    other.name, table.name
                )));
            }
        }
        if tables.contains(oid) {
            empty(env, &table)?;
        }
    }
    Ok(())
}

fn check(env: &Env<'_>, relation: &Relation) -> Result<()> {
    if relation.kind != RelationKind::Table {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is not a table", relation.name));
    }
    crate::relation_rows::refuse_system(relation)?;
    let kind = catalog::acl::AclKind::Table;
    let held = env.catalog().privileges(kind, relation.owner, relation.acl.as_ref())?.0;
    if !held.has(Privilege::Truncate) {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied for table {}", relation.name));
    }
    if env.storage.in_use(relation.oid) {
        return Err(err!(
            OBJECT_IN_USE,
            "cannot TRUNCATE \"{}\" because it is being used by active queries in this session",
            relation.name
        ));
    }
    crate::object::refuse_pending(env, relation.oid, "TRUNCATE", &relation.name)
}

/// Tables that refer to a truncated one must be truncated too.
fn references(
    env: &Env<'_>,
    tables: &mut Vec<Arc<Relation>>,
    behavior: DropBehavior,
) -> Result<()> {
    let mut at = 0;
    while at < tables.len() {
        let table = tables[at].clone();
        at += 1;
        for reference in &table.referenced_by {
            if tables.iter().any(|table| table.oid == reference.table) {
                continue;
            }
            let other = env.catalog().relation(reference.table)?;
            if behavior == DropBehavior::Restrict {
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cannot truncate a table referenced in a foreign key constraint"
                )
                .detail(format!("Table \"{}\" references \"{}\".", other.name, table.name))
                .hint(format!(
                    "Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.",
                    other.name
                )));
            }
            env.notice(format!("truncate cascades to table \"{}\"", other.name));
            let other = env.lock_and_describe(other.oid, LockMode::AccessExclusive)?;
            check(env, &other)?;
            tables.push(other);
        }
    }
    Ok(())
}

/// Gives a table and its indexes empty trees.
pub(crate) fn empty(env: &Env<'_>, table: &Relation) -> Result<()> {
    let set = |oid: Oid, file: base::FileId| {
        update_class(env, oid, |row| {
            row.set(hidden::PG_CLASS_FILE, i64::try_from(file.0).unwrap_or(0));
            row.set(pg_class::RELPAGES, 0).set(pg_class::RELTUPLES, -1.0f32);
            Ok(())
        })
    };
    env.storage.change_all(table.oid)?;
    let file = env.storage.create_table_tree()?;
    env.storage.drop_tree(table.file)?;
    set(table.oid, file)?;
    for index in &table.indexes {
        let file = env.storage.create_index_tree()?;
        env.storage.drop_tree(index.file)?;
        set(index.oid, file)?;
    }
    env.catalog().next_command()
}
