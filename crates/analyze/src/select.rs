//! SELECT and VALUES.

use crate::coerce::TEXT;
use crate::scope::{Clause, Level};
use crate::target::Targets;
use crate::tree::{
    ColumnUse, Command, Distinct, Expr, ExprKind, FromItem, Overriding, Query, Range, RangeKind,
    ReturningRow, Target, Type,
};
use crate::{Analyzer, byte_of};
use base::{Error, Oid, Result, err};
use parse::{Location, SelectStmt};

/// A query with nothing in it.
pub(crate) fn empty_query<'q>(command: Command) -> Query<'q> {
    Query {
        command,
        ranges: &[],
        from: &[],
        filter: None,
        targets: &[],
        ctes: &[],
        recursive: false,
        group_by: &[],
        grouping_sets: &[],
        grouping: &[],
        group_distinct: false,
        having: None,
        windows: &[],
        distinct: Distinct::None,
        order_by: &[],
        offset: None,
        limit: None,
        with_ties: false,
        set_operation: None,
        locking: &[],
        result_relation: None,
        assignments: &[],
        written: 0,
        overriding: Overriding::None,
        on_conflict: None,
        merge: None,
        view_checks: &[],
        changed_views: &[],
        returning: &[],
        has_aggregates: false,
        has_windows: false,
        has_target_sets: false,
        has_sublinks: false,
        has_modifying_cte: false,
    }
}

