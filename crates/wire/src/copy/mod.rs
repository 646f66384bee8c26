//! The data formats of COPY: text, CSV and binary.
//!
//! Reading: push what arrives into [`Records`] (text and CSV) or [`BinaryRows`]; take whole
//! records out; [`Fields`] has the parts of one. Writing: one function a field.
//!
//! Rules
//! 1. Data may be cut anywhere: between bytes of a character, in an escape, in a quoted field.
//! 2. Nothing is allocated for a claimed length; a record is given out when all of it is there.
//! 3. Nothing here knows columns or types: fields are bytes, or NULL.

mod binary;
mod fields;
mod records;
mod write;

pub use binary::{BINARY_HEADER, BINARY_TRAILER, BinaryRows};
pub use fields::{Field, Fields};
pub use records::Records;
pub use write::{write_csv_field, write_csv_null, write_text_field};

/// How text or CSV is written. The bytes are ASCII.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextFormat {
    /// The byte between fields.
    pub delimiter: u8,
    /// What stands for NULL.
    pub null: Vec<u8>,
    /// What stands for a column's default, if anything does.
    pub default: Option<Vec<u8>>,
    /// What is particular to CSV; nothing for text.
    pub csv: Option<Csv>,
}

/// What CSV has beyond text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Csv {
    /// The byte around fields.
    pub quote: u8,
    /// The byte before a quote, or before itself, within a field.
    pub escape: u8,
}

impl TextFormat {
    /// PostgreSQL's text format.
    pub fn text() -> TextFormat {
        TextFormat { delimiter: b'\t', null: b"\\N".to_vec(), default: None, csv: None }
    }

    /// PostgreSQL's CSV format.
    pub fn csv() -> TextFormat {
        let csv = Some(Csv { quote: b'"', escape: b'"' });
        TextFormat { delimiter: b',', null: Vec::new(), default: None, csv }
    }
}

/// 22P04.
#[cold]
fn bad_format(message: impl Into<String>) -> base::Error {
    base::Error::new(base::SqlState::BAD_COPY_FILE_FORMAT, message)
}

#[cfg(test)]
mod tests;
