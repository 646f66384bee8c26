//! Utility statements, one file each.
