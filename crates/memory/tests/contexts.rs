//! The tree of contexts, seen from outside.

use memory::collections::{Heap, TryPush};
use memory::raw::{self, Current};
use memory::{
    Account, AllocSet, AllocSetMethods, Bump, BumpMethods, Generation, GenerationMethods, Ledger,
    ledger::UNLIMITED, registry,
};
use std::cell::RefCell;
use std::rc::Rc;

#[test]
fn a_reset_deletes_kept_children_and_gives_everything_back_but_the_keeper() {
    let ledger = Ledger::new(UNLIMITED);
    let account = ledger.session(1, "session", UNLIMITED);
    let mut parent = Bump::new("parent", account.clone());
    let child = parent.child::<BumpMethods>("child");
    let kept = parent.keep(child);
    kept.alloc_slice_fill(100_000, 1u8).unwrap();
    parent.alloc_slice_fill(100_000, 1u8).unwrap();
    assert_eq!(parent.total_stats().contexts, 2);
    assert!(parent.total_stats().total_bytes > 200_000);
    parent.check();
    parent.reset();
    assert!(parent.children().is_empty());
    assert_eq!(parent.stats().blocks, 1);
    drop(parent);
    account.settle();
    assert_eq!(ledger.node().reserved(), 0);
}

#[test]
fn reset_callbacks_run_in_reverse_order_and_once() {
    let order = Rc::new(RefCell::new(Vec::new()));
    let mut context = AllocSet::new("context", Account::unlimited());
    for i in 0..3 {
        let order = order.clone();
        context.on_reset(move || order.borrow_mut().push(i));
    }
    context.reset();
    assert_eq!(*order.borrow(), [2, 1, 0]);
    drop(context);
    assert_eq!(order.borrow().len(), 3);
}

#[test]
fn reset_only_leaves_children_and_delete_children_leaves_memory() {
    let mut parent = Bump::new("parent", Account::unlimited());
    parent.keep(parent.child::<AllocSetMethods>("kept"));
    parent.alloc(7).unwrap();
    parent.reset_only();
    assert!(parent.is_empty());
    assert_eq!(parent.children(), ["kept"]);
    parent.alloc(7).unwrap();
    parent.delete_children();
    assert!(parent.children().is_empty());
    assert!(!parent.is_empty());
}

#[test]
fn a_child_moves_to_another_parent_with_everything_below_it() {
    let first = AllocSet::new("first", Account::unlimited());
    let second = AllocSet::new("second", Account::unlimited());
    let child = first.child::<BumpMethods>("child");
    child.keep(child.child::<BumpMethods>("grandchild"));
    let child = child.set_parent(&second);
    assert!(first.children().is_empty());
    assert_eq!(second.total_stats().contexts, 3);
    let rows = registry::contexts();
    let row = rows.iter().find(|row| row.id == child.id()).unwrap();
    assert_eq!((row.parent_id, row.level), (second.id(), 2));
    assert_eq!(row.path, [second.id(), child.id()]);
}

#[test]
fn a_leaked_child_goes_with_its_parent() {
    let ledger = Ledger::new(UNLIMITED);
    let account = ledger.session(1, "session", UNLIMITED);
    let parent = AllocSet::new("parent", account);
    let child = parent.child::<BumpMethods>("child");
    child.alloc(1).unwrap();
    std::mem::forget(child);
    drop(parent);
    assert_eq!(ledger.node().reserved(), 0);
}

#[test]
fn a_shared_context_outlives_its_parent() {
    let parent = AllocSet::new("parent", Account::unlimited());
    let heap: Heap = parent.shared_child("shared", Account::unlimited());
    let mut numbers = memory::collections::Vec::new_in(heap.clone());
    numbers.try_push(1).unwrap();
    assert_eq!(parent.children(), ["shared"]);
    drop(parent);
    numbers.try_push(2).unwrap();
    assert_eq!(&numbers[..], [1, 2]);
    heap.check();
    drop(numbers);
    assert_eq!(heap.stats().used_bytes() - heap.stats().blocks * 48, 0);
}

