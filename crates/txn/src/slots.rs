//! The registered snapshots: a slot each, found by scanning.
//!
//! A slot is written by its owner only. Its `version` is odd-even coded in the low two bits
//! (free, registering, active) and grows with each change, so that a scanner notices a slot that
//! changed while it was read. Slots come from sharded free lists: registering touches one list of
//! the calling thread and its own slot, nothing shared by all.

use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, Mutex, Ordering, fence};
use base::{Csn, SessionId, Xid};
use std::sync::OnceLock;

const CHUNK: usize = 64;
const CHUNKS_MAX: usize = 4096;
const FREE_LISTS: usize = 16;

const FREE: u64 = 0;
const REGISTERING: u64 = 1;
const ACTIVE: u64 = 2;
const STATE: u64 = 3;

/// What a snapshot sees: commits up to `csn`. Stamps below `xmin` are visible, stamps at or above
/// `xmax` are not, the XID map decides between them (storage rule 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotData {
    /// The last commit that is seen.
    pub csn: Csn,
    /// Every XID below it is committed, durable and visible.
    pub xmin: Xid,
    /// No XID at or above it is visible.
    pub xmax: Xid,
}

#[repr(align(64))]
struct Slot {
    version: AtomicU64,
    csn: AtomicU64,
    xmin: AtomicU64,
    xmax: AtomicU64,
    /// The session whose it is; 0: none.
    holder: AtomicU32,
}

impl Slot {
    fn new() -> Slot {
        Slot {
            version: AtomicU64::new(FREE),
            csn: AtomicU64::new(0),
            xmin: AtomicU64::new(0),
            xmax: AtomicU64::new(0),
            holder: AtomicU32::new(0),
        }
    }
}

/// One look at all slots.
#[derive(Default)]
pub(crate) struct Scan {
    /// The active snapshots.
    pub(crate) active: Vec<SnapshotData>,
    /// Whether a slot was being registered: what it will hold is not known.
    pub(crate) registering: bool,
}

/// Which ended XIDs the registered snapshots need to know of: what each sees, in the order in
/// which a question is answered, with the largest xmax so far.
pub(crate) struct Needed {
    by_csn: Vec<(u64, u64)>,
    by_xmin: Vec<(u64, u64)>,
}

impl Scan {
    /// What the snapshots that were found need.
    pub(crate) fn needed(&self) -> Needed {
        let sorted = |key: fn(&SnapshotData) -> u64| {
            let mut all: Vec<_> = self.active.iter().map(|s| (key(s), s.xmax.0)).collect();
            all.sort_unstable();
            let mut xmax = 0;
            for entry in &mut all {
                xmax = xmax.max(entry.1);
                entry.1 = xmax;
            }
            all
        };
        Needed { by_csn: sorted(|s| s.csn.0), by_xmin: sorted(|s| s.xmin.0) }
    }
}

impl Needed {
    /// Whether some snapshot must find `xid` in the map, to know that it does not see it. CSN 0
    /// stands for an aborted one.
    pub(crate) fn in_map(&self, xid: Xid, csn: Csn) -> bool {
        // A snapshot that is older than the commit found the XID running, or not yet drawn: its
        // xmin is not above it.
        let (list, end) = match csn {
            Csn::INVALID => (&self.by_xmin, self.by_xmin.partition_point(|s| s.0 <= xid.0)),
            _ => (&self.by_csn, self.by_csn.partition_point(|s| s.0 < csn.0)),
        };
        end > 0 && xid.0 < list[end - 1].1
    }
}

/// Names a slot that its holder owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SlotNo(u32);

/// The slots that some threads may take; each list in memory of its own.
#[repr(align(64))]
struct FreeList(Mutex<Vec<u32>>);

/// The slots of all registered snapshots.
pub(crate) struct Slots {
    chunks: Box<[OnceLock<Box<[Slot]>>]>,
    used: AtomicUsize,
    grow: Mutex<()>,
    free: [FreeList; FREE_LISTS],
}

impl Slots {
    pub(crate) fn new() -> Slots {
        Slots {
            chunks: (0..CHUNKS_MAX).map(|_| OnceLock::new()).collect(),
            used: AtomicUsize::new(0),
            grow: Mutex::new(()),
            free: std::array::from_fn(|_| FreeList(Mutex::new(Vec::new()))),
        }
    }

    /// How many slots a scan looks at.
    pub(crate) fn len(&self) -> usize {
        self.used.load(Ordering::Relaxed) * CHUNK
    }

