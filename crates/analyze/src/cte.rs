//! WITH.

use crate::Analyzer;
use crate::coerce::{TEXT, UNKNOWN};
use crate::references::{Place, references, references_of_with};
use crate::scope::{CteEntry, Level};
use crate::search_cycle::Clauses;
use crate::tree::{Cte, Materialize, Query, SearchCycle, SetTree, Type};
use base::{Result, err};
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
        let mut recursive = vec![false; with.ctes.len()];
        for at in order.iter().filter(|_| with.recursive) {
            recursive[*at] = self.check_recursion(&with.ctes[*at])?;
        }
        let mut ctes = Vec::with_capacity(with.ctes.len());
        for (done, at) in order.iter().enumerate() {
            let mut future = Vec::new();
            for later in &order[done..] {
                future.push(self.text(with.ctes[*later].name)?);
            }
            level.future_ctes.replace(future);
            ctes.push(self.cte(level, &with.ctes[*at], recursive[*at])?);
        }
        level.future_ctes.replace(Vec::new());
        Ok(ctes)
    }

    /// The order of WITH RECURSIVE in which each query follows those it refers to.
    fn recursion_order(&self, with: &WithClause<'_>) -> Result<Vec<usize>> {
        let mut needs: Vec<Vec<usize>> = Vec::with_capacity(with.ctes.len());
        for (at, cte) in with.ctes.iter().enumerate() {
            let mut its = Vec::new();
            references(cte.query, &mut |name, _, _| {
                let other = with.ctes.iter().position(|other| other.name == name);
                its.extend(other.filter(|other| *other != at));
            });
            needs.push(its);
        }
        let mut order: Vec<usize> = (0..needs.len()).collect();
        for at in 0..order.len() {
            let (done, rest) = order.split_at(at);
            let ready = rest.iter().position(|i| needs[*i].iter().all(|need| done.contains(need)));
            let Some(ready) = ready else {
                let error = err!(
                    FEATURE_NOT_SUPPORTED,
                    "mutual recursion between WITH items is not implemented"
                );
                return Err(self.at(error, with.ctes[rest[0]].location));
            };
            order.swap(at, at + ready);
        }
        Ok(order)
    }

    /// 42P19 for a query that refers to itself where it may not. Whether it does at all.
    fn check_recursion(&self, cte: &CommonTableExpr<'_>) -> Result<bool> {
        if self_references(cte, |f| references(cte.query, f)).is_empty() {
            return Ok(false);
        }
        let invalid = |what: &str| {
            let error = err!(INVALID_RECURSION, "recursive query \"{}\" {what}", cte.name);
            Err(self.at(error, cte.location))
        };
        let Statement::Select(select) = cte.query else {
            return invalid("must not contain data-modifying statements");
        };
        let union = select
            .set_operation
            .filter(|operation| operation.kind == parse::SetOperationKind::Union);
        let Some(union) = union else {
            return invalid("does not have the form non-recursive-term UNION [ALL] recursive-term");
        };
        if let Some(with) = select.with {
            let within = self_references(cte, |f| references_of_with(with, f));
            self.refuse_reference(cte, within.first().copied(), "within a subquery")?;
        }
        self.check_decorations(select)?;
        let left = Statement::Select(union.left);
        if let Some((location, place)) = self_references(cte, |f| references(&left, f)).first() {
            let within = match place {
                Place::Subquery => "within a subquery",
                _ => "within its non-recursive term",
            };
            self.refuse_reference(cte, Some((*location, *place)), within)?;
        }
        let right = Statement::Select(union.right);
        let mut count = 0;
        for (location, place) in self_references(cte, |f| references(&right, f)) {
            count += 1;
            let what = match place {
                Place::Plain if count < 2 => continue,
                Place::Plain => "more than once",
                Place::Subquery => "within a subquery",
                Place::OuterJoin => "within an outer join",
                Place::Intersect => "within INTERSECT",
                Place::Except => "within EXCEPT",
            };
            self.refuse_reference(cte, Some((location, place)), what)?;
        }
        Ok(true)
    }

    /// 42P19 for a reference to the query itself, if there is one.
    fn refuse_reference(
        &self,
        cte: &CommonTableExpr<'_>,
        reference: Option<(Location, Place)>,
        what: &str,
    ) -> Result<()> {
        let Some((location, _)) = reference else { return Ok(()) };
        let error = err!(
            INVALID_RECURSION,
            "recursive reference to query \"{}\" must not appear {what}",
            cte.name
        );
        Err(self.at(error, location))
    }

    /// 0A000 for clauses around the UNION of a recursive query.
    fn check_decorations(&self, select: &SelectStmt<'_>) -> Result<()> {
        for (clause, what) in [
            (select.sort.first().map(|item| item.value.location()), "ORDER BY"),
            (select.offset.map(|value| value.location()), "OFFSET"),
            (select.limit.map(|value| value.location()), "LIMIT"),
            (select.locking.first().map(|_| Location::NONE), "FOR UPDATE/SHARE"),
        ] {
            if let Some(location) = clause {
                let error =
                    err!(FEATURE_NOT_SUPPORTED, "{what} in a recursive query is not implemented");
                return Err(self.at(error, location));
            }
        }
        Ok(())
    }

    fn cte(
        &self,
        level: &Level<'q, '_>,
        cte: &CommonTableExpr<'_>,
        recursive: bool,
    ) -> Result<Cte<'q>> {
        let name = self.text(cte.name)?;
        let index = u32::try_from(level.ctes.borrow().len()).unwrap_or(u32::MAX);
        let entry = CteEntry {
            name,
            columns: &[],
            types: &[],
            query: None,
            index,
            uses: 0,
            added: 0,
            in_progress: true,
            without_rows: false,
        };
        let cycle = cte.cycle.map(|cycle| self.cycle_clause(level, cycle)).transpose()?;
        let search = cte.search.map(|search| self.search_clause(search)).transpose()?;
        let (query, search_cycle) = match cte.query {
            Statement::Select(select) if recursive => {
                self.recursive_cte(level, cte, select, entry, (search, cycle))?
            }
            other => (self.statement(other, Some(level))?, None),
        };
        if !recursive && (search.is_some() || cycle.is_some()) {
            let error = err!(SYNTAX_ERROR, "WITH query is not recursive");
            return Err(self.at(error, cte.location));
        }
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
            recursive,
            search_cycle,
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
        clauses: Clauses<'q>,
    ) -> Result<(&'q Query<'q>, Option<&'q SearchCycle<'q>>)> {
        level.ctes.borrow_mut().push(entry);
        let analysed = self.recursive_union(level, cte, select, clauses);
        level.ctes.borrow_mut().pop();
        let (query, search_cycle) = analysed?;
        self.hashable(query)?;
        Ok((query, search_cycle))
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
        clauses: Clauses<'q>,
    ) -> Result<(&'q Query<'q>, Option<&'q SearchCycle<'q>>)> {
        let inner = Level::new(Some(level));
        let ctes = self.with_clause(&inner, select.with)?;
        let extra = self.added_columns(&clauses)?;
        let first = |columns: &[(&'q str, Type)]| -> Result<()> {
            let mut names: Vec<&'q str> = columns.iter().map(|(name, _)| *name).collect();
            self.name_columns(cte, &mut names)?;
            let mut types: Vec<Type> = columns.iter().map(|(_, ty)| *ty).collect();
            names.extend(extra.iter().map(|(name, _)| *name));
            types.extend(extra.iter().map(|(_, ty)| *ty));
            let (names, types) = (self.slice(&names)?, self.slice(&types)?);
            let mut ctes = level.ctes.borrow_mut();
            let entry = ctes.last_mut().filter(|entry| entry.in_progress);
            let Some(entry) = entry else { return Ok(()) };
            (entry.columns, entry.types, entry.added) = (names, types, extra.len());
            Ok(())
        };
        let mut query = self.set_select(&inner, select, Some(&first))?;
        let entry = level.ctes.borrow().last().copied();
        let (names, types) = entry.map_or((&[][..], &[][..]), |e| (e.columns, e.types));
        let own = names.len() - extra.len().min(names.len());
        self.same_types(cte, &types[..own.min(types.len())], &query)?;
        query.ctes = self.finish_ctes(&inner, ctes)?;
        if clauses.0.is_none() && clauses.1.is_none() {
            return Ok((self.alloc(self.finish(&inner, query)?)?, None));
        }
        self.check_search_cycle(cte, &names[..own], &query)?;
        let written = self.alloc(self.finish(&inner, query)?)?;
        let query =
            self.search_cycle(&inner, (cte.name, select), written, &names[..own], &clauses)?;
        let (search, cycle) = clauses;
        let query = self.alloc(self.finish(&inner, query)?)?;
        Ok((query, Some(self.alloc(SearchCycle { written, search, cycle })?)))
    }

    /// 42804 when the recursive term changed the types of the columns.
    fn same_types(
        &self,
        cte: &CommonTableExpr<'_>,
        first: &[Type],
        query: &Query<'q>,
    ) -> Result<()> {
        let catalog = self.env.catalog();
        for (at, (ty, target)) in first.iter().zip(query.targets).enumerate() {
            let overall = target.expr.ty;
            let error = if (ty.oid, ty.typmod) != (overall.oid, overall.typmod) {
                let (a, b) = (
                    crate::names::format_type(catalog, ty.oid, ty.typmod)?,
                    crate::names::format_type(catalog, overall.oid, overall.typmod)?,
                );
                err!(
                    DATATYPE_MISMATCH,
                    "recursive query \"{}\" column {} has type {a} in non-recursive term but type \
                     {b} overall",
                    cte.name,
                    at + 1
                )
                .hint("Cast the output of the non-recursive term to the correct type.")
            } else if ty.collation != overall.collation {
                let name = |oid| catalog.collation(oid).map(|collation| collation.name.clone());
                err!(
                    COLLATION_MISMATCH,
                    "recursive query \"{}\" column {} has collation \"{}\" in non-recursive term \
                     but collation \"{}\" overall",
                    cte.name,
                    at + 1,
                    name(ty.collation)?,
                    name(overall.collation)?
                )
                .hint("Use the COLLATE clause to set the collation of the non-recursive term.")
            } else {
                continue;
            };
            return Err(self.at_expr(error, &target.expr));
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

/// Calls for each name that a walk meets.
type OnReference<'f, 'p> = &'f mut dyn FnMut(&'p str, Location, Place);

/// The references of a part of a WITH query to the query itself.
fn self_references<'p>(
    cte: &CommonTableExpr<'_>,
    walk: impl FnOnce(OnReference<'_, 'p>),
) -> Vec<(Location, Place)> {
    let mut found = Vec::new();
    walk(&mut |name, location, place| {
        if name == cte.name {
            found.push((location, place));
        }
    });
    found
}
