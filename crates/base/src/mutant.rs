//! Deliberate mistakes of the storage: the test of its tests.
//!
//! Only with the feature `mutants`, which no program is built with; without it [`is_on`] is a
//! constant. With it the variable `PERDURA_MUTANT` names the mistake that this process makes.

/// A mistake that the simulator must notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// Recovery does not take back what never committed.
    UndoSkipped,
    /// The log is not synced.
    FsyncSkipped,
    /// A page is written before the log that describes it.
    PageBeforeLog,
    /// An index entry is believed though its stamp is not visible (storage rule 18).
    StaleEntryBelieved,
    /// A commit is published with a number from before its record (storage rule 1).
    PublishedBeforeRecord,
    /// What an old snapshot still sees is purged (storage rule 2).
    PurgedBeforeHorizon,
}

impl Mutant {
    /// All of them, with the names that `PERDURA_MUTANT` has for them.
    pub const ALL: [(&'static str, Mutant); 6] = [
        ("undo-skipped", Mutant::UndoSkipped),
        ("fsync-skipped", Mutant::FsyncSkipped),
        ("page-before-log", Mutant::PageBeforeLog),
        ("stale-entry-believed", Mutant::StaleEntryBelieved),
        ("published-before-record", Mutant::PublishedBeforeRecord),
        ("purged-before-horizon", Mutant::PurgedBeforeHorizon),
    ];
}

/// Whether this process makes the mistake. Never without the feature.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub const fn is_on(_mutant: Mutant) -> bool {
    false
}

/// Whether this process makes the mistake.
#[cfg(feature = "mutants")]
pub fn is_on(mutant: Mutant) -> bool {
    static ON: std::sync::OnceLock<Option<Mutant>> = std::sync::OnceLock::new();
    *ON.get_or_init(|| {
        let name = std::env::var("PERDURA_MUTANT").unwrap_or_default();
        Mutant::ALL.iter().find(|(known, _)| *known == name).map(|(_, mutant)| *mutant)
    }) == Some(mutant)
}
