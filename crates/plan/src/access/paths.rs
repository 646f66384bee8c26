//! What each index of a table could do for a query.

use super::BTREE;
use super::clauses::{Clause, Test, strip};
use crate::cost::{Cost, IndexWork};
use crate::from::conjuncts;
use crate::planner::{Cond, Level, OrderKey, Planner};
use crate::same::same;
use analyze::replace;
use analyze::tree::{Expr, ExprKind, RangeId, Type};
use base::{Oid, Result};
use catalog::relation::{Index, IndexKey, Relation};
use catalog::statistics::StatisticKind;
use std::sync::Arc;
use types::oids;

/// What one column of an index is equal to.
#[derive(Clone, Copy)]
pub(crate) enum Equal<'q> {
    Value(&'q Expr<'q>),
    List(&'q Expr<'q>),
    Null,
}

/// The end of a range: values of the columns behind the equal ones, and whether it belongs to it.
#[derive(Clone)]
pub(crate) struct End<'q> {
    pub(crate) values: Vec<&'q Expr<'q>>,
    pub(crate) inclusive: bool,
}

/// A way to read a table by an index.
#[derive(Clone)]
pub(crate) struct IndexPath<'q> {
    pub(crate) index: Arc<Index>,
    pub(crate) equal: Vec<Equal<'q>>,
    pub(crate) lower: Option<End<'q>>,
    pub(crate) upper: Option<End<'q>>,
    /// The column behind the equal ones is not NULL.
    pub(crate) not_null: bool,
    /// The conditions that the bounds see to.
    pub(crate) used: Vec<usize>,
    /// The conditions that the bounds come from: those and ones that are tried on rows as well.
    pub(crate) bounded: Vec<usize>,
    /// Conditions that are tried but that EXPLAIN does not show.
    pub(crate) hidden: Vec<usize>,
    /// The bounds as EXPLAIN shows them.
    pub(crate) shown: Vec<&'q Expr<'q>>,
    /// At most one row is found.
    pub(crate) unique: bool,
    pub(crate) backward: bool,
    /// The order of the rows.
    pub(crate) order: Vec<OrderKey<'q>>,
    pub(crate) cost: Cost,
}

/// What an index is asked for.
pub(crate) struct Asked<'x, 'a, 'q> {
    pub(crate) level: &'x Level<'a, 'q>,
    pub(crate) range: u32,
    pub(crate) relation: &'x Relation,
    pub(crate) conds: &'x [Cond<'a, 'q>],
    pub(crate) clauses: &'x [Clause<'q>],
    /// Rows and pages of the table.
    pub(crate) rows: f64,
    pub(crate) pages: f64,
    pub(crate) wanted: &'x [OrderKey<'q>],
    pub(crate) loops: f64,
}

/// Whether values of one type can be bounds of keys of another.
fn fits(key: Oid, value: Oid) -> bool {
    let integer = |oid: Oid| matches!(oid.0, oids::INT2 | oids::INT4 | oids::INT8);
    let text = |oid: Oid| matches!(oid.0, oids::TEXT | oids::VARCHAR);
    key == value || (integer(key) && integer(value)) || (text(key) && text(value))
}

impl<'q> Planner<'_, 'q, '_> {
    /// The key of an index as an expression of a range's rows.
    pub(crate) fn key_expr(
        &self,
        relation: &Relation,
        range: u32,
        key: &IndexKey,
    ) -> Result<&'q Expr<'q>> {
        let expr = match &key.expression {
            Some(stored) => analyze::analyze_stored(self.trees, self.env, stored)?,
            None => self.attribute(relation, key.attribute)?,
        };
        Ok(self.trees.alloc(replace::over_range(self.trees, expr, RangeId(range))?)?)
    }

    /// Whether the conditions imply an index's predicate, and which of them the predicate implies;
    /// nothing if it may lack rows.
    fn implied_by_predicate(
        &self,
        asked: &Asked<'_, '_, 'q>,
        index: &Index,
    ) -> Result<Option<Vec<usize>>> {
        let Some(stored) = &index.predicate else { return Ok(Some(Vec::new())) };
        let own = |cond: &&Cond<'_, 'q>| cond.level.id == asked.level.id;
        let conditions: Vec<&'q Expr<'q>> =
            asked.conds.iter().filter(own).map(|cond| cond.expr).collect();
        if conditions.is_empty() {
            return Ok(None);
        }
        let predicate = analyze::analyze_stored(self.trees, self.env, stored)?;
        let predicate = replace::over_range(self.trees, predicate, RangeId(asked.range))?;
        let predicate: &'q Expr<'q> = self.trees.alloc(predicate)?;
        if !self.is_implied(predicate, &conditions)? {
            return Ok(None);
        }
        let mut parts = Vec::new();
        conjuncts(predicate, &mut parts);
        let mut hidden = Vec::new();
        for (i, cond) in asked.conds.iter().enumerate() {
            if cond.level.id == asked.level.id && self.is_implied(cond.expr, &parts)? {
                hidden.push(i);
            }
        }
        Ok(Some(hidden))
    }

