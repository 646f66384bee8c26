//! The situations and messages are the oracle's: a table, two views over it, a foreign key.

use super::*;
use crate::bootstrap::structure;
use crate::columns::{pg_attribute, pg_class, pg_constraint, pg_rewrite};

struct Objects {
    catalog: Catalog,
    table: ObjectAddress,
    view: ObjectAddress,
    view2: ObjectAddress,
    foreign: ObjectAddress,
}

fn relation(catalog: &Catalog, name: &str, kind: u8) -> ObjectAddress {
    let oid = catalog.new_oid(pg_class::RELATION).unwrap();
    let mut row = structure::class_defaults();
    row.set(pg_class::OID, oid).set(pg_class::RELNAME, name).set(pg_class::RELKIND, kind);
    row.set(pg_class::RELNAMESPACE, Oid(2200)).set(pg_class::RELOWNER, Oid(10));
    row.set(pg_class::RELHASRULES, kind == b'v');
    catalog.insert(&row).unwrap();
    let mut row = structure::attribute_defaults(oid, 1);
    row.set(pg_attribute::ATTNAME, "a").set(pg_attribute::ATTTYPID, Oid(23));
    row.set(pg_attribute::ATTLEN, 4i16).set(pg_attribute::ATTBYVAL, true);
    row.set(pg_attribute::ATTALIGN, b'i').set(pg_attribute::ATTSTORAGE, b'p');
    catalog.insert(&row).unwrap();
    let address = ObjectAddress::relation(oid);
    let schema = ObjectAddress::new(pg_namespace::RELATION, builtin::PUBLIC);
    catalog.record_dependency(address, schema, DependencyKind::Normal).unwrap();
    address
}

/// A view with a rule that reads the first column of another relation.
fn view(catalog: &Catalog, name: &str, over: ObjectAddress) -> ObjectAddress {
    use pg_rewrite::*;
    let view = relation(catalog, name, b'v');
    let oid = catalog.new_oid(RELATION).unwrap();
    let mut row = Row::new(RELATION);
    row.set(OID, oid).set(RULENAME, "_RETURN").set(EV_CLASS, view.object).set(EV_TYPE, b'1');
    row.set(EV_ENABLED, b'O').set(IS_INSTEAD, true).set(EV_ACTION, "sql:SELECT 1");
    catalog.insert(&row).unwrap();
    let rule = ObjectAddress::new(RELATION, oid);
    catalog.record_dependency(rule, view, DependencyKind::Internal).unwrap();
    let column = ObjectAddress::column(over.object, 1);
    catalog.record_dependency(rule, column, DependencyKind::Normal).unwrap();
    view
}

fn foreign_key(catalog: &Catalog, from: ObjectAddress, to: ObjectAddress) -> ObjectAddress {
    use pg_constraint::*;
    let oid = catalog.new_oid(RELATION).unwrap();
    let mut row = structure::constraint_defaults();
    row.set(OID, oid).set(CONNAME, "u_a_fkey").set(CONNAMESPACE, builtin::PUBLIC);
    row.set(CONTYPE, b'f').set(CONRELID, from.object).set(CONFRELID, to.object);
    row.set(CONFUPDTYPE, b'a').set(CONFDELTYPE, b'a').set(CONFMATCHTYPE, b's');
    row.set(CONKEY, vec![1i16]).set(CONFKEY, vec![1i16]);
    catalog.insert(&row).unwrap();
    let key = ObjectAddress::new(RELATION, oid);
    let own = ObjectAddress::column(from.object, 1);
    catalog.record_dependency(key, own, DependencyKind::Auto).unwrap();
    let other = ObjectAddress::column(to.object, 1);
    catalog.record_dependency(key, other, DependencyKind::Normal).unwrap();
    key
}

fn objects() -> Objects {
    let catalog = Catalog::in_memory().unwrap();
    catalog.set_search_path(vec!["public".into()]);
    let table = relation(&catalog, "t", b'r');
    let view1 = view(&catalog, "v", table);
    let view2 = view(&catalog, "v2", view1);
    let other = relation(&catalog, "u", b'r');
    let foreign = foreign_key(&catalog, other, table);
    Objects { catalog, table, view: view1, view2, foreign }
}

#[test]
fn restrict_names_what_stands_in_the_way() {
    let o = objects();
    let error = o.catalog.plan_drop(&[o.table], Behavior::Restrict).unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "2BP01");
    assert_eq!(error.message(), "cannot drop table t because other objects depend on it");
    assert_eq!(
        error.fields().detail.as_deref(),
        Some(
            "view v depends on table t\nview v2 depends on view v\n\
             constraint u_a_fkey on table u depends on table t"
        )
    );
}

#[test]
fn cascade_drops_dependents_first_and_tells_the_nearest_first() {
    let o = objects();
    let plan = o.catalog.plan_drop(&[o.table], Behavior::Cascade).unwrap();
    let (message, detail) = plan.notice.unwrap();
    assert_eq!(message, "drop cascades to 3 other objects");
    assert_eq!(
        detail.as_deref(),
        Some(
            "drop cascades to view v\ndrop cascades to view v2\n\
             drop cascades to constraint u_a_fkey on table u"
        )
    );
    let place = |wanted| plan.objects.iter().position(|object| *object == wanted).unwrap();
    assert!(place(o.view2) < place(o.view) && place(o.view) < place(o.table));
    for object in &plan.objects {
        o.catalog.remove_object(object).unwrap();
    }
    assert_eq!(o.catalog.relation_named(None, "v").unwrap(), None);
    assert!(o.catalog.dependents_of(&o.table).unwrap().is_empty());
    assert!(o.catalog.describe(&o.foreign).is_err());
    let one = objects();
    let plan = one.catalog.plan_drop(&[one.view], Behavior::Cascade).unwrap();
    assert_eq!(plan.notice, Some(("drop cascades to view v2".into(), None)));
}

#[test]
fn parts_go_with_their_owner_and_built_in_objects_stay() {
    let o = objects();
    let rules = o.catalog.dependents_of(&o.view2).unwrap();
    let error = o.catalog.plan_drop(&[rules[0].dependent], Behavior::Cascade).unwrap_err();
    assert_eq!(error.message(), "cannot drop rule _RETURN on view v2 because view v2 requires it");
    assert_eq!(error.fields().hint.as_deref(), Some("You can drop view v2 instead."));
    let now = ObjectAddress::new(crate::columns::pg_proc::RELATION, Oid(1299));
    let error = o.catalog.plan_drop(&[now], Behavior::Cascade).unwrap_err();
    assert_eq!(
        error.message(),
        "cannot drop function now() because it is required by the database system"
    );
}
