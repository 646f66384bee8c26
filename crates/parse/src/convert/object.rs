//! Objects of the catalogs.

use super::{Converter, map_enum, unexpected};
use crate::raw::untyped;
use crate::tree::*;
use base::Result;
use pg_raw_parse::list::NodeList;
use pg_raw_parse::{Node, nodes};

pub(super) fn object_type(raw: nodes::ObjectType::Type) -> Result<ObjectType> {
    use ObjectType as T;
    Ok(map_enum!(raw, ObjectType {
        OBJECT_ACCESS_METHOD => T::AccessMethod,
        OBJECT_AGGREGATE => T::Aggregate,
        OBJECT_AMOP => T::AccessMethodOperator,
        OBJECT_AMPROC => T::AccessMethodProcedure,
        OBJECT_ATTRIBUTE => T::Attribute,
        OBJECT_CAST => T::Cast,
        OBJECT_COLUMN => T::Column,
        OBJECT_COLLATION => T::Collation,
        OBJECT_CONVERSION => T::Conversion,
        OBJECT_DATABASE => T::Database,
        OBJECT_DEFAULT => T::Default,
        OBJECT_DEFACL => T::DefaultAcl,
        OBJECT_DOMAIN => T::Domain,
        OBJECT_DOMCONSTRAINT => T::DomainConstraint,
        OBJECT_EVENT_TRIGGER => T::EventTrigger,
        OBJECT_EXTENSION => T::Extension,
        OBJECT_FDW => T::ForeignDataWrapper,
        OBJECT_FOREIGN_SERVER => T::ForeignServer,
        OBJECT_FOREIGN_TABLE => T::ForeignTable,
        OBJECT_FUNCTION => T::Function,
        OBJECT_INDEX => T::Index,
        OBJECT_LANGUAGE => T::Language,
        OBJECT_LARGEOBJECT => T::LargeObject,
        OBJECT_MATVIEW => T::MaterializedView,
        OBJECT_OPCLASS => T::OperatorClass,
        OBJECT_OPERATOR => T::Operator,
        OBJECT_OPFAMILY => T::OperatorFamily,
        OBJECT_PARAMETER_ACL => T::ParameterAcl,
        OBJECT_POLICY => T::Policy,
        OBJECT_PROCEDURE => T::Procedure,
        OBJECT_PUBLICATION => T::Publication,
        OBJECT_PUBLICATION_NAMESPACE => T::PublicationNamespace,
        OBJECT_PUBLICATION_REL => T::PublicationRelation,
        OBJECT_ROLE => T::Role,
        OBJECT_ROUTINE => T::Routine,
        OBJECT_RULE => T::Rule,
        OBJECT_SCHEMA => T::Schema,
        OBJECT_SEQUENCE => T::Sequence,
        OBJECT_SUBSCRIPTION => T::Subscription,
        OBJECT_STATISTIC_EXT => T::Statistics,
        OBJECT_TABCONSTRAINT => T::TableConstraint,
        OBJECT_TABLE => T::Table,
        OBJECT_TABLESPACE => T::Tablespace,
        OBJECT_TRANSFORM => T::Transform,
        OBJECT_TRIGGER => T::Trigger,
        OBJECT_TSCONFIGURATION => T::TextSearchConfiguration,
        OBJECT_TSDICTIONARY => T::TextSearchDictionary,
        OBJECT_TSPARSER => T::TextSearchParser,
        OBJECT_TSTEMPLATE => T::TextSearchTemplate,
        OBJECT_TYPE => T::Type,
        OBJECT_USER_MAPPING => T::UserMapping,
        OBJECT_VIEW => T::View,
    }))
}

