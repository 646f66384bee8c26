//! What is built in: facts of PostgreSQL 18 as static tables, looked up without any I/O.
//!
//! How it works: `build.rs` turns `facts/*.tsv` into arrays sorted by OID (casts by their types,
//! members of operator families by family, types and number) with a list of positions in order of
//! name beside each. Every lookup is a binary search.
//!
//! Rules
//! 1. The arrays never change; the same rows are in the catalogs for those who read them as
//!    tables.
//! 2. Every built-in object has an OID below [`FIRST_USER`], and no object of a user has.

mod system;

pub use system::{
    SystemColumn, SystemIndex, SystemRelation, index, indexes, indexes_of, relation,
    relation_by_name, relation_by_row_type, relations,
};

use crate::rows::*;
use base::Oid;

/// The first OID of objects made by users.
pub const FIRST_USER: Oid = Oid::FIRST_NORMAL;
/// `pg_catalog`
pub const PG_CATALOG: Oid = Oid(11);
/// `public`
pub const PUBLIC: Oid = Oid(2200);
/// The superuser that owns what is built in.
pub const BOOTSTRAP_SUPERUSER: Oid = Oid(10);

mod tables {
    use super::system::{SystemColumn, SystemIndex, SystemRelation};
    use crate::rows::*;
    use base::Oid;
    use std::borrow::Cow;

    /// Facts with a code that has no variant do not build.
    const fn known<T: Copy>(code: Option<T>) -> T {
        match code {
            Some(variant) => variant,
            None => panic!("a fact has a code that no enum knows"),
        }
    }

    include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
}

macro_rules! by_oid {
    ($($(#[$meta:meta])* $name:ident, $all:ident, $table:ident, $row:ty, $field:ident;)*) => {$(
        $(#[$meta])*
        pub fn $name(oid: Oid) -> Option<&'static $row> {
            let at = tables::$table.binary_search_by_key(&oid, |row| row.$field).ok()?;
            Some(&tables::$table[at])
        }

        /// All of them, in order.
        pub fn $all() -> &'static [$row] {
            &tables::$table
        }
    )*};
}

by_oid! {
    /// A type.
    type_by_oid, types, TYPES, Type, oid;
    /// A function, procedure or aggregate.
    proc_by_oid, procs, PROCS, Proc, oid;
    /// An operator.
    operator_by_oid, operators, OPERATORS, Operator, oid;
    /// An aggregate by its function.
    aggregate_by_function, aggregates, AGGREGATES, Aggregate, function;
    /// An operator class.
    opclass_by_oid, opclasses, OPCLASSES, OpClass, oid;
    /// An operator family.
    opfamily_by_oid, opfamilies, OPFAMILIES, OpFamily, oid;
    /// An access method.
    access_method_by_oid, access_methods, ACCESS_METHODS, AccessMethod, oid;
    /// A collation.
    collation_by_oid, collations, COLLATIONS, Collation, oid;
    /// A schema.
    namespace_by_oid, namespaces, NAMESPACES, Namespace, oid;
    /// A language.
    language_by_oid, languages, LANGUAGES, Language, oid;
    /// A range type by its type.
    range_by_type, ranges, RANGES, Range, range;
    /// An encoding conversion.
    conversion_by_oid, conversions, CONVERSIONS, Conversion, oid;
}

macro_rules! by_name {
    ($($(#[$meta:meta])* $name:ident, $table:ident, $order:ident, $row:ty;)*) => {$(
        $(#[$meta])*
        pub fn $name(name: &str) -> impl Iterator<Item = &'static $row> {
            let order = &tables::$order;
            let at = |position: &u16| &tables::$table[usize::from(*position)];
            let from = order.partition_point(|position| *at(position).name < *name);
            let count = order[from..].partition_point(|position| *at(position).name == *name);
            order[from..from + count].iter().map(at)
        }
    )*};
}

by_name! {
    /// The types of a name, in every schema.
    types_by_name, TYPES, TYPES_BY_NAME, Type;
    /// The functions of a name, in every schema, by OID.
    procs_by_name, PROCS, PROCS_BY_NAME, Proc;
    /// The operators of a name, by OID.
    operators_by_name, OPERATORS, OPERATORS_BY_NAME, Operator;
    /// The operator classes of a name, of every access method.
    opclasses_by_name, OPCLASSES, OPCLASSES_BY_NAME, OpClass;
    /// The operator families of a name, of every access method.
    opfamilies_by_name, OPFAMILIES, OPFAMILIES_BY_NAME, OpFamily;
    /// The collations of a name.
    collations_by_name, COLLATIONS, COLLATIONS_BY_NAME, Collation;
    /// The access methods of a name.
    access_methods_by_name, ACCESS_METHODS, ACCESS_METHODS_BY_NAME, AccessMethod;
    /// The schemas of a name.
    namespaces_by_name, NAMESPACES, NAMESPACES_BY_NAME, Namespace;
    /// The languages of a name.
    languages_by_name, LANGUAGES, LANGUAGES_BY_NAME, Language;
    /// The conversions of a name.
    conversions_by_name, CONVERSIONS, CONVERSIONS_BY_NAME, Conversion;
}

/// The cast between two types.
pub fn cast(source: Oid, target: Oid) -> Option<&'static Cast> {
    let at =
        tables::CASTS.binary_search_by_key(&(source, target), |cast| (cast.source, cast.target));
    Some(&tables::CASTS[at.ok()?])
}

/// All casts, by source and target.
pub fn casts() -> &'static [Cast] {
    &tables::CASTS
}

/// The operators of a family, by their types and strategy.
pub fn family_operators(family: Oid) -> &'static [AmOp] {
    let from = tables::AM_OPS.partition_point(|row| row.family < family);
    let count = tables::AM_OPS[from..].partition_point(|row| row.family == family);
    &tables::AM_OPS[from..from + count]
}

/// All members of operator families.
pub fn am_ops() -> &'static [AmOp] {
    &tables::AM_OPS
}

/// The support functions of a family, by their types and number.
pub fn family_procs(family: Oid) -> &'static [AmProc] {
    let from = tables::AM_PROCS.partition_point(|row| row.family < family);
    let count = tables::AM_PROCS[from..].partition_point(|row| row.family == family);
    &tables::AM_PROCS[from..from + count]
}

/// The default operator class of an access method for exactly this type.
pub fn default_opclass(method: Oid, input_type: Oid) -> Option<&'static OpClass> {
    tables::OPCLASSES
        .iter()
        .find(|class| class.default && class.method == method && class.input_type == input_type)
}

#[cfg(test)]
mod tests;
