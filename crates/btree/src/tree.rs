//! The tree: creating, opening, descending.

use crate::page::delta::Contents;
use crate::page::{Page, damaged, entry_bytes_max, place};
use crate::record::op;
use crate::{Bound, KeyRow};
use base::{Error, PageNo, Result, RowId, SqlState};
use buffer::{MetaState, Pin, Pool, TreeFile};
use std::sync::Arc;
use txn::Transactions;
use wal::rm;

/// An index: a tree in a file. Cheap to open; may be open more than once.
pub struct Index {
    pub(crate) pool: Arc<Pool>,
    pub(crate) transactions: Arc<Transactions>,
    pub(crate) file: Arc<TreeFile>,
    name: String,
}

/// What a descent looks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// The page to which the bound belongs.
    At(Bound<'a>),
    /// The page that has what is just below the bound.
    Below(Bound<'a>),
    /// The last page.
    Last,
}

impl Target<'_> {
    /// Whether the target is to the right of the page.
    pub(crate) fn is_right_of(&self, page: &Page<'_>) -> bool {
        match self {
            Target::At(bound) => page.is_left_of(*bound),
            Target::Below(bound) => page.high().is_some_and(|high| *bound > high),
            Target::Last => page.high().is_some(),
        }
    }

    fn child(&self, page: &Page<'_>) -> Result<usize> {
        match self {
            Target::At(bound) => page.child_for(*bound),
            Target::Below(bound) => page.child_below(*bound),
            Target::Last => page.count().checked_sub(1).ok_or_else(|| damaged("has no children")),
        }
    }
}

impl Index {
    /// Makes an empty tree in a new file, which [`txn::Transaction::create_file`] gave. Its undo
    /// takes the tree with it. May wait.
    ///
    /// # Errors
    /// Those of disk and log.
    pub fn create(
        transactions: &Arc<Transactions>,
        file: Arc<TreeFile>,
        name: &str,
    ) -> Result<Index> {
        let pool = transactions.pool().clone();
        assert!(file.page_bytes() <= crate::page::PAGE_BYTES_MAX, "index pages of 8 to 32 kB");
        {
            let meta_pin = pool.pin(&file, PageNo(0))?;
            let root_pin = pool.pin(&file, PageNo(1))?;
            let bytes = file.page_bytes();
            let mut change = pool.change(rm::BTREE, op::CREATE, &[bytes, bytes], 128)?;
            let contents = Contents::new(0, 0, None, PageNo(0), false).finish();
            let (root, meta) = (root_pin.write(), meta_pin.write());
            change.init(&root, &contents);
            let state = MetaState { root: PageNo(1), page_count: 2, ..MetaState::default() };
            change.init_meta(&meta, state, &[]);
            change.commit()?;
        }
        Index::open(transactions, file, name)
    }

    /// Opens the tree of a file. `name` is what messages call the index. May wait.
    ///
    /// # Errors
    /// XX001 when the file has no tree.
    pub fn open(
        transactions: &Arc<Transactions>,
        file: Arc<TreeFile>,
        name: &str,
    ) -> Result<Index> {
        let index = Index {
            pool: transactions.pool().clone(),
            transactions: transactions.clone(),
            file,
            name: name.to_string(),
        };
        index.refresh_root()?;
        Ok(index)
    }

