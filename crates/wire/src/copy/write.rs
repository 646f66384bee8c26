//! Fields on their way out.

use super::{Csv, TextFormat};

/// Appends a value in text format.
pub fn write_text_field(out: &mut Vec<u8>, value: &[u8], format: &TextFormat) {
    for &byte in value {
        let letter = match byte {
            8 => b'b',
            12 => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            11 => b'v',
            b'\\' => b'\\',
            byte if byte == format.delimiter => byte,
            byte => {
                out.push(byte);
                continue;
            }
        };
        out.push(b'\\');
        out.push(letter);
    }
}

/// Appends a value in CSV format. `force` quotes it in any case; `alone` says that it is the
/// record's only field.
pub fn write_csv_field(
    out: &mut Vec<u8>,
    value: &[u8],
    format: &TextFormat,
    csv: Csv,
    force: bool,
    alone: bool,
) {
    let special = |byte: &u8| {
        *byte == format.delimiter || *byte == csv.quote || matches!(*byte, b'\n' | b'\r')
    };
    let quoted =
        force || value == format.null || (alone && value == b"\\.") || value.iter().any(special);
    if !quoted {
        out.extend_from_slice(value);
        return;
    }
    out.push(csv.quote);
    for &byte in value {
        if byte == csv.quote || byte == csv.escape {
            out.push(csv.escape);
        }
        out.push(byte);
    }
    out.push(csv.quote);
}

/// Appends NULL, in text or CSV format.
pub fn write_csv_null(out: &mut Vec<u8>, format: &TextFormat) {
    out.extend_from_slice(&format.null);
}
