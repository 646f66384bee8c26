//! SELECT and what stands in FROM.

use super::{Converter, map_enum, unexpected};
use crate::location::Location;
use crate::raw::untyped;
use crate::tree::*;
use base::Result;
use base::stack::check_stack_depth;
use pg_raw_parse::list::NodeList;
use pg_raw_parse::{Node, nodes};

impl<'a> Converter<'a> {
    pub(super) fn select_node(&self, node: Node<'_>) -> Result<&'a SelectStmt<'a>> {
        match node {
            Node::SelectStmt(raw) => self.select(raw),
            _ => Err(unexpected("a query")),
        }
    }

    /// A chain of set operations that leans to the left is walked down once.
    pub(super) fn select(&self, raw: &nodes::SelectStmt) -> Result<&'a SelectStmt<'a>> {
        check_stack_depth()?;
        let mut chain = Vec::new();
        let mut leaf = raw;
        while leaf.op != nodes::SetOperation::SETOP_NONE {
            chain.push(leaf);
            leaf = leaf.larg().ok_or_else(|| unexpected("a set operation"))?;
        }
        let mut left = self.alloc(self.simple_select(leaf)?)?;
        while let Some(raw) = chain.pop() {
            let right = self.select(raw.rarg().ok_or_else(|| unexpected("a set operation"))?)?;
            let operation = self.alloc(SetOperation {
                kind: map_enum!(raw.op, SetOperation {
                    SETOP_UNION => SetOperationKind::Union,
                    SETOP_INTERSECT => SetOperationKind::Intersect,
                    SETOP_EXCEPT => SetOperationKind::Except,
                }),
                all: raw.all,
                left,
                right,
            })?;
            let mut select = self.simple_select(raw)?;
            select.set_operation = Some(operation);
            left = self.alloc(select)?;
        }
        Ok(left)
    }

