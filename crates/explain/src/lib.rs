//! Plans as EXPLAIN shows them.
//!
//! # How it works
//! ```text
//! plan, its notes, counters ─▶ build ─▶ shown::Explained ─▶ text | structured (JSON, XML, YAML)
//! ```
//! Nodes have PostgreSQL's names and properties for what Perdura's nodes do. What Perdura does in
//! nodes of its own and PostgreSQL does in every node, filters and projections, is shown in the
//! node below them. Conditions are the bound expressions that planning noted ([`plan::Notes`]),
//! printed by crate `deparse`.
//!
//! # Rules
//! 1. Nothing is shown that is not known: there are no lines for blocks, WAL and triggers.
//! 2. Counters are those of one execution; rows and times are averages of a node's loops.
//!
//! # Limits
//! CTEs and subplans that no shown node calls are listed below the topmost node. Bytes of rows
//! are a guess.
//!
//! Sources: the manual's page of EXPLAIN and chapter 14.1, what PostgreSQL 18 shows.

mod build;
mod options;
mod shown;
mod structured;
mod text;

pub use build::Source;
pub use options::{Format, Options, Serialize};

use base::Result;
use types::oids;

/// What is measured around a plan.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Settings that differ from their defaults, if asked for.
    pub settings: Option<Vec<(String, String)>>,
    /// The number of the query without its constants, if it is shown.
    pub query_id: Option<i64>,
    /// Bytes used and allocated by planning, if asked for.
    pub memory: Option<(u64, u64)>,
    /// The time of planning, if asked for.
    pub planning_ms: Option<f64>,
    /// The time and the bytes of rows as clients get them, if asked for.
    pub serialization: Option<(Option<f64>, u64)>,
    /// The time of execution, if asked for.
    pub execution_ms: Option<f64>,
}

/// The type of the one column of EXPLAIN's result.
pub fn result_type(format: Format) -> u32 {
    match format {
        Format::Text | Format::Yaml => oids::TEXT,
        Format::Xml => oids::XML,
        Format::Json => oids::JSON,
    }
}

/// The rows of EXPLAIN's result.
///
/// # Errors
/// Those of reading the catalogs.
pub fn rows(
    source: &Source<'_, '_, '_>,
    options: Options,
    measured: Measured,
) -> Result<Vec<String>> {
    let format = match options.serialize {
        Serialize::Binary => "binary",
        _ => "text",
    };
    let serialization = measured.serialization.map(|(ms, bytes)| (ms, bytes, format));
    let explained = shown::Explained {
        plan: build::build(source, options)?,
        settings: measured.settings,
        query_id: measured.query_id,
        memory: measured.memory,
        planning_ms: measured.planning_ms,
        serialization,
        execution_ms: measured.execution_ms,
        analyzed: options.analyze,
    };
    Ok(match options.format {
        Format::Text => text::write(&explained),
        format => vec![structured::write(&explained, format)],
    })
}
