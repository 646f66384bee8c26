//! Locks between threads.

use super::*;
use base::{Csn, SessionId, Xid};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const DATABASE: Oid = Oid(5);

fn relation(number: u32) -> LockTag {
    LockTag::Relation { database: DATABASE, relation: Oid(number) }
}

fn row(number: u64) -> RowTarget {
    RowTarget { file: FileId(7), row: RowId(number), database: DATABASE, relation: Oid(16384) }
}

fn owner(table: &Arc<LockTable>, pid: u32) -> Arc<Owner> {
    let owner = table.register(SessionId(pid), DATABASE);
    owner.set_deadlock_timeout_ms(30);
    owner.begin_transaction();
    owner
}

fn take(table: &LockTable, owner: &Arc<Owner>, tag: LockTag, mode: LockMode) -> Acquired {
    let lifetime = LockLifetime::Transaction;
    table.acquire(owner, tag, mode, lifetime, WaitPolicy::Try).unwrap()
}

fn wait_until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(10), "it never happens");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Requests a lock on a thread and returns when it waits or has finished.
fn request<T: Send + 'static>(
    owner: &Arc<Owner>,
    body: impl FnOnce(&Arc<Owner>) -> T + Send + 'static,
) -> JoinHandle<T> {
    let mine = owner.clone();
    let thread = thread::spawn(move || body(&mine));
    wait_until(|| owner.is_waiting() || thread.is_finished());
    thread
}

#[test]
fn every_pair_of_modes_conflicts_as_the_table_says() {
    for held in LockMode::ALL {
        for wanted in LockMode::ALL {
            let table = LockTable::new();
            let (a, b) = (owner(&table, 1), owner(&table, 2));
            assert_eq!(take(&table, &a, relation(1), held), Acquired::Granted);
            assert_eq!(take(&table, &a, relation(1), held), Acquired::AlreadyHeld);
            assert_eq!(
                take(&table, &a, relation(1), wanted),
                match wanted == held {
                    true => Acquired::AlreadyHeld,
                    false => Acquired::Granted,
                }
            );
            let table = LockTable::new();
            let (c, d) = (owner(&table, 1), owner(&table, 2));
            take(&table, &c, relation(1), held);
            let got = take(&table, &d, relation(1), wanted);
            let expected = match held.conflicts_with(wanted) {
                true => Acquired::NotAvailable,
                false => Acquired::Granted,
            };
            assert_eq!(got, expected, "{held:?} {wanted:?}");
            table.release_transaction(&c, 0);
            table.release_transaction(&d, 0);
            assert_eq!(take(&table, &d, relation(1), LockMode::AccessExclusive), Acquired::Granted);
            drop(b);
        }
    }
}

#[test]
fn weak_locks_stay_in_their_slot_until_a_strong_one_is_wanted() {
    let table = LockTable::new();
    let (weak, strong) = (owner(&table, 1), owner(&table, 2));
    take(&table, &weak, relation(1), LockMode::RowExclusive);
    assert!(table.rows().iter().any(|row| row.fastpath && row.mode == "RowExclusiveLock"));
    let waiter = {
        let table = table.clone();
        request(&strong, move |owner| {
            let (mode, lifetime) = (LockMode::Share, LockLifetime::Transaction);
            table.acquire(owner, relation(1), mode, lifetime, WaitPolicy::Block)
        })
    };
    let moved = |row: &LockRow| !row.fastpath && row.granted && row.mode == "RowExclusiveLock";
    assert!(table.rows().iter().any(moved));
    assert_eq!(table.blocking_pids(SessionId(2)), [SessionId(1)]);
    let third = owner(&table, 3);
    // Behind the waiter, although nobody holds a conflicting lock.
    assert_eq!(take(&table, &third, relation(1), LockMode::RowExclusive), Acquired::NotAvailable);
    assert_eq!(take(&table, &third, relation(1), LockMode::AccessShare), Acquired::Granted);
    table.release_transaction(&weak, 0);
    assert_eq!(waiter.join().unwrap().unwrap(), Acquired::Granted);
    for owner in [&strong, &third] {
        table.release_transaction(owner, 0);
    }
    take(&table, &weak, relation(1), LockMode::RowShare);
    assert!(table.rows().iter().any(|row| row.fastpath && row.mode == "RowShareLock"));
}

