//! Text input and output against what PostgreSQL 18 was recorded to do
//! (`tools/record_types.sh`), and the agreement of order, hash, key and binary form.

use crate::datetime::zone::Zone;
use crate::{
    DateFormat, DateOrder, Datum, IntervalStyle, Io, IoEnv, KeyColumn, LeakArena, NoCatalog,
    compare, key, numeric, oids,
};
use memory::collections::Output;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use std::hash::Hasher;

fn env_of(settings: &str) -> IoEnv {
    let mut parts = settings.split(';');
    let (style, order) = parts.next().unwrap().split_once(", ").unwrap();
    IoEnv {
        date_format: match style {
            "ISO" => DateFormat::Iso,
            "SQL" => DateFormat::Sql,
            "Postgres" => DateFormat::Postgres,
            _ => DateFormat::German,
        },
        date_order: match order {
            "DMY" => DateOrder::Dmy,
            "YMD" => DateOrder::Ymd,
            _ => DateOrder::Mdy,
        },
        interval_style: match parts.next().unwrap() {
            "postgres" => IntervalStyle::Postgres,
            "sql_standard" => IntervalStyle::SqlStandard,
            "postgres_verbose" => IntervalStyle::PostgresVerbose,
            _ => IntervalStyle::Iso8601,
        },
        zone: Zone::named(parts.next().unwrap()).unwrap(),
        ..IoEnv::default()
    }
}

/// The type's OID and the modifier of its text form.
fn type_of(name: &str, modifier: &str) -> (u32, i32) {
    let (base, array) = match name.strip_suffix("[]") {
        Some(base) => (base, true),
        None => (name, false),
    };
    let base = match base {
        "bit varying" => "varbit",
        "\"char\"" => "char",
        other => other,
    };
    let facts = oids::BUILTIN_TYPES.iter().find(|t| t.name == base).unwrap();
    let oid = if array { facts.array } else { facts.oid };
    let numbers: Vec<i32> =
        modifier.trim_matches(['(', ')']).split(',').filter_map(|n| n.parse().ok()).collect();
    let typmod = match (facts.oid, numbers.as_slice()) {
        (oids::NUMERIC, [p, s]) => numeric::typmod_of(*p, *s),
        (oids::VARCHAR | oids::BPCHAR, [n]) => n + 4,
        (oids::BIT | oids::VARBIT | oids::TIME | oids::TIMESTAMP, [n]) => *n,
        (oids::INTERVAL, _) => match modifier {
            "year" => (4 << 16) | 0xffff,
            "year to month" => (6 << 16) | 0xffff,
            "day to second" => (0x1c08 << 16) | 0xffff,
            "minute to second" => (0x1800 << 16) | 0xffff,
            "hour" => (0x400 << 16) | 0xffff,
            "second(2)" => (0x1000 << 16) | 2,
            _ => -1,
        },
        _ => -1,
    };
    // A char or bit without a number has the length 1 as a column.
    let typmod = match (facts.oid, typmod) {
        (oids::BPCHAR, -1) => -1,
        (_, t) => t,
    };
    (oid, typmod)
}

#[test]
fn input_and_output_are_as_recorded() {
    let recorded = include_str!("../tests/data/input.tsv");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in recorded.lines() {
        let parts: Vec<&str> = line.splitn(5, '\t').collect();
        let [settings, type_name, modifier, input, expected] = parts[..] else { panic!("{line}") };
        let env = env_of(settings);
        let io = Io::new(&env, &NoCatalog);
        let (oid, typmod) = type_of(type_name, modifier);
        let got = match io.input(oid, typmod, input, &LeakArena) {
            Ok(datum) => io.output_string(oid, &datum).unwrap(),
            Err(error) => {
                let detail = error.fields().detail.as_ref().map(|d| format!("|{d}"));
                format!(
                    "ERROR {} {}{}",
                    error.sqlstate(),
                    error.message(),
                    detail.unwrap_or_default()
                )
            }
        };
        count += 1;
        if got != expected {
            wrong.push(format!(
                "{settings} {type_name} {modifier} <{input}>\n   got {got}\n  want {expected}"
            ));
        }
    }
    assert!(count > 1000);
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// All recorded values of a type that has an order.
fn values_of(oid: u32) -> Vec<Datum<'static>> {
    let env = IoEnv::default();
    let io = Io::new(&env, &NoCatalog);
    include_str!("../tests/data/input.tsv")
        .lines()
        .filter_map(|line| {
            let parts: Vec<&str> = line.splitn(5, '\t').collect();
            let (line_oid, _) = type_of(parts[1], parts[2]);
            (line_oid == oid && parts[0].ends_with("UTC"))
                .then(|| io.input(oid, -1, parts[3], &LeakArena).ok())
                .flatten()
        })
        .collect()
}

