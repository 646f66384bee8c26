//! Turns `facts/*.tsv` into `static` tables of Rust, sorted for binary search.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// How a value of a fact becomes Rust.
#[derive(Clone, Copy)]
enum As {
    Oid,
    Number,
    Float,
    Bool,
    Byte,
    Text,
    TextOrNone,
    /// `oidvector`
    Oids,
    /// `oid[]`, NULL possible
    OidArray,
    /// `text[]`, NULL possible
    TextArray,
    /// `"char"[]` of argument modes, NULL possible
    Modes,
    /// SQL, NULL possible
    Sql,
    /// A code of the enum of that name.
    Code(&'static str),
    /// A value that no fact has.
    Fixed(&'static str),
}

/// One table: facts, the name of the static, the struct, fields with their columns.
struct Table {
    facts: &'static str,
    name: &'static str,
    row: &'static str,
    fields: &'static [(&'static str, &'static str, As)],
}

include!("build/tables.rs");

/// A file of facts.
struct Facts {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Facts {
    fn read(dir: &Path, name: &str) -> Facts {
        let path = dir.join(format!("{name}.tsv"));
        println!("cargo:rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut lines = text.lines();
        let split = |line: &str| line.split('\t').map(str::to_string).collect::<Vec<_>>();
        let columns = lines.next().map(split).unwrap_or_default();
        let mut rows: Vec<_> = lines.map(split).collect();
        // What PostgreSQL does not have stands beside the code that writes the catalogs.
        let own = Path::new("src/bootstrap").join(format!("own_{name}.tsv"));
        if let Ok(text) = fs::read_to_string(&own) {
            println!("cargo:rerun-if-changed={}", own.display());
            rows.extend(text.lines().skip(1).map(split));
        }
        Facts { columns, rows }
    }

    fn column(&self, name: &str) -> usize {
        let found = self.columns.iter().position(|column| column == name);
        found.unwrap_or_else(|| panic!("no column {name} in the facts"))
    }
}

/// COPY's escapes undone.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some('r')) => plain.push('\r'),
            ('\\', Some(other)) => plain.push(other),
            (other, _) => plain.push(other),
        }
    }
    plain
}

/// The elements of an array in its text form, one dimension.
fn elements(text: &str) -> Vec<String> {
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let mut list = Vec::new();
    let (mut element, mut quoted, mut escaped) = (String::new(), false, false);
    for c in inner.chars() {
        match c {
            _ if escaped => {
                element.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => list.push(std::mem::take(&mut element)),
            _ => element.push(c),
        }
    }
    if !inner.is_empty() {
        list.push(element);
    }
    list
}

fn oid_list<'a>(oids: impl Iterator<Item = &'a str>) -> String {
    let oids: Vec<String> = oids.map(|oid| format!("Oid({oid})")).collect();
    format!("Cow::Borrowed(&[{}])", oids.join(","))
}

fn rust(kind: As, raw: &str) -> String {
    let null = raw == "\\N";
    let text = unescape(raw);
    let optional = |value: String| if null { "None".into() } else { format!("Some({value})") };
    match kind {
        As::Oid => format!("Oid({raw})"),
        As::Number => raw.to_string(),
        As::Float => format!("{raw}f32"),
        As::Bool => (raw == "t").to_string(),
        As::Byte => format!("b{:?}", text.chars().next().unwrap_or('\0')),
        As::Text => format!("Cow::Borrowed({text:?})"),
        As::TextOrNone => optional(format!("Cow::Borrowed({text:?})")),
        As::Oids => oid_list(raw.split(' ').filter(|oid| !oid.is_empty())),
        As::OidArray => {
            let list = elements(&text);
            optional(oid_list(list.iter().map(String::as_str)))
        }
        As::TextArray => {
            let list: Vec<String> =
                elements(&text).iter().map(|e| format!("Cow::Borrowed({e:?})")).collect();
            optional(format!("Cow::Borrowed(&[{}])", list.join(",")))
        }
        As::Modes => {
            let modes: Vec<String> = elements(&text).iter().map(|e| code("ArgMode", e)).collect();
            optional(format!("Cow::Borrowed(&[{}])", modes.join(",")))
        }
        As::Sql => optional(format!("Stored::Sql(Cow::Borrowed({text:?}))")),
        As::Code(name) => code(name, &text),
        As::Fixed(value) => value.to_string(),
    }
}

/// The variant with a code, found at compile time so that an unknown code does not build.
fn code(name: &str, letter: &str) -> String {
    let letter = letter.chars().next().unwrap_or('\0');
    format!("known({name}::from_code(b{letter:?}))")
}

fn emit(dir: &Path, out: &mut String, table: &Table) {
    let facts = Facts::read(dir, table.facts);
    let columns: Vec<usize> = table
        .fields
        .iter()
        .map(
            |(_, column, kind)| {
                if matches!(kind, As::Fixed(_)) { usize::MAX } else { facts.column(column) }
            },
        )
        .collect();
    let (name, row) = (table.name, table.row);
    let mut rows = facts.rows.clone();
    if name == "CASTS" {
        let key = |row: &Vec<String>| {
            (row[1].parse::<u32>().unwrap_or(0), row[2].parse::<u32>().unwrap_or(0))
        };
        rows.sort_by_key(key);
    }
    if name == "AM_OPS" || name == "AM_PROCS" {
        rows.sort_by_key(|row| {
            let number = |i: usize| row[i].parse::<u32>().unwrap_or(0);
            (number(1), number(2), number(3), number(4))
        });
    }
    let _ = writeln!(out, "pub(super) static {name}: [{row}; {}] = [", rows.len());
    for values in &rows {
        let _ = write!(out, "{row} {{");
        for ((field, _, kind), column) in table.fields.iter().zip(&columns) {
            let raw = values.get(*column).map_or("", String::as_str);
            let mut value = rust(*kind, raw);
            // Transaction ids have 64 bits: the type `xid` is 8 bytes wide.
            if row == "Type" && values[0] == "28" {
                match *field {
                    "len" => value = "8".into(),
                    "align" => value = "b'd'".into(),
                    _ => {}
                }
            }
            let _ = write!(out, "{field}:{value},");
        }
        let _ = writeln!(out, "}},");
    }
    let _ = writeln!(out, "];");
    if let Some(by) = table.fields.iter().position(|(field, ..)| *field == "name") {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|a, b| rows[*a][columns[by]].cmp(&rows[*b][columns[by]]));
        let _ =
            writeln!(out, "pub(super) static {name}_BY_NAME: [u16; {}] = {order:?};", rows.len());
    }
}

