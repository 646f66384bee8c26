//! Functions, procedures and aggregates.

use super::{Catalog, lookup_failed, shared};
use crate::builtin;
use crate::cache::{KeyRef, Kind};
use crate::columns::{index, pg_aggregate, pg_proc};
use crate::rows::{
    Aggregate, AggregateKind, ArgMode, FinalModify, Parallel, Proc, ProcKind, Ref, Str, Volatility,
};
use crate::store::{Row, Value};
use crate::stored;
use base::{Oid, Result};
use std::borrow::Cow;
use std::sync::Arc;

/// A function that a call by name may mean.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The function.
    pub proc: Ref<Proc>,
    /// The place of its schema in the search path: of two with the same arguments the one with
    /// the smaller place is meant.
    pub place: usize,
}

fn texts(list: Option<Vec<String>>) -> Option<Cow<'static, [Str]>> {
    list.map(|texts| Cow::Owned(texts.into_iter().map(Str::from).collect()))
}

pub(crate) fn proc_row(row: &Row) -> Result<Proc> {
    use pg_proc::*;
    let oids = |attribute| row.optional(attribute, Row::oids).map(|o| o.map(Cow::Owned));
    let modes = match row.get(PROARGMODES) {
        Value::Chars(codes) => {
            let modes = codes.iter().map(|code| ArgMode::from_code(*code).unwrap_or(ArgMode::In));
            Some(Cow::Owned(modes.collect()))
        }
        _ => None,
    };
    Ok(Proc {
        oid: row.oid(OID)?,
        name: row.text(PRONAME)?.into(),
        namespace: row.oid(PRONAMESPACE)?,
        owner: row.oid(PROOWNER)?,
        language: row.oid(PROLANG)?,
        cost: row.float4(PROCOST)?,
        rows: row.float4(PROROWS)?,
        variadic: row.oid(PROVARIADIC)?,
        support: row.oid(PROSUPPORT)?,
        kind: row.code(PROKIND, ProcKind::from_code)?,
        security_definer: row.bool(PROSECDEF)?,
        leakproof: row.bool(PROLEAKPROOF)?,
        strict: row.bool(PROISSTRICT)?,
        returns_set: row.bool(PRORETSET)?,
        volatility: row.code(PROVOLATILE, Volatility::from_code)?,
        parallel: row.code(PROPARALLEL, Parallel::from_code)?,
        default_count: row.int2(PRONARGDEFAULTS)?,
        result: row.oid(PRORETTYPE)?,
        args: Cow::Owned(row.oids(PROARGTYPES)?),
        all_args: oids(PROALLARGTYPES)?,
        arg_modes: modes,
        arg_names: texts(row.optional_texts(PROARGNAMES)?),
        defaults: stored::optional(row, PROARGDEFAULTS)?,
        source: row.text(PROSRC)?.into(),
        binary: row.optional_text(PROBIN)?.map(Into::into),
        sql_body: stored::optional(row, PROSQLBODY)?,
        config: texts(row.optional_texts(PROCONFIG)?),
        acl: row.optional_texts(PROACL)?.map(|items| format!("{{{}}}", items.join(",")).into()),
    })
}

