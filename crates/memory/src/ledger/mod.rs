//! The ledger: who may still take how much memory.
//!
//! A tree of accounts, server -> session -> query -> operator. What is reserved in one account is
//! reserved in all accounts above it, and none may go over its limit. The tree's nodes are shared
//! between threads and can be read from any of them; an [`Account`] is one thread's handle to a node
//! and keeps up to two steps of slack, so that most reservations touch no shared memory.
//!
//! Rules
//! 1. `reserved` of a node is at least the sum over its children, and never over its limit but for
//!    what [`SharedAccount::noted`] has counted: memory that is there whatever the limit.
//! 2. A handle reserves from its node in steps of [`STEP_BYTES`]; near a limit, exactly.
//! 3. Releasing never fails and never waits.

mod charge;

pub use charge::{Charge, SharedAccount};

use crate::queue::Queue;
use crate::watch::Watch;
pub use crate::watch::{Released, Watcher};
use base::{Error, Result, err};
use parking_lot::{Mutex, RwLock};
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Weak};

/// The bytes that an account handle reserves at once.
pub const STEP_BYTES: u64 = 64 << 10;

/// How many contexts the error of a refused reservation names.
const LARGEST: usize = 5;

/// The limit of an account that has none.
pub const UNLIMITED: u64 = u64::MAX;

/// The level of an account in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Level {
    /// The whole server.
    Server,
    /// One session, or one part of the server that is no session (buffers, caches).
    Session,
    /// One statement.
    Query,
    /// One plan node.
    Operator,
}

impl Level {
    /// The level's name as the views print it.
    pub fn name(self) -> &'static str {
        match self {
            Level::Server => "server",
            Level::Session => "session",
            Level::Query => "query",
            Level::Operator => "operator",
        }
    }

    /// The setting that limits accounts of this level.
    fn setting(self) -> &'static str {
        match self {
            Level::Server | Level::Session => "memory_limit",
            Level::Query => "query_memory_limit",
            Level::Operator => "work_mem",
        }
    }
}

/// A node of the ledger: its numbers can be read from every thread.
pub struct Node {
    id: u64,
    level: Level,
    name: &'static str,
    parent: Option<Arc<Node>>,
    limit: AtomicU64,
    reserved: AtomicU64,
    peak: AtomicU64,
    children: Mutex<Vec<Weak<Node>>>,
    /// The server's node: who can give memory back.
    relief: RwLock<Vec<Relief>>,
    /// The server's node: who waits for memory.
    queue: Queue,
    /// The server's node: who is told of releases.
    watch: Watch,
}

/// Asked for some bytes, gives back what it can without waiting, and returns how many bytes that
/// were.
pub type Relief = Box<dyn Fn(u64) -> u64 + Send + Sync>;

/// One row of the view over the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The level.
    pub level: Level,
    /// The number of the account: for a session, the number that clients know it by.
    pub id: u64,
    /// The number of the account above, 0 for the server's.
    pub parent_id: u64,
    /// What the account is for.
    pub name: &'static str,
    /// The limit in bytes; [`UNLIMITED`] for none.
    pub limit_bytes: u64,
    /// The bytes reserved now.
    pub reserved_bytes: u64,
    /// The most bytes that were ever reserved.
    pub peak_bytes: u64,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1 << 32);

impl Node {
    fn new(
        level: Level,
        id: u64,
        name: &'static str,
        limit: u64,
        parent: Option<Arc<Node>>,
    ) -> Arc<Node> {
        let node = Arc::new(Node {
            id,
            level,
            name,
            parent,
            limit: AtomicU64::new(limit),
            reserved: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            children: Mutex::new(Vec::new()),
            relief: RwLock::default(),
            queue: Queue::default(),
            watch: Watch::default(),
        });
        if let Some(parent) = &node.parent {
            let mut children = parent.children.lock();
            if children.len() == children.capacity() {
                children.retain(|child| child.strong_count() > 0);
            }
            children.push(Arc::downgrade(&node));
        }
        node
    }

    /// The number of the account.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What the account is for.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The bytes reserved now, those of accounts below included.
    pub fn reserved(&self) -> u64 {
        self.reserved.load(Relaxed)
    }

