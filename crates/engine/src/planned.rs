//! Planned statements.

use crate::backend::Backend;
use crate::cursor::{ForCursor, runs_backward};
use analyze::Parameters as ParameterTypes;
use base::{Error, Oid, Result};
use memory::{Bump, Frozen, SharedAccount};
use parse::{RawStatement, Statement};
use session::engine::{CursorMarks, ParameterMode, Plan, ResultColumn};
use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

type QueryPlan<'p> = plan::Plan<'p>;
memory::family!(pub(crate) Plans = QueryPlan);
memory::family!(pub(crate) Statements = RawStatement);

/// A statement that can be run again and again.
pub(crate) struct Planned {
    pub(crate) body: Body,
    parameters: Vec<Oid>,
    pub(crate) columns: Option<Vec<ResultColumn>>,
    tag: &'static str,
    /// What it was planned for; none if the transaction had catalog changes of its own.
    fits: Option<Fits>,
    /// Why the user may not run it.
    pub(crate) denied: Option<Box<Error>>,
    /// The number of the query without its constants.
    pub(crate) query_id: Option<i64>,
    /// What it knows when it was made for a cursor.
    pub(crate) cursor: Option<ForCursor>,
}

/// What a plan depends on: while it is the same, the plan fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fits {
    catalogs: (u64, u64),
    user: Oid,
    /// [`Backend::path_changes`]
    path: u64,
}

/// What running it takes.
pub(crate) enum Body {
    /// The executor.
    Query { plan: Frozen<Plans>, descriptions: plan::Descriptions },
    /// A command.
    Utility { source: Arc<str>, statement: Frozen<Statements> },
}

impl Plan for Planned {
    fn parameters(&self) -> &[Oid] {
        &self.parameters
    }

    fn columns(&self) -> Option<&[ResultColumn]> {
        self.columns.as_deref()
    }

