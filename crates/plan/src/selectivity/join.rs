//! Joins: which part of all pairs meets a condition.

use super::variable::Variable;
use super::{EQUALITY, Estimator, INEQUALITY, estimator};
use crate::from::JoinCond;
use crate::node::Join;
use crate::planner::{Cond, Level, Planner, Rel, Var};
use analyze::tree::{Expr, ExprKind, RangeKind};
use std::collections::HashMap;
use types::key;
use types::{Datum, KeyColumn};

/// What MCV lists of two columns have in common.
#[derive(Default)]
struct Matches {
    product: f64,
    left: f64,
    right: f64,
    count: f64,
}

impl<'q> Planner<'_, 'q, '_> {
    /// The part of all pairs of rows that meets a condition.
    pub(crate) fn join_part(&self, level: &Level<'_, 'q>, cond: &Cond<'_, 'q>) -> f64 {
        self.join_expr_part(level, cond.expr).clamp(0.0, 1.0)
    }

    fn join_expr_part(&self, level: &Level<'_, 'q>, expr: &'q Expr<'q>) -> f64 {
        match expr.kind {
            ExprKind::And(args) => args.iter().map(|arg| self.join_expr_part(level, arg)).product(),
            ExprKind::Or(args) => args.iter().fold(0.0, |sum, arg| {
                let part = self.join_expr_part(level, arg);
                sum + part - sum * part
            }),
            ExprKind::Not(arg) => 1.0 - self.join_expr_part(level, arg),
            ExprKind::Operator { operator, args: [a, b], .. } => {
                let Ok(row) = self.catalog().operator(operator) else { return 0.5 };
                let (Some(left), Some(right)) = (self.variable(level, a), self.variable(level, b))
                else {
                    return self.clause(level, expr);
                };
                if left.var.map(|var| var.range) == right.var.map(|var| var.range)
                    && left.var.is_some()
                {
                    return self.clause(level, expr);
                }
                match estimator(row.restriction) {
                    Estimator::Equal => self.equal_join(&left, &right),
                    Estimator::Unequal => 1.0 - self.equal_join(&left, &right),
                    Estimator::Inequality { .. } => INEQUALITY,
                    Estimator::Pattern { negated } => {
                        if negated {
                            1.0 - EQUALITY
                        } else {
                            EQUALITY
                        }
                    }
                    Estimator::Fixed(part) => f64::from(part) / 1000.0,
                }
            }
            _ => self.clause(level, expr),
        }
    }

