//! The queries of cursors: which table rows their rows stand for, and whether they run backwards.
//!
//! A query that locks rows, or reads one table row by row, gets the ids of the table rows as
//! columns behind its own, for WHERE CURRENT OF.

use crate::backend::Backend;
use crate::planned::Planned;
use analyze::tree::{
    ColumnUse, Command, Distinct, Expr, ExprKind, FromItem, LockStrength, Query, Range, RangeId,
    RangeKind, ReturningRow, SystemColumn, Target, Type,
};
use base::{Oid, Result, bail, err};
use memory::Bump;
use parse::Statement;
use plan::{Node, NodeKind};
use session::CurrentRow;
use session::engine::CursorMarks;
use types::oids;

/// What a plan made for a cursor knows beside its rows.
pub(crate) struct ForCursor {
    pub(crate) marks: Option<CursorMarks>,
    pub(crate) locks: Option<&'static str>,
}

fn target<'q>(range: RangeId, attribute: i16) -> Target<'q> {
    let column = ColumnUse { range, attribute, levels_up: 0, returning: ReturningRow::Default };
    let ty = Type::plain(Oid(oids::TID));
    let expr = Expr { kind: ExprKind::Column(column), ty, at: None };
    Target { expr, name: "ctid", junk: false, origin: None }
}

/// Whether each row of a query is one row of its FROM.
fn is_plain(query: &Query<'_>) -> bool {
    query.command == Command::Select
        && query.set_operation.is_none()
        && query.group_by.is_empty()
        && query.grouping_sets.is_empty()
        && query.having.is_none()
        && matches!(query.distinct, Distinct::None)
        && !query.has_aggregates
        && !query.has_windows
        && !query.has_target_sets
}

/// The query with the row ids as further targets.
fn with_row_ids<'q>(
    trees: &'q Bump,
    query: &'q Query<'q>,
) -> Result<Option<(&'q Query<'q>, CursorMarks)>> {
    if !is_plain(query) {
        return Ok(None);
    }
    let visible = visible(query);
    let mut targets = query.targets.to_vec();
    let mut rows = Vec::new();
    if !query.locking.is_empty() {
        for mark in query.locking {
            let range = query.ranges.get(mark.range.0 as usize);
            let Some(RangeKind::Relation { relation, .. }) = range.map(|range| range.kind) else {
                return Ok(None);
            };
            rows.push((relation, visible + rows.len()));
            targets.push(target(mark.range, SystemColumn::Ctid as i16));
        }
        let query = Query { targets: trees.alloc_slice_copy(&targets)?, ..*query };
        let marks = CursorMarks { locking: true, rows: rows.into() };
        return Ok(Some((trees.alloc(query)?, marks)));
    }
    let Some((query, relation)) = with_row_id(trees, query, true)? else { return Ok(None) };
    let rows = Box::new([(relation, visible)]);
    Ok(Some((query, CursorMarks { locking: false, rows })))
}

/// A query over one table, or over a simple subquery of one, with the row id as its last target.
fn with_row_id<'q>(
    trees: &'q Bump,
    query: &'q Query<'q>,
    top: bool,
) -> Result<Option<(&'q Query<'q>, Oid)>> {
    base::stack::check_stack_depth()?;
    let simple =
        top || (query.order_by.is_empty() && query.limit.is_none() && query.offset.is_none());
    let [FromItem::Range(id)] = query.from else { return Ok(None) };
    if !simple || !is_plain(query) || !query.locking.is_empty() {
        return Ok(None);
    }
    let Some(range) = query.ranges.get(id.0 as usize) else { return Ok(None) };
    let mut ranges = query.ranges.to_vec();
    let (attribute, relation) = match range.kind {
        RangeKind::Relation { relation, .. } => (SystemColumn::Ctid as i16, relation),
        RangeKind::Subquery { query: inner, view } => {
            if inner.targets.iter().any(|target| target.junk) {
                return Ok(None);
            }
            let Some((inner, relation)) = with_row_id(trees, inner, false)? else {
                return Ok(None);
            };
            let mut columns = range.columns.to_vec();
            let mut types = range.types.to_vec();
            columns.push("ctid");
            types.push(Type::plain(Oid(oids::TID)));
            let attribute = i16::try_from(columns.len()).unwrap_or(i16::MAX);
            if let Some(slot) = ranges.get_mut(id.0 as usize) {
                *slot = Range {
                    kind: RangeKind::Subquery { query: inner, view },
                    columns: trees.alloc_slice_copy(&columns)?,
                    types: trees.alloc_slice_copy(&types)?,
                    ..*range
                };
            }
            (attribute, relation)
        }
        _ => return Ok(None),
    };
    let mut targets = query.targets.to_vec();
    targets.push(target(*id, attribute));
    let query = Query {
        ranges: trees.alloc_slice_copy(&ranges)?,
        targets: trees.alloc_slice_copy(&targets)?,
        ..*query
    };
    Ok(Some((trees.alloc(query)?, relation)))
}

