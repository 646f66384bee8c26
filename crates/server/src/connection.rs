//! One client's connection: reading messages, running them on a fiber, sending answers.
//!
//! Between messages a connection holds no buffer and no stack, and it can go on at another worker.

use crate::attendance::{Ending, Left, Seated, attend};
use crate::log::{self, Level};
use crate::process::Server;
use crate::room::Room;
use crate::startup;
use crate::stream::{Accepted, Stream};
use crate::tuning::Tuning;
use base::interrupt::{Interrupt, Interrupts};
use base::wait::wait_for;
use base::wait_event::{WaitEvent, waiting};
use base::{Error, Result, SqlState};
use sched::{Buffer, Fiber, Outbox, Receipt, Scale};
use session::{Client, Flow, Session};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use wire::{Frame, backend};

/// Answers are sent when so many bytes wait.
const SEND_BYTES: usize = 32 << 10;
/// How long a client that reads nothing can keep its session from ending.
const LAST_SEND_WAIT: Duration = Duration::from_secs(2);

/// The socket with what was read and what is to be sent.
pub(crate) struct Link {
    pub(crate) stream: Stream,
    input: Option<Buffer>,
    output: Option<Buffer>,
    sent: usize,
    outbox: Outbox,
    receipt: Rc<Receipt>,
    timers: Vec<Timer>,
    pub(crate) room: Room,
    /// What the log alone is told about why the client was not let in.
    pub(crate) log_detail: Option<String>,
}

/// A task that raises an interrupt when its time has come; dropped, it does not.
struct Timer {
    interrupt: Interrupt,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// A socket that this worker has from now on.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn register(socket: Accepted, outbox: Outbox) -> std::io::Result<Link> {
        Ok(Link {
            stream: Stream::register(socket)?,
            input: None,
            output: None,
            sent: 0,
            outbox,
            receipt: Rc::default(),
            timers: Vec::new(),
            room: Room::default(),
            log_detail: None,
        })
    }

    /// What is to be sent.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        self.output.get_or_insert_with(Buffer::new)
    }

    /// What was read and not used yet.
    pub(crate) fn input(&self) -> &[u8] {
        self.input.as_ref().map_or(&[], |buffer| buffer.as_slice())
    }

    /// Forgets the first `count` bytes of the input, and the buffer when it is empty.
    pub(crate) fn consume(&mut self, count: usize) {
        if let Some(buffer) = &mut self.input {
            let count = count.min(buffer.len());
            buffer.drain(..count);
            if buffer.is_empty() {
                self.input = None;
            }
        }
    }

    /// Reads what has arrived; 0 bytes mean the end. While it is pending no buffer is held.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        let mut buffer = self.input.take().unwrap_or_default();
        self.room.for_input(&mut buffer);
        if self.room.passes_over() {
            return self.poll_pass_over(cx, buffer);
        }
        let result = self.stream.poll_read(cx, &mut buffer);
        if !buffer.is_empty() {
            self.input = Some(buffer);
        }
        result
    }

    /// Reads and forgets what belongs to a message that there is no room for.
    fn poll_pass_over(
        &mut self,
        cx: &mut Context<'_>,
        mut buffer: Buffer,
    ) -> Poll<std::io::Result<usize>> {
        loop {
            let read = std::task::ready!(self.stream.poll_read(cx, &mut buffer))?;
            self.room.pass_over(&mut buffer);
            if read == 0 || !self.room.passes_over() {
                self.input = Some(buffer).filter(|buffer| !buffer.is_empty());
                return Poll::Ready(Ok(read));
            }
        }
    }

    /// Leaves what is there to the worker's outbox. Not where it is encrypted first.
    fn post(&mut self, cx: &mut Context<'_>) {
        if self.sent == 0
            && !self.receipt.is_waiting()
            && let Some(socket) = self.stream.plain()
            && let Some(output) = self.output.take()
        {
            self.outbox.post(socket, output, &self.receipt, cx.waker());
        }
    }

    /// Takes back what the outbox could not send.
    fn take_back(&mut self) {
        if let Some((mut rest, sent)) = self.receipt.take_rest() {
            if let Some(behind) = self.output.take() {
                rest.extend_from_slice(&behind);
            }
            self.sent = sent;
            self.output = Some(rest);
        }
    }

    /// Sends what is there; ready when all of it is sent.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.receipt.is_waiting() && self.output.is_some() {
            self.outbox.flush();
        }
        self.take_back();
        let Some(output) = &mut self.output else {
            if !self.receipt.is_waiting() {
                self.room.output_is_sent();
            }
            return Poll::Ready(Ok(()));
        };
        while self.sent < output.len() {
            match self.stream.poll_write(cx, &output[self.sent..]) {
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
                }
                Poll::Ready(Ok(count)) => self.sent += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.stream.poll_flush(cx)?.is_pending() {
            return Poll::Pending;
        }
        self.sent = 0;
        self.output = None;
        self.room.output_is_sent();
        Poll::Ready(Ok(()))
    }

    /// Whether nothing of a message or an answer is here, once this has sent what it can.
    fn is_idle(&mut self, cx: &mut Context<'_>) -> bool {
        matches!(self.poll_send(cx), Poll::Ready(Ok(())))
            && !self.receipt.is_waiting()
            && self.input.is_none()
            && !self.room.has_refused()
            && self.timers.is_empty()
            && self.stream.is_idle()
    }

    /// Sends an error that ends the connection; the client may be gone already.
    pub(crate) async fn send_last(&mut self, error: &Error) {
        backend::error_response(self.output(), error);
        let sending = poll_fn(|cx| self.poll_send(cx));
        let _ = tokio::time::timeout(LAST_SEND_WAIT, sending).await;
    }
}

