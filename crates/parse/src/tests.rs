//! Text in, tree out. Trees are compared as compact debug text: fields that say nothing are left
//! out.

use crate::parse;
use memory::{Account, Bump};

/// The debug text of a tree without fields that are `None`, `[]`, `false` or a default.
fn compact(debug: &str) -> String {
    const SILENT: &[&str] =
        &["None", "[]", "false", "Default", "Permanent", "Unspecified", "@-", "NotSet", "Restrict"];
    let mut out = String::new();
    let mut rest = debug;
    'outer: while let Some(c) = rest.chars().next() {
        if out.ends_with("{ ") || out.ends_with(", ") {
            let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(0);
            if name > 0 && rest[name..].starts_with(": ") {
                for silent in SILENT {
                    let Some(after) = rest[name + 2..].strip_prefix(silent) else { continue };
                    if let Some(after) = after.strip_prefix(", ") {
                        rest = after;
                        continue 'outer;
                    }
                    if let Some(behind) = after.strip_prefix(" }") {
                        // The last field: its comma goes, too, or the whole braces.
                        let braces = out.ends_with("{ ");
                        out.truncate(out.trim_end_matches(", ").trim_end_matches("{ ").len());
                        rest = if braces { behind } else { after };
                        continue 'outer;
                    }
                }
            }
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

fn tree(sql: &str) -> String {
    let bump = Bump::new("test", Account::unlimited());
    match parse(&bump, sql) {
        Ok(statements) => statements
            .iter()
            .map(|s| {
                let debug = format!("{:?}", s.statement);
                format!("{}+{} {}", s.start_byte, s.len_bytes, compact(&debug))
            })
            .collect::<Vec<_>>()
            .join("\n"),
        Err(error) => {
            let fields = error.fields();
            let at = fields.position.map(|p| format!(" @{p}")).unwrap_or_default();
            let hint = fields.hint.as_ref().map(|h| format!(" HINT {h}")).unwrap_or_default();
            format!("{} {}{at}{hint}", fields.sqlstate, fields.message)
        }
    }
}

#[track_caller]
fn check(sql: &str, expected: &str) {
    assert_eq!(tree(sql), expected, "for {sql}");
}

#[test]
fn expressions_keep_their_locations() {
    check(
        "SELECT a + 1 AS b",
        "0+17 Select(SelectStmt { targets: [ResTarget { name: Some(\"b\"), value: \
         Some(Operator { name: [\"+\"], left: Some(ColumnRef { fields: [Name(\"a\")], location: @7 \
         }), right: Const { value: Integer(1), location: @11 }, location: @9 }), location: @7 }] })",
    );
}

#[test]
fn from_where_and_order_by() {
    check(
        "SELECT * FROM ONLY s.t x WHERE a IN (1) ORDER BY 1 DESC NULLS LAST FOR UPDATE SKIP LOCKED",
        "0+89 Select(SelectStmt { targets: [ResTarget { value: Some(ColumnRef { fields: [Star], \
         location: @7 }), location: @7 }], from: [Relation(RangeVar { schema: Some(\"s\"), name: \
         \"t\", alias: Some(Alias { name: \"x\" }), location: @19 })], filter: Some(In { left: \
         ColumnRef { fields: [Name(\"a\")], location: @31 }, list: [Const { value: Integer(1), \
         location: @37 }], location: @33 }), sort: [SortBy { value: Const { value: Integer(1), \
         location: @49 }, direction: Descending, nulls: Last }], locking: [LockingClause { \
         strength: Update, wait: Skip }] })",
    );
}

#[test]
fn statements_have_their_place_in_the_text() {
    check(
        "BEGIN; /* é */ COMMIT AND CHAIN;",
        "0+5 Transaction(TransactionStmt { kind: Begin })\n\
         16+16 Transaction(TransactionStmt { kind: Commit, chain: true })",
    );
    check(";;  ;", "");
    check("-- nothing", "");
}

#[test]
fn multiple_assignment_is_one_assignment() {
    check(
        "UPDATE t SET (a, b) = (1, 2), c = 3",
        "0+35 Update(UpdateStmt { relation: RangeVar { name: \"t\", inherit: true, location: @7 }, \
         assignments: [Multiple { targets: [ResTarget { name: Some(\"a\"), location: @14 }, \
         ResTarget { name: Some(\"b\"), location: @17 }], source: Row { args: [Const { value: \
         Integer(1), location: @23 }, Const { value: Integer(2), location: @26 }], location: @22 } \
         }, Single(ResTarget { name: Some(\"c\"), value: Some(Const { value: Integer(3), location: \
         @34 }), location: @30 })] })",
    );
}

#[test]
fn create_table_with_constraints() {
    check(
        "CREATE TABLE t (a int PRIMARY KEY, b text REFERENCES u ON DELETE CASCADE, CHECK (a > 0))",
        "0+88 CreateTable(CreateStmt { relation: RangeVar { name: \"t\", inherit: true, location: \
         @13 }, elements: [Column(ColumnDef { name: \"a\", type_name: Some(TypeName { names: \
         [\"pg_catalog\", \"int4\"], location: @18 }), constraints: [Constraint { kind: \
         Key(KeyConstraint { primary: true }), enforced: true, location: @22 }], location: @16 }), \
         Column(ColumnDef { name: \"b\", type_name: Some(TypeName { names: [\"text\"], location: \
         @37 }), constraints: [Constraint { kind: Foreign(ForeignKey { relation: RangeVar { name: \
         \"u\", inherit: true, location: @53 }, match_type: 115, on_update: 97, on_delete: 99 }), \
         enforced: true, location: @42 }], location: @35 }), Constraint(Constraint { kind: \
         Check(Operator { name: [\">\"], left: Some(ColumnRef { fields: [Name(\"a\")], location: \
         @81 }), right: Const { value: Integer(0), location: @85 }, location: @83 }), enforced: \
         true, location: @74 })] })",
    );
}

#[test]
fn grant_names_objects_by_their_kind() {
    check(
        "GRANT EXECUTE ON FUNCTION f(int) TO PUBLIC",
        "0+42 Grant(GrantStmt { grant: true, target: Object, object_type: Function, objects: \
         [Function(ObjectWithArgs { name: [\"f\"], args: [Some(TypeName { names: [\"pg_catalog\", \
         \"int4\"], location: @28 })], parameters: [FunctionParameter { type_name: TypeName { \
         names: [\"pg_catalog\", \"int4\"], location: @28 }, location: @28 }] })], \
         privileges: [AccessPrivilege { name: Some(\"execute\") }], grantees: [RoleSpec { role: \
         Public, location: @36 }] })",
    );
}

#[test]
fn errors_are_postgresqls() {
    for (sql, expected) in [
        ("SELECT FROM WHERE", "42601 syntax error at or near \"WHERE\" @13"),
        ("SELECT 1 +", "42601 syntax error at end of input @11"),
        ("SELECT 'é' 'x", "42601 unterminated quoted string at or near \"'x\" @12"),
        ("SELECT 'é', 1 1", "42601 syntax error at or near \"1\" @15"),
        (
            "SELECT 1 LIMIT 2, 3",
            "42601 LIMIT #,# syntax is not supported @10 HINT Use separate LIMIT and OFFSET clauses.",
        ),
        ("CREATE ROLE public", "42939 role name \"public\" is reserved @13"),
        ("SELECT 12abc", "42601 trailing junk after numeric literal at or near \"12abc\" @8"),
        ("SELECT E'\\xff'", "22021 invalid byte sequence for encoding \"UTF8\": 0xff"),
        (
            "SELECT E'\\uzz'",
            "22025 invalid Unicode escape @10 HINT Unicode escapes must be \\uXXXX or \\UXXXXXXXX.",
        ),
        (
            "SELECT U&'\\zz'",
            "42601 invalid Unicode escape @11 HINT Unicode escapes must be \\XXXX or \\+XXXXXX.",
        ),
        ("SELECT 1\0", "22021 invalid byte sequence for encoding \"UTF8\": 0x00"),
        ("CREATE ASSERTION a CHECK (true)", "0A000 CREATE ASSERTION is not yet implemented @1"),
    ] {
        check(sql, expected);
    }
}

#[test]
fn deep_trees_end_with_54001_and_long_chains_do_not() {
    let bump = Bump::new("test", Account::unlimited());
    // A chain that leans to the left needs no stack.
    assert_eq!(parse(&bump, &format!("SELECT 1{}", " + 1".repeat(50_000))).unwrap().len(), 1);
    let unions = format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(20_000));
    assert_eq!(parse(&bump, &unions).unwrap().len(), 1);
    // NOT is in the grammar's own way: each level is a level of the tree.
    let deep = format!("SELECT {}true", "NOT ".repeat(9_000));
    let error = parse(&bump, &deep).unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "54001");
    assert_eq!(error.message(), "stack depth limit exceeded");
}

