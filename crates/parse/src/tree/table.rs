//! CREATE TABLE, ALTER TABLE, constraints.

use super::{
    DefElem, DropBehavior, Expression, IndexElem, IntoClause, Name, ObjectType, OnCommit, RangeVar,
    RoleSpec, Statement, TypeName,
};
use crate::Location;

/// CREATE TABLE (not AS).
#[derive(Clone, Copy, Debug)]
pub struct CreateStmt<'a> {
    /// The table.
    pub relation: RangeVar<'a>,
    /// What stands in the parentheses.
    pub elements: &'a [TableElement<'a>],
    /// INHERITS, or the parent of PARTITION OF.
    pub inherits: &'a [RangeVar<'a>],
    /// FOR VALUES of PARTITION OF.
    pub partition_bound: Option<&'a PartitionBound<'a>>,
    /// PARTITION BY.
    pub partition_spec: Option<&'a PartitionSpec<'a>>,
    /// OF type.
    pub of_type: Option<&'a TypeName<'a>>,
    /// WITH.
    pub options: &'a [DefElem<'a>],
    /// ON COMMIT.
    pub on_commit: OnCommit,
    /// TABLESPACE.
    pub tablespace: Option<&'a str>,
    /// USING.
    pub access_method: Option<&'a str>,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// What stands in the parentheses of CREATE TABLE.
#[derive(Clone, Copy, Debug)]
pub enum TableElement<'a> {
    /// A column.
    Column(&'a ColumnDef<'a>),
    /// A constraint of the table.
    Constraint(&'a Constraint<'a>),
    /// LIKE.
    Like {
        /// The model.
        relation: RangeVar<'a>,
        /// INCLUDING, by bits of [`like_option`].
        options: u32,
    },
}

/// The bits of LIKE's INCLUDING.
#[expect(missing_docs, reason = "the names are SQL's")]
pub mod like_option {
    pub const COMMENTS: u32 = 1 << 0;
    pub const COMPRESSION: u32 = 1 << 1;
    pub const CONSTRAINTS: u32 = 1 << 2;
    pub const DEFAULTS: u32 = 1 << 3;
    pub const GENERATED: u32 = 1 << 4;
    pub const IDENTITY: u32 = 1 << 5;
    pub const INDEXES: u32 = 1 << 6;
    pub const STATISTICS: u32 = 1 << 7;
    pub const STORAGE: u32 = 1 << 8;
}

/// A column of CREATE TABLE or ADD COLUMN.
#[derive(Clone, Copy, Debug)]
pub struct ColumnDef<'a> {
    /// The name.
    pub name: &'a str,
    /// The type; missing in OF type and PARTITION OF.
    pub type_name: Option<&'a TypeName<'a>>,
    /// COMPRESSION.
    pub compression: Option<&'a str>,
    /// STORAGE.
    pub storage: Option<&'a str>,
    /// COLLATE.
    pub collation: Option<CollateClause<'a>>,
    /// The column's constraints, in order.
    pub constraints: &'a [Constraint<'a>],
    /// USING of ALTER COLUMN TYPE.
    pub using: Option<&'a Expression<'a>>,
    /// Where it stands.
    pub location: Location,
}

/// COLLATE in a column definition.
#[derive(Clone, Copy, Debug)]
pub struct CollateClause<'a> {
    /// The collation.
    pub name: Name<'a>,
    /// Where COLLATE stands.
    pub location: Location,
}

/// A constraint of a column, a table or a domain.
#[derive(Clone, Copy, Debug)]
pub struct Constraint<'a> {
    /// CONSTRAINT name.
    pub name: Option<&'a str>,
    /// What it asks.
    pub kind: ConstraintKind<'a>,
    /// DEFERRABLE.
    pub deferrable: bool,
    /// INITIALLY DEFERRED.
    pub initially_deferred: bool,
    /// False after NOT ENFORCED.
    pub enforced: bool,
    /// NOT VALID.
    pub not_valid: bool,
    /// NO INHERIT.
    pub no_inherit: bool,
    /// Where it stands.
    pub location: Location,
}

