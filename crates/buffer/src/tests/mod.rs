//! The pool on the simulated disk.

use super::*;
use base::{FileId, Lsn, PageNo, Result, Xid};
use disk::SimDisk;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use wal::{Wal, WalConfig, rm};

mod dropped;

/// A manager whose delta is (offset u16, byte) triples.
fn apply(_op: u8, _block: usize, page: &mut [u8], delta: &[u8], _data: &[u8]) -> Result<()> {
    if page::kind(page) == page::kind::NONE {
        page::set_kind(page, page::kind::INDEX_LEAF, 1);
    }
    for change in delta.chunks_exact(3) {
        page[usize::from(u16::from_le_bytes([change[0], change[1]]))] = change[2];
    }
    Ok(())
}

const MANAGER: ResourceManager = ResourceManager {
    id: rm::BTREE,
    name: "test",
    apply,
    describe: |op, _, _| format!("operation {op}"),
};

fn wal_config() -> WalConfig {
    WalConfig { segment_bytes: 1 << 20, buffer_bytes: 1 << 19, ..WalConfig::default() }
}

fn pool_on(wal: Arc<Wal>, frames: u64) -> Arc<Pool> {
    Pool::new(
        wal,
        PoolConfig {
            open_files_max: 4,
            bytes: frames * 8192,
            account: None,
            huge_pages: false,
            managers: vec![MANAGER],
        },
    )
    .unwrap()
}

/// A tree of one meta page and one page.
fn new_tree(pool: &Pool, id: u64) -> Arc<TreeFile> {
    let (file, _, _) = pool.files().create(FileId(id), 8192, Xid(7), Lsn(0)).unwrap();
    let file = file.unwrap();
    {
        let pin = |page| pool.pin(&file, PageNo(page)).unwrap();
        let (meta, root) = (pin(0), pin(1));
        let mut change = pool.change(rm::BTREE, 1, &[8192, 8192], 64).unwrap();
        let (root, meta) = (root.write(), meta.write());
        change.init(&root, &[]);
        let state = MetaState { root: PageNo(1), page_count: 2, ..MetaState::default() };
        change.init_meta(&meta, state, &[]);
        change.commit().unwrap();
    }
    file
}

fn put(pool: &Pool, file: &Arc<TreeFile>, page: u64, at: u16, value: u8) -> Result<Lsn> {
    let pin = pool.pin(file, PageNo(page))?;
    let mut change = pool.change(rm::BTREE, 2, &[8192], 64)?;
    let page = pin.write();
    let [low, high] = at.to_le_bytes();
    change.block(&page, &[low, high, value]);
    change.commit()
}

fn get(pool: &Pool, file: &Arc<TreeFile>, page: u64, at: u16) -> Result<u8> {
    Ok(pool.pin(file, PageNo(page))?.read()[usize::from(at)])
}

fn grow(pool: &Pool, file: &Arc<TreeFile>) -> Result<u64> {
    loop {
        let reservation = pool.reserve_pages(file, 1)?;
        let meta = pool.pin(file, PageNo(0))?;
        let mut change = pool.change(rm::BTREE, 3, &[8192, 8192], 64)?;
        let page = reservation.pages()[0].write();
        let meta = meta.write();
        if !change.allocate(&meta, &reservation)? {
            continue;
        }
        change.init(&page, &[]);
        change.commit()?;
        return Ok(reservation.pages()[0].page().0);
    }
}

/// Storage rules 4 and 6.
#[test]
fn pages_come_back_after_eviction_from_sixteen_frames() {
    let disk = SimDisk::new(1);
    let wal = Wal::create(Arc::new(disk), wal_config()).unwrap();
    let pool = pool_on(wal, 16);
    let file = new_tree(&pool, 1);
    for n in 2..200 {
        assert_eq!(grow(&pool, &file).unwrap(), n);
        put(&pool, &file, n, 100, n as u8).unwrap();
    }
    for n in 2..200 {
        assert_eq!(get(&pool, &file, n, 100).unwrap(), n as u8);
    }
    assert!(pool.stats().evictions > 180);
    assert!(pool.stats().resident_bytes <= 16 * 8192);
}

