//! Constants.

use crate::printer::Printer;
use analyze::tree::Type;
use base::{Oid, Result};
use types::{Datum, oids};

impl Printer<'_, '_, '_> {
    /// A constant; `label` below 0 never shows its type, above 0 always, 0 where it is needed to
    /// read the constant back as what it is.
    pub(crate) fn constant(&mut self, value: &Datum<'_>, ty: Type, label: i8) -> Result<()> {
        if self.style.without_constants {
            self.put("$");
            return self.label(ty.oid, ty.typmod);
        }
        if value.is_null() {
            self.put("NULL");
            if label >= 0 {
                self.label(ty.oid, ty.typmod)?;
                self.constant_collation(ty)?;
            }
            return Ok(());
        }
        let text = self.env.io().output_string(ty.oid.0, value)?;
        let mut needed = false;
        match ty.oid.0 {
            oids::INT4 if !text.starts_with('-') => self.put(&text),
            oids::NUMERIC if is_decimal(&text) => self.put(&text),
            // A sign would be an operator.
            oids::INT4 | oids::NUMERIC => {
                self.put("'");
                self.put(&text);
                self.put("'");
                needed = true;
            }
            oids::BOOL => self.put(if text == "t" { "true" } else { "false" }),
            _ => self.literal(&text),
        }
        if label < 0 {
            return Ok(());
        }
        needed = match ty.oid.0 {
            oids::BOOL | oids::UNKNOWN => false,
            oids::INT4 => needed,
            oids::NUMERIC => needed || ty.typmod >= 0,
            _ => true,
        };
        if needed || label > 0 {
            self.label(ty.oid, ty.typmod)?;
        }
        self.constant_collation(ty)
    }

    fn constant_collation(&mut self, ty: Type) -> Result<()> {
        if ty.collation.is_valid() && ty.collation != self.collation_of_type(ty.oid)? {
            let name = self.collation_name(ty.collation)?;
            self.put(" COLLATE ");
            self.put(&name);
        }
        Ok(())
    }

    /// The collation that values of a type have by themselves.
    pub(crate) fn collation_of_type(&self, oid: Oid) -> Result<Oid> {
        Ok(self.env.catalog().find_type(oid)?.map_or(Oid::INVALID, |row| row.collation))
    }
}

/// Whether a text is read as a numeric by itself.
fn is_decimal(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['e', 'E', '.'])
}
