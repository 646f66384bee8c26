//! How a table is read: all of it, or the range of an index.

use crate::compile::Compiler;
use crate::estimate;
use crate::needs::vars_of;
use crate::node::{Column, IndexBound, IndexKeys, NodeKind, ScanColumn, SortColumn};
use crate::planner::{Columns, Cond, Level, Planner, ROW_ID, Rel, Var};
use crate::virtual_column::is_virtual;
use analyze::tree::{Expr, ExprKind, Type};
use base::{Oid, Result};
use catalog::relation::{Index, Relation};
use catalog::rows::RelationKind;
use expr::Builder;
use std::sync::Arc;
use types::oids;

/// `pg_am.oid` of btree.
pub(crate) const BTREE: Oid = Oid(403);

/// A condition of the form `column op value`, the value free of the scanned table.
struct Sargable<'q> {
    cond: usize,
    attribute: i16,
    operator: Oid,
    value: &'q Expr<'q>,
}

/// The bounds that an index gives.
#[derive(Default)]
struct Match<'q> {
    equal: Vec<&'q Expr<'q>>,
    lower: Option<(&'q Expr<'q>, bool)>,
    upper: Option<(&'q Expr<'q>, bool)>,
    used: Vec<usize>,
    selectivity: f64,
    unique: bool,
}

fn strip<'x, 'q>(mut expr: &'x Expr<'q>) -> &'x Expr<'q> {
    while let ExprKind::Relabel { arg, .. } = expr.kind {
        expr = arg;
    }
    expr
}

