//! How many groups rows fall into.

use crate::planner::{Level, Planner};
use analyze::tree::{Expr, ExprKind};
use std::collections::BTreeMap;
use types::oids;

/// The columns of one table among the keys.
#[derive(Default)]
struct OfTable {
    /// The product of their different values, and the largest of them.
    product: f64,
    largest: f64,
    columns: u32,
}

impl<'q> Planner<'_, 'q, '_> {
    /// About how many groups `rows` rows fall into by some keys.
    pub(crate) fn group_count(
        &self,
        level: &Level<'_, 'q>,
        keys: &[&'q Expr<'q>],
        rows: f64,
    ) -> f64 {
        let mut groups = 1.0;
        let mut tables: BTreeMap<u32, OfTable> = BTreeMap::new();
        let mut seen = Vec::new();
        for key in keys {
            if matches!(self.constant_value(key), Ok(Some(_))) {
                continue;
            }
            let mut columns = Vec::new();
            crate::needs::vars_of(level, level, key, &mut |var| columns.push(var));
            let plain = matches!(key.kind, ExprKind::Column(_) | ExprKind::Relabel { .. });
            if key.ty.oid.0 == oids::BOOL && !plain {
                groups *= 2.0;
                continue;
            }
            for var in columns {
                if seen.contains(&var) {
                    continue;
                }
                seen.push(var);
                let distinct = self.distinct_of(level, var);
                let table = tables
                    .entry(var.range)
                    .or_insert(OfTable { product: 1.0, ..OfTable::default() });
                table.product *= distinct;
                table.largest = table.largest.max(distinct);
                table.columns += 1;
            }
        }
        for (range, table) in tables {
            let all = self.range_rows(level.query, range).max(1.0);
            let most = if table.columns > 1 { (all * 0.1).max(table.largest) } else { all };
            let mut distinct = table.product.min(most.min(all)).max(1.0);
            let left = self.state.borrow().scan_rows.get(&(level.id, range)).copied();
            let left = left.unwrap_or(all).min(all);
            // Not every value is among the rows that are left.
            if left < all {
                distinct *= 1.0 - ((all - left) / all).powf(all / distinct);
            }
            groups *= distinct.max(1.0);
        }
        groups.min(rows).max(1.0).ceil()
    }

    fn distinct_of(&self, level: &Level<'_, 'q>, var: crate::planner::Var) -> f64 {
        let described = level.query.ranges.get(var.range as usize);
        let at = usize::try_from(var.attribute - 1).unwrap_or(usize::MAX);
        let Some(ty) = described.and_then(|range| range.types.get(at)).copied() else {
            return 200.0;
        };
        let column = analyze::tree::ColumnUse {
            range: analyze::tree::RangeId(var.range),
            attribute: var.attribute,
            levels_up: 0,
            returning: analyze::tree::ReturningRow::Default,
        };
        let column = Expr { kind: ExprKind::Column(column), ty, at: None };
        self.variable(level, &column).map_or(200.0, |variable| variable.distinct().0)
    }
}
