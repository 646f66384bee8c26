//! Tables that begin with the rows of a query: CREATE TABLE AS, SELECT INTO, materialized views.

use crate::backend::Backend;
use crate::copy::Sink;
use crate::planned::Planned;
use base::{Error, Oid, Result, err};
use catalog::relation::Relation;
use catalog::rows::Persistence;
use commands::Env;
use memory::Bump;
use parse::{CreateTableAsStmt, ExecuteStmt, IntoClause, RefreshMatViewStmt, Statement};
use session::engine::{ParameterMode, Parameters, Plan};
use types::Datum;

/// A statement whose rows fill a table, with the values of its parameters.
struct Filling {
    planned: Planned,
    parameters: Parameters,
}

impl Backend {
    /// CREATE TABLE AS and CREATE MATERIALIZED VIEW; returns the rows, if any were asked for.
    pub(crate) fn create_table_as(
        &self,
        env: &Env<'_>,
        create: &CreateTableAsStmt<'_>,
    ) -> Result<Option<u64>> {
        let into = create.into;
        if let Statement::Execute(execute) = create.query {
            return self.create_from_prepared(env, into, execute, create.if_not_exists);
        }
        let mut parameters = analyze::Parameters::none();
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
        let planned = self.plan_query(env.source, create.query, &[], ParameterMode::None)?;
        self.fill(oid, &Filling { planned, parameters: Parameters::none() }).map(Some)
    }

    /// SELECT INTO.
    pub(crate) fn select_into(
        &self,
        env: &Env<'_>,
        statement: &Statement<'_>,
        into: &IntoClause<'_>,
    ) -> Result<Option<u64>> {
        let mut parameters = analyze::Parameters::none();
        let query = analyze::analyze(env.bump, self, env.source, statement, &mut parameters)?;
        let made = commands::create_from_query(env, into, query, false)?;
        let Some(oid) = made else { return Ok(None) };
        let planned = self.plan_query(env.source, statement, &[], ParameterMode::None)?;
        self.fill(oid, &Filling { planned, parameters: Parameters::none() }).map(Some)
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
        let mut rows = 0;
        let layouts: Vec<batch::Layout> =
            table.columns().iter().map(|column| column.layout).collect();
        let mut sink = Sink(&mut |values: &[Datum<'_>]| {
            let mut stored = Vec::with_capacity(values.len());
            for (layout, value) in layouts.iter().zip(values) {
                let mut bytes = Vec::new();
                if !value.is_null() {
                    layout.encode(value, &mut bytes)?;
                }
                stored.push((!value.is_null()).then_some(bytes));
            }
            let values: Vec<Option<&[u8]>> = stored.iter().map(Option::as_deref).collect();
            rows += 1;
            table.insert_row(&transaction, &values).map(drop)
        });
        debug_assert!(filling.planned.columns().is_some());
        self.run_planned(&filling.planned, &filling.parameters, &mut sink)?;
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
