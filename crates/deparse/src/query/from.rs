//! FROM.

use crate::expression::looks_like_function;
use crate::printer::{Printer, SMALL_STEP, STEP};
use crate::scope::{is_json_table, relation_of};
use analyze::tree::{Expr, ExprKind, FromItem, FunctionRange, JoinKind, Range, RangeId, RangeKind};
use base::{Oid, Result};
use types::oids;

/// `unnest(anyarray)`
const UNNEST: Oid = Oid(2331);

impl<'q> Printer<'_, 'q, '_> {
    pub(super) fn from(&mut self, items: &[FromItem<'q>], word: &str) -> Result<()> {
        let mut first = true;
        for item in items {
            if let FromItem::Range(range) = item
                && !self.range(*range).is_some_and(|range| range.in_from)
            {
                continue;
            }
            if first {
                self.keyword(word, -STEP, STEP, 2);
                self.place_item(item)?;
                first = false;
                continue;
            }
            self.put(", ");
            let printed = self.apart(|printer| printer.place_item(item))?;
            self.broken(&printed, true, false);
            self.put(&printed);
        }
        Ok(())
    }

    fn range(&self, range: RangeId) -> Option<&'q Range<'q>> {
        self.frame.query?.ranges.get(range.0 as usize)
    }

    fn place_item(&mut self, item: &FromItem<'q>) -> Result<()> {
        base::stack::check_stack_depth()?;
        match item {
            FromItem::Range(range) => self.place_range(*range),
            FromItem::Join { range, .. } => {
                self.inside.push(*range);
                let result = self.join(item, *range);
                self.inside.pop();
                result?;
                if self.range(*range).is_some_and(|range| range.alias_given) {
                    let name = self.range_name(*range);
                    self.put(&format!(" {name}"));
                    self.column_aliases(*range);
                }
                Ok(())
            }
        }
    }

    fn join(&mut self, item: &FromItem<'q>, range: RangeId) -> Result<()> {
        let FromItem::Join { kind, left, right, on, using, .. } = item else { return Ok(()) };
        let aliased = self.range(range).is_some_and(|range| range.alias_given);
        let enclosed = !self.style.few_parentheses || aliased;
        self.put(if enclosed { "(" } else { "" });
        self.place_item(left)?;
        let word = match (kind, on) {
            (JoinKind::Inner, None) => " CROSS JOIN ",
            (JoinKind::Inner, Some(_)) => " JOIN ",
            (JoinKind::Left, _) => " LEFT JOIN ",
            (JoinKind::Full, _) => " FULL JOIN ",
            (JoinKind::Right, _) => " RIGHT JOIN ",
        };
        self.keyword(word, -STEP, STEP, SMALL_STEP);
        let right_enclosed = self.style.few_parentheses
            && match right {
                FromItem::Range(_) => false,
                FromItem::Join { range, .. } => {
                    !self.range(*range).is_some_and(|range| range.alias_given)
                }
            };
        self.put(if right_enclosed { "(" } else { "" });
        self.place_item(right)?;
        self.put(if right_enclosed { ")" } else { "" });
        if !using.is_empty() {
            self.using(range)?;
        } else if let Some(on) = on {
            self.put(" ON ");
            self.enclosed(|printer| printer.expression(on, false))?;
        } else if *kind != JoinKind::Inner {
            self.put(" ON TRUE");
        }
        self.put(if enclosed { ")" } else { "" });
        Ok(())
    }

    fn using(&mut self, range: RangeId) -> Result<()> {
        let names = self.scopes.last().and_then(|scope| scope.ranges.get(range.0 as usize));
        let names = names.map(|names| names.using.clone()).unwrap_or_default();
        self.put(" USING (");
        self.list(&names, |printer, name| {
            printer.name(name);
            Ok(())
        })?;
        self.put(")");
        if let Some(RangeKind::Join { using_alias: Some(alias), .. }) =
            self.range(range).map(|range| range.kind)
        {
            self.put(" AS ");
            self.name(alias);
        }
        Ok(())
    }

    fn place_range(&mut self, id: RangeId) -> Result<()> {
        let Some(range) = self.range(id) else { return Ok(()) };
        if range.lateral {
            self.put("LATERAL ");
        }
        // A function that returns a record needs the types of its columns.
        let mut typed = None;
        match range.kind {
            RangeKind::Relation { relation, inherit, .. } => {
                self.put(if inherit { "" } else { "ONLY " });
                self.relation_name(relation)?;
            }
            RangeKind::Subquery { view, .. } if view.is_valid() => self.relation_name(view)?,
            RangeKind::Subquery { query, .. } => {
                self.put("(");
                self.query(query, None, true)?;
                self.put(")");
            }
            RangeKind::Functions { functions, ordinality } => {
                typed = self.functions(range, functions, ordinality)?;
            }
            RangeKind::Values(rows) => {
                self.put("(");
                self.values(rows)?;
                self.put(")");
            }
            RangeKind::Cte(_) => {
                let name = self.cte_name(range);
                self.name(&name);
            }
            RangeKind::Join { .. } | RangeKind::Excluded { .. } => {}
        }
        self.range_alias(id, range, "")?;
        match typed {
            Some(function) => self.column_types(Some(id), range, &function),
            None => {
                self.column_aliases(id);
                Ok(())
            }
        }
    }

    fn cte_name(&self, range: &Range<'q>) -> String {
        let RangeKind::Cte(cte) = range.kind else { return String::new() };
        let at = self.queries.len().checked_sub(1 + usize::from(cte.levels_up));
        let query = at.and_then(|at| self.queries.get(at).copied().flatten());
        let found = query.and_then(|query| query.ctes.get(cte.index as usize));
        found.map_or_else(|| range.alias.to_owned(), |cte| cte.name.to_owned())
    }

    /// The alias of a range, where it is not called what it is.
    pub(super) fn range_alias(&mut self, id: RangeId, range: &Range<'q>, word: &str) -> Result<()> {
        let names = self.scopes.last().and_then(|scope| scope.ranges.get(id.0 as usize));
        let Some(names) = names else { return Ok(()) };
        let name = names.name.clone().unwrap_or_default();
        let shown = range.alias_given
            || names.print_aliases
            || match range.kind {
                RangeKind::Cte(_) => name != self.cte_name(range),
                RangeKind::Functions { .. } if is_json_table(&range.kind) => false,
                _ => match relation_of(&range.kind) {
                    Some(oid) => name != self.env.catalog().relation(oid)?.name,
                    None => true,
                },
            };
        if shown {
            self.put(word);
            self.put(" ");
            self.name(&name);
        }
        Ok(())
    }

    fn column_aliases(&mut self, id: RangeId) {
        let names = self.scopes.last().and_then(|scope| scope.ranges.get(id.0 as usize));
        let Some(names) = names.filter(|names| names.print_aliases) else { return };
        let list: Vec<String> =
            names.columns.iter().flatten().map(|name| catalog::quote_identifier(name)).collect();
        if !list.is_empty() {
            self.put(&format!("({})", list.join(", ")));
        }
    }

    fn functions(
        &mut self,
        range: &Range<'q>,
        functions: &[FunctionRange<'q>],
        ordinality: bool,
    ) -> Result<Option<FunctionRange<'q>>> {
        let typed = |function: &FunctionRange<'q>| {
            function.call.ty.oid.0 == oids::RECORD && !self.has_result_columns(&function.call)
        };
        let needs: Vec<bool> = functions.iter().map(typed).collect();
        let mut alone = None;
        match (functions, &needs[..]) {
            ([only], [needs]) if !needs || !ordinality => {
                self.function_call(&only.call)?;
                alone = needs.then_some(*only);
            }
            _ if functions.iter().all(|function| unnest_argument(&function.call).is_some()) => {
                self.put("UNNEST(");
                self.list(functions, |printer, function| match unnest_argument(&function.call) {
                    Some(arg) => printer.expression(arg, true),
                    None => Ok(()),
                })?;
                self.put(")");
            }
            _ => {
                self.put("ROWS FROM(");
                for (at, (function, needs)) in functions.iter().zip(needs).enumerate() {
                    self.put(if at > 0 { ", " } else { "" });
                    self.function_call(&function.call)?;
                    if needs {
                        self.put(" AS ");
                        self.column_types(None, range, function)?;
                    }
                }
                self.put(")");
            }
        }
        if ordinality {
            self.put(" WITH ORDINALITY");
        }
        Ok(alone)
    }

