//! Bound trees as bytes.
//!
//! Numbers are little-endian and of fixed width, lists and texts follow their length (u32),
//! variants are one byte. The tags of variants are part of the format.

use crate::tree::*;
use base::{Error, Oid, Result};
use memory::Bump;
use types::Datum;

/// Where bytes go.
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    /// Whether locations are written; without them equal trees have equal bytes.
    pub(super) locations: bool,
    /// What each GROUPING that still names a list stands for.
    pub(super) groupings: Vec<Vec<u32>>,
}

impl Writer {
    pub(super) fn new(bytes: Vec<u8>) -> Writer {
        Writer { bytes, locations: true, groupings: Vec::new() }
    }
}

/// Where bytes come from.
pub(super) struct Reader<'q, 'b> {
    pub(super) bump: &'q Bump,
    pub(super) bytes: &'b [u8],
    pub(super) views: &'b dyn Views<'q>,
}

/// What reading a query needs of the catalogs.
pub(super) trait Views<'q> {
    /// The query that a view stands for at present.
    fn query(&self, view: Oid) -> Result<&'q Query<'q>>;
    /// Locks a relation; the role whose privileges on it count.
    fn relation(&self, relation: Oid, lock_mode: u8) -> Result<Oid>;
}

#[cold]
fn damaged() -> Error {
    Error::corrupted("damaged expression tree")
}

impl<'q> Reader<'q, '_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.bytes.split_first_chunk::<N>().ok_or_else(damaged)?;
        self.bytes = rest;
        Ok(*head)
    }

    fn bytes_of(&mut self, len: usize) -> Result<&'q [u8]> {
        let (head, rest) = self.bytes.split_at_checked(len).ok_or_else(damaged)?;
        self.bytes = rest;
        Ok(self.bump.alloc_bytes(head)?)
    }
}

/// What can be written and read.
pub(super) trait Codec<'q>: Sized {
    fn put(&self, out: &mut Writer);
    fn get(input: &mut Reader<'q, '_>) -> Result<Self>;
}

macro_rules! numbers {
    ($($ty:ty)*) => {$(
        impl<'q> Codec<'q> for $ty {
            fn put(&self, out: &mut Writer) {
                out.bytes.extend_from_slice(&self.to_le_bytes());
            }
            fn get(input: &mut Reader<'q, '_>) -> Result<$ty> {
                Ok(<$ty>::from_le_bytes(input.take()?))
            }
        }
    )*};
}

numbers! { u8 u16 u32 u64 i16 i32 i64 f32 f64 }

impl<'q> Codec<'q> for bool {
    fn put(&self, out: &mut Writer) {
        out.bytes.push(u8::from(*self));
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<bool> {
        Ok(u8::get(input)? != 0)
    }
}

impl<'q> Codec<'q> for Oid {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<Oid> {
        Ok(Oid(u32::get(input)?))
    }
}

impl<'q> Codec<'q> for RangeId {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<RangeId> {
        Ok(RangeId(u32::get(input)?))
    }
}

fn put_len(len: usize, out: &mut Writer) {
    // A tree of more than 4 GB never fits its context.
    u32::try_from(len).unwrap_or(u32::MAX).put(out);
}

impl<'q> Codec<'q> for &'q str {
    fn put(&self, out: &mut Writer) {
        put_len(self.len(), out);
        out.bytes.extend_from_slice(self.as_bytes());
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<&'q str> {
        let len = u32::get(input)? as usize;
        std::str::from_utf8(input.bytes_of(len)?).map_err(|_| damaged())
    }
}

impl<'q, T: Codec<'q>> Codec<'q> for Option<T> {
    fn put(&self, out: &mut Writer) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<Option<T>> {
        Ok(if bool::get(input)? { Some(T::get(input)?) } else { None })
    }
}

impl<'q, A: Codec<'q>, B: Codec<'q>> Codec<'q> for (A, B) {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
        self.1.put(out);
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<(A, B)> {
        Ok((A::get(input)?, B::get(input)?))
    }
}

/// Types that stand behind a reference or in a slice.
trait Node<'q>: Codec<'q> {}

impl<'q, T: Node<'q>> Codec<'q> for &'q T {
    fn put(&self, out: &mut Writer) {
        (**self).put(out);
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<&'q T> {
        base::stack::check_stack_depth()?;
        let value = T::get(input)?;
        leak(input.bump, value)
    }
}

fn leak<T>(bump: &Bump, value: T) -> Result<&T> {
    Ok(bump.alloc(value)?)
}

