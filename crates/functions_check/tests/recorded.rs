//! Every bound function against calls recorded from PostgreSQL 18.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use base::Oid;
use expr::{Body, Call, Host, Registry, Site, SqlType};
use memory::{Account, Bump};
use std::collections::BTreeMap;
use types::datetime::zone::Zone;
use types::{Datum, Io, IoEnv, NoCatalog, oids};

struct Session(IoEnv);

impl Host for Session {
    fn io(&self) -> Io<'_> {
        Io::new(&self.0, &NoCatalog)
    }
}

fn type_oid(name: &str) -> u32 {
    if let Some(element) = name.strip_suffix("[]") {
        return oids::builtin(type_oid(element)).unwrap().array;
    }
    let name = match name {
        "boolean" => "bool",
        "smallint" => "int2",
        "integer" => "int4",
        "bigint" => "int8",
        "real" => "float4",
        "double precision" => "float8",
        "character varying" => "varchar",
        "character" => "bpchar",
        "bit varying" => "varbit",
        "\"char\"" => "char",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        "time without time zone" => "time",
        "time with time zone" => "timetz",
        other => other,
    };
    oids::BUILTIN_TYPES.iter().find(|t| t.name == name).unwrap_or_else(|| panic!("{name}")).oid
}

/// Whether floats differ by no more than the C library's last digits.
fn close(type_name: &str, a: &str, b: &str) -> bool {
    if !matches!(type_name, "double precision" | "real") {
        return false;
    }
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => {
            (a - b).abs() <= 1e-13 * b.abs().max(1e-300) || (a.is_nan() && b.is_nan())
        }
        _ => false,
    }
}

#[test]
fn calls_answer_as_recorded() {
    let tables = [
        functions::tables(),
        functions_number::tables(),
        functions_text::tables(),
        functions_time::tables(),
        functions_json::tables(),
        functions_system::tables(),
    ]
    .concat();
    let registry = Registry::new(&tables).unwrap();
    let strict = strictness();
    let zone = Zone::named("America/New_York").unwrap();
    let host = Session(IoEnv { zone, ..IoEnv::default() });
    let recorded =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/calls.tsv")).unwrap();
    let known =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/known_gaps.txt"))
            .unwrap_or_default();
    let known: Vec<&str> = known.lines().filter_map(|l| l.split_whitespace().next()).collect();
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut count = 0;
    for line in recorded.lines() {
        let parts: Vec<&str> = line.splitn(4, '\t').collect();
        let [source, types, args, expected] = parts[..] else { panic!("{line}") };
        let Some(Body::Scalar(function)) = registry.find(source).map(|f| f.body) else { continue };
        let bump = Bump::new("test", Account::unlimited());
        let type_oids: Vec<u32> =
            if types.is_empty() { vec![] } else { types.split(',').map(type_oid).collect() };
        let texts: Vec<&str> =
            if type_oids.is_empty() { vec![] } else { args.split('\x1f').collect() };
        let values: Vec<Datum<'_>> = type_oids
            .iter()
            .zip(&texts)
            .map(|(oid, text)| match *text {
                "\\N" => Datum::Null,
                text => host.io().input(*oid, -1, text, &&bump).unwrap(),
            })
            .collect();
        let site_args: Vec<SqlType> = type_oids.iter().map(|o| SqlType::plain(Oid(*o))).collect();
        let (wanted_type, wanted) = match expected.split_once('\x1e') {
            Some((type_name, value)) => (type_name, value),
            None => ("", expected),
        };
        let result_oid = if wanted_type.is_empty() { 0 } else { type_oid(wanted_type) };
        let site = Site {
            function: Oid(0),
            args: &site_args,
            result: SqlType::plain(Oid(result_oid)),
            collation: Oid(0),
            variadic: false,
        };
        let mut cache = None;
        let mut cx = Call::new(&bump, &host, &site, &mut cache);
        let answer = if strict.get(source) == Some(&true) && values.iter().any(Datum::is_null) {
            Ok(Datum::Null)
        } else {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| function(&mut cx, &values)))
                .unwrap_or_else(|_| Err(base::Error::internal("PANIC")))
        };
        let got = match answer {
            Ok(Datum::Null) => "\\N!".to_owned(),
            Ok(datum) if result_oid == 0 => format!("{datum:?}"),
            Ok(datum) => host
                .io()
                .output_string(result_oid, &datum)
                .unwrap_or_else(|error| format!("OUTPUT {error}"))
                .replace('\n', "\x1d")
                .replace('\t', "\x1c"),
            Err(error) => format!("ERROR {} {}", error.sqlstate(), error.message()),
        };
        count += 1;
        // Of a comparison only the sign counts.
        let sign = |text: &str| text.parse::<i64>().map(i64::signum).ok();
        let same_sign =
            source.contains("cmp") && sign(&got).is_some() && sign(&got) == sign(wanted);
        let same = got == wanted || same_sign || close(wanted_type, &got, wanted);
        if !same {
            wrong.entry(source.to_owned()).or_default().push(format!(
                "({types})({}) got {got} want {wanted}",
                args.replace('\x1f', " | ")
            ));
        }
    }
    assert!(count > 1000);
    let mut report = String::new();
    for (source, cases) in &wrong {
        if !known.contains(&source.as_str()) {
            report.push_str(&format!(
                "{source}: {}\n  {}\n",
                cases.len(),
                cases[..cases.len().min(3)].join("\n  ")
            ));
        }
    }
    assert!(report.is_empty(), "of {count}:\n{report}");
    for gap in known {
        assert!(
            wrong.contains_key(gap),
            "{gap} answers as recorded: take it off data/known_gaps.txt"
        );
    }
}

fn strictness() -> BTreeMap<String, bool> {
    let facts = include_str!("../../../facts/pg_proc.tsv");
    let mut lines = facts.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let at = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let (strict, source) = (at("proisstrict"), at("prosrc"));
    lines.map(|row| (row[source].to_owned(), row[strict] == "t")).collect()
}
