//! Roles, databases, privileges.

use super::object::object_type;
use super::{Converter, map_enum, unexpected};
use crate::raw::untyped;
use crate::tree::*;
use base::Result;
use pg_raw_parse::list::NodeList;
use pg_raw_parse::{Node, nodes};

impl<'a> Converter<'a> {
    pub(super) fn create_role(&self, raw: &nodes::CreateRoleStmt) -> Result<CreateRoleStmt<'a>> {
        Ok(CreateRoleStmt {
            kind: map_enum!(raw.stmt_type, RoleStmtType {
                ROLESTMT_ROLE => RoleKind::Role,
                ROLESTMT_USER => RoleKind::User,
                ROLESTMT_GROUP => RoleKind::Group,
            }),
            role: self.need(raw.role())?,
            options: self.typed_options(raw.options())?,
        })
    }

    pub(super) fn alter_role(&self, raw: &nodes::AlterRoleStmt) -> Result<AlterRoleStmt<'a>> {
        Ok(AlterRoleStmt {
            role: self.need_role(raw.role())?,
            options: self.typed_options(raw.options())?,
            add: raw.action >= 0,
        })
    }

    fn need_setting(
        &self,
        raw: Option<&nodes::VariableSetStmt>,
    ) -> Result<&'a VariableSetStmt<'a>> {
        self.alloc(self.variable_set(raw.ok_or_else(|| unexpected("a missing setting"))?)?)
    }

    pub(super) fn alter_role_set(
        &self,
        raw: &nodes::AlterRoleSetStmt,
    ) -> Result<AlterRoleSetStmt<'a>> {
        Ok(AlterRoleSetStmt {
            role: self.opt_role(raw.role())?,
            database: self.opt_text(raw.database())?,
            setting: self.need_setting(raw.setstmt())?,
        })
    }

    pub(super) fn alter_database_set(
        &self,
        raw: &nodes::AlterDatabaseSetStmt,
    ) -> Result<AlterDatabaseSetStmt<'a>> {
        Ok(AlterDatabaseSetStmt {
            name: self.need(raw.dbname())?,
            setting: self.need_setting(raw.setstmt())?,
        })
    }

    pub(super) fn alter_system(
        &self,
        raw: &nodes::AlterSystemStmt,
    ) -> Result<&'a VariableSetStmt<'a>> {
        self.need_setting(raw.setstmt())
    }

    pub(super) fn grant(&self, raw: &nodes::GrantStmt) -> Result<GrantStmt<'a>> {
        let kind = object_type(raw.objtype)?;
        Ok(GrantStmt {
            grant: raw.is_grant,
            target: map_enum!(raw.targtype, GrantTargetType {
                ACL_TARGET_OBJECT => GrantTarget::Object,
                ACL_TARGET_ALL_IN_SCHEMA => GrantTarget::AllInSchema,
                ACL_TARGET_DEFAULTS => GrantTarget::Defaults,
            }),
            object_type: kind,
            objects: self.objects(kind, untyped(raw.objects()))?,
            privileges: self.privileges(untyped(raw.privileges()))?,
            grantees: self.roles(untyped(raw.grantees()))?,
            grant_option: raw.grant_option,
            grantor: self.opt_role(raw.grantor())?,
            behavior: self.behavior(raw.behavior),
        })
    }

    fn privileges(&self, list: &NodeList) -> Result<&'a [AccessPrivilege<'a>]> {
        self.list(list, |node| match node {
            Node::AccessPriv(raw) => Ok(AccessPrivilege {
                name: self.opt_text(raw.priv_name())?,
                columns: self.string_list(raw.cols())?,
            }),
            _ => Err(unexpected("AccessPriv")),
        })
    }

    pub(super) fn grant_role(&self, raw: &nodes::GrantRoleStmt) -> Result<GrantRoleStmt<'a>> {
        Ok(GrantRoleStmt {
            grant: raw.is_grant,
            granted: self.privileges(raw.granted_roles())?,
            grantees: self.roles(raw.grantee_roles())?,
            options: self.options(raw.opt())?,
            grantor: self.opt_role(raw.grantor())?,
            behavior: self.behavior(raw.behavior),
        })
    }

    pub(super) fn default_privileges(
        &self,
        raw: &nodes::AlterDefaultPrivilegesStmt,
    ) -> Result<AlterDefaultPrivilegesStmt<'a>> {
        let action = raw.action().ok_or_else(|| unexpected("a missing GRANT"))?;
        Ok(AlterDefaultPrivilegesStmt {
            options: self.typed_options(raw.options())?,
            action: self.alloc(self.grant(action)?)?,
        })
    }

    pub(super) fn tablespace(
        &self,
        raw: &nodes::CreateTableSpaceStmt,
    ) -> Result<CreateTablespaceStmt<'a>> {
        Ok(CreateTablespaceStmt {
            name: self.need(raw.tablespacename())?,
            owner: self.opt_role(raw.owner())?,
            directory: self.need(raw.location())?,
            options: self.options(raw.options())?,
        })
    }
}
