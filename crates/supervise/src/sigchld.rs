//! Other Unix systems: SIGCHLD writes a byte into a pipe, and each byte means a look at every
//! child of ours. No other child is touched.
//!
//! The pipes of sets that are gone are kept for the next sets: the signal's handler may be about to
//! write into one, and must not hit a descriptor that means something else by then.

use crate::{unix, Exit, Status, Usage};
use std::collections::HashMap;
use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::io::BorrowedFd;
use std::process::Child;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The sets that may exist at a time.
const SETS_MAX: usize = 64;

/// A set's pipe; both ends are -1 until it is made.
struct Bell {
    read: AtomicI32,
    write: AtomicI32,
    taken: AtomicBool,
}

#[allow(clippy::declare_interior_mutable_const)] // It is only there to be repeated.
const NO_BELL: Bell =
    Bell { read: AtomicI32::new(-1), write: AtomicI32::new(-1), taken: AtomicBool::new(false) };
static BELLS: [Bell; SETS_MAX] = [NO_BELL; SETS_MAX];
/// The handler that was there before ours, 0 for none, and whether it takes three arguments.
static EARLIER: AtomicUsize = AtomicUsize::new(0);
static EARLIER_TAKES_THREE: AtomicBool = AtomicBool::new(false);
/// Whether our handler is installed.
static INSTALLED: Mutex<bool> = Mutex::new(false);

#[derive(Debug)]
pub(crate) struct Queue {
    bell: usize,
}

#[derive(Debug)]
pub(crate) struct Watch;

impl Queue {
    pub(crate) fn new() -> io::Result<Queue> {
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = BELLS
            .iter()
            .position(|bell| !bell.taken.load(Ordering::Relaxed))
            .ok_or_else(|| io::Error::new(io::ErrorKind::Other, "too many sets of children"))?;
        if BELLS[bell].write.load(Ordering::Relaxed) < 0 {
            let (read, write) = pipe()?;
            BELLS[bell].read.store(read, Ordering::Relaxed);
            BELLS[bell].write.store(write, Ordering::Release);
        }
        if !*installed {
            install()?;
            *installed = true;
        }
        BELLS[bell].taken.store(true, Ordering::Relaxed);
        Ok(Queue { bell })
    }

