//! What a session knows of itself, shared with its backend.

use crate::activity::PreparedStatement;
use crate::cluster::{Cluster, SessionEntry};
use crate::cursors::OpenCursor;
use crate::engine::{Isolation, Modes};
use crate::log::{About, Entry, Level, LogSettings, in_sample};
use crate::notification::Pending;
use crate::origin::Origin;
use crate::secret::without_passwords;
use crate::session::Identity;
use crate::settings::Settings;
use crate::statement::Prepared;
use base::{Error, Result};

use memory::Account;
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;
use wire::backend::{self, NoticeSeverity, TransactionStatus};

/// One session's state. Single-threaded: a session is on one worker at a time, and goes to another
/// only as a whole ([`crate::Parked`]).
#[derive(Debug)]
pub struct State {
    cluster: Arc<Cluster>,
    entry: Arc<SessionEntry>,
    identity: Identity,
    account: Account,
    settings: RefCell<Settings>,
    notices: RefCell<Vec<(NoticeSeverity, Error)>>,
    modes: Cell<Modes>,
    /// Microseconds since 2000-01-01 UTC.
    transaction_start_us: Cell<i64>,
    statement_start_us: Cell<i64>,
    /// [`Cluster::reloads`] as of the settings that these are based on.
    reloads: Cell<u64>,
    frequent: Cell<Option<Frequent>>,
    /// The generation of the settings whose `application_name` others see.
    application_seen: Cell<u64>,
    /// The entries that the session has written to the log.
    log_lines: Cell<u64>,
    /// Whether all statements of the transaction are logged.
    sampled: Cell<bool>,
    /// The tag of the command that runs.
    command: Cell<&'static str>,
    /// The prepared statements that have names, in order of their making.
    prepared: RefCell<Vec<PreparedStatement>>,
    /// The open portals; those of closed ones are dropped when the next is opened.
    cursors: RefCell<Vec<Weak<OpenCursor>>>,
    notifications: RefCell<Pending>,
}

/// The settings that every statement asks for, read once for each of their generations.
#[derive(Clone, Copy, Debug)]
pub struct Frequent {
    generation: u64,
    /// `statement_timeout`; 0: none.
    pub statement_timeout_ms: u64,
    /// `transaction_timeout`; 0: none.
    pub transaction_timeout_ms: u64,
    /// `idle_session_timeout`; 0: none.
    pub idle_session_timeout_ms: u64,
    /// `idle_in_transaction_session_timeout`; 0: none.
    pub idle_in_transaction_timeout_ms: u64,
    /// Whether `synchronous_commit` is not `off`.
    pub synchronous_commit: bool,
    /// How long a commit lets others join its flush, and how many others must run for that:
    /// `commit_delay` and `commit_siblings`.
    pub commit_delay: (Duration, usize),
    /// Whether `compute_query_id` asks for numbers of queries; `auto` does not, because nothing
    /// here needs them.
    pub query_ids: bool,
    /// The bytes of a statement that others see; nothing if they see no statements.
    pub(crate) query_bytes: Option<usize>,
    /// Whether every error ends the session: `exit_on_error`.
    pub(crate) exit_on_error: bool,
    /// What a transaction begins with.
    pub modes: Modes,
    pub(crate) log: LogSettings,
}

impl Frequent {
    fn read(settings: &Settings) -> Frequent {
        let isolation = Isolation::parse(settings.text("default_transaction_isolation"));
        let ms = |name| u64::try_from(settings.integer(name)).unwrap_or(0);
        Frequent {
            generation: settings.generation(),
            statement_timeout_ms: ms("statement_timeout"),
            transaction_timeout_ms: ms("transaction_timeout"),
            idle_session_timeout_ms: ms("idle_session_timeout"),
            idle_in_transaction_timeout_ms: ms("idle_in_transaction_session_timeout"),
            query_ids: matches!(settings.text("compute_query_id"), "on" | "regress"),
            query_bytes: settings.boolean("track_activities").then(|| {
                usize::try_from(settings.integer("track_activity_query_size")).unwrap_or(0)
            }),
            exit_on_error: settings.boolean("exit_on_error"),
            synchronous_commit: settings.text("synchronous_commit") != "off",
            commit_delay: (
                Duration::from_micros(ms("commit_delay")),
                usize::try_from(settings.integer("commit_siblings")).unwrap_or(0),
            ),
            modes: Modes {
                isolation: isolation.unwrap_or(Isolation::ReadCommitted),
                read_only: settings.boolean("default_transaction_read_only"),
                deferrable: settings.boolean("default_transaction_deferrable"),
            },
            log: LogSettings::read(settings),
        }
    }
}