fn client_lost(error: &std::io::Error) -> Error {
    base::err!(CONNECTION_FAILURE, "connection to client lost: {}", crate::config::os_text(error))
        .fatal()
}

/// The client during one message. `rest` is what was read behind it.
struct View<'a> {
    link: &'a mut Link,
    interrupts: &'a Arc<Interrupts>,
    rest: &'a [u8],
    used: usize,
    moved: bool,
}

impl Client for View<'_> {
    fn out(&mut self) -> &mut Vec<u8> {
        self.link.output()
    }

    fn send(&mut self) -> Result<()> {
        let _waits = waiting(WaitEvent::ClientWrite);
        wait_for(poll_fn(|cx| self.link.poll_send(cx)))?.map_err(|e| client_lost(&e))
    }

    fn room(&mut self, bytes: usize) -> Result<()> {
        let output = self.link.output.get_or_insert_with(Buffer::new);
        self.link.room.for_output(output, bytes)
    }

    fn set_timer(&mut self, interrupt: Interrupt, after: Option<Duration>) {
        self.link.timers.retain(|timer| timer.interrupt != interrupt);
        if let Some(after) = after {
            let interrupts = self.interrupts.clone();
            let task = tokio::task::spawn_local(async move {
                tokio::time::sleep(after).await;
                interrupts.raise(interrupt);
            });
            self.link.timers.push(Timer { interrupt, task });
        }
    }

    fn receive(&mut self, take: &mut dyn FnMut(Frame<'_>) -> Result<()>) -> Result<()> {
        if !self.moved {
            if let Some(frame) = Frame::split(&self.rest[self.used..])? {
                self.used += frame.total_bytes();
                return take(frame);
            }
            // The rest of the batch is the beginning of a message that is not all there.
            let mut buffer = Buffer::new();
            buffer.extend_from_slice(&self.rest[self.used..]);
            self.link.input = Some(buffer);
            self.moved = true;
        }
        loop {
            let input = self.link.input.take().unwrap_or_default();
            if let Some(frame) = Frame::split(&input)? {
                let count = frame.total_bytes();
                let result = take(frame);
                self.link.input = Some(input);
                self.link.consume(count);
                return result;
            }
            self.link.input = Some(input);
            let waits = waiting(WaitEvent::ClientRead);
            let read = wait_for(poll_fn(|cx| self.link.poll_fill(cx)))?;
            drop(waits);
            if let Some(refused) = self.link.room.take_refused() {
                return Err(refused.error);
            }
            if read.map_err(|e| client_lost(&e))? == 0 {
                return Err(
                    base::err!(CONNECTION_FAILURE, "unexpected EOF on client connection").fatal()
                );
            }
        }
    }
}

