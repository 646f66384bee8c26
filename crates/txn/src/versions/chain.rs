//! The version records of one leaf.

use super::packed::{Entry, EntryRows, Left, Packed, UNKNOWN, join};
use super::{Before, Cutter, Mark, Version, VersionKind, VersionRows, cut};
use crate::retained::Retained;
use crate::snapshot::{StampSeen, View};
use base::{CommandId, Error, Lsn, Result, RowId, Xid};
use std::sync::Arc;

/// One record, many of rows that were inserted one after the other, or many in little memory.
#[derive(Clone, Debug)]
pub(super) enum Link {
    One(Arc<Version>),
    /// The record of the first rows, and how many rows there are (rule 9 of the store).
    Run(Arc<Version>, u32),
    Packed(Arc<Packed>),
}

impl Link {
    pub(super) fn one(&self) -> Option<&Arc<Version>> {
        match self {
            Link::One(version) => Some(version),
            Link::Run(..) | Link::Packed(_) => None,
        }
    }

    /// The record, that of the first rows of a run; none if they are packed.
    pub(super) fn record(&self) -> Option<&Arc<Version>> {
        match self {
            Link::One(version) | Link::Run(version, _) => Some(version),
            Link::Packed(_) => None,
        }
    }

    /// The inserted rows: the first and how many.
    fn run(&self) -> Option<(RowId, u64)> {
        match (&self.record()?.rows, self) {
            (VersionRows::Run(first, _), Link::Run(_, count)) => Some((*first, u64::from(*count))),
            (VersionRows::Run(first, count), _) => Some((*first, *count)),
            _ => None,
        }
    }

    /// What it is with the rows of `record`, too, if these follow its own and the same command inserted
    /// both, all of them after `since`.
    pub(super) fn with_next(&self, record: &Version, since: Lsn) -> Option<Link> {
        let (head, (first, count)) = (self.record()?, self.run()?);
        let VersionRows::Run(next, more) = record.rows else { return None };
        let by = |version: &Version| {
            let Version { xid, command, kind, key_changed, manager, .. } = *version;
            (xid, command, kind, key_changed, manager)
        };
        let follows = first.0.checked_add(count) == Some(next.0);
        let fits = follows && by(head) == by(record) && head.lsn() > since && !head.is_undone();
        let count = u32::try_from(count.checked_add(more)?).ok()?;
        fits.then(|| Link::Run(head.clone(), count))
    }

    /// Takes in `other` if it is the same, or the same run with other rows.
    pub(super) fn join(&mut self, other: &Link) -> bool {
        match (self.record(), other.record()) {
            (Some(a), Some(b)) => {
                let same = Arc::ptr_eq(a, b);
                if same && other.run() > self.run() {
                    *self = other.clone();
                }
                same
            }
            _ => match (self, other) {
                (Link::Packed(a), Link::Packed(b)) => Arc::ptr_eq(a, b),
                _ => false,
            },
        }
    }

    /// The state before the change of `row`: for inserted rows no state at all.
    fn before(&self, row: RowId) -> Option<Before> {
        match self {
            Link::One(version) => version.before(row),
            Link::Run(..) => {
                let (first, count) = self.run()?;
                (first.0 <= row.0 && row.0 - first.0 < count).then_some(Before::Nothing)
            }
            Link::Packed(_) => None,
        }
    }

    /// The smallest LSN.
    pub(super) fn first_lsn(&self) -> Lsn {
        match self {
            Link::One(version) | Link::Run(version, _) => version.lsn(),
            Link::Packed(packed) => packed.first_lsn(),
        }
    }