/// Whether values of one type can be bounds of keys of another.
fn fits(key: Oid, value: Oid) -> bool {
    let integer = |oid: Oid| matches!(oid.0, oids::INT2 | oids::INT4 | oids::INT8);
    let text = |oid: Oid| matches!(oid.0, oids::TEXT | oids::VARCHAR);
    key == value || (integer(key) && integer(value)) || (text(key) && text(value))
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// Reads a table under conditions that see only it (and parameters). `extra` conditions see
    /// other tables of the level too, by parameters.
    pub(crate) fn scan(
        &self,
        level: &Level<'_, 'q>,
        range: u32,
        oid: Oid,
        lock_mode: u8,
        conds: &[Cond<'_, 'q>],
    ) -> Result<Rel<'q, 'p>> {
        let (number, relation) = self.relation(oid, lock_mode)?;
        if relation.kind == RelationKind::Sequence {
            return self.sequence_scan(level, range, &relation, conds);
        }
        self.need_virtual(level, range, &relation)?;
        let (columns, scan_columns, out) = self.scan_columns(level, range, &relation)?;
        let all_rows = self.env.relation_rows(&relation).max(1.0);
        let sargable = self.sargable(level, range, conds)?;
        let best = self.best_index(&relation, &sargable, all_rows)?;
        let mut selectivity = 1.0;
        for cond in conds {
            selectivity *= estimate::selectivity(self, level, cond, all_rows);
        }
        let pages = (all_rows * 100.0 / 8192.0).ceil();
        let mut rows = (all_rows * selectivity).max(1.0);
        let ((kind, cost), reads) = self.collecting(|| match &best {
            Some((index, found)) => {
                if found.unique {
                    rows = 1.0;
                }
                let filters = self.filters(level, &columns, conds, &found.used)?;
                let hits = (all_rows * found.selectivity).max(1.0);
                let kind = NodeKind::IndexScan {
                    relation: number,
                    index: self.index(index),
                    keys: self.index_keys(&relation, index)?,
                    lower: self.bound(level, found, found.lower)?,
                    upper: self.bound(level, found, found.upper)?,
                    backward: false,
                    columns: self.bump.alloc_slice_copy(&scan_columns)?,
                    filters,
                    recheck: self.filters(level, &columns, conds, &[])?,
                    whole: None,
                };
                Ok((kind, 0.3 + hits * 0.03 + all_rows.log2().max(0.0) * 0.0025))
            }
            None => {
                let filters = self.filters(level, &columns, conds, &[])?;
                let kind = NodeKind::SeqScan {
                    relation: number,
                    columns: self.bump.alloc_slice_copy(&scan_columns)?,
                    filters,
                };
                Ok((kind, pages + all_rows * (0.01 + 0.0025 * conds.len() as f64)))
            }
        })?;
        let node = self.node(kind, &out, (rows, 0.0, cost), &reads)?;
        self.note_range(node, level, range);
        if let Some((_, found)) = &best {
            self.note_index(node, conds, &found.used);
        }
        let rel = Rel { node, columns, unique: unique_sets(level, range, &relation) };
        self.with_virtual(level, range, &relation, rel)
    }

    fn index_keys(&self, relation: &Relation, index: &Index) -> Result<IndexKeys<'p>> {
        let mut columns = Vec::new();
        for (at, key) in index.keys.iter().enumerate() {
            columns.push(SortColumn {
                column: at as u16,
                type_oid: self.compare_type(key.type_oid)?,
                descending: key.descending,
                nulls_first: key.nulls_first,
            });
        }
        let columns = self.bump.alloc_slice_copy(&columns)?;
        if index.keys.iter().all(|key| key.expression.is_none()) {
            return Ok(IndexKeys { columns, expressions: None });
        }
        let level = self.stored_level(relation)?;
        let mut exprs: Vec<&'q Expr<'q>> = Vec::new();
        for key in &index.keys {
            exprs.push(match &key.expression {
                Some(stored) => analyze::analyze_stored(self.trees, self.env, stored)?,
                None => self.attribute(relation, key.attribute)?,
            });
        }
        let (mut inputs, mut attributes) = (Columns::default(), Vec::new());
        for expr in &exprs {
            vars_of(&level, &level, expr, &mut |var| {
                if inputs.var(var).is_none() {
                    inputs.vars.push((var, attributes.len() as u16));
                    attributes.push(var.attribute);
                }
            });
        }
        let program = self.program(&level, &inputs, exprs)?;
        let attributes = self.bump.alloc_slice_copy(&attributes)?;
        Ok(IndexKeys { columns, expressions: Some((attributes, program)) })
    }

    /// Whether an index makes a table cheap to look up by some conditions: its expected rows.
    pub(crate) fn lookup_rows(
        &self,
        level: &Level<'_, 'q>,
        range: u32,
        relation: &Relation,
        conds: &[Cond<'_, 'q>],
    ) -> Result<Option<f64>> {
        let rows = self.env.relation_rows(relation).max(1.0);
        let sargable = self.sargable(level, range, conds)?;
        let best = self.best_index(relation, &sargable, rows)?;
        Ok(best
            .filter(|(_, found)| !found.equal.is_empty())
            .map(|(_, found)| if found.unique { 1.0 } else { (rows * found.selectivity).max(1.0) }))
    }

    pub(crate) fn scan_columns(
        &self,
        level: &Level<'_, 'q>,
        range: u32,
        relation: &Relation,
    ) -> Result<(Columns<'q>, Vec<ScanColumn>, Vec<Column>)> {
        let (mut columns, mut scan, mut out) = (Columns::default(), Vec::new(), Vec::new());
        let needed: Vec<i16> = {
            let needed = level.needed.borrow();
            needed.range((range, i16::MIN)..=(range, i16::MAX)).map(|n| n.1).collect()
        };
        for attribute in needed {
            if relation.column_at(attribute).is_some_and(is_virtual) {
                continue;
            }
            let ty = match relation.column_at(attribute) {
                Some(column) if attribute > 0 => Type {
                    oid: column.type_oid,
                    typmod: column.typmod,
                    collation: column.collation,
                },
                _ => system_type(attribute),
            };
            columns.vars.push((level.var(range, attribute), scan.len() as u16));
            scan.push(match attribute {
                ROW_ID => ScanColumn::RowId,
                attribute if attribute > 0 => ScanColumn::Attribute(attribute),
                attribute => ScanColumn::System(attribute),
            });
            out.push(self.column(ty)?);
        }
        Ok((columns, scan, out))
    }

    pub(crate) fn filters(
        &self,
        level: &Level<'_, 'q>,
        columns: &Columns<'q>,
        conds: &[Cond<'_, 'q>],
        used: &[usize],
    ) -> Result<&'p [expr::Program<'p>]> {
        let mut order: Vec<usize> = (0..conds.len()).filter(|i| !used.contains(i)).collect();
        // Cheap conditions first; equals keep their order (engine rule 4).
        order.sort_by_key(|i| estimate::is_expensive(conds[*i].expr));
        let _ = level;
        Ok(self.bump.try_alloc_slice(
            order.into_iter().map(|i| self.program(conds[i].level, columns, [conds[i].expr])),
        )?)
    }

    fn sargable(
        &self,
        level: &Level<'_, 'q>,
        range: u32,
        conds: &[Cond<'_, 'q>],
    ) -> Result<Vec<Sargable<'q>>> {
        let mut found = Vec::new();
        for (i, cond) in conds.iter().enumerate() {
            if cond.level.id != level.id {
                continue;
            }
            let ExprKind::Operator { operator, args: [a, b], .. } = cond.expr.kind else {
                continue;
            };
            let free = |expr: &Expr<'q>| {
                let mut free = true;
                vars_of(level, level, expr, &mut |var| free &= var.range != range);
                free && !estimate::has_subquery(expr) && !self.is_volatile(expr).unwrap_or(true)
            };
            let column = |expr: &Expr<'q>| match strip(expr).kind {
                ExprKind::Column(column)
                    if column.range.0 == range && column.levels_up == 0 && column.attribute > 0 =>
                {
                    Some(column.attribute)
                }
                _ => None,
            };
            if let Some(attribute) = column(a)
                && free(b)
            {
                found.push(Sargable { cond: i, attribute, operator, value: b });
            }
            if let Some(attribute) = column(b)
                && free(a)
            {
                let commutator = self.catalog().operator(operator)?.commutator;
                if commutator.is_valid() {
                    found.push(Sargable { cond: i, attribute, operator: commutator, value: a });
                }
            }
        }
        Ok(found)
    }

    fn best_index(
        &self,
        relation: &Relation,
        sargable: &[Sargable<'q>],
        rows: f64,
    ) -> Result<Option<(Arc<Index>, Match<'q>)>> {
        let mut best: Option<(Arc<Index>, Match<'q>)> = None;
        for index in &relation.indexes {
            if !index.valid || index.method != BTREE || index.predicate.is_some() {
                continue;
            }
            let found = self.matches(index, sargable, rows)?;
            let useful = !found.used.is_empty() && (found.unique || found.selectivity < 0.3);
            let better = best.as_ref().is_none_or(|(_, other)| {
                (found.unique, -found.selectivity) > (other.unique, -other.selectivity)
            });
            if useful && better {
                best = Some((index.clone(), found));
            }
        }
        Ok(best)
    }

    fn matches(&self, index: &Index, sargable: &[Sargable<'q>], rows: f64) -> Result<Match<'q>> {
        let mut found = Match { selectivity: 1.0, ..Match::default() };
        for key in &index.keys {
            let family = self.catalog().opclass(key.class)?.family;
            let key_type = self.compare_type(key.type_oid)?;
            let mut equal = None;
            for condition in sargable.iter().filter(|s| s.attribute == key.attribute) {
                if key.attribute == 0 || !fits(key_type, self.compare_type(condition.value.ty.oid)?)
                {
                    continue;
                }
                let families = self.catalog().operator_families(condition.operator)?;
                let Some(member) = families.iter().find(|m| m.family == family) else { continue };
                // In a descending key what is greater comes first.
                let strategy = match (member.strategy, key.descending) {
                    (strategy, false) => strategy,
                    (strategy, true) => 6 - strategy,
                };
                match strategy {
                    3 if equal.is_none() => equal = Some((condition.value, condition.cond)),
                    1 | 2 if found.upper.is_none() => {
                        found.upper = Some((condition.value, strategy == 2));
                        found.used.push(condition.cond);
                        found.selectivity *= 0.33;
                    }
                    4 | 5 if found.lower.is_none() => {
                        found.lower = Some((condition.value, strategy == 4));
                        found.used.push(condition.cond);
                        found.selectivity *= 0.33;
                    }
                    _ => {}
                }
            }
            let Some((value, cond)) = equal else { break };
            // Equality makes range conditions on the same column superfluous as bounds.
            if found.lower.take().is_some() | found.upper.take().is_some() {
                found.used.retain(|used| found_equal(&found.equal, sargable, *used));
            }
            found.equal.push(value);
            found.used.push(cond);
            found.selectivity *= 1.0 / rows.powf(1.0 / index.keys.len() as f64).max(1.0);
        }
        if !found.equal.is_empty() && found.equal.len() == index.keys.len() && index.unique {
            found.unique = true;
            found.selectivity = 1.0 / rows;
        }
        Ok(found)
    }

    fn bound(
        &self,
        level: &Level<'_, 'q>,
        found: &Match<'q>,
        last: Option<(&'q Expr<'q>, bool)>,
    ) -> Result<Option<IndexBound<'p>>> {
        let values: Vec<&Expr<'q>> =
            found.equal.iter().copied().chain(last.map(|(value, _)| value)).collect();
        if values.is_empty() {
            return Ok(None);
        }
        let none = Columns::default();
        let mut compiler = Compiler::new(Builder::new(self.bump), &none);
        let mut results = Vec::new();
        for value in &values {
            results.push(self.expr(&mut compiler, level, value)?);
        }
        let program = compiler.builder.finish(&results)?;
        let inclusive = last.is_none_or(|(_, inclusive)| inclusive);
        Ok(Some(IndexBound { program, columns: values.len() as u16, inclusive }))
    }
}

/// Whether a used condition is one of the equalities.
fn found_equal(equal: &[&Expr<'_>], sargable: &[Sargable<'_>], cond: usize) -> bool {
    sargable
        .iter()
        .any(|s| s.cond == cond && equal.iter().any(|value| std::ptr::eq(*value, s.value)))
}

/// The type of a system column, or of the hidden row id.
pub(crate) fn system_type(attribute: i16) -> Type {
    Type::plain(Oid(match attribute {
        -1 => oids::TID,
        -2 | -4 => oids::XID,
        -3 | -5 => oids::CID,
        -6 => oids::OID,
        _ => oids::INT8,
    }))
}

fn unique_sets(level: &Level<'_, '_>, range: u32, relation: &Relation) -> Vec<Vec<Var>> {
    relation
        .indexes
        .iter()
        .filter(|index| index.unique && index.valid && index.predicate.is_none())
        .filter(|index| index.keys.iter().all(|key| key.attribute > 0))
        .map(|index| index.keys.iter().map(|key| level.var(range, key.attribute)).collect())
        .collect()
}
