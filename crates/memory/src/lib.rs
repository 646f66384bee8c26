//! Memory contexts and the ledger that limits them.
