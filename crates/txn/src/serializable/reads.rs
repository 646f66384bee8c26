//! SIREAD locks: what serializable transactions have read.

use super::{Limits, NEVER, Number, Place};
use base::RowId;
use memory::{Charge, SharedAccount};
use std::collections::{BTreeMap, HashMap, HashSet};

/// How many row ids are a block: 2 to the power of it.
pub(super) const BLOCK_SHIFT: u32 = 6;

/// Who asks the ledger.
pub(super) const ASKER: &str = "predicate locks";

/// A range of an index that a scan has locked and may cut when it ends early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RangeNo(u64);

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// Keys from `from` on and below `to`; no `to`: all from there on.
pub(super) struct KeyRange {
    number: u64,
    from: Box<[u8]>,
    to: Option<Box<[u8]>>,
}

impl KeyRange {
    fn bytes(&self) -> usize {
        size_of::<KeyRange>() + self.from.len() + self.to.as_ref().map_or(0, |to| to.len())
    }

    fn has(&self, key: &[u8]) -> bool {
        *self.from <= *key && self.to.as_ref().is_none_or(|to| key < to)
    }
}

/// What one transaction has read of one relation or index.
#[derive(Default)]
pub(super) struct Reads {
    pub(super) whole: bool,
    pub(super) blocks: HashSet<u64, foldhash::fast::FixedState>,
    pub(super) rows: HashSet<u64, foldhash::fast::FixedState>,
    in_block: Map<u64, usize>,
    pub(super) ranges: Vec<KeyRange>,
    /// The table of an index.
    pub(super) table: Option<Place>,
    /// What it holds, as the ledger knows it.
    charge: Option<Charge>,
}

/// What is charged at a time: most new locks change nothing in the ledger.
const CHARGE_STEP: u64 = 512;
/// About what one number takes in a set, and its block's counter.
const NUMBER_BYTES: usize = 32;

impl Reads {
    fn lock_whole(&mut self) {
        let charge = self.charge.take();
        *self = Reads { whole: true, table: self.table, charge, ..Reads::default() };
    }

    /// About what it takes in memory.
    fn bytes(&self) -> u64 {
        let numbers = self.rows.capacity() + self.blocks.capacity() + self.in_block.capacity();
        let keys: usize = self.ranges.iter().map(KeyRange::bytes).sum();
        (size_of::<Reads>() + numbers * NUMBER_BYTES + keys) as u64
    }

    /// Charges what it takes now. Where that is refused, one lock on the whole takes the place of
    /// all.
    fn settle(&mut self, account: Option<&SharedAccount>) {
        let Some(account) = account else { return };
        if self.try_settle(account) {
            return;
        }
        if !self.whole {
            self.lock_whole();
        }
        // A lock on the whole is held in any case: without it a conflict would be missed.
        self.try_settle(account);
    }

    fn try_settle(&mut self, account: &SharedAccount) -> bool {
        let bytes = self.bytes().next_multiple_of(CHARGE_STEP);
        match &mut self.charge {
            Some(charge) if charge.bytes() == bytes => true,
            Some(charge) => charge.resize(bytes, ASKER).is_ok(),
            None => {
                self.charge = account.charge(bytes, ASKER).ok();
                self.charge.is_some()
            }
        }
    }

    fn has_row(&self, row: RowId) -> bool {
        self.whole || self.rows.contains(&row.0) || self.blocks.contains(&(row.0 >> BLOCK_SHIFT))
    }

    fn has_key(&self, key: &[u8]) -> bool {
        self.whole || self.ranges.iter().any(|range| range.has(key))
    }

    fn lock_row(&mut self, row: RowId, limits: &Limits) {
        let block = row.0 >> BLOCK_SHIFT;
        if self.whole || self.blocks.contains(&block) || !self.rows.insert(row.0) {
            return;
        }
        let count = self.in_block.entry(block).or_default();
        *count += 1;
        if *count > limits.within_block() {
            self.in_block.remove(&block);
            self.rows.retain(|row| row >> BLOCK_SHIFT != block);
            self.blocks.insert(block);
        }
        if self.rows.len() + self.blocks.len() > limits.within() {
            self.lock_whole();
        }
    }

