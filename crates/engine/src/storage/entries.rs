//! The entries of an index that is built, in order.
//!
//! They are sorted in memory up to `maintenance_work_mem`; what is more goes to a temporary file as
//! sorted runs, which are merged at the end.

use base::{Error, Result, RowId, Xid};
use disk::temporary::{TemporaryFile, TemporarySpace};
use execute::EntryShape;
use memory::Charge;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use types::{Datum, TypeHost};

/// How much memory is asked for at once.
const CHARGE_STEP: u64 = 1 << 20;
/// What is read at once.
const BLOCK_BYTES: usize = 256 << 10;
/// The bytes of an entry in a run before its key: two lengths, row, stamp, flags.
const HEAD_BYTES: usize = 25;

/// The bytes of entries before they are sorted lie in one place.
pub(super) struct Entries {
    bytes: Vec<u8>,
    items: Vec<Item>,
    charge: Charge,
    limit_bytes: u64,
    space: Rc<TemporarySpace>,
    file: Option<TemporaryFile>,
    /// Where runs begin and end.
    runs: Vec<(u64, u64)>,
    scratch: (Vec<u8>, Vec<u8>),
}

#[derive(Clone, Copy)]
struct Item {
    at: usize,
    key_bytes: u32,
    payload_bytes: u32,
    row: RowId,
    stamp: Xid,
    dead: bool,
    has_null: bool,
}

/// An entry as it comes out.
pub(super) struct Entry<'a> {
    pub(super) key: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) row: RowId,
    pub(super) stamp: Xid,
    /// The transaction itself has replaced the version: it counts for those who do not see that.
    pub(super) dead: bool,
    pub(super) has_null: bool,
}

impl Entries {
    pub(super) fn new(charge: Charge, limit_bytes: u64, space: &Rc<TemporarySpace>) -> Entries {
        Entries {
            bytes: Vec::new(),
            items: Vec::new(),
            charge,
            limit_bytes,
            space: space.clone(),
            file: None,
            runs: Vec::new(),
            scratch: (Vec::new(), Vec::new()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.runs.is_empty()
    }

    fn key(&self, item: &Item) -> &[u8] {
        &self.bytes[item.at..item.at + item.key_bytes as usize]
    }

    fn entry(&self, item: &Item) -> Entry<'_> {
        let at = item.at + item.key_bytes as usize;
        Entry {
            key: self.key(item),
            payload: &self.bytes[at..at + item.payload_bytes as usize],
            row: item.row,
            stamp: item.stamp,
            dead: item.dead,
            has_null: item.has_null,
        }
    }

    /// What is charged for the file.
    fn held_by_file(&self) -> u64 {
        self.file.as_ref().map_or(0, TemporaryFile::held_bytes)
    }

    /// Makes room for one entry more, if need be by writing those that are there.
    fn make_room(&mut self, more: usize) -> Result<()> {
        let full = |len: usize, more: usize, capacity: usize| match len + more > capacity {
            true => 2 * capacity.max(len + more),
            false => capacity,
        };
        let bytes = full(self.bytes.len(), more, self.bytes.capacity());
        let items = full(self.items.len(), 1, self.items.capacity()) * size_of::<Item>();
        let wanted = (bytes + items) as u64 + self.held_by_file();
        if wanted <= self.charge.bytes() {
            return Ok(());
        }
        let wanted = wanted.next_multiple_of(CHARGE_STEP);
        let fits = wanted <= self.limit_bytes.max(CHARGE_STEP)
            && self.charge.resize(wanted, "index build").is_ok();
        if !fits && !self.items.is_empty() {
            self.write_run()?;
            return self.make_room(more);
        }
        if !fits {
            // One large entry.
            self.charge.resize_with_relief(wanted, "index build")?;
        }
        Ok(())
    }

    /// Adds the entry of a row.
    pub(super) fn add(
        &mut self,
        shape: &EntryShape,
        host: &dyn TypeHost,
        (row, stamp, dead): (RowId, Xid, bool),
        values: &[Datum<'_>],
    ) -> Result<()> {
        let (mut key, mut payload) = std::mem::take(&mut self.scratch);
        key.clear();
        payload.clear();
        let has_null = shape.encode(host, values, &mut key, &mut payload)?;
        self.make_room(key.len() + payload.len())?;
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&key);
        self.bytes.extend_from_slice(&payload);
        let bytes = |bytes: &Vec<u8>| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let (key_bytes, payload_bytes) = (bytes(&key), bytes(&payload));
        self.items.push(Item { at, key_bytes, payload_bytes, row, stamp, dead, has_null });
        self.scratch = (key, payload);
        Ok(())
    }

    fn sort(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        let order = |item: &Item| (item.row, item.dead);
        items.sort_unstable_by(|a, b| (self.key(a), order(a)).cmp(&(self.key(b), order(b))));
        self.items = items;
    }

    fn write_run(&mut self) -> Result<()> {
        self.sort();
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.space.create()?,
        };
        let start = file.bytes();
        for (number, item) in self.items.iter().enumerate() {
            if number % 1024 == 0 {
                base::check_for_interrupts()?;
            }
            let mut head = [0; HEAD_BYTES];
            head[..4].copy_from_slice(&item.key_bytes.to_le_bytes());
            head[4..8].copy_from_slice(&item.payload_bytes.to_le_bytes());
            head[8..16].copy_from_slice(&item.row.0.to_le_bytes());
            head[16..24].copy_from_slice(&item.stamp.0.to_le_bytes());
            head[24] = u8::from(item.dead) | u8::from(item.has_null) << 1;
            file.append(&head)?;
            // The key and, behind it, the payload.
            let len = item.key_bytes as usize + item.payload_bytes as usize;
            file.append(&self.bytes[item.at..item.at + len])?;
        }
        self.runs.push((start, file.bytes()));
        self.file = Some(file);
        self.bytes = Vec::new();
        self.items = Vec::new();
        self.charge.resize(self.held_by_file(), "index build")
    }

