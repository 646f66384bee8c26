//! The entries of indexes, as the values of a row make them.

use base::Result;
use batch::Layout;
use types::{Datum, KeyColumn, TypeHost, key};

/// How the entries of an index are written.
#[derive(Clone, Debug)]
pub struct EntryShape {
    /// How its keys are ordered; their types are those under domains.
    pub columns: Vec<KeyColumn>,
    /// How the columns of INCLUDE are stored.
    pub included: Vec<Layout>,
}

impl EntryShape {
    /// Appends the key and the payload of the entry for `values`: those of the keys, then those of
    /// INCLUDE. Returns whether one of the keys is NULL.
    ///
    /// # Errors
    /// Those of types without an order.
    pub fn encode(
        &self,
        host: &dyn TypeHost,
        values: &[Datum<'_>],
        key: &mut Vec<u8>,
        payload: &mut Vec<u8>,
    ) -> Result<bool> {
        let (keys, included) = values.split_at(self.columns.len().min(values.len()));
        key::encode(host, &self.columns, keys, key)?;
        for (layout, value) in self.included.iter().zip(included) {
            let at = payload.len();
            payload.extend_from_slice(&u32::MAX.to_le_bytes());
            if !value.is_null() {
                layout.encode(value, payload)?;
                let len = (payload.len() - at - 4) as u32;
                payload[at..at + 4].copy_from_slice(&len.to_le_bytes());
            }
        }
        Ok(keys.iter().any(Datum::is_null))
    }
}
