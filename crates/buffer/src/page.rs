//! The first 32 bytes of every page (contract 2).

use base::{Error, FileId, Lsn, PageNo, Result};

/// The bytes of the header.
pub const HEADER_BYTES: usize = 32;
const LSN: usize = 0;
const CRC: usize = 8;
const KIND: usize = 12;
const VERSION: usize = 13;
const LOG2_SIZE: usize = 14;
const FLAGS: usize = 15;
const FILE: usize = 16;
const PAGE: usize = 24;

/// What a page is.
pub mod kind {
    /// Never written.
    pub const NONE: u8 = 0;
    /// Page 0 of a tree.
    pub const META: u8 = 1;
    /// A leaf of an index.
    pub const INDEX_LEAF: u8 = 2;
    /// An inner page of an index or a table.
    pub const INNER: u8 = 3;
    /// A column-wise leaf of a table.
    pub const TABLE_LEAF: u8 = 4;
    /// A row-wise leaf of a table.
    pub const TABLE_ROW_LEAF: u8 = 5;
    /// A part of a long value.
    pub const OVERFLOW: u8 = 6;
    /// On the free list.
    pub const FREE: u8 = 7;
}

fn u64_at(page: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&page[at..at + 8]);
    u64::from_le_bytes(bytes)
}

pub(crate) fn put_u64(page: &mut [u8], at: usize, value: u64) {
    page[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// The end of the last WAL record that changed the page.
pub fn lsn(page: &[u8]) -> Lsn {
    Lsn(u64_at(page, LSN))
}

pub(crate) fn set_lsn(page: &mut [u8], lsn: Lsn) {
    put_u64(page, LSN, lsn.0);
}

/// What the page is: a constant of [`kind`].
pub fn kind(page: &[u8]) -> u8 {
    page[KIND]
}

/// Says what the page is, and in which version of that kind's format. Apply functions call it when
/// they initialise a page.
pub fn set_kind(page: &mut [u8], kind: u8, version: u8) {
    page[KIND] = kind;
    page[VERSION] = version;
}

/// The format version of the page's kind.
pub fn version(page: &[u8]) -> u8 {
    page[VERSION]
}

/// The flag byte, which belongs to the page's kind.
pub fn flags(page: &[u8]) -> u8 {
    page[FLAGS]
}

/// Sets the flag byte.
pub fn set_flags(page: &mut [u8], flags: u8) {
    page[FLAGS] = flags;
}

/// The tree that the page belongs to.
pub fn file_id(page: &[u8]) -> FileId {
    FileId(u64_at(page, FILE))
}

/// The number of the page in its tree.
pub fn page_no(page: &[u8]) -> PageNo {
    PageNo(u64_at(page, PAGE))
}

/// Clears a page and writes its header, all but LSN, CRC, kind, version and flags.
pub(crate) fn format(page: &mut [u8], file: FileId, number: PageNo) {
    page.fill(0);
    page[LOG2_SIZE] = log2_size(page.len());
    put_u64(page, FILE, file.0);
    put_u64(page, PAGE, number.0);
}

/// log2 of a page size.
pub(crate) fn log2_size(page_bytes: usize) -> u8 {
    page_bytes.trailing_zeros() as u8
}

/// The page size that the first header of a file claims, when it is a possible one.
pub(crate) fn claimed_size(header: &[u8]) -> Option<usize> {
    let log2 = *header.get(LOG2_SIZE)?;
    (13..=16).contains(&log2).then(|| 1 << log2)
}

fn crc(page: &[u8]) -> u32 {
    let head = crc32c::crc32c(&page[..CRC]);
    crc32c::crc32c_append(head, &page[CRC + 4..])
}

/// Writes the CRC; the page goes to disk next.
pub(crate) fn seal(page: &mut [u8]) {
    let crc = crc(page);
    page[CRC..CRC + 4].copy_from_slice(&crc.to_le_bytes());
}

/// Checks a page that was read. An all-zero page was never written and is right.
///
/// # Errors
/// XX001 naming file and page.
pub(crate) fn check(page: &[u8], file: FileId, number: PageNo, path: &str) -> Result<()> {
    let damaged = |detail: String| {
        let message = format!("invalid page in block {number} of relation \"{path}\"");
        Err(Error::corrupted(message).detail(detail).hint(
            "Stop the server and run \"perdura check\" to see all that is damaged. REINDEX repairs \
             indexes; tables come back from a backup.",
        ))
    };
    let mut stored = [0; 4];
    stored.copy_from_slice(&page[CRC..CRC + 4]);
    let stored = u32::from_le_bytes(stored);
    let computed = crc(page);
    if stored != computed {
        if page.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        return damaged(format!(
            "The page's checksum is {stored:08X}, but should be {computed:08X}."
        ));
    }
    if 1_usize.checked_shl(u32::from(page[LOG2_SIZE])) != Some(page.len()) {
        return damaged(format!("The page claims a size of 2^{} bytes.", page[LOG2_SIZE]));
    }
    if file_id(page) != file || page_no(page) != number {
        let (file, number) = (file_id(page), page_no(page));
        return damaged(format!("The page says that it is block {number} of file {file}."));
    }
    Ok(())
}
