//! Running planned statements.

use crate::backend::Backend;
use crate::planned::{Body, Planned};
use crate::storage::StatementStorage;
use base::{Error, Oid, Result};
use commands::Env;
use execute::Execution;
use expr::{Inputs, Runner, Value};
use memory::{Bump, Frozen};
use parse::{Expression, Statement};
use session::engine::{
    Completion, Destination, ParameterList, ParameterLists, ParameterMode, Parameters,
};
use std::borrow::Cow;
use types::Datum;

/// The rows that are asked for at once.
const DEMAND_MAX: usize = base::limits::BATCH_ROWS_MAX;

/// The parameters of a command's query.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'b> {
    pub(crate) types: &'b [Oid],
    pub(crate) values: &'b Parameters,
}

impl Bound<'_> {
    /// For the analysis of the query.
    pub(crate) fn known(&self) -> analyze::Parameters {
        analyze::Parameters::fixed(self.types.to_vec())
    }

    /// For a plan of the query.
    pub(crate) fn mode(&self) -> ParameterMode {
        if self.types.is_empty() { ParameterMode::None } else { ParameterMode::Inferred }
    }
}

impl Backend {
    pub(crate) fn run_planned(
        &self,
        planned: &Planned,
        parameters: &Parameters,
        destination: &mut dyn Destination,
    ) -> Result<Completion> {
        if let Body::Query { plan, .. } = &planned.body {
            self.refuse_changes(plan.get(), session::engine::Plan::tag(planned))?;
        }
        planned.permitted()?;
        if planned.query_id.is_some() {
            self.state.entry().activity.lock().query_id = planned.query_id;
        }
        match &planned.body {
            Body::Query { plan, descriptions } => {
                let tag = session::engine::Plan::tag(planned);
                self.run_query(plan.get(), descriptions, parameters.values(), tag, destination)
            }
            Body::Utility { source, statement } => {
                let bump = Bump::new("command", self.state.account().clone());
                let statement = &statement.get().statement;
                let bound =
                    Bound { types: session::engine::Plan::parameters(planned), values: parameters };
                self.run_utility(&bump, source, statement, bound, destination)
            }
        }
    }

