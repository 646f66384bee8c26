//! Analysis and redo.

use crate::checkpoint::CheckpointData;
use crate::control::Control;
use crate::outcomes::Commits;
use crate::storage::Storage;
use base::{Error, FileId, Lsn, Result, Xid};
use disk::Disk;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use txn::{CommitRecord, CounterKind, CounterLimit};
use wal::{ActiveTransaction, Reader, Record, WalConfig, log_op, rm, transaction_op};

/// What recovery found and did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Report {
    /// The cluster had been shut down: there was nothing to do.
    pub clean: bool,
    /// Where redo began.
    pub redo_start: Lsn,
    /// Where the log ends.
    pub end: Lsn,
    /// The records that were read.
    pub records: u64,
    /// The transactions that never ended.
    pub losers: u64,
    /// Their records that were taken back.
    pub undone: u64,
    /// How long redo took.
    pub redo_time: Duration,
    /// How long undo took.
    pub undo_time: Duration,
}

/// What the log says.
pub(crate) struct Analysis {
    pub(crate) config: WalConfig,
    pub(crate) start: Lsn,
    /// Where the next record goes, and the LSN of the one before.
    pub(crate) end: (Lsn, Lsn),
    pub(crate) records: u64,
    pub(crate) records_after_checkpoint: u64,
    /// The transactions that never ended.
    pub(crate) losers: BTreeMap<Xid, ActiveTransaction>,
    /// Those that have committed.
    pub(crate) commits: Commits,
    /// The checkpoint's counter: what is drawn from there on was drawn after it.
    pub(crate) counted_xid: Xid,
    pub(crate) next_xid: Xid,
    pub(crate) next_oid: u64,
    pub(crate) next_file: FileId,
}

impl Analysis {
    pub(crate) fn report(&self, clean: bool) -> Report {
        Report {
            clean,
            redo_start: self.start,
            end: self.end.0,
            records: self.records,
            ..Report::default()
        }
    }

    fn note(&mut self, record: &Record) -> Result<()> {
        match record.kind.manager {
            rm::COUNTER => {
                let limit = CounterLimit::decode(record.data())?;
                match limit.kind {
                    CounterKind::Xid => self.next_xid = self.next_xid.max(Xid(limit.limit)),
                    CounterKind::Oid => self.next_oid = self.next_oid.max(limit.limit),
                    CounterKind::File => self.next_file = self.next_file.max(FileId(limit.limit)),
                }
                return Ok(());
            }
            rm::TRANSACTION
                if matches!(record.kind.op, transaction_op::COMMIT | transaction_op::ABORT) =>
            {
                self.losers.remove(&record.xid);
                if record.kind.op == transaction_op::COMMIT {
                    self.commits.insert(record.xid);
                }
                return Ok(());
            }
            _ => {}
        }
        if !record.xid.is_valid() {
            return Ok(());
        }
        let segment_bytes = self.config.segment_bytes;
        let undoable = record.undo_body().is_some();
        if !undoable && !record.is_compensation() {
            return Ok(());
        }
        let loser = self.losers.entry(record.xid).or_insert_with(|| ActiveTransaction {
            xid: record.xid,
            undo: Lsn::INVALID,
            segments: BTreeSet::new(),
        });
        if record.is_compensation() {
            loser.undo = record.undo;
        } else {
            loser.undo = record.lsn;
            loser.segments.insert(record.start.0 / segment_bytes);
            loser.segments.insert((record.lsn.0 - 1) / segment_bytes);
        }
        Ok(())
    }
}

