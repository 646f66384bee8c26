//! Command tags: what CommandComplete, event triggers and error messages call a statement.

use crate::tree::*;
use pg_raw_parse::Node;
use pg_raw_parse::nodes::{NodeTag, ObjectType as Raw};

impl Statement<'_> {
    /// PostgreSQL's command tag, without row counts.
    pub fn command_tag(&self) -> &'static str {
        use Statement as S;
        match self {
            S::Select(select) => {
                if select.leftmost_into().is_some() {
                    "SELECT INTO"
                } else {
                    "SELECT"
                }
            }
            S::Insert(_) => "INSERT",
            S::Update(_) => "UPDATE",
            S::Delete(_) => "DELETE",
            S::Merge(_) => "MERGE",
            S::Copy(_) => "COPY",
            S::Truncate(_) => "TRUNCATE TABLE",
            S::CreateTable(_) => "CREATE TABLE",
            S::CreateTableAs(stmt) if stmt.materialized_view => "CREATE MATERIALIZED VIEW",
            S::CreateTableAs(_) => "CREATE TABLE AS",
            S::AlterTable(stmt) => alter(stmt.object_type),
            S::CreateIndex(_) => "CREATE INDEX",
            S::Reindex(_) => "REINDEX",
            S::Cluster(_) => "CLUSTER",
            S::CreateStatistics(_) => "CREATE STATISTICS",
            S::CreateView(_) => "CREATE VIEW",
            S::RefreshMatView(_) => "REFRESH MATERIALIZED VIEW",
            S::CreateSequence(_) => "CREATE SEQUENCE",
            S::AlterSequence(_) => "ALTER SEQUENCE",
            S::CreateSchema(_) => "CREATE SCHEMA",
            S::CreateDomain(_) => "CREATE DOMAIN",
            S::AlterDomain(_) => "ALTER DOMAIN",
            S::CompositeType(_) | S::CreateEnum(_) | S::CreateRange(_) => "CREATE TYPE",
            S::AlterEnum(_) => "ALTER TYPE",
            S::Define(stmt) => create(stmt.object_type),
            S::CreateCast(_) => "CREATE CAST",
            S::CreateExtension(_) => "CREATE EXTENSION",
            S::CreateFunction(stmt) if stmt.procedure => "CREATE PROCEDURE",
            S::CreateFunction(_) => "CREATE FUNCTION",
            S::AlterFunction(stmt) => alter(stmt.object_type),
            S::CreateTrigger(_) => "CREATE TRIGGER",
            S::CreateRule(_) => "CREATE RULE",
            S::CreatePolicy(_) => "CREATE POLICY",
            S::AlterPolicy(_) => "ALTER POLICY",
            S::Drop(stmt) => drop(stmt.object_type),
            S::Comment(_) => "COMMENT",
            S::Rename(stmt) => match stmt.object_type {
                ObjectType::Column | ObjectType::Attribute => alter(stmt.relation_type),
                kind => alter(kind),
            },
            S::AlterOwner(stmt) => alter(stmt.object_type),
            S::AlterObjectSchema(stmt) => alter(stmt.object_type),
            other => other.administrative_tag(),
        }
    }

    fn administrative_tag(&self) -> &'static str {
        use Statement as S;
        match self {
            S::CreateRole(_) => "CREATE ROLE",
            S::AlterRole(_) | S::AlterRoleSet(_) => "ALTER ROLE",
            S::DropRole(_) => "DROP ROLE",
            S::Grant(stmt) if stmt.grant => "GRANT",
            S::Grant(_) => "REVOKE",
            S::GrantRole(stmt) if stmt.grant => "GRANT ROLE",
            S::GrantRole(_) => "REVOKE ROLE",
            S::AlterDefaultPrivileges(_) => "ALTER DEFAULT PRIVILEGES",
            S::DropOwned(_) => "DROP OWNED",
            S::ReassignOwned(_) => "REASSIGN OWNED",
            S::CreateDatabase(_) => "CREATE DATABASE",
            S::AlterDatabase(_) | S::AlterDatabaseSet(_) => "ALTER DATABASE",
            S::DropDatabase(_) => "DROP DATABASE",
            S::CreateTablespace(_) => "CREATE TABLESPACE",
            S::DropTablespace { .. } => "DROP TABLESPACE",
            S::Transaction(stmt) => transaction(stmt.kind),
            S::ConstraintsSet(_) => "SET CONSTRAINTS",
            S::Prepare(_) => "PREPARE",
            S::Execute(_) => "EXECUTE",
            S::Deallocate(stmt) if stmt.name.is_none() => "DEALLOCATE ALL",
            S::Deallocate(_) => "DEALLOCATE",
            S::DeclareCursor(_) => "DECLARE CURSOR",
            S::ClosePortal(stmt) if stmt.name.is_none() => "CLOSE CURSOR ALL",
            S::ClosePortal(_) => "CLOSE CURSOR",
            S::Fetch(stmt) if stmt.is_move => "MOVE",
            S::Fetch(_) => "FETCH",
            S::Lock(_) => "LOCK TABLE",
            S::Explain(_) => "EXPLAIN",
            S::VariableSet(stmt) => match stmt.kind {
                VariableSetKind::Reset | VariableSetKind::ResetAll => "RESET",
                _ => "SET",
            },
            S::VariableShow(_) => "SHOW",
            S::AlterSystem(_) => "ALTER SYSTEM",
            S::Discard(DiscardTarget::All) => "DISCARD ALL",
            S::Discard(DiscardTarget::Plans) => "DISCARD PLANS",
            S::Discard(DiscardTarget::Sequences) => "DISCARD SEQUENCES",
            S::Discard(DiscardTarget::Temp) => "DISCARD TEMP",
            S::Vacuum(stmt) if stmt.vacuum => "VACUUM",
            S::Vacuum(_) => "ANALYZE",
            S::Checkpoint => "CHECKPOINT",
            S::Listen(_) => "LISTEN",
            S::Unlisten(_) => "UNLISTEN",
            S::Notify(_) => "NOTIFY",
            S::Load(_) => "LOAD",
            S::Do(_) => "DO",
            S::Call(_) => "CALL",
            S::Other { tag } => tag,
            _ => "???",
        }
    }

    /// Whether it is bound to a query tree, and planned: a SELECT, or what changes rows.
    pub fn has_query_tree(&self) -> bool {
        matches!(
            self,
            Self::Select(_) | Self::Insert(_) | Self::Update(_) | Self::Delete(_) | Self::Merge(_)
        )
    }
}

