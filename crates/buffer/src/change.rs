//! The only way to change pages (contract 8).
#![expect(unsafe_code, reason = "writes to exclusively latched pages")]

use crate::files::TreeFile;
use crate::frames::bits;
use crate::guard::PageWrite;
use crate::meta::{MetaState, apply_free, apply_meta};
use crate::page::{self, HEADER_BYTES};
use crate::pool::Pool;
use crate::space::Reservation;
use base::{FileId, Lsn, PageNo, Result, Xid, err};
use std::ops::Range;
use std::sync::atomic::Ordering;
use wal::record::{BLOCK_REF_BYTES_MAX, BLOCKS_MAX, HEADER_BYTES as RECORD_HEADER, compress_image};
use wal::{Purpose, RecordBuilder, Room, block_flags};

/// One record and the pages that it changes, all or none.
///
/// ```text
/// let mut change = pool.change(rm::BTREE, op::INSERT, &[file.page_bytes()], payload)?;   // may wait
/// let leaf = pin.write();                                                                 // latch
/// change.transaction(xid, undo);
/// change.undo_body(&body);
/// change.block(&leaf, &delta);
/// let lsn = change.commit()?;                                                             // critical section
/// txn.push(version);                                                                      // still latched
/// drop(leaf);
/// ```
///
/// [`Change::commit`] marks the pages dirty, applies the deltas by the manager's function, appends
/// the record and sets the pages' LSNs. It fails only before it has changed anything; a panic within
/// aborts the process. The latches stay with the caller.
#[must_use]
pub struct Change<'p, 'a> {
    pool: &'p Pool,
    room: Option<Room<'p>>,
    manager: u8,
    op: u8,
    xid: Xid,
    undo: Lsn,
    compensation: bool,
    undo_body: Option<Vec<u8>>,
    data: Vec<u8>,
    deltas: Vec<u8>,
    blocks: Vec<Block<'a>>,
    meta: Option<Meta<'a>>,
    allocated: Vec<(FileId, PageNo)>,
    freed: Vec<(FileId, PageNo)>,
}

struct Block<'a> {
    page: &'a PageWrite<'a>,
    flags: u8,
    delta: Range<usize>,
}

struct Meta<'a> {
    page: &'a PageWrite<'a>,
    state: MetaState,
    init: bool,
    delta: Vec<u8>,
}

/// Aborts the process when it is dropped by a panic: pages and log would disagree.
struct Critical;

impl Drop for Critical {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

impl Pool {
    /// Begins a change of up to `pages.len()` pages of those sizes, whose deltas, undo body and
    /// data take up to `payload` bytes in all. Waits for WAL room; holds no latch.
    ///
    /// # Errors
    /// 53100 when the disk is full; those of writing pages that make room.
    pub fn change<'a>(
        &self,
        manager: u8,
        op: u8,
        pages: &[usize],
        payload: usize,
    ) -> Result<Change<'_, 'a>> {
        self.ease()?;
        self.change_for(Purpose::Write, manager, op, pages, payload)
    }

    /// [`Pool::change`] for a purpose: compensation records use [`Purpose::Undo`].
    pub fn change_for<'a>(
        &self,
        purpose: Purpose,
        manager: u8,
        op: u8,
        pages: &[usize],
        payload: usize,
    ) -> Result<Change<'_, 'a>> {
        assert!(pages.len() <= BLOCKS_MAX, "a record changes at most {BLOCKS_MAX} pages");
        let images: usize = pages.iter().map(|size| size + BLOCK_REF_BYTES_MAX).sum();
        // A meta change is at most six varints.
        let room = self.wal.ensure_room_for(RECORD_HEADER + 72 + images + payload, purpose)?;
        Ok(Change {
            pool: self,
            room: Some(room),
            manager,
            op,
            xid: Xid::INVALID,
            undo: Lsn::INVALID,
            compensation: false,
            undo_body: None,
            data: Vec::new(),
            deltas: Vec::new(),
            blocks: Vec::with_capacity(pages.len()),
            meta: None,
            allocated: Vec::new(),
            freed: Vec::new(),
        })
    }
}

