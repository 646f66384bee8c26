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
use std::sync::Arc;
use wal::record::BLOCKS_MAX;

const META: PageNo = PageNo(0);
/// So many free pages are looked at from the list's beginning: they may come from disk one by one.
/// What was freed last stands there.
const WALK_MAX: usize = 1 << 20;
/// The same where nobody has asked for the file to be shrunk.
const UNASKED_WALK_MAX: usize = 1 << 16;
/// The records of one call: each takes at least one page.
const RECORDS_MAX: usize = 1024;

/// A file shrinks by itself by so many pages at least, and by one in so many of its pages.
const WORTH_PAGES_MIN: u64 = 128;
const WORTH_SHARE: u64 = 4;

/// The beginning of a list of free pages; its pages are named by their places in `pages`.
#[derive(Default)]
struct FreeList {
    /// The meta page whose list it is.
    of: MetaState,
    pages: Vec<PageNo>,
    /// Those that are still there, in the order in which they lie in the file.
    by_number: Vec<u32>,
    before: Vec<u32>,
    behind: Vec<u32>,
    head: u32,
    /// The page behind them on the list, at which nobody has looked; the meta page at its end.
    rest: PageNo,
}

/// No place in a list.
const NONE: u32 = u32::MAX;

/// Pages that leave a file: the meta page's new state, and the free pages whose successors change.
#[derive(PartialEq, Debug)]
struct Plan {
    meta: MetaState,
    relinked: Vec<(PageNo, PageNo)>,
}

impl FreeList {
    /// `pages` are fewer than [`NONE`].
    fn new(of: MetaState, pages: Vec<PageNo>, rest: PageNo) -> FreeList {
        let count = pages.len() as u32;
        let mut by_number: Vec<u32> = (0..count).collect();
        by_number.sort_unstable_by_key(|at| pages[*at as usize]);
        let before = (0..count).map(|at| at.checked_sub(1).unwrap_or(NONE)).collect();
        let behind = (1..=count).map(|at| if at == count { NONE } else { at }).collect();
        let head = if count == 0 { NONE } else { 0 };
        FreeList { of, pages, by_number, before, behind, head, rest }
    }

    fn page(&self, at: u32) -> PageNo {
        if at == NONE { self.rest } else { self.pages[at as usize] }
    }

    /// Whether the last `count` pages of the file are on it and may go.
    fn has_tail(&self, count: u64, may_go: impl Fn(PageNo) -> bool) -> bool {
        let last = self.by_number.iter().rev().map(|at| self.page(*at));
        let mut numbers = (0..self.of.page_count).rev();
        let fits = |page: &PageNo| numbers.next() == Some(page.0) && may_go(*page);
        last.take_while(fits).take(usize::try_from(count).unwrap_or(usize::MAX)).count() as u64
            == count
    }

    /// Takes pages from the end of the file off the list, as many as one record can.
    fn cut(&mut self, may_go: impl Fn(PageNo) -> bool) -> Plan {
        let mut relinked: Vec<u32> = Vec::new();
        while let Some(&at) = self.by_number.last() {
            let page = self.page(at);
            if page.0 + 1 != self.of.page_count || !may_go(page) {
                break;
            }
            let (before, behind) = (self.before[at as usize], self.behind[at as usize]);
            let mut changed = relinked.clone();
            changed.retain(|other| *other != at);
            if before != NONE && !changed.contains(&before) {
                changed.push(before);
            }
            if changed.len() >= BLOCKS_MAX {
                break;
            }
            relinked = changed;
            match before {
                NONE => self.head = behind,
                before => self.behind[before as usize] = behind,
            }
            if behind != NONE {
                self.before[behind as usize] = before;
            }
            self.by_number.pop();
            self.of.page_count -= 1;
            self.of.free_count -= 1;
        }
        self.of.free_head = self.page(self.head);
        self.of.version += 1;
        let link = |at: u32| (self.page(at), self.page(self.behind[at as usize]));
        Plan { meta: self.of, relinked: relinked.into_iter().map(link).collect() }
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
        let walk = if least <= 1 { WALK_MAX } else { UNASKED_WALK_MAX };
        self.shrink_walking(file, (manager, op), least, walk)
    }

