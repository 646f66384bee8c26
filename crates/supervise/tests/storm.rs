//! No exit is lost or doubled, and no thread is started, whatever the number of children.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use supervise::{Children, Exit, Status};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(60));

fn child(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supervise_child"));
    command.args(arguments).stdin(Stdio::null());
    command
}

#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn killed() -> Status {
    if cfg!(windows) {
        Status::Exited(1)
    } else {
        Status::Signaled { signal: 9, core: false }
    }
}

/// Starts and ends `count` children in an order that the seed decides.
fn storm(seed: u64, count: usize) {
    println!("seed {}", seed);
    let mut state = seed | 1;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut children = Children::new().unwrap();
    let mut expected: HashMap<u32, Status> = HashMap::new();
    let mut sleepers = Vec::new();
    let check = |expected: &mut HashMap<u32, Status>, exits: Vec<Exit>| {
        for exit in exits {
            assert_eq!(expected.remove(&exit.pid), Some(exit.status), "lost, doubled or wrong");
        }
    };
    for _ in 0..count {
        let (pid, status) = if random(3) == 0 {
            let pid = children.spawn(&mut child(&["sleep"])).unwrap();
            sleepers.push(pid);
            (pid, killed())
        } else {
            let code = random(200) as i32;
            let pid = children.spawn(&mut child(&["exit", &code.to_string()])).unwrap();
            (pid, Status::Exited(code))
        };
        assert!(expected.insert(pid, status).is_none(), "a pid came twice before its exit did");
        if random(4) == 0 && !sleepers.is_empty() {
            let at = random(sleepers.len() as u64) as usize;
            assert!(children.kill(sleepers.swap_remove(at)));
        }
        if random(16) == 0 {
            check(&mut expected, children.wait(Some(Duration::from_millis(random(3)))).unwrap());
        }
    }
    for pid in sleepers {
        assert!(children.kill(pid));
    }
    while !children.is_empty() {
        let exits = children.wait(PATIENCE).unwrap();
        assert!(!exits.is_empty(), "{} exits never came", children.len());
        check(&mut expected, exits);
    }
    assert!(expected.is_empty());
    assert!(children.wait(None).unwrap().is_empty(), "no children: returns at once");
}

#[test]
fn storms_of_spawns_and_exits_lose_and_double_nothing() {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64,
    };
    storm(seed, if cfg!(windows) { 100 } else { 600 });
}

#[cfg(target_os = "linux")]
#[test]
fn three_hundred_children_are_waited_for_without_a_thread() {
    let mut children = Children::new().unwrap();
    let pids: Vec<u32> =
        (0..300).map(|_| children.spawn(&mut child(&["sleep"])).unwrap()).collect();
    // The other tests of this program have a thread each.
    assert!(threads() <= 20, "{} threads", threads());
    for pid in &pids {
        assert!(children.kill(*pid));
    }
    let mut seen = 0;
    while !children.is_empty() {
        seen += children.wait(PATIENCE).unwrap().len();
    }
    assert_eq!(seen, pids.len());
}

#[test]
fn a_child_of_somebody_else_is_left_alone() {
    let mut other = child(&["exit", "5"]).spawn().unwrap();
    let mut children = Children::new().unwrap();
    let pid = children.spawn(&mut child(&["exit", "3"])).unwrap();
    let exits = children.wait(PATIENCE).unwrap();
    assert_eq!(exits.len(), 1);
    assert_eq!((exits[0].pid, exits[0].status), (pid, Status::Exited(3)));
    assert_eq!(other.wait().unwrap().code(), Some(5));
}

#[test]
fn each_of_two_sets_gets_its_own_exits() {
    let mut sets = [Children::new().unwrap(), Children::new().unwrap()];
    let pids: Vec<u32> =
        (0..2).map(|n| sets[n].spawn(&mut child(&["exit", &n.to_string()])).unwrap()).collect();
    for n in [1, 0] {
        let exits = sets[n].wait(PATIENCE).unwrap();
        assert_eq!(exits.len(), 1);
        assert_eq!((exits[0].pid, exits[0].status), (pids[n], Status::Exited(n as i32)));
    }
}

