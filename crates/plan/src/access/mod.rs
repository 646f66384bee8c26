//! How a table is read: all of it, or ranges of an index.
//!
//! # How it works
//! Conditions that compare a column or an expression with something that does not depend on the
//! table's rows are taken apart once ([`clauses`]). Each index is then asked what its columns are
//! equal to, which range the next column has, and whether its order is the one that is wanted
//! ([`paths`]); the cheapest way is taken. Conditions of joins take part when the table is looked up
//! for each row of the other side: then columns of that side are parameters.
//!
//! # Rules
//! 1. A partial index serves only if the conditions imply its predicate. What the predicate implies
//!    is still tried on each row, because an entry that is not settled may be of a row version that
//!    the predicate leaves out; EXPLAIN does not show it.
//! 2. A unique index whose columns are all equal to something is always taken.
//! 3. NULL is in a range only for IS NULL.
//! 4. Equality and order by an index need the collation of its key.
//!
//! # Limits
//! Only the columns up to the first one without equality bound a range; conditions on later columns
//! are tried on the rows. Lists (IN, ANY) need equality.

mod clauses;
mod paths;

pub(crate) use clauses::{like_prefix, regex_prefix};
pub(crate) use paths::same_key;

use crate::compile::Compiler;
use crate::cost::Cost;
use crate::needs::vars_of;
use crate::node::{Column, IndexBound, IndexKeys, Node, NodeKind, ScanColumn, SortColumn};
use crate::planner::{Columns, Cond, Level, OrderKey, Planner, ROW_ID, Rel, Var};
use crate::virtual_column::is_computed;
use analyze::tree::{Expr, Type};
use base::{Oid, Result};
use catalog::relation::{Index, Relation};
use catalog::rows::RelationKind;
use expr::Builder;
use paths::{Asked, End, Equal, IndexPath};
use types::oids;

