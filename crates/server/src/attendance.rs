//! A session at its worker: from its first query or its arrival to its end or its departure.

use crate::config::os_text;
use crate::connection::{Link, serve_session};
use crate::log;
use crate::process::Server;
use crate::startup;
use sched::{Desk, Fiber, Scale, Worker};
use session::{Parked, Session};
use std::sync::Arc;
use std::time::Instant;

/// A session and its connection. In a box: a task that is moved into others takes its room in each.
pub(crate) struct Seated {
    pub(crate) session: Session,
    pub(crate) link: Link,
    /// When the client came.
    pub(crate) began: Instant,
}

impl Seated {
    /// A session at a worker. It pays for its connection's buffers from now on.
    pub(crate) fn new(session: Session, mut link: Link, began: Instant) -> Box<Seated> {
        link.room.charge(session.account());
        Box::new(Seated { session, link, began })
    }
}

/// How a session leaves its worker.
pub(crate) enum Left {
    /// It goes no further.
    Ended(Ending),
    /// It is idle, and goes on at another worker.
    For(Worker),
}

/// How a session ends.
pub(crate) enum Ending {
    /// Its client or an error has ended it.
    InOrder,
    /// It is broken, and cannot even be ended.
    Broken,
}

/// Serves a session for as long as it is at this worker.
pub(crate) async fn attend(server: Arc<Server>, mut seated: Box<Seated>, scale: Scale) {
    let Seated { session, link, .. } = &mut *seated;
    let left = serve_session(&server, session, link, &scale).await;
    match left {
        Left::For(worker) => Box::pin(send_on(server, seated, worker)).await,
        Left::Ended(ending) => Box::pin(end(seated, ending)).await,
    }
}

async fn end(seated: Box<Seated>, ending: Ending) {
    let Seated { session, link, began } = *seated;
    if session.settings().boolean("log_disconnections") {
        startup::log_disconnection(&session, began.elapsed());
    }
    match ending {
        Ending::InOrder => end_session(session).await,
        Ending::Broken => drop(session),
    }
    // The session leaves before its socket is closed: who waits for that finds it gone.
    drop(link);
}

async fn end_session(session: Session) {
    if let Err(panicked) = Fiber::new(None, || session.end()).await {
        log::log(format!("internal error at the end of a session: {}", panicked.message));
    }
}

/// Has another worker go on with an idle session.
async fn send_on(server: Arc<Server>, seated: Box<Seated>, worker: Worker) {
    let Seated { session, link, began } = *seated;
    let parked = match Parked::new(session) {
        Ok(parked) => parked,
        Err(session) => return end_session(*session).await,
    };
    let socket = match link.stream.release() {
        Ok(socket) => socket,
        Err(error) => return lose(parked.give_up(), &error).await,
    };
    worker.spawn(move |desk: &Desk| {
        let (outbox, scale) = (desk.outbox.clone(), desk.scale.clone());
        async move {
            match Link::register(socket, outbox) {
                Ok(link) => {
                    attend(server, Seated::new(parked.arrive(), link, began), scale).await;
                }
                Err(error) => lose(parked.give_up(), &error).await,
            }
        }
    });
}

/// Ends a session whose connection is lost on the way.
async fn lose(session: Session, error: &std::io::Error) {
    log::log(format!("could not move a session to another worker: {}", os_text(error)));
    end_session(session).await;
}
