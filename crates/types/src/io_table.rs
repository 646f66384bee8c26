//! The dispatch of input and output by OID.

use crate::array::{self, Array};
use crate::datetime::{self, Interval, TimeTz, interval, wire as time_wire};
use crate::datum::{Arena, Datum};
use crate::inet::Inet;
use crate::io::{Io, TypeClass};
use crate::json;
use crate::jsonb::{self, Jsonb};
use crate::jsonpath::Path;
use crate::numeric::{self, Numeric, NumericBuf};
use crate::oids::{self, *};
use crate::record::{self, Record};
use crate::scalar::{self, fixed, incorrect_binary};
use crate::snapshot::SnapshotValue;
use crate::{float, macaddr, money, text};
use base::{Error, Result, err};
use memory::collections::Output;

fn no_input(type_oid: u32) -> Error {
    err!(FEATURE_NOT_SUPPORTED, "cannot accept a value of type {}", type_name(type_oid))
}

fn no_output(type_oid: u32) -> Error {
    err!(FEATURE_NOT_SUPPORTED, "cannot display a value of type {}", type_name(type_oid))
}

/// `pg_type.typname` of a built-in type.
fn type_name(type_oid: u32) -> &'static str {
    oids::builtin(type_oid).map_or("???", |t| t.name)
}

/// The name of a built-in type as SQL and messages have it.
pub(crate) fn format_type(type_oid: u32) -> String {
    let Some(facts) = oids::builtin(type_oid) else { return "???".into() };
    if facts.is_array {
        return format!("{}[]", format_type(facts.element));
    }
    match type_oid {
        BOOL => "boolean",
        CHAR => "\"char\"",
        INT2 => "smallint",
        INT4 => "integer",
        INT8 => "bigint",
        FLOAT4 => "real",
        FLOAT8 => "double precision",
        BPCHAR => "character",
        VARCHAR => "character varying",
        VARBIT => "bit varying",
        TIME => "time without time zone",
        TIMETZ => "time with time zone",
        TIMESTAMP => "timestamp without time zone",
        TIMESTAMPTZ => "timestamp with time zone",
        ANY => "\"any\"",
        _ => facts.name,
    }
    .into()
}

fn class(io: &Io<'_>, type_oid: u32) -> Result<TypeClass> {
    io.host.class(type_oid)
}

