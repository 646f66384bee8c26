//! Lists of what is built in, and options as rows.

use crate::rows::Cell;
use crate::shim::{catalog, raw, set};
use base::{Oid, Result};
use catalog::rows::RelationKind;
use expr::{Call, Datum, Entry};
use types::Array;

/// The keywords: word, category, whether a bare label may be one.
fn keywords() -> Vec<Vec<Cell>> {
    let facts = include_str!("../../../facts/keywords.tsv");
    let mut rows = Vec::new();
    for line in facts.lines().skip(1) {
        let mut parts = line.split('\t');
        let (Some(word), Some(category), Some(bare)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let described = match category {
            "U" => "unreserved",
            "C" => "unreserved (cannot be function or type name)",
            "T" => "reserved (can be function or type name)",
            _ => "reserved",
        };
        let bare = bare == "t";
        rows.push(vec![
            Cell::Text(word.to_owned()),
            Cell::Char(category.bytes().next().unwrap_or(b'U')),
            Cell::Bool(bare),
            Cell::Text(described.to_owned()),
            Cell::Text(if bare { "can be bare label" } else { "requires AS" }.to_owned()),
        ]);
    }
    rows
}

/// `name=value` texts as rows.
fn options(array: &Datum<'_>) -> Result<Vec<Vec<Cell>>> {
    let mut rows = Vec::new();
    for option in Array::from_datum(array)?.iter() {
        let option = option?;
        let text = option.text()?;
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        rows.push(vec![Cell::Text(name.to_owned()), Cell::text(value)]);
    }
    Ok(rows)
}

/// How the server was built, by the names that PostgreSQL has for it. What there is none of is not
/// recorded.
fn build_options() -> Vec<Vec<Cell>> {
    const NAMES: [&str; 23] = [
        "BINDIR",
        "DOCDIR",
        "HTMLDIR",
        "INCLUDEDIR",
        "PKGINCLUDEDIR",
        "INCLUDEDIR-SERVER",
        "LIBDIR",
        "PKGLIBDIR",
        "LOCALEDIR",
        "MANDIR",
        "SHAREDIR",
        "SYSCONFDIR",
        "PGXS",
        "CONFIGURE",
        "CC",
        "CPPFLAGS",
        "CFLAGS",
        "CFLAGS_SL",
        "LDFLAGS",
        "LDFLAGS_EX",
        "LDFLAGS_SL",
        "LIBS",
        "VERSION",
    ];
    let directory = || {
        let program = std::env::current_exe().ok()?;
        Some(program.parent()?.to_string_lossy().into_owned())
    };
    let setting = |name| match name {
        "BINDIR" => directory(),
        "CONFIGURE" => Some(base::build::OPTIONS.map(|option| format!("'{option}'")).join(" ")),
        "VERSION" => Some(format!("PostgreSQL {}", base::build::POSTGRESQL_VERSION)),
        _ => None,
    };
    let rows = NAMES.into_iter().map(|name| {
        let value = setting(name).unwrap_or_else(|| "not recorded".to_owned());
        vec![Cell::Text(name.to_owned()), Cell::Text(value)]
    });
    rows.collect()
}

/// UPDATE, INSERT and DELETE in the numbering of commands.
const ALL_CHANGES: i32 = 1 << 2 | 1 << 3 | 1 << 4;

/// Which commands change a relation. Views are not changed through.
fn updatable(cx: &Call<'_, '_>, oid: Oid) -> Result<i32> {
    let relation = catalog(cx)?.find_relation(oid)?;
    let kind = relation.map(|relation| relation.kind);
    let table = matches!(kind, Some(RelationKind::Table | RelationKind::PartitionedTable));
    Ok(if table { ALL_CHANGES } else { 0 })
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    set!("pg_config", |cx, args| build_options()),
    set!("pg_get_keywords", |cx, args| keywords()),
    set!("pg_options_to_table", |cx, args| options(&args[0])?),
    raw!("pg_relation_is_updatable", |cx, args| {
        updatable(cx, Oid(args[0].oid()?)).map(Datum::Int4)
    }),
    raw!("pg_column_is_updatable", |cx, args| {
        let all = updatable(cx, Oid(args[0].oid()?))? == ALL_CHANGES;
        Ok(Datum::Bool(args[1].int2()? > 0 && all))
    }),
];