#[test]
fn a_guess_finds_the_page_or_nothing_while_pages_come_and_go() {
    const PAGES: u64 = 64;
    let disk = SimDisk::new(2);
    let wal = Wal::create(Arc::new(disk), wal_config()).unwrap();
    let pool = pool_on(wal, 24);
    let file = new_tree(&pool, 1);
    for n in 2..PAGES {
        assert_eq!(grow(&pool, &file).unwrap(), n);
        put(&pool, &file, n, 100, n as u8).unwrap();
    }
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (pool, file) = (&pool, &file);
            scope.spawn(move || {
                let mut state = 0x9E37_79B9_7F4A_7C15u64.wrapping_mul(thread + 1);
                for round in 0..20_000u64 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    // Half of the looks are at few pages, so that guesses are right, too.
                    let range = if round % 2 == 0 { 6 } else { PAGES - 2 };
                    let n = 2 + (state >> 33) % range;
                    let pin = pool.pin(file, PageNo(n)).unwrap();
                    let page = pin.read();
                    assert_eq!((page[100], page::lsn(&page) > Lsn(0)), (n as u8, true));
                    drop(page);
                    drop(pin);
                    if round % 64 == thread {
                        put(pool, file, n, 102, round as u8).unwrap();
                    }
                }
            });
        }
    });
    let stats = pool.stats();
    assert!(stats.evictions > 10_000 && pool.guesses.hits() > 1_000, "{stats:?}");
}

fn give_back(pool: &Pool, file: &Arc<TreeFile>, page: u64) -> Result<()> {
    let (pin, meta) = (pool.pin(file, PageNo(page))?, pool.pin(file, PageNo(0))?);
    let mut change = pool.change(rm::BTREE, 4, &[8192, 8192], 64)?;
    let (page, meta) = (pin.write(), meta.write());
    change.free(&meta, &page)?;
    change.commit().map(drop)
}

/// How many pages the file is to lose.
const CUTS: u64 = 500;

/// Grows and gives back pages, and looks at those that it has, from a thread of its own.
/// Ends when the file was cut often enough.
fn use_pages(
    (pool, file): (&Pool, &Arc<TreeFile>),
    cuts: &AtomicU64,
    thread: u64,
) -> Vec<(u64, u8)> {
    let mut pages: Vec<(u64, u8)> = Vec::new();
    let mut random = disk::Random::new(thread);
    let began = std::time::Instant::now();
    for round in 0u64.. {
        if cuts.load(Ordering::Relaxed) >= CUTS || began.elapsed().as_secs() >= 60 {
            break;
        }
        if pages.len() < 12 && (pages.is_empty() || random.one_in(2)) {
            let (page, value) = (grow(pool, file).unwrap(), round as u8);
            put(pool, file, page, 100, value).unwrap();
            pages.push((page, value));
        } else if random.one_in(40) {
            for (page, _) in pages.drain(..) {
                give_back(pool, file, page).unwrap();
            }
            std::thread::sleep(std::time::Duration::from_micros(200));
        } else {
            let at = random.below(pages.len() as u64) as usize;
            let (page, value) = pages.swap_remove(at);
            assert_eq!(get(pool, file, page, 100).unwrap(), value, "page {page}");
            give_back(pool, file, page).unwrap();
        }
    }
    pages
}

#[test]
fn who_makes_room_takes_nothing_from_who_writes_there() {
    let wal = Wal::create(Arc::new(SimDisk::new(7)), wal_config()).unwrap();
    let pool = pool_on(wal, 24);
    for id in 1..200 {
        let file = new_tree(&pool, id);
        let next = AtomicU64::new(2);
        let write = || {
            for page in std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)) {
                file.reserve_pages(page + 1).unwrap();
                file.write_page(PageNo(page), &[page as u8; 8192]).unwrap();
                if page >= 64 {
                    break;
                }
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(write))));
        for page in 2..next.load(Ordering::Relaxed) {
            let mut bytes = [0; 8192];
            file.read_page(PageNo(page), &mut bytes).unwrap();
            assert_eq!(bytes[8191], page as u8, "page {page} of file {id}");
        }
    }
}