/// The relations of the system with their columns, and their indexes.
fn emit_relations(dir: &Path, out: &mut String) {
    let classes = Facts::read(dir, "pg_class");
    let columns = Facts::read(dir, "pg_attribute");
    let _ =
        writeln!(out, "pub(super) static RELATIONS: [SystemRelation; {}] = [", classes.rows.len());
    for class in &classes.rows {
        let get = |name: &str| class[classes.column(name)].as_str();
        let _ = write!(
            out,
            "SystemRelation {{oid:Oid({}),name:{:?},namespace:Oid({}),row_type:Oid({}),\
             kind:{},shared:{},acl:{},columns:&[",
            get("oid"),
            get("relname"),
            get("relnamespace"),
            get("reltype"),
            code("RelationKind", get("relkind")),
            get("relisshared") == "t",
            if get("relacl") == "\\N" {
                "None".into()
            } else {
                format!("Some({:?})", get("relacl"))
            },
        );
        for column in columns.rows.iter().filter(|column| column[0] == class[0]) {
            let get = |name: &str| column[columns.column(name)].as_str();
            let xid = get("atttypid") == "28";
            let _ = write!(
                out,
                "SystemColumn {{name:{:?},type_oid:Oid({}),len:{},typmod:{},dimensions:{},by_value:{},\
                 align:b{:?},storage:b{:?},not_null:{},collation:Oid({})}},",
                get("attname"),
                get("atttypid"),
                if xid { "8" } else { get("attlen") },
                get("atttypmod"),
                get("attndims"),
                get("attbyval") == "t",
                if xid { 'd' } else { get("attalign").chars().next().unwrap_or('i') },
                get("attstorage").chars().next().unwrap_or('p'),
                get("attnotnull") == "t",
                get("attcollation"),
            );
        }
        let _ = writeln!(out, "]}},");
    }
    let _ = writeln!(out, "];");
    emit_indexes(dir, out);
}