impl<'a> SelectStmt<'a> {
    /// INTO, which stands in the leftmost SELECT of a set operation.
    pub fn leftmost_into(&self) -> Option<&'a IntoClause<'a>> {
        let mut into = self.into;
        let mut operation = self.set_operation;
        while let Some(inner) = operation {
            into = into.or(inner.left.into);
            operation = inner.left.set_operation;
        }
        into
    }
}

fn transaction(kind: TransactionKind<'_>) -> &'static str {
    use TransactionKind as K;
    match kind {
        K::Begin => "BEGIN",
        K::Start => "START TRANSACTION",
        K::Commit => "COMMIT",
        K::Rollback | K::RollbackTo(_) => "ROLLBACK",
        K::Savepoint(_) => "SAVEPOINT",
        K::Release(_) => "RELEASE",
        K::Prepare(_) => "PREPARE TRANSACTION",
        K::CommitPrepared(_) => "COMMIT PREPARED",
        K::RollbackPrepared(_) => "ROLLBACK PREPARED",
    }
}

macro_rules! object_tags {
    ($($kind:ident $name:literal)*) => {
        fn create(kind: ObjectType) -> &'static str {
            match kind {
                $(ObjectType::$kind => concat!("CREATE ", $name),)*
                _ => "???",
            }
        }

        fn alter(kind: ObjectType) -> &'static str {
            match kind {
                ObjectType::Column | ObjectType::TableConstraint => "ALTER TABLE",
                ObjectType::Attribute => "ALTER TYPE",
                ObjectType::DomainConstraint => "ALTER DOMAIN",
                $(ObjectType::$kind => concat!("ALTER ", $name),)*
                _ => "???",
            }
        }

        fn drop(kind: ObjectType) -> &'static str {
            match kind {
                $(ObjectType::$kind => concat!("DROP ", $name),)*
                _ => "???",
            }
        }
    };
}

object_tags! {
    AccessMethod "ACCESS METHOD"
    Aggregate "AGGREGATE"
    Cast "CAST"
    Collation "COLLATION"
    Conversion "CONVERSION"
    Database "DATABASE"
    Domain "DOMAIN"
    EventTrigger "EVENT TRIGGER"
    Extension "EXTENSION"
    ForeignDataWrapper "FOREIGN DATA WRAPPER"
    ForeignServer "SERVER"
    ForeignTable "FOREIGN TABLE"
    Function "FUNCTION"
    Index "INDEX"
    Language "LANGUAGE"
    LargeObject "LARGE OBJECT"
    MaterializedView "MATERIALIZED VIEW"
    Operator "OPERATOR"
    OperatorClass "OPERATOR CLASS"
    OperatorFamily "OPERATOR FAMILY"
    Policy "POLICY"
    Procedure "PROCEDURE"
    Publication "PUBLICATION"
    Role "ROLE"
    Routine "ROUTINE"
    Rule "RULE"
    Schema "SCHEMA"
    Sequence "SEQUENCE"
    Statistics "STATISTICS"
    Subscription "SUBSCRIPTION"
    Table "TABLE"
    Tablespace "TABLESPACE"
    TextSearchConfiguration "TEXT SEARCH CONFIGURATION"
    TextSearchDictionary "TEXT SEARCH DICTIONARY"
    TextSearchParser "TEXT SEARCH PARSER"
    TextSearchTemplate "TEXT SEARCH TEMPLATE"
    Transform "TRANSFORM"
    Trigger "TRIGGER"
    Type "TYPE"
    UserMapping "USER MAPPING"
    View "VIEW"
}