#[test]
fn long_names_are_cut_between_characters() {
    let bump = Bump::new("test", Account::unlimited());
    let statements = parse(&bump, &format!("LISTEN {}", "é".repeat(40))).unwrap();
    let crate::Statement::Listen(name) = statements[0].statement else { panic!() };
    assert_eq!(name, "é".repeat(31));
}

#[test]
fn command_tags() {
    let bump = Bump::new("test", Account::unlimited());
    for (sql, tag) in [
        ("VALUES (1)", "SELECT"),
        ("SELECT 1 INTO t", "SELECT INTO"),
        ("CREATE TABLE t AS SELECT 1", "CREATE TABLE AS"),
        ("CREATE TABLE t AS EXECUTE p", "CREATE TABLE AS"),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", "CREATE MATERIALIZED VIEW"),
        ("ALTER TABLE t RENAME a TO b", "ALTER TABLE"),
        ("ALTER VIEW v RENAME a TO b", "ALTER VIEW"),
        ("ALTER INDEX i SET (fillfactor = 50)", "ALTER INDEX"),
        ("ALTER TABLE t OWNER TO CURRENT_USER", "ALTER TABLE"),
        ("DROP INDEX i", "DROP INDEX"),
        ("ROLLBACK TO s", "ROLLBACK"),
        ("CREATE FOREIGN TABLE f (a int) SERVER s", "CREATE FOREIGN TABLE"),
        ("CREATE AGGREGATE a (int) (sfunc = f, stype = int)", "CREATE AGGREGATE"),
        ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", "CREATE SUBSCRIPTION"),
        ("COMMENT ON DOMAIN d IS NULL", "COMMENT"),
        ("REVOKE a FROM b", "REVOKE ROLE"),
        ("DEALLOCATE ALL", "DEALLOCATE ALL"),
        ("MOVE c", "MOVE"),
        ("SET TIME ZONE INTERVAL '1' HOUR", "SET"),
    ] {
        assert_eq!(parse(&bump, sql).unwrap()[0].statement.command_tag(), tag, "for {sql}");
    }
}

