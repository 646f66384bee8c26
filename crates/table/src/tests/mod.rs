//! Tables on the simulated disk, compared with models.

use crate::*;
use base::{Oid, SessionId, Xid};
use batch::{Batch, Column, Layout, Shape};
use buffer::{Pool, PoolConfig};
use disk::{Random, SimDisk};
use memory::{Account, Heap};
use std::rc::Rc;
use txn::{CommitOptions, Isolation, Options, Owner, Transaction, Transactions, View};
use wal::{Wal, WalConfig};

mod bulk;
mod concurrent;
mod crash;
mod joins;
mod long;
mod versions;

const CONFIG: WalConfig = WalConfig {
    segment_bytes: 1 << 22,
    buffer_bytes: 1 << 21,
    timeline: 1,
    spare_segments: 4,
    reserve_bytes: 1 << 20,
    archive: false,
};

/// A server's storage, small.
struct Server {
    disk: SimDisk,
    wal: Arc<Wal>,
    transactions: Arc<Transactions>,
    tables: Arc<Tables>,
}

impl Server {
    fn new(seed: u64, pool_bytes: u64) -> Server {
        let disk = SimDisk::new(seed);
        let wal = Wal::create(Arc::new(disk.clone()), CONFIG).unwrap();
        Server::over(disk, wal, pool_bytes, Options::default())
    }

    fn over(disk: SimDisk, wal: Arc<Wal>, pool_bytes: u64, options: Options) -> Server {
        let config = PoolConfig {
            open_files_max: 4,
            bytes: pool_bytes,
            account: None,
            huge_pages: false,
            managers: vec![RESOURCE_MANAGER],
        };
        let pool = Pool::new(wal.clone(), config).unwrap();
        let transactions = Transactions::new(pool, options);
        let tables = Tables::new(transactions.clone());
        Server { disk, wal, transactions, tables }
    }

    fn owner(&self, pid: u32) -> Arc<Owner> {
        self.transactions.register(SessionId(pid), Oid(5))
    }

    fn begin(&self, owner: &Arc<Owner>) -> Transaction {
        self.transactions.begin(owner, Isolation::ReadCommitted)
    }

    fn table(&self, page_bytes: usize, shapes: &[Shape]) -> Table {
        let owner = self.owner(9999);
        let txn = self.begin(&owner);
        let file = self.tables.create(&txn, page_bytes).unwrap().file();
        commit(&txn);
        Table::open(&self.tables, file, describe(shapes)).unwrap()
    }

    fn view(&self) -> View {
        let met = Arc::new(txn::Met::default());
        View::new(self.transactions.snapshot(), Xid(0), base::CommandId(0), met)
    }
}

fn describe(shapes: &[Shape]) -> Arc<TableDescription> {
    let columns = shapes.iter().enumerate().map(|(i, shape)| ColumnLayout {
        id: ColumnId(i as u32 + 1),
        layout: Layout { shape: *shape },
        missing: None,
    });
    Arc::new(TableDescription { columns: columns.collect(), ..TableDescription::default() })
}

fn commit(txn: &Transaction) {
    txn.commit(CommitOptions::default(), |_| {}).unwrap();
}

fn heap() -> Heap {
    Heap::new("test", Account::unlimited())
}

/// The values of a row, as stored bytes.
type Row = Vec<Option<Vec<u8>>>;

fn slices(row: &Row) -> Vec<Option<&[u8]>> {
    row.iter().map(Option::as_deref).collect()
}

fn batch_of(table: &Table, rows: &[Row]) -> Batch {
    let heap = heap();
    let columns = table.columns().iter().enumerate().map(|(i, layout)| {
        let mut column = Column::new(layout.layout, &heap);
        for row in rows {
            match &row[i] {
                Some(bytes) => column.push_stored(bytes).unwrap(),
                None => column.push_null().unwrap(),
            }
        }
        Rc::new(column)
    });
    Batch::new(columns.collect(), rows.len())
}

/// Everything that a view sees, by a scan.
fn scan_all(table: &Table, view: &View, filters: &[Filter], demand: usize) -> Vec<(RowId, Row)> {
    let columns: Vec<usize> = (0..table.columns().len()).collect();
    let mut scan = table.scan(&columns, filters, table.all_rows());
    let heap = heap();
    let mut all = Vec::new();
    while let Some(found) = scan.next_batch(view, &heap, demand).unwrap() {
        assert!(found.rows.len() <= demand);
        for row in found.batch.rows() {
            let values = columns.iter().map(|&i| {
                let column = found.batch.column(i);
                (!column.is_null(row)).then(|| {
                    let mut bytes = Vec::new();
                    column.stored(row, &mut bytes);
                    bytes
                })
            });
            all.push((found.rows[row], values.collect()));
        }
    }
    all
}

fn fetch(table: &Table, view: &View, row: RowId) -> Option<Row> {
    let columns: Vec<usize> = (0..table.columns().len()).collect();
    let mut out = RowBuffer::new();
    let found = table.fetch(view, row, &columns, &mut out).unwrap();
    found.then(|| (0..columns.len()).map(|i| out.get(i).map(<[u8]>::to_vec)).collect())
}