/// The tag of a raw statement that has no node of its own.
pub(crate) fn other(node: Node<'_>) -> Option<&'static str> {
    Some(match node {
        Node::SecLabelStmt(_) => "SECURITY LABEL",
        Node::AlterObjectDependsStmt(raw) => match raw.object_type {
            Raw::OBJECT_FUNCTION => "ALTER FUNCTION",
            Raw::OBJECT_PROCEDURE => "ALTER PROCEDURE",
            Raw::OBJECT_ROUTINE => "ALTER ROUTINE",
            Raw::OBJECT_TRIGGER => "ALTER TRIGGER",
            Raw::OBJECT_MATVIEW => "ALTER MATERIALIZED VIEW",
            _ => "ALTER INDEX",
        },
        Node::AlterOperatorStmt(_) => "ALTER OPERATOR",
        Node::AlterTypeStmt(_) => "ALTER TYPE",
        Node::AlterCollationStmt(_) => "ALTER COLLATION",
        Node::AlterStatsStmt(_) => "ALTER STATISTICS",
        Node::AlterTableMoveAllStmt(raw) => match raw.objtype {
            Raw::OBJECT_INDEX => "ALTER INDEX",
            Raw::OBJECT_MATVIEW => "ALTER MATERIALIZED VIEW",
            _ => "ALTER TABLE",
        },
        Node::AlterTableSpaceOptionsStmt(_) => "ALTER TABLESPACE",
        Node::AlterDatabaseRefreshCollStmt(_) => "ALTER DATABASE",
        Node::AlterExtensionStmt(_) | Node::AlterExtensionContentsStmt(_) => "ALTER EXTENSION",
        // The binding has no type for it, because it begins with another node.
        Node::Invalid(raw) if raw.type_ == NodeTag::T_CreateForeignTableStmt => {
            "CREATE FOREIGN TABLE"
        }
        Node::CreateFdwStmt(_) => "CREATE FOREIGN DATA WRAPPER",
        Node::AlterFdwStmt(_) => "ALTER FOREIGN DATA WRAPPER",
        Node::CreateForeignServerStmt(_) => "CREATE SERVER",
        Node::AlterForeignServerStmt(_) => "ALTER SERVER",
        Node::CreateUserMappingStmt(_) => "CREATE USER MAPPING",
        Node::AlterUserMappingStmt(_) => "ALTER USER MAPPING",
        Node::DropUserMappingStmt(_) => "DROP USER MAPPING",
        Node::ImportForeignSchemaStmt(_) => "IMPORT FOREIGN SCHEMA",
        Node::CreateAmStmt(_) => "CREATE ACCESS METHOD",
        Node::CreateEventTrigStmt(_) => "CREATE EVENT TRIGGER",
        Node::AlterEventTrigStmt(_) => "ALTER EVENT TRIGGER",
        Node::CreatePLangStmt(_) => "CREATE LANGUAGE",
        Node::CreateOpClassStmt(_) => "CREATE OPERATOR CLASS",
        Node::CreateOpFamilyStmt(_) => "CREATE OPERATOR FAMILY",
        Node::AlterOpFamilyStmt(_) => "ALTER OPERATOR FAMILY",
        Node::CreateConversionStmt(_) => "CREATE CONVERSION",
        Node::CreateTransformStmt(_) => "CREATE TRANSFORM",
        Node::AlterTSDictionaryStmt(_) => "ALTER TEXT SEARCH DICTIONARY",
        Node::AlterTSConfigurationStmt(_) => "ALTER TEXT SEARCH CONFIGURATION",
        Node::CreatePublicationStmt(_) => "CREATE PUBLICATION",
        Node::AlterPublicationStmt(_) => "ALTER PUBLICATION",
        Node::CreateSubscriptionStmt(_) => "CREATE SUBSCRIPTION",
        Node::AlterSubscriptionStmt(_) => "ALTER SUBSCRIPTION",
        Node::DropSubscriptionStmt(_) => "DROP SUBSCRIPTION",
        Node::ReturnStmt(_) => "RETURN",
        _ => return None,
    })
}
