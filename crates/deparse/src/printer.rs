//! Where text is put together.

use crate::plan::PlanView;
use crate::scope::Scope;
use analyze::Environment;
use analyze::tree::{Expr, Query, RangeId};
use base::{Oid, Result};
use std::rc::Rc;

/// One step of indentation of clauses.
pub(crate) const STEP: i32 = 8;
/// One step inside of expressions, and of joins.
pub(crate) const SMALL_STEP: i32 = 4;
const INDENT_MAX: i32 = 40;

/// How text is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Style {
    /// Parentheses only where they are needed.
    pub(crate) few_parentheses: bool,
    /// Clauses on lines of their own.
    pub(crate) indented: bool,
    /// Names of relations are qualified only where they must be.
    pub(crate) short_names: bool,
    /// The column at which lists are broken; 0 breaks after each item, below 0 never.
    pub(crate) wrap: i32,
    /// Constants are all alike, but for their types.
    pub(crate) without_constants: bool,
}

impl Style {
    /// What functions with an argument `pretty` mean by it.
    pub(crate) fn of(pretty: bool) -> Style {
        Style { few_parentheses: pretty, indented: true, short_names: pretty, ..Style::default() }
    }
}

/// What holds inside of one query.
#[derive(Clone, Copy, Default)]
pub(crate) struct Frame<'q, 'n> {
    /// The query whose targets sort keys and windows name.
    pub(crate) query: Option<&'q Query<'q>>,
    /// The names of the result's columns, when something else than the targets decides.
    pub(crate) results: Option<&'n [String]>,
    /// Columns show the name of their range.
    pub(crate) prefixed: bool,
    /// Somebody sees the names of the result's columns.
    pub(crate) names_visible: bool,
    /// The query is a leaf of a set operation.
    pub(crate) in_set_operation: bool,
    pub(crate) in_group_by: bool,
    pub(crate) in_order_by: bool,
    /// The level and the range of a scan's condition: its columns need no prefix, others do.
    pub(crate) scanned: Option<(u32, u32)>,
}

/// Turns bound trees into text.
pub(crate) struct Printer<'e, 'q, 'n> {
    pub(crate) env: &'e dyn Environment,
    pub(crate) text: String,
    pub(crate) style: Style,
    pub(crate) indent: i32,
    /// The scopes of the queries around, innermost last.
    pub(crate) scopes: Vec<Rc<Scope>>,
    /// The queries of the scopes, where they are of queries.
    pub(crate) queries: Vec<Option<&'q Query<'q>>>,
    pub(crate) frame: Frame<'q, 'n>,
    /// Joins with aliases whose inside is being printed.
    pub(crate) inside: Vec<RangeId>,
    /// The names of the parameters of a function.
    pub(crate) parameters: Vec<String>,
    /// The levels of the scopes in a plan.
    pub(crate) levels: Vec<u32>,
    /// The plan whose expressions are printed.
    pub(crate) plan: Option<PlanView<'n, 'q>>,
}

impl<'e, 'q> Printer<'e, 'q, '_> {
    pub(crate) fn new(env: &'e dyn Environment, style: Style) -> Self {
        Printer {
            env,
            text: String::new(),
            style,
            indent: 0,
            scopes: Vec::new(),
            queries: Vec::new(),
            frame: Frame::default(),
            inside: Vec::new(),
            parameters: Vec::new(),
            levels: Vec::new(),
            plan: None,
        }
    }

    pub(crate) fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn trim_spaces(&mut self) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
    }

    /// A keyword that stands on a line of its own where text is indented.
    pub(crate) fn keyword(&mut self, word: &str, before: i32, after: i32, plus: i32) {
        if !self.style.indented {
            self.put(word);
            return;
        }
        self.indent += before;
        self.trim_spaces();
        self.text.push('\n');
        let amount = if self.indent < INDENT_MAX {
            self.indent.max(0)
        } else {
            // Deep nesting does not move text further and further to the right.
            (INDENT_MAX + (self.indent - INDENT_MAX) / (STEP / 2)) % INDENT_MAX
        };
        let spaces = usize::try_from(amount + plus).unwrap_or(0);
        self.text.extend(std::iter::repeat_n(' ', spaces));
        self.put(word);
        self.indent = (self.indent + after).max(0);
    }

    /// A separator and a space between items.
    pub(crate) fn list<T>(
        &mut self,
        items: &[T],
        mut item: impl FnMut(&mut Self, &T) -> Result<()>,
    ) -> Result<()> {
        for (at, one) in items.iter().enumerate() {
            if at > 0 {
                self.put(", ");
            }
            item(self, one)?;
        }
        Ok(())
    }

    /// What `inner` prints, apart.
    pub(crate) fn apart(&mut self, inner: impl FnOnce(&mut Self) -> Result<()>) -> Result<String> {
        let before = std::mem::take(&mut self.text);
        let result = inner(self);
        let printed = std::mem::replace(&mut self.text, before);
        result.map(|()| printed)
    }

    /// A name, in quotes where it needs them.
    pub(crate) fn name(&mut self, name: &str) {
        self.text.push_str(&catalog::quote_identifier(name));
    }

    pub(crate) fn literal(&mut self, text: &str) {
        self.text.push_str(&literal(text));
    }

    /// The name of a type with its modifier.
    pub(crate) fn type_name(&mut self, oid: Oid, typmod: i32) -> Result<()> {
        let name = self.env.catalog().format_type(oid, Some(typmod))?;
        self.put(&name);
        Ok(())
    }

    /// `::type`
    pub(crate) fn label(&mut self, oid: Oid, typmod: i32) -> Result<()> {
        self.put("::");
        self.type_name(oid, typmod)
    }

    /// The name of a relation, qualified where it must be, or where a CTE in sight hides it.
    pub(crate) fn relation_name(&mut self, oid: Oid) -> Result<()> {
        let catalog = self.env.catalog();
        let relation = catalog.relation(oid)?;
        let ctes = self.queries.iter().flatten().flat_map(|query| query.ctes);
        let name = if ctes.into_iter().any(|cte| cte.name == relation.name) {
            let schema = catalog.namespace(relation.namespace)?;
            catalog::names::qualified(&schema.name, &relation.name)
        } else {
            catalog.relation_text(oid)?.unwrap_or_default()
        };
        self.put(&name);
        Ok(())
    }

    pub(crate) fn collation_name(&self, oid: Oid) -> Result<String> {
        let catalog = self.env.catalog();
        let row = catalog.collation(oid)?;
        let found = catalog.collation_named(None, &row.name)?;
        Ok(if found.is_some_and(|found| found.oid == oid) {
            catalog::quote_identifier(&row.name)
        } else {
            catalog::names::qualified(&catalog.namespace(row.namespace)?.name, &row.name)
        })
    }

    /// A list of expressions between commas.
    pub(crate) fn expressions(&mut self, list: &[Expr<'q>], implicit: bool) -> Result<()> {
        self.list(list, |printer, expr| printer.expression(expr, implicit))
    }
}

/// A text as SQL literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
