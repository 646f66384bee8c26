//! The extended query protocol.

use super::given::{Given, quoted};
use super::logged::portal_in_context;
use super::{Session, complete, utf8};
use crate::client::Client;
use crate::cursors::OpenCursor;
use crate::engine::{ParameterList, ParameterMode, Parameters};
use crate::plan_cache::PlanSlot;
use crate::portal::{Bound, PlanRef, Portal, Work};
use crate::row::{ColumnFormats, describe, write_row};
use crate::shared_statements::StatementKey;
use crate::statement::{Claim, Control, Kind, Prepared, is_own};
use base::{Error, Oid, Result, bail, check_for_interrupts, err};
use memory::{Bump, Charge, Frozen};
use parse::Statement;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use types::{Datum, Io};
use wire::backend;
use wire::frontend::{Bind, Format, Parse, Target};

impl Session {
    pub(super) fn statement(&self, name: &str) -> Result<Arc<Prepared>> {
        if name.is_empty() {
            return self.unnamed.clone().ok_or_else(|| {
                err!(INVALID_SQL_STATEMENT_NAME, "unnamed prepared statement does not exist")
            });
        }
        let found = self.statements.iter().find(|(n, _)| **n == *name);
        found.map(|(_, statement)| statement.clone()).ok_or_else(|| {
            err!(INVALID_SQL_STATEMENT_NAME, "prepared statement \"{name}\" does not exist")
        })
    }

    pub(super) fn parse(&mut self, parse: &Parse<'_>, client: &mut dyn Client) -> Result<()> {
        let name = utf8(parse.statement)?;
        let text = utf8(parse.query)?;
        self.state.begins(text);
        self.state.tell_truncated(text);
        let types: Vec<Oid> = parse.types.iter().collect();
        if name.is_empty() {
            self.unnamed = None;
        }
        if name.is_empty() {
            self.unnamed = Some(Arc::new(self.prepare(text, &types)?));
        } else {
            let prepared = self.shared(text, &types, |session| session.prepare(text, &types))?.0;
            if self.statements.iter().any(|(n, _)| **n == *name) {
                bail!(DUPLICATE_PSTATEMENT, "prepared statement \"{name}\" already exists");
            }
            self.state.note_prepared(name, &prepared, false);
            self.statements.push((name.into(), prepared));
        }
        backend::parse_complete(client.out());
        Ok(())
    }

    /// The statement that another session has prepared from the same text for the same things, or
    /// one that `prepare` makes; and its plan, if it has one.
    pub(super) fn shared(
        &mut self,
        text: &str,
        types: &[Oid],
        prepare: impl FnOnce(&mut Session) -> Result<Prepared>,
    ) -> Result<(Arc<Prepared>, Option<PlanRef>)> {
        let cluster = self.state.cluster().clone();
        let keep = |prepared: &Prepared| {
            let Kind::Plan(slot) = &prepared.kind else { return None };
            let plan = slot.get(cluster.plans());
            cluster.plans().keep(slot);
            plan
        };
        let Some(mut environment) = self.backend.sharing() else {
            let prepared = prepare(self)?;
            let plan = keep(&prepared);
            return Ok((Arc::new(prepared), plan));
        };
        self.state.settings().write_own(&mut environment);
        let (environment, types) = (environment.into(), types.into());
        let key = StatementKey { environment, text: text.into(), types };
        if let Some(found) = cluster.statements().find(&key)
            && let Kind::Plan(slot) = &found.kind
            && let Some(plan) = slot.get(cluster.plans())
            && !self.transaction.is_failed()
        {
            self.transaction.start()?;
            if self.backend.is_current(&*plan.0)? {
                return Ok((found, Some(plan)));
            }
        }
        let prepared = Arc::new(prepare(self)?);
        cluster.statements().share(key, &prepared);
        let plan = keep(&prepared);
        Ok((prepared, plan))
    }

    /// Parses and plans the one statement of a text.
    fn prepare(&mut self, text: &str, types: &[Oid]) -> Result<Prepared> {
        let bump = self.message_context()?;
        let statements = base::wait::on_thread_stack(|| parse::parse(&bump, text))?;
        match statements {
            [] => Ok(Prepared {
                _charge: self.charge_statement(text, types)?,
                source: text.into(),
                kind: Kind::Empty,
                parameters: known(types)?,
                columns: None,
                tag: "",
                claim: Claim::Nothing,
                ends_block: true,
            }),
            [one] => self.prepare_statement(text, text, &one.statement, types),
            _ => {
                Err(err!(SYNTAX_ERROR, "cannot insert multiple commands into a prepared statement"))
            }
        }
    }

