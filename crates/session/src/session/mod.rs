//! The protocol's state machine: one client's messages, one by one.

mod control;
mod cursor;
mod extended;
mod given;
mod logged;
pub(crate) mod set;
mod simple;

pub(crate) use given::Given;

use crate::client::{Client, Guarded, SEND_BYTES};
use crate::cluster::{Cluster, SessionEntry};
use crate::engine::{Backend, Completion, Isolation, Modes, Parameters, Plan, ResultColumn};
use crate::portal::Portal;
use crate::row::{ColumnFormats, ToClient};
use crate::settings::{Settings, Source, Value};
use crate::state::State;
use crate::statement::{Claim, Prepared};
use crate::transaction::Transaction;

use base::interrupt::Interrupt;
use base::{Error, Result, Severity, check_for_interrupts};
use memory::{Bump, SharedAccount};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use types::text::from_client as utf8;
use wire::Message;
use wire::backend::{self, TransactionStatus};

/// Who opened the session, and where.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The role.
    pub user: String,
    /// Whether it is a superuser.
    pub superuser: bool,
    /// The database.
    pub database: String,
    /// The other parameters of the startup packet.
    pub options: Vec<(String, String)>,
}

/// Whether the session goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// It does.
    Continue,
    /// The client left, or an error ended it; everything is in the output.
    End,
}

/// One client's session.
pub struct Session {
    state: Rc<State>,
    backend: Rc<dyn Backend>,
    // Before the transaction in drop order: a cursor's statement ends before its transaction.
    portals: Vec<Portal>,
    transaction: Transaction,
    statements: Vec<(Box<str>, Arc<Prepared>)>,
    unnamed: Option<Arc<Prepared>>,
    skip_to_sync: bool,
    /// How often it has run something that may have changed the catalogs.
    runs: u64,
    /// Whether a statement has run since the last Sync.
    in_pipeline: bool,
    /// Whether the log has the statement of the message already.
    statement_logged: bool,
    /// Whether the timer of `statement_timeout` runs.
    statement_timed: bool,
    /// The transaction that the timer of `transaction_timeout` was set for.
    timed_transaction: Option<u64>,
    /// Whether ReadyForQuery was the last answer: only then the session is idle.
    told_ready: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("id", &self.state.entry().id).finish_non_exhaustive()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.state.cluster().leave(self.state.entry().id);
    }
}

/// Takes the session out of the cluster if it does not get as far as being one.
struct Entering(Option<(Arc<Cluster>, base::SessionId)>);

impl Drop for Entering {
    fn drop(&mut self) {
        if let Some((cluster, id)) = self.0.take() {
            cluster.leave(id);
        }
    }
}

impl Session {
    /// A session of an authenticated user. Writes what a client gets before its first query.
    ///
    /// # Errors
    /// Those of the options that the client gave.
    pub fn start(
        cluster: Arc<Cluster>,
        entry: Arc<SessionEntry>,
        identity: Identity,
        out: &mut Vec<u8>,
    ) -> Result<Session> {
        let mut entering = Entering(Some((cluster.clone(), entry.id)));
        let mut settings = Settings::new(cluster.settings());
        settings.set_superuser(identity.superuser);
        settings.force("session_authorization", Value::Text(identity.user.as_str().into()));
        let roles = start_settings(&cluster, &identity, &mut settings)?;
        let modes =
            Modes { isolation: Isolation::ReadCommitted, read_only: false, deferrable: false };
        let state = State::new(cluster.clone(), entry.clone(), identity, settings, modes);
        let backend = cluster.engine().open(&state)?;
        let mut transaction = Transaction::new(state.clone(), backend.clone());
        if !roles.is_empty() {
            transaction.start()?;
            become_at_start(&state, &*backend, roles)?;
            transaction.end_implicit()?;
        }
        state.flush_notices(out);
        state.settings_mut().report_all(|name, value| backend::parameter_status(out, name, value));
        backend.before_sending()?;
        backend::backend_key_data(out, entry.id.0, &entry.cancel_key);
        backend::ready_for_query(out, TransactionStatus::Idle);
        state.rests(TransactionStatus::Idle);
        entering.0 = None;
        Ok(Session {
            transaction,
            state,
            backend,
            portals: Vec::new(),
            statements: Vec::new(),
            unnamed: None,
            skip_to_sync: false,
            runs: 0,
            in_pipeline: false,
            statement_logged: false,
            statement_timed: false,
            timed_transaction: None,
            told_ready: true,
        })
    }

