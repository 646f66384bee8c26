//! The machine's file system.

use crate::{Disk, File, io_error};
use base::{Result, chores};
use rustix::fs::FallocateFlags;
use rustix::process::Resource;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A directory of the machine's file system.
#[derive(Debug, Clone)]
pub struct RealDisk {
    root: PathBuf,
}

impl RealDisk {
    /// The directory `root`, which is created when it is missing.
    pub fn new(root: impl Into<PathBuf>) -> Result<RealDisk> {
        let root = root.into();
        fs::create_dir_all(&root)
            .map_err(|e| io_error("create", &root.display().to_string(), &e))?;
        Ok(RealDisk { root })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }
}

/// The descriptors that this process may have.
pub fn descriptors_max() -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// A removed file with so many bytes is cut off bit by bit before it is closed: the system frees its
/// pages one by one.
const LARGE_BYTES: u64 = 1 << 20;
/// So many bytes are cut off at once, with a pause after them, so that it never takes a processor
/// for as long as others would notice.
const CUT_BYTES: u64 = 1 << 20;
const CUT_PAUSE: Duration = Duration::from_micros(500);

/// Cuts a bit off a removed file; whether there is more. What cannot be cut goes when it is closed.
fn cut(file: &dyn File, bytes: &mut u64) -> bool {
    *bytes = bytes.saturating_sub(CUT_BYTES);
    file.set_len(*bytes).is_ok() && *bytes > 0
}

struct RealFile {
    file: fs::File,
    path: String,
}

impl Disk for RealDisk {
    fn open(&self, path: &str) -> Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.path(path))
            .map_err(|e| io_error("open", path, &e))?;
        Ok(Arc::new(RealFile { file, path: path.to_owned() }))
    }

    fn create(&self, path: &str) -> Result<Arc<dyn File>> {
        use std::os::unix::fs::OpenOptionsExt;
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.path(path))
            .map_err(|e| io_error("create", path, &e))?;
        Ok(Arc::new(RealFile { file, path: path.to_owned() }))
    }

    fn exists(&self, path: &str) -> Result<bool> {
        match fs::symlink_metadata(self.path(path)) {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(io_error("stat", path, &e)),
        }
    }

    fn remove(&self, path: &str) -> Result<()> {
        fs::remove_file(self.path(path)).map_err(|e| io_error("remove", path, &e))
    }

    fn discard(&self, file: Arc<dyn File>) {
        let mut bytes = file.len().unwrap_or(0);
        if bytes >= LARGE_BYTES {
            let step = move || cut(&*file, &mut bytes).then_some(CUT_PAUSE);
            // Where there is no thread for chores it is closed here: the error has the file.
            drop(chores::after(Duration::ZERO, Box::new(step)));
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        fs::rename(self.path(from), self.path(to)).map_err(|e| io_error("rename", from, &e))
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        let failed = |e: io::Error| io_error("read directory", dir, &e);
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path(dir)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                continue;
            }
            if let Ok(name) = entry.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn create_dir(&self, dir: &str) -> Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        match fs::DirBuilder::new().mode(0o700).create(self.path(dir)) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                Err(io_error("create directory", dir, &e))
            }
            _ => Ok(()),
        }
    }

    fn sync_dir(&self, dir: &str) -> Result<()> {
        fs::File::open(self.path(dir))
            .and_then(|d| d.sync_all())
            .map_err(|e| io_error("fsync", dir, &e))
    }
}

impl File for RealFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        loop {
            match self.file.read_at(buf, offset) {
                Ok(n) => return Ok(n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(io_error("read", &self.path, &e)),
            }
        }
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        self.file.write_all_at(buf, offset).map_err(|e| io_error("write to", &self.path, &e))
    }

    fn sync_data(&self) -> Result<()> {
        self.file.sync_data().map_err(|e| io_error("fsync", &self.path, &e))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(|e| io_error("truncate", &self.path, &e))
    }

    fn allocate(&self, len: u64) -> Result<()> {
        let have = self.len()?;
        if have >= len {
            return Ok(());
        }
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), have, len - have) {
            Ok(()) => Ok(()),
            // Not every file system can reserve; writing zeros does the same.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                let zeros = vec![0; 1 << 16];
                let mut at = have;
                while at < len {
                    let n = usize::try_from(len - at).map_or(zeros.len(), |n| n.min(zeros.len()));
                    self.write_at(&zeros[..n], at)?;
                    at += n as u64;
                }
                Ok(())
            }
            Err(e) => Err(io_error("extend", &self.path, &e.into())),
        }
    }

    fn len(&self) -> Result<u64> {
        Ok(self.file.metadata().map_err(|e| io_error("stat", &self.path, &e))?.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_large_file_that_is_discarded_is_closed_and_its_space_is_free() {
        let root = std::env::temp_dir().join(format!("perdura-discard-{}", std::process::id()));
        let disk = RealDisk::new(&root).unwrap();
        let file = disk.create("large").unwrap();
        file.write_at(&vec![1; 3 << 20], 0).unwrap();
        disk.remove("large").unwrap();
        let watched = Arc::downgrade(&file);
        disk.discard(file);
        let begin = Instant::now();
        while watched.strong_count() > 0 {
            assert!(begin.elapsed() < Duration::from_secs(60), "it is open");
            std::thread::sleep(Duration::from_millis(1));
        }
        fs::remove_dir_all(root).unwrap();
    }
}
