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
    /// Before a statement is parsed, before it is planned, and before a plan is run.
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

#[cfg(test)]
mod tests {
    use super::*;
    use base::SqlState;
    use base::interrupt::{Interrupt, Interrupts};
    use memory::Ledger;
    use memory::ledger::UNLIMITED;
    use sched::Fiber;
    use tokio::task::spawn_local;

    /// How a statement at the start ends that waits while `meanwhile` is done, and after which time.
    fn ended(
        at_most: Duration,
        meanwhile: impl FnOnce(&Interrupts, &Account) + 'static,
    ) -> (Result<()>, Duration) {
        let outcome = sched::run(1, move |_| async move {
            let ledger = Ledger::new(4 * GRANT_BYTES);
            let holder = ledger.session(1, "holder", UNLIMITED);
            holder.reserve(4 * GRANT_BYTES, "all").unwrap();
            let (asker, interrupts) = (ledger.session(2, "asker", UNLIMITED), Interrupts::new());
            let began = Instant::now();
            let waits = move || wait(&asker, GRANT_BYTES, at_most, || false);
            let waiter = spawn_local(Fiber::new(Some(interrupts.clone()), waits));
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(!waiter.is_finished(), "it does not wait");
            meanwhile(&interrupts, &holder);
            (waiter.await.unwrap().unwrap(), began.elapsed())
        });
        outcome.unwrap()
    }

    #[test]
    fn a_wait_ends_at_once_when_there_is_memory_or_an_interrupt() {
        let state = |interrupt: Interrupt| {
            let (ended, after) =
                ended(START_WAIT, move |interrupts, _| interrupts.raise(interrupt));
            assert!(after < START_WAIT / 2, "{after:?}");
            ended.unwrap_err().sqlstate()
        };
        assert_eq!(state(Interrupt::Cancel), SqlState::QUERY_CANCELED);
        assert_eq!(state(Interrupt::StatementTimeout), SqlState::QUERY_CANCELED);
        assert_eq!(state(Interrupt::Terminate), SqlState::ADMIN_SHUTDOWN);
        let (freed, after) = ended(START_WAIT, |_, holder| {
            holder.release(4 * GRANT_BYTES);
            holder.settle();
        });
        freed.unwrap();
        assert!(after < START_WAIT / 2, "{after:?}");
        let (given_up, after) = ended(2 * WAIT, |_, _| ());
        given_up.unwrap();
        assert!((2 * WAIT..START_WAIT).contains(&after), "{after:?}");
    }
}
