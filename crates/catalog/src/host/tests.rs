//! Every expectation was read off the oracle.

use super::*;
use types::{IoEnv, LeakArena};

/// The value of a text, shown again; or the error as `SQLSTATE: message`.
fn round(catalog: &Catalog, type_oid: u32, text: &str) -> String {
    let env = IoEnv::default();
    let io = Io::new(&env, catalog);
    let shown = io
        .input(type_oid, -1, text, &LeakArena)
        .and_then(|datum| io.output_string(type_oid, &datum));
    match shown {
        Ok(shown) => shown,
        Err(error) => format!("{}: {}", error.sqlstate().as_str(), error.message()),
    }
}

#[test]
fn reg_types_read_and_show_names() {
    use oids::*;
    let catalog = Catalog::in_memory().unwrap();
    catalog.set_search_path(vec!["public".into()]);
    for (type_oid, text, expected) in [
        (REGCLASS, "nope", "42P01: relation \"nope\" does not exist"),
        (REGCLASS, "no.pe", "42P01: relation \"no.pe\" does not exist"),
        (REGCLASS, "a..b", "42602: invalid name syntax"),
        (REGCLASS, "", "42602: invalid name syntax"),
        (REGCLASS, "a.b.c", "0A000: cross-database references are not implemented: \"a.b.c\""),
        (REGCLASS, "a.b.c.d", "42601: improper relation name (too many dotted names): a.b.c.d"),
        (REGCLASS, "PG_class", "pg_class"),
        (REGCLASS, "\"pg_class\"", "pg_class"),
        (REGCLASS, "pg_class_oid_index", "pg_class_oid_index"),
        (REGCLASS, "99999999999", "22003: value \"99999999999\" is out of range for type oid"),
        (REGCLASS, "-", "-"),
        (REGCLASS, "1", "1"),
        (REGTYPE, "nope", "42704: type \"nope\" does not exist"),
        (REGTYPE, "no.pe", "3F000: schema \"no\" does not exist"),
        (REGTYPE, "foo bar", "42601: syntax error at or near \"bar\""),
        (REGTYPE, "int4[]", "integer[]"),
        (REGTYPE, "timestamp with time zone", "timestamp with time zone"),
        (REGTYPE, "numeric(10,2)", "numeric"),
        (REGPROC, "nope", "42883: function \"nope\" does not exist"),
        (REGPROC, "abs", "42725: more than one function named \"abs\""),
        (REGPROC, "now", "now"),
        (REGPROC, "177", "int4pl"),
        (REGPROC, "1397", "pg_catalog.abs"),
        (REGPROCEDURE, "nope(int)", "42883: function \"nope(int)\" does not exist"),
        (REGPROCEDURE, "abs", "22P02: expected a left parenthesis"),
        (REGPROCEDURE, "abs(nope)", "42704: type \"nope\" does not exist"),
        (REGPROCEDURE, "abs(int)", "abs(integer)"),
        (REGOPER, "+", "42725: more than one operator named +"),
        (REGOPER, "@@@@", "42883: operator does not exist: @@@@"),
        (REGOPER, "96", "pg_catalog.="),
        (REGOPERATOR, "@@@@(int,int)", "42883: operator does not exist: @@@@(int,int)"),
        (REGOPERATOR, "+(int)", "42P02: missing argument"),
        (REGOPERATOR, "=(int,int)", "=(integer,integer)"),
        (REGOPERATOR, "-(none,int)", "-(NONE,integer)"),
        (REGROLE, "nope", "42704: role \"nope\" does not exist"),
        (REGROLE, "a.b", "42602: invalid name syntax"),
        (REGROLE, "10", "postgres"),
        (REGNAMESPACE, "nope", "3F000: schema \"nope\" does not exist"),
        (REGNAMESPACE, "11", "pg_catalog"),
        (REGCOLLATION, "nope", "42704: collation \"nope\" for encoding \"UTF8\" does not exist"),
        (REGCOLLATION, "100", "\"default\""),
        (REGCONFIG, "english", "english"),
        (REGCONFIG, "nope", "42704: text search configuration \"nope\" does not exist"),
        (REGDICTIONARY, "3765", "simple"),
        (ACLITEM, "postgres=r*w/postgres", "postgres=r*w/postgres"),
        (ACLITEM, "foo=r/postgres", "42704: role \"foo\" does not exist"),
        (ACLITEM, "group x=r/postgres", "42704: role \"x\" does not exist"),
        (ACLITEM_ARRAY, "{=r/postgres}", "{=r/postgres}"),
    ] {
        assert_eq!(round(&catalog, type_oid, text), expected, "{text}");
    }
}