#[test]
fn a_signal_reaches_a_child_only_until_its_exit_is_delivered() {
    let mut children = Children::new().unwrap();
    let pid = children.spawn(&mut child(&["sleep"])).unwrap();
    assert!(children.contains(pid));
    assert!(children.kill(pid));
    let exits = children.wait(PATIENCE).unwrap();
    assert_eq!(exits.len(), 1);
    assert_eq!((exits[0].pid, exits[0].status), (pid, killed()));
    assert!(!children.kill(pid));
    assert!(!children.contains(pid));
}

#[cfg(unix)]
#[test]
fn the_signal_that_ended_a_child_is_named() {
    let mut children = Children::new().unwrap();
    let pid = children.spawn(&mut child(&["sleep"])).unwrap();
    assert!(children.signal(pid, libc::SIGTERM));
    let exits = children.wait(PATIENCE).unwrap();
    assert_eq!(exits[0].status, Status::Signaled { signal: libc::SIGTERM, core: false });
    assert!(!children.signal(pid, libc::SIGTERM));
    children.spawn(&mut child(&["abort"])).unwrap();
    let exits = children.wait(PATIENCE).unwrap();
    assert!(matches!(exits[0].status, Status::Signaled { signal: libc::SIGABRT, .. }));
}

#[test]
fn an_exit_says_what_the_child_used() {
    let mut children = Children::new().unwrap();
    children.spawn(&mut child(&["burn", "300"])).unwrap();
    let exits = children.wait(PATIENCE).unwrap();
    assert_eq!(exits[0].status, Status::Exited(0));
    let usage = exits[0].usage;
    assert!(usage.user + usage.system > Duration::from_millis(10), "{:?}", usage);
    assert!(usage.user + usage.system < Duration::from_secs(10), "{:?}", usage);
    // Wine has forgotten the memory of a process that has ended.
    if cfg!(unix) {
        assert!(usage.resident_bytes_max > 100_000, "{:?}", usage);
    }
}

#[test]
fn a_wait_ends_when_its_time_is_up() {
    let mut children = Children::new().unwrap();
    let pid = children.spawn(&mut child(&["sleep"])).unwrap();
    let start = Instant::now();
    assert!(children.wait(Some(Duration::from_millis(50))).unwrap().is_empty());
    assert!(start.elapsed() >= Duration::from_millis(45));
    assert!(children.wait(Some(Duration::from_millis(0))).unwrap().is_empty());
    children.kill(pid);
    assert_eq!(children.wait(None).unwrap().len(), 1);
}

#[test]
fn pipes_of_a_child_are_the_owners() {
    use std::io::{Read, Write};
    let mut children = Children::new().unwrap();
    let mut command = child(&["gate"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut spawned = children.spawn_with_pipes(&mut command).unwrap();
    spawned.stdin.take().unwrap().write_all(b"x").unwrap();
    let mut output = String::new();
    spawned.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    assert_eq!(output.split(' ').next(), Some(spawned.pid.to_string().as_str()));
    assert_eq!(children.wait(PATIENCE).unwrap()[0].pid, spawned.pid);
}

#[cfg(unix)]
#[test]
fn a_status_that_somebody_else_took_is_delivered_as_unknown() {
    let mut children = Children::new().unwrap();
    let pid = children.spawn(&mut child(&["exit", "7"])).unwrap();
    let mut status = 0;
    // SAFETY: one place for the status.
    assert!(unsafe { libc::waitpid(pid as libc::pid_t, &mut status, 0) } > 0);
    let exits = children.wait(PATIENCE).unwrap();
    assert_eq!((exits[0].pid, exits[0].status), (pid, Status::Unknown));
}