impl<'a> Converter<'a> {
    pub(super) fn object(&self, kind: ObjectType, node: Node<'_>) -> Result<ObjectRef<'a>> {
        Ok(match node {
            Node::RangeVar(raw) => ObjectRef::Relation(self.range_var(raw)?),
            Node::TypeName(raw) => ObjectRef::Type(self.alloc(self.type_name(raw)?)?),
            Node::ObjectWithArgs(raw) => ObjectRef::Function(self.object_with_args(raw)?),
            Node::String(raw) => {
                let name = self.need(raw.sval())?;
                ObjectRef::Name(self.bump.alloc_slice_copy(&[name])?)
            }
            Node::Integer(raw) => {
                ObjectRef::LargeObject(self.bump.alloc_fmt(format_args!("{}", raw.ival))?)
            }
            Node::Float(raw) => ObjectRef::LargeObject(self.need(raw.fval())?),
            Node::NodeList(list) => match (list.get(0), list.get(1)) {
                (Some(Node::TypeName(first)), Some(Node::TypeName(second))) => ObjectRef::Cast(
                    self.alloc(self.type_name(first)?)?,
                    self.alloc(self.type_name(second)?)?,
                ),
                (Some(Node::TypeName(first)), Some(Node::String(second))) => {
                    let type_name = self.alloc(self.type_name(first)?)?;
                    let name = self.need(second.sval())?;
                    if kind == ObjectType::Transform {
                        ObjectRef::Transform(type_name, name)
                    } else {
                        ObjectRef::DomainConstraint(type_name, name)
                    }
                }
                _ => ObjectRef::Name(self.names(list)?),
            },
            _ => return Err(unexpected("an object")),
        })
    }

    fn opt_object(&self, kind: ObjectType, node: Node<'_>) -> Result<Option<ObjectRef<'a>>> {
        if matches!(node, Node::None) { Ok(None) } else { self.object(kind, node).map(Some) }
    }

    pub(super) fn objects(&self, kind: ObjectType, list: &NodeList) -> Result<&'a [ObjectRef<'a>]> {
        self.list(list, |node| self.object(kind, node))
    }

    pub(super) fn object_with_args(
        &self,
        raw: &nodes::ObjectWithArgs,
    ) -> Result<&'a ObjectWithArgs<'a>> {
        self.alloc(ObjectWithArgs {
            name: self.names(raw.objname())?,
            args: self.list(raw.objargs(), |node| match node {
                Node::TypeName(name) => self.type_name(name).map(Some),
                Node::None => Ok(None),
                _ => Err(unexpected("an argument type")),
            })?,
            parameters: self.parameters(untyped(raw.objfuncargs()))?,
            args_unspecified: raw.args_unspecified,
        })
    }

    pub(super) fn need_object_with_args(
        &self,
        raw: Option<&nodes::ObjectWithArgs>,
    ) -> Result<&'a ObjectWithArgs<'a>> {
        self.object_with_args(raw.ok_or_else(|| unexpected("a missing function"))?)
    }

    pub(super) fn drop_stmt(&self, raw: &nodes::DropStmt) -> Result<DropStmt<'a>> {
        let kind = object_type(raw.remove_type)?;
        Ok(DropStmt {
            objects: self.objects(kind, raw.objects())?,
            object_type: kind,
            behavior: self.behavior(raw.behavior),
            missing_ok: raw.missing_ok,
            concurrent: raw.concurrent,
        })
    }

