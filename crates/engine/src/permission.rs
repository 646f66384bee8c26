//! Whether the user may run a planned query.
//!
//! Rules
//! 1. The question is answered when a statement is planned: a plan is of one user and one
//!    generation of the catalogs, and so is the answer. Running the plan raises it.
//! 2. The rows of system catalogs are changed by commands alone, whoever asks: the caches know
//!    nothing of other changes.

use crate::backend::Backend;
use analyze::{Access, Needed};
use base::{Error, Oid, Result, SqlState, err};
use catalog::Catalog;
use catalog::acl::{AclKind, Privilege, Privileges};
use catalog::builtin::FIRST_USER;
use catalog::relation::Relation;
use catalog::rows::RelationKind;

/// The privileges that columns can have, of those that queries need.
const OF_COLUMNS: &str = "raw";

impl Backend {
    /// The error that running a query raises, if the user may not run it.
    pub(crate) fn denial(&self, access: &Access) -> Result<Option<Error>> {
        let user = self.catalog.user();
        let restricted = self.state.settings().restricts("view");
        for needed in &access.relations {
            if restricted && needed.relation >= FIRST_USER {
                self.refuse_view(needed.relation)?;
            }
            let changes = Privileges::of("awd").intersection(needed.privileges);
            let system = needed.relation < FIRST_USER && !changes.is_empty();
            let role = if needed.check_as.is_valid() { needed.check_as } else { user };
            if self.catalog.is_superuser(role)? && !system {
                continue;
            }
            let relation = self.catalog.relation(needed.relation)?;
            let superuser = self.catalog.is_superuser(role)?;
            if !superuser && !self.may_access(role, &relation, needed)? {
                return Ok(Some(Catalog::relation_denied(&relation)));
            }
            if system {
                return Ok(Some(system_catalog(&relation)));
            }
        }
        if self.catalog.is_superuser(user)? {
            return Ok(None);
        }
        for function in &access.functions {
            if let Some(error) = self.function_denial(*function)? {
                return Ok(Some(error));
            }
        }
        Ok(None)
    }

    /// `restrict_nonsystem_relation_kind`
    fn refuse_view(&self, relation: Oid) -> Result<()> {
        let relation = self.catalog.relation(relation)?;
        if relation.kind != RelationKind::View {
            return Ok(());
        }
        Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "access to non-system view \"{}\" is restricted",
            relation.name
        ))
    }

    fn may_access(&self, role: Oid, relation: &Relation, needed: &Needed) -> Result<bool> {
        let changes = Privileges::of("awdD").intersection(needed.privileges);
        // Nobody but superusers changes system catalogs, whatever was granted.
        if relation.system && relation.kind != RelationKind::View && !changes.is_empty() {
            return Ok(false);
        }
        let held = self.catalog.relation_privileges(role, relation)?;
        let missing = needed.privileges.without(held);
        if missing.is_empty() {
            return Ok(true);
        }
        if !missing.without(Privileges::of(OF_COLUMNS)).is_empty() {
            return Ok(false);
        }
        let columns = [
            (Privilege::Select, &needed.selected),
            (Privilege::Insert, &needed.inserted),
            (Privilege::Update, &needed.updated),
        ];
        for (privilege, attributes) in columns {
            if missing.has(privilege)
                && !self.catalog.has_on_columns(role, relation, attributes, privilege)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether errors may show the user values of the columns; 0 is the relation as a whole.
    pub(crate) fn shows(&self, relation: &Relation, attributes: &[i16]) -> Result<bool> {
        let user = self.catalog.user();
        if self.catalog.has_any_on(user, relation, "r")? {
            return Ok(true);
        }
        Ok(!attributes.contains(&0)
            && self.catalog.has_on_columns(user, relation, attributes, Privilege::Select)?)
    }

    /// Whether the user may make a checkpoint.
    pub(crate) fn refuse_checkpoint(&self) -> Result<()> {
        /// `pg_checkpoint`
        const CHECKPOINT: Oid = Oid(4544);
        if self.catalog.has_privileges_of(self.catalog.user(), CHECKPOINT)? {
            return Ok(());
        }
        Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to execute CHECKPOINT command").detail(
            "Only roles with privileges of the \"pg_checkpoint\" role may execute this command.",
        ))
    }

    /// Whether the user may vacuum or analyse a table; a warning says if not.
    pub(crate) fn may_maintain(
        &self,
        relation: &Relation,
        verb: &str,
        warns: bool,
    ) -> Result<bool> {
        let user = self.catalog.user();
        let own = self.catalog.database_row(self.catalog.database())?.owner == user;
        if own && !relation.shared || self.catalog.has_any_on(user, relation, "m")? {
            return Ok(true);
        }
        if warns {
            self.state.warning(Error::new(
                SqlState::WARNING,
                format!("permission denied to {verb} \"{}\", skipping it", relation.name),
            ));
        }
        Ok(false)
    }

    fn function_denial(&self, function: Oid) -> Result<Option<Error>> {
        let Some(proc) = self.catalog.proc_now(function)? else { return Ok(None) };
        let acl = proc.acl.as_deref();
        // The default lets everybody call.
        if acl.is_none()
            || self.catalog.has_privilege(AclKind::Function, proc.owner, acl, Privilege::Execute)?
        {
            return Ok(None);
        }
        let word = match proc.kind {
            catalog::rows::ProcKind::Aggregate => "aggregate",
            catalog::rows::ProcKind::Procedure => "procedure",
            _ => "function",
        };
        Ok(Some(Catalog::permission_denied(&format!("{word} {}", proc.name))))
    }
}

fn system_catalog(relation: &Relation) -> Error {
    err!(INSUFFICIENT_PRIVILEGE, "permission denied: \"{}\" is a system catalog", relation.name)
}
