//! Which Rust function stands behind which SQL function.

use crate::Call;
use crate::aggregate::{Aggregate, AggregateFactory, states};
use crate::set::SetFn;
use crate::window::WindowFactory;
use base::{Error, Oid, Result, err};
use std::collections::HashMap;
use types::Datum;

/// A SQL function over datums.
pub type ScalarFn = for<'c, 'm> fn(&mut Call<'c, 'm>, &[Datum<'m>]) -> Result<Datum<'m>>;

/// What stands behind a SQL function.
#[derive(Clone, Copy)]
pub enum Body {
    /// An ordinary function.
    Scalar(ScalarFn),
    /// A function that returns a set.
    Set(SetFn),
    /// A window function.
    Window(WindowFactory),
    /// An aggregate.
    Aggregate(AggregateFactory),
}

/// One row of a function table.
#[derive(Clone, Copy)]
pub struct Entry {
    /// `pg_proc.prosrc`; for what is bound by number its signature, for messages.
    pub name: &'static str,
    /// `pg_proc.oid` of what has no `prosrc` of its own: aggregates, functions in SQL. Else 0.
    pub oid: Oid,
    /// What stands behind it.
    pub body: Body,
}

impl Entry {
    /// An ordinary function, by its `prosrc`.
    pub const fn scalar(name: &'static str, function: ScalarFn) -> Entry {
        Entry { name, oid: Oid(0), body: Body::Scalar(function) }
    }

    /// A function that returns a set, by its `prosrc`.
    pub const fn set(name: &'static str, function: SetFn) -> Entry {
        Entry { name, oid: Oid(0), body: Body::Set(function) }
    }

    /// A window function, by its `prosrc`.
    pub const fn window(name: &'static str, make: WindowFactory) -> Entry {
        Entry { name, oid: Oid(0), body: Body::Window(make) }
    }

    /// A built-in function whose definition is SQL, by its number in `pg_proc`; `name` is its
    /// signature, for messages.
    pub const fn numbered(name: &'static str, oid: u32, function: ScalarFn) -> Entry {
        Entry { name, oid: Oid(oid), body: Body::Scalar(function) }
    }

    /// A built-in function whose definition is SQL and that returns a set, by its number.
    pub const fn numbered_set(name: &'static str, oid: u32, function: SetFn) -> Entry {
        Entry { name, oid: Oid(oid), body: Body::Set(function) }
    }

    /// An aggregate, by its number in `pg_proc`; `name` is its signature, for messages.
    pub const fn aggregate<A: Aggregate>(name: &'static str, oid: u32) -> Entry {
        Entry { name, oid: Oid(oid), body: Body::Aggregate(states::<A>) }
    }
}

/// A function found in the registry.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name it is bound by.
    pub name: &'static str,
    /// What stands behind it.
    pub body: Body,
}

/// All functions that have an implementation. Built once, from explicit tables.
#[derive(Default)]
pub struct Registry {
    by_name: HashMap<&'static str, Body>,
    by_oid: HashMap<Oid, Function>,
}

impl Registry {
    /// A registry of some tables.
    ///
    /// # Errors
    /// XX000 if a name is bound twice.
    pub fn new(tables: &[&[Entry]]) -> Result<Registry> {
        let mut registry = Registry::default();
        for entry in tables.iter().flat_map(|table| table.iter()) {
            let Entry { name, oid, body } = *entry;
            let twice = if oid.is_valid() {
                registry.by_oid.insert(oid, Function { name, body }).is_some()
            } else {
                registry.by_name.insert(name, body).is_some()
            };
            if twice {
                return Err(Error::internal(format!("function {name} is bound twice")));
            }
        }
        Ok(registry)
    }

    /// The function bound to a `prosrc`.
    pub fn find(&self, prosrc: &str) -> Option<Function> {
        self.by_name.get_key_value(prosrc).map(|(name, body)| Function { name, body: *body })
    }

    /// What is bound to a number of `pg_proc`: an aggregate or a function in SQL.
    pub fn numbered(&self, oid: Oid) -> Option<Function> {
        self.by_oid.get(&oid).copied()
    }

    /// The ordinary function bound to a `prosrc`.
    ///
    /// # Errors
    /// 0A000 if there is none.
    pub fn scalar(&self, prosrc: &str) -> Result<ScalarFn> {
        match self.by_name.get(prosrc) {
            Some(Body::Scalar(function)) => Ok(*function),
            _ => Err(err!(FEATURE_NOT_SUPPORTED, "function {prosrc} is not supported yet")),
        }
    }

    /// All names and all numbers that are bound.
    pub fn names(&self) -> (Vec<&'static str>, Vec<Oid>) {
        let mut names: Vec<_> = self.by_name.keys().copied().collect();
        names.sort_unstable();
        let mut oids: Vec<_> = self.by_oid.keys().copied().collect();
        oids.sort_unstable();
        (names, oids)
    }
}
