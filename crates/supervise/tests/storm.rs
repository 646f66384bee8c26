//! No exit is lost or doubled, and no thread is started, whatever the number of children.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;
use supervise::{Children, Exit, Status};

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn three_hundred_children_are_reaped_once_each_without_a_thread() {
    let before = threads();
    let mut children = Children::new().unwrap();
    let mut expected = HashMap::new();
    let mut seen: Vec<Exit> = Vec::new();
    for n in 0..300 {
        let code = n % 7;
        let script = if n % 10 == 9 { "kill -9 $$".to_owned() } else { format!("exit {code}") };
        let pid = children.spawn(Command::new("/bin/sh").args(["-c", &script])).unwrap();
        let status = if n % 10 == 9 { Status::Signaled(9) } else { Status::Exited(code) };
        assert!(expected.insert(pid, status).is_none(), "a pid came twice before its exit did");
        if n % 16 == 0 {
            seen.extend(children.wait(Some(Duration::ZERO)).unwrap());
            for exit in seen.drain(..) {
                assert_eq!(expected.remove(&exit.pid), Some(exit.status));
            }
        }
    }
    while !children.is_empty() {
        for exit in children.wait(Some(Duration::from_secs(20))).unwrap() {
            assert_eq!(expected.remove(&exit.pid), Some(exit.status));
        }
    }
    assert!(expected.is_empty());
    assert!(threads() <= before + 1, "waiting started threads");
    assert!(children.wait(None).unwrap().is_empty(), "no children: returns at once");
}

#[test]
fn a_child_of_somebody_else_is_left_alone() {
    let mut other = Command::new("/bin/sh").args(["-c", "exit 5"]).spawn().unwrap();
    let mut children = Children::new().unwrap();
    let pid = children.spawn(Command::new("/bin/sh").args(["-c", "exit 3"])).unwrap();
    let exits = children.wait(None).unwrap();
    assert_eq!(exits, [Exit { pid, status: Status::Exited(3) }]);
    assert_eq!(other.wait().unwrap().code(), Some(5));
}

#[test]
fn a_signal_reaches_a_child_only_until_its_exit_is_delivered() {
    let mut children = Children::new().unwrap();
    let pid = children.spawn(Command::new("/bin/sleep").arg("100")).unwrap();
    assert!(children.signal(pid, rustix::process::Signal::TERM));
    let exits = children.wait(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(exits, [Exit { pid, status: Status::Signaled(15) }]);
    assert!(!children.signal(pid, rustix::process::Signal::TERM));
}
