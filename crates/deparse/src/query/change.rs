//! INSERT, UPDATE, DELETE and MERGE.

use crate::printer::{Printer, STEP};
use analyze::tree::{
    Assignment, Command, ConflictAction, Expr, ExprKind, MergeAction, MergeWhen, OnConflict,
    Overriding, Query, RangeId, RangeKind, SubLinkKind, SubscriptStep, Target,
};
use base::{Error, Oid, Result};

impl<'q> Printer<'_, 'q, '_> {
    pub(super) fn change(&mut self, query: &'q Query<'q>) -> Result<()> {
        self.with(query)?;
        if self.style.indented {
            self.put(" ");
            self.indent += STEP;
        }
        let id = query.result_relation.unwrap_or(RangeId(0));
        let relation = target_relation(query, id)?;
        match query.command {
            Command::Insert => self.insert(query, id, relation)?,
            Command::Update => {
                self.target("UPDATE ", query, id, relation, "")?;
                self.put(" SET ");
                self.assignments(relation, query.assignments, query.targets)?;
                self.from(query.from, " FROM ")?;
                self.change_filter(query.filter)?;
            }
            Command::Delete => {
                self.target("DELETE FROM ", query, id, relation, "")?;
                self.from(query.from, " USING ")?;
                self.change_filter(query.filter)?;
            }
            _ => self.merge(query, id, relation)?,
        }
        if !query.returning.is_empty() {
            self.keyword(" RETURNING", -STEP, STEP, 1);
            self.targets(query.returning)?;
        }
        Ok(())
    }

    fn change_filter(&mut self, filter: Option<&Expr<'q>>) -> Result<()> {
        let Some(filter) = filter else { return Ok(()) };
        self.keyword(" WHERE ", -STEP, STEP, 1);
        self.expression(filter, false)
    }

    fn target(
        &mut self,
        words: &str,
        query: &'q Query<'q>,
        id: RangeId,
        relation: Oid,
        alias_word: &str,
    ) -> Result<()> {
        self.put(words);
        let range = query.ranges.get(id.0 as usize);
        if let Some(range) = range
            && matches!(range.kind, RangeKind::Relation { inherit: false, .. })
            && query.command != Command::Insert
        {
            self.put("ONLY ");
        }
        self.relation_name(relation)?;
        match range {
            Some(range) => self.range_alias(id, range, alias_word),
            None => Ok(()),
        }
    }

    fn column_of(&self, relation: Oid, attribute: i16) -> Result<String> {
        let relation = self.env.catalog().relation(relation)?;
        Ok(relation.column_at(attribute).map(|column| column.name.clone()).unwrap_or_default())
    }

    fn overriding(&mut self, overriding: Overriding, before: &str, after: &str) {
        let word = match overriding {
            Overriding::None => return,
            Overriding::User => "USER",
            Overriding::System => "SYSTEM",
        };
        self.put(&format!("{before}OVERRIDING {word} VALUE{after}"));
    }

    fn insert(&mut self, query: &'q Query<'q>, id: RangeId, relation: Oid) -> Result<()> {
        self.target("INSERT INTO ", query, id, relation, " AS")?;
        self.put(" ");
        if !query.assignments.is_empty() {
            self.put("(");
            self.list(query.assignments, |printer, assignment| {
                printer.assigned(relation, *assignment, query.targets).map(drop)
            })?;
            self.put(") ");
        }
        self.overriding(query.overriding, "", " ");
        let source = query.ranges.iter().find_map(|range| match range.kind {
            RangeKind::Subquery { query, view } if !view.is_valid() => Some(Ok(query)),
            RangeKind::Values(rows) => Some(Err(rows)),
            _ => None,
        });
        match source {
            Some(Ok(inner)) => self.query(inner, None, false)?,
            Some(Err(rows)) => self.values(rows)?,
            None if query.assignments.is_empty() => self.put("DEFAULT VALUES"),
            None => {
                self.keyword("VALUES (", -STEP, STEP, 2);
                self.assigned_values(query.assignments, query.targets)?;
                self.put(")");
            }
        }
        match query.on_conflict {
            Some(conflict) => self.on_conflict(relation, conflict),
            None => Ok(()),
        }
    }

