//! The tree under a table: pages, descents, row ids. No columns here: rollback and purge know only
//! trees.
//!
//! # How it works
//! Page 0 is the meta page, page 1 the root for ever: when the root is full its contents move to two
//! new pages, and when it has one inner child alone it takes that one's contents. Every page says
//! which row ids it covers (low and high key) and who is on its right, so a descent that arrives too
//! late follows the right links, and one that arrives at a page which has become something else
//! starts over.
//!
//! # Rules
//! 1. A live page whose low key is at or below a row id is a right place to go on from: the row is
//!    in it, below it or to its right. So a descent needs no protection of the pages that it has
//!    not latched yet (storage rule 5).
//! 2. Latches are taken leaf, right sibling, parent, meta page; a descent holds one at a time.
//! 3. A structure change writes leaf, sibling, parent and meta page in one record: there is no
//!    incomplete state to repair. Parents are given room before, from the top.
//! 4. Row ids below the meta page's limit may be in use; the limit is logged ahead in steps.

use crate::inner::Inner;
use crate::leaf::{KIND_COLUMN_WISE, Leaf, NO_HIGH_KEY};
use crate::record::{MANAGER, act, op};
use crate::tables::Shared;
use base::{Error, FileId, PageNo, Result, RowId};
use buffer::page::kind;
use buffer::{META_BYTES, MetaState, Pin, Pool, TreeFile};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The root of every table.
pub(crate) const ROOT: PageNo = PageNo(1);
/// The meta page of every tree.
pub(crate) const META: PageNo = PageNo(0);
/// The first row id of a table.
pub const FIRST_ROW: RowId = RowId(1);
/// The fewest row ids by which the limit is raised.
const ROW_STEP_MIN: u64 = 1024;
const ROW_STEP_MAX: u64 = 1 << 20;
/// Restarts of one descent after which the tree is called damaged.
const RESTARTS_MAX: usize = 100_000;

/// The tree of one file. One for each open file: [`crate::Tables::tree`] hands it out.
pub struct Tree {
    pub(crate) tables: Arc<Shared>,
    pub(crate) file: Arc<TreeFile>,
    rows: Mutex<RowIds>,
    /// A leaf that was the last one not long ago; 0: not known.
    pub(crate) last_leaf: AtomicU64,
    /// About how many rows are there: grows and shrinks with inserts and purges of this run.
    pub(crate) row_count: AtomicU64,
}

struct RowIds {
    next: u64,
    limit: u64,
}

/// Where a row id is, seen from a latched leaf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// The leaf covers it.
    Here,
    /// On this leaf or farther right.
    Right(PageNo),
    /// The page is no such leaf any more.
    Lost,
}

/// Where `row` is, seen from `page`.
#[inline]
pub(crate) fn place_of(page: &[u8], row: RowId) -> Result<Place> {
    if buffer::page::kind(page) != KIND_COLUMN_WISE {
        return Ok(Place::Lost);
    }
    let leaf = Leaf::open(page)?;
    Ok(if row.0 < leaf.low() {
        Place::Lost
    } else if row.0 < leaf.high() || leaf.right() == 0 {
        Place::Here
    } else {
        Place::Right(PageNo(leaf.right()))
    })
}

enum Step<'p> {
    Go(Pin<'p>),
    Leaf,
    Restart,
}

impl Tree {
    pub(crate) fn open(tables: &Arc<Shared>, file: Arc<TreeFile>) -> Result<Tree> {
        let pool = &tables.pool;
        let limit = {
            let pin = pool.pin(&file, META)?;
            let page = pin.read();
            MetaState::read(&page)?;
            row_limit(&page)
        };
        let tree = Tree {
            tables: tables.clone(),
            file,
            rows: Mutex::new(RowIds { next: limit.max(FIRST_ROW.0), limit }),
            last_leaf: AtomicU64::new(0),
            row_count: AtomicU64::new(0),
        };
        Ok(tree)
    }

    /// The file.
    pub fn file(&self) -> FileId {
        self.file.id()
    }

    /// The bytes of a page.
    pub fn page_bytes(&self) -> usize {
        self.file.page_bytes()
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.tables.pool
    }

