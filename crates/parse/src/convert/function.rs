//! Functions, triggers, policies, rules.

use super::{Converter, map_enum, unexpected};
use crate::location::Location;
use crate::raw::untyped;
use crate::tree::*;
use base::Result;
use pg_raw_parse::list::NodeList;
use pg_raw_parse::{Node, nodes};

impl<'a> Converter<'a> {
    pub(super) fn parameters(&self, list: &NodeList) -> Result<&'a [FunctionParameter<'a>]> {
        self.list(list, |node| {
            let Node::FunctionParameter(raw) = node else {
                return Err(unexpected("FunctionParameter"));
            };
            Ok(FunctionParameter {
                name: self.opt_text(raw.name())?,
                type_name: self.need_type_name(raw.arg_type())?,
                mode: map_enum!(raw.mode, FunctionParameterMode {
                    FUNC_PARAM_DEFAULT => ParameterMode::Default,
                    FUNC_PARAM_IN => ParameterMode::In,
                    FUNC_PARAM_OUT => ParameterMode::Out,
                    FUNC_PARAM_INOUT => ParameterMode::InOut,
                    FUNC_PARAM_VARIADIC => ParameterMode::Variadic,
                    FUNC_PARAM_TABLE => ParameterMode::Table,
                }),
                default: self.opt_expression(raw.defexpr())?,
                location: Location::from_raw(raw.location),
            })
        })
    }

    pub(super) fn create_function(
        &self,
        raw: &nodes::CreateFunctionStmt,
    ) -> Result<CreateFunctionStmt<'a>> {
        let body = match raw.sql_body() {
            Node::None => None,
            Node::ReturnStmt(body) => {
                Some(FunctionBody::Return(self.expression_ref(body.returnval())?))
            }
            // BEGIN ATOMIC comes as a list of one list of statements.
            Node::NodeList(list) => match list.get(0) {
                Some(Node::NodeList(inner)) => Some(FunctionBody::Atomic(self.body(inner)?)),
                Some(Node::None) | None => Some(FunctionBody::Atomic(&[])),
                Some(_) => Some(FunctionBody::Atomic(self.body(list)?)),
            },
            _ => return Err(unexpected("a function body")),
        };
        Ok(CreateFunctionStmt {
            procedure: raw.is_procedure,
            replace: raw.replace,
            name: self.names(raw.funcname())?,
            parameters: self.parameters(untyped(raw.parameters()))?,
            return_type: self.opt_type_name(raw.return_type())?,
            options: self.typed_options(raw.options())?,
            body,
        })
    }

    fn body(&self, list: &NodeList) -> Result<&'a [Statement<'a>]> {
        self.list(list, |node| self.statement(node))
    }

    pub(super) fn create_trigger(
        &self,
        raw: &nodes::CreateTrigStmt,
    ) -> Result<CreateTriggerStmt<'a>> {
        Ok(CreateTriggerStmt {
            replace: raw.replace,
            constraint: raw.isconstraint,
            name: self.need(raw.trigname())?,
            relation: self.need_range_var(raw.relation())?,
            function: self.names(raw.funcname())?,
            args: self.string_list(raw.args())?,
            row: raw.row,
            timing: raw.timing,
            events: raw.events,
            columns: self.names(raw.columns())?,
            condition: self.opt_expression(raw.when_clause())?,
            transitions: self.list(raw.transition_rels(), |node| match node {
                Node::TriggerTransition(transition) => Ok(TriggerTransition {
                    name: self.need(transition.name())?,
                    is_new: transition.is_new,
                    is_table: transition.is_table,
                }),
                _ => Err(unexpected("TriggerTransition")),
            })?,
            deferrable: raw.deferrable,
            initially_deferred: raw.initdeferred,
            constraint_relation: raw
                .constrrel()
                .map(|relation| self.range_var(relation))
                .transpose()?,
        })
    }

    pub(super) fn create_policy(&self, raw: &nodes::CreatePolicyStmt) -> Result<PolicyStmt<'a>> {
        Ok(PolicyStmt {
            name: self.need(raw.policy_name())?,
            relation: self.need_range_var(raw.table())?,
            command: self.opt_text(raw.cmd_name())?,
            permissive: raw.permissive,
            roles: self.roles(raw.roles())?,
            using: self.opt_expression(raw.qual())?,
            with_check: self.opt_expression(raw.with_check())?,
        })
    }

    pub(super) fn alter_policy(&self, raw: &nodes::AlterPolicyStmt) -> Result<PolicyStmt<'a>> {
        Ok(PolicyStmt {
            name: self.need(raw.policy_name())?,
            relation: self.need_range_var(raw.table())?,
            command: None,
            permissive: true,
            roles: self.roles(raw.roles())?,
            using: self.opt_expression(raw.qual())?,
            with_check: self.opt_expression(raw.with_check())?,
        })
    }

    pub(super) fn rule(&self, raw: &nodes::RuleStmt) -> Result<RuleStmt<'a>> {
        Ok(RuleStmt {
            relation: self.need_range_var(raw.relation())?,
            name: self.need(raw.rulename())?,
            condition: self.opt_expression(raw.where_clause())?,
            event: u8::try_from(raw.event).map_err(|_| unexpected("an event"))?,
            instead: raw.instead,
            actions: self.body(raw.actions())?,
            replace: raw.replace,
        })
    }
}
