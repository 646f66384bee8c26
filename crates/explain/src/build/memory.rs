//! What nodes held in memory and wrote to temporary files.

use super::Builder;
use crate::shown::{Shown, Value};
use execute::Method;
use plan::{Node, NodeKind};

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn number(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

impl Builder<'_, '_, '_> {
    /// Kilobytes in memory and on disk; nothing for a node that had no context.
    fn kilobytes(&self, node: &Node<'_>) -> Option<(u64, u64)> {
        let counters = self.counters(node)?;
        let kilobytes = |bytes: u64| bytes.div_ceil(1024);
        (counters.memory_bytes > 0)
            .then(|| (kilobytes(counters.memory_bytes), kilobytes(counters.spilled_bytes)))
    }

    fn method(&self, node: &Node<'_>) -> Method {
        self.counters(node).map(|counters| counters.method).unwrap_or_default()
    }

    /// EXPLAIN (ANALYZE, MEMORY): each node's peak and what it has spilled.
    pub(super) fn memory(&self, shown: &mut Shown, node: &Node<'_>) {
        if let NodeKind::CteScan(_) = node.kind {
            self.kept(shown, node);
        }
        if !self.options.memory {
            return;
        }
        if let Some((memory, disk)) = self.kilobytes(node) {
            shown.line(format!("Peak Memory: {memory}kB  Spilled: {disk}kB"));
            shown.structured("Peak Memory", number(memory));
            shown.structured("Spilled", number(disk));
        }
    }

    /// Of the table of a hash join.
    pub(super) fn hash_table(&self, shown: &mut Shown, node: &Node<'_>) {
        let Some((memory, _)) = self.kilobytes(node) else { return };
        let Method::Hash { buckets, batches } = self.method(node) else { return };
        shown.line(format!("Buckets: {buckets}  Batches: {batches}  Memory Usage: {memory}kB"));
        for (name, value) in [
            ("Hash Buckets", buckets),
            ("Original Hash Buckets", buckets),
            ("Hash Batches", batches),
            ("Original Hash Batches", batches),
            ("Peak Memory Usage", memory),
        ] {
            shown.structured(name, number(value));
        }
    }

    /// Of an aggregation by hashing.
    pub(super) fn hash_aggregate(&self, shown: &mut Shown, node: &Node<'_>) {
        let Some((memory, disk)) = self.kilobytes(node) else { return };
        let Method::Hash { batches, .. } = self.method(node) else { return };
        let on_disk = if disk > 0 { format!("  Disk Usage: {disk}kB") } else { String::new() };
        shown.line(format!("Batches: {batches}  Memory Usage: {memory}kB{on_disk}"));
        shown.structured("HashAgg Batches", number(batches));
        shown.structured("Peak Memory Usage", number(memory));
        shown.structured("Disk Usage", number(disk));
    }

    /// Of a sort.
    pub(super) fn sort_method(&self, shown: &mut Shown, node: &Node<'_>) {
        let Some((memory, disk)) = self.kilobytes(node) else { return };
        let (method, space, used) = match self.method(node) {
            Method::Merge => ("external merge", "Disk", disk),
            Method::TopN => ("top-N heapsort", "Memory", memory),
            _ => ("quicksort", "Memory", memory),
        };
        shown.line(format!("Sort Method: {method}  {space}: {used}kB"));
        shown.structured("Sort Method", text(method));
        shown.structured("Sort Space Used", number(used));
        shown.structured("Sort Space Type", text(space));
    }

    /// Of rows that are kept.
    pub(super) fn kept(&self, shown: &mut Shown, node: &Node<'_>) {
        let Some((memory, disk)) = self.kilobytes(node) else { return };
        let (storage, used) = if disk > 0 { ("Disk", disk) } else { ("Memory", memory) };
        shown.line(format!("Storage: {storage}  Maximum Storage: {used}kB"));
        shown.structured("Storage", text(storage));
        shown.structured("Maximum Storage", number(used));
    }
}