    fn take_in(&mut self, other: Reads) {
        if self.whole || other.whole {
            self.lock_whole();
            return;
        }
        self.blocks.extend(other.blocks);
        self.rows.extend(other.rows);
        self.ranges.extend(other.ranges);
        self.table = self.table.or(other.table);
    }
}

/// What is read of one relation or index.
#[derive(Default)]
pub(super) struct Target {
    pub(super) readers: BTreeMap<u64, Reads>,
    /// Of those that are summed up, and when the last of them committed.
    pub(super) old: Option<(Reads, Number)>,
}

/// All SIREAD locks.
#[derive(Default)]
pub(super) struct Targets {
    pub(super) map: Map<Place, Target>,
    ranges: u64,
    /// What they are charged to.
    pub(super) account: Option<SharedAccount>,
}

/// Who has read what is written.
#[derive(Default)]
pub(super) struct Readers {
    pub(super) ids: Vec<u64>,
    /// When the last of those that are summed up committed.
    pub(super) old: Option<Number>,
}

impl Targets {
    /// Changes the locks of a reader at a place; says whether they are its first there.
    fn change(&mut self, id: u64, place: Place, change: impl FnOnce(&mut Reads)) -> bool {
        let readers = &mut self.map.entry(place).or_default().readers;
        let first = !readers.contains_key(&id);
        let reads = readers.entry(id).or_default();
        change(reads);
        reads.settle(self.account.as_ref());
        first
    }

    /// Locks the whole; says whether that is the reader's first lock there.
    pub(super) fn lock_whole(&mut self, id: u64, place: Place) -> bool {
        self.change(id, place, Reads::lock_whole)
    }

    pub(super) fn lock_row(&mut self, id: u64, place: Place, row: RowId, limits: &Limits) -> bool {
        self.change(id, place, |reads| reads.lock_row(row, limits))
    }

    pub(super) fn lock_range(
        &mut self,
        id: u64,
        (index, table): (Place, Place),
        (from, to): (&[u8], Option<&[u8]>),
        limits: &Limits,
    ) -> (bool, RangeNo) {
        self.ranges += 1;
        let number = self.ranges;
        let first = self.change(id, index, |reads| {
            reads.table = Some(table);
            let known = |r: &KeyRange| *r.from == *from && r.to.as_deref() == to;
            if !reads.whole && !reads.ranges.iter().any(known) {
                reads.ranges.push(KeyRange { number, from: from.into(), to: to.map(Into::into) });
                if reads.ranges.len() > limits.within() {
                    reads.lock_whole();
                }
            }
        });
        (first, RangeNo(number))
    }

    /// Cuts a range to what the scan has seen: from its lower end to `to`, or from `from` to its
    /// upper end.
    pub(super) fn cut_range(
        &mut self,
        id: u64,
        index: Place,
        RangeNo(number): RangeNo,
        from: Option<&[u8]>,
        to: Option<&[u8]>,
    ) {
        let reads = self.map.get_mut(&index).and_then(|target| target.readers.get_mut(&id));
        let Some(reads) = reads else { return };
        for range in reads.ranges.iter_mut().filter(|range| range.number == number) {
            if let Some(from) = from {
                range.from = from.into();
            }
            if let Some(to) = to {
                range.to = Some(to.into());
            }
        }
        reads.settle(self.account.as_ref());
    }

    fn readers_of(&self, place: Place, me: u64, reads_it: impl Fn(&Reads) -> bool) -> Readers {
        let Some(target) = self.map.get(&place) else { return Readers::default() };
        let others = target.readers.iter().filter(|(id, reads)| **id != me && reads_it(reads));
        let old = target.old.as_ref().filter(|(reads, _)| reads_it(reads));
        Readers { ids: others.map(|(id, _)| *id).collect(), old: old.map(|(_, last)| *last) }
    }