    /// The ways in which the indexes of a table could serve.
    pub(crate) fn index_paths(&self, asked: &Asked<'_, '_, 'q>) -> Result<Vec<IndexPath<'q>>> {
        let mut paths = Vec::new();
        for index in &asked.relation.indexes {
            if !index.valid || index.method != BTREE {
                continue;
            }
            // Most indexes have nothing to do with most queries: look before anything is analysed.
            let plain = index.keys.first().is_none_or(|key| key.expression.is_none());
            let first = index.keys.first().map_or(0, |key| key.attribute);
            let touches = |expr: &Expr<'q>| {
                matches!(expr.kind, ExprKind::Column(column)
                    if column.attribute == first && column.range.0 == asked.range)
            };
            if plain
                && index.predicate.is_none()
                && !asked.clauses.iter().any(|clause| touches(clause.side))
                && !asked.wanted.first().is_some_and(|key| touches(strip(key.expr)))
            {
                continue;
            }
            let Some(hidden) = self.implied_by_predicate(asked, index)? else { continue };
            let mut path = self.index_path(asked, index, hidden)?;
            let serves = self.serves_order(asked, &mut path);
            if path.bounded.is_empty() && !serves && index.predicate.is_none() {
                continue;
            }
            path.cost = self.index_path_cost(asked, &path, serves);
            if !serves {
                path.order.clear();
            }
            paths.push(path);
        }
        Ok(paths)
    }

