//! The undo bodies of version records, in memory or spilled to a non-durable file.

use base::Result;
use parking_lot::Mutex;
use std::sync::Arc;

/// The bytes of an undo body.
pub(crate) struct Body(Mutex<State>);

enum State {
    Memory(Arc<[u8]>),
}

impl Body {
    pub(crate) fn new(bytes: &[u8]) -> Body {
        Body(Mutex::new(State::Memory(bytes.into())))
    }

    /// Calls `with` with the bytes; may wait for a read when they are spilled.
    pub(crate) fn with<R>(&self, with: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let bytes = match &*self.0.lock() {
            State::Memory(bytes) => bytes.clone(),
        };
        Ok(with(&bytes))
    }

    /// The bytes, when they are in memory.
    pub(crate) fn resident(&self) -> Option<Arc<[u8]>> {
        match &*self.0.lock() {
            State::Memory(bytes) => Some(bytes.clone()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &*self.0.lock() {
            State::Memory(bytes) => bytes.len(),
        }
    }

    pub(crate) fn resident_bytes(&self) -> usize {
        match &*self.0.lock() {
            State::Memory(bytes) => bytes.len(),
        }
    }
}