fn aggregate_row(row: &Row) -> Result<Aggregate> {
    use pg_aggregate::*;
    Ok(Aggregate {
        function: row.oid(AGGFNOID)?,
        kind: row.code(AGGKIND, AggregateKind::from_code)?,
        direct_args: row.int2(AGGNUMDIRECTARGS)?,
        transition: row.oid(AGGTRANSFN)?,
        finish: row.oid(AGGFINALFN)?,
        combine: row.oid(AGGCOMBINEFN)?,
        serialize: row.oid(AGGSERIALFN)?,
        deserialize: row.oid(AGGDESERIALFN)?,
        moving_transition: row.oid(AGGMTRANSFN)?,
        moving_inverse: row.oid(AGGMINVTRANSFN)?,
        moving_finish: row.oid(AGGMFINALFN)?,
        finish_extra: row.bool(AGGFINALEXTRA)?,
        moving_finish_extra: row.bool(AGGMFINALEXTRA)?,
        finish_modify: row.code(AGGFINALMODIFY, FinalModify::from_code)?,
        moving_finish_modify: row.code(AGGMFINALMODIFY, FinalModify::from_code)?,
        sort_operator: row.oid(AGGSORTOP)?,
        state_type: row.oid(AGGTRANSTYPE)?,
        state_bytes: row.int4(AGGTRANSSPACE)?,
        moving_state_type: row.oid(AGGMTRANSTYPE)?,
        moving_state_bytes: row.int4(AGGMTRANSSPACE)?,
        initial: row.optional_text(AGGINITVAL)?.map(Into::into),
        moving_initial: row.optional_text(AGGMINITVAL)?.map(Into::into),
    })
}

impl Catalog {
    /// A function, if there is one.
    ///
    /// # Errors
    /// Those of storage.
    pub fn find_proc(&self, oid: Oid) -> Result<Option<Ref<Proc>>> {
        if let Some(row) = builtin::proc_by_oid(oid) {
            return Ok(Some(Ref::Static(row)));
        }
        let entry = self.cached(KeyRef::oid(Kind::Proc, oid), || {
            Ok(self.row(index::PG_PROC_OID_INDEX, &[Value::Oid(oid)], proc_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// A function.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn proc(&self, oid: Oid) -> Result<Ref<Proc>> {
        self.find_proc(oid)?.ok_or_else(|| lookup_failed("function", oid))
    }

    /// The functions of a name that users made, in all schemas.
    fn user_procs(&self, name: &str) -> Result<Arc<Vec<Arc<Proc>>>> {
        let key = KeyRef::named(Kind::ProcsNamed, Oid::INVALID, name);
        self.cached(key, || {
            let key = [Value::Text(name.to_string())];
            let read = |row: &Row| proc_row(row).map(Arc::new);
            self.user_rows(index::PG_PROC_PRONAME_ARGS_NSP_INDEX, &key, pg_proc::OID, read)
        })
    }

    /// The functions of a name in a schema or along the search path, by place and OID. The
    /// temporary schema is never searched.
    ///
    /// # Errors
    /// Those of storage.
    pub fn procs_named(&self, schema: Option<&str>, name: &str) -> Result<Vec<Candidate>> {
        let schemas = self.schemas(schema)?;
        let temporary = self.temporary_namespace();
        let place = |namespace: Oid| {
            if schema.is_none() && namespace == temporary {
                return None;
            }
            schemas.iter().position(|oid| *oid == namespace)
        };
        let mut candidates = Vec::new();
        for row in builtin::procs_by_name(name) {
            if let Some(place) = place(row.namespace) {
                candidates.push(Candidate { proc: Ref::Static(row), place });
            }
        }
        for row in self.user_procs(name)?.iter() {
            if let Some(place) = place(row.namespace) {
                candidates.push(Candidate { proc: Ref::Shared(Arc::clone(row)), place });
            }
        }
        candidates.sort_by_key(|candidate| (candidate.place, candidate.proc.oid));
        Ok(candidates)
    }

    /// How an aggregate computes; `None` when the function is none.
    ///
    /// # Errors
    /// Those of storage.
    pub fn aggregate(&self, function: Oid) -> Result<Option<Ref<Aggregate>>> {
        if let Some(row) = builtin::aggregate_by_function(function) {
            return Ok(Some(Ref::Static(row)));
        }
        if function < builtin::FIRST_USER {
            return Ok(None);
        }
        let entry = self.cached(KeyRef::oid(Kind::Aggregate, function), || {
            let key = [Value::Oid(function)];
            Ok(self.row(index::PG_AGGREGATE_FNOID_INDEX, &key, aggregate_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }
}
