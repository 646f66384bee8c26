//! Expressions and columns as text.

use super::Builder;
use base::Result;
use expr::Program;
use plan::{
    AggregateCall, FunctionCall, Node, NodeKind, NotedExpr, ScanColumn, SortColumn, WindowCall,
};

/// A text, and whether it is a plain column.
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) plain: bool,
    /// What a sort by another collation than the column's shows.
    collated: Option<String>,
}

impl Shown {
    fn plain(text: impl Into<String>) -> Shown {
        Shown { text: text.into(), plain: true, collated: None }
    }

    fn computed(text: impl Into<String>) -> Shown {
        Shown { text: text.into(), plain: false, collated: None }
    }
}

/// Conditions that hold together.
pub(super) fn all_of(mut conditions: Vec<String>) -> Option<String> {
    if conditions.len() > 1 {
        conditions.retain(|condition| condition != "true");
    }
    match conditions.len() {
        0 => None,
        1 => conditions.pop(),
        _ => Some(format!("({})", conditions.join(" AND "))),
    }
}

impl<'q, 'p> Builder<'_, 'q, 'p> {
    pub(super) fn expression(&self, noted: &NotedExpr<'q>, implicit: bool) -> Result<String> {
        let env: &dyn analyze::Environment = self.source.env;
        self.names.expression(env, self.source, noted.level, &noted.expr, implicit, None)
    }

    /// Conditions of a scan, in which its own columns have no prefix.
    pub(super) fn scan_conditions(
        &self,
        node: &Node<'_>,
        conditions: impl IntoIterator<Item = NotedExpr<'q>>,
    ) -> Result<Vec<String>> {
        let scanned = self.source.notes.ranges.get(&node.id).copied();
        let scanned = scanned.filter(|_| !self.options.verbose);
        let env: &dyn analyze::Environment = self.source.env;
        let text = |noted: NotedExpr<'q>| {
            self.names.expression(env, self.source, noted.level, &noted.expr, false, scanned)
        };
        conditions.into_iter().map(text).collect()
    }

    /// The expressions that programs of one result compute.
    pub(super) fn noted(&self, programs: &[Program<'p>]) -> Vec<NotedExpr<'q>> {
        let noted = |program| self.source.notes.program(program).first().copied().flatten();
        programs.iter().filter_map(noted).collect()
    }

    /// A result of a program over a node, whose columns plain inputs are.
    pub(super) fn result(
        &self,
        program: &Program<'p>,
        at: usize,
        inputs: &[&'p Node<'p>],
        implicit: bool,
    ) -> Result<Shown> {
        if let Some(Some(noted)) = self.source.notes.program(program).get(at) {
            let text = self.expression(noted, implicit)?;
            // A column of a subquery may stand for anything.
            let plain = matches!(noted.expr.kind, analyze::tree::ExprKind::Column(_))
                && !text.contains('(');
            let collated = match noted.expr.kind {
                analyze::tree::ExprKind::Collate(arg) => {
                    let arg = NotedExpr { expr: *arg, level: noted.level };
                    let inner = self.expression(&arg, implicit)?;
                    let name = self.source.env.catalog().collation(noted.expr.ty.collation)?;
                    let name = catalog::quote_identifier(&name.name);
                    let column = matches!(arg.expr.kind, analyze::tree::ExprKind::Column(_));
                    let inner = if column { inner } else { format!("({inner})") };
                    Some(format!("{inner} COLLATE {name}"))
                }
                _ => None,
            };
            return Ok(Shown { text, plain, collated });
        }
        let Some(mut column) = program.plain_input(at).map(usize::from) else {
            return Ok(Shown::computed("?"));
        };
        for input in inputs {
            if column < input.columns.len() {
                return self.column(input, column);
            }
            column -= input.columns.len();
        }
        Ok(Shown::computed("?"))
    }

    /// The texts of conditions.
    pub(super) fn conditions(&self, programs: &[Program<'p>]) -> Result<Vec<String>> {
        programs.iter().map(|program| Ok(self.result(program, 0, &[], false)?.text)).collect()
    }

    /// An output column of a node.
    pub(super) fn column(&self, node: &'p Node<'p>, at: usize) -> Result<Shown> {
        base::stack::check_stack_depth()?;
        match node.kind {
            NodeKind::Result { program, .. } => self.result(&program, at, &[], true),
            NodeKind::SeqScan { columns, .. } | NodeKind::IndexScan { columns, .. } => {
                Ok(self.scan_column(node, columns.get(at).copied()))
            }
            NodeKind::Values(_)
            | NodeKind::FunctionScan { .. }
            | NodeKind::CteScan(_)
            | NodeKind::WorkTable(_) => {
                let attribute = i16::try_from(at + 1).unwrap_or(i16::MAX);
                Ok(self.scan_column(node, Some(ScanColumn::Attribute(attribute))))
            }
            NodeKind::Project { input, program } => self.result(&program, at, &[input], true),
            NodeKind::ProjectSet { input, program, .. } => {
                self.result(&program, at, &[input], true)
            }
            NodeKind::Filter { input, .. }
            | NodeKind::Sort { input, .. }
            | NodeKind::Distinct { input, .. }
            | NodeKind::Limit { input, .. }
            | NodeKind::LockRows { input, .. }
            | NodeKind::With { input, .. } => self.column(input, at),
            NodeKind::NestedLoop { left, right, .. } | NodeKind::HashJoin { left, right, .. } => {
                if at < left.columns.len() {
                    return self.column(left, at);
                }
                self.column(right, at - left.columns.len())
            }
            NodeKind::RecursiveUnion { start: input, .. }
            | NodeKind::SetOperation { left: input, .. } => self.column(input, at),
            NodeKind::Append(inputs) => match inputs.first() {
                Some(first) => self.column(first, at),
                None => Ok(Shown::computed("?")),
            },
            NodeKind::Aggregate { input, keys, calls, .. } => match keys.get(at) {
                Some(key) => self.column(input, usize::from(key.column)),
                None => match calls.get(at - keys.len()) {
                    Some(call) => self.aggregate(input, call),
                    None => Ok(Shown::computed("GROUPING()")),
                },
            },
            NodeKind::Window { input, .. } if at < input.columns.len() => self.column(input, at),
            NodeKind::Window { input, calls, .. } => match calls.get(at - input.columns.len()) {
                Some(call) => self.window_call(node, input, call),
                None => Ok(Shown::computed("?")),
            },
            NodeKind::Modify(modify) => match &modify.returning {
                Some(returning) => self.result(returning, at, &[], true),
                None => Ok(Shown::computed("?")),
            },
        }
    }

    fn scan_column(&self, node: &Node<'_>, column: Option<ScanColumn>) -> Shown {
        let Some((level, range)) = self.source.notes.ranges.get(&node.id).copied() else {
            return Shown::computed("?");
        };
        let name = match column {
            Some(ScanColumn::Attribute(attribute)) => {
                let name = self.names.column(level, range, attribute);
                catalog::quote_identifier(name.unwrap_or("?"))
            }
            Some(ScanColumn::System(-6)) => "tableoid".into(),
            // The row's own number is the executor's.
            _ => "ctid".into(),
        };
        match self.names.range(level, range).filter(|_| self.names.prefixed.get()) {
            Some(range) => Shown::plain(format!("{}.{name}", catalog::quote_identifier(range))),
            None => Shown::plain(name),
        }
    }

    fn aggregate(&self, input: &'p Node<'p>, call: &AggregateCall<'p>) -> Result<Shown> {
        let mut args = Vec::new();
        for arg in call.direct.iter().chain(call.args) {
            args.push(self.column(input, usize::from(*arg))?.text);
        }
        let star = args.is_empty() && call.name == "count";
        let args = if star { "*".to_owned() } else { args.join(", ") };
        let distinct = if call.distinct.is_empty() { "" } else { "DISTINCT " };
        let name = catalog::quote_identifier(call.name);
        Ok(Shown::computed(format!("{name}({distinct}{args})")))
    }

    fn window_call(
        &self,
        node: &Node<'_>,
        input: &'p Node<'p>,
        call: &WindowCall<'p>,
    ) -> Result<Shown> {
        let mut args = Vec::new();
        for arg in call.args {
            args.push(self.column(input, usize::from(*arg))?.text);
        }
        let function = self.source.env.catalog().proc(call.site.function)?.name.to_string();
        let star = args.is_empty() && function == "count";
        let args = if star { "*".to_owned() } else { args.join(", ") };
        let window = self.source.notes.windows.get(&node.id);
        let window = window.map(|(level, number)| self.names.window_name(*level, *number));
        let (function, window) = (
            catalog::quote_identifier(&function),
            catalog::quote_identifier(&window.unwrap_or_default()),
        );
        Ok(Shown::computed(format!("{function}({args}) OVER {window}")))
    }

    /// The output columns of a node, or those that are wanted of them.
    pub(super) fn output(&self, node: &'p Node<'p>, wanted: Option<&[u16]>) -> Result<Vec<String>> {
        let prefixed = self.names.prefixed.replace(self.outputs_prefixed);
        let columns: Vec<usize> = match wanted {
            Some(wanted) => wanted.iter().map(|column| usize::from(*column)).collect(),
            None => (0..node.columns.len()).collect(),
        };
        let list = columns.into_iter().map(|at| Ok(self.column(node, at)?.text)).collect();
        self.names.prefixed.set(prefixed);
        list
    }

    /// Group keys.
    pub(super) fn keys(&self, input: &'p Node<'p>, keys: &[SortColumn]) -> Result<Vec<String>> {
        let text = |key: &SortColumn| Ok(self.column(input, usize::from(key.column))?.text);
        keys.iter().map(text).collect()
    }

    /// Sort keys: what is computed below stands in parentheses.
    pub(super) fn sort_keys(
        &self,
        input: &'p Node<'p>,
        keys: &[SortColumn],
    ) -> Result<Vec<String>> {
        let mut list = Vec::new();
        for key in keys {
            let column = self.column(input, usize::from(key.column))?;
            let mut text = match column.collated {
                Some(collated) => collated,
                None if column.plain => column.text,
                None => format!("({})", column.text),
            };
            text.push_str(match (key.descending, key.nulls_first) {
                (true, true) => " DESC",
                (true, false) => " DESC NULLS LAST",
                (false, true) => " NULLS FIRST",
                (false, false) => "",
            });
            list.push(text);
        }
        Ok(list)
    }

    /// The schema and the name of a function in FROM.
    pub(super) fn function_name(&self, call: &FunctionCall<'p>) -> Option<(String, String)> {
        let plan::FunctionBody::Set { site, .. } = call.body else { return None };
        let catalog = self.source.env.catalog();
        let proc = catalog.find_proc(site.function).ok()??;
        let schema = catalog.namespace(proc.namespace).ok()?;
        Some((schema.name.to_string(), proc.name.to_string()))
    }
}
