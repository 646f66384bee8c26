//! Utility statements that define things, one file a statement or object.
//!
//! # How it works
//! A command reads its syntax tree, resolves names through the catalog, checks what PostgreSQL
//! checks in PostgreSQL's order, and then changes catalog rows through [`catalog::Catalog`] and
//! trees through [`Storage`]. Both belong to the session's transaction, so every command is undone
//! with it.
//!
//! # Rules
//! 1. Locks first: a relation is locked in the mode that PostgreSQL takes before it is described.
//! 2. Between steps that must see each other a command calls `next_command`.
//! 3. What an object needs is written down as a dependency when it is made ([`depend`]); DROP
//!    follows the dependencies and nothing else.
//! 4. Checks of rows that are there (NOT NULL, CHECK, keys, references) go through [`Storage`],
//!    which runs the same programs as statements do.

mod comment;
mod create_index;
mod create_schema;
mod create_view;
mod database;
mod depend;
mod drop;
mod grant;
mod materialized_view;
mod named;
mod object;
mod owned;
mod owner;
mod reindex;
mod relation_rows;
mod rename;
mod resolve;
mod role;
mod role_settings;
mod sequence;
mod server;
mod table;
mod truncate;
mod type_ids;
mod user_type;

pub use sequence::SequenceOptions;
pub use server::{DatabaseUsers, Server, SettingChange};
pub use table::query_columns;

use analyze::Environment;
use base::{Csn, Error, FileId, Oid, Result};
use catalog::Catalog;
use catalog::relation::{Index, Relation};
use memory::Bump;
use parse::Statement;
use std::sync::Arc;

/// A lock mode by PostgreSQL's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
#[repr(u8)]
pub enum LockMode {
    AccessShare = 1,
    RowShare = 2,
    RowExclusive = 3,
    ShareUpdateExclusive = 4,
    Share = 5,
    ShareRowExclusive = 6,
    Exclusive = 7,
    AccessExclusive = 8,
}

/// The trees behind relations and what looks at their rows, in the session's transaction.
pub trait Storage {
    /// Makes the empty tree of a table or sequence.
    ///
    /// # Errors
    /// Those of storage.
    fn create_table_tree(&self) -> Result<FileId>;

    /// Makes the empty tree of an index.
    ///
    /// # Errors
    /// Those of storage.
    fn create_index_tree(&self) -> Result<FileId>;

    /// All rows of a table go, or are written anew.
    ///
    /// # Errors
    /// 40001 when a serializable transaction must not do that.
    fn change_all(&self, table: Oid) -> Result<()>;

    /// Removes a tree when the transaction has committed.
    ///
    /// # Errors
    /// Those of storage.
    fn drop_tree(&self, file: FileId) -> Result<()>;

    /// Fills the tree of a new index from its table. Returns the last commit that it is of: older
    /// snapshots may not use it (storage rule 20).
    ///
    /// # Errors
    /// 23505 for a unique index over equal keys; those of its expressions.
    fn build_index(&self, table: &Relation, index: &Index) -> Result<Csn>;

    /// Gives a sequence whose tree is empty its state.
    ///
    /// # Errors
    /// Those of storage.
    fn set_sequence(&self, sequence: &Relation, last_value: i64, is_called: bool) -> Result<()>;

    /// The last value of a sequence, and whether it was given out.
    ///
    /// # Errors
    /// Those of storage.
    fn sequence(&self, sequence: &Relation) -> Result<(i64, bool)>;

    /// The id of a new column of a table, never given out before (storage rule 7).
    ///
    /// # Errors
    /// 54000 when there are no more.
    fn draw_column_id(&self) -> Result<u32>;

    /// Whether a row of the table has NULL in a column.
    ///
    /// # Errors
    /// Those of storage.
    fn has_null(&self, table: &Relation, attribute: i16) -> Result<bool>;

    /// Whether a row of the table makes a boolean expression false.
    ///
    /// # Errors
    /// Those of the expression.
    fn violates(&self, table: &Relation, check: &catalog::rows::Stored) -> Result<bool>;

    /// Checks all rows of the referencing table against the referenced one.
    ///
    /// # Errors
    /// 23503 for a row without match.
    fn check_foreign_key(&self, table: Oid, constraint: Oid) -> Result<()>;

    /// Rewrites a table: `columns` gives for some attributes the expression of their new value.
    /// The new tree has the layout of `new`; indexes are rebuilt by the caller.
    ///
    /// # Errors
    /// Those of the expressions.
    fn rewrite(
        &self,
        old: &Relation,
        new: &Relation,
        columns: &[(i16, catalog::rows::Stored)],
    ) -> Result<FileId>;

    /// The stored form of a constant expression for a column, for rows that do not have it yet;
    /// `None` when it is not a constant.
    ///
    /// # Errors
    /// Those of the expression.
    fn missing_value(
        &self,
        expr: &catalog::rows::Stored,
        type_oid: Oid,
        typmod: i32,
    ) -> Result<Option<Option<Vec<u8>>>>;

