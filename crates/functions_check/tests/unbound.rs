//! Which built-in functions have no implementation.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use expr::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn registry() -> Registry {
    let tables = [
        functions::tables(),
        functions_number::tables(),
        functions_text::tables(),
        functions_time::tables(),
        functions_json::tables(),
        functions_system::tables(),
    ]
    .concat();
    Registry::new(&tables).unwrap()
}

/// `prosrc` of the internal functions of the facts; `name#oid` of aggregates and functions in SQL.
fn built_in() -> (BTreeMap<String, String>, BTreeMap<u32, String>) {
    let facts = include_str!("../../../facts/pg_proc.tsv");
    let own = include_str!("../../catalog/src/bootstrap/own_pg_proc.tsv");
    let mut lines =
        facts.lines().chain(own.lines().skip(1)).map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let at = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let (oid, name, language, kind, source) =
        (at("oid"), at("proname"), at("prolang"), at("prokind"), at("prosrc"));
    let (mut functions, mut numbered) = (BTreeMap::new(), BTreeMap::new());
    for row in lines {
        if row[kind] == "a" || row[language] == "14" {
            numbered.insert(row[oid].parse().unwrap(), row[name].to_owned());
        } else if row[language] == "12" {
            functions.insert(row[source].to_owned(), row[name].to_owned());
        }
    }
    (functions, numbered)
}

#[test]
fn every_bound_name_is_a_built_in_function() {
    let (names, oids) = registry().names();
    let (functions, numbered) = built_in();
    let wrong: Vec<_> = names.iter().filter(|n| !functions.contains_key(**n)).collect();
    assert!(wrong.is_empty(), "bound, but not in the facts: {wrong:?}");
    let wrong: Vec<_> = oids.iter().filter(|o| !numbered.contains_key(&o.0)).collect();
    assert!(wrong.is_empty(), "bound by number, but neither aggregates nor in SQL: {wrong:?}");
}

/// The list may only shrink. With `RECORD=1` it is written anew, and the bound names beside it.
#[test]
fn the_list_of_unbound_functions_is_exact() {
    let (names, oids) = registry().names();
    let (functions, numbered) = built_in();
    let bound: BTreeSet<&str> = names.into_iter().collect();
    let mut unbound: Vec<String> =
        functions.keys().filter(|source| !bound.contains(source.as_str())).cloned().collect();
    for (oid, name) in &numbered {
        if !oids.iter().any(|o| o.0 == *oid) {
            unbound.push(format!("{name}#{oid}"));
        }
    }
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    if std::env::var_os("RECORD").is_some() {
        std::fs::write(data.join("unbound.tsv"), unbound.join("\n") + "\n").unwrap();
        let bound: Vec<&str> = bound.into_iter().collect();
        std::fs::write(data.join("bound.txt"), bound.join("\n") + "\n").unwrap();
        return;
    }
    let listed = std::fs::read_to_string(data.join("unbound.tsv")).unwrap();
    let listed: BTreeSet<&str> = listed.lines().collect();
    let now: BTreeSet<&str> = unbound.iter().map(String::as_str).collect();
    let new: Vec<_> = now.difference(&listed).collect();
    assert!(new.is_empty(), "no longer bound: {new:?}");
    let gone: Vec<_> = listed.difference(&now).collect();
    assert!(gone.is_empty(), "bound now, take them off the list: {gone:?}");
}
