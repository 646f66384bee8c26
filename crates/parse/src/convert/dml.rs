//! INSERT, UPDATE, DELETE, MERGE, COPY.

use super::{Converter, map_enum, unexpected};
use crate::location::Location;
use crate::raw::untyped;
use crate::tree::*;
use base::Result;
use pg_raw_parse::list::NodeList;
use pg_raw_parse::{Node, nodes};

impl<'a> Converter<'a> {
    pub(super) fn insert(&self, raw: &nodes::InsertStmt) -> Result<InsertStmt<'a>> {
        Ok(InsertStmt {
            relation: self.need_range_var(raw.relation())?,
            columns: self.res_targets(raw.cols())?,
            source: match raw.select_stmt() {
                Node::None => None,
                node => Some(self.select_node(node)?),
            },
            on_conflict: match raw.on_conflict_clause() {
                Some(clause) => Some(self.alloc(self.on_conflict(clause)?)?),
                None => None,
            },
            returning: self.returning(raw.returning_clause())?,
            with: self.with(raw.with_clause())?,
            overriding: overriding(raw.override_),
        })
    }

    fn on_conflict(&self, raw: &nodes::OnConflictClause) -> Result<OnConflictClause<'a>> {
        let infer = match raw.infer() {
            Some(infer) => Some(self.alloc(InferClause {
                elements: self.index_elements(infer.index_elems())?,
                filter: self.opt_expression(infer.where_clause())?,
                constraint: self.opt_text(infer.conname())?,
                location: Location::from_raw(infer.location),
            })?),
            None => None,
        };
        Ok(OnConflictClause {
            infer,
            update: raw.action == nodes::OnConflictAction::ONCONFLICT_UPDATE,
            assignments: self.assignments(untyped(raw.target_list()))?,
            filter: self.opt_expression(raw.where_clause())?,
            location: Location::from_raw(raw.location),
        })
    }

    fn returning(
        &self,
        raw: Option<&nodes::ReturningClause>,
    ) -> Result<Option<&'a ReturningClause<'a>>> {
        let Some(raw) = raw else { return Ok(None) };
        let aliases = self.list(untyped(raw.options()), |node| {
            let Node::ReturningOption(option) = node else {
                return Err(unexpected("ReturningOption"));
            };
            Ok(ReturningAlias {
                old: option.option == nodes::ReturningOptionKind::RETURNING_OPTION_OLD,
                name: self.need(option.value())?,
                location: Location::from_raw(option.location),
            })
        })?;
        let clause = ReturningClause { aliases, targets: self.res_targets(raw.exprs())? };
        self.alloc(clause).map(Some)
    }

    /// The grammar spreads `(a, b) = x` over one target a column; here they are one again.
    pub(super) fn assignments(&self, list: &NodeList) -> Result<&'a [Assignment<'a>]> {
        let mut assignments = self.bump.vec();
        let mut nodes = list.iter();
        while let Some(node) = nodes.next() {
            let Node::ResTarget(raw) = node else { return Err(unexpected("ResTarget")) };
            let Node::MultiAssignRef(multi) = raw.val() else {
                assignments.push(Assignment::Single(self.res_target(raw)?))?;
                continue;
            };
            let mut targets = self.bump.vec();
            targets.push(self.bare_target(raw)?)?;
            for _ in 1..multi.ncolumns {
                match nodes.next() {
                    Some(Node::ResTarget(raw)) => targets.push(self.bare_target(raw)?)?,
                    _ => return Err(unexpected("MultiAssignRef")),
                }
            }
            let source = self.expression_ref(multi.source())?;
            assignments.push(Assignment::Multiple { targets: targets.into_slice(), source })?;
        }
        Ok(assignments.into_slice())
    }

    /// A target without its value.
    fn bare_target(&self, raw: &nodes::ResTarget) -> Result<ResTarget<'a>> {
        Ok(ResTarget {
            name: self.opt_text(raw.name())?,
            indirection: self.indirection(raw.indirection())?,
            value: None,
            location: Location::from_raw(raw.location),
        })
    }

    pub(super) fn update(&self, raw: &nodes::UpdateStmt) -> Result<UpdateStmt<'a>> {
        Ok(UpdateStmt {
            relation: self.need_range_var(raw.relation())?,
            assignments: self.assignments(untyped(raw.target_list()))?,
            from: self.table_refs(raw.from_clause())?,
            filter: self.opt_expression(raw.where_clause())?,
            returning: self.returning(raw.returning_clause())?,
            with: self.with(raw.with_clause())?,
        })
    }

    pub(super) fn delete(&self, raw: &nodes::DeleteStmt) -> Result<DeleteStmt<'a>> {
        Ok(DeleteStmt {
            relation: self.need_range_var(raw.relation())?,
            using: self.table_refs(raw.using_clause())?,
            filter: self.opt_expression(raw.where_clause())?,
            returning: self.returning(raw.returning_clause())?,
            with: self.with(raw.with_clause())?,
        })
    }

    pub(super) fn merge(&self, raw: &nodes::MergeStmt) -> Result<MergeStmt<'a>> {
        Ok(MergeStmt {
            relation: self.need_range_var(raw.relation())?,
            source: self.table_ref(raw.source_relation())?,
            condition: self.expression_ref(raw.join_condition())?,
            whens: self.list(untyped(raw.merge_when_clauses()), |node| match node {
                Node::MergeWhenClause(when) => self.merge_when(when),
                _ => Err(unexpected("MergeWhenClause")),
            })?,
            returning: self.returning(raw.returning_clause())?,
            with: self.with(raw.with_clause())?,
        })
    }

    fn merge_when(&self, raw: &nodes::MergeWhenClause) -> Result<MergeWhen<'a>> {
        let action = map_enum!(raw.command_type, CmdType {
            CMD_UPDATE => MergeAction::Update(self.assignments(raw.target_list())?),
            CMD_DELETE => MergeAction::Delete,
            CMD_INSERT => MergeAction::Insert {
                columns: self.res_targets(raw.target_list())?,
                values: self.expressions(raw.values())?,
                overriding: overriding(raw.override_),
            },
            CMD_NOTHING => MergeAction::Nothing,
        });
        Ok(MergeWhen {
            matched: map_enum!(raw.match_kind, MergeMatchKind {
                MERGE_WHEN_MATCHED => MergeMatch::Matched,
                MERGE_WHEN_NOT_MATCHED_BY_SOURCE => MergeMatch::NotMatchedBySource,
                MERGE_WHEN_NOT_MATCHED_BY_TARGET => MergeMatch::NotMatchedByTarget,
            }),
            condition: self.opt_expression(raw.condition())?,
            action,
        })
    }

    pub(super) fn copy(&self, raw: &nodes::CopyStmt) -> Result<CopyStmt<'a>> {
        Ok(CopyStmt {
            relation: match raw.relation() {
                Some(relation) => Some(self.range_var(relation)?),
                None => None,
            },
            query: match raw.query() {
                Node::None => None,
                node => Some(self.statement_ref(node)?),
            },
            columns: self.names(raw.attlist())?,
            from: raw.is_from,
            program: raw.is_program,
            filename: self.opt_text(raw.filename())?,
            options: self.typed_options(raw.options())?,
            filter: self.opt_expression(raw.where_clause())?,
        })
    }

    pub(super) fn truncate(&self, raw: &nodes::TruncateStmt) -> Result<TruncateStmt<'a>> {
        Ok(TruncateStmt {
            relations: self.range_vars(raw.relations())?,
            restart_sequences: raw.restart_seqs,
            behavior: self.behavior(raw.behavior),
        })
    }
}

fn overriding(raw: nodes::OverridingKind::Type) -> Overriding {
    match raw {
        nodes::OverridingKind::OVERRIDING_USER_VALUE => Overriding::UserValue,
        nodes::OverridingKind::OVERRIDING_SYSTEM_VALUE => Overriding::SystemValue,
        _ => Overriding::NotSet,
    }
}
