//! A file that is dropped while one of its pages is written.

use super::*;
use disk::{Disk, File};
use parking_lot::Mutex;
use std::sync::OnceLock;

/// A disk on which the next write to a tree drops the tree, and fails.
struct Dropping {
    disk: SimDisk,
    armed: Arc<AtomicBool>,
    pool: Arc<OnceLock<Mutex<std::sync::Weak<Pool>>>>,
}

struct Trap {
    file: Arc<dyn File>,
    tree: Option<u64>,
    armed: Arc<AtomicBool>,
    pool: Arc<OnceLock<Mutex<std::sync::Weak<Pool>>>>,
}

impl Dropping {
    fn trap(&self, path: &str, file: Arc<dyn File>) -> Arc<dyn File> {
        let tree = path.strip_prefix("base/").and_then(|name| name.parse().ok());
        Arc::new(Trap { file, tree, armed: self.armed.clone(), pool: self.pool.clone() })
    }
}

impl Disk for Dropping {
    fn open(&self, path: &str) -> Result<Arc<dyn File>> {
        Ok(self.trap(path, self.disk.open(path)?))
    }
    fn create(&self, path: &str) -> Result<Arc<dyn File>> {
        Ok(self.trap(path, self.disk.create(path)?))
    }
    fn exists(&self, path: &str) -> Result<bool> {
        self.disk.exists(path)
    }
    fn remove(&self, path: &str) -> Result<()> {
        self.disk.remove(path)
    }
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.disk.rename(from, to)
    }
    fn list(&self, dir: &str) -> Result<Vec<String>> {
        self.disk.list(dir)
    }
    fn create_dir(&self, dir: &str) -> Result<()> {
        self.disk.create_dir(dir)
    }
    fn sync_dir(&self, dir: &str) -> Result<()> {
        self.disk.sync_dir(dir)
    }
}

impl File for Trap {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.file.read_at(buf, offset)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        if let Some(tree) = self.tree
            && self.armed.swap(false, Ordering::SeqCst)
        {
            let pool = self.pool.get().unwrap().lock().upgrade().unwrap();
            pool.drop_file(FileId(tree))?;
            return Err(base::err!(IO_ERROR, "no such luck"));
        }
        self.file.write_at(buf, offset)
    }
    fn sync_data(&self) -> Result<()> {
        self.file.sync_data()
    }
    fn set_len(&self, len: u64) -> Result<()> {
        self.file.set_len(len)
    }
    fn allocate(&self, len: u64) -> Result<()> {
        self.file.allocate(len)
    }
    fn len(&self) -> Result<u64> {
        self.file.len()
    }
}

/// Rule 3: a checkpoint waits for what is owed, and nothing is owed to a file that is gone.
#[test]
fn a_write_that_fails_after_its_file_was_dropped_owes_nothing() {
    let armed = Arc::new(AtomicBool::new(false));
    let slot = Arc::new(OnceLock::new());
    let disk = Dropping { disk: SimDisk::new(4), armed: armed.clone(), pool: slot.clone() };
    let wal = Wal::create(Arc::new(disk), wal_config()).unwrap();
    let pool = pool_on(wal, 16);
    assert!(slot.set(Mutex::new(Arc::downgrade(&pool))).is_ok());
    let file = new_tree(&pool, 1);
    put(&pool, &file, 1, 100, 7).unwrap();
    assert_eq!(pool.dirty_pages().len(), 2);
    armed.store(true, Ordering::SeqCst);
    assert!(pool.flush_before(Lsn(u64::MAX), |_| {}).is_err());
    assert_eq!(pool.dirty_pages(), []);
    assert_eq!(pool.flush_before(Lsn(u64::MAX), |_| {}).unwrap(), 0);
}
