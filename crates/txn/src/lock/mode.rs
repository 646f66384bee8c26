//! Lock modes and their conflicts.

/// The eight modes of locks on tables and other objects, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum LockMode {
    /// SELECT.
    AccessShare = 1,
    /// SELECT FOR UPDATE and its like.
    RowShare = 2,
    /// INSERT, UPDATE, DELETE.
    RowExclusive = 3,
    /// VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY.
    ShareUpdateExclusive = 4,
    /// CREATE INDEX.
    Share = 5,
    /// CREATE TRIGGER and some forms of ALTER TABLE.
    ShareRowExclusive = 6,
    /// REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive = 7,
    /// DROP TABLE, TRUNCATE, most forms of ALTER TABLE.
    AccessExclusive = 8,
}

impl LockMode {
    /// All modes, weakest first.
    pub const ALL: [LockMode; 8] = [
        LockMode::AccessShare,
        LockMode::RowShare,
        LockMode::RowExclusive,
        LockMode::ShareUpdateExclusive,
        LockMode::Share,
        LockMode::ShareRowExclusive,
        LockMode::Exclusive,
        LockMode::AccessExclusive,
    ];

    pub(crate) fn bit(self) -> u16 {
        1 << self as u8
    }

    /// The modes that conflict with it, a bit each.
    pub(crate) fn conflicts(self) -> u16 {
        const fn bits(modes: &[u8]) -> u16 {
            let (mut bits, mut i) = (0, 0);
            while i < modes.len() {
                bits |= 1 << modes[i];
                i += 1;
            }
            bits
        }
        const TABLE: [u16; 9] = [
            0,
            bits(&[8]),
            bits(&[7, 8]),
            bits(&[5, 6, 7, 8]),
            bits(&[4, 5, 6, 7, 8]),
            bits(&[3, 4, 6, 7, 8]),
            bits(&[3, 4, 5, 6, 7, 8]),
            bits(&[2, 3, 4, 5, 6, 7, 8]),
            bits(&[1, 2, 3, 4, 5, 6, 7, 8]),
        ];
        TABLE[self as usize]
    }

    /// Whether a holder of `other` keeps this mode waiting.
    pub fn conflicts_with(self, other: LockMode) -> bool {
        self.conflicts() & other.bit() != 0
    }

    /// Whether it conflicts with none of the weak modes, its own included: such locks on tables
    /// stay in their owner's slot.
    pub(crate) fn is_weak(self) -> bool {
        self <= LockMode::RowExclusive
    }

    /// Whether it conflicts with weak modes.
    pub(crate) fn is_strong(self) -> bool {
        self > LockMode::ShareUpdateExclusive
    }

    /// PostgreSQL's name of the mode, as in `pg_locks`.
    pub fn name(self) -> &'static str {
        match self {
            LockMode::AccessShare => "AccessShareLock",
            LockMode::RowShare => "RowShareLock",
            LockMode::RowExclusive => "RowExclusiveLock",
            LockMode::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            LockMode::Share => "ShareLock",
            LockMode::ShareRowExclusive => "ShareRowExclusiveLock",
            LockMode::Exclusive => "ExclusiveLock",
            LockMode::AccessExclusive => "AccessExclusiveLock",
        }
    }
}

/// The four modes of row locks, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum RowLockMode {
    /// FOR KEY SHARE: foreign keys.
    KeyShare = 0,
    /// FOR SHARE.
    Share = 1,
    /// FOR NO KEY UPDATE, and UPDATE of other columns than a key's.
    NoKeyUpdate = 2,
    /// FOR UPDATE, DELETE, and UPDATE of a key.
    Update = 3,
}

impl RowLockMode {
    /// All modes, weakest first.
    pub const ALL: [RowLockMode; 4] =
        [RowLockMode::KeyShare, RowLockMode::Share, RowLockMode::NoKeyUpdate, RowLockMode::Update];

    /// Whether a holder of `other` keeps this mode waiting.
    pub fn conflicts_with(self, other: RowLockMode) -> bool {
        use RowLockMode::{KeyShare, NoKeyUpdate, Share, Update};
        matches!(
            (self, other),
            (Update, _) | (_, Update) | (NoKeyUpdate, NoKeyUpdate | Share) | (Share, NoKeyUpdate)
        ) && !matches!((self, other), (KeyShare, KeyShare))
    }

    /// Whether it conflicts with every mode with which `other` does.
    pub(crate) fn conflicts_as_much_as(self, other: RowLockMode) -> bool {
        self >= other
    }

    /// The mode of the lock that PostgreSQL takes on the tuple while it waits.
    pub(crate) fn tuple_lock_name(self) -> &'static str {
        match self {
            RowLockMode::KeyShare => LockMode::AccessShare.name(),
            RowLockMode::Share => LockMode::RowShare.name(),
            RowLockMode::NoKeyUpdate => LockMode::Exclusive.name(),
            RowLockMode::Update => LockMode::AccessExclusive.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_symmetric_and_those_of_postgresql() {
        // The table of the documentation, chapter "Explicit Locking": X where two modes conflict.
        let table = [
            ".......X", "......XX", "....XXXX", "...XXXXX", "..XX.XXX", "..XXXXXX", ".XXXXXXX",
            "XXXXXXXX",
        ];
        for (a, row) in LockMode::ALL.iter().zip(table) {
            for (b, cell) in LockMode::ALL.iter().zip(row.chars()) {
                assert_eq!(a.conflicts_with(*b), cell == 'X', "{a:?} {b:?}");
                assert_eq!(a.conflicts_with(*b), b.conflicts_with(*a));
            }
        }
        let rows = ["...X", "..XX", ".XXX", "XXXX"];
        for (a, row) in RowLockMode::ALL.iter().zip(rows) {
            for (b, cell) in RowLockMode::ALL.iter().zip(row.chars()) {
                assert_eq!(a.conflicts_with(*b), cell == 'X', "{a:?} {b:?}");
                let all = RowLockMode::ALL;
                let covers = all.iter().all(|c| !b.conflicts_with(*c) || a.conflicts_with(*c));
                assert_eq!(a.conflicts_as_much_as(*b), covers, "{a:?} {b:?}");
            }
        }
    }
}
