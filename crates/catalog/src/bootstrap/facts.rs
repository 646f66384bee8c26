//! Rows from `facts/*.tsv`.

use crate::builtin;
use crate::columns::{pg_constraint, pg_proc, pg_type};
use crate::store::{Row, Value};
use crate::text_array;
use base::{Error, Oid, Result};

macro_rules! facts {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../../facts/", $name, ".tsv")))),+]
    };
}

/// The catalogs whose rows are recorded.
static FACTS: [(&str, &str); 26] = facts![
    "pg_aggregate",
    "pg_am",
    "pg_amop",
    "pg_amproc",
    "pg_auth_members",
    "pg_authid",
    "pg_cast",
    "pg_collation",
    "pg_constraint",
    "pg_conversion",
    "pg_extension",
    "pg_index",
    "pg_init_privs",
    "pg_language",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_proc",
    "pg_range",
    "pg_tablespace",
    "pg_ts_config",
    "pg_ts_config_map",
    "pg_ts_dict",
    "pg_ts_parser",
    "pg_ts_template",
];
/// Functions that PostgreSQL does not have.
static OWN_FUNCTIONS: &str = include_str!("own_pg_proc.tsv");
/// The types come first: others name them.
static TYPES: &str = include_str!("../../../../facts/pg_type.tsv");

/// The conditions of the information schema's domains, which the standard gives.
const DOMAIN_CHECKS: [(&str, &str); 2] = [
    ("cardinal_number_domain_check", "sql:VALUE >= 0"),
    ("yes_or_no_check", "sql:VALUE IN ('YES', 'NO')"),
];

/// Calls `each` for every recorded row.
pub(super) fn rows(each: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
    let roles = Roles::read();
    table("pg_type", TYPES, &roles, each)?;
    for (name, text) in &FACTS {
        table(name, text, &roles, each)?;
    }
    table("pg_proc", OWN_FUNCTIONS, &roles, each)?;
    Ok(())
}

/// The names of the roles that privileges name.
struct Roles(Vec<(&'static str, &'static str)>);

impl Roles {
    fn read() -> Roles {
        let text = FACTS.iter().find(|(name, _)| *name == "pg_authid").map_or("", |(_, text)| text);
        let lines = text.lines().skip(1).map(|line| {
            let mut fields = line.split('\t');
            (fields.next().unwrap_or_default(), fields.next().unwrap_or_default())
        });
        Roles(lines.collect())
    }

    fn oid(&self, name: &str) -> &'static str {
        self.0.iter().find(|(_, known)| *known == name).map_or("10", |(oid, _)| oid)
    }

    /// An item with OIDs in place of names.
    fn item(&self, item: &str) -> String {
        let Some((grantee, rest)) = item.split_once('=') else { return item.to_string() };
        let Some((letters, grantor)) = rest.split_once('/') else { return item.to_string() };
        let grantee = if grantee.is_empty() { "" } else { self.oid(grantee) };
        format!("{grantee}={letters}/{}", self.oid(grantor))
    }
}

/// The privileges of a system relation as stored items.
pub(super) fn stored_acl(text: &str) -> Vec<String> {
    let roles = Roles::read();
    text_array(text).iter().map(|item| roles.item(item)).collect()
}

fn table(
    name: &str,
    text: &str,
    roles: &Roles,
    each: &mut dyn FnMut(Row) -> Result<()>,
) -> Result<()> {
    let missing = || Error::internal(format!("facts of an unknown catalog {name}"));
    let catalog = builtin::relation_by_name(builtin::PG_CATALOG, name).ok_or_else(missing)?;
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let mut columns = Vec::new();
    for fact in header.split('\t') {
        let at = catalog.columns.iter().position(|column| column.name == fact);
        let at = at.ok_or_else(missing)?;
        columns.push((i16::try_from(at + 1).unwrap_or(0), catalog.columns[at].type_oid));
    }
    for line in lines {
        let mut row = Row::new(catalog.oid);
        for (raw, (attribute, type_oid)) in line.split('\t').zip(&columns) {
            let value = value(raw, *type_oid, roles)
                .ok_or_else(|| Error::internal(format!("fact {raw} of {name}")))?;
            row.set(*attribute, value);
        }
        finish(&mut row);
        each(row)?;
    }
    Ok(())
}

/// What no fact says.
fn finish(row: &mut Row) {
    match row.catalog() {
        pg_constraint::RELATION => {
            let name = row.text(pg_constraint::CONNAME).unwrap_or_default();
            if let Some((_, check)) = DOMAIN_CHECKS.iter().find(|(known, _)| *known == name) {
                row.set(pg_constraint::CONBIN, *check);
            }
        }
        pg_proc::RELATION => {
            if let Ok(sql) = row.text(pg_proc::PROARGDEFAULTS) {
                row.set(pg_proc::PROARGDEFAULTS, format!("sql:{sql}"));
            }
        }
        pg_type::RELATION => {
            use pg_type::*;
            // Transaction ids have 64 bits.
            if row.oid(OID).is_ok_and(|oid| oid == Oid(types::oids::XID)) {
                row.set(TYPLEN, 8i16).set(TYPALIGN, b'd');
            }
        }
        _ => {}
    }
}

fn unescape(raw: &str) -> String {
    if !raw.contains('\\') {
        return raw.to_string();
    }
    let mut plain = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        plain.push(match escaped {
            None => c,
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some(other) => other,
        });
    }
    plain
}

/// A value of COPY's text form.
fn value(raw: &str, type_oid: Oid, roles: &Roles) -> Option<Value> {
    use types::oids::*;
    if raw == "\\N" {
        return Some(Value::Null);
    }
    let list = || text_array(&unescape(raw));
    fn oids<'a>(list: impl Iterator<Item = &'a str>) -> Option<Vec<Oid>> {
        list.map(|oid| oid.parse().ok().map(Oid)).collect()
    }
    let words = || raw.split(' ').filter(|word| !word.is_empty());
    Some(match type_oid.0 {
        BOOL => Value::Bool(raw == "t"),
        CHAR => Value::Char(unescape(raw).bytes().next().unwrap_or(0)),
        INT2 => Value::Int2(raw.parse().ok()?),
        INT4 => Value::Int4(raw.parse().ok()?),
        INT8 | XID => Value::Int8(raw.parse().ok()?),
        FLOAT4 => Value::Float4(raw.parse().ok()?),
        OID | REGPROC => Value::Oid(Oid(raw.parse().ok()?)),
        NAME | TEXT | PG_NODE_TREE => Value::Text(unescape(raw)),
        // int2vector, oidvector
        22 => Value::Int2s(words().map(|n| n.parse().ok()).collect::<Option<_>>()?),
        30 => Value::Oids(oids(words())?),
        // smallint[], oid[], "char"[], text[], aclitem[]
        1005 => Value::Int2s(list().iter().map(|n| n.parse().ok()).collect::<Option<_>>()?),
        1028 => Value::Oids(oids(list().iter().map(String::as_str))?),
        1002 => Value::Chars(list().iter().filter_map(|c| c.bytes().next()).collect()),
        1009 => Value::Texts(list()),
        1034 => Value::Texts(list().iter().map(|item| roles.item(item)).collect()),
        _ => return None,
    })
}
