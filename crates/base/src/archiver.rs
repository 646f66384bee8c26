//! What the archiver has done, as `pg_stat_archiver` shows it.

/// The row of `pg_stat_archiver`. Times are microseconds since 2000-01-01 UTC.
#[derive(Clone, Debug, Default)]
pub struct ArchiverFigures {
    /// Segments that were archived, and failures.
    pub counts: [i64; 2],
    /// The latest segment that was archived and when, and the latest that was not.
    pub latest: [Option<(String, i64)>; 2],
    /// Since when that is counted.
    pub since_us: i64,
}

impl ArchiverFigures {
    /// Nothing yet.
    pub fn since(now_us: i64) -> ArchiverFigures {
        ArchiverFigures { since_us: now_us, ..ArchiverFigures::default() }
    }

    /// A segment was archived, or could not be.
    pub fn note(&mut self, segment: &str, done: bool, now_us: i64) {
        let which = usize::from(!done);
        self.counts[which] += 1;
        self.latest[which] = Some((segment.to_owned(), now_us));
    }
}
