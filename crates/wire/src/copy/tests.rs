use super::*;
use proptest::prelude::*;

type Row = Vec<Option<Vec<u8>>>;

/// Reads data that comes in pieces of that size.
fn read(data: &[u8], format: &TextFormat, piece: usize) -> base::Result<Vec<Row>> {
    let mut records = Records::new(format.clone());
    let mut fields = Fields::new(usize::MAX);
    let mut rows = Vec::new();
    let mut take = |records: &mut Records| -> base::Result<()> {
        while let Some(record) = records.next_record()? {
            fields.split(record, format)?;
            let field = |i| match fields.get(i).unwrap() {
                Field::Value(bytes) => Some(bytes.to_vec()),
                Field::Null | Field::Default => None,
            };
            rows.push((0..fields.len()).map(field).collect());
        }
        Ok(())
    };
    for piece in data.chunks(piece) {
        records.push(piece);
        take(&mut records)?;
    }
    records.end();
    take(&mut records)?;
    Ok(rows)
}

fn rows(rows: &[&[Option<&str>]]) -> Vec<Row> {
    rows.iter()
        .map(|row| row.iter().map(|field| field.map(|f| f.as_bytes().to_vec())).collect())
        .collect()
}

#[test]
fn text_is_cut_and_unescaped_wherever_it_is_broken() {
    let data = b"1\ta\\tb\\\\\n2\t\\N\n3\tx\\\ny\\x41\\101\\q\n\n\\.\nrest";
    let expected = rows(&[
        &[Some("1"), Some("a\tb\\")],
        &[Some("2"), None],
        &[Some("3"), Some("x\nyAAq")],
        &[Some("")],
    ]);
    for piece in 1..data.len() {
        assert_eq!(read(data, &TextFormat::text(), piece).unwrap(), expected, "{piece}");
    }
}

#[test]
fn csv_is_cut_and_unquoted_wherever_it_is_broken() {
    let data = b"1,\"a \"\"b\"\"\r\nc\",\r\n\"\",x\"y,z\"w,\\.\r\n\\.\r\nlast,,\"e\"";
    let expected = rows(&[
        &[Some("1"), Some("a \"b\"\r\nc"), None],
        &[Some(""), Some("xy,zw"), Some("\\.")],
        &[Some("\\.")],
        &[Some("last"), None, Some("e")],
    ]);
    for piece in 1..data.len() {
        assert_eq!(read(data, &TextFormat::csv(), piece).unwrap(), expected, "{piece}");
    }
    let mut format = TextFormat::csv();
    format.csv = Some(Csv { quote: b'\'', escape: b'\\' });
    let data = b"'a\\'b\\\\','\n'\n";
    assert_eq!(read(data, &format, 3).unwrap(), rows(&[&[Some("a'b\\"), Some("\n")]]));
}

#[test]
fn broken_data_is_refused() {
    let text = TextFormat::text();
    let csv = TextFormat::csv();
    for (data, format, message) in [
        (&b"a\nb\r\n"[..], &text, "literal carriage return found in data"),
        (b"a\r\nb\n", &text, "literal newline found in data"),
        (b"a\r\nb\n", &csv, "unquoted newline found in data"),
        (b"a,\"b\n", &csv, "unterminated CSV quoted field"),
        (b"a\\.\n", &text, "end-of-copy marker is not alone on its line"),
        (b"\\.a\n", &text, "end-of-copy marker is not alone on its line"),
        (b"a\n\\.\r", &text, "end-of-copy marker does not match previous newline style"),
    ] {
        let error = read(data, format, 2).unwrap_err();
        assert_eq!((error.message(), error.sqlstate().as_str()), (message, "22P04"));
    }
}

#[test]
fn binary_rows_are_read_and_broken_ones_refused() {
    let mut data = BINARY_HEADER.to_vec();
    data.extend_from_slice(b"\0\x02\0\0\0\x03abc\xff\xff\xff\xff\0\x02\0\0\0\0\0\0\0\x01x\xff\xff");
    for piece in 1..data.len() {
        let mut reader = BinaryRows::new();
        let mut seen = Vec::new();
        for piece in data.chunks(piece) {
            reader.push(piece).unwrap();
            while reader.next_row(2).unwrap() {
                seen.push((0..2).map(|i| reader.field(i).map(<[u8]>::to_vec)).collect::<Row>());
            }
        }
        assert_eq!(seen, rows(&[&[Some("abc"), None], &[Some(""), Some("x")]]));
    }
    let with = |body: &[u8]| [BINARY_HEADER.as_slice(), body].concat();
    for (data, message) in [
        (b"PGCOPX\n\xff\r\n\0".to_vec(), "COPY file signature not recognized"),
        (b"PGCOPY\n\xff\r\n\0\0\x01\0\0".to_vec(), "invalid COPY file header (WITH OIDS)"),
        (with(b"\0\x03"), "row field count is 3, expected 2"),
        (with(b"\0\x02\x7f\xff\xff\xff"), "invalid field size"),
        (with(b"\0\x02\0\0\0\x09abc"), "unexpected EOF in COPY data"),
        (with(b"\xff\xffx"), "received copy data after EOF marker"),
    ] {
        let mut reader = BinaryRows::new();
        reader.push(&data).unwrap();
        reader.end();
        assert_eq!(reader.next_row(2).unwrap_err().message(), message);
    }
}

fn field() -> impl Strategy<Value = Option<Vec<u8>>> {
    let byte = prop_oneof![
        Just(b'\\'),
        Just(b'"'),
        Just(b','),
        Just(b'\t'),
        Just(b'\n'),
        Just(b'\r'),
        Just(b'N'),
        Just(b'.'),
        1u8..=255
    ];
    proptest::option::weighted(0.8, proptest::collection::vec(byte, 0..6))
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        table in proptest::collection::vec(proptest::collection::vec(field(), 2..4), 0..5),
        piece in 1usize..20,
    ) {
        for format in [TextFormat::text(), TextFormat::csv()] {
            let mut out = Vec::new();
            for row in &table {
                for (at, field) in row.iter().enumerate() {
                    if at > 0 {
                        out.push(format.delimiter);
                    }
                    match (field, format.csv) {
                        (None, _) => write_csv_null(&mut out, &format),
                        (Some(v), None) => write_text_field(&mut out, v, &format),
                        (Some(v), Some(csv)) => write_csv_field(&mut out, v, &format, csv, false, false),
                    }
                }
                out.push(b'\n');
            }
            prop_assert_eq!(read(&out, &format, piece).unwrap(), table.clone());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..100)) {
        for format in [TextFormat::text(), TextFormat::csv()] {
            let _ = read(&data, &format, 7);
        }
        let mut reader = BinaryRows::new();
        let _ = reader.push(&data);
        let _ = reader.next_row(1);
        let mut reader = BinaryRows::new();
        let _ = reader.push(&[BINARY_HEADER.as_slice(), &data].concat());
        while let Ok(true) = reader.next_row(1) {}
    }
}

/// Of a record with too many fields the first ones are kept and all are counted.
#[test]
fn fields_beyond_those_that_are_wanted_are_counted() {
    let mut fields = Fields::new(2);
    fields.split(b"a\tb\tc\td", &TextFormat::text()).unwrap();
    assert_eq!(fields.len(), 4);
    assert_eq!(fields.get(1), Some(Field::Value(b"b")));
    assert_eq!(fields.get(2), None);
}
