//! Who starts a program may have it ignore SIGCHLD; the system would throw away statuses then.
#![cfg(unix)]

use std::process::Command;
use std::time::Duration;
use supervise::{Children, Status};

#[test]
fn statuses_are_kept_where_sigchld_was_ignored() {
    // SAFETY: no handler is set, and this program has one test.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    let mut children = Children::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_supervise_child"));
    children.spawn(command.args(["exit", "7"])).unwrap();
    let exits = children.wait(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(exits[0].status, Status::Exited(7));
}
