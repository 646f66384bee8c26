//! The project's own commands; `cargo xtask` lists them.
//!
//! Each command is one module that returns `Err(sentence)` when it found something wrong.
#![expect(clippy::print_stdout, reason = "this is a program for the terminal")]

mod check;
mod facts;
mod oracle;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask check              formatting, clippy, layers, sizes, names, docs
cargo xtask tidy               the same without formatting and clippy
cargo xtask facts              writes facts/*.tsv from the oracle
cargo xtask oracle install     fetches PostgreSQL 18 into build/oracle
cargo xtask oracle start       runs one until it is interrupted, and says where
cargo xtask oracle record [AREA[/TOPIC]]   writes the expected output of tests/sql
cargo xtask oracle diff [AREA[/TOPIC]]     checks that it is what the oracle answers
cargo xtask oracle gaps [AREA[/TOPIC]]     rewrites tests/sql/gaps.tsv for Perdura as it is
cargo xtask oracle tpch        writes the answers to the queries of tests/tpch";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["check"] => check::all(),
        ["tidy"] => check::tidy(),
        ["facts"] => facts::record(),
        ["oracle", "install"] => oracle::install(),
        ["oracle", "start"] => oracle::start(),
        ["oracle", "record"] => oracle::record(""),
        ["oracle", "record", prefix] => oracle::record(prefix),
        ["oracle", "diff"] => oracle::diff(""),
        ["oracle", "diff", prefix] => oracle::diff(prefix),
        ["oracle", "tpch"] => oracle::tpch(),
        ["oracle", "gaps"] => oracle::gaps(""),
        ["oracle", "gaps", prefix] => oracle::gaps(prefix),
        _ => Err(USAGE.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
