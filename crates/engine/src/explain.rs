//! EXPLAIN.

use crate::backend::Backend;
use crate::run::Bound;
use crate::storage::StatementStorage;
use base::{Error, Oid, Result, err};
use execute::{Execution, NodeCounters};
use explain::{Measured, Options, Serialize, Source};
use memory::{Bump, Level};
use parse::{ExplainStmt, Statement};
use session::engine::Destination;
use std::time::Instant;
use types::Datum;

/// A statement that is explained: its text, its parameters' types and values.
struct Explained<'x> {
    source: &'x str,
    statement: &'x Statement<'x>,
    types: &'x [Oid],
    values: &'x [Datum<'x>],
}

/// What an execution has shown.
#[derive(Default)]
struct Ran {
    counters: Vec<NodeCounters>,
    bytes: u64,
    serialize_ms: f64,
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// The settings that planning depends on.
const PLANNING: [&str; 9] = [
    "cursor_tuple_fraction",
    "effective_cache_size",
    "from_collapse_limit",
    "join_collapse_limit",
    "plan_cache_mode",
    "random_page_cost",
    "search_path",
    "seq_page_cost",
    "work_mem",
];

impl Backend {
    pub(crate) fn explain(
        &self,
        source: &str,
        statement: &ExplainStmt<'_>,
        bound: Bound<'_>,
        destination: &mut dyn Destination,
    ) -> Result<()> {
        let options = Options::read(statement.options, source)?;
        let query = match statement.query {
            Statement::CreateTableAs(create) => {
                if options.analyze {
                    return Err(Error::unsupported(
                        "EXPLAIN ANALYZE of CREATE TABLE AS is not supported yet",
                    ));
                }
                create.query
            }
            Statement::DeclareCursor(declare) => declare.query,
            query => query,
        };
        let rows = match query {
            Statement::Execute(execute) => self.explain_execute(source, execute, options)?,
            query if query.has_query_tree() => {
                let (types, values) = (bound.types, bound.values.values());
                self.explain_query(&Explained { source, statement: query, types, values }, options)?
            }
            other => {
                return Err(Error::unsupported(format!(
                    "EXPLAIN of {} is not supported yet",
                    other.command_tag()
                )));
            }
        };
        for row in rows {
            if destination.demand()? == 0 {
                break;
            }
            destination.row(&[Datum::Text(&row)])?;
        }
        Ok(())
    }

    fn explain_execute(
        &self,
        source: &str,
        execute: &parse::ExecuteStmt<'_>,
        options: Options,
    ) -> Result<Vec<String>> {
        let name = execute.name;
        let prepared = self.state.prepared_statements();
        let Some(prepared) = prepared.into_iter().find(|one| *one.name == *name) else {
            return Err(err!(
                INVALID_SQL_STATEMENT_NAME,
                "prepared statement \"{name}\" does not exist"
            ));
        };
        if execute.params.len() != prepared.parameters.len() {
            let error =
                err!(SYNTAX_ERROR, "wrong number of parameters for prepared statement \"{name}\"");
            return Err(error.detail(format!(
                "Expected {} parameters but got {}.",
                prepared.parameters.len(),
                execute.params.len()
            )));
        }
        let values = self.evaluate_parameters(source, execute.params, &prepared.parameters)?;
        let text: &str = &prepared.source;
        let bump = Bump::new("prepared statement", self.state.account().clone());
        let statements = base::wait::on_thread_stack(|| parse::parse(&bump, text))?;
        let found = statements.iter().find_map(|raw| match raw.statement {
            Statement::Prepare(prepare) if prepare.name == name => Some(prepare.query),
            _ => None,
        });
        let statement = match (found, statements) {
            (Some(query), _) => query,
            (None, [only]) => &only.statement,
            _ => return Err(Error::internal("a prepared statement that its text does not have")),
        };
        let types = &prepared.parameters;
        self.explain_query(
            &Explained { source: text, statement, types, values: values.values() },
            options,
        )
    }

