//! Virtual generated columns: nothing is stored, their expression is computed where a table is read.
//!
//! A scan that is asked for one yields it as a column of its own, so that above an outer join it is
//! NULL where its row is missing. Where only the columns that it is made of are at hand (conditions
//! of the scan itself, rows that are written) the expression stands in its place.

use crate::compile::Compiler;
use crate::needs::vars_of;
use crate::node::NodeKind;
use crate::planner::{Level, Planner, Rel, Var};
use analyze::tree::{Expr, RangeId, RangeKind, Type};
use base::{Error, Result};
use catalog::relation::{Column, Relation};
use catalog::rows::Generated;
use expr::{Builder, Reg};

/// Whether nothing is stored for a column.
pub(crate) fn is_virtual(column: &Column) -> bool {
    column.generated == Some(Generated::Virtual)
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// The expression of a virtual column, its columns read from a range.
    fn virtual_expr(&self, column: &Column, range: u32) -> Result<&'q Expr<'q>> {
        let stored = column
            .default
            .as_ref()
            .ok_or_else(|| Error::internal("a generated column without an expression"))?;
        let expr = analyze::analyze_stored(self.trees, self.env, stored)?;
        analyze::move_expression(self.trees, self.env, expr, RangeId(range))
    }

    /// The expression behind a column of a range, if the column is virtual.
    pub(crate) fn virtual_of(
        &self,
        owner: &Level<'_, 'q>,
        range: u32,
        attribute: i16,
        read_from: u32,
    ) -> Result<Option<&'q Expr<'q>>> {
        let oid = match owner.query.ranges.get(range as usize).map(|range| range.kind) {
            Some(RangeKind::Relation { relation, .. } | RangeKind::Excluded { relation }) => {
                relation
            }
            _ => return Ok(None),
        };
        if attribute <= 0 || !oid.is_valid() {
            return Ok(None);
        }
        let relation = self.catalog().relation(oid)?;
        match relation.column_at(attribute) {
            Some(column) if is_virtual(column) => self.virtual_expr(column, read_from).map(Some),
            _ => Ok(None),
        }
    }

    /// A virtual column where the columns that it is made of are at hand.
    pub(crate) fn virtual_value(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        owner: &Level<'_, 'q>,
        var: Var,
    ) -> Result<Option<Reg>> {
        let Some(expr) = self.virtual_of(owner, var.range, var.attribute, var.range)? else {
            return Ok(None);
        };
        let mut there = true;
        vars_of(owner, owner, expr, &mut |var| there &= c.columns.var(var).is_some());
        if there { self.expr(c, owner, expr).map(Some) } else { Ok(None) }
    }

    /// Notes what the virtual columns that are needed of a table are made of.
    pub(crate) fn need_virtual(
        &self,
        level: &Level<'_, 'q>,
        range: u32,
        relation: &Relation,
    ) -> Result<()> {
        for column in relation.live_columns().filter(|column| is_virtual(column)) {
            if level.needed.borrow().contains(&(range, column.attribute)) {
                let expr = self.virtual_expr(column, range)?;
                let mut found = Vec::new();
                vars_of(level, level, expr, &mut |var| found.push((var.range, var.attribute)));
                level.needed.borrow_mut().extend(found);
            }
        }
        Ok(())
    }

    /// A scan with the virtual columns that are needed of its table.
    pub(crate) fn with_virtual(
        &self,
        level: &Level<'_, 'q>,
        range: u32,
        relation: &Relation,
        mut rel: Rel<'q, 'p>,
    ) -> Result<Rel<'q, 'p>> {
        let wanted: Vec<&Column> = relation
            .live_columns()
            .filter(|column| is_virtual(column))
            .filter(|column| level.needed.borrow().contains(&(range, column.attribute)))
            .collect();
        if wanted.is_empty() {
            return Ok(rel);
        }
        let mut out = rel.node.columns.to_vec();
        let (program, mut reads) = self.collecting(|| {
            let mut c = Compiler::new(Builder::new(self.bump), &rel.columns);
            let mut registers = Vec::new();
            for i in 0..rel.node.columns.len() {
                registers.push(c.builder.input(i as u16)?);
            }
            for column in &wanted {
                let expr = self.virtual_expr(column, range)?;
                registers.push(self.expr(&mut c, level, expr)?);
            }
            c.builder.finish(&registers)
        })?;
        for column in &wanted {
            let place = out.len() as u16;
            rel.columns.vars.push((level.var(range, column.attribute), place));
            out.push(self.column(Type {
                oid: column.type_oid,
                typmod: column.typmod,
                collation: column.collation,
            })?);
        }
        reads.extend(rel.node.reads);
        let cost = (rel.node.rows, rel.node.startup_cost, rel.node.total_cost);
        let kind = NodeKind::Project { input: rel.node, program };
        let node = self.node(kind, &out, cost, &reads)?;
        Ok(Rel { node, ..rel })
    }
}
