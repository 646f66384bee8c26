//! Subqueries in FROM, views and inlined WITH queries among them, before a statement is planned.
//!
//! # How it works
//! `Planner::prepared` goes through a bound query from the outside in. A subquery that is a plain
//! join of tables is taken into the query around it (`take_in`): its ranges, FROM and condition
//! become parts of that query, and its columns are replaced by what they stand for. Into any other
//! subquery go the conditions that see only its columns and mean the same there (`conditions`).
//! Row locks of a subquery are locks of the tables in it (`locks`).
//!
//! # Rules
//! 1. The bound tree stays as it is; a query without subqueries is handed back itself.
//! 2. A column with a volatile call, a set or a subquery in it keeps its query whole, and so does one
//!    that is read as a row.
//! 3. Below the nullable side of an outer join, and where grouping sets make keys NULL, a column that
//!    is replaced must be a plain one.
//! 4. Views with `security_barrier` keep their rows to themselves: nothing goes into them, and they
//!    go into nothing.
//! 5. A condition goes into a subquery only where it takes whole groups, partitions or sets of equal
//!    rows away, and never below LIMIT.
//!
//! Sources: the PostgreSQL documentation, "The Rule System" and CREATE VIEW; Galindo-Legaria and
//! Rosenthal, "Outerjoin simplification and reordering for query optimization" (1997).

mod conditions;
mod locks;
mod take_in;

use crate::planner::Planner;
use crate::range::visible_targets;
use analyze::replace::{self, Replacement};
use analyze::tree::{
    Command, Cte, CteUse, Expr, ExprKind, Materialize, Query, RangeId, RangeKind, Type,
};
use analyze::walk;
use base::{Oid, Result};
use memory::Bump;
use types::oids;

impl<'e, 'q, 'p> Planner<'e, 'q, 'p> {
    /// The query that is planned in a query's place.
    ///
    /// # Errors
    /// 0A000 for row locks of what is no row of a table; 53200, 54001
    pub(crate) fn prepared(&self, query: &'q Query<'q>) -> Result<&'q Query<'q>> {
        base::stack::check_stack_depth()?;
        let subqueries =
            query.ranges.iter().any(|range| matches!(range.kind, RangeKind::Subquery { .. }));
        if !subqueries && !query.has_sublinks && query.ctes.is_empty() {
            return Ok(query);
        }
        let mut query = *query;
        self.take_ctes_in(&mut query)?;
        if matches!(query.command, Command::Select | Command::Update | Command::Delete) {
            self.take_in(&mut query)?;
            self.lock_inside(&mut query)?;
            self.hand_conditions_down(&mut query)?;
        }
        self.prepare_inside(query)
    }

    /// The queries inside a query, prepared.
    fn prepare_inside(&self, query: Query<'q>) -> Result<&'q Query<'q>> {
        let mut inside = Inside { planner: self };
        let query = if query.has_sublinks {
            replace::query_parts(&mut inside, &query, 0)?
        } else {
            let ranges = query.ranges.iter().map(|range| match range.kind {
                RangeKind::Subquery { .. } => replace::range(&mut inside, range, 0),
                _ => Ok(*range),
            });
            Query { ranges: self.trees.try_alloc_slice(ranges)?, ..query }
        };
        let ctes =
            query.ctes.iter().map(|cte| Ok(Cte { query: self.prepared(cte.query)?, ..*cte }));
        let ctes = self.trees.try_alloc_slice(ctes)?;
        Ok(self.trees.alloc(Query { ctes, ..query })?)
    }

    /// Makes subqueries of what stands in WITH and is computed where it is read.
    fn take_ctes_in(&self, query: &mut Query<'q>) -> Result<()> {
        let mut ranges = query.ranges.to_vec();
        let mut changed = false;
        for range in &mut ranges {
            let RangeKind::Cte(CteUse { index, levels_up: 0, self_reference: false }) = range.kind
            else {
                continue;
            };
            let Some(cte) = query.ctes.get(index as usize) else { continue };
            if self.is_inline(cte)? {
                range.kind = RangeKind::Subquery { query: cte.query, view: Oid::INVALID };
                changed = true;
            }
        }
        if changed {
            query.ranges = self.trees.alloc_slice_copy(&ranges)?;
        }
        Ok(())
    }

    /// Whether a query in WITH is computed where it is read, not once for all.
    pub(crate) fn is_inline(&self, cte: &Cte<'q>) -> Result<bool> {
        Ok(!cte.recursive
            && cte.query.command == Command::Select
            && match cte.materialize {
                Materialize::Always => false,
                Materialize::Never => true,
                Materialize::Default => cte.uses <= 1,
            }
            && !self.is_query_volatile(cte.query)?)
    }

    /// Whether a subquery is a view's that keeps its rows to itself (rule 4).
    fn is_barrier(&self, view: Oid) -> Result<bool> {
        Ok(view.is_valid()
            && self
                .catalog()
                .relation(view)?
                .option("security_barrier")
                .is_some_and(analyze::is_true))
    }

    /// The conjunction of conditions.
    fn both(&self, one: Option<&'q Expr<'q>>, others: &[Expr<'q>]) -> Result<Option<&'q Expr<'q>>> {
        let mut all: Vec<Expr<'q>> = one.into_iter().copied().collect();
        all.extend_from_slice(others);
        Ok(match all.as_slice() {
            [] => None,
            [single] => Some(self.trees.alloc(*single)?),
            _ => {
                let kind = ExprKind::And(self.trees.alloc_slice_copy(&all)?);
                Some(self.tree(kind, Type::plain(Oid(oids::BOOL)))?)
            }
        })
    }
}

/// Prepares the queries in a query, and changes nothing else.
struct Inside<'a, 'e, 'q, 'p> {
    planner: &'a Planner<'e, 'q, 'p>,
}

impl<'q> Replacement<'q> for Inside<'_, '_, 'q, '_> {
    fn trees(&self) -> &'q Bump {
        self.planner.trees
    }

    fn sub_query(&mut self, query: &'q Query<'q>, _: u16) -> Result<&'q Query<'q>> {
        self.planner.prepared(query)
    }
}

/// Moves an expression some levels deeper: what is `beyond` levels above it or more is `by` more
/// levels away then.
struct Deeper<'q> {
    trees: &'q Bump,
    by: u16,
    beyond: u16,
}

impl<'q> Replacement<'q> for Deeper<'q> {
    fn trees(&self) -> &'q Bump {
        self.trees
    }

    fn levels_up(&self, levels_up: u16, depth: u16) -> u16 {
        if levels_up >= depth + self.beyond { levels_up + self.by } else { levels_up }
    }
}

/// The columns that a subquery shows, as expressions of its own.
fn shown<'q>(query: &'q Query<'q>) -> Vec<&'q Expr<'q>> {
    let targets = visible_targets(query);
    targets.iter().map(|target| &query.targets[usize::from(*target)].expr).collect()
}

/// The subquery that a range is, and the view that it comes from.
fn subquery_of<'q>(query: &Query<'q>, range: RangeId) -> Option<(&'q Query<'q>, Oid)> {
    match query.ranges.get(range.0 as usize)?.kind {
        RangeKind::Subquery { query, view } => Some((query, view)),
        _ => None,
    }
}

/// Whether a range is read as a row somewhere in a query.
fn is_read_as_row<'q>(query: &'q Query<'q>, range: RangeId) -> bool {
    let mut found = false;
    walk::visit_query(query, 0, &mut |part, depth| {
        if let ExprKind::Column(column) = part.kind {
            found |= column.levels_up == depth && column.range == range && column.attribute <= 0;
        }
        !found
    });
    found
}