    fn slot(&self, no: SlotNo) -> &Slot {
        let chunk = self.chunks[no.0 as usize / CHUNK].get().expect("a slot number that was given");
        &chunk[no.0 as usize % CHUNK]
    }

    /// A slot that nobody else has, marked as registering. Whoever scans the slots from here on
    /// sees that, or else the caller sees all that was published before the scan.
    pub(crate) fn take(&self, hint: usize) -> SlotNo {
        let no = self.take_free(hint % FREE_LISTS);
        let slot = self.slot(no);
        let version = slot.version.load(Ordering::Relaxed);
        debug_assert_eq!(version & STATE, FREE);
        slot.version.store((version & !STATE) + 4 + REGISTERING, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        no
    }

    fn take_free(&self, list: usize) -> SlotNo {
        if let Some(no) = self.free[list].0.lock().pop() {
            return SlotNo(no);
        }
        let grow = self.grow.lock();
        let used = self.used.load(Ordering::Relaxed);
        if used == CHUNKS_MAX {
            drop(grow);
            return self.steal();
        }
        self.chunks[used].get_or_init(|| (0..CHUNK).map(|_| Slot::new()).collect());
        self.used.store(used + 1, Ordering::SeqCst);
        drop(grow);
        let first = (used * CHUNK) as u32;
        self.free[list].0.lock().extend(first + 1..first + CHUNK as u32);
        SlotNo(first)
    }

    fn steal(&self) -> SlotNo {
        let found = self.free.iter().find_map(|list| list.0.lock().pop());
        SlotNo(found.expect("fewer than 262,144 snapshots at a time"))
    }

    /// Publishes what the slot's snapshot sees.
    pub(crate) fn activate(&self, no: SlotNo, data: SnapshotData, holder: SessionId) {
        let slot = self.slot(no);
        slot.holder.store(holder.0, Ordering::Relaxed);
        slot.csn.store(data.csn.0, Ordering::Relaxed);
        slot.xmin.store(data.xmin.0, Ordering::Relaxed);
        slot.xmax.store(data.xmax.0, Ordering::Relaxed);
        let version = slot.version.load(Ordering::Relaxed);
        slot.version.store((version & !STATE) + ACTIVE, Ordering::Release);
    }

    /// Gives the slot back.
    pub(crate) fn release(&self, no: SlotNo, hint: usize) {
        let slot = self.slot(no);
        let version = slot.version.load(Ordering::Relaxed);
        slot.version.store(version & !STATE, Ordering::Release);
        self.free[hint % FREE_LISTS].0.lock().push(no.0);
    }

    /// The snapshots of sessions, as far as none is just being registered.
    pub(crate) fn held(&self) -> Vec<(SessionId, SnapshotData)> {
        let used = self.used.load(Ordering::SeqCst);
        let slots = self.chunks[..used].iter().flat_map(|chunk| chunk.get().into_iter().flatten());
        let held = |slot: &Slot| {
            let mut scan = Scan::default();
            let holder = slot.holder.load(Ordering::Relaxed);
            read_slot(slot, &mut scan);
            let data = scan.active.pop().filter(|_| holder != 0)?;
            Some((SessionId(holder), data))
        };
        slots.filter_map(held).collect()
    }

    /// Looks at every slot. The caller has published what it wants registering snapshots to see.
    pub(crate) fn scan(&self) -> Scan {
        fence(Ordering::SeqCst);
        let mut scan = Scan::default();
        let used = self.used.load(Ordering::SeqCst);
        for chunk in &self.chunks[..used] {
            for slot in chunk.get().into_iter().flatten() {
                read_slot(slot, &mut scan);
            }
        }
        scan
    }
}

fn read_slot(slot: &Slot, scan: &mut Scan) {
    let version = slot.version.load(Ordering::SeqCst);
    match version & STATE {
        FREE => {}
        ACTIVE => {
            let data = SnapshotData {
                csn: Csn(slot.csn.load(Ordering::Acquire)),
                xmin: Xid(slot.xmin.load(Ordering::Acquire)),
                xmax: Xid(slot.xmax.load(Ordering::Acquire)),
            };
            // A slot that changed meanwhile is taken as registering: what it held when it was
            // looked at first is not known.
            if slot.version.load(Ordering::SeqCst) == version {
                scan.active.push(data);
            } else {
                scan.registering = true;
            }
        }
        _ => scan.registering = true,
    }
}
