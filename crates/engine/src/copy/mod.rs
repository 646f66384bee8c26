//! COPY: between tables or queries and the client or files of the server.
//!
//! # How it works
//! COPY FROM plans one INSERT whose values are parameters and feeds it the rows that it reads
//! ([`execute::insert_feed`]). COPY TO runs a query and writes each of its rows as a record.
//!
//! # Rules
//! 1. The client is asked for its data after the options and columns were checked, and before the
//!    kind of the relation is: psql has sent the data by then.
//! 2. Errors of reading name the line, the column and its text as PostgreSQL's do.
//!
//! # Limits
//! No programs, no special files; of other encodings LATIN1.

mod encoding;
mod file;
mod from;
mod options;
mod to;

use crate::backend::Backend;
use crate::planned::{Body, Planned};
use crate::storage::StatementStorage;
use analyze::names::quote_identifier;
use base::{Error, Oid, Result, err};
use catalog::relation::{Column, Relation};
use catalog::rows::RelationKind;
use execute::Execution;
use expr::Program;
use file::{Source, Target};
use memory::Bump;
use options::Options;
use parse::{CopyStmt, DefElem, Location, Statement};
use session::Client;
use session::engine::{Destination, ParameterMode};
use std::sync::Arc;
use types::Datum;

/// `pg_read_server_files`, `pg_write_server_files` and `pg_execute_server_program`
const READ_FILES: Oid = Oid(4569);
const WRITE_FILES: Oid = Oid(4570);
const EXECUTE_PROGRAM: Oid = Oid(4571);

fn qualified(backend: &Backend, relation: &Relation) -> Result<String> {
    let schema = backend.catalog.namespace(relation.namespace)?;
    Ok(format!("{}.{}", quote_identifier(&schema.name), quote_identifier(&relation.name)))
}

/// The columns of a list of names, or all that are not generated.
fn listed<'r>(relation: &'r Relation, names: &[&str]) -> Result<Vec<&'r Column>> {
    let mut columns: Vec<&Column> = Vec::with_capacity(names.len());
    for name in names {
        let column = relation.column(name).ok_or_else(|| {
            err!(
                UNDEFINED_COLUMN,
                "column \"{name}\" of relation \"{}\" does not exist",
                relation.name
            )
        })?;
        if column.generated.is_some() {
            return Err(err!(INVALID_COLUMN_REFERENCE, "column \"{name}\" is a generated column")
                .detail("Generated columns cannot be used in COPY."));
        }
        if columns.iter().any(|other| other.attribute == column.attribute) {
            return Err(err!(DUPLICATE_COLUMN, "column \"{name}\" specified more than once"));
        }
        columns.push(column);
    }
    Ok(columns)
}

fn columns_of<'r>(relation: &'r Relation, names: &[&str]) -> Result<Vec<&'r Column>> {
    if names.is_empty() {
        return Ok(relation.live_columns().filter(|column| column.generated.is_none()).collect());
    }
    listed(relation, names)
}

fn no_client() -> Error {
    err!(FEATURE_NOT_SUPPORTED, "COPY needs a client that speaks the protocol")
}

