//! Row locks and outer joins: FOR UPDATE and its like lock no rows of the side of an outer join that may
//! be NULL.
//!
//! An outer join counts as an inner one when a condition above it is never true where its nullable
//! side is NULL. A condition is that for the ranges whose columns make it NULL or false when they are
//! NULL: those below strict operators and functions.

use crate::planner::Planner;
use analyze::tree::{BooleanTest, Expr, ExprKind, FromItem, JoinKind, Query, RangeKind, RowMark};
use base::{Error, Oid, Result, err};
use catalog::rows::RelationKind;
use std::collections::BTreeSet;

/// Ranges of a query.
type Ranges = BTreeSet<u32>;

fn ranges_of(item: &FromItem<'_>, found: &mut Ranges) {
    match item {
        FromItem::Range(range) => drop(found.insert(range.0)),
        FromItem::Join { left, right, .. } => {
            ranges_of(left, found);
            ranges_of(right, found);
        }
    }
}

fn below(item: &FromItem<'_>) -> Ranges {
    let mut found = Ranges::new();
    ranges_of(item, &mut found);
    found
}

fn union(one: &Ranges, other: &Ranges) -> Ranges {
    one.union(other).copied().collect()
}

/// The join that is left of an outer one when these ranges are never NULL above it.
fn reduced(kind: JoinKind, left: &Ranges, right: &Ranges, never_null: &Ranges) -> JoinKind {
    let (left, right) = (!left.is_disjoint(never_null), !right.is_disjoint(never_null));
    match (kind, left, right) {
        (JoinKind::Left, _, true) | (JoinKind::Right, true, _) | (JoinKind::Full, true, true) => {
            JoinKind::Inner
        }
        (JoinKind::Full, true, false) => JoinKind::Left,
        (JoinKind::Full, false, true) => JoinKind::Right,
        _ => kind,
    }
}

impl<'q> Planner<'_, 'q, '_> {
    /// Refuses to lock rows of relations that nobody updates.
    ///
    /// # Errors
    /// 42809
    pub(crate) fn check_locked_kinds(&self, query: &'q Query<'q>) -> Result<()> {
        for mark in query.locking {
            let RangeKind::Relation { relation, .. } = query.ranges[mark.range.0 as usize].kind
            else {
                continue;
            };
            let relation = self.catalog().relation(relation)?;
            if matches!(relation.kind, RelationKind::MaterializedView | RelationKind::Sequence) {
                return Err(err!(
                    WRONG_OBJECT_TYPE,
                    "cannot lock rows in {} \"{}\"",
                    catalog::relation_word(relation.kind),
                    relation.name
                ));
            }
        }
        Ok(())
    }

    /// Refuses to lock rows that may be those of an outer join's nullable side.
    ///
    /// # Errors
    /// 0A000
    pub(crate) fn check_row_marks(&self, query: &'q Query<'q>) -> Result<()> {
        if query.locking.is_empty() {
            return Ok(());
        }
        let mut never_null = Ranges::new();
        if let Some(filter) = query.filter {
            never_null = self.never_null(query, filter, true)?;
        }
        for item in query.from {
            self.check_marks_below(query, item, &never_null)?;
        }
        Ok(())
    }

    fn check_marks_below(
        &self,
        query: &'q Query<'q>,
        item: &'q FromItem<'q>,
        above: &Ranges,
    ) -> Result<()> {
        let FromItem::Join { kind, left, right, on, .. } = item else { return Ok(()) };
        let (left_ranges, right_ranges) = (below(left), below(right));
        let kind = reduced(*kind, &left_ranges, &right_ranges, above);
        let own = match on {
            Some(on) if kind != JoinKind::Full => self.never_null(query, on, true)?,
            _ => Ranges::new(),
        };
        // What is known above an outer join is known of the rows of the side that stays whole; its
        // own condition tells of the other side.
        let (for_left, for_right) = match kind {
            JoinKind::Inner => (union(&own, above), union(&own, above)),
            JoinKind::Left => (above.clone(), own),
            JoinKind::Right => (own, above.clone()),
            JoinKind::Full => Default::default(),
        };
        self.check_marks_below(query, left, &for_left)?;
        self.check_marks_below(query, right, &for_right)?;
        let is_nullable = |mark: &&RowMark| {
            let range = mark.range.0;
            (matches!(kind, JoinKind::Left | JoinKind::Full) && right_ranges.contains(&range))
                || (matches!(kind, JoinKind::Right | JoinKind::Full)
                    && left_ranges.contains(&range))
        };
        query.locking.iter().find(is_nullable).map_or(Ok(()), |mark| {
            Err(Error::unsupported(format!(
                "{} cannot be applied to the nullable side of an outer join",
                mark.strength.clause()
            )))
        })
    }

