//! What remains of committed transactions that are not kept apart any more.

use super::{NEVER, Number};
use base::Xid;
use std::collections::BTreeMap;

/// The XIDs that are remembered one by one; older ones become a range.
const ONE_BY_ONE: usize = 1 << 20;

#[derive(Clone, Copy)]
struct Old {
    /// When the earliest that it had a conflict out to had committed.
    earliest_out: Number,
    committed: Number,
}

/// The transactions that are summed up, by XID. Bounded: those beyond the first million are taken
/// for one range of serializable transactions, the worst of which each of them may have been.
#[derive(Default)]
pub(super) struct Summary {
    each: BTreeMap<u64, Old>,
    /// First and last XID of the range.
    range: Option<(u64, u64, Old)>,
    /// The horizon of the last release.
    released: Number,
}

impl Summary {
    pub(super) fn len(&self) -> usize {
        self.each.len()
    }

    pub(super) fn add(&mut self, xid: Xid, earliest_out: Number, committed: Number) {
        self.each.insert(xid.0, Old { earliest_out, committed });
        while self.each.len() > ONE_BY_ONE {
            let Some((xid, old)) = self.each.pop_first() else { return };
            let (first, last, worst) = self.range.unwrap_or((xid, xid, old));
            let worst = Old {
                earliest_out: worst.earliest_out.min(old.earliest_out),
                committed: worst.committed.max(old.committed),
            };
            self.range = Some((first.min(xid), last.max(xid), worst));
        }
    }

    /// When the earliest that `xid` had a conflict out to had committed; [`NEVER`] without one;
    /// nothing when it is not known to have been serializable.
    pub(super) fn earliest_out(&self, xid: Xid) -> Option<Number> {
        if let Some(old) = self.each.get(&xid.0) {
            return Some(old.earliest_out);
        }
        let (first, last, worst) = self.range?;
        (first <= xid.0 && xid.0 <= last).then_some(worst.earliest_out)
    }

    /// Forgets those that everybody who runs sees.
    pub(super) fn release(&mut self, horizon: Number) {
        if self.each.is_empty() && self.range.is_none() {
            return;
        }
        if horizon == NEVER {
            *self = Summary::default();
            return;
        }
        if horizon == self.released {
            return;
        }
        self.released = horizon;
        self.each.retain(|_, old| old.committed > horizon);
        self.range = self.range.filter(|(_, _, worst)| worst.committed > horizon);
    }
}
