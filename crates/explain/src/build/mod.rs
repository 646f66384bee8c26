//! From a plan to what is shown of it.
//!
//! How it works: the executor's projections and filters are nodes of their own; shown are they as
//! properties of the node below them. [`Builder::shown`] goes down through them, remembers what
//! they do, and makes one node out of all.

mod memory;
mod properties;
mod texts;

use crate::options::Options;
use crate::shown::{Actual, Costs, Shown, Value};
use ::memory::Bump;
use analyze::Environment;
use analyze::tree::{Expr, ExprKind, SubLink};
use base::Result;
use deparse::{Hooks, LevelQuery, PlanNames, SubplanName};
use execute::NodeCounters;
use expr::{Op, Program};
use plan::{Descriptions, Node, NodeKind, Notes, Plan, SubplanKind};
use std::cell::RefCell;
use std::collections::HashSet;
use types::Datum;

/// What a plan is shown from.
pub struct Source<'s, 'q, 'p> {
    /// The session.
    pub env: &'s dyn plan::Environment,
    /// The plan.
    pub plan: &'s Plan<'p>,
    /// What it refers to.
    pub descriptions: &'s Descriptions,
    /// What it was made from.
    pub notes: &'s Notes<'q>,
    /// Where values of constants are put.
    pub bump: &'q Bump,
    /// The values of parameters.
    pub parameters: &'q [Datum<'q>],
    /// What its nodes have done; empty if it was not run.
    pub counters: &'s [NodeCounters],
}

/// What stands above a node and is shown with it.
#[derive(Default)]
pub(super) struct Above<'p> {
    /// The topmost of the nodes that are shown as one.
    top: Option<&'p Node<'p>>,
    /// The filters, innermost last.
    filters: Vec<&'p [Program<'p>]>,
    /// The numbers of the filter nodes.
    removers: Vec<u32>,
    /// The columns that whoever reads the node wants; none for all.
    wanted: Option<Vec<u16>>,
    /// Programs of projections, for the subplans in them.
    programs: Vec<Program<'p>>,
}

pub(super) struct Builder<'s, 'q, 'p> {
    source: &'s Source<'s, 'q, 'p>,
    options: Options,
    names: PlanNames<'q>,
    /// Output columns show the name of their range.
    outputs_prefixed: bool,
    /// The subplans whose place was found.
    placed: RefCell<HashSet<u16>>,
}

impl<'q> Hooks<'q> for Source<'_, 'q, '_> {
    fn constant(&self, expr: &Expr<'q>) -> Option<Datum<'q>> {
        match expr.kind {
            ExprKind::Const(_) => None,
            ExprKind::Param(number) => {
                self.parameters.get((number as usize).checked_sub(1)?).copied()
            }
            ExprKind::Array { elements, nested: false } => {
                let value = |element: &Expr<'q>| match element.kind {
                    ExprKind::Const(value) => Some(value),
                    _ => self.constant(element),
                };
                let values: Option<Vec<Datum<'q>>> = elements.iter().map(value).collect();
                let element = self.env.catalog().find_type(expr.ty.oid).ok()??.element;
                types::array::from_list(element.0, &values?, &self.bump).ok()
            }
            // Errors of constants belong to execution.
            _ => plan::constant(self.bump, self.env, expr).ok().flatten(),
        }
    }

    fn subplan(&self, link: &SubLink<'q>) -> Option<SubplanName> {
        self.notes.subplan(link).map(|number| self.subplan_name(number))
    }
}

impl Source<'_, '_, '_> {
    /// What a subplan is called: those that depend on nothing are run once.
    fn subplan_name(&self, number: u16) -> SubplanName {
        let shown = usize::from(number) + 1 + self.plan.ctes.len();
        let found = self.plan.subplans.get(usize::from(number));
        let compare = found.is_some_and(|s| matches!(s.kind, SubplanKind::Compare { .. }));
        let hashed = found.is_some_and(|s| {
            matches!(s.kind, SubplanKind::Compare { hash: Some(_), .. }) && s.sets.is_empty()
        });
        let initial = !compare && found.is_some_and(|s| s.sets.is_empty() && s.memoise);
        let word = if initial { "InitPlan" } else { "SubPlan" };
        SubplanName { name: format!("{word} {shown}"), hashed, initial }
    }
}

/// All nodes of a plan.
fn walk<'p>(node: &'p Node<'p>, f: &mut dyn FnMut(&'p Node<'p>)) {
    f(node);
    for child in inputs(node) {
        walk(child, f);
    }
}

