//! Names as text: quoting, `format_type`, qualified names, visibility.
//!
//! Rule: a name is qualified by its schema exactly when the search path finds something else, or
//! nothing, under the bare name.

use crate::builtin;
use crate::lookup::Catalog;
use crate::rows::Type;
use base::{Oid, Result};
use std::sync::OnceLock;
use types::oids;

/// The words that cannot stand as a name without quotes, sorted.
fn quoted_words() -> &'static [&'static str] {
    static WORDS: OnceLock<Vec<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let facts = include_str!("../../../facts/keywords.tsv");
        let lines = facts.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
        let mut words: Vec<&str> =
            lines.filter(|line| line.get(1) != Some(&"U")).map(|line| line[0]).collect();
        words.sort_unstable();
        words
    })
}

/// A name as SQL text, in quotes where it needs them.
pub fn quote_identifier(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    if starts_well && name.chars().all(plain) && quoted_words().binary_search(&name).is_err() {
        return name.to_string();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name with its schema as SQL text.
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_identifier(schema), quote_identifier(name))
}

/// The modifier of a type of characters or bits, in parentheses.
fn length(typmod: i32, header: i32) -> String {
    if typmod > header { format!("({})", typmod - header) } else { String::new() }
}

fn precision(typmod: i32) -> String {
    if typmod >= 0 { format!("({typmod})") } else { String::new() }
}

fn numeric(typmod: i32) -> String {
    match types::numeric::typmod_parts(typmod) {
        Some((precision, scale)) => format!("({precision},{scale})"),
        None => String::new(),
    }
}

fn interval(typmod: i32) -> String {
    if typmod < 0 {
        return String::new();
    }
    const FIELDS: [(i32, &str); 13] = [
        (1 << 2, " year"),
        (1 << 1, " month"),
        (1 << 3, " day"),
        (1 << 10, " hour"),
        (1 << 11, " minute"),
        (1 << 12, " second"),
        (1 << 2 | 1 << 1, " year to month"),
        (1 << 3 | 1 << 10, " day to hour"),
        (1 << 3 | 1 << 10 | 1 << 11, " day to minute"),
        (1 << 3 | 1 << 10 | 1 << 11 | 1 << 12, " day to second"),
        (1 << 10 | 1 << 11, " hour to minute"),
        (1 << 10 | 1 << 11 | 1 << 12, " hour to second"),
        (1 << 11 | 1 << 12, " minute to second"),
    ];
    let fields = (typmod >> 16) & 0x7fff;
    let fields = FIELDS.iter().find(|(bits, _)| *bits == fields).map_or("", |(_, name)| name);
    match typmod & 0xffff {
        0xffff => fields.to_string(),
        precision => format!("{fields}({precision})"),
    }
}

/// SQL's own name of a standard type with its modifier; `None` for the others. `given` is
/// whether a modifier was asked for: without one `character` is not `bpchar`.
fn standard_name(oid: u32, typmod: i32, given: bool) -> Option<String> {
    Some(match oid {
        oids::BOOL => "boolean".into(),
        oids::INT2 => "smallint".into(),
        oids::INT4 => "integer".into(),
        oids::INT8 => "bigint".into(),
        oids::FLOAT4 => "real".into(),
        oids::FLOAT8 => "double precision".into(),
        oids::NUMERIC => format!("numeric{}", numeric(typmod)),
        oids::VARCHAR => format!("character varying{}", length(typmod, 4)),
        // "bpchar" and "bit" without a length are not what SQL means by their short names.
        oids::BPCHAR if typmod >= 0 => format!("character{}", length(typmod, 4)),
        oids::BPCHAR if given => "bpchar".into(),
        oids::BPCHAR => "character".into(),
        oids::BIT if typmod >= 0 => format!("bit{}", length(typmod, 0)),
        oids::BIT if given => "\"bit\"".into(),
        oids::BIT => "bit".into(),
        oids::VARBIT => format!("bit varying{}", length(typmod, 0)),
        oids::TIME => format!("time{} without time zone", precision(typmod)),
        oids::TIMETZ => format!("time{} with time zone", precision(typmod)),
        oids::TIMESTAMP => format!("timestamp{} without time zone", precision(typmod)),
        oids::TIMESTAMPTZ => format!("timestamp{} with time zone", precision(typmod)),
        oids::INTERVAL => format!("interval{}", interval(typmod)),
        oids::JSON => "json".into(),
        _ => return None,
    })
}

