//! Histories of transactions on a model of rows with versions: what commits could have happened one
//! after the other.

use super::*;
use base::RowId;
use disk::Random;
use std::collections::{BTreeMap, BTreeSet};

const TABLE: Oid = Oid(20000);
const INDEX: Oid = Oid(20001);
const KEYS: u64 = 6;

fn session() -> Session {
    Session { pid: SessionId(1), virtual_xid: "1/1".into(), database: Oid(5) }
}

fn begin(server: &Arc<Serializable>, xid: u64, read_only: bool) -> Option<Arc<Tracked>> {
    begin_at(server, xid, read_only, None)
}

fn begin_at(
    server: &Arc<Serializable>,
    xid: u64,
    read_only: bool,
    imported: Option<Number>,
) -> Option<Arc<Tracked>> {
    let ((), begun) = server.begin(session(), Xid(xid), read_only, imported, || ());
    match begun {
        Begun::Tracked(tracked) => Some(tracked),
        Begun::Safe => None,
    }
}

fn writer(server: &Arc<Serializable>, xid: u64) -> Arc<Tracked> {
    begin(server, xid, false).expect("a writer is watched")
}

fn commit(tracked: &Tracked) -> Result<(), Error> {
    tracked.precommit().inspect_err(|_| tracked.finish(false))?;
    tracked.finish(true);
    Ok(())
}

#[test]
fn points_of_different_keys_do_not_conflict() {
    let server = Arc::new(Serializable::default());
    let (one, two) = (writer(&server, 10), writer(&server, 11));
    for (tracked, read, written) in [(&one, 1, 2), (&two, 3, 4)] {
        tracked.read_range((INDEX, TABLE), &[read], Some(&[read, 0]));
        tracked.read_row(TABLE, RowId(u64::from(read)));
        tracked.write_row(TABLE, Some(RowId(u64::from(written)))).unwrap();
        tracked.write_key(INDEX, &[written]).unwrap();
    }
    commit(&one).unwrap();
    commit(&two).unwrap();
    assert_eq!(server.kept(), (0, 0), "nothing is kept when nobody runs");
    assert!(server.rows().is_empty());
}

/// Storage rule 23.
#[test]
fn a_phantom_in_a_range_is_found_and_one_beside_it_is_not() {
    for (key, fails) in [(15, true), (20, false), (9, false), (10, true)] {
        let server = Arc::new(Serializable::default());
        let (one, two) = (writer(&server, 10), writer(&server, 11));
        for tracked in [&one, &two] {
            tracked.read_range((INDEX, TABLE), &[10], Some(&[20]));
        }
        one.write_key(INDEX, &[key]).unwrap();
        commit(&one).unwrap();
        let written = two.write_key(INDEX, &[key]);
        assert_eq!(written.is_err(), fails, "key {key}");
    }
}

#[test]
fn a_range_that_was_cut_covers_what_was_seen() {
    let server = Arc::new(Serializable::default());
    let (one, two) = (writer(&server, 10), writer(&server, 11));
    let range = two.read_range((INDEX, TABLE), &[10], None).unwrap();
    two.cut_range(INDEX, range, None, Some(&[12, 0]));
    one.read_row(TABLE, RowId(1));
    two.write_row(TABLE, Some(RowId(1))).unwrap();
    one.write_key(INDEX, &[13]).unwrap();
    commit(&two).unwrap();
    commit(&one).unwrap();
}

#[test]
fn who_imports_an_older_snapshot_is_beside_those_who_have_committed_since() {
    for exporter_ends in [false, true] {
        let server = Arc::new(Serializable::default());
        let exporter = writer(&server, 10);
        let between = writer(&server, 11);
        between.read_row(TABLE, RowId(1));
        between.write_row(TABLE, Some(RowId(2))).unwrap();
        commit(&between).unwrap();
        let imported = begin_at(&server, 12, false, exporter.begun()).unwrap();
        if exporter_ends {
            commit(&exporter).unwrap();
        }
        imported.read_row(TABLE, RowId(2));
        imported.conflict_out(Xid(11));
        let skew = imported.write_row(TABLE, Some(RowId(1))).and_then(|()| commit(&imported));
        assert!(skew.is_err(), "each has read what the other one wrote");
    }
}

