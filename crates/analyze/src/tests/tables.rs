//! Makes the tables of `schema.sql` in the test's catalogs, row by row.

use super::Session;
use crate::stored::{StoredTarget, encode_expression};
use crate::{Environment, StoredContext, analyze_expression, resolve_type};
use base::Oid;
use catalog::builtin::{BOOTSTRAP_SUPERUSER, PUBLIC};
use catalog::columns::{hidden, index, pg_attrdef, pg_attribute, pg_class, pg_index, pg_type};
use catalog::store::{Row, Value};
use memory::{Account, Bump};
use parse::{ConstraintKind, CreateStmt, Statement, TableElement};

pub(super) fn make_all(session: impl Fn() -> Session, schema: &str) {
    for sql in schema.lines() {
        let bump = Bump::new("schema", Account::unlimited());
        let statements = parse::parse(&bump, sql).unwrap();
        let Statement::CreateTable(table) = statements[0].statement else { panic!("{sql}") };
        make(&session, sql, table);
    }
}

fn make(sessions: &impl Fn() -> Session, sql: &str, table: &CreateStmt<'_>) {
    let session = &sessions();
    let store = session.catalog().store();
    let (oid, row_type) = (store.new_oid().unwrap(), store.new_oid().unwrap());
    let mut columns: Vec<(&str, Oid, i32)> = Vec::new();
    let mut key: Vec<i16> = Vec::new();
    for element in table.elements {
        match element {
            TableElement::Column(column) => {
                let name = column.type_name.unwrap();
                let (ty, typmod) = resolve_type(session, sql, name).unwrap();
                columns.push((column.name, ty, typmod));
            }
            TableElement::Constraint(constraint) => {
                let ConstraintKind::Key(primary) = constraint.kind else { panic!("{sql}") };
                for name in primary.columns {
                    let at = columns.iter().position(|(column, ..)| column == name).unwrap();
                    key.push(i16::try_from(at + 1).unwrap());
                }
            }
            TableElement::Like { .. } => panic!("{sql}"),
        }
    }
    class(session, oid, table.relation.name, row_type, b'r', columns.len(), !key.is_empty());
    type_of(session, row_type, table.relation.name, oid);
    for (at, (name, ty, typmod)) in columns.iter().enumerate() {
        attribute(session, oid, at + 1, name, *ty, *typmod);
    }
    if !key.is_empty() {
        primary_key(session, oid, table.relation.name, &key, &columns);
    }
    defaults(&sessions(), sql, table, oid, &columns);
}

fn class(
    session: &Session,
    oid: Oid,
    name: &str,
    row_type: Oid,
    kind: u8,
    width: usize,
    indexed: bool,
) {
    use pg_class::*;
    let mut row = Row::new(RELATION);
    row.set(OID, oid).set(RELNAME, name).set(RELNAMESPACE, PUBLIC).set(RELTYPE, row_type);
    row.set(RELOFTYPE, Oid::INVALID).set(RELOWNER, BOOTSTRAP_SUPERUSER).set(RELAM, Oid(2));
    row.set(RELTABLESPACE, Oid::INVALID).set(RELPAGES, 0i32).set(RELTUPLES, -1f32);
    row.set(RELHASINDEX, indexed).set(RELISSHARED, false).set(RELPERSISTENCE, b'p');
    row.set(RELKIND, kind).set(RELNATTS, i16::try_from(width).unwrap());
    row.set(RELHASRULES, false).set(RELHASTRIGGERS, false).set(RELHASSUBCLASS, false);
    row.set(RELROWSECURITY, false).set(RELFORCEROWSECURITY, false).set(RELISPOPULATED, true);
    row.set(RELREPLIDENT, b'd').set(RELISPARTITION, false).set(hidden::PG_CLASS_FILE, 1i64);
    session.catalog().store().insert(&row).unwrap();
}

fn type_of(session: &Session, oid: Oid, name: &str, relation: Oid) {
    use pg_type::*;
    let mut row = Row::new(RELATION);
    row.set(OID, oid).set(TYPNAME, name).set(TYPNAMESPACE, PUBLIC);
    row.set(TYPOWNER, BOOTSTRAP_SUPERUSER).set(TYPLEN, -1i16).set(TYPBYVAL, false);
    row.set(TYPTYPE, b'c').set(TYPCATEGORY, b'C').set(TYPISPREFERRED, false);
    row.set(TYPISDEFINED, true).set(TYPDELIM, b',').set(TYPRELID, relation);
    for attribute in [
        TYPSUBSCRIPT,
        TYPELEM,
        TYPARRAY,
        TYPINPUT,
        TYPOUTPUT,
        TYPRECEIVE,
        TYPSEND,
        TYPMODIN,
        TYPMODOUT,
        TYPANALYZE,
        TYPBASETYPE,
        TYPCOLLATION,
    ] {
        row.set(attribute, Oid::INVALID);
    }
    row.set(TYPALIGN, b'd').set(TYPSTORAGE, b'x').set(TYPNOTNULL, false);
    row.set(TYPTYPMOD, -1i32).set(TYPNDIMS, 0i32);
    session.catalog().store().insert(&row).unwrap();
}

