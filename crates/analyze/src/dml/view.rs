//! Changing rows through views (automatically updatable views).
//!
//! # How it works
//! A view over one table, or over such a view, is changed by changing the table. The table becomes
//! the range that the statement changes. For every view there is a range of kind join whose columns
//! are the view's expressions over the range below, so that names of the view's columns work in
//! every clause. The views' conditions are added to the statement's own; those of views with a
//! check option are checked for new rows.

use super::Changed;
use crate::from::ROW_EXCLUSIVE;
use crate::scope::{Item, Level};
use crate::tree::{
    ChangedView, Command, Distinct, Expr, ExprKind, FromItem, JoinKind, Query, Range, RangeId,
    RangeKind, Type, ViewCheck,
};
use crate::{Analyzer, Environment, replace};
use base::{Error, Oid, Result, err};
use catalog::relation::{Column, Relation};
use catalog::rows::RelationKind;
use memory::Bump;
use parse::RangeVar;
use std::sync::Arc;

const NO_COLUMNS: &str = "Views that have no updatable columns are not automatically updatable.";
const HINT_COLUMNS: &str =
    "View columns that are not columns of their base relation are not updatable.";

/// The view that a statement changes.
pub(crate) struct ViewTarget<'q> {
    name: String,
    /// For each column its name and the attribute of the table that it is, or why it is none.
    columns: Vec<(String, core::result::Result<i16, &'static str>)>,
    merging: bool,
    /// The conditions of the views.
    pub(crate) filters: Vec<Expr<'q>>,
    /// What new rows are checked for, the innermost view first.
    pub(crate) checks: Vec<ViewCheck<'q>>,
    /// The views, the innermost first.
    pub(crate) views: Vec<ChangedView>,
}

