//! Rows gathered from several columns that continue each other.

use super::{Column, Data, put};
use base::interrupt::Pace;
use base::{Error, Result};
use memory::Heap;

/// The values that are fetched together: they are still in the nearest cache when they are copied.
const AT_ONCE: usize = 128;

/// Has the processor fetch values that lie far from each other. It waits for them all at once, as
/// nothing here depends on what came before; a copy after another would wait for each.
fn fetch(values: &[&[u8]]) {
    let ends = |value: &&[u8]| value.first().unwrap_or(&0) ^ value.last().unwrap_or(&0);
    std::hint::black_box(values.iter().map(ends).fold(0, |all, one| all ^ one));
}

impl Column {
    /// Rows of columns that stand for one: row r is row `r % 2^shift` of column `r / 2^shift`. All
    /// have one layout and none is constant. Others run when the time slice is used up.
    ///
    /// # Errors
    /// 53200.
    pub fn gather_chunks(
        chunks: &[&Column],
        shift: u32,
        heap: &Heap,
        rows: &[u32],
    ) -> Result<Column> {
        let Some(first) = chunks.first() else {
            return Err(Error::internal("rows of no columns"));
        };
        if chunks.len() == 1 {
            return first.gather(heap, rows);
        }
        let mask = (1u32 << shift) - 1;
        let place = |row: u32| ((row >> shift) as usize, (row & mask) as usize);
        let mut made = Column::new(first.layout, heap);
        let pace = Pace::every(2);
        macro_rules! gather {
            ($kind:ident, $to:ident) => {{
                let values: Vec<&[_]> = chunks
                    .iter()
                    .filter_map(|chunk| match &chunk.data {
                        Data::$kind(values) => Some(&values[..]),
                        _ => None,
                    })
                    .collect();
                $to.extend(rows.iter().map(|&row| {
                    let (chunk, at) = place(row);
                    values[chunk][at]
                }))?;
            }};
        }
        match &mut made.data {
            Data::I8(to) => gather!(I8, to),
            Data::I16(to) => gather!(I16, to),
            Data::I32(to) => gather!(I32, to),
            Data::I64(to) => gather!(I64, to),
            Data::F32(to) => gather!(F32, to),
            Data::F64(to) => gather!(F64, to),
            Data::Fixed16(to) => gather!(Fixed16, to),
            Data::Var { bytes, spans } => {
                spans.reserve(rows.len())?;
                let mut values: Vec<&[u8]> = Vec::with_capacity(AT_ONCE.min(rows.len()));
                for some in rows.chunks(AT_ONCE) {
                    values.clear();
                    values.extend(some.iter().map(|&row| {
                        let (chunk, at) = place(row);
                        chunks[chunk].bytes(at)
                    }));
                    fetch(&values);
                    for value in &values {
                        spans.push(put(bytes, value)?)?;
                    }
                    pace.step();
                }
            }
        }
        if chunks.iter().any(|chunk| chunk.nulls.any()) {
            for &row in rows {
                let (chunk, at) = place(row);
                made.nulls.push(chunks[chunk].is_null(at))?;
            }
        } else {
            made.nulls.push_zeros(rows.len());
        }
        made.len = rows.len();
        Ok(made)
    }

    /// Gives back the room that no value needs.
    ///
    /// # Errors
    /// 53200: then the column is as before.
    pub fn shrink(&mut self) -> Result<()> {
        super::each_kind!(&mut self.data, values => values.shrink(),
            (bytes, spans) => { bytes.shrink()?; spans.shrink() })
    }

    /// The bytes that it has room for.
    pub fn capacity_bytes(&self) -> usize {
        super::each_kind!(&self.data, values => values.capacity_bytes(),
            (bytes, spans) => bytes.capacity_bytes() + spans.capacity_bytes())
    }
}