impl Backend {
    /// Runs COPY; returns the number of rows.
    pub(crate) fn copy(
        &self,
        copy: &CopyStmt<'_>,
        source: &str,
        destination: &mut dyn Destination,
    ) -> Result<u64> {
        self.check_files(copy)?;
        let at = |error: Error, option: &DefElem<'_>| {
            let location: Location = option.location;
            error.position_or(location.position(source))
        };
        let relation = match copy.relation {
            None => None,
            Some(name) => {
                let oid = self.catalog.relation_named(name.schema, name.name)?;
                let oid = oid.ok_or_else(|| {
                    let shown = match name.schema {
                        Some(schema) => format!("{schema}.{}", name.name),
                        None => name.name.to_string(),
                    };
                    err!(UNDEFINED_TABLE, "relation \"{shown}\" does not exist")
                })?;
                let mode = if copy.from { 3 } else { 1 };
                analyze::Environment::lock_relation(self, oid, mode)?;
                Some(self.catalog.relation(oid)?)
            }
        };
        match relation {
            Some(relation) if copy.from => {
                self.copy_from(copy, source, &relation, &at, destination)
            }
            Some(relation) => {
                check_readable(&relation)?;
                let options = options::read(copy.options, false, &at)?;
                let columns = columns_of(&relation, copy.columns)?;
                let names: Vec<String> =
                    columns.iter().map(|column| quote_identifier(&column.name)).collect();
                let sql = format!(
                    "SELECT {} FROM ONLY {}",
                    names.join(", "),
                    qualified(self, &relation)?
                );
                let planned = self.plan_text(&sql, &[])?;
                self.copy_out(copy, &planned, Some(&relation), &options, destination)
            }
            None => {
                let options = options::read(copy.options, false, &at)?;
                let query = copy.query.ok_or_else(|| Error::internal("COPY of nothing"))?;
                if matches!(query, Statement::Select(select) if select.leftmost_into().is_some()) {
                    return Err(err!(FEATURE_NOT_SUPPORTED, "COPY (SELECT INTO) is not supported"));
                }
                let planned = self.plan_query(source, query, &[], ParameterMode::None)?;
                if session::engine::Plan::columns(&planned).is_none() {
                    return Err(err!(
                        FEATURE_NOT_SUPPORTED,
                        "COPY query must have a RETURNING clause"
                    ));
                }
                self.copy_out(copy, &planned, None, &options, destination)
            }
        }
    }

    /// Whether the user may use files and programs of the server.
    fn check_files(&self, copy: &CopyStmt<'_>) -> Result<()> {
        if copy.filename.is_none() {
            return Ok(());
        }
        let (role, name, what) = match (copy.program, copy.from) {
            (true, _) => {
                (EXECUTE_PROGRAM, "pg_execute_server_program", "to or from an external program")
            }
            (false, true) => (READ_FILES, "pg_read_server_files", "from a file"),
            (false, false) => (WRITE_FILES, "pg_write_server_files", "to a file"),
        };
        if !self.catalog.has_privileges_of(self.catalog.user(), role)? {
            return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to COPY {what}")
                .detail(format!(
                    "Only roles with privileges of the \"{name}\" role may COPY {what}."
                ))
                .hint(
                    "Anyone can COPY to stdout or from stdin. psql's \\copy command also works \
                     for anyone.",
                ));
        }
        if copy.program {
            return Err(Error::unsupported("COPY with programs is not supported yet"));
        }
        Ok(())
    }

    fn copy_out(
        &self,
        copy: &CopyStmt<'_>,
        planned: &Planned,
        relation: Option<&Relation>,
        options: &Options<'_>,
        destination: &mut dyn Destination,
    ) -> Result<u64> {
        options.encoding.check()?;
        let columns = session::engine::Plan::columns(planned).unwrap_or(&[]);
        let force_quote = to::forced(relation, columns, &options.force_quote)?;
        let target = match copy.filename {
            Some(name) => Target::File { file: file::create(name)?, buffer: Vec::new() },
            None => {
                let client = destination.client().ok_or_else(no_client)?;
                file::to_client(client, options.binary, columns.len())
            }
        };
        self.copy_to(planned, options, force_quote, target)
    }

    /// FREEZE is for tables that nobody else can see. Rows need no freezing here.
    fn check_freeze(&self, relation: &Relation) -> Result<()> {
        if self.open.borrow().is_new(relation.file) {
            return Ok(());
        }
        Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "cannot perform COPY FREEZE because the table was not created or truncated in the \
             current subtransaction"
        ))
    }

    /// Plans SQL of our own.
    pub(crate) fn plan_text(&self, sql: &str, types: &[Oid]) -> Result<Planned> {
        let bump = Bump::new("internal statement", self.state.account().clone());
        let statements = base::wait::on_thread_stack(|| parse::parse(&bump, sql))?;
        let [only] = statements else { return Err(Error::internal("not one statement")) };
        self.plan_statement(sql, &only.statement, types, ParameterMode::Inferred)
    }

    fn copy_from<'a>(
        &self,
        copy: &CopyStmt<'a>,
        source: &str,
        relation: &Arc<Relation>,
        at: &dyn Fn(Error, &DefElem<'a>) -> Error,
        destination: &mut dyn Destination,
    ) -> Result<u64> {
        let bump = Bump::new("COPY", self.state.account().clone());
        let filter = self.copy_filter(&bump, copy, source, relation)?;
        let columns = columns_of(relation, copy.columns)?;
        // The privileges that PostgreSQL asks for before it looks at options are the INSERT's.
        let kind = check_writable(relation);
        let planned = match kind {
            Ok(()) => Some(self.plan_insert(relation, &columns)?),
            Err(_) => None,
        };
        if let Some(planned) = &planned {
            planned.permitted()?;
        }
        let options = options::read(copy.options, true, at)?;
        options.encoding.check()?;
        let targets = self.copy_targets(&bump, relation, &columns, &options)?;
        let input = match copy.filename {
            Some(name) => Source::File(file::open(name)?),
            None => {
                let client: &mut dyn Client = destination.client().ok_or_else(no_client)?;
                file::from_client(client, options.binary, columns.len())?
            }
        };
        kind?;
        let planned = planned.ok_or_else(|| Error::internal("COPY without a plan"))?;
        if relation.persistence != catalog::rows::Persistence::Temporary {
            self.refuse_in_read_only("COPY FROM")?;
        }
        if options.freeze {
            self.check_freeze(relation)?;
        }
        let mut reader = from::Reader::new(self, relation, &options, input, &targets);
        let Body::Query { plan, descriptions } = &planned.body else {
            return Err(Error::internal("COPY without a plan"));
        };
        let plan = plan.get();
        self.with_events(|| {
            let storage = StatementStorage::new(self)?;
            let nulls = vec![Datum::Null; columns.len()];
            let account = self.state.account();
            let x = Execution::new(plan, descriptions, self, &storage, account, &nulls)?;
            let rows = execute::insert_feed(&x, &mut reader, filter.as_ref())?;
            drop(x);
            storage.transaction.next_command()?;
            reader.tell_skipped();
            Ok(rows)
        })
    }

    /// The INSERT of one row whose values are parameters.
    fn plan_insert(&self, relation: &Relation, columns: &[&Column]) -> Result<Planned> {
        let table = qualified(self, relation)?;
        let names: Vec<String> =
            columns.iter().map(|column| quote_identifier(&column.name)).collect();
        let marks: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
        let sql = match columns {
            [] => format!("INSERT INTO {table} DEFAULT VALUES"),
            _ => format!(
                "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
                names.join(", "),
                marks.join(", ")
            ),
        };
        let types: Vec<Oid> = columns.iter().map(|column| column.type_oid).collect();
        self.plan_text(&sql, &types)
    }

    fn copy_targets<'p>(
        &self,
        bump: &'p Bump,
        relation: &Relation,
        columns: &[&Column],
        options: &Options<'_>,
    ) -> Result<Vec<from::Target<'p>>> {
        let force_not_null =
            from::forced(relation, columns, &options.force_not_null, "FORCE_NOT_NULL")?;
        let force_null = from::forced(relation, columns, &options.force_null, "FORCE_NULL")?;
        let mut targets = Vec::with_capacity(columns.len());
        for (i, column) in columns.iter().enumerate() {
            let default = match options.format.default {
                Some(_) => analyze::column_default(bump, self, relation, column)?,
                None => None,
            };
            let program = default.map(|expr| plan::row_program(bump, bump, self, relation, expr));
            targets.push(from::Target {
                name: column.name.clone(),
                type_oid: column.type_oid,
                typmod: column.typmod,
                force_not_null: force_not_null[i],
                force_null: force_null[i],
                default: program.transpose()?,
            });
        }
        Ok(targets)
    }

    /// WHERE, over the attributes of the table.
    fn copy_filter<'p>(
        &self,
        bump: &'p Bump,
        copy: &CopyStmt<'_>,
        source: &str,
        relation: &Relation,
    ) -> Result<Option<Program<'p>>> {
        let Some(filter) = copy.filter else { return Ok(None) };
        let context = analyze::StoredContext::CopyWhere;
        let relation_given = Some(relation);
        let expr =
            analyze::analyze_expression(bump, self, source, filter, relation_given, context, None)?;
        let mut generated = None;
        analyze::walk::visit(expr, 0, &mut |expr, _| {
            if let analyze::tree::ExprKind::Column(used) = expr.kind
                && let Some(column) = relation.column_at(used.attribute)
                && column.generated.is_some()
            {
                generated.get_or_insert_with(|| column.name.clone());
            }
            true
        });
        if let Some(name) = generated {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "generated columns are not supported in COPY FROM WHERE conditions"
            )
            .detail(format!("Column \"{name}\" is a generated column.")));
        }
        plan::row_program(bump, bump, self, relation, expr).map(Some)
    }
}