    /// Whether a function says itself which columns it returns.
    fn has_result_columns(&self, call: &Expr<'_>) -> bool {
        let ExprKind::Function { function, .. } = call.kind else { return true };
        let Ok(proc) = self.env.catalog().proc(function) else { return true };
        proc.all_args.is_some()
    }

    fn function_call(&mut self, call: &Expr<'q>) -> Result<()> {
        if looks_like_function(call) {
            return self.expression(call, true);
        }
        self.put("CAST(");
        self.expression(call, false)?;
        self.put(" AS ");
        self.type_name(call.ty.oid, call.ty.typmod)?;
        self.put(")");
        Ok(())
    }

    /// `(name type, ...)`
    fn column_types(
        &mut self,
        id: Option<RangeId>,
        range: &Range<'q>,
        function: &FunctionRange<'q>,
    ) -> Result<()> {
        let names: Vec<String> = match id {
            Some(id) => self
                .scopes
                .last()
                .and_then(|scope| scope.ranges.get(id.0 as usize))
                .map(|names| names.columns.iter().flatten().cloned().collect())
                .unwrap_or_default(),
            None => range.columns.iter().map(|name| (*name).to_owned()).collect(),
        };
        self.put("(");
        for (at, (name, ty)) in names.iter().zip(function.types).enumerate() {
            self.put(if at > 0 { ", " } else { "" });
            self.name(name);
            self.put(" ");
            self.type_name(ty.oid, ty.typmod)?;
            if ty.collation.is_valid() && ty.collation != self.collation_of_type(ty.oid)? {
                let name = self.collation_name(ty.collation)?;
                self.put(&format!(" COLLATE {name}"));
            }
        }
        self.put(")");
        Ok(())
    }
}

fn unnest_argument<'c, 'q>(call: &'c Expr<'q>) -> Option<&'c Expr<'q>> {
    match call.kind {
        ExprKind::Function { function: UNNEST, args: [only], .. } => Some(only),
        _ => None,
    }
}