    /// The charge for the text of a prepared statement and what else is in it.
    fn charge_statement(&self, text: &str, types: &[Oid]) -> Result<Charge> {
        let bytes = size_of::<Prepared>() + text.len() + size_of_val(types);
        self.state.cluster().charge_statement(bytes)
    }

    /// Plans a statement whose locations count in `source`.
    pub(super) fn prepare_statement(
        &mut self,
        source: &str,
        own_text: &str,
        statement: &Statement<'_>,
        types: &[Oid],
    ) -> Result<Prepared> {
        let tag = statement.command_tag();
        let charge = self.charge_statement(own_text, types)?;
        if let Statement::Transaction(control) = statement {
            let control = Control::read(control);
            let ends_block = control.ends_block();
            self.check_block(ends_block)?;
            return Ok(Prepared {
                source: own_text.into(),
                kind: Kind::Transaction(control),
                parameters: known(types)?,
                columns: None,
                tag,
                claim: Claim::Nothing,
                ends_block,
                _charge: charge,
            });
        }
        self.check_block(false)?;
        self.transaction.start()?;
        if is_own(statement) {
            let parameters: Box<[Oid]> = match statement {
                Statement::DeclareCursor(declare) => {
                    let mode = ParameterMode::Inferred;
                    self.backend.plan(source, declare.query, types, mode)?.parameters().into()
                }
                _ => known(types)?,
            };
            return Ok(Prepared {
                source: own_text.into(),
                kind: Kind::Own,
                parameters,
                columns: self.own_columns(statement)?,
                tag,
                claim: Claim::Nothing,
                ends_block: false,
                _charge: charge,
            });
        }
        let plan = self.backend.plan(source, statement, types, ParameterMode::Inferred)?;
        Ok(Prepared {
            source: own_text.into(),
            parameters: plan.parameters().into(),
            columns: plan.columns().map(Arc::from),
            tag: plan.tag(),
            claim: Claim::of(statement),
            kind: Kind::Plan(PlanSlot::new(PlanRef(plan))),
            ends_block: false,
            _charge: charge,
        })
    }

    /// The prepared statement and its plan, if it has one: planned again if it no longer fits the
    /// catalogs, or was evicted.
    pub(super) fn current(
        &mut self,
        name: &str,
        old: Arc<Prepared>,
    ) -> Result<(Arc<Prepared>, Option<PlanRef>)> {
        let Kind::Plan(slot) = &old.kind else { return Ok((old, None)) };
        if let Some(plan) = slot.get(self.state.cluster().plans())
            && self.backend.is_current(&*plan.0)?
        {
            return Ok((old, Some(plan)));
        }
        let (new, plan) = self.planned_again(name, &old)?;
        if name.is_empty() {
            self.unnamed = Some(new.clone());
        } else if let Some((_, kept)) = self.statements.iter_mut().find(|(n, _)| **n == *name) {
            *kept = new.clone();
        }
        Ok((new, plan))
    }

    /// A prepared statement planned again: what it gives must be what it was.
    fn planned_again(
        &mut self,
        name: &str,
        old: &Prepared,
    ) -> Result<(Arc<Prepared>, Option<PlanRef>)> {
        let text = old.source.clone();
        let bump = self.message_context()?;
        let statements = base::wait::on_thread_stack(|| parse::parse(&bump, &text))?;
        let statement = statements.iter().find_map(|raw| match &raw.statement {
            Statement::Prepare(prepare) => (prepare.name == name).then_some(prepare.query),
            other => (statements.len() == 1).then_some(other),
        });
        let statement = statement.ok_or_else(|| Error::internal("a statement without its text"))?;
        let types = &old.parameters;
        let (new, plan) = self.shared(&text, types, |session| {
            session.prepare_statement(&text, &text, statement, types)
        })?;
        let shape = |prepared: &Prepared| -> Vec<(Box<str>, Oid, i32)> {
            let columns = prepared.columns.as_deref().unwrap_or_default().iter();
            columns.map(|c| (c.name.clone(), c.type_oid, c.type_modifier)).collect()
        };
        if shape(old) != shape(&new) {
            bail!(FEATURE_NOT_SUPPORTED, "cached plan must not change result type");
        }
        Ok((new, plan))
    }

