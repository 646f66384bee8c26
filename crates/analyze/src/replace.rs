//! Making bound trees anew, with other columns.
//!
//! # Rules
//! 1. Trees are never changed: what a replacement reaches is copied, values and names are shared.
//! 2. A replacement is told how many query levels below its beginning a part stands; what it hands
//!    back belongs there.
//! 3. Statements that change data are handed back as they are: they stand at the top of a statement
//!    or in its WITH, where nothing outside of them can be seen.

use crate::tree::{
    Aggregate, CaseArm, ColumnUse, Cte, CteUse, Expr, ExprKind, FrameBound, FromItem,
    FunctionRange, Json, Query, Range, RangeId, RangeKind, SubLink, SubLinkKind, SubscriptStep,
    Target, WindowCall, WindowSpec,
};
use crate::tree::{Command, Frame};
use base::Result;
use memory::Bump;

/// What is put in the place of parts of a tree.
pub trait Replacement<'q> {
    /// Where the new tree lives.
    fn trees(&self) -> &'q Bump;

    /// What stands for a column, which `old` is: the column itself, as many levels up as
    /// [`levels_up`](Replacement::levels_up) says.
    ///
    /// # Errors
    /// 53200
    fn column(&mut self, old: &Expr<'q>, column: ColumnUse, depth: u16) -> Result<Expr<'q>> {
        let levels_up = self.levels_up(column.levels_up, depth);
        Ok(Expr { kind: ExprKind::Column(ColumnUse { levels_up, ..column }), ..*old })
    }

    /// How many levels up something stands that was `levels_up` levels above this part.
    fn levels_up(&self, levels_up: u16, depth: u16) -> u16 {
        let _ = depth;
        levels_up
    }

    /// A query inside the tree, `depth` levels below its beginning.
    ///
    /// # Errors
    /// 53200
    fn sub_query(&mut self, query: &'q Query<'q>, depth: u16) -> Result<&'q Query<'q>>
    where
        Self: Sized,
    {
        query_in(self, query, depth)
    }
}