    pub(crate) fn watch(&self, _child: &Child) -> io::Result<Watch> {
        Ok(Watch)
    }

    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        watched: &mut HashMap<u32, Watch>,
        exits: &mut Vec<Exit>,
    ) -> io::Result<()> {
        // A child may have ended before its watch began: look first, then wait. A byte that comes
        // after the pipe was emptied belongs to an exit that the next look finds.
        self.silence();
        collect(watched, exits);
        if !exits.is_empty() {
            return Ok(());
        }
        let mut fd = libc::pollfd { fd: self.read(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid entry.
        if unsafe { libc::poll(&mut fd, 1, unix::poll_timeout(timeout)) } < 0 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        self.silence();
        collect(watched, exits);
        Ok(())
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: pipes are never closed.
        unsafe { BorrowedFd::borrow_raw(self.read()) }
    }

    fn read(&self) -> i32 {
        BELLS[self.bell].read.load(Ordering::Relaxed)
    }

    fn silence(&self) {
        let mut sink = [0u8; 256];
        // SAFETY: the buffer is as long as is said; the pipe does not block.
        while unsafe { libc::read(self.read(), sink.as_mut_ptr().cast(), sink.len()) } > 0 {}
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        BELLS[self.bell].taken.store(false, Ordering::Relaxed);
    }
}

impl Watch {
    pub(crate) fn kill(&self, pid: u32) -> bool {
        self.signal(pid, libc::SIGKILL)
    }

    pub(crate) fn signal(&self, pid: u32, signal: i32) -> bool {
        // SAFETY: takes no pointers; the child has not been waited for, so the id is its own.
        unsafe { libc::kill(unix::process_id(pid), signal) == 0 }
    }
}

fn collect(watched: &mut HashMap<u32, Watch>, exits: &mut Vec<Exit>) {
    let first = exits.len();
    for pid in watched.keys() {
        if let Some((status, usage)) = reap(*pid) {
            exits.push(Exit { pid: *pid, status, usage });
        }
    }
    exits[first..].sort_by_key(|exit| exit.pid);
    for exit in &exits[first..] {
        watched.remove(&exit.pid);
    }
}

/// Takes the status of a child that has ended; nothing of one that lives.
fn reap(pid: u32) -> Option<(Status, Usage)> {
    let mut raw = 0;
    let mut used = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the structure is plain data for which zeroes are valid, and the call fills it in.
    let (result, used) = unsafe {
        let result = libc::wait4(unix::process_id(pid), &mut raw, libc::WNOHANG, used.as_mut_ptr());
        (result, used.assume_init())
    };
    match result {
        0 => None,
        result if result > 0 => Some((unix::status(raw)?, unix::usage(&used))),
        _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => None,
        _ => Some((Status::Unknown, Usage::default())),
    }
}

fn pipe() -> io::Result<(i32, i32)> {
    let mut ends = [-1; 2];
    // SAFETY: two places; then flags of descriptors that are ours.
    unsafe {
        if libc::pipe(ends.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        for end in ends {
            libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC);
            libc::fcntl(end, libc::F_SETFL, libc::O_NONBLOCK);
        }
    }
    Ok((ends[0], ends[1]))
}

fn install() -> io::Result<()> {
    let mut earlier = MaybeUninit::<libc::sigaction>::zeroed();
    let mut ours = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the structures are plain data for which zeroes are valid: no flags, an empty mask.
    // The handler calls only what is safe in a signal's handler.
    unsafe {
        if libc::sigaction(libc::SIGCHLD, ptr::null(), earlier.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        let earlier = earlier.assume_init();
        if earlier.sa_sigaction != libc::SIG_DFL && earlier.sa_sigaction != libc::SIG_IGN {
            let three = earlier.sa_flags & libc::SA_SIGINFO != 0;
            EARLIER_TAKES_THREE.store(three, Ordering::Relaxed);
            EARLIER.store(earlier.sa_sigaction, Ordering::Release);
        }
        let handler: Handler = ring;
        (*ours.as_mut_ptr()).sa_sigaction = handler as usize;
        (*ours.as_mut_ptr()).sa_flags =
            libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_NOCLDSTOP | libc::SA_ONSTACK;
        if libc::sigaction(libc::SIGCHLD, ours.as_ptr(), ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void);

extern "C" fn ring(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    let error = errno();
    for bell in &BELLS {
        let write = bell.write.load(Ordering::Acquire);
        if write < 0 {
            break;
        }
        // SAFETY: one byte. A full pipe is readable already.
        unsafe { libc::write(write, [0u8].as_ptr().cast(), 1) };
    }
    let earlier = EARLIER.load(Ordering::Acquire);
    if earlier != 0 {
        // SAFETY: the address was a handler with these arguments when ours took its place.
        unsafe {
            if EARLIER_TAKES_THREE.load(Ordering::Relaxed) {
                std::mem::transmute::<usize, Handler>(earlier)(signal, info, context);
            } else {
                std::mem::transmute::<usize, extern "C" fn(i32)>(earlier)(signal);
            }
        }
    }
    set_errno(error);
}

fn errno() -> i32 {
    // SAFETY: the place is this thread's own.
    unsafe { *errno_place() }
}

fn set_errno(error: i32) {
    // SAFETY: the place is this thread's own.
    unsafe { *errno_place() = error }
}

#[cfg(any(target_os = "openbsd", target_os = "netbsd", target_os = "android"))]
use libc::__errno as errno_place;
#[cfg(any(target_os = "linux", target_os = "emscripten"))]
use libc::__errno_location as errno_place;
#[cfg(any(
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "dragonfly"
))]
use libc::__error as errno_place;
