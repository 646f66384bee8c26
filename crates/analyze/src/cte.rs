//! WITH.

use crate::Analyzer;
use crate::coerce::{TEXT, UNKNOWN};
use crate::references::references;
use crate::scope::{CteEntry, Level};
use crate::tree::{Cte, Materialize, Query, SetTree, Type};
use base::{Error, Result, SqlState, err};
use parse::{CommonTableExpr, Location, SelectStmt, Statement, WithClause};

impl<'q> Analyzer<'q, '_> {
    /// Analyses the queries of WITH; the level can refer to them afterwards.
    pub(crate) fn with_clause(
        &self,
        level: &Level<'q, '_>,
        with: Option<&WithClause<'_>>,
    ) -> Result<Vec<Cte<'q>>> {
        let Some(with) = with else { return Ok(Vec::new()) };
        for (at, cte) in with.ctes.iter().enumerate() {
            if with.ctes[..at].iter().any(|other| other.name == cte.name) {
                let error = err!(
                    DUPLICATE_ALIAS,
                    "WITH query name \"{}\" specified more than once",
                    cte.name
                );
                return Err(self.at(error, cte.location));
            }
            if !matches!(cte.query, Statement::Select(_)) && level.parent.is_some() {
                let error = err!(
                    FEATURE_NOT_SUPPORTED,
                    "WITH clause containing a data-modifying statement must be at the top level"
                );
                return Err(self.at(error, cte.location));
            }
        }
        let order = if with.recursive {
            self.recursion_order(with)?
        } else {
            (0..with.ctes.len()).collect()
        };
        let mut ctes = Vec::with_capacity(with.ctes.len());
        for (done, at) in order.iter().enumerate() {
            let mut future = Vec::new();
            for later in &order[done..] {
                future.push(self.text(with.ctes[*later].name)?);
            }
            level.future_ctes.replace(future);
            ctes.push(self.cte(level, &with.ctes[*at], with.recursive)?);
        }
        level.future_ctes.replace(Vec::new());
        Ok(ctes)
    }

    /// The order of WITH RECURSIVE in which each query follows those it refers to.
    fn recursion_order(&self, with: &WithClause<'_>) -> Result<Vec<usize>> {
        let mut needs: Vec<Vec<usize>> = Vec::with_capacity(with.ctes.len());
        for (at, cte) in with.ctes.iter().enumerate() {
            let mut its = Vec::new();
            references(cte.query, &mut |name, _| {
                let other = with.ctes.iter().position(|other| other.name == name);
                its.extend(other.filter(|other| *other != at));
            });
            needs.push(its);
        }
        let mut order: Vec<usize> = Vec::with_capacity(needs.len());
        while order.len() < needs.len() {
            let ready = |at: &usize| {
                !order.contains(at) && needs[*at].iter().all(|need| order.contains(need))
            };
            match (0..needs.len()).find(ready) {
                Some(at) => order.push(at),
                None => {
                    let stuck = (0..needs.len()).find(|at| !order.contains(at)).unwrap_or(0);
                    let error = err!(
                        FEATURE_NOT_SUPPORTED,
                        "mutual recursion between WITH items is not implemented"
                    );
                    return Err(self.at(error, with.ctes[stuck].location));
                }
            }
        }
        Ok(order)
    }

    /// 42P19 for a query that refers to itself where it may not. Whether it does at all.
    fn check_recursion(&self, cte: &CommonTableExpr<'_>) -> Result<bool> {
        let uses = |statement: &Statement<'_>| {
            let mut first = None;
            references(statement, &mut |name, location| {
                if name == cte.name {
                    first.get_or_insert(location);
                }
            });
            first
        };
        if uses(cte.query).is_none() {
            return Ok(false);
        }
        let invalid = |message: String, location: Location| {
            Err(self.at(Error::new(SqlState::INVALID_RECURSION, message), location))
        };
        let Statement::Select(select) = cte.query else {
            return invalid(
                format!(
                    "recursive query \"{}\" must not contain data-modifying statements",
                    cte.name
                ),
                cte.location,
            );
        };
        let union = select
            .set_operation
            .filter(|operation| operation.kind == parse::SetOperationKind::Union);
        let Some(union) = union else {
            return invalid(
                format!(
                    "recursive query \"{}\" does not have the form non-recursive-term UNION [ALL] \
                     recursive-term",
                    cte.name
                ),
                cte.location,
            );
        };
        if let Some(location) = uses(&Statement::Select(union.left)) {
            return invalid(
                format!(
                    "recursive reference to query \"{}\" must not appear within its non-recursive \
                     term",
                    cte.name
                ),
                location,
            );
        }
        for (clause, what) in [
            (select.sort.first().map(|item| item.value.location()), "ORDER BY"),
            (select.offset.map(|value| value.location()), "OFFSET"),
            (select.limit.map(|value| value.location()), "LIMIT"),
        ] {
            if let Some(location) = clause {
                let error =
                    err!(FEATURE_NOT_SUPPORTED, "{what} in a recursive query is not implemented");
                return Err(self.at(error, location));
            }
        }
        if !select.locking.is_empty() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "FOR UPDATE/SHARE in a recursive query is not implemented"
            ));
        }
        Ok(true)
    }

    fn cte(
        &self,
        level: &Level<'q, '_>,
        cte: &CommonTableExpr<'_>,
        recursive: bool,
    ) -> Result<Cte<'q>> {
        if cte.search.is_some() || cte.cycle.is_some() {
            let what = if cte.search.is_some() { "SEARCH" } else { "CYCLE" };
            let error = Error::unsupported(format!("{what} is not supported yet"));
            return Err(self.at(error, cte.location));
        }
        let name = self.text(cte.name)?;
        let index = u32::try_from(level.ctes.borrow().len()).unwrap_or(u32::MAX);
        let entry = CteEntry {
            name,
            columns: &[],
            types: &[],
            query: None,
            index,
            uses: 0,
            in_progress: true,
            without_rows: false,
        };
        let is_recursive = recursive && self.check_recursion(cte)?;
        let query = match cte.query {
            Statement::Select(select) if is_recursive => {
                self.recursive_cte(level, cte, select, entry)?
            }
            other => self.statement(other, Some(level))?,
        };
        let (names, types) = self.cte_columns(cte, query)?;
        let is_select = matches!(cte.query, Statement::Select(_));
        if !is_select {
            level.has_modifying_cte.set(true);
        }
        level.ctes.borrow_mut().push(CteEntry {
            columns: names,
            types,
            query: Some(query),
            in_progress: false,
            without_rows: !is_select && query.returning.is_empty(),
            ..entry
        });
        Ok(Cte {
            name,
            query,
            columns: names,
            aliased: u16::try_from(cte.columns.len()).unwrap_or(u16::MAX),
            types,
            materialize: match cte.materialized {
                None => Materialize::Default,
                Some(true) => Materialize::Always,
                Some(false) => Materialize::Never,
            },
            recursive: is_recursive,
            uses: 0,
        })
    }

    /// A query that refers to itself in the second operand of its UNION.
    fn recursive_cte(
        &self,
        level: &Level<'q, '_>,
        cte: &CommonTableExpr<'_>,
        select: &SelectStmt<'_>,
        entry: CteEntry<'q>,
    ) -> Result<&'q Query<'q>> {
        level.ctes.borrow_mut().push(entry);
        let analysed = self.recursive_union(level, cte, select);
        let entry = level.ctes.borrow_mut().pop();
        let query = analysed?;
        self.same_types(cte, entry.map_or(&[][..], |entry| entry.types), query)?;
        self.hashable(query)?;
        Ok(query)
    }

    /// 0A000 for UNION without ALL over a type that has no hash function.
    fn hashable(&self, query: &'q Query<'q>) -> Result<()> {
        let Some(SetTree::Node(union)) = query.set_operation else { return Ok(()) };
        for ty in union.types.iter().filter(|_| !union.all) {
            if !self.is_hashable(ty.oid)? {
                return Err(err!(FEATURE_NOT_SUPPORTED, "could not implement recursive UNION")
                    .detail("All column datatypes must be hashable."));
            }
        }
        Ok(())
    }

    fn recursive_union(
        &self,
        level: &Level<'q, '_>,
        cte: &CommonTableExpr<'_>,
        select: &SelectStmt<'_>,
    ) -> Result<&'q Query<'q>> {
        let inner = Level::new(Some(level));
        let ctes = self.with_clause(&inner, select.with)?;
        let first = |columns: &[(&'q str, Type)]| -> Result<()> {
            let mut names: Vec<&'q str> = columns.iter().map(|(name, _)| *name).collect();
            self.name_columns(cte, &mut names)?;
            let types: Vec<Type> = columns.iter().map(|(_, ty)| *ty).collect();
            let (names, types) = (self.slice(&names)?, self.slice(&types)?);
            let mut ctes = level.ctes.borrow_mut();
            let entry = ctes.last_mut().filter(|entry| entry.in_progress);
            let Some(entry) = entry else { return Ok(()) };
            (entry.columns, entry.types) = (names, types);
            Ok(())
        };
        let mut query = self.set_select(&inner, select, Some(&first))?;
        query.ctes = self.finish_ctes(&inner, ctes)?;
        let query = self.finish(&inner, query)?;
        self.alloc(query)
    }

    /// 42804 when the recursive term changed the types of the columns.
    fn same_types(
        &self,
        cte: &CommonTableExpr<'_>,
        first: &[Type],
        query: &'q Query<'q>,
    ) -> Result<()> {
        for (at, (ty, target)) in first.iter().zip(query.targets).enumerate() {
            if ty.oid != target.expr.ty.oid {
                let (a, b) = (self.type_name(ty.oid)?, self.type_name(target.expr.ty.oid)?);
                let error = err!(
                    DATATYPE_MISMATCH,
                    "recursive query \"{}\" column {} has type {a} in non-recursive term but type \
                     {b} overall",
                    cte.name,
                    at + 1
                )
                .hint("Cast the output of the non-recursive term to the correct type.");
                return Err(self.at_expr(error, &target.expr));
            }
        }
        Ok(())
    }

    fn name_columns(&self, cte: &CommonTableExpr<'_>, names: &mut [&'q str]) -> Result<()> {
        if cte.columns.len() > names.len() {
            let error = err!(
                INVALID_COLUMN_REFERENCE,
                "WITH query \"{}\" has {} columns available but {} columns specified",
                cte.name,
                names.len(),
                cte.columns.len()
            );
            return Err(self.at(error, cte.location));
        }
        for (name, alias) in names.iter_mut().zip(cte.columns) {
            *name = self.text(alias)?;
        }
        Ok(())
    }

    fn cte_columns(
        &self,
        cte: &CommonTableExpr<'_>,
        query: &'q Query<'q>,
    ) -> Result<(&'q [&'q str], &'q [Type])> {
        let (mut names, mut types) = (Vec::new(), Vec::new());
        for target in crate::sublink::result_columns(query) {
            names.push(target.name);
            let ty = target.expr.ty;
            types.push(if ty.oid == UNKNOWN { self.typed(TEXT, -1)? } else { ty });
        }
        self.name_columns(cte, &mut names)?;
        Ok((self.slice(&names)?, self.slice(&types)?))
    }

    /// The queries of WITH with how often each is used.
    pub(crate) fn finish_ctes(
        &self,
        level: &Level<'q, '_>,
        mut ctes: Vec<Cte<'q>>,
    ) -> Result<&'q [Cte<'q>]> {
        for (cte, entry) in ctes.iter_mut().zip(level.ctes.borrow().iter()) {
            cte.uses = entry.uses;
        }
        self.slice(&ctes)
    }
}