/// A module of constants for each catalog: its OID and the attribute numbers of its columns.
fn emit_columns(dir: &Path, out: &mut String) {
    let classes = Facts::read(dir, "pg_class");
    let columns = Facts::read(dir, "pg_attribute");
    let (oid, name) = (classes.column("oid"), classes.column("relname"));
    let (kind, namespace) = (classes.column("relkind"), classes.column("relnamespace"));
    for class in classes.rows.iter().filter(|c| c[kind] == "r" && c[namespace] == "11") {
        let _ = writeln!(
            out,
            "/// `{0}`\npub mod {0} {{\n use base::Oid;\n /// Its OID.\n \
             pub const RELATION: Oid = Oid({1});",
            class[name], class[oid]
        );
        for column in columns.rows.iter().filter(|column| column[0] == class[oid]) {
            let name = &column[columns.column("attname")];
            let number = &column[columns.column("attnum")];
            let constant = name.to_uppercase();
            let _ = writeln!(out, " /// `{name}`\n pub const {constant}: i16 = {number};");
        }
        let _ = writeln!(out, "}}");
    }
    let indexes = Facts::read(dir, "pg_class_index");
    let _ =
        writeln!(out, "/// The OIDs of the catalogs' indexes.\npub mod index {{\n use base::Oid;");
    for index in &indexes.rows {
        let (oid, name) = (&index[0], &index[1]);
        let constant = name.to_uppercase();
        let _ = writeln!(out, " /// `{name}`\n pub const {constant}: Oid = Oid({oid});");
    }
    let _ = writeln!(out, "}}");
}

fn emit_indexes(dir: &Path, out: &mut String) {
    let indexes = Facts::read(dir, "pg_index");
    let classes = Facts::read(dir, "pg_class_index");
    let _ = writeln!(out, "pub(super) static INDEXES: [SystemIndex; {}] = [", indexes.rows.len());
    for index in &indexes.rows {
        let get = |name: &str| index[indexes.column(name)].as_str();
        let list = |name: &str| get(name).replace(' ', ",");
        let oids = |name: &str| {
            get(name).split(' ').map(|oid| format!("Oid({oid})")).collect::<Vec<_>>().join(",")
        };
        let class = classes.rows.iter().find(|class| class[0] == index[0]);
        let class = class.unwrap_or_else(|| panic!("index {} has no class", index[0]));
        let _ = writeln!(
            out,
            "SystemIndex {{oid:Oid({}),name:{:?},table:Oid({}),shared:{},unique:{},primary:{},\
             key:&[{}],collations:&[{}],classes:&[{}]}},",
            get("indexrelid"),
            class[classes.column("relname")],
            get("indrelid"),
            class[classes.column("relisshared")] == "t",
            get("indisunique") == "t",
            get("indisprimary") == "t",
            list("indkey"),
            oids("indcollation"),
            oids("indclass"),
        );
    }
    let _ = writeln!(out, "];");
}

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dir = root.join("../../facts");
    println!("cargo:rerun-if-changed=build/tables.rs");
    let mut out = String::new();
    for table in TABLES {
        emit(&dir, &mut out, table);
    }
    emit_relations(&dir, &mut out);
    let target = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("builtin.rs");
    fs::write(&target, out).unwrap_or_else(|e| panic!("{}: {e}", target.display()));
    let mut out = String::new();
    emit_columns(&dir, &mut out);
    let target = target.with_file_name("columns.rs");
    fs::write(&target, out).unwrap_or_else(|e| panic!("{}: {e}", target.display()));
}
