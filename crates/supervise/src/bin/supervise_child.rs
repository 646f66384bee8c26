//! The child of the tests and the benchmark: it ends in the way that its argument names.

use std::io::{Read, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let word = arguments.next().unwrap_or_default();
    let number = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    match word.as_str() {
        "exit" => std::process::exit(number),
        "abort" => std::process::abort(),
        "sleep" => std::thread::sleep(Duration::from_secs(60)),
        "burn" => {
            let until = Instant::now() + Duration::from_millis(u64::from(number.unsigned_abs()));
            while Instant::now() < until {
                std::hint::spin_loop();
            }
        }
        "gate" => gate(),
        _ => std::process::exit(2),
    }
}

/// Waits for the end of standard input, then writes its id and the time, as one line at once.
fn gate() {
    let _ = std::io::stdin().read(&mut [0u8; 1]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let line = format!("{} {}\n", std::process::id(), now);
    let _ = std::io::stdout().write_all(line.as_bytes());
}