/// What a constraint asks.
#[derive(Clone, Copy, Debug)]
pub enum ConstraintKind<'a> {
    /// NULL.
    Null,
    /// NOT NULL; `column` in a table constraint.
    NotNull {
        /// The column.
        column: Option<&'a str>,
    },
    /// DEFAULT.
    Default(&'a Expression<'a>),
    /// GENERATED … AS IDENTITY.
    Identity {
        /// ALWAYS; otherwise BY DEFAULT.
        always: bool,
        /// The sequence's options.
        options: &'a [DefElem<'a>],
    },
    /// GENERATED ALWAYS AS (…).
    Generated {
        /// STORED; otherwise VIRTUAL.
        stored: bool,
        /// The expression.
        expression: &'a Expression<'a>,
    },
    /// CHECK.
    Check(&'a Expression<'a>),
    /// PRIMARY KEY or UNIQUE.
    Key(KeyConstraint<'a>),
    /// EXCLUDE.
    Exclusion {
        /// The index columns with their operators.
        elements: &'a [(IndexElem<'a>, Name<'a>)],
        /// USING.
        access_method: Option<&'a str>,
        /// WHERE.
        filter: Option<&'a Expression<'a>>,
        /// INCLUDE.
        including: &'a [&'a str],
        /// WITH.
        options: &'a [DefElem<'a>],
        /// USING INDEX TABLESPACE.
        tablespace: Option<&'a str>,
    },
    /// REFERENCES.
    Foreign(&'a ForeignKey<'a>),
    /// DEFERRABLE as an attribute of the constraint before it.
    AttributeDeferrable,
    /// NOT DEFERRABLE, likewise.
    AttributeNotDeferrable,
    /// INITIALLY DEFERRED, likewise.
    AttributeDeferred,
    /// INITIALLY IMMEDIATE, likewise.
    AttributeImmediate,
    /// ENFORCED, likewise.
    AttributeEnforced,
    /// NOT ENFORCED, likewise.
    AttributeNotEnforced,
}

/// PRIMARY KEY or UNIQUE.
#[derive(Clone, Copy, Debug)]
pub struct KeyConstraint<'a> {
    /// PRIMARY KEY.
    pub primary: bool,
    /// The columns; empty in a column constraint and with USING INDEX.
    pub columns: &'a [&'a str],
    /// WITHOUT OVERLAPS on the last column.
    pub without_overlaps: bool,
    /// INCLUDE.
    pub including: &'a [&'a str],
    /// NULLS NOT DISTINCT.
    pub nulls_not_distinct: bool,
    /// WITH.
    pub options: &'a [DefElem<'a>],
    /// USING INDEX.
    pub index: Option<&'a str>,
    /// USING INDEX TABLESPACE.
    pub tablespace: Option<&'a str>,
}

/// REFERENCES.
#[derive(Clone, Copy, Debug)]
pub struct ForeignKey<'a> {
    /// The referenced table.
    pub relation: RangeVar<'a>,
    /// The referencing columns; empty in a column constraint.
    pub columns: &'a [&'a str],
    /// The referenced columns; empty for the primary key.
    pub referenced: &'a [&'a str],
    /// MATCH: `s`, `f` or `p`, as in pg_constraint.
    pub match_type: u8,
    /// ON UPDATE: `a`, `r`, `c`, `n` or `d`, as in pg_constraint.
    pub on_update: u8,
    /// ON DELETE, likewise.
    pub on_delete: u8,
    /// The columns of ON DELETE SET NULL and SET DEFAULT; empty for all.
    pub delete_columns: &'a [&'a str],
    /// PERIOD on the last columns.
    pub period: bool,
}

/// PARTITION BY.
#[derive(Clone, Copy, Debug)]
pub struct PartitionSpec<'a> {
    /// `l`, `r` or `h`, as in pg_partitioned_table.
    pub strategy: u8,
    /// The key.
    pub keys: &'a [PartitionElem<'a>],
    /// Where it stands.
    pub location: Location,
}

/// A column of a partition key.
#[derive(Clone, Copy, Debug)]
pub struct PartitionElem<'a> {
    /// The column, unless it is an expression.
    pub name: Option<&'a str>,
    /// The expression.
    pub expression: Option<&'a Expression<'a>>,
    /// COLLATE.
    pub collation: Option<Name<'a>>,
    /// The operator class.
    pub opclass: Option<Name<'a>>,
    /// Where it stands.
    pub location: Location,
}

/// FOR VALUES.
#[derive(Clone, Copy, Debug)]
pub struct PartitionBound<'a> {
    /// DEFAULT.
    pub default: bool,
    /// `l`, `r` or `h`.
    pub strategy: u8,
    /// WITH (MODULUS …).
    pub modulus: i32,
    /// REMAINDER.
    pub remainder: i32,
    /// IN.
    pub list: &'a [Expression<'a>],
    /// FROM.
    pub lower: &'a [Expression<'a>],
    /// TO.
    pub upper: &'a [Expression<'a>],
    /// Where it stands.
    pub location: Location,
}

/// CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW.
#[derive(Clone, Copy, Debug)]
pub struct CreateTableAsStmt<'a> {
    /// The query, or EXECUTE.
    pub query: &'a Statement<'a>,
    /// The table to make.
    pub into: &'a IntoClause<'a>,
    /// MATERIALIZED VIEW.
    pub materialized_view: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// ALTER TABLE, INDEX, SEQUENCE, VIEW, … with sub-commands.