    /// What the most common values of two columns have in common.
    fn matches(&self, left: &Variable, right: &Variable) -> Option<(Matches, f64, f64)> {
        let (ours, theirs) = (left.common(), right.common());
        if ours.is_empty() || theirs.is_empty() {
            return None;
        }
        let host = self.env.io().host;
        let encoded = |variable: &Variable, value: &Datum<'_>| -> Option<Vec<u8>> {
            // Integers of different widths are compared as the widest ones.
            let (type_oid, value) = match *value {
                Datum::Int2(v) => (types::oids::INT8, Datum::Int8(v.into())),
                Datum::Int4(v) if variable.type_oid.0 == types::oids::INT4 => {
                    (types::oids::INT8, Datum::Int8(v.into()))
                }
                other => (variable.type_oid.0, other),
            };
            let mut bytes = Vec::new();
            let column = KeyColumn::ascending(type_oid);
            key::encode_column(host, &column, &value, &mut bytes).ok()?;
            Some(bytes)
        };
        let mut known: HashMap<Vec<u8>, f64> = HashMap::new();
        for (value, part) in &theirs {
            known.insert(encoded(right, value)?, *part);
        }
        let mut found = Matches::default();
        for (value, part) in &ours {
            if let Some(other) = known.get(&encoded(left, value)?) {
                found.product += part * other;
                found.left += part;
                found.right += other;
                found.count += 1.0;
            }
        }
        let sum = |list: &[(Datum<'_>, f64)]| list.iter().map(|(_, part)| part).sum::<f64>();
        Some((found, sum(&ours), sum(&theirs)))
    }

    fn equal_join(&self, left: &Variable, right: &Variable) -> f64 {
        let (left_nulls, right_nulls) = (left.null_fraction(), right.null_fraction());
        let (left_distinct, right_distinct) = (left.distinct().0, right.distinct().0);
        let Some((found, left_common, right_common)) = self.matches(left, right) else {
            let parts = (1.0 - left_nulls) * (1.0 - right_nulls);
            return parts / left_distinct.max(right_distinct).max(1.0);
        };
        let (left_count, right_count) = (left.common().len() as f64, right.common().len() as f64);
        let left_rest = left_common - found.left;
        let right_rest = right_common - found.right;
        let left_others = (1.0 - left_nulls - left_common).clamp(0.0, 1.0);
        let right_others = (1.0 - right_nulls - right_common).clamp(0.0, 1.0);
        let total = |rest: f64, others: f64, there: (f64, f64, f64, f64)| {
            let (other_rest, other_others, distinct, count) = there;
            let mut total = found.product;
            if distinct > count {
                total += rest * other_others / (distinct - count);
            }
            if distinct > found.count {
                total += others * (other_others + other_rest) / (distinct - found.count);
            }
            total
        };
        let there = (right_rest, right_others, right_distinct, right_count);
        let here = (left_rest, left_others, left_distinct, left_count);
        total(left_rest, left_others, there).min(total(right_rest, right_others, here))
    }

    /// The part of the left rows that have a partner.
    fn semi_part(&self, level: &Level<'_, 'q>, cond: &Cond<'_, 'q>, right_rows: f64) -> f64 {
        let ExprKind::Operator { operator, args: [a, b], .. } = cond.expr.kind else { return 0.5 };
        let Ok(row) = self.catalog().operator(operator) else { return 0.5 };
        if estimator(row.restriction) != Estimator::Equal {
            return INEQUALITY;
        }
        // One of the sides is of the level of the left rows, the other of the subquery's.
        let mut sides = [a, b].map(|side| self.variable_above(cond.level, level, side));
        if !sides[0].as_ref().is_some_and(|side| side.1) {
            sides.swap(0, 1);
        }
        let [Some((left, true)), Some((right, _))] = sides else { return 0.5 };
        let ((left_distinct, a), (right_distinct, b)) = (left.distinct(), right.distinct());
        if a || b {
            return 0.5 * (1.0 - left.null_fraction());
        }
        let right_distinct = right_distinct.min(right_rows.max(1.0));
        let part = (right_distinct / left_distinct.max(1.0)).min(1.0);
        part * (1.0 - left.null_fraction())
    }

    /// The column that an expression of a level is, there or in the level outside; whether it is
    /// one of `outer`.
    fn variable_above(
        &self,
        home: &Level<'_, 'q>,
        outer: &Level<'_, 'q>,
        expr: &Expr<'q>,
    ) -> Option<(Variable, bool)> {
        let mut found = None;
        let mut at = Some(home);
        while let Some(level) = at {
            crate::needs::vars_of(home, level, expr, &mut |var: Var| found = Some((var, level.id)));
            if found.is_some() {
                break;
            }
            at = level.parent;
        }
        let (var, id) = found?;
        let mut level = home;
        while level.id != id {
            level = level.parent?;
        }
        let column = analyze::tree::ColumnUse {
            range: analyze::tree::RangeId(var.range),
            attribute: var.attribute,
            levels_up: 0,
            returning: analyze::tree::ReturningRow::Default,
        };
        let column = Expr { kind: ExprKind::Column(column), ..*expr };
        Some((self.variable(level, &column)?, id == outer.id))
    }

    /// The rows of a join of so many left and right rows.
    pub(crate) fn join_rows(
        &self,
        level: &Level<'_, 'q>,
        join: Join,
        (left, right): (f64, f64),
        conds: &[Cond<'_, 'q>],
    ) -> f64 {
        match join {
            Join::Semi | Join::Anti => {
                let part: f64 =
                    conds.iter().map(|cond| self.semi_part(level, cond, right)).product();
                let part = if join == Join::Semi { part } else { 1.0 - part };
                return (left * part.clamp(0.0, 1.0)).max(1.0);
            }
            _ => {}
        }
        let mut parts: Vec<f64> = conds.iter().map(|cond| self.join_part(level, cond)).collect();
        self.apply_keys(level, conds, &mut parts);
        let rows = left * right * parts.iter().product::<f64>();
        match join {
            Join::Left => rows.max(left),
            Join::Full => rows.max(left).max(right),
            _ => rows.max(1.0),
        }
    }

    /// Both sides of a condition of this level that an equality operator makes.
    fn equal_sides(&self, level: &Level<'_, 'q>, cond: &Cond<'_, 'q>) -> Option<[&'q Expr<'q>; 2]> {
        let ExprKind::Operator { operator, args: [a, b], .. } = cond.expr.kind else {
            return None;
        };
        let row = self.catalog().operator(operator).ok()?;
        let equal = cond.level.id == level.id && estimator(row.restriction) == Estimator::Equal;
        equal.then_some([a, b])
    }

    /// Equalities that together cover a unique key leave one partner a row, however many they are:
    /// the first of them gets that estimate, the others 1.
    fn apply_keys(&self, level: &Level<'_, 'q>, conds: &[Cond<'_, 'q>], parts: &mut [f64]) {
        let mut sides: Vec<(u32, i16, usize)> = Vec::new();
        for (at, cond) in conds.iter().enumerate() {
            for side in self.equal_sides(level, cond).into_iter().flatten() {
                if let Some(var) = crate::estimate::plain_var(level, side) {
                    sides.push((var.range, var.attribute, at));
                }
            }
        }
        let mut ranges: Vec<u32> = sides.iter().map(|side| side.0).collect();
        ranges.sort_unstable();
        ranges.dedup();
        for range in ranges {
            let Some(RangeKind::Relation { relation, .. }) =
                level.query.ranges.get(range as usize).map(|range| range.kind)
            else {
                continue;
            };
            let Ok(relation) = self.catalog().relation(relation) else { continue };
            for index in relation
                .indexes
                .iter()
                .filter(|index| index.unique && index.predicate.is_none() && index.keys.len() > 1)
            {
                let covering: Vec<Option<usize>> = index
                    .keys
                    .iter()
                    .map(|key| {
                        let is =
                            |side: &&(u32, i16, usize)| side.0 == range && side.1 == key.attribute;
                        sides.iter().find(is).map(|side| side.2)
                    })
                    .collect();
                let Some(covering) = covering.into_iter().collect::<Option<Vec<usize>>>() else {
                    continue;
                };
                let together: f64 = covering.iter().map(|at| parts[*at]).product();
                let one = 1.0 / self.env.relation_size(&relation).0.max(1.0);
                if together < one {
                    covering.iter().for_each(|at| parts[*at] = 1.0);
                    parts[covering[0]] = one;
                }
            }
        }
    }

    /// What a hash join costs beside its inputs when `build` goes into the hash table.
    pub(crate) fn hash_cost(
        &self,
        level: &Level<'_, 'q>,
        probe: &Rel<'q, '_>,
        build: &Rel<'q, '_>,
        conds: &[Cond<'_, 'q>],
    ) -> f64 {
        let mut keys = Vec::new();
        // The part of the table that one key's rows are.
        let mut bucket: f64 = 1.0;
        for cond in conds {
            for side in self.equal_sides(level, cond).into_iter().flatten() {
                let var = crate::estimate::plain_var(level, side);
                let Some(var) = var.filter(|var| build.columns.var(*var).is_some()) else {
                    continue;
                };
                keys.push(var);
                if let Some(variable) = self.variable(level, side) {
                    let left = (build.rows() / variable.rows.max(1.0)).min(1.0);
                    let values = (variable.distinct().0 * left).max(1.0);
                    let common = variable.common().first().map_or(0.0, |first| first.1);
                    bucket = bucket.min((1.0 / values).max(common));
                }
            }
        }
        let costs = &self.costs;
        let table = build.rows() * (costs.cpu_operator_cost + costs.cpu_tuple_cost);
        let looks = probe.rows() * costs.cpu_operator_cost;
        let unique = build.unique.iter().any(|set| set.iter().all(|var| keys.contains(var)));
        // A key with one row at most is looked at once.
        if unique {
            return table + looks * 1.05;
        }
        let out = self.join_rows(level, Join::Inner, (probe.rows(), build.rows()), conds);
        let compared = 0.5 * (build.rows() * bucket).max(1.0);
        table + looks + looks * compared + out * costs.cpu_tuple_cost
    }

    /// The parts of all conditions between the leaves of a join.
    pub(crate) fn join_parts(&self, level: &Level<'_, 'q>, conds: &mut [JoinCond<'_, 'q>]) {
        let all: Vec<Cond<'_, 'q>> = conds.iter().map(|cond| cond.cond).collect();
        let mut parts: Vec<f64> = all.iter().map(|cond| self.join_part(level, cond)).collect();
        self.apply_keys(level, &all, &mut parts);
        for (cond, part) in conds.iter_mut().zip(parts) {
            cond.selectivity = part;
        }
    }
}