impl<'q, T: Node<'q>> Codec<'q> for &'q [T] {
    fn put(&self, out: &mut Writer) {
        put_len(self.len(), out);
        self.iter().for_each(|value| value.put(out));
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<&'q [T]> {
        base::stack::check_stack_depth()?;
        let len = u32::get(input)? as usize;
        // Every element has at least a byte, so a wrong length ends early.
        if len > input.bytes.len() {
            return Err(damaged());
        }
        let mut values = input.bump.vec();
        for _ in 0..len {
            values.push(T::get(input)?)?;
        }
        Ok(values.into_slice())
    }
}

impl<'q> Codec<'q> for &'q [Expr<'q>; 2] {
    fn put(&self, out: &mut Writer) {
        self.iter().for_each(|value| value.put(out));
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<&'q [Expr<'q>; 2]> {
        let pair = [Expr::get(input)?, Expr::get(input)?];
        leak(input.bump, pair)
    }
}

impl<'q> Node<'q> for u32 {}
impl<'q> Node<'q> for i16 {}
impl<'q> Node<'q> for Oid {}
impl<'q> Node<'q> for &'q str {}
impl<'q> Node<'q> for &'q [Expr<'q>] {}
impl<'q> Node<'q> for &'q [u32] {}

impl<'q> Codec<'q> for Expr<'q> {
    fn put(&self, out: &mut Writer) {
        match self.kind {
            ExprKind::Grouping { items: [index], levels_up: u16::MAX }
                if !out.groupings.is_empty() =>
            {
                let items = out.groupings.get(*index as usize).cloned().unwrap_or_default();
                ExprKind::Grouping { items: &items, levels_up: 0 }.put(out);
            }
            kind => kind.put(out),
        }
        self.ty.put(out);
        if out.locations {
            self.at.put(out);
        }
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<Expr<'q>> {
        let kind = ExprKind::get(input)?;
        Ok(Expr { kind, ty: Type::get(input)?, at: Option::get(input)? })
    }
}
impl<'q> Node<'q> for Expr<'q> {}

impl<'q> Codec<'q> for Datum<'q> {
    fn put(&self, out: &mut Writer) {
        match *self {
            Datum::Null => 0u8.put(out),
            Datum::Bool(v) => (1u8, v).put(out),
            Datum::Char(v) => (2u8, v).put(out),
            Datum::Int2(v) => (3u8, v).put(out),
            Datum::Int4(v) => (4u8, v).put(out),
            Datum::Int8(v) => (5u8, v).put(out),
            Datum::Oid(v) => (6u8, v).put(out),
            // By bits, so that NaN and -0 survive.
            Datum::Float4(v) => (7u8, v.to_bits()).put(out),
            Datum::Float8(v) => (8u8, v.to_bits()).put(out),
            Datum::Decimal { mantissa, scale } => (9u8, (mantissa, scale)).put(out),
            Datum::Fixed16(v) => {
                10u8.put(out);
                out.bytes.extend_from_slice(&v);
            }
            Datum::Text(v) => {
                11u8.put(out);
                put_len(v.len(), out);
                out.bytes.extend_from_slice(v.as_bytes());
            }
            Datum::Bytes(v) => {
                12u8.put(out);
                put_len(v.len(), out);
                out.bytes.extend_from_slice(v);
            }
        }
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<Datum<'q>> {
        Ok(match u8::get(input)? {
            0 => Datum::Null,
            1 => Datum::Bool(bool::get(input)?),
            2 => Datum::Char(u8::get(input)?),
            3 => Datum::Int2(i16::get(input)?),
            4 => Datum::Int4(i32::get(input)?),
            5 => Datum::Int8(i64::get(input)?),
            6 => Datum::Oid(u32::get(input)?),
            7 => Datum::Float4(f32::from_bits(u32::get(input)?)),
            8 => Datum::Float8(f64::from_bits(u64::get(input)?)),
            9 => Datum::Decimal { mantissa: i64::get(input)?, scale: u16::get(input)? },
            10 => Datum::Fixed16(input.take()?),
            11 => Datum::Text(<&str>::get(input)?),
            12 => {
                let len = u32::get(input)? as usize;
                Datum::Bytes(input.bytes_of(len)?)
            }
            _ => return Err(damaged()),
        })
    }
}

macro_rules! records {
    ($([$ty:ty] $name:ident { $($field:ident),* $(,)? })*) => {$(
        impl<'q> Codec<'q> for $ty {
            fn put(&self, out: &mut Writer) {
                $(self.$field.put(out);)*
            }
            fn get(input: &mut Reader<'q, '_>) -> Result<$ty> {
                $(let $field = Codec::get(input)?;)*
                Ok($name { $($field),* })
            }
        }
        impl<'q> Node<'q> for $ty {}
    )*};
}

