//! DECLARE CURSOR, FETCH, MOVE, CLOSE.

use super::Session;
use crate::client::{Client, SEND_BYTES};
use crate::engine::{Completion, ParameterMode, Parameters, ResultColumn};
use crate::portal::{Cursor, PlanRef, Portal, Work};
use crate::row::{ColumnFormats, describe, write_row};
use base::{Error, Result, bail, err};
use parse::{DeclareCursorStmt, FetchDirection, FetchStmt};
use std::sync::Arc;
use types::Datum;
use wire::frontend::Format;

fn done(tag: &'static str, rows: Option<u64>) -> Completion {
    Completion { tag: tag.into(), rows }
}

impl Session {
    pub(super) fn declare(
        &mut self,
        source: &str,
        declare: &DeclareCursorStmt<'_>,
    ) -> Result<Completion> {
        if !declare.hold {
            self.transaction.require_block("DECLARE CURSOR")?;
        }
        if declare.insensitive && declare.asensitive {
            bail!(INVALID_CURSOR_DEFINITION, "cannot specify both INSENSITIVE and ASENSITIVE");
        }
        if self.portals.iter().any(|portal| *portal.name == *declare.name) {
            bail!(DUPLICATE_CURSOR, "cursor \"{}\" already exists", declare.name);
        }
        let plan = self.backend.plan(source, declare.query, &[], ParameterMode::None)?;
        if !plan.is_portable() {
            bail!(
                INVALID_CURSOR_DEFINITION,
                "DECLARE CURSOR must not contain data-modifying statements in WITH"
            );
        }
        plan.check()?;
        // Without a word on it PostgreSQL decides by the plan; rows are kept to be safe.
        let scroll = declare.scroll.unwrap_or(true);
        let columns: Option<Arc<[ResultColumn]>> = plan.columns().map(Arc::from);
        let cursor = Cursor::new(&self.state, &self.backend, &plan, &Parameters::none(), scroll);
        self.transaction.note_query();
        let format = if declare.binary { Format::Binary } else { Format::Text };
        self.portals.push(Portal {
            name: declare.name.into(),
            work: Work::Cursor(Box::new(cursor)),
            columns,
            formats: ColumnFormats::All(format),
            tag: "FETCH",
            hold: declare.hold,
            persisted: false,
            savepoints: self.transaction.savepoint_count(),
        });
        Ok(done("DECLARE CURSOR", None))
    }

    pub(super) fn close_cursor(&mut self, name: Option<&str>) -> Result<Completion> {
        let Some(name) = name else {
            self.portals.clear();
            return Ok(done("CLOSE CURSOR ALL", None));
        };
        let before = self.portals.len();
        self.portals.retain(|portal| *portal.name != *name);
        if self.portals.len() == before {
            return Err(missing(name));
        }
        Ok(done("CLOSE CURSOR", None))
    }

    /// Makes a portal that was only bound into a cursor.
    pub(super) fn make_cursor(&mut self, index: usize) -> Result<()> {
        let portal = &mut self.portals[index];
        if let Work::Plan(PlanRef(plan), parameters) = &portal.work {
            if !plan.is_portable() {
                return Err(Error::unsupported(
                    "fetching the result of this statement in portions is not supported yet",
                ));
            }
            let cursor = Cursor::new(&self.state, &self.backend, plan, parameters, false);
            portal.work = Work::Cursor(Box::new(cursor));
        }
        Ok(())
    }

    pub(super) fn fetch(
        &mut self,
        fetch: &FetchStmt<'_>,
        formats: &ColumnFormats,
        describing: bool,
        client: &mut dyn Client,
    ) -> Result<Completion> {
        let index = self
            .portals
            .iter()
            .position(|portal| *portal.name == *fetch.cursor)
            .ok_or_else(|| missing(fetch.cursor))?;
        self.make_cursor(index)?;
        let portal = &mut self.portals[index];
        let columns = portal.columns.clone().unwrap_or_default();
        // A BINARY cursor answers in binary whatever FETCH is sent with.
        let formats = match &portal.formats {
            binary @ ColumnFormats::All(Format::Binary) => binary.clone(),
            _ => formats.clone(),
        };
        let Work::Cursor(cursor) = &mut portal.work else {
            bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "portal \"{}\" cannot be run", fetch.cursor);
        };
        if describing && !fetch.is_move {
            describe(client.out(), &columns, &formats);
        }
        let backend = self.backend.clone();
        let io = backend.io();
        let mut send = |values: &[Datum<'_>]| {
            if fetch.is_move {
                return Ok(());
            }
            write_row(client.out(), &io, &columns, &formats, values)?;
            if client.out().len() >= SEND_BYTES {
                client.send()?;
            }
            Ok(())
        };
        let rows = fetch_rows(cursor, fetch.direction, fetch.count, &mut send)?;
        Ok(done(if fetch.is_move { "MOVE" } else { "FETCH" }, Some(rows)))
    }
}

fn missing(name: &str) -> Error {
    err!(INVALID_CURSOR_NAME, "cursor \"{name}\" does not exist")
}

type Take<'t> = &'t mut dyn FnMut(&[Datum<'_>]) -> Result<()>;

fn fetch_rows(
    cursor: &mut Cursor,
    direction: FetchDirection,
    count: i64,
    take: Take<'_>,
) -> Result<u64> {
    let all = |count: i64| if count == i64::MAX { u64::MAX } else { count.unsigned_abs() };
    let to_row = |row: i64| usize::try_from(row.max(0)).unwrap_or(usize::MAX);
    let position = i64::try_from(cursor.position()).unwrap_or(i64::MAX);
    match (direction, count) {
        (FetchDirection::Forward | FetchDirection::Backward | FetchDirection::Relative, 0) => {
            if position == 0 {
                return Ok(0);
            }
            cursor.again(take)
        }
        (FetchDirection::Forward, count) if count > 0 => cursor.forward(all(count), take),
        (FetchDirection::Forward, count) => cursor.backward(all(count), take),
        (FetchDirection::Backward, count) if count > 0 => cursor.backward(all(count), take),
        (FetchDirection::Backward, count) => cursor.forward(all(count), take),
        (FetchDirection::Relative, count) => {
            cursor.absolute(to_row(position.saturating_add(count)), take)
        }
        (FetchDirection::Absolute, count) if count >= 0 => cursor.absolute(to_row(count), take),
        (FetchDirection::Absolute, count) => {
            let total = i64::try_from(cursor.total()?).unwrap_or(i64::MAX);
            cursor.absolute(to_row(total.saturating_add(count).saturating_add(1)), take)
        }
    }
}