    /// Writes an error to the log that ends the session between two statements.
    pub fn log(&self, error: &Error) {
        self.state.log(error.fields().severity.into(), error, None);
    }

    /// How the session is interrupted.
    pub fn entry(&self) -> &Arc<SessionEntry> {
        self.state.entry()
    }

    /// Its settings.
    pub fn settings(&self) -> std::cell::Ref<'_, Settings> {
        self.state.settings()
    }

    /// A number that is another one after every change of its settings.
    pub fn settings_generation(&self) -> u64 {
        self.state.settings().generation()
    }

    /// Who opened it.
    pub fn identity(&self) -> &Identity {
        self.state.identity()
    }

    /// How long the session may wait for its client now, and what to raise then.
    pub fn idle_limit(&self) -> Option<(Interrupt, Duration)> {
        if !self.told_ready {
            return None;
        }
        let frequent = self.state.frequent();
        let (limit, interrupt) = match self.transaction.status() {
            TransactionStatus::Idle => {
                (frequent.idle_session_timeout_ms, Interrupt::IdleSessionTimeout)
            }
            _ => (frequent.idle_in_transaction_timeout_ms, Interrupt::IdleInTransactionTimeout),
        };
        (limit > 0).then(|| (interrupt, Duration::from_millis(limit)))
    }

    /// Whether a transaction block is open.
    pub fn is_in_block(&self) -> bool {
        self.transaction.status() != TransactionStatus::Idle
    }

    /// Whether the session can go to another thread now: see [`crate::Parked`].
    pub fn can_park(&self) -> bool {
        self.portals.is_empty()
            && self.transaction.is_over()
            && self.told_ready
            && self.state.open_cursors().is_empty()
    }

    /// Whether nobody else holds what the session's parts share: the state is also the backend's
    /// and the transaction's, and the backend also the transaction's.
    pub(crate) fn owns_its_parts(&self) -> bool {
        Rc::strong_count(&self.state) == 3 && Rc::strong_count(&self.backend) == 2
    }

    /// Whether a notification waits that may be sent now.
    pub fn has_notifications(&self) -> bool {
        self.state.entry().inbox.has_some() && self.transaction.status() == TransactionStatus::Idle
    }

    /// Writes notifications that wait, as many as one portion of answers holds.
    pub fn send_notifications(&self, out: &mut Vec<u8>) {
        let inbox = &self.state.entry().inbox;
        while inbox.has_some() && out.len() < SEND_BYTES {
            let Some(one) = inbox.take() else { return };
            backend::notification_response(out, one.sender.0, &one.channel, &one.payload);
        }
    }

    /// Waits until the answers that are in the output may be sent: whoever takes them from there
    /// calls this first. Runs on a fiber.
    ///
    /// # Errors
    /// PANIC: what the answers tell may be lost in a crash, and nobody may be told of it.
    pub fn before_sending(&self) -> Result<()> {
        self.backend.before_sending()
    }

    /// Answers one message. Runs on a fiber.
    pub fn handle(&mut self, message: Message<'_>, client: &mut dyn Client) -> Flow {
        let backend = self.backend.clone();
        self.handle_guarded(message, &mut Guarded { client, backend: &*backend })
    }

    fn handle_guarded(&mut self, message: Message<'_>, client: &mut dyn Client) -> Flow {
        self.told_ready = false;
        match message {
            Message::Terminate => return Flow::End,
            Message::Sync => return self.sync(client),
            _ if self.skip_to_sync => return Flow::Continue,
            // What is left of a COPY that has failed.
            Message::CopyData(_) | Message::CopyDone | Message::CopyFail(_) => {
                return Flow::Continue;
            }
            Message::Query(text) => return self.simple_query(text, client),
            Message::FunctionCall(_) => return self.function_call(client),
            _ => {}
        }
        self.begin_message(client);
        let result = match &message {
            Message::Parse(parse) => self.parse(parse, client),
            Message::Bind(bind) => self.bind(bind, client),
            Message::Describe(target) => self.describe(*target, client),
            Message::Execute { portal, rows_max } => self.execute(portal, *rows_max, client),
            Message::Close(target) => self.close(*target, client),
            Message::Flush => client.send(),
            Message::Password(_) => Err(wire::violation("unexpected password message")),
            _ => Ok(()),
        };
        self.end_message(client);
        match result {
            Ok(()) => {
                self.log_time_of(&message);
                Flow::Continue
            }
            Err(error) => {
                self.skip_to_sync = true;
                let statement = self.text_of(&message);
                self.report(error, statement.as_deref(), client)
            }
        }
    }

    /// A message of a kind came that there was no memory for, and was passed over.
    pub fn refuse(&mut self, kind: u8, error: Error, client: &mut dyn Client) -> Flow {
        // The last are the rest of a COPY that has failed.
        self.told_ready = false;
        if self.skip_to_sync || matches!(kind, b'd' | b'c' | b'f') {
            return Flow::Continue;
        }
        let is_query = matches!(kind, b'Q' | b'F');
        self.skip_to_sync = !is_query;
        self.begin_message(client);
        self.end_message(client);
        let flow = self.report(error, None, client);
        if is_query && flow == Flow::Continue {
            self.ready(client);
        }
        flow
    }

    /// What others charge for the session.
    pub fn account(&self) -> SharedAccount {
        self.state.account().shared()
    }

    /// Ends the session: rolls back what is open and drops what is temporary. Runs on a fiber.
    pub fn end(mut self) {
        self.portals.clear();
        let ended = self.transaction.abandon().and_then(|()| self.backend.end());
        if let Err(error) = ended {
            self.log(&error);
        }
    }

    fn sync(&mut self, client: &mut dyn Client) -> Flow {
        self.skip_to_sync = false;
        self.in_pipeline = false;
        self.begin_message(client);
        let result = self.end_implicit(client);
        self.end_message(client);
        if let Err(error) = result
            && self.report(error, None, client) == Flow::End
        {
            return Flow::End;
        }
        self.ready(client);
        Flow::Continue
    }

    fn ready(&mut self, client: &mut dyn Client) {
        self.backend.settings_changed();
        let out = client.out();
        self.state.flush_notices(out);
        self.state
            .settings_mut()
            .report_changes(|name, value| backend::parameter_status(out, name, value));
        if self.transaction.status() == TransactionStatus::Idle {
            self.send_notifications(out);
        }
        backend::ready_for_query(out, self.transaction.status());
        self.told_ready = true;
        self.time_transaction(false, client);
        self.state.rests(self.transaction.status());
        if self.transaction.status() == TransactionStatus::Idle {
            self.state.follow_reload();
            self.state.account().settle();
        }
    }

    /// Where a statement's text is parsed to. May wait for memory.
    fn message_context(&self) -> Result<Bump> {
        self.backend.wait_for_memory()?;
        Ok(Bump::new("MessageContext", self.state.account().clone()))
    }

    fn begin_message(&mut self, client: &mut dyn Client) {
        self.statement_logged = false;
        if self.transaction.status() == TransactionStatus::Idle {
            self.state.draw_sample();
            self.state.entry().interrupts.clear_transaction();
        }
        // A clock of its own for each message: `now()` must not move within a statement.
        self.state.begin_statement(base::clock::now_us());
        self.state.entry().interrupts.clear_statement();
        self.time_statement(client);
        self.time_transaction(true, client);
    }

    /// The clock of `statement_timeout` begins anew.
    fn time_statement(&mut self, client: &mut dyn Client) {
        let limit = self.state.frequent().statement_timeout_ms;
        let after = (limit > 0).then(|| Duration::from_millis(limit));
        if after.is_some() || self.statement_timed {
            client.set_timer(Interrupt::StatementTimeout, after);
        }
        self.statement_timed = after.is_some();
    }

    /// The clock of `transaction_timeout` counts from a transaction's beginning, or from the end of
    /// the statement that set it. `begins`: what follows begins a transaction if there is none.
    fn time_transaction(&mut self, begins: bool, client: &mut dyn Client) {
        let limit = self.state.frequent().transaction_timeout_ms;
        if limit == 0 && self.timed_transaction.is_none() {
            return;
        }
        let timed = self.transaction.number(begins).filter(|_| limit > 0);
        if timed != self.timed_transaction {
            let after = timed.map(|_| Duration::from_millis(limit));
            client.set_timer(Interrupt::TransactionTimeout, after);
            // What was raised is about a transaction that is over.
            self.state.entry().interrupts.clear(Interrupt::TransactionTimeout);
            self.timed_transaction = timed;
        }
    }

    /// `statement_timeout` ends with the statement: what its transaction does to end is not timed.
    fn end_statement(&mut self, client: &mut dyn Client) {
        // The statement may have changed the setting.
        if std::mem::take(&mut self.statement_timed) {
            client.set_timer(Interrupt::StatementTimeout, None);
            self.state.entry().interrupts.clear(Interrupt::StatementTimeout);
        }
    }

    fn end_message(&mut self, client: &mut dyn Client) {
        self.end_statement(client);
        self.time_transaction(false, client);
    }

    /// Undoes what a failed statement did and tells the client.
    fn report(&mut self, error: Error, statement: Option<&str>, client: &mut dyn Client) -> Flow {
        // What a failed block still has are portals from before its savepoint.
        if !self.transaction.is_failed() {
            self.drop_portals_of_failed();
        }
        let undone = self.transaction.fail();
        if self.timed_transaction.is_some() {
            // An error ends the transaction's clock, whether or not the transaction goes on.
            client.set_timer(Interrupt::TransactionTimeout, None);
        }
        let error = if self.state.frequent().exit_on_error { error.fatal() } else { error };
        crate::throughput::note_error();
        let out = client.out();
        self.state.flush_notices(out);
        self.state.log(error.fields().severity.into(), &error, statement);
        backend::error_response(out, &error);
        if let Err(undo_error) = undone {
            self.state.log(undo_error.fields().severity.into(), &undo_error, statement);
            backend::error_response(out, &undo_error.fatal());
            return Flow::End;
        }
        if error.fields().severity == Severity::Error { Flow::Continue } else { Flow::End }
    }

    /// Fails unless the transaction block takes statements.
    fn check_block(&self, ends_block: bool) -> Result<()> {
        if self.transaction.is_failed() && !ends_block {
            base::bail!(
                IN_FAILED_SQL_TRANSACTION,
                "current transaction is aborted, commands ignored until end of transaction block"
            );
        }
        Ok(())
    }

    /// Waits while too many wait for rows already, if a statement makes others wait for its own.
    fn enter(&self, claim: Claim) -> Result<()> {
        match claim {
            Claim::Nothing => Ok(()),
            Claim::NewRows if !self.transaction.in_any_block() => Ok(()),
            _ => self.backend.enter(),
        }
    }

    fn end_implicit(&mut self, client: &mut dyn Client) -> Result<()> {
        if !self.transaction.in_block() && !self.transaction.is_failed() {
            self.end_statement(client);
            self.before_commit()?;
            self.transaction.end_implicit()?;
        }
        Ok(())
    }

    /// Runs a plan to its end and sends its rows.
    fn run_plan(
        &mut self,
        plan: &dyn Plan,
        parameters: &Parameters,
        columns: &[ResultColumn],
        formats: &ColumnFormats,
        client: &mut dyn Client,
    ) -> Result<Completion> {
        self.before_plan(plan)?;
        let backend = self.backend.clone();
        let state = self.state.clone();
        let mut destination =
            ToClient { client, state: &state, io: backend.io(), columns, formats };
        backend.run(plan, parameters, &mut destination)
    }

    /// What a plan asks of the transaction before it runs.
    fn before_plan(&mut self, plan: &dyn Plan) -> Result<()> {
        check_for_interrupts()?;
        if let Some(what) = plan.outside_block_only() {
            self.transaction.prevent_in_block(what)?;
        }
        if plan.tag() == "LOCK TABLE" {
            self.transaction.require_block("LOCK TABLE")?;
        }
        if plan.tag() == "SET CONSTRAINTS" && !self.transaction.in_any_block() {
            self.state.warning(base::err!(
                NO_ACTIVE_SQL_TRANSACTION,
                "SET CONSTRAINTS can only be used in transaction blocks"
            ));
        }
        self.state.set_command(plan.tag());
        self.transaction.note_query();
        Ok(())
    }
}

