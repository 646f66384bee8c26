//! Publication, snapshots, map removal and XID drawing under explored schedules (STORAGE.md,
//! "Test first" 1).
//!
//! The modules under test are compiled here a second time, with shuttle's primitives in the place
//! of the real ones.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "not all of the modules is used here")]
#![allow(clippy::allow_attributes, reason = "whether lints fire depends on what is used")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod sync {
    pub(crate) use shuttle::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

    /// A mutex with the interface of parking_lot's.
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Mutex<T> {
            Mutex(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }
}

#[path = "../src/outcomes.rs"]
mod outcomes;
#[path = "../src/publication.rs"]
mod publication;
#[path = "../src/slots.rs"]
mod slots;

use base::{Csn, Lsn, Xid};
use publication::Publication;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread;
use std::sync::Arc;
use sync::{AtomicU64, Ordering};

/// The schedules explored by each test.
const SCHEDULES: usize = 3000;

/// The XID map with a log that is one number, and rows that are stamps.
struct World {
    publication: Publication,
    end: AtomicU64,
    flushed: AtomicU64,
    rows: [AtomicU64; 2],
}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World {
            publication: Publication::new(Xid(10), Xid(1000), Csn(100)),
            end: AtomicU64::new(100),
            flushed: AtomicU64::new(100),
            rows: [AtomicU64::new(2), AtomicU64::new(2)],
        })
    }

    fn append(&self) -> Lsn {
        Lsn(self.end.fetch_add(8, Ordering::SeqCst) + 8)
    }

    fn flush(&self) {
        self.flushed.store(self.end.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    fn flushed(&self) -> Lsn {
        Lsn(self.flushed.load(Ordering::SeqCst))
    }

    /// Stamps both rows and commits.
    fn write(&self) -> (Xid, Csn) {
        let xid = self.publication.draw(1).unwrap();
        for row in &self.rows {
            row.store(xid.0, Ordering::SeqCst);
        }
        let csn = self.publication.commit(xid, true, || self.append());
        (xid, csn)
    }

    /// Stamps a row, takes the stamp back, and ends the abort.
    fn write_and_abort(&self, row: usize) {
        let xid = self.publication.draw(1).unwrap();
        let before = self.rows[row].swap(xid.0, Ordering::SeqCst);
        self.publication.begin_abort(xid);
        self.rows[row].store(before, Ordering::SeqCst);
        self.publication.end_abort(xid);
    }

    fn retire(&self) {
        self.publication.retire(self.flushed(), 1);
    }
}

fn explore(test: impl Fn() + Send + Sync + 'static) {
    let test = Arc::new(test);
    let again = test.clone();
    let mut config = shuttle::Config::default();
    config.stack_size = 1 << 18;
    let random = RandomScheduler::new(SCHEDULES);
    shuttle::Runner::new(random, config.clone()).run(move || test());
    let rare = PctScheduler::new(3, SCHEDULES);
    shuttle::Runner::new(rare, config).run(move || again());
}

fn join<T>(threads: Vec<thread::JoinHandle<T>>) -> Vec<T> {
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// Spawns `body` with the world.
fn spawn<T: Send + 'static>(
    world: &Arc<World>,
    body: impl FnOnce(&World) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let world = world.clone();
    thread::spawn(move || body(&world))
}

/// Storage rule 1.
#[test]
fn a_snapshot_sees_all_of_a_transaction_or_nothing() {
    explore(|| {
        let world = World::new();
        let writer = spawn(&world, |world| {
            world.write();
            world.flush();
            world.retire();
        });
        let reader = spawn(&world, |world| {
            let (slot, snapshot) = world.publication.register(0);
            let seen = [0, 1].map(|row| {
                let stamp = Xid(world.rows[row].load(Ordering::SeqCst));
                stamp.0 != 2 && world.publication.sees(&snapshot, stamp).0
            });
            assert_eq!(seen[0], seen[1]);
            world.publication.release(slot, 0);
        });
        join(vec![writer, reader]);
    });
}

#[test]
fn who_sees_a_later_commit_sees_the_earlier_one() {
    explore(|| {
        let world = World::new();
        let stamps = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let noted = stamps.clone();
        let first = spawn(&world, move |world| {
            for stamp in noted.iter() {
                let xid = world.publication.draw(1).unwrap();
                stamp.store(xid.0, Ordering::SeqCst);
                world.publication.commit(xid, true, || world.append());
            }
            world.flush();
        });
        let retirer = spawn(&world, World::retire);
        let reader = spawn(&world, move |world| {
            let (slot, snapshot) = world.publication.register(1);
            let sees = |at: usize| {
                let stamp = Xid(stamps[at].load(Ordering::SeqCst));
                stamp.0 != 0 && world.publication.sees(&snapshot, stamp).0
            };
            let later = sees(1);
            assert!(!later || sees(0));
            world.publication.release(slot, 1);
        });
        join(vec![first, retirer, reader]);
    });
}

/// Storage rule 1.
#[test]
fn the_order_of_commits_counts_not_that_of_xids() {
    explore(|| {
        let world = World::new();
        let xids = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let noted = xids.clone();
        let low = world.publication.draw(1).unwrap();
        let idle = world.publication.draw(1).unwrap();
        let writer = spawn(&world, move |world| {
            let high = world.publication.draw(1).unwrap();
            noted[0].store(low.0, Ordering::SeqCst);
            noted[1].store(high.0, Ordering::SeqCst);
            world.publication.commit(high, true, || world.append());
            world.publication.commit(low, true, || world.append());
            world.flush();
            world.retire();
        });
        let reader = spawn(&world, move |world| {
            let (slot, snapshot) = world.publication.register(0);
            let sees = |at: usize| {
                let stamp = Xid(xids[at].load(Ordering::SeqCst));
                stamp.0 != 0 && world.publication.sees(&snapshot, stamp).0
            };
            let later = sees(0);
            assert!(!later || sees(1), "{snapshot:?}");
            world.publication.release(slot, 0);
        });
        join(vec![writer, reader]);
        assert_eq!(world.publication.running(Xid(1000)), [idle]);
    });
}

#[test]
fn a_snapshot_never_changes_its_mind() {
    explore(|| {
        let world = World::new();
        let writer = spawn(&world, |world| {
            let (xid, _) = world.write();
            world.flush();
            world.retire();
            xid
        });
        let other = spawn(&world, |world| {
            world.write();
            world.flush();
            world.retire();
        });
        let reader = spawn(&world, |world| {
            let (slot, snapshot) = world.publication.register(0);
            let stamp = Xid(world.rows[0].load(Ordering::SeqCst));
            let first = world.publication.sees(&snapshot, stamp).0;
            thread::yield_now();
            let again = world.publication.sees(&snapshot, stamp).0;
            assert_eq!(first, again, "{stamp:?} {snapshot:?}");
            world.publication.release(slot, 0);
        });
        writer.join().unwrap();
        join(vec![other, reader]);
    });
}

#[test]
fn a_running_xid_is_never_taken_for_a_committed_one() {
    explore(|| {
        let world = World::new();
        let idle = spawn(&world, |world| world.publication.draw(1).unwrap());
        let busy = spawn(&world, |world| {
            world.write();
            world.flush();
            world.retire();
        });
        let reader = spawn(&world, |world| {
            let (slot, snapshot) = world.publication.register(0);
            (slot, snapshot)
        });
        let xid = idle.join().unwrap();
        let (slot, snapshot) = reader.join().unwrap();
        assert!(!world.publication.sees(&snapshot, xid).0);
        assert!(!world.publication.settled(xid, world.flushed()));
        world.publication.release(slot, 0);
        busy.join().unwrap();
        assert!(!world.publication.settled(xid, world.flushed()));
    });
}

#[test]
fn an_aborted_stamp_that_was_copied_stays_invisible() {
    explore(|| {
        let world = World::new();
        let aborter = spawn(&world, |world| world.write_and_abort(0));
        let committer = spawn(&world, |world| {
            let xid = world.publication.draw(1).unwrap();
            world.publication.commit(xid, true, || world.append());
            world.flush();
            world.retire();
        });
        let reader = spawn(&world, |world| {
            let (slot, snapshot) = world.publication.register(0);
            // As a scan does: copied now, judged later.
            let stamp = Xid(world.rows[0].load(Ordering::SeqCst));
            thread::yield_now();
            assert!(stamp.0 == 2 || !world.publication.sees(&snapshot, stamp).0);
            world.publication.release(slot, 0);
        });
        join(vec![aborter, committer, reader]);
        world.flush();
        world.retire();
        assert_eq!(world.publication.map_len(), 0, "nobody needs anything any more");
    });
}

/// Storage rule 2.
#[test]
fn what_is_settled_is_visible_to_every_snapshot_and_durable() {
    explore(|| {
        let world = World::new();
        let shared = Arc::new(AtomicU64::new(0));
        let noted = shared.clone();
        let writer = spawn(&world, move |world| {
            let (xid, csn) = world.write();
            noted.store(xid.0, Ordering::SeqCst);
            world.flush();
            csn
        });
        let noted = shared.clone();
        let purger = spawn(&world, move |world| {
            let xid = Xid(noted.load(Ordering::SeqCst));
            xid.0 != 0 && world.publication.settled(xid, world.flushed())
        });
        let reader = spawn(&world, |world| world.publication.register(0));
        let csn = writer.join().unwrap();
        let settled = purger.join().unwrap();
        let (slot, snapshot) = reader.join().unwrap();
        let xid = Xid(shared.load(Ordering::SeqCst));
        if settled {
            assert!(world.flushed().0 >= csn.0);
            // Settled before or after the registration: visible either way.
            assert!(world.publication.sees(&snapshot, xid).0, "{xid:?} {snapshot:?}");
        }
        world.publication.release(slot, 0);
        assert!(world.publication.settled(xid, world.flushed()));
    });
}

/// Storage rule 3.
#[test]
fn a_visible_commit_that_is_not_durable_is_met() {
    explore(|| {
        let world = World::new();
        let writer = spawn(&world, |world| world.write());
        let flusher = spawn(&world, |world| {
            world.flush();
            world.retire();
        });
        let reader = spawn(&world, |world| {
            let (slot, snapshot) = world.publication.register(0);
            let stamp = Xid(world.rows[1].load(Ordering::SeqCst));
            let (seen, met) = world.publication.sees(&snapshot, stamp);
            let flushed = world.flushed();
            world.publication.release(slot, 0);
            (stamp, seen, met, flushed)
        });
        let (xid, csn) = writer.join().unwrap();
        flusher.join().unwrap();
        let (stamp, seen, met, flushed) = reader.join().unwrap();
        if stamp == xid && seen {
            assert!(met == csn || flushed.0 >= csn.0, "an undurable commit would be told");
        }
    });
}

#[test]
fn xids_are_drawn_once_and_in_order() {
    explore(|| {
        let world = World::new();
        let threads = (0..3).map(|_| {
            spawn(&world, |world| {
                let (first, second) =
                    (world.publication.draw(1).unwrap(), world.publication.draw(1).unwrap());
                assert!(first < second);
                [first, second]
            })
        });
        let mut all: Vec<Xid> = join(threads.collect()).into_iter().flatten().collect();
        all.sort();
        assert_eq!(all, (10..16).map(Xid).collect::<Vec<_>>());
    });
}
