//! Input and output of the types that need a catalog: enums, domains, composite types, the reg*
//! types, aclitem.
//!
//! Limits: a domain's constraints are not checked here: they are expressions, and whoever puts
//! a value into a domain evaluates them ([`Catalog::domain_checks`]).

mod acl_item;
mod reg;
mod type_name;

pub use reg::split_name;

#[cfg(test)]
mod tests;

use crate::lookup::Catalog;
use crate::rows::{Type, TypeKind};
use base::{Error, Oid, Result, err};
use memory::collections::Output;
use std::cmp::Ordering;
use types::io::builtin_class;
use types::{Arena, Datum, Io, TypeClass, TypeHost, oids};

fn missing(type_oid: u32) -> Error {
    err!(UNDEFINED_OBJECT, "type with OID {type_oid} does not exist")
}

impl Catalog {
    fn host_type(&self, type_oid: u32) -> Result<crate::rows::Ref<Type>> {
        self.find_type(Oid(type_oid))?.ok_or_else(|| missing(type_oid))
    }

    fn enum_position(&self, enum_type: u32, label: u32) -> Result<usize> {
        let labels = self.enum_labels(Oid(enum_type))?;
        let found = labels.iter().position(|row| row.oid.0 == label);
        found.ok_or_else(|| {
            err!(INVALID_BINARY_REPRESENTATION, "invalid internal value for enum: {label}")
        })
    }

    fn enum_input(&self, row: &Type, text: &str) -> Result<Datum<'static>> {
        let labels = self.enum_labels(row.oid)?;
        let found = labels.iter().find(|label| label.label == text);
        let Some(label) = found else {
            let name = self.format_type(row.oid, None)?;
            return Err(err!(
                INVALID_TEXT_REPRESENTATION,
                "invalid input value for enum {name}: \"{text}\""
            ));
        };
        self.check_enum_use(label)?;
        Ok(Datum::Oid(label.oid.0))
    }

    fn enum_label(&self, row: &Type, datum: &Datum<'_>) -> Result<String> {
        let labels = self.enum_labels(row.oid)?;
        let at = self.enum_position(row.oid.0, datum.oid()?)?;
        Ok(labels[at].label.to_string())
    }

    fn unsupported(&self, row: &Type) -> Error {
        let name = self.format_type(row.oid, None).unwrap_or_default();
        Error::unsupported(format!("values of type {name} are not supported yet"))
    }
}

impl TypeHost for Catalog {
    fn class(&self, type_oid: u32) -> Result<TypeClass> {
        if reg::is_reg(type_oid) || type_oid == oids::ACLITEM {
            return Ok(TypeClass::Host);
        }
        if let Some(class) = builtin_class(type_oid) {
            return Ok(class);
        }
        let row = self.host_type(type_oid)?;
        if row.is_true_array() {
            let delimiter = self.type_(row.element)?.delimiter;
            return Ok(TypeClass::Array { element: row.element.0, delimiter });
        }
        Ok(match row.kind {
            TypeKind::Composite => TypeClass::Composite,
            _ => TypeClass::Host,
        })
    }

    fn columns(&self, type_oid: u32) -> Result<Vec<(u32, i32)>> {
        let relation = self.host_type(type_oid)?.relation;
        if !relation.is_valid() {
            let text = "input of anonymous composite types is not implemented";
            return Err(Error::unsupported(text));
        }
        let relation = self.relation(relation)?;
        let column = |column: &crate::relation::Column| match column.dropped {
            true => (0, -1),
            false => (column.type_oid.0, column.typmod),
        };
        Ok(relation.columns.iter().map(column).collect())
    }

    fn column_names(&self, type_oid: u32, typmod: i32) -> Result<Vec<String>> {
        if type_oid == oids::RECORD {
            return types::NoCatalog.column_names(type_oid, typmod);
        }
        let relation = self.relation(self.host_type(type_oid)?.relation)?;
        let name = |column: &crate::relation::Column| match column.dropped {
            true => String::new(),
            false => column.name.clone(),
        };
        Ok(relation.columns.iter().map(name).collect())
    }

