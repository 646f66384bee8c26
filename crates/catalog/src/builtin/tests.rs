use super::*;

#[test]
fn tables_are_sorted_for_binary_search() {
    assert!(types().is_sorted_by(|a, b| a.oid < b.oid));
    assert!(procs().is_sorted_by(|a, b| a.oid < b.oid));
    assert!(operators().is_sorted_by(|a, b| a.oid < b.oid));
    assert!(opclasses().is_sorted_by(|a, b| a.oid < b.oid));
    assert!(aggregates().is_sorted_by(|a, b| a.function < b.function));
    assert!(relations().is_sorted_by(|a, b| a.oid < b.oid));
    assert!(casts().is_sorted_by(|a, b| (a.source, a.target) < (b.source, b.target)));
}

#[test]
fn facts_are_found_by_oid_and_by_name() {
    let int4 = type_by_oid(Oid(23)).unwrap();
    assert_eq!((&*int4.name, int4.len, int4.array), ("int4", 4, Oid(1007)));
    assert_eq!(types_by_name("int4").count(), 1);
    assert_eq!(type_by_oid(Oid(28)).unwrap().len, 8, "xid has 64 bits");
    assert_eq!(procs_by_name("abs").count(), 6);
    assert!(procs_by_name("no such function").next().is_none());
    assert_eq!(operators_by_name("=").filter(|o| o.left == Oid(23)).count(), 3);
    assert_eq!(cast(Oid(23), Oid(20)).unwrap().context, CastContext::Implicit);
    assert_eq!(default_opclass(Oid(403), Oid(23)).unwrap().name, "int4_ops");
    let btree_integer = family_operators(Oid(1976));
    assert!(btree_integer.iter().any(|o| o.left == Oid(23) && o.operator == Oid(96)));
    assert_eq!(aggregate_by_function(Oid(2803)).unwrap().initial.as_deref(), Some("0"));
}

#[test]
fn every_reference_of_a_fact_is_known() {
    for proc in procs() {
        for arg in proc.args.iter().chain([&proc.result]) {
            assert!(type_by_oid(*arg).is_some(), "{} names type {arg}", proc.name);
        }
    }
    for operator in operators() {
        assert!(proc_by_oid(operator.code).is_some(), "{} has no function", operator.oid);
    }
    for class in opclasses() {
        assert!(opfamily_by_oid(class.family).is_some(), "{} has no family", class.name);
    }
    for relation in relations() {
        for column in relation.columns {
            assert!(type_by_oid(column.type_oid).is_some(), "{}.{}", relation.name, column.name);
        }
    }
}

#[test]
fn catalogs_know_their_columns_and_indexes() {
    let class = relation_by_name(PG_CATALOG, "pg_class").unwrap();
    assert_eq!(class.oid, Oid(1259));
    assert_eq!(class.columns[1].name, "relname");
    let keys: Vec<&[i16]> = indexes_of(class.oid).map(|index| index.key).collect();
    assert_eq!(keys, [&[1i16][..], &[2, 3], &[9, 8]]);
}
