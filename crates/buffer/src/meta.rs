//! The meta page of a tree and its free list (contract 3).
//!
//! Page 0, after the header: root (8), page count (8), head of the free list (8, 0: empty), free
//! pages (8), version (8), height (4), 4 unused. What follows from [`META_BYTES`] belongs to the
//! tree's kind. A free page has the next one's number after its header.

use crate::page::{self, HEADER_BYTES, kind};
use base::{Error, PageNo, Result};
use wal::record::{get_varint, put_varint};

/// Where the part of a meta page that belongs to the tree's kind begins.
pub const META_BYTES: usize = HEADER_BYTES + 48;

/// What every tree's meta page says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MetaState {
    /// The root page.
    pub root: PageNo,
    /// The levels above the leaves.
    pub height: u32,
    /// The pages that were ever allocated, the meta page included.
    pub page_count: u64,
    /// The first free page, or 0.
    pub free_head: PageNo,
    /// The number of free pages.
    pub free_count: u64,
    /// Grows with every allocation and every freed page.
    pub version: u64,
}

fn u64_at(page: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&page[at..at + 8]);
    u64::from_le_bytes(bytes)
}

impl MetaState {
    /// Reads it from a meta page.
    ///
    /// # Errors
    /// XX001 when the page is not one.
    pub fn read(page: &[u8]) -> Result<MetaState> {
        if page::kind(page) != kind::META {
            return Err(Error::corrupted(format!(
                "page {} of file {} is not a meta page",
                page::page_no(page),
                page::file_id(page)
            )));
        }
        Ok(MetaState {
            root: PageNo(u64_at(page, HEADER_BYTES)),
            page_count: u64_at(page, HEADER_BYTES + 8),
            free_head: PageNo(u64_at(page, HEADER_BYTES + 16)),
            free_count: u64_at(page, HEADER_BYTES + 24),
            version: u64_at(page, HEADER_BYTES + 32),
            height: u64_at(page, HEADER_BYTES + 40) as u32,
        })
    }

    fn write(&self, page: &mut [u8]) {
        page::put_u64(page, HEADER_BYTES, self.root.0);
        page::put_u64(page, HEADER_BYTES + 8, self.page_count);
        page::put_u64(page, HEADER_BYTES + 16, self.free_head.0);
        page::put_u64(page, HEADER_BYTES + 24, self.free_count);
        page::put_u64(page, HEADER_BYTES + 32, self.version);
        page::put_u64(page, HEADER_BYTES + 40, u64::from(self.height));
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let fields = [
            self.root.0,
            u64::from(self.height),
            self.page_count,
            self.free_head.0,
            self.free_count,
            self.version,
        ];
        for field in fields {
            put_varint(out, field);
        }
    }

    fn decode(bytes: &mut &[u8]) -> Option<MetaState> {
        Some(MetaState {
            root: PageNo(get_varint(bytes)?),
            height: u32::try_from(get_varint(bytes)?).ok()?,
            page_count: get_varint(bytes)?,
            free_head: PageNo(get_varint(bytes)?),
            free_count: get_varint(bytes)?,
            version: get_varint(bytes)?,
        })
    }
}

/// Applies the meta part of a META block's delta and returns what is left for the tree's manager.
pub(crate) fn apply_meta<'d>(page: &mut [u8], mut delta: &'d [u8]) -> Result<&'d [u8]> {
    let state = MetaState::decode(&mut delta)
        .ok_or_else(|| Error::corrupted("meta page change in the WAL is damaged"))?;
    if page::kind(page) == kind::NONE {
        page::set_kind(page, kind::META, 1);
    }
    state.write(page);
    Ok(delta)
}

/// Makes a formatted page a free one, as the delta says.
pub(crate) fn apply_free(page: &mut [u8], mut delta: &[u8]) -> Result<()> {
    let next = get_varint(&mut delta)
        .ok_or_else(|| Error::corrupted("free page change in the WAL is damaged"))?;
    page::set_kind(page, kind::FREE, 1);
    page::put_u64(page, HEADER_BYTES, next);
    Ok(())
}

/// The free page after this one; `None` when the page is not free.
pub(crate) fn next_free(page: &[u8]) -> Option<PageNo> {
    (page::kind(page) == kind::FREE).then(|| PageNo(u64_at(page, HEADER_BYTES)))
}
