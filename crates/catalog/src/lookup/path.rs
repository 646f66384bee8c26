//! Schemas and the search path.
//!
//! The path that is searched: the session's temporary schema, `pg_catalog`, then the listed
//! schemas; the first two in another place when the list names them. Functions and operators are
//! never found in the temporary schema.

use super::{Catalog, shared};
use crate::acl::{AclKind, Privilege};
use crate::builtin::{self, PG_CATALOG, PUBLIC};
use crate::cache::{KeyRef, Kind};
use crate::columns::{index, pg_namespace};
use crate::rows::{Namespace, Ref};
use crate::store::{Row, Value};
use base::{Oid, Result, err};
use std::rc::Rc;
use std::sync::Arc;

/// The setting and what it means at present.
#[derive(Debug, Default)]
pub(super) struct SearchPath {
    /// The names of the setting, unquoted.
    names: Vec<String>,
    resolved: Option<(u64, Resolved)>,
}

#[derive(Debug, Clone)]
struct Resolved {
    all: Rc<[Oid]>,
    listed: Rc<[Oid]>,
    /// Where new objects go; none when the list names no schema that exists.
    creation: Oid,
    /// Whether new objects go to a temporary schema that is not there yet.
    creates_temporary: bool,
}

impl SearchPath {
    pub(super) fn forget(&mut self) {
        self.resolved = None;
    }
}

pub(crate) fn namespace_row(row: &Row) -> Result<Namespace> {
    use pg_namespace::*;
    Ok(Namespace {
        oid: row.oid(OID)?,
        name: row.text(NSPNAME)?.into(),
        owner: row.oid(NSPOWNER)?,
        acl: row.optional_texts(NSPACL)?.map(|items| format!("{{{}}}", items.join(",")).into()),
    })
}

impl Catalog {
    /// Sets the search path: the names of the setting, unquoted. `"$user"` is `$user`.
    pub fn set_search_path(&self, names: Vec<String>) {
        let mut path = self.path.borrow_mut();
        path.names = names;
        path.forget();
    }

    /// The session's schema of temporary objects; none before it has one.
    pub fn temporary_namespace(&self) -> Oid {
        self.temporary.get()
    }

    /// Says which schema holds the session's temporary objects.
    pub fn set_temporary_namespace(&self, namespace: Oid) {
        self.temporary.set(namespace);
        self.path.borrow_mut().forget();
    }

    /// The schemas in the order in which they are searched for types and relations.
    ///
    /// # Errors
    /// Those of storage.
    pub fn search_path(&self) -> Result<Rc<[Oid]>> {
        Ok(self.resolved()?.all)
    }

    /// The schemas that the setting names, as far as they exist, in order.
    ///
    /// # Errors
    /// Those of storage.
    pub fn listed_search_path(&self) -> Result<Rc<[Oid]>> {
        Ok(self.resolved()?.listed)
    }

    /// The schema in which a new object without a schema's name is made.
    ///
    /// # Errors
    /// 3F000 when the search path names no schema that exists.
    pub fn creation_namespace(&self) -> Result<Oid> {
        let creation = self.resolved()?.creation;
        if creation.is_valid() {
            return Ok(creation);
        }
        Err(err!(INVALID_SCHEMA_NAME, "no schema has been selected to create in"))
    }

    /// Whether a new object without a schema's name goes to the temporary schema, which is not
    /// there yet.
    ///
    /// # Errors
    /// Those of storage.
    pub fn creates_temporary(&self) -> Result<bool> {
        Ok(self.resolved()?.creates_temporary)
    }

    /// Whether a schema holds the temporary objects of some session.
    ///
    /// # Errors
    /// Those of storage.
    pub fn is_any_temporary(&self, namespace: Oid) -> Result<bool> {
        let name = &self.namespace(namespace)?.name;
        Ok(name.starts_with("pg_temp_") || name.starts_with("pg_toast_temp_"))
    }

    /// The schema of a name that a statement gives; `pg_temp` is the session's own.
    ///
    /// # Errors
    /// Those of storage.
    pub fn explicit_namespace(&self, name: &str) -> Result<Option<Oid>> {
        if name == "pg_temp" && self.temporary.get().is_valid() {
            return Ok(Some(self.temporary.get()));
        }
        Ok(self.namespace_named(name)?.map(|found| found.oid))
    }

    /// A schema or role may have changed: the names are looked up again.
    pub(crate) fn forget_path(&self) {
        self.path.borrow_mut().forget();
    }

