//! Files of the server, and the client, as what COPY reads and writes.

use base::{Error, Result, SqlState, err};
use session::{Client, CopyIn, CopyOut};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};

const BUFFER_BYTES: usize = 1 << 16;

/// Where the data of COPY FROM comes from.
pub(super) enum Source<'c> {
    Client(CopyIn<'c>),
    File(File),
}

impl Source<'_> {
    /// Appends the next piece of data. False at the end.
    pub(super) fn read(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        match self {
            Source::Client(client) => client.read(take),
            Source::File(file) => {
                let mut buffer = vec![0; BUFFER_BYTES];
                let count = file
                    .read(&mut buffer)
                    .map_err(|error| file_error(&error, "could not read from COPY file".into()))?;
                take(&buffer[..count])?;
                Ok(count > 0)
            }
        }
    }
}

/// Where the data of COPY TO goes.
pub(super) enum Target<'c> {
    Client(CopyOut<'c>),
    File { file: File, buffer: Vec<u8> },
}

impl Target<'_> {
    /// Writes one record.
    pub(super) fn write(&mut self, record: &[u8]) -> Result<()> {
        match self {
            Target::Client(client) => client.piece(record),
            Target::File { file, buffer } if record.len() >= BUFFER_BYTES => {
                flush(file, buffer)?;
                written(file.write_all(record))
            }
            Target::File { file, buffer } => {
                buffer.extend_from_slice(record);
                if buffer.len() >= BUFFER_BYTES {
                    base::check_for_interrupts()?;
                    flush(file, buffer)?;
                }
                Ok(())
            }
        }
    }

    /// Ends it.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Target::Client(client) => {
                client.end();
                Ok(())
            }
            Target::File { mut file, mut buffer } => flush(&mut file, &mut buffer),
        }
    }
}

fn flush(file: &mut File, buffer: &mut Vec<u8>) -> Result<()> {
    written(file.write_all(buffer))?;
    buffer.clear();
    Ok(())
}

fn written(result: std::io::Result<()>) -> Result<()> {
    result.map_err(|error| file_error(&error, "could not write to COPY file".into()))
}

/// The error of a file, as PostgreSQL numbers and words it.
fn file_error(error: &std::io::Error, what: String) -> Error {
    let state = match error.kind() {
        ErrorKind::NotFound => SqlState::UNDEFINED_FILE,
        ErrorKind::PermissionDenied => SqlState::INSUFFICIENT_PRIVILEGE,
        ErrorKind::StorageFull => SqlState::DISK_FULL,
        ErrorKind::IsADirectory => SqlState::WRONG_OBJECT_TYPE,
        _ => SqlState::IO_ERROR,
    };
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or(&text);
    Error::new(state, format!("{what}: {reason}"))
}

fn could_not_open(error: &std::io::Error, name: &str, reading: bool) -> Error {
    let purpose = if reading { "reading" } else { "writing" };
    let found = file_error(error, format!("could not open file \"{name}\" for {purpose}"));
    if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) {
        return found;
    }
    found.hint(match reading {
        true => {
            "COPY FROM instructs the PostgreSQL server process to read a file. You may want a \
             client-side facility such as psql's \\copy."
        }
        false => {
            "COPY TO instructs the PostgreSQL server process to write a file. You may want a \
             client-side facility such as psql's \\copy."
        }
    })
}

/// Refuses what is no plain file: reading a pipe would keep a worker waiting.
fn check_kind(file: &File, name: &str) -> Result<()> {
    let kind = file
        .metadata()
        .map_err(|error| file_error(&error, format!("could not stat file \"{name}\"")))?
        .file_type();
    if kind.is_dir() {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{name}\" is a directory"));
    }
    if !kind.is_file() {
        return Err(Error::unsupported("COPY with special files is not supported yet"));
    }
    Ok(())
}

/// Opens a file of the server for reading.
pub(super) fn open(name: &str) -> Result<File> {
    if std::fs::metadata(name).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err(Error::unsupported("COPY with special files is not supported yet"));
    }
    let file = File::open(name).map_err(|error| could_not_open(&error, name, true))?;
    check_kind(&file, name)?;
    Ok(file)
}

/// Makes or empties a file of the server.
pub(super) fn create(name: &str) -> Result<File> {
    if !name.starts_with('/') {
        return Err(err!(INVALID_NAME, "relative path not allowed for COPY to file"));
    }
    if std::fs::metadata(name).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err(Error::unsupported("COPY with special files is not supported yet"));
    }
    let file = File::create(name).map_err(|error| could_not_open(&error, name, false))?;
    check_kind(&file, name)?;
    Ok(file)
}

/// The client as a source.
pub(super) fn from_client<'c>(
    client: &'c mut dyn Client,
    binary: bool,
    columns: usize,
) -> Result<Source<'c>> {
    Ok(Source::Client(CopyIn::begin(client, format(binary), columns)?))
}

/// The client as a target.
pub(super) fn to_client(client: &mut dyn Client, binary: bool, columns: usize) -> Target<'_> {
    Target::Client(CopyOut::begin(client, format(binary), columns))
}

fn format(binary: bool) -> wire::frontend::Format {
    match binary {
        true => wire::frontend::Format::Binary,
        false => wire::frontend::Format::Text,
    }
}
