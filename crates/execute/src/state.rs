//! What all operators of an execution share.

use crate::build::build;
use crate::cte::CteState;
use crate::instrument::{Instruments, NodeCounters};
use crate::operator::Operator;
use crate::spill::{Kept, Limits};
use crate::storage::Storage;
use crate::subplan::SubplanState;
use base::{Error, Result};
use catalog::relation::Relation;
use catalog::rows::Persistence;
use expr::{Host, Program, SubplanRunner, Value};
use memory::{Account, Bump, Heap, Level};
use plan::{Descriptions, Plan};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use txn::Tracked;
use types::Datum;

/// A value that owns what it needs.
#[derive(Clone, Debug)]
pub enum Owned {
    /// A value of fixed length.
    Plain(Datum<'static>),
    /// [`Datum::Text`]
    Text(Box<str>),
    /// [`Datum::Bytes`]
    Bytes(Box<[u8]>),
}

impl Owned {
    /// A copy of a value.
    pub fn of(value: &Datum<'_>) -> Owned {
        match *value {
            Datum::Text(text) => Owned::Text(text.into()),
            Datum::Bytes(bytes) => Owned::Bytes(bytes.into()),
            Datum::Null => Owned::Plain(Datum::Null),
            Datum::Bool(v) => Owned::Plain(Datum::Bool(v)),
            Datum::Char(v) => Owned::Plain(Datum::Char(v)),
            Datum::Int2(v) => Owned::Plain(Datum::Int2(v)),
            Datum::Int4(v) => Owned::Plain(Datum::Int4(v)),
            Datum::Int8(v) => Owned::Plain(Datum::Int8(v)),
            Datum::Oid(v) => Owned::Plain(Datum::Oid(v)),
            Datum::Float4(v) => Owned::Plain(Datum::Float4(v)),
            Datum::Float8(v) => Owned::Plain(Datum::Float8(v)),
            Datum::Decimal { mantissa, scale } => Owned::Plain(Datum::Decimal { mantissa, scale }),
            Datum::Fixed16(v) => Owned::Plain(Datum::Fixed16(v)),
        }
    }

    /// The value.
    pub fn get(&self) -> Datum<'_> {
        match self {
            Owned::Plain(value) => *value,
            Owned::Text(text) => Datum::Text(text),
            Owned::Bytes(bytes) => Datum::Bytes(bytes),
        }
    }

    pub(crate) fn copy_to<'m>(&self, bump: &'m Bump) -> Result<Datum<'m>> {
        self.get().copy_to(&bump)
    }
}

/// One execution of a plan. Operators borrow it while they run.
pub struct Execution<'q> {
    pub(crate) plan: &'q Plan<'q>,
    pub(crate) descriptions: &'q Descriptions,
    pub(crate) host: &'q dyn Host,
    pub(crate) storage: &'q dyn Storage,
    pub(crate) account: Account,
    pub(crate) limits: Limits,
    pub(crate) view: txn::View,
    /// What this does not see may not be changed: 40001.
    pub(crate) crosscheck: Option<txn::View>,
    tracked: Option<Arc<Tracked>>,
    external: &'q [Datum<'q>],
    params: RefCell<Vec<Owned>>,
    pub(crate) subplans: RefCell<Vec<Option<SubplanState<'q>>>>,
    pub(crate) ctes: RefCell<Vec<Option<CteState<'q>>>>,
    pub(crate) work_tables: RefCell<Vec<Option<Kept>>>,
    /// The current rounds of recursions, by parameter; no two rounds have the same number.
    rounds: RefCell<HashMap<u16, i64>>,
    pub(crate) changed: Cell<u64>,
    /// The node whose changed rows the command tag counts.
    pub(crate) counted: Option<u32>,
    /// The counters of EXPLAIN ANALYZE.
    pub(crate) instruments: Option<Instruments>,
}