pub(crate) fn input<'m>(
    io: &Io<'_>,
    type_oid: u32,
    typmod: i32,
    text: &str,
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    match class(io, type_oid)? {
        TypeClass::Builtin => {}
        TypeClass::Array { element, delimiter } => {
            return array::parse(io, element, delimiter, typmod, text, arena);
        }
        TypeClass::Composite => return record::parse(io, type_oid, text, arena),
        TypeClass::Host => return io.host.input(io, type_oid, typmod, text, arena),
    }
    Ok(match type_oid {
        BOOL => Datum::Bool(scalar::parse_bool(text)?),
        CHAR => Datum::Char(scalar::parse_char(text)),
        INT2 => Datum::Int2(scalar::parse_int2(text)?),
        INT4 => Datum::Int4(scalar::parse_int4(text)?),
        INT8 => Datum::Int8(scalar::parse_int8(text)?),
        FLOAT4 => Datum::Float4(float::parse_f32(text)?),
        FLOAT8 => Datum::Float8(float::parse_f64(text)?),
        NUMERIC => {
            let value = if typmod == -1 {
                NumericBuf::parse(text)?
            } else {
                NumericBuf::parse(text)?.apply_typmod(typmod)?
            };
            value.to_datum(arena)?
        }
        TEXT | UNKNOWN | CSTRING | REFCURSOR | XML | ACLITEM => Datum::Text(arena.put_str(text)?),
        VARCHAR => Datum::Text(arena.put_str(text::fit_varchar(text, typmod, false)?)?),
        BPCHAR => Datum::Text(text::fit_bpchar(text, typmod, false, arena)?),
        NAME => Datum::Text(arena.put_str(text::fit_name(text))?),
        BYTEA => text::parse_bytea(text, arena)?,
        JSON => {
            json::validate(text)?;
            Datum::Text(arena.put_str(text)?)
        }
        JSONB => jsonb::parse(text, arena)?,
        JSONPATH => {
            let account = arena.account();
            let _toll = Path::toll(text, &account)?;
            let path = Path::parse(text)?;
            path.check_patterns(&mut |pattern, flags| {
                io.host.check_pattern(pattern, flags, &account)
            })?;
            Datum::Text(arena.put_str(&path.stored())?)
        }
        XID | XID8 => Datum::Int8(scalar::parse_xid(text, type_name(type_oid))?.cast_signed()),
        PG_LSN => Datum::Int8(scalar::parse_lsn(text)?.cast_signed()),
        TID => Datum::Int8(scalar::parse_tid(text)?.cast_signed()),
        OID | CID => Datum::Oid(scalar::parse_oid(text, type_name(type_oid))?),
        REGPROC | REGPROCEDURE | REGOPER | REGOPERATOR | REGCLASS | REGTYPE | REGCONFIG
        | REGDICTIONARY | REGNAMESPACE | REGROLE | REGCOLLATION => {
            if text == "-" {
                Datum::Oid(0)
            } else {
                Datum::Oid(scalar::parse_oid(text, "oid")?)
            }
        }
        UUID => Datum::Fixed16(scalar::parse_uuid(text)?),
        MONEY => Datum::Int8(money::parse(text)?),
        BIT => text::bits::parse(text, typmod, false, arena)?,
        VARBIT => text::bits::parse(text, typmod, true, arena)?,
        INT2VECTOR | OIDVECTOR => vector_input(type_oid, text, arena)?,
        PG_SNAPSHOT | TXID_SNAPSHOT => {
            Datum::Bytes(arena.put(&SnapshotValue::parse(text)?.encode())?)
        }
        INET => Inet::parse(text)?.with_stored(|stored| arena.put(stored)).map(Datum::Bytes)?,
        CIDR => {
            Inet::parse_cidr(text)?.with_stored(|stored| arena.put(stored)).map(Datum::Bytes)?
        }
        MACADDR => Datum::Bytes(arena.put(&macaddr::parse6(text)?)?),
        MACADDR8 => Datum::Bytes(arena.put(&macaddr::parse8(text)?)?),
        VOID => Datum::Text(""),
        _ => return date_time_input(io, type_oid, typmod, text),
    })
}

fn date_time_input<'m>(io: &Io<'_>, type_oid: u32, typmod: i32, text: &str) -> Result<Datum<'m>> {
    use datetime::parse;
    Ok(match type_oid {
        DATE => Datum::Int4(parse::date(text, io.env)?),
        TIME => Datum::Int8(parse::time(text, typmod, io.env)?),
        TIMETZ => Datum::Fixed16(parse::timetz(text, typmod, io.env)?.to_fixed()),
        TIMESTAMP => Datum::Int8(parse::timestamp(text, typmod, io.env)?),
        TIMESTAMPTZ => Datum::Int8(parse::timestamptz(text, typmod, io.env)?),
        INTERVAL => {
            Datum::Fixed16(interval::parse(text, typmod, io.env.interval_style)?.to_fixed())
        }
        PG_NODE_TREE => return Err(no_input(type_oid)),
        _ => return Err(unsupported_or(type_oid, no_input(type_oid))),
    })
}

/// The error of a type that this crate cannot read or write: pseudo-types and internal types say
/// so as PostgreSQL does.
fn unsupported_or(type_oid: u32, otherwise: Error) -> Error {
    match oids::builtin(type_oid) {
        Some(facts) if facts.kind == b'p' || facts.category == b'Z' => otherwise,
        Some(facts) => Error::unsupported(format!("type {} is not supported yet", facts.name)),
        None => err!(UNDEFINED_OBJECT, "cache lookup failed for type {type_oid}"),
    }
}

