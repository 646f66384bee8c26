//! Prepared statements that sessions share.
//!
//! # How it works
//! Sessions that prepare the same text for the same role, with the same settings, have the same
//! plan: whoever comes later finds it here, as long as some session has it. So a session pays for
//! the names of its statements, not for their plans.
//!
//! # Rules
//! 1. What is found here is used only after the backend has said that it fits the catalogs as they
//!    are.
//! 2. A session with uncommitted catalog changes, or with temporary objects, shares nothing.

use crate::statement::{Kind, Prepared};
use base::Oid;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// From how many entries on those without a session are looked for.
const SWEEP_MIN: usize = 256;

/// What a plan depends on besides the catalogs.
#[derive(PartialEq, Eq, Hash, Debug)]
pub(crate) struct StatementKey {
    /// Role, database and settings.
    pub(crate) environment: Box<str>,
    pub(crate) text: Box<str>,
    pub(crate) types: Box<[Oid]>,
}

/// The shared statements.
#[derive(Debug, Default)]
pub(crate) struct SharedStatements(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    statements: HashMap<StatementKey, Weak<Prepared>>,
    /// The number of entries at which those without a session are looked for.
    sweep_at: usize,
}

impl SharedStatements {
    /// The statement that a session has prepared.
    pub(crate) fn find(&self, key: &StatementKey) -> Option<Arc<Prepared>> {
        self.0.lock().statements.get(key)?.upgrade()
    }

    /// Offers a statement to other sessions.
    pub(crate) fn share(&self, key: StatementKey, prepared: &Arc<Prepared>) {
        if !matches!(prepared.kind, Kind::Plan(_)) {
            return;
        }
        let mut entries = self.0.lock();
        if entries.statements.len() >= entries.sweep_at.max(SWEEP_MIN) {
            entries.statements.retain(|_, statement| statement.strong_count() > 0);
            entries.sweep_at = 2 * entries.statements.len();
        }
        entries.statements.insert(key, Arc::downgrade(prepared));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memory::Ledger;

    fn key(text: &str) -> StatementKey {
        StatementKey { environment: "".into(), text: text.into(), types: Box::default() }
    }

    fn prepared(kind: Kind) -> Arc<Prepared> {
        let source = "x".into();
        let parameters = Box::default();
        let charge = Ledger::new(0).shared("prepared statements", 0).charge(0, "statement");
        Arc::new(Prepared {
            source,
            kind,
            parameters,
            columns: None,
            tag: "",
            claim: crate::statement::Claim::Nothing,
            ends_block: false,
            _charge: charge.unwrap(),
        })
    }

    #[test]
    fn only_plans_are_shared() {
        let shared = SharedStatements::default();
        shared.share(key("a"), &prepared(Kind::Own));
        assert!(shared.find(&key("a")).is_none());
    }
}
