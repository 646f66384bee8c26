//! The end of transactions, and what is kept of them.

use super::{Member, NEVER, Number, Serializable, State};

impl State {
    /// The transaction has committed, after [`precommit`](State::precommit), or rolled back.
    pub(super) fn finish(&mut self, me: u64, committed: bool) {
        if self.member(me).is_none_or(Member::is_committed) {
            return;
        }
        let Some(mut mine) = self.members.remove(&me) else { return };
        if committed {
            self.newest += 1;
            mine.committed = self.newest;
            mine.read_only |= !mine.wrote;
        } else {
            mine.doomed = true;
            mine.prepared = NEVER;
        }
        if committed && !mine.read_only && mine.summary_out {
            // When those had committed is not known: before everything else.
            mine.earliest_out = 1;
        }
        if mine.declared_read_only {
            for writer in std::mem::take(&mut mine.possible) {
                if let Some(writer) = self.members.get_mut(&writer) {
                    writer.possible.retain(|id| *id != me);
                }
            }
        } else {
            self.writers -= 1;
        }
        self.release_conflicts(me, &mut mine, committed);
        if !mine.declared_read_only {
            self.tell_read_only(me, &mut mine, committed);
        }
        if committed {
            self.members.insert(me, mine);
            self.finished.push_back(me);
        } else {
            self.forget(me, &mine);
        }
        if self.writers == 0 {
            self.clear_finished();
        }
        self.remove_old();
    }

    /// Drops the conflicts that cannot be part of a dangerous row any more.
    fn release_conflicts(&mut self, me: u64, mine: &mut Member, committed: bool) {
        let newest = self.newest;
        let mut dropped = Vec::new();
        mine.out.retain(|id| {
            let Some(other) = self.members.get(id) else { return false };
            if committed && !mine.read_only && other.is_committed() {
                mine.earliest_out = mine.earliest_out.min(other.prepared);
            }
            let keep = committed && !other.is_committed() && other.begun < newest;
            if !keep {
                dropped.push(*id);
            }
            keep
        });
        for id in dropped.drain(..) {
            if let Some(other) = self.members.get_mut(&id) {
                other.into.retain(|id| *id != me);
            }
        }
        mine.into.retain(|id| {
            let Some(other) = self.members.get(id) else { return false };
            let keep = committed && !other.is_committed() && !other.read_only;
            if !keep {
                dropped.push(*id);
            }
            keep
        });
        for id in dropped {
            if let Some(other) = self.members.get_mut(&id) {
                other.out.retain(|id| *id != me);
            }
        }
    }

    /// A writer has ended: the read-only transactions beside it learn whether they are safe.
    fn tell_read_only(&mut self, me: u64, mine: &mut Member, committed: bool) {
        for id in std::mem::take(&mut mine.possible) {
            let Some(reader) = self.members.get_mut(&id) else { continue };
            reader.possible.retain(|id| *id != me);
            let before = mine.has_conflict_out() && mine.earliest_out <= reader.begun;
            if committed && mine.wrote && before {
                reader.is_unsafe = true;
                for writer in std::mem::take(&mut reader.possible) {
                    if let Some(writer) = self.members.get_mut(&writer) {
                        writer.possible.retain(|other| *other != id);
                    }
                }
            }
            let Some(reader) = self.members.get_mut(&id) else { continue };
            let settled = reader.is_unsafe || reader.possible.is_empty();
            if !settled {
                continue;
            }
            if let Some(waker) = reader.waker.take() {
                waker.wake();
            }
            if !reader.is_unsafe {
                reader.flags.set_safe();
                if let Some(reader) = self.members.remove(&id) {
                    self.forget(id, &reader);
                }
            }
        }
    }

    /// Takes a member that is out of the map already out of everything else.
    pub(super) fn forget(&mut self, id: u64, member: &Member) {
        self.targets.release(id, &member.places);
        if member.xid.is_valid() {
            self.by_xid.remove(&member.xid.0);
        }
        for other in &member.out {
            if let Some(other) = self.members.get_mut(other) {
                other.into.retain(|other| *other != id);
            }
        }
        for other in &member.into {
            if let Some(other) = self.members.get_mut(other) {
                other.out.retain(|other| *other != id);
            }
        }
    }

    /// Nobody who writes is left: no lock and no conflict in of a committed one matters.
    fn clear_finished(&mut self) {
        for id in self.finished.clone() {
            let Some(member) = self.members.get_mut(&id) else { continue };
            let (places, into) =
                (std::mem::take(&mut member.places), std::mem::take(&mut member.into));
            self.targets.release(id, &places);
            for other in into {
                if let Some(other) = self.members.get_mut(&other) {
                    other.out.retain(|other| *other != id);
                }
            }
        }
        self.targets.release_summary(NEVER);
    }

    /// The number up to which commits are seen by everybody who runs.
    fn horizon(&self) -> Number {
        let running = self.members.values().filter(|member| !member.is_committed());
        running.map(|member| member.begun).min().unwrap_or(NEVER)
    }

    /// Forgets the committed ones that nobody who runs overlapped.
    fn remove_old(&mut self) {
        let horizon = self.horizon();
        while let Some(&id) = self.finished.front() {
            if self.member(id).is_some_and(|member| member.committed > horizon) {
                break;
            }
            self.finished.pop_front();
            if let Some(member) = self.members.remove(&id) {
                self.forget(id, &member);
            }
        }
        self.targets.release_summary(horizon);
        self.summary.release(horizon);
    }

    /// Sums up the oldest committed ones when too many are kept.
    pub(super) fn sum_up(&mut self) {
        while self.finished.len() > self.limits.finished {
            let Some(id) = self.finished.pop_front() else { return };
            let Some(member) = self.members.remove(&id) else { continue };
            let limits = self.limits;
            self.targets.sum_up(id, &member.places, member.committed, &limits);
            if member.xid.is_valid() {
                let account = self.targets.account.clone();
                let Member { xid, earliest_out, committed, .. } = member;
                self.summary.add(xid, earliest_out, committed, account.as_ref());
            }
            for other in &member.out {
                if let Some(other) = self.members.get_mut(other) {
                    other.summary_in = true;
                }
            }
            for other in &member.into {
                if let Some(other) = self.members.get_mut(other) {
                    other.summary_out = true;
                }
            }
            self.forget(id, &member);
        }
    }
}

impl Serializable {
    pub(super) fn finish(&self, id: u64, committed: bool) {
        let mut state = self.state.lock();
        state.finish(id, committed);
        self.note_count(&state);
    }
}
