//! Who a session runs as: SET ROLE and SET SESSION AUTHORIZATION.
//!
//! The settings `role` and `session_authorization` decide, so that transactions and SET LOCAL work
//! as they do for every setting. They hold names; which role a name meant when it was set is kept
//! here, so that renaming a role changes nobody.
//!
//! Rules
//! 1. A name that was not set by a statement (the startup packet's options, ALTER ROLE ... SET) is
//!    checked when it is met first, and means nothing when the session may not be that role.

use crate::backend::Backend;
use base::{Oid, Result, SqlState, err};
use std::cell::{Cell, RefCell};

/// The roles of a session.
pub(crate) struct Identity {
    /// Who logged in.
    authenticated: Oid,
    /// What the names that were set meant then.
    known: RefCell<Vec<(Box<str>, Oid)>>,
    /// The generation of the settings that this is of.
    generation: Cell<Option<u64>>,
    superuser: Cell<Option<bool>>,
    /// The role that is current outside of functions.
    outer: Cell<Oid>,
}

impl Identity {
    pub(crate) fn new(user: &str, authenticated: Oid) -> Identity {
        Identity {
            authenticated,
            known: RefCell::new(vec![(user.into(), authenticated)]),
            generation: Cell::new(None),
            superuser: Cell::new(None),
            outer: Cell::new(authenticated),
        }
    }

    pub(crate) fn outer(&self) -> Oid {
        self.outer.get()
    }

    fn known(&self, name: &str) -> Option<Oid> {
        self.known.borrow().iter().find(|(one, _)| **one == *name).map(|(_, oid)| *oid)
    }

    fn note(&self, name: &str, oid: Oid) {
        let mut known = self.known.borrow_mut();
        known.retain(|(one, _)| **one != *name);
        known.push((name.into(), oid));
    }
}

impl Backend {
    /// Whether the session may become a role; notes what the name means.
    pub(crate) fn check_becoming(&self, authorization: bool, name: &str) -> Result<()> {
        let Some(role) = self.catalog.role_named(name)? else {
            return Err(err!(INVALID_PARAMETER_VALUE, "role \"{name}\" does not exist"));
        };
        let role = role.oid;
        let authenticated = self.identity.authenticated;
        let (may, what) = if authorization {
            let superuser = self.catalog.is_superuser(authenticated)?;
            (role == authenticated || superuser, "session authorization")
        } else {
            (self.catalog.can_set_role(self.catalog.session_user(), role)?, "role")
        };
        if !may {
            let message = format!("permission denied to set {what} \"{name}\"");
            return Err(base::Error::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        self.identity.note(name, role);
        Ok(())
    }

    /// Whether the user has the privileges of `pg_read_all_settings`.
    pub(crate) fn may_examine(&self) -> bool {
        const READ_ALL_SETTINGS: Oid = Oid(3374);
        let user = self.catalog.user();
        self.catalog.has_privileges_of(user, READ_ALL_SETTINGS).unwrap_or(false)
    }

    /// The role that a name of a setting means; none when it may not be (rule 1).
    fn role_of_setting(&self, authorization: bool, name: &str) -> Option<Oid> {
        if let Some(known) = self.identity.known(name) {
            return Some(known);
        }
        self.check_becoming(authorization, name).ok()?;
        self.identity.known(name)
    }

    /// Makes the session run as what the settings say now.
    pub(crate) fn follow_identity(&self) {
        let identity = &self.identity;
        let (authorization, role) = {
            let settings = self.state.settings();
            let generation = Some(settings.generation());
            if identity.generation.replace(generation) == generation {
                return;
            }
            let text = |name: &str| Box::<str>::from(settings.text(name));
            (text("session_authorization"), text("role"))
        };
        let session = self.role_of_setting(true, &authorization);
        let session = session.unwrap_or(identity.authenticated);
        if self.catalog.session_user() != session {
            self.catalog.set_session_user(session);
        }
        let outer = match &*role {
            "none" => None,
            name => self.role_of_setting(false, name),
        };
        let outer = outer.unwrap_or(session);
        identity.outer.set(outer);
        if self.catalog.user() != outer {
            self.catalog.set_user(outer);
        }
        let superuser = self.catalog.is_superuser(outer).unwrap_or(false);
        if identity.superuser.replace(Some(superuser)) != Some(superuser) {
            self.state.settings_mut().set_superuser(superuser);
        }
    }
}
