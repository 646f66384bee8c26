//! The page table: which frame has which page; finding, loading, pinning.

use crate::files::{Files, TreeFile};
use crate::frames::{FrameId, Frames, bits, class_bytes, class_of};
use crate::guard::Pin;
use crate::guess::Guesses;
use crate::page;
use crate::resource::{Managers, ResourceManager};
use crate::space::Epochs;
use crate::wake::Sleepers;
use base::{FileId, PageNo, Result, Xid, bail};
use hashbrown::HashMap;
use memory::{Charge, SharedAccount};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use wal::Wal;

const SHARDS: usize = 128;
/// What is charged to the ledger at once.
const CHARGE_BYTES: u64 = 1 << 20;
/// The frames that a pool has however full the ledger is: enough for what is pinned at one time, so
/// that who needs a page finds one to evict.
const RESERVE_BYTES: u64 = 4 << 20;

type Key = (FileId, PageNo);

/// What a pool is made of.
pub struct PoolConfig {
    /// `shared_buffers` in bytes: the most bytes of pages in memory.
    pub bytes: u64,
    /// Whether to ask for huge pages: a random page is then found without a walk through page tables.
    pub huge_pages: bool,
    /// The most files that are open at once.
    pub open_files_max: usize,
    /// The ledger account that frames are charged to when first used.
    pub account: Option<SharedAccount>,
    /// Who applies the changes of which records.
    pub managers: Vec<ResourceManager>,
}

/// The buffer pool: the only reader and writer of data pages.
pub struct Pool {
    pub(crate) frames: Frames,
    pub(crate) wal: Arc<Wal>,
    pub(crate) files: Files,
    pub(crate) managers: Managers,
    pub(crate) epochs: Epochs,
    pub(crate) sleepers: Sleepers,
    pub(crate) budget: Budget,
    pub(crate) clock: Mutex<crate::evict::Clock>,
    shards: Box<[Mutex<Shard>]>,
    pub(crate) guesses: Guesses,
    pub(crate) counts: Counts,
    /// Whether the ledger has asked for memory since a writer last made room.
    pub(crate) pressed: AtomicBool,
}

/// A part of the page table: pages and the frames that have them.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct Shard {
    pub(crate) frames: HashMap<Key, FrameId>,
    /// Pages that were found here.
    hits: u64,
}

/// What happened so far.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) reads: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) evictions: AtomicU64,
}

/// Figures of the pool since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStats {
    /// Pages that were found in memory.
    pub hits: u64,
    /// Pages read from disk.
    pub reads: u64,
    /// Pages written to disk.
    pub writes: u64,
    /// Pages that had to leave.
    pub evictions: u64,
    /// The bytes of pages in memory.
    pub resident_bytes: u64,
}

/// What a pool leaves to statements when it grows. Pages that it would have had memory for otherwise
/// are read again; a statement that finds none left ends.
fn spare_bytes(account: &SharedAccount) -> u64 {
    (account.server_limit() / 32).clamp(512 << 10, 64 << 20)
}

/// How many bytes of frames may be resident.
pub(crate) struct Budget {
    pub(crate) limit: u64,
    resident: AtomicU64,
    account: Option<SharedAccount>,
    charged: Mutex<Option<Charge>>,
}