    /// The most bytes that were reserved at one time.
    pub fn peak(&self) -> u64 {
        self.peak.load(Relaxed)
    }

    /// The limit in bytes.
    pub fn limit(&self) -> u64 {
        self.limit.load(Relaxed)
    }

    /// Sets the limit. What is reserved stays reserved, even over the limit.
    pub fn set_limit(&self, bytes: u64) {
        self.limit.store(bytes, Relaxed);
    }

    /// The node of the session that this account belongs to, if any.
    pub fn session(&self) -> Option<&Node> {
        let mut node = self;
        loop {
            match node.level {
                Level::Server => return None,
                Level::Session => return Some(node),
                Level::Query | Level::Operator => node = node.parent.as_deref()?,
            }
        }
    }

    /// Whether what is charged here is charged to `account`, too.
    pub(crate) fn charges(&self, account: &Node) -> bool {
        let mut node = Some(self);
        while let Some(here) = node {
            if std::ptr::eq(here, account) {
                return true;
            }
            node = here.parent.as_deref();
        }
        false
    }

    /// The server's node.
    pub(crate) fn root(&self) -> &Node {
        let mut node = self;
        while let Some(parent) = node.parent.as_deref() {
            node = parent;
        }
        node
    }

    /// Reserves exactly `bytes` here and in every account above.
    fn reserve(&self, bytes: u64) -> Result<(), Refused<'_>> {
        let mut node = self;
        loop {
            let before = node.reserved.fetch_add(bytes, Relaxed);
            let after = before.saturating_add(bytes);
            if after > node.limit() {
                node.reserved.fetch_sub(bytes, Relaxed);
                self.release_below(bytes, node);
                return Err(Refused { node, reserved: before });
            }
            if after > node.peak.load(Relaxed) {
                node.peak.fetch_max(after, Relaxed);
            }
            match node.parent.as_deref() {
                Some(parent) => node = parent,
                None => return Ok(()),
            }
        }
    }

    /// The same; if the server's limit is in the way, others give back first.
    #[cold]
    fn reserve_with_relief(&self, bytes: u64) -> Result<(), Refused<'_>> {
        match self.reserve(bytes) {
            Err(refused) if refused.node.parent.is_none() => {
                let given = refused.node.relieve(bytes);
                if given == 0 { Err(refused) } else { self.reserve(bytes) }
            }
            other => other,
        }
    }

    /// Has others give back at least `bytes`, as far as they can.
    #[cold]
    fn relieve(&self, bytes: u64) -> u64 {
        let mut given = 0;
        for relief in self.relief.read_recursive().iter() {
            if given < bytes {
                given += relief(bytes - given);
            }
        }
        given
    }

    /// Reserves `bytes` over any limit.
    fn note(&self, bytes: u64) {
        let mut node = Some(self);
        while let Some(here) = node {
            let after = here.reserved.fetch_add(bytes, Relaxed).saturating_add(bytes);
            here.peak.fetch_max(after, Relaxed);
            node = here.parent.as_deref();
        }
    }

    fn release(&self, bytes: u64) {
        let mut node = Some(self);
        while let Some(here) = node {
            let before = here.reserved.fetch_sub(bytes, SeqCst);
            debug_assert!(before >= bytes, "account {} released more than it had", here.name);
            node = here.parent.as_deref();
            if node.is_none() {
                here.watch.released(here, before, bytes);
                here.queue.released();
            }
        }
    }

    fn release_below(&self, bytes: u64, stop: &Node) {
        let mut node = self;
        while !std::ptr::eq(node, stop) {
            node.reserved.fetch_sub(bytes, Relaxed);
            let Some(parent) = node.parent.as_deref() else { return };
            node = parent;
        }
    }

    fn rows(&self, parent_id: u64, out: &mut Vec<LedgerRow>) {
        out.push(LedgerRow {
            level: self.level,
            id: self.id,
            parent_id,
            name: self.name,
            limit_bytes: self.limit(),
            reserved_bytes: self.reserved(),
            peak_bytes: self.peak(),
        });
        let children: Vec<Arc<Node>> =
            self.children.lock().iter().filter_map(Weak::upgrade).collect();
        for child in children {
            child.rows(self.id, out);
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}: {} bytes", self.level.name(), self.id, self.name, self.reserved())
    }
}

