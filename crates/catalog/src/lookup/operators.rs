//! Operators, casts, operator classes and families, access methods.

use super::{Catalog, lookup_failed, shared};
use crate::builtin;
use crate::cache::{KeyRef, Kind};
use crate::columns::{index, pg_amop, pg_amproc, pg_cast, pg_opclass, pg_operator, pg_opfamily};
use crate::rows::{
    AmOp, AmOpPurpose, AmProc, Cast, CastContext, CastMethod, OpClass, OpFamily, Operator,
    OperatorKind, Ref, TypeKind,
};
use crate::store::{Row, Value};
use base::{Oid, Result};
use std::sync::Arc;
use types::oids;

pub(crate) fn operator_row(row: &Row) -> Result<Operator> {
    use pg_operator::*;
    Ok(Operator {
        oid: row.oid(OID)?,
        name: row.text(OPRNAME)?.into(),
        namespace: row.oid(OPRNAMESPACE)?,
        owner: row.oid(OPROWNER)?,
        kind: row.code(OPRKIND, OperatorKind::from_code)?,
        can_merge: row.bool(OPRCANMERGE)?,
        can_hash: row.bool(OPRCANHASH)?,
        left: row.oid(OPRLEFT)?,
        right: row.oid(OPRRIGHT)?,
        result: row.oid(OPRRESULT)?,
        commutator: row.oid(OPRCOM)?,
        negator: row.oid(OPRNEGATE)?,
        code: row.oid(OPRCODE)?,
        restriction: row.oid(OPRREST)?,
        join: row.oid(OPRJOIN)?,
    })
}

fn cast_row(row: &Row) -> Result<Cast> {
    use pg_cast::*;
    Ok(Cast {
        oid: row.oid(OID)?,
        source: row.oid(CASTSOURCE)?,
        target: row.oid(CASTTARGET)?,
        function: row.oid(CASTFUNC)?,
        context: row.code(CASTCONTEXT, CastContext::from_code)?,
        method: row.code(CASTMETHOD, CastMethod::from_code)?,
    })
}

pub(crate) fn opclass_row(row: &Row) -> Result<OpClass> {
    use pg_opclass::*;
    Ok(OpClass {
        oid: row.oid(OID)?,
        method: row.oid(OPCMETHOD)?,
        name: row.text(OPCNAME)?.into(),
        namespace: row.oid(OPCNAMESPACE)?,
        owner: row.oid(OPCOWNER)?,
        family: row.oid(OPCFAMILY)?,
        input_type: row.oid(OPCINTYPE)?,
        default: row.bool(OPCDEFAULT)?,
        key_type: row.oid(OPCKEYTYPE)?,
    })
}

fn opfamily_row(row: &Row) -> Result<OpFamily> {
    use pg_opfamily::*;
    Ok(OpFamily {
        oid: row.oid(OID)?,
        method: row.oid(OPFMETHOD)?,
        name: row.text(OPFNAME)?.into(),
        namespace: row.oid(OPFNAMESPACE)?,
        owner: row.oid(OPFOWNER)?,
    })
}

fn am_op_row(row: &Row) -> Result<AmOp> {
    use pg_amop::*;
    Ok(AmOp {
        oid: row.oid(OID)?,
        family: row.oid(AMOPFAMILY)?,
        left: row.oid(AMOPLEFTTYPE)?,
        right: row.oid(AMOPRIGHTTYPE)?,
        strategy: row.int2(AMOPSTRATEGY)?,
        purpose: row.code(AMOPPURPOSE, AmOpPurpose::from_code)?,
        operator: row.oid(AMOPOPR)?,
        method: row.oid(AMOPMETHOD)?,
        sort_family: row.oid(AMOPSORTFAMILY)?,
    })
}

fn am_proc_row(row: &Row) -> Result<AmProc> {
    use pg_amproc::*;
    Ok(AmProc {
        oid: row.oid(OID)?,
        family: row.oid(AMPROCFAMILY)?,
        left: row.oid(AMPROCLEFTTYPE)?,
        right: row.oid(AMPROCRIGHTTYPE)?,
        number: row.int2(AMPROCNUM)?,
        function: row.oid(AMPROC)?,
    })
}