    fn tag(&self) -> &'static str {
        self.tag
    }

    fn bytes(&self) -> u64 {
        let sealed = match &self.body {
            Body::Query { plan, .. } => plan.bytes(),
            Body::Utility { statement, .. } => statement.bytes(),
        };
        sealed + self.other_bytes()
    }

    fn charge_to(&self, account: &SharedAccount) -> bool {
        match &self.body {
            Body::Query { plan, .. } => plan.charge_to(account, self.other_bytes()),
            Body::Utility { statement, .. } => statement.charge_to(account, self.other_bytes()),
        }
    }

    fn is_portable(&self) -> bool {
        matches!(&self.body, Body::Query { plan, .. } if !plan.get().modifies)
    }

    fn runs_backward(&self) -> bool {
        matches!(&self.body, Body::Query { plan, .. } if runs_backward(plan.get().root))
    }

    fn marks(&self) -> Option<&CursorMarks> {
        self.cursor.as_ref()?.marks.as_ref()
    }

    fn locks(&self) -> Option<&'static str> {
        self.cursor.as_ref()?.locks
    }

    fn outside_block_only(&self) -> Option<&'static str> {
        match &self.body {
            Body::Utility { statement, .. } => match statement.get().statement {
                Statement::Vacuum(vacuum) if vacuum.vacuum => Some("VACUUM"),
                Statement::CreateDatabase(_) => Some("CREATE DATABASE"),
                Statement::DropDatabase(_) => Some("DROP DATABASE"),
                Statement::AlterSystem(_) => Some("ALTER SYSTEM"),
                Statement::CreateIndex(create) if create.concurrent => {
                    Some("CREATE INDEX CONCURRENTLY")
                }
                Statement::Drop(drop) if drop.concurrent => Some("DROP INDEX CONCURRENTLY"),
                Statement::Reindex(reindex) => reindex_outside_block(reindex),
                _ => None,
            },
            Body::Query { .. } => None,
        }
    }

    fn check(&self) -> Result<()> {
        self.permitted()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Planned {
    /// The bytes beside the sealed tree.
    fn other_bytes(&self) -> u64 {
        let columns = self.columns.iter().flatten();
        let columns = columns.map(|column| size_of::<ResultColumn>() + column.name.len());
        let described = match &self.body {
            Body::Query { descriptions, .. } => {
                (descriptions.relations.len() + descriptions.indexes.len()) * size_of::<usize>()
            }
            Body::Utility { source, .. } => source.len(),
        };
        let parameters = size_of_val(&*self.parameters);
        (size_of::<Planned>() + columns.sum::<usize>() + described + parameters) as u64
    }

    /// 42501 when the user may not run it.
    pub(crate) fn permitted(&self) -> Result<()> {
        match &self.denied {
            Some(error) => Err((**error).clone()),
            None => Ok(()),
        }
    }
}

/// What REINDEX is called when it must not be part of a transaction block.
fn reindex_outside_block(reindex: &parse::ReindexStmt<'_>) -> Option<&'static str> {
    use parse::{DefValue, ReindexTarget as Target};
    let concurrently = |option: &parse::DefElem<'_>| {
        option.name == "concurrently" && !matches!(option.value, Some(DefValue::Boolean(false)))
    };
    match reindex.target {
        _ if reindex.options.iter().any(concurrently) => Some("REINDEX CONCURRENTLY"),
        Target::Schema(_) => Some("REINDEX SCHEMA"),
        Target::System(_) => Some("REINDEX SYSTEM"),
        Target::Database(_) => Some("REINDEX DATABASE"),
        Target::Index(_) | Target::Table(_) => None,
    }
}

impl Backend {
    pub(crate) fn plan_statement(
        &self,
        source: &str,
        statement: &Statement<'_>,
        types: &[Oid],
        mode: ParameterMode,
    ) -> Result<Planned> {
        let makes_table =
            matches!(statement, Statement::Select(select) if select.leftmost_into().is_some());
        if !statement.has_query_tree() || makes_table {
            return self.plan_utility(source, statement, types, mode);
        }
        self.plan_query(source, statement, types, mode)
    }

    /// Plans a statement that has a query tree; its INTO is the caller's business.
    pub(crate) fn plan_query(
        &self,
        source: &str,
        statement: &Statement<'_>,
        types: &[Oid],
        mode: ParameterMode,
    ) -> Result<Planned> {
        self.wait_at_start()?;
        let fits = self.fits();
        let mut parameters = match mode {
            ParameterMode::None => ParameterTypes::none(),
            ParameterMode::Inferred => ParameterTypes::inferred(types.to_vec()),
        };
        let account = self.state.account();
        let trees = Bump::new("bound tree", account.clone());
        let query = analyze::analyze(&trees, self, source, statement, &mut parameters)?;
        let types = parameters.types().to_vec();
        self.plan_tree(fits, &trees, query, types, statement.command_tag())
    }

    /// Plans a bound query; `fits` was taken before it was bound.
    pub(crate) fn plan_tree<'q>(
        &self,
        fits: Option<Fits>,
        trees: &'q Bump,
        query: &'q analyze::tree::Query<'q>,
        parameters: Vec<Oid>,
        tag: &'static str,
    ) -> Result<Planned> {
        let account = self.state.account();
        let count = u16::try_from(parameters.len()).map_err(|_| {
            base::err!(PROGRAM_LIMIT_EXCEEDED, "a statement can have at most 65535 parameters")
        })?;
        let denied = self.denial(&analyze::access(&self.catalog, query)?)?.map(Box::new);
        let query_id = self.query_id(|| deparse::normalised(self, query));
        let mut descriptions = plan::Descriptions::default();
        let plan = Frozen::<Plans>::new("CachedPlan", account, |bump| {
            let (plan, described) = plan::plan(bump, trees, self, query, count)?;
            descriptions = described;
            Ok(plan)
        })?;
        let returns = !plan.get().columns.is_empty() || tag == "SELECT";
        let columns = returns.then(|| self.result_columns(plan.get())).transpose()?;
        let body = Body::Query { plan, descriptions };
        Ok(Planned { tag, parameters, columns, fits, denied, query_id, cursor: None, body })
    }

    /// The number of what `text` gives, if numbers are asked for: never 0. What cannot be shown has
    /// none.
    pub(crate) fn query_id(&self, text: impl FnOnce() -> Result<String>) -> Option<i64> {
        if !self.state.frequent().query_ids {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        text().ok()?.hash(&mut hasher);
        Some(hasher.finish().cast_signed()).map(|id| if id == 0 { 1 } else { id })
    }

    pub(crate) fn fits(&self) -> Option<Fits> {
        (!self.catalog.has_own_changes()).then(|| Fits {
            catalogs: self.catalog.generation(),
            user: self.catalog.user(),
            path: self.path_changes.get(),
        })
    }

    /// Whether a plan is still one of the catalogs as they are, its tables locked.
    ///
    /// # Errors
    /// Those of waiting for a lock.
    pub(crate) fn is_fresh(&self, planned: &Planned) -> Result<bool> {
        let Body::Query { plan, .. } = &planned.body else { return Ok(true) };
        for relation in plan.get().relations {
            analyze::Environment::lock_relation(self, relation.oid, relation.lock_mode)?;
        }
        let now = self.fits();
        Ok(now.is_some() && now == planned.fits)
    }

    fn result_columns(&self, plan: &plan::Plan<'_>) -> Result<Vec<ResultColumn>> {
        plan.columns
            .iter()
            .map(|column| {
                let (table, number) = column.origin.unwrap_or((Oid::INVALID, 0));
                // Clients are told what a domain is made of.
                let (type_oid, type_modifier) =
                    self.catalog.base_type(column.ty.oid, column.ty.typmod)?;
                let type_bytes = self.catalog.type_(type_oid)?.len;
                Ok(ResultColumn {
                    name: column.name.into(),
                    table,
                    number,
                    type_oid,
                    type_bytes,
                    type_modifier,
                })
            })
            .collect()
    }

    /// The types of the parameters of the query within a command; `types` are those known.
    fn utility_parameters(
        &self,
        source: &str,
        statement: &Statement<'_>,
        types: &[Oid],
    ) -> Result<Vec<Oid>> {
        let mut parameters = ParameterTypes::inferred(types.to_vec());
        let mut of_view = false;
        let inner = match statement {
            Statement::Explain(explain) => *explain.query,
            other => *other,
        };
        let query = match inner {
            Statement::CreateTableAs(create) => {
                of_view = create.materialized_view;
                *create.query
            }
            Statement::DeclareCursor(declare) => *declare.query,
            other => other,
        };
        if query.has_query_tree() {
            let trees = Bump::new("bound tree", self.state.account().clone());
            analyze::analyze(&trees, self, source, &query, &mut parameters)?;
            if of_view && parameters.types().len() > types.len() {
                base::bail!(
                    FEATURE_NOT_SUPPORTED,
                    "materialized views may not be defined using bound parameters"
                );
            }
        }
        Ok(parameters.types().to_vec())
    }

    /// A command keeps its own copy of its tree.
    fn plan_utility(
        &self,
        source: &str,
        statement: &Statement<'_>,
        types: &[Oid],
        mode: ParameterMode,
    ) -> Result<Planned> {
        // Locations are part of the text, so that equal texts are the same statement.
        let wanted = format!("{statement:?}");
        let statement_copy = Frozen::<Statements>::new("command", self.state.account(), |bump| {
            let statements = base::wait::on_thread_stack(|| parse::parse(bump, source))?;
            let found = statements.iter().find(|raw| format!("{:?}", raw.statement) == wanted);
            found.copied().ok_or_else(|| Error::internal("a statement that its text does not have"))
        })?;
        let tag = statement.command_tag();
        let columns = match statement {
            Statement::Explain(explain) => {
                let options = explain::Options::read(explain.options, source)?;
                let type_oid = Oid(explain::result_type(options.format));
                Some(vec![ResultColumn {
                    name: "QUERY PLAN".into(),
                    table: Oid::INVALID,
                    number: 0,
                    type_oid,
                    type_bytes: self.catalog.type_(type_oid)?.len,
                    type_modifier: -1,
                }])
            }
            _ => None,
        };
        let parameters = match mode {
            ParameterMode::None => Vec::new(),
            ParameterMode::Inferred => self.utility_parameters(source, statement, types)?,
        };
        Ok(Planned {
            tag,
            parameters,
            columns,
            fits: None,
            denied: None,
            query_id: self.query_id(|| Ok(wanted)),
            cursor: None,
            body: Body::Utility { source: source.into(), statement: statement_copy },
        })
    }
}
