//! TPC-H: the data of a scale factor, in a server, and the 22 queries.
//!
//! The rows come from the crate `tpchgen`, byte for byte those of the benchmark's own generator. The
//! schema, the indexes and the queries are the files of `tests/tpch`; beside each query lies what
//! PostgreSQL answers at [`SCALE_FACTOR`].

use crate::oracle::Installation;
use crate::{Result, Server, psql, workspace};
use std::fmt::Display;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

/// The scale factor of the recorded answers: 867,000 rows.
pub const SCALE_FACTOR: f64 = 0.1;
/// The number of queries.
pub const QUERIES: usize = 22;

/// The folder of schema, queries and answers.
pub fn folder() -> PathBuf {
    workspace().join("tests/tpch")
}

fn text(name: &str) -> Result<String> {
    let path = folder().join(name);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The file of a query's answer; queries are counted from 1.
pub fn answer_path(query: usize) -> PathBuf {
    folder().join(format!("q{query:02}.out"))
}

/// A server to load and to ask.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Whose psql.
    pub installation: &'a Installation,
    /// The server's port.
    pub port: u16,
}

impl<'a> Target<'a> {
    /// That server.
    pub fn of(server: &dyn Server, installation: &'a Installation) -> Target<'a> {
        Target { installation, port: server.port() }
    }

    fn run(&self, sql: &str) -> Result<String> {
        psql::query(self.installation, self.port, "postgres", sql)
    }

    fn copy<T: Display>(&self, table: &str, rows: impl Iterator<Item = T>) -> Result<()> {
        let sql = format!("COPY {table} FROM STDIN (DELIMITER '|')");
        psql::feed(self.installation, self.port, "postgres", &sql, |input| {
            let mut input = BufWriter::with_capacity(1 << 18, input);
            let mut line = String::new();
            for row in rows {
                use std::fmt::Write as _;
                line.clear();
                // Writing to a string cannot fail.
                let _ = write!(line, "{row}");
                // The benchmark's files end each line with a delimiter, COPY's text does not.
                let line = line.strip_suffix('|').unwrap_or(&line);
                input.write_all(line.as_bytes())?;
                input.write_all(b"\n")?;
            }
            input.flush()
        })
    }

    /// Makes the tables, fills them, and makes keys and indexes.
    ///
    /// # Errors
    /// What psql printed to stderr.
    pub fn load(&self, scale_factor: f64) -> Result<()> {
        let sf = scale_factor;
        self.run(&text("schema.sql")?)?;
        self.copy("region", RegionGenerator::default().iter())?;
        self.copy("nation", NationGenerator::default().iter())?;
        self.copy("part", PartGenerator::new(sf, 1, 1).iter())?;
        self.copy("supplier", SupplierGenerator::new(sf, 1, 1).iter())?;
        self.copy("customer", CustomerGenerator::new(sf, 1, 1).iter())?;
        self.copy("partsupp", PartSuppGenerator::new(sf, 1, 1).iter())?;
        self.copy("orders", OrderGenerator::new(sf, 1, 1).iter())?;
        self.copy("lineitem", LineItemGenerator::new(sf, 1, 1).iter())?;
        self.run(&text("indexes.sql")?)?;
        self.run("ANALYZE").map(drop)
    }

    /// The answer of a query, counted from 1.
    ///
    /// # Errors
    /// What psql printed to stderr.
    pub fn answer(&self, query: usize) -> Result<String> {
        self.run(&text(&format!("q{query:02}.sql"))?)
    }
}