#[test]
fn a_reader_of_an_imported_snapshot_is_watched_as_long_as_it_runs() {
    let server = Arc::new(Serializable::default());
    let exporter = writer(&server, 10);
    // pivot -> first, which has committed before the snapshot; the pivot commits after it.
    let pivot = writer(&server, 11);
    pivot.read_row(TABLE, RowId(1));
    let taken = exporter.begun();
    let reader = begin_at(&server, 12, true, taken).expect("it is watched");
    commit(&pivot).unwrap();
    assert!(!reader.is_safe());
    commit(&exporter).unwrap();
    assert!(!reader.is_safe());
    commit(&reader).unwrap();
    assert_eq!(server.kept(), (0, 0));
}

/// Limits that never come in the way.
const WIDE: Limits =
    Limits { per_transaction: 1 << 20, per_relation: 1 << 20, per_page: 1 << 20, finished: 4 };

#[test]
fn locks_are_charged_as_long_as_they_are_held() {
    let server = Arc::new(Serializable::default());
    let account = memory::Ledger::new(1 << 30).shared("predicate locks", u64::MAX);
    server.set_account(account.clone());
    server.set_limits(WIDE);
    let (one, two) = (writer(&server, 10), writer(&server, 11));
    one.read_row(TABLE, RowId(0));
    let little = account.node().reserved();
    (1..10_000).for_each(|row| one.read_row(TABLE, RowId(row)));
    assert!(little > 0 && account.node().reserved() > little + 10_000 * 16);
    let keys = vec![7; 100_000];
    let range = one.read_range((INDEX, TABLE), &keys, Some(&keys)).unwrap();
    let with_keys = account.node().reserved();
    one.cut_range(INDEX, range, None, Some(&[8]));
    assert!(account.node().reserved() <= with_keys - 99_000, "a key was given back");
    one.finish(false);
    assert_eq!(account.node().reserved(), 0);
    // Those of committed ones too, and those of the summed up.
    for xid in 20..60 {
        let other = writer(&server, xid);
        (0..100).for_each(|row| other.read_row(TABLE, RowId(row * xid)));
        commit(&other).unwrap();
    }
    assert!(server.kept().1 > 30, "{:?}", server.kept());
    assert!(account.node().reserved() > 0);
    commit(&two).unwrap();
    assert_eq!((server.kept(), account.node().reserved()), ((0, 0), 0));
}

#[test]
fn without_memory_locks_are_coarser_and_no_conflict_is_missed() {
    for limit in [0, 600, 4096, 1 << 20] {
        let server = Arc::new(Serializable::default());
        let account = memory::Ledger::new(limit).shared("predicate locks", u64::MAX);
        server.set_account(account.clone());
        server.set_limits(WIDE);
        let (one, two) = (writer(&server, 10), writer(&server, 11));
        for tracked in [&one, &two] {
            (0..2000).for_each(|row| tracked.read_row(TABLE, RowId(row)));
            for key in 0..100 {
                tracked.read_range((INDEX, TABLE), &[key], Some(&[key, 0]));
            }
        }
        assert!(account.node().reserved() <= limit, "limit {limit}");
        one.write_row(TABLE, Some(RowId(1))).unwrap();
        commit(&one).unwrap();
        assert!(two.write_key(INDEX, &[5]).is_err(), "limit {limit}: skew of a row and a key");
    }
}

/// Storage rule 23.
#[test]
fn dropped_indexes_leave_their_locks_to_the_table() {
    let server = Arc::new(Serializable::default());
    let (one, two) = (writer(&server, 10), writer(&server, 11));
    one.read_range((INDEX, TABLE), &[10], Some(&[20]));
    two.read_row(TABLE, RowId(1));
    server.promote(Oid(5), TABLE);
    one.write_row(TABLE, Some(RowId(70_000))).unwrap();
    commit(&one).unwrap();
    assert!(two.write_row(TABLE, None).is_err());
}

#[test]
fn read_only_transactions_are_safe_when_no_writer_can_harm_them() {
    let server = Arc::new(Serializable::default());
    assert!(begin(&server, 0, true).is_none(), "nobody writes");
    let one = writer(&server, 10);
    let reader = begin(&server, 0, true).unwrap();
    reader.read_relation(TABLE);
    assert!(!reader.is_safe());
    commit(&one).unwrap();
    assert!(reader.is_safe(), "it committed without a conflict out");
    assert_eq!(server.kept(), (0, 0));
}

