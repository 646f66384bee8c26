//! UNION, INTERSECT, EXCEPT.
//!
//! Leaves are cast to the column types of the whole tree, so that one comparison serves all of
//! its operations.

use crate::coerce::{RECORD, UNKNOWN};
use crate::scope::{Clause, Level};
use crate::select::{NONE, empty_query};
use crate::target::Targets;
use crate::tree::{
    ColumnUse, Command, Distinct, Expr, ExprKind, FromItem, Query, Range, RangeId, RangeKind,
    ReturningRow, SetKind, SetOperation, SetTree, SortKey, Target, Type,
};
use crate::{Analyzer, location_of};
use base::{Error, Result, err};
use parse::{SelectStmt, SetOperationKind};

/// Tells the columns of the first operand when it is known, for recursive queries.
pub(crate) type FirstOperand<'f, 'q> = &'f dyn Fn(&[(&'q str, Type)]) -> Result<()>;

/// A tree of operations before the types are known.
enum Pending {
    Leaf(usize),
    Node { kind: SetKind, all: bool, left: Box<Pending>, right: Box<Pending> },
}

/// A tree with what its columns are so far.
struct Branch<'q> {
    tree: Pending,
    columns: Vec<Expr<'q>>,
}

impl<'q> Analyzer<'q, '_> {
    /// A SELECT whose top is a set operation.
    pub(crate) fn set_select(
        &self,
        level: &Level<'q, '_>,
        stmt: &SelectStmt<'_>,
        first: Option<FirstOperand<'_, 'q>>,
    ) -> Result<Query<'q>> {
        let mut leaves: Vec<Query<'q>> = Vec::new();
        let branch = self.branch(level, stmt, &mut leaves, true, first)?;
        let types: Vec<Type> = branch.columns.iter().map(|column| column.ty).collect();
        let types = self.slice(&types)?;
        let names: Vec<&'q str> = visible(&leaves[0]).map(|target| target.name).collect();
        for (at, leaf) in leaves.iter().enumerate() {
            let leaf = self.cast_leaf(*leaf, types)?;
            let range = Range {
                kind: RangeKind::Subquery { query: self.alloc(leaf)?, view: NONE },
                alias: self.text(&format!("*SELECT* {}", at + 1))?,
                alias_given: false,
                aliased: 0,
                columns: self.slice(&names)?,
                types,
                lateral: false,
                in_from: false,
            };
            level.add_range(range);
        }
        let keys = self.set_keys(types)?;
        let tree = self.alloc(self.set_tree(&branch.tree, types, keys)?)?;
        let mut targets: Targets<'q> = Vec::with_capacity(types.len());
        for (at, (ty, name)) in types.iter().zip(&names).enumerate() {
            let target = ColumnUse {
                range: RangeId(0),
                attribute: i16::try_from(at + 1).unwrap_or(i16::MAX),
                levels_up: 0,
                returning: ReturningRow::Default,
            };
            let at = branch.columns[at].at;
            let expr = Expr { kind: ExprKind::Column(target), ty: *ty, at };
            targets.push(Target { expr, name, junk: false, origin: None });
        }
        let order_by = self.set_order(level, stmt, &targets)?;
        let offset = self.limit(level, stmt.offset, Clause::Offset, false)?;
        let limit = self.limit(level, stmt.limit, Clause::Limit, stmt.with_ties)?;
        Ok(Query {
            targets: self.slice(&targets)?,
            set_operation: Some(tree),
            order_by: self.slice(&order_by)?,
            offset,
            limit,
            with_ties: stmt.with_ties,
            ..empty_query(Command::Select)
        })
    }

    fn branch(
        &self,
        level: &Level<'q, '_>,
        stmt: &SelectStmt<'_>,
        leaves: &mut Vec<Query<'q>>,
        top: bool,
        first: Option<FirstOperand<'_, 'q>>,
    ) -> Result<Branch<'q>> {
        base::stack::check_stack_depth()?;
        if let Some(clause) = stmt.locking.first() {
            let word = crate::clause::strength(clause.strength).clause();
            return Err(Error::unsupported(format!(
                "{word} is not allowed with UNION/INTERSECT/EXCEPT"
            )));
        }
        // An operand with clauses of its own is a query by itself.
        let own = !stmt.sort.is_empty()
            || stmt.offset.is_some()
            || stmt.limit.is_some()
            || stmt.with.is_some();
        let Some(operation) = stmt.set_operation.filter(|_| top || !own) else {
            return self.leaf(level, stmt, leaves);
        };
        let (kind, construct) = match operation.kind {
            SetOperationKind::Union => (SetKind::Union, "UNION"),
            SetOperationKind::Intersect => (SetKind::Intersect, "INTERSECT"),
            SetOperationKind::Except => (SetKind::Except, "EXCEPT"),
        };
        let left = self.branch(level, operation.left, leaves, false, None)?;
        if let Some(first) = first {
            let names: Vec<&'q str> = visible(&leaves[0]).map(|target| target.name).collect();
            let mut columns = Vec::new();
            for (name, column) in names.iter().zip(&left.columns) {
                let oid =
                    if column.ty.oid == UNKNOWN { crate::coerce::TEXT } else { column.ty.oid };
                columns.push((*name, Type { oid, ..self.typed(oid, column.ty.typmod)? }));
            }
            first(&columns)?;
        }
        let right = self.branch(level, operation.right, leaves, false, None)?;
        if left.columns.len() != right.columns.len() {
            let error =
                err!(SYNTAX_ERROR, "each {construct} query must have the same number of columns");
            return Err(match right.columns.first() {
                Some(column) => self.at_expr(error, column),
                None => error,
            });
        }
        let mut columns = Vec::with_capacity(left.columns.len());
        for (a, b) in left.columns.iter().zip(&right.columns) {
            columns.push(self.set_column(*a, *b, construct)?);
        }
        let tree = Pending::Node {
            kind,
            all: operation.all,
            left: Box::new(left.tree),
            right: Box::new(right.tree),
        };
        Ok(Branch { tree, columns })
    }

    fn leaf(
        &self,
        level: &Level<'q, '_>,
        stmt: &SelectStmt<'_>,
        leaves: &mut Vec<Query<'q>>,
    ) -> Result<Branch<'q>> {
        let inner = Level::new(Some(level));
        let query = self.select_at(&inner, stmt, false)?;
        let columns = visible(&query).map(|target| target.expr).collect();
        leaves.push(query);
        Ok(Branch { tree: Pending::Leaf(leaves.len() - 1), columns })
    }

    /// The common column of two operands; its expression only stands for its type and place.
    fn set_column(&self, a: Expr<'q>, b: Expr<'q>, construct: &str) -> Result<Expr<'q>> {
        let both = [a, b];
        let oid = self.common_type(&both, Some(construct))?.unwrap_or(crate::coerce::TEXT);
        for side in &both {
            if side.ty.oid != UNKNOWN {
                self.coerce_common(*side, oid, construct)?;
            }
        }
        let typmod = self.common_typmod(&both, oid);
        let collation = self.result_collation(oid, &both)?;
        let ty = Type { oid, typmod, collation };
        // As an operand of the next operation it is a column, not a literal.
        let target = ColumnUse {
            range: RangeId(0),
            attribute: 1,
            levels_up: 0,
            returning: ReturningRow::Default,
        };
        Ok(Expr { kind: ExprKind::Column(target), ty, at: a.at.or(b.at) })
    }

    /// The leaf with its columns cast to the types of the whole.
    pub(crate) fn cast_leaf(&self, leaf: Query<'q>, types: &[Type]) -> Result<Query<'q>> {
        let same = |target: &Target<'q>, ty: &Type| target.expr.ty.oid == ty.oid;
        if visible(&leaf).zip(types).all(|(target, ty)| same(target, ty)) {
            return Ok(leaf);
        }
        let mut targets: Vec<Target<'q>> = leaf.targets.to_vec();
        let mut columns = types.iter();
        let used = |at: usize| {
            let uses = |keys: &[SortKey]| keys.iter().any(|key| key.target as usize == at);
            let distinct = match leaf.distinct {
                Distinct::None => false,
                Distinct::All(keys) | Distinct::On(keys) => uses(keys),
            };
            uses(leaf.order_by)
                || uses(leaf.group_by)
                || distinct
                || leaf.windows.iter().any(|w| uses(w.partition_by) || uses(w.order_by))
        };
        let mut wrap = leaf.set_operation.is_some();
        for (at, target) in targets.iter_mut().enumerate().filter(|(_, target)| !target.junk) {
            let Some(ty) = columns.next() else { break };
            if target.expr.ty.oid == ty.oid {
                continue;
            }
            wrap |= used(at) && target.expr.ty.oid != UNKNOWN;
            target.expr = self.coerce_common(target.expr, ty.oid, "UNION")?;
            target.origin = None;
        }
        if !wrap {
            return Ok(Query { targets: self.slice(&targets)?, ..leaf });
        }
        self.wrap_leaf(leaf, types)
    }

    /// A query around a leaf whose own clauses use the columns before the cast.
    fn wrap_leaf(&self, leaf: Query<'q>, types: &[Type]) -> Result<Query<'q>> {
        // Undecided literals are decided here, where nothing compares them.
        let mut inner: Vec<Target<'q>> = leaf.targets.to_vec();
        self.resolve_targets(&mut inner)?;
        let leaf = Query { targets: self.slice(&inner)?, ..leaf };
        let (mut names, mut given, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (target, ty)) in visible(&leaf).zip(types).enumerate() {
            names.push(target.name);
            given.push(target.expr.ty);
            let column = ColumnUse {
                range: RangeId(0),
                attribute: i16::try_from(at + 1).unwrap_or(i16::MAX),
                levels_up: 0,
                returning: ReturningRow::Default,
            };
            let expr =
                Expr { kind: ExprKind::Column(column), ty: target.expr.ty, at: target.expr.at };
            let expr = self.coerce_common(expr, ty.oid, "UNION")?;
            targets.push(Target { expr, name: target.name, junk: false, origin: None });
        }
        let range = Range {
            kind: RangeKind::Subquery { query: self.shifted(leaf)?, view: NONE },
            alias: "*SELECT*",
            alias_given: false,
            aliased: 0,
            columns: self.slice(&names)?,
            types: self.slice(&given)?,
            lateral: false,
            in_from: false,
        };
        Ok(Query {
            ranges: self.slice(&[range])?,
            from: self.slice(&[FromItem::Range(RangeId(0))])?,
            targets: self.slice(&targets)?,
            ..empty_query(Command::Select)
        })
    }

    /// A query that moves one level inwards. Only queries that read nothing outside can.
    fn shifted(&self, query: Query<'q>) -> Result<&'q Query<'q>> {
        let query = self.alloc(query)?;
        let mut outside = false;
        crate::walk::visit_query(query, 0, &mut |part, depth| {
            if let ExprKind::Column(target) = part.kind {
                outside |= target.levels_up > depth;
            }
            !outside
        });
        outside |= !query.ranges.iter().all(|range| match range.kind {
            RangeKind::Cte(cte) => cte.levels_up == 0,
            _ => true,
        });
        if outside {
            return Err(Error::unsupported(
                "a set operation that casts a sorted or grouped operand with references outside is \
                 not supported yet",
            ));
        }
        Ok(query)
    }

    pub(crate) fn set_keys(&self, types: &[Type]) -> Result<Vec<SortKey>> {
        let mut keys = Vec::new();
        for (at, ty) in types.iter().enumerate() {
            let expr = Expr { kind: ExprKind::CaseOperand, ty: *ty, at: None };
            // Rows are compared when the statement runs.
            if ty.oid == RECORD {
                keys.push(self.group_key(at, &expr, parse::Location::NONE)?);
                continue;
            }
            match self.group_key(at, &expr, parse::Location::NONE) {
                Ok(key) => keys.push(key),
                Err(error) => keys.push(missing_key(at, error)?),
            }
        }
        Ok(keys)
    }

    fn set_tree(
        &self,
        tree: &Pending,
        types: &'q [Type],
        keys: Vec<SortKey>,
    ) -> Result<SetTree<'q>> {
        Ok(match tree {
            Pending::Leaf(at) => SetTree::Leaf(RangeId(u32::try_from(*at).unwrap_or(u32::MAX))),
            Pending::Node { kind, all, left, right } => {
                let missing = keys.iter().find(|key| !key.equal_operator.is_valid());
                if let (Some(key), false) = (missing, *all) {
                    let name = self.type_name(types[key.target as usize].oid)?;
                    return Err(err!(
                        UNDEFINED_FUNCTION,
                        "could not identify an equality operator for type {name}"
                    ));
                }
                let left = self.set_tree(left, types, keys.clone())?;
                let right = self.set_tree(right, types, keys.clone())?;
                SetTree::Node(self.alloc(SetOperation {
                    kind: *kind,
                    all: *all,
                    left,
                    right,
                    types,
                    keys: self.slice(&keys)?,
                })?)
            }
        })
    }

    /// Analyses an expression that only the result columns may stand in, for its errors.
    fn result_expression(
        &self,
        level: &Level<'q, '_>,
        item: &parse::Expression<'_>,
        targets: &Targets<'q>,
    ) -> Result<()> {
        let names: Vec<&'q str> = targets.iter().map(|target| target.name).collect();
        let types: Vec<Type> = targets.iter().map(|target| target.expr.ty).collect();
        let range = Range {
            kind: RangeKind::Values(&[]),
            alias: "*RESULT*",
            alias_given: false,
            aliased: 0,
            columns: self.slice(&names)?,
            types: self.slice(&types)?,
            lateral: false,
            in_from: false,
        };
        let alone = Level::new(level.parent);
        let id = alone.add_range(range);
        alone.namespace.borrow_mut().push(self.item(id, &range)?);
        self.expression(&alone, item, Clause::OrderBy).map(drop)
    }

    /// ORDER BY over a set operation names result columns only.
    fn set_order(
        &self,
        level: &Level<'q, '_>,
        stmt: &SelectStmt<'_>,
        targets: &Targets<'q>,
    ) -> Result<Vec<SortKey>> {
        let mut keys: Vec<SortKey> = Vec::new();
        for item in stmt.sort {
            let found = self.output_column(level, &item.value, targets, Clause::OrderBy)?;
            let Some(at) = found else {
                self.result_expression(level, &item.value, targets)?;
                let error = err!(
                    FEATURE_NOT_SUPPORTED,
                    "invalid UNION/INTERSECT/EXCEPT ORDER BY clause"
                )
                .detail("Only result column names can be used, not expressions or functions.")
                .hint(
                    "Add the expression/function to every SELECT, or move the UNION into a FROM \
                     clause.",
                );
                return Err(self.at(error, item.value.location()));
            };
            let expr = targets[at].expr;
            let key =
                self.sort_key(at, &expr, item, item.value.location().or(location_of(&expr)))?;
            if !keys.iter().any(|old| old.target == key.target) {
                keys.push(key);
            }
        }
        Ok(keys)
    }
}

/// A key without operators, for columns that only UNION ALL may have.
fn missing_key(at: usize, error: Error) -> Result<SortKey> {
    if error.sqlstate() != base::SqlState::UNDEFINED_FUNCTION {
        return Err(error);
    }
    Ok(SortKey {
        target: u32::try_from(at).unwrap_or(u32::MAX),
        sort_operator: NONE,
        equal_operator: NONE,
        descending: false,
        nulls_first: false,
    })
}

/// The columns that a query yields.
pub(crate) fn visible<'q>(query: &Query<'q>) -> impl Iterator<Item = &'q Target<'q>> {
    query.targets.iter().filter(|target| !target.junk)
}
