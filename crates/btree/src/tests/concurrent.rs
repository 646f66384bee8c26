//! Threads on a pool of sixteen frames.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Writers with rows of their own insert, mark dead, roll back and purge at once, while readers go
/// both ways and the file is cut wherever it ends in free pages; in the end the tree has what all the models have.
fn run(seed: u64, kind: u64) {
    let server = Arc::new(Server::new(seed, 24));
    let index = server.index();
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = [Direction::Forward, Direction::Backward]
        .into_iter()
        .map(|direction| {
            let (index, stop) = (index.clone(), stop.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let found = read(&index, Range::all(), direction);
                    let keys: Vec<_> = found.iter().map(|(key, _)| key.clone()).collect();
                    let ordered = match direction {
                        Direction::Forward => keys.is_sorted_by(|a, b| a < b),
                        Direction::Backward => keys.is_sorted_by(|a, b| a > b),
                    };
                    assert!(ordered, "a cursor goes one way, seed {seed}");
                }
            })
        })
        .collect();
    let tidier = {
        let (server, index, stop) = (server.clone(), index.clone(), stop.clone());
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                purge(&server.transactions, 100).unwrap();
                index.shrink(1).unwrap();
            }
        })
    };
    let writers: Vec<_> = (0..4)
        .map(|n| {
            let (server, index) = (server.clone(), index.clone());
            thread::spawn(move || writer(&server, &index, seed * 10 + n, kind, n))
        })
        .collect();
    let mut model = Model::new();
    for writer in writers {
        model.extend(writer.join().unwrap());
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers.into_iter().chain([tidier]) {
        reader.join().unwrap();
    }
    let found: BTreeMap<_, _> =
        read(&index, Range::all(), Direction::Forward).into_iter().collect();
    model.retain(|key, value| !value.1 || found.contains_key(key));
    check(&index, &model, seed);
}

fn writer(server: &Server, index: &Arc<Index>, seed: u64, kind: u64, n: u64) -> Model {
    let owner = server.owner(n as u32 + 1);
    let mut random = Random::new(seed);
    let mut model = Model::new();
    let mut row = n * 1_000_000;
    for _ in 0..30 {
        let txn = server.begin(&owner);
        let before = model.clone();
        for _ in 0..25 {
            let xid = txn.xid_or_draw().unwrap();
            if random.one_in(3) && !model.is_empty() {
                let at = random.below(model.len() as u64) as usize;
                let (key, row) = model.keys().nth(at).cloned().unwrap();
                if index.mark_dead(&txn, &key, RowId(row)).unwrap() {
                    let value = model.get_mut(&(key, row)).unwrap();
                    (value.0, value.1) = (xid, true);
                } else {
                    assert!(model.remove(&(key, row)).unwrap().1, "seed {seed}");
                }
            } else {
                let key = random_key(&mut random, kind);
                index.insert(&txn, &key, RowId(row), b"pay").unwrap();
                model.insert((key, row), (xid, false, b"pay".to_vec()));
                row += 1;
            }
        }
        if random.one_in(4) {
            txn.rollback().unwrap();
            model = before;
        } else {
            commit(&txn);
        }
        for (key, row) in model
            .iter()
            .filter(|(_, value)| value.1)
            .map(|(key, _)| key.clone())
            .collect::<Vec<_>>()
        {
            index.purge(&key, RowId(row)).unwrap();
        }
    }
    model
}

/// Storage rule 5.
#[test]
fn writers_and_readers_on_few_frames_keep_the_tree_whole() {
    for seed in 0..seeds(4) {
        run(seed, seed % 4);
    }
}

/// Storage rule 19.
#[test]
fn of_many_who_insert_one_key_exactly_one_succeeds() {
    let server = Arc::new(Server::new(7, 32));
    let index = server.index();
    let threads: Vec<_> = (0..6_u32)
        .map(|n| {
            let (server, index) = (server.clone(), index.clone());
            thread::spawn(move || {
                let owner = server.owner(n + 1);
                let mut won = Vec::new();
                for key in 0..60_u64 {
                    let txn = server.begin(&owner);
                    let row = RowId(u64::from(n) * 1000 + key);
                    let placed =
                        index.insert_unique(&txn, &key.to_be_bytes(), row, b"", "i").unwrap();
                    // Some winners change their mind: the next who waits may have the key.
                    if placed == Placed::Inserted && (key + u64::from(n)) % 3 != 0 {
                        commit(&txn);
                        won.push(key);
                    } else {
                        txn.rollback().unwrap();
                    }
                }
                won
            })
        })
        .collect();
    let mut won: Vec<u64> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    won.sort_unstable();
    assert!(won.windows(2).all(|pair| pair[0] < pair[1]), "no key twice: {won:?}");
    let found = read(&index, Range::all(), Direction::Forward);
    assert_eq!(found.len(), won.len());
    assert!(won.len() > 40);
}
