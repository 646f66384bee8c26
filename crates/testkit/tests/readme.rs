//! The commands of the README do what it says they do.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use testkit::{oracle, perdura, workspace};

/// The README; empty when it cannot be read.
fn readme() -> String {
    std::fs::read_to_string(workspace().join("README.md")).unwrap_or_default()
}

/// The lines of the README's shell blocks.
fn commands() -> Vec<String> {
    let text = readme();
    let mut commands = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => commands.push(line.to_owned()),
            _ => {}
        }
    }
    commands
}

/// The targets of `make help`.
fn targets() -> Vec<String> {
    let help = Command::new("make").arg("help").current_dir(workspace()).output();
    let help = help.map(|help| String::from_utf8_lossy(&help.stdout).into_owned());
    let help = help.unwrap_or_default();
    help.lines().filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

#[test]
fn make_help_lists_every_target_that_the_readme_names() {
    let text = readme();
    let targets = targets();
    let mut named = 0;
    for (at, _) in text.match_indices("make ") {
        let before = text[..at].chars().next_back();
        let word = text[at + 5..].split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next();
        if let (Some('`' | '\n'), Some(word)) = (before, word) {
            assert!(targets.iter().any(|target| target == word), "make {word} is not in make help");
            named += 1;
        }
    }
    assert!(named > 2, "the README names hardly any command");
}

/// `make run`, with the program that is built already and a port and a directory of the test's own;
/// then the command that the README and `make run` itself print.
#[test]
fn the_readme_leads_from_make_run_to_an_answer() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            let _ = writeln!(std::io::stderr(), "\n*** README NOT RUN: {error}\n");
            return;
        }
    };
    let commands = commands();
    let [run, connect] = &commands[..] else { panic!("the README's commands are {commands:?}") };
    assert_eq!(run, "make run");
    let program = perdura::program().unwrap();
    let dir = std::env::temp_dir().join(format!("perdura-readme-{}", std::process::id()));
    let port = testkit::free_port().unwrap().to_string();
    let mut make = Command::new("make")
        // Under `make test` it would tell in which folder it is.
        .args(["--no-print-directory", "-o", "build", "run"])
        .args([format!("PORT={port}"), format!("DATA={}", dir.display())])
        .arg(format!("PERDURA={}", program.display()))
        .current_dir(workspace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    // Both are open to the end: make and the server go on writing to them.
    let mut out = BufReader::new(make.stdout.take().unwrap());
    out.read_line(&mut told).unwrap();
    let mut log = BufReader::new(make.stderr.take().unwrap());
    let ready =
        log.by_ref().lines().map_while(Result::ok).any(|line| line.contains("ready to accept"));
    let expected = connect.replace("5432", &port);
    let output = Command::new(installation.program("psql"))
        .args(expected.split_whitespace().skip(1))
        .args(["-X", "-A", "-t", "-c", "SELECT 40 + 2"])
        .output()
        .unwrap();
    let pid = std::fs::read_to_string(dir.join("postmaster.pid")).unwrap();
    let pid = pid.lines().next().and_then(|pid| pid.parse().ok());
    let pid = pid.and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    make.wait().unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(ready, "make run never said that it is ready");
    assert_eq!(told.trim(), format!("connect with: {expected}"));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "42", "{output:?}");
}
