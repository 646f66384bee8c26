//! The expressions of plans.
//!
//! How it works: all query levels of a statement share one list of range names, as they become one
//! list of ranges in PostgreSQL's plans. An expression is printed in the scope of its level. A
//! column of a subquery whose query the plan has taken in is printed as what it stands for there.

use crate::printer::{Frame, Printer, Style};
use crate::scope::{Scope, relation_of, unique_range};
use analyze::Environment;
use analyze::tree::{ColumnUse, Expr, ExprKind, Query, RangeKind, ReturningRow, SubLink};
use base::Result;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use types::Datum;

/// What a subquery in an expression is called.
#[derive(Clone, Debug)]
pub struct SubplanName {
    /// `SubPlan 1` or `InitPlan 1`.
    pub name: String,
    /// Its rows are looked up in a hash table.
    pub hashed: bool,
    /// It depends on nothing and is run once.
    pub initial: bool,
}

/// What the plan knows of its expressions.
pub trait Hooks<'q> {
    /// The value of an expression that planning has folded.
    fn constant(&self, expr: &Expr<'q>) -> Option<Datum<'q>>;

    /// The subplan of a subquery.
    fn subplan(&self, link: &SubLink<'q>) -> Option<SubplanName>;
}

/// A query level of a plan.
#[derive(Clone, Copy, Debug)]
pub struct LevelQuery<'q> {
    /// Its number.
    pub id: u32,
    /// The level around it.
    pub parent: Option<u32>,
    /// Its query.
    pub query: &'q Query<'q>,
}

struct LevelScope<'q> {
    of: LevelQuery<'q>,
    scope: Rc<Scope>,
}

/// The names of all ranges of a plan.
pub struct PlanNames<'q> {
    levels: Vec<LevelScope<'q>>,
    /// Columns show the name of their range.
    pub prefixed: Cell<bool>,
}

/// A plan, as a printer sees it.
#[derive(Clone, Copy)]
pub(crate) struct PlanView<'n, 'q> {
    pub(crate) names: &'n PlanNames<'q>,
    pub(crate) hooks: &'n dyn Hooks<'q>,
}

impl<'q> PlanNames<'q> {
    /// Names for the ranges that the plan reads: `used` has levels with ranges.
    ///
    /// # Errors
    /// Those of reading the catalogs.
    pub fn new(
        env: &dyn Environment,
        levels: &[LevelQuery<'q>],
        used: &HashSet<(u32, u32)>,
    ) -> Result<PlanNames<'q>> {
        let mut counters = HashMap::new();
        let mut named = Vec::new();
        for level in levels {
            let mut names = Vec::new();
            for (at, range) in level.query.ranges.iter().enumerate() {
                let id = (level.id, u32::try_from(at).unwrap_or(u32::MAX));
                let shown = used.contains(&id) || matches!(range.kind, RangeKind::Excluded { .. });
                let own = match range.kind {
                    _ if !shown => None,
                    _ if range.alias_given => Some(range.alias.to_owned()),
                    RangeKind::Join { .. } => None,
                    RangeKind::Values(_) => Some("*VALUES*".to_owned()),
                    _ => match relation_of(&range.kind) {
                        Some(oid) => Some(env.catalog().relation(oid)?.name.clone()),
                        None => Some(range.alias.to_owned()),
                    },
                };
                names.push(own.map(|own| unique_range(&mut counters, own)));
            }
            let scope = Rc::new(Scope::of_plan(env, level.query, names)?);
            named.push(LevelScope { of: *level, scope });
        }
        Ok(PlanNames { levels: named, prefixed: Cell::new(false) })
    }

    fn level(&self, id: u32) -> Option<&LevelScope<'q>> {
        self.levels.iter().find(|level| level.of.id == id)
    }

    /// The name of a range.
    pub fn range(&self, level: u32, range: u32) -> Option<&str> {
        self.level(level)?.scope.ranges.get(range as usize)?.name.as_deref()
    }

    /// The name of a column.
    pub fn column(&self, level: u32, range: u32, attribute: i16) -> Option<&str> {
        let names = self.level(level)?.scope.ranges.get(range as usize)?;
        names.columns.get(usize::try_from(attribute - 1).ok()?)?.as_deref()
    }

    /// The name of a window of a level.
    pub fn window_name(&self, level: u32, number: u32) -> String {
        self.level(level).map(|level| window_name(level.of.query, number)).unwrap_or_default()
    }

    /// The levels around a level, outermost first, itself last.
    fn chain(&self, id: u32) -> Vec<&LevelScope<'q>> {
        let mut chain = Vec::new();
        let mut next = self.level(id);
        while let Some(level) = next {
            chain.push(level);
            next = level.of.parent.and_then(|parent| self.level(parent));
        }
        chain.reverse();
        chain
    }

    /// An expression of a level; `implicit` shows a cast at its top that nobody wrote. In a
    /// condition of a scan the columns of the level's range `scanned` have no prefix.
    ///
    /// # Errors
    /// Those of reading the catalogs.
    pub fn expression(
        &self,
        env: &dyn Environment,
        hooks: &dyn Hooks<'q>,
        level: u32,
        expr: &Expr<'q>,
        implicit: bool,
        scanned: Option<(u32, u32)>,
    ) -> Result<String> {
        let mut printer = Printer::new(env, Style::default());
        printer.plan = Some(PlanView { names: self, hooks });
        printer.frame = Frame {
            prefixed: self.prefixed.get(),
            names_visible: true,
            scanned,
            ..Frame::default()
        };
        printer.enter_level(level);
        printer.expression(expr, implicit)?;
        Ok(printer.text)
    }

    /// The name of a window of a level, and the frame that was written for it.
    ///
    /// # Errors
    /// Those of reading the catalogs.
    pub fn window(
        &self,
        env: &dyn Environment,
        hooks: &dyn Hooks<'q>,
        level: u32,
        number: u32,
    ) -> Result<(String, String)> {
        let Some(found) = self.level(level) else { return Ok(Default::default()) };
        let Some(window) = found.of.query.windows.get(number as usize) else {
            return Ok(Default::default());
        };
        let mut printer = Printer::new(env, Style::default());
        printer.plan = Some(PlanView { names: self, hooks });
        printer.frame = Frame {
            query: Some(found.of.query),
            prefixed: self.prefixed.get(),
            names_visible: true,
            ..Frame::default()
        };
        printer.enter_level(level);
        if window.frame.explicit {
            printer.window_frame(window)?;
        }
        Ok((window_name(found.of.query, number), printer.text))
    }
}

