//! Calls of functions, aggregates and window functions.

use crate::plan::window_name;
use crate::printer::Printer;
use analyze::tree::{Aggregate, AggregateKind, Expr, WindowCall};
use base::{Oid, Result};
use catalog::names::qualified;
use catalog::quote_identifier;

/// How SQL/JSON writes an aggregate.
#[derive(Clone, Copy)]
pub(super) struct Special<'s> {
    pub(super) name: &'s str,
    /// What stands behind the arguments.
    pub(super) options: &'s str,
    /// The arguments are a key and a value.
    pub(super) pair: bool,
}

impl<'q> Printer<'_, 'q, '_> {
    /// The name of a function, qualified where the search path finds another.
    pub(crate) fn function_name(&self, oid: Oid) -> Result<String> {
        let catalog = self.env.catalog();
        let row = catalog.proc(oid)?;
        // In GROUP BY these words are something else.
        let grouping = self.frame.in_group_by && matches!(&*row.name, "cube" | "rollup");
        if !grouping && catalog.proc_is_visible(oid)? {
            return Ok(quote_identifier(&row.name));
        }
        Ok(qualified(&catalog.namespace(row.namespace)?.name, &row.name))
    }

    pub(super) fn call(&mut self, function: Oid, args: &[Expr<'q>], variadic: bool) -> Result<()> {
        let name = self.function_name(function)?;
        self.put(&name);
        self.put("(");
        self.arguments(args, variadic)?;
        self.put(")");
        Ok(())
    }

    /// The arguments of a call without the defaults at their end.
    pub(super) fn written<'x>(
        &self,
        function: Oid,
        args: &'x [Expr<'q>],
    ) -> Result<&'x [Expr<'q>]> {
        let defaults = self.env.catalog().proc(function)?.default_count;
        let defaults = usize::try_from(defaults).unwrap_or(0);
        // What nobody wrote stands nowhere in the statement.
        let added = args.iter().rev().take(defaults).take_while(|arg| !was_written(arg)).count();
        Ok(args.get(..args.len() - added).unwrap_or(args))
    }

    fn arguments(&mut self, args: &[Expr<'q>], variadic: bool) -> Result<()> {
        for (at, arg) in args.iter().enumerate() {
            if at > 0 {
                self.put(", ");
            }
            if variadic && at + 1 == args.len() {
                self.put("VARIADIC ");
            }
            self.expression(arg, true)?;
        }
        Ok(())
    }

    fn special_arguments(&mut self, args: &[Expr<'q>], special: Special<'_>) -> Result<()> {
        for (at, arg) in args.iter().enumerate() {
            if at > 0 {
                self.put(if special.pair { " : " } else { ", " });
            }
            self.expression(arg, true)?;
        }
        Ok(())
    }

    pub(super) fn aggregate(&mut self, aggregate: &Aggregate<'q>) -> Result<()> {
        self.aggregate_as(aggregate, None)
    }

    pub(super) fn aggregate_as(
        &mut self,
        aggregate: &Aggregate<'q>,
        special: Option<Special<'_>>,
    ) -> Result<()> {
        let name = match special {
            Some(special) => special.name.to_owned(),
            None => self.function_name(aggregate.function)?,
        };
        self.put(&name);
        self.put("(");
        if !aggregate.distinct.is_empty() {
            self.put("DISTINCT ");
        }
        if aggregate.kind == AggregateKind::Normal {
            let count = aggregate.arg_count as usize;
            match (aggregate.star, special) {
                (true, _) => self.put("*"),
                (false, Some(special)) => {
                    let own = aggregate.args.get(..count).unwrap_or(aggregate.args);
                    self.special_arguments(own, special)?;
                }
                (false, None) => {
                    let own = aggregate.args.get(..count).unwrap_or(aggregate.args);
                    self.arguments(own, aggregate.variadic)?;
                }
            }
            if !aggregate.order_by.is_empty() {
                self.put(" ORDER BY ");
                self.order_by_args(aggregate.order_by, aggregate.args)?;
            }
            self.put(special.map_or("", |special| special.options));
        } else {
            self.expressions(aggregate.direct_args, true)?;
            self.put(") WITHIN GROUP (ORDER BY ");
            self.order_by_args(aggregate.order_by, aggregate.args)?;
        }
        self.filter(aggregate.filter)?;
        self.put(")");
        Ok(())
    }

    fn filter(&mut self, filter: Option<&Expr<'q>>) -> Result<()> {
        let Some(filter) = filter else { return Ok(()) };
        self.put(") FILTER (WHERE ");
        self.expression(filter, false)
    }

    pub(super) fn window_call(&mut self, call: &WindowCall<'q>) -> Result<()> {
        self.window_call_as(call, None)
    }

    pub(super) fn window_call_as(
        &mut self,
        call: &WindowCall<'q>,
        special: Option<Special<'_>>,
    ) -> Result<()> {
        let name = match special {
            Some(special) => special.name.to_owned(),
            None => self.function_name(call.function)?,
        };
        self.put(&name);
        self.put("(");
        match (call.star, special) {
            (true, _) => self.put("*"),
            (false, Some(special)) => {
                self.special_arguments(call.args, special)?;
                self.put(special.options);
            }
            (false, None) => self.expressions(call.args, true)?,
        }
        self.filter(call.filter)?;
        self.put(") OVER ");
        let window = self.frame.query.and_then(|q| q.windows.get(call.window as usize));
        match window {
            Some(window) => match window.name {
                Some(name) => {
                    self.name(name);
                    Ok(())
                }
                None => self.window(window),
            },
            // In a plan windows have names by number.
            None => {
                let query = self.queries.last().copied().flatten();
                let name = query.map(|query| window_name(query, call.window));
                self.name(&name.unwrap_or_default());
                Ok(())
            }
        }
    }

    pub(super) fn grouping(&mut self, items: &[u32], levels_up: u16) -> Result<()> {
        self.put("GROUPING(");
        let at = self.queries.len().checked_sub(1 + usize::from(levels_up));
        let query = at.and_then(|at| self.queries.get(at).copied().flatten());
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.put(", ");
            }
            let target = query.and_then(|query| {
                query.targets.get(query.group_by.get(*item as usize)?.target as usize)
            });
            if let Some(target) = target {
                self.expression(&target.expr, true)?;
            }
        }
        self.put(")");
        Ok(())
    }
}

fn was_written(expr: &Expr<'_>) -> bool {
    let mut found = expr.at.is_some();
    analyze::walk::children(expr, &mut |part| found |= was_written(part));
    found
}
