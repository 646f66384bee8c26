//! PostgreSQL's own memory contexts, timed inside of a backend by `palloc.c`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use testkit::oracle::{Installation, Oracle, install};
use testkit::{Result, Server, psql};

/// A PostgreSQL 18 of our own with the functions of `palloc.c`.
pub(crate) struct Postgres {
    oracle: Oracle,
    library: PathBuf,
}

impl Postgres {
    /// Compiles the extension, starts a server and declares the functions.
    ///
    /// # Errors
    /// When the headers, gcc or the server are missing.
    pub(crate) fn start() -> Result<Postgres> {
        let installation = install()?;
        let library = compile(&installation)?;
        let oracle = Oracle::start(&installation)?;
        let postgres = Postgres { oracle, library };
        let path = postgres.library.display();
        for (name, arguments) in
            [("pairs", "int, int, bigint"), ("resets", "int, bigint"), ("deletes", "int, bigint")]
        {
            postgres.query(&format!(
                "CREATE FUNCTION {name}({arguments}) RETURNS bigint AS '{path}' LANGUAGE C STRICT"
            ))?;
        }
        Ok(postgres)
    }

    fn query(&self, sql: &str) -> Result<String> {
        psql::query(self.oracle.installation(), self.oracle.port(), "postgres", sql)
    }

    /// What a function of the extension measured.
    ///
    /// # Panics
    /// When it fails.
    pub(crate) fn time(&self, call: &str) -> Duration {
        let answer = self.query(&format!("SELECT {call}")).and_then(|answer| {
            answer.trim().parse().map_err(|error| format!("{answer:?}: {error}"))
        });
        match answer {
            Ok(nanoseconds) => Duration::from_nanos(nanoseconds),
            Err(error) => panic!("SELECT {call}: {error}"),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.library);
    }
}

/// Builds `palloc.c` as PostgreSQL builds its own files, where the user nobody can read it.
fn compile(installation: &Installation) -> Result<PathBuf> {
    let include = installation.program("").join("../include/postgresql/server");
    let folder = std::env::temp_dir();
    let library = folder.join(format!("perdura-palloc-{}.so", std::process::id()));
    let source = folder.join(format!("perdura-palloc-{}.c", std::process::id()));
    std::fs::write(&source, include_str!("palloc.c")).map_err(|e| e.to_string())?;
    let output = Command::new("gcc")
        .args(["-O2", "-fno-strict-aliasing", "-fwrapv", "-fexcess-precision=standard"])
        .args(["-fPIC", "-shared", "-I"])
        .arg(&include)
        .arg("-o")
        .args([&library, &source])
        .output();
    let _ = std::fs::remove_file(&source);
    let output = output.map_err(|error| format!("gcc: {error}"))?;
    if output.status.success() {
        return Ok(library);
    }
    Err(format!("gcc: {}", String::from_utf8_lossy(&output.stderr)))
}
