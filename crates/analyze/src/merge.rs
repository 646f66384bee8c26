//! MERGE.

use crate::Analyzer;
use crate::dml::Assigned;
use crate::scope::{Clause, Item, Level};
use crate::select::empty_query;
use crate::tree::{Command, Expr, ExprKind, Merge, MergeAction, MergeWhen, Overriding, Query};
use base::{Error, Result, err};
use parse::MergeStmt;

impl<'q> Analyzer<'q, '_> {
    pub(crate) fn merge(
        &self,
        stmt: &MergeStmt<'_>,
        parent: Option<&Level<'q, '_>>,
    ) -> Result<Query<'q>> {
        let level = Level::new(parent);
        self.check_reachable(stmt)?;
        let ctes = self.with_clause(&level, stmt.with)?;
        let first = stmt.whens.iter().find_map(|when| match when.action {
            parse::MergeAction::Insert { .. } => Some(Command::Insert),
            parse::MergeAction::Update(_) => Some(Command::Update),
            parse::MergeAction::Delete => Some(Command::Delete),
            parse::MergeAction::Nothing => None,
        });
        let command = first.unwrap_or(Command::Delete);
        let changed = self.changed(&level, &stmt.relation, command, true)?;
        let source = std::slice::from_ref(&stmt.source);
        let from = self.analyze_from(&level, source)?;
        let source_items: Vec<Item<'q>> = level.namespace.borrow().clone();
        if source_items.iter().any(|item| item.rel_visible && item.alias == changed.item.alias) {
            return Err(err!(
                DUPLICATE_ALIAS,
                "name \"{}\" specified more than once",
                changed.item.alias
            )
            .detail("The name is used both as MERGE target table and data source."));
        }
        let both: Vec<Item<'q>> =
            std::iter::once(changed.item).chain(source_items.iter().copied()).collect();
        level.namespace.replace(both.clone());
        let on = self.expression(&level, stmt.condition, Clause::JoinOn)?;
        let on = self.coerce_boolean(on, "JOIN/ON")?;
        let mut actions = Vec::with_capacity(stmt.whens.len());
        for when in stmt.whens {
            let (matched, names) = match when.matched {
                parse::MergeMatch::Matched => (MergeWhen::Matched, both.clone()),
                parse::MergeMatch::NotMatchedBySource => {
                    (MergeWhen::NotMatchedBySource, vec![changed.item])
                }
                parse::MergeMatch::NotMatchedByTarget => {
                    (MergeWhen::NotMatchedByTarget, source_items.clone())
                }
            };
            level.namespace.replace(names);
            let condition = match when.condition {
                Some(condition) => {
                    let condition = self.expression(&level, condition, Clause::MergeWhen)?;
                    Some(self.alloc(self.coerce_boolean(condition, "WHEN")?)?)
                }
                None => None,
            };
            let (command, mut assigned, overriding) = self.merge_action(&level, &changed, when)?;
            let written = u32::try_from(assigned.assignments.len()).unwrap_or(u32::MAX);
            if command == Some(Command::Insert) {
                self.missing_defaults(&changed.relation, &mut assigned)?;
            }
            actions.push(MergeAction {
                when: matched,
                condition,
                command,
                targets: self.slice(&assigned.targets)?,
                assignments: self.slice(&assigned.assignments)?,
                written,
                overriding,
            });
        }
        let (on, filter) = self.merge_filters(&changed, on, &actions)?;
        level.namespace.replace(both);
        level.merge_target.set(Some(changed.range));
        let returning = self.returning(&level, &changed, stmt.returning)?;
        level.merge_target.set(None);
        let merge = Merge { on: self.alloc(on)?, actions: self.slice(&actions)? };
        let query = Query {
            from: self.slice(&from)?,
            filter,
            result_relation: Some(changed.range),
            view_checks: changed.checks(self)?,
            changed_views: changed.views(self)?,
            merge: Some(self.alloc(merge)?),
            returning,
            ctes: self.finish_ctes(&level, ctes)?,
            recursive: stmt.with.is_some_and(|with| with.recursive),
            ..empty_query(Command::Merge)
        };
        self.finish(&level, query)
    }

    /// The conditions of a view on the target: rows that it does not have do not match. Where rows
    /// of the target count by themselves it is a condition on all rows.
    fn merge_filters(
        &self,
        changed: &crate::dml::Changed<'q>,
        on: Expr<'q>,
        actions: &[MergeAction<'q>],
    ) -> Result<(Expr<'q>, Option<&'q Expr<'q>>)> {
        let Some(filter) = changed.all_filters(self, None)? else { return Ok((on, None)) };
        let any = |when| actions.iter().any(|action| action.when == when);
        match (any(MergeWhen::NotMatchedByTarget), any(MergeWhen::NotMatchedBySource)) {
            (_, false) => {
                let kind = ExprKind::And(self.slice(&[on, *filter])?);
                Ok((Expr { kind, ..on }, None))
            }
            (false, true) => Ok((on, Some(filter))),
            (true, true) => Err(Error::unsupported(
                "MERGE into a view with actions for rows of both sides is not supported yet",
            )),
        }
    }

    /// 42601 for a WHEN behind one that takes all of its rows.
    fn check_reachable(&self, stmt: &MergeStmt<'_>) -> Result<()> {
        for (at, when) in stmt.whens.iter().enumerate() {
            let earlier = &stmt.whens[..at];
            if earlier.iter().any(|old| old.matched == when.matched && old.condition.is_none()) {
                return Err(err!(
                    SYNTAX_ERROR,
                    "unreachable WHEN clause specified after unconditional WHEN clause"
                ));
            }
        }
        Ok(())
    }

    fn merge_action(
        &self,
        level: &Level<'q, '_>,
        changed: &crate::dml::Changed<'q>,
        when: &parse::MergeWhen<'_>,
    ) -> Result<(Option<Command>, Assigned<'q>, Overriding)> {
        Ok(match when.action {
            parse::MergeAction::Nothing => (None, Assigned::default(), Overriding::None),
            parse::MergeAction::Delete => {
                (Some(Command::Delete), Assigned::default(), Overriding::None)
            }
            parse::MergeAction::Update(list) => {
                let assigned = self.assignments(level, changed, list)?;
                (Some(Command::Update), assigned, Overriding::None)
            }
            parse::MergeAction::Insert { columns: named, values, overriding } => {
                let overriding = match overriding {
                    parse::Overriding::NotSet => Overriding::None,
                    parse::Overriding::UserValue => Overriding::User,
                    parse::Overriding::SystemValue => Overriding::System,
                };
                let columns = self.insert_columns(changed, named)?;
                let assigned = if values.is_empty() {
                    Assigned::default()
                } else {
                    let before = level.clause.replace(Clause::ValuesSingle);
                    let row = self.expand_row(level, values);
                    level.clause.set(before);
                    self.insert_row(level, changed, &columns, named, row?, overriding)?
                };
                (Some(Command::Insert), assigned, overriding)
            }
        })
    }
}
