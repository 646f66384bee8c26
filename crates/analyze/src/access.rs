//! What a query needs privileges for.
//!
//! # Rules
//! 1. Every relation in FROM needs SELECT, on the columns that are used anywhere; a relation of
//!    which no column is used needs it on any column. A target needs what is done to it, and SELECT
//!    when columns of it are used.
//! 2. What a view reads is checked for the view's owner, the view itself for who asks. A view with
//!    `security_invoker` reads as the current user.
//! 3. A column of a join is the columns that it stands for; a column of EXCLUDED is one of the target.

use crate::tree::{
    ColumnUse, Command, ConflictAction, Expr, ExprKind, FunctionForm, Query, Range, RangeKind,
};
use crate::walk;
use base::{Oid, Result};
use catalog::Catalog;
use catalog::acl::Privileges;

/// What is needed on one relation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Needed {
    /// The relation.
    pub relation: Oid,
    /// Whose privileges count: 0 is the current user.
    pub check_as: Oid,
    /// What is needed; for SELECT, INSERT and UPDATE on the columns below.
    pub privileges: Privileges,
    /// Attributes that are read; 0 is the whole row.
    pub selected: Vec<i16>,
    /// Attributes that INSERT names.
    pub inserted: Vec<i16>,
    /// Attributes that UPDATE sets.
    pub updated: Vec<i16>,
}

/// What a query needs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Access {
    /// On relations.
    pub relations: Vec<Needed>,
    /// The functions that it calls.
    pub functions: Vec<Oid>,
}

/// What a query needs.
///
/// # Errors
/// Those of reading the catalogs.
pub fn access(catalog: &Catalog, query: &Query<'_>) -> Result<Access> {
    let (access, levels, changed_views) = (Access::default(), Vec::new(), Vec::new());
    let mut collector = Collector { catalog, access, levels, changed_views };
    collector.query(query, Oid::INVALID, false)?;
    // A view that is changed is asked for before what it is changed into.
    for (to, from) in collector.changed_views.iter().rev().enumerate() {
        let entry = collector.access.relations.remove(*from + to);
        collector.access.relations.insert(to, entry);
    }
    collector.access.functions.sort_unstable();
    collector.access.functions.dedup();
    Ok(collector.access)
}

struct Level<'q> {
    ranges: &'q [Range<'q>],
    /// For each range its place in `relations`.
    places: Vec<Option<usize>>,
}

struct Collector<'q, 'c> {
    catalog: &'c Catalog,
    access: Access,
    levels: Vec<Level<'q>>,
    /// Where the views stand through which tables are changed, innermost first.
    changed_views: Vec<usize>,
}

fn add(list: &mut Vec<i16>, attribute: i16) {
    if !list.contains(&attribute) {
        list.push(attribute);
    }
}