impl ViewTarget<'_> {
    /// The table's column behind a column of the view, with the view's name for it. A column that
    /// cannot be changed has attribute 0.
    pub(crate) fn column(&self, base: &Relation, name: &str) -> Option<Column> {
        let (name, attribute) = self.columns.iter().find(|(its, _)| its == name)?;
        described(base, name, *attribute)
    }

    /// All columns of the view in order.
    pub(crate) fn all(&self, base: &Relation) -> Vec<Column> {
        let columns = self.columns.iter();
        columns.filter_map(|(name, attribute)| described(base, name, *attribute)).collect()
    }

    /// 0A000 for a column that cannot be changed.
    pub(crate) fn check_column(&self, column: &Column, verb: &str) -> Result<()> {
        let verb = if self.merging { "merge into" } else { verb };
        let reason = self.columns.iter().find(|(name, _)| *name == column.name);
        match reason {
            Some((name, Err(reason))) => Err(err!(
                FEATURE_NOT_SUPPORTED,
                "cannot {verb} column \"{name}\" of view \"{}\"",
                self.name
            )
            .detail(*reason)),
            _ => Ok(()),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn attribute_of(&self, name: &str) -> Option<i16> {
        self.columns.iter().find(|(its, _)| its == name).and_then(|(_, found)| found.ok())
    }
}

fn described(
    base: &Relation,
    name: &str,
    attribute: core::result::Result<i16, &'static str>,
) -> Option<Column> {
    let found = match attribute {
        Ok(attribute) => base.column_at(attribute)?.clone(),
        // Only its name and the lack of a number are looked at.
        Err(_) => Column {
            attribute: 0,
            identity: None,
            generated: None,
            default: None,
            ..base.columns.first()?.clone()
        },
    };
    Some(Column { name: name.to_string(), ..found })
}

/// Why a query's view cannot be changed.
fn obstacle(query: &Query<'_>) -> Option<&'static str> {
    let [FromItem::Range(range)] = query.from else {
        return Some(match reason_before_from(query) {
            Some(reason) => reason,
            None => {
                "Views that do not select from a single table or view are not automatically \
                 updatable."
            }
        });
    };
    if let Some(reason) = reason_before_from(query) {
        return Some(reason);
    }
    let kind = query.ranges.get(range.0 as usize).map(|range| range.kind);
    match kind {
        Some(RangeKind::Relation { .. }) => None,
        Some(RangeKind::Subquery { view, .. }) if view.is_valid() => None,
        _ => Some(
            "Views that do not select from a single table or view are not automatically updatable.",
        ),
    }
}

fn reason_before_from(query: &Query<'_>) -> Option<&'static str> {
    if !matches!(query.distinct, Distinct::None) {
        return Some("Views containing DISTINCT are not automatically updatable.");
    }
    if !query.group_by.is_empty() || !query.grouping_sets.is_empty() {
        return Some("Views containing GROUP BY are not automatically updatable.");
    }
    if query.having.is_some() {
        return Some("Views containing HAVING are not automatically updatable.");
    }
    if query.set_operation.is_some() {
        return Some(
            "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.",
        );
    }
    if !query.ctes.is_empty() {
        return Some("Views containing WITH are not automatically updatable.");
    }
    if query.limit.is_some() || query.offset.is_some() {
        return Some("Views containing LIMIT or OFFSET are not automatically updatable.");
    }
    if query.has_aggregates {
        return Some("Views that return aggregate functions are not automatically updatable.");
    }
    if query.has_windows {
        return Some("Views that return window functions are not automatically updatable.");
    }
    if query.has_target_sets {
        return Some("Views that return set-returning functions are not automatically updatable.");
    }
    None
}

/// What an expression of a view makes of its column: the attribute below, or why it is none.
fn attribute_below(expr: &Expr<'_>) -> core::result::Result<i16, &'static str> {
    match expr.kind {
        ExprKind::Column(column) if column.levels_up == 0 && column.attribute > 0 => {
            Ok(column.attribute)
        }
        ExprKind::Column(column) if column.attribute < 0 => {
            Err("View columns that refer to system columns are not updatable.")
        }
        ExprKind::Column(_) => {
            Err("View columns that return whole-row references are not updatable.")
        }
        _ => Err(HINT_COLUMNS),
    }
}

/// Why a view cannot be changed automatically; none when it can.
///
/// # Errors
/// Those of reading the views below it.
pub fn view_obstacle(
    bump: &Bump,
    environment: &dyn Environment,
    query: &Query<'_>,
) -> Result<Option<&'static str>> {
    if let Some(reason) = obstacle(query) {
        return Ok(Some(reason));
    }
    let visible = query.targets.iter().filter(|target| !target.junk);
    if !visible.into_iter().any(|target| attribute_below(&target.expr).is_ok()) {
        return Ok(Some(NO_COLUMNS));
    }
    match base_of(query) {
        Some((view, true)) => {
            let inner = crate::view::view_query(bump, environment, view)?;
            view_obstacle(bump, environment, inner)
        }
        _ => Ok(None),
    }
}

/// The relation that a view selects from, and whether it is a view.
fn base_of(query: &Query<'_>) -> Option<(Oid, bool)> {
    let [FromItem::Range(range)] = query.from else { return None };
    match query.ranges.get(range.0 as usize)?.kind {
        RangeKind::Relation { relation, .. } => Some((relation, false)),
        RangeKind::Subquery { view, .. } => Some((view, true)),
        _ => None,
    }
}

fn cannot_change(command: Command, merging: bool, name: &str, reason: &str) -> Error {
    let (verb, doing, event) = match command {
        Command::Insert => ("insert into", "inserting into", "INSERT"),
        Command::Delete => ("delete from", "deleting from", "DELETE"),
        _ => ("update", "updating", "UPDATE"),
    };
    let error = err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "cannot {verb} view \"{name}\"");
    error.detail(reason).hint(match merging {
        true => format!(
            "To enable {doing} the view using MERGE, provide an INSTEAD OF {event} trigger."
        ),
        false => format!(
            "To enable {doing} the view, provide an INSTEAD OF {event} trigger or an \
             unconditional ON {event} DO INSTEAD rule."
        ),
    })
}

impl<'q> Analyzer<'q, '_> {
    /// Opens the table under a view that a statement changes.
    pub(super) fn changed_view(
        &self,
        level: &Level<'q, '_>,
        name: &RangeVar<'_>,
        view: Arc<Relation>,
        command: Command,
        merging: bool,
    ) -> Result<Changed<'q>> {
        // From the outermost view to the table.
        let mut views: Vec<(Arc<Relation>, &'q Query<'q>)> = Vec::new();
        let mut at = view.clone();
        let base = loop {
            let query = crate::view::view_query(self.bump, self.env, at.oid)?;
            if let Some(reason) = obstacle(query) {
                return Err(cannot_change(command, merging, &at.name, reason));
            }
            let mut visible = query.targets.iter().filter(|target| !target.junk);
            if command != Command::Delete
                && !visible.any(|target| attribute_below(&target.expr).is_ok())
            {
                return Err(cannot_change(command, merging, &at.name, NO_COLUMNS));
            }
            views.push((at.clone(), query));
            let Some((below, is_view)) = base_of(query) else {
                return Err(Error::internal("a view over nothing"));
            };
            self.env.lock_relation(below, if is_view { 1 } else { ROW_EXCLUSIVE })?;
            let relation = self.env.catalog().relation(below)?;
            if !is_view {
                break relation;
            }
            at = relation;
        };
        if !matches!(base.kind, RelationKind::Table) {
            let reason = "Views that do not select from a single table or view are not \
                          automatically updatable.";
            let name = views.last().map_or(&view.name, |(view, _)| &view.name);
            return Err(cannot_change(command, merging, name, reason));
        }
        let plain = RangeVar { alias: None, ..*name };
        let (range, _) = self.add_relation(level, &base, &plain, ROW_EXCLUSIVE, false)?;
        let mut target = ViewTarget {
            name: view.name.clone(),
            columns: Vec::new(),
            merging,
            filters: Vec::new(),
            checks: Vec::new(),
            views: Vec::new(),
        };
        let item = self.stack_views(level, name, &views, range, &mut target)?;
        Ok(Changed { relation: base, range, item, view: Some(target) })
    }

    /// Adds a range for every view, the innermost first; returns the names of the outermost.
    fn stack_views(
        &self,
        level: &Level<'q, '_>,
        name: &RangeVar<'_>,
        views: &[(Arc<Relation>, &'q Query<'q>)],
        base: RangeId,
        target: &mut ViewTarget<'q>,
    ) -> Result<Item<'q>> {
        let mut below = base;
        let mut attributes: Option<Vec<core::result::Result<i16, &'static str>>> = None;
        let mut item = None;
        // A check option that cascades holds for the views below as well.
        let option = |view: &Relation| view.option("check_option").map(str::to_string);
        let cascades_from = views
            .iter()
            .position(|(view, _)| option(view).is_some_and(|option| option == "cascaded"));
        for (at, (view, query)) in views.iter().enumerate().rev() {
            let outermost = at == 0;
            let visible: Vec<_> = query.targets.iter().filter(|target| !target.junk).collect();
            let mut columns = Vec::new();
            let mut reached = Vec::new();
            for column in &visible {
                columns.push(self.over_range(&column.expr, below)?);
                let through =
                    attribute_below(&column.expr).and_then(|attribute| match &attributes {
                        None => Ok(attribute),
                        Some(inner) => inner
                            .get(usize::from(attribute.unsigned_abs()).saturating_sub(1))
                            .copied()
                            .unwrap_or(Err(HINT_COLUMNS)),
                    });
                reached.push(through);
            }
            let cascades = cascades_from.is_some_and(|from| from <= at);
            if let Some(filter) = query.filter {
                let filter = self.over_range(filter, below)?;
                target.filters.push(filter);
                if cascades || option(view).is_some() {
                    let condition = self.alloc(filter)?;
                    target.checks.push(ViewCheck { view: self.text(&view.name)?, condition });
                }
            }
            let mut names = Vec::new();
            let mut types = Vec::new();
            for (column, expr) in view.live_columns().zip(&columns) {
                names.push(self.text(&column.name)?);
                types.push(Type { oid: column.type_oid, typmod: column.typmod, ..expr.ty });
            }
            if outermost {
                let shown = view.live_columns().map(|column| column.name.clone());
                target.columns = shown.zip(reached.iter().copied()).collect();
            }
            let alias = name.alias.as_ref().filter(|_| outermost);
            let shown =
                self.text(alias.map_or(if outermost { name.name } else { "" }, |a| a.name))?;
            let range = Range {
                kind: RangeKind::Join {
                    kind: JoinKind::Inner,
                    columns: self.slice(&columns)?,
                    merged: 0,
                    using_alias: None,
                },
                alias: shown,
                alias_given: alias.is_some(),
                columns: self.slice(&names)?,
                types: self.slice(&types)?,
                lateral: false,
                in_from: false,
                aliased: 0,
            };
            below = level.add_range(range);
            let invoker = view.option("security_invoker").is_some_and(crate::view::is_true);
            let owner = if invoker { Oid::INVALID } else { view.owner };
            target.views.push(ChangedView { view: view.oid, range: below, owner });
            let mut found = self.item(below, &range)?;
            if alias.is_none() {
                found.relation = view.oid;
            }
            item = Some(found);
            attributes = Some(reached);
        }
        item.ok_or_else(|| Error::internal("a change of no view"))
    }

    /// An expression of a view's query over another range.
    fn over_range(&self, expr: &Expr<'q>, range: RangeId) -> Result<Expr<'q>> {
        replace::over_range(self.bump, expr, range)
    }
}