impl State {
    /// The state of a superuser without a client: with the cluster's settings.
    pub fn alone(cluster: &Arc<Cluster>, identity: Identity) -> Rc<State> {
        let entry = cluster.enter(0, Origin::default());
        let mut settings = Settings::new(cluster.settings());
        settings.set_superuser(true);
        let isolation = Isolation::ReadCommitted;
        let modes = Modes { isolation, read_only: true, deferrable: false };
        State::new(cluster.clone(), entry, identity, settings, modes)
    }

    pub(crate) fn new(
        cluster: Arc<Cluster>,
        entry: Arc<SessionEntry>,
        identity: Identity,
        settings: Settings,
        modes: Modes,
    ) -> Rc<State> {
        let account = cluster.ledger().session(u64::from(entry.id.0), "session", u64::MAX);
        let notifications = Pending::new(
            cluster.channels().clone(),
            &identity.database,
            entry.clone(),
            account.shared(),
        );
        Rc::new(State {
            notifications: RefCell::new(notifications),
            cluster,
            entry,
            identity,
            account,
            settings: RefCell::new(settings),
            notices: RefCell::new(Vec::new()),
            modes: Cell::new(modes),
            transaction_start_us: Cell::new(0),
            statement_start_us: Cell::new(0),
            reloads: Cell::new(u64::MAX),
            frequent: Cell::new(None),
            application_seen: Cell::new(u64::MAX),
            log_lines: Cell::new(0),
            sampled: Cell::new(false),
            command: Cell::new("startup"),
            prepared: RefCell::default(),
            cursors: RefCell::default(),
        })
    }

    /// What all sessions share.
    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// How others see the session.
    pub fn entry(&self) -> &Arc<SessionEntry> {
        &self.entry
    }

