//! The column that an expression is, with its statistics.

use crate::estimate::plain_var;
use crate::planner::{Level, Planner, Var};
use analyze::tree::{Expr, ExprKind, Query, RangeKind};
use base::Oid;
use catalog::statistics::{ColumnStatistics, StatisticKind};
use std::sync::Arc;
use types::array::Array;
use types::{Datum, oids};

/// The different values of a column of which nothing is known.
const DISTINCT: f64 = 200.0;

/// A column or another expression of which statistics may tell.
pub(crate) struct Variable {
    statistics: Arc<Option<ColumnStatistics>>,
    /// The column; none for what is computed.
    pub(crate) var: Option<Var>,
    /// The rows of its table.
    pub(crate) rows: f64,
    /// No two rows of its table have the same value.
    pub(crate) unique: bool,
    not_null: bool,
    /// The type under domains.
    pub(crate) type_oid: Oid,
}

impl Variable {
    pub(crate) fn statistics(&self) -> Option<&ColumnStatistics> {
        self.statistics.as_ref().as_ref()
    }

    pub(crate) fn not_null(&self) -> bool {
        self.not_null
    }

    pub(crate) fn null_fraction(&self) -> f64 {
        match self.statistics() {
            Some(statistics) if !self.not_null => f64::from(statistics.null_fraction),
            _ => 0.0,
        }
    }

    /// How many different values there are, and whether that is a guess.
    pub(crate) fn distinct(&self) -> (f64, bool) {
        let rows = self.rows.max(1.0);
        let known = self.statistics().map_or(0.0, |statistics| f64::from(statistics.distinct));
        if self.unique {
            return ((rows * (1.0 - self.null_fraction())).max(1.0), false);
        }
        match known {
            known if known > 0.0 => (known.min(rows).max(1.0), false),
            known if known < 0.0 => ((-known * rows).round().max(1.0), false),
            _ if self.type_oid.0 == oids::BOOL => (2.0, false),
            _ if rows < DISTINCT => (rows, true),
            _ => (DISTINCT, true),
        }
    }

    /// The most common values with their frequencies.
    pub(crate) fn common(&self) -> Vec<(Datum<'_>, f64)> {
        let slot = self.statistics().and_then(|found| found.slot(StatisticKind::MostCommon));
        let Some(slot) = slot else { return Vec::new() };
        let numbers = slot.numbers.iter().map(|number| f64::from(*number));
        elements(slot.values.as_deref()).into_iter().zip(numbers).collect()
    }

    /// The bounds of the histogram.
    pub(crate) fn histogram(&self) -> Vec<Datum<'_>> {
        let slot = self.statistics().and_then(|found| found.slot(StatisticKind::Histogram));
        slot.map_or_else(Vec::new, |slot| elements(slot.values.as_deref()))
    }
}

fn elements(bytes: Option<&[u8]>) -> Vec<Datum<'_>> {
    let array = bytes.and_then(|bytes| Array::new(bytes).ok());
    array.and_then(|array| array.elements().ok()).unwrap_or_default()
}

/// Whether the rows of a query are those of its tables: nothing groups or chooses them.
fn passes_columns(query: &Query<'_>) -> bool {
    query.set_operation.is_none()
        && query.group_by.is_empty()
        && query.grouping_sets.is_empty()
        && !query.has_aggregates
        && !query.has_target_sets
        && matches!(query.distinct, analyze::tree::Distinct::None)
}

impl<'q> Planner<'_, 'q, '_> {
    /// The column of this level that an expression is, or another expression over columns.
    pub(crate) fn variable(&self, level: &Level<'_, 'q>, expr: &Expr<'q>) -> Option<Variable> {
        if let Some(var) = plain_var(level, expr) {
            let attribute = (var.range, var.attribute);
            return self.column_variable(level.query, attribute, Some(var), expr.ty.oid, 0);
        }
        let mut range = None;
        crate::needs::vars_of(level, level, expr, &mut |var| range = Some(var.range));
        let rows = range.map(|range| self.range_rows(level.query, range))?;
        Some(Variable {
            statistics: Arc::new(None),
            var: None,
            rows,
            unique: false,
            not_null: false,
            type_oid: self.compare_type(expr.ty.oid).ok()?,
        })
    }

    /// The rows of a table, before conditions.
    pub(crate) fn range_rows(&self, query: &Query<'q>, range: u32) -> f64 {
        match query.ranges.get(range as usize).map(|range| range.kind) {
            Some(RangeKind::Relation { relation, .. }) => match self.catalog().relation(relation) {
                Ok(relation) => self.env.relation_size(&relation).0.max(1.0),
                Err(_) => 1000.0,
            },
            Some(RangeKind::Values(rows)) => rows.len() as f64,
            _ => 1000.0,
        }
    }

    fn column_variable(
        &self,
        query: &Query<'q>,
        (range, attribute): (u32, i16),
        var: Option<Var>,
        type_oid: Oid,
        depth: u32,
    ) -> Option<Variable> {
        let type_oid = self.compare_type(type_oid).ok()?;
        let mut variable = Variable {
            statistics: Arc::new(None),
            var,
            rows: self.range_rows(query, range),
            unique: false,
            not_null: false,
            type_oid,
        };
        match query.ranges.get(range as usize)?.kind {
            RangeKind::Relation { relation, .. } => {
                let relation = self.catalog().relation(relation).ok()?;
                variable.unique = relation.indexes.iter().any(|index| {
                    index.unique
                        && index.predicate.is_none()
                        && index.keys.len() == 1
                        && index.keys[0].attribute == attribute
                });
                variable.not_null =
                    relation.column_at(attribute).is_some_and(|column| column.not_null);
                if let Ok(statistics) = self.catalog().column_statistics(relation.oid, attribute) {
                    variable.statistics = statistics;
                }
            }
            // A column that a subquery passes on.
            RangeKind::Subquery { query: inner, .. } if depth < 8 && passes_columns(inner) => {
                let at = usize::try_from(attribute).ok()?.checked_sub(1)?;
                let mut shown = inner.targets.iter().filter(|target| !target.junk);
                let target = shown.nth(at)?;
                if let ExprKind::Column(column) = target.expr.kind
                    && column.levels_up == 0
                    && column.attribute > 0
                {
                    let inside = (column.range.0, column.attribute);
                    let found = self.column_variable(inner, inside, var, type_oid, depth + 1);
                    return found;
                }
            }
            _ => {}
        }
        Some(variable)
    }
}