    /// Calls `take` with every entry in order: of those with one key and row with the live one
    /// only, if there is one.
    pub(super) fn each(mut self, take: &mut dyn FnMut(&Entry<'_>) -> Result<()>) -> Result<()> {
        if !self.runs.is_empty() && !self.items.is_empty() {
            self.write_run()?;
        }
        let Some(file) = self.file.take() else {
            self.sort();
            let mut before: Option<&Item> = None;
            for (number, item) in self.items.iter().enumerate() {
                if number % 1024 == 0 {
                    base::check_for_interrupts()?;
                }
                let twin = before.replace(item);
                if twin.is_none_or(|twin| twin.row != item.row || self.key(twin) != self.key(item))
                {
                    take(&self.entry(item))?;
                }
            }
            return Ok(());
        };
        merge(&file, &self.runs, take)
    }
}

/// A run that is read.
struct Run {
    next: u64,
    end: u64,
    block: Vec<u8>,
    at: usize,
}

/// The next entry of a run, as entries are ordered.
type Front = Reverse<(Vec<u8>, RowId, bool, usize, Xid, bool, Vec<u8>)>;

impl Run {
    /// So many bytes, without the ones before.
    fn bytes(&mut self, file: &TemporaryFile, count: usize) -> Result<&[u8]> {
        if self.block.len() - self.at < count {
            self.block.drain(..self.at);
            self.at = 0;
            let have = self.block.len();
            let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
            let more = left.min(BLOCK_BYTES.max(count - have));
            if have + more < count {
                return Err(Error::corrupted("a run of an index build ends within an entry"));
            }
            self.block.resize(have + more, 0);
            file.read(self.next, &mut self.block[have..])?;
            self.next += more as u64;
        }
        let start = self.at;
        self.at += count;
        Ok(&self.block[start..start + count])
    }

    fn front(&mut self, number: usize, file: &TemporaryFile) -> Result<Option<Front>> {
        if self.next == self.end && self.at == self.block.len() {
            return Ok(None);
        }
        let mut head = [0; HEAD_BYTES];
        head.copy_from_slice(self.bytes(file, HEAD_BYTES)?);
        let word = |at: usize| {
            u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize
        };
        let long = |at: usize| (word(at + 4) as u64) << 32 | word(at) as u64;
        let key = self.bytes(file, word(0))?.to_vec();
        let payload = self.bytes(file, word(4))?.to_vec();
        let (dead, has_null) = (head[24] & 1 == 1, head[24] & 2 == 2);
        let (row, stamp) = (RowId(long(8)), Xid(long(16)));
        Ok(Some(Reverse((key, row, dead, number, stamp, has_null, payload))))
    }
}

fn merge(
    file: &TemporaryFile,
    runs: &[(u64, u64)],
    take: &mut dyn FnMut(&Entry<'_>) -> Result<()>,
) -> Result<()> {
    let run = |(next, end): &(u64, u64)| Run { next: *next, end: *end, block: Vec::new(), at: 0 };
    let mut runs: Vec<Run> = runs.iter().map(run).collect();
    let mut queue: BinaryHeap<Front> = BinaryHeap::new();
    for (number, run) in runs.iter_mut().enumerate() {
        queue.extend(run.front(number, file)?);
    }
    let mut before: Option<(Vec<u8>, RowId)> = None;
    let mut count = 0u64;
    while let Some(Reverse((key, row, dead, number, stamp, has_null, payload))) = queue.pop() {
        count += 1;
        if count.is_multiple_of(1024) {
            base::check_for_interrupts()?;
        }
        if before.as_ref().is_none_or(|twin| twin.1 != row || twin.0 != key) {
            take(&Entry { key: &key, payload: &payload, row, stamp, dead, has_null })?;
        }
        before = Some((key, row));
        queue.extend(runs[number].front(number, file)?);
    }
    Ok(())
}
