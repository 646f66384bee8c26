//! What each system knows about this process, and what the standard library of Rust 1.63 has not.

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// What a pipe holds without a reader: a line each of the children.
const PIPE_BYTES: u32 = 1 << 20;

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io;
    use std::os::unix::io::FromRawFd;
    use std::process::Child;

    /// Waits for a child without taking its status, so that it can be killed meanwhile.
    pub(crate) struct Waiter(u32);

    pub(crate) fn waiter(child: &Child) -> io::Result<Waiter> {
        Ok(Waiter(child.id()))
    }

    impl Waiter {
        pub(crate) fn wait(&self) {
            let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
            let flags = libc::WEXITED | libc::WNOWAIT;
            // SAFETY: the structure is plain data, and as large as the system expects.
            while unsafe { libc::waitid(libc::P_PID, self.0, info.as_mut_ptr(), flags) } != 0
                && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
            {}
        }
    }

    /// A pipe: the end to read from, the end to write to.
    pub(crate) fn pipe() -> io::Result<(File, File)> {
        let mut ends = [-1; 2];
        // SAFETY: two places; the descriptors are new and nobody else's.
        unsafe {
            if libc::pipe(ends.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            for end in ends {
                libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC);
            }
            #[cfg(target_os = "linux")]
            libc::fcntl(ends[1], libc::F_SETPIPE_SZ, super::PIPE_BYTES);
            Ok((File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])))
        }
    }

    /// Descriptors: as many as the system lets us have.
    pub(crate) fn raise_limits() {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: a valid place, then a valid limit.
        unsafe {
            if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
                limit.rlim_cur = limit.rlim_max;
                libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
            }
        }
    }

    /// The threads of this process.
    pub(crate) fn threads() -> u64 {
        status("Threads:")
    }

    /// The most address space and the most resident memory so far.
    pub(crate) fn memory_max_kb() -> (u64, u64) {
        (status("VmPeak:"), status("VmHWM:"))
    }

    fn status(name: &str) -> u64 {
        let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
        line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
    }
}

#[cfg(windows)]
mod windows {
    use std::fs::File;
    use std::io;
    use std::mem::{size_of, MaybeUninit};
    use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
    use std::process::Child;
    use std::ptr;
    use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
    use windows_sys::Win32::System::Diagnostics::ToolHelp::{
        CreateToolhelp32Snapshot, Thread32First, Thread32Next, TH32CS_SNAPTHREAD, THREADENTRY32,
    };
    use windows_sys::Win32::System::Pipes::CreatePipe;
    use windows_sys::Win32::System::ProcessStatus::{
        K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS,
    };
    use windows_sys::Win32::System::Threading::{GetCurrentProcess, WaitForSingleObject, INFINITE};

    /// Waits for a child without taking its status, so that it can be killed meanwhile.
    pub(crate) struct Waiter(OwnedHandle);

    pub(crate) fn waiter(child: &Child) -> io::Result<Waiter> {
        Ok(Waiter(child.as_handle().try_clone_to_owned()?))
    }

    impl Waiter {
        pub(crate) fn wait(&self) {
            // SAFETY: the handle is open.
            unsafe { WaitForSingleObject(self.0.as_raw_handle(), INFINITE) };
        }
    }

    /// A pipe: the end to read from, the end to write to.
    pub(crate) fn pipe() -> io::Result<(File, File)> {
        let (mut read, mut write) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: two places; the handles are new and nobody else's.
        unsafe {
            if CreatePipe(&mut read, &mut write, ptr::null(), super::PIPE_BYTES) == 0 {
                return Err(io::Error::last_os_error());
            }
            Ok((File::from_raw_handle(read), File::from_raw_handle(write)))
        }
    }

    pub(crate) fn raise_limits() {}

    /// The threads of this process.
    pub(crate) fn threads() -> u64 {
        let mut entry = MaybeUninit::<THREADENTRY32>::zeroed();
        let mut count = 0;
        // SAFETY: zeroes are valid for the entry, whose first field says how large it is.
        unsafe {
            let raw = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
            if raw == INVALID_HANDLE_VALUE {
                return 0;
            }
            let snapshot = OwnedHandle::from_raw_handle(raw);
            let entry = entry.as_mut_ptr();
            (*entry).dwSize = size_of::<THREADENTRY32>() as u32;
            let mut more = Thread32First(snapshot.as_raw_handle(), entry);
            while more != 0 {
                count += u64::from((*entry).th32OwnerProcessID == std::process::id());
                more = Thread32Next(snapshot.as_raw_handle(), entry);
            }
        }
        count
    }

    /// The most that was committed and the most resident memory so far.
    pub(crate) fn memory_max_kb() -> (u64, u64) {
        let mut memory = MaybeUninit::<PROCESS_MEMORY_COUNTERS>::zeroed();
        let size = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
        // SAFETY: plain data, as large as is said.
        let memory = unsafe {
            K32GetProcessMemoryInfo(GetCurrentProcess(), memory.as_mut_ptr(), size);
            memory.assume_init()
        };
        (memory.PeakPagefileUsage as u64 / 1024, memory.PeakWorkingSetSize as u64 / 1024)
    }
}