    fn assigned_values(
        &mut self,
        assignments: &[Assignment],
        targets: &[Target<'q>],
    ) -> Result<()> {
        self.list(assignments, |printer, assignment| {
            match targets.get(assignment.target as usize) {
                Some(target) => printer.top(assigned_value(&target.expr), false),
                None => Ok(()),
            }
        })
    }

    /// The column of an assignment with its subscripts.
    fn assigned(
        &mut self,
        relation: Oid,
        assignment: Assignment,
        targets: &[Target<'q>],
    ) -> Result<()> {
        let name = self.column_of(relation, assignment.attribute)?;
        self.name(&name);
        let expr = targets.get(assignment.target as usize).map(|target| target.expr);
        match expr.map(|expr| expr.kind) {
            Some(ExprKind::Subscript { steps, assign: Some(_), .. }) => {
                let steps: &[SubscriptStep<'q>] = steps;
                self.subscripts(steps)
            }
            _ => Ok(()),
        }
    }

    fn assignments(
        &mut self,
        relation: Oid,
        assignments: &[Assignment],
        targets: &[Target<'q>],
    ) -> Result<()> {
        let mut at = 0;
        while let Some(assignment) = assignments.get(at) {
            self.put(if at > 0 { ", " } else { "" });
            let value = targets.get(assignment.target as usize).map(|target| &target.expr);
            let Some(value) = value else { break };
            // One row subquery stands for several columns.
            if let Some(row) = row_subquery(value) {
                let same = |assignment: &&Assignment| {
                    let target = targets.get(assignment.target as usize);
                    let other = target.and_then(|target| row_subquery(&target.expr));
                    other.is_some_and(|other| std::ptr::eq(other, row))
                };
                let group: Vec<Assignment> =
                    assignments[at..].iter().take_while(same).copied().collect();
                self.put("(");
                self.list(&group, |printer, one| printer.assigned(relation, *one, targets))?;
                self.put(") = (");
                self.query(row, None, false)?;
                self.put(")");
                at += group.len();
                continue;
            }
            self.assigned(relation, *assignment, targets)?;
            self.put(" = ");
            self.expression(assigned_value(value), false)?;
            at += 1;
        }
        Ok(())
    }

    fn on_conflict(&mut self, relation: Oid, conflict: &OnConflict<'q>) -> Result<()> {
        self.put(" ON CONFLICT");
        if let Some(first) = conflict.arbiters.first() {
            let index = self.env.catalog().index(*first)?;
            let mut keys = Vec::new();
            for key in &index.keys {
                if key.attribute == 0 {
                    return Err(Error::unsupported(
                        "showing ON CONFLICT over expressions is not supported yet",
                    ));
                }
                keys.push(catalog::quote_identifier(&self.column_of(relation, key.attribute)?));
            }
            self.put(&format!("({})", keys.join(", ")));
        }
        match conflict.action {
            ConflictAction::Nothing => {
                self.put(" DO NOTHING");
                Ok(())
            }
            ConflictAction::Update { targets, assignments, filter } => {
                self.put(" DO UPDATE SET ");
                self.assignments(relation, assignments, targets)?;
                self.change_filter(filter)
            }
        }
    }

    fn merge(&mut self, query: &'q Query<'q>, id: RangeId, relation: Oid) -> Result<()> {
        let Some(merge) = query.merge else { return Ok(()) };
        self.target("MERGE INTO ", query, id, relation, "")?;
        self.from(query.from, " USING ")?;
        self.keyword(" ON ", -STEP, STEP, 2);
        self.expression(merge.on, false)?;
        let by_source =
            merge.actions.iter().any(|action| action.when == MergeWhen::NotMatchedBySource);
        for action in merge.actions {
            self.keyword(" WHEN ", -STEP, STEP, 2);
            self.put(match (action.when, by_source) {
                (MergeWhen::Matched, _) => "MATCHED",
                (MergeWhen::NotMatchedBySource, _) => "NOT MATCHED BY SOURCE",
                (MergeWhen::NotMatchedByTarget, true) => "NOT MATCHED BY TARGET",
                (MergeWhen::NotMatchedByTarget, false) => "NOT MATCHED",
            });
            if let Some(condition) = action.condition {
                self.keyword(" AND ", -STEP, STEP, 3);
                self.expression(condition, false)?;
            }
            self.keyword(" THEN ", -STEP, STEP, 3);
            self.merge_action(relation, action)?;
        }
        Ok(())
    }

    fn merge_action(&mut self, relation: Oid, action: &MergeAction<'q>) -> Result<()> {
        match action.command {
            Some(Command::Insert) => {
                self.put("INSERT");
                if !action.assignments.is_empty() {
                    self.put(" (");
                    self.list(action.assignments, |printer, one| {
                        printer.assigned(relation, *one, action.targets)
                    })?;
                    self.put(")");
                }
                self.overriding(action.overriding, " ", "");
                if action.assignments.is_empty() {
                    self.put(" DEFAULT VALUES");
                    return Ok(());
                }
                self.keyword(" VALUES (", -STEP, STEP, 4);
                self.assigned_values(action.assignments, action.targets)?;
                self.put(")");
                Ok(())
            }
            Some(Command::Update) => {
                self.put("UPDATE SET ");
                self.assignments(relation, action.assignments, action.targets)
            }
            Some(Command::Delete) => {
                self.put("DELETE");
                Ok(())
            }
            _ => {
                self.put("DO NOTHING");
                Ok(())
            }
        }
    }
}

fn target_relation(query: &Query<'_>, id: RangeId) -> Result<Oid> {
    let range = query.ranges.get(id.0 as usize);
    range
        .and_then(|range| crate::scope::relation_of(&range.kind))
        .ok_or_else(|| Error::internal("a change without a target"))
}

/// The value that an assignment gives, without the place inside of the column.
fn assigned_value<'c, 'q>(expr: &'c Expr<'q>) -> &'c Expr<'q> {
    match expr.kind {
        ExprKind::Subscript { assign: Some(value), .. } => value,
        _ => expr,
    }
}

fn row_subquery<'q>(expr: &Expr<'q>) -> Option<&'q Query<'q>> {
    match expr.kind {
        ExprKind::Field { arg, .. } => match arg.kind {
            ExprKind::SubLink(sublink) if matches!(sublink.kind, SubLinkKind::Row) => {
                Some(sublink.query)
            }
            _ => None,
        },
        ExprKind::Relabel { arg, .. }
        | ExprKind::ViaText { arg, .. }
        | ExprKind::Domain { arg, .. } => row_subquery(arg),
        ExprKind::Function { args: [arg, ..], .. } => row_subquery(arg),
        _ => None,
    }
}
