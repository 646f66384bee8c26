//! The temporary objects of a session: its schema, what becomes of them at commit, their end.
//!
//! # How it works
//! The first temporary object of a session gives it a number that no other live session has and
//! with it the schema `pg_temp_N`. Everything in the schema is dropped when the session ends;
//! what a crash has left there is dropped before the schema is used again, and by the first
//! session of the database after a start.
//!
//! # Limits
//! Temporary tables are logged as others are. Dropping them is a transaction of the session's.

use crate::backend::Backend;
use base::{Oid, Result, err};
use catalog::acl::{AclKind, Privilege};
use catalog::builtin::BOOTSTRAP_SUPERUSER;
use catalog::columns::pg_namespace;
use catalog::rows::Persistence;
use catalog::store::Row;
use commands::Env;
use memory::Bump;
use parking_lot::Mutex;
use parse::OnCommit;
use session::engine::{Isolation, Modes};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

const PREFIX: &str = "pg_temp_";

/// The numbers that live sessions have.
#[derive(Default)]
pub(crate) struct Numbers(Mutex<BTreeSet<u32>>);

impl Numbers {
    /// The smallest number that is free.
    fn claim(&self) -> u32 {
        let mut taken = self.0.lock();
        let free = (0..).find(|number| !taken.contains(number)).unwrap_or(u32::MAX);
        taken.insert(free);
        free
    }

    /// A certain number, if it is free.
    fn claim_this(&self, number: u32) -> bool {
        self.0.lock().insert(number)
    }

    fn release(&self, number: u32) {
        self.0.lock().remove(&number);
    }
}

/// What a session has of temporary objects.
#[derive(Default)]
pub(crate) struct Temporary {
    number: Cell<Option<u32>>,
    /// How many savepoints stood when the open transaction began to use the schema.
    depth: Cell<Option<usize>>,
    /// Whether the open transaction has used a temporary table.
    pub(crate) touched: Cell<bool>,
    /// The tables that a commit empties or drops.
    on_commit: RefCell<Vec<(Oid, OnCommit)>>,
}

impl Backend {
    /// The schema of the session's temporary objects; makes it if need be.
    pub(crate) fn make_temporary_namespace(&self) -> Result<Oid> {
        let there = self.catalog.temporary_namespace();
        self.temporary.touched.set(true);
        if there.is_valid() {
            return Ok(there);
        }
        let database = self.catalog.database_row(self.catalog.database())?;
        let held = self.catalog.has_privilege(
            AclKind::Database,
            database.owner,
            database.acl.as_deref(),
            Privilege::Temporary,
        )?;
        if !held {
            return Err(err!(
                INSUFFICIENT_PRIVILEGE,
                "permission denied to create temporary tables in database \"{}\"",
                database.name
            ));
        }
        let number = self.temporary.number.get().unwrap_or_else(|| {
            let number = self.engine.temporary_numbers.claim();
            self.temporary.number.set(Some(number));
            number
        });
        let name = format!("{PREFIX}{number}");
        let namespace = match self.catalog.namespace_named(&name)? {
            Some(found) => {
                self.empty_namespace(found.oid)?;
                found.oid
            }
            None => self.insert_namespace(&name)?,
        };
        self.use_temporary_namespace(namespace);
        self.temporary.depth.set(Some(self.open.borrow().savepoint_count()));
        Ok(namespace)
    }

    fn use_temporary_namespace(&self, namespace: Oid) {
        self.catalog.set_temporary_namespace(namespace);
        // Names may mean other things from now on.
        self.path_changes.set(self.path_changes.get() + 1);
    }

    fn insert_namespace(&self, name: &str) -> Result<Oid> {
        let oid = self.catalog.new_oid(pg_namespace::RELATION)?;
        let row = Row::new(pg_namespace::RELATION)
            .with(pg_namespace::OID, oid)
            .with(pg_namespace::NSPNAME, name)
            .with(pg_namespace::NSPOWNER, BOOTSTRAP_SUPERUSER);
        self.catalog.insert(&row)?;
        self.catalog.next_command()?;
        Ok(oid)
    }

    /// Drops everything in a schema.
    fn empty_namespace(&self, namespace: Oid) -> Result<()> {
        let bump = Bump::new("temporary objects", self.state.account().clone());
        let env = Env { session: self, storage: self, server: self, bump: &bump, source: "" };
        commands::drop_contents(&env, namespace)
    }

