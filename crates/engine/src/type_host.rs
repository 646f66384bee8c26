//! The session as the host of types: the catalogs, and the constraints of domains.
//!
//! Reading the text or binary form of a domain's value checks the domain, as PostgreSQL's input
//! functions do. The checks are compiled once and kept while the catalogs are the same.

use crate::backend::Backend;
use base::{Oid, Result};
use catalog::rows::TypeKind;
use expr::{Inputs, Program, Runner, Value};
use memory::collections::Output;
use memory::{Bump, Frozen};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;
use types::{Arena, Datum, Io, TypeClass, TypeHost};

type CheckProgram<'p> = Program<'p>;
memory::family!(pub(crate) CheckPrograms = CheckProgram);

/// The compiled checks of domains, and the catalogs that they are of.
#[derive(Default)]
pub(crate) struct DomainChecks {
    generation: (u64, u64),
    programs: HashMap<Oid, Rc<Frozen<CheckPrograms>>>,
}

/// What a session keeps of them.
pub(crate) type KeptChecks = RefCell<DomainChecks>;

impl Backend {
    /// Checks a value that becomes one of a domain, NULL included; other types have no checks.
    pub(crate) fn check_domain(&self, type_oid: Oid, value: &Datum<'_>) -> Result<()> {
        if types::oids::builtin(type_oid.0).is_some()
            || self.catalog.type_(type_oid)?.kind != TypeKind::Domain
        {
            return Ok(());
        }
        let program = self.domain_program(type_oid)?;
        let bump = Bump::new("domain check", self.state.account().clone());
        let cx = Value { bump: &bump, host: self, params: &[], subplans: None };
        let values = [*value];
        program.get().eval_one(&mut Runner::new(), &cx, Inputs::Row(&values)).map(drop)
    }

    fn domain_program(&self, domain: Oid) -> Result<Rc<Frozen<CheckPrograms>>> {
        let generation = self.catalog.generation();
        let own = self.catalog.has_own_changes();
        {
            let mut kept = self.domain_checks.borrow_mut();
            if kept.generation != generation || own {
                *kept = DomainChecks { generation, programs: HashMap::new() };
            }
            if let Some(program) = kept.programs.get(&domain) {
                return Ok(program.clone());
            }
        }
        let account = self.state.account();
        let trees = Bump::new("domain checks", account.clone());
        let program = Frozen::<CheckPrograms>::new("domain checks", account, |bump| {
            plan::domain_program(bump, &trees, self, domain)
        })?;
        let program = Rc::new(program);
        self.domain_checks.borrow_mut().programs.insert(domain, program.clone());
        Ok(program)
    }
}

impl TypeHost for Backend {
    fn class(&self, type_oid: u32) -> Result<TypeClass> {
        self.catalog.class(type_oid)
    }

    fn columns(&self, type_oid: u32) -> Result<Vec<(u32, i32)>> {
        self.catalog.columns(type_oid)
    }

    fn column_names(&self, type_oid: u32, typmod: i32) -> Result<Vec<String>> {
        self.catalog.column_names(type_oid, typmod)
    }

    fn type_name(&self, type_oid: u32) -> String {
        self.catalog.type_name(type_oid)
    }

    fn domain(&self, type_oid: u32) -> Result<Option<(u32, i32)>> {
        if types::oids::builtin(type_oid).is_some() {
            return Ok(None);
        }
        let row = self.catalog.type_(Oid(type_oid))?;
        let is_domain = row.kind == TypeKind::Domain;
        Ok(is_domain.then_some((row.base_type.0, row.typmod)))
    }

    fn check_domain(&self, type_oid: u32, value: &Datum<'_>) -> Result<()> {
        Backend::check_domain(self, Oid(type_oid), value)
    }

    fn check_pattern(
        &self,
        pattern: &str,
        flags: types::jsonpath::RegexFlags,
        account: &memory::Account,
    ) -> Result<()> {
        functions_json::check_pattern(pattern, flags, account)
    }

    fn input<'m>(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        typmod: i32,
        text: &str,
        arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>> {
        let value = self.catalog.input(io, type_oid, typmod, text, arena)?;
        self.check_domain(Oid(type_oid), &value)?;
        Ok(value)
    }

    fn output(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        datum: &Datum<'_>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        self.catalog.output(io, type_oid, datum, out)
    }

    fn recv<'m>(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        typmod: i32,
        bytes: &[u8],
        arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>> {
        let value = self.catalog.recv(io, type_oid, typmod, bytes, arena)?;
        self.check_domain(Oid(type_oid), &value)?;
        Ok(value)
    }

    fn send(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        datum: &Datum<'_>,
        out: &mut Output<'_>,
    ) -> Result<()> {
        self.catalog.send(io, type_oid, datum, out)
    }

    fn compare(&self, type_oid: u32, a: &Datum<'_>, b: &Datum<'_>) -> Result<Ordering> {
        self.catalog.compare(type_oid, a, b)
    }
}