type Exprs<'q> = &'q [Expr<'q>];

/// An expression made anew.
///
/// # Errors
/// 54001, 53200
pub fn expr<'q, R: Replacement<'q>>(r: &mut R, old: &Expr<'q>, depth: u16) -> Result<Expr<'q>> {
    base::stack::check_stack_depth()?;
    if let ExprKind::Column(column) = old.kind {
        return r.column(old, column, depth);
    }
    Ok(Expr { kind: kind(r, old.kind, depth)?, ..*old })
}

fn boxed<'q, R: Replacement<'q>>(r: &mut R, old: &Expr<'q>, depth: u16) -> Result<&'q Expr<'q>> {
    let new = expr(r, old, depth)?;
    Ok(r.trees().alloc(new)?)
}

/// An optional expression made anew.
///
/// # Errors
/// As [`expr`].
pub fn option<'q, R: Replacement<'q>>(
    r: &mut R,
    old: Option<&Expr<'q>>,
    depth: u16,
) -> Result<Option<&'q Expr<'q>>> {
    old.map(|old| boxed(r, old, depth)).transpose()
}

fn list<'q, R: Replacement<'q>>(r: &mut R, old: Exprs<'q>, depth: u16) -> Result<Exprs<'q>> {
    let trees = r.trees();
    Ok(trees.try_alloc_slice(old.iter().map(|old| expr(r, old, depth)))?)
}

fn pair<'q, R: Replacement<'q>>(
    r: &mut R,
    [a, b]: &[Expr<'q>; 2],
    depth: u16,
) -> Result<&'q [Expr<'q>; 2]> {
    let new = [expr(r, a, depth)?, expr(r, b, depth)?];
    Ok(r.trees().alloc(new)?)
}

fn kind<'q, R: Replacement<'q>>(r: &mut R, old: ExprKind<'q>, depth: u16) -> Result<ExprKind<'q>> {
    use ExprKind as K;
    Ok(match old {
        K::Const(_)
        | K::Column(_)
        | K::Param(_)
        | K::CaseOperand
        | K::SqlValue(_)
        | K::Default
        | K::CurrentOf { .. } => old,
        K::Function { function, args, variadic, returns_set, form } => {
            K::Function { function, args: list(r, args, depth)?, variadic, returns_set, form }
        }
        K::Operator { operator, function, args } => {
            K::Operator { operator, function, args: list(r, args, depth)? }
        }
        K::ScalarArray { operator, function, any, left, right } => K::ScalarArray {
            operator,
            function,
            any,
            left: boxed(r, left, depth)?,
            right: boxed(r, right, depth)?,
        },
        K::Distinct { operator, function, args, negated } => {
            K::Distinct { operator, function, args: pair(r, args, depth)?, negated }
        }
        K::NullIf { operator, function, args } => {
            K::NullIf { operator, function, args: pair(r, args, depth)? }
        }
        K::And(args) => K::And(list(r, args, depth)?),
        K::Or(args) => K::Or(list(r, args, depth)?),
        K::Coalesce(args) => K::Coalesce(list(r, args, depth)?),
        K::MinMax { greatest, args } => K::MinMax { greatest, args: list(r, args, depth)? },
        K::Row { fields, names } => K::Row { fields: list(r, fields, depth)?, names },
        K::Array { elements, nested } => K::Array { elements: list(r, elements, depth)?, nested },
        K::RowCompare { kind, operators, left, right } => K::RowCompare {
            kind,
            operators,
            left: list(r, left, depth)?,
            right: list(r, right, depth)?,
        },
        K::Case { operand, arms, otherwise } => case(r, operand, arms, otherwise, depth)?,
        K::Subscript { arg, steps, assign } => K::Subscript {
            arg: boxed(r, arg, depth)?,
            steps: subscripts(r, steps, depth)?,
            assign: option(r, assign, depth)?,
        },
        K::SubLink(link) => K::SubLink(sub_link(r, link, depth)?),
        K::Aggregate(aggregate) => K::Aggregate(self::aggregate(r, aggregate, depth)?),
        K::Grouping { items, levels_up } => {
            K::Grouping { items, levels_up: r.levels_up(levels_up, depth) }
        }
        K::Window(call) => K::Window(window_call(r, call, depth)?),
        K::Json(json) => {
            let args = list(r, json.args, depth)?;
            let cast = option(r, json.cast, depth)?;
            K::Json(r.trees().alloc(Json { args, cast, ..*json })?)
        }
        _ => over_one(r, old, depth)?,
    })
}

/// What has one part, and an element's conversion at most.
fn over_one<'q, R: Replacement<'q>>(
    r: &mut R,
    old: ExprKind<'q>,
    depth: u16,
) -> Result<ExprKind<'q>> {
    use ExprKind as K;
    Ok(match old {
        K::Not(arg) => K::Not(boxed(r, arg, depth)?),
        K::IsNull { arg, negated, row } => K::IsNull { arg: boxed(r, arg, depth)?, negated, row },
        K::Boolean { arg, test } => K::Boolean { arg: boxed(r, arg, depth)?, test },
        K::Field { arg, field } => K::Field { arg: boxed(r, arg, depth)?, field },
        K::Relabel { arg, form } => K::Relabel { arg: boxed(r, arg, depth)?, form },
        K::ViaText { arg, form } => K::ViaText { arg: boxed(r, arg, depth)?, form },
        K::Domain { arg, form } => K::Domain { arg: boxed(r, arg, depth)?, form },
        K::Collate(arg) => K::Collate(boxed(r, arg, depth)?),
        K::ArrayCast { arg, element, form } => {
            K::ArrayCast { arg: boxed(r, arg, depth)?, element: boxed(r, element, depth)?, form }
        }
        other => other,
    })
}

fn case<'q, R: Replacement<'q>>(
    r: &mut R,
    operand: Option<&'q Expr<'q>>,
    arms: &'q [CaseArm<'q>],
    otherwise: Option<&'q Expr<'q>>,
    depth: u16,
) -> Result<ExprKind<'q>> {
    let trees = r.trees();
    let operand = option(r, operand, depth)?;
    let arms = trees.try_alloc_slice(arms.iter().map(|arm| {
        Ok(CaseArm { when: expr(r, &arm.when, depth)?, then: expr(r, &arm.then, depth)? })
    }))?;
    Ok(ExprKind::Case { operand, arms, otherwise: option(r, otherwise, depth)? })
}

fn subscripts<'q, R: Replacement<'q>>(
    r: &mut R,
    steps: &'q [SubscriptStep<'q>],
    depth: u16,
) -> Result<&'q [SubscriptStep<'q>]> {
    let trees = r.trees();
    Ok(trees.try_alloc_slice(steps.iter().map(|step| {
        Ok(match step {
            SubscriptStep::Index(index) => SubscriptStep::Index(expr(r, index, depth)?),
            SubscriptStep::Slice(lower, upper) => SubscriptStep::Slice(
                lower.as_ref().map(|lower| expr(r, lower, depth)).transpose()?,
                upper.as_ref().map(|upper| expr(r, upper, depth)).transpose()?,
            ),
        })
    }))?)
}

