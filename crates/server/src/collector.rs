//! The log collector: the files of the log, their names and their rotation, and the pipe by which
//! the server process sends its entries.
//!
//! The postmaster is the collector, in its one thread: files are written between two events. An
//! entry crosses the pipe in chunks of at most [`CHUNK_BYTES`], each with a head that begins with
//! two zero bytes, which no text has. What comes without a head, from a library or from an archive
//! command, goes to the plain file as it is.
//!
//! Rules
//! 1. Nothing that was sent is lost by a rotation: one file is closed after the next one is open.
//! 2. A file that cannot be written to loses entries, never the server.

use base::{Result, SqlState};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use session::settings::Base;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A chunk with its head: what a pipe takes without mixing it with others'.
const CHUNK_BYTES: usize = 4096;
const HEAD_BYTES: usize = 5;
/// Names the files that are written to now.
const CURRENT: &str = "current_logfiles";

/// A form of the log with files of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Destination {
    Stderr,
    Csv,
    Json,
}

const DESTINATIONS: [Destination; 3] = [Destination::Stderr, Destination::Csv, Destination::Json];

impl Destination {
    fn word(self) -> &'static str {
        match self {
            Destination::Stderr => "stderr",
            Destination::Csv => "csvlog",
            Destination::Json => "jsonlog",
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Destination::Stderr => ".log",
            Destination::Csv => ".csv",
            Destination::Json => ".json",
        }
    }
}

/// Sends an entry to the collector: stderr is its pipe.
pub(crate) fn send(destination: Destination, text: &[u8]) {
    let mut stderr = io::stderr().lock();
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    for part in text.chunks(CHUNK_BYTES - HEAD_BYTES) {
        chunk.clear();
        let length = u16::try_from(part.len()).unwrap_or(0);
        chunk.extend_from_slice(&[0, 0, destination as u8]);
        chunk.extend_from_slice(&length.to_le_bytes());
        chunk.extend_from_slice(part);
        // A collector that is gone takes this process with it.
        let _ = stderr.write_all(&chunk);
    }
}

/// What the settings say of the files.
#[derive(Clone, PartialEq, Debug)]
struct Names {
    dir: PathBuf,
    pattern: String,
    age_s: i64,
    size_bytes: u64,
    truncate: bool,
    mode: u32,
    zone: TimeZone,
}

impl Names {
    fn read(settings: &Base, data_dir: &Path) -> Names {
        let number = |name| u64::try_from(settings.integer(name)).unwrap_or(0);
        Names {
            dir: data_dir.join(settings.text("log_directory")),
            pattern: settings.text("log_filename").to_owned(),
            age_s: i64::from(settings.integer("log_rotation_age")) * 60,
            size_bytes: number("log_rotation_size") * 1024,
            truncate: settings.boolean("log_truncate_on_rotation"),
            mode: u32::try_from(settings.integer("log_file_mode")).unwrap_or(0o600),
            zone: TimeZone::get(settings.text("log_timezone")).unwrap_or(TimeZone::UTC),
        }
    }

    /// The file that a destination has at a time.
    fn path(&self, destination: Destination, at: &Zoned) -> PathBuf {
        let name =
            jiff::fmt::strtime::format(&self.pattern, at).unwrap_or_else(|_| self.pattern.clone());
        let name = match destination {
            Destination::Stderr => name,
            _ => format!("{}{}", name.strip_suffix(".log").unwrap_or(&name), destination.suffix()),
        };
        self.dir.join(name)
    }

    /// The next time, in seconds, at which the age alone asks for other files: ages count from
    /// midnight in the zone of the log.
    fn next_s(&self, now: &Zoned) -> Option<i64> {
        if self.age_s <= 0 {
            return None;
        }
        let east_s = i64::from(now.offset().seconds());
        let local_s = now.timestamp().as_second() + east_s;
        Some(local_s - local_s.rem_euclid(self.age_s) + self.age_s - east_s)
    }
}

/// An open file of the log.
struct Open {
    path: PathBuf,
    file: File,
    bytes: u64,
}

/// The files of the log.
pub(crate) struct Collector {
    data_dir: PathBuf,
    names: Names,
    open: [Option<Open>; 3],
    next_s: Option<i64>,
}