    /// The largest LSN, that of a run being its first one's.
    pub(super) fn last_lsn(&self) -> Lsn {
        match self {
            Link::One(version) | Link::Run(version, _) => version.lsn(),
            Link::Packed(packed) => packed.last_lsn(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Link::One(version) | Link::Run(version, _) => version.bytes(),
            Link::Packed(packed) => packed.bytes(),
        }
    }

    /// What it has about the rows `from..to` (`to` absent: no end).
    pub(super) fn part(&self, from: RowId, to: Option<RowId>) -> Option<Link> {
        match self {
            Link::One(version) => version.touches(from, to).then(|| self.clone()),
            Link::Run(..) => {
                let (first, count) = self.run()?;
                let inside = first.0 + count > from.0 && to.is_none_or(|to| first < to);
                inside.then(|| self.clone())
            }
            Link::Packed(packed) => match packed.part(from, to) {
                Left::All => Some(self.clone()),
                Left::Some(part) => Some(Link::Packed(part)),
                Left::Nothing => None,
            },
        }
    }

    /// What is left of it without the records that are `gone`; nothing when nothing is.
    pub(super) fn without(&self, mut gone: impl FnMut(Xid, Lsn) -> bool) -> Option<Link> {
        match self {
            Link::One(version) | Link::Run(version, _) => {
                (!gone(version.xid, version.lsn())).then(|| self.clone())
            }
            Link::Packed(packed) => {
                match packed.filter(|entry| (!gone(entry.xid, entry.lsn)).then_some(entry)) {
                    Left::All => Some(self.clone()),
                    Left::Some(part) => Some(Link::Packed(part)),
                    Left::Nothing => None,
                }
            }
        }
    }
}

/// Packs the records of single rows that are durable, so many neighbours of the list at least. Those
/// of a transaction that runs stay in the log; those of others must be there still.
pub(super) fn pack(list: &mut Vec<Link>, by: &Packing<'_>) {
    let mut packed = Vec::with_capacity(list.len());
    let mut group = Group { manager: 0, links: Vec::new(), entries: Vec::new() };
    for link in list.drain(..) {
        let entry = link.record().and_then(|version| entry_of(version, link.run(), by));
        let Some((manager, entry)) = entry else {
            group.end(&mut packed, by);
            packed.push(link);
            continue;
        };
        if group.manager != manager {
            group.end(&mut packed, by);
            group.manager = manager;
        }
        group.links.push(link);
        group.entries.push(entry);
    }
    group.end(&mut packed, by);
    *list = packed;
}

/// How records are packed.
pub(super) struct Packing<'a> {
    pub(super) retained: &'a Arc<Retained>,
    /// The log is durable up to here.
    pub(super) durable: Lsn,
    /// A transaction that runs.
    pub(super) running: Xid,
    /// How many there must be.
    pub(super) least: usize,
    /// With one, those that nobody sees are left out.
    pub(super) cutter: Option<&'a dyn Cutter>,
    /// Which columns an image of a resource manager has.
    pub(super) columns: &'a dyn Fn(u8, &[u8]) -> Option<u64>,
}

struct Group {
    manager: u8,
    links: Vec<Link>,
    entries: Vec<Entry>,
}

impl Group {
    fn end(&mut self, list: &mut Vec<Link>, by: &Packing<'_>) {
        if self.entries.len() < by.least {
            list.append(&mut self.links);
            self.entries.clear();
            return;
        }
        let mut entries = std::mem::take(&mut self.entries);
        let mut older = Vec::new();
        // As often as a record is packed anew, twice as many are packed with it.
        while let Some(Link::Packed(last)) = list.last()
            && last.manager() == self.manager
            && last.len() < 2 * entries.len()
        {
            entries.splice(0..0, last.entries());
            older.extend(list.pop());
        }
        if let Some(cutter) = by.cutter {
            join(&mut entries, cutter);
        }
        let packed = Packed::new(by.retained, self.manager, entries);
        list.push(Link::Packed(Arc::new(packed)));
        self.links.clear();
    }
}