fn sub_link<'q, R: Replacement<'q>>(
    r: &mut R,
    old: &SubLink<'q>,
    depth: u16,
) -> Result<&'q SubLink<'q>> {
    let mut link = *old;
    // Casts read the subquery's columns alone.
    if let SubLinkKind::Compare { left, .. } = &mut link.kind {
        *left = list(r, left, depth)?;
    }
    link.query = r.sub_query(old.query, depth + 1)?;
    Ok(r.trees().alloc(link)?)
}

fn aggregate<'q, R: Replacement<'q>>(
    r: &mut R,
    old: &Aggregate<'q>,
    depth: u16,
) -> Result<&'q Aggregate<'q>> {
    let new = Aggregate {
        direct_args: list(r, old.direct_args, depth)?,
        args: list(r, old.args, depth)?,
        filter: option(r, old.filter, depth)?,
        levels_up: r.levels_up(old.levels_up, depth),
        ..*old
    };
    Ok(r.trees().alloc(new)?)
}

fn window_call<'q, R: Replacement<'q>>(
    r: &mut R,
    old: &WindowCall<'q>,
    depth: u16,
) -> Result<&'q WindowCall<'q>> {
    let args = list(r, old.args, depth)?;
    let filter = option(r, old.filter, depth)?;
    Ok(r.trees().alloc(WindowCall { args, filter, ..*old })?)
}

/// Targets made anew.
///
/// # Errors
/// As [`expr`].
pub fn targets<'q, R: Replacement<'q>>(
    r: &mut R,
    old: &[Target<'q>],
    depth: u16,
) -> Result<&'q [Target<'q>]> {
    let trees = r.trees();
    let new = old.iter().map(|old| Ok(Target { expr: expr(r, &old.expr, depth)?, ..*old }));
    Ok(trees.try_alloc_slice(new)?)
}

/// What stands in FROM, made anew.
///
/// # Errors
/// As [`expr`].
pub fn from_item<'q, R: Replacement<'q>>(
    r: &mut R,
    old: &FromItem<'q>,
    depth: u16,
) -> Result<FromItem<'q>> {
    base::stack::check_stack_depth()?;
    let mut new = *old;
    if let FromItem::Join { left, right, on, .. } = &mut new {
        let sides = (from_item(r, left, depth)?, from_item(r, right, depth)?);
        *left = r.trees().alloc(sides.0)?;
        *right = r.trees().alloc(sides.1)?;
        *on = option(r, *on, depth)?;
    }
    Ok(new)
}

/// A range made anew.
///
/// # Errors
/// As [`expr`].
pub fn range<'q, R: Replacement<'q>>(r: &mut R, old: &Range<'q>, depth: u16) -> Result<Range<'q>> {
    let trees = r.trees();
    let kind = match old.kind {
        RangeKind::Relation { .. } | RangeKind::Excluded { .. } => old.kind,
        RangeKind::Subquery { query, view } => {
            RangeKind::Subquery { query: r.sub_query(query, depth + 1)?, view }
        }
        RangeKind::Join { kind, columns, merged, using_alias } => {
            RangeKind::Join { kind, columns: list(r, columns, depth)?, merged, using_alias }
        }
        RangeKind::Functions { functions, ordinality } => {
            let functions = functions.iter().map(|function| {
                Ok(FunctionRange { call: expr(r, &function.call, depth)?, ..*function })
            });
            RangeKind::Functions { functions: trees.try_alloc_slice(functions)?, ordinality }
        }
        RangeKind::Values(rows) => {
            RangeKind::Values(trees.try_alloc_slice(rows.iter().map(|row| list(r, row, depth)))?)
        }
        RangeKind::Cte(cte) => {
            RangeKind::Cte(CteUse { levels_up: r.levels_up(cte.levels_up, depth), ..cte })
        }
    };
    Ok(Range { kind, ..*old })
}

fn bound<'q, R: Replacement<'q>>(
    r: &mut R,
    old: FrameBound<'q>,
    depth: u16,
) -> Result<FrameBound<'q>> {
    Ok(match old {
        FrameBound::Preceding(offset) => FrameBound::Preceding(boxed(r, offset, depth)?),
        FrameBound::Following(offset) => FrameBound::Following(boxed(r, offset, depth)?),
        other => other,
    })
}