    /// The schema of the session's temporary objects; made when there is none.
    ///
    /// # Errors
    /// 42501 without the privilege.
    fn temporary_namespace(&self) -> Result<Oid>;

    /// Notes what becomes of a temporary table's rows at commit.
    fn on_commit(&self, relation: Oid, action: parse::OnCommit);

    /// Whether an open cursor or the running statement uses the relation.
    fn in_use(&self, relation: Oid) -> bool;

    /// Whether checks of the relation's rows wait for the end of the transaction.
    fn has_pending_events(&self, relation: Oid) -> bool;
}

/// What a command runs with.
#[derive(Clone, Copy)]
pub struct Env<'s> {
    /// The session as analysis sees it; its catalog is the session's.
    pub session: &'s dyn Environment,
    /// Trees.
    pub storage: &'s dyn Storage,
    /// The server around the session.
    pub server: &'s dyn Server,
    /// Where trees of the statement live.
    pub bump: &'s Bump,
    /// The text that locations count in.
    pub source: &'s str,
}

impl std::fmt::Debug for Env<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env").finish_non_exhaustive()
    }
}

impl<'s> Env<'s> {
    /// The catalogs.
    pub fn catalog(&self) -> &'s Catalog {
        self.session.catalog()
    }

    pub(crate) fn lock(&self, relation: Oid, mode: LockMode) -> Result<()> {
        self.session.lock_relation(relation, mode as u8)
    }

    /// Sends a NOTICE.
    pub(crate) fn notice(&self, message: impl Into<String>) {
        self.session.notice(Error::new(base::SqlState::SUCCESSFUL_COMPLETION, message));
    }

    /// Adds the position of a location to an error.
    pub(crate) fn at(&self, error: Error, location: parse::Location) -> Error {
        error.position_or(location.position(self.source))
    }

    /// Describes a relation after locking it; looks again when it changed in between (rule 1).
    pub(crate) fn lock_and_describe(&self, oid: Oid, mode: LockMode) -> Result<Arc<Relation>> {
        self.lock(oid, mode)?;
        self.catalog().relation(oid)
    }
}

/// Runs a statement that defines something; `None` when the statement is not one of these.
///
/// # Errors
/// All that PostgreSQL's command raises; 0A000 for what is not supported.
pub fn run(env: &Env<'_>, statement: &Statement<'_>) -> Result<Option<()>> {
    match statement {
        Statement::CreateTable(create) => table::create::run(env, create).map(drop)?,
        Statement::AlterTable(alter) => table::alter::run(env, alter)?,
        Statement::CreateIndex(create) => create_index::run(env, create)?,
        Statement::CreateView(view) => create_view::run(env, view)?,
        Statement::CreateSequence(create) => sequence::create(env, create)?,
        Statement::AlterSequence(alter) => sequence::alter(env, alter)?,
        Statement::Drop(drop) => drop::run(env, drop)?,
        Statement::Comment(comment) => comment::run(env, comment)?,
        Statement::Rename(rename) => rename::run(env, rename)?,
        Statement::AlterObjectSchema(alter) => rename::set_schema(env, alter)?,
        Statement::CreateEnum(create) => user_type::enumeration::create(env, create)?,
        Statement::AlterEnum(alter) => user_type::enumeration::alter(env, alter)?,
        Statement::CompositeType(create) => user_type::composite::create(env, create)?,
        Statement::CreateDomain(create) => user_type::domain::create(env, create)?,
        Statement::AlterDomain(alter) => user_type::alter_domain::run(env, alter)?,
        Statement::Reindex(reindex) => reindex::run(env, reindex)?,
        Statement::Truncate(truncate) => truncate::run(env, truncate)?,
        Statement::CreateRole(create) => role::create(env, create)?,
        Statement::AlterRole(alter) => role::alter(env, alter)?,
        Statement::DropRole(drop) => role::drop_roles(env, drop)?,
        Statement::GrantRole(grant) => role::grant_roles(env, grant)?,
        Statement::AlterRoleSet(alter) => role_settings::alter_role(env, alter)?,
        Statement::AlterDatabaseSet(alter) => role_settings::alter_database(env, alter)?,
        Statement::ReassignOwned(reassign) => owned::reassign(env, reassign)?,
        Statement::Grant(grant) => grant::run(env, grant)?,
        Statement::AlterDefaultPrivileges(alter) => grant::alter_defaults(env, alter)?,
        Statement::DropOwned(drop) => owned::drop_owned(env, drop)?,
        Statement::CreateDatabase(create) => database::create(env, create)?,
        Statement::AlterDatabase(alter) => database::alter(env, alter)?,
        Statement::DropDatabase(drop) => database::drop_database(env, drop)?,
        Statement::AlterOwner(alter) => owner::alter(env, alter)?,
        _ => return Ok(None),
    }
    Ok(Some(()))
}

pub use create_schema::{NewSchema, elements as schema_elements, run as create_schema};
pub use drop::{drop_contents, drop_relations};
pub use materialized_view::{begin_refresh, create as create_materialized_view};
pub use table::create_from_query;
pub use truncate::empty_at_commit;
