//! Assignments to parts of columns: fields of rows, elements of arrays, and parts of those.

use super::Assigned;
use crate::coerce::Context;
use crate::scope::Level;
use crate::tree::{Expr, ExprKind, SubscriptStep, Type};
use crate::{Analyzer, location_of};
use base::{Oid, Result, err};
use catalog::relation::Column;
use parse::{Indirection, Location, ResTarget};
use types::Datum;

/// What a value goes into.
pub(super) struct Part<'q, 'n> {
    /// The column or field, for messages.
    pub(super) name: &'n str,
    pub(super) oid: Oid,
    pub(super) typmod: i32,
    /// Its present value.
    pub(super) base: Expr<'q>,
    pub(super) location: Location,
}

impl<'q> Analyzer<'q, '_> {
    /// The new value of a column in which INSERT sets a part.
    pub(super) fn insert_part(
        &self,
        level: &Level<'q, '_>,
        column: &Column,
        target: &ResTarget<'_>,
        value: Expr<'q>,
        assigned: &mut Assigned<'q>,
    ) -> Result<()> {
        if let Some(known) = assigned.assignments.iter().find(|a| a.attribute == column.attribute) {
            let at = known.target as usize;
            let base = assigned.targets[at].expr;
            assigned.targets[at].expr = self.set_part(level, column, base, target, value)?;
            return Ok(());
        }
        let ty = Type { oid: column.type_oid, typmod: column.typmod, collation: column.collation };
        let base = Expr { kind: ExprKind::Const(Datum::Null), ty, at: None };
        let value = self.set_part(level, column, base, target, value)?;
        assigned.push(column.attribute, value, self.text(&column.name)?);
        Ok(())
    }

    /// The value of a column or field after a part of it was set.
    pub(super) fn assign_part(
        &self,
        level: &Level<'q, '_>,
        into: Part<'q, '_>,
        steps: &[Indirection<'_>],
        value: Expr<'q>,
    ) -> Result<Expr<'q>> {
        base::stack::check_stack_depth()?;
        match steps.first() {
            None => self.assign_field(into, value),
            Some(Indirection::Field(name)) => {
                self.assign_in_row(level, into, name, &steps[1..], value)
            }
            Some(Indirection::Star) => {
                let error =
                    err!(FEATURE_NOT_SUPPORTED, "row expansion via \"*\" is not supported here");
                Err(self.at(error, into.location))
            }
            Some(_) => self.assign_in_array(level, into, steps, value),
        }
    }

    fn assign_field(&self, into: Part<'q, '_>, value: Expr<'q>) -> Result<Expr<'q>> {
        let location = location_of(&value);
        let context = Context::Assignment;
        let cast = self.coerce_to_target(value, into.oid, into.typmod, context, location)?;
        match cast {
            Some(cast) => Ok(cast),
            None => {
                let (to, from) = (self.type_name(into.oid)?, self.type_name(value.ty.oid)?);
                let error = err!(
                    DATATYPE_MISMATCH,
                    "subfield \"{}\" is of type {to} but expression is of type {from}",
                    into.name
                )
                .hint("You will need to rewrite or cast the expression.");
                Err(self.at(error, into.location))
            }
        }
    }

    fn assign_in_row(
        &self,
        level: &Level<'q, '_>,
        into: Part<'q, '_>,
        field: &str,
        rest: &[Indirection<'_>],
        value: Expr<'q>,
    ) -> Result<Expr<'q>> {
        let (row_type, _) = self.env.catalog().base_type(into.oid, -1)?;
        let relation = self.type_row(row_type)?.relation;
        if !relation.is_valid() {
            let error = err!(
                DATATYPE_MISMATCH,
                "cannot assign to field \"{field}\" of column \"{}\" because its type {} is not a \
                 composite type",
                into.name,
                self.type_name(into.oid)?
            );
            return Err(self.at(error, into.location));
        }
        let relation = self.env.catalog().relation(relation)?;
        let Some(column) = relation.column(field) else {
            let error = err!(
                UNDEFINED_COLUMN,
                "cannot assign to field \"{field}\" of column \"{}\" because there is no such \
                 column in data type {}",
                into.name,
                self.type_name(into.oid)?
            );
            return Err(self.at(error, into.location));
        };
        let base = self.alloc(into.base)?;
        let (mut fields, mut names) = (Vec::new(), Vec::new());
        for other in &relation.columns {
            names.push(self.text(&other.name)?);
            let collation = other.collation;
            let ty = match other.dropped {
                true => Type::plain(crate::coerce::INT4),
                false => Type { oid: other.type_oid, typmod: other.typmod, collation },
            };
            let kind = match other.dropped {
                true => ExprKind::Const(Datum::Null),
                false => ExprKind::Field { arg: base, field: other.attribute },
            };
            let present = Expr { kind, ty, at: None };
            if other.attribute != column.attribute {
                fields.push(present);
                continue;
            }
            let part = Part {
                name: field,
                oid: other.type_oid,
                typmod: other.typmod,
                base: present,
                location: into.location,
            };
            fields.push(self.assign_part(level, part, rest, value)?);
        }
        let row = Expr {
            kind: ExprKind::Row { fields: self.slice(&fields)?, names: self.slice(&names)? },
            ty: self.typed(row_type, -1)?,
            at: value.at,
        };
        self.back_to_domain(row, into.oid, into.typmod)
    }

    fn assign_in_array(
        &self,
        level: &Level<'q, '_>,
        into: Part<'q, '_>,
        steps: &[Indirection<'_>],
        value: Expr<'q>,
    ) -> Result<Expr<'q>> {
        let is_subscript =
            |step: &Indirection<'_>| !matches!(step, Indirection::Field(_) | Indirection::Star);
        let count = steps.iter().take_while(|step| is_subscript(step)).count();
        let (subscripts, rest) = steps.split_at(count);
        let (container, _) = self.env.catalog().base_type(into.oid, -1)?;
        self.need_subscripts(container, into.location)?;
        let slice = subscripts.iter().any(|step| matches!(step, Indirection::Slice(..)));
        let mut places: Vec<SubscriptStep<'q>> = Vec::new();
        for step in subscripts {
            places.push(self.subscript_step(level, step, container, slice)?);
        }
        let places = self.slice(&places)?;
        let element = self.element_type(container)?;
        let wanted = if slice || !element.is_valid() { container } else { element };
        let arg = self.alloc(into.base)?;
        let kind = ExprKind::Subscript { arg, steps: places, assign: None };
        let present = Expr { kind, ty: self.typed(wanted, -1)?, at: None };
        let part = Part {
            name: into.name,
            oid: wanted,
            typmod: into.typmod,
            base: present,
            location: into.location,
        };
        let value = match rest {
            [] => self.assign_field(part, value)?,
            rest => self.assign_part(level, part, rest, value)?,
        };
        let assign = Some(self.alloc(value)?);
        let kind = ExprKind::Subscript { arg, steps: places, assign };
        let array = Expr { kind, ty: self.typed(container, -1)?, at: value.at };
        self.back_to_domain(array, into.oid, into.typmod)
    }

    /// 42804 for a type without subscripts.
    pub(super) fn need_subscripts(&self, container: Oid, location: Location) -> Result<()> {
        if container.0 == types::oids::JSONB || self.element_type(container)?.is_valid() {
            return Ok(());
        }
        let error = err!(
            DATATYPE_MISMATCH,
            "cannot subscript type {} because it does not support subscripting",
            self.type_name(container)?
        );
        Err(self.at(error, location))
    }

    /// A value of what is under a domain as one of the domain again.
    pub(super) fn back_to_domain(
        &self,
        value: Expr<'q>,
        oid: Oid,
        typmod: i32,
    ) -> Result<Expr<'q>> {
        if value.ty.oid == oid {
            return Ok(value);
        }
        let context = Context::Assignment;
        let cast = self.coerce_to_target(value, oid, typmod, context, Location::NONE)?;
        cast.ok_or_else(|| base::Error::internal("a domain does not take what is under it"))
    }
}
