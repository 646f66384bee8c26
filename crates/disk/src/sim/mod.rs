//! A file system in memory that fails on command.
//!
//! Every file has what was written and what is durable. A power cut keeps, of the writes since the
//! last sync, a random subset, some of them torn at sectors of 512 bytes; of the names changed since
//! the last `sync_dir`, a random first part. All choices come from one seed.
//!
//! How to use it: [`SimDisk::new`] with a seed, [`SimDisk::cut_power_at`] the n-th change, run until
//! everything fails, [`SimDisk::reboot`], go on with the disk that it returns. Changes are counted
//! ([`SimDisk::changes`]); reads are not, because they leave nothing behind. [`SimDisk::restart`] is
//! the end of the process alone: the system still has what it was given.
//!
//! Limits: directories are durable as soon as they are created; names move within one directory.

mod content;
mod random;

use crate::{Disk, File, io_error, parent};
use base::Result;
use content::{Content, Write};
use parking_lot::{Mutex, MutexGuard};
pub use random::Random;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// What an injected fault hits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// A read fails with EIO.
    Read,
    /// A write fails with EIO; nothing of it arrives.
    Write,
    /// A sync fails with EIO; a random part of what it should have made durable is lost for good,
    /// though reads still show it until the power is cut.
    Sync,
}

/// An injected fault: the `after`-th operation of that kind from now on fails (0: the next).
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which operation fails.
    pub kind: FaultKind,
    /// How many operations of the kind go well before.
    pub after: u64,
    /// Only files whose path contains this are counted and hit.
    pub path: String,
}

/// A simulated disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    boot: u64,
}

struct State {
    seed: u64,
    random: Random,
    boot: u64,
    changes: u64,
    syncs: u64,
    cut_at: Option<u64>,
    dead: bool,
    capacity: Option<u64>,
    used: u64,
    short_reads: bool,
    faults: Vec<Fault>,
    next_inode: u64,
    inodes: BTreeMap<u64, Inode>,
    directories: BTreeMap<String, Directory>,
}

#[derive(Default)]
struct Inode {
    now: Content,
    durable: Content,
    pending: Vec<Write>,
    links: u32,
}

#[derive(Default)]
struct Directory {
    now: BTreeMap<String, u64>,
    durable: BTreeMap<String, u64>,
    pending: Vec<Rename>,
}

/// One change of a directory: the names that it sets (to an inode) or clears.
#[derive(Clone)]
struct Rename {
    changes: Vec<(String, Option<u64>)>,
}

struct SimFile {
    disk: SimDisk,
    inode: u64,
    path: String,
}

impl SimDisk {
    /// An empty disk whose every choice follows from `seed`.
    pub fn new(seed: u64) -> SimDisk {
        let mut directories = BTreeMap::new();
        directories.insert(String::new(), Directory::default());
        let state = State {
            seed,
            random: Random::new(seed),
            boot: 0,
            changes: 0,
            syncs: 0,
            cut_at: None,
            dead: false,
            capacity: None,
            used: 0,
            short_reads: false,
            faults: Vec::new(),
            next_inode: 1,
            inodes: BTreeMap::new(),
            directories,
        };
        SimDisk { state: Arc::new(Mutex::new(state)), boot: 0 }
    }

    /// The seed, for messages of failing tests.
    pub fn seed(&self) -> u64 {
        self.state.lock().seed
    }

    /// How many changes (writes, syncs, changes of names) there were.
    pub fn changes(&self) -> u64 {
        self.state.lock().changes
    }

    /// How many times something was synced.
    pub fn syncs(&self) -> u64 {
        self.state.lock().syncs
    }

    /// Cuts the power in the middle of the change with this number, counted as
    /// [`SimDisk::changes`] counts; the first change has number 1.
    pub fn cut_power_at(&self, change: u64) {
        self.state.lock().cut_at = Some(change);
    }

    /// Cuts the power now.
    pub fn cut_power(&self) {
        self.state.lock().dead = true;
    }

