//! Long values: chains of overflow pages in the table's own file.

use crate::leaf::LongRef;
use crate::overflow;
use crate::record::{MANAGER, act, encode_undo_long, op};
use crate::tree::{META, Tree};
use crate::values::Stored;
use base::{Lsn, PageNo, Result, Xid};
use buffer::page::kind;
use txn::{Transaction, VersionKind, VersionRows};
use wal::Purpose;

/// The pages of a chain that one record writes or frees: eight blocks less the meta page.
const GROUP: usize = 6;

impl Tree {
    /// Writes a value, of `raw_len` bytes when it is unpacked, to new pages. Their records are
    /// undone one by one when the transaction rolls back. May wait.
    pub(crate) fn store_long(
        &self,
        txn: Option<&Transaction>,
        bytes: &[u8],
        raw_len: usize,
    ) -> Result<LongRef> {
        let too_long = |_| base::err!(PROGRAM_LIMIT_EXCEEDED, "a value is too long to be stored");
        let raw_len = u32::try_from(raw_len).map_err(too_long)?;
        let stored_len = u32::try_from(bytes.len()).map_err(too_long)?;
        let parts: Vec<&[u8]> = bytes.chunks(overflow::bytes_per_page(self.page_bytes())).collect();
        let mut next = PageNo(0);
        // From the tail: each page names the one behind it.
        for group in parts.rchunks(GROUP) {
            next = self.store_group(txn, group, next)?;
        }
        Ok(LongRef { page: next.0, raw_len, stored_len })
    }

    fn store_group(
        &self,
        txn: Option<&Transaction>,
        parts: &[&[u8]],
        behind: PageNo,
    ) -> Result<PageNo> {
        let size = self.page_bytes();
        let xid = txn.map_or(Ok(Xid::FROZEN), Transaction::xid_or_draw)?;
        loop {
            let reserved = self.pool().reserve_pages(&self.file, parts.len())?;
            let meta_pin = self.pin(META)?;
            let sizes = vec![size; parts.len() + 1];
            let payload = parts.len() * (size + 64) + 256;
            let mut guards = Vec::with_capacity(parts.len());
            let meta;
            let mut change = self.pool().change(MANAGER, op::LONG, &sizes, payload)?;
            guards.extend(reserved.pages().iter().map_while(|pin| pin.try_write()));
            if guards.len() < parts.len() {
                drop(change);
                drop(guards);
                base::wait::yield_now();
                continue;
            }
            meta = meta_pin.write();
            if !change.allocate(&meta, &reserved)? {
                continue;
            }
            let numbers: Vec<PageNo> = reserved.pages().iter().map(|pin| pin.page()).collect();
            for (index, (guard, part)) in guards.iter().zip(parts).enumerate() {
                let next = numbers.get(index + 1).copied().unwrap_or(behind);
                let mut delta = vec![act::OVERFLOW];
                overflow::encode(&mut delta, next, xid, part);
                change.init(guard, &delta);
            }
            let Some(txn) = txn else {
                change.commit()?;
                return Ok(numbers[0]);
            };
            let mut body = Vec::new();
            encode_undo_long(&mut body, self.file(), &numbers);
            let (kind, rows) = (VersionKind::Other, VersionRows::None);
            let version = txn.version(MANAGER, kind, false, rows, &body)?;
            change.transaction(xid, txn.last_undo());
            change.undo_body(&body);
            let lsn = change.commit()?;
            txn.push(None, version, lsn);
            return Ok(numbers[0]);
        }
    }

    /// Appends the value to `out`. May wait; holds no latch.
    pub(crate) fn read_long(&self, long: LongRef, out: &mut Vec<u8>) -> Result<()> {
        let plain = long.raw_len == long.stored_len;
        let mut block = Vec::new();
        let at = out.len();
        let into = if plain { &mut *out } else { &mut block };
        let start = if plain { at } else { 0 };
        let mut next = Some(PageNo(long.page));
        while let Some(number) = next {
            let pin = self.pin(number)?;
            let page = pin.read();
            let (behind, bytes) = overflow::read(&page)?;
            into.extend_from_slice(bytes);
            next = behind;
            if into.len() - start > long.stored_len as usize {
                break;
            }
        }
        if into.len() - start != long.stored_len as usize {
            return Err(self.damaged("has a long value of another length than its row says"));
        }
        if plain {
            return Ok(());
        }
        overflow::unpack_block(&block, long.raw_len as usize, out)
    }

    /// Frees the pages of a chain that no row and no version refers to any more, its head last: what
    /// is left after an error can be freed again. May wait.
    pub(crate) fn free_long(&self, long: LongRef) -> Result<()> {
        let mut pages = self.long_pages(long)?;
        pages.reverse();
        for group in pages.chunks(GROUP) {
            self.free_group(group, None, Purpose::Write)?;
        }
        Ok(())
    }

    /// The pages of a chain, as far as they are those that its writer wrote.
    pub(crate) fn long_pages(&self, long: LongRef) -> Result<Vec<PageNo>> {
        let mut pages = Vec::new();
        let mut next = Some(PageNo(long.page));
        let mut writer = None;
        let most = (long.stored_len as usize).div_ceil(overflow::bytes_per_page(self.page_bytes()));
        while let Some(number) = next.filter(|_| pages.len() < most.max(1)) {
            let pin = self.pin(number)?;
            let page = pin.read();
            if buffer::page::kind(&page) != kind::OVERFLOW
                || *writer.get_or_insert(overflow::stamp(&page)) != overflow::stamp(&page)
            {
                break;
            }
            next = overflow::read(&page)?.0;
            pages.push(number);
        }
        Ok(pages)
    }

    /// Frees overflow pages. With a transaction: as the compensation of their writing, and only
    /// those that it wrote.
    pub(crate) fn free_group(
        &self,
        pages: &[PageNo],
        undo: Option<(Xid, Lsn)>,
        purpose: Purpose,
    ) -> Result<()> {
        let size = self.page_bytes();
        let pins = pages.iter().map(|page| self.pin(*page)).collect::<Result<Vec<_>>>()?;
        let meta_pin = self.pin(META)?;
        let sizes = vec![size; pages.len() + 1];
        let mut guards = Vec::with_capacity(pages.len());
        let meta;
        let mut change = self.pool().change_for(purpose, MANAGER, op::FREE_LONG, &sizes, 256)?;
        for pin in &pins {
            let guard = pin.write();
            let is_ours = buffer::page::kind(&guard) == kind::OVERFLOW
                && undo.is_none_or(|(xid, _)| overflow::stamp(&guard) == xid);
            if is_ours {
                guards.push(guard);
            }
        }
        meta = meta_pin.write();
        for guard in &guards {
            change.free(&meta, guard)?;
        }
        match undo {
            Some((xid, undo_next)) => {
                change.transaction(xid, undo_next);
                change.compensation();
            }
            None if guards.is_empty() => return Ok(()),
            None => {}
        }
        let mut queue = self.tables.replaced.lock();
        change.commit()?;
        // One that this transaction had replaced itself may wait here.
        guards.iter().for_each(|guard| queue.take_out(self.file(), guard.pin().page().0));
        Ok(())
    }

    /// Frees the long values that a change wrote and did not put into its row. They are the
    /// transaction's own: its rollback finds their pages free.
    pub(crate) fn free_unused(&self, stored: &[(usize, Stored)]) -> Result<()> {
        for (_, form) in stored {
            if let Stored::Long(long) = form {
                self.free_long(*long)?;
            }
        }
        Ok(())
    }
}