    /// The ranges of the query for which an expression is NULL where all their columns are NULL; a
    /// condition at the top may be false there instead.
    fn never_null(&self, query: &'q Query<'q>, expr: &Expr<'q>, top: bool) -> Result<Ranges> {
        let look = |arg: &Expr<'q>| self.never_null(query, arg, false);
        match expr.kind {
            ExprKind::Column(column) if column.levels_up == 0 => {
                let attribute = usize::try_from(column.attribute).unwrap_or(0);
                match query.ranges[column.range.0 as usize].kind {
                    RangeKind::Join { columns, .. } => match columns.get(attribute.wrapping_sub(1))
                    {
                        Some(of) => look(of),
                        None => Ok(Ranges::new()),
                    },
                    _ => Ok(Ranges::from([column.range.0])),
                }
            }
            ExprKind::And(args) if top => {
                let mut found = Ranges::new();
                for arg in args {
                    found.extend(self.never_null(query, arg, true)?);
                }
                Ok(found)
            }
            ExprKind::And(args) | ExprKind::Or(args) => self.in_all(query, args, top),
            ExprKind::Operator { function, args, .. }
            | ExprKind::Function { function, args, returns_set: false, .. } => {
                self.in_any_of_strict(query, function, args)
            }
            ExprKind::ScalarArray { function, left, any, right, .. } => {
                // An empty array makes ALL true and ANY false, whatever is on the left.
                if (top && any) || self.has_elements(right)? {
                    self.in_any_of_strict(query, function, &[*left, *right])
                } else {
                    Ok(Ranges::new())
                }
            }
            ExprKind::Not(arg) => self.never_null_negated(query, arg, top),
            ExprKind::Relabel { arg, .. }
            | ExprKind::ViaText { arg, .. }
            | ExprKind::ArrayCast { arg, .. }
            | ExprKind::Collate(arg) => look(arg),
            ExprKind::IsNull { arg, negated: true, row: false } if top => look(arg),
            ExprKind::Boolean {
                arg,
                test: BooleanTest::IsTrue | BooleanTest::IsFalse | BooleanTest::IsNotUnknown,
            } if top => look(arg),
            _ => Ok(Ranges::new()),
        }
    }

    /// [`Planner::never_null`] of an expression's negation.
    fn never_null_negated(
        &self,
        query: &'q Query<'q>,
        expr: &Expr<'q>,
        top: bool,
    ) -> Result<Ranges> {
        match expr.kind {
            ExprKind::Or(args) if top => {
                let mut found = Ranges::new();
                for arg in args {
                    found.extend(self.never_null_negated(query, arg, true)?);
                }
                Ok(found)
            }
            ExprKind::Not(arg) => self.never_null(query, arg, top),
            ExprKind::IsNull { arg, negated: false, row: false } if top => {
                self.never_null(query, arg, false)
            }
            ExprKind::Boolean {
                arg,
                test: BooleanTest::IsNotTrue | BooleanTest::IsNotFalse | BooleanTest::IsUnknown,
            } if top => self.never_null(query, arg, false),
            _ => self.never_null(query, expr, false),
        }
    }

    /// Whether an array is known to have elements.
    fn has_elements(&self, array: &'q Expr<'q>) -> Result<bool> {
        if let ExprKind::Array { elements, nested: false } = array.kind {
            return Ok(!elements.is_empty());
        }
        Ok(self.constant_elements(array)?.is_some_and(|values| !values.is_empty()))
    }

    fn in_all(&self, query: &'q Query<'q>, args: &[Expr<'q>], top: bool) -> Result<Ranges> {
        let mut found: Option<Ranges> = None;
        for arg in args {
            let ranges = self.never_null(query, arg, top)?;
            found = Some(match found {
                Some(found) => found.intersection(&ranges).copied().collect(),
                None => ranges,
            });
        }
        Ok(found.unwrap_or_default())
    }

    fn in_any_of_strict(
        &self,
        query: &'q Query<'q>,
        function: Oid,
        args: &[Expr<'q>],
    ) -> Result<Ranges> {
        let mut found = Ranges::new();
        if self.catalog().proc(function)?.strict {
            for arg in args {
                found.extend(self.never_null(query, arg, false)?);
            }
        }
        Ok(found)
    }
}