/// `pg_am.oid` of btree.
pub(crate) const BTREE: Oid = Oid(403);

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
        let (all_rows, pages) = self.env.relation_size(&relation);
        let all_rows = all_rows.max(1.0);
        let clauses = self.clauses(level, range, conds)?;
        let wanted = self.wanted_order(level, range);
        let asked = Asked {
            level,
            range,
            relation: &relation,
            conds,
            clauses: &clauses,
            rows: all_rows,
            pages,
            wanted: &wanted,
            loops: 1.0,
        };
        let paths = self.index_paths(&asked)?;
        let unique = paths.iter().any(|path| path.unique);
        let rows = match unique {
            true => 1.0,
            false => (all_rows * self.selectivity(level, conds)).round().max(1.0),
        };
        self.state.borrow_mut().scan_rows.insert((level.id, range), rows);
        let best = self.best_path(&asked, paths, rows);
        let ((kind, cost), reads) = self.collecting(|| match &best {
            Some(path) => {
                let scan_columns = &*self.bump.alloc_slice_copy(&scan_columns)?;
                let mut kind = self.index_scan(&asked, path, number, &columns, scan_columns)?;
                if let NodeKind::IndexScan { whole, .. } = &mut kind
                    && !path.order.is_empty()
                {
                    *whole =
                        Some(self.sorted_table(&asked, number, &columns, scan_columns, &out)?);
                }
                Ok((kind, path.cost))
            }
            None => {
                let filters = self.filters(level, &columns, conds, &[])?;
                let kind = NodeKind::SeqScan {
                    relation: number,
                    columns: self.bump.alloc_slice_copy(&scan_columns)?,
                    filters,
                };
                Ok((kind, self.costs.seq_scan(all_rows, pages, conds.len() as f64)))
            }
        })?;
        let node = self.node(kind, &out, (rows, cost.startup, cost.total), &reads)?;
        self.note_range(node, level, range);
        if cost.disabled > 0 {
            self.note_disabled(node);
        }
        if let Some(path) = &best {
            self.note_index(node, level, &path.shown);
            if !path.order.is_empty() {
                self.state.borrow_mut().orders.insert(node.id, wanted);
            }
        }
        let rel = Rel { node, columns, unique: unique_sets(level, range, &relation) };
        self.with_virtual(level, range, &relation, rel)
    }

    /// The best way by an index, if it is better than reading all of the table.
    fn best_path(
        &self,
        asked: &Asked<'_, '_, 'q>,
        paths: Vec<IndexPath<'q>>,
        rows: f64,
    ) -> Option<IndexPath<'q>> {
        let limit = asked.level.limit.get();
        let all = self.costs.seq_scan(asked.rows, asked.pages, asked.conds.len() as f64);
        // What is not in the wanted order has to be sorted.
        let whole = |cost: Cost, ordered: bool| match (asked.wanted.is_empty(), ordered) {
            (true, _) => cost,
            (false, true) => cost.of_part(limit.map_or(1.0, |limit| limit / rows.max(1.0))),
            (false, false) => self.costs.sort(cost, rows, 50.0, limit),
        };
        let mut best: (Cost, Option<IndexPath<'q>>) = (whole(all, false), None);
        for path in paths {
            if path.unique && path.cost.disabled == 0 {
                return Some(path);
            }
            let cost = whole(path.cost, !path.order.is_empty());
            if cost < best.0 {
                best = (cost, Some(path));
            }
        }
        best.1
    }

    /// What a scan in the order of an index yields, without the index.
    fn sorted_table(
        &self,
        asked: &Asked<'_, '_, 'q>,
        relation: u16,
        columns: &Columns<'q>,
        scan_columns: &'p [ScanColumn],
        out: &[Column],
    ) -> Result<&'p Node<'p>> {
        let filters = self.filters(asked.level, columns, asked.conds, &[])?;
        let kind = NodeKind::SeqScan { relation, columns: scan_columns, filters };
        let cost = (asked.rows, 0.0, asked.pages);
        let node = self.node(kind, out, cost, &Default::default())?;
        let rel = Rel { node, columns: columns.clone(), unique: Vec::new() };
        let exprs: Vec<&'q Expr<'q>> = asked.wanted.iter().map(|key| key.expr).collect();
        let (rel, places) = self.extend(asked.level, rel, &exprs)?;
        let mut keys = Vec::new();
        for (key, column) in asked.wanted.iter().zip(places) {
            keys.push(SortColumn {
                column,
                type_oid: self.compare_type(key.expr.ty.oid)?,
                descending: key.descending,
                nulls_first: key.nulls_first,
            });
        }
        let sorted = self.sort(rel.node, &keys, None)?;
        let all: Vec<u16> = (0..out.len() as u16).collect();
        self.only(sorted, &all)
    }

    fn index_scan(
        &self,
        asked: &Asked<'_, '_, 'q>,
        path: &IndexPath<'q>,
        relation: u16,
        columns: &Columns<'q>,
        scan_columns: &'p [ScanColumn],
    ) -> Result<NodeKind<'p>> {
        let (level, conds) = (asked.level, asked.conds);
        let used: Vec<usize> =
            path.used.iter().copied().filter(|at| !path.hidden.contains(at)).collect();
        let mut seen = used.clone();
        seen.extend(&path.hidden);
        let shown = self.filters(level, columns, conds, &seen)?;
        let mut filters = shown.to_vec();
        for at in &path.hidden {
            filters.push(self.unnoted(|| self.program(level, columns, [conds[*at].expr]))?);
        }
        let not_null = path.not_null && path.lower.is_none() && path.upper.is_none();
        let nulls_first = path.index.keys.get(path.equal.len()).is_some_and(|key| key.nulls_first);
        Ok(NodeKind::IndexScan {
            relation,
            index: self.index(&path.index),
            keys: self.index_keys(asked.relation, &path.index)?,
            lower: self.bound(level, path, path.lower.as_ref(), not_null && nulls_first)?,
            upper: self.bound(level, path, path.upper.as_ref(), not_null && !nulls_first)?,
            backward: path.backward,
            columns: scan_columns,
            filters: self.bump.alloc_slice_copy(&filters)?,
            recheck: self.filters(level, columns, conds, &[])?,
            whole: None,
        })
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

    /// What it costs to look a table up by an index for each of `loops` rows: the rows found each
    /// time, and the cost of one time. Nothing if no index is equal to something.
    pub(crate) fn lookup(
        &self,
        level: &Level<'_, 'q>,
        range: u32,
        relation: &Relation,
        conds: &[Cond<'_, 'q>],
        loops: f64,
    ) -> Result<Option<(f64, Cost)>> {
        let (rows, pages) = self.env.relation_size(relation);
        let rows = rows.max(1.0);
        let clauses = self.clauses(level, range, conds)?;
        let asked = Asked {
            level,
            range,
            relation,
            conds,
            clauses: &clauses,
            rows,
            pages,
            wanted: &[],
            loops,
        };
        let mut best: Option<(f64, Cost)> = None;
        for path in self.index_paths(&asked)? {
            if path.equal.is_empty() {
                continue;
            }
            let found = match path.unique {
                true => 1.0,
                false => (rows * self.selectivity(level, conds)).max(1.0),
            };
            if best.is_none_or(|(_, cost)| path.cost < cost) {
                best = Some((found, path.cost));
            }
        }
        Ok(best)
    }

    /// The order in which a query wants the rows of a range, if it is the range's to give.
    fn wanted_order(&self, level: &Level<'_, 'q>, range: u32) -> Vec<OrderKey<'q>> {
        let wanted = level.wanted.borrow();
        let all = wanted.iter().all(|key| {
            let mut own = true;
            vars_of(level, level, key.expr, &mut |var| own &= var.range == range);
            own
        });
        if all { wanted.clone() } else { Vec::new() }
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
            if relation.column_at(attribute).is_some_and(|column| is_computed(relation, column)) {
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
        let _ = level;
        if order.len() > 1 {
            // Cheap conditions first; of equal ones equalities last, else they keep their order.
            let mut costs = Vec::with_capacity(conds.len());
            for cond in conds {
                costs.push((self.condition_cost(cond.expr)?, self.is_equality(cond.expr)?));
            }
            order.sort_by(|a, b| {
                let ((a, a_last), (b, b_last)) = (costs[*a], costs[*b]);
                a.total_cmp(&b).then(a_last.cmp(&b_last))
            });
        }
        Ok(self.bump.try_alloc_slice(
            order.into_iter().map(|i| self.program(conds[i].level, columns, [conds[i].expr])),
        )?)
    }

    fn bound(
        &self,
        level: &Level<'_, 'q>,
        path: &IndexPath<'q>,
        end: Option<&End<'q>>,
        not_null: bool,
    ) -> Result<Option<IndexBound<'p>>> {
        let last = end.map_or(&[][..], |end| &end.values);
        if path.equal.is_empty() && last.is_empty() && !not_null {
            return Ok(None);
        }
        let none = Columns::default();
        let mut compiler = Compiler::new(Builder::new(self.bump), &none);
        let (mut results, mut nulls, mut lists) = (Vec::new(), 0u32, 0u32);
        for (at, equal) in path.equal.iter().enumerate() {
            results.push(match equal {
                Equal::Value(value) => self.expr(&mut compiler, level, value)?,
                Equal::List(value) => {
                    lists |= 1 << at;
                    self.expr(&mut compiler, level, value)?
                }
                Equal::Null => {
                    nulls |= 1 << at;
                    compiler.builder.constant(&types::Datum::Null)?
                }
            });
        }
        for value in last {
            results.push(self.expr(&mut compiler, level, value)?);
        }
        let program = compiler.builder.finish(&results)?;
        Ok(Some(IndexBound {
            program,
            columns: results.len() as u16,
            equal: path.equal.len() as u16,
            inclusive: end.is_none_or(|end| end.inclusive),
            nulls,
            lists,
            not_null,
        }))
    }
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
        .filter(|index| index.unique && index.immediate && index.valid && index.predicate.is_none())
        .filter(|index| index.keys.iter().all(|key| key.attribute > 0))
        .map(|index| index.keys.iter().map(|key| level.var(range, key.attribute)).collect())
        .collect()
}
