//! Virtual generated columns: nothing is stored, their expression is computed where a table is read.
//! So are the columns of the catalogs that tell how old the rows of a table or database may be.
//!
//! A scan that is asked for one yields it as a column of its own, so that above an outer join it is
//! NULL where its row is missing. Where only the columns that it is made of are at hand (conditions
//! of the scan itself, rows that are written) the expression stands in its place.

use crate::compile::Compiler;
use crate::needs::vars_of;
use crate::node::NodeKind;
use crate::planner::{Level, Planner, Rel, Var};
use analyze::replace;
use analyze::tree::{
    CaseArm, CastForm, ColumnUse, Expr, ExprKind, FunctionForm, RangeId, RangeKind, ReturningRow,
    Type,
};
use base::{Error, Oid, Result};
use catalog::columns::{pg_class, pg_database};
use catalog::relation::{Column, Relation};
use catalog::rows::Generated;
use expr::{Builder, Reg};
use types::{Datum, oids};

/// The columns of the catalogs that tell before which transaction everything is frozen. All rows are
/// frozen as soon as no snapshot misses them, so the answer is the oldest transaction in progress.
const FROZEN_BEFORE: [(Oid, i16); 2] = [
    (pg_class::RELATION, pg_class::RELFROZENXID),
    (pg_database::RELATION, pg_database::DATFROZENXID),
];
/// `pg_current_snapshot()` and `pg_snapshot_xmin(pg_snapshot)`.
const CURRENT_SNAPSHOT: Oid = Oid(5061);
const SNAPSHOT_XMIN: Oid = Oid(5062);
/// `"char" = "char"`.
const CHAR_EQUAL: (Oid, Oid) = (Oid(92), Oid(61));
/// The kinds of relations whose rows have a writer.
const WITH_ROWS: [u8; 3] = [b'r', b'm', b't'];

fn is_frozen_before(relation: &Relation, column: &Column) -> bool {
    FROZEN_BEFORE.contains(&(relation.oid, column.attribute))
}

/// Whether a column is computed where its table is read.
pub(crate) fn is_computed(relation: &Relation, column: &Column) -> bool {
    is_virtual(column) || is_frozen_before(relation, column)
}

/// Whether nothing is stored for a column.
pub(crate) fn is_virtual(column: &Column) -> bool {
    column.generated == Some(Generated::Virtual)
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// The expression of a computed column, its columns read from a range.
    fn virtual_expr(
        &self,
        relation: &Relation,
        column: &Column,
        range: u32,
    ) -> Result<&'q Expr<'q>> {
        if is_frozen_before(relation, column) {
            return self.frozen_before(relation, column, range);
        }
        let stored = column
            .default
            .as_ref()
            .ok_or_else(|| Error::internal("a generated column without an expression"))?;
        let expr = analyze::analyze_stored(self.trees, self.env, stored)?;
        Ok(self.trees.alloc(replace::over_range(self.trees, expr, RangeId(range))?)?)
    }

    /// The oldest transaction in progress; 0 for relations that have no rows with a writer.
    fn frozen_before(
        &self,
        relation: &Relation,
        column: &Column,
        range: u32,
    ) -> Result<&'q Expr<'q>> {
        let call = |function, args, ty| {
            let (variadic, returns_set, form) = (false, false, FunctionForm::Call);
            let kind = ExprKind::Function { function, args, variadic, returns_set, form };
            self.tree(kind, Type::plain(Oid(ty)))
        };
        let snapshot = call(CURRENT_SNAPSHOT, &[], oids::PG_SNAPSHOT)?;
        let oldest = call(SNAPSHOT_XMIN, std::slice::from_ref(snapshot), oids::XID8)?;
        let ty = Type::plain(column.type_oid);
        let oldest = self.tree(ExprKind::Relabel { arg: oldest, form: CastForm::Implicit }, ty)?;
        if relation.oid != pg_class::RELATION {
            return Ok(oldest);
        }
        let kind = ExprKind::Column(ColumnUse {
            range: RangeId(range),
            attribute: pg_class::RELKIND,
            levels_up: 0,
            returning: ReturningRow::Default,
        });
        let char = Type::plain(Oid(oids::CHAR));
        let kind = Expr { kind, ty: char, at: None };
        let (operator, function) = CHAR_EQUAL;
        let arms = self.trees.try_alloc_slice(WITH_ROWS.iter().map(|letter| {
            let letter = Expr { kind: ExprKind::Const(Datum::Char(*letter)), ty: char, at: None };
            let args = self.trees.alloc_slice_copy(&[kind, letter])?;
            let equal = ExprKind::Operator { operator, function, args };
            let when = *self.tree(equal, Type::plain(Oid(oids::BOOL)))?;
            Ok(CaseArm { when, then: *oldest })
        }))?;
        let otherwise = Some(self.tree(ExprKind::Const(Datum::Int8(0)), ty)?);
        self.tree(ExprKind::Case { operand: None, arms, otherwise }, ty)
    }

    /// The expression behind a column of a range, if the column is computed.
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
            Some(column) if is_computed(&relation, column) => {
                self.virtual_expr(&relation, column, read_from).map(Some)
            }
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
        for column in relation.live_columns().filter(|column| is_computed(relation, column)) {
            if level.needed.borrow().contains(&(range, column.attribute)) {
                let expr = self.virtual_expr(relation, column, range)?;
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
            .filter(|column| is_computed(relation, column))
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
                let expr = self.virtual_expr(relation, column, range)?;
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
