//! The rows of the catalogs that name resolution reads, as structs.
//!
//! Rules
//! 1. A struct has the columns of its catalog without the prefix, in PostgreSQL's meaning; 0 in
//!    an [`Oid`] is none.
//! 2. Rows that are built in are `static`; rows made by users are read from the catalogs. A
//!    [`Ref`] is either, and costs no more than a pointer to use.

mod codes;

pub use codes::{
    AggregateKind, AmOpPurpose, ArgMode, CastContext, CastMethod, CollationProvider,
    ConstraintKind, DependencyKind, FinalModify, ForeignAction, ForeignMatch, Generated, Identity,
    OperatorKind, Parallel, Persistence, ProcKind, RelationKind, ReplicaIdentity,
    SharedDependencyKind, TypeKind, Volatility,
};

use base::Oid;
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

/// Text of a row.
pub type Str = Cow<'static, str>;
/// A list in a row.
pub type List<T> = Cow<'static, [T]>;

/// A row: built in, or read from a catalog and shared.
#[derive(Debug)]
pub enum Ref<T: 'static> {
    /// Built in.
    Static(&'static T),
    /// Made by a user.
    Shared(Arc<T>),
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Ref<T> {
        match self {
            Ref::Static(row) => Ref::Static(row),
            Ref::Shared(row) => Ref::Shared(Arc::clone(row)),
        }
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Ref::Static(row) => row,
            Ref::Shared(row) => row,
        }
    }
}

/// An expression or query that is stored in a catalog (engine rule 15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// SQL of the system itself, to be analysed with `pg_catalog` as search path: the default
    /// arguments of a built-in function (a list, divided by commas), the query of a system view.
    Sql(Str),
    /// A serialised bound tree.
    Tree(Arc<[u8]>),
}

/// A row of `pg_type`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Type {
    pub oid: Oid,
    pub name: Str,
    pub namespace: Oid,
    pub owner: Oid,
    /// Bytes; -1 for varlena, -2 for cstring.
    pub len: i16,
    pub by_value: bool,
    pub kind: TypeKind,
    pub category: u8,
    pub preferred: bool,
    pub defined: bool,
    pub delimiter: u8,
    /// The relation of a composite type.
    pub relation: Oid,
    /// The subscript handler; `array_subscript_handler` marks true arrays.
    pub subscript: Oid,
    pub element: Oid,
    /// The array type over this type.
    pub array: Oid,
    pub input: Oid,
    pub output: Oid,
    pub receive: Oid,
    pub send: Oid,
    pub modifier_input: Oid,
    pub modifier_output: Oid,
    pub align: u8,
    pub storage: u8,
    pub not_null: bool,
    /// The type under a domain.
    pub base_type: Oid,
    /// The modifier that a domain puts on its base type.
    pub typmod: i32,
    pub dimensions: i32,
    pub collation: Oid,
    /// The default of a domain.
    pub default: Option<Stored>,
    pub acl: Option<Str>,
}

impl Type {
    /// The subscript handler of true arrays.
    pub const ARRAY_SUBSCRIPT_HANDLER: Oid = Oid(6179);

    /// Whether values are true arrays.
    pub fn is_true_array(&self) -> bool {
        self.subscript == Type::ARRAY_SUBSCRIPT_HANDLER && self.element.is_valid()
    }
}

/// A row of `pg_proc`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Proc {
    pub oid: Oid,
    pub name: Str,
    pub namespace: Oid,
    pub owner: Oid,
    pub language: Oid,
    pub cost: f32,
    pub rows: f32,
    /// The element type of a VARIADIC argument; `any` for VARIADIC "any".
    pub variadic: Oid,
    pub support: Oid,
    pub kind: ProcKind,
    pub security_definer: bool,
    pub leakproof: bool,
    pub strict: bool,
    pub returns_set: bool,
    pub volatility: Volatility,
    pub parallel: Parallel,
    pub default_count: i16,
    pub result: Oid,
    /// The types of the input arguments.
    pub args: List<Oid>,
    /// The types of all arguments, when some are not input.
    pub all_args: Option<List<Oid>>,
    /// The modes of `all_args`.
    pub arg_modes: Option<List<ArgMode>>,
    pub arg_names: Option<List<Str>>,
    /// The defaults of the last `default_count` input arguments.
    pub defaults: Option<Stored>,
    /// The symbol of an internal function, the text of others.
    pub source: Str,
    pub binary: Option<Str>,
    /// The body of a function in SQL-standard form.
    pub sql_body: Option<Stored>,
    pub config: Option<List<Str>>,
    pub acl: Option<Str>,
}

/// A row of `pg_operator`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Operator {
    pub oid: Oid,
    pub name: Str,
    pub namespace: Oid,
    pub owner: Oid,
    pub kind: OperatorKind,
    pub can_merge: bool,
    pub can_hash: bool,
    /// None for a prefix operator.
    pub left: Oid,
    pub right: Oid,
    pub result: Oid,
    pub commutator: Oid,
    pub negator: Oid,
    /// The function behind it.
    pub code: Oid,
    pub restriction: Oid,
    pub join: Oid,
}

