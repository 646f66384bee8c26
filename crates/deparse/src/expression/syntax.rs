//! Functions that SQL writes in a way of its own.

use crate::printer::Printer;
use analyze::tree::{Expr, ExprKind};
use base::{Oid, Result};
use types::Datum;

/// A word that is passed as a constant.
fn word<'q>(expr: &Expr<'q>) -> &'q str {
    match expr.kind {
        ExprKind::Const(Datum::Text(text)) => text,
        _ => "",
    }
}

impl<'q> Printer<'_, 'q, '_> {
    /// Prints a call that was written in SQL's own way; false when it has none.
    pub(super) fn sql_syntax(
        &mut self,
        expr: &Expr<'q>,
        function: Oid,
        args: &[Expr<'q>],
    ) -> Result<bool> {
        let name = self.env.catalog().proc(function)?.name.to_string();
        match (&*name, args) {
            ("timezone", [zone, value]) => {
                self.put("(");
                self.operand(value, expr, false)?;
                self.put(" AT TIME ZONE ");
                self.operand(zone, expr, false)?;
                self.put(")");
            }
            ("timezone", [value]) => {
                self.put("(");
                self.operand(value, expr, false)?;
                self.put(" AT LOCAL)");
            }
            ("overlaps", [a, b, c, d]) => {
                self.parts(&[("((", a), (", ", b), (") OVERLAPS (", c), (", ", d)], "))")?;
            }
            ("extract", [field, value]) => {
                self.put("EXTRACT(");
                self.put(word(field));
                self.parts(&[(" FROM ", value)], ")")?;
            }
            ("is_normalized", [value, rest @ ..]) => {
                self.put("(");
                self.operand(value, expr, false)?;
                self.put(" IS");
                if let Some(form) = rest.first() {
                    self.put(" ");
                    self.put(word(form));
                }
                self.put(" NORMALIZED)");
            }
            ("normalize", [value, rest @ ..]) => {
                self.parts(&[("NORMALIZE(", value)], "")?;
                if let Some(form) = rest.first() {
                    self.put(", ");
                    self.put(word(form));
                }
                self.put(")");
            }
            ("pg_collation_for", [value]) => self.parts(&[("COLLATION FOR (", value)], ")")?,
            ("overlay", [a, b, c]) => {
                self.parts(&[("OVERLAY(", a), (" PLACING ", b), (" FROM ", c)], ")")?;
            }
            ("overlay", [a, b, c, d]) => {
                self.parts(&[("OVERLAY(", a), (" PLACING ", b), (" FROM ", c), (" FOR ", d)], ")")?
            }
            ("position", [text, wanted]) => {
                self.parts(&[("POSITION((", wanted), (") IN (", text)], "))")?;
            }
            ("substring", [a, b, c]) if is_pattern(b) => {
                self.parts(&[("SUBSTRING(", a), (" SIMILAR ", b), (" ESCAPE ", c)], ")")?;
            }
            ("substring", [_, b]) if is_pattern(b) => return Ok(false),
            ("substring", [a, b]) => self.parts(&[("SUBSTRING(", a), (" FROM ", b)], ")")?,
            ("substring", [a, b, c]) => {
                self.parts(&[("SUBSTRING(", a), (" FROM ", b), (" FOR ", c)], ")")?;
            }
            ("btrim" | "ltrim" | "rtrim", [value, rest @ ..]) => {
                self.put(match &*name {
                    "btrim" => "TRIM(BOTH",
                    "ltrim" => "TRIM(LEADING",
                    _ => "TRIM(TRAILING",
                });
                if let Some(set) = rest.first() {
                    self.parts(&[(" ", set)], "")?;
                }
                self.parts(&[(" FROM ", value)], ")")?;
            }
            ("system_user", []) => self.put("SYSTEM_USER"),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn parts(&mut self, parts: &[(&str, &Expr<'q>)], end: &str) -> Result<()> {
        for (before, expr) in parts {
            self.put(before);
            self.expression(expr, false)?;
        }
        self.put(end);
        Ok(())
    }
}

/// Whether the second argument of `substring` is a pattern, not a place.
fn is_pattern(expr: &Expr<'_>) -> bool {
    expr.ty.oid.0 == types::oids::TEXT
}
