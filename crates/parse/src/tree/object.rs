//! Objects of the catalogs: how statements name them, and CREATE, ALTER, DROP, COMMENT for them.

use super::{
    ColumnDef, Constraint, DefElem, DropBehavior, Expression, FunctionParameter, Name, RangeVar,
    RoleSpec, Statement, TypeName,
};

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum ObjectType {
    AccessMethod,
    Aggregate,
    AccessMethodOperator,
    AccessMethodProcedure,
    Attribute,
    Cast,
    Column,
    Collation,
    Conversion,
    Database,
    Default,
    DefaultAcl,
    Domain,
    DomainConstraint,
    EventTrigger,
    Extension,
    ForeignDataWrapper,
    ForeignServer,
    ForeignTable,
    Function,
    Index,
    Language,
    LargeObject,
    MaterializedView,
    OperatorClass,
    Operator,
    OperatorFamily,
    ParameterAcl,
    Policy,
    Procedure,
    Publication,
    PublicationNamespace,
    PublicationRelation,
    Role,
    Routine,
    Rule,
    Schema,
    Sequence,
    Subscription,
    Statistics,
    TableConstraint,
    Table,
    Tablespace,
    Transform,
    Trigger,
    TextSearchConfiguration,
    TextSearchDictionary,
    TextSearchParser,
    TextSearchTemplate,
    Type,
    UserMapping,
    View,
}

/// How a statement names an object. Which form comes depends on the kind of the object.
#[derive(Clone, Copy, Debug)]
pub enum ObjectRef<'a> {
    /// A name. A trigger, rule, policy or constraint follows its table's name; an operator class
    /// or family follows its access method.
    Name(Name<'a>),
    /// A relation.
    Relation(RangeVar<'a>),
    /// A type or domain.
    Type(&'a TypeName<'a>),
    /// A function, aggregate or operator.
    Function(&'a ObjectWithArgs<'a>),
    /// A constraint of a domain.
    DomainConstraint(&'a TypeName<'a>, &'a str),
    /// The two types of a cast.
    Cast(&'a TypeName<'a>, &'a TypeName<'a>),
    /// The type and the language of a transform.
    Transform(&'a TypeName<'a>, &'a str),
    /// A large object by its number.
    LargeObject(&'a str),
}

/// A function or operator with its argument types.
#[derive(Clone, Copy, Debug)]
pub struct ObjectWithArgs<'a> {
    /// The name.
    pub name: Name<'a>,
    /// The input types; `None` for NONE of an operator.
    pub args: &'a [Option<TypeName<'a>>],
    /// All parameters as written, if this is a function.
    pub parameters: &'a [FunctionParameter<'a>],
    /// No argument list was written.
    pub args_unspecified: bool,
}

/// DROP of most kinds of objects.
#[derive(Clone, Copy, Debug)]
pub struct DropStmt<'a> {
    /// The objects.
    pub objects: &'a [ObjectRef<'a>],
    /// Their kind.
    pub object_type: ObjectType,
    /// CASCADE.
    pub behavior: DropBehavior,
    /// IF EXISTS.
    pub missing_ok: bool,
    /// CONCURRENTLY.
    pub concurrent: bool,
}

/// COMMENT ON, and SECURITY LABEL in its form.
#[derive(Clone, Copy, Debug)]
pub struct CommentStmt<'a> {
    /// The kind of the object.
    pub object_type: ObjectType,
    /// The object.
    pub object: ObjectRef<'a>,
    /// The comment; missing to remove it.
    pub comment: Option<&'a str>,
}

/// ALTER … RENAME.
#[derive(Clone, Copy, Debug)]
pub struct RenameStmt<'a> {
    /// The kind of what is renamed.
    pub object_type: ObjectType,
    /// For a column or attribute, the kind of its relation.
    pub relation_type: ObjectType,
    /// The relation, for relations and what belongs to one.
    pub relation: Option<RangeVar<'a>>,
    /// The object, for other kinds.
    pub object: Option<ObjectRef<'a>>,
    /// The column, constraint, trigger, …, or the present name of a database, role, schema.
    pub sub_name: Option<&'a str>,
    /// The new name.
    pub new_name: &'a str,
    /// CASCADE.
    pub behavior: DropBehavior,
    /// IF EXISTS.
    pub missing_ok: bool,
}

/// ALTER … OWNER TO.
#[derive(Clone, Copy, Debug)]
pub struct AlterOwnerStmt<'a> {
    /// The kind of the object.
    pub object_type: ObjectType,
    /// The object.
    pub object: ObjectRef<'a>,
    /// The new owner.
    pub new_owner: RoleSpec<'a>,
}

/// ALTER … SET SCHEMA.
#[derive(Clone, Copy, Debug)]
pub struct AlterObjectSchemaStmt<'a> {
    /// The kind of the object.
    pub object_type: ObjectType,
    /// The relation, for relations.
    pub relation: Option<RangeVar<'a>>,
    /// The object, for other kinds.
    pub object: Option<ObjectRef<'a>>,
    /// The new schema.
    pub new_schema: &'a str,
    /// IF EXISTS.
    pub missing_ok: bool,
}