#[test]
fn many_committed_ones_are_summed_up_beside_an_old_one() {
    let server = Arc::new(Serializable::default());
    server.set_limits(Limits { finished: 5, ..Limits::default() });
    let old = writer(&server, 1);
    old.read_row(TABLE, RowId(0));
    for xid in 10..1000 {
        let tracked = writer(&server, xid);
        tracked.read_row(TABLE, RowId(xid));
        tracked.write_row(TABLE, Some(RowId(xid))).unwrap();
        commit(&tracked).unwrap();
    }
    let (kept, summed_up) = server.kept();
    assert!(kept <= 8, "{kept} are kept");
    assert!(summed_up >= 980, "{summed_up} are summed up");
    commit(&old).unwrap();
    assert_eq!(server.kept(), (0, 0));
}

/// A version of a row: who wrote it, and as which commit.
#[derive(Clone, Copy)]
struct Written {
    by: usize,
    commit: Option<u64>,
}

struct Running {
    number: usize,
    tracked: Option<Arc<Tracked>>,
    snapshot: u64,
    read_only: bool,
    /// For each key read: the writer of the version seen.
    reads: Vec<(u64, Option<usize>)>,
    writes: BTreeSet<u64>,
}

#[derive(Default)]
struct Model {
    rows: BTreeMap<u64, Vec<Written>>,
    commits: u64,
    committed: Vec<(usize, Vec<(u64, Option<usize>)>)>,
    aborted: usize,
}

impl Model {
    fn read(&self, me: &mut Running, key: u64) {
        if let Some(tracked) = &me.tracked {
            for version in self.rows.get(&key).into_iter().flatten() {
                if version.by != me.number && version.commit.is_none_or(|c| c > me.snapshot) {
                    tracked.conflict_out(Xid(version.by as u64));
                }
            }
        }
        let sees = |version: &&Written| version.commit.is_some_and(|c| c <= me.snapshot);
        let versions = self.rows.get(&key).into_iter().flatten();
        let seen = versions.filter(sees).max_by_key(|v| v.commit).map(|v| v.by);
        if !me.writes.contains(&key) {
            me.reads.push((key, seen));
        }
    }

    /// False when the row was changed by another that the snapshot does not see.
    fn write(&mut self, me: &mut Running, key: u64) -> bool {
        let versions = self.rows.entry(key).or_default();
        let foreign = |v: &Written| v.by != me.number && v.commit.is_none_or(|c| c > me.snapshot);
        if versions.iter().any(foreign) {
            return false;
        }
        if me.writes.insert(key) {
            versions.push(Written { by: me.number, commit: None });
        }
        true
    }

    fn abort(&mut self, me: &Running) {
        for versions in self.rows.values_mut() {
            versions.retain(|version| version.by != me.number);
        }
        if let Some(tracked) = &me.tracked {
            tracked.finish(false);
        }
        self.aborted += 1;
    }

    fn commit(&mut self, me: Running) {
        if me.tracked.as_ref().is_some_and(|t| t.check().and_then(|()| t.precommit()).is_err()) {
            return self.abort(&me);
        }
        self.commits += 1;
        for versions in self.rows.values_mut() {
            for version in versions.iter_mut().filter(|v| v.by == me.number) {
                version.commit = Some(self.commits);
            }
        }
        if let Some(tracked) = &me.tracked {
            tracked.finish(true);
        }
        self.committed.push((me.number, me.reads));
    }

