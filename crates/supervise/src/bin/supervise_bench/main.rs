//! Prints what waiting for children costs: address space, memory, threads, time from exit to event.
//!
//! `supervise_bench [N...]` measures 300, 1,000 and 10,000 children, or as many as are named, with
//! one queue and, beside it, with a thread for each child. Each measurement has a process of its
//! own. The children are started, wait for the end of a common pipe, and so end all at once; before
//! that, up to a hundred of them are killed one after the other.

mod figures;
mod measure;
mod system;

use figures::Figures;
use std::process::{Command, ExitCode, Stdio};

const COUNTS: [usize; 3] = [300, 1_000, 10_000];
const WAYS: [(&str, &str); 2] = [("thread", "a thread per child"), ("queue", "one queue")];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some("measure") {
        let count = arguments.get(2).and_then(|n| n.parse().ok()).unwrap_or(0);
        let way = arguments.get(1).map_or("", String::as_str);
        return match measure::run(way, count) {
            Ok(figures) => {
                println!("{}", figures.to_line());
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{}", error);
                ExitCode::FAILURE
            }
        };
    }
    let mut counts: Vec<usize> = arguments.iter().filter_map(|n| n.parse().ok()).collect();
    if counts.is_empty() {
        counts = COUNTS.to_vec();
    }
    println!("{}", figures::HEAD);
    let mut code = ExitCode::SUCCESS;
    for count in counts {
        for (way, title) in WAYS {
            match in_process(way, count) {
                Ok(figures) => println!("{}", figures.row(count, title)),
                Err(error) => {
                    println!("| {} | {} | failed: {} |", count, title, error.trim());
                    code = ExitCode::FAILURE;
                }
            }
        }
    }
    code
}

fn in_process(way: &str, count: usize) -> Result<Figures, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(["measure", way, &count.to_string()])
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Figures::from_line(text.trim())
        .ok_or_else(|| String::from_utf8_lossy(&output.stderr).lines().take(1).collect())
}
