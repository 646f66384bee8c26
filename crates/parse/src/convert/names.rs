//! Names, types, roles, options.

use super::{Converter, map_enum, unexpected};
use crate::location::Location;
use crate::raw::untyped;
use crate::tree::*;
use base::Result;
use pg_raw_parse::list::{CastNodeList, NodeList};
use pg_raw_parse::{ConstValue, Node, nodes};

impl<'a> Converter<'a> {
    pub(super) fn text(&self, text: &str) -> Result<&'a str> {
        Ok(self.bump.alloc_str(text)?)
    }

    pub(super) fn opt_text(&self, text: Option<&str>) -> Result<Option<&'a str>> {
        text.map(|text| self.text(text)).transpose()
    }

    /// A text that the grammar always gives.
    pub(super) fn need(&self, text: Option<&str>) -> Result<&'a str> {
        self.text(text.ok_or_else(|| unexpected("a missing name"))?)
    }

    /// A list of String nodes.
    pub(super) fn names(&self, list: &NodeList) -> Result<&'a [&'a str]> {
        self.list(list, |node| self.need(node.as_str()))
    }

    pub(super) fn string_list<T>(&self, list: &CastNodeList<T>) -> Result<&'a [&'a str]> {
        self.names(untyped(list))
    }

    pub(super) fn opt_names(&self, list: &NodeList) -> Result<Option<Name<'a>>> {
        if list.is_empty() { Ok(None) } else { self.names(list).map(Some) }
    }

    pub(super) fn alias(&self, alias: Option<&nodes::Alias>) -> Result<Option<Alias<'a>>> {
        let Some(alias) = alias else { return Ok(None) };
        let name = self.need(alias.aliasname())?;
        Ok(Some(Alias { name, columns: self.names(alias.colnames())? }))
    }

    pub(super) fn range_var(&self, raw: &nodes::RangeVar) -> Result<RangeVar<'a>> {
        Ok(RangeVar {
            catalog: self.opt_text(raw.catalogname())?,
            schema: self.opt_text(raw.schemaname())?,
            name: self.need(raw.relname())?,
            inherit: raw.inh,
            persistence: match raw.relpersistence as u8 {
                b't' => Persistence::Temporary,
                b'u' => Persistence::Unlogged,
                _ => Persistence::Permanent,
            },
            alias: self.alias(raw.alias())?,
            location: Location::from_raw(raw.location),
        })
    }

    pub(super) fn need_range_var(&self, raw: Option<&nodes::RangeVar>) -> Result<RangeVar<'a>> {
        self.range_var(raw.ok_or_else(|| unexpected("a missing relation"))?)
    }

    pub(super) fn range_vars(&self, list: &NodeList) -> Result<&'a [RangeVar<'a>]> {
        self.list(list, |node| match node {
            Node::RangeVar(raw) => self.range_var(raw),
            _ => Err(unexpected("RangeVar")),
        })
    }

    pub(crate) fn type_name(&self, raw: &nodes::TypeName) -> Result<TypeName<'a>> {
        Ok(TypeName {
            names: self.string_list(raw.names())?,
            setof: raw.setof,
            percent_type: raw.pct_type,
            typmods: self.expressions(raw.typmods())?,
            array_bounds: self.list(raw.array_bounds(), |node| match node {
                Node::Integer(bound) => Ok(bound.ival),
                _ => Err(unexpected("array bound")),
            })?,
            location: Location::from_raw(raw.location),
        })
    }

    pub(super) fn need_type_name(&self, raw: Option<&nodes::TypeName>) -> Result<TypeName<'a>> {
        self.type_name(raw.ok_or_else(|| unexpected("a missing type"))?)
    }

    pub(super) fn opt_type_name(
        &self,
        raw: Option<&nodes::TypeName>,
    ) -> Result<Option<&'a TypeName<'a>>> {
        raw.map(|raw| self.type_name(raw).and_then(|name| self.alloc(name))).transpose()
    }

    pub(super) fn role(&self, raw: &nodes::RoleSpec) -> Result<RoleSpec<'a>> {
        let role = map_enum!(raw.roletype, RoleSpecType {
            ROLESPEC_CSTRING => RoleName::Named(self.need(raw.rolename())?),
            ROLESPEC_CURRENT_ROLE => RoleName::CurrentRole,
            ROLESPEC_CURRENT_USER => RoleName::CurrentUser,
            ROLESPEC_SESSION_USER => RoleName::SessionUser,
            ROLESPEC_PUBLIC => RoleName::Public,
        });
        Ok(RoleSpec { role, location: Location::from_raw(raw.location) })
    }

    pub(super) fn need_role(&self, raw: Option<&nodes::RoleSpec>) -> Result<RoleSpec<'a>> {
        self.role(raw.ok_or_else(|| unexpected("a missing role"))?)
    }

    pub(super) fn opt_role(&self, raw: Option<&nodes::RoleSpec>) -> Result<Option<RoleSpec<'a>>> {
        raw.map(|raw| self.role(raw)).transpose()
    }

    pub(super) fn roles(&self, list: &NodeList) -> Result<&'a [RoleSpec<'a>]> {
        self.list(list, |node| match node {
            Node::RoleSpec(raw) => self.role(raw),
            _ => Err(unexpected("RoleSpec")),
        })
    }

    pub(super) fn behavior(&self, raw: nodes::DropBehavior::Type) -> DropBehavior {
        match raw {
            nodes::DropBehavior::DROP_CASCADE => DropBehavior::Cascade,
            _ => DropBehavior::Restrict,
        }
    }

    pub(super) fn option(&self, raw: &nodes::DefElem) -> Result<DefElem<'a>> {
        Ok(DefElem {
            namespace: self.opt_text(raw.defnamespace())?,
            name: self.need(raw.defname())?,
            value: match raw.arg() {
                Node::None => None,
                node => Some(self.option_value(node)?),
            },
            action: map_enum!(raw.defaction, DefElemAction {
                DEFELEM_UNSPEC => DefElemAction::Unspecified,
                DEFELEM_SET => DefElemAction::Set,
                DEFELEM_ADD => DefElemAction::Add,
                DEFELEM_DROP => DefElemAction::Drop,
            }),
            location: Location::from_raw(raw.location),
        })
    }

    pub(super) fn options(&self, list: &NodeList) -> Result<&'a [DefElem<'a>]> {
        self.list(list, |node| match node {
            Node::DefElem(raw) => self.option(raw),
            _ => Err(unexpected("DefElem")),
        })
    }

    pub(super) fn typed_options<T>(&self, list: &CastNodeList<T>) -> Result<&'a [DefElem<'a>]> {
        self.options(untyped(list))
    }

    pub(super) fn option_values(&self, list: &NodeList) -> Result<&'a [DefValue<'a>]> {
        self.list(list, |node| self.option_value(node))
    }

    pub(super) fn option_value(&self, node: Node<'_>) -> Result<DefValue<'a>> {
        base::stack::check_stack_depth()?;
        Ok(match node {
            Node::String(raw) => DefValue::String(self.need(raw.sval())?),
            Node::Integer(raw) => DefValue::Integer(raw.ival),
            Node::Float(raw) => DefValue::Float(self.need(raw.fval())?),
            Node::Boolean(raw) => DefValue::Boolean(raw.boolval),
            Node::A_Star(_) => DefValue::Star,
            Node::TypeName(raw) => DefValue::TypeName(self.alloc(self.type_name(raw)?)?),
            Node::RangeVar(raw) => DefValue::RangeVar(self.alloc(self.range_var(raw)?)?),
            Node::RoleSpec(raw) => DefValue::Role(self.role(raw)?),
            Node::NodeList(list) => DefValue::List(self.option_values(list)?),
            Node::None => DefValue::List(&[]),
            Node::DefElem(raw) => DefValue::Option(self.alloc(self.option(raw)?)?),
            Node::VariableSetStmt(raw) => DefValue::Setting(self.alloc(self.variable_set(raw)?)?),
            Node::SelectStmt(raw) => DefValue::Query(self.select(raw)?),
            Node::A_Const(raw) => match raw.val() {
                Some(ConstValue::Integer(value)) => DefValue::Integer(value),
                Some(ConstValue::Float(text)) => DefValue::Float(self.text(text)?),
                Some(ConstValue::String(text)) => DefValue::String(self.text(text)?),
                Some(ConstValue::Boolean(value)) => DefValue::Boolean(value),
                _ => DefValue::Expression(self.expression_ref(node)?),
            },
            other => DefValue::Expression(self.expression_ref(other)?),
        })
    }
}