impl<'a> Change<'_, 'a> {
    /// The transaction and its previous undoable record (see [`RecordBuilder::transaction`]).
    pub fn transaction(&mut self, xid: Xid, undo: Lsn) {
        self.xid = xid;
        self.undo = undo;
    }

    /// Makes it a compensation record; the LSN given to [`Change::transaction`] is then what to
    /// undo next.
    pub fn compensation(&mut self) {
        self.compensation = true;
    }

    /// Makes it undoable by `body` (contract 7).
    pub fn undo_body(&mut self, body: &[u8]) {
        self.undo_body = Some(body.to_vec());
    }

    /// Appends to the record's data.
    pub fn data(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
    }

    /// Adds a page whose old contents matter; returns the block's number.
    pub fn block(&mut self, page: &'a PageWrite<'_>, delta: &[u8]) -> usize {
        self.add(page, 0, delta)
    }

    /// Adds a page that the delta builds from nothing; returns the block's number.
    pub fn init(&mut self, page: &'a PageWrite<'_>, delta: &[u8]) -> usize {
        self.add(page, block_flags::INIT, delta)
    }

    fn add(&mut self, page: &'a PageWrite<'_>, flags: u8, delta: &[u8]) -> usize {
        debug_assert!(
            self.blocks.iter().all(|b| b.page.pin().id != page.pin().id),
            "a page is in a change once"
        );
        let start = self.deltas.len();
        self.deltas.extend_from_slice(delta);
        self.blocks.push(Block { page, flags, delta: start..self.deltas.len() });
        self.blocks.len() - 1
    }

    /// The state of the meta page as this change leaves it. The meta page's block comes after all
    /// others in the record.
    ///
    /// # Errors
    /// XX001 when the page is not a meta page.
    pub fn meta(&mut self, page: &'a PageWrite<'_>) -> Result<&mut MetaState> {
        if self.meta.is_none() {
            let state = MetaState::read(page)?;
            self.meta = Some(Meta { page, state, init: false, delta: Vec::new() });
        }
        match &mut self.meta {
            Some(meta) => Ok(&mut meta.state),
            None => unreachable!("it was just set"),
        }
    }

    /// Builds the meta page of a new tree. `delta` goes to the manager's apply function afterwards
    /// (with the number of the last block), unless it is empty.
    pub fn init_meta(&mut self, page: &'a PageWrite<'_>, state: MetaState, delta: &[u8]) {
        assert!(self.meta.is_none(), "the meta page is in a change once");
        self.meta = Some(Meta { page, state, init: true, delta: delta.to_vec() });
    }

    /// A delta of the meta page for the manager's apply function, besides what the pool changes.
    ///
    /// # Errors
    /// XX001 when the page is not a meta page.
    pub fn meta_delta(&mut self, page: &'a PageWrite<'_>, delta: &[u8]) -> Result<()> {
        self.meta(page)?;
        if let Some(meta) = &mut self.meta {
            meta.delta.extend_from_slice(delta);
        }
        Ok(())
    }

    /// Takes the reserved pages; the change must [`Change::init`] each of them. False when another
    /// allocation came first: unlatch everything, reserve again, start over.
    ///
    /// # Errors
    /// XX001 when `meta` is not a meta page.
    pub fn allocate(
        &mut self,
        meta: &'a PageWrite<'_>,
        reservation: &Reservation<'_>,
    ) -> Result<bool> {
        let state = self.meta(meta)?;
        if state.version != reservation.expected.version {
            return Ok(false);
        }
        state.page_count = reservation.after.page_count;
        state.free_head = reservation.after.free_head;
        state.free_count = reservation.after.free_count;
        state.version = reservation.after.version;
        let file = meta.pin().file.id();
        self.allocated.extend(reservation.pages().iter().map(|pin| (file, pin.page)));
        Ok(true)
    }

    /// Puts a page, to which nothing links after this change, on the free list. It is reused when
    /// all descents that are under way have ended.
    ///
    /// # Errors
    /// XX001 when `meta` is not a meta page.
    pub fn free(&mut self, meta: &'a PageWrite<'_>, page: &'a PageWrite<'_>) -> Result<()> {
        let number = page.pin().page;
        let state = self.meta(meta)?;
        let next = state.free_head;
        state.free_head = number;
        state.free_count += 1;
        state.version += 1;
        let mut delta = Vec::new();
        wal::record::put_varint(&mut delta, next.0);
        self.add(page, block_flags::INIT | block_flags::FREE, &delta);
        self.freed.push((page.pin().file.id(), number));
        Ok(())
    }

    /// Gives a free page another successor on the free list.
    pub(crate) fn relink(&mut self, page: &'a PageWrite<'_>, next: PageNo) {
        let mut delta = Vec::new();
        wal::record::put_varint(&mut delta, next.0);
        self.add(page, block_flags::INIT | block_flags::FREE, &delta);
    }

    /// Forgets blocks, data and meta state, keeping the room: to start over after a latch was lost.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.meta = None;
        self.data.clear();
        self.deltas.clear();
        self.undo_body = None;
        self.allocated.clear();
        self.freed.clear();
    }

    /// Does it: the critical section. Returns the record's LSN.
    ///
    /// # Errors
    /// Before anything has changed: XX000 when the record is longer than its room or its manager
    /// is unknown.
    pub fn commit(mut self) -> Result<Lsn> {
        if let Some(meta) = self.meta.take() {
            let mut delta = Vec::with_capacity(64);
            meta.state.encode(&mut delta);
            delta.extend_from_slice(&meta.delta);
            let init = if meta.init { block_flags::INIT } else { 0 };
            self.add(meta.page, block_flags::META | init, &delta);
        }
        let apply = match self.blocks.is_empty() {
            true => None,
            false => Some(self.pool.managers.get(self.manager)?.apply),
        };
        let redo = self.pool.wal.redo();
        let mut record = self.record(*redo)?;
        let Some(room) = self.room.take() else { unreachable!("a change is committed once") };
        if record.size() > room.bytes() {
            return Err(err!(
                INTERNAL_ERROR,
                "WAL record of {} bytes in a room of {} (manager {}, operation {})",
                record.size(),
                room.bytes(),
                self.manager,
                self.op
            ));
        }
        let critical = Critical;
        let rec_lsn = self.pool.wal.inserted();
        for block in &self.blocks {
            mark_dirty(block.page, rec_lsn);
        }
        if let Some(apply) = apply {
            for (number, block) in self.blocks.iter().enumerate() {
                // SAFETY: latched exclusively, and the guard is borrowed by us: no other slice is alive.
                let bytes = unsafe { block.page.bytes_mut() };
                let pin = block.page.pin();
                let place = (pin.file.id(), pin.page);
                let delta = &self.deltas[block.delta.clone()];
                let step = (apply, self.op, number);
                if let Err(error) = apply_block(step, block.flags, place, bytes, delta, &self.data)
                {
                    panic!("a change that cannot be applied: {error}");
                }
            }
        }
        let lsn = self.pool.wal.append(room, &mut record);
        for block in &self.blocks {
            // SAFETY: as above.
            page::set_lsn(unsafe { block.page.bytes_mut() }, lsn);
        }
        drop(critical);
        drop(redo);
        for (file, page) in self.allocated.drain(..) {
            self.pool.epochs.reused(file, page);
        }
        for (file, page) in self.freed.drain(..) {
            self.pool.epochs.freed(file, page);
        }
        Ok(lsn)
    }

    /// Builds the record, with images of the pages that need one.
    fn record(&self, redo: Lsn) -> Result<RecordBuilder> {
        let mut record = RecordBuilder::new(self.manager, self.op);
        record.transaction(self.xid, self.undo).data(&self.data);
        if self.compensation {
            record.compensation();
        }
        if let Some(body) = &self.undo_body {
            record.undo_body(body);
        }
        let mut image = Vec::new();
        for block in &self.blocks {
            let pin = block.page.pin();
            let fresh = block.flags & block_flags::INIT != 0;
            if !fresh && page::kind(block.page) == page::kind::NONE {
                return Err(base::Error::corrupted(format!(
                    "page {} of file \"{}\" is changed but was never written",
                    pin.page,
                    pin.file.path()
                )));
            }
            let needs_image = !fresh && page::lsn(block.page) <= redo;
            if needs_image {
                compress_image(block.page, &mut image);
            }
            record.block(
                pin.file.id(),
                pin.page,
                page::log2_size(block.page.len()),
                block.flags,
                &self.deltas[block.delta.clone()],
                needs_image.then_some(&image[..]),
            );
        }
        Ok(record)
    }
}

