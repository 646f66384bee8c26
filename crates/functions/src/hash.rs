//! Hash functions of types: the numbers that hash indexes and partitions of PostgreSQL have.
//!
//! Source: Bob Jenkins, lookup3 (2006), with PostgreSQL's initial value.

use base::{Result, err};
use expr::{Call, Datum, Entry};
use types::datetime::{Interval, TimeTz, US_PER_DAY};
use types::numeric::Numeric;
use types::text::trim_bpchar;
use types::{Array, Record, oids};

const INITIAL: u32 = 0x9e37_79b9;
const ADDED: u32 = 3_923_095;

/// The state of a hash over words.
struct State(u32, u32, u32);

impl State {
    /// A state for so many bytes; a seed is mixed in unless it is 0.
    fn new(bytes: usize, seed: u64) -> State {
        let start = INITIAL.wrapping_add(bytes as u32).wrapping_add(ADDED);
        let mut state = State(start, start, start);
        if seed != 0 {
            state.0 = state.0.wrapping_add((seed >> 32) as u32);
            state.1 = state.1.wrapping_add(seed as u32);
            state.mix();
        }
        state
    }

    fn mix(&mut self) {
        let State(a, b, c) = self;
        for (x, y, z) in [(4, 6, 8), (16, 19, 4)] {
            *a = a.wrapping_sub(*c) ^ c.rotate_left(x);
            *c = c.wrapping_add(*b);
            *b = b.wrapping_sub(*a) ^ a.rotate_left(y);
            *a = a.wrapping_add(*c);
            *c = c.wrapping_sub(*b) ^ b.rotate_left(z);
            *b = b.wrapping_add(*a);
        }
    }

    /// Both halves of the hash; the lower one is the hash without a seed.
    fn finish(mut self) -> u64 {
        let State(a, b, c) = &mut self;
        *c = (*c ^ *b).wrapping_sub(b.rotate_left(14));
        *a = (*a ^ *c).wrapping_sub(c.rotate_left(11));
        *b = (*b ^ *a).wrapping_sub(a.rotate_left(25));
        *c = (*c ^ *b).wrapping_sub(b.rotate_left(16));
        *a = (*a ^ *c).wrapping_sub(c.rotate_left(4));
        *b = (*b ^ *a).wrapping_sub(a.rotate_left(14));
        *c = (*c ^ *b).wrapping_sub(b.rotate_left(24));
        u64::from(*b) << 32 | u64::from(*c)
    }
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).enumerate().fold(0, |word, (i, byte)| word | u32::from(*byte) << (8 * i))
}

/// The hash of some bytes.
pub(crate) fn bytes(data: &[u8], seed: u64) -> u64 {
    let mut state = State::new(data.len(), seed);
    let mut chunks = data.chunks_exact(12);
    for chunk in &mut chunks {
        state.0 = state.0.wrapping_add(word(&chunk[..4]));
        state.1 = state.1.wrapping_add(word(&chunk[4..8]));
        state.2 = state.2.wrapping_add(word(&chunk[8..]));
        state.mix();
    }
    let rest = chunks.remainder();
    state.0 = state.0.wrapping_add(word(&rest[..rest.len().min(4)]));
    state.1 = state.1.wrapping_add(word(rest.get(4..).unwrap_or(&[])));
    // The lowest byte of the last word is the length's.
    state.2 = state.2.wrapping_add(word(rest.get(8..).unwrap_or(&[])) << 8);
    state.finish()
}

fn uint4(value: u32, seed: u64) -> u64 {
    let mut state = State::new(4, seed);
    state.0 = state.0.wrapping_add(value);
    state.finish()
}

/// Equal numbers of different widths have equal hashes.
fn int8(value: i64, seed: u64) -> u64 {
    let (low, high) = (value as u32, (value >> 32) as u32);
    uint4(low ^ if value >= 0 { high } else { !high }, seed)
}

fn float8(value: f64, seed: u64) -> u64 {
    if value == 0.0 {
        return seed;
    }
    let value = if value.is_nan() { f64::NAN } else { value };
    bytes(&value.to_le_bytes(), seed)
}

/// The hash of a value by what it is.
fn of(value: &Datum<'_>, seed: u64) -> Result<u64> {
    Ok(match *value {
        Datum::Bool(value) => uint4(value.into(), seed),
        Datum::Char(value) => uint4(i32::from(value.cast_signed()).cast_unsigned(), seed),
        Datum::Int2(value) => uint4(i32::from(value).cast_unsigned(), seed),
        Datum::Int4(value) => uint4(value.cast_unsigned(), seed),
        Datum::Oid(value) => uint4(value, seed),
        Datum::Int8(value) => int8(value, seed),
        Datum::Float4(value) => float8(value.into(), seed),
        Datum::Float8(value) => float8(value, seed),
        Datum::Fixed16(value) => bytes(&value, seed),
        Datum::Text(value) => bytes(value.as_bytes(), seed),
        ref other => bytes(other.bytes()?, seed),
    })
}

