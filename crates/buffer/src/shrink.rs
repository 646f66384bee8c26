//! Giving the free pages at the end of a file back to the file system.
//!
//! First the log: a record takes pages at the end off the free list and lowers the meta page's
//! count. When it is durable, the file is cut behind the last page that counts; a crash between
//! leaves that to the next time. Redo from before the record may touch the pages that are gone, but
//! the first record of each after a redo point brings it whole (rule 5 of the crate), and what lies
//! beyond a file's end reads as zeros: as a page that was never written, in which nobody finds
//! anything who still has its number.
//!
//! Rules
//! 1. A page that goes is free, on disk or in memory, until the file is cut, and free or zeros
//!    afterwards, until a change builds it anew: whoever still has its number finds nothing alive.
//! 2. Between the last look at the meta page and the cut nobody holds or makes a reservation of
//!    pages: what is behind the cut is nobody's.
//! 3. A page has one frame, also when it goes and comes again: those who pinned it before see what
//!    is built there.
//! 4. Redo may need the space once more until it comes to the record.
//! 5. A write that was under way when the file was cut makes it longer again by a free page. Nobody
//!    reads that one either; the next call cuts it.

use crate::files::TreeFile;
use crate::guard::PageWrite;
use crate::meta::{MetaState, next_free};
use crate::pool::Pool;
use base::{PageNo, Result};
use std::collections::BTreeSet;
use std::sync::Arc;
use wal::record::BLOCKS_MAX;

const META: PageNo = PageNo(0);
/// A longer list of free pages is not walked: its pages would come from disk one by one.
const LIST_MAX: u64 = 1 << 16;
/// The records of one call: each takes at least one page.
const RECORDS_MAX: usize = 1024;

/// A file shrinks by itself by so many pages at least, and by one in so many of its pages.
const WORTH_PAGES_MIN: u64 = 128;
const WORTH_SHARE: u64 = 4;

/// Pages that leave a file: the new count, and the free pages whose successors change.
struct Plan {
    pages: u64,
    head: PageNo,
    relinked: Vec<(PageNo, PageNo)>,
}

impl Plan {
    /// Takes the pages from `pages` on out of the list.
    fn new(list: &[PageNo], pages: u64) -> Plan {
        let stays = |page: &&PageNo| page.0 < pages;
        let mut kept = list.iter().filter(stays).copied().chain(std::iter::once(META));
        let head = kept.next().unwrap_or(META);
        let mut relinked = Vec::new();
        for (at, page) in list.iter().enumerate().filter(|(_, page)| stays(page)) {
            let next = kept.next().unwrap_or(META);
            if list.get(at + 1).copied().unwrap_or(META) != next {
                relinked.push((*page, next));
            }
        }
        Plan { pages, head, relinked }
    }
}

impl Pool {
    /// Gives free pages at the end of a file back if there are at least `least` of them; `manager`
    /// and `op` name the record. With a `least` of 1 goes also what the file had reserved ahead.
    /// Returns how many pages went. May wait.
    ///
    /// # Errors
    /// Those of disk and log.
    pub fn shrink_file(
        &self,
        file: &Arc<TreeFile>,
        (manager, op): (u8, u8),
        least: u64,
    ) -> Result<u64> {
        let mut gone = 0;
        for _ in 0..RECORDS_MAX {
            let least = if gone == 0 { least } else { 1 };
            match self.shrink_step(file, (manager, op), least)? {
                0 => break,
                pages => gone += pages,
            }
        }
        if gone > 0 || least <= 1 {
            self.cut_file(file)?;
        }
        Ok(gone)
    }

    /// [`Pool::shrink_file`] when that is worth it: a large share of the file is free and at its end.
    /// Cheap when it is not. The file may be dropped meanwhile. May wait.
    ///
    /// # Errors
    /// Those of disk and log.
    pub fn shrink_if_worth(&self, file: &Arc<TreeFile>, record: (u8, u8)) -> Result<u64> {
        match self.shrink_large_tail(file, record) {
            Err(_) if file.is_dropped() => Ok(0),
            other => other,
        }
    }

    fn shrink_large_tail(&self, file: &Arc<TreeFile>, record: (u8, u8)) -> Result<u64> {
        let state = MetaState::read(&self.pin(file, META)?.read())?;
        let least = WORTH_PAGES_MIN.max(state.page_count / WORTH_SHARE);
        match state.free_count < least {
            true => Ok(0),
            false => self.shrink_file(file, record, least),
        }
    }

