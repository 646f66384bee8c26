//! GROUP BY, ORDER BY and windows.

use crate::printer::{Printer, STEP};
use analyze::tree::{
    Expr, ExprKind, FrameBound, FrameExclusion, FrameUnit, FunctionForm, GroupingItem, Query,
    SortKey, WindowSpec,
};
use base::Result;

impl<'q> Printer<'_, 'q, '_> {
    /// A target by its index, as GROUP BY and ORDER BY write it.
    pub(super) fn sort_target(&mut self, target: u32, number: bool) -> Result<()> {
        let Some(query) = self.frame.query else { return Ok(()) };
        if number {
            self.put(&(target + 1).to_string());
            return Ok(());
        }
        match query.targets.get(target as usize) {
            Some(found) => self.sort_expression(&found.expr),
            None => Ok(()),
        }
    }

    fn sort_expression(&mut self, expr: &Expr<'q>) -> Result<()> {
        match expr.kind {
            // A bare number would be the place of a column.
            ExprKind::Const(value) => self.constant(&value, expr.ty, 1),
            ExprKind::Column(column) => {
                let before = std::mem::replace(&mut self.frame.in_order_by, true);
                let result = self.column(column, expr.ty, false).map(drop);
                self.frame.in_order_by = before;
                result
            }
            _ => {
                let call = match expr.kind {
                    ExprKind::Function { form, .. } => {
                        // Casts by functions are functions, too.
                        matches!(
                            form,
                            FunctionForm::Call
                                | FunctionForm::SqlSyntax
                                | FunctionForm::ExplicitCast
                                | FunctionForm::ImplicitCast
                        )
                    }
                    ExprKind::Aggregate(_) | ExprKind::Window(_) => true,
                    _ => false,
                };
                let enclosed = self.style.few_parentheses || call;
                self.put(if enclosed { "(" } else { "" });
                self.expression(expr, true)?;
                self.put(if enclosed { ")" } else { "" });
                Ok(())
            }
        }
    }

    pub(super) fn group_by(&mut self, query: &Query<'q>) -> Result<()> {
        if query.group_by.is_empty() && query.grouping_sets.is_empty() {
            return Ok(());
        }
        self.keyword(" GROUP BY ", -STEP, STEP, 1);
        if query.group_distinct {
            self.put("DISTINCT ");
        }
        let before = std::mem::replace(&mut self.frame.in_group_by, true);
        let result = match query.grouping {
            [] => self.list(query.group_by, |printer, key| printer.sort_target(key.target, false)),
            items => self.list(items, |printer, item| printer.grouping_item(query, item, true)),
        };
        self.frame.in_group_by = before;
        result
    }

    fn grouping_item(
        &mut self,
        query: &Query<'q>,
        item: &GroupingItem<'q>,
        bare: bool,
    ) -> Result<()> {
        let (word, units) = match item {
            GroupingItem::Simple(unit) => return self.grouping_unit(query, unit, bare),
            GroupingItem::Rollup(units) => ("ROLLUP(", units),
            GroupingItem::Cube(units) => ("CUBE(", units),
            GroupingItem::Sets(items) => {
                self.put("GROUPING SETS (");
                self.list(items, |printer, item| printer.grouping_item(query, item, false))?;
                self.put(")");
                return Ok(());
            }
        };
        self.put(word);
        self.list(units, |printer, unit| printer.grouping_unit(query, unit, true))?;
        self.put(")");
        Ok(())
    }

    /// One expression, in parentheses unless it may stand bare, or several.
    fn grouping_unit(&mut self, query: &Query<'q>, unit: &[u32], bare: bool) -> Result<()> {
        let enclosed = !bare || unit.len() != 1;
        self.put(if enclosed { "(" } else { "" });
        self.list(unit, |printer, at| match query.group_by.get(*at as usize) {
            Some(key) => printer.sort_target(key.target, false),
            None => Ok(()),
        })?;
        self.put(if enclosed { ")" } else { "" });
        Ok(())
    }