    /// Whether the committed transactions have an order in which each sees what those before it
    /// wrote.
    fn is_serializable(&self) -> bool {
        let mut after: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut edge = |from: usize, to: usize| {
            if from != to {
                after.entry(from).or_default().insert(to);
            }
        };
        let mut orders: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (key, versions) in &self.rows {
            let mut versions: Vec<_> = versions.iter().filter(|v| v.commit.is_some()).collect();
            versions.sort_by_key(|version| version.commit);
            orders.insert(*key, versions.iter().map(|version| version.by).collect());
        }
        for order in orders.values() {
            order.windows(2).for_each(|pair| edge(pair[0], pair[1]));
        }
        for (reader, reads) in &self.committed {
            for (key, seen) in reads {
                let order = orders.get(key).map_or(&[][..], |order| order);
                let next = match seen {
                    None => 0,
                    Some(by) => {
                        edge(*by, *reader);
                        order.iter().position(|o| o == by).map_or(0, |at| at + 1)
                    }
                };
                if let Some(next) = order.get(next) {
                    edge(*reader, *next);
                }
            }
        }
        // Whoever has nobody before them goes first, again and again.
        let mut left: BTreeSet<usize> = self.committed.iter().map(|(n, _)| *n).collect();
        loop {
            let blocked: BTreeSet<usize> =
                left.iter().filter_map(|n| after.get(n)).flatten().copied().collect();
            let free: Vec<usize> = left.difference(&blocked).copied().collect();
            if free.is_empty() {
                return left.is_empty();
            }
            free.iter().for_each(|n| {
                left.remove(n);
            });
        }
    }
}

/// One step of a random transaction. None: it has ended.
fn step(model: &mut Model, mut me: Running, random: &mut Random) -> Option<Running> {
    let key = random.below(KEYS);
    let tracked = me.tracked.clone();
    match random.below(10) {
        0..=3 => {
            match (&tracked, random.below(2)) {
                (Some(tracked), 0) => tracked.read_row(TABLE, RowId(key)),
                (Some(tracked), _) => {
                    let key = key as u8;
                    tracked.read_range((INDEX, TABLE), &[key], Some(&[key, 0]));
                }
                _ => {}
            }
            model.read(&mut me, key);
        }
        4 => {
            if let Some(tracked) = &tracked {
                tracked.read_relation(TABLE);
            }
            (0..KEYS).for_each(|key| model.read(&mut me, key));
        }
        5..=7 if !me.read_only => {
            let written = model.write(&mut me, key);
            let told = tracked.iter().all(|t| {
                t.write_row(TABLE, Some(RowId(key))).is_ok()
                    && t.write_key(INDEX, &[key as u8]).is_ok()
            });
            if !written || !told {
                model.abort(&me);
                return None;
            }
        }
        8 => {
            model.commit(me);
            return None;
        }
        9 if random.below(4) == 0 => {
            model.abort(&me);
            return None;
        }
        _ => {}
    }
    if me.tracked.as_ref().is_some_and(|tracked| tracked.check().is_err()) {
        model.abort(&me);
        return None;
    }
    Some(me)
}

fn history(seed: u64, limits: Limits, watched: bool) -> Model {
    let mut random = Random::new(seed);
    let server = Arc::new(Serializable::default());
    server.set_limits(limits);
    let mut model = Model::default();
    let mut running: Vec<Running> = Vec::new();
    for number in 1..400_usize {
        while running.len() < 4 {
            let read_only = random.below(5) == 0;
            let number = number * 10 + running.len();
            let xid = if read_only { 0 } else { number as u64 };
            let tracked = watched.then(|| begin(&server, xid, read_only)).flatten();
            let (snapshot, reads) = (model.commits, Vec::new());
            let writes = BTreeSet::new();
            running.push(Running { number, tracked, snapshot, read_only, reads, writes });
        }
        let me = running.swap_remove(random.below(running.len() as u64) as usize);
        running.extend(step(&mut model, me, &mut random));
    }
    for me in running {
        model.commit(me);
    }
    if watched {
        assert_eq!(server.kept(), (0, 0), "seed {seed}: nothing is kept when nobody runs");
    }
    model
}

#[test]
fn random_histories_are_serializable() {
    let base = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(1, |since| since.subsec_nanos().into());
    let small = Limits { per_relation: 2, per_page: 1, finished: 2, ..Limits::default() };
    let (mut committed, mut unwatched_anomalies) = (0, 0);
    for seed in base..base + 150 {
        for limits in [Limits::default(), small] {
            let model = history(seed, limits, true);
            assert!(model.is_serializable(), "seed {seed}, {limits:?}");
            committed += model.committed.len();
        }
        unwatched_anomalies +=
            usize::from(!history(seed, Limits::default(), false).is_serializable());
    }
    assert!(committed > 3000, "seed {base}: only {committed} transactions committed");
    assert!(unwatched_anomalies > 50, "seed {base}: the model finds what nobody prevents");
}