    /// DISCARD TEMP
    pub(crate) fn discard_temporary(&self) -> Result<()> {
        let namespace = self.catalog.temporary_namespace();
        if !namespace.is_valid() {
            return Ok(());
        }
        self.empty_namespace(namespace)?;
        self.transaction()?.next_command().map(drop)
    }

    /// Notes what a commit does with a table.
    pub(crate) fn note_on_commit(&self, relation: Oid, action: OnCommit) {
        if matches!(action, OnCommit::DeleteRows | OnCommit::Drop) {
            self.temporary.on_commit.borrow_mut().push((relation, action));
        }
    }

    /// 0A000 for a table of another session's.
    pub(crate) fn note_temporary(&self, relation: &catalog::relation::Relation) -> Result<()> {
        if relation.persistence != Persistence::Temporary {
            return Ok(());
        }
        if relation.namespace != self.catalog.temporary_namespace() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "cannot access temporary tables of other sessions"
            ));
        }
        self.temporary.touched.set(true);
        Ok(())
    }

    /// What a commit does with temporary tables, while the transaction is still open.
    pub(crate) fn empty_temporary_tables(&self) -> Result<()> {
        if !self.temporary.touched.get() || self.temporary.on_commit.borrow().is_empty() {
            return Ok(());
        }
        let mut kept = Vec::new();
        let (mut emptied, mut dropped) = (Vec::new(), Vec::new());
        for (relation, action) in self.temporary.on_commit.take() {
            // Those whose making was undone, or that were dropped, are forgotten.
            let Some(found) = self.catalog.find_relation(relation)? else { continue };
            match action {
                OnCommit::Drop => dropped.push(relation),
                _ => {
                    kept.push((relation, action));
                    if self.has_rows(&found)? {
                        emptied.push(relation);
                    }
                }
            }
        }
        let bump = Bump::new("temporary objects", self.state.account().clone());
        let env = Env { session: self, storage: self, server: self, bump: &bump, source: "" };
        let all: Vec<Oid> = kept.iter().map(|(relation, _)| *relation).collect();
        self.temporary.on_commit.replace(kept);
        commands::empty_at_commit(&env, &emptied, &all)?;
        commands::drop_relations(&env, &dropped)?;
        self.transaction()?.next_command().map(drop)
    }

    /// The transaction has ended.
    pub(crate) fn temporary_after(&self, committed: bool) {
        self.temporary.touched.set(false);
        if self.temporary.depth.take().is_some() && !committed {
            self.use_temporary_namespace(Oid::INVALID);
        }
    }

    /// The transaction went back to a savepoint that has `count` others outside of it.
    pub(crate) fn temporary_back_to(&self, count: usize) {
        if self.temporary.depth.get().is_some_and(|depth| depth > count) {
            self.temporary.depth.set(None);
            self.use_temporary_namespace(Oid::INVALID);
        }
    }

    /// A savepoint was released: `count` are left.
    pub(crate) fn temporary_released(&self, count: usize) {
        let depth = self.temporary.depth.get();
        self.temporary.depth.set(depth.map(|depth| depth.min(count)));
    }

    /// The session ends: its temporary objects go.
    pub(crate) fn end_temporary(&self) -> Result<()> {
        let namespace = self.catalog.temporary_namespace();
        let result = if namespace.is_valid() {
            self.in_own_transaction(|| self.empty_namespace(namespace))
        } else {
            Ok(())
        };
        self.release_number();
        result
    }

    /// What a crash left goes: called for the first session of a database after a start.
    pub(crate) fn drop_leftovers(&self) -> Result<()> {
        self.in_own_transaction(|| {
            for (_, row) in self.catalog.all_rows(pg_namespace::RELATION)? {
                let name = row.text(pg_namespace::NSPNAME)?;
                let number = name.strip_prefix(PREFIX).and_then(|number| number.parse().ok());
                let Some(number) = number else { continue };
                let numbers = &self.engine.temporary_numbers;
                if numbers.claim_this(number) {
                    let result = self.empty_namespace(row.oid(pg_namespace::OID)?);
                    numbers.release(number);
                    result?;
                }
            }
            Ok(())
        })
    }

    fn in_own_transaction(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let modes =
            Modes { isolation: Isolation::ReadCommitted, read_only: false, deferrable: false };
        self.begin_transaction(modes)?;
        match work() {
            Ok(()) => self.commit_transaction(),
            Err(error) => {
                self.rollback_transaction()?;
                Err(error)
            }
        }
    }

    fn release_number(&self) {
        if let Some(number) = self.temporary.number.take() {
            self.engine.temporary_numbers.release(number);
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        // What a session could not drop goes before its number is used again.
        self.release_number();
    }
}
