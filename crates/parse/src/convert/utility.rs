//! EXPLAIN, SET, VACUUM and other utility statements.

use super::{Converter, map_enum, unexpected};
use crate::location::Location;
use crate::raw::untyped;
use crate::tree::*;
use base::{Error, Result, err};
use pg_raw_parse::{Node, nodes};

/// The error of a parameter as a setting's value: libpg_query takes it, PostgreSQL's grammar does not.
pub(crate) fn refuse_parameter(statement: Node<'_>, sql: &str) -> Result<()> {
    let set = match statement {
        Node::VariableSetStmt(set) => Some(set),
        Node::AlterSystemStmt(alter) => alter.setstmt(),
        Node::AlterRoleSetStmt(alter) => alter.setstmt(),
        Node::AlterDatabaseSetStmt(alter) => alter.setstmt(),
        _ => None,
    };
    for value in set.iter().flat_map(|set| set.args().iter()) {
        if let Node::ParamRef(parameter) = value {
            let error: Error =
                err!(SYNTAX_ERROR, "syntax error at or near \"${}\"", parameter.number);
            return Err(match Location::from_raw(parameter.location).position(sql) {
                Some(at) => error.position(at),
                None => error,
            });
        }
    }
    Ok(())
}

impl<'a> Converter<'a> {
    pub(super) fn variable_set(&self, raw: &nodes::VariableSetStmt) -> Result<VariableSetStmt<'a>> {
        Ok(VariableSetStmt {
            kind: map_enum!(raw.kind, VariableSetKind {
                VAR_SET_VALUE => VariableSetKind::Value,
                VAR_SET_DEFAULT => VariableSetKind::Default,
                VAR_SET_CURRENT => VariableSetKind::Current,
                VAR_SET_MULTI => VariableSetKind::Multi,
                VAR_RESET => VariableSetKind::Reset,
                VAR_RESET_ALL => VariableSetKind::ResetAll,
            }),
            name: self.opt_text(raw.name())?,
            values: self.option_values(raw.args())?,
            local: raw.is_local,
            location: Location::from_raw(raw.location),
        })
    }

    pub(super) fn vacuum(&self, raw: &nodes::VacuumStmt) -> Result<VacuumStmt<'a>> {
        Ok(VacuumStmt {
            vacuum: raw.is_vacuumcmd,
            options: self.typed_options(raw.options())?,
            relations: self.list(untyped(raw.rels()), |node| match node {
                Node::VacuumRelation(relation) => Ok(VacuumRelation {
                    relation: self.need_range_var(relation.relation())?,
                    columns: self.names(relation.va_cols())?,
                }),
                _ => Err(unexpected("VacuumRelation")),
            })?,
        })
    }

    pub(super) fn reindex(&self, raw: &nodes::ReindexStmt) -> Result<ReindexStmt<'a>> {
        let relation = || self.need_range_var(raw.relation());
        let target = map_enum!(raw.kind, ReindexObjectType {
            REINDEX_OBJECT_INDEX => ReindexTarget::Index(relation()?),
            REINDEX_OBJECT_TABLE => ReindexTarget::Table(relation()?),
            REINDEX_OBJECT_SCHEMA => ReindexTarget::Schema(self.need(raw.name())?),
            REINDEX_OBJECT_SYSTEM => ReindexTarget::System(self.opt_text(raw.name())?),
            REINDEX_OBJECT_DATABASE => ReindexTarget::Database(self.opt_text(raw.name())?),
        });
        Ok(ReindexStmt { target, options: self.typed_options(raw.params())? })
    }

    pub(super) fn create_statistics(
        &self,
        raw: &nodes::CreateStatsStmt,
    ) -> Result<CreateStatsStmt<'a>> {
        let expressions = self.list(raw.exprs(), |node| {
            let Node::StatsElem(element) = node else { return Err(unexpected("StatsElem")) };
            match element.name() {
                Some(name) => {
                    let fields = self.bump.alloc_slice_copy(&[Field::Name(self.text(name)?)])?;
                    Ok(Expression::ColumnRef { fields, location: Location::NONE })
                }
                None => self.expression(element.expr()),
            }
        })?;
        Ok(CreateStatsStmt {
            name: self.string_list(raw.defnames())?,
            kinds: self.string_list(raw.stat_types())?,
            expressions,
            relations: self.list(untyped(raw.relations()), |node| match node {
                Node::RangeVar(relation) => self.range_var(relation),
                _ => Err(base::err!(
                    FEATURE_NOT_SUPPORTED,
                    "CREATE STATISTICS only supports relation names in the FROM clause"
                )),
            })?,
            if_not_exists: raw.if_not_exists,
        })
    }

    pub(super) fn discard(&self, raw: &nodes::DiscardStmt) -> Result<DiscardTarget> {
        Ok(map_enum!(raw.target, DiscardMode {
            DISCARD_ALL => DiscardTarget::All,
            DISCARD_PLANS => DiscardTarget::Plans,
            DISCARD_SEQUENCES => DiscardTarget::Sequences,
            DISCARD_TEMP => DiscardTarget::Temp,
        }))
    }
}