impl Budget {
    /// Accounts for one more frame; false when the pool is as large as it may be.
    pub(crate) fn grow(&self, bytes: u64) -> bool {
        let grown = self.resident.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| {
            (now + bytes <= self.limit).then_some(now + bytes)
        });
        if grown.is_ok() && !self.charge() {
            self.shrink(bytes);
            return false;
        }
        grown.is_ok()
    }

    /// Whether statements have less than the pool leaves to them.
    pub(crate) fn is_short(&self) -> bool {
        let Some(account) = &self.account else { return false };
        self.resident() > self.reserve() && !account.server_has(spare_bytes(account))
    }

    pub(crate) fn shrink(&self, bytes: u64) {
        self.resident.fetch_sub(bytes, Ordering::AcqRel);
    }

    pub(crate) fn resident(&self) -> u64 {
        self.resident.load(Ordering::Acquire)
    }

    /// What is never given back.
    pub(crate) fn reserve(&self) -> u64 {
        self.limit.min(RESERVE_BYTES)
    }

    fn charge(&self) -> bool {
        let Some(account) = &self.account else { return true };
        let mut charged = self.charged.lock();
        let charge = charged.get_or_insert_with(|| {
            let mut charge = account.nothing();
            charge.note(self.reserve());
            charge
        });
        let goal = self.resident().next_multiple_of(CHARGE_BYTES).min(self.limit);
        let more = goal.saturating_sub(charge.bytes());
        if more > 0 && !account.server_has(more + spare_bytes(account)) {
            return false;
        }
        charge.bytes() >= goal || charge.resize(goal, "shared buffers").is_ok()
    }

    /// Gives back to the ledger what is not resident any more.
    pub(crate) fn settle(&self) {
        if let Some(charge) = &mut *self.charged.lock() {
            let goal = self.resident().next_multiple_of(CHARGE_BYTES).max(self.reserve());
            if goal < charge.bytes() {
                // Shrinking a charge cannot fail.
                drop(charge.resize(goal, "shared buffers"));
            }
        }
    }
}

