use super::*;
use crate::bootstrap::structure;
use crate::columns::*;
use crate::rows::RelationKind;
use crate::store::Row;

fn catalog() -> Catalog {
    let catalog = Catalog::in_memory().unwrap();
    catalog.set_search_path(vec!["$user".into(), "public".into()]);
    catalog
}

/// A table with integer columns, as CREATE TABLE would make it.
fn create_table(catalog: &Catalog, name: &str, columns: &[&str]) -> Oid {
    let oid = catalog.new_oid(pg_class::RELATION).unwrap();
    let mut row = structure::class_defaults();
    row.set(pg_class::OID, oid).set(pg_class::RELNAME, name);
    row.set(pg_class::RELNAMESPACE, Oid(2200)).set(pg_class::RELKIND, b'r');
    row.set(pg_class::RELOWNER, Oid(10)).set(pg_class::RELNATTS, columns.len() as i16);
    catalog.insert(&row).unwrap();
    for (column, attribute) in columns.iter().zip(1..) {
        let mut row = structure::attribute_defaults(oid, attribute);
        row.set(pg_attribute::ATTNAME, *column).set(pg_attribute::ATTTYPID, Oid(23));
        row.set(pg_attribute::ATTLEN, 4i16).set(pg_attribute::ATTBYVAL, true);
        row.set(pg_attribute::ATTALIGN, b'i').set(pg_attribute::ATTSTORAGE, b'p');
        catalog.insert(&row).unwrap();
    }
    oid
}

#[test]
fn bootstrap_fills_every_catalog_that_has_facts() {
    let catalog = catalog();
    let count = |oid| catalog.all_rows(oid).unwrap().len();
    // PostgreSQL's, and the two that show contexts and accounts.
    assert_eq!(count(pg_proc::RELATION), 3413 + 2);
    assert_eq!(count(pg_type::RELATION), 621);
    assert_eq!(count(pg_database::RELATION), 3);
    assert_eq!(count(pg_class::RELATION), 213 + 124);
    for relation in crate::builtin::relations() {
        if relation.kind != RelationKind::Table {
            continue;
        }
        for (_, row) in catalog.all_rows(relation.oid).unwrap() {
            for (column, value) in relation.columns.iter().zip(row.values()) {
                let null = *value == crate::store::Value::Null;
                assert!(!null || !column.not_null, "{}.{}", relation.name, column.name);
            }
        }
    }
}

#[test]
fn names_are_found_along_the_search_path() {
    let catalog = catalog();
    assert_eq!(catalog.relation_named(None, "pg_class").unwrap(), Some(Oid(1259)));
    assert_eq!(catalog.type_named(None, "int4").unwrap().unwrap().oid, Oid(23));
    assert!(catalog.relation_named(None, "tables").unwrap().is_none());
    assert!(catalog.relation_named(Some("information_schema"), "tables").unwrap().is_some());
    assert!(catalog.relation_named(Some("nosuch"), "pg_class").unwrap().is_none());
    assert_eq!(catalog.creation_namespace().unwrap(), Oid(2200));
    catalog.set_search_path(vec!["nosuch".into()]);
    let error = catalog.creation_namespace().unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "3F000");
}

#[test]
fn a_new_table_is_found_and_shadows_nothing_of_pg_catalog() {
    let catalog = catalog();
    assert!(catalog.relation_named(None, "t").unwrap().is_none());
    let oid = create_table(&catalog, "t", &["a", "b"]);
    assert_eq!(catalog.relation_named(None, "t").unwrap(), Some(oid));
    let table = catalog.relation(oid).unwrap();
    let names: Vec<&str> = table.live_columns().map(|column| &*column.name).collect();
    assert_eq!(names, ["a", "b"]);
    create_table(&catalog, "pg_class", &["a"]);
    assert_eq!(catalog.relation_named(None, "pg_class").unwrap(), Some(Oid(1259)));
    catalog.set_search_path(vec!["public".into(), "pg_catalog".into()]);
    assert_ne!(catalog.relation_named(None, "pg_class").unwrap(), Some(Oid(1259)));
}

#[test]
fn a_rename_is_seen_under_both_names() {
    let catalog = catalog();
    let oid = create_table(&catalog, "before", &["a"]);
    assert_eq!(catalog.relation_named(None, "before").unwrap(), Some(oid));
    let key = [crate::store::Value::Oid(oid)];
    let rename = |row: &mut Row| {
        row.set(pg_class::RELNAME, "after");
        Ok(())
    };
    assert_eq!(catalog.update_rows(index::PG_CLASS_OID_INDEX, &key, rename).unwrap(), 1);
    assert_eq!(catalog.relation_named(None, "before").unwrap(), None);
    assert_eq!(catalog.relation_named(None, "after").unwrap(), Some(oid));
    assert_eq!(catalog.relation(oid).unwrap().name, "after");
}

#[test]
fn a_duplicate_name_violates_the_catalogs_unique_index() {
    let catalog = catalog();
    create_table(&catalog, "t", &[]);
    let mut row = structure::class_defaults();
    row.set(pg_class::OID, Oid(99999)).set(pg_class::RELNAME, "t");
    row.set(pg_class::RELNAMESPACE, Oid(2200)).set(pg_class::RELKIND, b'r');
    let error = catalog.insert(&row).unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "23505");
}

#[test]
fn functions_and_operators_are_found_with_their_places() {
    let catalog = catalog();
    let abs = catalog.procs_named(None, "abs").unwrap();
    assert_eq!(abs.len(), 6);
    assert!(abs.iter().all(|candidate| candidate.place == 0));
    let plus = catalog.operator_exact(None, "+", Oid(23), Oid(23)).unwrap().unwrap();
    assert_eq!(plus.code, Oid(177));
    assert_eq!(catalog.family_operator(Oid(1976), Oid(23), Oid(23), 3).unwrap(), Some(Oid(96)));
    assert_eq!(catalog.family_proc(Oid(1976), Oid(23), Oid(23), 1).unwrap(), Some(Oid(351)));
    assert!(catalog.aggregate(Oid(2803)).unwrap().is_some());
    assert!(catalog.aggregate(Oid(177)).unwrap().is_none());
}

#[test]
fn privileges_come_from_lists_owners_and_superusers() {
    use crate::acl::{AclKind, Privilege};
    let catalog = catalog();
    let authid = catalog.relation(pg_authid::RELATION).unwrap();
    let can = |user: u32| {
        catalog.set_user(Oid(user));
        let held = catalog.privileges(AclKind::Table, authid.owner, authid.acl.as_ref());
        held.unwrap().0.has(Privilege::Select)
    };
    assert!(can(10), "superuser");
    assert!(!can(3373), "pg_monitor");
    let class = catalog.relation(pg_class::RELATION).unwrap();
    let (held, _) = catalog.privileges(AclKind::Table, class.owner, class.acl.as_ref()).unwrap();
    assert!(held.has(Privilege::Select), "PUBLIC may read pg_class");
    assert!(catalog.has_privileges_of(Oid(3373), Oid(3374)).unwrap(), "a member has them");
}