/// Serves one client from its first packet on.
pub(crate) async fn serve(server: Arc<Server>, socket: Accepted, outbox: Outbox, scale: Scale) {
    // In a box of its own: most of it is not needed once the session has begun.
    if let Some(seated) = Box::pin(begin(&server, socket, outbox)).await {
        attend(server, seated, scale).await;
    }
}

/// Lets a client in. Nothing when it is not.
async fn begin(server: &Arc<Server>, socket: Accepted, outbox: Outbox) -> Option<Box<Seated>> {
    let mut link = match Link::register(socket, outbox) {
        Ok(link) => link,
        Err(error) => {
            log::log(format!("could not set up a connection: {error}"));
            return None;
        }
    };
    let began = Instant::now();
    startup::log_received(server, &link.stream);
    let place = server.waiting_room.enter();
    let starting = Box::pin(startup::start(server, &mut link));
    let started = tokio::select! {
        biased;
        started = tokio::time::timeout(server.authentication_timeout(), starting) => started,
        () = place.sent_away() => {
            let text = "sorry, too many clients that are not authenticated";
            link.send_last(&Error::new(SqlState::TOO_MANY_CONNECTIONS, text).fatal()).await;
            return None;
        }
    };
    drop(place);
    let error = match started {
        Ok(Ok(Some(session))) => return Some(Seated::new(session, link, began)),
        // A cancel request, or a client that left.
        Ok(Ok(None)) => return None,
        Ok(Err(error)) => {
            log::error_with(None, &error, link.log_detail.take());
            error
        }
        Err(_) => {
            let error =
                base::err!(QUERY_CANCELED, "canceling authentication due to timeout").fatal();
            log::error(None, &error);
            error
        }
    };
    link.send_last(&error).await;
    None
}

/// Serves one client from its first query, or from its first one at this worker, to its last one
/// here.
pub(crate) async fn serve_session(
    server: &Server,
    session: &mut Session,
    link: &mut Link,
    scale: &Scale,
) -> Left {
    let interrupts = session.entry().interrupts.clone();
    let mut tuning = Tuning::default();
    let mut seat = scale.seat();
    loop {
        tuning.follow(session, &link.stream);
        let waiting = await_input(session, link, &interrupts);
        let waited = match session.idle_limit() {
            None => waiting.await,
            Some((interrupt, limit)) => {
                let mut waiting = Box::pin(waiting);
                match tokio::time::timeout(limit, &mut waiting).await {
                    Ok(waited) => waited,
                    Err(_) => {
                        interrupts.raise(interrupt);
                        waiting.await
                    }
                }
            }
        };
        match waited {
            Ok(true) => {}
            Ok(false) => return Left::Ended(Ending::InOrder),
            Err(error) => {
                session.log(&error);
                link.send_last(&error).await;
                return Left::Ended(Ending::InOrder);
            }
        }
        let batch = Fiber::new(Some(interrupts.clone()), || run_batch(session, link));
        let flow = batch.await;
        server.note_answer();
        match flow {
            Ok(Flow::Continue) => {}
            Ok(Flow::End) => {
                let sending = poll_fn(|cx| link.poll_send(cx));
                let _ = tokio::time::timeout(LAST_SEND_WAIT, sending).await;
                return Left::Ended(Ending::InOrder);
            }
            Err(panicked) => {
                let error = Error::internal(format!("internal error: {}", panicked.message));
                link.send_last(&error.fatal()).await;
                return Left::Ended(Ending::Broken);
            }
        }
        if let Some(worker) = scale.served(&mut seat, || session.can_park())
            && poll_fn(|cx| Poll::Ready(link.is_idle(cx))).await
        {
            // What the batch has set, the socket keeps.
            tuning.follow(session, &link.stream);
            return Left::For(worker);
        }
    }
}

