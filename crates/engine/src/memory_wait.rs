//! Waiting when the server has no memory left: pages that must be written first leave the pool, then
//! others are waited for.
//!
//! A statement that begins waits until the server has room for two steps of the ledger; one that runs
//! waits once, between two batches, for the least that an operator works with. The oldest is served
//! first. Nobody waits for ever and every wait can be cancelled, so that statements that wait for each
//! other's memory go on: then they get it or end in 53200. One request that is larger than what is
//! left fails at once. A statement at its start that has a lock for which another session waits, waits no
//! longer than one that runs.

use crate::backend::Backend;
use crate::storage::StatementStorage;
use base::Result;
use memory::Account;
use std::pin::pin;
use std::time::{Duration, Instant};

/// How long a statement waits to begin whose transaction has written nothing.
const START_WAIT: Duration = Duration::from_secs(10);
/// How long others wait: what they hold, others may wait for.
const WAIT: Duration = Duration::from_secs(1);
/// What a statement needs to begin.
const GRANT_BYTES: u64 = 2 * memory::ledger::STEP_BYTES;

impl Backend {
    /// Before a statement is planned, and before a plan is run.
    ///
    /// # Errors
    /// Interrupts of the session.
    pub(crate) fn wait_at_start(&self) -> Result<()> {
        let account = self.state.account();
        if account.server_has(GRANT_BYTES) {
            return Ok(());
        }
        let open = self.open.borrow();
        let has_written = open.transaction.as_ref().is_some_and(|t| t.xid().is_valid());
        drop(open);
        self.engine.storage.pool().shrink(GRANT_BYTES)?;
        let locks = self.engine.storage.transactions().locks();
        let waited_for = || locks.waited_for(&self.owner);
        wait(account, GRANT_BYTES, if has_written { WAIT } else { START_WAIT }, waited_for)
    }
}

impl StatementStorage<'_> {
    /// While it runs: once, whatever comes of it.
    ///
    /// # Errors
    /// Interrupts of the session.
    pub(crate) fn wait_once(&self, account: &Account, bytes: u64) -> Result<()> {
        if self.waited.replace(true) {
            return Ok(());
        }
        self.backend.engine.storage.pool().shrink(bytes)?;
        wait(account, bytes, WAIT, || true)
    }
}

/// Waits; after [`WAIT`] only as long as it is not `enough`.
fn wait(account: &Account, bytes: u64, at_most: Duration, enough: impl Fn() -> bool) -> Result<()> {
    if !base::wait::on_fiber() || base::wait::latches_held() > 0 {
        return Ok(());
    }
    let until = Instant::now() + at_most;
    // One place in the queue for the whole wait.
    let mut freed = pin!(account.freed(bytes));
    while base::wait::wait_for(tokio::time::timeout(WAIT, freed.as_mut()))?.is_err() {
        // Whoever waits for a lock of this one may be who has the memory: they go on only alone.
        if Instant::now() >= until || enough() {
            break;
        }
    }
    // The next reservation tells what has come of it.
    Ok(())
}
