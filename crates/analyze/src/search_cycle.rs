//! SEARCH and CYCLE of recursive WITH queries.
//!
//! Both become columns that the query computes itself. Each operand of its UNION is analysed again
//! one level further inside, as the only range of a new query: the new query has the columns of
//! the operand and, after them, the path (or the depth and the columns) so far and the cycle mark.
//! The recursive operand hands the added columns of the rows before through.

use crate::Analyzer;
use crate::coerce::RECORD;
use crate::scope::{Clause, Level};
use crate::select::{NONE, empty_query};
use crate::setop::visible;
use crate::tree::{
    CaseArm, ColumnUse, Command, Cycle, Expr, ExprKind, FromItem, FunctionForm, Query, Range,
    RangeId, RangeKind, ReturningRow, Search, SetOperation, SetTree, Target, Type,
};
use base::{Error, Oid, Result, err};
use parse::{CommonTableExpr, CycleClause, Location, SearchClause, SelectStmt};
use types::{Datum, oids};

const INT8: Oid = Oid(oids::INT8);
const BOOL: Oid = Oid(oids::BOOL);
const RECORD_ARRAY: Oid = Oid(2287);
const INT8INC: Oid = Oid(1219);
const ARRAY_CAT: Oid = Oid(383);
const RECORD_EQUAL_OPERATOR: Oid = Oid(2988);
const RECORD_EQUAL: Oid = Oid(2981);

/// The two clauses of a WITH query.
pub(crate) type Clauses<'q> = (Option<Search<'q>>, Option<Cycle<'q>>);

/// What an operand's new query is built of.
struct Operand<'a, 'q> {
    cte: &'a str,
    names: &'a [&'q str],
    types: &'a [Type],
    clauses: &'a Clauses<'q>,
    /// The recursive one: the added columns of the rows before stand after `names`.
    recursive: bool,
}

