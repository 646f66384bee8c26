//! Charges of accounts that many threads share.

use super::{Account, Node, Refused, out_of_memory};
use base::Result;
use std::sync::Arc;

/// An account that many threads charge at once; every charge goes to the shared node.
#[derive(Clone, Debug)]
pub struct SharedAccount(Arc<Node>);

impl SharedAccount {
    pub(super) fn over(node: Arc<Node>) -> SharedAccount {
        SharedAccount(node)
    }

    /// Reserves `bytes` until the charge is dropped; `asker` names the holder in the error.
    ///
    /// # Errors
    /// 53200 when this account or one above it would go over its limit.
    pub fn charge(&self, bytes: u64, asker: &str) -> Result<Charge> {
        if crate::inject::fails() {
            return Err(out_of_memory(bytes, asker));
        }
        self.0.reserve(bytes).map_err(|refused| refused.error(bytes, asker))?;
        Ok(Charge { node: self.0.clone(), bytes })
    }

    /// Reserves `bytes` of memory that is there already, over the limit if need be.
    pub fn noted(&self, bytes: u64) -> Charge {
        self.0.note(bytes);
        Charge { node: self.0.clone(), bytes }
    }

    /// Whether the server has room for `bytes` more, whatever the limits of this account say.
    pub fn server_has(&self, bytes: u64) -> bool {
        self.0.root().reserved().saturating_add(bytes) <= self.server_limit()
    }

    /// The server's limit.
    pub fn server_limit(&self) -> u64 {
        self.0.root().limit()
    }

    /// The same for memory that one can do without: no charge instead of an error.
    pub fn charge_if_free(&self, bytes: u64) -> Option<Charge> {
        if crate::inject::fails() {
            return None;
        }
        self.0.reserve(bytes).ok()?;
        Some(Charge { node: self.0.clone(), bytes })
    }

    /// As [`SharedAccount::charge`], but others give back first if the server has no room. Not for
    /// those who are asked to give back themselves.
    ///
    /// # Errors
    /// 53200 when this account or one above it would go over its limit.
    pub fn charge_with_relief(&self, bytes: u64, asker: &str) -> Result<Charge> {
        if crate::inject::fails() {
            return Err(out_of_memory(bytes, asker));
        }
        self.0.reserve_with_relief(bytes).map_err(|refused| refused.error(bytes, asker))?;
        Ok(Charge { node: self.0.clone(), bytes })
    }

    /// A charge of no bytes, which can grow.
    pub fn nothing(&self) -> Charge {
        Charge { node: self.0.clone(), bytes: 0 }
    }

    /// A handle for the calling thread, with slack of its own.
    pub fn local(&self) -> Account {
        Account::over(self.0.clone())
    }

    /// The node.
    pub fn node(&self) -> &Arc<Node> {
        &self.0
    }
}

/// Bytes that stay reserved as long as this lives. It may move between threads.
#[derive(Debug)]
pub struct Charge {
    node: Arc<Node>,
    bytes: u64,
}

impl Charge {
    /// Of bytes that are reserved at the node.
    pub(super) fn of(node: Arc<Node>, bytes: u64) -> Charge {
        Charge { node, bytes }
    }

    /// The bytes reserved.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Changes the charge to `bytes`.
    ///
    /// # Errors
    /// 53200 when it grows over a limit; then nothing has changed.
    pub fn resize(&mut self, bytes: u64, asker: &str) -> Result<()> {
        self.change(bytes, asker, Node::reserve)
    }

    /// As [`Charge::resize`], but others give back first if the server has no room. Not for those
    /// who are asked to give back themselves.
    ///
    /// # Errors
    /// 53200 when it grows over a limit; then nothing has changed.
    pub fn resize_with_relief(&mut self, bytes: u64, asker: &str) -> Result<()> {
        self.change(bytes, asker, Node::reserve_with_relief)
    }

    fn change(
        &mut self,
        bytes: u64,
        asker: &str,
        reserve: impl Fn(&Node, u64) -> std::result::Result<(), Refused<'_>>,
    ) -> Result<()> {
        if bytes > self.bytes {
            let more = bytes - self.bytes;
            if crate::inject::fails() {
                return Err(out_of_memory(more, asker));
            }
            reserve(&self.node, more).map_err(|refused| refused.error(more, asker))?;
        } else {
            self.node.release(self.bytes - bytes);
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Adds another charge of the same account.
    pub fn take_over(&mut self, mut other: Charge) {
        assert!(Arc::ptr_eq(&self.node, &other.node), "charges of two accounts");
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Changes the charge to `bytes` of memory that is there already, over the limit if need be.
    pub fn note(&mut self, bytes: u64) {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.node.note(more),
            None => self.node.release(self.bytes - bytes),
        }
        self.bytes = bytes;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.node.release(self.bytes);
    }
}