impl<'q> Execution<'q> {
    /// An execution of `plan` with the values of its external parameters.
    ///
    /// # Errors
    /// 08P01 when their number is wrong.
    pub fn new(
        plan: &'q Plan<'q>,
        descriptions: &'q Descriptions,
        host: &'q dyn Host,
        storage: &'q dyn Storage,
        account: &Account,
        params: &'q [Datum<'q>],
    ) -> Result<Execution<'q>> {
        if params.len() < usize::from(plan.external_params) {
            return Err(base::err!(
                PROTOCOL_VIOLATION,
                "the plan needs {} parameters, but {} were given",
                plan.external_params,
                params.len()
            ));
        }
        let own = usize::from(plan.params - plan.external_params);
        let limits = storage.limits();
        Ok(Execution {
            plan,
            descriptions,
            host,
            storage,
            account: account.child(Level::Query, "query", limits.query_bytes),
            limits,
            view: storage.view(),
            crosscheck: storage.crosscheck(),
            tracked: storage.transaction().tracked().cloned(),
            external: params,
            params: RefCell::new(vec![Owned::Plain(Datum::Null); own]),
            subplans: RefCell::new(plan.subplans.iter().map(|_| None).collect()),
            ctes: RefCell::new(plan.ctes.iter().map(|_| None).collect()),
            work_tables: RefCell::new(plan.ctes.iter().map(|_| None).collect()),
            rounds: RefCell::default(),
            changed: Cell::new(0),
            counted: counted(plan.root),
            instruments: None,
        })
    }

    /// The transaction, if it is serializable and what it does to `relation` is watched.
    pub(crate) fn tracked(&self, relation: &Relation) -> Option<Arc<Tracked>> {
        let tracked = self.tracked.as_ref()?;
        let watched = !relation.system && relation.persistence != Persistence::Temporary;
        watched.then(|| tracked.clone())
    }

    /// Counts what each node does; `timing` takes the time, too.
    pub fn instrument(&mut self, timing: bool) {
        self.instruments = Some(Instruments::new(self.plan.nodes, timing));
    }

    /// What the nodes have done, by number; nothing without [`Execution::instrument`].
    pub fn counters(&self) -> Vec<NodeCounters> {
        self.instruments.as_ref().map(Instruments::counters).unwrap_or_default()
    }

    /// The operators of the plan's root.
    ///
    /// # Errors
    /// 53200.
    pub fn root(&self) -> Result<Box<dyn Operator<'q> + 'q>> {
        build(self, self.plan.root)
    }

    /// Begins the next round of the recursion whose rounds `param` tells apart.
    pub(crate) fn next_round(&self, param: u16) {
        let mut rounds = self.rounds.borrow_mut();
        let next = rounds.values().max().map_or(0, |last| last + 1);
        rounds.insert(param, next);
        self.set_param(param, &Datum::Int8(next));
    }

    /// The youngest round that something with these parameters depends on.
    pub(crate) fn round(&self, reads: &[u16]) -> Option<i64> {
        let rounds = self.rounds.borrow();
        reads.iter().filter_map(|param| rounds.get(param)).max().copied()
    }

    /// Those of the parameters that do not stand for the rounds of a recursion.
    pub(crate) fn without_rounds(&self, reads: &'q [u16]) -> Vec<u16> {
        let rounds = self.rounds.borrow();
        reads.iter().filter(|param| !rounds.contains_key(param)).copied().collect()
    }

    /// Whether the snapshot is older than the rows that an index was built from.
    pub(crate) fn is_before(&self, index: u16) -> bool {
        let index = &self.descriptions.indexes[usize::from(index)];
        self.view.snapshot().csn().0 < index.build_csn
    }

    /// The rows that were changed so far, for the command tag.
    pub fn changed(&self) -> u64 {
        self.changed.get()
    }

    /// A context for an operator, with an account of its own.
    pub(crate) fn heap(&self, name: &'static str) -> Heap {
        let account = self.account.child(Level::Operator, name, memory::ledger::UNLIMITED);
        if let Some(instruments) = &self.instruments {
            instruments.note_memory(account.node());
        }
        Heap::new(name, account)
    }

    /// A context for what lives as long as a batch.
    pub(crate) fn bump(&self) -> Bump {
        Bump::new("ExprContext", self.account.clone())
    }

    pub(crate) fn set_param(&self, param: u16, value: &Datum<'_>) {
        let at = usize::from(param - self.plan.external_params);
        self.params.borrow_mut()[at] = Owned::of(value);
    }

    pub(crate) fn param(&self, param: u16) -> Owned {
        match self.external.get(usize::from(param)) {
            Some(value) if param < self.plan.external_params => Owned::of(value),
            _ => self.params.borrow()[usize::from(param - self.plan.external_params)].clone(),
        }
    }

    /// The parameters that a program reads, for as long as `bump`.
    fn params<'m>(&self, bump: &'m Bump, count: u16) -> Result<&'m [Datum<'m>]>
    where
        'q: 'm,
    {
        if count <= self.plan.external_params {
            return Ok(self.external);
        }
        let own = self.params.borrow();
        let external = self.external[..usize::from(self.plan.external_params)].iter();
        let own = own[..usize::from(count - self.plan.external_params)].iter();
        Ok(bump.try_alloc_slice(
            external.map(|value| Ok(*value)).chain(own.map(|value| value.copy_to(bump))),
        )?)
    }

    /// What evaluating a program needs.
    pub(crate) fn value<'m>(
        &'m self,
        bump: &'m Bump,
        program: &Program<'_>,
    ) -> Result<Value<'m, 'm>>
    where
        'q: 'm,
    {
        let params = self.params(bump, program.params)?;
        Ok(Value { bump, host: self.host, params, subplans: Some(self) })
    }

    /// Whether the statement has to end; called for every batch.
    pub(crate) fn check(&self) -> Result<()> {
        base::check_for_interrupts()?;
        self.host.check_for_interrupts()?;
        if self.account.server_has(crate::spill::MINIMUM_BYTES) {
            return Ok(());
        }
        self.storage.wait_for_memory(&self.account, crate::spill::MINIMUM_BYTES)
    }
}

impl SubplanRunner for Execution<'_> {
    fn run<'m>(&self, subplan: u16, args: &[Datum<'m>], bump: &'m Bump) -> Result<Datum<'m>> {
        let slot = usize::from(subplan);
        let state = self.subplans.borrow_mut()[slot].take();
        // A subplan that is running already (recursion through a function) gets a state of its own.
        let mut state = match state {
            Some(state) => state,
            None => SubplanState::new(self, &self.plan.subplans[slot])?,
        };
        let result = state.run(self, args, bump);
        if let Ok(mut subplans) = self.subplans.try_borrow_mut() {
            subplans[slot] = Some(state);
        } else {
            return Err(Error::internal("subplans are in use"));
        }
        result
    }
}

/// The topmost node that changes data, if the statement itself does.
fn counted(mut node: &plan::Node<'_>) -> Option<u32> {
    loop {
        match node.kind {
            plan::NodeKind::Modify(_) => return Some(node.id),
            plan::NodeKind::With { input, .. } | plan::NodeKind::Project { input, .. } => {
                node = input;
            }
            _ => return None,
        }
    }
}