fn vector_input<'m>(type_oid: u32, text: &str, arena: &dyn Arena<'m>) -> Result<Datum<'m>> {
    let element = if type_oid == INT2VECTOR { INT2 } else { OID };
    let mut values = array::Elements::new(element, arena);
    for part in text.split(scalar::is_space).filter(|part| !part.is_empty()) {
        values.push(|_| match element {
            INT2 => scalar::parse_int2(part).map(Datum::Int2),
            _ => scalar::parse_oid(part, "oid").map(Datum::Oid),
        })?;
    }
    values.finish(&[array::Dimension { length: values.len() as i32, lower: 0 }])
}

/// An int2vector or oidvector: an array of one dimension from 0.
///
/// # Errors
/// 53200
pub fn vector<'m>(element: u32, values: &[Datum<'_>], arena: &dyn Arena<'m>) -> Result<Datum<'m>> {
    let dims = [array::Dimension { length: values.len() as i32, lower: 0 }];
    array::to_datum(element, &dims, values, arena)
}

pub(crate) fn output(
    io: &Io<'_>,
    type_oid: u32,
    datum: &Datum<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    match class(io, type_oid)? {
        TypeClass::Builtin => {}
        TypeClass::Array { delimiter, .. } => {
            return array::write(io, &Array::from_datum(datum)?, delimiter, out);
        }
        TypeClass::Composite => return record::write(io, &Record::from_datum(datum)?, out),
        TypeClass::Host => return io.host.output(io, type_oid, datum, out),
    }
    builtin_output(io, type_oid, datum, out)
}

/// Text output of a type of class [`TypeClass::Builtin`], without asking for its class.
pub(crate) fn builtin_output(
    io: &Io<'_>,
    type_oid: u32,
    datum: &Datum<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    match type_oid {
        NUMERIC => numeric::write(datum, out),
        TEXT | UNKNOWN | CSTRING | REFCURSOR | XML | ACLITEM | VARCHAR | BPCHAR | NAME | JSON
        | PG_NODE_TREE => out.extend_from_slice(datum.text()?.as_bytes()),
        BYTEA => text::write_bytea(datum.bytes()?, io.env.bytea_output, out),
        JSONB => Jsonb::new(datum.bytes()?).write(out),
        JSONPATH => write_path(datum.text()?, out),
        BIT | VARBIT => text::bits::write(datum.bytes()?, out),
        INT2VECTOR | OIDVECTOR => {
            let array = Array::from_datum(datum)?;
            for (i, value) in array.iter().enumerate() {
                if i > 0 {
                    out.push(b' ')?;
                }
                builtin_output(io, array.element_type(), &value?, out)?;
            }
            Ok(())
        }
        VOID => Ok(()),
        PG_SNAPSHOT | TXID_SNAPSHOT => {
            out.extend_from_slice(SnapshotValue::from_datum(datum)?.text().as_bytes())
        }
        ANYARRAY | ANYCOMPATIBLEARRAY => {
            let array = Array::from_datum(datum)?;
            array::write(io, &array, b',', out)
        }
        _ => short_output(io, type_oid, datum, out.room(SHORT_BYTES)?),
    }
}

/// No form of the types of [`short_output`] has more bytes.
const SHORT_BYTES: usize = 160;

