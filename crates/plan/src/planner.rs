//! What all parts of planning share.

use crate::cost::CostSettings;
use crate::node::{Column, Descriptions, Node, NodeKind, Plan, RelationUse, Subplan};
use crate::notes::Notes;
use analyze::tree::{CteUse, Expr, ExprKind, GroupingSet, Query, Type};
use base::{Error, Oid, Result};
use catalog::Catalog;
use catalog::relation::{Index, Relation};
use catalog::rows::TypeKind;
use expr::{Host, Registry, SqlType};
use memory::Bump;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use types::layout::Layout;
use types::oids;

/// The session, as planning sees it.
pub trait Environment: analyze::Environment {
    /// All functions that have an implementation.
    fn registry(&self) -> &Registry;

    /// What constant expressions may ask while they are folded.
    fn host(&self) -> &dyn Host;

    /// About how many rows and pages a relation has.
    fn relation_size(&self, relation: &Relation) -> (f64, f64) {
        if relation.rows >= 0.0 {
            return (f64::from(relation.rows), f64::from(relation.pages));
        }
        guessed_size(relation, 10.0)
    }

    /// The settings that costs depend on.
    fn cost_settings(&self) -> CostSettings {
        CostSettings::default()
    }
}

/// The rows and pages of a relation of which only the number of pages is known.
pub fn guessed_size(relation: &Relation, pages: f64) -> (f64, f64) {
    let width: f64 = relation
        .live_columns()
        .map(|column| if column.len > 0 { f64::from(column.len) } else { 32.0 })
        .sum();
    ((pages * 8168.0 / (width + 28.0)).floor(), pages)
}

/// A column of a range of a query level; unique within a statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Var {
    pub(crate) level: u32,
    pub(crate) range: u32,
    pub(crate) attribute: i16,
}

/// The attribute that stands for the hidden row id.
pub(crate) const ROW_ID: i16 = i16::MIN;

/// A part of an order of rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderKey<'q> {
    pub(crate) expr: &'q Expr<'q>,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

/// A query level while it is planned.
pub(crate) struct Level<'a, 'q> {
    pub(crate) id: u32,
    pub(crate) parent: Option<&'a Level<'a, 'q>>,
    pub(crate) query: &'q Query<'q>,
    /// Parameters through which other levels, or parts of this one that are run again and again,
    /// read columns of this level.
    pub(crate) params: RefCell<Vec<(Var, u16)>>,
    /// The attributes that are read of each range.
    pub(crate) needed: RefCell<BTreeSet<(u32, i16)>>,
    /// How each CTE is carried out, once that is known: the number of its computation.
    pub(crate) ctes: RefCell<Vec<Option<u16>>>,
    /// Substitutes for expressions of this level, by address.
    pub(crate) substitutes: RefCell<Vec<(*const (), Var)>>,
    /// The order in which the rows of FROM would need no sort.
    pub(crate) wanted: RefCell<Vec<OrderKey<'q>>>,
    /// How many rows are asked for, if that is known.
    pub(crate) limit: Cell<Option<f64>>,
}

impl<'a, 'q> Level<'a, 'q> {
    pub(crate) fn up(&self, levels: u16) -> Result<&Level<'a, 'q>> {
        let mut at = self;
        for _ in 0..levels {
            at = at.parent.ok_or_else(|| Error::internal("a column of no query level"))?;
        }
        Ok(at)
    }

    /// The level that owns a CTE.
    pub(crate) fn cte_owner(&self, cte: &CteUse) -> Result<&Level<'a, 'q>> {
        self.up(cte.levels_up)
    }

    pub(crate) fn var(&self, range: u32, attribute: i16) -> Var {
        Var { level: self.id, range, attribute }
    }
}

/// A condition or value together with the level that its columns count from.
#[derive(Clone, Copy)]
pub(crate) struct Cond<'a, 'q> {
    pub(crate) expr: &'q Expr<'q>,
    pub(crate) level: &'a Level<'a, 'q>,
}

