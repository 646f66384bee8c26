//! Transactions: XIDs, snapshots, versions, locks.