#[test]
fn who_holds_what_another_one_waits_for_is_told_so_until_it_lets_go() {
    let table = LockTable::new();
    let (holder, other, asker) = (owner(&table, 1), owner(&table, 2), owner(&table, 3));
    take(&table, &holder, relation(1), LockMode::Share);
    take(&table, &other, relation(2), LockMode::Share);
    assert!(!table.waited_for(&holder));
    let waiter = {
        let table = table.clone();
        request(&asker, move |owner| {
            let (mode, lifetime) = (LockMode::Exclusive, LockLifetime::Transaction);
            table.acquire(owner, relation(1), mode, lifetime, WaitPolicy::Block)
        })
    };
    assert!(table.waited_for(&holder));
    assert!(!table.waited_for(&other) && !table.waited_for(&asker));
    table.release_transaction(&holder, 0);
    assert_eq!(waiter.join().unwrap().unwrap(), Acquired::Granted);
    assert!(!table.waited_for(&holder));
}

#[test]
fn weak_and_strong_requests_exclude_each_other_under_contention() {
    let table = LockTable::new();
    let inside = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
    let threads: Vec<_> = (0..6_u32)
        .map(|n| {
            let (table, inside) = (table.clone(), inside.clone());
            thread::spawn(move || {
                let owner = owner(&table, n + 1);
                owner.set_deadlock_timeout_ms(5000);
                let strong = n < 2;
                let mode = if strong { LockMode::Exclusive } else { LockMode::RowExclusive };
                for _ in 0..400 {
                    let (tag, lifetime) = (relation(1), LockLifetime::Transaction);
                    table.acquire(&owner, tag, mode, lifetime, WaitPolicy::Block).unwrap();
                    let mine = if strong { &inside.0 } else { &inside.1 };
                    mine.fetch_add(1, Ordering::SeqCst);
                    let (strong_in, weak_in) =
                        (inside.0.load(Ordering::SeqCst), inside.1.load(Ordering::SeqCst));
                    assert!(!strong || (strong_in == 1 && weak_in == 0));
                    assert!(strong || strong_in == 0);
                    mine.fetch_sub(1, Ordering::SeqCst);
                    table.release_transaction(&owner, 0);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_savepoint_gives_back_what_was_taken_after_it() {
    let table = LockTable::new();
    let (a, b) = (owner(&table, 1), owner(&table, 2));
    take(&table, &a, relation(1), LockMode::Share);
    let mark = table.mark(&a);
    let level = table.open_level(&a);
    take(&table, &a, relation(2), LockMode::Share);
    table.try_lock_row(&a, &row(1), RowLockMode::Update);
    let inner = table.open_level(&a);
    table.try_lock_row(&a, &row(2), RowLockMode::Update);
    table.close_level(&a, inner);
    assert_eq!(table.try_lock_row(&b, &row(2), RowLockMode::KeyShare), Acquired::NotAvailable);
    let waiter = {
        let table = table.clone();
        request(&b, move |owner| {
            table.lock_row(owner, &row(1), RowLockMode::Share, WaitPolicy::Block)
        })
    };
    table.release_transaction(&a, mark);
    table.rollback_level(&a, level);
    assert_eq!(waiter.join().unwrap().unwrap(), Acquired::Granted);
    assert_eq!(table.try_lock_row(&b, &row(2), RowLockMode::KeyShare), Acquired::Granted);
    assert_eq!(take(&table, &b, relation(1), LockMode::RowExclusive), Acquired::NotAvailable);
    assert_eq!(take(&table, &b, relation(2), LockMode::RowExclusive), Acquired::Granted);
}

/// Storage rule 21.
#[test]
fn row_locks_conflict_by_their_table_and_a_writer_sees_them() {
    for held in RowLockMode::ALL {
        for wanted in RowLockMode::ALL {
            let table = LockTable::new();
            let (a, b) = (owner(&table, 1), owner(&table, 2));
            assert!(!table.row_blocked(&b, FileId(7), RowId(1), wanted));
            assert_eq!(table.try_lock_row(&a, &row(1), held), Acquired::Granted);
            let conflict = held.conflicts_with(wanted);
            assert_eq!(table.row_blocked(&b, FileId(7), RowId(1), wanted), conflict);
            assert!(!table.row_blocked(&b, FileId(7), RowId(2), wanted));
            assert!(!table.row_blocked(&a, FileId(7), RowId(1), wanted), "own locks never block");
            let got = table.lock_row(&b, &row(1), wanted, WaitPolicy::Try).unwrap();
            assert_eq!(got == Acquired::NotAvailable, conflict, "{held:?} {wanted:?}");
            table.release_transaction_rows(&a);
            assert!(!table.row_blocked(&b, FileId(7), RowId(1), RowLockMode::Update));
        }
    }
}

#[test]
fn row_waiters_are_served_in_order() {
    let table = LockTable::new();
    let first = owner(&table, 1);
    table.try_lock_row(&first, &row(1), RowLockMode::Update);
    let order = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let threads: Vec<_> = (2..8_u32)
        .map(|pid| {
            let (table, order) = (table.clone(), order.clone());
            let owner = owner(&table, pid);
            request(&owner, move |owner| {
                table.lock_row(owner, &row(1), RowLockMode::Update, WaitPolicy::Block).unwrap();
                order.lock().push(pid);
                table.release_transaction_rows(owner);
            })
        })
        .collect();
    table.release_transaction_rows(&first);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*order.lock(), [2, 3, 4, 5, 6, 7]);
}

/// Storage rule 3.
#[test]
fn who_has_waited_for_a_row_has_met_the_commits_that_let_it_go_and_no_other() {
    let table = LockTable::new();
    let [first, second, other] = [1, 2, 3].map(|pid| owner(&table, pid));
    for holder in [&first, &second] {
        table.try_lock_row(holder, &row(1), RowLockMode::Share);
    }
    let waiter = owner(&table, 4);
    let waits = request(&waiter, {
        let table = table.clone();
        move |owner| {
            table.lock_row(owner, &row(1), RowLockMode::Update, WaitPolicy::Block).unwrap();
        }
    });
    other.set_ending(Some(Csn(900)));
    table.release_transaction_rows(&other);
    first.set_ending(Some(Csn(500)));
    table.release_transaction_rows(&first);
    // It has rolled back.
    table.release_transaction_rows(&second);
    waits.join().unwrap();
    assert_eq!(waiter.met().highest(), Csn(500));
}

#[test]
fn a_deadlock_has_one_victim_and_postgresqls_words() {
    let table = LockTable::new();
    let (a, b) = (owner(&table, 101), owner(&table, 102));
    a.set_deadlock_timeout_ms(60_000);
    take(&table, &a, relation(1), LockMode::AccessExclusive);
    take(&table, &b, relation(2), LockMode::AccessExclusive);
    let block = |table: Arc<LockTable>, number: u32, mode: LockMode| {
        move |owner: &Arc<Owner>| {
            let lifetime = LockLifetime::Transaction;
            table.acquire(owner, relation(number), mode, lifetime, WaitPolicy::Block)
        }
    };
    let waits = request(&a, block(table.clone(), 2, LockMode::AccessShare));
    let error = block(table.clone(), 1, LockMode::RowExclusive)(&b).unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "40P01");
    assert_eq!(error.message(), "deadlock detected");
    assert_eq!(
        error.fields().detail.as_deref(),
        Some(
            "Process 102 waits for RowExclusiveLock on relation 1 of database 5; \
             blocked by process 101.\n\
             Process 101 waits for AccessShareLock on relation 2 of database 5; \
             blocked by process 102."
        )
    );
    assert_eq!(error.fields().hint.as_deref(), Some("See server log for query details."));
    table.release_transaction(&b, 0);
    assert_eq!(waits.join().unwrap().unwrap(), Acquired::Granted);
}

#[test]
fn a_cycle_over_xid_row_and_table_is_found_and_a_long_wait_is_none() {
    let table = LockTable::new();
    table.set_running(|xid| (true, (xid.0 - 1000) as u32));
    let owners: Vec<_> = (1..=4).map(|pid| owner(&table, pid)).collect();
    for owner in &owners {
        owner.set_xid(Xid(1000 + u64::from(owner.id())));
        owner.set_deadlock_timeout_ms(60_000);
    }
    let (a, b, c, outside) = (&owners[0], &owners[1], &owners[2], &owners[3]);
    outside.set_deadlock_timeout_ms(10);
    c.set_deadlock_timeout_ms(50);
    table.try_lock_row(b, &row(5), RowLockMode::Update);
    take(&table, c, relation(1), LockMode::Exclusive);
    let on = table.clone();
    let first = request(a, move |owner| {
        on.lock_row(owner, &row(5), RowLockMode::KeyShare, WaitPolicy::Block)
    });
    let on = table.clone();
    let second = request(b, move |owner| {
        let (mode, lifetime) = (LockMode::Share, LockLifetime::Transaction);
        on.acquire(owner, relation(1), mode, lifetime, WaitPolicy::Block)
    });
    // Outside the cycle: its check finds nothing, it waits on.
    let on = table.clone();
    let waiter = request(outside, move |owner| {
        let (mode, lifetime) = (LockMode::Share, LockLifetime::Transaction);
        on.acquire(owner, relation(1), mode, lifetime, WaitPolicy::Block)
    });
    thread::sleep(Duration::from_millis(40));
    assert!(outside.is_waiting());
    let error = table.wait_for_xid(c, a.xid()).unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "40P01");
    let detail = error.fields().detail.clone().unwrap();
    assert_eq!(
        detail.lines().collect::<Vec<_>>(),
        [
            "Process 3 waits for ShareLock on transaction 1001; blocked by process 1.",
            "Process 1 waits for AccessShareLock on tuple (0,5) of relation 16384 of database 5; \
             blocked by process 2.",
            "Process 2 waits for ShareLock on relation 1 of database 5; blocked by process 3.",
        ]
    );
    table.release_transaction(c, 0);
    assert_eq!(second.join().unwrap().unwrap(), Acquired::Granted);
    assert_eq!(waiter.join().unwrap().unwrap(), Acquired::Granted);
    table.release_transaction_rows(b);
    assert_eq!(first.join().unwrap().unwrap(), Acquired::Granted);
}

#[test]
fn a_wait_ends_at_lock_timeout_and_on_cancel_and_leaves_no_trace() {
    use base::interrupt::{Interrupt, Interrupts, install_interrupts};
    let table = LockTable::new();
    let (a, b) = (owner(&table, 1), owner(&table, 2));
    take(&table, &a, relation(1), LockMode::AccessExclusive);
    b.set_lock_timeout_ms(20);
    let on = table.clone();
    let block = move |owner: &Arc<Owner>| {
        let (mode, lifetime) = (LockMode::AccessExclusive, LockLifetime::Transaction);
        on.acquire(owner, relation(1), mode, lifetime, WaitPolicy::Block)
    };
    let error = block(&b).unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "55P03");
    assert_eq!(error.message(), "canceling statement due to lock timeout");
    b.set_lock_timeout_ms(0);
    let interrupts = Interrupts::new();
    let installed = interrupts.clone();
    let canceled = request(&b, move |owner| {
        install_interrupts(Some(installed));
        block(owner)
    });
    interrupts.raise(Interrupt::Cancel);
    let error = canceled.join().unwrap().unwrap_err();
    assert_eq!(error.sqlstate().as_str(), "57014");
    table.release_transaction(&a, 0);
    // No strong request is counted any more: weak locks stay in their slot.
    take(&table, &a, relation(1), LockMode::AccessShare);
    assert!(table.rows().iter().any(|row| row.fastpath && row.mode == "AccessShareLock"));
}

#[test]
fn session_locks_outlive_the_transaction_and_count() {
    let table = LockTable::new();
    let (a, b) = (owner(&table, 1), owner(&table, 2));
    let tag = LockTag::advisory(DATABASE, -5);
    assert_ne!(tag, LockTag::advisory_pair(DATABASE, -1, -5));
    for lifetime in [LockLifetime::Session, LockLifetime::Transaction, LockLifetime::Session] {
        table.acquire(&a, tag, LockMode::Exclusive, lifetime, WaitPolicy::Try).unwrap();
    }
    let free = |table: &Arc<LockTable>| {
        let got = take(table, &b, tag, LockMode::Exclusive) == Acquired::Granted;
        table.release_transaction(&b, 0);
        got
    };
    assert!(table.release_session(&a, tag, LockMode::Exclusive));
    table.release_transaction(&a, 0);
    assert!(!free(&table));
    assert!(table.release_session(&a, tag, LockMode::Exclusive));
    assert!(!table.release_session(&a, tag, LockMode::Exclusive), "not held any more");
    assert!(free(&table));
    table.acquire(&a, tag, LockMode::Share, LockLifetime::Session, WaitPolicy::Try).unwrap();
    assert!(!free(&table));
    drop(a);
    assert!(free(&table), "the end of the session releases its locks");
}

#[test]
fn key_locks_let_one_in_at_a_time() {
    let locks = Arc::new(KeyLocks::default());
    let inside = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (locks, inside) = (locks.clone(), inside.clone());
            thread::spawn(move || {
                for _ in 0..500 {
                    let _held = locks.lock(FileId(1), 7).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    inside.fetch_sub(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(locks.is_idle());
}
