//! A statement of any kind.

use super::*;

/// A statement with its place in the text.
#[derive(Clone, Copy, Debug)]
pub struct RawStatement<'a> {
    /// The statement.
    pub statement: Statement<'a>,
    /// Where its text begins, in bytes.
    pub start_byte: usize,
    /// How many bytes it has, without the semicolon.
    pub len_bytes: usize,
}

impl RawStatement<'_> {
    /// The statement's own text out of the whole.
    pub fn text<'s>(&self, sql: &'s str) -> &'s str {
        sql.get(self.start_byte..self.start_byte + self.len_bytes).unwrap_or(sql)
    }
}

/// A statement.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each variant is the statement of its type")]
pub enum Statement<'a> {
    Select(&'a SelectStmt<'a>),
    Insert(&'a InsertStmt<'a>),
    Update(&'a UpdateStmt<'a>),
    Delete(&'a DeleteStmt<'a>),
    Merge(&'a MergeStmt<'a>),
    Copy(&'a CopyStmt<'a>),
    Truncate(&'a TruncateStmt<'a>),

    CreateTable(&'a CreateStmt<'a>),
    CreateTableAs(&'a CreateTableAsStmt<'a>),
    AlterTable(&'a AlterTableStmt<'a>),
    CreateIndex(&'a IndexStmt<'a>),
    Reindex(&'a ReindexStmt<'a>),
    Cluster(&'a ClusterStmt<'a>),
    CreateStatistics(&'a CreateStatsStmt<'a>),
    CreateView(&'a ViewStmt<'a>),
    RefreshMatView(&'a RefreshMatViewStmt<'a>),
    CreateSequence(&'a CreateSequenceStmt<'a>),
    AlterSequence(&'a AlterSequenceStmt<'a>),
    CreateSchema(&'a CreateSchemaStmt<'a>),
    CreateDomain(&'a CreateDomainStmt<'a>),
    AlterDomain(&'a AlterDomainStmt<'a>),
    CompositeType(&'a CompositeTypeStmt<'a>),
    CreateEnum(&'a CreateEnumStmt<'a>),
    AlterEnum(&'a AlterEnumStmt<'a>),
    CreateRange(&'a CreateRangeStmt<'a>),
    Define(&'a DefineStmt<'a>),
    CreateCast(&'a CreateCastStmt<'a>),
    CreateExtension(&'a CreateExtensionStmt<'a>),
    CreateFunction(&'a CreateFunctionStmt<'a>),
    AlterFunction(&'a AlterFunctionStmt<'a>),
    CreateTrigger(&'a CreateTriggerStmt<'a>),
    CreateRule(&'a RuleStmt<'a>),
    CreatePolicy(&'a PolicyStmt<'a>),
    AlterPolicy(&'a PolicyStmt<'a>),

    Drop(&'a DropStmt<'a>),
    Comment(&'a CommentStmt<'a>),
    Rename(&'a RenameStmt<'a>),
    AlterOwner(&'a AlterOwnerStmt<'a>),
    AlterObjectSchema(&'a AlterObjectSchemaStmt<'a>),

    CreateRole(&'a CreateRoleStmt<'a>),
    AlterRole(&'a AlterRoleStmt<'a>),
    AlterRoleSet(&'a AlterRoleSetStmt<'a>),
    DropRole(&'a DropRoleStmt<'a>),
    Grant(&'a GrantStmt<'a>),
    GrantRole(&'a GrantRoleStmt<'a>),
    AlterDefaultPrivileges(&'a AlterDefaultPrivilegesStmt<'a>),
    DropOwned(&'a DropOwnedStmt<'a>),
    ReassignOwned(&'a ReassignOwnedStmt<'a>),
    CreateDatabase(&'a DatabaseStmt<'a>),
    AlterDatabase(&'a DatabaseStmt<'a>),
    AlterDatabaseSet(&'a AlterDatabaseSetStmt<'a>),
    DropDatabase(&'a DropDatabaseStmt<'a>),
    CreateTablespace(&'a CreateTablespaceStmt<'a>),
    DropTablespace {
        name: &'a str,
        missing_ok: bool,
    },

    Transaction(&'a TransactionStmt<'a>),
    ConstraintsSet(&'a ConstraintsSetStmt<'a>),
    Prepare(&'a PrepareStmt<'a>),
    Execute(&'a ExecuteStmt<'a>),
    Deallocate(DeallocateStmt<'a>),
    DeclareCursor(&'a DeclareCursorStmt<'a>),
    ClosePortal(ClosePortalStmt<'a>),
    Fetch(&'a FetchStmt<'a>),
    Lock(&'a LockStmt<'a>),

    Explain(&'a ExplainStmt<'a>),
    VariableSet(&'a VariableSetStmt<'a>),
    VariableShow(VariableShowStmt<'a>),
    AlterSystem(&'a VariableSetStmt<'a>),
    Discard(DiscardTarget),
    Vacuum(&'a VacuumStmt<'a>),
    Checkpoint,
    Listen(&'a str),
    /// UNLISTEN; `None` for `*`.
    Unlisten(Option<&'a str>),
    Notify(NotifyStmt<'a>),
    Load(&'a str),
    Do(&'a DoStmt<'a>),
    Call(&'a FuncCall<'a>),

    /// Any other statement, by its command tag.
    Other {
        tag: &'static str,
    },
}
