//! Types, enums, ranges, domains, collations, languages.

use super::{Catalog, lookup_failed, shared};
use crate::builtin;
use crate::cache::{KeyRef, Kind};
use crate::columns::{index, pg_collation, pg_constraint, pg_enum, pg_language, pg_range, pg_type};
use crate::rows::{
    Collation, CollationProvider, EnumLabel, Language, Range, Ref, Stored, Type, TypeKind,
};
use crate::store::{Row, Value};
use crate::stored;
use base::{Oid, Result};
use std::sync::Arc;

pub(crate) fn type_row(row: &Row) -> Result<Type> {
    use pg_type::*;
    let default = match stored::optional(row, TYPDEFAULTBIN)? {
        Some(tree) => Some(tree),
        None => row.optional_text(TYPDEFAULT)?.map(|text| Stored::Sql(text.into())),
    };
    Ok(Type {
        oid: row.oid(OID)?,
        name: row.text(TYPNAME)?.into(),
        namespace: row.oid(TYPNAMESPACE)?,
        owner: row.oid(TYPOWNER)?,
        len: row.int2(TYPLEN)?,
        by_value: row.bool(TYPBYVAL)?,
        kind: row.code(TYPTYPE, TypeKind::from_code)?,
        category: row.char(TYPCATEGORY)?,
        preferred: row.bool(TYPISPREFERRED)?,
        defined: row.bool(TYPISDEFINED)?,
        delimiter: row.char(TYPDELIM)?,
        relation: row.oid(TYPRELID)?,
        subscript: row.oid(TYPSUBSCRIPT)?,
        element: row.oid(TYPELEM)?,
        array: row.oid(TYPARRAY)?,
        input: row.oid(TYPINPUT)?,
        output: row.oid(TYPOUTPUT)?,
        receive: row.oid(TYPRECEIVE)?,
        send: row.oid(TYPSEND)?,
        modifier_input: row.oid(TYPMODIN)?,
        modifier_output: row.oid(TYPMODOUT)?,
        align: row.char(TYPALIGN)?,
        storage: row.char(TYPSTORAGE)?,
        not_null: row.bool(TYPNOTNULL)?,
        base_type: row.oid(TYPBASETYPE)?,
        typmod: row.int4(TYPTYPMOD)?,
        dimensions: row.int4(TYPNDIMS)?,
        collation: row.oid(TYPCOLLATION)?,
        default,
        acl: row.optional_texts(TYPACL)?.map(|items| format!("{{{}}}", items.join(",")).into()),
    })
}

fn collation_row(row: &Row) -> Result<Collation> {
    use pg_collation::*;
    Ok(Collation {
        oid: row.oid(OID)?,
        name: row.text(COLLNAME)?.into(),
        namespace: row.oid(COLLNAMESPACE)?,
        owner: row.oid(COLLOWNER)?,
        provider: row.code(COLLPROVIDER, CollationProvider::from_code)?,
        deterministic: row.bool(COLLISDETERMINISTIC)?,
        encoding: row.int4(COLLENCODING)?,
        collate: row.optional_text(COLLCOLLATE)?.map(Into::into),
        ctype: row.optional_text(COLLCTYPE)?.map(Into::into),
        locale: row.optional_text(COLLLOCALE)?.map(Into::into),
    })
}

pub(crate) fn language_row(row: &Row) -> Result<Language> {
    use pg_language::*;
    Ok(Language {
        oid: row.oid(OID)?,
        name: row.text(LANNAME)?.into(),
        owner: row.oid(LANOWNER)?,
        procedural: row.bool(LANISPL)?,
        trusted: row.bool(LANPLTRUSTED)?,
        call_handler: row.oid(LANPLCALLFOID)?,
        inline_handler: row.oid(LANINLINE)?,
        validator: row.oid(LANVALIDATOR)?,
        acl: row.optional_texts(LANACL)?.map(|items| format!("{{{}}}", items.join(",")).into()),
    })
}