    /// Whether the power is cut.
    pub fn is_dead(&self) -> bool {
        let state = self.state.lock();
        state.dead || state.boot != self.boot
    }

    /// Limits the bytes of all files together; `None` is no limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state.lock().capacity = bytes;
    }

    /// The bytes of all files together.
    pub fn used(&self) -> u64 {
        self.state.lock().used
    }

    /// Lets reads return fewer bytes than they were asked for.
    pub fn set_short_reads(&self, on: bool) {
        self.state.lock().short_reads = on;
    }

    /// Adds a fault; it goes away when it has happened.
    pub fn inject(&self, fault: Fault) {
        self.state.lock().faults.push(fault);
    }

    /// Flips one bit of a file, durably.
    pub fn flip_bit(&self, path: &str, offset: u64, bit: u8) -> Result<()> {
        let mut state = self.state.lock();
        let inode = state.lookup(path)?;
        let inode = state.inode(inode);
        for content in [&mut inode.now, &mut inode.durable] {
            let mut byte = [0];
            content.read(&mut byte, offset);
            byte[0] ^= 1 << bit;
            content.write(&byte, offset);
        }
        Ok(())
    }

    /// Cuts the power if it is on, decides what survives, and returns the disk after the reboot.
    /// The old handles stay dead. Faults and the next cut are forgotten; capacity stays.
    pub fn reboot(&self) -> SimDisk {
        let mut state = self.state.lock();
        state.crash();
        state.boot += 1;
        state.dead = false;
        state.cut_at = None;
        state.faults.clear();
        SimDisk { state: self.state.clone(), boot: state.boot }
    }

    /// Ends the process that uses the disk, while the machine goes on: what was written stays
    /// written, and what was not synced can still be lost. The old handles are dead. Faults and the
    /// next cut are forgotten; capacity stays.
    pub fn restart(&self) -> SimDisk {
        let mut state = self.state.lock();
        state.boot += 1;
        state.dead = false;
        state.cut_at = None;
        state.faults.clear();
        SimDisk { state: self.state.clone(), boot: state.boot }
    }

    /// Takes back the faults that have not happened.
    pub fn clear_faults(&self) {
        self.state.lock().faults.clear();
    }

    fn lock(&self, path: &str) -> Result<MutexGuard<'_, State>> {
        let state = self.state.lock();
        if state.dead || state.boot != self.boot {
            return Err(power_cut(path));
        }
        Ok(state)
    }

    /// Begins a change; the flag says that the power goes during it.
    fn change(&self, path: &str) -> Result<(MutexGuard<'_, State>, bool)> {
        let mut state = self.lock(path)?;
        state.changes += 1;
        let cut = state.cut_at.is_some_and(|at| state.changes >= at);
        state.dead |= cut;
        Ok((state, cut))
    }

    fn change_names(
        &self,
        dir: &str,
        path: &str,
        changes: Vec<(String, Option<u64>)>,
    ) -> Result<()> {
        let (mut state, cut) = self.change(path)?;
        let state = &mut *state;
        let Some(directory) = state.directories.get_mut(dir) else {
            return Err(missing(path));
        };
        let mut unlinked = Vec::new();
        for (name, inode) in &changes {
            let old = match inode {
                Some(inode) => directory.now.insert(name.clone(), *inode),
                None => directory.now.remove(name),
            };
            unlinked.extend(old);
        }
        directory.pending.push(Rename { changes });
        // Space counts for names as they are now.
        state.recount_links();
        for inode in unlinked {
            state.drop_space(inode);
        }
        if cut { Err(power_cut(path)) } else { Ok(()) }
    }
}

fn split(path: &str) -> (&str, &str) {
    let dir = parent(path);
    (dir, path[dir.len()..].trim_start_matches('/'))
}

fn missing(path: &str) -> base::Error {
    io_error("open", path, &io::Error::from(io::ErrorKind::NotFound))
}

fn power_cut(path: &str) -> base::Error {
    io_error("use", path, &io::Error::other("simulated power cut"))
}

