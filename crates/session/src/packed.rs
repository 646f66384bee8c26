//! Values packed one behind the other, in a form of this process only.

use types::Datum;

/// Appends a value.
pub fn pack(out: &mut Vec<u8>, datum: &Datum<'_>) {
    let mut fixed = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(bytes);
    };
    match datum {
        Datum::Null => fixed(0, &[]),
        Datum::Bool(value) => fixed(1, &[u8::from(*value)]),
        Datum::Char(value) => fixed(2, &[*value]),
        Datum::Int2(value) => fixed(3, &value.to_le_bytes()),
        Datum::Int4(value) => fixed(4, &value.to_le_bytes()),
        Datum::Int8(value) => fixed(5, &value.to_le_bytes()),
        Datum::Oid(value) => fixed(6, &value.to_le_bytes()),
        Datum::Float4(value) => fixed(7, &value.to_le_bytes()),
        Datum::Float8(value) => fixed(8, &value.to_le_bytes()),
        Datum::Decimal { mantissa, scale } => {
            fixed(9, &mantissa.to_le_bytes());
            out.extend_from_slice(&scale.to_le_bytes());
        }
        Datum::Fixed16(value) => fixed(10, value),
        Datum::Text(text) => pack_bytes(out, 11, text.as_bytes()),
        Datum::Bytes(bytes) => pack_bytes(out, 12, bytes),
    }
}

fn pack_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    // No value is larger than 1 GB.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Takes the first value off; nothing when the bytes are not what was packed.
pub fn unpack<'b>(rest: &mut &'b [u8]) -> Option<Datum<'b>> {
    fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
        let (head, tail) = rest.split_first_chunk::<N>()?;
        *rest = tail;
        Some(*head)
    }
    let [tag] = array::<1>(rest)?;
    Some(match tag {
        0 => Datum::Null,
        1 => Datum::Bool(array::<1>(rest)? == [1]),
        2 => Datum::Char(array::<1>(rest)?[0]),
        3 => Datum::Int2(i16::from_le_bytes(array(rest)?)),
        4 => Datum::Int4(i32::from_le_bytes(array(rest)?)),
        5 => Datum::Int8(i64::from_le_bytes(array(rest)?)),
        6 => Datum::Oid(u32::from_le_bytes(array(rest)?)),
        7 => Datum::Float4(f32::from_le_bytes(array(rest)?)),
        8 => Datum::Float8(f64::from_le_bytes(array(rest)?)),
        9 => Datum::Decimal {
            mantissa: i64::from_le_bytes(array(rest)?),
            scale: u16::from_le_bytes(array(rest)?),
        },
        10 => Datum::Fixed16(array(rest)?),
        tag => {
            let length = usize::try_from(u32::from_le_bytes(array(rest)?)).ok()?;
            let (bytes, tail) = rest.split_at_checked(length)?;
            *rest = tail;
            if tag == 11 {
                Datum::Text(std::str::from_utf8(bytes).ok()?)
            } else {
                Datum::Bytes(bytes)
            }
        }
    })
}
