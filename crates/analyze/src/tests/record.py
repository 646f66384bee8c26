"""Records what PostgreSQL 18 says of each statement of statements.sql into expected.txt.

python3 record.py "host=127.0.0.1 port=5418 user=postgres"   (needs psycopg 3)

The tables of schema.sql are made in a database of their own, `analyze_record`.

A line of `expected.txt` for each statement: `ok`, the parameter types, the columns with their
types and modifiers; or the SQLSTATE, the position, the message, detail and hint.
"""

import pathlib
import sys

import psycopg

here = pathlib.Path(__file__).parent
with psycopg.connect(sys.argv[1] + " dbname=postgres", autocommit=True) as admin:
    admin.execute("drop database if exists analyze_record")
    admin.execute("create database analyze_record")
session = psycopg.connect(sys.argv[1] + " dbname=analyze_record", autocommit=True)
for statement in (here / "schema.sql").read_text().splitlines():
    session.execute(statement)
conn = session.pgconn
diag = psycopg.pq.DiagnosticField


def field(result, name):
    text = result.error_field(name)
    return text.decode().replace("\n", " ") if text else "-"


def user(oid):
    return oid if oid < 16384 else "user"


def record(sql):
    result = conn.prepare(b"", sql.encode())
    if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
        names = [
            diag.SQLSTATE,
            diag.STATEMENT_POSITION,
            diag.MESSAGE_PRIMARY,
            diag.MESSAGE_DETAIL,
            diag.MESSAGE_HINT,
        ]
        return " | ".join(field(result, name) for name in names)
    described = conn.describe_prepared(b"")
    params = ",".join(str(described.param_type(i)) for i in range(described.nparams))
    columns = [
        f"{described.fname(i).decode()}:{user(described.ftype(i))}:{described.fmod(i)}"
        for i in range(described.nfields)
    ]
    return " | ".join(["ok", params or "-"] + columns)


lines = (here / "statements.sql").read_text().splitlines()
out = [record(line) if line and not line.startswith("--") else "" for line in lines]
(here / "expected.txt").write_text("\n".join(out) + "\n")