/// The number of seeds of a randomised test: `PERDURA_SEEDS`, or `default`.
fn seeds(default: u64) -> u64 {
    let given = std::env::var("PERDURA_SEEDS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The first seed of a randomised test: `PERDURA_SEED`, or 1.
fn first_seed() -> u64 {
    std::env::var("PERDURA_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A random text: mostly short, sometimes compressible, sometimes long.
fn random_text(random: &mut Random) -> Vec<u8> {
    let len = match random.below(40) {
        0 => random.below(70_000),
        1..5 => random.below(3000),
        _ => random.below(30),
    };
    let hard = random.one_in(2);
    (0..len)
        .map(|i| b'a' + if hard { random.below(26) as u8 } else { (i / 100 % 26) as u8 })
        .collect()
}

#[test]
fn a_batch_comes_back_and_is_rolled_back() {
    let server = Server::new(1, 8 << 20);
    let table = server.table(32768, &[Shape::Int4, Shape::Text]);
    let owner = server.owner(1);
    let rows: Vec<Row> = (0..5000i32)
        .map(|i| {
            vec![Some(i.to_le_bytes().to_vec()), (i % 7 > 0).then(|| vec![b'x'; i as usize % 50])]
        })
        .collect();
    let txn = server.begin(&owner);
    let first = table.insert(&txn, &batch_of(&table, &rows)).unwrap();
    assert_eq!(first, FIRST_ROW);
    assert!(scan_all(&table, &txn.view(), &[], 1024).is_empty(), "a command sees not its own rows");
    txn.next_command().unwrap();
    let mine = scan_all(&table, &txn.view(), &[], 1000);
    assert_eq!(mine.len(), rows.len());
    for (i, (row, values)) in mine.iter().enumerate() {
        assert_eq!((row.0, values), (first.0 + i as u64, &rows[i]));
    }
    assert!(scan_all(&table, &server.view(), &[], 1024).is_empty());
    commit(&txn);
    assert_eq!(scan_all(&table, &server.view(), &[], 1024), mine);
    let less = Filter { column: 0, comparison: Comparison::Less, value: 100 };
    assert_eq!(scan_all(&table, &server.view(), &[less], 64).len(), 100);
    let txn = server.begin(&owner);
    table.insert(&txn, &batch_of(&table, &rows)).unwrap();
    txn.rollback().unwrap();
    assert_eq!(scan_all(&table, &server.view(), &[], 1024), mine);
    let (estimate, _) = table.estimate().unwrap();
    assert!((2500.0..10_000.0).contains(&estimate), "estimated {estimate} of 5,000 rows");
}

/// Storage rule 7.
#[test]
fn rows_before_a_column_was_added_read_its_missing_value() {
    let server = Server::new(2, 8 << 20);
    let table = server.table(8192, &[Shape::Int4]);
    let owner = server.owner(1);
    let txn = server.begin(&owner);
    let rows: Vec<Row> = (0..600i32).map(|i| vec![Some(i.to_le_bytes().to_vec())]).collect();
    table.insert(&txn, &batch_of(&table, &rows)).unwrap();
    commit(&txn);
    let mut wider = (**table.description()).clone();
    wider.columns.push(ColumnLayout {
        id: ColumnId(2),
        layout: Layout { shape: Shape::Text },
        missing: Some(b"before"[..].into()),
    });
    let wide = table.with_description(Arc::new(wider));
    let missing = Some(b"before".to_vec());
    assert!(scan_all(&wide, &server.view(), &[], 100).iter().all(|(_, row)| row[1] == missing));
    let old = server.view();
    let txn = server.begin(&owner);
    let changed: [(usize, Option<&[u8]>); 1] = [(1, Some(b"after"))];
    let outcome = wide.update(&txn, Basis::Seen(&txn.view()), RowId(300), &changed, false);
    assert_eq!(outcome.unwrap(), Outcome::Done);
    txn.next_command().unwrap();
    assert_eq!(fetch(&wide, &txn.view(), RowId(300)).unwrap()[1], Some(b"after".to_vec()));
    assert_eq!(fetch(&wide, &txn.view(), RowId(301)).unwrap()[1], missing);
    assert_eq!(fetch(&wide, &old, RowId(300)).unwrap()[1], missing);
    txn.rollback().unwrap();
    // Another column takes the place in the description, not the id: it reads its own missing value.
    let mut other = (**table.description()).clone();
    other.columns.push(ColumnLayout {
        id: ColumnId(3),
        layout: Layout { shape: Shape::Text },
        missing: None,
    });
    let other = table.with_description(Arc::new(other));
    assert!(scan_all(&other, &server.view(), &[], 100).iter().all(|(_, row)| row[1].is_none()));
}

/// Storage rule 9.
#[test]
fn deleted_rows_are_purged_and_leaves_merge() {
    let server = Server::new(3, 8 << 20);
    let table = server.table(8192, &[Shape::Int8, Shape::Text]);
    let owner = server.owner(1);
    let txn = server.begin(&owner);
    let text = |i: u64| vec![b'a' + (i % 26) as u8; 20];
    let rows: Vec<Row> =
        (0..3000u64).map(|i| vec![Some(i.to_le_bytes().to_vec()), Some(text(i))]).collect();
    table.insert(&txn, &batch_of(&table, &rows)).unwrap();
    commit(&txn);
    let before = table.tree().pages().unwrap();
    let txn = server.begin(&owner);
    let view = txn.view();
    for row in 1..=3000u64 {
        if row % 20 != 0 {
            assert_eq!(table.delete(&txn, Basis::Seen(&view), RowId(row)).unwrap(), Outcome::Done);
        }
    }
    drop(view);
    commit(&txn);
    for _ in 0..40 {
        assert_eq!(scan_all(&table, &server.view(), &[], 1024).len(), 150);
        server.transactions.housekeeping(1000);
        server.tables.purge(100).unwrap();
    }
    let after = table.tree().pages().unwrap();
    assert!(after.1 > before.0 / 2, "of {} pages {} are free", before.0, after.1);
    let left: Vec<u64> =
        scan_all(&table, &server.view(), &[], 1024).iter().map(|(row, _)| row.0).collect();
    assert_eq!(left, (1..=150).map(|i| i * 20).collect::<Vec<_>>());
}