    fn explain_query(&self, what: &Explained<'_>, options: Options) -> Result<Vec<String>> {
        let account = self.state.account().child(Level::Operator, "planning", u64::MAX);
        let begin = Instant::now();
        let trees = Bump::new("bound tree", account.clone());
        let bump = Bump::new("explained plan", account.clone());
        let mut parameters = match (options.generic_plan, what.types) {
            (true, types) => analyze::Parameters::inferred(types.to_vec()),
            (false, []) => analyze::Parameters::none(),
            (false, types) => analyze::Parameters::fixed(types.to_vec()),
        };
        let query = analyze::analyze(&trees, self, what.source, what.statement, &mut parameters)?;
        let count = u16::try_from(parameters.types().len()).map_err(|_| {
            err!(PROGRAM_LIMIT_EXCEEDED, "a statement can have at most 65535 parameters")
        })?;
        let (plan, descriptions, notes) = plan::plan_noted(&bump, &trees, self, query, count)?;
        let planning_ms = milliseconds(begin);
        if let Some(error) = self.denial(&analyze::access(&self.catalog, query)?)? {
            return Err(error);
        }
        let memory = (account.node().reserved(), account.node().peak());
        let begin = Instant::now();
        let ran = match options.analyze {
            true => {
                self.refuse_changes(&plan, what.statement.command_tag())?;
                self.run_explained(&plan, &descriptions, what.values, options)?
            }
            false => Ran::default(),
        };
        let execution_ms = milliseconds(begin);
        let serialized = options.serialize != Serialize::None;
        let measured = Measured {
            settings: options.settings.then(|| self.changed_settings()),
            query_id: self.shown_query_id(query, options),
            memory: options.memory.then_some(memory),
            planning_ms: options.summary.then_some(planning_ms),
            serialization: serialized
                .then_some((options.timing.then_some(ran.serialize_ms), ran.bytes)),
            execution_ms: (options.summary && options.analyze).then_some(execution_ms),
        };
        let values =
            trees.try_alloc_slice(what.values.iter().map(|value| value.copy_to(&&trees)))?;
        let source = Source {
            env: self,
            plan: &plan,
            descriptions: &descriptions,
            notes: &notes,
            bump: &trees,
            parameters: if options.generic_plan { &[] } else { values },
            counters: &ran.counters,
        };
        explain::rows(&source, options, measured)
    }

    /// Runs a plan and counts; its rows go nowhere.
    fn run_explained(
        &self,
        plan: &plan::Plan<'_>,
        descriptions: &plan::Descriptions,
        values: &[Datum<'_>],
        options: Options,
    ) -> Result<Ran> {
        self.with_events(|| {
            for relation in plan.relations {
                analyze::Environment::lock_relation(self, relation.oid, relation.lock_mode)?;
            }
            let storage = StatementStorage::new(self)?;
            self.wait_at_start()?;
            let account = self.state.account();
            let mut execution =
                Execution::new(plan, descriptions, self, &storage, account, values)?;
            execution.instrument(options.timing);
            let mut ran = Ran::default();
            {
                let mut root = execution.root()?;
                while let Some(batch) = root.next(&execution, base::limits::BATCH_ROWS_MAX)? {
                    if options.serialize == Serialize::None {
                        continue;
                    }
                    let begin = Instant::now();
                    for (column, shown) in batch.columns().iter().zip(plan.columns) {
                        for at in batch.rows() {
                            let value = column.get(at);
                            if !value.is_null() {
                                let io = self.value_io();
                                let text = io.output_string(shown.ty.oid.0, &value)?;
                                ran.bytes += text.len() as u64 + 4;
                            }
                        }
                    }
                    ran.serialize_ms += milliseconds(begin);
                }
            }
            ran.counters = execution.counters();
            drop(execution);
            storage.transaction.next_command()?;
            Ok(ran)
        })
    }

    /// The number of a query for VERBOSE, unless it is to be kept out of tests' results.
    fn shown_query_id(&self, query: &analyze::tree::Query<'_>, options: Options) -> Option<i64> {
        let shown = options.verbose && self.state.settings().text("compute_query_id") == "on";
        shown.then(|| self.query_id(|| deparse::normalised(self, query))).flatten()
    }

    fn changed_settings(&self) -> Vec<(String, String)> {
        let rows = expr::server::Server::settings(self);
        let changed = rows.into_iter().filter(|row| {
            let named = PLANNING.contains(&row.name.as_str()) || row.name.starts_with("enable_");
            named && row.source != "default" && row.value != row.boot
        });
        let shown = |row: expr::server::SettingRow| {
            let value = self.state.show(&row.name).unwrap_or(row.value);
            (row.name, value)
        };
        changed.map(shown).collect()
    }
}
