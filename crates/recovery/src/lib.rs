//! Redo, undo of losers, checkpoints.
