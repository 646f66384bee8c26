#!/usr/bin/env python3
"""Records crates/functions_check/data/calls.tsv: what PostgreSQL 18 answers to calls of built-in functions.

Usage: tools/record_calls.py psql -h HOST -p PORT -U USER -d DATABASE
Reads facts/pg_proc.tsv and data/bound.txt (the names to call, one a line; the test `unbound` writes it).
A row: prosrc, argument types, result type, arguments (separated by \\x1f, NULL as \\N), answer or ERROR SQLSTATE message.
"""
import random
import subprocess
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
data = root / "crates/functions_check/data"

POOL = {
    "bool": ["t", "f"],
    "char": ["a", "Z", ""],
    "int2": ["0", "1", "-7", "32767", "-32768", "3"],
    "int4": ["0", "1", "-1", "2", "5", "12", "2147483647", "-2147483648", "2024"],
    "int8": ["0", "1", "-1", "42", "9223372036854775807", "-9223372036854775808", "4294967296", "10240"],
    "oid": ["0", "1", "4294967295", "23"],
    "float4": ["0", "1.5", "-2.25", "1e30", "NaN", "Infinity", "0.1"],
    "float8": ["0", "1.5", "-2.25", "1e300", "NaN", "-Infinity", "0.1", "60", "45", "-1", "1e-300", "123456.789"],
    "numeric": ["0", "1", "1.50", "-2.75", "123456789012345678901234567890.12345", "NaN", "Infinity", "-Infinity", "0.001", "1e-20",
                "10", "9999", "10000.0001", "3", "17", "2.5", "-0.5"],
    "money": ["0", "1.23", "-4.56", "1000"],
    "text": ["", "abc", "Hello World", "äöü ß", "a,b,c", "%b_", "day", "month", "  trim  ", "\\d+", "(b)(c)?", "2024-01-02", "xyzabcxyz",
             "UTC", "America/New_York", "hour", "i"],
    "bpchar": ["ab", "ab   ", "Z"],
    "varchar": ["abc", "x y"],
    "name": ["abc", "pg_class", "x"],
    "bytea": ["\\x", "\\x00ff10", "\\x616263"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000", "018f4e3a-1c2b-7def-8abc-0123456789ab"],
    "date": ["2024-02-29", "1999-12-31", "0044-03-15 BC", "infinity", "-infinity", "2000-01-01", "2024-03-31"],
    "time": ["00:00", "12:34:56.789", "24:00:00", "23:59:59.999999"],
    "timetz": ["00:00+00", "12:34:56.789-08", "23:59:59+05:30"],
    "timestamp": ["2024-02-29 12:34:56.789", "1999-12-31 23:59:59", "infinity", "-infinity", "0044-03-15 06:07:08 BC", "2024-03-10 02:30:00",
                  "2001-01-01"],
    "timestamptz": ["2024-02-29 12:34:56.789+00", "1999-12-31 23:59:59-05", "infinity", "2024-03-10 07:00:00+00", "2024-11-03 05:30:00+00"],
    "interval": ["1 day", "1 year 2 mons 3 days 04:05:06.789", "-1 mon +2 days", "infinity", "-infinity", "00:15", "35 days 50:00", "0",
                 "-3 years -4 mons"],
    "pg_lsn": ["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"],
    "xid8": ["0", "18446744073709551615", "5"],
    "xid": ["0", "5", "100"],
    "cid": ["0", "5"],
    "tid": ["(0,1)", "(1,2)"],
    "bit": ["101", "111", "000"],
    "varbit": ["101", "1", "0011"],
    "json": ['{"a":1,"b":[1,2,{"c":null}]}', "[1,2,3]", '"str"', "null", '{"a": {"b": "x"}, "a": 2}', "[]", "{}", "12.50"],
    "jsonb": ['{"a":1,"b":[1,2,{"c":null}]}', "[1,2,3]", '"str"', "null", '{"a": {"b": "x"}, "z": 2}', "[]", "{}", "12.50", "true", '["a","b"]'],
    "anyarray": [("int4[]", "{1,2,3}"), ("int4[]", "{}"), ("text[]", "{a,NULL,b}"), ("int4[]", "{{1,2},{3,4}}"), ("int4[]", "[0:2]={5,1,9}")],
    "_text": ["{a,b}", "{}", "{0}", "{b,2,c}", "{a,1,b,2}"],
    "_int4": ["{1,2}", "{}", "{3}"],
    "oidvector": ["23 25", "", "16"],
    "unknown": ["abc"],
}
SKIP = {"now", "statement_timestamp"}


DATE_TEMPLATES = ["YYYY-MM-DD HH24:MI:SS.US", "Day, DD Month YYYY", "FMDay, FMDD FMMonth YYYY", "DY dy Dy MON mon Mon", "HH12:MI:SS AM pm A.M.",
                  "Y,YYY YYY YY Y IYYY IYY IY I", "DDD IDDD D ID W WW IW CC J Q", "RM rm FMRM", "MS US FF1 FF3 FF6 SSSS SSSSS", "TZ tz TZH:TZM OF",
                  "DDth DDTH MMth", '"quoted MM" MM \\"', "BC AD B.C. ad", "FMHH24:FMMI", "YYYYth YYYY", "HH HH12 HH24", "DAY Month MONTH", "xyz", "FMDDD FMCC"]
NUMBER_TEMPLATES = ["9", "99", "999.99", "9,999,999.999", "0000.00", "FM999.99", "FM0999.00", "S999.9", "999S", "MI999", "999MI", "PL999", "SG999", "999PR",
                    "9G999D99", "L999", "RN", "FMRN", "rn", "99V99", "9.99EEEE", "999th", "999TH", "B999", "0999", "FM90.0", "9 9 9", '99"x"99', "S0,000.0", "FM999",
                    "999,9", ".99", "FM.99", "0", "FMS9", "999.0099"]
PAIRS = {
    "to_date": [("2024-02-29", "YYYY-MM-DD"), ("29 Feb 2024", "DD Mon YYYY"), ("20240229", "YYYYMMDD"), ("2/9/24", "MM/DD/YY"), ("J2451187", '"J"J'),
                ("2024 060", "YYYY DDD"), ("2024-09-4", "IYYY-IW-ID"), ("February 3, 1999", "Month DD, YYYY"), ("2024-13-01", "YYYY-MM-DD"),
                ("2024-02-30", "YYYY-MM-DD"), ("44-03-15 BC", "YYYY-MM-DD BC"), ("XII 1999", "RM YYYY"), ("abc", "YYYY"), ("2024  02   03", "YYYY MM DD"),
                ("2024.02/03", "YYYY-MM-DD"), ("95", "YY"), ("5", "Y"), ("995", "YYY"), ("2024 3", "YYYY Q"), ("", "YYYY"), ("2024-02", "YYYY-MM-DD")],
    "to_timestamp": [("2024-02-29 12:34:56.789", "YYYY-MM-DD HH24:MI:SS.MS"), ("05 Dec 2000", "DD Mon YYYY"), ("2024-02-29 03:04 PM", "YYYY-MM-DD HH12:MI PM"),
                     ("13:00 PM", "HH12:MI PM"), ("2024-02-29 25:00", "YYYY-MM-DD HH24:MI"), ("20240229123456", "YYYYMMDDHH24MISS"),
                     ("2024-02-29 12:00 +02:30", "YYYY-MM-DD HH24:MI TZH:TZM"), ("2024-02-29 12:00 PST", "YYYY-MM-DD HH24:MI TZ"),
                     ("1:2:3.456789", "HH24:MI:SS.US"), ("45296", "SSSS"), ("2024-02-29 12:34:56.789", "YYYY-MM-DD HH24:MI:SS.FF2"), ("0097/Feb/16", "YYYY/Mon/DD")],
    "to_number": [("12,454.8-", "99G999D9S"), ("-34,338,492", "99G999G999"), ("<564646.654564>", "999999.999999PR"), ("5 4 4 4 4 8 . 7 8", "9 9 9 9 9 9 . 9 9"),
                  ("0.00001-", "9.999999S"), ("123", "999"), ("123.45", "999"), ("abc", "999"), ("XIV", "RN"), ("-12", "S99"), ("1234.56", "L9,999.99"), ("42nd", "99th"),
                  ("", "999"), (" 12 ", "999"), ("12345", "99V999")],
}


def templated(src, types, picked, rng):
    """Arguments that fit the formatting functions."""
    if src.endswith("_to_char"):
        numeric = src.split("_")[0] in ("numeric", "int4", "int8", "float4", "float8")
        return [picked[0], ("text", rng.choice(NUMBER_TEMPLATES if numeric else DATE_TEMPLATES))]
    name = {"numeric_to_number": "to_number"}.get(src, src)
    if name in PAIRS and types == ["text", "text"]:
        return [("text", v) for v in rng.choice(PAIRS[name])]
    return picked


def main():
    rng = random.Random(18)
    rows = [line.rstrip("\n").split("\t") for line in (root / "facts/pg_proc.tsv").open()]
    at = {name: i for i, name in enumerate(rows[0])}
    types = {r.split("\t")[0]: r.split("\t")[1] for r in (root / "facts/pg_type.tsv").open()}
    bound = set((data / "bound.txt").read_text().split())
    calls = []
    seen = set()
    for row in rows[1:]:
        src = row[at["prosrc"]]
        args = [types.get(a, a) for a in row[at["proargtypes"]].split()]
        result = types.get(row[at["prorettype"]])
        key = (src, tuple(args))
        if (src not in bound or row[at["prokind"]] != "f" or row[at["proretset"]] == "t" or row[at["provolatile"]] == "v"
                or key in seen or src in SKIP or result in ("record", "anyelement", "anycompatible", "internal", "cstring")):
            continue
        poly = {"anycompatiblearray": "anyarray"}
        args = [poly.get(a, a) for a in args]
        if any(a not in POOL for a in args) or (args.count("anyarray") and len(args) > 2 and args[1] == "anyarray"):
            continue
        seen.add(key)
        for _ in range(60 if src.endswith('_to_char') or src in ('to_date', 'to_timestamp', 'numeric_to_number') else 14 if args else 1):
            picked = []
            for a in args:
                v = rng.choice(POOL[a])
                picked.append(v if isinstance(v, tuple) else (a, v))
            picked = templated(src, args, picked, rng)
            if args and rng.random() < 0.03:
                i = rng.randrange(len(picked))
                picked[i] = (picked[i][0], None)
            if len(args) >= 2 and all(a == "anyarray" for a in args):
                picked = [("int4[]", v) for v in rng.choices(["{1,2,3}", "{}", "{3,NULL}", "{2}", "{{1,2},{3,4}}"], k=len(args))]
            quote = lambda v: "NULL" if v is None else "'" + v.replace("'", "''").replace("\\", "\\\\") + "'"
            name = lambda t: '"char"' if t == "char" else ("bpchar" if t == "bpchar" else ("varbit" if t == "bit" else t))
            sql = "pg_catalog.\"%s\"(%s)" % (row[at["proname"]], ", ".join(
                ("E" if v is not None else "") + quote(v) + "::" + name(t) for t, v in picked))
            if any(t == "bit" for t, _ in picked):
                sql = sql.replace("::varbit", "::bit varying::bit(3)") if "varbit" not in args else sql
            if sql not in seen:
                seen.add(sql)
                calls.append((src, ",".join(t for t, _ in picked), result, "\x1f".join("\\N" if v is None else v for _, v in picked), sql))
    script = [r"""
set timezone='America/New_York';
create function pg_temp.try(q text) returns text language plpgsql as $$
declare r text; m text; s text;
begin
  execute 'select pg_typeof(x)::text || E''\x1e'' || case when x is null then ''\N!'' else format(''%s'', x) end from (select ' || q || ' as x) q' into r;
  return r;
exception when others then
  get stacked diagnostics m = message_text, s = returned_sqlstate;
  return 'ERROR ' || s || ' ' || m;
end $$;
"""]
    for call in calls:
        script.append("select replace(replace(pg_temp.try($q$%s$q$), E'\\n', E'\\x1d'), E'\\t', E'\\x1c');" % call[4])
    out = subprocess.run(sys.argv[1:] + ["-qAtX"], input="\n".join(script), capture_output=True, text=True, check=True)
    answers = out.stdout.split("\n")[:-1]
    assert len(answers) == len(calls), (len(answers), len(calls), out.stderr[:2000])
    with (data / "calls.tsv").open("w") as f:
        for call, answer in zip(calls, answers):
            if "does not exist" in answer and answer.startswith("ERROR 42883"):
                continue
            f.write("\t".join([*call[:2], call[3], answer]) + "\n")
    print(len(calls))


main()