/// Rule 7.
#[test]
fn a_file_is_cut_behind_the_pages_that_are_used() {
    let disk = SimDisk::new(3);
    let wal = Wal::create(Arc::new(disk), wal_config()).unwrap();
    let pool = pool_on(wal, 24);
    let file = new_tree(&pool, 1);
    let (done, cuts) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut left = Vec::new();
    std::thread::scope(|scope| {
        let (pool, file, done, cuts) = (&pool, &file, &done, &cuts);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                cuts.fetch_add(
                    pool.shrink_file(file, (rm::BTREE, 5), 1).unwrap(),
                    Ordering::Relaxed,
                );
                pool.write_some(4).unwrap();
            }
        });
        // Whoever has an old number finds nothing alive, or a page with that number.
        scope.spawn(move || {
            let mut random = disk::Random::new(9);
            while !done.load(Ordering::Relaxed) {
                let number = 2 + random.below(40);
                let pin = pool.pin(file, PageNo(number)).unwrap();
                let page = pin.read();
                match page::kind(&page) {
                    page::kind::NONE => {}
                    page::kind::FREE | page::kind::INDEX_LEAF => {
                        assert_eq!(page::page_no(&page), PageNo(number));
                    }
                    kind => panic!("page {number} is of kind {kind}"),
                }
            }
        });
        let users: Vec<_> = (0..3)
            .map(|thread| scope.spawn(move || use_pages((pool, file), cuts, thread + 1)))
            .collect();
        let ended: Vec<_> = users.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        left.extend(ended.into_iter().flat_map(Result::unwrap));
    });
    assert!(cuts.load(Ordering::Relaxed) >= CUTS, "{cuts:?}");
    for (page, value) in &left {
        assert_eq!(get(&pool, &file, *page, 100).unwrap(), *value);
        give_back(&pool, &file, *page).unwrap();
    }
    pool.shrink_file(&file, (rm::BTREE, 5), 1).unwrap();
    assert_eq!(file.len().unwrap(), 2 * 8192);
}

#[test]
fn a_file_is_cut_whose_free_list_is_longer_than_what_is_looked_at() {
    const PAGES: u64 = 300;
    let mut random = disk::Random::new(11);
    let wal = Wal::create(Arc::new(SimDisk::new(4)), wal_config()).unwrap();
    let pool = pool_on(wal, 64);
    let file = new_tree(&pool, 1);
    let mut shuffled: Vec<u64> = (2..PAGES).collect();
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, random.below(at as u64 + 1) as usize);
    }
    let rising: Vec<u64> = (2..PAGES).collect();
    // What was freed last is looked at first.
    let cases = [(&rising, 10, PAGES - 2), (&shuffled, 400, PAGES - 2)];
    for (order, walk, gone) in cases {
        for _ in order {
            grow(&pool, &file).unwrap();
        }
        order.iter().for_each(|page| give_back(&pool, &file, *page).unwrap());
        let cut = pool.shrink_walking(&file, (rm::BTREE, 5), 1, walk).unwrap();
        assert_eq!(cut, gone, "at most {walk} looked at");
        assert_eq!(file.len().unwrap(), 2 * 8192);
    }
    // The end of the file is at the end of the list: 2, 3, 4, ...
    for _ in &rising {
        grow(&pool, &file).unwrap();
    }
    rising.iter().rev().for_each(|page| give_back(&pool, &file, *page).unwrap());
    assert_eq!(pool.shrink_walking(&file, (rm::BTREE, 5), 1, 10).unwrap(), 0);
    assert_eq!(pool.shrink_file(&file, (rm::BTREE, 5), 1).unwrap(), PAGES - 2);
}

#[test]
fn a_pool_has_its_reserve_however_full_the_ledger_is() {
    let wal = Wal::create(Arc::new(SimDisk::new(5)), wal_config()).unwrap();
    let ledger = memory::Ledger::new(1 << 20);
    let mut others = ledger.shared("others", u64::MAX).nothing();
    others.note(1 << 20);
    let config = PoolConfig {
        open_files_max: 4,
        bytes: 64 * 8192,
        account: Some(ledger.shared("shared buffers", u64::MAX)),
        huge_pages: false,
        managers: vec![MANAGER],
    };
    let pool = Pool::new(wal, config).unwrap();
    let file = new_tree(&pool, 1);
    for n in 2..200 {
        assert_eq!(grow(&pool, &file).unwrap(), n);
        put(&pool, &file, n, 100, n as u8).unwrap();
    }
    assert_eq!(pool.stats().resident_bytes, 64 * 8192);
    assert_eq!(pool.give_back(u64::MAX), 0);
    assert_eq!(ledger.node().reserved(), (1 << 20) + 64 * 8192);
}