fn mark_dirty(page: &PageWrite<'_>, rec_lsn: Lsn) {
    let frame = page.pin().frame();
    if !frame.has(bits::DIRTY) {
        frame.rec_lsn.store(rec_lsn.0, Ordering::SeqCst);
        frame.set(bits::DIRTY);
    }
}

/// Applies one block, forward or in redo.
fn apply_block(
    (apply, op, number): (crate::resource::Apply, u8, usize),
    flags: u8,
    (file, page_no): (FileId, PageNo),
    bytes: &mut [u8],
    delta: &[u8],
    data: &[u8],
) -> Result<()> {
    if flags & block_flags::INIT != 0 {
        let lsn = page::lsn(bytes);
        page::format(bytes, file, page_no);
        page::set_lsn(bytes, lsn);
    }
    if flags & block_flags::FREE != 0 {
        return apply_free(bytes, delta);
    }
    let delta = match flags & block_flags::META {
        0 => delta,
        _ => match apply_meta(bytes, delta)? {
            [] => return Ok(()),
            rest => rest,
        },
    };
    debug_assert!(bytes.len() > HEADER_BYTES, "a page is longer than its header");
    apply(op, number, bytes, delta, data)
}

impl Pool {
    /// Redoes one block of a record: brings the page to the record's LSN unless it is there.
    /// Recovery calls it, record by record in the log's order, alone. May wait.
    ///
    /// # Errors
    /// XX001 when the page on disk is damaged and the record does not bring it anew.
    pub fn redo_block(
        &self,
        record: &wal::Record,
        number: usize,
        file: &std::sync::Arc<TreeFile>,
    ) -> Result<()> {
        let Some(block) = record.blocks.get(number) else { return Ok(()) };
        let anew = block.flags & (block_flags::INIT | block_flags::IMAGE) != 0;
        let pin = match anew {
            true => self.pin_new(file, block.page)?,
            false => self.pin(file, block.page)?,
        };
        let page = pin.write();
        // An image is always taken: what is on disk may be torn, even with a newer LSN.
        if !anew && page::lsn(&page) >= record.lsn {
            return Ok(());
        }
        // SAFETY: latched exclusively, and no other slice is alive.
        let bytes = unsafe { page.bytes_mut() };
        mark_dirty(&page, record.start);
        if bytes.len() != 1 << block.log2_size {
            return Err(base::Error::corrupted(format!(
                "WAL record ending at {} names another page size than file \"{}\" has",
                record.lsn.to_pg_string(),
                file.path()
            )));
        }
        record.restore_image(number, bytes)?;
        let step = (self.managers.get(record.kind.manager)?.apply, record.kind.op, number);
        let place = (block.file, block.page);
        apply_block(step, block.flags, place, bytes, record.delta(number), record.data())?;
        page::set_lsn(bytes, record.lsn);
        Ok(())
    }
}