    /// The file.
    pub fn file(&self) -> &Arc<TreeFile> {
        &self.file
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The most bytes of a key with its payload.
    pub fn entry_bytes_max(&self) -> usize {
        entry_bytes_max(self.file.page_bytes())
    }

    /// The meta page's state: pages, height. May wait.
    ///
    /// # Errors
    /// XX001 when the page is damaged.
    pub fn meta(&self) -> Result<MetaState> {
        let pin = self.pool.pin(&self.file, PageNo(0))?;
        let page = pin.read();
        MetaState::read(&page)
    }

    /// The root, noted as the place to start (rule 3).
    pub(crate) fn refresh_root(&self) -> Result<PageNo> {
        let pin = self.pool.pin(&self.file, PageNo(0))?;
        let page = pin.read();
        let root = MetaState::read(&page)?.root;
        self.file.set_hint(root);
        Ok(root)
    }

    pub(crate) fn page_bytes(&self) -> usize {
        self.file.page_bytes()
    }

    /// # Errors
    /// 54000 when key and payload are too long.
    pub(crate) fn check_size(&self, key: &[u8], payload: &[u8], row: RowId) -> Result<()> {
        let (size, max) = (key.len() + payload.len(), self.entry_bytes_max());
        if size <= max {
            return Ok(());
        }
        let text = format!(
            "index row size {size} exceeds btree version 4 maximum {max} for index \"{}\"",
            self.name
        );
        let hint = "Values larger than 1/3 of a buffer page cannot be indexed.\n\
                    Consider a function index of an MD5 hash of the value, or use full text indexing.";
        let detail = format!("Index row references row {row}.");
        Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, text).detail(detail).hint(hint))
    }

    /// Goes down to the page of `level` to which `target` belonged when it was last looked at, and
    /// pins it. The caller latches it, asks [`still`](Self::still), and starts over when it moved.
    /// Leaves the page's low bound in `low` if wanted: nothing for the leftmost page. The caller
    /// has begun a [`Pool::descend`]. May wait.
    pub(crate) fn descend(
        &self,
        target: Target<'_>,
        level: u16,
        low: Option<&mut Option<KeyRow>>,
    ) -> Result<Pin<'_>> {
        let found = self.descend_to(target, level, low)?;
        found.ok_or_else(|| self.no_level(level))
    }

    #[cold]
    pub(crate) fn no_level(&self, level: u16) -> Error {
        damaged(&format!("tree of \"{}\" has no level {level}", self.name))
    }

    /// [`descend`](Self::descend) to a level that may have gone: nothing when it has.
    pub(crate) fn descend_to(
        &self,
        target: Target<'_>,
        level: u16,
        mut low: Option<&mut Option<KeyRow>>,
    ) -> Result<Option<Pin<'_>>> {
        let mut number = self.file.hint();
        if let Some(low) = &mut low {
            **low = None;
        }
        loop {
            let pin = self.pool.pin(&self.file, number)?;
            let page = pin.read();
            let view = Page::open(&page)?;
            let Some(view) = view.filter(|view| view.level() >= level) else {
                // Freed, or the root when the tree was lower.
                let (tried, freed) = (number, view.is_none());
                drop(page);
                number = self.refresh_root()?;
                if number == tried {
                    return match freed {
                        true => Err(damaged("is free and the root")),
                        false => Ok(None),
                    };
                }
                if let Some(low) = &mut low {
                    **low = None;
                }
                continue;
            };
            if target.is_right_of(&view) {
                number = view.right();
                if let (Some(low), Some(high)) = (&mut low, view.high()) {
                    **low = Some(high.to_owned());
                }
            } else if view.level() == level {
                drop(page);
                return Ok(Some(pin));
            } else {
                let at = target.child(&view)?;
                number = view.inner_entry(at)?.child;
                if let (Some(low), true) = (&mut low, at > 0) {
                    let mut key = Vec::new();
                    let row = view.key_into(at, &mut key)?;
                    **low = Some(KeyRow { key, row });
                }
            }
            if number == PageNo(0) {
                return Err(damaged("leads nowhere").detail(place(&page)));
            }
        }
    }

    /// The page, latched by the caller, if `target` still belongs to it.
    pub(crate) fn still<'b>(
        &self,
        page: &'b [u8],
        target: Target<'_>,
        level: u16,
    ) -> Result<Option<Page<'b>>> {
        let view = Page::open(page)?;
        Ok(view.filter(|view| view.level() == level && !target.is_right_of(view)))
    }
}