    /// Plans a bound portal again if what has run since Bind has changed what it was planned for.
    pub(super) fn renew(&mut self, index: usize) -> Result<()> {
        let portal = &self.portals[index];
        let (Work::Plan(plan, _), Some(bound)) = (&portal.work, &portal.bound) else {
            return Ok(());
        };
        if bound.runs == self.runs || self.backend.is_current(&*plan.0)? {
            return Ok(());
        }
        let (prepared, name) = (bound.prepared.clone(), bound.statement.clone());
        let (_, again) = self.planned_again(&name, &prepared)?;
        if let (Some(again), Work::Plan(plan, _)) = (again, &mut self.portals[index].work) {
            *plan = again;
        }
        Ok(())
    }

    pub(super) fn bind(&mut self, bind: &Bind<'_>, client: &mut dyn Client) -> Result<()> {
        let portal_name = utf8(bind.portal)?;
        let statement_name = utf8(bind.statement)?;
        let prepared = self.statement(statement_name)?;
        self.state.begins(&prepared.source);
        let expected = prepared.parameters.len();
        let given = bind.parameters.len();
        if !bind.parameter_formats.fits(given) {
            bail!(
                PROTOCOL_VIOLATION,
                "bind message has {} parameter formats but {given} parameters",
                bind.parameter_formats.len()
            );
        }
        if given != expected {
            bail!(
                PROTOCOL_VIOLATION,
                "bind message supplies {given} parameters, but prepared statement \
                 \"{statement_name}\" requires {expected}"
            );
        }
        self.check_block(prepared.ends_block)?;
        if !prepared.ends_block {
            self.enter(prepared.claim)?;
            self.transaction.start()?;
        }
        if portal_name.is_empty() {
            self.portals.retain(|portal| !portal.name.is_empty());
        } else if self.portals.iter().any(|portal| portal.is_named(portal_name)) {
            bail!(DUPLICATE_CURSOR, "cursor \"{portal_name}\" already exists");
        }
        let (prepared, plan) = self.current(statement_name, prepared)?;
        let work = match plan {
            Some(plan) => {
                let parameters = self.read_parameters(portal_name, bind, &prepared.parameters)?;
                Work::Plan(plan, parameters)
            }
            None => {
                let parameters = self.read_parameters(portal_name, bind, &prepared.parameters)?;
                Work::Own(prepared.clone(), parameters)
            }
        };
        let given = match &work {
            Work::Plan(_, values) => Given::keep(&self.state.frequent().log, &prepared, values),
            _ => None,
        };
        let columns = prepared.columns.clone();
        let count = columns.as_ref().map_or(0, |columns| columns.len());
        let formats = match &columns {
            Some(_) => ColumnFormats::read(&bind.result_formats, count)?,
            None => ColumnFormats::TEXT,
        };
        let open = self.state.open_cursor(OpenCursor {
            name: portal_name.into(),
            statement: prepared.source.as_ref().into(),
            holdable: false,
            binary: false,
            scrollable: false,
            created_us: self.state.statement_start_us(),
            is_query: columns.is_some(),
            marks: None,
            held: Cell::default(),
            position: RefCell::default(),
        });
        self.portals.push(Portal {
            name: portal_name.into(),
            work,
            columns,
            formats,
            tag: prepared.tag,
            given,
            bound: Some(Bound { statement: statement_name.into(), prepared, runs: self.runs }),
            hold: false,
            persisted: false,
            savepoints: self.transaction.savepoint_count(),
            open,
        });
        backend::bind_complete(client.out());
        Ok(())
    }

