//! The worker threads.

use crate::Outbox;
use crate::scale::{Reading, Scale};
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

type Job = Box<dyn FnOnce(&Desk) + Send>;

/// What a worker lends to its tasks.
#[derive(Debug)]
pub struct Desk {
    /// Where answers are posted.
    pub outbox: Outbox,
    /// What weighs the worker against the others.
    pub scale: Scale,
}

/// A worker, seen from anywhere.
#[derive(Clone, Debug)]
pub struct Worker {
    jobs: UnboundedSender<Job>,
    load: Arc<AtomicUsize>,
    reading: Arc<Reading>,
}

impl Worker {
    /// Runs a task on this worker. `make` is called there, with the worker's desk, so that the
    /// task itself need not be `Send`. The task is dropped when the workers end before it.
    pub fn spawn<F>(&self, make: impl FnOnce(&Desk) -> F + Send + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        self.load.fetch_add(1, Ordering::Relaxed);
        let load = self.load.clone();
        let job = Box::new(move |desk: &Desk| {
            let leaving = Leaving(load);
            let future = make(desk);
            spawn_local(async move {
                let _leaving = leaving;
                future.await;
            });
        });
        if self.jobs.send(job).is_err() {
            self.load.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The number of tasks that [`Worker::spawn`] started here and that still run.
    pub fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// What it did of late.
    pub(crate) fn reading(&self) -> &Arc<Reading> {
        &self.reading
    }
}

struct Leaving(Arc<AtomicUsize>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All workers. There is always at least one; the first runs on the thread that called [`run`].
#[derive(Clone, Debug)]
pub struct Workers(Arc<[Worker]>);

impl Workers {
    /// The worker with the fewest tasks.
    pub fn least_loaded(&self) -> &Worker {
        self.0.iter().min_by_key(|worker| worker.load()).unwrap_or(&self.0[0])
    }

    /// The number of tasks on all workers.
    pub fn load(&self) -> usize {
        self.0.iter().map(Worker::load).sum()
    }

    /// All of them.
    pub fn each(&self) -> impl Iterator<Item = &Worker> {
        self.0.iter()
    }

    /// What the worker with this number did of late.
    pub(crate) fn reading(&self, number: usize) -> &Arc<Reading> {
        self.0[number].reading()
    }

    /// The number of workers.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

async fn serve(mut jobs: UnboundedReceiver<Job>, scale: Scale) {
    let outbox = Outbox::new();
    spawn_local(outbox.clone().deliver());
    spawn_local(crate::turns::give_turns(scale.clone()));
    let desk = Desk { outbox, scale };
    while let Some(job) = jobs.recv().await {
        job(&desk);
    }
}

/// The runtime of a worker with this reading.
fn runtime(reading: &Arc<Reading>) -> io::Result<tokio::runtime::Runtime> {
    let (waits, goes_on) = (reading.clone(), reading.clone());
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || waits.waits())
        .on_thread_unpark(move || goes_on.goes_on())
        .build()
}

/// Starts `count` workers, of which the first is the calling thread, and runs `main` on it. When
/// `main` ends, the tasks that still run are dropped, the other threads end, and its value is
/// returned.
///
/// # Errors
/// When a runtime or a thread cannot be started.
pub fn run<T, F>(count: usize, main: impl FnOnce(Workers) -> F) -> io::Result<T>
where
    F: Future<Output = T>,
{
    let (began, mut receivers) = (Instant::now(), Vec::new());
    let workers: Vec<Worker> = (0..count.max(1))
        .map(|_| {
            let (jobs, receiver) = unbounded_channel();
            receivers.push(receiver);
            Worker { jobs, load: Arc::default(), reading: Arc::new(Reading::new(began)) }
        })
        .collect();
    let workers = Workers(workers.into());
    let mut places = receivers.into_iter().enumerate();
    let own = places.next();
    let (stop, stopped) = tokio::sync::watch::channel(());
    let mut threads = Vec::new();
    for (number, jobs) in places {
        let mut stopped = stopped.clone();
        let runtime = runtime(workers.reading(number))?;
        let workers = workers.clone();
        let body = move || {
            LocalSet::new().block_on(&runtime, async move {
                tokio::select! {
                    () = serve(jobs, Scale::new(workers, number)) => {}
                    // An error means that the sender is gone: the end.
                    _ = stopped.changed() => {}
                }
            });
        };
        threads.push(thread::Builder::new().name(format!("worker {number}")).spawn(body)?);
    }
    let Some((number, jobs)) = own else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let main = main(workers.clone());
    let runtime = runtime(workers.reading(number))?;
    let value = LocalSet::new().block_on(&runtime, async move {
        spawn_local(serve(jobs, Scale::new(workers, number)));
        main.await
    });
    drop(stop);
    for thread in threads {
        // A worker that panicked has already said so on stderr.
        let _ = thread.join();
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::Mutex;

    #[test]
    fn tasks_are_spread_over_the_workers() {
        let threads = Arc::new(Mutex::new(HashSet::new()));
        let seen = threads.clone();
        run(3, |workers| async move {
            let (done, mut finished) = unbounded_channel();
            for _ in 0..9 {
                let (seen, done) = (seen.clone(), done.clone());
                workers.least_loaded().spawn(move |_| async move {
                    seen.lock().unwrap().insert(thread::current().id());
                    let _ = done.send(());
                    std::future::pending::<()>().await;
                });
            }
            for _ in 0..9 {
                finished.recv().await.unwrap();
            }
            assert_eq!(workers.load(), 9);
        })
        .unwrap();
        assert_eq!(threads.lock().unwrap().len(), 3);
    }
}