/// Text output of types whose forms are short.
fn short_output(io: &Io<'_>, type_oid: u32, datum: &Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
    match type_oid {
        BOOL => out.push(if datum.bool()? { b't' } else { b'f' }),
        CHAR => scalar::write_char(datum.char()?, out),
        INT2 => scalar::write_int(datum.int2()?.into(), out),
        INT4 => scalar::write_int(datum.int4()?.into(), out),
        INT8 => scalar::write_int(datum.int8()?, out),
        FLOAT4 => float::write_f32(datum.float4()?, io.env.extra_float_digits, out),
        FLOAT8 => float::write_f64(datum.float8()?, io.env.extra_float_digits, out),
        XID | XID8 => scalar::write_uint(datum.int8()?.cast_unsigned(), out),
        PG_LSN => scalar::write_lsn(datum.int8()?.cast_unsigned(), out),
        TID => scalar::write_tid(datum.int8()?.cast_unsigned(), out),
        OID | CID => scalar::write_uint(datum.oid()?.into(), out),
        REGPROC | REGPROCEDURE | REGOPER | REGOPERATOR | REGCLASS | REGTYPE | REGCONFIG
        | REGDICTIONARY | REGNAMESPACE | REGROLE | REGCOLLATION => match datum.oid()? {
            0 => out.push(b'-'),
            oid => scalar::write_uint(oid.into(), out),
        },
        UUID => scalar::write_uuid(&datum.fixed16()?, out),
        MONEY => money::write(datum.int8()?, out),
        INET => Inet::from_datum(datum)?.write(out),
        CIDR => Inet::from_datum(datum)?.write_full(out),
        MACADDR | MACADDR8 => macaddr::write(datum.bytes()?, out),
        DATE => datetime::format::date(datum.int4()?, io.env, out),
        TIME => datetime::format::time(datum.int8()?, out),
        TIMETZ => datetime::format::timetz(TimeTz::from_fixed(datum.fixed16()?), out),
        TIMESTAMP => datetime::format::timestamp(datum.int8()?, io.env, out),
        TIMESTAMPTZ => datetime::format::timestamptz(datum.int8()?, io.env, out),
        INTERVAL => {
            let value = Interval::from_fixed(datum.fixed16()?);
            datetime::format::interval(value, io.env.interval_style, out);
        }
        _ => return Err(unsupported_or(type_oid, no_output(type_oid))),
    }
    Ok(())
}