impl Catalog {
    /// The name of a type as `format_type` shows it; `typmod` is `None` where there is none to
    /// show. `-` for no type, `???` for one that does not exist.
    ///
    /// # Errors
    /// Those of storage.
    pub fn format_type(&self, oid: Oid, typmod: Option<i32>) -> Result<String> {
        self.format_type_qualified(oid, typmod, false)
    }

    /// The same, with the schema of every type that SQL has no word for.
    ///
    /// # Errors
    /// Those of storage.
    pub fn format_type_qualified(
        &self,
        oid: Oid,
        typmod: Option<i32>,
        always: bool,
    ) -> Result<String> {
        if !oid.is_valid() {
            return Ok("-".into());
        }
        let Some(row) = self.find_type(oid)? else { return Ok("???".into()) };
        if row.is_true_array() && row.storage != b'p' {
            let element = self.format_type_qualified(row.element, typmod, always)?;
            return Ok(format!("{element}[]"));
        }
        let modifier = typmod.unwrap_or(-1);
        if let Some(name) = standard_name(oid.0, modifier, typmod.is_some()) {
            return Ok(name);
        }
        let name = if !always && self.type_is_visible(&row)? {
            quote_identifier(&row.name)
        } else {
            qualified(&self.namespace(row.namespace)?.name, &row.name)
        };
        Ok(if modifier >= 0 { format!("{name}({modifier})") } else { name })
    }

    /// Whether the search path finds this type under its bare name.
    ///
    /// # Errors
    /// Those of storage.
    pub fn type_is_visible(&self, row: &Type) -> Result<bool> {
        Ok(self.type_named(None, &row.name)?.is_some_and(|found| found.oid == row.oid))
    }

    /// Whether the search path finds this relation under its bare name.
    ///
    /// # Errors
    /// Those of storage.
    pub fn relation_is_visible(&self, oid: Oid) -> Result<bool> {
        let Some((_, name)) = self.relation_name(oid)? else { return Ok(false) };
        Ok(self.relation_named(None, &name)? == Some(oid))
    }

    /// The schema and name of a relation or index, if there is one.
    ///
    /// # Errors
    /// Those of storage.
    pub fn relation_name(&self, oid: Oid) -> Result<Option<(Oid, String)>> {
        if let Some(system) = builtin::index(oid) {
            let namespace =
                builtin::relation(system.table).map_or(builtin::PG_CATALOG, |r| r.namespace);
            return Ok(Some((namespace, system.name.to_string())));
        }
        Ok(self.find_relation(oid)?.map(|found| (found.namespace, found.name.clone())))
    }

    /// A relation's name as SQL text, qualified where it must be; `None` when it is gone.
    ///
    /// # Errors
    /// Those of storage.
    pub fn relation_text(&self, oid: Oid) -> Result<Option<String>> {
        let Some((namespace, name)) = self.relation_name(oid)? else { return Ok(None) };
        if self.relation_is_visible(oid)? {
            return Ok(Some(quote_identifier(&name)));
        }
        Ok(Some(qualified(&self.namespace(namespace)?.name, &name)))
    }

    /// Whether a call by the bare name with exactly these argument types finds this function.
    ///
    /// # Errors
    /// XX000 when there is no such function.
    pub fn proc_is_visible(&self, oid: Oid) -> Result<bool> {
        let proc = self.proc(oid)?;
        let candidates = self.procs_named(None, &proc.name)?;
        let first = candidates.iter().find(|candidate| candidate.proc.args == proc.args);
        Ok(first.is_some_and(|candidate| candidate.proc.oid == oid))
    }

