//! Aggregate calls: to which query they belong, and what may stand in them.

use crate::function::Match;
use crate::scope::{Clause, Level};
use crate::tree::{Aggregate, AggregateKind, Expr, ExprKind, SortKey, Type};
use crate::{Analyzer, location_of};
use base::{Error, Oid, Result, SqlState, err};
use catalog::rows;
use parse::{FuncCall, Location};

/// The resolved parts of a call of an aggregate or window function.
pub(crate) struct AggregateParts<'q> {
    pub(crate) args: Vec<Expr<'q>>,
    /// How many arguments stand before WITHIN GROUP.
    pub(crate) direct: usize,
    pub(crate) filter: Option<Expr<'q>>,
    /// The types of the arguments before their casts.
    pub(crate) actual: Vec<Oid>,
    pub(crate) ty: Type,
    pub(crate) at: Option<u32>,
}

impl<'q> Analyzer<'q, '_> {
    pub(crate) fn aggregate_call(
        &self,
        level: &Level<'q, '_>,
        call: &FuncCall<'_>,
        found: &Match,
        parts: AggregateParts<'q>,
    ) -> Result<Expr<'q>> {
        let row = self
            .env
            .catalog()
            .aggregate(found.proc.oid)?
            .ok_or_else(|| Error::internal("an aggregate is not described"))?;
        let shown = call.name.join(".");
        self.check_aggregate_form(call, &row, &shown, &parts)?;
        let kind = match row.kind {
            rows::AggregateKind::Normal => AggregateKind::Normal,
            rows::AggregateKind::OrderedSet => AggregateKind::OrderedSet,
            rows::AggregateKind::Hypothetical => AggregateKind::Hypothetical,
        };
        let AggregateParts { mut args, direct, filter, actual, ty, at } = parts;
        let transition = self.state_type(found, &actual, row.state_type)?;
        let (direct_args, order_by, arg_count);
        if kind == AggregateKind::Normal {
            direct_args = Vec::new();
            arg_count = args.len();
            order_by = self.aggregate_order(level, call, &mut args)?;
        } else {
            let rest = args.split_off(direct.min(args.len()));
            let mut direct = std::mem::replace(&mut args, rest);
            if kind == AggregateKind::Hypothetical {
                self.unify_hypothetical(&mut direct, &mut args)?;
            }
            for arg in &mut args {
                *arg = self.resolve_unknown(*arg)?;
            }
            direct_args = direct;
            arg_count = args.len();
            let mut keys = Vec::new();
            for (at, item) in call.order.iter().enumerate() {
                if let Some(arg) = args.get(at) {
                    keys.push(self.sort_key(at, arg, item, item.value.location())?);
                }
            }
            order_by = keys;
        }
        let distinct = self.aggregate_distinct(call, &mut args, arg_count, &order_by)?;
        let levels_up = self.aggregate_level(level, &direct_args, &args, filter, call.location)?;
        let aggregate = self.alloc(Aggregate {
            function: found.proc.oid,
            kind,
            direct_args: self.slice(&direct_args)?,
            args: self.slice(&args)?,
            arg_count: u32::try_from(arg_count).unwrap_or(u32::MAX),
            star: call.star,
            distinct: self.slice(&distinct)?,
            order_by: self.slice(&order_by)?,
            filter: filter.map(|filter| self.alloc(filter)).transpose()?,
            variadic: call.variadic || found.variadic > 0,
            levels_up,
            transition,
        })?;
        Ok(Expr { kind: ExprKind::Aggregate(aggregate), ty, at })
    }

    fn check_aggregate_form(
        &self,
        call: &FuncCall<'_>,
        row: &rows::Aggregate,
        shown: &str,
        parts: &AggregateParts<'q>,
    ) -> Result<()> {
        let wrong = |message: String| {
            Err(self.at(Error::new(SqlState::WRONG_OBJECT_TYPE, message), call.location))
        };
        if parts.args.is_empty() && !call.star && !call.within_group {
            return wrong(format!(
                "{shown}(*) must be used to call a parameterless aggregate function"
            ));
        }
        let ordered = row.kind != rows::AggregateKind::Normal;
        if ordered && !call.within_group {
            return wrong(format!("WITHIN GROUP is required for ordered-set aggregate {shown}"));
        }
        if !ordered && call.within_group {
            return wrong(format!(
                "{shown} is not an ordered-set aggregate, so it cannot have WITHIN GROUP"
            ));
        }
        if ordered && call.distinct {
            return wrong("cannot use DISTINCT with WITHIN GROUP".into());
        }
        let sorted = parts.args.len().saturating_sub(parts.direct);
        if row.kind == rows::AggregateKind::Hypothetical && parts.direct != sorted {
            let signature = self.signature(shown, &parts.actual, &[])?;
            let error =
                err!(UNDEFINED_FUNCTION, "function {signature} does not exist").hint(format!(
                    "To use the hypothetical-set aggregate {shown}, the number of hypothetical \
                     direct arguments (here {}) must match the number of ordering columns (here \
                     {sorted}).",
                    parts.direct
                ));
            return Err(self.at(error, call.location));
        }
        Ok(())
    }

    /// The hypothetical row has the types of the sorted columns.
    fn unify_hypothetical(&self, direct: &mut [Expr<'q>], args: &mut [Expr<'q>]) -> Result<()> {
        let first = direct.len().saturating_sub(args.len());
        for (value, column) in direct[first..].iter_mut().zip(args) {
            // The sorted column comes first: the error points to the other.
            let mut pair = [*column, *value];
            self.coerce_all_common(&mut pair, "WITHIN GROUP")?;
            [*column, *value] = pair;
        }
        Ok(())
    }

    /// The transition type, polymorphism resolved.
    pub(crate) fn state_type(&self, found: &Match, actual: &[Oid], state: Oid) -> Result<Oid> {
        if !crate::generic::is_polymorphic(state) {
            return Ok(state);
        }
        self.resolve_generic(actual, &mut found.args.clone(), state)
    }

    /// ORDER BY within the call; what it needs beyond the arguments joins them.
    fn aggregate_order(
        &self,
        level: &Level<'q, '_>,
        call: &FuncCall<'_>,
        args: &mut Vec<Expr<'q>>,
    ) -> Result<Vec<SortKey>> {
        let mut keys: Vec<SortKey> = Vec::new();
        for item in call.order {
            let value = self.transform(level, &item.value)?;
            let value = self.resolve_unknown(value)?;
            let at = match args.iter().position(|arg| self.same(arg, &value)) {
                Some(at) => at,
                None => {
                    args.push(value);
                    args.len() - 1
                }
            };
            let key = self.sort_key(at, &value, item, item.value.location())?;
            if !keys.iter().any(|old| old.target == key.target) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    fn aggregate_distinct(
        &self,
        call: &FuncCall<'_>,
        args: &mut [Expr<'q>],
        arg_count: usize,
        order_by: &[SortKey],
    ) -> Result<Vec<SortKey>> {
        if !call.distinct {
            return Ok(Vec::new());
        }
        for arg in args.iter_mut() {
            *arg = self.resolve_unknown(*arg)?;
        }
        if args.len() > arg_count {
            let error = err!(
                INVALID_COLUMN_REFERENCE,
                "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list"
            );
            return Err(self.at_expr(error, &args[arg_count]));
        }
        let mut keys: Vec<SortKey> = order_by.to_vec();
        for (at, arg) in args.iter().enumerate() {
            if keys.iter().any(|key| key.target as usize == at) {
                continue;
            }
            let location = location_of(arg);
            let operators = self.sort_operators(arg.ty.oid, location).map_err(|_| {
                let name = self.type_name(arg.ty.oid).unwrap_or_default();
                let error = err!(
                    UNDEFINED_FUNCTION,
                    "could not identify an equality operator for type {name}"
                );
                self.at(error, location)
            })?;
            keys.push(SortKey {
                target: u32::try_from(at).unwrap_or(u32::MAX),
                sort_operator: operators.less,
                equal_operator: operators.equal,
                descending: false,
                nulls_first: false,
            });
        }
        Ok(keys)
    }

    /// How many levels outside the query stands that the aggregate belongs to: the innermost whose
    /// columns it reads.
    fn aggregate_level(
        &self,
        level: &Level<'q, '_>,
        direct: &[Expr<'q>],
        args: &[Expr<'q>],
        filter: Option<Expr<'q>>,
        location: Location,
    ) -> Result<u16> {
        let mut seen = Contents::default();
        for arg in args.iter().chain(&filter) {
            seen.look(arg);
        }
        let belongs = seen.level();
        if let Some(nested) = seen.aggregate_at
            && seen.aggregate == Some(belongs)
        {
            let error = err!(GROUPING_ERROR, "aggregate function calls cannot be nested");
            return Err(self.at(error, nested));
        }
        if let Some(window) = seen.window_at {
            let error = err!(
                GROUPING_ERROR,
                "aggregate function calls cannot contain window function calls"
            );
            return Err(self.at(error, window));
        }
        if let Some(set) = seen.set_at {
            let error = err!(
                FEATURE_NOT_SUPPORTED,
                "aggregate function calls cannot contain set-returning function calls"
            )
            .hint("You might be able to move the set-returning function into a LATERAL FROM item.");
            return Err(self.at(error, set));
        }
        let mut outer = Contents::default();
        direct.iter().for_each(|arg| outer.look(arg));
        if let Some(column) = outer.column
            && column < belongs
        {
            let error = err!(
                GROUPING_ERROR,
                "outer-level aggregate cannot contain a lower-level variable in its direct \
                 arguments"
            );
            return Err(self.at(error, location));
        }
        if let Some(nested) = outer.aggregate_at
            && outer.aggregate.is_some_and(|inner| inner <= belongs)
        {
            let error = err!(GROUPING_ERROR, "aggregate function calls cannot be nested");
            return Err(self.at(error, nested));
        }
        let Some(owner) = level.levels().nth(usize::from(belongs)) else { return Ok(belongs) };
        let clause = owner.clause.get();
        if !clause.allows_aggregates() && clause != Clause::Other {
            let error = err!(
                GROUPING_ERROR,
                "aggregate functions are not allowed in {}",
                clause.describe()
            );
            return Err(self.at(error, location));
        }
        owner.has_aggregates.set(true);
        Ok(belongs)
    }
}

/// What stands in the arguments of an aggregate, levels counted from where it stands.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) column: Option<u16>,
    pub(crate) aggregate: Option<u16>,
    aggregate_at: Option<Location>,
    pub(crate) window_at: Option<Location>,
    set_at: Option<Location>,
}

impl Contents {
    pub(crate) fn look(&mut self, expr: &Expr<'_>) {
        crate::walk::visit(expr, 0, &mut |part, depth| {
            match part.kind {
                ExprKind::Column(target) if target.levels_up >= depth => {
                    let level = target.levels_up - depth;
                    self.column = Some(self.column.map_or(level, |old| old.min(level)));
                }
                ExprKind::Aggregate(aggregate) if aggregate.levels_up >= depth => {
                    let level = aggregate.levels_up - depth;
                    if self.aggregate.is_none_or(|old| level < old) {
                        self.aggregate = Some(level);
                        self.aggregate_at = Some(location_of(part));
                    }
                    // What is inside counts for that aggregate.
                    return false;
                }
                ExprKind::Window(_) if depth == 0 => {
                    self.window_at.get_or_insert(location_of(part));
                }
                ExprKind::Function { returns_set: true, .. } if depth == 0 => {
                    self.set_at.get_or_insert(location_of(part));
                }
                _ => {}
            }
            true
        });
    }

    fn level(&self) -> u16 {
        match (self.column, self.aggregate) {
            (None, None) => 0,
            (Some(level), None) | (None, Some(level)) => level,
            (Some(a), Some(b)) => a.min(b),
        }
    }
}
