//! References to columns.

use crate::printer::Printer;
use analyze::tree::{ColumnUse, ExprKind, RangeId, RangeKind, ReturningRow, Type};
use base::Result;
use catalog::quote_identifier;

impl<'q> Printer<'_, 'q, '_> {
    /// The name of a column, as far as the scopes know it.
    pub(super) fn column_text(&self, range: RangeId, up: u16, attribute: i16) -> Option<String> {
        let at = self.scopes.len().checked_sub(1 + usize::from(up))?;
        let names = self.scopes.get(at)?.ranges.get(range.0 as usize)?;
        names.columns.get(usize::try_from(attribute - 1).ok()?)?.clone()
    }

    /// What a column is seen as: a column of a join without alias is that of a side, and one
    /// behind a join with an alias is the join's.
    fn resolve(&self, mut column: ColumnUse) -> ColumnUse {
        let up = usize::from(column.levels_up);
        let at = self.scopes.len().checked_sub(1 + up);
        if let Some(query) = at.and_then(|at| self.queries.get(at).copied().flatten()) {
            while let Some(range) = query.ranges.get(column.range.0 as usize)
                && let RangeKind::Join { columns, .. } = range.kind
                && !range.alias_given
                && let Ok(place) = usize::try_from(column.attribute - 1)
                && let Some(value) = columns.get(place)
                && let ExprKind::Column(inner) = value.kind
            {
                column = ColumnUse { levels_up: column.levels_up, ..inner };
            }
        }
        let scope = at.and_then(|at| self.scopes.get(at));
        let Some(scope) = scope else { return column };
        let mut key = (column.range, column.attribute);
        while let Some(seen) = scope.behind.get(&key).and_then(|seen| {
            seen.iter().rev().find(|(join, _)| up > 0 || !self.inside.contains(join))
        }) {
            key = *seen;
        }
        ColumnUse { range: key.0, attribute: key.1, ..column }
    }

    /// A column; the name that a result column made of it gets by itself.
    pub(crate) fn column(
        &mut self,
        column: ColumnUse,
        ty: Type,
        top: bool,
    ) -> Result<Option<String>> {
        let column = self.resolve(column);
        if self.plan.is_some() && self.plan_column(column)? {
            return Ok(None);
        }
        let at = self.scopes.len().checked_sub(1 + usize::from(column.levels_up));
        let range = at
            .and_then(|at| self.scopes.get(at))
            .and_then(|scope| scope.ranges.get(column.range.0 as usize));
        let range_name = match column.returning {
            ReturningRow::Default => range.and_then(|names| names.name.clone()),
            ReturningRow::Old => Some("old".to_owned()),
            ReturningRow::New => Some("new".to_owned()),
        };
        let name = match column.attribute {
            0 => None,
            attribute if attribute < 0 => Some(system_name(attribute).to_owned()),
            attribute => Some(
                self.column_text(column.range, column.levels_up, attribute)
                    .unwrap_or_else(|| "?dropped?column?".to_owned()),
            ),
        };
        let scanned = self.frame.scanned.map(|scanned| {
            let level = at.and_then(|at| self.levels.get(at).copied());
            level == Some(scanned.0) && column.range.0 == scanned.1
        });
        let mut prefixed = scanned.map_or(self.frame.prefixed, |own| !own)
            || name.is_none()
            || column.returning != ReturningRow::Default;
        if self.frame.in_order_by
            && !self.frame.in_group_by
            && !prefixed
            && let Some(name) = &name
        {
            prefixed = self.is_result_name(name, column);
        }
        if prefixed && let Some(range_name) = range_name {
            self.name(&range_name);
            self.put(".");
        }
        match &name {
            Some(name) => self.name(name),
            None => {
                self.put("*");
                if top {
                    self.label(ty.oid, ty.typmod)?;
                }
            }
        }
        Ok(name)
    }

    /// Whether ORDER BY would take a name for that of another result column.
    fn is_result_name(&self, name: &str, column: ColumnUse) -> bool {
        let Some(query) = self.frame.query else { return false };
        let shown = query.targets.iter().filter(|target| !target.junk).enumerate();
        shown.into_iter().any(|(at, target)| {
            let result = self.frame.results.and_then(|names| names.get(at));
            let result = result.map_or(target.name, String::as_str);
            let same = matches!(target.expr.kind, ExprKind::Column(own)
                if self.resolve(own) == column);
            result == name && !same
        })
    }

    /// The name of a range of the query.
    pub(crate) fn range_name(&self, range: RangeId) -> String {
        let names = self.scopes.last().and_then(|scope| scope.ranges.get(range.0 as usize));
        let name = names.and_then(|names| names.name.as_deref());
        name.map(quote_identifier).unwrap_or_default()
    }
}

fn system_name(attribute: i16) -> &'static str {
    match attribute {
        -1 => "ctid",
        -2 => "xmin",
        -3 => "cmin",
        -4 => "xmax",
        -5 => "cmax",
        _ => "tableoid",
    }
}