/// The digits of a finite number to the base 10000, without zeros at the ends, and the power of
/// the first one.
fn digits(text: &str) -> (Vec<u16>, i32) {
    let text = text.trim_start_matches('-');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let pad = |digits: usize| (4 - digits % 4) % 4;
    let all = format!(
        "{}{whole}{fraction}{}",
        "0".repeat(pad(whole.len())),
        "0".repeat(pad(fraction.len()))
    );
    let groups: Vec<u16> = all
        .as_bytes()
        .chunks(4)
        .map(|c| c.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0')))
        .collect();
    let power = i32::try_from(whole.len().div_ceil(4)).unwrap_or(i32::MAX) - 1;
    let first = groups.iter().position(|group| *group != 0).unwrap_or(groups.len());
    let end = groups.iter().rposition(|group| *group != 0).map_or(first, |last| last + 1);
    let power = power - i32::try_from(first).unwrap_or(0);
    (groups[first..end].to_vec(), power)
}

/// Numbers that are equal have equal hashes, whatever their scales.
fn of_numeric(value: &Datum<'_>, seed: u64) -> Result<u64> {
    let value = Numeric::from_datum(value)?.load();
    if !value.is_finite() {
        return Ok(seed);
    }
    let (digits, power) = digits(&value.to_string());
    if digits.is_empty() {
        return Ok(if seed == 0 { u64::MAX } else { seed.wrapping_sub(1) });
    }
    let data: Vec<u8> = digits.iter().flat_map(|digit| digit.to_le_bytes()).collect();
    Ok(bytes(&data, seed) ^ i64::from(power).cast_unsigned())
}

fn numeric<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(give(args, of_numeric(&args[0], seed(args)?)?))
}

/// The hash of a part of an array: by its type.
fn of_type(type_oid: u32, value: &Datum<'_>, seed: u64) -> Result<u64> {
    match type_oid {
        oids::NUMERIC => of_numeric(value, seed),
        oids::BPCHAR => Ok(bytes(trim_bpchar(value.text()?).as_bytes(), seed)),
        oids::INTERVAL => Ok(of_interval(Interval::from_fixed(value.fixed16()?), seed)),
        oids::TIMETZ => Ok(of_timetz(TimeTz::from_fixed(value.fixed16()?), seed)),
        oids::BOOL
        | oids::CHAR
        | oids::INT2
        | oids::INT4
        | oids::INT8
        | oids::OID
        | oids::FLOAT4
        | oids::FLOAT8
        | oids::TEXT
        | oids::VARCHAR
        | oids::NAME
        | oids::BYTEA
        | oids::DATE
        | oids::TIME
        | oids::TIMESTAMP
        | oids::TIMESTAMPTZ
        | oids::UUID
        | oids::INET
        | oids::CIDR
        | oids::MACADDR
        | oids::MACADDR8
        | oids::PG_LSN
        | oids::XID8 => of(value, seed),
        _ if oids::builtin(type_oid).is_some_and(|facts| facts.is_array) => {
            of_array(&Array::from_datum(value)?, seed, false)
        }
        _ => Err(err!(
            FEATURE_NOT_SUPPORTED,
            "hashes of values of type {type_oid} are not supported yet"
        )),
    }
}

/// The hashes of the elements, each times 31 to the power of its place from the end.
fn array<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let array = Array::from_datum(&args[0])?;
    Ok(give(args, of_array(&array, seed(args)?, args.len() == 1)?))
}

fn of_array(array: &Array<'_>, seed: u64, narrow: bool) -> Result<u64> {
    let element = array.element_type();
    let mut sum = 1u64;
    for value in array.iter() {
        let value = value?;
        let hash = if value.is_null() { 0 } else { of_type(element, &value, seed)? };
        let hash = if narrow { hash & 0xffff_ffff } else { hash };
        sum = sum.wrapping_mul(31).wrapping_add(hash);
    }
    Ok(sum)
}

/// The hashes of a row's columns, each times 31 to the power of its place from the end.
fn record<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let record = Record::from_datum(&args[0])?;
    let seed = seed(args)?;
    let narrow = args.len() == 1;
    let mut sum = 0u64;
    for at in 0..record.len() {
        let (value, type_oid) = (record.get(at)?, record.column_type(at));
        if type_oid == oids::UNKNOWN {
            return Err(err!(
                UNDEFINED_FUNCTION,
                "could not identify a hash function for type unknown"
            ));
        }
        let hash = if value.is_null() { 0 } else { of_type(type_oid, &value, seed)? };
        let hash = if narrow { hash & 0xffff_ffff } else { hash };
        sum = sum.wrapping_mul(31).wrapping_add(hash);
    }
    Ok(give(args, sum))
}

