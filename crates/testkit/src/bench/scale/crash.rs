//! kill -9 of the server process under connected clients: how long until the next answer, and who
//! is refused meanwhile.

use super::{Bench, Goal, Line, connect, ours};
use crate::Result;
use crate::client::{Client, Failure};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const CLIENTS: u32 = 1000;
/// Of them, those that write while the server is killed.
const WRITERS: usize = 8;
/// Those that come after it.
const COMERS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<Vec<Line>> {
    let perdura = bench.perdura(&[])?;
    let target = ours(&perdura);
    bench.fill(target)?;
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| connect(target)).collect::<Result<_>>()?;
    let writers: Vec<_> = clients
        .drain(..WRITERS)
        .enumerate()
        .map(|(number, mut client)| {
            thread::spawn(move || {
                let sql = format!(
                    "update pgbench_accounts set abalance = abalance + 1 where aid = {}",
                    number + 1
                );
                while client.query(&sql).is_ok() {}
            })
        })
        .collect();
    sleep(Duration::from_secs(2));
    let start = Instant::now();
    perdura.kill_server_process()?;
    let comers: Vec<_> = (0..COMERS)
        .map(|_| {
            thread::spawn(move || -> std::result::Result<Duration, Failure> {
                let mut client = Client::connect(target.port, "postgres")?;
                client.query("select 1")?;
                Ok(start.elapsed())
            })
        })
        .collect();
    let (mut longest, mut refused, mut first) = (Duration::ZERO, 0, None);
    for comer in comers {
        match comer.join().map_err(|_| "a client's thread panicked")? {
            Ok(waited) => longest = longest.max(waited),
            Err(failure) => {
                refused += 1;
                first.get_or_insert(failure.to_string());
            }
        }
    }
    for writer in writers {
        let _ = writer.join();
    }
    // All that were connected must learn that their session is gone.
    let deadline = Instant::now() + PATIENCE;
    let mut left = clients.len();
    while let Some(mut client) = clients.pop() {
        if Instant::now() > deadline || client.query("select 1").is_ok() {
            break;
        }
        left -= 1;
    }
    Ok(vec![
        Line::new(
            format!("kill -9 under {CLIENTS} clients, serving again"),
            "ms with recovery",
            Some(longest.as_secs_f64() * 1000.0),
            Goal::AtMost(2000.0),
        ),
        Line::new(
            format!("of {COMERS} new clients meanwhile"),
            "refused",
            Some(f64::from(refused)),
            Goal::AtMost(0.0),
        )
        .note(first.unwrap_or_default()),
        Line::new("old clients not told", "sessions", Some(left as f64), Goal::AtMost(0.0)),
    ])
}
