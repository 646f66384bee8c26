//! Handling events: the queries, what their rows mean, and the errors.

use super::query::Query;
use super::{Event, EventKind, foreign_key, must_refer, nulls};
use crate::backend::Backend;
use crate::planned::{Body, Planned};
use crate::storage::StatementStorage;
use base::{Error, Oid, Result, RowId, err};
use catalog::relation::{Constraint, ForeignKey, Relation};
use catalog::rows::{ForeignAction, ForeignMatch};
use execute::{Owned, UniqueCheck};
use parse::Statement;
use session::engine::{Destination, ParameterMode};
use std::sync::Arc;
use table::RowBuffer;
use txn::{Isolation, LockMode};
use types::Datum;

/// A destination that wants one row.
#[derive(Default)]
struct First {
    rows: u64,
    values: Vec<Owned>,
}

impl Destination for First {
    fn demand(&mut self) -> Result<u64> {
        Ok(1 - self.rows.min(1))
    }

    fn row(&mut self, values: &[Datum<'_>]) -> Result<()> {
        self.rows += 1;
        self.values = values.iter().map(Owned::of).collect();
        Ok(())
    }

    fn client(&mut self) -> Option<&mut dyn session::Client> {
        None
    }
}

/// A foreign key with its table.
struct Key<'r> {
    table: &'r Relation,
    constraint: &'r Constraint,
    foreign: &'r ForeignKey,
}

/// The lock that an action's query takes on the referencing table.
fn mode_of(action: ForeignAction) -> LockMode {
    match action {
        ForeignAction::NoAction | ForeignAction::Restrict => LockMode::RowShare,
        ForeignAction::Cascade | ForeignAction::SetNull | ForeignAction::SetDefault => {
            LockMode::RowExclusive
        }
    }
}

impl Backend {
    pub(super) fn handle(&self, event: &Event) -> Result<()> {
        if let EventKind::Unique(check) = &event.kind {
            return self.check_unique(&*self.catalog.relation(event.table)?, check);
        }
        loop {
            let generation = self.catalog.generation();
            // A constraint that has been dropped asks for nothing.
            let Some(table) = self.catalog.find_relation(event.table)? else { return Ok(()) };
            let Some((constraint, foreign)) = foreign_key(&table, event.constraint) else {
                return Ok(());
            };
            // The query names its table: who renames or drops it is waited for before that.
            let (other, mode) = match &event.kind {
                EventKind::Deleted { .. } => (event.table, mode_of(foreign.on_delete)),
                EventKind::Changed { .. } => (event.table, mode_of(foreign.on_update)),
                _ => (foreign.table, LockMode::RowShare),
            };
            analyze::Environment::lock_relation(self, other, mode as u8)?;
            // Rule 8.
            if self.catalog.generation() != generation {
                continue;
            }
            let at = Key { table: &table, constraint, foreign };
            return match &event.kind {
                EventKind::Referencing { row, key } => self.check_referencing(&at, *row, key),
                EventKind::Deleted { key } => self.follow(&at, foreign.on_delete, key, None),
                EventKind::Changed { key, new } => {
                    self.follow(&at, foreign.on_update, key, Some(new))
                }
                EventKind::Unique(_) => Ok(()),
            };
        }
    }

    /// Checks the entry of a deferrable unique constraint (rule 6).
    fn check_unique(&self, table: &Relation, check: &UniqueCheck) -> Result<()> {
        // The constraint may have been dropped, or the table written anew.
        let Some(index) = table.indexes.iter().find(|index| index.oid == check.index.oid) else {
            return Ok(());
        };
        let tree = self.engine.trees.index(index.file, &index.name)?;
        if !tree.has_entry(&check.key, check.row)? {
            return Ok(());
        }
        let transaction = self.transaction()?;
        match tree.find_conflict(&transaction, &check.key, Some(check.row), &index.name)? {
            Some(_) => Err(check.error.clone()),
            None => Ok(()),
        }
    }

    fn check_referencing(&self, at: &Key<'_>, row: RowId, key: &[Owned]) -> Result<()> {
        let now;
        let mut key = key;
        if at.constraint.deferrable {
            // Rule 4.
            match self.key_now(at, row)? {
                Some(found) => now = found,
                None => return Ok(()),
            }
            key = &now;
            if !must_refer(key, at.foreign) {
                return Ok(());
            }
        }
        if at.foreign.match_kind == ForeignMatch::Full && nulls(key) > 0 {
            let error = self.missing(at)?;
            return Err(
                error.detail("MATCH FULL does not allow mixing of null and nonnull key values.")
            );
        }
        if self.finds(Query::LockKey, at, key, false)? {
            return Ok(());
        }
        let referenced = self.catalog.relation(at.foreign.table)?;
        let shown = self.shown_key(at.table, &at.constraint.columns, key)?;
        let error = self.missing(at)?;
        Err(error.detail(format!("Key{shown} is not present in table \"{}\".", referenced.name)))
    }