/// CREATE SCHEMA.
#[derive(Clone, Copy, Debug)]
pub struct CreateSchemaStmt<'a> {
    /// The name; the owner's when missing.
    pub name: Option<&'a str>,
    /// AUTHORIZATION.
    pub owner: Option<RoleSpec<'a>>,
    /// What is made in it.
    pub elements: &'a [Statement<'a>],
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// CREATE SEQUENCE.
#[derive(Clone, Copy, Debug)]
pub struct CreateSequenceStmt<'a> {
    /// The sequence.
    pub sequence: RangeVar<'a>,
    /// The options.
    pub options: &'a [DefElem<'a>],
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// ALTER SEQUENCE.
#[derive(Clone, Copy, Debug)]
pub struct AlterSequenceStmt<'a> {
    /// The sequence.
    pub sequence: RangeVar<'a>,
    /// The options.
    pub options: &'a [DefElem<'a>],
    /// IF EXISTS.
    pub missing_ok: bool,
}

/// CREATE VIEW.
#[derive(Clone, Copy, Debug)]
pub struct ViewStmt<'a> {
    /// The view.
    pub view: RangeVar<'a>,
    /// The columns' names, if given.
    pub columns: &'a [&'a str],
    /// The query.
    pub query: &'a super::SelectStmt<'a>,
    /// OR REPLACE.
    pub replace: bool,
    /// WITH.
    pub options: &'a [DefElem<'a>],
    /// WITH CHECK OPTION.
    pub check_option: ViewCheckOption,
}

/// WITH CHECK OPTION.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum ViewCheckOption {
    None,
    Local,
    Cascaded,
}

/// CREATE AGGREGATE, OPERATOR, TYPE (base), COLLATION, TEXT SEARCH …
#[derive(Clone, Copy, Debug)]
pub struct DefineStmt<'a> {
    /// The kind of object.
    pub object_type: ObjectType,
    /// CREATE AGGREGATE in its old form.
    pub old_style: bool,
    /// The name.
    pub name: Name<'a>,
    /// The parameters of an aggregate.
    pub parameters: &'a [FunctionParameter<'a>],
    /// The definition.
    pub definition: &'a [DefElem<'a>],
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// OR REPLACE.
    pub replace: bool,
}

/// CREATE DOMAIN.
#[derive(Clone, Copy, Debug)]
pub struct CreateDomainStmt<'a> {
    /// The name.
    pub name: Name<'a>,
    /// The base type.
    pub type_name: TypeName<'a>,
    /// COLLATE.
    pub collation: Option<super::CollateClause<'a>>,
    /// The constraints, DEFAULT among them.
    pub constraints: &'a [Constraint<'a>],
}

/// ALTER DOMAIN.
#[derive(Clone, Copy, Debug)]
pub struct AlterDomainStmt<'a> {
    /// The domain.
    pub name: Name<'a>,
    /// What to do.
    pub action: AlterDomain<'a>,
}

/// What ALTER DOMAIN does.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum AlterDomain<'a> {
    SetDefault(&'a Expression<'a>),
    DropDefault,
    SetNotNull,
    DropNotNull,
    AddConstraint(&'a Constraint<'a>),
    DropConstraint { name: &'a str, behavior: DropBehavior, missing_ok: bool },
    ValidateConstraint(&'a str),
}

/// CREATE TYPE … AS (…).
#[derive(Clone, Copy, Debug)]
pub struct CompositeTypeStmt<'a> {
    /// The type.
    pub relation: RangeVar<'a>,
    /// Its attributes.
    pub columns: &'a [ColumnDef<'a>],
}

/// CREATE TYPE … AS ENUM.
#[derive(Clone, Copy, Debug)]
pub struct CreateEnumStmt<'a> {
    /// The name.
    pub name: Name<'a>,
    /// The labels.
    pub labels: &'a [&'a str],
}

/// CREATE TYPE … AS RANGE.
#[derive(Clone, Copy, Debug)]
pub struct CreateRangeStmt<'a> {
    /// The name.
    pub name: Name<'a>,
    /// The parameters.
    pub options: &'a [DefElem<'a>],
}

/// ALTER TYPE … ADD VALUE and RENAME VALUE.
#[derive(Clone, Copy, Debug)]
pub struct AlterEnumStmt<'a> {
    /// The type.
    pub name: Name<'a>,
    /// The old label of RENAME.
    pub old_label: Option<&'a str>,
    /// The new label.
    pub new_label: Option<&'a str>,
    /// BEFORE or AFTER.
    pub neighbor: Option<&'a str>,
    /// AFTER.
    pub after: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// CREATE EXTENSION.
#[derive(Clone, Copy, Debug)]
pub struct CreateExtensionStmt<'a> {
    /// The extension.
    pub name: &'a str,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// SCHEMA, VERSION, CASCADE.
    pub options: &'a [DefElem<'a>],
}

/// CREATE CAST.
#[derive(Clone, Copy, Debug)]
pub struct CreateCastStmt<'a> {
    /// From.
    pub source: TypeName<'a>,
    /// To.
    pub target: TypeName<'a>,
    /// WITH FUNCTION; WITHOUT FUNCTION when missing and not `inout`.
    pub function: Option<&'a ObjectWithArgs<'a>>,
    /// `i`, `a` or `e`, as in pg_cast.
    pub context: u8,
    /// WITH INOUT.
    pub inout: bool,
}