#[derive(Clone, Copy, Debug)]
pub struct AlterTableStmt<'a> {
    /// The relation.
    pub relation: RangeVar<'a>,
    /// The sub-commands.
    pub commands: &'a [AlterTableCmd<'a>],
    /// What the relation was called in the command.
    pub object_type: ObjectType,
    /// IF EXISTS.
    pub missing_ok: bool,
}

/// One sub-command of ALTER TABLE.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of SQL's syntax")]
pub enum AlterTableCmd<'a> {
    AddColumn {
        column: &'a ColumnDef<'a>,
        if_not_exists: bool,
    },
    DropColumn {
        name: &'a str,
        behavior: DropBehavior,
        missing_ok: bool,
    },
    /// SET DEFAULT, or DROP DEFAULT without an expression.
    ColumnDefault {
        name: &'a str,
        default: Option<&'a Expression<'a>>,
    },
    SetNotNull {
        name: &'a str,
    },
    DropNotNull {
        name: &'a str,
    },
    SetExpression {
        name: &'a str,
        expression: &'a Expression<'a>,
    },
    DropExpression {
        name: &'a str,
        missing_ok: bool,
    },
    /// `name`, or the column's number for an index.
    SetStatistics {
        name: Option<&'a str>,
        number: i16,
        target: Option<i32>,
    },
    SetColumnOptions {
        name: &'a str,
        options: &'a [DefElem<'a>],
    },
    ResetColumnOptions {
        name: &'a str,
        options: &'a [DefElem<'a>],
    },
    SetStorage {
        name: &'a str,
        storage: &'a str,
    },
    SetCompression {
        name: &'a str,
        method: &'a str,
    },
    /// The definition has the type, COLLATE and USING.
    ColumnType {
        name: &'a str,
        definition: &'a ColumnDef<'a>,
    },
    AddIdentity {
        name: &'a str,
        constraint: &'a Constraint<'a>,
    },
    SetIdentity {
        name: &'a str,
        options: &'a [DefElem<'a>],
    },
    DropIdentity {
        name: &'a str,
        missing_ok: bool,
    },
    AddConstraint {
        constraint: &'a Constraint<'a>,
    },
    AlterConstraint(AlterConstraint<'a>),
    ValidateConstraint {
        name: &'a str,
    },
    DropConstraint {
        name: &'a str,
        behavior: DropBehavior,
        missing_ok: bool,
    },
    ChangeOwner {
        owner: RoleSpec<'a>,
    },
    ClusterOn {
        index: &'a str,
    },
    SetWithoutCluster,
    SetLogged,
    SetUnlogged,
    SetWithoutOids,
    /// Without a name for DEFAULT.
    SetAccessMethod {
        name: Option<&'a str>,
    },
    SetTablespace {
        name: &'a str,
    },
    SetOptions {
        options: &'a [DefElem<'a>],
    },
    ResetOptions {
        options: &'a [DefElem<'a>],
    },
    Trigger {
        name: TriggerSet<'a>,
        firing: Firing,
    },
    Rule {
        name: &'a str,
        firing: Firing,
    },
    Inherit {
        parent: RangeVar<'a>,
    },
    NoInherit {
        parent: RangeVar<'a>,
    },
    Of {
        type_name: &'a TypeName<'a>,
    },
    NotOf,
    /// `d`, `n`, `f` or `i` with an index.
    ReplicaIdentity {
        kind: u8,
        index: Option<&'a str>,
    },
    RowSecurity {
        enable: bool,
    },
    ForceRowSecurity {
        force: bool,
    },
    AttachPartition {
        partition: RangeVar<'a>,
        bound: Option<&'a PartitionBound<'a>>,
    },
    DetachPartition {
        partition: RangeVar<'a>,
        concurrent: bool,
        finalize: bool,
    },
    Other {
        what: &'static str,
    },
}

/// ALTER CONSTRAINT.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub struct AlterConstraint<'a> {
    pub name: &'a str,
    /// Some when [NOT] ENFORCED was written.
    pub enforced: Option<bool>,
    /// Some((deferrable, initially deferred)) when one of them was written.
    pub deferrability: Option<(bool, bool)>,
    /// Some when [NO] INHERIT was written.
    pub no_inherit: Option<bool>,
}

/// Which triggers ENABLE and DISABLE mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerSet<'a> {
    /// One.
    Named(&'a str),
    /// ALL.
    All,
    /// USER.
    User,
}

/// When a trigger or rule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum Firing {
    Enable,
    EnableAlways,
    EnableReplica,
    Disable,
}