    /// Everything but the operands of a set operation.
    fn simple_select(&self, raw: &nodes::SelectStmt) -> Result<SelectStmt<'a>> {
        let distinct = match raw.distinct_clause().first() {
            None => None,
            Some(Node::None) => Some(Distinct::All),
            Some(_) => Some(Distinct::On(self.expressions(raw.distinct_clause())?)),
        };
        Ok(SelectStmt {
            distinct,
            into: match raw.into_clause() {
                Some(into) => Some(self.alloc(self.select_into(into)?)?),
                None => None,
            },
            targets: self.res_targets(untyped(raw.target_list()))?,
            from: self.table_refs(raw.from_clause())?,
            filter: self.opt_expression(raw.where_clause())?,
            group: self.list(raw.group_clause(), |node| self.grouping(node))?,
            group_distinct: raw.group_distinct,
            having: self.opt_expression(raw.having_clause())?,
            windows: self.list(raw.window_clause(), |node| match node {
                Node::WindowDef(window) => self.window(window),
                _ => Err(unexpected("WindowDef")),
            })?,
            values: self.list(raw.values_lists(), |node| match node {
                Node::NodeList(row) => self.expressions(row),
                _ => Err(unexpected("VALUES")),
            })?,
            sort: self.sort_list(untyped(raw.sort_clause()))?,
            offset: self.opt_expression(raw.limit_offset())?,
            limit: self.opt_expression(raw.limit_count())?,
            with_ties: raw.limit_option == nodes::LimitOption::LIMIT_OPTION_WITH_TIES,
            locking: self.list(untyped(raw.locking_clause()), |node| match node {
                Node::LockingClause(locking) => self.locking(locking),
                _ => Err(unexpected("LockingClause")),
            })?,
            with: self.with(raw.with_clause())?,
            set_operation: None,
        })
    }

    pub(super) fn select_into(&self, raw: &nodes::IntoClause) -> Result<IntoClause<'a>> {
        Ok(IntoClause {
            relation: self.need_range_var(raw.rel())?,
            columns: self.names(raw.col_names())?,
            access_method: self.opt_text(raw.access_method())?,
            options: self.options(raw.options())?,
            on_commit: on_commit(raw.on_commit),
            tablespace: self.opt_text(raw.table_space_name())?,
            skip_data: raw.skip_data,
        })
    }

    pub(super) fn res_target(&self, raw: &nodes::ResTarget) -> Result<ResTarget<'a>> {
        Ok(ResTarget {
            name: self.opt_text(raw.name())?,
            indirection: self.indirection(raw.indirection())?,
            value: self.opt_expression(raw.val())?,
            location: Location::from_raw(raw.location),
        })
    }

    pub(super) fn res_targets(&self, list: &NodeList) -> Result<&'a [ResTarget<'a>]> {
        self.list(list, |node| match node {
            Node::ResTarget(raw) => self.res_target(raw),
            _ => Err(unexpected("ResTarget")),
        })
    }

    pub(super) fn table_refs(&self, list: &NodeList) -> Result<&'a [TableRef<'a>]> {
        self.list(list, |node| self.table_ref(node))
    }

    pub(super) fn table_ref(&self, node: Node<'_>) -> Result<TableRef<'a>> {
        check_stack_depth()?;
        Ok(match node {
            Node::RangeVar(raw) => TableRef::Relation(self.range_var(raw)?),
            Node::RangeSubselect(raw) => TableRef::Subselect(RangeSubselect {
                lateral: raw.lateral,
                query: self.select_node(raw.subquery())?,
                alias: self.alias(raw.alias())?,
            }),
            Node::RangeFunction(raw) => TableRef::Function(self.range_function(raw)?),
            Node::JoinExpr(raw) => TableRef::Join(self.join(raw)?),
            Node::RangeTableSample(raw) => TableRef::Sample(self.alloc(RangeTableSample {
                relation: self.table_ref(raw.relation())?,
                method: self.names(raw.method())?,
                args: self.expressions(raw.args())?,
                repeatable: self.opt_expression(raw.repeatable())?,
                location: Location::from_raw(raw.location),
            })?),
            Node::RangeTableFunc(raw) => {
                TableRef::Other { what: "XMLTABLE", location: Location::from_raw(raw.location) }
            }
            Node::JsonTable(raw) => TableRef::Json(self.json_table(raw)?),
            _ => return Err(unexpected("an item of FROM")),
        })
    }

    /// A chain of joins that leans to the left is walked down once.
    fn join(&self, raw: &nodes::JoinExpr) -> Result<&'a JoinExpr<'a>> {
        let mut chain = vec![raw];
        let mut left = raw.larg();
        while let Node::JoinExpr(inner) = left {
            chain.push(inner);
            left = inner.larg();
        }
        let mut left = self.table_ref(left)?;
        loop {
            let Some(raw) = chain.pop() else { return Err(unexpected("a join")) };
            let join = self.alloc(JoinExpr {
                kind: map_enum!(raw.jointype, JoinType {
                    JOIN_INNER => JoinKind::Inner,
                    JOIN_LEFT => JoinKind::Left,
                    JOIN_FULL => JoinKind::Full,
                    JOIN_RIGHT => JoinKind::Right,
                }),
                natural: raw.is_natural,
                left,
                right: self.table_ref(raw.rarg())?,
                using: self.string_list(raw.using_clause())?,
                using_alias: self.alias(raw.join_using_alias())?,
                condition: self.opt_expression(raw.quals())?,
                alias: self.alias(raw.alias())?,
            })?;
            if chain.is_empty() {
                return Ok(join);
            }
            left = TableRef::Join(join);
        }
    }

    fn range_function(&self, raw: &nodes::RangeFunction) -> Result<RangeFunction<'a>> {
        let functions = self.list(raw.functions(), |node| {
            let Node::NodeList(pair) = node else { return Err(unexpected("ROWS FROM")) };
            let call = self.expression(pair.get(0).unwrap_or(Node::None))?;
            let columns = match pair.get(1) {
                Some(Node::NodeList(columns)) => self.column_definitions(columns)?,
                _ => &[],
            };
            Ok(RangeFunctionItem { call, columns })
        })?;
        Ok(RangeFunction {
            lateral: raw.lateral,
            ordinality: raw.ordinality,
            rows_from: raw.is_rowsfrom,
            functions,
            alias: self.alias(raw.alias())?,
            columns: self.column_definitions(untyped(raw.coldeflist()))?,
        })
    }

    fn column_definitions(&self, list: &NodeList) -> Result<&'a [ColumnDefinition<'a>]> {
        self.list(list, |node| {
            let Node::ColumnDef(raw) = node else { return Err(unexpected("ColumnDef")) };
            Ok(ColumnDefinition {
                name: self.need(raw.colname())?,
                type_name: self.need_type_name(raw.type_name())?,
                collation: match raw.coll_clause() {
                    Some(clause) => Some(self.names(clause.collname())?),
                    None => None,
                },
                location: Location::from_raw(raw.location),
            })
        })
    }

    fn grouping(&self, node: Node<'_>) -> Result<GroupingElement<'a>> {
        check_stack_depth()?;
        let Node::GroupingSet(raw) = node else {
            return Ok(GroupingElement::Expression(self.expression(node)?));
        };
        let location = Location::from_raw(raw.location);
        Ok(map_enum!(raw.kind, GroupingSetKind {
            GROUPING_SET_EMPTY => GroupingElement::Empty(location),
            GROUPING_SET_ROLLUP => {
                GroupingElement::Rollup(self.expressions(raw.content())?, location)
            },
            GROUPING_SET_CUBE => {
                GroupingElement::Cube(self.expressions(raw.content())?, location)
            },
            GROUPING_SET_SETS => GroupingElement::Sets(
                self.list(raw.content(), |node| self.grouping(node))?,
                location,
            ),
        }))
    }

    pub(super) fn sort_list(&self, list: &NodeList) -> Result<&'a [SortBy<'a>]> {
        self.list(list, |node| {
            let Node::SortBy(raw) = node else { return Err(unexpected("SortBy")) };
            Ok(SortBy {
                value: self.expression(raw.node())?,
                direction: map_enum!(raw.sortby_dir, SortByDir {
                    SORTBY_DEFAULT => SortDirection::Default,
                    SORTBY_ASC => SortDirection::Ascending,
                    SORTBY_DESC => SortDirection::Descending,
                    SORTBY_USING => SortDirection::Using(self.names(raw.use_op())?),
                }),
                nulls: sort_nulls(raw.sortby_nulls),
                location: Location::from_raw(raw.location),
            })
        })
    }

    pub(super) fn window(&self, raw: &nodes::WindowDef) -> Result<WindowDef<'a>> {
        Ok(WindowDef {
            name: self.opt_text(raw.name())?,
            reference: self.opt_text(raw.refname())?,
            partition: self.expressions(raw.partition_clause())?,
            order: self.sort_list(untyped(raw.order_clause()))?,
            frame: self.frame(raw)?,
            location: Location::from_raw(raw.location),
        })
    }

    fn frame(&self, raw: &nodes::WindowDef) -> Result<Frame<'a>> {
        use pg_raw_parse::raw as bits;
        let options = u32::try_from(raw.frame_options).unwrap_or(0);
        let has = |bit: u32| options & bit != 0;
        let start = if has(bits::FRAMEOPTION_START_UNBOUNDED_PRECEDING) {
            FrameBound::UnboundedPreceding
        } else if has(bits::FRAMEOPTION_START_UNBOUNDED_FOLLOWING) {
            FrameBound::UnboundedFollowing
        } else if has(bits::FRAMEOPTION_START_OFFSET_PRECEDING) {
            FrameBound::Preceding(self.expression_ref(raw.start_offset())?)
        } else if has(bits::FRAMEOPTION_START_OFFSET_FOLLOWING) {
            FrameBound::Following(self.expression_ref(raw.start_offset())?)
        } else {
            FrameBound::CurrentRow
        };
        let end = if has(bits::FRAMEOPTION_END_UNBOUNDED_PRECEDING) {
            FrameBound::UnboundedPreceding
        } else if has(bits::FRAMEOPTION_END_UNBOUNDED_FOLLOWING) {
            FrameBound::UnboundedFollowing
        } else if has(bits::FRAMEOPTION_END_OFFSET_PRECEDING) {
            FrameBound::Preceding(self.expression_ref(raw.end_offset())?)
        } else if has(bits::FRAMEOPTION_END_OFFSET_FOLLOWING) {
            FrameBound::Following(self.expression_ref(raw.end_offset())?)
        } else {
            FrameBound::CurrentRow
        };
        Ok(Frame {
            explicit: has(bits::FRAMEOPTION_NONDEFAULT),
            mode: if has(bits::FRAMEOPTION_ROWS) {
                FrameMode::Rows
            } else if has(bits::FRAMEOPTION_GROUPS) {
                FrameMode::Groups
            } else {
                FrameMode::Range
            },
            between: has(bits::FRAMEOPTION_BETWEEN),
            start,
            end,
            exclusion: if has(bits::FRAMEOPTION_EXCLUDE_CURRENT_ROW) {
                FrameExclusion::CurrentRow
            } else if has(bits::FRAMEOPTION_EXCLUDE_GROUP) {
                FrameExclusion::Group
            } else if has(bits::FRAMEOPTION_EXCLUDE_TIES) {
                FrameExclusion::Ties
            } else {
                FrameExclusion::NoOthers
            },
        })
    }

    fn locking(&self, raw: &nodes::LockingClause) -> Result<LockingClause<'a>> {
        Ok(LockingClause {
            relations: self.range_vars(raw.locked_rels())?,
            strength: map_enum!(raw.strength, LockClauseStrength {
                LCS_FORKEYSHARE => LockStrength::KeyShare,
                LCS_FORSHARE => LockStrength::Share,
                LCS_FORNOKEYUPDATE => LockStrength::NoKeyUpdate,
                LCS_FORUPDATE => LockStrength::Update,
            }),
            wait: map_enum!(raw.wait_policy, LockWaitPolicy {
                LockWaitBlock => LockWait::Block,
                LockWaitSkip => LockWait::Skip,
                LockWaitError => LockWait::Error,
            }),
        })
    }

    pub(super) fn with(
        &self,
        raw: Option<&nodes::WithClause>,
    ) -> Result<Option<&'a WithClause<'a>>> {
        let Some(raw) = raw else { return Ok(None) };
        let ctes = self.list(untyped(raw.ctes()), |node| match node {
            Node::CommonTableExpr(cte) => self.cte(cte),
            _ => Err(unexpected("CommonTableExpr")),
        })?;
        let location = Location::from_raw(raw.location);
        self.alloc(WithClause { recursive: raw.recursive, ctes, location }).map(Some)
    }

    fn cte(&self, raw: &nodes::CommonTableExpr) -> Result<CommonTableExpr<'a>> {
        let search = match raw.search_clause() {
            Some(clause) => Some(self.alloc(SearchClause {
                columns: self.names(clause.search_col_list())?,
                breadth_first: clause.search_breadth_first,
                sequence_column: self.need(clause.search_seq_column())?,
                location: Location::from_raw(clause.location),
            })?),
            None => None,
        };
        let cycle = match raw.cycle_clause() {
            Some(clause) => Some(self.alloc(CycleClause {
                columns: self.names(clause.cycle_col_list())?,
                mark_column: self.need(clause.cycle_mark_column())?,
                mark_value: self.expression(clause.cycle_mark_value())?,
                mark_default: self.expression(clause.cycle_mark_default())?,
                path_column: self.need(clause.cycle_path_column())?,
                location: Location::from_raw(clause.location),
            })?),
            None => None,
        };
        Ok(CommonTableExpr {
            name: self.need(raw.ctename())?,
            columns: self.names(raw.aliascolnames())?,
            materialized: map_enum!(raw.ctematerialized, CTEMaterialize {
                CTEMaterializeDefault => None,
                CTEMaterializeAlways => Some(true),
                CTEMaterializeNever => Some(false),
            }),
            query: self.statement_ref(raw.ctequery())?,
            search,
            cycle,
            location: Location::from_raw(raw.location),
        })
    }
}

pub(super) fn sort_nulls(raw: nodes::SortByNulls::Type) -> SortNulls {
    match raw {
        nodes::SortByNulls::SORTBY_NULLS_FIRST => SortNulls::First,
        nodes::SortByNulls::SORTBY_NULLS_LAST => SortNulls::Last,
        _ => SortNulls::Default,
    }
}

pub(super) fn on_commit(raw: nodes::OnCommitAction::Type) -> OnCommit {
    match raw {
        nodes::OnCommitAction::ONCOMMIT_PRESERVE_ROWS => OnCommit::PreserveRows,
        nodes::OnCommitAction::ONCOMMIT_DELETE_ROWS => OnCommit::DeleteRows,
        nodes::OnCommitAction::ONCOMMIT_DROP => OnCommit::Drop,
        _ => OnCommit::Default,
    }
}