    /// `name(type,type)` of a function, qualified where it must be.
    ///
    /// # Errors
    /// XX000 when there is no such function.
    pub fn proc_text(&self, oid: Oid) -> Result<String> {
        let proc = self.proc(oid)?;
        let name = if self.proc_is_visible(oid)? {
            quote_identifier(&proc.name)
        } else {
            qualified(&self.namespace(proc.namespace)?.name, &proc.name)
        };
        let args: Result<Vec<String>> =
            proc.args.iter().map(|arg| self.format_type(*arg, None)).collect();
        Ok(format!("{name}({})", args?.join(",")))
    }

    /// Whether the search path finds this operator for its argument types.
    ///
    /// # Errors
    /// XX000 when there is no such operator.
    pub fn operator_is_visible(&self, oid: Oid) -> Result<bool> {
        let row = self.operator(oid)?;
        let found = self.operator_exact(None, &row.name, row.left, row.right)?;
        Ok(found.is_some_and(|found| found.oid == oid))
    }

    /// `name(type,type)` of an operator, with `NONE` for the side that it does not have.
    ///
    /// # Errors
    /// XX000 when there is no such operator.
    pub fn operator_text(&self, oid: Oid) -> Result<String> {
        let row = self.operator(oid)?;
        let side = |oid: Oid| {
            if oid.is_valid() { self.format_type(oid, None) } else { Ok("NONE".to_string()) }
        };
        let mut name = row.name.to_string();
        if !self.operator_is_visible(oid)? {
            let schema = self.namespace(row.namespace)?;
            name = format!("{}.{name}", quote_identifier(&schema.name));
        }
        Ok(format!("{name}({},{})", side(row.left)?, side(row.right)?))
    }

    /// An object's name as SQL text, qualified unless `visible`.
    ///
    /// # Errors
    /// XX000 when the schema is gone.
    pub(crate) fn name_text(&self, namespace: Oid, name: &str, visible: bool) -> Result<String> {
        if visible {
            return Ok(quote_identifier(name));
        }
        Ok(qualified(&self.namespace(namespace)?.name, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_sql_needs_it() {
        for (name, text) in [
            ("abort", "abort"),
            ("between", "\"between\""),
            ("int", "\"int\""),
            ("left", "\"left\""),
            ("a1_", "a1_"),
            ("1a", "\"1a\""),
            ("A", "\"A\""),
            ("a\"b", "\"a\"\"b\""),
            ("", "\"\""),
        ] {
            assert_eq!(quote_identifier(name), text);
        }
    }

    #[test]
    fn types_are_shown_as_postgresql_shows_them() {
        let catalog = Catalog::in_memory().unwrap();
        for (oid, typmod, text) in [
            (18, None, "\"char\""),
            (1042, None, "character"),
            (1042, Some(-1), "bpchar"),
            (1042, Some(5), "character(1)"),
            (1014, Some(-1), "bpchar[]"),
            (1043, Some(14), "character varying(10)"),
            (1015, Some(14), "character varying(10)[]"),
            (1700, Some((10 << 16 | 2) + 4), "numeric(10,2)"),
            (1700, Some((5 << 16 | 2046) + 4), "numeric(5,-2)"),
            (1083, Some(3), "time(3) without time zone"),
            (1184, Some(0), "timestamp(0) with time zone"),
            (1186, Some(4 << 16 | 65535), "interval year"),
            (1186, Some(6 << 16 | 65535), "interval year to month"),
            (1560, Some(3), "bit(3)"),
            (1560, Some(-1), "\"bit\""),
            (22, None, "int2vector"),
            (0, Some(-1), "-"),
            (99999, Some(-1), "???"),
        ] {
            assert_eq!(catalog.format_type(Oid(oid), typmod).unwrap(), text, "{oid} {typmod:?}");
        }
    }

    #[test]
    fn functions_and_operators_are_shown_with_their_arguments() {
        let catalog = Catalog::in_memory().unwrap();
        assert_eq!(catalog.proc_text(Oid(177)).unwrap(), "int4pl(integer,integer)");
        assert_eq!(catalog.operator_text(Oid(96)).unwrap(), "=(integer,integer)");
        let expected = Some("information_schema.tables".to_string());
        let tables = catalog.relation_named(Some("information_schema"), "tables").unwrap();
        assert_eq!(catalog.relation_text(tables.unwrap()).unwrap(), expected);
    }
}