fn attribute(session: &Session, relation: Oid, at: usize, name: &str, ty: Oid, typmod: i32) {
    use pg_attribute::*;
    let facts = session.catalog().type_(ty).unwrap();
    let mut row = Row::new(RELATION);
    row.set(ATTRELID, relation).set(ATTNAME, name).set(ATTTYPID, ty).set(ATTLEN, facts.len);
    row.set(ATTNUM, i16::try_from(at).unwrap()).set(ATTTYPMOD, typmod).set(ATTNDIMS, 0i16);
    row.set(ATTBYVAL, facts.by_value).set(ATTALIGN, facts.align).set(ATTSTORAGE, facts.storage);
    row.set(ATTCOMPRESSION, 0u8).set(ATTNOTNULL, false).set(ATTHASDEF, false);
    row.set(ATTHASMISSING, false).set(ATTIDENTITY, 0u8).set(ATTGENERATED, 0u8);
    row.set(ATTISDROPPED, false).set(ATTISLOCAL, true).set(ATTINHCOUNT, 0i16);
    row.set(ATTCOLLATION, facts.collation);
    row.set(hidden::PG_ATTRIBUTE_COLUMN_ID, i32::try_from(at).unwrap());
    session.catalog().store().insert(&row).unwrap();
}

fn primary_key(
    session: &Session,
    table: Oid,
    name: &str,
    key: &[i16],
    columns: &[(&str, Oid, i32)],
) {
    use pg_index::*;
    let store = session.catalog().store();
    let oid = store.new_oid().unwrap();
    let name = format!("{name}_pkey");
    class(session, oid, &name, Oid::INVALID, b'i', key.len(), false);
    for (at, attribute_of_table) in key.iter().enumerate() {
        let (name, ty, typmod) = columns[usize::try_from(attribute_of_table - 1).unwrap()];
        attribute(session, oid, at + 1, name, ty, typmod);
    }
    let count = i16::try_from(key.len()).unwrap();
    let mut row = Row::new(RELATION);
    row.set(INDEXRELID, oid).set(INDRELID, table).set(INDNATTS, count).set(INDNKEYATTS, count);
    for attribute in [INDISUNIQUE, INDISPRIMARY, INDIMMEDIATE, INDISVALID, INDISREADY, INDISLIVE] {
        row.set(attribute, true);
    }
    for attribute in
        [INDNULLSNOTDISTINCT, INDISEXCLUSION, INDISCLUSTERED, INDCHECKXMIN, INDISREPLIDENT]
    {
        row.set(attribute, false);
    }
    row.set(INDKEY, key.to_vec()).set(INDCOLLATION, vec![Oid::INVALID; key.len()]);
    row.set(INDCLASS, vec![Oid(1978); key.len()]).set(INDOPTION, vec![0i16; key.len()]);
    store.insert(&row).unwrap();
}

fn defaults(
    session: &Session,
    sql: &str,
    table: &CreateStmt<'_>,
    oid: Oid,
    columns: &[(&str, Oid, i32)],
) {
    let bump = Bump::new("defaults", Account::unlimited());
    let mut at = 0usize;
    for element in table.elements {
        let TableElement::Column(column) = element else { continue };
        at += 1;
        for constraint in column.constraints {
            let relation = session.catalog().relation(oid).unwrap();
            let (expression, context) = match constraint.kind {
                ConstraintKind::Default(expression) => (expression, StoredContext::Default),
                ConstraintKind::Generated { expression, .. } => {
                    (expression, StoredContext::Generated)
                }
                _ => continue,
            };
            let (name, oid_of_type, typmod) = columns[at - 1];
            let target = Some(StoredTarget { oid: oid_of_type, typmod, name });
            let expr = analyze_expression(
                &bump,
                session,
                sql,
                expression,
                Some(&relation),
                context,
                target,
            )
            .unwrap();
            let mut row = Row::new(pg_attrdef::RELATION);
            let store = session.catalog().store();
            row.set(pg_attrdef::OID, store.new_oid().unwrap()).set(pg_attrdef::ADRELID, oid);
            row.set(pg_attrdef::ADNUM, i16::try_from(at).unwrap());
            row.set(pg_attrdef::ADBIN, Value::from(&encode_expression(expr)));
            store.insert(&row).unwrap();
            if context == StoredContext::Generated {
                generated(session, oid, at);
            }
        }
    }
}

fn generated(session: &Session, relation: Oid, at: usize) {
    let store = session.catalog().store();
    let key = [Value::Oid(relation), Value::Int2(i16::try_from(at).unwrap())];
    let mut found = Vec::new();
    let index = index::PG_ATTRIBUTE_RELID_ATTNUM_INDEX;
    store
        .find(index, &key, &mut |id, row| {
            found.push((id, row));
            Ok(())
        })
        .unwrap();
    for (id, row) in found {
        store.update(id, &row.with(pg_attribute::ATTGENERATED, b's')).unwrap();
    }
}