/// Which relations COPY TO can read.
fn check_readable(relation: &Relation) -> Result<()> {
    let name = &relation.name;
    let hint = "Try the COPY (SELECT ...) TO variant.";
    Err(match relation.kind {
        RelationKind::Table | RelationKind::MaterializedView => return Ok(()),
        RelationKind::View => {
            err!(WRONG_OBJECT_TYPE, "cannot copy from view \"{name}\"").hint(hint)
        }
        RelationKind::Foreign => {
            err!(WRONG_OBJECT_TYPE, "cannot copy from foreign table \"{name}\"").hint(hint)
        }
        RelationKind::PartitionedTable => {
            err!(WRONG_OBJECT_TYPE, "cannot copy from partitioned table \"{name}\"").hint(hint)
        }
        RelationKind::Sequence => {
            err!(WRONG_OBJECT_TYPE, "cannot copy from sequence \"{name}\"")
        }
        _ => err!(WRONG_OBJECT_TYPE, "cannot copy from non-table relation \"{name}\""),
    })
}

/// Which relations COPY FROM can write.
fn check_writable(relation: &Relation) -> Result<()> {
    let name = &relation.name;
    Err(match relation.kind {
        RelationKind::Table => return Ok(()),
        RelationKind::View => err!(WRONG_OBJECT_TYPE, "cannot copy to view \"{name}\"")
            .hint("To enable copying to a view, provide an INSTEAD OF INSERT trigger."),
        RelationKind::MaterializedView => {
            err!(WRONG_OBJECT_TYPE, "cannot copy to materialized view \"{name}\"")
        }
        RelationKind::Sequence => err!(WRONG_OBJECT_TYPE, "cannot copy to sequence \"{name}\""),
        _ => err!(WRONG_OBJECT_TYPE, "cannot copy to non-table relation \"{name}\""),
    })
}

/// A destination that hands rows to a function.
pub(crate) struct Sink<'f>(pub(crate) &'f mut dyn FnMut(&[Datum<'_>]) -> Result<()>);

impl Destination for Sink<'_> {
    fn demand(&mut self) -> Result<u64> {
        Ok(u64::MAX)
    }

    fn row(&mut self, values: &[Datum<'_>]) -> Result<()> {
        (self.0)(values)
    }

    fn client(&mut self) -> Option<&mut dyn Client> {
        None
    }
}