/// What a node reads.
pub(super) fn inputs<'p>(node: &'p Node<'p>) -> Vec<&'p Node<'p>> {
    match node.kind {
        NodeKind::Result { .. }
        | NodeKind::Values(_)
        | NodeKind::SeqScan { .. }
        | NodeKind::IndexScan { .. }
        | NodeKind::FunctionScan { .. }
        | NodeKind::CteScan(_)
        | NodeKind::WorkTable(_) => Vec::new(),
        NodeKind::RecursiveUnion { start, step, .. } => vec![start, step],
        NodeKind::Filter { input, .. }
        | NodeKind::Project { input, .. }
        | NodeKind::ProjectSet { input, .. }
        | NodeKind::Sort { input, .. }
        | NodeKind::Aggregate { input, .. }
        | NodeKind::Distinct { input, .. }
        | NodeKind::Window { input, .. }
        | NodeKind::Limit { input, .. }
        | NodeKind::LockRows { input, .. }
        | NodeKind::With { input, .. } => vec![input],
        NodeKind::NestedLoop { left, right, .. }
        | NodeKind::HashJoin { left, right, .. }
        | NodeKind::SetOperation { left, right, .. } => vec![left, right],
        NodeKind::Append(inputs) => inputs.to_vec(),
        NodeKind::Modify(modify) => vec![modify.input],
    }
}

/// Shows a plan.
///
/// # Errors
/// Those of reading the catalogs.
pub(crate) fn build(source: &Source<'_, '_, '_>, options: Options) -> Result<Shown> {
    let mut used = HashSet::new();
    let mut note = |node: &Node<'_>| {
        used.extend(source.notes.ranges.get(&node.id).copied());
    };
    walk(source.plan.root, &mut note);
    source.plan.ctes.iter().for_each(|root| walk(root, &mut note));
    source.plan.subplans.iter().for_each(|subplan| walk(subplan.root, &mut note));
    let mut levels = Vec::new();
    let (mut count, mut seen) = (0, HashSet::new());
    for level in &source.notes.levels {
        levels.push(LevelQuery { id: level.id, parent: level.parent, query: level.query });
        // The target of a change is read by no scan.
        if let Some(target) = level.query.result_relation {
            used.insert((level.id, target.0));
        }
        // Some queries are planned level by level more than once.
        if seen.insert(std::ptr::from_ref(level.query)) {
            // Ranges that planning made for itself have no names.
            count += level.query.ranges.iter().filter(|range| !range.alias.is_empty()).count();
        }
    }
    let env: &dyn Environment = source.env;
    let names = PlanNames::new(env, &levels, &used)?;
    names.prefixed.set(options.verbose || count > 1);
    let outputs_prefixed = count > 1;
    let placed = RefCell::default();
    let builder = Builder { source, options, names, outputs_prefixed, placed };
    let mut root = builder.shown(source.plan.root, Above::default())?;
    builder.place_rest(&mut root)?;
    Ok(root)
}

impl<'p> Builder<'_, '_, 'p> {
    fn place_rest(&self, root: &mut Shown) -> Result<()> {
        let mut ctes = Vec::new();
        for (number, cte) in self.source.plan.ctes.iter().enumerate() {
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            let mut shown = self.shown(cte, Above::default())?;
            let name = self.source.notes.ctes.get(&number).copied().unwrap_or_default();
            shown.subplan = Some(format!("CTE {name}"));
            shown.relationship = Some("InitPlan");
            ctes.push(shown);
        }
        root.children.splice(0..0, ctes);
        let missing: Vec<u16> = (0..self.source.plan.subplans.len())
            .filter_map(|number| u16::try_from(number).ok())
            .filter(|number| !self.placed.borrow().contains(number))
            .collect();
        for number in missing {
            if self.placed.borrow_mut().insert(number) {
                self.add_subplan(root, number)?;
            }
        }
        Ok(())
    }

    fn add_subplan(&self, shown: &mut Shown, number: u16) -> Result<()> {
        let Some(subplan) = self.source.plan.subplans.get(usize::from(number)) else {
            return Ok(());
        };
        let name = self.source.subplan_name(number);
        let mut child = self.shown(subplan.root, Above::default())?;
        child.subplan = Some(name.name);
        if name.initial {
            child.relationship = Some("InitPlan");
            let first = shown.children.iter().take_while(|c| c.relationship == Some("InitPlan"));
            let place = first.count();
            shown.children.insert(place, child);
        } else {
            child.relationship = Some("SubPlan");
            shown.children.push(child);
        }
        Ok(())
    }

