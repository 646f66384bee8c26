//! Literals and parameters.

use crate::coerce::{BOOL, INT4, INT8, UNKNOWN};
use crate::tree::{Expr, ExprKind, Type};
use crate::{Analyzer, byte_of};
use base::{Oid, Result};
use parse::{Constant, Location};
use types::{Datum, oids};

impl<'q> Analyzer<'q, '_> {
    pub(crate) fn constant(&self, value: Constant<'_>, location: Location) -> Result<Expr<'q>> {
        let (value, oid) = match value {
            Constant::Null => (Datum::Null, UNKNOWN),
            Constant::Integer(value) => (Datum::Int4(value), INT4),
            Constant::Boolean(value) => (Datum::Bool(value), BOOL),
            Constant::String(text) => (Datum::Text(self.text(text)?), UNKNOWN),
            Constant::Float(text) => match integer(text) {
                // The grammar negates 2147483648 before anybody sees that the result fits.
                Some(value) => match i32::try_from(value) {
                    Ok(value) => (Datum::Int4(value), INT4),
                    Err(_) => (Datum::Int8(value), INT8),
                },
                None => {
                    let numeric = self
                        .input(Oid(oids::NUMERIC), -1, text)
                        .map_err(|error| self.at(error, location))?;
                    (numeric, Oid(oids::NUMERIC))
                }
            },
            Constant::BitString(text) => {
                let bits = self
                    .input(Oid(oids::BIT), -1, text)
                    .map_err(|error| self.at(error, location))?;
                (bits, Oid(oids::BIT))
            }
        };
        Ok(Expr { kind: ExprKind::Const(value), ty: Type::plain(oid), at: byte_of(location) })
    }

    pub(crate) fn param_ref(&self, number: i32, location: Location) -> Result<Expr<'q>> {
        let oid = self
            .parameters
            .borrow_mut()
            .use_of(number)
            .map_err(|error| self.at(error, location))?;
        let number = u32::try_from(number).unwrap_or(0);
        let ty = self.typed(oid, -1)?;
        Ok(Expr { kind: ExprKind::Param(number), ty, at: byte_of(location) })
    }
}

/// A whole number of 64 bits, with any of SQL's prefixes and underscores.
fn integer(text: &str) -> Option<i64> {
    let lower = text.replace('_', "").to_ascii_lowercase();
    let (sign, digits) = match lower.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", lower.as_str()),
    };
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return i64::from_str_radix(&format!("{sign}{digits}"), radix).ok();
        }
    }
    lower.parse().ok()
}
