//! Sets among the targets.
//!
//! # How it works
//! Sets whose arguments hold no other set are computed side by side by one node, a row for each of
//! the longest one's; sets over them by the next node, and so on; expressions come last. So sets
//! within expressions go on in step with those beside them. Equal calls are computed once where
//! there is more than one node. Sets that rows are grouped by, or ordered by for windows, are
//! computed before that.

use crate::calls::is_set_call;
use crate::node::{Column, Node, NodeKind};
use crate::planner::{Columns, Level, Planner, Rel};
use crate::same::same;
use analyze::tree::{Expr, Target};
use analyze::walk;
use base::Result;
use expr::Builder;

/// Whether an expression is a column already.
fn is_known<'q>(columns: &Columns<'q>, expr: &Expr<'q>) -> bool {
    columns.exprs.iter().any(|(other, _)| same(other, expr))
}

/// Collects the set calls of an expression that are no columns yet and hold no others of that kind;
/// each once. The answer is whether there is any set call that is no column yet.
fn innermost<'q>(columns: &Columns<'q>, expr: &'q Expr<'q>, out: &mut Vec<&'q Expr<'q>>) -> bool {
    if is_known(columns, expr) {
        return false;
    }
    let mut inside = false;
    walk::children(expr, &mut |child| inside |= innermost(columns, child, out));
    if !is_set_call(expr) {
        return inside;
    }
    if !inside && !out.iter().any(|other| same(other, expr)) {
        out.push(expr);
    }
    true
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// Targets of which some hold sets.
    pub(crate) fn target_sets(
        &self,
        level: &Level<'_, 'q>,
        rel: &Rel<'q, 'p>,
        targets: &'q [Target<'q>],
    ) -> Result<&'p Node<'p>> {
        let mut out = Vec::new();
        for target in targets {
            out.push(self.column(target.expr.ty)?);
        }
        let mut rel = rel.clone();
        loop {
            let (mut calls, mut nested) = (Vec::new(), false);
            for target in targets {
                let any = innermost(&rel.columns, &target.expr, &mut calls);
                nested |= any && !calls.iter().any(|call| same(call, &target.expr));
            }
            // Volatile expressions beside sets have a value for each row, not for each input row.
            for target in if calls.is_empty() { &[][..] } else { targets } {
                nested |=
                    !is_known(&rel.columns, &target.expr) && self.is_volatile(&target.expr)?;
            }
            if !nested {
                return self.target_sets_flat(level, &rel, targets, &out);
            }
            rel = self.with_sets(level, &rel, &calls)?;
        }
    }

    /// A relation with more columns: all sets of expressions that nodes below the targets need.
    pub(crate) fn sets_below(
        &self,
        level: &Level<'_, 'q>,
        mut rel: Rel<'q, 'p>,
        exprs: &[&'q Expr<'q>],
    ) -> Result<Rel<'q, 'p>> {
        if !level.query.has_target_sets {
            return Ok(rel);
        }
        loop {
            let mut calls = Vec::new();
            for expr in exprs {
                innermost(&rel.columns, expr, &mut calls);
            }
            if calls.is_empty() {
                return Ok(rel);
            }
            rel = self.with_sets(level, &rel, &calls)?;
        }
    }

    /// A relation with more columns: the values of sets side by side.
    fn with_sets(
        &self,
        level: &Level<'_, 'q>,
        rel: &Rel<'q, 'p>,
        calls: &[&'q Expr<'q>],
    ) -> Result<Rel<'q, 'p>> {
        let mut columns = rel.columns.clone();
        let (kind, mut reads) = self.collecting(|| {
            let mut builder = Builder::new(self.bump);
            let mut registers = Vec::new();
            for i in 0..rel.width() {
                registers.push(builder.input(i)?);
            }
            let null = builder.constant(&types::Datum::Null)?;
            registers.extend(calls.iter().map(|_| null));
            let program = builder.finish(&registers)?;
            let mut sets = vec![None; usize::from(rel.width())];
            for (i, expr) in calls.iter().enumerate() {
                sets.push(Some(self.target_set(level, &rel.columns, expr)?));
                columns.exprs.push((expr, rel.width() + i as u16));
            }
            let sets = self.bump.alloc_slice_copy(&sets)?;
            Ok(NodeKind::ProjectSet { input: rel.node, program, sets })
        })?;
        reads.extend(rel.node.reads);
        let mut below = rel.node.columns.to_vec();
        for expr in calls {
            below.push(self.column(expr.ty)?);
        }
        let cost = (rel.rows() * 10.0, 0.0, rel.node.total_cost + rel.rows());
        let node = self.node(kind, &below, cost, &reads)?;
        Ok(Rel { node, columns, unique: Vec::new() })
    }

    fn target_sets_flat(
        &self,
        level: &Level<'_, 'q>,
        rel: &Rel<'q, 'p>,
        targets: &'q [Target<'q>],
        out: &[Column],
    ) -> Result<&'p Node<'p>> {
        let (kind, mut reads) = self.collecting(|| {
            let mut c = crate::compile::Compiler::new(Builder::new(self.bump), &rel.columns);
            let (mut registers, mut sets) = (Vec::new(), Vec::new());
            for target in targets {
                if is_set_call(&target.expr) && !is_known(&rel.columns, &target.expr) {
                    registers.push(c.builder.constant(&types::Datum::Null)?);
                    let call = self.target_set(level, &rel.columns, &target.expr)?;
                    sets.push(Some(call));
                } else {
                    registers.push(self.expr(&mut c, level, &target.expr)?);
                    sets.push(None);
                }
            }
            let program = c.builder.finish(&registers)?;
            let noted = targets.iter().map(|target| Some((&target.expr, level.id)));
            self.note_program(&program, 0, noted);
            if sets.iter().all(Option::is_none) {
                return Ok(NodeKind::Project { input: rel.node, program });
            }
            let sets = self.bump.alloc_slice_copy(&sets)?;
            Ok(NodeKind::ProjectSet { input: rel.node, program, sets })
        })?;
        reads.extend(rel.node.reads);
        let cost = (rel.rows() * 10.0, 0.0, rel.node.total_cost + rel.rows());
        self.node(kind, out, cost, &reads)
    }
}
