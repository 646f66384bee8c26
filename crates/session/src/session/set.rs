//! SET, RESET, SHOW, DISCARD.

use super::control::apply;
use super::{Session, complete};
use crate::client::Client;
use crate::engine::{Backend, Completion, Isolation, Parameters, ResultColumn};
use crate::row::{ColumnFormats, describe, write_row};
use crate::settings::{Action, Settings, lookup, quote_identifier, unrecognized};
use crate::settings::{is_confidential, not_to_be_examined};
use crate::state::State;
use crate::statement::ModeChanges;
use base::{Error, Oid, Result, bail, err};
use parse::{
    Constant, DefValue, DiscardTarget, Expression, RawStatement, Statement, TypeName,
    VariableSetKind, VariableSetStmt,
};
use std::sync::Arc;
use types::datetime::interval;
use types::{Datum, IntervalStyle, oids};

fn done(tag: &'static str) -> Completion {
    Completion { tag: tag.into(), rows: None }
}

pub(super) fn text_column(name: &str) -> ResultColumn {
    ResultColumn {
        name: name.into(),
        table: Oid::INVALID,
        number: 0,
        type_oid: Oid(oids::TEXT),
        type_bytes: -1,
        type_modifier: -1,
    }
}

impl Session {
    /// Runs a statement that needs no plan of its own. With `describing`, a RowDescription comes
    /// before rows.
    pub(super) fn run_own(
        &mut self,
        source: &str,
        raw: &RawStatement<'_>,
        formats: &ColumnFormats,
        describing: bool,
        client: &mut dyn Client,
    ) -> Result<Completion> {
        self.backend.settings_changed();
        match &raw.statement {
            Statement::VariableSet(set) => self.set(set),
            Statement::VariableShow(show) => self.show(show.name, formats, describing, client),
            Statement::Discard(target) => self.discard(*target),
            Statement::Prepare(prepare) => self.prepare_sql(source, prepare),
            Statement::Execute(execute) => {
                self.execute_sql(source, execute, formats, describing, client)
            }
            Statement::Deallocate(deallocate) => self.deallocate(deallocate.name),
            Statement::DeclareCursor(declare) => {
                self.declare(source, declare, &[], &Parameters::none())
            }
            Statement::ClosePortal(close) => self.close_cursor(close.name),
            Statement::Fetch(fetch) => self.fetch(fetch, formats, describing, client),
            Statement::Listen(channel) => {
                self.state.notifications().listen(channel)?;
                Ok(done("LISTEN"))
            }
            Statement::Unlisten(channel) => {
                self.state.notifications().unlisten(*channel)?;
                Ok(done("UNLISTEN"))
            }
            Statement::Notify(notify) => {
                self.state.notify(notify.channel, notify.payload.unwrap_or_default())?;
                Ok(done("NOTIFY"))
            }
            other => {
                Err(Error::unsupported(format!("{} is not supported yet", other.command_tag())))
            }
        }
    }

    /// The columns of such a statement's result.
    pub(super) fn own_columns(
        &self,
        statement: &Statement<'_>,
    ) -> Result<Option<Arc<[ResultColumn]>>> {
        Ok(match statement {
            Statement::VariableShow(show) => Some(show_columns(show.name).into()),
            Statement::Execute(execute) => self.statement(execute.name)?.columns.clone(),
            Statement::Fetch(fetch) if !fetch.is_move => self
                .portals
                .iter()
                .find(|p| *p.name == *fetch.cursor)
                .and_then(|p| p.columns.clone()),
            _ => None,
        })
    }

