//! Checking that a tree is whole.

use crate::inner::Inner;
use crate::leaf::{Cell, KIND_COLUMN_WISE, Leaf, NO_HIGH_KEY};
use crate::tree::{META, ROOT, Tree};
use base::{PageNo, Result};
use buffer::MetaState;
use buffer::page::kind;
use std::collections::HashSet;

/// What [`Tree::check`] found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// The rows, dead ones included.
    pub rows: u64,
    /// The pages of the file.
    pub pages: u64,
    /// The pages that belong to nothing: room that is not used again. No data is missing.
    pub lost: u64,
    /// What is wrong, in words.
    pub problems: Vec<String>,
}

/// The pages of one level, as the level above names them.
struct Child {
    low: u64,
    number: PageNo,
}

impl Tree {
    /// Reads every page of the file, walks all levels, and checks bounds, order, links, counts and
    /// long values. Nobody writes meanwhile. May wait.
    ///
    /// # Errors
    /// Those of the meta page; other damage is a problem in the result.
    pub fn check(&self) -> Result<Checked> {
        let meta = MetaState::read(&self.pin(META)?.read())?;
        let mut checked = Checked { pages: meta.page_count, ..Checked::default() };
        for page in 0..meta.page_count {
            base::check_for_interrupts()?;
            if let Err(error) = self.pin(PageNo(page)) {
                checked.problems.push(error_text(&error));
            }
        }
        if checked.problems.is_empty()
            && let Err(error) = self.check_pages(&meta, &mut checked)
        {
            checked.problems.push(error_text(&error));
        }
        Ok(checked)
    }

    /// A page belongs to the tree, to a long value, or to the list of free pages, and to one alone.
    fn check_pages(&self, meta: &MetaState, checked: &mut Checked) -> Result<()> {
        let mut seen = HashSet::from([META]);
        self.check_levels(checked, &mut seen)?;
        for long in self.replaced_values() {
            seen.extend(self.long_pages(long)?);
        }
        let mut free = meta.free_head;
        let mut count = 0;
        while free != PageNo(0) {
            if !seen.insert(free) {
                checked.problems.push(format!("page {free} is free and used, or free twice"));
                return Ok(());
            }
            count += 1;
            free = self.pool().next_free(&self.file, free)?;
        }
        if count != meta.free_count {
            let said = meta.free_count;
            checked.problems.push(format!("{count} pages are free, the meta page says {said}"));
        }
        checked.lost = meta.page_count.saturating_sub(seen.len() as u64);
        Ok(())
    }

    fn check_levels(&self, checked: &mut Checked, seen: &mut HashSet<PageNo>) -> Result<()> {
        let mut expected = vec![Child { low: 0, number: ROOT }];
        loop {
            let mut children = Vec::new();
            let mut named = expected.iter().peekable();
            let (mut number, mut low) = (expected[0].number, expected[0].low);
            loop {
                let at = format!("page {number}");
                if !seen.insert(number) {
                    checked.problems.push(format!("{at} is met twice"));
                    return Ok(());
                }
                // A copy, because long values are read without a latch.
                let page = self.pin(number)?.read().to_vec();
                let Some(shape) = Shape::of(&page)? else {
                    checked
                        .problems
                        .push(format!("{at} is part of the tree and neither leaf nor inner page"));
                    return Ok(());
                };
                if named.peek().is_some_and(|child| child.number == number && child.low == low) {
                    named.next();
                } else {
                    checked.problems.push(format!("{at} is not where the level above says"));
                }
                if shape.low != low {
                    let found = shape.low;
                    checked.problems.push(format!("{at} begins at row {found} instead of {low}"));
                }
                if shape.high <= shape.low {
                    checked.problems.push(format!("{at} ends before it begins"));
                }
                match shape.inner {
                    Some(inner) => check_inner(&inner, &at, &mut children, &mut checked.problems),
                    None => self.check_leaf(&Leaf::open(&page)?, &at, checked, seen)?,
                }
                if shape.right == 0 {
                    if shape.high != NO_HIGH_KEY {
                        checked.problems.push(format!("{at} has an end and no right neighbour"));
                    }
                    break;
                }
                (number, low) = (PageNo(shape.right), shape.high);
            }
            if named.next().is_some() {
                checked.problems.push("a level lacks pages that are named above it".into());
            }
            if children.is_empty() {
                return Ok(());
            }
            expected = children;
        }
    }

    fn check_leaf(
        &self,
        leaf: &Leaf<'_>,
        at: &str,
        checked: &mut Checked,
        seen: &mut HashSet<PageNo>,
    ) -> Result<()> {
        let problems = &mut checked.problems;
        checked.rows += leaf.rows() as u64;
        let mut before = None;
        for slot in 0..leaf.rows() {
            let row = leaf.row_id(slot);
            if before.is_some_and(|before| before >= row) {
                problems.push(format!("{at}: row {row} is out of order"));
            }
            if row.0 < leaf.low() || row.0 >= leaf.high() || row >= self.high_water() {
                problems.push(format!("{at}: row {row} is out of bounds"));
            }
            if leaf.stamp(slot) > leaf.max_stamp() {
                problems.push(format!("{at}: the stamp of row {row} is above the page's largest"));
            }
            before = Some(row);
        }
        let dead = (0..leaf.rows()).filter(|slot| leaf.is_deleted(*slot)).count();
        if dead != leaf.dead() {
            problems.push(format!("{at} has {dead} dead rows and counts {}", leaf.dead()));
        }
        let mut long = Vec::new();
        for index in 0..leaf.columns() {
            let column = leaf.column_at(index)?;
            for slot in 0..leaf.rows() {
                if let Cell::Long(reference) = leaf.cell(&column, slot)? {
                    long.push((leaf.row_id(slot), reference));
                }
            }
        }
        for (row, reference) in long {
            if let Err(error) = self.read_long(reference, &mut Vec::new()) {
                problems.push(format!("{at}: row {row}: {}", error_text(&error)));
                continue;
            }
            for page in self.long_pages(reference)? {
                if !seen.insert(page) {
                    problems
                        .push(format!("{at}: page {page} of a value of row {row} is used twice"));
                }
            }
        }
        Ok(())
    }
}

/// What leaves and inner pages have in common.
struct Shape<'p> {
    low: u64,
    high: u64,
    right: u64,
    inner: Option<Inner<'p>>,
}

impl<'p> Shape<'p> {
    fn of(page: &'p [u8]) -> Result<Option<Shape<'p>>> {
        Ok(match buffer::page::kind(page) {
            kind::INNER => {
                let inner = Inner::open(page)?;
                let (low, high, right) = (inner.low(), inner.high(), inner.right());
                Some(Shape { low, high, right, inner: Some(inner) })
            }
            KIND_COLUMN_WISE => {
                let leaf = Leaf::open(page)?;
                Some(Shape { low: leaf.low(), high: leaf.high(), right: leaf.right(), inner: None })
            }
            _ => None,
        })
    }
}

fn check_inner(inner: &Inner<'_>, at: &str, children: &mut Vec<Child>, problems: &mut Vec<String>) {
    for index in 0..inner.count() {
        let low = inner.key(index);
        if index > 0 && low <= inner.key(index - 1) {
            problems.push(format!("{at}: its children are out of order"));
        }
        if low < inner.low() || low >= inner.high() {
            problems.push(format!("{at}: a child begins out of its bounds"));
        }
        children.push(Child { low, number: inner.child(index) });
    }
}

fn error_text(error: &base::Error) -> String {
    match &error.fields().detail {
        Some(detail) => format!("{} ({detail})", error.message()),
        None => error.message().to_owned(),
    }
}
