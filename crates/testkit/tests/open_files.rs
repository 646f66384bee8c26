//! `max_files_per_process` limits the open files of tables and indexes, and nothing is lost by it.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::process::Command;
use std::time::Duration;
use testkit::client::Client;
use testkit::kill9::{Running, ServerOptions};
use testkit::perdura;

const TABLES: usize = 300;
const FILES: usize = 64;

/// The files of tables and indexes that a process has open.
fn open_files(pid: u32) -> usize {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    entries
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter(|target| target.parent().is_some_and(|parent| parent.ends_with("base")))
        .count()
}

fn read_all(client: &mut Client, note: &str) {
    for n in 0..TABLES {
        let sum = client.value(&format!("select sum(a + b) from t{n} where b >= 0")).unwrap();
        assert_eq!(sum, (3 * n + 1).to_string(), "t{n} {note}");
    }
}

#[test]
fn more_tables_than_files_may_be_open_are_written_read_and_recovered() {
    let dir = std::env::temp_dir().join(format!("perdura-files-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let files = format!("max_files_per_process={FILES}");
    let options = ServerOptions {
        program: perdura::program().unwrap(),
        data: dir.join("data"),
        settings: vec![files, "shared_buffers=1MB".into()],
        log: dir.join("log"),
    };
    let mut server = Running::start(&options).unwrap();
    let mut client = server.wait_until_it_answers(Duration::from_secs(60)).unwrap();
    for n in 0..TABLES {
        client.query(&format!("create table t{n} (a int primary key, b int unique)")).unwrap();
        client.query(&format!("insert into t{n} values ({n}, {n})")).unwrap();
    }
    for n in 0..TABLES {
        client.query(&format!("update t{n} set b = b + {n} + 1")).unwrap();
    }
    read_all(&mut client, "after the update");
    let open = open_files(server.server_process().unwrap());
    assert!(open <= FILES, "{open} files are open");
    server.kill_everything().unwrap();
    server.start_again().unwrap();
    let mut client = server.wait_until_it_answers(Duration::from_secs(60)).unwrap();
    read_all(&mut client, "after recovery");
    for n in (0..TABLES).step_by(2) {
        client.query(&format!("drop table t{n}")).unwrap();
    }
    client.query("checkpoint").unwrap();
    let open = open_files(server.server_process().unwrap());
    assert!(open <= FILES, "{open} files are open");
    server.stop().unwrap();
    let mut check = Command::new(&options.program);
    let check = check.arg("check").arg("--data").arg(&options.data).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    std::fs::remove_dir_all(&dir).unwrap();
}