    /// The key of a referencing row as the running command sees it.
    fn key_now(&self, at: &Key<'_>, row: RowId) -> Result<Option<Vec<Owned>>> {
        let transaction = self.transaction()?;
        let view = transaction.view_of(self.engine.storage.transactions().snapshot());
        let table = self.open_table(at.table)?;
        let places: Vec<usize> = at
            .constraint
            .columns
            .iter()
            .map(|attribute| usize::from(attribute.unsigned_abs()).saturating_sub(1))
            .collect();
        let mut buffer = RowBuffer::new();
        if !table.fetch(&view, row, &places, &mut buffer)? {
            return Ok(None);
        }
        let mut key = Vec::with_capacity(places.len());
        for (i, place) in places.iter().enumerate() {
            key.push(match buffer.get(i) {
                Some(stored) => Owned::of(&table.columns()[*place].layout.decode(stored)?),
                None => Owned::of(&Datum::Null),
            });
        }
        Ok(Some(key))
    }

    /// What follows from a key that is gone.
    fn follow(
        &self,
        at: &Key<'_>,
        action: ForeignAction,
        key: &[Owned],
        new: Option<&Vec<Owned>>,
    ) -> Result<()> {
        let on_delete = new.is_none();
        match action {
            ForeignAction::NoAction => {
                // Rule 3.
                if self.finds(Query::KeyIsBack, at, key, true)? {
                    return Ok(());
                }
                self.forbid(at, key, false)
            }
            ForeignAction::Restrict => self.forbid(at, key, true),
            ForeignAction::Cascade => match new {
                None => self.finds(Query::DeleteReferring, at, key, true).map(drop),
                Some(new) => {
                    let values: Vec<Owned> = new.iter().chain(key).cloned().collect();
                    self.finds(Query::UpdateReferring, at, &values, true).map(drop)
                }
            },
            ForeignAction::SetNull => {
                self.finds(Query::SetNull { on_delete }, at, key, true).map(drop)
            }
            ForeignAction::SetDefault => {
                self.finds(Query::SetDefault { on_delete }, at, key, true)?;
                // The default may be the very key that is gone.
                if self.finds(Query::KeyIsBack, at, key, true)? {
                    return Ok(());
                }
                self.forbid(at, key, false)
            }
        }
    }

    fn forbid(&self, at: &Key<'_>, key: &[Owned], restrict: bool) -> Result<()> {
        if !self.finds(Query::FindReferring, at, key, true)? {
            return Ok(());
        }
        let referenced = self.catalog.relation(at.foreign.table)?;
        let shown = self.shown_key(&referenced, &at.foreign.columns, key)?;
        let (constraint, table) = (&at.constraint.name, &at.table.name);
        let error = if restrict {
            err!(
                RESTRICT_VIOLATION,
                "update or delete on table \"{}\" violates RESTRICT setting of foreign key \
                 constraint \"{constraint}\" on table \"{table}\"",
                referenced.name
            )
            .detail(format!("Key{shown} is referenced from table \"{table}\"."))
        } else {
            err!(
                FOREIGN_KEY_VIOLATION,
                "update or delete on table \"{}\" violates foreign key constraint \
                 \"{constraint}\" on table \"{table}\"",
                referenced.name
            )
            .detail(format!("Key{shown} is still referenced from table \"{table}\"."))
        };
        Err(self.naming(at, error)?)
    }

    fn missing(&self, at: &Key<'_>) -> Result<Error> {
        let error = err!(
            FOREIGN_KEY_VIOLATION,
            "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
            at.table.name,
            at.constraint.name
        );
        self.naming(at, error)
    }

    fn naming(&self, at: &Key<'_>, error: Error) -> Result<Error> {
        let schema = self.catalog.namespace(at.table.namespace)?;
        Ok(error.schema(&*schema.name).table(&at.table.name).constraint(&at.constraint.name))
    }

