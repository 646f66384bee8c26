//! The log in words, one line a record, as pg_waldump shows PostgreSQL's.

use crate::checkpoint::CheckpointData;
use crate::control::Control;
use crate::storage::MANAGERS;
use base::{Error, Lsn, Result, Xid};
use disk::Disk;
use std::fmt::Write;
use std::sync::Arc;
use txn::{CommitRecord, CounterKind, CounterLimit};
use wal::{Reader, Record, WalConfig, block_flags, log_op, rm, transaction_op};

/// Which records are shown.
#[derive(Clone, Debug, Default)]
pub struct DumpOptions {
    /// The first; none: from the redo point of the newest checkpoint.
    pub start: Option<Lsn>,
    /// None that begins at or behind it.
    pub end: Option<Lsn>,
    /// So many.
    pub limit: Option<u64>,
    /// Those of one resource manager, by its name.
    pub manager: Option<String>,
    /// Those of one transaction.
    pub xid: Option<Xid>,
}

/// The names of the resource managers that change no pages.
const OTHERS: [(u8, &str); 5] = [
    (rm::LOG, "XLOG"),
    (rm::TRANSACTION, "Transaction"),
    (rm::FILE, "Storage"),
    (rm::COUNTER, "Counter"),
    (rm::RUNNING, "Standby"),
];

fn manager_name(number: u8) -> &'static str {
    let pages = MANAGERS.iter().map(|manager| (manager.id, manager.name));
    let mut all = pages.chain(OTHERS);
    all.find(|(id, _)| *id == number).map_or("unknown", |(_, name)| name)
}

/// Shows the log of a cluster that need not run. Returns how many records `say` heard.
///
/// # Errors
/// 22023 for a resource manager that is not there; XX001 when there is no record to begin with;
/// those of the disk.
pub fn dump(disk: &Arc<dyn Disk>, options: &DumpOptions, say: &mut dyn FnMut(&str)) -> Result<u64> {
    let known = |name: &String| {
        let pages = MANAGERS.iter().map(|manager| manager.name);
        pages.chain(OTHERS.map(|(_, name)| name)).any(|other| other.eq_ignore_ascii_case(name))
    };
    if let Some(name) = options.manager.as_ref().filter(|name| !known(name)) {
        base::bail!(INVALID_PARAMETER_VALUE, "resource manager \"{name}\" does not exist");
    }
    let control = Control::read(&**disk)?;
    let config = WalConfig {
        segment_bytes: control.segment_bytes,
        timeline: control.timeline,
        ..WalConfig::default()
    };
    let start = options.start.unwrap_or(control.redo);
    let (mut reader, first) = first_from(disk, &config, start)?;
    let mut shown = 0;
    let mut next = Some(first);
    while let Some(record) = next {
        if options.end.is_some_and(|end| record.start >= end)
            || options.limit.is_some_and(|limit| shown >= limit)
        {
            break;
        }
        let manager = manager_name(record.kind.manager);
        let wanted = options.manager.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(manager))
            && options.xid.is_none_or(|xid| xid == record.xid);
        if wanted {
            say(&line(manager, &record));
            shown += 1;
        }
        next = reader.next_record()?;
    }
    Ok(shown)
}

/// The first record that begins at `start` or behind it in the same segment, and its reader.
fn first_from(disk: &Arc<dyn Disk>, config: &WalConfig, start: Lsn) -> Result<(Reader, Record)> {
    let end = (start.0 + 1).next_multiple_of(config.segment_bytes);
    for position in start.0..end {
        let mut reader = Reader::new(disk.clone(), config.clone(), Lsn(position));
        if let Some(record) = reader.next_record()? {
            return Ok((reader, record));
        }
    }
    Err(Error::corrupted(format!("could not find a valid record after {}", shown(start))))
}

/// A position as pg_waldump writes it.
fn shown(lsn: Lsn) -> String {
    format!("{:X}/{:08X}", lsn.0 >> 32, lsn.0 & 0xFFFF_FFFF)
}

fn line(manager: &str, record: &Record) -> String {
    let total = record.bytes().len();
    let images: usize = (0..record.blocks.len()).map(|block| record.image_bytes(block)).sum();
    let mut line = format!(
        "rmgr: {manager:<11} len (rec/tot): {:6}/{total:6}, tx: {:10}, lsn: {}, prev {}, desc: {}",
        total - images,
        record.xid.0,
        shown(record.start),
        shown(record.prev),
        description(record),
    );
    if record.is_compensation() {
        // Writing to a string does not fail.
        let _ = write!(line, " undo next {}", shown(record.undo));
    }
    for (number, block) in record.blocks.iter().enumerate() {
        let image = if block.flags & block_flags::IMAGE != 0 { " FPW" } else { "" };
        let init = if block.flags & block_flags::INIT != 0 { " INIT" } else { "" };
        let _ =
            write!(line, ", blkref #{number}: file {} blk {}{init}{image}", block.file, block.page);
    }
    line
}

fn description(record: &Record) -> String {
    let (manager, op, data) = (record.kind.manager, record.kind.op, record.data());
    if let Some(known) = MANAGERS.iter().find(|known| known.id == manager) {
        return (known.describe)(op, record.undo_body(), data);
    }
    let words = match (manager, op) {
        (rm::LOG, log_op::CHECKPOINT) => CheckpointData::decode(data).map(|data| data.describe()),
        (rm::LOG, log_op::SWITCH) => Ok("SWITCH".into()),
        (rm::TRANSACTION, transaction_op::COMMIT) => end_of("COMMIT", data),
        (rm::TRANSACTION, transaction_op::ABORT) => end_of("ABORT", data),
        (rm::FILE, buffer::files::file_op::CREATE) => {
            buffer::files::decode_create(record.undo_body().unwrap_or_default())
                .map(|(file, bytes)| format!("CREATE base/{file} pages of {bytes} bytes"))
        }
        (rm::FILE, buffer::files::file_op::REMOVE) => {
            buffer::files::decode_remove(data).map(|file| format!("REMOVE base/{file}"))
        }
        (rm::COUNTER, _) => CounterLimit::decode(data).map(|limit| {
            let name = match limit.kind {
                CounterKind::Xid => "NEXTXID",
                CounterKind::Oid => "NEXTOID",
                CounterKind::File => "NEXTFILE",
            };
            format!("{name} {}", limit.limit)
        }),
        _ => Ok(format!("UNKNOWN {op}")),
    };
    words.unwrap_or_else(|error| format!("damaged: {}", error.message()))
}

fn end_of(word: &str, data: &[u8]) -> Result<String> {
    let record = CommitRecord::decode(data)?;
    let files: String = record.unlink.iter().map(|file| format!("; drops base/{file}")).collect();
    Ok(format!("{word} at {} us{files}", record.time_us))
}