    fn shrink_step(
        &self,
        file: &Arc<TreeFile>,
        (manager, op): (u8, u8),
        least: u64,
    ) -> Result<u64> {
        let expected = MetaState::read(&self.pin(file, META)?.read())?;
        let count = expected.page_count;
        if expected.free_count < least.max(1) || expected.free_count > LIST_MAX {
            return Ok(0);
        }
        // Looks at few pages when there is nothing to do.
        for page in (count.saturating_sub(least.max(1))..count).rev() {
            if next_free(&self.pin(file, PageNo(page))?.read()).is_none() {
                return Ok(0);
            }
        }
        let Some(list) = self.free_list(file, &expected)? else { return Ok(0) };
        let free: BTreeSet<PageNo> = list.iter().copied().collect();
        let goes = |page: &u64| {
            free.contains(&PageNo(*page)) && self.epochs.reusable(file.id(), PageNo(*page))
        };
        let tail = (2..count).rev().take_while(goes).count() as u64;
        if tail < least.max(1) {
            return Ok(0);
        }
        let fits = |pages: &u64| Plan::new(&list, count - *pages).relinked.len() < BLOCKS_MAX;
        let mut halves =
            std::iter::successors(Some(tail), |pages| (*pages > 1).then_some(*pages / 2));
        let Some(pages) = halves.find(fits) else { return Ok(0) };
        match self.log_shrink(file, (manager, op), expected, &Plan::new(&list, count - pages))? {
            true => Ok(pages),
            false => Ok(0),
        }
    }

    /// The list of free pages; nothing when it changes meanwhile.
    fn free_list(&self, file: &Arc<TreeFile>, expected: &MetaState) -> Result<Option<Vec<PageNo>>> {
        let mut list = Vec::new();
        let mut page = expected.free_head;
        while page != META {
            list.push(page);
            let Some(next) = next_free(&self.pin(file, page)?.read()) else { return Ok(None) };
            page = next;
            if list.len() as u64 > expected.free_count {
                return Ok(None);
            }
        }
        Ok(Some(list))
    }

    /// Logs that pages have left the file, durably. False when the list has changed meanwhile.
    fn log_shrink(
        &self,
        file: &Arc<TreeFile>,
        (manager, op): (u8, u8),
        expected: MetaState,
        plan: &Plan,
    ) -> Result<bool> {
        let relinked = plan.relinked.iter();
        let pins = relinked.map(|(page, _)| self.pin(file, *page)).collect::<Result<Vec<_>>>()?;
        let meta_pin = self.pin(file, META)?;
        let sizes = vec![file.page_bytes(); pins.len() + 1];
        let (guards, meta): (Vec<PageWrite<'_>>, PageWrite<'_>);
        let mut change = self.change(manager, op, &sizes, 256)?;
        // Whoever is about to take one of them latches it in an order of its own: nobody waits here.
        let latched: Option<Vec<_>> = pins.iter().map(crate::guard::Pin::try_write).collect();
        let Some(latched) = latched else { return Ok(false) };
        guards = latched;
        meta = meta_pin.write();
        let state = change.meta(&meta)?;
        if *state != expected {
            return Ok(false);
        }
        let left = expected.page_count - plan.pages;
        state.page_count = plan.pages;
        state.free_head = plan.head;
        state.free_count -= left;
        state.version += 1;
        for (guard, (_, next)) in guards.iter().zip(&plan.relinked) {
            change.relink(guard, *next);
        }
        let lsn = change.commit()?;
        drop((guards, meta));
        for page in plan.pages..expected.page_count {
            self.epochs.reused(file.id(), PageNo(page));
        }
        self.wal().flush(lsn)?;
        Ok(true)
    }

    /// Cuts a file behind the last page that counts, unless somebody is about to make it longer.
    fn cut_file(&self, file: &Arc<TreeFile>) -> Result<()> {
        let meta = self.pin(file, META)?;
        file.unless_reserving(|| {
            let pages = MetaState::read(&meta.read())?.page_count;
            let bytes = pages * file.page_bytes() as u64;
            if file.is_dropped() || file.len()? <= bytes {
                return Ok(());
            }
            file.cut(bytes)?;
            // Only now: a page that leaves memory before would be read as it was on disk.
            self.disown_pages(file.id(), PageNo(pages));
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_its_tail_keeps_its_order() {
        let list = [9, 3, 8, 2, 7].map(PageNo);
        let plan = Plan::new(&list, 7);
        assert_eq!(plan.head, PageNo(3));
        assert_eq!(plan.relinked, [(PageNo(3), PageNo(2)), (PageNo(2), META)]);
        let plan = Plan::new(&list, 9);
        assert_eq!((plan.head, plan.relinked), (PageNo(3), vec![]));
        let plan = Plan::new(&list, 2);
        assert_eq!((plan.head, plan.relinked), (META, vec![]));
    }
}