pub(crate) fn recv<'m>(
    io: &Io<'_>,
    type_oid: u32,
    typmod: i32,
    bytes: &[u8],
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    match class(io, type_oid)? {
        TypeClass::Builtin => {}
        TypeClass::Array { element, .. } => {
            return array::recv(io, element, typmod, bytes, arena);
        }
        TypeClass::Composite => return record::recv(io, type_oid, bytes, arena),
        TypeClass::Host => return io.host.recv(io, type_oid, typmod, bytes, arena),
    }
    let i64_of = |bytes: &[u8]| fixed(bytes).map(i64::from_be_bytes);
    Ok(match type_oid {
        BOOL => Datum::Bool(fixed::<1>(bytes)?[0] != 0),
        CHAR => Datum::Char(fixed::<1>(bytes)?[0]),
        INT2 => Datum::Int2(i16::from_be_bytes(fixed(bytes)?)),
        INT4 => Datum::Int4(i32::from_be_bytes(fixed(bytes)?)),
        INT8 | XID8 | PG_LSN | MONEY => Datum::Int8(i64_of(bytes)?),
        XID if bytes.len() == 4 => Datum::Int8(i64::from(u32::from_be_bytes(fixed(bytes)?))),
        XID => Datum::Int8(i64_of(bytes)?),
        FLOAT4 => Datum::Float4(f32::from_be_bytes(fixed(bytes)?)),
        FLOAT8 => Datum::Float8(f64::from_be_bytes(fixed(bytes)?)),
        OID | CID | REGPROC | REGPROCEDURE | REGOPER | REGOPERATOR | REGCLASS | REGTYPE
        | REGCONFIG | REGDICTIONARY | REGNAMESPACE | REGROLE | REGCOLLATION => {
            Datum::Oid(u32::from_be_bytes(fixed(bytes)?))
        }
        NUMERIC => numeric::recv(bytes)?.apply_typmod(typmod)?.to_datum(arena)?,
        TEXT | UNKNOWN | CSTRING | REFCURSOR | XML => {
            Datum::Text(arena.put_str(text::from_client(bytes)?)?)
        }
        VARCHAR | BPCHAR | NAME | JSON => {
            return input(io, type_oid, typmod, text::from_client(bytes)?, arena);
        }
        BYTEA => Datum::Bytes(arena.put(bytes)?),
        JSONB => match bytes.split_first() {
            Some((1, rest)) => jsonb::parse(text::from_client(rest)?, arena)?,
            Some((version, _)) => {
                return Err(err!(INTERNAL_ERROR, "unsupported jsonb version number {version}"));
            }
            None => return Err(err!(PROTOCOL_VIOLATION, "no data left in message")),
        },
        JSONPATH => match bytes.split_first() {
            Some((1, rest)) => return input(io, type_oid, typmod, text::from_client(rest)?, arena),
            Some((version, _)) => {
                return Err(err!(INTERNAL_ERROR, "unsupported jsonpath version number: {version}"));
            }
            None => return Err(err!(PROTOCOL_VIOLATION, "no data left in message")),
        },
        TID => {
            let b: [u8; 6] = fixed(bytes)?;
            let block = u64::from(u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
            let offset = u64::from(u16::from_be_bytes([b[4], b[5]]));
            Datum::Int8((block << 16 | offset).cast_signed())
        }
        UUID => Datum::Fixed16(fixed(bytes)?),
        DATE => Datum::Int4(time_wire::date(bytes)?),
        TIME => Datum::Int8(time_wire::time(bytes, typmod)?),
        TIMETZ => Datum::Fixed16(time_wire::timetz(bytes, typmod)?.to_fixed()),
        TIMESTAMP | TIMESTAMPTZ => Datum::Int8(time_wire::timestamp(bytes, typmod)?),
        INTERVAL => Datum::Fixed16(time_wire::interval(bytes, typmod)?.to_fixed()),
        BIT | VARBIT => recv_bits(bytes, typmod, type_oid == VARBIT, arena)?,
        INT2VECTOR => array::recv(io, INT2, -1, bytes, arena)?,
        OIDVECTOR => array::recv(io, OID, -1, bytes, arena)?,
        PG_SNAPSHOT | TXID_SNAPSHOT => {
            Datum::Bytes(arena.put(&SnapshotValue::decode(bytes)?.encode())?)
        }
        INET | CIDR => {
            let value = Inet::recv(bytes, type_oid == CIDR)?;
            value.with_stored(|stored| arena.put(stored)).map(Datum::Bytes)?
        }
        MACADDR => Datum::Bytes(arena.put(&macaddr::recv6(bytes)?)?),
        MACADDR8 => Datum::Bytes(arena.put(&macaddr::recv8(bytes)?)?),
        VOID => Datum::Text(""),
        _ => return Err(unsupported_or(type_oid, no_input(type_oid))),
    })
}

fn recv_bits<'m>(
    bytes: &[u8],
    typmod: i32,
    varying: bool,
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let short = || err!(PROTOCOL_VIOLATION, "insufficient data left in message");
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
    let length = usize::try_from(i32::from_be_bytes(*head)).map_err(|_| {
        err!(INVALID_BINARY_REPRESENTATION, "invalid length in external bit string")
    })?;
    if rest.len() != length.div_ceil(8) {
        return Err(if rest.len() < length.div_ceil(8) { short() } else { incorrect_binary() });
    }
    text::bits::check_length(length, typmod, varying)?;
    let datum = arena.put_with(4 + rest.len(), &mut |out| {
        let (head, body) = out.split_at_mut(4);
        head.copy_from_slice(&(length as u32).to_le_bytes());
        body.copy_from_slice(rest);
        if let Some(last) = body.last_mut()
            && length % 8 != 0
        {
            *last &= 0xff << (8 - length % 8);
        }
        Ok(())
    })?;
    Ok(Datum::Bytes(datum))
}

