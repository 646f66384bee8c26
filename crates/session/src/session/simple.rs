//! The simple query protocol.

use super::{Flow, Session, complete, utf8};
use crate::client::{Client, SEND_BYTES};
use crate::engine::{Completion, ParameterMode, ResultColumn};
use crate::row::{ColumnFormats, describe};
use crate::statement::{Claim, Control, is_own};
use base::{Result, check_for_interrupts};
use parse::{RawStatement, Statement};
use wire::backend;

impl Session {
    pub(super) fn simple_query(&mut self, text: &[u8], client: &mut dyn Client) -> Flow {
        self.runs += 1;
        self.unnamed = None;
        self.portals.retain(|portal| !portal.name.is_empty());
        self.begin_message(client);
        let result = self.simple_statements(text, client);
        self.end_message(client);
        if result.is_ok() {
            self.log_time(|| (format!("statement: {}", String::from_utf8_lossy(text)), None));
        }
        if let Err(error) = result
            && self.report(error, std::str::from_utf8(text).ok(), client) == Flow::End
        {
            return Flow::End;
        }
        self.ready(client);
        Flow::Continue
    }

    /// A call of the fast path. Its answer ends with ReadyForQuery, as a query's does.
    pub(super) fn function_call(&mut self, client: &mut dyn Client) -> Flow {
        let error = base::Error::unsupported("fast-path function calls are not supported yet")
            .hint("Call the function in a SELECT.");
        if self.report(error, None, client) == Flow::End {
            return Flow::End;
        }
        self.ready(client);
        Flow::Continue
    }

    fn simple_statements(&mut self, text: &[u8], client: &mut dyn Client) -> Result<()> {
        let text = utf8(text)?;
        self.state.begins(text);
        self.state.tell_truncated(text);
        let bump = self.message_context()?;
        let statements = base::wait::on_thread_stack(|| parse::parse(&bump, text))?;
        self.log_statements(text, statements);
        if statements.is_empty() {
            backend::empty_query_response(client.out());
            return self.end_implicit(client);
        }
        let count = statements.len();
        for (index, raw) in statements.iter().enumerate() {
            check_for_interrupts()?;
            if index > 0 {
                self.time_statement(client);
                self.time_transaction(true, client);
            }
            if count > 1 {
                self.transaction.begin_implicit();
            }
            self.simple_statement(text, raw, index + 1 == count, client)?;
            if client.out().len() >= SEND_BYTES {
                client.send()?;
            }
        }
        Ok(())
    }

    fn simple_statement(
        &mut self,
        text: &str,
        raw: &RawStatement<'_>,
        last: bool,
        client: &mut dyn Client,
    ) -> Result<()> {
        let statement = &raw.statement;
        self.state.set_command(statement.command_tag());
        if let Statement::Transaction(control) = statement {
            let control = Control::read(control);
            self.check_block(control.ends_block())?;
            let completion = self.control(&control, client)?;
            if last {
                self.end_implicit(client)?;
            }
            let out = client.out();
            self.state.flush_notices(out);
            complete(out, &completion);
            return Ok(());
        }
        self.check_block(false)?;
        self.enter(Claim::of(statement))?;
        self.transaction.start()?;
        if is_own(statement) {
            let completion = self.run_own(text, raw, &ColumnFormats::TEXT, true, client)?;
            return self.simple_complete(&completion, last, client);
        }
        let plan = self.backend.plan(text, statement, &[], ParameterMode::None)?;
        self.simple_plan(&*plan, last, client)
    }

    fn simple_plan(
        &mut self,
        plan: &dyn crate::engine::Plan,
        last: bool,
        client: &mut dyn Client,
    ) -> Result<()> {
        let columns: &[ResultColumn] = plan.columns().unwrap_or(&[]);
        if plan.columns().is_some() {
            describe(client.out(), columns, &ColumnFormats::TEXT);
        }
        let none = crate::engine::Parameters::none();
        let completion = self.run_plan(plan, &none, columns, &ColumnFormats::TEXT, client)?;
        self.simple_complete(&completion, last, client)
    }

    /// A single statement's transaction ends before its completion is reported.
    fn simple_complete(
        &mut self,
        completion: &Completion,
        last: bool,
        client: &mut dyn Client,
    ) -> Result<()> {
        if last {
            self.end_implicit(client)?;
        }
        let out = client.out();
        self.state.flush_notices(out);
        complete(out, completion);
        Ok(())
    }
}
