//! Updates of few rows again and again while an old snapshot is held for the first half of them.
//!
//! Each message is one transaction with many updates of single rows. The old snapshot reads its own
//! data now and then; after it has ended, table and index must be as large as they were, or half as
//! much again at most.

use crate::Result;
use crate::client::{Client, Failure};
use crate::kill9::{Running, ServerOptions};
use std::time::{Duration, Instant};

/// The rows.
const ROWS: u64 = 1000;
/// The updates of one transaction.
const STATEMENTS: u64 = 500;

/// How much there is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server to test.
    pub server: ServerOptions,
    /// How many updates.
    pub updates: u64,
}

fn said(failure: Failure) -> String {
    failure.to_string()
}

fn number(session: &mut Client, sql: &str) -> Result<u64> {
    let text = session.value(sql).map_err(said)?;
    text.parse().map_err(|_| format!("{sql}: {text}"))
}

fn sizes(session: &mut Client) -> Result<(u64, u64)> {
    let table = number(session, "SELECT pg_relation_size('hot')")?;
    Ok((table, number(session, "SELECT pg_relation_size('hot_pkey')")?))
}

/// Runs it and returns a summary.
///
/// # Errors
/// When the old snapshot sees something else, or a size has grown.
pub fn run(options: &Options, report: &mut dyn FnMut(&str)) -> Result<String> {
    let mut running = Running::start(&options.server)?;
    let mut writer = Client::connect(running.port(), "postgres").map_err(said)?;
    writer.query("CREATE TABLE hot (id int PRIMARY KEY, n bigint, note text)").map_err(said)?;
    let fill =
        format!("INSERT INTO hot SELECT i, 0, 'row ' || i FROM generate_series(1, {ROWS}) i");
    writer.query(&fill).map_err(said)?;
    let before = sizes(&mut writer)?;
    let mut reader = Client::connect(running.port(), "postgres").map_err(said)?;
    reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ").map_err(said)?;
    let look = "SELECT sum(n) || '/' || count(*) || '/' || sum(length(note)) FROM hot";
    let old = reader.value(look).map_err(said)?;
    let begun = Instant::now();
    let (mut done, mut told, mut held) = (0, 0, true);
    let mut during = before;
    while done < options.updates {
        let mut text = String::with_capacity(STATEMENTS as usize * 48);
        for step in 0..STATEMENTS {
            // Each row as often as any other, in no order that pages know.
            let id = (done + step) * 7919 % ROWS + 1;
            text.push_str(&format!("UPDATE hot SET n = n + 1 WHERE id = {id};"));
        }
        writer.query(&text).map_err(said)?;
        done += STATEMENTS;
        if done * 20 / options.updates > told {
            told = done * 20 / options.updates;
            during = sizes(&mut writer)?;
            report(&format!(
                "{done} updates, {:.0} a second, table {} kB, index {} kB",
                done as f64 / begun.elapsed().as_secs_f64(),
                during.0 / 1024,
                during.1 / 1024
            ));
            if held {
                let now = reader.value(look).map_err(said)?;
                if now != old {
                    return Err(format!("the old snapshot saw {old} and sees {now}"));
                }
            }
        }
        if held && done * 2 >= options.updates {
            reader.query("COMMIT").map_err(said)?;
            held = false;
        }
    }
    // What is due is tidied up by the server itself.
    std::thread::sleep(Duration::from_secs(2));
    let after = sizes(&mut writer)?;
    let sum = number(&mut writer, "SELECT sum(n) FROM hot")?;
    running.stop()?;
    if sum != done {
        return Err(format!("{done} updates have added {sum}"));
    }
    let limit = |before: u64| before + before / 2;
    if after.0 > limit(before.0) || after.1 > limit(before.1) {
        return Err(format!("sizes of table and index were {before:?} and are {after:?}"));
    }
    Ok(format!(
        "{done} updates of {ROWS} rows in {:.0} s: table {} kB before, {} kB at the end of the old \
         snapshot's time or later, {} kB after; index {} kB, {} kB, {} kB",
        begun.elapsed().as_secs_f64(),
        before.0 / 1024,
        during.0 / 1024,
        after.0 / 1024,
        before.1 / 1024,
        during.1 / 1024,
        after.1 / 1024
    ))
}
