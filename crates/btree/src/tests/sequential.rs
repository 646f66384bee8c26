//! One session at a time.

use super::*;
use crate::tree::Target;

/// Random inserts, dead marks, purges, savepoints and rollbacks agree with a model.
fn run(seed: u64, kind: u64, steps: u64) {
    let server = Server::new(seed, 64);
    let index = server.index();
    let owner = server.owner(1);
    let mut random = Random::new(seed);
    let mut model = Model::new();
    let mut next_row = 1;
    for _ in 0..steps / 20 {
        let txn = server.begin(&owner);
        let before = model.clone();
        let mut savepoint = None;
        for _ in 0..20 {
            change(&index, &txn, &mut random, kind, &mut model, &mut next_row);
            if random.one_in(12) {
                savepoint = Some((txn.savepoint(), model.clone()));
            }
            if let (true, Some((mark, then))) = (random.one_in(14), &savepoint) {
                txn.rollback_to(*mark).unwrap();
                model = then.clone();
            }
        }
        if random.one_in(4) {
            txn.rollback().unwrap();
            model = before;
        } else {
            commit(&txn);
        }
        if random.one_in(3) {
            purge(&index, &mut random, &mut model);
        }
        if random.one_in(20) {
            check(&index, &without_purged(&index, &mut model), seed);
        }
        if random.one_in(10) {
            ranges(&index, &mut random, kind, &mut model, seed);
        }
    }
    check(&index, &without_purged(&index, &mut model), seed);
}

fn change(
    index: &Arc<Index>,
    txn: &Transaction,
    random: &mut Random,
    kind: u64,
    model: &mut Model,
    next_row: &mut u64,
) {
    let xid = txn.xid_or_draw().unwrap();
    let pick = |random: &mut Random, model: &Model| {
        let at = random.below(model.len().max(1) as u64) as usize;
        model.keys().nth(at).cloned()
    };
    match random.below(10) {
        0..6 => {
            let key = random_key(random, kind);
            let payload = vec![b'p'; random.below(20) as usize];
            index.insert(txn, &key, RowId(*next_row), &payload).unwrap();
            model.insert((key, *next_row), (xid, false, payload));
            *next_row += 1;
        }
        6..8 => {
            let Some((key, row)) = pick(random, model) else { return };
            let there = index.mark_dead(txn, &key, RowId(row)).unwrap();
            // A settled dead entry may have gone when room was made for another.
            if there {
                let value = model.get_mut(&(key, row)).unwrap();
                (value.0, value.1) = (xid, true);
            } else {
                assert!(model.remove(&(key, row)).unwrap().1);
            }
        }
        _ => {
            let Some((key, row)) = pick(random, model) else { return };
            let payload = vec![b'q'; random.below(30) as usize];
            index.insert(txn, &key, RowId(row), &payload).unwrap();
            model.insert((key, row), (xid, false, payload));
        }
    }
}

fn purge(index: &Arc<Index>, random: &mut Random, model: &mut Model) {
    let dead: Vec<Key> = model.iter().filter(|(_, v)| v.1).map(|(k, _)| k.clone()).collect();
    for (key, row) in dead {
        if random.one_in(3) {
            continue;
        }
        assert!(index.purge(&key, RowId(row)).unwrap(), "nobody holds it back");
    }
}

/// The model without the dead entries that the tree has purged.
fn without_purged(index: &Arc<Index>, model: &mut Model) -> Model {
    let found = read(index, Range::all(), Direction::Forward);
    let found: BTreeMap<_, _> = found.into_iter().collect();
    model.retain(|key, value| !value.1 || found.contains_key(key));
    model.clone()
}

fn ranges(index: &Arc<Index>, random: &mut Random, kind: u64, model: &mut Model, seed: u64) {
    let model = without_purged(index, model);
    for _ in 0..10 {
        let (a, b) = (random_key(random, kind), random_key(random, kind));
        let range = match random.below(6) {
            0 => Range::all(),
            1 => Range::key(&a),
            2 => Range::prefix(&a[..random.below(a.len() as u64 + 1) as usize]),
            3 => Range::all().from_key(&a).before_key(&b),
            4 => Range::all().after_key(&a).through_key(&b),
            _ => Range::all().from_key(&a),
        };
        let inside = |key: &Key| {
            let key = Bound { key: &key.0, row: RowId(key.1) };
            range.lower_for_tests().is_none_or(|lower| key >= lower)
                && range.upper_for_tests().is_none_or(|upper| key < upper)
        };
        let expected =
            model.iter().filter(|(key, _)| inside(key)).map(|(k, v)| (k.clone(), v.clone()));
        let mut expected: Vec<_> = expected.collect();
        let found = read(index, range.clone(), Direction::Forward);
        assert!(found == expected, "seed {seed}, forward {range:?}");
        expected.reverse();
        let found = read(index, range.clone(), Direction::Backward);
        assert!(found == expected, "seed {seed}, backward {range:?}");
    }
}

