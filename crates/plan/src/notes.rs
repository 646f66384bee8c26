//! What a plan was made from, for EXPLAIN.
//!
//! A plan has programs, not expressions. Who wants to show it asks planning to note which bound
//! expressions its programs compute, and which ranges its scans read. Nobody else pays for it.

use crate::from::conjuncts;
use crate::node::Node;
use crate::planner::{Level, Planner};
use analyze::tree::{Expr, FunctionRange, Query, SubLink};
use base::Result;
use expr::Program;
use std::collections::{HashMap, HashSet};

/// A query level.
#[derive(Clone, Copy, Debug)]
pub struct LevelNote<'q> {
    /// Its number.
    pub id: u32,
    /// The level around it.
    pub parent: Option<u32>,
    /// Its query.
    pub query: &'q Query<'q>,
}

/// An expression with the level that its columns count from.
#[derive(Clone, Copy, Debug)]
pub struct NotedExpr<'q> {
    /// The expression.
    pub expr: Expr<'q>,
    /// The number of the level.
    pub level: u32,
}

/// What planning noted. Nodes go by [`Node::id`].
#[derive(Default, Debug)]
pub struct Notes<'q> {
    /// The query levels, in the order of planning.
    pub levels: Vec<LevelNote<'q>>,
    /// The level and the range that a scan reads.
    pub ranges: HashMap<u32, (u32, u32)>,
    /// The conditions that an index scan's range sees to.
    pub index_conditions: HashMap<u32, Vec<NotedExpr<'q>>>,
    /// The calls of functions in FROM.
    pub calls: HashMap<u32, Vec<NotedExpr<'q>>>,
    /// The level and the number of a window.
    pub windows: HashMap<u32, (u32, u32)>,
    /// The subplans of subqueries in expressions, by address.
    pub subplans: HashMap<usize, u16>,
    /// The names of CTEs that are computed once, by number.
    pub ctes: HashMap<u16, &'q str>,
    /// The nodes that settings forbid.
    pub disabled: HashSet<u32>,
    programs: HashMap<usize, Vec<Option<NotedExpr<'q>>>>,
}

/// What a program is known by: no two have their results in one place.
fn key(program: &Program<'_>) -> Option<usize> {
    (!program.results.is_empty()).then(|| program.results.as_ptr().addr())
}

impl<'q> Notes<'q> {
    /// The expressions that a program computes, where they were noted.
    pub fn program(&self, program: &Program<'_>) -> &[Option<NotedExpr<'q>>] {
        key(program).and_then(|key| self.programs.get(&key)).map_or(&[], Vec::as_slice)
    }

    /// The subplan of a subquery in an expression.
    pub fn subplan(&self, link: &SubLink<'q>) -> Option<u16> {
        self.subplans.get(&std::ptr::from_ref(link).addr()).copied()
    }
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// Whether notes are taken.
    pub(crate) fn is_noting(&self) -> bool {
        self.notes.borrow().is_some()
    }

    fn note(&self, note: impl FnOnce(&mut Notes<'q>)) {
        if let Some(notes) = &mut *self.notes.borrow_mut() {
            note(notes);
        }
    }

    pub(crate) fn note_level(&self, level: &Level<'_, 'q>) {
        let parent = level.parent.map(|parent| parent.id);
        self.note(|notes| {
            notes.levels.push(LevelNote { id: level.id, parent, query: level.query });
        });
    }

    /// Results of a program behind its first `skip` ones.
    pub(crate) fn note_program<'x>(
        &self,
        program: &Program<'p>,
        skip: usize,
        exprs: impl IntoIterator<Item = Option<(&'x Expr<'q>, u32)>>,
    ) where
        'q: 'x,
    {
        self.note(|notes| {
            let exprs = exprs
                .into_iter()
                .map(|noted| noted.map(|(expr, level)| NotedExpr { expr: *expr, level }));
            if let Some(key) = key(program) {
                let all = std::iter::repeat_n(None, skip).chain(exprs).collect();
                notes.programs.insert(key, all);
            }
        });
    }

    pub(crate) fn note_range(&self, node: &Node<'_>, level: &Level<'_, 'q>, range: u32) {
        self.note(|notes| {
            notes.ranges.insert(node.id, (level.id, range));
        });
    }

    pub(crate) fn note_calls(
        &self,
        node: &Node<'_>,
        level: &Level<'_, 'q>,
        functions: &[FunctionRange<'q>],
    ) {
        self.note(|notes| {
            let call =
                |function: &FunctionRange<'q>| NotedExpr { expr: function.call, level: level.id };
            notes.calls.insert(node.id, functions.iter().map(call).collect());
        });
    }

    /// A node stands for another from now on.
    pub(crate) fn note_same(&self, old: &Node<'_>, new: &Node<'_>) {
        self.note(|notes| {
            if let Some(range) = notes.ranges.get(&old.id).copied() {
                notes.ranges.insert(new.id, range);
            }
            if let Some(conditions) = notes.index_conditions.get(&old.id).cloned() {
                notes.index_conditions.insert(new.id, conditions);
            }
            if notes.disabled.contains(&old.id) {
                notes.disabled.insert(new.id);
            }
        });
    }

    pub(crate) fn note_index(
        &self,
        node: &Node<'_>,
        level: &Level<'_, 'q>,
        shown: &[&'q Expr<'q>],
    ) {
        self.note(|notes| {
            let mut parts = Vec::new();
            shown.iter().for_each(|expr| conjuncts(expr, &mut parts));
            let noted = parts.into_iter().map(|expr| NotedExpr { expr: *expr, level: level.id });
            notes.index_conditions.insert(node.id, noted.collect());
        });
    }

    /// A setting forbids the node.
    pub(crate) fn note_disabled(&self, node: &Node<'_>) {
        self.note(|notes| {
            notes.disabled.insert(node.id);
        });
    }

    /// Runs `body` without taking notes.
    pub(crate) fn unnoted<R>(&self, body: impl FnOnce() -> Result<R>) -> Result<R> {
        let notes = self.notes.take();
        let result = body();
        self.notes.replace(notes);
        result
    }

    pub(crate) fn note_window(&self, node: &Node<'_>, level: &Level<'_, 'q>, window: usize) {
        self.note(|notes| {
            let window = u32::try_from(window).unwrap_or(u32::MAX);
            notes.windows.insert(node.id, (level.id, window));
        });
    }

    pub(crate) fn note_subplan(&self, link: &SubLink<'q>, number: u16) {
        self.note(|notes| {
            notes.subplans.insert(std::ptr::from_ref(link).addr(), number);
        });
    }

    pub(crate) fn note_cte(&self, number: u16, name: &'q str) {
        self.note(|notes| {
            notes.ctes.insert(number, name);
        });
    }
}
