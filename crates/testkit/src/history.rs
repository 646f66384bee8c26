//! Checks histories of list-append transactions for the anomalies of isolation.
//!
//! # How it works
//! Transactions append values, each unique, to lists and read lists. The last state of a list is
//! the order of its versions. From it and from what was read follow who comes before whom: `ww`,
//! the appends to a list in their order; `wr`, who has read another's append; `rw`, who has not yet
//! seen an append. A circle is an anomaly; its kinds are Adya's.
//!
//! # Sources
//! Adya: Weak Consistency (1999). Kingsbury, Alvaro: Elle (2020).

use std::collections::{BTreeMap, BTreeSet};

/// A key of a list.
pub type Key = u32;
/// A value of a list.
pub type Value = u64;

/// What a transaction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Appended a value.
    Append(Key, Value),
    /// Read a list.
    Read(Key, Vec<Value>),
}

/// A transaction that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// What it did, in order.
    pub steps: Vec<Step>,
    /// Whether it committed.
    pub committed: bool,
}

/// An anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// A circle of writes.
    G0,
    /// A read of what was rolled back.
    G1a,
    /// A read of what its writer has overwritten.
    G1b,
    /// A circle of writes and reads of them.
    G1c,
    /// Two that read the same version and both overwrote it, or an append that is gone.
    LostUpdate,
    /// A circle with one read that came too early.
    GSingle,
    /// A circle with several of these: write skew and its like.
    G2,
    /// A read of something that was never the state of a list.
    Nonsense,
}

type Graph = BTreeMap<usize, BTreeSet<usize>>;

struct Edges {
    ww: Graph,
    wr: Graph,
    rw: Graph,
}

/// The anomalies of a history whose lists have ended as `last`.
pub fn anomalies(history: &[Transaction], last: &BTreeMap<Key, Vec<Value>>) -> BTreeSet<Anomaly> {
    let mut found = BTreeSet::new();
    let mut writer: BTreeMap<Value, (usize, Key)> = BTreeMap::new();
    for (number, transaction) in history.iter().enumerate() {
        for step in &transaction.steps {
            if let Step::Append(key, value) = step {
                writer.insert(*value, (number, *key));
            }
        }
    }
    for (number, transaction) in history.iter().enumerate().filter(|(_, t)| t.committed) {
        for step in &transaction.steps {
            match step {
                Step::Append(key, value) => {
                    let there = last.get(key).into_iter().flatten().filter(|v| *v == value);
                    if there.count() != 1 {
                        found.insert(Anomaly::LostUpdate);
                    }
                }
                Step::Read(key, values) => {
                    check_read(history, &writer, number, (*key, values), &mut found);
                }
            }
        }
    }
    let aborted = |value: &Value| writer.get(value).is_none_or(|(n, _)| !history[*n].committed);
    if last.values().flatten().any(aborted) {
        found.insert(Anomaly::G1a);
    }
    let edges = edges(history, &writer, last, &mut found);
    if has_circle(&edges.ww) {
        found.insert(Anomaly::G0);
    }
    let certain = join(&edges.ww, &edges.wr);
    if has_circle(&certain) {
        found.insert(Anomaly::G1c);
    }
    for (from, tos) in &edges.rw {
        for to in tos {
            if reaches(&certain, *to, *from) {
                found.insert(Anomaly::GSingle);
                if edges.ww.get(to).is_some_and(|next| next.contains(from)) {
                    found.insert(Anomaly::LostUpdate);
                }
            }
        }
    }
    if has_circle(&join(&certain, &edges.rw)) && !has_circle(&certain) {
        found.insert(Anomaly::G2);
    }
    found
}

/// What a read shows by itself: values of aborted ones, and of the middle of others.
fn check_read(
    history: &[Transaction],
    writer: &BTreeMap<Value, (usize, Key)>,
    reader: usize,
    (key, values): (Key, &[Value]),
    found: &mut BTreeSet<Anomaly>,
) {
    for (at, value) in values.iter().enumerate() {
        match writer.get(value) {
            Some((by, on)) if *on == key => {
                if *by == reader {
                    continue;
                }
                if !history[*by].committed {
                    found.insert(Anomaly::G1a);
                }
                let its = history[*by].steps.iter().rev().find_map(|step| match step {
                    Step::Append(k, v) if *k == key => Some(*v),
                    _ => None,
                });
                let more = values[at + 1..].iter().any(|v| Some(*v) == its);
                if its != Some(*value) && !more {
                    found.insert(Anomaly::G1b);
                }
            }
            _ => {
                found.insert(Anomaly::Nonsense);
            }
        }
    }
}