/// Waits until something has arrived, having sent what is to be sent. False when the client is
/// gone.
///
/// # Errors
/// Interrupts that end an idle session.
async fn await_input(session: &Session, link: &mut Link, interrupts: &Interrupts) -> Result<bool> {
    let mut posting = link.output.is_some();
    poll_fn(|cx| {
        if std::mem::take(&mut posting) {
            link.post(cx);
        }
        if interrupts.any() {
            interrupts.take_error().or_else(|error| match error.fields().severity {
                // The transaction cannot go on, and its client must not wait to be told.
                base::Severity::Error
                    if session.is_in_block() && error.sqlstate() == SqlState::SNAPSHOT_TOO_OLD =>
                {
                    Err(error.fatal())
                }
                // A cancel that came too late.
                base::Severity::Error => Ok(()),
                _ => Err(error),
            })?;
        }
        // Known before the look at the inbox: who puts something in wakes this task.
        interrupts.set_waker(cx.waker());
        loop {
            match link.poll_send(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Ok(false)),
                Poll::Pending => return Poll::Pending,
            }
            if !session.has_notifications() {
                break;
            }
            session.send_notifications(link.output());
        }
        match link.poll_fill(cx) {
            Poll::Ready(Ok(0)) => {
                if !link.input().is_empty() {
                    log::write(Level::Log, "unexpected EOF within message from client");
                }
                Poll::Ready(Ok(false))
            }
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(true)),
            Poll::Ready(Err(error)) => {
                log::log(format!(
                    "could not receive data from client: {}",
                    crate::config::os_text(&error)
                ));
                Poll::Ready(Ok(false))
            }
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Handles all whole messages that were read; the answers may be sent. Runs on a fiber.
fn run_batch(session: &mut Session, link: &mut Link) -> Flow {
    let flow = handle_batch(session, link);
    if may_send(session, link) { flow } else { Flow::End }
}

/// Waits until the answers that are there may be sent; when they never may, they are forgotten.
fn may_send(session: &Session, link: &mut Link) -> bool {
    if link.output.is_none() {
        return true;
    }
    let told = session.before_sending();
    if let Err(error) = &told {
        session.log(error);
        link.output = None;
    }
    told.is_ok()
}

fn handle_batch(session: &mut Session, link: &mut Link) -> Flow {
    let interrupts = session.entry().interrupts.clone();
    loop {
        if let Some(refused) = link.room.take_refused() {
            let mut view = View { link, interrupts: &interrupts, rest: &[], used: 0, moved: true };
            if session.refuse(refused.kind, refused.error, &mut view) == Flow::End {
                return Flow::End;
            }
        }
        let Some(input) = link.input.take() else { return Flow::Continue };
        let mut at = 0;
        let moved = loop {
            let frame = match Frame::split(&input[at..]) {
                Ok(Some(frame)) => frame,
                Ok(None) => break false,
                Err(error) => return refuse(link, &error),
            };
            at += frame.total_bytes();
            let message = match frame.decode() {
                Ok(message) => message,
                Err(error) => return refuse(link, &error),
            };
            let mut view =
                View { link, interrupts: &interrupts, rest: &input[at..], used: 0, moved: false };
            let flow = session.handle(message, &mut view);
            let (used, moved) = (view.used, view.moved);
            if flow == Flow::End {
                return Flow::End;
            }
            if moved {
                break true;
            }
            at += used;
            if link.output.as_ref().is_some_and(|out| out.len() >= SEND_BYTES) {
                if !may_send(session, link) {
                    return Flow::End;
                }
                let sending = wait_for(poll_fn(|cx| link.poll_send(cx)));
                // An interrupt shows itself again at the next message or when idle.
                if let Ok(Err(_)) = sending {
                    return Flow::End;
                }
            }
        };
        if moved {
            continue;
        }
        if at < input.len() {
            link.input = Some(input);
            link.consume(at);
        }
        return Flow::Continue;
    }
}

/// A client that breaks the protocol is told so and disconnected.
fn refuse(link: &mut Link, error: &Error) -> Flow {
    log::error(None, error);
    backend::error_response(link.output(), error);
    Flow::End
}