#[test]
fn random_changes_agree_with_a_model() {
    for seed in 0..seeds(12) {
        run(seed, seed % 4, 1500);
    }
}

#[test]
fn ascending_inserts_fill_pages_and_everything_purged_frees_them() {
    let server = Server::new(1, 64);
    let index = server.index();
    let owner = server.owner(1);
    let txn = server.begin(&owner);
    for n in 0..20_000_u64 {
        index.insert(&txn, &n.to_be_bytes(), RowId(n), b"").unwrap();
    }
    commit(&txn);
    let meta = index.meta().unwrap();
    // 33 bytes an entry, less the prefix: some 270 on a page.
    assert!(meta.page_count < 95, "{} pages for 20,000 entries", meta.page_count);
    let txn = server.begin(&owner);
    for n in 0..20_000_u64 {
        assert!(index.mark_dead(&txn, &n.to_be_bytes(), RowId(n)).unwrap());
    }
    let queue = server.transactions.dead_entries();
    let waiting = queue.len();
    assert!(waiting > 50, "{waiting} leaves for 20,000 dead entries");
    assert_eq!(crate::purge(&server.transactions, 10).unwrap(), 10);
    assert_eq!(queue.len(), waiting, "not settled while its transaction runs");
    commit(&txn);
    while crate::purge(&server.transactions, 100).unwrap() > 0 {}
    assert!(queue.is_empty());
    let checked = index.check(|_, _, _, _, _| {}).unwrap();
    assert_eq!((checked.entries, &checked.problems[..]), (0, &[][..]));
    let meta = index.meta().unwrap();
    assert!(meta.free_count + 4 > meta.page_count - checked.pages, "freed pages are on the list");
    assert!(checked.pages < 10, "{} pages for nothing", checked.pages);
}

#[test]
fn a_tall_tree_shrinks_on_all_levels() {
    for seed in 0..3 {
        let mut random = Random::new(seed);
        let server = Server::new(seed, 256);
        let (index, owner) = (server.index(), server.owner(1));
        let mut keys: Vec<(Vec<u8>, RowId)> = (0..30_000)
            .map(|n| ([&random.next_u64().to_be_bytes()[..], &[b'k'; 60]].concat(), RowId(n)))
            .collect();
        let txn = server.begin(&owner);
        for (key, row) in &keys {
            index.insert(&txn, key, *row, b"").unwrap();
        }
        commit(&txn);
        let before = index.check(|_, _, _, _, _| {}).unwrap();
        assert!(index.meta().unwrap().height >= 2, "seed {seed}");
        // The order of the keys, or none; a few stay.
        if seed == 1 {
            keys.sort();
        }
        while keys.len() > 30 {
            let part = keys.split_off(keys.len().saturating_sub(9000).max(30));
            let txn = server.begin(&owner);
            for (key, row) in part {
                assert!(index.mark_dead(&txn, &key, row).unwrap());
            }
            commit(&txn);
            while crate::purge(&server.transactions, 100).unwrap() > 0 {}
            let checked = index.check(|_, _, _, _, _| {}).unwrap();
            assert_eq!(checked.problems, Vec::<String>::new(), "seed {seed}");
            assert_eq!((checked.entries, checked.dead), (keys.len() as u64, 0), "seed {seed}");
        }
        let checked = index.check(|_, _, _, _, _| {}).unwrap();
        let (before, after) = (before.pages, checked.pages);
        assert!(after < 20, "seed {seed}: {after} of {before} pages for 30 entries");
    }
}

/// Storage rule 18.
#[test]
fn a_snapshot_holds_dead_entries_back() {
    let server = Server::new(1, 64);
    let (index, owner) = (server.index(), server.owner(1));
    let txn = server.begin(&owner);
    index.insert(&txn, b"k", RowId(1), b"").unwrap();
    commit(&txn);
    let snapshot = server.transactions.snapshot();
    let txn = server.begin(&owner);
    index.mark_dead(&txn, b"k", RowId(1)).unwrap();
    commit(&txn);
    assert!(!index.purge(b"k", RowId(1)).unwrap());
    assert_eq!(read(&index, Range::all(), Direction::Forward).len(), 1);
    drop(snapshot);
    assert!(index.purge(b"k", RowId(1)).unwrap());
    assert_eq!(read(&index, Range::all(), Direction::Forward).len(), 0);
}

