//! Readers that stop in the middle of a scan while others go on.

use crate::model::{IndexShape, Rows, Shape};
use crate::server::{Server, compare, entries_of, next_rows};
use base::{FileId, Result, RowId};
use btree::{Cursor, Direction, Range};
use disk::Random;
use std::collections::BTreeSet;
use std::sync::Arc;
use table::Scan;
use txn::{Snapshot, View};

/// A reader with what it must see.
pub(crate) struct Slow {
    table: FileId,
    view: View,
    expected: Rows,
    found: Rows,
    by: By,
}

enum By {
    Scan(Scan),
    Index(Cursor, IndexShape, BTreeSet<(Vec<u8>, RowId)>),
}

impl Slow {
    pub(crate) fn begin(
        server: &Server,
        shape: &Shape,
        snapshot: Arc<Snapshot>,
        expected: Rows,
        random: &mut Random,
    ) -> Result<Slow> {
        let table = server.table(shape.file)?;
        let at = random.below(2 * shape.indexes.len() as u64 + 1) as usize;
        let by = match shape.indexes.get(at).filter(|index| snapshot.csn() >= index.built) {
            None => By::Scan(table.scan(&[0, 1], &[], table.all_rows())),
            Some(index) => {
                let up = random.one_in(2);
                let direction = if up { Direction::Forward } else { Direction::Backward };
                let tree = server.index(index.file)?;
                By::Index(Cursor::new(tree, Range::all(), direction), *index, BTreeSet::new())
            }
        };
        let view = server.view_of(snapshot);
        Ok(Slow { table: shape.file, view, expected, found: Rows::new(), by })
    }

    /// Goes on for some rows; true at the end, where it has seen what it must.
    pub(crate) fn go_on(&mut self, server: &Server, demand: usize) -> Result<bool> {
        let more = match &mut self.by {
            By::Scan(scan) => next_rows(scan, &self.view, demand, &mut self.found)?,
            By::Index(cursor, shape, found) => {
                server.next_entries(self.table, shape, &self.view, cursor, demand, None, found)?
            }
        };
        if more {
            return Ok(false);
        }
        match &self.by {
            By::Scan(_) => assert!(
                self.found == self.expected,
                "a slow scan of file {}: {}",
                self.table,
                compare(&self.found, &self.expected)
            ),
            By::Index(_, shape, found) => assert!(
                *found == entries_of(shape, &self.expected),
                "a slow scan of index {} sees other entries",
                shape.file
            ),
        }
        Ok(true)
    }
}
