//! The tables of a server: open trees, creation and removal, rollback's and recovery's door.

use crate::leaf::{self, Layout, NO_HIGH_KEY};
use crate::record::{MANAGER, act, apply, op};
use crate::replaced::Queue;
use crate::tree::{META, ROOT, Tree};
use base::{FileId, Lsn, Result, Xid};
use buffer::{MetaState, Pool, ResourceManager};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use txn::{Transaction, Transactions, Undo};

/// The tables' row in the buffer pool's list of resource managers.
pub const RESOURCE_MANAGER: ResourceManager =
    ResourceManager { id: MANAGER, name: "Table", apply, describe };

/// The trees of all tables. One a server.
pub struct Tables {
    pub(crate) shared: Arc<Shared>,
    open: Mutex<HashMap<FileId, Arc<Tree>>>,
}

/// What every tree has of the server.
pub(crate) struct Shared {
    pub(crate) pool: Arc<Pool>,
    pub(crate) transactions: Arc<Transactions>,
    /// Long values that an update took out of a row: freed when the update's XID is settled.
    pub(crate) replaced: Mutex<Queue>,
    children_max: AtomicUsize,
}

impl Shared {
    /// The most children of an inner page of that size.
    pub(crate) fn children_max(&self, page_bytes: usize) -> usize {
        crate::inner::capacity(page_bytes).min(self.children_max.load(Ordering::Relaxed))
    }
}

/// Undoes the tables' records while the tables are there.
struct UndoTables(Weak<Tables>);

impl Undo for UndoTables {
    fn undo(&self, xid: Xid, body: &[u8], undo_next: Lsn) -> Result<()> {
        match self.0.upgrade() {
            Some(tables) => tables.undo(xid, body, undo_next),
            None => Err(base::Error::internal("rollback after the tables were closed")),
        }
    }

    fn merge(&self, newer: &[u8], older: &[u8]) -> Option<Vec<u8>> {
        crate::record::merge_images(newer, older).ok()
    }

    fn columns(&self, image: &[u8]) -> Option<u64> {
        crate::record::image_columns(image)
    }
}

impl Tables {
    /// The tables of a server, whose pool's configuration lists [`RESOURCE_MANAGER`]. Registers the
    /// undo function of the tables' records.
    pub fn new(transactions: Arc<Transactions>) -> Arc<Tables> {
        let pool = transactions.pool().clone();
        let children_max = AtomicUsize::new(usize::MAX);
        let shared = Shared { pool, transactions, replaced: Mutex::default(), children_max };
        let shared = Arc::new(shared);
        let tables = Arc::new(Tables { shared, open: Mutex::new(HashMap::new()) });
        let undo = Arc::new(UndoTables(Arc::downgrade(&tables)));
        tables.transactions().register_undo(MANAGER, undo);
        tables
    }

    /// Inner pages get at most so many children from now on, though they have room for more: tall
    /// trees of few rows. At least 4.
    pub fn limit_children(&self, most: usize) {
        self.shared.children_max.store(most.max(4), Ordering::Relaxed);
    }