    fn index_path(
        &self,
        asked: &Asked<'_, '_, 'q>,
        index: &Arc<Index>,
        hidden: Vec<usize>,
    ) -> Result<IndexPath<'q>> {
        let mut path = IndexPath {
            index: index.clone(),
            hidden,
            equal: Vec::new(),
            lower: None,
            upper: None,
            not_null: false,
            used: Vec::new(),
            bounded: Vec::new(),
            shown: Vec::new(),
            unique: false,
            backward: false,
            order: Vec::new(),
            cost: Cost::default(),
        };
        let mut keys = Vec::new();
        for key in &index.keys {
            keys.push(self.key_expr(asked.relation, asked.range, key)?);
        }
        let mut at = 0;
        while at < keys.len().min(32)
            && self.equal_key(asked, &mut path, &index.keys[at], keys[at])?
        {
            at += 1;
        }
        if at < keys.len() {
            self.range_of_key(asked, &mut path, &index.keys[at..], &keys[at..])?;
        }
        for (key, expr) in index.keys.iter().zip(&keys) {
            path.order.push(OrderKey {
                expr,
                descending: key.descending,
                nulls_first: key.nulls_first,
            });
        }
        let values = path.equal.iter().all(|equal| matches!(equal, Equal::Value(_)));
        path.unique = index.unique && index.immediate && values && path.equal.len() == keys.len();
        Ok(path)
    }

    /// The clauses about a key of an index.
    fn about<'x>(
        &self,
        asked: &'x Asked<'_, '_, 'q>,
        key: &IndexKey,
        expr: &'q Expr<'q>,
        hidden: &[usize],
    ) -> Vec<&'x Clause<'q>> {
        let (attribute, range) = (key.attribute, asked.range);
        let expr = strip(expr);
        let is_about = |clause: &&Clause<'q>| match clause.side.kind {
            _ if hidden.contains(&clause.cond) => false,
            _ if key.collation.is_valid() && clause.collation != key.collation => false,
            ExprKind::Column(column) if attribute > 0 => {
                column.range.0 == range && column.levels_up == 0 && column.attribute == attribute
            }
            _ => attribute == 0 && same(clause.side, expr),
        };
        asked.clauses.iter().filter(is_about).collect()
    }

    /// The strategy of an operator in the family of a key, turned round for a descending key; none
    /// if values of that type are no keys.
    fn strategy(&self, key: &IndexKey, operator: Oid, value: Type) -> Result<Option<i16>> {
        let key_type = self.compare_type(key.type_oid)?;
        if !fits(key_type, self.compare_type(value.oid)?) {
            return Ok(None);
        }
        let family = self.catalog().opclass(key.class)?.family;
        let families = self.catalog().operator_families(operator)?;
        let found = families.iter().find(|member| member.family == family);
        // In a descending key what is greater comes first.
        let turned = |strategy: i16| if key.descending { 6 - strategy } else { strategy };
        Ok(found.map(|member| turned(member.strategy)))
    }

    /// Finds what a column of an index is equal to.
    fn equal_key(
        &self,
        asked: &Asked<'_, '_, 'q>,
        path: &mut IndexPath<'q>,
        key: &IndexKey,
        expr: &'q Expr<'q>,
    ) -> Result<bool> {
        let mut found: Option<(Equal<'q>, &Clause<'q>)> = None;
        for clause in self.about(asked, key, expr, &path.hidden) {
            let equal = match clause.test {
                Test::Compare { operator, value } => {
                    let strategy = self.strategy(key, operator, value.ty)?;
                    (strategy == Some(3)).then_some(Equal::Value(value))
                }
                Test::Any { operator, array } => {
                    let oid = self.element_type(array.ty.oid)?;
                    let strategy = self.strategy(key, operator, Type { oid, ..array.ty })?;
                    (strategy == Some(3)).then_some(Equal::List(array))
                }
                Test::Null => Some(Equal::Null),
                _ => None,
            };
            match (equal, &found) {
                (Some(equal), None) => found = Some((equal, clause)),
                (Some(equal @ Equal::Value(_)), Some((Equal::List(_), _))) => {
                    found = Some((equal, clause));
                }
                _ => {}
            }
        }
        let Some((equal, clause)) = found else { return Ok(false) };
        path.equal.push(equal);
        // A pattern without wildcards is tried on the rows as well.
        let whole = !matches!(asked.conds[clause.cond].expr.kind,
            ExprKind::Operator { operator, .. } if is_pattern(operator));
        if whole {
            path.used.push(clause.cond);
        }
        path.bounded.push(clause.cond);
        path.shown.push(clause.shown);
        Ok(true)
    }

    /// Finds the range of the columns behind the equal ones.
    fn range_of_key(
        &self,
        asked: &Asked<'_, '_, 'q>,
        path: &mut IndexPath<'q>,
        keys: &[IndexKey],
        exprs: &[&'q Expr<'q>],
    ) -> Result<()> {
        let (Some(key), Some(expr)) = (keys.first(), exprs.first()) else { return Ok(()) };
        for clause in self.about(asked, key, expr, &path.hidden) {
            match clause.test {
                Test::Compare { operator, value } => {
                    let strategy = self.strategy(key, operator, value.ty)?;
                    let end = |inclusive| End { values: vec![value], inclusive };
                    match strategy {
                        Some(1 | 2) if path.upper.is_none() => {
                            path.upper = Some(end(strategy == Some(2)));
                        }
                        Some(4 | 5) if path.lower.is_none() => {
                            path.lower = Some(end(strategy == Some(4)));
                        }
                        _ => continue,
                    }
                    path.used.push(clause.cond);
                }
                Test::NotNull => {
                    path.not_null = true;
                    path.used.push(clause.cond);
                }
                Test::Prefix { from, below } => {
                    let family = self.catalog().opclass(key.class)?.family;
                    // The orders of text by its bytes.
                    let bytes = matches!(family.0, 1994 | 2095) && !key.descending;
                    if !bytes || path.lower.is_some() || path.upper.is_some() {
                        continue;
                    }
                    path.lower = Some(End { values: vec![from], inclusive: true });
                    path.upper = below.map(|end| End { values: vec![end], inclusive: false });
                }
                Test::Row { operators, left, right } => {
                    if !self.row_range(path, (keys, exprs), (operators, left, right))? {
                        continue;
                    }
                    path.hidden.push(clause.cond);
                }
                _ => continue,
            }
            path.bounded.push(clause.cond);
            path.shown.push(clause.shown);
        }
        Ok(())
    }

    /// The end that a comparison of rows gives; false if the index is not of its columns.
    fn row_range(
        &self,
        path: &mut IndexPath<'q>,
        (keys, exprs): (&[IndexKey], &[&'q Expr<'q>]),
        (operators, left, right): (&'q [Oid], &'q [Expr<'q>], &'q [Expr<'q>]),
    ) -> Result<bool> {
        let mut values = Vec::new();
        let mut first = None;
        for (at, (key, expr)) in keys.iter().zip(exprs).enumerate() {
            let (Some(side), Some(value), Some(operator)) =
                (left.get(at), right.get(at), operators.get(at))
            else {
                break;
            };
            let is_key = match strip(side).kind {
                ExprKind::Column(_) => same_column(strip(side), strip(expr)),
                _ => same(strip(side), strip(expr)),
            };
            let strategy = self.strategy(key, *operator, value.ty)?;
            if !is_key || strategy.is_none() || (first.is_some() && first != strategy) {
                break;
            }
            first = strategy;
            values.push(value);
        }
        let whole = values.len() == left.len();
        let (upper, inclusive) = match first {
            Some(1) => (true, !whole),
            Some(2) => (true, true),
            Some(4) => (false, true),
            Some(5) => (false, !whole),
            _ => return Ok(false),
        };
        let end = if upper { &mut path.upper } else { &mut path.lower };
        if end.is_some() {
            return Ok(false);
        }
        *end = Some(End { values, inclusive });
        Ok(true)
    }

    /// Whether a path yields the rows in the wanted order, forward or backward.
    fn serves_order(&self, asked: &Asked<'_, '_, 'q>, path: &mut IndexPath<'q>) -> bool {
        if asked.wanted.is_empty() {
            return false;
        }
        let fixed = |expr: &Expr<'q>| {
            let equal = path.order.iter().zip(&path.equal);
            equal
                .into_iter()
                .any(|(key, equal)| same_key(key.expr, expr) && !matches!(equal, Equal::List(_)))
        };
        for backward in [false, true] {
            let mut keys = path.order.iter().filter(|key| !fixed(key.expr));
            let serves = asked.wanted.iter().filter(|key| !fixed(key.expr)).all(|wanted| {
                keys.next().is_some_and(|key| {
                    same_key(key.expr, wanted.expr)
                        && (key.descending != backward) == wanted.descending
                        && (key.nulls_first != backward) == wanted.nulls_first
                })
            });
            if serves {
                path.backward = backward;
                return true;
            }
        }
        false
    }

    fn index_path_cost(
        &self,
        asked: &Asked<'_, '_, 'q>,
        path: &IndexPath<'q>,
        ordered: bool,
    ) -> Cost {
        let implied = path.hidden.iter().filter(|at| !path.bounded.contains(at));
        let bounds: Vec<Cond<'_, 'q>> =
            path.bounded.iter().chain(implied).map(|at| asked.conds[*at]).collect();
        let selectivity = match path.unique {
            true => 1.0 / asked.rows,
            false => self.selectivity(asked.level, &bounds),
        };
        let correlation = self.order_correlation(asked, path);
        let ranges: f64 = path
            .equal
            .iter()
            .map(|equal| match equal {
                Equal::List(array) => self.list_length(array),
                _ => 1.0,
            })
            .product();
        let work = IndexWork {
            rows: asked.rows,
            pages: asked.pages,
            entries: asked.rows,
            index_pages: (asked.rows * 20.0 / 8192.0).ceil().max(1.0),
            selectivity,
            bounds: path.used.len() as f64,
            filters: asked.conds.len().saturating_sub(path.used.len()) as f64,
            ranges,
            correlation,
            loops: asked.loops,
            ordered,
        };
        self.costs.index_scan(&work)
    }

    /// How far the order of the table is that of an index.
    fn order_correlation(&self, asked: &Asked<'_, '_, 'q>, path: &IndexPath<'q>) -> f64 {
        let Some(key) = path.index.keys.first().filter(|key| key.attribute > 0) else { return 0.0 };
        let found = self.catalog().column_statistics(asked.relation.oid, key.attribute);
        let Ok(found) = found else { return 0.0 };
        let slot = found.as_ref().as_ref().and_then(|f| f.slot(StatisticKind::Correlation));
        let part = slot.and_then(|slot| slot.numbers.first()).map_or(0.0, |part| f64::from(*part));
        // The first column of several says less.
        if path.index.keys.len() > 1 { part * 0.75 } else { part }
    }

    /// About how many elements an array has.
    pub(crate) fn list_length(&self, array: &'q Expr<'q>) -> f64 {
        match array.kind {
            ExprKind::Array { elements, .. } => elements.len() as f64,
            _ => match self.constant_elements(array) {
                Ok(Some(elements)) => elements.len() as f64,
                _ => 10.0,
            },
        }
    }
}

/// The operators that match patterns.
fn is_pattern(operator: Oid) -> bool {
    matches!(operator.0, 1207 | 1209 | 1211 | 639 | 641 | 1055 | 3877)
}

fn same_column(a: &Expr<'_>, b: &Expr<'_>) -> bool {
    match (a.kind, b.kind) {
        (ExprKind::Column(a), ExprKind::Column(b)) => a == b,
        _ => false,
    }
}

/// Whether two expressions sort alike.
pub(crate) fn same_key<'q>(a: &'q Expr<'q>, b: &'q Expr<'q>) -> bool {
    let alike = a.ty.collation == b.ty.collation;
    let (a, b) = (strip(a), strip(b));
    alike && (same_column(a, b) || same(a, b))
}