/// Writes CommandComplete.
fn complete(out: &mut Vec<u8>, completion: &Completion) {
    match completion.rows {
        Some(rows) => backend::command_complete_rows(out, &completion.tag, rows),
        None => backend::command_complete(out, &completion.tag),
    }
}

/// A value of `role` or `session_authorization` that the session is to begin with.
type StartRole = (&'static str, String, Source);

/// Applies what the catalogs and the client set for the session's start, but for roles: whether the
/// session may be one can be asked only when it has a backend.
fn start_settings(
    cluster: &Cluster,
    identity: &Identity,
    settings: &mut Settings,
) -> Result<Vec<StartRole>> {
    let role_name = |name: &str| {
        ["role", "session_authorization"].into_iter().find(|one| one.eq_ignore_ascii_case(name))
    };
    let (mut from_client, mut from_catalog) = (Vec::new(), Vec::new());
    for (name, value, source) in
        cluster.engine().start_settings(&identity.user, &identity.database)?
    {
        match role_name(&name) {
            Some(role) => from_catalog.push((role, value, source)),
            // What does not fit any more keeps nobody out.
            None => {
                let _ = settings.set_from_catalog(&name, &value, source);
            }
        }
    }
    let mut set = |name: &str, value: &str| match role_name(name) {
        Some(role) => {
            from_client.push((role, value.to_owned(), Source::Client));
            Ok(())
        }
        None => settings.set_at_start(name, value, Source::Client),
    };
    for (name, value) in &identity.options {
        if name == "options" {
            for (name, value) in command_line(value)? {
                set(&name, &value)?;
            }
        } else if name == "replication" {
            if crate::settings::lookup("replication").is_none() && value != "false" {
                return Err(Error::unsupported("replication is not supported yet"));
            }
        } else {
            set(name, value)?;
        }
    }
    from_client.extend(from_catalog);
    Ok(from_client)
}

/// Makes the session the role that it is to begin as. What the client asked for in vain ends the
/// session; what the catalogs say in vain is a warning. Who logged in stays who the session is of:
/// `session_authorization` is checked only.
fn become_at_start(state: &State, backend: &dyn Backend, roles: Vec<StartRole>) -> Result<()> {
    for (name, value, source) in roles {
        let authorization = name == "session_authorization";
        let checked = match authorization || value != "none" {
            true => backend.check_identity(authorization, &value),
            false => Ok(()),
        };
        match checked {
            Ok(()) if authorization => {}
            Ok(()) => state.settings_mut().set_from_catalog(name, &value, source)?,
            Err(error) if source == Source::Client => return Err(error),
            Err(error) => state.warning(error),
        }
    }
    backend.settings_changed();
    Ok(())
}

/// The settings in the startup packet's `options`: `-c name=value` and `--name=value`, blanks
/// escaped by a backslash.
fn command_line(text: &str) -> Result<Vec<(String, String)>> {
    let mut words = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => words.last_mut().into_iter().for_each(|word| word.extend(chars.next())),
            c if c.is_whitespace() => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = if word == "-c" {
            words.next()
        } else {
            word.strip_prefix("-c").or_else(|| word.strip_prefix("--")).map(str::to_owned)
        };
        let Some(setting) = setting else {
            base::bail!(SYNTAX_ERROR, "invalid command-line argument for server process: {word}");
        };
        let Some((name, value)) = setting.split_once('=') else {
            base::bail!(SYNTAX_ERROR, "--{setting} requires a value");
        };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}
