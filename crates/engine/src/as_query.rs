//! Tables that begin with the rows of a query: CREATE TABLE AS, SELECT INTO, materialized views.

use crate::backend::Backend;
use crate::copy::Sink;
use crate::planned::Planned;
use crate::run::Bound;
use base::{Error, Oid, Result, err};
use batch::{Batch, Column};
use catalog::relation::Relation;
use catalog::rows::Persistence;
use commands::Env;
use memory::{Bump, Heap};
use parse::{CreateTableAsStmt, ExecuteStmt, IntoClause, RefreshMatViewStmt, Statement};
use session::engine::{ParameterMode, Parameters, Plan};
use std::rc::Rc;
use table::Table;
use txn::Transaction;
use types::Datum;

/// A statement whose rows fill a table, with the values of its parameters.
struct Filling {
    planned: Planned,
    parameters: Parameters,
}

/// The rows that are written together: one log record and one version record for those of a page.
const ROWS: usize = 1024;
/// The bytes of their values, roughly, beyond which fewer are.
const BYTES: usize = 256 << 10;

/// A table that gets the rows of a query.
struct Filled<'t> {
    table: &'t Table,
    transaction: &'t Transaction,
    heap: &'t Heap,
    /// The rows that are not written yet, and how many; a table may have no columns.
    pending: Vec<Column>,
    count: usize,
    rows: u64,
}

