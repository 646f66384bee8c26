//! ORDER BY, DISTINCT, LIMIT, locking.

use crate::aggregate::Contents;
use crate::coerce::INT8;
use crate::scope::{Clause, Level};
use crate::target::Targets;
use crate::tree::{
    Distinct, Expr, FromItem, LockStrength, LockWait, RangeId, RangeKind, RowMark, SortKey,
};
use crate::{Analyzer, location_of};
use base::{Error, Result, SqlState, err};
use parse::{Constant, Expression, Field, Location, LockingClause, SortBy};

impl<'q> Analyzer<'q, '_> {
    /// The target that an item of ORDER BY, DISTINCT ON or (`group`) GROUP BY means: by an output
    /// column's name or number, else by expression, which may add a junk target.
    pub(crate) fn named_target(
        &self,
        level: &Level<'q, '_>,
        item: &Expression<'_>,
        targets: &mut Targets<'q>,
        clause: Clause,
    ) -> Result<usize> {
        if let Some(at) = self.output_column(level, item, targets, clause)? {
            return Ok(at);
        }
        let expr = self.expression(level, item, clause)?;
        let expr = self.resolve_unknown(expr)?;
        self.target_of(targets, expr)
    }

    /// An output column by its name or number.
    pub(crate) fn output_column(
        &self,
        level: &Level<'q, '_>,
        item: &Expression<'_>,
        targets: &Targets<'q>,
        clause: Clause,
    ) -> Result<Option<usize>> {
        match *item {
            Expression::ColumnRef { fields: [Field::Name(name)], location } => {
                // In GROUP BY a column of FROM comes first.
                if clause == Clause::GroupBy && self.find_column_here(level, name, location)? {
                    return Ok(None);
                }
                let mut found: Option<usize> = None;
                for (at, target) in targets.iter().enumerate() {
                    if target.junk || target.name != *name {
                        continue;
                    }
                    if let Some(old) = found
                        && !self.same(&targets[old].expr, &target.expr)
                    {
                        let error =
                            err!(AMBIGUOUS_COLUMN, "{} \"{name}\" is ambiguous", clause.describe());
                        return Err(self.at(error, location));
                    }
                    found.get_or_insert(at);
                }
                Ok(found)
            }
            Expression::Const { value, location } => {
                let Constant::Integer(number) = value else {
                    let error = err!(SYNTAX_ERROR, "non-integer constant in {}", clause.describe());
                    return Err(self.at(error, location));
                };
                let visible = targets.iter().enumerate().filter(|(_, target)| !target.junk);
                let at = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
                match at.and_then(|at| visible.map(|(i, _)| i).nth(at)) {
                    Some(at) => Ok(Some(at)),
                    None => {
                        let error = err!(
                            INVALID_COLUMN_REFERENCE,
                            "{} position {number} is not in select list",
                            clause.describe()
                        );
                        Err(self.at(error, location))
                    }
                }
            }
            _ => Ok(None),
        }
    }

    /// Whether a name is a column of this level, without marking it as read.
    fn find_column_here(
        &self,
        level: &Level<'q, '_>,
        name: &str,
        location: Location,
    ) -> Result<bool> {
        let alone = Level::new(None);
        alone.namespace.replace(level.namespace.borrow().clone());
        alone.ranges.replace(level.ranges.borrow().clone());
        alone.selected.replace(vec![Vec::new(); level.ranges.borrow().len()]);
        Ok(self.find_column(&alone, name, location)?.is_some())
    }

    /// ORDER BY.
    pub(crate) fn order_by(
        &self,
        level: &Level<'q, '_>,
        items: &[SortBy<'_>],
        targets: &mut Targets<'q>,
    ) -> Result<Vec<SortKey>> {
        let mut keys: Vec<SortKey> = Vec::new();
        for item in items {
            let at = self.named_target(level, &item.value, targets, Clause::OrderBy)?;
            let expr = self.resolve_unknown(targets[at].expr)?;
            targets[at].expr = expr;
            let location = item.value.location();
            let key = self.sort_key(at, &expr, item, location)?;
            if !keys.iter().any(|old| old.target == key.target) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// DISTINCT and DISTINCT ON.
    pub(crate) fn distinct_clause(
        &self,
        level: &Level<'q, '_>,
        distinct: Option<parse::Distinct<'_>>,
        targets: &mut Targets<'q>,
        order_by: &[SortKey],
    ) -> Result<Distinct<'q>> {
        match distinct {
            None => Ok(Distinct::None),
            Some(parse::Distinct::All) => {
                let keys = self.distinct_all(targets, order_by, false)?;
                Ok(Distinct::All(self.slice(&keys)?))
            }
            Some(parse::Distinct::On(items)) => {
                let keys = self.distinct_on(level, items, targets, order_by)?;
                Ok(Distinct::On(self.slice(&keys)?))
            }
        }
    }

    pub(crate) fn distinct_all(
        &self,
        targets: &Targets<'q>,
        order_by: &[SortKey],
        _set_operation: bool,
    ) -> Result<Vec<SortKey>> {
        let mut keys = Vec::new();
        for key in order_by {
            let target = &targets[key.target as usize];
            if target.junk {
                let error = err!(
                    INVALID_COLUMN_REFERENCE,
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list"
                );
                return Err(self.at_expr(error, &target.expr));
            }
            keys.push(*key);
        }
        for (at, target) in targets.iter().enumerate().filter(|(_, target)| !target.junk) {
            if keys.iter().any(|key: &SortKey| key.target as usize == at) {
                continue;
            }
            keys.push(self.group_key(at, &target.expr, location_of(&target.expr))?);
        }
        if keys.is_empty() {
            return Err(err!(SYNTAX_ERROR, "SELECT DISTINCT must have at least one column"));
        }
        Ok(keys)
    }

    fn distinct_on(
        &self,
        level: &Level<'q, '_>,
        items: &[Expression<'_>],
        targets: &mut Targets<'q>,
        order_by: &[SortKey],
    ) -> Result<Vec<SortKey>> {
        let mut places = Vec::new();
        for item in items {
            let at = self.named_target(level, item, targets, Clause::DistinctOn)?;
            places.push((at, item.location()));
        }
        let mut keys: Vec<SortKey> = Vec::new();
        let mut skipped: Option<u32> = None;
        for key in order_by {
            if places.iter().any(|(at, _)| *at == key.target as usize) {
                if skipped.is_some() {
                    let location = places
                        .iter()
                        .find(|(at, _)| *at == key.target as usize)
                        .map_or(Location::NONE, |(_, location)| *location);
                    return Err(self.distinct_on_mismatch(location));
                }
                keys.push(*key);
            } else {
                skipped = Some(key.target);
            }
        }
        for (at, location) in places {
            if keys.iter().any(|key| key.target as usize == at) {
                continue;
            }
            if skipped.is_some() {
                return Err(self.distinct_on_mismatch(location));
            }
            keys.push(self.group_key(at, &targets[at].expr, location)?);
        }
        Ok(keys)
    }

    #[cold]
    fn distinct_on_mismatch(&self, location: Location) -> Error {
        let error = err!(
            INVALID_COLUMN_REFERENCE,
            "SELECT DISTINCT ON expressions must match initial ORDER BY expressions"
        );
        self.at(error, location)
    }

    /// LIMIT and OFFSET.
    pub(crate) fn limit(
        &self,
        level: &Level<'q, '_>,
        value: Option<&Expression<'_>>,
        clause: Clause,
        with_ties: bool,
    ) -> Result<Option<&'q Expr<'q>>> {
        let Some(value) = value else { return Ok(None) };
        let name = clause.describe();
        let value = self.expression(level, value, clause)?;
        let value = self.coerce_specific(value, INT8, name)?;
        let mut contents = Contents::default();
        contents.look(&value);
        if contents.column == Some(0) {
            let error =
                err!(INVALID_COLUMN_REFERENCE, "argument of {name} must not contain variables");
            return Err(self.at_expr(error, &value));
        }
        if with_ties
            && clause == Clause::Limit
            && matches!(value.kind, crate::tree::ExprKind::Const(types::Datum::Null))
        {
            let error = Error::new(
                SqlState::INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
                "row count cannot be null in FETCH FIRST ... WITH TIES clause",
            );
            return Err(error);
        }
        self.alloc(value).map(Some)
    }

    /// FOR UPDATE and its like.
    pub(crate) fn locking(
        &self,
        level: &Level<'q, '_>,
        clauses: &[LockingClause<'_>],
        from: &[FromItem<'q>],
    ) -> Result<Vec<RowMark>> {
        let mut marks: Vec<RowMark> = Vec::new();
        for clause in clauses {
            let strength = strength(clause.strength);
            let wait = match clause.wait {
                parse::LockWait::Block => LockWait::Wait,
                parse::LockWait::Skip => LockWait::SkipLocked,
                parse::LockWait::Error => LockWait::NoWait,
            };
            let mut in_from = Vec::new();
            from.iter().for_each(|item| ranges_of(item, &mut in_from));
            if clause.relations.is_empty() {
                for id in in_from {
                    if lockable(&level.range(id).kind) {
                        RowMark { range: id, strength, wait }.add_to(&mut marks);
                    }
                }
                continue;
            }
            for name in clause.relations {
                let word = strength.clause();
                let error = |state, message: String| {
                    Err(self.at(Error::new(state, message), name.location))
                };
                if name.schema.is_some() {
                    return error(
                        SqlState::SYNTAX_ERROR,
                        format!("{word} must specify unqualified relation names"),
                    );
                }
                let found = in_from.iter().find(|id| level.range(**id).alias == name.name);
                let Some(id) = found else {
                    return error(
                        SqlState::UNDEFINED_TABLE,
                        format!(
                            "relation \"{}\" in {word} clause not found in FROM clause",
                            name.name
                        ),
                    );
                };
                let what = match level.range(*id).kind {
                    RangeKind::Relation { .. } | RangeKind::Subquery { .. } => {
                        RowMark { range: *id, strength, wait }.add_to(&mut marks);
                        continue;
                    }
                    RangeKind::Join { .. } => "a join",
                    RangeKind::Functions { .. } => "a function",
                    RangeKind::Values(_) => "VALUES",
                    _ => "a WITH query",
                };
                return error(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    format!("{word} cannot be applied to {what}"),
                );
            }
        }
        Ok(marks)
    }
}

fn lockable(kind: &RangeKind<'_>) -> bool {
    matches!(kind, RangeKind::Relation { .. } | RangeKind::Subquery { .. })
}

fn ranges_of(item: &FromItem<'_>, out: &mut Vec<RangeId>) {
    match item {
        FromItem::Range(id) => out.push(*id),
        FromItem::Join { left, right, range, .. } => {
            ranges_of(left, out);
            ranges_of(right, out);
            out.push(*range);
        }
    }
}

/// The strength that a clause asks for.
pub(crate) fn strength(written: parse::LockStrength) -> LockStrength {
    match written {
        parse::LockStrength::KeyShare => LockStrength::KeyShare,
        parse::LockStrength::Share => LockStrength::Share,
        parse::LockStrength::NoKeyUpdate => LockStrength::NoKeyUpdate,
        parse::LockStrength::Update => LockStrength::Update,
    }
}