/// Appends the text that a jsonpath is shown as.
fn write_path(stored: &str, out: &mut Output<'_>) -> Result<()> {
    let _toll = Path::toll(stored, out.scratch().account())?;
    out.extend_from_slice(Path::parse(stored)?.shown().as_bytes())
}

/// Binary forms of types of one size have no more bytes.
const SMALL_BYTES: usize = 32;

/// Whether the bytes of a value are its binary form.
fn sent_as_is(type_oid: u32) -> bool {
    matches!(type_oid, BYTEA | PG_SNAPSHOT | TXID_SNAPSHOT | MACADDR | MACADDR8)
}

pub(crate) fn send(
    io: &Io<'_>,
    type_oid: u32,
    datum: &Datum<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    match class(io, type_oid)? {
        TypeClass::Builtin => {}
        TypeClass::Array { .. } => return array::send(io, &Array::from_datum(datum)?, out),
        TypeClass::Composite => return record::send(io, &Record::from_datum(datum)?, out),
        TypeClass::Host => return io.host.send(io, type_oid, datum, out),
    }
    match type_oid {
        XID if io.env.xid_binary_32 => {
            // The one place where a transaction id is cut.
            out.extend_from_slice(&(datum.int8()? as u32).to_be_bytes())?;
        }
        TID => {
            let row = datum.int8()?.cast_unsigned();
            out.extend_from_slice(&((row >> 16) as u32).to_be_bytes())?;
            out.extend_from_slice(&(row as u16).to_be_bytes())?;
        }
        NUMERIC => {
            let digits = if let Datum::Bytes(bytes) = datum { 2 * bytes.len() } else { 0 };
            numeric::send(&Numeric::from_datum(datum)?.load(), out.room(SMALL_BYTES + digits)?);
        }
        JSONB => {
            out.push(1)?;
            return Jsonb::new(datum.bytes()?).write(out);
        }
        JSONPATH => {
            out.push(1)?;
            return write_path(datum.text()?, out);
        }
        TIMETZ => {
            time_wire::send_timetz(TimeTz::from_fixed(datum.fixed16()?), out.room(SMALL_BYTES)?);
        }
        INTERVAL => {
            time_wire::send_interval(Interval::from_fixed(datum.fixed16()?), out.room(SMALL_BYTES)?)
        }
        BIT | VARBIT => {
            let (length, bits) = text::bits::split(datum.bytes()?)?;
            out.extend_from_slice(&(length as i32).to_be_bytes())?;
            out.extend_from_slice(bits)?;
        }
        INT2VECTOR | OIDVECTOR => return array::send(io, &Array::from_datum(datum)?, out),
        INET | CIDR => {
            Inet::from_datum(datum)?.send(type_oid == CIDR, out.room(SMALL_BYTES)?);
        }
        VOID => {}
        _ => match datum {
            Datum::Bool(v) => out.push(u8::from(*v))?,
            Datum::Char(v) => out.push(*v)?,
            Datum::Int2(v) => out.extend_from_slice(&v.to_be_bytes())?,
            Datum::Int4(v) => out.extend_from_slice(&v.to_be_bytes())?,
            Datum::Int8(v) => out.extend_from_slice(&v.to_be_bytes())?,
            Datum::Oid(v) => out.extend_from_slice(&v.to_be_bytes())?,
            Datum::Float4(v) => out.extend_from_slice(&v.to_be_bytes())?,
            Datum::Float8(v) => out.extend_from_slice(&v.to_be_bytes())?,
            Datum::Fixed16(v) => out.extend_from_slice(v)?,
            Datum::Text(v) => out.extend_from_slice(v.as_bytes())?,
            Datum::Bytes(v) if sent_as_is(type_oid) => out.extend_from_slice(v)?,
            _ => return Err(unsupported_or(type_oid, no_output(type_oid))),
        },
    }
    Ok(())
}
