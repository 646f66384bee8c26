//! Portals and cursors: statements that were bound, and what is left of them.
//!
//! A portal that is run to its end at once runs on the session's fiber. One that is fetched in
//! portions gets a fiber of its own, which suspends when the portion is full (engine rule 11). A
//! cursor that can go back keeps the rows that it has fetched.

use crate::client::Client;
use crate::cursors::OpenCursor;
use crate::engine::{Backend, Completion, Destination, Parameters, Plan, ResultColumn};
use crate::row::ColumnFormats;
use crate::session::Given;
use crate::state::State;
use crate::stored_rows::{Place, StoredRows};
use base::wait::block_on;
use base::{Error, Result, err};
use sched::Fiber;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use types::Datum;

/// What the fiber of a portal and its reader share.
#[derive(Default)]
struct Exchange {
    /// The rows that are still wanted.
    wanted: Cell<u64>,
    /// Whether no more rows will ever be wanted.
    closed: Cell<bool>,
    /// Whether the fiber has asked how many rows are wanted: its query has begun.
    asked: Cell<bool>,
    rows: RefCell<StoredRows>,
}

/// The fiber's end of the exchange.
struct ToExchange(Rc<Exchange>);

impl Destination for ToExchange {
    fn demand(&mut self) -> Result<u64> {
        self.0.asked.set(true);
        // The reader resumes the fiber itself: nobody need be woken.
        base::wait::wait_for(poll_fn(|_| {
            if self.0.closed.get() {
                return Poll::Ready(0);
            }
            match self.0.wanted.get() {
                0 => Poll::Pending,
                wanted => Poll::Ready(wanted),
            }
        }))
    }

    fn row(&mut self, values: &[Datum<'_>]) -> Result<()> {
        self.0.rows.borrow_mut().push(values)?;
        self.0.wanted.set(self.0.wanted.get().saturating_sub(1));
        Ok(())
    }

    fn client(&mut self) -> Option<&mut dyn Client> {
        None
    }
}

/// Keeps every row.
struct ToKept(StoredRows);

impl Destination for ToKept {
    fn demand(&mut self) -> Result<u64> {
        base::check_for_interrupts()?;
        Ok(u64::MAX)
    }

    fn row(&mut self, values: &[Datum<'_>]) -> Result<()> {
        self.0.push(values)
    }

    fn client(&mut self) -> Option<&mut dyn Client> {
        None
    }
}

/// Where a cursor keeps rows.
fn room(state: &State, backend: &dyn Backend) -> StoredRows {
    let kilobytes = u64::try_from(state.settings().integer("work_mem")).unwrap_or(0);
    StoredRows::at(Place {
        account: state.account().shared(),
        space: backend.temporary_space(),
        memory_bytes: kilobytes << 10,
    })
}

fn too_many_cursors() -> Error {
    err!(OUT_OF_MEMORY, "out of memory")
        .detail("Open cursors have all the memory maps that they may have.")
        .hint("Close cursors, or increase the system's limit vm.max_map_count.")
}

type Running = Pin<Box<Fiber<'static, Result<Completion>>>>;

/// A query that is fetched in portions.
pub(crate) struct Cursor {
    running: Option<Running>,
    exchange: Rc<Exchange>,
    /// Fetched rows; of a cursor that only goes forward just those of the last portion.
    kept: StoredRows,
    scroll: bool,
    /// The row that was fetched last, counted from 1; 0 before the first.
    position: usize,
    /// The rows that are no longer kept.
    dropped: usize,
    after_end: bool,
}

impl std::fmt::Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cursor").field("position", &self.position).finish_non_exhaustive()
    }
}

impl Cursor {
    /// A cursor whose query has begun: what it will see is settled, and it keeps its tables. May wait.
    ///
    /// # Errors
    /// 53200 when all sessions together have too many; those of beginning to run the plan.
    pub(crate) fn new(
        state: &Rc<State>,
        backend: &Rc<dyn Backend>,
        plan: &Arc<dyn Plan>,
        parameters: &Parameters,
        scroll: bool,
    ) -> Result<Cursor> {
        if sched::stacks_are_scarce() {
            return Err(too_many_cursors());
        }
        let exchange = Rc::new(Exchange::default());
        let kept = room(state, &**backend);
        let (backend, plan, parameters) = (backend.clone(), plan.clone(), parameters.clone());
        let mut destination = ToExchange(exchange.clone());
        let interrupts = state.entry().interrupts.clone();
        let fiber = Fiber::new(Some(interrupts), move || {
            backend.run(&*plan, &parameters, &mut destination)
        });
        let mut cursor = Cursor {
            running: Some(Box::pin(fiber)),
            exchange,
            kept,
            scroll,
            position: 0,
            dropped: 0,
            after_end: false,
        };
        cursor.run_until(|exchange| exchange.asked.get())?;
        Ok(cursor)
    }