/// What a node's output columns are.
#[derive(Clone, Default, Debug)]
pub(crate) struct Columns<'q> {
    pub(crate) vars: Vec<(Var, u16)>,
    /// Whole expressions that are columns.
    pub(crate) exprs: Vec<(&'q Expr<'q>, u16)>,
    /// Aggregate and window calls that are columns, by address.
    pub(crate) calls: Vec<(*const (), u16)>,
    /// The column with the number of a row's grouping set, and the sets.
    pub(crate) grouping: Option<(u16, &'q [GroupingSet<'q>])>,
}

impl<'q> Columns<'q> {
    pub(crate) fn var(&self, var: Var) -> Option<u16> {
        self.vars.iter().find(|(other, _)| *other == var).map(|(_, column)| *column)
    }

    /// These columns after `shift` others.
    pub(crate) fn extend_shifted(&mut self, other: &Columns<'q>, shift: u16) {
        self.vars.extend(other.vars.iter().map(|(var, column)| (*var, column + shift)));
        self.exprs.extend(other.exprs.iter().map(|(expr, column)| (*expr, column + shift)));
        self.calls.extend(other.calls.iter().map(|(call, column)| (*call, column + shift)));
        self.grouping = self.grouping.or(other.grouping.map(|(c, sets)| (c + shift, sets)));
    }
}

/// A planned part of a query.
#[derive(Clone)]
pub(crate) struct Rel<'q, 'p> {
    pub(crate) node: &'p Node<'p>,
    pub(crate) columns: Columns<'q>,
    /// Sets of columns of which no two rows have the same values.
    pub(crate) unique: Vec<Vec<Var>>,
}

impl Rel<'_, '_> {
    pub(crate) fn rows(&self) -> f64 {
        self.node.rows
    }

    pub(crate) fn width(&self) -> u16 {
        self.node.columns.len() as u16
    }
}

/// What grows while a statement is planned.
#[derive(Default)]
pub(crate) struct State<'q, 'p> {
    pub(crate) subplans: Vec<Subplan<'p>>,
    pub(crate) ctes: Vec<Option<&'p Node<'p>>>,
    pub(crate) relations: Vec<RelationUse>,
    pub(crate) descriptions: Descriptions,
    pub(crate) params: u16,
    pub(crate) nodes: u32,
    pub(crate) levels: u32,
    /// The parameters read by what is being planned, one set for each nesting.
    pub(crate) collectors: Vec<BTreeSet<u16>>,
    /// The parameters that change with each round of a recursion, by the number of its CTE.
    pub(crate) rounds: HashMap<u16, u16>,
    /// The orders of scans' rows, by [`Node::id`].
    pub(crate) orders: HashMap<u32, Vec<OrderKey<'q>>>,
    /// The rows that scans leave of tables, by level and range.
    pub(crate) scan_rows: HashMap<(u32, u32), f64>,
}

/// Plans one statement.
pub(crate) struct Planner<'e, 'q, 'p> {
    pub(crate) env: &'e dyn Environment,
    /// Where bound expressions that planning makes live.
    pub(crate) trees: &'q Bump,
    /// Where the plan lives.
    pub(crate) bump: &'p Bump,
    pub(crate) state: RefCell<State<'q, 'p>>,
    pub(crate) costs: CostSettings,
    /// All parameters that stand for columns.
    pub(crate) var_params: RefCell<Vec<(Var, u16)>>,
    /// The levels whose columns are joined with a subquery's rows right now.
    pub(crate) joined_levels: RefCell<Vec<u32>>,
    /// The operands of the CASEs around what is being compiled, where they are constants.
    pub(crate) case_operands: RefCell<Vec<Option<types::Datum<'q>>>>,
    /// What EXPLAIN wants to know; none for everybody else.
    pub(crate) notes: RefCell<Option<Notes<'q>>>,
}

