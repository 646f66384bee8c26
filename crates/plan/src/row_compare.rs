//! Comparisons of rows by an order: `(a, b) < (c, d)`.
//!
//! Columns of one type are compared as that type sorts; columns of two types by the function that
//! the btree family of their operator has for them.

use crate::planner::Planner;
use analyze::tree::{RowCompareKind, Type};
use base::{Oid, Result};
use expr::{Builder, Call, Operation, Reg, ScalarFn, SqlType};
use std::cmp::Ordering;
use types::{Datum, compare};

/// `pg_am.oid` of btree.
const BTREE: Oid = Oid(403);

/// The number of the support function that compares.
const ORDER_PROC: i16 = 1;

/// A row comparison: the first half of the arguments against the second.
struct RowCompare<'p> {
    kind: RowCompareKind,
    /// For each column the function that compares two types; none if it has one type.
    orders: &'p [Option<ScalarFn>],
}

impl Operation for RowCompare<'_> {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let (left, right) = args.split_at(args.len() / 2);
        let mut order = Ordering::Equal;
        for (i, (a, b)) in left.iter().zip(right).enumerate() {
            if a.is_null() || b.is_null() {
                return Ok(Datum::Null);
            }
            order = match self.orders.get(i).copied().flatten() {
                Some(function) => function(cx, &[*a, *b])?.int4()?.cmp(&0),
                None => compare::compare(cx.io().host, cx.arg_type(i).oid.0, a, b)?,
            };
            if order.is_ne() {
                break;
            }
        }
        Ok(Datum::Bool(match self.kind {
            RowCompareKind::Less => order.is_lt(),
            RowCompareKind::LessEqual => order.is_le(),
            RowCompareKind::Equal => order.is_eq(),
            RowCompareKind::GreaterEqual => order.is_ge(),
            RowCompareKind::Greater => order.is_gt(),
            RowCompareKind::NotEqual => order.is_ne(),
        }))
    }

    fn name(&self) -> &'static str {
        "row comparison"
    }
}

impl<'p> Planner<'_, '_, 'p> {
    /// A comparison of rows by the order of their columns; `left` has the types of the left ones,
    /// `registers` both rows.
    pub(crate) fn row_compare(
        &self,
        builder: &mut Builder<'p>,
        kind: RowCompareKind,
        operators: &[Oid],
        left: &[Type],
        result: Type,
        registers: &[Reg],
    ) -> Result<Reg> {
        let mut orders = Vec::new();
        for operator in operators {
            orders.push(self.order_of_two_types(*operator)?);
        }
        let mut types = Vec::new();
        for ty in left {
            types.push(SqlType::plain(self.compare_type(ty.oid)?));
        }
        let orders = self.bump.alloc_slice_copy(&orders)?;
        let operation = self.operation(RowCompare { kind, orders })?;
        let site = self.site(Oid::INVALID, &types, result, Oid::INVALID);
        builder.operation(operation, site, registers)
    }

    /// The function that compares the two types of an operator; none if they are one.
    fn order_of_two_types(&self, operator: Oid) -> Result<Option<ScalarFn>> {
        let families = self.catalog().operator_families(operator)?;
        let Some(member) = families.iter().find(|member| member.method == BTREE) else {
            return Ok(None);
        };
        if member.left == member.right {
            return Ok(None);
        }
        let found =
            self.catalog().family_proc(member.family, member.left, member.right, ORDER_PROC)?;
        found.map(|function| Ok(self.scalar_function(function)?.0)).transpose()
    }
}
