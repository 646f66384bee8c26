//! The control file.
//!
//! | bytes | field |
//! |---|---|
//! | 8 | magic, `PERDURA1` |
//! | 4 | format version |
//! | 4 | state |
//! | 8 | system identifier |
//! | 8 | LSN of the checkpoint record |
//! | 8 | redo point |
//! | 8 | next XID, 8 next OID, 8 next file id |
//! | 4 | timeline |
//! | 8 | time of the checkpoint, microseconds since 2000-01-01 |
//! | 8 | bytes of a WAL segment |
//! | 4 | CRC32C of what is before |

use base::{Error, FileId, Lsn, Result, SqlState, Xid};
use disk::Disk;

/// Where it is.
const PATH: &str = "global/pg_control";
const MAGIC: &[u8; 8] = b"PERDURA1";
/// The format of the data directory that this program reads and writes.
const FORMAT: u32 = 1;
const BYTES: usize = 96;
const CRC_AT: usize = 84;

/// What the cluster was doing when the file was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum State {
    /// It was shut down: the log ends with its checkpoint.
    ShutDown = 1,
    /// It was running.
    InProduction = 2,
}

/// The contents of the control file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Control {
    /// What the cluster was doing.
    pub state: State,
    /// Identifies the cluster.
    pub system_identifier: u64,
    /// The LSN of the newest checkpoint's record.
    pub checkpoint: Lsn,
    /// Where recovery begins.
    pub redo: Lsn,
    /// No XID from here on was given out.
    pub next_xid: Xid,
    /// The same for OIDs, counted on past 2^32.
    pub next_oid: u64,
    /// The same for file ids.
    pub next_file: FileId,
    /// The timeline of the log.
    pub timeline: u32,
    /// When the checkpoint was made.
    pub time_us: i64,
    /// The length of a WAL segment.
    pub segment_bytes: u64,
}

impl Control {
    /// Whether there is one: whether the directory holds a cluster.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn exists(disk: &dyn Disk) -> Result<bool> {
        disk.exists(PATH)
    }

    /// Reads it.
    ///
    /// # Errors
    /// XX001 when it is damaged; 58P01 when there is none; 0A000 when it is of another version.
    pub fn read(disk: &dyn Disk) -> Result<Control> {
        let bytes = disk::read_file(disk, PATH)?;
        let damaged = || {
            Error::corrupted(format!("incorrect checksum in control file \"{PATH}\""))
                .hint("Restore the data directory from a backup.")
        };
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| damaged())?;
        let u32_at = |at: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&bytes[at..at + 4]);
            u32::from_le_bytes(word)
        };
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        if bytes[..8] != *MAGIC || crc32c::crc32c(&bytes[..CRC_AT]) != u32_at(CRC_AT) {
            return Err(damaged());
        }
        if u32_at(8) != FORMAT {
            let message = "database files are incompatible with server";
            return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message).detail(format!(
                "The data directory has format {}, this server reads format {FORMAT}.",
                u32_at(8)
            )));
        }
        let state = match u32_at(12) {
            1 => State::ShutDown,
            2 => State::InProduction,
            _ => return Err(damaged()),
        };
        Ok(Control {
            state,
            system_identifier: u64_at(16),
            checkpoint: Lsn(u64_at(24)),
            redo: Lsn(u64_at(32)),
            next_xid: Xid(u64_at(40)),
            next_oid: u64_at(48),
            next_file: FileId(u64_at(56)),
            timeline: u32_at(64),
            time_us: u64_at(68).cast_signed(),
            segment_bytes: u64_at(76),
        })
    }

    /// Replaces it (rule 2).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write(&self, disk: &dyn Disk) -> Result<()> {
        let mut bytes = [0; BYTES];
        let mut at = 0;
        let mut put = |field: &[u8]| {
            bytes[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        };
        put(MAGIC);
        put(&FORMAT.to_le_bytes());
        put(&(self.state as u32).to_le_bytes());
        for number in [
            self.system_identifier,
            self.checkpoint.0,
            self.redo.0,
            self.next_xid.0,
            self.next_oid,
            self.next_file.0,
        ] {
            put(&number.to_le_bytes());
        }
        put(&self.timeline.to_le_bytes());
        put(&self.time_us.to_le_bytes());
        put(&self.segment_bytes.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..CRC_AT]);
        bytes[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
        disk::replace_file(disk, PATH, &bytes)
    }
}