impl Collector {
    /// Opens the first files.
    ///
    /// # Errors
    /// When that of the plain log cannot be opened.
    pub(crate) fn open(settings: &Base, data_dir: &Path) -> Result<Collector> {
        let names = Names::read(settings, data_dir);
        // It may exist; whether it can be used shows at the first file.
        let _ = DirBuilder::new().mode(0o700).create(&names.dir);
        let now = Timestamp::now().to_zoned(names.zone.clone());
        let next_s = names.next_s(&now);
        let path = names.path(Destination::Stderr, &now);
        let plain = open_file(&path, names.mode, false).map_err(|error| {
            base::Error::new(
                SqlState::IO_ERROR,
                format!(
                    "could not open log file \"{}\": {}",
                    path.display(),
                    crate::config::os_text(&error)
                ),
            )
            .fatal()
        })?;
        let mut collector = Collector {
            data_dir: data_dir.to_owned(),
            names,
            open: [Some(plain), None, None],
            next_s,
        };
        collector.note_current();
        Ok(collector)
    }

    /// Writes an entry.
    pub(crate) fn write(&mut self, destination: Destination, text: &[u8]) {
        let slot = destination as usize;
        if self.open[slot].is_none() {
            self.replace(destination, &self.now(), false);
        }
        if let Some(open) = &mut self.open[slot] {
            // Rule 2.
            if open.file.write_all(text).is_ok() {
                open.bytes += u64::try_from(text.len()).unwrap_or(0);
            }
            if self.names.size_bytes > 0 && open.bytes >= self.names.size_bytes {
                self.replace(destination, &self.now(), false);
            }
        }
    }

    fn now(&self) -> Zoned {
        Timestamp::now().to_zoned(self.names.zone.clone())
    }

    /// How many seconds from now the age of the files asks for other ones.
    pub(crate) fn rotates_in_s(&self) -> Option<u64> {
        let left = self.next_s? - Timestamp::now().as_second();
        Some(u64::try_from(left).unwrap_or(0))
    }

    /// Opens other files if the time has come.
    pub(crate) fn rotate_if_due(&mut self) {
        let Some(next_s) = self.next_s else { return };
        if Timestamp::now().as_second() < next_s {
            return;
        }
        let at = Timestamp::from_second(next_s).unwrap_or(Timestamp::now());
        self.rotate_at(&at.to_zoned(self.names.zone.clone()), true);
        self.next_s = self.names.next_s(&self.now());
    }

    /// Opens other files, whatever the time.
    pub(crate) fn rotate(&mut self) {
        self.rotate_at(&self.now(), false);
        self.next_s = self.names.next_s(&self.now());
    }

    fn rotate_at(&mut self, at: &Zoned, by_age: bool) {
        for destination in DESTINATIONS {
            if self.open[destination as usize].is_some() {
                self.replace(destination, at, by_age);
            }
        }
    }

    /// Takes changed settings; other names mean other files.
    pub(crate) fn reload(&mut self, settings: &Base) {
        let names = Names::read(settings, &self.data_dir);
        let renamed = names.dir != self.names.dir || names.pattern != self.names.pattern;
        self.names = names;
        self.next_s = self.names.next_s(&self.now());
        let wanted = crate::log::destinations_of(settings);
        for destination in [Destination::Csv, Destination::Json] {
            if !wanted.contains(&destination) {
                self.open[destination as usize] = None;
            }
        }
        if renamed {
            let _ = DirBuilder::new().mode(0o700).create(&self.names.dir);
            self.rotate();
        }
        self.note_current();
    }

    fn replace(&mut self, destination: Destination, at: &Zoned, by_age: bool) {
        let path = self.names.path(destination, at);
        let slot = destination as usize;
        let same = self.open[slot].as_ref().is_some_and(|open| open.path == path);
        // Only an age may bring an old name back whose file is to be written anew.
        let truncate = self.names.truncate && by_age && !same;
        match open_file(&path, self.names.mode, truncate) {
            Ok(open) => {
                self.open[slot] = Some(open);
                self.note_current();
            }
            Err(error) => {
                if let Some(open) = &mut self.open[slot] {
                    let _ = writeln!(
                        open.file,
                        "LOG:  could not open log file \"{}\": {error}",
                        path.display()
                    );
                    // Not at the next entry again.
                    open.bytes = 0;
                }
            }
        }
    }

    /// Writes the names of the files for `pg_current_logfile` and other tools.
    fn note_current(&mut self) {
        let mut text = String::new();
        for destination in DESTINATIONS {
            if let Some(open) = &self.open[destination as usize] {
                let path = open.path.strip_prefix(&self.data_dir).unwrap_or(&open.path);
                text.push_str(&format!("{} {}\n", destination.word(), path.display()));
            }
        }
        let new = self.data_dir.join(format!("{CURRENT}.tmp"));
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(self.names.mode)
            .open(&new)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        if written.is_ok() {
            let _ = std::fs::rename(new, self.data_dir.join(CURRENT));
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.data_dir.join(CURRENT));
    }
}

