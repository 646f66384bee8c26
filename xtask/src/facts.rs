//! `cargo xtask facts`: writes `facts/*.tsv` from a fresh PostgreSQL 18.
//!
//! A fact is a name, a number or a signature; descriptions, definitions of views, bodies of SQL
//! functions and stored expressions are not recorded. Each file has a line of column names and
//! one line a thing, in the form of COPY: tabs between values, `\N` for NULL.

use std::fs;
use std::path::Path;
use testkit::oracle::{self, Oracle};
use testkit::{Result, Server, psql, workspace};

/// System catalogs that are recorded row by row: name, order, columns left out.
///
/// Left out are stored expressions and what depends on the machine or the moment.
const CATALOGS: [(&str, &str, &str); 26] = [
    ("pg_aggregate", "aggfnoid", ""),
    ("pg_am", "oid", ""),
    ("pg_amop", "oid", ""),
    ("pg_amproc", "oid", ""),
    ("pg_auth_members", "oid", ""),
    ("pg_authid", "oid", "rolpassword rolvaliduntil"),
    ("pg_cast", "oid", ""),
    ("pg_collation", "oid", "collversion"),
    ("pg_constraint", "oid", "conbin"),
    ("pg_conversion", "oid", ""),
    ("pg_extension", "oid", ""),
    ("pg_index", "indexrelid", "indexprs indpred"),
    ("pg_init_privs", "classoid, objoid, objsubid", ""),
    ("pg_language", "oid", ""),
    ("pg_namespace", "oid", ""),
    ("pg_opclass", "oid", ""),
    ("pg_operator", "oid", ""),
    ("pg_opfamily", "oid", ""),
    ("pg_range", "rngtypid", ""),
    ("pg_tablespace", "oid", ""),
    ("pg_ts_config", "oid", ""),
    ("pg_ts_config_map", "mapcfg, maptokentype, mapseqno", ""),
    ("pg_ts_dict", "oid", ""),
    ("pg_ts_parser", "oid", ""),
    ("pg_ts_template", "oid", ""),
    ("pg_type", "oid", "typdefaultbin"),
];

/// Relations of the system: those of its schemas, TOAST tables left out.
const SYSTEM: &str = "c.oid < 16384 AND c.relkind <> 't' AND c.relnamespace <> 99";

/// What is recorded by a query: name of the file, query.
fn queries() -> Vec<(&'static str, String)> {
    vec![
        (
            "pg_class",
            format!(
                "SELECT c.oid, relname, relnamespace, reltype, reloftype, relowner, relam, \
                 c.relfilenode = 0 AS relmapped, relhasindex, relisshared, relpersistence, relkind, relnatts, \
                 relchecks, relhasrules, relhastriggers, relreplident, relacl, reloptions \
                 FROM pg_class c WHERE {SYSTEM} AND c.relkind <> 'i' \
                 AND c.relname NOT LIKE 'pg\\_toast%' ORDER BY c.oid"
            ),
        ),
        (
            "pg_class_index",
            format!(
                "SELECT c.oid, c.relname, c.relnamespace, c.relowner, c.relam, c.relisshared, c.relnatts \
                 FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid \
                 JOIN pg_class t ON t.oid = i.indrelid \
                 WHERE {SYSTEM} AND c.relkind = 'i' AND t.relkind <> 't' ORDER BY c.oid"
            ),
        ),
        (
            "pg_attribute",
            format!(
                "SELECT attrelid, attnum, attname, atttypid, attlen, atttypmod, attndims, \
                 attbyval, attalign, attstorage, attnotnull, attcollation \
                 FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid \
                 WHERE {SYSTEM} AND c.relkind <> 'i' AND attnum > 0 ORDER BY attrelid, attnum"
            ),
        ),
        (
            "pg_proc",
            "SELECT oid, proname, pronamespace, proowner, prolang, procost, prorows, provariadic, \
             prosupport::oid, prokind, prosecdef, proleakproof, proisstrict, proretset, \
             provolatile, proparallel, pronargs, pronargdefaults, prorettype, proargtypes, \
             proallargtypes, proargmodes, proargnames, \
             pg_get_expr(proargdefaults, 0) AS proargdefaults, protrftypes, \
             CASE WHEN prolang = 14 THEN '' ELSE prosrc END AS prosrc, probin, proconfig, proacl \
             FROM pg_proc WHERE oid < 16384 ORDER BY oid"
                .to_string(),
        ),
        (
            "pg_settings",
            "SELECT name, vartype, unit, context, min_val, max_val, enumvals, \
             CASE WHEN boot_val LIKE '%/%' THEN NULL ELSE boot_val END AS boot_val, \
             pg_settings_get_flags(name) AS flags FROM pg_settings ORDER BY name COLLATE \"C\""
                .to_string(),
        ),
        (
            "pg_settings_category",
            "SELECT name, category FROM pg_settings WHERE category <> 'Customized Options' \
             ORDER BY name COLLATE \"C\""
                .to_string(),
        ),
        ("keywords", "SELECT word, catcode, barelabel FROM pg_get_keywords()".to_string()),
        (
            "domain_checks",
            "SELECT oid AS conid, contypid, conname FROM pg_constraint \
             WHERE contypid <> 0 ORDER BY oid"
                .to_string(),
        ),
    ]
}

/// Writes every file of facts.
pub(crate) fn record() -> Result<()> {
    let installation = oracle::install()?;
    let oracle = Oracle::start(&installation)?;
    let dir = workspace().join("facts");
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut files = queries();
    for (catalog, order, left_out) in CATALOGS {
        let query = catalog_query(&oracle, catalog, order, left_out)?;
        files.push((catalog, query));
    }
    for (name, query) in files {
        let path = dir.join(format!("{name}.tsv"));
        let lines = write(&oracle, &path, &query)?;
        println!("{name}: {lines}");
    }
    Ok(())
}

/// The query for a catalog's rows: all columns but those left out; functions as OIDs.
fn catalog_query(oracle: &Oracle, catalog: &str, order: &str, left_out: &str) -> Result<String> {
    let columns = psql::query(
        oracle.installation(),
        oracle.port(),
        "template1",
        &format!(
            "SELECT attname, atttypid = 'regproc'::regtype FROM pg_attribute \
             WHERE attrelid = '{catalog}'::regclass AND attnum > 0 ORDER BY attnum"
        ),
    )?;
    let columns = columns.lines().filter_map(|line| line.split_once('\t'));
    let columns = columns.filter(|(name, _)| !left_out.split(' ').any(|out| out == *name));
    let list: Vec<String> = columns
        .map(
            |(name, function)| {
                if function == "t" { format!("{name}::oid") } else { name.to_string() }
            },
        )
        .collect();
    // TOAST tables and their indexes are no part of the system's structure.
    let only = match catalog {
        "pg_index" => "WHERE indrelid IN (SELECT oid FROM pg_class WHERE relkind <> 't')",
        _ => "",
    };
    Ok(format!("SELECT {} FROM {catalog} {only} ORDER BY {order}", list.join(", ")))
}

/// Writes one file; returns the number of its rows.
fn write(oracle: &Oracle, path: &Path, query: &str) -> Result<usize> {
    let copy = format!("COPY ({query}) TO STDOUT WITH (HEADER)");
    let text = psql::query(oracle.installation(), oracle.port(), "template1", &copy)?;
    fs::write(path, &text).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(text.lines().count().saturating_sub(1))
}