/// Storage rule 18.
#[test]
fn a_to_b_to_a_with_purges_between_keeps_the_live_entry() {
    let server = Server::new(1, 64);
    let (index, owner) = (server.index(), server.owner(1));
    let step = |dead: Option<&[u8]>, live: &[u8]| {
        let txn = server.begin(&owner);
        if let Some(dead) = dead {
            assert!(index.mark_dead(&txn, dead, RowId(1)).unwrap());
        }
        assert_eq!(index.insert_unique(&txn, live, RowId(1), b"", "i").unwrap(), Placed::Inserted);
        commit(&txn);
        for key in [b"A", b"B"] {
            index.purge(key, RowId(1)).unwrap();
        }
    };
    step(None, b"A");
    let old = server.transactions.snapshot();
    step(Some(b"A"), b"B");
    step(Some(b"B"), b"A");
    let live = |index: &Arc<Index>| -> Vec<Vec<u8>> {
        let all = read(index, Range::all(), Direction::Forward);
        all.into_iter().filter(|(_, v)| !v.1).map(|(k, _)| k.0).collect()
    };
    assert_eq!(live(&index), [b"A".to_vec()]);
    drop(old);
    for key in [b"A", b"B"] {
        index.purge(key, RowId(1)).unwrap();
    }
    assert_eq!(live(&index), [b"A".to_vec()]);
    assert_eq!(read(&index, Range::all(), Direction::Forward).len(), 1);
}

#[test]
fn a_unique_insert_sees_own_and_committed_rows_and_ignores_dead_ones() {
    let server = Server::new(1, 64);
    let (index, owner) = (server.index(), server.owner(1));
    let txn = server.begin(&owner);
    assert_eq!(index.insert_unique(&txn, b"k", RowId(1), b"", "i").unwrap(), Placed::Inserted);
    let conflict = Placed::Conflict { row: RowId(1), stamp: txn.xid() };
    assert_eq!(index.insert_unique(&txn, b"k", RowId(2), b"", "i").unwrap(), conflict);
    commit(&txn);
    let txn = server.begin(&owner);
    assert_eq!(index.insert_unique(&txn, b"k", RowId(2), b"", "i").unwrap(), conflict);
    assert!(index.mark_dead(&txn, b"k", RowId(1)).unwrap());
    assert_eq!(index.insert_unique(&txn, b"k", RowId(2), b"", "i").unwrap(), Placed::Inserted);
    txn.rollback().unwrap();
    let txn = server.begin(&owner);
    assert_eq!(index.insert_unique(&txn, b"k", RowId(2), b"", "i").unwrap(), conflict);
    assert_eq!(index.insert_unique(&txn, b"kk", RowId(2), b"", "i").unwrap(), Placed::Inserted);
    commit(&txn);
}

#[test]
fn who_gives_up_waiting_for_a_key_is_told_what_it_was_inserting() {
    let server = Server::new(1, 64);
    let (index, first, second) = (server.index(), server.owner(1), server.owner(2));
    let txn = server.begin(&first);
    assert_eq!(index.insert_unique(&txn, b"k", RowId(1), b"", "i").unwrap(), Placed::Inserted);
    second.set_lock_timeout_ms(10);
    let context = |error: base::Error| {
        assert_eq!(error.sqlstate().as_str(), "55P03");
        error.fields().context.clone().unwrap_or_default()
    };
    let other = server.begin(&second);
    let refused = index.insert_unique(&other, b"k", RowId(0x1_0002), b"", "i_pkey").unwrap_err();
    let text = "while inserting index tuple (1,2) in relation \"i_pkey\"";
    assert_eq!(context(refused), text);
    let refused = index.find_conflict(&other, b"k", Some(RowId(0x1_0002)), "i_pkey").unwrap_err();
    assert_eq!(context(refused), text);
    let refused = index.find_conflict(&other, b"k", None, "i").unwrap_err();
    assert_eq!(context(refused), "while inserting index tuple (0,1) in relation \"i\"");
    other.rollback().unwrap();
    txn.rollback().unwrap();
}

#[test]
fn a_bulk_build_is_the_same_as_inserts() {
    for seed in 0..8 {
        let server = Server::new(seed, 64);
        let index = server.index();
        let mut random = Random::new(seed);
        let mut model = Model::new();
        for row in 0..[0, 1, 3000, 9000][(seed % 4) as usize] {
            let kind = if seed < 4 { seed % 4 } else { random.below(4) };
            let payload = vec![b'x'; random.below(10) as usize];
            model.insert((random_key(&mut random, kind), row), (Xid(2), false, payload));
        }
        let mut build = index.bulk_build();
        for ((key, row), (stamp, _, payload)) in &model {
            let entry = BuildEntry { key, row: RowId(*row), stamp: *stamp, dead: false, payload };
            build.add(entry).unwrap();
        }
        assert_eq!(build.finish().unwrap(), model.len() as u64);
        check(&index, &model, seed);
        let owner = server.owner(1);
        let txn = server.begin(&owner);
        for row in 10_000..10_500 {
            let key = random_key(&mut random, seed % 4);
            index.insert(&txn, &key, RowId(row), b"").unwrap();
            model.insert((key, row), (txn.xid(), false, Vec::new()));
        }
        commit(&txn);
        check(&index, &model, seed);
    }
}