    pub(super) fn comment(&self, raw: &nodes::CommentStmt) -> Result<CommentStmt<'a>> {
        let kind = object_type(raw.objtype)?;
        Ok(CommentStmt {
            object_type: kind,
            object: self.object(kind, raw.object())?,
            comment: self.opt_text(raw.comment())?,
        })
    }

    pub(super) fn rename(&self, raw: &nodes::RenameStmt) -> Result<RenameStmt<'a>> {
        let kind = object_type(raw.rename_type)?;
        Ok(RenameStmt {
            object_type: kind,
            relation_type: object_type(raw.relation_type)?,
            relation: raw.relation().map(|relation| self.range_var(relation)).transpose()?,
            object: self.opt_object(kind, raw.object())?,
            sub_name: self.opt_text(raw.subname())?,
            new_name: self.need(raw.newname())?,
            behavior: self.behavior(raw.behavior),
            missing_ok: raw.missing_ok,
        })
    }

    pub(super) fn alter_owner(&self, raw: &nodes::AlterOwnerStmt) -> Result<AlterOwnerStmt<'a>> {
        let kind = object_type(raw.object_type)?;
        let object = match raw.relation() {
            Some(relation) => ObjectRef::Relation(self.range_var(relation)?),
            None => self.object(kind, raw.object())?,
        };
        Ok(AlterOwnerStmt { object_type: kind, object, new_owner: self.need_role(raw.newowner())? })
    }

    pub(super) fn alter_schema(
        &self,
        raw: &nodes::AlterObjectSchemaStmt,
    ) -> Result<AlterObjectSchemaStmt<'a>> {
        let kind = object_type(raw.object_type)?;
        Ok(AlterObjectSchemaStmt {
            object_type: kind,
            relation: raw.relation().map(|relation| self.range_var(relation)).transpose()?,
            object: self.opt_object(kind, raw.object())?,
            new_schema: self.need(raw.newschema())?,
            missing_ok: raw.missing_ok,
        })
    }

    pub(super) fn create_schema(
        &self,
        raw: &nodes::CreateSchemaStmt,
    ) -> Result<CreateSchemaStmt<'a>> {
        Ok(CreateSchemaStmt {
            name: self.opt_text(raw.schemaname())?,
            owner: self.opt_role(raw.authrole())?,
            elements: self.list(raw.schema_elts(), |node| self.statement(node))?,
            if_not_exists: raw.if_not_exists,
        })
    }

    pub(super) fn create_sequence(
        &self,
        raw: &nodes::CreateSeqStmt,
    ) -> Result<CreateSequenceStmt<'a>> {
        Ok(CreateSequenceStmt {
            sequence: self.need_range_var(raw.sequence())?,
            options: self.options(raw.options())?,
            if_not_exists: raw.if_not_exists,
        })
    }

    pub(super) fn alter_sequence(
        &self,
        raw: &nodes::AlterSeqStmt,
    ) -> Result<AlterSequenceStmt<'a>> {
        Ok(AlterSequenceStmt {
            sequence: self.need_range_var(raw.sequence())?,
            options: self.options(raw.options())?,
            missing_ok: raw.missing_ok,
        })
    }

    pub(super) fn view(&self, raw: &nodes::ViewStmt) -> Result<ViewStmt<'a>> {
        Ok(ViewStmt {
            view: self.need_range_var(raw.view())?,
            columns: self.names(raw.aliases())?,
            query: self.select_node(raw.query())?,
            replace: raw.replace,
            options: self.options(raw.options())?,
            check_option: map_enum!(raw.with_check_option, ViewCheckOption {
                NO_CHECK_OPTION => ViewCheckOption::None,
                LOCAL_CHECK_OPTION => ViewCheckOption::Local,
                CASCADED_CHECK_OPTION => ViewCheckOption::Cascaded,
            }),
        })
    }

    pub(super) fn define(&self, raw: &nodes::DefineStmt) -> Result<DefineStmt<'a>> {
        // An aggregate's arguments come as a pair: the parameters, and how many are direct.
        let parameters = match raw.args().get(0) {
            Some(Node::NodeList(list)) => self.parameters(list)?,
            _ => &[],
        };
        Ok(DefineStmt {
            object_type: object_type(raw.kind)?,
            old_style: raw.oldstyle,
            name: self.string_list(raw.defnames())?,
            parameters,
            definition: self.typed_options(raw.definition())?,
            if_not_exists: raw.if_not_exists,
            replace: raw.replace,
        })
    }

    pub(super) fn create_domain(
        &self,
        raw: &nodes::CreateDomainStmt,
    ) -> Result<CreateDomainStmt<'a>> {
        Ok(CreateDomainStmt {
            name: self.string_list(raw.domainname())?,
            type_name: self.need_type_name(raw.type_name())?,
            collation: self.collate_clause(raw.coll_clause())?,
            constraints: self.constraints(untyped(raw.constraints()))?,
        })
    }

    pub(super) fn alter_domain(&self, raw: &nodes::AlterDomainStmt) -> Result<AlterDomainStmt<'a>> {
        let action = match raw.subtype as u8 {
            b'T' => match self.opt_expression(raw.def())? {
                Some(default) => AlterDomain::SetDefault(default),
                None => AlterDomain::DropDefault,
            },
            b'N' => AlterDomain::DropNotNull,
            b'O' => AlterDomain::SetNotNull,
            b'C' => AlterDomain::AddConstraint(self.constraint_node(raw.def())?),
            b'X' => AlterDomain::DropConstraint {
                name: self.need(raw.name())?,
                behavior: self.behavior(raw.behavior),
                missing_ok: raw.missing_ok,
            },
            b'V' => AlterDomain::ValidateConstraint(self.need(raw.name())?),
            _ => return Err(unexpected("ALTER DOMAIN")),
        };
        Ok(AlterDomainStmt { name: self.names(raw.type_name())?, action })
    }

    pub(super) fn composite_type(
        &self,
        raw: &nodes::CompositeTypeStmt,
    ) -> Result<CompositeTypeStmt<'a>> {
        Ok(CompositeTypeStmt {
            relation: self.need_range_var(raw.typevar())?,
            columns: self.list(untyped(raw.coldeflist()), |node| match node {
                Node::ColumnDef(column) => self.column_def(column),
                _ => Err(unexpected("ColumnDef")),
            })?,
        })
    }

    pub(super) fn alter_enum(&self, raw: &nodes::AlterEnumStmt) -> Result<AlterEnumStmt<'a>> {
        Ok(AlterEnumStmt {
            name: self.string_list(raw.type_name())?,
            old_label: self.opt_text(raw.old_val())?,
            new_label: self.opt_text(raw.new_val())?,
            neighbor: self.opt_text(raw.new_val_neighbor())?,
            after: raw.new_val_is_after,
            if_not_exists: raw.skip_if_new_val_exists,
        })
    }

    pub(super) fn create_cast(&self, raw: &nodes::CreateCastStmt) -> Result<CreateCastStmt<'a>> {
        Ok(CreateCastStmt {
            source: self.need_type_name(raw.sourcetype())?,
            target: self.need_type_name(raw.targettype())?,
            function: raw.func().map(|function| self.object_with_args(function)).transpose()?,
            context: match raw.context {
                nodes::CoercionContext::COERCION_IMPLICIT => b'i',
                nodes::CoercionContext::COERCION_ASSIGNMENT => b'a',
                _ => b'e',
            },
            inout: raw.inout,
        })
    }
}