fn range_row(row: &Row) -> Result<Range> {
    use pg_range::*;
    Ok(Range {
        range: row.oid(RNGTYPID)?,
        subtype: row.oid(RNGSUBTYPE)?,
        multirange: row.oid(RNGMULTITYPID)?,
        collation: row.oid(RNGCOLLATION)?,
        opclass: row.oid(RNGSUBOPC)?,
        canonical: row.oid(RNGCANONICAL)?,
        difference: row.oid(RNGSUBDIFF)?,
    })
}

/// A CHECK constraint of a domain.
#[derive(Debug, Clone)]
pub struct DomainCheck {
    /// `pg_constraint.oid`
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// The condition on VALUE.
    pub check: Stored,
    /// Whether all present values satisfy it.
    pub validated: bool,
}

impl Catalog {
    /// A type, if there is one.
    ///
    /// # Errors
    /// Those of storage.
    pub fn find_type(&self, oid: Oid) -> Result<Option<Ref<Type>>> {
        if let Some(row) = builtin::type_by_oid(oid) {
            return Ok(Some(Ref::Static(row)));
        }
        let entry = self.cached(KeyRef::oid(Kind::Type, oid), || {
            Ok(self.row(index::PG_TYPE_OID_INDEX, &[Value::Oid(oid)], type_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// A type.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn type_(&self, oid: Oid) -> Result<Ref<Type>> {
        self.find_type(oid)?.ok_or_else(|| lookup_failed("type", oid))
    }

    /// The type of a name, in a schema or along the search path.
    ///
    /// # Errors
    /// Those of storage.
    pub fn type_named(&self, schema: Option<&str>, name: &str) -> Result<Option<Ref<Type>>> {
        for namespace in self.schemas(schema)?.iter() {
            if let Some(row) = self.type_in(*namespace, name)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The type of a name in a schema.
    ///
    /// # Errors
    /// Those of storage.
    pub fn type_in(&self, namespace: Oid, name: &str) -> Result<Option<Ref<Type>>> {
        let mut built_in = builtin::types_by_name(name);
        if let Some(row) = built_in.find(|row| row.namespace == namespace) {
            return Ok(Some(Ref::Static(row)));
        }
        let key = KeyRef::named(Kind::TypeNamed, namespace, name);
        let entry = self.cached(key, || {
            let key = [Value::Text(name.to_string()), Value::Oid(namespace)];
            Ok(self.row(index::PG_TYPE_TYPNAME_NSP_INDEX, &key, type_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// The type under a domain, through all layers, with the modifier that the domain sets; any
    /// other type as it is.
    ///
    /// # Errors
    /// XX000 when there is no such type.
    pub fn base_type(&self, oid: Oid, typmod: i32) -> Result<(Oid, i32)> {
        let (mut oid, mut typmod) = (oid, typmod);
        loop {
            let row = self.type_(oid)?;
            if row.kind != TypeKind::Domain {
                return Ok((oid, typmod));
            }
            oid = row.base_type;
            typmod = row.typmod;
        }
    }

    /// The CHECK constraints of a domain, by name, those of the domains under it left out.
    ///
    /// # Errors
    /// Those of storage.
    pub fn domain_checks(&self, domain: Oid) -> Result<Arc<Vec<DomainCheck>>> {
        self.cached(KeyRef::oid(Kind::DomainChecks, domain), || {
            use pg_constraint::*;
            let mut checks = Vec::new();
            let key = [Value::Oid(domain)];
            self.rows(index::PG_CONSTRAINT_CONTYPID_INDEX, &key, |row| {
                if row.char(CONTYPE)? == b'c'
                    && let Some(check) = stored::optional(row, CONBIN)?
                {
                    let (oid, name) = (row.oid(OID)?, row.text(CONNAME)?);
                    let validated = row.bool(CONVALIDATED)?;
                    checks.push(DomainCheck { oid, name, check, validated });
                }
                Ok(())
            })?;
            checks.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(checks)
        })
    }

    /// The labels of an enum in their order.
    ///
    /// # Errors
    /// Those of storage.
    pub fn enum_labels(&self, enum_type: Oid) -> Result<Arc<Vec<EnumLabel>>> {
        self.cached(KeyRef::oid(Kind::Enum, enum_type), || {
            use pg_enum::*;
            let key = [Value::Oid(enum_type)];
            self.rows(index::PG_ENUM_TYPID_SORTORDER_INDEX, &key, |row| {
                Ok(EnumLabel {
                    oid: row.oid(OID)?,
                    enum_type,
                    sort_order: row.float4(ENUMSORTORDER)?,
                    label: row.text(ENUMLABEL)?.into(),
                })
            })
        })
    }

    /// The description of a range type.
    ///
    /// # Errors
    /// Those of storage.
    pub fn range(&self, range: Oid) -> Result<Option<Ref<Range>>> {
        if let Some(row) = builtin::range_by_type(range) {
            return Ok(Some(Ref::Static(row)));
        }
        let entry = self.cached(KeyRef::oid(Kind::Range, range), || {
            let key = [Value::Oid(range)];
            Ok(self.row(index::PG_RANGE_RNGTYPID_INDEX, &key, range_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// A collation.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn collation(&self, oid: Oid) -> Result<Ref<Collation>> {
        if let Some(row) = builtin::collation_by_oid(oid) {
            return Ok(Ref::Static(row));
        }
        let entry = self.cached(KeyRef::oid(Kind::Collation, oid), || {
            let key = [Value::Oid(oid)];
            Ok(self.row(index::PG_COLLATION_OID_INDEX, &key, collation_row)?.map(Arc::new))
        })?;
        shared(&entry).ok_or_else(|| lookup_failed("collation", oid))
    }

    /// The collation of a name for the database's encoding.
    ///
    /// # Errors
    /// Those of storage.
    pub fn collation_named(
        &self,
        schema: Option<&str>,
        name: &str,
    ) -> Result<Option<Ref<Collation>>> {
        for namespace in self.schemas(schema)?.iter() {
            let mut built_in = builtin::collations_by_name(name);
            if let Some(row) = built_in.find(|row| row.namespace == *namespace) {
                return Ok(Some(Ref::Static(row)));
            }
            let key = KeyRef::named(Kind::CollationNamed, *namespace, name);
            let entry = self.cached(key, || {
                let key = [Value::Text(name.to_string())];
                let rows =
                    self.rows(index::PG_COLLATION_NAME_ENC_NSP_INDEX, &key, collation_row)?;
                let row = rows.into_iter().find(|row| row.namespace == *namespace);
                Ok(row.map(Arc::new))
            })?;
            if let Some(row) = shared(&entry) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// A language.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn language(&self, oid: Oid) -> Result<Ref<Language>> {
        if let Some(row) = builtin::language_by_oid(oid) {
            return Ok(Ref::Static(row));
        }
        let entry = self.cached(KeyRef::oid(Kind::Language, oid), || {
            let key = [Value::Oid(oid)];
            Ok(self.row(index::PG_LANGUAGE_OID_INDEX, &key, language_row)?.map(Arc::new))
        })?;
        shared(&entry).ok_or_else(|| lookup_failed("language", oid))
    }

    /// The language of a name.
    ///
    /// # Errors
    /// Those of storage.
    pub fn language_named(&self, name: &str) -> Result<Option<Ref<Language>>> {
        if let Some(row) = builtin::languages_by_name(name).next() {
            return Ok(Some(Ref::Static(row)));
        }
        let key = [Value::Text(name.to_string())];
        let row = self.row(index::PG_LANGUAGE_NAME_INDEX, &key, language_row)?;
        Ok(row.map(|row| Ref::Shared(Arc::new(row))))
    }
}
