//! A mask of one bit a row.

use base::Result;
use memory::{Buffer, Heap};

/// One bit for each row; no memory as long as all are 0.
#[derive(Clone, Debug)]
pub struct Bits {
    words: Buffer<u64>,
    len: usize,
    set: usize,
}

impl Bits {
    /// An empty mask.
    pub fn new(heap: &Heap) -> Bits {
        Bits { words: Buffer::new(heap), len: 0, set: 0 }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of bits that are 1.
    pub fn count_ones(&self) -> usize {
        self.set
    }

    /// Whether any bit is 1.
    #[inline]
    pub fn any(&self) -> bool {
        self.set > 0
    }

    /// The bit of a row; 0 beyond the end.
    #[inline]
    pub fn get(&self, row: usize) -> bool {
        self.set > 0 && self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Appends `count` zeros.
    pub fn push_zeros(&mut self, count: usize) {
        // Words behind the last 1 need not exist.
        self.len += count;
    }

    /// Appends a bit.
    ///
    /// # Errors
    /// 53200.
    #[inline]
    pub fn push(&mut self, bit: bool) -> Result<()> {
        self.len += 1;
        if bit { self.set(self.len - 1, true) } else { Ok(()) }
    }

    /// Appends `count` ones.
    ///
    /// # Errors
    /// 53200.
    pub fn push_ones(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            self.push(true)?;
        }
        Ok(())
    }

    /// Changes the bit of an existing row.
    ///
    /// # Errors
    /// 53200.
    pub fn set(&mut self, row: usize, bit: bool) -> Result<()> {
        debug_assert!(row < self.len);
        let (word, mask) = (row / 64, 1u64 << (row % 64));
        if word >= self.words.len() {
            if !bit {
                return Ok(());
            }
            self.words.resize(word + 1, 0)?;
        }
        let was = self.words[word] & mask != 0;
        if bit && !was {
            self.words[word] |= mask;
            self.set += 1;
        } else if !bit && was {
            self.words[word] &= !mask;
            self.set -= 1;
        }
        Ok(())
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.words.clear();
        self.len = 0;
        self.set = 0;
    }

    /// Keeps the first `len` rows.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.len = len;
        self.words.truncate(len.div_ceil(64));
        if !len.is_multiple_of(64)
            && self.words.len() == len.div_ceil(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << (len % 64)) - 1;
        }
        self.set = self.words.iter().map(|word| word.count_ones() as usize).sum();
    }

    /// The words, 64 rows each, the first row in the lowest bit; missing words are 0.
    pub fn words(&self) -> &[u64] {
        &self.words
    }
}