/// The name of a window; those without one are numbered.
pub(crate) fn window_name(query: &Query<'_>, number: u32) -> String {
    let named = |at: u32| query.windows.get(at as usize).and_then(|window| window.name);
    if let Some(name) = named(number) {
        return name.to_owned();
    }
    let before = (0..=number).filter(|at| named(*at).is_none()).count();
    format!("w{before}")
}

impl<'q> Printer<'_, 'q, '_> {
    fn enter_level(&mut self, level: u32) {
        let Some(plan) = self.plan else { return };
        let chain = plan.names.chain(level);
        self.scopes = chain.iter().map(|level| level.scope.clone()).collect();
        self.queries = chain.iter().map(|level| Some(level.of.query)).collect();
        self.levels = chain.iter().map(|level| level.of.id).collect();
    }

    /// Prints a column of a range that the plan does not have; false when it has it.
    pub(crate) fn plan_column(&mut self, column: ColumnUse) -> Result<bool> {
        let Some(plan) = self.plan else { return Ok(false) };
        let at = self.queries.len().checked_sub(1 + usize::from(column.levels_up));
        let Some(at) = at.filter(|_| column.returning == ReturningRow::Default) else {
            return Ok(false);
        };
        let Some(query) = self.queries.get(at).copied().flatten() else { return Ok(false) };
        let Some(range) = query.ranges.get(column.range.0 as usize) else { return Ok(false) };
        let Ok(place) = usize::try_from(column.attribute - 1) else { return Ok(false) };
        let (inner, expr) = match range.kind {
            RangeKind::Join { columns, .. } => (None, columns.get(place).copied()),
            RangeKind::Subquery { query: inner, .. } => {
                let visible = inner.targets.iter().filter(|target| !target.junk);
                let target = visible.map(|target| target.expr).nth(place);
                (Some(inner), target)
            }
            RangeKind::Cte(cte) => {
                // A CTE that is used once is taken in like a subquery.
                let known = plan.names.levels.iter().any(|level| {
                    std::ptr::eq(level.of.query, query)
                        && level
                            .scope
                            .ranges
                            .get(column.range.0 as usize)
                            .is_some_and(|names| names.name.is_some())
                });
                let owner = at.checked_sub(usize::from(cte.levels_up));
                let owner = owner.and_then(|at| self.queries.get(at).copied().flatten());
                let described = owner.and_then(|owner| owner.ctes.get(cte.index as usize));
                match described.filter(|_| !known) {
                    Some(described) => {
                        let inner = described.query;
                        let visible = inner.targets.iter().filter(|target| !target.junk);
                        (Some(inner), visible.map(|target| target.expr).nth(place))
                    }
                    None => return Ok(false),
                }
            }
            _ => return Ok(false),
        };
        let Some(expr) = expr else { return Ok(false) };
        let outer_levels = self.levels.clone();
        let (scopes, queries) = (self.scopes.clone(), self.queries.clone());
        match inner {
            Some(inner) if inner.set_operation.is_some() => return Ok(false),
            Some(inner) => {
                let level =
                    plan.names.levels.iter().find(|level| std::ptr::eq(level.of.query, inner));
                let Some(level) = level else { return Ok(false) };
                self.enter_level(level.of.id);
            }
            None => {
                self.scopes.truncate(at + 1);
                self.queries.truncate(at + 1);
                self.levels.truncate(at + 1);
            }
        }
        let scanned = self.frame.scanned;
        let outer = std::mem::replace(
            &mut self.frame,
            Frame {
                prefixed: plan.names.prefixed.get(),
                names_visible: true,
                scanned,
                ..Frame::default()
            },
        );
        let result = match expr.kind {
            ExprKind::Column(inner) => self.column(inner, expr.ty, false).map(drop),
            _ => self.expression(&expr, true),
        };
        (self.scopes, self.queries, self.frame) = (scopes, queries, outer);
        self.levels = outer_levels;
        result.map(|()| true)
    }
}