/// A record as it is packed, once its body is only in the log. `run` are inserted rows.
fn entry_of(version: &Version, run: Option<(RowId, u64)>, by: &Packing<'_>) -> Option<(u8, Entry)> {
    let (lsn, manager) = (version.lsn(), version.manager);
    if lsn > by.durable || lsn == Lsn::INVALID || version.is_undone() {
        return None;
    }
    let rows = match (run, &version.rows) {
        (Some((row, count)), _) => EntryRows::Run(row, count),
        (None, VersionRows::Rows(rows)) if rows.len() == 1 => EntryRows::Change(rows.get(0)?),
        _ => return None,
    };
    let mut columns = UNKNOWN;
    if let EntryRows::Change(before) = rows {
        if let Some(body) = version.resident_body()
            && let Some(image) = cut::part(&body, before.image)
        {
            let known = (by.columns)(manager, image).filter(|columns| columns & UNKNOWN == 0);
            columns = known.unwrap_or(UNKNOWN);
        }
        version.let_go(by.retained, version.xid == by.running);
        if !version.is_only_in_log() {
            return None;
        }
    }
    let Version { xid, command, kind, key_changed, .. } = *version;
    Some((manager, Entry { xid, command, kind, key_changed, lsn, columns, rows }))
}

/// The version records of one leaf at one moment.
#[derive(Clone, Default, Debug)]
pub struct Chain(pub(super) Option<Arc<Vec<Link>>>);

/// What a view sees of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolved {
    /// The row as it is on the page.
    Current,
    /// The row after the before-images of the path were applied, in the path's order.
    Older,
    /// No row.
    Absent,
}

/// One step back: the record and the index of the row among its [`VersionRows::Rows`].
pub type Step = (Arc<Version>, usize);

/// A place in a chain: the records before it are older.
#[derive(Clone, Copy)]
struct Place {
    link: usize,
    within: usize,
}

/// A record about a row.
struct Found<'c> {
    link: &'c Link,
    place: Place,
    command: CommandId,
    kind: VersionKind,
    key_changed: bool,
    is_undone: bool,
    before: Before,
}

impl Found<'_> {
    fn step(&self, index: usize) -> Step {
        match self.link {
            Link::One(version) | Link::Run(version, _) => (version.clone(), index),
            Link::Packed(packed) => (packed.version(self.place.within), index),
        }
    }
}

impl Chain {
    fn list(&self) -> &[Link] {
        self.0.as_ref().map_or(&[], |list| list.as_slice())
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        let records = |link: &Link| match link {
            Link::One(_) | Link::Run(..) => 1,
            Link::Packed(packed) => packed.len(),
        };
        self.list().iter().map(records).sum()
    }

    /// What `view` sees of `row`, whose stamp and mark on the page are given. Leaves in `path`
    /// the steps that lead from the row on the page to what is seen, to be applied in order.
    /// Never waits: the bodies are not read.
    ///
    /// # Errors
    /// XX001 when a needed record is missing (rule 4).
    pub fn resolve(
        &self,
        view: &View,
        row: RowId,
        stamp: Xid,
        mark: Mark,
        path: &mut Vec<Step>,
    ) -> Result<Resolved> {
        path.clear();
        let (mut stamp, mut mark, mut end) = (stamp, mark, self.end());
        loop {
            let seen = view.judge(stamp);
            if seen == StampSeen::Visible {
                return Ok(visible(mark, path));
            }
            if seen == StampSeen::Invisible && mark.is_inserted() {
                return Ok(Resolved::Absent);
            }
            let Some(found) = self.find(row, stamp, end) else {
                return Err(missing_record(row, stamp));
            };
            if seen == StampSeen::Own && found.command < view.command() {
                return Ok(visible(mark, path));
            }
            match found.before {
                Before::Row(index, before) => {
                    path.push(found.step(index));
                    (stamp, mark, end) = (before.stamp, before.mark, found.place);
                }
                Before::Nothing => return Ok(Resolved::Absent),
            }
        }
    }