#[test]
fn a_type_name_alone() {
    let bump = Bump::new("test", Account::unlimited());
    let name = crate::parse_type_name(&bump, "numeric(10,2)[]").unwrap();
    assert_eq!(name.names, ["pg_catalog", "numeric"]);
    assert_eq!((name.typmods.len(), name.array_bounds), (2, &[-1][..]));
    assert!(crate::parse_type_name(&bump, "int; select").is_err());
}

/// Runs on demand: `PERDURA_SQL_DIR=…/src/test/regress/sql cargo test -p parse -- --ignored`.
/// Splits each file as psql would in the easy cases and demands that what parses converts.
#[test]
#[ignore = "PERDURA_SQL_DIR=FOLDER cargo test -p parse --lib -- --ignored"]
fn every_statement_of_a_folder_converts() {
    let dir = std::env::var("PERDURA_SQL_DIR").expect("PERDURA_SQL_DIR");
    let (mut good, mut bad) = (0, 0);
    for entry in std::fs::read_dir(dir).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        let text: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('\\'))
            .collect::<Vec<_>>()
            .join("\n");
        let mut from = 0;
        for (at, _) in text.match_indices(";\n").chain([(text.len().saturating_sub(1), "")]) {
            let Some(piece) = text.get(from..at + 1) else { continue };
            let mut bump = Bump::new("test", Account::unlimited());
            match parse(&bump, piece) {
                Ok(statements) => {
                    good += statements.len();
                    for s in statements {
                        assert_ne!(s.statement.command_tag(), "???", "{piece}");
                        assert!(format!("{s:?}").len() > 1);
                    }
                    from = at + 1;
                }
                Err(error) => {
                    assert_ne!(error.sqlstate().class(), "XX", "{piece}\n{error}");
                    bad += 1;
                    // Perhaps the semicolon stands in a string: try again with more text.
                    if error.message().starts_with("syntax error at or near") {
                        from = at + 1;
                    }
                }
            }
            bump.reset();
        }
    }
    println!("{good} statements converted, {bad} pieces refused");
    assert!(good > 1000);
}