impl Catalog {
    /// An operator.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn operator(&self, oid: Oid) -> Result<Ref<Operator>> {
        if let Some(row) = builtin::operator_by_oid(oid) {
            return Ok(Ref::Static(row));
        }
        let entry = self.cached(KeyRef::oid(Kind::Operator, oid), || {
            let key = [Value::Oid(oid)];
            Ok(self.row(index::PG_OPERATOR_OID_INDEX, &key, operator_row)?.map(Arc::new))
        })?;
        shared(&entry).ok_or_else(|| lookup_failed("operator", oid))
    }

    /// The operators of a name in a schema or along the search path, each with the place of its
    /// schema, by place and OID. The temporary schema is never searched.
    ///
    /// # Errors
    /// Those of storage.
    pub fn operators_named(
        &self,
        schema: Option<&str>,
        name: &str,
    ) -> Result<Vec<(Ref<Operator>, usize)>> {
        let schemas = self.schemas(schema)?;
        let temporary = self.temporary_namespace();
        let place = |namespace: Oid| {
            let place = schemas.iter().position(|oid| *oid == namespace);
            place.filter(|_| schema.is_some() || namespace != temporary)
        };
        let mut found = Vec::new();
        for row in builtin::operators_by_name(name) {
            found.extend(place(row.namespace).map(|place| (Ref::Static(row), place)));
        }
        let key = KeyRef::named(Kind::OperatorsNamed, Oid::INVALID, name);
        let users: Arc<Vec<Arc<Operator>>> = self.cached(key, || {
            let key = [Value::Text(name.to_string())];
            let read = |row: &Row| operator_row(row).map(Arc::new);
            self.user_rows(index::PG_OPERATOR_OPRNAME_L_R_N_INDEX, &key, pg_operator::OID, read)
        })?;
        for row in users.iter() {
            let place = place(row.namespace);
            found.extend(place.map(|place| (Ref::Shared(Arc::clone(row)), place)));
        }
        found.sort_by_key(|(row, place)| (*place, row.oid));
        Ok(found)
    }

    /// The operator of a name with exactly these argument types; `left` is none for a prefix
    /// operator. Of several, the one whose schema is searched first.
    ///
    /// # Errors
    /// Those of storage.
    pub fn operator_exact(
        &self,
        schema: Option<&str>,
        name: &str,
        left: Oid,
        right: Oid,
    ) -> Result<Option<Ref<Operator>>> {
        let found = self.operators_named(schema, name)?;
        let mut exact = found.into_iter().map(|(row, _)| row);
        Ok(exact.find(|row| row.left == left && row.right == right))
    }

    /// The cast between two types.
    ///
    /// # Errors
    /// Those of storage.
    pub fn cast(&self, source: Oid, target: Oid) -> Result<Option<Ref<Cast>>> {
        if let Some(row) = builtin::cast(source, target) {
            return Ok(Some(Ref::Static(row)));
        }
        let entry = self.cached(KeyRef::pair(Kind::Cast, source, target), || {
            let key = [Value::Oid(source), Value::Oid(target)];
            Ok(self.row(index::PG_CAST_SOURCE_TARGET_INDEX, &key, cast_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// An operator class.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn opclass(&self, oid: Oid) -> Result<Ref<OpClass>> {
        if let Some(row) = builtin::opclass_by_oid(oid) {
            return Ok(Ref::Static(row));
        }
        let entry = self.cached(KeyRef::oid(Kind::OpClass, oid), || {
            let key = [Value::Oid(oid)];
            Ok(self.row(index::PG_OPCLASS_OID_INDEX, &key, opclass_row)?.map(Arc::new))
        })?;
        shared(&entry).ok_or_else(|| lookup_failed("opclass", oid))
    }

    /// The operator classes of an access method that users made.
    fn user_opclasses(&self, method: Oid) -> Result<Arc<Vec<Arc<OpClass>>>> {
        self.cached(KeyRef::oid(Kind::OpClassesOf, method), || {
            let read = |row: &Row| opclass_row(row).map(Arc::new);
            let key = [Value::Oid(method)];
            self.user_rows(index::PG_OPCLASS_AM_NAME_NSP_INDEX, &key, pg_opclass::OID, read)
        })
    }

    /// The operator class of a name for an access method.
    ///
    /// # Errors
    /// Those of storage.
    pub fn opclass_named(
        &self,
        method: Oid,
        schema: Option<&str>,
        name: &str,
    ) -> Result<Option<Ref<OpClass>>> {
        let users = self.user_opclasses(method)?;
        for namespace in self.schemas(schema)?.iter() {
            let here = |row: &OpClass| {
                row.method == method && row.namespace == *namespace && row.name == name
            };
            if let Some(row) = builtin::opclasses_by_name(name).find(|row| here(row)) {
                return Ok(Some(Ref::Static(row)));
            }
            if let Some(row) = users.iter().find(|row| here(row)) {
                return Ok(Some(Ref::Shared(Arc::clone(row))));
            }
        }
        Ok(None)
    }

    /// The default operator class of an access method for exactly this type. Binary-compatible
    /// and polymorphic input types are the caller's business.
    ///
    /// # Errors
    /// Those of storage.
    pub fn default_opclass(&self, method: Oid, input_type: Oid) -> Result<Option<Ref<OpClass>>> {
        if let Some(row) = builtin::default_opclass(method, input_type) {
            return Ok(Some(Ref::Static(row)));
        }
        let users = self.user_opclasses(method)?;
        let found = users.iter().find(|row| row.default && row.input_type == input_type);
        Ok(found.map(|row| Ref::Shared(Arc::clone(row))))
    }

    /// The default operator class of an access method for a type: of the type under its domains, of
    /// the polymorphic type that it belongs to, or of one that it is binary-compatible with.
    ///
    /// # Errors
    /// Those of storage.
    pub fn opclass_for(&self, method: Oid, type_oid: Oid) -> Result<Option<Ref<OpClass>>> {
        let base = self.base_type(type_oid, -1)?.0;
        if let Some(class) = self.default_opclass(method, base)? {
            return Ok(Some(class));
        }
        let row = self.type_(base)?;
        let stand_in = match row.kind {
            _ if row.is_true_array() => oids::ANYARRAY,
            TypeKind::Enum => oids::ANYENUM,
            TypeKind::Composite => oids::RECORD,
            TypeKind::Range => oids::ANYRANGE,
            TypeKind::Multirange => oids::ANYMULTIRANGE,
            _ => 0,
        };
        if stand_in != 0
            && let Some(class) = self.default_opclass(method, Oid(stand_in))?
        {
            return Ok(Some(class));
        }
        let mut found = None;
        for class in self.opclasses_of(method)?.into_iter().filter(|class| class.default) {
            let Some(cast) = self.cast(base, class.input_type)? else { continue };
            if cast.method != CastMethod::Binary || cast.context != CastContext::Implicit {
                continue;
            }
            let input = self.type_(class.input_type)?;
            if input.preferred && input.category == row.category {
                return Ok(Some(class));
            }
            found.get_or_insert(class);
        }
        Ok(found)
    }

    /// The operator classes of an access method, built in and of users.
    ///
    /// # Errors
    /// Those of storage.
    pub fn opclasses_of(&self, method: Oid) -> Result<Vec<Ref<OpClass>>> {
        let built_in = builtin::opclasses().iter().filter(|row| row.method == method);
        let users = self.user_opclasses(method)?;
        let users = users.iter().map(|row| Ref::Shared(Arc::clone(row)));
        Ok(built_in.map(Ref::Static).chain(users).collect())
    }

    /// An operator family.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn opfamily(&self, oid: Oid) -> Result<Ref<OpFamily>> {
        if let Some(row) = builtin::opfamily_by_oid(oid) {
            return Ok(Ref::Static(row));
        }
        let entry = self.cached(KeyRef::oid(Kind::OpFamily, oid), || {
            let key = [Value::Oid(oid)];
            Ok(self.row(index::PG_OPFAMILY_OID_INDEX, &key, opfamily_row)?.map(Arc::new))
        })?;
        shared(&entry).ok_or_else(|| lookup_failed("operator family", oid))
    }

    /// The operators that users added to a family.
    fn user_family_operators(&self, family: Oid) -> Result<Arc<Vec<AmOp>>> {
        self.cached(KeyRef::oid(Kind::FamilyOperators, family), || {
            let key = [Value::Oid(family)];
            self.user_rows(index::PG_AMOP_FAM_STRAT_INDEX, &key, pg_amop::OID, am_op_row)
        })
    }

    /// The operator of a family for two types and a strategy.
    ///
    /// # Errors
    /// Those of storage.
    pub fn family_operator(
        &self,
        family: Oid,
        left: Oid,
        right: Oid,
        strategy: i16,
    ) -> Result<Option<Oid>> {
        let wanted = |row: &&AmOp| {
            (row.left, row.right, row.strategy) == (left, right, strategy)
                && row.purpose == AmOpPurpose::Search
        };
        if let Some(row) = builtin::family_operators(family).iter().find(wanted) {
            return Ok(Some(row.operator));
        }
        let users = self.user_family_operators(family)?;
        Ok(users.iter().find(wanted).map(|row| row.operator))
    }

    /// The memberships of an operator in families, in the order of their families.
    ///
    /// # Errors
    /// Those of storage.
    pub fn operator_families(&self, operator: Oid) -> Result<Arc<Vec<AmOp>>> {
        self.cached(KeyRef::oid(Kind::OperatorFamilies, operator), || {
            let built_in = builtin::am_ops().iter().filter(|row| row.operator == operator);
            let mut all: Vec<AmOp> = built_in.cloned().collect();
            let key = [Value::Oid(operator)];
            let index = index::PG_AMOP_OPR_FAM_INDEX;
            all.extend(self.user_rows(index, &key, pg_amop::OID, am_op_row)?);
            all.sort_by_key(|row| row.family);
            Ok(all)
        })
    }

    /// The support function of a family for two types and a number.
    ///
    /// # Errors
    /// Those of storage.
    pub fn family_proc(
        &self,
        family: Oid,
        left: Oid,
        right: Oid,
        number: i16,
    ) -> Result<Option<Oid>> {
        let wanted = |row: &&AmProc| (row.left, row.right, row.number) == (left, right, number);
        if let Some(row) = builtin::family_procs(family).iter().find(wanted) {
            return Ok(Some(row.function));
        }
        let users: Arc<Vec<AmProc>> =
            self.cached(KeyRef::oid(Kind::FamilyProcs, family), || {
                let key = [Value::Oid(family)];
                let index = index::PG_AMPROC_FAM_PROC_INDEX;
                self.user_rows(index, &key, pg_amproc::OID, am_proc_row)
            })?;
        Ok(users.iter().find(wanted).map(|row| row.function))
    }
}
