//! Which raw statement becomes which of ours.

use super::{Converter, unexpected};
use crate::raw::untyped;
use crate::tag;
use crate::tree::*;
use base::Result;
use base::stack::check_stack_depth;
use pg_raw_parse::{Node, nodes};

impl<'a> Converter<'a> {
    pub(super) fn statement_ref(&self, node: Node<'_>) -> Result<&'a Statement<'a>> {
        self.alloc(self.statement(node)?)
    }

    pub(crate) fn statement(&self, node: Node<'_>) -> Result<Statement<'a>> {
        use Statement as S;
        check_stack_depth()?;
        Ok(match node {
            Node::SelectStmt(raw) => S::Select(self.select(raw)?),
            Node::InsertStmt(raw) => S::Insert(self.alloc(self.insert(raw)?)?),
            Node::UpdateStmt(raw) => S::Update(self.alloc(self.update(raw)?)?),
            Node::DeleteStmt(raw) => S::Delete(self.alloc(self.delete(raw)?)?),
            Node::MergeStmt(raw) => S::Merge(self.alloc(self.merge(raw)?)?),
            Node::CopyStmt(raw) => S::Copy(self.alloc(self.copy(raw)?)?),
            Node::TruncateStmt(raw) => S::Truncate(self.alloc(self.truncate(raw)?)?),
            Node::TransactionStmt(raw) => S::Transaction(self.alloc(self.transaction(raw)?)?),
            Node::PrepareStmt(raw) => S::Prepare(self.alloc(self.prepare(raw)?)?),
            Node::ExecuteStmt(raw) => S::Execute(self.alloc(ExecuteStmt {
                name: self.need(raw.name())?,
                params: self.expressions(raw.params())?,
            })?),
            Node::DeallocateStmt(raw) => {
                S::Deallocate(DeallocateStmt { name: self.opt_text(raw.name())? })
            }
            Node::DeclareCursorStmt(raw) => {
                S::DeclareCursor(self.alloc(self.declare_cursor(raw)?)?)
            }
            Node::ClosePortalStmt(raw) => {
                S::ClosePortal(ClosePortalStmt { name: self.opt_text(raw.portalname())? })
            }
            Node::FetchStmt(raw) => S::Fetch(self.alloc(self.fetch(raw)?)?),
            Node::LockStmt(raw) => S::Lock(self.alloc(self.lock(raw)?)?),
            Node::ConstraintsSetStmt(raw) => S::ConstraintsSet(self.alloc(ConstraintsSetStmt {
                constraints: self.range_vars(raw.constraints())?,
                deferred: raw.deferred,
            })?),
            Node::RawStmt(raw) => self.statement(raw.stmt())?,
            other => self.definition(other)?,
        })
    }

    /// CREATE, ALTER and DROP.
    fn definition(&self, node: Node<'_>) -> Result<Statement<'a>> {
        use Statement as S;
        Ok(match node {
            Node::CreateStmt(raw) => S::CreateTable(self.alloc(self.create_table(raw)?)?),
            Node::CreateTableAsStmt(raw) => {
                S::CreateTableAs(self.alloc(self.create_table_as(raw)?)?)
            }
            Node::AlterTableStmt(raw) => S::AlterTable(self.alloc(self.alter_table(raw)?)?),
            Node::IndexStmt(raw) => S::CreateIndex(self.alloc(self.create_index(raw)?)?),
            Node::ViewStmt(raw) => S::CreateView(self.alloc(self.view(raw)?)?),
            Node::RefreshMatViewStmt(raw) => S::RefreshMatView(self.alloc(RefreshMatViewStmt {
                concurrent: raw.concurrent,
                skip_data: raw.skip_data,
                relation: self.need_range_var(raw.relation())?,
            })?),
            Node::CreateSeqStmt(raw) => S::CreateSequence(self.alloc(self.create_sequence(raw)?)?),
            Node::AlterSeqStmt(raw) => S::AlterSequence(self.alloc(self.alter_sequence(raw)?)?),
            Node::CreateSchemaStmt(raw) => S::CreateSchema(self.alloc(self.create_schema(raw)?)?),
            Node::CreateStatsStmt(raw) => {
                S::CreateStatistics(self.alloc(self.create_statistics(raw)?)?)
            }
            Node::DropStmt(raw) => S::Drop(self.alloc(self.drop_stmt(raw)?)?),
            Node::CommentStmt(raw) => S::Comment(self.alloc(self.comment(raw)?)?),
            Node::RenameStmt(raw) => S::Rename(self.alloc(self.rename(raw)?)?),
            Node::AlterOwnerStmt(raw) => S::AlterOwner(self.alloc(self.alter_owner(raw)?)?),
            Node::AlterObjectSchemaStmt(raw) => {
                S::AlterObjectSchema(self.alloc(self.alter_schema(raw)?)?)
            }
            Node::CreateTrigStmt(raw) => S::CreateTrigger(self.alloc(self.create_trigger(raw)?)?),
            Node::RuleStmt(raw) => S::CreateRule(self.alloc(self.rule(raw)?)?),
            Node::CreatePolicyStmt(raw) => S::CreatePolicy(self.alloc(self.create_policy(raw)?)?),
            Node::AlterPolicyStmt(raw) => S::AlterPolicy(self.alloc(self.alter_policy(raw)?)?),
            other => self.type_or_function(other)?,
        })
    }

    fn create_table_as(&self, raw: &nodes::CreateTableAsStmt) -> Result<CreateTableAsStmt<'a>> {
        let into = raw.into().ok_or_else(|| unexpected("a missing INTO"))?;
        Ok(CreateTableAsStmt {
            query: self.statement_ref(raw.query())?,
            into: self.alloc(self.select_into(into)?)?,
            materialized_view: raw.objtype == nodes::ObjectType::OBJECT_MATVIEW,
            if_not_exists: raw.if_not_exists,
        })
    }

    /// Types, functions and what is near them.
    fn type_or_function(&self, node: Node<'_>) -> Result<Statement<'a>> {
        use Statement as S;
        Ok(match node {
            Node::CreateDomainStmt(raw) => S::CreateDomain(self.alloc(self.create_domain(raw)?)?),
            Node::AlterDomainStmt(raw) => S::AlterDomain(self.alloc(self.alter_domain(raw)?)?),
            Node::CompositeTypeStmt(raw) => {
                S::CompositeType(self.alloc(self.composite_type(raw)?)?)
            }
            Node::CreateEnumStmt(raw) => S::CreateEnum(self.alloc(CreateEnumStmt {
                name: self.string_list(raw.type_name())?,
                labels: self.string_list(raw.vals())?,
            })?),
            Node::AlterEnumStmt(raw) => S::AlterEnum(self.alloc(self.alter_enum(raw)?)?),
            Node::CreateRangeStmt(raw) => S::CreateRange(self.alloc(CreateRangeStmt {
                name: self.string_list(raw.type_name())?,
                options: self.typed_options(raw.params())?,
            })?),
            Node::DefineStmt(raw) => S::Define(self.alloc(self.define(raw)?)?),
            Node::CreateCastStmt(raw) => S::CreateCast(self.alloc(self.create_cast(raw)?)?),
            Node::CreateExtensionStmt(raw) => {
                S::CreateExtension(self.alloc(CreateExtensionStmt {
                    name: self.need(raw.extname())?,
                    if_not_exists: raw.if_not_exists,
                    options: self.typed_options(raw.options())?,
                })?)
            }
            Node::CreateFunctionStmt(raw) => {
                S::CreateFunction(self.alloc(self.create_function(raw)?)?)
            }
            Node::AlterFunctionStmt(raw) => S::AlterFunction(self.alloc(AlterFunctionStmt {
                object_type: super::object::object_type(raw.objtype)?,
                function: self.need_object_with_args(raw.func())?,
                options: self.typed_options(raw.actions())?,
            })?),
            Node::DoStmt(raw) => {
                S::Do(self.alloc(DoStmt { options: self.typed_options(raw.args())? })?)
            }
            Node::CallStmt(raw) => S::Call(
                self.func_call(raw.funccall().ok_or_else(|| unexpected("a missing call"))?)?,
            ),
            other => self.role_or_database(other)?,
        })
    }

    fn role_or_database(&self, node: Node<'_>) -> Result<Statement<'a>> {
        use Statement as S;
        Ok(match node {
            Node::CreateRoleStmt(raw) => S::CreateRole(self.alloc(self.create_role(raw)?)?),
            Node::AlterRoleStmt(raw) => S::AlterRole(self.alloc(self.alter_role(raw)?)?),
            Node::AlterRoleSetStmt(raw) => S::AlterRoleSet(self.alloc(self.alter_role_set(raw)?)?),
            Node::DropRoleStmt(raw) => S::DropRole(self.alloc(DropRoleStmt {
                roles: self.roles(raw.roles())?,
                missing_ok: raw.missing_ok,
            })?),
            Node::GrantStmt(raw) => S::Grant(self.alloc(self.grant(raw)?)?),
            Node::GrantRoleStmt(raw) => S::GrantRole(self.alloc(self.grant_role(raw)?)?),
            Node::AlterDefaultPrivilegesStmt(raw) => {
                S::AlterDefaultPrivileges(self.alloc(self.default_privileges(raw)?)?)
            }
            Node::DropOwnedStmt(raw) => S::DropOwned(self.alloc(DropOwnedStmt {
                roles: self.roles(raw.roles())?,
                behavior: self.behavior(raw.behavior),
            })?),
            Node::ReassignOwnedStmt(raw) => S::ReassignOwned(self.alloc(ReassignOwnedStmt {
                roles: self.roles(raw.roles())?,
                new_role: self.need_role(raw.newrole())?,
            })?),
            Node::CreatedbStmt(raw) => S::CreateDatabase(self.alloc(DatabaseStmt {
                name: self.need(raw.dbname())?,
                options: self.typed_options(raw.options())?,
            })?),
            Node::AlterDatabaseStmt(raw) => S::AlterDatabase(self.alloc(DatabaseStmt {
                name: self.need(raw.dbname())?,
                options: self.typed_options(raw.options())?,
            })?),
            Node::AlterDatabaseSetStmt(raw) => {
                S::AlterDatabaseSet(self.alloc(self.alter_database_set(raw)?)?)
            }
            Node::DropdbStmt(raw) => S::DropDatabase(self.alloc(DropDatabaseStmt {
                name: self.need(raw.dbname())?,
                missing_ok: raw.missing_ok,
                options: self.options(raw.options())?,
            })?),
            Node::CreateTableSpaceStmt(raw) => {
                S::CreateTablespace(self.alloc(self.tablespace(raw)?)?)
            }
            Node::DropTableSpaceStmt(raw) => S::DropTablespace {
                name: self.need(raw.tablespacename())?,
                missing_ok: raw.missing_ok,
            },
            other => self.utility(other)?,
        })
    }

    fn utility(&self, node: Node<'_>) -> Result<Statement<'a>> {
        use Statement as S;
        Ok(match node {
            Node::ExplainStmt(raw) => S::Explain(self.alloc(ExplainStmt {
                query: self.statement_ref(raw.query())?,
                options: self.typed_options(raw.options())?,
            })?),
            Node::VariableSetStmt(raw) => S::VariableSet(self.alloc(self.variable_set(raw)?)?),
            Node::VariableShowStmt(raw) => {
                S::VariableShow(VariableShowStmt { name: self.need(raw.name())? })
            }
            Node::AlterSystemStmt(raw) => S::AlterSystem(self.alter_system(raw)?),
            Node::DiscardStmt(raw) => S::Discard(self.discard(raw)?),
            Node::VacuumStmt(raw) => S::Vacuum(self.alloc(self.vacuum(raw)?)?),
            Node::ReindexStmt(raw) => S::Reindex(self.alloc(self.reindex(raw)?)?),
            Node::ClusterStmt(raw) => S::Cluster(self.alloc(ClusterStmt {
                relation: raw.relation().map(|relation| self.range_var(relation)).transpose()?,
                index: self.opt_text(raw.indexname())?,
                options: self.options(untyped(raw.params()))?,
            })?),
            Node::CheckPointStmt(_) => S::Checkpoint,
            Node::ListenStmt(raw) => S::Listen(self.need(raw.conditionname())?),
            Node::UnlistenStmt(raw) => S::Unlisten(self.opt_text(raw.conditionname())?),
            Node::NotifyStmt(raw) => S::Notify(NotifyStmt {
                channel: self.need(raw.conditionname())?,
                payload: self.opt_text(raw.payload())?,
            }),
            Node::LoadStmt(raw) => S::Load(self.need(raw.filename())?),
            other => S::Other { tag: tag::other(other).ok_or_else(|| unexpected("a statement"))? },
        })
    }
}
