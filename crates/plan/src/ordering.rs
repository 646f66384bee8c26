//! Orders that need no sort.
//!
//! Before FROM is planned, a query says in which order it will want the rows. A scan may choose an
//! index for that; afterwards the plan is asked whether its rows really come in that order. Nodes
//! that pass rows on one by one keep the order of their input.

use crate::access::same_key;
use crate::node::{Node, NodeKind};
use crate::planner::{Level, OrderKey, Planner};
use analyze::tree::Distinct;
use base::Result;
use types::Datum;

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// Notes the order that the targets of a query ask of the rows of FROM, and how many rows.
    pub(crate) fn want_order(&self, level: &Level<'_, 'q>) -> Result<()> {
        let query = level.query;
        if query.order_by.is_empty()
            || query.has_aggregates
            || query.has_windows
            || query.has_target_sets
            || query.having.is_some()
            || !query.group_by.is_empty()
            || !query.grouping_sets.is_empty()
            || matches!(query.distinct, Distinct::All(_))
        {
            return Ok(());
        }
        let mut wanted = Vec::new();
        for key in query.order_by {
            let Some(target) = query.targets.get(key.target as usize) else { return Ok(()) };
            if self.is_volatile(&target.expr)? {
                return Ok(());
            }
            wanted.push(OrderKey {
                expr: &target.expr,
                descending: key.descending,
                nulls_first: key.nulls_first,
            });
        }
        let count = |value: Option<Datum<'q>>| match value {
            Some(Datum::Int8(count)) => Some(count.max(0) as f64),
            _ => None,
        };
        let limit = match query.limit {
            Some(limit) => Some(count(self.constant_value(limit)?).unwrap_or(100.0)),
            None => None,
        };
        let offset = match query.offset {
            Some(offset) => count(self.constant_value(offset)?).unwrap_or(100.0),
            None => 0.0,
        };
        level.limit.set(limit.map(|limit| limit + offset));
        *level.wanted.borrow_mut() = wanted;
        Ok(())
    }

    /// Whether the rows of a node come in an order.
    pub(crate) fn has_order(&self, node: &'p Node<'p>, wanted: &[OrderKey<'q>]) -> bool {
        if wanted.is_empty() {
            return false;
        }
        match node.kind {
            // A scan that was chosen for its order has the wanted one.
            NodeKind::IndexScan { .. } => {
                let state = self.state.borrow();
                state.orders.get(&node.id).is_some_and(|served| {
                    served.len() == wanted.len()
                        && served.iter().zip(wanted).all(|(a, b)| {
                            same_key(a.expr, b.expr)
                                && (a.descending, a.nulls_first) == (b.descending, b.nulls_first)
                        })
                })
            }
            NodeKind::Filter { input, .. } | NodeKind::Project { input, .. } => {
                self.has_order(input, wanted)
            }
            NodeKind::NestedLoop { join, left, .. } => {
                join != crate::node::Join::Full && self.has_order(left, wanted)
            }
            _ => false,
        }
    }
}