    /// The buffer pool.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.shared.pool
    }

    /// The transactions.
    pub fn transactions(&self) -> &Arc<Transactions> {
        &self.shared.transactions
    }

    /// How many tables are open.
    pub fn open_count(&self) -> usize {
        self.open.lock().len()
    }

    /// The tree of a file; opens it if need be. May wait.
    ///
    /// # Errors
    /// 58P01 when there is no such file; XX001 when it is no table.
    pub fn tree(self: &Arc<Tables>, file: FileId) -> Result<Arc<Tree>> {
        if let Some(tree) = self.open.lock().get(&file) {
            return Ok(tree.clone());
        }
        let opened = Arc::new(Tree::open(&self.shared, self.pool().files().open(file)?)?);
        // Another may have opened it meanwhile: one tree a file, because it leases the row ids.
        Ok(self.open.lock().entry(file).or_insert(opened).clone())
    }

    /// Makes the file of a new table with pages of `page_bytes`, gone again when the transaction
    /// rolls back. May wait.
    ///
    /// # Errors
    /// 53100 when the disk is full.
    pub fn create(self: &Arc<Tables>, txn: &Transaction, page_bytes: usize) -> Result<Arc<Tree>> {
        let file = txn.create_file(page_bytes)?;
        self.format(file.id(), page_bytes)?;
        self.tree(file.id())
    }

    /// Makes the file of a table outside of any transaction: bootstrap. May wait.
    ///
    /// # Errors
    /// 53100 when the disk is full.
    pub fn create_now(self: &Arc<Tables>, file: FileId, page_bytes: usize) -> Result<Arc<Tree>> {
        self.pool().files().create_now(file, page_bytes)?;
        self.format(file, page_bytes)?;
        self.tree(file)
    }

    /// Makes a file that was just created the file of a table. May wait.
    ///
    /// # Errors
    /// 53100 when the disk is full.
    pub fn make_table(self: &Arc<Tables>, file: FileId, page_bytes: usize) -> Result<Arc<Tree>> {
        self.format(file, page_bytes)?;
        self.tree(file)
    }

    fn format(&self, file: FileId, page_bytes: usize) -> Result<()> {
        let file = self.pool().files().open_sized(file, page_bytes)?;
        let file = file.ok_or_else(|| base::Error::internal("the file was just created"))?;
        let (meta_pin, root_pin) = (self.pool().pin(&file, META)?, self.pool().pin(&file, ROOT)?);
        let (root, meta);
        let mut change = self.pool().change(MANAGER, op::CREATE, &[page_bytes; 2], 256)?;
        root = root_pin.write();
        meta = meta_pin.write();
        let layout = Layout {
            capacity: 0,
            base: 0,
            low: 0,
            high: NO_HIGH_KEY,
            right: 0,
            flags: 0,
            columns: Vec::new(),
        };
        let mut delta = vec![act::INIT];
        layout.encode(&mut delta);
        change.init(&root, &delta);
        let state = MetaState { root: ROOT, page_count: 2, ..MetaState::default() };
        change.init_meta(&meta, state, &[]);
        change.commit()?;
        Ok(())
    }

    /// Removes the file of a table when the transaction commits.
    pub fn drop_at_commit(&self, txn: &Transaction, file: FileId) {
        txn.unlink_at_commit(file);
    }

    /// Forgets a file that is gone: after the unlink of a commit, after the undo of a creation.
    pub fn forget(&self, file: FileId) {
        self.open.lock().remove(&file);
        self.shared.replaced.lock().forget(file);
        self.transactions().forget_file(file);
    }

    /// Undoes what the undo body of a table's record describes (contract 7). For rollback and for
    /// recovery. May wait.
    ///
    /// # Errors
    /// XX001 when the body or the tree is damaged; those of the log and the disk.
    pub fn undo(self: &Arc<Tables>, xid: Xid, body: &[u8], undo_next: Lsn) -> Result<()> {
        let tree = self.tree(crate::record::undo_file(body)?)?;
        tree.undo(xid, body, undo_next)
    }
}

fn describe(operation: u8, undo_body: Option<&[u8]>, _data: &[u8]) -> String {
    let name = match operation {
        op::CREATE => "CREATE",
        op::INSERT => "INSERT",
        op::UPDATE => "UPDATE",
        op::DELETE => "DELETE",
        op::UNDO => "UNDO",
        op::REBUILD => "REBUILD",
        op::SPLIT => "SPLIT",
        op::GROW => "GROW",
        op::MERGE => "MERGE",
        op::PURGE => "PURGE",
        op::LONG => "LONG",
        op::FREE_LONG => "FREE_LONG",
        op::ROW_LIMIT => "ROW_LIMIT",
        op::LOAD => "LOAD",
        op::REPLACED => "REPLACED",
        op::SHRINK => "SHRINK",
        op::LOWER => "LOWER",
        _ => "UNKNOWN",
    };
    match undo_body.map(crate::record::UndoBody::decode) {
        Some(Ok(body)) => format!("{name} {}", body.describe()),
        Some(Err(_)) => format!("{name} damaged undo body"),
        None => name.to_owned(),
    }
}

const _: () = assert!(leaf::ROW_ID_SPAN_MAX < NO_HIGH_KEY);