fn open_file(path: &Path, mode: u32, truncate: bool) -> io::Result<Open> {
    let mut options = OpenOptions::new();
    options.create(true).mode(mode);
    let file = match truncate {
        true => options.write(true).truncate(true).open(path)?,
        false => options.append(true).open(path)?,
    };
    let bytes = file.metadata()?.len();
    Ok(Open { path: path.to_owned(), file, bytes })
}

/// The collector's end of the pipe.
pub(crate) struct Inlet {
    pipe: File,
    /// What was read and is not a whole chunk yet.
    rest: Vec<u8>,
}

impl Inlet {
    /// The reading end, which must not block.
    pub(crate) fn new(pipe: OwnedFd) -> Inlet {
        Inlet { pipe: File::from(pipe), rest: Vec::new() }
    }

    /// The pipe, to wait for.
    pub(crate) fn pipe(&self) -> &File {
        &self.pipe
    }

    /// Hands on what has arrived.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(Destination, &[u8])) {
        let mut buffer = [0u8; 16 << 10];
        loop {
            match self.pipe.read(&mut buffer) {
                Ok(count) if count > 0 => {
                    self.rest.extend_from_slice(&buffer[..count]);
                    let used = split(&self.rest, &mut take);
                    self.rest.drain(..used);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }
}

/// Takes apart what was read; returns how much of it was whole.
fn split(bytes: &[u8], take: &mut impl FnMut(Destination, &[u8])) -> usize {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match rest {
            [0, 0, destination, low, high, text @ ..] => {
                let length = usize::from(u16::from_le_bytes([*low, *high]));
                let Some(text) = text.get(..length) else { break };
                let destination = DESTINATIONS.get(usize::from(*destination));
                take(*destination.unwrap_or(&Destination::Stderr), text);
                at += HEAD_BYTES + length;
            }
            [0] => break,
            [0, 0, ..] => break,
            _ => {
                let end = rest.windows(2).position(|pair| pair == [0, 0]);
                let end = end.unwrap_or(rest.len() - usize::from(rest.ends_with(&[0])));
                take(Destination::Stderr, &rest[..end]);
                at += end;
            }
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_and_plain_text_are_told_apart_wherever_reads_end() {
        let mut sent = b"plain\n".to_vec();
        sent.extend_from_slice(&[0, 0, 2, 3, 0]);
        sent.extend_from_slice(b"{}\n");
        sent.extend_from_slice(b"more\n");
        sent.extend_from_slice(&[0, 0, 0, 2, 0]);
        sent.extend_from_slice(b"x\n");
        for cut in 0..sent.len() {
            let mut got: [Vec<u8>; 3] = Default::default();
            let mut rest = Vec::new();
            for part in [&sent[..cut], &sent[cut..]] {
                rest.extend_from_slice(part);
                let used = split(&rest, &mut |to: Destination, text: &[u8]| {
                    got[to as usize].extend_from_slice(text);
                });
                rest.drain(..used);
            }
            assert!(rest.is_empty(), "cut at {cut}");
            assert_eq!(got[0], b"plain\nmore\nx\n", "cut at {cut}");
            assert_eq!(got[2], b"{}\n", "cut at {cut}");
        }
    }

    #[test]
    fn ages_count_from_midnight_in_the_zone_of_the_log() {
        let names = |age_s, zone: &str| Names {
            dir: PathBuf::from("log"),
            pattern: "perdura-%a_%H%M.log".to_owned(),
            age_s,
            size_bytes: 0,
            truncate: true,
            mode: 0o600,
            zone: TimeZone::get(zone).unwrap(),
        };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (age_s, zone, now, next) in [
            (86_400, "UTC", "2026-03-04T05:06:07Z", Some("2026-03-05T00:00:00Z")),
            (86_400, "Asia/Kolkata", "2026-03-04T05:06:07Z", Some("2026-03-04T18:30:00Z")),
            (3_600, "UTC", "2026-03-04T05:00:00Z", Some("2026-03-04T06:00:00Z")),
            (0, "UTC", "2026-03-04T05:00:00Z", None),
        ] {
            let names = names(age_s, zone);
            let now = at(now).to_zoned(names.zone.clone());
            assert_eq!(names.next_s(&now), next.map(|next| at(next).as_second()), "{now}");
        }
        let names = names(60, "UTC");
        let now = at("2026-03-04T05:06:07Z").to_zoned(TimeZone::UTC);
        assert_eq!(names.path(Destination::Stderr, &now), Path::new("log/perdura-Wed_0506.log"));
        assert_eq!(names.path(Destination::Csv, &now), Path::new("log/perdura-Wed_0506.csv"));
    }
}
