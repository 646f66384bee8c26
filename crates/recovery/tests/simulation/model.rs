//! What must be there.

use base::{FileId, RowId};
use disk::Random;
use std::collections::BTreeMap;

/// A row: its unique key and its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) key: i64,
    pub(crate) value: Option<Vec<u8>>,
}

pub(crate) type Rows = BTreeMap<RowId, Row>;

/// The trees of a table: its own, a unique index over keys, an index over values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Trees {
    pub(crate) table: FileId,
    pub(crate) unique: FileId,
    pub(crate) values: FileId,
}

/// All tables; the rows with even and with odd keys apart, because two transactions that run at the
/// same time change one kind each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Model {
    pub(crate) tables: BTreeMap<u32, Trees>,
    pub(crate) halves: [BTreeMap<u32, Rows>; 2],
}

impl Model {
    /// The rows of a table.
    pub(crate) fn rows(&self, table: u32) -> Rows {
        let halves = self.halves.iter().filter_map(|half| half.get(&table));
        halves.flatten().map(|(row, value)| (*row, value.clone())).collect()
    }
}

pub(crate) fn key_bytes(key: i64) -> Vec<u8> {
    key.to_be_bytes().to_vec()
}

/// The key of a value in the second index.
pub(crate) fn value_bytes(value: Option<&[u8]>) -> Vec<u8> {
    match value {
        None => vec![2],
        Some(bytes) => [&[1], &bytes[..bytes.len().min(60)]].concat(),
    }
}

/// A value: mostly short, sometimes of half a page, at times of several pages.
pub(crate) fn random_value(random: &mut Random) -> Option<Vec<u8>> {
    let len = match random.below(20) {
        0 => return None,
        1 => random.below(30_000),
        2..5 => random.below(2_500),
        _ => random.below(60),
    };
    let plain = random.one_in(2);
    let letter = random.below(26) as u8 + b'a';
    let byte = |random: &mut Random| if plain { letter } else { random.below(256) as u8 };
    Some((0..len).map(|_| byte(random)).collect())
}