/// The seed of an extended hash function.
fn seed(args: &[Datum<'_>]) -> Result<u64> {
    args.get(1).map_or(Ok(0), |seed| seed.int8().map(i64::cast_unsigned))
}

/// A hash as its function returns it: 32 bits, or 64 with a seed.
fn give<'m>(args: &[Datum<'m>], hash: u64) -> Datum<'m> {
    if args.len() > 1 {
        Datum::Int8(hash.cast_signed())
    } else {
        Datum::Int4((hash as u32).cast_signed())
    }
}

fn plain<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(give(args, of(&args[0], seed(args)?)?))
}

fn bpchar<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(give(args, bytes(trim_bpchar(args[0].text()?).as_bytes(), seed(args)?)))
}

/// An xid is 32 bits where it is hashed.
fn xid<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(give(args, uint4(args[0].int8()? as u32, seed(args)?)))
}

fn of_timetz(value: TimeTz, seed: u64) -> u64 {
    int8(value.micros, seed) ^ uint4(value.zone.cast_unsigned(), seed)
}

fn timetz<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(give(args, of_timetz(TimeTz::from_fixed(args[0].fixed16()?), seed(args)?)))
}

/// Intervals that are equal have equal hashes: a month is 30 days.
fn of_interval(value: Interval, seed: u64) -> u64 {
    let days = i128::from(value.months) * 30 + i128::from(value.days);
    let span = i128::from(value.micros) + days * i128::from(US_PER_DAY);
    int8(span as i64, seed)
}

fn interval<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(give(args, of_interval(Interval::from_fixed(args[0].fixed16()?), seed(args)?)))
}

/// The table of this module.
pub(crate) const TABLES: &[&[Entry]] = &[&[
    Entry::scalar("hashbool", plain),
    Entry::scalar("hashboolextended", plain),
    Entry::scalar("hashchar", plain),
    Entry::scalar("hashcharextended", plain),
    Entry::scalar("hashinet", plain),
    Entry::scalar("hashinetextended", plain),
    Entry::scalar("hashmacaddr", plain),
    Entry::scalar("hashmacaddrextended", plain),
    Entry::scalar("hashmacaddr8", plain),
    Entry::scalar("hashmacaddr8extended", plain),
    Entry::scalar("hash_record", record),
    Entry::scalar("hash_record_extended", record),
    Entry::scalar("hashint2", plain),
    Entry::scalar("hashint2extended", plain),
    Entry::scalar("hashint4", plain),
    Entry::scalar("hashint4extended", plain),
    Entry::scalar("hashint8", plain),
    Entry::scalar("hashint8extended", plain),
    Entry::scalar("hashoid", plain),
    Entry::scalar("hashoidextended", plain),
    Entry::scalar("hashenum", plain),
    Entry::scalar("hashenumextended", plain),
    Entry::scalar("hashfloat4", plain),
    Entry::scalar("hashfloat4extended", plain),
    Entry::scalar("hashfloat8", plain),
    Entry::scalar("hashfloat8extended", plain),
    Entry::scalar("hashname", plain),
    Entry::scalar("hashnameextended", plain),
    Entry::scalar("hashtext", plain),
    Entry::scalar("hashtextextended", plain),
    Entry::scalar("hashbytea", plain),
    Entry::scalar("hashbyteaextended", plain),
    Entry::scalar("hashbpchar", bpchar),
    Entry::scalar("hashbpcharextended", bpchar),
    Entry::scalar("hashdate", plain),
    Entry::scalar("hashdateextended", plain),
    Entry::scalar("time_hash", plain),
    Entry::scalar("time_hash_extended", plain),
    Entry::scalar("timestamp_hash", plain),
    Entry::scalar("timestamp_hash_extended", plain),
    Entry::scalar("timestamptz_hash", plain),
    Entry::scalar("timestamptz_hash_extended", plain),
    Entry::scalar("timetz_hash", timetz),
    Entry::scalar("timetz_hash_extended", timetz),
    Entry::scalar("interval_hash", interval),
    Entry::scalar("interval_hash_extended", interval),
    Entry::scalar("uuid_hash", plain),
    Entry::scalar("uuid_hash_extended", plain),
    Entry::scalar("pg_lsn_hash", plain),
    Entry::scalar("pg_lsn_hash_extended", plain),
    Entry::scalar("hash_numeric", numeric),
    Entry::scalar("hash_numeric_extended", numeric),
    Entry::scalar("hash_array", array),
    Entry::scalar("hash_array_extended", array),
    Entry::scalar("hashxid", xid),
    Entry::scalar("hashxidextended", xid),
    Entry::scalar("hashxid8", plain),
    Entry::scalar("hashxid8extended", plain),
]];