    /// ` (a, b)=(1, 2)`, or nothing if the role may not read that.
    fn shown_key(&self, relation: &Relation, attributes: &[i16], key: &[Owned]) -> Result<String> {
        if !self.shows(relation, attributes)? {
            return Ok(String::new());
        }
        let io = self.value_io();
        let (mut names, mut texts) = (Vec::new(), Vec::new());
        for (attribute, value) in attributes.iter().zip(key) {
            let Some(column) = relation.column_at(*attribute) else { continue };
            names.push(column.name.as_str());
            texts.push(match value.get() {
                Datum::Null => "null".to_owned(),
                value => io.output_string(column.type_oid.0, &value)?,
            });
        }
        Ok(format!(" ({})=({})", names.join(", "), texts.join(", ")))
    }

    /// Runs a query of a foreign key; whether it found or changed a row. `latest`: rule 5.
    fn finds(&self, query: Query, at: &Key<'_>, values: &[Owned], latest: bool) -> Result<bool> {
        let (planned, sql) = self.referential_plan(query, at)?;
        let values: Vec<Datum<'_>> = values.iter().map(Owned::get).collect();
        let mut first = First::default();
        let rows =
            self.run_own(&planned, &values, latest, &mut first).map_err(|error| match &sql {
                sql if error.fields().severity == base::Severity::Error => {
                    error.context(format!("SQL statement \"{sql}\""))
                }
                _ => error,
            })?;
        Ok(rows > 0 || first.rows > 0)
    }

    fn run_own(
        &self,
        planned: &Planned,
        values: &[Datum<'_>],
        latest: bool,
        to: &mut dyn Destination,
    ) -> Result<u64> {
        let Body::Query { plan, descriptions } = &planned.body else {
            return Err(Error::internal("a foreign key's query is a query"));
        };
        let mut storage = StatementStorage::new(self)?;
        if latest {
            let snapshot = self.engine.storage.transactions().snapshot();
            let own = std::mem::replace(&mut storage.snapshot, snapshot);
            let sees_all = storage.transaction.isolation() == Isolation::ReadCommitted;
            storage.crosscheck = (!sees_all).then_some(own);
        }
        let tag = session::engine::Plan::tag(planned);
        let done = self.run_in(&storage, plan.get(), descriptions, values, tag, to)?;
        Ok(done.rows.unwrap_or(0))
    }

    fn referential_plan(&self, query: Query, at: &Key<'_>) -> Result<(Arc<Planned>, Arc<str>)> {
        let key = (at.constraint.oid, query);
        let known = self.referential.plans.borrow().get(&key).cloned();
        if let Some((planned, sql)) = known
            && self.is_fresh(&planned)?
        {
            return Ok((planned, sql));
        }
        let text = self.referential_text(query, at.table, at.constraint, at.foreign)?;
        let planned = Arc::new(self.plan_own(&text.sql, &text.types)?);
        let sql: Arc<str> = text.sql.into();
        self.referential.plans.borrow_mut().insert(key, (planned.clone(), sql.clone()));
        Ok((planned, sql))
    }

    fn plan_own(&self, sql: &str, types: &[Oid]) -> Result<Planned> {
        let bump = memory::Bump::new("foreign key", self.state.account().clone());
        let statements = base::wait::on_thread_stack(|| parse::parse(&bump, sql))?;
        let statement: &Statement<'_> = match statements {
            [one] => &one.statement,
            _ => return Err(Error::internal("a foreign key's query is one statement")),
        };
        self.plan_statement(sql, statement, types, ParameterMode::Inferred)
    }

    /// Fails unless all rows of a table meet a foreign key.
    pub(crate) fn check_all_rows(&self, table: Oid, constraint: Oid) -> Result<()> {
        let table = self.catalog.relation(table)?;
        let Some((constraint, foreign)) = foreign_key(&table, constraint) else { return Ok(()) };
        let sql = self.orphan_text(&table, constraint, foreign)?;
        let planned = self.plan_own(&sql, &[])?;
        self.transaction()?.next_command()?;
        let mut first = First::default();
        self.run_own(&planned, &[], true, &mut first)?;
        if first.rows == 0 {
            return Ok(());
        }
        let at = Key { table: &table, constraint, foreign };
        if nulls(&first.values) > 0 {
            let error = self.missing(&at)?;
            return Err(
                error.detail("MATCH FULL does not allow mixing of null and nonnull key values.")
            );
        }
        let referenced = self.catalog.relation(foreign.table)?;
        let shown = self.shown_key(&table, &constraint.columns, &first.values)?;
        let error = self.missing(&at)?;
        Err(error.detail(format!("Key{shown} is not present in table \"{}\".", referenced.name)))
    }
}
