//! Pages of a tree: allocation, and reuse after older descents have ended.
//!
//! A freed page goes to the free list at once, durably. It is handed out again only when every
//! descent that was under way when it was freed has ended, because such a descent may still hold its
//! number (storage rule 5). Descents register with [`Pool::descend`]; the ages of freed pages are
//! kept in memory, because no descent survives a restart.

use crate::files::TreeFile;
use crate::guard::Pin;
use crate::meta::{MetaState, next_free};
use crate::pool::Pool;
use base::{FileId, PageNo, Result};
use hashbrown::HashMap;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use wal::Purpose;

const SHARDS: usize = 16;

/// Descents under way, and the ages of freed pages.
pub(crate) struct Epochs {
    now: AtomicU64,
    shards: [Mutex<Descents>; SHARDS],
    freed: Mutex<HashMap<(FileId, PageNo), u64>>,
}

/// The descents of some threads: epochs in rising order, and how many began in each. Each thread's
/// lie in memory of their own.
#[derive(Default)]
#[repr(align(64))]
struct Descents(Vec<(u64, u64)>);

impl Epochs {
    pub(crate) fn new() -> Epochs {
        Epochs {
            now: AtomicU64::new(1),
            shards: std::array::from_fn(|_| Mutex::default()),
            freed: Mutex::default(),
        }
    }

    fn oldest(&self) -> u64 {
        let first = |shard: &Mutex<Descents>| shard.lock().0.first().map(|(epoch, _)| *epoch);
        self.shards.iter().filter_map(first).min().unwrap_or(u64::MAX)
    }

    /// A page was freed, and nothing links to it any more.
    pub(crate) fn freed(&self, file: FileId, page: PageNo) {
        let epoch = self.now.fetch_add(1, Ordering::SeqCst);
        self.freed.lock().insert((file, page), epoch);
    }

    pub(crate) fn reusable(&self, file: FileId, page: PageNo) -> bool {
        let Some(epoch) = self.freed.lock().get(&(file, page)).copied() else { return true };
        self.oldest() > epoch
    }

    pub(crate) fn reused(&self, file: FileId, page: PageNo) {
        self.freed.lock().remove(&(file, page));
    }

    pub(crate) fn forget(&self, file: FileId) {
        self.freed.lock().retain(|(f, _), _| *f != file);
    }
}

/// A descent of some tree. While it lives, no page that is freed meanwhile is used for something
/// else.
pub struct Descent<'p> {
    epochs: &'p Epochs,
    shard: usize,
    epoch: u64,
}

impl Drop for Descent<'_> {
    fn drop(&mut self) {
        let shard = &mut self.epochs.shards[self.shard].lock().0;
        if let Some(at) = shard.iter().rposition(|(epoch, _)| *epoch == self.epoch) {
            shard[at].1 -= 1;
            if shard[at].1 == 0 {
                shard.remove(at);
            }
        }
    }
}

/// Pages that a change may allocate, pinned, and the state of the meta page on which that rests.
/// Nothing has happened yet; dropping it gives them up.
pub struct Reservation<'p> {
    pub(crate) expected: MetaState,
    pub(crate) after: MetaState,
    pages: Vec<Pin<'p>>,
    _reserving: Reserving<'p>,
}

/// Somebody is about to give a file new pages.
struct Reserving<'p>(&'p TreeFile);

impl<'p> Reserving<'p> {
    fn new(file: &'p TreeFile) -> Reserving<'p> {
        file.begin_reserving();
        Reserving(file)
    }
}

impl Drop for Reserving<'_> {
    fn drop(&mut self) {
        self.0.reserved();
    }
}

impl<'p> Reservation<'p> {
    /// The pages, in the order in which they were asked for.
    pub fn pages(&self) -> &[Pin<'p>] {
        &self.pages
    }
}

impl Pool {
    /// Begins a descent (see [`Descent`]); a cursor that remembers a page's number across a wait
    /// needs one, too. Cheap, never waits.
    pub fn descend(&self) -> Descent<'_> {
        thread_local! {
            static SHARD: usize = {
                static NEXT: AtomicUsize = AtomicUsize::new(0);
                NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
            };
        }
        let shard = SHARD.with(|shard| *shard);
        let descents = &mut self.epochs.shards[shard].lock().0;
        // Read under the shard's lock: whoever looks for the oldest descent after raising the
        // epoch either finds this one or it has read the raised epoch.
        let epoch = self.epochs.now.load(Ordering::SeqCst);
        match descents.last_mut() {
            Some((last, count)) if *last == epoch => *count += 1,
            // Under the lock epochs are read in rising order.
            _ => descents.push((epoch, 1)),
        }
        Descent { epochs: &self.epochs, shard, epoch }
    }

    /// The free page after a free one; 0 at the end of the list. May wait.
    ///
    /// # Errors
    /// XX001 when the page is not free.
    pub fn next_free(&self, file: &Arc<TreeFile>, page: PageNo) -> Result<PageNo> {
        let pin = self.pin(file, page)?;
        next_free(&pin.read()).ok_or_else(|| {
            let path = file.path();
            base::Error::corrupted(format!(
                "page {page} of file \"{path}\" is on the free list but not free"
            ))
        })
    }

    /// Finds `count` pages that a change of this tree may allocate, with space on disk, and pins
    /// them. May wait; holds no latch. [`crate::Change::allocate`] takes them, unless another
    /// allocation came first: then ask again.
    ///
    /// # Errors
    /// 53100 when the disk is full.
    pub fn reserve_pages<'p>(
        &'p self,
        file: &'p Arc<TreeFile>,
        count: usize,
    ) -> Result<Reservation<'p>> {
        self.reserve_pages_for(Purpose::Write, file, count)
    }

    /// [`Pool::reserve_pages`] for a purpose: rollback may use the last space on disk (storage
    /// rule 14).
    ///
    /// # Errors
    /// 53100 when the disk is full.
    pub fn reserve_pages_for<'p>(
        &'p self,
        purpose: Purpose,
        file: &'p Arc<TreeFile>,
        count: usize,
    ) -> Result<Reservation<'p>> {
        loop {
            let reserving = Reserving::new(file);
            let expected = MetaState::read(&self.pin(file, PageNo(0))?.read())?;
            let mut after = expected;
            after.version += 1;
            let mut pages = Vec::with_capacity(count);
            let mut stale = false;
            while pages.len() < count {
                let head = after.free_head;
                if head.0 != 0 && self.epochs.reusable(file.id(), head) {
                    let pin = self.pin(file, head)?;
                    let Some(next) = next_free(&pin.read()) else {
                        stale = true;
                        break;
                    };
                    after.free_head = next;
                    after.free_count -= 1;
                    pages.push(pin);
                } else {
                    self.files().grow(file, after.page_count + 1, purpose)?;
                    pages.push(self.pin_unused(file, PageNo(after.page_count))?);
                    after.page_count += 1;
                }
            }
            if !stale {
                return Ok(Reservation { expected, after, pages, _reserving: reserving });
            }
            // The list changed while we walked it: unless the meta page is still the same.
            let now = MetaState::read(&self.pin(file, PageNo(0))?.read())?;
            if now == expected {
                return Err(base::Error::corrupted(format!(
                    "page {} of file \"{}\" is on the free list but not free",
                    after.free_head,
                    file.path()
                )));
            }
        }
    }
}