    fn resolved(&self) -> Result<Resolved> {
        let generation = self.generation();
        let generation = generation.0.wrapping_add(generation.1 << 32);
        if let Some((at, resolved)) = &self.path.borrow().resolved
            && *at == generation
            && !self.has_own_changes()
        {
            return Ok(resolved.clone());
        }
        let names = self.path.borrow().names.clone();
        let mut listed: Vec<Oid> = Vec::new();
        let mut creates_temporary = false;
        for name in &names {
            let found = match name.as_str() {
                "$user" => {
                    let role = self.role(self.user())?;
                    self.namespace_named(&role.name)?.map(|namespace| namespace.oid)
                }
                "pg_temp" => {
                    let there = Some(self.temporary.get()).filter(|oid| oid.is_valid());
                    creates_temporary |= there.is_none() && listed.is_empty();
                    there
                }
                name => self.namespace_named(name)?.map(|namespace| namespace.oid),
            };
            if let Some(oid) = found
                && !listed.contains(&oid)
                && self.may_use_namespace(oid)?
            {
                listed.push(oid);
            }
        }
        let creation = listed.first().copied().unwrap_or_default();
        let implicit = [self.temporary.get(), PG_CATALOG];
        let implicit = implicit.into_iter().filter(|oid| oid.is_valid() && !listed.contains(oid));
        let all: Rc<[Oid]> = implicit.chain(listed.iter().copied()).collect();
        let resolved = Resolved { all, listed: listed.into(), creation, creates_temporary };
        self.path.borrow_mut().resolved = Some((generation, resolved.clone()));
        Ok(resolved)
    }

    fn may_use_namespace(&self, oid: Oid) -> Result<bool> {
        if oid == PG_CATALOG || oid == self.temporary.get() {
            return Ok(true);
        }
        let namespace = self.namespace(oid)?;
        self.has_privilege(
            AclKind::Namespace,
            namespace.owner,
            namespace.acl.as_deref(),
            Privilege::Usage,
        )
    }

    /// A schema.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn namespace(&self, oid: Oid) -> Result<Ref<Namespace>> {
        if let Some(row) = builtin::namespace_by_oid(oid).filter(|row| row.oid != PUBLIC) {
            return Ok(Ref::Static(row));
        }
        let entry = self.cached(KeyRef::oid(Kind::Namespace, oid), || {
            let key = [Value::Oid(oid)];
            Ok(self.row(index::PG_NAMESPACE_OID_INDEX, &key, namespace_row)?.map(Arc::new))
        })?;
        shared(&entry).ok_or_else(|| super::lookup_failed("namespace", oid))
    }

    /// The schema of a name.
    ///
    /// # Errors
    /// Those of storage.
    pub fn namespace_named(&self, name: &str) -> Result<Option<Ref<Namespace>>> {
        let built_in = builtin::namespaces_by_name(name).find(|row| row.oid != PUBLIC);
        if let Some(row) = built_in {
            return Ok(Some(Ref::Static(row)));
        }
        let key = KeyRef::named(Kind::NamespaceNamed, Oid::INVALID, name);
        let entry = self.cached(key, || {
            let key = [Value::Text(name.to_string())];
            Ok(self.row(index::PG_NAMESPACE_NSPNAME_INDEX, &key, namespace_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// The OID of a schema that a statement names; `pg_temp` is the session's own.
    ///
    /// # Errors
    /// 3F000 when there is none; 42501 without the privilege to use it.
    pub fn require_namespace(&self, name: &str) -> Result<Oid> {
        if name == "pg_temp" && self.temporary.get().is_valid() {
            return Ok(self.temporary.get());
        }
        let namespace = self
            .namespace_named(name)?
            .ok_or_else(|| err!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"))?;
        if !self.may_use_namespace(namespace.oid)? {
            return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {name}"));
        }
        Ok(namespace.oid)
    }

    /// The schemas to search for a name: the one that is given, or the search path. Without a
    /// schema of that name the list is empty.
    pub(crate) fn schemas(&self, schema: Option<&str>) -> Result<Rc<[Oid]>> {
        match schema {
            None => self.search_path(),
            Some("pg_temp") => Ok(Rc::from([self.temporary.get()])),
            Some(name) => {
                let Some(namespace) = self.namespace_named(name)? else { return Ok(Rc::from([])) };
                if !self.may_use_namespace(namespace.oid)? {
                    return Err(Catalog::permission_denied(&format!("schema {name}")));
                }
                Ok(Rc::from([namespace.oid]))
            }
        }
    }
}
