//! Linux: each child's pidfd becomes readable when the child ends; one epoll set holds them all.

use crate::{Exit, as_pid, as_status};
use rustix::event::{Timespec, epoll};
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// The exits that one call reads at most.
const EVENTS_MAX: usize = 64;

#[derive(Debug)]
pub(crate) struct Queue {
    epoll: OwnedFd,
}

#[derive(Debug)]
pub(crate) struct Watch {
    pidfd: OwnedFd,
}

impl Queue {
    pub(crate) fn new() -> io::Result<Queue> {
        Ok(Queue { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)? })
    }

    pub(crate) fn watch(&self, pid: u32) -> io::Result<Watch> {
        let pidfd = pidfd_open(as_pid(pid)?, PidfdFlags::empty())?;
        epoll::add(
            &self.epoll,
            &pidfd,
            epoll::EventData::new_u64(u64::from(pid)),
            epoll::EventFlags::IN,
        )?;
        Ok(Watch { pidfd })
    }

    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        watched: &mut HashMap<u32, Watch>,
        exits: &mut Vec<Exit>,
    ) -> io::Result<()> {
        let timeout = timeout.map(|t| Timespec {
            tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(t.subsec_nanos()),
        });
        let mut events: Vec<epoll::Event> = Vec::with_capacity(EVENTS_MAX);
        match epoll::wait(
            &self.epoll,
            rustix::buffer::spare_capacity(&mut events),
            timeout.as_ref(),
        ) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let Ok(pid) = u32::try_from(event.data.u64()) else { continue };
            let Some(watch) = watched.get(&pid) else { continue };
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            let Some(status) = waitid(WaitId::PidFd(watch.pidfd.as_fd()), options)? else {
                continue;
            };
            if let Some(status) = as_status(status) {
                // Dropping the watch closes the pidfd, which takes it out of the epoll set.
                watched.remove(&pid);
                exits.push(Exit { pid, status });
            }
        }
        Ok(())
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}