macro_rules! variants {
    ($([$ty:ty] $name:ident {
        $($tag:literal $variant:ident $(($($part:ident),*))? $({ $($field:ident),* })?),* $(,)?
    })*) => {$(
        impl<'q> Codec<'q> for $ty {
            fn put(&self, out: &mut Writer) {
                match self {
                    $($name::$variant $(($($part),*))? $({ $($field),* })? => {
                        u8::put(&$tag, out);
                        $($($part.put(out);)*)?
                        $($($field.put(out);)*)?
                    })*
                }
            }
            fn get(input: &mut Reader<'q, '_>) -> Result<$ty> {
                Ok(match u8::get(input)? {
                    $($tag => {
                        $($(let $part = Codec::get(input)?;)*)?
                        $($(let $field = Codec::get(input)?;)*)?
                        $name::$variant $(($($part),*))? $({ $($field),* })?
                    })*
                    _ => return Err(damaged()),
                })
            }
        }
        impl<'q> Node<'q> for $ty {}
    )*};
}

impl<'q> Codec<'q> for ColumnUse {
    fn put(&self, out: &mut Writer) {
        self.range.put(out);
        self.attribute.put(out);
        self.levels_up.put(out);
        self.returning.put(out);
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<ColumnUse> {
        let (range, attribute) = (Codec::get(input)?, Codec::get(input)?);
        let (levels_up, returning) = (Codec::get(input)?, Codec::get(input)?);
        Ok(ColumnUse { range, attribute, levels_up, returning })
    }
}
impl<'q> Node<'q> for ColumnUse {}

impl<'q> Codec<'q> for SubLink<'q> {
    fn put(&self, out: &mut Writer) {
        self.kind.put(out);
        self.query.put(out);
    }
    fn get(input: &mut Reader<'q, '_>) -> Result<SubLink<'q>> {
        Ok(SubLink { kind: Codec::get(input)?, query: Codec::get(input)? })
    }
}
impl<'q> Node<'q> for SubLink<'q> {}

/// A stored query never has checks of views: they belong to a statement that changes one.
impl<'q> Codec<'q> for &'q [ViewCheck<'q>] {
    fn put(&self, _: &mut Writer) {}
    fn get(_: &mut Reader<'q, '_>) -> Result<&'q [ViewCheck<'q>]> {
        Ok(&[])
    }
}

impl<'q> Codec<'q> for &'q [ChangedView] {
    fn put(&self, _: &mut Writer) {}
    fn get(_: &mut Reader<'q, '_>) -> Result<&'q [ChangedView]> {
        Ok(&[])
    }
}