/// Which account refused, and what it held.
struct Refused<'a> {
    node: &'a Node,
    reserved: u64,
}

impl Refused<'_> {
    #[cold]
    fn error(&self, bytes: u64, asker: &str) -> Error {
        let Node { level, name, .. } = self.node;
        let mut detail = format!(
            "{} The {} account \"{name}\" has {} of {} bytes reserved ({}).",
            failed_on_request(bytes, asker),
            level.name(),
            self.reserved,
            self.node.limit(),
            level.setting(),
        );
        let largest: Vec<String> = crate::registry::largest(self.node, LARGEST)
            .iter()
            .map(|(name, session, bytes)| format!("\"{name}\" of session {session}: {bytes}"))
            .collect();
        if !largest.is_empty() {
            detail.push_str(&format!(" Largest contexts in bytes: {}.", largest.join(", ")));
        }
        err!(OUT_OF_MEMORY, "out of memory").detail(detail)
    }
}

/// 53200 in PostgreSQL's words.
#[cold]
pub(crate) fn out_of_memory(bytes: u64, asker: &str) -> Error {
    err!(OUT_OF_MEMORY, "out of memory").detail(failed_on_request(bytes, asker))
}

fn failed_on_request(bytes: u64, asker: &str) -> String {
    format!("Failed on request of size {bytes} in memory context \"{asker}\".")
}

/// The server's account, from which all others are opened.
#[derive(Clone, Debug)]
pub struct Ledger(Arc<Node>);

impl Ledger {
    /// A ledger that gives out at most `limit` bytes.
    pub fn new(limit: u64) -> Ledger {
        Ledger(Node::new(Level::Server, 0, "server", limit, None))
    }

    /// The server's node.
    pub fn node(&self) -> &Arc<Node> {
        &self.0
    }

    /// Adds one who gives memory back before a reservation of a session fails: the buffer pool, the
    /// caches. They are asked in the order in which they were added.
    pub fn add_relief(&self, relief: Relief) {
        self.0.relief.write().push(relief);
    }

    /// The same for one who is asked before all others: what it has is nobody's.
    pub fn add_first_relief(&self, relief: Relief) {
        self.0.relief.write().insert(0, relief);
    }

    /// Sets who is told when much was released. Only the first one counts.
    pub fn set_watcher(&self, watcher: Watcher) {
        self.0.watch.begin(watcher);
    }

    /// Opens the account of a session, or of a part of the server; `id` is what the views show.
    pub fn session(&self, id: u64, name: &'static str, limit: u64) -> Account {
        Account::over(Node::new(Level::Session, id, name, limit, Some(self.0.clone())))
    }

    /// Opens an account that several threads charge: buffers, shared caches.
    pub fn shared(&self, name: &'static str, limit: u64) -> SharedAccount {
        let id = NEXT_ID.fetch_add(1, Relaxed);
        SharedAccount::over(Node::new(Level::Session, id, name, limit, Some(self.0.clone())))
    }

    /// All accounts that are open now, each after the one above it.
    pub fn rows(&self) -> Vec<LedgerRow> {
        let mut rows = Vec::new();
        self.0.rows(0, &mut rows);
        rows
    }
}

/// A handle to an account of the ledger, for one thread at a time.
///
/// Clones share the slack. What is reserved through a handle must be released through it or a
/// clone; memory contexts do so by themselves. The slack goes back when the last clone is dropped.
#[derive(Clone)]
pub struct Account(Rc<Local>);

struct Local {
    node: Arc<Node>,
    slack: Cell<u64>,
}

impl Drop for Local {
    fn drop(&mut self) {
        self.node.release(self.slack.get());
    }
}

impl Account {
    fn over(node: Arc<Node>) -> Account {
        Account(Rc::new(Local { node, slack: Cell::new(0) }))
    }

    /// An account of a ledger of its own without a limit: for tests and tools.
    pub fn unlimited() -> Account {
        Ledger::new(UNLIMITED).session(1, "unlimited", UNLIMITED)
    }