fn edges(
    history: &[Transaction],
    writer: &BTreeMap<Value, (usize, Key)>,
    last: &BTreeMap<Key, Vec<Value>>,
    found: &mut BTreeSet<Anomaly>,
) -> Edges {
    let mut edges = Edges { ww: Graph::new(), wr: Graph::new(), rw: Graph::new() };
    let edge = |graph: &mut Graph, from: usize, to: usize| {
        if from != to {
            graph.entry(from).or_default().insert(to);
        }
    };
    let by = |value: &Value| writer.get(value).map(|(number, _)| *number);
    for list in last.values() {
        for pair in list.windows(2) {
            if let (Some(a), Some(b)) = (by(&pair[0]), by(&pair[1])) {
                edge(&mut edges.ww, a, b);
            }
        }
    }
    for (number, transaction) in history.iter().enumerate().filter(|(_, t)| t.committed) {
        for step in &transaction.steps {
            let Step::Read(key, values) = step else { continue };
            // What it has appended itself says nothing about others.
            let own = values.iter().rev().take_while(|value| by(value) == Some(number)).count();
            let seen = &values[..values.len() - own];
            let list = last.get(key).map_or(&[][..], |list| list);
            if list.get(..seen.len()) != Some(seen) {
                found.insert(Anomaly::Nonsense);
                continue;
            }
            if let Some(from) = seen.last().and_then(by) {
                edge(&mut edges.wr, from, number);
            }
            let mut later = list[seen.len()..].iter().filter_map(by);
            if let Some(next) = later.find(|next| *next != number || own == 0) {
                edge(&mut edges.rw, number, next);
            }
        }
    }
    edges
}

fn join(a: &Graph, b: &Graph) -> Graph {
    let mut all = a.clone();
    for (from, tos) in b {
        all.entry(*from).or_default().extend(tos);
    }
    all
}

fn reaches(graph: &Graph, from: usize, to: usize) -> bool {
    let (mut seen, mut next) = (BTreeSet::from([from]), vec![from]);
    while let Some(at) = next.pop() {
        if at == to {
            return true;
        }
        next.extend(graph.get(&at).into_iter().flatten().filter(|n| seen.insert(**n)));
    }
    false
}

/// Whether something is left when all whom nobody comes before are taken away again and again.
fn has_circle(graph: &Graph) -> bool {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    for (from, tos) in graph {
        before.entry(*from).or_default();
        tos.iter().for_each(|to| *before.entry(*to).or_default() += 1);
    }
    let mut free: Vec<usize> = before.iter().filter(|(_, n)| **n == 0).map(|(id, _)| *id).collect();
    let mut left = before.len();
    while let Some(id) = free.pop() {
        left -= 1;
        for to in graph.get(&id).into_iter().flatten() {
            if let Some(count) = before.get_mut(to) {
                *count -= 1;
                if *count == 0 {
                    free.push(*to);
                }
            }
        }
    }
    left > 0
}

#[cfg(test)]
mod tests {
    use super::Step::{Append, Read};
    use super::*;

    fn done(steps: &[Step]) -> Transaction {
        Transaction { steps: steps.to_vec(), committed: true }
    }

    fn check(history: &[Transaction], last: &[(Key, &[Value])], expected: &[Anomaly]) {
        let last = last.iter().map(|(key, list)| (*key, list.to_vec())).collect();
        let found: Vec<Anomaly> = anomalies(history, &last).into_iter().collect();
        assert_eq!(found, expected, "{history:?}");
    }

    #[test]
    fn each_anomaly_is_found_by_its_name() {
        let one_by_one = [
            done(&[Append(1, 1), Append(2, 2), Read(1, vec![1])]),
            done(&[Read(1, vec![1]), Append(1, 3), Append(1, 4), Read(1, vec![1, 3, 4])]),
        ];
        check(&one_by_one, &[(1, &[1, 3, 4]), (2, &[2])], &[]);
        let writes = [done(&[Append(1, 1), Append(2, 2)]), done(&[Append(1, 3), Append(2, 4)])];
        check(&writes, &[(1, &[1, 3]), (2, &[4, 2])], &[Anomaly::G0, Anomaly::G1c]);
        let mut aborted = done(&[Append(1, 1)]);
        aborted.committed = false;
        check(
            &[aborted, done(&[Read(1, vec![1])])],
            &[(1, &[])],
            &[Anomaly::G1a, Anomaly::Nonsense],
        );
        let middle = [done(&[Append(1, 1), Append(1, 2)]), done(&[Read(1, vec![1])])];
        check(&middle, &[(1, &[1, 2])], &[Anomaly::G1b, Anomaly::GSingle, Anomaly::G2]);
        let reads =
            [done(&[Append(1, 1), Read(2, vec![2])]), done(&[Append(2, 2), Read(1, vec![1])])];
        check(&reads, &[(1, &[1]), (2, &[2])], &[Anomaly::G1c]);
        let lost = [done(&[Read(1, vec![]), Append(1, 1)]), done(&[Read(1, vec![]), Append(1, 2)])];
        check(&lost, &[(1, &[1, 2])], &[Anomaly::LostUpdate, Anomaly::GSingle, Anomaly::G2]);
        check(&lost[..1], &[(1, &[])], &[Anomaly::LostUpdate]);
        let skew = [done(&[Read(1, vec![]), Append(2, 2)]), done(&[Read(2, vec![]), Append(1, 1)])];
        check(&skew, &[(1, &[1]), (2, &[2])], &[Anomaly::G2]);
        let fork = [
            done(&[Append(1, 1)]),
            done(&[Append(2, 2)]),
            done(&[Read(1, vec![1]), Read(2, vec![])]),
            done(&[Read(1, vec![]), Read(2, vec![2])]),
        ];
        check(&fork, &[(1, &[1]), (2, &[2])], &[Anomaly::G2]);
    }
}