fn injected(doing: &str, path: &str) -> base::Error {
    io_error(doing, path, &io::Error::other("simulated input/output error"))
}

impl State {
    fn lookup(&self, path: &str) -> Result<u64> {
        let (dir, name) = split(path);
        let inode = self.directories.get(dir).and_then(|d| d.now.get(name));
        inode.copied().ok_or_else(|| missing(path))
    }

    fn inode(&mut self, inode: u64) -> &mut Inode {
        self.inodes.entry(inode).or_default()
    }

    fn recount_links(&mut self) {
        for inode in self.inodes.values_mut() {
            inode.links = 0;
        }
        for directory in self.directories.values() {
            for inode in directory.now.values() {
                if let Some(inode) = self.inodes.get_mut(inode) {
                    inode.links += 1;
                }
            }
        }
    }

    fn drop_space(&mut self, inode: u64) {
        if let Some(inode) = self.inodes.get(&inode)
            && inode.links == 0
        {
            self.used -= inode.now.len();
        }
    }

    /// Whether a fault hits this operation.
    fn fault(&mut self, kind: FaultKind, path: &str) -> bool {
        let mut hit = false;
        self.faults.retain_mut(|fault| {
            if fault.kind != kind || !path.contains(&fault.path) {
                return true;
            }
            if fault.after == 0 {
                hit = true;
                return false;
            }
            fault.after -= 1;
            true
        });
        hit
    }

    /// Takes or gives back space for a file that changes its length.
    fn resize(&mut self, path: &str, old: u64, new: u64) -> Result<()> {
        let used = self.used - old + new;
        if new > old && self.capacity.is_some_and(|capacity| used > capacity) {
            return Err(io_error(
                "write to",
                path,
                &io::Error::new(io::ErrorKind::StorageFull, "No space left on device"),
            ));
        }
        self.used = used;
        Ok(())
    }

    /// Decides what a power cut leaves.
    fn crash(&mut self) {
        for directory in self.directories.values_mut() {
            let keep = self.random.below(directory.pending.len() as u64 + 1);
            for rename in directory.pending.drain(..).take(keep as usize) {
                apply_names(&mut directory.durable, &rename);
            }
            directory.now = directory.durable.clone();
        }
        self.recount_links();
        self.inodes.retain(|_, inode| inode.links > 0);
        self.used = 0;
        for inode in self.inodes.values_mut() {
            lose(&mut self.random, inode);
            self.used += inode.now.len();
        }
    }
}

fn apply_names(names: &mut BTreeMap<String, u64>, rename: &Rename) {
    for (name, inode) in &rename.changes {
        match inode {
            Some(inode) => names.insert(name.clone(), *inode),
            None => names.remove(name),
        };
    }
}

/// Makes a random part of the pending writes durable and shows only what is durable.
fn lose(random: &mut Random, inode: &mut Inode) {
    // Most disks keep nearly all or nearly none; both ends and the middle must be met.
    let keep_percent = [0, 20, 50, 80, 100][random.below(5) as usize];
    for write in inode.pending.drain(..) {
        if random.below(100) < keep_percent {
            inode.durable.apply(&write);
        } else if random.below(2) == 0 {
            inode.durable.apply_torn(&write, random);
        }
    }
    inode.now = inode.durable.clone();
}

impl Disk for SimDisk {
    fn open(&self, path: &str) -> Result<Arc<dyn File>> {
        let inode = self.lock(path)?.lookup(path)?;
        Ok(Arc::new(SimFile { disk: self.clone(), inode, path: path.to_owned() }))
    }

    fn create(&self, path: &str) -> Result<Arc<dyn File>> {
        let (dir, name) = split(path);
        let inode = {
            let mut state = self.lock(path)?;
            if state.lookup(path).is_ok() {
                return Err(io_error("create", path, &io::ErrorKind::AlreadyExists.into()));
            }
            let inode = state.next_inode;
            state.next_inode += 1;
            state.inodes.insert(inode, Inode::default());
            inode
        };
        self.change_names(dir, path, vec![(name.to_owned(), Some(inode))])?;
        Ok(Arc::new(SimFile { disk: self.clone(), inode, path: path.to_owned() }))
    }