    fn read_parameters(&self, portal: &str, bind: &Bind<'_>, types: &[Oid]) -> Result<Parameters> {
        if types.is_empty() {
            return Ok(Parameters::none());
        }
        let io = self.backend.io();
        let bytes_max = self.state.frequent().log.parameters_on_error.bytes_max();
        let frozen = Frozen::new("parameters", self.state.account(), |bump| {
            let values = bump.try_alloc_slice(
                bind.parameters.iter().zip(types).enumerate().map(|(at, (bytes, type_oid))| {
                    let Some(bytes) = bytes else { return Ok(Datum::Null) };
                    let format = bind.parameter_formats.get(at)?;
                    parameter(&io, *type_oid, format, bytes, bump)
                        .map_err(|error| with_context(error, portal, at, format, bytes, bytes_max))
                }),
            )?;
            Ok(ParameterList(values))
        })?;
        Ok(Parameters::new(frozen))
    }

    fn portal_index(&self, name: &str) -> Result<usize> {
        let found = self.portals.iter().position(|portal| portal.is_named(name));
        found.ok_or_else(|| err!(INVALID_CURSOR_NAME, "portal \"{name}\" does not exist"))
    }

    pub(super) fn describe(&mut self, target: Target<'_>, client: &mut dyn Client) -> Result<()> {
        match target {
            Target::Statement(name) => {
                let prepared = self.statement(utf8(name)?)?;
                self.check_block(prepared.columns.is_none())?;
                let out = client.out();
                backend::parameter_description(out, prepared.parameters.iter().copied());
                match &prepared.columns {
                    Some(columns) => describe(out, columns, &ColumnFormats::TEXT),
                    None => backend::no_data(out),
                }
            }
            Target::Portal(name) => {
                let portal = &self.portals[self.portal_index(utf8(name)?)?];
                self.check_block(portal.columns.is_none())?;
                match &portal.columns {
                    Some(columns) => describe(client.out(), columns, &portal.formats),
                    None => backend::no_data(client.out()),
                }
            }
        }
        Ok(())
    }

    pub(super) fn close(&mut self, target: Target<'_>, client: &mut dyn Client) -> Result<()> {
        match target {
            Target::Statement([]) => self.unnamed = None,
            Target::Statement(name) => {
                let name = utf8(name)?;
                self.statements.retain(|(n, _)| **n != *name);
                self.state.forget_prepared(Some(name));
            }
            Target::Portal(name) => {
                let name = utf8(name)?;
                self.portals.retain(|portal| *portal.name != *name);
            }
        }
        backend::close_complete(client.out());
        Ok(())
    }

    pub(super) fn execute(
        &mut self,
        name: &[u8],
        rows_max: i32,
        client: &mut dyn Client,
    ) -> Result<()> {
        let name = utf8(name)?;
        let index = self.portal_index(name)?;
        check_for_interrupts()?;
        if self.in_pipeline {
            self.transaction.begin_implicit();
        }
        self.in_pipeline = true;
        self.state.set_command(self.portals[index].tag);
        let again = matches!(self.portals[index].work, Work::Cursor(_) | Work::Done);
        self.log_execute(index, again);
        let limit = u64::try_from(rows_max).ok().filter(|limit| *limit > 0);
        let own = match &self.portals[index].work {
            Work::Own(prepared, given) => Some((prepared.clone(), given.clone())),
            _ => None,
        };
        if let Some((prepared, given)) = own {
            self.portals[index].work = Work::Done;
            self.runs += 1;
            return self.execute_own(&prepared, &given, index, client);
        }
        self.check_block(false)?;
        self.transaction.start()?;
        self.execute_portal(index, limit, client).map_err(|error| self.with_parameters(error, name))
    }

    /// Makes a portal ready to be run in portions.
    fn divide(&mut self, index: usize) -> Result<()> {
        match &self.portals[index].work {
            Work::Plan(plan, _) if plan.0.is_portable() => self.make_cursor(index),
            _ => self.keep_result(index),
        }
    }

    fn execute_own(
        &mut self,
        prepared: &Arc<Prepared>,
        given: &Parameters,
        index: usize,
        client: &mut dyn Client,
    ) -> Result<()> {
        self.check_block(prepared.ends_block)?;
        let completion = match &prepared.kind {
            Kind::Empty => {
                backend::empty_query_response(client.out());
                return Ok(());
            }
            Kind::Transaction(control) => self.control(control, client)?,
            _ => {
                self.transaction.start()?;
                let formats = self.portals[index].formats.clone();
                let bump = self.message_context()?;
                let source = prepared.source.clone();
                let statements = base::wait::on_thread_stack(|| parse::parse(&bump, &source))?;
                let [raw] = statements else {
                    return Err(Error::internal("a prepared statement changed its text"));
                };
                match &raw.statement {
                    Statement::DeclareCursor(declare) => {
                        self.declare(&source, declare, &prepared.parameters, given)?
                    }
                    _ => self.run_own(&source, raw, &formats, false, client)?,
                }
            }
        };
        self.complete_own(&completion, client);
        Ok(())
    }