const ORDERED: &[u32] = &[
    oids::BOOL,
    oids::INT2,
    oids::INT4,
    oids::INT8,
    oids::OID,
    oids::FLOAT4,
    oids::FLOAT8,
    oids::NUMERIC,
    oids::VARCHAR,
    oids::BPCHAR,
    oids::BYTEA,
    oids::UUID,
    oids::PG_LSN,
    oids::XID8,
    oids::MONEY,
    oids::DATE,
    oids::TIME,
    oids::TIMETZ,
    oids::TIMESTAMP,
    oids::INTERVAL,
    oids::JSONB,
    oids::INT4_ARRAY,
    oids::TEXT_ARRAY,
    oids::NUMERIC_ARRAY,
    oids::VARBIT,
];

fn hash_of(oid: u32, datum: &Datum<'_>) -> u64 {
    let mut state = std::collections::hash_map::DefaultHasher::new();
    compare::hash(&NoCatalog, oid, datum, &mut state).unwrap();
    state.finish()
}

#[test]
fn keys_and_hashes_agree_with_the_order() {
    for &oid in ORDERED {
        let values = values_of(oid);
        assert!(!values.is_empty(), "{oid}");
        for descending in [false, true] {
            let column = KeyColumn { type_oid: oid, descending, nulls_first: false };
            let key_of = |datum: &Datum<'_>| {
                let mut out = Vec::new();
                key::encode_column(&NoCatalog, &column, datum, &mut out).unwrap();
                out
            };
            for a in &values {
                for b in &values {
                    let order = compare::compare(&NoCatalog, oid, a, b).unwrap();
                    let wanted = if descending { order.reverse() } else { order };
                    assert_eq!(key_of(a).cmp(&key_of(b)), wanted, "{oid} {a:?} {b:?}");
                    if order.is_eq() {
                        assert_eq!(hash_of(oid, a), hash_of(oid, b), "{oid} {a:?} {b:?}");
                    }
                }
                if key::is_reversible(oid) {
                    let bytes = key_of(a);
                    let mut rest = bytes.as_slice();
                    let back = key::decode_column(&column, &mut rest, &LeakArena).unwrap();
                    assert!(rest.is_empty());
                    assert_eq!(format!("{back:?}"), format!("{a:?}"));
                }
            }
        }
    }
}

#[test]
fn binary_forms_and_stored_forms_read_back() {
    let env = IoEnv::default();
    let io = Io::new(&env, &NoCatalog);
    for &oid in ORDERED {
        let layout = crate::layout::Layout::of(oid, oids::builtin(oid).map_or(-1, |t| t.len), -1);
        for value in values_of(oid) {
            let mut sent = Vec::new();
            io.send(oid, &value, &mut Output::plain(&mut sent)).unwrap();
            let back = io.recv(oid, -1, &sent, &LeakArena).unwrap();
            assert_eq!(format!("{back:?}"), format!("{value:?}"), "{oid}");
            let mut stored = Vec::new();
            layout.encode(&value, &mut stored).unwrap();
            let back = layout.decode(&stored).unwrap();
            assert_eq!(format!("{back:?}"), format!("{value:?}"), "{oid}");
        }
    }
}

#[test]
fn random_dates_go_to_julian_days_and_back() {
    let seed: u64 = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(7);
    let mut random = StdRng::seed_from_u64(seed);
    let _ = random.next_u64();
    for _ in 0..100_000 {
        let day = random.random_range(0..2_147_483_493);
        let (year, month, date) = crate::datetime::from_julian(day);
        assert_eq!(crate::datetime::julian(year, month, date), day, "seed {seed}");
    }
}