    /// The rows of a plan that runs to its end at once, kept to be fetched in portions.
    ///
    /// # Errors
    /// Those of running the plan.
    pub(crate) fn of_whole(
        state: &State,
        backend: &dyn Backend,
        plan: &dyn Plan,
        parameters: &Parameters,
    ) -> Result<Cursor> {
        let mut kept = ToKept(room(state, backend));
        backend.run(plan, parameters, &mut kept)?;
        Ok(Cursor {
            running: None,
            exchange: Rc::default(),
            kept: kept.0,
            scroll: false,
            position: 0,
            dropped: 0,
            after_end: false,
        })
    }

    /// Runs the query until so many rows are kept in all, or it ends.
    fn fill(&mut self, total: usize) -> Result<()> {
        let have = self.dropped + self.kept.len();
        if total <= have {
            return Ok(());
        }
        self.exchange.wanted.set(u64::try_from(total - have).unwrap_or(u64::MAX));
        self.run_until(|exchange| exchange.wanted.get() == 0)
    }

    /// Runs the query until it waits for its reader, or ends.
    fn run_until(&mut self, waits: impl Fn(&Exchange) -> bool) -> Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let exchange = &self.exchange;
        std::mem::swap(&mut *exchange.rows.borrow_mut(), &mut self.kept);
        let outcome = block_on(poll_fn(|cx| match running.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if waits(exchange) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }));
        std::mem::swap(&mut *exchange.rows.borrow_mut(), &mut self.kept);
        match outcome {
            None => Ok(()),
            Some(result) => {
                self.running = None;
                match result {
                    Ok(result) => result.map(drop),
                    Err(panicked) => Err(Error::internal(panicked.message)),
                }
            }
        }
    }

    /// Runs the query to its end and keeps all rows: WITH HOLD at commit.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.fill(usize::MAX)?;
        self.running = None;
        Ok(())
    }

    /// Gives the next rows, at most `count`, to `take`. Returns their number.
    pub(crate) fn forward(
        &mut self,
        count: u64,
        take: &mut dyn FnMut(&[Datum<'_>]) -> Result<()>,
    ) -> Result<u64> {
        if self.after_end || count == 0 {
            return Ok(0);
        }
        let mut given = 0;
        while given < count {
            if !self.scroll && self.position == self.dropped + self.kept.len() {
                self.dropped += self.kept.len();
                self.kept.clear();
            }
            let portion = usize::try_from((count - given).min(1000)).unwrap_or(1000);
            self.fill(self.position + portion)?;
            let have = self.dropped + self.kept.len();
            if have == self.position {
                self.after_end = true;
                self.position += 1;
                break;
            }
            while self.position < have && given < count {
                self.kept.with(self.position - self.dropped, &mut *take)?;
                self.position += 1;
                given += 1;
            }
        }
        Ok(given)
    }

    /// Goes to a row, counted from 1, and gives it to `take`. Returns whether there is one.
    pub(crate) fn absolute(
        &mut self,
        row: usize,
        take: &mut dyn FnMut(&[Datum<'_>]) -> Result<()>,
    ) -> Result<u64> {
        // Going to the row that was fetched last means going back, too.
        if row <= self.position && self.position > 0 {
            self.need_scroll()?;
        }
        self.fill(row)?;
        let have = self.dropped + self.kept.len();
        if row == 0 {
            self.position = 0;
            self.after_end = false;
            return Ok(0);
        }
        if row > have {
            self.position = have + 1;
            self.after_end = true;
            return Ok(0);
        }
        self.position = row;
        self.after_end = false;
        self.kept.with(row - 1 - self.dropped, take)?;
        Ok(1)
    }

    /// Gives the rows before the current one, at most `count`, backwards.
    pub(crate) fn backward(
        &mut self,
        count: u64,
        take: &mut dyn FnMut(&[Datum<'_>]) -> Result<()>,
    ) -> Result<u64> {
        if self.position > 0 {
            self.need_scroll()?;
        }
        let mut given = 0;
        while given < count && self.position > 0 {
            self.position -= 1;
            self.after_end = false;
            if self.position == 0 {
                break;
            }
            self.kept.with(self.position - 1, &mut *take)?;
            given += 1;
        }
        Ok(given)
    }

    /// The number of rows in all, for going to a row counted from the end.
    pub(crate) fn total(&mut self) -> Result<usize> {
        self.need_scroll()?;
        self.fill(usize::MAX)?;
        Ok(self.dropped + self.kept.len())
    }

    /// The row that was fetched last, counted from 1.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Calls `take` with the row that was fetched last, if the cursor stands on one.
    pub(crate) fn current(&self, take: &mut dyn FnMut(&[Datum<'_>]) -> Result<()>) -> Result<bool> {
        match self.position.checked_sub(1 + self.dropped) {
            Some(index) if !self.after_end && index < self.kept.len() => {
                self.kept.with(index, take)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Gives the current row once more.
    pub(crate) fn again(
        &mut self,
        take: &mut dyn FnMut(&[Datum<'_>]) -> Result<()>,
    ) -> Result<u64> {
        if self.position > 0 && !self.after_end {
            self.need_scroll()?;
        }
        Ok(u64::from(self.current(take)?))
    }

    fn need_scroll(&self) -> Result<()> {
        if self.scroll {
            return Ok(());
        }
        Err(base::err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "cursor can only scan forward")
            .hint("Declare it with SCROLL option to enable backward scan."))
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        // The fiber sees the end and finishes, where it can; otherwise it is unwound.
        self.exchange.closed.set(true);
    }
}

/// What a portal will do when it is executed.
#[derive(Debug)]
pub(crate) enum Work {
    /// Run a plan.
    Plan(PlanRef, Parameters),
    /// Run a statement of the session's own, parsed again from its text.
    Own(Arc<crate::statement::Prepared>, Parameters),
    /// Go on with a cursor.
    Cursor(Box<Cursor>),
    /// It has been run to its end.
    Done,
}

/// A plan with a Debug form.
#[derive(Clone)]
pub(crate) struct PlanRef(pub(crate) Arc<dyn Plan>);

impl std::fmt::Debug for PlanRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.tag())
    }
}

/// What a portal was bound to.
#[derive(Debug)]
pub(crate) struct Bound {
    /// The statement's name.
    pub(crate) statement: Box<str>,
    pub(crate) prepared: Arc<crate::statement::Prepared>,
    /// The session's count of runs then: where it has not moved, the plan is still current.
    pub(crate) runs: u64,
}

/// A portal: made by Bind or DECLARE CURSOR.
#[derive(Debug)]
pub(crate) struct Portal {
    pub(crate) name: Box<str>,
    pub(crate) work: Work,
    pub(crate) columns: Option<Arc<[ResultColumn]>>,
    pub(crate) formats: ColumnFormats,
    pub(crate) tag: &'static str,
    /// The parameters that it was bound with, if they may have to be shown.
    pub(crate) given: Option<Given>,
    /// Nothing for SQL's cursors.
    pub(crate) bound: Option<Bound>,
    /// WITH HOLD.
    pub(crate) hold: bool,
    /// Its rows are kept, and it lives on without its transaction.
    pub(crate) persisted: bool,
    /// How many savepoints were open when it was made.
    pub(crate) savepoints: usize,
    /// What others see of it.
    pub(crate) open: Rc<OpenCursor>,
}

impl Portal {
    /// Whether it has the name. Most portals have none, and where there are no bytes to compare none
    /// are looked at: their address is no address, which costs the processor's masked loads much.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.len() == name.len() && (name.is_empty() || *self.name == *name)
    }

    /// What the log says of running it.
    pub(crate) fn executed(&self, again: bool) -> Option<String> {
        let Bound { statement, prepared, .. } = self.bound.as_ref()?;
        let statement = if statement.is_empty() { "<unnamed>" } else { statement };
        let slash = if self.name.is_empty() { "" } else { "/" };
        let what = if again { "execute fetch from" } else { "execute" };
        Some(format!("{what} {statement}{slash}{}: {}", self.name, prepared.source))
    }
}
