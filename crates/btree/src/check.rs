//! Checking that a tree is whole.

use crate::KeyRow;
use crate::page::Page;
use crate::tree::Index;
use base::{PageNo, Result, RowId, Xid};
use buffer::MetaState;
use std::collections::HashSet;

/// What [`Index::check`] found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// The entries, dead ones included.
    pub entries: u64,
    /// The dead ones among them.
    pub dead: u64,
    /// The pages that are part of the tree, the meta page left out.
    pub pages: u64,
    /// The pages that belong to nothing: room that is not used again. No entry is missing.
    pub lost: u64,
    /// What is wrong, in words.
    pub problems: Vec<String>,
}

/// A page of the level above says that this child begins there.
struct Child {
    low: KeyRow,
    number: PageNo,
}

impl Index {
    /// Walks all levels and checks order, bounds, prefixes, links and separators; calls `each` for
    /// every entry. Nobody writes meanwhile. May wait.
    ///
    /// # Errors
    /// Those of reading pages; damage that can be described is a problem in the result.
    pub fn check(&self, mut each: impl FnMut(&[u8], RowId, Xid, bool, &[u8])) -> Result<Checked> {
        let meta = self.meta()?;
        let mut checked = Checked::default();
        let mut seen = HashSet::new();
        let lowest = || KeyRow { key: Vec::new(), row: RowId(0) };
        let mut expected = vec![Child { low: lowest(), number: meta.root }];
        for level in (0..=meta.height).rev() {
            let mut children = Vec::new();
            let mut number = expected[0].number;
            let mut low = lowest();
            let mut named = expected.iter();
            let mut incomplete = false;
            while number != PageNo(0) {
                let at = format!("page {number} on level {level}");
                if !seen.insert(number) {
                    checked.problems.push(format!("{at} is met twice"));
                    break;
                }
                checked.pages += 1;
                if !incomplete {
                    match named.next() {
                        Some(child) if child.number == number && child.low == low => {}
                        Some(child) => checked.problems.push(format!(
                            "{at} begins at {low:?}, the level above names page {} at {:?}",
                            child.number, child.low
                        )),
                        None => checked.problems.push(format!("{at} is not named above")),
                    }
                }
                let pin = self.pool.pin(&self.file, number)?;
                let page = pin.read();
                let Some(view) = Page::open(&page)? else {
                    checked.problems.push(format!("{at} is free"));
                    break;
                };
                if u32::from(view.level()) != level {
                    checked.problems.push(format!("{at} says it is on level {}", view.level()));
                }
                check_order(&view, &low, &at, &mut checked.problems)?;
                for slot in 0..view.count() {
                    let mut key = Vec::new();
                    let row = view.key_into(slot, &mut key)?;
                    if view.is_leaf() {
                        let entry = view.leaf_entry(slot)?;
                        checked.entries += 1;
                        checked.dead += u64::from(entry.dead);
                        each(&key, row, entry.stamp, entry.dead, entry.payload);
                    } else {
                        let child = view.inner_entry(slot)?.child;
                        let low = if slot == 0 { low.clone() } else { KeyRow { key, row } };
                        children.push(Child { low, number: child });
                    }
                }
                incomplete = view.is_incomplete();
                if let Some(high) = view.high() {
                    low = high.to_owned();
                }
                if view.high().is_some() != (view.right() != PageNo(0)) {
                    checked.problems.push(format!("{at} has only one of end and neighbour"));
                }
                number = view.right();
            }
            if named.next().is_some() {
                checked.problems.push(format!("level {level} lacks pages named above"));
            }
            if level > 0 && children.is_empty() {
                checked.problems.push(format!("level {level} has no children"));
                break;
            }
            expected = children;
        }
        self.check_free(&meta, seen, &mut checked)?;
        Ok(checked)
    }

    /// A page belongs to the tree or to the list of free pages.
    fn check_free(
        &self,
        meta: &MetaState,
        mut seen: HashSet<PageNo>,
        checked: &mut Checked,
    ) -> Result<()> {
        let mut free = meta.free_head;
        while free != PageNo(0) {
            if !seen.insert(free) {
                checked.problems.push(format!("page {free} is free and used, or free twice"));
                return Ok(());
            }
            free = self.pool.next_free(&self.file, free)?;
        }
        checked.lost = meta.page_count.saturating_sub(seen.len() as u64 + 1);
        Ok(())
    }
}

/// The entries of a page ascend within its bounds. The first separator of an inner page is not
/// looked at.
fn check_order(view: &Page<'_>, low: &KeyRow, at: &str, problems: &mut Vec<String>) -> Result<()> {
    let mut before: Option<KeyRow> = None;
    for slot in usize::from(!view.is_leaf())..view.count() {
        let mut key = Vec::new();
        let row = view.key_into(slot, &mut key)?;
        let place = KeyRow { key, row };
        if place < *low || view.high().is_some_and(|high| place.bound() >= high) {
            problems.push(format!("{at}: entry {slot} {place:?} is out of bounds"));
        }
        if before.as_ref().is_some_and(|before| *before >= place) {
            problems.push(format!("{at}: entry {slot} {place:?} is out of order"));
        }
        before = Some(place);
    }
    if !low.key.starts_with(view.prefix()) {
        problems.push(format!("{at}: its low key does not share its prefix"));
    }
    Ok(())
}
