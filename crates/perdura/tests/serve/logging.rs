//! The log, its files, and the postmaster's smaller duties.

use crate::client::{Server, WAIT, kinds, sqlstate};
use crate::protocol::{bind, execute, parse, run};
use rustix::process::Signal;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

fn set(settings: &[&str]) -> impl FnOnce(&mut Command) {
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    move |command| {
        for setting in settings {
            command.arg("-c").arg(setting);
        }
    }
}

/// The files of the log with a suffix, the oldest first.
fn files(server: &Server, suffix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(server.dir.join("log")).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect();
    files.sort();
    files
}

fn all(server: &Server, suffix: &str) -> String {
    files(server, suffix).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// Waits until `found` is true: the collector writes after the client has its answer.
fn until(what: &str, mut found: impl FnMut() -> bool) {
    let start = Instant::now();
    while !found() {
        assert!(start.elapsed() < WAIT, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_log_has_postgresqls_forms_and_the_postmaster_writes_its_files() {
    let mut server = Server::start_with(
        "collector",
        set(&[
            "logging_collector=on",
            "log_destination=stderr,csvlog,jsonlog",
            "log_filename=perdura.log",
            "log_statement=mod",
            "log_line_prefix=<%p|%q%u|%d|%a|%i|%e|%5l> ",
        ]),
    );
    let mut client = server.connect();
    assert_eq!(kinds(&client.query("SELECT 1")), "TDCZ");
    client.query("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    assert_eq!(sqlstate(&client.query("SELECT 1 / 0,\n2")), "22012");
    client.query("COMMIT");
    client.query("PREPARE more AS INSERT INTO t VALUES (2)");
    client.query("EXECUTE more");
    client.query("SET log_statement = 'none'; SET log_min_duration_statement = 0");
    client.query("SELECT 'timed'");
    client.query("SET log_min_duration_statement = -1; SET log_min_messages = 'fatal'");
    client.query("SELECT 'not logged' / 0");
    client.query("SET log_min_messages = 'error'; SET log_error_verbosity = 'verbose'");
    client.query("SELEC");
    until("the last entry is missing", || all(&server, ".json").contains("SELEC\""));
    let plain = all(&server, ".log");
    for expected in [
        "|postgres|postgres|[unknown]|idle|00000|    1> LOG:  statement: CREATE TABLE t (a int); INSERT INTO t",
        "|SELECT|22012|    2> ERROR:  division by zero\n",
        "|22012|    2> STATEMENT:  SELECT 1 / 0,\n\t2\n",
        "|COMMIT|25P01|    3> WARNING:  there is no transaction in progress\n",
        "|00000|    5> LOG:  statement: EXECUTE more\n",
        "|00000|    5> DETAIL:  prepare: PREPARE more AS INSERT INTO t VALUES (2)\n",
        " ms  statement: SELECT 'timed'\n",
        "ERROR:  42601: syntax error at or near \"SELEC\" at character 1\n",
    ] {
        assert!(plain.contains(expected), "{expected} is missing:\n{plain}");
    }
    for unexpected in ["statement: SELECT 1", "not logged"] {
        assert!(!plain.contains(unexpected), "{unexpected}:\n{plain}");
    }
    let csv = all(&server, ".csv");
    assert!(csv.contains(",ERROR,22012,\"division by zero\",,,,,,\"SELECT 1 / 0,\n2\",,,\"\","));
    let json = all(&server, ".json");
    assert!(json.contains("\"state_code\":\"22012\",\"message\":\"division by zero\""), "{json}");
    assert!(json.contains("\"statement\":\"SELECT 1 / 0,\\n2\""), "{json}");
    let current = std::fs::read_to_string(server.dir.join("current_logfiles")).unwrap();
    let names = "stderr log/perdura.log\ncsvlog log/perdura.csv\njsonlog log/perdura.json\n";
    assert_eq!(current, names);
    assert!(server.threads() <= 7, "{} threads", server.threads());
    drop(client);
    server.signal(Signal::INT);
    assert_eq!(server.wait_exit(), 0);
    assert!(all(&server, ".log").contains("LOG:  database system is shut down\n"));
    assert!(!server.dir.join("current_logfiles").exists());
}

#[test]
fn parameters_are_logged_and_cut_and_samples_are_drawn() {
    let server = Server::start_with(
        "parameters",
        set(&[
            "logging_collector=on",
            "log_filename=perdura.log",
            "log_line_prefix=",
            "log_statement=all",
        ]),
    );
    let mut client = server.connect();
    let messages = |text: &str| {
        let values = [Some("7"), Some("it's äöü"), None];
        vec![
            (b'P', parse("", text, &[0, 25, 25])),
            (b'B', bind("", "", &values, false)),
            (b'E', execute("", 0)),
        ]
    };
    let whole = messages("SELECT $1::int, $2, $3 AS whole");
    assert_eq!(kinds(&run(&mut client, &whole)), "12DCZ");
    client.query("SET log_parameter_max_length = 6");
    run(&mut client, &messages("SELECT $1::int, $2, $3 AS short"));
    client.query("SET log_parameter_max_length = 0");
    run(&mut client, &messages("SELECT $1::int, $2, $3 AS hidden"));
    client.query("SET log_parameter_max_length = -1; SET log_statement = 'none'");
    run(&mut client, &messages("SELECT $1::int, $2, $3 AS silent"));
    client.query("SET log_min_duration_sample = 0; SET log_statement_sample_rate = 0");
    run(&mut client, &messages("SELECT $1::int, $2, $3 AS unsampled"));
    client.query("SET log_statement_sample_rate = 1");
    run(&mut client, &messages("SELECT $1::int, $2, $3 AS sampled"));
    client.query("SET log_min_duration_sample = -1; SET log_transaction_sample_rate = 1");
    client.query("BEGIN; SELECT 1 AS transaction_sampled; COMMIT");
    let logged = || all(&server, ".log");
    until("the last entry is missing", || logged().contains("AS transaction_sampled"));
    let text = logged();
    for expected in [
        "LOG:  execute <unnamed>: SELECT $1::int, $2, $3 AS whole\n\
         DETAIL:  Parameters: $1 = '7', $2 = 'it''s äöü', $3 = NULL\n",
        "AS short\nDETAIL:  Parameters: $1 = '7', $2 = 'it''s ...', $3 = NULL\n",
        " ms  bind <unnamed>: SELECT $1::int, $2, $3 AS sampled\nDETAIL:  Parameters: $1 = '7', ",
        " ms  execute <unnamed>: SELECT $1::int, $2, $3 AS sampled\nDETAIL:  Parameters: $1 = '7', ",
        " ms  statement: BEGIN; SELECT 1 AS transaction_sampled; COMMIT\n",
    ] {
        assert!(text.contains(expected), "{expected} is missing:\n{text}");
    }
    assert!(text.contains("AS hidden\nLOG: "), "{text}");
    for unexpected in ["AS silent", "AS unsampled"] {
        assert!(!text.contains(unexpected), "{unexpected}:\n{text}");
    }
}

#[test]
fn files_of_the_log_are_changed_by_size_and_on_demand_and_lose_nothing() {
    let server = Server::start_with(
        "rotation",
        set(&["logging_collector=on", "log_rotation_size=8kB", "log_filename=%s-%N.log"]),
    );
    let mut client = server.connect();
    client.query("SET log_statement = 'all'");
    let filler = "x".repeat(3_000);
    for number in 0..40 {
        client.query(&format!("SELECT {number} AS entry, '{filler}'"));
    }
    until("the last entry is missing", || all(&server, ".log").contains("SELECT 39 AS entry"));
    let (text, count) = (all(&server, ".log"), files(&server, ".log").len());
    for number in 0..40 {
        assert_eq!(text.matches(&format!("SELECT {number} AS entry")).count(), 1, "{number}");
    }
    assert!(count >= 5, "{count} files");
    std::fs::write(server.dir.join("logrotate"), "").unwrap();
    server.signal(Signal::USR1);
    until("no new file", || files(&server, ".log").len() > count);
    assert!(!server.dir.join("logrotate").exists());
}

#[test]
fn the_log_survives_the_server_process() {
    let server = Server::start_with("log-crash", set(&["logging_collector=on"]));
    let pid = rustix::process::Pid::from_raw(server.child()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    let mut client = server.connect();
    sqlstate(&client.query("SELECT 1 / 0"));
    until("no entry after the crash", || all(&server, ".log").contains("division by zero"));
    let expected = format!(
        "LOG:  server process (PID {}) was terminated by signal 9: Killed\n",
        pid.as_raw_nonzero()
    );
    assert!(all(&server, ".log").contains(&expected), "{}", all(&server, ".log"));
}

#[test]
fn a_service_manager_is_told_of_each_stage() {
    let path = std::env::temp_dir().join(format!("perdura-manager-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(WAIT)).unwrap();
    let mut server = Server::start_with("notify", |command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    let next = || {
        let mut bytes = [0u8; 256];
        let count = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    };
    assert!(next().starts_with("READY=1\n"));
    server.signal(Signal::HUP);
    let reloading = next();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert!(next().starts_with("READY=1\n"));
    server.signal(Signal::TERM);
    assert!(next().starts_with("STOPPING=1\n"));
    assert_eq!(server.wait_exit(), 0);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_crash_ends_the_server_where_restart_after_crash_is_off() {
    let pid_file = std::env::temp_dir().join(format!("perdura-pid-{}", std::process::id()));
    let external = format!("external_pid_file={}", pid_file.display());
    let mut server = Server::start_with("crash-off", set(&["restart_after_crash=off", &external]));
    let text = std::fs::read_to_string(&pid_file).unwrap();
    assert_eq!(text.trim(), server.postmaster.id().to_string());
    let pid = rustix::process::Pid::from_raw(server.child()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    assert_eq!(server.wait_exit(), 1);
    assert!(!pid_file.exists());
    assert!(!server.dir.join("postmaster.pid").exists());
}

/// The seed of the project: PostgreSQL 8.3's postmaster needed 98,088K where a thread for each
/// child had taken 1,322,792K.
#[test]
fn the_postmaster_is_small() {
    let server = Server::start("small");
    let status = |pid: u32| {
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap()
    };
    let text = status(server.postmaster.id());
    let number = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    assert!(number("VmPeak:") <= 98_088, "{text}");
    assert_eq!(number("Threads:"), 1);
}