    /// Adds the subplans that programs call.
    fn add_subplans(&self, shown: &mut Shown, programs: &[Program<'p>]) -> Result<()> {
        for program in programs {
            for op in program.ops {
                if let Op::Subplan { subplan, .. } = op
                    && self.placed.borrow_mut().insert(*subplan)
                {
                    self.add_subplan(shown, *subplan)?;
                }
            }
        }
        Ok(())
    }

    /// A node with what is above it.
    fn shown(&self, node: &'p Node<'p>, mut above: Above<'p>) -> Result<Shown> {
        base::stack::check_stack_depth()?;
        above.top = above.top.or(Some(node));
        match node.kind {
            NodeKind::Project { input, program } => {
                above.programs.push(program);
                return self.shown(input, above);
            }
            NodeKind::Filter { input, filters } => {
                above.filters.push(filters);
                above.removers.push(node.id);
                return self.shown(input, above);
            }
            NodeKind::With { input, .. } => return self.shown(input, above),
            _ => {}
        }
        let mut shown = self.titled(node)?;
        let top = above.top.unwrap_or(node);
        shown.costs = self.options.costs.then(|| Costs {
            startup: top.startup_cost.min(top.total_cost),
            total: top.total_cost,
            rows: top.rows.round().max(1.0),
            width: width(top),
        });
        shown.actual = self.actual(top);
        shown.disabled = self.source.notes.disabled.contains(&node.id);
        if self.options.verbose {
            let output = self.output(top, above.wanted.as_deref())?;
            if !output.is_empty() {
                shown.show("Output", Value::List(output));
            }
        }
        let mut programs = above.programs.clone();
        self.describe(&mut shown, node, &above, &mut programs)?;
        self.memory(&mut shown, node);
        self.children(&mut shown, node)?;
        self.add_subplans(&mut shown, &programs)?;
        Ok(shown)
    }

    fn counters(&self, node: &Node<'_>) -> Option<&NodeCounters> {
        self.source.counters.get(node.id as usize)
    }

    fn actual(&self, node: &Node<'_>) -> Option<Actual> {
        let counters = self.counters(node)?;
        let loops = counters.loops.max(1) as f64;
        let times_ms = self.options.timing.then(|| {
            let each = |ns: u64| ns as f64 / 1_000_000.0 / loops;
            (each(counters.startup_ns), each(counters.total_ns))
        });
        Some(Actual { times_ms, rows: counters.rows as f64 / loops, loops: counters.loops })
    }

    fn children(&self, shown: &mut Shown, node: &'p Node<'p>) -> Result<()> {
        let inputs = inputs(node);
        let appended = matches!(node.kind, NodeKind::Append(_));
        for (at, input) in inputs.iter().enumerate() {
            let wanted = match node.kind {
                NodeKind::Modify(modify) => wanted(modify),
                _ => None,
            };
            let mut child = self.shown(input, Above { wanted, ..Above::default() })?;
            child.relationship = Some(match at {
                _ if appended => "Member",
                0 => "Outer",
                _ => "Inner",
            });
            // The table of a hash join is shown as a node.
            if at == 1 && matches!(node.kind, NodeKind::HashJoin { .. }) {
                let mut hash = Shown::new("Hash");
                hash.relationship = Some("Inner");
                hash.costs = child.costs.map(|costs| Costs { startup: costs.total, ..costs });
                hash.actual = child.actual;
                self.hash_table(&mut hash, node);
                child.relationship = Some("Outer");
                hash.children.push(child);
                child = hash;
            }
            shown.children.push(child);
        }
        Ok(())
    }
}

/// What UPDATE and DELETE read: new values, and which row it is.
fn wanted(modify: &plan::Modify<'_>) -> Option<Vec<u16>> {
    let row = modify.row_id?;
    let values = modify.assignments.iter().map(|assignment| assignment.column);
    Some(values.chain([row]).collect())
}

/// The bytes of a row, by guess.
fn width(node: &Node<'_>) -> i64 {
    let bytes = |column: &plan::Column| column.layout.kind().width().unwrap_or(32);
    i64::try_from(node.columns.iter().map(bytes).sum::<usize>()).unwrap_or(i64::MAX)
}