    /// Who opened it.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the session's memory is charged to.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The settings. The borrow must not be held while waiting.
    pub fn settings(&self) -> Ref<'_, Settings> {
        self.settings.borrow()
    }

    /// The settings, to change. The borrow must not be held while waiting.
    pub fn settings_mut(&self) -> RefMut<'_, Settings> {
        self.settings.borrow_mut()
    }

    /// The settings that every statement asks for.
    pub fn frequent(&self) -> Frequent {
        let settings = self.settings.borrow();
        match self.frequent.get() {
            Some(frequent) if frequent.generation == settings.generation() => frequent,
            _ => {
                let frequent = Frequent::read(&settings);
                self.frequent.set(Some(frequent));
                frequent
            }
        }
    }

    /// The modes of the open transaction, or of the last one.
    pub fn modes(&self) -> Modes {
        self.modes.get()
    }

    pub(crate) fn set_modes(&self, modes: Modes) {
        self.modes.set(modes);
    }

    /// When the transaction began: `now()`.
    pub fn transaction_start_us(&self) -> i64 {
        self.transaction_start_us.get()
    }

    /// When the statement came: `statement_timestamp()`.
    pub fn statement_start_us(&self) -> i64 {
        self.statement_start_us.get()
    }

    /// The prepared statements that have names.
    pub fn prepared_statements(&self) -> Vec<PreparedStatement> {
        self.prepared.borrow().clone()
    }

    /// The open portals, in order of their making.
    pub fn open_cursors(&self) -> Vec<Rc<OpenCursor>> {
        self.cursors.borrow().iter().filter_map(Weak::upgrade).collect()
    }

    /// A portal was opened, and is so as long as somebody has the result.
    pub(crate) fn open_cursor(&self, cursor: OpenCursor) -> Rc<OpenCursor> {
        let cursor = Rc::new(cursor);
        let mut cursors = self.cursors.borrow_mut();
        cursors.retain(|known| known.strong_count() > 0);
        cursors.push(Rc::downgrade(&cursor));
        cursor
    }

    /// A statement was prepared under a name.
    pub(crate) fn note_prepared(&self, name: &str, prepared: &Prepared, from_sql: bool) {
        let results = prepared
            .columns
            .as_ref()
            .map(|columns| columns.iter().map(|column| column.type_oid).collect());
        self.prepared.borrow_mut().push(PreparedStatement {
            name: name.into(),
            source: prepared.source.clone(),
            prepared_us: self.statement_start_us.get(),
            parameters: prepared.parameters.clone(),
            results,
            from_sql,
        });
    }

    /// The statement of a name is gone; without a name, all are.
    pub(crate) fn forget_prepared(&self, name: Option<&str>) {
        self.prepared.borrow_mut().retain(|one| name.is_some_and(|name| *one.name != *name));
    }

    /// Lets others see the `application_name`, if it may have changed.
    fn show_application(&self, activity: &mut crate::activity::Activity) {
        let settings = self.settings();
        if self.application_seen.replace(settings.generation()) != settings.generation() {
            settings.text("application_name").clone_into(&mut activity.application);
        }
    }

    /// Lets others see that a statement begins.
    pub(crate) fn begins(&self, query: &str) {
        let shown = self.frequent().query_bytes;
        let mut activity = self.entry.activity.lock();
        self.show_application(&mut activity);
        activity.begin(query, self.statement_start_us.get(), shown);
    }

    /// Lets others see that the session waits for its client.
    pub(crate) fn rests(&self, status: TransactionStatus) {
        let now_us = base::clock::now_us();
        let mut activity = self.entry.activity.lock();
        if activity.state.is_empty() {
            activity.user.clone_from(&self.identity.user);
            activity.database.clone_from(&self.identity.database);
            self.settings().text("application_name").clone_into(&mut activity.application);
            activity.backend_start_us = now_us;
        }
        if activity.state == "active"
            && let Some(start_us) = activity.query_start_us
        {
            crate::throughput::note_answer(now_us - start_us);
        }
        self.show_application(&mut activity);
        activity.rest(status, now_us);
        self.command.set(activity.state);
    }

    /// What the session listens on and its transaction has asked for. The borrow must not be held
    /// while waiting.
    pub(crate) fn notifications(&self) -> RefMut<'_, Pending> {
        self.notifications.borrow_mut()
    }

    /// NOTIFY: takes place when the transaction commits.
    ///
    /// # Errors
    /// 22023 for a channel or a payload that is too long, or no channel; 53200.
    pub fn notify(&self, channel: &str, payload: &str) -> Result<()> {
        self.notifications().notify(channel, payload)
    }

    /// Whether the transaction has executed LISTEN, UNLISTEN or NOTIFY.
    pub fn has_notified(&self) -> bool {
        self.notifications().is_used()
    }

    /// The channels on which the session listens.
    pub fn listening_channels(&self) -> Vec<String> {
        self.notifications().listening()
    }

    /// The backend begins to commit, after all that may still wait for others; `position` gives the
    /// end of the log.
    ///
    /// # Errors
    /// 54000 when the queue of notifications is full; 53200.
    pub fn committing(&self, position: impl FnOnce() -> u64) -> Result<()> {
        let warn = self.notifications().committing(position)?;
        if warn {
            let usage = self.cluster.notification_usage() * 100.0;
            let warning = base::err!(WARNING, "NOTIFY queue is {usage:.0}% full");
            self.warning(match self.cluster.channels().oldest() {
                None => warning,
                Some(pid) => warning
                    .detail(format!(
                        "The server process with PID {pid} is among those with the oldest \
                         transactions."
                    ))
                    .hint(
                        "The NOTIFY queue cannot be emptied until that process ends its current \
                         transaction.",
                    ),
            });
        }
        Ok(())
    }

    /// The backend has committed, durably as far as the session asks, at that position of the log;
    /// nothing for a transaction that has written nothing.
    pub fn committed(&self, position: Option<u64>) {
        self.notifications().committed(position);
    }

    /// A transaction or a savepoint begins.
    pub(crate) fn begin_level(&self) {
        self.settings_mut().begin_level();
        self.notifications().begin_level();
    }

    /// It ends: what it has changed in the session stays or goes.
    pub(crate) fn end_level(&self, keep: bool) {
        self.settings_mut().end_level(keep);
        self.notifications().end_level(keep);
    }

    /// Takes over the server's settings if they were replaced.
    pub(crate) fn follow_reload(&self) {
        let reloads = self.cluster.reloads();
        if self.reloads.replace(reloads) != reloads {
            let base = self.cluster.settings();
            self.settings_mut().rebase(&base);
        }
    }

    pub(crate) fn begin_statement(&self, now_us: i64) {
        self.statement_start_us.set(now_us);
    }

    /// Draws whether all statements of the next transaction are logged.
    pub(crate) fn draw_sample(&self) {
        self.sampled.set(in_sample(self.frequent().log.transaction_sample_rate));
    }

    /// Whether all statements of the transaction are logged.
    pub(crate) fn is_sampled(&self) -> bool {
        self.sampled.get()
    }

    pub(crate) fn begin_transaction(&self) {
        self.transaction_start_us.set(self.statement_start_us.get());
    }

    /// The value of a setting as SHOW prints it; nothing if there is no such setting.
    pub fn show(&self, name: &str) -> Option<String> {
        let modes = self.modes.get();
        let flag = |flag: bool| Some(if flag { "on" } else { "off" }.to_owned());
        match name.to_ascii_lowercase().as_str() {
            "transaction_isolation" => Some(modes.isolation.name().to_owned()),
            "transaction_read_only" => flag(modes.read_only),
            "transaction_deferrable" => flag(modes.deferrable),
            "archive_command" if self.settings().text("archive_mode") == "off" => {
                Some("(disabled)".to_owned())
            }
            _ => self.settings().show(name),
        }
    }

    /// Sends a message to the client that is no error, if `client_min_messages` lets it pass.
    pub fn notice(&self, severity: NoticeSeverity, notice: Error) {
        self.log_notice(severity, &notice);
        let least = match self.settings().text("client_min_messages") {
            "error" => return,
            "warning" => NoticeSeverity::Warning,
            "notice" => NoticeSeverity::Notice,
            "log" => NoticeSeverity::Log,
            _ => NoticeSeverity::Debug,
        };
        if severity >= least || severity == NoticeSeverity::Info {
            self.notices.borrow_mut().push((severity, notice));
        }
    }

    fn log_notice(&self, severity: NoticeSeverity, notice: &Error) {
        let level = match severity {
            NoticeSeverity::Debug => Level::Debug1,
            NoticeSeverity::Log => Level::Log,
            NoticeSeverity::Info => Level::Info,
            NoticeSeverity::Notice => Level::Notice,
            NoticeSeverity::Warning => Level::Warning,
        };
        let log = self.frequent().log;
        if level >= log.messages_from {
            // The beginning of the statement, as others see it.
            let statement = (level >= log.statements_from)
                .then(|| self.entry.activity.lock().query.clone())
                .filter(|query| !query.is_empty());
            self.log(level, notice, statement.as_deref());
        }
    }

    /// Writes to the server's log what `log_min_messages` lets pass. The statement is shown from
    /// `log_min_error_statement` on.
    pub(crate) fn log(&self, level: Level, error: &Error, statement: Option<&str>) {
        let log = self.frequent().log;
        if level < log.messages_from {
            return;
        }
        let line = self.log_lines.get() + 1;
        self.log_lines.set(line);
        let application = self.settings().text("application_name").to_owned();
        let about = About {
            entry: &self.entry,
            user: &self.identity.user,
            database: &self.identity.database,
            application: &application,
            start_us: self.entry.activity.lock().backend_start_us,
            command: self.command.get(),
            line,
            verbosity: log.verbosity,
        };
        let statement = statement.filter(|_| level >= log.statements_from).map(without_passwords);
        self.cluster.log_entry(&Entry {
            level,
            error,
            statement: statement.as_deref(),
            backtrace: None,
            about: Some(about),
        });
    }

    /// Writes a text to the server's log.
    pub(crate) fn log_text(&self, text: String, detail: Option<String>) {
        let text = without_passwords(&text).into_owned();
        let mut error = Error::new(base::SqlState::SUCCESSFUL_COMPLETION, text);
        if let Some(detail) = detail {
            error = error.detail(detail);
        }
        self.log(Level::Log, &error, None);
    }

    /// Notes the tag of the command that runs, for the log.
    pub(crate) fn set_command(&self, tag: &'static str) {
        self.command.set(tag);
    }

    /// Sends a WARNING.
    pub fn warning(&self, notice: Error) {
        self.notice(NoticeSeverity::Warning, notice);
    }

    /// Tells of the identifiers of a text that are cut off.
    pub(crate) fn tell_truncated(&self, text: &str) {
        for notice in parse::truncation_notices(text) {
            self.notice(NoticeSeverity::Notice, notice);
        }
    }

    /// Writes the messages that wait.
    pub(crate) fn flush_notices(&self, out: &mut Vec<u8>) {
        if self.notices.borrow().is_empty() {
            return;
        }
        for (severity, notice) in self.notices.take() {
            backend::notice_response(out, severity, &notice);
        }
    }
}
