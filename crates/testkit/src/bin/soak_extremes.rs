//! `soak_extremes`: statements that want far more memory than there is. Settings come from the
//! environment: PERDURA (the program), MEMORY_MB, ROWS, CLASSES, TEMPORARY_MB,
//! LOCKED_ROWS.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use testkit::soak::extremes::{Size, run};

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn main() -> ExitCode {
    let dir = testkit::workspace().join(format!("build/extremes-{}", std::process::id()));
    let program = env::var_os("PERDURA")
        .map_or_else(|| testkit::workspace().join("target/release/perdura"), PathBuf::from);
    let full = Size::FULL;
    let size = Size {
        memory_limit_mb: number("MEMORY_MB", full.memory_limit_mb),
        rows: number("ROWS", full.rows),
        classes: usize::try_from(number("CLASSES", full.classes as u64)).unwrap_or(full.classes),
        temporary_mb: number("TEMPORARY_MB", full.temporary_mb),
        locked_rows: number("LOCKED_ROWS", full.locked_rows),
    };
    let result = std::fs::create_dir_all(&dir)
        .map_err(|error| format!("{}: {error}", dir.display()))
        .and_then(|()| run(program, &dir, size));
    let _ = std::fs::remove_dir_all(&dir);
    match result {
        Ok(lines) => {
            let _ = write!(std::io::stdout(), "{lines}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("soak_extremes: {why}");
            ExitCode::FAILURE
        }
    }
}