    /// [`Pool::shrink_file`], looking at up to `walk` pages of the free list.
    pub(crate) fn shrink_walking(
        &self,
        file: &Arc<TreeFile>,
        (manager, op): (u8, u8),
        least: u64,
        walk: usize,
    ) -> Result<u64> {
        let mut gone = 0;
        let mut list = FreeList::default();
        for _ in 0..RECORDS_MAX {
            let least = if gone == 0 { least } else { 1 };
            match self.shrink_step(file, (manager, op), least, walk, &mut list)? {
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

    /// One record. `known` is the list as the step before has left it.
    fn shrink_step(
        &self,
        file: &Arc<TreeFile>,
        (manager, op): (u8, u8),
        least: u64,
        walk: usize,
        known: &mut FreeList,
    ) -> Result<u64> {
        let expected = MetaState::read(&self.pin(file, META)?.read())?;
        let count = expected.page_count;
        if expected.free_count < least.max(1) {
            return Ok(0);
        }
        // Looks at few pages when there is nothing to do.
        for page in (count.saturating_sub(least.max(1))..count).rev() {
            if next_free(&self.pin(file, PageNo(page))?.read()).is_none() {
                return Ok(0);
            }
        }
        let mut list = std::mem::take(known);
        let is_used_up = list.by_number.is_empty() && list.rest != META;
        if list.of != expected || is_used_up {
            let Some(found) = self.free_list(file, expected, walk)? else { return Ok(0) };
            list = found;
        }
        let may_go = |page| self.epochs.reusable(file.id(), page);
        if !list.has_tail(least.max(1), may_go) {
            return Ok(0);
        }
        let plan = list.cut(may_go);
        if !self.log_shrink(file, (manager, op), expected, &plan)? {
            return Ok(0);
        }
        *known = list;
        Ok(count - plan.meta.page_count)
    }

    /// The first `walk` pages of the free list; nothing when it changes meanwhile.
    fn free_list(
        &self,
        file: &Arc<TreeFile>,
        expected: MetaState,
        walk: usize,
    ) -> Result<Option<FreeList>> {
        let mut list = Vec::new();
        let mut page = expected.free_head;
        while page != META && list.len() < walk {
            list.push(page);
            let Some(next) = next_free(&self.pin(file, page)?.read()) else { return Ok(None) };
            page = next;
            if list.len() as u64 > expected.free_count {
                return Ok(None);
            }
        }
        Ok(Some(FreeList::new(expected, list, page)))
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
        *state = plan.meta;
        for (guard, (_, next)) in guards.iter().zip(&plan.relinked) {
            change.relink(guard, *next);
        }
        let lsn = change.commit()?;
        // Under the latches: afterwards another may have used one and freed it again.
        for page in plan.meta.page_count..expected.page_count {
            self.epochs.reused(file.id(), PageNo(page));
        }
        drop((guards, meta));
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

    fn list(pages: &[u64], page_count: u64, rest: u64) -> FreeList {
        let free_head = PageNo(pages[0]);
        let of = MetaState { page_count, free_head, free_count: 100, ..MetaState::default() };
        FreeList::new(of, pages.iter().copied().map(PageNo).collect(), PageNo(rest))
    }

    /// The links of a plan, and the first page of the list then.
    fn links(plan: &Plan) -> (u64, Vec<(u64, u64)>) {
        let links = plan.relinked.iter().map(|(page, next)| (page.0, next.0)).collect();
        (plan.meta.free_head.0, links)
    }

    #[test]
    fn a_list_without_its_tail_keeps_its_order() {
        let all = |_| true;
        let plan = list(&[9, 3, 8, 2, 7, 4], 10, 0).cut(all);
        assert_eq!(links(&plan), (3, vec![(3, 2), (2, 4)]));
        assert_eq!((plan.meta.page_count, plan.meta.free_count), (7, 97));
        assert_eq!(links(&list(&[9, 3, 8, 2, 7], 10, 0).cut(|page| page.0 == 9)), (3, vec![]));
        let mut whole = list(&[2, 3, 4, 5], 6, 0);
        assert!(whole.has_tail(4, all) && !whole.has_tail(5, all));
        assert!(whole.has_tail(2, |page| page.0 > 3) && !whole.has_tail(3, |page| page.0 > 3));
        assert_eq!(links(&whole.cut(all)), (0, vec![]));
        assert_eq!(whole.of.page_count, 2);
    }

    #[test]
    fn what_nobody_has_looked_at_stays_on_the_list() {
        let mut list = list(&[9, 3, 8], 10, 5);
        assert!(list.has_tail(2, |_| true) && !list.has_tail(3, |_| true));
        assert_eq!(links(&list.cut(|_| true)), (3, vec![(3, 5)]));
        assert_eq!(list.of.version, 1);
    }

    #[test]
    fn a_record_changes_no_more_links_than_it_has_room_for() {
        // Every second page goes, each behind one that stays.
        let pages: Vec<u64> = (0..40).flat_map(|n| [2 + n, 81 - n]).collect();
        let mut list = list(&pages, 82, 0);
        let mut expected: Vec<u64> = pages.clone();
        while list.of.page_count > 42 {
            let plan = list.cut(|page| page.0 >= 42);
            assert!((1..BLOCKS_MAX).contains(&plan.relinked.len()));
            expected.retain(|page| *page < plan.meta.page_count);
            let mut at = list.head;
            let mut found = Vec::new();
            while at != NONE {
                found.push(list.page(at).0);
                at = list.behind[at as usize];
            }
            assert_eq!(found, expected);
        }
    }
}