    /// Who has read a row; without a row: the whole.
    pub(super) fn readers_of_row(&self, place: Place, me: u64, row: Option<RowId>) -> Readers {
        self.readers_of(place, me, |reads| match row {
            Some(row) => reads.has_row(row),
            None => reads.whole,
        })
    }

    pub(super) fn readers_of_key(&self, place: Place, me: u64, key: &[u8]) -> Readers {
        self.readers_of(place, me, |reads| reads.has_key(key))
    }

    /// Who has read anything of a table or its indexes.
    pub(super) fn readers_of_all(&self, table: Place, me: u64) -> Readers {
        let mut all = self.readers_of(table, me, |_| true);
        for place in self.indexes_of(table) {
            let more = self.readers_of(place, me, |_| true);
            all.ids.extend(more.ids);
            all.old = all.old.max(more.old);
        }
        all.ids.sort_unstable();
        all.ids.dedup();
        all
    }

    fn indexes_of(&self, table: Place) -> Vec<Place> {
        let is_index = |reads: &Reads| reads.table == Some(table);
        let of_table = |target: &Target| {
            target.readers.values().any(is_index)
                || target.old.as_ref().is_some_and(|(reads, _)| is_index(reads))
        };
        self.map.iter().filter(|(_, target)| of_table(target)).map(|(place, _)| *place).collect()
    }

    /// The rows and indexes of a table may become others: all locks on them become locks on the
    /// whole table. Returns the readers whose first lock on the table that is.
    pub(super) fn promote(&mut self, table: Place) -> Vec<u64> {
        let mut fresh = Vec::new();
        if let Some(target) = self.map.get_mut(&table) {
            let old = target.old.as_mut().map(|(reads, _)| reads);
            for reads in target.readers.values_mut().chain(old) {
                reads.lock_whole();
                reads.settle(self.account.as_ref());
            }
        }
        for index in self.indexes_of(table) {
            let Some(target) = self.map.remove(&index) else { continue };
            for id in target.readers.into_keys() {
                if self.lock_whole(id, table) {
                    fresh.push(id);
                }
            }
            if let Some((_, last)) = target.old {
                self.add_old(table, Reads { whole: true, ..Reads::default() }, last);
            }
        }
        fresh
    }

    fn add_old(&mut self, place: Place, reads: Reads, committed: Number) {
        let old = &mut self.map.entry(place).or_default().old;
        let (known, last) = old.get_or_insert_with(|| (Reads::default(), committed));
        known.take_in(reads);
        known.settle(self.account.as_ref());
        *last = committed.max(*last);
    }

    /// Gives a reader's locks to those that are summed up.
    pub(super) fn sum_up(&mut self, id: u64, places: &[Place], committed: Number, limits: &Limits) {
        for place in places {
            let reads = self.map.get_mut(place).and_then(|target| target.readers.remove(&id));
            let Some(reads) = reads else { continue };
            self.add_old(*place, reads, committed);
            let old = self.map.get_mut(place).and_then(|target| target.old.as_mut());
            if let Some((reads, _)) = old
                && reads.rows.len() + reads.blocks.len() + reads.ranges.len() > limits.within()
            {
                reads.lock_whole();
                reads.settle(self.account.as_ref());
            }
        }
    }

    /// Ends a reader's locks.
    pub(super) fn release(&mut self, id: u64, places: &[Place]) {
        for place in places {
            let Some(target) = self.map.get_mut(place) else { continue };
            target.readers.remove(&id);
            if target.readers.is_empty() && target.old.is_none() {
                self.map.remove(place);
            }
        }
    }

    /// Ends the locks of those summed up whom everybody who runs sees.
    pub(super) fn release_summary(&mut self, horizon: Number) {
        self.map.retain(|_, target| {
            let past = |(_, last): &(Reads, Number)| horizon == NEVER || *last <= horizon;
            if target.old.as_ref().is_some_and(past) {
                target.old = None;
            }
            target.old.is_some() || !target.readers.is_empty()
        });
    }
}