/// Reads the log from the redo point to its end.
pub(crate) fn analyze(
    disk: &Arc<dyn Disk>,
    config: &WalConfig,
    control: &Control,
) -> Result<Analysis> {
    let mut reader = Reader::new(disk.clone(), config.clone(), control.redo);
    let mut analysis = Analysis {
        config: config.clone(),
        start: control.redo,
        end: (control.redo, control.redo),
        records: 0,
        records_after_checkpoint: 0,
        losers: BTreeMap::new(),
        commits: Commits::default(),
        counted_xid: control.next_xid,
        next_xid: control.next_xid,
        next_oid: control.next_oid,
        next_file: control.next_file,
    };
    // Unfinished at the redo point, perhaps without a record after it.
    let checkpoint = reader.record_at(control.checkpoint).map_err(no_checkpoint)?;
    if checkpoint.kind.manager != rm::LOG || checkpoint.kind.op != log_op::CHECKPOINT {
        return Err(no_checkpoint(Error::corrupted("another record is in its place")));
    }
    let data = CheckpointData::decode(checkpoint.data())?;
    analysis.losers = data.active.into_iter().map(|active| (active.xid, active)).collect();
    let mut reader = Reader::new(disk.clone(), config.clone(), control.redo);
    while let Some(record) = reader.next_record()? {
        analysis.records += 1;
        if record.lsn > control.checkpoint {
            analysis.records_after_checkpoint += 1;
        }
        analysis.note(&record)?;
    }
    analysis.end = reader.end();
    if analysis.end.0 < control.checkpoint {
        return Err(no_checkpoint(Error::corrupted("the log ends before it")));
    }
    Ok(analysis)
}

fn no_checkpoint(why: Error) -> Error {
    Error::corrupted("could not locate a valid checkpoint record")
        .detail(why.message())
        .hint("Restore the data directory from a backup.")
        .panic()
}

/// Brings every page and file to the end of the log.
pub(crate) fn redo(storage: &Storage, analysis: &Analysis, report: &mut Report) -> Result<()> {
    let begun = Instant::now();
    let disk = storage.disk.clone();
    let mut reader = Reader::new(disk, analysis.config.clone(), analysis.start);
    let mut missing: BTreeSet<FileId> = BTreeSet::new();
    while let Some(record) = reader.next_record()? {
        one(storage, &record, &mut missing)?;
    }
    if let Some(file) = missing.first() {
        return Err(Error::corrupted(format!(
            "WAL refers to file \"base/{file}\", which is missing and which no record drops"
        ))
        .hint("Restore the data directory from a backup."));
    }
    report.redo_time = begun.elapsed();
    Ok(())
}

/// What the log says beside its pages, after a shutdown: the long values that wait to be freed.
pub(crate) fn take_notes(storage: &Storage, analysis: &Analysis) -> Result<()> {
    let disk = storage.disk.clone();
    let mut reader = Reader::new(disk, analysis.config.clone(), analysis.start);
    while let Some(record) = reader.next_record()? {
        storage.tables().note_redo(&record)?;
    }
    Ok(())
}

fn one(storage: &Storage, record: &Record, missing: &mut BTreeSet<FileId>) -> Result<()> {
    use buffer::files::{decode_create, decode_remove, file_op};
    let files = storage.pool.files();
    match (record.kind.manager, record.kind.op) {
        (rm::FILE, file_op::CREATE) => {
            let (file, page_bytes) = decode_create(record.undo_body().unwrap_or_default())?;
            files.create_now(file, page_bytes)?;
        }
        (rm::FILE, file_op::REMOVE) => {
            let file = decode_remove(record.data())?;
            storage.pool.drop_file(file)?;
            storage.tables().forget(file);
            missing.remove(&file);
        }
        (rm::TRANSACTION, transaction_op::COMMIT) => {
            for file in CommitRecord::decode(record.data())?.unlink {
                storage.pool.drop_file(file)?;
                storage.tables().forget(file);
                missing.remove(&file);
            }
        }
        _ => {}
    }
    storage.tables().note_redo(record)?;
    for (number, block) in record.blocks.iter().enumerate() {
        match files.open_sized(block.file, 1 << block.log2_size)? {
            Some(file) => storage.pool.redo_block(record, number, &file)?,
            None => {
                missing.insert(block.file);
            }
        }
    }
    Ok(())
}