impl<'q> Analyzer<'q, '_> {
    pub(crate) fn search_clause(&self, clause: &SearchClause<'_>) -> Result<Search<'q>> {
        Ok(Search {
            columns: self.texts(clause.columns)?,
            breadth_first: clause.breadth_first,
            sequence_column: self.text(clause.sequence_column)?,
        })
    }

    pub(crate) fn cycle_clause(
        &self,
        level: &Level<'q, '_>,
        clause: &CycleClause<'_>,
    ) -> Result<Cycle<'q>> {
        let value = self.expression(level, &clause.mark_value, Clause::CycleMark)?;
        let default = self.expression(level, &clause.mark_default, Clause::CycleMark)?;
        let both = [value, default];
        let oid = self.common_type(&both, Some("CYCLE"))?.unwrap_or(crate::coerce::TEXT);
        let mark_value = self.coerce_common(value, oid, "CYCLE/SET/TO")?;
        let mark_default = self.coerce_common(default, oid, "CYCLE/SET/DEFAULT")?;
        self.inequality(oid)?;
        Ok(Cycle {
            columns: self.texts(clause.columns)?,
            mark_column: self.text(clause.mark_column)?,
            mark_value,
            mark_default,
            path_column: self.text(clause.path_column)?,
        })
    }

    /// The operator `<>` of a type, by the equality of its default class, and its function.
    fn inequality(&self, oid: Oid) -> Result<(Oid, Oid)> {
        let catalog = self.env.catalog();
        let missing = |what: &str| -> Result<Error> {
            let name = self.type_name(oid)?;
            Ok(err!(UNDEFINED_FUNCTION, "could not identify an {what} operator for type {name}"))
        };
        let Ok(equal) = self.group_operators(oid, Location::NONE) else {
            return Err(missing("equality")?);
        };
        let negator = catalog.operator(equal.equal)?.negator;
        if !negator.is_valid() {
            return Err(missing("inequality")?);
        }
        Ok((negator, catalog.operator(negator)?.code))
    }

    fn mark_type(&self, cycle: &Cycle<'q>) -> Result<Type> {
        let both = [cycle.mark_value, cycle.mark_default];
        let oid = cycle.mark_value.ty.oid;
        let collation = self.result_collation(oid, &both)?;
        Ok(Type { oid, typmod: self.common_typmod(&both, oid), collation })
    }

    /// The columns that the clauses add.
    pub(crate) fn added_columns(&self, clauses: &Clauses<'q>) -> Result<Vec<(&'q str, Type)>> {
        let mut added = Vec::new();
        if let Some(search) = &clauses.0 {
            let oid = if search.breadth_first { RECORD } else { RECORD_ARRAY };
            added.push((search.sequence_column, Type::plain(oid)));
        }
        if let Some(cycle) = &clauses.1 {
            added.push((cycle.mark_column, self.mark_type(cycle)?));
            added.push((cycle.path_column, Type::plain(RECORD_ARRAY)));
        }
        Ok(added)
    }

    /// What may be wrong with the clauses when the columns of the query are known.
    pub(crate) fn check_search_cycle(
        &self,
        cte: &CommonTableExpr<'_>,
        names: &[&str],
        query: &Query<'q>,
    ) -> Result<()> {
        if let Some(SetTree::Node(union)) = query.set_operation {
            if matches!(union.left, SetTree::Node(_)) {
                return Err(Error::unsupported(
                    "with a SEARCH or CYCLE clause, the left side of the UNION must be a SELECT",
                ));
            }
            if matches!(union.right, SetTree::Node(_)) {
                return Err(err!(
                    SYNTAX_ERROR,
                    "with a SEARCH or CYCLE clause, the right side of the UNION must be a SELECT"
                ));
            }
        }
        if let Some(search) = cte.search {
            let taken = |what: &str, name: &str| self.taken(what, name, names, search.location);
            self.clause_columns("search", search.columns, names, search.location)?;
            taken("search sequence", search.sequence_column)?;
        }
        if let Some(cycle) = cte.cycle {
            let taken = |what: &str, name: &str| self.taken(what, name, names, cycle.location);
            self.clause_columns("cycle", cycle.columns, names, cycle.location)?;
            taken("cycle mark", cycle.mark_column)?;
            taken("cycle path", cycle.path_column)?;
            if cycle.mark_column == cycle.path_column {
                let same = "cycle mark column name and cycle path column name are the same";
                return Err(self.at(err!(SYNTAX_ERROR, "{same}"), cycle.location));
            }
        }
        let (Some(search), Some(cycle)) = (cte.search, cte.cycle) else { return Ok(()) };
        for (name, what) in [(cycle.mark_column, "mark"), (cycle.path_column, "path")] {
            if search.sequence_column == name {
                let error = err!(
                    SYNTAX_ERROR,
                    "search sequence column name and cycle {what} column name are the same"
                );
                return Err(self.at(error, search.location));
            }
        }
        Ok(())
    }

    fn clause_columns(
        &self,
        what: &str,
        columns: &[&str],
        names: &[&str],
        location: Location,
    ) -> Result<()> {
        for (at, column) in columns.iter().enumerate() {
            let error = if !names.contains(column) {
                err!(SYNTAX_ERROR, "{what} column \"{column}\" not in WITH query column list")
            } else if columns[..at].contains(column) {
                err!(DUPLICATE_COLUMN, "{what} column \"{column}\" specified more than once")
            } else {
                continue;
            };
            return Err(self.at(error, location));
        }
        Ok(())
    }

    fn taken(&self, what: &str, name: &str, names: &[&str], location: Location) -> Result<()> {
        if !names.contains(&name) {
            return Ok(());
        }
        let error = err!(
            SYNTAX_ERROR,
            "{what} column name \"{name}\" already used in WITH query column list"
        );
        Err(self.at(error, location))
    }

    /// The query with the added columns. `level` is that of the UNION.
    pub(crate) fn search_cycle(
        &self,
        level: &Level<'q, '_>,
        (cte, select): (&str, &SelectStmt<'_>),
        written: &'q Query<'q>,
        names: &[&'q str],
        clauses: &Clauses<'q>,
    ) -> Result<Query<'q>> {
        let (Some(SetTree::Node(union)), Some(operation)) =
            (written.set_operation, select.set_operation)
        else {
            return Err(Error::internal("a recursive query without UNION"));
        };
        let uses: Vec<Vec<u32>> = level
            .levels()
            .map(|outer| outer.ctes.borrow().iter().map(|cte| cte.uses).collect())
            .collect();
        let added = self.added_columns(clauses)?;
        let operand = |recursive| Operand { cte, names, types: union.types, clauses, recursive };
        let start = self.operand(level, operation.left, &operand(false), &added)?;
        let step = self.operand(level, operation.right, &operand(true), &added)?;
        // The operands were analysed twice; their references count once.
        for (outer, uses) in level.levels().zip(uses) {
            for (cte, uses) in outer.ctes.borrow_mut().iter_mut().zip(uses) {
                cte.uses = uses;
            }
        }
        let mut types = union.types.to_vec();
        let mut targets = written.targets.to_vec();
        for (name, ty) in &added {
            types.push(*ty);
            targets.push(target(column(types.len(), *ty), name));
        }
        let all_names: Vec<&'q str> =
            targets.iter().map(|target| target.name).take(types.len()).collect();
        let types = self.slice(&types)?;
        {
            let mut ranges = level.ranges.borrow_mut();
            for (range, query) in ranges.iter_mut().zip([start, step]) {
                range.kind = RangeKind::Subquery { query: self.alloc(query)?, view: NONE };
                range.columns = self.slice(&all_names)?;
                range.types = types;
            }
        }
        let keys = self.slice(&self.set_keys(types)?)?;
        let union = SetTree::Node(self.alloc(SetOperation { types, keys, ..**union })?);
        let targets = self.slice(&targets)?;
        Ok(Query { set_operation: Some(self.alloc(union)?), targets, ..*written })
    }

    /// The new query around an operand.
    fn operand(
        &self,
        level: &Level<'q, '_>,
        stmt: &SelectStmt<'_>,
        operand: &Operand<'_, 'q>,
        added: &[(&'q str, Type)],
    ) -> Result<Query<'q>> {
        let outer = Level::new(Some(level));
        let inner = Level::new(Some(&outer));
        let query = self.select_at(&inner, stmt, false)?;
        let mut query = self.cast_leaf(query, operand.types)?;
        let (mut names, mut types) = (operand.names.to_vec(), operand.types.to_vec());
        if operand.recursive {
            self.hand_through(&mut query, operand, added)?;
            names.extend(added.iter().map(|(name, _)| *name));
            types.extend(added.iter().map(|(_, ty)| *ty));
        }
        let origins: Vec<Option<(Oid, i16)>> = visible(&query).map(|t| t.origin).collect();
        outer.add_range(Range {
            kind: RangeKind::Subquery { query: self.alloc(query)?, view: NONE },
            alias: if operand.recursive { "*TROCRN*" } else { "*TLOCRN*" },
            alias_given: true,
            aliased: u16::try_from(names.len()).unwrap_or(u16::MAX),
            columns: self.slice(&names)?,
            types: self.slice(&types)?,
            lateral: false,
            in_from: true,
        });
        let mut targets = Vec::new();
        for (at, (name, ty)) in operand.names.iter().zip(operand.types).enumerate() {
            let origin = origins.get(at).copied().flatten();
            targets.push(Target { origin, ..target(column(at + 1, *ty), name) });
        }
        let values = self.added_values(operand)?;
        targets.extend(values.iter().zip(added).map(|(value, (name, _))| target(*value, name)));
        let filter = match &operand.clauses.1 {
            Some(cycle) if operand.recursive => Some(self.no_cycle_yet(operand, cycle)?),
            _ => None,
        };
        let query = Query {
            from: self.slice(&[FromItem::Range(RangeId(0))])?,
            targets: self.slice(&targets)?,
            filter,
            ..empty_query(Command::Select)
        };
        self.finish(&outer, query)
    }

    /// Adds the added columns of the query itself to its recursive term.
    fn hand_through(
        &self,
        query: &mut Query<'q>,
        operand: &Operand<'_, 'q>,
        added: &[(&'q str, Type)],
    ) -> Result<()> {
        let found = query.ranges.iter().enumerate().find_map(|(at, range)| match range.kind {
            RangeKind::Cte(cte) if cte.self_reference && cte.levels_up == 3 => {
                Some((RangeId(u32::try_from(at).unwrap_or(u32::MAX)), cte))
            }
            _ => None,
        });
        let Some((range, _)) = found else {
            return Err(Error::unsupported(format!(
                "with a SEARCH or CYCLE clause, the recursive reference to WITH query \"{}\" must \
                 be at the top level of its right-hand SELECT",
                operand.cte
            )));
        };
        let mut targets = query.targets.to_vec();
        for (at, (name, ty)) in added.iter().enumerate() {
            let mut value = column(operand.names.len() + at + 1, *ty);
            if let ExprKind::Column(column) = &mut value.kind {
                column.range = range;
            }
            targets.push(target(value, name));
        }
        query.targets = self.slice(&targets)?;
        Ok(())
    }

    /// `ROW(columns)`, after `first` if there is one.
    fn path_row(
        &self,
        operand: &Operand<'_, 'q>,
        columns: &[&'q str],
        first: Option<Expr<'q>>,
    ) -> Result<Expr<'q>> {
        let mut fields: Vec<Expr<'q>> = first.into_iter().collect();
        let mut names: Vec<&'q str> = first.iter().map(|_| "*DEPTH*").collect();
        for name in columns {
            let Some(at) = operand.names.iter().position(|own| own == name) else { continue };
            fields.push(column(at + 1, operand.types[at]));
            names.push(name);
        }
        let kind = ExprKind::Row { fields: self.slice(&fields)?, names: self.slice(&names)? };
        Ok(expr(kind, RECORD))
    }

    /// `ARRAY[row]`, after the path so far if there is one.
    fn path(&self, row: Expr<'q>, before: Option<Expr<'q>>) -> Result<Expr<'q>> {
        let elements = self.slice(&[row])?;
        let last = expr(ExprKind::Array { elements, nested: false }, RECORD_ARRAY);
        let Some(before) = before else { return Ok(last) };
        Ok(expr(self.call(ARRAY_CAT, &[before, last])?, RECORD_ARRAY))
    }

    fn call(&self, function: Oid, args: &[Expr<'q>]) -> Result<ExprKind<'q>> {
        Ok(ExprKind::Function {
            function,
            args: self.slice(args)?,
            variadic: false,
            returns_set: false,
            form: FunctionForm::Call,
        })
    }

    /// The values of the added columns.
    fn added_values(&self, operand: &Operand<'_, 'q>) -> Result<Vec<Expr<'q>>> {
        let own = operand.names.len();
        let mut values = Vec::new();
        let (search, cycle) = operand.clauses;
        if let Some(search) = search {
            let before = operand.recursive;
            values.push(if search.breadth_first {
                let depth = if before {
                    let arg = self.alloc(column(own + 1, Type::plain(RECORD)))?;
                    let depth = expr(ExprKind::Field { arg, field: 1 }, INT8);
                    expr(self.call(INT8INC, &[depth])?, INT8)
                } else {
                    expr(ExprKind::Const(Datum::Int8(0)), INT8)
                };
                self.path_row(operand, search.columns, Some(depth))?
            } else {
                let row = self.path_row(operand, search.columns, None)?;
                self.path(row, before.then(|| column(own + 1, Type::plain(RECORD_ARRAY))))?
            });
        }
        let Some(cycle) = cycle else { return Ok(values) };
        let row = self.path_row(operand, cycle.columns, None)?;
        if !operand.recursive {
            values.push(cycle.mark_default);
            values.push(self.path(row, None)?);
            return Ok(values);
        }
        let path = column(own + usize::from(search.is_some()) + 2, Type::plain(RECORD_ARRAY));
        let found = ExprKind::ScalarArray {
            operator: RECORD_EQUAL_OPERATOR,
            function: RECORD_EQUAL,
            any: true,
            left: self.alloc(row)?,
            right: self.alloc(path)?,
        };
        let arm = CaseArm { when: expr(found, BOOL), then: cycle.mark_value };
        let mark = ExprKind::Case {
            operand: None,
            arms: self.slice(&[arm])?,
            otherwise: Some(self.alloc(cycle.mark_default)?),
        };
        values.push(Expr { kind: mark, ty: self.mark_type(cycle)?, at: None });
        values.push(self.path(row, Some(path))?);
        Ok(values)
    }

    /// The condition that the row before had not closed a cycle.
    fn no_cycle_yet(&self, operand: &Operand<'_, 'q>, cycle: &Cycle<'q>) -> Result<&'q Expr<'q>> {
        let ty = self.mark_type(cycle)?;
        let at = operand.names.len() + usize::from(operand.clauses.0.is_some()) + 1;
        let (operator, function) = self.inequality(ty.oid)?;
        let args = self.slice(&[column(at, ty), cycle.mark_value])?;
        self.alloc(expr(ExprKind::Operator { operator, function, args }, BOOL))
    }
}

fn expr<'q>(kind: ExprKind<'q>, oid: Oid) -> Expr<'q> {
    Expr { kind, ty: Type::plain(oid), at: None }
}

/// A column of the only range, from 1.
fn column<'q>(attribute: usize, ty: Type) -> Expr<'q> {
    let column = ColumnUse {
        range: RangeId(0),
        attribute: i16::try_from(attribute).unwrap_or(i16::MAX),
        levels_up: 0,
        returning: ReturningRow::Default,
    };
    Expr { kind: ExprKind::Column(column), ty, at: None }
}

fn target<'q>(expr: Expr<'q>, name: &'q str) -> Target<'q> {
    Target { expr, name, junk: false, origin: None }
}