    fn execute_portal(
        &mut self,
        index: usize,
        limit: Option<u64>,
        client: &mut dyn Client,
    ) -> Result<()> {
        self.renew(index)?;
        self.runs += 1;
        if limit.is_some() {
            self.divide(index)?;
        }
        let limit = limit.unwrap_or(u64::MAX);
        let portal = &mut self.portals[index];
        let columns = portal.columns.clone();
        let formats = portal.formats.clone();
        let tag = portal.tag;
        match &mut portal.work {
            Work::Plan(..) => {
                let Work::Plan(plan, parameters) = std::mem::replace(&mut portal.work, Work::Done)
                else {
                    return Err(Error::internal("a portal changed"));
                };
                let columns = columns.as_deref().unwrap_or(&[]);
                let completion = self.run_plan(&*plan.0, &parameters, columns, &formats, client)?;
                let out = client.out();
                self.state.flush_notices(out);
                complete(out, &completion);
            }
            Work::Cursor(cursor) => {
                let backend = self.backend.clone();
                let io = backend.io();
                let columns = columns.as_deref().unwrap_or(&[]);
                let account = self.state.account();
                let rows = cursor.forward(limit, &mut |values| {
                    write_row(client.out(), account, &io, columns, &formats, values)
                })?;
                let out = client.out();
                self.state.flush_notices(out);
                if rows == limit {
                    backend::portal_suspended(out);
                } else {
                    let tag = if tag == "FETCH" { "SELECT" } else { tag };
                    complete_portion(out, tag, rows);
                }
            }
            Work::Done => {
                if columns.is_none() {
                    bail!(
                        OBJECT_NOT_IN_PREREQUISITE_STATE,
                        "portal \"{}\" cannot be run",
                        portal.name
                    );
                }
                complete_portion(client.out(), tag, 0);
            }
            Work::Own(..) => return Err(Error::internal("a portal of the session's own")),
        }
        Ok(())
    }
}

/// Writes CommandComplete for the last portion of rows: most commands do not tell how many.
fn complete_portion(out: &mut Vec<u8>, tag: &str, rows: u64) {
    match tag {
        "INSERT" => backend::command_complete_rows(out, "INSERT 0", rows),
        "SELECT" | "UPDATE" | "DELETE" | "MERGE" | "FETCH" => {
            backend::command_complete_rows(out, tag, rows);
        }
        _ => backend::command_complete(out, tag),
    }
}

/// The types of parameters that nothing can decide on any more.
fn known(types: &[Oid]) -> Result<Box<[Oid]>> {
    let unknown = |oid: &Oid| *oid == Oid::INVALID || *oid == Oid(types::oids::UNKNOWN);
    match types.iter().position(unknown) {
        None => Ok(types.into()),
        Some(at) => Err(err!(
            INDETERMINATE_DATATYPE,
            "could not determine data type of parameter ${}",
            at + 1
        )),
    }
}

fn parameter<'m>(
    io: &Io<'_>,
    type_oid: Oid,
    format: Format,
    bytes: &[u8],
    bump: &'m Bump,
) -> Result<Datum<'m>> {
    match format {
        Format::Text => io.input(type_oid.0, -1, utf8(bytes)?, &bump),
        Format::Binary => io.recv(type_oid.0, -1, bytes, &bump),
    }
}

fn with_context(
    error: Error,
    portal: &str,
    at: usize,
    format: Format,
    bytes: &[u8],
    bytes_max: Option<usize>,
) -> Error {
    let place = portal_in_context(portal);
    match (format, std::str::from_utf8(bytes)) {
        (Format::Text, Ok(text)) => {
            error.context(format!("{place} parameter ${} = {}", at + 1, quoted(text, bytes_max)))
        }
        _ => error.context(format!("{place} parameter ${}", at + 1)),
    }
}
