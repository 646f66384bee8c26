//! From an empty directory to the first answer.

use super::{Options, Row, median};
use crate::Result;
use crate::kill9::{Running, ServerOptions};
use crate::oracle::{Installation, Oracle};
use std::time::Instant;

/// Measures both servers in turn.
pub(super) fn measure(options: &Options, installation: &Installation) -> Result<Vec<Row>> {
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for repetition in 0..options.repetitions {
        let begin = Instant::now();
        let postgres = Oracle::start_with(installation, &[])?;
        theirs.push(begin.elapsed().as_secs_f64() * 1e3);
        drop(postgres);
        let data = options.server.data.with_extension(format!("start{repetition}"));
        let server = ServerOptions { data: data.clone(), ..options.server.clone() };
        let begin = Instant::now();
        let perdura = Running::start(&server)?;
        ours.push(begin.elapsed().as_secs_f64() * 1e3);
        drop(perdura);
        let _ = std::fs::remove_dir_all(data);
    }
    Ok(vec![Row {
        what: "empty directory to first answer".into(),
        unit: "ms",
        postgres: median(theirs),
        perdura: median(ours),
        less_is_better: true,
    }])
}
