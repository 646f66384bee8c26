//! Names of types and functions as messages show them, and quoting of identifiers.

use base::{Oid, Result};
use catalog::Catalog;
use types::oids;

/// The name of a type with its modifier, as `format_type` shows it: SQL's own words for the
/// standard types, a schema where the search path needs one.
///
/// # Errors
/// Those of reading the catalog.
pub fn format_type(catalog: &Catalog, oid: Oid, typmod: i32) -> Result<String> {
    let Some(row) = catalog.find_type(oid)? else { return Ok("???".into()) };
    if row.is_true_array() && row.array == Oid::INVALID {
        let element = format_type(catalog, row.element, typmod)?;
        return Ok(format!("{element}[]"));
    }
    if let Some(name) = standard_name(oid, typmod) {
        return Ok(name);
    }
    let visible = catalog.type_named(None, &row.name)?.is_some_and(|found| found.oid == oid);
    let name = if visible {
        quote_identifier(&row.name)
    } else {
        let namespace = catalog.namespace(row.namespace)?;
        format!("{}.{}", quote_identifier(&namespace.name), quote_identifier(&row.name))
    };
    Ok(if typmod >= 0 { format!("{name}({typmod})") } else { name })
}

fn standard_name(oid: Oid, typmod: i32) -> Option<String> {
    let precision = || if typmod >= 0 { format!("({typmod})") } else { String::new() };
    let length = |name: &str| {
        if typmod > 4 - 1 { format!("{name}({})", typmod - 4) } else { name.to_string() }
    };
    Some(match oid.0 {
        oids::BOOL => "boolean".into(),
        oids::INT2 => "smallint".into(),
        oids::INT4 => "integer".into(),
        oids::INT8 => "bigint".into(),
        oids::FLOAT4 => "real".into(),
        oids::FLOAT8 => "double precision".into(),
        oids::BIT if typmod >= 0 => format!("bit({typmod})"),
        oids::BIT => "bit".into(),
        oids::VARBIT if typmod >= 0 => format!("bit varying({typmod})"),
        oids::VARBIT => "bit varying".into(),
        oids::BPCHAR if typmod >= 0 => length("character"),
        oids::BPCHAR => "character".into(),
        oids::VARCHAR => length("character varying"),
        oids::TIME => format!("time{} without time zone", precision()),
        oids::TIMETZ => format!("time{} with time zone", precision()),
        oids::TIMESTAMP => format!("timestamp{} without time zone", precision()),
        oids::TIMESTAMPTZ => format!("timestamp{} with time zone", precision()),
        oids::INTERVAL => interval_name(typmod),
        oids::NUMERIC if typmod >= 0 => {
            let bits = typmod - 4;
            let scale = ((bits & 0x7ff) ^ 1024) - 1024;
            format!("numeric({},{scale})", (bits >> 16) & 0xffff)
        }
        // Key words that need no quotes as type names.
        oids::NUMERIC => "numeric".into(),
        oids::JSON => "json".into(),
        _ => return None,
    })
}

/// The modifier of an interval: a mask of fields and a precision.
fn interval_name(typmod: i32) -> String {
    if typmod < 0 {
        return "interval".into();
    }
    let (fields, precision) = ((typmod >> 16) & 0x7fff, typmod & 0xffff);
    let words = match fields {
        0x0004 => " year",
        0x0002 => " month",
        0x0008 => " day",
        0x0400 => " hour",
        0x0800 => " minute",
        0x1000 => " second",
        0x0006 => " year to month",
        0x0408 => " day to hour",
        0x0c08 => " day to minute",
        0x1c08 => " day to second",
        0x0c00 => " hour to minute",
        0x1c00 => " hour to second",
        0x1800 => " minute to second",
        _ => "",
    };
    if precision == 0xffff {
        format!("interval{words}")
    } else {
        format!("interval{words}({precision})")
    }
}

/// An identifier with quotes where the grammar needs them.
pub fn quote_identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain && !RESERVED.contains(&name) {
        return name.to_string();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The key words that cannot stand as a name without quotes, in order.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// `schema.name` for messages about a name that was not found.
pub fn join_name(parts: &[&str]) -> String {
    parts.join(".")
}