impl<'e, 'q, 'p> Planner<'e, 'q, 'p> {
    /// A planner that has seen nothing and takes no notes.
    pub(crate) fn new(
        env: &'e dyn Environment,
        trees: &'q Bump,
        bump: &'p Bump,
    ) -> Planner<'e, 'q, 'p> {
        Planner {
            env,
            trees,
            bump,
            state: RefCell::default(),
            costs: env.cost_settings(),
            var_params: RefCell::default(),
            joined_levels: RefCell::default(),
            case_operands: RefCell::default(),
            notes: RefCell::default(),
        }
    }

    pub(crate) fn catalog(&self) -> &'e Catalog {
        self.env.catalog()
    }

    pub(crate) fn level<'a>(
        &self,
        query: &'q Query<'q>,
        parent: Option<&'a Level<'a, 'q>>,
    ) -> Level<'a, 'q> {
        let id = {
            let mut state = self.state.borrow_mut();
            state.levels += 1;
            state.levels
        };
        let level = Level {
            id,
            parent,
            query,
            params: RefCell::default(),
            needed: RefCell::default(),
            ctes: RefCell::new(vec![None; query.ctes.len()]),
            substitutes: RefCell::default(),
            wanted: RefCell::default(),
            limit: Cell::new(None),
        };
        self.note_level(&level);
        level
    }

    pub(crate) fn new_param(&self) -> Result<u16> {
        let mut state = self.state.borrow_mut();
        let param = state.params;
        state.params = param
            .checked_add(1)
            .ok_or_else(|| base::err!(STATEMENT_TOO_COMPLEX, "too many parameters"))?;
        Ok(param)
    }

    /// The parameter by which a column of another level, or of what drives this part, is read.
    pub(crate) fn param_of(&self, level: &Level<'_, 'q>, var: Var) -> Result<u16> {
        let known = level.params.borrow().iter().find(|(v, _)| *v == var).map(|(_, p)| *p);
        let param = match known {
            Some(param) => param,
            None => {
                let param = self.new_param()?;
                level.params.borrow_mut().push((var, param));
                self.var_params.borrow_mut().push((var, param));
                param
            }
        };
        self.reads(param);
        Ok(param)
    }

    /// The parameters that stand for a column.
    pub(crate) fn params_of_var(&self, var: Var) -> Vec<u16> {
        let params = self.var_params.borrow();
        params.iter().filter(|(other, _)| *other == var).map(|(_, param)| *param).collect()
    }

    /// Notes that what is being planned reads a parameter.
    pub(crate) fn reads(&self, param: u16) {
        for collector in &mut self.state.borrow_mut().collectors {
            collector.insert(param);
        }
    }

    /// Runs `body` and says which parameters it read.
    pub(crate) fn collecting<R>(
        &self,
        body: impl FnOnce() -> Result<R>,
    ) -> Result<(R, BTreeSet<u16>)> {
        self.state.borrow_mut().collectors.push(BTreeSet::new());
        let result = body();
        let reads = self.state.borrow_mut().collectors.pop().unwrap_or_default();
        Ok((result?, reads))
    }

    /// A node with what is read by its programs and its inputs.
    pub(crate) fn node(
        &self,
        kind: NodeKind<'p>,
        columns: &[Column],
        (rows, startup_cost, total_cost): (f64, f64, f64),
        reads: &BTreeSet<u16>,
    ) -> Result<&'p Node<'p>> {
        let id = {
            let mut state = self.state.borrow_mut();
            state.nodes += 1;
            state.nodes - 1
        };
        let reads: Vec<u16> = reads.iter().copied().collect();
        Ok(self.bump.alloc(Node {
            id,
            kind,
            columns: self.bump.alloc_slice_copy(columns)?,
            rows: rows.max(1.0),
            startup_cost,
            total_cost,
            reads: self.bump.alloc_slice_copy(&reads)?,
        })?)
    }

    /// How values of a type are stored in columns.
    pub(crate) fn column(&self, ty: Type) -> Result<Column> {
        if !ty.oid.is_valid() {
            // A dropped column of a row type is NULL, whatever it was.
            let ty = SqlType { oid: ty.oid, typmod: -1 };
            return Ok(Column { ty, layout: Layout::of(oids::INT4, 4, -1), collation: Oid(0) });
        }
        let (oid, typmod) = self.catalog().base_type(ty.oid, ty.typmod)?;
        let row = self.catalog().type_(oid)?;
        // Enums are known by their width; other types of the user by the form of their output.
        let len = if row.kind == TypeKind::Enum { 4 } else { row.len };
        Ok(Column {
            ty: SqlType { oid: ty.oid, typmod: ty.typmod },
            layout: Layout::of(oid.0, len, typmod),
            collation: ty.collation,
        })
    }

    /// The type by which values are compared: that under a domain.
    pub(crate) fn compare_type(&self, oid: Oid) -> Result<Oid> {
        Ok(self.catalog().base_type(oid, -1)?.0)
    }

    /// The number of a relation in the plan.
    pub(crate) fn relation(&self, oid: Oid, lock_mode: u8) -> Result<(u16, Arc<Relation>)> {
        let mut state = self.state.borrow_mut();
        if let Some(at) = state.relations.iter().position(|r| r.oid == oid) {
            let mode = &mut state.relations[at].lock_mode;
            *mode = (*mode).max(lock_mode);
            return Ok((at as u16, state.descriptions.relations[at].clone()));
        }
        drop(state);
        let relation = self.catalog().relation(oid)?;
        let mut state = self.state.borrow_mut();
        state.relations.push(RelationUse { oid, lock_mode });
        state.descriptions.relations.push(relation.clone());
        Ok((state.relations.len() as u16 - 1, relation))
    }

    /// The number of an index in the plan.
    pub(crate) fn index(&self, index: &Arc<Index>) -> u16 {
        let indexes = &mut self.state.borrow_mut().descriptions.indexes;
        if let Some(at) = indexes.iter().position(|other| other.oid == index.oid) {
            return at as u16;
        }
        indexes.push(index.clone());
        indexes.len() as u16 - 1
    }

    /// Puts a bound expression that planning made among the trees.
    pub(crate) fn tree(&self, kind: ExprKind<'q>, ty: Type) -> Result<&'q Expr<'q>> {
        Ok(self.trees.alloc(Expr { kind, ty, at: None })?)
    }

    pub(crate) fn finish(&self, root: &'p Node<'p>, query: &Query<'q>) -> Result<Plan<'p>> {
        let targets = analyze_columns(query);
        let columns = self.bump.try_alloc_slice(targets.iter().filter(|t| !t.junk).map(|t| {
            Ok(crate::node::OutputColumn {
                name: self.bump.alloc_str(t.name)?,
                ty: SqlType { oid: t.expr.ty.oid, typmod: t.expr.ty.typmod },
                origin: t.origin,
            })
        }))?;
        let state = self.state.borrow();
        let ctes = state
            .ctes
            .iter()
            .map(|cte| cte.ok_or_else(|| Error::internal("a CTE was not planned")));
        Ok(Plan {
            root,
            columns,
            subplans: self.bump.alloc_slice_copy(&state.subplans)?,
            ctes: self.bump.try_alloc_slice(ctes)?,
            relations: self.bump.alloc_slice_copy(&state.relations)?,
            external_params: 0,
            params: state.params,
            nodes: state.nodes,
            modifies: query.command != analyze::tree::Command::Select || query.has_modifying_cte,
        })
    }
}

fn analyze_columns<'q>(query: &Query<'q>) -> &'q [analyze::tree::Target<'q>] {
    if query.command == analyze::tree::Command::Select { query.targets } else { query.returning }
}