fn visible(query: &Query<'_>) -> usize {
    query.targets.iter().filter(|target| !target.junk).count()
}

fn lock_words(query: &Query<'_>) -> Option<&'static str> {
    let strongest = query.locking.iter().map(|mark| mark.strength).max()?;
    Some(match strongest {
        LockStrength::KeyShare => "FOR KEY SHARE",
        LockStrength::Share => "FOR SHARE",
        LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
        LockStrength::Update => "FOR UPDATE",
    })
}

/// Whether PostgreSQL runs a plan of this form backwards: scans, sorts and what hands their rows
/// on, but no joins and no aggregates.
pub(crate) fn runs_backward(node: &Node<'_>) -> bool {
    match &node.kind {
        NodeKind::Values(_)
        | NodeKind::SeqScan { .. }
        | NodeKind::IndexScan { .. }
        | NodeKind::FunctionScan { .. }
        | NodeKind::CteScan(_)
        | NodeKind::Sort { .. } => true,
        NodeKind::Filter { input, .. }
        | NodeKind::Project { input, .. }
        | NodeKind::Limit { input, .. }
        | NodeKind::LockRows { input, .. } => runs_backward(input),
        NodeKind::Append(inputs) => inputs.iter().all(|input| runs_backward(input)),
        _ => false,
    }
}

impl Backend {
    /// Plans the query of a cursor.
    pub(crate) fn plan_cursor_query(
        &self,
        source: &str,
        statement: &Statement<'_>,
        types: &[Oid],
    ) -> Result<Planned> {
        let fits = self.fits();
        let trees = Bump::new("bound tree", self.state.account().clone());
        let mut parameters = analyze::Parameters::fixed(types.to_vec());
        let query = analyze::analyze(&trees, self, source, statement, &mut parameters)?;
        let (locks, visible) = (lock_words(query), visible(query));
        // The row ids are the server's own business.
        let denied = self.denial(&analyze::access(&self.catalog, query)?)?;
        let (query, marks) = match with_row_ids(&trees, query)? {
            Some((query, marks)) => (query, Some(marks)),
            None => (query, None),
        };
        let mut planned =
            self.plan_tree(fits, &trees, query, types.to_vec(), statement.command_tag())?;
        if let Some(columns) = &mut planned.columns {
            columns.truncate(visible);
        }
        planned.denied = denied.map(Box::new);
        planned.cursor = Some(ForCursor { marks, locks });
        Ok(planned)
    }

    /// The row of a table that a cursor stands on.
    pub(crate) fn row_of_cursor(&self, name: &str, relation: Oid) -> Result<Option<u64>> {
        let open = self.state.open_cursors();
        let Some(cursor) = open.iter().find(|cursor| *cursor.name == *name) else {
            bail!(INVALID_CURSOR_NAME, "cursor \"{name}\" does not exist");
        };
        if !cursor.is_query {
            bail!(INVALID_CURSOR_STATE, "cursor \"{name}\" is not a SELECT query");
        }
        let state = |what: &str| Err(err!(INVALID_CURSOR_STATE, "cursor \"{name}\" {what}"));
        let of_table = |what: &str| {
            let table = self.catalog.relation(relation)?;
            state(&format!("{what} table \"{}\"", table.name))
        };
        match cursor.current_row(relation) {
            CurrentRow::Row(row) => Ok(row),
            CurrentRow::Held => state("is held from a previous transaction"),
            CurrentRow::NoRow => state("is not positioned on a row"),
            CurrentRow::NotMarked => of_table("is not a simply updatable scan of"),
            CurrentRow::NotLocked => of_table("does not have a FOR UPDATE/SHARE reference to"),
            CurrentRow::Ambiguous => of_table("has multiple FOR UPDATE/SHARE references to"),
        }
    }
}
