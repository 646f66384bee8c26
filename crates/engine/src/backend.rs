//! One session's side of the engine.

use crate::cluster::ClusterEngine;
use crate::environment::{Environments, cost_settings};
use crate::identity::Identity;
use crate::planned::Planned;
use crate::referential::Referential;
use crate::sequence::SessionSequences;
use crate::statistics::Counters;
use crate::storage::{Opened, Uses};
use crate::temporary::Temporary;
use crate::transaction::Open;
use crate::type_host::KeptChecks;
use base::{Error, Oid, Result};
use catalog::Catalog;
use catalog::store::TreeStore;
use disk::temporary::TemporarySpace;
use parse::{Expression, Statement};
use session::State;
use session::engine::{Completion, Destination, Modes, ParameterMode, Parameters, Plan};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use txn::Owner;
use types::Io;

/// A session, as the engine sees it.
pub(crate) struct Backend {
    pub(crate) engine: Arc<ClusterEngine>,
    pub(crate) state: Rc<State>,
    pub(crate) store: Rc<TreeStore>,
    pub(crate) catalog: Catalog,
    pub(crate) owner: Arc<Owner>,
    pub(crate) open: RefCell<Open>,
    pub(crate) sequences: SessionSequences,
    pub(crate) temporary: Temporary,
    pub(crate) domain_checks: KeptChecks,
    environments: Environments,
    pub(crate) referential: Referential,
    pub(crate) identity: Identity,
    pub(crate) uses: Uses,
    pub(crate) opened: Opened,
    /// The settings that plans cost by.
    pub(crate) costs: Cell<plan::CostSettings>,
    pub(crate) temporary_files: Rc<TemporarySpace>,
    /// Those of the session's database.
    pub(crate) counters: Arc<Counters>,
    pub(crate) limits: Cell<execute::Limits>,
    path: RefCell<Box<str>>,
    /// How often `search_path` has changed: plans depend on it.
    pub(crate) path_changes: Cell<u64>,
    /// The last time that [`expr::Host::ascending_us`] told.
    pub(crate) last_us: Cell<i64>,
    /// The generation of the settings that search path and environment are of.
    generation: Cell<Option<u64>>,
}

impl Backend {
    /// The engine's side of a session that begins.
    pub(crate) fn begin_session(
        engine: Arc<ClusterEngine>,
        state: Rc<State>,
        store: Rc<TreeStore>,
        catalog: Catalog,
    ) -> Rc<Backend> {
        let pid = state.entry().id;
        let owner = engine.storage.transactions().register(pid, catalog.database());
        let env = state.settings().io_env(0);
        let counters = engine.database_activity.of(catalog.database());
        counters.session();
        let temporary_files = crate::temporary_files::space(&engine, &state, counters.clone());
        let limits = crate::temporary_files::limits(&state.settings());
        Rc::new(Backend {
            temporary_files,
            counters,
            limits: Cell::new(limits),
            engine,
            store,
            owner,
            open: RefCell::default(),
            sequences: SessionSequences::default(),
            temporary: Temporary::default(),
            domain_checks: KeptChecks::default(),
            environments: Environments::new(env),
            referential: Referential::default(),
            identity: Identity::new(&state.identity().user, catalog.user()),
            uses: Uses::default(),
            opened: Opened::default(),
            costs: Cell::default(),
            path: RefCell::default(),
            path_changes: Cell::new(0),
            last_us: Cell::new(i64::MIN),
            generation: Cell::new(None),
            catalog,
            state,
        })
    }

    /// What a statement begins with: the settings as they are now.
    pub(crate) fn refresh(&self) {
        self.follow_identity();
        let settings = self.state.settings();
        if self.generation.replace(Some(settings.generation())) != Some(settings.generation()) {
            self.catalog.set_search_path(settings.search_path());
            let path = settings.text("search_path");
            if **self.path.borrow() != *path {
                *self.path.borrow_mut() = path.into();
                self.path_changes.set(self.path_changes.get() + 1);
            }
            self.environments.set(settings.io_env(0));
            self.costs.set(cost_settings(&settings));
            let ms = |name| u64::try_from(settings.integer(name)).unwrap_or(0);
            self.temporary_files.set_limit(crate::temporary_files::limit_bytes(&settings));
            self.limits.set(crate::temporary_files::limits(&settings));
            self.owner.set_lock_timeout_ms(ms("lock_timeout"));
            self.owner.set_deadlock_timeout_ms(ms("deadlock_timeout"));
        }
        self.environments.latest().now_us.set(self.state.transaction_start_us());
    }