impl<'t> Filled<'t> {
    fn new(table: &'t Table, transaction: &'t Transaction, heap: &'t Heap) -> Filled<'t> {
        let mut filled =
            Filled { table, transaction, heap, pending: Vec::new(), count: 0, rows: 0 };
        filled.pending = filled.empty();
        filled
    }

    fn empty(&self) -> Vec<Column> {
        self.table.columns().iter().map(|column| Column::new(column.layout, self.heap)).collect()
    }

    fn push(&mut self, values: &[Datum<'_>]) -> Result<()> {
        for (column, value) in self.pending.iter_mut().zip(values) {
            column.push(value)?;
        }
        (self.count, self.rows) = (self.count + 1, self.rows + 1);
        let bytes: usize = self.pending.iter().map(Column::variable_bytes).sum();
        if self.count == ROWS || bytes >= BYTES { self.write() } else { Ok(()) }
    }

    /// Writes what is pending.
    fn write(&mut self) -> Result<()> {
        let empty = self.empty();
        let columns = std::mem::replace(&mut self.pending, empty);
        let count = std::mem::take(&mut self.count);
        if count > 0 {
            let columns = columns.into_iter().map(Rc::new).collect();
            self.table.insert(self.transaction, &Batch::new(columns, count))?;
        }
        Ok(())
    }
}

impl Backend {
    /// CREATE TABLE AS and CREATE MATERIALIZED VIEW; returns the rows, if any were asked for.
    pub(crate) fn create_table_as(
        &self,
        env: &Env<'_>,
        create: &CreateTableAsStmt<'_>,
        bound: Bound<'_>,
    ) -> Result<Option<u64>> {
        let into = create.into;
        if let Statement::Execute(execute) = create.query {
            return self.create_from_prepared(env, into, execute, create.if_not_exists);
        }
        let mut parameters = bound.known();
        let query = analyze::analyze(env.bump, self, env.source, create.query, &mut parameters)?;
        let made = if create.materialized_view {
            commands::create_materialized_view(env, into, query, create.if_not_exists)?
        } else {
            commands::create_from_query(env, into, query, create.if_not_exists)?
        };
        let Some(oid) = made else { return Ok(None) };
        if into.skip_data {
            return Ok(None);
        }
        let planned = self.plan_query(env.source, create.query, bound.types, bound.mode())?;
        self.fill(oid, &Filling { planned, parameters: bound.values.clone() }).map(Some)
    }

    /// SELECT INTO.
    pub(crate) fn select_into(
        &self,
        env: &Env<'_>,
        statement: &Statement<'_>,
        into: &IntoClause<'_>,
        bound: Bound<'_>,
    ) -> Result<Option<u64>> {
        let mut parameters = bound.known();
        let query = analyze::analyze(env.bump, self, env.source, statement, &mut parameters)?;
        let made = commands::create_from_query(env, into, query, false)?;
        let Some(oid) = made else { return Ok(None) };
        let planned = self.plan_query(env.source, statement, bound.types, bound.mode())?;
        self.fill(oid, &Filling { planned, parameters: bound.values.clone() }).map(Some)
    }

    /// CREATE TABLE AS EXECUTE: the prepared statement is read and planned anew.
    fn create_from_prepared(
        &self,
        env: &Env<'_>,
        into: &IntoClause<'_>,
        execute: &ExecuteStmt<'_>,
        if_not_exists: bool,
    ) -> Result<Option<u64>> {
        let known = self.state.prepared_statements();
        let found = known.into_iter().find(|one| *one.name == *execute.name).ok_or_else(|| {
            err!(
                INVALID_SQL_STATEMENT_NAME,
                "prepared statement \"{}\" does not exist",
                execute.name
            )
        })?;
        if execute.params.len() != found.parameters.len() {
            return Err(err!(
                SYNTAX_ERROR,
                "wrong number of parameters for prepared statement \"{}\"",
                execute.name
            )
            .detail(format!(
                "Expected {} parameters but got {}.",
                found.parameters.len(),
                execute.params.len()
            )));
        }
        let statements = base::wait::on_thread_stack(|| parse::parse(env.bump, &found.source))?;
        let of_name = statements.iter().find_map(|raw| match raw.statement {
            Statement::Prepare(prepare) if prepare.name == execute.name => Some(*prepare.query),
            _ => None,
        });
        let query = match (of_name, statements) {
            (Some(query), _) => query,
            (None, [only]) if !found.from_sql => only.statement,
            _ => return Err(Error::internal("a prepared statement that its text does not have")),
        };
        if found.results.is_none() {
            return Err(err!(WRONG_OBJECT_TYPE, "prepared statement is not a SELECT"));
        }
        let types = &found.parameters;
        let parameters = self.evaluate_parameters(env.source, execute.params, types)?;
        let mut given = analyze::Parameters::inferred(types.to_vec());
        let tree = analyze::analyze(env.bump, self, &found.source, &query, &mut given)?;
        let made = commands::create_from_query(env, into, tree, if_not_exists)?;
        let Some(oid) = made else { return Ok(None) };
        if into.skip_data {
            // PostgreSQL's command tag counts here, unlike that of a query.
            return Ok(Some(0));
        }
        let planned = self.plan_query(&found.source, &query, types, ParameterMode::Inferred)?;
        self.fill(oid, &Filling { planned, parameters }).map(Some)
    }

    /// Puts the rows of a statement into a table that has no indexes to keep.
    fn fill(&self, oid: Oid, filling: &Filling) -> Result<u64> {
        let relation = self.catalog.relation(oid)?;
        let table = self.open_table(&relation)?;
        let transaction = self.transaction()?;
        let heap = Heap::new("rows of a query", self.state.account().clone());
        let mut filled = Filled::new(&table, &transaction, &heap);
        let mut sink = Sink(&mut |values: &[Datum<'_>]| filled.push(values));
        debug_assert!(filling.planned.columns().is_some());
        self.run_planned(&filling.planned, &filling.parameters, &mut sink)?;
        filled.write()?;
        let rows = filled.rows;
        // Nobody has read the table, but who reads it after the commit may miss the rows.
        let watched = rows > 0 && relation.persistence != Persistence::Temporary;
        if let Some(tracked) = transaction.tracked().filter(|_| watched) {
            tracked.write_row(oid, None)?;
        }
        Ok(rows)
    }

    /// REFRESH MATERIALIZED VIEW.
    pub(crate) fn refresh_view(
        &self,
        env: &Env<'_>,
        refresh: &RefreshMatViewStmt<'_>,
    ) -> Result<()> {
        let relation = commands::begin_refresh(env, refresh)?;
        if !refresh.skip_data {
            let filling = self.plan_view(env.bump, &relation)?;
            self.fill(relation.oid, &filling)?;
            self.transaction()?.next_command()?;
            let described = self.catalog.relation(relation.oid)?;
            for index in &described.indexes {
                commands::Storage::build_index(self, &described, index)?;
            }
        }
        Ok(())
    }

    /// The query of a materialized view.
    fn plan_view(&self, bump: &Bump, relation: &Relation) -> Result<Filling> {
        let stored = relation.query.as_ref().ok_or_else(|| Error::internal("no query"))?;
        let fits = self.fits();
        let query = analyze::analyze_stored_query(bump, self, stored, relation.owner)?;
        let planned = self.plan_tree(fits, bump, query, Vec::new(), "SELECT")?;
        Ok(Filling { planned, parameters: Parameters::none() })
    }
}
