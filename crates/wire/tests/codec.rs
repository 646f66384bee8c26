//! What clients send is read exactly; what is malformed is refused without harm.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use base::Oid;
use proptest::prelude::*;
use wire::frontend::{Format, Frame, Message, Target};
use wire::startup::{First, Version};

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

fn decode(kind: u8, body: &[u8]) -> base::Result<()> {
    let bytes = framed(kind, body);
    let frame = Frame::split(&bytes)?.expect("all of it is there");
    assert_eq!(frame.total_bytes(), bytes.len());
    frame.decode().map(drop)
}

#[test]
fn a_bind_message_is_read_without_copies() {
    let body = b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x04\0\0\0\x2a\xff\xff\xff\xff\0\x02\0\0\0\x01";
    let bytes = framed(b'B', body);
    let frame = Frame::split(&bytes).unwrap().unwrap();
    let Message::Bind(bind) = frame.decode().unwrap() else { panic!("not a Bind") };
    assert_eq!((bind.portal, bind.statement), (&b"p"[..], &b"s"[..]));
    assert_eq!(bind.parameter_formats.get(1).unwrap(), Format::Binary);
    let values: Vec<_> = bind.parameters.iter().collect();
    assert_eq!(values, [Some(&[0, 0, 0, 42][..]), None]);
    assert!(bind.result_formats.fits(2) && !bind.result_formats.fits(3));
    assert_eq!(bind.result_formats.get(0).unwrap(), Format::Text);
    assert_eq!(bind.result_formats.get(1).unwrap(), Format::Binary);
}

#[test]
fn parse_describe_and_execute_are_read() {
    let bytes = framed(b'P', b"s\0select $1\0\0\x01\0\0\0\x17");
    let Message::Parse(parse) = Frame::split(&bytes).unwrap().unwrap().decode().unwrap() else {
        panic!("not a Parse")
    };
    assert_eq!(parse.query, b"select $1");
    assert_eq!(parse.types.iter().collect::<Vec<_>>(), [Oid(23)]);
    let bytes = framed(b'D', b"Sx\0");
    let message = Frame::split(&bytes).unwrap().unwrap().decode().unwrap();
    assert_eq!(message, Message::Describe(Target::Statement(b"x")));
    let bytes = framed(b'E', b"\0\0\0\0\x05");
    let message = Frame::split(&bytes).unwrap().unwrap().decode().unwrap();
    assert_eq!(message, Message::Execute { portal: b"", rows_max: 5 });
}

#[test]
fn a_claimed_length_takes_no_memory_and_an_impossible_one_is_refused() {
    assert_eq!(Frame::split(b"Q\x3f\xff\xff\xffselect").unwrap(), None);
    for bytes in
        [&b"Q\0\0\0\x03"[..], b"Q\xff\xff\xff\xff", b"Q\x40\0\0\x05", b"S\0\0\x40\0", b"\x01", b"x"]
    {
        assert_eq!(Frame::split(bytes).unwrap_err().sqlstate().as_str(), "08P01", "{bytes:?}");
    }
}

#[test]
fn malformed_bodies_are_protocol_violations() {
    let cases: [(u8, &[u8]); 12] = [
        (b'Q', b"select 1"),
        (b'Q', b"select 1\0x"),
        (b'P', b"s\0q\0\xff\xff"),
        (b'P', b"s\0q\0\0\x02\0\0\0\x17"),
        (b'B', b"p\0s\0\0\0\0\x01\xff\xff\xff\xfe\0\0"),
        (b'B', b"p\0s\0\0\0\0\x01\0\0\0\x09abc\0\0"),
        (b'B', b"p\0s\0\xff\xff\0\0\0\0"),
        (b'D', b"Xname\0"),
        (b'C', b"S"),
        (b'E', b"p\0\0\0"),
        (b'S', b"x"),
        (b'f', b"no end"),
    ];
    for (kind, body) in cases {
        let error = decode(kind, body).unwrap_err();
        assert_eq!(error.sqlstate().as_str(), "08P01", "{} {body:?}", char::from(kind));
        assert_eq!(error.fields().severity, base::Severity::Fatal);
    }
}

fn packet(body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len() + 4).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

#[test]
fn first_packets_are_read() {
    let bytes = packet(b"\0\x03\0\x02user\0me\0_pq_.x\0y\0database\0d\0\0");
    let Some((First::Startup(startup), length)) = First::split(&bytes).unwrap() else {
        panic!("not a startup packet")
    };
    assert_eq!(length, bytes.len());
    assert_eq!((startup.get("user"), startup.get("database")), (Some("me"), Some("d")));
    assert_eq!(startup.unknown_options, ["_pq_.x"]);
    assert_eq!(startup.agreed_version(), Version::V3_2);
    assert!(startup.must_negotiate());
    let bytes = packet(b"\x04\xd2\x16\x2e\0\0\0\x07longer key of 3.2");
    let (first, _) = First::split(&bytes).unwrap().unwrap();
    assert_eq!(first, First::Cancel { pid: 7, key: b"longer key of 3.2" });
    assert_eq!(First::split(&bytes[..9]).unwrap(), None);
}

#[test]
fn broken_first_packets_are_refused() {
    let cases = [
        packet(b"\0\x03\0\0user\0me\0"),
        packet(b"\0\x03\0\0user\0me"),
        packet(b"\0\x03\0\0user\0me\0\0x"),
        packet(b"\0\x03\0\0user\0\xff\xfe\0\0"),
        packet(b"\x04\xd2\x16\x2e\0\0\0\x07"),
        b"\xff\xff\xff\xff".to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"\0\0\0\x07\0\x03\0\0".to_vec(),
    ];
    for bytes in cases {
        assert_eq!(First::split(&bytes).unwrap_err().sqlstate().as_str(), "08P01", "{bytes:?}");
    }
    let old = First::split(&packet(b"\0\x02\0\0user\0me\0\0")).unwrap_err();
    assert_eq!(old.message(), "unsupported frontend protocol 2.0: server supports 3.0 to 3.2");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = First::split(&bytes);
        if let Ok(Some(frame)) = Frame::split(&bytes) {
            let _ = frame.decode();
        }
        for kind in *b"QPBDCEHSXdcfpF" {
            let _ = decode(kind, &bytes);
        }
    }
}
