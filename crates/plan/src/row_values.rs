//! Values computed for all rows of a table: index keys, new columns, checks of what is there.

use crate::compile::Compiler;
use crate::node::{Descriptions, NodeKind, Plan, ScanColumn};
use crate::planner::{Cond, Environment, Planner, ROW_ID, State};
use analyze::tree::Expr;
use base::{Error, Result};
use catalog::relation::Relation;
use catalog::rows::Stored;
use expr::Builder;
use memory::Bump;
use std::cell::RefCell;
use std::sync::Arc;

/// The attribute number of `xmin`.
const XMIN: i16 = -2;

/// What is computed of a row.
#[derive(Clone, Copy, Debug)]
pub enum RowValue<'a> {
    /// A column.
    Attribute(i16),
    /// A stored expression over the table.
    Stored(&'a Stored),
}

/// A plan that yields for each row of a table, in row-id order: its row id, the stamp of the
/// version that is seen, and `values`; with a filter only for the rows that it is true of. The
/// table is `relation` as it is given, whatever the catalogs say of it.
///
/// # Errors
/// XX001 for a damaged expression; those of folding constants; 53200.
pub fn row_values<'p>(
    bump: &'p Bump,
    trees: &Bump,
    environment: &dyn Environment,
    relation: &Arc<Relation>,
    values: &[RowValue<'_>],
    filter: Option<&Stored>,
) -> Result<(Plan<'p>, Descriptions)> {
    let state = State {
        relations: vec![crate::RelationUse { oid: relation.oid, lock_mode: 1 }],
        descriptions: Descriptions { relations: vec![relation.clone()], indexes: Vec::new() },
        ..State::default()
    };
    let planner = Planner { state: RefCell::new(state), ..Planner::new(environment, trees, bump) };
    let plan = planner.row_values(relation, values, filter)?;
    Ok((plan, planner.state.into_inner().descriptions))
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    fn row_values(
        &self,
        relation: &Relation,
        values: &[RowValue<'_>],
        filter: Option<&Stored>,
    ) -> Result<Plan<'p>> {
        let level = self.stored_level(relation)?;
        let stored = |stored: &Stored| analyze::analyze_stored(self.trees, self.env, stored);
        let mut exprs: Vec<&'q Expr<'q>> = Vec::new();
        for value in values {
            exprs.push(match value {
                RowValue::Attribute(attribute) => self.attribute(relation, *attribute)?,
                RowValue::Stored(expression) => stored(expression)?,
            });
        }
        let filter = filter.map(stored).transpose()?;
        level.needed.borrow_mut().extend([(0, ROW_ID), (0, XMIN)]);
        for expr in exprs.iter().copied().chain(filter) {
            crate::needs::vars_of(&level, &level, expr, &mut |var| {
                level.needed.borrow_mut().insert((var.range, var.attribute));
            });
        }
        let (columns, scanned, out) = self.scan_columns(&level, 0, relation)?;
        let conds: Vec<Cond<'_, 'q>> =
            filter.map(|expr| Cond { expr, level: &level }).into_iter().collect();
        let ((scan, program, types), reads) = self.collecting(|| {
            let scan = NodeKind::SeqScan {
                relation: 0,
                columns: self.bump.alloc_slice_copy::<ScanColumn>(&scanned)?,
                filters: self.filters(&level, &columns, &conds, &[])?,
            };
            let mut compiler = Compiler::new(Builder::new(self.bump), &columns);
            let (mut results, mut types) = (Vec::new(), Vec::new());
            for attribute in [ROW_ID, XMIN] {
                let column = columns
                    .var(level.var(0, attribute))
                    .ok_or_else(|| Error::internal("a scan without its row ids"))?;
                results.push(compiler.builder.input(column)?);
                types.push(out[usize::from(column)]);
            }
            for expr in &exprs {
                results.push(self.expr(&mut compiler, &level, expr)?);
                types.push(self.column(expr.ty)?);
            }
            Ok((scan, compiler.builder.finish(&results)?, types))
        })?;
        let input = self.node(scan, &out, (1.0, 0.0, 0.0), &reads)?;
        let root =
            self.node(NodeKind::Project { input, program }, &types, (1.0, 0.0, 0.0), &reads)?;
        self.finish(root, level.query)
    }
}