    fn exists(&self, path: &str) -> Result<bool> {
        let state = self.lock(path)?;
        Ok(state.lookup(path).is_ok() || state.directories.contains_key(path))
    }

    fn remove(&self, path: &str) -> Result<()> {
        let (dir, name) = split(path);
        self.lock(path)?.lookup(path)?;
        self.change_names(dir, path, vec![(name.to_owned(), None)])
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (dir, name) = split(from);
        let (to_dir, to_name) = split(to);
        if dir != to_dir {
            return Err(base::Error::unsupported("renaming across directories is not supported"));
        }
        let inode = self.lock(from)?.lookup(from)?;
        self.change_names(
            dir,
            from,
            vec![(name.to_owned(), None), (to_name.to_owned(), Some(inode))],
        )
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        let state = self.lock(dir)?;
        let directory = state.directories.get(dir).ok_or_else(|| missing(dir))?;
        Ok(directory.now.keys().cloned().collect())
    }

    fn create_dir(&self, dir: &str) -> Result<()> {
        self.lock(dir)?.directories.entry(dir.to_owned()).or_default();
        Ok(())
    }

    fn sync_dir(&self, dir: &str) -> Result<()> {
        let (mut state, cut) = self.change(dir)?;
        if cut {
            return Err(power_cut(dir));
        }
        if state.fault(FaultKind::Sync, dir) {
            return Err(injected("fsync", dir));
        }
        state.syncs += 1;
        let directory = state.directories.get_mut(dir).ok_or_else(|| missing(dir))?;
        for rename in directory.pending.drain(..) {
            apply_names(&mut directory.durable, &rename);
        }
        Ok(())
    }
}

impl SimFile {
    fn write(&self, write: Write) -> Result<()> {
        let (mut state, cut) = self.disk.change(&self.path)?;
        if state.fault(FaultKind::Write, &self.path) {
            return Err(injected("write to", &self.path));
        }
        let old = state.inode(self.inode).now.len();
        let new = write.len_after(old);
        if state.inode(self.inode).links > 0 {
            state.resize(&self.path, old, new)?;
        }
        let inode = state.inode(self.inode);
        inode.now.apply(&write);
        inode.pending.push(write);
        if cut { Err(power_cut(&self.path)) } else { Ok(()) }
    }
}

impl File for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let mut state = self.disk.lock(&self.path)?;
        if state.fault(FaultKind::Read, &self.path) {
            return Err(injected("read", &self.path));
        }
        let mut want = buf.len();
        if state.short_reads && want > 1 {
            want = 1 + state.random.below(want as u64) as usize;
        }
        Ok(state.inode(self.inode).now.read(&mut buf[..want], offset))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        self.write(Write::Bytes(offset, buf.into()))
    }

    fn sync_data(&self) -> Result<()> {
        let (mut state, cut) = self.disk.change(&self.path)?;
        if cut {
            return Err(power_cut(&self.path));
        }
        let state = &mut *state;
        if state.fault(FaultKind::Sync, &self.path) {
            let inode = state.inodes.entry(self.inode).or_default();
            let now = inode.now.clone();
            lose(&mut state.random, inode);
            inode.now = now;
            return Err(injected("fsync", &self.path));
        }
        state.syncs += 1;
        let inode = state.inode(self.inode);
        for write in inode.pending.drain(..) {
            inode.durable.apply(&write);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.write(Write::Length(len))
    }

    fn allocate(&self, len: u64) -> Result<()> {
        // Not in one step, as on a file system that writes zeros: what is written between is lost.
        if self.len()? < len { self.write(Write::Length(len)) } else { Ok(()) }
    }

    fn len(&self) -> Result<u64> {
        Ok(self.disk.lock(&self.path)?.inode(self.inode).now.len())
    }
}
