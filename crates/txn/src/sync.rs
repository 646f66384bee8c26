//! The synchronisation primitives of this crate, in one place: a test replaces this module with
//! shuttle's and explores the schedules of the modules that use it.

pub(crate) use parking_lot::Mutex;
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