impl<'q> Analyzer<'q, '_> {
    pub(crate) fn select(
        &self,
        stmt: &SelectStmt<'_>,
        parent: Option<&Level<'q, '_>>,
    ) -> Result<Query<'q>> {
        let level = Level::new(parent);
        self.select_at(&level, stmt, true)
    }

    /// A SELECT of any form at a level made for it. Literals of undecided type become text unless
    /// the query around decides.
    pub(crate) fn select_at(
        &self,
        level: &Level<'q, '_>,
        stmt: &SelectStmt<'_>,
        resolve_unknowns: bool,
    ) -> Result<Query<'q>> {
        base::stack::check_stack_depth()?;
        if let (Some(into), true) = (stmt.into, level.parent.is_some()) {
            let error = err!(SYNTAX_ERROR, "SELECT ... INTO is not allowed here");
            return Err(self.at(error, into.relation.location));
        }
        let ctes = self.with_clause(level, stmt.with)?;
        let mut query = if stmt.set_operation.is_some() {
            self.set_select(level, stmt, None)?
        } else if !stmt.values.is_empty() {
            self.values(level, stmt)?
        } else {
            self.plain_select(level, stmt, resolve_unknowns)?
        };
        query.ctes = self.finish_ctes(level, ctes)?;
        query.recursive = stmt.with.is_some_and(|with| with.recursive);
        self.finish(level, query)
    }

    fn plain_select(
        &self,
        level: &Level<'q, '_>,
        stmt: &SelectStmt<'_>,
        resolve_unknowns: bool,
    ) -> Result<Query<'q>> {
        level.locks_rows.set(!stmt.locking.is_empty());
        let from = self.analyze_from(level, stmt.from)?;
        self.window_clause(level, stmt.windows)?;
        let mut targets = self.target_list(level, stmt.targets, Clause::SelectTarget)?;
        let filter = self.filter(level, stmt.filter, Clause::Where)?;
        let mut having = self.filter(level, stmt.having, Clause::Having)?;
        let order_by = self.order_by(level, stmt.sort, &mut targets)?;
        let grouping = self.group_clause(level, stmt.group, stmt.group_distinct, &mut targets)?;
        let distinct_clause = stmt.distinct;
        if distinct_clause.is_some() {
            self.resolve_targets(&mut targets)?;
        }
        let distinct = self.distinct_clause(level, distinct_clause, &mut targets, &order_by)?;
        let offset = self.limit(level, stmt.offset, Clause::Offset, false)?;
        let limit = self.limit(level, stmt.limit, Clause::Limit, stmt.with_ties)?;
        let windows = self.finish_windows(level, &mut targets)?;
        if resolve_unknowns {
            self.resolve_targets(&mut targets)?;
        }
        let grouped = !stmt.group.is_empty() || having.is_some() || level.has_aggregates.get();
        if level.has_aggregates.get() {
            self.no_recursive_aggregates(level, &targets, having)?;
        }
        if grouped {
            self.check_grouping(level, &grouping, &mut targets, &mut having)?;
        }
        let locking = self.locking(level, stmt.locking, &from)?;
        let query = Query {
            from: self.slice(&from)?,
            filter,
            group_by: self.slice(&grouping.keys)?,
            grouping_sets: self.grouping_set_list(&grouping.sets)?,
            grouping: self.slice(&grouping.written)?,
            group_distinct: stmt.group_distinct,
            having,
            windows,
            distinct,
            order_by: self.slice(&order_by)?,
            offset,
            limit,
            with_ties: stmt.with_ties,
            locking: self.slice(&locking)?,
            targets: self.slice(&targets)?,
            ..empty_query(Command::Select)
        };
        self.check_locking(level, stmt, &query)?;
        Ok(query)
    }

    /// 42P19 for aggregates over the rows of the recursive query itself.
    fn no_recursive_aggregates(
        &self,
        level: &Level<'q, '_>,
        targets: &Targets<'q>,
        having: Option<&'q Expr<'q>>,
    ) -> Result<()> {
        let ranges = level.ranges.borrow();
        let recursive = ranges
            .iter()
            .any(|range| matches!(range.kind, RangeKind::Cte(cte) if cte.self_reference));
        if !recursive {
            return Ok(());
        }
        let mut location = Location::NONE;
        for expr in targets.iter().map(|target| &target.expr).chain(having) {
            crate::walk::visit(expr, 0, &mut |part, depth| {
                if let ExprKind::Aggregate(aggregate) = part.kind
                    && aggregate.levels_up == depth
                {
                    location = location.or(crate::location_of(part));
                }
                true
            });
        }
        let error = err!(
            INVALID_RECURSION,
            "aggregate functions are not allowed in a recursive query's recursive term"
        );
        Err(self.at(error, location))
    }

    /// 0A000 for row locks where rows cannot be traced to tables.
    fn check_locking(
        &self,
        level: &Level<'q, '_>,
        stmt: &SelectStmt<'_>,
        query: &Query<'q>,
    ) -> Result<()> {
        let Some(clause) = stmt.locking.first() else { return Ok(()) };
        let word = crate::clause::strength(clause.strength).clause();
        let sets = query.targets.iter().any(|target| crate::walk::returns_set(&target.expr));
        let query = Query {
            has_aggregates: level.has_aggregates.get(),
            has_windows: level.has_windows.get(),
            has_target_sets: sets,
            ..*query
        };
        let Some(what) = query.lock_obstacle() else { return Ok(()) };
        Err(Error::unsupported(format!("{word} is not allowed with {what}")))
    }

    /// Adds what the level has gathered.
    pub(crate) fn finish(&self, level: &Level<'q, '_>, query: Query<'q>) -> Result<Query<'q>> {
        let mut ranges = level.ranges.borrow().clone();
        for (range, selected) in ranges.iter_mut().zip(level.selected.borrow().iter()) {
            if let RangeKind::Relation { selected: slot, .. } = &mut range.kind {
                let mut sorted = selected.clone();
                sorted.sort_unstable();
                *slot = self.slice(&sorted)?;
            }
        }
        Ok(Query {
            ranges: self.slice(&ranges)?,
            has_aggregates: level.has_aggregates.get(),
            has_windows: level.has_windows.get(),
            has_target_sets: query
                .targets
                .iter()
                .any(|target| crate::walk::returns_set(&target.expr)),
            has_sublinks: level.has_sublinks.get(),
            has_modifying_cte: level.has_modifying_cte.get(),
            ..query
        })
    }

    /// VALUES.
    fn values(&self, level: &Level<'q, '_>, stmt: &SelectStmt<'_>) -> Result<Query<'q>> {
        let mut rows = Vec::with_capacity(stmt.values.len());
        for row in stmt.values {
            rows.push(self.values_row(level, row, rows.first().map(Vec::len))?);
        }
        for row in &rows {
            if let Some(default) = row.iter().find(|v| matches!(v.kind, ExprKind::Default)) {
                let error = err!(SYNTAX_ERROR, "DEFAULT is not allowed in this context");
                return Err(self.at_expr(error, default));
            }
        }
        let types = self.values_types(&mut rows)?;
        let (from, mut targets) = self.values_range(level, &rows, &types)?;
        let order_by = self.order_by(level, stmt.sort, &mut targets)?;
        let offset = self.limit(level, stmt.offset, Clause::Offset, false)?;
        let limit = self.limit(level, stmt.limit, Clause::Limit, stmt.with_ties)?;
        if !stmt.locking.is_empty() {
            return Err(Error::unsupported("FOR UPDATE cannot be applied to VALUES"));
        }
        Ok(Query {
            from: self.slice(&[from])?,
            targets: self.slice(&targets)?,
            order_by: self.slice(&order_by)?,
            offset,
            limit,
            with_ties: stmt.with_ties,
            ..empty_query(Command::Select)
        })
    }

    /// One row of VALUES, as wide as the others.
    pub(crate) fn values_row(
        &self,
        level: &Level<'q, '_>,
        row: &[parse::Expression<'_>],
        width: Option<usize>,
    ) -> Result<Vec<Expr<'q>>> {
        let before = level.clause.replace(Clause::Values);
        let values = self.expand_row(level, row);
        level.clause.set(before);
        let values = values?;
        if width.is_some_and(|width| width != values.len()) {
            let error = err!(SYNTAX_ERROR, "VALUES lists must all be the same length");
            let location = row.first().map_or(Location::NONE, |first| first.location());
            return Err(self.at(error, location));
        }
        Ok(values)
    }

    /// Makes each column of VALUES one type.
    fn values_types(&self, rows: &mut [Vec<Expr<'q>>]) -> Result<Vec<Type>> {
        let width = rows.first().map_or(0, Vec::len);
        let mut types = Vec::with_capacity(width);
        for column in 0..width {
            let values: Vec<Expr<'q>> = rows.iter().map(|row| row[column]).collect();
            let oid = self.common_type(&values, Some("VALUES"))?.unwrap_or(TEXT);
            for row in rows.iter_mut() {
                row[column] = self.coerce_common(row[column], oid, "VALUES")?;
            }
            let values: Vec<Expr<'q>> = rows.iter().map(|row| row[column]).collect();
            let typmod = self.common_typmod(&values, oid);
            types.push(Type { oid, typmod, collation: self.result_collation(oid, &values)? });
        }
        Ok(types)
    }

    /// The range of VALUES lists and the targets that name its columns.
    pub(crate) fn values_range(
        &self,
        level: &Level<'q, '_>,
        rows: &[Vec<Expr<'q>>],
        types: &[Type],
    ) -> Result<(FromItem<'q>, Targets<'q>)> {
        let mut lists: Vec<&'q [Expr<'q>]> = Vec::with_capacity(rows.len());
        for row in rows {
            lists.push(self.slice(row)?);
        }
        let names: Vec<String> = (1..=types.len()).map(|n| format!("column{n}")).collect();
        let lateral = rows.iter().flatten().any(crate::walk::has_columns);
        let range = Range {
            kind: RangeKind::Values(self.slice(&lists)?),
            alias: "*VALUES*",
            alias_given: false,
            aliased: 0,
            columns: self.texts(&names)?,
            types: self.slice(types)?,
            lateral,
            in_from: true,
        };
        let id = level.add_range(range);
        let item = self.item(id, &range)?;
        level.namespace.borrow_mut().push(item);
        let mut targets = Vec::with_capacity(types.len());
        for (at, ty) in types.iter().enumerate() {
            let attribute = i16::try_from(at + 1).unwrap_or(i16::MAX);
            let target =
                ColumnUse { range: id, attribute, levels_up: 0, returning: ReturningRow::Default };
            let expr =
                Expr { kind: ExprKind::Column(target), ty: *ty, at: byte_of(Location::NONE) };
            let name = range.columns[at];
            targets.push(Target { expr, name, junk: false, origin: None });
        }
        Ok((FromItem::Range(id), targets))
    }
}

/// No object.
pub(crate) const NONE: Oid = Oid::INVALID;
