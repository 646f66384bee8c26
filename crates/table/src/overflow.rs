//! Long values: pages of one chain, as bytes, and compression.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 32 | the header of every page (contract 2), kind 6 |
//! | 32 | 8 | the next page; 0 at the end |
//! | 40 | 8 | the XID that wrote it |
//! | 48 | 4 | bytes of the value here |
//! | 56 | | the bytes |

use crate::leaf::Decoder;
use base::{Error, PageNo, Result, Xid};

/// The page kind of overflow pages (contract 2).
pub(crate) const KIND_OVERFLOW: u8 = 6;
const OVERFLOW_VERSION: u8 = 1;
const AT_KIND: usize = 12;
const AT_VERSION: usize = 13;
const AT_NEXT: usize = 32;
const AT_STAMP: usize = 40;
const AT_LEN: usize = 48;
const DATA: usize = 56;

/// The bytes of a value that one page holds.
pub(crate) fn bytes_per_page(page_bytes: usize) -> usize {
    page_bytes - DATA
}

pub(crate) fn encode(out: &mut Vec<u8>, next: PageNo, stamp: Xid, bytes: &[u8]) {
    out.extend_from_slice(&next.0.to_le_bytes());
    out.extend_from_slice(&stamp.0.to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Makes an overflow page.
pub(crate) fn init(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = Decoder::new(delta);
    let (next, stamp, bytes) = (from.u64()?, from.u64()?, from.rest());
    if bytes.len() > bytes_per_page(page.len()) {
        return Err(Error::corrupted("a part of a long value is larger than a page"));
    }
    page[32..].fill(0);
    page[AT_KIND] = KIND_OVERFLOW;
    page[AT_VERSION] = OVERFLOW_VERSION;
    page[AT_NEXT..AT_NEXT + 8].copy_from_slice(&next.to_le_bytes());
    page[AT_STAMP..AT_STAMP + 8].copy_from_slice(&stamp.to_le_bytes());
    page[AT_LEN..AT_LEN + 4].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    page[DATA..DATA + bytes.len()].copy_from_slice(bytes);
    Ok(())
}

/// The next page and the bytes of an overflow page.
pub(crate) fn read(page: &[u8]) -> Result<(Option<PageNo>, &[u8])> {
    if page[AT_KIND] != KIND_OVERFLOW || page[AT_VERSION] != OVERFLOW_VERSION {
        return Err(Error::corrupted("a long value continues on a page that is no overflow page"));
    }
    let mut from = Decoder::new(&page[AT_NEXT..DATA]);
    let next = from.u64()?;
    from.u64()?;
    let len = from.u32()? as usize;
    let bytes = page.get(DATA..DATA + len);
    let bytes = bytes.ok_or_else(|| Error::corrupted("an overflow page is cut short"))?;
    Ok(((next != 0).then_some(PageNo(next)), bytes))
}

/// The transaction that wrote an overflow page.
pub(crate) fn stamp(page: &[u8]) -> Xid {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&page[AT_STAMP..AT_STAMP + 8]);
    Xid(u64::from_le_bytes(bytes))
}

/// The packed form of a value: its length and the LZ4 block; none if that is not shorter.
pub(crate) fn pack(value: &[u8]) -> Option<Vec<u8>> {
    let len = u32::try_from(value.len()).ok()?;
    let mut packed = len.to_le_bytes().to_vec();
    let block = lz4_flex::block::compress(value);
    packed.extend_from_slice(&block);
    (packed.len() < value.len()).then_some(packed)
}

/// The value of a packed form.
///
/// # Errors
/// XX001 if it is damaged.
pub(crate) fn unpack(packed: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut from = Decoder::new(packed);
    let len = from.u32()? as usize;
    unpack_block(from.rest(), len, out)
}

/// The value of an LZ4 block that has `len` bytes.
pub(crate) fn unpack_block(block: &[u8], len: usize, out: &mut Vec<u8>) -> Result<()> {
    let damaged = || Error::corrupted("a compressed value is damaged");
    // LZ4 makes at most 255 bytes of one: a larger claim is damage, not a reason to allocate.
    if len > base::limits::ALLOCATION_BYTES_MAX || len / 256 > block.len() {
        return Err(damaged());
    }
    let at = out.len();
    out.resize(at + len, 0);
    match lz4_flex::block::decompress_into(block, &mut out[at..]) {
        Ok(n) if n == len => Ok(()),
        _ => Err(damaged()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_from_their_packed_form() {
        let value: Vec<u8> = (0..20_000u32).flat_map(|i| (i / 50).to_le_bytes()).collect();
        let packed = pack(&value).unwrap();
        let mut out = Vec::new();
        unpack(&packed, &mut out).unwrap();
        assert_eq!(out, value);
        let mut claimed = packed.clone();
        claimed[3] = 0x3f;
        assert!(unpack(&claimed, &mut Vec::new()).is_err());
    }
}