    /// Whether no change of `row` that the view does not see was a deletion or changed columns of
    /// the key: then a KEY SHARE lock of what it sees holds for the latest version, too. The view
    /// sees the row.
    ///
    /// # Errors
    /// XX001 when a record is missing.
    pub fn keeps_key(&self, view: &View, row: RowId, stamp: Xid, mark: Mark) -> Result<bool> {
        let (mut stamp, mut mark, mut end) = (stamp, mark, self.end());
        while view.judge(stamp) != StampSeen::Visible && !mark.is_inserted() {
            let found = self.find(row, stamp, end).ok_or_else(|| missing_record(row, stamp))?;
            let kept = found.kind == VersionKind::Update && !found.key_changed;
            let Before::Row(_, before) = found.before else { return Ok(false) };
            if !kept && !found.is_undone {
                return Ok(false);
            }
            (stamp, mark, end) = (before.stamp, before.mark, found.place);
        }
        Ok(true)
    }

    fn end(&self) -> Place {
        Place { link: self.list().len(), within: 0 }
    }

    /// The newest record of `xid` about `row` before `end`.
    fn find(&self, row: RowId, xid: Xid, end: Place) -> Option<Found<'_>> {
        let list = self.list();
        if let Some(Link::Packed(packed)) = list.get(end.link)
            && let Some(within) = packed.find(row, xid, end.within)
        {
            return Some(found_packed(&list[end.link], packed, end.link, within));
        }
        for (at, link) in list[..end.link].iter().enumerate().rev() {
            match link {
                Link::One(record) | Link::Run(record, _) if record.xid == xid => {
                    if let Some(before) = link.before(row) {
                        return Some(Found {
                            link,
                            place: Place { link: at, within: 0 },
                            command: record.command,
                            kind: record.kind,
                            key_changed: record.key_changed,
                            is_undone: record.is_undone(),
                            before,
                        });
                    }
                }
                Link::One(_) | Link::Run(..) => {}
                Link::Packed(packed) => {
                    if let Some(within) = packed.find(row, xid, usize::MAX) {
                        return Some(found_packed(link, packed, at, within));
                    }
                }
            }
        }
        None
    }

    /// The records of `xid` about `row` that are not undone, newest first.
    fn records(&self, row: RowId, xid: Xid) -> impl Iterator<Item = Found<'_>> {
        let mut end = self.end();
        let next = move || {
            let found = self.find(row, xid, end)?;
            end = found.place;
            Some(found)
        };
        std::iter::from_fn(next).filter(|found| !found.is_undone)
    }

    /// The command that last changed `row` within transaction `xid`, or nothing when no record
    /// says so: how an UPDATE recognises a row that its own command, or a later one, changed. What
    /// was rolled back to a savepoint does not count: the page is as before it.
    pub fn last_command(&self, row: RowId, xid: Xid) -> Option<CommandId> {
        self.records(row, xid).next().map(|found| found.command)
    }

    /// Whether transaction `xid` deleted `row` or changed columns of its key: what a KEY SHARE
    /// lock waits for (storage rule 21). True as well when no record tells.
    pub fn key_affected(&self, row: RowId, xid: Xid) -> bool {
        let mut records = self.records(row, xid).peekable();
        records.peek().is_none()
            || records.any(|found| found.kind != VersionKind::Update || found.key_changed)
    }
}

fn found_packed<'c>(link: &'c Link, packed: &Packed, at: usize, within: usize) -> Found<'c> {
    let entry = packed.entry(within);
    Found {
        link,
        place: Place { link: at, within },
        command: entry.command,
        kind: entry.kind,
        key_changed: entry.key_changed,
        is_undone: false,
        before: Packed::before(&entry),
    }
}

fn visible(mark: Mark, path: &[Step]) -> Resolved {
    if mark.is_deleted() {
        Resolved::Absent
    } else if path.is_empty() {
        Resolved::Current
    } else {
        Resolved::Older
    }
}

#[cold]
fn missing_record(row: RowId, stamp: Xid) -> Error {
    Error::corrupted(format!("version record of transaction {stamp} for row {row} is missing"))
}
