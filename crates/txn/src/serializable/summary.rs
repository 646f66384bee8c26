//! What remains of committed transactions that are not kept apart any more.

use super::reads::ASKER;
use super::{NEVER, Number};
use base::Xid;
use memory::{Charge, SharedAccount};
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
/// for one range of serializable transactions, the worst of which each of them may have been; so are
/// those for which the ledger has no memory.
#[derive(Default)]
pub(super) struct Summary {
    each: BTreeMap<u64, Old>,
    /// First and last XID of the range.
    range: Option<(u64, u64, Old)>,
    /// The horizon of the last release.
    released: Number,
    charge: Option<Charge>,
}

/// The entries that are charged at a time, and about what one takes.
const CHARGE_STEP: usize = 256;
const ENTRY_BYTES: usize = 48;

impl Summary {
    pub(super) fn len(&self) -> usize {
        self.each.len()
    }

    /// Charges what is remembered one by one; says whether that was granted.
    fn settle(&mut self, account: Option<&SharedAccount>) -> bool {
        let Some(account) = account else { return true };
        let bytes = (self.each.len().next_multiple_of(CHARGE_STEP) * ENTRY_BYTES) as u64;
        match &mut self.charge {
            Some(charge) if charge.bytes() == bytes => true,
            Some(charge) => charge.resize(bytes, ASKER).is_ok(),
            None => {
                self.charge = account.charge(bytes, ASKER).ok();
                self.charge.is_some()
            }
        }
    }

    pub(super) fn add(
        &mut self,
        xid: Xid,
        earliest_out: Number,
        committed: Number,
        account: Option<&SharedAccount>,
    ) {
        self.each.insert(xid.0, Old { earliest_out, committed });
        while self.each.len() > ONE_BY_ONE || (!self.settle(account) && !self.each.is_empty()) {
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
        if let Some(charge) = &mut self.charge {
            let bytes = (self.each.len().next_multiple_of(CHARGE_STEP) * ENTRY_BYTES) as u64;
            // It only ever shrinks here.
            let _ = charge.resize(bytes.min(charge.bytes()), ASKER);
        }
        self.range = self.range.filter(|(_, _, worst)| worst.committed > horizon);
    }
}