    pub(super) fn order_by(&mut self, keys: &[SortKey], numbers: bool) -> Result<()> {
        self.list(keys, |printer, key| {
            printer.sort_target(key.target, numbers)?;
            printer.direction(key)
        })
    }

    /// ORDER BY over the arguments of an aggregate.
    pub(crate) fn order_by_args(&mut self, keys: &[SortKey], args: &[Expr<'q>]) -> Result<()> {
        self.list(keys, |printer, key| {
            if let Some(arg) = args.get(key.target as usize) {
                printer.sort_expression(arg)?;
            }
            printer.direction(key)
        })
    }

    /// What stands behind a sort key.
    pub(crate) fn direction(&mut self, key: &SortKey) -> Result<()> {
        let name = self.env.catalog().operator(key.sort_operator)?.name.to_string();
        match (&*name, key.nulls_first) {
            ("<", false) | (">", true) => {}
            ("<", true) => self.put(" NULLS FIRST"),
            (">", false) => self.put(" DESC NULLS LAST"),
            (_, nulls_first) => {
                let name = self.operator_name(key.sort_operator)?;
                self.put(&format!(" USING {name}"));
                self.put(if nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
            }
        }
        if name == ">" && key.nulls_first {
            self.put(" DESC");
        }
        Ok(())
    }

    pub(super) fn windows(&mut self, query: &'q Query<'q>) -> Result<()> {
        let mut first = true;
        for window in query.windows {
            let Some(name) = window.name else { continue };
            if first {
                self.keyword(" WINDOW ", -STEP, STEP, 1);
            } else {
                self.put(", ");
            }
            first = false;
            self.name(name);
            self.put(" AS ");
            self.window(window)?;
        }
        Ok(())
    }

    /// What stands behind OVER, in parentheses.
    pub(crate) fn window(&mut self, window: &WindowSpec<'q>) -> Result<()> {
        self.put("(");
        let mut gap = "";
        if let Some(base) = window.base {
            self.name(base);
            gap = " ";
        }
        if !window.partition_by.is_empty() && window.base.is_none() {
            self.put("PARTITION BY ");
            self.list(window.partition_by, |printer, key| printer.sort_target(key.target, false))?;
            gap = " ";
        }
        if !window.order_by.is_empty() && !window.base_order {
            self.put(gap);
            self.put("ORDER BY ");
            self.order_by(window.order_by, false)?;
            gap = " ";
        }
        if window.frame.explicit {
            self.put(gap);
            self.window_frame(window)?;
        }
        self.put(")");
        Ok(())
    }

    pub(crate) fn window_frame(&mut self, window: &WindowSpec<'q>) -> Result<()> {
        let frame = &window.frame;
        self.put(match frame.unit {
            FrameUnit::Rows => "ROWS ",
            FrameUnit::Range => "RANGE ",
            FrameUnit::Groups => "GROUPS ",
        });
        self.put(if frame.between { "BETWEEN " } else { "" });
        self.frame_bound(&frame.start)?;
        if frame.between {
            self.put(" AND ");
            self.frame_bound(&frame.end)?;
        }
        self.put(match frame.exclusion {
            FrameExclusion::NoOthers => "",
            FrameExclusion::CurrentRow => " EXCLUDE CURRENT ROW",
            FrameExclusion::Group => " EXCLUDE GROUP",
            FrameExclusion::Ties => " EXCLUDE TIES",
        });
        Ok(())
    }

    fn frame_bound(&mut self, bound: &FrameBound<'q>) -> Result<()> {
        match bound {
            FrameBound::UnboundedPreceding => self.put("UNBOUNDED PRECEDING"),
            FrameBound::Preceding(offset) => {
                self.expression(offset, false)?;
                self.put(" PRECEDING");
            }
            FrameBound::CurrentRow => self.put("CURRENT ROW"),
            FrameBound::Following(offset) => {
                self.expression(offset, false)?;
                self.put(" FOLLOWING");
            }
            FrameBound::UnboundedFollowing => self.put("UNBOUNDED FOLLOWING"),
        }
        Ok(())
    }
}