    pub(crate) fn value_io(&self) -> Io<'_> {
        Io::new(self.environments.latest(), self)
    }
}

impl session::engine::Backend for Backend {
    fn sharing(&self) -> Option<String> {
        let catalog = &self.catalog;
        let alone = catalog.has_own_changes() || catalog.temporary_namespace().is_valid();
        (!alone).then(|| format!("{} {}\n", catalog.database().0, catalog.user().0))
    }

    fn wait_for_memory(&self) -> Result<()> {
        self.wait_at_start()
    }

    fn temporary_space(&self) -> Rc<TemporarySpace> {
        self.temporary_files.clone()
    }

    fn begin(&self, modes: Modes) -> Result<()> {
        self.begin_transaction(modes)
    }

    fn enter(&self) -> Result<()> {
        self.engine.storage.transactions().locks().enter(&self.owner)
    }

    fn set_modes(&self, modes: Modes) -> Result<()> {
        self.change_modes(modes)
    }

    fn commit(&self) -> Result<()> {
        self.commit_transaction()
    }

    fn import_snapshot(&self, name: &str) -> Result<()> {
        self.import_transaction_snapshot(name)
    }

    fn prepare(&self, name: &str) -> Result<()> {
        self.prepare_transaction(name)
    }

    fn finish_prepared(&self, name: &str, commit: bool) -> Result<()> {
        self.finish_prepared_transaction(name, commit)
    }

    fn rollback(&self) -> Result<()> {
        self.rollback_transaction()
    }

    fn savepoint(&self) -> Result<()> {
        self.set_savepoint()
    }

    fn release(&self) -> Result<()> {
        self.release_savepoint()
    }

    fn rollback_to(&self) -> Result<()> {
        self.rollback_to_savepoint()
    }

    fn discard(&self, target: parse::DiscardTarget) -> Result<()> {
        if matches!(target, parse::DiscardTarget::All | parse::DiscardTarget::Sequences) {
            self.discard_sequences();
        }
        if matches!(target, parse::DiscardTarget::All | parse::DiscardTarget::Temp) {
            self.discard_temporary()?;
        }
        if target == parse::DiscardTarget::All {
            expr::server::Server::advisory_unlock_all(self);
        }
        Ok(())
    }

    fn end(&self) -> Result<()> {
        self.end_temporary()
    }

    fn plan(
        &self,
        source: &str,
        statement: &Statement<'_>,
        types: &[Oid],
        parameters: ParameterMode,
    ) -> Result<Arc<dyn Plan>> {
        self.refresh();
        Ok(Arc::new(self.plan_statement(source, statement, types, parameters)?))
    }

    fn plan_cursor(
        &self,
        source: &str,
        query: &Statement<'_>,
        types: &[Oid],
    ) -> Result<Arc<dyn Plan>> {
        self.refresh();
        Ok(Arc::new(self.plan_cursor_query(source, query, types)?))
    }

    fn resolve_types(&self, source: &str, names: &[parse::TypeName<'_>]) -> Result<Vec<Oid>> {
        self.refresh();
        names.iter().map(|name| Ok(analyze::resolve_type(self, source, name)?.0)).collect()
    }

    fn evaluate(
        &self,
        source: &str,
        expressions: &[Expression<'_>],
        types: &[Oid],
    ) -> Result<Parameters> {
        self.refresh();
        self.evaluate_parameters(source, expressions, types)
    }

    fn run(
        &self,
        plan: &dyn Plan,
        parameters: &Parameters,
        destination: &mut dyn Destination,
    ) -> Result<Completion> {
        let plan: &Planned =
            plan.as_any().downcast_ref().ok_or_else(|| Error::internal("a foreign plan"))?;
        self.refresh();
        self.run_planned(plan, parameters, destination)
    }

    fn is_current(&self, plan: &dyn Plan) -> Result<bool> {
        self.refresh();
        plan.as_any().downcast_ref().map_or(Ok(false), |planned| self.is_fresh(planned))
    }

    fn check_identity(&self, authorization: bool, role: &str) -> Result<()> {
        self.check_becoming(authorization, role)
    }

    fn may_examine_settings(&self) -> bool {
        self.may_examine()
    }

    fn before_sending(&self) -> Result<()> {
        let transactions = self.engine.storage.transactions();
        transactions.wait_met(self.owner.met())?;
        transactions.wait_met(self.engine.trees.met())
    }

    fn settings_changed(&self) {
        self.follow_identity();
    }

    fn io(&self) -> Io<'_> {
        self.value_io()
    }
}
