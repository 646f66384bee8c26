//! Counters whose limit is logged ahead, so that no crash gives a value out twice.

use crate::log::OP_COUNTER_LIMIT;
use crate::record::{CounterKind, CounterLimit};
use base::Result;
use parking_lot::Mutex;
use wal::{RecordBuilder, Wal, rm};

struct State {
    next: u64,
    limit: u64,
}

/// A counter that logs its limit in steps. A value's first durable trace comes after the limit's
/// record in the log, so that the record needs no flush of its own.
pub(crate) struct Counter {
    kind: CounterKind,
    step: u64,
    state: Mutex<State>,
}

impl Counter {
    pub(crate) fn new(kind: CounterKind, step: u64, next: u64) -> Counter {
        Counter { kind, step, state: Mutex::new(State { next, limit: next }) }
    }

    /// The next value. May wait for room in the log.
    pub(crate) fn draw(&self, wal: &Wal) -> Result<u64> {
        loop {
            let limit = {
                let mut state = self.state.lock();
                if state.next < state.limit {
                    state.next += 1;
                    return Ok(state.next - 1);
                }
                state.next + self.step
            };
            log_limit(wal, self.kind, limit)?;
            let mut state = self.state.lock();
            state.limit = state.limit.max(limit);
        }
    }

    /// The logged limit: no value at or above it was given out.
    pub(crate) fn limit(&self) -> u64 {
        let state = self.state.lock();
        state.limit.max(state.next)
    }

    /// Goes on from `next`, unless it is further already.
    pub(crate) fn skip_to(&self, next: u64) {
        let mut state = self.state.lock();
        state.next = state.next.max(next);
    }
}

/// Logs a raised limit; values below it may be given out once this has returned. May wait.
pub(crate) fn log_limit(wal: &Wal, kind: CounterKind, limit: u64) -> Result<()> {
    let mut record = RecordBuilder::new(rm::COUNTER, OP_COUNTER_LIMIT);
    record.data(&CounterLimit { kind, limit }.encode());
    let room = wal.ensure_room(record.size())?;
    wal.append(room, &mut record);
    Ok(())
}