impl<'q> Collector<'q, '_> {
    fn query(&mut self, query: &'q Query<'q>, check_as: Oid, locked: bool) -> Result<()> {
        let mut places: Vec<Option<usize>> =
            query.ranges.iter().map(|range| self.range(range, check_as, locked)).collect();
        self.changed_views(query, check_as, &mut places);
        if let (Some(conflict), Some(target)) = (query.on_conflict, query.result_relation)
            && let Some(of_target) = places.get(target.0 as usize).copied()
            && let Some(place) = places.get_mut(conflict.excluded.0 as usize)
        {
            *place = of_target;
        }
        self.levels.push(Level { ranges: query.ranges, places });
        self.target(query)?;
        for mark in query.locking {
            self.need(mark.range.0 as usize, "w");
        }
        for (at, range) in query.ranges.iter().enumerate() {
            if let RangeKind::Subquery { query: inner, view } = range.kind {
                let locks = query.locking.iter().any(|mark| mark.range.0 as usize == at);
                let inside = if view.is_valid() { self.owner_of(view)? } else { check_as };
                self.query(inner, inside, locked || locks)?;
            }
        }
        for cte in query.ctes {
            self.query(cte.query, check_as, false)?;
        }
        let mut expressions = Vec::new();
        walk::query_expressions(query, &mut |expr| expressions.push(expr));
        for expr in expressions {
            if !is_join_column(query, expr) {
                self.expression(expr, check_as)?;
            }
        }
        self.levels.pop();
        Ok(())
    }

    /// A table that is changed through views needs privileges of the owner of the view over it;
    /// each view those of the one above, the outermost the user's own.
    fn changed_views(&mut self, query: &Query<'_>, check_as: Oid, places: &mut [Option<usize>]) {
        let mut below = query.result_relation;
        let owners = query.changed_views.iter().map(|one| one.owner).chain([check_as]);
        for (at, owner) in owners.enumerate() {
            if query.changed_views.is_empty() {
                return;
            }
            let place = below.and_then(|range| places.get(range.0 as usize).copied().flatten());
            if let Some(entry) = place.and_then(|place| self.access.relations.get_mut(place)) {
                entry.check_as = owner;
            }
            let Some(one) = query.changed_views.get(at) else { return };
            self.access.relations.push(Needed {
                relation: one.view,
                check_as,
                privileges: Privileges::of(""),
                selected: Vec::new(),
                inserted: Vec::new(),
                updated: Vec::new(),
            });
            self.changed_views.push(self.access.relations.len() - 1);
            if let Some(place) = places.get_mut(one.range.0 as usize) {
                *place = Some(self.access.relations.len() - 1);
            }
            below = Some(one.range);
        }
    }

    /// The same is done to the views through which a table is changed as to the table.
    fn target_views(&mut self, query: &Query<'_>, letters: &str, written: &[i16]) {
        let mut written = written.to_vec();
        for one in query.changed_views {
            let RangeKind::Join { columns, .. } = query.ranges[one.range.0 as usize].kind else {
                continue;
            };
            let is_written = |expr: &Expr<'_>| match expr.kind {
                ExprKind::Column(column) => written.contains(&column.attribute),
                _ => false,
            };
            let above = columns.iter().zip(1i16..).filter(|(expr, _)| is_written(expr));
            written = above.map(|(_, attribute)| attribute).collect();
            let range = one.range.0 as usize;
            self.need(range, letters);
            match letters {
                "a" => self.write(range, &written, |entry| &mut entry.inserted),
                "w" => self.write(range, &written, |entry| &mut entry.updated),
                _ => {}
            }
        }
    }

    fn range(&mut self, range: &Range<'_>, check_as: Oid, locked: bool) -> Option<usize> {
        let relation = match range.kind {
            RangeKind::Relation { relation, .. } => relation,
            RangeKind::Subquery { view, .. } if view.is_valid() => view,
            _ => return None,
        };
        let privileges = match (range.in_from, locked) {
            (false, _) => "",
            (true, false) => "r",
            (true, true) => "rw",
        };
        self.access.relations.push(Needed {
            relation,
            check_as,
            privileges: Privileges::of(privileges),
            selected: Vec::new(),
            inserted: Vec::new(),
            updated: Vec::new(),
        });
        Some(self.access.relations.len() - 1)
    }

    fn owner_of(&self, view: Oid) -> Result<Oid> {
        let relation = self.catalog.relation(view)?;
        let invoker = relation.option("security_invoker").is_some_and(crate::view::is_true);
        Ok(if invoker { Oid::INVALID } else { relation.owner })
    }

    /// The entry of a range of the innermost level.
    fn entry(&mut self, range: usize) -> Option<&mut Needed> {
        let place = *self.levels.last()?.places.get(range)?;
        self.access.relations.get_mut(place?)
    }

    fn need(&mut self, range: usize, letters: &str) {
        if let Some(entry) = self.entry(range) {
            entry.privileges = entry.privileges.union(Privileges::of(letters));
        }
    }

    /// What is done to the relation that a statement changes.
    fn target(&mut self, query: &'q Query<'q>) -> Result<()> {
        let Some(range) = query.result_relation else { return Ok(()) };
        let range = range.0 as usize;
        let assigned = |count: usize| query.assignments.iter().take(count).map(|one| one.attribute);
        match query.command {
            Command::Select => {}
            Command::Insert => {
                self.need(range, "a");
                let written = assigned(query.written as usize).collect::<Vec<_>>();
                self.write(range, &written, |entry| &mut entry.inserted);
                self.target_views(query, "a", &written);
            }
            Command::Update => {
                self.need(range, "w");
                let written = assigned(usize::MAX).collect::<Vec<_>>();
                self.write(range, &written, |entry| &mut entry.updated);
                self.target_views(query, "w", &written);
            }
            Command::Delete => {
                self.need(range, "d");
                self.target_views(query, "d", &[]);
            }
            Command::Merge => self.merge(query, range),
        }
        let Some(conflict) = query.on_conflict else { return Ok(()) };
        if let ConflictAction::Update { assignments, .. } = conflict.action {
            self.need(range, "w");
            let written: Vec<i16> = assignments.iter().map(|one| one.attribute).collect();
            self.write(range, &written, |entry| &mut entry.updated);
        }
        for arbiter in conflict.arbiters {
            let index = self.catalog.index(*arbiter)?;
            self.need(range, "r");
            let keys: Vec<i16> = index.keys.iter().map(|key| key.attribute).collect();
            let columns: Vec<i16> = keys.into_iter().filter(|attribute| *attribute > 0).collect();
            self.write(range, &columns, |entry| &mut entry.selected);
        }
        Ok(())
    }

    fn merge(&mut self, query: &'q Query<'q>, range: usize) {
        for action in query.merge.map_or(&[][..], |merge| merge.actions) {
            let written = action.assignments.iter().take(action.written as usize);
            let written: Vec<i16> = written.map(|one| one.attribute).collect();
            match action.command {
                Some(Command::Insert) => {
                    self.need(range, "a");
                    self.write(range, &written, |entry| &mut entry.inserted);
                    self.target_views(query, "a", &written);
                }
                Some(Command::Update) => {
                    self.need(range, "w");
                    self.write(range, &written, |entry| &mut entry.updated);
                    self.target_views(query, "w", &written);
                }
                Some(Command::Delete) => {
                    self.need(range, "d");
                    self.target_views(query, "d", &[]);
                }
                _ => {}
            }
        }
    }

    fn write(&mut self, range: usize, columns: &[i16], list: fn(&mut Needed) -> &mut Vec<i16>) {
        if let Some(entry) = self.entry(range) {
            let list = list(entry);
            columns.iter().for_each(|attribute| add(list, *attribute));
        }
    }

    fn expression(&mut self, expr: &'q Expr<'q>, check_as: Oid) -> Result<()> {
        match expr.kind {
            ExprKind::Column(column) => self.read(&column),
            // The row id that it compares is nothing that the user reads.
            ExprKind::Operator {
                args: [_, Expr { kind: ExprKind::CurrentOf { .. }, .. }], ..
            } => {
                return Ok(());
            }
            ExprKind::Function { form: FunctionForm::Identity, .. } => {}
            ExprKind::Function { function, .. }
            | ExprKind::Operator { function, .. }
            | ExprKind::ScalarArray { function, .. }
            | ExprKind::Distinct { function, .. }
            | ExprKind::NullIf { function, .. } => self.access.functions.push(function),
            ExprKind::Aggregate(aggregate) => self.access.functions.push(aggregate.function),
            ExprKind::Window(call) => self.access.functions.push(call.function),
            _ => {}
        }
        let mut parts = Vec::new();
        walk::children(expr, &mut |part| parts.push(part));
        for part in parts {
            self.expression(part, check_as)?;
        }
        match walk::sub_query(expr) {
            Some(query) => self.query(query, check_as, false),
            None => Ok(()),
        }
    }

    /// Notes that a column is read.
    fn read(&mut self, column: &ColumnUse) {
        let depth = usize::from(column.levels_up) + 1;
        let Some(at) = self.levels.len().checked_sub(depth) else { return };
        let level = &self.levels[at];
        let range = column.range.0 as usize;
        if let Some(RangeKind::Join { columns, .. }) = level.ranges.get(range).map(|one| one.kind) {
            if let Some(Some(place)) = level.places.get(range)
                && let Some(entry) = self.access.relations.get_mut(*place)
            {
                entry.privileges = entry.privileges.union(Privileges::of("r"));
                add(&mut entry.selected, column.attribute);
            }
            // What stands inside speaks of the join's level.
            let wanted = usize::try_from(column.attribute).unwrap_or(0);
            let meant = match wanted.checked_sub(1) {
                Some(one) => columns.get(one..=one).unwrap_or_default(),
                None => columns,
            };
            let mut uses = Vec::new();
            for expr in meant {
                walk::visit(expr, 0, &mut |part, _| {
                    if let ExprKind::Column(inner) = part.kind {
                        uses.push(inner);
                    }
                    true
                });
            }
            for mut inner in uses {
                inner.levels_up += column.levels_up;
                self.read(&inner);
            }
            return;
        }
        let Some(Some(place)) = level.places.get(range) else { return };
        if let Some(entry) = self.access.relations.get_mut(*place) {
            entry.privileges = entry.privileges.union(Privileges::of("r"));
            add(&mut entry.selected, column.attribute);
        }
    }
}

/// Whether an expression is what a column of a join stands for: it is met where it is used.
fn is_join_column(query: &Query<'_>, expr: &Expr<'_>) -> bool {
    query.ranges.iter().any(|range| match range.kind {
        RangeKind::Join { columns, .. } => columns.iter().any(|one| std::ptr::eq(one, expr)),
        _ => false,
    })
}
