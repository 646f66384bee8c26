//! Newtypes for every kind of number that names something.

use std::fmt;

macro_rules! id {
    ($(#[$meta:meta])* $name:ident($repr:ty)) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub $repr);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id! {
    /// A transaction id. It never wraps and is never reused. 0 means none.
    Xid(u64)
}
id! {
    /// A commit sequence number: the LSN of the commit record. 0 means none.
    Csn(u64)
}
id! {
    /// A position in the write-ahead log, in bytes from its beginning. 0 means none.
    Lsn(u64)
}
id! {
    /// An object id of the catalogs. 0 means none (`InvalidOid`).
    Oid(u32)
}
id! {
    /// A file of the data directory: one tree. Never reused. 0 means none.
    FileId(u64)
}
id! {
    /// A page of a tree, counted in that tree's page size.
    PageNo(u64)
}
id! {
    /// The hidden key of a row. Never reused within its table, never changed by an update.
    RowId(u64)
}
id! {
    /// The number of a command within its transaction, counted from 0.
    CommandId(u32)
}
id! {
    /// The stored identity of a column within its table. Never reused within the table.
    ColumnId(u32)
}
id! {
    /// A session, shown to clients as the backend's pid. Never 0.
    SessionId(u32)
}

impl Xid {
    /// No transaction.
    pub const INVALID: Xid = Xid(0);
    /// The first transaction of a new cluster unless `--next-xid` says otherwise.
    /// Rows made by bootstrap carry [`Xid::FROZEN`].
    pub const FIRST_NORMAL: Xid = Xid(3);
    /// The writer of rows that were there from the beginning: visible to everybody.
    pub const FROZEN: Xid = Xid(2);

    /// Whether this names a transaction at all.
    pub fn is_valid(self) -> bool {
        self != Xid::INVALID
    }
}

impl Lsn {
    /// No position.
    pub const INVALID: Lsn = Lsn(0);

    /// PostgreSQL's form, `16/B374D848`: the upper and lower halves in hexadecimal.
    pub fn to_pg_string(self) -> String {
        format!("{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl Csn {
    /// No commit.
    pub const INVALID: Csn = Csn(0);
}

impl Oid {
    /// `InvalidOid`.
    pub const INVALID: Oid = Oid(0);
    /// The first OID that is given to objects made by users.
    pub const FIRST_NORMAL: Oid = Oid(16384);

    /// Whether this names an object at all.
    pub fn is_valid(self) -> bool {
        self != Oid::INVALID
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lsn_prints_as_postgresql_prints_it() {
        assert_eq!(Lsn(0x16_B374_D848).to_pg_string(), "16/B374D848");
        assert_eq!(Lsn(0x1000).to_pg_string(), "0/1000");
    }
}