#[test]
fn deep_and_wide_trees_are_deleted_without_recursion() {
    let mut top = Bump::new("top", Account::unlimited());
    {
        let mut at: &Bump = &top;
        for _ in 0..20_000 {
            at = at.keep(at.child::<BumpMethods>("deep"));
        }
        for _ in 0..1000 {
            top.keep(top.child::<BumpMethods>("wide"));
        }
    }
    assert_eq!(top.total_stats().contexts, 21_001);
    top.reset();
    assert_eq!(top.total_stats().contexts, 1);
}

#[test]
fn the_limit_is_an_error_that_leaves_the_context_usable() {
    let ledger = Ledger::new(100_000);
    let account = ledger.session(1, "session", UNLIMITED);
    let context = AllocSet::new("small", account.clone());
    let mut vec = memory::collections::Vec::new_in(&context);
    let error = loop {
        if vec.try_reserve(vec.len() + 1).is_err() {
            break raw::palloc(&context, 200_000).unwrap_err();
        }
        vec.push(0u64);
    };
    assert_eq!(error.sqlstate().as_str(), "53200");
    assert!(error.fields().detail.as_deref().unwrap().contains("\"small\""));
    vec.clear();
    vec.push(1);
    context.check();
    drop(vec);
    drop(context);
    account.settle();
    assert_eq!(ledger.node().reserved(), 0);
}

#[test]
fn every_block_may_fail_and_nothing_is_lost() {
    let ledger = Ledger::new(UNLIMITED);
    let account = ledger.session(1, "session", UNLIMITED);
    for n in 1.. {
        memory::inject::fail_block(n);
        let context = AllocSet::new("context", account.clone());
        let bump = context.child::<BumpMethods>("bump");
        let result: base::Result<usize> = (|| {
            let mut list = bump.vec();
            for i in 0..2_000u32 {
                list.push(i)?;
                raw::palloc(&context, i as usize * 7 % 9000)?;
            }
            Ok(list.into_slice().len())
        })();
        let failed = !memory::inject::pending();
        memory::inject::fail_block(0);
        context.check();
        assert_eq!(result.is_err(), failed, "block {n}");
        drop(bump);
        drop(context);
        account.settle();
        assert_eq!(ledger.node().reserved(), 0, "block {n}");
        if !failed {
            assert!(n > 10);
            return;
        }
        assert_eq!(result.unwrap_err().sqlstate().as_str(), "53200");
    }
}

#[test]
fn the_current_context_is_switched_by_scope() {
    let outer = AllocSet::new("outer", Account::unlimited());
    let inner = Generation::new("inner", Account::unlimited());
    let current = Current::new(&outer);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        current.scope(&inner, |current| {
            assert_eq!(current.get().name(), "inner");
            panic!("expected");
        })
    }));
    assert!(caught.is_err());
    assert_eq!(current.get().name(), "outer");
}

#[test]
fn a_context_knows_its_relatives_and_whether_it_is_reset() {
    let mut parent = AllocSet::new("parent", Account::unlimited());
    assert!(parent.is_reset() && parent.parent().is_none());
    {
        let older = parent.child::<BumpMethods>("older");
        let younger = parent.child::<GenerationMethods>("younger");
        let names = |relative: Option<memory::Relative>| relative.map(|r| (r.name, r.kind));
        assert_eq!(names(older.parent()), Some(("parent", "AllocSet")));
        assert_eq!(names(parent.first_child()), Some(("younger", "Generation")));
        assert_eq!(names(younger.next_sibling()), Some(("older", "Bump")));
        assert_eq!(older.next_sibling(), None);
        assert_eq!(older.parent().unwrap().id, parent.id());
    }
    assert_eq!(parent.first_child(), None);
    raw::palloc(&parent, 1).unwrap();
    assert!(!parent.is_reset());
    parent.reset();
    assert!(parent.is_reset());
    parent.on_reset(|| {});
    assert!(!parent.is_reset() && parent.is_empty());
    parent.reset();
    assert!(parent.is_reset());
    parent.delete();
}