/// A row of `pg_cast`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Cast {
    pub oid: Oid,
    pub source: Oid,
    pub target: Oid,
    pub function: Oid,
    pub context: CastContext,
    pub method: CastMethod,
}

/// A row of `pg_aggregate`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Aggregate {
    pub function: Oid,
    pub kind: AggregateKind,
    pub direct_args: i16,
    pub transition: Oid,
    pub finish: Oid,
    pub combine: Oid,
    pub serialize: Oid,
    pub deserialize: Oid,
    pub moving_transition: Oid,
    pub moving_inverse: Oid,
    pub moving_finish: Oid,
    pub finish_extra: bool,
    pub moving_finish_extra: bool,
    pub finish_modify: FinalModify,
    pub moving_finish_modify: FinalModify,
    /// The operator whose first value the aggregate is.
    pub sort_operator: Oid,
    pub state_type: Oid,
    pub state_bytes: i32,
    pub moving_state_type: Oid,
    pub moving_state_bytes: i32,
    pub initial: Option<Str>,
    pub moving_initial: Option<Str>,
}

/// A row of `pg_opclass`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct OpClass {
    pub oid: Oid,
    pub method: Oid,
    pub name: Str,
    pub namespace: Oid,
    pub owner: Oid,
    pub family: Oid,
    pub input_type: Oid,
    pub default: bool,
    pub key_type: Oid,
}

/// A row of `pg_opfamily`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct OpFamily {
    pub oid: Oid,
    pub method: Oid,
    pub name: Str,
    pub namespace: Oid,
    pub owner: Oid,
}

/// A row of `pg_amop`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct AmOp {
    pub oid: Oid,
    pub family: Oid,
    pub left: Oid,
    pub right: Oid,
    pub strategy: i16,
    pub purpose: AmOpPurpose,
    pub operator: Oid,
    pub method: Oid,
    pub sort_family: Oid,
}

/// A row of `pg_amproc`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct AmProc {
    pub oid: Oid,
    pub family: Oid,
    pub left: Oid,
    pub right: Oid,
    pub number: i16,
    pub function: Oid,
}

/// A row of `pg_am`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct AccessMethod {
    pub oid: Oid,
    pub name: Str,
    pub handler: Oid,
    /// `i` for indexes, `t` for tables.
    pub kind: u8,
}

/// A row of `pg_collation`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Collation {
    pub oid: Oid,
    pub name: Str,
    pub namespace: Oid,
    pub owner: Oid,
    pub provider: CollationProvider,
    pub deterministic: bool,
    pub encoding: i32,
    pub collate: Option<Str>,
    pub ctype: Option<Str>,
    pub locale: Option<Str>,
}

/// A row of `pg_namespace`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Namespace {
    pub oid: Oid,
    pub name: Str,
    pub owner: Oid,
    pub acl: Option<Str>,
}

/// A row of `pg_language`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Language {
    pub oid: Oid,
    pub name: Str,
    pub owner: Oid,
    pub procedural: bool,
    pub trusted: bool,
    pub call_handler: Oid,
    pub inline_handler: Oid,
    pub validator: Oid,
    pub acl: Option<Str>,
}

/// A row of `pg_range`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Range {
    pub range: Oid,
    pub subtype: Oid,
    pub multirange: Oid,
    pub collation: Oid,
    pub opclass: Oid,
    pub canonical: Oid,
    pub difference: Oid,
}

/// A row of `pg_conversion`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Conversion {
    pub oid: Oid,
    pub name: Str,
    pub namespace: Oid,
    pub owner: Oid,
    pub source: i32,
    pub target: i32,
    pub function: Oid,
    pub default: bool,
}

/// A row of `pg_authid`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Role {
    pub oid: Oid,
    pub name: Str,
    pub superuser: bool,
    pub inherit: bool,
    pub create_role: bool,
    pub create_database: bool,
    pub can_login: bool,
    pub replication: bool,
    pub bypass_rls: bool,
    pub connection_limit: i32,
    /// The verifier: SCRAM-SHA-256 or md5.
    pub password: Option<Str>,
    /// Microseconds since 2000-01-01 UTC.
    pub valid_until: Option<i64>,
}

/// A row of `pg_auth_members`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Membership {
    pub oid: Oid,
    /// The group.
    pub role: Oid,
    pub member: Oid,
    pub grantor: Oid,
    pub admin_option: bool,
    pub inherit_option: bool,
    pub set_option: bool,
}

/// A row of `pg_database`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct Database {
    pub oid: Oid,
    pub name: Str,
    pub owner: Oid,
    pub encoding: i32,
    pub provider: CollationProvider,
    pub is_template: bool,
    pub allow_connections: bool,
    pub connection_limit: i32,
    pub tablespace: Oid,
    pub collate: Str,
    pub ctype: Str,
    pub locale: Option<Str>,
    pub acl: Option<Str>,
}

/// A row of `pg_enum`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are the catalog's")]
pub struct EnumLabel {
    pub oid: Oid,
    pub enum_type: Oid,
    pub sort_order: f32,
    pub label: Str,
}
