//! Conflicts between transactions, and the rows of two that are dangerous.

use super::{Member, NEVER, Number, State, failure};
use base::{Result, Xid};

/// Who is told of a conflict: the transaction that found it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Me {
    Reader,
    Writer,
}

impl State {
    pub(super) fn member(&self, id: u64) -> Option<&Member> {
        self.members.get(&id)
    }

    fn doom(&mut self, id: u64) {
        if let Some(member) = self.members.get_mut(&id) {
            member.doom();
        }
    }

    /// `me` met a stamp of `writer` that its snapshot does not see.
    pub(super) fn conflict_out(&mut self, me: u64, writer: Xid) -> Result<()> {
        let Some(reader) = self.member(me) else { return Ok(()) };
        if reader.doomed {
            return Err(failure("identification as a pivot, during conflict out checking"));
        }
        let Some(&other) = self.by_xid.get(&writer.0) else {
            return self.conflict_out_to_summary(me, writer);
        };
        let Some(sought) = self.member(other) else { return Ok(()) };
        if other == me || sought.doomed {
            return Ok(());
        }
        if sought.summary_out {
            if sought.is_prepared() {
                return Err(failure("conflict out to old pivot"));
            }
            self.doom(other);
            return Ok(());
        }
        let runs_first = |earliest: Number| earliest == NEVER || reader.begun < earliest;
        if reader.read_only && sought.is_committed() && runs_first(sought.earliest_out) {
            return Ok(());
        }
        if reader.out.contains(&other) {
            return Ok(());
        }
        self.flag(me, other, Me::Reader)
    }

    fn conflict_out_to_summary(&mut self, me: u64, writer: Xid) -> Result<()> {
        let Some(earliest_out) = self.summary.earliest_out(writer) else { return Ok(()) };
        let Some(reader) = self.members.get_mut(&me) else { return Ok(()) };
        if earliest_out != NEVER && (!reader.read_only || earliest_out <= reader.begun) {
            return Err(failure(&format!("conflict out to old pivot {writer}")));
        }
        if reader.summary_in || !reader.into.is_empty() {
            return Err(failure(&format!(
                "identification as a pivot, with conflict out to old committed transaction {writer}"
            )));
        }
        reader.summary_out = true;
        Ok(())
    }

    /// `me` has written what `reader` has a lock on.
    pub(super) fn conflict_in(&mut self, me: u64, reader: u64) -> Result<()> {
        let Some(mine) = self.member(me) else { return Ok(()) };
        let Some(other) = self.member(reader) else { return Ok(()) };
        let beside = !other.is_committed() || other.committed > mine.begun;
        if other.doomed || !beside || other.out.contains(&me) {
            return Ok(());
        }
        self.flag(reader, me, Me::Writer)
    }

    /// `me` has written what a transaction that is summed up has a lock on.
    pub(super) fn conflict_in_from_summary(&mut self, me: u64, committed: Number) -> Result<()> {
        let Some(mine) = self.members.get_mut(&me) else { return Ok(()) };
        if committed <= mine.begun {
            return Ok(());
        }
        if self.is_pivot_before(me, None) {
            return Err(failure("identification as a pivot, during write"));
        }
        if let Some(mine) = self.members.get_mut(&me) {
            mine.summary_in = true;
        }
        Ok(())
    }

    /// Notes that `writer` overwrote what `reader` read, unless that makes a dangerous row that
    /// costs `me` its life.
    fn flag(&mut self, reader: u64, writer: u64, me: Me) -> Result<()> {
        self.check_rows(reader, writer, me)?;
        if let Some(member) = self.members.get_mut(&reader) {
            member.out.push(writer);
        }
        if let Some(member) = self.members.get_mut(&writer) {
            member.into.push(reader);
        }
        Ok(())
    }

    /// Whether the conflict from `reader` to `writer` completes a row of two whose last member has
    /// committed first; then one of them has to go.
    fn check_rows(&mut self, reader: u64, writer: u64, me: Me) -> Result<()> {
        if !self.is_pivot_before(writer, Some(reader)) && !self.is_pivot_after(reader, writer) {
            return Ok(());
        }
        if me == Me::Writer {
            return Err(failure("identification as a pivot, during write"));
        }
        match self.member(writer) {
            Some(other) if other.is_prepared() => {
                Err(failure(&format!("conflict out to pivot {}, during read", other.xid)))
            }
            _ => {
                self.doom(writer);
                Ok(())
            }
        }
    }

    /// reader -> writer -> T2, where T2 has committed first. No reader: one that is summed up, and
    /// committed before everything that is kept.
    fn is_pivot_before(&self, writer: u64, reader: Option<u64>) -> bool {
        let Some(pivot) = self.member(writer) else { return false };
        if pivot.summary_out || (pivot.is_committed() && pivot.has_conflict_out()) {
            return true;
        }
        let first = reader.and_then(|id| self.member(id));
        pivot.out.iter().filter_map(|id| self.member(*id)).any(|last| {
            let before = |limit: Number| last.prepared <= limit;
            last.is_prepared()
                && before(pivot.committed)
                && first.is_none_or(|first| {
                    before(first.committed) && (!first.read_only || before(first.begun))
                })
        })
    }

    /// T0 -> reader -> writer, where the writer has committed first.
    fn is_pivot_after(&self, reader: u64, writer: u64) -> bool {
        let (Some(pivot), Some(last)) = (self.member(reader), self.member(writer)) else {
            return false;
        };
        if !last.is_prepared() || pivot.read_only {
            return false;
        }
        pivot.summary_in
            || pivot.into.iter().filter_map(|id| self.member(*id)).any(|first| {
                !first.doomed
                    && first.committed >= last.prepared
                    && (!first.read_only || first.begun >= last.prepared)
            })
    }

    /// The check before a commit, which then has its first number. Of a dangerous row T0 -> T1 ->
    /// `me`, `me` commits first: T1 must go, if it still can.
    pub(super) fn precommit(&mut self, me: u64) -> Result<()> {
        let Some(mine) = self.member(me) else { return Ok(()) };
        if mine.doomed {
            return Err(failure("identification as a pivot, during commit attempt"));
        }
        let mut doomed = Vec::new();
        for id in &mine.into {
            let Some(near) = self.member(*id) else { continue };
            if near.is_committed() || near.doomed {
                continue;
            }
            let danger = |far: &u64| {
                *far == me
                    || self
                        .member(*far)
                        .is_some_and(|far| !far.is_committed() && !far.read_only && !far.doomed)
            };
            if near.into.iter().any(danger) {
                if near.is_prepared() {
                    return Err(failure("commit attempt with conflict in from prepared pivot"));
                }
                doomed.push(*id);
            }
        }
        for id in doomed {
            self.doom(id);
        }
        self.newest += 1;
        let number = self.newest;
        if let Some(mine) = self.members.get_mut(&me) {
            mine.prepared = number;
        }
        Ok(())
    }
}