records! {
    [Type] Type { oid, typmod, collation }
    [CaseArm<'q>] CaseArm { when, then }
    [Json<'q>] Json { kind, args, cast }
    [JsonFormat] JsonFormat { kind, encoding }
    [JsonBehavior] JsonBehavior { kind, value, coerce }
    [JsonFunction<'q>] JsonFunction {
        op, column, passing, wrapper, omit_quotes, format, on_empty, on_error,
    }
    [JsonTable<'q>] JsonTable { scan, passing, on_error }
    [JsonScan<'q>] JsonScan { path, name, first, columns, nested }
    [JsonColumn<'q>] JsonColumn { name, ty, function, path }
    [SortKey] SortKey { target, sort_operator, equal_operator, descending, nulls_first }
    [Aggregate<'q>] Aggregate {
        function, kind, direct_args, args, arg_count, star, distinct, order_by, filter, variadic,
        levels_up, transition,
    }
    [WindowCall<'q>] WindowCall { function, aggregate, args, star, filter, window, transition }
    [Frame<'q>] Frame { unit, start, end, exclusion, explicit, between, in_range }
    [Query<'q>] Query {
        command, ranges, from, filter, targets, ctes, recursive, group_by, grouping_sets, grouping,
        group_distinct, having, windows, distinct, order_by, offset, limit, with_ties,
        set_operation, locking, result_relation, assignments, written, overriding, on_conflict, merge,
        view_checks, changed_views, returning, has_aggregates, has_windows, has_target_sets,
        has_sublinks, has_modifying_cte,
    }
    [Target<'q>] Target { expr, name, junk, origin }
    [Range<'q>] Range { kind, alias, alias_given, aliased, columns, types, lateral, in_from }
    [CteUse] CteUse { index, levels_up, self_reference }
    [FunctionRange<'q>] FunctionRange { call, column_count, composite, types }
    [Cte<'q>] Cte {
        name, query, columns, aliased, types, materialize, recursive, search_cycle, uses,
    }
    [SearchCycle<'q>] SearchCycle { written, search, cycle }
    [Search<'q>] Search { columns, breadth_first, sequence_column }
    [Cycle<'q>] Cycle { columns, mark_column, mark_value, mark_default, path_column }
    [GroupingSet<'q>] GroupingSet { items }
    [WindowSpec<'q>] WindowSpec { name, base, base_order, partition_by, order_by, frame }
    [SetOperation<'q>] SetOperation { kind, all, left, right, types, keys }
    [RowMark] RowMark { range, strength, wait }
    [Assignment] Assignment { attribute, target }
    [OnConflict<'q>] OnConflict { arbiters, action, excluded }
    [Merge<'q>] Merge { on, actions }
    [MergeAction<'q>] MergeAction {
        when, condition, command, targets, assignments, written, overriding
    }
}

variants! {
    [ReturningRow] ReturningRow { 0 Default, 1 Old, 2 New }
    [FunctionForm] FunctionForm { 0 Call, 1 ExplicitCast, 2 ImplicitCast, 3 SqlSyntax, 4 Identity }
    [CastForm] CastForm { 0 Explicit, 1 Implicit }
    [JsonKind<'q>] JsonKind {
        0 Value(a), 1 Object { absent_on_null, unique, format }, 2 Array { absent_on_null, format },
        3 ObjectAgg { absent_on_null, unique, format }, 4 ArrayAgg { absent_on_null, format },
        5 Parse { unique, format }, 6 Scalar(a), 7 Serialize(a), 8 Is { item, unique },
        9 Function(a), 10 Table(a),
    }
    [JsonFormatKind] JsonFormatKind { 0 Default, 1 Json, 2 Jsonb }
    [JsonEncoding] JsonEncoding { 0 Default, 1 Utf8, 2 Utf16, 3 Utf32 }
    [JsonItem] JsonItem { 0 Value, 1 Object, 2 Array, 3 Scalar }
    [JsonOp] JsonOp { 0 Exists, 1 Query, 2 Value, 3 Table }
    [JsonWrapper] JsonWrapper { 0 Unspecified, 1 Without, 2 Conditional, 3 Unconditional }
    [JsonBehaviorKind] JsonBehaviorKind {
        0 Null, 1 Error, 2 Empty, 3 True, 4 False, 5 Unknown, 6 EmptyArray, 7 EmptyObject, 8 Default,
    }
    [BooleanTest] BooleanTest {
        0 IsTrue, 1 IsNotTrue, 2 IsFalse, 3 IsNotFalse, 4 IsUnknown, 5 IsNotUnknown,
    }
    [RowCompareKind] RowCompareKind {
        0 Less, 1 LessEqual, 2 Equal, 3 GreaterEqual, 4 Greater, 5 NotEqual,
    }
    [SubscriptStep<'q>] SubscriptStep { 0 Index(a), 1 Slice(a, b) }
    [SubLinkKind<'q>] SubLinkKind {
        0 Exists, 1 Scalar, 2 Array,
        3 Compare { any, kind, operators, functions, left, casts },
        4 Row,
    }
    [AggregateKind] AggregateKind { 0 Normal, 1 OrderedSet, 2 Hypothetical }
    [FrameUnit] FrameUnit { 0 Rows, 1 Range, 2 Groups }
    [FrameBound<'q>] FrameBound {
        0 UnboundedPreceding, 1 Preceding(a), 2 CurrentRow, 3 Following(a), 4 UnboundedFollowing,
    }
    [FrameExclusion] FrameExclusion { 0 NoOthers, 1 CurrentRow, 2 Group, 3 Ties }
    [SqlValue] SqlValue {
        0 CurrentDate, 1 CurrentTime, 2 CurrentTimestamp, 3 LocalTime, 4 LocalTimestamp,
        5 CurrentRole, 6 CurrentUser, 7 User, 8 SessionUser, 9 CurrentCatalog, 10 CurrentSchema,
    }
    [ExprKind<'q>] ExprKind {
        0 Const(a),
        1 Column(a),
        2 Param(a),
        3 Function { function, args, variadic, returns_set, form },
        4 Operator { operator, function, args },
        5 ScalarArray { operator, function, any, left, right },
        6 Distinct { operator, function, args, negated },
        7 NullIf { operator, function, args },
        8 And(a),
        9 Or(a),
        10 Not(a),
        11 IsNull { arg, negated, row },
        12 Boolean { arg, test },
        13 Case { operand, arms, otherwise },
        14 CaseOperand,
        15 Coalesce(a),
        16 MinMax { greatest, args },
        17 Row { fields, names },
        18 RowCompare { kind, operators, left, right },
        19 Field { arg, field },
        20 Array { elements, nested },
        21 Subscript { arg, steps, assign },
        22 Relabel { arg, form },
        23 ViaText { arg, form },
        24 ArrayCast { arg, element, form },
        25 Domain { arg, form },
        26 Collate(a),
        27 SubLink(a),
        28 Aggregate(a),
        29 Grouping { items, levels_up },
        30 Window(a),
        31 SqlValue(a),
        32 Default,
        33 CurrentOf { cursor, relation },
        34 Json(a),
    }
    [Command] Command { 0 Select, 1 Insert, 2 Update, 3 Delete, 4 Merge }
    [FromItem<'q>] FromItem {
        0 Range(a), 1 Join { kind, left, right, on, range, using, natural },
    }
    [GroupingItem<'q>] GroupingItem { 0 Simple(a), 1 Rollup(a), 2 Cube(a), 3 Sets(a) }
    [JoinKind] JoinKind { 0 Inner, 1 Left, 2 Full, 3 Right }
    [Materialize] Materialize { 0 Default, 1 Always, 2 Never }
    [Distinct<'q>] Distinct { 0 None, 1 All(a), 2 On(a) }
    [SetTree<'q>] SetTree { 0 Leaf(a), 1 Node(a) }
    [SetKind] SetKind { 0 Union, 1 Intersect, 2 Except }
    [LockStrength] LockStrength { 0 KeyShare, 1 Share, 2 NoKeyUpdate, 3 Update }
    [LockWait] LockWait { 0 Wait, 1 SkipLocked, 2 NoWait }
    [Overriding] Overriding { 0 None, 1 User, 2 System }
    [ConflictAction<'q>] ConflictAction { 0 Nothing, 1 Update { targets, assignments, filter } }
    [MergeWhen] MergeWhen { 0 Matched, 1 NotMatchedBySource, 2 NotMatchedByTarget }
}

/// A view is stored by its OID alone: what it stands for is looked up when the tree is read. The
/// role that counts is not stored: it is the owner of the view that the tree belongs to.
impl<'q> Codec<'q> for RangeKind<'q> {
    fn put(&self, out: &mut Writer) {
        match self {
            RangeKind::Relation { relation, row_type, inherit, lock_mode, selected, .. } => {
                0u8.put(out);
                relation.put(out);
                row_type.put(out);
                inherit.put(out);
                lock_mode.put(out);
                selected.put(out);
            }
            RangeKind::Subquery { view, .. } if view.is_valid() => (1u8, *view).put(out),
            RangeKind::Subquery { query, .. } => {
                2u8.put(out);
                query.put(out);
            }
            RangeKind::Join { kind, columns, merged, using_alias } => {
                3u8.put(out);
                kind.put(out);
                columns.put(out);
                merged.put(out);
                using_alias.put(out);
            }
            RangeKind::Functions { functions, ordinality } => {
                4u8.put(out);
                functions.put(out);
                ordinality.put(out);
            }
            RangeKind::Values(rows) => {
                5u8.put(out);
                rows.put(out);
            }
            RangeKind::Cte(cte) => {
                6u8.put(out);
                cte.put(out);
            }
            RangeKind::Excluded { relation } => (7u8, *relation).put(out),
        }
    }

    fn get(input: &mut Reader<'q, '_>) -> Result<RangeKind<'q>> {
        Ok(match u8::get(input)? {
            0 => {
                let relation = Oid::get(input)?;
                let row_type = Oid::get(input)?;
                let inherit = bool::get(input)?;
                let lock_mode = u8::get(input)?;
                let selected = Codec::get(input)?;
                let check_as = input.views.relation(relation, lock_mode)?;
                RangeKind::Relation {
                    relation,
                    row_type,
                    inherit,
                    lock_mode,
                    selected,
                    sampled: false,
                    check_as,
                }
            }
            1 => {
                let view = Oid::get(input)?;
                RangeKind::Subquery { query: input.views.query(view)?, view }
            }
            2 => RangeKind::Subquery { query: Codec::get(input)?, view: Oid::INVALID },
            3 => RangeKind::Join {
                kind: Codec::get(input)?,
                columns: Codec::get(input)?,
                merged: Codec::get(input)?,
                using_alias: Codec::get(input)?,
            },
            4 => RangeKind::Functions {
                functions: Codec::get(input)?,
                ordinality: Codec::get(input)?,
            },
            5 => RangeKind::Values(Codec::get(input)?),
            6 => RangeKind::Cte(Codec::get(input)?),
            7 => RangeKind::Excluded { relation: Oid::get(input)? },
            _ => return Err(damaged()),
        })
    }
}