    fn set(&mut self, set: &VariableSetStmt<'_>) -> Result<Completion> {
        let tag = match set.kind {
            VariableSetKind::Reset | VariableSetKind::ResetAll => "RESET",
            _ => "SET",
        };
        let in_block = self.transaction.in_any_block();
        if set.local && !in_block && set.kind != VariableSetKind::Multi {
            self.state.warning(err!(
                NO_ACTIVE_SQL_TRANSACTION,
                "SET LOCAL can only be used in transaction blocks"
            ));
        }
        let action = if set.local { Action::Local } else { Action::Set };
        let name = set.name.unwrap_or_default();
        match set.kind {
            VariableSetKind::Value => {
                let value = flatten(name, set.values)?;
                self.set_value(name, Some(&value), action)?;
            }
            VariableSetKind::Default | VariableSetKind::Reset => {
                self.set_value(name, None, action)?;
            }
            VariableSetKind::ResetAll => self.state.settings_mut().reset_all(),
            VariableSetKind::Multi => self.set_multi(name, set.values, in_block)?,
            VariableSetKind::Current => {
                return Err(Error::unsupported("SET FROM CURRENT is not supported here"));
            }
        }
        Ok(done(tag))
    }

    fn set_multi(&mut self, name: &str, values: &[DefValue<'_>], in_block: bool) -> Result<()> {
        let changes = ModeChanges::read(values.iter().filter_map(|value| match value {
            DefValue::Option(option) => Some(*option),
            _ => None,
        }));
        match name {
            "TRANSACTION" | "TRANSACTION SNAPSHOT" => {
                if !in_block {
                    self.state.warning(err!(
                        NO_ACTIVE_SQL_TRANSACTION,
                        "SET TRANSACTION can only be used in transaction blocks"
                    ));
                }
                if name != "TRANSACTION" {
                    let name = values.first().and_then(DefValue::as_word).unwrap_or_default();
                    return self.transaction.import_snapshot(name);
                }
                self.transaction.set_modes(|modes| apply(&changes, modes))
            }
            "SESSION CHARACTERISTICS" => {
                let mut settings = self.state.settings_mut();
                let flag = |flag| if flag { "on" } else { "off" };
                if let Some(level) = &changes.isolation {
                    settings.set("default_transaction_isolation", Some(level), Action::Set)?;
                }
                if let Some(value) = changes.read_only {
                    let value = flag(value);
                    settings.set("default_transaction_read_only", Some(value), Action::Set)?;
                }
                if let Some(value) = changes.deferrable {
                    let value = flag(value);
                    settings.set("default_transaction_deferrable", Some(value), Action::Set)?;
                }
                Ok(())
            }
            other => Err(Error::unsupported(format!("SET {other} is not supported yet"))),
        }
    }

    /// Sets one setting, or resets it.
    pub(super) fn set_value(
        &mut self,
        name: &str,
        value: Option<&str>,
        action: Action,
    ) -> Result<()> {
        let lower = name.to_ascii_lowercase();
        match (lower.as_str(), value) {
            (
                "transaction_isolation" | "transaction_read_only" | "transaction_deferrable",
                None,
            ) => {
                bail!(FEATURE_NOT_SUPPORTED, "parameter \"{lower}\" cannot be reset")
            }
            ("transaction_isolation", Some(value)) => {
                let Some(level) = Isolation::parse(&value.to_ascii_lowercase()) else {
                    return Err(err!(
                        INVALID_PARAMETER_VALUE,
                        "invalid value for parameter \"{lower}\": \"{value}\""
                    )
                    .hint(
                        "Available values: serializable, repeatable read, read committed, read \
                         uncommitted.",
                    ));
                };
                self.transaction.set_modes(|modes| modes.isolation = level)
            }
            ("transaction_read_only" | "transaction_deferrable", Some(value)) => {
                let Some(flag) = crate::settings::parse_bool(value) else {
                    bail!(INVALID_PARAMETER_VALUE, "parameter \"{lower}\" requires a Boolean value")
                };
                self.transaction.set_modes(|modes| match lower.as_str() {
                    "transaction_read_only" => modes.read_only = flag,
                    _ => modes.deferrable = flag,
                })
            }
            ("role" | "session_authorization", value) => {
                set_identity(&self.state, &*self.backend, &lower, value, action)
            }
            ("seed", _) => Err(Error::unsupported("SET seed is not supported yet")),
            _ => self.state.settings_mut().set(name, value, action),
        }
    }

    fn show(
        &mut self,
        name: &str,
        formats: &ColumnFormats,
        describing: bool,
        client: &mut dyn Client,
    ) -> Result<Completion> {
        let all = self.backend.may_examine_settings();
        if is_confidential(name) && !all {
            return Err(not_to_be_examined(name));
        }
        let columns = show_columns(name);
        let rows: Vec<Vec<String>> = if name == "all" {
            let settings = self.state.settings();
            let shown = settings.show_all().filter(|(name, _)| all || !is_confidential(name));
            shown.map(|(n, v)| vec![n.to_owned(), v, String::new()]).collect()
        } else {
            vec![vec![self.state.show(name).ok_or_else(|| unrecognized(name))?]]
        };
        let out = client.out();
        if describing {
            describe(out, &columns, formats);
        }
        for row in &rows {
            let values: Vec<Datum<'_>> = row.iter().map(|text| Datum::Text(text)).collect();
            write_row(out, self.state.account(), &self.backend.io(), &columns, formats, &values)?;
        }
        Ok(done("SHOW"))
    }

    fn discard(&mut self, target: DiscardTarget) -> Result<Completion> {
        let tag = match target {
            DiscardTarget::All => {
                self.transaction.prevent_in_block("DISCARD ALL")?;
                self.portals.clear();
                self.statements.clear();
                self.state.forget_prepared(None);
                self.set_value("session_authorization", None, Action::Set)?;
                self.state.settings_mut().reset_all();
                self.transaction.start()?;
                self.state.notifications().unlisten(None)?;
                "DISCARD ALL"
            }
            DiscardTarget::Plans => "DISCARD PLANS",
            DiscardTarget::Sequences => "DISCARD SEQUENCES",
            DiscardTarget::Temp => "DISCARD TEMP",
        };
        if target != DiscardTarget::Plans {
            self.transaction.start()?;
            self.backend.discard(target)?;
        }
        Ok(done(tag))
    }

    /// PREPARE.
    fn prepare_sql(
        &mut self,
        source: &str,
        prepare: &parse::PrepareStmt<'_>,
    ) -> Result<Completion> {
        if self.statements.iter().any(|(name, _)| **name == *prepare.name) {
            bail!(DUPLICATE_PSTATEMENT, "prepared statement \"{}\" already exists", prepare.name);
        }
        let types = self.backend.resolve_types(source, prepare.types)?;
        let prepared = self.shared(source, &types, |session| {
            session.prepare_statement(source, source, prepare.query, &types)
        })?;
        let prepared = prepared.0;
        self.state.note_prepared(prepare.name, &prepared, true);
        self.statements.push((prepare.name.into(), prepared));
        Ok(done("PREPARE"))
    }

    /// EXECUTE.
    fn execute_sql(
        &mut self,
        source: &str,
        execute: &parse::ExecuteStmt<'_>,
        formats: &ColumnFormats,
        describing: bool,
        client: &mut dyn Client,
    ) -> Result<Completion> {
        let prepared = self.statement(execute.name)?;
        let expected = prepared.parameters.len();
        if execute.params.len() != expected {
            return Err(err!(
                SYNTAX_ERROR,
                "wrong number of parameters for prepared statement \"{}\"",
                execute.name
            )
            .detail(format!("Expected {expected} parameters but got {}.", execute.params.len())));
        }
        let parameters = if expected == 0 {
            Parameters::none()
        } else {
            self.backend.evaluate(source, execute.params, &prepared.parameters)?
        };
        let (prepared, Some(plan)) = self.current(execute.name, prepared)? else {
            return Err(Error::unsupported("EXECUTE of this statement is not supported yet"));
        };
        let columns = prepared.columns.clone();
        if let Some(columns) = columns.as_ref().filter(|_| describing) {
            describe(client.out(), columns, formats);
        }
        let columns = columns.as_deref().unwrap_or(&[]);
        self.run_plan(&*plan.0, &parameters, columns, formats, client)
    }

    fn deallocate(&mut self, name: Option<&str>) -> Result<Completion> {
        match name {
            None => {
                self.statements.clear();
                self.state.forget_prepared(None);
                Ok(done("DEALLOCATE ALL"))
            }
            Some(name) => {
                self.statement(name)?;
                self.statements.retain(|(n, _)| **n != *name);
                self.state.forget_prepared(Some(name));
                Ok(done("DEALLOCATE"))
            }
        }
    }
}

impl Session {
    /// Completes an extended query's own statement.
    pub(super) fn complete_own(&mut self, completion: &Completion, client: &mut dyn Client) {
        let out = client.out();
        self.state.flush_notices(out);
        complete(out, completion);
    }
}

fn show_columns(name: &str) -> Vec<ResultColumn> {
    if name == "all" {
        vec![text_column("name"), text_column("setting"), text_column("description")]
    } else {
        vec![text_column(&Settings::display_name(name))]
    }
}

/// Sets `role` or `session_authorization`. The latter takes SET ROLE back.
///
/// # Errors
/// Those of [`Backend::check_identity`].
pub fn set_identity(
    state: &State,
    backend: &dyn Backend,
    name: &str,
    value: Option<&str>,
    action: Action,
) -> Result<()> {
    let authorization = name == "session_authorization";
    if let Some(role) = value.filter(|role| authorization || *role != "none") {
        backend.check_identity(authorization, role)?;
    }
    let mut settings = state.settings_mut();
    settings.set(name, value, action)?;
    if authorization {
        settings.set("role", value.map(|_| "none"), action)?;
    }
    Ok(())
}

/// The text of SET's values.
///
/// # Errors
/// 22023 for a list where one value is allowed.
pub fn flatten(name: &str, values: &[DefValue<'_>]) -> Result<String> {
    let canonical = lookup(name).map_or(name, |id| id.definition().name);
    if values.len() > 1 && !Settings::takes_list(name) {
        bail!(INVALID_PARAMETER_VALUE, "SET {canonical} takes only one argument");
    }
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        texts.push(match value {
            DefValue::Integer(number) => number.to_string(),
            DefValue::Boolean(flag) => flag.to_string(),
            DefValue::String(text) if Settings::quotes_list(name) => quote_identifier(text),
            DefValue::Expression(Expression::TypeCast { arg, type_name, .. }) => {
                zone_interval(arg, type_name)?
            }
            other => match other.as_word() {
                Some(text) => text.to_owned(),
                None => return Err(Error::internal("unexpected value in SET")),
            },
        });
    }
    Ok(texts.join(", "))
}

/// `SET TIME ZONE INTERVAL '-3' HOUR` and `INTERVAL '-03:30' HOUR TO MINUTE`, in hours.
fn zone_interval(arg: &Expression<'_>, type_name: &TypeName<'_>) -> Result<String> {
    // The modifier's halves where nothing is said of fields and of digits.
    const ALL_FIELDS: i32 = 0x7FFF;
    const ALL_DIGITS: i32 = 0xFFFF;
    // As far as a zone's rules go.
    const ZONE_SECONDS_END: i64 = 168 * 3600;
    let Expression::Const { value: Constant::String(text), .. } = arg else {
        return Err(Error::internal("unexpected interval in SET TIME ZONE"));
    };
    let modifier = |at: usize| match type_name.typmods.get(at) {
        Some(Expression::Const { value: Constant::Integer(number), .. }) => Some(*number),
        _ => None,
    };
    let fields = modifier(0).unwrap_or(ALL_FIELDS) & ALL_FIELDS;
    let digits = modifier(1).unwrap_or(ALL_DIGITS) & ALL_DIGITS;
    let style = IntervalStyle::Postgres;
    let value = interval::parse(text, fields << 16 | digits, style)?;
    let seconds = value.micros / 1_000_000;
    let problem = if value.months != 0 {
        "Cannot specify months in time zone interval."
    } else if value.days != 0 {
        "Cannot specify days in time zone interval."
    } else if seconds.abs() >= ZONE_SECONDS_END {
        "UTC timezone offset is out of range."
    } else {
        // Less than a week: exact.
        #[expect(clippy::cast_precision_loss, reason = "see the comment")]
        return Ok((seconds as f64 / 3600.0).to_string());
    };
    let mut shown = Vec::new();
    types::datetime::format::interval(value, style, &mut shown);
    let shown = String::from_utf8_lossy(&shown);
    Err(err!(
        INVALID_PARAMETER_VALUE,
        "invalid value for parameter \"TimeZone\": \"INTERVAL '{shown}'\""
    )
    .detail(problem))
}