    pub(crate) fn pin(&self, page: PageNo) -> Result<Pin<'_>> {
        self.pool().pin(&self.file, page)
    }

    /// Every row id that was given out is below it (engine rule 19).
    pub fn high_water(&self) -> RowId {
        RowId(self.rows.lock().next)
    }

    /// Leases `count` row ids that follow each other and returns the first. They are never given
    /// out again. May wait.
    ///
    /// # Errors
    /// 54000 when the row ids of the table are used up; 53100 when the disk is full.
    pub fn lease_rows(&self, count: u64) -> Result<RowId> {
        loop {
            let wanted = {
                let mut rows = self.rows.lock();
                let end = rows.next.checked_add(count).filter(|end| *end < NO_HIGH_KEY);
                let Some(end) = end else {
                    return Err(base::err!(
                        PROGRAM_LIMIT_EXCEEDED,
                        "all row ids of a table are used up"
                    ));
                };
                if end <= rows.limit {
                    let first = rows.next;
                    rows.next = end;
                    return Ok(RowId(first));
                }
                let step = (end / 16).clamp(ROW_STEP_MIN, ROW_STEP_MAX);
                end.saturating_add(step).min(NO_HIGH_KEY - 1)
            };
            self.raise_row_limit(wanted)?;
        }
    }

    /// Sees to it that no row id at or below `row` is given out: for rows that bring their ids.
    pub(crate) fn skip_rows(&self, row: RowId) -> Result<()> {
        loop {
            {
                let mut rows = self.rows.lock();
                if row.0 < rows.limit || row.0 < rows.next {
                    rows.next = rows.next.max(row.0 + 1);
                    return Ok(());
                }
            }
            self.raise_row_limit(row.0.saturating_add(ROW_STEP_MIN).min(NO_HIGH_KEY - 1))?;
        }
    }

    fn raise_row_limit(&self, wanted: u64) -> Result<()> {
        let meta = self.pin(META)?;
        let mut change = self.pool().change(MANAGER, op::ROW_LIMIT, &[self.page_bytes()], 32)?;
        {
            let page = meta.write();
            let mut delta = vec![act::ROW_LIMIT];
            delta.extend_from_slice(&wanted.to_le_bytes());
            change.meta_delta(&page, &delta)?;
            change.commit()?;
        }
        let mut rows = self.rows.lock();
        rows.limit = rows.limit.max(wanted);
        Ok(())
    }

    /// Pins the leaf that covers `row`, or one to its left that did when it was looked up.
    pub(crate) fn descend(&self, row: RowId) -> Result<Pin<'_>> {
        self.descend_to(row, 0)
    }

    /// Pins the page of a level that covers `row`, or one to its left that did. On level 0 it is a
    /// leaf; an inner page may be higher than asked for only if the tree is not that tall.
    pub(crate) fn descend_to(&self, row: RowId, level: u16) -> Result<Pin<'_>> {
        for _ in 0..RESTARTS_MAX {
            let mut pin = self.pin(ROOT)?;
            loop {
                match self.step(&pin, row, level)? {
                    Step::Go(next) => pin = next,
                    Step::Leaf => return Ok(pin),
                    Step::Restart => break,
                }
            }
            base::wait::yield_now();
        }
        Err(self.damaged(format!("leads nowhere for row {row}")))
    }

    fn step(&self, pin: &Pin<'_>, row: RowId, level: u16) -> Result<Step<'_>> {
        let next = {
            let page = pin.read();
            match buffer::page::kind(&page) {
                kind::INNER => {
                    let inner = Inner::open(&page)?;
                    if row.0 < inner.low() {
                        return Ok(Step::Restart);
                    }
                    if row.0 >= inner.high() && inner.right() != 0 {
                        PageNo(inner.right())
                    } else if inner.level() == level {
                        return Ok(Step::Leaf);
                    } else {
                        inner.child(inner.entry_for(row))
                    }
                }
                KIND_COLUMN_WISE => match place_of(&page, row)? {
                    Place::Here => return Ok(Step::Leaf),
                    Place::Right(next) => next,
                    Place::Lost => return Ok(Step::Restart),
                },
                _ => return Ok(Step::Restart),
            }
        };
        Ok(Step::Go(self.pin(next)?))
    }

    /// Calls `with` with the leaf that covers `row`, latched shared.
    pub(crate) fn read_leaf<R>(
        &self,
        row: RowId,
        mut with: impl FnMut(&Leaf<'_>, PageNo) -> Result<R>,
    ) -> Result<R> {
        let mut pin = self.pin(ROOT)?;
        for _ in 0..RESTARTS_MAX {
            let next = {
                let page = pin.read();
                match buffer::page::kind(&page) {
                    kind::INNER => {
                        let inner = Inner::open(&page)?;
                        if row.0 < inner.low() {
                            None
                        } else if row.0 >= inner.high() && inner.right() != 0 {
                            Some(PageNo(inner.right()))
                        } else {
                            Some(inner.child(inner.entry_for(row)))
                        }
                    }
                    KIND_COLUMN_WISE => match place_of(&page, row)? {
                        Place::Here => return with(&Leaf::open(&page)?, pin.page()),
                        Place::Right(next) => Some(next),
                        Place::Lost => None,
                    },
                    _ => None,
                }
            };
            pin = self.pin(next.unwrap_or(ROOT))?;
        }
        Err(self.damaged(format!("leads nowhere for row {row}")))
    }

    /// The leaf that was the last one not long ago, if it still covers `row`.
    pub(crate) fn hinted_leaf(&self, row: RowId) -> Result<Option<Pin<'_>>> {
        let hint = self.last_leaf.load(Ordering::Relaxed);
        if hint == 0 {
            return Ok(None);
        }
        let pin = self.pin(PageNo(hint))?;
        let here = place_of(&pin.read(), row)? == Place::Here;
        Ok(here.then_some(pin))
    }

    /// Notes a leaf that is the last one.
    pub(crate) fn note_last_leaf(&self, page: PageNo) {
        self.last_leaf.store(page.0, Ordering::Relaxed);
    }

    /// The pages of the tree and how many of them are free.
    ///
    /// # Errors
    /// Those of reading the meta page.
    pub fn pages(&self) -> Result<(u64, u64)> {
        let meta = MetaState::read(&self.pin(META)?.read())?;
        Ok((meta.page_count, meta.free_count))
    }

    #[cold]
    pub(crate) fn damaged(&self, what: impl std::fmt::Display) -> Error {
        Error::corrupted(format!("table file \"{}\" {what}", self.file.path()))
    }
}

/// The limit of row ids on a table's meta page.
pub(crate) fn row_limit(meta: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&meta[META_BYTES..META_BYTES + 8]);
    u64::from_le_bytes(bytes)
}

/// Raises the limit of row ids on a meta page; never lowers it.
pub(crate) fn apply_row_limit(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = crate::leaf::Decoder::new(delta);
    let limit = from.u64()?.max(row_limit(page));
    page[META_BYTES..META_BYTES + 8].copy_from_slice(&limit.to_le_bytes());
    from.end()
}