#[test]
fn collections_of_every_kind_of_context_report_lack_of_memory() {
    fn fill(context: impl memory::collections::InContext + Clone) -> base::Error {
        use memory::collections::{HashMap, HashSet, String, TryAdd, TryPut, Vec, try_box};
        let mut list = Vec::new_in(context.clone());
        let mut map = HashMap::with_hasher_in(Default::default(), context.clone());
        let mut set = HashSet::with_hasher_in(Default::default(), context.clone());
        let mut text = String::new_in(context.clone());
        for i in 0u64.. {
            let step = list
                .try_push(i)
                .and_then(|()| map.try_put(i, i).map(drop))
                .and_then(|()| set.try_add(i).map(drop))
                .and_then(|()| text.try_write(format_args!("{i},")))
                .and_then(|()| try_box([i; 40], context.clone()).map(drop));
            if let Err(error) = step {
                assert!(list.iter().enumerate().all(|(i, value)| i as u64 == *value));
                assert!(map.iter().all(|(key, value)| key == value && *key <= i));
                assert!(set.iter().all(|value| *value <= i));
                assert!(i > 100 && text.starts_with("0,1,2,"));
                return error;
            }
        }
        unreachable!("the limit is met before all numbers are used")
    }
    let ledger = Ledger::new(1 << 20);
    let account = ledger.session(1, "session", UNLIMITED);
    let errors = [
        fill(&AllocSet::new("list", account.clone())),
        fill(&Generation::new("list", account.clone())),
        fill(&Bump::new("list", account.clone())),
        fill(Heap::new("list", account.clone())),
    ];
    for error in errors {
        assert_eq!(error.sqlstate().as_str(), "53200");
        assert!(error.fields().detail.as_deref().unwrap().contains("\"list\""));
    }
    account.settle();
    assert_eq!(ledger.node().reserved(), 0);
}

#[test]
fn other_threads_see_contexts_with_name_and_ident() {
    let ledger = Ledger::new(UNLIMITED);
    let account = ledger.session(4711, "session", UNLIMITED);
    let context = AllocSet::new("MessageContext", account);
    context.set_ident(Some("select 1"));
    raw::palloc(&context, 100).unwrap();
    let id = context.id();
    let row = std::thread::spawn(move || {
        registry::contexts().into_iter().find(|row| row.id == id).unwrap()
    })
    .join()
    .unwrap();
    assert_eq!((row.session, row.name, row.kind), (4711, "MessageContext", "AllocSet"));
    assert_eq!((row.ident.as_deref(), row.total_bytes, row.blocks), (Some("select 1"), 8192, 1));
    drop(context);
    assert!(registry::contexts().iter().all(|row| row.id != id));
}

#[test]
fn aligned_values_keep_their_places_when_a_list_grows_and_shrinks() {
    use memory::collections::Vec;

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    #[repr(align(64))]
    struct Line(u64);

    fn check<T: Copy + PartialEq + std::fmt::Debug>(make: impl Fn(u64) -> T) {
        let heap = Heap::new("aligned", Account::unlimited());
        let mut list = Vec::new_in(heap.clone());
        // One more of its own between two steps, so that blocks move.
        let mut between = std::vec::Vec::new();
        for i in 0..200_000 {
            list.try_reserve(1).unwrap();
            list.push(make(i));
            if i.is_power_of_two() {
                between.push(memory::Buffer::filled(&heap, i as usize + 1, i).unwrap());
            }
            assert_eq!(list.as_ptr().addr() % align_of::<T>(), 0);
        }
        for len in [150_000, 10_000, 1000, 3] {
            list.truncate(len);
            list.shrink_to_fit();
            assert_eq!(list.as_ptr().addr() % align_of::<T>(), 0);
            assert!(list.iter().enumerate().all(|(i, value)| *value == make(i as u64)), "{len}");
        }
        assert!(between.iter().all(|other| other.iter().all(|i| *i + 1 == other.len() as u64)));
    }
    check(u128::from);
    check(Line);
}
