//! `cargo xtask oracle`: the PostgreSQL that decides what is right.

use testkit::gaps::Gaps;
use testkit::oracle::{self, Oracle};
use testkit::perdura::{self, Perdura};
use testkit::tpch::{self, Target};
use testkit::{Result, Server, suite};

/// Fetches it and says where it is.
pub(crate) fn install() -> Result<()> {
    let installation = oracle::install()?;
    println!("{}", installation.program("").display());
    Ok(())
}

/// Runs one until it is interrupted.
pub(crate) fn start() -> Result<()> {
    let installation = oracle::install()?;
    let mut oracle = Oracle::start(&installation)?;
    let psql = installation.program("psql");
    println!("{} -h 127.0.0.1 -p {} -U postgres", psql.display(), oracle.port());
    oracle.wait()
}

/// Writes the expected output of the scripts that `prefix` names.
pub(crate) fn record(prefix: &str) -> Result<()> {
    let installation = oracle::install()?;
    let scripts = suite::scripts(prefix)?;
    let mut oracle = Oracle::start(&installation)?;
    let changed = suite::record(&mut oracle, &installation, &scripts)?;
    println!("{} scripts recorded, {changed} files changed", scripts.len());
    Ok(())
}

/// Checks that the recorded output is what the oracle answers.
pub(crate) fn diff(prefix: &str) -> Result<()> {
    let installation = oracle::install()?;
    let scripts = suite::scripts(prefix)?;
    let mut oracle = Oracle::start(&installation)?;
    let none = Gaps::default();
    let report = suite::compare(&mut oracle, &installation, &scripts, &none)?;
    println!("{}", report.summary());
    if report.problems.is_empty() { Ok(()) } else { Err(report.problems.join("\n")) }
}

/// Writes the answers to the queries of TPC-H.
pub(crate) fn tpch() -> Result<()> {
    let installation = oracle::install()?;
    let oracle = Oracle::start(&installation)?;
    let target = Target::of(&oracle, &installation);
    target.load(tpch::SCALE_FACTOR)?;
    for query in 1..=tpch::QUERIES {
        let path = tpch::answer_path(query);
        std::fs::write(&path, target.answer(query)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    println!("{} queries recorded", tpch::QUERIES);
    Ok(())
}

/// Rewrites the list of gaps.
pub(crate) fn gaps(prefix: &str) -> Result<()> {
    let installation = oracle::install()?;
    let scripts = suite::scripts(prefix)?;
    let path = suite::gaps_path();
    let old = Gaps::read(&path)?;
    let mut server = Perdura::start(perdura::program()?, &installation)?;
    let report = suite::compare(&mut server, &installation, &scripts, &old)?;
    println!("{}", report.summary());
    suite::gaps_of(&report, &old, &scripts).write(&path)
}