    /// Opens an account below this one.
    pub fn child(&self, level: Level, name: &'static str, limit: u64) -> Account {
        let id = NEXT_ID.fetch_add(1, Relaxed);
        Account::over(Node::new(level, id, name, limit, Some(self.0.node.clone())))
    }

    /// Another thread's way to charge the same node: what a helper of a parallel query gets.
    pub fn shared(&self) -> SharedAccount {
        SharedAccount::over(self.0.node.clone())
    }

    /// The node, whose numbers include this handle's slack.
    pub fn node(&self) -> &Arc<Node> {
        &self.0.node
    }

    /// Reserves `bytes`; `asker` names the memory context in the error.
    ///
    /// # Errors
    /// 53200 when this account or one above it would go over its limit.
    pub fn reserve(&self, bytes: u64, asker: &str) -> Result<()> {
        let slack = self.0.slack.get();
        if let Some(left) = slack.checked_sub(bytes) {
            self.0.slack.set(left);
            return Ok(());
        }
        let missing = bytes - slack;
        let step = missing.next_multiple_of(STEP_BYTES);
        if self.0.node.reserve(step).is_ok() {
            self.0.slack.set(step - missing);
            return Ok(());
        }
        match self.0.node.reserve_with_relief(missing) {
            Ok(()) => {
                self.0.slack.set(0);
                Ok(())
            }
            Err(refused) => Err(refused.error(bytes, asker)),
        }
    }

    /// Gives `bytes` back that were reserved through this handle or a clone.
    pub fn release(&self, bytes: u64) {
        let slack = self.0.slack.get() + bytes;
        if slack > 2 * STEP_BYTES {
            self.0.slack.set(STEP_BYTES);
            self.0.node.release(slack - STEP_BYTES);
        } else {
            self.0.slack.set(slack);
        }
    }

    /// Gives the slack back: for a session that goes idle.
    pub fn settle(&self) {
        self.0.node.release(self.0.slack.take());
    }

    /// Whether `bytes` more would fit now. An operator asks before it grows and spills if not.
    pub fn fits(&self, bytes: u64) -> bool {
        let mut node = Some(&*self.0.node);
        let missing = bytes.saturating_sub(self.0.slack.get());
        while let Some(here) = node {
            if here.reserved().saturating_add(missing) > here.limit() {
                return false;
            }
            node = here.parent.as_deref();
        }
        true
    }

    /// Whether the server has room for `bytes` more, whatever the limits of this account say.
    pub fn server_has(&self, bytes: u64) -> bool {
        let root = self.0.node.root();
        root.reserved().saturating_add(bytes) <= root.limit()
    }

    /// The same, when others have given back what they can.
    pub(crate) fn server_gives(&self, bytes: u64) -> bool {
        self.server_has(bytes) || {
            let given = self.0.node.root().relieve(bytes);
            given > 0 && self.server_has(bytes)
        }
    }

    /// Those who wait for the server's memory.
    pub(crate) fn queue(&self) -> &Queue {
        &self.0.node.root().queue
    }

    /// The bytes that were reserved through this handle and its clones, without slack. Exact only
    /// for an account without accounts below it and with one handle.
    pub fn used(&self) -> u64 {
        self.0.node.reserved().saturating_sub(self.0.slack.get())
    }

    /// Whether an operator that could spill may grow by `bytes`: of every limit above it a quarter
    /// is left to those that cannot.
    pub fn may_grow(&self, bytes: u64) -> bool {
        let missing = bytes.saturating_sub(self.0.slack.get());
        let mut node = self.0.node.parent.as_deref();
        while let Some(here) = node {
            let limit = here.limit();
            let soft = if limit == UNLIMITED { limit } else { limit / 4 * 3 };
            if here.reserved().saturating_add(missing) > soft {
                return false;
            }
            node = here.parent.as_deref();
        }
        true
    }

