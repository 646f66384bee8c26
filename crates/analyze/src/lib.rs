//! Syntax tree to bound query tree: names, types, casts, functions.
//!
//! How it works: [`analyze`] walks a statement of crate `parse` once, resolves every name through
//! the catalog, types every expression and yields a [`tree::Query`] in the caller's memory
//! context. [`Scope`](scope) is what names may mean at one query level; levels are linked
//! outwards. Literals stay of type `unknown` until what they meet decides; then their text is read
//! by the type's input function.
//!
//! Rules
//! 1. Each step of the manual's chapter on type conversion is a module: candidate selection
//!    (`function`, `operator`), common types (`common_type`), polymorphism (`generic`), casts
//!    (`coerce`), parameter inference ([`Parameters`]) (engine rule 16).
//! 2. Every cast is a node; nothing is left for later stages to infer. Constants are not folded.
//! 3. Errors have PostgreSQL's text, SQLSTATE, hint and position.
//! 4. Recursion checks the stack (54001).
//!
//! Sources: the manual's chapters 4 (lexical structure and expressions), 7 (queries) and 10 (type
//! conversion).

pub mod environment;
pub mod names;
pub mod replace;
pub mod tree;

mod access;
mod aggregate;
mod clause;
mod coerce;
mod collation;
mod common_type;
mod cte;
mod dml;
mod equal;
mod expression;
mod from;
mod function;
mod generic;
mod grouping;
mod merge;
mod operator;
mod references;
mod scope;
mod search_cycle;
mod select;
mod setop;
mod sort;
pub mod stored;
mod sublink;
mod target;
mod typename;
mod view;
pub mod walk;
mod window;

#[cfg(test)]
mod tests;

pub use access::{Access, Needed, access};
pub use dml::view_obstacle;
pub use environment::{Environment, Parameters};
pub use stored::{
    StoredContext, StoredTarget, analyze_domain_check, analyze_expression, analyze_stored,
    analyze_stored_list, analyze_stored_query, analyze_stored_value, coerce_stored, column_default,
    encode_expression, encode_list, encode_query,
};
pub use typename::{resolve_function, resolve_type};
pub use view::is_true;

use base::{Error, Oid, Result};
use memory::Bump;
use parse::{Location, Statement};
use scope::Level;
use std::cell::RefCell;
use tree::{Expr, Query};
use types::{Datum, oids};

/// Analyses SELECT, INSERT, UPDATE, DELETE or MERGE. `source` is the text that locations count in.
///
/// # Errors
/// All that PostgreSQL's analysis raises; 0A000 for what is not supported; XX000 for another
/// statement.
pub fn analyze<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    source: &str,
    statement: &Statement<'_>,
    parameters: &mut Parameters,
) -> Result<&'q Query<'q>> {
    let cell = RefCell::new(std::mem::take(parameters));
    let check_as = Oid::INVALID;
    let analyzer = Analyzer { bump, env: environment, source, parameters: &cell, check_as };
    let result = analyzer.statement(statement, None);
    *parameters = cell.into_inner();
    let query = result?;
    parameters.check()?;
    Ok(query)
}

/// One run of analysis: where results live and what is known outside the statement.
#[derive(Clone, Copy)]
pub(crate) struct Analyzer<'q, 'e> {
    pub(crate) bump: &'q Bump,
    pub(crate) env: &'e dyn Environment,
    pub(crate) source: &'e str,
    pub(crate) parameters: &'e RefCell<Parameters>,
    /// The role whose privileges on relations count; none is the current user.
    pub(crate) check_as: Oid,
}

impl<'q> Analyzer<'q, '_> {
    /// A statement that has a query tree.
    pub(crate) fn statement(
        &self,
        statement: &Statement<'_>,
        parent: Option<&Level<'q, '_>>,
    ) -> Result<&'q Query<'q>> {
        base::stack::check_stack_depth()?;
        let query = match statement {
            Statement::Select(select) => self.select(select, parent)?,
            Statement::Insert(insert) => self.insert(insert, parent)?,
            Statement::Update(update) => self.update(update, parent)?,
            Statement::Delete(delete) => self.delete(delete, parent)?,
            Statement::Merge(merge) => self.merge(merge, parent)?,
            other => {
                return Err(Error::internal(format!("{} has no query tree", other.command_tag())));
            }
        };
        self.alloc(query)
    }

    pub(crate) fn alloc<T>(&self, value: T) -> Result<&'q T> {
        Ok(self.bump.alloc(value)?)
    }

    pub(crate) fn slice<T: Copy>(&self, values: &[T]) -> Result<&'q [T]> {
        if values.is_empty() { Ok(&[]) } else { Ok(self.bump.alloc_slice_copy(values)?) }
    }

    pub(crate) fn text(&self, text: &str) -> Result<&'q str> {
        Ok(self.bump.alloc_str(text)?)
    }

    pub(crate) fn texts<S: AsRef<str>>(&self, texts: &[S]) -> Result<&'q [&'q str]> {
        Ok(self.bump.try_alloc_slice(texts.iter().map(|text| self.text(text.as_ref())))?)
    }

    /// Adds the position of a location unless the error has one.
    pub(crate) fn at(&self, error: Error, location: Location) -> Error {
        error.position_or(location.position(self.source))
    }

    /// Adds the position of a bound expression unless the error has one.
    pub(crate) fn at_expr(&self, error: Error, expr: &Expr<'_>) -> Error {
        self.at(error, location_of(expr))
    }

    /// Reads a text as a value of a type.
    pub(crate) fn input(&self, oid: Oid, typmod: i32, text: &str) -> Result<Datum<'q>> {
        if matches!(oid.0, oids::TEXT | oids::VARCHAR | oids::UNKNOWN | oids::CSTRING) && typmod < 0
        {
            return Ok(Datum::Text(self.text(text)?));
        }
        self.env.io().input(oid.0, typmod, text, &self.bump)
    }
}

/// Where a bound expression stands.
pub(crate) fn location_of(expr: &Expr<'_>) -> Location {
    expr.at.map_or(Location::NONE, |at| Location::at(at as usize))
}

/// The form in which bound expressions keep a location.
pub(crate) fn byte_of(location: Location) -> Option<u32> {
    location.offset().and_then(|offset| u32::try_from(offset).ok())
}
