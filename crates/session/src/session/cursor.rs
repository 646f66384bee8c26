//! DECLARE CURSOR, FETCH, MOVE, CLOSE.

use super::Session;
use crate::client::{Client, SEND_BYTES};
use crate::cursors::{OpenCursor, Position};
use crate::engine::{Completion, Parameters, Plan, ResultColumn};
use crate::portal::{Cursor, PlanRef, Portal, Work};
use crate::row::{ColumnFormats, describe, write_row};
use base::{Error, Oid, Result, bail, err};
use parse::{DeclareCursorStmt, FetchDirection, FetchStmt};
use std::cell::{Cell, RefCell};
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
        types: &[Oid],
        parameters: &Parameters,
    ) -> Result<Completion> {
        if !declare.hold {
            self.transaction.require_block("DECLARE CURSOR")?;
        }
        if declare.scroll_both {
            bail!(INVALID_CURSOR_DEFINITION, "cannot specify both SCROLL and NO SCROLL");
        }
        if declare.insensitive && declare.asensitive {
            bail!(INVALID_CURSOR_DEFINITION, "cannot specify both ASENSITIVE and INSENSITIVE");
        }
        if self.portals.iter().any(|portal| *portal.name == *declare.name) {
            bail!(DUPLICATE_CURSOR, "cursor \"{}\" already exists", declare.name);
        }
        let plan = self.backend.plan_cursor(source, declare.query, types)?;
        if !plan.is_portable() {
            bail!(
                FEATURE_NOT_SUPPORTED,
                "DECLARE CURSOR must not contain data-modifying statements in WITH"
            );
        }
        check_locks(declare, &*plan)?;
        plan.check()?;
        let scroll =
            declare.scroll.unwrap_or_else(|| plan.locks().is_none() && plan.runs_backward());
        let columns: Option<Arc<[ResultColumn]>> = plan.columns().map(Arc::from);
        self.transaction.note_query();
        let cursor = Cursor::new(&self.state, &self.backend, &plan, parameters, scroll)?;
        let open = self.state.open_cursor(OpenCursor {
            name: declare.name.into(),
            statement: source.into(),
            holdable: declare.hold,
            binary: declare.binary,
            scrollable: scroll,
            created_us: self.state.statement_start_us(),
            is_query: true,
            marks: plan.marks().cloned(),
            held: Cell::default(),
            position: RefCell::default(),
        });
        let format = if declare.binary { Format::Binary } else { Format::Text };
        self.portals.push(Portal {
            name: declare.name.into(),
            work: Work::Cursor(Box::new(cursor)),
            columns,
            formats: ColumnFormats::All(format),
            tag: "FETCH",
            given: None,
            bound: None,
            hold: declare.hold,
            persisted: false,
            savepoints: self.transaction.savepoint_count(),
            open,
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
            let cursor = Cursor::new(&self.state, &self.backend, plan, parameters, false)?;
            portal.work = Work::Cursor(Box::new(cursor));
        }
        Ok(())
    }

    /// Runs a portal with rows that cannot be run in portions to its end: the rows are kept for
    /// the portions.
    pub(super) fn keep_result(&mut self, index: usize) -> Result<()> {
        let portal = &mut self.portals[index];
        if portal.columns.is_none() || !matches!(portal.work, Work::Plan(..)) {
            return Ok(());
        }
        let Work::Plan(PlanRef(plan), parameters) = std::mem::replace(&mut portal.work, Work::Done)
        else {
            return Err(Error::internal("a portal changed"));
        };
        self.before_plan(&*plan)?;
        let cursor = Cursor::of_whole(&self.state, &*self.backend, &*plan, &parameters)?;
        self.portals[index].work = Work::Cursor(Box::new(cursor));
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
        self.renew(index)?;
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
            write_row(client.out(), self.state.account(), &io, &columns, &formats, values)?;
            if client.out().len() >= SEND_BYTES {
                client.send()?;
            }
            Ok(())
        };
        let rows = match fetch_rows(cursor, fetch.direction, fetch.count, fetch.is_move, &mut send)
        {
            Ok(rows) => rows,
            Err(error) => {
                // A portal that has failed stays so, whatever is rolled back.
                portal.work = Work::Done;
                return Err(error);
            }
        };
        if let Some(marks) = &portal.open.marks {
            let mut ids = Vec::new();
            let on_row = cursor.current(&mut |values| {
                ids.extend(marks.rows.iter().map(|(_, at)| match values.get(*at) {
                    Some(Datum::Int8(id)) => Some(id.cast_unsigned()),
                    _ => None,
                }));
                Ok(())
            })?;
            *portal.open.position.borrow_mut() =
                if on_row { Position::Row(ids) } else { Position::NoRow };
        }
        Ok(done(if fetch.is_move { "MOVE" } else { "FETCH" }, Some(rows)))
    }
}

/// 0A000 for a cursor that locks rows and should do what only reading ones can.
fn check_locks(declare: &DeclareCursorStmt<'_>, plan: &dyn Plan) -> Result<()> {
    let Some(word) = plan.locks() else { return Ok(()) };
    let (message, detail) = if declare.hold {
        (format!("DECLARE CURSOR WITH HOLD ... {word} is not supported"), "Holdable")
    } else if declare.scroll == Some(true) {
        (format!("DECLARE SCROLL CURSOR ... {word} is not supported"), "Scrollable")
    } else if declare.insensitive {
        let message = format!("DECLARE INSENSITIVE CURSOR ... {word} is not valid");
        return Err(Error::new(base::SqlState::INVALID_CURSOR_DEFINITION, message)
            .detail("Insensitive cursors must be READ ONLY."));
    } else {
        return Ok(());
    };
    Err(Error::unsupported(message).detail(format!("{detail} cursors must be READ ONLY.")))
}

fn missing(name: &str) -> Error {
    err!(INVALID_CURSOR_NAME, "cursor \"{name}\" does not exist")
}

type Take<'t> = &'t mut dyn FnMut(&[Datum<'_>]) -> Result<()>;

fn fetch_rows(
    cursor: &mut Cursor,
    direction: FetchDirection,
    count: i64,
    is_move: bool,
    take: Take<'_>,
) -> Result<u64> {
    let all = |count: i64| if count == i64::MAX { u64::MAX } else { count.unsigned_abs() };
    let to_row = |row: i64| usize::try_from(row.max(0)).unwrap_or(usize::MAX);
    let position = i64::try_from(cursor.position()).unwrap_or(i64::MAX);
    match (direction, count) {
        (FetchDirection::Forward | FetchDirection::Backward | FetchDirection::Relative, 0) => {
            // MOVE only tells whether there is a row; FETCH goes back to give it again.
            if is_move {
                return Ok(u64::from(cursor.current(&mut |_| Ok(()))?));
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
