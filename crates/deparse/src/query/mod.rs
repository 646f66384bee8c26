//! Queries.
//!
//! How it works: [`Printer::query`] opens a scope with the names of the query's ranges, prints
//! the query and puts everything back as it was. Clauses are keywords at the indentation of their
//! query; with indentation off they are one line.

mod change;
mod from;
mod sort;
mod target;

use crate::printer::{Frame, Printer, STEP};
use crate::scope::Scope;
use analyze::tree::{
    Command, Distinct, Expr, ExprKind, LockStrength, LockWait, Materialize, Query, RangeKind,
    SearchCycle, SetKind, SetTree,
};
use base::Result;
use std::rc::Rc;
use types::Datum;

impl<'q, 'n> Printer<'_, 'q, 'n> {
    /// A query. `results` are the names of its columns where something else than the query
    /// decides; `visible` is whether anybody sees them.
    pub(crate) fn query(
        &mut self,
        query: &'q Query<'q>,
        results: Option<&'n [String]>,
        visible: bool,
    ) -> Result<()> {
        self.query_in(query, results, visible, false)
    }

    fn query_in(
        &mut self,
        query: &'q Query<'q>,
        results: Option<&'n [String]>,
        visible: bool,
        in_set_operation: bool,
    ) -> Result<()> {
        base::stack::check_stack_depth()?;
        let scope = Scope::of_query(self.env, query, &self.scopes)?;
        let frame = Frame {
            query: Some(query),
            results,
            prefixed: !self.scopes.is_empty() || query.ranges.len() != 1,
            names_visible: visible,
            in_set_operation,
            ..Frame::default()
        };
        self.scopes.push(Rc::new(scope));
        self.queries.push(Some(query));
        let outer = std::mem::replace(&mut self.frame, frame);
        let (indent, inside) = (self.indent, std::mem::take(&mut self.inside));
        let result = match query.command {
            Command::Select => self.select(query),
            _ => self.change(query),
        };
        (self.indent, self.inside, self.frame) = (indent, inside, outer);
        self.queries.pop();
        self.scopes.pop();
        result
    }

    fn select(&mut self, query: &'q Query<'q>) -> Result<()> {
        self.with(query)?;
        match query.set_operation {
            Some(tree) => self.set_tree(tree, query)?,
            None => self.plain_select(query)?,
        }
        if !query.order_by.is_empty() {
            self.keyword(" ORDER BY ", -STEP, STEP, 1);
            self.order_by(query.order_by, query.set_operation.is_some())?;
        }
        if let Some(offset) = query.offset {
            self.keyword(" OFFSET ", -STEP, STEP, 0);
            self.expression(offset, false)?;
        }
        if let Some(limit) = query.limit {
            self.limit(limit, query.with_ties)?;
        }
        self.locking(query);
        Ok(())
    }

    fn limit(&mut self, limit: &Expr<'q>, with_ties: bool) -> Result<()> {
        if with_ties {
            self.keyword(" FETCH FIRST ", -STEP, STEP, 0);
            self.put("(");
            self.expression(limit, false)?;
            self.put(") ROWS WITH TIES");
            return Ok(());
        }
        self.keyword(" LIMIT ", -STEP, STEP, 0);
        match limit.kind {
            ExprKind::Const(value) if value.is_null() => {
                self.put("ALL");
                Ok(())
            }
            _ => self.expression(limit, false),
        }
    }

    fn locking(&mut self, query: &Query<'q>) {
        for mark in query.locking {
            let word = match mark.strength {
                LockStrength::KeyShare => " FOR KEY SHARE",
                LockStrength::Share => " FOR SHARE",
                LockStrength::NoKeyUpdate => " FOR NO KEY UPDATE",
                LockStrength::Update => " FOR UPDATE",
            };
            self.keyword(word, -STEP, STEP, 0);
            let name = self.range_name(mark.range);
            self.put(&format!(" OF {name}"));
            self.put(match mark.wait {
                LockWait::Wait => "",
                LockWait::NoWait => " NOWAIT",
                LockWait::SkipLocked => " SKIP LOCKED",
            });
        }
    }

    pub(super) fn with(&mut self, query: &Query<'q>) -> Result<()> {
        if query.ctes.is_empty() {
            return Ok(());
        }
        if self.style.indented {
            self.indent += STEP;
            self.put(" ");
        }
        let mut before = if query.recursive { "WITH RECURSIVE " } else { "WITH " };
        for cte in query.ctes {
            self.put(before);
            before = ", ";
            self.name(cte.name);
            if cte.aliased > 0 {
                self.put("(");
                let given = cte.columns.get(..usize::from(cte.aliased));
                self.list(given.unwrap_or(cte.columns), |printer, name| {
                    printer.name(name);
                    Ok(())
                })?;
                self.put(")");
            }
            self.put(match cte.materialize {
                Materialize::Default => " AS (",
                Materialize::Always => " AS MATERIALIZED (",
                Materialize::Never => " AS NOT MATERIALIZED (",
            });
            self.line();
            self.query(cte.search_cycle.map_or(cte.query, |clauses| clauses.written), None, true)?;
            self.line();
            self.put(")");
            if let Some(clauses) = cte.search_cycle {
                self.search_cycle(clauses)?;
            }
        }
        if self.style.indented {
            self.indent -= STEP;
            self.keyword("", 0, 0, 0);
        } else {
            self.put(" ");
        }
        Ok(())
    }

    fn search_cycle(&mut self, clauses: &SearchCycle<'q>) -> Result<()> {
        let names = |printer: &mut Self, columns: &[&'q str]| {
            printer.list(columns, |printer, name| {
                printer.name(name);
                Ok(())
            })
        };
        if let Some(search) = clauses.search {
            self.put(if search.breadth_first {
                " SEARCH BREADTH FIRST BY "
            } else {
                " SEARCH DEPTH FIRST BY "
            });
            names(self, search.columns)?;
            self.put(" SET ");
            self.name(search.sequence_column);
        }
        let Some(cycle) = clauses.cycle else { return Ok(()) };
        self.put(" CYCLE ");
        names(self, cycle.columns)?;
        self.put(" SET ");
        self.name(cycle.mark_column);
        let is = |expr: &Expr<'q>, value| matches!(expr.kind, ExprKind::Const(Datum::Bool(found)) if found == value);
        if !is(&cycle.mark_value, true) || !is(&cycle.mark_default, false) {
            self.put(" TO ");
            self.expression(&cycle.mark_value, false)?;
            self.put(" DEFAULT ");
            self.expression(&cycle.mark_default, false)?;
        }
        self.put(" USING ");
        self.name(cycle.path_column);
        Ok(())
    }

    /// A new line where text is indented.
    fn line(&mut self) {
        if self.style.indented {
            self.keyword("", 0, 0, 0);
        }
    }

    fn plain_select(&mut self, query: &'q Query<'q>) -> Result<()> {
        if self.style.indented {
            self.indent += STEP;
            self.put(" ");
        }
        if let Some(rows) = self.only_values(query) {
            return self.values(rows);
        }
        self.put("SELECT");
        match query.distinct {
            Distinct::None => {}
            Distinct::All(_) => self.put(" DISTINCT"),
            Distinct::On(keys) => {
                self.put(" DISTINCT ON (");
                self.list(keys, |printer, key| printer.sort_target(key.target, false))?;
                self.put(")");
            }
        }
        self.targets(query.targets)?;
        self.from(query.from, " FROM ")?;
        if let Some(filter) = query.filter {
            self.keyword(" WHERE ", -STEP, STEP, 1);
            self.expression(filter, false)?;
        }
        self.group_by(query)?;
        if let Some(having) = query.having {
            self.keyword(" HAVING ", -STEP, STEP, 0);
            self.expression(having, false)?;
        }
        self.windows(query)
    }

    /// The rows of a query that is nothing but VALUES.
    fn only_values(&self, query: &Query<'q>) -> Option<&'q [&'q [Expr<'q>]]> {
        let [range] = query.ranges else { return None };
        let RangeKind::Values(rows) = range.kind else { return None };
        let bare = query.filter.is_none()
            && query.group_by.is_empty()
            && query.having.is_none()
            && query.targets.len() == range.columns.len()
            && query.targets.iter().enumerate().all(|(at, target)| {
                let result = self.frame.results.and_then(|names| names.get(at));
                let result = result.map_or(target.name, String::as_str);
                !target.junk
                    && range.columns.get(at) == Some(&result)
                    && matches!(target.expr.kind, ExprKind::Column(column)
                        if usize::try_from(column.attribute) == Ok(at + 1))
            });
        bare.then_some(rows)
    }

    pub(super) fn values(&mut self, rows: &[&[Expr<'q>]]) -> Result<()> {
        self.put("VALUES ");
        self.list(rows, |printer, row| {
            printer.put("(");
            for (at, value) in row.iter().enumerate() {
                if at > 0 {
                    printer.put(",");
                }
                printer.top(value, false)?;
            }
            printer.put(")");
            Ok(())
        })
    }

    fn set_tree(&mut self, tree: &SetTree<'q>, query: &'q Query<'q>) -> Result<()> {
        base::stack::check_stack_depth()?;
        let node = match tree {
            SetTree::Leaf(range) => {
                let found = query.ranges.get(range.0 as usize);
                let Some(RangeKind::Subquery { query: inner, .. }) = found.map(|r| r.kind) else {
                    return Ok(());
                };
                let enclosed = !inner.ctes.is_empty()
                    || !inner.order_by.is_empty()
                    || !inner.locking.is_empty()
                    || inner.offset.is_some()
                    || inner.limit.is_some()
                    || inner.set_operation.is_some();
                self.put(if enclosed { "(" } else { "" });
                let (results, visible) = (self.frame.results, self.frame.names_visible);
                self.query_in(inner, results, visible, true)?;
                self.put(if enclosed { ")" } else { "" });
                return Ok(());
            }
            SetTree::Node(node) => node,
        };
        let different = match node.left {
            SetTree::Node(left) => left.kind != node.kind || left.all != node.all,
            SetTree::Leaf(_) => false,
        };
        let step = if different { STEP } else { 0 };
        if different {
            self.put("(");
            self.keyword("", step, 0, 0);
        }
        self.set_tree(&node.left, query)?;
        if different {
            self.keyword(") ", -step, 0, 0);
        } else if self.style.indented {
            self.keyword("", -step, 0, 0);
        } else {
            self.put(" ");
        }
        self.put(match node.kind {
            SetKind::Union => "UNION ",
            SetKind::Intersect => "INTERSECT ",
            SetKind::Except => "EXCEPT ",
        });
        self.put(if node.all { "ALL " } else { "" });
        let enclosed = matches!(node.right, SetTree::Node(_));
        let step = if enclosed { STEP } else { 0 };
        self.put(if enclosed { "(" } else { "" });
        self.keyword("", step, 0, 0);
        let visible = std::mem::replace(&mut self.frame.names_visible, false);
        self.set_tree(&node.right, query)?;
        self.frame.names_visible = visible;
        if self.style.indented {
            self.indent -= step;
        }
        if enclosed {
            self.keyword(")", 0, 0, 0);
        }
        Ok(())
    }
}