    fn type_name(&self, type_oid: u32) -> String {
        self.format_type(Oid(type_oid), None).unwrap_or_else(|_| "???".to_string())
    }

    fn input<'m>(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        typmod: i32,
        text: &str,
        arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>> {
        if type_oid == oids::ACLITEM {
            return Ok(Datum::Text(arena.put_str(&self.acl_item_input(text)?)?));
        }
        if reg::is_reg(type_oid) {
            return self.reg_input(type_oid, text).map(|oid| Datum::Oid(oid.0));
        }
        let row = self.host_type(type_oid)?;
        match row.kind {
            TypeKind::Enum => self.enum_input(&row, text),
            TypeKind::Domain => {
                let (base, typmod) = self.base_type(Oid(type_oid), typmod)?;
                io.input(base.0, typmod, text, arena)
            }
            _ => Err(self.unsupported(&row)),
        }
    }

    fn output(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        datum: &Datum<'_>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        if type_oid == oids::ACLITEM {
            return out.extend_from_slice(self.acl_item_output(datum.text()?)?.as_bytes());
        }
        if reg::is_reg(type_oid) {
            let text = self.reg_output(type_oid, Oid(datum.oid()?))?;
            return out.extend_from_slice(text.as_bytes());
        }
        let row = self.host_type(type_oid)?;
        match row.kind {
            TypeKind::Enum => out.extend_from_slice(self.enum_label(&row, datum)?.as_bytes()),
            TypeKind::Domain => {
                let (base, _) = self.base_type(Oid(type_oid), -1)?;
                io.write(base.0, datum, out)
            }
            _ => Err(self.unsupported(&row)),
        }
    }

    fn recv<'m>(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        typmod: i32,
        bytes: &[u8],
        arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>> {
        if reg::is_reg(type_oid) {
            return io.recv(oids::OID, -1, bytes, arena);
        }
        let row = self.host_type(type_oid)?;
        match row.kind {
            TypeKind::Enum => match io.recv(oids::TEXT, -1, bytes, arena)? {
                Datum::Text(label) => self.enum_input(&row, label),
                _ => Err(self.unsupported(&row)),
            },
            TypeKind::Domain => {
                let (base, typmod) = self.base_type(Oid(type_oid), typmod)?;
                io.recv(base.0, typmod, bytes, arena)
            }
            _ => Err(self.unsupported(&row)),
        }
    }

    fn send(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        datum: &Datum<'_>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        if reg::is_reg(type_oid) {
            return io.send(oids::OID, datum, out);
        }
        let row = self.host_type(type_oid)?;
        match row.kind {
            TypeKind::Enum => out.extend_from_slice(self.enum_label(&row, datum)?.as_bytes()),
            TypeKind::Domain => {
                let (base, _) = self.base_type(Oid(type_oid), -1)?;
                io.send(base.0, datum, out)
            }
            _ => Err(self.unsupported(&row)),
        }
    }

    fn compare(&self, type_oid: u32, a: &Datum<'_>, b: &Datum<'_>) -> Result<Ordering> {
        if reg::is_reg(type_oid) {
            return Ok(a.oid()?.cmp(&b.oid()?));
        }
        let row = self.host_type(type_oid)?;
        match row.kind {
            TypeKind::Enum => {
                let (a, b) = (a.oid()?, b.oid()?);
                Ok(self.enum_position(type_oid, a)?.cmp(&self.enum_position(type_oid, b)?))
            }
            TypeKind::Domain => {
                let (base, _) = self.base_type(Oid(type_oid), -1)?;
                types::compare::compare(self, base.0, a, b)
            }
            _ => Err(self.unsupported(&row)),
        }
    }
}
