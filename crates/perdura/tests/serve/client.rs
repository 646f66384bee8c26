//! A server on a free port and a client that speaks the protocol byte by byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const WAIT: Duration = Duration::from_secs(60);

/// A running server; dropped, it is killed and its directory removed.
pub(crate) struct Server {
    pub(crate) postmaster: Child,
    pub(crate) dir: PathBuf,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start(name: &str) -> Server {
        Server::start_with(name, |_| {})
    }

    /// Starts a server whose command `change` changes.
    pub(crate) fn start_with(name: &str, change: impl FnOnce(&mut Command)) -> Server {
        let dir = std::env::temp_dir().join(format!("perdura-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let port = testkit::free_port().unwrap();
        let mut command = Server::command(&dir, port);
        command.stderr(std::fs::File::create(dir.with_extension("log")).unwrap());
        change(&mut command);
        let postmaster = command.spawn().unwrap();
        let server = Server { postmaster, dir, port };
        server.wait_ready();
        server
    }

    pub(crate) fn command(dir: &std::path::Path, port: u16) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_perdura"));
        command.arg("serve").arg("-D").arg(dir).arg("-p").arg(port.to_string());
        command.stderr(Stdio::null());
        command
    }

    pub(crate) fn wait_ready(&self) {
        let start = Instant::now();
        while start.elapsed() < WAIT {
            let pid_file = std::fs::read_to_string(self.dir.join("postmaster.pid"));
            if pid_file.is_ok_and(|text| text.lines().nth(7) == Some("ready   ")) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let log = std::fs::read_to_string(self.dir.with_extension("log")).unwrap_or_default();
        panic!("the server is not ready after {WAIT:?}:\n{log}");
    }

    /// The process id of the server process.
    pub(crate) fn child(&self) -> i32 {
        let path = format!("/proc/{0}/task/{0}/children", self.postmaster.id());
        let start = Instant::now();
        while start.elapsed() < WAIT {
            let children = std::fs::read_to_string(&path).unwrap();
            if let Some(pid) = children.split_whitespace().next() {
                return pid.parse().unwrap();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("the postmaster has no child");
    }

    pub(crate) fn threads(&self) -> usize {
        [i32::try_from(self.postmaster.id()).unwrap(), self.child()]
            .iter()
            .map(|pid| std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().count())
            .sum()
    }

    pub(crate) fn connect(&self) -> Client {
        let mut client = self.connect_raw();
        client.startup(0x0003_0000);
        client.until_ready();
        client
    }

    pub(crate) fn connect_raw(&self) -> Client {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        Client { socket }
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.postmaster);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(crate) fn wait_exit(&mut self) -> i32 {
        let start = Instant::now();
        while start.elapsed() < WAIT {
            if let Some(status) = self.postmaster.try_wait().unwrap() {
                return status.code().unwrap();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the server still runs after {WAIT:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.postmaster.kill();
        let _ = self.postmaster.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
        let _ = std::fs::remove_file(self.dir.with_extension("log"));
    }
}

/// One connection.
pub(crate) struct Client {
    pub(crate) socket: TcpStream,
}

/// A message of the server: its type and body.
pub(crate) type Answer = (u8, Vec<u8>);

impl Client {
    pub(crate) fn startup(&mut self, version: u32) {
        let mut body = version.to_be_bytes().to_vec();
        body.extend_from_slice(b"user\0postgres\0database\0postgres\0\0");
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        self.socket.write_all(&length).unwrap();
        self.socket.write_all(&body).unwrap();
    }

    pub(crate) fn send(&mut self, kind: u8, body: &[u8]) {
        let mut message = vec![kind];
        message.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        message.extend_from_slice(body);
        self.socket.write_all(&message).unwrap();
    }

    /// The next message; nothing when the server has closed the connection.
    pub(crate) fn receive(&mut self) -> Option<Answer> {
        let mut head = [0u8; 5];
        self.socket.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes(head[1..].try_into().unwrap());
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        self.socket.read_exact(&mut body).ok()?;
        Some((head[0], body))
    }

    /// All messages up to ReadyForQuery, or to the end of the connection.
    pub(crate) fn until_ready(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some(answer) = self.receive() {
            let ready = answer.0 == b'Z';
            answers.push(answer);
            if ready {
                break;
            }
        }
        answers
    }

    pub(crate) fn query(&mut self, text: &str) -> Vec<Answer> {
        let mut body = text.as_bytes().to_vec();
        body.push(0);
        self.send(b'Q', &body);
        self.until_ready()
    }
}

/// The types of the messages, one character each.
pub(crate) fn kinds(answers: &[Answer]) -> String {
    answers.iter().map(|(kind, _)| char::from(*kind)).collect()
}

/// The SQLSTATE of the first error.
pub(crate) fn sqlstate(answers: &[Answer]) -> String {
    let (_, body) = answers.iter().find(|(kind, _)| *kind == b'E').expect("an error");
    let field = body.split(|b| *b == 0).find(|field| field.first() == Some(&b'C')).unwrap();
    String::from_utf8(field[1..].to_vec()).unwrap()
}
