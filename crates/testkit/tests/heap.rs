//! What statements take from the global heap is charged: it is in blocks of memory contexts, or in
//! such blocks sealed, or a large toll pays for it.
//!
//! The queries of TPC-H run in this process, whose allocator counts all bytes; another thread
//! compares them with what is charged while they run.

#![expect(unsafe_code, reason = "a global allocator that counts")]

use server::{ShellInput, ShellOptions, shell};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use testkit::kill9::{Running, ServerOptions};
use testkit::tpch::{self, QUERIES, SCALE_FACTOR, Target};
use testkit::{oracle, perdura};

/// What may be uncharged, as a share of what is charged.
const UNCHARGED_MAX: f64 = 0.02;

static LIVE: AtomicI64 = AtomicI64::new(0);

/// The system's allocator, counted.
struct Counting;

fn count(bytes: usize, sign: i64) {
    LIVE.fetch_add(sign * i64::try_from(bytes).unwrap_or(i64::MAX), Ordering::Relaxed);
}

// SAFETY: everything is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: as this function's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: as this function's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: as this function's.
        unsafe { System.dealloc(block, layout) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as this function's.
        let moved = unsafe { System.realloc(block, layout, bytes) };
        // Afterwards and in one step, so that it is never more than what a context counts.
        let delta = bytes.cast_signed() as i64 - layout.size().cast_signed() as i64;
        LIVE.fetch_add(delta, Ordering::Relaxed);
        moved
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Bytes in blocks of contexts and sealed ones and those of large tolls, and the others.
#[derive(Clone, Copy, Debug, Default)]
struct Heap {
    charged: i64,
    uncharged: i64,
}

fn blocks() -> i64 {
    let rows = memory::registry::contexts();
    let of_contexts: u64 = rows.iter().map(|row| row.total_bytes).sum();
    let elsewhere = memory::sealed_bytes() + memory::collections::tolled_bytes();
    i64::try_from(of_contexts + elsewhere).unwrap_or(0)
}

fn look_once() -> Heap {
    let before = blocks();
    let live = LIVE.load(Ordering::Relaxed);
    let charged = before.max(blocks());
    Heap { charged, uncharged: live - charged }
}

/// What is there now. Of several looks the best: between taking a block and counting it there is a
/// moment.
fn look() -> Heap {
    let looks = [look_once(), look_once(), look_once()];
    looks.into_iter().min_by_key(|heap| heap.uncharged).unwrap_or_default()
}

/// Loads the tables into a new directory.
fn load(dir: &Path, installation: &oracle::Installation) -> testkit::Result<()> {
    let options = ServerOptions {
        program: perdura::program()?,
        data: dir.join("data"),
        settings: vec!["listen_addresses=127.0.0.1".into()],
        log: dir.join("log"),
    };
    let mut server = Running::start(&options)?;
    Target { installation, port: server.port() }.load(SCALE_FACTOR)?;
    server.stop()
}

/// Hands a text to whoever reads a pipe, when they come to it.
fn hand(pipe: &Path, text: &str, before: impl FnOnce()) -> io::Result<()> {
    // Opening waits for the reader.
    let mut file = std::fs::OpenOptions::new().write(true).open(pipe)?;
    before();
    file.write_all(text.as_bytes())
}

/// The most that each query has beyond what was there before it.
fn measure(pipes: &[PathBuf], queries: &[String]) -> io::Result<Vec<Heap>> {
    let mut peaks = Vec::new();
    for (two, query) in pipes.chunks(2).zip(queries) {
        let [first, second] = two else { break };
        let mut before = Heap::default();
        hand(first, query, || before = look())?;
        let stop = AtomicBool::new(false);
        peaks.push(std::thread::scope(|scope| {
            let sampler = scope.spawn(|| {
                let mut peak = Heap::default();
                while !stop.load(Ordering::Relaxed) {
                    let now = look();
                    peak.charged = peak.charged.max(now.charged - before.charged);
                    peak.uncharged = peak.uncharged.max(now.uncharged - before.uncharged);
                    std::thread::sleep(Duration::from_micros(300));
                }
                peak
            });
            // The reader comes to the next pipe when the query has ended.
            hand(second, "", || stop.store(true, Ordering::Relaxed))?;
            sampler.join().map_err(|_| io::Error::other("the sampler panicked"))
        })?);
    }
    Ok(peaks)
}

#[test]
fn what_queries_take_from_the_heap_is_charged() {
    let Ok(installation) = oracle::install() else {
        assert!(std::env::var_os("CI").is_none(), "no PostgreSQL to load by");
        return;
    };
    let dir = std::env::temp_dir().join(format!("perdura-heap-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    load(&dir, &installation).unwrap();
    let text = |query| {
        let path = tpch::folder().join(format!("q{query:02}.sql"));
        let text = std::fs::read_to_string(path).unwrap();
        // Without an answer to be kept.
        format!("explain (analyze, timing off) {text}")
    };
    // Once to fill the caches.
    let once: Vec<String> = (1..=QUERIES).map(text).collect();
    let queries = [once.clone(), once].concat();
    let pipes: Vec<_> =
        (0..2 * queries.len()).map(|number| dir.join(format!("pipe{number}"))).collect();
    assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
    let options = ShellOptions {
        data_dir: dir.join("data"),
        inputs: pipes.iter().cloned().map(ShellInput::File).collect(),
        user: "postgres".into(),
        database: "postgres".into(),
    };
    let peaks = std::thread::scope(|scope| {
        let running = scope.spawn(|| shell(&options));
        let peaks = measure(&pipes, &queries).unwrap();
        assert_eq!(running.join().unwrap(), 0);
        peaks
    });
    std::fs::remove_dir_all(&dir).unwrap();
    let mut sum = Heap::default();
    for (number, peak) in peaks[QUERIES..].iter().enumerate() {
        println!("q{:02}: {} charged, {} not", number + 1, peak.charged, peak.uncharged);
        sum.charged += peak.charged;
        sum.uncharged += peak.uncharged;
    }
    let share = sum.uncharged as f64 / sum.charged.max(1) as f64;
    println!("all: {} charged, {} not: {:.2} %", sum.charged, sum.uncharged, share * 100.0);
    assert!(sum.charged > 1 << 20, "queries take memory");
    assert!(share <= UNCHARGED_MAX, "{:.2} % of the charged bytes are not charged", share * 100.0);
}
