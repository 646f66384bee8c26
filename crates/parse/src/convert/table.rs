//! CREATE TABLE, ALTER TABLE, indexes.

use super::select::{on_commit, sort_nulls};
use super::{Converter, map_enum, unexpected};
use crate::location::Location;
use crate::raw::untyped;
use crate::tree::*;
use base::Result;
use pg_raw_parse::list::NodeList;
use pg_raw_parse::nodes::{AlterTableType as At, ConstrType as Con};
use pg_raw_parse::{Node, nodes};

impl<'a> Converter<'a> {
    pub(super) fn create_table(&self, raw: &nodes::CreateStmt) -> Result<CreateStmt<'a>> {
        let elements = self.list(raw.table_elts(), |node| {
            Ok(match node {
                Node::ColumnDef(column) => {
                    TableElement::Column(self.alloc(self.column_def(column)?)?)
                }
                Node::Constraint(constraint) => {
                    TableElement::Constraint(self.alloc(self.constraint(constraint)?)?)
                }
                Node::TableLikeClause(like) => TableElement::Like {
                    relation: self.need_range_var(like.relation())?,
                    options: like.options,
                },
                _ => return Err(unexpected("a table element")),
            })
        })?;
        Ok(CreateStmt {
            relation: self.need_range_var(raw.relation())?,
            elements,
            inherits: self.range_vars(raw.inh_relations())?,
            partition_bound: self.partition_bound(raw.partbound())?,
            partition_spec: match raw.partspec() {
                Some(spec) => Some(self.alloc(self.partition_spec(spec)?)?),
                None => None,
            },
            of_type: self.opt_type_name(raw.of_typename())?,
            options: self.options(raw.options())?,
            on_commit: on_commit(raw.oncommit),
            tablespace: self.opt_text(raw.tablespacename())?,
            access_method: self.opt_text(raw.access_method())?,
            if_not_exists: raw.if_not_exists,
        })
    }

    pub(super) fn column_def(&self, raw: &nodes::ColumnDef) -> Result<ColumnDef<'a>> {
        Ok(ColumnDef {
            name: self.text(raw.colname().unwrap_or_default())?,
            type_name: self.opt_type_name(raw.type_name())?,
            compression: self.opt_text(raw.compression())?,
            storage: self.opt_text(raw.storage_name())?,
            collation: self.collate_clause(raw.coll_clause())?,
            constraints: self.constraints(raw.constraints())?,
            using: self.opt_expression(raw.raw_default())?,
            location: Location::from_raw(raw.location),
        })
    }

    pub(super) fn collate_clause(
        &self,
        raw: Option<&nodes::CollateClause>,
    ) -> Result<Option<CollateClause<'a>>> {
        let Some(raw) = raw else { return Ok(None) };
        let name = self.names(raw.collname())?;
        Ok(Some(CollateClause { name, location: Location::from_raw(raw.location) }))
    }

    pub(super) fn constraints(&self, list: &NodeList) -> Result<&'a [Constraint<'a>]> {
        self.list(list, |node| match node {
            Node::Constraint(raw) => self.constraint(raw),
            _ => Err(unexpected("Constraint")),
        })
    }

    pub(super) fn constraint(&self, raw: &nodes::Constraint) -> Result<Constraint<'a>> {
        Ok(Constraint {
            name: self.opt_text(raw.conname())?,
            kind: self.constraint_kind(raw)?,
            deferrable: raw.deferrable,
            initially_deferred: raw.initdeferred,
            enforced: raw.is_enforced
                || !matches!(raw.contype, Con::CONSTR_CHECK | Con::CONSTR_FOREIGN),
            not_valid: raw.skip_validation,
            no_inherit: raw.is_no_inherit,
            location: Location::from_raw(raw.location),
        })
    }

    fn constraint_kind(&self, raw: &nodes::Constraint) -> Result<ConstraintKind<'a>> {
        use ConstraintKind as K;
        Ok(match raw.contype {
            Con::CONSTR_NULL => K::Null,
            Con::CONSTR_NOTNULL => K::NotNull { column: self.names(raw.keys())?.first().copied() },
            Con::CONSTR_DEFAULT => K::Default(self.expression_ref(raw.raw_expr())?),
            Con::CONSTR_IDENTITY => K::Identity {
                always: raw.generated_when as u8 == b'a',
                options: self.options(raw.options())?,
            },
            Con::CONSTR_GENERATED => K::Generated {
                stored: raw.generated_kind as u8 == b's',
                expression: self.expression_ref(raw.raw_expr())?,
            },
            Con::CONSTR_CHECK => K::Check(self.expression_ref(raw.raw_expr())?),
            Con::CONSTR_PRIMARY | Con::CONSTR_UNIQUE => K::Key(KeyConstraint {
                primary: raw.contype == Con::CONSTR_PRIMARY,
                columns: self.names(raw.keys())?,
                without_overlaps: raw.without_overlaps,
                including: self.names(raw.including())?,
                nulls_not_distinct: raw.nulls_not_distinct,
                options: self.options(raw.options())?,
                index: self.opt_text(raw.indexname())?,
                tablespace: self.opt_text(raw.indexspace())?,
            }),
            Con::CONSTR_EXCLUSION => K::Exclusion {
                elements: self.list(raw.exclusions(), |node| self.exclusion(node))?,
                access_method: self.opt_text(raw.access_method())?,
                filter: self.opt_expression(raw.where_clause())?,
                including: self.names(raw.including())?,
                options: self.options(raw.options())?,
                tablespace: self.opt_text(raw.indexspace())?,
            },
            Con::CONSTR_FOREIGN => K::Foreign(self.alloc(ForeignKey {
                relation: self.need_range_var(raw.pktable())?,
                columns: self.names(raw.fk_attrs())?,
                referenced: self.names(raw.pk_attrs())?,
                match_type: raw.fk_matchtype as u8,
                on_update: raw.fk_upd_action as u8,
                on_delete: raw.fk_del_action as u8,
                delete_columns: self.names(raw.fk_del_set_cols())?,
                period: raw.fk_with_period || raw.pk_with_period,
            })?),
            Con::CONSTR_ATTR_DEFERRABLE => K::AttributeDeferrable,
            Con::CONSTR_ATTR_NOT_DEFERRABLE => K::AttributeNotDeferrable,
            Con::CONSTR_ATTR_DEFERRED => K::AttributeDeferred,
            Con::CONSTR_ATTR_IMMEDIATE => K::AttributeImmediate,
            Con::CONSTR_ATTR_ENFORCED => K::AttributeEnforced,
            Con::CONSTR_ATTR_NOT_ENFORCED => K::AttributeNotEnforced,
            _ => return Err(unexpected("ConstrType")),
        })
    }

    fn exclusion(&self, node: Node<'_>) -> Result<(IndexElem<'a>, Name<'a>)> {
        let Node::NodeList(pair) = node else { return Err(unexpected("EXCLUDE")) };
        match (pair.get(0), pair.get(1)) {
            (Some(Node::IndexElem(element)), Some(Node::NodeList(operator))) => {
                Ok((self.index_element(element)?, self.names(operator)?))
            }
            _ => Err(unexpected("EXCLUDE")),
        }
    }

    fn partition_spec(&self, raw: &nodes::PartitionSpec) -> Result<PartitionSpec<'a>> {
        let keys = self.list(untyped(raw.part_params()), |node| {
            let Node::PartitionElem(element) = node else {
                return Err(unexpected("PartitionElem"));
            };
            Ok(PartitionElem {
                name: self.opt_text(element.name())?,
                expression: self.opt_expression(element.expr())?,
                collation: self.opt_names(element.collation())?,
                opclass: self.opt_names(element.opclass())?,
                location: Location::from_raw(element.location),
            })
        })?;
        let strategy = map_enum!(raw.strategy, PartitionStrategy {
            PARTITION_STRATEGY_LIST => b'l',
            PARTITION_STRATEGY_RANGE => b'r',
            PARTITION_STRATEGY_HASH => b'h',
        });
        Ok(PartitionSpec { strategy, keys, location: Location::from_raw(raw.location) })
    }

    fn partition_bound(
        &self,
        raw: Option<&nodes::PartitionBoundSpec>,
    ) -> Result<Option<&'a PartitionBound<'a>>> {
        let Some(raw) = raw else { return Ok(None) };
        self.alloc(PartitionBound {
            default: raw.is_default,
            strategy: raw.strategy as u8,
            modulus: raw.modulus,
            remainder: raw.remainder,
            list: self.expressions(raw.listdatums())?,
            lower: self.expressions(raw.lowerdatums())?,
            upper: self.expressions(raw.upperdatums())?,
            location: Location::from_raw(raw.location),
        })
        .map(Some)
    }

    pub(super) fn create_index(&self, raw: &nodes::IndexStmt) -> Result<IndexStmt<'a>> {
        Ok(IndexStmt {
            name: self.opt_text(raw.idxname())?,
            relation: self.need_range_var(raw.relation())?,
            access_method: self.need(raw.access_method())?,
            tablespace: self.opt_text(raw.table_space())?,
            columns: self.index_elements(untyped(raw.index_params()))?,
            including: self.index_elements(raw.index_including_params())?,
            options: self.typed_options(raw.options())?,
            filter: self.opt_expression(raw.where_clause())?,
            unique: raw.unique,
            nulls_not_distinct: raw.nulls_not_distinct,
            concurrent: raw.concurrent,
            if_not_exists: raw.if_not_exists,
        })
    }

    pub(super) fn index_elements(&self, list: &NodeList) -> Result<&'a [IndexElem<'a>]> {
        self.list(list, |node| match node {
            Node::IndexElem(raw) => self.index_element(raw),
            _ => Err(unexpected("IndexElem")),
        })
    }

    fn index_element(&self, raw: &nodes::IndexElem) -> Result<IndexElem<'a>> {
        Ok(IndexElem {
            name: self.opt_text(raw.name())?,
            expression: self.opt_expression(raw.expr())?,
            collation: self.opt_names(raw.collation())?,
            opclass: self.opt_names(raw.opclass())?,
            opclass_options: self.options(raw.opclassopts())?,
            descending: match raw.ordering {
                nodes::SortByDir::SORTBY_DESC => Some(true),
                nodes::SortByDir::SORTBY_ASC => Some(false),
                _ => None,
            },
            nulls: sort_nulls(raw.nulls_ordering),
        })
    }

    pub(super) fn alter_table(&self, raw: &nodes::AlterTableStmt) -> Result<AlterTableStmt<'a>> {
        Ok(AlterTableStmt {
            relation: self.need_range_var(raw.relation())?,
            commands: self.list(raw.cmds(), |node| match node {
                Node::AlterTableCmd(command) => self.alter_column(command),
                _ => Err(unexpected("AlterTableCmd")),
            })?,
            object_type: super::object::object_type(raw.objtype)?,
            missing_ok: raw.missing_ok,
        })
    }

    /// The sub-commands for columns.
    fn alter_column(&self, raw: &nodes::AlterTableCmd) -> Result<AlterTableCmd<'a>> {
        use AlterTableCmd as C;
        let name = || self.text(raw.name().unwrap_or_default());
        let missing_ok = raw.missing_ok;
        Ok(match raw.subtype {
            At::AT_AddColumn => {
                C::AddColumn { column: self.column_node(raw.def())?, if_not_exists: missing_ok }
            }
            At::AT_DropColumn => {
                C::DropColumn { name: name()?, behavior: self.behavior(raw.behavior), missing_ok }
            }
            At::AT_ColumnDefault => {
                C::ColumnDefault { name: name()?, default: self.opt_expression(raw.def())? }
            }
            At::AT_SetNotNull => C::SetNotNull { name: name()? },
            At::AT_DropNotNull => C::DropNotNull { name: name()? },
            At::AT_SetExpression => {
                C::SetExpression { name: name()?, expression: self.expression_ref(raw.def())? }
            }
            At::AT_DropExpression => C::DropExpression { name: name()?, missing_ok },
            At::AT_SetStatistics => C::SetStatistics {
                name: self.opt_text(raw.name())?,
                number: raw.num,
                target: match raw.def() {
                    Node::Integer(target) => Some(target.ival),
                    _ => None,
                },
            },
            At::AT_SetOptions => {
                C::SetColumnOptions { name: name()?, options: self.options_node(raw.def())? }
            }
            At::AT_ResetOptions => {
                C::ResetColumnOptions { name: name()?, options: self.options_node(raw.def())? }
            }
            At::AT_SetStorage => {
                C::SetStorage { name: name()?, storage: self.need(raw.def().as_str())? }
            }
            At::AT_SetCompression => {
                C::SetCompression { name: name()?, method: self.need(raw.def().as_str())? }
            }
            At::AT_AlterColumnType => {
                C::ColumnType { name: name()?, definition: self.column_node(raw.def())? }
            }
            At::AT_AddIdentity => {
                C::AddIdentity { name: name()?, constraint: self.constraint_node(raw.def())? }
            }
            At::AT_SetIdentity => {
                C::SetIdentity { name: name()?, options: self.options_node(raw.def())? }
            }
            At::AT_DropIdentity => C::DropIdentity { name: name()?, missing_ok },
            _ => self.alter_constraint(raw)?,
        })
    }

    /// The sub-commands for constraints, triggers and rules.
    fn alter_constraint(&self, raw: &nodes::AlterTableCmd) -> Result<AlterTableCmd<'a>> {
        use AlterTableCmd as C;
        let name = || self.text(raw.name().unwrap_or_default());
        let trigger = |name, firing| C::Trigger { name, firing };
        Ok(match raw.subtype {
            At::AT_AddConstraint => {
                C::AddConstraint { constraint: self.constraint_node(raw.def())? }
            }
            At::AT_AlterConstraint => {
                let Node::ATAlterConstraint(def) = raw.def() else {
                    return Err(unexpected("ALTER CONSTRAINT"));
                };
                C::AlterConstraint(AlterConstraint {
                    name: self.need(def.conname())?,
                    enforced: def.alter_enforceability.then_some(def.is_enforced),
                    deferrability: def
                        .alter_deferrability
                        .then_some((def.deferrable, def.initdeferred)),
                    no_inherit: def.alter_inheritability.then_some(def.noinherit),
                })
            }
            At::AT_ValidateConstraint => C::ValidateConstraint { name: name()? },
            At::AT_DropConstraint => C::DropConstraint {
                name: name()?,
                behavior: self.behavior(raw.behavior),
                missing_ok: raw.missing_ok,
            },
            At::AT_EnableTrig => trigger(TriggerSet::Named(name()?), Firing::Enable),
            At::AT_EnableAlwaysTrig => trigger(TriggerSet::Named(name()?), Firing::EnableAlways),
            At::AT_EnableReplicaTrig => trigger(TriggerSet::Named(name()?), Firing::EnableReplica),
            At::AT_DisableTrig => trigger(TriggerSet::Named(name()?), Firing::Disable),
            At::AT_EnableTrigAll => trigger(TriggerSet::All, Firing::Enable),
            At::AT_DisableTrigAll => trigger(TriggerSet::All, Firing::Disable),
            At::AT_EnableTrigUser => trigger(TriggerSet::User, Firing::Enable),
            At::AT_DisableTrigUser => trigger(TriggerSet::User, Firing::Disable),
            At::AT_EnableRule => C::Rule { name: name()?, firing: Firing::Enable },
            At::AT_EnableAlwaysRule => C::Rule { name: name()?, firing: Firing::EnableAlways },
            At::AT_EnableReplicaRule => C::Rule { name: name()?, firing: Firing::EnableReplica },
            At::AT_DisableRule => C::Rule { name: name()?, firing: Firing::Disable },
            _ => self.alter_whole(raw)?,
        })
    }

    /// The sub-commands for the relation as a whole.
    fn alter_whole(&self, raw: &nodes::AlterTableCmd) -> Result<AlterTableCmd<'a>> {
        use AlterTableCmd as C;
        let name = || self.text(raw.name().unwrap_or_default());
        let relation = || match raw.def() {
            Node::RangeVar(relation) => self.range_var(relation),
            _ => Err(unexpected("RangeVar")),
        };
        let partition = |raw: &nodes::AlterTableCmd| match raw.def() {
            Node::PartitionCmd(command) => Ok((
                self.need_range_var(command.name())?,
                self.partition_bound(command.bound())?,
                command.concurrent,
            )),
            _ => Err(unexpected("PartitionCmd")),
        };
        Ok(match raw.subtype {
            At::AT_ChangeOwner => C::ChangeOwner { owner: self.need_role(raw.newowner())? },
            At::AT_ClusterOn => C::ClusterOn { index: name()? },
            At::AT_DropCluster => C::SetWithoutCluster,
            At::AT_SetLogged => C::SetLogged,
            At::AT_SetUnLogged => C::SetUnlogged,
            At::AT_DropOids => C::SetWithoutOids,
            At::AT_SetAccessMethod => C::SetAccessMethod { name: self.opt_text(raw.name())? },
            At::AT_SetTableSpace => C::SetTablespace { name: name()? },
            At::AT_SetRelOptions => C::SetOptions { options: self.options_node(raw.def())? },
            At::AT_ResetRelOptions => C::ResetOptions { options: self.options_node(raw.def())? },
            At::AT_AddInherit => C::Inherit { parent: relation()? },
            At::AT_DropInherit => C::NoInherit { parent: relation()? },
            At::AT_AddOf => match raw.def() {
                Node::TypeName(def) => C::Of { type_name: self.alloc(self.type_name(def)?)? },
                _ => return Err(unexpected("OF")),
            },
            At::AT_DropOf => C::NotOf,
            At::AT_ReplicaIdentity => match raw.def() {
                Node::ReplicaIdentityStmt(def) => C::ReplicaIdentity {
                    kind: def.identity_type as u8,
                    index: self.opt_text(def.name())?,
                },
                _ => return Err(unexpected("REPLICA IDENTITY")),
            },
            At::AT_EnableRowSecurity => C::RowSecurity { enable: true },
            At::AT_DisableRowSecurity => C::RowSecurity { enable: false },
            At::AT_ForceRowSecurity => C::ForceRowSecurity { force: true },
            At::AT_NoForceRowSecurity => C::ForceRowSecurity { force: false },
            At::AT_AttachPartition => {
                let (partition, bound, _) = partition(raw)?;
                C::AttachPartition { partition, bound }
            }
            At::AT_DetachPartition | At::AT_DetachPartitionFinalize => {
                let (partition, _, concurrent) = partition(raw)?;
                let finalize = raw.subtype == At::AT_DetachPartitionFinalize;
                C::DetachPartition { partition, concurrent, finalize }
            }
            At::AT_GenericOptions | At::AT_AlterColumnGenericOptions => {
                C::Other { what: "ALTER TABLE ... OPTIONS" }
            }
            _ => return Err(unexpected("AlterTableType")),
        })
    }

    fn column_node(&self, node: Node<'_>) -> Result<&'a ColumnDef<'a>> {
        match node {
            Node::ColumnDef(raw) => self.alloc(self.column_def(raw)?),
            _ => Err(unexpected("ColumnDef")),
        }
    }

    pub(super) fn constraint_node(&self, node: Node<'_>) -> Result<&'a Constraint<'a>> {
        match node {
            Node::Constraint(raw) => self.alloc(self.constraint(raw)?),
            _ => Err(unexpected("Constraint")),
        }
    }

    fn options_node(&self, node: Node<'_>) -> Result<&'a [DefElem<'a>]> {
        match node {
            Node::NodeList(list) => self.options(list),
            Node::None => Ok(&[]),
            _ => Err(unexpected("options")),
        }
    }
}