/// Spreads pages; the upper bits are the best ones.
pub(crate) fn hash(key: Key) -> u64 {
    (key.0.0 ^ key.1.0.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Pool {
    /// A pool over the files of the log's disk.
    ///
    /// # Errors
    /// 53200 when the addresses cannot be reserved.
    pub fn new(wal: Arc<Wal>, config: PoolConfig) -> Result<Arc<Pool>> {
        let disk = wal.disk().clone();
        disk.create_dir(crate::files::BASE_DIR)?;
        Ok(Arc::new(Pool {
            frames: Frames::new(config.bytes, config.huge_pages)?,
            files: Files::new(disk, wal.clone(), config.open_files_max),
            managers: Managers::new(&config.managers),
            epochs: Epochs::new(),
            sleepers: Sleepers::default(),
            budget: Budget {
                limit: config.bytes,
                resident: AtomicU64::new(0),
                account: config.account,
                charged: Mutex::new(None),
            },
            clock: Mutex::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            pressed: AtomicBool::new(false),
            guesses: Guesses::new(config.bytes),
            counts: Counts::default(),
            wal,
        }))
    }

    /// The log.
    pub fn wal(&self) -> &Arc<Wal> {
        &self.wal
    }

    /// The registry of files.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The manager with that number, for descriptions.
    pub fn manager(&self, id: u8) -> Result<&ResourceManager> {
        self.managers.get(id)
    }

    /// What happened so far.
    pub fn stats(&self) -> PoolStats {
        PoolStats {
            hits: self.shards.iter().map(|shard| shard.lock().hits).sum::<u64>()
                + self.guesses.hits(),
            reads: self.counts.reads.load(Ordering::Relaxed),
            writes: self.counts.writes.load(Ordering::Relaxed),
            evictions: self.counts.evictions.load(Ordering::Relaxed),
            resident_bytes: self.budget.resident(),
        }
    }

    pub(crate) fn shard(&self, key: Key) -> &Mutex<Shard> {
        &self.shards[(hash(key) >> 32) as usize % SHARDS]
    }

    /// Pins a page by the page table.
    pub(crate) fn pin_found<'p>(
        &'p self,
        file: &'p Arc<TreeFile>,
        page: PageNo,
    ) -> Result<Pin<'p>> {
        self.find(file, page, Fill::Read)
    }

    /// Pins a page that redo writes anew whatever is on disk: zeros unless it is in memory already.
    pub(crate) fn pin_new<'p>(&'p self, file: &'p Arc<TreeFile>, page: PageNo) -> Result<Pin<'p>> {
        self.find(file, page, Fill::Zeros)
    }

    /// Pins a page behind the last one that counts, to be allocated. Another may have done that
    /// already, and the page may have left memory since: what is on disk then counts, as it does for
    /// [`Pool::pin`]. What no allocation has written is zeros.
    pub(crate) fn pin_unused<'p>(
        &'p self,
        file: &'p Arc<TreeFile>,
        page: PageNo,
    ) -> Result<Pin<'p>> {
        self.find(file, page, Fill::Unused)
    }

    fn find<'p>(&'p self, file: &'p Arc<TreeFile>, page: PageNo, fill: Fill) -> Result<Pin<'p>> {
        debug_assert_eq!(base::wait::latches_held(), 0, "contract 12: pin before latching");
        let key = (file.id(), page);
        loop {
            if let Some(pin) = self.find_resident(file, page)? {
                return Ok(pin);
            }
            let id = self.take_frame(class_of(file.page_bytes()))?;
            let frame = self.frames.frame(id);
            {
                let mut shard = self.shard(key).lock();
                if shard.frames.contains_key(&key) {
                    drop(shard);
                    self.give_frame(id);
                    continue;
                }
                frame.file.store(key.0.0, Ordering::Relaxed);
                frame.page.store(key.1.0, Ordering::Relaxed);
                frame.rec_lsn.store(0, Ordering::Relaxed);
                frame.writing_lsn.store(0, Ordering::Relaxed);
                frame.state.store(bits::LOADING, Ordering::SeqCst);
                frame.pins.fetch_add(1, Ordering::SeqCst);
                shard.frames.insert(key, id);
            }
            let pin = Pin { pool: self, file, page, id };
            return match self.fill(&pin, fill) {
                Ok(()) => {
                    frame.set(bits::VALID | bits::REFERENCED);
                    frame.clear(bits::LOADING);
                    self.sleepers.wake(id);
                    Ok(pin)
                }
                Err(error) => {
                    self.shard(key).lock().frames.remove(&key);
                    frame.set(bits::DEAD);
                    frame.clear(bits::LOADING);
                    self.sleepers.wake(id);
                    Err(error)
                }
            };
        }
    }

    fn find_resident<'p>(
        &'p self,
        file: &'p Arc<TreeFile>,
        page: PageNo,
    ) -> Result<Option<Pin<'p>>> {
        let key = (file.id(), page);
        let id = {
            let mut shard = self.shard(key).lock();
            let Some(id) = shard.frames.get(&key).copied() else { return Ok(None) };
            shard.hits += 1;
            self.frames.frame(id).pins.fetch_add(1, Ordering::SeqCst);
            id
        };
        let pin = Pin { pool: self, file, page, id };
        let frame = self.frames.frame(id);
        if !frame.has(bits::VALID) {
            self.sleepers.wait(id, || !frame.has(bits::LOADING));
            if !frame.has(bits::VALID) {
                // Whoever read it failed; this caller reads again and reports its own error.
                return Ok(None);
            }
        }
        if !frame.has(bits::REFERENCED) {
            frame.set(bits::REFERENCED);
        }
        Ok(Some(pin))
    }

    #[expect(unsafe_code, reason = "fills a frame that nobody else may look at yet")]
    fn fill(&self, pin: &Pin<'_>, fill: Fill) -> Result<()> {
        // SAFETY: LOADING and not VALID: we alone touch the bytes of this frame.
        let bytes = unsafe { &mut *self.frames.bytes(pin.id) };
        match fill {
            Fill::Zeros => {
                bytes.fill(0);
                Ok(())
            }
            Fill::Read | Fill::Unused => {
                self.counts.reads.fetch_add(1, Ordering::Relaxed);
                pin.file.read_page(pin.page, bytes)?;
                match page::check(bytes, pin.file.id(), pin.page, pin.file.path()) {
                    // Nobody has written it since a crash.
                    Err(_) if fill == Fill::Unused => bytes.fill(0),
                    // The file was cut while it was read.
                    Err(_) if pin.file.ends_before(pin.page)? => bytes.fill(0),
                    checked => checked?,
                }
                Ok(())
            }
        }
    }

    pub(crate) fn unpin(&self, id: FrameId) {
        let frame = self.frames.frame(id);
        let dead = frame.has(bits::DEAD);
        let last = frame.pins.fetch_sub(1, Ordering::SeqCst) == 1;
        if last && (dead || frame.has(bits::DEAD)) {
            self.free_dead(id);
        }
    }

    /// Frees a frame that is out of the page table and not pinned; whoever clears the bit does it.
    fn free_dead(&self, id: FrameId) {
        let frame = self.frames.frame(id);
        // In one step: a guess must not find it valid on the way.
        let dead = |state| (state & bits::DEAD != 0).then_some(0);
        if frame.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, dead).is_ok() {
            self.frames.put_warm(id);
        }
    }

    pub(crate) fn give_frame(&self, id: FrameId) {
        let frame = self.frames.frame(id);
        frame.state.store(0, Ordering::SeqCst);
        self.frames.put_warm(id);
    }

    /// Drops a file: its pages leave memory unwritten and the file is unlinked. Nobody uses it.
    pub fn drop_file(&self, id: FileId) -> Result<()> {
        let open = self.files.mark_dropped(id);
        self.forget_pages(id);
        self.epochs.forget(id);
        self.files.unlink_open(id, open.as_deref())
    }

    fn forget_pages(&self, file: FileId) {
        let mut dead = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.lock();
            let frames = &self.frames;
            shard.frames.retain(|key, id| {
                let frame = frames.frame(*id);
                if key.0 != file || frame.has(bits::LOADING) {
                    return true;
                }
                // Out of the table it can gain no pin; the last holder frees it.
                frame.pins.fetch_add(1, Ordering::SeqCst);
                // First, so that a write that fails meanwhile does not mark it again.
                frame.set(bits::DEAD);
                frame.clear(bits::DIRTY);
                frame.rec_lsn.store(0, Ordering::SeqCst);
                dead.push(*id);
                false
            });
        }
        for id in dead {
            self.unpin(id);
        }
    }

    /// The pages of a file from `first` on need not be written any more. They stay where they are:
    /// whoever has one pinned shares its frame with whoever writes it anew.
    pub(crate) fn disown_pages(&self, file: FileId, first: PageNo) {
        for shard in &self.shards {
            let shard = shard.lock();
            for (key, id) in &shard.frames {
                if key.0 == file && key.1 >= first {
                    let frame = self.frames.frame(*id);
                    frame.clear(bits::DIRTY);
                    frame.rec_lsn.store(0, Ordering::SeqCst);
                }
            }
        }
    }

    /// Drops the files of a committed transaction that [`Files::plan_unlinks`] noted. Its commit
    /// record is durable.
    pub fn unlink_committed(&self, xid: Xid) -> Result<()> {
        for file in self.files.take_unlinks(xid) {
            self.drop_file(file)?;
        }
        self.files.unlinks_done(xid);
        Ok(())
    }

    /// Undoes the creation of a file: logs its removal, flushes that, and drops it.
    pub fn undo_create(&self, xid: Xid, body: &[u8], undo_next: base::Lsn) -> Result<()> {
        let (file, _) = crate::files::decode_create(body)?;
        self.files.log_remove(file, xid, undo_next)?;
        self.drop_file(file)?;
        self.files.removed(file);
        Ok(())
    }

    /// A free frame of a class. May wait.
    fn take_frame(&self, class: usize) -> Result<FrameId> {
        let bytes = class_bytes(class) as u64;
        if bytes > self.budget.limit {
            bail!(OUT_OF_MEMORY, "a page of {bytes} bytes does not fit into shared buffers");
        }
        crate::evict::take_frame(self, class)
    }
}

/// What a frame is filled with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    Read,
    Unused,
    Zeros,
}