    fn run_query(
        &self,
        plan: &plan::Plan<'_>,
        descriptions: &plan::Descriptions,
        values: &[Datum<'_>],
        tag: &'static str,
        destination: &mut dyn Destination,
    ) -> Result<Completion> {
        self.with_events(|| {
            for relation in plan.relations {
                analyze::Environment::lock_relation(self, relation.oid, relation.lock_mode)?;
            }
            let storage = StatementStorage::new(self)?;
            self.run_in(&storage, plan, descriptions, values, tag, destination)
        })
    }

    /// Runs a plan whose tables are locked.
    pub(crate) fn run_in(
        &self,
        storage: &StatementStorage<'_>,
        plan: &plan::Plan<'_>,
        descriptions: &plan::Descriptions,
        values: &[Datum<'_>],
        tag: &'static str,
        destination: &mut dyn Destination,
    ) -> Result<Completion> {
        self.wait_at_start()?;
        let account = self.state.account();
        let width = plan.columns.len();
        let _using = self.uses.begin(plan.relations, &descriptions.indexes);
        let execution = Execution::new(plan, descriptions, self, storage, account, values)?;
        let mut root = execution.root()?;
        let mut sent = 0u64;
        let mut row: Vec<Datum<'_>> = Vec::with_capacity(width);
        loop {
            let demand = if plan.modifies { u64::MAX } else { destination.demand()? };
            if demand == 0 {
                break;
            }
            let demand = usize::try_from(demand).unwrap_or(DEMAND_MAX).min(DEMAND_MAX);
            let Some(batch) = root.next(&execution, demand)? else { break };
            for at in batch.rows() {
                row.clear();
                row.extend(batch.columns()[..width].iter().map(|column| column.get(at)));
                if width > 0 || tag == "SELECT" {
                    // Rows of RETURNING are all delivered: the statement has happened.
                    destination.row(&row)?;
                }
                sent += 1;
                row = Vec::with_capacity(width);
            }
        }
        drop(root);
        let rows = if plan.modifies && tag != "SELECT" { execution.changed() } else { sent };
        drop(execution);
        if plan.modifies {
            self.note_changes(plan, rows);
        }
        storage.transaction.next_command()?;
        let tag = if tag == "INSERT" { "INSERT 0" } else { tag };
        Ok(Completion { tag: Cow::Borrowed(tag), rows: Some(rows) })
    }

    fn run_utility(
        &self,
        bump: &Bump,
        source: &str,
        statement: &Statement<'_>,
        bound: Bound<'_>,
        destination: &mut dyn Destination,
    ) -> Result<Completion> {
        self.refuse_definition(statement)?;
        let env = Env { session: self, storage: self, server: self, bump, source };
        let transaction = self.transaction()?;
        let mut rows = None;
        match statement {
            Statement::CreateSchema(create) => {
                if let Some(schema) = commands::create_schema(&env, create)? {
                    self.make_elements(&env, create, &schema, destination)?;
                }
            }
            Statement::CreateTableAs(create) => {
                rows = self.create_table_as(&env, create, bound)?;
            }
            Statement::RefreshMatView(refresh) => self.refresh_view(&env, refresh)?,
            Statement::Select(select) => {
                let into = select.leftmost_into().ok_or_else(|| Error::internal("no INTO"))?;
                rows = self.select_into(&env, statement, into, bound)?;
            }
            Statement::AlterSystem(set) => self.alter_system(set)?,
            Statement::Explain(explain) => self.explain(source, explain, bound, destination)?,
            Statement::ConstraintsSet(set) => self.set_constraints(set)?,
            Statement::Copy(copy) => rows = Some(self.copy(copy, source, destination)?),
            Statement::Vacuum(vacuum) => self.vacuum(vacuum, source)?,
            Statement::Checkpoint => {
                self.refuse_checkpoint()?;
                self.engine.storage.checkpoint()?;
            }
            Statement::Lock(lock) => self.lock_tables(lock)?,
            _ => {
                if commands::run(&env, statement)?.is_none() {
                    return Err(Error::unsupported(format!(
                        "{} is not supported yet",
                        statement.command_tag()
                    )));
                }
            }
        }
        transaction.next_command()?;
        let tag = match statement {
            Statement::CreateTableAs(_) | Statement::Select(_) if rows.is_some() => "SELECT",
            _ => statement.command_tag(),
        };
        Ok(Completion { tag: Cow::Borrowed(tag), rows })
    }

    /// Makes what CREATE SCHEMA puts into the schema, as its owner and with it first in the path.
    fn make_elements(
        &self,
        env: &Env<'_>,
        create: &parse::CreateSchemaStmt<'_>,
        schema: &commands::NewSchema,
        destination: &mut dyn Destination,
    ) -> Result<()> {
        let elements = commands::schema_elements(create, schema)?;
        if elements.is_empty() {
            return Ok(());
        }
        let user = self.catalog.user();
        let path = self.state.settings().search_path();
        let inner = std::iter::once(schema.name.clone()).chain(path.iter().cloned()).collect();
        self.catalog.set_user(schema.owner);
        self.catalog.set_search_path(inner);
        let run = || {
            for element in elements {
                let bound = Bound { types: &[], values: &Parameters::none() };
                self.run_utility(env.bump, env.source, element, bound, destination)?;
            }
            Ok(())
        };
        let result = run();
        self.catalog.set_user(user);
        self.catalog.set_search_path(path);
        result
    }

    pub(crate) fn evaluate_parameters(
        &self,
        source: &str,
        expressions: &[Expression<'_>],
        types: &[Oid],
    ) -> Result<Parameters> {
        let account = self.state.account();
        let scratch = Bump::new("parameters", account.clone());
        let mut found = Vec::new();
        for (number, (expression, oid)) in expressions.iter().zip(types).enumerate() {
            let name = (number + 1).to_string();
            let target = analyze::stored::StoredTarget { oid: *oid, typmod: -1, name: &name };
            let context = analyze::StoredContext::ExecuteParameter;
            let bound = analyze::analyze_expression(
                &scratch,
                self,
                source,
                expression,
                None,
                context,
                Some(target),
            )?;
            let program = plan::value_program(&scratch, &scratch, self, bound)?;
            let cx = Value { bump: &scratch, host: self, params: &[], subplans: None };
            found.push(program.eval_one(&mut Runner::new(), &cx, Inputs::Row(&[]))?);
        }
        let frozen = Frozen::<ParameterLists>::new("parameters", account, |bump| {
            let values = bump.try_alloc_slice(found.iter().map(|value| value.copy_to(&bump)))?;
            Ok(ParameterList(values))
        })?;
        Ok(Parameters::new(frozen))
    }
}