/// The expressions of a query made anew, those of its ranges and of FROM included. Its WITH stays, and
/// what ON CONFLICT and MERGE add.
///
/// # Errors
/// As [`expr`].
pub fn query_parts<'q, R: Replacement<'q>>(
    r: &mut R,
    old: &Query<'q>,
    depth: u16,
) -> Result<Query<'q>> {
    let trees = r.trees();
    Ok(Query {
        ranges: trees.try_alloc_slice(old.ranges.iter().map(|old| range(r, old, depth)))?,
        from: trees.try_alloc_slice(old.from.iter().map(|old| from_item(r, old, depth)))?,
        filter: option(r, old.filter, depth)?,
        targets: targets(r, old.targets, depth)?,
        returning: targets(r, old.returning, depth)?,
        having: option(r, old.having, depth)?,
        windows: trees.try_alloc_slice(old.windows.iter().map(|window| {
            let frame = window.frame;
            let (start, end) = (bound(r, frame.start, depth)?, bound(r, frame.end, depth)?);
            Ok(WindowSpec { frame: Frame { start, end, ..frame }, ..*window })
        }))?,
        offset: option(r, old.offset, depth)?,
        limit: option(r, old.limit, depth)?,
        ..*old
    })
}

/// A query that stands `depth` levels below the beginning, made anew with all that is in it (rule 3).
///
/// # Errors
/// As [`expr`].
pub fn query_in<'q, R: Replacement<'q>>(
    r: &mut R,
    old: &'q Query<'q>,
    depth: u16,
) -> Result<&'q Query<'q>> {
    base::stack::check_stack_depth()?;
    if old.command != Command::Select {
        return Ok(old);
    }
    let parts = query_parts(r, old, depth)?;
    let trees = r.trees();
    let ctes =
        old.ctes.iter().map(|cte| Ok(Cte { query: r.sub_query(cte.query, depth + 1)?, ..*cte }));
    let ctes = trees.try_alloc_slice(ctes)?;
    Ok(trees.alloc(Query { ctes, ..parts })?)
}

struct OverRange<'q> {
    trees: &'q Bump,
    range: RangeId,
}

impl<'q> Replacement<'q> for OverRange<'q> {
    fn trees(&self) -> &'q Bump {
        self.trees
    }

    fn column(&mut self, old: &Expr<'q>, column: ColumnUse, depth: u16) -> Result<Expr<'q>> {
        if column.levels_up != depth {
            return Ok(*old);
        }
        Ok(Expr { kind: ExprKind::Column(ColumnUse { range: self.range, ..column }), ..*old })
    }
}

/// An expression with all columns of its own level read from another range.
///
/// # Errors
/// As [`expr`].
pub fn over_range<'q>(trees: &'q Bump, old: &Expr<'q>, range: RangeId) -> Result<Expr<'q>> {
    expr(&mut OverRange { trees, range }, old, 0)
}

struct FurtherOut<'q> {
    trees: &'q Bump,
    levels: u16,
}

impl<'q> Replacement<'q> for FurtherOut<'q> {
    fn trees(&self) -> &'q Bump {
        self.trees
    }

    fn levels_up(&self, levels_up: u16, depth: u16) -> u16 {
        match levels_up.checked_sub(self.levels) {
            Some(less) if less >= depth => less,
            _ => levels_up,
        }
    }
}

/// An expression that names nothing of the innermost levels, as it is so many levels further out.
///
/// # Errors
/// As [`expr`].
pub fn further_out<'q>(trees: &'q Bump, old: &Expr<'q>, levels: u16) -> Result<Expr<'q>> {
    expr(&mut FurtherOut { trees, levels }, old, 0)
}