    /// Turns `bytes` that were reserved through this handle into a charge of its own.
    pub(crate) fn split_off(&self, bytes: u64) -> Charge {
        Charge::of(self.0.node.clone(), bytes)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.node.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_counts_in_every_account_above() {
        let ledger = Ledger::new(1 << 20);
        let session = ledger.session(7, "session", UNLIMITED);
        let query = session.child(Level::Query, "query", UNLIMITED);
        let operator = query.child(Level::Operator, "Sort", UNLIMITED);
        operator.reserve(100, "Sort").unwrap();
        for row in ledger.rows() {
            assert_eq!(row.reserved_bytes, STEP_BYTES, "{row:?}");
        }
        assert_eq!(operator.node().session().unwrap().id(), 7);
        operator.release(100);
        drop(operator);
        assert_eq!(ledger.rows().len(), 3);
        assert_eq!(ledger.node().reserved(), 0);
        assert_eq!(ledger.node().peak(), STEP_BYTES);
    }

    #[test]
    fn near_a_limit_the_last_byte_can_be_reserved_and_not_one_more() {
        let ledger = Ledger::new(100_000);
        let session = ledger.session(1, "session", UNLIMITED);
        session.reserve(99_999, "a").unwrap();
        session.reserve(1, "a").unwrap();
        let error = session.reserve(1, "ExecutorState").unwrap_err();
        assert_eq!(error.sqlstate().as_str(), "53200");
        assert_eq!(error.message(), "out of memory");
        assert_eq!(
            error.fields().detail.as_deref(),
            Some(concat!(
                "Failed on request of size 1 in memory context \"ExecutorState\". ",
                "The server account \"server\" has 100000 of 100000 bytes reserved (memory_limit)."
            ))
        );
        assert_eq!(ledger.node().reserved(), 100_000);
    }

    #[test]
    fn a_refused_reservation_leaves_nothing_behind() {
        let ledger = Ledger::new(1 << 30);
        let session = ledger.session(1, "session", 200_000);
        let query = session.child(Level::Query, "query", UNLIMITED);
        assert!(query.reserve(300_000, "x").is_err());
        assert!(ledger.rows().iter().all(|row| row.reserved_bytes == 0));
        assert!(!query.fits(200_001));
        assert!(query.fits(200_000));
    }

    #[test]
    fn the_watcher_hears_of_much_that_was_released_and_may_release_itself() {
        let ledger = Ledger::new(512 << 20);
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = told.clone();
        ledger.set_watcher(Box::new(move |server, released| {
            heard.lock().push(released);
            server.note(10);
            server.release(10);
        }));
        let heard = || std::mem::take(&mut *told.lock());
        let mut charge = ledger.shared("buffers", UNLIMITED).noted(64 << 20);
        charge.note(63 << 20);
        assert_eq!(heard(), [], "a megabyte is not much");
        charge.note(59 << 20);
        assert_eq!(heard(), [Released::Less]);
        charge.note(58 << 20);
        assert_eq!(heard(), [], "the count has begun again");
        for _ in 0..8 {
            charge.note(59 << 20);
            charge.note(58 << 20);
        }
        assert_eq!(heard(), [Released::Exchanged; 2]);
        drop(charge);
        assert_eq!(heard(), [Released::Less]);
        assert_eq!(ledger.node().reserved(), 0);
    }

    #[test]
    fn charges_move_between_threads() {
        let ledger = Ledger::new(1 << 20);
        let shared = ledger.shared("buffers", UNLIMITED);
        let mut charge = shared.charge(1000, "buffers").unwrap();
        std::thread::spawn(move || {
            charge.resize(5000, "buffers").unwrap();
            charge.resize(10, "buffers").unwrap();
        })
        .join()
        .unwrap();
        assert_eq!(ledger.node().reserved(), 0);
        assert_eq!(shared.node().peak(), 5000);
    }

    #[test]
    fn what_is_there_counts_over_the_limit_and_leaves_the_less_to_others() {
        let ledger = Ledger::new(1000);
        let mut there = ledger.shared("program", UNLIMITED).noted(1200);
        there.note(1500);
        assert_eq!(ledger.node().reserved(), 1500);
        let session = ledger.session(1, "session", UNLIMITED);
        assert!(session.reserve(1, "x").is_err());
        there.note(900);
        session.reserve(100, "x").unwrap();
        assert!(session.reserve(1, "x").is_err());
        drop(there);
        session.release(100);
        drop(session);
        assert_eq!(ledger.node().reserved(), 0);
    }
}
