use super::*;
use base::interrupt::{Interrupt, check_for_interrupts};
use base::wait::{block_on, on_fiber, yield_now};
use std::rc::Rc;
use std::time::{Duration, Instant};

fn on_worker<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
    crate::run(1, |_| future).unwrap()
}

#[test]
fn code_on_a_fiber_borrows_waits_and_returns() {
    let text = on_worker(async {
        let mut list = vec![1, 2];
        let sum = Fiber::new(None, || {
            assert!(on_fiber());
            block_on(tokio::time::sleep(Duration::from_millis(5)));
            list.push(3);
            list.iter().sum::<i32>()
        })
        .await
        .unwrap();
        format!("{sum} {list:?}")
    });
    assert_eq!(text, "6 [1, 2, 3]");
}

#[test]
fn a_panic_ends_the_fiber_and_not_the_worker() {
    let (first, second) = on_worker(async {
        let first = Fiber::new(None, || -> i32 { panic!("broken {}", 7) }).await;
        let second = Fiber::new(None, || 5).await;
        (first, second)
    });
    assert_eq!(first.unwrap_err().message, "broken 7");
    assert_eq!(second.unwrap(), 5);
}

#[test]
fn dropping_a_suspended_fiber_runs_its_destructors() {
    struct Counted(Rc<Cell<u32>>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let drops = on_worker(async {
        let drops = Rc::new(Cell::new(0));
        let held = drops.clone();
        let mut fiber = Box::pin(Fiber::new(None, move || {
            let _one = Counted(held.clone());
            block_on(std::future::pending::<()>());
            drop(held);
        }));
        let polled = std::future::poll_fn(|cx| Poll::Ready(fiber.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        drop(fiber);
        drops.get()
    });
    assert_eq!(drops, 1);
}

#[test]
fn a_busy_fiber_gives_its_neighbours_their_turn() {
    let turns = on_worker(async {
        let turns = Rc::new(Cell::new(0u32));
        let counter = turns.clone();
        tokio::task::spawn_local(async move {
            loop {
                counter.set(counter.get() + 1);
                tokio::task::yield_now().await;
            }
        });
        let interrupts = Interrupts::new();
        Fiber::new(Some(interrupts), || {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(30) {
                check_for_interrupts().unwrap();
            }
        })
        .await
        .unwrap();
        turns.get()
    });
    assert!(turns >= 10, "the neighbour ran {turns} times in 30 ms");
}

#[test]
fn an_interrupt_from_another_thread_wakes_a_waiting_fiber() {
    let error = on_worker(async {
        let interrupts = Interrupts::new();
        let other = interrupts.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            other.raise(Interrupt::Cancel);
        });
        Fiber::new(Some(interrupts), || {
            base::wait::wait_for(std::future::pending::<()>()).unwrap_err()
        })
        .await
        .unwrap()
    });
    assert_eq!(error.message(), "canceling statement due to user request");
}

#[test]
fn a_fiber_within_a_fiber_suspends_both() {
    let steps = on_worker(async {
        Fiber::new(None, || {
            let steps = Rc::new(Cell::new(0));
            let inner_steps = steps.clone();
            let inner = Fiber::new(None, move || {
                for _ in 0..10 {
                    inner_steps.set(inner_steps.get() + 1);
                    yield_now();
                }
            });
            block_on(inner).unwrap();
            steps.get()
        })
        .await
        .unwrap()
    });
    assert_eq!(steps, 10);
}

/// Storage rule 25.
#[test]
fn endless_recursion_on_a_fiber_ends_with_54001() {
    fn recurse(depth: u64) -> base::Result<u64> {
        base::stack::check_stack_depth()?;
        Ok(recurse(depth + 1)?.max(std::hint::black_box(depth)))
    }
    let error = on_worker(async { Fiber::new(None, || recurse(0)).await.unwrap().unwrap_err() });
    assert_eq!(error.sqlstate(), base::SqlState::STATEMENT_TOO_COMPLEX);
}

#[test]
fn fiber_local_words_follow_the_fiber() {
    let (outer, inner) = on_worker(async {
        fiber_local::set(Slot::Host, 1);
        let inner = Fiber::new(None, || {
            let fresh = fiber_local::get(Slot::Host);
            fiber_local::set(Slot::Host, 2);
            yield_now();
            (fresh, fiber_local::get(Slot::Host))
        })
        .await
        .unwrap();
        (fiber_local::get(Slot::Host), inner)
    });
    assert_eq!((outer, inner), (1, (0, 2)));
}

/// Storage rule 25.
#[test]
fn foreign_code_runs_on_the_stack_of_the_thread_from_any_depth() {
    #[inline(never)]
    fn here() -> usize {
        let local = 0u8;
        std::hint::black_box(&raw const local).addr()
    }
    let (thread, first, second) = on_worker(async {
        let thread = here();
        Fiber::new(None, move || {
            let first = base::wait::on_thread_stack(here);
            let inner = Fiber::new(None, || {
                assert!(here().abs_diff(thread) > crate::STACK_BYTES / 2);
                base::wait::on_thread_stack(|| {
                    assert!(!on_fiber());
                    here()
                })
            });
            let second = block_on(inner).unwrap();
            assert!(on_fiber());
            (thread, first, second)
        })
        .await
        .unwrap()
    });
    assert!(thread.abs_diff(first) < 1 << 18 && thread.abs_diff(second) < 1 << 18);
}
