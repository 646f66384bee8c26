//! In which order leaves are joined.

use crate::from::{JoinCond, Planned};
use std::collections::{BTreeSet, HashMap};

/// The shape of a tree of joins.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Leaf(usize),
    Join(Box<Shape>, Box<Shape>),
}

impl Shape {
    pub(crate) fn chain(order: Vec<usize>) -> Shape {
        let mut shapes = order.into_iter().map(Shape::Leaf);
        let first = shapes.next().unwrap_or(Shape::Leaf(0));
        shapes.fold(first, |left, right| Shape::Join(Box::new(left), Box::new(right)))
    }
}

/// The leaves, as a set of bits, that a condition needs.
pub(crate) fn leaf_set(leaves: &[Planned<'_, '_, '_>], ranges: &BTreeSet<u32>) -> u32 {
    let mut set = 0;
    for (i, leaf) in leaves.iter().enumerate() {
        if leaf.ranges.iter().any(|range| ranges.contains(range)) {
            set |= 1 << i;
        }
    }
    set
}

pub(crate) fn set_rows(leaves: &[Planned<'_, '_, '_>], conds: &[(u32, f64)], set: u32) -> f64 {
    let mut rows = 1.0;
    for (i, leaf) in leaves.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1) {
        let _ = i;
        rows *= leaf.rel.rows();
    }
    for (needs, selectivity) in conds {
        if needs & set == *needs {
            rows *= selectivity;
        }
    }
    rows.max(1.0)
}

/// The cheapest tree over all leaves. What a leaf reads while it runs is on its left.
pub(crate) fn best_shape(leaves: &[Planned<'_, '_, '_>], conds: &[JoinCond<'_, '_>]) -> Shape {
    let conds: Vec<(u32, f64)> =
        conds.iter().map(|c| (leaf_set(leaves, &c.ranges), c.selectivity)).collect();
    // The leaves that the leaves of a set read while they run.
    let needs: Vec<u32> = leaves.iter().map(|leaf| leaf_set(leaves, &leaf.lateral)).collect();
    let lateral = |set: u32| {
        let of = needs.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
        of.fold(0, |all, (_, needs)| all | needs)
    };
    let all = (1u32 << leaves.len()) - 1;
    let mut best: HashMap<u32, (f64, Shape)> = HashMap::new();
    let mut rows: HashMap<u32, f64> = HashMap::new();
    for (i, leaf) in leaves.iter().enumerate() {
        best.insert(1 << i, (leaf.rel.node.total_cost, Shape::Leaf(i)));
    }
    for set in 1..=all {
        rows.insert(set, set_rows(leaves, &conds, set));
    }
    for set in 1..=all {
        if set.count_ones() < 2 {
            continue;
        }
        let mut cheapest: Option<(f64, u32)> = None;
        let mut left = (set - 1) & set;
        while left > 0 {
            let right = set & !left;
            if let (Some((a, _)), Some((b, _))) = (best.get(&left), best.get(&right))
                && lateral(left) & right == 0
                && (left > right || lateral(right) & left != 0)
            {
                let (l, r) = (rows[&left], rows[&right]);
                let connected =
                    conds.iter().any(|(n, _)| n & set == *n && n & left != 0 && n & right != 0);
                let join = if lateral(right) & left != 0 {
                    // The right side runs anew for each row of the left one.
                    l * (b + r * 0.02)
                } else if connected {
                    l.max(r) * 0.01 + l.min(r) * 0.02
                } else {
                    l * r * 0.02 + 1000.0
                };
                let cost = a + b + join + rows[&set] * 0.01;
                if cheapest.is_none_or(|(other, _)| cost < other) {
                    cheapest = Some((cost, left));
                }
            }
            left = (left - 1) & set;
        }
        if let Some((cost, left)) = cheapest {
            let shape = Shape::Join(
                Box::new(best[&left].1.clone()),
                Box::new(best[&(set & !left)].1.clone()),
            );
            best.insert(set, (cost, shape));
        }
    }
    best.remove(&all).map_or(Shape::Leaf(0), |(_, shape)| shape)
}

/// A chain that begins with the smallest leaf and always takes the next one that leaves the fewest
/// rows.
pub(crate) fn greedy_shape(leaves: &[Planned<'_, '_, '_>], conds: &[JoinCond<'_, '_>]) -> Shape {
    let rows = |taken: &BTreeSet<u32>, count: f64, leaf: &Planned<'_, '_, '_>| {
        let mut rows = count * leaf.rel.rows();
        let all: BTreeSet<u32> = taken.union(&leaf.ranges).copied().collect();
        for cond in conds {
            if cond.ranges.is_subset(&all) && !cond.ranges.is_subset(taken) {
                rows *= cond.selectivity;
            }
        }
        rows
    };
    let mut left: Vec<usize> = (0..leaves.len()).collect();
    let (mut order, mut taken, mut count) = (Vec::new(), BTreeSet::new(), 1.0);
    while !left.is_empty() {
        let mut best = (0, f64::INFINITY);
        for (at, leaf) in left.iter().enumerate() {
            let next = rows(&taken, count, &leaves[*leaf]);
            if next < best.1 {
                best = (at, next);
            }
        }
        let leaf = left.remove(best.0);
        taken.extend(&leaves[leaf].ranges);
        count = best.1.max(1.0);
        order.push(leaf);
    }
    Shape::chain(order)
}