#[test]
fn a_build_out_of_order_and_too_large_entries_are_refused() {
    let server = Server::new(1, 64);
    let (index, owner) = (server.index(), server.owner(1));
    let mut build = index.bulk_build();
    let entry = BuildEntry { key: b"b", row: RowId(1), stamp: Xid(2), dead: false, payload: b"" };
    build.add(entry).unwrap();
    assert!(build.add(entry).is_err());
    let txn = server.begin(&owner);
    let error = index.insert(&txn, &vec![0; 2700], RowId(1), b"").unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "54000");
    let expected = "index row size 2700 exceeds btree version 4 maximum 2686 for index \"i\"";
    assert_eq!(error.message(), expected);
    txn.rollback().unwrap();
}

#[test]
fn the_largest_entries_fit_in_any_order() {
    for seed in 0..4 {
        let server = Server::new(seed, 64);
        let (index, owner) = (server.index(), server.owner(1));
        let max = index.entry_bytes_max();
        let mut random = Random::new(seed);
        let mut model = Model::new();
        let txn = server.begin(&owner);
        for row in 0..60 {
            let mut key = vec![random.below(2) as u8; max];
            key[max - 1 - random.below(3) as usize] = random.below(200) as u8;
            index.insert(&txn, &key, RowId(row), b"").unwrap();
            model.insert((key, row), (txn.xid(), false, Vec::new()));
        }
        commit(&txn);
        check(&index, &model, seed);
    }
}

/// Storage rule 5.
#[test]
fn an_old_root_still_leads_everywhere() {
    let server = Server::new(1, 64);
    let (index, owner) = (server.index(), server.owner(1));
    let other = Index::open(&server.transactions, index.file().clone(), "i").unwrap();
    let txn = server.begin(&owner);
    for n in 0..5000_u64 {
        index.insert(&txn, &n.to_be_bytes(), RowId(n), b"").unwrap();
    }
    commit(&txn);
    let _descent = other.pool.descend();
    let at = Bound { key: &4999_u64.to_be_bytes(), row: RowId(4999) };
    let pin = other.descend(Target::At(at), 0, None).unwrap();
    let page = pin.read();
    assert!(crate::page::Page::expect(&page).unwrap().search(at).unwrap().1);
}

#[test]
fn a_tree_gets_lower_as_it_gets_smaller_and_taller_again() {
    const KEYS: u64 = 2400;
    let server = Server::new(31, 256);
    let index = server.index();
    let owner = server.owner(1);
    // What divides two of them is long mostly, and they begin in many ways.
    let key = |n: u64| [&(n / 4).to_be_bytes()[..], &[b'x'; 1000], &n.to_be_bytes()].concat();
    // From the left, from the right, from both ends.
    for kept in [[KEYS - 2, KEYS - 1], [0, 1], [KEYS / 2, KEYS / 2 + 1]] {
        let txn = server.begin(&owner);
        for n in 0..KEYS {
            index.insert(&txn, &key(n), RowId(n), b"").unwrap();
        }
        commit(&txn);
        let tall = index.meta().unwrap();
        assert!(tall.height >= 2, "{tall:?}");
        let txn = server.begin(&owner);
        for n in (0..KEYS).filter(|n| !kept.contains(n)) {
            assert!(index.mark_dead(&txn, &key(n), RowId(n)).unwrap());
        }
        commit(&txn);
        while crate::purge(&server.transactions, 100).unwrap() > 0 {}
        let mut found = Vec::new();
        let checked = index.check(|_, row, _, _, _| found.push(row.0)).unwrap();
        assert_eq!((checked.problems, checked.lost, &found[..]), (vec![], 0, &kept[..]));
        let low = index.meta().unwrap();
        assert!(low.height < tall.height, "{low:?} after {tall:?}");
        index.shrink(1).unwrap();
        assert!(index.meta().unwrap().page_count < tall.page_count / 4);
        let txn = server.begin(&owner);
        for n in kept {
            assert!(index.mark_dead(&txn, &key(n), RowId(n)).unwrap());
        }
        commit(&txn);
    }
}
