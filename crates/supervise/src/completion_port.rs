//! Windows: the system's thread pool waits for the handles of the processes, 63 of them a thread,
//! and posts each exit to an I/O completion port, which the owner reads.

use crate::{Exit, Status, Usage};
use std::collections::HashMap;
use std::convert::TryFrom;
use std::ffi::c_void;
use std::io;
use std::mem::{size_of, MaybeUninit};
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
use std::process::Child;
use std::ptr;
use std::time::Duration;
use windows_sys::Win32::Foundation::{
    BOOLEAN, FILETIME, HANDLE, INVALID_HANDLE_VALUE, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
use windows_sys::Win32::System::Threading::{
    GetExitCodeProcess, GetProcessTimes, RegisterWaitForSingleObject, Sleep, TerminateProcess,
    UnregisterWaitEx, INFINITE, WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE,
};
use windows_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetQueuedCompletionStatus, PostQueuedCompletionStatus,
};

/// Exit codes from here on are exceptions.
const EXCEPTIONS_FROM: u32 = 0xC000_0000;
/// The exit code of a child that was ended by [`Watch::kill`].
const KILLED: u32 = 1;

#[derive(Debug)]
pub(crate) struct Queue {
    port: OwnedHandle,
}

#[derive(Debug)]
pub(crate) struct Watch {
    process: OwnedHandle,
    /// Of the registered wait.
    wait: HANDLE,
    /// A box that the callback reads; ours again when the wait is unregistered.
    packet: *mut Packet,
}

// SAFETY: the handle and the box belong to this watch alone, and neither is bound to a thread.
unsafe impl Send for Watch {}
// SAFETY: nothing can be changed by a shared reference.
unsafe impl Sync for Watch {}

/// What the callback posts.
#[derive(Debug)]
struct Packet {
    port: HANDLE,
    pid: u32,
}

impl Queue {
    pub(crate) fn new() -> io::Result<Queue> {
        // SAFETY: no file is bound to the port; a handle that is not null is new and ours.
        let port = unsafe {
            let raw = CreateIoCompletionPort(INVALID_HANDLE_VALUE, ptr::null_mut(), 0, 1);
            if raw.is_null() {
                return Err(io::Error::last_os_error());
            }
            OwnedHandle::from_raw_handle(raw)
        };
        Ok(Queue { port })
    }

    pub(crate) fn watch(&self, child: &Child) -> io::Result<Watch> {
        // The id stays reserved as long as this handle is open.
        let process = child.as_handle().try_clone_to_owned()?;
        let packet =
            Box::into_raw(Box::new(Packet { port: self.port.as_raw_handle(), pid: child.id() }));
        let mut wait = ptr::null_mut();
        let flags = WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD;
        // SAFETY: process and packet live until the wait is unregistered.
        let registered = unsafe {
            RegisterWaitForSingleObject(
                &mut wait,
                process.as_raw_handle(),
                Some(ended),
                packet.cast::<c_void>(),
                INFINITE,
                flags,
            )
        };
        if registered == 0 {
            let error = io::Error::last_os_error();
            // SAFETY: no callback was registered, so the box is still ours alone.
            drop(unsafe { Box::from_raw(packet) });
            return Err(error);
        }
        Ok(Watch { process, wait, packet })
    }

    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        watched: &mut HashMap<u32, Watch>,
        exits: &mut Vec<Exit>,
    ) -> io::Result<()> {
        let mut limit_ms = match timeout {
            None => INFINITE,
            Some(timeout) => u32::try_from(crate::milliseconds(timeout))
                .unwrap_or(INFINITE - 1)
                .min(INFINITE - 1),
        };
        loop {
            let (mut bytes, mut key, mut overlapped) = (0, 0, ptr::null_mut());
            // SAFETY: three places to write to; the port is open.
            let got = unsafe {
                GetQueuedCompletionStatus(
                    self.port.as_raw_handle(),
                    &mut bytes,
                    &mut key,
                    &mut overlapped,
                    limit_ms,
                )
            };
            if got == 0 {
                let error = io::Error::last_os_error();
                let timed_out = error.raw_os_error() == i32::try_from(WAIT_TIMEOUT).ok();
                return if timed_out || !exits.is_empty() { Ok(()) } else { Err(error) };
            }
            let pid = u32::try_from(key).unwrap_or(0);
            if let Some(watch) = watched.remove(&pid) {
                let (status, usage) = watch.reap();
                exits.push(Exit { pid, status, usage });
            }
            // What else there is, without waiting.
            limit_ms = 0;
        }
    }
}

impl Watch {
    pub(crate) fn kill(&self, _pid: u32) -> bool {
        // SAFETY: the handle is open.
        unsafe { TerminateProcess(self.process.as_raw_handle(), KILLED) != 0 }
    }

    /// The status of a process that has ended.
    fn reap(&self) -> (Status, Usage) {
        let process = self.process.as_raw_handle();
        let mut code = 0;
        let none = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
        let (mut created, mut exited, mut kernel, mut user) = (none, none, none, none);
        let mut memory = MaybeUninit::<PROCESS_MEMORY_COUNTERS>::zeroed();
        let size = u32::try_from(size_of::<PROCESS_MEMORY_COUNTERS>()).unwrap_or(0);
        // SAFETY: the handle is open; all places are valid, plain data, and as large as is said.
        let (known, memory) = unsafe {
            let known = GetExitCodeProcess(process, &mut code) != 0;
            GetProcessTimes(process, &mut created, &mut exited, &mut kernel, &mut user);
            K32GetProcessMemoryInfo(process, memory.as_mut_ptr(), size);
            (known, memory.assume_init())
        };
        let status = match code {
            _ if !known => Status::Unknown,
            code if code >= EXCEPTIONS_FROM => Status::Exception(code),
            code => Status::Exited(code as i32),
        };
        let usage = Usage {
            user: duration(user),
            system: duration(kernel),
            resident_bytes_max: u64::try_from(memory.PeakWorkingSetSize).unwrap_or(0),
        };
        (status, usage)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: the wait is registered; this returns when its callback has run or never will, and
        // then the box is ours alone again.
        unsafe {
            UnregisterWaitEx(self.wait, INVALID_HANDLE_VALUE);
            drop(Box::from_raw(self.packet));
        }
    }
}

/// Runs on a thread of the system's when a process has ended.
extern "system" fn ended(context: *mut c_void, _timed_out: BOOLEAN) {
    // SAFETY: the watch frees the packet only when this function has returned.
    let packet = unsafe { &*context.cast::<Packet>() };
    // Posting fails when the system is out of memory for it. An exit must not be lost.
    // SAFETY: the port outlives its watches.
    while unsafe {
        PostQueuedCompletionStatus(packet.port, 0, packet.pid as usize, ptr::null()) == 0
    } {
        // SAFETY: takes no pointers.
        unsafe { Sleep(1) };
    }
}

/// A time in units of 100 ns.
fn duration(time: FILETIME) -> Duration {
    let ticks = u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    Duration::from_micros(ticks / 10)
}
