//! Trees on the simulated disk, compared with a model.

use crate::*;
use base::{Oid, RowId, SessionId, Xid};
use buffer::{Pool, PoolConfig};
use disk::{Random, SimDisk};
use std::collections::BTreeMap;
use std::sync::Arc;
use txn::{CommitOptions, Isolation, Options, Owner, Transaction, Transactions};
use wal::{Wal, WalConfig};

mod concurrent;
mod crash;
mod sequential;

/// A server's storage, small.
struct Server {
    transactions: Arc<Transactions>,
}

impl Server {
    fn new(seed: u64, frames: u64) -> Server {
        let config =
            WalConfig { segment_bytes: 1 << 22, buffer_bytes: 1 << 19, ..WalConfig::default() };
        let wal = Wal::create(Arc::new(SimDisk::new(seed)), config).unwrap();
        let config = PoolConfig {
            open_files_max: 4,
            bytes: frames * 8192,
            account: None,
            huge_pages: false,
            managers: vec![MANAGER],
        };
        let pool = Pool::new(wal, config).unwrap();
        let transactions = Transactions::new(pool, Options::default());
        register(&transactions);
        Server { transactions }
    }

    fn owner(&self, pid: u32) -> Arc<Owner> {
        self.transactions.register(SessionId(pid), Oid(5))
    }

    fn begin(&self, owner: &Arc<Owner>) -> Transaction {
        self.transactions.begin(owner, Isolation::ReadCommitted)
    }

    fn index(&self) -> Arc<Index> {
        let owner = self.owner(9999);
        let txn = self.begin(&owner);
        let file = txn.create_file(8192).unwrap();
        let index = Index::create(&self.transactions, file, "i").unwrap();
        commit(&txn);
        Arc::new(index)
    }
}

fn commit(txn: &Transaction) {
    txn.commit(CommitOptions::default(), |_| {}).unwrap();
}

type Key = (Vec<u8>, u64);
/// Stamp, dead, payload.
type Value = (Xid, bool, Vec<u8>);
type Model = BTreeMap<Key, Value>;

/// The whole tree is whole, and has just what the model has.
fn check(index: &Arc<Index>, model: &Model, seed: u64) {
    let mut found = Model::new();
    let checked = index
        .check(|key, row, stamp, dead, payload| {
            found.insert((key.to_vec(), row.0), (stamp, dead, payload.to_vec()));
        })
        .unwrap();
    assert_eq!(checked.problems, Vec::<String>::new(), "seed {seed}");
    assert_eq!(checked.entries as usize, found.len(), "seed {seed}");
    for (key, value) in model {
        assert_eq!(found.get(key), Some(value), "seed {seed}, {key:?}");
    }
    assert_eq!(found.len(), model.len(), "seed {seed}");
}

/// The number of seeds of a randomised test: `PERDURA_SEEDS`, or `default`.
fn seeds(default: u64) -> u64 {
    let given = std::env::var("PERDURA_SEEDS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What a cursor gives.
fn read(index: &Arc<Index>, range: Range, direction: Direction) -> Vec<(Key, Value)> {
    let mut cursor = Cursor::new(index.clone(), range, direction);
    let mut all = Vec::new();
    while let Some(entry) = cursor.next().unwrap() {
        let value = (entry.stamp, entry.dead, entry.payload.to_vec());
        all.push(((entry.key.to_vec(), entry.row.0), value));
    }
    all
}

fn random_key(random: &mut Random, kind: u64) -> Vec<u8> {
    match kind {
        // Few different keys: long runs of duplicates.
        0 => format!("dup{}", random.below(5)).into_bytes(),
        // Numbers, as int8 keys are.
        1 => (random.below(5000)).to_be_bytes().to_vec(),
        // Long common prefixes, prefixes of each other, bytes at both ends of the order.
        2 => {
            let mut key = b"a long prefix that all of these keys have in common ".repeat(3);
            for _ in 0..random.below(6) {
                key.push([0, 1, 0x7f, 0xff][random.below(4) as usize]);
            }
            key
        }
        // Large and small.
        _ => {
            let mut key = vec![b'k'; if random.one_in(8) { 2600 } else { 10 }];
            key.extend_from_slice(&random.below(300).to_be_bytes());
            key
        }
    }
}
