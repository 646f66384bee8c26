//! SQL functions that ask the session and the catalogs: chapters 9.17 and 9.27 of the manual.
//!
//! # Rules
//! 1. The catalogs are the session's: [`expr::service`] of [`catalog::Catalog`].
//! 2. What only the server knows is a method of [`expr::Host`].
//! 3. A number that names no object gives NULL where PostgreSQL gives NULL, never an error.

mod access;
mod acl;
mod activity;
mod comment;
mod convert;
mod definition;
mod enumeration;
mod identity;
mod information_schema;
mod input;
mod listing;
mod lock;
mod memory;
mod privilege;
mod property;
mod reg;
mod rows;
mod sequence;
mod session;
mod setting;
mod shim;
mod size;
mod transaction;
mod visible;

use expr::Entry;

/// All tables of this crate.
pub fn tables() -> Vec<&'static [Entry]> {
    let mut tables = vec![
        access::TABLE,
        acl::TABLE,
        activity::TABLE,
        comment::TABLE,
        convert::TEXT,
        convert::BINARY,
        definition::TABLE,
        enumeration::TABLE,
        identity::TABLE,
        information_schema::TABLE,
        input::TABLE,
        listing::TABLE,
        lock::TABLE,
        memory::TABLE,
        property::TABLE,
        reg::TABLE,
        sequence::TABLE,
        session::TABLE,
        setting::TABLE,
        size::TABLE,
        transaction::TABLE,
        visible::TABLE,
    ];
    tables.extend(privilege::TABLES);
    tables
}
