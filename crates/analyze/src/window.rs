//! Window functions and the WINDOW clause.

use crate::aggregate::{AggregateParts, Contents};
use crate::coerce::{INT8, UNKNOWN};
use crate::function::Match;
use crate::scope::{Clause, Level};
use crate::tree::{
    Expr, ExprKind, Frame, FrameBound, FrameExclusion, FrameUnit, SortKey, WindowCall, WindowSpec,
};
use crate::{Analyzer, location_of};
use base::{Error, Oid, Result, SqlState, err};
use catalog::rows::ProcKind;
use parse::{FuncCall, Location, WindowDef};

/// A window whose expressions are not yet targets.
#[derive(Clone)]
pub(crate) struct Pending<'q> {
    pub(crate) name: Option<&'q str>,
    /// The window that it was made from, and whether it has that one's order.
    pub(crate) base: Option<(&'q str, bool)>,
    pub(crate) partition: Vec<Expr<'q>>,
    /// The keys' targets are indices into this list.
    pub(crate) order: Vec<Expr<'q>>,
    pub(crate) keys: Vec<SortKey>,
    pub(crate) frame: Frame<'q>,
}

impl<'q> Analyzer<'q, '_> {
    /// The WINDOW clause.
    pub(crate) fn window_clause(
        &self,
        level: &Level<'q, '_>,
        windows: &[WindowDef<'_>],
    ) -> Result<()> {
        for window in windows {
            if let Some(name) = window.name
                && level.windows.borrow().iter().any(|old| old.name == Some(name))
            {
                let error = err!(WINDOWING_ERROR, "window \"{name}\" is already defined");
                return Err(self.at(error, window.location));
            }
            let pending = self.window_def(level, window)?;
            level.windows.borrow_mut().push(pending);
        }
        Ok(())
    }

    fn find_window(
        &self,
        level: &Level<'q, '_>,
        name: &str,
        location: Location,
    ) -> Result<(usize, Pending<'q>)> {
        let windows = level.windows.borrow();
        match windows.iter().position(|window| window.name == Some(name)) {
            Some(at) => Ok((at, windows[at].clone())),
            None => {
                let error = err!(UNDEFINED_OBJECT, "window \"{name}\" does not exist");
                Err(self.at(error, location))
            }
        }
    }

    fn window_def(&self, level: &Level<'q, '_>, window: &WindowDef<'_>) -> Result<Pending<'q>> {
        let mut partition = Vec::new();
        for expression in window.partition {
            let value = self.expression(level, expression, Clause::WindowPartition)?;
            partition.push(self.resolve_unknown(value)?);
        }
        let (mut order, mut keys) = (Vec::new(), Vec::new());
        for item in window.order {
            let value = self.expression(level, &item.value, Clause::WindowOrder)?;
            let value = self.resolve_unknown(value)?;
            keys.push(self.sort_key(order.len(), &value, item, item.value.location())?);
            order.push(value);
        }
        let mut copied = None;
        if let Some(name) = window.reference {
            let (_, base) = self.find_window(level, name, window.location)?;
            let fail = |message: String| {
                let error = Error::new(SqlState::WINDOWING_ERROR, message);
                Err(self.at(error, window.location))
            };
            if !partition.is_empty() {
                return fail(format!("cannot override PARTITION BY clause of window \"{name}\""));
            }
            if !order.is_empty() && !base.order.is_empty() {
                return fail(format!("cannot override ORDER BY clause of window \"{name}\""));
            }
            if base.frame.explicit {
                let plain = window.order.is_empty() && !window.frame.explicit;
                let message =
                    format!("cannot copy window \"{name}\" because it has a frame clause");
                if plain {
                    let error = Error::new(SqlState::WINDOWING_ERROR, message)
                        .hint("Omit the parentheses in this OVER clause.");
                    return Err(self.at(error, window.location));
                }
                return fail(message);
            }
            copied = Some((self.text(name)?, !base.order.is_empty()));
            partition = base.partition;
            if order.is_empty() {
                (order, keys) = (base.order, base.keys);
            }
        }
        let frame = self.frame(level, &window.frame, &order, &keys, window.location)?;
        let name = window.name.map(|name| self.text(name)).transpose()?;
        Ok(Pending { name, base: copied, partition, order, keys, frame })
    }

    fn frame(
        &self,
        level: &Level<'q, '_>,
        frame: &parse::Frame<'_>,
        order: &[Expr<'q>],
        keys: &[SortKey],
        location: Location,
    ) -> Result<Frame<'q>> {
        let unit = match frame.mode {
            parse::FrameMode::Rows => FrameUnit::Rows,
            parse::FrameMode::Range => FrameUnit::Range,
            parse::FrameMode::Groups => FrameUnit::Groups,
        };
        if unit == FrameUnit::Groups && order.is_empty() {
            let error = err!(WINDOWING_ERROR, "GROUPS mode requires an ORDER BY clause");
            return Err(self.at(error, location));
        }
        let has_offset = |bound: &parse::FrameBound<'_>| {
            matches!(bound, parse::FrameBound::Preceding(_) | parse::FrameBound::Following(_))
        };
        let mut in_range = Oid::INVALID;
        let mut offset_type = INT8;
        if unit == FrameUnit::Range && (has_offset(&frame.start) || has_offset(&frame.end)) {
            let ([column], [key]) = (order, keys) else {
                let error = err!(
                    WINDOWING_ERROR,
                    "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column"
                );
                return Err(self.at(error, location));
            };
            let offset = match (&frame.start, &frame.end) {
                (parse::FrameBound::Preceding(e) | parse::FrameBound::Following(e), _) => *e,
                (_, parse::FrameBound::Preceding(e) | parse::FrameBound::Following(e)) => *e,
                _ => return Err(Error::internal("a frame offset is missing")),
            };
            (in_range, offset_type) = self.in_range(level, column, key, offset)?;
        }
        let start = self.bound(level, &frame.start, unit, offset_type)?;
        let end = self.bound(level, &frame.end, unit, offset_type)?;
        let exclusion = match frame.exclusion {
            parse::FrameExclusion::NoOthers => FrameExclusion::NoOthers,
            parse::FrameExclusion::CurrentRow => FrameExclusion::CurrentRow,
            parse::FrameExclusion::Group => FrameExclusion::Group,
            parse::FrameExclusion::Ties => FrameExclusion::Ties,
        };
        let (explicit, between) = (frame.explicit, frame.between);
        Ok(Frame { unit, start, end, exclusion, explicit, between, in_range })
    }

    /// The support function for RANGE with an offset, and the type of the offset.
    fn in_range(
        &self,
        level: &Level<'q, '_>,
        column: &Expr<'q>,
        key: &SortKey,
        offset: &parse::Expression<'_>,
    ) -> Result<(Oid, Oid)> {
        let given = self.expression(level, offset, Clause::WindowFrame("window RANGE"))?;
        let catalog = self.env.catalog();
        let families = catalog.operator_families(key.sort_operator)?;
        let wanted = self.base_type(given.ty.oid)?;
        let mut candidates: Vec<(Oid, Oid)> = Vec::new();
        for member in families.iter().filter(|member| member.method == Oid(403)) {
            for row in catalog::builtin::family_procs(member.family) {
                if row.number == 3 && row.left == member.left {
                    candidates.push((row.function, row.right));
                }
            }
        }
        let exact = candidates.iter().find(|(_, oid)| *oid == wanted);
        if let Some(found) = exact {
            return Ok(*found);
        }
        let mut fitting = Vec::new();
        for candidate in &candidates {
            let context = crate::coerce::Context::Implicit;
            if self.can_coerce(given.ty.oid, candidate.1, context)? {
                fitting.push(*candidate);
            }
        }
        let column_type = self.base_type(column.ty.oid)?;
        if given.ty.oid == UNKNOWN
            && let Some(own) = fitting.iter().find(|(_, oid)| *oid == column_type)
        {
            return Ok(*own);
        }
        let name = self.type_name(column.ty.oid)?;
        let location = location_of(&given);
        match fitting[..] {
            [only] => Ok(only),
            [] if candidates.is_empty() => {
                let error = err!(
                    FEATURE_NOT_SUPPORTED,
                    "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {name}"
                );
                Err(self.at(error, location))
            }
            [] => {
                let offset = self.type_name(given.ty.oid)?;
                let error = err!(
                    FEATURE_NOT_SUPPORTED,
                    "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {name} \
                     and offset type {offset}"
                )
                .hint("Cast the offset value to an appropriate type.");
                Err(self.at(error, location))
            }
            _ => {
                let offset = self.type_name(given.ty.oid)?;
                let error = err!(
                    FEATURE_NOT_SUPPORTED,
                    "RANGE with offset PRECEDING/FOLLOWING has multiple interpretations for column \
                     type {name} and offset type {offset}"
                )
                .hint("Cast the offset value to the exact intended type.");
                Err(self.at(error, location))
            }
        }
    }

    fn bound(
        &self,
        level: &Level<'q, '_>,
        bound: &parse::FrameBound<'_>,
        unit: FrameUnit,
        offset_type: Oid,
    ) -> Result<FrameBound<'q>> {
        let (what, construct) = match unit {
            FrameUnit::Rows => ("window ROWS", "ROWS"),
            FrameUnit::Range => ("window RANGE", "RANGE"),
            FrameUnit::Groups => ("window GROUPS", "GROUPS"),
        };
        let offset = |expression: &parse::Expression<'_>| -> Result<&'q Expr<'q>> {
            let value = self.expression(level, expression, Clause::WindowFrame(what))?;
            let value = if unit == FrameUnit::Range {
                self.coerce_common(value, offset_type, "RANGE")?
            } else {
                self.coerce_specific(value, offset_type, construct)?
            };
            let mut contents = Contents::default();
            contents.look(&value);
            if contents.column == Some(0) {
                let error = err!(
                    INVALID_COLUMN_REFERENCE,
                    "argument of {construct} must not contain variables"
                );
                return Err(self.at_expr(error, &value));
            }
            self.alloc(value)
        };
        Ok(match bound {
            parse::FrameBound::UnboundedPreceding => FrameBound::UnboundedPreceding,
            parse::FrameBound::Preceding(e) => FrameBound::Preceding(offset(e)?),
            parse::FrameBound::CurrentRow => FrameBound::CurrentRow,
            parse::FrameBound::Following(e) => FrameBound::Following(offset(e)?),
            parse::FrameBound::UnboundedFollowing => FrameBound::UnboundedFollowing,
        })
    }

    pub(crate) fn window_call(
        &self,
        level: &Level<'q, '_>,
        call: &FuncCall<'_>,
        found: &Match,
        parts: AggregateParts<'q>,
    ) -> Result<Expr<'q>> {
        let AggregateParts { args, filter, actual, ty, at, .. } = parts;
        let aggregate = found.proc.kind == ProcKind::Aggregate;
        let unsupported = |message: &str| Err(self.at(Error::unsupported(message), call.location));
        if call.within_group {
            return unsupported(&format!(
                "OVER is not supported for ordered-set aggregate {}",
                call.name.join(".")
            ));
        }
        if call.distinct {
            return unsupported("DISTINCT is not implemented for window functions");
        }
        if !call.order.is_empty() {
            return unsupported("aggregate ORDER BY is not implemented for window functions");
        }
        if aggregate && args.is_empty() && !call.star {
            let shown = call.name.join(".");
            let error = err!(
                WRONG_OBJECT_TYPE,
                "{shown}(*) must be used to call a parameterless aggregate function"
            );
            return Err(self.at(error, call.location));
        }
        if !aggregate && filter.is_some() {
            return unsupported("FILTER is not implemented for non-aggregate window functions");
        }
        let clause = level.clause.get();
        if !clause.allows_windows() && clause != Clause::Other {
            let error =
                err!(WINDOWING_ERROR, "window functions are not allowed in {}", clause.describe());
            return Err(self.at(error, call.location));
        }
        let mut contents = Contents::default();
        args.iter().chain(&filter).for_each(|arg| contents.look(arg));
        if let Some(nested) = contents.window_at {
            let error = err!(WINDOWING_ERROR, "window function calls cannot be nested");
            return Err(self.at(error, nested));
        }
        let transition = match self.env.catalog().aggregate(found.proc.oid)? {
            Some(row) if aggregate => self.state_type(found, &actual, row.state_type)?,
            _ => Oid::INVALID,
        };
        let window = self.over(level, call)?;
        level.has_windows.set(true);
        let window_call = self.alloc(WindowCall {
            function: found.proc.oid,
            aggregate,
            args: self.slice(&args)?,
            star: call.star,
            filter: filter.map(|filter| self.alloc(filter)).transpose()?,
            window: u32::try_from(window).unwrap_or(u32::MAX),
            transition,
        })?;
        Ok(Expr { kind: ExprKind::Window(window_call), ty, at })
    }

    /// The window of an OVER: one of the WINDOW clause, an equal one, or a new one.
    fn over(&self, level: &Level<'q, '_>, call: &FuncCall<'_>) -> Result<usize> {
        let Some(over) = call.over else { return Err(Error::internal("OVER is missing")) };
        if let Some(name) = over.name {
            return Ok(self.find_window(level, name, over.location)?.0);
        }
        let pending = self.window_def(level, over)?;
        let mut windows = level.windows.borrow_mut();
        let same = |old: &Pending<'q>| old.name.is_none() && self.same_window(old, &pending);
        if let Some(at) = windows.iter().position(same) {
            return Ok(at);
        }
        windows.push(pending);
        Ok(windows.len() - 1)
    }

    fn same_window(&self, a: &Pending<'q>, b: &Pending<'q>) -> bool {
        let same_list = |a: &[Expr<'q>], b: &[Expr<'q>]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same(a, b))
        };
        a.base == b.base
            && a.keys == b.keys
            && same_list(&a.partition, &b.partition)
            && same_list(&a.order, &b.order)
            && self.same_frame(&a.frame, &b.frame)
    }

    fn same_frame(&self, a: &Frame<'q>, b: &Frame<'q>) -> bool {
        let same_bound = |a: &FrameBound<'q>, b: &FrameBound<'q>| match (a, b) {
            (FrameBound::Preceding(a), FrameBound::Preceding(b))
            | (FrameBound::Following(a), FrameBound::Following(b)) => self.same(a, b),
            _ => std::mem::discriminant(a) == std::mem::discriminant(b),
        };
        a.unit == b.unit
            && a.exclusion == b.exclusion
            && a.explicit == b.explicit
            && same_bound(&a.start, &b.start)
            && same_bound(&a.end, &b.end)
    }

    /// The windows with their expressions as targets.
    pub(crate) fn finish_windows(
        &self,
        level: &Level<'q, '_>,
        targets: &mut crate::target::Targets<'q>,
    ) -> Result<&'q [WindowSpec<'q>]> {
        let pending = std::mem::take(&mut *level.windows.borrow_mut());
        let mut specs = Vec::with_capacity(pending.len());
        for window in pending {
            let mut partition_by = Vec::new();
            for expr in &window.partition {
                let at = self.target_of(targets, *expr)?;
                let key = self.group_key(at, expr, location_of(expr))?;
                if !partition_by.iter().any(|old: &SortKey| old.target == key.target) {
                    partition_by.push(key);
                }
            }
            let mut order_by = Vec::new();
            for (key, expr) in window.keys.iter().zip(&window.order) {
                let at = self.target_of(targets, *expr)?;
                let key = SortKey { target: u32::try_from(at).unwrap_or(u32::MAX), ..*key };
                if !order_by.iter().any(|old: &SortKey| old.target == key.target) {
                    order_by.push(key);
                }
            }
            specs.push(WindowSpec {
                name: window.name,
                base: window.base.map(|(name, _)| name),
                base_order: window.base.is_some_and(|(_, order)| order),
                partition_by: self.slice(&partition_by)?,
                order_by: self.slice(&order_by)?,
                frame: window.frame,
            });
        }
        self.slice(&specs)
    }
}
