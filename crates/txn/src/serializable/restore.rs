//! What a prepared transaction keeps over a crash.

use super::{Member, NEVER, Serializable, Session, State, Tracked};
use base::{Oid, SessionId, Xid};
use std::sync::Arc;

impl State {
    /// The tables that a member has read something of, itself or by an index.
    pub(super) fn tables_of(&self, id: u64) -> Vec<Oid> {
        let Some(member) = self.member(id) else { return Vec::new() };
        let reads = |place| Some(self.targets.map.get(place)?.readers.get(&id)?.table);
        let tables = member.places.iter().filter_map(|place| Some(reads(place)?.unwrap_or(*place)));
        let mut tables: Vec<Oid> = tables.map(|(_, oid)| oid).collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }
}

impl Serializable {
    /// Enters a prepared transaction that recovery found. With whom it had conflicts is not known:
    /// it counts as having some in and out.
    pub(crate) fn restore(
        self: &Arc<Serializable>,
        xid: Xid,
        database: Oid,
        tables: &[Oid],
    ) -> Arc<Tracked> {
        let session = Session { pid: SessionId(0), virtual_xid: format!("-1/{xid}"), database };
        let mut state = self.state.lock();
        state.newest += 1;
        state.next += 1;
        let (id, number) = (state.next, state.newest);
        let places: Vec<_> = tables.iter().map(|table| (database, *table)).collect();
        for place in &places {
            state.targets.lock_whole(id, *place);
        }
        let flags = Arc::default();
        let member = Member {
            session: session.clone(),
            xid,
            begun: 0,
            prepared: number,
            committed: NEVER,
            doomed: false,
            read_only: false,
            declared_read_only: false,
            wrote: true,
            earliest_out: NEVER,
            summary_in: true,
            summary_out: true,
            out: Vec::new(),
            into: Vec::new(),
            possible: Vec::new(),
            is_unsafe: false,
            flags: Arc::clone(&flags),
            waker: None,
            places,
        };
        state.members.insert(id, member);
        state.by_xid.insert(xid.0, id);
        state.writers += 1;
        self.note_count(&state);
        drop(state);
        Arc::new(Tracked::new(self.clone(), id, session, flags))
    }
}
